//! Where the lock of a project lies, and how it is read and written.
//!
//! A lock belongs to a project, which may be anybody's: it is read within bounds, as a whole or not
//! at all, and only a regular file is one.

use plugd_config::Snapshot;
use plugd_disk::{Disk, Kind};
use plugd_lockfile::{Lockfile, MAX_BYTES};
use plugd_model::{AbsPath, Place, Problem, ProblemKind};

use crate::Error;
use crate::lock_error::LockError;
use crate::project_dirs::{ProjectRoot, project_dirs};

/// Where a lock lies in its project.
const IN_PROJECT: [&str; 3] = [".agents", "plugins", "plugins.lock"];

/// A lock's file and the project that its paths count from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockPlace {
    pub(crate) file: AbsPath,
    pub(crate) project: AbsPath,
    /// What the file is.
    pub(crate) kind: LockKind,
}

/// What kind of file a lock lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockKind {
    /// A lock, which holds the plugins that it names.
    Lock,
    /// An archive with a lock in it. It may be gone tomorrow, so it holds nothing: what came out of
    /// it is pinned as if somebody had done so by hand.
    Archive,
}

/// A lock as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) text: String,
    /// What it says, or every mistake in it.
    pub(crate) parsed: Result<plugd_lockfile::Parsed, Vec<Problem>>,
}

impl LockPlace {
    /// The lock that is named, or that of the project around a directory: the nearest one that is
    /// there, else the place for one at the project's root.
    pub(crate) fn find(
        disk: &Disk,
        config: &Snapshot,
        cwd: &AbsPath,
        named: Option<&AbsPath>,
    ) -> Result<Self, Error> {
        if let Some(file) = named {
            return Ok(Self::at(file.clone()).resolved(disk));
        }
        let dirs = project_dirs(disk, config, cwd, ProjectRoot::Marked);
        for dir in dirs.iter().rev() {
            let file = Self::in_project(dir);
            if disk.link_stamp(&file)?.is_some() {
                return Ok(Self::at(file).resolved(disk));
            }
        }
        let root = dirs.first().unwrap_or(cwd);
        Ok(Self::at(Self::in_project(root)).resolved(disk))
    }

    /// The same with the links on the way to it followed: what is configured and recorded is written
    /// that way, and one project is one, from wherever it is reached.
    fn resolved(self, disk: &Disk) -> Self {
        let project = disk
            .resolve(&self.project)
            .unwrap_or_else(|_| self.project.clone());
        let rest = self.file.as_path().strip_prefix(self.project.as_path());
        let file = rest.map_or_else(|_| self.file.clone(), |rest| project.join(rest));
        Self {
            file,
            project,
            ..self
        }
    }

    fn in_project(dir: &AbsPath) -> AbsPath {
        IN_PROJECT
            .iter()
            .fold(dir.clone(), |path, name| path.join(name))
    }

    /// A lock at its usual place speaks for the project around it, any other for its directory.
    pub(crate) fn at(file: AbsPath) -> Self {
        let above: Vec<AbsPath> = file.ancestors().take(4).collect();
        let project = match above.get(3) {
            Some(project) if Self::in_project(project) == file => project.clone(),
            _ => file.parent().unwrap_or_else(|| file.clone()),
        };
        Self {
            file,
            project,
            kind: LockKind::Lock,
        }
    }

    /// An archive.
    pub(crate) fn of_archive(file: AbsPath) -> Self {
        Self {
            kind: LockKind::Archive,
            ..Self::at(file)
        }
    }

    /// The lock that a plugin is held by, when this is one.
    pub(crate) fn holder(&self) -> Option<&AbsPath> {
        match self.kind {
            LockKind::Lock => Some(&self.file),
            LockKind::Archive => None,
        }
    }

