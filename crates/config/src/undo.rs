//! The way back from an edit.
//!
//! A record knows the bytes that were cut and pasted, with what stood around them, and the values
//! before and after. Three ways back are tried: the exact bytes when the file is as the edit left
//! it; the same bytes found by their surroundings when something else in it changed; else the old
//! value through an ordinary edit. A key that no longer holds what the edit wrote is left alone:
//! somebody has decided otherwise since.

use std::time::Duration;

use plugd_disk::{Disk, Unsynced};
use plugd_model::{Layout, hex};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::edit::{self, Edited, Splice};
use crate::write::{self, Target, WriteError};
use crate::{Edit, KeyPath, swap};

/// How much text around a splice is remembered. Long enough to be unique, short enough that an
/// edit nearby does not often reach into it.
const CONTEXT_CHARS: usize = 80;
/// The format of the JSON form.
const FORMAT: u64 = 1;

/// How to undo one write.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoRecord {
    target: Target,
    digest_after: String,
    keys: Vec<KeyRecord>,
    splices: Vec<SpliceRecord>,
}

/// One edited key.
#[derive(Debug, Clone, PartialEq)]
struct KeyRecord {
    path: KeyPath,
    before: Option<Value>,
    after: Option<Value>,
    /// What the edit made on the way to the key, from the top down, down to the key itself: each
    /// with the value it had afterwards.
    created: Vec<Value>,
}

/// One cut and paste with its surroundings.
#[derive(Debug, Clone, PartialEq)]
struct SpliceRecord {
    splice: Splice,
    front: String,
    behind: String,
}

/// What an undo did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undone {
    /// Keys that have their former state again; for an element that was added or removed, its array.
    pub restored: Vec<KeyPath>,
    /// Keys that no longer held what the edit wrote, and were left alone.
    pub left: Vec<KeyPath>,
}

/// Why a JSON value is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoRecordError {
    /// A member is missing or has the wrong type.
    #[error("the undo record has no usable `{member}`")]
    Member {
        /// The member.
        member: &'static str,
    },
    /// A newer program wrote it.
    #[error("the undo record has format {found}, this program knows {FORMAT}")]
    TooNew {
        /// The format number.
        found: u64,
    },
}

impl UndoRecord {
    pub(crate) fn of(target: Target, edits: &[Edit], edited: &Edited) -> Self {
        let keys = edits.iter().map(|edit| {
            let path = resized_array(edited, edit.key_path.segments());
            let existing = (0..=path.len())
                .rev()
                .find(|depth| edit::lookup(&edited.before.meaning, &path[..*depth]).is_some())
                .unwrap_or(0);
            let created = (existing + 1..=path.len())
                .filter_map(|depth| edit::lookup(&edited.after.meaning, &path[..depth]).cloned());
            KeyRecord {
                path: KeyPath::new(path.to_vec()).unwrap_or_else(|_| edit.key_path.clone()),
                before: edit::lookup(&edited.before.meaning, path).cloned(),
                after: edit::lookup(&edited.after.meaning, path).cloned(),
                created: created.collect(),
            }
        });
        // The surroundings of each splice right after it was made: walk back from the end.
        let mut text = edited.after.text.clone();
        let mut splices = Vec::new();
        for splice in edited.splices.iter().rev() {
            let end = splice.at + splice.inserted.len();
            splices.push(SpliceRecord {
                splice: splice.clone(),
                front: last_chars(&text[..splice.at]).to_owned(),
                behind: first_chars(&text[end..]).to_owned(),
            });
            text.replace_range(splice.at..end, &splice.removed);
        }
        splices.reverse();
        let mut keys: Vec<_> = keys.collect();
        // Two steps of one edit may be about the same array.
        keys.dedup();
        Self {
            target,
            digest_after: digest(&edited.after.text),
            keys,
            splices,
        }
    }

