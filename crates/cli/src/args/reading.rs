//! The grammar of commands that ask and change nothing but the configuration: searching, what a host
//! loads, skills, hooks and the configuration itself.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct SearchArgs {
    /// Words in names, display names and keywords
    pub(crate) text: String,
    /// At most this many
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<u32>,
    /// Go on where the answer before ended, by its `nextCursor`
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// Only a part of what there is
    #[arg(long)]
    pub(crate) scope: Option<Scope>,
}

/// A part of what there is to find, here and in the remote catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// What is for everybody: the curated marketplaces
    Global,
    /// What the account's workspace has in the remote catalog
    Workspace,
    /// All others: your own marketplaces, and what the account has made or was given
    Personal,
}

impl Scope {
    /// The word of the protocol.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Workspace => "workspace",
            Self::Personal => "personal",
        }
    }
}

/// Which skill of which plugin.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct SkillArgs {
    /// The plugin with its marketplace
    #[arg(value_name = "PLUGIN@MARKETPLACE")]
    pub(crate) plugin: String,
    /// The skill
    pub(crate) skill: String,
}

/// From which directory to look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct PlaceArgs {
    /// Look from this directory [default: the working directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
}

/// Commands about skills.
#[derive(Debug, Subcommand)]
pub(crate) enum SkillsCommand {
    /// List the skills of a directory, of the user, of installed plugins and of the system
    #[command(after_help = "\
Examples:
  plugd skills list
  plugd skills list --cwd ./project --json")]
    List(PlaceArgs),
    /// Switch a skill on in the user's configuration
    #[command(after_help = "Examples:\n  plugd skills enable hello:greet")]
    Enable(SkillChoiceArgs),
    /// Switch a skill off in the user's configuration
    #[command(after_help = "\
Examples:
  plugd skills disable hello:greet
  plugd skills disable ./skills/greet/SKILL.md")]
    Disable(SkillChoiceArgs),
}

/// Which skill to switch.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct SkillChoiceArgs {
    /// Its name, or the path of its SKILL.md
    #[arg(value_name = "NAME|PATH")]
    pub(crate) skill: String,
}

/// Commands about hooks.
#[derive(Debug, Subcommand)]
pub(crate) enum HooksCommand {
    /// List the hooks of installed plugins, and whether they are enabled and trusted
    #[command(after_help = "\
Examples:
  plugd hooks list
  plugd hooks list --json")]
    List(PlaceArgs),
}

/// A text that may mention plugins.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct MentionsArgs {
    /// The text
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// How much to tell a model.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct InstructionsArgs {
    /// At most this many characters
    #[arg(long, value_name = "CHARACTERS")]
    pub(crate) budget: Option<u32>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Commands about the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the configuration that counts, and which layer each value comes from
    #[command(after_help = "\
Examples:
  plugd config read
  plugd config read features.plugins
  plugd config read --layers --json")]
    Read(ConfigReadArgs),
    /// Change keys of the user's configuration: all of them or none
    #[command(after_help = "\
A value is JSON, else text.

Examples:
  plugd config write features.plugins=true
  plugd config write --merge 'plugins.\"hello@demo\"={\"enabled\": false}'")]
    Write(ConfigWriteArgs),
    /// Show what the organisation requires
    #[command(after_help = "Examples:\n  plugd config requirements --json")]
    Requirements,
}

/// What of the configuration to show.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ConfigReadArgs {
    /// Only this key and what is below it; with --json everything is answered all the same
    pub(crate) key: Option<String>,
    /// Each layer for itself, too
    #[arg(long)]
    pub(crate) layers: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// What of the configuration to change.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ConfigWriteArgs {
    /// What to set; `null` removes a key
    #[arg(required = true, value_name = "KEY=VALUE")]
    pub(crate) edits: Vec<String>,
    /// Merge tables instead of replacing them
    #[arg(long)]
    pub(crate) merge: bool,
    /// Refuse when the file is no longer this version
    #[arg(long, value_name = "VERSION")]
    pub(crate) expected_version: Option<String>,
}
