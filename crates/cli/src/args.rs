//! The grammar of the command line, with its help.
//!
//! Serving is here for its help only; how it is started is read in `invocation`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::flags::Flags;

mod authors;
mod locks;
mod reading;
mod sharing;
mod versions;

use authors::LINK_HELP;
pub(crate) use authors::{LinkArgs, NewArgs, NewCommand, UnlinkArgs};
pub(crate) use locks::{ExportArgs, ImportArgs, LockArgs, SyncArgs};
pub(crate) use reading::{
    ConfigCommand, ConfigReadArgs, ConfigWriteArgs, HooksCommand, InstructionsArgs, MentionsArgs,
    PlaceArgs, SearchArgs, SkillArgs, SkillsCommand,
};
pub(crate) use sharing::{ShareCommand, Target, Visibility};
pub(crate) use versions::{AddPluginArgs, VersionCommand};

const ABOUT: &str = "Manages agent plugins: JSON-RPC 2.0 over stdin and stdout, and these commands";

const AFTER_HELP: &str = "\
Without a command and without a terminal on stdin this is `plugd app-server`.

Exit codes:
  0    done
  1    the command failed, or a marketplace or the configuration could not be loaded that it
       should show; a single bad entry is told and does no harm
  2    the command line cannot be meant
  130  ended by Ctrl-C; what was not done yet is undone

Environment:
  CODEX_HOME        the home directory of configuration and plugins [default: ~/.codex]
  PLUGD_LOG         what goes to the log on stderr, else RUST_LOG [default: warn]
  PLUGD_LOG_FORMAT  `json` for one JSON object per line
  PLUGD_TOKEN_HOST  a token for https to that host: capitals, other characters as `_`
  NO_COLOR          when it is not empty, no colours, also on a terminal (as TERM=dumb)

Only the daemon, because they are about one connection or the life of one process: initialize,
shutdown, plugd/release and leases, skills/extraRoots/set, notifications, cancelling by id.

Examples:
  plugd plugin list --json
  plugd doctor";

const VERIFY_HELP: &str = "\
It reads every file of the copies, changes nothing and asks no network.

Exit codes:
  0    every copy is exactly what was installed
  1    one is not, or nothing is recorded about it, or it cannot be read
  2    the command line cannot be meant

Examples:
  plugd verify
  plugd verify hello@demo --json";
const DOCTOR_HELP: &str = "\
It changes nothing and asks no network.

Exit codes:
  0    healthy; there may be warnings
  1    there are errors, or with --strict warnings
  2    the command line cannot be meant

Examples:
  plugd doctor
  plugd doctor --json";

const COMPLETIONS_HELP: &str = "\
The directory must be there: make it with `mkdir -p` first. For zsh, add `source ~/.zsh_plugd` to
~/.zshrc, behind compinit.

Examples:
  plugd completions bash > ~/.local/share/bash-completion/completions/plugd
  plugd completions fish > ~/.config/fish/completions/plugd.fish
  plugd completions zsh > ~/.zsh_plugd";

const MAN_HELP: &str = "\
Examples:
  plugd man > plugd.1
  plugd man plugin add";

const SERVER_USAGE: &str = "plugd app-server [OPTIONS]
       plugd app-server <COMMAND>";

const SERVER_HELP: &str = "\
Serving:
      --stdio
          Speak over stdin and stdout, which is the default

      --listen <URL>
          The transport; `stdio://` is the only one

      --framing <FRAMING>
          `auto` (the first byte decides), `lines` or `headers` [default: auto]

Switches that mean nothing here, and unknown ones, are a warning on stderr.

Examples:
  plugd app-server --framing lines";

/// The same for documents that are made from the grammar and so know the switches.
pub(crate) const SERVER_NOTES: &str = "\
Switches that mean nothing here, and unknown ones, are a warning on stderr.

Examples:
  plugd app-server --framing lines";

const VALIDATE_HELP: &str = "\
Exit codes:
  0    valid; warnings do no harm without --strict
  1    there are errors, with --strict also when there are warnings
  2    the command line cannot be meant

Examples:
  plugd validate ./path/to/plugin";

const INSPECT_HELP: &str = "\
Instead of a plugin's name there can be a directory. What lies elsewhere is fetched for the look
and not kept.

Examples:
  plugd plugin inspect hello@demo";

/// The heading of what may stand anywhere, below a command's own options.
const GLOBAL: &str = "Global options";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "plugd", version, about = ABOUT, after_help = AFTER_HELP)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What may stand anywhere.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print JSON, also for errors
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Draw no progress and print no warnings, only errors
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub(crate) quiet: bool,
    /// Override a configuration value; the value is TOML, else text
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    #[arg(value_name = "KEY=VALUE", action = ArgAction::Append)]
    config: Vec<String>,
    /// Switch a feature on, as `-c features.FEATURE=true`
    #[arg(long, global = true, help_heading = GLOBAL)]
    #[arg(value_name = "FEATURE", action = ArgAction::Append)]
    enable: Vec<String>,
    /// Switch a feature off, as `-c features.FEATURE=false`
    #[arg(long, global = true, help_heading = GLOBAL)]
    #[arg(value_name = "FEATURE", action = ArgAction::Append)]
    disable: Vec<String>,
    /// Lay the user's NAME.config.toml over config.toml
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME")]
    profile: Option<String>,
}

