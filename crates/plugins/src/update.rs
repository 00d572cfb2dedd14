//! `plugd/outdated` and `plugd/update`: what each plugin's source has by now, and bringing it.
//!
//! Both take the same steps, so that the one never promises what the other does not do. A plugin is
//! only ever brought from what it is bound to, and a pin holds here as it does against a refresh.
//!
//! An update says what would run that did not before. Who wants to be asked gets the digest of the
//! new copy in place of the update, and the update when that digest comes back with the next request:
//! what was changed in between has another one, and is asked about again.

use std::sync::Arc;
use std::time::Instant;

use plugd_marketplace::{Binding, Offer};
use plugd_model::{PluginId, Problem, ProblemKind, RemotePluginId, Source, VersionSegment};
use plugd_store::{Believing, StoreError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::bound_source::{broken_source, other_source, source_of};
use crate::call::Call;
use crate::compare::{Compared, compare};
use crate::content::Content;
use crate::events::{Change, ChangeReason};
use crate::fetcher::Fetched;
use crate::follow::{Elsewhere, Followed, elsewhere, pin_allows, problem_of, still_fits};
use crate::follow_elsewhere::meaning;
use crate::install_job::{Job, Prepared, Staged};
use crate::install_why::Why;
use crate::obtain::{Obtained, Supply, admit, obtain};
use crate::parts::Parts;
use crate::standing::Standing;
use crate::trust_error::TrustRefusal;
use crate::update_mode::{Mode, UpdateRequest};
use crate::version_change::{VersionChange, VersionChanges, VersionName, VersionReason, compared};
use crate::version_growth::{Growth, unseen};
use crate::version_subject::Subject;
use crate::{Error, Roots, update_remote};

/// How many sources are asked at a time.
const QUESTIONS: usize = 8;

/// Tells which plugins have something else at their source. Nothing is fetched or changed.
///
/// # Errors
/// The one that was asked for is not installed or cannot be compared, or the cache cannot be read.
pub async fn outdated(
    call: &Call,
    parts: &Parts,
    only: Option<PluginId>,
) -> Result<VersionChanges, Error> {
    every(call, parts, &Mode::Look, only).await
}

/// Brings plugins to what their sources have.
///
/// # Errors
/// The one that was asked for is not installed or cannot be brought, or the cache cannot be read. Of
/// several, one that fails is a row of the answer.
pub async fn update(
    call: &Call,
    parts: &Parts,
    request: UpdateRequest,
) -> Result<VersionChanges, Error> {
    let only = request.only.clone();
    every(call, parts, &Mode::Bring(request), only).await
}

async fn every(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    only: Option<PluginId>,
) -> Result<VersionChanges, Error> {
    let ids = match &only {
        Some(id) => vec![(id.clone(), None)],
        None => installed(parts).await?,
    };
    if let (Mode::Look, None) = (mode, &only) {
        return looked(call, parts, ids).await;
    }
    let mut changes: Vec<VersionChange> = Vec::with_capacity(ids.len());
    let total = u64::try_from(ids.len()).ok();
    for (done, (id, version)) in (0_u64..).zip(ids) {
        call.progress.report("updating", done, total);
        // What one plugin has sealed stands, and the others can still be given up.
        let part = call.part();
        match one(&part, parts, mode, &id).await {
            Ok(change) => {
                if change.changed && !mode.is_dry() {
                    let told = Change::new(ChangeReason::Request).plugin(id);
                    parts.events.changed(told);
                }
                changes.push(change);
            }
            Err(error @ Error::Cancelled(_)) if !call.cancel.is_sealed() => return Err(error),
            Err(Error::Trust(refusal)) => changes.push(untrusted(*refusal)),
            Err(error) if only.is_some() => return Err(error),
            Err(error) => changes.push(failed(parts, id, version, &error).await),
        }
    }
    Ok(VersionChanges {
        dry_run: mode.is_dry(),
        changes,
    })
}

/// Asks for several at once: mostly other machines have to be waited for.
async fn looked(
    call: &Call,
    parts: &Parts,
    ids: Vec<(PluginId, Option<String>)>,
) -> Result<VersionChanges, Error> {
    let turns = Arc::new(Semaphore::new(QUESTIONS));
    let total = u64::try_from(ids.len()).ok();
    let mut asked = JoinSet::new();
    for (id, version) in ids {
        let (call, parts, turns) = (call.clone(), parts.clone(), Arc::clone(&turns));
        asked.spawn(async move {
            let _turn = turns.acquire().await;
            match one(&call, &parts, &Mode::Look, &id).await {
                Err(error @ Error::Cancelled(_)) => Err(error),
                Err(error) => Ok(failed(&parts, id, version, &error).await),
                Ok(change) => Ok(change),
            }
        });
    }
    let mut changes = Vec::with_capacity(asked.len());
    while let Some(answer) = asked.join_next().await {
        let answer = answer.map_err(|error| Error::Panicked {
            text: error.to_string(),
        });
        changes.push(answer??);
        let done = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        call.progress.report("asking", done, total);
    }
    changes.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(VersionChanges {
        dry_run: true,
        changes,
    })
}

/// What is installed, each with its version.
async fn installed(parts: &Parts) -> Result<Vec<(PluginId, Option<String>)>, Error> {
    let copies = parts.copies.clone();
    let section = parts.blocking.read(move || {
        let in_store = |error: StoreError| Error::StoreState(Box::new(error));
        let (copies, _) = copies.store()?.list().map_err(in_store)?;
        let named = copies.into_iter();
        Ok(named
            .map(|copy| (copy.id, Some(copy.version.to_string())))
            .collect())
    });
    section.await
}

/// The row of one that could not be looked at, with what is known of it here.
async fn failed(
    parts: &Parts,
    id: PluginId,
    version: Option<String>,
    error: &Error,
) -> VersionChange {
    let (copies, named) = (parts.copies.clone(), id.clone());
    let section = parts.blocking.read(move || {
        let in_store = |error: StoreError| Error::StoreState(Box::new(error));
        let standing = Standing::of(copies.store()?, &named).map_err(in_store)?;
        Ok(Subject::of(&named, &standing))
    });
    // Where that is what failed, there is nothing to add.
    let subject = section.await.unwrap_or_else(|_| Subject {
        id,
        from: VersionName {
            version,
            ..VersionName::default()
        },
        pin: None,
    });
    let to = VersionName::default();
    subject.stays(VersionReason::Failed, to, vec![problem_of(error)])
}

/// The row of one that may not come, or not yet.
fn untrusted(refusal: TrustRefusal) -> VersionChange {
    let problem = refusal.problem();
    let reason = match refusal.verdict.reason.wants_approval() {
        true => VersionReason::ApprovalNeeded,
        false => VersionReason::CommitTooYoung,
    };
    let subject = Subject {
        id: refusal.id,
        from: refusal.from,
        pin: refusal.pin,
    };
    VersionChange {
        growth: Some(refusal.growth),
        ..subject.stays(reason, refusal.to, vec![problem])
    }
}

/// How far one section came.
enum Stepped {
    Row(Box<VersionChange>),
    /// The content is elsewhere; and what is known to hold it back, for a look.
    Elsewhere(Box<(Subject, Elsewhere, Option<Problem>)>),
    /// It is the account's.
    Remote(Box<Standing>, RemotePluginId),
}

/// One plugin, decided anew when somebody changes it meanwhile.
async fn one(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    id: &PluginId,
) -> Result<VersionChange, Error> {
    let mut fetched = None;
    loop {
        let begun = Instant::now();
        let section = {
            let (call, of, mode) = (call.clone(), parts.clone(), mode.clone());
            let (id, fetched) = (id.clone(), fetched.take());
            parts
                .blocking
                .write(move || step(&call, &of, &mode, &id, fetched))
        };
        match section.await {
            Ok(Stepped::Row(row)) => return Ok(*row),
            Ok(Stepped::Remote(standing, remote)) => {
                match update_remote::one(call, parts, mode, id, *standing, remote).await {
                    Err(error) if error.is_to_be_repeated() && call.waits.try_again(begun) => {}
                    done => return done,
                }
            }
            Ok(Stepped::Elsewhere(found)) => {
                let (subject, asked, untrusted) = *found;
                let found = ask(call, parts, mode, subject, (asked, untrusted)).await?;
                match found {
                    Asked::Row(row) => return Ok(*row),
                    Asked::Fetched(content) => fetched = Some(*content),
                }
            }
            Err(error) if error.is_to_be_repeated() && call.waits.try_again(begun) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What came of asking another machine.
enum Asked {
    Row(Box<VersionChange>),
    Fetched(Box<Fetched>),
}

/// Asks what the source means now, and fetches it when that is to be brought.
async fn ask(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    subject: Subject,
    (asked, untrusted): (Elsewhere, Option<Problem>),
) -> Result<Asked, Error> {
    let row = |row| Ok(Asked::Row(Box::new(row)));
    let Parts {
        blocking,
        lookup,
        copies,
        fetcher,
        ..
    } = parts;
    let source = asked.source.clone();
    let means = match meaning(call, lookup, fetcher, &source).await {
        Ok(means) => means,
        Err(error @ Error::Cancelled(_)) => return Err(error),
        Err(error) => {
            // What is pinned stays, whatever becomes of its source.
            if let Some(held) = asked.held_unasked(&error) {
                let to = VersionName::default();
                return row(subject.stays(VersionReason::HeldByPin, to, vec![held]));
            }
            return Err(Error::Source {
                id: asked.id.clone(),
                source: Box::new(error),
            });
        }
    };
    if asked.known.is_some() && means == asked.known {
        return row(subject.current());
    }
    let to = VersionName {
        // Of a repository nobody knows it before it is fetched.
        version: means
            .clone()
            .filter(|_| matches!(source, Source::Npm { .. })),
        commit: means,
        digest: None,
    };
    if let Some(held) = asked.held() {
        return row(subject.stays(VersionReason::HeldByPin, to, vec![held]));
    }
    if let Mode::Look = mode {
        let reason = match &to.version {
            Some(version) => compared(subject.from.version.as_deref(), Some(version)),
            None => VersionReason::Content,
        };
        let change = subject.would_move(to, untrusted);
        return row(match change.changed {
            true => VersionChange { reason, ..change },
            false => change,
        });
    }
    let fetched = fetcher.fetch(call, blocking, lookup, copies, &asked.id, source);
    Ok(Asked::Fetched(Box::new(fetched.await?)))
}

/// Where to look for what a plugin is bound to: the manifest that it came from is looked into wherever
/// it lies, because somebody has named it when he installed from it.
fn roots(standing: &Standing) -> Roots {
    let manifests = match standing.binding() {
        Some(Binding::Manifest(path)) => vec![path],
        _ => Vec::new(),
    };
    Roots {
        cwds: Vec::new(),
        manifests,
    }
}

/// One section: everything that can be said or done with what is at hand.
fn step(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    id: &PluginId,
    fetched: Option<Fetched>,
) -> Result<Stepped, Error> {
    call.cancel.check()?;
    let Parts { lookup, copies, .. } = parts;
    let standing = Standing::of(copies.store()?, id).map_err(|source| Error::Store {
        action: "look at",
        id: id.clone(),
        source: Box::new(source),
    })?;
    let Some(copy) = &standing.copy else {
        return Err(Error::NotInstalled { id: id.clone() });
    };
    if let Some(remote) = copy.remote().cloned() {
        return Ok(Stepped::Remote(Box::new(standing), remote));
    }
    let subject = Subject::of(id, &standing);
    let row = |row| Ok(Stepped::Row(Box::new(row)));
    let resolved = lookup.resolve_ungated(&roots(&standing));
    let Ok(offer) = source_of(&resolved, &standing, id) else {
        let (reason, problem) = match broken_source(lookup, &resolved, &standing) {
            Some(problem) => (VersionReason::Failed, problem),
            None => {
                let other = other_source(&resolved, &standing, id);
                (
                    VersionReason::NoSource,
                    other.unwrap_or_else(|| orphan(id, &standing)),
                )
            }
        };
        return row(subject.stays(reason, VersionName::default(), vec![problem]));
    };
    let untrusted = || untrusted_offer(parts, mode, &offer, &standing);
    let obtained = match obtain(lookup, &offer, fetched)? {
        Supply::Here(obtained) => obtained,
        Supply::Elsewhere(source) => {
            let fits = still_fits(lookup, &offer, &standing);
            let from = subject.from.version.clone();
            return match elsewhere(id, from, source, &standing, fits) {
                Followed::Elsewhere(asked) => {
                    Ok(Stepped::Elsewhere(Box::new((subject, asked, untrusted()?))))
                }
                Followed::Result(_) | Followed::Nothing => row(subject.current()),
            };
        }
    };
    let content = Content::read(lookup, &offer, obtained.dir.clone())?;
    // A source that cannot be read is told also where its version would be enough.
    let offered = content.offered(copies, id, Believing::ThisProcess, call)?;
    let to = VersionName {
        version: Some(content.version.to_string()),
        commit: obtained.commit.clone(),
        digest: None,
    };
    match compare(call, lookup, copies, &standing, &content, |_| Ok(offered))? {
        Compared::Same(_) | Compared::SameButForeign(..) => return row(subject.current()),
        Compared::Drifted(problem) => {
            return row(subject.stays(VersionReason::Drift, to, vec![problem]));
        }
        Compared::Missing | Compared::Different { .. } => {}
    }
    if let Err(error) = admit(&offer) {
        let problem = Problem::warning(ProblemKind::Policy, error.to_string());
        return row(subject.stays(VersionReason::Policy, to, vec![problem]));
    }
    if let Some(held) = held(id, &standing, &content.version, obtained.commit.as_deref()) {
        return row(subject.stays(VersionReason::HeldByPin, to, vec![held]));
    }
    if let Mode::Look = mode {
        return row(subject.would_move(to, untrusted()?));
    }
    let job = Job::of_offer(&offer, Why::Update, &standing);
    let brought = bring(call, parts, mode, &job, (&content, obtained), subject)?;
    row(brought)
}

/// What is known to hold an offer back, for a look.
fn untrusted_offer(
    parts: &Parts,
    mode: &Mode,
    offer: &Offer<'_>,
    standing: &Standing,
) -> Result<Option<Problem>, Error> {
    let job = Job::of_offer(offer, Why::Update, standing);
    Ok(match mode {
        Mode::Look => job.surely_held(&parts.lookup, parts.copies.store()?),
        Mode::Bring(_) => None,
    })
}

/// What a pin has against a version.
pub(crate) fn held(
    id: &PluginId,
    standing: &Standing,
    version: &VersionSegment,
    commit: Option<&str>,
) -> Option<Problem> {
    pin_allows(id, standing, version, commit).err()
}

fn orphan(id: &PluginId, standing: &Standing) -> Problem {
    let from = standing.binding().map(|bound| bound.describe());
    let text = match from {
        Some(from) => format!("nothing offers `{id}` any more where it came from: {from}"),
        None => format!("no marketplace that is configured offers `{id}`"),
    };
    Problem::warning(ProblemKind::Orphan, text)
}

/// Prepares the new copy, tells what it would do, and puts it into its place when that is agreed to.
fn bring(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    job: &Job<'_>,
    (content, obtained): (&Content, Obtained),
    subject: Subject,
) -> Result<VersionChange, Error> {
    let Parts { lookup, copies, .. } = parts;
    let staged = match job.prepare(call, lookup, copies, content, obtained)? {
        Prepared::Current(_) => return Ok(subject.current()),
        Prepared::Staged(staged) => staged,
    };
    let change = reviewed(call, parts, mode, &job.standing, subject, &staged)?;
    if !change.changed || mode.is_dry() {
        return Ok(change);
    }
    let done = job.activate(call, lookup, copies, *staged)?;
    Ok(VersionChange {
        problems: done.problems,
        ..change
    })
}

/// The row of a staged copy: what it would do, and whether it may take its place.
pub(crate) fn reviewed(
    call: &Call,
    parts: &Parts,
    mode: &Mode,
    standing: &Standing,
    subject: Subject,
    staged: &Staged,
) -> Result<VersionChange, Error> {
    let tree = staged.tree();
    let id = subject.id.clone();
    let mut change = subject.moves(VersionName {
        version: Some(staged.version().to_string()),
        commit: staged.commit().map(str::to_owned),
        digest: Some(tree.tree_digest),
    });
    let Some(copy) = standing.copy.as_ref() else {
        return Ok(change);
    };
    let new = (&tree.root, tree.tree_digest);
    let growth = Growth::between(call, &parts.lookup, &id, &copy.root, new);
    call.cancel.check()?;
    // A copy that is broken is what an update may mend; but then nobody can say what grew.
    let growth = growth.unwrap_or_else(|error| Growth::unknown(new.1, unseen(&error)));
    if !mode.agrees(&growth) {
        change.changed = false;
        change.reason = VersionReason::NeedsConfirmation;
    }
    change.problems.extend(growth.unseen.iter().cloned());
    change.growth = Some(Box::new(growth));
    Ok(change)
}
