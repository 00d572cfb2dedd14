//! What an author wants to be told before anybody installs the plugin.
//!
//! Loading reports what cannot be used. This module goes further, with the same loaders: what is
//! loaded and will not work (a script that is not there), and what is written and does nothing (a
//! member with a typing error, a file in a place that nobody reads). Each finding says what would be
//! right. It must not know better than loading what is valid: nothing here makes a plugin unusable.

use std::collections::HashMap;

use plugd_disk::{Disk, Kind};
use plugd_model::{AbsPath, PluginId, PluginManifest, Problem, ProblemKind};

use crate::hooks::{self, HookHandler};
use crate::inspect::{InspectedServer, Inspection, InspectionLimits, OddityKind, inspect};
use crate::item::{Origin, clip};
use crate::mcp::{McpDefinition, McpTransport};
use crate::placeholders::{Placeholders, Platform, Spelling};
use crate::skills;
use crate::tree::PluginTree;
use crate::{Skill, migrated_commands, onboarding_skill};

mod heads;
mod manifest;
mod marketplace;
mod misplaced;
mod places;
mod scripts;
mod secrets;
mod shell;
#[cfg(test)]
mod tests;

pub use manifest::manifest_findings;
pub use marketplace::marketplace_findings;
use places::Declared;
pub use places::{EntryPlaces, MemberPlaces};

/// How many findings are listed.
const MAX_FINDINGS: usize = 2_000;

/// Everything that is wrong with a plugin, or likely a mistake: the problems of loading its
/// components and the findings of this module, sorted by file and place. The problems of the
/// manifest itself come from its loader. `entry` is the JSON of a manifest that stands in a
/// marketplace; what is wrong with one of its members has a field and no file.
#[must_use]
pub fn plugin_findings(
    disk: &Disk,
    root: &AbsPath,
    manifest: &PluginManifest,
    id: &PluginId,
    entry: Option<&str>,
) -> Vec<Problem> {
    let tree = match PluginTree::open(disk, root) {
        Ok(tree) => tree,
        Err(problem) => return vec![problem],
    };
    let inspection = match inspect(disk, root, manifest, id, &InspectionLimits::DEFAULT) {
        Ok(inspection) => inspection,
        Err(problem) => return vec![problem],
    };
    let mut findings = inspection.problems.clone();
    // What could not be read at all is told by whoever needed it.
    let is_told = |cut: &Problem| {
        let mut known = inspection.problems.iter();
        known.any(|one| one.kind == cut.kind && one.path == cut.path)
    };
    let cut = inspection.cut.iter().filter(|cut| !is_told(cut));
    findings.extend(cut.cloned());
    for problem in migrated_commands(disk, root, manifest).problems {
        if !findings.contains(&problem) {
            findings.push(problem);
        }
    }
    let declared = Declared::read(&tree, manifest.format, entry);
    let document = declared.as_ref().and_then(Declared::document);
    let has_file = declared.as_ref().is_some_and(Declared::is_file);
    manifest::check(&tree, manifest, document.as_ref(), has_file, &mut findings);
    check_skills(&tree, root, manifest, &mut findings);
    check_servers(&tree, &inspection.mcp_servers, &mut findings);
    scripts_of_hooks(&tree, manifest, id, &mut findings);
    misplaced::check(&tree, manifest, &mut findings);
    entries(&tree, &inspection, &mut findings);
    if let Some(document) = &document {
        places::point_to_manifest(&tree, document, &mut findings);
    }
    sorted(findings)
}

/// Findings in the order of files and places, at most as many as anybody reads.
fn sorted(mut findings: Vec<Problem>) -> Vec<Problem> {
    findings.sort_by(|a, b| (&a.path, a.place).cmp(&(&b.path, b.place)));
    let more = findings.len().saturating_sub(MAX_FINDINGS);
    if more > 0 {
        findings.truncate(MAX_FINDINGS);
        let text = format!("{more} more findings are not listed");
        findings.push(Problem::warning(ProblemKind::TooLarge, text));
    }
    findings
}

