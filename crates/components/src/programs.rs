//! The files of a plugin that its commands name: what would run besides what looks like a program.
//!
//! A command of a hook is a text for a shell, and is cut into words as a shell would cut it. A server
//! is started without one, so each of its arguments is a word.

use std::collections::BTreeSet;

use plugd_disk::Kind;
use plugd_model::AbsPath;

use crate::hooks::{HookDeclaration, HookHandler};
use crate::mcp::{McpTransport, ResolvedMcpServer};
use crate::tree::PluginTree;

/// How many words of one command are looked at.
const MAX_WORDS: usize = 200;
/// What stands for the plugin's root at the beginning of a word. Without braces the shell puts it
/// in, which comes to the same.
pub(crate) const ROOTS: [&str; 4] = [
    "${PLUGIN_ROOT}",
    "${CLAUDE_PLUGIN_ROOT}",
    "$PLUGIN_ROOT",
    "$CLAUDE_PLUGIN_ROOT",
];

/// A word of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Whether it is what the shell starts.
    pub(crate) is_program: bool,
}

/// The files of the plugin that a server is started with, relative to the root.
pub(crate) fn of_server(
    tree: &PluginTree<'_>,
    server: &ResolvedMcpServer,
    found: &mut BTreeSet<String>,
) {
    let McpTransport::Stdio {
        command, args, cwd, ..
    } = &server.transport
    else {
        return;
    };
    // Where it does not say, a host chooses, and many choose the plugin.
    let cwd = cwd.as_deref().and_then(|cwd| AbsPath::new(cwd).ok());
    let dir = cwd.unwrap_or_else(|| tree.root().clone());
    for word in [command].into_iter().chain(args) {
        // An option and its value may be one word.
        let value = word.split_once('=').map(|(_, value)| value);
        for text in [word.as_str()].into_iter().chain(value) {
            add(tree, &dir.join(text), found);
        }
    }
}

/// The files of the plugin that a hook names, relative to the root.
pub(crate) fn of_hook(tree: &PluginTree<'_>, hook: &HookDeclaration, found: &mut BTreeSet<String>) {
    let HookHandler::Command {
        command,
        command_windows,
        ..
    } = &hook.handler
    else {
        return;
    };
    let windows = command_windows.as_ref().map(|text| text.replace('\\', "/"));
    for text in [command].into_iter().chain(&windows) {
        of_shell(tree, text, found);
    }
}

/// The files of the plugin that a text for a shell names, relative to the root.
pub(crate) fn of_shell(tree: &PluginTree<'_>, text: &str, found: &mut BTreeSet<String>) {
    for word in words(text) {
        let relative = match behind_root(&word.text) {
            Some(rest) => rest.trim_start_matches('/'),
            None => &word.text,
        };
        add(tree, &tree.root().join(relative), found);
    }
}

/// Adds a path when a file of the plugin is there, under the name that the walk of the tree meets.
fn add(tree: &PluginTree<'_>, path: &AbsPath, found: &mut BTreeSet<String>) {
    let Ok(Some(located)) = tree.locate(path) else {
        return;
    };
    if located.kind == Kind::File
        && let Ok(relative) = located.path.as_path().strip_prefix(tree.root())
    {
        found.insert(relative.to_string_lossy().replace('\\', "/"));
    }
}

/// What stands behind the plugin's root in a word, with the slash.
pub(crate) fn behind_root(word: &str) -> Option<&str> {
    from_root(word).filter(|rest| !rest.is_empty())
}

/// The same, and nothing where the word is the root itself.
pub(crate) fn from_root(word: &str) -> Option<&str> {
    ROOTS.iter().find_map(|root| {
        let rest = word.strip_prefix(root)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    })
}

/// Whether a shell would change a text.
pub(crate) fn changes(text: &str) -> bool {
    text.contains(['$', '`', '*', '?', '[', '{', '~'])
}

/// A part of a command line, as a shell takes it apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A shell of its own begins: what it changes ends with it.
    Open,
    /// It ends.
    Close,
    /// Something is run.
    Run(Vec<Word>),
}

/// Words in front of a program that are not the program.
const KEYWORDS: [&str; 10] = [
    "if", "then", "else", "elif", "while", "until", "do", "!", "{", "time",
];

/// The words of a command.
pub(crate) fn words(command: &str) -> Vec<Word> {
    let of_part = |part| match part {
        Part::Run(words) => words,
        Part::Open | Part::Close => Vec::new(),
    };
    parts(command).into_iter().flat_map(of_part).collect()
}

