//! Edits: what to change, and the change made on a text with proof that nothing else changed.
//!
//! Nothing here touches a file; [`crate::write()`] does. Every result is parsed again and its meaning
//! compared with what the edit had to mean, so a form of TOML that the splicing does not foresee
//! ends in an error and never in a damaged file.

mod insert;
mod locate;
mod outline;
mod splice;

use std::borrow::Cow;
use std::sync::Arc;

use plugd_model::PluginId;
use serde_json::{Map, Value, json};

pub(crate) use splice::Splice;

use crate::parsed::Parsed;
use crate::tree::{self, Node, SyntaxError};
use crate::{KeyPath, MarketplaceKind, SkillSelector, skill_setting};
use splice::{Editor, SpliceError};

/// How a value meets what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The key holds exactly the new value afterwards.
    Replace,
    /// A table joins the table that is there, member by member; anything else replaces.
    Upsert,
    /// The value becomes the last element of the array; an array that is not there is made.
    Append,
    /// The value is a rule for skills: afterwards the array says of its skills what it says. Use
    /// [`Edit::set_skill_rule`].
    Rule,
    /// As [`Merge::Rule`], and no rule stands behind it: what it says wins against rules that are
    /// about the same skills in other words. Use [`Edit::set_last_skill_rule`].
    LastRule,
}

/// One change of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The key. A first segment `plugd` means the settings file.
    pub key_path: KeyPath,
    /// The new value; `None` deletes the key with everything below it.
    pub value: Option<Value>,
    /// How the value meets what is there.
    pub strategy: Merge,
}

impl Edit {
    /// Makes a key hold exactly this value.
    #[must_use]
    pub fn set(key_path: KeyPath, value: impl Into<Value>) -> Self {
        Self {
            key_path,
            value: Some(value.into()),
            strategy: Merge::Replace,
        }
    }

    /// What it puts at its key; `None` when it deletes that, which null means too.
    pub(crate) fn written(&self) -> Option<&Value> {
        self.value.as_ref().filter(|value| !value.is_null())
    }

    /// Deletes a key.
    #[must_use]
    pub fn delete(key_path: KeyPath) -> Self {
        Self {
            key_path,
            value: None,
            strategy: Merge::Replace,
        }
    }

    /// Configures a plugin, or switches a configured one; its other settings stay.
    #[must_use]
    pub fn set_plugin_enabled(id: &PluginId, enabled: bool) -> Self {
        Self::set(
            KeyPath::of(["plugins", &id.to_string(), "enabled"]),
            enabled,
        )
    }

    /// Removes a plugin from the configuration with all its settings.
    #[must_use]
    pub fn remove_plugin(id: &PluginId) -> Self {
        Self::delete(KeyPath::of(["plugins", &id.to_string()]))
    }

    /// Switches skills. Off is a rule, of which one is enough; on is the absence of a rule, so all
    /// that are about the same selector go, and with the last one the section.
    #[must_use]
    pub fn set_skill_rule(selector: &SkillSelector, enabled: bool) -> Self {
        Self::skill_rule(selector, enabled, Merge::Rule)
    }

    /// Switches skills by one rule behind all others, of which the last one decides. It is there
    /// also when it says on: some other rule would say off.
    #[must_use]
    pub fn set_last_skill_rule(selector: &SkillSelector, enabled: bool) -> Self {
        Self::skill_rule(selector, enabled, Merge::LastRule)
    }

    fn skill_rule(selector: &SkillSelector, enabled: bool, strategy: Merge) -> Self {
        let (member, text) = selector.written();
        Self {
            key_path: KeyPath::of(skill_setting::RULES),
            value: Some(json!({ member: text, "enabled": enabled })),
            strategy,
        }
    }

    /// Configures a marketplace; keys that mean nothing for this kind go, unknown ones stay.
    #[must_use]
    pub fn set_marketplace(key: &str, kind: &MarketplaceKind) -> Vec<Self> {
        let member = |name: &str, value: Option<Value>| Self {
            key_path: KeyPath::of(["marketplaces", key, name]),
            value,
            strategy: Merge::Replace,
        };
        let (source_type, source, ref_name, sparse_paths) = match kind {
            MarketplaceKind::Local { source: place } | MarketplaceKind::Packed { place, .. } => {
                ("local", place.to_text(), None, None)
            }
            MarketplaceKind::Git {
                source,
                ref_name,
                sparse_paths,
            } => {
                let paths = (!sparse_paths.is_empty()).then(|| sparse_paths.clone().into());
                ("git", source.clone(), ref_name.clone(), paths)
            }
        };
        vec![
            member("source_type", Some(source_type.into())),
            member("source", Some(source.into())),
            member("ref", ref_name.map(Into::into)),
            member("sparse_paths", sparse_paths),
            member("last_updated", None),
            member("last_revision", None),
        ]
    }

