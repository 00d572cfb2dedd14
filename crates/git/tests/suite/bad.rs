//! Rows of the table: bad input, and servers that misbehave.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use plugd_git::{Address, Backend, Depth, Failure, GitError, Want, Watch};
use plugd_testkit::{Authority, Behaviour, GitRepo, GitRequest, GitServer};

use crate::damage;
use crate::fixture::{DIR, FILE, LINK, World, failure};
use crate::server::{Server, answer};
use crate::table::{Case, outcome, same};

const SECRET: &str = "hidden-password";

/// A world, a repository with one commit, and a server that misbehaves.
struct Served {
    world: World,
    server: GitServer,
    url: String,
}

impl Served {
    fn new(backend: Backend) -> Self {
        Self::with(World::new().on(backend), GitServer::start())
    }

    fn with(world: World, server: GitServer) -> Self {
        let repo = GitRepo::bare(&world.sandbox, "remotes/r.git");
        repo.commit("== a\none\n");
        let url = server.serve("r.git", &repo);
        Self { world, server, url }
    }

    fn misbehaving(backend: Backend, request: GitRequest, behaviour: Behaviour) -> Self {
        let served = Self::new(backend);
        served.server.behave(request, behaviour);
        served
    }

    fn obtain(&self) -> String {
        outcome(self.world.obtain(&self.url, &Want::Head))
    }

    /// The same when nothing may move for this long.
    fn within(mut self, idle: u64) -> String {
        self.world.git = self.world.git.with_idle(Duration::from_millis(idle));
        self.obtain()
    }
}

fn list(backend: Backend, behaviour: Behaviour) -> Served {
    Served::misbehaving(backend, GitRequest::InfoRefs, behaviour)
}

fn step(backend: Backend, behaviour: Behaviour) -> Served {
    Served::misbehaving(backend, GitRequest::UploadPack, behaviour)
}

fn dripping_list(backend: Backend) -> String {
    let served = list(backend, Behaviour::Drip(Duration::from_millis(8)));
    let git = served.world.git.clone();
    let git = git.with_idle(Duration::from_millis(1500));
    let address = Address::parse(&served.url).unwrap();
    let work = git.resolve(&address, &Want::Head, Watch::nobody());
    outcome(served.world.wait(work))
}

/// 401 for ever, with a login in the address and one in the environment: the error names what was
/// tried and holds none of it.
fn login_refused(backend: Backend) -> String {
    let world = World::with_vars(&[("PLUGD_TOKEN_127_0_0_1", "hidden-token")]).on(backend);
    let served = Served::with(world, GitServer::start());
    served.server.require_login("nobody", "nothing");
    let url = with_login(&served.url);
    let error = served.world.resolve(&url, &Want::Head).unwrap_err();
    let text = format!("{error:?} {}", plugd_model::error_chain(&error));
    assert!(!text.contains("hidden"), "{text}");
    let Failure::Unauthorised { host, tried, .. } = failure(Err::<(), _>(error)) else {
        return text;
    };
    assert_eq!(host, "127.0.0.1");
    assert_eq!(tried, ["no login", "the address", "$PLUGD_TOKEN_127_0_0_1"]);
    "wants a login".to_owned()
}

fn with_login(url: &str) -> String {
    url.replace("http://", &format!("http://me:{SECRET}@"))
}

/// A login in the address opens the repository and is written down nowhere.
fn login_in_address(backend: Backend) -> String {
    let served = Served::new(backend);
    served.server.require_login("me", SECRET);
    let got = served.world.obtain(&with_login(&served.url), &Want::Head);
    assert!(!holds(served.world.layout.home().as_path(), SECRET));
    outcome(got)
}

fn holds(dir: &Path, secret: &str) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, secret);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes())
    })
}

/// A token of the environment opens the repository too.
fn login_from_environment(backend: Backend) -> String {
    let world = World::with_vars(&[("PLUGD_TOKEN_127_0_0_1", SECRET)]).on(backend);
    let served = Served::with(world, GitServer::start());
    served.server.require_login("oauth2", SECRET);
    served.obtain()
}

