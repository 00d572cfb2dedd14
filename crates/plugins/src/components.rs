//! `plugd/components`: everything that a host has to load for a directory, with the plugin that each
//! piece comes from.
//!
//! With a lease all paths lie in trees that nobody changes while it lives. A plugin whose tree cannot
//! be made is left out and told as a problem: a path into the cache would break the promise without a
//! word.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_components::{
    App, Placeholders, Platform, Skill, SkillScope, Spelling, apps, mcp_definitions,
};
use plugd_config::{Snapshot, TrustHold};
use plugd_disk::Kind;
use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, Layout, ManifestFormat, PluginId, Problem, VersionSegment};
use plugd_store::{Installed, Lease, Store};

use crate::active::{ActivePlugin, ActivePlugins};
use crate::call::Call;
use crate::component_leases::end_lease;
use crate::component_placing::{Placed, Placing, in_store, look};
use crate::component_servers::{
    EffectiveServer, PluginServers, Servers, ShadowedServer, effective_servers,
};
use crate::component_trust::{HeldCopy, held_copies};
use crate::hidden_by_config::{HOST_TABLES, hidden_by};
use crate::hooks_list::{HookRow, Trust, hooks_seen};
use crate::offering::{Offering, description, display_name};
use crate::skill_sources::{SkillPlaces, plugin_skill_dirs};
use crate::skills_list::{SkillRow, SkillsSeen, skills_seen};
use crate::{Blocking, Copies, Error, ExtraSkillRoots, Leases, Lookup};

/// What to load for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComponentsRequest {
    /// The directory whose configuration and skills count; without one no project's do.
    pub cwd: Option<AbsPath>,
    /// Whether the plugins must not change while the host uses them.
    pub lease: bool,
}

/// What a host has to load.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Components {
    /// The plugins that count, by id.
    pub plugins: Vec<ComponentPlugin>,
    /// The directories of skills that are there, in the order in which they count.
    pub skill_roots: Vec<SkillRoot>,
    /// The skills, as a listing shows them.
    pub skills: Vec<EffectiveSkill>,
    /// The MCP servers of the plugins.
    pub servers: Vec<EffectiveServer>,
    /// The MCP servers that lost their names.
    pub shadowed_servers: Vec<ShadowedServer>,
    /// The hooks of the plugins that can run, trusted or not.
    pub hooks: Vec<EffectiveHook>,
    /// The apps of the plugins, each id once.
    pub apps: Vec<EffectiveApp>,
    /// The apps that another plugin has named before.
    pub shadowed_apps: Vec<ShadowedApp>,
    /// The lease that all paths of plugins are under.
    pub lease_id: Option<String>,
    /// What was left out or ignored, and why.
    pub problems: Vec<Problem>,
}

/// A plugin that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentPlugin {
    /// Its id.
    pub id: PluginId,
    /// Its name for people.
    pub display_name: String,
    /// What it is.
    pub description: Option<String>,
    /// The installed version.
    pub version: VersionSegment,
    /// Where its files are.
    pub root: AbsPath,
    /// Where it may keep files of its own; the host makes it before it starts anything.
    pub data_dir: AbsPath,
    /// Its content: what was leased, else what is recorded.
    pub tree_digest: Option<Digest>,
    /// Whether it is a working tree that somebody linked, which may change at any time.
    pub is_linked: bool,
    /// What of it a host is not given, because nobody has approved it.
    pub held_back: Option<HeldCopy>,
}

/// A directory with skills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillRoot {
    /// The directory.
    pub path: AbsPath,
    /// Whose it is.
    pub scope: SkillScope,
    /// The plugin it belongs to.
    pub plugin: Option<PluginId>,
}

/// A skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveSkill {
    /// What it says.
    pub skill: Skill,
    /// Whose it is.
    pub scope: SkillScope,
    /// The plugin it comes from.
    pub plugin: Option<PluginId>,
    /// Whether configuration leaves it on.
    pub enabled: bool,
}

/// A hook that can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveHook {
    /// What a listing says of it.
    pub row: HookRow,
    /// Variables that a command gets besides those of the host.
    pub env: Vec<(String, String)>,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveApp {
    /// What is declared.
    pub app: App,
    /// The plugin it comes from.
    pub plugin: PluginId,
}

/// An app that another plugin has named before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowedApp {
    /// Its id.
    pub app: String,
    /// The plugin whose declaration does not count.
    pub loser: PluginId,
    /// The one whose does.
    pub winner: PluginId,
}

/// Everything that one look finds.
pub(crate) struct Gathered {
    pub(crate) components: Components,
    /// What each plugin offers a model, in the same order.
    pub(crate) offerings: Vec<Offering>,
    /// The configuration that counted.
    pub(crate) config: Arc<Snapshot>,
    /// The plugins that count, as they are to be used.
    pub(crate) active: Vec<ActivePlugin>,
    /// The installed copies, whether or not they count.
    pub(crate) copies: Vec<Installed>,
    pub(crate) lease: Option<Lease>,
}

/// The copies of which something is held back.
type Held = BTreeMap<PluginId, HeldCopy>;

