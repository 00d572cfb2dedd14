//! Repositories made without a git binary, and also such as no git would make.
//!
//! A tree is a fixture; what a fixture cannot name comes as [`RawEntry`] beside it. Authors and
//! dates are fixed, so that equal histories have equal commits: each commit is a minute younger
//! than its parent.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use git2::{Config, ObjectType, Oid, Repository, RepositoryInitOptions};
use plugd_model::AbsPath;

use crate::fixture::{Fixture, Item, ItemKind};
use crate::on_disk::expand;
use crate::{Sandbox, must};

/// The time of a first commit.
const FIRST: i64 = 1_700_000_000;

const WHO: &str = "Ada <ada@example.com>";

/// A repository in a sandbox, with `main` as its head.
///
/// The methods take the name of a branch, make it where it does not exist, and return the full id
/// of the commit. They panic at the caller's place when libgit2 refuses.
#[derive(Debug, Clone)]
pub struct GitRepo {
    path: AbsPath,
    sandbox: Sandbox,
}

/// An entry that is written into a tree exactly as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// Its name, which may be one that git refuses.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: RawKind,
}

/// What a raw entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawKind {
    /// A file with its content.
    File(Vec<u8>),
    /// A file that may be executed.
    Executable(Vec<u8>),
    /// A symbolic link with its target.
    Link(Vec<u8>),
    /// A directory.
    Dir(Vec<RawEntry>),
    /// A submodule at a commit.
    Submodule(String),
}

impl RawEntry {
    /// An entry with a name that is a text.
    #[must_use]
    pub fn new(name: &str, kind: RawKind) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            kind,
        }
    }

    /// A file with a name that is a text.
    #[must_use]
    pub fn file(name: &str, content: &str) -> Self {
        Self::new(name, RawKind::File(content.as_bytes().to_vec()))
    }
}

/// What git LFS leaves in a repository in the place of a file.
#[must_use]
pub fn lfs_pointer(sha256: &str, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n")
}

/// A directory on its way into the repository.
#[derive(Default)]
struct Dir {
    dirs: BTreeMap<Vec<u8>, Self>,
    leaves: Vec<(Vec<u8>, u32, Oid)>,
}

impl GitRepo {
    /// A bare repository at a path relative to the root of the sandbox.
    #[must_use]
    #[track_caller]
    pub fn bare(sandbox: &Sandbox, relative: &str) -> Self {
        must(Self::init(sandbox, relative, true))
    }

    /// A repository in a working directory: its objects lie in `.git`, and nothing is checked out.
    #[must_use]
    #[track_caller]
    pub fn in_work_tree(sandbox: &Sandbox, relative: &str) -> Self {
        must(Self::init(sandbox, relative, false))
    }

