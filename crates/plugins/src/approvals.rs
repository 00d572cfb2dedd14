//! What the user has approved: contents by their digests, each for a plugin from a source.
//!
//! Invariants:
//! - The file is written under the store's lock; members that this program does not know stay.
//! - What cannot be understood approves nothing.

use std::collections::BTreeMap;

use plugd_disk::tree::Digest;
use plugd_disk::{Disk, DiskError, Patience};
use plugd_marketplace::Binding;
use plugd_model::git_url::without_secrets;
use plugd_model::{AbsPath, Layout, PluginId, Problem, ProblemKind, error_chain};
use serde_json::{Map, Value, json};

use crate::state_file::{self, StateFileError};
use crate::trust::Approved;

/// The format of the file.
const FORMAT: u64 = 1;
/// The source of what an account has.
pub(crate) const REMOTE: &str = "remote";
/// Stands for every source: that of a yes to a plugin whose marketplace nobody here knows yet.
pub(crate) const ANYWHERE: &str = "anywhere";
/// More than anybody approves.
const MAX_BYTES: u64 = 4 << 20;

/// The approvals of one home directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Approvals {
    rows: BTreeMap<PluginId, Vec<Approval>>,
    /// What could not be read of the file.
    pub(crate) problems: Vec<Problem>,
}

/// One yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The content.
    pub digest: Digest,
    /// Where it comes from, in the words of the file.
    pub source: String,
    /// Whether it may come however young its commit is.
    pub any_age: bool,
    /// When it was given, in seconds since the epoch.
    pub approved_at: u64,
    /// The program through which it was given.
    pub by: Option<String>,
}

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalsError {
    /// The system refuses.
    #[error("the approvals cannot be read or written: {path}")]
    File {
        /// The file.
        path: AbsPath,
        /// Why.
        #[source]
        source: Box<DiskError>,
    },
    /// It is no JSON object.
    #[error("the approvals cannot be understood: {path}")]
    Syntax {
        /// The file.
        path: AbsPath,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A newer program has written it.
    #[error("the approvals are in format {found}, and this program knows {FORMAT}: {path}")]
    TooNew {
        /// The file.
        path: AbsPath,
        /// Its format.
        found: u64,
    },
}

impl ApprovalsError {
    /// The file.
    pub(crate) fn path(&self) -> &AbsPath {
        match self {
            Self::File { path, .. } | Self::Syntax { path, .. } | Self::TooNew { path, .. } => path,
        }
    }

    /// Whether another process held the lock for too long.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Self::File { source, .. } if matches!(**source, DiskError::Locked { .. }))
    }
}

/// A source as the file names it.
pub(crate) fn source_text(binding: &Binding) -> String {
    match binding {
        Binding::Manifest(path) => format!("manifest:{path}"),
        Binding::Git { url, ref_name } => {
            let url = without_secrets(url);
            match ref_name {
                Some(name) => format!("git:{url}#{name}"),
                None => format!("git:{url}"),
            }
        }
        Binding::Packed(origin) => format!("packed:{origin}"),
        Binding::Curated => "curated".to_owned(),
        // Whose plugin it is stands in its id, and its content in the digest.
        Binding::Remote { .. } => REMOTE.to_owned(),
    }
}

impl Approvals {
    /// Reads them. There need be no file.
    pub(crate) fn read(disk: &Disk, layout: &Layout) -> Self {
        let file = layout.approvals();
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
        let mut approvals = Self::default();
        let plugins = root.get("approvals").and_then(Value::as_object);
        for (key, rows) in plugins.into_iter().flatten() {
            let (id, rows) = (PluginId::parse(key), rows.as_array());
            let parsed: Option<Vec<Approval>> =
                rows.and_then(|rows| rows.iter().map(approval).collect());
            match (id, parsed) {
                (Ok(id), Some(parsed)) => drop(approvals.rows.insert(id, parsed)),
                _ => {
                    let text = "this approves nothing";
                    let problem = Problem::error(ProblemKind::BadValue, text).in_file(file);
                    approvals
                        .problems
                        .push(problem.at_field(format!("approvals.{key}")));
                }
            }
        }
        approvals
    }

