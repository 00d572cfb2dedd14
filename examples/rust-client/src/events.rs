//! What the daemon tells without being asked, as one stream.

use plugd_protocol::{
    ChangedParams, ConfigWarningNotification, ProgressParams, SkillsChangedNotification, TaskParams,
};
use tokio::sync::broadcast;

use crate::process::Ending;

/// Something that the daemon told without being asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Marketplaces, plugins or configuration changed.
    Changed(ChangedParams),
    /// Background work started or ended.
    Task(TaskParams),
    /// Skills may be others than before.
    SkillsChanged(SkillsChangedNotification),
    /// A configuration file is broken or unusual.
    ConfigWarning(ConfigWarningNotification),
    /// Progress with a token that no [`Call`](crate::Call) of this client waits for, such as one
    /// that the caller put into the params himself.
    Progress(ProgressParams),
    /// This reader was too slow, and so many events are gone: read anew whatever is shown.
    Missed(u64),
    /// The daemon ended. It is the last event.
    Ended(Ending),
}

/// The stream of events. Several readers may exist; each hears all.
#[derive(Debug)]
pub struct Events(pub(crate) broadcast::Receiver<Event>);

impl Events {
    /// The next event; none after [`Event::Ended`]. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Event::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// Another reader, which hears what comes from now on.
    #[must_use]
    pub fn resubscribe(&self) -> Self {
        Self(self.0.resubscribe())
    }
}
