//! JSON split into borrowed slices, one level at a time: what every reader of a plugin's JSON files
//! builds on.
//!
//! A value is a slice of the file, so its address tells its line and column, and nothing is decoded
//! before somebody wants it.
//!
//! Invariants:
//! - Byte order mark, UTF-8, nesting and syntax are checked before anything is split. Nesting is
//!   counted on the bytes, because skipping over a raw value does not count it.
//! - Of members with one name the last counts, and the repetition can be seen.
//!
//! What this module must not do: know a format, or decide what a mistake costs. Readers name the
//! member that a problem is about, and choose what they do without.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memchr2;
use plugd_model::{Place, Problem, ProblemKind, json_depth};
use serde_json::value::RawValue;

use crate::MAX_NESTING;
use crate::places::Places;

mod split;

/// A JSON text whose syntax has been checked as a whole.
#[derive(Debug)]
pub struct Text<'d> {
    text: &'d str,
    root: &'d str,
    /// Where the text begins.
    start: Place,
    places: OnceCell<Places>,
}

/// What kind of JSON a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// `1`
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

/// The members of an object, each name once.
#[derive(Debug, Default)]
pub struct Members<'d> {
    members: Vec<Member<'d>>,
    /// Where each name stands, when there are too many to go through them.
    index: Option<BTreeMap<Cow<'d, str>, usize>>,
    repeated: Vec<Member<'d>>,
    left_out: usize,
}

/// The elements of an array.
#[derive(Debug)]
pub struct Elements<'d> {
    /// Their texts, in order.
    pub raw: Vec<&'d str>,
    /// How many stand behind those.
    pub left_out: usize,
}

/// Up to so many members are gone through for a name.
const FEW: usize = 16;

/// A name, borrowed unless it has escapes, and the text of the value.
type Member<'d> = (Cow<'d, str>, &'d str);

impl<'d> Text<'d> {
    /// Checks all that can be said of a text without knowing its format. How long it may be is the
    /// caller's business.
    ///
    /// # Errors
    /// The text begins with a byte order mark, is no UTF-8, too deep or no JSON; the problem says
    /// where, and names no file.
    pub fn check(bytes: &'d [u8]) -> Result<Self, Problem> {
        let fail = |kind, message: &str, offset| {
            Problem::error(kind, message).at(Place::of_offset(bytes, offset))
        };
        if bytes.starts_with(b"\xEF\xBB\xBF") {
            let message = "begins with a byte order mark; save the file as UTF-8 without one";
            return Err(fail(ProblemKind::Syntax, message, 0));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let message = "not valid UTF-8; save the file as UTF-8";
            fail(ProblemKind::Syntax, message, error.valid_up_to())
        })?;
        if let Some(offset) = json_depth::too_deep(bytes, MAX_NESTING) {
            let message = format!("nested deeper than {MAX_NESTING} levels");
            return Err(fail(ProblemKind::TooLarge, &message, offset));
        }
        let root: &RawValue = serde_json::from_str(text).map_err(|error| {
            // What is missing is missing behind the last character, not behind the blanks after it.
            let last = text.trim_end().char_indices().last();
            let offset = match error.is_eof() {
                true => last.map_or(0, |(offset, _)| offset),
                false => Places::new(text).offset_of(error.line(), error.column()),
            };
            let (why, offset) = likely_mistake(text, offset).map_or_else(
                || (reason(&error), offset),
                |(why, at)| (why.to_owned(), at),
            );
            fail(
                ProblemKind::Syntax,
                &format!("not valid JSON: {why}"),
                offset,
            )
        })?;
        Ok(Self {
            text,
            root: root.get(),
            start: Place { line: 1, column: 1 },
            places: OnceCell::new(),
        })
    }

    /// A value that was cut out of a checked text, and where it began there.
    pub(crate) fn part(raw: &'d str, start: Place) -> Self {
        Self {
            text: raw,
            root: raw,
            start,
            places: OnceCell::new(),
        }
    }

    /// The outermost value, without blanks around it.
    #[must_use]
    pub fn root(&self) -> &'d str {
        self.root
    }

    /// The place of a value that was cut out of this text. Of any other text the answer means
    /// nothing.
    #[must_use]
    pub fn place(&self, raw: &str) -> Place {
        let offset = self.range(raw).start;
        let places = self.places.get_or_init(|| Places::new(self.text));
        let Place { line, column } = places.of_offset(self.text, offset);
        // Only the first line of a part has something in front of it.
        let before = if line == 1 { self.start.column - 1 } else { 0 };
        Place {
            line: self.start.line.saturating_add(line - 1),
            column: column.saturating_add(before),
        }
    }

    /// Where a value that was cut out of this text begins and ends, in bytes.
    pub(crate) fn range(&self, raw: &str) -> Range<usize> {
        let begin = raw
            .as_ptr()
            .addr()
            .saturating_sub(self.text.as_ptr().addr());
        begin..begin.saturating_add(raw.len())
    }

    /// All of the text.
    pub(crate) fn whole(&self) -> &'d str {
        self.text
    }
}