/// Finds what a host has to load.
///
/// # Errors
/// The store cannot be read; with a lease also when it cannot be written, or another process holds
/// its lock for too long.
pub async fn components(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    extra: &ExtraSkillRoots,
    leases: &Leases,
    request: ComponentsRequest,
) -> Result<Components, Error> {
    let wants_lease = request.lease;
    let section = {
        let (call, leases, extra) = (call.clone(), leases.clone(), extra.get());
        let (lookup, copies) = (lookup.clone(), copies.clone());
        move || {
            let gathered = gather(&call, &lookup, copies.store()?, &extra, &request)?;
            let Gathered {
                mut components,
                config,
                active,
                lease,
                ..
            } = gathered;
            let mut trust = Trust::load(&call, &lookup, &copies);
            let hooks = hooks_seen(&lookup, &config, &active, &mut trust);
            components.problems.extend(hooks.problems);
            let hooks = without_held(&mut components.plugins, hooks.hooks).into_iter();
            components.hooks = hooks.map(|row| hook(&lookup, &active, row)).collect();
            // A request that was answered as cancelled holds nothing.
            let is_wanted = match &lease {
                Some(_) => call.cancel.seal(),
                None => call.cancel.check(),
            };
            if let Err(cancelled) = is_wanted {
                lease.into_iter().for_each(end_lease);
                return Err(cancelled.into());
            }
            components.problems.extend(trust.save());
            components.lease_id = lease.map(|lease| leases.keep(lease));
            Ok(components)
        }
    };
    // Making trees is much work, and reading should not wait for it.
    if wants_lease {
        blocking.write(section).await
    } else {
        blocking.read(section).await
    }
}

/// Looks at everything.
pub(crate) fn gather(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    extra: &[AbsPath],
    request: &ComponentsRequest,
) -> Result<Gathered, Error> {
    let config = lookup.config(request.cwd.as_ref());
    let mut lease = match request.lease {
        true => Some(store.lease().map_err(in_store)?),
        false => None,
    };
    let looked = look(call, lookup, store, &config, lease.as_mut());
    let (copies, placing) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            lease.into_iter().for_each(end_lease);
            return Err(error);
        }
    };
    let Placing { placed, problems } = placing;
    let mut found = Components {
        problems,
        ..Components::default()
    };
    found
        .plugins
        .extend(placed.iter().map(|one| plugin(lookup, one)));
    let active = ActivePlugins {
        plugins: placed.into_iter().map(|placed| placed.active).collect(),
        problems: Vec::new(),
    };
    add_skills(
        &mut found,
        lookup,
        &config,
        request.cwd.as_ref(),
        extra,
        &active,
    );
    let active = active.plugins;
    let mut held = held_copies(call, lookup, store, &config, &active);
    add_servers(&mut found, lookup, &config, &active, &mut held);
    if config.features().apps {
        add_apps(&mut found, lookup, &active, &mut held);
    }
    for plugin in &mut found.plugins {
        plugin.held_back = held.remove(&plugin.id);
    }
    // What was found out about a server already is told there.
    let mut hidden: Vec<_> = hidden_by(&config, HOST_TABLES).cloned().collect();
    hidden.retain(|problem| !found.problems.contains(problem));
    found.problems.splice(0..0, hidden);
    let offerings = active.iter().map(|active| Offering::of(&found, active));
    Ok(Gathered {
        offerings: offerings.collect(),
        components: found,
        active,
        config,
        copies,
        lease,
    })
}

fn plugin(lookup: &Lookup, placed: &Placed) -> ComponentPlugin {
    let active = &placed.active;
    let manifest = &active.manifest.value;
    ComponentPlugin {
        id: active.id().clone(),
        display_name: display_name(manifest).to_owned(),
        description: description(manifest),
        version: active.copy.version.clone(),
        root: active.copy.root.clone(),
        data_dir: data_dir(lookup.layout(), active.id(), manifest.format),
        tree_digest: placed.tree_digest,
        is_linked: active.is_linked,
        held_back: None,
    }
}

/// The hooks that a host is given; the others are named at their plugins.
fn without_held(plugins: &mut [ComponentPlugin], hooks: Vec<HookRow>) -> Vec<HookRow> {
    let (given, left_out): (Vec<_>, Vec<_>) = hooks.into_iter().partition(|row| {
        let plugin = plugins.iter().find(|plugin| plugin.id == row.plugin);
        let held = plugin.and_then(|plugin| plugin.held_back.as_ref());
        !held.is_some_and(|held| held.holds(TrustHold::Hooks))
    });
    for row in left_out {
        let mut plugins = plugins.iter_mut();
        let plugin = plugins.find(|plugin| plugin.id == row.plugin);
        if let Some(held) = plugin.and_then(|plugin| plugin.held_back.as_mut()) {
            held.hooks.push(row.declaration.key);
        }
    }
    given
}

