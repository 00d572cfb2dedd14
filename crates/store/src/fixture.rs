//! A home with a store for the tests of this crate.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use plugd_disk::tree::{AtEase, Limits};
use plugd_disk::{Disk, Operation, Probe, Unsynced};
use plugd_model::{AbsPath, PluginId, RemotePluginId, Source, VersionSegment};
use plugd_testkit::{CountingNames, ManualClock, Sandbox, TEST_TIME, tree};
use serde_json::{Value, json};

use crate::{
    ActivatedInstall, BoundSource, ConfigUndo, Installed, InstalledBy, NewInstall, Pin, PinChange,
    Provenance, ReadyInstall, Retention, StagedInstall, Store, StoreError, UndoError,
};

/// Nobody waits in these tests.
pub(crate) const NO_PATIENCE: Duration = Duration::ZERO;

/// The file that stands for configuration.
const CONFIG: &str = "ch/config";

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    names: Arc<CountingNames>,
    pub(crate) clock: Arc<ManualClock>,
}

impl World {
    /// A home without plugins, and four versions of one plugin outside.
    pub(crate) fn new() -> Self {
        Self::at(Sandbox::new())
    }

    /// The same in memory, for tests of very many worlds.
    pub(crate) fn in_memory() -> Self {
        Self::at(Sandbox::in_memory())
    }

    fn at(sandbox: Sandbox) -> Self {
        sandbox.add(
            "== ch/config\n-\n\
             == one/plugin.json\n1\n== one/only-in-one\nx\n== one/run (mode 755)\nrun\n\
             == two/plugin.json\n2\n== two/sub/only-in-two\ny\n\
             == three/plugin.json\n3\n== four/plugin.json\n4\n",
        );
        Self {
            sandbox,
            names: Arc::default(),
            clock: Arc::new(ManualClock::at(TEST_TIME)),
        }
    }

    /// A store of its own, as another process would have it.
    pub(crate) fn store(&self) -> Store {
        self.store_on(Disk::new())
    }

    pub(crate) fn store_on(&self, disk: Disk) -> Store {
        let undo = OneFile {
            disk: disk.clone(),
            path: self.sandbox.path(CONFIG),
        };
        Store::new(
            disk,
            self.sandbox.layout(),
            Arc::<CountingNames>::clone(&self.names),
            Arc::<ManualClock>::clone(&self.clock),
            Arc::new(undo),
        )
    }

    pub(crate) fn config(&self) -> String {
        self.sandbox.text(CONFIG).trim().to_owned()
    }

    /// What a caller writes down before it edits the configuration.
    pub(crate) fn note(&self, text: &str) -> Value {
        json!({"before": self.sandbox.text(CONFIG), "wrote": text})
    }

    pub(crate) fn edit_config(&self, store: &Store, text: &str) -> Result<(), StoreError> {
        let path = self.sandbox.path(CONFIG);
        Ok(store.disk().replace(&path, text.as_bytes(), 0o644)?)
    }

    pub(crate) fn stage(&self, store: &Store, source: &str) -> Result<StagedInstall, StoreError> {
        let source = self.sandbox.path(source);
        store
            .begin(&id())?
            .stage(&source, &Limits::INSTALL, &[], &AtEase)
    }

    pub(crate) fn activate(
        &self,
        store: &Store,
        source: &str,
        version: &str,
    ) -> Result<ActivatedInstall, StoreError> {
        let seen = store.seen(&id())?;
        let new = self.new_install(source, version);
        self.stage(store, source)?
            .activate(new, &seen, &retention(2), NO_PATIENCE)
    }

    /// The same, with a note of an edit that is made next.
    pub(crate) fn activate_noting(
        &self,
        store: &Store,
        source: &str,
        version: &str,
        note: &str,
    ) -> Result<ActivatedInstall, StoreError> {
        let seen = store.seen(&id())?;
        let new = self.new_install(source, version);
        let ready = self
            .stage(store, source)?
            .ready(new, &seen, &retention(2))?;
        let mut locked = ready.lock(NO_PATIENCE)?;
        locked.note_config(self.note(note));
        locked.activate()
    }

    /// A whole installation as a caller does it.
    pub(crate) fn install(
        &self,
        store: &Store,
        source: &str,
        version: &str,
    ) -> Result<Installed, StoreError> {
        let active = self.activate_noting(store, source, version, "on")?;
        self.edit_config(store, "on")?;
        active.commit()
    }

