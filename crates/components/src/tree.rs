//! Reading below one plugin root, and never beside it.
//!
//! The root is resolved once; every path is resolved before it is used and must lie below it. A
//! link inside the tree is therefore as good as what it leads to, and one that leaves it is a
//! problem (Agent Plugins 4.1, and for the other formats the same rule). What was located is opened
//! literally, so that a link that is put in its place meanwhile leads nowhere.
//!
//! A directory of skills that belongs to no plugin is opened by [`PluginTree::unbounded`]: there the
//! links are the user's own, and may lead anywhere.

use plugd_disk::{Disk, DiskError, Kind};
use plugd_model::{AbsPath, ManifestFormat, Problem, ProblemKind};

/// A plugin's directory tree.
#[derive(Debug)]
pub(crate) struct PluginTree<'a> {
    disk: &'a Disk,
    root: AbsPath,
    /// Whether a link may leave the root.
    is_unbounded: bool,
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
        Ok(Self {
            disk,
            root: resolved,
            is_unbounded: false,
        })
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
        if self.disk.link_stamp(path).map_err(failed)?.is_none() {
            return Ok(None);
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
        let stamp = self.disk.stamp(&resolved).map_err(failed)?;
        Ok(stamp.map(|stamp| Located {
            path: resolved,
            kind: stamp.kind,
        }))
    }

    /// Whether a path that a plugin names stays below the root, links resolved as far as they
    /// exist. What does not exist cannot lead anywhere.
    pub(crate) fn contains(&self, path: &AbsPath) -> bool {
        let existing = path
            .ancestors()
            .find(|ancestor| matches!(self.disk.link_stamp(ancestor), Ok(Some(_))));
        match existing {
            Some(ancestor) => self
                .disk
                .resolve(&ancestor)
                .is_ok_and(|resolved| resolved.starts_with(&self.root)),
            None => false,
        }
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