impl Global {
    /// The session's configuration.
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            overrides: self.config.clone(),
            enable: self.enable.clone(),
            disable: self.disable.clone(),
            profile: self.profile.clone(),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List, install, look into and remove plugins
    #[command(subcommand, after_help = "Examples:\n  plugd plugin add hello@demo")]
    Plugin(PluginCommand),
    /// Add, list, upgrade and remove marketplaces
    #[command(subcommand, after_help = "Examples:\n  plugd marketplace add ./demo")]
    Marketplace(MarketplaceCommand),
    /// Begin a plugin, a marketplace or a skill
    #[command(subcommand, after_help = "Examples:\n  plugd new plugin my-plugin")]
    New(NewCommand),
    /// Find what the author of a plugin or a marketplace should mend
    #[command(after_help = VALIDATE_HELP)]
    Validate(ValidateArgs),
    /// Tell who is logged in to the remote catalog
    #[command(subcommand, after_help = "Examples:\n  plugd login status")]
    Login(LoginCommand),
    /// List skills, and switch them on and off
    #[command(subcommand, after_help = "Examples:\n  plugd skills list")]
    Skills(SkillsCommand),
    /// List hooks
    #[command(subcommand, after_help = "Examples:\n  plugd hooks list")]
    Hooks(HooksCommand),
    /// Show what a host has to load: skills, MCP servers, hooks and apps
    #[command(after_help = "\
Examples:
  plugd components
  plugd components --cwd ./project --json")]
    Components(PlaceArgs),
    /// Find the plugins that a text mentions, and what to tell a model about each
    #[command(after_help = "Examples:\n  plugd mentions 'ask @hello to greet'")]
    Mentions(MentionsArgs),
    /// Print the text that tells a model which plugins and skills there are
    #[command(after_help = "Examples:\n  plugd instructions --budget 4000")]
    Instructions(InstructionsArgs),
    /// Read and change the configuration
    #[command(subcommand, after_help = "Examples:\n  plugd config read")]
    Config(ConfigCommand),
    /// Show which layer is stale and how the background work of late went
    #[command(after_help = "Examples:\n  plugd status --json")]
    Status,
    /// Look for what is wrong with the home directory, and say what to do
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Compare installed plugins with what was recorded when they were installed
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Write what is installed into the project's lock
    #[command(after_help = locks::LOCK_HELP)]
    Lock(LockArgs),
    /// Make the home match the project's lock
    #[command(after_help = locks::SYNC_HELP)]
    Sync(SyncArgs),
    /// Write an archive of plugins for machines without a network
    #[command(after_help = locks::EXPORT_HELP)]
    Export(ExportArgs),
    /// Install what an archive of plugins holds
    #[command(after_help = locks::IMPORT_HELP)]
    Import(ImportArgs),
    /// Use the working tree of a plugin in the place of its installed copy
    #[command(after_help = LINK_HELP)]
    Link(LinkArgs),
    /// End a link, so that what is installed counts again
    #[command(after_help = "Examples:\n  plugd unlink hello@demo\n  plugd unlink ./my-plugin")]
    Unlink(UnlinkArgs),
    /// Remove what nobody needs any more: old versions, leftovers, unused mirrors
    #[command(after_help = "Examples:\n  plugd gc --dry-run")]
    Gc(GcArgs),
    /// Serve one client over stdin and stdout
    #[command(subcommand, override_usage = SERVER_USAGE, after_help = SERVER_HELP)]
    AppServer(ServerCommand),
    /// Write the descriptions of the protocol
    #[command(
        subcommand,
        after_help = "Examples:\n  plugd schema generate --out schemas"
    )]
    Schema(SchemaCommand),
    /// Print the completions of a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print the man page of the program or of a command
    #[command(after_help = MAN_HELP)]
    Man(ManArgs),
}

/// How to judge what is found.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct DoctorArgs {
    /// Fail for warnings, too
    #[arg(long)]
    pub(crate) strict: bool,
}

/// For which shell.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// Which man page.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ManArgs {
    /// The command, word by word; without one, the program
    pub(crate) command: Vec<String>,
}

/// Commands about the login. Another program logs in and out.
#[derive(Debug, Subcommand)]
pub(crate) enum LoginCommand {
    /// Show who is logged in; exits with 1 when nobody is
    #[command(after_help = "Examples:\n  plugd login status --json")]
    Status,
}

/// What to compare.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct VerifyArgs {
    /// The plugin, as NAME@MARKETPLACE; without it, all
    pub(crate) plugin: Option<String>,
}

/// What to remove.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct GcArgs {
    /// Only tell what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Commands about plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List plugins of the home, configured and curated marketplaces
    #[command(after_help = "Examples:\n  plugd plugin list --json --available")]
    List(ListArgs),
    /// Install a plugin
    #[command(after_help = versions::ADD_HELP)]
    Add(AddPluginArgs),
    /// Uninstall a plugin; one that is not there is removed already
    #[command(after_help = "Examples:\n  plugd plugin remove hello@demo")]
    Remove(PluginArgs),
    /// Search what the marketplaces offer
    #[command(after_help = "\
