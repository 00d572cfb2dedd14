//! The content that a lock names, brought to this machine before anything of the home changes.
//!
//! A marketplace is taken at the commit that the plugin came from. The nearest way counts: a version
//! that is kept, the home's own checkout, and only then another machine. What came is checked by
//! `lock_stage`.

use std::collections::BTreeMap;

use plugd_git::Checkout;
use plugd_lockfile::{LockedMarketplace, LockedPlugin, LockedSource, Lockfile};
use plugd_model::{AbsPath, MarketplaceName, OciReference, PluginId, Source};
use plugd_store::{Kept, Workspace};

use crate::archive_read::{Archived, Opened};
use crate::binding;
use crate::call::Call;
use crate::checkout::{self, Note};
use crate::curated::curated_url;
use crate::curated_commit::curated_commit;
use crate::fetcher::{Fetched, Repository};
use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::lock_plan::{Plan, PluginStep, directory};
use crate::lock_stage::same_place;
use crate::marketplace_add::checkout_of;
use crate::packed::Note as Packed;
use crate::parts::Parts;
use crate::source_text::GitSource;
use crate::upgrade_rows::Far;
use crate::{Copies, Error, Lookup};

/// A marketplace at one commit, or as it is now.
type Wanted = (MarketplaceName, Option<String>);

/// What was brought. It is dropped where the disk may be waited for.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// The marketplaces.
    catalogs: BTreeMap<Wanted, Catalog>,
    /// The content of plugins that lie elsewhere.
    pub(crate) fetched: BTreeMap<PluginId, Fetched>,
    /// What an archive has of plugins.
    pub(crate) archived: BTreeMap<PluginId, Archived>,
    /// Versions that are kept here.
    pub(crate) kept: BTreeMap<PluginId, Kept>,
    /// Hold what was fetched of marketplaces.
    workspaces: Vec<Workspace>,
}

/// A marketplace on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Catalog {
    /// Where it lies.
    pub(crate) root: AbsPath,
    /// When its commit was made, when it is from git.
    pub(crate) committed_at: Option<i64>,
}

/// What has to be fetched.
#[derive(Debug, Default)]
struct Missing {
    catalogs: BTreeMap<Wanted, Far>,
    sources: BTreeMap<PluginId, Source>,
}

/// Brings everything that the steps need.
///
/// # Errors
/// Something cannot be had, or only from another machine although none may be asked.
pub(crate) async fn bring(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    lock: &Lockfile,
    plan: &Plan,
    offline: bool,
) -> Result<Brought, Error> {
    let steps: Vec<PluginStep> = plan
        .plugins
        .iter()
        .filter(|step| step.brings())
        .cloned()
        .collect();
    let (of, place, lock) = (parts.clone(), place.clone(), lock.clone());
    let looked = parts
        .blocking
        .read(move || at_hand(&of.lookup, &of.copies, &place, &lock, &steps));
    let (mut brought, missing) = looked.await?;
    if offline && !(missing.catalogs.is_empty() && missing.sources.is_empty()) {
        return Err(LockError::Offline {
            missing: missing.names(),
        }
        .into());
    }
    let fetched = fetch(call, parts, missing, &mut brought).await;
    match fetched {
        Ok(()) => Ok(brought),
        Err(error) => {
            brought.sweep(parts).await?;
            Err(error)
        }
    }
}

impl Brought {
    /// Takes away what was brought, which is work for the disk.
    pub(crate) async fn sweep(self, parts: &Parts) -> Result<(), Error> {
        let swept = parts.blocking.write(move || {
            drop(self);
            Ok(())
        });
        swept.await
    }

    /// The directory of the marketplace that has a plugin's entry.
    pub(crate) fn catalog(
        &self,
        step: &PluginStep,
        archived: Option<&Archived>,
    ) -> Option<Catalog> {
        match archived {
            // How old a commit is that somebody exported is not in the archive.
            Some(archived) => Some(Catalog {
                root: archived.catalog.clone(),
                committed_at: None,
            }),
            None => self.catalogs.get(&wanted_catalog(step)).cloned(),
        }
    }

    /// What an archive has. Nothing else is looked for: it has everything, or is refused.
    pub(crate) fn of_archive(opened: &Opened, plan: &Plan) -> Self {
        let steps = plan.plugins.iter().filter(|step| step.brings());
        let archived = steps.filter_map(|step| Some((step.id.clone(), opened.of(&step.id)?)));
        Self {
            archived: archived.collect(),
            ..Self::default()
        }
    }
}

