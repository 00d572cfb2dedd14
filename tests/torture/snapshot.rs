//! What lies below a directory, in memory: to see what a try has changed, and to undo it.
//!
//! Only what differs is written back, so that what was not touched keeps its file number and its
//! times, by which the daemon knows a file again.
#![expect(
    clippy::disallowed_methods,
    reason = "a loop looks at the disk past `disk::Disk`, or it could not prove it right"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use plugd_testkit::Sandbox;

/// One thing on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Dir,
    File(Vec<u8>),
    Link(PathBuf),
    /// A FIFO, a socket or a device, or what cannot be read.
    Other,
}

/// Everything below the root of a sandbox, by its path relative to that root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    nodes: BTreeMap<String, (Node, u32)>,
}

impl Snapshot {
    /// Looks at these directories below the root.
    pub(crate) fn take(sandbox: &Sandbox, tops: &[&str]) -> Self {
        let mut snapshot = Self::default();
        for top in tops {
            snapshot.add(sandbox.path(top).as_path(), top);
        }
        snapshot
    }

    fn add(&mut self, path: &Path, name: &str) {
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return;
        };
        let node = if metadata.is_dir() {
            Node::Dir
        } else if metadata.is_symlink() {
            fs::read_link(path).map_or(Node::Other, Node::Link)
        } else if metadata.is_file() {
            fs::read(path).map_or(Node::Other, Node::File)
        } else {
            Node::Other
        };
        let is_dir = node == Node::Dir;
        let mode = if metadata.is_symlink() {
            0
        } else {
            mode(&metadata)
        };
        self.nodes.insert(name.to_owned(), (node, mode));
        if is_dir {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                let child = format!("{name}/{}", entry.file_name().to_string_lossy());
                self.add(&entry.path(), &child);
            }
        }
    }

    /// What lies at a path.
    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path).map(|(node, _)| node)
    }

    /// Everything, with its permission bits.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Node, u32)> {
        let nodes = self.nodes.iter();
        nodes.map(|(path, (node, mode))| (path.as_str(), node, *mode))
    }

    /// The paths of all regular files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let files = self.nodes.iter();
        files.filter_map(|(path, (node, _))| matches!(node, Node::File(_)).then_some(path.as_str()))
    }

    /// The paths at which two snapshots differ.
    pub(crate) fn changed(&self, other: &Self) -> Vec<String> {
        let all = self.nodes.keys().chain(other.nodes.keys());
        let mut changed: Vec<String> = all
            .filter(|path| self.nodes.get(*path) != other.nodes.get(*path))
            .cloned()
            .collect();
        changed.sort();
        changed.dedup();
        changed
    }

    /// Makes the disk what it was at the time of this snapshot; `now` is what it is.
    pub(crate) fn restore(&self, sandbox: &Sandbox, now: &Self) -> io::Result<()> {
        let changed = self.changed(now);
        // What is in a directory goes before the directory.
        for path in changed.iter().rev() {
            match now.nodes.get(path) {
                Some((Node::Dir, _)) if self.get(path) == Some(&Node::Dir) => {}
                Some((Node::Dir, _)) => fs::remove_dir(sandbox.path(path))?,
                Some(_) => fs::remove_file(sandbox.path(path))?,
                None => {}
            }
        }
        for path in &changed {
            let at = sandbox.path(path);
            match self.nodes.get(path) {
                Some((Node::Dir, mode)) => {
                    if now.get(path) != Some(&Node::Dir) {
                        fs::create_dir(&at)?;
                    }
                    set_mode(at.as_path(), *mode)?;
                }
                Some((Node::File(bytes), mode)) => {
                    fs::write(&at, bytes)?;
                    set_mode(at.as_path(), *mode)?;
                }
                Some((Node::Link(target), _)) => link(target, at.as_path())?,
                Some((Node::Other, _)) => return Err(io::ErrorKind::Unsupported.into()),
                None => {}
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u32 {
    0
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
pub(crate) fn link(_target: &Path, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// How many names a file has; 1 where the system does not tell.
#[cfg(unix)]
pub(crate) fn names(sandbox: &Sandbox, path: &str) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs::symlink_metadata(sandbox.path(path));
    found.map_or(1, |found| found.nlink())
}

#[cfg(not(unix))]
pub(crate) fn names(_sandbox: &Sandbox, _path: &str) -> u64 {
    1
}
