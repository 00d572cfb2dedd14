//! A snapshot: everything a request needs to know about configuration, read once and then fixed.
//!
//! Reading never fails as a whole. What could not be read or understood is in
//! [`Snapshot::problems`] and, made ready for a notification, in [`Snapshot::warnings`].

use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, Place, PluginId, Problem, ProblemKind};
use serde_json::Value;

use crate::hook_setting::HookState;
use crate::layer::{Layer, LayerSource, Stack};
use crate::marketplace_setting::{self, MarketplaceSetting};
use crate::mcp_setting::{self, McpOverlay, UserMcpServer};
use crate::personal::{self, Personal};
use crate::plugin_setting::{self, Features, PluginSetting};
use crate::reader::Reader;
use crate::remote_setting::{self, RemoteSettings};
use crate::requirements::{self, Requirements};
use crate::settings::{self, Settings};
use crate::skill_setting::SkillRule;
use crate::tree::{Kind, Node};
use crate::{KeyPath, SessionFlags, foreign_keys, project, trust as trust_table};

/// The name under which the settings appear beside the configuration.
pub(crate) const SETTINGS_KEY: &str = "plugd";

/// Something to tell the user about the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// One sentence fragment.
    pub summary: String,
    /// More, where there is more.
    pub details: Option<String>,
    /// The file it speaks of.
    pub path: Option<AbsPath>,
    /// From where to where in the file.
    pub range: Option<(Place, Place)>,
}

/// The configuration as it was at one moment, for one working directory.
#[derive(Debug, Clone)]
pub struct Snapshot {
    stack: Vec<Layer>,
    config_layers: usize,
    merged: Node,
    settings_tree: Node,
    effective: Value,
    plugins: Vec<PluginSetting>,
    marketplaces: Vec<MarketplaceSetting>,
    user_mcp_servers: Vec<UserMcpServer>,
    personal: Personal,
    features: Features,
    remote: RemoteSettings,
    requirements: Requirements,
    settings: Settings,
    warnings: Vec<Warning>,
    problems: Vec<Problem>,
}

/// Reads the configuration as seen from a directory, or without any project. Never fails as a
/// whole.
#[must_use]
pub fn load(
    disk: &Disk,
    layout: &Layout,
    flags: &SessionFlags,
    cwd: Option<&AbsPath>,
) -> Arc<Snapshot> {
    let mut stack = Stack::default();
    let mut notes = Vec::new();
    let order = read_config(disk, layout, flags, cwd, &mut stack, &mut notes);
    let merged = merge(&stack, &order, &mut notes);
    let config_layers = stack.drafts.len();
    let (settings_tree, trust) = read_settings(disk, layout, flags, &mut stack);

    let mut reader = Reader::new(&stack);
    let plugins = plugin_setting::read(&mut reader, &merged);
    let marketplaces = marketplace_setting::read(&mut reader, &merged);
    let user_mcp_servers = mcp_setting::user_servers(&mut reader, &merged);
    let personal = personal::read(&mut reader, &order, &merged);
    let features = plugin_setting::read_features(&mut reader, &merged);
    let remote = remote_setting::read(&mut reader, &merged);
    let trust: Vec<&Node> = trust.iter().collect();
    let mut settings = settings::read(&mut reader, &settings_tree, &trust);
    notes.extend(reader.problems);
    settings
        .trust
        .extend(trust_table::unread(&stack.drafts[config_layers..]));

    let mut required = Stack::default();
    let file = layout.system().join("requirements.toml");
    let index = required.read(disk, LayerSource::System, file.clone());
    let (requirements, found) = requirements::read(&required, index, file);
    notes.extend(found);
    settings.trust.extend(requirements.trust().cloned());

    let mut warnings = Vec::new();
    let mut problems = Vec::new();
    for draft in stack.drafts.iter().chain(&required.drafts) {
        // An untrusted project changes nothing, so its mistakes are nobody's business.
        let (Some(problem), None) = (&draft.layer.error, &draft.layer.disabled_reason) else {
            continue;
        };
        warnings.push(broken_file(problem, draft.error_end, &draft.layer.source));
        problems.push(problem.clone());
    }
    warnings.extend(notes.iter().map(note));
    problems.extend(notes);

    let mut effective = merged.to_json();
    if let Value::Object(members) = &mut effective {
        let settings = settings_tree.to_json();
        if settings.as_object().is_some_and(|table| !table.is_empty()) {
            members.insert(SETTINGS_KEY.to_owned(), settings);
        }
    }
    Arc::new(Snapshot {
        stack: stack.drafts.into_iter().map(|draft| draft.layer).collect(),
        config_layers,
        merged,
        settings_tree,
        effective,
        plugins,
        marketplaces,
        user_mcp_servers,
        personal,
        features,
        remote,
        requirements,
        settings,
        warnings,
        problems,
    })
}

