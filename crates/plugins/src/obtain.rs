//! The one way to content: from an entry's source to a directory that an installation may copy.

use plugd_disk::{DiskError, Kind};
use plugd_marketplace::Offer;
use plugd_model::{AbsPath, InstallPolicy, PluginId, Source};

use crate::{Error, Lookup};

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

/// The directory with the entry's content.
///
/// # Errors
/// It is missing, leads out of its marketplace, or its kind of source cannot be fetched.
pub(crate) fn obtain(lookup: &Lookup, offer: &Offer<'_>) -> Result<AbsPath, Error> {
    let id = offer.id();
    match &offer.entry.source {
        Source::Local { path } => local(lookup, id, &offer.content.manifest.value.root, path),
        Source::Git { .. } => Err(Error::SourceNotBuilt {
            id,
            what: "a git repository",
        }),
        Source::Npm { .. } => Err(Error::SourceNotBuilt {
            id,
            what: "an npm registry",
        }),
    }
}

/// Resolves links first and then asks where it ended: a linked directory inside the marketplace is
/// fine, one that leads out is how a catalog would copy somebody's private files.
fn local(
    lookup: &Lookup,
    id: PluginId,
    marketplace: &AbsPath,
    path: &AbsPath,
) -> Result<AbsPath, Error> {
    let disk = lookup.disk();
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
