//! Whether the programs that a plugin names are there and can run.
//!
//! A word of a command counts when it plainly is a path below the plugin; a word that a shell would
//! still change (a variable, a pattern, a command in it) is nobody's business here.

use plugd_disk::Kind;
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::item::{Origin, clip};
use crate::placeholders::{Platform, Spelling, behind_directory};
use crate::programs::{ROOTS, behind_root, changes, words};
use crate::tree::PluginTree;

/// The findings about a command of a hook.
pub(super) fn command(tree: &PluginTree<'_>, command: &str, origin: &Origin) -> Vec<Problem> {
    let mut findings = Vec::new();
    for word in words(command) {
        match behind_root(&word.text) {
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
