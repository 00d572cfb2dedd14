//! One step of background work: bring one configured plugin to what its source has.

use plugd_disk::tree::{self, Digest, FileDigests, Limits, TreeError, TreePlan};
use plugd_marketplace::{NotSelected, Offer, Selector};
use plugd_model::{PluginId, Problem, ProblemKind, Source, VersionSegment, error_chain};
use plugd_store::{Adoption, Installed, InstalledBy, Provenance, Record, Store};

use crate::binding;
use crate::call::Call;
use crate::content::Content;
use crate::install::{STORE_PATIENCE, Why, install_offer};
use crate::lookup::Resolved;
use crate::obtain::{admit, obtain};
use crate::status::{PluginOutcome, PluginResult};
use crate::{Copies, Error, Lookup};

/// Compares one plugin with its source and moves it when it may be moved. `None` means that nothing
/// here is its source, so nothing is known and nothing happens.
pub(crate) fn follow(
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    id: &PluginId,
) -> Option<PluginResult> {
    let copy = match copies.store().map(|store| store.get(id)) {
        Err(error) => return Some(failed(id, None, problem_of_error(&error))),
        Ok(copy) => copy,
    };
    let copy = match copy {
        Ok(copy) => copy,
        Err(error) => return Some(failed(id, None, problem_of(&error))),
    };
    let Ok(offer) = source_of(resolved, copy.as_ref(), id) else {
        return None;
    };
    // Sources that have to be fetched do not follow by themselves.
    let Source::Local { .. } = offer.entry.source else {
        return None;
    };
    let from = copy.as_ref().map(|copy| copy.version.to_string());
    match step(lookup, copies, resolved, &offer, copy.as_ref()) {
        Ok((outcome, to, problem)) => Some(PluginResult {
            id: id.clone(),
            outcome,
            from,
            to: Some(to.to_string()),
            problem,
        }),
        // Somebody uninstalled it meanwhile, so there is nothing to tell.
        Err(Error::NoLongerConfigured { .. }) => None,
        Err(error) => Some(failed(id, from, problem_of_error(&error))),
    }
}

/// The one place that content may come from: what the copy is bound to, else a marketplace that the
/// user or an administrator chose, never a directory that somebody happens to stand in.
fn source_of<'a>(
    resolved: &'a Resolved,
    copy: Option<&Installed>,
    id: &PluginId,
) -> Result<Offer<'a>, NotSelected> {
    let bound = copy
        .and_then(|copy| copy.record.as_ref())
        .map(|record| binding::of_record(&record.bound));
    match bound {
        Some(bound) => resolved.set.select(&Selector::Bound(id, &bound)),
        None => resolved.set.select(&Selector::Trusted(id)),
    }
}

type Step = (PluginOutcome, VersionSegment, Option<Problem>);

fn step(
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    offer: &Offer<'_>,
    copy: Option<&Installed>,
) -> Result<Step, Error> {
    let store = copies.store()?;
    let source = obtain(lookup, offer)?;
    let content = Content::read(lookup, offer, source)?;
    let version = content.version.clone();
    let offered = content.digest(copies, &offer.id())?;
    let compared = match copy {
        None => Compared::Missing,
        Some(copy) => compare(lookup, copy, &version, offered)?,
    };
    let held = |problem| Ok((PluginOutcome::HeldBack, version.clone(), Some(problem)));
    match compared {
        Compared::Same => return Ok((PluginOutcome::Unchanged, version, None)),
        Compared::SameButForeign => {
            if let Some(copy) = copy {
                adopt(store, offer, copy, offered)?;
            }
            return Ok((PluginOutcome::Unchanged, version, None));
        }
        Compared::Drifted(problem) => return held(problem),
        Compared::Missing | Compared::Different => {}
    }
    if let Err(error) = admit(offer) {
        return held(Problem::warning(ProblemKind::Policy, error.to_string()));
    }
    let record = copy.and_then(|copy| copy.record.as_ref());
    if let Err(problem) = may_move(&offer.id(), record, &version) {
        return held(problem);
    }
    let done = install_offer(
        &Call::detached(),
        lookup,
        copies,
        offer,
        Why::Configured(&resolved.scopes),
    )?;
    let outcome = match copy {
        None => PluginOutcome::Installed,
        Some(_) => PluginOutcome::Updated,
    };
    Ok((outcome, done.version, None))
}

