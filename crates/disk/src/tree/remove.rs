//! Removing a tree of our own, whatever has been done to it.
//!
//! Links are removed, never followed. Directories whose mode forbids it are opened up first. Depth
//! costs neither stack nor open files: what lies too deep is moved to the top and removed there.

use std::ffi::{OsStr, OsString};
use std::io;
use std::thread;
use std::time::Duration;

use plugd_model::AbsPath;

use super::TreeError;
use super::handle::DirHandle;
use crate::{Disk, DiskError, Kind, OperationKind};

/// How deep removal goes before it moves a directory to the top.
const MAX_OPEN: u32 = 64;

/// How long to wait, one time after the other, for a helper process to die that outlives the one that
/// it worked for and still writes into its place.
const LAST_BREATHS: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(300),
];

/// Removes what somebody was told to leave, who may be writing for a last moment.
///
/// # Errors
/// As [`remove_tree`].
pub fn remove_abandoned(disk: &Disk, path: &AbsPath) -> Result<(), TreeError> {
    for pause in LAST_BREATHS {
        match remove_tree(disk, path) {
            Err(TreeError::Disk(error)) if error.is_not_empty() => thread::sleep(pause),
            removed => return removed,
        }
    }
    remove_tree(disk, path)
}

/// Removes a file, a link or a whole directory; nothing there is fine.
///
/// # Errors
/// The system refuses; what was removed until then is gone.
pub fn remove_tree(disk: &Disk, path: &AbsPath) -> Result<(), TreeError> {
    let Some(stamp) = disk.link_stamp(path)? else {
        return Ok(());
    };
    if stamp.kind != Kind::Dir {
        return Ok(disk.remove_file(path)?);
    }
    let fail = |source| DiskError::io(OperationKind::List, path, source);
    let top = match DirHandle::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            disk.set_mode(path, 0o700)?;
            DirHandle::open(path)
        }
        other => other,
    }
    .map_err(fail)?;
    top.make_removable().map_err(fail)?;
    let mut removal = Removal {
        disk,
        top: &top,
        lifted: 0,
    };
    loop {
        let before = removal.lifted;
        removal.empty(&top, path, 0)?;
        if removal.lifted == before {
            break;
        }
    }
    Ok(disk.remove_dir(path)?)
}

struct Removal<'a> {
    disk: &'a Disk,
    top: &'a DirHandle,
    lifted: u64,
}

impl Removal<'_> {
    fn empty(&mut self, dir: &DirHandle, path: &AbsPath, depth: u32) -> Result<(), DiskError> {
        self.disk.see(OperationKind::List, path, None, 0)?;
        let names = dir
            .names()
            .map_err(|source| DiskError::io(OperationKind::List, path, source))?;
        for (name, is_dir) in names {
            let place = path.join(&name);
            if is_dir {
                self.directory(dir, &name, &place, depth)?;
            } else {
                self.disk.see(OperationKind::RemoveFile, &place, None, 0)?;
                dir.remove_file(&name)
                    .map_err(|source| DiskError::io(OperationKind::RemoveFile, &place, source))?;
            }
        }
        Ok(())
    }

    fn directory(
        &mut self,
        dir: &DirHandle,
        name: &OsStr,
        place: &AbsPath,
        depth: u32,
    ) -> Result<(), DiskError> {
        self.disk.see(OperationKind::RemoveDir, place, None, 0)?;
        let fail = |source| DiskError::io(OperationKind::RemoveDir, place, source);
        let inner = dir.open_dir_by_force(name).map_err(fail)?;
        if depth == MAX_OPEN {
            drop(inner);
            return self.lift(dir, name).map_err(fail);
        }
        self.empty(&inner, place, depth + 1)?;
        drop(inner);
        dir.remove_dir(name).map_err(fail)
    }

    /// Moves a directory to the top of the tree, under a name that is free there.
    fn lift(&mut self, dir: &DirHandle, name: &OsStr) -> io::Result<()> {
        for _ in 0..1000 {
            self.lifted += 1;
            let free = OsString::from(format!(".lifted-{}", self.lifted));
            if dir.lift(name, self.top, &free)? {
                return Ok(());
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

#[cfg(test)]
#[path = "remove_tests.rs"]
mod tests;
