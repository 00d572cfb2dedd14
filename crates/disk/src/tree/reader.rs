//! Reading the files of a plan: opened below the root without following links, hashed on the way.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::handle::DirHandle;
use super::pace::Pace;
use super::scan::{PlanDir, PlanFile};
use super::{TreeError, TreePlan};
use crate::{Disk, DiskError, Kind, OperationKind, Stamp};

/// Opens planned files. The directories on the way to the last one stay open, because a plan goes from each
/// directory to those in it.
pub(super) struct Reader<'a> {
    disk: &'a Disk,
    plan: &'a TreePlan,
    root: DirHandle,
    /// The first directories on the way, each in the one before it.
    way: Vec<(OsString, DirHandle)>,
    /// The last one, where the way is longer.
    deep: Option<(PathBuf, DirHandle)>,
}

/// So many stay open, because a process has only so many handles. Where a handle is no more than a path each
/// directory is looked at again, from the root on.
const KEPT: usize = if cfg!(unix) { 8 } else { 0 };

/// A planned file that was opened and is what the plan says.
pub(super) struct Opened {
    pub(super) path: plugd_model::AbsPath,
    pub(super) file: File,
    pub(super) stamp: Stamp,
}

impl<'a> Reader<'a> {
    pub(super) fn new(disk: &'a Disk, plan: &'a TreePlan) -> Result<Self, TreeError> {
        let root = DirHandle::open_literally(&plan.root)?;
        Ok(Self {
            disk,
            plan,
            root,
            way: Vec::new(),
            deep: None,
        })
    }

    /// Opens one file of the plan.
    pub(super) fn open(&mut self, dir: &PlanDir, file: &PlanFile) -> Result<Opened, TreeError> {
        let (parent, name) = match &file.linked {
            Some(target) => (
                target.parent().unwrap_or(Path::new("")),
                target.file_name().unwrap_or_default(),
            ),
            None => (dir.source.as_path(), OsStr::new(&file.name)),
        };
        let path = self.plan.root.join(parent).join(name);
        self.disk.see(OperationKind::Read, &path, None, file.size)?;
        let changed = || TreeError::Changed { path: path.clone() };
        let opened = self.directory(parent).and_then(|dir| dir.open_file(name));
        let (file_handle, stamp) = match opened {
            Ok(opened) => opened,
            Err(error) if denied(&error) => {
                return Err(DiskError::io(OperationKind::Read, &path, error).into());
            }
            // It was a readable entry a moment ago: gone, or replaced by a link or socket.
            Err(error) => {
                tracing::debug!(%path, %error, "a planned file cannot be opened");
                return Err(changed());
            }
        };
        if stamp.kind != Kind::File || stamp.size != file.size || !file.has_times_of(&stamp) {
            return Err(changed());
        }
        Ok(Opened {
            path,
            file: file_handle,
            stamp,
        })
    }

    fn directory(&mut self, relative: &Path) -> io::Result<&DirHandle> {
        let (mut depth, mut rest) = (0, relative.components());
        for component in rest.by_ref().take(KEPT) {
            let Component::Normal(name) = component else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            if self.way.get(depth).is_none_or(|(open, _)| open != name) {
                self.way.truncate(depth);
                let opened = self.last().open_dir(name)?;
                self.way.push((name.to_owned(), opened));
            }
            depth += 1;
        }
        self.way.truncate(depth);
        let rest = rest.as_path();
        if rest == Path::new("") {
            return Ok(self.last());
        }
        let deep = match self.deep.take() {
            Some(deep) if deep.0 == relative => deep,
            _ => (relative.to_path_buf(), self.last().open_below(rest)?),
        };
        Ok(&self.deep.insert(deep).1)
    }

    fn last(&self) -> &DirHandle {
        self.way.last().map_or(&self.root, |(_, handle)| handle)
    }
}

/// Errors that say something about us or the machine, not about a change of the tree.
pub(super) fn denied(error: &io::Error) -> bool {
    !matches!(
        error.raw_os_error().map(io::Error::from_raw_os_error),
        Some(error) if crate::error::is_absent(&error) || crate::error::is_link_loop(&error)
    )
}

/// The watcher of the work is asked after so many bytes of one file.
const STEP: u64 = 1 << 20;

/// How reading a file of a known size ended.
pub(super) enum Hashed {
    /// With the hash of all of it.
    Whole([u8; 32]),
    /// It is longer or shorter than it was.
    OtherSize,
    /// The work is not wanted any more.
    GivenUp,
}

/// Reads exactly `size` bytes, hands each piece to `sink` and returns the hash of all. Of content that does not
/// fill a piece nothing is read any more: a file has no more than that.
pub(super) fn hash(
    content: &mut impl Read,
    size: u64,
    pace: &dyn Pace,
    mut sink: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Hashed> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![
        0_u8;
        usize::try_from(size.saturating_add(1))
            .unwrap_or(1)
            .min(1 << 16)
    ];
    let mut left = size;
    let mut untold = 0;
    loop {
        let count = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = u64::try_from(count).unwrap_or(u64::MAX);
        let Some(rest) = left.checked_sub(bytes) else {
            return Ok(Hashed::OtherSize);
        };
        left = rest;
        hasher.update(&buffer[..count]);
        sink(&buffer[..count])?;
        untold += bytes;
        // The system had room for more and gave all there was; its end need not be asked for.
        let is_end = left == 0 && count < buffer.len();
        if untold >= STEP {
            if !pace.step(untold) {
                return Ok(Hashed::GivenUp);
            }
            untold = 0;
        }
        if is_end {
            break;
        }
    }
    if left > 0 {
        return Ok(Hashed::OtherSize);
    }
    // Each file is told of, also an empty one.
    if !pace.step(untold) {
        return Ok(Hashed::GivenUp);
    }
    Ok(Hashed::Whole(hasher.finalize().into()))
}
