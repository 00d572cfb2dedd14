//! One step of background work: bring one configured plugin to what its source has.
//!
//! A source that lies elsewhere is not looked at here. The step says what to ask for, and is taken
//! again with what was fetched.
//!
//! Everything is decided for one look at the store. When something else stands there by the time the
//! lock is held, nothing happens: whoever was faster has the say, and the next listing looks again.

use std::time::{Duration, Instant};

use plugd_marketplace::{Binding, Offer};
use plugd_model::{PluginId, Problem, ProblemKind, Source, VersionSegment, error_chain};
use plugd_store::{Pin, Provenance, SourceContent};

use crate::adopt::{Found, adopt, note_commit};
use crate::bound_source::{broken_source, other_source, source_of};
use crate::call::Call;
use crate::compare::{Compared, compare};
use crate::content::Content;
use crate::curated_commit::curated_version;
use crate::differing::CopyMark;
use crate::fetcher::Fetched;
use crate::follow_elsewhere::unapproved;
use crate::install_offer::{Activating, HowFar, begin_to_install};
use crate::install_why::Why;
use crate::lookup::Resolved;
use crate::obtain::{Obtained, Supply, admit, obtain};
use crate::standing::Standing;
use crate::status::{PluginOutcome, PluginResult};
use crate::trust_gate::{Gate, Whence};
use crate::{Copies, Error, Lookup, content};

/// How far one step came.
#[derive(Debug)]
pub(crate) enum Followed {
    /// Nothing here is the plugin's source, or somebody else has just changed it: nothing is known,
    /// nothing happens.
    Nothing,
    /// To the end.
    Result(PluginResult),
    /// The content is elsewhere.
    Elsewhere(Elsewhere),
}

/// How far one step came that nobody waits for.
#[derive(Debug)]
pub(crate) enum Begun {
    Ended(Followed),
    Ready(Ready),
}

/// A copy that is complete and waits for its place. Dropping it leaves the plugin as it is, unless somebody
/// has put the copy in its place by then.
#[derive(Debug)]
pub(crate) struct Ready {
    call: Call,
    id: PluginId,
    from: Option<String>,
    outcome: PluginOutcome,
    /// What it took to make the copy, which is lost when it is taken back.
    took: Duration,
    was_fetched: bool,
    activating: Box<Activating>,
}

/// What has to be asked for before the step can be taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Elsewhere {
    pub(crate) id: PluginId,
    /// The version of the copy, when there is one.
    pub(crate) from: Option<String>,
    /// Which copy that is.
    pub(crate) copy: Option<Box<CopyMark>>,
    pub(crate) source: Source,
    /// What the source meant when the copy was made: as long as it means the same, nothing has to be
    /// fetched.
    pub(crate) known: Option<String>,
    /// Whether it has a pin.
    pub(crate) pinned: bool,
    /// What keeps the copy whatever the source means by now, so that it need not be fetched.
    pub(crate) held: Option<Box<Pin>>,
    /// Why nothing of the source may come by itself, as long as nobody says yes to something of it.
    pub(crate) unapproved: Option<Problem>,
}

impl Elsewhere {
    /// The source still means what the copy is.
    pub(crate) fn unchanged(self) -> PluginResult {
        PluginResult {
            id: self.id,
            outcome: PluginOutcome::Unchanged,
            to: self.from.clone(),
            from: self.from,
            problem: None,
            copy: self.copy,
        }
    }

    /// The source means something else, and the copy stays.
    pub(crate) fn held_back(self, problem: Problem) -> PluginResult {
        PluginResult {
            copy: self.copy,
            ..held_back(&self.id, self.from, problem)
        }
    }

    /// The source could not be asked or brought. What is pinned would have stayed in any case, and
    /// nobody knows whether there is something else.
    pub(crate) fn failed(self, error: &Error) -> PluginResult {
        if let Some(problem) = self.held_unasked(error) {
            return PluginResult {
                problem: Some(problem),
                ..self.unchanged()
            };
        }
        PluginResult {
            copy: self.copy,
            ..PluginResult::failed(self.id, self.from, problem_of(error))
        }
    }
}

