//! What the files about git and npm share: a marketplace in a repository behind a server of our own,
//! what may be left on the disk, and how a request is given up.
#![expect(
    clippy::disallowed_methods,
    reason = "the suite looks at the numbers of files from outside"
)]

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use plugd_testkit::{
    Behaviour, Daemon, Fixture, Gate, GitRepo, GitRequest, GitServer, ItemKind, Launch, Sandbox,
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{launch, marketplace, text, with};
use crate::schemas;

/// Where the checkout of the marketplace `market` lies.
pub(crate) const CHECKOUT: &str = "ch/.tmp/marketplaces/market";

/// The manifest in [`CHECKOUT`].
pub(crate) const MANIFEST: &str =
    "$ROOT/ch/.tmp/marketplaces/market/.agents/plugins/marketplace.json";

/// What a checkout says of itself, in the format of the reference.
pub(crate) const NOTE: &str = ".codex-marketplace-install.json";

/// A repository and the server in front of it.
pub(crate) struct Remote {
    pub(crate) sandbox: Sandbox,
    pub(crate) repo: GitRepo,
    pub(crate) server: GitServer,
    pub(crate) url: String,
}

/// A repository with the marketplace `market`, served at `team/market.git`.
#[track_caller]
pub(crate) fn remote(plugins: &[(&str, &str)]) -> Remote {
    let sandbox = Sandbox::new();
    let repo = GitRepo::bare(&sandbox, "remote.git");
    repo.commit(&tree("market", plugins));
    let server = GitServer::start();
    let url = server.serve("team/market.git", &repo);
    Remote {
        sandbox,
        repo,
        server,
        url,
    }
}

/// A marketplace at the top of a repository.
pub(crate) fn tree(name: &str, plugins: &[(&str, &str)]) -> String {
    marketplace("top", name, plugins).replace("== top/", "== ")
}

/// Large enough that its transfer is not over at once: files that do not pack well.
pub(crate) fn bulk(files: usize) -> String {
    let mut fixture = String::new();
    let mut number: u64 = 0x9e37_79b9_7f4a_7c15;
    for file in 0..files {
        fixture.push_str(&format!("== bulk/{file}.bin (hex)\n"));
        for _ in 0..256 {
            // A generator that always says the same.
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            fixture.push_str(&format!("{number:016x}"));
        }
        fixture.push('\n');
    }
    fixture
}

/// Adds the marketplace.
#[track_caller]
pub(crate) fn add(daemon: &mut Daemon, source: &str) -> Value {
    daemon.ok("marketplace/add", json!({"source": source}))
}

/// The tree without what a checkout says of itself.
#[track_caller]
pub(crate) fn checked_out(sandbox: &Sandbox, dir: &str) -> String {
    let mut fixture = Fixture::parse(&sandbox.tree(dir)).unwrap();
    fixture.items.retain(|item| item.path != NOTE);
    fixture.to_string()
}

/// A fixture in the order in which a disk is printed.
pub(crate) fn sorted(fixture: &str) -> String {
    let sandbox = Sandbox::from(&format!("== x/\n{}", fixture.replace("== ", "== x/")));
    sandbox.tree("x")
}

/// Everything on the disk that work under way makes and finished work leaves behind nowhere.
#[track_caller]
pub(crate) fn leftovers(sandbox: &Sandbox) -> Vec<String> {
    let home = Fixture::parse(&sandbox.tree("ch")).unwrap();
    let temporary = Fixture::parse(&sandbox.tree("tmp")).unwrap();
    let temporary = temporary.items.into_iter().map(|item| item.path);
    let home = home
        .items
        .into_iter()
        .map(|item| item.path)
        .filter(|path| is_leftover(path));
    home.chain(temporary).collect()
}

fn is_leftover(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["plugins", ".plugd", "staging" | "journal" | "trash", _, ..] => true,
        [".tmp", "marketplaces", ".staging.lock"] => false,
        [".tmp", "marketplaces", name, ..] => name.starts_with('.'),
        [
            ".tmp",
            "plugins" | "plugins.sha" | "plugins.sync.lock" | "marketplaces",
            ..,
        ] => false,
        [".tmp", _, ..] => true,
        _ => false,
    }
}