/// The other host is asked, and told no login, also when it wants one.
fn redirect_elsewhere(backend: Backend, wants_login: bool) -> String {
    let world = World::with_vars(&[("PLUGD_TOKEN_127_0_0_1", SECRET)]).on(backend);
    let served = Served::with(world, GitServer::start());
    if wants_login {
        served.server.require_login("oauth2", SECRET);
    }
    let place = served.server.base_by_name();
    let first = Server::start(move |asked, stream| {
        let place = format!("Location: {place}{}?{}", asked.path, asked.query);
        answer(stream, "302 Found", &[&place], b"");
    });
    let url = with_login(&first.url("r.git"));
    let got = served.world.obtain(&url, &Want::Head);
    let requests = served.server.requests();
    assert!(!requests.is_empty());
    match requests
        .iter()
        .any(|one| one.header("authorization").is_some())
    {
        true => "told the login".to_owned(),
        false => outcome(got),
    }
}

fn secure(backend: Backend, trusted: bool) -> Served {
    let authority = Authority::new();
    let world = World::new().on(backend);
    let file = authority.write_to(&world.sandbox);
    if trusted {
        let config = format!("[http]\n\tsslCAInfo = {file}\n");
        fs::write(world.sandbox.home().join(".gitconfig"), config).unwrap();
    }
    Served::with(world, GitServer::start_secure(&authority))
}

fn redirect_to_plain(backend: Backend) -> String {
    let served = secure(backend, true);
    let plain = GitServer::start();
    let behaviour = Behaviour::Redirect(plain.base());
    served.server.behave(GitRequest::InfoRefs, behaviour);
    let found = served.obtain();
    assert_eq!(plain.count(GitRequest::InfoRefs), 0);
    found
}

/// A tree as raw objects: no git would make most of them.
fn tree(backend: Backend, names: &[(&[u8], u32)]) -> (World, String) {
    let world = World::new().on(backend);
    let remote = world.remote("r.git");
    let blob = remote.blob(b"x");
    let inner = remote.tree(&[(b"config", FILE, blob)]);
    let link = remote.blob(b"elsewhere");
    let entries: Vec<_> = names
        .iter()
        .map(|(name, mode)| match *mode {
            DIR => (*name, DIR, inner),
            LINK => (*name, LINK, link),
            mode => (*name, mode, blob),
        })
        .collect();
    let root = remote.tree(&entries);
    remote.commit_tree("main", root, "odd");
    let url = remote.url();
    (world, url)
}

fn names(backend: Backend, names: &[(&[u8], u32)]) -> String {
    let (world, url) = tree(backend, names);
    match world.obtain(&url, &Want::Head) {
        Ok((_, report)) => format!("{} left out", report.left_out.len()),
        Err(error) => outcome(Err::<(), _>(error)),
    }
}

fn too_large(backend: Backend) -> String {
    let mut served = Served::new(backend);
    let repo = GitRepo::bare(&served.world.sandbox, "remotes/large.git");
    let noise: String = (0..20_000_u32)
        .map(|number| format!("{:x}", number.wrapping_mul(2_654_435_761)))
        .collect();
    repo.commit(&format!("== a\n{noise}\n"));
    served.url = served.server.serve("large.git", &repo);
    served.world.git = served.world.git.with_max_pack(5_000);
    let address = Address::parse(&served.url).unwrap();
    let work = served
        .world
        .git
        .fetch(&address, &Want::Head, Depth::Tip, None, Watch::nobody());
    outcome(served.world.wait(work))
}

fn ambiguous(backend: Backend) -> String {
    let world = World::new().on(backend);
    let remote = world.remote("r.git");
    let tree = remote.tree(&[]);
    let mut seen = HashMap::new();
    let clash = (0..).find_map(|number| {
        let id = remote.commit_tree("main", tree, &number.to_string());
        let prefix = id.to_string()[..4].to_owned();
        seen.insert(prefix.clone(), id).map(|_| prefix)
    });
    outcome(world.obtain(&remote.url(), &Want::of_commit(&clash.unwrap()).unwrap()))
}

