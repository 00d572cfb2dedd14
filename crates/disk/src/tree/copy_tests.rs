use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use plugd_model::AbsPath;
use pretty_assertions::assert_eq;

use super::super::fixture::{Before, Tree, lines};
use super::super::{AtEase, Limits, Pace, TreeError, TreePlan, digest, remove_tree, sync_tree};
use super::copy;
use crate::{Disk, Operation, OperationKind, Probe};

fn plan(tree: &Tree) -> TreePlan {
    TreePlan::scan(&Disk::new(), &tree.root, &Limits::INSTALL, &[], &AtEase).unwrap()
}

#[track_caller]
fn check(source: &[&str], expected: &[&str]) {
    let tree = Tree::new(source);
    let dest = tree.base.join("copy");
    let disk = Disk::new();
    let plan = plan(&tree);
    let report = copy(&disk, &plan, &dest, &AtEase).unwrap();
    sync_tree(&disk, &dest).unwrap();
    assert_eq!(lines(&dest), expected);
    assert_eq!(
        report.files.digest(),
        digest(&disk, &plan, &AtEase).unwrap()
    );
    assert_eq!(report.bytes, plan.bytes());
    // The copy is a tree like any other, with the same digest.
    let again = TreePlan::scan(&disk, &dest, &Limits::INSTALL, &[], &AtEase).unwrap();
    assert_eq!(
        report.files.digest(),
        digest(&disk, &again, &AtEase).unwrap()
    );
    assert!(again.is_finely_stamped());
    assert_eq!(report.fingerprint, Some(again.fingerprint()));
}

#[test]
fn files_directories_and_modes() {
    check(&[], &[]);
    check(
        &["a=1", "b/c*=2", "b/empty/", ".hidden="],
        &[".hidden=", "a=1", "b/", "b/c*=2", "b/empty/"],
    );
}

/// Each file is read from its own directory, whichever was open before, also behind a link between them.
#[test]
fn directories_of_the_same_names_at_several_depths() {
    let tree = [
        "a/a/a/f=1",
        "a/a/f=2",
        "a/b/a/f=3",
        "a/b/f=4",
        "a/f=5",
        "b/a/f=6",
        "b/l -> ../a/b",
        "b/z=7",
        "f=8",
    ];
    check(
        &tree,
        &[
            "a/",
            "a/a/",
            "a/a/a/",
            "a/a/a/f=1",
            "a/a/f=2",
            "a/b/",
            "a/b/a/",
            "a/b/a/f=3",
            "a/b/f=4",
            "a/f=5",
            "b/",
            "b/a/",
            "b/a/f=6",
            "b/l/",
            "b/l/a/",
            "b/l/a/f=3",
            "b/l/f=4",
            "b/z=7",
            "f=8",
        ],
    );
}

#[test]
fn directories_that_are_deeper_than_those_that_stay_open() {
    let deep = |length: usize| vec!["d"; length].join("/");
    let mut tree: Vec<_> = (1..14)
        .map(|length| format!("{}/f={length}", deep(length)))
        .collect();
    tree.extend((7..12).map(|length| format!("{}/e/g={length}", deep(length))));
    let dirs = (1..14).map(|length| format!("{}/", deep(length)));
    let dirs = dirs.chain((7..12).map(|length| format!("{}/e/", deep(length))));
    let mut expected: Vec<_> = tree.iter().cloned().chain(dirs).collect();
    expected.sort();
    let [tree, expected] = [&tree, &expected].map(|lines| lines.iter().map(String::as_str));
    check(&tree.collect::<Vec<_>>(), &expected.collect::<Vec<_>>());
}

#[test]
fn links_become_copies_and_the_rest_stays_behind() {
    check(
        &["d/x*=1", "e -> d", "f -> d/x", "out -> /etc", ".git/HEAD=x"],
        &["d/", "d/x*=1", "e/", "e/x*=1", "f*=1"],
    );
}

