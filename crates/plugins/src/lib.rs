//! The use cases: list, read, install, uninstall, refresh and their relatives, one file each.
//!
//! A use case gets the parts it uses as arguments; there is no context that holds everything. It
//! speaks values of `model` and of the crates below and knows neither JSON-RPC nor a terminal.
//! Decisions are pure functions, file work runs in one blocking section per phase.

mod binding;
mod blocking;
pub mod call;
mod checkout;
mod compare;
mod configure;
mod content;
mod copies;
mod curated;
mod digests;
mod error;
pub mod events;
mod facts;
mod facts_elsewhere;
mod fetcher;
mod follow;
mod follow_elsewhere;
mod install;
mod installed;
mod list;
mod listing;
mod lookup;
mod marketplace_add;
mod marketplace_remove;
mod marketplace_upgrade;
mod obtain;
mod parts;
mod read;
mod refresh;
mod search;
mod source_text;
mod standing;
mod status;
mod survey;
mod uninstall;

pub use blocking::Blocking;
pub use configure::{ConfigEdit, ConfigWrite, ConfigWritten, read_config, write_config};
pub use copies::Copies;
pub use curated::{CuratedSync, Insistence};
pub use error::{Error, Facts, Kind, WriteRefusal};
pub use fetcher::Fetcher;
pub use install::{Installation, Rebinding, Target, install};
pub use installed::installed;
pub use list::{ListRequest, MarketplaceKind, list};
pub use listing::{ListedMarketplace, Listing, LoadError, ShownInterface, Summary};
pub use lookup::{Lookup, Resolved, Roots, Sight};
pub use marketplace_add::{AddRequest, Added, add_marketplace};
pub use marketplace_remove::{Leftovers, RemoveRequest, Removed, remove_marketplace};
pub use marketplace_upgrade::{History, MarketplaceUpgrade, Moved, Upgraded, upgrade_marketplaces};
pub use parts::{Activity, Parts};
pub use read::{Reading, read};
pub use refresh::Refresher;
pub use search::{Hit, SearchPage, SearchRequest, SearchScope, search};
pub use status::{PluginOutcome, PluginResult, Status, TaskReport, TaskState, status};
pub use uninstall::{Uninstalled, uninstall};

// Values of the crates below that a use case answers; whoever reads the answer needs their names.
pub use plugd_components::{App, HookDeclaration, HookEvent, Skill, SkillInterface};
pub use plugd_config::{
    FlagError, KeyPath, Layer, LayerSource, MarketplaceKind as ConfiguredKind, SessionFlags,
    Snapshot, Warning as ConfigWarning,
};
pub use plugd_marketplace::{Binding, Origin};
