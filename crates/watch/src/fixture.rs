//! A temporary directory, and a watcher over it, for the tests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use plugd_disk::{Disk, Operation, Probe};
use plugd_model::AbsPath;

use crate::native::{self, Start};
use crate::{Exclusions, Hint, Hints, Mechanism, WatchOptions, WatchRoot, Watcher};

/// Longer than any machine needs.
const DEADLINE: Duration = Duration::from_secs(60);

/// A directory whose path has no links.
pub(crate) struct Dir {
    _dir: tempfile::TempDir,
    pub(crate) root: AbsPath,
}

/// A watcher and its listener.
pub(crate) struct Watching {
    pub(crate) watcher: Watcher,
    pub(crate) hints: Hints,
}

impl Dir {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = AbsPath::new(dir.path()).unwrap();
        let root = Disk::new().resolve(&root).unwrap();
        Self { _dir: dir, root }
    }

    pub(crate) fn at(&self, path: &str) -> AbsPath {
        self.root.join(path)
    }

    pub(crate) fn dirs(&self, paths: &[&str]) {
        for path in paths {
            Disk::new().create_dirs(&self.at(path)).unwrap();
        }
    }

    /// Writes in place, or makes the file.
    #[expect(
        clippy::disallowed_methods,
        reason = "people write in place, and this program never does"
    )]
    pub(crate) fn write(&self, path: &str, content: &str) {
        std::fs::write(self.at(path), content).unwrap();
    }

    /// Opens for writing and does not write, as a lock does; and reads.
    #[expect(
        clippy::disallowed_methods,
        reason = "people write in place, and this program never does"
    )]
    pub(crate) fn open(&self, path: &str) {
        let mut options = std::fs::OpenOptions::new();
        drop(options.read(true).write(true).open(self.at(path)).unwrap());
        std::fs::read(self.at(path)).unwrap();
    }

    /// Writes beside and renames over.
    pub(crate) fn replace(&self, path: &str, content: &str) {
        let path = self.at(path);
        Disk::new()
            .replace(&path, content.as_bytes(), 0o600)
            .unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        Disk::new().rename(&self.at(from), &self.at(to)).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        Disk::new().remove_file(&self.at(path)).unwrap();
    }

    pub(crate) fn remove_tree(&self, path: &str) {
        plugd_disk::tree::remove_tree(&Disk::new(), &self.at(path)).unwrap();
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        Disk::new().create_link(&self.at(path), target).unwrap();
    }
}

/// Options that do not let a test wait. Where the system tells, stamps are not looked at within the
/// life of a test, so that they do not make up for what the system should have told.
pub(crate) fn options(mechanism: Mechanism) -> WatchOptions {
    let poll_interval = match mechanism {
        Mechanism::System => Duration::from_secs(3_600),
        Mechanism::Polling => Duration::from_millis(20),
    };
    WatchOptions {
        debounce: Duration::from_millis(20),
        poll_interval,
        mechanism,
        ..WatchOptions::excluding(Exclusions::none())
    }
}

/// The same, for what only stamps can tell.
pub(crate) fn looking(mechanism: Mechanism) -> WatchOptions {
    WatchOptions {
        poll_interval: Duration::from_millis(20),
        ..options(mechanism)
    }
}

impl Watching {
    /// Watches roots, from now on.
    pub(crate) async fn start(options: WatchOptions, roots: &[WatchRoot]) -> Self {
        Self::on(native::start, options, Disk::new(), roots).await
    }

    pub(crate) async fn on(
        start: Start,
        options: WatchOptions,
        disk: Disk,
        roots: &[WatchRoot],
    ) -> Self {
        let (watcher, hints) = Watcher::on(start, options, disk);
        let watching = Self { watcher, hints };
        watching.set(roots).await;
        watching
    }

    pub(crate) async fn set(&self, roots: &[WatchRoot]) {
        self.watcher.set(roots).unwrap();
        soon(self.watcher.settled()).await;
    }

    /// The next hint as roots.
    pub(crate) async fn next(&mut self) -> BTreeSet<AbsPath> {
        match soon(self.hints.next()).await {
            Some(Hint::Roots(roots)) => roots,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until a root has been told, and gives everything that was told until then.
    pub(crate) async fn until(&mut self, path: &AbsPath) -> BTreeSet<AbsPath> {
        let mut told = BTreeSet::new();
        while !told.contains(path) {
            told.extend(self.next().await);
        }
        told
    }
}

/// Waits for what has to come.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it did not come")
}

/// A disk that tells when the last one who uses it is gone.
pub(crate) fn disk_with_end() -> (Disk, tokio::sync::oneshot::Receiver<()>) {
    let (sender, ended) = tokio::sync::oneshot::channel();
    (Disk::probed(Arc::new(End(Some(sender)))), ended)
}

struct End(Option<tokio::sync::oneshot::Sender<()>>);

impl Probe for End {
    fn before(&self, _operation: &Operation<'_>) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(());
        }
    }
}
