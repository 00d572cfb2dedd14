//! One synchronisation with the account: asks what it has, and makes the copies here so.
//!
//! What was here is looked at before the service is asked, and everything is decided for that look:
//! when somebody has installed or removed a plugin meanwhile, the store refuses and his word stands.
//! What the service says takes effect at once; content follows, each plugin for itself, so that one
//! that fails keeps nothing from the others. A copy is replaced or removed as a whole, so whatever
//! kills the process leaves the rest to the next run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plugd_catalog::{Access, Fetched, InstalledSet, Urls};
use plugd_model::{PluginId, Problem, ProblemKind, RemotePluginId};
use plugd_store::{Installed, StoreError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::call::{Call, Cancelled};
use crate::component_kinds::{ComponentKinds, kinds_of};
use crate::events::{Change, ChangeReason};
use crate::follow::problem_of;
use crate::in_time::in_time;
use crate::install::STORE_PATIENCE;
use crate::parts::Parts;
use crate::remote::InstalledAnswer;
use crate::remote_error::RemoteError;
use crate::remote_install::bring_remote;
use crate::remote_known::{is_same_account, troubles};
use crate::remote_login::is_without_login;
use crate::remote_plan::{Bring, Held, Plan, flipped, is_current, plan};
use crate::remote_words::Asked;
use crate::standing::Standing;
use crate::status::{PluginOutcome, PluginResult, is_held};
use crate::{Error, Installation};

/// What was tried, in the words that clients of the reference know.
const ACTION: &str = "failed to reconcile remote installed plugins";

/// How many bundles are brought at a time.
const AT_A_TIME: usize = 3;

/// What is different since the look before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reconciled {
    /// Plugins that are not what they were, with the kinds of components that this may concern. By id.
    pub changed: BTreeMap<PluginId, ComponentKinds>,
    /// Plugins that could not be made what the account has.
    pub failed: BTreeSet<RemotePluginId>,
    /// Those of them whose content could not be brought.
    pub not_brought: BTreeSet<RemotePluginId>,
    /// Why, and what else is not as it should be.
    pub problems: Vec<Problem>,
}

/// What one run came to.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    /// Plugin by plugin.
    pub(crate) results: Vec<PluginResult>,
    /// For whoever asked.
    pub(crate) reconciled: Reconciled,
    /// Why the service's answer is not everything, so that nothing was removed.
    pub(crate) partial: Option<Problem>,
}

/// What there was before the service was asked.
struct Before {
    access: Access,
    known: Option<Arc<InstalledSet>>,
    copies: Vec<Installed>,
    problems: Vec<Problem>,
}

/// What is to be done, and what is known of the components before it is.
struct Decided {
    plan: Plan,
    kinds: BTreeMap<PluginId, ComponentKinds>,
    ran: Ran,
}

/// Runs once; the service has `until` then to say what there is. `None` when there is no account to synchronise with.
///
/// # Errors
/// It was cancelled before anything had changed, the service could not be asked, or the store cannot
/// be read. What concerns one plugin is no error of the run.
pub(crate) async fn run(call: &Call, parts: &Parts, until: Instant) -> Result<Option<Ran>, Error> {
    call.progress.report("resolving", 0, None);
    let of = parts.clone();
    let before = parts.blocking.write(move || look(&of));
    let Some(before) = before.await? else {
        return Ok(None);
    };
    let set = ask(call, parts, &before.access, until).await?;
    let (remote, of_account) = (parts.lookup.remote(), before.access.clone());
    let (of, work) = (parts.clone(), call.clone());
    let section = move || decide(&work, &of, before, set);
    let decided = parts.blocking.write(section);
    let Some(decided) = decided.await? else {
        return Ok(None);
    };
    let Decided {
        mut plan,
        kinds,
        mut ran,
    } = decided;
    note_decided(&mut plan, &mut ran);
    bring_all(call, parts, plan.bring, &kinds, &mut ran).await?;
    remove_all(call, parts, plan.remove, &kinds, &mut ran).await?;
    remote.note_troubles(&of_account, troubles(&ran.results));
    ran.results.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(Some(ran))
}

