//! Commands about a project's lock.

use std::path::PathBuf;

use clap::Args;

pub(super) const LOCK_HELP: &str = "\
The lock of a project is `.agents/plugins/plugins.lock`, to be committed with it. Without names it
becomes everything that is installed and switched on for this directory; with names, only those
blocks change.

Examples:
  plugd lock
  plugd lock hello@demo";

pub(super) const SYNC_HELP: &str = "\
Marketplaces are added, plugins installed or moved to what the lock names, compared by digest, and
pinned there. Nothing changes unless all of it can be had. Other plugins of the home stay as they
are.

Exit codes:
  0    the home matches the lock
  1    it does not, or could not be made to
  2    the command line cannot be meant

Examples:
  plugd sync
  plugd sync --frozen";

/// What to lock.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct LockArgs {
    /// The plugins whose blocks change, as NAME@MARKETPLACE
    pub(crate) plugins: Vec<String>,
    /// Another file than the project's
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    /// Only tell what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to follow, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct SyncArgs {
    /// Change nothing, and fail when something would have to change
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) frozen: bool,
    /// Ask no other machine
    #[arg(long)]
    pub(crate) offline: bool,
    /// Win over what another lock or a pin holds
    #[arg(long)]
    pub(crate) switch: bool,
    /// Another file than the project's
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    /// Only tell what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}
