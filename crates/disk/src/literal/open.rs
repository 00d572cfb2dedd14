//! Opening without following links: one system call where there is one for it, else a walk from
//! handle to handle.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use plugd_model::AbsPath;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{not_a_file, not_opened};
use crate::ops::checked_file;
use crate::{DiskError, Entry, Kind, OperationKind, Stamp};

/// Opening never waits for the other end of a FIFO and never takes over a terminal.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A directory that is only passed through: where the system knows such a thing, it need not be
/// readable.
#[cfg(target_os = "linux")]
const PASSAGE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const PASSAGE: OFlags = DIRECTORY;

/// Opens a regular file.
pub(super) fn file(path: &AbsPath) -> Result<(File, Stamp), DiskError> {
    opened_file(
        literally(CWD, path.as_path(), FILE),
        CWD,
        path.as_path(),
        path,
    )
}

/// Opens a regular file when one call can tell that no link is on the way to it.
pub(super) fn file_at_once(path: &AbsPath) -> Option<(File, Stamp)> {
    checked_file(File::from(at_once(path, FILE)?), path).ok()
}

/// Whether one call can tell that something is there and no link is on the way to it.
#[cfg(target_os = "linux")]
pub(crate) fn is_there_literally(path: &AbsPath) -> bool {
    at_once(path, OFlags::PATH.union(OFlags::CLOEXEC)).is_some()
}

#[cfg(target_os = "linux")]
fn at_once(path: &AbsPath, flags: OFlags) -> Option<OwnedFd> {
    use rustix::fs::{ResolveFlags, openat2};
    let no_links = ResolveFlags::NO_SYMLINKS;
    openat2(CWD, path.as_path(), flags, Mode::empty(), no_links).ok()
}

#[cfg(target_vendor = "apple")]
fn at_once(path: &AbsPath, flags: OFlags) -> Option<OwnedFd> {
    literally(CWD, path.as_path(), flags).ok()
}

/// No call tells.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn at_once(_path: &AbsPath, _flags: OFlags) -> Option<OwnedFd> {
    None
}

/// Opens a regular file below a directory, to which links may lead.
pub(super) fn file_below(root: &AbsPath, relative: &Path) -> Result<(File, Stamp), DiskError> {
    let path = root.join(relative);
    let base = rustix::fs::openat(CWD, root.as_path(), PASSAGE, Mode::empty())
        .map_err(|error| DiskError::io(OperationKind::Read, &path, error.into()))?;
    let opened = literally(base.as_fd(), relative, FILE);
    opened_file(opened, base.as_fd(), relative, &path)
}

fn opened_file(
    opened: rustix::io::Result<OwnedFd>,
    base: BorrowedFd<'_>,
    relative: &Path,
    path: &AbsPath,
) -> Result<(File, Stamp), DiskError> {
    match opened {
        Ok(handle) => checked_file(File::from(handle), path),
        // Sockets and, on some systems, directories refuse to be opened at all.
        Err(error) => match rustix::fs::statat(base, relative, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if error != Errno::LOOP && is_not_for_reading(kind(&stat)) => {
                Err(not_a_file(path, kind(&stat)))
            }
            _ => Err(refused(OperationKind::Read, path, error)),
        },
    }
}

fn is_not_for_reading(kind: Kind) -> bool {
    matches!(kind, Kind::Dir | Kind::Special)
}

/// Opens a directory.
pub(crate) fn directory(path: &AbsPath) -> Result<OwnedFd, DiskError> {
    literally(CWD, path.as_path(), DIRECTORY)
        .map_err(|error| refused(OperationKind::List, path, error))
}

/// The entries of a directory, in no order.
pub(super) fn entries(
    path: &AbsPath,
) -> Result<impl Iterator<Item = Result<Entry, DiskError>>, DiskError> {
    let fail = |error: Errno| refused(OperationKind::List, path, error);
    let mut listed = Dir::new(directory(path)?).map_err(fail)?;
    Ok(std::iter::from_fn(move || {
        loop {
            let entry = match listed.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(fail(error))),
            };
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => kind_in(&listed, name),
                other => Ok(kind_of(other)),
            };
            return Some(kind.map_err(fail).map(|kind| Entry {
                name: name.to_owned(),
                kind,
            }));
        }
    }))
}

/// What an entry is, where its directory does not tell.
fn kind_in(dir: &Dir, name: &OsStr) -> rustix::io::Result<Kind> {
    let stat = rustix::fs::statat(dir.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(kind(&stat))
}

fn refused(operation: OperationKind, path: &AbsPath, error: Errno) -> DiskError {
    let is_link = error == Errno::LOOP;
    not_opened(operation, path, io::Error::from(error), is_link)
}

/// What the system says something is.
pub(crate) fn kind(stat: &Stat) -> Kind {
    kind_of(FileType::from_raw_mode(stat.st_mode))
}

fn kind_of(file_type: FileType) -> Kind {
    match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    }
}

/// Opens a path from a directory on; a link anywhere in it is [`Errno::LOOP`].
#[cfg(target_os = "linux")]
fn literally(base: BorrowedFd<'_>, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    match rustix::fs::openat2(base, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // An old system, or a sandbox around us that knows no such call.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => walk(base, path, flags),
        opened => opened,
    }
}

/// Opens a path from a directory on; a link anywhere in it is [`Errno::LOOP`].
#[cfg(target_vendor = "apple")]
fn literally(base: BorrowedFd<'_>, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(base, path, flags | OFlags::NOFOLLOW_ANY, Mode::empty())
}

/// Opens a path from a directory on; a link anywhere in it is [`Errno::LOOP`].
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn literally(base: BorrowedFd<'_>, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    walk(base, path, flags)
}

/// Opens a path one component after the other, each without following a link.
#[cfg_attr(
    target_vendor = "apple",
    expect(dead_code, reason = "one call does it")
)]
pub(super) fn walk(
    base: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    let mut current: Option<OwnedFd> = None;
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let from = current.as_ref().map_or(base, AsFd::as_fd);
        let name = match component {
            Component::RootDir => OsStr::new("/"),
            Component::Normal(name) => name,
            _ => return Err(Errno::INVAL),
        };
        let is_last = components.peek().is_none();
        let how = if is_last { flags } else { PASSAGE };
        current = Some(step(from, name, how | OFlags::NOFOLLOW)?);
    }
    current.ok_or(Errno::INVAL)
}

/// Opens one name. Systems disagree on the error of a link that should be a directory.
fn step(from: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(from, name, flags, Mode::empty()).map_err(|error| {
        let is_link = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| kind(&stat) == Kind::Link);
        if is_link { Errno::LOOP } else { error }
    })
}
