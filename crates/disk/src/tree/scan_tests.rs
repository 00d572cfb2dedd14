use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use plugd_model::{AbsPath, Problem, ProblemKind};
use pretty_assertions::assert_eq;

use super::super::fixture::{Tree, await_tick};
use super::super::{AtEase, Limits, OverLimit, TreeError};
use super::TreePlan;
use crate::Disk;

fn scan(tree: &Tree) -> Result<TreePlan, TreeError> {
    TreePlan::scan(&Disk::new(), &tree.root, &Limits::INSTALL, &[], &AtEase)
}

fn describe(tree: &Tree, plan: &TreePlan) -> Vec<String> {
    let mut out: Vec<_> = plan.files().map(|file| file.path).collect();
    out.extend(plan.dirs.iter().skip(1).map(|dir| format!("{}/", dir.path)));
    for problem in plan.left_out() {
        let path = problem.path.as_ref().unwrap();
        let path = path.as_path().strip_prefix(&tree.root).unwrap();
        out.push(format!("! {}: {}", path.to_string_lossy(), problem.message));
    }
    out.sort();
    out
}

#[track_caller]
fn check(lines: &[&str], expected: &[&str]) {
    let tree = Tree::new(lines);
    assert_eq!(describe(&tree, &scan(&tree).unwrap()), expected);
}

#[test]
fn files_and_empty_directories() {
    check(&[], &[]);
    check(&["b/c=1", "a=2", "empty/"], &["a", "b/", "b/c", "empty/"]);
    check(&["A=1", "a=2"], &["A", "a"]);
}

#[test]
fn places_that_are_taken_out_again() {
    let without = |lines: &[&str], place: &str| {
        let tree = Tree::new(lines);
        let below = format!("{place}/");
        let is_out = |path: &str| path == place || path.starts_with(&below);
        let told = |path: &AbsPath| Problem::warning(ProblemKind::LeftOut, "out").in_file(path);
        let plan = scan(&tree).unwrap().without(is_out, told);
        (describe(&tree, &plan), plan.bytes(), plan.is_plain())
    };
    let lines = ["a/b/c/x=123", "a/b/y=12", "a/bz=1", "z=1"];
    let left = ["! a/b: out", "a/", "a/bz", "z"].map(str::to_owned);
    assert_eq!(without(&lines, "a/b"), (left.to_vec(), 2, false));
    let left = [
        "! a/bz: out",
        "a/",
        "a/b/",
        "a/b/c/",
        "a/b/c/x",
        "a/b/y",
        "z",
    ];
    let left = left.map(str::to_owned);
    assert_eq!(without(&lines, "a/bz"), (left.to_vec(), 6, false));
    let (_, bytes, is_plain) = without(&lines, "b");
    assert_eq!((bytes, is_plain), (7, true));
    // It is told under the name that it has there.
    let left = ["! link: out", "d/", "d/x"].map(str::to_owned);
    let (found, ..) = without(&["d/x=1", "link -> d"], "link");
    assert_eq!(found, left);
}

#[test]
fn git_data_is_left_out_at_any_depth_whatever_it_is() {
    check(
        &[".git/HEAD=x", "a/.git=x", "a/.gitignore=x"],
        &["a/", "a/.gitignore"],
    );
    check(
        &[".git/hooks/run=x", "hooks -> .git/hooks"],
        &["! hooks: a link into git's own data is not copied"],
    );
}

#[test]
fn links_inside_become_what_they_lead_to() {
    check(&["a=1", "b -> a"], &["a", "b"]);
    check(&["d/x=1", "e -> d"], &["d/", "d/x", "e/", "e/x"]);
    check(
        &["d/x=1", "d/y -> ../d/x", "z -> d/y"],
        &["d/", "d/x", "d/y", "z"],
    );
}

#[test]
fn a_link_inside_with_an_absolute_target_counts_as_inside() {
    let tree = Tree::new(&["a=1"]);
    symlink(tree.root.join("a"), tree.root.join("b")).unwrap();
    assert_eq!(describe(&tree, &scan(&tree).unwrap()), ["a", "b"]);
}

#[test]
fn links_that_leave_or_dangle_are_reported() {
    check(
        &["a -> /etc/passwd", "b -> ../..", "c -> missing", "d -> d"],
        &[
            "! a: a link that leads out of the directory is not copied",
            "! b: a link that leads out of the directory is not copied",
            "! c: a link that leads nowhere is not copied",
            "! d: a link that leads nowhere is not copied",
        ],
    );
}

#[test]
fn a_sibling_whose_name_begins_alike_is_outside() {
    let tree = Tree::new(&["a -> ../root2/secret"]);
    fs::create_dir(tree.base.join("root2")).unwrap();
    fs::write(tree.base.join("root2/secret"), "x").unwrap();
    assert_eq!(
        describe(&tree, &scan(&tree).unwrap()),
        ["! a: a link that leads out of the directory is not copied"]
    );
}

