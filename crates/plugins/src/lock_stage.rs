//! Stages what a lock names, and takes nothing that is not exactly that.
//!
//! What is recorded of a plugin is where the lock says it comes from, wherever it was read: a kept
//! version, a checkout made for this only, or the home's own.

use plugd_disk::tree::Digest;
use plugd_lockfile::{LockedMarketplace, LockedPlugin, LockedSource, Lockfile};
use plugd_marketplace::{Binding, Offer, Selector};
use plugd_model::{
    AbsPath, AuthPolicy, CURATED_API_MARKETPLACE, Layout, MarketplaceName, Problem, ProblemKind,
    Source,
};
use plugd_store::{InstalledBy, Kept, Pin};

use crate::archive_read::Archived;
use crate::call::Call;
use crate::content::Content;
use crate::fetcher::Fetched;
use crate::install_job::{Job, Prepared, Staged, Subject};
use crate::install_why::Why;
use crate::install_wish::PinWish;
use crate::lock_content::{Brought, Catalog};
use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::lock_offered::Words;
use crate::lock_plan::{Plan, PluginStep, directory, kind_of, refuse_reserved};
use crate::marketplace_add::allowed;
use crate::obtain::{Obtained, admit, local};
use crate::{Copies, Error, Lookup};

/// A plugin that only has to take its place.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) step: PluginStep,
    pub(crate) subject: Subject,
    pub(crate) pin: Pin,
    /// What is recorded as its reason.
    pub(crate) by: InstalledBy,
    /// The new copy; nothing when the store turned out to hold it.
    pub(crate) staged: Option<Box<Staged>>,
    pub(crate) problems: Vec<Problem>,
}

/// What every plugin is staged with.
pub(crate) struct Stager<'a> {
    pub(crate) call: &'a Call,
    pub(crate) lookup: &'a Lookup,
    pub(crate) copies: &'a Copies,
    pub(crate) place: &'a LockPlace,
    pub(crate) lock: &'a Lockfile,
    /// What it is recorded as.
    pub(crate) by: InstalledBy,
    /// Who says of each that it comes from its marketplace.
    pub(crate) words: &'a Words,
}

