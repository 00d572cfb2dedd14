//! `plugd/lock`: writes into a project's lock what is installed in this home.
//!
//! Without names the lock becomes what is switched on for the project's directory; with names only
//! those blocks change. It reads records and no content: whether the copies are still what was
//! recorded is the question of `plugd/verify`.

use std::collections::BTreeSet;

use plugd_config::Snapshot;
use plugd_disk::{Disk, Kind};
use plugd_lockfile::{LockedPlugin, Lockfile, render};
use plugd_model::{AbsPath, MarketplaceName, PluginId, Problem, ProblemKind, Severity};
use plugd_store::StoreError;

use crate::broken_config::why_broken;
use crate::call::Call;
use crate::lock_error::LockError;
use crate::lock_file::{Found, LockPlace};
use crate::lock_of_home::{OfHome, switched_on};
use crate::{Blocking, Copies, Error, Lookup};

/// What to lock.
#[derive(Debug, Clone)]
pub struct LockRequest {
    /// The directory whose project is meant.
    pub cwd: AbsPath,
    /// The lock, when it is not that of the project.
    pub path: Option<AbsPath>,
    /// The plugins whose blocks change; none means all.
    pub plugins: Vec<PluginId>,
    /// Only say what would change.
    pub dry_run: bool,
}

/// A lock that was written.
#[derive(Debug)]
pub struct Locked {
    /// Its file.
    pub path: AbsPath,
    /// Everything in it, and what has gone from it.
    pub changes: Vec<LockChange>,
    /// What is not in it although it is installed, and what holds on this machine only.
    pub problems: Vec<Problem>,
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockChange {
    /// What it is about.
    pub subject: LockSubject,
    /// What it said; a version, or the address of a marketplace.
    pub from: Option<String>,
    /// What it says.
    pub to: Option<String>,
    /// Why.
    pub reason: LockReason,
}

/// What a block is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockSubject {
    /// A marketplace.
    Marketplace(MarketplaceName),
    /// A plugin.
    Plugin(PluginId),
}

/// Why a block is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockReason {
    /// It is new.
    Added,
    /// It names another version.
    Moved,
    /// The version is the same, and source or content are not.
    Replaced,
    /// Nothing of that is installed or switched on.
    Removed,
    /// It says what it said.
    Unchanged,
}

impl LockChange {
    /// Whether the block is another one than before.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.reason != LockReason::Unchanged
    }
}

/// Writes the lock.
///
/// # Errors
/// A plugin that was named cannot be locked, the lock that is there cannot be kept, or it cannot be
/// written.
pub async fn lock(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    request: LockRequest,
) -> Result<Locked, Error> {
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    blocking
        .write(move || {
            let config = lookup.config(Some(&request.cwd));
            let disk = lookup.disk();
            if request.path.is_none() {
                refuse_missing_cwd(disk, &request.cwd)?;
            }
            let place = LockPlace::find(disk, &config, &request.cwd, request.path.as_ref())?;
            let before = place.read(disk)?;
            let old = old_lock(&place, before.as_ref(), &request.plugins)?;
            if request.plugins.is_empty() && config.is_broken() {
                return Err(broken(&config));
            }
            let wanted: BTreeSet<PluginId> = match request.plugins.is_empty() {
                true => switched_on(&config),
                false => request.plugins.iter().cloned().collect(),
            };
            let store = copies.store_as_it_is();
            let in_store = |error: StoreError| Error::StoreState(Box::new(error));
            let (mut installed, _) = store.list().map_err(in_store)?;
            installed.retain(|copy| wanted.contains(&copy.id));
            let of_home = OfHome::read(lookup.layout(), &config, &place, &installed);
            refuse_missing(&request.plugins, &of_home)?;
            let left_out = of_home.left_out.iter();
            let mut problems: Vec<Problem> = left_out
                .map(|(id, problem)| Problem {
                    message: format!("`{id}` is not in the lock: {}", problem.message),
                    ..problem.clone()
                })
                .collect();
            problems.extend(of_home.notes);
            problems.extend(before.iter().flat_map(replaced));
            let new = match request.plugins.is_empty() {
                true if of_home.lock.plugins.is_empty() && !old.plugins.is_empty() => {
                    return Err(LockError::WouldBeEmpty { path: place.file }.into());
                }
                true => of_home.lock,
                false => joined(old.clone(), of_home.lock)?,
            };
            let text = render(&new, before.as_ref().map(|found| found.text.as_str()));
            let is_same = before.as_ref().is_some_and(|found| found.text == text);
            call.cancel.check()?;
            if !request.dry_run && !is_same {
                call.cancel.seal()?;
                place.write(disk, &text, before.as_ref())?;
            }
            Ok(Locked {
                path: place.file,
                changes: changes(&old, &new),
                problems,
            })
        })
        .await
}