    /// Removes a marketplace from the configuration.
    #[must_use]
    pub fn remove_marketplace(key: &str) -> Self {
        Self::delete(KeyPath::of(["marketplaces", key]))
    }
}

/// A text before and after its edits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edited {
    pub(crate) before: Arc<Parsed>,
    /// Parsed again.
    pub(crate) after: Arc<Parsed>,
    pub(crate) splices: Vec<Splice>,
}

/// Why a text cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditError {
    /// It is no TOML to begin with.
    #[error("the text is no valid toml")]
    Broken(SyntaxError),
    /// One key cannot be set.
    #[error("`{key}` cannot be set")]
    Refused {
        key: KeyPath,
        #[source]
        source: SpliceError,
    },
    /// The result would not mean what it must.
    #[error("`{key}` cannot be edited without touching its neighbours")]
    NotExact { key: KeyPath },
}

/// Applies edits one after the other; none is applied when one fails.
pub(crate) fn apply(text: &str, edits: &[Edit]) -> Result<Edited, EditError> {
    let before = Parsed::of(text.to_owned()).map_err(EditError::Broken)?;
    apply_to(&Arc::new(before), edits)
}

/// The same to a text that was parsed. Another program may write the file meanwhile, so nothing is
/// parsed that was parsed before.
pub(crate) fn apply_to(before: &Arc<Parsed>, edits: &[Edit]) -> Result<Edited, EditError> {
    match apply_together(before, edits) {
        Some(edited) => Ok(edited),
        None => apply_each(before, edits),
    }
}

/// Makes several edits that have nothing to do with each other, and parses once what they leave. `None` when
/// they have, or when they have to be made one by one.
fn apply_together(before: &Arc<Parsed>, edits: &[Edit]) -> Option<Edited> {
    let [_, .., last] = edits else {
        return None;
    };
    let mut editor = Editor::new(before.text.clone());
    if !are_apart(edits) || !make_together(&mut editor, before, edits) {
        return None;
    }
    let tree = editor.tree().ok()?.into_owned();
    let mut meaning = before.meaning.clone();
    edits.iter().for_each(|edit| expect(&mut meaning, edit));
    if !means(&mut meaning, &tree, last) {
        return None;
    }
    let (text, splices) = editor.finish();
    let after = match splices.as_slice() {
        [] => Arc::clone(before),
        _ => Arc::new(Parsed {
            text,
            tree,
            meaning,
        }),
    };
    Some(Edited {
        before: Arc::clone(before),
        after,
        splices,
    })
}

/// Whether no key is above another one, or the same.
fn are_apart(edits: &[Edit]) -> bool {
    let paths = edits.iter().map(|edit| edit.key_path.segments());
    let mut paths: Vec<_> = paths.collect();
    paths.sort_unstable();
    paths.windows(2).all(|two| !two[1].starts_with(two[0]))
}

/// Makes edits of which each finds its key as it was before the others.
fn make_together(editor: &mut Editor<'_>, before: &Parsed, edits: &[Edit]) -> bool {
    let is_delete = |edit: &Edit| edit.written().is_none();
    if edits.iter().all(is_delete) {
        return editor.delete_lines(edits.iter().map(|edit| edit.key_path.segments()));
    }
    edits.iter().all(|edit| match &edit.value {
        Some(value) if edit.strategy == Merge::Replace && is_single(value) => {
            let path = edit.key_path.segments();
            let old = before.tree.at(path).map(Node::to_json);
            editor.set(path, old.as_ref(), value).is_ok()
        }
        _ => false,
    })
}

/// A value that is written in the place of another one as a whole.
fn is_single(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_))
}