Examples:
  plugd plugin search hello
  plugd plugin search 'write tests' --limit 5 --json")]
    Search(SearchArgs),
    /// Print the text of a skill
    #[command(after_help = "Examples:\n  plugd plugin skill hello@demo greet")]
    Skill(SkillArgs),
    /// Bring the plugins of the remote catalog to what the account has
    #[command(after_help = "Examples:\n  plugd plugin sync")]
    Sync,
    /// Share plugins with other accounts
    #[command(subcommand, after_help = "Examples:\n  plugd plugin share list")]
    Share(ShareCommand),
    /// Show a plugin from the inside
    #[command(after_help = "Examples:\n  plugd plugin read hello --marketplace demo")]
    Read(PluginArgs),
    /// Show what of a plugin would run or be read by a model, installed or not
    #[command(after_help = INSPECT_HELP)]
    Inspect(PluginArgs),
    /// Compare installed plugins with what was recorded when they were installed
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    #[command(flatten)]
    Version(VersionCommand),
    /// Add, list, upgrade and remove marketplaces
    #[command(
        subcommand,
        after_help = "Examples:\n  plugd plugin marketplace add ./demo"
    )]
    Marketplace(MarketplaceCommand),
}

/// Which plugins to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct ListArgs {
    /// Only those of this marketplace
    #[arg(short, long)]
    pub(crate) marketplace: Option<String>,
    /// With --json, list also what is not installed
    #[arg(long)]
    pub(crate) available: bool,
    /// List what the remote catalog has for the account
    #[arg(long)]
    pub(crate) remote: bool,
}

/// Which plugin.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct PluginArgs {
    /// The plugin, alone or with its marketplace
    #[arg(value_name = "PLUGIN[@MARKETPLACE]")]
    pub(crate) plugin: String,
    /// Its marketplace
    #[arg(short, long)]
    pub(crate) marketplace: Option<String>,
}

/// What to validate.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ValidateArgs {
    /// The directory or the manifest of a plugin or a marketplace
    pub(crate) path: PathBuf,
    /// Fail for warnings, too
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Commands about marketplaces.
#[derive(Debug, Subcommand)]
pub(crate) enum MarketplaceCommand {
    /// Add a marketplace to the configuration
    #[command(
        after_help = "Examples:\n  plugd marketplace add ./path/to/marketplace\n  \
                      plugd marketplace add oci://registry.example/team/market:stable"
    )]
    Add(AddArgs),
    /// List the marketplaces in use
    #[command(after_help = "Examples:\n  plugd marketplace list --json")]
    List,
    /// Bring marketplaces to what their sources hold, with their plugins
    #[command(after_help = "Examples:\n  plugd marketplace upgrade demo")]
    Upgrade(UpgradeArgs),
    /// Remove a marketplace from the configuration; its installed plugins stay
    #[command(after_help = "Examples:\n  plugd marketplace remove demo --plugins")]
    Remove(RemoveArgs),
}

/// Which marketplace to add.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct AddArgs {
    /// Path, owner/repo, git address (`#ref` may follow), archive URL or oci://host/repo:tag
    pub(crate) source: String,
    /// The branch, tag or commit of a git source
    #[arg(long = "ref", value_name = "REF")]
    pub(crate) ref_name: Option<String>,
    /// A directory of a git source to check out; may be repeated
    #[arg(long = "sparse", value_name = "PATH", action = ArgAction::Append)]
    pub(crate) sparse: Vec<String>,
}

/// Which marketplaces to upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct UpgradeArgs {
    /// Its name; without one, all that come from other machines
    pub(crate) name: Option<String>,
}

/// Which marketplace to remove.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct RemoveArgs {
    /// Its name
    pub(crate) name: String,
    /// Uninstall its plugins too
    #[arg(long)]
    pub(crate) plugins: bool,
}

/// What stands below `app-server`.
#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Write TypeScript types of the protocol
    #[command(after_help = "Examples:\n  plugd app-server generate-ts --out types")]
    GenerateTs(TypesArgs),
    /// Write JSON Schemas of the protocol
    #[command(after_help = "Examples:\n  plugd app-server generate-json-schema --out schemas")]
    GenerateJsonSchema(TypesArgs),
}

/// Where to write types.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct TypesArgs {
    /// The directory; it is created when it is missing
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Accepted for the reference's sake: everything is always written
    #[arg(long)]
    experimental: bool,
    /// Accepted for the reference's sake: files are written formatted
    #[arg(short, long, value_name = "PROGRAM")]
    prettier: Option<PathBuf>,
}

/// Commands about the protocol's descriptions.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Write JSON Schemas, TypeScript types and the OpenRPC document
    #[command(after_help = "Examples:\n  plugd schema generate --out schemas")]
    Generate(GenerateArgs),
}

/// Where to write everything.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct GenerateArgs {
    /// The directory; it is created when it is missing
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
