//! Why the store refused, and the way back for configuration.

use std::error::Error;

use plugd_disk::tree::TreeError;
use plugd_disk::{DiskError, Kind, Unsynced};
use plugd_model::{AbsPath, PluginId, VersionSegment};
use serde_json::Value;

/// What a [`ConfigUndo`] may fail with.
pub type UndoError = Box<dyn Error + Send + Sync>;

/// Takes back an edit of configuration that belonged to a transaction.
///
/// The store does not know configuration; it only keeps the caller's note of what was written and
/// hands it back when the transaction is undone, which may be in another process after a crash.
pub trait ConfigUndo: Send + Sync {
    /// Takes the edit back if what it wrote still stands there, and does nothing otherwise.
    ///
    /// It is called again when a crash interrupts it. A success means that nothing of the edit is
    /// left or that it no longer is ours; the edit may also never have happened, because the note
    /// is taken before it.
    ///
    /// # Errors
    /// The edit stands there and cannot be taken back now. The transaction stays to be undone later.
    fn undo(&self, note: &Value) -> Result<(), UndoError>;

    /// Whether the edit was made: what it changed is not as it was before. Adds what has to be synced
    /// so that it stays made.
    ///
    /// # Errors
    /// Nobody can say now. The transaction stays to be ended later.
    fn is_made(&self, note: &Value, unsynced: &mut Unsynced) -> Result<bool, UndoError>;
}

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// One file operation failed; a held lock is one of its reasons.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A whole tree could not be read, copied or removed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A newer program has written the state.
    #[error(
        "`{path}` has format {found}, and this program writes format {known}; use the newer one"
    )]
    FormatTooNew {
        /// The file.
        path: AbsPath,
        /// Its format.
        found: u64,
        /// The newest format that is known here.
        known: u64,
    },
    /// The file with the format number holds something else.
    #[error("`{path}` does not hold a format number")]
    BadFormat {
        /// The file.
        path: AbsPath,
    },
    /// An earlier operation on the same plugin was interrupted and is not undone yet.
    #[error("an interrupted operation on `{id}` is not undone yet; its journal is `{journal}`")]
    Unfinished {
        /// The plugin.
        id: PluginId,
        /// The journal.
        journal: AbsPath,
    },
    /// A journal holds something else than a journal.
    #[error("the journal `{path}` cannot be understood")]
    BadJournal {
        /// The journal.
        path: AbsPath,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The edit of configuration that belonged to a transaction could not be taken back.
    #[error("the configuration entry of `{id}` cannot be restored")]
    ConfigUndo {
        /// The plugin.
        id: PluginId,
        /// Why.
        #[source]
        source: UndoError,
    },
    /// Directories cannot be moved between file systems.
    #[error("`{from}` and `{to}` lie on different file systems")]
    OtherFileSystem {
        /// What was to be moved.
        from: AbsPath,
        /// Where to.
        to: AbsPath,
        /// What the system said.
        #[source]
        source: DiskError,
    },
    /// A file to be added to a staged tree has a name that the store does not take.
    #[error("`{path}` cannot be added to the copy: {reason}")]
    BadExtraFile {
        /// The path relative to the plugin's root.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Something else stands where a directory or file of the store belongs. It was not made by
    /// this program, so it is neither followed nor removed.
    #[error("a {kind} is in the way at `{path}`", kind = found.word())]
    InTheWay {
        /// The path.
        path: AbsPath,
        /// What stands there.
        found: Kind,
    },
    /// Somebody installed, removed or overwrote the plugin after the caller had looked at it.
    #[error("`{id}` was changed by somebody else meanwhile")]
    Superseded {
        /// The plugin.
        id: PluginId,
    },
    /// The plugin has no copy.
    #[error("`{id}` is not installed")]
    NotInstalled {
        /// The plugin.
        id: PluginId,
    },
    /// The copy was not recorded by this program, so there is nothing to attach to.
    #[error("`{id}` was installed by another program and is not adopted yet")]
    NotRecorded {
        /// The plugin.
        id: PluginId,
    },
    /// A kept version is no longer there, or somebody has changed it.
    #[error("version {version} of `{id}` is not kept any more, or was changed where it is kept")]
    NotKept {
        /// The plugin.
        id: PluginId,
        /// The version.
        version: VersionSegment,
    },
}

impl StoreError {
    /// The error of a failed move, told apart when the reason is the layout of file systems.
    pub(crate) fn of_move(error: DiskError, from: &AbsPath, to: &AbsPath) -> Self {
        if error.is_other_file_system() {
            Self::OtherFileSystem {
                from: from.clone(),
                to: to.clone(),
                source: error,
            }
        } else {
            error.into()
        }
    }

    /// The lock that another process held until patience ended, when that was the reason.
    #[must_use]
    pub fn held_lock(&self) -> Option<&AbsPath> {
        match self {
            Self::Disk(DiskError::Locked { path }) => Some(path),
            _ => None,
        }
    }

    /// Whether the disk is full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Disk(disk) | Self::Tree(TreeError::Disk(disk)) => disk.is_full(),
            _ => false,
        }
    }
}