#[test]
fn many_files_are_synced_in_one_go() {
    let names: Vec<_> = (10..60).map(|n| format!("{n}=x")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    check(&names, &names);
}

#[test]
fn a_large_file_that_the_disk_begins_to_write_at_once_is_whole() {
    for more in [0, 1] {
        let size = usize::try_from(super::LARGE).unwrap() + more;
        let large = format!("large={}", "x".repeat(size));
        check(&["a=1", &large, "z=2"], &["a=1", &large, "z=2"]);
    }
}

#[test]
fn setuid_is_never_copied_and_hard_links_become_files() {
    let tree = Tree::new(&["a=1"]);
    let source = tree.root.join("a");
    fs::set_permissions(&source, fs::Permissions::from_mode(0o6755)).unwrap();
    fs::hard_link(&source, tree.root.join("b")).unwrap();
    let dest = tree.base.join("copy");
    copy(&Disk::new(), &plan(&tree), &dest, &AtEase).unwrap();
    for name in ["a", "b"] {
        let metadata = fs::metadata(dest.join(name)).unwrap();
        assert_eq!(metadata.mode() & 0o7000, 0);
        assert_eq!(metadata.mode() & 0o100, 0o100);
        assert_eq!(metadata.nlink(), 1);
    }
}

#[test]
fn a_copy_lets_nobody_do_more_than_its_source() {
    let modes = [
        (0o600, 0o600),
        (0o640, 0o640),
        (0o644, 0o644),
        (0o664, 0o644),
        (0o666, 0o644),
        (0o400, 0o400),
        (0o444, 0o444),
        (0o604, 0o604),
        (0o700, 0o700),
        (0o500, 0o500),
        (0o750, 0o750),
        (0o755, 0o755),
        (0o777, 0o755),
        (0o654, 0o654),
        (0o1644, 0o644),
        (0o2755, 0o755),
        (0o4711, 0o711),
    ];
    let tree = Tree::new(&[]);
    for (mode, _) in modes {
        let name = format!("{mode:o}");
        tree.add(&format!("{name}=x"));
        let source = tree.root.join(name);
        fs::set_permissions(&source, fs::Permissions::from_mode(mode)).unwrap();
    }
    let dest = tree.base.join("copy");
    copy(&Disk::new(), &plan(&tree), &dest, &AtEase).unwrap();
    // What the umask takes away is nobody's right to begin with.
    let probe = tree.base.join("probe");
    let all = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o777)
        .open(&probe);
    let allowed = all.unwrap().metadata().unwrap().mode() & 0o777;
    let found = |dir: &AbsPath| {
        modes.map(|(mode, _)| {
            let metadata = fs::metadata(dir.join(format!("{mode:o}"))).unwrap();
            (mode, metadata.mode() & 0o7777)
        })
    };
    let expected = modes.map(|(mode, copied)| (mode, copied & allowed));
    assert_eq!(found(&dest), expected);
    // A copy of the copy is no different, and all of it can be removed.
    let again = TreePlan::scan(&Disk::new(), &dest, &Limits::INSTALL, &[], &AtEase).unwrap();
    let second = tree.base.join("second");
    copy(&Disk::new(), &again, &second, &AtEase).unwrap();
    assert_eq!(found(&second), expected);
    remove_tree(&Disk::new(), &second).unwrap();
    assert!(!second.as_path().exists());
}

/// Only an administrator reads what its owner may not read; the copy is one that others can compare.
#[test]
fn the_owner_of_a_copy_may_read_it() {
    let tree = Tree::new(&["a=1"]);
    let source = tree.root.join("a");
    for (mode, expected) in [(0o000, 0o400), (0o200, 0o600), (0o044, 0o444)] {
        fs::set_permissions(&source, fs::Permissions::from_mode(mode)).unwrap();
        if fs::read(&source).is_err() {
            return;
        }
        let dest = tree.base.join(format!("{mode:o}"));
        copy(&Disk::new(), &plan(&tree), &dest, &AtEase).unwrap();
        let copied = fs::metadata(dest.join("a")).unwrap().mode() & 0o7777;
        assert_eq!((copied & 0o700, copied & !expected), (expected & 0o700, 0));
    }
}

