//! Proves the curated sync: when it starts and when not, what it leaves on the disk, that plugins
//! follow it, and that nothing that goes wrong with it is felt anywhere else.

use std::time::{Duration, Instant};

use plugd_testkit::{Behaviour, Daemon, GitRepo, GitRequest, GitServer, Launch, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, install, installed_in, launch, plugin, plugins_in, text};
use crate::remotes::{leftovers, nothing_left, sorted, stamps};

const SNAPSHOT: &str = "ch/.tmp/plugins";

/// The manifest that counts for somebody who has not logged in.
const MANIFEST: &str = "$ROOT/ch/.tmp/plugins/.agents/plugins/api_marketplace.json";

pub(crate) struct Curated {
    pub(crate) sandbox: Sandbox,
    pub(crate) repo: GitRepo,
    pub(crate) server: GitServer,
}

/// The official repository with these plugins.
pub(crate) fn catalog(plugins: &[(&str, &str)]) -> String {
    let entries: Vec<Value> = plugins
        .iter()
        .map(|(name, _)| json!({"name": name, "source": format!("./plugins/{name}")}))
        .collect();
    let mut fixture = String::new();
    for (file, name) in [
        ("marketplace.json", "openai-curated"),
        ("api_marketplace.json", "openai-api-curated"),
    ] {
        let manifest = json!({"name": name, "plugins": entries});
        fixture.push_str(&format!("== .agents/plugins/{file}\n{manifest}\n"));
    }
    for (name, version) in plugins {
        fixture.push_str(&plugin(&format!("plugins/{name}"), name, version));
    }
    fixture
}

/// The daemon with the sync switched on.
fn syncing() -> Launch {
    launch().without_var("CODEX_DISABLE_CURATED_PLUGIN_SYNC")
}

/// Greets a daemon as a client that listens.
#[track_caller]
fn greet(daemon: &mut Daemon) {
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-tests", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true}},
    }));
}

/// How the next sync to end ends.
#[track_caller]
pub(crate) fn end_of_sync(daemon: &mut Daemon) -> Value {
    daemon.wait_notification("plugd/task", |task| {
        task["kind"] == "curatedSync" && task["state"] != "started"
    })
}

/// Waits until the installed copy of `p` was moved by something else than a request.
#[track_caller]
fn followed(daemon: &mut Daemon) {
    daemon.wait_notification("plugd/changed", |told| {
        let plugins = told["plugins"].to_string();
        told["reason"] != "request" && plugins.contains("p@openai-api-curated")
    });
}

impl Curated {
    pub(crate) fn new(fixture: &str) -> Self {
        let sandbox = Sandbox::new();
        let repo = GitRepo::bare(&sandbox, "official.git");
        repo.commit(fixture);
        let server = GitServer::start();
        let url = server.serve("plugins.git", &repo);
        sandbox.write("ch/plugd.toml", format!("curated_url = \"{url}\"\n"));
        Self {
            sandbox,
            repo,
            server,
        }
    }

    #[track_caller]
    pub(crate) fn start(&self) -> Daemon {
        let mut daemon = syncing().start(&self.sandbox);
        greet(&mut daemon);
        daemon
    }

    /// A daemon whose first sync is over.
    #[track_caller]
    pub(crate) fn synced(&self) -> Daemon {
        let mut daemon = self.start();
        let task = end_of_sync(&mut daemon);
        assert_eq!(task["state"], "done", "{task:#}");
        daemon
    }

    /// Asks for a look at the remote and waits for its end.
    #[track_caller]
    pub(crate) fn sync_again(&self, daemon: &mut Daemon) -> Value {
        daemon.take_notifications("plugd/task");
        daemon.ok("plugin/list", json!({"forceRefetch": true}));
        end_of_sync(daemon)
    }

    pub(crate) fn sha(&self) -> String {
        self.sandbox.text("ch/.tmp/plugins.sha")
    }

    /// The snapshot without its `.git`.
    #[track_caller]
    pub(crate) fn snapshot(&self) -> String {
        let mut fixture = plugd_testkit::Fixture::parse(&self.sandbox.tree(SNAPSHOT)).unwrap();
        fixture
            .items
            .retain(|item| !item.path.starts_with(".git/") && item.path != ".git");
        fixture.to_string()
    }

