//! From a directory to an archive that can be shared: the way back of [`crate::unpack()`].
//!
//! Invariants:
//! - What is packed can be unpacked here: paths are judged by the same rules.
//! - One tree has one archive. Nothing of the machine goes in: no owner, no time, no mode but two.
//! - What is not for others stays out, and is told with its reason; see [`Why`].
//! - What is too large is noticed while it is written, not afterwards.

mod plan;
mod unwanted;

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use plugd_disk::tree::{Below, Pace, TreeError};
use plugd_disk::{Disk, DiskError, NewFile, OperationKind};
use plugd_model::{AbsPath, hex};
use sha2::{Digest as _, Sha256};

use crate::EntryFault;
use crate::content::FREE_OF_RATIO;
use crate::tar::{END, New, headers, padding};
use plan::{Plan, Planned};

pub use unwanted::Why;

/// Zeros for the ends of files.
const ZEROS: [u8; 512] = [0; 512];

/// How much may be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackRules {
    /// Bytes of the archive.
    pub archive_bytes: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files and directories, those left out included.
    pub entries: u64,
    /// Components of the longest path.
    pub depth: u32,
    /// How many bytes of content one byte of the archive may stand for, once there are more than
    /// 8 MiB: who unpacks it takes what is beyond that for a bomb.
    pub ratio: u64,
    /// Which of it.
    pub takes: Takes,
}

/// What of a directory is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// What is for others: neither secrets nor what tools leave behind.
    WhatIsForOthers,
    /// All of it, for a directory that was made to be packed.
    Everything,
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Bytes of the archive.
    pub bytes: u64,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub sha256: String,
    /// What is not in it, in the order of the archive. A directory stands for all that is in it.
    pub left_out: Vec<LeftOut>,
}

/// Something that is not in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path relative to the directory, with `/`; what is no text is escaped.
    pub path: String,
    /// Why it is not there.
    pub why: Why,
}

/// Why a directory could not be packed. No archive is left.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The directory cannot be read, has too much in it or changed meanwhile; the destination is
    /// taken or cannot be written; or the work was given up.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Something that is neither a file nor a directory nor a link.
    #[error("`{path}` is a FIFO, socket or device and cannot be shared")]
    Special {
        /// The entry.
        path: AbsPath,
    },
    /// An entry that no archive may hold.
    #[error("`{entry}` cannot be in an archive: {fault}")]
    Entry {
        /// Its path relative to the directory, escaped and cut.
        entry: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// The archive would be too large.
    #[error("the archive has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The content repeats itself so much that the archive would be taken for a bomb.
    #[error("the archive has more than {ratio} bytes of content for each of its own")]
    TooDense {
        /// The limit.
        ratio: u64,
    },
}

/// Packs a directory into a gzipped tar archive, a file that must not exist yet.
///
/// It blocks: it belongs on a thread that may. Entries come sorted by name in each directory,
/// directories included. A link inside the directory becomes a copy of what it leads to. Nothing is
/// synced. `pace` is told the bytes that were read.
///
/// # Errors
/// Something cannot be packed, is more than the rules allow or changes meanwhile, `pace` gives the
/// work up, or the system refuses; then no file is left.
pub fn pack(
    disk: &Disk,
    root: &AbsPath,
    dest: &AbsPath,
    rules: &PackRules,
    pace: &dyn Pace,
) -> Result<Packed, PackError> {
    if disk.link_stamp(dest)?.is_some() {
        return Err(TreeError::Exists { path: dest.clone() }.into());
    }
    let plan = Plan::scan(disk, root, rules, pace)?;
    let below = Below::open(disk, &plan.root)?;
    let file = disk.create_unsynced(dest, 0o600, 0)?;
    let archive = Archive::new(dest, file, rules);
    match archive.write(&below, &plan.entries, pace) {
        Ok((bytes, sha256)) => Ok(Packed {
            bytes,
            sha256,
            left_out: plan.left_out,
        }),
        Err(error) => {
            // The half-written file is ours; the first error is the one to report.
            let _ = disk.remove_file(dest);
            Err(error)
        }
    }
}

