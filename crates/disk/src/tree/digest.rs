//! The digest of a tree: SHA-256 over one line per file, sorted by the bytes of the path.
//!
//! A line is `<f or x> <SHA-256 of the content, hex> <relative path with />` and a line break; `x`
//! when the owner may execute the file. Directories, times and owners do not count.

use plugd_model::hex;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::pace::Pace;
use super::reader::{Hashed, Reader, hash};
use super::{PlannedFile, TreeError, TreePlan};
use crate::{Disk, DiskError, OperationKind};

/// A SHA-256, nearly always that of a whole tree, written as `sha256:<hex>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that was expected to be a digest and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not `sha256:` and 64 lower-case hexadecimal digits", text.escape_debug())]
pub struct NotADigest {
    /// The refused text.
    pub text: String,
}

impl Digest {
    const PREFIX: &'static str = "sha256:";

    pub(super) fn of_hash(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The digest of plain bytes, for whoever wants to notice that a file has another content.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a file of a known size, read piece by piece; nothing when it has another size by
    /// now or the work is not wanted any more.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_reader(
        content: &mut impl Read,
        size: u64,
        pace: &dyn Pace,
    ) -> io::Result<Option<Self>> {
        Ok(match hash(content, size, pace, |_| Ok(()))? {
            // Not everything that can be read is a file.
            Hashed::Whole(digest) => {
                let more = content.take(1).read_to_end(&mut Vec::new())?;
                (more == 0).then_some(Self(digest))
            }
            Hashed::OtherSize | Hashed::GivenUp => None,
        })
    }

    /// Reads a digest as it is displayed.
    ///
    /// # Errors
    /// The text has another form.
    pub fn parse(text: &str) -> Result<Self, NotADigest> {
        text.strip_prefix(Self::PREFIX)
            .and_then(Self::from_hex)
            .ok_or_else(|| NotADigest {
                text: text.to_owned(),
            })
    }

    /// Reads the 64 digits alone, which is how directories are named.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let digits: &[u8; 64] = hex.as_bytes().try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// The 64 digits alone.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.hex())
    }
}

/// The files of a tree with the hash of each, from which the digest of the tree follows.
///
/// It lets a writer that adds a file to a copy know the new digest without reading the copy again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileDigests {
    files: BTreeMap<String, (bool, [u8; 32])>,
}

impl FileDigests {
    /// Adds or replaces a file whose content is known.
    pub fn add(&mut self, path: &str, executable: bool, content: &[u8]) {
        self.insert(path.to_owned(), executable, Sha256::digest(content).into());
    }

    pub(super) fn insert(&mut self, path: String, executable: bool, hash: [u8; 32]) {
        self.files.insert(path, (executable, hash));
    }

    /// Whether a file of this path is there.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The same files without some, for whoever asks what a tree was before something was added.
    #[must_use]
    pub fn without(&self, goes: &dyn Fn(&str) -> bool) -> Self {
        let stay = self.files.iter().filter(|(path, _)| !goes(path));
        Self {
            files: stay.map(|(path, file)| (path.clone(), *file)).collect(),
        }
    }

    /// The files below a directory, by their paths in there.
    #[must_use]
    pub fn below(&self, dir: &str) -> Self {
        let below = self.files.iter().filter_map(|(path, file)| {
            let rest = path.strip_prefix(dir)?.strip_prefix('/')?;
            Some((rest.to_owned(), *file))
        });
        Self {
            files: below.collect(),
        }
    }

    /// The paths, sorted by their bytes.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The digest of one file's content; `None` for a file that is not there.
    #[must_use]
    pub fn digest_of(&self, path: &str) -> Option<Digest> {
        self.files.get(path).map(|(_, hash)| Digest(*hash))
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// How `other` differs from this one, by the paths of files.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Differences {
        let mut found = Differences::default();
        for (path, file) in &self.files {
            match other.files.get(path) {
                Some(now) if now == file => {}
                Some(_) => found.changed.push(path.clone()),
                None => found.missing.push(path.clone()),
            }
        }
        let added = other.files.keys().filter(|path| !self.contains(path));
        found.added.extend(added.cloned());
        found
    }