#[test]
fn a_link_to_a_directory_above_is_a_loop() {
    check(
        &["a/up -> ..", "a/self -> ."],
        &[
            "! a/self: a link to a directory above it is not copied",
            "! a/up: a link to a directory above it is not copied",
            "a/",
        ],
    );
    // Two directories that lead into each other end as soon as one comes up again.
    check(
        &["a/b -> ../c", "c/d -> ../a"],
        &[
            "! a/b: a link to a directory above it is not copied",
            "! c/d: a link to a directory above it is not copied",
            "a/",
            "a/b/",
            "c/",
            "c/d/",
        ],
    );
}

#[test]
fn names_that_cannot_stand_in_a_digest() {
    let tree = Tree::new(&["a\nb=1", "c=1"]);
    fs::write(tree.root.join(OsStr::from_bytes(b"\xff")), "x").unwrap();
    let plan = scan(&tree).unwrap();
    assert_eq!(plan.left_out().len(), 2);
    assert_eq!(plan.files().count(), 1);
}

#[test]
fn special_files_are_reported_and_never_opened() {
    let tree = Tree::new(&["a=1", "link -> pipe"]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        tree.root.join("pipe").as_path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.root.join("socket")).unwrap();
    assert_eq!(
        describe(&tree, &scan(&tree).unwrap()),
        [
            "! link: a link to a FIFO, socket or device is not copied",
            "! pipe: a FIFO, socket or device is not copied",
            "! socket: a FIFO, socket or device is not copied",
            "a",
        ]
    );
}

