//! What a synchronisation with the account would do, worked out before anything is done.
//!
//! Rules:
//! - What the account has and is not here, or is here in another version, is brought. An answer that
//!   names a digest also moves a copy that is known to be from another archive.
//! - A copy that is current gets its sidecar, nothing else.
//! - Only a complete answer removes, and only copies that are known to be from the catalog and were
//!   here before the service was asked: what somebody installs meanwhile is not in the answer.
//! - What is pinned stays, and that is told.

use std::collections::{BTreeMap, BTreeSet};

use plugd_catalog::{InstalledItem, InstalledSet};
use plugd_marketplace::Binding;
use plugd_model::{PluginId, Problem, ProblemKind, RemotePluginId, VersionSegment, error_chain};
use plugd_store::{BoundSource, Installed};

use crate::follow::pin_allows;
use crate::remote_error::RemoteError;
use crate::standing::Standing;
use crate::status::{PluginOutcome, PluginResult};

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What is to be brought.
    pub(crate) bring: Vec<Bring>,
    /// Copies that are current, with the id that their sidecar has to name.
    pub(crate) current: Vec<(Installed, RemotePluginId)>,
    /// Copies that are to go.
    pub(crate) remove: Vec<Installed>,
    /// What stays as it is although it should move, and why.
    pub(crate) held: Vec<Held>,
    /// What cannot be brought, and why.
    pub(crate) refused: Vec<Refused>,
}

/// One plugin to be brought.
#[derive(Debug, Clone)]
pub(crate) struct Bring {
    /// What the account has.
    pub(crate) item: InstalledItem,
    /// Its name here.
    pub(crate) id: PluginId,
    /// The version that it gets.
    pub(crate) version: VersionSegment,
    /// What stands there now.
    pub(crate) before: Option<Installed>,
}

/// One copy that is not moved.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: PluginId,
    pub(crate) from: Option<String>,
    /// The version it does not move to; `None` when it would go.
    pub(crate) to: Option<String>,
    pub(crate) problem: Problem,
}

impl Held {
    /// One that does not move to a version.
    pub(crate) fn new(
        id: PluginId,
        from: Option<String>,
        to: &VersionSegment,
        problem: Problem,
    ) -> Self {
        Self {
            id,
            from,
            to: Some(to.to_string()),
            problem,
        }
    }

    /// What a run tells of it.
    pub(crate) fn result(self) -> PluginResult {
        PluginResult {
            id: self.id,
            outcome: PluginOutcome::HeldBack,
            from: self.from,
            to: self.to,
            problem: Some(self.problem),
            copy: None,
        }
    }
}

/// One plugin of the account that cannot be had.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) id: PluginId,
    pub(crate) remote_id: RemotePluginId,
    pub(crate) from: Option<String>,
    pub(crate) problem: Problem,
}

/// Works it out. `copies` were here before the service was asked, `standing` is what is here now.
pub(crate) fn plan(
    set: &InstalledSet,
    copies: &[Installed],
    standing: &BTreeMap<PluginId, Standing>,
) -> Plan {
    let mut plan = Plan::default();
    let mut wanted = BTreeSet::new();
    for one in &set.items {
        let id = one.item.plugin_id();
        let standing = standing.get(&id);
        let copy = standing.and_then(|standing| standing.copy.as_ref());
        let from = copy.map(|copy| copy.version.to_string());
        wanted.insert(id.clone());
        let version = match version_of(one, &id) {
            Ok(version) => version,
            Err(problem) => {
                plan.refused.push(Refused {
                    id,
                    remote_id: one.item.id.clone(),
                    from,
                    problem,
                });
                continue;
            }
        };
        if let Some(copy) = copy
            && is_current(copy, one, &version)
        {
            plan.current.push((copy.clone(), one.item.id.clone()));
            continue;
        }
        let moves = |standing| {
            bound_elsewhere(&id, standing).and(pin_allows(&id, standing, &version, None))
        };
        match standing.map_or(Ok(()), moves) {
            Ok(()) => plan.bring.push(Bring {
                item: one.clone(),
                id,
                version,
                before: copy.cloned(),
            }),
            Err(problem) => plan.held.push(Held::new(id, from, &version, problem)),
        }
    }
    if set.complete {
        removals(&mut plan, copies, &wanted);
    }
    plan
}

