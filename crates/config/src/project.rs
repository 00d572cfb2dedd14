//! Projects: where one begins, and whether its configuration may count.
//!
//! An untrusted project is shown and changes nothing. Trust is given per directory by the layers
//! outside of the project, so a checkout cannot trust itself. What is said of the main checkout of a
//! repository counts in its linked worktrees too, unless they are spoken of themselves.

use std::cell::OnceCell;

use plugd_disk::{Disk, Kind as FileKind};
use plugd_model::AbsPath;

use crate::checkout::{self, Checkout, GIT, Mark};
use crate::layer::HookPlace;
use crate::tree::{self, Kind, Node};

const FOLDER: &str = ".codex";

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
    /// Where its hooks stand.
    pub(crate) hooks: HookPlace,
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
    let (root, marked) = root(disk, outside, cwd);
    let mut directories: Vec<AbsPath> = cwd
        .ancestors()
        .take_while(|directory| directory.starts_with(&root))
        .collect();
    directories.reverse();
    let real_home = OnceCell::new();
    let is_home = |folder: &AbsPath| {
        resolved(disk, folder) == *real_home.get_or_init(|| resolved(disk, home))
    };
    // What repository it is matters only where there is something to trust.
    let checkout = OnceCell::new();
    let checkout = || {
        let find = || {
            let (root, mark) = marked.clone().or_else(|| checkout::nearest(disk, cwd))?;
            checkout::of_root(disk, root, mark)
        };
        checkout.get_or_init(find).as_ref()
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
            // Who trusts a repository has said nothing about what lies around it.
            let checkout = checkout().filter(|checkout| directory.starts_with(&checkout.root));
            let main = checkout.map(Checkout::main);
            let disabled_reason = match trust(disk, outside, [Some(&directory), Some(&root), main])
            {
                Some((_, true)) => None,
                Some((decider, false)) => Some(format!("`{decider}` is marked as untrusted")),
                None => Some(format!(
                    "`{}` is not trusted: add it to `[projects]` in `{user_config}`",
                    main.unwrap_or(&root)
                )),
            };
            let counterpart = checkout.and_then(|checkout| checkout.counterpart(&directory));
            let hooks = match counterpart {
                None => HookPlace::Own,
                Some(counterpart) => {
                    let deciders = [Some(&counterpart), main, None];
                    match trust(disk, outside, deciders) {
                        Some((_, false)) => HookPlace::Nowhere,
                        Some((_, true)) | None => HookPlace::Main(counterpart.join(FOLDER)),
                    }
                }
            };
            Some(ProjectFolder {
                folder,
                hooks,
                disabled_reason,
            })
        })
        .collect()
}

/// Takes away what a project may not set. Returns the names of what was taken, and where it stood.
pub(crate) fn drop_forbidden(tree: &mut Node) -> Vec<(String, tree::Mark)> {
    let forbidden = |name: &str| FORBIDDEN.contains(&name) || name.ends_with("_base_url");
    let names: Vec<(String, tree::Mark)> = tree
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

/// The nearest ancestor with a marker, else the directory itself; and how git marks it, where that
/// was looked for.
fn root(disk: &Disk, outside: &Node, cwd: &AbsPath) -> (AbsPath, Option<(AbsPath, Mark)>) {
    let markers = markers(outside);
    if markers == [GIT] {
        let marked = checkout::nearest(disk, cwd);
        let root = marked.as_ref().map_or(cwd, |(root, _)| root);
        return (root.clone(), marked);
    }
    let has_marker = |directory: &AbsPath| {
        markers.iter().any(|marker| match marker.as_str() {
            GIT => checkout::mark(disk, directory).is_some(),
            _ => matches!(disk.stamp(&directory.join(marker)), Ok(Some(_))),
        })
    };
    let found = cwd.ancestors().find(has_marker);
    (found.unwrap_or_else(|| cwd.clone()), None)
}

fn markers(outside: &Node) -> Vec<String> {
    let Some(Kind::Array(items)) = outside.get("project_root_markers").map(|node| &node.kind)
    else {
        return vec![GIT.to_owned()];
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

/// What the configuration says of a directory, else of its project, else of the main checkout of its
/// repository; and for which of them it says so. Each may be listed as it was named or with its links
/// resolved; when both are listed, a refusal counts.
fn trust<'a>(
    disk: &Disk,
    outside: &Node,
    deciders: [Option<&'a AbsPath>; 3],
) -> Option<(&'a AbsPath, bool)> {
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
    let mut deciders = deciders.into_iter().flatten();
    deciders.find_map(|path| of(path).map(|is_trusted| (path, is_trusted)))
}

fn resolved(disk: &Disk, path: &AbsPath) -> AbsPath {
    disk.resolve(path).unwrap_or_else(|_| path.clone())
}
