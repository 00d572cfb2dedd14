//! From chunks to a directory.
//!
//! Everything is done in one pass: what comes is hashed, unpacked, judged and written before the
//! next chunk is taken. So the digest is known last, and the directory is worth nothing until then.

use plugd_disk::Disk;
use plugd_disk::tree::Pace;
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::content::Content;
use crate::names::{Names, Place, Stands};
use crate::package_json::PackageJson;
use crate::tar::{Entry, Kind, Tar, TarError};
use crate::{Chunks, EntryFault, FetchError, Links, Over, Rules};

/// How much of a file is written at once.
const BUFFER: usize = 64 * 1024;

/// Most left out entries that are told one by one.
const MAX_TOLD: u64 = 100;

/// Longest path that an error shows.
const MAX_SHOWN: usize = 200;

/// What was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// How many files and directories were written, the root not counted.
    pub entries: u64,
    /// How many bytes the files have.
    pub bytes: u64,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub sha256: String,
    /// What of the archive was not written, and why.
    pub left_out: Vec<Problem>,
}

/// Unpacks a gzipped tar archive into a directory that does not exist yet, but whose parent does.
///
/// It blocks: it belongs on a thread that may. Files get mode 0644 or, when their owner may execute
/// them, 0755. Links are left out and reported, unless the rules refuse them. Nothing is synced,
/// because what is unpacked is copied again before anybody relies on it. `pace` is told the bytes
/// that were written.
///
/// After an error the directory may be there with a part of the content; it belongs to the caller,
/// who removes it.
///
/// # Errors
/// The archive is not what the rules demand, its end never came, `pace` gives the work up, or the
/// system refuses.
pub fn unpack(
    disk: &Disk,
    chunks: Chunks,
    dest: &AbsPath,
    rules: &Rules,
    pace: &dyn Pace,
) -> Result<Unpacked, FetchError> {
    if disk.link_stamp(dest)?.is_some() {
        return Err(FetchError::Exists { path: dest.clone() });
    }
    disk.create_dir(dest)?;
    let content = Content::new(chunks, rules, pace);
    let mut unpacking = Unpacking {
        disk,
        dest,
        rules,
        pace,
        // Some entries have three headers.
        tar: Tar::new(content, rules.entries.saturating_mul(3).saturating_add(16)),
        names: Names::new(rules.strip, rules.git),
        package: rules.package.as_deref().map(PackageJson::new),
        seen: 0,
        seen_bytes: 0,
        left_out: 0,
        buffer: vec![0; BUFFER],
        unpacked: Unpacked {
            entries: 0,
            bytes: 0,
            sha256: String::new(),
            left_out: Vec::new(),
        },
    };
    while let Some(entry) = unpacking.next()? {
        unpacking.entry(entry)?;
    }
    unpacking.finish()
}

/// The outcome of a download and of the section that unpacked it. Where both failed, one failure is
/// only the echo of the other; the error is the one that came first.
///
/// # Errors
/// Either of the two.
pub fn joined<T>(
    download: Result<T, FetchError>,
    unpacked: Result<Unpacked, FetchError>,
) -> Result<Unpacked, FetchError> {
    match download {
        Ok(_) | Err(FetchError::NotTaken) => unpacked,
        Err(error) => Err(error),
    }
}

struct Unpacking<'a> {
    disk: &'a Disk,
    dest: &'a AbsPath,
    rules: &'a Rules,
    pace: &'a dyn Pace,
    tar: Tar<Content<'a>>,
    names: Names,
    package: Option<PackageJson>,
    /// Entries and directories above them, written or not.
    seen: u64,
    /// Bytes of files, written or not.
    seen_bytes: u64,
    left_out: u64,
    buffer: Vec<u8>,
    unpacked: Unpacked,
}