    /// The record as JSON, for a journal that does not look inside.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys = self.keys.iter().map(|key| {
            json!({
                "path": key.path.segments(),
                // In a list, so that null and absent differ.
                "before": key.before.iter().collect::<Vec<_>>(),
                "after": key.after.iter().collect::<Vec<_>>(),
                "created": key.created,
            })
        });
        let splices = self.splices.iter().map(|record| {
            json!({
                "at": record.splice.at,
                "removed": record.splice.removed,
                "inserted": record.splice.inserted,
                "front": record.front,
                "behind": record.behind,
            })
        });
        json!({
            "version": FORMAT,
            "file": match self.target {
                Target::Config => "config",
                Target::Settings => "plugd",
            },
            "digestAfter": self.digest_after,
            "keys": keys.collect::<Vec<_>>(),
            "splices": splices.collect::<Vec<_>>(),
        })
    }

    /// Reads what [`UndoRecord::to_json`] wrote; unknown members are ignored.
    ///
    /// # Errors
    /// The value is something else.
    pub fn from_json(value: &Value) -> Result<Self, UndoRecordError> {
        let found = value["version"].as_u64().ok_or(bad("version"))?;
        if found > FORMAT {
            return Err(UndoRecordError::TooNew { found });
        }
        let target = match value["file"].as_str() {
            Some("config") => Target::Config,
            Some("plugd") => Target::Settings,
            _ => return Err(bad("file")),
        };
        let list = |member: &'static str| value[member].as_array().ok_or(bad(member));
        Ok(Self {
            target,
            digest_after: text(value, "digestAfter")?,
            keys: list("keys")?
                .iter()
                .map(key_record)
                .collect::<Result<_, _>>()?,
            splices: list("splices")?
                .iter()
                .map(splice_record)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The keys that hold what the edit wrote, among those that it changed; and all of these, as they
    /// are undone or left.
    fn holding(&self, now: &Value) -> (Vec<&KeyRecord>, Undone) {
        let mut undone = Undone::default();
        let mut holding = Vec::new();
        for key in self.keys.iter().filter(|key| key.before != key.after) {
            let path = self.target.outer_key(&key.path);
            if edit::lookup(now, key.path.segments()) == key.after.as_ref() {
                holding.push(key);
                undone.restored.push(path);
            } else {
                undone.left.push(path);
            }
        }
        (holding, undone)
    }

    /// What an undo does where none of the keys holds what the edit wrote: nothing.
    fn nothing_of_it(&self, text: &str) -> Option<Undone> {
        let now = edit::meaning(text).ok()?;
        let (holding, undone) = self.holding(&now);
        holding.is_empty().then_some(undone)
    }

    /// The new text, and which keys were restored or left.
    pub(crate) fn undo(&self, text: &str) -> Result<(String, Undone), edit::EditError> {
        let now = edit::meaning(text).map_err(edit::EditError::Broken)?;
        let (holding, undone) = self.holding(&now);
        if undone.left.is_empty()
            && let Some(restored) = self.undo_bytes(text)
        {
            return Ok((restored, undone));
        }
        let mut restored = text.to_owned();
        for key in holding.into_iter().rev() {
            let now = edit::meaning(&restored).map_err(edit::EditError::Broken)?;
            restored = edit::apply(&restored, &[key.way_back(&now)])?
                .after
                .text
                .clone();
        }
        Ok((restored, undone))
    }

    /// Puts the bytes back, when their places are certain and nothing else changes by it.
    fn undo_bytes(&self, text: &str) -> Option<String> {
        let mut restored = text.to_owned();
        let is_exact = digest(text) == self.digest_after;
        for record in self.splices.iter().rev() {
            let at = match is_exact {
                true => record.splice.at,
                false => record.find(&restored)?,
            };
            let span = at..at + record.splice.inserted.len();
            if restored.get(span.clone()) != Some(record.splice.inserted.as_str()) {
                return None;
            }
            restored.replace_range(span, &record.splice.removed);
        }
        if is_exact {
            return Some(restored);
        }
        let mut expected = edit::meaning(text).ok()?;
        for key in self.keys.iter().rev() {
            let way_back = key.way_back(&expected);
            edit::expect(&mut expected, &way_back);
        }
        (edit::meaning(&restored).ok()? == expected).then_some(restored)
    }
}

impl KeyRecord {
    /// The ordinary edit that restores the key in a file that means `now`.
    fn way_back(&self, now: &Value) -> Edit {
        let path = self.path.segments();
        if let Some(before) = &self.before {
            return Edit::set(self.path.clone(), before.clone());
        }
        // Tables that were made on the way go too, unless something else has moved in.
        let first = path.len() + 1 - self.created.len().min(path.len());
        let unchanged = self
            .created
            .iter()
            .zip(first..)
            .find(|(value, depth)| edit::lookup(now, &path[..*depth]) == Some(value))
            .map_or(path.len(), |(_, depth)| depth);
        let gone = KeyPath::new(path[..unchanged].to_vec());
        Edit::delete(gone.unwrap_or_else(|_| self.path.clone()))
    }
}

impl SpliceRecord {
    /// The only place where the inserted text stands between its surroundings.
    fn find(&self, text: &str) -> Option<usize> {
        let pattern = format!("{}{}{}", self.front, self.splice.inserted, self.behind);
        if pattern.is_empty() {
            return None;
        }
        let at = text.find(&pattern)?;
        let next = at + pattern.chars().next().map_or(1, char::len_utf8);
        let is_only = !text[next..].contains(&pattern);
        is_only.then_some(at + self.front.len())
    }
}

/// Where an edit added or removed an element, the key to restore is the whole array: an index means
/// another element afterwards.
fn resized_array<'p>(edited: &Edited, path: &'p [String]) -> &'p [String] {
    let length = |meaning, depth: usize| {
        let value = edit::lookup(meaning, &path[..depth])?;
        value.as_array().map(Vec::len)
    };
    (1..path.len())
        .find(|&depth| {
            length(&edited.before.meaning, depth) != length(&edited.after.meaning, depth)
        })
        .map_or(path, |depth| &path[..depth])
}

