//! What is written of a commit, and what is refused. The trees are written as raw objects: no git
//! would make most of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use plugd_git::{Failure, LfsPointer, Want};
use pretty_assertions::assert_eq;

use crate::fixture::{DIR, EXECUTABLE, FILE, LINK, Remote, World, failure};

fn left_out(world: &World, remote: &Remote) -> (plugd_model::AbsPath, Vec<String>) {
    let (dest, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
    (
        dest,
        report.left_out.into_iter().map(|one| one.path).collect(),
    )
}

#[test]
fn files_links_and_directories_are_written() {
    let world = World::new();
    let remote = world.remote("r.git");
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n",
        "a".repeat(64)
    );
    let inner = remote.tree(&[
        (b"big.bin", FILE, remote.blob(pointer.as_bytes())),
        (b"out", LINK, remote.blob(b"../../etc")),
        (b"up", LINK, remote.blob(b"../plain")),
    ]);
    let root = remote.tree(&[
        (b"abs", LINK, remote.blob(b"/etc/passwd")),
        (b"d", DIR, inner),
        (b"plain", FILE, remote.blob(b"hello\r\n")),
        (b"run", EXECUTABLE, remote.blob(b"#!/bin/sh\n")),
    ]);
    remote.commit_tree("main", root, "all");
    let (dest, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
    let path = |name: &str| dest.join(name).as_path().to_path_buf();
    assert_eq!(fs::read(path("plain")).unwrap(), b"hello\r\n");
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("plain"), mode("run")), (0o644, 0o755));
    assert_eq!(
        fs::read_link(path("d/up")).unwrap().to_str(),
        Some("../plain")
    );
    let lost: Vec<_> = report
        .left_out
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(lost, ["abs", "d/out"]);
    assert_eq!(
        report.lfs_pointers,
        [LfsPointer {
            path: "d/big.bin".to_owned(),
            oid: "a".repeat(64),
            size: 12
        }]
    );
    let mut names: Vec<_> = fs::read_dir(&dest)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["d", "plain", "run"]);
}

#[test]
fn ends_of_lines_are_those_that_the_repository_asks_for() {
    let files: &[(&str, &str)] = &[
        (
            ".gitattributes",
            "* text eol=crlf\n*.raw -text\n*.sh text eol=lf\n",
        ),
        ("a.txt", "one\ntwo\r\nthree\n"),
        ("b.raw", "one\ntwo\n"),
        ("c.sh", "#!/bin/sh\n"),
        (
            "d/.gitattributes",
            "*.txt -eol\n*.auto text=auto eol=crlf\nx/*.txt eol=lf\n",
        ),
        ("d/a.txt", "one\n"),
        ("d/b.auto", "one\ntwo\n"),
        ("d/c.auto", "one\ntwo\r\n"),
        ("d/d.auto", "\u{0}\n"),
        ("d/x/a.txt", "one\n"),
        ("d/x/y/a.txt", "one\n"),
    ];
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", files);
    let read = |dir: &std::path::Path, below: &str| -> Vec<(String, String)> {
        let text = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
        let names = files
            .iter()
            .filter_map(|(name, _)| name.strip_prefix(below));
        names.map(|name| (name.to_owned(), text(name))).collect()
    };
    // What this machine would like counts for nothing.
    let config = "[core]\n\tautocrlf = true\n\teol = crlf\n";
    fs::write(world.sandbox.home().join(".gitconfig"), config).unwrap();
    let (dest, _) = world.obtain(&remote.url(), &Want::Head).unwrap();
    let ours = read(dest.as_path(), "");
    let changed: Vec<&str> = ours
        .iter()
        .zip(files)
        .filter(|((_, ours), (_, committed))| ours != committed)
        .map(|((name, _), _)| name.as_str())
        .collect();
    assert_eq!(
        changed,
        [".gitattributes", "a.txt", "d/.gitattributes", "d/b.auto"]
    );
    // What stands above a directory counts in it.
    let (part, _) = world
        .obtain_part(&remote.url(), &Want::Head, Some("d"), &[])
        .unwrap();
    let below: Vec<_> = ours
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix("d/")?.to_owned(), text.clone())))
        .collect();
    assert_eq!(read(part.as_path(), "d/"), below);
    let clone = world.sandbox.root().as_path().join("clone");
    let mut git = std::process::Command::new("git");
    git.args(["-c", "core.autocrlf=false", "clone", "-q"])
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", world.sandbox.root().as_path())
        .arg(&remote.path)
        .arg(&clone);
    if git.status().is_ok_and(|status| status.success()) {
        assert_eq!(ours, read(&clone, ""));
    }
}

