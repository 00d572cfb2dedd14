//! Putting the plugins of listings under watch, where they are offered and where they are installed, behind the
//! answers.
//!
//! A plugin that the system vouches for costs a listing next to nothing, but to get there costs more than
//! to look at it. So a listing asks for it and never waits, and after the second listing of however many
//! plugins the next one that comes a moment later is a warm one.

use std::fmt;
use std::sync::Arc;

use plugd_model::error_chain;

use crate::parts::Activity;
use crate::queue::{Queue, Urgency};
use crate::{Blocking, Copies, Lookup};

/// How many plugins are put under watch in one section, after which others have their turn and a process
/// that ends does not wait any longer.
const AT_ONCE: usize = 64;

/// Puts plugins under watch, one piece of work at a time. Clones speak of the same queue.
#[derive(Clone)]
pub struct PluginWatch(Arc<Inner>);

struct Inner {
    blocking: Blocking,
    lookup: Lookup,
    copies: Copies,
    activity: Activity,
    queue: Queue,
}

impl fmt::Debug for PluginWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginWatch")
            .field("activity", &self.0.activity)
            .finish_non_exhaustive()
    }
}

impl PluginWatch {
    /// Nothing works yet, and nothing ever where nothing is to happen in the background.
    #[must_use]
    pub fn new(blocking: Blocking, lookup: Lookup, copies: Copies, activity: Activity) -> Self {
        Self(Arc::new(Inner {
            blocking,
            lookup,
            copies,
            activity,
            queue: Queue::default(),
        }))
    }

    /// Asks for what the listings before have left notes of, and returns at once.
    pub fn request(&self) {
        let inner = &self.0;
        let works = inner.activity == Activity::Works;
        let has_due = || inner.lookup.loader().has_due() || inner.copies.has_due();
        if works && has_due() && inner.queue.ask(Urgency::Fresh) {
            tokio::spawn(Arc::clone(inner).work());
        }
    }

    /// Ends the work; what is not watched is looked at.
    pub async fn stop(&self) {
        self.0.queue.stop().await;
    }
}

impl Inner {
    async fn work(self: Arc<Self>) {
        let _working = self.queue.working();
        loop {
            self.queue.breathe().await;
            let call = self.queue.call();
            while call
                .as_ref()
                .is_some_and(|call| !call.cancel.is_cancelled())
            {
                let (lookup, copies) = (self.lookup.clone(), self.copies.clone());
                let some = self.blocking.read_behind(move || {
                    let offered = lookup.loader().watch_due(AT_ONCE);
                    let installed = copies.store()?.watch_due(AT_ONCE);
                    Ok(offered || installed)
                });
                match some.await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::debug!("plugins are not watched: {}", error_chain(&error));
                        break;
                    }
                }
            }
            if !self.queue.next() {
                return;
            }
        }
    }
}
