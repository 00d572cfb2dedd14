//! Skills: which files below a plugin are skills, and what they say about themselves.
//!
//! `scan` finds the files, this module reads their front matter, `metadata` the optional file
//! beside them, `listing` puts those of many places together, `memory` keeps those
//! that are asked for again. Only the head of a skill is looked at
//! here; [`skill_text`] hands out the rest.

use std::collections::HashSet;

use plugd_disk::Disk;
use plugd_model::{
    AbsPath, MIGRATED_SKILLS_DIR, ManifestFormat, Place, PluginManifest, Problem, ProblemKind,
};

use crate::Found;
use crate::budget::Budget;
use crate::front_matter::{self, Fence, FrontMatter};
use crate::item::clip;
use crate::tree::PluginTree;

mod agent;
mod listing;
#[cfg(test)]
mod listing_tests;
mod memory;
mod metadata;
#[cfg(test)]
mod metadata_tests;
mod scan;
#[cfg(test)]
mod tests;

pub use listing::{
    ListedProblem, ListedSkill, SkillListing, SkillScope, SkillSource, list_skills, skill_at,
};
pub use memory::SkillMemory;
pub use metadata::{SkillInterface, ToolDependency};
pub(crate) use scan::MAX_DIRS_PER_ROOT;
use scan::SkillFile;

/// The largest `SKILL.md` that is read.
const MAX_SKILL_FILE: u64 = 8 * 1024 * 1024;
/// The members of front matter that some host reads; the others are nobody's business, unless they
/// look like one of these.
const KNOWN_FIELDS: &[&str] = &[
    "name",
    "description",
    "metadata",
    "license",
    "compatibility",
    "allowed-tools",
    "disable-model-invocation",
    "user-invocable",
    "argument-hint",
    "arguments",
    "model",
    "context",
    "agent",
    "hooks",
    "version",
    "author",
    "tags",
    "category",
    "title",
    "when_to_use",
    "effort",
    "paths",
    "shell",
    "mode",
    "tools",
    "skills",
    "color",
    "glob",
    "globs",
];
/// What a skill is called whose directory has a blank name, as in the reference.
const NAMELESS: &str = "skill";
/// The longest name, in characters.
const MAX_NAME: usize = 64;
/// The longest qualified name: two longest names and the colon.
const MAX_QUALIFIED_NAME: usize = 2 * MAX_NAME + 1;

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
    let mut problems = Vec::new();
    let read = read_all(&tree, manifest, &mut problems);
    sorted(read, problems)
}

/// The skills of a plugin in the order in which they are shown.
fn sorted(read: Vec<ReadSkill>, problems: Vec<Problem>) -> Found<Skill> {
    let mut items: Vec<Skill> = read.into_iter().map(|read| read.skill).collect();
    items.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    Found { items, problems }.bounded()
}

/// A skill with what its listing needs beside it.
#[derive(Debug, Clone)]
pub(crate) struct ReadSkill {
    pub(crate) skill: Skill,
    /// The products it is restricted to, as written; empty means no restriction.
    pub(crate) products: Vec<String>,
    /// What the front matter begins its description with.
    pub(crate) description_place: Place,
}

/// Reads every skill of a plugin, in the order in which they are found. One that was made of a command
/// gives way to one of that name that its author wrote and shows.
pub(crate) fn read_all(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    problems: &mut Vec<Problem>,
) -> Vec<ReadSkill> {
    let mut budget = Budget::new();
    let mut skills = Vec::new();
    let mut written = HashSet::new();
    // Generated ones come last.
    for file in scan::scan(tree, manifest, problems) {
        let naming = Naming {
            namespace: Some(&manifest.name),
            is_agent: manifest.format == ManifestFormat::AgentPlugins,
        };
        match read(tree, tree, &file, naming, &mut budget, problems) {
            Ok(read) if file.is_generated && written.contains(&read.skill.bare_name) => {
                let text = format!(
                    "left out, because the plugin has a skill of its own called `{}`",
                    clip(&read.skill.name)
                );
                let problem = Problem::warning(ProblemKind::Duplicate, text);
                problems.push(problem.in_file(&file.path));
            }
            Ok(read) => {
                if !file.is_generated && read.skill.visible {
                    written.insert(read.skill.bare_name.clone());
                }
                skills.push(read);
            }
            Err(problem) => problems.push(problem),
        }
    }
    skills
}

/// The names, without the plugin's, of the skills that its author wrote and shows.
pub(crate) fn written_names(tree: &PluginTree<'_>, manifest: &PluginManifest) -> HashSet<String> {
    let generated = tree.root().join(MIGRATED_SKILLS_DIR);
    let skills = read_all(tree, manifest, &mut Vec::new()).into_iter();
    skills
        .map(|read| read.skill)
        .filter(|skill| skill.visible && !skill.path.starts_with(&generated))
        .map(|skill| skill.bare_name)
        .collect()
}