    /// The snapshot, its number and the head of its repository speak of one commit.
    #[track_caller]
    pub(crate) fn check(&self, commit: &str, fixture: &str) {
        assert_eq!(self.sha(), format!("{commit}\n"));
        assert_eq!(self.snapshot(), sorted(fixture));
        let head = self.sandbox.text(&format!("{SNAPSHOT}/.git/HEAD"));
        let head = match head.trim().strip_prefix("ref: ") {
            None => head,
            Some(name) => self.sandbox.text(&format!("{SNAPSHOT}/.git/{name}")),
        };
        assert_eq!(head.trim(), commit);
        nothing_left(&self.sandbox);
    }
}

pub(crate) const P: &[(&str, &str)] = &[("p", "1.0.0")];

#[test]
fn it_starts_after_the_greeting_and_is_shown() {
    let world = Curated::new(&catalog(P));
    let mut daemon = world.synced();
    world.check(&world.repo.head(), &catalog(P));
    let listing = daemon.ok("plugin/list", json!({}));
    let shown = &listing["marketplaces"][0];
    assert_eq!(shown["name"], "openai-api-curated", "{listing:#}");
    assert_eq!(plugins_in(&listing).count(), 1);
    let answer = install(&mut daemon, MANIFEST, "p");
    // Not the version of its manifest: the snapshot's.
    assert_eq!(answer["installedVersion"], world.repo.head()[..8]);
    assert!(
        !world.sandbox.exists("ch/config.toml")
            || !world
                .sandbox
                .text("ch/config.toml")
                .contains("marketplaces")
    );
    daemon.shut_down();
    assert_eq!(leftovers(&world.sandbox), Vec::<String>::new());
}

#[test]
fn nothing_is_asked_before_the_greeting() {
    let world = Curated::new(&catalog(P));
    let mut daemon = syncing().start(&world.sandbox);
    daemon.err("plugin/list", json!({}));
    daemon.shut_down();
    assert_eq!(world.server.requests(), []);
    assert!(!world.sandbox.exists("ch/.tmp"));
}

#[test]
fn the_ways_to_switch_it_off() {
    let off = "CODEX_DISABLE_CURATED_PLUGIN_SYNC";
    for (launch, setting, config) in [
        (syncing().var(off, "1"), "", ""),
        (syncing(), "curated_sync = false\n", ""),
        (syncing().args(&["-c", "plugd.curated_sync=false"]), "", ""),
        (syncing(), "", "[features]\nplugins = false\n"),
    ] {
        let world = Curated::new(&catalog(P));
        let before = world.sandbox.text("ch/plugd.toml");
        world
            .sandbox
            .write("ch/plugd.toml", format!("{before}{setting}"));
        world.sandbox.write("ch/config.toml", config);
        let mut daemon = launch.start(&world.sandbox);
        greet(&mut daemon);
        for params in [
            json!({}),
            json!({"forceRefetch": true}),
            json!({"forceRemoteSync": true}),
        ] {
            daemon.ok("plugin/list", params);
        }
        let tasks = daemon.shut_down();
        let syncs = tasks
            .iter()
            .filter(|one| one["params"]["kind"] == "curatedSync");
        assert_eq!(syncs.count(), 0, "{setting}{config}: {tasks:#?}");
        assert_eq!(world.server.requests(), [], "{setting}{config}");
    }
}

#[test]
fn the_address_of_a_session() {
    let world = Curated::new(&catalog(P));
    let other = GitRepo::bare(&world.sandbox, "other.git");
    let commit = other.commit(&catalog(&[("q", "1.0.0")]));
    let url = world.server.serve("other.git", &other);
    let setting = format!("plugd.curated_url={url}");
    let mut daemon = syncing().args(&["-c", &setting]).start(&world.sandbox);
    greet(&mut daemon);
    assert_eq!(end_of_sync(&mut daemon)["state"], "done");
    assert_eq!(world.sha(), format!("{commit}\n"));
    daemon.shut_down();
}

