//! When content is read again, counted in operations, and what of a directory counts.

use std::sync::Arc;
use std::time::Duration;

use plugd_disk::tree::{AtEase, Limits};
use plugd_disk::{Disk, OperationKind};
use plugd_model::{AbsPath, Clock, PluginId, PluginPath};
use plugd_testkit::{CountingNames, RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use crate::Store;
use crate::fixture::{OneFile, World};

/// Real file times against a clock that runs ahead of them, or behind: then all of them have just
/// changed, however long a test takes.
struct Shifted(i64);

/// Files were written a minute ago.
pub(crate) const LATER: i64 = 60;
/// Files have just been written.
pub(crate) const JUST_NOW: i64 = -60;

impl Clock for Shifted {
    fn now(&self) -> Duration {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let by = Duration::from_secs(self.0.unsigned_abs());
        match self.0 {
            0.. => since.unwrap() + by,
            _ => since.unwrap() - by,
        }
    }
}

struct Case {
    sandbox: Sandbox,
    probe: Arc<RecordingProbe>,
    store: Store,
}

pub(crate) fn store(sandbox: &Sandbox, disk: Disk, ahead: i64) -> Store {
    let config = OneFile {
        disk: disk.clone(),
        path: sandbox.path("ch/config"),
    };
    Store::new(
        disk,
        sandbox.layout(),
        Arc::new(CountingNames::default()),
        Arc::new(Shifted(ahead)),
        Arc::new(config),
    )
}

fn case(ahead: i64) -> Case {
    let sandbox = Sandbox::from("== p/a.md\none\n== p/b.md\ntwo\n");
    let probe = RecordingProbe::new();
    let store = store(&sandbox, probe.disk(), ahead);
    Case {
        sandbox,
        probe,
        store,
    }
}

impl Case {
    /// How many files are read for the digest.
    fn reads(&self) -> u64 {
        self.probe.reset();
        let source = self.sandbox.path("p");
        let digest = self.store.source_digest(&source, &AtEase).unwrap();
        let reads = self.probe.count(OperationKind::Read);
        let fresh = store(&self.sandbox, Disk::new(), JUST_NOW);
        assert_eq!(digest, fresh.source_digest(&source, &AtEase).unwrap());
        u64::try_from(reads).unwrap()
    }
}

#[test]
fn content_is_read_once_and_again_after_a_change() {
    let case = case(LATER);
    assert_eq!(case.reads(), 2);
    assert_eq!(case.reads(), 0);
    case.sandbox.write("p/a.md", "one more\n");
    assert_eq!(case.reads(), 2);
    assert_eq!(case.reads(), 0);
    case.sandbox.remove("p/b.md");
    assert_eq!(case.reads(), 1);
}

#[test]
fn what_has_just_changed_is_not_remembered() {
    let case = case(JUST_NOW);
    assert_eq!(case.reads(), 2);
    assert_eq!(case.reads(), 2);
}

#[test]
fn how_long_just_is_depends_on_the_clock_of_the_file_system() {
    let seconds = 1_000_000_000;
    // Whole seconds, milliseconds, and what ext4, btrfs, xfs and APFS write.
    for (change, after) in [
        (7 * seconds, 2_000),
        (7 * seconds + 250_000_000, 2_000),
        (7 * seconds + 250_123_456, 100),
    ] {
        let change_at = Duration::from_nanos(change);
        let settled = |later| super::is_settled(change.into(), change_at + later);
        let after = Duration::from_millis(after);
        assert!(!settled(after) && settled(after + Duration::from_nanos(1)));
    }
}

/// What is replaced is kept under its digest; whoever has compared it knows that already.
#[test]
fn a_copy_that_was_read_is_read_again_to_be_replaced_only_when_it_has_changed() {
    let case = case(LATER);
    case.sandbox.add("== copies/1.0.0/a.md\none\n");
    let copies = case.sandbox.path("copies");
    let replaced = || {
        case.probe.reset();
        let [old] = <[_; 1]>::try_from(case.store.versions_in(&copies, || None).unwrap()).unwrap();
        (old.tree_digest, case.probe.count(OperationKind::Read))
    };
    let content = case.store.content(&copies.join("1.0.0"), &AtEase).unwrap();
    assert_eq!(replaced(), (content.digest, 0));
    case.sandbox.write("copies/1.0.0/a.md", "mine\n");
    let (digest, reads) = replaced();
    assert!(digest != content.digest && reads == 1);
}

#[test]
fn what_was_copied_is_not_read_again_and_what_was_fetched_is_not_remembered() {
    let case = case(LATER);
    let id = PluginId::parse("p@m").unwrap();
    let staged = |source: Option<AbsPath>| {
        let transaction = case.store.begin(&id).unwrap();
        let source = source.unwrap_or_else(|| {
            let fetched = transaction.fetch_dir().unwrap().clone();
            let disk = case.store.disk();
            disk.write_unsynced(&fetched.join("a.md"), b"one\n", 0o644)
                .unwrap();
            fetched
        });
        let staged = transaction.stage(&source, &Limits::INSTALL, &[], &AtEase);
        (source, staged.unwrap().tree().source_digest)
    };
    let (source, digest) = staged(Some(case.sandbox.path("p")));
    case.probe.reset();
    assert_eq!(case.store.source_digest(&source, &AtEase).unwrap(), digest);
    assert_eq!(case.probe.count(OperationKind::Read), 0);
    let (fetched, _) = staged(None);
    assert!(case.store.inner.contents.lock().contains_key(&source));
    assert!(!case.store.inner.contents.lock().contains_key(&fetched));
}

#[test]
fn what_an_installation_makes_itself_is_no_part_of_a_source() {
    let world = World::new();
    let store = world.store();
    let source = world.sandbox.path("one");
    let bare = store.source_digest(&source, &AtEase).unwrap();
    let shipped = ".codex-plugin/migrated-command-skills";
    world
        .sandbox
        .write(&format!("one/{shipped}/a/SKILL.md"), "shipped");
    assert_eq!(store.source_digest(&source, &AtEase).unwrap(), bare);
    assert_ne!(store.whole_digest(&source, &AtEase).unwrap(), bare);
    let mut staged = world.stage(&store, "one").unwrap();
    let tree = staged.tree().clone();
    assert_eq!((tree.source_digest, tree.tree_digest), (bare, bare));
    assert_eq!(tree.left_out[0].path, Some(source.join(shipped)));
    assert_eq!(tree.left_out.len(), 1);
    // So the installation has the place to itself, and what it puts there counts for the copy.
    let made = PluginPath::parse(&format!("./{shipped}/a/SKILL.md")).unwrap();
    let made = (made, b"made".to_vec());
    staged.add_files(&[made], 0o644).unwrap();
    let (root, digest) = (staged.tree().root.clone(), staged.tree().tree_digest);
    assert_ne!(digest, bare);
    assert_eq!(store.whole_digest(&root, &AtEase).unwrap(), digest);
}
