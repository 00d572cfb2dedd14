//! The two halves of a hook's hash.
//!
//! Listings show one hash per hook, `<declaration>/<content>`, and clients write it back to say that
//! they trust the hook. In the file each half has a key of its own, so what is written as
//! `trusted_hash` is taken apart.
//!
//! A hash of one half trusts whatever the content is now, so a content half that stands in the file
//! goes: it is about the trust before, and together the two would say that something was trusted
//! which nobody has seen. It stays when the same write sets it.

use serde_json::{Map, Value};

use crate::{Edit, KeyPath};

const HOOKS: &str = "hooks";
const STATE: &str = "state";
const DECLARATION: &str = "trusted_hash";
const CONTENT: &str = "trusted_content_hash";
/// Where the tables with these keys stand: below `hooks`, `state` and the key of a hook.
const TABLE_DEPTH: usize = 3;

/// An edit with every hash in it taken apart, and without the content halves that it makes stale.
/// `all` are the edits of the same write.
pub(super) fn halves(edit: &Edit, all: &[Edit]) -> Vec<Edit> {
    let mut own = taken_apart(edit);
    let stale: Vec<Edit> = trusted_keys(edit)
        .filter(|key| !all.iter().any(|edit| sets_content(edit, key)))
        .map(|key| Edit::delete(KeyPath::of([HOOKS, STATE, key, CONTENT])))
        .collect();
    own.extend(stale);
    own
}

/// The keys of the hooks whose hash an edit writes.
fn trusted_keys(edit: &Edit) -> impl Iterator<Item = &str> {
    let path = edit.key_path.segments();
    let states = match path {
        [hooks] if hooks == HOOKS => edit.value.as_ref().and_then(|value| value.get(STATE)),
        [hooks, state] if hooks == HOOKS && state == STATE => edit.value.as_ref(),
        _ => None,
    };
    let of_table = states.and_then(Value::as_object).into_iter().flatten();
    let one = match path {
        [hooks, state, key, ..] if hooks == HOOKS && state == STATE => Some(key.as_str()),
        _ => None,
    };
    let keys = of_table.map(|(key, _)| key.as_str()).chain(one);
    keys.filter(|key| written(edit, key, DECLARATION).is_some_and(Value::is_string))
}

/// Whether an edit writes the content half of a hook.
fn sets_content(edit: &Edit, key: &str) -> bool {
    let both = written(edit, key, DECLARATION).and_then(Value::as_str);
    both.is_some_and(|hash| hash.contains('/'))
        || written(edit, key, CONTENT).is_some_and(|value| !value.is_null())
}

/// What an edit writes to a member of a hook's state.
fn written<'e>(edit: &'e Edit, key: &str, member: &str) -> Option<&'e Value> {
    let mut path = [HOOKS, STATE, key, member].into_iter();
    for segment in edit.key_path.segments() {
        if path.next()? != segment {
            return None;
        }
    }
    path.try_fold(edit.value.as_ref()?, |value, name| value.get(name))
}

/// The edit with every hash in it taken apart.
fn taken_apart(edit: &Edit) -> Vec<Edit> {
    let path = edit.key_path.segments();
    let is_there = path.iter().zip([HOOKS, STATE]).all(|(a, b)| a == b);
    let Some(value) = edit.value.as_ref().filter(|_| is_there) else {
        return vec![edit.clone()];
    };
    if let [table @ .., last] = path
        && table.len() == TABLE_DEPTH
        && last == DECLARATION
        && let Some((declaration, content)) = value.as_str().and_then(|hash| hash.split_once('/'))
    {
        let content_path = [table, &[CONTENT.to_owned()]].concat();
        let content_path = KeyPath::new(content_path).unwrap_or_else(|_| edit.key_path.clone());
        return vec![
            Edit::set(edit.key_path.clone(), declaration),
            Edit::set(content_path, content),
        ];
    }
    let mut edit = edit.clone();
    if let Some(value) = &mut edit.value {
        split_below(value, path.len());
    }
    vec![edit]
}

/// Takes apart what stands in a value at this depth of the configuration.
fn split_below(value: &mut Value, depth: usize) {
    let Value::Object(members) = value else {
        return;
    };
    match depth {
        TABLE_DEPTH => split(members),
        1 => {
            if let Some(states) = members.get_mut(STATE) {
                split_below(states, 2);
            }
        }
        2 => {
            for state in members.values_mut() {
                split_below(state, TABLE_DEPTH);
            }
        }
        _ => {}
    }
}

fn split(state: &mut Map<String, Value>) {
    let hash = state.get(DECLARATION).and_then(Value::as_str);
    let Some((declaration, content)) = hash.and_then(|hash| hash.split_once('/')) else {
        return;
    };
    let (declaration, content) = (declaration.to_owned(), content.to_owned());
    state.insert(DECLARATION.to_owned(), declaration.into());
    state.insert(CONTENT.to_owned(), content.into());
}

#[cfg(test)]
mod tests;