/// Compares one plugin with its source and moves it when it may be moved. `fetched` is what an
/// earlier call asked for.
pub(crate) fn follow(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    id: &PluginId,
    fetched: Option<Fetched>,
) -> Followed {
    match begin_to_follow(call, lookup, copies, resolved, id, fetched) {
        Begun::Ended(followed) => followed,
        Begun::Ready(ready) => ready.settle(lookup, copies, resolved),
    }
}

/// The same up to a complete copy.
pub(crate) fn begin_to_follow(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    id: &PluginId,
    fetched: Option<Fetched>,
) -> Begun {
    let (began, was_fetched) = (Instant::now(), fetched.is_some());
    let looked = copies.store().and_then(|store| {
        Standing::of(store, id).map_err(|source| Error::Store {
            action: "inspect",
            id: id.clone(),
            source: Box::new(source),
        })
    });
    let standing = match looked {
        Ok(standing) => standing,
        Err(error) => return Begun::Ended(Followed::failed(id, None, &error)),
    };
    let from = standing.copy.as_ref().map(|copy| copy.version.to_string());
    let Ok(offer) = source_of(resolved, &standing, id) else {
        let result = match broken_source(lookup, resolved, &standing) {
            Some(broken) => PluginResult::failed(id.clone(), from, broken),
            None => match other_source(resolved, &standing, id) {
                Some(problem) => held_back(id, from, problem),
                None => return Begun::Ended(Followed::Nothing),
            },
        };
        let copy = standing.mark();
        return Begun::Ended(Followed::Result(PluginResult { copy, ..result }));
    };
    let stepped = match obtain(lookup, &offer, fetched) {
        Ok(Supply::Here(obtained)) => {
            step(call, lookup, copies, resolved, &offer, &standing, obtained)
        }
        Ok(Supply::Elsewhere(source)) => {
            let fits = still_fits(lookup, &offer, &standing);
            return Begun::Ended(match elsewhere(id, from, source, &standing, fits) {
                Followed::Elsewhere(asked) => {
                    unapproved(lookup, copies, resolved, &offer, asked, &standing)
                }
                followed => followed,
            });
        }
        Err(error) => Err(error),
    };
    match stepped {
        Ok(Stepped::Ended((outcome, to, problem))) => {
            Begun::Ended(Followed::Result(PluginResult {
                id: id.clone(),
                outcome,
                from,
                to: Some(to.to_string()),
                problem,
                copy: standing.mark(),
            }))
        }
        Ok(Stepped::Ready(outcome, activating)) => Begun::Ready(Ready {
            call: call.clone(),
            id: id.clone(),
            from,
            outcome,
            took: began.elapsed(),
            was_fetched,
            activating,
        }),
        Err(error) => Begun::Ended(Followed::failed(id, from, &error)),
    }
}

impl Followed {
    fn failed(id: &PluginId, from: Option<String>, error: &Error) -> Self {
        match is_overtaken(error) {
            true => Self::Nothing,
            false => Self::Result(PluginResult::failed(id.clone(), from, problem_of(error))),
        }
    }
}

impl Ready {
    /// Whether nobody puts the copy in its place yet.
    pub(crate) fn waits(&self) -> bool {
        self.activating.waits()
    }

    /// Waits until the copy is in its place.
    pub(crate) fn settle(self, lookup: &Lookup, copies: &Copies, resolved: &Resolved) -> Followed {
        let waits_since = Instant::now();
        // What others of a batch do between the two is no loss of this one.
        let lost = || self.took + waits_since.elapsed();
        match self.activating.settle(lookup, copies) {
            Ok(done) => Followed::Result(PluginResult {
                id: self.id,
                outcome: self.outcome,
                from: self.from,
                to: Some(done.version.to_string()),
                problem: done.problems.into_iter().next(),
                copy: None,
            }),
            // What was fetched is gone with the copy.
            Err(Error::TakenBack { .. })
                if !self.was_fetched && self.call.waits.try_again_after(lost()) =>
            {
                follow(&self.call, lookup, copies, resolved, &self.id, None)
            }
            Err(error) => Followed::failed(&self.id, self.from, &error),
        }
    }
}

