//! Which directory of this machine a shared plugin was made from, or checked out into.
//!
//! The file and its format are the reference's: one object of ids and absolute paths, gone when it is
//! empty. It is a convenience and lies among temporary files, so nothing in it is worth an error for
//! a reader: a row that makes no sense is reported and left out. A writer leaves such rows out of the
//! file too, because the reference refuses to list anything while they stand there.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use plugd_disk::{Disk, DiskError, OperationKind};
use plugd_model::{AbsPath, Layout, Problem, ProblemKind, RemotePluginId};
use serde_json::value::to_raw_value;

use crate::cache::write_private;
use crate::json::{self, Notes, Object, Source};
use crate::json_text::{Members, pretty};

/// The one member.
const ROWS: &str = "localPluginPathsByRemotePluginId";
/// The largest file that is read.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// How long to wait for another of us that writes the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SharePaths {
    /// The directories; nobody has looked whether they exist.
    pub paths: BTreeMap<RemotePluginId, AbsPath>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Reads the file. No file means no rows.
#[must_use]
pub fn read_share_paths(disk: &Disk, layout: &Layout) -> SharePaths {
    read(disk, &layout.share_paths()).0
}

/// Records where a plugin is; answers what was left out of the file because it made no sense.
///
/// # Errors
/// The path is no text, another of us holds the file too long, or the system refuses.
pub fn insert_share_path(
    disk: &Disk,
    layout: &Layout,
    id: &RemotePluginId,
    path: &AbsPath,
) -> Result<Vec<Problem>, DiskError> {
    if path.as_path().to_str().is_none() {
        return Err(DiskError::Io {
            operation: OperationKind::Write,
            path: layout.share_paths(),
            source: io::Error::new(io::ErrorKind::InvalidInput, "a path in it would be no text"),
        });
    }
    change(disk, layout, |paths| paths.insert(id.clone(), path.clone()))
}

/// Forgets where a plugin is; no row is fine. Answers as [`insert_share_path`].
///
/// # Errors
/// Another of us holds the file too long, or the system refuses.
pub fn remove_share_path(
    disk: &Disk,
    layout: &Layout,
    id: &RemotePluginId,
) -> Result<Vec<Problem>, DiskError> {
    change(disk, layout, |paths| paths.remove(id))
}

fn change<T>(
    disk: &Disk,
    layout: &Layout,
    edit: impl FnOnce(&mut BTreeMap<RemotePluginId, AbsPath>) -> T,
) -> Result<Vec<Problem>, DiskError> {
    let file = layout.share_paths();
    let _lock = disk.lock(&layout.lock("share-paths"), PATIENCE)?;
    let (mut found, mut members) = read(disk, &file);
    let before = found.paths.clone();
    edit(&mut found.paths);
    if found.paths == before && found.problems.is_empty() {
        return Ok(found.problems);
    }
    if found.paths.is_empty() {
        disk.remove_file(&file)?;
        return Ok(found.problems);
    }
    let rows: BTreeMap<&str, String> = found
        .paths
        .iter()
        .map(|(id, path)| (id.as_str(), path.to_text()))
        .collect();
    // Texts can be written, always.
    if let Ok(rows) = to_raw_value(&rows) {
        members.set(ROWS, rows);
    }
    let text = serde_json::to_string(&members).unwrap_or_default();
    write_private(disk, &file, &format!("{}\n", pretty(&text)))?;
    Ok(found.problems)
}

/// The rows, and all members as they stand in the file.
fn read(disk: &Disk, file: &AbsPath) -> (SharePaths, Members) {
    let mut found = SharePaths::default();
    let bytes = match disk.read(file, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => {
            found.problems.extend(dangling(disk, file));
            return (found, Members::default());
        }
        Err(error) => {
            found.problems.push(error.problem().as_warning());
            return (found, Members::default());
        }
    };
    let mut notes = Notes::default();
    let members = rows(&bytes, &mut found.paths, &mut notes);
    let members = members.unwrap_or_else(|problem| {
        notes.push(problem.as_warning());
        Members::default()
    });
    let notes = notes.0.into_iter();
    found.problems = notes.map(|problem| problem.in_file(file)).collect();
    (found, members)
}

/// Whoever made a link in the file's place had rows in it.
fn dangling(disk: &Disk, file: &AbsPath) -> Option<Problem> {
    let text = "the link leads to nothing";
    let stands_there = disk.link_stamp(file).ok().flatten().is_some();
    stands_there.then(|| Problem::warning(ProblemKind::Missing, text).in_file(file))
}

fn rows(
    bytes: &[u8],
    paths: &mut BTreeMap<RemotePluginId, AbsPath>,
    notes: &mut Notes,
) -> Result<Members, Problem> {
    let raw = json::check(bytes).map_err(|reason| Problem::error(ProblemKind::Syntax, reason))?;
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let whole = Object::split(raw, "", Source(Some(text)))?;
    if let Some(rows) = notes.keep(whole.object(ROWS)) {
        for (key, _) in rows.members() {
            if let Some((id, path)) = notes.keep(row(&rows, key).map(Some)) {
                paths.insert(id, path);
            }
        }
    }
    let members = serde_json::from_str(raw.get());
    members.map_err(|_| Problem::error(ProblemKind::Syntax, "a name in the object is no text"))
}

fn row(rows: &Object<'_>, key: &str) -> Result<(RemotePluginId, AbsPath), Problem> {
    let id = RemotePluginId::parse(key)
        .map_err(|error| rows.fault(ProblemKind::BadName, error.to_string(), key))?;
    let path = rows.needed(key, rows.text(key))?;
    let path = AbsPath::new(path)
        .map_err(|error| rows.fault(ProblemKind::BadPath, error.to_string(), key))?;
    Ok((id, path))
}

#[cfg(test)]
mod tests;
