//! A mirror is a cache: whatever is missing or cut, the next fetch heals it. That each file may be
//! missing or cut is a row of the table.

use std::fs;
use std::path::{Path, PathBuf};

use plugd_git::{Backend, Failure, Want};
use pretty_assertions::assert_eq;

use crate::fixture::{DIR, FILE, World, failure};

pub(crate) fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Spoils one file of a mirror after the other. A row of the table.
pub(crate) fn every_file(backend: Backend, spoil: impl Fn(&Path)) -> String {
    let world = World::new().on(backend);
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "1"), ("d/b", "2")]);
    let url = remote.url();
    let mirror = world.mirror(&url);
    world.obtain(&url, &Want::Head).unwrap();
    let mut spoilt = 0;
    loop {
        let mut all = Vec::new();
        files(mirror.as_path(), &mut all);
        all.sort();
        // Names of packs and objects stay the same after every recovery.
        let Some(path) = all.get(spoilt) else { break };
        spoil(path);
        spoilt += 1;
        for want in [Want::Head, Want::of_ref("main").unwrap()] {
            let (dest, _) = world
                .obtain(&url, &want)
                .unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
            assert_eq!(fs::read_to_string(dest.join("d/b")).unwrap(), "2");
        }
    }
    match spoilt > 5 {
        true => "ok".to_owned(),
        false => format!("only {spoilt} files"),
    }
}

pub(crate) fn cut(path: &Path, length: u64) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "packs are read-only, and the directory is the test's own"
    )]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

#[test]
fn a_mirror_that_is_something_else_is_replaced() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "1")]);
    let mirror = world.mirror(&remote.url());
    fs::create_dir_all(mirror.parent().unwrap()).unwrap();
    fs::write(&mirror, "not a directory").unwrap();
    world.obtain(&remote.url(), &Want::Head).unwrap();
}

#[test]
fn a_remote_that_is_damaged_itself_is_an_error() {
    let world = World::new();
    let remote = world.remote("r.git");
    let gone = git2::Oid::from_str(&"1".repeat(40)).unwrap();
    let root = remote.tree(&[(b"d", DIR, gone), (b"f", FILE, remote.blob(b"x"))]);
    remote.commit_tree("main", root, "broken");
    let found = failure(world.obtain(&remote.url(), &Want::Head));
    assert!(matches!(found, Failure::Damaged { .. }), "{found:?}");
    assert!(!world.mirror(&remote.url()).as_path().exists());
}