fn apply_each(before: &Arc<Parsed>, edits: &[Edit]) -> Result<Edited, EditError> {
    let mut editor = Editor::new(before.text.clone());
    let mut tree = Cow::Borrowed(&before.tree);
    let mut expected = before.meaning.clone();
    for edit in edits {
        let path = edit.key_path.segments();
        let refuse = |source| EditError::Refused {
            key: edit.key_path.clone(),
            source,
        };
        let not_exact = || EditError::NotExact {
            key: edit.key_path.clone(),
        };
        editor.knows(tree);
        match (&edit.value, edit.strategy) {
            (None | Some(Value::Null), _) => editor.delete(path),
            (Some(value), Merge::Replace) => editor.replace(path, value).map_err(refuse)?,
            (Some(value), Merge::Upsert) => editor.upsert(path, value).map_err(refuse)?,
            (Some(value), Merge::Append) => editor.append(path, value).map_err(refuse)?,
            // Whoever writes has taken it apart: which keys it means depends on the text.
            (Some(_), Merge::Rule | Merge::LastRule) => return Err(not_exact()),
        }
        tree = editor.tree().map_err(|_| not_exact())?;
        expect(&mut expected, edit);
        if !means(&mut expected, &tree, edit) {
            return Err(not_exact());
        }
    }
    let (text, splices) = editor.finish();
    let after = match tree {
        Cow::Borrowed(_) => Arc::clone(before),
        Cow::Owned(tree) => Arc::new(Parsed {
            text,
            tree,
            meaning: expected,
        }),
    };
    Ok(Edited {
        before: Arc::clone(before),
        after,
        splices,
    })
}

/// The meaning of a text.
pub(crate) fn meaning(text: &str) -> Result<Value, SyntaxError> {
    Ok(tree::parse(text, 0)?.to_json())
}

/// What a path holds in a meaning.
pub(crate) fn lookup<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

/// Does to a meaning what the edit does to the text.
pub(crate) fn expect(meaning: &mut Value, edit: &Edit) {
    let path = edit.key_path.segments();
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    match edit.written() {
        None => {
            let parent = parents
                .iter()
                .try_fold(meaning, |value, name| step(value, name));
            match parent {
                Some(Value::Object(members)) => {
                    members.remove(last);
                }
                Some(Value::Array(items)) => {
                    if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                        items.remove(index);
                    }
                }
                _ => {}
            }
        }
        Some(value) => {
            let mut value = splice::without_nulls(value);
            if edit.strategy == Merge::Append {
                let mut items = match lookup(meaning, path) {
                    None => Vec::new(),
                    Some(Value::Array(items)) => items.clone(),
                    Some(_) => return,
                };
                items.push(value);
                value = items.into();
            }
            let mut place = meaning;
            for name in path {
                if let Value::Object(members) = place {
                    place = members
                        .entry(name.clone())
                        .or_insert_with(|| Map::new().into());
                } else if let Value::Array(items) = place
                    && let Ok(index) = name.parse::<usize>()
                    && index <= items.len()
                {
                    if index == items.len() {
                        items.push(Map::new().into());
                    }
                    place = &mut items[index];
                } else {
                    return;
                }
            }
            match edit.strategy {
                Merge::Replace | Merge::Append => *place = value,
                Merge::Upsert => join(place, value),
                Merge::Rule | Merge::LastRule => {}
            }
        }
    }
}

fn step<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    match value {
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
        other => other.get_mut(name),
    }
}

fn join(place: &mut Value, value: Value) {
    match (place, value) {
        (Value::Object(place), Value::Object(members)) => {
            for (name, member) in members {
                join(place.entry(name).or_insert(Value::Null), member);
            }
        }
        (place, value) => *place = value,
    }
}

/// Compares the two meanings. A table or array that exists only through a deleted key (`a.b = 1`
/// without `[a]`, the last `[[a]]`) is gone with it, which is the one liberty allowed; `expected` then
/// follows.
fn means(expected: &mut Value, actual: &Node, edit: &Edit) -> bool {
    if actual.means(expected) {
        return true;
    }
    if edit.value.as_ref().is_some_and(|value| !value.is_null()) {
        return false;
    }
    let path = edit.key_path.segments();
    for depth in (1..path.len()).rev() {
        let is_empty = match lookup(expected, &path[..depth]) {
            Some(Value::Object(members)) => members.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            _ => false,
        };
        let parent = path[..depth - 1]
            .iter()
            .try_fold(&mut *expected, |value, name| step(value, name));
        let (true, Some(Value::Object(members))) = (is_empty, parent) else {
            return false;
        };
        members.remove(&path[depth - 1]);
        if actual.means(expected) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
