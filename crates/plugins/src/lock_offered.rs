//! Which plugins of a lock are as their marketplaces offer them, or offered them once.
//!
//! It is the marketplace that `[trust]` trusts, and not whoever may write a project's lock: that one
//! may name any commit, release or digest that a server hands out, also of a pull request.
//!
//! - A commit counts when it lies behind what the marketplace's row or the entry follows now. An
//!   entry that names a commit, release or digest means that one alone, and one that names a tag or
//!   a range means what that gives now.
//! - Nobody is asked where no rule trusts the place, and no other machine where this one can tell.
//! - What cannot be found out is not shown, and is no error: then somebody has to say yes to the
//!   content.

use std::collections::{BTreeMap, BTreeSet};

use plugd_fetch::Package;
use plugd_lockfile::{LockedMarketplace, LockedSource, Lockfile};
use plugd_model::{AbsPath, OciReference, PackedOrigin, PluginId, Source, error_chain};
use plugd_store::{Believing, InstalledBy};

use crate::call::Call;
use crate::checkout::Note;
use crate::content::Content;
use crate::curated::curated_url;
use crate::curated_commit::curated_commit;
use crate::fetcher::Repository;
use crate::lock_apply::Way;
use crate::lock_content::{Brought, catalog_at_hand};
use crate::lock_file::LockPlace;
use crate::lock_plan::{Plan, PluginStep};
use crate::lock_stage::{Stager, below, same_place};
use crate::obtain::local;
use crate::parts::Parts;
use crate::trust::Word;
use crate::trust_gate::Gate;
use crate::{Error, Lookup, packed};

/// On whose word each plugin comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    archive: bool,
    /// What nothing shows to have been offered.
    unshown: BTreeSet<PluginId>,
    /// What was shown to have been; of the others nobody has asked.
    shown: BTreeSet<PluginId>,
}

impl Words {
    /// Those of an archive.
    pub(crate) fn of_archive() -> Self {
        Self {
            archive: true,
            ..Self::default()
        }
    }

    /// That for one plugin.
    pub(crate) fn of(&self, id: &PluginId) -> Word {
        match (self.archive, self.unshown.contains(id)) {
            (true, _) => Word::Archive,
            (false, true) => Word::Lock,
            (false, false) => Word::Place,
        }
    }

    /// What is recorded as the reason of its installation: who asks later must know on whose word it
    /// came.
    pub(crate) fn recorded(&self, id: &PluginId, by: InstalledBy) -> InstalledBy {
        match by {
            InstalledBy::Lock if !self.shown.contains(id) => InstalledBy::LockAlone,
            by => by,
        }
    }
}

/// A plugin of which it has to be found out.
struct Candidate {
    step: PluginStep,
    /// Where its marketplace was brought to.
    catalog: Option<AbsPath>,
    /// Who brought the copy that is here already.
    here: Option<InstalledBy>,
}

/// What shows that a plugin was offered.
enum Proof {
    /// This machine does.
    Here,
    /// Nothing does.
    Nothing,
    /// That this commit lies behind what is wanted of that repository.
    Behind(Box<Repository>, String),
    /// That the tag means this digest now.
    Tagged(OciReference, String),
    /// That this release is the one that the registry gives now.
    Released(Package, String),
}

/// Finds out on whose word the plugins of a lock come. What was brought for them comes back.
///
/// # Errors
/// The request was cancelled.
pub(crate) async fn words(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    lock: &Lockfile,
    plan: &Plan,
    brought: Brought,
    way: Way,
) -> Result<(Words, Brought), Error> {
    match found_out(call, parts, place, lock, plan, &brought, way).await {
        Ok(words) => Ok((words, brought)),
        Err(error) => {
            brought.sweep(parts).await?;
            Err(error)
        }
    }
}

async fn found_out(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    lock: &Lockfile,
    plan: &Plan,
    brought: &Brought,
    way: Way,
) -> Result<Words, Error> {
    if way == Way::Archive {
        return Ok(Words::of_archive());
    }
    let steps = plan.plugins.iter();
    let steps = steps.filter(|step| step.brings() || step.switches_on);
    let candidates: Vec<Candidate> = steps.map(|step| candidate(step, brought)).collect();
    let looked = {
        let (call, of) = (call.clone(), parts.clone());
        let (place, lock) = (place.clone(), lock.clone());
        parts
            .blocking
            .read(move || Ok(proofs(&call, &of, &place, &lock, candidates)))
    };
    let mut words = Words::default();
    let mut known = BTreeMap::new();
    for (id, proof) in looked.await? {
        let is_shown = match way {
            Way::Online => holds(call, parts, &proof, &mut known).await?,
            Way::Offline | Way::Archive => matches!(proof, Proof::Here),
        };
        match is_shown {
            true => words.shown.insert(id),
            false => words.unshown.insert(id),
        };
    }
    Ok(words)
}

