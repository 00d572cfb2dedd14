//! Reading below one plugin root, and never beside it.
//!
//! The root is resolved once; every path is resolved before it is used and must lie below it. A
//! link inside the tree is therefore as good as what it leads to, and one that leaves it is a
//! problem (Agent Plugins 4.1, and for the other formats the same rule). What was located is opened
//! literally, so that a link that is put in its place meanwhile leads nowhere.
//!
//! A path with no link between it and a resolved directory is resolved as it stands. Which
//! directories are resolved is remembered, so that the system is not made to walk from the top of
//! the disk for each file. Should one of them become a link meanwhile, what lies behind it may still
//! be found to be there, but it cannot be opened.
//!
//! A directory of skills that belongs to no plugin is opened by [`PluginTree::unbounded`]: there the
//! links are the user's own, and may lead anywhere.

use std::cell::RefCell;
use std::collections::HashSet;

use plugd_disk::{Disk, DiskError, Kind};
use plugd_model::{AbsPath, ManifestFormat, Problem, ProblemKind};

/// Whether resolving a path also spells its names as they stand on the disk. Then a path without
/// links may still be another one when it is resolved.
pub(crate) const RESOLVING_SPELLS: bool = cfg!(any(target_vendor = "apple", windows));

/// A plugin's directory tree.
#[derive(Debug)]
pub(crate) struct PluginTree<'a> {
    disk: &'a Disk,
    root: AbsPath,
    /// Whether a link may leave the root.
    is_unbounded: bool,
    /// Directories whose paths are resolved, beside the root.
    resolved: RefCell<HashSet<AbsPath>>,
}

/// Something below the root, with every link resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// Its real path.
    pub(crate) path: AbsPath,
    /// What it is; never a link.
    pub(crate) kind: Kind,
}

impl<'a> PluginTree<'a> {
    /// Resolves a plugin's root.
    pub(crate) fn open(disk: &'a Disk, root: &AbsPath) -> Result<Self, Problem> {
        let resolved = disk.resolve(root).map_err(|error| error.problem())?;
        Ok(Self::at(disk, resolved))
    }

    /// The tree of a directory whose path is resolved already.
    pub(crate) fn at(disk: &'a Disk, root: AbsPath) -> Self {
        Self {
            disk,
            root,
            is_unbounded: false,
            resolved: RefCell::default(),
        }
    }

    /// Resolves a directory of the user's, whose links may lead anywhere.
    pub(crate) fn unbounded(disk: &'a Disk, root: &AbsPath) -> Result<Self, Problem> {
        Ok(Self {
            is_unbounded: true,
            ..Self::open(disk, root)?
        })
    }

    /// The resolved root.
    pub(crate) fn root(&self) -> &AbsPath {
        &self.root
    }

    /// The file system, for listing directories that were located.
    pub(crate) fn disk(&self) -> &Disk {
        self.disk
    }

    /// Resolves a path of the tree; `None` when nothing is there.
    pub(crate) fn locate(&self, path: &AbsPath) -> Result<Option<Located>, Problem> {
        let failed = |error: DiskError| error.problem().in_file(path);
        let Some(stamp) = self.disk.link_stamp(path).map_err(failed)? else {
            return Ok(None);
        };
        if self.is_as_it_stands(path, stamp.kind) {
            return Ok(Some(Located {
                path: path.clone(),
                kind: stamp.kind,
            }));
        }
        let resolved = match self.disk.resolve(path) {
            Ok(resolved) => resolved,
            Err(error) if error.is_not_found() => {
                let text = "the link leads to nothing";
                return Err(Problem::error(ProblemKind::Missing, text).in_file(path));
            }
            Err(error) => return Err(failed(error)),
        };
        if !self.is_unbounded && !resolved.starts_with(&self.root) {
            let text = "the path leaves the plugin through a link";
            return Err(Problem::error(ProblemKind::BadPath, text).in_file(path));
        }
        let Some(stamp) = self.disk.stamp(&resolved).map_err(failed)? else {
            return Ok(None);
        };
        if stamp.kind == Kind::Dir {
            self.resolved.borrow_mut().insert(resolved.clone());
        }
        Ok(Some(Located {
            path: resolved,
            kind: stamp.kind,
        }))
    }

