//! The directories of the hosted catalog as they were read last, in files that the reference reads and
//! writes too.
//!
//! What conditional requests need has no place in that format and lies in a file of our own beside
//! the state, together with the digest of the directory's file: when the reference has written that
//! one anew, the marks speak of something else and are void.
//!
//! Reading never fails as a whole: a file that cannot be used counts as none, with a problem. Only a
//! complete directory is kept, so that half a list never takes the place of a whole one.

use plugd_disk::{Disk, DiskError};
use plugd_model::{AbsPath, Problem, ProblemKind, RemoteScope, hex};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest as _, Sha256};

use crate::account_key::account_key;
use crate::json::{self, Notes, Object, Source};
use crate::json_text::{Members, pretty};
use crate::{Access, Catalog, Directory, Item, Validators, rfc3339};

/// The format of the reference that is understood, and that of each file of our own.
pub(crate) const FORMAT: &str = "1";
/// The largest file that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// As long a directory needs not be asked for again.
const LIFETIME: i64 = 3 * 60 * 60;

/// What was found where something is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<T> {
    /// What is kept; `None` also where it cannot be used.
    pub value: Option<T>,
    /// What is wrong with the file; what is wrong with single items stands with the items.
    pub problems: Vec<Problem>,
}

/// A directory as it was read last.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedDirectory {
    /// What the service offered then.
    pub directory: Directory,
    /// When that was, in seconds since the Unix epoch, where the file says so.
    pub fetched_at: Option<i64>,
    /// What to ask the service with whether it still holds.
    pub validators: Option<Validators>,
    /// Whether it is young enough not to be asked for again. One from the future is not.
    pub is_fresh: bool,
}

impl Catalog {
    /// The file that keeps a scope's directory, for problems that speak of it.
    #[must_use]
    pub fn directory_file(&self, access: &Access, scope: RemoteScope) -> AbsPath {
        let key = account_key(access, scope);
        self.layout.catalog_cache().join(format!("{key}.json"))
    }

    /// Reads what is kept of a scope's directory.
    #[must_use]
    pub fn cached(&self, access: &Access, scope: RemoteScope) -> Kept<CachedDirectory> {
        let path = self.directory_file(access, scope);
        read_kept(&self.disk, &path, |file, text, notes| {
            check_format(file, "schema_version")?;
            let mut directory = Directory::of_file(plugins(file)?, text)?;
            directory.problems = in_file(directory.problems, &path);
            let fetched_at = fetched_at(file, notes);
            let age = fetched_at.map(|then| self.seconds() - then);
            let beside = self.validators_file(access, scope);
            Ok(CachedDirectory {
                directory,
                fetched_at,
                validators: validators_of(&self.disk, &beside, text.as_bytes()),
                is_fresh: age.is_some_and(|age| (0..LIFETIME).contains(&age)),
            })
        })
    }

    /// Keeps a scope's directory; answers whether it did: an incomplete one is not kept.
    ///
    /// # Errors
    /// The system refuses. What was kept before is there still then, or what was to be kept is.
    pub fn keep(
        &self,
        access: &Access,
        scope: RemoteScope,
        directory: &Directory,
        validators: Option<&Validators>,
    ) -> Result<bool, DiskError> {
        if !directory.complete {
            return Ok(false);
        }
        let items: Vec<_> = directory.items.iter().map(Item::json).collect();
        let text = pretty(&format!(
            r#"{{"schema_version":{FORMAT},"fetched_at":"{}","plugins":[{}]}}"#,
            self.now(),
            items.join(","),
        ));
        write_private(&self.disk, &self.directory_file(access, scope), &text)?;
        // With marks the service would answer that nothing has changed, and nobody would learn again
        // what is wrong with the items that are not in the file.
        let validators = validators.filter(|_| directory.problems.is_empty());
        self.keep_validators(access, scope, &text, validators)?;
        Ok(true)
    }

    /// Notes that the service was asked with these marks and that nothing has changed; answers whether
    /// the file still is what they came with. Otherwise it is left alone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn touch(
        &self,
        access: &Access,
        scope: RemoteScope,
        validators: &Validators,
    ) -> Result<bool, DiskError> {
        let path = self.directory_file(access, scope);
        let bytes = match self.disk.read(&path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error),
        };
        let beside = self.validators_file(access, scope);
        if validators_of(&self.disk, &beside, &bytes).as_ref() != Some(validators) {
            return Ok(false);
        }
        let Some(text) = touched(&bytes, &self.now()) else {
            return Ok(false);
        };
        write_private(&self.disk, &path, &text)?;
        self.keep_validators(access, scope, &text, Some(validators))?;
        Ok(true)
    }

    fn validators_file(&self, access: &Access, scope: RemoteScope) -> AbsPath {
        let key = account_key(access, scope);
        self.layout.catalog_state().join(format!("{key}.json"))
    }

    fn keep_validators(
        &self,
        access: &Access,
        scope: RemoteScope,
        directory: &str,
        validators: Option<&Validators>,
    ) -> Result<(), DiskError> {
        let path = self.validators_file(access, scope);
        let Some(validators) = validators else {
            return self.disk.remove_file(&path);
        };
        let text = json!({
            "version": 1,
            "sha256": sha256(directory.as_bytes()),
            "etag": validators.etag,
            "last_modified": validators.last_modified,
        });
        write_private(&self.disk, &path, &format!("{text:#}\n"))
    }

    /// The time as files have it.
    pub(crate) fn now(&self) -> String {
        rfc3339::format(self.environment.clock.now())
    }

    fn seconds(&self) -> i64 {
        i64::try_from(self.environment.clock.now().as_secs()).unwrap_or(i64::MAX)
    }
}

