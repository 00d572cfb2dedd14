//! Skills: which files below a plugin are skills, and what they say about themselves.
//!
//! `scan` finds the files, this module reads their front matter, `metadata` the optional file
//! beside them. Nothing here reads a skill for a model: only its head is looked at.

use plugd_disk::Disk;
use plugd_model::{AbsPath, ManifestFormat, PluginManifest, Problem, ProblemKind};

use crate::Found;
use crate::budget::Budget;
use crate::front_matter::{self, Fence, FrontMatter};
use crate::tree::PluginTree;

mod metadata;
#[cfg(test)]
mod metadata_tests;
mod scan;
#[cfg(test)]
mod tests;

pub use metadata::{SkillInterface, ToolDependency};
use scan::SkillFile;

/// The largest `SKILL.md` that is read.
const MAX_SKILL_FILE: u64 = 8 * 1024 * 1024;
/// The longest name, in characters.
const MAX_NAME: usize = 64;
/// The longest qualified name: two longest names and the colon.
const MAX_QUALIFIED_NAME: usize = 2 * MAX_NAME + 1;
/// The longest description that the Agent Skills format allows; the others have no limit.
const MAX_AGENT_DESCRIPTION: usize = 1024;

/// A skill of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    /// `plugin:name`, by which frontends and settings call it. Not unique: two files may claim it.
    pub name: String,
    /// The name without the plugin, as the skill or its directory gives it.
    pub bare_name: String,
    /// When to use it; white space collapsed, not blank, of any length.
    pub description: String,
    /// A shorter text for lists.
    pub short_description: Option<String>,
    /// How to show it; `None` when nothing usable was declared.
    pub interface: Option<SkillInterface>,
    /// What it needs.
    pub dependencies: Vec<ToolDependency>,
    /// Its `SKILL.md`, with links resolved, so that the same file has the same path everywhere.
    pub path: AbsPath,
    /// Whether a model may pick it by itself.
    pub allow_implicit: bool,
    /// Whether its author offers it to this product; an invisible one is left out of listings.
    pub visible: bool,
}

/// The skills of a plugin, sorted by name, then path. Invisible ones are among them.
///
/// For an installed copy the commands that became skills are included.
#[must_use]
pub fn skills(disk: &Disk, root: &AbsPath, manifest: &PluginManifest) -> Found<Skill> {
    let tree = match PluginTree::open(disk, root) {
        Ok(tree) => tree,
        Err(problem) => return Found::only(problem),
    };
    let mut found = Found::nothing();
    let mut budget = Budget::new();
    for file in scan::scan(&tree, manifest, &mut found.problems) {
        match read(&tree, &file, manifest, &mut budget) {
            Ok(mut skill) => {
                let problems = &mut found.problems;
                metadata::apply(&tree, &file.dir, &mut skill, &mut budget, problems);
                found.items.push(skill);
            }
            Err(mut problem) => {
                problem.path = Some(file.path);
                found.problems.push(problem);
            }
        }
    }
    found
        .items
        .sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    found.bounded()
}

/// The skill that the manifest wants shown first, out of those that [`skills`] found. Whether it is
/// enabled is the caller's question.
///
/// # Errors
/// The manifest names one, and it is not among the visible skills.
pub fn onboarding_skill<'a>(
    disk: &Disk,
    root: &AbsPath,
    manifest: &PluginManifest,
    skills: &'a [Skill],
) -> Result<Option<&'a Skill>, Problem> {
    let Some(declared) = &manifest.onboarding_skill else {
        return Ok(None);
    };
    let tree = PluginTree::open(disk, root)?;
    let path = declared.below(tree.root());
    // Only the directory is resolved: that is how the skills' own paths are made.
    let dir = match path.parent() {
        Some(parent) => tree.locate(&parent)?,
        None => None,
    };
    let path = match (dir, path.file_name()) {
        (Some(dir), Some(name)) => dir.path.join(name),
        _ => path,
    };
    match skills
        .iter()
        .find(|skill| skill.path == path && skill.visible)
    {
        Some(skill) => Ok(Some(skill)),
        None => {
            let text = "the onboarding skill is not among the visible skills of this plugin; name its `SKILL.md`";
            let problem = Problem::warning(ProblemKind::Missing, text).in_file(&path);
            Err(problem.at_field("onboardingSkill"))
        }
    }
}