impl Stager<'_> {
    /// Stages every plugin that needs it.
    ///
    /// # Errors
    /// Something is not what was locked; then nothing is staged.
    pub(crate) fn stage(&self, plan: Plan, mut brought: Brought) -> Result<Vec<Ready>, Error> {
        let mut ready = Vec::new();
        for step in plan.plugins {
            self.call.cancel.check()?;
            if !step.brings() {
                if let Some(refusal) = self.refusal_to_switch_on(&step)? {
                    return Err(Error::Trust(refusal));
                }
                continue;
            }
            let Some(marketplace) = self.lock.marketplaces.get(&step.id.marketplace) else {
                continue;
            };
            let one = match brought.kept.remove(&step.id) {
                Some(kept) => self.take_kept(marketplace, step, &kept),
                None => self.take_content(marketplace, step, &mut brought),
            };
            ready.push(one?);
        }
        Ok(ready)
    }

    /// What is recorded of a plugin.
    pub(crate) fn subject(
        &self,
        marketplace: &LockedMarketplace,
        step: &PluginStep,
        archived: Option<&Archived>,
    ) -> Result<Subject, Error> {
        let (id, layout) = (&step.id, self.lookup.layout());
        let (binding, root) = match marketplace {
            LockedMarketplace::Local(location) => {
                let root = directory(self.place, location);
                if let Some(manifest) = archived.and_then(|one| one.manifest.as_ref()) {
                    // It need not be on this machine.
                    let names = manifest.split('/');
                    let manifest = names.fold(root.clone(), |dir, name| dir.join(name));
                    return Ok(self.bound(step, Binding::Manifest(manifest), &root));
                }
                let found = self.lookup.loader().find_marketplace(&root).found;
                let none = || not_offered(step, format!("there is no marketplace at `{root}`"));
                (Binding::Manifest(found.ok_or_else(none)?), root)
            }
            LockedMarketplace::Git { url, ref_name, .. } => (
                Binding::Git {
                    url: url.clone(),
                    ref_name: ref_name.clone(),
                },
                layout.git_marketplace(&id.marketplace),
            ),
            LockedMarketplace::Packed(origin) => (
                Binding::Packed(origin.clone()),
                layout.packed_marketplace(&id.marketplace, origin),
            ),
            LockedMarketplace::Curated => (Binding::Curated, layout.curated()),
        };
        Ok(self.bound(step, binding, &root))
    }

    pub(crate) fn bound(&self, step: &PluginStep, binding: Binding, root: &AbsPath) -> Subject {
        Subject {
            id: step.id.clone(),
            binding,
            source: source(&step.wanted, root).without_secrets(),
            auth_policy: AuthPolicy::default(),
            remote_id: None,
        }
    }

    pub(crate) fn job<'b>(&self, subject: Subject, step: &PluginStep, pin: &'b Pin) -> Job<'b> {
        Job {
            subject,
            why: Why::Lock {
                pin,
                switches_on: step.switches_on,
                by: self.words.recorded(&step.id, self.by),
                word: self.words.of(&step.id),
            },
            pin: PinWish::Keep,
            standing: step.standing.clone(),
        }
    }

    fn take_kept(
        &self,
        marketplace: &LockedMarketplace,
        step: PluginStep,
        kept: &Kept,
    ) -> Result<Ready, Error> {
        let pin = pin(self.place, &step, kept.tree_digest);
        let job = self.job(self.subject(marketplace, &step, None)?, &step, &pin);
        let staged = job.prepare_kept(self.call, self.lookup, self.copies, kept)?;
        Ok(Ready {
            problems: note_of(&step, kept.tree_digest).into_iter().collect(),
            by: self.words.recorded(&step.id, self.by),
            subject: job.subject,
            step,
            pin,
            staged: Some(Box::new(staged)),
        })
    }

    fn take_content(
        &self,
        marketplace: &LockedMarketplace,
        step: PluginStep,
        brought: &mut Brought,
    ) -> Result<Ready, Error> {
        let archived = brought.archived.remove(&step.id);
        let mut subject = self.subject(marketplace, &step, archived.as_ref())?;
        let Some(catalog) = brought.catalog(&step, archived.as_ref()) else {
            return Err(not_offered(&step, "its marketplace did not come").into());
        };
        let fetched = brought.fetched.remove(&step.id);
        let (mut content, obtained) = self.with_offer(&step, &catalog.root, |offer| {
            admit(offer)?;
            subject.auth_policy = offer.entry.auth_policy;
            let obtained = match archived {
                Some(archived) => self.unpacked(offer, &catalog.root, &step, &archived)?,
                None => self.obtained(offer, &catalog, &step, fetched)?,
            };
            let content = Content::read(self.lookup, offer, obtained.dir.clone())?;
            Ok((content, obtained))
        })?;
        if *marketplace == LockedMarketplace::Curated && names_commit(&step.wanted) {
            // Its plugins are called after its commit, which a staged checkout does not say.
            content.version = step.wanted.version.clone();
        }
        if content.version != step.wanted.version {
            return Err(LockError::OtherVersion {
                id: step.id,
                expected: step.wanted.version.to_string(),
                found: content.version.to_string(),
            }
            .into());
        }
        self.checked(subject, step, &content, obtained)
    }

    /// Looks at the entry of a plugin in its marketplace, which lies at a root.
    ///
    /// # Errors
    /// There is no such marketplace, or none that offers the plugin.
    pub(crate) fn with_offer<T>(
        &self,
        step: &PluginStep,
        root: &AbsPath,
        look: impl FnOnce(&Offer<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let manifest = self.manifest(step, root)?;
        may_offer(self.lookup, self.place, self.lock, &step.id.marketplace)?;
        let resolved = self.lookup.resolve_staged(&manifest);
        let offer = resolved.set.select(&Selector::Named {
            manifest: &manifest,
            plugin: step.id.plugin.as_str(),
        })?;
        if offer.id() != step.id {
            let name = offer.id().marketplace;
            return Err(not_offered(step, format!("its marketplace calls itself `{name}`")).into());
        }
        look(&offer)
    }

    /// The manifest of a marketplace that was brought. The curated repository holds two.
    fn manifest(&self, step: &PluginStep, catalog: &AbsPath) -> Result<AbsPath, LockError> {
        let second = Layout::MARKETPLACE_MANIFESTS[1];
        let api = catalog.join(second);
        let is_api = step.id.marketplace.as_str() == CURATED_API_MARKETPLACE;
        let stamp = self.lookup.disk().stamp(&api);
        if is_api && stamp.is_ok_and(|stamp| stamp.is_some()) {
            return Ok(api);
        }
        let search = self.lookup.loader().find_marketplace(catalog);
        search.found.ok_or_else(|| {
            let why = search.problems.into_iter().next();
            let none = || "its repository holds no marketplace there".to_owned();
            not_offered(step, why.map_or_else(none, |one| one.message))
        })
    }

    /// The content of an entry.
    fn obtained(
        &self,
        offer: &Offer<'_>,
        catalog: &Catalog,
        step: &PluginStep,
        fetched: Option<Fetched>,
    ) -> Result<Obtained, Error> {
        match (&step.wanted.source, fetched) {
            (LockedSource::InMarketplace(path), _) => {
                let dir = below(&catalog.root, path);
                if !matches!(&offer.entry.source, Source::Local { path } if *path == dir) {
                    let why = format!("its marketplace names another source than `./{path}`");
                    return Err(not_offered(step, why).into());
                }
                let dir = local(self.lookup.disk(), step.id.clone(), &catalog.root, &dir)?;
                let commit = step.wanted.resolved.clone();
                Ok(Obtained::of_dir(dir, commit).committed_at(catalog.committed_at))
            }
            (wanted, _) if !same_place(wanted, &offer.entry.source) => {
                let why = "its marketplace names another repository or package for it";
                Err(not_offered(step, why).into())
            }
            (_, Some(fetched)) => Ok(Obtained::of_fetched(fetched)),
            (_, None) => Err(not_offered(step, "its content did not come").into()),
        }
    }

    /// The content that an archive has of an entry. Where it comes from is what the lock says; an
    /// entry that names another place is not the one that was exported.
    fn unpacked(
        &self,
        offer: &Offer<'_>,
        catalog: &AbsPath,
        step: &PluginStep,
        archived: &Archived,
    ) -> Result<Obtained, Error> {
        let entry = &offer.entry.source;
        let is_it = match &step.wanted.source {
            LockedSource::InMarketplace(path) => {
                matches!(entry, Source::Local { path: of } if *of == below(catalog, path))
            }
            elsewhere => same_place(elsewhere, entry),
        };
        if !is_it {
            let why = "the archive has its entry with another source";
            return Err(not_offered(step, why).into());
        }
        let content = archived.content.clone();
        let dir = local(self.lookup.disk(), step.id.clone(), &content, &content)?;
        Ok(Obtained::of_dir(dir, step.wanted.resolved.clone()))
    }

    /// Copies the content and compares what was copied.
    fn checked(
        &self,
        subject: Subject,
        step: PluginStep,
        content: &Content,
        obtained: Obtained,
    ) -> Result<Ready, Error> {
        // The digest of the copy is not known before there is one; nothing is pinned here.
        let expected = pin(self.place, &step, step.wanted.tree_digest);
        let job = self.job(subject, &step, &expected);
        let prepared = job.prepare(self.call, self.lookup, self.copies, content, obtained)?;
        let (tree_digest, staged) = match prepared {
            // What its source has now stands there already, which need not be what was locked.
            Prepared::Current(copy) => {
                let record = copy.provenance_record();
                let (copied, left) = record
                    .map(|record| (record.source_digest, record.tree_digest))
                    .unwrap_or((None, step.wanted.tree_digest));
                must_be_locked(&step, copied)?;
                let (store, word) = (self.copies.store()?, job.word());
                job.refuse_to_switch_on(self.call, self.lookup, store, &copy, word)?;
                (left, None)
            }
            Prepared::Staged(staged) => {
                must_be_locked(&step, Some(staged.tree().source_digest))?;
                (staged.tree().tree_digest, Some(staged))
            }
        };
        let mut problems: Vec<Problem> = note_of(&step, tree_digest).into_iter().collect();
        problems.extend(staged.iter().flat_map(|staged| staged.problems()).cloned());
        Ok(Ready {
            pin: pin(self.place, &step, tree_digest),
            by: self.words.recorded(&step.id, self.by),
            subject: job.subject,
            step,
            staged,
            problems,
        })
    }
}