/// Nothing is left of an operation that was begun. What runs behind an answer may begin another one at any
/// moment, and that is none; what stays for seconds is.
#[track_caller]
pub(crate) fn nothing_left(sandbox: &Sandbox) {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        sandbox.await_sweeping();
        let left = leftovers(sandbox);
        if left.is_empty() || Instant::now() > end {
            assert_eq!(left, Vec::<String>::new());
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// No installed copy and no checkout of a marketplace has a `.git`.
#[track_caller]
pub(crate) fn no_git(sandbox: &Sandbox) {
    for dir in [
        "ch/plugins/cache",
        "ch/plugins/.plugd/trees",
        "ch/.tmp/marketplaces",
    ] {
        let found = Fixture::parse(&sandbox.tree(dir)).unwrap();
        let git: Vec<String> = found
            .items
            .into_iter()
            .map(|item| item.path)
            .filter(|path| path.split('/').any(|part| part == ".git"))
            .collect();
        assert_eq!(git, Vec::<String>::new(), "below {dir}");
    }
}

/// Gives a request up; it must be answered in time and leave nothing. Answers the error.
#[track_caller]
pub(crate) fn give_up(daemon: &mut Daemon, id: u64) -> Value {
    daemon.notify("$/cancelRequest", json!({"id": id}));
    let asked = Instant::now();
    let answer = daemon.response(id);
    let took = asked.elapsed();
    assert_eq!(answer["error"]["code"], -32800, "{answer:#}");
    assert_eq!(answer["error"]["data"]["kind"], "cancelled", "{answer:#}");
    assert!(took < Duration::from_millis(1500), "{took:?}");
    answer["error"].clone()
}

/// The stages that were reported for a token, each once, in the order of their first report.
pub(crate) fn stages(daemon: &mut Daemon, token: &str) -> Vec<String> {
    let mut stages: Vec<String> = Vec::new();
    for told in daemon.take_notifications("$/progress") {
        assert_eq!(told["token"], token, "{told:#}");
        let stage = &told["value"]["stage"];
        if stage.is_string() && !stages.iter().any(|seen| stage == seen.as_str()) {
            stages.push(text(stage).to_owned());
        }
    }
    stages
}

/// Every stage of work that fetches something, in their order.
const STAGES: &[&str] = &[
    "resolving",
    "fetching",
    "checkingOut",
    "checking",
    "copying",
    "activating",
];

/// Fails when a stage has a name that nobody knows or comes too late. One that is over before a
/// client could read it need not be told.
#[track_caller]
pub(crate) fn in_order(stages: &[String]) {
    let rank = |stage: &String| STAGES.iter().position(|known| known == stage);
    let ranks: Vec<Option<usize>> = stages.iter().map(rank).collect();
    assert!(ranks.iter().all(Option::is_some), "{stages:?}");
    assert!(ranks.is_sorted(), "{stages:?}");
    assert!(!stages.is_empty());
}

/// Holds both answers of the server, looks what is told meanwhile, and returns the answer.
#[track_caller]
pub(crate) fn watched(
    server: &GitServer,
    daemon: &mut Daemon,
    method: &str,
    params: Value,
) -> Value {
    let (listing, pack) = (Gate::new(), Gate::new());
    server.behave(GitRequest::InfoRefs, Behaviour::Held(listing.clone()));
    server.behave(
        GitRequest::UploadPack,
        Behaviour::HeldAfter(50_000, pack.clone()),
    );
    let params = with(params, json!({"workDoneToken": "t"}));
    let id = daemon.request(method, params);
    let at = |stage: &'static str, least: u64| {
        move |told: &Value| {
            let value = &told["value"];
            let done = value["done"].as_u64().is_some_and(|done| done >= least);
            told["token"] == "t" && value["stage"] == stage && done
        }
    };
    listing.wait_reached();
    daemon.wait_notification("$/progress", at("resolving", 0));
    listing.open();
    // The first step tells how deep; only the one with the pack is long.
    pack.wait_reached();
    daemon.wait_notification("$/progress", at("fetching", 1));
    pack.open();
    let answer = daemon.response(id);
    server.behave_well();
    in_order(&stages(daemon, "t"));
    answer
}

/// A daemon that says everything it can say, and all that it said on stdout.
#[derive(Clone, Default)]
pub(crate) struct Overheard(Arc<Mutex<String>>);

impl Overheard {
    pub(crate) fn launch(&self) -> Launch {
        let heard = Arc::clone(&self.0);
        launch().var("PLUGD_LOG", "trace").observed_by(move |seen| {
            schemas::validate(seen);
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push_str(&seen.message.to_string());
        })
    }

    /// Fails when the secret stands in a message, in the log, or anywhere in the home directory.
    #[track_caller]
    pub(crate) fn never_said(&self, daemon: &Daemon, secret: &str) {
        let sandbox = daemon.sandbox();
        let stdout = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (place, said) in [
            ("stdout", stdout),
            ("stderr", daemon.stderr()),
            ("the home directory", sandbox.tree("ch")),
            ("the temporary directory", sandbox.tree("tmp")),
        ] {
            let at = said.find(secret);
            let around = at.map(|at| said[at.saturating_sub(100)..].chars().take(200));
            let around: Option<String> = around.map(Iterator::collect);
            assert_eq!(around, None, "a secret in {place}");
        }
    }
}

/// What tells whether a directory and what is in it were touched: the path, the file's number and
/// the time of its last change of each.
#[track_caller]
pub(crate) fn stamps(sandbox: &Sandbox, dir: &str) -> Vec<String> {
    let found = Fixture::parse(&sandbox.tree(dir)).unwrap();
    let files = found
        .items
        .into_iter()
        .filter(|item| matches!(item.kind, ItemKind::File(_)))
        .map(|item| format!("{dir}/{}", item.path));
    std::iter::once(dir.to_owned())
        .chain(files)
        .map(|path| {
            let at = sandbox.path(&path);
            let file = std::fs::File::open(&at).unwrap_or_else(|e| panic!("{at}: {e}"));
            format!("{path} {}", stamp(&file))
        })
        .collect()
}

#[cfg(unix)]
fn stamp(file: &std::fs::File) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let found = file.metadata().unwrap();
    format!("{} {}.{}", found.ino(), found.mtime(), found.mtime_nsec())
}

#[cfg(not(unix))]
fn stamp(file: &std::fs::File) -> String {
    format!("{:?}", file.metadata().unwrap().modified().unwrap())
}
