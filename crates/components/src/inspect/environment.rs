//! Names of environment variables that a script looks at.
//!
//! This is a search for the usual ways to write it, not an analysis: a program that builds a name
//! from pieces is not found. What is found is worth a look, and what is not found proves nothing.

use std::collections::BTreeSet;

use crate::placeholders::{is_directory, name_at};

/// The family of a script's language, as far as it matters for finding names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// `$NAME` and `${NAME}`.
    Shell,
    /// `%NAME%`.
    Batch,
    /// `$env:NAME`.
    PowerShell,
    /// Everything that asks by a call.
    Other,
}

impl Language {
    /// The language of a script by its interpreter or its file's suffix; nothing for other files.
    pub(super) fn of(name: &str, interpreter: Option<&str>) -> Option<Self> {
        let by_interpreter = interpreter.map(|interpreter| match interpreter {
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "fish" | "ash" | "busybox" => Self::Shell,
            "cmd" => Self::Batch,
            "powershell" | "pwsh" => Self::PowerShell,
            _ => Self::Other,
        });
        let (_, suffix) = name.rsplit_once('.').unwrap_or_default();
        by_interpreter.or(match suffix.to_ascii_lowercase().as_str() {
            "sh" | "bash" | "zsh" | "ksh" | "fish" => Some(Self::Shell),
            "bat" | "cmd" => Some(Self::Batch),
            "ps1" | "psm1" => Some(Self::PowerShell),
            "py" | "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx" | "rb" | "pl"
            | "php" | "lua" | "go" | "rs" | "java" | "kt" | "swift" => Some(Self::Other),
            _ => None,
        })
    }
}

/// What stands in front of a name without quotes.
const BARE: [&str; 3] = ["process.env.", "import.meta.env.", "Bun.env."];
/// What stands in front of a name in quotes, blanks and an opening bracket in between left out.
const QUOTED: [&str; 12] = [
    "process.env[",
    "os.environ[",
    "os.environ.get(",
    "os.environ.pop(",
    "os.getenv(",
    "os.Getenv(",
    "getenv(",
    "Deno.env.get(",
    "env::var(",
    "ENV[",
    "ENV.fetch(",
    "$_ENV[",
];

/// The names that a text looks at, sorted, each once. The directories of a plugin are no variables
/// of the user and left out.
pub(super) fn names(text: &str, language: Language) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |name: &str| {
        if !name.is_empty() && !is_directory(name) && !found.contains(name) {
            found.insert(name.to_owned());
        }
    };
    match language {
        Language::Shell => behind(text, "$", |rest| {
            add(shell_name(rest.strip_prefix('{').unwrap_or(rest)));
        }),
        Language::Batch => behind(text, "%", |rest| {
            let name = name_at(rest);
            if rest[name.len()..].starts_with(['%', ':']) {
                add(name);
            }
        }),
        Language::PowerShell => behind(text, "$env:", |rest| add(name_at(rest))),
        Language::Other => {}
    }
    for start in BARE {
        behind(text, start, |rest| add(name_at(rest)));
    }
    for start in QUOTED {
        behind(text, start, |rest| {
            let rest = rest.trim_start();
            if let Some(quote @ ('"' | '\'' | '`')) = rest.chars().next() {
                let name = name_at(&rest[1..]);
                if rest[1 + name.len()..].starts_with(quote) {
                    add(name);
                }
            }
        });
    }
    found
}

/// Calls a function with the text behind each occurrence.
fn behind(text: &str, start: &str, mut each: impl FnMut(&str)) {
    for (offset, found) in text.match_indices(start) {
        each(&text[offset + found.len()..]);
    }
}

/// A name of a shell's variable that is likely one of the environment: those of a script's own are
/// written in small letters by custom, and single letters are.
fn shell_name(rest: &str) -> &str {
    let name = name_at(rest);
    let is_upper = name.len() > 1 && !name.bytes().any(|byte| byte.is_ascii_lowercase());
    if is_upper { name } else { "" }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Language, names};

    #[track_caller]
    fn check(text: &str, language: Language, expected: &[&str]) {
        let names: Vec<_> = names(text, language).into_iter().collect();
        assert_eq!(names, expected, "{text}");
    }

    #[test]
    fn names_in_scripts() {
        check(
            "echo $HOME ${API_KEY:-x} $i $1 $? ${PLUGIN_ROOT} $HOME \"$A_B\" $X",
            Language::Shell,
            &["API_KEY", "A_B", "HOME"],
        );
        check(
            "echo %PATH% 100% %A:~0,1% %%i",
            Language::Batch,
            &["A", "PATH"],
        );
        check("$env:TOKEN + $other", Language::PowerShell, &["TOKEN"]);
        check(
            "process.env.A; process.env[\"B\"]; process.env[`c`]; process.env[x]; `${D}`",
            Language::Other,
            &["A", "B", "c"],
        );
        check(
            "os.environ['A'], os.environ.get( \"B\", 1), os.getenv('C'), os.environ[name]",
            Language::Other,
            &["A", "B", "C"],
        );
        check(
            "ENV['A'] ENV.fetch(\"B\") env::var(\"C\")",
            Language::Other,
            &["A", "B", "C"],
        );
        check(
            "curl -H \"$(node -e 'process.env.T')\"",
            Language::Shell,
            &["T"],
        );
        check("$", Language::Shell, &[]);
        check("os.getenv('", Language::Other, &[]);
        check("process.env.ü ü$É", Language::Shell, &[]);
    }

    #[test]
    fn languages() {
        assert_eq!(Language::of("x", Some("bash")), Some(Language::Shell));
        assert_eq!(Language::of("x.sh", Some("python3")), Some(Language::Other));
        assert_eq!(Language::of("x.SH", None), Some(Language::Shell));
        assert_eq!(Language::of("x.ts", None), Some(Language::Other));
        assert_eq!(Language::of("x.md", None), None);
        assert_eq!(Language::of("sh", None), None);
    }
}
