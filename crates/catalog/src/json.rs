//! JSON of the service split into borrowed slices, one level at a time, so that a bad member spoils
//! itself only and its path can be named.
//!
//! Nesting is counted first, on the bytes: skipping over a raw value does not count it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use plugd_model::{Place, Problem, ProblemKind, json_depth};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deepest nesting that is accepted.
const MAX_DEPTH: usize = 128;

/// Most problems of one answer; a service that breaks everything need not be told so each time.
const MAX_PROBLEMS: usize = 100;

/// Longest text of the service that a message repeats, in characters.
const MAX_QUOTE: usize = 60;

/// Checks all that can be said of a text without knowing its format.
pub(crate) fn check(bytes: &[u8]) -> Result<&RawValue, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    if json_depth::too_deep(bytes, MAX_DEPTH).is_some() {
        return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
    }
    serde_json::from_str(text).map_err(|error| format!("it is not valid JSON: {error}"))
}

/// The text that all slices are cut from, where it is a file in which places mean something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a>(pub(crate) Option<&'a str>);

/// An object and the path that leads to it.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    members: BTreeMap<String, &'a RawValue>,
    repeated: BTreeSet<String>,
    raw: &'a RawValue,
    path: String,
    source: Source<'a>,
}

/// What was wrong and did not matter enough to stop.
#[derive(Debug, Default)]
pub(crate) struct Notes(pub(crate) Vec<Problem>);

impl Notes {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(problem);
        }
    }

    /// The value, or nothing and a note.
    pub(crate) fn keep<T>(&mut self, outcome: Result<Option<T>, Problem>) -> Option<T> {
        match outcome {
            Ok(value) => value,
            Err(problem) => {
                self.push(problem.as_warning());
                None
            }
        }
    }
}

impl Source<'_> {
    /// A problem with the value of a member.
    pub(crate) fn fault(
        self,
        kind: ProblemKind,
        message: impl Into<String>,
        field: &str,
        raw: &RawValue,
    ) -> Problem {
        let problem = Problem::error(kind, message).at_field(field);
        match self.0 {
            None => problem,
            Some(whole) => {
                let start = raw.get().as_ptr().addr();
                let offset = start.saturating_sub(whole.as_ptr().addr());
                problem.at(Place::of_offset(whole.as_bytes(), offset))
            }
        }
    }
}

impl<'a> Object<'a> {
    /// Splits an object.
    pub(crate) fn split(
        raw: &'a RawValue,
        path: impl Into<String>,
        source: Source<'a>,
    ) -> Result<Self, Problem> {
        let path = path.into();
        match serde_json::from_str(raw.get()) {
            Ok(Members { last, repeated }) => Ok(Self {
                members: last,
                repeated,
                raw,
                path,
                source,
            }),
            Err(_) if raw.get().starts_with('{') => {
                let message = "a name in the object is no text";
                Err(source.fault(ProblemKind::Syntax, message, &path, raw))
            }
            Err(_) => Err(source.fault(ProblemKind::WrongType, "is no object", &path, raw)),
        }
    }

    /// The path of a member.
    pub(crate) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A member; `null` means that it is not there.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        let raw = *self.members.get(key)?;
        (raw.get() != "null").then_some(raw)
    }

    /// Whether a member is there more than once. The last one counts, for want of something better.
    pub(crate) fn repeats(&self, key: &str) -> bool {
        self.repeated.contains(key)
    }

    /// Whether a member is there, be it `null`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(key, raw)| (key.as_str(), *raw))
    }

    /// What a member that must be there should have been.
    pub(crate) fn needed<T>(
        &self,
        key: &str,
        outcome: Result<Option<T>, Problem>,
    ) -> Result<T, Problem> {
        outcome?.ok_or_else(|| {
            let field = self.path(key);
            let message = format!("`{key}` is missing");
            self.source
                .fault(ProblemKind::MissingField, message, &field, self.raw)
        })
    }

    /// A problem with a member that is there.
    pub(crate) fn fault(&self, kind: ProblemKind, message: String, key: &str) -> Problem {
        let raw = self.members.get(key).copied().unwrap_or(self.raw);
        self.source.fault(kind, message, &self.path(key), raw)
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, Problem> {
        self.decoded(key, "a text")
    }

    /// A text that is not blank, without white space around it.
    pub(crate) fn trimmed(&self, key: &str) -> Result<Option<String>, Problem> {
        let text = self.text(key)?;
        Ok(text
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty()))
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, Problem> {
        self.decoded(key, "`true` or `false`")
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u32>, Problem> {
        self.decoded(key, "a small whole number")
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Problem> {
        self.decoded(key, "a list of texts")
    }

    /// A word of a closed set.
    pub(crate) fn word<T>(
        &self,
        key: &str,
        of_word: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(word) = self.text(key)? else {
            return Ok(None);
        };
        of_word(&word).map(Some).ok_or_else(|| {
            let message = format!("`{key}` has the unknown value `{}`", quoted(&word));
            self.fault(ProblemKind::BadValue, message, key)
        })
    }

    /// An object.
    pub(crate) fn object(&self, key: &str) -> Result<Option<Self>, Problem> {
        let Some(raw) = self.get(key) else {
            return Ok(None);
        };
        Object::split(raw, self.path(key), self.source)
            .map(Some)
            .map_err(|problem| named(problem, key))
    }

    /// The elements of a list and their paths.
    pub(crate) fn elements(
        &self,
        key: &str,
    ) -> Result<Option<Vec<(String, &'a RawValue)>>, Problem> {
        let elements: Option<Vec<&'a RawValue>> = self.decoded(key, "a list")?;
        let path = self.path(key);
        Ok(elements.map(|elements| {
            let elements = elements.into_iter().enumerate();
            elements
                .map(|(index, raw)| (format!("{path}[{index}]"), raw))
                .collect()
        }))
    }

    /// The elements of a list that can be read; each other one is a note.
    pub(crate) fn readable<T>(
        &self,
        key: &str,
        notes: &mut Notes,
        read: impl Fn(&Self, &mut Notes) -> Result<T, Problem>,
    ) -> Option<Vec<T>> {
        let elements = notes.keep(self.elements(key))?;
        let mut read_ones = Vec::with_capacity(elements.len());
        for (path, raw) in elements {
            let element = Object::split(raw, path, self.source);
            let outcome = element.and_then(|element| read(&element, notes));
            read_ones.extend(notes.keep(outcome.map(Some)));
        }
        Some(read_ones)
    }

    fn decoded<T: Deserialize<'a>>(&self, key: &str, expected: &str) -> Result<Option<T>, Problem> {
        let Some(raw) = self.get(key) else {
            return Ok(None);
        };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| {
            let message = format!("`{key}` is not {expected}");
            self.fault(ProblemKind::WrongType, message, key)
        })
    }
}

/// The members of an object: of each name the last one, and the names that were there before.
struct Members<'a> {
    last: BTreeMap<String, &'a RawValue>,
    repeated: BTreeSet<String>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut last, mut repeated) = (BTreeMap::new(), BTreeSet::new());
                while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    if last.insert(name.clone(), raw).is_some() {
                        repeated.insert(name);
                    }
                }
                Ok(Members { last, repeated })
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// The same problem, with the name of the member in its message.
fn named(mut problem: Problem, key: &str) -> Problem {
    problem.message = format!("`{key}` {}", problem.message);
    problem
}

/// A text of the service as a message may repeat it: cut and escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted: String = text
        .chars()
        .take(MAX_QUOTE)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(MAX_QUOTE).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