    /// A whole installation from the hosted catalog, which leaves configuration alone.
    pub(crate) fn install_remote(
        &self,
        store: &Store,
        source: &str,
        version: &str,
        remote: &str,
    ) -> Result<Installed, StoreError> {
        let seen = store.seen(&id())?;
        let new = NewInstall {
            bound: BoundSource::Remote {
                id: remote_id(remote),
            },
            source: Source::Remote,
            remote_id: Some(remote_id(remote)),
            ..self.new_install(source, version)
        };
        let staged = self.stage(store, source)?;
        let active = staged.activate(new, &seen, &retention(2), NO_PATIENCE)?;
        active.commit()
    }

    /// Brings a kept version back and pins it, in one step. One that is there stays.
    pub(crate) fn roll_back(&self, store: &Store, to: &str) -> Result<(), StoreError> {
        let seen = store.seen(&id())?;
        let kept = store.kept_versions(&id())?;
        let found = kept
            .into_iter()
            .find(|(kept, _)| kept.version.as_str() == to);
        let Some((kept, _)) = found else {
            return Ok(());
        };
        let pin = Pin {
            version: kept.version.clone(),
            commit: None,
            tree_digest: Some(kept.tree_digest),
            locks: Vec::new(),
        };
        let new = NewInstall {
            pin: PinChange::Set(pin),
            ..self.new_install("one", to)
        };
        let staged = store.begin(&id())?.stage_kept(&kept, &AtEase)?;
        let active = staged.activate(new, &seen, &retention(2), NO_PATIENCE)?;
        active.commit().map(drop)
    }

    /// A whole uninstallation as a caller does it.
    pub(crate) fn uninstall(&self, store: &Store) -> Result<(), StoreError> {
        let mut pending = store.uninstall(&id(), NO_PATIENCE)?;
        pending.journal_config(self.note("off"), Unsynced::default())?;
        self.edit_config(store, "off")?;
        pending.commit(&BTreeSet::new())?;
        Ok(())
    }

    /// A copy of any plugin, ready to take its place.
    pub(crate) fn ready(
        &self,
        store: &Store,
        id: &PluginId,
        source: &str,
        version: &str,
    ) -> Result<ReadyInstall, StoreError> {
        let transaction = store.begin(id)?;
        let path = self.sandbox.path(source);
        let staged = transaction.stage(&path, &Limits::INSTALL, &[], &AtEase)?;
        let (new, seen) = (self.new_install(source, version), store.seen(id)?);
        staged.ready(new, &seen, &retention(2))
    }

    /// A second plugin, which leaves configuration alone.
    pub(crate) fn install_other(&self, store: &Store) -> Result<(), StoreError> {
        let ready = self.ready(store, &other(), "four", "4")?;
        ready.lock(NO_PATIENCE)?.activate()?.commit().map(drop)
    }

    /// Both plugins in one transaction.
    pub(crate) fn install_together(&self, store: &Store) -> Result<(), StoreError> {
        let first = self.ready(store, &id(), "two", "2.0.0")?;
        let second = self.ready(store, &other(), "three", "3.0.0")?;
        let held = store.hold_all(NO_PATIENCE)?;
        let locked = store.lock_together(held, first, vec![second]);
        let mut locked = locked.map_err(|refused| refused.source)?;
        locked.note_config(self.note("both"));
        let active = locked.activate()?;
        self.edit_config(store, "both")?;
        for installed in active.commit_all()? {
            installed?;
        }
        Ok(())
    }

    /// Both plugins, and one that is not installed, in one transaction.
    pub(crate) fn uninstall_together(&self, store: &Store) -> Result<(), StoreError> {
        let absent = PluginId::parse("absent@demo").unwrap();
        let held = store.hold_all(NO_PATIENCE)?;
        let mut pending = store.uninstall_together(held, &[&id(), &absent, &other()])?;
        pending.journal_config(self.note("off"), Unsynced::default())?;
        self.edit_config(store, "off")?;
        let removed = pending.commit(&BTreeSet::new())?;
        let found: Vec<_> = removed.iter().map(|one| one.record.is_some()).collect();
        assert_eq!(
            found,
            removed
                .iter()
                .map(|one| one.was_present)
                .collect::<Vec<_>>()
        );
        Ok(())
    }

    pub(crate) fn new_install(&self, source: &str, version: &str) -> NewInstall {
        NewInstall {
            version: self::version(version),
            bound: BoundSource::Manifest(self.sandbox.path("marketplace.json")),
            source: Source::Local {
                path: self.sandbox.path(source),
            },
            commit: None,
            by: InstalledBy::Request,
            pin: PinChange::Keep,
            remote_id: None,
            repaired_from: None,
        }
    }