#[test]
fn a_part_of_a_commit_can_be_had() {
    let world = World::new();
    let remote = world.remote("r.git");
    let files = [("a", "1"), ("p/q/x", "2"), ("p/q/y", "3"), ("p/z", "4")];
    remote.commit("main", &files);
    let check = |subdir: Option<&str>, sparse: &[&str], expected: &[&str]| {
        let url = remote.url();
        let (dest, _) = world
            .obtain_part(&url, &Want::Head, subdir, sparse)
            .unwrap();
        let there = ["a", "p/q/x", "p/q/y", "p/z", "x", "y", "q/x"]
            .into_iter()
            .filter(|path| dest.join(path).as_path().exists())
            .collect::<Vec<_>>();
        assert_eq!(there, expected, "{subdir:?} {sparse:?}");
    };
    check(None, &[], &["a", "p/q/x", "p/q/y", "p/z"]);
    check(Some("p/q"), &[], &["x", "y"]);
    check(Some("./p/"), &["p/q/x"], &["q/x"]);
    check(None, &["p/q"], &["a", "p/q/x", "p/q/y", "p/z"]);
    check(None, &["s"], &["a"]);
    check(None, &["a", "p/z"], &["a", "p/z"]);
    for path in ["none", "a", "p/q/x"] {
        let found = failure(world.obtain_part(&remote.url(), &Want::Head, Some(path), &[]));
        assert!(
            matches!(found, Failure::DirectoryMissing { .. }),
            "{found:?}"
        );
    }
    for path in ["../x", "/etc", ""] {
        let found = failure(world.obtain_part(&remote.url(), &Want::Head, Some(path), &[]));
        assert!(matches!(found, Failure::BadRequest { .. }), "{found:?}");
    }
}

#[test]
fn hostile_names_refuse_the_commit() {
    for name in [
        "..",
        ".",
        ".git",
        ".GIT",
        "git~1",
        ".git ",
        ".g\u{200c}it",
        "a/b",
        "..\\x",
        "a/../../b",
    ] {
        let world = World::new();
        let remote = world.remote("r.git");
        let inner = remote.tree(&[(b"config", FILE, remote.blob(b"x"))]);
        for mode in [FILE, DIR] {
            let id = if mode == DIR {
                inner
            } else {
                remote.blob(b"x")
            };
            let root = remote.tree(&[(name.as_bytes(), mode, id)]);
            remote.commit_tree("main", root, "bad");
            let found = failure(world.obtain(&remote.url(), &Want::Head));
            assert!(
                matches!(found, Failure::HostileName { .. }),
                "{name}: {found:?}"
            );
        }
    }
}

#[test]
fn a_link_and_a_directory_of_one_name_refuse_the_commit() {
    let world = World::new();
    let remote = world.remote("r.git");
    let inner = remote.tree(&[(b"x", FILE, remote.blob(b"evil"))]);
    let root = remote.tree(&[(b"a", LINK, remote.blob(b"b")), (b"a", DIR, inner)]);
    remote.commit_tree("main", root, "bad");
    let found = failure(world.obtain(&remote.url(), &Want::Head));
    assert!(matches!(found, Failure::HostileName { .. }), "{found:?}");
}

#[test]
fn names_that_not_every_system_holds_are_left_out_and_reported() {
    let world = World::new();
    let remote = world.remote("r.git");
    let blob = remote.blob(b"x");
    let root = remote.tree(&[
        (b"Readme", FILE, blob),
        (b"a\nb", FILE, blob),
        (b"a\\b", FILE, blob),
        (b"odd\xff", FILE, blob),
        (b"readme", FILE, blob),
        (b"special", 0o100_000 | 0o4755, blob),
    ]);
    remote.commit_tree("main", root, "odd");
    let (dest, lost) = left_out(&world, &remote);
    assert_eq!(
        lost,
        ["a\\nb", "a\\\\b", "odd\u{fffd}", "readme", "special"]
    );
    assert_eq!(fs::read_dir(&dest).unwrap().count(), 1);
}

#[test]
fn names_that_are_too_long_refuse_the_commit() {
    let world = World::new();
    let remote = world.remote("r.git");
    let blob = remote.blob(b"x");
    let root = remote.tree(&[(&[b'a'; 256], FILE, blob)]);
    remote.commit_tree("main", root, "long");
    let found = failure(world.obtain(&remote.url(), &Want::Head));
    assert!(matches!(found, Failure::LongName { .. }), "{found:?}");

    let mut tree = remote.tree(&[(b"f", FILE, blob)]);
    for _ in 0..9 {
        tree = remote.tree(&[(&[b'a'; 250], DIR, tree)]);
    }
    remote.commit_tree("main", tree, "long");
    let found = failure(world.obtain(&remote.url(), &Want::Head));
    assert!(matches!(found, Failure::LongName { .. }), "{found:?}");
}

#[test]
fn a_tree_that_is_too_deep_or_too_large_is_refused() {
    let world = World::new();
    let remote = world.remote("r.git");
    let blob = remote.blob(b"");
    let mut tree = remote.tree(&[(b"f", FILE, blob)]);
    for _ in 0..64 {
        tree = remote.tree(&[(b"d", DIR, tree)]);
    }
    remote.commit_tree("main", tree, "deep");
    let found = failure(world.obtain(&remote.url(), &Want::Head));
    assert!(matches!(found, Failure::OverLimit { .. }), "{found:?}");

    // A few objects that unfold into ten million files.
    let names: Vec<String> = (0..10).map(|number| format!("{number}")).collect();
    let mut tree = remote.tree(&[(b"f", FILE, blob)]);
    for _ in 0..7 {
        let entries: Vec<_> = names
            .iter()
            .map(|name| (name.as_bytes(), DIR, tree))
            .collect();
        tree = remote.tree(&entries);
    }
    remote.commit_tree("main", tree, "wide");
    let found = failure(world.obtain(&remote.url(), &Want::Head));
    assert!(matches!(found, Failure::OverLimit { .. }), "{found:?}");
}
