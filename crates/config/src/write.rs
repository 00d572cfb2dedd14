//! Writing the user's configuration: which file an edit belongs to, whether it may be made, and the
//! write itself.
//!
//! Only two files are ever written: the user's `config.toml`, and the user's `plugd.toml` for keys
//! below `plugd`. A write happens under the lock `config` and is refused rather than made on a file
//! that cannot be understood.

use std::sync::Arc;

use plugd_disk::{Disk, DiskError, Patience};
use plugd_model::{AbsPath, Layout, Problem, ProblemKind, Severity};
use serde_json::Value;

use crate::edit::{self, EditError, Edited};
use crate::layer::{self, Stack, USER};
use crate::parsed::Parsed;
use crate::reader::Reader;
use crate::snapshot::SETTINGS_KEY;
use crate::swap;
use crate::undo::UndoRecord;
use crate::{
    Edit, KeyPath, foreign_keys, hook_setting, marketplace_setting, mcp_setting, plugin_setting,
    requirements, settings, skill_setting,
};

mod hook_trust;
mod pending;
mod plan;
mod skill_rule;
mod target;

pub use pending::{PendingWrite, SavedEdit, begin};
pub use plan::{Plan, plan};
pub(crate) use target::Target;

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

/// What a write did. What only a client that edits configuration wants to know is worked out when it
/// asks: an installation does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The file, also when nothing had to be written.
    pub file: AbsPath,
    /// Each edited key with the value it had.
    pub before: Vec<(KeyPath, Option<Value>)>,
    /// Whether any byte changed.
    pub changed: bool,
    target: Target,
    own: Vec<Edit>,
    edited: Edited,
}

impl Written {
    /// The version of the user's layer after it.
    #[must_use]
    pub fn version(&self) -> String {
        layer::version(&self.edited.after.meaning)
    }

    /// The way back.
    #[must_use]
    pub fn undo(&self) -> UndoRecord {
        UndoRecord::of(self.target, &self.own, &self.edited)
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
/// seen; `patience` is how long another process may hold the lock, and then how long other programs
/// may keep rewriting the file.
///
/// # Errors
/// See [`WriteError`]; the files are unchanged then.
pub fn write<'a>(
    disk: &Disk,
    layout: &Layout,
    edits: &[Edit],
    expected_version: Option<&str>,
    patience: impl Into<Patience<'a>>,
) -> Result<Written, WriteError> {
    check_state(disk, layout)?;
    let patience = patience.into();
    let lock = disk.lock(&layout.lock("config"), patience)?;
    let mut editing = Editing::new(disk, layout, edits, None)?;
    editing.expected_version = expected_version;
    let file = editing.file.clone();
    let home = layout.home();
    let mut is_settled = false;
    swap::change(disk, home, &file, patience, &mut |text| {
        let new = editing.on(text)?;
        if new != text && !is_settled {
            settle_journals(disk, layout)?;
            is_settled = true;
        }
        Ok(new)
    })?;
    drop(lock);
    editing.done()
}

/// Makes sure that no journal of a transaction that is over can come back after a loss of power: it
/// would find the configuration set back by this edit, and take that for its own work undone.
fn settle_journals(disk: &Disk, layout: &Layout) -> Result<(), WriteError> {
    let journals = layout.journals();
    match disk.link_stamp(&journals)? {
        Some(_) => Ok(disk.sync_dir(&journals)?),
        None => Ok(()),
    }
}

/// The files that edits of the user's files left behind when they were killed, and that hold nobody's
/// text. They may be removed by whoever holds the lock over configuration; the next edit does so too.
///
/// # Errors
/// A directory cannot be read.
pub fn left_overs(disk: &Disk, layout: &Layout) -> Result<Vec<AbsPath>, WriteError> {
    let mut found = Vec::new();
    for file in [layout.user_config(), layout.user_plugd_config()] {
        found.extend(swap::rubbish(disk, layout.home(), &file)?);
    }
    Ok(found)
}

/// Edits that are made on whatever text the file turns out to have.
struct Editing<'a> {
    target: Target,
    file: AbsPath,
    edits: &'a [Edit],
    expected_version: Option<&'a str>,
    plan: Option<Plan>,
    last: Option<(Vec<Edit>, Edited)>,
}

impl<'a> Editing<'a> {
    fn new(
        disk: &Disk,
        layout: &Layout,
        edits: &'a [Edit],
        plan: Option<Plan>,
    ) -> Result<Self, WriteError> {
        let target = Target::of(edits)?;
        target::refuse_nulls(edits)?;
        foreign_keys::refuse_profiles(edits)?;
        requirements::refuse_contrary(disk, layout, edits)?;
        Ok(Self {
            target,
            file: target.file(layout),
            edits,
            expected_version: None,
            plan,
            last: None,
        })
    }

