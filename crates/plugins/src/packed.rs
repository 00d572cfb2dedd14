//! A marketplace that came as one archive, on disk: what its place says of the archive, and how it is
//! made before it takes its place.
//!
//! A place holds the files, in directories that spell the origin, and a note. The two are exchanged
//! and removed together, as a checkout is with its own. The note says what came; where it came from
//! is said by the path alone, and a note that says otherwise is none.

use plugd_config::MarketplaceKind;
use plugd_disk::tree::sync_tree;
use plugd_disk::{Disk, DiskError, FileLock};
use plugd_model::{AbsPath, Layout, MarketplaceName, PackedOrigin, Problem, sha256_digest};
use serde_json::{Value, json};

use crate::archives::Unpacked;
use crate::call::Call;
use crate::{Error, Lookup, checkout};

/// More than any note needs.
const MAX_NOTE: u64 = 1 << 20;
/// The format of a note.
const FORMAT: u64 = 1;

/// What a place says of the archive that it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// The digest of the artifact, or of the archive itself.
    pub(crate) digest: String,
    /// The mark by which the server of an archive knows it again.
    pub(crate) etag: Option<String>,
}

impl Note {
    /// Reads the note of a marketplace that came from there. One that cannot be read says nothing, and
    /// the next upgrade writes a new one.
    pub(crate) fn read(disk: &Disk, place: &AbsPath, origin: &PackedOrigin) -> Option<Self> {
        Self::known(disk, place, origin).ok()?
    }

    /// The same for whoever writes down what it says: a note that the system refuses to read must not
    /// be taken for none.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn known(
        disk: &Disk,
        place: &AbsPath,
        origin: &PackedOrigin,
    ) -> Result<Option<Self>, DiskError> {
        match disk.read(&Layout::packed_note(place), MAX_NOTE) {
            Ok(bytes) => Ok(Self::parse(&bytes, origin)),
            Err(error) if checkout::says_nothing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The note of the place around the files of a marketplace.
    ///
    /// # Errors
    /// As [`Note::known`].
    pub(crate) fn around(
        disk: &Disk,
        root: &AbsPath,
        origin: &PackedOrigin,
    ) -> Result<Option<Self>, DiskError> {
        let place = root.ancestors().nth(origin.directories().len());
        match place {
            Some(place) => Self::known(disk, &place, origin),
            None => Ok(None),
        }
    }

    fn parse(bytes: &[u8], origin: &PackedOrigin) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let is_it = value["version"] == json!(FORMAT) && text("origin")? == origin.to_string();
        let digest = text("digest")?;
        let is_digest = sha256_digest(&digest).as_ref() == Some(&digest);
        (is_it && is_digest).then(|| Self {
            digest,
            etag: text("etag"),
        })
    }
}

/// How a marketplace of an origin is configured in this home.
pub(crate) fn row(
    layout: &Layout,
    name: &MarketplaceName,
    origin: &PackedOrigin,
) -> MarketplaceKind {
    MarketplaceKind::Packed {
        place: layout.packed_marketplace(name, origin),
        origin: origin.clone(),
    }
}

/// Puts what was unpacked into a place that is not in its place yet. What it is called is known
/// afterwards.
///
/// # Errors
/// It holds no usable marketplace, or the system refuses.
pub(crate) fn lay_out(
    lookup: &Lookup,
    staged: &AbsPath,
    origin: &PackedOrigin,
    unpacked: &Unpacked,
) -> Result<MarketplaceName, Error> {
    let disk = lookup.disk();
    let root = Layout::packed_root(staged, origin);
    if let Some(above) = root.parent() {
        disk.create_dirs(&above)?;
    }
    disk.rename(&unpacked.dir, &root)?;
    let name = name_of(lookup, &root, origin)?;
    write_note(disk, staged, origin, unpacked)?;
    sync_tree(disk, staged)?;
    Ok(name)
}

/// Writes the note of a place.
pub(crate) fn write_note(
    disk: &Disk,
    place: &AbsPath,
    origin: &PackedOrigin,
    unpacked: &Unpacked,
) -> Result<(), DiskError> {
    let note = json!({
        "version": FORMAT,
        "origin": origin.to_string(),
        "digest": unpacked.digest,
        "etag": unpacked.etag,
    });
    let text = format!("{note:#}\n");
    disk.replace(&Layout::packed_note(place), text.as_bytes(), 0o600)
}

/// Waits for the lock over the places of all marketplaces, whatever they come from, and makes the
/// directory above those that came as one archive.
pub(crate) fn lock(call: &Call, lookup: &Lookup) -> Result<FileLock, Error> {
    let lock = checkout::lock(call, lookup)?;
    let places = lookup.layout().packed_marketplaces();
    lookup.disk().create_dirs_durably(&places)?;
    Ok(lock)
}

/// The name that the manifest in an archive gives.
pub(crate) fn name_of(
    lookup: &Lookup,
    root: &AbsPath,
    origin: &PackedOrigin,
) -> Result<MarketplaceName, Error> {
    crate::marketplace_add::name_of(lookup, root).map_err(|error| match error {
        Error::NoMarketplaceThere { problem, .. } => Error::NoMarketplaceInRepository {
            url: origin.to_string(),
            problem: Box::new(inside(*problem, root)),
        },
        other => other,
    })
}

/// A problem whose path is told from the root of the archive: what was unpacked goes away.
fn inside(problem: Problem, root: &AbsPath) -> Problem {
    let problem = checkout::inside(problem, root);
    Problem {
        message: problem.message.replace("the repository", "the archive"),
        ..problem
    }
}

/// What the place of a marketplace says, when the files in it can be used under that name.
pub(crate) fn usable(
    lookup: &Lookup,
    name: &MarketplaceName,
    origin: &PackedOrigin,
) -> Option<Note> {
    let layout = lookup.layout();
    let root = layout.packed_marketplace(name, origin);
    let is_it = name_of(lookup, &root, origin).is_ok_and(|found| found == *name);
    let note = || Note::read(lookup.disk(), &layout.packed_place(name), origin);
    is_it.then(note).flatten()
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;
