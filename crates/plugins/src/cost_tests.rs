//! What a request costs: how often it waits for the disk and what it writes, counted.

use std::sync::Arc;

use plugd_disk::OperationKind;
use plugd_model::PluginId;
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use crate::call::Call;
use crate::install::{Step, Target, step};
use crate::install_why::Why;
use crate::{Copies, Lookup, fixture, uninstall};

const FOUR_FILES: &str = r#"
== ch/config.toml
[marketplaces.demo]
source_type = "local"
source = "$ROOT/demo"
== demo/.agents/plugins/marketplace.json
{"name":"demo","plugins":[{"name":"hello","source":"./hello"}]}
== demo/hello/.codex-plugin/plugin.json
{"name":"hello","version":"1.0.0"}
== demo/hello/notes.md
first
== demo/hello/skills/one/SKILL.md
one
== demo/hello/skills/two/SKILL.md
two
"#;

struct Home {
    sandbox: Sandbox,
    probe: Arc<RecordingProbe>,
    lookup: Lookup,
    copies: Copies,
}

impl Home {
    /// One in which the directories that stay are there.
    fn used() -> Self {
        let sandbox = Sandbox::from(FOUR_FILES);
        let probe = RecordingProbe::new();
        let (lookup, copies) = fixture::probed(&sandbox, Arc::<RecordingProbe>::clone(&probe));
        let home = Self {
            sandbox,
            probe,
            lookup,
            copies,
        };
        home.install();
        home.uninstall();
        home
    }

    fn install(&self) {
        let target = Target::Named {
            manifest: self.sandbox.path("demo/.agents/plugins/marketplace.json"),
            plugin: "hello".to_owned(),
        };
        let (call, why) = (Call::detached(), Why::Request);
        let done = step(&call, &self.lookup, &self.copies, &target, why, None);
        assert!(matches!(done.unwrap(), Step::Done(_)));
    }

    fn uninstall(&self) {
        let id = PluginId::parse("hello@demo").unwrap();
        let store = self.copies.store().unwrap();
        uninstall::remove(&Call::detached(), &self.lookup, store, id).unwrap();
    }

    /// What some work did to the disk, in the order of the kinds.
    fn changes(&self, work: fn(&Self)) -> Vec<(OperationKind, usize)> {
        self.probe.reset();
        work(self);
        let counts = self.probe.counts().into_iter();
        counts.filter(|(kind, _)| kind.mutates()).collect()
    }

    /// How often some work waits for the disk.
    fn waits(&self, work: fn(&Self)) -> usize {
        let changes = self.changes(work).into_iter();
        let waits = changes
            .filter(|(kind, _)| matches!(kind, OperationKind::SyncFile | OperationKind::SyncDir));
        waits.map(|(_, count)| count).sum()
    }
}

/// For everything that is written before, and for everything that is put in place.
#[cfg(target_os = "linux")]
#[test]
fn a_transaction_waits_for_the_disk_twice() {
    let home = Home::used();
    assert_eq!(home.waits(Home::install), 2);
    assert_eq!(home.waits(Home::uninstall), 2);
}

#[test]
fn installing_again_what_is_there_writes_nothing() {
    let home = Home::used();
    home.install();
    // The locks, and the name of a configuration that somebody else may just have put there.
    let expected = [(OperationKind::SyncDir, 1), (OperationKind::Lock, 2)];
    assert_eq!(home.changes(Home::install), expected);
}
