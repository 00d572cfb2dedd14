//! Which MCP servers of plugins the administrator allows.
//!
//! `[plugins."NAME@MARKETPLACE".mcp_servers.SERVER.identity]` says by its program or address what a
//! server has to be. As soon as one plugin has such a table, no other server of any plugin is
//! allowed. `[mcp_servers]` is the list for servers that no plugin brings; empty, it allows none at
//! all. All of this is as in the reference.

use plugd_model::PluginId;

use crate::KeyPath;
use crate::key_path::{Child, Field};
use crate::reader::{Reader, Spoiled};
use crate::tree::{Kind, Node};

/// By what a server is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerIdentity {
    /// The program that is started, as it is declared.
    Command(String),
    /// The address that is called.
    Url(String),
}

/// Which servers of plugins are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerRules {
    Any,
    Only(Vec<(PluginId, String, ServerIdentity)>),
}

impl ServerRules {
    pub(super) fn read(reader: &mut Reader<'_>, tree: &Node) -> Self {
        match read(reader, tree) {
            Ok(rules) => rules,
            Err(Spoiled) => Self::none(),
        }
    }

    /// Allows nothing.
    pub(super) fn none() -> Self {
        Self::Only(Vec::new())
    }

    pub(super) fn allow(&self, id: &PluginId, name: &str, identities: &[ServerIdentity]) -> bool {
        match self {
            Self::Any => true,
            Self::Only(rows) => rows.iter().any(|(plugin, server, identity)| {
                plugin == id && server == name && identities.contains(identity)
            }),
        }
    }
}

fn read(reader: &mut Reader<'_>, tree: &Node) -> Result<ServerRules, Spoiled> {
    let own = KeyPath::of(["mcp_servers"]);
    let servers = reader.table(tree.get("mcp_servers"), &own)?;
    for (name, row) in servers {
        identity(reader, row, &Child(&own, name))?;
    }
    let allows_none = tree.get("mcp_servers").is_some() && servers.is_empty();
    let field = KeyPath::of(["plugins"]);
    let mut rules = Vec::new();
    let mut is_list = allows_none;
    for (key, plugin) in reader.table(tree.get("plugins"), &field)? {
        let field = Child(&field, key);
        reader.table(Some(plugin), &field)?;
        let Some(servers) = plugin.get("mcp_servers") else {
            continue;
        };
        is_list = true;
        let field = Child(&field, "mcp_servers");
        for (name, row) in reader.table(Some(servers), &field)? {
            let identity = identity(reader, row, &Child(&field, name))?;
            // A plugin that cannot be meant brings no server.
            if let Ok(id) = PluginId::parse(key) {
                rules.push((id, name.clone(), identity));
            }
        }
    }
    Ok(match is_list {
        false => ServerRules::Any,
        true if allows_none => ServerRules::none(),
        true => ServerRules::Only(rules),
    })
}

fn identity(
    reader: &mut Reader<'_>,
    row: &Node,
    field: &dyn Field,
) -> Result<ServerIdentity, Spoiled> {
    reader.table(Some(row), field)?;
    let field = Child(field, "identity");
    let text = |name: &str| match row.get("identity")?.get(name)?.kind {
        Kind::Text(ref text) => Some(text.clone()),
        _ => None,
    };
    let command = text("command").map(ServerIdentity::Command);
    let Some(identity) = command.or_else(|| text("url").map(ServerIdentity::Url)) else {
        let node = row.get("identity").unwrap_or(row);
        return Err(reader.wrong_type(node, &field, "a table with `command` or `url`"));
    };
    Ok(identity)
}
