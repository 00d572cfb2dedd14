//! Which MCP servers of which plugins a host starts or calls, and which lose to another of the same
//! name.
//!
//! 1. A server that the user has configured without a plugin has its name, also when it is switched
//!    off.
//! 2. Between plugins the first by id has it, among those that can work and are switched on; one that
//!    is switched off lets the next one through. When all are switched off the first one is shown.
//! 3. What the configuration lays over a plugin's server counts only for that plugin's.
//! 4. One that the administrator does not allow is off, and that is told.
//!
//! A server whose program leaves its plugin, or whose address is none, is a problem and has no name.

use std::collections::BTreeMap;
use std::time::Duration;

use plugd_components::{
    McpDefinition, McpOauth, McpTransport, Placeholders, Platform, ResolvedMcpServer, Spelling,
    is_startable,
};
use plugd_config::{McpOverlay, Requirements, ServerIdentity, UserMcpServer};
use plugd_disk::Disk;
use plugd_model::{PluginId, Problem, ProblemKind, ToolApproval};

/// A server that a host starts or calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveServer {
    /// The plugin it comes from.
    pub plugin: PluginId,
    /// What to start or to call. Nothing of the user's environment is in it.
    pub resolved: ResolvedMcpServer,
    /// Whether plugin and configuration leave it on.
    pub enabled: bool,
    /// Whether a session without it makes no sense.
    pub required: bool,
    /// How a user signs in, as far as the plugin knows better than the host.
    pub oauth: Option<McpOauth>,
    /// The scopes to ask for at sign-in.
    pub scopes: Vec<String>,
    /// How long the start may take.
    pub startup_timeout: Option<Duration>,
    /// How long one call may take.
    pub tool_timeout: Option<Duration>,
    /// The only tools to offer; `None` means all.
    pub enabled_tools: Option<Vec<String>>,
    /// Tools that are not offered.
    pub disabled_tools: Vec<String>,
    /// Who is asked before a tool runs that has no word of its own.
    pub default_approval: Option<ToolApproval>,
    /// Who is asked before single tools run.
    pub tool_approvals: Vec<(String, ToolApproval)>,
    /// The members of the declaration that are not read here, each with its JSON text.
    pub extra: Vec<(String, String)>,
}

/// A server that is left out because its name is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowedServer {
    /// The name.
    pub name: String,
    /// The plugin whose server it is.
    pub loser: PluginId,
    /// The plugin that has the name; `None` when it is the user's own server.
    pub winner: Option<PluginId>,
}

/// The servers of one plugin with what decides about them.
#[derive(Debug)]
pub(crate) struct PluginServers<'a> {
    pub(crate) id: &'a PluginId,
    /// As declared, each name once.
    pub(crate) definitions: Vec<McpDefinition>,
    /// The directories of a plugin in the Agent Plugins format, and of every other.
    pub(crate) places: Placeholders,
    /// What the configuration lays over them.
    pub(crate) overlays: &'a [McpOverlay],
    /// What the administrator allows.
    pub(crate) requirements: &'a Requirements,
}

/// The outcome for all plugins.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Servers {
    /// By plugin, then name.
    pub(crate) effective: Vec<EffectiveServer>,
    /// By name, then plugin.
    pub(crate) shadowed: Vec<ShadowedServer>,
    pub(crate) problems: Vec<Problem>,
}