    fn init(sandbox: &Sandbox, relative: &str, bare: bool) -> Result<Self> {
        let path = sandbox.path(relative);
        let mut options = RepositoryInitOptions::new();
        options
            .bare(bare)
            .no_reinit(true)
            .initial_head("main")
            .external_template(false);
        Repository::init_opts(&path, &options)
            .with_context(|| format!("cannot make a repository at `{path}`"))?;
        Ok(Self {
            path,
            sandbox: sandbox.clone(),
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &AbsPath {
        &self.path
    }

    /// Its `file://` address.
    #[must_use]
    pub fn file_url(&self) -> String {
        format!("file://{}", self.path)
    }

    /// Commits a tree to `main`: the whole tree, not a change to the one before.
    #[track_caller]
    pub fn commit(&self, fixture: &str) -> String {
        self.commit_to("main", fixture)
    }

    /// Commits a tree to a branch; a new branch begins with no parent.
    #[track_caller]
    pub fn commit_to(&self, branch: &str, fixture: &str) -> String {
        self.commit_raw(branch, fixture, &[])
    }

    /// The same with raw entries at the top of the tree, beside or instead of those of the fixture.
    #[track_caller]
    pub fn commit_raw(&self, branch: &str, fixture: &str, raw: &[RawEntry]) -> String {
        let parent = self.find(branch);
        must(self.write_commit(branch, parent, fixture, raw))
    }

    /// Commits a tree without a parent and puts the branch there, whatever it was before.
    #[track_caller]
    pub fn commit_unrelated(&self, branch: &str, fixture: &str) -> String {
        must(self.write_commit(branch, None, fixture, &[]))
    }

    /// Puts a branch at a commit, also at an older one.
    #[track_caller]
    pub fn set_branch(&self, branch: &str, commit: &str) {
        must(self.set_ref(&format!("refs/heads/{branch}"), commit));
    }

    /// Removes a branch.
    #[track_caller]
    pub fn delete_branch(&self, branch: &str) {
        let delete = || -> Result<()> {
            let repository = self.open()?;
            let mut found = repository.find_reference(&format!("refs/heads/{branch}"))?;
            Ok(found.delete()?)
        };
        must(delete());
    }

    /// Makes another branch the head.
    #[track_caller]
    pub fn set_head(&self, branch: &str) {
        let name = format!("refs/heads/{branch}");
        must(
            self.open()
                .and_then(|repository| Ok(repository.set_head(&name)?)),
        );
    }

    /// A tag that is a name and nothing else.
    #[track_caller]
    pub fn tag(&self, name: &str, commit: &str) {
        must(self.set_ref(&format!("refs/tags/{name}"), commit));
    }

    /// A tag that is an object of its own; returns its id.
    #[track_caller]
    pub fn annotated_tag(&self, name: &str, commit: &str) -> String {
        let write = || -> Result<String> {
            let text = format!(
                "object {commit}\ntype commit\ntag {name}\ntagger {WHO} {FIRST} +0000\n\n{name}\n"
            );
            let repository = self.open()?;
            let odb = repository.odb()?;
            let id = odb.write(ObjectType::Tag, text.as_bytes())?.to_string();
            self.set_ref(&format!("refs/tags/{name}"), &id)?;
            Ok(id)
        };
        must(write())
    }

    /// The commit of `main`.
    #[must_use]
    #[track_caller]
    pub fn head(&self) -> String {
        self.tip("main")
    }

    /// The commit of a branch.
    #[must_use]
    #[track_caller]
    pub fn tip(&self, branch: &str) -> String {
        match self.find(branch) {
            Some(commit) => commit.to_string(),
            None => panic!("`{}` has no branch `{branch}`", self.path),
        }
    }

    /// Opens it without the configuration of whoever runs the test.
    pub(crate) fn open(&self) -> Result<Repository> {
        let repository = Repository::open(&self.path)
            .with_context(|| format!("cannot open the repository `{}`", self.path))?;
        let config = Config::open(&repository.path().join("config"))?;
        repository.set_config(&config)?;
        Ok(repository)
    }

    fn find(&self, branch: &str) -> Option<Oid> {
        let name = format!("refs/heads/{branch}");
        self.open().ok()?.refname_to_id(&name).ok()
    }

    fn set_ref(&self, name: &str, id: &str) -> Result<()> {
        let repository = self.open()?;
        repository.reference(name, Oid::from_str(id)?, true, "test")?;
        Ok(())
    }

    /// Written as bytes: libgit2 refuses to commit a tree that it finds bad.
    fn write_commit(
        &self,
        branch: &str,
        parent: Option<Oid>,
        fixture: &str,
        raw: &[RawEntry],
    ) -> Result<String> {
        let repository = self.open()?;
        let tree = self.write_tree(&repository, fixture, raw)?;
        let (parents, time) = match parent {
            Some(id) => {
                let time = repository.find_commit(id)?.time().seconds() + 60;
                (format!("parent {id}\n"), time)
            }
            None => (String::new(), FIRST),
        };
        let text = format!(
            "tree {tree}\n{parents}author {WHO} {time} +0000\ncommitter {WHO} {time} +0000\n\n\
             change\n"
        );
        let id = repository
            .odb()?
            .write(ObjectType::Commit, text.as_bytes())?;
        repository.reference(&format!("refs/heads/{branch}"), id, true, "test")?;
        Ok(id.to_string())
    }

    fn write_tree(&self, repo: &Repository, fixture: &str, raw: &[RawEntry]) -> Result<Oid> {
        let mut root = Dir::default();
        for item in Fixture::parse(fixture)?.items {
            self.place(repo, &mut root, &item)
                .with_context(|| format!("cannot commit `{}`", item.path))?;
        }
        for entry in raw {
            let leaf = raw_leaf(repo, entry)?;
            root.leaves.push(leaf);
        }
        root.write(repo)
    }

    fn place(&self, repo: &Repository, root: &mut Dir, item: &Item) -> Result<()> {
        let executable = item.mode.is_some_and(|mode| mode & 0o100 != 0);
        let file = if executable { 0o100_755 } else { 0o100_644 };
        let (mode, content) = match &item.kind {
            ItemKind::File(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => (file, expand(text, self.sandbox.root()).into_bytes()),
                Err(_) => (file, bytes.clone()),
            },
            ItemKind::Zeros(size) => (file, vec![0; usize::try_from(*size)?]),
            ItemKind::Link(target) => (0o120_000, expand(target, self.sandbox.root()).into_bytes()),
            ItemKind::Dir | ItemKind::Fifo | ItemKind::Special => {
                bail!("git keeps files, links and the directories above them only")
            }
        };
        let mut dir = root;
        let mut parts: Vec<&str> = item.path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        for part in parts {
            dir = dir.dirs.entry(part.as_bytes().to_vec()).or_default();
        }
        let id = repo.blob(&content)?;
        dir.leaves.push((name.as_bytes().to_vec(), mode, id));
        Ok(())
    }
}

fn raw_leaf(repo: &Repository, entry: &RawEntry) -> Result<(Vec<u8>, u32, Oid)> {
    let (mode, id) = match &entry.kind {
        RawKind::File(content) => (0o100_644, repo.blob(content)?),
        RawKind::Executable(content) => (0o100_755, repo.blob(content)?),
        RawKind::Link(target) => (0o120_000, repo.blob(target)?),
        RawKind::Submodule(commit) => (0o160_000, Oid::from_str(commit)?),
        RawKind::Dir(entries) => {
            let mut dir = Dir::default();
            for entry in entries {
                dir.leaves.push(raw_leaf(repo, entry)?);
            }
            (0o040_000, dir.write(repo)?)
        }
    };
    Ok((entry.name.clone(), mode, id))
}

impl Dir {
    /// Writes it in git's order, in which the name of a directory ends in `/`.
    fn write(self, repo: &Repository) -> Result<Oid> {
        let mut entries = self.leaves;
        for (name, dir) in self.dirs {
            entries.push((name, 0o040_000, dir.write(repo)?));
        }
        entries.sort_by_key(|(name, mode, _)| {
            let mut key = name.clone();
            if *mode == 0o040_000 {
                key.push(b'/');
            }
            key
        });
        let mut bytes = Vec::new();
        for (name, mode, id) in entries {
            bytes.extend_from_slice(format!("{mode:o} ").as_bytes());
            bytes.extend_from_slice(&name);
            bytes.push(0);
            bytes.extend_from_slice(id.as_bytes());
        }
        let odb = repo.odb()?;
        Ok(odb.write(ObjectType::Tree, &bytes)?)
    }
}

#[cfg(test)]
#[path = "git_repo_tests.rs"]
mod tests;
