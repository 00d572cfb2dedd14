//! The sidecar: the reference's file beside the version directory that says which plugin of the
//! hosted catalog a copy is.
//!
//! An installation writes it into the staged directory, so it changes together with the copy, and an
//! uninstallation or an undoing takes it along in the same way. Only [`Store::set_remote_id`] changes
//! it alone. What cannot be understood is told, trusted by nobody, and left as it is.

use plugd_disk::{Kind, Patience};
use plugd_model::{AbsPath, Layout, PluginId, Problem, ProblemKind, RemotePluginId};
use serde_json::Value;

use crate::places::in_the_way;
use crate::{Store, StoreError};

/// The format of the reference that is known here.
const SCHEMA_VERSION: u64 = 1;

/// Larger than any sidecar.
const MAX_SIDECAR: u64 = 64 << 10;

/// Who reads it: the user alone, as with the reference.
pub(crate) const MODE: u32 = 0o600;

/// The file's content, byte for byte as the reference writes it. The characters of an id need no
/// escaping in JSON.
pub(crate) fn text(id: &RemotePluginId) -> String {
    format!("{{\n  \"schema_version\": {SCHEMA_VERSION},\n  \"remote_plugin_id\": \"{id}\"\n}}\n")
}

/// The id that a sidecar names, or what is wrong with it.
fn parse(bytes: &[u8]) -> Result<RemotePluginId, (ProblemKind, String)> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| (ProblemKind::Syntax, error.to_string()))?;
    let schema = value.get("schema_version");
    if schema.and_then(Value::as_u64) != Some(SCHEMA_VERSION) {
        let reason = match schema {
            Some(schema) => format!("its `schema_version` is {schema}, known is {SCHEMA_VERSION}"),
            None => "it has no `schema_version`".to_owned(),
        };
        return Err((ProblemKind::UnsupportedSchema, reason));
    }
    let Some(id) = value.get("remote_plugin_id").and_then(Value::as_str) else {
        let reason = "it has no text `remote_plugin_id`".to_owned();
        return Err((ProblemKind::MissingField, reason));
    };
    RemotePluginId::parse(id).map_err(|error| (ProblemKind::BadName, error.to_string()))
}

impl Store {
    /// The id of the copy in a plugin's directory, of which a sidecar was seen.
    pub(crate) fn read_sidecar(
        &self,
        dir: &AbsPath,
        problems: &mut Vec<Problem>,
    ) -> Option<RemotePluginId> {
        let path = dir.join(Layout::REMOTE_SIDECAR);
        let (kind, reason) = match self.disk().read(&path, MAX_SIDECAR) {
            Ok(bytes) => match parse(&bytes) {
                Ok(id) => return Some(id),
                Err(wrong) => wrong,
            },
            Err(error) if error.is_not_found() => return None,
            Err(error) => (ProblemKind::Unreadable, error.in_full()),
        };
        let text = format!("the mark of a remote installation cannot be used: {reason}");
        problems.push(Problem::warning(kind, text).in_file(&path));
        None
    }

    /// Makes the sidecar of an installed copy what it should be, or removes it with `None`: a file
    /// that is missing, damaged, of another format, for another id or readable by others is replaced
    /// as a whole. Tells whether anything had to be done; if not, no lock was taken.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`], or something that is no regular file stands in the way. Otherwise
    /// the store lock is held longer than `patience`, an earlier operation on the plugin cannot be
    /// undone, a newer program owns the state, or the system refuses; the old file is there then.
    pub fn set_remote_id<'a>(
        &self,
        id: &PluginId,
        remote_id: Option<&RemotePluginId>,
        patience: impl Into<Patience<'a>>,
    ) -> Result<bool, StoreError> {
        let meant = remote_id.map(text);
        if self.has_sidecar(id, meant.as_deref())? {
            return Ok(false);
        }
        self.prepare_state()?;
        // Made in the transaction's own place, so that a kill leaves nothing half written beside the
        // copy, where nobody would look for it.
        let ticket = self.open_ticket()?;
        let made = ticket.staging.join("sidecar");
        if let Some(text) = &meant {
            self.disk().create_dirs(&ticket.staging)?;
            self.disk().write_new(&made, text.as_bytes(), MODE)?;
        }
        let lock = self.lock_for(id, patience)?;
        // Somebody may have been faster.
        if !self.has_sidecar(id, meant.as_deref())? {
            let path = self.layout().remote_sidecar(id);
            match meant {
                Some(_) => self
                    .disk()
                    .rename(&made, &path)
                    .map_err(|error| StoreError::of_move(error, &made, &path))?,
                None => self.disk().remove_file(&path)?,
            }
            self.disk().sync_dir(&self.layout().plugin_dir(id))?;
        }
        // Before the ticket sweeps its place: nobody needs to wait for that.
        drop(lock);
        Ok(true)
    }

    /// Whether the sidecar of an installed copy is exactly what is meant.
    fn has_sidecar(&self, id: &PluginId, meant: Option<&str>) -> Result<bool, StoreError> {
        let dir = self.layout().plugin_dir(id);
        // Behind a link lies somebody's working tree.
        self.must_be_dir(dir.clone())?;
        if self.get(id)?.is_none() {
            return Err(StoreError::NotInstalled { id: id.clone() });
        }
        let path = dir.join(Layout::REMOTE_SIDECAR);
        let Some(stamp) = self.disk().link_stamp(&path)? else {
            return Ok(meant.is_none());
        };
        if stamp.kind != Kind::File {
            return Err(in_the_way(path, stamp.kind));
        }
        let Some(meant) = meant else {
            return Ok(false);
        };
        // One that cannot be read or is too large is replaced like any other damaged one.
        let same = |bytes: Vec<u8>| bytes == meant.as_bytes();
        let is_same = self.disk().read(&path, MAX_SIDECAR).is_ok_and(same);
        // Systems without permission bits say 0.
        Ok(is_same && matches!(stamp.mode, MODE | 0))
    }
}

#[cfg(test)]
#[path = "sidecar_tests.rs"]
mod tests;
