//! What links and approvals have in common: an object with a format number, of which members that are
//! unknown here are kept by whoever writes it.

use plugd_disk::{Disk, DiskError};
use plugd_model::AbsPath;
use serde_json::{Map, Value};

/// Why a file of state cannot be used.
#[derive(Debug)]
pub(crate) enum StateFileError {
    /// The system refuses.
    File(DiskError),
    /// It is no object.
    Syntax(serde_json::Error),
    /// A newer program has written it, in this format.
    TooNew(u64),
}

/// The members of a file; none without one.
pub(crate) fn members(
    disk: &Disk,
    file: &AbsPath,
    max_bytes: u64,
    known: u64,
) -> Result<Map<String, Value>, StateFileError> {
    let bytes = match disk.read(file, max_bytes) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(Map::new()),
        Err(error) => return Err(StateFileError::File(error)),
    };
    let root: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(StateFileError::Syntax)?;
    let found = root.get("version").and_then(Value::as_u64);
    match found.filter(|found| *found > known) {
        Some(found) => Err(StateFileError::TooNew(found)),
        None => Ok(root),
    }
}
