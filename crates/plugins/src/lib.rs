//! The use cases: list, read, install, uninstall, refresh and their relatives, one file each.
//!
//! A use case gets the parts it uses as arguments; there is no context that holds everything. It
//! speaks values of `model` and of the crates below and knows neither JSON-RPC nor a terminal.
//! Decisions are pure functions, file work runs in one blocking section per phase.

mod active;
mod binding;
mod blocking;
pub mod call;
mod checkout;
mod compare;
mod component_leases;
mod component_placing;
mod component_servers;
mod components;
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
mod gc;
mod hook_layers;
mod hook_trust;
mod hook_witnesses;
mod hooks_list;
mod inspect;
mod install;
mod installed;
mod instructions;
mod list;
mod listing;
mod lookup;
mod marketplace_add;
mod marketplace_remove;
mod marketplace_upgrade;
mod mention_text;
mod mentions;
mod mirrors;
mod obtain;
mod offering;
mod one_line;
mod parts;
mod project_dirs;
mod read;
mod refresh;
mod search;
mod skill_read;
mod skill_rules;
mod skill_sources;
mod skill_watch;
mod skills_config_write;
mod skills_list;
mod source_text;
mod standing;
mod status;
mod survey;
mod uninstall;
mod validate;

pub use blocking::Blocking;
pub use component_leases::{Leases, release};
pub use component_servers::{EffectiveServer, ShadowedServer};
pub use components::{
    ComponentPlugin, Components, ComponentsRequest, EffectiveApp, EffectiveHook, EffectiveSkill,
    ShadowedApp, SkillRoot, components,
};
pub use configure::{ConfigEdit, ConfigWrite, ConfigWritten, read_config, write_config};
pub use copies::Copies;
pub use curated::{CuratedSync, Insistence};
pub use error::{Error, Facts, Kind, WriteRefusal};
pub use fetcher::Fetcher;
pub use gc::{Collected, gc};
pub use hook_layers::{HookLayer, LayerHook};
pub use hook_trust::HookTrust;
pub use hooks_list::{HookRow, HooksSeen, hooks};
pub use inspect::{InspectTarget, Inspected, InspectedSide, inspect};
pub use install::{Installation, Rebinding, Target, install};
pub use installed::installed;
pub use instructions::{
    DEFAULT_BUDGET, InstructionBlock, InstructionKind, Instructions, LeftOut, instructions,
};
pub use list::{ListRequest, MarketplaceKind, list};
pub use listing::{ListedMarketplace, Listing, LoadError, ShownInterface, Summary};
pub use lookup::{Lookup, Resolved, Roots, Sight};
pub use marketplace_add::{AddRequest, Added, add_marketplace};
pub use marketplace_remove::{Leftovers, RemoveRequest, Removed, remove_marketplace};
pub use marketplace_upgrade::{History, MarketplaceUpgrade, Moved, Upgraded, upgrade_marketplaces};
pub use mentions::{MentionInput, Mentioned, Mentions, UnknownMention, WhyUnknown, mentions};
pub use mirrors::Mirror;
pub use offering::{GuidanceKind, GuidancePart};
pub use parts::{Activity, Parts};
pub use read::{Reading, read};
pub use refresh::Refresher;
pub use search::{Hit, SearchPage, SearchRequest, SearchScope, search};
pub use skill_read::{SkillHolder, SkillText, read_skill};
pub use skill_sources::ExtraSkillRoots;
pub use skill_watch::SkillWatch;
pub use skills_config_write::{SkillChoice, switch_skill};
pub use skills_list::{SkillRow, SkillsSeen, skills, watch_skills};
pub use status::{PluginOutcome, PluginResult, Status, TaskReport, TaskState, status};
pub use uninstall::{Uninstalled, uninstall};
pub use validate::{Validated, ValidatedKind, Validation, validate};

// Values of the crates below that a use case answers; whoever reads the answer needs their names.
pub use plugd_components::{
    App, Changes, Difference, Executable, ExecutableKind, HiddenClass, HiddenText, HookDeclaration,
    HookEvent, HookHandler, HttpProtocol, InspectedServer, Inspection, LicenceFile, ListedSkill,
    McpDefinition, McpTransport, ModelText, Oddity, OddityKind, Skill, SkillInterface, SkillScope,
    TextKind, ToolDependency,
};
pub use plugd_components::{McpOauth, NeededVariable, ResolvedMcpServer, VariableUse};
pub use plugd_config::ToolApproval;
pub use plugd_config::{
    FlagError, KeyPath, Layer, LayerSource, MarketplaceKind as ConfiguredKind, SessionFlags,
    Snapshot, Warning as ConfigWarning,
};
pub use plugd_marketplace::{Binding, Origin};
pub use plugd_store::{GcReport, GcTree, Unneeded};
