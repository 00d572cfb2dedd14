//! A temporary world: a home with mirrors, remote repositories made by libgit2, and the client.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use git2::{ObjectType, Oid, Repository, RepositoryInitOptions, Signature, Time};
use plugd_git::{
    Address, Backend, CheckedOut, Checkout, Depth, Failure, Git, GitError, Want, Watch,
};
use plugd_model::{AbsPath, Environment, Layout};
use plugd_testkit::{Sandbox, test_environment};

/// Everything one test needs.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) environment: Environment,
    pub(crate) layout: Layout,
    pub(crate) git: Git,
    runtime: tokio::runtime::Runtime,
    checkouts: Cell<u32>,
}

/// A remote repository.
pub(crate) struct Remote {
    pub(crate) path: PathBuf,
    pub(crate) repository: Repository,
}

/// Modes of entries.
pub(crate) const FILE: u32 = 0o100_644;
pub(crate) const EXECUTABLE: u32 = 0o100_755;
pub(crate) const LINK: u32 = 0o120_000;
pub(crate) const MODULE: u32 = 0o160_000;
pub(crate) const DIR: u32 = 0o040_000;

impl World {
    pub(crate) fn new() -> Self {
        Self::with_vars(&[])
    }

    /// The same with more variables.
    pub(crate) fn with_vars(vars: &[(&str, &str)]) -> Self {
        Self::in_sandbox(Sandbox::new(), vars)
    }

    /// The same in a directory where something lies already.
    pub(crate) fn in_sandbox(sandbox: Sandbox, vars: &[(&str, &str)]) -> Self {
        let mut environment = test_environment(&sandbox);
        // The servers of these tests are on this machine.
        let proxy = ("NO_PROXY", "127.0.0.1,localhost");
        for (name, value) in vars.iter().chain([&proxy]) {
            environment.vars.insert(name.into(), value.into());
        }
        Self::with_environment(sandbox, environment)
    }

    /// The same with another program behind it.
    pub(crate) fn on(mut self, backend: Backend) -> Self {
        self.git = self.git.with_backend(backend);
        self
    }

    fn with_environment(sandbox: Sandbox, environment: Environment) -> Self {
        let home = AbsPath::new(sandbox.root().as_path()).unwrap().join("ch");
        let layout = Layout::new(home.clone(), home.join("etc"));
        let git = worker(
            env!("CARGO_BIN_EXE_plugd-git-test-worker"),
            &[],
            &environment,
            &layout,
        );
        Self {
            sandbox,
            environment,
            layout,
            git,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
            checkouts: Cell::new(0),
        }
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A new bare repository.
    pub(crate) fn remote(&self, name: &str) -> Remote {
        let path = self.sandbox.root().as_path().join("remotes").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut options = RepositoryInitOptions::new();
        options
            .bare(true)
            .initial_head("main")
            .external_template(false);
        Remote {
            repository: Repository::init_opts(&path, &options).unwrap(),
            path,
        }
    }

    /// A directory that does not exist yet.
    pub(crate) fn dest(&self) -> AbsPath {
        let number = self.checkouts.get() + 1;
        self.checkouts.set(number);
        let parent = self.layout.home().join("staging");
        fs::create_dir_all(&parent).unwrap();
        parent.join(format!("{number}"))
    }

    pub(crate) fn resolve(&self, url: &str, want: &Want) -> Result<String, GitError> {
        let address = Address::parse(url).unwrap();
        let commit = self.wait(self.git.resolve(&address, want, Watch::nobody()))?;
        Ok(commit.as_str().to_owned())
    }

    pub(crate) fn obtain(&self, url: &str, want: &Want) -> Result<(AbsPath, CheckedOut), GitError> {
        self.obtain_part(url, want, None, &[])
    }

    pub(crate) fn obtain_part(
        &self,
        url: &str,
        want: &Want,
        subdir: Option<&str>,
        sparse: &[&str],
    ) -> Result<(AbsPath, CheckedOut), GitError> {
        let address = Address::parse(url).unwrap();
        let dest = self.dest();
        let checkout = Checkout {
            subdir: subdir.map(str::to_owned),
            sparse: sparse.iter().map(|path| (*path).to_owned()).collect(),
            ..Checkout::whole(dest.clone())
        };
        let work = self
            .git
            .obtain(&address, want, Depth::Tip, &checkout, Watch::nobody());
        self.wait(work).map(|report| (dest, report))
    }

    /// Writes a whole commit and keeps a repository beside it.
    pub(crate) fn obtain_kept(
        &self,
        url: &str,
        want: &Want,
    ) -> Result<(AbsPath, CheckedOut), GitError> {
        let address = Address::parse(url).unwrap();
        let checkout = Checkout {
            keep_repository: true,
            ..Checkout::whole(self.dest())
        };
        let work = self
            .git
            .obtain(&address, want, Depth::Tip, &checkout, Watch::nobody());
        self.wait(work).map(|report| (checkout.dest, report))
    }

    /// Where the mirror of an address lies.
    pub(crate) fn mirror(&self, url: &str) -> AbsPath {
        self.layout
            .mirror(&Address::parse(url).unwrap().mirror_name())
    }
}

/// A client whose workers are this program.
pub(crate) fn worker(
    program: &str,
    args: &[&str],
    environment: &Environment,
    layout: &Layout,
) -> Git {
    let args = args.iter().map(OsString::from).collect();
    Git::new(AbsPath::new(program).unwrap(), args, environment, layout)
}

/// The reason that a worker gave.
#[track_caller]
pub(crate) fn failure<T: std::fmt::Debug>(result: Result<T, GitError>) -> Failure {
    match result {
        Err(GitError::Failed { failure, .. }) => failure,
        other => panic!("expected a failure of the worker and got {other:?}"),
    }
}

impl Remote {
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    pub(crate) fn blob(&self, content: &[u8]) -> Oid {
        self.repository.blob(content).unwrap()
    }