#[test]
fn an_existing_destination_is_refused() {
    let tree = Tree::new(&["a=1"]);
    let error = copy(&Disk::new(), &plan(&tree), &tree.base, &AtEase).unwrap_err();
    assert!(matches!(error, TreeError::Exists { .. }), "{error}");
}

/// Changes the tree after the plan was made; the copy must fail and must not hold `secret`.
#[track_caller]
fn check_change(change: impl FnOnce(&Tree)) {
    let tree = Tree::new(&["a/b/file=12345", "z=1"]);
    fs::create_dir(tree.base.join("outside")).unwrap();
    fs::write(tree.base.join("outside/file"), "secre").unwrap();
    let plan = plan(&tree);
    change(&tree);
    let dest = tree.base.join("copy");
    let error = copy(&Disk::new(), &plan, &dest, &AtEase).unwrap_err();
    assert!(matches!(error, TreeError::Changed { .. }), "{error}");
    assert!(!lines(&dest).iter().any(|line| line.contains("secre")));
    assert!(digest(&Disk::new(), &plan, &AtEase).is_err());
}

#[test]
fn a_tree_that_changes_cannot_lead_out_of_the_root() {
    check_change(|tree| {
        fs::remove_file(tree.root.join("a/b/file")).unwrap();
        symlink("../../../outside/file", tree.root.join("a/b/file")).unwrap();
    });
    check_change(|tree| {
        fs::rename(tree.root.join("a/b"), tree.root.join("a/c")).unwrap();
        symlink("../../outside", tree.root.join("a/b")).unwrap();
    });
    check_change(|tree| {
        fs::rename(tree.root.join("a"), tree.base.join("a")).unwrap();
        symlink("../a", tree.root.join("a")).unwrap();
    });
}

#[test]
fn a_file_that_grows_shrinks_or_turns_into_something_else() {
    check_change(|tree| fs::write(tree.root.join("a/b/file"), "123456").unwrap());
    check_change(|tree| fs::write(tree.root.join("a/b/file"), "1").unwrap());
    check_change(|tree| fs::remove_file(tree.root.join("a/b/file")).unwrap());
    check_change(|tree| {
        let path = tree.root.join("a/b/file");
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path.as_path(),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
    });
}

#[test]
fn another_file_of_the_same_size_is_not_the_planned_one() {
    check_change(|tree| {
        let other = tree.base.join("outside/file");
        fs::rename(other, tree.root.join("a/b/file")).unwrap();
    });
    check_change(|tree| {
        fs::rename(tree.root.join("a/b"), tree.base.join("b")).unwrap();
        fs::rename(tree.base.join("outside"), tree.root.join("a/b")).unwrap();
    });
}

#[test]
fn a_file_that_grows_while_it_is_open_does_not_go_over_the_plan() {
    let tree = Tree::new(&["a=12345"]);
    let path = tree.root.join("a");
    // Between opening the source and writing the copy.
    let probe = Before {
        kind: OperationKind::Copy,
        action: Mutex::new(Some(move || fs::write(&path, "x".repeat(1 << 20)))),
    };
    let dest = tree.base.join("copy");
    let error = copy(&Disk::probed(Arc::new(probe)), &plan(&tree), &dest, &AtEase).unwrap_err();
    assert!(matches!(error, TreeError::Changed { .. }), "{error}");
    assert!(fs::metadata(dest.join("a")).unwrap().len() <= 5);
}

