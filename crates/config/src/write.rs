//! Writing the user's configuration: which file an edit belongs to, whether it may be made, and the
//! write itself.
//!
//! Only two files are ever written: the user's `config.toml`, and the user's `plugd.toml` for keys
//! below `plugd`. A write happens under the lock `config` and is refused rather than made on a file
//! that cannot be understood.

use plugd_disk::{Disk, DiskError, Patience};
use plugd_model::{AbsPath, Layout, Problem, ProblemKind};
use serde_json::Value;

use crate::edit::{self, EditError, Edited};
use crate::layer::{self, LayerSource, Stack};
use crate::reader::Reader;
use crate::snapshot::SETTINGS_KEY;
use crate::swap;
use crate::undo::UndoRecord;
use crate::{Edit, KeyPath, marketplace_setting, plugin_setting, settings};

/// The format number of the state directory that this program knows.
const STATE_VERSION: u64 = 1;
/// The largest file that can hold a format number.
const MAX_VERSION_BYTES: u64 = 1024;

/// Why the configuration was not written. Nothing has changed then, with one exception: when the
/// system refuses at the very end, to make a finished write durable, [`WriteError::Disk`] is all that
/// can be said, and the file holds the new text.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file has changed since the caller read it.
    #[error("the configuration has version {found} and not {expected}")]
    Stale {
        /// What the caller expected.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The key path names no key of a file.
    #[error("the key path names no key")]
    NoKey,
    /// A value that the configuration cannot hold at this key.
    #[error("`{field}` cannot have this value: {reason}")]
    Invalid {
        /// The key.
        field: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// The file is not valid, so it is left alone.
    #[error("`{path}` is broken: {}", problem.message)]
    Broken {
        /// The file.
        path: AbsPath,
        /// What is wrong, and at which line and column.
        problem: Box<Problem>,
    },
    /// Another file than the user's own.
    #[error("`{path}` is not the user's configuration and is never written")]
    ReadOnly {
        /// The file.
        path: AbsPath,
    },
    /// Edits of both files at once, which could not be made in one step.
    #[error("keys below `plugd` and other keys cannot be written together")]
    TwoFiles,
    /// The edit would change more than its key.
    #[error("`{field}` cannot be edited without touching its neighbours")]
    NotExact {
        /// The key.
        field: String,
    },
    /// A newer program has been here.
    #[error("the state directory has format {found}, this program knows {STATE_VERSION}")]
    StateTooNew {
        /// The format number.
        found: u64,
    },
    /// Somebody else holds the lock.
    #[error("the lock `{path}` is held by another process")]
    Locked {
        /// The lock file.
        path: AbsPath,
    },
    /// The edit was given up while it waited for the lock.
    #[error("the edit was given up while it waited for the lock `{path}`")]
    NotWanted {
        /// The lock file.
        path: AbsPath,
    },
    /// Other programs rewrote the file again and again.
    #[error("`{path}` kept changing while it was edited")]
    Contested {
        /// The file.
        path: AbsPath,
    },
    /// The system refused.
    #[error("the configuration cannot be saved")]
    Disk {
        /// The system's reason.
        #[source]
        source: DiskError,
    },
}

impl WriteError {
    /// A file that is there and cannot be edited.
    pub(crate) fn unusable(path: &AbsPath, problem: &Problem) -> Self {
        Self::Broken {
            path: path.clone(),
            problem: Box::new(problem.clone()),
        }
    }
}

impl From<DiskError> for WriteError {
    fn from(source: DiskError) -> Self {
        match source {
            DiskError::Locked { path } => Self::Locked { path },
            DiskError::NotWanted { path } => Self::NotWanted { path },
            source => Self::Disk { source },
        }
    }
}

/// What a write did.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The file, also when nothing had to be written.
    pub file: AbsPath,
    /// The version of the user's layer after it.
    pub version: String,
    /// Each edited key with the value it had.
    pub before: Vec<(KeyPath, Option<Value>)>,
    /// Whether any byte changed.
    pub changed: bool,
    /// The way back.
    pub undo: UndoRecord,
}

/// One of the two files that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Config,
    Settings,
}

