//! What sources held when an earlier process read them, so that the first comparison of each process
//! does not read all of them again: with 180 plugins that was 65 MB behind the first listing of every
//! client that was started.
//!
//! It is believed for copies that follow their sources by themselves and that this program has recorded: a
//! source that would be taken for unchanged although it is not would be an update that comes later, and
//! nothing else. What somebody asks for, and what is leased, kept, replaced or trusted, is read by each
//! process ([`crate::contents`]).
//!
//! - A row holds for the very stamps that it names: device, inode, size, times and mode of each file. A
//!   source that was copied or restored has others. Where the system tells no time of change, or none that
//!   is fine enough, there are no rows.
//! - The file proves itself by a digest of its rows, so it is written without waiting for the disk. One
//!   that does not is as good as none.
//! - Whoever writes keeps the rows of others; of two who write at the same time one is forgotten, and reads
//!   once more. Nobody looks whether the directory of a row is still there, which may lie on a machine that
//!   does not answer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plugd_disk::Disk;
use plugd_disk::tree::Digest;
use plugd_model::AbsPath;
use serde_json::{Map, Value, json};

use crate::contents::{Known, MAX_DIRECTORIES};
use crate::json::FORMAT;
use crate::{Store, StoreError};

/// More than the rows of as many directories need.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

const VERSION: &str = "version";
const CHECK: &str = "check";
const SOURCES: &str = "sources";
const STAMPS: &str = "stamps";
const DIGEST: &str = "digest";

type Rows = HashMap<AbsPath, Known>;

/// What earlier processes found, and what this one adds to it.
#[derive(Default)]
pub(crate) struct KnownSources(Mutex<State>);

#[derive(Default)]
struct State {
    /// Read when somebody asks for the first time.
    earlier: Option<Rows>,
    news: Rows,
}

impl KnownSources {
    /// What is known of a directory whose files have these stamps.
    pub(crate) fn of(
        &self,
        disk: &Disk,
        file: &AbsPath,
        root: &AbsPath,
        fingerprint: Digest,
    ) -> Option<Known> {
        let mut state = self.lock();
        let earlier = state.earlier(disk, file).get(root).copied();
        earlier.filter(|known| known.fingerprint == fingerprint)
    }

    /// Notes what a directory was found to hold. Whether the file says so already shows when it is written.
    pub(crate) fn note(&self, root: &AbsPath, known: Known) {
        let mut state = self.lock();
        let is_text = root.as_path().to_str().is_some();
        let earlier = state.earlier.as_ref().and_then(|rows| rows.get(root));
        if is_text && earlier != Some(&known) {
            state.news.insert(root.clone(), known);
        }
    }

    /// Held for a map operation, or for the one read of the file.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn earlier(&mut self, disk: &Disk, file: &AbsPath) -> &Rows {
        self.earlier
            .get_or_insert_with(|| rows_in(&members(disk, file)))
    }
}

impl Store {
    /// Whether there is anything to write down for the processes that come after this one.
    #[must_use]
    pub fn knows_new_sources(&self) -> bool {
        !self.inner.sources.lock().news.is_empty()
    }

    /// Writes down what sources were found to hold, unless that is known already.
    ///
    /// # Errors
    /// A newer program owns the state, or the system refuses; then the next call tries again.
    pub fn keep_known_sources(&self) -> Result<(), StoreError> {
        let news = self.inner.sources.lock().news.clone();
        if news.is_empty() {
            return Ok(());
        }
        self.prepare_state()?;
        let (disk, file) = (self.disk(), self.layout().known_sources());
        let mut root = members(disk, &file);
        if root.get(VERSION).and_then(Value::as_u64) > Some(FORMAT) {
            // A newer program has its own.
            self.inner.sources.lock().news.clear();
            return Ok(());
        }
        let mut rows = rows_in(&root);
        if news.iter().any(|(dir, known)| rows.get(dir) != Some(known)) {
            if rows.len() + news.len() > MAX_DIRECTORIES {
                rows.clear();
            }
            rows.extend(news.iter().map(|(dir, known)| (dir.clone(), *known)));
            root.insert(VERSION.to_owned(), json!(FORMAT));
            root.insert(CHECK.to_owned(), json!(check(&rows).to_string()));
            root.insert(
                SOURCES.to_owned(),
                Value::Object(rows.iter().map(json_of).collect()),
            );
            let text = format!("{}\n", Value::Object(root));
            disk.stage_replacement(&file, text.as_bytes(), 0o600)?
                .put()?;
        }
        let mut state = self.inner.sources.lock();
        state.news.retain(|dir, known| rows.get(dir) != Some(known));
        state.earlier = Some(rows);
        Ok(())
    }
}

fn members(disk: &Disk, file: &AbsPath) -> Map<String, Value> {
    let bytes = disk.read(file, MAX_BYTES).ok();
    let parsed = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    parsed.unwrap_or_default()
}

/// The rows of a file, when they are those that were written.
fn rows_in(root: &Map<String, Value>) -> Rows {
    let read = || {
        let mut rows = Rows::new();
        for (dir, row) in root.get(SOURCES)?.as_object()? {
            let known = Known {
                fingerprint: Digest::from_hex(row.get(STAMPS)?.as_str()?)?,
                digest: Digest::parse(row.get(DIGEST)?.as_str()?).ok()?,
            };
            rows.insert(AbsPath::new(dir).ok()?, known);
        }
        let is_known = root.get(VERSION)?.as_u64()? == FORMAT;
        let is_whole = root.get(CHECK)?.as_str()? == check(&rows).to_string();
        (is_known && is_whole).then_some(rows)
    };
    read().unwrap_or_default()
}

fn json_of((dir, known): (&AbsPath, &Known)) -> (String, Value) {
    let row = json!({STAMPS: known.fingerprint.hex(), DIGEST: known.digest.to_string()});
    (dir.to_text(), row)
}

/// What proves that the rows are those that were written.
fn check(rows: &Rows) -> Digest {
    let line = |(dir, known): (&AbsPath, &Known)| {
        let (stamps, digest) = (known.fingerprint.hex(), known.digest.hex());
        format!("{} {stamps} {digest}\n", dir.to_text())
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.sort_unstable();
    Digest::of_bytes(lines.concat().as_bytes())
}

#[cfg(test)]
#[path = "known_sources_tests.rs"]
mod tests;