#[test]
fn it_looks_once_in_a_while_unless_it_is_forced() {
    let world = Curated::new(&catalog(P));
    let mut daemon = world.synced();
    world.server.forget();
    for _ in 0..5 {
        daemon.ok("plugin/list", json!({}));
    }
    daemon.shut_down();
    let mut daemon = world.start();
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
    assert_eq!(world.server.requests(), []);
    let mut daemon = world.start();
    let before = stamps(&world.sandbox, SNAPSHOT);
    for member in ["forceRefetch", "forceRemoteSync"] {
        world.server.forget();
        daemon.take_notifications("plugd/task");
        daemon.ok("plugin/list", json!({member: true}));
        assert_eq!(end_of_sync(&mut daemon)["state"], "done");
        // Nothing is new: one question, and not a byte moved.
        assert_eq!(world.server.count(GitRequest::InfoRefs), 1, "{member}");
        assert_eq!(world.server.requests().len(), 1, "{member}");
        assert_eq!(stamps(&world.sandbox, SNAPSHOT), before, "{member}");
    }
    daemon.shut_down();
}

#[test]
fn installed_plugins_follow() {
    let world = Curated::new(&catalog(&[("p", "1.0.0"), ("q", "1.0.0")]));
    let mut daemon = world.synced();
    for name in ["p", "q"] {
        install(&mut daemon, MANIFEST, name);
    }
    let old = world.repo.head()[..8].to_owned();
    let new = catalog(&[("p", "2.0.0")]);
    let commit = world.repo.commit(&new);
    assert_eq!(world.sync_again(&mut daemon)["state"], "done");
    followed(&mut daemon);
    world.check(&commit, &new);
    let answer = daemon.ok("plugin/installed", json!({}));
    let expected = [
        format!("p@openai-api-curated {}", &commit[..8]),
        // Gone from the catalog and kept.
        format!("q@openai-api-curated {old}"),
    ];
    assert_eq!(installed_in(&answer), expected);
    let dir = "ch/plugins/cache/openai-api-curated";
    let notes = world
        .sandbox
        .text(&format!("{dir}/p/{}/notes.md", &commit[..8]));
    assert_eq!(notes, "p 2.0.0\n");
    assert!(world.sandbox.exists(&format!("{dir}/q/{old}/notes.md")));
    let kept = plugins_in(&answer).find(|one| one["name"] == "q").unwrap();
    assert_eq!(kept["problems"][0]["kind"], "orphan", "{kept:#}");
    daemon.shut_down();
}

#[test]
fn a_history_that_was_replaced_is_told() {
    let world = Curated::new(&catalog(P));
    let mut daemon = world.synced();
    daemon.take_notifications("plugd/changed");
    let rewritten = |daemon: &mut Daemon| {
        world.sync_again(daemon);
        let is_it = |change: &Value| {
            change["marketplaces"] == json!(["openai-api-curated", "openai-curated"])
        };
        daemon.wait_notification("plugd/changed", is_it)["rewrittenMarketplaces"].clone()
    };
    world.repo.commit(&catalog(&[("p", "2.0.0")]));
    assert_eq!(rewritten(&mut daemon), json!([]));
    let unrelated = catalog(&[("p", "3.0.0")]);
    world.repo.commit_unrelated("main", &unrelated);
    let both = json!(["openai-api-curated", "openai-curated"]);
    assert_eq!(rewritten(&mut daemon), both);
    daemon.shut_down();
}

#[test]
fn a_disabled_plugin_stays_disabled() {
    let world = Curated::new(&catalog(P));
    let mut daemon = world.synced();
    install(&mut daemon, MANIFEST, "p");
    let key = "plugins.\"p@openai-api-curated\".enabled";
    let write = json!({"keyPath": key, "value": false, "mergeStrategy": "upsert"});
    daemon.ok("config/value/write", write);
    let before = world.sandbox.text("ch/config.toml");
    let commit = world.repo.commit(&catalog(&[("p", "2.0.0")]));
    world.sync_again(&mut daemon);
    followed(&mut daemon);
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(
        installed_in(&answer),
        [format!("p@openai-api-curated {}", &commit[..8])]
    );
    assert_eq!(world.sandbox.text("ch/config.toml"), before);
    daemon.shut_down();
}