/// Lays the layers over each other, without what belongs elsewhere or means nothing any more.
fn merge(stack: &Stack, order: &[usize], notes: &mut Vec<Problem>) -> Node {
    let mut merged = stack.merge(order);
    if let Some(stray) = merged.remove(SETTINGS_KEY) {
        let message = "own settings are not read from here but from `plugd.toml` beside it";
        let problem = Problem::warning(ProblemKind::UnknownField, message);
        notes.push(stack.located(problem, stray.mark, &KeyPath::of([SETTINGS_KEY])));
    }
    if let Some(node) = merged.get("profile") {
        let message = match &node.kind {
            Kind::Text(name) => foreign_keys::no_longer_supported(name),
            _ => foreign_keys::no_longer_supported("NAME"),
        };
        let problem = Problem::warning(ProblemKind::UnknownField, message);
        notes.push(stack.located(problem, node.mark, &KeyPath::of(["profile"])));
    }
    merged
}

/// Reads all `config.toml` layers into an empty stack, lowest first, and returns those that count.
fn read_config(
    disk: &Disk,
    layout: &Layout,
    flags: &SessionFlags,
    cwd: Option<&AbsPath>,
    stack: &mut Stack,
    notes: &mut Vec<Problem>,
) -> Vec<usize> {
    // What decides about profile and trust must be read first, also where it is higher: those
    // layers wait in a stack of their own until their place comes.
    let managed_file = layout.system().join("managed_config.toml");
    let mut managed = Stack::default();
    if !matches!(disk.stamp(&managed_file), Ok(None)) {
        managed.read(disk, LayerSource::Managed, managed_file);
    }

    let system = layout.system().join("config.toml");
    stack.read(disk, LayerSource::System, system);
    let user = stack.read(disk, LayerSource::User, layout.user_config());
    let mut outside = stack.merge(&[0, user]);
    outside.overlay(&flags.config);
    if let Some(file) = profile(flags, layout, notes) {
        let index = stack.read(disk, file.0, file.1);
        outside = stack.merge(&[0, user, index]);
        outside.overlay(&flags.config);
    }
    for draft in &managed.drafts {
        outside.overlay(&draft.tree);
    }
    let folders =
        cwd.map(|cwd| project::folders(disk, layout.home(), &layout.user_config(), &outside, cwd));
    for folder in folders.unwrap_or_default() {
        let file = folder.folder.join("config.toml");
        let source = LayerSource::Project {
            folder: folder.folder,
        };
        let index = stack.read(disk, source, file);
        let draft = &mut stack.drafts[index];
        draft.layer.disabled_reason = folder.disabled_reason;
        let dropped = project::drop_forbidden(&mut draft.tree);
        draft.layer.content = draft.tree.to_json();
        draft.layer.version = crate::layer::version(&draft.layer.content);
        if draft.layer.disabled_reason.is_some() {
            continue;
        }
        for (name, mark) in dropped {
            let message = "a project may not set this key";
            let problem = Problem::warning(ProblemKind::UnknownField, message);
            notes.push(stack.located(problem, mark, &KeyPath::of([&name])));
        }
    }
    if flags
        .config
        .members()
        .is_some_and(|members| !members.is_empty())
    {
        stack.add_flags(&flags.config);
    }
    stack
        .drafts
        .append(&mut managed.drafts_from(stack.drafts.len()));
    let counts = |index: &usize| stack.drafts[*index].layer.disabled_reason.is_none();
    (0..stack.drafts.len()).filter(counts).collect()
}

