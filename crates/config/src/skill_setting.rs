//! The `[skills]` table: which skills are switched off, and whether skills are shown at all.
//!
//! Rules are read from the user's layers and the session only, layer by layer: an array in a higher
//! layer would otherwise hide the rules of the lower one. A project may not switch skills.

use std::ffi::OsStr;
use std::path::PathBuf;

use plugd_model::{AbsPath, ProblemKind};

use crate::KeyPath;
use crate::layer::Origin;
use crate::reader::{Reader, Spoiled};
use crate::tree::{Kind, Node};

/// Which skills a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SkillSelector {
    /// Those of this qualified name, such as `plugin:skill`; without blanks around it.
    Name(String),
    /// The one in this `SKILL.md`. Links in the path are not resolved.
    Path(AbsPath),
    /// The one in this `SKILL.md` below the user's home directory, written `~/…`. Where that lies is
    /// the caller's knowledge.
    Home(PathBuf),
}

/// A row of `[[skills.config]]` that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillRule {
    /// Which skills it is about.
    pub selector: SkillSelector,
    /// Whether they are switched on.
    pub enabled: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// The switches of `[skills]`, which any layer may set. Each is on unless the configuration says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SkillSwitches {
    pub(crate) bundled: bool,
    pub(crate) include_instructions: bool,
}

/// Where the rules stand.
pub(crate) const RULES: [&str; 2] = ["skills", "config"];
/// The only file that a rule by path can name.
const SKILL_FILE: &str = "SKILL.md";

/// What a path below the user's home begins with.
const HOME: &str = "~/";

impl SkillSelector {
    /// The member of a rule that says this, and its text.
    pub(crate) fn written(&self) -> (&'static str, String) {
        match self {
            Self::Name(name) => ("name", name.trim().to_owned()),
            Self::Path(path) => ("path", path.to_text()),
            Self::Home(path) => ("path", format!("{HOME}{}", path.display())),
        }
    }

    /// The file's name in a rule by path.
    fn file_name(&self) -> Option<Option<&OsStr>> {
        match self {
            Self::Name(_) => None,
            Self::Path(path) => Some(path.file_name()),
            Self::Home(path) => Some(path.file_name()),
        }
    }

    /// The selector of a rule as it stands in a file; `None` when it has both members, none, or one
    /// that says nothing. A relative path is meant from `base`, the directory of the file.
    pub(crate) fn of(
        name: Option<&str>,
        path: Option<&str>,
        base: Option<&AbsPath>,
    ) -> Option<Self> {
        match (name.map(str::trim), path) {
            (Some(name), None) if !name.is_empty() => Some(Self::Name(name.to_owned())),
            (None, Some(path)) if path.starts_with(HOME) => {
                Some(Self::Home(path.trim_start_matches(HOME).into()))
            }
            (None, Some(path)) if !path.is_empty() => {
                let path = AbsPath::new(path).ok().or_else(|| Some(base?.join(path)))?;
                Some(Self::Path(path))
            }
            _ => None,
        }
    }
}

/// Reads the rules of one layer, in order; a bad one becomes a problem. Of those that are about a
/// skill the last one decides.
pub(crate) fn read_rules(
    reader: &mut Reader<'_>,
    tree: &Node,
    base: Option<&AbsPath>,
) -> Vec<SkillRule> {
    let Some(skills) = tree.get("skills") else {
        return Vec::new();
    };
    if reader
        .table(Some(skills), &KeyPath::of(["skills"]))
        .is_err()
    {
        return Vec::new();
    }
    let field = KeyPath::of(RULES);
    let rows = match skills.get("config").map(|node| (node, &node.kind)) {
        None => return Vec::new(),
        Some((_, Kind::Array(rows))) => rows,
        Some((node, _)) => {
            reader.wrong_type(node, &field, "an array of tables");
            return Vec::new();
        }
    };
    let mut rules = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let field = field.child(index.to_string());
        rules.extend(rule(reader, row, &field, base).ok().flatten());
    }
    rules
}

fn rule(
    reader: &mut Reader<'_>,
    row: &Node,
    field: &KeyPath,
    base: Option<&AbsPath>,
) -> Result<Option<SkillRule>, Spoiled> {
    reader.table(Some(row), field)?;
    reader.unknown(row, field, &["name", "path", "enabled"]);
    // All members are read before the first error counts, so that each bad one is reported.
    let name = reader.text(row, &field.child("name"));
    let path = reader.text(row, &field.child("path"));
    let enabled = reader.flag(row, &field.child("enabled"));
    if enabled == Ok(None) {
        let message = "the rule does not say whether it is `enabled`";
        reader.error(ProblemKind::BadValue, row.mark, field, message);
    }
    let (name, path, enabled) = (name?, path?, enabled?);
    let selector = SkillSelector::of(name.as_deref(), path.as_deref(), base);
    let Some(selector) = selector else {
        let message = match (name, path) {
            (Some(_), Some(_)) => "a rule is about a `name` or a `path`, and this one has both",
            (None, Some(path)) if !path.is_empty() => {
                "a path is relative to a file, and this one is in none"
            }
            _ => "the rule names no skill",
        };
        reader.warning(ProblemKind::BadValue, row.mark, field, message);
        return Ok(None);
    };
    if let Some(name) = selector.file_name()
        && name.is_none_or(|name| name != SKILL_FILE)
    {
        let field = field.child("path");
        let mark = row.get("path").unwrap_or(row).mark;
        let message = "the path is not that of a `SKILL.md`, so the rule is about nothing";
        reader.warning(ProblemKind::BadPath, mark, &field, message);
    }
    Ok(enabled.map(|enabled| SkillRule {
        selector,
        enabled,
        origin: reader.stack.origin(row.mark),
    }))
}

/// Reads the switches; one of a wrong type is reported and counts as not set. `reported` are the
/// layers whose rules have been read, and with them the type of the whole table.
pub(crate) fn read_switches(
    reader: &mut Reader<'_>,
    merged: &Node,
    reported: &[usize],
) -> SkillSwitches {
    let field = KeyPath::of(["skills"]);
    let mut switches = SkillSwitches {
        bundled: true,
        include_instructions: true,
    };
    let Some(skills) = merged.get("skills") else {
        return switches;
    };
    if skills.members().is_none() {
        if !reported.contains(&skills.mark.source) {
            reader.wrong_type(skills, &field, "a table");
        }
        return switches;
    }
    let bundled = field.child("bundled");
    if let Some(node) = skills.get("bundled")
        && reader.table(Some(node), &bundled).is_ok()
    {
        let flag = reader.flag(node, &bundled.child("enabled"));
        switches.bundled = flag.ok().flatten().unwrap_or(true);
    }
    let flag = reader.flag(skills, &field.child("include_instructions"));
    switches.include_instructions = flag.ok().flatten().unwrap_or(true);
    switches
}

/// Says of a layer whose rules are not read that it has some.
pub(crate) fn note_unread(reader: &mut Reader<'_>, tree: &Node) {
    if let Some(node) = tree.at(&RULES) {
        let message = "rules for skills are read from the user's configuration only";
        reader.warning(
            ProblemKind::UnknownField,
            node.mark,
            &KeyPath::of(RULES),
            message,
        );
    }
}

#[cfg(test)]
mod tests;
