//! Hooks that a plugin declares: which handler would run at which event.
//!
//! Every handler has a key made of the plugin, the place of its declaration and its two positions.
//! Those of the configuration, which belong to no plugin, are read here as well: they are declared in
//! the same form, and their key begins with their file.
//! Trust is stored under that key, so positions count everything that stands in the file, also what
//! cannot be used.
//!
//! A handler that no host can run (a blank command, a matcher that is no regular expression) stays
//! in the list, because positions and `plugin/read` count it, and says so by
//! [`HookDeclaration::obstacle`].
//!
//! Nothing here decides whether a hook is trusted, and nothing here runs one.

use plugd_disk::Disk;
use plugd_disk::tree::Digest;
use plugd_model::{
    AbsPath, HooksDeclaration, ManifestFormat, PluginId, PluginManifest, Problem, ProblemKind,
};

use crate::Found;
use crate::item::{Document, Item, Member, Origin, clip, report_misspelt, take};
use crate::placeholders::{Placeholders, Platform, Spelling};
use crate::spelling;
use crate::tree::PluginTree;

mod digest;
#[cfg(test)]
mod digest_tests;
mod event;
mod handler;
mod matcher;
#[cfg(test)]
mod tests;

use digest::Canonical;
pub use event::HookEvent;
pub use handler::{HookHandler, HookObstacle};
use matcher::Judge;

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

/// The members of a group of handlers.
const GROUP: &[&str] = &["matcher", "hooks"];

/// One declared handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDeclaration {
    /// `<plugin id>:<source>:<event>:<group>:<handler>`, unique within an answer.
    pub key: String,
    /// When it would run.
    pub event: HookEvent,
    /// What restricts it to some tools or occasions, as written; `None` means no restriction.
    pub matcher: Option<String>,
    /// Whether the matcher is one that no host compiles.
    pub has_bad_matcher: bool,
    /// The file it stands in; for hooks in the manifest the manifest, and `None` when the manifest
    /// is a marketplace entry.
    pub file: Option<AbsPath>,
    /// What would run.
    pub handler: HookHandler,
}

impl HookDeclaration {
    /// Why this handler can never run, whoever trusts it. Such a handler keeps its key and its row
    /// in `plugin/read`; a list of hooks that count leaves it out.
    #[must_use]
    pub fn obstacle(&self) -> Option<HookObstacle> {
        match self.handler.obstacle(self.event) {
            None if self.has_bad_matcher => Some(HookObstacle::BadMatcher),
            obstacle => obstacle,
        }
    }

    /// The matcher, for events that have something to compare it with.
    #[must_use]
    pub fn effective_matcher(&self) -> Option<&str> {
        self.matcher
            .as_deref()
            .filter(|_| !self.event.ignores_matcher())
    }

    /// Whether nobody waits for the handler.
    #[must_use]
    pub fn runs_async(&self) -> bool {
        match &self.handler {
            HookHandler::Command { is_async, .. } => *is_async && self.event.can_be_async(),
            HookHandler::McpTool { .. } | HookHandler::Prompt | HookHandler::Agent => false,
        }
    }

    /// The digest of the declaration, under which trust is stored: the first half of what the
    /// reference calls the current hash, equal to the byte. Nothing for handlers that no host runs.
    #[must_use]
    pub fn declaration_hash(&self) -> Option<Digest> {
        let handler = self.handler.canonical()?.into_json();
        let object = Canonical::new()
            .text("event_name", self.event.snake_name())
            .some_text("matcher", self.effective_matcher())
            .json("hooks", format!("[{handler}]"));
        Some(object.digest())
    }

    /// The command with the plugin's directories put in; `$NAME` and other variables stay for the
    /// shell, which gets [`Placeholders::environment`] beside its own. On Windows the command for
    /// Windows counts, when there is one.
    #[must_use]
    pub fn command_text(&self, placeholders: &Placeholders, platform: Platform) -> Option<String> {
        let command = self.written_command(platform)?;
        Some(placeholders.expand(command, Spelling::Both))
    }

    /// The command as it is written. For hooks of the configuration nothing is put in.
    #[must_use]
    pub fn written_command(&self, platform: Platform) -> Option<&str> {
        let HookHandler::Command {
            command,
            command_windows,
            ..
        } = &self.handler
        else {
            return None;
        };
        Some(match (platform, command_windows) {
            (Platform::Windows, Some(windows)) => windows,
            _ => command,
        })
    }
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
    let (found, ..) = read(&tree, manifest, id);
    found.bounded()
}