    /// Everything that a reader or a user sees, without what differs from world to world.
    pub(crate) fn state(&self) -> String {
        let seen = match self.store().get(&id()).unwrap() {
            None => "not installed".to_owned(),
            Some(installed) => {
                let record = installed.record.as_ref();
                format!(
                    "{} {:?} by {:?} with {:?}, pin {:?}, problems {:?}",
                    installed.version,
                    installed.provenance,
                    record.map(|record| record.by),
                    record.map(|record| record.tree_digest.to_string()),
                    record.and_then(|record| record.pin.as_ref()),
                    installed.problems,
                )
            }
        };
        let records = self.sandbox.path("ch/plugins/.plugd/installed");
        let records = tree(&records)
            .lines()
            .filter(|line| line.starts_with("== ") && line.ends_with(".json"))
            .count();
        // An empty directory of a marketplace means nothing and may stay.
        let cache = tree(&self.sandbox.layout().cache()).replace("== demo/\n", "");
        let config = self.config();
        format!("{cache}\n{seen}\nrecords {records}\nconfig {config}")
    }

    /// The kept versions whose trees are there.
    pub(crate) fn kept(&self) -> Vec<String> {
        let kept = self.store().kept_versions(&id()).unwrap();
        kept.iter()
            .map(|(kept, _)| kept.version.to_string())
            .collect()
    }

    /// How many trees lie there that no record names.
    pub(crate) fn unused_trees(&self) -> usize {
        self.store().unused_trees(&BTreeSet::new()).unwrap().len()
    }

    /// The names among the trees.
    pub(crate) fn trees(&self) -> Vec<String> {
        self.names_in("trees")
    }

    /// The files of leases, of the living and of the dead.
    pub(crate) fn leases(&self) -> Vec<String> {
        self.names_in("leases")
    }

    fn names_in(&self, name: &str) -> Vec<String> {
        let dir = self.sandbox.path("ch/plugins/.plugd").join(name);
        let entries = Disk::new().list(&dir).unwrap_or_default();
        let names = entries.into_iter();
        names
            .map(|entry| entry.name.into_string().unwrap())
            .collect()
    }

    /// What transactions have left behind.
    pub(crate) fn leftovers(&self) -> String {
        ["journal", "staging", "trash"]
            .iter()
            .map(|name| tree(&self.sandbox.path("ch/plugins/.plugd").join(name)))
            .collect()
    }
}

/// Configuration that is the one text of one file.
pub(crate) struct OneFile {
    pub(crate) disk: Disk,
    pub(crate) path: AbsPath,
}

impl OneFile {
    fn is(&self, note: &Value, name: &str) -> Result<bool, UndoError> {
        let text = note[name].as_str().unwrap();
        Ok(self.disk.read(&self.path, 100)? == text.as_bytes())
    }
}

impl ConfigUndo for OneFile {
    fn undo(&self, note: &Value) -> Result<(), UndoError> {
        if self.is(note, "wrote")? {
            let before = note["before"].as_str().unwrap().as_bytes();
            self.disk.replace(&self.path, before, 0o644)?;
        }
        Ok(())
    }

    fn is_made(&self, note: &Value, unsynced: &mut Unsynced) -> Result<bool, UndoError> {
        unsynced.dir(self.path.parent().unwrap());
        Ok(note["before"] == note["wrote"] || !self.is(note, "before")?)
    }
}

/// A file system that does something of its own in front of operations, or refuses them.
pub(crate) fn hooked(
    hook: impl Fn(&Operation<'_>) -> io::Result<()> + Send + Sync + 'static,
) -> Disk {
    struct Hook<F>(F);
    impl<F: Fn(&Operation<'_>) -> io::Result<()> + Send + Sync> Probe for Hook<F> {
        fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
            (self.0)(operation)
        }
    }
    Disk::probed(Arc::new(Hook(hook)))
}

pub(crate) fn id() -> PluginId {
    PluginId::parse("hello@demo").unwrap()
}

pub(crate) fn other() -> PluginId {
    PluginId::parse("other@demo").unwrap()
}

pub(crate) fn remote_id(text: &str) -> RemotePluginId {
    RemotePluginId::parse(text).unwrap()
}

pub(crate) fn version(text: &str) -> VersionSegment {
    VersionSegment::new(text).unwrap()
}

/// The copy that a reader finds.
pub(crate) fn installed(store: &Store) -> Installed {
    store.get(&id()).unwrap().unwrap()
}

pub(crate) fn retention(keep: usize) -> Retention {
    Retention {
        keep,
        protected: BTreeSet::new(),
    }
}

pub(crate) fn is_recorded(installed: &Installed) -> bool {
    installed.provenance == Provenance::Recorded
}