/// What the lock says so far. One that cannot be understood is written anew when all of it is, and
/// never when a newer program has written it.
fn old_lock(
    place: &LockPlace,
    before: Option<&Found>,
    named: &[PluginId],
) -> Result<Lockfile, Error> {
    match before.map(|found| &found.parsed) {
        None => Ok(Lockfile::default()),
        Some(Ok(parsed)) => Ok(parsed.lock.clone()),
        Some(Err(problems)) => {
            let newer = problems
                .iter()
                .any(|one| one.kind == ProblemKind::UnsupportedSchema);
            match named.is_empty() && !newer {
                true => Ok(Lockfile::default()),
                false => Err(place.unusable(problems.clone())),
            }
        }
    }
}

/// What a lock that is written anew could not be understood for: what it named is not in the new one.
fn replaced(before: &Found) -> impl Iterator<Item = Problem> {
    let problems = before.parsed.as_ref().err().into_iter().flatten();
    problems.map(|problem| Problem {
        message: format!(
            "the lock that was there could not be understood and is written anew: {}",
            problem.message
        ),
        severity: Severity::Warning,
        ..problem.clone()
    })
}

/// Who names a plugin wants it in the lock.
pub(crate) fn refuse_missing(named: &[PluginId], of_home: &OfHome) -> Result<(), Error> {
    for id in named {
        if of_home.lock.plugins.contains_key(id) {
            continue;
        }
        let why = of_home.left_out.iter().find(|(left, _)| left == id);
        return Err(match why {
            Some((id, problem)) => Error::from(LockError::NotLockable {
                id: id.clone(),
                problem: Box::new(problem.clone()),
            }),
            None => Error::NotInstalled { id: id.clone() },
        });
    }
    Ok(())
}

/// Why nothing is known of what is switched on.
fn broken(config: &Snapshot) -> Error {
    let problem = Box::new(why_broken(config));
    Error::from(LockError::BrokenConfig { problem })
}

/// A directory that was mistyped is not made, with a lock in it that nobody follows.
fn refuse_missing_cwd(disk: &Disk, cwd: &AbsPath) -> Result<(), Error> {
    match disk.stamp(cwd)? {
        Some(stamp) if stamp.kind == Kind::Dir => Ok(()),
        _ => Err(Error::BadValue {
            field: "cwd",
            reason: format!("`{cwd}` is no directory"),
        }),
    }
}

/// A lock in which some blocks are replaced. A marketplace without plugins has nothing to say.
///
/// # Errors
/// A plugin is from another marketplace than those of its marketplace that stay.
fn joined(mut old: Lockfile, new: Lockfile) -> Result<Lockfile, LockError> {
    for id in new.plugins.keys() {
        let name = &id.marketplace;
        let is_other = old.marketplaces.get(name) != new.marketplaces.get(name);
        let mut staying = old
            .plugins
            .keys()
            .filter(|other| !new.plugins.contains_key(*other));
        if is_other && staying.any(|other| other.marketplace == *name) {
            let text = format!(
                "the lock has other plugins of `{name}` from another source; lock all of them"
            );
            return Err(LockError::NotLockable {
                id: id.clone(),
                problem: Box::new(Problem::error(ProblemKind::Conflict, text)),
            });
        }
    }
    old.marketplaces.extend(new.marketplaces);
    old.plugins.extend(new.plugins);
    let plugins = &old.plugins;
    old.marketplaces
        .retain(|name, _| plugins.keys().any(|id| id.marketplace == *name));
    Ok(old)
}

fn changes(old: &Lockfile, new: &Lockfile) -> Vec<LockChange> {
    let names: BTreeSet<_> = old
        .marketplaces
        .keys()
        .chain(new.marketplaces.keys())
        .collect();
    let of_marketplace = |name: &&MarketplaceName| {
        let (from, to) = (old.marketplaces.get(*name), new.marketplaces.get(*name));
        LockChange {
            subject: LockSubject::Marketplace((*name).clone()),
            from: from.map(ToString::to_string),
            to: to.map(ToString::to_string),
            reason: reason(from, to, |_, _| true),
        }
    };
    let ids: BTreeSet<_> = old.plugins.keys().chain(new.plugins.keys()).collect();
    let of_plugin = |id: &&PluginId| {
        let (from, to) = (old.plugins.get(*id), new.plugins.get(*id));
        LockChange {
            subject: LockSubject::Plugin((*id).clone()),
            from: from.map(|plugin| plugin.version.to_string()),
            to: to.map(|plugin| plugin.version.to_string()),
            reason: reason(from, to, |from: &LockedPlugin, to: &LockedPlugin| {
                from.version != to.version
            }),
        }
    };
    let marketplaces = names.iter().map(of_marketplace);
    marketplaces.chain(ids.iter().map(of_plugin)).collect()
}

fn reason<T: PartialEq>(
    from: Option<&T>,
    to: Option<&T>,
    moved: impl Fn(&T, &T) -> bool,
) -> LockReason {
    match (from, to) {
        (None, _) => LockReason::Added,
        (Some(_), None) => LockReason::Removed,
        (Some(from), Some(to)) if from == to => LockReason::Unchanged,
        (Some(from), Some(to)) if moved(from, to) => LockReason::Moved,
        (Some(_), Some(_)) => LockReason::Replaced,
    }
}
