//! Repositories inside repositories.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use git2::Oid;
use plugd_git::{Address, Checkout, Depth, Failure, Want, Watch};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use crate::fixture::{FILE, MODULE, Remote, World, failure};
use crate::server::{Server, answer};

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

#[test]
fn a_submodule_that_cannot_be_had_is_left_empty() {
    let world = World::new();
    let commit = Oid::from_str(&"1".repeat(40)).unwrap();
    let private = Server::start(|_, stream| answer(stream, "401 Unauthorized", &[], b""));
    let gone = Server::start(|_, stream| answer(stream, "404 Not Found", &[], b""));
    let inner = world.remote("inner.git");
    inner.commit("main", &[("a", "1")]);
    for (url, why) in [
        ("http://127.0.0.1:1/r", "cannot reach `127.0.0.1`"),
        (&private.url("r"), "`127.0.0.1` wants a login"),
        (&gone.url("r"), "there is no git repository at"),
        (&inner.url(), "has no commit"),
    ] {
        let remote = world.remote("r.git");
        module(&remote, b"m", Some(url), commit);
        let (dest, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
        let [left] = report.left_out.as_slice() else {
            panic!("{url}: {:?}", report.left_out);
        };
        assert_eq!(left.path, "m");
        assert!(left.reason.contains(why), "{}", left.reason);
        assert_eq!(fs::read_dir(dest.join("m")).unwrap().count(), 0);
        assert!(dest.join(".gitmodules").as_path().exists());
        fs::remove_dir_all(&remote.path).unwrap();
    }
}

#[test]
fn ssh_does_not_wait_for_ever_for_a_submodule() {
    let sandbox = Sandbox::new();
    let (program, log) = (sandbox.root().join("ssh"), sandbox.root().join("args"));
    let text = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{log}'\nexit 255\n");
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let world = World::in_sandbox(sandbox, &[("GIT_SSH", &program.to_text())]);
    let remote = world.remote("r.git");
    let commit = Oid::from_str(&"1".repeat(40)).unwrap();
    module(&remote, b"m", Some("git@h.example:r"), commit);
    let (_, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
    assert_eq!(report.left_out.len(), 1);
    let args = fs::read_to_string(&log).unwrap();
    assert!(args.contains("ConnectTimeout=20"), "{args}");
}

#[test]
fn a_silent_submodule_does_not_end_the_rest() {
    let world = World::new();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let silent = Server::start(move |_, _| {
        let _ = held.lock().unwrap().recv();
    });
    let remote = world.remote("r.git");
    let commit = Oid::from_str(&"1".repeat(40)).unwrap();
    module(&remote, b"m", Some(&silent.url("r")), commit);
    let git = world.git.clone().with_idle(Duration::from_secs(3));
    let address = Address::parse(&remote.url()).unwrap();
    let checkout = Checkout::whole(world.dest());
    let work = git.obtain(
        &address,
        &Want::Head,
        Depth::Tip,
        &checkout,
        Watch::nobody(),
    );
    let report = world.wait(work).unwrap();
    assert_eq!(report.left_out.len(), 1);
    drop(hold);
}

#[test]
fn a_submodule_that_this_machine_cannot_write_is_an_error() {
    let world = World::new();
    let inner = world.remote("inner.git");
    let commit = inner.commit("main", &[("a", "1")]);
    let outer = world.remote("outer.git");
    module(&outer, b"m", Some(&inner.url()), commit);
    // Something of another kind where its lock has to be.
    let name = Address::parse(&inner.url()).unwrap().mirror_name();
    let lock = world.layout.mirror_lock(&name);
    fs::create_dir_all(&lock).unwrap();
    let found = failure(world.obtain(&outer.url(), &Want::Head));
    assert!(matches!(found, Failure::Submodule { .. }), "{found:?}");
}