impl PackRules {
    /// What may be shared: an archive of 50 MiB, and unpacked what a bundle may hold, 512 MiB,
    /// 100,000 entries and 64 levels.
    pub const SHARE: Self = Self {
        archive_bytes: 52_428_800,
        bytes: 512 << 20,
        entries: 100_000,
        depth: 64,
        ratio: 200,
        takes: Takes::WhatIsForOthers,
    };

    /// What may be exported: the limits of [`crate::Rules::export`].
    pub const EXPORT: Self = Self {
        archive_bytes: 4 << 30,
        bytes: 4 << 30,
        entries: 300_000,
        depth: 72,
        ratio: 200,
        takes: Takes::Everything,
    };
}

impl PackError {
    /// Whether the caller gave up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Tree(TreeError::GivenUp))
    }
}

impl From<DiskError> for PackError {
    fn from(error: DiskError) -> Self {
        Self::Tree(error.into())
    }
}

/// An archive that is being written.
struct Archive<'a> {
    dest: &'a AbsPath,
    packing: GzEncoder<Counted>,
    /// Bytes that went in, headers included.
    went_in: u64,
    ratio: u64,
}

/// A file that may only become so large. The layers above are told of a failure as an
/// [`io::Error`]; the real one waits here.
struct Counted {
    file: NewFile,
    sha256: Sha256,
    bytes: u64,
    limit: u64,
    failure: Option<PackError>,
}

impl<'a> Archive<'a> {
    fn new(dest: &'a AbsPath, file: NewFile, rules: &PackRules) -> Self {
        let counted = Counted {
            file,
            sha256: Sha256::new(),
            bytes: 0,
            limit: rules.archive_bytes,
            failure: None,
        };
        Self {
            dest,
            packing: GzEncoder::new(counted, Compression::default()),
            went_in: 0,
            ratio: rules.ratio,
        }
    }

    /// Writes all entries and the end; how many bytes that made, and their SHA-256.
    fn write(
        mut self,
        below: &Below,
        entries: &[Planned],
        pace: &dyn Pace,
    ) -> Result<(u64, String), PackError> {
        for entry in entries {
            self.entry(below, entry, pace)?;
        }
        self.put(&END)?;
        match self.packing.try_finish() {
            Ok(()) => {
                let counted = self.packing.get_ref();
                let sha256 = counted.sha256.clone().finalize();
                Ok((counted.bytes, hex(&sha256)))
            }
            Err(error) => Err(self.failure(error)),
        }
    }

    fn entry(&mut self, below: &Below, entry: &Planned, pace: &dyn Pace) -> Result<(), PackError> {
        self.put(&headers(&entry.path, entry.new))?;
        let New::File { size, .. } = entry.new else {
            return Ok(());
        };
        let mut failure = None;
        let mut sink = |piece: &[u8]| {
            failure = self.put(piece).err();
            failure.is_none()
        };
        let read = below.read(&entry.source, size, pace, &mut sink);
        if let Some(failure) = failure {
            return Err(failure);
        }
        read?;
        self.put(&ZEROS[..padding(size)])
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.went_in = self.went_in.saturating_add(more);
        // What was packed and is not written yet makes this judge a little stricter than the one at
        // the other end, and never milder.
        let came_out = self.packing.get_ref().bytes;
        if self.went_in > FREE_OF_RATIO.max(came_out.saturating_mul(self.ratio)) {
            let ratio = self.ratio;
            return Err(PackError::TooDense { ratio });
        }
        match self.packing.write_all(bytes) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failure(error)),
        }
    }

    fn failure(&mut self, error: io::Error) -> PackError {
        let failure = self.packing.get_mut().failure.take();
        // The packing itself is done in memory, so there is nothing else to fail than the file.
        failure.unwrap_or_else(|| {
            let (operation, path) = (OperationKind::Write, self.dest.clone());
            DiskError::Io {
                operation,
                path,
                source: error,
            }
            .into()
        })
    }
}

impl Write for Counted {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let more = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(more);
        let outcome = if self.bytes > self.limit {
            Err(PackError::TooLarge { limit: self.limit })
        } else {
            self.file.write(piece).map_err(PackError::from)
        };
        match outcome {
            Ok(()) => {
                self.sha256.update(piece);
                Ok(piece.len())
            }
            Err(error) => {
                self.failure = Some(error);
                Err(io::Error::other("not written"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
