//! What an installation would copy, read and checked before anything is written.

use plugd_disk::tree::TreeError;
use plugd_manifest::Fallback;
use plugd_marketplace::{Binding, Offer};
use plugd_model::{AbsPath, PluginId, PluginManifest, PluginPath, VersionSegment};
use plugd_store::{Believing, SourceContent, StoreError};

use crate::call::Call;
use crate::curated_commit::curated_version;
use crate::details::details_of_dir;
use crate::listing::Details;
use crate::{Copies, Error, Lookup};

/// Where an installation puts the manifest that a marketplace entry stands in for.
pub(crate) const FALLBACK_MANIFEST: &str = "./.codex-plugin/plugin.json";

/// The content of an offer that can be installed.
pub(crate) struct Content {
    /// The directory to copy, links resolved.
    pub(crate) source: AbsPath,
    /// Its manifest.
    pub(crate) manifest: PluginManifest,
    /// The version directory that it gets.
    pub(crate) version: VersionSegment,
    /// Files that the copy gets beside the source's.
    pub(crate) extra: Vec<(PluginPath, Vec<u8>)>,
}

impl Content {
    /// Reads what there is to install.
    ///
    /// # Errors
    /// The manifest is missing or broken, speaks of another plugin, or has a version that cannot
    /// name a directory.
    pub(crate) fn read(lookup: &Lookup, offer: &Offer<'_>, source: AbsPath) -> Result<Self, Error> {
        let mut extra = Vec::new();
        let details = details_of_dir(lookup.loader(), &source, offer);
        if let Some(refusal) = crate::read::refusal(offer, &details) {
            return Err(refusal);
        }
        let manifest = match details {
            Details::Manifest(loaded, _) => loaded.value.clone(),
            Details::Fallback(fallback, _) => {
                if let Some(path) = PluginPath::parse(FALLBACK_MANIFEST) {
                    extra.push((path, fallback.json().as_bytes().to_vec()));
                }
                fallback.manifest().clone()
            }
            _ => {
                return Err(Error::SourceMissing {
                    id: offer.id(),
                    path: source,
                });
            }
        };
        let id = offer.id();
        if manifest.name != id.plugin.as_str() {
            return Err(Error::NameMismatch {
                id,
                found: manifest.name,
                path: source,
            });
        }
        Ok(Self {
            version: version_of(lookup, offer, &manifest)?,
            source,
            manifest,
            extra,
        })
    }

    /// What an installation would record of the source as it is now, and what it would leave out.
    pub(crate) fn offered(
        &self,
        copies: &Copies,
        id: &PluginId,
        believing: Believing,
        call: &Call,
    ) -> Result<SourceContent, Error> {
        let store = copies.store()?;
        store
            .source_content(&self.source, believing, call)
            .map_err(|source| Error::Store {
                action: "read the source of",
                id: id.clone(),
                source: Box::new(source),
            })
    }

    /// Whether a copy holds the files that an installation adds, as they would be today: they come
    /// from the marketplace's entry and are in no digest of the source.
    pub(crate) fn extra_is_in(&self, lookup: &Lookup, copy: &AbsPath) -> bool {
        self.extra.iter().all(|(path, content)| {
            let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
            let on_disk = lookup.disk().read(&path.below(copy), size);
            on_disk.is_ok_and(|bytes| bytes == *content)
        })
    }

    /// What counts is what was copied: a source that changed meanwhile is refused.
    pub(crate) fn check_copy(
        &self,
        lookup: &Lookup,
        id: &PluginId,
        copy: &AbsPath,
    ) -> Result<(), Error> {
        let loaded = lookup
            .loader()
            .plugin_named(copy, id.plugin.as_str())
            .map_err(|problem| Error::BadManifest {
                id: id.clone(),
                problem: Box::new(problem),
            })?;
        if loaded.is_some_and(|loaded| loaded.value == self.manifest || !self.extra.is_empty()) {
            return Ok(());
        }
        let changed = TreeError::Changed {
            path: self.source.clone(),
        };
        Err(Error::Store {
            action: "copy",
            id: id.clone(),
            source: Box::new(StoreError::Tree(changed)),
        })
    }
}

/// Whether a copy holds the manifest that a marketplace entry stands in for, as it would be today.
pub(crate) fn is_fallback_of(lookup: &Lookup, copy: &AbsPath, fallback: &Fallback) -> bool {
    let size = u64::try_from(fallback.json().len()).unwrap_or(u64::MAX);
    PluginPath::parse(FALLBACK_MANIFEST).is_some_and(|path| {
        let on_disk = lookup.disk().read(&path.below(copy), size);
        on_disk.is_ok_and(|bytes| bytes == fallback.json().as_bytes())
    })
}

/// The version directory that a manifest asks for.
///
/// # Errors
/// It can name no directory, or the commit of the curated marketplace is not known.
pub(crate) fn version_of(
    lookup: &Lookup,
    offer: &Offer<'_>,
    manifest: &PluginManifest,
) -> Result<VersionSegment, Error> {
    let id = offer.id();
    if offer.content.binding == Binding::Curated {
        let Some(text) = curated_version(lookup.loader(), lookup.layout()) else {
            return Err(Error::NoCuratedCommit {
                path: lookup.layout().curated_sha(),
            });
        };
        return VersionSegment::new(&text).map_err(|source| Error::BadVersion { id, source });
    }
    plugd_manifest::store_version(manifest).map_err(|source| Error::BadVersion { id, source })
}