impl Missing {
    fn names(&self) -> Vec<String> {
        let catalogs = self.catalogs.keys().map(|(name, commit)| match commit {
            Some(commit) => format!("the marketplace `{name}` at {commit}"),
            None => format!("the marketplace `{name}`"),
        });
        let sources = self.sources.keys().map(|id| format!("`{id}`"));
        catalogs.chain(sources).collect()
    }
}

/// What is on this machine already.
fn at_hand(
    lookup: &Lookup,
    copies: &Copies,
    place: &LockPlace,
    lock: &Lockfile,
    steps: &[PluginStep],
) -> Result<(Brought, Missing), Error> {
    let (mut brought, mut missing) = (Brought::default(), Missing::default());
    for step in steps {
        if let Some(kept) = kept(copies, step)? {
            brought.kept.insert(step.id.clone(), kept);
            continue;
        }
        let Some(marketplace) = lock.marketplaces.get(&step.id.marketplace) else {
            continue;
        };
        let wanted = wanted_catalog(step);
        if !brought.catalogs.contains_key(&wanted) && !missing.catalogs.contains_key(&wanted) {
            match catalog_at_hand(lookup, place, &wanted, marketplace) {
                Some(root) => drop(brought.catalogs.insert(wanted, root)),
                None => {
                    let source = far(lookup, &step.id, marketplace)?;
                    missing.catalogs.insert(wanted, source);
                }
            }
        }
        if let Some(source) = source_elsewhere(&step.wanted) {
            missing.sources.insert(step.id.clone(), source);
        }
    }
    Ok((brought, missing))
}

/// A kept version with the locked content.
fn kept(copies: &Copies, step: &PluginStep) -> Result<Option<Kept>, Error> {
    let in_store = |error| Error::StoreState(Box::new(error));
    let store = copies.store()?;
    let wanted = &step.wanted;
    // Only what came from the marketplace that the lock names: whatever else has that content was
    // never offered by it.
    let is_it = |kept: &Kept| {
        kept.origin.as_ref().is_some_and(|origin| {
            kept.version == wanted.version
                && origin.source_digest == Some(wanted.source_digest)
                && step.bound.is(&binding::of_record(&origin.bound))
                && match &wanted.source {
                    LockedSource::InMarketplace(_) => matches!(origin.source, Source::Local { .. }),
                    elsewhere => same_place(elsewhere, &origin.source),
                }
        })
    };
    let versions = store.kept_versions(&step.id).map_err(in_store)?;
    for (kept, _) in versions.into_iter().filter(|(kept, _)| is_it(kept)) {
        if store
            .kept_tree(&kept.tree_digest)
            .map_err(in_store)?
            .is_some()
        {
            return Ok(Some(kept));
        }
    }
    Ok(None)
}

/// The marketplace that has the plugin's entry: at the plugin's commit when its files are there too.
fn wanted_catalog(step: &PluginStep) -> Wanted {
    let commit = match step.wanted.source {
        LockedSource::InMarketplace(_) => step.wanted.resolved.clone(),
        LockedSource::Git { .. }
        | LockedSource::Npm { .. }
        | LockedSource::Oci { .. }
        | LockedSource::Archive { .. } => None,
    };
    (step.id.marketplace.clone(), commit)
}

/// Where a marketplace lies on this machine at that commit.
pub(crate) fn catalog_at_hand(
    lookup: &Lookup,
    place: &LockPlace,
    (name, commit): &Wanted,
    marketplace: &LockedMarketplace,
) -> Option<Catalog> {
    let (root, at, committed_at) = match marketplace {
        LockedMarketplace::Local(location) => {
            let root = directory(place, location);
            return Some(Catalog {
                root,
                committed_at: None,
            });
        }
        LockedMarketplace::Git { .. } => {
            let root = lookup.layout().git_marketplace(name);
            let note = Note::read(lookup.disk(), &root)?;
            let committed_at = checkout::committed_at(lookup.disk(), &root);
            (root, note.revision, committed_at)
        }
        LockedMarketplace::Packed(origin) => {
            let note = Packed::read(lookup.disk(), &lookup.layout().packed_place(name), origin)?;
            let root = lookup.layout().packed_marketplace(name, origin);
            (root, Some(note.digest), None)
        }
        LockedMarketplace::Curated => (
            lookup.layout().curated(),
            curated_commit(lookup.loader(), lookup.layout()),
            None,
        ),
    };
    (commit.is_none() || *commit == at).then_some(Catalog { root, committed_at })
}

