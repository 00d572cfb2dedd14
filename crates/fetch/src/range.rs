//! Ranges of versions as npm writes them.
//!
//! The comparators mean the same as Cargo's; their notation does not: a plain version is that one
//! version, spaces join, `||` separates alternatives, and two versions with a hyphen in between are
//! both ends of a range.

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

/// Most alternatives and comparators that are read; a person writes three.
const MAX_PARTS: usize = 256;

/// Versions that are meant together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    alternatives: Vec<VersionReq>,
}

impl Range {
    /// Reads a range; `None` when the text is none, and then it may be a tag.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut alternatives = Vec::new();
        for alternative in text.split("||") {
            if alternatives.len() == MAX_PARTS {
                return None;
            }
            // One that matches nothing is left out.
            if let Some(comparators) = parse_alternative(alternative.trim())? {
                alternatives.push(VersionReq { comparators });
            }
        }
        Some(Self { alternatives })
    }

    /// Whether a version is meant. One before a release is only when a comparator names one of the
    /// same release.
    pub(crate) fn matches(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|one| one.matches(version))
    }
}

/// One exact version, with or without `v` or `=` in front.
pub(crate) fn exact(text: &str) -> Option<Version> {
    let text = text.trim_start_matches(['=', 'v', ' ']);
    Version::parse(text).ok()
}

/// The comparators that must all match; nothing inside when no version can.
fn parse_alternative(text: &str) -> Option<Option<Vec<Comparator>>> {
    if let Some((low, high)) = text.split_once(" - ") {
        let low = Partial::parse(low.trim())?;
        let high = Partial::parse(high.trim())?;
        let ends = [(Op::GreaterEq, low), (Op::LessEq, high)];
        let ends = ends.into_iter();
        return Some(Some(
            ends.filter_map(|(op, end)| end.comparator(op)).collect(),
        ));
    }
    let mut comparators = Vec::new();
    for (op, partial) in operands(text)? {
        match partial.comparator(op) {
            Some(comparator) => comparators.push(comparator),
            // Nothing is greater or less than everything.
            None if matches!(op, Op::Greater | Op::Less) => return Some(None),
            None => {}
        }
    }
    Some(Some(comparators))
}

/// The comparators of an alternative; between an operator and its version there may be spaces.
fn operands(text: &str) -> Option<Vec<(Op, Partial)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if found.len() == MAX_PARTS {
            return None;
        }
        let (op, after) = operator(rest);
        let after = after.trim_start();
        let end = after
            .find(|c: char| c.is_whitespace() || "<>=^~".contains(c))
            .unwrap_or(after.len());
        let (version, after) = after.split_at(end);
        found.push((op, Partial::parse(version)?));
        rest = after.trim_start();
    }
    Some(found)
}

fn operator(text: &str) -> (Op, &str) {
    const KNOWN: [(&str, Op); 8] = [
        (">=", Op::GreaterEq),
        ("<=", Op::LessEq),
        ("~>", Op::Tilde),
        (">", Op::Greater),
        ("<", Op::Less),
        ("=", Op::Exact),
        ("^", Op::Caret),
        ("~", Op::Tilde),
    ];
    KNOWN
        .iter()
        .find_map(|(sign, op)| Some((*op, text.strip_prefix(sign)?)))
        .unwrap_or((Op::Exact, text))
}

/// A version of which the end may be missing or a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V', '=']).unwrap_or(text);
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) if !pre.is_empty() => (numbers, Prerelease::new(pre).ok()?),
            Some(_) => return None,
            None => (text, Prerelease::EMPTY),
        };
        // A tag such as `x-next` is no range.
        if !pre.is_empty() && numbers.split('.').count() != 3 {
            return None;
        }
        let mut parts = numbers.split('.').map(part);
        let major = parts.next()??;
        let mut next = || parts.next().unwrap_or(Some(None));
        let (minor, patch) = (next()?, next()?);
        if parts.next().is_some() {
            return None;
        }
        // Behind a wildcard nothing counts.
        let minor = minor.filter(|_| major.is_some());
        let patch = patch.filter(|_| minor.is_some());
        let pre = if patch.is_some() {
            pre
        } else {
            Prerelease::EMPTY
        };
        Some(Self {
            major,
            minor,
            patch,
            pre,
        })
    }

    /// The comparator; `None` when it is everything.
    fn comparator(self, op: Op) -> Option<Comparator> {
        Some(Comparator {
            op,
            major: self.major?,
            minor: self.minor,
            patch: self.patch,
            pre: self.pre,
        })
    }
}

