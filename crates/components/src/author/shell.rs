//! The commands of hooks: whether the scripts that they name are there and can run.
//!
//! A command is followed from the left to the right, as a shell would run it, as far as it can be
//! followed without running it: into which directory it goes, and which paths it makes or asks after
//! itself. A word counts when it plainly is a path below the plugin; a word that a shell would still
//! change (a variable, a pattern, a command in it) is nobody's business here. Where a command cannot
//! be followed there is no finding: a wrong one costs an author more than a missing one.

use plugd_disk::Kind;
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::item::{Origin, clip};
use crate::programs::{Part, Word, behind_root, changes, from_root, parts};
use crate::tree::PluginTree;

use super::scripts::{below_root, program, shown};

/// Programs whose arguments need not be there: they make or remove them, or ask whether they are.
const ALL_OPEN: [&str; 8] = ["mkdir", "rmdir", "touch", "rm", "test", "[", "[[", "tee"];
/// Programs of which that holds for the last argument.
const LAST_OPEN: [&str; 4] = ["cp", "mv", "ln", "install"];
/// Programs that neither make a file nor go to another directory.
const HARMLESS: [&str; 6] = ["set", "export", "true", ":", "echo", "exit"];
/// Programs that take a command in one argument.
const SHELLS: [&str; 4] = ["sh", "bash", "zsh", "dash"];

/// The findings about a command of a hook.
pub(super) fn findings(tree: &PluginTree<'_>, command: &str, origin: &Origin) -> Vec<Problem> {
    let mut shell = Shell {
        tree,
        origin,
        places: vec![Place::User],
        open: Vec::new(),
        has_only_moved: true,
        findings: Vec::new(),
    };
    for part in parts(command) {
        match part {
            Part::Open => shell.places.push(shell.place().clone()),
            Part::Close if shell.places.len() > 1 => {
                shell.places.pop();
            }
            Part::Close => {}
            Part::Run(words) => shell.run(&words),
        }
    }
    shell.findings
}

/// The directory in which a command runs.
#[derive(Debug, Clone)]
enum Place {
    /// Where the user happens to be.
    User,
    /// A directory of the plugin.
    Plugin(AbsPath),
    /// Nobody knows.
    Elsewhere,
}

/// What is known in the middle of a command line.
struct Shell<'a> {
    tree: &'a PluginTree<'a>,
    origin: &'a Origin,
    /// The directory of each shell in a shell, the innermost last.
    places: Vec<Place>,
    /// Paths of which the command itself decides whether they are there and what they are.
    open: Vec<AbsPath>,
    /// Whether nothing has run so far that could make a file.
    has_only_moved: bool,
    findings: Vec<Problem>,
}

impl Shell<'_> {
    fn place(&self) -> &Place {
        self.places.last().unwrap_or(&Place::Elsewhere)
    }

    fn run(&mut self, words: &[Word]) {
        let Some(at) = words.iter().position(|word| word.is_program) else {
            return;
        };
        let (name, arguments) = (words[at].text.as_str(), &words[at + 1..]);
        let name = name.rsplit('/').next().unwrap_or(name);
        let open = match name {
            _ if ALL_OPEN.contains(&name) => arguments,
            _ if LAST_OPEN.contains(&name) => &arguments[arguments.len().saturating_sub(1)..],
            _ => &[],
        };
        self.leave_open(open);
        let has_command = |option: &str| option.starts_with('-') && option.ends_with('c');
        let mut is_command = false;
        for word in words {
            if !is_command {
                self.judge(word);
            }
            is_command = SHELLS.contains(&name) && has_command(&word.text);
        }
        match name {
            "cd" | "pushd" => self.go(arguments),
            "popd" => self.go(&[]),
            // What it does to a file that is there is not known before it has run.
            "chmod" => self.leave_open(arguments),
            _ => {}
        }
        self.has_only_moved &= matches!(name, "cd" | "pushd") || HARMLESS.contains(&name);
    }

    /// Notes the paths among some arguments as open.
    fn leave_open(&mut self, arguments: &[Word]) {
        for word in arguments {
            let path = match (from_root(&word.text), self.place()) {
                (Some(rest), _) => self.tree.root().join(format!(".{rest}")),
                (None, Place::Plugin(dir)) => dir.join(&word.text),
                (None, _) => continue,
            };
            // An option, say, is joined to the directory itself when it is empty.
            if path != *self.tree.root() {
                self.open.push(path);
            }
        }
    }

    fn judge(&mut self, word: &Word) {
        let finding = match behind_root(&word.text) {
            Some(rest) if changes(rest) => None,
            Some(rest) => {
                let path = self.tree.root().join(format!(".{rest}"));
                below_root(self.tree, rest, word.is_program, self.origin)
                    .filter(|finding| finding.kind == ProblemKind::BadPath || !self.is_open(&path))
            }
            None if word.is_program => self.relative(&word.text),
            None => None,
        };
        self.findings.extend(finding);
    }

    fn is_open(&self, path: &AbsPath) -> bool {
        self.open.iter().any(|open| path.starts_with(open))
    }

    /// The finding about a program with a relative path.
    fn relative(&self, word: &str) -> Option<Problem> {
        if word.starts_with('/') || !word.contains('/') || changes(word) {
            return None;
        }
        match self.place() {
            Place::User => self.in_users_directory(word),
            Place::Plugin(dir) => {
                let path = dir.join(word);
                if !path.starts_with(self.tree.root()) || self.is_open(&path) {
                    return None;
                }
                program(self.tree, &path, self.origin).filter(|finding| {
                    // Whatever ran before may have made it.
                    finding.kind != ProblemKind::Missing || self.has_only_moved
                })
            }
            Place::Elsewhere => None,
        }
    }

    /// The finding about a program of the plugin that would be looked for where the user is.
    fn in_users_directory(&self, word: &str) -> Option<Problem> {
        let path = self.tree.root().join(word);
        if !path.starts_with(self.tree.root()) {
            return None;
        }
        let located = self.tree.locate(&path);
        let is_there = matches!(located, Ok(Some(located)) if located.kind == Kind::File);
        is_there.then(|| {
            let text = format!(
                "`{}` is looked for in the user's directory; write `${{PLUGIN_ROOT}}/{}`",
                clip(word),
                shown(self.tree, &path)
            );
            self.origin.problem(ProblemKind::BadPath, text)
        })
    }

    /// Goes to another directory.
    fn go(&mut self, arguments: &[Word]) {
        let mut arguments = arguments.iter().map(|word| word.text.as_str());
        let target = arguments.find(|text| *text == "-" || !text.starts_with('-'));
        let root = self.tree.root();
        let dir = match (target, self.place()) {
            (None | Some("-"), _) => None,
            (Some(target), place) => match (from_root(target), place) {
                (Some(rest), _) if !changes(rest) => Some(root.join(format!(".{rest}"))),
                (None, Place::Plugin(dir)) if !changes(target) => Some(dir.join(target)),
                _ => None,
            },
        };
        let place = match dir.filter(|dir| dir.starts_with(root)) {
            Some(dir) => Place::Plugin(dir),
            None => Place::Elsewhere,
        };
        if let Some(innermost) = self.places.last_mut() {
            *innermost = place;
        }
    }
}
