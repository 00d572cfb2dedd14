//! Finding `SKILL.md` files: breadth first, bounded in depth and number, links only inside.
//!
//! A file is known by its resolved path, so one that is reached twice is found once, and a
//! directory that was listed before is not listed again: a cycle of links ends there.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};

use plugd_disk::{Entry, Kind};
use plugd_model::{
    AbsPath, MIGRATED_SKILLS_DIR, ManifestFormat, PluginManifest, Problem, ProblemKind,
};

use crate::tree::{Located, PluginTree, not_a};

/// Where skills lie when the manifest names no directory.
const DEFAULT_ROOT: &str = "skills";
/// The name of a skill's file, in exactly these letters.
const SKILL_FILE: &str = "SKILL.md";
/// The deepest directory below a root that can be a skill; the root is 0.
const MAX_DEPTH: usize = 6;
/// How many directories are listed below one root, itself included.
pub(crate) const MAX_DIRS_PER_ROOT: usize = 2_000;
/// How many directories are listed for one plugin, however many roots it names.
const MAX_DIRS: usize = 20_000;
/// The largest directory that is listed. Beyond it lies no collection of skills but something else.
const MAX_ENTRIES: u64 = 100_000;
/// How many bad links are told of each root.
const MAX_BAD_LINKS: usize = 20;
/// How many directories below the deepest level are asked whether a skill was missed.
const MAX_DEEPER: usize = 2_000;

/// A file that claims to be a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SkillFile {
    /// The name of the skill's directory: what a skill without a name is called.
    pub(super) directory: String,
    /// The skill's directory, resolved.
    pub(super) dir: AbsPath,
    /// `SKILL.md` in it.
    pub(super) path: AbsPath,
    /// What that leads to.
    pub(super) content: Located,
    /// Whether it lies where an installation puts what it makes of commands, and the manifest names
    /// no such place itself.
    pub(super) is_generated: bool,
}

/// Finds the skill files below a directory that belongs to no plugin, in the order of the walk.
///
/// The user put its links there, so directories may be linked from anywhere; in a directory that a
/// program manages (`follow_links` is false) none is followed. A `SKILL.md` that is itself a link is
/// left out, as the reference does, and reported.
pub(super) fn scan_directory(
    tree: &PluginTree<'_>,
    follow_links: bool,
    problems: &mut Vec<Problem>,
) -> Vec<SkillFile> {
    let rules = Rules {
        linked_dirs: follow_links,
        linked_files: false,
        ..NATIVE
    };
    let mut walk = Walk::new(tree, problems, rules);
    walk.root(tree.root(), Presence::Optional);
    walk.found
}

/// The skill file of the directory that is the tree's root, when a walk would take it.
pub(super) fn skill_file(tree: &PluginTree<'_>, name: &OsStr) -> Option<SkillFile> {
    if name != OsStr::new(SKILL_FILE) {
        return None;
    }
    let dir = tree.root().clone();
    let path = dir.join(name);
    let content = tree.locate(&path).ok()??;
    let is_itself = content.kind == Kind::File && content.path == path;
    is_itself.then(|| SkillFile {
        directory: dir.file_name().unwrap_or_default().to_string_lossy().into(),
        dir,
        path,
        content,
        is_generated: false,
    })
}

/// Finds the skill files of a plugin in the order of its roots.
pub(super) fn scan(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    problems: &mut Vec<Problem>,
) -> Vec<SkillFile> {
    let agent = manifest.format == ManifestFormat::AgentPlugins;
    let mut walk = Walk::new(tree, problems, if agent { AGENT } else { NATIVE });
    match &manifest.skills {
        Some(paths) if !agent => {
            for path in paths {
                walk.root(&path.below(tree.root()), Presence::Declared);
            }
        }
        _ => walk.root(&tree.root().join(DEFAULT_ROOT), Presence::Optional),
    }
    if !agent {
        walk.are_generated = true;
        walk.root(&tree.root().join(MIGRATED_SKILLS_DIR), Presence::Optional);
    }
    walk.found
}

/// Whether a root must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Declared,
    Optional,
}

/// How the formats differ.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Whether a link is another name for the skill it leads to. Where it is not, the link is a
    /// skill of its own, named as it stands in the tree.
    links_are_aliases: bool,
    /// The depth from which on a directory can be a skill.
    min_depth: usize,
    /// The depth of the last directories that are looked at.
    max_depth: usize,
    /// Whether names that begin with a dot count.
    hidden: bool,
    /// Whether a link to a directory is followed.
    linked_dirs: bool,
    /// Whether a `SKILL.md` may be a link.
    linked_files: bool,
}

/// Agent Plugins 7.1: immediate children only, whatever their names.
const AGENT: Rules = Rules {
    links_are_aliases: false,
    min_depth: 1,
    max_depth: 1,
    hidden: true,
    linked_dirs: true,
    linked_files: true,
};

