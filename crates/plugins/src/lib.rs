//! The use cases: list, read, install, uninstall, refresh and their relatives, one file each.
//!
//! A use case gets the parts it uses as arguments; there is no context that holds everything. It
//! speaks values of `model` and of the crates below and knows neither JSON-RPC nor a terminal.
//! Decisions are pure functions, file work runs in one blocking section per phase.

mod activations;
mod active;
mod adopt;
mod ahead;
mod answers;
mod approvals;
mod approve;
mod archive_error;
mod archive_index;
mod archive_read;
mod archives;
mod asked_of_late;
mod behind;
mod binding;
mod blocking;
mod bound_source;
mod broken_config;
pub mod call;
mod change_watch;
mod checkout;
mod claims;
mod compare;
mod component_kinds;
mod component_leases;
mod component_placing;
mod component_servers;
mod component_trust;
mod components;
mod configure;
mod content;
mod copies;
#[cfg(test)]
mod cost_tests;
mod curated;
mod curated_commit;
mod curated_now;
mod curated_state;
mod details;
mod differing;
mod doctor;
mod doctor_home;
mod doctor_look;
mod doctor_store;
mod doctor_trust;
mod error;
mod error_from;
mod error_kinds;
mod error_terms;
pub mod events;
mod export;
mod export_stage;
mod facts;
mod facts_elsewhere;
mod fetcher;
#[cfg(test)]
mod fixture;
mod follow;
mod follow_elsewhere;
mod follow_together;
mod gathering;
mod gc;
mod gc_loose;
mod gc_named;
mod hidden_by_config;
mod hook_layers;
mod hook_trust;
mod hook_witnesses;
mod hooks_list;
mod in_time;
mod inspect;
mod install;
mod install_job;
mod install_offer;
mod install_trust;
mod install_why;
mod install_wish;
mod installed;
mod instructions;
mod last_run;
mod link;
mod link_error;
mod linked_rows;
mod links;
mod list;
mod listing;
mod lock;
mod lock_apply;
mod lock_content;
mod lock_error;
mod lock_file;
mod lock_held;
mod lock_of_home;
mod lock_offered;
mod lock_plan;
mod lock_stage;
mod lock_sync;
mod lock_undo;
mod login_refresh;
mod login_status;
mod lookup;
mod lost_commands;
mod marketplace_add;
mod marketplace_remove;
mod marketplace_upgrade;
mod mention_text;
mod mentions;
mod mirrors;
mod observed;
mod obtain;
mod offering;
mod one_line;
mod packed;
mod packed_add;
mod packed_upgrade;
mod parts;
mod pin;
mod plugin_watch;
mod project_dirs;
mod queue;
mod read;
mod read_linked;
mod reading;
mod refresh;
mod refresh_far;
mod refresh_look;
mod refresh_rest;
mod remote;
mod remote_apps;
mod remote_bundle;
mod remote_error;
mod remote_gate;
mod remote_groups;
mod remote_install;
mod remote_known;
mod remote_listing;
mod remote_login;
mod remote_names;
mod remote_plan;
mod remote_read;
mod remote_resting;
mod remote_row;
mod remote_run;
mod remote_search;
mod remote_skill_read;
mod remote_sync;
mod remote_tell;
mod remote_uninstall;
mod remote_wish;
mod remote_words;
mod removals;
mod rollback;
mod rows;
mod scaffold;
mod scaffold_error;
mod search;
mod share_checkout;
mod share_delete;
mod share_error;
mod share_home;
mod share_list;
mod share_place;
mod share_save;
mod share_targets;
mod shared_ids;
mod sharing;
mod skill_read;
mod skill_rules;
mod skill_sources;
mod skill_watch;
mod skills_config_write;
mod skills_list;
mod source_text;
mod standing;
mod state_file;
mod status;
mod survey;
mod take_place;
mod trust;
mod trust_error;
mod trust_gate;
mod uninstall;
mod update;
mod update_mode;
mod update_remote;
mod upgrade_rows;
mod validate;
mod validate_marketplace;
mod verify;
mod version_change;
mod version_error;
mod version_growth;
mod version_step;
mod version_subject;
mod versions;
mod waits;
mod watched_places;