impl Shape {
    /// The shape of a value. Its text is known to be valid, so the first byte decides.
    #[must_use]
    pub fn of(raw: &str) -> Self {
        match raw.as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }

    /// The shape with its article, for a message.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Null => "null",
        }
    }
}

impl<'d> Members<'d> {
    /// Splits an object and looks at its first `limit` members.
    ///
    /// # Errors
    /// A name is no text, such as half of a surrogate pair; the reason is for people.
    pub fn split(raw: &'d str, limit: usize) -> Result<Self, String> {
        let (found, left_out) = split::object(raw, limit).map_err(|error| reason(&error))?;
        let mut split = Self {
            members: Vec::with_capacity(found.len()),
            index: (found.len() > FEW).then(BTreeMap::new),
            repeated: Vec::new(),
            left_out,
        };
        for (key, value) in found {
            match split.position(&key) {
                None => {
                    if let Some(index) = &mut split.index {
                        index.insert(key.clone(), split.members.len());
                    }
                    split.members.push((key, value));
                }
                Some(first) => {
                    split.members[first].1 = value;
                    split.repeated.push((key, value));
                }
            }
        }
        Ok(split)
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.members.iter().position(|(name, _)| name == key),
        }
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'d str> {
        self.position(key).map(|at| self.members[at].1)
    }

    /// Names and values, in the order in which the names first occur.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'d str)> {
        pairs(&self.members)
    }

    /// What stands under a name that was there before, in file order. The last of them is the
    /// member's value.
    pub fn repeated(&self) -> impl Iterator<Item = (&str, &'d str)> {
        pairs(&self.repeated)
    }

    /// How many members stand behind those that were looked at.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl<'d> Elements<'d> {
    /// Splits an array and keeps its first `limit` elements.
    ///
    /// # Errors
    /// The text is no array; the reason is for people.
    pub fn split(raw: &'d str, limit: usize) -> Result<Self, String> {
        let (raw, left_out) = split::array(raw, limit).map_err(|error| reason(&error))?;
        Ok(Self { raw, left_out })
    }
}

/// Decodes a string that was cut out of a checked text.
///
/// # Errors
/// The text is no string, or its escapes are no Unicode; the reason is for people.
pub fn string(raw: &str) -> Result<String, String> {
    // Hardly any has something to decode.
    let inside = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if let Some(inside) = inside
        && memchr2(b'\\', b'"', inside.as_bytes()).is_none()
    {
        return Ok(inside.to_owned());
    }
    serde_json::from_str(raw).map_err(|error| reason(&error))
}

/// A text from a stranger, cut to a length that a message can bear.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

fn pairs<'m, 'd>(members: &'m [Member<'d>]) -> impl Iterator<Item = (&'m str, &'d str)> {
    members.iter().map(|(key, value)| (key.as_ref(), *value))
}

/// What other formats allow and JSON does not, when it stands where the reading ended: what to say, and
/// where.
fn likely_mistake(text: &str, offset: usize) -> Option<(&'static str, usize)> {
    if text.trim().is_empty() {
        return Some(("the file is empty", 0));
    }
    let (before, rest) = text.split_at_checked(offset)?;
    let before = before.trim_end();
    if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        return Some(("JSON has no comments", offset));
    }
    if rest.starts_with('\'') {
        return Some(("texts stand in double quotes", offset));
    }
    let is_end = rest.starts_with([',', '}', ']']);
    (is_end && before.ends_with(',')).then(|| ("there is a comma too many", before.len() - 1))
}