/// All other formats, as the reference walks them.
const NATIVE: Rules = Rules {
    links_are_aliases: true,
    min_depth: 0,
    max_depth: MAX_DEPTH,
    hidden: false,
    linked_dirs: true,
    linked_files: true,
};

/// A directory to list.
struct Dir {
    /// Its resolved path.
    path: AbsPath,
    /// Its name as it stands in the tree; the resolved path ends in another when it is a link.
    name: OsString,
}

struct Walk<'a, 'p> {
    tree: &'a PluginTree<'a>,
    problems: &'p mut Vec<Problem>,
    found: Vec<SkillFile>,
    /// The resolved paths of the files in `found`.
    known: HashSet<AbsPath>,
    /// Directories that were listed, with the smallest depth at which that happened.
    listed: HashMap<AbsPath, usize>,
    lists: usize,
    deeper: usize,
    /// Links of the current root that lead to nothing or out of it.
    bad_links: usize,
    rules: Rules,
    /// Whether the current root is that of generated skills.
    are_generated: bool,
}

impl<'a, 'p> Walk<'a, 'p> {
    fn new(tree: &'a PluginTree<'a>, problems: &'p mut Vec<Problem>, rules: Rules) -> Self {
        Self {
            tree,
            problems,
            found: Vec::new(),
            known: HashSet::new(),
            listed: HashMap::new(),
            lists: 0,
            deeper: 0,
            bad_links: 0,
            rules,
            are_generated: false,
        }
    }

    /// Walks one root.
    fn root(&mut self, path: &AbsPath, presence: Presence) {
        let root = match self.tree.locate(path) {
            Ok(Some(located)) if located.kind == Kind::Dir => located.path,
            Ok(Some(located)) => {
                self.problems
                    .push(not_a(located.kind, "directory").in_file(path));
                return;
            }
            Ok(None) => {
                if presence == Presence::Declared {
                    let text = "the manifest names this directory of skills, and it does not exist";
                    self.problems
                        .push(Problem::warning(ProblemKind::Missing, text).in_file(path));
                }
                return;
            }
            Err(problem) => {
                self.problems.push(problem);
                return;
            }
        };
        let name = path.file_name().unwrap_or_default().to_owned();
        let first = Dir {
            path: root.clone(),
            name,
        };
        self.bad_links = 0;
        let mut waiting = VecDeque::from([(first, 0)]);
        let mut listed = 0;
        let mut cut = false;
        while let Some((dir, depth)) = waiting.pop_front() {
            let before = self.listed.get(&dir.path);
            if self.rules.links_are_aliases && before.is_some_and(|&before| before <= depth) {
                continue;
            }
            if listed >= MAX_DIRS_PER_ROOT || self.lists >= MAX_DIRS {
                cut = true;
                break;
            }
            listed += 1;
            self.lists += 1;
            self.listed.insert(dir.path.clone(), depth);
            let room = MAX_DIRS_PER_ROOT.saturating_sub(listed + waiting.len());
            let children = self.directory(&dir, depth, room);
            cut |= children.len() > room;
            waiting.extend(
                children
                    .into_iter()
                    .take(room)
                    .map(|child| (child, depth + 1)),
            );
        }
        let more = self.bad_links.saturating_sub(MAX_BAD_LINKS);
        if more > 0 {
            let text = format!("{more} more links in here lead to nothing or out of it");
            self.problems
                .push(Problem::warning(ProblemKind::LeftOut, text).in_file(&root));
        }
        if cut {
            let text = match self.lists >= MAX_DIRS {
                true => format!(
                    "all directories of skills hold more than {MAX_DIRS} directories together; skills in the rest are left out"
                ),
                false => format!(
                    "there are more than {MAX_DIRS_PER_ROOT} directories below this one; skills in the rest are left out"
                ),
            };
            self.problems
                .push(Problem::error(ProblemKind::TooLarge, text).in_file(&root));
        }
    }

    /// Lists one directory: takes its skill, and answers the directories to look at next. At most
    /// one more than `room` is answered, which tells that there are too many.
    fn directory(&mut self, dir: &Dir, depth: usize, room: usize) -> Vec<Dir> {
        let disk = self.tree.disk().literally();
        let entries = match disk.list_up_to(&dir.path, MAX_ENTRIES) {
            Ok(Some(entries)) => entries,
            Ok(None) => {
                let text = format!("the directory has more than {MAX_ENTRIES} entries");
                let problem = Problem::error(ProblemKind::TooLarge, text);
                self.problems.push(problem.in_file(&dir.path));
                return Vec::new();
            }
            Err(error) => {
                self.problems.push(error.problem());
                return Vec::new();
            }
        };
        self.tree.was_opened(&dir.path);
        if depth >= self.rules.min_depth {
            self.skill(dir, &entries);
        }
        // Below an Agent Plugins skill nothing is searched, so nothing is missed either.
        if depth >= self.rules.max_depth && self.rules.min_depth == self.rules.max_depth {
            return Vec::new();
        }
        let mut children = Vec::new();
        for entry in entries {
            let hidden = entry.name.as_encoded_bytes().starts_with(b".");
            if entry.name == OsStr::new(SKILL_FILE) || (hidden && !self.rules.hidden) {
                continue;
            }
            let path = dir.path.join(&entry.name);
            let child = match entry.kind {
                Kind::Dir => path,
                Kind::Link if !self.rules.linked_dirs => continue,
                Kind::Link => match self.linked_dir(&path) {
                    Some(child) => child,
                    None => continue,
                },
                Kind::File | Kind::Special => continue,
            };
            if entry.name.to_str().is_none() {
                self.nameless(&dir.path.join(&entry.name));
                continue;
            }
            if depth >= self.rules.max_depth {
                self.missed(&child);
                continue;
            }
            children.push(Dir {
                path: child,
                name: entry.name,
            });
            if children.len() > room {
                break;
            }
        }
        children
    }

