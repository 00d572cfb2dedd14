//! Parts of a repository: the files of a few directories, without those of all the others.
//!
//! A server that can filter sends a commit with its directories and no file. They tell which files
//! the wanted paths have, and those are fetched in one go.
//!
//! Objects of such a fetch live in a repository of their own inside the mirror. So a mirror never
//! lacks what it promises, whatever was fetched in parts before, and goes away with its parts when it
//! is damaged. Here a promise names the commit and the paths whose files are there.

use std::collections::BTreeSet;

use plugd_disk::tree::Limits;
use plugd_model::{AbsPath, hex};

use git2::{ErrorCode, ObjectType, Odb, Oid, Repository, Tree};
use sha2::{Digest as _, Sha256};

use crate::advertised::{Choice, choose};
use crate::checkout::{MAX_TREE_OBJECT, MODE_COMMIT, MODE_DIR, join};
use crate::command::Command;
use crate::failure::{Failure, Trouble};
use crate::mirror::{known, open_or_make, peel};
use crate::peer::Peer as _;
use crate::session::Session;
use crate::sparse::Sparse;
use crate::{Address, Backend, CommitId, Depth, Want, attributes};

/// The directory of the repository, inside its mirror.
const NAME: &str = "partial";

/// Which files are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) subdir: Option<&'a str>,
    /// Paths in the repository.
    pub(crate) sparse: &'a Sparse,
}

/// Where a part was found.
pub(crate) enum Got {
    /// In the repository of parts.
    Here(Repository, Oid),
    /// The whole mirror has the commit already.
    Whole(Oid),
    /// Nowhere: this remote is fetched as a whole, or the failure is to be told by a fetch of that
    /// kind.
    Nowhere,
}

impl Part<'_> {
    /// Whether anything is left aside.
    pub(crate) fn is_less(&self) -> bool {
        self.subdir.is_some() || !self.sparse.is_all()
    }

    /// Whether a file, or anything in a directory, is wanted.
    fn wants(&self, path: &str, is_dir: bool) -> bool {
        if path == ".gitmodules" || (!is_dir && self.is_said_of_it(path)) {
            return true;
        }
        let inside = match self.subdir {
            None => true,
            Some(top) if is_dir => is_below(path, top) || is_below(top, path),
            Some(top) => is_below(path, top),
        };
        let chosen = match is_dir {
            true => self.sparse.enters(path),
            false => self.sparse.takes(path),
        };
        inside && chosen
    }

    /// Whether a file says something about the directory that is wanted.
    fn is_said_of_it(&self, path: &str) -> bool {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let above = self
            .subdir
            .is_some_and(|top| dir.is_empty() || is_below(top, dir));
        above && name == attributes::NAME
    }

    /// The name of the promise that its files are there.
    fn promise(&self, commit: &str) -> String {
        let mut digest = Sha256::new();
        // An earlier promise of the same paths left out files above them, and the next one what these
        // say of attributes.
        digest.update("3 ");
        digest.update(self.subdir.unwrap_or_default());
        for path in self.sparse.paths().iter().collect::<BTreeSet<_>>() {
            digest.update([0]);
            digest.update(path);
        }
        let name = hex(&digest.finalize());
        format!("refs/plugd/part/{commit}-{name}")
    }
}

fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Brings the files of a part. `mirror` is the repository with whole commits at `path`, `address`
/// where the user's configuration leads.
pub(crate) fn obtain(
    session: &Session,
    address: &Address,
    git: &AbsPath,
    (mirror, path): (&Repository, &AbsPath),
    want: &Want,
    part: Part<'_>,
) -> Result<Got, Trouble> {
    let path = path.join(NAME);
    let repository = open_or_make(session, &path)?;
    if let Want::Commit(text) = want
        && let Some(id) = CommitId::new(text)
        && let Some(commit) = promised(&repository, part, &id)?
    {
        return Ok(Got::Here(repository, commit));
    }
    match bring(
        session,
        address,
        git,
        (mirror, &repository, &path),
        want,
        part,
    ) {
        Ok(Some(Found::Mirror(commit))) => Ok(Got::Whole(commit)),
        Ok(Some(Found::Here(commit))) => Ok(Got::Here(repository, commit)),
        Ok(None) => Ok(Got::Nowhere),
        Err(Trouble::Failed(failure)) if leaves_whole(session.backend, &failure) => {
            tracing::debug!(%failure, "a part cannot be had, so the whole is fetched");
            Ok(Got::Nowhere)
        }
        Err(trouble) => Err(trouble),
    }
}

/// Whether the whole may be had where a part is not. A server may refuse parts, and this machine's
/// git may be too old; where libgit2 comes next, it also has certificates and logins of its own.
fn leaves_whole(backend: Backend, failure: &Failure) -> bool {
    match failure {
        Failure::Refused { .. } | Failure::Git { .. } => true,
        Failure::Unreachable { .. }
        | Failure::ServerFault { .. }
        | Failure::Unauthorised { .. } => backend == Backend::Auto,
        _ => false,
    }
}

enum Found {
    Mirror(Oid),
    Here(Oid),
}

