//! The way to a root: where its path leads, and which directories decide that.
//!
//! A directory on the way is watched for one name only. Where the path does not exist yet it is the
//! nearest directory that does, so that a root is noticed when it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use plugd_disk::{Disk, Kind, Stamp};
use plugd_model::AbsPath;

use crate::{Reach, WatchRoot};

/// What tells a directory from another one that takes its place later. Inode numbers are given
/// again, times of birth are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    born_ns: i128,
}

/// Where a path leads at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Head {
    /// The directories on the way, without links in their paths, with the names that matter in them.
    pub(crate) way: BTreeMap<AbsPath, (Identity, BTreeSet<OsString>)>,
    /// The directory at the end of the way, without links in its path, when a tree is watched.
    pub(crate) tree: Option<AbsPath>,
    /// The path itself, when it is a link.
    link: Option<Stamp>,
    /// What stands at the end of the way.
    end: Option<Stamp>,
}

impl Identity {
    /// Of a directory whose path has no links.
    pub(crate) fn of_dir(disk: &Disk, dir: &AbsPath) -> Option<Self> {
        let stamp = disk.link_stamp(dir).ok().flatten();
        let stamp = stamp.filter(|stamp| stamp.kind == Kind::Dir)?;
        Some(Self::of(&stamp))
    }

    fn of(stamp: &Stamp) -> Self {
        Self {
            device: stamp.device,
            inode: stamp.inode,
            born_ns: stamp.born_ns,
        }
    }
}

impl Head {
    /// Follows the path of a root as far as it exists. What cannot be read counts as missing: the
    /// directory above it is told when that changes.
    pub(crate) fn find(disk: &Disk, root: &WatchRoot) -> Self {
        let path = &root.path;
        let mut head = Self {
            way: BTreeMap::new(),
            tree: None,
            link: None,
            end: disk.stamp(path).ok().flatten().map(settled),
        };
        head.approach(disk, path);
        let own = disk.link_stamp(path).ok().flatten();
        if let Some(stamp) = own.filter(|stamp| stamp.kind == Kind::Link) {
            head.link = Some(stamp);
            // A link may lead to where nothing is yet, and that place is watched too.
            // The second is the truth where links lead on through other links.
            let targets = [disk.follow_links(path), disk.resolve(path)];
            for target in targets.into_iter().flatten() {
                head.approach(disk, &target);
            }
        }
        let is_dir = head.end.is_some_and(|stamp| stamp.kind == Kind::Dir);
        if is_dir && root.reach != Reach::File {
            head.tree = disk.resolve(path).ok();
        }
        head
    }

    /// Adds the nearest existing directory above a path, and the name that leads on from there.
    fn approach(&mut self, disk: &Disk, path: &AbsPath) {
        for ancestor in path.ancestors().skip(1) {
            let Some(dir) = existing_dir(disk, &ancestor) else {
                continue;
            };
            let rest = path.as_path().strip_prefix(&ancestor);
            let name = rest.ok().and_then(|rest| rest.iter().next());
            if let Some(name) = name {
                let (dir, identity) = dir;
                let watched = self
                    .way
                    .entry(dir)
                    .or_insert_with(|| (identity, BTreeSet::new()));
                watched.1.insert(name.to_owned());
            }
            return;
        }
    }
}

/// The path of a directory without links, and which directory it is.
pub(crate) fn existing_dir(disk: &Disk, path: &AbsPath) -> Option<(AbsPath, Identity)> {
    let stamp = disk.stamp(path).ok().flatten()?;
    if stamp.kind != Kind::Dir {
        return None;
    }
    Some((disk.resolve(path).ok()?, Identity::of(&stamp)))
}

/// The stamp without what changes in a directory with every entry, so that an excluded entry of it
/// is not told.
fn settled(stamp: Stamp) -> Stamp {
    match stamp.kind {
        Kind::Dir => Stamp {
            size: 0,
            modified_ns: 0,
            changed_ns: 0,
            ..stamp
        },
        _ => stamp,
    }
}
