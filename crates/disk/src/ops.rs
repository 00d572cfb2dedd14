//! The plain operations of [`Disk`]. Replacing files lives in `atomic`, locks in `lock`, and whole
//! directories in `tree`.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use plugd_model::AbsPath;

use crate::error::is_absent;
#[cfg(target_os = "linux")]
use crate::literal::is_there_literally;
use crate::lock::Released;
use crate::{DiskError, Kind, Operation, OperationKind, Probe, Stamp, Vigil};

/// The file system, as a value. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Disk {
    probe: Option<Arc<dyn Probe>>,
    pub(crate) released: Arc<Released>,
    vigil: Vigil,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, which need not be text.
    pub name: OsString,
    /// What it is; links are not followed.
    pub kind: Kind,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("probed", &self.probe.is_some())
            .finish()
    }
}

impl Disk {
    /// The plain file system.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The file system behind a probe.
    #[must_use]
    pub fn probed(probe: Arc<dyn Probe>) -> Self {
        Self {
            probe: Some(probe),
            ..Self::default()
        }
    }

    /// The same file system behind another probe.
    pub(crate) fn with_probe(&self, probe: Arc<dyn Probe>) -> Self {
        Self {
            probe: Some(probe),
            ..self.clone()
        }
    }

    /// What watches directories and files for all who trust it and have this file system: the system's watches
    /// are few enough to be counted in one place.
    #[must_use]
    pub fn vigil(&self) -> &Vigil {
        &self.vigil
    }

    /// Lets the probe see an operation, for a probe in front of it.
    pub(crate) fn ask_probe(&self, operation: &Operation<'_>) -> io::Result<()> {
        self.probe
            .as_ref()
            .map_or(Ok(()), |probe| probe.before(operation))
    }

    /// Lets the probe see an operation; its refusal becomes the operation's error.
    pub(crate) fn see(
        &self,
        kind: OperationKind,
        path: &AbsPath,
        other: Option<&AbsPath>,
        bytes: u64,
    ) -> Result<(), DiskError> {
        if self.probe.is_none() {
            return Ok(());
        }
        let operation = Operation {
            kind,
            path,
            other,
            bytes,
        };
        self.ask_probe(&operation)
            .map_err(|source| DiskError::io(kind, path, source))
    }

    /// Reads a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// It is missing, unreadable, larger, or no regular file.
    pub fn read(&self, path: &AbsPath, limit: u64) -> Result<Vec<u8>, DiskError> {
        self.read_stamped(path, limit).map(|(bytes, _)| bytes)
    }

    /// Reads a regular file together with the stamp of the very file that was read.
    ///
    /// # Errors
    /// As [`Disk::read`].
    pub fn read_stamped(&self, path: &AbsPath, limit: u64) -> Result<(Vec<u8>, Stamp), DiskError> {
        self.see(OperationKind::Read, path, None, 0)?;
        read_whole(open_for_reading(path)?, path, limit)
    }

    /// Reads at most `limit` bytes from a place in a regular file on, such as what was added to one
    /// that another process still writes. At its end and behind it there are none.
    ///
    /// # Errors
    /// It is missing, unreadable, or no regular file.
    pub fn read_from(&self, path: &AbsPath, offset: u64, limit: u64) -> Result<Vec<u8>, DiskError> {
        self.see(OperationKind::Read, path, None, 0)?;
        let (file, _) = open_for_reading(path)?;
        read_piece(file, path, offset, limit)
    }

    /// The stamp of what a path leads to; `None` when there is nothing.
    ///
    /// # Errors
    /// The system refuses to tell (for example no right to search a directory).
    pub fn stamp(&self, path: &AbsPath) -> Result<Option<Stamp>, DiskError> {
        self.see(OperationKind::Stat, path, None, 0)?;
        absent_is_none(fs::metadata(path), path)
    }

    /// The stamp of the directory that a path leads to, taken from inside: only who may go through it
    /// has one. `None` when there is no directory.
    ///
    /// # Errors
    /// As [`Disk::stamp`].
    pub fn stamp_from_inside(&self, dir: &AbsPath) -> Result<Option<Stamp>, DiskError> {
        self.see(OperationKind::Stat, dir, None, 0)?;
        absent_is_none(fs::metadata(dir.as_path().join(".")), dir)
    }

    /// The stamp of the path itself: a link is not followed.
    ///
    /// # Errors
    /// As [`Disk::stamp`].
    pub fn link_stamp(&self, path: &AbsPath) -> Result<Option<Stamp>, DiskError> {
        self.see(OperationKind::Stat, path, None, 0)?;
        absent_is_none(fs::symlink_metadata(path), path)
    }

