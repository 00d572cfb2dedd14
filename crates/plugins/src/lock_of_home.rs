//! What a lock would say of a home: the installed copies with where they came from.

use std::collections::BTreeSet;

use plugd_config::{MarketplaceKind, Snapshot};
use plugd_lockfile::{Location, LockedMarketplace, LockedPlugin, LockedSource, Lockfile};
use plugd_manifest::marketplace_root;
use plugd_model::{
    AbsPath, Layout, MarketplaceName, OciReference, PluginId, Problem, ProblemKind, Source,
};
use plugd_store::{BoundSource, Installed, Provenance, Record};

use crate::lock_file::LockPlace;

/// What a home says of itself, and what cannot be locked.
#[derive(Debug, Default)]
pub(crate) struct OfHome {
    pub(crate) lock: Lockfile,
    /// Why each of the others is missing.
    pub(crate) left_out: Vec<(PluginId, Problem)>,
    /// What stays true on this machine only.
    pub(crate) notes: Vec<Problem>,
}

impl OfHome {
    /// Looks at these copies.
    pub(crate) fn read(
        layout: &Layout,
        config: &Snapshot,
        place: &LockPlace,
        copies: &[Installed],
    ) -> Self {
        let mut of_home = Self::default();
        for copy in copies {
            let found = locked(layout, config, place, copy);
            let (marketplace, plugin) = match found {
                Ok(found) => found,
                Err(problem) => {
                    of_home.left_out.push((copy.id.clone(), problem));
                    continue;
                }
            };
            let name = &copy.id.marketplace;
            let known = of_home.lock.marketplaces.get(name);
            if known.is_some_and(|known| *known != marketplace) {
                let text = format!(
                    "another plugin of `{name}` came from another marketplace of that name; \
                     install both from one"
                );
                let problem = Problem::warning(ProblemKind::Conflict, text);
                of_home.left_out.push((copy.id.clone(), problem));
                continue;
            }
            of_home.lock.marketplaces.insert(name.clone(), marketplace);
            of_home.lock.plugins.insert(copy.id.clone(), plugin);
        }
        of_home.notes = notes(&of_home.lock);
        of_home
    }
}

/// Marketplaces that only this machine has in this place.
fn notes(lock: &Lockfile) -> Vec<Problem> {
    let rows = lock.marketplaces.iter();
    rows.filter_map(|(name, one)| match one {
        LockedMarketplace::Local(Location::Machine(path)) => {
            let text = format!(
                "the marketplace `{name}` lies outside of the project, so the lock holds only where \
                 `{path}` is the same"
            );
            Some(Problem::warning(ProblemKind::BadPath, text).in_file(path))
        }
        _ => None,
    })
    .collect()
}

fn locked(
    layout: &Layout,
    config: &Snapshot,
    place: &LockPlace,
    copy: &Installed,
) -> Result<(LockedMarketplace, LockedPlugin), Problem> {
    let no = |kind, text: &str| Err(Problem::warning(kind, text).in_file(&copy.root));
    let Some(record) = copy.provenance_record() else {
        let text = match copy.provenance {
            Provenance::Recorded => "its record cannot be read",
            _ => "nothing is recorded about where this copy came from",
        };
        return no(ProblemKind::Missing, text);
    };
    let name = &copy.id.marketplace;
    let (marketplace, root) = match &record.bound {
        BoundSource::Manifest(manifest) => {
            let Some(root) = marketplace_root(manifest) else {
                return no(
                    ProblemKind::BadPath,
                    "its marketplace lies at no usual place",
                );
            };
            (LockedMarketplace::Local(location(place, &root)), root)
        }
        BoundSource::Git { url, ref_name } => (
            LockedMarketplace::Git {
                url: url.clone(),
                ref_name: ref_name.clone(),
                sparse_paths: sparse_paths(config, name),
            },
            layout.git_marketplace(name),
        ),
        BoundSource::Packed(origin) => (
            LockedMarketplace::Packed(origin.clone()),
            layout.packed_marketplace(name, origin),
        ),
        BoundSource::Curated => (LockedMarketplace::Curated, layout.curated()),
        BoundSource::Remote { .. } => {
            let text = "it comes from an account of the remote catalog, which decides its version";
            return no(ProblemKind::UnsupportedSource, text);
        }
    };
    Ok((marketplace, plugin(&copy.id, record, &root, copy)?))
}

fn plugin(
    id: &PluginId,
    record: &Record,
    root: &AbsPath,
    copy: &Installed,
) -> Result<LockedPlugin, Problem> {
    let no = |text: String| Problem::warning(ProblemKind::Missing, text).in_file(&copy.root);
    let source = match &record.source {
        Source::Local { path } => match below(root, path) {
            Some(path) => LockedSource::InMarketplace(path),
            None => {
                return Err(no(format!(
                    "`{path}` is not below its marketplace `{root}`"
                )));
            }
        },
        Source::Git {
            url,
            path,
            ref_name,
            ..
        } => LockedSource::Git {
            url: url.clone(),
            path: path.clone(),
            ref_name: ref_name.clone(),
        },
        Source::Npm {
            package,
            version,
            registry,
        } => LockedSource::Npm {
            package: package.clone(),
            version: version.clone(),
            registry: registry.clone(),
        },
        Source::Oci { reference } => LockedSource::Oci {
            reference: without_digest(reference),
        },
        Source::Archive { url, .. } => LockedSource::Archive { url: url.clone() },
        Source::Remote => return Err(no(format!("`{id}` comes from an account"))),
    };
    // In a directory of this machine the content alone says what it was.
    let needs_commit = !matches!(record.bound, BoundSource::Manifest(_))
        || !matches!(source, LockedSource::InMarketplace(_));
    if needs_commit && record.commit.is_none() {
        return Err(no("the commit that it came from is not known".to_owned()));
    }
    let Some(source_digest) = record.source_digest else {
        return Err(no("what was copied is not known".to_owned()));
    };
    Ok(LockedPlugin {
        version: copy.version.clone(),
        source,
        resolved: record.commit.clone().filter(|_| needs_commit),
        source_digest,
        tree_digest: record.tree_digest,
    })
}

/// The artifact as the marketplace may go on naming it: the digest is the lock's own.
fn without_digest(reference: &OciReference) -> OciReference {
    let plain = reference.at(reference.tag(), None);
    plain.unwrap_or_else(|_| reference.clone())
}

/// A directory as a lock says it.
fn location(place: &LockPlace, root: &AbsPath) -> Location {
    match below(&place.project, root) {
        Some(path) => Location::InProject(path),
        None => Location::Machine(root.clone()),
    }
}

/// The way from one directory to another below it, with `/` between its names.
fn below(root: &AbsPath, path: &AbsPath) -> Option<String> {
    let rest = path.as_path().strip_prefix(root.as_path()).ok()?;
    let names: Option<Vec<&str>> = rest.iter().map(|name| name.to_str()).collect();
    Some(names?.join("/"))
}

/// The directories that this home fetches of a git marketplace.
fn sparse_paths(config: &Snapshot, name: &MarketplaceName) -> Vec<String> {
    let mut rows = config.marketplaces().iter();
    let row = rows.rfind(|row| row.key == name.as_str());
    match row.map(|row| &row.kind) {
        Some(MarketplaceKind::Git { sparse_paths, .. }) => sparse_paths.clone(),
        _ => Vec::new(),
    }
}

/// The plugins that are switched on.
pub(crate) fn switched_on(config: &Snapshot) -> BTreeSet<PluginId> {
    let rows = config.plugins().iter();
    rows.filter(|row| row.enabled)
        .map(|row| row.id.clone())
        .collect()
}
