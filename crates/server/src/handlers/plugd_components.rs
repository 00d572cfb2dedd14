//! `plugd/components`.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{
    ComponentPlugin, Components, ComponentsRequest, EffectiveApp, EffectiveHook, EffectiveSkill,
    HookRow, HookTrust, ShadowedApp, ShadowedServer, Skill, SkillRoot, SkillScope,
};
use plugd_protocol as wire;

use super::hook::{Action, RunnableHook, runnable, trust_status};
use super::plugd_mcp_server::{self, object};
use super::{plugd_approve, plugin_read, shared, skills_list};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// What stands beside each piece of a plugin.
pub(super) struct Brought {
    pub(super) plugin_id: String,
    pub(super) display_name: String,
    pub(super) version: String,
}

/// The plugins of an answer by their ids.
pub(super) struct Bringers(BTreeMap<String, (String, String)>);

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdComponentsParams,
) -> Result<Reply, WireError> {
    let wire::PlugdComponentsParams { cwd, lease } = params;
    let request = ComponentsRequest {
        cwd: shared::cwd(cwd)?,
        lease: lease == Some(true),
    };
    let components = plugd_plugins::components(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.extra_skill_roots,
        &context.leases,
        request,
    )
    .await?;
    Reply::of(&response(components))
}

fn response(components: Components) -> wire::PlugdComponentsResponse {
    let Components {
        plugins,
        skill_roots,
        skills,
        servers,
        shadowed_servers,
        hooks,
        apps,
        shadowed_apps,
        lease_id,
        problems,
    } = components;
    let by = Bringers::of(&plugins);
    let lost_servers = shadowed_servers.into_iter().map(lost_server);
    let lost_apps = shadowed_apps.into_iter().map(lost_app);
    let servers = servers.into_iter();
    wire::PlugdComponentsResponse {
        plugins: plugins.into_iter().map(plugin).collect(),
        skill_roots: skill_roots.into_iter().map(skill_root).collect(),
        skills: skills.into_iter().map(|one| skill(one, &by)).collect(),
        mcp_servers: servers
            .map(|one| plugd_mcp_server::server(one, &by))
            .collect(),
        shadowed: lost_servers.chain(lost_apps).collect(),
        hooks: hooks.into_iter().filter_map(|one| hook(one, &by)).collect(),
        apps: apps.into_iter().map(|one| app(one, &by)).collect(),
        lease_id,
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

impl Bringers {
    pub(super) fn of(plugins: &[ComponentPlugin]) -> Self {
        let rows = plugins.iter().map(|plugin| {
            let names = (plugin.display_name.clone(), plugin.version.to_string());
            (plugin.id.to_string(), names)
        });
        Self(rows.collect())
    }

    /// Every piece comes from one of the plugins beside it.
    pub(super) fn of_plugin(&self, id: &plugd_model::PluginId) -> Brought {
        let plugin_id = id.to_string();
        let names = self.0.get(&plugin_id).cloned();
        let (display_name, version) = names.unwrap_or_default();
        Brought {
            plugin_id,
            display_name,
            version,
        }
    }
}

fn plugin(plugin: ComponentPlugin) -> wire::PlugdComponentPlugin {
    let ComponentPlugin {
        id,
        display_name,
        description,
        version,
        root,
        data_dir,
        tree_digest,
        is_linked,
        held_back,
    } = plugin;
    let held_back = held_back.map(|held| plugd_approve::held_back(&id, held));
    wire::PlugdComponentPlugin {
        plugin_id: id.to_string(),
        display_name,
        description,
        version: version.to_string(),
        root: shared::path(&root),
        tree_digest: tree_digest.map(|digest| digest.to_string()),
        data: shared::path(&data_dir),
        linked: is_linked.then(|| shared::linked(&root)),
        held_back,
    }
}

fn skill_root(root: SkillRoot) -> wire::PlugdSkillRoot {
    let SkillRoot {
        path,
        scope: whose,
        plugin,
    } = root;
    wire::PlugdSkillRoot {
        path: shared::path(&path),
        scope: scope(whose),
        plugin_id: plugin.map(|id| id.to_string()),
    }
}

fn scope(scope: SkillScope) -> wire::SkillScope {
    match scope {
        SkillScope::Repo => wire::SkillScope::Repo,
        SkillScope::User => wire::SkillScope::User,
        SkillScope::System => wire::SkillScope::System,
        SkillScope::Admin => wire::SkillScope::Admin,
    }
}

fn skill(effective: EffectiveSkill, by: &Bringers) -> wire::PlugdSkill {
    let EffectiveSkill {
        skill,
        scope: whose,
        plugin,
        enabled,
    } = effective;
    let Skill {
        name,
        bare_name: _,
        description,
        short_description,
        interface,
        dependencies,
        path,
        allow_implicit,
        visible: _,
    } = skill;
    let brought = plugin.map(|id| by.of_plugin(&id));
    let (plugin_id, plugin_display_name, version) = match brought {
        Some(brought) => (
            Some(brought.plugin_id),
            Some(brought.display_name),
            Some(brought.version),
        ),
        None => (None, None, None),
    };
    wire::PlugdSkill {
        name,
        description,
        short_description,
        interface: interface.map(plugin_read::skill_interface),
        dependencies: skills_list::dependencies(dependencies),
        path: shared::path(&path),
        scope: scope(whose),
        enabled,
        allow_implicit_invocation: allow_implicit,
        plugin_id,
        plugin_display_name,
        version,
    }
}

fn lost_server(server: ShadowedServer) -> wire::PlugdShadowed {
    let ShadowedServer {
        name,
        loser,
        winner,
    } = server;
    wire::PlugdShadowed {
        kind: wire::PlugdShadowedKind::McpServer,
        name,
        winner: winner.map(|id| id.to_string()),
        loser: loser.to_string(),
    }
}

fn lost_app(app: ShadowedApp) -> wire::PlugdShadowed {
    let ShadowedApp { app, loser, winner } = app;
    wire::PlugdShadowed {
        kind: wire::PlugdShadowedKind::App,
        name: app,
        winner: Some(winner.to_string()),
        loser: loser.to_string(),
    }
}

fn app(effective: EffectiveApp, by: &Bringers) -> wire::PlugdApp {
    let EffectiveApp { app, plugin } = effective;
    let plugd_plugins::App {
        id,
        label,
        category,
    } = app;
    let brought = by.of_plugin(&plugin);
    wire::PlugdApp {
        id,
        label,
        category,
        plugin_id: brought.plugin_id,
        plugin_display_name: brought.display_name,
        version: brought.version,
    }
}

/// A hook that can run; others have been left out before.
fn hook(effective: EffectiveHook, by: &Bringers) -> Option<wire::PlugdHook> {
    let EffectiveHook { row, env } = effective;
    let HookRow {
        declaration,
        plugin,
        file: _,
        command,
        enabled,
        hash,
        trust,
    } = row;
    let RunnableHook {
        key,
        event_name,
        matcher,
        file,
        action,
        timeout_sec,
        status_message,
        additional_context_limit,
    } = runnable(declaration, command)?;
    let handler = match action {
        Action::Command { command, is_async } => wire::PlugdHookHandler::Command {
            command,
            env: env.into_iter().collect(),
            is_async,
        },
        Action::McpTool {
            server,
            tool,
            input,
        } => wire::PlugdHookHandler::McpTool {
            server,
            tool,
            input: object(&input),
        },
    };
    let brought = by.of_plugin(&plugin);
    Some(wire::PlugdHook {
        key,
        event_name,
        matcher,
        handler,
        timeout_sec,
        status_message,
        additional_context_limit,
        source_path: file.as_ref().map(shared::path),
        plugin_id: brought.plugin_id,
        plugin_display_name: brought.display_name,
        version: brought.version,
        enabled,
        current_hash: hash.to_string(),
        trust_status: trust_status(trust),
        runs: enabled && trust == HookTrust::Trusted,
    })
}
