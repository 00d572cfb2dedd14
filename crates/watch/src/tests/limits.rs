//! Where the system does not tell, or not everything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pretty_assertions::assert_eq;

use plugd_disk::Disk;
use plugd_model::{AbsPath, ProblemKind, Severity};

use super::only;
use crate::fixture::{Dir, Watching, looking, options, soon};
use crate::native::{ArmError, System};
use crate::shared::{Shared, Sort};
use crate::{Hint, Mechanism, WatchOptions, WatchRoot};

/// How the watches of a test behave.
struct Few {
    left: u32,
    inner: Option<Box<dyn System>>,
}

impl System for Few {
    fn arm(&mut self, dir: &AbsPath, deep: bool) -> Result<(), ArmError> {
        if self.left == 0 {
            return Err(used_up());
        }
        self.left -= 1;
        match &mut self.inner {
            Some(inner) => inner.arm(dir, deep),
            None => Ok(()),
        }
    }

    fn disarm(&mut self, dir: &AbsPath) {
        self.left = self.left.saturating_add(1);
        if let Some(inner) = &mut self.inner {
            inner.disarm(dir);
        }
    }

    fn works(&self) -> bool {
        true
    }
}

fn used_up() -> ArmError {
    ArmError::Refused {
        source: notify::Error::new(notify::ErrorKind::MaxFilesWatch),
    }
}

fn four_watches(shared: &Arc<Shared>) -> Result<Box<dyn System>, ArmError> {
    let inner = Some(crate::native::start(shared)?);
    Ok(Box::new(Few { left: 4, inner }))
}

/// Watches that all end when there is one too many.
struct Fragile {
    left: u32,
    inner: Option<Box<dyn System>>,
}

impl System for Fragile {
    fn arm(&mut self, dir: &AbsPath, deep: bool) -> Result<(), ArmError> {
        if self.left == 0 {
            self.inner = None;
        }
        self.left = self.left.saturating_sub(1);
        let inner = self.inner.as_mut().ok_or(ArmError::Failed)?;
        inner.arm(dir, deep)
    }

    fn disarm(&mut self, dir: &AbsPath) {
        if let Some(inner) = &mut self.inner {
            inner.disarm(dir);
        }
    }

    fn works(&self) -> bool {
        self.inner.is_some()
    }
}

/// Three directories: the one above the roots, and two roots.
fn fragile(shared: &Arc<Shared>) -> Result<Box<dyn System>, ArmError> {
    let inner = Some(crate::native::start(shared)?);
    Ok(Box::new(Fragile { left: 3, inner }))
}

fn no_instance(_shared: &Arc<Shared>) -> Result<Box<dyn System>, ArmError> {
    Err(used_up())
}

/// Watches that never tell anything, so that only what the test says is heard.
fn mute(_shared: &Arc<Shared>) -> Result<Box<dyn System>, ArmError> {
    Ok(Box::new(Few {
        left: u32::MAX,
        inner: None,
    }))
}

#[track_caller]
fn check_problem(watching: &Watching, expected: &[(&AbsPath, ProblemKind)]) {
    let problems = watching.watcher.problems();
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.path.as_ref().unwrap(), problem.kind))
        .collect();
    assert_eq!(found, expected);
    assert!(problems.iter().all(|one| one.severity == Severity::Warning));
}

#[tokio::test]
async fn too_many_directories_are_polled() {
    let dir = Dir::new();
    dir.dirs(&["large/a/b/c", "small"]);
    let (large, small) = (dir.at("large"), dir.at("small"));
    let options = WatchOptions {
        max_dirs: 4,
        ..looking(Mechanism::System)
    };
    let roots = [&large, &small].map(|path| WatchRoot::tree(path.clone()));
    let mut watching = Watching::start(options, &roots).await;
    check_problem(&watching, &[(&large, ProblemKind::TooLarge)]);
    dir.write("large/a/b/c/file", "");
    assert_eq!(watching.until(&large).await, only(&large));
    dir.write("small/file", "");
    assert_eq!(watching.until(&small).await, only(&small));
    // A tree that grows beyond the limit is polled from then on.
    dir.dirs(&["small/a/b/c"]);
    watching.until(&small).await;
    dir.write("small/a/b/c/file", "");
    assert_eq!(watching.until(&small).await, only(&small));
    let both = [&large, &small].map(|path| (path, ProblemKind::TooLarge));
    check_problem(&watching, &both);
    watching.set(&roots[1..]).await;
    check_problem(&watching, &[(&small, ProblemKind::TooLarge)]);
}

