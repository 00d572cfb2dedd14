//! A handle on a directory, from which everything below is reached without following a link.
//!
//! A path is only a name: somebody who can write to a tree can replace a directory by a link
//! between two calls. A handle stays on the directory that was opened.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use plugd_model::AbsPath;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::{DiskError, Kind, Stamp};

/// An open directory.
#[derive(Debug)]
pub(super) struct DirHandle(OwnedFd);

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Opening never waits for the other end of a FIFO and never takes over a terminal.
const CONTENT: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

impl DirHandle {
    /// Opens a directory that is not a link itself.
    pub(super) fn open(path: &AbsPath) -> io::Result<Self> {
        Ok(Self(rustix::fs::openat(
            CWD,
            path.as_path(),
            DIRECTORY,
            Mode::empty(),
        )?))
    }

    /// Opens a directory by a path that is resolved: no component of it may be a link by now.
    pub(super) fn open_literally(path: &AbsPath) -> Result<Self, DiskError> {
        crate::literal::directory(path).map(Self)
    }

    /// Opens a directory below, one component at a time. An empty path opens the same directory.
    pub(super) fn open_below(&self, relative: &Path) -> io::Result<Self> {
        let mut current = self.open_dir(OsStr::new("."))?;
        for component in relative.components() {
            let Component::Normal(name) = component else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            current = current.open_dir(name)?;
        }
        Ok(current)
    }

    /// Opens a directory in this one.
    pub(super) fn open_dir(&self, name: &OsStr) -> io::Result<Self> {
        let fd = rustix::fs::openat(&self.0, name, DIRECTORY, Mode::empty())?;
        Ok(Self(fd))
    }

    /// Opens a file in this directory and tells what was opened.
    pub(super) fn open_file(&self, name: &OsStr) -> io::Result<(File, Stamp)> {
        let file = File::from(rustix::fs::openat(&self.0, name, CONTENT, Mode::empty())?);
        let stamp = Stamp::of(&file.metadata()?);
        Ok((file, stamp))
    }

    /// The names in this directory, each with whether it is a directory. In no order.
    pub(super) fn names(&self) -> io::Result<Vec<(OsString, bool)>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let bytes = entry.file_name().to_bytes();
            if bytes == b"." || bytes == b".." {
                continue;
            }
            let name = OsStr::from_bytes(bytes).to_owned();
            let is_dir = match entry.file_type() {
                FileType::Unknown => self.kind(&name)? == Kind::Dir,
                kind => kind == FileType::Directory,
            };
            names.push((name, is_dir));
        }
        Ok(names)
    }

    fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(crate::literal::kind(&stat))
    }

    /// Lets the owner list, search and change this directory, whatever its mode was.
    pub(super) fn make_removable(&self) -> io::Result<()> {
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&self.0)?.st_mode);
        if !mode.contains(Mode::RWXU) {
            rustix::fs::fchmod(&self.0, Mode::RWXU)?;
        }
        Ok(())
    }

    /// Opens a directory in this one that may forbid it by its mode.
    pub(super) fn open_dir_by_force(&self, name: &OsStr) -> io::Result<Self> {
        let opened = match self.open_dir(name) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.permit(name)?;
                self.open_dir(name)
            }
            other => other,
        }?;
        opened.make_removable()?;
        Ok(opened)
    }

    /// Changes the mode of a directory that cannot be opened, without following a link that might
    /// have taken its place.
    #[cfg(target_os = "linux")]
    fn permit(&self, name: &OsStr) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        let link = format!("/proc/self/fd/{}", place.as_raw_fd());
        rustix::fs::chmodat(CWD, link, Mode::RWXU, AtFlags::empty())?;
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn permit(&self, name: &OsStr) -> io::Result<()> {
        rustix::fs::chmodat(&self.0, name, Mode::RWXU, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    }

    /// Removes a file, link or special file in this directory.
    pub(super) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        absent_is_fine(rustix::fs::unlinkat(&self.0, name, AtFlags::empty()))
    }

    /// Removes an empty directory in this one.
    pub(super) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        absent_is_fine(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR))
    }

    /// Moves a directory of this one into another; `false` when that name is taken there.
    pub(super) fn lift(&self, name: &OsStr, to: &Self, new_name: &OsStr) -> io::Result<bool> {
        match rustix::fs::renameat(&self.0, name, &to.0, new_name) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn absent_is_fine(result: rustix::io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error != Errno::NOENT => Err(error.into()),
        _ => Ok(()),
    }
}
