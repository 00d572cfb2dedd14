//! Names that lead into git's own data on some file system, however they are written here.
//!
//! Whoever takes content of strangers asks before it is written, so the rule has to be the same for
//! all of them. What becomes of such a name is theirs to say.

/// A name as file systems compare it that are loose about names: without case, and without the
/// characters that they ignore. Only good for a comparison.
#[must_use]
pub fn folded_name(name: &str) -> String {
    name.chars()
        .filter(|c| !is_ignored(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether some file system takes the name for `.git`: without case, without the characters that it
/// ignores, without dots and spaces at the end, without the name of a stream, or shortened as
/// Windows does it.
#[must_use]
pub fn is_git_name(name: &str) -> bool {
    let folded = folded_name(name);
    let stem = folded.split(':').next().unwrap_or(&folded);
    matches!(stem.trim_end_matches(['.', ' ']), ".git" | "git~1")
}

/// Characters that Apple's file system drops from names.
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{folded_name, is_git_name};

    #[test]
    fn git_is_known_in_every_disguise() {
        for name in [
            ".git",
            ".GIT",
            ".Git.",
            ".git ",
            ".git. .",
            "git~1",
            "GIT~1",
            ".git:x",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "\u{feff}.git\u{202e}",
        ] {
            assert!(is_git_name(name), "{name:?}");
        }
        for name in [
            "",
            "git",
            ".gitignore",
            ".github",
            "x.git",
            ". git",
            "git~2",
            "a\\.git",
        ] {
            assert!(!is_git_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_folded_without_being_cut() {
        assert_eq!(folded_name("A\u{200d}Ä:B. "), "aä:b. ");
    }
}
