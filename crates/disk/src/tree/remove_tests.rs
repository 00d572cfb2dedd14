use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::fixture::Tree;
use super::remove_tree;
use crate::Disk;

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
