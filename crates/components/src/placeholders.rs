//! Placeholders in what a plugin declares: the directories that a host puts in, and the variables of
//! the user that it may put in.
//!
//! Invariants:
//! - Replacing is one pass over the text: what was put in is never searched again, so the path of a
//!   directory cannot smuggle in another placeholder (Agent Plugins 9.2).
//! - Only the names of the two directories are replaced here. The user's variables are found and
//!   named, never looked up: this module reads no environment and so cannot leak one.

use plugd_model::AbsPath;

/// The two directories of an installed plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholders {
    /// Where the plugin's files are.
    pub plugin_root: AbsPath,
    /// Where it may keep files of its own between versions. It may not exist yet.
    pub plugin_data: AbsPath,
}

/// Which names of the two directories count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `PLUGIN_ROOT` and `PLUGIN_DATA`, as the Agent Plugins format has them.
    Portable,
    /// These, and with `CLAUDE_` in front of them, as most plugins in the wild have them.
    Both,
}

/// A mention of a variable that is not one of the two directories.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The variable's name.
    pub name: String,
    /// What stands in for it when it is not set: the text behind `:-`.
    pub default: Option<String>,
}

/// The kinds of systems whose rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Everything with a shell of the Unix kind.
    Unix,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one that this program was built for.
    #[must_use]
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else {
            Self::Unix
        }
    }

    /// Whether two names name the same variable.
    pub(crate) fn same_variable(self, left: &str, right: &str) -> bool {
        match self {
            Self::Unix => left == right,
            Self::Windows => left.eq_ignore_ascii_case(right),
        }
    }
}

const ROOT: [&str; 2] = ["PLUGIN_ROOT", "CLAUDE_PLUGIN_ROOT"];
const DATA: [&str; 2] = ["PLUGIN_DATA", "CLAUDE_PLUGIN_DATA"];

impl Placeholders {
    /// The text with `${…}` replaced wherever exactly a name of a directory stands in it. All other
    /// text stays, whatever it looks like.
    #[must_use]
    pub fn expand(&self, text: &str, spelling: Spelling) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let behind = &rest[start + 2..];
            let known = self.named(spelling).find_map(|(name, path)| {
                Some((behind.strip_prefix(name)?.strip_prefix('}')?, path))
            });
            out.push_str(&rest[..start]);
            match known {
                Some((after, path)) => {
                    out.push_str(&path.to_text());
                    rest = after;
                }
                None => {
                    out.push_str("${");
                    rest = behind;
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// The variables that a child process gets, so that its own scripts find the directories too.
    #[must_use]
    pub fn environment(&self, spelling: Spelling) -> Vec<(String, String)> {
        self.named(spelling)
            .map(|(name, path)| (name.to_owned(), path.to_text()))
            .collect()
    }

    fn named(&self, spelling: Spelling) -> impl Iterator<Item = (&'static str, &AbsPath)> {
        let names = match spelling {
            Spelling::Portable => 1,
            Spelling::Both => 2,
        };
        let root = ROOT
            .iter()
            .take(names)
            .map(|name| (*name, &self.plugin_root));
        let data = DATA
            .iter()
            .take(names)
            .map(|name| (*name, &self.plugin_data));
        root.chain(data)
    }
}

/// The variables that a text mentions as `${NAME}` or `${NAME:-default}`, in order, each mention.
/// The directories of the plugin are not among them.
#[must_use]
pub fn mentions(text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        rest = &rest[start + 2..];
        let name = name_at(rest);
        let behind = &rest[name.len()..];
        let default = if behind.starts_with('}') {
            None
        } else if let Some(text) = behind.strip_prefix(":-")
            && let Some(end) = text.find('}')
        {
            Some(text[..end].to_owned())
        } else {
            continue;
        };
        if !name.is_empty() && !is_directory(name) {
            found.push(Mention {
                name: name.to_owned(),
                default,
            });
        }
    }
    found
}

/// Whether a name is one of those that a host sets to a directory of the plugin.
pub(crate) fn is_directory(name: &str) -> bool {
    ROOT.contains(&name) || DATA.contains(&name)
}

/// The longest prefix of a text that can name a variable.
pub(crate) fn name_at(text: &str) -> &str {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    &text[..end]
}

/// What remains of a path behind a placeholder of one of the directories: `${PLUGIN_ROOT}/a` is `/a`.
pub(crate) fn behind_directory(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?;
    let behind = |name: &&str| {
        let rest = inner.strip_prefix(name)?.strip_prefix('}')?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    };
    ROOT.iter().chain(&DATA).find_map(behind)
}

#[cfg(test)]
mod tests {
    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;

