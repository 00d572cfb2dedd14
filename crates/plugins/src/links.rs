//! Working trees that stand in for plugins: which they are, and what there is of each.
//!
//! A linked directory is used where it lies, so nothing is ever written there. It takes its plugin's
//! place whether or not a copy is installed and as long as it is linked: where it is gone or broken
//! that is said, and the copy does not come back by itself.
//!
//! Invariants:
//! - The file is written under the store's lock; members that this program does not know stay.
//! - What is wrong with the file or a row of it is data, and takes nothing else away.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_disk::{Disk, Kind, Patience};
use plugd_manifest::{Loaded, Loader, store_version};
use plugd_model::{
    AbsPath, Layout, PluginId, PluginManifest, Problem, ProblemKind, VersionSegment, error_chain,
};
use plugd_store::Installed;
use serde_json::{Map, Value, json};

use crate::link_error::LinkError;
use crate::listing::Details;
use crate::state_file::{self, StateFileError};

/// The format of the file.
const FORMAT: u64 = 1;
/// More than anybody links.
const MAX_BYTES: u64 = 1 << 20;

/// The links of one home directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// The directory that stands in for each plugin.
    pub(crate) rows: BTreeMap<PluginId, AbsPath>,
    /// What could not be read of the file.
    pub(crate) problems: Vec<Problem>,
}

impl Links {
    /// Reads them. There need be no file.
    pub(crate) fn read(disk: &Disk, layout: &Layout) -> Self {
        let file = layout.links();
        match raw(disk, &file) {
            Ok(root) => Self::of(&root, &file),
            Err(error) => {
                let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
                Self {
                    rows: BTreeMap::new(),
                    problems: vec![problem.in_file(&file)],
                }
            }
        }
    }

    fn of(root: &Map<String, Value>, file: &AbsPath) -> Self {
        let mut links = Self::default();
        let rows = root.get("links").and_then(Value::as_object);
        for (key, row) in rows.into_iter().flatten() {
            let path = row["path"]
                .as_str()
                .and_then(|path| AbsPath::new(path).ok());
            match (PluginId::parse(key), path) {
                (Ok(id), Some(path)) => drop(links.rows.insert(id, path)),
                _ => {
                    let text = "this links no directory to a plugin";
                    let problem = Problem::error(ProblemKind::BadValue, text).in_file(file);
                    links
                        .problems
                        .push(problem.at_field(format!("links.{key}")));
                }
            }
        }
        links
    }

    /// The directory that stands in for a plugin.
    pub(crate) fn of_plugin(&self, id: &PluginId) -> Option<&AbsPath> {
        self.rows.get(id)
    }
}

/// One change of the file.
pub(crate) struct LinkEdit {
    pub(crate) id: PluginId,
    /// The directory; nothing ends the link.
    pub(crate) to: Option<AbsPath>,
}

/// Writes changes that are decided under the lock, on what is there then.
pub(crate) fn write<'a, T>(
    disk: &Disk,
    layout: &Layout,
    patience: impl Into<Patience<'a>>,
    now: u64,
    decide: impl FnOnce(&Links) -> Result<(Vec<LinkEdit>, T), LinkError>,
) -> Result<T, LinkError> {
    let file = layout.links();
    let in_file = |source| LinkError::File {
        path: file.clone(),
        source: Box::new(source),
    };
    let _lock = disk
        .lock(&layout.lock("store"), patience)
        .map_err(in_file)?;
    let mut root = raw(disk, &file)?;
    let (edits, answer) = decide(&Links::of(&root, &file))?;
    if edits.is_empty() {
        return Ok(answer);
    }
    root.insert("version".to_owned(), json!(FORMAT));
    let mut rows = match root.remove("links") {
        Some(Value::Object(rows)) => rows,
        _ => Map::new(),
    };
    for LinkEdit { id, to } in edits {
        let key = id.to_string();
        let Some(path) = to else {
            rows.remove(&key);
            continue;
        };
        let mut row = match rows.remove(&key) {
            Some(Value::Object(row)) => row,
            _ => Map::new(),
        };
        row.insert("path".to_owned(), json!(path.to_text()));
        row.insert("linkedAt".to_owned(), json!(now));
        rows.insert(key, Value::Object(row));
    }
    root.insert("links".to_owned(), Value::Object(rows));
    let mut text = Value::Object(root).to_string();
    text.push('\n');
    disk.replace(&file, text.as_bytes(), 0o600)
        .map_err(in_file)?;
    Ok(answer)
}

fn raw(disk: &Disk, file: &AbsPath) -> Result<Map<String, Value>, LinkError> {
    state_file::members(disk, file, MAX_BYTES, FORMAT).map_err(|error| match error {
        StateFileError::File(source) => LinkError::File {
            path: file.clone(),
            source: Box::new(source),
        },
        StateFileError::Syntax(source) => LinkError::Syntax {
            path: file.clone(),
            source,
        },
        StateFileError::TooNew(found) => LinkError::TooNew {
            path: file.clone(),
            found,
        },
    })
}

/// The manifest of a linked directory.
///
/// # Errors
/// Why there is nothing to use.
pub(crate) fn manifest(
    loader: &Loader,
    id: &PluginId,
    path: &AbsPath,
) -> Result<Arc<Loaded<PluginManifest>>, Problem> {
    let problem = |kind, text: String| Problem::error(kind, text).in_file(path);
    match loader.disk().stamp(path) {
        Ok(Some(stamp)) if stamp.kind == Kind::Dir => {}
        Ok(_) => {
            let text = format!("`{id}` is linked to a directory that does not exist");
            return Err(problem(ProblemKind::Missing, text));
        }
        Err(error) => return Err(problem(ProblemKind::Unreadable, error_chain(&error))),
    }
    match loader.plugin_named(path, id.plugin.as_str())? {
        Some(manifest) => Ok(manifest),
        None => {
            let text = format!("`{id}` is linked to a directory without a manifest");
            Err(problem(ProblemKind::Missing, text))
        }
    }
}

/// The inside of a linked directory.
pub(crate) fn details(loader: &Loader, id: &PluginId, path: &AbsPath) -> Details {
    match manifest(loader, id, path) {
        Ok(manifest) => Details::Manifest(manifest, path.clone()),
        Err(problem) => Details::Broken(problem),
    }
}

/// A linked directory as if it were the installed copy. A version that can name no directory keeps
/// nobody from trying a plugin.
pub(crate) fn stand_in(id: &PluginId, path: &AbsPath, manifest: &PluginManifest) -> Installed {
    let version = store_version(manifest).unwrap_or_else(|_| VersionSegment::local());
    Installed::in_place(id.clone(), version, path.clone())
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
