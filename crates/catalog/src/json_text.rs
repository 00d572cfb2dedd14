//! JSON texts that are written back: members keep their order, values keep their bytes.
//!
//! A file that belongs to another program is changed in the members that are meant and in nothing
//! else. A map of the JSON library would sort the members and could not hold every number.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;

/// The members of an object, in their order, each with the text of its value.
#[derive(Debug, Default)]
pub(crate) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// The text of a member's value; of a member that stands there twice, the last one's.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rfind(|(key, _)| key == name)?;
        Some(found.1.get())
    }

    /// Sets a member, in its place or behind all others.
    pub(crate) fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().rfind(|(key, _)| key == name) {
            Some(found) => found.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// The same for a member that may stand there several times.
    pub(crate) fn set_everywhere(&mut self, name: &str, value: &RawValue) {
        self.set(name, value.to_owned());
        for (_, found) in self.0.iter_mut().filter(|(key, _)| key == name) {
            *found = value.to_owned();
        }
    }

    /// Each member once: of one that stands there twice, the first place and the last value.
    pub(crate) fn once(self) -> Vec<(String, Box<RawValue>)> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut once: Vec<(String, Box<RawValue>)> = Vec::with_capacity(self.0.len());
        for (name, value) in self.0 {
            match places.get(&name) {
                Some(&place) => once[place].1 = value,
                None => {
                    places.insert(name.clone(), once.len());
                    once.push((name, value));
                }
            }
        }
        once
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A valid JSON text with two spaces for each level, as the reference writes its files. Strings and
/// numbers stay as they are.
pub(crate) fn pretty(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 2);
    let mut depth = 0_usize;
    let mut rest = json.trim_start();
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '{' | '[' | '}' | ']' | ',' | ':' => 1,
            _ => rest
                .find(|c: char| ",]}:".contains(c) || c.is_ascii_whitespace())
                .unwrap_or(rest.len()),
        };
        let (token, behind) = rest.split_at(length);
        rest = behind.trim_start();
        match first {
            '{' | '[' if rest.starts_with(['}', ']']) => {
                text.push_str(token);
                text.push_str(&rest[..1]);
                rest = rest[1..].trim_start();
            }
            '{' | '[' => {
                depth += 1;
                text.push_str(token);
                line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push_str(token);
            }
            ',' => {
                text.push_str(token);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => text.push_str(token),
        }
    }
    text
}

/// The bytes of the string that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::value::RawValue;

    use super::{Members, pretty};

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn what_is_not_changed_keeps_its_bytes_and_place() {
        let mut members: Members =
            serde_json::from_str(r#"{"z": 1e400, "a": {"b" :[ ]}, "m": "\u0041"}"#).unwrap();
        members.set("a", raw("2"));
        members.set("new", raw("null"));
        let text = serde_json::to_string(&members).unwrap();
        assert_eq!(text, r#"{"z":1e400,"a":2,"m":"\u0041","new":null}"#);
        assert_eq!(
            (members.get("m"), members.get("q")),
            (Some(r#""\u0041""#), None)
        );
        assert!(serde_json::from_str::<Members>("[1]").is_err());
        assert!(serde_json::from_str::<Members>("{\"a\":}").is_err());
    }

    #[track_caller]
    fn check(json: &str) {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let expected = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(pretty(json), expected);
        assert_eq!(pretty(&expected), expected);
    }

    #[test]
    fn the_form_is_that_of_the_json_library() {
        check("1");
        check(r#" {"a":[], "b" : {} ,"c":[ { } , [ [] ] ],"d":[1,-2.5,true,null,"x"] }"#);
        check(r#"{"a":"{\"[,:]}\\","b":"ä\\\"","c":[{"d":{"e":[1,[2]]}}]}"#);
        check("[\n1\t,\r\n2 ]");
    }
}
