//! The skills of many places in one list: plugins, repositories, the user, the system.
//!
//! Invariants:
//! - A file is known by its resolved path and listed once; the first source that leads to it wins.
//!   Which sources there are, and in which order they come, is the caller's decision.
//! - Two files with one name are both listed: hosts tell them apart by path.
//! - A skill below a directory with a plugin manifest carries that plugin's name, also when its
//!   source is no plugin: the name follows the path (the nearest manifest on the way up counts), so
//!   the same directory is called the same however it was reached. A manifest in the Agent Plugins
//!   format names only the skills of an installed plugin, as in the reference.

use std::collections::{HashMap, HashSet};

use plugd_manifest::Loader;
use plugd_model::{
    AbsPath, ManifestFormat, PluginId, PluginManifest, Problem, ProblemKind, Severity,
};

use crate::MAX_PROBLEMS;
use crate::budget::Budget;
use crate::tree::PluginTree;

use super::{Naming, ReadSkill, Skill, SkillMemory, read, scan};

/// Whose skill it is. The order is that of every list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkillScope {
    /// A repository's.
    Repo,
    /// The user's; those of plugins are among them.
    User,
    /// Brought along by a program, which rewrites it.
    System,
    /// The administrator's.
    Admin,
}

/// A place to look for skills.
#[derive(Debug, Clone, Copy)]
pub enum SkillSource<'a> {
    /// A directory of skills; one that is missing is silent.
    Directory {
        /// The directory.
        path: &'a AbsPath,
        /// Whose it is. In directories of the system no link is followed.
        scope: SkillScope,
    },
    /// An installed plugin.
    Plugin {
        /// Its id.
        id: &'a PluginId,
        /// Where it lies.
        root: &'a AbsPath,
        /// What it says about itself.
        manifest: &'a PluginManifest,
    },
}

/// A skill with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSkill {
    /// The skill.
    pub skill: Skill,
    /// Whose it is.
    pub scope: SkillScope,
    /// The plugin that was its source.
    pub plugin: Option<PluginId>,
    /// The products its author restricts it to, as written; empty means no restriction.
    pub products: Vec<String>,
}

/// A problem with the source in which it was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProblem {
    /// The problem.
    pub problem: Problem,
    /// Whose skills are concerned.
    pub scope: SkillScope,
    /// The plugin, when the source is one.
    pub plugin: Option<PluginId>,
}

/// The skills of some sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillListing {
    /// Sorted by scope, then name, then path. Invisible ones are among them.
    pub skills: Vec<ListedSkill>,
    /// What is missing or incomplete, and why, by scope, then source by source.
    pub problems: Vec<ListedProblem>,
}

