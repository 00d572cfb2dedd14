//! `plugin/share/delete`: withdraws a share. Its directory on this machine stays.

use plugd_catalog::remove_share_path;
use plugd_model::{Problem, ProblemKind};

use crate::call::Call;
use crate::remote_error::RemoteError;
use crate::remote_tell::tell;
use crate::sharing::{self, Gate};
use crate::{Blocking, Copies, Error, Lookup};

const ACTION: &str = "delete remote plugin share";

/// Withdraws a share and forgets which directory it was made from. What went wrong with the second is
/// answered: the share is gone then.
///
/// # Errors
/// Plugins are switched off, nobody is logged in, or the service refuses.
pub async fn delete_share(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    id: String,
) -> Result<Vec<Problem>, Error> {
    let id = sharing::parse_id(&id)?;
    let service = sharing::begin(call, blocking, lookup, Gate::Plugins, ACTION).await?;
    let ended = service.unshare(&id, None, std::future::pending());
    let ended = tell(call, ACTION, ended).await?;
    ended.map_err(|error| RemoteError::asked(ACTION, error))?;
    let (lookup, copies) = (lookup.clone(), copies.clone());
    blocking
        .write(move || {
            let forgotten = copies.prepare_state().map(|()| {
                remove_share_path(lookup.disk(), lookup.layout(), &id)
                    .unwrap_or_else(|error| vec![error.problem().as_warning()])
            });
            Ok(forgotten.unwrap_or_else(|error| vec![not_recorded(&error)]))
        })
        .await
}

/// The problem of a share that stands, or is gone, while the record of it is not as it should be.
pub(crate) fn not_recorded(error: &Error) -> Problem {
    let reason = plugd_model::error_chain(error);
    let words = format!("where the plugin lies is not recorded: {reason}");
    Problem::warning(ProblemKind::Unreadable, words)
}