/// Finds out what a host starts. The plugins come in the order of their ids.
pub(crate) fn effective_servers(
    disk: &Disk,
    platform: Platform,
    user: &[UserMcpServer],
    plugins: Vec<PluginServers<'_>>,
) -> Servers {
    let mut problems = Vec::new();
    let mut candidates = Vec::new();
    for plugin in plugins {
        problems.extend(unused_overlays(&plugin));
        let PluginServers {
            id,
            definitions,
            places,
            overlays,
            requirements,
        } = plugin;
        for definition in definitions {
            problems.extend(bad_name(&definition));
            match definition.resolved(disk, &places, platform) {
                Ok(mut resolved) => {
                    problems.append(&mut resolved.absent);
                    let overlay = overlays.iter().find(|one| one.server == definition.name);
                    let known_by = [&definition.transport, &resolved.transport].map(identity);
                    let allowed = requirements.allows_server(id, &definition.name, &known_by);
                    let mut server = laid_over(id, definition, resolved, overlay);
                    server.enabled &= allowed.is_ok();
                    problems.extend(allowed.err());
                    candidates.push(server);
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    let (effective, shadowed) = decide(user, candidates);
    Servers {
        effective,
        shadowed,
        problems,
    }
}

/// By what a server is known to the administrator.
fn identity(transport: &McpTransport) -> ServerIdentity {
    match transport {
        McpTransport::Stdio { command, .. } => ServerIdentity::Command(command.clone()),
        McpTransport::Http { url, .. } => ServerIdentity::Url(url.clone()),
    }
}

/// Who has which name. The candidates come in the order of their plugins.
fn decide(
    user: &[UserMcpServer],
    candidates: Vec<EffectiveServer>,
) -> (Vec<EffectiveServer>, Vec<ShadowedServer>) {
    let mut named: BTreeMap<String, Vec<EffectiveServer>> = BTreeMap::new();
    for candidate in candidates {
        let name = candidate.resolved.name.clone();
        named.entry(name).or_default().push(candidate);
    }
    let (mut effective, mut shadowed) = (Vec::new(), Vec::new());
    for (name, mut candidates) in named {
        let is_users = user.iter().any(|server| server.name == name);
        let winner = if is_users {
            None
        } else {
            let on = candidates.iter().position(|candidate| candidate.enabled);
            Some(candidates.remove(on.unwrap_or(0)))
        };
        let of = winner.as_ref().map(|winner| winner.plugin.clone());
        shadowed.extend(candidates.into_iter().map(|loser| ShadowedServer {
            name: name.clone(),
            loser: loser.plugin,
            winner: of.clone(),
        }));
        effective.extend(winner);
    }
    let by_text = |server: &EffectiveServer| {
        let name = server.resolved.name.clone();
        (server.plugin.to_string(), name)
    };
    effective.sort_by_cached_key(by_text);
    (effective, shadowed)
}

fn laid_over(
    id: &PluginId,
    definition: McpDefinition,
    resolved: ResolvedMcpServer,
    overlay: Option<&McpOverlay>,
) -> EffectiveServer {
    let McpDefinition {
        name: _,
        transport: _,
        oauth,
        scopes,
        startup_timeout,
        tool_timeout,
        enabled,
        required,
        enabled_tools,
        disabled_tools,
        default_approval,
        tool_approvals,
        extra,
        spelling: _,
        origin: _,
        json: _,
    } = definition;
    let mut server = EffectiveServer {
        plugin: id.clone(),
        resolved,
        enabled,
        required,
        oauth,
        scopes,
        startup_timeout,
        tool_timeout,
        enabled_tools,
        disabled_tools,
        default_approval,
        tool_approvals,
        extra,
    };
    if let Some(overlay) = overlay {
        let McpOverlay {
            server: _,
            enabled,
            default_tools_approval_mode,
            enabled_tools,
            disabled_tools,
            tools,
            origin: _,
        } = overlay;
        server.enabled = enabled.unwrap_or(server.enabled);
        server.default_approval = default_tools_approval_mode.or(server.default_approval);
        if enabled_tools.is_some() {
            server.enabled_tools.clone_from(enabled_tools);
        }
        if let Some(tools) = disabled_tools {
            server.disabled_tools.clone_from(tools);
        }
        let is_spoken_of = |name: &str| tools.iter().any(|(tool, _)| tool == name);
        let declared = &mut server.tool_approvals;
        declared.retain(|(name, _)| !is_spoken_of(name));
        declared.extend(tools.iter().cloned());
    }
    server
}

/// Configuration that speaks of a server that the plugin does not have: often a typing error, and
/// then something stays on that was to be switched off.
fn unused_overlays(plugin: &PluginServers<'_>) -> Vec<Problem> {
    let is_there = |name: &str| plugin.definitions.iter().any(|one| one.name == name);
    let unused = plugin.overlays.iter().filter(|one| !is_there(&one.server));
    unused
        .map(|overlay| {
            let name = &overlay.server;
            let text = format!(
                "plugin `{}` has no MCP server `{}`, of which the configuration speaks",
                plugin.id,
                name.escape_debug()
            );
            let mut problem = Problem::warning(ProblemKind::UnknownField, text);
            problem.path.clone_from(&overlay.origin.file);
            let field = format!("plugins.\"{}\".mcp_servers.{name}", plugin.id);
            problem.at_field(field)
        })
        .collect()
}

/// Hosts that follow the reference refuse to start a server with such a name. In the other formats
/// the reader of the declarations tells.
fn bad_name(definition: &McpDefinition) -> Option<Problem> {
    let is_told = definition.spelling != Spelling::Portable;
    if is_told || is_startable(&definition.name) {
        return None;
    }
    let text = format!(
        "a server named `{}` cannot start; use ASCII letters, digits and `_:@/.-`",
        definition.name.escape_debug()
    );
    let problem = definition.origin.problem(ProblemKind::BadName, text);
    Some(problem.as_warning())
}

#[cfg(test)]
#[path = "component_servers_tests.rs"]
mod tests;