    fn on(&mut self, text: &str) -> Result<String, WriteError> {
        let (own, edited) = match self.plan.take_if(|plan| plan.text() == text) {
            Some(plan) => (plan.own, plan.edited),
            None => {
                let parsed = parse(self.target, &self.file, text)?;
                // Only of the text that was read first: what a program writes while we write is written
                // at the same time, and no version that the caller has seen could tell.
                if let Some(expected) = self.expected_version.take() {
                    check_version(&parsed.meaning, expected)?;
                }
                edit_parsed(self.target, &self.file, &parsed, self.edits)?
            }
        };
        let text = edited.after.text.clone();
        self.last = Some((own, edited));
        Ok(text)
    }

    fn done(self) -> Result<Written, WriteError> {
        let Self {
            target,
            file,
            edits,
            last,
            ..
        } = self;
        let Some((own, edited)) = last else {
            return Err(WriteError::Contested { path: file });
        };
        let before = edits.iter().map(|edit| {
            let old = edit::lookup(&edited.before.meaning, target.own_path(edit));
            (edit.key_path.clone(), old.cloned())
        });
        Ok(Written {
            before: before.collect(),
            changed: !edited.splices.is_empty(),
            file,
            target,
            own,
            edited,
        })
    }
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

/// Parses a text that is to be edited.
fn parse(target: Target, file: &AbsPath, text: &str) -> Result<Arc<Parsed>, WriteError> {
    let parsed = Parsed::of(text.to_owned());
    let parsed = parsed.map_err(|syntax| refusal(target, file, text, EditError::Broken(syntax)))?;
    Ok(Arc::new(parsed))
}

fn check_version(meaning: &Value, expected: &str) -> Result<(), WriteError> {
    let found = layer::version(meaning);
    if found == expected {
        return Ok(());
    }
    Err(WriteError::Stale {
        expected: expected.to_owned(),
        found,
    })
}

/// Makes the edits on a text. They come back as the file itself sees them, which depends on the text
/// where one speaks of the whole file.
fn edit_parsed(
    target: Target,
    file: &AbsPath,
    before: &Arc<Parsed>,
    edits: &[Edit],
) -> Result<(Vec<Edit>, Edited), WriteError> {
    let own = target.own_edits(file, edits, &before.meaning)?;
    let edited =
        edit::apply_to(before, &own).map_err(|error| refusal(target, file, &before.text, error))?;
    let mut wrong = complaints(target, file, &edited.after);
    wrong.retain(is_wrong);
    if !wrong.is_empty() {
        validate(&complaints(target, file, before), wrong)?;
    }
    Ok((own, edited))
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

/// Whether the readers of a file would refuse it.
fn is_wrong(problem: &Problem) -> bool {
    matches!(problem.kind, ProblemKind::WrongType | ProblemKind::BadValue)
        && problem.severity == Severity::Error
}

/// An edit must not make the file say something that its readers would refuse. What was wrong
/// before does not stand in the way, also when it has moved up or down in its array.
fn validate(before: &[Problem], wrong: Vec<Problem>) -> Result<(), WriteError> {
    let row = |problem: &Problem| (wherever_it_stands(problem), problem.message.clone());
    let mut known: Vec<_> = before.iter().map(row).collect();
    for problem in wrong {
        // Each one that was there excuses one that is.
        let row = row(&problem);
        match known.iter().position(|known| *known == row) {
            Some(index) => {
                known.swap_remove(index);
            }
            None => {
                return Err(WriteError::Invalid {
                    field: problem.field.unwrap_or_default(),
                    reason: problem.message,
                });
            }
        }
    }
    Ok(())
}

/// The field of a problem without the positions in arrays.
fn wherever_it_stands(problem: &Problem) -> Option<String> {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = problem.field.as_deref()?.split('.');
    let parts: Vec<_> = parts
        .map(|part| if is_index(part) { "#" } else { part })
        .collect();
    Some(parts.join("."))
}

/// What the readers of a file have to say about a text.
fn complaints(target: Target, file: &AbsPath, Parsed { text, tree, .. }: &Parsed) -> Vec<Problem> {
    // The readers are handed the tree, and find in the layer where the places in it are.
    let stack = Stack::of_user(file.clone(), text.clone());
    let mut reader = Reader::new(&stack);
    match target {
        Target::Config => {
            plugin_setting::read(&mut reader, tree);
            marketplace_setting::read(&mut reader, tree);
            plugin_setting::read_features(&mut reader, tree);
            mcp_setting::user_servers(&mut reader, tree);
            skill_setting::read_rules(&mut reader, tree, file.parent().as_ref());
            skill_setting::read_switches(&mut reader, tree, &[USER]);
            hook_setting::read(&mut reader, tree);
            foreign_keys::check(&mut reader, tree);
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
