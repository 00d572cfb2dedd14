//! The system's own messages about files.
//!
//! Invariants:
//! - Reading is no news. Whoever answers a hint by reading would otherwise cause the next one.
//! - Opening a file for writing is none either: that is how locks are taken. The write itself is.
//! - Nothing that goes wrong in the library behind it takes this process with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use notify::event::{EventKind, ModifyKind};
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use plugd_model::AbsPath;

use crate::shared::{Shared, Sort};

/// Whether a new watch interrupts the others for a moment, in which messages are lost.
pub(crate) const NEW_WATCHES_INTERRUPT: bool = cfg!(target_os = "macos");

/// Whether the system tells of single files and directories at all.
const EXISTS: bool = cfg!(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    windows
));

/// A way to be told of changes in directories.
pub(crate) trait System: Send {
    /// Watches a directory, with everything below it when `deep`.
    fn arm(&mut self, dir: &AbsPath, deep: bool) -> Result<(), ArmError>;

    /// Ends that; a watch that is void already is fine.
    fn disarm(&mut self, dir: &AbsPath);

    /// Whether it still sends messages.
    fn works(&self) -> bool;
}

/// Makes a system that sends its messages to the shared state.
pub(crate) type Start = fn(&Arc<Shared>) -> Result<Box<dyn System>, ArmError>;

/// Why a directory is not watched by the system.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArmError {
    /// It is gone.
    #[error("the directory is gone")]
    Gone,
    /// Nobody may see what is in it.
    #[error("the directory may not be listed")]
    Denied,
    /// The system refuses, mostly because its watches have run out.
    #[error("the system does not watch more files")]
    Refused {
        /// The reason of the library.
        #[source]
        source: notify::Error,
    },
    /// There is no such thing here.
    #[error("this system cannot watch files")]
    Unsupported,
    /// The library has failed.
    #[error("watching has failed")]
    Failed,
}

/// The watches of the operating system.
struct Native {
    /// Nothing after the library has failed.
    watcher: Option<RecommendedWatcher>,
}

/// Starts watching nothing. The library runs a thread of its own from here to the drop.
pub(crate) fn start(shared: &Arc<Shared>) -> Result<Box<dyn System>, ArmError> {
    if !EXISTS {
        return Err(ArmError::Unsupported);
    }
    let target = Arc::clone(shared);
    let told = move |event: notify::Result<Event>| tell(&target, event);
    let config = Config::default().with_follow_symlinks(false);
    let watcher = RecommendedWatcher::new(told, config).map_err(refused)?;
    Ok(Box::new(Native {
        watcher: Some(watcher),
    }))
}

fn tell(shared: &Shared, event: notify::Result<Event>) {
    // An error is about the stream of messages, so some of them may be missing.
    let Ok(event) = event else {
        return shared.overflow();
    };
    if event.need_rescan() {
        return shared.overflow();
    }
    let Some(sort) = sort(event.kind) else {
        return;
    };
    shared.seen(sort, event.paths.iter().map(|path| path.as_path()));
}

fn sort(kind: EventKind) -> Option<Sort> {
    match kind {
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Data(_)) => Some(Sort::Content),
        // A rename may be told from either side; a path that is not gone is only armed again.
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => Some(Sort::Gone),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Other => {
            Some(Sort::Shape)
        }
    }
}

impl Native {
    /// The library talks to its thread and panics when that is gone; its destructor does the same,
    /// so after a panic it is left alone.
    fn ask<T>(&mut self, question: impl FnOnce(&mut RecommendedWatcher) -> T) -> Option<T> {
        let mut watcher = self.watcher.take()?;
        match catch_unwind(AssertUnwindSafe(|| question(&mut watcher))) {
            Ok(answer) => {
                self.watcher = Some(watcher);
                Some(answer)
            }
            Err(_) => {
                std::mem::forget(watcher);
                None
            }
        }
    }
}

impl System for Native {
    fn arm(&mut self, dir: &AbsPath, deep: bool) -> Result<(), ArmError> {
        let mode = if deep {
            RecursiveMode::Recursive
        } else {
            RecursiveMode::NonRecursive
        };
        let path: &Path = dir.as_path();
        match self.ask(|watcher| watcher.watch(path, mode)) {
            Some(answer) => answer.map_err(refused),
            None => Err(ArmError::Failed),
        }
    }

    fn disarm(&mut self, dir: &AbsPath) {
        // The only refusal is that there is no such watch.
        let _ = self.ask(|watcher| watcher.unwatch(dir.as_path()));
    }

    fn works(&self) -> bool {
        self.watcher.is_some()
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let watcher = self.watcher.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(watcher)));
    }
}

fn refused(source: notify::Error) -> ArmError {
    match &source.kind {
        ErrorKind::PathNotFound => ArmError::Gone,
        ErrorKind::Io(reason) => match reason.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ArmError::Gone,
            std::io::ErrorKind::PermissionDenied => ArmError::Denied,
            _ => ArmError::Refused { source },
        },
        _ => ArmError::Refused { source },
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{
        AccessKind, AccessMode, CreateKind, DataChange, EventKind, MetadataKind, ModifyKind,
        RemoveKind, RenameMode,
    };
    use pretty_assertions::assert_eq;

    use super::sort;
    use crate::shared::Sort;

    #[test]
    fn reading_and_locking_are_no_news() {
        for kind in [
            AccessKind::Open(AccessMode::Any),
            AccessKind::Close(AccessMode::Write),
            AccessKind::Read,
        ] {
            assert_eq!(sort(EventKind::Access(kind)), None);
        }
    }

    #[test]
    fn only_content_leaves_the_directories_alone() {
        let modify = EventKind::Modify;
        for (kind, expected) in [
            (modify(ModifyKind::Data(DataChange::Any)), Sort::Content),
            (modify(ModifyKind::Metadata(MetadataKind::Any)), Sort::Shape),
            (modify(ModifyKind::Name(RenameMode::From)), Sort::Gone),
            (EventKind::Create(CreateKind::Folder), Sort::Shape),
            (EventKind::Remove(RemoveKind::Folder), Sort::Gone),
            (EventKind::Any, Sort::Shape),
        ] {
            assert_eq!(sort(kind), Some(expected), "{kind:?}");
        }
    }
}