/// What is known of a plugin whose source lies elsewhere, without asking anybody.
pub(crate) fn elsewhere(
    id: &PluginId,
    from: Option<String>,
    source: Source,
    standing: &Standing,
    fits: bool,
) -> Followed {
    let ours = standing
        .copy
        .as_ref()
        .is_some_and(|copy| !copy.is_empty && copy.provenance == Provenance::Recorded);
    let record = standing.record.as_ref();
    let known = record
        .filter(|record| ours && fits && record.source == source.without_secrets())
        .and_then(|record| record.commit.clone());
    let exactly = |pin: &&Pin| pin.commit.is_some() || pin.tree_digest.is_some();
    let pin = standing.pin().filter(exactly).filter(|_| ours);
    let asked = Elsewhere {
        id: id.clone(),
        from,
        copy: standing.mark(),
        source,
        known,
        pinned: standing.pin().is_some(),
        unapproved: None,
        held: pin.cloned().map(Box::new),
    };
    match &asked.known {
        Some(known) if means_for_ever(&asked.source, known) => Followed::Result(asked.unchanged()),
        _ => Followed::Elsewhere(asked),
    }
}

/// Whether what the catalog itself says of a plugin is still what its copy was made with: the commit
/// of the snapshot is the version of a curated plugin, and an entry may stand in for a manifest.
pub(crate) fn still_fits(lookup: &Lookup, offer: &Offer<'_>, standing: &Standing) -> bool {
    let (Some(copy), Some(record)) = (&standing.copy, &standing.record) else {
        return true;
    };
    if offer.content.binding == Binding::Curated {
        let version = curated_version(lookup.loader(), lookup.layout());
        return version.is_none_or(|version| version == copy.version.as_str());
    }
    // Where nothing was added to the source, it has a manifest of its own.
    let was_added_to = record.source_digest != Some(record.tree_digest);
    match &offer.entry.fallback {
        Some(fallback) if was_added_to => content::is_fallback_of(lookup, &copy.root, fallback),
        _ => true,
    }
}

/// Whether a source can never mean anything else: a commit, or an exact version of a registry.
fn means_for_ever(source: &Source, known: &str) -> bool {
    match source {
        Source::Local { .. } | Source::Remote => false,
        Source::Git { sha, .. } => sha
            .as_ref()
            .is_some_and(|sha| known.starts_with(&sha.to_ascii_lowercase())),
        Source::Npm { version, .. } => version.as_deref() == Some(known),
        Source::Oci { reference } => reference.digest() == Some(known),
        Source::Archive { digest, .. } => digest == known,
    }
}

/// Uninstalled, installed or cancelled meanwhile: there is nothing to tell.
fn is_overtaken(error: &Error) -> bool {
    error.is_superseded()
        || error.kind() == crate::Kind::Cancelled
        || matches!(error, Error::NoLongerConfigured { .. })
}

fn held_back(id: &PluginId, from: Option<String>, problem: Problem) -> PluginResult {
    PluginResult {
        id: id.clone(),
        outcome: PluginOutcome::HeldBack,
        to: from.clone(),
        from,
        problem: Some(problem),
        copy: None,
    }
}

type Step = (PluginOutcome, VersionSegment, Option<Problem>);

enum Stepped {
    Ended(Step),
    Ready(PluginOutcome, Box<Activating>),
}

