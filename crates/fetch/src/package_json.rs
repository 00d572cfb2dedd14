//! The `package.json` at the root of a package: whose archive it is.

use plugd_model::json_depth::too_deep;
use serde::Deserialize;

use crate::{FetchError, Over};

/// Largest file that is read.
const MAX_BYTES: u64 = 8 << 20;

/// Deepest nesting that is accepted.
const MAX_DEPTH: usize = 128;

/// The file, as far as it has come.
#[derive(Debug)]
pub(crate) struct PackageJson {
    expected: String,
    content: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct Raw {
    name: Option<serde_json::Value>,
}

impl PackageJson {
    /// The file must be there and have this name in it.
    pub(crate) fn new(expected: &str) -> Self {
        Self {
            expected: expected.to_owned(),
            content: None,
        }
    }

    /// Whether a path below the root is that of the file.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        path == "package.json"
    }

    /// The file begins, and will have this size.
    pub(crate) fn begin(&mut self, size: u64) -> Result<(), FetchError> {
        if size > MAX_BYTES {
            let over = Over::Bytes(MAX_BYTES);
            return Err(unusable(format!("it has {over}")));
        }
        self.content = Some(Vec::new());
        Ok(())
    }

    pub(crate) fn take(&mut self, piece: &[u8]) {
        self.content
            .get_or_insert_default()
            .extend_from_slice(piece);
    }

    /// Makes sure that the archive is that of the package.
    pub(crate) fn check(self) -> Result<(), FetchError> {
        let Some(content) = self.content else {
            return Err(unusable("it is not there"));
        };
        let json = content.strip_prefix("\u{feff}".as_bytes());
        let json = json.unwrap_or(&content);
        if too_deep(json, MAX_DEPTH).is_some() {
            return Err(unusable("it is nested too deeply"));
        }
        let raw: Raw = serde_json::from_slice(json).map_err(|error| unusable(error.to_string()))?;
        match raw.name {
            Some(serde_json::Value::String(name)) if name == self.expected => Ok(()),
            Some(serde_json::Value::String(found)) => Err(FetchError::WrongPackage {
                expected: self.expected,
                found: found.chars().take(214).collect(),
            }),
            _ => Err(unusable("it has no name")),
        }
    }
}

fn unusable(reason: impl Into<String>) -> FetchError {
    FetchError::NoPackageJson {
        reason: reason.into(),
    }
}
