//! The rows of the last listings, so that the next one repeats what it need not say anew.
//!
//! Invariants:
//! - A row is repeated only when everything that it was made of is the same: the entry and the
//!   manifest are the very values that the loader handed out before, and what was read beside them is
//!   equal.
//! - Of each marketplace the rows of one listing are kept. Another view of it, such as that of another
//!   project, makes them anew.
//!
//! It reads nothing and decides nothing about what is shown.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use plugd_manifest::{Loaded, MarketplaceEntry, MarketplaceManifest};
use plugd_marketplace::Binding;
use plugd_model::{AbsPath, Place, PluginManifest, RemotePluginId, VersionSegment};
use serde_json::value::RawValue;

use crate::listing::{Details, Summary};

/// How many rows are kept, of all marketplaces together: a few large ones or many small ones.
const MAX_ROWS: usize = 131_072;
/// A marketplace without rows is kept as well, and counts like so many.
const AT_LEAST: usize = 16;

/// A plugin of a listing. It is shared with the listings that say the same.
#[derive(Clone)]
pub struct ListedPlugin(Arc<Inner>);

struct Inner {
    summary: Summary,
    json: OnceLock<Box<RawValue>>,
}

impl ListedPlugin {
    /// How a client is told of it. That is worked out once, by whoever tells; nothing here looks into
    /// it.
    ///
    /// # Errors
    /// Those of the work.
    pub fn json<E>(
        &self,
        tell: impl FnOnce(&Summary) -> Result<Box<RawValue>, E>,
    ) -> Result<&RawValue, E> {
        if let Some(json) = self.0.json.get() {
            return Ok(json);
        }
        let json = tell(&self.0.summary)?;
        Ok(self.0.json.get_or_init(|| json))
    }

    /// What it says, to go on with.
    #[must_use]
    pub fn into_summary(self) -> Summary {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => inner.summary,
            Err(shared) => shared.summary.clone(),
        }
    }
}

impl From<Summary> for ListedPlugin {
    fn from(summary: Summary) -> Self {
        Self(Arc::new(Inner {
            summary,
            json: OnceLock::new(),
        }))
    }
}

impl Deref for ListedPlugin {
    type Target = Summary;

    fn deref(&self) -> &Summary {
        &self.0.summary
    }
}

impl PartialEq for ListedPlugin {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.summary == other.0.summary
    }
}

impl fmt::Debug for ListedPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.summary.fmt(f)
    }
}

/// What the last listings said, by the manifests of the marketplaces.
#[derive(Debug, Default)]
pub(crate) struct Rows(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    kept: HashMap<AbsPath, Arc<Kept>>,
    /// How many rows that are.
    rows: usize,
}

/// The rows of one marketplace, in the order in which they were shown.
#[derive(Debug)]
pub(crate) struct Kept {
    manifest: Arc<Loaded<MarketplaceManifest>>,
    rows: Vec<Row>,
}

/// A row with everything that it was made of.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Tells the entries of one manifest apart.
    entry: Place,
    inside: Inside,
    beside: Beside,
    pub(crate) listed: ListedPlugin,
}

/// What a row is made of beside its entry and the inside of the plugin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Beside {
    /// The version in the store, whether or not it is configured.
    pub(crate) copy: Option<VersionSegment>,
    /// Whether it is configured, and switched on.
    pub(crate) setting: Option<bool>,
    /// The version of the curated snapshot, for what comes from there.
    pub(crate) snapshot: Option<String>,
    /// Whether the source is known to have other content.
    pub(crate) content_differs: bool,
    /// Where the copy came from, when that is not here.
    pub(crate) elsewhere: Option<Binding>,
    /// What it is called where it is shared.
    pub(crate) shared: Option<RemotePluginId>,
    /// The working tree that stands in for it.
    pub(crate) linked: Option<AbsPath>,
}

/// The inside of a plugin, as far as it can be compared.
#[derive(Debug, Clone)]
enum Inside {
    Manifest(Arc<Loaded<PluginManifest>>, AbsPath),
    Entry(Option<AbsPath>),
    NotHere,
    /// A problem is told as it is now.
    Amiss,
}

impl Inside {
    fn of(details: &Details) -> Self {
        match details {
            Details::Manifest(loaded, root) => Self::Manifest(Arc::clone(loaded), root.clone()),
            Details::Fallback(_, root) => Self::Entry(root.clone()),
            Details::NotHere => Self::NotHere,
            Details::NoDirectory(..) | Details::Outside(_) | Details::Broken(_) => Self::Amiss,
        }
    }

    fn is(&self, details: &Details) -> bool {
        match (self, details) {
            (Self::Manifest(then, root), Details::Manifest(now, dir)) => {
                Arc::ptr_eq(then, now) && root == dir
            }
            (Self::Entry(root), Details::Fallback(_, dir)) => root == dir,
            (Self::NotHere, Details::NotHere) => true,
            _ => false,
        }
    }
}

impl Row {
    pub(crate) fn new(
        entry: &MarketplaceEntry,
        details: &Details,
        beside: Beside,
        make: impl FnOnce() -> Summary,
    ) -> Self {
        Self {
            entry: entry.place,
            inside: Inside::of(details),
            beside,
            listed: make().into(),
        }
    }

    fn is_of(&self, entry: &MarketplaceEntry, details: &Details, beside: &Beside) -> bool {
        self.entry == entry.place && self.inside.is(details) && self.beside == *beside
    }
}

impl Kept {
    /// The row at this place of the listing, when it would be the same again.
    pub(crate) fn repeated(
        &self,
        at: usize,
        entry: &MarketplaceEntry,
        details: &Details,
        beside: &Beside,
    ) -> Option<&Row> {
        let row = self.rows.get(at)?;
        row.is_of(entry, details, beside).then_some(row)
    }

    fn weight(&self) -> usize {
        self.rows.len().max(AT_LEAST)
    }

    /// The rows in front of a place.
    pub(crate) fn first(&self, at: usize) -> Vec<Row> {
        self.rows.iter().take(at).cloned().collect()
    }
}

impl Rows {
    /// What the last listing said of a marketplace, if its manifest is the one that is there now.
    pub(crate) fn of(&self, manifest: &Arc<Loaded<MarketplaceManifest>>) -> Option<Arc<Kept>> {
        let kept = self.lock().kept.get(&manifest.file).cloned()?;
        Arc::ptr_eq(&kept.manifest, manifest).then_some(kept)
    }

    /// Keeps what a listing said.
    pub(crate) fn keep(&self, manifest: &Arc<Loaded<MarketplaceManifest>>, rows: Vec<Row>) {
        let mut state = self.lock();
        let State { kept, rows: sum } = &mut *state;
        if let Some(before) = kept.remove(&manifest.file) {
            *sum -= before.weight();
        }
        let manifest = Arc::clone(manifest);
        let fresh = Kept { manifest, rows };
        if fresh.weight() > MAX_ROWS {
            return;
        }
        if *sum + fresh.weight() > MAX_ROWS {
            // Which of them goes does not matter: it is made again.
            kept.clear();
            *sum = 0;
        }
        *sum += fresh.weight();
        kept.insert(fresh.manifest.file.clone(), Arc::new(fresh));
    }

    /// Held for one look; every change leaves the table usable.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
