//! Key paths: `plugins."p@m".enabled` as a list of segments.
//!
//! The text form is TOML's dotted key with one relaxation: a segment without quotes may hold any
//! character but a dot, a quote or an equals sign, because people write `plugins.p@m.enabled`. A
//! plugin name with a dot in it therefore needs quotes. Requests have a form of their own, which is
//! the reference's.

use std::fmt;

/// A path of at least one key. In a path that is edited, a number addresses an element where an
/// array stands, and the number behind the last element appends one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<String>);

/// More segments than any parser of TOML here accepts; without a bound a hostile path would build
/// trees that no stack can walk.
const MAX_SEGMENTS: usize = 100;

/// Why a text is not a key path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyPathError {
    /// Nothing stands where a path belongs.
    #[error("the key path is empty")]
    Empty,
    /// Two dots in a row, or one at an end.
    #[error("the key path `{text}` has an empty segment")]
    EmptySegment {
        /// The whole text.
        text: String,
    },
    /// More segments than a configuration can be deep.
    #[error("the key path has more than {MAX_SEGMENTS} segments")]
    TooDeep,
    /// A quote that is not closed, text behind a closing quote, or an unknown escape.
    #[error("the key path `{text}` has a quote or an escape that does not fit")]
    BadQuote {
        /// The whole text.
        text: String,
    },
}

impl KeyPath {
    /// Makes a path of segments that are already separate.
    ///
    /// # Errors
    /// There is no segment, or there are too many.
    pub fn new<S: Into<String>>(
        segments: impl IntoIterator<Item = S>,
    ) -> Result<Self, KeyPathError> {
        let segments: Vec<String> = segments.into_iter().map(Into::into).collect();
        if segments.is_empty() {
            return Err(KeyPathError::Empty);
        }
        if segments.len() > MAX_SEGMENTS {
            return Err(KeyPathError::TooDeep);
        }
        Ok(Self(segments))
    }

    /// A path from names the caller wrote down, so it cannot be empty.
    #[must_use]
    pub fn of<const N: usize>(segments: [&str; N]) -> Self {
        const { assert!(N > 0) };
        Self(segments.map(str::to_owned).to_vec())
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// The text is empty or too deep, has an empty segment, or a quote that does not fit.
    pub fn parse(text: &str) -> Result<Self, KeyPathError> {
        if text.trim().is_empty() {
            return Err(KeyPathError::Empty);
        }
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let (segment, behind) = segment(rest, text)?;
            segments.push(segment);
            match behind {
                Some(next) => rest = next,
                None => return Self::new(segments),
            }
        }
    }

    /// Reads the text form of requests: dots between the segments, and double quotes around one that
    /// holds dots, in which a backslash stands before a quote or another backslash. Everything else is
    /// an ordinary character, also a single quote or a space.
    ///
    /// # Errors
    /// The text is empty or too deep, has an empty segment, or a quote that does not fit.
    pub fn parse_request(text: &str) -> Result<Self, KeyPathError> {
        if text.trim().is_empty() {
            return Err(KeyPathError::Empty);
        }
        let mut segments = Vec::new();
        let mut rest = Some(text);
        while let Some(text_left) = rest {
            let (segment, behind) = request_segment(text_left).ok_or_else(|| {
                let text = text.to_owned();
                KeyPathError::BadQuote { text }
            })?;
            if segment.is_empty() {
                let text = text.to_owned();
                return Err(KeyPathError::EmptySegment { text });
            }
            segments.push(segment);
            rest = behind;
        }
        Self::new(segments)
    }

    /// The keys from the top down.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Whether this path is `other` or lies below it.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The segments joined by dots without quotes, as the reference spells the keys of `origins`.
    #[must_use]
    pub fn plain(&self) -> String {
        self.0.join(".")
    }

    /// This path with one more segment.
    #[must_use]
    pub fn child(&self, segment: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Self(segments)
    }
}

/// Where a value stands, for whoever has to tell a problem with it.
pub(crate) trait Field {
    /// The last segment.
    fn last(&self) -> Option<&str>;

    /// The whole path.
    fn path(&self) -> KeyPath;
}

/// A member of something, whose path is made when there is a problem to tell: there are thousands of
/// values, and nearly all are as they should be.
pub(crate) struct Child<'a>(pub(crate) &'a dyn Field, pub(crate) &'a str);

impl Field for KeyPath {
    fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    fn path(&self) -> KeyPath {
        self.clone()
    }
}

impl Field for Child<'_> {
    fn last(&self) -> Option<&str> {
        Some(self.1)
    }

    fn path(&self) -> KeyPath {
        let mut path = self.0.path();
        path.0.push(self.1.to_owned());
        path
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&crate::encode::key(segment))?;
        }
        Ok(())
    }
}

/// Splits off the first segment; what is behind its dot is the rest.
fn segment<'t>(rest: &'t str, whole: &str) -> Result<(String, Option<&'t str>), KeyPathError> {
    let bad_quote = || KeyPathError::BadQuote {
        text: whole.to_owned(),
    };
    let rest = rest.trim_start();
    let Some(quote @ ('"' | '\'')) = rest.chars().next() else {
        let (segment, behind) = match rest.split_once('.') {
            Some((segment, behind)) => (segment, Some(behind)),
            None => (rest, None),
        };
        let segment = segment.trim();
        if segment.is_empty() {
            return Err(KeyPathError::EmptySegment {
                text: whole.to_owned(),
            });
        }
        if segment.contains(['"', '\'']) {
            return Err(bad_quote());
        }
        return Ok((segment.to_owned(), behind));
    };
    let end = closing_quote(rest, quote).ok_or_else(bad_quote)?;
    let key: toml_edit::Key = rest[..=end].parse().map_err(|_| bad_quote())?;
    let behind = rest[end + 1..].trim_start();
    match behind.strip_prefix('.') {
        Some(next) => Ok((key.get().to_owned(), Some(next))),
        None if behind.is_empty() => Ok((key.get().to_owned(), None)),
        None => Err(bad_quote()),
    }
}

