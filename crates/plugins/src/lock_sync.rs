//! `plugd/sync`: makes a home match a project's lock.
//!
//! The order is: plan, refuse what must not be, bring and check all content, add marketplaces, put
//! each plugin into its place. Until the last two nothing of the home has changed. When one of those
//! fails, what was done before it is taken back, so that the home is as it was; a process that dies
//! in between leaves whole plugins, some of them moved, and the next run does the rest.
//!
//! What it sets it pins, so that no refresh undoes it. Other plugins of the home stay as they are.

use plugd_config::Edit;
use plugd_lockfile::{LockedMarketplace, Lockfile};
use plugd_model::{AbsPath, MarketplaceName, PluginId, Problem};

use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::install::STORE_PATIENCE;
use crate::install_job::{Job, failed};
use crate::install_why::Why;
use crate::install_wish::PinWish;
use crate::lock::LockSubject;
use crate::lock_content::bring;
use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::lock_plan::{MarketplaceStep, Others, Plan, PluginStep, Sight, What, directory, plan};
use crate::lock_stage::{Ready, Stager, pin};
use crate::lock_undo::{Done, undo};
use crate::marketplace_add::{AddRequest, add_marketplace};
use crate::parts::Parts;
use crate::standing::Standing;
use crate::{Error, Lookup};

/// What to make a home match.
#[derive(Debug, Clone)]
pub struct SyncRequest {
    /// The directory whose project is meant.
    pub cwd: AbsPath,
    /// The lock, when it is not that of the project.
    pub path: Option<AbsPath>,
    /// Change nothing, and fail when something would have to change.
    pub frozen: bool,
    /// Ask no other machine.
    pub offline: bool,
    /// Win over what other locks and the user have pinned.
    pub switch: bool,
    /// Only say what would change.
    pub dry_run: bool,
}

/// A home that matches a lock, or would.
#[derive(Debug)]
pub struct Synced {
    /// The lock.
    pub path: AbsPath,
    /// Every marketplace and plugin of the lock.
    pub changes: Vec<SyncChange>,
    /// What is not as it should be and did no harm.
    pub problems: Vec<Problem>,
}

/// One marketplace or plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncChange {
    /// What it is about.
    pub subject: LockSubject,
    /// The version before; nothing when it was not there.
    pub from: Option<String>,
    /// The version that the lock names, or the address of the marketplace.
    pub to: String,
    /// What had to happen.
    pub reason: SyncReason,
}

/// What had to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncReason {
    /// Nothing.
    Unchanged,
    /// A marketplace was added.
    Added,
    /// A plugin was installed.
    Installed,
    /// Another version took its place.
    Moved,
    /// The version was the same, and source or content were not.
    Replaced,
    /// It is held where it is from now on.
    Pinned,
    /// It was switched on.
    SwitchedOn,
}

impl SyncChange {
    /// Whether something had to happen.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.reason != SyncReason::Unchanged
    }
}

/// A lock and what follows from it.
struct Planned {
    place: LockPlace,
    lock: Lockfile,
    plan: Plan,
    problems: Vec<Problem>,
}

/// Makes the home match the lock.
///
/// # Errors
/// There is no lock that can be understood, the home differs and must not, something is held
/// elsewhere, or content cannot be had as it was locked. The home is as it was then, unless the error
/// names what is not.
pub async fn sync_lock(call: &Call, parts: &Parts, request: SyncRequest) -> Result<Synced, Error> {
    loop {
        let begun = std::time::Instant::now();
        match once(call, parts, &request).await {
            Err(error) if error.is_superseded() && call.waits.try_again(begun) => {}
            outcome => return outcome,
        }
    }
}

async fn once(call: &Call, parts: &Parts, request: &SyncRequest) -> Result<Synced, Error> {
    let planned = look(call, parts, request).await?;
    let Planned {
        place,
        lock,
        plan,
        mut problems,
    } = planned;
    let changes = changes(&plan);
    let answer = |problems| Synced {
        path: place.file.clone(),
        changes,
        problems,
    };
    if request.dry_run || plan.is_empty() {
        return Ok(answer(problems));
    }
    let brought = bring(call, parts, &place, &lock, &plan, request.offline).await?;
    let steps: Vec<PluginStep> = plan.plugins.clone();
    let adds: Vec<MarketplaceStep> = plan
        .marketplaces
        .iter()
        .filter(|step| step.adds)
        .cloned()
        .collect();
    let ready = {
        let (call, of) = (call.clone(), parts.clone());
        let (place, lock) = (place.clone(), lock.clone());
        parts.blocking.write(move || {
            let stager = Stager {
                call: &call,
                lookup: &of.lookup,
                copies: &of.copies,
                place: &place,
                lock: &lock,
            };
            stager.stage(plan, brought)
        })
    };
    let ready = ready.await?;
    problems.extend(ready.iter().flat_map(|one| one.problems.iter().cloned()));
    let mut done = Vec::new();
    let applied = apply(
        call,
        parts,
        &place,
        adds,
        steps,
        ready,
        request.offline,
        &mut done,
    )
    .await;
    match applied {
        Ok(()) => {
            tell(parts, &done);
            Ok(answer(problems))
        }
        Err(error) => {
            let left = undo(call, parts, done).await;
            match left.is_empty() {
                true => Err(error),
                false => Err(LockError::InPart {
                    left,
                    source: Box::new(error),
                }
                .into()),
            }
        }
    }
}

