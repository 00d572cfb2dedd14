//! Proves that a marketplace comes from an OCI registry as it does from git: added, listed, followed
//! with its plugins, told to others, removed; asked for with one request, checked while it comes.

use plugd_testkit::{Behaviour, Daemon, OciRegistry, OciRequest, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    check, cli, home_tree, install, installed_in, list_and_settle, plugins_in, shown, start,
    start_listening, text,
};
use crate::remotes::{Overheard, add, nothing_left, sorted, tree};

/// Where the places of such marketplaces lie.
pub(crate) const PLACES: &str = "ch/plugins/.plugd/marketplaces";

/// A registry that has `market` as `team/market:1`.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) registry: OciRegistry,
    pub(crate) source: String,
    /// What the tag meant at first.
    pub(crate) digest: String,
}

pub(crate) fn world() -> World {
    let registry = OciRegistry::start();
    let digest = registry.push("team/market:1", &tree("market", &[("p", "1.0.0")]));
    World {
        sandbox: Sandbox::new(),
        source: registry.reference("team/market:1"),
        registry,
        digest,
    }
}

impl World {
    /// Where the marketplace is.
    pub(crate) fn root(&self) -> String {
        root(&self.source)
    }

    pub(crate) fn manifest(&self) -> String {
        format!("$ROOT/{}/.agents/plugins/marketplace.json", self.root())
    }

    /// Pushes another version; what the tag means now.
    pub(crate) fn push(&self, version: &str) -> String {
        let fixture = tree("market", &[("p", version)]);
        self.registry.push("team/market:1", &fixture)
    }

    /// Nothing of the marketplace is there.
    #[track_caller]
    pub(crate) fn nothing_here(&self) {
        assert!(!self.sandbox.exists("ch/config.toml"));
        assert_eq!(self.sandbox.tree(PLACES), "");
        nothing_left(&self.sandbox);
    }

    /// The error of an addition, which leaves nothing.
    #[track_caller]
    fn refused(&self, kind: &str) -> Value {
        let mut daemon = start(&self.sandbox);
        let error = daemon.err("marketplace/add", json!({"source": self.source}));
        assert_eq!(error["data"]["kind"], kind, "{error:#}");
        self.nothing_here();
        daemon.shut_down();
        error
    }
}

/// The directory of `market` that spells an origin.
pub(crate) fn root(origin: &str) -> String {
    let spelled = origin
        .replace(':', "%3A")
        .replace('/', "%2F")
        .replace('@', "%40")
        .replace('#', "%23")
        .replace('=', "%3D");
    format!("{PLACES}/market/{spelled}")
}

pub(crate) fn upgrade(daemon: &mut Daemon) -> Value {
    daemon.ok("marketplace/upgrade", json!({"marketplaceName": "market"}))
}

/// The row of the marketplace in the answer of an upgrade.
#[track_caller]
pub(crate) fn moved(answer: &Value) -> (Value, Value, Value) {
    assert_eq!(answer["errors"], json!([]), "{answer:#}");
    let row = &answer["changes"][0];
    assert_eq!(row["marketplaceName"], "market", "{answer:#}");
    (
        row["from"].clone(),
        row["to"].clone(),
        row["changed"].clone(),
    )
}

