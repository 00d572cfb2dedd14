//! The digest of a hook's declaration, under which a user's trust is stored.
//!
//! Both programs that share a home must compute the same one, so the text that is hashed is that of
//! the reference to the byte: compact JSON, members sorted by name, absent members left out, before
//! any placeholder is replaced. Three things in it are no obvious choice:
//! - The time a handler may take is the effective one, so a changed default is a changed hook.
//! - `async` is as declared, also where an event does not honour it.
//! - Numbers in the input of a tool call stand as an object with one member that holds the number's
//!   text. The reference passes the input through a second format, and that is how its JSON library
//!   hands over a number without losing digits.

use std::collections::BTreeMap;

use plugd_disk::tree::Digest;
use plugd_manifest::json::{Elements, Members, Shape, string};

/// The member that stands for a number.
const NUMBER: &str = "$serde_json::private::Number";

/// The members of an object under construction, each value as JSON.
pub(super) struct Canonical(BTreeMap<&'static str, String>);

impl Canonical {
    /// An object without members.
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a text.
    pub(super) fn text(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(name, quoted(value));
        self
    }

    /// Adds a text, when there is one.
    pub(super) fn some_text(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a value that is JSON already.
    pub(super) fn json(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.insert(name, value.to_string());
        self
    }

    /// The whole object.
    pub(super) fn into_json(self) -> String {
        object(self.0.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// The digest of the whole object.
    pub(super) fn digest(self) -> Digest {
        Digest::of_bytes(self.into_json().as_bytes())
    }
}

/// Why an input of a tool call cannot be hashed, and so cannot be trusted. The reference refuses
/// the same two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadInput {
    /// A `null`, which the reference's second format lacks.
    #[error("the input of a tool call cannot hold `null`")]
    Null,
    /// A whole number that needs all of 64 bits.
    #[error("the input of a tool call cannot hold a whole number between 2^63 and 2^64")]
    Number,
    /// A name or text whose escapes are no Unicode.
    #[error("the input of a tool call holds a text that is no Unicode")]
    Text,
}

/// The canonical form of a JSON value whose syntax and depth were checked before.
pub(super) fn canonical(raw: &str) -> Result<String, BadInput> {
    match Shape::of(raw) {
        Shape::Null => Err(BadInput::Null),
        Shape::Boolean => Ok(raw.to_owned()),
        Shape::String => Ok(quoted(&string(raw).map_err(|_| BadInput::Text)?)),
        Shape::Number => {
            let number = number(raw).ok_or(BadInput::Number)?;
            Ok(object([(NUMBER, quoted(&number).as_str())]))
        }
        Shape::Array => {
            let elements = Elements::split(raw, usize::MAX).map_err(|_| BadInput::Text)?;
            let items: Result<Vec<_>, _> = elements.raw.into_iter().map(canonical).collect();
            Ok(format!("[{}]", items?.join(",")))
        }
        Shape::Object => {
            let members = Members::split(raw, usize::MAX).map_err(|_| BadInput::Text)?;
            let mut sorted = BTreeMap::new();
            for (name, value) in members.iter() {
                sorted.insert(name, canonical(value)?);
            }
            Ok(object(
                sorted.iter().map(|(name, value)| (*name, value.as_str())),
            ))
        }
    }
}

/// The text of a number: with a small `e` and a sign behind it, and a whole number without needless
/// characters. `None` for what fits neither a signed number nor is larger than an unsigned one.
fn number(raw: &str) -> Option<String> {
    if let Some((digits, exponent)) = raw.split_once(['e', 'E']) {
        let sign = if exponent.starts_with(['+', '-']) {
            ""
        } else {
            "+"
        };
        return Some(format!("{digits}e{sign}{exponent}"));
    }
    if let Ok(number) = raw.parse::<i64>() {
        return Some(number.to_string());
    }
    raw.parse::<u64>().is_err().then(|| raw.to_owned())
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| format!("{}:{value}", quoted(name)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{BadInput, canonical};

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        let expected = expected.replace('#', r#""$serde_json::private::Number""#);
        assert_eq!(canonical(raw), Ok(expected));
    }

    #[test]
    fn inputs_in_canonical_form() {
        check("{}", "{}");
        check(
            r#"{ "b": [true, "x"], "a": {"d": "é", "c": "\u0000"} }"#,
            r#"{"a":{"c":"\u0000","d":"é"},"b":[true,"x"]}"#,
        );
        check(r#"{"a": "x", "a": "y"}"#, r#"{"a":"y"}"#);
        for (written, hashed) in [
            ("1", "1"),
            ("-0", "0"),
            ("1.50", "1.50"),
            ("-0.0", "-0.0"),
            ("1E30", "1e+30"),
            ("1.5E-7", "1.5e-7"),
            ("-1e+05", "-1e+05"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775809", "-9223372036854775809"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
        ] {
            check(written, &format!("{{#:\"{hashed}\"}}"));
        }
    }

    #[test]
    fn inputs_without_a_canonical_form() {
        assert_eq!(canonical(r#"{"a": [null]}"#), Err(BadInput::Null));
        assert_eq!(canonical("18446744073709551615"), Err(BadInput::Number));
        assert_eq!(canonical("9223372036854775808"), Err(BadInput::Number));
        assert_eq!(canonical(r#""\ud800""#), Err(BadInput::Text));
    }
}
