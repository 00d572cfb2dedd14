//! The checkout of a git marketplace on disk: what it says of itself, and how it takes its place.
//!
//! Place and note are the reference's, so both programs keep one checkout. A new one is complete
//! before it is exchanged with the old one in one step; the old one goes away with the workspace
//! that the new one came from.

use std::time::Duration;

use plugd_disk::{Disk, DiskError, FileLock};
use plugd_model::git_url::without_secrets;
use plugd_model::{AbsPath, Layout, MarketplaceName, Problem, ProblemKind};
use plugd_store::Workspace;
use serde_json::{Value, json};

use crate::call::Call;
use crate::source_text::GitSource;
use crate::{Error, Lookup};

/// More than any note needs.
const MAX_NOTE: u64 = 1 << 20;
/// The member of a note that says how old its commit is.
const COMMITTED_AT: &str = "commit_time";
/// How long to wait for another process that puts a checkout in its place.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a checkout says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Note {
    pub(crate) source: Option<GitSource>,
    pub(crate) revision: Option<String>,
    /// When that commit was made. It is ours; the reference passes over it.
    committed_at: Option<i64>,
}

impl Note {
    /// Reads the note of a checkout. One that cannot be read says nothing, and the next upgrade
    /// writes a new one.
    pub(crate) fn read(disk: &Disk, checkout: &AbsPath) -> Option<Self> {
        Self::known(disk, checkout).ok()?
    }

    /// The same for whoever writes down what it says: a note that the system refuses to read must not
    /// be taken for none.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn known(disk: &Disk, checkout: &AbsPath) -> Result<Option<Self>, DiskError> {
        match disk.read(&Layout::git_marketplace_note(checkout), MAX_NOTE) {
            Ok(bytes) => Ok(Self::parse(&bytes)),
            Err(error) if says_nothing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let paths = value["sparse_paths"].as_array().into_iter().flatten();
        Some(Self {
            source: text("source").map(|url| GitSource {
                url,
                ref_name: text("ref_name"),
                sparse_paths: paths
                    .filter_map(|path| Some(path.as_str()?.to_owned()))
                    .collect(),
            }),
            revision: text("revision"),
            committed_at: value[COMMITTED_AT].as_i64(),
        })
    }

    /// Whether the checkout is this source at this commit.
    pub(crate) fn is(&self, source: &GitSource, revision: &str) -> bool {
        self.source.as_ref() == Some(source) && self.revision.as_deref() == Some(revision)
    }
}

/// Whether what cannot be read is no file that says something, also at the next look.
pub(crate) fn says_nothing(error: &DiskError) -> bool {
    let is_none = matches!(
        error,
        DiskError::NotAFile { .. } | DiskError::TooLarge { .. }
    );
    is_none || error.is_not_found()
}

/// When the commit of a checkout was made, in seconds since the epoch. Where nobody wrote that down,
/// when the checkout was made, which is when it was first seen here.
pub(crate) fn committed_at(disk: &Disk, checkout: &AbsPath) -> Option<i64> {
    if let Some(said) = Note::read(disk, checkout).and_then(|note| note.committed_at) {
        return Some(said);
    }
    let note = Layout::git_marketplace_note(checkout);
    let stamp = |path: &AbsPath| disk.link_stamp(path).ok().flatten();
    let made = stamp(&note).or_else(|| stamp(checkout))?.modified_ns;
    i64::try_from(made / 1_000_000_000).ok()
}

/// Writes the note of a checkout that is not in its place yet. A file of the repository that has its
/// name is replaced: it would speak of another checkout.
///
/// # Errors
/// The repository has a directory of that name, or the system refuses.
pub(crate) fn write_note(
    disk: &Disk,
    checkout: &AbsPath,
    source: &GitSource,
    revision: &str,
    committed_at: Option<i64>,
) -> Result<(), Error> {
    let mut note = json!({
        "source_type": "git",
        "source": source.url,
        "ref_name": source.ref_name,
        "sparse_paths": source.sparse_paths,
        "revision": revision,
    });
    if let Some(at) = committed_at {
        note[COMMITTED_AT] = json!(at);
    }
    let mut text = format!("{note:#}");
    text.push('\n');
    let file = Layout::git_marketplace_note(checkout);
    // A row that somebody wrote by hand may hold a login, and the note repeats it.
    match disk.replace(&file, text.as_bytes(), 0o600) {
        Err(DiskError::NotAFile { .. }) => {
            let text = "it has a directory in the place where a checkout says what it is";
            let problem = Problem::error(ProblemKind::NotAFile, text);
            Err(Error::NoMarketplaceInRepository {
                url: without_secrets(&source.url),
                problem: Box::new(problem),
            })
        }
        written => Ok(written?),
    }
}