#[test]
fn it_is_added_listed_and_installed_from() {
    let world = world();
    let (sandbox, registry) = (&world.sandbox, &world.registry);
    let mut daemon = start(sandbox);
    let expected = |already: bool| {
        json!({
            "marketplaceName": "market", "installedRoot": format!("$ROOT/{}", world.root()),
            "alreadyAdded": already, "commit": world.digest, "problems": [],
        })
    };
    check(&add(&mut daemon, &world.source), sandbox, &expected(false));
    let row = format!(
        "[marketplaces.market]\nsource_type = \"local\"\nsource = \"$ROOT/{}\"\n",
        world.root()
    );
    assert_eq!(sandbox.text("ch/config.toml"), row);
    let files = sorted(&tree("market", &[("p", "1.0.0")]));
    assert_eq!(sandbox.tree(&world.root()), files);
    let note = sandbox.text(&format!("{PLACES}/market/fetched.json"));
    let note: Value = serde_json::from_str(&note).unwrap();
    let expected_note = json!({
        "version": 1, "origin": world.source, "digest": world.digest, "etag": null,
    });
    assert_eq!(note, expected_note);
    nothing_left(sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    let path = &listing["marketplaces"][0]["path"];
    assert_eq!(shown(path, sandbox), json!(world.manifest()));
    install(&mut daemon, &world.manifest(), "p");
    let versions = daemon.ok("plugd/versions", json!({"pluginId": "p@market"}));
    let version = &versions["plugins"][0]["versions"][0];
    assert_eq!(version["commit"], json!(world.digest), "{versions:#}");
    assert_eq!(version["boundTo"], "oci", "{versions:#}");
    // Once more: nothing is asked for, nothing is written.
    registry.forget();
    let before = home_tree(sandbox);
    check(&add(&mut daemon, &world.source), sandbox, &expected(true));
    assert_eq!(registry.requests(), []);
    assert_eq!(home_tree(sandbox), before);
    daemon.shut_down();
}

#[test]
fn a_directory_that_wraps_everything_is_left_behind() {
    let world = world();
    let wrapped = tree("market", &[("p", "1.0.0")]).replace("== ", "== market-1.0/");
    world.registry.push("team/market:1", &wrapped);
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.source);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugins_in(&listing).count(), 1);
    daemon.shut_down();
}

#[test]
fn an_upgrade_costs_one_request_and_takes_the_plugins_along() {
    let world = world();
    let mut daemon = start_listening(&world.sandbox);
    add(&mut daemon, &world.source);
    install(&mut daemon, &world.manifest(), "p");
    world.registry.forget();
    let old = json!(world.digest);
    let stays = (old.clone(), old.clone(), json!(false));
    assert_eq!(moved(&upgrade(&mut daemon)), stays);
    let asked = world.registry.requests();
    let lines: Vec<_> = asked.iter().map(|one| (&*one.method, &*one.path)).collect();
    assert_eq!(lines, [("HEAD", "/v2/team/market/manifests/1")]);
    // A listing looks at what is here.
    world.registry.forget();
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(world.registry.requests(), []);

    let new = json!(world.push("1.1.0"));
    let answer = upgrade(&mut daemon);
    assert_eq!(moved(&answer), (old, new.clone(), json!(true)));
    let root = world.sandbox.path(world.root());
    assert_eq!(answer["upgradedRoots"], json!([root.to_text()]));
    let plugin = &answer["changes"][1];
    assert_eq!(plugin["pluginId"], "p@market", "{answer:#}");
    assert_eq!(plugin["to"], "1.1.0", "{answer:#}");
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 1.1.0"]);
    let all = daemon.ok("marketplace/upgrade", json!({}));
    assert_eq!(moved(&all), (new.clone(), new, json!(false)));
    nothing_left(&world.sandbox);
    daemon.shut_down();
}

#[test]
fn a_digest_is_never_asked_for_again() {
    let mut world = world();
    world.push("2.0.0");
    world.source = format!("{}@{}", world.source, world.digest);
    let mut daemon = start(&world.sandbox);
    let added = add(&mut daemon, &world.source);
    assert_eq!(added["commit"], json!(world.digest));
    install(&mut daemon, &world.manifest(), "p");
    world.registry.forget();
    let old = json!(world.digest);
    assert_eq!(
        moved(&upgrade(&mut daemon)),
        (old.clone(), old, json!(false))
    );
    assert_eq!(world.registry.requests(), []);
    daemon.shut_down();
}

#[test]
fn removing_it_takes_everything() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.source);
    install(&mut daemon, &world.manifest(), "p");
    let params = json!({"marketplaceName": "market", "removePlugins": true});
    let removed = daemon.ok("marketplace/remove", params);
    let expected = json!({
        "marketplaceName": "market", "installedRoot": format!("$ROOT/{}", world.root()),
        "orphans": [], "removedPlugins": ["p@market"],
    });
    check(&removed, &world.sandbox, &expected);
    assert_eq!(world.sandbox.text("ch/config.toml"), "");
    assert_eq!(world.sandbox.tree(PLACES), "");
    nothing_left(&world.sandbox);
    let error = daemon.err("marketplace/remove", json!({"marketplaceName": "market"}));
    assert_eq!(error["data"]["kind"], "notFound", "{error:#}");
    daemon.shut_down();
}