fn bring(
    session: &Session,
    address: &Address,
    git: &AbsPath,
    (mirror, repository, path): (&Repository, &Repository, &AbsPath),
    want: &Want,
    part: Part<'_>,
) -> Result<Option<Found>, Trouble> {
    let mut peer = Command::connect(session, address, git, Some(path))?;
    let (spec, object) = match choose(peer.heads(), want) {
        Choice::Tip { name, object } => (name, object),
        Choice::Commit(id) => (id.to_string(), id),
        Choice::Prefix(_) | Choice::Nothing => return Ok(None),
    };
    let id = CommitId::of(object);
    if let Some(commit) = known(mirror, &id, Depth::Tip)? {
        return Ok(Some(Found::Mirror(commit)));
    }
    if let Some(commit) = promised(repository, part, &id)? {
        return Ok(Some(Found::Here(commit)));
    }
    let odb = repository.odb().map_err(|error| Trouble::damaged(&error))?;
    let refresh = || odb.refresh().map_err(|error| Trouble::damaged(&error));
    peer.download_directories(&spec)?;
    refresh()?;
    let Some(commit) = peel(repository, object)? else {
        return Ok(None);
    };
    let missing = missing(repository, &odb, commit, part)?;
    if !missing.is_empty() {
        peer.download_objects(&missing)?;
        refresh()?;
    }
    let name = part.promise(&commit.to_string());
    repository
        .reference(&name, commit, true, "")
        .map_err(|error| Trouble::damaged(&error))?;
    Ok(Some(Found::Here(commit)))
}

fn promised(
    repository: &Repository,
    part: Part<'_>,
    id: &CommitId,
) -> Result<Option<Oid>, Trouble> {
    match repository.find_reference(&part.promise(id.as_str())) {
        Ok(_) => {}
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(Trouble::damaged(&error)),
    }
    let oid = id.oid().map_err(|error| Trouble::damaged(&error))?;
    let commit = repository.find_commit(oid);
    commit
        .and_then(|commit| commit.tree())
        .map_err(|error| Trouble::damaged(&error))?;
    Ok(Some(oid))
}

/// The objects of wanted files that are not there.
fn missing(
    repository: &Repository,
    odb: &Odb<'_>,
    commit: Oid,
    part: Part<'_>,
) -> Result<Vec<Oid>, Trouble> {
    let root = repository
        .find_commit(commit)
        .map_err(|error| Trouble::damaged(&error))?
        .tree_id();
    let mut search = Search {
        repository,
        odb,
        part,
        limits: Limits::INSTALL,
        entries: 0,
        missing: BTreeSet::new(),
    };
    search.directory(root, "", 0)?;
    Ok(search.missing.into_iter().collect())
}

struct Search<'a> {
    repository: &'a Repository,
    odb: &'a Odb<'a>,
    part: Part<'a>,
    limits: Limits,
    entries: u64,
    missing: BTreeSet<Oid>,
}

impl<'a> Search<'a> {
    /// Whoever writes the commit judges it. Here a limit only ends the search: the same one refuses
    /// the commit later.
    fn directory(&mut self, id: Oid, dir: &str, depth: u32) -> Result<(), Trouble> {
        let tree = self.tree(id)?;
        for entry in tree.iter().flat_map(Tree::iter) {
            let path = join(dir, &String::from_utf8_lossy(entry.name_bytes()));
            let mode = entry.filemode_raw();
            if mode == MODE_COMMIT || !self.part.wants(&path, mode == MODE_DIR) {
                continue;
            }
            self.entries += 1;
            if self.entries > self.limits.entries || depth > self.limits.depth {
                return Ok(());
            }
            if mode == MODE_DIR {
                self.directory(entry.id(), &path, depth + 1)?;
            } else if !self.odb.exists(entry.id()) {
                self.missing.insert(entry.id());
            }
        }
        Ok(())
    }

    fn tree(&self, id: Oid) -> Result<Option<Tree<'a>>, Trouble> {
        let damaged = |error: git2::Error| Trouble::damaged(&error);
        match self.odb.read_header(id).map_err(damaged)? {
            (size, ObjectType::Tree) if size <= MAX_TREE_OBJECT => {
                self.repository.find_tree(id).map(Some).map_err(damaged)
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Part;
    use crate::sparse::Sparse;

    fn sparse(paths: &[&str]) -> Sparse {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        Sparse::new(&paths).unwrap()
    }

    #[test]
    fn a_part_wants_its_files_and_the_way_to_them() {
        let check = |subdir, paths: &[&str], path: &str, is_dir, expected| {
            let sparse = sparse(paths);
            let part = Part {
                subdir,
                sparse: &sparse,
            };
            assert_eq!(part.wants(path, is_dir), expected, "{path}");
        };
        check(Some("p/q"), &[], "p", true, true);
        check(Some("p/q"), &[], "p", false, false);
        check(Some("p/q"), &[], "p/q/x", false, true);
        check(Some("p/q"), &[], "p/r", true, false);
        check(Some("p/q"), &[], ".gitmodules", false, true);
        check(Some("p/q"), &[], ".gitattributes", false, true);
        check(Some("p/q"), &[], "p/.gitattributes", false, true);
        check(Some("p/q"), &[], "p/r/.gitattributes", false, false);
        check(Some("p"), &["p/q"], "p/q/x", false, true);
        check(Some("p"), &["p/q"], "p/r", true, false);
        check(Some("p"), &["p/q"], "p/r", false, true);
        check(None, &["a", "p/z"], "p", true, true);
        check(None, &["a", "p/z"], "p/y", false, true);
        check(None, &["a", "p/z"], "q/y", false, false);
        check(None, &["a", "p/z"], "y", false, true);
    }

    #[test]
    fn a_promise_names_commit_and_paths_whatever_their_order() {
        let name = |subdir, paths: &[&str]| {
            let sparse = sparse(paths);
            let part = Part {
                subdir,
                sparse: &sparse,
            };
            part.promise("c")
        };
        assert!(name(None, &["a"]).starts_with("refs/plugd/part/c-"));
        assert_eq!(name(None, &["a", "b"]), name(None, &["b", "a"]));
        assert_ne!(name(None, &["a", "b"]), name(None, &["a"]));
        assert_ne!(name(Some("a"), &[]), name(None, &["a"]));
    }
}