#[tokio::test]
async fn without_watches_roots_are_polled() {
    let dir = Dir::new();
    dir.dirs(&["a/b", "z/a/b/c"]);
    let (small, large) = (dir.at("a"), dir.at("z"));
    let roots = [&small, &large].map(|path| WatchRoot::tree(path.clone()));
    let options = looking(Mechanism::System);
    let mut watching = Watching::on(four_watches, options, Disk::new(), &roots).await;
    check_problem(&watching, &[(&large, ProblemKind::Unwatched)]);
    let message = &watching.watcher.problems()[0].message;
    let expected = "changes are looked for from time to time only: \
         the system does not watch more files: OS file watch limit reached.";
    assert_eq!(message, expected);
    for (file, root) in [("a/b/file", &small), ("z/a/b/c/file", &large)] {
        dir.write(file, "");
        assert_eq!(watching.until(root).await, only(root));
    }
}

#[tokio::test]
async fn without_the_system_everything_is_polled() {
    let dir = Dir::new();
    dir.dirs(&["a/b"]);
    let root = dir.at("a");
    let roots = [WatchRoot::tree(root.clone())];
    let options = looking(Mechanism::System);
    let mut watching = Watching::on(no_instance, options, Disk::new(), &roots).await;
    check_problem(&watching, &[(&root, ProblemKind::Unwatched)]);
    dir.write("a/b/file", "");
    assert_eq!(watching.until(&root).await, only(&root));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_system_that_does_not_tell_is_polled() {
    let root = AbsPath::new("/proc/sys/fs/inotify").unwrap();
    let roots = [WatchRoot::tree(root.clone())];
    let watching = Watching::start(looking(Mechanism::System), &roots).await;
    check_problem(&watching, &[(&root, ProblemKind::Unwatched)]);
}

#[tokio::test]
async fn lost_messages_mean_everything() {
    let dir = Dir::new();
    dir.dirs(&["a", "b"]);
    let (a, b) = (dir.at("a"), dir.at("b"));
    let roots = [&a, &b].map(|path| WatchRoot::tree(path.clone()));
    let mut watching = Watching::start(options(Mechanism::System), &roots).await;
    watching.watcher.shared().overflow();
    let told = soon(watching.hints.next()).await;
    assert_eq!(told, Some(Hint::Everything));
    // Everything is watched anew.
    dir.write("a/file", "");
    assert_eq!(watching.until(&a).await, only(&a));
}

#[tokio::test]
async fn what_never_rests_is_told_after_the_limit() {
    let dir = Dir::new();
    dir.dirs(&["a"]);
    let a = dir.at("a");
    let hour = Duration::from_secs(3_600);
    let options = WatchOptions {
        debounce: hour,
        max_delay: Duration::from_millis(50),
        poll_interval: hour,
        ..options(Mechanism::System)
    };
    let roots = [WatchRoot::tree(a.clone())];
    let mut watching = Watching::on(mute, options, Disk::new(), &roots).await;
    for _ in 0..1_000 {
        let path = dir.at("a/file");
        let shared = watching.watcher.shared();
        shared.seen(Sort::Content, [path.as_path()].into_iter());
    }
    assert_eq!(watching.next().await, only(&a));
}

#[tokio::test]
async fn a_system_that_breaks_down_is_replaced() {
    let dir = Dir::new();
    dir.dirs(&["a", "b", "c"]);
    let paths = ["a", "b", "c"].map(|name| dir.at(name));
    let roots = [&paths[0], &paths[1]].map(|path| WatchRoot::tree(path.clone()));
    let options = looking(Mechanism::System);
    let mut watching = Watching::on(fragile, options, Disk::new(), &roots).await;
    check_problem(&watching, &[]);
    // The fourth directory breaks the system; what it watched is watched by the next one.
    let roots = paths.clone().map(WatchRoot::tree);
    watching.set(&roots).await;
    check_problem(&watching, &[(&paths[2], ProblemKind::Unwatched)]);
    assert_eq!(soon(watching.hints.next()).await, Some(Hint::Everything));
    for (file, root) in [("a/f", 0), ("b/f", 1), ("c/f", 2)] {
        dir.write(file, "");
        assert_eq!(watching.until(&paths[root]).await, only(&paths[root]));
    }
}

#[tokio::test]
async fn a_lost_message_about_the_way_is_made_up_for() {
    let dir = Dir::new();
    let (file, tree) = (dir.at("config.toml"), dir.at("tree"));
    let roots = [WatchRoot::file(file.clone()), WatchRoot::tree(tree.clone())];
    let options = looking(Mechanism::System);
    let mut watching = Watching::on(mute, options, Disk::new(), &roots).await;
    dir.write("config.toml", "");
    assert_eq!(watching.until(&file).await, only(&file));
    dir.dirs(&["tree"]);
    assert_eq!(watching.until(&tree).await, only(&tree));
}

#[tokio::test]
async fn a_large_tree_is_polled_piece_by_piece() {
    let dir = Dir::new();
    for number in 0..40 {
        dir.dirs(&[&format!("large/{number}/sub")]);
    }
    dir.dirs(&["a", "z"]);
    let options = WatchOptions {
        max_polled: 1,
        poll_interval: Duration::from_millis(2),
        ..options(Mechanism::Polling)
    };
    let roots = ["a", "large", "z"].map(|name| WatchRoot::tree(dir.at(name)));
    let mut watching = Watching::start(options, &roots).await;
    for (file, root) in [("large/39/sub/f", "large"), ("z/f", "z"), ("a/f", "a")] {
        dir.write(file, "");
        let root = dir.at(root);
        assert_eq!(watching.until(&root).await, only(&root));
    }
}

#[tokio::test]
async fn watches_that_nobody_needs_are_given_back() {
    let dir = Dir::new();
    let options = options(Mechanism::System);
    let watching = Watching::on(four_watches, options, Disk::new(), &[]).await;
    // The one above the root stays; the others make room for those of the next root.
    for name in ["a", "b", "c", "d"] {
        dir.dirs(&[&format!("{name}/sub")]);
        watching.set(&[WatchRoot::tree(dir.at(name))]).await;
        check_problem(&watching, &[]);
    }
}

/// Watches a directory only after somebody has made another one in it.
struct Late(Box<dyn System>);

impl System for Late {
    fn arm(&mut self, dir: &AbsPath, deep: bool) -> Result<(), ArmError> {
        if dir.file_name() == Some("tree".as_ref()) {
            Disk::new().create_dirs(&dir.join("late/deep")).unwrap();
        }
        self.0.arm(dir, deep)
    }

    fn disarm(&mut self, dir: &AbsPath) {
        self.0.disarm(dir);
    }

    fn works(&self) -> bool {
        self.0.works()
    }
}

fn late(shared: &Arc<Shared>) -> Result<Box<dyn System>, ArmError> {
    Ok(Box::new(Late(crate::native::start(shared)?)))
}

#[tokio::test]
async fn what_is_made_while_the_watches_are_placed_is_watched() {
    let dir = Dir::new();
    dir.dirs(&["tree"]);
    let root = dir.at("tree");
    let roots = [WatchRoot::tree(root.clone())];
    let options = options(Mechanism::System);
    let mut watching = Watching::on(late, options, Disk::new(), &roots).await;
    dir.write("tree/late/deep/file", "");
    assert_eq!(watching.until(&root).await, only(&root));
}

#[tokio::test]
async fn many_roots_share_the_same_directories() {
    let dir = Dir::new();
    dir.dirs(&["a"]);
    let roots: Vec<_> = (0..50)
        .map(|number| WatchRoot::file(dir.at(&format!("a/{number}"))))
        .collect();
    // All fifty need the one directory, and that is watched once.
    let options = options(Mechanism::System);
    let mut watching = Watching::on(four_watches, options, Disk::new(), &roots).await;
    assert_eq!(watching.watcher.problems(), []);
    for number in 0..50 {
        dir.write(&format!("a/{number}"), "");
    }
    let mut told = BTreeSet::new();
    while told.len() < 50 {
        told.extend(watching.next().await);
    }
}