    /// Lists a directory, sorted by name.
    ///
    /// # Errors
    /// It is missing, no directory, or unreadable.
    pub fn list(&self, path: &AbsPath) -> Result<Vec<Entry>, DiskError> {
        // No directory has so many entries that the other answer exists.
        Ok(self.list_up_to(path, u64::MAX)?.unwrap_or_default())
    }

    /// Lists a directory of at most `limit` entries, sorted by name; `None` when it has more, and
    /// then no more than that were looked at.
    ///
    /// # Errors
    /// As [`Disk::list`].
    pub fn list_up_to(&self, path: &AbsPath, limit: u64) -> Result<Option<Vec<Entry>>, DiskError> {
        self.see(OperationKind::List, path, None, 0)?;
        let fail = |source| DiskError::io(OperationKind::List, path, source);
        let listed = fs::read_dir(path).map_err(fail)?.map(|entry| {
            let entry = entry.map_err(fail)?;
            Ok(Entry {
                name: entry.file_name(),
                kind: Kind::of(entry.file_type().map_err(fail)?),
            })
        });
        sorted_up_to(listed, limit)
    }

    /// Resolves every link of a path.
    ///
    /// # Errors
    /// The path does not exist, or its links form a loop.
    pub fn resolve(&self, path: &AbsPath) -> Result<AbsPath, DiskError> {
        self.see(OperationKind::Resolve, path, None, 0)?;
        // Else the system's library asks for a link at each component.
        #[cfg(target_os = "linux")]
        if is_there_literally(path) {
            return Ok(path.clone());
        }
        let fail = |source| DiskError::io(OperationKind::Resolve, path, source);
        let resolved = fs::canonicalize(path).map_err(fail)?;
        AbsPath::new(resolved).map_err(|error| fail(io::Error::other(error)))
    }

    /// A path with its links resolved, or as it is where that cannot be done.
    #[must_use]
    pub fn place_of(&self, path: &AbsPath) -> AbsPath {
        self.resolve(path).unwrap_or_else(|_| path.clone())
    }

    /// Creates a directory and what is missing above it.
    ///
    /// # Errors
    /// Something else stands in the way, or the system refuses.
    pub fn create_dirs(&self, path: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::CreateDir, path, None, 0)?;
        fs::create_dir_all(path)
            .map_err(|source| DiskError::io(OperationKind::CreateDir, path, source))
    }

    /// Creates one directory that must not exist yet.
    ///
    /// # Errors
    /// Something stands there, its parent is missing, or the system refuses.
    pub fn create_dir(&self, path: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::CreateDir, path, None, 0)?;
        fs::create_dir(path).map_err(|source| DiskError::io(OperationKind::CreateDir, path, source))
    }

    /// Creates a directory and what is missing above it, and makes the new entries durable, so that
    /// a file which is made durable below cannot be lost together with its directory.
    ///
    /// # Errors
    /// As [`Disk::create_dirs`].
    pub fn create_dirs_durably(&self, path: &AbsPath) -> Result<(), DiskError> {
        let mut parents = Vec::new();
        for ancestor in path.ancestors() {
            if self.stamp(&ancestor)?.is_some() {
                break;
            }
            parents.extend(ancestor.parent());
        }
        if parents.is_empty() {
            return Ok(());
        }
        self.create_dirs(path)?;
        parents.iter().try_for_each(|parent| self.sync_dir(parent))
    }

    /// Removes a file or link; nothing there is fine.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove_file(&self, path: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::RemoveFile, path, None, 0)?;
        match fs::remove_file(path) {
            Err(source) if !is_absent(&source) => {
                Err(DiskError::io(OperationKind::RemoveFile, path, source))
            }
            _ => Ok(()),
        }
    }

    /// Removes an empty directory; nothing there is fine.
    ///
    /// # Errors
    /// Something is in it, or the system refuses.
    pub fn remove_dir(&self, path: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::RemoveDir, path, None, 0)?;
        match fs::remove_dir(path) {
            Err(source) if !is_absent(&source) => {
                Err(DiskError::io(OperationKind::RemoveDir, path, source))
            }
            _ => Ok(()),
        }
    }

    /// Renames; the directories on both sides are not synced, the caller knows when that is needed.
    ///
    /// # Errors
    /// The system refuses.
    pub fn rename(&self, from: &AbsPath, to: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::Rename, from, Some(to), 0)?;
        fs::rename(from, to).map_err(|source| DiskError::io(OperationKind::Rename, from, source))
    }

    /// Sets permission bits; does nothing where the system has none.
    ///
    /// # Errors
    /// The system refuses.
    pub fn set_mode(&self, path: &AbsPath, mode: u32) -> Result<(), DiskError> {
        self.see(OperationKind::SetMode, path, None, 0)?;
        set_mode(path, mode).map_err(|source| DiskError::io(OperationKind::SetMode, path, source))
    }

    /// Makes the entries of a directory durable.
    ///
    /// # Errors
    /// The system refuses.
    pub fn sync_dir(&self, path: &AbsPath) -> Result<(), DiskError> {
        self.see(OperationKind::SyncDir, path, None, 0)?;
        sync_dir(path).map_err(|source| DiskError::io(OperationKind::SyncDir, path, source))
    }
}

