//! The content that a lock names, brought and staged before anything of the home changes.
//!
//! Nothing is taken that is not exactly what was locked: a marketplace is read at the commit that
//! the plugin came from, and what was copied is compared by digest. The nearest way is taken: a
//! version that is kept, the home's own checkout, and only then another machine.

use std::collections::BTreeMap;

use plugd_disk::tree::Digest;
use plugd_git::Checkout;
use plugd_lockfile::{LockedMarketplace, LockedPlugin, LockedSource, Lockfile};
use plugd_marketplace::{Binding, Offer, Selector};
use plugd_model::{AbsPath, MarketplaceName, PluginId, Problem, ProblemKind, Source};
use plugd_store::{Kept, Pin, Workspace};

use crate::call::Call;
use crate::checkout::Note;
use crate::content::Content;
use crate::curated::curated_url;
use crate::fetcher::{Fetched, Repository};
use crate::install_job::{Job, Prepared, Staged, Subject, Why};
use crate::install_wish::PinWish;
use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::lock_plan::{Plan, PluginStep, directory};
use crate::marketplace_add::checkout_of;
use crate::obtain::{Obtained, admit, local};
use crate::parts::Parts;
use crate::source_text::GitSource;
use crate::survey::curated_commit;
use crate::{Copies, Error, Lookup, Roots};

/// A plugin that only has to take its place.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) step: PluginStep,
    pub(crate) subject: Subject,
    pub(crate) pin: Pin,
    /// The new copy; nothing when the store turned out to hold it.
    pub(crate) staged: Option<Box<Staged>>,
    pub(crate) problems: Vec<Problem>,
}

/// A marketplace at one commit, or as it is now.
type Wanted = (MarketplaceName, Option<String>);

/// What was brought. It is dropped where the disk may be waited for.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// Where the marketplaces lie.
    catalogs: BTreeMap<Wanted, AbsPath>,
    fetched: BTreeMap<PluginId, Fetched>,
    kept: BTreeMap<PluginId, Kept>,
    /// Hold what was fetched of marketplaces.
    workspaces: Vec<Workspace>,
}

/// What has to be fetched.
#[derive(Debug, Default)]
struct Missing {
    catalogs: BTreeMap<Wanted, GitSource>,
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
            let swept = parts.blocking.write(move || {
                drop(brought);
                Ok(())
            });
            swept.await?;
            Err(error)
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
                    let source = repository_of(lookup, &step.id, marketplace)?;
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
    let is_it = |kept: &Kept| {
        let source = kept.origin.as_ref().and_then(|origin| origin.source_digest);
        kept.version == wanted.version && source == Some(wanted.source_digest)
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
        LockedSource::Git { .. } | LockedSource::Npm { .. } => None,
    };
    (step.id.marketplace.clone(), commit)
}

/// Where a marketplace lies on this machine at that commit.
fn catalog_at_hand(
    lookup: &Lookup,
    place: &LockPlace,
    (name, commit): &Wanted,
    marketplace: &LockedMarketplace,
) -> Option<AbsPath> {
    let (root, at) = match marketplace {
        LockedMarketplace::Local(location) => return Some(directory(place, location)),
        LockedMarketplace::Git { .. } => {
            let root = lookup.layout().git_marketplace(name);
            let note = Note::read(lookup.disk(), &root)?;
            (root, note.revision)
        }
        LockedMarketplace::Curated => (
            lookup.layout().curated(),
            curated_commit(lookup.loader(), lookup.layout()),
        ),
    };
    (commit.is_none() || *commit == at).then_some(root)
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
        LockedMarketplace::Local(_) => {
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
    }
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
        let begun = blocking.write(move || {
            let begun = of.store()?.workspace();
            begun.map_err(|error| Error::StoreState(Box::new(error)))
        });
        let workspace = begun.await?;
        let root = workspace.dir().join("checkout");
        brought.workspaces.push(workspace);
        let repository = match &wanted.1 {
            Some(commit) => Repository::new(&source.url, None, Some(commit))?,
            None => source.repository()?,
        };
        let place: Checkout = checkout_of(&root, &source);
        fetcher.obtain(call, lookup, &repository, &place).await?;
        brought.catalogs.insert(wanted, root);
    }
    for (id, source) in missing.sources {
        let fetched = fetcher
            .fetch(call, blocking, lookup, copies, &id, source)
            .await?;
        brought.fetched.insert(id, fetched);
    }
    Ok(())
}