/// Reads the lock and the home.
async fn look(call: &Call, parts: &Parts, request: &SyncRequest) -> Result<Planned, Error> {
    let (call, of, request) = (call.clone(), parts.clone(), request.clone());
    let section = parts.blocking.read(move || {
        let lookup = &of.lookup;
        let config = lookup.config(Some(&request.cwd));
        let place = LockPlace::find(lookup.disk(), &config, &request.cwd, request.path.as_ref())?;
        let (lock, problems) = place.read_whole(lookup.disk())?;
        // What a project configures is gone when the project is, so the user's own counts.
        let config = lookup.config(None);
        // Who only looks changes nothing, not even what a dead process left.
        let store = match request.frozen || request.dry_run {
            true => of.copies.store_as_it_is(),
            false => of.copies.store()?,
        };
        let sight = Sight {
            config: &config,
            place: &place,
            lock: &lock,
            switch: request.switch,
        };
        let mut others = Others::default();
        let mut looked = Vec::new();
        for (done, id) in (0_u64..).zip(lock.plugins.keys()) {
            call.cancel.check()?;
            call.progress
                .report("checking", done, u64::try_from(lock.plugins.len()).ok());
            let standing = Standing::of(store, id).map_err(|error| failed(id, error))?;
            let on_disk = standing.copy.as_ref().and_then(|copy| {
                let read = store.tree_digest(copy, &call);
                read.ok()
                    .filter(|found| found.clean)
                    .map(|found| found.digest)
            });
            others.read(lookup.disk(), &place, &standing);
            looked.push((id.clone(), standing, on_disk));
        }
        call.cancel.check()?;
        let plan = plan(&sight, &others, looked);
        refuse(&place, &plan, &request)?;
        Ok(Planned {
            plan,
            place,
            lock,
            problems,
        })
    });
    section.await
}

/// What stands in the way is told before anything is fetched.
fn refuse(place: &LockPlace, plan: &Plan, request: &SyncRequest) -> Result<(), Error> {
    if !plan.conflicts.is_empty() {
        let texts = plan.conflicts.iter().map(|one| one.text.clone());
        return Err(LockError::Conflicts {
            path: place.file.clone(),
            conflicts: texts.collect(),
            can_switch: plan.conflicts.iter().all(|one| one.can_switch),
        }
        .into());
    }
    if request.frozen && !plan.is_empty() {
        return Err(LockError::Differs {
            path: place.file.clone(),
            differences: plan.differences(),
        }
        .into());
    }
    Ok(())
}

fn changes(plan: &Plan) -> Vec<SyncChange> {
    let marketplaces = plan.marketplaces.iter().map(|step| SyncChange {
        subject: LockSubject::Marketplace(step.name.clone()),
        from: (!step.adds).then(|| step.wanted.to_string()),
        to: step.wanted.to_string(),
        reason: match step.adds {
            true => SyncReason::Added,
            false => SyncReason::Unchanged,
        },
    });
    let plugins = plan.plugins.iter().map(|step| SyncChange {
        subject: LockSubject::Plugin(step.id.clone()),
        from: step
            .standing
            .copy
            .as_ref()
            .map(|copy| copy.version.to_string()),
        to: step.wanted.version.to_string(),
        reason: match step.what {
            What::Nothing if step.switches_on => SyncReason::SwitchedOn,
            What::Nothing => SyncReason::Unchanged,
            What::Pin => SyncReason::Pinned,
            What::Install => SyncReason::Installed,
            What::Move => SyncReason::Moved,
            What::Replace => SyncReason::Replaced,
        },
    });
    marketplaces.chain(plugins).collect()
}

/// Makes the changes. What was done is in `done`, also after a failure.
#[expect(
    clippy::too_many_arguments,
    reason = "everything that was prepared, and where it is noted"
)]
async fn apply(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    adds: Vec<MarketplaceStep>,
    steps: Vec<PluginStep>,
    ready: Vec<Ready>,
    offline: bool,
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    for step in adds {
        if add(call, parts, place, &step, offline).await? {
            done.push(Done::Added(step.name));
        }
    }
    let (of, place) = (parts.clone(), place.clone());
    let call = call.clone();
    let section = parts.blocking.write(move || {
        let mut noted = Vec::new();
        let outcome = apply_plugins(&call, &of, &place, steps, ready, &mut noted);
        Ok((noted, outcome))
    });
    let (noted, outcome) = section.await?;
    done.extend(noted);
    outcome
}