    /// Reads it; nothing when there is none.
    pub(crate) fn read(&self, disk: &Disk) -> Result<Option<Found>, Error> {
        match disk.link_stamp(&self.file)? {
            None => return Ok(None),
            Some(stamp) if stamp.kind == Kind::File => {}
            Some(_) => {
                return Err(LockError::NotAFile {
                    path: self.file.clone(),
                }
                .into());
            }
        }
        let bytes = disk.read(&self.file, MAX_BYTES)?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let place = Place::of_offset(error.as_bytes(), at);
                let problem = Problem::error(ProblemKind::Syntax, "the file is not utf-8 text");
                return Ok(Some(Found {
                    text: String::new(),
                    parsed: Err(vec![problem.in_file(&self.file).at(place)]),
                }));
            }
        };
        let in_file = |problems: Vec<Problem>| -> Vec<Problem> {
            let problems = problems.into_iter();
            problems
                .map(|problem| problem.in_file(&self.file))
                .collect()
        };
        let parsed = plugd_lockfile::parse(&text).map_err(in_file);
        let parsed = parsed.map(|parsed| plugd_lockfile::Parsed {
            unknown: in_file(parsed.unknown),
            ..parsed
        });
        Ok(Some(Found { text, parsed }))
    }

    /// Reads a lock that has to be there.
    pub(crate) fn read_whole(&self, disk: &Disk) -> Result<(Lockfile, Vec<Problem>), Error> {
        let Some(found) = self.read(disk)? else {
            return Err(LockError::NoLock {
                path: self.file.clone(),
            }
            .into());
        };
        let parsed = found.parsed.map_err(|problems| self.unusable(problems))?;
        Ok((parsed.lock, parsed.unknown))
    }

    /// The error of a lock with these mistakes.
    pub(crate) fn unusable(&self, problems: Vec<Problem>) -> Error {
        let others = problems.len().saturating_sub(1);
        let first = problems.into_iter().next();
        let problem = first.unwrap_or_else(|| {
            Problem::error(ProblemKind::Syntax, "it cannot be understood").in_file(&self.file)
        });
        Error::from(LockError::BadLock {
            path: self.file.clone(),
            problem: Box::new(problem),
            others,
        })
    }

    /// Puts a text in the place of the one that was read, unless somebody else was faster.
    pub(crate) fn write(
        &self,
        disk: &Disk,
        text: &str,
        before: Option<&Found>,
    ) -> Result<(), Error> {
        if let Some(dir) = self.file.parent() {
            disk.create_dirs(&dir)?;
        }
        let now = self.read(disk)?;
        if now.as_ref().map(|found| &found.text) != before.map(|found| &found.text) {
            return Err(LockError::Contested {
                path: self.file.clone(),
            }
            .into());
        }
        Ok(disk.replace(&self.file, text.as_bytes(), 0o644)?)
    }
}

#[cfg(test)]
mod tests {
    use plugd_config::{SessionFlags, load};
    use plugd_disk::Disk;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::LockPlace;

    #[track_caller]
    fn check(fixture: &str, cwd: &str, named: Option<&str>, expected: [&str; 2]) {
        let sandbox = Sandbox::from(fixture);
        let (disk, cwd) = (Disk::new(), sandbox.path(cwd));
        let config = load(&disk, &sandbox.layout(), &SessionFlags::none(), Some(&cwd));
        let named = named.map(|path| sandbox.path(path));
        let place = LockPlace::find(&disk, &config, &cwd, named.as_ref()).unwrap();
        let expected = expected.map(|path| sandbox.path(path));
        assert_eq!([place.file, place.project], expected);
    }

    #[test]
    fn the_nearest_lock_of_the_project_counts() {
        let project = "== p/.git/HEAD\nx\n== p/a/b/\n";
        let lock = "p/.agents/plugins/plugins.lock";
        check(project, "p/a/b", None, [lock, "p"]);
        let nested = format!("{project}== p/a/.agents/plugins/plugins.lock\nx\n== {lock}\nx\n");
        let inner = "p/a/.agents/plugins/plugins.lock";
        check(&nested, "p/a/b", None, [inner, "p/a"]);
        check(&nested, "p", None, [lock, "p"]);
        check(
            "== a/b/\n",
            "a/b",
            None,
            ["a/b/.agents/plugins/plugins.lock", "a/b"],
        );
        check(
            &nested,
            "p/a",
            Some("p/x/team.lock"),
            ["p/x/team.lock", "p/x"],
        );
        check(&nested, "p/a", Some(lock), [lock, "p"]);
    }
}