/// Stages every plugin that needs it.
///
/// # Errors
/// Something is not what was locked; then nothing is staged.
pub(crate) fn stage(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    place: &LockPlace,
    lock: &Lockfile,
    plan: Plan,
    mut brought: Brought,
) -> Result<Vec<Ready>, Error> {
    let mut ready = Vec::new();
    for step in plan.plugins.into_iter().filter(PluginStep::brings) {
        call.cancel.check()?;
        let Some(marketplace) = lock.marketplaces.get(&step.id.marketplace) else {
            continue;
        };
        let one = match brought.kept.remove(&step.id) {
            Some(kept) => from_kept(call, lookup, copies, place, marketplace, step, &kept),
            None => from_content(call, lookup, copies, place, marketplace, step, &mut brought),
        };
        ready.push(one?);
    }
    Ok(ready)
}

/// What is recorded of a plugin: where it comes from is what the lock says, wherever it was read.
fn subject(
    lookup: &Lookup,
    place: &LockPlace,
    marketplace: &LockedMarketplace,
    step: &PluginStep,
) -> Result<(Subject, AbsPath), Error> {
    let id = &step.id;
    let (binding, root) = match marketplace {
        LockedMarketplace::Local(location) => {
            let root = directory(place, location);
            let found = lookup.loader().find_marketplace(&root).found;
            let manifest = found.ok_or_else(|| LockError::NotOffered {
                id: id.clone(),
                reason: format!("there is no marketplace at `{root}`"),
            })?;
            (Binding::Manifest(manifest), root)
        }
        LockedMarketplace::Git { url, ref_name, .. } => (
            Binding::Git {
                url: url.clone(),
                ref_name: ref_name.clone(),
            },
            lookup.layout().git_marketplace(&id.marketplace),
        ),
        LockedMarketplace::Curated => (Binding::Curated, lookup.layout().curated()),
    };
    let source = match &step.wanted.source {
        LockedSource::InMarketplace(path) => Source::Local {
            path: below(&root, path),
        },
        LockedSource::Git {
            url,
            path,
            ref_name,
        } => Source::Git {
            url: url.clone(),
            path: path.clone(),
            ref_name: ref_name.clone(),
            sha: None,
        },
        LockedSource::Npm {
            package,
            version,
            registry,
        } => Source::Npm {
            package: package.clone(),
            version: version.clone(),
            registry: registry.clone(),
        },
    };
    let subject = Subject {
        id: id.clone(),
        binding,
        source: source.without_secrets(),
        auth_policy: plugd_model::AuthPolicy::default(),
        remote_id: None,
    };
    Ok((subject, root))
}

fn below(root: &AbsPath, path: &str) -> AbsPath {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(root.clone(), |dir, name| dir.join(name))
}

fn from_kept(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    place: &LockPlace,
    marketplace: &LockedMarketplace,
    step: PluginStep,
    kept: &Kept,
) -> Result<Ready, Error> {
    let (subject, _) = subject(lookup, place, marketplace, &step)?;
    let pin = pin(place, &step, kept.tree_digest);
    let job = Job {
        subject: subject.clone(),
        why: Why::Lock {
            pin: &pin,
            switches_on: step.switches_on,
        },
        pin: PinWish::Keep,
        standing: step.standing.clone(),
    };
    let staged = job.prepare_kept(call, lookup, copies, kept)?;
    Ok(Ready {
        problems: note_of(&step, kept.tree_digest).into_iter().collect(),
        step,
        subject,
        pin,
        staged: Some(Box::new(staged)),
    })
}

fn from_content(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    place: &LockPlace,
    marketplace: &LockedMarketplace,
    step: PluginStep,
    brought: &mut Brought,
) -> Result<Ready, Error> {
    let id = step.id.clone();
    let not_offered = |reason: String| LockError::NotOffered {
        id: id.clone(),
        reason,
    };
    let (mut subject, _) = subject(lookup, place, marketplace, &step)?;
    let catalog = brought.catalogs.get(&wanted_catalog(&step)).cloned();
    let catalog = catalog.ok_or_else(|| not_offered("its marketplace did not come".to_owned()))?;
    let search = lookup.loader().find_marketplace(&catalog);
    let manifest = search.found.ok_or_else(|| {
        let why = search.problems.first().map(|one| one.message.clone());
        not_offered(why.unwrap_or_else(|| "its repository holds no marketplace there".to_owned()))
    })?;
    let resolved = lookup.resolve_ungated(&Roots {
        cwds: Vec::new(),
        manifests: vec![manifest.clone()],
    });
    let offer = resolved.set.select(&Selector::Named {
        manifest: &manifest,
        plugin: id.plugin.as_str(),
    })?;
    if offer.id() != id {
        return Err(not_offered(format!(
            "its marketplace calls itself `{}`",
            offer.id().marketplace
        ))
        .into());
    }
    admit(&offer)?;
    subject.auth_policy = offer.entry.auth_policy;
    let obtained = obtained(lookup, &offer, &catalog, &step, brought.fetched.remove(&id))?;
    let mut content = Content::read(lookup, &offer, obtained.dir.clone())?;
    if *marketplace == LockedMarketplace::Curated && names_commit(&step.wanted) {
        // Its plugins are called after its commit, which a staged checkout does not say.
        content.version = step.wanted.version.clone();
    }
    if content.version != step.wanted.version {
        return Err(LockError::OtherVersion {
            id,
            expected: step.wanted.version.to_string(),
            found: content.version.to_string(),
        }
        .into());
    }
    finish(
        call, lookup, copies, place, subject, step, &content, obtained,
    )
}

