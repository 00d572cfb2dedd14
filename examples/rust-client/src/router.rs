//! Where notifications go: progress to the call whose token it names, everything else to all who
//! listen.
//!
//! jsonrpsee puts each message into its channel in the order of the wire. The router empties those
//! channels before it takes an order to forget a token, so a call loses no progress that was told
//! before its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonrpsee::core::client::{Error as RpcError, Subscription, SubscriptionClientT};
use plugd_protocol::notifications::{Changed, ConfigWarning, Progress, SkillsChanged, Task};
use plugd_protocol::{Notification, ProgressParams, WorkDoneProgress};
use tokio::sync::{broadcast, mpsc, watch};

use crate::events::Event;
use crate::process::Ending;

/// How many steps of one call may wait for their reader. More are dropped: they are only steps.
const WAITING_STEPS: usize = 256;

/// The tokens of the calls that run, as JSON text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<HashMap<String, mpsc::Sender<WorkDoneProgress>>>>);

impl Tokens {
    fn all(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<WorkDoneProgress>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of progress with this token, which ends when the token is forgotten.
    pub(crate) fn listen(&self, token: String) -> mpsc::Receiver<WorkDoneProgress> {
        let (steps, reader) = mpsc::channel(WAITING_STEPS);
        self.all().insert(token, steps);
        reader
    }

    /// Whether a call took it.
    fn tell(&self, progress: &ProgressParams) -> bool {
        let tokens = self.all();
        let Some(steps) = tokens.get(progress.token.0.as_json()) else {
            return false;
        };
        // A reader that is gone or slow misses steps, and the answer tells the outcome.
        let _ = steps.try_send(progress.value.clone());
        true
    }
}

/// One stream per notification.
pub(crate) struct Streams {
    changed: Subscription<<Changed as Notification>::Params>,
    task: Subscription<<Task as Notification>::Params>,
    skills: Subscription<<SkillsChanged as Notification>::Params>,
    warning: Subscription<<ConfigWarning as Notification>::Params>,
    progress: Subscription<<Progress as Notification>::Params>,
}

impl Streams {
    /// Listens to everything; before the handshake, so that nothing is missed.
    pub(crate) async fn open(rpc: &impl SubscriptionClientT) -> Result<Self, RpcError> {
        Ok(Self {
            changed: rpc.subscribe_to_method(Changed::NAME).await?,
            task: rpc.subscribe_to_method(Task::NAME).await?,
            skills: rpc.subscribe_to_method(SkillsChanged::NAME).await?,
            warning: rpc.subscribe_to_method(ConfigWarning::NAME).await?,
            progress: rpc.subscribe_to_method(Progress::NAME).await?,
        })
    }
}

/// Carries notifications until the daemon has ended.
pub(crate) async fn run(
    mut streams: Streams,
    tokens: Tokens,
    mut forget: mpsc::UnboundedReceiver<String>,
    events: broadcast::Sender<Event>,
    mut ending: watch::Receiver<Option<Ending>>,
) {
    // Without a listener an event is of no use to anybody.
    let tell = |event| drop(events.send(event));
    loop {
        tokio::select! {
            biased;
            Some(Ok(progress)) = streams.progress.next() => {
                if !tokens.tell(&progress) {
                    tell(Event::Progress(progress));
                }
            }
            Some(Ok(changed)) = streams.changed.next() => tell(Event::Changed(changed)),
            Some(Ok(task)) = streams.task.next() => tell(Event::Task(task)),
            Some(Ok(skills)) = streams.skills.next() => tell(Event::SkillsChanged(skills)),
            Some(Ok(warning)) = streams.warning.next() => tell(Event::ConfigWarning(warning)),
            Some(token) = forget.recv() => drop(tokens.all().remove(&token)),
            ended = ending.wait_for(Option::is_some) => {
                if let Some(ending) = ended.ok().and_then(|ended| ended.clone()) {
                    tell(Event::Ended(ending));
                }
                break;
            }
        }
    }
    tokens.all().clear();
}
