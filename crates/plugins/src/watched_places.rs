//! Which places are watched: all that were listed so far, as long as they can still hold something.
//!
//! Invariants:
//! - A place that belongs to no plugin stays, since a client that listed a directory once wants to hear
//!   of it.
//! - Of a plugin the copy that was listed last stays, and the one in front of it: what happened to that
//!   one may not have been told yet, and of two listings at a time the older may come last. Those
//!   further back are gone, and with every version there would be more of them.
//! - The number of places is bounded.
//!
//! It watches nothing itself.

use std::collections::BTreeMap;

use plugd_model::PluginId;
use plugd_watch::WatchRoot;

/// Why something is watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// It was named, or skills are always looked for there.
    Place(WatchRoot),
    /// A plugin's copy lies there.
    Plugin(PluginId),
}

/// What one look says has to be watched.
#[derive(Debug, Default)]
pub(crate) struct Wanted(BTreeMap<Reason, Vec<WatchRoot>>);

impl Wanted {
    /// A place that belongs to no plugin.
    pub(crate) fn place(&mut self, root: WatchRoot) {
        self.0.insert(Reason::Place(root.clone()), vec![root]);
    }

    /// The places of a plugin's copy.
    pub(crate) fn plugin(&mut self, id: PluginId, roots: Vec<WatchRoot>) {
        self.0.insert(Reason::Plugin(id), roots);
    }
}

/// What is watched.
#[derive(Debug)]
pub(crate) struct WatchedPlaces {
    max_roots: usize,
    /// In the order in which they were listed first.
    order: Vec<Reason>,
    watched: BTreeMap<Reason, Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    now: Vec<WatchRoot>,
    before: Vec<WatchRoot>,
}

impl Watched {
    fn roots(&self) -> impl Iterator<Item = &WatchRoot> {
        self.now.iter().chain(&self.before)
    }
}

impl WatchedPlaces {
    /// Nothing yet. With more places than this, those that were listed first are let go.
    pub(crate) fn new(max_roots: usize) -> Self {
        Self {
            max_roots,
            order: Vec::new(),
            watched: BTreeMap::new(),
        }
    }

    /// Adds what a look found. Answers whether any of it is new.
    pub(crate) fn add(&mut self, wanted: Wanted) -> bool {
        let mut is_new = false;
        for (reason, roots) in wanted.0 {
            match self.watched.get_mut(&reason) {
                Some(watched) if watched.now == roots => {}
                Some(watched) => {
                    watched.before = std::mem::replace(&mut watched.now, roots);
                    is_new = true;
                }
                None => {
                    let before = Vec::new();
                    self.order.push(reason.clone());
                    self.watched.insert(reason, Watched { now: roots, before });
                    is_new = true;
                }
            }
        }
        if is_new {
            self.let_go();
        }
        is_new
    }

    /// Everything that is watched.
    pub(crate) fn roots(&self) -> Vec<WatchRoot> {
        let watched = self
            .order
            .iter()
            .filter_map(|reason| self.watched.get(reason));
        watched.flat_map(Watched::roots).cloned().collect()
    }

    fn let_go(&mut self) {
        let mut count: usize = self.watched.values().map(|one| one.roots().count()).sum();
        let first_kept = self.order.iter().position(|reason| {
            if count <= self.max_roots {
                return true;
            }
            let gone = self.watched.remove(reason);
            count -= gone.map_or(0, |gone| gone.roots().count());
            false
        });
        self.order.drain(..first_kept.unwrap_or(self.order.len()));
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::{AbsPath, PluginId};
    use plugd_watch::WatchRoot;
    use pretty_assertions::assert_eq;

    use super::{Wanted, WatchedPlaces};

    fn root(name: &str) -> WatchRoot {
        WatchRoot::file(AbsPath::new(format!("/{name}")).unwrap())
    }

    /// A listing that shows places as `/name` and copies as `plugin=copy`.
    #[track_caller]
    fn check(places: &mut WatchedPlaces, listed: &[&str], is_new: bool, expected: &[&str]) {
        let mut wanted = Wanted::default();
        for one in listed {
            match one.split_once('=') {
                None => wanted.place(root(one)),
                Some((plugin, copy)) => {
                    let id = PluginId::parse(&format!("{plugin}@m")).unwrap();
                    wanted.plugin(id, vec![root(copy)]);
                }
            }
        }
        assert_eq!(places.add(wanted), is_new);
        let expected: Vec<_> = expected.iter().map(|name| root(name)).collect();
        assert_eq!(places.roots(), expected);
    }

    #[test]
    fn what_was_listed_stays() {
        let mut places = WatchedPlaces::new(100);
        check(&mut places, &["a", "b"], true, &["a", "b"]);
        check(&mut places, &["a"], false, &["a", "b"]);
        check(&mut places, &["c", "p=1"], true, &["a", "b", "c", "1"]);
        check(&mut places, &[], false, &["a", "b", "c", "1"]);
    }

    #[test]
    fn of_a_plugin_two_copies_stay() {
        let mut places = WatchedPlaces::new(100);
        check(&mut places, &["a", "p=1", "q=x"], true, &["a", "1", "x"]);
        check(&mut places, &["p=2"], true, &["a", "2", "1", "x"]);
        check(&mut places, &["p=1"], true, &["a", "1", "2", "x"]);
        for (copy, before) in (3..100).zip([1].into_iter().chain(3..)) {
            let (copy, before) = (copy.to_string(), before.to_string());
            let expected = ["a", &copy, &before, "x"];
            check(&mut places, &[&format!("p={copy}")], true, &expected);
        }
        check(
            &mut places,
            &["p=99", "q=x"],
            false,
            &["a", "99", "98", "x"],
        );
    }

    #[test]
    fn the_number_of_places_is_bounded() {
        let mut places = WatchedPlaces::new(3);
        check(&mut places, &["a", "b", "p=1"], true, &["a", "b", "1"]);
        check(&mut places, &["p=2"], true, &["b", "2", "1"]);
        check(&mut places, &["c", "d"], true, &["c", "d"]);
        check(&mut places, &["a"], true, &["c", "d", "a"]);
    }
}
