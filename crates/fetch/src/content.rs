//! From the bytes of an archive to the bytes in it: counted, hashed, unpacked, and checked at the
//! end.
//!
//! The layers above are told of a failure as an [`io::Error`], because that is what they understand;
//! the real one waits in [`Content::failure`].

use plugd_model::hex;
use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::GzDecoder;
use plugd_disk::tree::Pace;
use sha2::{Digest as _, Sha256};

use crate::integrity::Hasher;
use crate::{Chunks, FetchError, Over, Packing, Rules};

/// How much may come out before its ratio to what went in is looked at: a small archive of repeated
/// text is no bomb.
pub(crate) const FREE_OF_RATIO: u64 = 8 << 20;

/// How much is read at once.
const BUFFER: usize = 64 * 1024;

/// What a gzip file begins with. No path in a tar archive begins so: it is a control character.
const GZIP: u8 = 0x1f;

/// The bytes in an archive, packed or not.
pub(crate) struct Content<'a> {
    source: Source<'a>,
    packing: Packing,
    came_out: u64,
    ratio: u64,
    failure: Option<FetchError>,
}

/// How the bytes in an archive are read.
enum Source<'a> {
    Gzip(Box<GzDecoder<BufReader<Archive<'a>>>>),
    Plain(BufReader<Archive<'a>>),
    /// Nothing of it was read, so it is not known whether it is packed. Only ever empty for the
    /// moment in which that is found out.
    Unread(Option<BufReader<Archive<'a>>>),
}

/// The bytes of the archive itself.
struct Archive<'a> {
    chunks: Chunks,
    pace: &'a dyn Pace,
    sha256: Sha256,
    /// Beside SHA-256, when something else was promised.
    promised: Option<Hasher>,
    bytes: u64,
    limit: u64,
    failure: Option<FetchError>,
}

impl<'a> Content<'a> {
    pub(crate) fn new(chunks: Chunks, rules: &Rules, pace: &'a dyn Pace) -> Self {
        let archive = Archive {
            chunks,
            pace,
            sha256: Sha256::new(),
            promised: rules.integrity.as_ref().map(crate::Integrity::hasher),
            bytes: 0,
            limit: rules.archive_bytes,
            failure: None,
        };
        let archive = BufReader::with_capacity(BUFFER, archive);
        let source = match rules.packing {
            Packing::Gzip => Source::Gzip(Box::new(GzDecoder::new(archive))),
            Packing::GzipOrNone => Source::Unread(Some(archive)),
        };
        Self {
            source,
            packing: rules.packing,
            came_out: 0,
            ratio: rules.ratio,
            failure: None,
        }
    }

    /// What an [`io::Error`] of this reader stands for.
    pub(crate) fn failure(&mut self, error: &io::Error) -> FetchError {
        let archive = self.source.archive().map(BufReader::get_mut);
        let below = archive.and_then(|archive| archive.failure.take());
        self.failure.take().or(below).unwrap_or_else(|| {
            let reason = match error.kind() {
                io::ErrorKind::UnexpectedEof => "it ends in the middle".to_owned(),
                _ if self.came_out == 0 && self.packing == Packing::Gzip => {
                    "it is no gzip file".to_owned()
                }
                _ => "what is in it cannot be unpacked".to_owned(),
            };
            FetchError::Damaged { reason }
        })
    }

    /// Makes sure that the archive ends here and is the promised one, after everything in it was
    /// read. The SHA-256 of the archive in hexadecimal digits.
    pub(crate) fn finish(mut self, rules: &Rules) -> Result<String, FetchError> {
        let mut more = [0];
        let read = self.source.archive().map(|archive| archive.read(&mut more));
        match read {
            Some(Ok(0)) | None => {}
            Some(Ok(_)) => {
                let reason = "something follows the gzip data".to_owned();
                return Err(FetchError::Damaged { reason });
            }
            Some(Err(error)) => return Err(self.failure(&error)),
        }
        let Some(archive) = self.source.into_archive() else {
            // It is there whenever nobody is in the middle of a read.
            return Err(FetchError::BrokenOff);
        };
        if let Some((integrity, hasher)) = rules.integrity.as_ref().zip(archive.promised) {
            integrity.check(hasher)?;
        }
        Ok(hex(&archive.sha256.finalize()))
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.came_out = self.came_out.saturating_add(count(read));
        let archive = self.source.archive();
        let went_in = archive.map_or(0, |archive| archive.get_ref().bytes);
        if self.came_out > FREE_OF_RATIO.max(went_in.saturating_mul(self.ratio)) {
            let over = Over::Ratio(self.ratio);
            self.failure = Some(FetchError::OverLimit { over, at: None });
            return Err(io::Error::other("a bomb"));
        }
        Ok(read)
    }
}

impl<'a> Source<'a> {
    fn archive(&mut self) -> Option<&mut BufReader<Archive<'a>>> {
        match self {
            Self::Gzip(unpacking) => Some(unpacking.get_mut()),
            Self::Plain(archive) => Some(archive),
            Self::Unread(archive) => archive.as_mut(),
        }
    }

    fn into_archive(self) -> Option<Archive<'a>> {
        match self {
            Self::Gzip(unpacking) => Some(unpacking.into_inner().into_inner()),
            Self::Plain(archive) => Some(archive.into_inner()),
            Self::Unread(archive) => archive.map(BufReader::into_inner),
        }
    }

    /// Looks at the first byte, once, to find out whether the archive is packed.
    fn settle(&mut self) -> io::Result<()> {
        let Self::Unread(unread) = self else {
            return Ok(());
        };
        let first = match unread {
            Some(archive) => archive.fill_buf()?.first().copied(),
            None => None,
        };
        if let Some(archive) = unread.take() {
            *self = match first {
                Some(GZIP) => Self::Gzip(Box::new(GzDecoder::new(archive))),
                _ => Self::Plain(archive),
            };
        }
        Ok(())
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.settle()?;
        match self {
            Self::Gzip(unpacking) => unpacking.read(buffer),
            Self::Plain(archive) => archive.read(buffer),
            Self::Unread(_) => Ok(0),
        }
    }
}

impl Archive<'_> {
    fn fail(&mut self, failure: FetchError) -> io::Error {
        self.failure = Some(failure);
        io::Error::other("given up")
    }
}

impl Read for Archive<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(read) = self.chunks.read(buffer) else {
            return Err(self.fail(FetchError::BrokenOff));
        };
        let piece = &buffer[..read];
        self.sha256.update(piece);
        if let Some(promised) = &mut self.promised {
            promised.update(piece);
        }
        self.bytes = self.bytes.saturating_add(count(read));
        if self.bytes > self.limit {
            let over = Over::ArchiveBytes(self.limit);
            return Err(self.fail(FetchError::OverLimit { over, at: None }));
        }
        // What is read is counted where it is written; this asks only whether to go on.
        if !self.pace.step(0) {
            return Err(self.fail(FetchError::GivenUp));
        }
        Ok(read)
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
