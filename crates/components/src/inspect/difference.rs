//! What differs between two versions of a plugin, for somebody who has approved the first.

use std::collections::BTreeMap;

use super::{Executable, HiddenText, Inspection};
use crate::hooks::{HookDeclaration, HookHandler};
use crate::mcp::{McpDefinition, McpTransport};

/// The difference of two inspections, category by category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// MCP servers by name.
    pub mcp_servers: Changes,
    /// Hooks by event and by what they do; a position in a file means nothing here.
    pub hooks: Changes,
    /// Apps by id.
    pub apps: Changes,
    /// Executables by path.
    pub executables: Changes,
    /// Names of environment variables; they cannot change.
    pub environment: Changes,
    /// Texts for a model by path.
    pub texts: Changes,
    /// Hidden characters by text and kind; a change is one of their number.
    pub hidden: Changes,
    /// Licences: the declared one under the empty name, and files by path.
    pub licences: Changes,
    /// Oddities by path.
    pub oddities: Changes,
    /// Files before and after.
    pub files: (u64, u64),
    /// Bytes before and after.
    pub bytes: (u64, u64),
}

/// What differs in one category, each list sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// What is new, with what it is.
    pub added: Vec<(String, String)>,
    /// What is gone, with what it was.
    pub removed: Vec<(String, String)>,
    /// What is called the same and is something else.
    pub changed: Vec<Change>,
}

/// Something that is called the same and is something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is called.
    pub name: String,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

type Rows = BTreeMap<String, String>;

impl Changes {
    fn of(before: &Rows, after: &Rows) -> Self {
        let missing = |rows: &Rows, other: &Rows| {
            let rows = rows.iter().filter(|(name, _)| !other.contains_key(*name));
            rows.map(|(name, shown)| (name.clone(), shown.clone()))
                .collect()
        };
        let changed = after.iter().filter_map(|(name, to)| {
            let from = before.get(name).filter(|from| *from != to)?;
            Some(Change {
                name: name.clone(),
                from: from.clone(),
                to: to.clone(),
            })
        });
        Self {
            added: missing(after, before),
            removed: missing(before, after),
            changed: changed.collect(),
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Inspection {
    /// What `after` has that this one has not, and the reverse.
    #[must_use]
    pub fn difference(&self, after: &Self) -> Difference {
        let changes = |rows: fn(&Self) -> Rows| Changes::of(&rows(self), &rows(after));
        Difference {
            mcp_servers: changes(|i| rows(&i.mcp_servers, |s| (s.name.clone(), server(s)))),
            hooks: changes(hooks),
            apps: changes(|i| rows(&i.apps, |app| (app.id.clone(), app.label.clone()))),
            executables: changes(|i| rows(&i.executables, executable)),
            environment: changes(|i| {
                let names = i.environment.iter();
                names
                    .map(|(name, _)| (name.to_owned(), String::new()))
                    .collect()
            }),
            texts: changes(|i| {
                rows(&i.texts, |text| {
                    let shown =
                        format!("{} {} bytes {}", text.kind.word(), text.bytes, text.digest);
                    (text.path.clone(), shown)
                })
            }),
            hidden: changes(|i| counted(i.hidden.iter().map(hidden))),
            licences: changes(|i| {
                let declared = i.licence.iter().map(|l| (String::new(), l.clone()));
                let files = i.licence_files.iter().map(|f| (f.clone(), String::new()));
                declared.chain(files).collect()
            }),
            oddities: changes(|i| {
                rows(&i.oddities, |o| (o.path.clone(), o.kind.word().to_owned()))
            }),
            files: (self.files, after.files),
            bytes: (self.bytes, after.bytes),
        }
    }
}

impl Difference {
    /// Whether nothing that runs or is read by a model differs. The number of files and bytes may.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            mcp_servers,
            hooks,
            apps,
            executables,
            environment,
            texts,
            hidden,
            licences,
            oddities,
            files: _,
            bytes: _,
        } = self;
        [
            mcp_servers,
            hooks,
            apps,
            executables,
            environment,
            texts,
            hidden,
            licences,
            oddities,
        ]
        .into_iter()
        .all(Changes::is_empty)
    }
}

fn rows<T>(items: &[T], row: impl Fn(&T) -> (String, String)) -> Rows {
    items.iter().map(row).collect()
}

/// Names with how often each occurs.
fn counted(names: impl Iterator<Item = String>) -> Rows {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let counts = counts.into_iter();
    counts.map(|(name, n)| (name, n.to_string())).collect()
}

fn hooks(inspection: &Inspection) -> Rows {
    counted(inspection.hooks.iter().map(hook))
}

/// One line that says what a server does; whatever changes it makes another line.
fn server(server: &McpDefinition) -> String {
    let reach = match &server.transport {
        McpTransport::Stdio { command, args, .. } => {
            let words = [command].into_iter().chain(args);
            words.map(String::as_str).collect::<Vec<_>>().join(" ")
        }
        McpTransport::Http { url, .. } => url.clone(),
    };
    format!("{reach} {}", server.json)
}

fn hook(hook: &HookDeclaration) -> String {
    let matcher = hook.effective_matcher().unwrap_or("*");
    let what = match &hook.handler {
        HookHandler::Command {
            command,
            command_windows,
            ..
        } => match command_windows {
            Some(windows) => format!("{command} (on Windows: {windows})"),
            None => command.clone(),
        },
        HookHandler::McpTool {
            server,
            tool,
            input,
            ..
        } => format!("tool {server}/{tool} {input}"),
        HookHandler::Prompt => "prompt".to_owned(),
        HookHandler::Agent => "agent".to_owned(),
    };
    format!("{} {matcher}: {what}", hook.event.name())
}

fn executable(executable: &Executable) -> (String, String) {
    let digest = executable.digest.as_ref().map(ToString::to_string);
    let shown = format!(
        "{} {} bytes {} {}",
        executable.kind.word(),
        executable.bytes,
        if executable.is_marked {
            "marked"
        } else {
            "not marked"
        },
        digest.unwrap_or_else(|| "not read".to_owned()),
    );
    (executable.path.clone(), shown)
}

fn hidden(hidden: &HiddenText) -> String {
    let code = u32::from(hidden.found.character);
    format!("{} U+{code:04X} {}", hidden.path, hidden.found.class.word())
}
