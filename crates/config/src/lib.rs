//! Configuration: the layers it is made of, what they mean together, and edits of the user's own.
//!
//! Reading ([`load`], and [`Recent`] for who does it again and again) merges the layers into a
//! [`Snapshot`] that never changes and remembers where each value comes from. It cannot fail as a whole: a broken file or row is a problem beside what
//! could be read. Writing ([`write`](write())) changes nothing but the bytes of the edited key, and
//! is refused rather than made on a file that cannot be understood.
//!
//! Invariants:
//! - A layer of an untrusted project is shown and changes nothing. No project switches skills,
//!   trusts hooks, or says where a login is kept or sent to.
//! - A mistake in the requirements or in what is trusted restricts; it never opens.
//! - Only the user's `config.toml` and `plugd.toml` are ever written, under the lock `config`.
//! - An edit that is undone leaves the bytes that were there before.
//!
//! This crate does not decide which marketplaces exist or which plugin is active; it says what the
//! configuration says.

mod checkout;
mod edit;
mod encode;
mod files;
mod flags;
mod foreign_keys;
pub mod git_url;
mod hook_setting;
mod key_path;
mod layer;
mod marketplace_setting;
mod mcp_setting;
mod parsed;
mod personal;
mod plugin_setting;
mod project;
mod reader;
mod recent;
mod remote_setting;
mod requirements;
mod settings;
mod skill_setting;
mod snapshot;
mod swap;
mod tree;
mod trust;
mod undo;
mod warning;
mod write;

pub use edit::{Edit, Merge};
pub use files::managed as managed_config;
pub use flags::{FlagError, SessionFlags};
pub use hook_setting::HookState;
pub use key_path::{KeyPath, KeyPathError};
pub use layer::{HookPlace, Layer, LayerSource, Origin};
pub use marketplace_setting::{MarketplaceKind, MarketplaceSetting};
pub use mcp_setting::{McpOverlay, UserMcpServer};
pub use parsed::LastEdit;
pub use plugin_setting::{Features, PluginSetting};
pub use recent::Recent;
pub use remote_setting::{CredentialStore, RemoteSettings};
pub use requirements::{CURATED_URL, Requirements, ServerIdentity};
pub use settings::{GitBackend, Settings};
pub use skill_setting::{SkillRule, SkillSelector};
pub use snapshot::{Snapshot, load};
pub use trust::{TrustHold, TrustRule, TrustTier, TrustedPlace};
pub use undo::{UndoRecord, UndoRecordError, Undone, is_made, undo};
pub use warning::Warning;
pub use write::{
    PendingWrite, Plan, SavedEdit, WriteError, Written, begin, check_file, left_overs, plan, write,
};
