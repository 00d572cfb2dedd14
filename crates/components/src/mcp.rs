//! MCP servers that a plugin declares.
//!
//! Two formats: `agent` is the strict one of the Agent Plugins specification, `native` the looser
//! one of all other manifests. Both answer an [`McpDefinition`] for each server that could be
//! understood; [`McpDefinition::resolved`] makes of one what a host has to start or to call.
//!
//! Nothing here merges servers with settings, decides which of two plugins wins, or starts anything.

use plugd_disk::Disk;
use plugd_model::{AbsPath, ManifestFormat, McpDeclaration, PluginManifest, Problem, ProblemKind};

use crate::Found;
use crate::item::{Document, take};
use crate::tree::PluginTree;

mod agent;
mod definition;
mod native;
mod refused;
#[cfg(test)]
mod refused_tests;
mod resolve;
#[cfg(test)]
mod resolve_tests;
#[cfg(test)]
mod tests;
mod url;

pub use definition::{HttpProtocol, McpDefinition, McpOauth, McpTransport};
pub use native::is_startable;
pub use resolve::{NeededVariable, ResolvedMcpServer, VariableUse};

/// Where servers are declared when the manifest names nothing else.
const DEFAULT_FILE: &str = ".mcp.json";
/// Where the Agent Plugins format declares them, always.
const AGENT_FILE: &str = "mcp.json";
/// The member of a manifest that holds servers.
const MANIFEST_MEMBER: &str = "mcpServers";
/// The largest file that is read.
const MAX_FILE: u64 = 1024 * 1024;

/// The MCP servers of a plugin with all that they say, sorted by name, each name once. Disabled ones
/// and ones that can never start are among them.
#[must_use]
pub fn mcp_definitions(
    disk: &Disk,
    root: &AbsPath,
    manifest: &PluginManifest,
) -> Found<McpDefinition> {
    let tree = match PluginTree::open(disk, root) {
        Ok(tree) => tree,
        Err(problem) => return Found::only(problem),
    };
    read(&tree, manifest).0.bounded()
}

/// The servers of a plugin, sorted by name, and errors for what nobody here knows beside them.
pub(crate) fn read(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
) -> (Found<McpDefinition>, Vec<Problem>) {
    let mut strays = Vec::new();
    let mut found = declared(tree, manifest, &mut strays).unwrap_or_else(Found::only);
    found.items.sort_by(|a, b| a.name.cmp(&b.name));
    (found, strays)
}

/// The names of [`mcp_definitions`], which is all that reading a plugin shows of them.
#[must_use]
pub fn mcp_server_names(disk: &Disk, root: &AbsPath, manifest: &PluginManifest) -> Found<String> {
    let Found { items, problems } = mcp_definitions(disk, root, manifest);
    Found {
        items: items.into_iter().map(|server| server.name).collect(),
        problems,
    }
}

fn declared(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    strays: &mut Vec<Problem>,
) -> Result<Found<McpDefinition>, Problem> {
    if manifest.format == ManifestFormat::AgentPlugins {
        let file = tree.root().join(AGENT_FILE);
        return match tree.read(&file, MAX_FILE)? {
            Some(text) => agent::servers(tree, &Document::parse_file(&text, &file)?),
            None => Ok(Found::nothing()),
        };
    }
    let (file, is_named) = match &manifest.mcp_servers {
        McpDeclaration::Default => (tree.root().join(DEFAULT_FILE), false),
        McpDeclaration::File(path) => (path.below(tree.root()), true),
        McpDeclaration::Inline(text) => return inline(tree, manifest.format, text, strays),
        McpDeclaration::Nothing => return Ok(Found::nothing()),
    };
    match tree.read(&file, MAX_FILE)? {
        Some(text) => native::servers(&Document::parse_file(&text, &file)?.root(""), strays),
        None if is_named => {
            let text = "the manifest names this file of MCP servers, and it does not exist";
            Err(Problem::warning(ProblemKind::Missing, text).in_file(&file))
        }
        None => Ok(Found::nothing()),
    }
}

/// Reads servers that stand in the manifest: in its file when they are still there, so that problems
/// have their place, else as they were when the manifest was read.
fn inline(
    tree: &PluginTree<'_>,
    format: ManifestFormat,
    text: &str,
    strays: &mut Vec<Problem>,
) -> Result<Found<McpDefinition>, Problem> {
    if let Some((file, content)) = tree.manifest_text(format)
        && let Ok(document) = Document::parse_file(&content, &file)
        && let Ok(members) = document.root("").object(&mut Vec::new())
        && let Some(item) = take(&members, MANIFEST_MEMBER)
        && item.text() == text
    {
        return native::servers(&item, strays);
    }
    let document = Document::parse_inline(text)?;
    native::servers(&document.root(MANIFEST_MEMBER), strays)
}