/// Whether the version of a curated plugin is the beginning of its commit.
fn names_commit(wanted: &LockedPlugin) -> bool {
    let commit = wanted.resolved.as_deref().unwrap_or_default();
    let version = wanted.version.as_str();
    version.len() == 8 && commit.starts_with(version)
}

/// The content of an entry.
fn obtained(
    lookup: &Lookup,
    offer: &Offer<'_>,
    catalog: &AbsPath,
    step: &PluginStep,
    fetched: Option<Fetched>,
) -> Result<Obtained, Error> {
    match (&step.wanted.source, fetched) {
        (LockedSource::InMarketplace(path), _) => {
            let dir = below(catalog, path);
            if !matches!(&offer.entry.source, Source::Local { path } if *path == dir) {
                return Err(LockError::NotOffered {
                    id: step.id.clone(),
                    reason: format!("its marketplace names another source than `./{path}`"),
                }
                .into());
            }
            let dir = local(lookup.disk(), step.id.clone(), catalog, &dir)?;
            Ok(Obtained::of_dir(dir, step.wanted.resolved.clone()))
        }
        (_, Some(fetched)) => Ok(Obtained::of_fetched(fetched)),
        (_, None) => Err(LockError::NotOffered {
            id: step.id.clone(),
            reason: "its content did not come".to_owned(),
        }
        .into()),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the last step of one way; every part of it is used once"
)]
fn finish(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    place: &LockPlace,
    subject: Subject,
    step: PluginStep,
    content: &Content,
    obtained: Obtained,
) -> Result<Ready, Error> {
    // The pin is not known before the copy is.
    let unpinned = pin(place, &step, step.wanted.tree_digest);
    let job = Job {
        subject,
        why: Why::Lock {
            pin: &unpinned,
            switches_on: step.switches_on,
        },
        pin: PinWish::Keep,
        standing: step.standing.clone(),
    };
    let prepared = job.prepare(call, lookup, copies, content, obtained)?;
    let (tree_digest, staged) = match prepared {
        Prepared::Current(copy) => {
            let record = copy.provenance_record();
            let digest = record.map(|record| record.tree_digest);
            (digest.unwrap_or(step.wanted.tree_digest), None)
        }
        Prepared::Staged(staged) => {
            let found = staged.tree().source_digest;
            if found != step.wanted.source_digest {
                return Err(LockError::OtherContent {
                    id: step.id.clone(),
                    expected: step.wanted.source_digest.to_string(),
                    found: found.to_string(),
                }
                .into());
            }
            (staged.tree().tree_digest, Some(staged))
        }
    };
    let mut problems: Vec<Problem> = note_of(&step, tree_digest).into_iter().collect();
    problems.extend(staged.iter().flat_map(|staged| staged.problems()).cloned());
    Ok(Ready {
        subject: job.subject,
        pin: pin(place, &step, tree_digest),
        step,
        staged,
        problems,
    })
}

/// What a plugin is held at from now on, by this lock and by those that name the same.
pub(crate) fn pin(place: &LockPlace, step: &PluginStep, tree_digest: Digest) -> Pin {
    let mut locks = step.agreeing.clone();
    locks.push(place.file.clone());
    locks.sort();
    Pin {
        version: step.wanted.version.clone(),
        commit: step.wanted.resolved.clone(),
        tree_digest: Some(tree_digest),
        locks,
    }
}

/// The same source can leave other files beside it, when another version of this program copied it.
fn note_of(step: &PluginStep, found: Digest) -> Option<Problem> {
    let text = format!(
        "`{}` has the locked content, and what an installation adds to it is not the same here",
        step.id
    );
    (found != step.wanted.tree_digest).then(|| Problem::warning(ProblemKind::Drift, text))
}