fn candidate(step: &PluginStep, brought: &Brought) -> Candidate {
    let kept = brought.kept.get(&step.id);
    let of_kept = || kept?.origin.as_ref().map(|origin| origin.by);
    let of_copy = || step.standing.record.as_ref().map(|record| record.by);
    Candidate {
        catalog: brought.catalog(step, None).map(|catalog| catalog.root),
        here: match step.brings() {
            true => of_kept(),
            false => of_copy(),
        },
        step: step.clone(),
    }
}

/// What would show it, for each plugin of a place that a rule trusts.
fn proofs(
    call: &Call,
    of: &Parts,
    place: &LockPlace,
    lock: &Lockfile,
    candidates: Vec<Candidate>,
) -> Vec<(PluginId, Proof)> {
    let lookup = &of.lookup;
    let mut configs = vec![
        lookup.config(None),
        lookup.config(place.file.parent().as_ref()),
    ];
    let agreeing = candidates.iter().flat_map(|one| &one.step.agreeing);
    let agreeing: BTreeSet<&AbsPath> = agreeing.collect();
    configs.extend(
        agreeing
            .iter()
            .map(|lock| lookup.config(lock.parent().as_ref())),
    );
    let store = of.copies.store_as_it_is();
    let gate = Gate::new(lookup, store, configs.iter().map(|one| &**one));
    if gate.is_open() {
        return Vec::new();
    }
    let stager = Stager {
        call,
        lookup,
        copies: &of.copies,
        place,
        lock,
        by: InstalledBy::Lock,
        words: &Words::default(),
    };
    let mut proofs = Vec::new();
    for one in candidates {
        let Some(marketplace) = lock.marketplaces.get(&one.step.id.marketplace) else {
            continue;
        };
        let subject = stager.subject(marketplace, &one.step, None);
        if !subject.is_ok_and(|subject| gate.matters(subject.whence())) {
            continue;
        }
        let proof = proof(&stager, marketplace, &one).unwrap_or_else(|error| {
            tracing::info!(plugin = %one.step.id, error = %error_chain(&error),
                "it cannot be seen what its marketplace offers");
            Proof::Nothing
        });
        proofs.push((one.step.id, proof));
    }
    proofs
}

fn proof(
    stager: &Stager<'_>,
    marketplace: &LockedMarketplace,
    one: &Candidate,
) -> Result<Proof, Error> {
    // What came by a request or by following was what was offered then.
    let offered = [
        InstalledBy::Request,
        InstalledBy::Refresh,
        InstalledBy::Sync,
    ];
    if one.here.is_some_and(|by| offered.contains(&by)) {
        return Ok(Proof::Here);
    }
    let lookup = stager.lookup;
    let wanted = &one.step.wanted;
    let resolved = wanted.resolved.clone();
    match (&wanted.source, marketplace, resolved) {
        (LockedSource::InMarketplace(path), LockedMarketplace::Local(_), _) => {
            in_directory(stager, marketplace, one, path)
        }
        (
            LockedSource::InMarketplace(_),
            LockedMarketplace::Git { url, ref_name, .. },
            Some(commit),
        ) => {
            if checked_out(lookup, &one.step, marketplace).as_ref() == Some(&commit) {
                return Ok(Proof::Here);
            }
            let repository = Repository::new(url, ref_name.as_deref(), None)?;
            Ok(Proof::Behind(Box::new(repository), commit))
        }
        (LockedSource::InMarketplace(_), LockedMarketplace::Curated, Some(commit)) => {
            if curated_commit(lookup.loader(), lookup.layout()).as_ref() == Some(&commit) {
                return Ok(Proof::Here);
            }
            let repository = Repository::new(&curated_url(&lookup.config(None)), None, None)?;
            Ok(Proof::Behind(Box::new(repository), commit))
        }
        (LockedSource::InMarketplace(_), LockedMarketplace::Packed(origin), Some(digest)) => {
            let place = lookup.layout().packed_place(&one.step.id.marketplace);
            let note = packed::Note::read(lookup.disk(), &place, origin);
            let is_here = note.is_some_and(|note| note.digest == digest);
            Ok(match origin {
                _ if is_here || origin.digest() == Some(&digest) => Proof::Here,
                PackedOrigin::Oci(reference) => Proof::Tagged(reference.clone(), digest),
                PackedOrigin::Archive(_) => Proof::Nothing,
            })
        }
        (LockedSource::InMarketplace(_), _, None) => Ok(Proof::Nothing),
        (elsewhere, _, Some(resolved)) => match catalog(stager, marketplace, one) {
            Some(root) => {
                let entry =
                    stager.with_offer(&one.step, &root, |offer| Ok(offer.entry.source.clone()))?;
                by_entry(elsewhere, entry, resolved)
            }
            None => Ok(Proof::Nothing),
        },
        (_, _, None) => Ok(Proof::Nothing),
    }
}

