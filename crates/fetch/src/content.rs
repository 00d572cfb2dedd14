//! From the bytes of an archive to the bytes in it: counted, hashed, unpacked, and checked at the
//! end.
//!
//! The layers above are told of a failure as an [`io::Error`], because that is what they understand;
//! the real one waits in [`Content::failure`].

use std::io::{self, BufReader, Read};

use flate2::bufread::GzDecoder;
use plugd_disk::tree::Pace;
use sha2::{Digest as _, Sha256};

use crate::integrity::{Hasher, to_hex};
use crate::{Chunks, FetchError, Over, Rules};

/// How much may come out before its ratio to what went in is looked at: a small archive of repeated
/// text is no bomb.
pub(crate) const FREE_OF_RATIO: u64 = 8 << 20;

/// How much is read at once.
const BUFFER: usize = 64 * 1024;

/// The bytes in a gzip archive.
pub(crate) struct Content<'a> {
    unpacking: GzDecoder<BufReader<Archive<'a>>>,
    came_out: u64,
    ratio: u64,
    failure: Option<FetchError>,
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
        Self {
            unpacking: GzDecoder::new(BufReader::with_capacity(BUFFER, archive)),
            came_out: 0,
            ratio: rules.ratio,
            failure: None,
        }
    }

    /// What an [`io::Error`] of this reader stands for.
    pub(crate) fn failure(&mut self, error: &io::Error) -> FetchError {
        let below = self.unpacking.get_mut().get_mut().failure.take();
        self.failure.take().or(below).unwrap_or_else(|| {
            let reason = match error.kind() {
                io::ErrorKind::UnexpectedEof => "it ends in the middle".to_owned(),
                _ if self.came_out == 0 => "it is no gzip file".to_owned(),
                _ => "what is in it cannot be unpacked".to_owned(),
            };
            FetchError::Damaged { reason }
        })
    }

    /// Makes sure that the archive ends here and is the promised one, after everything in it was
    /// read. The SHA-256 of the archive in hexadecimal digits.
    pub(crate) fn finish(mut self, rules: &Rules) -> Result<String, FetchError> {
        let mut more = [0];
        let archive = self.unpacking.get_mut();
        match archive.read(&mut more) {
            Ok(0) => {}
            Ok(_) => {
                let reason = "something follows the gzip data".to_owned();
                return Err(FetchError::Damaged { reason });
            }
            Err(error) => return Err(self.failure(&error)),
        }
        let archive = self.unpacking.into_inner().into_inner();
        if let Some((integrity, hasher)) = rules.integrity.as_ref().zip(archive.promised) {
            integrity.check(hasher)?;
        }
        Ok(to_hex(&archive.sha256.finalize()))
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.unpacking.read(buffer)?;
        self.came_out = self.came_out.saturating_add(count(read));
        let went_in = self.unpacking.get_ref().get_ref().bytes;
        if self.came_out > FREE_OF_RATIO.max(went_in.saturating_mul(self.ratio)) {
            let over = Over::Ratio(self.ratio);
            self.failure = Some(FetchError::OverLimit { over, at: None });
            return Err(io::Error::other("a bomb"));
        }
        Ok(read)
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