/// The selected profile's layer, when there is one. No file selects a profile: the reference refuses
/// the key that once did.
fn profile(
    flags: &SessionFlags,
    layout: &Layout,
    notes: &mut Vec<Problem>,
) -> Option<(LayerSource, AbsPath)> {
    let name = flags.profile.clone()?;
    // The name becomes part of a path.
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || !name.chars().all(legal) {
        let message = format!("`{}` is no name of a profile", name.escape_debug());
        let problem = Problem::error(ProblemKind::BadName, message);
        notes.push(problem.at_field("profile"));
        return None;
    }
    let file = layout.profile_config(&name);
    Some((LayerSource::Profile { name }, file))
}

/// Reads the settings files behind the `config.toml` layers; returns their merge and the `[trust]`
/// tables one by one, those of trusted projects last.
fn read_settings(
    disk: &Disk,
    layout: &Layout,
    flags: &SessionFlags,
    stack: &mut Stack,
) -> (Node, Vec<Node>) {
    let projects: Vec<(LayerSource, AbsPath)> = stack
        .drafts
        .iter()
        .filter(|draft| draft.layer.disabled_reason.is_none())
        .filter_map(|draft| match &draft.layer.source {
            LayerSource::Project { folder } => {
                Some((draft.layer.source.clone(), folder.join("plugd.toml")))
            }
            _ => None,
        })
        .collect();
    let system = layout.system().join("plugd.toml");
    let mut order = vec![
        stack.read(disk, LayerSource::System, system),
        stack.read(disk, LayerSource::User, layout.user_plugd_config()),
    ];
    if flags
        .settings
        .members()
        .is_some_and(|members| !members.is_empty())
    {
        order.push(stack.add_flags(&flags.settings));
    }
    let merged = stack.merge(&order);
    for (source, file) in projects {
        order.push(stack.read(disk, source, file));
    }
    let trust = order
        .iter()
        .filter_map(|&index| stack.drafts[index].tree.get("trust").cloned())
        .collect();
    (merged, trust)
}

/// The warning about a file that could not be used at all.
fn broken_file(problem: &Problem, end: Option<Place>, source: &LayerSource) -> Warning {
    let consequence = match source {
        LayerSource::User => "defaults are in use",
        _ => "it is not used",
    };
    let file = problem
        .path
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let details = match problem.place {
        Some(Place { line, column }) => format!("{file}:{line}:{column}: {}", problem.message),
        None => problem.message.clone(),
    };
    Warning {
        summary: format!("invalid configuration in `{file}`; {consequence}"),
        details: Some(details),
        path: problem.path.clone(),
        range: problem.place.map(|start| (start, end.unwrap_or(start))),
    }
}

/// The warning about one key.
fn note(problem: &Problem) -> Warning {
    let field = problem.field.as_deref().unwrap_or("the configuration");
    Warning {
        summary: format!("`{field}` is ignored: {}", problem.message),
        details: None,
        path: problem.path.clone(),
        range: problem.place.map(|place| (place, place)),
    }
}

impl Snapshot {
    /// All layers that count merged into one, with their places.
    pub(crate) fn merged(&self) -> &Node {
        &self.merged
    }