/// Skills: names that collide, icons that are not there, and a first skill that is none.
fn check_skills(
    tree: &PluginTree<'_>,
    root: &AbsPath,
    manifest: &PluginManifest,
    findings: &mut Vec<Problem>,
) {
    // What is wrong with them one by one is known from the inspection.
    let read = skills::read_all(tree, manifest, &mut Vec::new());
    let mut found: Vec<_> = read.into_iter().map(|read| read.skill).collect();
    found.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    let names = found.iter().map(|skill| (skill.name.as_str(), &skill.path));
    for (name, other, path) in collisions(names) {
        let text = collision_text("skill", name, other);
        findings.push(Problem::warning(ProblemKind::Duplicate, text).in_file(path));
    }
    for skill in &found {
        unread_metadata(tree, skill, findings);
        heads::check(tree, &skill.path, findings);
        let icons = skill.interface.iter().flat_map(|interface| {
            [
                ("interface.icon_small", &interface.icon_small),
                ("interface.icon_large", &interface.icon_large),
            ]
        });
        for (field, icon) in icons {
            if let Some(icon) = icon
                && !is_file(tree, icon)
            {
                let text = format!("the icon of the skill `{}` does not exist", skill.name);
                let problem = Problem::warning(ProblemKind::Missing, text).in_file(icon);
                findings.push(problem.at_field(field));
            }
        }
    }
    if let Err(problem) = onboarding_skill(tree.disk(), root, manifest, &found) {
        findings.push(problem);
    }
}

/// The metadata of a skill under the other usual suffix.
fn unread_metadata(tree: &PluginTree<'_>, skill: &Skill, findings: &mut Vec<Problem>) {
    let Some(dir) = skill.path.parent() else {
        return;
    };
    let file = dir.join("agents/openai.yml");
    if is_file(tree, &file) {
        let text = "nobody reads this file; its name is `openai.yaml`";
        findings.push(Problem::warning(ProblemKind::BadName, text).in_file(&file));
    }
}

/// MCP servers: whether a host could start them, and what they give away.
fn check_servers(tree: &PluginTree<'_>, servers: &[InspectedServer], findings: &mut Vec<Problem>) {
    let servers: Vec<&McpDefinition> = servers.iter().map(|one| &one.definition).collect();
    let places: HashMap<&str, &Origin> = servers
        .iter()
        .map(|server| (server.name.as_str(), &server.origin))
        .collect();
    let names = servers.iter().map(|s| (s.name.as_str(), s.name.as_str()));
    for (name, other, key) in collisions(names) {
        if let Some(origin) = places.get(key) {
            let text = collision_text("server", name, other);
            findings.push(origin.problem(ProblemKind::Duplicate, text).as_warning());
        }
    }
    // Only used to tell what lies inside; nothing is made there.
    let directories = Placeholders {
        plugin_root: tree.root().clone(),
        plugin_data: tree.root().join("../.plugin-data"),
    };
    for server in servers {
        secrets::check(server, findings);
        if server.spelling == Spelling::Portable {
            foreign_placeholders(server, findings);
        }
        match server.resolved(tree.disk(), &directories, Platform::current()) {
            Ok(resolved) => {
                let origin = server.origin.below("command");
                let program = own_program(tree, &resolved.transport)
                    .and_then(|path| scripts::program(tree, &path, &origin));
                let is_told = |field: &Option<String>| {
                    program.as_ref().is_some_and(|told| told.field == *field)
                };
                let absent = resolved.absent.into_iter();
                findings.extend(absent.filter(|problem| !is_told(&problem.field)));
                findings.extend(program);
            }
            Err(problem) => findings.push(problem),
        }
        if let McpTransport::Stdio { args, .. } = &server.transport {
            for (index, arg) in args.iter().enumerate() {
                let origin = server.origin.below(&format!("args[{index}]"));
                findings.extend(scripts::argument(tree, arg, server.spelling, &origin));
            }
        }
    }
}

/// The program that a server is started with, where the plugin brings it.
fn own_program(tree: &PluginTree<'_>, transport: &McpTransport) -> Option<AbsPath> {
    let McpTransport::Stdio { command, .. } = transport else {
        return None;
    };
    let path = AbsPath::new(command).ok()?;
    path.starts_with(tree.root()).then_some(path)
}

