//! Provenance: what was installed, from where, when and why, and what it replaced.

use std::collections::BTreeSet;

use plugd_disk::tree::Digest;
use plugd_disk::{DiskError, Replacement, Stamp, Unsynced};
use plugd_model::{AbsPath, PackedOrigin, PluginId, RemotePluginId, Source, VersionSegment};
use serde_json::{Map, Value};

use crate::{Store, StoreError, json};

/// Larger than any record; what is larger is not one.
const MAX_RECORD: u64 = 1 << 20;

/// The marketplace that a copy came from. Only the same one may replace it without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundSource {
    /// The manifest of a local marketplace.
    Manifest(AbsPath),
    /// A git marketplace.
    Git {
        /// Its URL.
        url: String,
        /// Branch or tag.
        ref_name: Option<String>,
    },
    /// One archive, of a registry or behind an address.
    Packed(PackedOrigin),
    /// The curated marketplace.
    Curated,
    /// The hosted catalog.
    Remote {
        /// The plugin's id there.
        id: RemotePluginId,
    },
}

/// Who made a copy what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstalledBy {
    /// A request.
    Request,
    /// The refresh in the background.
    Refresh,
    /// The reconciliation with a remote catalog or the curated snapshot.
    Sync,
    /// A lockfile, and its marketplace was seen to offer the same.
    Lock,
    /// A lockfile, and nothing has shown that its marketplace ever offered that.
    LockAlone,
    /// An archive that was exported elsewhere.
    Import,
    /// Another program; its copy was taken over as it was.
    Adopted,
}

/// What stood in a copy's place before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// Nobody wrote it down.
    Unknown,
    /// Nothing.
    Nothing,
    /// Another version, which may not be kept any more.
    Replaced {
        /// Its version.
        version: VersionSegment,
        /// Its content.
        tree_digest: Digest,
    },
}

/// Where a version came from. It goes with the version when that is replaced, and comes back with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The marketplace it was bound to.
    pub bound: BoundSource,
    /// The source that its entry named.
    pub source: Source,
    /// What the source meant: the commit for git, the exact version for a registry.
    pub commit: Option<String>,
    /// Digest of what was copied; `None` when it is not known.
    pub source_digest: Option<Digest>,
    /// Seconds since the epoch.
    pub installed_at: u64,
    /// Who installed it.
    pub by: InstalledBy,
    /// What stood in its place before.
    pub before: Before,
}

/// A version that is kept after it was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its version.
    pub version: VersionSegment,
    /// Its content, which also names its directory.
    pub tree_digest: Digest,
    /// When it was replaced, in seconds since the epoch.
    pub replaced_at: u64,
    /// Where it came from; `None` for a copy of which nothing was recorded.
    pub origin: Option<Origin>,
}

/// A version that a plugin must stay at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The version.
    pub version: VersionSegment,
    /// The commit, where it was pinned too.
    pub commit: Option<String>,
    /// The content, where it was pinned too.
    pub tree_digest: Option<Digest>,
    /// The lockfiles that hold it there; none when somebody did so by hand.
    pub locks: Vec<AbsPath>,
}

/// What an installation does to the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinChange {
    /// Leaves it as it was.
    Keep,
    /// Sets it.
    Set(Pin),
    /// Removes it.
    Clear,
}

/// Tells one directory from every other, also from a later one in its place.
///
/// The device number is only a part of it where nothing better exists, because some systems give
/// another one after a restart. An inode number alone is used again; the time of birth is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Time of birth in nanoseconds, 0 when unknown.
    pub born_ns: i64,
}

impl Identity {
    pub(crate) fn of(stamp: &Stamp) -> Self {
        Self {
            device: stamp.device,
            inode: stamp.inode,
            born_ns: i64::try_from(stamp.born_ns).unwrap_or(0),
        }
    }

    /// Whether both are the same directory.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let born = if self.born_ns != 0 && other.born_ns != 0 {
            self.born_ns == other.born_ns
        } else {
            self.device == other.device
        };
        self.inode == other.inode && born
    }
}

/// The provenance of one installed copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The marketplace it is bound to.
    pub bound: BoundSource,
    /// The source that its entry named.
    pub source: Source,
    /// What the source meant when it was installed: the commit for git, the exact version for a
    /// registry.
    pub commit: Option<String>,
    /// The version that was installed.
    pub version: VersionSegment,
    /// Digest of what was copied; `None` for a copy that was adopted.
    pub source_digest: Option<Digest>,
    /// Digest of what the installation left on disk.
    pub tree_digest: Digest,
    /// Seconds since the epoch.
    pub installed_at: u64,
    /// Who installed it.
    pub by: InstalledBy,
    /// What stood in its place before.
    pub before: Before,
    /// Replaced versions, the latest first. Their trees may be gone.
    pub kept: Vec<Kept>,
    /// The version it must stay at.
    pub pin: Option<Pin>,
    /// The tree digest of the copy of another program that this one replaced as a repair.
    pub repaired_from: Option<Digest>,
    /// The version directory that this speaks of.
    pub directory: Identity,
    /// The stamps of its files when they were written, as one digest: as long as they are the same it holds
    /// what the installation left there. `None` where that cannot be told.
    pub stamps: Option<Digest>,
}

