//! What the configuration says about MCP servers: the user's own ones, and what is laid over those
//! of a plugin.
//!
//! What a server is started with is not read here: of the user's servers only the names matter,
//! because they win over those of plugins, and the servers of a plugin are declared by the plugin.
//! A mistake restricts: a row that cannot be understood may have been meant to switch something
//! off, so it does.

use plugd_model::ToolApproval;

use crate::KeyPath;
use crate::key_path::{Child, Field};
use crate::layer::Origin;
use crate::reader::{Reader, Spoiled};
use crate::tree::Node;

/// What the configuration lays over one MCP server of a plugin. What it does not say stays as the
/// plugin declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpOverlay {
    /// The name of the server; the plugin need not have one of that name.
    pub server: String,
    /// Whether the server is switched on; false also for a row that could not be understood.
    pub enabled: Option<bool>,
    /// Who is asked before a tool runs that has no word of its own.
    pub default_tools_approval_mode: Option<ToolApproval>,
    /// The only tools that may be used; an empty list allows none.
    pub enabled_tools: Option<Vec<String>>,
    /// Tools that may not be used, also when they are among the enabled ones.
    pub disabled_tools: Option<Vec<String>>,
    /// Who is asked before single tools run, in the order of the layers and files.
    pub tools: Vec<(String, ToolApproval)>,
    /// The highest layer that speaks of it.
    pub origin: Origin,
}

/// An MCP server that the user configured without any plugin. Its name is taken, whatever else the
/// row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMcpServer {
    /// Its name.
    pub name: String,
    /// Whether it is switched on; false also for a row that could not be understood.
    pub enabled: bool,
    /// The highest layer that speaks of it.
    pub origin: Origin,
}

const OVERLAY_KEYS: [&str; 5] = [
    "enabled",
    "default_tools_approval_mode",
    "enabled_tools",
    "disabled_tools",
    "tools",
];

fn approval(
    reader: &mut Reader<'_>,
    table: &Node,
    field: &KeyPath,
) -> Result<Option<ToolApproval>, Spoiled> {
    let word = reader.word(table, field, &ToolApproval::WORDS)?;
    Ok(word.and_then(|word| ToolApproval::of_word(&word)))
}

/// Reads the user's servers in the order of the layers and files.
pub(crate) fn user_servers(reader: &mut Reader<'_>, merged: &Node) -> Vec<UserMcpServer> {
    let field = KeyPath::of(["mcp_servers"]);
    let rows = reader.table(merged.get("mcp_servers"), &field);
    let rows = rows.unwrap_or_default().iter();
    rows.map(|(name, node)| {
        let field = field.child(name);
        let enabled = match reader.table(Some(node), &field) {
            Ok(_) => reader.flag(node, &field.child("enabled")),
            Err(spoiled) => Err(spoiled),
        };
        UserMcpServer {
            name: name.clone(),
            enabled: enabled.is_ok_and(|flag| flag.unwrap_or(true)),
            origin: reader.stack.origin(node.mark),
        }
    })
    .collect()
}

/// Reads what is laid over the servers of a plugin, in the order of the layers and files.
pub(crate) fn overlays(
    reader: &mut Reader<'_>,
    plugin: &Node,
    field: &dyn Field,
) -> Vec<McpOverlay> {
    // Without a table there is no name of a server that could be switched off.
    let rows = reader.table(plugin.get("mcp_servers"), field);
    let rows = rows.unwrap_or_default().iter();
    rows.map(|(name, node)| {
        let field = Child(field, name).path();
        overlay(reader, name, node, &field).unwrap_or_else(|Spoiled| McpOverlay {
            enabled: Some(false),
            ..McpOverlay::silent(name, reader.stack.origin(node.mark))
        })
    })
    .collect()
}

impl McpOverlay {
    fn silent(server: &str, origin: Origin) -> Self {
        Self {
            server: server.to_owned(),
            enabled: None,
            default_tools_approval_mode: None,
            enabled_tools: None,
            disabled_tools: None,
            tools: Vec::new(),
            origin,
        }
    }
}

fn overlay(
    reader: &mut Reader<'_>,
    server: &str,
    node: &Node,
    field: &KeyPath,
) -> Result<McpOverlay, Spoiled> {
    reader.table(Some(node), field)?;
    reader.unknown(node, field, &OVERLAY_KEYS);
    // All members are read before the first error counts, so that each bad one is reported.
    let enabled = reader.flag(node, &field.child("enabled"));
    let default = field.child("default_tools_approval_mode");
    let default = approval(reader, node, &default);
    let enabled_tools = texts(reader, node, &field.child("enabled_tools"));
    let disabled_tools = texts(reader, node, &field.child("disabled_tools"));
    let tools = tools(reader, node, &field.child("tools"));
    Ok(McpOverlay {
        enabled: enabled?,
        default_tools_approval_mode: default?,
        enabled_tools: enabled_tools?,
        disabled_tools: disabled_tools?,
        tools: tools?,
        ..McpOverlay::silent(server, reader.stack.origin(node.mark))
    })
}

/// A list of strings; one that is absent is not an empty one.
fn texts(
    reader: &mut Reader<'_>,
    table: &Node,
    field: &KeyPath,
) -> Result<Option<Vec<String>>, Spoiled> {
    let is_there = (field.segments().last()).is_some_and(|name| table.get(name).is_some());
    let texts = reader.texts(table, field)?;
    Ok(is_there.then_some(texts))
}

fn tools(
    reader: &mut Reader<'_>,
    overlay: &Node,
    field: &KeyPath,
) -> Result<Vec<(String, ToolApproval)>, Spoiled> {
    let mut tools = Vec::new();
    let mut result = Ok(());
    for (name, node) in reader.table(overlay.get("tools"), field)? {
        let field = field.child(name);
        let approval = match reader.table(Some(node), &field) {
            Ok(_) => approval(reader, node, &field.child("approval_mode")),
            Err(spoiled) => Err(spoiled),
        };
        match approval {
            Ok(approval) => tools.extend(approval.map(|approval| (name.clone(), approval))),
            Err(spoiled) => result = Err(spoiled),
        }
    }
    result.map(|()| tools)
}

#[cfg(test)]
mod tests;
