//! When a plugin's directories are listed again, counted in operations.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use plugd_disk::{Disk, OperationKind};
use plugd_model::{Layout, RemotePluginId};
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use crate::contents::tests::{JUST_NOW, LATER, store};
use crate::{Store, sidecar};

const HOME: &str = "
== ch/config.toml
== ch/plugins/cache/m/a/1.0.0/notes.md
one
== ch/plugins/cache/m/b/1.0.0/notes.md
one
";
const DIR: &str = "ch/plugins/cache/m/a";
const RECORD: &str = "ch/plugins/.plugd/installed/m/a.json";

struct Case {
    sandbox: Sandbox,
    probe: Arc<RecordingProbe>,
    store: Store,
}

impl Case {
    fn new(ahead: i64) -> Self {
        let (sandbox, probe) = (Sandbox::from(HOME), RecordingProbe::new());
        let store = store(&sandbox, probe.disk(), ahead);
        let case = Self {
            sandbox,
            probe,
            store,
        };
        case.listed();
        case
    }

    /// How many directories of plugins and files were opened for a listing that says what is there.
    fn listed(&self) -> usize {
        self.probe.reset();
        let listed = self.store.list().unwrap();
        let opened = [OperationKind::List, OperationKind::Read];
        let counts = self.probe.counts().into_iter();
        let counts = counts.filter(|(kind, _)| opened.contains(kind));
        let opened: usize = counts.map(|(_, count)| count).sum();
        let fresh = store(&self.sandbox, Disk::new(), JUST_NOW);
        assert_eq!(listed, fresh.list().unwrap());
        // The cache and the marketplace are listed each time.
        opened - 2
    }

    /// A change of the first plugin is seen, and remembered after that.
    #[track_caller]
    fn check(&self, change: impl FnOnce(&Sandbox)) {
        // The store's clock takes all for settled, so changes must not fall into one tick of the system's.
        thread::sleep(Duration::from_millis(20));
        change(&self.sandbox);
        let opened = self.listed();
        assert!((1..5).contains(&opened), "{opened}");
        assert_eq!(self.listed(), 0);
    }
}

#[test]
fn what_nobody_has_touched_is_not_listed_again() {
    let case = Case::new(LATER);
    assert_eq!(case.listed(), 0);
    case.check(|sandbox| sandbox.write(&format!("{DIR}/2.0.0/notes.md"), "two\n"));
    case.check(|sandbox| sandbox.remove(&format!("{DIR}/2.0.0")));
    // The active version is empty, and then it is not.
    case.check(|sandbox| sandbox.remove(&format!("{DIR}/1.0.0/notes.md")));
    case.check(|sandbox| sandbox.write(&format!("{DIR}/1.0.0/notes.md"), "back\n"));
    let mark = format!("{DIR}/{}", Layout::REMOTE_SIDECAR);
    let text = |id: &str| sidecar::text(&RemotePluginId::parse(id).unwrap());
    case.check(|sandbox| sandbox.write(&mark, text("one")));
    // In place, so that the directory says nothing of it.
    case.check(|sandbox| sandbox.write(&mark, text("two")));
    case.check(|sandbox| sandbox.remove(&mark));
}

/// The directories, the active version and the record of each; a mark only where there was one.
#[test]
fn a_mark_that_was_not_there_is_not_looked_for() {
    let case = Case::new(LATER);
    let mark = format!("{DIR}/{}", Layout::REMOTE_SIDECAR);
    case.sandbox
        .write(&mark, sidecar::text(&RemotePluginId::parse("one").unwrap()));
    case.listed();
    case.probe.reset();
    case.store.list().unwrap();
    assert_eq!(case.probe.count(OperationKind::Stat), 3 + 1 + 3);
}

#[test]
fn what_has_something_wrong_with_it_is_looked_at_each_time() {
    let case = Case::new(LATER);
    case.sandbox.write(RECORD, "no record");
    for _ in 0..3 {
        assert!(case.listed() > 0);
    }
    case.check(|sandbox| sandbox.remove(RECORD));
}

#[test]
fn what_has_just_changed_is_not_remembered() {
    let case = Case::new(JUST_NOW);
    let each_time = case.listed();
    assert!(each_time > 0);
    assert_eq!(case.listed(), each_time);
}

#[test]
fn what_hangs_on_a_link_is_not_remembered() {
    let case = Case::new(LATER);
    let away = case.sandbox.path("away");
    case.sandbox.rename(DIR, "away");
    std::os::unix::fs::symlink(away.as_path(), case.sandbox.path(DIR).as_path()).unwrap();
    for _ in 0..3 {
        assert!(case.listed() > 0);
    }
    case.sandbox.write("away/3.0.0/notes.md", "three\n");
    assert!(case.listed() > 0);
}

#[test]
fn a_plugin_that_goes_is_gone() {
    let case = Case::new(LATER);
    case.sandbox.remove(DIR);
    assert_eq!(case.listed(), 0);
    assert_eq!(case.store.list().unwrap().0.len(), 1);
}