impl Record {
    /// Where the copy that this speaks of came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            bound: self.bound.clone(),
            source: self.source.clone(),
            commit: self.commit.clone(),
            source_digest: self.source_digest,
            installed_at: self.installed_at,
            by: self.by,
            before: self.before.clone(),
        }
    }
}

/// The caller's part of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstall {
    /// The version directory's name.
    pub version: VersionSegment,
    /// The marketplace to bind to.
    pub bound: BoundSource,
    /// The source that the entry named.
    pub source: Source,
    /// The commit, for git.
    pub commit: Option<String>,
    /// Who asked.
    pub by: InstalledBy,
    /// What happens to the pin.
    pub pin: PinChange,
    /// The id in the remote catalog, which other programs read from the sidecar file. Without one
    /// there is no sidecar, also when the replaced copy had one.
    pub remote_id: Option<RemotePluginId>,
    /// The tree digest of another program's copy, when this installation replaces it as a repair. If
    /// the same happens again, the other program did not mean to be repaired.
    pub repaired_from: Option<Digest>,
}

/// What is kept of replaced versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// How many per plugin.
    pub keep: usize,
    /// Trees that somebody uses right now; they are never removed.
    pub protected: BTreeSet<Digest>,
}

/// A record file as it is on disk, with the members that are unknown here.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordFile {
    /// The exact content, to be restored by an undoing.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) members: Map<String, Value>,
    pub(crate) record: Option<Record>,
    /// Why there is no record although there is a file.
    pub(crate) reason: Option<String>,
}

/// Whether what stands in the place of a record is none, also at the next look.
pub(crate) fn is_no_record(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Disk(DiskError::NotAFile { .. } | DiskError::TooLarge { .. })
    )
}

impl Store {
    /// What is recorded about a plugin, whether or not there is a copy: the cache is the other
    /// programs' too, and what a plugin is bound to outlives the loss of its files. `None` also when
    /// the record cannot be understood; its file stays as it is.
    ///
    /// # Errors
    /// The system refuses to read it. That says nothing about what is recorded, so it must not be
    /// taken for `None`.
    pub fn record(&self, id: &PluginId) -> Result<Option<Record>, StoreError> {
        match self.record_file(id) {
            Ok(file) => Ok(file.record),
            Err(error) if is_no_record(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a record; a file that cannot be understood is a reason and no error.
    pub(crate) fn record_file(&self, id: &PluginId) -> Result<RecordFile, StoreError> {
        let bytes = match self.disk().read(&self.layout().record(id), MAX_RECORD) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return self.no_record_file(id),
            Err(error) => return Err(error.into()),
        };
        let mut file = RecordFile::default();
        match json::parse_record(&bytes) {
            Ok((members, record)) => {
                file.members = members;
                match record {
                    Ok(record) => file.record = Some(record),
                    Err(reason) => file.reason = Some(reason),
                }
            }
            Err(reason) => file.reason = Some(reason),
        }
        file.bytes = Some(bytes);
        Ok(file)
    }

    /// Without a file nothing was recorded; a link to nothing stands where something was.
    fn no_record_file(&self, id: &PluginId) -> Result<RecordFile, StoreError> {
        let stands = self.disk().link_stamp(&self.layout().record(id))?;
        Ok(RecordFile {
            reason: stands.map(|_| "it is a link to a file that is not there".to_owned()),
            ..RecordFile::default()
        })
    }

    /// Writes a record over what was read before; members that are unknown here stay. The store lock
    /// is held.
    pub(crate) fn write_record(
        &self,
        id: &PluginId,
        old: &RecordFile,
        record: &Record,
    ) -> Result<(), StoreError> {
        self.prepare_records(std::iter::once(id))?;
        let new = self.stage_record(id, old, record)?;
        let mut content = Unsynced::default();
        content.file(new.content().clone());
        self.disk().make_durable(&content)?;
        let records = new.put()?;
        Ok(self.disk().sync_dir(&records)?)
    }

    /// Makes the way to the records of these plugins, and sweeps what others have left on it. To be called
    /// before any of them is staged.
    pub(crate) fn prepare_records<'a>(
        &self,
        ids: impl Iterator<Item = &'a PluginId>,
    ) -> Result<(), StoreError> {
        let dirs: BTreeSet<_> = ids
            .filter_map(|id| self.layout().record(id).parent())
            .collect();
        for dir in dirs {
            self.disk().create_dirs_durably(&dir)?;
            // The store lock is held, so what is half written here is dead.
            self.sweep_half_written(&dir)?;
        }
        Ok(())
    }

    /// The same beside its place, and nothing is durable yet but the way to it.
    pub(crate) fn stage_record(
        &self,
        id: &PluginId,
        old: &RecordFile,
        record: &Record,
    ) -> Result<Replacement, StoreError> {
        let path = self.layout().record(id);
        if let Some(found) = json::newer_format(&old.members) {
            return Err(StoreError::FormatTooNew {
                path,
                found,
                known: json::FORMAT,
            });
        }
        let text = json::record_text(id, &old.members, record);
        Ok(self
            .disk()
            .stage_replacement(&path, text.as_bytes(), 0o644)?)
    }
}