/// What is here and who is logged in.
fn look(parts: &Parts) -> Result<Option<Before>, Error> {
    let remote = parts.lookup.remote();
    let Some(access) = access(parts)? else {
        return Ok(None);
    };
    parts.copies.recover_again();
    let (copies, problems) = parts.copies.store()?.remote_copies().map_err(unreadable)?;
    Ok(Some(Before {
        known: remote.installed_of(&access),
        access,
        copies,
        problems,
    }))
}

/// The account, when there is one to synchronise with.
fn access(parts: &Parts) -> Result<Option<Access>, Error> {
    let config = parts.lookup.config(None);
    if !config.features().plugins {
        return Ok(None);
    }
    match parts.lookup.remote().access(&config, ACTION) {
        Ok(access) => Ok(Some(access)),
        Err(error) if is_without_login(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn ask(
    call: &Call,
    parts: &Parts,
    access: &Access,
    until: Instant,
) -> Result<(Asked, InstalledSet), Error> {
    let until = call.end.map_or(until, |end| end.min(until));
    let remote = parts.lookup.remote();
    let cancelled = call.cancel.cancelled();
    let answer = remote.ask_installed(access, Urls::With, None, Some(until), cancelled);
    let InstalledAnswer { asked, answer } = answer.await;
    match answer {
        Ok(Fetched::New(set, _)) => Ok((asked, set)),
        // Without marks to compare nothing can be unchanged.
        Ok(Fetched::Unchanged) => Ok((asked, InstalledSet::default())),
        Err(error) => {
            remote.missed_installed(access, &error);
            Err(RemoteError::asked(ACTION, error))
        }
    }
}

/// Takes over what the service says and decides what follows from it. `None` when another account
/// is logged in by now.
fn decide(
    call: &Call,
    parts: &Parts,
    before: Before,
    (asked, set): (Asked, InstalledSet),
) -> Result<Option<Decided>, Error> {
    let Before {
        access: of,
        known,
        copies,
        problems,
    } = before;
    if !access(parts)?.is_some_and(|now| is_same_account(&now, &of)) {
        return Ok(None);
    }
    call.cancel.check()?;
    let remote = parts.lookup.remote();
    // Nothing is brought back or removed that somebody was told is gone or installed since.
    let set = remote.corrected(&of, asked, set);
    let store = parts.copies.store()?;
    let mut standing = BTreeMap::new();
    for one in &set.items {
        let id = one.item.plugin_id();
        let found = Standing::of(store, &id).map_err(unreadable)?;
        standing.insert(id, found);
    }
    let plan = plan(&set, &copies, &standing);
    let mut ran = Ran::default();
    ran.reconciled.problems = problems;
    ran.reconciled.problems.extend(set.problems.iter().cloned());
    ran.partial = partial(&set);
    let old = copies.iter().map(|copy| (copy.id.clone(), copy));
    let mut here: BTreeMap<_, _> = old.collect();
    for (id, found) in &standing {
        if let Some(copy) = &found.copy {
            here.insert(id.clone(), copy);
        }
    }
    let moving = plan.bring.iter().map(|one| &one.id);
    let going = plan.remove.iter().map(|copy| &copy.id);
    let mut kinds = BTreeMap::new();
    for id in moving.chain(going) {
        if let Some(copy) = here.get(id) {
            kinds.insert(id.clone(), kinds_of(&parts.lookup, copy));
        }
    }
    let known_now = remote.learn(&of, asked, set, None);
    let switched = flipped(known.as_deref(), &known_now);
    for id in switched.chain(gone(known.as_deref(), &known_now)) {
        if let Some(copy) = here.get(&id) {
            let kinds = kinds.get(&id).copied();
            let kinds = kinds.unwrap_or_else(|| kinds_of(&parts.lookup, copy));
            ran.reconciled.changed.insert(id, kinds);
        }
    }
    mark(call, parts, &plan, &mut ran);
    tell(parts, ran.reconciled.changed.keys());
    Ok(Some(Decided { plan, kinds, ran }))
}

/// What is missing from an answer that is not everything.
fn partial(set: &InstalledSet) -> Option<Problem> {
    if set.complete {
        return None;
    }
    let why = set.problems.first().map(|problem| problem.message.as_str());
    let text = format!(
        "the service did not say everything that is installed: {}",
        why.unwrap_or("its answer has no end")
    );
    Some(Problem::error(ProblemKind::RemoteUnavailable, text))
}

/// What was switched on before and is in the account no more.
fn gone<'a>(
    before: Option<&'a InstalledSet>,
    now: &'a InstalledSet,
) -> impl Iterator<Item = PluginId> + 'a {
    let ids: BTreeSet<_> = now.items.iter().map(|one| one.item.plugin_id()).collect();
    let before = before.into_iter().flat_map(|before| &before.items);
    before
        .filter(|one| one.enabled)
        .map(|one| one.item.plugin_id())
        .filter(move |id| !ids.contains(id))
}

/// Gives copies that are current their sidecar. That is no change.
fn mark(call: &Call, parts: &Parts, plan: &Plan, ran: &mut Ran) {
    for (copy, remote_id) in &plan.current {
        let result = |outcome, problem| PluginResult {
            id: copy.id.clone(),
            outcome,
            from: Some(copy.version.to_string()),
            to: Some(copy.version.to_string()),
            problem,
            copy: None,
        };
        let part = call.part();
        let marked = parts.copies.store().and_then(|store| {
            let patience = part.patience(STORE_PATIENCE);
            let marked = store.set_remote_id(&copy.id, Some(remote_id), patience);
            marked.map_err(|error| in_store("mark", &copy.id, error))
        });
        ran.results.push(match marked {
            Ok(_) => result(PluginOutcome::Unchanged, None),
            Err(error) => {
                let problem = problem_of(&error);
                ran.reconciled.failed.insert(remote_id.clone());
                ran.reconciled.problems.push(problem.clone());
                result(PluginOutcome::Failed, Some(problem))
            }
        });
    }
}

/// What the plan itself says about plugins that nothing is done with.
fn note_decided(plan: &mut Plan, ran: &mut Ran) {
    for held in std::mem::take(&mut plan.held) {
        ran.hold(held);
    }
    for refused in std::mem::take(&mut plan.refused) {
        ran.fail(refused.id, refused.remote_id, refused.from, refused.problem);
    }
}

/// Brings what is missing or another version, a few at a time.
async fn bring_all(
    call: &Call,
    parts: &Parts,
    bring: Vec<Bring>,
    kinds: &BTreeMap<PluginId, ComponentKinds>,
    ran: &mut Ran,
) -> Result<(), Error> {
    let mut waiting = bring.into_iter();
    let mut working = JoinSet::new();
    loop {
        while working.len() < AT_A_TIME
            && let Some(one) = waiting.next()
        {
            let (part, parts) = (call.part(), parts.clone());
            working.spawn(async move {
                let outcome = in_time(&part, ACTION, bring_one(&part, &parts, &one)).await;
                (one, outcome)
            });
        }
        let Some(ended) = working.join_next().await else {
            break;
        };
        let (one, outcome) = ended.map_err(|error| Error::Panicked {
            text: error.to_string(),
        })?;
        let from = one.before.as_ref().map(|copy| copy.version.to_string());
        match outcome {
            Ok((to, now)) => {
                let before = kinds.get(&one.id).copied().unwrap_or_default();
                ran.moved(one.id.clone(), before | now);
                ran.results.push(PluginResult {
                    id: one.id,
                    outcome: match from {
                        None => PluginOutcome::Installed,
                        Some(_) => PluginOutcome::Updated,
                    },
                    from,
                    to: Some(to),
                    problem: None,
                    copy: None,
                });
            }
            Err(error) => {
                let problem = problem_of(&error);
                match is_held(problem.kind) {
                    true => ran.hold(Held::new(one.id, from, &one.version, problem)),
                    false => ran.fail(one.id, one.item.item.id, from, problem),
                }
            }
        }
    }
    given_up(call, ran)
}

/// A run that was given up and has changed nothing has no result. What one has changed is told.
fn given_up(call: &Call, ran: &Ran) -> Result<(), Error> {
    if call.cancel.is_cancelled() && ran.reconciled.changed.is_empty() {
        return Err(Error::Cancelled(Cancelled));
    }
    Ok(())
}

/// Brings one plugin; answers its version and the kinds of its components.
async fn bring_one(
    call: &Call,
    parts: &Parts,
    one: &Bring,
) -> Result<(String, ComponentKinds), Error> {
    call.cancel.check()?;
    let brought = bring_remote(call, parts, &one.item).await;
    if brought.as_ref().is_ok_and(|done| done.changed) {
        tell(parts, [&one.id]);
    }
    let (of, one) = (parts.clone(), one.clone());
    let settle = parts.blocking.read(move || {
        let copy = of.copies.store()?.get(&one.id).map_err(unreadable)?;
        match (brought, copy) {
            (Ok(Installation { .. }), Some(copy)) => Ok(copy),
            // Another process was faster, and has brought the same.
            (Err(error), Some(copy)) if error.is_superseded() => {
                match is_current(&copy, &one.item, &one.version) {
                    true => Ok(copy),
                    false => Err(error),
                }
            }
            (Err(error), _) => Err(error),
            (Ok(_), None) => {
                let id = one.id.clone();
                Err(in_store("install", &one.id, StoreError::Superseded { id }))
            }
        }
        .map(|copy| (copy.version.to_string(), kinds_of(&of.lookup, &copy)))
    });
    settle.await
}

/// Removes what the account has no more.
async fn remove_all(
    call: &Call,
    parts: &Parts,
    remove: Vec<Installed>,
    kinds: &BTreeMap<PluginId, ComponentKinds>,
    ran: &mut Ran,
) -> Result<(), Error> {
    for copy in remove {
        let (part, of, gone) = (call.part(), parts.clone(), copy.clone());
        let work = part.clone();
        let section = parts.blocking.write(move || remove_one(&work, &of, &gone));
        let removed = in_time(&part, ACTION, section);
        let from = Some(copy.version.to_string());
        let id = copy.id.clone();
        match removed.await {
            Ok(()) => {
                tell(parts, [&id]);
                ran.moved(id.clone(), kinds.get(&id).copied().unwrap_or_default());
                ran.results.push(PluginResult {
                    id,
                    outcome: PluginOutcome::Removed,
                    from,
                    to: None,
                    problem: None,
                    copy: None,
                });
            }
            // Somebody has done something with it meanwhile: the next run looks again.
            Err(error) if error.is_superseded() => {}
            Err(error) => {
                let problem = problem_of(&error);
                ran.reconciled.problems.push(problem.clone());
                ran.reconciled.failed.extend(copy.remote().cloned());
                ran.results.push(PluginResult::failed(id, from, problem));
            }
        }
    }
    given_up(call, ran)
}

/// Files only: what the user has configured about the plugin stays for the day it comes back.
fn remove_one(call: &Call, parts: &Parts, copy: &Installed) -> Result<(), Error> {
    let failed = |error| in_store("remove", &copy.id, error);
    let store = parts.copies.store()?;
    let patience = call.patience(STORE_PATIENCE);
    let removal = store.uninstall_seen(&copy.id, &copy.seen, patience);
    let removal = removal.map_err(failed)?;
    parts.lookup.claims().plugin(copy.id.clone());
    removal.commit(&BTreeSet::new()).map(drop).map_err(failed)
}

fn tell<'a>(parts: &Parts, ids: impl IntoIterator<Item = &'a PluginId>) {
    let change = ids
        .into_iter()
        .fold(Change::new(ChangeReason::Sync), |change, id| {
            change.plugin(id.clone())
        });
    // A change that names nothing would say that everything may have changed.
    if !change.is_everything() {
        parts.events.changed(change);
    }
}

impl Ran {
    /// Notes a plugin that is not what it was.
    pub(crate) fn moved(&mut self, id: PluginId, kinds: ComponentKinds) {
        let known = self.reconciled.changed.entry(id).or_default();
        *known = *known | kinds;
    }

    fn hold(&mut self, held: Held) {
        self.reconciled.problems.push(held.problem.clone());
        self.results.push(held.result());
    }

    fn fail(
        &mut self,
        id: PluginId,
        remote_id: RemotePluginId,
        from: Option<String>,
        problem: Problem,
    ) {
        self.reconciled.problems.push(problem.clone());
        self.reconciled.failed.insert(remote_id.clone());
        self.reconciled.not_brought.insert(remote_id);
        self.results.push(PluginResult::failed(id, from, problem));
    }
}

/// The cache as a whole cannot be read.
fn unreadable(error: StoreError) -> Error {
    Error::StoreState(Box::new(error))
}

fn in_store(action: &'static str, id: &PluginId, source: StoreError) -> Error {
    Error::Store {
        action,
        id: id.clone(),
        source: Box::new(source),
    }
}
