//! One change of the version of one plugin: decided anew while somebody else changes the plugin, and
//! told when it is done.

use std::time::Instant;

use plugd_model::PluginId;

use crate::Error;
use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::parts::Parts;
use crate::version_change::{VersionChange, VersionChanges};

/// Takes the step, each time in a section of its own.
pub(crate) async fn one_change<F>(
    call: &Call,
    parts: &Parts,
    id: PluginId,
    dry_run: bool,
    step: F,
) -> Result<VersionChanges, Error>
where
    F: Fn(&Parts) -> Result<VersionChange, Error> + Clone + Send + 'static,
{
    loop {
        let begun = Instant::now();
        let section = {
            let (step, of) = (step.clone(), parts.clone());
            parts.blocking.write(move || step(&of))
        };
        match section.await {
            Err(error) if error.is_to_be_repeated() && call.waits.try_again(begun) => {}
            Err(error) => return Err(error),
            Ok(change) => {
                if change.changed && !dry_run {
                    let told = Change::new(ChangeReason::Request).plugin(id);
                    parts.events.changed(told);
                }
                return Ok(VersionChanges {
                    dry_run,
                    changes: vec![change],
                });
            }
        }
    }
}
