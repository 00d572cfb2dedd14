//! Where a run works: marketplaces that are made once, and homes that each program has for itself.

use std::cell::{Cell, OnceCell};
use std::fs;
use std::path::PathBuf;

use plugd_testkit::{GitRepo, GitServer, Sandbox};
use tempfile::TempDir;

use crate::BINARY;
use crate::limits;
use crate::market::{self, Market, Weight};
use crate::options::Options;

/// How many plugins the marketplace has that people use.
const REAL: usize = 180;
/// How many the largest one has that must stay quick.
const LARGE: usize = 10_000;
/// How many marketplaces somebody may have who collects them, and how many plugins each of those has.
const COLLECTED: usize = 100;
const IN_EACH: usize = 10;
/// How many plugins somebody may have installed.
const INSTALLED: usize = 1_000;
/// How many working directories an editor may have open at most.
const CWDS: usize = 50;

/// An app-server.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name in the table.
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
}

/// A marketplace in a repository behind a server of its own.
pub(crate) struct Repository {
    pub(crate) url: String,
    repo: GitRepo,
    files: String,
    commits: Cell<usize>,
    // They end with the run.
    _server: GitServer,
    _sandbox: Sandbox,
}

impl Repository {
    fn of(market: &Market) -> Self {
        let sandbox = Sandbox::new();
        let (repo, server) = (GitRepo::bare(&sandbox, "market.git"), GitServer::start());
        let files = market.fixture();
        repo.commit(&files);
        Self {
            url: server.serve("team/market.git", &repo),
            repo,
            files,
            commits: Cell::new(0),
            _server: server,
            _sandbox: sandbox,
        }
    }

    /// One more commit, in which one file is new.
    pub(crate) fn move_on(&self) {
        let commit = self.commits.get() + 1;
        self.commits.set(commit);
        let files = &self.files;
        self.repo.commit(&format!("{files}== news.md\n{commit}\n"));
    }
}

/// Everything below one temporary directory.
pub(crate) struct Places {
    root: TempDir,
    made: Cell<usize>,
    programs: Vec<Program>,
    real: OnceCell<Market>,
    large: OnceCell<Market>,
    collected: OnceCell<Vec<Market>>,
    thousand: OnceCell<Market>,
    skills: OnceCell<Market>,
    pair: OnceCell<Market>,
    cwds: OnceCell<Vec<PathBuf>>,
    repository: OnceCell<Repository>,
}

impl Places {
    pub(crate) fn new(options: &Options) -> Self {
        let mut programs = vec![Program {
            name: "plugd",
            path: std::env::var_os("PLUGD_TEST_RELEASED").map_or(BINARY.into(), PathBuf::from),
        }];
        programs.extend(options.peer.iter().map(|path| Program {
            name: "peer",
            path: fs::canonicalize(path).unwrap(),
        }));
        Self {
            root: tempfile::tempdir().unwrap(),
            made: Cell::new(0),
            programs,
            real: OnceCell::new(),
            large: OnceCell::new(),
            collected: OnceCell::new(),
            thousand: OnceCell::new(),
            skills: OnceCell::new(),
            pair: OnceCell::new(),
            cwds: OnceCell::new(),
            repository: OnceCell::new(),
        }
    }

    pub(crate) fn programs(&self) -> &[Program] {
        &self.programs
    }

    /// 180 plugins with all that they carry.
    pub(crate) fn real(&self) -> &Market {
        self.real.get_or_init(|| self.own_real())
    }

    /// The same for somebody who changes it.
    pub(crate) fn own_real(&self) -> Market {
        Market::generate(&self.fresh(), "real", REAL, Weight::Real)
    }

    /// 10,000 small plugins.
    pub(crate) fn large(&self) -> &Market {
        let make = || Market::generate(&self.fresh(), "large", LARGE, Weight::Light);
        self.large.get_or_init(make)
    }

    /// 100 marketplaces of ten small plugins each.
    pub(crate) fn collected(&self) -> &[Market] {
        self.collected.get_or_init(|| {
            let names = (0..COLLECTED).map(|one| format!("market-{one:02}"));
            names
                .map(|name| Market::generate(&self.fresh(), &name, IN_EACH, Weight::Light))
                .collect()
        })
    }

    /// 1,000 small plugins.
    pub(crate) fn thousand(&self) -> &Market {
        let make = || Market::generate(&self.fresh(), "thousand", INSTALLED, Weight::Light);
        self.thousand.get_or_init(make)
    }

    /// A home in which all plugins of a marketplace are installed, as any app-server leaves them.
    pub(crate) fn full_home(&self, market: &Market) -> PathBuf {
        let home = self.home(&[market]);
        let own = home.join(".codex");
        let mut config = fs::read_to_string(own.join("config.toml")).unwrap();
        for plugin in &market.plugins {
            let name = &market.name;
            config += &format!("\n[plugins.\"{plugin}@{name}\"]\nenabled = true\n");
            let copy = own.join(format!("plugins/cache/{name}/{plugin}/1.0.0"));
            limits::copy_tree(&market.plugin_dir(plugin), &copy);
        }
        market::write(&own.join("config.toml"), config);
        home
    }

    /// A plugin with 55 skills.
    pub(crate) fn skills(&self) -> &Market {
        let make = || market::many_skills(&self.fresh(), "skills", 55);
        self.skills.get_or_init(make)
    }

    /// A plugin of four files and one of 50 MB.
    pub(crate) fn pair(&self) -> &Market {
        let make = || market::small_and_large(&self.fresh(), "pair");
        self.pair.get_or_init(make)
    }

    /// 300 small plugins in a repository.
    pub(crate) fn repository(&self) -> &Repository {
        self.repository.get_or_init(|| {
            let market = Market::generate(&self.fresh(), "cloned", 300, Weight::Light);
            Repository::of(&market)
        })
    }

    /// Directories as an editor opens them: each is a repository.
    pub(crate) fn cwds(&self) -> &[PathBuf] {
        self.cwds.get_or_init(|| {
            let root = self.fresh();
            let dirs: Vec<_> = (0..CWDS).map(|one| root.join(one.to_string())).collect();
            for dir in &dirs {
                fs::create_dir_all(dir.join(".git")).unwrap();
            }
            dirs
        })
    }

    /// A directory that nobody else has.
    pub(crate) fn fresh(&self) -> PathBuf {
        let number = self.made.replace(self.made.get() + 1);
        let dir = self.root.path().join(number.to_string());
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// A new home directory whose configuration names these marketplaces.
    pub(crate) fn home(&self, markets: &[&Market]) -> PathBuf {
        let home = self.fresh();
        let rows = markets.iter().map(|market| {
            let (name, source) = (&market.name, market.root.display());
            format!("[marketplaces.{name}]\nsource_type = \"local\"\nsource = \"{source}\"\n")
        });
        let config: String = rows.collect();
        let own = home.join(".codex");
        fs::create_dir_all(&own).unwrap();
        // An empty file that was just made may be one that somebody has truncated and is about to write,
        // so who edits it waits a second. No user begins with one.
        if !config.is_empty() {
            market::write(&own.join("config.toml"), config);
        }
        home
    }
}
