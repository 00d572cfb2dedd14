//! The directory handle where the system has none that could be used to open by name: a path, with
//! a look at each component before it is used.
//!
//! That leaves a window between look and use. It is accepted here because on these systems making
//! a link takes a right of its own.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};

use plugd_model::AbsPath;

use crate::{DiskError, Kind, OperationKind, Stamp};

/// A directory that was not a link when it was opened.
#[derive(Debug)]
pub(super) struct DirHandle(PathBuf);

impl DirHandle {
    /// Opens a directory that is not a link itself.
    pub(super) fn open(path: &AbsPath) -> io::Result<Self> {
        Self::checked(path.as_path().to_path_buf())
    }

    /// Opens a directory by a path that is resolved: no component of it may be a link by now.
    pub(super) fn open_literally(path: &AbsPath) -> Result<Self, DiskError> {
        crate::literal::directory(path)?;
        Self::open(path).map_err(|source| DiskError::io(OperationKind::List, path, source))
    }

    fn checked(path: PathBuf) -> io::Result<Self> {
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(Self(path))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Opens a directory below, one component at a time. An empty path opens the same directory.
    pub(super) fn open_below(&self, relative: &Path) -> io::Result<Self> {
        let mut current = Self(self.0.clone());
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
        Self::checked(self.0.join(name))
    }

    /// Opens a file in this directory and tells what was opened.
    pub(super) fn open_file(&self, name: &OsStr) -> io::Result<(File, Stamp)> {
        let path = self.0.join(name);
        let found = Kind::of(fs::symlink_metadata(&path)?.file_type());
        if found != Kind::File {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = OpenOptions::new().read(true).open(&path)?;
        let stamp = Stamp::of(&file.metadata()?);
        Ok((file, stamp))
    }

    /// The names in this directory, each with whether it is a directory. In no order.
    pub(super) fn names(&self) -> io::Result<Vec<(OsString, bool)>> {
        fs::read_dir(&self.0)?
            .map(|entry| {
                let entry = entry?;
                Ok((entry.file_name(), entry.file_type()?.is_dir()))
            })
            .collect()
    }

    /// Does nothing: directories have no mode here.
    pub(super) fn make_removable(&self) -> io::Result<()> {
        Ok(())
    }

    /// Opens a directory in this one.
    pub(super) fn open_dir_by_force(&self, name: &OsStr) -> io::Result<Self> {
        self.open_dir(name)
    }

    /// Removes a file or link in this directory, also one that is marked as read-only.
    pub(super) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let metadata = fs::symlink_metadata(&path)?;
                if metadata.is_symlink() {
                    // A link to a directory counts as a directory here.
                    return fs::remove_dir(&path);
                }
                let mut permissions = metadata.permissions();
                permissions.set_readonly(false);
                fs::set_permissions(&path, permissions)?;
                fs::remove_file(&path)
            }
            other => absent_is_fine(other),
        }
    }

    /// Removes an empty directory in this one.
    pub(super) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        absent_is_fine(fs::remove_dir(self.0.join(name)))
    }

    /// Moves a directory of this one into another; `false` when that name is taken there.
    pub(super) fn lift(&self, name: &OsStr, to: &Self, new_name: &OsStr) -> io::Result<bool> {
        let target = to.0.join(new_name);
        match fs::symlink_metadata(&target) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::rename(self.0.join(name), target)?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