fn touched(bytes: &[u8], now: &str) -> Option<String> {
    let mut members: Members = serde_json::from_slice(bytes).ok()?;
    members.set("fetched_at", to_raw_value(now).ok()?);
    Some(pretty(&serde_json::to_string(&members).ok()?))
}

/// The marks that came with these bytes. Without them everything is asked for anew, so nothing about
/// them is worth a problem.
fn validators_of(disk: &Disk, path: &AbsPath, bytes: &[u8]) -> Option<Validators> {
    let found = disk.read(path, 64 * 1024).ok()?;
    let file = Object::split(json::check(&found).ok()?, "", Source(None)).ok()?;
    let version = file.get("version")?.get();
    let is_theirs = file.text("sha256").ok()?? == sha256(bytes);
    let validators = read_validators(&file);
    validators.filter(|_| version == FORMAT && is_theirs)
}

/// The marks in a file of our own, where there is one.
pub(crate) fn read_validators(file: &Object<'_>) -> Option<Validators> {
    let etag = file.text("etag").ok()?;
    let last_modified = file.text("last_modified").ok()?;
    (etag.is_some() || last_modified.is_some()).then_some(Validators {
        etag,
        last_modified,
    })
}

/// Reads a file and what it means; whatever goes wrong is a problem of the file.
pub(crate) fn read_kept<T>(
    disk: &Disk,
    path: &AbsPath,
    understand: impl FnOnce(&Object<'_>, &str, &mut Notes) -> Result<T, Problem>,
) -> Kept<T> {
    let mut notes = Notes::default();
    let value = disk
        .read(path, MAX_BYTES)
        .map_err(|error| (!error.is_not_found()).then(|| error.problem()))
        .and_then(|bytes| {
            let syntax = |reason| Problem::error(ProblemKind::Syntax, reason);
            let raw = json::check(&bytes).map_err(|reason| Some(syntax(reason)))?;
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            let file = Object::split(raw, "", Source(Some(text))).map_err(Some)?;
            understand(&file, text, &mut notes).map_err(Some)
        });
    let value = value.map_err(|problem| notes.0.extend(problem)).ok();
    Kept {
        value,
        problems: in_file(notes.0, path),
    }
}

/// Problems of a file that can be fetched again, so that none is worse than a warning.
pub(crate) fn in_file(problems: Vec<Problem>, path: &AbsPath) -> Vec<Problem> {
    let problems = problems.into_iter();
    problems
        .map(|problem| problem.as_warning().in_file(path))
        .collect()
}

/// When the file was filled; unreadable means that nobody knows.
pub(crate) fn fetched_at(file: &Object<'_>, notes: &mut Notes) -> Option<i64> {
    let text = notes.keep(file.text("fetched_at"))?;
    let time = rfc3339::parse(&text);
    if time.is_none() {
        let message = "`fetched_at` is no point in time".to_owned();
        notes.push(file.fault(ProblemKind::BadValue, message, "fetched_at"));
    }
    time
}

/// Whether the file says that it has the one format that is known.
pub(crate) fn check_format(file: &Object<'_>, member: &str) -> Result<(), Problem> {
    if file.get(member).map(RawValue::get) == Some(FORMAT) {
        return Ok(());
    }
    let message = format!("`{member}` is not {FORMAT}, which is the only format known");
    Err(file.fault(ProblemKind::UnsupportedSchema, message, member))
}

/// The list of items.
pub(crate) fn plugins<'a>(file: &Object<'a>) -> Result<&'a RawValue, Problem> {
    file.needed("plugins", Ok(file.get("plugins")))
}

/// Replaces a file that nobody else may read, also where the one before could be read.
pub(crate) fn write_private(disk: &Disk, path: &AbsPath, text: &str) -> Result<(), DiskError> {
    if disk
        .stamp(path)?
        .is_some_and(|stamp| stamp.mode & 0o077 != 0)
    {
        disk.set_mode(path, 0o600)?;
    }
    disk.replace(path, text.as_bytes(), 0o600)
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