fn missing(backend: Backend, want: &Want) -> String {
    let served = Served::new(backend);
    outcome(served.world.obtain(&served.url, want))
}

/// An address that is refused before anything is started.
fn address(text: &str) -> String {
    match Address::parse(text) {
        Err(_) => "not accepted".to_owned(),
        Ok(address) => format!("{address:?}"),
    }
}

fn replaced(backend: Backend) -> String {
    let world = World::new();
    let config = "[url \"ext::sh -c \"]\n insteadOf = https://example.org/bad/\n";
    fs::write(world.sandbox.home().join(".gitconfig"), config).unwrap();
    let world = world.on(backend);
    outcome(world.obtain("https://example.org/bad/id", &Want::Head))
}

fn cancelled_silence(backend: Backend) -> String {
    let served = step(backend, Behaviour::Silent);
    let address = Address::parse(&served.url).unwrap();
    let (give_up, given_up) = tokio::sync::oneshot::channel::<()>();
    let watch = Watch {
        progress: |_| {},
        cancel: async {
            let _ = given_up.await;
        },
    };
    let work = served
        .world
        .git
        .fetch(&address, &Want::Head, Depth::Tip, None, watch);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            served.server.wait_for(GitRequest::UploadPack, 1);
            drop(give_up);
        });
        served.world.wait(work)
    });
    // Nobody of the worker's children holds on to the server.
    served.server.wait_hung_up();
    match result {
        Err(GitError::Cancelled { .. }) => "cancelled".to_owned(),
        other => outcome(other),
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let parts = [
        silence(),
        logins(),
        answers(),
        trees(),
        requests(),
        mirrors(),
    ];
    parts.into_iter().flatten().collect()
}

/// Servers that are silent or slow.
fn silence() -> Vec<Case> {
    vec![
        same("server that never answers", "silent", |backend| {
            list(backend, Behaviour::Silent).within(700)
        }),
        same("server that never sends the pack", "silent", |backend| {
            step(backend, Behaviour::Silent).within(700)
        }),
        same(
            "list byte by byte, slower than the idle time in all",
            "ok",
            dripping_list,
        ),
        Case {
            name: "pack byte by byte, slower than the idle time in all",
            libgit2: "ok",
            // Git says nothing and writes nothing before four thousand bytes have come.
            command: "silent",
            run: |backend| step(backend, Behaviour::Drip(Duration::from_millis(8))).within(1500),
        },
        same(
            "cancel while a pack is waited for",
            "cancelled",
            cancelled_silence,
        ),
    ]
}

/// Logins, redirects and certificates.
fn logins() -> Vec<Case> {
    vec![
        same("401 for ever", "wants a login", login_refused),
        same("no login at all", "wants a login", |backend| {
            let served = Served::new(backend);
            served.server.require_login("me", SECRET);
            served.obtain()
        }),
        same("login in the address", "ok", login_in_address),
        same("login from the environment", "ok", login_from_environment),
        same("redirect to another host", "ok", |backend| {
            redirect_elsewhere(backend, false)
        }),
        Case {
            name: "redirect to another host, which wants a login",
            libgit2: "refused",
            command: "wants a login",
            run: |backend| redirect_elsewhere(backend, true),
        },
        same("redirect to plain http", "refused", redirect_to_plain),
        same("TLS that nobody vouches for", "unreachable", |backend| {
            secure(backend, false).obtain()
        }),
        same("TLS trusted by http.sslCAInfo", "ok", |backend| {
            secure(backend, true).obtain()
        }),
    ]
}

