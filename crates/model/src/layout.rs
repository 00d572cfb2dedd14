//! Every path that the daemon owns or shares with the reference, in one place.
//!
//! ```text
//! CH/config.toml, CH/plugd.toml              the user's settings
//! CH/plugins/cache/<mp>/<plugin>/<version>/  installed copies, layout of the reference
//! CH/plugins/data/<plugin>-<mp>/             what plugins keep for themselves
//! CH/plugins/.plugd/                         state of our own
//! CH/.tmp/plugins, CH/.tmp/marketplaces      curated snapshot and git marketplaces
//! CH/cache/remote_plugin_catalog             what the hosted catalog said last
//! CH/auth.json                               the login, which another program owns
//! ```

use crate::{AbsPath, MarketplaceName, PackedOrigin, PluginId, VersionSegment};

/// The paths below one home directory (`CH` in the documents).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    home: AbsPath,
    system: AbsPath,
}

impl Layout {
    /// The sidecar that marks a copy as installed from the remote catalog.
    pub const REMOTE_SIDECAR: &'static str = ".codex-remote-plugin-install.json";

    /// Where manifests of marketplaces are looked for below a root, in order.
    pub const MARKETPLACE_MANIFESTS: [&'static str; 4] = [
        ".agents/plugins/marketplace.json",
        ".agents/plugins/api_marketplace.json",
        ".claude-plugin/marketplace.json",
        ".cursor-plugin/marketplace.json",
    ];

    /// The layout of a home directory and of the administrator's directory.
    #[must_use]
    pub fn new(home: AbsPath, system: AbsPath) -> Self {
        Self { home, system }
    }

    /// `CH` itself.
    #[must_use]
    pub fn home(&self) -> &AbsPath {
        &self.home
    }

    /// The administrator's directory, normally `/etc/codex`.
    #[must_use]
    pub fn system(&self) -> &AbsPath {
        &self.system
    }

    /// The user's configuration.
    #[must_use]
    pub fn user_config(&self) -> AbsPath {
        self.home.join("config.toml")
    }

    /// The user's settings of this program only.
    #[must_use]
    pub fn user_plugd_config(&self) -> AbsPath {
        self.home.join("plugd.toml")
    }

    /// The configuration of a selected profile.
    #[must_use]
    pub fn profile_config(&self, profile: &str) -> AbsPath {
        self.home.join(format!("{profile}.config.toml"))
    }

    /// The root of all installed copies.
    #[must_use]
    pub fn cache(&self) -> AbsPath {
        self.home.join("plugins/cache")
    }

    /// The directory of one plugin, which holds its version directories and sidecar.
    #[must_use]
    pub fn plugin_dir(&self, id: &PluginId) -> AbsPath {
        self.cache()
            .join(id.marketplace.as_str())
            .join(id.plugin.as_str())
    }

    /// One installed copy.
    #[must_use]
    pub fn version_dir(&self, id: &PluginId, version: &VersionSegment) -> AbsPath {
        self.plugin_dir(id).join(version.as_str())
    }

    /// Where a plugin keeps its data; the name is the reference's and can collide.
    #[must_use]
    pub fn data_dir(&self, id: &PluginId) -> AbsPath {
        self.home
            .join("plugins/data")
            .join(format!("{}-{}", id.plugin, id.marketplace))
    }

    /// Where the checkouts of git marketplaces lie.
    #[must_use]
    pub fn git_marketplaces(&self) -> AbsPath {
        self.home.join(".tmp/marketplaces")
    }

    /// The checkout of a configured git marketplace.
    #[must_use]
    pub fn git_marketplace(&self, name: &MarketplaceName) -> AbsPath {
        self.git_marketplaces().join(name.as_str())
    }

    /// What a checkout of a git marketplace says of itself, in the format of the reference.
    #[must_use]
    pub fn git_marketplace_note(checkout: &AbsPath) -> AbsPath {
        checkout.join(".codex-marketplace-install.json")
    }

    /// The reference's lock over the places of git marketplaces.
    #[must_use]
    pub fn git_marketplaces_lock(&self) -> AbsPath {
        self.git_marketplaces().join(".staging.lock")
    }

    /// The curated snapshot.
    #[must_use]
    pub fn curated(&self) -> AbsPath {
        self.home.join(".tmp/plugins")
    }

    /// The file that holds the curated snapshot's commit.
    #[must_use]
    pub fn curated_sha(&self) -> AbsPath {
        self.home.join(".tmp/plugins.sha")
    }

    /// The reference's lock over the synchronisation of the curated snapshot.
    #[must_use]
    pub fn curated_lock(&self) -> AbsPath {
        self.home.join(".tmp/plugins.sync.lock")
    }

    /// A marketplace bundled with the reference.
    #[must_use]
    pub fn bundled_marketplace(&self, name: &MarketplaceName) -> AbsPath {
        self.home
            .join(".tmp/bundled-marketplaces")
            .join(name.as_str())
    }

    /// The login. Another program owns it.
    #[must_use]
    pub fn auth(&self) -> AbsPath {
        self.home.join("auth.json")
    }

