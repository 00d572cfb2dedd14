//! Commands for authors of plugins and marketplaces: `plugd new`, `plugd link` and `plugd unlink`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) const LINK_HELP: &str = "\
The directory is used where it lies: nothing is copied, written there or put
into config.toml. Programs that share the home without asking this one go on
with the installed copy.

Examples:
  plugd link ./my-plugin
  plugd link . --plugin hello@demo --dry-run";

/// What to begin.
#[derive(Debug, Subcommand)]
pub(crate) enum NewCommand {
    /// Begin a plugin with a skill, in a new directory of its name
    #[command(after_help = "Examples:\n  plugd new plugin my-plugin --dir ./plugins")]
    Plugin(NewArgs),
    /// Begin a marketplace with a plugin, in a new directory of its name
    #[command(after_help = "Examples:\n  plugd new marketplace my-market")]
    Marketplace(NewArgs),
    /// Begin a skill among those of the plugin in the directory
    #[command(after_help = "Examples:\n  plugd new skill my-skill --dir ./my-plugin")]
    Skill(NewArgs),
}

/// Its name and place.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct NewArgs {
    /// The name: lower-case letters, digits and hyphens
    pub(crate) name: String,
    /// Where to make it, instead of the current directory; for a skill, the plugin
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

/// What to link.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct LinkArgs {
    /// The directory of the plugin
    pub(crate) path: PathBuf,
    /// The plugin it stands in for, as NAME@MARKETPLACE
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: Option<String>,
    /// Only tell what would be linked
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Which link to end.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct UnlinkArgs {
    /// The plugin, as NAME@MARKETPLACE, or its directory
    #[arg(value_name = "PLUGIN|PATH")]
    pub(crate) what: PathBuf,
    /// Only tell what would end
    #[arg(long)]
    pub(crate) dry_run: bool,
}
