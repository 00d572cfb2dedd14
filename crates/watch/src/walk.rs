//! Going through the directories of a tree, one at a time.
//!
//! The plan of what to watch and the comparison of stamps both go this way, so they can never
//! disagree about what belongs to a tree.
//!
//! Invariants:
//! - Only directories are entered, each once; a cycle of links ends at the first repetition.
//! - The order depends on names only.
//! - Memory is bounded by what is left to visit.

use std::collections::BTreeSet;

use plugd_disk::{Disk, Entry, Kind};
use plugd_model::AbsPath;

use crate::head::existing_dir;
use crate::{Exclusions, Reach};

/// How deep directories are nested at most; what lies deeper is not watched.
const MAX_DEPTH: u32 = 64;

/// How many entries of one directory are looked at; one with more is watched without what is in it
/// being told apart.
pub(crate) const MAX_ENTRIES: u64 = 20_000;

/// Whether links to directories are entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    /// They are entries like files.
    Stay,
    /// They are entered.
    Follow,
}

/// A walk that can be interrupted after each directory.
#[derive(Debug)]
pub(crate) struct Walk {
    pending: Vec<(AbsPath, u32)>,
    /// Where the walk began, and where links led out of that.
    tops: BTreeSet<AbsPath>,
    links: Links,
    max_depth: u32,
}

/// One directory.
#[derive(Debug)]
pub(crate) struct Visit {
    /// Its path, without links.
    pub(crate) dir: AbsPath,
    /// What is in it.
    pub(crate) listing: Listing,
}

/// What is in a directory.
#[derive(Debug)]
pub(crate) enum Listing {
    /// Its entries, sorted, without the excluded ones.
    Entries(Vec<Entry>),
    /// More than one looks at.
    TooMany,
    /// Nobody may see it, or it is gone.
    Unreadable,
}

impl Walk {
    /// A walk through the directory of a root, whose path has no links, as far as the root reaches.
    pub(crate) fn of(top: AbsPath, reach: Reach) -> Self {
        let (links, max_depth) = match reach {
            Reach::File => (Links::Stay, 0),
            Reach::Levels(levels) => (Links::Stay, u32::from(levels)),
            Reach::Tree => (Links::Stay, MAX_DEPTH),
            Reach::TreeAndLinks => (Links::Follow, MAX_DEPTH),
        };
        Self {
            pending: vec![(top.clone(), 0)],
            tops: BTreeSet::from([top]),
            links,
            max_depth,
        }
    }

    /// The next directory; `None` at the end.
    pub(crate) fn next(&mut self, disk: &Disk, exclusions: &Exclusions) -> Option<Visit> {
        let (dir, depth) = self.pending.pop()?;
        let listing = match disk.list_up_to(&dir, MAX_ENTRIES) {
            Ok(Some(mut entries)) => {
                entries.retain(|entry| !exclusions.skip(&dir.join(&entry.name), &entry.name));
                Listing::Entries(entries)
            }
            Ok(None) => Listing::TooMany,
            Err(_) => Listing::Unreadable,
        };
        if let Listing::Entries(entries) = &listing
            && depth < self.max_depth
        {
            for entry in entries {
                let path = dir.join(&entry.name);
                match entry.kind {
                    // Where a link led already, nobody has to go again.
                    Kind::Dir if !self.tops.contains(&path) => {
                        self.pending.push((path, depth + 1));
                    }
                    Kind::Link if self.links == Links::Follow => {
                        self.follow(disk, exclusions, &path, depth + 1);
                    }
                    _ => {}
                }
            }
        }
        Some(Visit { dir, listing })
    }

    fn follow(&mut self, disk: &Disk, exclusions: &Exclusions, link: &AbsPath, depth: u32) {
        let Some((target, _)) = existing_dir(disk, link) else {
            return;
        };
        let inside = target.ancestors().any(|above| self.tops.contains(&above));
        let name = target.file_name().unwrap_or_default();
        if !inside && !exclusions.skip(&target, name) {
            self.tops.insert(target.clone());
            self.pending.push((target, depth));
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use plugd_disk::Disk;

    use super::Walk;
    use crate::fixture::Dir;
    use crate::{Exclusions, Reach};

    #[track_caller]
    fn check(dir: &Dir, reach: Reach, exclusions: &Exclusions, expected: &[&str]) {
        let (disk, mut walk) = (Disk::new(), Walk::of(dir.at("top"), reach));
        let mut found = Vec::new();
        while let Some(visit) = walk.next(&disk, exclusions) {
            let below = visit.dir.as_path().strip_prefix(&dir.root).unwrap();
            found.push(below.display().to_string());
        }
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn directories_are_visited_once_and_links_on_demand() {
        let dir = Dir::new();
        dir.dirs(&["top/a/b", "top/.git/objects", "else/c/d", "state"]);
        dir.write("top/file", "");
        dir.link("top/out", "../else/c");
        dir.link("top/out-again", "../else");
        dir.link("top/up", "..");
        dir.link("top/a/loop", "../..");
        dir.link("top/dangling", "nowhere");
        let none = Exclusions::none();
        let inside = ["top", "top/.git", "top/.git/objects", "top/a", "top/a/b"];
        check(&dir, Reach::Tree, &none, &inside);
        check(&dir, Reach::Levels(0), &none, &["top"]);
        check(&dir, Reach::Levels(1), &none, &["top", "top/.git", "top/a"]);
        let outside = ["", "else", "else/c", "else/c/d", "state"];
        check(
            &dir,
            Reach::TreeAndLinks,
            &none,
            &[&outside[..], &inside].concat(),
        );
        let some = none
            .name(".git")
            .name("up")
            .name("loop")
            .place(dir.at("else/c/d"));
        let rest = ["else", "else/c", "top", "top/a", "top/a/b"];
        check(&dir, Reach::TreeAndLinks, &some, &rest);
    }
}