pub use approvals::Approval;
pub use approve::{
    ApprovalChange, ApproveAction, ApproveRequest, ApproveTarget, Approving, approvals, approve,
    approve_shown,
};
pub use archive_error::ArchiveError;
pub use blocking::Blocking;
pub use change_watch::ChangeWatch;
pub use component_kinds::ComponentKinds;
pub use component_leases::{Leases, release};
pub use component_servers::{EffectiveServer, ShadowedServer};
pub use component_trust::HeldCopy;
pub use components::{
    ComponentPlugin, Components, ComponentsRequest, EffectiveApp, EffectiveHook, EffectiveSkill,
    ShadowedApp, SkillRoot, components,
};
pub use configure::{ConfigEdit, ConfigWrite, ConfigWritten, read_config, write_config};
pub use copies::Copies;
pub use curated::{CuratedSync, Insistence};
pub use differing::{CopyMark, Differing};
pub use doctor::{Area, Check, Diagnosis, Finding};
pub use doctor_look::doctor;
pub use error::Error;
pub use error_terms::{Facts, Kind, WriteRefusal};
pub use export::{ExportRequest, Exported, ExportedPlugin, export};
pub use fetcher::Fetcher;
pub use gc::{Collected, GcChange, GcKind, GcReason, GcTotal, gc};
pub use hook_layers::{HookLayer, LayerHook};
pub use hook_trust::HookTrust;
pub use hooks_list::{HookRow, HooksSeen, hooks};
pub use inspect::{InspectDepth, InspectTarget, Inspected, InspectedSide, inspect, inspect_remote};
pub use install::{Installation, Rebinding, Target, install};
pub use install_trust::TrustSeen;
pub use install_wish::Wish;
pub use installed::installed;
pub use instructions::{
    DEFAULT_BUDGET, InstructionBlock, InstructionKind, Instructions, LeftOut, instructions,
};
pub use link::{LinkChange, LinkReason, LinkRequest, Linked, Unlink, link, unlink};
pub use link_error::LinkError;
pub use list::{ListRequest, MarketplaceKind, list};
pub use listing::{ListedMarketplace, Listing, LoadError, ShownInterface, Summary};
pub use lock::{LockChange, LockReason, LockRequest, LockSubject, Locked, lock};
pub use lock_error::LockError;
pub use lock_sync::{
    ImportRequest, Imported, SyncChange, SyncReason, SyncRequest, Synced, import, sync_lock,
};
pub use login_status::{LoginBy, LoginReport, login_status};
pub use lookup::{Lookup, Resolved, Roots, Sight};
pub use marketplace_add::{AddRequest, Added, add_marketplace};
pub use marketplace_remove::{Leftovers, RemoveRequest, Removed, remove_marketplace};
pub use marketplace_upgrade::{History, MarketplaceUpgrade, Moved, Upgraded, upgrade_marketplaces};
pub use mentions::{MentionInput, Mentioned, Mentions, UnknownMention, WhyUnknown, mentions};
pub use mirrors::Mirror;
pub use offering::{GuidanceKind, GuidancePart};
pub use parts::{Activity, Parts, Sweeping};
pub use pin::{PinTo, pin};
pub use plugin_watch::PluginWatch;
pub use read::read;
pub use read_linked::read_linked;
pub use reading::{ReadSkill, ReadSkillInterface, Reading};
pub use refresh::Refresher;
pub use remote::Remote;
pub use remote_apps::RemoteApp;
pub use remote_error::RemoteError;
pub use remote_install::{RemoteInstallation, install_remote};
pub use remote_names::RemoteTarget;
pub use remote_read::{find_remote, read_remote};
pub use remote_row::{PictureUrls, RemoteRow, ShareContext};
pub use remote_run::Reconciled;
pub use remote_skill_read::read_remote_skill;
pub use remote_sync::RemoteSync;
pub use rollback::rollback;
pub use rows::ListedPlugin;
pub use scaffold::{Scaffold, ScaffoldKind, scaffold};
pub use scaffold_error::ScaffoldError;
pub use search::{Hit, SearchCursor, SearchPage, SearchRequest, SearchScope, search};
pub use share_checkout::{CheckedOut, checkout_share};
pub use share_delete::delete_share;
pub use share_error::ShareError;
pub use share_list::{ShareRow, Shares, shares};
pub use share_save::{SaveRequest, Saved, save_share};
pub use share_targets::update_share_targets;
pub use skill_read::{SkillHolder, SkillText, read_skill};
pub use skill_sources::ExtraSkillRoots;
pub use skill_watch::SkillWatch;
pub use skills_config_write::{SkillChoice, switch_skill};
pub use skills_list::{SkillRow, SkillsSeen, skills, watch_skills};
pub use status::{PluginOutcome, PluginResult, Status, TaskReport, TaskState, status};
pub use trust::{TrustReason, Verdict};
pub use trust_error::{ApproveError, TrustFacts, TrustRefusal};
pub use uninstall::{Uninstalled, uninstall};
pub use update::{outdated, update};
pub use update_mode::{Confirm, UpdateRequest};
pub use validate::{Validated, ValidatedKind, Validation, validate};
pub use verify::{Verified, VerifiedCopy, verify};
pub use version_change::{VersionChange, VersionChanges, VersionName, VersionReason};
pub use version_error::VersionRefusal;
pub use version_growth::{Grown, Growth};
pub use versions::{PluginVersions, VersionRow, Versions, versions};
pub use waits::Waits;

// Values of the crates below that a use case answers; whoever reads the answer needs their names.
pub use plugd_catalog::{
    AppTemplate, Availability, Catalog, DisabledReason, InstallPolicySource, LoginMode, Principal,
    PrincipalKind, PrincipalRole, Schedule, ScheduledTask, ShareState, ShareTarget, TargetRole,
    TemplateReason, Weekday,
};
pub use plugd_components::{
    App, Category, Changes, Difference, Executable, ExecutableKind, HiddenClass, HiddenText,
    HookDeclaration, HookEvent, HookHandler, HttpProtocol, InspectedServer, Inspection,
    LicenceFile, ListedSkill, McpDefinition, McpTransport, ModelText, Oddity, OddityKind, Skill,
    SkillInterface, SkillScope, TextKind, ToolDependency,
};
pub use plugd_components::{McpOauth, NeededVariable, ResolvedMcpServer, VariableUse};
pub use plugd_config::TrustHold;
pub use plugd_config::{
    FlagError, KeyPath, Layer, LayerSource, MarketplaceKind as ConfiguredKind, Requirements,
    SessionFlags, Snapshot, Warning as ConfigWarning,
};
pub use plugd_disk::tree::Digest;
pub use plugd_fetch::{LeftOut as NotPacked, Why as WhyNotPacked};
pub use plugd_marketplace::{Binding, Origin};
pub use plugd_store::{
    Before, BoundSource, GcReport, GcTree, InstalledBy, Origin as VersionOrigin, Pin,
    Size as GcSize, Unneeded, VerifyReport,
};