/// A directory offers what lies in it now, and nobody knows what did before.
fn in_directory(
    stager: &Stager<'_>,
    marketplace: &LockedMarketplace,
    one: &Candidate,
    path: &str,
) -> Result<Proof, Error> {
    let step = &one.step;
    if step.brings() && one.here.is_none() {
        // That is where it is taken from.
        return Ok(Proof::Here);
    }
    let Some(root) = catalog(stager, marketplace, one) else {
        return Ok(Proof::Nothing);
    };
    let dir = below(&root, path);
    let offered = stager.with_offer(step, &root, |offer| {
        if !matches!(&offer.entry.source, Source::Local { path } if *path == dir) {
            return Ok(None);
        }
        let dir = local(stager.lookup.disk(), step.id.clone(), &root, &dir)?;
        let content = Content::read(stager.lookup, offer, dir)?;
        Ok(Some(
            content
                .offered(stager.copies, &step.id, Believing::ThisProcess, stager.call)?
                .digest,
        ))
    })?;
    Ok(match offered {
        Some(digest) if digest == step.wanted.source_digest => Proof::Here,
        _ => Proof::Nothing,
    })
}

/// What an entry that names another place says of a commit, release or digest there.
fn by_entry(wanted: &LockedSource, entry: Source, resolved: String) -> Result<Proof, Error> {
    if !same_place(wanted, &entry) {
        return Ok(Proof::Nothing);
    }
    let only = |named: &str| match named.eq_ignore_ascii_case(&resolved) {
        true => Proof::Here,
        false => Proof::Nothing,
    };
    Ok(match entry {
        // An abbreviation is none: others may have commits that begin like it.
        Source::Git { sha: Some(sha), .. } => only(&sha),
        Source::Git { url, ref_name, .. } => {
            let repository = Repository::new(&url, ref_name.as_deref(), None)?;
            Proof::Behind(Box::new(repository), resolved)
        }
        Source::Npm {
            version: Some(version),
            ..
        } if version == resolved => Proof::Here,
        Source::Npm {
            package,
            version,
            registry,
        } => {
            let package = Package {
                name: package,
                version,
                registry,
            };
            Proof::Released(package, resolved)
        }
        Source::Oci { reference } => match reference.digest() {
            Some(digest) => only(digest),
            None => Proof::Tagged(reference, resolved),
        },
        Source::Archive { digest, .. } => only(&digest),
        Source::Local { .. } | Source::Remote => Proof::Nothing,
    })
}

/// Where the marketplace lies that has the entry.
fn catalog(
    stager: &Stager<'_>,
    marketplace: &LockedMarketplace,
    one: &Candidate,
) -> Option<AbsPath> {
    let lookup = stager.lookup;
    let name = &one.step.id.marketplace;
    let root = match &one.catalog {
        Some(root) => root.clone(),
        None => {
            let wanted = (name.clone(), None);
            catalog_at_hand(lookup, stager.place, &wanted, marketplace)?.root
        }
    };
    let is_the_home_s = root == lookup.layout().git_marketplace(name);
    // A checkout that was left under that name may be another marketplace's.
    (!is_the_home_s || checked_out(lookup, &one.step, marketplace).is_some()).then_some(root)
}

/// The commit of the home's checkout, when it is one of that marketplace.
fn checked_out(
    lookup: &Lookup,
    step: &PluginStep,
    marketplace: &LockedMarketplace,
) -> Option<String> {
    let LockedMarketplace::Git { url, ref_name, .. } = marketplace else {
        return None;
    };
    let root = lookup.layout().git_marketplace(&step.id.marketplace);
    let note = Note::read(lookup.disk(), &root)?;
    let source = note.source?;
    let is_it = source.url == *url && source.ref_name == *ref_name;
    note.revision.filter(|_| is_it)
}

/// Asks another machine, once for each question.
async fn holds(
    call: &Call,
    parts: &Parts,
    proof: &Proof,
    known: &mut BTreeMap<(String, String, String), bool>,
) -> Result<bool, Error> {
    let fetcher = &parts.fetcher;
    let asked = match proof {
        Proof::Here => return Ok(true),
        Proof::Nothing => return Ok(false),
        Proof::Behind(repository, commit) => {
            let question = (
                repository.address.shown(),
                repository.want.shown().to_owned(),
                commit.clone(),
            );
            if let Some(known) = known.get(&question) {
                return Ok(*known);
            }
            let asked = fetcher
                .lies_behind(call, &parts.lookup, repository, commit)
                .await;
            if let Ok(found) = &asked {
                known.insert(question, *found);
            }
            asked
        }
        Proof::Tagged(reference, digest) => {
            let found = fetcher.tagged(call, reference).await;
            found.map(|found| found == *digest)
        }
        Proof::Released(package, version) => {
            let found = fetcher.released(call, package).await;
            found.map(|found| found.version == *version)
        }
    };
    match asked {
        Err(error @ Error::Cancelled(_)) => Err(error),
        Err(error) => {
            tracing::info!(error = %error_chain(&error), "it cannot be asked what is offered");
            Ok(false)
        }
        found => found,
    }
}
