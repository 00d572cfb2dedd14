//! What it takes to switch skills in a file: which rules to add, change or remove.
//!
//! A rule is recognised by what it is about, as its reader understands it, and not by how it is
//! spelled. A rule that its reader ignores is none, and is left alone.

use plugd_model::AbsPath;
use serde_json::{Map, Value};

use super::WriteError;
use crate::edit::lookup;
use crate::{Edit, KeyPath, Merge, SkillSelector};

/// The edits of single keys that make the rules say what this one says.
pub(super) fn steps(
    edit: &Edit,
    meaning: &Value,
    base: Option<&AbsPath>,
) -> Result<Vec<Edit>, WriteError> {
    let invalid = |reason: &str| WriteError::Invalid {
        field: edit.key_path.to_string(),
        reason: reason.to_owned(),
    };
    let rule = edit.value.as_ref().and_then(Value::as_object);
    let selector = rule.and_then(|rule| selector(rule, base));
    let enabled = rule.and_then(|rule| rule.get("enabled")?.as_bool());
    let (Some(rule), Some(selector), Some(enabled)) = (rule, selector, enabled) else {
        return Err(invalid("the rule names no skill"));
    };
    let rows = match lookup(meaning, edit.key_path.segments()) {
        None => &[],
        Some(Value::Array(rows)) => rows.as_slice(),
        Some(_) => return Err(invalid("the rules are no array")),
    };
    let same: Vec<usize> = (0..rows.len())
        .filter(|&index| {
            let row = rows[index].as_object();
            row.and_then(|row| self::selector(row, base)).as_ref() == Some(&selector)
        })
        .collect();
    if edit.strategy == Merge::LastRule {
        return Ok(put_last(&edit.key_path, meaning, rows, &same, rule));
    }
    if enabled {
        return Ok(remove(&edit.key_path, meaning, rows.len(), &same));
    }
    Ok(match same.last() {
        // The last one decides.
        Some(&index) if rows[index]["enabled"] == Value::Bool(false) => Vec::new(),
        Some(&index) => vec![switch(&edit.key_path, index, false)],
        None => append(&edit.key_path, rows.len(), rule),
    })
}

/// Makes one rule the last of all, and the only one about its selector.
fn put_last(
    rules: &KeyPath,
    meaning: &Value,
    rows: &[Value],
    same: &[usize],
    rule: &Map<String, Value>,
) -> Vec<Edit> {
    if let [only] = same
        && only + 1 == rows.len()
        && rows[*only]["enabled"] == rule["enabled"]
    {
        return Vec::new();
    }
    let mut steps = remove(rules, meaning, rows.len(), same);
    steps.extend(append(rules, rows.len() - same.len(), rule));
    steps
}

/// Adds a rule behind `count` others. In two steps, so that the selector comes first.
fn append(rules: &KeyPath, count: usize, rule: &Map<String, Value>) -> Vec<Edit> {
    let mut selector = rule.clone();
    let enabled = selector.remove("enabled") == Some(Value::Bool(true));
    let rule = Edit {
        key_path: rules.clone(),
        value: Some(selector.into()),
        strategy: Merge::Append,
    };
    let switch = switch(&rule.key_path, count, enabled);
    vec![rule, switch]
}

fn switch(rules: &KeyPath, index: usize, enabled: bool) -> Edit {
    let row = rules.child(index.to_string());
    Edit::set(row.child("enabled"), enabled)
}

/// What a rule of a file is about.
fn selector(rule: &Map<String, Value>, base: Option<&AbsPath>) -> Option<SkillSelector> {
    let text = |member: &str| match rule.get(member) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.as_str())),
        Some(_) => None,
    };
    SkillSelector::of(text("name")?, text("path")?, base)
}

/// Removes rows from the last to the first; with all of them their table, when it holds nothing
/// else.
fn remove(rules: &KeyPath, meaning: &Value, count: usize, same: &[usize]) -> Vec<Edit> {
    if same.len() < count {
        let rows = same.iter().rev();
        return rows
            .map(|index| Edit::delete(rules.child(index.to_string())))
            .collect();
    }
    if same.is_empty() {
        return Vec::new();
    }
    let path = rules.segments();
    let table = &path[..path.len() - 1];
    let is_last = lookup(meaning, table)
        .and_then(Value::as_object)
        .is_some_and(|table| table.len() == 1);
    let gone = match KeyPath::new(table.to_vec()) {
        Ok(table) if is_last => table,
        _ => rules.clone(),
    };
    vec![Edit::delete(gone)]
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