/// Placeholders of other formats, which stay as text in the Agent Plugins format (section 9.2).
fn foreign_placeholders(server: &McpDefinition, findings: &mut Vec<Problem>) {
    for name in ["CLAUDE_PLUGIN_ROOT", "CLAUDE_PLUGIN_DATA"] {
        if server.json.contains(&format!("${{{name}}}")) {
            let text = format!(
                "`${{{name}}}` stays as it is in this format; write `${{{}}}`",
                name.trim_start_matches("CLAUDE_")
            );
            let problem = server.origin.problem(ProblemKind::BadValue, text);
            findings.push(problem.as_warning());
        }
    }
}

/// Hooks: whether the scripts that their commands name are there.
fn scripts_of_hooks(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    id: &PluginId,
    findings: &mut Vec<Problem>,
) {
    let (hooks, origins, _) = hooks::read(tree, manifest, id);
    for (hook, origin) in hooks.items.iter().zip(&origins) {
        if let HookHandler::Command { command, .. } = &hook.handler {
            let origin = origin.below("command");
            findings.extend(shell::findings(tree, command, &origin));
        }
    }
}

/// Entries of the tree that will not arrive as they are, and characters that nobody sees.
fn entries(tree: &PluginTree<'_>, inspection: &Inspection, findings: &mut Vec<Problem>) {
    for odd in &inspection.oddities {
        let (kind, text) = match odd.kind {
            OddityKind::LinkInside | OddityKind::GitData => continue,
            OddityKind::LinkOutside => (
                ProblemKind::BadPath,
                "the link leaves the plugin and is left out of an installation; put a copy here",
            ),
            OddityKind::LinkToNothing => (
                ProblemKind::Missing,
                "the link leads nowhere and is left out of an installation",
            ),
            OddityKind::Special => (
                ProblemKind::LeftOut,
                "a FIFO, socket or device is left out of an installation",
            ),
            OddityKind::SetUser => (
                ProblemKind::LeftOut,
                "the right to run as its owner is taken away by an installation",
            ),
            OddityKind::NameNotText => (
                ProblemKind::BadName,
                "the name is no UTF-8 or has control characters; the entry is left out",
            ),
            OddityKind::SameNameButCase => (
                ProblemKind::Duplicate,
                "the name differs from another only in case; on many systems they are one",
            ),
        };
        let path = tree.root().join(&odd.path);
        findings.push(Problem::warning(kind, text).in_file(&path));
    }
    for hidden in &inspection.hidden {
        let code = u32::from(hidden.found.character);
        let class = hidden.found.class.word();
        let text = format!("U+{code:04X} ({class}) is read by a model and seen by nobody");
        let mut problem = Problem::warning(ProblemKind::BadValue, text);
        if !hidden.path.is_empty() {
            problem = problem
                .in_file(&tree.root().join(&hidden.path))
                .at(hidden.found.place);
        }
        problem.field.clone_from(&hidden.field);
        findings.push(problem);
    }
}

/// Things whose names are the same, or differ only in case, with what was there before.
fn collisions<'a, T>(names: impl Iterator<Item = (&'a str, T)>) -> Vec<(&'a str, &'a str, T)> {
    let mut known: HashMap<String, &str> = HashMap::new();
    let mut found = Vec::new();
    for (name, thing) in names {
        match known.get(&name.to_lowercase()) {
            Some(other) => found.push((name, *other, thing)),
            None => {
                known.insert(name.to_lowercase(), name);
            }
        }
    }
    found
}

fn collision_text(what: &str, name: &str, other: &str) -> String {
    let name = clip(name);
    if name == clip(other) {
        format!("another {what} is called `{name}` too; give one of them another name")
    } else {
        let other = clip(other);
        format!("the {what}s `{other}` and `{name}` differ only in case; rename one of them")
    }
}

fn is_file(tree: &PluginTree<'_>, path: &AbsPath) -> bool {
    matches!(tree.locate(path), Ok(Some(located)) if located.kind == Kind::File)
}
