//! The skills of plugins for who asks again and again.
//!
//! Finding and reading the skills of one plugin takes about ten calls of the system for each. Who asks
//! twice asks for long, so the second time what is found is kept with what it was found in; from then on
//! a look at each of those paths says whether it still holds. A plugin with a link in it, one that has
//! just changed, and one of which something could not be read is read each time.

use std::fmt;
use std::sync::Arc;

use plugd_disk::{Disk, Testimony};
use plugd_manifest::Cache;
use plugd_model::{
    AbsPath, Clock, ManifestFormat, PluginManifest, PluginPath, Problem, ProblemKind,
};

use super::{ReadSkill, Skill, read_all, sorted};
use crate::Found;
use crate::tree::{PluginTree, RESOLVING_SPELLS};

/// How many plugins are remembered, and how much of memory they may take together, about.
const PLUGINS: usize = 4_096;
const BYTES: usize = 16 * 1024 * 1024;
/// A plugin that takes more is read each time.
const LARGEST: usize = BYTES / 8;
/// What a path takes with its stamp, and a skill or a problem beside its texts.
const PATH: usize = 256;
const ITEM: usize = 512;

/// Reads and remembers the skills of plugins. Every method takes `&self`.
pub struct SkillMemory {
    known: Cache<Arc<Remembered>>,
    clock: Arc<dyn Clock>,
}

/// What is known of a plugin's skills.
enum Remembered {
    /// Somebody has asked once.
    Asked,
    Known(Known),
}

struct Known {
    asked: Asked,
    skills: Vec<ReadSkill>,
    problems: Vec<Problem>,
    testimony: Testimony,
}

/// What of a manifest decides about skills.
#[derive(PartialEq)]
struct Asked {
    name: String,
    format: ManifestFormat,
    skills: Option<Vec<PluginPath>>,
}

impl Asked {
    fn by(manifest: &PluginManifest) -> Self {
        Self {
            name: manifest.name.clone(),
            format: manifest.format,
            skills: manifest.skills.clone(),
        }
    }
}

impl SkillMemory {
    /// A memory of nothing yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            known: Cache::new(PLUGINS, BYTES),
            clock,
        }
    }

    /// As [`skills`](super::skills()).
    #[must_use]
    pub fn skills(&self, disk: &Disk, root: &AbsPath, manifest: &PluginManifest) -> Found<Skill> {
        let mut problems = Vec::new();
        let read = self.read_all(disk, root, manifest, &mut problems);
        sorted(read, problems)
    }

    /// Every skill of a plugin, in the order in which they are found.
    pub(crate) fn read_all(
        &self,
        disk: &Disk,
        root: &AbsPath,
        manifest: &PluginManifest,
        problems: &mut Vec<Problem>,
    ) -> Vec<ReadSkill> {
        let root = match disk.resolve(root) {
            Ok(resolved) => resolved,
            Err(error) => {
                problems.push(error.problem());
                return Vec::new();
            }
        };
        let asked = Asked::by(manifest);
        let remembered = self.known.get(&root);
        if let Some(Remembered::Known(known)) = remembered.as_deref()
            && known.asked == asked
            && known.testimony.holds(disk)
        {
            problems.extend(known.problems.iter().cloned());
            return known.skills.clone();
        }
        // Where the system is asked to resolve each path, nobody could tell what that depended on.
        if remembered.is_none() || RESOLVING_SPELLS {
            let asked = Arc::new(Remembered::Asked);
            self.known.put(&root, asked, PATH, |_| true);
            return read_all(&PluginTree::at(disk, root), manifest, problems);
        }
        let now = self.clock.now();
        let (seen, witness) = disk.witnessed();
        let mut met = Vec::new();
        let skills = read_all(&PluginTree::at(&seen, root.clone()), manifest, &mut met);
        problems.extend(met.iter().cloned());
        if let Some(testimony) = witness.testimony(now) {
            let known = Known {
                asked,
                skills: skills.clone(),
                problems: met,
                testimony,
            };
            self.keep(&root, known);
        }
        skills
    }

    /// Keeps what was found, unless it is too much or something was refused: a refusal of the system can
    /// end without any stamp changing.
    fn keep(&self, root: &AbsPath, known: Known) {
        let is_refused = |problem: &Problem| problem.kind == ProblemKind::Unreadable;
        let cost = known.cost();
        if cost <= LARGEST && !known.problems.iter().any(is_refused) {
            let known = Arc::new(Remembered::Known(known));
            self.known.put(root, known, cost, |_| false);
        }
    }
}

impl Known {
    fn cost(&self) -> usize {
        let of_skill = |read: &ReadSkill| {
            let skill = &read.skill;
            let texts = [&skill.name, &skill.bare_name, &skill.description];
            ITEM + texts.iter().map(|text| text.len()).sum::<usize>()
        };
        let skills: usize = self.skills.iter().map(of_skill).sum();
        let of_problem = |problem: &Problem| ITEM + problem.message.len();
        let problems: usize = self.problems.iter().map(of_problem).sum();
        self.testimony.size() * PATH + skills + problems
    }
}

impl fmt::Debug for SkillMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillMemory").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
pub(super) mod tests;