fn add_skills(
    found: &mut Components,
    lookup: &Lookup,
    config: &Snapshot,
    cwd: Option<&AbsPath>,
    extra: &[AbsPath],
    active: &ActivePlugins,
) {
    let places = SkillPlaces::new(lookup, config, cwd, &active.plugins, extra);
    let SkillsSeen { skills, problems } = skills_seen(lookup, config, active, &places);
    found.problems.extend(problems);
    found.skills.extend(skills.into_iter().map(|row| {
        let SkillRow { listed, enabled } = row;
        EffectiveSkill {
            skill: listed.skill,
            scope: listed.scope,
            plugin: listed.plugin,
            enabled,
        }
    }));
    let own = places.directories().map(|(path, scope)| SkillRoot {
        path: path.clone(),
        scope,
        plugin: None,
    });
    let of_plugins = active.plugins.iter().flat_map(|active| {
        let dirs = plugin_skill_dirs(active).into_iter();
        dirs.map(|path| SkillRoot {
            path,
            scope: SkillScope::User,
            plugin: Some(active.id().clone()),
        })
    });
    let is_there = |root: &SkillRoot| matches!(lookup.disk().stamp(&root.path), Ok(Some(stamp)) if stamp.kind == Kind::Dir);
    let mut roots: Vec<SkillRoot> = own.chain(of_plugins).filter(is_there).collect();
    // What belongs to plugins is the user's, behind the user's own.
    roots.sort_by_key(|root| root.scope);
    found.skill_roots = roots;
}

fn add_servers(
    found: &mut Components,
    lookup: &Lookup,
    config: &Snapshot,
    plugins: &[ActivePlugin],
    held: &mut Held,
) {
    let disk = lookup.disk();
    let mut declared = Vec::new();
    for active in plugins {
        let definitions = mcp_definitions(disk, &active.copy.root, &active.manifest.value);
        found.problems.extend(definitions.problems);
        if let Some(held) = held_of(held, active, TrustHold::McpServers) {
            let names = definitions.items.into_iter().map(|one| one.name);
            held.mcp_servers.extend(names);
            continue;
        }
        declared.push(PluginServers {
            id: active.id(),
            definitions: definitions.items,
            places: places(lookup.layout(), active),
            overlays: config.mcp_overlays(active.id()),
            requirements: config.requirements(),
        });
    }
    // What is wrong with the rest of the configuration is told by the methods that show it.
    let of_servers = config.problems().iter().filter(|problem| {
        let field = problem.field.as_deref().unwrap_or_default();
        field.starts_with("plugins.") && field.contains(".mcp_servers")
    });
    found.problems.extend(of_servers.cloned());
    let users = config.user_mcp_servers();
    let Servers {
        effective,
        shadowed,
        problems,
    } = effective_servers(disk, Platform::current(), users, declared);
    found.servers = effective;
    found.shadowed_servers = shadowed;
    found.problems.extend(problems);
}

/// What is held back of a plugin, when that is among it.
fn held_of<'a>(
    held: &'a mut Held,
    active: &ActivePlugin,
    what: TrustHold,
) -> Option<&'a mut HeldCopy> {
    held.get_mut(active.id()).filter(|held| held.holds(what))
}

fn add_apps(found: &mut Components, lookup: &Lookup, plugins: &[ActivePlugin], held: &mut Held) {
    let mut known: BTreeMap<String, PluginId> = BTreeMap::new();
    for active in plugins {
        let declared = apps(lookup.disk(), &active.copy.root, &active.manifest.value);
        found.problems.extend(declared.problems);
        if let Some(held) = held_of(held, active, TrustHold::Apps) {
            held.apps
                .extend(declared.items.into_iter().map(|app| app.id));
            continue;
        }
        for app in declared.items {
            let plugin = active.id().clone();
            match known.get(&app.id) {
                Some(winner) => found.shadowed_apps.push(ShadowedApp {
                    app: app.id,
                    loser: plugin,
                    winner: winner.clone(),
                }),
                None => {
                    known.insert(app.id.clone(), plugin.clone());
                    found.apps.push(EffectiveApp { app, plugin });
                }
            }
        }
    }
}

fn hook(lookup: &Lookup, plugins: &[ActivePlugin], row: HookRow) -> EffectiveHook {
    let plugin = plugins.iter().find(|active| *active.id() == row.plugin);
    let with_command = plugin.filter(|_| row.command.is_some());
    let places = with_command.map(|active| places(lookup.layout(), active));
    EffectiveHook {
        env: places.map_or_else(Vec::new, |places| places.environment(Spelling::Both)),
        row,
    }
}

/// The directories of a plugin's placeholders.
fn places(layout: &Layout, active: &ActivePlugin) -> Placeholders {
    Placeholders {
        plugin_root: active.copy.root.clone(),
        plugin_data: data_dir(layout, active.id(), active.manifest.value.format),
    }
}

/// Where a plugin keeps its data: the same places as the reference, so that both programs find them.
fn data_dir(layout: &Layout, id: &PluginId, format: ManifestFormat) -> AbsPath {
    if format != ManifestFormat::AgentPlugins {
        return layout.data_dir(id);
    }
    let name = format!("{}\0{}", id.marketplace, id.plugin);
    let name = Digest::of_bytes(name.as_bytes()).hex();
    layout.home().join("plugins/data/agent-plugins").join(name)
}

#[cfg(test)]
#[path = "components_tests.rs"]
mod tests;
