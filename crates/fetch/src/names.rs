//! What a path in an archive may be, and what becomes of it.
//!
//! Three answers. A path that only an attack has (`..`, absolute) refuses the whole archive, and so
//! does one that no file system holds, or that means two files. One that some systems cannot hold is
//! left out, so that a directory is the same on every machine. Data of git, in all its disguises, is
//! never written; the rules say whether it is left out or refuses the archive.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use plugd_disk::tree::{is_git_name, is_storable_name};

use crate::{EntryFault, GitData, Strip};

/// Longest name, as file systems have it.
const MAX_NAME: usize = 255;
/// Longest path; the system's own limit also holds what stands in front of it.
const MAX_PATH: usize = 2048;

/// What stands at a path of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    File,
    Dir,
    /// Something that is not written.
    Nothing,
}

/// What becomes of a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The root itself.
    Root,
    /// This path below the root, and the directories above it that were not there yet.
    At { path: String, new_dirs: Vec<String> },
    /// A directory that is there already, or more of what was left out already.
    Known,
    /// Some systems cannot hold it.
    LeaveOut(&'static str),
}

/// All paths of an archive so far.
#[derive(Debug)]
pub(crate) struct Names {
    strip: Strip,
    git: GitData,
    /// The directories of git that were left out.
    git_roots: HashSet<String>,
    root: Option<String>,
    /// By the path in lower case: the path itself where it differs from that, and what is there.
    known: HashMap<String, (Option<String>, Stands)>,
}

impl Names {
    pub(crate) fn new(strip: Strip, git: GitData) -> Self {
        Self {
            strip,
            git,
            git_roots: HashSet::new(),
            root: None,
            known: HashMap::new(),
        }
    }

    /// Judges the next path of the archive.
    pub(crate) fn place(&mut self, raw: &[u8], stands: Stands) -> Result<Place, EntryFault> {
        let text = std::str::from_utf8(raw).map_err(|_| EntryFault::Unprintable)?;
        let mut parts = components(text)?;
        if self.strip == Strip::Root {
            let Some(first) = parts.first().copied() else {
                return root_or(stands, EntryFault::BadName);
            };
            let root = self.root.get_or_insert_with(|| first.to_owned());
            if root.as_str() != first {
                return Err(EntryFault::OutsideRoot);
            }
            parts.remove(0);
            if parts.is_empty() {
                return root_or(stands, EntryFault::OutsideRoot);
            }
        }
        if parts.is_empty() {
            return root_or(stands, EntryFault::BadName);
        }
        if let Some(at) = parts.iter().position(|part| is_data_of_git(part)) {
            return match self.git {
                GitData::Refuse => Err(EntryFault::Git),
                GitData::LeaveOut if self.git_roots.insert(parts[..=at].join("/")) => {
                    Ok(Place::LeaveOut("it is data of git"))
                }
                GitData::LeaveOut => Ok(Place::Known),
            };
        }
        if let Some(reason) = parts.iter().find_map(|part| foreign(part)) {
            return Ok(Place::LeaveOut(reason));
        }
        let (above, last) = parts.split_at(parts.len() - 1);
        let mut path = String::new();
        let mut new_dirs = Vec::new();
        for part in above {
            append(&mut path, part);
            if self.claim(&path, Stands::Dir)? {
                new_dirs.push(path.clone());
            }
        }
        for part in last {
            append(&mut path, part);
        }
        if self.claim(&path, stands)? {
            Ok(Place::At { path, new_dirs })
        } else {
            Ok(Place::Known)
        }
    }

    /// Notes what stands at a path; whether it is new.
    fn claim(&mut self, path: &str, stands: Stands) -> Result<bool, EntryFault> {
        let folded = path.to_lowercase();
        let exact = (folded != path).then(|| path.to_owned());
        match self.known.entry(folded) {
            Entry::Vacant(vacant) => {
                vacant.insert((exact, stands));
                Ok(true)
            }
            Entry::Occupied(there) => {
                let (known, what) = there.get();
                if *known != exact {
                    return Err(EntryFault::CaseClash);
                }
                match (what, stands) {
                    (Stands::Dir, Stands::Dir) => Ok(false),
                    (Stands::Dir, _) | (_, Stands::Dir) => Err(EntryFault::KindClash),
                    _ => Err(EntryFault::Duplicate),
                }
            }
        }
    }
}

fn root_or(stands: Stands, fault: EntryFault) -> Result<Place, EntryFault> {
    match stands {
        Stands::Dir => Ok(Place::Root),
        Stands::File | Stands::Nothing => Err(fault),
    }
}

fn append(path: &mut String, part: &str) {
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(part);
}

/// The components of a path, without those that mean nothing.
fn components(text: &str) -> Result<Vec<&str>, EntryFault> {
    if text.is_empty() {
        return Err(EntryFault::BadName);
    }
    if text.chars().any(char::is_control) {
        return Err(EntryFault::Unprintable);
    }
    // A backslash is a letter here and a separator elsewhere.
    if text.starts_with(['/', '\\']) || is_drive(text) {
        return Err(EntryFault::Absolute);
    }
    if text.len() > MAX_PATH {
        return Err(EntryFault::TooLong);
    }
    let mut parts = Vec::new();
    for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part.split('\\').any(|piece| piece == "..") {
            return Err(EntryFault::Climbs);
        }
        if part.len() > MAX_NAME {
            return Err(EntryFault::TooLong);
        }
        parts.push(part);
    }
    Ok(parts)
}

/// Whether a component leads into a directory of git, also where a backslash separates. What the
/// store does not hold is the same thing: other names without control characters it takes.
fn is_data_of_git(part: &str) -> bool {
    part.split('\\').any(is_git_name) || !is_storable_name(part)
}

/// Whether the path begins with a drive, as in `C:\` or `c:/`.
fn is_drive(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'/' | b'\\')
}

/// Why a name cannot be had on every system.
fn foreign(name: &str) -> Option<&'static str> {
    if name.contains('\\') {
        return Some("its name holds a backslash");
    }
    let odd = name.contains(['<', '>', ':', '"', '|', '?', '*']) || name.ends_with(['.', ' ']);
    (cfg!(windows) && odd).then_some("this system cannot hold its name")
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
