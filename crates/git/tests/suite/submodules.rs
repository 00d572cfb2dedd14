//! Repositories inside repositories.

use std::fs;

use git2::Oid;
use plugd_git::Want;
use pretty_assertions::assert_eq;

use crate::fixture::{FILE, MODULE, Remote, World};

fn module(remote: &Remote, path: &[u8], url: Option<&str>, commit: Oid) {
    let text = url.map_or_else(String::new, |url| {
        let path = String::from_utf8_lossy(path);
        format!("[submodule \"m\"]\n\tpath = {path}\n\turl = {url}\n")
    });
    let root = remote.tree(&[
        (b".gitmodules", FILE, remote.blob(text.as_bytes())),
        (path, MODULE, commit),
    ]);
    remote.commit_tree("main", root, "module");
}

#[test]
fn a_submodule_is_written_into_its_place() {
    let world = World::new();
    let inner = world.remote("inner.git");
    let commit = inner.commit("main", &[("deep/x", "inside")]);
    inner.commit("main", &[("deep/x", "newer")]);
    let middle = world.remote("middle.git");
    module(&middle, b"in", Some("../inner.git"), commit);
    let outer = world.remote("outer.git");
    let head = middle.repository.refname_to_id("refs/heads/main").unwrap();
    module(&outer, b"mid", Some(&middle.url()), head);
    let (dest, report) = world.obtain(&outer.url(), &Want::Head).unwrap();
    let text = fs::read_to_string(dest.join("mid/in/deep/x")).unwrap();
    assert_eq!(text, "inside");
    let paths: Vec<_> = report
        .submodules
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(paths, ["mid", "mid/in"]);
    assert_eq!(report.left_out, []);
}

#[test]
fn a_submodule_that_may_not_be_fetched_is_reported() {
    let world = World::new();
    let commit = Oid::from_str(&"1".repeat(40)).unwrap();
    for url in [None, Some("ext::sh -c id"), Some("-x"), Some("git://h/r")] {
        let remote = world.remote("r.git");
        module(&remote, b"m", url, commit);
        let (dest, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
        let lost: Vec<_> = report
            .left_out
            .iter()
            .map(|one| one.path.as_str())
            .collect();
        assert_eq!(lost, ["m"], "{url:?}");
        assert_eq!(fs::read_dir(dest.join("m")).unwrap().count(), 0);
        fs::remove_dir_all(&remote.path).unwrap();
    }
}

#[test]
fn a_repository_that_contains_itself_ends() {
    let world = World::new();
    let remote = world.remote("r.git");
    let first = remote.commit("main", &[("a", "1")]);
    module(&remote, b"m", Some("./"), first);
    let url = remote.url();
    module(&remote, b"m", Some(&url), first);
    let head = remote.repository.refname_to_id("refs/heads/main").unwrap();
    module(&remote, b"m", Some(&url), head);
    let (dest, report) = world.obtain(&url, &Want::Head).unwrap();
    assert_eq!(report.submodules.len(), 2);
    assert_eq!(fs::read_to_string(dest.join("m/m/a")).unwrap(), "1");
}
