//! Replacing a file as a whole: written beside it, made durable, then moved over it.
//!
//! A reader sees the old content or the new one. The mode of the old file is kept. A path that is a
//! link is followed first, so that the link stays and its target changes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};

use plugd_model::AbsPath;

use crate::{Disk, DiskError, Kind, OperationKind, Stamp};

/// New content of a file that lies beside it. Dropping it leaves the file as it is.
#[derive(Debug)]
pub struct Replacement {
    disk: Disk,
    temporary: AbsPath,
    target: AbsPath,
    parent: AbsPath,
    is_put: bool,
}

impl Replacement {
    /// The file with the new content, which has to be durable before [`Replacement::put`].
    #[must_use]
    pub fn content(&self) -> &AbsPath {
        &self.temporary
    }

    /// Moves the new content over the old one, and answers the directory that has to be synced then.
    ///
    /// # Errors
    /// The system refuses; the old file is untouched then.
    pub fn put(mut self) -> Result<AbsPath, DiskError> {
        self.disk.rename(&self.temporary, &self.target)?;
        self.is_put = true;
        Ok(self.parent.clone())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_put {
            // It has a name of ours; the first error is the one to report.
            let _ = self.disk.remove_file(&self.temporary);
        }
    }
}

impl Disk {
    /// Writes a new file that must not exist yet, and makes its content durable. The directory is
    /// not synced.
    ///
    /// # Errors
    /// Something stands there already, or the system refuses; then no file is left.
    pub fn write_new(&self, path: &AbsPath, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.see(OperationKind::Write, path, None, size)?;
        let mut file = create_new(path, mode)
            .map_err(|source| DiskError::io(OperationKind::Write, path, source))?;
        let written = file
            .write_all(bytes)
            .map_err(|source| DiskError::io(OperationKind::Write, path, source))
            .and_then(|()| self.see(OperationKind::SyncFile, path, None, 0))
            .and_then(|()| {
                file.sync_all()
                    .map_err(|source| DiskError::io(OperationKind::SyncFile, path, source))
            });
        drop(file);
        written.inspect_err(|_| {
            // The half-written file has a name of ours; the first error is the one to report.
            let _ = self.remove_file(path);
        })
    }

