//! Hooks that a plugin declares: which handler would run at which event.
//!
//! Every handler has a key made of the plugin, the place of its declaration and its two positions.
//! Trust is stored under that key, so positions count everything that stands in the file, also what
//! cannot be used.
//!
//! Nothing here decides whether a hook runs, and no matcher is compiled.

use plugd_disk::Disk;
use plugd_model::{
    AbsPath, HooksDeclaration, ManifestFormat, PluginId, PluginManifest, Problem, ProblemKind,
};

use crate::Found;
use crate::item::{Document, Item, Member, clip, take};
use crate::tree::PluginTree;

mod event;
#[cfg(test)]
mod tests;

pub use event::HookEvent;

/// Where hooks are declared when the manifest names nothing else.
const DEFAULT_FILE: &str = "hooks/hooks.json";
/// The largest hooks file that is read.
const MAX_FILE: u64 = 1024 * 1024;
/// How many files a manifest can name.
const MAX_FILES: usize = 100;
/// How many handlers a plugin can declare.
const MAX_HANDLERS: usize = 1_000;
/// The longest matcher, in bytes: it is repeated for each handler of its group.
const MAX_MATCHER: usize = 8 * 1024;

/// One declared handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDeclaration {
    /// `<plugin id>:<source>:<event>:<group>:<handler>`, unique within an answer.
    pub key: String,
    /// When it would run.
    pub event: HookEvent,
    /// What restricts it to some tools or occasions, as written; `None` means no restriction.
    pub matcher: Option<String>,
    /// The file it stands in; for hooks in the manifest the manifest, and `None` when the manifest
    /// is a marketplace entry.
    pub file: Option<AbsPath>,
    /// What would run.
    pub handler: HookHandler,
}

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookHandler {
    /// Runs a shell command.
    Command {
        /// The command as written; it may be blank, and then nothing can run.
        command: String,
        /// What to run on Windows instead.
        command_windows: Option<String>,
        /// How long it may take, the event's default applied.
        timeout_sec: u64,
        /// Whether nobody waits for it.
        is_async: bool,
        /// What to show while it runs.
        status_message: Option<String>,
        /// How much of what it prints may reach the model.
        additional_context_limit: Option<u64>,
    },
    /// Calls a tool of an MCP server.
    McpTool {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
        /// How long it may take, the event's default applied.
        timeout_sec: u64,
        /// What to show while it runs.
        status_message: Option<String>,
    },
    /// Asks a model; declared by plugins for other hosts, run by none here.
    Prompt,
    /// Starts an agent; declared by plugins for other hosts, run by none here.
    Agent,
}

/// The hooks that a plugin declares: file by file, by event in the order of [`HookEvent::ALL`],
/// then as written. The Agent Plugins format has none.
#[must_use]
pub fn hooks(
    disk: &Disk,
    root: &AbsPath,
    manifest: &PluginManifest,
    id: &PluginId,
) -> Found<HookDeclaration> {
    if manifest.format == ManifestFormat::AgentPlugins {
        return Found::nothing();
    }
    let tree = match PluginTree::open(disk, root) {
        Ok(tree) => tree,
        Err(problem) => return Found::only(problem),
    };
    let mut reader = Reader {
        id,
        found: Found::nothing(),
    };
    match &manifest.hooks {
        HooksDeclaration::Default => {
            reader.file(&tree, DEFAULT_FILE, false);
        }
        HooksDeclaration::Files(paths) => {
            if let Some(path) = paths.get(MAX_FILES) {
                let text = format!("the manifest names more than {MAX_FILES} hooks files");
                let problem = Problem::error(ProblemKind::TooLarge, text);
                reader.note(Some(problem.in_file(&path.below(tree.root()))));
            }
            for (index, path) in paths.iter().take(MAX_FILES).enumerate() {
                // A second reading would only repeat the keys of the first.
                if paths[..index].contains(path) {
                    let text = "the manifest names this hooks file twice";
                    let problem = Problem::warning(ProblemKind::Duplicate, text);
                    let path = path.below(tree.root());
                    reader.found.problems.push(problem.in_file(&path));
                } else {
                    reader.file(&tree, path.as_str(), true);
                }
            }
        }
        HooksDeclaration::Inline(texts) => {
            let file =
                plugd_manifest::plugin_file(manifest.format).map(|name| tree.root().join(name));
            for (index, text) in texts.iter().enumerate() {
                reader.inline(text, index, file.as_ref());
            }
        }
        HooksDeclaration::Nothing => {}
    }
    reader.found.bounded()
}

