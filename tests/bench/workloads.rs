//! What is measured.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::client::Client;
use crate::limits::{self, milliseconds};
use crate::market::Market;
use crate::measure::{Limit, OfProgram, Sample, Unit, Workload};
use crate::places::{Places, Program};

mod asking;
mod changing;
mod cloning;
mod starting;

const fn times(name: &'static str, sample: OfProgram) -> Workload {
    Workload {
        name,
        unit: Unit::Milliseconds,
        rounds: usize::MAX,
        sample,
        limit: None,
    }
}

const fn beside(workload: Workload, limit: Limit) -> Workload {
    Workload {
        limit: Some(limit),
        ..workload
    }
}

const fn at_most(rounds: usize, workload: Workload) -> Workload {
    Workload { rounds, ..workload }
}

const fn counts(unit: Unit, rounds: usize, name: &'static str, sample: OfProgram) -> Workload {
    Workload {
        unit,
        rounds,
        ..times(name, sample)
    }
}

/// All workloads, in the order of the table.
///
/// For minutes after many files were deleted ext4 takes long to find room for new ones, so what deletes
/// stands far in front of what creates, or behind it: repositories first, uninstallations last.
#[rustfmt::skip]
pub(crate) const ALL: &[Workload] = &[
    beside(at_most(5, times("marketplace/add, git, 300 plugins", cloning::add)), cloning::clone),
    times("marketplace/upgrade, git, nothing new", cloning::upgrade_nothing),
    beside(at_most(5, times("marketplace/upgrade, git, one commit", cloning::upgrade_one)), cloning::fetch),
    beside(times("spawn to initialize, empty home", starting::empty_home), spawn),
    beside(times("spawn to initialize, used home", starting::used_home), spawn),
    beside(times("spawn to first plugin/list, 180 plugins", starting::first_list), first_reads),
    counts(Unit::Megabytes, 5, "memory, idle", starting::memory_idle),
    counts(Unit::Megabytes, 5, "memory, after plugin/list of 180", starting::memory_used),
    counts(Unit::Megabytes, 1, "memory, after plugin/list of 10,000", starting::memory_of_many),
    counts(Unit::Megabytes, 1, "size of the binary", starting::size),
    beside(times("plugin/list, warm, 180 plugins", asking::list), stat_manifests),
    beside(at_most(7, times("plugin/list, warm, 10,000 plugins", asking::long_list)), stat_many),
    beside(times("plugin/list, warm, 100 marketplaces", asking::collected), stat_collected),
    beside(at_most(7, times("plugin/list, warm, 1,000 installed", asking::thousand_installed)), stat_thousand),
    counts(Unit::Count, 1, "system calls of a warm plugin/list", asking::system_calls),
    counts(Unit::Count, 3, "bytes read by a warm plugin/list", asking::bytes_read),
    counts(Unit::Count, 3, "bytes read by a session, 180 installed", starting::bytes_of_session),
    counts(Unit::Count, 3, "instructions of a warm plugin/list", asking::instructions),
    counts(Unit::PerSecond, 5, "plugin/list per second, 32 in flight", asking::flood),
    counts(Unit::Count, 3, "refused of 200 at once", asking::refused),
    beside(times("plugin/list, 50 working directories", asking::fifty), stat_dirs),
    times("plugin/read", asking::read),
    at_most(7, times("plugin/read, 1,000 installed", asking::read_of_thousand)),
    times("plugin/read behind 8 lists", asking::read_behind),
    at_most(5, times("plugin/read beside lists, the middle of 200", asking::read_middle)),
    at_most(5, times("plugin/read beside lists, the 199th of 200", asking::read_slowest)),
    beside(times("plugin/read, 55 skills", asking::read_skills), read_skill_files),
    beside(times("plugin/install, 4 files", changing::install_small), copy_small),
    beside(at_most(7, times("plugin/install, 50 MB", changing::install_large)), copy_large),
    counts(Unit::Count, 3, "bytes written by plugin/install, 4 files", changing::bytes_written),
    beside(times("install again, unchanged, 4 files", changing::again_small), stat_small),
    beside(at_most(7, times("install again, unchanged, 50 MB", changing::again_large)), stat_large),
    beside(at_most(3, times("install 180, one after another", changing::install_all)), copy_all),
    beside(at_most(3, times("install 180, all at once", changing::install_at_once)), copy_all),
    beside(at_most(3, times("refresh of 100 new versions", changing::refresh)), copy_hundred),
    beside(at_most(3, times("uninstall 180, one after another", changing::uninstall_all)), remove_all),
    beside(at_most(3, times("uninstall 180, all at once", changing::uninstall_at_once)), remove_all),
];

/// The params of a request that names one plugin.
pub(crate) fn named(market: &Market, plugin: &str) -> Value {
    json!({"marketplacePath": market.manifest(), "pluginName": plugin})
}

/// The params of a request that names one installed plugin.
pub(crate) fn installed(market: &Market, plugin: &str) -> Value {
    json!({"pluginId": format!("{plugin}@{}", market.name)})
}

/// A greeted server on a new home with these marketplaces.
fn client(places: &Places, program: &Program, markets: &[&Market]) -> Client {
    Client::greeted(&program.path, &places.home(markets))
}

fn spawn(_: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::spawn()))
}

fn first_reads(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::spawn() + limits::read_manifests(places.real())))
}

fn stat_manifests(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::stat_manifests(places.real())))
}

fn stat_many(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::stat_manifests(places.large())))
}

fn stat_collected(places: &Places) -> Sample<'_> {
    let markets = places.collected();
    Box::new(|| Some(markets.iter().map(limits::stat_manifests).sum()))
}

fn stat_thousand(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::stat_manifests(places.thousand())))
}

fn stat_dirs(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::stat_all(places.cwds())))
}

fn read_skill_files(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::read_files(&places.skills().root, "SKILL.md")))
}

/// What was copied stays until the end of the run: where thousands of files have just gone, ext4 takes
/// long to find room for new ones, and whoever comes next would pay for that.
fn copied<'a>(places: &'a Places, from: &Path) -> Sample<'a> {
    let from = from.to_owned();
    Box::new(move || {
        let to = places.fresh();
        Some(milliseconds(|| limits::copy_tree(&from, &to)))
    })
}

fn one_of_pair(places: &Places, one: usize) -> PathBuf {
    let market = places.pair();
    market.plugin_dir(&market.plugins[one])
}

fn copy_small(places: &Places) -> Sample<'_> {
    copied(places, &one_of_pair(places, 0))
}

fn copy_large(places: &Places) -> Sample<'_> {
    copied(places, &one_of_pair(places, 1))
}

fn copy_all(places: &Places) -> Sample<'_> {
    copied(places, &places.real().root.join("plugins"))
}

fn copy_hundred(places: &Places) -> Sample<'_> {
    Box::new(|| {
        let (to, market) = (places.fresh(), places.real());
        Some(milliseconds(|| {
            for plugin in &market.plugins[..changing::BUMPED] {
                limits::copy_tree(&market.plugin_dir(plugin), &to.join(plugin));
            }
        }))
    })
}

fn stat_small(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::stat_tree(&one_of_pair(places, 0))))
}

fn stat_large(places: &Places) -> Sample<'_> {
    Box::new(|| Some(limits::stat_tree(&one_of_pair(places, 1))))
}

fn remove_all(places: &Places) -> Sample<'_> {
    Box::new(|| {
        let to = places.fresh();
        limits::copy_tree(&places.real().root.join("plugins"), &to);
        Some(milliseconds(|| fs::remove_dir_all(to).unwrap()))
    })
}