#[test]
fn a_name_belongs_to_one_origin() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.source);
    let fixture = tree("market", &[("p", "9.0.0")]);
    world.registry.push("other/market:1", &fixture);
    let other = world.registry.reference("other/market:1");
    let before = home_tree(&world.sandbox);
    let error = daemon.err("marketplace/add", json!({"source": other}));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    let message = text(&error["message"]);
    assert!(message.ends_with(&world.source), "{message}");
    assert_eq!(home_tree(&world.sandbox), before);
    // A tag is a part of the origin, as a branch is one of a repository.
    world.registry.push("team/market:2", &fixture);
    let tagged = world.registry.reference("team/market:2");
    let error = daemon.err("marketplace/add", json!({"source": tagged}));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    daemon.shut_down();
}

#[test]
fn what_git_has_is_refused() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    for (member, value) in [("refName", json!("v1")), ("sparsePaths", json!(["p"]))] {
        let mut params = json!({"source": world.source});
        params[member] = value;
        let error = daemon.err("marketplace/add", params);
        assert_eq!(error["data"]["field"], member, "{error:#}");
        let message = text(&error["message"]);
        assert!(message.contains("tag or digest in the source"), "{message}");
    }
    world.nothing_here();
    assert_eq!(world.registry.requests(), []);
    daemon.shut_down();
}

#[test]
fn a_registry_that_lies_or_breaks_off_leaves_nothing() {
    let lying = world();
    lying.registry.tamper();
    lying.refused("invalidInput");

    let world = world();
    for (request, behaviour, kind) in [
        (OciRequest::Blob, Behaviour::Cut(30), "unavailable"),
        (OciRequest::Blob, Behaviour::Status(404), "notFound"),
        (OciRequest::Blob, Behaviour::Bomb, "invalidInput"),
        (OciRequest::Manifest, Behaviour::Status(404), "notFound"),
        (OciRequest::Manifest, Behaviour::Status(401), "unavailable"),
        (OciRequest::Manifest, Behaviour::Page, "invalidInput"),
    ] {
        world.registry.behave(request, behaviour);
        world.refused(kind);
        world.registry.behave_well();
    }
    let fixture = "== readme.md\nno marketplace\n";
    world.registry.push("team/market:1", fixture);
    let error = world.refused("invalidInput");
    let message = text(&error["message"]);
    assert!(message.contains("holds no usable marketplace"), "{message}");
    assert!(!message.contains("staging"), "{message}");
}

#[test]
fn an_upgrade_by_another_process_is_told() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.source);
    let mut listening = start_listening(&world.sandbox);
    listening.ok("plugin/list", json!({}));
    for version in ["1.1.0", "1.2.0"] {
        world.push(version);
        upgrade(&mut daemon);
        let change = listening.wait_notification("plugd/changed", |change| {
            change["marketplaces"]
                .as_array()
                .is_some_and(|names| !names.is_empty())
        });
        assert_eq!(change["marketplaces"], json!(["market"]), "{change:#}");
        assert_eq!(change["reason"], "watcher", "{change:#}");
    }
    listening.shut_down();
    daemon.shut_down();
}

#[test]
fn without_the_registry_everything_goes_on() {
    let world = world();
    let mut daemon = start_listening(&world.sandbox);
    add(&mut daemon, &world.source);
    let World {
        sandbox, registry, ..
    } = &world;
    registry.behave(OciRequest::Manifest, Behaviour::Status(503));
    registry.behave(OciRequest::Blob, Behaviour::Status(503));
    install(&mut daemon, &world.manifest(), "p");
    let before = sandbox.tree(PLACES);
    let answer = upgrade(&mut daemon);
    let error = &answer["errors"][0];
    assert_eq!(error["data"]["kind"], "unavailable", "{answer:#}");
    assert_eq!(error["data"]["retryable"], true, "{answer:#}");
    assert_eq!(answer["changes"][0]["changed"], false, "{answer:#}");
    assert_eq!(sandbox.tree(PLACES), before);
    let listing = list_and_settle(&mut daemon, json!({}));
    assert_eq!(plugins_in(&listing).count(), 1);
    assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    daemon.shut_down();
}