    /// Follows a link to a directory. Other links are of no interest, unless they lead out: what
    /// the author meant to be there is not.
    fn linked_dir(&mut self, path: &AbsPath) -> Option<AbsPath> {
        match self.tree.locate(path) {
            Ok(Some(located)) => (located.kind == Kind::Dir).then_some(located.path),
            Ok(None) => None,
            Err(problem) => {
                self.bad_links += 1;
                if self.bad_links <= MAX_BAD_LINKS {
                    self.problems.push(problem.as_warning());
                }
                None
            }
        }
    }

    /// Takes the skill of a directory, if it has one.
    fn skill(&mut self, dir: &Dir, entries: &[Entry]) {
        let named = |entry: &&Entry| entry.name == OsStr::new(SKILL_FILE);
        let Some(entry) = entries.iter().find(named) else {
            self.almost(&dir.path, entries);
            return;
        };
        let path = dir.path.join(&entry.name);
        if entry.kind == Kind::Link && !self.rules.linked_files {
            let text = "a `SKILL.md` that is a link is not read; link its directory instead";
            let problem = Problem::warning(ProblemKind::LeftOut, text);
            self.problems.push(problem.in_file(&path));
            return;
        }
        // The directory was resolved before it was listed, so this file is as it stands.
        let listed = || Located {
            path: path.clone(),
            kind: Kind::File,
        };
        let located = match entry.kind {
            Kind::File => Ok(Some(listed())),
            Kind::Dir | Kind::Link | Kind::Special => self.tree.locate(&path),
        };
        let content = match located {
            Ok(Some(content)) if content.kind == Kind::File => content,
            Ok(Some(content)) => {
                self.problems
                    .push(not_a(content.kind, "file").in_file(&path));
                return;
            }
            // Gone since the directory was listed.
            Ok(None) => return,
            Err(problem) => {
                self.problems.push(problem);
                return;
            }
        };
        if !self.rules.links_are_aliases {
            let name = dir.name.to_string_lossy().into_owned();
            self.found.push(SkillFile {
                directory: name,
                dir: dir.path.clone(),
                path,
                content,
                is_generated: self.are_generated,
            });
            return;
        }
        if !self.known.insert(content.path.clone()) {
            return;
        }
        // A link to another skill's file is that skill; one to any other text makes one here.
        let (dir, path) = match content.path.parent() {
            Some(parent) if content.path.file_name() == Some(OsStr::new(SKILL_FILE)) => {
                (parent, content.path.clone())
            }
            _ => (dir.path.clone(), path),
        };
        let name = dir.file_name().unwrap_or_default();
        self.found.push(SkillFile {
            directory: name.to_string_lossy().into_owned(),
            dir,
            path,
            content,
            is_generated: self.are_generated,
        });
    }

    /// Reports a file that would be a skill under another spelling of its name.
    fn almost(&mut self, dir: &AbsPath, entries: &[Entry]) {
        let almost = entries
            .iter()
            .find(|entry| entry.kind == Kind::File && entry.name.eq_ignore_ascii_case(SKILL_FILE));
        if let Some(entry) = almost {
            let text = "a skill's file must be named `SKILL.md` in exactly these letters";
            let problem = Problem::warning(ProblemKind::BadName, text);
            self.problems.push(problem.in_file(&dir.join(&entry.name)));
        }
    }

    /// Reports a directory that no answer can name: its path would lead whoever reads it nowhere.
    fn nameless(&mut self, dir: &AbsPath) {
        let text = "the name of this directory is no UTF-8, so the skills in it are left out";
        let problem = Problem::warning(ProblemKind::BadName, text);
        self.problems.push(problem.in_file(dir));
    }

    /// Reports a skill that lies one level too deep to be found.
    fn missed(&mut self, dir: &AbsPath) {
        self.deeper += 1;
        if self.deeper > MAX_DEEPER {
            return;
        }
        let path = dir.join(SKILL_FILE);
        if let Ok(Some(_)) = self.tree.disk().link_stamp(&path) {
            let text =
                format!("a skill more than {MAX_DEPTH} directories below its root is left out");
            self.problems
                .push(Problem::warning(ProblemKind::TooLarge, text).in_file(&path));
        }
    }
}
