//! Which commit of a repository is wanted, and how much of its history.
//!
//! The text comes from a catalog or a command line. It is checked here, before anything is started:
//! a name that begins with `-` could be taken for an option by a program behind us.

use serde::{Deserialize, Serialize};

/// Shortest abbreviation of a commit that is looked up at all.
const MIN_ABBREVIATION: usize = 4;

/// What is wanted of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Want {
    /// The head of the default branch.
    Head,
    /// A branch or tag; what is neither and looks like a commit is taken as one.
    Ref(String),
    /// A commit, in full or abbreviated. In lower case.
    Commit(String),
}

/// How much history a mirror needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Depth {
    /// The commit alone, where the transport can do that; everything elsewhere.
    Tip,
    /// Everything behind the commit.
    Whole,
}

/// A ref or commit that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WantError {
    /// Not a name that git allows for a branch or tag.
    #[error("`{}` cannot be the name of a branch or tag", text.escape_debug())]
    Ref {
        /// What was asked for.
        text: String,
    },
    /// Not hexadecimal, too short or too long.
    #[error("`{}` cannot be a commit", text.escape_debug())]
    Commit {
        /// What was asked for.
        text: String,
    },
}

impl Want {
    /// A branch or tag, or an (abbreviated) commit in its place. `HEAD` means the default branch.
    ///
    /// # Errors
    /// Git would not allow such a name.
    pub fn of_ref(text: &str) -> Result<Self, WantError> {
        if text == "HEAD" {
            return Ok(Self::Head);
        }
        let full = match text.strip_prefix("refs/") {
            Some(_) => text.to_owned(),
            None => format!("refs/heads/{text}"),
        };
        if text.starts_with('-') || !git2::Reference::is_valid_name(&full) {
            return Err(WantError::Ref {
                text: text.to_owned(),
            });
        }
        Ok(Self::Ref(text.to_owned()))
    }

    /// A commit, in full or abbreviated to at least four digits.
    ///
    /// # Errors
    /// The text is something else.
    pub fn of_commit(text: &str) -> Result<Self, WantError> {
        if is_commit(text) {
            Ok(Self::Commit(text.to_ascii_lowercase()))
        } else {
            Err(WantError::Commit {
                text: text.to_owned(),
            })
        }
    }

    /// What was asked for, for messages.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Head => "HEAD",
            Self::Ref(text) | Self::Commit(text) => text,
        }
    }

    /// The same again after a trip through a pipe, where anything may have been written.
    pub(crate) fn checked(self) -> Result<Self, WantError> {
        match self {
            Self::Head => Ok(Self::Head),
            Self::Ref(text) => Self::of_ref(&text),
            Self::Commit(text) => Self::of_commit(&text),
        }
    }
}

/// Whether a text can be a commit or the beginning of one.
pub(crate) fn is_commit(text: &str) -> bool {
    (MIN_ABBREVIATION..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Want;

    #[track_caller]
    fn check_ref(text: &str, expected: Option<Want>) {
        assert_eq!(Want::of_ref(text).ok(), expected, "{text:?}");
    }

    #[test]
    fn a_ref_is_a_name_that_git_allows() {
        for good in ["main", "feature/x", "v1.0", "refs/tags/v1", "abc1234"] {
            check_ref(good, Some(Want::Ref(good.to_owned())));
        }
        check_ref("HEAD", Some(Want::Head));
        for bad in [
            "",
            "-x",
            "--upload-pack=sh",
            "a b",
            "a..b",
            "a\n",
            "a:b",
            "x.lock",
            "/a",
            "a~1",
            "@{u}",
        ] {
            check_ref(bad, None);
        }
    }

    #[track_caller]
    fn check_commit(text: &str, expected: Option<&str>) {
        let expected = expected.map(|text| Want::Commit(text.to_owned()));
        assert_eq!(Want::of_commit(text).ok(), expected, "{text:?}");
    }

    #[test]
    fn a_commit_is_hexadecimal_and_long_enough() {
        check_commit("ABCD", Some("abcd"));
        check_commit(&"a".repeat(40), Some(&"a".repeat(40)));
        for bad in ["", "abc", "-abcd", "abcg", "HEAD", &"a".repeat(41)] {
            check_commit(bad, None);
        }
    }
}