/// The parts of a command. Comments are none.
pub(crate) fn parts(command: &str) -> Vec<Part> {
    let mut cut = Cut::default();
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => {
                let word = cut.text.get_or_insert_default();
                while let Some(inner) = characters.next_if(|inner| *inner != character) {
                    if inner == '\\' && character == '"' {
                        word.extend(characters.next());
                    } else {
                        word.push(inner);
                    }
                }
                characters.next();
            }
            '\\' => cut.text.get_or_insert_default().extend(characters.next()),
            '\n' | ';' | '&' | '|' => cut.end_command(),
            '(' => cut.end_with(Part::Open),
            ')' => cut.end_with(Part::Close),
            // What follows is a file to read or write, which the command may make itself.
            '<' | '>' => {
                cut.end_word();
                while characters.next_if(|c| " <>&".contains(*c)).is_some() {}
                let ends = |c: &char| c.is_whitespace() || ";&|()".contains(*c);
                while characters.next_if(|c| !ends(c)).is_some() {}
            }
            '#' if cut.text.is_none() => while characters.next_if(|c| *c != '\n').is_some() {},
            c if c.is_whitespace() => cut.end_word(),
            c => cut.text.get_or_insert_default().push(c),
        }
    }
    cut.end_command();
    cut.parts
}

/// A command line on its way to parts.
#[derive(Default)]
struct Cut {
    parts: Vec<Part>,
    /// The command that is being read.
    words: Vec<Word>,
    has_program: bool,
    /// The word that is being read.
    text: Option<String>,
    /// How many words and shells there were.
    count: usize,
}

impl Cut {
    fn end_word(&mut self) {
        let Some(text) = self.text.take() else {
            return;
        };
        let is_assignment = || {
            let name = text.split_once('=').map(|(name, _)| name);
            name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_name))
        };
        let is_program =
            !self.has_program && !is_assignment() && !KEYWORDS.contains(&text.as_str());
        self.has_program |= is_program;
        if self.count < MAX_WORDS {
            self.count += 1;
            self.words.push(Word { text, is_program });
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.has_program = false;
        if !self.words.is_empty() {
            self.parts.push(Part::Run(std::mem::take(&mut self.words)));
        }
    }

    fn end_with(&mut self, part: Part) {
        self.end_command();
        if self.count < MAX_WORDS {
            self.count += 1;
            self.parts.push(part);
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Part, parts, words};

    /// Words of a command; programs are marked.
    #[track_caller]
    fn check(command: &str, expected: &[&str]) {
        let found: Vec<_> = words(command)
            .into_iter()
            .map(|word| match word.is_program {
                true => format!("!{}", word.text),
                false => word.text,
            })
            .collect();
        assert_eq!(found, expected, "{command}");
    }

    #[test]
    fn words_as_a_shell_cuts_them() {
        check("a b  c", &["!a", "b", "c"]);
        check("\"a b\"/c 'd e'", &["!a b/c", "d e"]);
        check("a\\ b 'c\\d' \"e\\\"f\"", &["!a b", "c\\d", "e\"f"]);
        check(
            "a; b && c | d\ne & (f)",
            &["!a", "!b", "!c", "!d", "!e", "!f"],
        );
        check("A=b C=d prog E=f", &["A=b", "C=d", "!prog", "E=f"]);
        check("a > out 2>&1 b <in", &["!a", "2", "b"]);
        check("'open", &["!open"]);
        check("\"open\\", &["!open"]);
        check("''", &["!"]);
        check("a >out;b 2>/dev/null&c", &["!a", "!b", "2", "!c"]);
        check("a # b; c\nd a#b $# # e", &["!a", "!d", "a#b", "$#"]);
        check(
            "if ! a b; then c; else { d; }; fi",
            &[
                "if", "!", "!a", "b", "then", "!c", "else", "{", "!d", "!}", "!fi",
            ],
        );
        check("", &[]);
    }

    #[test]
    fn a_shell_in_a_shell_begins_and_ends() {
        let shape: String = parts("a && (b; c) | d $(e)")
            .iter()
            .map(|part| match part {
                Part::Open => '(',
                Part::Close => ')',
                Part::Run(_) => 'r',
            })
            .collect();
        assert_eq!(shape, "r(rr)r(r)");
        assert_eq!(parts(&"(".repeat(1000)).len(), 200);
    }

    #[test]
    fn a_command_of_many_words_is_cut() {
        assert_eq!(words(&"a ".repeat(1000)).len(), 200);
    }
}