/// The hooks in a file of the configuration; one that does not exist has none.
#[must_use]
pub fn hooks_in_file(disk: &Disk, file: &AbsPath) -> Found<HookDeclaration> {
    let text = match disk.link_stamp(file) {
        Ok(None) => return Found::nothing(),
        Ok(Some(_)) => file_text(disk, file),
        Err(error) => Err(error.problem()),
    };
    let mut reader = Reader::new();
    match text {
        Ok(Some(text)) => reader.text(&text, &Source::of_file(file)),
        Ok(None) => {}
        Err(problem) => reader.note(Some(problem)),
    }
    reader.found.bounded()
}

/// The hooks in the table `hooks` of a configuration, as JSON; `file` is where it stands. States of
/// hooks and other settings stand in it too and are passed over.
#[must_use]
pub fn hooks_in_table(table: &str, file: &AbsPath) -> Found<HookDeclaration> {
    let mut reader = Reader::new();
    let read = Document::parse_inline(table).and_then(|document| {
        let events = document.root("hooks");
        let events = events.object(&mut reader.found.problems)?;
        let is_setting = |value: &Item<'_>| !value.text().starts_with('[');
        let known = |name: &str| HookEvent::from_name(name).is_some();
        let events: Vec<_> = events
            .into_iter()
            .filter(|(name, value)| known(name) || !is_setting(value))
            .collect();
        reader.events(&events, &Source::of_file(file));
        Ok(())
    });
    reader.note(read.err());
    for problem in &mut reader.found.problems {
        problem.path = Some(file.clone());
        problem.place = None;
    }
    reader.found.bounded()
}

fn file_text(disk: &Disk, file: &AbsPath) -> Result<Option<String>, Problem> {
    match file.parent() {
        Some(parent) => PluginTree::unbounded(disk, &parent)?.read(file, MAX_FILE),
        None => Ok(None),
    }
}

/// The hooks of a plugin, the place where each is declared, and errors for the events and other
/// members that nobody here knows.
pub(crate) fn read(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    id: &PluginId,
) -> (Found<HookDeclaration>, Vec<Origin>, Vec<Problem>) {
    let mut reader = Reader::new();
    if manifest.format == ManifestFormat::AgentPlugins {
        return (reader.found, reader.origins, reader.unknown);
    }
    match &manifest.hooks {
        HooksDeclaration::Default => {
            reader.file(tree, id, DEFAULT_FILE, false);
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
                    reader.file(tree, id, path.as_str(), true);
                }
            }
        }
        HooksDeclaration::Inline(texts) => reader.inline(tree, id, manifest.format, texts),
        HooksDeclaration::Nothing => {}
    }
    (reader.found, reader.origins, reader.unknown)
}

/// Where the handlers being read stand.
struct Source<'a> {
    /// What keys begin with.
    key: String,
    file: Option<&'a AbsPath>,
}

impl<'a> Source<'a> {
    fn of_plugin(id: &PluginId, name: &str, file: Option<&'a AbsPath>) -> Self {
        let key = format!("{id}:{name}");
        Self { key, file }
    }

    fn of_file(file: &'a AbsPath) -> Self {
        Self {
            key: file.to_text(),
            file: Some(file),
        }
    }
}

struct Reader {
    found: Found<HookDeclaration>,
    /// Where the items of `found` stand.
    origins: Vec<Origin>,
    /// The events and other members that are not known. They spoil nothing, and what they hold is in
    /// no list.
    unknown: Vec<Problem>,
    judge: Judge,
}

impl Reader {
    fn new() -> Self {
        Self {
            found: Found::nothing(),
            origins: Vec::new(),
            unknown: Vec::new(),
            judge: Judge::default(),
        }
    }

    fn file(&mut self, tree: &PluginTree<'_>, id: &PluginId, relative: &str, declared: bool) {
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
        self.text(&text, &Source::of_plugin(id, relative, Some(&path)));
    }

    /// Reads the text of a hooks file.
    fn text(&mut self, text: &str, source: &Source<'_>) {
        let document = match source.file {
            Some(file) => Document::parse_file(text, file),
            None => Document::parse_inline(text),
        };
        let read = document.and_then(|document| self.document(&document.root(""), source));
        self.note(read.err());
    }

