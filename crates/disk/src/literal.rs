//! Reading by a path that is taken literally: no component of it may be a link.
//!
//! A path is resolved and checked first, and opened afterwards. In between a stranger who can write
//! to the tree can put a link in the place of any component, and an ordinary open would follow it
//! to a file that was never checked. What is opened here is what the path says, or nothing.

use std::path::Path;

use plugd_model::AbsPath;

#[cfg(unix)]
#[path = "literal/open.rs"]
mod open;
#[cfg(not(unix))]
#[path = "literal/open_portable.rs"]
mod open;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use crate::ops::{read_piece, read_whole, sorted_up_to};
use crate::{Disk, DiskError, Entry, Kind, OperationKind, Stamp};

/// A view of the disk that follows no link, neither at the end of a path nor on the way.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'a>(&'a Disk);

impl Disk {
    /// Takes paths literally. They must be resolved already, as [`Disk::resolve`] does it.
    #[must_use]
    pub fn literally(&self) -> Literal<'_> {
        Literal(self)
    }
}

impl Literal<'_> {
    /// Reads a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Disk::read`], and [`DiskError::Moved`] when there is a link on the way.
    pub fn read(self, path: &AbsPath, limit: u64) -> Result<Vec<u8>, DiskError> {
        self.read_stamped(path, limit).map(|(bytes, _)| bytes)
    }

    /// Reads a regular file together with the stamp of the very file that was read.
    ///
    /// # Errors
    /// As [`Literal::read`].
    pub fn read_stamped(self, path: &AbsPath, limit: u64) -> Result<(Vec<u8>, Stamp), DiskError> {
        self.0.see(OperationKind::Read, path, None, 0)?;
        read_whole(open::file(path)?, path, limit)
    }

    /// Reads a file below a directory. Links may lead to the directory, none below it is followed.
    ///
    /// # Errors
    /// As [`Literal::read`].
    pub fn read_below(
        self,
        root: &AbsPath,
        relative: &Path,
        limit: u64,
    ) -> Result<(Vec<u8>, Stamp), DiskError> {
        let path = root.join(relative);
        self.0.see(OperationKind::Read, &path, None, 0)?;
        read_whole(open::file_below(root, relative)?, &path, limit)
    }

    /// Reads a regular file to which no link leads, neither below a directory nor above it, by the fewest
    /// calls that there are. Whatever is in the way of that has to be looked for in another way.
    #[must_use]
    pub fn read_at_once(self, path: &AbsPath, limit: u64) -> Option<(Vec<u8>, Stamp)> {
        self.0.see(OperationKind::Read, path, None, 0).ok()?;
        read_whole(open::file_at_once(path)?, path, limit).ok()
    }

    /// Reads at most `limit` bytes from a place in a regular file on.
    ///
    /// # Errors
    /// As [`Literal::read`].
    pub fn read_from(self, path: &AbsPath, offset: u64, limit: u64) -> Result<Vec<u8>, DiskError> {
        self.0.see(OperationKind::Read, path, None, 0)?;
        let (file, _) = open::file(path)?;
        read_piece(file, path, offset, limit)
    }

    /// Lists a directory of at most `limit` entries, sorted by name; `None` when it has more.
    ///
    /// # Errors
    /// As [`Disk::list`], and [`DiskError::Moved`] when there is a link on the way.
    pub fn list_up_to(self, path: &AbsPath, limit: u64) -> Result<Option<Vec<Entry>>, DiskError> {
        self.0.see(OperationKind::List, path, None, 0)?;
        sorted_up_to(open::entries(path)?, limit)
    }
}

pub(crate) use open::directory;
#[cfg(target_os = "linux")]
pub(crate) use open::is_there_literally;
#[cfg(unix)]
pub(crate) use open::kind;

/// The error of something that is a link now; everything else is the system's word.
fn not_opened(
    operation: OperationKind,
    path: &AbsPath,
    error: std::io::Error,
    is_link: bool,
) -> DiskError {
    if is_link {
        DiskError::Moved { path: path.clone() }
    } else {
        DiskError::io(operation, path, error)
    }
}

/// The error of something that is no regular file and could not be opened for that.
fn not_a_file(path: &AbsPath, found: Kind) -> DiskError {
    DiskError::NotAFile {
        path: path.clone(),
        found,
    }
}