/// Where a marketplace is to be had from.
fn far(lookup: &Lookup, id: &PluginId, marketplace: &LockedMarketplace) -> Result<Far, Error> {
    match marketplace {
        LockedMarketplace::Packed(origin) => Ok(Far::Packed(origin.clone())),
        repository => repository_of(lookup, id, repository).map(Far::Git),
    }
}

/// The repository of a marketplace.
fn repository_of(
    lookup: &Lookup,
    id: &PluginId,
    marketplace: &LockedMarketplace,
) -> Result<GitSource, Error> {
    let not_offered = |reason: &str| LockError::NotOffered {
        id: id.clone(),
        reason: reason.to_owned(),
    };
    match marketplace {
        LockedMarketplace::Git {
            url,
            ref_name,
            sparse_paths,
        } => Ok(GitSource {
            url: url.clone(),
            ref_name: ref_name.clone(),
            sparse_paths: sparse_paths.clone(),
        }),
        LockedMarketplace::Curated => Ok(GitSource {
            url: curated_url(&lookup.config(None)),
            ref_name: None,
            sparse_paths: Vec::new(),
        }),
        LockedMarketplace::Local(_) | LockedMarketplace::Packed(_) => {
            Err(not_offered("its marketplace is no git repository").into())
        }
    }
}

/// Where the content of a plugin is that its marketplace only names.
fn source_elsewhere(wanted: &LockedPlugin) -> Option<Source> {
    match &wanted.source {
        LockedSource::InMarketplace(_) => None,
        LockedSource::Git { url, path, .. } => Some(Source::Git {
            url: url.clone(),
            path: path.clone(),
            ref_name: None,
            sha: wanted.resolved.clone(),
        }),
        LockedSource::Npm {
            package, registry, ..
        } => Some(Source::Npm {
            package: package.clone(),
            version: wanted.resolved.clone(),
            registry: registry.clone(),
        }),
        LockedSource::Oci { reference } => Some(Source::Oci {
            reference: at_digest(reference, wanted.resolved.as_deref()),
        }),
        LockedSource::Archive { url } => Some(Source::Archive {
            url: url.clone(),
            digest: wanted.resolved.clone().unwrap_or_default(),
        }),
    }
}

/// The artifact at the locked digest. A lock without one is none, and none is read so.
fn at_digest(reference: &OciReference, digest: Option<&str>) -> OciReference {
    let pinned = reference.at(reference.tag(), digest);
    pinned.unwrap_or_else(|_| reference.clone())
}

async fn fetch(
    call: &Call,
    parts: &Parts,
    missing: Missing,
    brought: &mut Brought,
) -> Result<(), Error> {
    let Parts {
        blocking,
        lookup,
        copies,
        fetcher,
        ..
    } = parts;
    for (wanted, source) in missing.catalogs {
        let of = copies.clone();
        let workspace = blocking.write(move || of.workspace()).await?;
        let root = workspace.dir().join("checkout");
        brought.workspaces.push(workspace);
        let source = match source {
            Far::Git(source) => source,
            Far::Packed(origin) => {
                let pinned = match &wanted.1 {
                    Some(digest) => origin.at(digest),
                    None => origin,
                };
                let disk = lookup.disk();
                let came = fetcher.packed(call, blocking, disk, &pinned, None, root);
                let catalog = Catalog {
                    root: came.await?.dir,
                    committed_at: None,
                };
                brought.catalogs.insert(wanted, catalog);
                continue;
            }
        };
        let repository = match &wanted.1 {
            Some(commit) => Repository::new(&source.url, None, Some(commit))?,
            None => source.repository()?,
        };
        let place: Checkout = checkout_of(&root, &source);
        let checked_out = fetcher.obtain(call, lookup, &repository, &place).await?;
        let catalog = Catalog {
            root,
            committed_at: checked_out.committed_at,
        };
        brought.catalogs.insert(wanted, catalog);
    }
    for (id, source) in missing.sources {
        let fetched = fetcher
            .fetch(call, blocking, lookup, copies, &id, source)
            .await?;
        brought.fetched.insert(id, fetched);
    }
    Ok(())
}
