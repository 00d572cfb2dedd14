//! The `[plugins]` table and the `[features]` switches.

use plugd_model::{PluginId, Problem, ProblemKind};

use crate::key_path::Child;
use crate::layer::Origin;
use crate::mcp_setting::{self, McpOverlay};
use crate::reader::Reader;
use crate::tree::Node;
use crate::{KeyPath, MarketplaceSetting, Requirements};

/// A plugin that is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginSetting {
    /// The plugin.
    pub id: PluginId,
    /// Whether it is switched on; a row that does not say is on, and one that is forbidden is off.
    pub enabled: bool,
    /// Why the organisation's requirements do not let it be on, where the row says that it is.
    pub forbidden: Option<Problem>,
    /// What is laid over its MCP servers, in the order of the layers and files.
    pub mcp_servers: Vec<McpOverlay>,
    /// The highest layer that speaks of it.
    pub origin: Origin,
}

/// The switches of `[features]` that matter here. Each is on unless the configuration says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Listing, reading and background work.
    pub plugins: bool,
    /// The remote catalog.
    pub remote_plugin: bool,
    /// Sharing plugins through an account.
    pub plugin_sharing: bool,
    /// Hooks of plugins.
    pub hooks: bool,
    /// Apps of plugins.
    pub apps: bool,
}

impl PluginSetting {
    /// Switches it off where the requirements forbid it.
    pub(crate) fn ask(&mut self, requirements: &Requirements, marketplaces: &[MarketplaceSetting]) {
        let name = self.id.marketplace.as_str();
        let asks = || requirements.allows_plugins_of(name, marketplaces).err();
        self.forbidden = self.enabled.then(asks).flatten();
        self.enabled &= self.forbidden.is_none();
    }
}

impl Features {
    /// The names of all of them.
    pub(crate) const NAMES: [&str; 5] = [
        "plugins",
        "remote_plugin",
        "plugin_sharing",
        "hooks",
        "apps",
    ];

    /// The switch with this name.
    pub(crate) fn switch(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "plugins" => Some(&mut self.plugins),
            "remote_plugin" => Some(&mut self.remote_plugin),
            "plugin_sharing" => Some(&mut self.plugin_sharing),
            "hooks" => Some(&mut self.hooks),
            "apps" => Some(&mut self.apps),
            _ => None,
        }
    }
}

/// Reads all plugin rows in the order of the layers and files; a bad one becomes a problem.
pub(crate) fn read(reader: &mut Reader<'_>, merged: &Node) -> Vec<PluginSetting> {
    let field = KeyPath::of(["plugins"]);
    let Ok(rows) = reader.table(merged.get("plugins"), &field) else {
        return Vec::new();
    };
    let mut settings = Vec::new();
    for (key, node) in rows {
        let field = Child(&field, key);
        if reader.table(Some(node), &field).is_err() {
            continue;
        }
        let enabled = reader.flag(node, &Child(&field, "enabled"));
        let mcp_servers = mcp_setting::overlays(reader, node, &Child(&field, "mcp_servers"));
        let id = match PluginId::parse(key) {
            Ok(id) => id,
            Err(error) => {
                reader.warning(ProblemKind::BadName, node.mark, &field, error.to_string());
                continue;
            }
        };
        if let Ok(enabled) = enabled {
            settings.push(PluginSetting {
                id,
                enabled: enabled.unwrap_or(true),
                forbidden: None,
                mcp_servers,
                origin: reader.stack.origin(node.mark),
            });
        }
    }
    settings
}

/// Reads the switches; one of a wrong type is reported and counts as not set.
pub(crate) fn read_features(reader: &mut Reader<'_>, merged: &Node) -> Features {
    let field = KeyPath::of(["features"]);
    let empty = Node::empty(merged.mark.source);
    let table = match reader.table(merged.get("features"), &field) {
        Ok(_) => merged.get("features").unwrap_or(&empty),
        Err(_) => &empty,
    };
    let mut switch = |name: &str| {
        let flag = reader.flag(table, &field.child(name));
        flag.ok().flatten().unwrap_or(true)
    };
    Features {
        plugins: switch("plugins"),
        remote_plugin: switch("remote_plugin"),
        plugin_sharing: switch("plugin_sharing"),
        hooks: switch("hooks"),
        apps: switch("apps"),
    }
}
