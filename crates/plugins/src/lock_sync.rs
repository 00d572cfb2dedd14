//! `plugd/sync`: makes a home match a project's lock.
//!
//! The order is: plan, refuse what must not be, bring and check all content, add marketplaces, put
//! each plugin into its place. Until the last two nothing of the home has changed. When one of those
//! fails, what was done before it is taken back, so that the home is as it was; a process that dies
//! in between leaves whole plugins, some of them moved, and the next run does the rest.
//!
//! What it sets it pins, so that no refresh undoes it. Other plugins of the home stay as they are.

use plugd_disk::tree::Digest;
use plugd_lockfile::{LockedMarketplace, Lockfile};
use plugd_model::{AbsPath, Problem};

use crate::Error;
use crate::archive_read::{self, Opened};
use crate::broken_config::refuse_broken;
use crate::call::Call;
use crate::install_job::failed;
use crate::lock::LockSubject;
use crate::lock_apply::{Way, apply, tell};
use crate::lock_content::{Brought, bring};
use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::lock_offered::{Words, words};
use crate::lock_plan::{
    Conflict, MarketplaceStep, Others, Plan, PluginStep, Sight, What, plan, refuse_reserved,
};
use crate::lock_stage::{Stager, may_offer};
use crate::lock_undo::undo;
use crate::parts::Parts;
use crate::standing::Standing;
use crate::trust_gate::Gate;

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
            Err(error) if error.is_to_be_repeated() && call.waits.try_again(begun) => {}
            outcome => return outcome,
        }
    }
}

async fn once(call: &Call, parts: &Parts, request: &SyncRequest) -> Result<Synced, Error> {
    let planned = look(call, parts, request).await?;
    let way = match request.offline {
        true => Way::Offline,
        false => Way::Online,
    };
    follow(call, parts, planned, way, request.dry_run, None).await
}

/// Makes the home match what was planned.
async fn follow(
    call: &Call,
    parts: &Parts,
    planned: Planned,
    way: Way,
    dry_run: bool,
    opened: Option<&Opened>,
) -> Result<Synced, Error> {
    let Planned {
        place,
        lock,
        plan,
        mut problems,
    } = planned;
    let changes = changes(&plan);
    if dry_run {
        problems.extend(held(call, parts, &place, &lock, &plan, opened, way).await?);
    }
    let answer = |problems| Synced {
        path: place.file.clone(),
        changes,
        problems,
    };
    if dry_run || plan.is_empty() {
        return Ok(answer(problems));
    }
    let brought = match opened {
        Some(opened) => Brought::of_archive(opened, &plan),
        None => bring(call, parts, &place, &lock, &plan, way == Way::Offline).await?,
    };
    let (words, brought) = words(call, parts, &place, &lock, &plan, brought, way).await?;
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
                by: way.recorded(),
                words: &words,
            };
            stager.stage(plan, brought)
        })
    };
    let ready = ready.await?;
    problems.extend(ready.iter().flat_map(|one| one.problems.iter().cloned()));
    let mut done = Vec::new();
    match apply(call, parts, &place, adds, steps, ready, way, &mut done).await {
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

/// What to take out of an archive.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The archive.
    pub path: AbsPath,
    /// What its SHA-256 has to be; it is not looked into otherwise.
    pub sha256: Option<Digest>,
    /// Win over what locks and the user have pinned.
    pub switch: bool,
    /// Only say what would change.
    pub dry_run: bool,
}

/// A home that holds what an archive has, or would.
#[derive(Debug)]
pub struct Imported {
    /// The SHA-256 of the archive, in hexadecimal digits.
    pub sha256: String,
    /// What that meant; its path is the archive.
    pub synced: Synced,
}

/// Makes the home match the lock in an archive, with the content that is in it. Nothing else is asked
/// or looked at; marketplaces are configured and not fetched.
///
/// # Errors
/// The archive is not what it says, or as [`sync_lock`]. The home is as it was then, unless the error
/// names what is not.
pub async fn import(call: &Call, parts: &Parts, request: ImportRequest) -> Result<Imported, Error> {
    let section = {
        let (call, of, path) = (call.clone(), parts.clone(), request.path.clone());
        let expected = request.sha256;
        parts
            .blocking
            .write(move || archive_read::open(&call, &of.lookup, &of.copies, (&path, expected)))
    };
    let opened = section.await?;
    let outcome = import_opened(call, parts, &request, &opened).await;
    let swept = parts.blocking.write(move || {
        let sha256 = opened.sha256.clone();
        drop(opened);
        Ok(sha256)
    });
    let sha256 = swept.await;
    Ok(Imported {
        synced: outcome?,
        sha256: sha256?,
    })
}

