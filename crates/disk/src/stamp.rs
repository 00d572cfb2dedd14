//! What a file is, and a stamp that changes when its content may have changed.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file that changed this recently may change again without its stamp telling: a clock of whole
/// seconds, or of two, is what the oldest file systems have.
const SETTLED: Duration = Duration::from_secs(2);

/// The same where stamps are finer than a millisecond. They come from a clock that ticks every few.
const SETTLED_FINE: Duration = Duration::from_millis(100);

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link (only where links are not followed).
    Link,
    /// A FIFO, socket or device.
    Special,
}

impl Kind {
    /// The kind for messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dir => "directory",
            Self::Link => "symbolic link",
            Self::Special => "FIFO, socket or device",
        }
    }

    pub(crate) fn of(kind: std::fs::FileType) -> Self {
        if kind.is_symlink() {
            Self::Link
        } else if kind.is_dir() {
            Self::Dir
        } else if kind.is_file() {
            Self::File
        } else {
            Self::Special
        }
    }
}

/// Device, inode, size and times of a file: the key that says a parsed copy is still current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// What it is.
    pub kind: Kind,
    /// Device number; 0 where the system has none.
    pub device: u64,
    /// Inode number; 0 where the system has none.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since the epoch.
    pub modified_ns: i128,
    /// Change time in nanoseconds; equal to the modification time where the system has none.
    pub changed_ns: i128,
    /// Time of birth in nanoseconds; 0 where the system does not tell. Unlike an inode number it is
    /// not given to the next file.
    pub born_ns: i128,
    /// Permission bits; 0 where the system has none.
    pub mode: u32,
}

impl Stamp {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            kind: Kind::of(metadata.file_type()),
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: modified(metadata),
            changed_ns: i128::from(metadata.ctime()) * 1_000_000_000
                + i128::from(metadata.ctime_nsec()),
            born_ns: born(metadata),
            mode: metadata.mode() & 0o7777,
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            kind: Kind::of(metadata.file_type()),
            device: 0,
            inode: 0,
            size: metadata.len(),
            modified_ns: modified(metadata),
            changed_ns: modified(metadata),
            born_ns: born(metadata),
            mode: 0,
        }
    }

    /// Whether the owner may execute it.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// Whether a change is so long ago that another one is sure to have another stamp.
#[must_use]
pub fn is_settled(change_ns: i128, now: Duration) -> bool {
    let settled = match is_fine(change_ns) {
        true => SETTLED_FINE,
        false => SETTLED,
    };
    let nanoseconds = |time: Duration| i128::try_from(time.as_nanos()).unwrap_or(i128::MAX);
    change_ns.saturating_add(nanoseconds(settled)) < nanoseconds(now)
}

/// Whether a time comes from a clock that tells less than a millisecond.
pub(crate) fn is_fine(time_ns: i128) -> bool {
    time_ns % 1_000_000 != 0
}

fn modified(metadata: &Metadata) -> i128 {
    metadata.modified().map_or(0, nanoseconds)
}

fn born(metadata: &Metadata) -> i128 {
    metadata.created().map_or(0, nanoseconds)
}

fn nanoseconds(time: SystemTime) -> i128 {
    let nanos = |d: Duration| i128::try_from(d.as_nanos()).unwrap_or(i128::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => nanos(after),
        Err(before) => -nanos(before.duration()),
    }
}