#[test]
fn what_is_lost_is_told_and_comes_back() {
    let world = world();
    let mut daemon = start_listening(&world.sandbox);
    add(&mut daemon, &world.source);
    install(&mut daemon, &world.manifest(), "p");
    daemon.shut_down();
    for gone in [world.root(), format!("{PLACES}/market")] {
        world.sandbox.remove(&gone);
        let output = cli(&world.sandbox, &["doctor", "--json"]);
        assert!(
            output.stdout.contains("marketplace upgrade market"),
            "{output}"
        );
        let mut daemon = start(&world.sandbox);
        let status = daemon.ok("plugd/status", json!({}));
        let told = status.to_string();
        assert!(told.contains("\"market\""), "{status:#}");
        daemon.shut_down();
        // The first listing asks for it, and the next one has it.
        let mut daemon = start_listening(&world.sandbox);
        list_and_settle(&mut daemon, json!({}));
        let listing = list_and_settle(&mut daemon, json!({}));
        assert_eq!(listing["marketplaceLoadErrors"], json!([]), "{gone}");
        assert_eq!(plugins_in(&listing).count(), 1, "{gone}");
        daemon.shut_down();
    }
    world.sandbox.remove(&format!("{PLACES}/market"));
    let mut daemon = start(&world.sandbox);
    let (from, to, changed) = moved(&upgrade(&mut daemon));
    assert_eq!((from, changed), (Value::Null, json!(true)));
    assert_eq!(to, json!(world.digest));
    daemon.shut_down();
}

#[test]
fn what_nobody_names_is_collected() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.source);
    let told = daemon.ok("plugd/gc", json!({"dryRun": true}));
    assert!(!told.to_string().contains("/marketplaces/"), "{told:#}");
    world.sandbox.write("ch/config.toml", "");
    let told = daemon.ok("plugd/gc", json!({}));
    assert!(
        told.to_string().contains("/marketplaces/market"),
        "{told:#}"
    );
    assert_eq!(world.sandbox.tree(PLACES), "");
    nothing_left(&world.sandbox);
    daemon.shut_down();
}

#[test]
fn the_login_of_the_docker_config_is_said_nowhere() {
    let secret = "oci-hunter2-hunter2";
    let world = world();
    world.registry.require_login("ada", secret);
    let message = world.refused("unavailable");
    assert!(message.to_string().contains("docker config"), "{message}");
    let auth = OciRegistry::docker_auth("ada", secret);
    let config = json!({"auths": {world.registry.host(): {"auth": auth}}});
    let file = "home/.docker/config.json";
    world.sandbox.write(file, config.to_string());
    let heard = Overheard::default();
    let mut daemon = heard.launch().start(&world.sandbox);
    daemon.initialize();
    add(&mut daemon, &world.source);
    world.push("1.1.0");
    let (_, _, changed) = moved(&upgrade(&mut daemon));
    assert_eq!(changed, json!(true));
    heard.never_said(&daemon, secret);
    daemon.shut_down();
    let written = home_tree(&world.sandbox);
    assert!(
        !written.contains(secret) && !written.contains(&auth),
        "{written}"
    );
}

#[test]
fn on_the_command_line() {
    let world = world();
    let run = |args: &[&str]| cli(&world.sandbox, args);
    let added = run(&["marketplace", "add", &world.source]);
    assert_eq!(added.code(), 0, "{added}");
    let first = format!("Added marketplace `market` from {}.", world.source);
    assert!(added.stdout.starts_with(&first), "{added}");
    let listed = run(&["marketplace", "list", "--json"]).json();
    let row = &listed["marketplaces"][0];
    let expected = json!({"sourceType": "oci", "source": world.source});
    assert_eq!(row["marketplaceSource"], expected, "{listed:#}");
    world.push("1.1.0");
    let upgraded = run(&["marketplace", "upgrade"]);
    assert_eq!(upgraded.code(), 0, "{upgraded}");
    assert!(upgraded.stdout.contains("moved from sha256:"), "{upgraded}");
    let removed = run(&["marketplace", "remove", "market"]);
    assert_eq!(removed.code(), 0, "{removed}");
    assert_eq!(world.sandbox.tree(PLACES), "");
}
