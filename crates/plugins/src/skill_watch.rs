//! Telling that skills may have changed by other hands.
//!
//! The watch begins with the first listing, or with a client that asked for events; a process that
//! is only asked for something else watches nothing. It covers what has been listed so far: later
//! listings add their directories, and a plugin's new copy takes the place of an old one.
//!
//! A hint says that something may have changed and no more. It may be told twice, and a client lists
//! again when it wants to know.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::Layout;
use plugd_watch::{Exclusions, Hints, WatchOptions, Watcher};

use crate::events::Events;
use crate::watched_places::{Wanted, WatchedPlaces};

/// More places than a person works in; with more, those that were listed first are let go.
const MAX_ROOTS: usize = 2_000;
/// How long a listing waits for the watch to begin. Large directories take a while, and a missed
/// change is better than a missing answer.
const SETTLING: Duration = Duration::from_secs(2);

/// Watches the places of skills. Clones speak of the same watch.
#[derive(Clone)]
pub struct SkillWatch(Arc<Inner>);

struct Inner {
    options: WatchOptions,
    disk: Disk,
    events: Events,
    state: Mutex<State>,
}

struct State {
    stopped: bool,
    /// Kept also when it could not begin, so that it is tried once.
    watcher: Option<Arc<Watcher>>,
    places: WatchedPlaces,
}

/// What asking for a watch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// All of it was watched before.
    Covered,
    /// Some of it is watched only from now on.
    New,
}

impl fmt::Debug for SkillWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillWatch").finish_non_exhaustive()
    }
}

impl SkillWatch {
    /// Watches nothing yet.
    #[must_use]
    pub fn new(layout: &Layout, disk: Disk, events: Events) -> Self {
        let exclusions = Exclusions::none().place(layout.state()).name(".git");
        Self(Arc::new(Inner {
            options: WatchOptions::excluding(exclusions),
            disk,
            events,
            state: Mutex::new(State {
                stopped: false,
                watcher: None,
                places: WatchedPlaces::new(MAX_ROOTS),
            }),
        }))
    }

    /// Watches nothing, ever: for a command, which ends before anything could be told.
    #[must_use]
    pub fn off(layout: &Layout) -> Self {
        let watch = Self::new(layout, Disk::new(), Events::detached());
        watch.stop();
        watch
    }

    /// Watches these places too. What changes after the return is told.
    pub(crate) async fn follow(&self, wanted: Wanted) -> Followed {
        let Some(watcher) = self.0.add(wanted) else {
            return Followed::Covered;
        };
        if tokio::time::timeout(SETTLING, watcher.settled())
            .await
            .is_err()
        {
            tracing::debug!("the watch of skills takes long to begin");
        }
        Followed::New
    }

    /// From here on the client wants to hear of skills.
    pub(crate) fn want(&self) {
        self.0.events.want_skills();
    }

    /// Whether it did before.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.0.events.skills_wanted()
    }

    /// Ends the watch for good.
    pub fn stop(&self) {
        let mut state = self.0.state();
        state.stopped = true;
        state.watcher = None;
    }
}

impl Inner {
    /// Held for set operations and for handing over a set, which returns at once.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds places; answers the watcher when there is something to wait for.
    fn add(&self, wanted: Wanted) -> Option<Arc<Watcher>> {
        let mut state = self.state();
        if state.stopped || !state.places.add(wanted) {
            return None;
        }
        let watcher = match &state.watcher {
            Some(watcher) => Arc::clone(watcher),
            None => {
                let (watcher, hints) = Watcher::new(self.options.clone(), self.disk.clone());
                tokio::spawn(tell(hints, self.events.clone()));
                Arc::new(watcher)
            }
        };
        state.watcher = Some(Arc::clone(&watcher));
        if let Err(error) = watcher.set(&state.places.roots()) {
            tracing::warn!("changes of skills are not told: {error}");
            return None;
        }
        Some(watcher)
    }
}

/// Passes hints on until the watcher is gone. Whose change it was cannot be told, so our own may be
/// told twice.
async fn tell(mut hints: Hints, events: Events) {
    while hints.next().await.is_some() {
        events.skills_changed();
    }
}

#[cfg(test)]
mod tests {
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::SkillWatch;
    use crate::Blocking;
    use crate::events::Events;
    use crate::fixture::parts;
    use crate::skills_list::watch_skills;

    /// A place for each version would be watched for ever, and a daemon lives for many versions.
    #[tokio::test]
    async fn versions_that_are_gone_are_not_watched() {
        let sandbox = Sandbox::from("== ch/config.toml\n[plugins.\"p@m\"]\nenabled = true\n");
        let (lookup, copies) = parts(&sandbox);
        let (blocking, events) = (Blocking::new(1, 1), Events::detached());
        let watch = SkillWatch::new(lookup.layout(), lookup.disk().clone(), events);
        let (mut counts, plugin) = (Vec::new(), "ch/plugins/cache/m/p");
        for number in 0..8 {
            if sandbox.exists(plugin) {
                sandbox.remove(plugin);
            }
            sandbox.add(&format!(
                "== {plugin}/1.{number}.0/.codex-plugin/plugin.json\n{{\"name\": \"p\"}}\n"
            ));
            let watched = watch_skills(&blocking, &lookup, &copies, &watch).await;
            watched.unwrap();
            let roots = watch.0.state().places.roots();
            let now = sandbox.path(plugin).join(format!("1.{number}.0"));
            assert!(roots.iter().any(|root| root.path == now), "{roots:?}");
            counts.push(roots.len());
        }
        let (first, second) = (counts[0], counts[1]);
        assert!(second > first, "the copy before stays");
        assert_eq!(counts[2..], [second; 6]);
    }
}