impl Target {
    /// The file that holds all these keys.
    fn of(edits: &[Edit]) -> Result<Self, WriteError> {
        let target = |edit: &Edit| match edit.key_path.segments() {
            [first, ..] if first == SETTINGS_KEY => Self::Settings,
            _ => Self::Config,
        };
        let Some(first) = edits.first().map(target) else {
            return Ok(Self::Config);
        };
        if edits.iter().any(|edit| target(edit) != first) {
            return Err(WriteError::TwoFiles);
        }
        Ok(first)
    }

    pub(crate) fn file(self, layout: &Layout) -> AbsPath {
        match self {
            Self::Config => layout.user_config(),
            Self::Settings => layout.user_plugd_config(),
        }
    }

    /// The edits as the file itself sees them.
    fn own_edits(self, edits: &[Edit]) -> Result<Vec<Edit>, WriteError> {
        let own = |edit: &Edit| {
            let segments = edit.key_path.segments();
            let segments = match self {
                Self::Config => segments,
                Self::Settings => &segments[1..],
            };
            let key_path = KeyPath::new(segments.to_vec()).map_err(|_| WriteError::NoKey)?;
            Ok(Edit {
                key_path,
                ..edit.clone()
            })
        };
        edits.iter().map(own).collect()
    }

    /// A key of the file as callers call it.
    pub(crate) fn outer_key(self, key: &KeyPath) -> KeyPath {
        match self {
            Self::Config => key.clone(),
            Self::Settings => {
                let inner = key.segments().iter().map(String::as_str);
                let outer = std::iter::once(SETTINGS_KEY).chain(inner);
                KeyPath::new(outer).unwrap_or_else(|_| key.clone())
            }
        }
    }
}

/// Makes sure that a file named by a caller is one that is written for this key.
///
/// # Errors
/// [`WriteError::ReadOnly`] when it is another file.
pub fn check_file(
    disk: &Disk,
    layout: &Layout,
    file: &AbsPath,
    key: &KeyPath,
) -> Result<(), WriteError> {
    let own = match key.segments() {
        [first, ..] if first == SETTINGS_KEY => layout.user_plugd_config(),
        _ => layout.user_config(),
    };
    let same = *file == own
        || matches!((disk.resolve(file), disk.resolve(&own)), (Ok(a), Ok(b)) if a == b);
    // A caller that knows one file only may name it for the settings as well.
    if same || *file == layout.user_config() {
        return Ok(());
    }
    Err(WriteError::ReadOnly { path: file.clone() })
}

/// Makes edits, all or none. `expected_version` is the version of the layer that the caller has
/// seen; `lock_patience` is how long another process may hold the lock.
///
/// # Errors
/// See [`WriteError`]; the files are unchanged then.
pub fn write<'a>(
    disk: &Disk,
    layout: &Layout,
    edits: &[Edit],
    expected_version: Option<&str>,
    lock_patience: impl Into<Patience<'a>>,
) -> Result<Written, WriteError> {
    let target = Target::of(edits)?;
    let own = target.own_edits(edits)?;
    check_state(disk, layout)?;
    let file = target.file(layout);
    let _lock = disk.lock(&layout.lock("config"), lock_patience)?;
    let mut expected = expected_version;
    let mut last = None;
    swap::change(disk, layout.home(), &file, &mut |text| {
        // Only of the text that was read first: what a program writes while we write is written at
        // the same time, and no version that the caller has seen could tell.
        if let Some(expected) = expected.take() {
            check_version(target, &file, text, expected)?;
        }
        let edited = edit_text(target, &file, text, &own)?;
        let text = edited.text.clone();
        last = Some(edited);
        Ok(text)
    })?;
    let Some(edited) = last else {
        return Err(WriteError::Contested { path: file });
    };
    let before = own.iter().zip(edits).map(|(own, edit)| {
        let old = edit::lookup(&edited.before, own.key_path.segments());
        (edit.key_path.clone(), old.cloned())
    });
    Ok(Written {
        version: layer::version(&edited.after),
        before: before.collect(),
        changed: !edited.splices.is_empty(),
        undo: UndoRecord::of(target, &own, &edited),
        file,
    })
}

