//! The skills of plugins for who asks again and again.
//!
//! Finding and reading the skills of one plugin takes about ten calls of the system for each. Who asks
//! twice asks for long, so the second time what is found is kept with what it was found in; from then on
//! a look at each of those paths says whether it still holds. A plugin with a link in it is read each
//! time.

use std::fmt;
use std::sync::Arc;

use plugd_disk::{Disk, Testimony};
use plugd_manifest::Cache;
use plugd_model::{AbsPath, ManifestFormat, PluginManifest, PluginPath, Problem};

use super::{ReadSkill, Skill, read_all, sorted};
use crate::Found;
use crate::tree::PluginTree;

/// How many plugins are remembered, and how many paths they may depend on together. A path costs some
/// two hundred bytes, the skill that it leads to included.
const PLUGINS: usize = 4_096;
const PATHS: usize = 65_536;

/// Reads and remembers the skills of plugins. Every method takes `&self`.
pub struct SkillMemory(Cache<Arc<Remembered>>);

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

impl Default for SkillMemory {
    fn default() -> Self {
        Self(Cache::new(PLUGINS, PATHS))
    }
}

impl SkillMemory {
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
        let remembered = self.0.get(&root);
        if let Some(Remembered::Known(known)) = remembered.as_deref()
            && known.asked == asked
            && known.testimony.holds(disk)
        {
            problems.extend(known.problems.iter().cloned());
            return known.skills.clone();
        }
        if remembered.is_none() {
            self.0.put(&root, Arc::new(Remembered::Asked), 1, |_| true);
            let tree = PluginTree::at(disk, root);
            return read_all(&tree, manifest, problems);
        }
        let (seen, witness) = disk.witnessed();
        let mut met = Vec::new();
        let skills = read_all(&PluginTree::at(&seen, root.clone()), manifest, &mut met);
        problems.extend(met.iter().cloned());
        if let Some(testimony) = witness.testimony() {
            let cost = testimony.size() + 1;
            let known = Known {
                asked,
                skills: skills.clone(),
                problems: met,
                testimony,
            };
            let known = Arc::new(Remembered::Known(known));
            self.0.put(&root, known, cost, |_| false);
        }
        skills
    }
}

impl fmt::Debug for SkillMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillMemory").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
