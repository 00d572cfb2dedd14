//! Whether the programs that a plugin names are there and can run.
//!
//! A command of a hook is a text for a shell. It is cut into words as a shell would cut it, and a
//! word counts when it plainly is a path below the plugin; a word that a shell would still change
//! (a variable, a pattern, a command in it) is nobody's business here.

use plugd_disk::Kind;
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::item::{Origin, clip};
use crate::placeholders::{Platform, Spelling, behind_directory};
use crate::tree::PluginTree;

/// How many words of one command are looked at.
const MAX_WORDS: usize = 200;
/// What stands for the plugin's root at the beginning of a word. Without braces the shell puts it
/// in, which comes to the same.
const ROOTS: [&str; 4] = [
    "${PLUGIN_ROOT}",
    "${CLAUDE_PLUGIN_ROOT}",
    "$PLUGIN_ROOT",
    "$CLAUDE_PLUGIN_ROOT",
];

/// A word of a command.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    text: String,
    /// Whether it is what the shell starts.
    is_program: bool,
}

/// The findings about a command of a hook.
pub(super) fn command(tree: &PluginTree<'_>, command: &str, origin: &Origin) -> Vec<Problem> {
    let mut findings = Vec::new();
    for word in words(command) {
        let behind = ROOTS.iter().find_map(|root| {
            let rest = word.text.strip_prefix(root)?;
            rest.starts_with('/').then_some(rest)
        });
        match behind {
            Some(rest) if !changes(rest) => {
                findings.extend(below_root(tree, rest, word.is_program, origin));
            }
            None if word.is_program => findings.extend(relative(tree, &word.text, origin)),
            _ => {}
        }
    }
    findings
}

/// The finding about a program that lies in the plugin.
pub(super) fn program(tree: &PluginTree<'_>, path: &AbsPath, origin: &Origin) -> Option<Problem> {
    let located = match tree.locate(path) {
        Ok(Some(located)) => located,
        Ok(None) => {
            let text = format!("`{}` does not exist", shown(tree, path));
            return Some(origin.problem(ProblemKind::Missing, text));
        }
        Err(problem) => return Some(origin.problem(problem.kind, problem.message)),
    };
    if located.kind != Kind::File {
        let text = format!("`{}` is no file", shown(tree, path));
        return Some(origin.problem(ProblemKind::NotAFile, text));
    }
    let stamp = tree.disk().stamp(&located.path).ok()??;
    if Platform::current() == Platform::Unix && !stamp.is_executable() {
        let name = shown(tree, path);
        let text = format!("`{name}` is not executable; mark it with `chmod +x {name}`");
        return Some(origin.problem(ProblemKind::BadValue, text));
    }
    None
}

/// The finding about an argument of an MCP server that names a file of the plugin.
pub(super) fn argument(
    tree: &PluginTree<'_>,
    argument: &str,
    spelling: Spelling,
    origin: &Origin,
) -> Option<Problem> {
    let is_root = argument.starts_with(ROOTS[0])
        || (spelling == Spelling::Both && argument.starts_with(ROOTS[1]));
    let rest = behind_directory(argument).filter(|_| is_root)?;
    if changes(rest) {
        return None;
    }
    // A server may make the file itself, so its absence is no error.
    below_root(tree, rest, false, origin)
}

/// The finding about a path behind a placeholder of the root.
fn below_root(
    tree: &PluginTree<'_>,
    rest: &str,
    is_program: bool,
    origin: &Origin,
) -> Option<Problem> {
    let path = tree.root().join(format!(".{rest}"));
    if !path.starts_with(tree.root()) {
        let text = format!("`{}` leaves the plugin's directory", clip(rest));
        return Some(origin.problem(ProblemKind::BadPath, text));
    }
    if is_program {
        return program(tree, &path, origin);
    }
    match tree.locate(&path) {
        Ok(Some(_)) => None,
        Ok(None) => {
            let text = format!("`{}` does not exist", shown(tree, &path));
            Some(origin.problem(ProblemKind::Missing, text).as_warning())
        }
        Err(problem) => Some(origin.problem(problem.kind, problem.message)),
    }
}

/// The finding about a relative program of a hook: it would be looked for in the user's directory.
fn relative(tree: &PluginTree<'_>, word: &str, origin: &Origin) -> Option<Problem> {
    if word.starts_with('/') || !word.contains('/') || changes(word) {
        return None;
    }
    let path = tree.root().join(word);
    if !path.starts_with(tree.root()) {
        return None;
    }
    let there = matches!(tree.locate(&path), Ok(Some(located)) if located.kind == Kind::File);
    there.then(|| {
        let text = format!(
            "`{}` is looked for in the user's directory; write `${{PLUGIN_ROOT}}/{}`",
            clip(word),
            shown(tree, &path)
        );
        origin.problem(ProblemKind::BadPath, text)
    })
}

fn shown(tree: &PluginTree<'_>, path: &AbsPath) -> String {
    match path.as_path().strip_prefix(tree.root()) {
        Ok(relative) => clip(&relative.to_string_lossy()),
        Err(_) => clip(&path.to_text()),
    }
}

/// Whether a shell would change a text.
fn changes(text: &str) -> bool {
    text.contains(['$', '`', '*', '?', '[', '{', '~'])
}

/// The words of a command. Assignments in front of a program are not the program.
fn words(command: &str) -> Vec<Word> {
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