    /// The digest of the tree, which is that of [`FileDigests::lines`].
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        for line in self.each_line() {
            hasher.update(line);
        }
        Digest(hasher.finalize().into())
    }

    /// One line per file: `f`, or `x` when its owner may execute it, the hash of its content, and its
    /// path. Sorted by the bytes of the path.
    #[must_use]
    pub fn lines(&self) -> String {
        self.each_line().collect()
    }

    /// What [`FileDigests::lines`] wrote; `None` for any other text.
    #[must_use]
    pub fn parse(lines: &str) -> Option<Self> {
        let mut files = Self::default();
        for line in lines.lines() {
            let (mark, rest) = line.split_once(' ')?;
            let (hash, path) = rest.split_once(' ')?;
            let executable = match mark {
                "f" => false,
                "x" => true,
                _ => return None,
            };
            files.insert(path.to_owned(), executable, Digest::from_hex(hash)?.0);
        }
        (files.lines() == lines).then_some(files)
    }

    /// The order of a `String` is the order of its bytes.
    fn each_line(&self) -> impl Iterator<Item = String> + '_ {
        self.files.iter().map(|(path, (executable, hash))| {
            let mark = if *executable { 'x' } else { 'f' };
            format!("{mark} {} {path}\n", hex(hash))
        })
    }
}

/// Which files of two trees differ, each list sorted by the bytes of the path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Files of both with other content, or of which only one may be executed.
    pub changed: Vec<String>,
    /// Files of the first tree only.
    pub missing: Vec<String>,
    /// Files of the second tree only.
    pub added: Vec<String>,
}

/// Reads a planned tree and returns the digest that a copy of it would have.
///
/// # Errors
/// A file cannot be read, is no longer what the plan says, or `pace` gives the work up.
pub fn digest(disk: &Disk, plan: &TreePlan, pace: &dyn Pace) -> Result<Digest, TreeError> {
    digest_where(disk, plan, &|_| true, pace)
}

/// Reads those files of a planned tree that `keep` wants and returns the digest of a tree that holds
/// only them. What an installation adds to a copy can be left out of a comparison this way.
///
/// # Errors
/// As [`digest`]; files that are not wanted are not read.
pub fn digest_where(
    disk: &Disk,
    plan: &TreePlan,
    keep: &dyn Fn(&PlannedFile) -> bool,
    pace: &dyn Pace,
) -> Result<Digest, TreeError> {
    Ok(read_files(disk, plan, keep, pace)?.digest())
}

/// Reads a planned tree and returns the hash of each of its files, for whoever has to name the files
/// in which two trees differ.
///
/// # Errors
/// As [`digest`].
pub fn file_digests(
    disk: &Disk,
    plan: &TreePlan,
    pace: &dyn Pace,
) -> Result<FileDigests, TreeError> {
    read_files(disk, plan, &|_| true, pace)
}

fn read_files(
    disk: &Disk,
    plan: &TreePlan,
    keep: &dyn Fn(&PlannedFile) -> bool,
    pace: &dyn Pace,
) -> Result<FileDigests, TreeError> {
    let mut reader = Reader::new(disk, plan)?;
    let mut files = FileDigests::default();
    for dir in &plan.dirs {
        for file in &dir.files {
            let planned = dir.planned(file);
            if !keep(&planned) {
                continue;
            }
            let mut opened = reader.open(dir, file)?;
            let hashed = hash(&mut opened.file, file.size, pace, |_| Ok(()))
                .map_err(|source| DiskError::io(OperationKind::Read, &opened.path, source))?;
            let hash = match hashed {
                Hashed::Whole(hash) => hash,
                Hashed::OtherSize => return Err(TreeError::Changed { path: opened.path }),
                Hashed::GivenUp => return Err(TreeError::GivenUp),
            };
            files.insert(planned.path, opened.stamp.is_executable(), hash);
        }
    }
    Ok(files)
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