    /// Writes a directory's object as it is given, whatever git would say about it.
    pub(crate) fn tree(&self, entries: &[(&[u8], u32, Oid)]) -> Oid {
        let mut bytes = Vec::new();
        for (name, mode, id) in entries {
            bytes.extend_from_slice(format!("{mode:o} ").as_bytes());
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(id.as_bytes());
        }
        let odb = self.repository.odb().unwrap();
        odb.write(ObjectType::Tree, &bytes).unwrap()
    }

    /// Commits a tree to a branch.
    pub(crate) fn commit_tree(&self, branch: &str, tree: Oid, message: &str) -> Oid {
        let name = format!("refs/heads/{branch}");
        let parent = self
            .repository
            .find_reference(&name)
            .ok()
            .map(|reference| reference.peel_to_commit().unwrap());
        let who = Signature::new("t", "t@example.org", &Time::new(1_700_000_000, 0)).unwrap();
        // Written as bytes: libgit2 itself refuses to commit a tree that it finds bad.
        let parents = parent.map_or_else(String::new, |parent| format!("parent {}\n", parent.id()));
        let time = who.when().seconds();
        let text = format!(
            "tree {tree}\n{parents}author t <t@example.org> {time} +0000\n\
             committer t <t@example.org> {time} +0000\n\n{message}\n"
        );
        let odb = self.repository.odb().unwrap();
        let id = odb.write(ObjectType::Commit, text.as_bytes()).unwrap();
        self.repository.reference(&name, id, true, "").unwrap();
        id
    }

    /// Commits files; a name with `/` makes directories one level deep or more.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)]) -> Oid {
        let mut index = git2::Index::new().unwrap();
        for (path, content) in files {
            let id = self.blob(content.as_bytes());
            index
                .add(&git2::IndexEntry {
                    ctime: git2::IndexTime::new(0, 0),
                    mtime: git2::IndexTime::new(0, 0),
                    dev: 0,
                    ino: 0,
                    mode: FILE,
                    uid: 0,
                    gid: 0,
                    file_size: 0,
                    id,
                    flags: 0,
                    flags_extended: 0,
                    path: path.as_bytes().to_vec(),
                })
                .unwrap();
        }
        let tree = index.write_tree_to(&self.repository).unwrap();
        self.commit_tree(branch, tree, "change")
    }
}
