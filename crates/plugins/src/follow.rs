//! One step of background work: bring one configured plugin to what its source has.
//!
//! Everything is decided for one look at the store. When something else stands there by the time the
//! lock is held, nothing happens: whoever was faster has the say, and the next listing looks again.

use plugd_disk::tree::Digest;
use plugd_marketplace::{Binding, NotSelected, Offer, Selector, State};
use plugd_model::{PluginId, Problem, ProblemKind, Source, VersionSegment, error_chain};
use plugd_store::{Adoption, Store};

use crate::binding;
use crate::call::Call;
use crate::compare::{Compared, compare};
use crate::content::Content;
use crate::install::{STORE_PATIENCE, Why, install_offer};
use crate::lookup::Resolved;
use crate::obtain::{admit, obtain};
use crate::standing::Standing;
use crate::status::{PluginOutcome, PluginResult};
use crate::{Copies, Error, Lookup};

/// Compares one plugin with its source and moves it when it may be moved. `None` means that nothing
/// here is its source, or that somebody else has just changed it: nothing is known, nothing happens.
pub(crate) fn follow(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    id: &PluginId,
) -> Option<PluginResult> {
    let looked = copies.store().and_then(|store| {
        Standing::of(store, id).map_err(|source| Error::Store {
            action: "inspect",
            id: id.clone(),
            source: Box::new(source),
        })
    });
    let standing = match looked {
        Ok(standing) => standing,
        Err(error) => return Some(failed(id, None, problem_of(&error))),
    };
    let from = standing.copy.as_ref().map(|copy| copy.version.to_string());
    let Ok(offer) = source_of(resolved, &standing, id) else {
        let broken = broken_source(lookup, resolved, &standing)?;
        return Some(failed(id, from, broken));
    };
    // Sources that have to be fetched do not follow by themselves.
    let Source::Local { .. } = offer.entry.source else {
        return None;
    };
    match step(call, lookup, copies, resolved, &offer, &standing) {
        Ok((outcome, to, problem)) => Some(PluginResult {
            id: id.clone(),
            outcome,
            from,
            to: Some(to.to_string()),
            problem,
        }),
        Err(error) if is_overtaken(&error) => None,
        Err(error) => Some(failed(id, from, problem_of(&error))),
    }
}

/// Uninstalled, installed or cancelled meanwhile: there is nothing to tell.
fn is_overtaken(error: &Error) -> bool {
    error.is_superseded()
        || error.kind() == crate::Kind::Cancelled
        || matches!(error, Error::NoLongerConfigured { .. })
}

/// The one place that content may come from: what the plugin is bound to, also when its copy is
/// gone, else a marketplace that the user or an administrator chose, never a directory that somebody
/// happens to stand in.
fn source_of<'a>(
    resolved: &'a Resolved,
    standing: &Standing,
    id: &PluginId,
) -> Result<Offer<'a>, NotSelected> {
    match standing.binding() {
        Some(bound) => resolved.set.select(&Selector::Bound(id, &bound)),
        None => resolved.set.select(&Selector::Trusted(id)),
    }
}

/// Why the marketplace that a plugin is bound to cannot be read, when it is in sight and broken.
fn broken_source(lookup: &Lookup, resolved: &Resolved, standing: &Standing) -> Option<Problem> {
    let Some(Binding::Manifest(bound)) = standing.binding() else {
        return None;
    };
    resolved.set.marketplaces().find_map(|marketplace| {
        let State::Failed(problem) = &marketplace.state else {
            return None;
        };
        let place = lookup.disk().resolve(&marketplace.named_by).ok()?;
        (place == bound).then(|| problem.clone())
    })
}

type Step = (PluginOutcome, VersionSegment, Option<Problem>);

fn step(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    offer: &Offer<'_>,
    standing: &Standing,
) -> Result<Step, Error> {
    let content = Content::read(lookup, offer, obtain(lookup, offer)?)?;
    let version = content.version.clone();
    let offered = content.digest(copies, &offer.id(), call)?;
    let held = |problem| Ok((PluginOutcome::HeldBack, version.clone(), Some(problem)));
    let repaired_from = match compare(call, lookup, copies, standing, &content, offered)? {
        Compared::Same => return Ok((PluginOutcome::Unchanged, version, None)),
        Compared::SameButForeign(tree_digest) => {
            adopt(call, copies.store()?, offer, standing, offered, tree_digest)?;
            return Ok((PluginOutcome::Unchanged, version, None));
        }
        Compared::Drifted(problem) => return held(problem),
        Compared::Missing => None,
        Compared::Different { repaired_from } => repaired_from,
    };
    if let Err(error) = admit(offer) {
        return held(Problem::warning(ProblemKind::Policy, error.to_string()));
    }
    if let Err(problem) = may_move(&offer.id(), standing, &version) {
        return held(problem);
    }
    let why = Why::Configured {
        scopes: &resolved.scopes,
        repaired_from,
    };
    let done = install_offer(call, lookup, copies, offer, why, standing)?;
    let outcome = match standing.copy {
        None => PluginOutcome::Installed,
        Some(_) => PluginOutcome::Updated,
    };
    Ok((outcome, done.version, None))
}

/// The one question before a copy moves by itself: what the user has pinned goes nowhere else.
fn may_move(id: &PluginId, standing: &Standing, offered: &VersionSegment) -> Result<(), Problem> {
    match standing.pin() {
        Some(pin) if pin.version != *offered => Err(Problem::warning(
            ProblemKind::HeldBack,
            format!(
                "`{id}` is pinned to {}; its source offers {offered}",
                pin.version
            ),
        )),
        _ => Ok(()),
    }
}

fn adopt(
    call: &Call,
    store: &Store,
    offer: &Offer<'_>,
    standing: &Standing,
    source_digest: Digest,
    tree_digest: Digest,
) -> Result<(), Error> {
    let adoption = Adoption {
        bound: binding::for_record(offer),
        source: offer.entry.source.clone(),
        commit: None,
        source_digest: Some(source_digest),
        seen: standing.seen.clone(),
        tree_digest,
    };
    let id = offer.id();
    store
        .adopt(&id, adoption, call.patience(STORE_PATIENCE))
        .map(|_| ())
        .map_err(|source| Error::Store {
            action: "adopt",
            id: id.clone(),
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
fn problem_of(error: &Error) -> Problem {
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

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