/// The layer of catalogs in the status.
#[track_caller]
fn layer(daemon: &mut Daemon) -> Value {
    let status = daemon.ok("plugd/status", json!({}));
    let layers = status["layers"].as_array().unwrap();
    let found = layers.iter().find(|layer| layer["kind"] == "catalogClone");
    found.unwrap().clone()
}

#[test]
fn a_failure_is_quiet_and_told_in_the_status() {
    let world = Curated::new(&catalog(P));
    let mut daemon = world.synced();
    let good = layer(&mut daemon);
    assert_eq!(
        (&good["state"], &good["stale"]),
        (&json!("fresh"), &json!([])),
        "{good:#}"
    );
    assert!(good["checkedAt"].is_i64(), "{good:#}");
    let head = world.repo.head();
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Status(500)),
        (GitRequest::InfoRefs, Behaviour::Page),
        (GitRequest::UploadPack, Behaviour::Status(500)),
        (GitRequest::UploadPack, Behaviour::Cut(200)),
    ] {
        world.repo.commit(&catalog(&[("p", "2.0.0")]));
        world.server.behave(request, behaviour.clone());
        let task = world.sync_again(&mut daemon);
        assert_eq!(task["state"], "failed", "{behaviour:?}");
        assert!(
            task["message"].is_string() || task["problem"].is_object(),
            "{task:#}"
        );
        let bad = layer(&mut daemon);
        assert_ne!(bad["state"], "fresh", "{bad:#}");
        assert!(
            bad["message"].is_string() || bad["problem"].is_object(),
            "{bad:#}"
        );
        world.check(&head, &catalog(P));
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(plugins_in(&listing).count(), 1);
        assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    }
    world.server.behave_well();
    assert_eq!(world.sync_again(&mut daemon)["state"], "done");
    assert_eq!(layer(&mut daemon)["state"], "fresh");
    daemon.shut_down();
}

#[test]
fn offline_costs_nothing() {
    let sandbox = Sandbox::new();
    let gone = GitServer::start().base();
    sandbox.write(
        "ch/plugd.toml",
        format!("curated_url = \"{gone}/plugins.git\"\n"),
    );
    let mut daemon = syncing().start(&sandbox);
    greet(&mut daemon);
    let asked = Instant::now();
    let listing = daemon.ok("plugin/list", json!({}));
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert_eq!(
        (&listing["marketplaces"], &listing["marketplaceLoadErrors"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(end_of_sync(&mut daemon)["state"], "failed");
    let id = daemon.request("plugin/list", json!({}));
    daemon.response(id);
    // One line at most, and no second try by itself.
    assert!(daemon.stderr().lines().count() <= 1, "{}", daemon.stderr());
    assert_eq!(leftovers(&sandbox), Vec::<String>::new());
    daemon.shut_down();
}

#[test]
fn a_repository_that_is_no_catalog_replaces_nothing() {
    let world = Curated::new(&catalog(P));
    let mut daemon = world.synced();
    let head = world.repo.head();
    for fixture in [
        "== README.md\nx\n",
        "== .agents/plugins/marketplace.json\n{\n",
    ] {
        world.repo.commit(fixture);
        assert_eq!(
            world.sync_again(&mut daemon)["state"],
            "failed",
            "{fixture}"
        );
        world.check(&head, &catalog(P));
    }
    daemon.shut_down();
}

#[test]
fn a_snapshot_that_somebody_broke_is_made_again() {
    for broken in [".git/HEAD", ".agents", ".git"] {
        let world = Curated::new(&catalog(P));
        world.synced().shut_down();
        world.sandbox.remove(&format!("{SNAPSHOT}/{broken}"));
        let mut daemon = world.start();
        assert_eq!(world.sync_again(&mut daemon)["state"], "done", "{broken}");
        world.check(&world.repo.head(), &catalog(P));
        daemon.shut_down();
    }
}

#[test]
fn its_name_is_not_for_others() {
    let world = Curated::new(&catalog(P));
    let url = format!("{}/plugins.git", world.server.base());
    let output = cli(&world.sandbox, &["marketplace", "add", &url, "--json"]);
    assert_ne!(output.code(), 0, "{output}");
    let kind = output.json()["error"]["data"]["kind"].clone();
    assert!(
        ["invalidInput", "notAllowed"].contains(&text(&kind)),
        "{output}"
    );
}
