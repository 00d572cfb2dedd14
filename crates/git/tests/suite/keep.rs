//! The small repository beside a checkout, as other programs see it.

use std::fs;
use std::path::Path;
use std::process::Command;

use plugd_git::{Address, Checkout, Depth, Failure, Want, Watch};
use pretty_assertions::assert_eq;

use crate::fixture::{DIR, EXECUTABLE, FILE, LINK, MODULE, World, failure};

/// What the git command says in a directory; `None` on a machine without git.
fn git(world: &World, dir: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env("HOME", world.sandbox.home().as_path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {words}");
    Some(text)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_kept_repository_is_at_the_commit_and_has_no_change() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "0")]);
    let blob = remote.blob(b"x");
    let inner = remote.tree(&[
        (b"b c", EXECUTABLE, blob),
        (b"up", LINK, remote.blob(b"../a")),
    ]);
    let module = git2::Oid::from_str(&"1".repeat(40)).unwrap();
    // With all that is left out: what is not written must not look deleted.
    let root = remote.tree(&[
        (b"A", FILE, blob),
        (b"a", FILE, blob),
        (b"d", DIR, inner),
        (b"lost\xff", DIR, inner),
        (b"m", MODULE, module),
        (b"n\nl", FILE, blob),
        (b"out", LINK, remote.blob(b"/etc/passwd")),
        ("z\u{e4}".as_bytes(), FILE, blob),
    ]);
    let head = remote.commit_tree("main", root, "odd");
    let (dest, report) = world.obtain_kept(&remote.url(), &Want::Head).unwrap();
    assert_eq!(report.left_out.len(), 5);
    assert_eq!(names(dest.as_path()), [".git", "A", "d", "m", "z\u{e4}"]);

    let kept = git2::Repository::open(&dest).unwrap();
    assert_eq!(kept.head().unwrap().target(), Some(head));
    assert!(kept.is_shallow());
    assert_eq!(kept.remotes().unwrap().len(), 0);
    assert!(!dest.join(".git/hooks").as_path().exists());
    let skipped: Vec<_> = kept
        .index()
        .unwrap()
        .iter()
        .filter(|entry| entry.flags_extended != 0)
        .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
        .collect();
    let lost = ["a", "lost\u{fffd}/b c", "lost\u{fffd}/up", "n\nl", "out"];
    assert_eq!(skipped, lost);
    let Some(text) = git(&world, dest.as_path(), &["rev-parse", "HEAD"]) else {
        return;
    };
    assert_eq!(text, head.to_string());
    let status = git(&world, dest.as_path(), &["status", "--porcelain"]);
    assert_eq!(status.as_deref(), Some(""));
    // Nothing is read again: the index knows the files as they are.
    let refreshed = git(&world, dest.as_path(), &["diff-files", "--name-only"]);
    assert_eq!(refreshed.as_deref(), Some(""));
    git(&world, dest.as_path(), &["fsck", "--connectivity-only"]);
}

#[test]
fn another_program_can_fetch_on_into_a_kept_repository() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "0")]);
    remote.commit("main", &[("a", "1"), ("d/b", "2")]);
    let (dest, _) = world.obtain_kept(&remote.url(), &Want::Head).unwrap();
    let next = remote.commit("main", &[("a", "3"), ("d/b", "2")]);
    let dir = dest.as_path();
    let url = remote.url();
    let spec = format!("+{next}:refs/other/sync");
    let fetch = ["fetch", "--depth", "1", "--no-tags", &url, &spec];
    if git(&world, dir, &fetch).is_none() {
        return;
    }
    git(&world, dir, &["reset", "--hard", "refs/other/sync"]);
    let head = git(&world, dir, &["rev-parse", "HEAD"]);
    assert_eq!(head, Some(next.to_string()));
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "3");
}

#[test]
fn a_repository_without_history_is_not_shallow_and_a_changed_file_shows() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "0"), ("b", "1")]);
    let (dest, _) = world.obtain_kept(&remote.url(), &Want::Head).unwrap();
    let kept = git2::Repository::open(&dest).unwrap();
    assert_eq!(kept.statuses(None).unwrap().len(), 0);
    assert!(!dest.join(".git/shallow").as_path().exists());
    fs::write(dest.join("a"), "changed").unwrap();
    fs::remove_file(dest.join("b")).unwrap();
    assert_eq!(kept.statuses(None).unwrap().len(), 2);
}

#[test]
fn a_file_with_the_name_of_the_unfinished_repository_is_no_obstacle() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[(".git.new0", "0"), (".git.new1/x", "1")]);
    let (dest, _) = world.obtain_kept(&remote.url(), &Want::Head).unwrap();
    assert_eq!(names(dest.as_path()), [".git", ".git.new0", ".git.new1"]);
}

#[test]
fn a_part_of_a_commit_has_no_repository() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("d/a", "0")]);
    let address = Address::parse(&remote.url()).unwrap();
    let part = |subdir: Option<&str>, sparse: &[&str]| {
        let checkout = Checkout {
            subdir: subdir.map(str::to_owned),
            sparse: sparse.iter().map(|path| (*path).to_owned()).collect(),
            keep_repository: true,
            ..Checkout::whole(world.dest())
        };
        let nobody = Watch::nobody();
        let work = world
            .git
            .obtain(&address, &Want::Head, Depth::Tip, &checkout, nobody);
        failure(world.wait(work))
    };
    for found in [part(Some("d"), &[]), part(None, &["d"])] {
        assert!(matches!(found, Failure::BadRequest { .. }), "{found:?}");
    }
}
