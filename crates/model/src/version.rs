//! Version directories: which names are legal and which of several is the active one.

use std::cmp::Ordering;
use std::fmt;

/// How much of a refused text is shown.
const MAX_SHOWN_CHARS: usize = 100;

/// The name of a version directory in the store: one legal path segment.
///
/// Versions are not required to be semantic; whatever an author writes is kept when it can be a
/// directory name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionSegment(String);

/// Why a text cannot name a version directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the version `{}` cannot be a directory name: use ASCII letters, digits, `.`, `+`, `_` and `-`",
    shown(text)
)]
pub struct VersionError {
    /// The refused text.
    pub text: String,
}

/// A refused text as a message can bear it.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

impl VersionSegment {
    /// The version of a plugin that declares none.
    pub const LOCAL: &'static str = "local";

    /// Checks and takes a version.
    ///
    /// # Errors
    /// The text is empty, `.`, `..`, longer than 200 bytes or has a character outside the set.
    pub fn new(text: &str) -> Result<Self, VersionError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '_' | '-');
        if text.is_empty()
            || text == "."
            || text == ".."
            || text.len() > crate::names::MAX_NAME_BYTES
            || !text.chars().all(legal)
        {
            return Err(VersionError {
                text: text.to_owned(),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The segment used when a manifest declares no version.
    #[must_use]
    pub fn local() -> Self {
        Self(Self::LOCAL.to_owned())
    }

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Picks the active one of several version directories as the reference does: `local` when it
    /// is there, else the greatest, as semantic versions where both are, else by bytes.
    ///
    /// The mixed comparison is not transitive, so the result may depend on the order given; callers
    /// pass the names sorted.
    pub fn active<'a>(versions: impl IntoIterator<Item = &'a Self>) -> Option<&'a Self> {
        let mut best: Option<&Self> = None;
        for version in versions {
            if version.0 == Self::LOCAL {
                return Some(version);
            }
            best = match best {
                Some(old) if compare(&old.0, &version.0) != Ordering::Less => Some(old),
                _ => Some(version),
            };
        }
        best
    }
}

fn compare(left: &str, right: &str) -> Ordering {
    match (semver::Version::parse(left), semver::Version::parse(right)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => left.as_bytes().cmp(right.as_bytes()),
    }
}

/// How two versions stand to each other, when both are semantic. What follows a `+` says nothing of
/// it.
#[must_use]
pub fn semantic_order(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (
        semver::Version::parse(left).ok()?,
        semver::Version::parse(right).ok()?,
    );
    Some(left.cmp_precedence(&right))
}

impl fmt::Display for VersionSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::VersionSegment;

    #[test]
    fn a_refused_version_is_shown_in_part() {
        let error = VersionSegment::new(&"9".repeat(300_000)).unwrap_err();
        assert!(error.to_string().len() < 300, "{error}");
        let error = VersionSegment::new("a\nb").unwrap_err();
        assert!(error.to_string().contains("`a\\nb`"), "{error}");
    }

    #[track_caller]
    fn check(names: &[&str], expected: &str) {
        let mut versions: Vec<_> = names
            .iter()
            .map(|name| VersionSegment::new(name).unwrap())
            .collect();
        versions.sort();
        assert_eq!(
            VersionSegment::active(&versions).unwrap().as_str(),
            expected
        );
    }

    #[test]
    fn active_version_as_observed_on_the_reference() {
        check(&["1.0.0", "1.9.0", "1.10.0"], "1.10.0");
        check(&["1.10.0", "9"], "9");
        check(&["1.0.0", "zzz"], "zzz");
        check(&["1.0.0", "1.0.0-a", "1.0.0+b"], "1.0.0+b");
        check(&["local", "99.0.0"], "local");
        check(&["v2", "10.0.0"], "v2");
    }

    #[test]
    fn illegal_directory_names() {
        for bad in ["", ".", "..", "1/2", "1 2", "ä", "a\0b"] {
            assert!(VersionSegment::new(bad).is_err(), "{bad:?}");
        }
        assert!(VersionSegment::new(&"1".repeat(300)).is_err());
    }
}