    use super::{Placeholders, Spelling, mentions};

    fn placeholders(root: &str) -> Placeholders {
        Placeholders {
            plugin_root: AbsPath::new(root).unwrap(),
            plugin_data: AbsPath::new("/data").unwrap(),
        }
    }

    #[track_caller]
    fn check(text: &str, spelling: Spelling, expected: &str) {
        assert_eq!(placeholders("/plug").expand(text, spelling), expected);
    }

    #[test]
    fn section_9_2_exactly_the_two_placeholders_are_replaced() {
        let check = |text, expected| check(text, Spelling::Portable, expected);
        check("${PLUGIN_ROOT}/a:${PLUGIN_DATA}", "/plug/a:/data");
        check("${PLUGIN_ROOT}${PLUGIN_ROOT}", "/plug/plug");
        for literal in [
            "$PLUGIN_ROOT",
            "${CLAUDE_PLUGIN_ROOT}",
            "${plugin_root}",
            "${PLUGIN_ROOT",
            "${PLUGIN_ROOT:-x}",
            "${ PLUGIN_ROOT}",
            "${HOME}",
            "${}",
            "${",
            "$",
            "",
        ] {
            check(literal, literal);
        }
        check("$${PLUGIN_ROOT}", "$/plug");
        check("${${PLUGIN_ROOT}}", "${/plug}");
    }

    #[test]
    fn section_9_2_what_was_put_in_is_not_searched_again() {
        let odd = placeholders("/${PLUGIN_DATA}");
        let expanded = odd.expand("${PLUGIN_ROOT} ${PLUGIN_DATA}", Spelling::Portable);
        assert_eq!(expanded, "/${PLUGIN_DATA} /data");
        let torn = placeholders("/x${PLUGIN_");
        let expanded = torn.expand("${PLUGIN_ROOT}DATA}", Spelling::Portable);
        assert_eq!(expanded, "/x${PLUGIN_DATA}");
    }

    #[test]
    fn other_hosts_spell_the_names_with_a_prefix() {
        check(
            "${CLAUDE_PLUGIN_ROOT} ${CLAUDE_PLUGIN_DATA} ${PLUGIN_ROOT}",
            Spelling::Both,
            "/plug /data /plug",
        );
        let names: Vec<_> = placeholders("/plug")
            .environment(Spelling::Both)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            names,
            [
                "PLUGIN_ROOT=/plug",
                "CLAUDE_PLUGIN_ROOT=/plug",
                "PLUGIN_DATA=/data",
                "CLAUDE_PLUGIN_DATA=/data",
            ]
        );
        assert_eq!(
            placeholders("/plug").environment(Spelling::Portable).len(),
            2
        );
    }

    #[track_caller]
    fn check_mentions(text: &str, expected: &[&str]) {
        let found: Vec<_> = mentions(text)
            .into_iter()
            .map(|mention| match mention.default {
                Some(default) => format!("{}={default}", mention.name),
                None => mention.name,
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn variables_are_named_and_not_looked_up() {
        check_mentions("Bearer ${TOKEN}", &["TOKEN"]);
        check_mentions("${A:-x y}${B}${A}", &["A=x y", "B", "A"]);
        check_mentions("${A:-}", &["A="]);
        check_mentions("${PLUGIN_ROOT}${CLAUDE_PLUGIN_DATA}", &[]);
        for nothing in ["$A", "${A", "${1}", "${A-b}", "${}", "${A:-b", "${a b}"] {
            check_mentions(nothing, &[]);
        }
        check_mentions("${x${Y}", &["Y"]);
    }
}
