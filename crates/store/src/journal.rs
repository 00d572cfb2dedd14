//! The journal: what a transaction is about to change, written before it changes anything.
//!
//! It describes states and not steps. Undoing compares what is there with what is meant, so it can
//! be interrupted and repeated at any point.
//!
//! Several plugins that go away together are one transaction with one journal. One of a single plugin is
//! written as it always was; one of several has a format number of its own, so that a program that knows
//! single ones only leaves it alone.

use std::collections::BTreeSet;

use plugd_disk::{Disk, DiskError};
use plugd_model::{AbsPath, NameError, PluginId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::installed::absent_is_none;
use crate::json::{FORMAT, RawIdentity, identity_json};
use crate::record::Identity;
use crate::{Store, StoreError};

/// Larger than any journal: a record and a few notes about configuration.
const MAX_JOURNAL: u64 = 16 << 20;

/// What a whole journal ends with.
const END: &str = "\n";

/// The format of a journal of several plugins.
const SEVERAL: u64 = FORMAT + 1;

/// What kind of change it is, which decides the order of undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Install,
    Uninstall,
}

/// One running transaction.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(crate) operation: Operation,
    /// What happens to each plugin. Never empty, and each plugin stands in it once.
    pub(crate) parts: Vec<Part>,
    /// How to take back edits of configuration, in the order in which they were made.
    pub(crate) config: Vec<Value>,
}

/// What happens to one plugin.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Which one it is of the transaction's, which names its place there.
    pub(crate) number: usize,
    pub(crate) plugin: PluginId,
    /// Whether anything stood at the plugin's directory.
    pub(crate) was_present: bool,
    /// The plugin directory that takes its place; `None` for an uninstallation.
    pub(crate) new: Option<Identity>,
    /// The version directory that the new record speaks of.
    pub(crate) new_version: Option<Identity>,
    /// The record file before, byte for byte as far as it was text.
    pub(crate) record_before: Option<String>,
}

#[derive(Deserialize)]
struct RawJournal {
    version: u64,
    operation: RawOperation,
    #[serde(flatten)]
    first: RawPart,
    #[serde(default)]
    also: Vec<RawPart>,
    #[serde(default)]
    config: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPart {
    plugin: String,
    was_present: bool,
    new: Option<RawIdentity>,
    new_version: Option<RawIdentity>,
    record_before: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum RawOperation {
    Install,
    Uninstall,
}

impl Part {
    /// Where the plugin's whole directory lies below one of the transaction's places.
    pub(crate) fn parked_in(&self, place: &AbsPath) -> AbsPath {
        match self.number {
            0 => parked_in(place),
            number => place.join(format!("plugin-{number}")),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "plugin": self.plugin.to_string(),
            "wasPresent": self.was_present,
            "new": self.new.as_ref().map(identity_json),
            "newVersion": self.new_version.as_ref().map(identity_json),
            "recordBefore": self.record_before,
        })
    }

    fn from_raw(number: usize, raw: RawPart) -> Result<Self, NameError> {
        Ok(Self {
            number,
            plugin: PluginId::parse(&raw.plugin)?,
            was_present: raw.was_present,
            new: raw.new.map(Into::into),
            new_version: raw.new_version.map(Into::into),
            record_before: raw.record_before,
        })
    }
}

/// Where the directory of a transaction's first plugin lies below one of its places.
pub(crate) fn parked_in(place: &AbsPath) -> AbsPath {
    place.join("plugin")
}

impl Journal {
    /// Whether anything stood where the change is.
    pub(crate) fn replaces(&self) -> bool {
        self.parts.iter().any(|part| part.was_present)
    }

    /// The plugins that it speaks of.
    pub(crate) fn plugins(&self) -> impl Iterator<Item = &PluginId> {
        self.parts.iter().map(|part| &part.plugin)
    }

    /// Puts the journal in its place. Neither its content nor its name is durable then; what a loss of
    /// power leaves of it until they are is no journal, and nothing was changed yet.
    pub(crate) fn put(&self, disk: &Disk, path: &AbsPath) -> Result<(), StoreError> {
        let mut parts = self.parts.iter().map(Part::to_json);
        let mut value = parts.next().unwrap_or_default();
        let also: Vec<_> = parts.collect();
        value["version"] = if also.is_empty() { FORMAT } else { SEVERAL }.into();
        value["operation"] = match self.operation {
            Operation::Install => "install".into(),
            Operation::Uninstall => "uninstall".into(),
        };
        value["config"] = self.config.clone().into();
        if !also.is_empty() {
            value["also"] = also.into();
        }
        let text = format!("{value}{END}");
        if text.len() as u64 > MAX_JOURNAL {
            let (path, limit) = (path.clone(), MAX_JOURNAL);
            return Err(DiskError::TooLarge { path, limit }.into());
        }
        let journal = disk.stage_replacement(path, text.as_bytes(), 0o600)?;
        journal.put()?;
        Ok(())
    }
}

impl Store {
    /// The plugins that somebody is at, so that of what is on disk about them some may be old and
    /// some new. Takes no lock. A journal that is gone or cannot be read names nobody.
    ///
    /// # Errors
    /// The journals cannot be listed.
    pub fn underway(&self) -> Result<BTreeSet<PluginId>, StoreError> {
        let journals = self.layout().journals();
        let entries = absent_is_none(self.disk().list(&journals))?;
        let names = entries.into_iter().flatten().map(|entry| entry.name);
        let files = names.filter(|name| name.to_str().is_some_and(|name| name.ends_with(".json")));
        let read = files.filter_map(|name| self.read_journal(&journals.join(name)).ok()?);
        Ok(read
            .flat_map(|journal| journal.parts)
            .map(|part| part.plugin)
            .collect())
    }

    /// Reads a journal; `None` when there is none, also because the power was lost while it was on its
    /// way to the disk: then nothing had been changed.
    pub(crate) fn read_journal(&self, path: &AbsPath) -> Result<Option<Journal>, StoreError> {
        let bytes = match self.disk().read(path, MAX_JOURNAL) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Zeros are what a system puts where it has not written yet.
        if !bytes.ends_with(END.as_bytes()) || bytes.contains(&0) {
            return Ok(None);
        }
        let bad = |source| StoreError::BadJournal {
            path: path.clone(),
            source,
        };
        let raw: RawJournal = serde_json::from_slice(&bytes).map_err(bad)?;
        if raw.version > SEVERAL {
            return Err(StoreError::FormatTooNew {
                path: path.clone(),
                found: raw.version,
                known: SEVERAL,
            });
        }
        let parts = std::iter::once(raw.first).chain(raw.also).enumerate();
        let parts = parts.map(|(number, part)| Part::from_raw(number, part));
        let parts = parts.collect::<Result<_, _>>();
        Ok(Some(Journal {
            parts: parts.map_err(|error| bad(serde::de::Error::custom(error)))?,
            operation: match raw.operation {
                RawOperation::Install => Operation::Install,
                RawOperation::Uninstall => Operation::Uninstall,
            },
            config: raw.config,
        }))
    }
}
