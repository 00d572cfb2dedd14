//! `config/read`, `config/value/write`, `config/batchWrite` and `configRequirements/read`.

use std::sync::Arc;

use plugd_config::{Edit, KeyPath, Layer, Merge, Snapshot, check_file};
use plugd_model::AbsPath;
use serde_json::Value;

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::hook_witnesses::Renewed;
use crate::hooks_list::renew;
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::{Blocking, Copies, Error, Lookup};

/// One edit as a client asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigEdit {
    /// The key path as written.
    pub key_path: String,
    /// The value; null deletes the key.
    pub value: Value,
    /// Whether a table is merged into the one that is there, or replaces it.
    pub merge: bool,
}

/// Edits that are made together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigWrite {
    /// The edits.
    pub edits: Vec<ConfigEdit>,
    /// The file, when the client names it.
    pub file: Option<AbsPath>,
    /// The version of the user's layer that the client has seen.
    pub expected_version: Option<String>,
}

/// What a write did.
#[derive(Debug, Clone)]
pub struct ConfigWritten {
    /// The file that holds the keys.
    pub file: AbsPath,
    /// The version of the user's layer after it.
    pub version: String,
    /// A layer above the user's that decides one of the keys, with the value in force.
    pub overridden: Option<(Layer, Value)>,
}

/// The configuration as seen from a directory. It is read anew, and it never fails: what is broken
/// is among its problems.
///
/// # Errors
/// Only a bug ends here.
pub async fn read_config(
    blocking: &Blocking,
    lookup: &Lookup,
    cwd: Option<AbsPath>,
) -> Result<Arc<Snapshot>, Error> {
    let lookup = lookup.clone();
    blocking.read(move || Ok(lookup.config(cwd.as_ref()))).await
}

/// Edits the user's configuration, byte-exact.
///
/// # Errors
/// A key path or value is not valid, another file is named, the version has moved on, the file is
/// broken, or it cannot be written; then nothing has changed.
pub async fn write_config(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    events: &Events,
    request: ConfigWrite,
) -> Result<ConfigWritten, Error> {
    let (call, lookup, events) = (call.clone(), lookup.clone(), events.clone());
    let copies = copies.clone();
    blocking
        .write(move || {
            let edits = parse(&request)?;
            if let Some(file) = &request.file {
                for edit in &edits {
                    check_file(lookup.disk(), lookup.layout(), file, &edit.key_path)?;
                }
            }
            let written = plugd_config::write(
                lookup.disk(),
                lookup.layout(),
                &edits,
                request.expected_version.as_deref(),
                call.patience(CONFIG_PATIENCE),
            )?;
            if written.changed {
                let change = edits
                    .iter()
                    .fold(Change::new(ChangeReason::Request), |change, edit| {
                        change.config_key(edit.key_path.plain())
                    });
                events.changed(change);
            }
            // Also when no byte has changed: the same hash once more is a second look at the hook.
            renew(&call, &lookup, &copies, &Renewed::by(&edits));
            let config = lookup.config(None);
            let overridden = edits
                .iter()
                .find_map(|edit| config.overridden(&edit.key_path))
                .map(|(layer, value)| (layer.clone(), value));
            Ok(ConfigWritten {
                version: written.version(),
                file: written.file,
                overridden,
            })
        })
        .await
}

fn parse(request: &ConfigWrite) -> Result<Vec<Edit>, Error> {
    let edit = |edit: &ConfigEdit| {
        let key_path =
            KeyPath::parse_request(&edit.key_path).map_err(|source| Error::BadKeyPath {
                given: edit.key_path.clone(),
                source,
            })?;
        Ok(Edit {
            key_path,
            value: Some(edit.value.clone()).filter(|value| !value.is_null()),
            strategy: if edit.merge {
                Merge::Upsert
            } else {
                Merge::Replace
            },
        })
    };
    request.edits.iter().map(edit).collect()
}