impl Unpacking<'_> {
    fn next(&mut self) -> Result<Option<Entry>, FetchError> {
        let next = self.tar.next();
        next.map_err(|error| self.failure(error))
    }

    fn entry(&mut self, entry: Entry) -> Result<(), FetchError> {
        self.step(0)?;
        self.count(&entry.path)?;
        let is_link = matches!(entry.kind, Kind::Link { .. });
        if is_link && self.rules.links == Links::Refuse {
            return Err(refused(&entry.path, EntryFault::Link));
        }
        let stands = match entry.kind {
            Kind::File { size } => {
                self.count_bytes(size, &entry.path)?;
                Stands::File
            }
            Kind::Dir => Stands::Dir,
            Kind::Link { .. } => Stands::Nothing,
        };
        let placed = self.names.place(&entry.path, stands);
        let (path, new_dirs) = match placed.map_err(|fault| refused(&entry.path, fault))? {
            Place::Root | Place::Known => return Ok(()),
            Place::LeaveOut(reason) => {
                self.leave_out(&entry.path, reason.to_owned());
                return Ok(());
            }
            Place::At { path, new_dirs } => (path, new_dirs),
        };
        let depth = path.split('/').count();
        if u32::try_from(depth).unwrap_or(u32::MAX) > self.rules.depth {
            return Err(beyond(Over::Depth(self.rules.depth), &entry.path));
        }
        // A directory may only be seen in the paths below it.
        for dir in new_dirs {
            self.count(&entry.path)?;
            self.directory(&dir)?;
        }
        match entry.kind {
            Kind::File { size } => self.file(&path, size, entry.executable),
            Kind::Dir => self.directory(&path),
            Kind::Link { target } => {
                let reason = format!("it is a link to `{}`", shown(&target));
                self.leave_out(&entry.path, reason);
                Ok(())
            }
        }
    }

    fn directory(&mut self, path: &str) -> Result<(), FetchError> {
        self.disk.create_dir(&self.dest.join(path))?;
        self.unpacked.entries += 1;
        Ok(())
    }

    fn file(&mut self, path: &str, size: u64, executable: bool) -> Result<(), FetchError> {
        let mode = if executable { 0o755 } else { 0o644 };
        let target = self.dest.join(path);
        let mut file = self.disk.create_unsynced(&target, mode, size)?;
        if let Some(package) = self.package.as_mut().filter(|one| one.is_at(path)) {
            package.begin(size)?;
        }
        loop {
            let read = match self.tar.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) => return Err(self.failure(error)),
            };
            let piece = &self.buffer[..read];
            file.write(piece)?;
            if let Some(package) = self.package.as_mut().filter(|one| one.is_at(path)) {
                package.take(piece);
            }
            self.step(u64::try_from(read).unwrap_or(u64::MAX))?;
        }
        self.unpacked.entries += 1;
        self.unpacked.bytes += size;
        Ok(())
    }

    fn finish(mut self) -> Result<Unpacked, FetchError> {
        self.unpacked.sha256 = self.tar.into_source().finish(self.rules)?;
        if let Some(package) = self.package {
            package.check()?;
        }
        let untold = self.left_out.saturating_sub(MAX_TOLD);
        if untold > 0 {
            let message = format!("{untold} more entries of the archive were left out");
            let problem = Problem::warning(ProblemKind::LeftOut, message);
            self.unpacked.left_out.push(problem);
        }
        Ok(self.unpacked)
    }

    /// Counts an entry or a directory above one.
    fn count(&mut self, path: &[u8]) -> Result<(), FetchError> {
        self.seen += 1;
        if self.seen > self.rules.entries {
            return Err(beyond(Over::Entries(self.rules.entries), path));
        }
        Ok(())
    }

    fn count_bytes(&mut self, size: u64, path: &[u8]) -> Result<(), FetchError> {
        self.seen_bytes = self.seen_bytes.saturating_add(size);
        if self.seen_bytes > self.rules.bytes {
            return Err(beyond(Over::Bytes(self.rules.bytes), path));
        }
        Ok(())
    }

    fn leave_out(&mut self, path: &[u8], reason: String) {
        self.left_out += 1;
        if self.left_out <= MAX_TOLD {
            let path = shown(path);
            let message = format!("`{path}` of the archive was left out: {reason}");
            let problem = Problem::warning(ProblemKind::LeftOut, message);
            self.unpacked.left_out.push(problem);
        }
    }

    fn step(&self, bytes: u64) -> Result<(), FetchError> {
        if self.pace.step(bytes) {
            Ok(())
        } else {
            Err(FetchError::GivenUp)
        }
    }

    fn failure(&mut self, error: TarError) -> FetchError {
        match error {
            TarError::Read(error) => self.tar.source().failure(&error),
            TarError::Damaged(reason) => FetchError::Damaged {
                reason: reason.to_owned(),
            },
            TarError::Entry(path, fault) => refused(&path, fault),
            TarError::TooMany => FetchError::OverLimit {
                over: Over::Entries(self.rules.entries),
                at: None,
            },
        }
    }
}

fn refused(path: &[u8], fault: EntryFault) -> FetchError {
    FetchError::Entry {
        entry: shown(path),
        fault,
    }
}

fn beyond(over: Over, path: &[u8]) -> FetchError {
    let at = Some(shown(path));
    FetchError::OverLimit { over, at }
}

/// A path of a stranger, for people.
pub(crate) fn shown(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let mut shown: String = text
        .chars()
        .take(MAX_SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