/// Refuses content that is not what was locked.
fn must_be_locked(step: &PluginStep, found: Option<Digest>) -> Result<(), LockError> {
    match found {
        Some(found) if found == step.wanted.source_digest => Ok(()),
        found => Err(LockError::OtherContent {
            id: step.id.clone(),
            expected: step.wanted.source_digest.to_string(),
            found: found.map_or_else(
                || "content of no record".to_owned(),
                |found| found.to_string(),
            ),
        }),
    }
}

fn not_offered(step: &PluginStep, reason: impl Into<String>) -> LockError {
    LockError::NotOffered {
        id: step.id.clone(),
        reason: reason.into(),
    }
}

/// The source as it is recorded, in a marketplace that lies at a root.
fn source(wanted: &LockedPlugin, root: &AbsPath) -> Source {
    match &wanted.source {
        LockedSource::InMarketplace(path) => Source::Local {
            path: below(root, path),
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
        LockedSource::Oci { reference } => Source::Oci {
            reference: reference.clone(),
        },
        LockedSource::Archive { url } => Source::Archive {
            url: url.clone(),
            digest: wanted.resolved.clone().unwrap_or_default(),
        },
    }
}

/// Whether a lock names the place that an entry names; the commit or release is the lock's own. It is
/// the marketplace that is trusted with the place, not the lock.
pub(crate) fn same_place(wanted: &LockedSource, entry: &Source) -> bool {
    match (wanted, entry.without_secrets()) {
        (
            LockedSource::Git { url, path, .. },
            Source::Git {
                url: of, path: at, ..
            },
        ) => *url == of && *path == at,
        (
            LockedSource::Npm {
                package, registry, ..
            },
            Source::Npm {
                package: of,
                registry: at,
                ..
            },
        ) => *package == of && *registry == at,
        (LockedSource::Oci { reference }, Source::Oci { reference: of }) => {
            reference.address() == of.address()
        }
        (LockedSource::Archive { url }, Source::Archive { url: of, .. }) => *url == of,
        _ => false,
    }
}

pub(crate) fn below(root: &AbsPath, path: &str) -> AbsPath {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(root.clone(), |dir, name| dir.join(name))
}

/// Whether the version of a curated plugin is the beginning of its commit.
fn names_commit(wanted: &LockedPlugin) -> bool {
    let commit = wanted.resolved.as_deref().unwrap_or_default();
    let version = wanted.version.as_str();
    version.len() == 8 && commit.starts_with(version)
}

/// What a plugin is held at from now on, by this lock and by those that name the same.
pub(crate) fn pin(place: &LockPlace, step: &PluginStep, tree_digest: Digest) -> Pin {
    let mut locks = step.agreeing.clone();
    locks.extend(place.holder().cloned());
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

/// Whether plugins of a marketplace of the lock may come. A name is judged by the place that the lock
/// has it from: a reserved one is that of the curated marketplace, and an organisation allows sources,
/// wherever their content lies for the moment.
///
/// # Errors
/// They may not.
pub(crate) fn may_offer(
    lookup: &Lookup,
    place: &LockPlace,
    lock: &Lockfile,
    name: &MarketplaceName,
) -> Result<(), Error> {
    let Some(wanted) = lock.marketplaces.get(name) else {
        return Ok(());
    };
    refuse_reserved(name, wanted)?;
    let config = lookup.config(None);
    match kind_of(lookup.layout(), name, place, wanted) {
        Some(kind) => allowed(&config, name.as_str(), &kind),
        None => config
            .requirements()
            .allows_curated()
            .map_err(|problem| Error::Policy {
                problem: Box::new(problem),
            }),
    }
}