#[test]
fn a_refused_operation_is_an_error_that_names_the_file() {
    let tree = Tree::new(&["a=1", "l -> a"]);
    for kind in [
        OperationKind::Resolve,
        OperationKind::Stat,
        OperationKind::List,
        OperationKind::Read,
        OperationKind::Copy,
        OperationKind::CreateDir,
    ] {
        let probe = Before {
            kind,
            action: Mutex::new(Some(|| Err(io::Error::other("no")))),
        };
        let disk = Disk::probed(Arc::new(probe));
        let error = TreePlan::scan(&disk, &tree.root, &Limits::INSTALL, &[], &AtEase)
            .and_then(|plan| copy(&disk, &plan, &tree.base.join(format!("{kind:?}")), &AtEase))
            .unwrap_err();
        assert!(matches!(error, TreeError::Disk(_)), "{kind:?}: {error}");
        assert!(error.to_string().contains(tree.base.to_text().as_str()));
    }
}

/// A tree that is large enough for two threads, as lines, and one that is not.
fn large_and_small() -> [Vec<String>; 2] {
    let share = usize::try_from(super::WORTH_A_THREAD).unwrap() / 4;
    [share, share - 1].map(|bytes| {
        let text = "x".repeat(bytes);
        let names = ["a", "b/c*", "b/d/e", "z"];
        names.map(|name| format!("{name}={text}")).into()
    })
}

fn tree_of(lines: &[String]) -> Tree {
    Tree::new(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Holds each thread that copies a file until there are so many, but not for ever.
struct Threads {
    expected: usize,
    seen: Mutex<HashSet<ThreadId>>,
    more: Condvar,
}

impl Probe for Threads {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if operation.kind == OperationKind::Copy {
            let mut seen = self.seen.lock().unwrap();
            seen.insert(thread::current().id());
            self.more.notify_all();
            let limit = Duration::from_secs(20);
            let waits = |seen: &mut HashSet<ThreadId>| seen.len() < self.expected;
            drop(self.more.wait_timeout_while(seen, limit, waits).unwrap());
        }
        Ok(())
    }
}

#[test]
fn two_threads_copy_a_large_tree_and_one_a_small_one() {
    for (lines, expected) in large_and_small().into_iter().zip([2, 1]) {
        let tree = tree_of(&lines);
        let threads = Arc::new(Threads {
            expected,
            seen: Mutex::default(),
            more: Condvar::new(),
        });
        let disk = Disk::probed(Arc::<Threads>::clone(&threads));
        copy(&disk, &plan(&tree), &tree.base.join("copy"), &AtEase).unwrap();
        assert_eq!(threads.seen.lock().unwrap().len(), expected);
        let mut expected = lines.clone();
        expected.extend(["b/".to_owned(), "b/d/".to_owned()]);
        expected.sort();
        check(
            &lines.iter().map(String::as_str).collect::<Vec<_>>(),
            &expected.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
}

/// Gives up at a step, whichever thread comes to it.
struct Until {
    asked: AtomicUsize,
    last: usize,
}

impl Pace for Until {
    fn step(&self, _bytes: u64) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1 < self.last
    }
}

#[test]
fn the_copy_of_a_large_tree_is_given_up_at_any_step() {
    let [lines, _] = large_and_small();
    let tree = tree_of(&lines);
    for last in 1.. {
        let asked = AtomicUsize::new(0);
        let until = Until { asked, last };
        let dest = tree.base.join(format!("copy-{last}"));
        let Err(error) = copy(&Disk::new(), &plan(&tree), &dest, &until) else {
            assert!(last > lines.len(), "given up at {last} and done");
            break;
        };
        assert!(matches!(error, TreeError::GivenUp), "{error}");
        // The other thread may be at a step of its own.
        assert!(until.asked.into_inner() <= last + 1);
    }
}

#[test]
fn a_file_of_a_large_tree_that_changes_makes_the_copy_fail() {
    let [lines, _] = large_and_small();
    for name in ["a", "b/c", "b/d/e", "z"] {
        let tree = tree_of(&lines);
        let plan = plan(&tree);
        fs::write(tree.root.join(name), "other").unwrap();
        let error = copy(&Disk::new(), &plan, &tree.base.join("copy"), &AtEase).unwrap_err();
        let path = tree.root.join(name);
        assert!(matches!(&error, TreeError::Changed { path: told } if *told == path));
    }
}