#[track_caller]
fn check_limit(lines: &[&str], limits: Limits, expected: Option<(OverLimit, &str)>) {
    let tree = Tree::new(lines);
    match TreePlan::scan(&Disk::new(), &tree.root, &limits, &[], &AtEase) {
        Ok(_) => assert_eq!(None, expected),
        Err(TreeError::OverLimit { limit, path }) => {
            let (expected, at) = expected.unwrap();
            assert_eq!((limit, path), (expected, tree.root.join(at)));
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn limits_name_the_first_entry_beyond_them() {
    let entries = |entries| Limits {
        entries,
        ..Limits::INSTALL
    };
    check_limit(&["a=1", "b/c=1"], entries(3), None);
    let over = OverLimit::Entries(2);
    check_limit(&["a=1", "b/c=1"], entries(2), Some((over, "b/c")));
    let over = OverLimit::Entries(3);
    // What a link leads to counts again.
    check_limit(&["a/x=1", "b -> a"], entries(3), Some((over, "a/x")));

    let bytes = |bytes| Limits {
        bytes,
        ..Limits::INSTALL
    };
    check_limit(&["a=123", "b=45"], bytes(5), None);
    let over = OverLimit::Bytes(4);
    check_limit(&["a=123", "b=45"], bytes(4), Some((over, "b")));
    check_limit(&["a=123", "b -> a"], bytes(4), Some((over, "b")));

    let depth = |depth| Limits {
        depth,
        ..Limits::INSTALL
    };
    check_limit(&["a/b/c=1"], depth(3), None);
    let over = OverLimit::Depth(2);
    check_limit(&["a/b/c=1"], depth(2), Some((over, "a/b/c")));
}

#[test]
fn a_directory_is_not_listed_beyond_the_limit() {
    let names: Vec<_> = (0..100).map(|n| format!("big/{n}=")).collect();
    let lines: Vec<_> = names.iter().map(String::as_str).collect();
    let limits = |entries| Limits {
        entries,
        ..Limits::INSTALL
    };
    // It is the directory that is named, because no entry of it is the first.
    let over = OverLimit::Entries(50);
    check_limit(&lines, limits(50), Some((over, "big")));
    check_limit(&lines, limits(101), None);
    // Git's own directory does not count, and it does not hide an entry that does.
    let git = ["a=1", "b=1", ".git/x=1"];
    check_limit(&git, limits(2), None);
    check_limit(&git, limits(1), Some((OverLimit::Entries(1), ".")));
}

#[test]
fn a_plain_tree_is_what_a_copy_of_it_would_be() {
    let is_plain = |lines: &[&str]| scan(&Tree::new(lines)).unwrap().is_plain();
    assert!(is_plain(&["a/b=1", "run*=2", "empty/"]));
    for odd in [
        "link -> a/b",
        "dir -> a",
        "out -> /etc",
        "gone -> nowhere",
        ".git/x=1",
        "a/.git=1",
        "line\nbreak=1",
    ] {
        assert!(!is_plain(&["a/b=1", odd]), "{odd}");
    }
    for mode in [0o4755, 0o2755, 0o1644] {
        let tree = Tree::new(&["a=1"]);
        let path = tree.root.join("a");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(!scan(&tree).unwrap().is_plain(), "{mode:o}");
    }
}

#[test]
fn files_that_a_link_led_to_are_marked() {
    let tree = Tree::new(&["a/b=1", "a/c -> b", "d -> a"]);
    let plan = scan(&tree).unwrap();
    let files: Vec<_> = plan.files().map(|file| (file.path, file.linked)).collect();
    let expected = [("a/b", false), ("a/c", true), ("d/b", true), ("d/c", true)];
    assert_eq!(
        files,
        expected.map(|(path, linked)| (path.to_owned(), linked))
    );
}

#[test]
fn links_that_multiply_end_at_the_limit() {
    let mut lines = Vec::new();
    for n in 0..40 {
        lines.push(format!("d{n}/a -> ../d{}", n + 1));
        lines.push(format!("d{n}/b -> ../d{}", n + 1));
    }
    lines.push("d40/x=1".to_owned());
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let tree = Tree::new(&lines);
    let error = scan(&tree).unwrap_err();
    assert!(matches!(
        error,
        TreeError::OverLimit {
            limit: OverLimit::Entries(100_000),
            ..
        }
    ));
}

#[test]
fn a_tree_that_contains_the_store_is_refused() {
    let tree = Tree::new(&["a=1"]);
    let store = tree.root.join("not/yet/there");
    let error = TreePlan::scan(
        &Disk::new(),
        &tree.root,
        &Limits::INSTALL,
        std::slice::from_ref(&store),
        &AtEase,
    )
    .unwrap_err();
    assert!(
        matches!(&error, TreeError::ContainsStore { inside, .. } if *inside == store),
        "{error}"
    );
    // Also when the way to it is a link.
    symlink(tree.root.as_path(), tree.base.join("alias")).unwrap();
    let store = tree.base.join("alias/store");
    assert!(
        TreePlan::scan(
            &Disk::new(),
            &tree.root,
            &Limits::INSTALL,
            &[store],
            &AtEase
        )
        .is_err()
    );
    let beside = tree.base.join("root-store");
    assert!(
        TreePlan::scan(
            &Disk::new(),
            &tree.root,
            &Limits::INSTALL,
            &[beside],
            &AtEase
        )
        .is_ok()
    );
}

#[test]
fn the_root_must_be_a_directory() {
    let tree = Tree::new(&["a=1"]);
    let scan = |root: &str| {
        let root = tree.root.join(root);
        TreePlan::scan(&Disk::new(), &root, &Limits::INSTALL, &[], &AtEase)
    };
    assert!(matches!(scan("a"), Err(TreeError::NotADirectory { .. })));
    assert!(matches!(scan("b"), Err(TreeError::Disk(error)) if error.is_not_found()));
}

/// All that a copy could have from it: whoever remembers what was read relies on that.
#[test]
fn the_fingerprint_is_another_one_after_any_change() {
    let tree = Tree::new(&[
        "d/a=1",
        "d/b=2",
        "one=x",
        "two=y",
        "link -> one",
        "dirs -> d",
    ]);
    let at = |name: &str| tree.root.join(name);
    let mut seen = vec![scan(&tree).unwrap().fingerprint()];
    assert_eq!(scan(&tree).unwrap().fingerprint(), seen[0]);
    let link = |target: &str| {
        fs::remove_file(at("link")).unwrap();
        symlink(target, at("link")).unwrap();
    };
    let in_secret = |name: &str, content: &str| {
        let before = fs::metadata(at(name)).unwrap().modified().unwrap();
        fs::write(at(name), content).unwrap();
        let file = fs::File::options().write(true).open(at(name)).unwrap();
        file.set_modified(before).unwrap();
    };
    let changes: [&dyn Fn(); 8] = [
        &|| link("two"),
        &|| fs::set_permissions(at("d/a"), fs::Permissions::from_mode(0o755)).unwrap(),
        &|| fs::rename(at("d/b"), at("d/c")).unwrap(),
        &|| fs::write(at("d/a"), "3").unwrap(),
        &|| in_secret("d/a", "4"),
        &|| fs::write(at("d/new"), "").unwrap(),
        &|| fs::remove_file(at("two")).unwrap(),
        &|| fs::remove_file(at("dirs")).unwrap(),
    ];
    for change in changes {
        await_tick(&tree);
        change();
        let now = scan(&tree).unwrap().fingerprint();
        assert!(!seen.contains(&now));
        seen.push(now);
    }
}

#[test]
fn stamps_are_fine_where_no_file_has_a_whole_millisecond() {
    let tree = Tree::new(&["a=1", "d/b=2"]);
    let mut plan = scan(&tree).unwrap();
    let set = |plan: &mut TreePlan, dir: usize, changed_ns| {
        plan.dirs[dir].files[0].stamp.changed_ns = changed_ns;
    };
    for (first, second, expected) in [
        (1_000_000_001, 7_123_456_789, true),
        (1_000_000_001, 7_123_000_000, false),
        (0, 7_123_456_789, false),
    ] {
        set(&mut plan, 0, first);
        set(&mut plan, 1, second);
        assert_eq!(plan.is_finely_stamped(), expected);
    }
}
