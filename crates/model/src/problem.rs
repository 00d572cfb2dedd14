//! Problems: what is wrong with a piece of data while everything around it stays usable.
//!
//! One shape everywhere, so that a load error, a finding of `validate` and a note in an answer can
//! be read by the same code of a frontend.

use crate::AbsPath;

/// The longest message, and the longest name of a member, in characters.
const MAX_TEXT_CHARS: usize = 1_000;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something is ignored or unusual; the rest works.
    Warning,
    /// The thing it speaks of cannot be used.
    Error,
}

/// A place in a text file; both numbers count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// The place of a byte offset in a text. An offset behind the end means the end.
    #[must_use]
    pub fn of_offset(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |p| p + 1);
        let breaks = before.iter().filter(|&&b| b == b'\n').count();
        let column = String::from_utf8_lossy(&before[line_start..])
            .chars()
            .count();
        Self {
            line: u32::try_from(breaks + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }
}

/// A problem with its place, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable word for programs.
    pub kind: ProblemKind,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence fragment for people: lower case, no final dot.
    pub message: String,
    /// The file it stands in.
    pub path: Option<AbsPath>,
    /// The member it speaks of, as a path such as `plugins[3].policy.installation`.
    pub field: Option<String>,
    /// The place in the file.
    pub place: Option<Place>,
}

impl Problem {
    /// A problem that makes its subject unusable.
    pub fn error(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self::new(kind, Severity::Error, message.into())
    }

    /// A problem that spoils only what it names.
    pub fn warning(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self::new(kind, Severity::Warning, message.into())
    }

    fn new(kind: ProblemKind, severity: Severity, message: String) -> Self {
        Self {
            kind,
            severity,
            message: bounded(message),
            path: None,
            field: None,
            place: None,
        }
    }

    /// The same problem, with the file it stands in.
    #[must_use]
    pub fn in_file(mut self, path: &AbsPath) -> Self {
        self.path = Some(path.clone());
        self
    }

    /// The same problem, with the member it speaks of.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(bounded(field.into()));
        self
    }

    /// The same problem, for somebody who can do without its subject.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same problem, with its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

/// Cuts a text that repeats what a stranger wrote: an answer holds many of them.
fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Declares the kinds together with their stable words, so that neither can be forgotten.
macro_rules! problem_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// The closed set of problem kinds. The words are part of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ProblemKind {
            /// Every kind, for documentation and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable word that goes over the wire.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

problem_kinds! {
    /// A file or directory that something names is not there.
    Missing = "missing",
    /// A file exists and cannot be read.
    Unreadable = "unreadable",
    /// Something other than the expected kind of file.
    NotAFile = "notAFile",
    /// Larger, deeper or more than the limit.
    TooLarge = "tooLarge",
    /// The file is not valid JSON, TOML, YAML or UTF-8.
    Syntax = "syntax",
    /// A member has the wrong type.
    WrongType = "wrongType",
    /// A required member is absent.
    MissingField = "missingField",
    /// A member has a value outside its set.
    BadValue = "badValue",
    /// A member that nobody reads; often a typing error.
    UnknownField = "unknownField",
    /// A name that breaks the name rule.
    BadName = "badName",
    /// A reserved marketplace name outside its managed place.
    ReservedName = "reservedName",
    /// A path that is absolute, climbs, or leaves its root through a link.
    BadPath = "badPath",
    /// An entry source that cannot be understood.
    BadSource = "badSource",
    /// A kind of source that is not supported.
    UnsupportedSource = "unsupportedSource",
    /// A second thing with an id that is taken.
    Duplicate = "duplicate",
    /// Two marketplaces claim one name from different places.
    Conflict = "conflict",
    /// Policy of the organisation hides it.
    Policy = "policy",
    /// Restricted to other products.
    Product = "product",
    /// A declared version of the specification that is not supported.
    UnsupportedSchema = "unsupportedSchema",
    /// A version that cannot name a directory.
    BadVersion = "badVersion",
    /// The manifest's name differs from the entry's.
    NameMismatch = "nameMismatch",
    /// Installed, but its marketplace or entry is gone.
    Orphan = "orphan",
    /// A link or special file that was left out of a copy.
    LeftOut = "leftOut",
    /// A newer or different source exists and something keeps the copy where it is.
    HeldBack = "heldBack",
    /// Something may come only after the user has approved exactly that.
    ApprovalNeeded = "approvalNeeded",
    /// The commit is younger than is asked for.
    CommitTooYoung = "commitTooYoung",
    /// A foreign program changed again what was repaired.
    Drift = "drift",
    /// A login is needed, or the one there has expired.
    LoginExpired = "loginExpired",
    /// A configuration file is invalid and was not used.
    Config = "config",
    /// Its author advises against it.
    Deprecated = "deprecated",
    /// The system does not tell when it changes, so that is noticed late.
    Unwatched = "unwatched",
    /// The network or a remote service did not answer.
    Unavailable = "unavailable",
    /// The hosted catalog did not answer and nothing of it is known.
    RemoteUnavailable = "remoteUnavailable",
    /// The hosted catalog did not answer; what it said earlier is shown.
    RemoteStale = "remoteStale",
}

#[cfg(test)]
mod tests {
    use super::{MAX_TEXT_CHARS, Place, Problem, ProblemKind};

    #[test]
    fn what_a_stranger_wrote_is_repeated_within_a_bound() {
        let long = "ü".repeat(300_000);
        let problem = Problem::error(ProblemKind::BadName, &long).at_field(&long);
        for text in [problem.message, problem.field.unwrap_or_default()] {
            assert_eq!(text.chars().count(), MAX_TEXT_CHARS + 1);
            assert!(text.ends_with('…'));
        }
        let problem = Problem::warning(ProblemKind::BadName, "short").at_field("a");
        assert_eq!(
            (problem.message.as_str(), problem.field.as_deref()),
            ("short", Some("a"))
        );
    }

    #[test]
    fn places_count_characters_from_one() {
        let text = "ab\nçd\n".as_bytes();
        assert_eq!(Place::of_offset(text, 0), Place { line: 1, column: 1 });
        assert_eq!(Place::of_offset(text, 5), Place { line: 2, column: 2 });
        assert_eq!(Place::of_offset(text, 99), Place { line: 3, column: 1 });
    }

    #[test]
    fn words_are_unique() {
        let mut words: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ProblemKind::ALL.len());
    }
}
