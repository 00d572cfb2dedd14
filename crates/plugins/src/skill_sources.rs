//! Where skills are looked for from a directory, and in which order: of two ways to one file the
//! first counts.

use std::sync::{Arc, Mutex, PoisonError};

use plugd_components::{SkillScope, SkillSource};
use plugd_config::Snapshot;
use plugd_disk::Disk;
use plugd_model::{AbsPath, MIGRATED_SKILLS_DIR, ManifestFormat};
use plugd_watch::WatchRoot;

use crate::Lookup;
use crate::active::ActivePlugin;
use crate::project_dirs::{ProjectRoot, project_dirs};
use crate::watched_places::Wanted;

/// Skills of a repository and of the user, below a directory.
const AGENTS_SKILLS: &str = ".agents/skills";
/// The configuration of a project.
const CODEX: &str = ".codex";
/// Skills that the reference brings along, below the user's.
const SYSTEM_SKILLS: &str = ".system";
/// Where skills lie when nothing else is said.
const SKILLS: &str = "skills";

/// Directories of skills that a client added for this process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct ExtraSkillRoots(Arc<Mutex<Vec<AbsPath>>>);

impl ExtraSkillRoots {
    /// Replaces them. Answers whether that changed anything.
    pub fn set(&self, roots: Vec<AbsPath>) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = *held != roots;
        *held = roots;
        changed
    }

    /// As they are now.
    #[must_use]
    pub fn get(&self) -> Vec<AbsPath> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }
}

/// The places of one listing.
#[derive(Debug)]
pub(crate) struct SkillPlaces<'a> {
    /// Before the plugins: the user's own.
    before: Vec<(AbsPath, SkillScope)>,
    plugins: &'a [ActivePlugin],
    /// Behind them: what the client added, the repository's, the system's and the administrator's.
    behind: Vec<(AbsPath, SkillScope)>,
}

impl<'a> SkillPlaces<'a> {
    /// The places that count from a directory with its configuration. They need not exist.
    pub(crate) fn new(
        lookup: &Lookup,
        config: &Snapshot,
        cwd: Option<&AbsPath>,
        plugins: &'a [ActivePlugin],
        extra: &[AbsPath],
    ) -> Self {
        let layout = lookup.layout();
        let users = layout.home().join(SKILLS);
        let mut before = vec![(users.clone(), SkillScope::User)];
        if let Some(home) = lookup.home() {
            before.push((home.join(AGENTS_SKILLS), SkillScope::User));
        }
        let extra = extra.iter().cloned();
        let mut behind: Vec<_> = extra.map(|path| (path, SkillScope::User)).collect();
        if let Some(cwd) = cwd {
            let of_project = project_places(lookup, config, cwd).into_iter();
            behind.extend(of_project.map(|path| (path, SkillScope::Repo)));
        }
        if config.bundled_skills() {
            behind.push((users.join(SYSTEM_SKILLS), SkillScope::System));
        }
        behind.push((layout.system().join(SKILLS), SkillScope::Admin));
        Self {
            before,
            plugins,
            behind,
        }
    }

    /// As the components crate takes them.
    pub(crate) fn sources(&self) -> Vec<SkillSource<'_>> {
        let mut sources: Vec<SkillSource<'_>> = Vec::new();
        sources.extend(self.before.iter().map(as_source));
        sources.extend(self.plugins.iter().map(|plugin| SkillSource::Plugin {
            id: plugin.id(),
            root: &plugin.copy.root,
            manifest: &plugin.manifest.value,
        }));
        sources.extend(self.behind.iter().map(as_source));
        sources
    }

    /// The directories that belong to no plugin.
    pub(crate) fn directories(&self) -> impl Iterator<Item = (&AbsPath, SkillScope)> {
        let all = self.before.iter().chain(&self.behind);
        all.map(|(path, scope)| (path, *scope))
    }
}

/// The places of a project, from its root down. Those beside its configuration count whether or not
/// the project is trusted: a skill does nothing by itself.
fn project_places(lookup: &Lookup, config: &Snapshot, cwd: &AbsPath) -> Vec<AbsPath> {
    let (disk, layout) = (lookup.disk(), lookup.layout());
    let dirs = |root| project_dirs(disk, config, cwd, root).into_iter();
    // The user's home is no repository of skills, also when somebody works in it.
    let is_project = |dir: &AbsPath| Some(dir) != lookup.home();
    let own = dirs(ProjectRoot::Marked).filter(is_project);
    let is_home = |dir: &AbsPath| is_same(disk, &dir.join(CODEX), layout.home());
    let beside = dirs(ProjectRoot::Configured).filter(|dir| !is_home(dir));
    let beside = beside.map(|dir| dir.join(CODEX).join(SKILLS));
    own.map(|dir| dir.join(AGENTS_SKILLS))
        .chain(beside)
        .collect()
}

/// Adds what has to be watched to hear of changes in some places.
pub(crate) fn watch(places: &SkillPlaces<'_>, wanted: &mut Wanted) {
    for (path, scope) in places.directories() {
        wanted.place(match scope {
            SkillScope::System => WatchRoot::tree(path.clone()),
            SkillScope::Repo | SkillScope::User | SkillScope::Admin => {
                WatchRoot::tree_and_links(path.clone())
            }
        });
    }
    for plugin in places.plugins {
        // Another copy in this place may come with another manifest.
        let files = [&plugin.copy.root, &plugin.manifest.file];
        let files = files.map(|path| WatchRoot::file(path.clone()));
        let dirs = plugin_skill_dirs(plugin).into_iter().map(WatchRoot::tree);
        wanted.plugin(plugin.id().clone(), files.into_iter().chain(dirs).collect());
    }
}

/// The directories below a plugin that may hold skills. They need not exist.
pub(crate) fn plugin_skill_dirs(plugin: &ActivePlugin) -> Vec<AbsPath> {
    let (root, manifest) = (&plugin.copy.root, &plugin.manifest.value);
    let is_agent = manifest.format == ManifestFormat::AgentPlugins;
    let mut dirs = match &manifest.skills {
        Some(paths) if !is_agent => paths.iter().map(|path| path.below(root)).collect(),
        _ => vec![root.join(SKILLS)],
    };
    if !is_agent {
        dirs.push(root.join(MIGRATED_SKILLS_DIR));
    }
    dirs
}

fn as_source((path, scope): &(AbsPath, SkillScope)) -> SkillSource<'_> {
    SkillSource::Directory {
        path,
        scope: *scope,
    }
}

fn is_same(disk: &Disk, left: &AbsPath, right: &AbsPath) -> bool {
    left == right || matches!((disk.resolve(left), disk.resolve(right)), (Ok(a), Ok(b)) if a == b)
}
