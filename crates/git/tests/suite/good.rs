//! Rows of the table: what must work.

use std::fs;

use plugd_git::{Backend, Want};
use plugd_testkit::{GitRepo, GitServer};

use crate::fixture::{FILE, MODULE, World};
use crate::table::{Case, outcome, same};

/// A world and a served repository with two commits, a tag and a branch.
struct Served {
    world: World,
    _server: GitServer,
    repo: GitRepo,
    url: String,
    first: String,
}

impl Served {
    fn new(backend: Backend) -> Self {
        let world = World::new().on(backend);
        let repo = GitRepo::bare(&world.sandbox, "remotes/r.git");
        let first = repo.commit("== a\none\n== p/q/x\n1\n== p/r/y\n2\n");
        repo.annotated_tag("v1", &first);
        repo.commit("== a\ntwo\n== p/q/x\n1\n== p/r/y\n2\n== p/z\n3\n");
        repo.commit_to("side", "== a\nside\n");
        let server = GitServer::start();
        let url = server.serve("r.git", &repo);
        Self {
            world,
            _server: server,
            repo,
            url,
            first,
        }
    }

    /// Obtains, and looks at what `a` holds.
    fn check(&self, url: &str, want: &Want, expected: &str) -> String {
        match self.world.obtain(url, want) {
            Ok((dest, report)) => {
                let text = fs::read_to_string(dest.join("a")).unwrap();
                let clean = !dest.join(".git").as_path().exists();
                match text.trim() == expected && clean && report.left_out.is_empty() {
                    true => "ok".to_owned(),
                    false => format!("{text:?} {report:?}"),
                }
            }
            Err(error) => outcome(Err::<(), _>(error)),
        }
    }

    fn part(&self, subdir: Option<&str>, sparse: &[&str], expected: &[&str]) -> String {
        let got = self
            .world
            .obtain_part(&self.url, &Want::Head, subdir, sparse);
        let (dest, _) = match got {
            Ok(got) => got,
            Err(error) => return outcome(Err::<(), _>(error)),
        };
        let there: Vec<_> = ["a", "p/q/x", "p/r/y", "p/z", "x"]
            .into_iter()
            .filter(|path| dest.join(path).as_path().exists())
            .collect();
        match there == expected {
            true => "ok".to_owned(),
            false => format!("{there:?}"),
        }
    }
}

fn of_ref(backend: Backend, name: &str, expected: &str) -> String {
    let served = Served::new(backend);
    served.check(&served.url, &Want::of_ref(name).unwrap(), expected)
}

fn of_commit(backend: Backend, length: usize) -> String {
    let served = Served::new(backend);
    let want = Want::of_commit(&served.first[..length]).unwrap();
    served.check(&served.url, &want, "one")
}

fn submodule(backend: Backend) -> String {
    let world = World::new().on(backend);
    let inner = world.remote("inner.git");
    let commit = inner.commit("main", &[("deep/x", "inside")]);
    inner.commit("main", &[("deep/x", "newer")]);
    let outer = world.remote("outer.git");
    let modules = "[submodule \"m\"]\n\tpath = m\n\turl = ../inner.git\n";
    let root = outer.tree(&[
        (b".gitmodules", FILE, outer.blob(modules.as_bytes())),
        (b"m", MODULE, commit),
    ]);
    outer.commit_tree("main", root, "module");
    match world.obtain(&outer.url(), &Want::Head) {
        Ok((dest, _)) => match fs::read_to_string(dest.join("m/deep/x")) {
            Ok(text) if text == "inside" => "ok".to_owned(),
            other => format!("{other:?}"),
        },
        Err(error) => outcome(Err::<(), _>(error)),
    }
}

fn lfs_pointer(backend: Backend) -> String {
    let world = World::new().on(backend);
    let remote = world.remote("r.git");
    let pointer = plugd_testkit::lfs_pointer(&"a".repeat(64), 12);
    remote.commit("main", &[("big.bin", &pointer)]);
    match world.obtain(&remote.url(), &Want::Head) {
        Ok((_, report)) if report.lfs_pointers.len() == 1 => "named".to_owned(),
        other => format!("{other:?}"),
    }
}

fn kept(backend: Backend) -> String {
    let served = Served::new(backend);
    match served.world.obtain_kept(&served.url, &Want::Head) {
        Ok((dest, report)) => {
            let kept = git2::Repository::open(&dest).unwrap();
            let head = kept.head().unwrap().target().unwrap().to_string();
            let changes = kept.statuses(None).unwrap().len();
            match head == report.commit.as_str() && changes == 0 && kept.is_shallow() {
                true => "ok".to_owned(),
                false => format!("{head} {changes}"),
            }
        }
        Err(error) => outcome(Err::<(), _>(error)),
    }
}

/// Twice: the second time there is one commit more.
fn again(backend: Backend) -> String {
    let served = Served::new(backend);
    let first = served.check(&served.url, &Want::Head, "two");
    if first != "ok" {
        return first;
    }
    served.repo.commit("== a\nthree\n");
    served.check(&served.url, &Want::Head, "three")
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        same("whole", "ok", |backend| {
            let served = Served::new(backend);
            served.check(&served.url, &Want::Head, "two")
        }),
        same("whole, again with a newer commit", "ok", again),
        same("branch", "ok", |backend| of_ref(backend, "side", "side")),
        same("tag", "ok", |backend| of_ref(backend, "v1", "one")),
        same("full sha behind a tip", "ok", |backend| {
            of_commit(backend, 40)
        }),
        same("abbreviated sha", "ok", |backend| of_commit(backend, 10)),
        same("subdirectory", "ok", |backend| {
            Served::new(backend).part(Some("p/q"), &[], &["x"])
        }),
        same("sparse paths", "ok", |backend| {
            Served::new(backend).part(None, &["p/r"], &["a", "p/r/y", "p/z"])
        }),
        same(
            "subdirectory that is not there",
            "no directory",
            |backend| Served::new(backend).part(Some("p/none"), &[], &[]),
        ),
        same("submodule", "ok", submodule),
        same("LFS pointer without git lfs", "named", lfs_pointer),
        same("kept repository", "ok", kept),
        same("local bare repository", "ok", |backend| {
            let served = Served::new(backend);
            served.check(&served.repo.path().to_text(), &Want::Head, "two")
        }),
        same("file://", "ok", |backend| {
            let served = Served::new(backend);
            served.check(&served.repo.file_url(), &Want::Head, "two")
        }),
    ]
}