    /// All of them, by plugin.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&PluginId, &Approval)> {
        let rows = self.rows.iter();
        rows.flat_map(|(id, rows)| rows.iter().map(move |one| (id, one)))
    }

    /// Those of a plugin that count for one source.
    pub(crate) fn of_plugin(
        &self,
        id: &PluginId,
        from: &Binding,
    ) -> impl Iterator<Item = &Approval> {
        let source = source_text(from);
        let rows = self.rows.get(id).into_iter().flatten();
        rows.filter(move |one| [&source, ANYWHERE].contains(&one.source.as_str()))
    }

    /// How far a content is approved.
    pub(crate) fn approved(&self, id: &PluginId, from: &Binding, content: &Digest) -> Approved {
        let mut approved = Approved::No;
        for one in self.of_plugin(id, from) {
            match (one.digest == *content, one.any_age) {
                (false, _) => {}
                (true, true) => return Approved::AtAnyAge,
                (true, false) => approved = Approved::Yes,
            }
        }
        approved
    }
}

fn approval(row: &Value) -> Option<Approval> {
    Some(Approval {
        digest: Digest::parse(row["digest"].as_str()?).ok()?,
        source: row["source"].as_str()?.to_owned(),
        any_age: row["anyAge"] == true,
        approved_at: row["approvedAt"].as_u64().unwrap_or(0),
        by: row["by"].as_str().map(str::to_owned),
    })
}

/// A change of the file.
pub(crate) enum ApprovalEdit {
    /// Gives a yes.
    Give(PluginId, Approval),
    /// Takes back what was given for one content from one source.
    Revoke(PluginId, Digest, String),
}

/// Writes changes that are decided under the lock, on what is there then.
pub(crate) fn write<'a, T>(
    disk: &Disk,
    layout: &Layout,
    patience: impl Into<Patience<'a>>,
    decide: impl FnOnce(&Approvals) -> (Vec<ApprovalEdit>, T),
) -> Result<T, ApprovalsError> {
    let file = layout.approvals();
    let in_file = |source| ApprovalsError::File {
        path: file.clone(),
        source: Box::new(source),
    };
    let _lock = disk
        .lock(&layout.lock("store"), patience)
        .map_err(in_file)?;
    let mut root = raw(disk, &file)?;
    let (edits, answer) = decide(&Approvals::of(&root, &file));
    if edits.is_empty() {
        return Ok(answer);
    }
    root.insert("version".to_owned(), json!(FORMAT));
    let mut plugins = match root.remove("approvals") {
        Some(Value::Object(rows)) => rows,
        _ => Map::new(),
    };
    for edit in edits {
        apply(&mut plugins, edit);
    }
    root.insert("approvals".to_owned(), Value::Object(plugins));
    let mut text = Value::Object(root).to_string();
    text.push('\n');
    disk.replace(&file, text.as_bytes(), 0o600)
        .map_err(in_file)?;
    Ok(answer)
}

fn apply(plugins: &mut Map<String, Value>, edit: ApprovalEdit) {
    let (key, digest, source) = match &edit {
        ApprovalEdit::Give(id, given) => (id.to_string(), given.digest, given.source.clone()),
        ApprovalEdit::Revoke(id, digest, source) => (id.to_string(), *digest, source.clone()),
    };
    let mut rows = match plugins.remove(&key) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    };
    let is_meant = |row: &Value| {
        row["digest"] == digest.to_string().as_str() && row["source"] == source.as_str()
    };
    let before = rows.iter().find(|row| is_meant(row)).cloned();
    rows.retain(|row| !is_meant(row));
    if let ApprovalEdit::Give(_, given) = edit {
        let mut row = match before {
            Some(Value::Object(row)) => row,
            _ => Map::new(),
        };
        row.insert("digest".to_owned(), json!(digest.to_string()));
        row.insert("source".to_owned(), json!(source));
        row.insert("anyAge".to_owned(), json!(given.any_age));
        row.insert("approvedAt".to_owned(), json!(given.approved_at));
        row.insert("by".to_owned(), json!(given.by));
        rows.push(Value::Object(row));
    }
    if !rows.is_empty() {
        plugins.insert(key, Value::Array(rows));
    }
}

fn raw(disk: &Disk, file: &AbsPath) -> Result<Map<String, Value>, ApprovalsError> {
    state_file::members(disk, file, MAX_BYTES, FORMAT).map_err(|error| match error {
        StateFileError::File(source) => ApprovalsError::File {
            path: file.clone(),
            source: Box::new(source),
        },
        StateFileError::Syntax(source) => ApprovalsError::Syntax {
            path: file.clone(),
            source,
        },
        StateFileError::TooNew(found) => ApprovalsError::TooNew {
            path: file.clone(),
            found,
        },
    })
}

#[cfg(test)]
#[path = "approvals_tests.rs"]
mod tests;
