//! The one way to content: from an entry's source to a directory that an installation may copy.
//!
//! A local source is there. Any other is fetched first, without a lock and before the blocking
//! section that installs; what was fetched is only used for the very source it was fetched for.

use plugd_disk::{Disk, DiskError, Kind};
use plugd_marketplace::{Binding, Offer};
use plugd_model::{AbsPath, InstallPolicy, PluginId, Problem, Source};
use plugd_store::{Store, StoreError, Transaction};

use crate::curated_commit::known_curated_commit;
use crate::fetcher::Fetched;
use crate::{Error, Lookup, checkout, packed};

/// Content at hand.
#[derive(Debug)]
pub(crate) struct Obtained {
    /// The directory.
    pub(crate) dir: AbsPath,
    /// The commit that it is from, when it is from git.
    pub(crate) commit: Option<String>,
    /// When that commit was made, in seconds since the epoch; where nobody has said, when it was first
    /// seen here.
    pub(crate) committed_at: Option<i64>,
    /// What is not as it should be and does no harm.
    pub(crate) problems: Vec<Problem>,
    /// The transaction that holds fetched content.
    begun: Option<Box<Transaction>>,
}

/// What there is for an offer.
pub(crate) enum Supply {
    /// The content.
    Here(Obtained),
    /// It has to be fetched from there.
    Elsewhere(Source),
}

/// Whether an entry may be installed at all. A pure check.
///
/// # Errors
/// Its marketplace does not make it available.
pub(crate) fn admit(offer: &Offer<'_>) -> Result<(), Error> {
    match offer.entry.install_policy {
        InstallPolicy::Available | InstallPolicy::InstalledByDefault => Ok(()),
        InstallPolicy::NotAvailable => Err(Error::NotAvailable { id: offer.id() }),
    }
}

/// The directory with the entry's content, or where to fetch it from. `fetched` is what an earlier
/// call asked for.
///
/// # Errors
/// It is missing or leads out of its marketplace.
pub(crate) fn obtain(
    lookup: &Lookup,
    offer: &Offer<'_>,
    fetched: Option<Fetched>,
) -> Result<Supply, Error> {
    obtain_from(lookup, offer, &offer.entry.source, fetched)
}

/// The same for the entry's source with another ref or release in it.
///
/// # Errors
/// It is missing or leads out of its marketplace.
pub(crate) fn obtain_from(
    lookup: &Lookup,
    offer: &Offer<'_>,
    source: &Source,
    fetched: Option<Fetched>,
) -> Result<Supply, Error> {
    if let Source::Local { path } = source {
        let root = &offer.content.manifest.value.root;
        let dir = local(lookup.disk(), offer.id(), root, path)?;
        let (commit, committed_at) = commit_of_marketplace(lookup, offer)?;
        let obtained = Obtained::of_dir(dir, commit).committed_at(committed_at);
        return Ok(Supply::Here(obtained));
    }
    Ok(match fetched {
        Some(fetched) if fetched.source == *source => Supply::Here(Obtained::of_fetched(fetched)),
        // The entry names something else by now.
        _ => Supply::Elsewhere(source.clone()),
    })
}

impl Obtained {
    /// A directory that is there.
    pub(crate) fn of_dir(dir: AbsPath, commit: Option<String>) -> Self {
        Self {
            dir,
            commit,
            committed_at: None,
            problems: Vec::new(),
            begun: None,
        }
    }

    /// The same with the age of its commit.
    pub(crate) fn committed_at(self, committed_at: Option<i64>) -> Self {
        Self {
            committed_at,
            ..self
        }
    }

    /// Content that was fetched, for the very source it was fetched for.
    pub(crate) fn of_fetched(fetched: Fetched) -> Self {
        Self {
            dir: fetched.dir,
            commit: fetched.commit,
            committed_at: fetched.committed_at,
            problems: fetched.problems,
            begun: Some(Box::new(fetched.transaction)),
        }
    }

    /// The transaction that installs the content: the one that fetched it, or a new one.
    pub(crate) fn begin(self, store: &Store, id: &PluginId) -> Result<Transaction, StoreError> {
        match self.begun {
            Some(begun) => Ok(*begun),
            None => store.begin(id),
        }
    }
}

/// A commit, and when it was made in seconds since the epoch.
type Commit = (Option<String>, Option<i64>);

/// The commit that a marketplace is at and its age, when its files come from git. It is going to be
/// recorded, so what cannot be read for the moment is an error.
fn commit_of_marketplace(lookup: &Lookup, offer: &Offer<'_>) -> Result<Commit, DiskError> {
    match &offer.content.binding {
        Binding::Manifest(_) | Binding::Remote { .. } => Ok((None, None)),
        Binding::Packed(origin) => {
            let root = &offer.content.manifest.value.root;
            let note = packed::Note::around(lookup.disk(), root, origin)?;
            // Nobody says when an archive was made.
            Ok((note.map(|note| note.digest), None))
        }
        Binding::Git { .. } => {
            let root = &offer.content.manifest.value.root;
            let note = checkout::Note::known(lookup.disk(), root)?;
            let revision = note.and_then(|note| note.revision);
            Ok((revision, checkout::committed_at(lookup.disk(), root)))
        }
        Binding::Curated => {
            let commit = known_curated_commit(lookup.disk(), lookup.layout())?;
            Ok((commit, None))
        }
    }
}

/// Resolves links first and then asks where it ended: a linked directory inside the marketplace is
/// fine, one that leads out is how a catalog would copy somebody's private files.
///
/// # Errors
/// It is no directory, or ends outside.
pub(crate) fn local(
    disk: &Disk,
    id: PluginId,
    marketplace: &AbsPath,
    path: &AbsPath,
) -> Result<AbsPath, Error> {
    let unreadable = |source: DiskError| Error::SourceUnreadable {
        id: id.clone(),
        path: path.clone(),
        source: Box::new(source),
    };
    match disk.stamp(path).map_err(unreadable)? {
        Some(stamp) if stamp.kind == Kind::Dir => {}
        _ => {
            return Err(Error::SourceMissing {
                id,
                path: path.clone(),
            });
        }
    }
    let root = disk.resolve(marketplace)?;
    let resolved = disk.resolve(path).map_err(unreadable)?;
    if resolved.starts_with(&root) {
        Ok(resolved)
    } else {
        Err(Error::SourceEscapes {
            id,
            path: path.clone(),
        })
    }
}
