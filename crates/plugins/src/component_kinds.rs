//! Of which kinds an installed plugin has components: what a host has to load anew when it changes.

use std::ops::BitOr;

use plugd_components::{apps, hooks, mcp_server_names, skills};
use plugd_store::Installed;

use crate::Lookup;
use crate::active::manifest_of;

/// The kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComponentKinds {
    /// MCP servers.
    pub mcps: bool,
    /// Apps.
    pub apps: bool,
    /// Hooks.
    pub hooks: bool,
    /// Skills.
    pub skills: bool,
}

impl BitOr for ComponentKinds {
    type Output = Self;

    /// What either has.
    fn bitor(self, other: Self) -> Self {
        Self {
            mcps: self.mcps || other.mcps,
            apps: self.apps || other.apps,
            hooks: self.hooks || other.hooks,
            skills: self.skills || other.skills,
        }
    }
}

/// What a copy declares. Of one that cannot be read there is nothing to load.
pub(crate) fn kinds_of(lookup: &Lookup, copy: &Installed) -> ComponentKinds {
    let Ok(manifest) = manifest_of(lookup.loader(), copy) else {
        return ComponentKinds::default();
    };
    let (disk, root, manifest) = (lookup.disk(), &copy.root, &manifest.value);
    ComponentKinds {
        mcps: !mcp_server_names(disk, root, manifest).items.is_empty(),
        apps: !apps(disk, root, manifest).items.is_empty(),
        hooks: !hooks(disk, root, manifest, &copy.id).items.is_empty(),
        skills: !skills(disk, root, manifest).items.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::ComponentKinds;

    #[test]
    fn either_side_counts() {
        let old = ComponentKinds {
            mcps: true,
            ..ComponentKinds::default()
        };
        let new = ComponentKinds {
            skills: true,
            ..ComponentKinds::default()
        };
        let both = ComponentKinds {
            mcps: true,
            skills: true,
            ..ComponentKinds::default()
        };
        assert_eq!(old | new, both);
    }
}
