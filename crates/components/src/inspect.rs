//! Everything of a plugin that would run, or that a model would read: what somebody wants to know
//! before saying yes to it.
//!
//! Invariants:
//! - An inspection tells what is there. It judges nothing and starts nothing.
//! - Work is bounded by [`InspectionLimits`]; whatever a limit left out is a row of
//!   [`Inspection::cut`], so a short answer is never mistaken for a harmless plugin.
//! - Two inspections of one tree are equal, and [`Inspection::difference`] of two says what a new
//!   version brings.
//!
//! Names of variables in scripts are found by their usual spelling, which is a help and no proof.

use std::collections::{BTreeMap, BTreeSet};

use plugd_disk::Disk;
use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, PluginId, PluginManifest, Problem, ProblemKind};

use crate::hooks::{self, HookDeclaration, HookHandler};
use crate::mcp::{self, McpDefinition, McpTransport};
use crate::placeholders::{Placeholders, Platform, Spelling, mentions};
use crate::programs;
use crate::skills;
use crate::tree::PluginTree;
use crate::{App, Found, MAX_PROBLEMS, apps, commands};

mod difference;
#[cfg(test)]
mod difference_tests;
mod environment;
mod executable;
#[cfg(test)]
mod tests;
mod texts;
mod unicode;
mod unread;
mod walk;

pub use difference::{Categories, Category, Change, Changes, Difference, InspectedFiles};
pub use executable::ExecutableKind;
pub use unicode::{HiddenCharacter, HiddenClass, hidden_characters};
pub use unread::{Unread, UnreadKind};
pub use walk::InspectionLimits;

use environment::Language;
use texts::TextReader;

/// What a plugin brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The MCP servers, with commands and addresses, sorted by name.
    pub mcp_servers: Vec<InspectedServer>,
    /// The hooks, by event in the order of the events.
    pub hooks: Vec<HookDeclaration>,
    /// The apps.
    pub apps: Vec<App>,
    /// Files that can run, in the order of the walk.
    pub executables: Vec<Executable>,
    /// Names of environment variables, and what reads them.
    pub environment: EnvironmentNames,
    /// Texts that a model reads: skills, their metadata and their other texts, commands, the
    /// manifest. Sorted by path.
    pub texts: Vec<ModelText>,
    /// Invisible and misleading characters in them, in the order of the texts.
    pub hidden: Vec<HiddenText>,
    /// The licence that the manifest names.
    pub licence: Option<String>,
    /// Files whose names say that they hold a licence.
    pub licence_files: Vec<LicenceFile>,
    /// How many files there are.
    pub files: u64,
    /// How many directories, the root not counted.
    pub directories: u64,
    /// The bytes of all files.
    pub bytes: u64,
    /// Entries that are no plain files and directories, or that not every system can hold.
    pub oddities: Vec<Oddity>,
    /// What a limit or a failing disk kept out of this answer.
    pub cut: Vec<Problem>,
    /// Declarations of what runs that could not be read or understood: another program may run what
    /// they hold.
    pub unread: Vec<Unread>,
    /// What was wrong with the components; they are listed as far as they could be understood.
    pub problems: Vec<Problem>,
}

/// An MCP server that a plugin declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedServer {
    /// What it declares.
    pub definition: McpDefinition,
    /// Why no host can ever start or call it; nothing for one that can work.
    pub obstacle: Option<String>,
}

/// A file whose name says that it holds a licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceFile {
    /// Where, relative to the plugin, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// The digest of its content; nothing when it was too large to be read.
    pub digest: Option<Digest>,
}

/// A file that can run, or that a command of the plugin names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// Where, relative to the plugin, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// What kind of program it is.
    pub kind: ExecutableKind,
    /// Whether its owner may execute it.
    pub is_marked: bool,
    /// The digest of its content; nothing when it was too large to be read.
    pub digest: Option<Digest>,
}

/// Names of environment variables with what reads them: `mcp:<server>`, `hook:<key>` or a path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnvironmentNames {
    readers: BTreeMap<String, BTreeSet<String>>,
    is_cut: bool,
}

/// How many readers of one variable are named.
const MAX_READERS: usize = 20;
/// How many variables are named.
const MAX_VARIABLES: usize = 2_000;