/// A number, or `Some(None)` for a wildcard.
fn part(text: &str) -> Option<Option<u64>> {
    match text {
        "*" | "x" | "X" => Some(None),
        _ if text.len() > 1 && text.starts_with('0') => None,
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use semver::Version;

    use super::{Range, exact};

    const VERSIONS: &[&str] = &[
        "0.0.3",
        "0.2.1",
        "1.0.0-rc.1",
        "1.0.0",
        "1.2.0",
        "1.2.3-beta.2",
        "1.2.3",
        "1.3.0",
        "2.0.0",
        "2.1.0-1",
        "10.0.0",
    ];

    /// Which of the versions a range means, with spaces in between.
    #[track_caller]
    fn check(range: &str, expected: &str) {
        let parsed = Range::parse(range).unwrap_or_else(|| panic!("{range}"));
        let found: Vec<_> = VERSIONS
            .iter()
            .filter(|text| parsed.matches(&Version::parse(text).unwrap()))
            .copied()
            .collect();
        assert_eq!(found.join(" "), expected, "{range:?}");
    }

    const ALL: &str = "0.0.3 0.2.1 1.0.0 1.2.0 1.2.3 1.3.0 2.0.0 10.0.0";

    #[test]
    fn everything() {
        for range in [
            "",
            "*",
            "x",
            "X",
            ">=*",
            "^*",
            "~x",
            "* || 9.9.9",
            ">=0.0.0",
        ] {
            check(range, ALL);
        }
    }

    #[test]
    fn one_version_and_parts_of_one() {
        check("1.2.0", "1.2.0");
        check("=1.2.0", "1.2.0");
        check("v1.2.0", "1.2.0");
        check("= v1.2.0", "1.2.0");
        check("1.2", "1.2.0 1.2.3");
        check("1.2.x", "1.2.0 1.2.3");
        check("1.2.*", "1.2.0 1.2.3");
        check("1", "1.0.0 1.2.0 1.2.3 1.3.0");
        check("1.x.3", "1.0.0 1.2.0 1.2.3 1.3.0");
        check("1.2.0+build", "1.2.0");
    }

    #[test]
    fn operators() {
        check("^1.2.0", "1.2.0 1.2.3 1.3.0");
        check("^1.2", "1.2.0 1.2.3 1.3.0");
        check("^ 1", "1.0.0 1.2.0 1.2.3 1.3.0");
        check("^0.2", "0.2.1");
        check("^0.0.3", "0.0.3");
        check("~1.2.1", "1.2.3");
        check("~1.2", "1.2.0 1.2.3");
        check("~>1.2", "1.2.0 1.2.3");
        check("~1", "1.0.0 1.2.0 1.2.3 1.3.0");
        check(">1.2", "1.3.0 2.0.0 10.0.0");
        check(">1", "2.0.0 10.0.0");
        check(">=1.2.3", "1.2.3 1.3.0 2.0.0 10.0.0");
        check("<=1.2", "0.0.3 0.2.1 1.0.0 1.2.0 1.2.3");
        check("<1", "0.0.3 0.2.1");
        check("<*", "");
        check(">x || 10", "10.0.0");
    }

    #[test]
    fn together_and_alternatives() {
        check(">=1 <2", "1.0.0 1.2.0 1.2.3 1.3.0");
        check(">= 1.2   < 1.3.0", "1.2.0 1.2.3");
        check(">1.0.0<1.3.0", "1.2.0 1.2.3");
        check("1.2 || 2", "1.2.0 1.2.3 2.0.0");
        check("0.0.3||>9", "0.0.3 10.0.0");
        check(">2 <1", "");
        check("1.2 - 1.3", "1.2.0 1.2.3 1.3.0");
        check("1.2.3 - 2", "1.2.3 1.3.0 2.0.0");
        check("* - 1.0", "0.0.3 0.2.1 1.0.0");
    }

    #[test]
    fn a_version_before_a_release_must_be_named() {
        check("^1.0.0-rc", "1.0.0-rc.1 1.0.0 1.2.0 1.2.3 1.3.0");
        check("1.2.3-beta.2", "1.2.3-beta.2");
        check(">=1.2.3-alpha <1.3.0", "1.2.3-beta.2 1.2.3");
        check(">2.0.0 <2.2.0", "");
        check("2.1.0-x || 2.1.0-1", "2.1.0-1");
    }

    #[test]
    fn other_texts_may_be_tags() {
        for text in [
            "latest", "next", "beta-1", "v", "1.2.3.4", "1.2.3-", ">=next", "1.", "1..2", "1,2",
            "^", "-1", "1 latest", "01x", "01", "x-next", "1-beta", "1 - ", "> ",
        ] {
            assert_eq!(Range::parse(text), None, "{text:?}");
        }
    }

    #[track_caller]
    fn check_exact(text: &str, expected: Option<&str>) {
        let version = exact(text).map(|version| version.to_string());
        assert_eq!(version.as_deref(), expected, "{text}");
    }

    #[test]
    fn exact_versions() {
        check_exact("1.2.3", Some("1.2.3"));
        check_exact("v1.2.3-a.1", Some("1.2.3-a.1"));
        check_exact("=v1.2.3", Some("1.2.3"));
        check_exact("1.2", None);
        check_exact("^1.2.3", None);
        check_exact("01.2.3", None);
    }
}
