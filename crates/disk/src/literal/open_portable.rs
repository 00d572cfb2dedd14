//! Opening without following links where the system has no handles to open from: a look at each
//! component first.
//!
//! That leaves a window between look and use. It is accepted here because on these systems making
//! a link takes a right of its own.

use std::fs::{self, File};
use std::path::Path;

use plugd_model::AbsPath;

use super::{not_a_file, not_opened};
use crate::ops::open_for_reading;
use crate::{Disk, DiskError, Entry, Kind, OperationKind, Stamp};

/// Opens a regular file.
pub(super) fn file(path: &AbsPath) -> Result<(File, Stamp), DiskError> {
    check(
        OperationKind::Read,
        path,
        path.as_path().components().count(),
    )?;
    open(path)
}

/// No call tells that no link is on the way.
pub(super) fn file_at_once(_path: &AbsPath) -> Option<(File, Stamp)> {
    None
}

/// Opens a regular file below a directory, to which links may lead.
pub(super) fn file_below(root: &AbsPath, relative: &Path) -> Result<(File, Stamp), DiskError> {
    let path = root.join(relative);
    check(OperationKind::Read, &path, relative.components().count())?;
    open(&path)
}

fn open(path: &AbsPath) -> Result<(File, Stamp), DiskError> {
    match fs::symlink_metadata(path).map(|metadata| Kind::of(metadata.file_type())) {
        Ok(found @ (Kind::Dir | Kind::Special)) => Err(not_a_file(path, found)),
        _ => open_for_reading(path),
    }
}

/// Makes sure that the way to a directory holds no link.
pub(crate) fn directory(path: &AbsPath) -> Result<(), DiskError> {
    let components = path.as_path().components().count();
    check(OperationKind::List, path, components)
}

/// The entries of a directory, in no order.
pub(super) fn entries(
    path: &AbsPath,
) -> Result<impl Iterator<Item = Result<Entry, DiskError>>, DiskError> {
    directory(path)?;
    Ok(Disk::new().list(path)?.into_iter().map(Ok))
}

/// Refuses a path of whose last components one is a link.
fn check(operation: OperationKind, path: &AbsPath, components: usize) -> Result<(), DiskError> {
    for part in path.ancestors().take(components) {
        match fs::symlink_metadata(&part) {
            Ok(metadata) if metadata.is_symlink() => {
                let error = std::io::ErrorKind::InvalidInput.into();
                return Err(not_opened(operation, path, error, true));
            }
            Ok(_) => {}
            Err(error) => return Err(not_opened(operation, path, error, false)),
        }
    }
    Ok(())
}
