//! MCP servers that a plugin declares.
//!
//! Two formats: `agent` is the strict one of the Agent Plugins specification, `native` the looser
//! one of all other manifests. Both answer servers that could be understood, each with its JSON as
//! it stands in the file; what is expanded, merged with settings or started is not decided here.

use plugd_disk::Disk;
use plugd_model::{AbsPath, ManifestFormat, McpDeclaration, PluginManifest, Problem, ProblemKind};

use crate::Found;
use crate::item::Document;
use crate::tree::PluginTree;

mod agent;
mod native;
#[cfg(test)]
mod tests;
mod url;

/// Where servers are declared when the manifest names nothing else.
const DEFAULT_FILE: &str = ".mcp.json";
/// Where the Agent Plugins format declares them, always.
const AGENT_FILE: &str = "mcp.json";
/// The largest file that is read.
const MAX_FILE: u64 = 1024 * 1024;

/// A declared server that could be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServer {
    /// Its name; any text, also one that can never start.
    pub name: String,
    /// Its JSON object, as written.
    pub json: String,
}

/// The MCP servers of a plugin, sorted by name, each name once.
#[must_use]
pub fn mcp_servers(disk: &Disk, root: &AbsPath, manifest: &PluginManifest) -> Found<McpServer> {
    let tree = match PluginTree::open(disk, root) {
        Ok(tree) => tree,
        Err(problem) => return Found::only(problem),
    };
    let mut found = match read(&tree, manifest) {
        Ok(found) => found,
        Err(problem) => return Found::only(problem),
    };
    found.items.sort_by(|a, b| a.name.cmp(&b.name));
    found.bounded()
}

/// The names of [`mcp_servers`], which is all that reading a plugin shows of them.
#[must_use]
pub fn mcp_server_names(disk: &Disk, root: &AbsPath, manifest: &PluginManifest) -> Found<String> {
    let servers = mcp_servers(disk, root, manifest);
    Found {
        items: servers
            .items
            .into_iter()
            .map(|server| server.name)
            .collect(),
        problems: servers.problems,
    }
}

fn read(tree: &PluginTree<'_>, manifest: &PluginManifest) -> Result<Found<McpServer>, Problem> {
    if manifest.format == ManifestFormat::AgentPlugins {
        let file = tree.root().join(AGENT_FILE);
        return match tree.read(&file, MAX_FILE)? {
            Some(text) => agent::servers(tree, &Document::parse_file(&text, &file)?),
            None => Ok(Found::nothing()),
        };
    }
    let (file, declared) = match &manifest.mcp_servers {
        McpDeclaration::Default => (tree.root().join(DEFAULT_FILE), false),
        McpDeclaration::File(path) => (path.below(tree.root()), true),
        McpDeclaration::Inline(text) => {
            return native::servers(&Document::parse_inline(text)?.root("mcpServers"));
        }
        McpDeclaration::Nothing => return Ok(Found::nothing()),
    };
    match tree.read(&file, MAX_FILE)? {
        Some(text) => native::servers(&Document::parse_file(&text, &file)?.root("")),
        None if declared => {
            let text = "the manifest names this file of MCP servers, and it does not exist";
            Err(Problem::warning(ProblemKind::Missing, text).in_file(&file))
        }
        None => Ok(Found::nothing()),
    }
}
