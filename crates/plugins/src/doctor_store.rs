//! Looking at the store for the doctor: copies against their records, plugins that should have a copy
//! and have none, and what dead processes left.
//!
//! Nothing is locked or swept here. What a living process works on is its own affair.

use plugd_config::{PluginSetting, Snapshot};
use plugd_disk::{Disk, Entry};
use plugd_marketplace::{MarketplaceSet, Selector};
use plugd_model::{AbsPath, Layout, PluginId, Problem, ProblemKind, error_chain};
use plugd_store::{Installed, Store};

use crate::active::is_remote;
use crate::call::Call;
use crate::doctor::{self, Area, Check, Finding, Remains};
use crate::doctor_home::{LOCKS, problem_of};
use crate::facts::MOVE_IT_AWAY;
use crate::links;
use crate::{Copies, Error, Lookup, Roots};

/// The copies, and those that are missing.
pub(crate) fn store(call: &Call, lookup: &Lookup, copies: &Copies) -> Result<Check, Error> {
    let mut check = Check::new(Area::Store);
    let store = copies.store_as_it_is();
    let (installed, problems) = match store.list() {
        Ok(found) => found,
        Err(error) => {
            let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
            check.told([&problem.in_file(&store.layout().cache())]);
            return Ok(check);
        }
    };
    check.fact("installed", installed.len().to_string());
    check.told(&problems);
    // What cannot be read was told by the list.
    for obstacle in store.obstacles().unwrap_or_default() {
        check.find(problem_of(&obstacle), MOVE_IT_AWAY);
    }
    for copy in &installed {
        call.cancel.check()?;
        call.progress.report("checking", 0, None);
        about(&mut check, &copy.id, &copy.problems);
        let compared = store.verify(copy, call);
        doctor::integrity(&mut check, &copy.id, &copy.root, compared);
    }
    let config = lookup.config(None);
    let resolved = lookup.resolve_ungated(&Roots::default());
    without_copy(&mut check, &config, &resolved.set, &installed, store);
    linked(&mut check, lookup);
    Ok(check)
}

/// Working trees in the place of plugins, and those that are not there any more.
fn linked(check: &mut Check, lookup: &Lookup) {
    let links = lookup.links();
    check.told(&links.problems);
    for (id, path) in &links.rows {
        check.fact("linked", format!("{id} to {path}"));
        if let Err(problem) = links::manifest(lookup.loader(), id, path) {
            check.findings.push(Finding {
                problem,
                plugin: Some(id.clone()),
                advice: format!("mend it, or `plugd unlink {id}` ends the link"),
            });
        }
    }
}

/// What is wrong with a plugin's record.
fn about(check: &mut Check, id: &PluginId, problems: &[Problem]) {
    let before = check.findings.len();
    check.told(problems);
    for finding in &mut check.findings[before..] {
        finding.plugin = Some(id.clone());
    }
}

/// Configured plugins that no copy stands for: those that are switched on, and those that were here
/// once. A record alone means nothing, because another program that shares the home removes a plugin
/// without knowing of it.
fn without_copy(
    check: &mut Check,
    config: &Snapshot,
    set: &MarketplaceSet,
    installed: &[Installed],
    store: &Store,
) {
    for PluginSetting { id, enabled, .. } in config.plugins() {
        if installed.iter().any(|copy| copy.id == *id) {
            continue;
        }
        let was_here = matches!(store.record(id), Ok(Some(_)));
        let text = match (enabled, was_here) {
            (true, true) => "is switched on, and its copy is gone",
            (true, false) => "is switched on, and there is no copy of it",
            (false, true) => "was installed, and its copy is gone",
            (false, false) => continue,
        };
        let problem = Problem::warning(ProblemKind::Missing, format!("`{id}` {text}"));
        check.findings.push(Finding {
            problem: problem.in_file(&store.layout().plugin_dir(id)),
            plugin: Some(id.clone()),
            advice: way_back(id, set),
        });
    }
}

