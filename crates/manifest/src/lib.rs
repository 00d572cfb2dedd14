//! The file formats of marketplaces and plugins: bytes in, a value and its problems with their
//! places out.
//!
//! Invariants:
//! - One bad entry or member never takes its neighbours with it: it becomes a [`Problem`] with
//!   file, member, line and column, and the rest stays usable. Only the Agent Plugins format is
//!   strict, because its specification says so.
//! - Nothing is dropped without a problem.
//! - Input is hostile: size, nesting and the number of problems are bounded before anything is
//!   built from it.
//!
//! What this crate must not do: decide which marketplaces exist, whether a reserved name is
//! allowed, follow a plugin's paths to their targets, or reach the network. It reads files through
//! [`Loader`] only, and the `parse_*` functions touch no disk at all.
//!
//! [`Problem`]: plugd_model::Problem

mod agent_plugins;
mod cache;
mod entry;
mod fallback;
mod git_url;
mod interface;
pub mod json;
mod loader;
mod locate;
#[cfg(test)]
mod mangled_tests;
mod marketplace;
mod places;
mod plugin;
mod policy;
mod pretty;
mod reader;
mod source;
#[cfg(test)]
mod testing;
mod unclaimed;
mod version;
mod vouched;

pub use cache::Cache;
pub use fallback::Fallback;
pub use loader::{Loaded, Loader};
pub use locate::{MARKETPLACE_FILES, MarketplaceSearch, marketplace_root, plugin_file};
pub use marketplace::{MarketplaceEntry, MarketplaceManifest, parse_marketplace};
pub use plugin::parse_plugin;
pub use unclaimed::{Unclaimed, unclaimed};
pub use version::store_version;
pub use vouched::Glance;

/// The largest marketplace manifest that is read.
pub const MAX_MARKETPLACE_BYTES: u64 = 16 * 1024 * 1024;

/// The largest plugin manifest that is read.
pub const MAX_PLUGIN_BYTES: u64 = 1024 * 1024;

/// The deepest nesting of objects and arrays that is read.
pub const MAX_NESTING: usize = 128;
