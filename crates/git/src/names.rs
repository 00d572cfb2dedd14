//! What a name in a repository may be.
//!
//! Three answers. Names that can only be an attack (`..`, `.git` in one of its disguises) refuse the
//! whole commit. Names that no file system holds refuse it too. Names that some systems or our
//! digests cannot hold are left out, so that a tree is the same on every machine.

use std::collections::HashSet;

use plugd_disk::tree::{folded_name, is_git_name, is_storable_name};

/// Longest name of one entry, as file systems have it.
const MAX_NAME: usize = 255;

/// Longest path inside a checkout; the system's own limit also holds what stands in front of it.
pub(crate) const MAX_PATH: usize = 2048;

/// What becomes of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    LeaveOut(&'static str),
    Hostile,
    Long,
}

/// The names of one directory.
#[derive(Debug, Default)]
pub(crate) struct Names {
    folded: HashSet<String>,
    exact: HashSet<Vec<u8>>,
}

impl Names {
    /// Judges the next name of the directory.
    pub(crate) fn judge(&mut self, name: &[u8]) -> Verdict {
        // Git never writes a name twice; a link and a directory of one name are the classic attack.
        if is_hostile(name) || !self.exact.insert(name.to_vec()) {
            return Verdict::Hostile;
        }
        if name.len() > MAX_NAME {
            return Verdict::Long;
        }
        let Ok(text) = std::str::from_utf8(name) else {
            return Verdict::LeaveOut("its name is not UTF-8");
        };
        if !is_storable_name(text) {
            return Verdict::LeaveOut("its name holds control characters");
        }
        if text.contains('\\') {
            return Verdict::LeaveOut("its name holds a backslash");
        }
        if !self.folded.insert(text.to_lowercase()) {
            return Verdict::LeaveOut("its name differs from its neighbour's only in case");
        }
        Verdict::Fine
    }
}

fn is_hostile(name: &[u8]) -> bool {
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || name.contains(&0) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(name) else {
        return false;
    };
    // Trailing dots, spaces and streams are nothing to file systems of other machines.
    let folded = folded_name(text);
    let stem = folded.split(':').next().unwrap_or(&folded);
    // A path with backslashes is several names elsewhere.
    is_git_name(text)
        || stem.trim_end_matches(['.', ' ']).is_empty()
        || folded
            .split('\\')
            .any(|part| matches!(part, ".." | ".git" | "git~1"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Names, Verdict};

    #[track_caller]
    fn check(name: &str, expected: Verdict) {
        assert_eq!(
            Names::default().judge(name.as_bytes()),
            expected,
            "{name:?}"
        );
    }

    #[test]
    fn ordinary_names_are_fine() {
        for name in [
            "a",
            ".gitignore",
            ".gitmodules",
            ".github",
            "git",
            "a b",
            "ä",
            "...a",
            "x.git",
        ] {
            check(name, Verdict::Fine);
        }
    }

    #[test]
    fn attacks_are_recognised_in_every_disguise() {
        for name in [
            "",
            ".",
            "..",
            ".git",
            ".GIT",
            ".Git.",
            ".git ",
            "git~1",
            "GIT~1",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "a/b",
            "..\\x",
            "x\\.git\\hooks",
            "a\0b",
            "...",
            ". .",
        ] {
            check(name, Verdict::Hostile);
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_an_attack_and_one_in_other_case_is_left_out() {
        let mut names = Names::default();
        assert_eq!(names.judge(b"a"), Verdict::Fine);
        assert_eq!(names.judge(b"a"), Verdict::Hostile);
        assert!(matches!(names.judge(b"A"), Verdict::LeaveOut(_)));
    }

    #[test]
    fn what_cannot_be_held_everywhere_is_left_out() {
        for name in ["a\nb", "a\u{7}", "a\\b"] {
            let verdict = Names::default().judge(name.as_bytes());
            assert!(matches!(verdict, Verdict::LeaveOut(_)), "{name:?}");
        }
        let verdict = Names::default().judge(&[b'a', 0xff]);
        assert!(matches!(verdict, Verdict::LeaveOut(_)));
        check(&"a".repeat(255), Verdict::Fine);
        check(&"a".repeat(256), Verdict::Long);
    }
}