    /// All layers of `config.toml`, lowest first, also those that do not count.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.stack[..self.config_layers]
    }

    /// All layers of `plugd.toml`: system, user, flags, then trusted projects, of which only the
    /// trust table counts.
    #[must_use]
    pub fn settings_layers(&self) -> &[Layer] {
        &self.stack[self.config_layers..]
    }

    /// The user's own layer, which is the one that is written.
    #[must_use]
    pub fn user_layer(&self) -> &Layer {
        // The stack is built with the system layer first and the user's behind it.
        &self.stack[1]
    }

    /// All layers that count merged into one, unknown keys included; the settings under `plugd`.
    #[must_use]
    pub fn effective(&self) -> &Value {
        &self.effective
    }

    /// Each value of [`Snapshot::effective`] with the layer that decided it. Elements of arrays
    /// have rows of their own.
    #[must_use]
    pub fn origins(&self) -> Vec<(KeyPath, &Layer)> {
        let mut rows = Vec::new();
        let mut visit = |path: &[String], mark: crate::tree::Mark| {
            if let Ok(path) = KeyPath::new(path.iter().cloned()) {
                rows.push((path, &self.stack[mark.source]));
            }
        };
        self.merged.leaves(&mut Vec::new(), &mut visit);
        self.settings_tree
            .leaves(&mut vec![SETTINGS_KEY.to_owned()], &mut visit);
        rows
    }

    /// The layer above the user's that decides a key, with the value in force; `None` when the
    /// user's own value is in force.
    #[must_use]
    pub fn overridden(&self, key: &KeyPath) -> Option<(&Layer, Value)> {
        let (tree, path) = match key.segments() {
            [first, rest @ ..] if first == SETTINGS_KEY => (&self.settings_tree, rest),
            path => (&self.merged, path),
        };
        // A value above may also have replaced a table that the key lies in.
        let node = (0..=path.len())
            .rev()
            .find_map(|depth| tree.at(&path[..depth]))?;
        let mut highest = node.mark.source;
        node.leaves(&mut Vec::new(), &mut |_, mark| {
            highest = highest.max(mark.source);
        });
        let layer = &self.stack[highest];
        let is_above = !matches!(layer.source, LayerSource::System | LayerSource::User);
        is_above.then(|| (layer, tree.at(path).map_or(Value::Null, Node::to_json)))
    }

    /// The plugins that are configured, in the order of the layers and files.
    #[must_use]
    pub fn plugins(&self) -> &[PluginSetting] {
        &self.plugins
    }

    /// The marketplaces that are configured, in the order of the layers and files.
    #[must_use]
    pub fn marketplaces(&self) -> &[MarketplaceSetting] {
        &self.marketplaces
    }

    /// The rules for skills, in the order in which they apply: of those that are about a skill the
    /// last one decides.
    #[must_use]
    pub fn skill_rules(&self) -> &[SkillRule] {
        &self.personal.skill_rules
    }

    /// Whether the skills that come with the reference are listed.
    #[must_use]
    pub fn bundled_skills(&self) -> bool {
        self.personal.skill_switches.bundled
    }

    /// Whether a model is told which skills there are.
    #[must_use]
    pub fn skill_instructions(&self) -> bool {
        self.personal.skill_switches.include_instructions
    }

    /// What the user has decided about hooks, in the order of the layers and files.
    #[must_use]
    pub fn hook_states(&self) -> &[HookState] {
        &self.personal.hook_states
    }

    /// What is laid over the MCP servers of a plugin; nothing for one that is not configured.
    #[must_use]
    pub fn mcp_overlays(&self, id: &PluginId) -> &[McpOverlay] {
        let plugin = self.plugins.iter().find(|plugin| plugin.id == *id);
        plugin.map_or(&[], |plugin| &plugin.mcp_servers)
    }

    /// The MCP servers that are configured without a plugin, in the order of the layers and files.
    #[must_use]
    pub fn user_mcp_servers(&self) -> &[UserMcpServer] {
        &self.user_mcp_servers
    }

    /// The switches.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// How the hosted service is reached, of which no project decides anything.
    #[must_use]
    pub fn remote(&self) -> &RemoteSettings {
        &self.remote
    }

    /// What the administrator requires.
    #[must_use]
    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// The program's own settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What to tell the user, files that could not be used first.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What was ignored, with file and place; broken files first.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The broken files of trusted projects among the problems, which concern only requests from
    /// that directory.
    pub fn project_problems(&self) -> impl Iterator<Item = &Problem> {
        self.stack.iter().filter_map(|layer| {
            let is_project = matches!(layer.source, LayerSource::Project { .. });
            let counts = is_project && layer.disabled_reason.is_none();
            layer.error.as_ref().filter(|_| counts)
        })
    }

    /// Whether one of the layers that count could not be read, so that less is known than usual.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        let broken = |layer: &Layer| layer.error.is_some() && layer.disabled_reason.is_none();
        self.layers().iter().any(broken)
    }
}

#[cfg(test)]
mod profile_tests;
#[cfg(test)]
pub(crate) mod tests;