impl EnvironmentNames {
    /// The names, sorted, each with some of its readers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        let readers = self.readers.iter();
        readers.map(|(name, readers)| (name.as_str(), readers.iter().map(String::as_str)))
    }

    fn add(&mut self, name: String, reader: &str) {
        if self.readers.len() >= MAX_VARIABLES && !self.readers.contains_key(&name) {
            self.is_cut = true;
            return;
        }
        let readers = self.readers.entry(name).or_default();
        if readers.len() < MAX_READERS {
            readers.insert(reader.to_owned());
        }
    }
}

/// A text that a model reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelText {
    /// Where, relative to the plugin, with `/`.
    pub path: String,
    /// What it is.
    pub kind: TextKind,
    /// Its size.
    pub bytes: u64,
    /// The digest of its content.
    pub digest: Digest,
}

/// What a text is to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextKind {
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

/// An invisible or misleading character with the text that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenText {
    /// The text, relative to the plugin; empty for the entry of a marketplace.
    pub path: String,
    /// The member that holds it, when the character was written as an escape.
    pub field: Option<String>,
    /// The character. Its place is that in the file; for an escape that of the value.
    pub found: HiddenCharacter,
}

/// Something in the tree that is no plain file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Oddity {
    /// Where, relative to the plugin, with `/`.
    pub path: String,
    /// What is odd.
    pub kind: OddityKind,
}

/// What is odd about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OddityKind {
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

impl OddityKind {
    /// A stable word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LinkInside => "linkInside",
            Self::LinkOutside => "linkOutside",
            Self::LinkToNothing => "linkToNothing",
            Self::Special => "special",
            Self::SetUser => "setUser",
            Self::GitData => "gitData",
            Self::NameNotText => "nameNotText",
            Self::SameNameButCase => "sameNameButCase",
        }
    }
}

impl TextKind {
    /// A stable word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Skill => "skill",
            Self::SkillMetadata => "skillMetadata",
            Self::SkillReference => "skillReference",
            Self::Command => "command",
        }
    }
}