/// Where the handlers being read stand.
struct Source<'a> {
    name: &'a str,
    file: Option<&'a AbsPath>,
}

struct Reader<'a> {
    id: &'a PluginId,
    found: Found<HookDeclaration>,
}

impl Reader<'_> {
    fn file(&mut self, tree: &PluginTree<'_>, relative: &str, declared: bool) {
        let path = tree.root().join(relative);
        let text = match tree.read(&path, MAX_FILE) {
            Ok(Some(text)) => text,
            Ok(None) => {
                if declared {
                    let text = "the manifest names this hooks file, and it does not exist";
                    let problem = Problem::warning(ProblemKind::Missing, text);
                    self.found.problems.push(problem.in_file(&path));
                }
                return;
            }
            Err(problem) => {
                self.found.problems.push(problem);
                return;
            }
        };
        let source = Source {
            name: relative,
            file: Some(&path),
        };
        let read = Document::parse_file(&text, &path)
            .and_then(|document| self.document(&document.root(""), &source));
        self.note(read.err());
    }

    fn inline(&mut self, text: &str, index: usize, file: Option<&AbsPath>) {
        let name = format!("plugin.json#hooks[{index}]");
        let source = Source { name: &name, file };
        let before = self.found.problems.len();
        let read = Document::parse_inline(text).and_then(|document| {
            self.document(&document.root(&format!("hooks[{index}]")), &source)
        });
        self.note(read.err());
        for problem in &mut self.found.problems[before..] {
            problem.path = file.cloned();
        }
    }

    fn note(&mut self, problem: Option<Problem>) {
        self.found.problems.extend(problem);
    }

    /// Reads one object `{"description"?, "hooks": {event: [group]}}`.
    fn document(&mut self, root: &Item<'_>, source: &Source<'_>) -> Result<(), Problem> {
        let members = root.object(&mut self.found.problems)?;
        for (name, value) in &members {
            match name.as_str() {
                "hooks" => {}
                "description" if value.is_null() => {}
                "description" => {
                    if let Err(problem) = value.string() {
                        self.note(Some(problem.as_warning()));
                    }
                }
                _ => {
                    let text = format!("nobody reads `{}` in a hooks file", clip(name));
                    self.note(Some(value.warning(ProblemKind::UnknownField, text)));
                }
            }
        }
        let Some(events) = take(&members, "hooks") else {
            return Ok(());
        };
        let events = events.object(&mut self.found.problems)?;
        for (name, value) in &events {
            if HookEvent::from_name(name).is_none() {
                let text = format!("the event `{}` is not known", clip(name));
                self.note(Some(value.warning(ProblemKind::UnknownField, text)));
            }
        }
        for &event in HookEvent::ALL {
            if let Some((_, value)) = events.iter().find(|(name, _)| name == event.name()) {
                let read = self.groups(value, event, source);
                self.note(read.err());
            }
        }
        Ok(())
    }

    fn groups(
        &mut self,
        value: &Item<'_>,
        event: HookEvent,
        source: &Source<'_>,
    ) -> Result<(), Problem> {
        for (group_index, group) in value.array()?.iter().enumerate() {
            let read = self.group(group, event, source, group_index);
            self.note(read.err());
        }
        Ok(())
    }

    fn group(
        &mut self,
        group: &Item<'_>,
        event: HookEvent,
        source: &Source<'_>,
        group_index: usize,
    ) -> Result<(), Problem> {
        let members = group.object(&mut self.found.problems)?;
        // A matcher that cannot be read must not become "everything": the group goes.
        let matcher = match take(&members, "matcher") {
            Some(matcher) => {
                let text = matcher.string()?;
                if text.len() > MAX_MATCHER {
                    let message = format!("the matcher is longer than {MAX_MATCHER} bytes");
                    return Err(matcher.problem(ProblemKind::TooLarge, message));
                }
                Some(text)
            }
            None => None,
        };
        let Some(handlers) = take(&members, "hooks") else {
            return Ok(());
        };
        for (handler_index, value) in handlers.array()?.iter().enumerate() {
            if self.found.items.len() >= MAX_HANDLERS {
                let text = format!("there are more than {MAX_HANDLERS} handlers");
                return Err(value.problem(ProblemKind::TooLarge, text));
            }
            match handler(value, event, &mut self.found.problems) {
                Ok(handler) => self.found.items.push(HookDeclaration {
                    key: format!(
                        "{}:{}:{}:{group_index}:{handler_index}",
                        self.id,
                        source.name,
                        event.snake_name()
                    ),
                    event,
                    matcher: matcher.clone(),
                    file: source.file.cloned(),
                    handler,
                }),
                Err(problem) => self.note(Some(problem)),
            }
        }
        Ok(())
    }
}