/// What the JSON decoder says, without the position, which a problem carries apart.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Elements, Members, Shape, Text, shortened};

    #[test]
    fn a_value_knows_its_place() {
        let text = Text::check(" {\n  \"a\": [1, \"ü\", true]}".as_bytes()).unwrap();
        let members = Members::split(text.root(), 10).unwrap();
        let list = members.get("a").unwrap();
        let places: Vec<_> = Elements::split(list, 10)
            .unwrap()
            .raw
            .into_iter()
            .map(|raw| (raw, text.place(raw)))
            .map(|(raw, place)| (raw, place.line, place.column))
            .collect();
        assert_eq!(places, [("1", 2, 9), ("\"ü\"", 2, 12), ("true", 2, 17)]);
    }

    #[test]
    fn a_text_that_ends_early_is_wrong_at_its_end() {
        let place = |text: &str| {
            let problem = Text::check(text.as_bytes()).unwrap_err();
            problem.place.map(|place| (place.line, place.column))
        };
        assert_eq!(place("{\n \"a\": [1,\n"), Some((2, 9)));
        assert_eq!(place("{"), Some((1, 1)));
        assert_eq!(place("[\"ü\",\n\n"), Some((1, 5)));
        assert_eq!(place("[\n}\n"), Some((2, 1)));
    }

    /// What a text that is no JSON is told, and where.
    #[track_caller]
    fn check_mistake(text: &str, why: &str, place: (u32, u32)) {
        let problem = Text::check(text.as_bytes()).unwrap_err();
        let found = problem.place.map(|place| (place.line, place.column));
        assert_eq!(problem.message, format!("not valid JSON: {why}"), "{text}");
        assert_eq!(found, Some(place), "{text}");
    }

    #[test]
    fn what_other_formats_allow_is_named() {
        let comma = "there is a comma too many";
        check_mistake("{\"a\": 1,\n}", comma, (1, 8));
        check_mistake("[\"ü\" , ]", comma, (1, 6));
        check_mistake("[1,,2]", comma, (1, 3));
        check_mistake("[1, {\"a\": [2,]}]", comma, (1, 13));
        let comments = "JSON has no comments";
        check_mistake("// a\n{}", comments, (1, 1));
        check_mistake("{\n  /* a */ \"b\": 1}", comments, (2, 3));
        check_mistake("{\"a\": 1, // b\n}", comments, (1, 10));
        check_mistake("{\"a\": 1 // b\n}", comments, (1, 9));
        check_mistake("{} // a", comments, (1, 4));
        check_mistake("{\n# a\n}", comments, (2, 1));
        check_mistake("{'a': 1}", "texts stand in double quotes", (1, 2));
        check_mistake("", "the file is empty", (1, 1));
        check_mistake(" \n\n", "the file is empty", (1, 1));
        check_mistake("[,]", "expected value", (1, 2));
        check_mistake("{a: 1}", "key must be a string", (1, 2));
    }

    #[test]
    fn the_last_of_members_with_one_name_counts() {
        let text = r#"{"a": 1, "b": 2, "\u0061": 3, "a": 4, "c": 5}"#;
        let members = Members::split(text, 4).unwrap();
        assert_eq!(members.iter().collect::<Vec<_>>(), [("a", "4"), ("b", "2")]);
        assert_eq!(
            members.repeated().collect::<Vec<_>>(),
            [("a", "3"), ("a", "4")]
        );
        assert_eq!(members.left_out(), 1);
        assert_eq!(members.get("c"), None);
    }

    #[test]
    fn what_cannot_be_split_says_why() {
        assert!(Members::split("[]", 1).is_err());
        assert!(Elements::split("{}", 1).is_err());
        let reason = Members::split(r#"{"\ud800": 1}"#, 1).unwrap_err();
        assert_eq!(reason, "unexpected end of hex escape");
        assert_eq!(super::string(r#""\ud800""#).unwrap_err(), reason);
    }

    #[test]
    fn the_first_byte_tells_the_shape() {
        let shapes = ["{}", "[]", "\"\"", "-1", "true", "null"].map(|raw| Shape::of(raw).word());
        assert_eq!(
            shapes,
            [
                "an object",
                "an array",
                "a string",
                "a number",
                "a boolean",
                "null"
            ]
        );
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöü", 2), "äö…");
    }
}