async fn import_opened(
    call: &Call,
    parts: &Parts,
    request: &ImportRequest,
    opened: &Opened,
) -> Result<Synced, Error> {
    let as_sync = SyncRequest {
        cwd: opened.place.project.clone(),
        path: None,
        frozen: false,
        offline: true,
        switch: request.switch,
        dry_run: request.dry_run,
    };
    loop {
        let begun = std::time::Instant::now();
        let planned = {
            let (call, of, as_sync) = (call.clone(), parts.clone(), as_sync.clone());
            let (place, lock) = (opened.place.clone(), opened.lock.clone());
            let section = parts.blocking.read(move || {
                Ok(Planned {
                    plan: planned(&call, &of, &place, &lock, &as_sync)?,
                    place,
                    lock,
                    problems: Vec::new(),
                })
            });
            section.await?
        };
        let followed = follow(
            call,
            parts,
            planned,
            Way::Archive,
            request.dry_run,
            Some(opened),
        );
        match followed.await {
            Err(error) if error.is_to_be_repeated() && call.waits.try_again(begun) => {}
            outcome => return outcome,
        }
    }
}

/// Why some of it would not come, as far as that is known before anything is fetched.
async fn held(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    lock: &Lockfile,
    plan: &Plan,
    opened: Option<&Opened>,
    way: Way,
) -> Result<Vec<Problem>, Error> {
    let archived = opened.map(|opened| Brought::of_archive(opened, plan).archived);
    let archived = archived.unwrap_or_default();
    let (call, of) = (call.clone(), parts.clone());
    let (place, lock, steps) = (place.clone(), lock.clone(), plan.plugins.clone());
    let section = parts.blocking.read(move || {
        let stager = Stager {
            call: &call,
            lookup: &of.lookup,
            copies: &of.copies,
            place: &place,
            lock: &lock,
            by: way.recorded(),
            words: &Words::default(),
        };
        Ok(stager.held(&steps, &archived))
    });
    section.await
}

/// Reads the lock and the home.
async fn look(call: &Call, parts: &Parts, request: &SyncRequest) -> Result<Planned, Error> {
    let (call, of, request) = (call.clone(), parts.clone(), request.clone());
    let section = parts.blocking.read(move || {
        let lookup = &of.lookup;
        let config = lookup.config(Some(&request.cwd));
        let place = LockPlace::find(lookup.disk(), &config, &request.cwd, request.path.as_ref())?;
        let (lock, problems) = place.read_whole(lookup.disk())?;
        let (plan, problems) = (planned(&call, &of, &place, &lock, &request)?, problems);
        Ok(Planned {
            plan,
            place,
            lock,
            problems,
        })
    });
    section.await
}

/// What has to happen for a lock, unless something stands in the way.
fn planned(
    call: &Call,
    of: &Parts,
    place: &LockPlace,
    lock: &Lockfile,
    request: &SyncRequest,
) -> Result<Plan, Error> {
    let lookup = &of.lookup;
    for (name, wanted) in &lock.marketplaces {
        refuse_reserved(name, wanted)?;
    }
    // What a project configures is gone when the project is, so the user's own counts.
    let config = lookup.config(None);
    refuse_broken(&config)?;
    // Who only looks changes nothing, not even what a dead process left.
    let store = match request.frozen || request.dry_run {
        true => of.copies.store_as_it_is(),
        false => of.copies.store()?,
    };
    let sight = Sight {
        config: &config,
        place,
        lock,
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
            let read = store.tree_digest(copy, call);
            read.ok()
                .filter(|found| found.clean)
                .map(|found| found.digest)
        });
        others.read(lookup.disk(), place, &standing);
        looked.push((id.clone(), standing, on_disk));
    }
    call.cancel.check()?;
    let mut plan = plan(&sight, &others, looked);
    let project = lookup.config(place.file.parent().as_ref());
    let gate = Gate::new(lookup, store, [&*config, &*project]);
    for step in plan.marketplaces.iter().filter(|step| step.adds) {
        plan.conflicts.extend(gained(&gate, step));
    }
    refuse(place, &plan, request)?;
    // Also for what is here already: it would be pinned and switched on.
    for step in plan
        .plugins
        .iter()
        .filter(|step| step.what != What::Nothing)
    {
        may_offer(lookup, place, lock, &step.id.marketplace)?;
    }
    Ok(plan)
}

/// A marketplace that would be trusted because a lock adds it: who may write the lock would say what
/// is trusted.
fn gained(gate: &Gate<'_>, step: &MarketplaceStep) -> Option<Conflict> {
    let name = &step.name;
    let (address, whole);
    let (at, source) = match &step.wanted {
        LockedMarketplace::Packed(origin) => {
            (address, whole) = (origin.address(), origin.to_string());
            // Which tag or digest of it is followed is chosen by the lock too.
            let chosen = (address != whole).then_some(&*whole);
            (Some((&*address, chosen)), whole.clone())
        }
        LockedMarketplace::Git { url, ref_name, .. } => {
            let at_ref = ref_name.as_ref().map(|name| format!(" --ref {name}"));
            let source = format!("{url}{}", at_ref.unwrap_or_default());
            (Some((url.as_str(), ref_name.as_deref())), source)
        }
        LockedMarketplace::Local(_) => (None, "DIRECTORY".to_owned()),
        LockedMarketplace::Curated => return None,
    };
    let text = format!(
        "[trust] trusts the marketplace `{name}` as soon as it is added, so that is for the user to \
         do: `plugd marketplace add {source}`, if it is meant"
    );
    gate.is_gained_by_adding(name, at).then_some(Conflict {
        text,
        can_switch: false,
    })
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
