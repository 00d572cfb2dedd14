//! The two halves of a hook's hash.
//!
//! Listings show one hash per hook, `<declaration>/<content>`, and clients write it back to say that
//! they trust the hook. In the file each half has a key of its own, so what is written as
//! `trusted_hash` is taken apart. A hash of one half is left as it is, and so is a content half that
//! stands in the file already.

use serde_json::{Map, Value};

use crate::{Edit, KeyPath};

const DECLARATION: &str = "trusted_hash";
const CONTENT: &str = "trusted_content_hash";
/// Where the tables with these keys stand: below `hooks`, `state` and the key of a hook.
const TABLE_DEPTH: usize = 3;

/// The edit with every hash in it taken apart.
pub(super) fn halves(edit: &Edit) -> Vec<Edit> {
    let path = edit.key_path.segments();
    let is_there = path.iter().zip(["hooks", "state"]).all(|(a, b)| a == b);
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
            if let Some(states) = members.get_mut("state") {
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
