//! Reading a tar archive as a stream: ustar, with the long names of pax and GNU.
//!
//! Two readers of one archive must never see two different trees, because one of them may be the one
//! that judged it. So what other readers are known to take in different ways is refused: a size that
//! is told twice with different numbers, a directory or link with content, content behind the end,
//! sparse files, headers that extend nothing. Paths come as they are written; nobody here judges
//! them, and nothing is written.

mod header;
mod pax;
mod write;

use std::io::{self, Read};

use header::{BLOCK, Header, Type, until_nul};
use pax::Extended;
pub(crate) use write::{END, New, headers, padding};

use crate::EntryFault;

/// Largest header that only extends another one; a path has a few hundred bytes.
const MAX_EXTENSION: u64 = 1 << 20;

/// Most zeros behind the end of an archive; writers fill up to a round number of blocks.
const MAX_PADDING: u64 = 1 << 20;

/// An archive that is being read.
pub(crate) struct Tar<R> {
    source: R,
    /// Bytes of the current file that have not been read.
    left: u64,
    /// Zeros behind them.
    padding: u64,
    /// How many headers may still come.
    headers_left: u64,
}

/// A file, directory or link in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) executable: bool,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File {
        size: u64,
    },
    Dir,
    /// A symbolic or hard link, with the text that says where it leads.
    Link {
        target: Vec<u8>,
    },
}

/// Why an archive cannot be read on.
#[derive(Debug)]
pub(crate) enum TarError {
    /// What is below the archive failed.
    Read(io::Error),
    /// The archive ends in the middle, or goes on behind its end.
    Damaged(&'static str),
    /// One entry is not accepted.
    Entry(Vec<u8>, EntryFault),
    /// More headers than are accepted.
    TooMany,
}

/// What the headers in front of an entry say about it.
#[derive(Debug, Default)]
struct Pending {
    pax: Option<Extended>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl<R: Read> Tar<R> {
    /// Reads the archive; headers beyond the limit are an error, so that an archive of nothing but
    /// headers ends.
    pub(crate) fn new(source: R, max_headers: u64) -> Self {
        Self {
            source,
            left: 0,
            padding: 0,
            headers_left: max_headers,
        }
    }

    /// The next entry; `None` at the end, and then everything up to the end of the source was read.
    /// What was not read of the file before is skipped.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        let mut pending = Pending::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                if pending.is_empty() {
                    return Ok(None);
                }
                return Err(TarError::Damaged("its last header extends nothing"));
            };
            self.headers_left = self.headers_left.checked_sub(1).ok_or(TarError::TooMany)?;
            let fault = |fault| Err(TarError::Entry(header.path.clone(), fault));
            let twice = match header.kind {
                Type::Extended => {
                    let Some(extended) = Extended::parse(&self.extension(&header)?) else {
                        return fault(EntryFault::BadHeader);
                    };
                    pending.pax.replace(extended).is_some()
                }
                Type::Global => {
                    // A comment of the program that made it; it must not change the entries.
                    match Extended::parse(&self.extension(&header)?) {
                        Some(extended) if extended.is_comment() => {}
                        _ => return fault(EntryFault::BadHeader),
                    }
                    false
                }
                Type::LongName => {
                    let name = self.extension(&header)?;
                    pending.long_name.replace(name).is_some()
                }
                Type::LongLink => {
                    let link = self.extension(&header)?;
                    pending.long_link.replace(link).is_some()
                }
                _ => return self.entry(header, pending).map(Some),
            };
            if twice {
                return fault(EntryFault::BadHeader);
            }
        }
    }

    fn entry(&mut self, header: Header, pending: Pending) -> Result<Entry, TarError> {
        let pax = pending.pax.unwrap_or_default();
        let path = pax.path.or(pending.long_name).unwrap_or(header.path);
        let target = pax.link.or(pending.long_link).unwrap_or(header.link);
        if pax.is_sparse || header.kind == Type::Other {
            return Err(TarError::Entry(path, EntryFault::Special));
        }
        let told_twice = pax.size.is_some_and(|size| size != header.size);
        let kind = match header.kind {
            // Older writers mark a directory by its slash only.
            Type::File if path.ends_with(b"/") => Kind::Dir,
            Type::File => Kind::File { size: header.size },
            Type::Dir => Kind::Dir,
            _ => Kind::Link { target },
        };
        let is_file = matches!(kind, Kind::File { .. });
        if told_twice || (!is_file && header.size != 0) {
            return Err(TarError::Entry(path, EntryFault::BadHeader));
        }
        self.content(header.size);
        Ok(Entry {
            path,
            kind,
            executable: header.executable,
        })
    }

    /// Reads content of the current file; nothing at its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = most.min(buffer.len());
        if length == 0 {
            return Ok(0);
        }
        let read = self
            .source
            .read(&mut buffer[..length])
            .map_err(TarError::Read)?;
        if read == 0 {
            return Err(TarError::Damaged("it ends in the middle of a file"));
        }
        self.left -= u64::try_from(read).unwrap_or(self.left);
        Ok(read)
    }

    /// Notes that content of this size comes next.
    fn content(&mut self, size: u64) {
        let block = u64::try_from(BLOCK).unwrap_or(512);
        self.left = size;
        self.padding = (block - size % block) % block;
    }

    /// Skips what is left of the current file.
    fn skip(&mut self) -> Result<(), TarError> {
        self.left = self.left.saturating_add(self.padding);
        self.padding = 0;
        let mut buffer = [0; 8 * BLOCK];
        while self.read(&mut buffer)? > 0 {}
        Ok(())
    }

    /// The content of a header that only extends another one.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>, TarError> {
        if header.size > MAX_EXTENSION {
            return Err(TarError::Entry(header.path.clone(), EntryFault::TooLong));
        }
        self.content(header.size);
        let mut whole = Vec::new();
        let mut buffer = [0; BLOCK];
        loop {
            match self.read(&mut buffer)? {
                0 => break,
                read => whole.extend_from_slice(&buffer[..read]),
            }
        }
        match header.kind {
            Type::LongName | Type::LongLink => Ok(until_nul(&whole).to_vec()),
            _ => Ok(whole),
        }
    }

    /// The next header; `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>, TarError> {
        let mut block = [0; BLOCK];
        match self.fill(&mut block)? {
            0 => return Ok(None),
            BLOCK => {}
            _ => return Err(TarError::Damaged("it ends in the middle of a header")),
        }
        if block.iter().all(|&byte| byte == 0) {
            self.end()?;
            return Ok(None);
        }
        Header::parse(&block).map(Some)
    }

    /// Reads to the end of the source, where only zeros may come.
    fn end(&mut self) -> Result<(), TarError> {
        let mut seen = 0_u64;
        let mut buffer = [0; 8 * BLOCK];
        loop {
            let read = self.fill(&mut buffer)?;
            seen = seen.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if buffer[..read].iter().any(|&byte| byte != 0) || seen > MAX_PADDING {
                return Err(TarError::Damaged("content follows its end"));
            }
            if read < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Fills the buffer as far as the source reaches.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(TarError::Read(error)),
            }
        }
        Ok(filled)
    }

    /// What the archive is read from, to ask it why it failed.
    pub(crate) fn source(&mut self) -> &mut R {
        &mut self.source
    }

    /// What the archive was read from.
    pub(crate) fn into_source(self) -> R {
        self.source
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.pax.is_none() && self.long_name.is_none() && self.long_link.is_none()
    }
}

#[cfg(test)]
#[path = "tar_tests.rs"]
mod tests;