/// Reads one skill; the problem's path is filled in by the caller.
fn read(
    tree: &PluginTree<'_>,
    file: &SkillFile,
    manifest: &PluginManifest,
    budget: &mut Budget,
) -> Result<Skill, Problem> {
    let text = tree.read_located(&file.content, &file.path, MAX_SKILL_FILE)?;
    budget.text(&text)?;
    let Some(parts) = front_matter::split(&text, Fence::Blanks) else {
        let text = "the file does not begin with YAML front matter between two lines `---`";
        let start = plugd_model::Place { line: 1, column: 1 };
        return Err(Problem::error(ProblemKind::Syntax, text).at(start));
    };
    budget.yaml(parts.yaml)?;
    let head = FrontMatter::parse_with_rescue(parts.yaml)?;
    let declared = head.text("name")?.map(|name| front_matter::collapse(&name));
    let description = head
        .text("description")?
        .map(|text| front_matter::collapse(&text));
    let short = head.inner_text("metadata", "short-description")?;
    let at = |problem: Problem, name: &str| problem.at_field(name).at(head.place(name));
    let Some(description) = description else {
        let text = "`description` is missing or blank";
        return Err(at(
            Problem::error(ProblemKind::MissingField, text),
            "description",
        ));
    };
    if manifest.format == ManifestFormat::AgentPlugins {
        agent_rules(declared.as_deref(), &file.directory, &description)
            .map_err(|(problem, name)| at(problem, name))?;
    }
    let bare_name = declared.unwrap_or_else(|| file.directory.clone());
    let bad_name = |text| Err(at(Problem::error(ProblemKind::BadName, text), "name"));
    if bare_name.chars().count() > MAX_NAME {
        return bad_name(format!("the name is longer than {MAX_NAME} characters"));
    }
    let name = format!("{}:{bare_name}", manifest.name);
    if name.chars().count() > MAX_QUALIFIED_NAME {
        return bad_name(format!(
            "the name together with the plugin's is longer than {MAX_QUALIFIED_NAME} characters"
        ));
    }
    Ok(Skill {
        name,
        bare_name,
        description,
        short_description: short.map(|text| front_matter::collapse(&text)),
        interface: None,
        dependencies: Vec::new(),
        path: file.path.clone(),
        allow_implicit: true,
        visible: true,
    })
}

/// What the Agent Skills format demands of names and descriptions beyond the other formats. A skill
/// that does not conform must be skipped (Agent Plugins 7.1).
fn agent_rules(
    name: Option<&str>,
    directory: &str,
    description: &str,
) -> Result<(), (Problem, &'static str)> {
    let bad_name = |text: String| Err((Problem::error(ProblemKind::BadName, text), "name"));
    let Some(name) = name else {
        let text = "`name` is missing or blank";
        return Err((Problem::error(ProblemKind::MissingField, text), "name"));
    };
    let legal = |c: char| c == '-' || (c.is_alphanumeric() && !c.is_uppercase());
    if !name.chars().all(legal) {
        return bad_name("the name may only have lower-case letters, digits and `-`".to_owned());
    }
    if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        return bad_name(
            "the name has a `-` at its start, at its end or beside another".to_owned(),
        );
    }
    if name != directory {
        return bad_name("the name differs from that of the skill's directory".to_owned());
    }
    if description.chars().count() > MAX_AGENT_DESCRIPTION {
        let text = format!("the description is longer than {MAX_AGENT_DESCRIPTION} characters");
        return Err((Problem::error(ProblemKind::TooLarge, text), "description"));
    }
    Ok(())
}
