//! Which roots a path concerns.
//!
//! A watched directory is watched for some of its names (the way to a root), for all of them (a
//! directory of a tree), or with everything below it (where the system watches whole trees).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Exclusions;
use crate::plan::Plan;
use crate::shared::RootId;

/// The watched directories and who is interested in what of them.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    dirs: HashMap<PathBuf, Interest>,
    exclusions: Exclusions,
}

#[derive(Debug, Default)]
struct Interest {
    names: BTreeMap<OsString, BTreeSet<RootId>>,
    all: BTreeSet<RootId>,
    deep: BTreeSet<RootId>,
}

impl Routes {
    pub(crate) fn new(exclusions: Exclusions) -> Self {
        Self {
            dirs: HashMap::new(),
            exclusions,
        }
    }

    /// Adds what a plan watches to what is there.
    pub(crate) fn add(&mut self, root: RootId, plan: &Plan) {
        for (dir, names) in plan.named() {
            let interest = self.interest(dir.as_path());
            for name in names {
                interest.names.entry(name.clone()).or_default().insert(root);
            }
        }
        for dir in plan.dirs() {
            let interest = self.interest(dir.as_path());
            interest.all.insert(root);
            if plan.is_deep() {
                interest.deep.insert(root);
            }
        }
    }

    /// Whether a watch stands on this very path.
    pub(crate) fn watches(&self, path: &Path) -> bool {
        self.dirs.contains_key(path)
    }

    /// The roots that a change at a path concerns.
    pub(crate) fn concerned(&self, path: &Path) -> BTreeSet<RootId> {
        let mut roots = BTreeSet::new();
        for (distance, ancestor) in path.ancestors().enumerate() {
            let Some(interest) = self.dirs.get(ancestor) else {
                continue;
            };
            match (distance, path.file_name()) {
                // A message about the watched directory itself.
                (0, _) => roots.extend(interest.everybody()),
                (1, Some(name)) => {
                    roots.extend(interest.names.get(name).into_iter().flatten());
                    self.extend_below(&mut roots, path, ancestor, &interest.all);
                }
                _ => self.extend_below(&mut roots, path, ancestor, &interest.deep),
            }
        }
        roots
    }

    fn extend_below(
        &self,
        roots: &mut BTreeSet<RootId>,
        path: &Path,
        dir: &Path,
        interested: &BTreeSet<RootId>,
    ) {
        let below = path.strip_prefix(dir).unwrap_or(path);
        if !interested.is_empty() && !self.exclusions.skip_below(path, below) {
            roots.extend(interested);
        }
    }

    fn interest(&mut self, dir: &Path) -> &mut Interest {
        self.dirs.entry(dir.to_path_buf()).or_default()
    }
}

impl Interest {
    fn everybody(&self) -> impl Iterator<Item = RootId> + '_ {
        let named = self.names.values().flatten();
        named.chain(&self.all).chain(&self.deep).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;

    use plugd_disk::Disk;

    use super::Routes;
    use crate::fixture::Dir;
    use crate::plan::Plan;
    use crate::{Exclusions, WatchRoot};

    /// A tree is root 1 and a file beside it root 2.
    fn routes(dir: &Dir, deep: bool) -> Routes {
        dir.dirs(&["tree/sub"]);
        let exclusions = Exclusions::none().name(".git");
        let mut routes = Routes::new(exclusions.clone());
        let roots = [
            WatchRoot::tree(dir.at("tree")),
            WatchRoot::file(dir.at("file")),
        ];
        for (root, id) in roots.iter().zip(1..) {
            let mut plan = Plan::make(&Disk::new(), root, &exclusions, 100).unwrap();
            if deep {
                plan.reach_down();
            }
            routes.add(id, &plan);
        }
        routes
    }

    #[track_caller]
    fn check(dir: &Dir, routes: &Routes, path: &str, expected: &[u64]) {
        let found = routes.concerned(dir.at(path).as_path());
        assert_eq!(found, expected.iter().copied().collect::<BTreeSet<_>>());
    }

    #[test]
    fn a_path_concerns_whoever_watches_its_directory() {
        let dir = Dir::new();
        for deep in [false, true] {
            let routes = routes(&dir, deep);
            check(&dir, &routes, "", &[1, 2]);
            check(&dir, &routes, "file", &[2]);
            check(&dir, &routes, "file/below", &[]);
            check(&dir, &routes, "other", &[]);
            check(&dir, &routes, "tree", &[1]);
            check(&dir, &routes, "tree/file", &[1]);
            check(&dir, &routes, "tree/sub/file", &[1]);
            check(&dir, &routes, "tree/.git", &[]);
            check(&dir, &routes, "tree/.git/sub/file", &[]);
        }
    }

    #[test]
    fn where_watches_reach_down_unknown_directories_count() {
        let dir = Dir::new();
        for (deep, expected) in [(false, &[][..]), (true, &[1])] {
            check(&dir, &routes(&dir, deep), "tree/new/deep/file", expected);
        }
    }
}
