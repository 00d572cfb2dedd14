//! Writing TOML: keys, values on one line, and whole sections.
//!
//! Only what an edit adds goes through here; text that is already in a file is never printed anew.
//! Values never span lines, so that they fit anywhere, also into an inline table of TOML 1.0.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A JSON value that TOML cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncodeError {
    /// TOML has no null; a null member of an object is left out, one in an array cannot be.
    #[error("an array cannot hold null")]
    NullInArray,
    /// TOML integers have 64 bits and a sign.
    #[error("the number {number} is too large")]
    NumberTooLarge {
        /// The number as it was given.
        number: String,
    },
}

/// A key as it stands in a file: bare where that is allowed, else quoted.
pub(crate) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        text(name)
    }
}

/// Keys joined by dots.
pub(crate) fn dotted(keys: &[String]) -> String {
    keys.iter()
        .map(|name| key(name))
        .collect::<Vec<_>>()
        .join(".")
}

/// A value on one line.
pub(crate) fn value(value: &Value) -> Result<String, EncodeError> {
    match value {
        Value::Null => Err(EncodeError::NullInArray),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            Err(EncodeError::NumberTooLarge {
                number: number.to_string(),
            })
        }
        Value::Number(number) => Ok(number.to_string()),
        Value::String(content) => Ok(text(content)),
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(self::value).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        Value::Object(members) => {
            let members: Result<Vec<_>, _> = present(members)
                .map(|(name, member)| Ok(format!("{} = {}", key(name), self::value(member)?)))
                .collect();
            let members = members?;
            if members.is_empty() {
                return Ok("{}".to_owned());
            }
            Ok(format!("{{ {} }}", members.join(", ")))
        }
    }
}

/// One `key = value` line without its line ending.
pub(crate) fn line(keys: &[String], content: &Value) -> Result<String, EncodeError> {
    Ok(format!("{} = {}", dotted(keys), value(content)?))
}

/// The lines of a table under its own header; tables below it get headers of their own, separated
/// by blank lines.
pub(crate) fn section(
    path: &[String],
    table: &Map<String, Value>,
) -> Result<Vec<String>, EncodeError> {
    let is_section = |value: &Value| value.as_object().is_some_and(|inner| !inner.is_empty());
    let (tables, plain): (Vec<_>, Vec<_>) =
        present(table).partition(|(_, value)| is_section(value));
    let mut lines = Vec::new();
    if !plain.is_empty() || tables.is_empty() {
        lines.push(format!("[{}]", dotted(path)));
        for (name, content) in plain {
            lines.push(line(std::slice::from_ref(name), content)?);
        }
    }
    for (name, content) in tables {
        let mut below = path.to_vec();
        below.push(name.clone());
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(section(&below, content.as_object().unwrap_or(&Map::new()))?);
    }
    Ok(lines)
}

/// A member that is null is a member that is absent: TOML has no other way to say it.
fn present(members: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    members.iter().filter(|(_, value)| !value.is_null())
}

fn text(content: &str) -> String {
    let mut out = String::with_capacity(content.len() + 2);
    out.push('"');
    for character in content.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(value: Value, expected: &str) {
        assert_eq!(super::value(&value).unwrap(), expected);
        let read: toml_edit::Value = expected.parse().unwrap();
        let back = crate::tree::Node::of_value(&read, crate::tree::Mark::nowhere()).to_json();
        assert_eq!(back, value);
    }

    #[test]
    fn values_on_one_line() {
        check(json!(true), "true");
        check(json!(-7), "-7");
        check(json!(1.5), "1.5");
        check(json!(1.0), "1.0");
        check(json!(1e300), "1e+300");
        check(
            json!("a\"\\\n\r\t\u{1}\u{7f}ä"),
            "\"a\\\"\\\\\\n\\r\\t\\u0001\\u007Fä\"",
        );
        check(json!([1, "b", [true]]), "[1, \"b\", [true]]");
        check(json!({}), "{}");
        check(
            json!({"a b": 1, "c": {"d": []}}),
            "{ \"a b\" = 1, c = { d = [] } }",
        );
    }

    #[test]
    fn what_toml_cannot_hold() {
        assert!(super::value(&json!([null])).is_err());
        assert!(super::value(&json!(u64::MAX)).is_err());
        assert_eq!(super::value(&json!({"a": null})).unwrap(), "{}");
    }

    #[test]
    fn nested_tables_get_headers() {
        let table = json!({"b": {"c": {"d": 1}}, "a": 1, "e": {}});
        let lines = super::section(&["t".to_owned()], table.as_object().unwrap()).unwrap();
        assert_eq!(lines, ["[t]", "a = 1", "e = {}", "", "[t.b.c]", "d = 1"]);
    }
}
