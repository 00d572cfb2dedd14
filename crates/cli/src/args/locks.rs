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

pub(super) const EXPORT_HELP: &str = "\
The archive has everything that is needed to install plugins on a machine without a network:
content, marketplace entries and a lock, each with its SHA-256. Without names it has everything that
is installed and switched on. The same home makes the same archive.

Examples:
  plugd export plugins.tar.gz
  plugd export plugins.tar.gz --plugin hello@demo
  plugd export team.tar.gz --lock .agents/plugins/plugins.lock";

pub(super) const IMPORT_HELP: &str = "\
Everything in the archive is compared with what it says of itself before anything changes. Then the
plugins are installed and pinned, all of them or none. Marketplaces are configured and not fetched.

Examples:
  plugd import plugins.tar.gz --dry-run
  plugd import plugins.tar.gz";

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ExportArgs {
    /// The archive to write
    pub(crate) file: PathBuf,
    /// A plugin, as NAME@MARKETPLACE; it may be repeated
    #[arg(long = "plugin", value_name = "ID")]
    pub(crate) plugins: Vec<String>,
    /// A lock whose plugins are meant
    #[arg(long, value_name = "PATH")]
    pub(crate) lock: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// What to import, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ImportArgs {
    /// The archive
    pub(crate) file: PathBuf,
    /// Refuse it unless it has this SHA-256, as the export said it
    #[arg(long, value_name = "DIGITS")]
    pub(crate) sha256: Option<String>,
    /// Win over what a lock or a pin holds
    #[arg(long)]
    pub(crate) switch: bool,
    /// Only tell what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

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