/// Undoes a write as far as its keys still hold what it wrote.
///
/// # Errors
/// As [`write`](crate::write()); the file is unchanged then.
pub fn undo(
    disk: &Disk,
    layout: &Layout,
    record: &UndoRecord,
    patience: Duration,
) -> Result<Undone, WriteError> {
    write::check_state(disk, layout)?;
    let file = record.target.file(layout);
    // An edit that was refused is taken back by whoever asked for it, and the reason was that others
    // are at the file: none of them is waited for when there is nothing of it.
    let mut untouched = None;
    if swap::needs_no_change(disk, &file, |text| {
        untouched = record.nothing_of_it(text);
        untouched.is_some()
    })? {
        return Ok(untouched.unwrap_or_default());
    }
    let _lock = disk.lock(&layout.lock("config"), patience)?;
    let mut last = Undone::default();
    swap::change(disk, layout.home(), &file, patience.into(), &mut |text| {
        let (restored, undone) = record
            .undo(text)
            .map_err(|error| write::refusal(record.target, &file, text, error))?;
        last = undone;
        Ok(restored)
    })?;
    Ok(last)
}

/// Whether a write was made: none of the keys that it changed is as it was before. Adds the directory
/// that has to be synced so that this stays so.
///
/// # Errors
/// The file cannot be read or understood.
pub fn is_made(
    disk: &Disk,
    layout: &Layout,
    record: &UndoRecord,
    unsynced: &mut Unsynced,
) -> Result<bool, WriteError> {
    let file = record.target.file(layout);
    let target = disk.follow_links(&file)?;
    let text = swap::read_settled(disk, &target)?.unwrap_or_default();
    let now = edit::meaning(&text)
        .map_err(|why| write::refusal(record.target, &file, &text, edit::EditError::Broken(why)))?;
    let mut changed = record.keys.iter().filter(|key| key.before != key.after);
    let made = changed.all(|key| edit::lookup(&now, key.path.segments()) != key.before.as_ref());
    // One that is not there has nothing to be synced.
    if disk.stamp(&target)?.is_some() {
        unsynced.dir(target.parent().unwrap_or(target));
    }
    Ok(made)
}

fn key_record(value: &Value) -> Result<KeyRecord, UndoRecordError> {
    let optional = |member: &'static str| match value[member].as_array().map(Vec::as_slice) {
        Some([]) => Ok(None),
        Some([value]) => Ok(Some(value.clone())),
        _ => Err(bad(member)),
    };
    let path = value["path"].as_array().ok_or(bad("path"))?;
    let path: Option<Vec<_>> = path.iter().map(Value::as_str).collect();
    let path = path.and_then(|path| KeyPath::new(path).ok());
    Ok(KeyRecord {
        path: path.ok_or(bad("path"))?,
        before: optional("before")?,
        after: optional("after")?,
        created: value["created"].as_array().ok_or(bad("created"))?.clone(),
    })
}

fn splice_record(value: &Value) -> Result<SpliceRecord, UndoRecordError> {
    let at = value["at"].as_u64().and_then(|at| usize::try_from(at).ok());
    Ok(SpliceRecord {
        splice: Splice {
            at: at.ok_or(bad("at"))?,
            removed: text(value, "removed")?,
            inserted: text(value, "inserted")?,
        },
        front: text(value, "front")?,
        behind: text(value, "behind")?,
    })
}

fn text(value: &Value, member: &'static str) -> Result<String, UndoRecordError> {
    value[member].as_str().map(str::to_owned).ok_or(bad(member))
}

fn bad(member: &'static str) -> UndoRecordError {
    UndoRecordError::Member { member }
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn first_chars(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(CONTEXT_CHARS)
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn last_chars(text: &str) -> &str {
    let start = text
        .char_indices()
        .rev()
        .nth(CONTEXT_CHARS - 1)
        .map_or(0, |(at, _)| at);
    &text[start..]
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
