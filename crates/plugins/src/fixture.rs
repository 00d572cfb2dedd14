//! For tests: the parts of a home directory in a sandbox, without anything of the real one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use plugd_catalog::{Access, Account, BaseUrl, Catalog, InstalledSet, LoginMode, Secret};
use plugd_config::SessionFlags;
use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::AbsPath;
use plugd_store::Held;
use plugd_testkit::{RecordingProbe, Sandbox, test_environment, tree};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::{Copies, Lookup, Remote};

/// Sees everything and minds nothing.
struct Nobody;

impl Probe for Nobody {
    fn before(&self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Shows nobody what is in a directory.
pub(crate) struct Closed(pub(crate) AbsPath);

impl Probe for Closed {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        match operation.kind == OperationKind::List && *operation.path == self.0 {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }
}

/// The lookup and the copies of a sandbox.
pub(crate) fn parts(sandbox: &Sandbox) -> (Lookup, Copies) {
    probed(sandbox, Arc::new(Nobody))
}

/// The lookup of a sandbox whose operations a probe sees.
pub(crate) fn probed(sandbox: &Sandbox, probe: Arc<dyn Probe>) -> (Lookup, Copies) {
    let (environment, layout) = (test_environment(sandbox), sandbox.layout());
    let names = Arc::clone(&environment.names);
    let clock = Arc::clone(&environment.clock);
    let disk = Disk::probed(probe);
    let copies = Copies::new(disk.clone(), layout.clone(), names, clock);
    let lookup = Lookup::new(
        disk,
        Arc::new(layout.clone()),
        environment.home.clone(),
        Arc::new(SessionFlags::none()),
        Remote::new(&environment, &layout, &copies),
        Arc::clone(&environment.clock),
    );
    (lookup, copies)
}

/// The lookup of a sandbox.
pub(crate) fn lookup(sandbox: &Sandbox) -> Lookup {
    parts(sandbox).0
}

/// The store's lock as another process holds it.
pub(crate) fn held_by_another(sandbox: &Sandbox) -> Held {
    let (_, other) = parts(sandbox);
    let store = other.store().unwrap();
    store.hold_all(Duration::ZERO).unwrap()
}

/// What transactions have left behind.
pub(crate) fn leftovers(sandbox: &Sandbox) -> String {
    let state = sandbox.layout().state();
    let dirs = ["journal", "staging", "trash"].map(|name| tree(&state.join(name)));
    dirs.concat()
}

/// How many transactions a probe has seen.
pub(crate) fn journals(sandbox: &Sandbox, probe: &RecordingProbe) -> usize {
    let journals = sandbox.layout().journals();
    let operations = probe.operations().into_iter();
    let written = operations.filter(|one| {
        let to = one.other.as_ref().and_then(AbsPath::parent);
        one.kind == OperationKind::Rename && to.as_ref() == Some(&journals)
    });
    written.count()
}

/// Refuses to put anything in some place, so many times.
pub(crate) struct Refusing {
    place: AbsPath,
    left: AtomicUsize,
    after: Duration,
}

impl Refusing {
    pub(crate) fn new(sandbox: &Sandbox, place: &str, times: usize) -> Arc<Self> {
        Self::slowly(sandbox, place, times, Duration::ZERO)
    }

    /// The same, and it takes its time for that.
    pub(crate) fn slowly(
        sandbox: &Sandbox,
        place: &str,
        times: usize,
        after: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            place: sandbox.path(place),
            left: AtomicUsize::new(times),
            after,
        })
    }
}

impl Probe for Refusing {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let is_put = matches!(
            operation.kind,
            OperationKind::Exchange | OperationKind::Rename
        ) && (*operation.path == self.place || operation.other == Some(&self.place));
        let less = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        if is_put && self.left.fetch_update(order, order, less).is_ok() {
            thread::sleep(self.after);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// A plugin of the account, as the service says it.
pub(crate) fn installed_item(name: &str, version: &str, enabled: bool) -> Value {
    json!({
        "id": format!("plugins~{name}"),
        "name": name,
        "scope": "GLOBAL",
        "installation_policy": "AVAILABLE",
        "authentication_policy": "ON_INSTALL",
        "enabled": enabled,
        "release": {
            "version": version,
            "display_name": "Name",
            "description": "Text",
            "interface": {},
        },
    })
}

/// What an account has, as it is kept on the disk, which is how it can be made up here.
pub(crate) fn installed_set(sandbox: &Sandbox, items: &[Value]) -> InstalledSet {
    let base = "https://service.test/backend-api";
    let access = Access {
        base: BaseUrl::new(base, base).unwrap(),
        account: Account {
            access_token: Secret::new("t"),
            account_id: Some("a".to_owned()),
            user_id: None,
            plan: None,
            is_workspace: false,
            is_fedramp: false,
            expires_at: None,
            mode: LoginMode::Chatgpt,
            can_refresh: false,
        },
    };
    let environment = test_environment(sandbox);
    let catalog = Catalog::new(&environment, &sandbox.layout(), &Disk::new());
    let file = catalog.installed_file(&access);
    let text = json!({
        "version": 1, "fetched_at": "2026-01-01T00:00:00Z", "plugins": items,
    });
    Disk::new().create_dirs(&file.parent().unwrap()).unwrap();
    Disk::new()
        .replace(&file, text.to_string().as_bytes(), 0o600)
        .unwrap();
    let set = catalog.saved_installed(&access).value.unwrap();
    assert_eq!(set.problems, Vec::new());
    set
}