/// Reads one handler. Members that nobody knows are ignored.
fn handler(
    value: &Item<'_>,
    event: HookEvent,
    problems: &mut Vec<Problem>,
) -> Result<HookHandler, Problem> {
    let members = value.object(problems)?;
    let kind = required(value, &members, "type")?;
    match kind.string()?.as_str() {
        "command" => {
            let command = required(value, &members, "command")?;
            let text = command.string()?;
            if text.trim().is_empty() {
                let message = "the command is blank, so nothing can run";
                problems.push(command.warning(ProblemKind::BadValue, message));
            }
            let windows = match optional_text(&members, "commandWindows")? {
                Some(text) => Some(text),
                None => optional_text(&members, "command_windows")?,
            };
            Ok(HookHandler::Command {
                command: text,
                command_windows: windows,
                timeout_sec: timeout(&members, event)?,
                is_async: match take(&members, "async") {
                    Some(item) => item.boolean()?,
                    None => false,
                },
                status_message: optional_text(&members, "statusMessage")?,
                additional_context_limit: optional_number(&members, "additionalContextLimit")?,
            })
        }
        "mcp_tool" => Ok(HookHandler::McpTool {
            server: required(value, &members, "server")?.string()?,
            tool: required(value, &members, "tool")?.string()?,
            timeout_sec: timeout(&members, event)?,
            status_message: optional_text(&members, "statusMessage")?,
        }),
        "prompt" => Ok(HookHandler::Prompt),
        "agent" => Ok(HookHandler::Agent),
        other => {
            let text = format!(
                "the type `{}` is none of `command`, `mcp_tool`, `prompt` and `agent`",
                clip(other)
            );
            Err(kind.problem(ProblemKind::BadValue, text))
        }
    }
}

/// How long a handler may take. Nobody can wait for nothing, so 0 becomes the shortest time.
fn timeout(members: &[Member<'_>], event: HookEvent) -> Result<u64, Problem> {
    let declared = optional_number(members, "timeout")?;
    Ok(declared.map_or(event.default_timeout_sec(), |seconds| seconds.max(1)))
}

fn required<'a>(value: &Item<'a>, members: &[Member<'a>], name: &str) -> Result<Item<'a>, Problem> {
    take(members, name).ok_or_else(|| {
        let text = format!("the handler has no `{name}`");
        value.problem(ProblemKind::MissingField, text)
    })
}

fn optional_text(members: &[Member<'_>], name: &str) -> Result<Option<String>, Problem> {
    take(members, name).map(|item| item.string()).transpose()
}

fn optional_number(members: &[Member<'_>], name: &str) -> Result<Option<u64>, Problem> {
    take(members, name)
        .map(|item| item.whole_number())
        .transpose()
}
