use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use plugd_model::AbsPath;

use super::super::TreeError;
use super::super::fixture::Tree;
use super::{LAST_BREATHS, remove_abandoned, remove_tree};
use crate::{Disk, Operation, OperationKind, Probe};

#[track_caller]
fn check(tree: &Tree) {
    remove_tree(&Disk::new(), &tree.root).unwrap();
    assert!(fs::symlink_metadata(&tree.root).is_err());
    remove_tree(&Disk::new(), &tree.root).unwrap();
}

#[test]
fn trees_files_and_nothing() {
    check(&Tree::new(&[]));
    check(&Tree::new(&["a=1", "b/c/d*=2", "b/e/"]));
    let tree = Tree::new(&["a=1"]);
    remove_tree(&Disk::new(), &tree.root.join("a")).unwrap();
    check(&tree);
}

#[test]
fn links_are_removed_and_not_followed() {
    let tree = Tree::new(&["a -> ../outside", "b/c -> ../../outside", "d -> nothing"]);
    let outside = tree.base.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "x").unwrap();
    check(&tree);
    symlink("outside", &tree.root).unwrap();
    check(&tree);
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "x");
}

/// Root ignores modes, so this proves something only for other users.
#[test]
fn directories_that_forbid_everything() {
    let tree = Tree::new(&["a/b/c=1", "d/e=1"]);
    for path in ["a/b", "a", "d", ""] {
        let mode = if path == "d" { 0o500 } else { 0 };
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(tree.root.join(path), permissions).unwrap();
    }
    check(&tree);
}

#[test]
fn depth_costs_nothing() {
    let tree = Tree::new(&[]);
    // Longer than the longest path, so it can only be built and removed from inside.
    let mut dir = rustix::fs::openat(
        rustix::fs::CWD,
        tree.root.as_path(),
        rustix::fs::OFlags::DIRECTORY,
        rustix::fs::Mode::empty(),
    )
    .unwrap();
    for _ in 0..3000 {
        rustix::fs::mkdirat(&dir, "dd", rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY;
        dir = rustix::fs::openat(&dir, "dd", flags, rustix::fs::Mode::empty()).unwrap();
    }
    drop(dir);
    check(&tree);
}

/// Writes into a directory when it is about to go, so many times.
struct Dying {
    root: AbsPath,
    left: AtomicUsize,
}

impl Probe for Dying {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let less = |left: usize| left.checked_sub(1);
        let is_last = operation.kind == OperationKind::RemoveDir && *operation.path == self.root;
        let writes = || {
            self.left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        };
        match is_last && writes().is_ok() {
            true => fs::write(self.root.join("late").as_path(), "x"),
            false => Ok(()),
        }
    }
}

#[test]
fn what_is_still_written_into_goes_a_moment_later() {
    let tree = Tree::new(&["a=1"]);
    let root = &tree.root;
    let dying = |left| {
        Disk::probed(Arc::new(Dying {
            root: root.clone(),
            left: AtomicUsize::new(left),
        }))
    };
    let TreeError::Disk(error) = remove_tree(&dying(1), root).unwrap_err() else {
        panic!("another error");
    };
    assert!(error.is_not_empty());
    remove_abandoned(&dying(LAST_BREATHS.len()), root).unwrap();
    assert_eq!(Disk::new().link_stamp(root).unwrap(), None);
}