/// Says how edits that are about to be made could be undone, without making them. A transaction
/// writes this down first, so that a crash right after the write finds the way back.
///
/// # Errors
/// As [`write`](write()): edits that could not be made cannot be planned.
pub fn plan(disk: &Disk, layout: &Layout, edits: &[Edit]) -> Result<UndoRecord, WriteError> {
    let target = Target::of(edits)?;
    let own = target.own_edits(edits)?;
    check_state(disk, layout)?;
    let file = target.file(layout);
    let text = layer::read_text(disk, &file)
        .map_err(|problem| WriteError::unusable(&file, &problem))?
        .unwrap_or_default();
    let edited = edit_text(target, &file, &text, &own)?;
    Ok(UndoRecord::of(target, &own, &edited))
}

/// Refuses to write beside state of a newer format, whose rules are unknown.
pub(crate) fn check_state(disk: &Disk, layout: &Layout) -> Result<(), WriteError> {
    let bytes = match disk.read(&layout.state_version(), MAX_VERSION_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let number = String::from_utf8_lossy(&bytes).trim().parse::<u64>();
    match number {
        Ok(found) if found > STATE_VERSION => Err(WriteError::StateTooNew { found }),
        _ => Ok(()),
    }
}

fn check_version(
    target: Target,
    file: &AbsPath,
    text: &str,
    expected: &str,
) -> Result<(), WriteError> {
    let meaning = edit::meaning(text)
        .map_err(|syntax| refusal(target, file, text, EditError::Broken(syntax)))?;
    let found = layer::version(&meaning);
    if found == expected {
        return Ok(());
    }
    Err(WriteError::Stale {
        expected: expected.to_owned(),
        found,
    })
}

fn edit_text(
    target: Target,
    file: &AbsPath,
    text: &str,
    edits: &[Edit],
) -> Result<Edited, WriteError> {
    let edited = edit::apply(text, edits).map_err(|error| refusal(target, file, text, error))?;
    validate(target, file, text, &edited.text)?;
    Ok(edited)
}

/// Turns an error of the editing into one of the write.
pub(crate) fn refusal(target: Target, file: &AbsPath, text: &str, error: EditError) -> WriteError {
    match error {
        EditError::Broken(syntax) => {
            let place = plugd_model::Place::of_offset(text.as_bytes(), syntax.start);
            let problem = Problem::error(ProblemKind::Config, syntax.message);
            WriteError::unusable(file, &problem.in_file(file).at(place))
        }
        EditError::Refused { key, source } => WriteError::Invalid {
            field: target.outer_key(&key).to_string(),
            reason: source.to_string(),
        },
        EditError::NotExact { key } => WriteError::NotExact {
            field: target.outer_key(&key).to_string(),
        },
    }
}

/// An edit must not make the file say something that its readers would refuse. What was wrong
/// before does not stand in the way.
fn validate(target: Target, file: &AbsPath, before: &str, after: &str) -> Result<(), WriteError> {
    let known: Vec<_> = complaints(target, file, before)
        .into_iter()
        .map(|problem| (problem.field, problem.message))
        .collect();
    for problem in complaints(target, file, after) {
        let is_wrong = matches!(problem.kind, ProblemKind::WrongType | ProblemKind::BadValue);
        let row = (problem.field, problem.message);
        if is_wrong && !known.contains(&row) {
            return Err(WriteError::Invalid {
                field: row.0.unwrap_or_default(),
                reason: row.1,
            });
        }
    }
    Ok(())
}

fn complaints(target: Target, file: &AbsPath, text: &str) -> Vec<Problem> {
    let mut stack = Stack::default();
    let index = stack.add_text(LayerSource::User, file.clone(), text.to_owned());
    let tree = &stack.drafts[index].tree;
    let mut reader = Reader::new(&stack);
    match target {
        Target::Config => {
            plugin_setting::read(&mut reader, tree);
            marketplace_setting::read(&mut reader, tree);
            plugin_setting::read_features(&mut reader, tree);
        }
        Target::Settings => {
            let trust: Vec<_> = tree.get("trust").into_iter().collect();
            settings::read(&mut reader, tree, &trust);
        }
    }
    reader.problems
}

#[cfg(test)]
pub(crate) mod tests;