/// How to get a copy, or be rid of the wish for one.
fn way_back(id: &PluginId, set: &MarketplaceSet) -> String {
    let give_up = format!("`plugd plugin remove {id}` takes it out of the configuration");
    let mut names = set.marketplaces().filter_map(|one| one.content());
    if is_remote(id) {
        format!("`plugd plugin sync` brings what the account has; {give_up}")
    } else if set.select(&Selector::Shown(id)).is_ok() {
        format!("`plugd plugin add {id}` installs it again; {give_up}")
    } else if names.any(|content| content.manifest.value.name == id.marketplace) {
        format!(
            "the marketplace `{}` does not offer it; {give_up}",
            id.marketplace
        )
    } else {
        let name = &id.marketplace;
        format!("`plugd marketplace add` makes `{name}` known again; {give_up}")
    }
}

/// What lies half done.
pub(crate) fn remains(disk: &Disk, layout: &Layout, store: &Store) -> Check {
    let mut check = Check::new(Area::Remains);
    let mut found = Remains {
        is_held: is_held(disk, &layout.lock("store")) == Some(true),
        ..Remains::default()
    };
    for name in LOCKS.iter().filter(|name| **name != "store") {
        if is_held(disk, &layout.lock(name)) == Some(true) {
            check.fact(&format!("{name} lock"), "held by a living process");
        }
    }
    match store.interrupted() {
        Ok(interrupted) => {
            found.journals = interrupted.operations;
            found.bad_journals = interrupted.problems;
        }
        Err(error) => {
            let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
            check.told([&problem.in_file(&layout.journals())]);
        }
    }
    found.staged = dead_places(disk, &mut check, &layout.staging(), &layout.journals());
    found.trash = dead_places(disk, &mut check, &layout.trash(), &layout.journals());
    found.dead_leases = dead_leases(disk, &mut check, &layout.leases());
    doctor::remains(&mut check, found);
    check
}

/// Whether somebody holds a lock; nothing where there is no lock file.
fn is_held(disk: &Disk, path: &AbsPath) -> Option<bool> {
    disk.stamp(path).ok()??;
    let lock = disk.try_lock(path).ok()?;
    Some(lock.is_none())
}

/// How many transactions have left something in a directory and are not alive: a server removes behind
/// its answer what a committed one leaves.
fn dead_places(disk: &Disk, check: &mut Check, dir: &AbsPath, journals: &AbsPath) -> usize {
    let is_dead = |entry: &Entry| {
        let lock = format!("{}.lock", entry.name.to_string_lossy());
        is_held(disk, &journals.join(lock)) != Some(true)
    };
    let entries = entries_in(disk, check, dir);
    entries.iter().filter(|entry| is_dead(entry)).count()
}

/// How many things lie in a directory.
pub(crate) fn count(disk: &Disk, check: &mut Check, dir: &AbsPath) -> usize {
    entries_in(disk, check, dir).len()
}

fn entries_in(disk: &Disk, check: &mut Check, dir: &AbsPath) -> Vec<Entry> {
    match disk.list(dir) {
        Ok(entries) => entries,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => {
            check.unreadable(&error);
            Vec::new()
        }
    }
}

fn dead_leases(disk: &Disk, check: &mut Check, dir: &AbsPath) -> usize {
    let entries = match disk.list(dir) {
        Ok(entries) => entries,
        Err(error) if error.is_not_found() => return 0,
        Err(error) => {
            check.unreadable(&error);
            return 0;
        }
    };
    let locks = entries
        .iter()
        .filter(|entry| entry.name.to_string_lossy().ends_with(".lock"));
    locks
        .filter(|entry| is_held(disk, &dir.join(&entry.name)) == Some(false))
        .count()
}

#[cfg(test)]
mod tests {
    use plugd_disk::Disk;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::dead_places;
    use crate::doctor::{Area, Check};

    #[test]
    fn what_a_living_transaction_removes_is_no_remains() {
        let trash = "ch/plugins/.plugd/trash";
        let journal = "ch/plugins/.plugd/journal";
        let sandbox = Sandbox::from(&format!(
            "== {trash}/alive/x\n1\n== {trash}/dead/x\n1\n== {trash}/nobody/x\n1\n\
             == {journal}/alive.lock\n== {journal}/dead.lock\n"
        ));
        let (disk, layout) = (Disk::new(), sandbox.layout());
        let mut check = Check::new(Area::Remains);
        let mut dead = || dead_places(&disk, &mut check, &layout.trash(), &layout.journals());
        let alive = disk
            .try_lock(&layout.journals().join("alive.lock"))
            .unwrap();
        assert_eq!(dead(), 2);
        drop(alive);
        assert_eq!(dead(), 3);
    }
}