/// Configures a marketplace under its own name. Answers whether it was not there before: what
/// somebody else has added meanwhile is his.
async fn add(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    step: &MarketplaceStep,
    offline: bool,
) -> Result<bool, Error> {
    let none = || (None, Vec::new());
    let (source, (ref_name, sparse_paths)) = match &step.wanted {
        LockedMarketplace::Local(location) => (directory(place, location).to_text(), none()),
        LockedMarketplace::Git {
            url,
            ref_name,
            sparse_paths,
        } => {
            if offline {
                return Err(LockError::Offline {
                    missing: vec![format!("the marketplace `{}`", step.name)],
                }
                .into());
            }
            (url.clone(), (ref_name.clone(), sparse_paths.clone()))
        }
        LockedMarketplace::Curated => return Ok(false),
    };
    let request = AddRequest {
        source,
        ref_name,
        sparse_paths,
        cwd: place.project.clone(),
    };
    let Parts {
        blocking,
        lookup,
        copies,
        fetcher,
        events,
        ..
    } = parts;
    let added = add_marketplace(call, blocking, lookup, copies, fetcher, events, request).await?;
    if added.name == step.name {
        return Ok(!added.already_added);
    }
    if !added.already_added {
        // It is there now, and it is not the one that was meant.
        undo(call, parts, vec![Done::Added(added.name.clone())]).await;
    }
    let found = added.name;
    Err(LockError::Renamed {
        name: step.name.to_string(),
        found: found.to_string(),
    }
    .into())
}

fn apply_plugins(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    steps: Vec<PluginStep>,
    ready: Vec<Ready>,
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    for one in ready {
        put(call, parts, one, done)?;
    }
    for step in steps {
        match step.what {
            What::Install | What::Move | What::Replace => {}
            What::Nothing if !step.switches_on => {}
            What::Nothing | What::Pin => hold(call, parts, place, step, done)?,
        }
    }
    Ok(())
}

/// Puts a staged plugin into its place.
fn put(call: &Call, parts: &Parts, ready: Ready, done: &mut Vec<Done>) -> Result<(), Error> {
    let Ready {
        step,
        subject,
        pin,
        staged,
        ..
    } = ready;
    let job = Job {
        subject,
        why: Why::Lock {
            pin: &pin,
            switches_on: step.switches_on,
        },
        pin: PinWish::Keep,
        standing: step.standing.clone(),
    };
    match staged {
        Some(staged) => {
            job.activate(call, &parts.lookup, *staged)?;
            done.push(Done::Put(Box::new(step)));
            Ok(())
        }
        None => set(call, parts, step, pin, done),
    }
}

/// Holds a copy that is what the lock says.
fn hold(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    step: PluginStep,
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    let record = step.standing.record.as_ref();
    let digest = record.map_or(step.wanted.tree_digest, |record| record.tree_digest);
    let pin = plugd_store::Pin {
        // The same content may have come from another commit, and that is the one that stands there.
        commit: record.and_then(|record| record.commit.clone()),
        ..pin(place, &step, digest)
    };
    set(call, parts, step, pin, done)
}

fn set(
    call: &Call,
    parts: &Parts,
    step: PluginStep,
    pin: plugd_store::Pin,
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    let (id, standing) = (&step.id, &step.standing);
    if step.switches_on {
        switch_on(call, &parts.lookup, id)?;
        done.push(Done::SwitchedOn(id.clone()));
    }
    if standing.pin() != Some(&pin) {
        let store = parts.copies.store()?;
        store
            .set_pin(id, Some(pin), &standing.seen, call.patience(STORE_PATIENCE))
            .map_err(|error| failed(id, error))?;
        done.push(Done::Held(Box::new(step)));
    }
    Ok(())
}

fn switch_on(call: &Call, lookup: &Lookup, id: &PluginId) -> Result<(), Error> {
    lookup.write_edits(call, &[Edit::set_plugin_enabled(id, true)])?;
    Ok(())
}

/// One message for everything.
fn tell(parts: &Parts, done: &[Done]) {
    let mut change = Change::new(ChangeReason::Sync);
    for one in done {
        change = match one {
            Done::Added(name) => of_marketplace(change, name),
            Done::Put(step) if step.switches_on => of_plugin(change, &step.id, true),
            Done::Put(step) | Done::Held(step) => of_plugin(change, &step.id, false),
            Done::SwitchedOn(id) => of_plugin(change, id, true),
        };
    }
    if !change.is_everything() {
        parts.events.changed(change);
    }
}

fn of_marketplace(change: Change, name: &MarketplaceName) -> Change {
    change
        .marketplace(name.clone())
        .config_key(format!("marketplaces.{name}"))
}

fn of_plugin(change: Change, id: &PluginId, configured: bool) -> Change {
    let change = change.plugin(id.clone());
    match configured {
        true => change.config_key(format!("plugins.{id}")),
        false => change,
    }
}