impl Inspection {
    /// What there is of a plugin that is not there.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            mcp_servers: Vec::new(),
            hooks: Vec::new(),
            apps: Vec::new(),
            executables: Vec::new(),
            environment: EnvironmentNames::default(),
            texts: Vec::new(),
            hidden: Vec::new(),
            licence: None,
            licence_files: Vec::new(),
            files: 0,
            directories: 0,
            bytes: 0,
            oddities: Vec::new(),
            cut: Vec::new(),
            unread: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// Inspects the plugin below a root.
///
/// # Errors
/// The root cannot be resolved.
pub fn inspect(
    disk: &Disk,
    root: &AbsPath,
    manifest: &PluginManifest,
    id: &PluginId,
    limits: &InspectionLimits,
) -> Result<Inspection, Problem> {
    let tree = PluginTree::open(disk, root)?;
    let (mcp, strays) = mcp::read(&tree, manifest);
    let mut unread = Unread::of(UnreadKind::McpServers, &mcp.problems, &strays, tree.root());
    let definitions = mcp.items;
    let mut problems = mcp.problems;
    let (hooks, _, strays) = hooks::read(&tree, manifest, id);
    unread.extend(Unread::of(
        UnreadKind::Hooks,
        &hooks.problems,
        &strays,
        tree.root(),
    ));
    problems.extend(hooks.problems);
    let mut named = BTreeSet::new();
    let mcp_servers = servers(&tree, definitions, &mut named);
    for hook in &hooks.items {
        programs::of_hook(&tree, hook, &mut named);
    }
    let mut walked = walk::Walk::new(disk, tree.root(), *limits, &named).run();
    let (apps, strays) = apps::read(&tree, manifest);
    unread.extend(Unread::of(
        UnreadKind::Apps,
        &apps.problems,
        &strays,
        tree.root(),
    ));
    problems.extend(apps.problems);
    let skills = skills::read_all(&tree, manifest, &mut problems);
    let commands = commands::command_files(&tree, manifest, &mut problems);
    variables_of_servers(&mcp_servers, &mut walked.environment);
    variables_of_hooks(&hooks.items, &mut walked.environment);

    if walked.environment.is_cut {
        let text = format!("only {MAX_VARIABLES} names of variables are listed");
        let problem = Problem::warning(ProblemKind::TooLarge, text);
        note_cut(&mut walked.cut, problem.in_file(tree.root()));
    }

    let mut reader = TextReader::new(&tree, limits, &mut walked.cut);
    reader.manifest(manifest);
    reader.skills(&skills, &walked.texts);
    reader.commands(&commands);
    let (texts, hidden) = reader.finish();
    Ok(Inspection {
        mcp_servers,
        hooks: hooks.items,
        apps: apps.items,
        executables: walked.executables,
        environment: walked.environment,
        texts,
        hidden,
        licence: manifest.license.clone(),
        licence_files: walked.licences,
        files: walked.files,
        directories: walked.directories,
        bytes: walked.bytes,
        oddities: walked.oddities,
        cut: walked.cut,
        unread,
        problems: Found {
            items: Vec::<()>::new(),
            problems,
        }
        .bounded()
        .problems,
    })
}

/// Adds a row about something that was left out. The list is bounded too: thousands of rows that all
/// say "unreadable" tell no more than the first.
fn note_cut(cut: &mut Vec<Problem>, problem: Problem) {
    if cut.len() < MAX_PROBLEMS {
        cut.push(problem);
    }
}

/// The servers with what keeps them from working, and the files that they are started with.
fn servers(
    tree: &PluginTree<'_>,
    definitions: Vec<McpDefinition>,
    named: &mut BTreeSet<String>,
) -> Vec<InspectedServer> {
    // Only used to tell what lies inside; nothing is made there.
    let directories = Placeholders {
        plugin_root: tree.root().clone(),
        plugin_data: tree.root().join("../.plugin-data"),
    };
    let inspected = definitions.into_iter().map(|definition| {
        let resolved = definition.resolved(tree.disk(), &directories, Platform::current());
        let obstacle = match resolved {
            Ok(server) => {
                programs::of_server(tree, &server, named);
                server.absent.into_iter().next()
            }
            Err(problem) => Some(problem),
        };
        if let McpTransport::Http {
            headers_helper: Some(command),
            ..
        } = &definition.transport
        {
            programs::of_shell(tree, command, named);
        }
        InspectedServer {
            obstacle: obstacle.map(|problem| problem.message),
            definition,
        }
    });
    inspected.collect()
}

/// The variables that a host would look up for servers. In the Agent Plugins format it looks up none.
fn variables_of_servers(servers: &[InspectedServer], environment: &mut EnvironmentNames) {
    for InspectedServer {
        definition: server, ..
    } in servers
    {
        if server.spelling == Spelling::Portable {
            continue;
        }
        let reader = format!("mcp:{}", server.name);
        let mut texts: Vec<&str> = Vec::new();
        match &server.transport {
            McpTransport::Stdio {
                command,
                args,
                env,
                env_vars,
                cwd,
            } => {
                texts.push(command);
                texts.extend(args.iter().map(String::as_str));
                texts.extend(env.iter().map(|(_, value)| value.as_str()));
                texts.extend(cwd.as_deref());
                for name in env_vars {
                    environment.add(name.clone(), &reader);
                }
            }
            McpTransport::Http {
                url,
                protocol: _,
                headers,
                env_headers,
                bearer_token_env_var,
                headers_helper,
            } => {
                let command = headers_helper.as_deref().unwrap_or_default();
                for name in environment::names(command, Language::Shell) {
                    environment.add(name, &reader);
                }
                texts.push(url);
                texts.extend(headers.iter().map(|(_, value)| value.as_str()));
                let names = env_headers.iter().map(|(_, name)| name);
                for name in names.chain(bearer_token_env_var) {
                    environment.add(name.clone(), &reader);
                }
            }
        }
        for mention in texts.into_iter().flat_map(mentions) {
            environment.add(mention.name, &reader);
        }
    }
}

fn variables_of_hooks(hooks: &[HookDeclaration], environment: &mut EnvironmentNames) {
    for hook in hooks {
        let HookHandler::Command {
            command,
            command_windows,
            ..
        } = &hook.handler
        else {
            continue;
        };
        let reader = format!("hook:{}", hook.key);
        let windows = command_windows.iter();
        let windows = windows.flat_map(|text| {
            let batch = environment::names(text, Language::Batch);
            let power_shell = environment::names(text, Language::PowerShell);
            batch.into_iter().chain(power_shell)
        });
        for name in environment::names(command, Language::Shell)
            .into_iter()
            .chain(windows)
        {
            environment.add(name, &reader);
        }
    }
}
