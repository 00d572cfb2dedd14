//! The methods: one file each, holding two conversions and one call.
//!
//! A handler decides nothing. What it cannot convert is a params error with the member's name; what
//! the use case refuses is mapped in `error_map`.

use std::sync::Arc;

use plugd_protocol::methods;

use crate::context::Context;
use crate::method_table::{Dispatcher, MethodTable, RegisteredTwice};

mod config_batch_write;
mod config_read;
mod config_requirements_read;
mod config_value_write;
mod hook;
mod hooks_list;
mod initialize;
mod marketplace_add;
mod marketplace_remove;
mod marketplace_upgrade;
pub(crate) mod plugd_approve;
mod plugd_components;
mod plugd_export;
mod plugd_gc;
mod plugd_import;
mod plugd_inspect;
mod plugd_instructions;
mod plugd_link;
mod plugd_lock;
mod plugd_mcp_server;
mod plugd_mentions;
mod plugd_outdated;
mod plugd_pin;
mod plugd_release;
mod plugd_rollback;
mod plugd_status;
mod plugd_sync;
mod plugd_update;
mod plugd_verify;
mod plugd_versions;
mod plugin_install;
mod plugin_installed;
mod plugin_list;
mod plugin_read;
mod plugin_reconcile;
mod plugin_search;
mod plugin_share;
mod plugin_share_checkout;
mod plugin_share_delete;
mod plugin_share_list;
mod plugin_share_save;
mod plugin_share_update_targets;
mod plugin_skill_read;
mod plugin_uninstall;
mod remote_row;
mod rpc_discover;
pub(crate) mod shared;
mod skills_config_write;
mod skills_extra_roots_set;
mod skills_list;
mod versions_shared;

pub use marketplace_upgrade::upgrade_reply;
pub use plugd_gc::gc_reply;
pub use plugd_verify::verify_reply;

/// Every method that is built. `shutdown` belongs to the connection and is not here.
///
/// # Errors
/// Two handlers claim one name, which is a fault of ours.
pub(crate) fn table(context: Arc<Context>) -> Result<Dispatcher, RegisteredTwice> {
    let mut table = MethodTable::new(context);
    table.register::<methods::Initialize, _, _>(initialize::handle)?;
    table.register::<methods::PluginList, _, _>(plugin_list::handle)?;
    table.register::<methods::PluginInstalled, _, _>(plugin_installed::handle)?;
    table.register::<methods::PluginSearch, _, _>(plugin_search::handle)?;
    table.register::<methods::PluginRead, _, _>(plugin_read::handle)?;
    table.register::<methods::PluginInstall, _, _>(plugin_install::handle)?;
    table.register::<methods::PluginUninstall, _, _>(plugin_uninstall::handle)?;
    table.register::<methods::PluginReconcile, _, _>(plugin_reconcile::handle)?;
    table.register::<methods::PluginShareSave, _, _>(plugin_share_save::handle)?;
    table
        .register::<methods::PluginShareUpdateTargets, _, _>(plugin_share_update_targets::handle)?;
    table.register::<methods::PluginShareList, _, _>(plugin_share_list::handle)?;
    table.register::<methods::PluginShareCheckout, _, _>(plugin_share_checkout::handle)?;
    table.register::<methods::PluginShareDelete, _, _>(plugin_share_delete::handle)?;
    table.register::<methods::MarketplaceAdd, _, _>(marketplace_add::handle)?;
    table.register::<methods::MarketplaceRemove, _, _>(marketplace_remove::handle)?;
    table.register::<methods::MarketplaceUpgrade, _, _>(marketplace_upgrade::handle)?;
    table.register::<methods::PluginSkillRead, _, _>(plugin_skill_read::handle)?;
    table.register::<methods::SkillsList, _, _>(skills_list::handle)?;
    table.register::<methods::SkillsConfigWrite, _, _>(skills_config_write::handle)?;
    table.register::<methods::SkillsExtraRootsSet, _, _>(skills_extra_roots_set::handle)?;
    table.register::<methods::HooksList, _, _>(hooks_list::handle)?;
    table.register::<methods::ConfigRead, _, _>(config_read::handle)?;
    table.register::<methods::ConfigValueWrite, _, _>(config_value_write::handle)?;
    table.register::<methods::ConfigBatchWrite, _, _>(config_batch_write::handle)?;
    table.register::<methods::ConfigRequirementsRead, _, _>(config_requirements_read::handle)?;
    table.register::<methods::PlugdInspect, _, _>(plugd_inspect::handle)?;
    table.register::<methods::PlugdComponents, _, _>(plugd_components::handle)?;
    table.register::<methods::PlugdRelease, _, _>(plugd_release::handle)?;
    table.register::<methods::PlugdGc, _, _>(plugd_gc::handle)?;
    table.register::<methods::PlugdVerify, _, _>(plugd_verify::handle)?;
    table.register::<methods::PlugdVersions, _, _>(plugd_versions::handle)?;
    table.register::<methods::PlugdOutdated, _, _>(plugd_outdated::handle)?;
    table.register::<methods::PlugdUpdate, _, _>(plugd_update::handle)?;
    table.register::<methods::PlugdPin, _, _>(plugd_pin::handle)?;
    table.register::<methods::PlugdApprove, _, _>(plugd_approve::handle)?;
    table.register::<methods::PlugdRollback, _, _>(plugd_rollback::handle)?;
    table.register::<methods::PlugdLink, _, _>(plugd_link::link)?;
    table.register::<methods::PlugdUnlink, _, _>(plugd_link::unlink)?;
    table.register::<methods::PlugdMentions, _, _>(plugd_mentions::handle)?;
    table.register::<methods::PlugdInstructions, _, _>(plugd_instructions::handle)?;
    table.register::<methods::PlugdLock, _, _>(plugd_lock::handle)?;
    table.register::<methods::PlugdSync, _, _>(plugd_sync::handle)?;
    table.register::<methods::PlugdExport, _, _>(plugd_export::handle)?;
    table.register::<methods::PlugdImport, _, _>(plugd_import::handle)?;
    table.register::<methods::PlugdStatus, _, _>(plugd_status::handle)?;
    table.register::<methods::RpcDiscover, _, _>(rpc_discover::handle)?;
    Ok(table.finish())
}
