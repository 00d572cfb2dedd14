//! `plugd/inspect`: what a plugin would run and what a model would read of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, HookEventName, PlugdLinked, PlugdTrust, Problem};

/// Params of `plugd/inspect`: one way to name a plugin. These are `marketplacePath` or
/// `remoteMarketplaceName` with `pluginName`; `pluginId`; `path`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspectParams {
    /// The file of the marketplace that offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_path: Option<AbsolutePathBuf>,
    /// The remote marketplace that offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_marketplace_name: Option<String>,
    /// The name of its entry in the marketplace; the remote plugin id of a remote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_name: Option<String>,
    /// `name@marketplace`, installed or offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The directory of a plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
}

/// Result of `plugd/inspect`. Nothing was started, and nothing is installed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspectResponse {
    /// `name@marketplace`; null for a directory that no marketplace offers.
    pub plugin_id: Option<String>,
    /// Its name for people; its plain name when it has no other.
    pub display_name: String,
    /// The working tree that stands in for it, which is then what is offered here.
    pub linked: Option<PlugdLinked>,
    /// The installed copy; null when there is none.
    pub installed: Option<PlugdInspection>,
    /// What an install would bring; null when nobody offers it any more or it cannot be had.
    pub offered: Option<PlugdInspection>,
    /// What the offered one would change; null unless both are there.
    pub difference: Option<PlugdInspectionDifference>,
    /// Whether the offered one may come, and the digest to approve; null where `[trust]` asks for
    /// nothing.
    pub trust: Option<PlugdTrust>,
    /// Why one of the two is not there.
    pub problems: Vec<Problem>,
}

/// What a plugin brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspection {
    /// Where it lies; null when it was fetched for this answer only.
    pub root: Option<AbsolutePathBuf>,
    /// Its version.
    pub version: Option<String>,
    /// The digest of its content, `sha256:` and 64 hexadecimal digits.
    pub tree_digest: Option<String>,
    /// Its MCP servers, by name.
    pub mcp_servers: Vec<PlugdInspectedMcpServer>,
    /// Its hooks, by event.
    pub hooks: Vec<PlugdInspectedHook>,
    /// Its apps.
    pub apps: Vec<PlugdInspectedApp>,
    /// Files that can run, and those that a command of the plugin names.
    pub executables: Vec<PlugdExecutable>,
    /// Environment variables that it looks at, by name, as far as they can be found.
    pub environment: Vec<PlugdEnvironmentName>,
    /// Texts that a model reads, by path.
    pub texts: Vec<PlugdModelText>,
    /// Invisible and misleading characters in those texts.
    pub hidden_characters: Vec<PlugdHiddenCharacter>,
    /// The licence that it names.
    pub licence: Option<String>,
    /// Files that hold a licence, relative to it.
    pub licence_files: Vec<String>,
    /// Entries that are no plain files and directories, or that not every system can hold.
    pub oddities: Vec<PlugdOddity>,
    /// How many files it has.
    pub files: u64,
    /// How many directories it has, itself not counted.
    pub directories: u64,
    /// The size of all files.
    pub bytes: u64,
    /// What a limit kept out of this answer: with a row here it is not the whole truth.
    pub cut: Vec<Problem>,
    /// What is wrong with its components.
    pub problems: Vec<Problem>,
}

/// An MCP server that a plugin would start or call, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspectedMcpServer {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub transport: PlugdInspectedTransport,
    /// Whether the plugin wants it started.
    pub enabled: bool,
    /// Why no host can ever start or call it; null for one that can work.
    pub obstacle: Option<String>,
}

/// How an MCP server is reached, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PlugdInspectedTransport {
    /// A process.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Names of variables that it gets, sorted.
        env: Vec<String>,
        /// Where it starts.
        cwd: Option<String>,
    },
    /// A server in the network.
    Http {
        /// Its address.
        url: String,
        /// Names of headers that it gets, sorted.
        headers: Vec<String>,
        /// A command line for a shell that prints more of them; null for none.
        headers_helper: Option<String>,
    },
}

/// A hook that a plugin declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspectedHook {
    /// Plugin, file, event, group and handler, joined by colons.
    pub key: String,
    /// The event it waits for.
    pub event_name: HookEventName,
    /// A regular expression for the occasions it waits for; null for all.
    pub matcher: Option<String>,
    /// What it does.
    pub handler: PlugdInspectedHandler,
    /// Why no host runs it, whoever trusts it; null for one that can run.
    pub obstacle: Option<String>,
}

/// What a hook does, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PlugdInspectedHandler {
    /// It runs a command.
    Command {
        /// The command.
        command: String,
        /// The command on Windows, where it is another one.
        command_windows: Option<String>,
    },
    /// It calls a tool of an MCP server.
    McpTool {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
    },
    /// It asks a model.
    Prompt,
    /// It starts an agent.
    Agent,
}