/// What a request has bound to something else goes nowhere by itself.
fn bound_elsewhere(id: &PluginId, standing: &Standing) -> Result<(), Problem> {
    match standing.binding() {
        None | Some(Binding::Remote { .. }) => Ok(()),
        Some(bound) => Err(Problem::warning(
            ProblemKind::HeldBack,
            format!(
                "`{id}` is bound to {} and does not follow the account",
                bound.describe()
            ),
        )),
    }
}

fn removals(plan: &mut Plan, copies: &[Installed], wanted: &BTreeSet<PluginId>) {
    let gone = copies
        .iter()
        .filter(|copy| copy.remote().is_some() && !wanted.contains(&copy.id));
    for copy in gone {
        let pin = copy.record.as_ref().and_then(|record| record.pin.as_ref());
        let Some(pin) = pin else {
            plan.remove.push(copy.clone());
            continue;
        };
        let text = format!(
            "`{}` is pinned to {}; the account does not have it any more",
            copy.id, pin.version
        );
        plan.held.push(Held {
            id: copy.id.clone(),
            from: Some(copy.version.to_string()),
            to: None,
            problem: Problem::warning(ProblemKind::HeldBack, text),
        });
    }
}

/// The version directory that a release asks for.
fn version_of(one: &InstalledItem, id: &PluginId) -> Result<VersionSegment, Problem> {
    let plugin = id.clone();
    let error = match &one.item.release.version {
        None => RemoteError::NoVersion { plugin },
        Some(text) => match VersionSegment::new(text) {
            Ok(version) => return Ok(version),
            Err(source) => RemoteError::BadVersion { plugin, source },
        },
    };
    Err(Problem::error(ProblemKind::BadVersion, error_chain(&error)))
}

/// Whether a copy is what the account has.
pub(crate) fn is_current(copy: &Installed, one: &InstalledItem, version: &VersionSegment) -> bool {
    if copy.version != *version || copy.is_empty {
        return false;
    }
    // What another program has put there says nothing of where it is from.
    let Some(record) = copy.provenance_record() else {
        return true;
    };
    if !matches!(&record.bound, BoundSource::Remote { id } if *id == one.item.id) {
        return false;
    }
    let archives = [&one.item.release.digest, &record.commit];
    match archives.map(|text| text.as_deref().and_then(sha256)) {
        [Some(offered), Some(brought)] => offered == brought,
        _ => true,
    }
}

/// The digits of a SHA-256 in the form that is compared.
fn sha256(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:")?;
    let is_one = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| digits.to_ascii_lowercase())
}

/// The plugins that the account switched on or off since the last answer, or that count for the
/// first time.
pub(crate) fn flipped<'a>(
    before: Option<&'a InstalledSet>,
    now: &'a InstalledSet,
) -> impl Iterator<Item = PluginId> + 'a {
    now.items.iter().filter_map(move |one| {
        let was = before.and_then(|before| {
            let same = before.items.iter().find(|old| old.item.id == one.item.id);
            same.map(|old| old.enabled)
        });
        (was.unwrap_or(false) != one.enabled).then(|| one.item.plugin_id())
    })
}

/// What is known after an answer. Of one whose end is missing, what it says counts, and what it does
/// not speak of is as it was: one item that nobody can read takes nothing away from the others.
pub(crate) fn joined(before: Option<&InstalledSet>, mut answer: InstalledSet) -> InstalledSet {
    if answer.complete {
        return answer;
    }
    let spoken: BTreeSet<_> = answer.items.iter().map(|one| one.item.id.clone()).collect();
    let known = before.into_iter().flat_map(|before| &before.items);
    let silent = known.filter(|one| !spoken.contains(&one.item.id));
    answer.items.extend(silent.cloned());
    answer.complete = true;
    answer
}

#[cfg(test)]
#[path = "remote_plan_tests.rs"]
mod tests;
