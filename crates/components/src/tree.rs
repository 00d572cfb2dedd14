//! Reading below one plugin root, and never beside it.
//!
//! The root is resolved once; every path is resolved before it is used and must lie below it. A
//! link inside the tree is therefore as good as what it leads to, and one that leaves it is a
//! problem (Agent Plugins 4.1, and for the other formats the same rule).

use plugd_disk::{Disk, DiskError, Kind};
use plugd_model::{AbsPath, Problem, ProblemKind};

/// A plugin's directory tree.
#[derive(Debug)]
pub(crate) struct PluginTree<'a> {
    disk: &'a Disk,
    root: AbsPath,
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
        if !resolved.starts_with(&self.root) {
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

/// The problem of something that is there and of the wrong kind.
pub(crate) fn not_a(found: Kind, expected: &str) -> Problem {
    let text = format!("a {expected} is expected here, not a {}", found.word());
    Problem::error(ProblemKind::NotAFile, text)
}
