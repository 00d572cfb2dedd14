//! `skills/list`: every skill that a host would offer, and whether it is switched on.

use plugd_components::{ListedProblem, ListedSkill, SkillListing, SkillScope, list_skills};
use plugd_config::Snapshot;
use plugd_model::{AbsPath, PluginId, Problem};
use plugd_store::Installed;
use plugd_watch::WatchRoot;

use crate::active::{ActivePlugins, active_plugins};
use crate::hidden_by_config::{HOST_TABLES, hidden_by};
use crate::skill_rules::{SkillRules, Subject};
use crate::skill_sources::{self, SkillPlaces};
use crate::skill_watch::Followed;
use crate::watched_places::Wanted;
use crate::{Blocking, Copies, Error, ExtraSkillRoots, Lookup, SkillWatch};

/// A skill in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillRow {
    /// The skill and where it comes from.
    pub listed: ListedSkill,
    /// Whether the configuration leaves it on.
    pub enabled: bool,
}

/// The skills as seen from one directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SkillsSeen {
    /// By scope, then name, then path. Those that are offered to other products are left out.
    pub skills: Vec<SkillRow>,
    /// What cannot be used or is ignored. What a program brought along is its own business and not
    /// among it.
    pub problems: Vec<Problem>,
}

/// Lists the skills as seen from each of these directories, from the files as they are now. From
/// here on the client is told of changes.
///
/// # Errors
/// The store cannot be read.
pub async fn skills(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    extra: &ExtraSkillRoots,
    watch: &SkillWatch,
    cwds: Vec<AbsPath>,
) -> Result<Vec<SkillsSeen>, Error> {
    // Before the look, so that nothing changes unheard behind it.
    watch.want();
    let scopes: Vec<_> = cwds.into_iter().map(Some).collect();
    let look = || {
        let (lookup, copies) = (lookup.clone(), copies.clone());
        let (extra, scopes) = (extra.get(), scopes.clone());
        blocking.list(move || {
            see(
                &lookup,
                &copies,
                &extra,
                &scopes,
                |config, active, places| {
                    let mut seen = skills_seen(&lookup, config, active, places);
                    let hidden = hidden_by(config, HOST_TABLES).cloned();
                    seen.problems.splice(0..0, hidden);
                    seen
                },
            )
        })
    };
    let (seen, wanted) = look().await?;
    if watch.follow(wanted).await == Followed::Covered {
        return Ok(seen);
    }
    // What changed between the look and the beginning of the watch would never be told, so the first
    // look at a place is repeated once it is watched.
    let (seen, _) = look().await?;
    Ok(seen)
}

/// Begins to watch the skills of the user and of plugins before anybody has listed them.
///
/// # Errors
/// The store cannot be read.
pub async fn watch_skills(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    watch: &SkillWatch,
) -> Result<(), Error> {
    let (lookup, copies) = (lookup.clone(), copies.clone());
    let (_, wanted) = blocking
        .read(move || see(&lookup, &copies, &[], &[None], |_, _, _| ()))
        .await?;
    watch.follow(wanted).await;
    Ok(())
}

/// Looks from each directory, or from none, and tells what has to be watched to hear of changes.
fn see<T>(
    lookup: &Lookup,
    copies: &Copies,
    extra: &[AbsPath],
    scopes: &[Option<AbsPath>],
    mut look: impl FnMut(&Snapshot, &ActivePlugins, &SkillPlaces<'_>) -> T,
) -> Result<(Vec<T>, Wanted), Error> {
    let copies = installed_copies(copies)?;
    let mut wanted = Wanted::default();
    wanted.place(WatchRoot::file(lookup.layout().user_config()));
    let mut seen = Vec::new();
    for cwd in scopes {
        let config = lookup.config(cwd.as_ref());
        let active = active_plugins(lookup, &copies, &config);
        let places = SkillPlaces::new(lookup, &config, cwd.as_ref(), &active.plugins, extra);
        skill_sources::watch(&places, &mut wanted);
        seen.push(look(&config, &active, &places));
    }
    Ok((seen, wanted))
}

/// The skills of these places.
pub(crate) fn skills_seen(
    lookup: &Lookup,
    config: &Snapshot,
    active: &ActivePlugins,
    places: &SkillPlaces<'_>,
) -> SkillsSeen {
    let disk = lookup.disk();
    let SkillListing { skills, problems } =
        list_skills(lookup.loader(), lookup.skills(), &places.sources());
    let rules = SkillRules::new(lookup, config.skill_rules());
    let roots: Vec<(&PluginId, AbsPath)> = active
        .plugins
        .iter()
        .map(|plugin| {
            let root = &plugin.copy.root;
            let real = disk.resolve(root).unwrap_or_else(|_| root.clone());
            (plugin.id(), real)
        })
        .collect();
    let rows = skills.into_iter().filter(|listed| listed.skill.visible);
    let rows = rows.map(|listed| {
        let of_plugin = |id: &PluginId| roots.iter().find(|(one, _)| *one == id);
        let plugin = listed.plugin.as_ref().and_then(of_plugin);
        let left_on = rules.leave_on(&Subject {
            name: &listed.skill.name,
            path: &listed.skill.path,
            plugin: plugin.map(|(id, root)| (*id, root)),
        });
        let owner = listed.plugin.as_ref();
        let silenced = active
            .plugins
            .iter()
            .any(|active| owner == Some(active.id()) && active.silences(&listed.skill.name));
        SkillRow {
            enabled: left_on && !silenced,
            listed,
        }
    });
    let broken = active.problems.iter().map(|(_, problem)| problem.clone());
    SkillsSeen {
        skills: rows.collect(),
        problems: broken.chain(worth_telling(problems)).collect(),
    }
}

fn worth_telling(problems: Vec<ListedProblem>) -> impl Iterator<Item = Problem> {
    problems
        .into_iter()
        .filter(|listed| listed.scope != SkillScope::System)
        .map(|listed| listed.problem)
}

/// The copies that are installed now.
pub(crate) fn installed_copies(copies: &Copies) -> Result<Vec<Installed>, Error> {
    let (copies, _) = copies
        .store()?
        .list()
        .map_err(|error| Error::StoreState(Box::new(error)))?;
    Ok(copies)
}