/// An app that a plugin uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspectedApp {
    /// Its id.
    pub id: String,
    /// What the plugin calls it.
    pub label: String,
}

/// A file that can run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdExecutable {
    /// Where it lies, relative to the plugin.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// What kind of program it is.
    pub kind: PlugdExecutableKind,
    /// What runs a script; null for other programs.
    pub interpreter: Option<String>,
    /// Whether it is marked as executable. Otherwise something has to be asked to run it.
    pub marked: bool,
}

/// What kind of program a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdExecutableKind {
    /// A script.
    Script,
    /// A program or library for Linux and its relatives.
    Elf,
    /// A program or library for macOS.
    MachO,
    /// A program or library for Windows.
    Pe,
    /// It is marked as executable or named by a command, and its content tells nothing.
    Unknown,
}

/// An environment variable that a plugin looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdEnvironmentName {
    /// Its name.
    pub name: String,
    /// Some of what looks at it: `mcp:` and a server, `hook:` and a key, or a path relative to the
    /// plugin.
    pub readers: Vec<String>,
}

/// A text that a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdModelText {
    /// Where it lies, relative to the plugin.
    pub path: String,
    /// What it is.
    pub kind: PlugdModelTextKind,
    /// Its size.
    pub bytes: u64,
}

/// What a text is to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdModelTextKind {
    /// The manifest, with descriptions.
    Manifest,
    /// A `SKILL.md`.
    Skill,
    /// What is shown of a skill.
    SkillMetadata,
    /// A text beside a skill, which the skill may tell a model to read.
    SkillReference,
    /// A command.
    Command,
}

/// An invisible or misleading character in a text that a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdHiddenCharacter {
    /// The text, relative to the plugin.
    pub path: String,
    /// The member that holds it, where it was written as an escape; omitted otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// The character as `U+202E`.
    pub code_point: String,
    /// What kind of character it is.
    pub class: PlugdHiddenClass,
}

/// The kinds of invisible and misleading characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdHiddenClass {
    /// It turns the direction of writing, so that text is shown in another order than it is read.
    Bidirectional,
    /// It has no width.
    ZeroWidth,
    /// A letter of the alphabet of tags, which is invisible and which models can read.
    Tag,
    /// It chooses among pictures of the character in front of it; a row of them can carry data.
    VariationSelector,
    /// An invisible operator, filler or other format character.
    Invisible,
    /// A control character.
    Control,
    /// A line or paragraph separator, which many editors show as nothing.
    Separator,
    /// It has no agreed meaning at all.
    PrivateUse,
}

/// An entry that is no plain file or directory, or that not every system can hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdOddity {
    /// Where it lies, relative to the plugin.
    pub path: String,
    /// What is odd about it.
    pub kind: PlugdOddityKind,
}

/// What is odd about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdOddityKind {
    /// A link to something in the plugin.
    LinkInside,
    /// A link that leaves the plugin.
    LinkOutside,
    /// A link that leads nowhere.
    LinkToNothing,
    /// A FIFO, socket or device.
    Special,
    /// A file that runs with the rights of its owner.
    SetUser,
    /// A directory of git's own data.
    GitData,
    /// A name that is no text, or has control characters.
    NameNotText,
    /// A name that differs from another only in case.
    SameNameButCase,
}

/// What the offered plugin would change, from the installed one's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspectionDifference {
    /// The changes, category by category in the order of the categories, then by name. Empty when
    /// nothing differs.
    pub changes: Vec<PlugdInspectionChange>,
    /// How many files there are before and after.
    pub files: PlugdBeforeAfter,
    /// Their size before and after.
    pub bytes: PlugdBeforeAfter,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInspectionChange {
    /// What kind of thing.
    pub category: PlugdInspectionCategory,
    /// What it is called.
    pub name: String,
    /// What it is now, in short; null when it is new.
    pub from: Option<String>,
    /// What it would be, in short; null when it goes.
    pub to: Option<String>,
}

/// What can change between two versions of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdInspectionCategory {
    /// An MCP server, by name.
    McpServer,
    /// A hook, by key.
    Hook,
    /// An app, by id.
    App,
    /// An executable, by path.
    Executable,
    /// The name of an environment variable.
    Environment,
    /// A text for a model, by path.
    Text,
    /// Hidden characters, by text and kind.
    HiddenCharacters,
    /// A licence: the one that is named under the empty name, and files by path.
    Licence,
    /// An oddity, by path.
    Oddity,
    /// A file that no other category names, by path.
    File,
}

/// A number before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdBeforeAfter {
    /// Of the installed plugin.
    pub from: u64,
    /// Of the offered one.
    pub to: u64,
}
