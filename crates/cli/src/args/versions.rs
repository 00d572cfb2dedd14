//! Commands about the versions of installed plugins.

use clap::{ArgAction, Args, Subcommand};

use super::PluginArgs;

pub(crate) const ADD_HELP: &str = "\
A version, ref or commit that is named is pinned; `plugd plugin pin PLUGIN --none` lets it move
again.

Examples:
  plugd plugin add hello@demo
  plugd plugin add hello@demo --version 1.0.0";

const APPROVE_HELP: &str = "\
A yes is to a content. Without --digest nothing is approved: what would run is shown, and the
command that approves exactly that. Other content asks again.

Examples:
  plugd plugin approve
  plugd plugin approve hello@demo
  plugd plugin approve hello@demo --digest sha256:...
  plugd plugin approve hello@demo --revoke";

const PIN_HELP: &str = "\
Without an option the plugin is held at exactly what is installed. A refresh, an upgrade of its
marketplace and an account leave it alone from then on.

Examples:
  plugd plugin pin hello@demo
  plugd plugin pin hello@demo --none";

const UPDATE_HELP: &str = "\
A pinned plugin stays. With --confirm a plugin that could do more than before stays too, and the
command that brings exactly what was shown is told.

Exit codes:
  0    done; with --dry-run also when there is something to bring
  1    a plugin could not be brought, or waits to be confirmed
  2    the command line cannot be meant

Examples:
  plugd plugin update
  plugd plugin update hello@demo --confirm";

const ROLLBACK_HELP: &str = "\
Nothing is fetched. The version that came back is pinned; `plugd plugin pin PLUGIN --none` lets it
move again.

Examples:
  plugd plugin rollback hello@demo
  plugd plugin rollback hello@demo --to 1.0.0";

/// Commands about versions. They stand below `plugin`.
#[derive(Debug, Subcommand)]
pub(crate) enum VersionCommand {
    /// List the installed versions and those that are kept of before
    #[command(after_help = "Examples:\n  plugd plugin versions hello@demo")]
    Versions(VersionsArgs),
    /// List the plugins whose source has something else; nothing is fetched
    #[command(after_help = "Examples:\n  plugd plugin outdated")]
    Outdated(VersionsArgs),
    /// Bring plugins to what their sources have
    #[command(after_help = UPDATE_HELP)]
    Update(UpdateArgs),
    /// Bring a kept version back, and pin it
    #[command(after_help = ROLLBACK_HELP)]
    Rollback(RollbackArgs),
    /// Say yes to a plugin that `[trust]` holds back, by the digest of what was shown
    #[command(after_help = APPROVE_HELP)]
    Approve(ApproveArgs),
    /// Hold a plugin at what is installed, or let it go again
    #[command(after_help = PIN_HELP)]
    Pin(PinArgs),
}

/// What to say yes to.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ApproveArgs {
    /// The plugin, as NAME@MARKETPLACE; without it, list what is approved and what waits
    pub(crate) plugin: Option<String>,
    /// The digest of what was shown; without it, show what would run
    #[arg(long, requires = "plugin")]
    pub(crate) digest: Option<String>,
    /// Let it come however young its commit is
    #[arg(long, requires = "digest", conflicts_with = "revoke")]
    pub(crate) any_age: bool,
    /// Take approvals back: that of the digest, else all of the plugin
    #[arg(long, requires = "plugin")]
    pub(crate) revoke: bool,
    /// List what is approved and what waits
    #[arg(long, conflicts_with_all = ["plugin"])]
    pub(crate) list: bool,
    /// Only tell what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to install.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct AddPluginArgs {
    #[command(flatten)]
    pub(crate) plugin: PluginArgs,
    #[command(flatten)]
    pub(crate) wish: WishArgs,
}

/// In which version; at most one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[group(multiple = false)]
pub(crate) struct WishArgs {
    /// The version, and pin it
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// The branch or tag of its repository, and pin the commit
    #[arg(long = "ref", value_name = "REF")]
    pub(crate) ref_name: Option<String>,
    /// The commit of its repository, and pin it
    #[arg(long, value_name = "COMMIT")]
    pub(crate) sha: Option<String>,
}

/// Whose versions.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct VersionsArgs {
    /// The plugin, as NAME@MARKETPLACE; without it, all
    pub(crate) plugin: Option<String>,
}

/// What to bring.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct UpdateArgs {
    /// The plugin, as NAME@MARKETPLACE; without it, all
    pub(crate) plugin: Option<String>,
    /// Leave a plugin that could do more than before, and tell what that is
    #[arg(long)]
    pub(crate) confirm: bool,
    /// The digest of a new copy that was left and is to come; may be repeated
    #[arg(long, value_name = "DIGEST", action = ArgAction::Append, requires = "confirm")]
    pub(crate) confirmed: Vec<String>,
    /// Only tell what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to bring back.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct RollbackArgs {
    /// The plugin, as NAME@MARKETPLACE
    pub(crate) plugin: String,
    /// A version, or the beginning of a commit or digest; without it, the one before
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,
    /// Only tell what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to hold.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct PinArgs {
    /// The plugin, as NAME@MARKETPLACE
    pub(crate) plugin: String,
    #[command(flatten)]
    pub(crate) to: PinToArgs,
    /// Only tell what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// To what; at most one.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[group(multiple = false)]
pub(crate) struct PinToArgs {
    /// To the version; its content may change
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// To the commit, or its beginning
    #[arg(long)]
    pub(crate) commit: Option<String>,
    /// To the content, by the beginning of its digest
    #[arg(long)]
    pub(crate) digest: Option<String>,
    /// Remove the pin
    #[arg(long)]
    pub(crate) none: bool,
}