/// Reads a file that was opened, unless it is larger than the caller is ready to read.
pub(crate) fn read_whole(
    (mut file, stamp): (File, Stamp),
    path: &AbsPath,
    limit: u64,
) -> Result<(Vec<u8>, Stamp), DiskError> {
    let too_large = || DiskError::TooLarge {
        path: path.clone(),
        limit,
    };
    if stamp.size > limit {
        return Err(too_large());
    }
    let expected = usize::try_from(stamp.size).unwrap_or(0);
    let fail = |source| DiskError::io(OperationKind::Read, path, source);
    // An answer of exactly what the file had when it was opened is its end; asking again would only hear
    // that.
    let mut bytes = read_once(&mut file, expected + 1).map_err(fail)?;
    if bytes.len() != expected {
        // The file may grow while it is read; the limit holds all the same.
        let more = limit.saturating_add(1).saturating_sub(length(&bytes));
        file.take(more).read_to_end(&mut bytes).map_err(fail)?;
    }
    if length(&bytes) > limit {
        return Err(too_large());
    }
    Ok((bytes, stamp))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What the system gives for one question after at most so many bytes.
fn read_once(file: &mut File, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let read = loop {
        match file.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads a piece of a file that was opened.
pub(crate) fn read_piece(
    mut file: File,
    path: &AbsPath,
    offset: u64,
    limit: u64,
) -> Result<Vec<u8>, DiskError> {
    let fail = |source| DiskError::io(OperationKind::Read, path, source);
    file.seek(SeekFrom::Start(offset)).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// At most so many entries, sorted by name; `None` when there are more, and then no more than that
/// were looked at.
pub(crate) fn sorted_up_to(
    listed: impl Iterator<Item = Result<Entry, DiskError>>,
    limit: u64,
) -> Result<Option<Vec<Entry>>, DiskError> {
    let mut entries = Vec::new();
    let mut left = limit;
    for entry in listed {
        let entry = entry?;
        let Some(rest) = left.checked_sub(1) else {
            return Ok(None);
        };
        left = rest;
        entries.push(entry);
    }
    entries.sort();
    Ok(Some(entries))
}

fn absent_is_none(
    metadata: io::Result<fs::Metadata>,
    path: &AbsPath,
) -> Result<Option<Stamp>, DiskError> {
    match metadata {
        Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(source) => Err(DiskError::io(OperationKind::Stat, path, source)),
    }
}

/// Opens without waiting, so that a FIFO without a writer cannot hang the daemon, and then makes
/// sure that what was opened is a regular file.
pub(crate) fn open_for_reading(path: &AbsPath) -> Result<(File, Stamp), DiskError> {
    let mut options = OpenOptions::new();
    options.read(true);
    no_waiting(&mut options);
    match options.open(path) {
        Ok(file) => checked_file(file, path),
        // Most files that are looked for are not there, and then nothing else need be asked.
        Err(error) if is_absent(&error) => Err(DiskError::io(OperationKind::Read, path, error)),
        // Sockets and, on some systems, directories refuse to be opened at all.
        Err(error) => Err(match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => DiskError::NotAFile {
                path: path.clone(),
                found: Kind::of(metadata.file_type()),
            },
            _ => DiskError::io(OperationKind::Read, path, error),
        }),
    }
}

/// Makes sure that what was opened is a regular file.
pub(crate) fn checked_file(file: File, path: &AbsPath) -> Result<(File, Stamp), DiskError> {
    let metadata = file.metadata();
    let metadata = metadata.map_err(|source| DiskError::io(OperationKind::Read, path, source))?;
    let stamp = Stamp::of(&metadata);
    if stamp.kind != Kind::File {
        return Err(DiskError::NotAFile {
            path: path.clone(),
            found: stamp.kind,
        });
    }
    Ok((file, stamp))
}

#[cfg(unix)]
fn no_waiting(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    options.custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
}

#[cfg(not(unix))]
fn no_waiting(_options: &mut OpenOptions) {}

#[cfg(unix)]
pub(crate) fn set_mode(path: &AbsPath, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn set_mode(_path: &AbsPath, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn sync_dir(path: &AbsPath) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows cannot sync a directory; its file system journals the entries.
#[cfg(not(unix))]
pub(crate) fn sync_dir(_path: &AbsPath) -> io::Result<()> {
    Ok(())
}
