//! Projects: where one begins, and whether its configuration may count.
//!
//! An untrusted project is shown and changes nothing. Trust is given per directory by the layers
//! outside of the project, so a checkout cannot trust itself.

use std::cell::OnceCell;

use plugd_disk::{Disk, Kind as FileKind};
use plugd_model::AbsPath;

use crate::tree::{Kind, Mark, Node};

const FOLDER: &str = ".codex";
const DEFAULT_MARKER: &str = ".git";

/// Keys that a project may not set even when it is trusted: they decide where credentials are kept
/// and sent to, which program is run, or which other file is read.
const FORBIDDEN: [&str; 7] = [
    "cli_auth_credentials_store",
    "model_provider",
    "model_providers",
    "notify",
    "otel",
    "profile",
    "profiles",
];

/// A directory of a project that holds configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectFolder {
    /// The `.codex` directory.
    pub(crate) folder: AbsPath,
    /// Why it does not count; `None` when it is trusted.
    pub(crate) disabled_reason: Option<String>,
}

/// The directories with configuration from the project's root down to the working directory.
/// `outside` is the merge of all layers that are not the project's.
pub(crate) fn folders(
    disk: &Disk,
    home: &AbsPath,
    user_config: &AbsPath,
    outside: &Node,
    cwd: &AbsPath,
) -> Vec<ProjectFolder> {
    let root = root(disk, outside, cwd);
    let mut directories: Vec<AbsPath> = cwd
        .ancestors()
        .take_while(|directory| directory.starts_with(&root))
        .collect();
    directories.reverse();
    let real_home = OnceCell::new();
    let is_home = |folder: &AbsPath| {
        resolved(disk, folder) == *real_home.get_or_init(|| resolved(disk, home))
    };
    directories
        .into_iter()
        .filter_map(|directory| {
            let folder = directory.join(FOLDER);
            let is_directory =
                matches!(disk.stamp(&folder), Ok(Some(stamp)) if stamp.kind == FileKind::Dir);
            // The home itself may be a `.codex` directory; it is the user's layer and no project's.
            if !is_directory || is_home(&folder) {
                return None;
            }
            let disabled_reason = match trust(disk, outside, &directory, &root) {
                Some(true) => None,
                Some(false) => Some(format!("`{directory}` is marked as untrusted")),
                None => Some(format!(
                    "`{root}` is not trusted: add it to `[projects]` in `{user_config}`"
                )),
            };
            Some(ProjectFolder {
                folder,
                disabled_reason,
            })
        })
        .collect()
}

/// Takes away what a project may not set. Returns the names of what was taken, and where it stood.
pub(crate) fn drop_forbidden(tree: &mut Node) -> Vec<(String, Mark)> {
    let forbidden = |name: &str| FORBIDDEN.contains(&name) || name.ends_with("_base_url");
    let names: Vec<(String, Mark)> = tree
        .members()
        .unwrap_or_default()
        .iter()
        .filter(|(name, _)| forbidden(name))
        .map(|(name, node)| (name.clone(), node.mark))
        .collect();
    for (name, _) in &names {
        tree.remove(name);
    }
    names
}

/// The nearest ancestor with a marker, else the directory itself.
fn root(disk: &Disk, outside: &Node, cwd: &AbsPath) -> AbsPath {
    let markers = markers(outside);
    let has_marker = |directory: &AbsPath| {
        markers
            .iter()
            .any(|marker| is_marker(disk, &directory.join(marker), marker))
    };
    let found = cwd.ancestors().find(has_marker);
    found.unwrap_or_else(|| cwd.clone())
}

/// A `.git` directory without a head is no repository and marks nothing, as in the reference: an
/// empty directory of that name must not spread the trust of a parent.
fn is_marker(disk: &Disk, path: &AbsPath, name: &str) -> bool {
    match disk.stamp(path) {
        Ok(Some(stamp)) if name == DEFAULT_MARKER && stamp.kind == FileKind::Dir => {
            matches!(disk.link_stamp(&path.join("HEAD")), Ok(Some(_)))
        }
        Ok(found) => found.is_some(),
        Err(_) => false,
    }
}

fn markers(outside: &Node) -> Vec<String> {
    let Some(Kind::Array(items)) = outside.get("project_root_markers").map(|node| &node.kind)
    else {
        return vec![DEFAULT_MARKER.to_owned()];
    };
    items
        .iter()
        .filter_map(|item| match &item.kind {
            Kind::Text(text) if is_file_name(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

fn is_file_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '\0'])
}

/// What the configuration says of a directory, else of its project. Each may be listed as it was
/// named or with its links resolved; when both are listed, a refusal counts.
fn trust(disk: &Disk, outside: &Node, directory: &AbsPath, root: &AbsPath) -> Option<bool> {
    let of_path = |path: &AbsPath| match outside.at(&["projects", &path.to_text(), "trust_level"]) {
        Some(node) => match &node.kind {
            Kind::Text(level) => Some(level == "trusted"),
            _ => Some(false),
        },
        None => None,
    };
    let of = |path: &AbsPath| match (of_path(path), of_path(&resolved(disk, path))) {
        (Some(named), Some(real)) => Some(named && real),
        (named, real) => named.or(real),
    };
    of(directory).or_else(|| of(root))
}

fn resolved(disk: &Disk, path: &AbsPath) -> AbsPath {
    disk.resolve(path).unwrap_or_else(|_| path.clone())
}
