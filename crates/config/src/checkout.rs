//! The git checkout that a directory lies in: what the user has decided about a repository is
//! written down for its main checkout and counts in all worktrees that are linked to it.
//!
//! A linked worktree has a file `.git` that names a directory `.git/worktrees/<name>` of the main
//! checkout. Anybody can write such a file, so it is believed only when that directory points back:
//! a directory that was downloaded cannot call itself a worktree of a trusted project. The identity
//! of the main checkout is all that follows from it. A submodule, a worktree of a bare repository and
//! one whose files do not fit together are checkouts that belong to no other.

use plugd_disk::{Disk, Kind};
use plugd_model::AbsPath;

pub(crate) const GIT: &str = ".git";
const WORKTREES: &str = "worktrees";
const FILE_PREFIX: &str = "gitdir:";

/// The largest file that is read for a path; a path of the system is shorter.
const MAX_POINTER_BYTES: u64 = 16 * 1024;

/// What makes a directory the root of a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A directory `.git` with a head.
    Repository,
    /// Anything else, as a rule a file that points to one.
    Pointer,
}

/// A checkout whose repository is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// Its topmost directory.
    pub(crate) root: AbsPath,
    /// That of the main checkout when it is a worktree that is linked to one.
    pub(crate) linked_to: Option<AbsPath>,
}

impl Checkout {
    /// The topmost directory of the main checkout.
    pub(crate) fn main(&self) -> &AbsPath {
        self.linked_to.as_ref().unwrap_or(&self.root)
    }

    /// What stands in the main checkout where this directory stands in a linked worktree.
    pub(crate) fn counterpart(&self, directory: &AbsPath) -> Option<AbsPath> {
        let main = self.linked_to.as_ref()?;
        let below = directory.as_path().strip_prefix(self.root.as_path());
        Some(main.join(below.ok()?))
    }
}

/// How a directory is marked as the root of a checkout. A directory `.git` without a head is no
/// repository and marks nothing, as in the reference: an empty directory of that name must not
/// spread the trust of a parent.
pub(crate) fn mark(disk: &Disk, directory: &AbsPath) -> Option<Mark> {
    let git = directory.join(GIT);
    match disk.stamp(&git) {
        Ok(Some(stamp)) if stamp.kind == Kind::Dir => {
            let head = disk.link_stamp(&git.join("HEAD"));
            matches!(head, Ok(Some(_))).then_some(Mark::Repository)
        }
        Ok(Some(_)) => Some(Mark::Pointer),
        Ok(None) | Err(_) => None,
    }
}

/// The nearest directory at or above this one that is marked.
pub(crate) fn nearest(disk: &Disk, cwd: &AbsPath) -> Option<(AbsPath, Mark)> {
    let mut above = cwd.ancestors();
    above.find_map(|directory| mark(disk, &directory).map(|mark| (directory, mark)))
}

/// The checkout with this root; `None` when what marks it leads to no repository that knows it.
pub(crate) fn of_root(disk: &Disk, root: AbsPath, mark: Mark) -> Option<Checkout> {
    let linked_to = match mark {
        Mark::Repository => None,
        Mark::Pointer => Some(main_of(disk, &root)?),
    };
    Some(Checkout { root, linked_to })
}

/// The main checkout that a directory is linked to as a worktree, when both sides say so.
fn main_of(disk: &Disk, root: &AbsPath) -> Option<AbsPath> {
    let pointer = root.join(GIT);
    if !matches!(disk.link_stamp(&pointer), Ok(Some(stamp)) if stamp.kind == Kind::File) {
        return None;
    }
    let text = read_line(disk, &pointer)?;
    let own = root.join(text.strip_prefix(FILE_PREFIX)?.trim());
    let worktrees = own.parent()?;
    let common = worktrees.parent()?;
    let is_called = |path: &AbsPath, name: &str| path.file_name().is_some_and(|it| it == name);
    if !is_called(&worktrees, WORKTREES) || !is_called(&common, GIT) {
        return None;
    }
    // Both paths may be relative, and then they begin where the directory really is.
    let real = disk.resolve(&own).ok()?;
    let leads_to = |file: &str, expected: &AbsPath| {
        let path = real.join(read_line(disk, &real.join(file))?);
        let (path, expected) = (disk.resolve(&path).ok()?, disk.resolve(expected).ok()?);
        (path == expected).then_some(())
    };
    leads_to("commondir", &common)?;
    leads_to("gitdir", &pointer)?;
    common.parent()
}

/// What a file of one line says.
fn read_line(disk: &Disk, file: &AbsPath) -> Option<String> {
    let text = String::from_utf8(disk.read(file, MAX_POINTER_BYTES).ok()?).ok()?;
    let line = text.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests;