/// Splits off the first segment of a request's key path; `None` for a quote or an escape that does
/// not fit.
fn request_segment(text: &str) -> Option<(String, Option<&str>)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (segment, behind) = match text.split_once('.') {
            Some((segment, behind)) => (segment, Some(behind)),
            None => (text, None),
        };
        return (!segment.contains('"')).then(|| (segment.to_owned(), behind));
    };
    let mut segment = String::new();
    let mut characters = quoted.char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '"' => {
                let behind = &quoted[offset + 1..];
                return match behind.strip_prefix('.') {
                    Some(next) => Some((segment, Some(next))),
                    None => behind.is_empty().then_some((segment, None)),
                };
            }
            '\\' => match characters.next()? {
                (_, escaped @ ('"' | '\\')) => segment.push(escaped),
                _ => return None,
            },
            other => segment.push(other),
        }
    }
    None
}

/// The offset of the quote that closes the one at the start.
fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, character) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' && quote == '"' {
            escaped = true;
        } else if character == quote {
            return Some(offset);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{KeyPath, KeyPathError};

    #[track_caller]
    fn check(text: &str, segments: &[&str], shown: &str) {
        let path = KeyPath::parse(text).unwrap();
        assert_eq!(path.segments(), segments);
        assert_eq!(path.to_string(), shown);
        assert_eq!(KeyPath::parse(shown).unwrap(), path);
    }

    #[test]
    fn quotes_are_understood_and_not_needed() {
        check(
            "features.plugins",
            &["features", "plugins"],
            "features.plugins",
        );
        let long = &["plugins", "p@m", "enabled"];
        check(r#"plugins."p@m".enabled"#, long, r#"plugins."p@m".enabled"#);
        check("plugins.'p@m'.enabled", long, r#"plugins."p@m".enabled"#);
        check("plugins.p@m.enabled", long, r#"plugins."p@m".enabled"#);
        check(
            r#" plugins . "a.b@m" "#,
            &["plugins", "a.b@m"],
            r#"plugins."a.b@m""#,
        );
        check(
            r#""a\"b\\.c".'d\'"#,
            &["a\"b\\.c", "d\\"],
            r#""a\"b\\.c"."d\\""#,
        );
        check("a b", &["a b"], r#""a b""#);
        check(r#""""#, &[""], r#""""#);
    }

    #[test]
    fn what_is_no_path() {
        assert_eq!(KeyPath::parse(""), Err(KeyPathError::Empty));
        assert_eq!(KeyPath::parse("  "), Err(KeyPathError::Empty));
        let deep = vec!["a"; 101].join(".");
        assert_eq!(KeyPath::parse(&deep), Err(KeyPathError::TooDeep));
        for text in [".", "a.", ".a", "a..b"] {
            let error = KeyPath::parse(text).unwrap_err();
            assert!(matches!(error, KeyPathError::EmptySegment { .. }), "{text}");
        }
        for text in ["\"a", "'a", "\"a\"b", "a\"b\"", "\"a\\q\""] {
            let error = KeyPath::parse(text).unwrap_err();
            assert!(matches!(error, KeyPathError::BadQuote { .. }), "{text}");
        }
    }

    #[test]
    fn requests_know_double_quotes_only() {
        for (text, segments) in [
            ("features.plugins", &["features", "plugins"][..]),
            (
                r#"plugins."a.b@m".enabled"#,
                &["plugins", "a.b@m", "enabled"],
            ),
            ("plugins.p@m", &["plugins", "p@m"]),
            ("desktop.'q.r'.s", &["desktop", "'q", "r'", "s"]),
            ("desktop.it's", &["desktop", "it's"]),
            (" desktop. a .b ", &[" desktop", " a ", "b "]),
            (r#"a."b\"c\\d""#, &["a", r#"b"c\d"#]),
        ] {
            let path = KeyPath::parse_request(text).unwrap();
            assert_eq!(path.segments(), segments, "{text}");
        }
        for text in ["", "  "] {
            assert_eq!(KeyPath::parse_request(text), Err(KeyPathError::Empty));
        }
        for text in [".", "a.", ".a", "a..b", r#""""#, r#"a."".b"#] {
            let error = KeyPath::parse_request(text).unwrap_err();
            assert!(matches!(error, KeyPathError::EmptySegment { .. }), "{text}");
        }
        for text in [
            "\"a", "\"a\"b", "\"a\" .b", "a\"b\"", "a. \"b\"", "\"a\\q\"",
        ] {
            let error = KeyPath::parse_request(text).unwrap_err();
            assert!(matches!(error, KeyPathError::BadQuote { .. }), "{text}");
        }
        let deep = vec!["a"; 101].join(".");
        assert_eq!(KeyPath::parse_request(&deep), Err(KeyPathError::TooDeep));
    }
}
