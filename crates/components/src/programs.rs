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
        for word in words(text) {
            let relative = match behind_root(&word.text) {
                Some(rest) => rest.trim_start_matches('/'),
                None => &word.text,
            };
            add(tree, &tree.root().join(relative), found);
        }
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
    ROOTS.iter().find_map(|root| {
        let rest = word.strip_prefix(root)?;
        rest.starts_with('/').then_some(rest)
    })
}

/// Whether a shell would change a text.
pub(crate) fn changes(text: &str) -> bool {
    text.contains(['$', '`', '*', '?', '[', '{', '~'])
}

/// The words of a command. Assignments in front of a program are not the program.
pub(crate) fn words(command: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut text: Option<String> = None;
    let mut is_program = true;
    let mut finish = |text: &mut Option<String>, is_program: &mut bool| {
        let Some(text) = text.take() else {
            return;
        };
        let is_assignment = *is_program
            && text
                .split_once('=')
                .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(is_name));
        if found.len() < MAX_WORDS {
            found.push(Word {
                text,
                is_program: *is_program && !is_assignment,
            });
        }
        *is_program &= is_assignment;
    };
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => {
                let word = text.get_or_insert_default();
                while let Some(inner) = characters.next_if(|inner| *inner != character) {
                    if inner == '\\' && character == '"' {
                        word.extend(characters.next());
                    } else {
                        word.push(inner);
                    }
                }
                characters.next();
            }
            '\\' => text.get_or_insert_default().extend(characters.next()),
            '\n' | ';' | '&' | '|' | '(' | ')' => {
                finish(&mut text, &mut is_program);
                is_program = true;
            }
            // What follows is a file to read or write, which the command may make itself.
            '<' | '>' => {
                finish(&mut text, &mut is_program);
                while characters.next_if(|c| " <>&".contains(*c)).is_some() {}
                while characters.next_if(|c| !c.is_whitespace()).is_some() {}
            }
            c if c.is_whitespace() => finish(&mut text, &mut is_program),
            c => text.get_or_insert_default().push(c),
        }
    }
    finish(&mut text, &mut is_program);
    found
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::words;

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
        check("", &[]);
    }

    #[test]
    fn a_command_of_many_words_is_cut() {
        assert_eq!(words(&"a ".repeat(1000)).len(), 200);
    }
}