/// Answers that are none.
fn answers() -> Vec<Case> {
    vec![
        same("no repository (404)", "no repository", |backend| {
            list(backend, Behaviour::Status(404)).obtain()
        }),
        same("forbidden (403)", "refused", |backend| {
            list(backend, Behaviour::Status(403)).obtain()
        }),
        same("busy (503)", "server fault", |backend| {
            list(backend, Behaviour::Status(503)).obtain()
        }),
        same("asked too often (429)", "server fault", |backend| {
            list(backend, Behaviour::Status(429)).obtain()
        }),
        same("nothing in it yet", "empty", |backend| {
            nothing_in_it(backend, None)
        }),
        same("no default branch", "no default branch", |backend| {
            nothing_in_it(backend, Some("other"))
        }),
        same("a page where the list should be", "refused", |backend| {
            list(backend, Behaviour::Page).obtain()
        }),
        same("list that breaks off", "unreachable", |backend| {
            list(backend, Behaviour::Cut(20)).obtain()
        }),
        same("pack that breaks off", "unreachable", |backend| {
            step(backend, Behaviour::Cut(60)).obtain()
        }),
        same("nobody listens", "unreachable", |backend| {
            let world = World::new().on(backend);
            outcome(world.resolve("http://127.0.0.1:1/r", &Want::Head))
        }),
        same("pack bomb", "too much", |backend| {
            step(backend, Behaviour::Bomb).obtain()
        }),
        same("pack over the limit", "too much", too_large),
    ]
}

/// A repository without a commit, or with one on a branch that its `HEAD` does not name.
fn nothing_in_it(backend: Backend, branch: Option<&str>) -> String {
    let (world, server) = (World::new().on(backend), GitServer::start());
    let repo = GitRepo::bare(&world.sandbox, "remotes/r.git");
    if let Some(branch) = branch {
        repo.commit_to(branch, "== a\none\n");
    }
    let url = server.serve("r.git", &repo);
    let resolved = outcome(world.resolve(&url, &Want::Head));
    let obtained = outcome(world.obtain(&url, &Want::Head));
    match resolved == obtained {
        true => obtained,
        false => format!("{resolved}, then {obtained}"),
    }
}

/// Names that a tree must not hold.
fn trees() -> Vec<Case> {
    vec![
        same("name `..`", "hostile name", |backend| {
            names(backend, &[(b"..", DIR)])
        }),
        same("name `.git`", "hostile name", |backend| {
            names(backend, &[(b".git", DIR)])
        }),
        same(
            "link, then a directory of its name",
            "hostile name",
            |backend| names(backend, &[(b"a", LINK), (b"a", DIR)]),
        ),
        same("names that differ in case", "1 left out", |backend| {
            names(backend, &[(b"A", FILE), (b"a", FILE)])
        }),
        same("over-long name", "name too long", |backend| {
            names(backend, &[(&[b'a'; 256], FILE)])
        }),
    ]
}

/// What is asked for and is not there, or must not be asked for.
fn requests() -> Vec<Case> {
    vec![
        same("missing ref", "no such ref", |backend| {
            missing(backend, &Want::of_ref("none").unwrap())
        }),
        same("missing commit", "no such commit", |backend| {
            missing(backend, &Want::of_commit(&"1".repeat(40)).unwrap())
        }),
        same("ambiguous abbreviated sha", "ambiguous", ambiguous),
        same("address that begins with `-`", "not accepted", |_| {
            address("--upload-pack=id")
        }),
        same(
            "ref that begins with `-`",
            "not accepted",
            |_| match Want::of_ref("--upload-pack=id") {
                Err(_) => "not accepted".to_owned(),
                Ok(want) => format!("{want:?}"),
            },
        ),
        same("address `ext::`", "not accepted", |_| {
            address("ext::sh -c id")
        }),
        same("address replaced by `ext::`", "bad replacement", replaced),
    ]
}

/// Mirrors with files missing or cut.
fn mirrors() -> Vec<Case> {
    vec![
        same("mirror: each file deleted", "ok", |backend| {
            damage::every_file(backend, |path| fs::remove_file(path).unwrap())
        }),
        same("mirror: each file emptied", "ok", |backend| {
            damage::every_file(backend, |path| damage::cut(path, 0))
        }),
        same("mirror: each file cut in half", "ok", |backend| {
            damage::every_file(backend, |path| {
                damage::cut(path, fs::metadata(path).unwrap().len() / 2);
            })
        }),
    ]
}
