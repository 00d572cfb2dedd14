//! What costs no look any more, and what ends that. Operations are counted, not timed.
#![expect(
    clippy::disallowed_methods,
    reason = "other programs change files in ways that disk has not"
)]

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugd_disk::{Disk, Operation, Probe};
use plugd_model::AbsPath;
use pretty_assertions::assert_eq;

use crate::Loader;

#[derive(Default)]
struct Counter(AtomicUsize);

impl Probe for Counter {
    fn before(&self, _: &Operation<'_>) -> io::Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Plugins in a directory, and a loader that was asked for all of them until they are vouched for.
struct Bench {
    dir: tempfile::TempDir,
    counter: Arc<Counter>,
    loader: Loader,
}

const MANIFEST: &str = ".codex-plugin/plugin.json";

fn manifest(description: &str) -> String {
    format!("{{\"name\":\"a\",\"description\":\"{description}\"}}")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

impl Bench {
    fn new(plugins: &[&str]) -> Self {
        let counter = Arc::new(Counter::default());
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
            loader: Loader::new(Disk::probed(counter.clone())),
            counter,
        };
        for plugin in plugins {
            write(&bench.path(plugin).join(MANIFEST), &manifest("one"));
        }
        for _ in 0..3 {
            bench.descriptions(plugins);
        }
        bench
    }

    fn path(&self, plugin: &str) -> std::path::PathBuf {
        // Where a link leads to the place of temporary files, reading takes more operations.
        let dir = fs::canonicalize(self.dir.path()).unwrap();
        dir.join("plugins").join(plugin)
    }

    /// What a request finds in these plugins. Behind it, plugins are put under watch.
    fn descriptions(&self, plugins: &[&str]) -> Vec<String> {
        let glance = self.loader.glance();
        let of = |plugin: &&str| {
            let root = AbsPath::new(self.path(plugin)).unwrap();
            let found = match glance.untouched(&root) {
                Some(found) => Ok(Some(found)),
                None => glance.plugin(&root),
            };
            match found {
                Ok(Some(found)) => found.value.description.clone().unwrap_or_default(),
                Ok(None) => "none".to_owned(),
                Err(problem) => problem.kind.word().to_owned(),
            }
        };
        let found = plugins.iter().map(of).collect();
        while self.loader.watch_due(2) {}
        found
    }

    fn operations(&self, work: impl FnOnce()) -> usize {
        let before = self.counter.0.load(Ordering::Relaxed);
        work();
        self.counter.0.load(Ordering::Relaxed) - before
    }
}

/// A change is seen at the next request, the plugin is vouched for again soon, and its neighbour never
/// stopped to be.
#[track_caller]
fn check(change: impl FnOnce(&Path), expected: &str) {
    let bench = Bench::new(&["a", "b"]);
    change(&bench.path("a"));
    assert_eq!(bench.descriptions(&["a", "b"]), [expected, "one"]);
    assert_eq!(bench.descriptions(&["a", "b"]), [expected, "one"]);
    assert_eq!(bench.descriptions(&["a", "b"]), [expected, "one"]);
    let again = || assert_eq!(bench.descriptions(&["b"]), ["one"]);
    assert_eq!(bench.operations(again), 1);
}

#[test]
fn unchanged_plugins_cost_one_look_together() {
    let bench = Bench::new(&["a", "b", "c"]);
    let ask = || drop(bench.descriptions(&["a", "b", "c"]));
    assert_eq!(bench.operations(ask), 1);
}

#[test]
fn a_plugin_that_nobody_asks_for_again_is_not_watched() {
    let bench = Bench::new(&[]);
    write(&bench.path("a").join(MANIFEST), &manifest("one"));
    // As a loader without a glance: a look at the place in front of it, and a reading.
    let ask = || drop(bench.descriptions(&["a"]));
    assert_eq!(bench.operations(ask), 2);
    assert!(bench.loader.vouched.lock().is_empty());
    // The second request leaves the note, the third finds it done.
    let in_vain = bench.operations(ask);
    assert!(in_vain > 4, "{in_vain}");
    assert_eq!(bench.operations(ask), 1);
}

#[test]
fn nobody_waits_for_a_first_watch_to_begin() {
    let bench = Bench::new(&[]);
    let roots = ["a", "b", "c"].map(|plugin| AbsPath::new(bench.path(plugin)).unwrap());
    for plugin in ["a", "b", "c"] {
        write(&bench.path(plugin).join(MANIFEST), &manifest("one"));
    }
    let look = || {
        let glance = bench.loader.glance();
        for root in &roots {
            assert_eq!(glance.untouched(root), None);
            assert!(glance.plugin(root).unwrap().is_some());
        }
    };
    // A reading, and then three looks each, however often that is asked.
    look();
    for _ in 0..3 {
        assert_eq!(bench.operations(look), 9);
    }
    assert!(bench.loader.watch_due(2));
    assert!(!bench.loader.watch_due(2));
    assert!(!bench.loader.has_due());
    let glance = bench.loader.glance();
    assert!(roots.iter().all(|root| glance.untouched(root).is_some()));
}

#[test]
fn what_was_told_of_is_read_and_watched_again_at_once() {
    let bench = Bench::new(&["a"]);
    let root = AbsPath::new(bench.path("a")).unwrap();
    for text in ["two", "six", "ten"] {
        // The same size, so that within one tick the stamp says nothing.
        write(&bench.path("a").join(MANIFEST), &manifest(text));
        let glance = bench.loader.glance();
        assert_eq!(glance.untouched(&root), None);
        let found = glance.plugin(&root).unwrap().unwrap();
        assert_eq!(found.value.description.as_deref(), Some(text));
        assert_eq!(bench.loader.glance().untouched(&root), Some(found));
        assert!(!bench.loader.has_due());
    }
}

#[test]
fn every_change_is_seen_at_once() {
    check(|_| {}, "one");
    check(|root| write(&root.join("notes.md"), "x"), "one");
    check(|root| write(&root.join(MANIFEST), &manifest("two")), "two");
    let replaced = |root: &Path| {
        write(&root.join("new"), &manifest("two"));
        fs::rename(root.join("new"), root.join(MANIFEST)).unwrap();
    };
    check(replaced, "two");
    check(|root| fs::remove_file(root.join(MANIFEST)).unwrap(), "none");
    check(|root| fs::remove_dir_all(root).unwrap(), "none");
    let in_front = |root: &Path| {
        let text = r#"{"$schema":"https://agent-plugins.org/schemas/1.0.0/plugin.schema.json",
                       "name":"a","description":"front"}"#;
        write(&root.join("plugin.json"), text);
    };
    check(in_front, "front");
    let link = |root: &Path| {
        fs::rename(root.join(MANIFEST), root.join("p.json")).unwrap();
        std::os::unix::fs::symlink("../p.json", root.join(MANIFEST)).unwrap();
    };
    check(link, "notAFile");
}

#[test]
fn the_way_to_a_plugin_may_change() {
    let exchanged = |root: &Path| {
        let (other, away) = (root.with_file_name("x"), root.with_file_name("y"));
        write(&other.join(MANIFEST), &manifest("two"));
        fs::rename(root, away).unwrap();
        fs::rename(other, root).unwrap();
    };
    check(exchanged, "two");
    let bench = Bench::new(&["a"]);
    let plugins = bench.dir.path().join("plugins");
    fs::rename(&plugins, bench.dir.path().join("away")).unwrap();
    assert_eq!(bench.descriptions(&["a"]), ["none"]);
    write(&bench.path("a").join(MANIFEST), &manifest("two"));
    assert_eq!(bench.descriptions(&["a"]), ["two"]);
    // And back again, by a link.
    fs::rename(&plugins, bench.dir.path().join("second")).unwrap();
    std::os::unix::fs::symlink(bench.dir.path().join("away"), &plugins).unwrap();
    assert_eq!(bench.descriptions(&["a"]), ["one"]);
}

#[test]
fn what_comes_back_is_vouched_for_again() {
    let bench = Bench::new(&["a"]);
    for _ in 0..2 {
        fs::remove_dir_all(bench.path("a")).unwrap();
        for _ in 0..3 {
            assert_eq!(bench.descriptions(&["a"]), ["none"]);
        }
        write(&bench.path("a").join(MANIFEST), &manifest("two"));
        for _ in 0..3 {
            assert_eq!(bench.descriptions(&["a"]), ["two"]);
        }
        let again = || assert_eq!(bench.descriptions(&["a"]), ["two"]);
        assert_eq!(bench.operations(again), 1);
    }
}

#[test]
fn what_may_not_be_reached_is_not_untouched() {
    let bench = Bench::new(&["a"]);
    let plugins = bench.dir.path().join("plugins");
    for mode in [0o000, 0o600, 0o755] {
        fs::set_permissions(&plugins, fs::Permissions::from_mode(mode)).unwrap();
        // An administrator reaches everything, so this is told by whoever has not asked before.
        let root = AbsPath::new(bench.path("a")).unwrap();
        let fresh = Loader::new(Disk::new()).plugin(&root);
        let warm = bench.loader.glance().untouched(&root);
        assert_eq!(warm.is_some(), fresh.is_ok(), "{mode:o}");
    }
}

#[test]
fn a_rewrite_with_the_same_stamp_is_seen() {
    let bench = Bench::new(&["a"]);
    for number in 0..200 {
        let text = format!("{number:03}");
        // As quickly as it goes: the same inode, the same size, and often the same tick.
        write(&bench.path("a").join(MANIFEST), &manifest(&text));
        assert_eq!(bench.descriptions(&["a"]), [text]);
    }
}

#[test]
fn a_link_is_not_untouched() {
    let bench = Bench::new(&["a"]);
    std::os::unix::fs::symlink(bench.path("a"), bench.path("link")).unwrap();
    for _ in 0..3 {
        assert_eq!(bench.descriptions(&["link"]), ["one"]);
    }
    let root = AbsPath::new(bench.path("link")).unwrap();
    assert_eq!(bench.loader.glance().untouched(&root), None);
}