    /// Writes a new file that must not exist yet, without making it durable: for trees that are
    /// synced as a whole, or copied again before anybody relies on them.
    ///
    /// # Errors
    /// Something stands there already, or the system refuses; what was written until then stays.
    pub fn write_unsynced(&self, path: &AbsPath, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.see(OperationKind::Write, path, None, size)?;
        create_new(path, mode)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|source| DiskError::io(OperationKind::Write, path, source))
    }

    /// Creates a symbolic link whose text is `target`. Nothing may stand at the path; nobody checks
    /// where the link leads.
    ///
    /// # Errors
    /// Something stands there already, or the system has no such links.
    pub fn create_link(&self, path: &AbsPath, target: &str) -> Result<(), DiskError> {
        self.see(OperationKind::Write, path, None, 0)?;
        create_link(path, target)
            .map_err(|source| DiskError::io(OperationKind::Write, path, source))
    }

    /// Replaces a file atomically and durably, or creates it with `mode_if_new`.
    ///
    /// # Errors
    /// The system refuses; the old file is untouched then.
    pub fn replace(&self, path: &AbsPath, bytes: &[u8], mode_if_new: u32) -> Result<(), DiskError> {
        let (new, mode) = self.begin_replacement(path, mode_if_new)?;
        self.write_new(&new.temporary, bytes, mode)?;
        let parent = new.put()?;
        self.sync_dir(&parent)
    }

    /// The first half of [`Disk::replace`]: writes the new content beside the file. Nothing of it is
    /// durable yet.
    ///
    /// # Errors
    /// The system refuses; the old file is untouched then.
    pub fn stage_replacement(
        &self,
        path: &AbsPath,
        bytes: &[u8],
        mode_if_new: u32,
    ) -> Result<Replacement, DiskError> {
        let (new, mode) = self.begin_replacement(path, mode_if_new)?;
        self.write_unsynced(&new.temporary, bytes, mode)?;
        Ok(new)
    }

    /// Where the new content goes, and with which mode.
    fn begin_replacement(
        &self,
        path: &AbsPath,
        mode_if_new: u32,
    ) -> Result<(Replacement, u32), DiskError> {
        let target = self.follow_links(path)?;
        let parent = target.parent().unwrap_or_else(|| target.clone());
        let mode = match self.stamp(&target)? {
            Some(stamp) if stamp.kind == Kind::File => stamp.mode,
            Some(stamp) => {
                return Err(DiskError::NotAFile {
                    path: target,
                    found: stamp.kind,
                });
            }
            None => mode_if_new,
        };
        self.create_dirs(&parent)?;
        let replacement = Replacement {
            disk: self.clone(),
            temporary: parent.join(temporary_name()),
            target,
            parent,
            is_put: false,
        };
        Ok((replacement, mode))
    }

    /// Follows a link to the file it leads to, also when that file does not exist yet.
    ///
    /// # Errors
    /// The links form a loop, or the system refuses.
    pub fn follow_links(&self, path: &AbsPath) -> Result<AbsPath, DiskError> {
        let fail = |source| DiskError::io(OperationKind::Resolve, path, source);
        let mut current = path.clone();
        // The same bound as the kernel's, so that a loop ends in an error.
        for _ in 0..40 {
            match self.link_stamp(&current)? {
                Some(Stamp {
                    kind: Kind::Link, ..
                }) => {
                    let target = fs::read_link(&current).map_err(fail)?;
                    current = match current.parent() {
                        Some(parent) => parent.join(target),
                        None => return Err(fail(io::Error::other("the root is a link"))),
                    };
                }
                _ => return Ok(current),
            }
        }
        Err(fail(io::Error::other("the links form a loop")))
    }

    /// Exchanges two existing paths in one step where the system can.
    ///
    /// Returns `false`, with nothing changed, where it cannot; the caller then falls back to
    /// renames under its journal.
    ///
    /// # Errors
    /// One of them is missing, or the system refuses for another reason.
    pub fn exchange(&self, left: &AbsPath, right: &AbsPath) -> Result<bool, DiskError> {
        let exchanged = self
            .see(OperationKind::Exchange, left, Some(right), 0)
            .and_then(|()| {
                exchange(left, right)
                    .map_err(|source| DiskError::io(OperationKind::Exchange, left, source))
            });
        match exchanged {
            Ok(()) => Ok(true),
            Err(error) if error.is_unsupported() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(unix)]
pub(crate) fn create_new(path: &AbsPath, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    // `open` subtracts the umask; a kept mode must come back exactly.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

#[cfg(not(unix))]
pub(crate) fn create_new(path: &AbsPath, _mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn create_link(path: &AbsPath, target: &str) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Elsewhere links need a right that few users have.
#[cfg(not(unix))]
fn create_link(_path: &AbsPath, _target: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(left: &AbsPath, right: &AbsPath) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    // Old kernels and some file systems (network, FUSE) do not know the flag. The last two are one
    // number on Linux, and two on macOS, which answers the first.
    let unknown = [Errno::NOSYS, Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP];
    renameat_with(
        CWD,
        left.as_path(),
        CWD,
        right.as_path(),
        RenameFlags::EXCHANGE,
    )
    .map_err(|error| match unknown.contains(&error) {
        true => io::ErrorKind::Unsupported.into(),
        false => error.into(),
    })
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_left: &AbsPath, _right: &AbsPath) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

const TEMPORARY: &str = ".plugd-";

/// Whether a name is one that [`Disk::replace`] gives to a file it is writing. A crash leaves such a
/// file behind; whoever holds the lock over its directory may remove it.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

/// A name beside the target that no other writer picks; one that starts with a dot is skipped by
/// everything that reads these directories.
fn temporary_name() -> String {
    let mut bytes = [0_u8; 8];
    // Without randomness the name still is unique per process; `create_new` refuses a collision.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = u64::from(std::process::id()).to_be_bytes();
    }
    format!("{TEMPORARY}{:016x}", u64::from_be_bytes(bytes))
}