/// The text of a skill, for a reader that shows it or passes it on.
///
/// `path` is that of a [`Skill`] found below `root`. It is resolved once more, so that a file that
/// was replaced by a link since then does not lead elsewhere.
///
/// # Errors
/// The file is gone, has left the root, is larger than 8 MiB, or is no text.
pub fn skill_text(disk: &Disk, root: &AbsPath, path: &AbsPath) -> Result<String, Problem> {
    let tree = PluginTree::open(disk, root)?;
    match tree.read(path, MAX_SKILL_FILE)? {
        Some(text) => Ok(text),
        None => {
            let text = "the skill's file does not exist any more";
            Err(Problem::error(ProblemKind::Missing, text).in_file(path))
        }
    }
}

/// How skills of one place are called.
#[derive(Debug, Clone, Copy)]
struct Naming<'a> {
    /// What stands in front of the colon.
    namespace: Option<&'a str>,
    /// Whether the rules of the Agent Skills format hold.
    is_agent: bool,
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

/// Reads one skill and the file beside it; `files` is the tree that may not be left for the latter.
fn read(
    tree: &PluginTree<'_>,
    files: &PluginTree<'_>,
    file: &SkillFile,
    naming: Naming<'_>,
    budget: &mut Budget,
    problems: &mut Vec<Problem>,
) -> Result<ReadSkill, Problem> {
    let head = |problem: Problem| problem.in_file(&file.path);
    let mut read = read_head(tree, file, naming, budget, problems).map_err(head)?;
    metadata::apply(files, &file.dir, &mut read, budget, problems);
    Ok(read)
}

/// What a skill says about itself, white space collapsed.
struct HeadTexts {
    name: Option<String>,
    description: Option<String>,
    short: Option<String>,
}

impl HeadTexts {
    fn read(head: &FrontMatter) -> Result<Self, Problem> {
        let collapsed = |text: Option<String>| text.map(|text| front_matter::collapse(&text));
        Ok(Self {
            name: collapsed(head.text("name")?),
            description: collapsed(head.text("description")?),
            short: collapsed(head.inner_text("metadata", "short-description")?),
        })
    }
}

fn read_head(
    tree: &PluginTree<'_>,
    file: &SkillFile,
    naming: Naming<'_>,
    budget: &mut Budget,
    problems: &mut Vec<Problem>,
) -> Result<ReadSkill, Problem> {
    let text = tree.read_located(&file.content, &file.path, MAX_SKILL_FILE)?;
    budget.text(&text)?;
    let Some(parts) = front_matter::split(&text, Fence::Blanks) else {
        let text = front_matter::hidden_reason(&text)
            .unwrap_or("the file does not begin with YAML front matter between two lines `---`");
        let start = Place { line: 1, column: 1 };
        return Err(Problem::error(ProblemKind::Syntax, text).at(start));
    };
    budget.yaml(parts.yaml)?;
    let (head, texts) = match naming.is_agent {
        // What is no YAML does not conform, whatever its author meant.
        true => FrontMatter::read(parts.yaml, HeadTexts::read)?,
        false => FrontMatter::read_with_rescue(parts.yaml, HeadTexts::read)?,
    };
    let misspelt = head.misspelt(KNOWN_FIELDS);
    problems.extend(misspelt.map(|problem| problem.in_file(&file.path)));
    let HeadTexts {
        name: declared,
        description,
        short,
    } = texts;
    let at = |problem: Problem, name: &str| problem.at_field(name).at(head.place(name));
    let Some(description) = description else {
        let text = "`description` is missing or blank; say in it when to use the skill";
        return Err(at(
            Problem::error(ProblemKind::MissingField, text),
            "description",
        ));
    };
    if naming.is_agent {
        agent::check(&head, declared.as_deref(), &file.directory, &description)?;
    }
    let bare_name = declared.unwrap_or_else(|| name_of_directory(&file.directory));
    let bad_name = |text| Err(at(Problem::error(ProblemKind::BadName, text), "name"));
    if bare_name.chars().count() > MAX_NAME {
        return bad_name(format!("the name is longer than {MAX_NAME} characters"));
    }
    let name = match naming.namespace {
        Some(namespace) => format!("{namespace}:{bare_name}"),
        None => bare_name.clone(),
    };
    if name.chars().count() > MAX_QUALIFIED_NAME {
        return bad_name(format!(
            "the name together with the plugin's is longer than {MAX_QUALIFIED_NAME} characters"
        ));
    }
    Ok(ReadSkill {
        skill: Skill {
            name,
            bare_name,
            description,
            short_description: short,
            interface: None,
            dependencies: Vec::new(),
            path: file.path.clone(),
            allow_implicit: true,
            visible: true,
        },
        products: Vec::new(),
        description_place: head.place("description"),
    })
}

/// What a skill without a name is called.
fn name_of_directory(directory: &str) -> String {
    match front_matter::collapse(directory) {
        blank if blank.is_empty() => NAMELESS.to_owned(),
        name => name,
    }
}