fn step(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    offer: &Offer<'_>,
    standing: &Standing,
    obtained: Obtained,
) -> Result<Stepped, Error> {
    let content = Content::read(lookup, offer, obtained.dir.clone())?;
    let version = content.version.clone();
    let offered = |believing| content.offered(copies, &offer.id(), believing, call);
    // What was not taken over is told of in each run, as a request would have been: the copy is as
    // incomplete as it was when it was made.
    let incomplete = |offered: SourceContent| offered.left_out.into_iter().next();
    let ended = |outcome, problem| Ok(Stepped::Ended((outcome, version.clone(), problem)));
    let held = |problem| ended(PluginOutcome::HeldBack, Some(problem));
    let repaired_from = match compare(call, lookup, copies, standing, &content, offered)? {
        Compared::Same(offered) => {
            note_commit(
                call,
                copies.store()?,
                standing,
                &offer.id(),
                obtained.commit,
            )?;
            return ended(PluginOutcome::Unchanged, incomplete(offered));
        }
        Compared::SameButForeign(offered, tree_digest) => {
            let found = Found {
                source_digest: offered.digest,
                tree_digest,
                commit: obtained.commit,
            };
            adopt(call, copies.store()?, offer, standing, found)?;
            return ended(PluginOutcome::Unchanged, incomplete(offered));
        }
        Compared::Drifted(problem) => return held(problem),
        Compared::Missing => None,
        Compared::Different { repaired_from } => repaired_from,
    };
    if let Err(error) = admit(offer) {
        return held(Problem::warning(ProblemKind::Policy, error.to_string()));
    }
    let id = offer.id();
    let from = Whence::of_offer(&id, offer);
    let scopes = resolved.scopes.iter().map(|sight| &*sight.config);
    let gate = Gate::new(lookup, copies.store()?, scopes);
    let commit = obtained.commit.as_deref();
    if let Err(problem) = may_move(&gate, from, standing, &version, commit) {
        return held(problem);
    }
    let why = Why::Configured {
        scopes: &resolved.scopes,
        repaired_from,
    };
    let begun = match begin_to_install(call, lookup, copies, offer, obtained, why, standing) {
        // Its version may come and what it holds may not, which only the copy tells.
        Err(error @ Error::Pinned { .. }) => {
            return held(Problem::warning(ProblemKind::HeldBack, error.to_string()));
        }
        Err(Error::Trust(refusal)) => return held(refusal.problem()),
        begun => begun?,
    };
    let outcome = match standing.copy {
        None => PluginOutcome::Installed,
        Some(_) => PluginOutcome::Updated,
    };
    Ok(match begun {
        HowFar::Activating(activating) => Stepped::Ready(outcome, activating),
        HowFar::Done(done) => {
            Stepped::Ended((outcome, done.version, done.problems.into_iter().next()))
        }
    })
}

/// The one question before a copy moves by itself: the pin first, then what is trusted as far as that
/// is known without the content. Who has the content asks for that one once more.
pub(crate) fn may_move(
    gate: &Gate<'_>,
    from: Whence<'_>,
    standing: &Standing,
    offered: &VersionSegment,
    commit: Option<&str>,
) -> Result<(), Problem> {
    pin_allows(from.id, standing, offered, commit)?;
    gate.surely_held(from, standing).map_or(Ok(()), Err)
}

/// What the user has pinned goes nowhere else, and what he has pinned with its commit or content stays
/// what it is under its version too. Where the commit that is offered is not known, only a copy that is
/// missing may come from it.
pub(crate) fn pin_allows(
    id: &PluginId,
    standing: &Standing,
    offered: &VersionSegment,
    commit: Option<&str>,
) -> Result<(), Problem> {
    let Some(pin) = standing.pin() else {
        return Ok(());
    };
    if pin.version != *offered {
        return Err(held_by_pin(id, pin, offered.as_str()));
    }
    let there = standing.copy.is_some();
    let is_other = |pinned: &str| commit.map_or(there, |commit| commit != pinned);
    if pin.commit.as_deref().is_some_and(is_other) {
        return Err(held_by_pin(id, pin, "another commit with that version"));
    }
    if pin.tree_digest.is_some() && there {
        return Err(held_by_pin(id, pin, "other content under that version"));
    }
    Ok(())
}

pub(crate) fn held_by_pin(id: &PluginId, pin: &Pin, offered: &str) -> Problem {
    let text = format!(
        "`{id}` is pinned to {}; its source offers {offered}",
        pin.version
    );
    Problem::warning(ProblemKind::HeldBack, text)
}

/// An error with its place; where it is about a manifest, the manifest's own problem.
pub(crate) fn problem_of(error: &Error) -> Problem {
    if let Error::BadManifest { problem, .. } | Error::Policy { problem } = error {
        return (**problem).clone();
    }
    if let Error::Trust(refusal) = error {
        return refusal.problem();
    }
    let kind = match error {
        Error::SourceMissing { .. } => ProblemKind::Missing,
        Error::SourceEscapes { .. } => ProblemKind::BadPath,
        Error::NameMismatch { .. } => ProblemKind::NameMismatch,
        Error::BadVersion { .. } => ProblemKind::BadVersion,
        error => match error.kind() {
            crate::Kind::Unavailable => ProblemKind::Unavailable,
            crate::Kind::NotFound => ProblemKind::Missing,
            _ => ProblemKind::Unreadable,
        },
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
#[path = "follow_fault_tests.rs"]
mod fault_tests;

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