    /// Notes that a directory was opened literally: its path is resolved.
    pub(crate) fn was_opened(&self, dir: &AbsPath) {
        self.resolved.borrow_mut().insert(dir.clone());
    }

    /// Whether a path at which something of this kind was found resolves to itself.
    fn is_as_it_stands(&self, path: &AbsPath, kind: Kind) -> bool {
        let parent = path.parent();
        kind != Kind::Link && parent.is_some_and(|parent| self.is_resolved(&parent))
    }

    /// Whether a directory of the tree is known to be reached without a link, or is found to be.
    fn is_resolved(&self, dir: &AbsPath) -> bool {
        if RESOLVING_SPELLS {
            return false;
        }
        if *dir == self.root || self.resolved.borrow().contains(dir) {
            return true;
        }
        let above = dir.parent().filter(|above| above.starts_with(&self.root));
        if !above.is_some_and(|above| self.is_resolved(&above)) {
            return false;
        }
        let is_dir = |stamp: plugd_disk::Stamp| stamp.kind == Kind::Dir;
        let is_resolved =
            matches!(self.disk.link_stamp(dir), Ok(stamp) if stamp.is_some_and(is_dir));
        if is_resolved {
            self.resolved.borrow_mut().insert(dir.clone());
        }
        is_resolved
    }

    /// Whether a path that a plugin names stays below the root, links resolved as far as they
    /// exist. What does not exist cannot lead anywhere.
    pub(crate) fn contains(&self, path: &AbsPath) -> bool {
        let existing = path.ancestors().find_map(|ancestor| {
            let stamp = self.disk.link_stamp(&ancestor).ok()??;
            Some((ancestor, stamp.kind))
        });
        let Some((ancestor, kind)) = existing else {
            return false;
        };
        if ancestor.starts_with(&self.root) && self.is_as_it_stands(&ancestor, kind) {
            return true;
        }
        let resolved = self.disk.resolve(&ancestor);
        resolved.is_ok_and(|resolved| resolved.starts_with(&self.root))
    }

    /// Reads a text file of the tree; `None` when nothing is there.
    pub(crate) fn read(&self, path: &AbsPath, limit: u64) -> Result<Option<String>, Problem> {
        let Some(located) = self.locate(path)? else {
            return Ok(None);
        };
        self.read_located(&located, path, limit).map(Some)
    }

    /// The manifest's file and text, for places of what was declared in it; nothing when it stands
    /// in no file of the plugin or cannot be read.
    pub(crate) fn manifest_text(&self, format: ManifestFormat) -> Option<(AbsPath, String)> {
        let file = self.root.join(plugd_manifest::plugin_file(format)?);
        let text = self.read(&file, plugd_manifest::MAX_PLUGIN_BYTES).ok()??;
        Some((file, text))
    }

    /// Reads a text file that was located before; problems name `shown`.
    pub(crate) fn read_located(
        &self,
        located: &Located,
        shown: &AbsPath,
        limit: u64,
    ) -> Result<String, Problem> {
        if located.kind != Kind::File {
            return Err(not_a(located.kind, "file").in_file(shown));
        }
        let bytes = self
            .disk
            .literally()
            .read(&located.path, limit)
            .map_err(|error| error.problem().in_file(shown))?;
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            Problem::error(ProblemKind::Syntax, "the file is not UTF-8")
                .in_file(shown)
                .at(plugd_model::Place::of_offset(error.as_bytes(), valid))
        })
    }
}

/// Resolves the part of a path that exists; what does not exist cannot lead anywhere.
pub(crate) fn resolve_as_far(disk: &Disk, path: &AbsPath) -> Result<AbsPath, DiskError> {
    for ancestor in path.ancestors() {
        if disk.link_stamp(&ancestor)?.is_none() {
            continue;
        }
        let real = disk.resolve(&ancestor)?;
        return Ok(match path.as_path().strip_prefix(&ancestor) {
            Ok(rest) => real.join(rest),
            Err(_) => real,
        });
    }
    Ok(path.clone())
}

/// The problem of something that is there and of the wrong kind.
pub(crate) fn not_a(found: Kind, expected: &str) -> Problem {
    let text = format!("a {expected} is expected here, not a {}", found.word());
    Problem::error(ProblemKind::NotAFile, text)
}
