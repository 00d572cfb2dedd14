//! Making several files, directories and trees durable at once.
//!
//! Waiting for the disk is what changes cost, so whoever has written several things that nobody sees
//! yet collects them and waits once. One call for a whole file system costs as much as two or three
//! syncs of single files, also where other programs write; `tree::sync` has the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;

use plugd_model::AbsPath;

use crate::tree::{TreeError, sync_tree};
use crate::{Disk, DiskError, OperationKind};

/// Up to so many files and directories are synced one by one.
const ONE_BY_ONE: usize = 2;

/// What was written and may be lost when the power is cut.
#[derive(Debug, Default)]
pub struct Unsynced {
    files: Vec<AbsPath>,
    dirs: BTreeSet<AbsPath>,
    trees: Vec<AbsPath>,
}

impl Unsynced {
    /// The content of a file. Its name is another matter.
    pub fn file(&mut self, path: AbsPath) {
        self.files.push(path);
    }

    /// The entries of a directory.
    pub fn dir(&mut self, path: AbsPath) {
        self.dirs.insert(path);
    }

    /// Everything below a directory, and its own entry.
    pub fn tree(&mut self, root: AbsPath) {
        self.dirs.extend(root.parent());
        self.trees.push(root);
    }

    /// All that somebody else has written.
    pub fn join(&mut self, other: Self) {
        let Self { files, dirs, trees } = other;
        self.files.extend(files);
        self.dirs.extend(dirs);
        self.trees.extend(trees);
    }
}

impl Disk {
    /// Makes all of it durable.
    ///
    /// # Errors
    /// The system refuses; nobody knows what is durable then.
    pub fn make_durable(&self, unsynced: &Unsynced) -> Result<(), TreeError> {
        let Unsynced { files, dirs, trees } = unsynced;
        let is_much = !trees.is_empty() || files.len() + dirs.len() > ONE_BY_ONE;
        if CAN_SYNC_ALL && is_much {
            return Ok(self.sync_file_systems(unsynced)?);
        }
        for file in files {
            self.sync_file(file)?;
        }
        for tree in trees {
            sync_tree(self, tree)?;
        }
        for dir in dirs {
            self.sync_dir(dir)?;
        }
        Ok(())
    }

    /// Makes the content of a file durable.
    pub(crate) fn sync_file(&self, path: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::SyncFile, path, None, 0)?;
        open_to_sync(path)
            .and_then(|file| file.sync_all())
            .map_err(|source| DiskError::io(OperationKind::SyncFile, path, source))
    }

    /// One call for each file system: a link may lead to another one.
    fn sync_file_systems(&self, unsynced: &Unsynced) -> Result<(), DiskError> {
        let parents = unsynced.files.iter().filter_map(AbsPath::parent);
        let mut devices = BTreeMap::new();
        for dir in parents.chain(unsynced.dirs.iter().cloned()) {
            match self.stamp(&dir)? {
                Some(stamp) => drop(devices.entry(stamp.device).or_insert(dir)),
                // It is gone, and that is for the system to say.
                None => self.sync_dir(&dir)?,
            }
        }
        devices.values().try_for_each(|dir| self.sync_all(dir))
    }

    /// Makes the whole file system of a directory durable.
    pub(crate) fn sync_all(&self, dir: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::SyncFile, dir, None, 0)?;
        sync_all(dir).map_err(|source| DiskError::io(OperationKind::SyncFile, dir, source))
    }
}

/// Opens a file that was just written, and never a link or FIFO that took its place.
#[cfg(unix)]
fn open_to_sync(path: &AbsPath) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path.as_path(), flags, Mode::empty())?.into())
}

/// Windows syncs only through handles that may write.
#[cfg(not(unix))]
fn open_to_sync(path: &AbsPath) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
}

#[cfg(target_os = "linux")]
pub(crate) const CAN_SYNC_ALL: bool = true;
#[cfg(not(target_os = "linux"))]
pub(crate) const CAN_SYNC_ALL: bool = false;

#[cfg(target_os = "linux")]
fn sync_all(dir: &AbsPath) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(dir)?)?)
}

/// Never called where [`CAN_SYNC_ALL`] is false.
#[cfg(not(target_os = "linux"))]
fn sync_all(dir: &AbsPath) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;

    use super::Unsynced;
    use crate::{Disk, Operation, OperationKind, Probe};

    #[derive(Default)]
    struct Syncs(Mutex<Vec<(OperationKind, String)>>);

    impl Probe for Syncs {
        fn before(&self, operation: &Operation<'_>) -> std::io::Result<()> {
            if matches!(
                operation.kind,
                OperationKind::SyncFile | OperationKind::SyncDir
            ) {
                let name = operation.path.file_name().unwrap().to_str().unwrap();
                let mut syncs = self.0.lock().unwrap();
                syncs.push((operation.kind, name.to_owned()));
            }
            Ok(())
        }
    }

    /// What is synced when these are to be: files, directories, trees.
    #[track_caller]
    fn check(files: &[&str], dirs: &[&str], trees: &[&str], expected: &[(OperationKind, &str)]) {
        let place = tempfile::tempdir().unwrap();
        let root = AbsPath::new(place.path().join("root")).unwrap();
        let syncs = Arc::new(Syncs::default());
        let disk = Disk::probed(Arc::<Syncs>::clone(&syncs));
        let mut unsynced = Unsynced::default();
        disk.create_dirs(&root).unwrap();
        for file in files {
            disk.write_unsynced(&root.join(file), b"x", 0o644).unwrap();
            unsynced.file(root.join(file));
        }
        for dir in dirs {
            disk.create_dirs(&root.join(dir)).unwrap();
            unsynced.dir(root.join(dir));
        }
        for tree in trees {
            disk.create_dirs(&root.join(tree).join("deep")).unwrap();
            unsynced.tree(root.join(tree));
        }
        disk.make_durable(&unsynced).unwrap();
        let found = syncs.0.lock().unwrap();
        let found: Vec<_> = found.iter().map(|(kind, name)| (*kind, &**name)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_little_is_synced_one_by_one() {
        use OperationKind::{SyncDir, SyncFile};
        check(&[], &[], &[], &[]);
        check(&["a"], &["d"], &[], &[(SyncFile, "a"), (SyncDir, "d")]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn more_is_synced_by_one_call() {
        use OperationKind::SyncFile;
        check(&["a", "b", "c"], &["d"], &[], &[(SyncFile, "root")]);
        check(&[], &[], &["t"], &[(SyncFile, "root")]);
    }
}
