//! A snapshot: everything a request needs to know about configuration, read once and then fixed.
//!
//! Reading never fails as a whole. What could not be read or understood is in
//! [`Snapshot::problems`] and, made ready for a notification, in [`Snapshot::warnings`].

use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, PluginId, Problem, ProblemKind};
use serde_json::Value;

use crate::files::{self, Files};
use crate::hook_setting::HookState;
use crate::layer::{Layer, LayerSource, Stack, USER};
use crate::marketplace_setting::{self, MarketplaceSetting};
use crate::mcp_setting::{self, McpOverlay, UserMcpServer};
use crate::personal::{self, Personal};
use crate::plugin_setting::{self, Features, PluginSetting};
use crate::project::{self, ProjectFolder};
use crate::reader::Reader;
use crate::remote_setting::{self, RemoteSettings};
use crate::requirements::{self, Requirements};
use crate::settings::{self, Settings};
use crate::skill_setting::SkillRule;
use crate::tree::{Kind, Node};
use crate::warning::{
    NOTHING_IS_ALLOWED, Warning, broken_file, consequence, note, note_of_requirements,
};
use crate::{KeyPath, SessionFlags, foreign_keys, trust as trust_table};

/// The name under which the settings appear beside the configuration.
pub(crate) const SETTINGS_KEY: &str = "plugd";

/// The configuration as it was at one moment, for one working directory.
#[derive(Debug, Clone)]
pub struct Snapshot {
    stack: Vec<Layer>,
    config_layers: usize,
    merged: Node,
    settings_tree: Node,
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
    let files = Files::read(disk, layout, flags);
    let outside = build(disk, layout, flags, &files, Vec::new());
    match cwd.map(|cwd| folders_of(disk, layout, &outside, cwd)) {
        Some(folders) if !folders.is_empty() => build(disk, layout, flags, &files, folders),
        _ => outside,
    }
}

/// The directories with configuration that a working directory has, as all that is outside of them
/// judges them.
pub(crate) fn folders_of(
    disk: &Disk,
    layout: &Layout,
    outside: &Snapshot,
    cwd: &AbsPath,
) -> Vec<ProjectFolder> {
    let user_config = layout.user_config();
    project::folders(disk, layout.home(), &user_config, &outside.merged, cwd)
}

