//! Whether the programs that a plugin names are there and can run.

use plugd_disk::Kind;
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::item::{Origin, clip};
use crate::placeholders::{Platform, Spelling, behind_directory};
use crate::programs::{ROOTS, changes};
use crate::tree::PluginTree;

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
pub(super) fn below_root(
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

pub(super) fn shown(tree: &PluginTree<'_>, path: &AbsPath) -> String {
    match path.as_path().strip_prefix(tree.root()) {
        Ok(relative) => clip(&relative.to_string_lossy()),
        Err(_) => clip(&path.to_text()),
    }
}