/// The one question before a copy moves by itself: what the user has pinned stays.
fn may_move(
    id: &PluginId,
    record: Option<&Record>,
    offered: &VersionSegment,
) -> Result<(), Problem> {
    match record.and_then(|record| record.pin.as_ref()) {
        None => Ok(()),
        Some(pin) => Err(Problem::warning(
            ProblemKind::HeldBack,
            format!(
                "`{id}` is pinned to {}; its source offers {offered}",
                pin.version
            ),
        )),
    }
}

enum Compared {
    /// No copy.
    Missing,
    /// Version and content are the source's, and we put it there.
    Same,
    /// The same, and somebody else put it there.
    SameButForeign,
    /// Something else than the source's.
    Different,
    /// Somebody else changed again what we had repaired.
    Drifted(Problem),
}

fn compare(
    lookup: &Lookup,
    copy: &Installed,
    version: &VersionSegment,
    offered: Digest,
) -> Result<Compared, Error> {
    let same_version = copy.version == *version && !copy.is_empty;
    if copy.provenance == Provenance::Recorded && !copy.is_empty {
        let recorded = copy.record.as_ref().and_then(|record| record.source_digest);
        return Ok(if same_version && recorded == Some(offered) {
            Compared::Same
        } else {
            Compared::Different
        });
    }
    if same_version && digest_without_generated(lookup, copy)? == Some(offered) {
        return Ok(Compared::SameButForeign);
    }
    let repaired_before = copy
        .record
        .as_ref()
        .is_some_and(|record| record.by == InstalledBy::Refresh);
    if repaired_before && copy.provenance == Provenance::Foreign && !copy.is_empty {
        return Ok(Compared::Drifted(
            Problem::warning(
                ProblemKind::Drift,
                format!(
                    "another program replaced the copy of `{}` that was brought to its source; \
                     install it again to restore it",
                    copy.id
                ),
            )
            .in_file(&copy.root),
        ));
    }
    Ok(Compared::Different)
}

/// The digest of a copy without what an installation adds to it; `None` when the copy cannot be
/// compared, which makes it different.
fn digest_without_generated(lookup: &Lookup, copy: &Installed) -> Result<Option<Digest>, Error> {
    let disk = lookup.disk();
    let tree_error = |source: TreeError| Error::Store {
        action: "compare",
        id: copy.id.clone(),
        source: Box::new(source.into()),
    };
    let plan = TreePlan::scan(disk, &copy.root, &Limits::INSTALL, &[]).map_err(tree_error)?;
    let whole = tree::digest(disk, &plan).map_err(tree_error)?;
    let generated = |path: &str| path.starts_with(plugd_components::MIGRATED_SKILLS_DIR);
    if !plan.files().any(|file| generated(&file.path)) {
        return Ok(Some(whole));
    }
    let mut files = FileDigests::default();
    for file in plan.files().filter(|file| !generated(&file.path)) {
        let path = copy.root.join(&file.path);
        let content = disk.read(&path, file.size)?;
        files.add(&file.path, file.executable, &content);
    }
    Ok(Some(files.digest()))
}

fn adopt(
    store: &Store,
    offer: &Offer<'_>,
    copy: &Installed,
    source_digest: Digest,
) -> Result<(), Error> {
    let adoption = Adoption {
        bound: binding::for_record(offer),
        source: offer.entry.source.clone(),
        commit: None,
        source_digest: Some(source_digest),
    };
    store
        .adopt(&copy.id, adoption, STORE_PATIENCE)
        .map(|_| ())
        .map_err(|source| Error::Store {
            action: "adopt",
            id: copy.id.clone(),
            source: Box::new(source),
        })
}

fn failed(id: &PluginId, from: Option<String>, problem: Problem) -> PluginResult {
    PluginResult {
        id: id.clone(),
        outcome: PluginOutcome::Failed,
        from,
        to: None,
        problem: Some(problem),
    }
}

/// An error with its place; where it is about a manifest, the manifest's own problem.
fn problem_of_error(error: &Error) -> Problem {
    if let Error::BadManifest { problem, .. } | Error::Policy { problem } = error {
        return (**problem).clone();
    }
    let kind = match error {
        Error::SourceMissing { .. } => ProblemKind::Missing,
        Error::SourceEscapes { .. } => ProblemKind::BadPath,
        Error::NameMismatch { .. } => ProblemKind::NameMismatch,
        Error::BadVersion { .. } => ProblemKind::BadVersion,
        _ => ProblemKind::Unreadable,
    };
    let facts = error.facts();
    Problem {
        path: facts.path,
        field: facts.field,
        place: facts.place,
        ..Problem::error(kind, error_chain(error))
    }
}

fn problem_of(error: &dyn std::error::Error) -> Problem {
    Problem::error(ProblemKind::Unreadable, error_chain(error))
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