    /// Reads hooks that stand in the manifest: in its file when they are still there, so that
    /// problems have their place, else as they were when the manifest was read.
    fn inline(
        &mut self,
        tree: &PluginTree<'_>,
        id: &PluginId,
        format: ManifestFormat,
        texts: &[String],
    ) {
        let file = plugd_manifest::plugin_file(format).map(|name| tree.root().join(name));
        let manifest = tree.manifest_text(format);
        let document = manifest
            .as_ref()
            .and_then(|(file, text)| Document::parse_file(text, file).ok());
        let declared = document.as_ref().map(in_manifest).unwrap_or_default();
        for (index, text) in texts.iter().enumerate() {
            let name = format!("plugin.json#hooks[{index}]");
            let source = Source::of_plugin(id, &name, file.as_ref());
            if let Some(item) = declared.get(index).filter(|item| item.text() == text) {
                let read = self.document(item, &source);
                self.note(read.err());
                continue;
            }
            let before = self.found.problems.len();
            let read = Document::parse_inline(text).and_then(|document| {
                self.document(&document.root(&format!("hooks[{index}]")), &source)
            });
            self.note(read.err());
            for problem in &mut self.found.problems[before..] {
                problem.path.clone_from(&file);
            }
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
                    if value.holds_values() {
                        self.unknown.push(value.stray());
                    }
                    let hint = match spelling::meant(name, &["hooks", "description"]) {
                        Some(meant) => format!("; did you mean `{meant}`"),
                        None if HookEvent::from_name(name).is_some() => {
                            "; events stand below `hooks`".to_owned()
                        }
                        None => String::new(),
                    };
                    let text = format!("nobody reads `{}` in a hooks file{hint}", clip(name));
                    self.note(Some(value.warning(ProblemKind::UnknownField, text)));
                }
            }
        }
        let Some(events) = take(&members, "hooks") else {
            return Ok(());
        };
        let events = events.object(&mut self.found.problems)?;
        self.events(&events, source);
        Ok(())
    }

    fn events(&mut self, events: &[Member<'_>], source: &Source<'_>) {
        for (name, value) in events {
            if HookEvent::from_name(name).is_none() {
                let names: Vec<_> = HookEvent::ALL.iter().map(|event| event.name()).collect();
                let text = match spelling::meant(name, &names) {
                    Some(meant) => format!(
                        "the event `{}` is not known; did you mean `{meant}`",
                        clip(name)
                    ),
                    None => format!("the event `{}` is not known", clip(name)),
                };
                let unknown = value.problem(ProblemKind::UnknownField, text.clone());
                self.unknown.push(unknown);
                self.note(Some(value.warning(ProblemKind::UnknownField, text)));
            }
        }
        for &event in HookEvent::ALL {
            if let Some((_, value)) = events.iter().find(|(name, _)| name == event.name()) {
                let read = self.groups(value, event, source);
                self.note(read.err());
            }
        }
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
        report_misspelt(&members, GROUP, &mut self.found.problems);
        let problems = &mut self.found.problems;
        let judge = &mut self.judge;
        let matcher = handler::read_matcher(&members, event, MAX_MATCHER, judge, problems)?;
        let Some(handlers) = take(&members, "hooks") else {
            return Ok(());
        };
        for (handler_index, value) in handlers.array()?.iter().enumerate() {
            if self.found.items.len() >= MAX_HANDLERS {
                let text = format!("there are more than {MAX_HANDLERS} handlers");
                return Err(value.problem(ProblemKind::TooLarge, text));
            }
            match handler::read(value, event, &mut self.found.problems) {
                Ok(handler) => {
                    self.origins.push(value.origin());
                    self.found.items.push(HookDeclaration {
                        key: format!(
                            "{}:{}:{group_index}:{handler_index}",
                            source.key,
                            event.snake_name()
                        ),
                        event,
                        matcher: matcher.text.clone(),
                        has_bad_matcher: matcher.is_bad,
                        file: source.file.cloned(),
                        handler,
                    });
                }
                Err(problem) => self.note(Some(problem)),
            }
        }
        Ok(())
    }
}

/// The values of a manifest's `hooks`: the one, or those of the list.
fn in_manifest<'a>(document: &'a Document<'a>) -> Vec<Item<'a>> {
    let members = document.root("").object(&mut Vec::new());
    match take(&members.unwrap_or_default(), "hooks") {
        Some(item) => item.array().unwrap_or_else(|_| vec![item]),
        None => Vec::new(),
    }
}