    /// Directories of the hosted catalog, in the format of the reference.
    #[must_use]
    pub fn catalog_cache(&self) -> AbsPath {
        self.home.join("cache/remote_plugin_catalog")
    }

    /// Which directory on this machine a shared plugin was made from, in the format of the
    /// reference.
    #[must_use]
    pub fn share_paths(&self) -> AbsPath {
        self.home.join(".tmp/plugin-share-local-paths-v1.json")
    }

    /// What a copy says of the hosted catalog: beside its version directory.
    #[must_use]
    pub fn remote_sidecar(&self, id: &PluginId) -> AbsPath {
        self.plugin_dir(id).join(Self::REMOTE_SIDECAR)
    }

    /// State of our own; nothing of ours lies elsewhere below the home.
    #[must_use]
    pub fn state(&self) -> AbsPath {
        self.home.join("plugins/.plugd")
    }

    /// The format number of the whole state directory.
    #[must_use]
    pub fn state_version(&self) -> AbsPath {
        self.state().join("version")
    }

    /// One lock file; `store` and `config` are the two that exist in every home.
    #[must_use]
    pub fn lock(&self, name: &str) -> AbsPath {
        self.state().join("locks").join(name)
    }

    /// Running transactions.
    #[must_use]
    pub fn journals(&self) -> AbsPath {
        self.state().join("journal")
    }

    /// Trees half made, by journal id.
    #[must_use]
    pub fn staging(&self) -> AbsPath {
        self.state().join("staging")
    }

    /// Trees half removed, by journal id.
    #[must_use]
    pub fn trash(&self) -> AbsPath {
        self.state().join("trash")
    }

    /// Provenance of all installed copies.
    #[must_use]
    pub fn records(&self) -> AbsPath {
        self.state().join("installed")
    }

    /// Provenance of one plugin.
    #[must_use]
    pub fn record(&self, id: &PluginId) -> AbsPath {
        self.records()
            .join(id.marketplace.as_str())
            .join(format!("{}.json", id.plugin))
    }

    /// The files of an installed copy, one line each, beside its record.
    #[must_use]
    pub fn file_list(&self, id: &PluginId) -> AbsPath {
        self.records()
            .join(id.marketplace.as_str())
            .join(format!("{}.files", id.plugin))
    }

    /// Kept and leased versions, named by the hex of their tree digest.
    #[must_use]
    pub fn trees(&self) -> AbsPath {
        self.state().join("trees")
    }

    /// Which trees living processes use, one file and one lock for each holder.
    #[must_use]
    pub fn leases(&self) -> AbsPath {
        self.state().join("leases")
    }

    /// Where the marketplaces lie that came as one archive.
    #[must_use]
    pub fn packed_marketplaces(&self) -> AbsPath {
        self.state().join("marketplaces")
    }

    /// What is exchanged as a whole when such a marketplace changes: its files and its note.
    #[must_use]
    pub fn packed_place(&self, name: &MarketplaceName) -> AbsPath {
        self.packed_marketplaces().join(name.as_str())
    }

    /// The files of a marketplace that came as one archive. The path spells the origin.
    #[must_use]
    pub fn packed_marketplace(&self, name: &MarketplaceName, origin: &PackedOrigin) -> AbsPath {
        Self::packed_root(&self.packed_place(name), origin)
    }

    /// The same in a place that is not in its place yet.
    #[must_use]
    pub fn packed_root(place: &AbsPath, origin: &PackedOrigin) -> AbsPath {
        let parts = origin.directories();
        parts.iter().fold(place.clone(), |dir, part| dir.join(part))
    }

    /// What a place says of the archive that it was made from.
    #[must_use]
    pub fn packed_note(place: &AbsPath) -> AbsPath {
        place.join("fetched.json")
    }

    /// Bare git repositories, one per remote repository, named by the hash of its URL.
    #[must_use]
    pub fn mirrors(&self) -> AbsPath {
        self.state().join("mirrors")
    }

    /// The mirror of one repository.
    #[must_use]
    pub fn mirror(&self, hash: &str) -> AbsPath {
        self.mirrors().join(hash)
    }

    /// The lock over one mirror.
    #[must_use]
    pub fn mirror_lock(&self, hash: &str) -> AbsPath {
        self.lock(&format!("mirror-{hash}"))
    }

    /// What plugins held when their hooks were trusted.
    #[must_use]
    pub fn hook_contents(&self) -> AbsPath {
        self.state().join("hooks.json")
    }

    /// What sources held when they were read last.
    #[must_use]
    pub fn known_sources(&self) -> AbsPath {
        self.state().join("sources.json")
    }

    /// What is known of the hosted catalog beyond the reference's files.
    #[must_use]
    pub fn catalog_state(&self) -> AbsPath {
        self.state().join("catalog")
    }

    /// The working trees that stand in for plugins.
    #[must_use]
    pub fn links(&self) -> AbsPath {
        self.state().join("links.json")
    }

    /// What of plugins the user has approved, by its content.
    #[must_use]
    pub fn approvals(&self) -> AbsPath {
        self.state().join("approvals.json")
    }

    /// The last background results.
    #[must_use]
    pub fn status(&self) -> AbsPath {
        self.state().join("status.json")
    }
}