/// Waits for the reference's lock over the places, and for our own of the same place.
pub(crate) fn lock(call: &Call, lookup: &Lookup) -> Result<FileLock, Error> {
    let layout = lookup.layout();
    // A checkout that takes its place for good must not be lost together with what is above it.
    lookup
        .disk()
        .create_dirs_durably(&layout.git_marketplaces())?;
    let file = layout.git_marketplaces_lock();
    Ok(lookup.disk().lock(&file, call.patience(PATIENCE))?)
}

/// A checkout that has taken its place, until [`Placed::keep`] is called or it is dropped and taken
/// out again.
pub(crate) struct Placed<'a> {
    disk: &'a Disk,
    place: AbsPath,
    staged: AbsPath,
    was_there: bool,
    kept: bool,
}

/// Puts a complete checkout into its place. What was there lies in the workspace afterwards.
pub(crate) fn put<'a>(
    disk: &'a Disk,
    workspace: &Workspace,
    staged: &AbsPath,
    place: &AbsPath,
) -> Result<Placed<'a>, Error> {
    let was_there = disk.link_stamp(place)?.is_some();
    if !was_there {
        disk.rename(staged, place)?;
    } else if !disk.exchange(staged, place)? {
        let parked = workspace.dir().join("parked");
        disk.rename(place, &parked)?;
        if let Err(error) = disk.rename(staged, place) {
            disk.rename(&parked, place)?;
            return Err(error.into());
        }
        disk.rename(&parked, staged)?;
    }
    if let Some(parent) = place.parent() {
        disk.sync_dir(&parent)?;
    }
    Ok(Placed {
        disk,
        place: place.clone(),
        staged: staged.clone(),
        was_there,
        kept: false,
    })
}

impl Placed<'_> {
    /// The checkout stays.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Placed<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let back = match self.was_there {
            true => self.disk.exchange(&self.staged, &self.place).map(|_| ()),
            false => self.disk.rename(&self.place, &self.staged),
        };
        if let Err(error) = back {
            tracing::warn!(place = %self.place, %error, "a checkout cannot be taken back");
        }
    }
}

/// The name that a checkout's manifest gives it.
pub(crate) fn name_of(
    lookup: &Lookup,
    checkout: &AbsPath,
    source: &GitSource,
) -> Result<MarketplaceName, Error> {
    crate::marketplace_add::name_of(lookup, checkout).map_err(|error| match error {
        Error::NoMarketplaceThere { problem, .. } => Error::NoMarketplaceInRepository {
            url: plugd_model::git_url::without_credentials(&source.url),
            problem: Box::new(inside(*problem, checkout)),
        },
        other => other,
    })
}

/// A problem whose path is told from the root of the repository: the checkout goes away.
pub(crate) fn inside(problem: Problem, checkout: &AbsPath) -> Problem {
    let root = checkout.to_text();
    let place = problem.path.as_ref().and_then(|path| {
        let text = path.to_text();
        let rest = text.strip_prefix(&root)?.trim_start_matches('/').to_owned();
        (!rest.is_empty()).then_some(rest)
    });
    let shown = problem
        .message
        .replace(&format!("{root}/"), "")
        .replace(&root, "the repository");
    let message = match place {
        Some(place) if !shown.contains(&place) => format!("{place}: {shown}"),
        _ => shown,
    };
    Problem {
        message,
        path: None,
        ..problem
    }
}

/// What to say of a configured marketplace that could not be had from another machine.
pub(crate) fn not_fetched(name: &str, reason: &str) -> String {
    format!("the marketplace `{name}` could not be fetched: {reason}")
}

#[cfg(test)]
#[path = "checkout_tests.rs"]
mod tests;
