//! What differs between two versions of a plugin, for somebody who has approved the first.

use std::collections::BTreeMap;

use plugd_disk::tree::{FileDigests, TreePlan};

use super::{Executable, HiddenText, InspectedServer, Inspection, LicenceFile};
use crate::hooks::{HookDeclaration, HookHandler};
use crate::mcp::McpTransport;

/// The difference of two inspections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs, category by category.
    pub changes: Categories,
    /// Files before and after.
    pub files: (u64, u64),
    /// Bytes before and after.
    pub bytes: (u64, u64),
}

/// What differs in each category. [`Categories::iter`] names them all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Categories {
    /// MCP servers by name.
    pub mcp_servers: Changes,
    /// Hooks by key.
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
    /// Files by path whose content differs and that no other category names: configuration, data,
    /// libraries.
    pub other_files: Changes,
}

/// What can differ; a word for each is for whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// [`Categories::mcp_servers`].
    McpServer,
    /// [`Categories::hooks`].
    Hook,
    /// [`Categories::apps`].
    App,
    /// [`Categories::executables`].
    Executable,
    /// [`Categories::environment`].
    Environment,
    /// [`Categories::texts`].
    Text,
    /// [`Categories::hidden`].
    Hidden,
    /// [`Categories::licences`].
    Licence,
    /// [`Categories::oddities`].
    Oddity,
    /// [`Categories::other_files`].
    OtherFile,
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

/// The files of a plugin as an installation holds them, each with what tells its content from
/// another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InspectedFiles {
    rows: Rows,
    bytes: u64,
}

impl InspectedFiles {
    /// The files of a plan that count.
    #[must_use]
    pub fn of(plan: &TreePlan, digests: &FileDigests, counts: impl Fn(&str) -> bool) -> Self {
        let mut files = Self::default();
        for file in plan.files().filter(|file| counts(&file.path)) {
            let Some(digest) = digests.digest_of(&file.path) else {
                continue;
            };
            let mark = if file.executable { " marked" } else { "" };
            let shown = format!("{} bytes{mark} {digest}", file.size);
            files.bytes = files.bytes.saturating_add(file.size);
            files.rows.insert(file.path, shown);
        }
        files
    }

    fn len(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }
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

    /// Whether something of this name differs.
    fn names(&self, name: &str) -> bool {
        let of = |rows: &[(String, String)]| rows.binary_search_by(|row| row.0.as_str().cmp(name));
        let changed = &self.changed;
        of(&self.added).is_ok()
            || of(&self.removed).is_ok()
            || changed
                .binary_search_by(|one| one.name.as_str().cmp(name))
                .is_ok()
    }

    /// Keeps what some names differ in.
    fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.added.retain(|(name, _)| keep(name));
        self.removed.retain(|(name, _)| keep(name));
        self.changed.retain(|change| keep(&change.name));
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Inspection {
    /// What `after` has that this one has not, and the reverse. Without the files of both sides
    /// nothing can be said of those that no category names.
    #[must_use]
    pub fn difference(
        &self,
        after: &Self,
        files: Option<(&InspectedFiles, &InspectedFiles)>,
    ) -> Difference {
        let mut difference = Difference {
            changes: self.of_categories(after),
            files: (self.files, after.files),
            bytes: (self.bytes, after.bytes),
        };
        if let Some((before, after)) = files {
            difference.files = (before.len(), after.len());
            difference.bytes = (before.bytes, after.bytes);
            let changes = &mut difference.changes;
            let mut all = Changes::of(&before.rows, &after.rows);
            let told = [&changes.executables, &changes.texts, &changes.licences];
            all.retain(|path| !told.iter().any(|changes| changes.names(path)));
            changes.other_files = all;
        }
        difference
    }

    fn of_categories(&self, after: &Self) -> Categories {
        let changes = |rows: fn(&Self) -> Rows| Changes::of(&rows(self), &rows(after));
        Categories {
            mcp_servers: changes(|i| rows(&i.mcp_servers, server)),
            hooks: changes(|i| rows(&i.hooks, |one| (one.key.clone(), hook(one)))),
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
                let files = i.licence_files.iter().map(licence);
                declared.chain(files).collect()
            }),
            oddities: changes(|i| {
                rows(&i.oddities, |o| (o.path.clone(), o.kind.word().to_owned()))
            }),
            other_files: Changes::default(),
        }
    }
}

impl Difference {
    /// Whether nothing differs. The number of files and bytes may, where the content could not be
    /// read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|(_, changes)| changes.is_empty())
    }
}

impl Categories {
    /// Every category with what differs in it, in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = (Category, &Changes)> {
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
            other_files,
        } = self;
        [
            (Category::McpServer, mcp_servers),
            (Category::Hook, hooks),
            (Category::App, apps),
            (Category::Executable, executables),
            (Category::Environment, environment),
            (Category::Text, texts),
            (Category::Hidden, hidden),
            (Category::Licence, licences),
            (Category::Oddity, oddities),
            (Category::OtherFile, other_files),
        ]
        .into_iter()
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

/// One line that says what a server does; whatever changes it makes another line.
fn server(server: &InspectedServer) -> (String, String) {
    let server = &server.definition;
    let reach = match &server.transport {
        McpTransport::Stdio { command, args, .. } => {
            let words = [command].into_iter().chain(args);
            words.map(String::as_str).collect::<Vec<_>>().join(" ")
        }
        McpTransport::Http {
            url,
            headers_helper,
            ..
        } => match headers_helper {
            Some(command) => format!("{url} (headers: {command})"),
            None => url.clone(),
        },
    };
    (server.name.clone(), format!("{reach} {}", server.json))
}

/// One line that says what a hook does, with all that its trust covers and the command on Windows.
fn hook(hook: &HookDeclaration) -> String {
    let matcher = hook.effective_matcher().unwrap_or("*");
    let (what, rest) = match &hook.handler {
        HookHandler::Command {
            command,
            command_windows,
            timeout_sec,
            is_async,
            status_message,
            additional_context_limit,
        } => {
            let mut rest = vec![format!("timeout {timeout_sec}")];
            rest.extend(is_async.then(|| "async".to_owned()));
            rest.extend(status_message.iter().map(|text| format!("says {text}")));
            let limit = additional_context_limit.iter();
            rest.extend(limit.map(|limit| format!("context limit {limit}")));
            let windows = command_windows.iter();
            rest.extend(windows.map(|text| format!("on Windows {text}")));
            (command.clone(), rest)
        }
        HookHandler::McpTool {
            server,
            tool,
            input,
            timeout_sec,
            status_message,
        } => {
            let mut rest = vec![format!("timeout {timeout_sec}")];
            rest.extend(status_message.iter().map(|text| format!("says {text}")));
            (format!("tool {server}/{tool} {input}"), rest)
        }
        HookHandler::Prompt => ("prompt".to_owned(), Vec::new()),
        HookHandler::Agent => ("agent".to_owned(), Vec::new()),
    };
    let words = [format!("{} {matcher}: {what}", hook.event.name())];
    words.into_iter().chain(rest).collect::<Vec<_>>().join(", ")
}

fn licence(file: &LicenceFile) -> (String, String) {
    let digest = file.digest.as_ref().map(ToString::to_string);
    let digest = digest.unwrap_or_else(|| "not read".to_owned());
    (file.path.clone(), format!("{} bytes {digest}", file.bytes))
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