/// Lists the skills of some sources. Each source has limits of its own, so that a large one cannot
/// hide another. Those of plugins come from `memory` where they are as they were.
#[must_use]
pub fn list_skills(
    loader: &Loader,
    memory: &SkillMemory,
    sources: &[SkillSource<'_>],
) -> SkillListing {
    let mut listing = SkillListing {
        skills: Vec::new(),
        problems: Vec::new(),
    };
    let mut known = HashSet::new();
    let mut names = Namespaces {
        loader,
        known: HashMap::new(),
    };
    for source in sources {
        let mut problems = Vec::new();
        let (scope, plugin, found) = match source {
            SkillSource::Plugin { id, root, manifest } => {
                let found = memory.read_all(loader.disk(), root, manifest, &mut problems);
                (SkillScope::User, Some((*id).clone()), found)
            }
            SkillSource::Directory { path, scope } => {
                let found = directory_skills(&mut names, path, *scope, &mut problems);
                (*scope, None, found)
            }
        };
        for ReadSkill {
            skill, products, ..
        } in found
        {
            if known.insert(skill.path.clone()) {
                listing.skills.push(ListedSkill {
                    skill,
                    scope,
                    plugin: plugin.clone(),
                    products,
                });
            }
        }
        let (SkillSource::Plugin { root, .. } | SkillSource::Directory { path: root, .. }) = source;
        let listed = bounded(problems, root)
            .into_iter()
            .map(|problem| ListedProblem {
                problem,
                scope,
                plugin: plugin.clone(),
            });
        listing.problems.extend(listed);
    }
    let key = |listed: &ListedSkill| {
        let Skill { name, path, .. } = &listed.skill;
        (listed.scope, name.clone(), path.clone())
    };
    listing.skills.sort_by_cached_key(key);
    listing.problems.sort_by_key(|listed| listed.scope);
    listing
}

/// The skill in one file as a listing would show it, if a listing would; `file` is a `SKILL.md` that
/// belongs to no installed plugin.
#[must_use]
pub fn skill_at(loader: &Loader, file: &AbsPath) -> Option<Skill> {
    let disk = loader.disk();
    let tree = PluginTree::unbounded(disk, &file.parent()?).ok()?;
    let found = scan::skill_file(&tree, file.file_name()?)?;
    let mut names = Namespaces {
        loader,
        known: HashMap::new(),
    };
    let mut unheard = Vec::new();
    let namespace = names.of(&found.dir, &mut unheard);
    let naming = Naming {
        namespace: namespace.as_deref(),
        is_agent: false,
    };
    let beside = PluginTree::at(disk, found.dir.clone());
    let mut budget = Budget::new();
    let read = read(&tree, &beside, &found, naming, &mut budget, &mut unheard);
    read.ok().map(|read| read.skill)
}

fn directory_skills(
    names: &mut Namespaces<'_>,
    path: &AbsPath,
    scope: SkillScope,
    problems: &mut Vec<Problem>,
) -> Vec<ReadSkill> {
    let disk = names.loader.disk();
    match disk.link_stamp(path) {
        Ok(Some(_)) => {}
        Ok(None) => return Vec::new(),
        Err(error) => {
            problems.push(error.problem());
            return Vec::new();
        }
    }
    let tree = match PluginTree::unbounded(disk, path) {
        Ok(tree) => tree,
        Err(problem) => {
            problems.push(problem.in_file(path));
            return Vec::new();
        }
    };
    let files = scan::scan_directory(&tree, scope != SkillScope::System, problems);
    let mut budget = Budget::new();
    let mut skills = Vec::new();
    for file in files {
        let namespace = names.of(&file.dir, problems);
        let naming = Naming {
            namespace: namespace.as_deref(),
            is_agent: false,
        };
        // What lies beside the skill may not lead out of it: that content is not the user's choice.
        let beside = PluginTree::at(disk, file.dir.clone());
        match read(&tree, &beside, &file, naming, &mut budget, problems) {
            Ok(read) => skills.push(read),
            Err(problem) => problems.push(problem),
        }
    }
    skills
}

/// The plugins that directories belong to, remembered for one listing.
struct Namespaces<'a> {
    loader: &'a Loader,
    known: HashMap<AbsPath, Option<String>>,
}

impl Namespaces<'_> {
    /// The name of the plugin whose directory is the nearest above.
    fn of(&mut self, dir: &AbsPath, problems: &mut Vec<Problem>) -> Option<String> {
        let mut passed = Vec::new();
        let mut name = None;
        for ancestor in dir.ancestors() {
            if let Some(known) = self.known.get(&ancestor) {
                name.clone_from(known);
                break;
            }
            name = self.own(&ancestor, problems);
            passed.push(ancestor);
            if name.is_some() {
                break;
            }
        }
        for ancestor in passed {
            self.known.insert(ancestor, name.clone());
        }
        name
    }

    /// The name of the plugin at exactly this directory. One whose manifest is broken has none, and
    /// the next one above counts.
    fn own(&self, dir: &AbsPath, problems: &mut Vec<Problem>) -> Option<String> {
        match self.loader.plugin(dir) {
            Ok(Some(loaded)) if loaded.value.format == ManifestFormat::AgentPlugins => None,
            Ok(loaded) => loaded.map(|loaded| loaded.value.name.clone()),
            Err(problem) => {
                problems.push(problem.as_warning());
                None
            }
        }
    }
}

/// The first problems, and how many more there were below the root: an error when a skill is missing
/// for one of them.
fn bounded(mut problems: Vec<Problem>, root: &AbsPath) -> Vec<Problem> {
    if problems.len() <= MAX_PROBLEMS {
        return problems;
    }
    let more = problems.split_off(MAX_PROBLEMS);
    let text = format!("{} more problems are not listed", more.len());
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    let row = match more.iter().any(is_error) {
        true => Problem::error(ProblemKind::TooLarge, text),
        false => Problem::warning(ProblemKind::TooLarge, text),
    };
    problems.push(row.in_file(root));
    problems
}
