//! Which file edits belong to, and the edits as that file sees them.
//!
//! Callers see the settings as the table `plugd` of one configuration; in their own file they are
//! the whole document. An edit of that table is therefore one edit per key of the document.

use std::borrow::Cow;

use plugd_model::{AbsPath, Layout};
use serde_json::{Map, Value};

use super::{WriteError, hook_trust, skill_rule};
use crate::snapshot::SETTINGS_KEY;
use crate::{Edit, KeyPath, Merge, edit};

/// One of the two files that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Config,
    Settings,
}

impl Target {
    /// The file that holds all these keys.
    pub(super) fn of(edits: &[Edit]) -> Result<Self, WriteError> {
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

    /// The path of an edit inside the file; empty for the whole document.
    pub(super) fn own_path(self, edit: &Edit) -> &[String] {
        let segments = edit.key_path.segments();
        match self {
            Self::Config => segments,
            Self::Settings => segments.get(1..).unwrap_or_default(),
        }
    }

    /// The edits as the file itself sees them; `meaning` is what it says before them.
    pub(super) fn own_edits(
        self,
        file: &AbsPath,
        edits: &[Edit],
        meaning: &Value,
    ) -> Result<Vec<Edit>, WriteError> {
        let mut own = Vec::new();
        let mut meaning = Cow::Borrowed(meaning);
        let last = edits.len().saturating_sub(1);
        for (index, edit) in edits.iter().enumerate() {
            let from = own.len();
            refuse_elements(edit, self.own_path(edit), &meaning)?;
            match KeyPath::new(self.own_path(edit).to_vec()) {
                Ok(_) if matches!(edit.strategy, Merge::Rule | Merge::LastRule) => {
                    let base = file.parent();
                    own.extend(skill_rule::steps(edit, &meaning, base.as_ref())?);
                }
                Ok(_) if self == Self::Config => own.extend(hook_trust::halves(edit, edits)),
                Ok(key_path) => own.push(Edit {
                    key_path,
                    ..edit.clone()
                }),
                Err(_) => own.extend(of_document(edit, &meaning)?),
            }
            if index == last {
                break;
            }
            for edit in &own[from..] {
                edit::expect(meaning.to_mut(), edit);
            }
        }
        Ok(own)
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

/// An edit of the whole document, key by key. New keys come before old ones go, as in any table.
fn of_document(edit: &Edit, meaning: &Value) -> Result<Vec<Edit>, WriteError> {
    let none = Map::new();
    let members = match &edit.value {
        None | Some(Value::Null) => &none,
        Some(Value::Object(members)) => members,
        Some(_) => {
            return Err(WriteError::Invalid {
                field: edit.key_path.to_string(),
                reason: "the settings are a table".to_owned(),
            });
        }
    };
    let mut own: Vec<Edit> = members
        .iter()
        .map(|(name, value)| Edit {
            key_path: KeyPath::of([name]),
            value: Some(value.clone()),
            strategy: edit.strategy,
        })
        .collect();
    let is_deletion = edit.written().is_none();
    if is_deletion || edit.strategy == Merge::Replace {
        let old = meaning.as_object().unwrap_or(&none).keys();
        let gone = old.filter(|name| !members.contains_key(*name));
        own.extend(gone.map(|name| Edit::delete(KeyPath::of([name]))));
    }
    Ok(own)
}

/// Refuses a key inside an array, also an element to delete: the reference knows no such key, and an
/// element that is counted off may be another one by the time it is written. What is no element is not
/// there, and can be deleted.
fn refuse_elements(edit: &Edit, path: &[String], meaning: &Value) -> Result<(), WriteError> {
    let is_deletion = edit.written().is_none();
    let mut above = 1..path.len();
    let is_inside = above.any(|depth| {
        let is_array = edit::lookup(meaning, &path[..depth]).is_some_and(Value::is_array);
        is_array && (!is_deletion || path[depth].parse::<usize>().is_ok())
    });
    if is_inside {
        return Err(WriteError::Invalid {
            field: edit.key_path.to_string(),
            reason: "an array is written as a whole".to_owned(),
        });
    }
    Ok(())
}

/// Refuses a null inside a value. TOML has none, and a caller who means "absent" by it would read a
/// success that says something else than what is in the file.
pub(super) fn refuse_nulls(edits: &[Edit]) -> Result<(), WriteError> {
    for edit in edits {
        let Some(value) = edit.written() else {
            continue;
        };
        if let Some(field) = first_null(value, &edit.key_path) {
            return Err(WriteError::Invalid {
                field: field.to_string(),
                reason: "null is no value of a configuration; leave the member out, or delete its \
                         key with an edit of its own"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// Where the first null stands.
fn first_null(value: &Value, path: &KeyPath) -> Option<KeyPath> {
    match value {
        Value::Null => Some(path.clone()),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, member)| first_null(member, &path.child(name))),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| first_null(item, &path.child(index.to_string()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