/// The snapshot that these files make, with these directories of a project. What lies in those is read.
pub(crate) fn build(
    disk: &Disk,
    layout: &Layout,
    flags: &SessionFlags,
    files: &Files,
    folders: Vec<ProjectFolder>,
) -> Arc<Snapshot> {
    let mut stack = Stack::default();
    let mut notes = Vec::new();
    let order = read_config(disk, layout, flags, files, folders, &mut stack, &mut notes);
    let (merged, stray) = merge(&stack, &order, &mut notes);
    let config_layers = stack.drafts.len();
    let (settings_tree, trust, mut misplaced) =
        read_settings(disk, layout, flags, files, &mut stack);
    misplaced.extend(stray);

    let mut reader = Reader::new(&stack);
    let mut plugins = plugin_setting::read(&mut reader, &merged);
    let marketplaces = marketplace_setting::read(&mut reader, &merged);
    let user_mcp_servers = mcp_setting::user_servers(&mut reader, &merged);
    let personal = personal::read(&mut reader, &order, &merged);
    let features = plugin_setting::read_features(&mut reader, &merged);
    let remote = remote_setting::read(&mut reader, &merged);
    let trust: Vec<&Node> = trust.iter().collect();
    let mut settings = settings::read(&mut reader, &settings_tree, &trust);
    let misplaced = trust_table::misplaced(&mut reader, &misplaced);
    settings.trust.extend(misplaced);
    notes.extend(reader.problems);
    settings
        .trust
        .extend(trust_table::unread(&stack.drafts[config_layers..]));

    let mut required = Stack::default();
    let file = layout.system().join(requirements::FILE);
    let index = required.read(disk, files, LayerSource::System, file.clone());
    let (requirements, found) = requirements::read(disk, &required, index, file);
    settings.trust.extend(requirements.trust().cloned());
    let features = requirements.features().laid_over(features);
    for plugin in &mut plugins {
        plugin.ask(&requirements, &marketplaces);
    }

    let mut warnings = Vec::new();
    let mut problems = Vec::new();
    let of_config = stack.drafts.iter();
    let of_config = of_config.map(|draft| (draft, consequence(&draft.layer.source)));
    let of_requirements = required.drafts.iter();
    let of_requirements = of_requirements.map(|draft| (draft, NOTHING_IS_ALLOWED));
    for (draft, consequence) in of_config.chain(of_requirements) {
        // An untrusted project changes nothing, so its mistakes are nobody's business.
        let (Some(problem), None) = (&draft.layer.error, &draft.layer.disabled_reason) else {
            continue;
        };
        warnings.push(broken_file(problem, draft.error_end, consequence));
        problems.push(problem.clone());
    }
    warnings.extend(notes.iter().map(note));
    warnings.extend(found.iter().map(note_of_requirements));
    problems.extend(notes);
    problems.extend(found);

    Arc::new(Snapshot {
        stack: stack.drafts.into_iter().map(|draft| draft.layer).collect(),
        config_layers,
        merged,
        settings_tree,
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

/// A `[trust]` table that stands where none is read, and its field.
type Misplaced = (KeyPath, Node);

/// Lays the layers over each other, without what belongs elsewhere or means nothing any more.
fn merge(stack: &Stack, order: &[usize], notes: &mut Vec<Problem>) -> (Node, Option<Misplaced>) {
    let mut merged = stack.merge(order);
    let mut misplaced = None;
    if let Some(stray) = merged.remove(SETTINGS_KEY) {
        let own = KeyPath::of([SETTINGS_KEY]);
        misplaced = trust_table::within(&stray, &own);
        let message = "own settings are not read from here but from `plugd.toml` beside it";
        let problem = Problem::warning(ProblemKind::UnknownField, message);
        notes.push(stack.located(problem, stray.mark, &own));
    }
    if let Some(node) = merged.get("profile") {
        let message = match &node.kind {
            Kind::Text(name) => foreign_keys::no_longer_supported(name),
            _ => foreign_keys::no_longer_supported("NAME"),
        };
        let problem = Problem::warning(ProblemKind::UnknownField, message);
        notes.push(stack.located(problem, node.mark, &KeyPath::of(["profile"])));
    }
    (merged, misplaced)
}

/// Reads all `config.toml` layers into an empty stack, lowest first, and returns those that count.
fn read_config(
    disk: &Disk,
    layout: &Layout,
    flags: &SessionFlags,
    files: &Files,
    folders: Vec<ProjectFolder>,
    stack: &mut Stack,
    notes: &mut Vec<Problem>,
) -> Vec<usize> {
    let system = layout.system().join("config.toml");
    stack.read(disk, files, LayerSource::System, system);
    stack.read(disk, files, LayerSource::User, layout.user_config());
    if let Some((source, file)) = profile(flags, layout, notes) {
        if let Ok(None) = files.text(disk, &source, &file) {
            notes.push(no_profile(&file));
        }
        stack.read(disk, files, source, file);
    }
    for folder in folders {
        let file = folder.folder.join("config.toml");
        let source = LayerSource::Project {
            folder: folder.folder,
        };
        let index = stack.read(disk, files, source, file);
        stack.place_hooks(disk, files, index, folder.hooks);
        let draft = &mut stack.drafts[index];
        draft.layer.disabled_reason = folder.disabled_reason;
        let dropped = project::drop_forbidden(&mut draft.layer.tree);
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
    let managed = files::managed(layout);
    if files.has(&managed) {
        stack.read(disk, files, LayerSource::Managed, managed);
    }
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
    let name = flags.profile.as_deref()?;
    let found = files::profile(name, layout);
    if found.is_none() {
        let message = format!("`{}` is no name of a profile", name.escape_debug());
        let problem = Problem::error(ProblemKind::BadName, message);
        notes.push(problem.at_field("profile"));
    }
    found
}

/// Somebody who selects a profile that is not there has most often mistyped its name.
fn no_profile(file: &AbsPath) -> Problem {
    let message = "the profile that was selected has no file, so it changes nothing";
    let problem = Problem::warning(ProblemKind::Missing, message);
    problem.in_file(file).at_field("profile")
}

/// Reads the settings files behind the `config.toml` layers; returns their merge, the `[trust]` tables
/// one by one, those of trusted projects last, and those that stand in a table of the settings' name.
fn read_settings(
    disk: &Disk,
    layout: &Layout,
    flags: &SessionFlags,
    files: &Files,
    stack: &mut Stack,
) -> (Node, Vec<Node>, Vec<Misplaced>) {
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
        stack.read(disk, files, LayerSource::System, system),
        stack.read(disk, files, LayerSource::User, layout.user_plugd_config()),
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
        order.push(stack.read(disk, files, source, file));
    }
    let trees = || order.iter().map(|&index| &stack.drafts[index].layer.tree);
    let trust = trees()
        .filter_map(|tree| tree.get("trust").cloned())
        .collect();
    let own = KeyPath::of([SETTINGS_KEY, SETTINGS_KEY]);
    let misplaced = trees().filter_map(|tree| trust_table::within(tree.get(SETTINGS_KEY)?, &own));
    let misplaced = misplaced.collect();
    (merged, trust, misplaced)
}

impl Snapshot {
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
        &self.stack[USER]
    }

    /// All layers that count merged into one, unknown keys included; the settings under `plugd`.
    #[must_use]
    pub fn effective(&self) -> Value {
        let mut effective = self.merged.to_json();
        if let Value::Object(members) = &mut effective {
            let settings = self.settings_tree.to_json();
            if settings.as_object().is_some_and(|table| !table.is_empty()) {
                members.insert(SETTINGS_KEY.to_owned(), settings);
            }
        }
        effective
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

    /// The layer above the user's that decides a key, with the value in force; `None` when what the
    /// user's own file says is in force, also because a layer above says the same.
    #[must_use]
    pub fn overridden(&self, key: &KeyPath) -> Option<(&Layer, Value)> {
        let (tree, layers, path) = match key.segments() {
            [first, rest @ ..] if first == SETTINGS_KEY => {
                (&self.settings_tree, self.settings_layers(), rest)
            }
            path => (&self.merged, self.layers(), path),
        };
        let in_force = tree.at(path).map(Node::to_json);
        let own = layers
            .iter()
            .find(|layer| layer.source == LayerSource::User);
        if own.and_then(|own| own.at(path)) == in_force {
            return None;
        }
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
        is_above.then(|| (layer, in_force.unwrap_or_default()))
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
mod overridden_tests;
#[cfg(test)]
mod profile_tests;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod worktree_tests;
