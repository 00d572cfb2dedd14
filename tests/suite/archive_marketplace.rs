//! Proves that a marketplace may be an archive behind an address: with its digest it never changes,
//! and without one it is fetched again only when the server says that it is another one.

use plugd_testkit::{Behaviour, Daemon, OciRegistry, OciRequest, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{check, cli, install, installed_in, start, text};
use crate::oci_marketplace::{PLACES, moved, root, upgrade};
use crate::remotes::{Overheard, add, give_up, nothing_left, sorted, tree};

/// A server that has `market` as `market.tar.gz`.
struct World {
    sandbox: Sandbox,
    server: OciRegistry,
    url: String,
    digest: String,
}

fn world() -> World {
    let server = OciRegistry::start();
    let fixture = tree("market", &[("p", "1.0.0")]);
    let (url, digest) = server.file("market.tar.gz", &fixture);
    World {
        sandbox: Sandbox::new(),
        server,
        url,
        digest,
    }
}

impl World {
    /// The address with the digest behind it.
    fn summed(&self) -> String {
        self.url.clone() + "#" + &self.digest.replace(':', "=")
    }

    /// Puts another version there.
    fn push(&self, version: &str) -> String {
        let fixture = tree("market", &[("p", version)]);
        self.server.file("market.tar.gz", &fixture).1
    }

    #[track_caller]
    fn nothing_here(&self) {
        assert!(!self.sandbox.exists("ch/config.toml"));
        assert_eq!(self.sandbox.tree(PLACES), "");
        nothing_left(&self.sandbox);
    }

    #[track_caller]
    fn refused(&self, source: &str, kind: &str) -> String {
        let error = self.error(source, kind);
        text(&error["message"]).to_owned()
    }

    #[track_caller]
    fn error(&self, source: &str, kind: &str) -> Value {
        let mut daemon = start(&self.sandbox);
        let error = daemon.err("marketplace/add", json!({"source": source}));
        assert_eq!(error["data"]["kind"], kind, "{error:#}");
        self.nothing_here();
        daemon.shut_down();
        error
    }

    #[track_caller]
    fn install(&self, daemon: &mut Daemon, origin: &str) {
        let manifest = format!("$ROOT/{}/.agents/plugins/marketplace.json", root(origin));
        install(daemon, &manifest, "p");
    }
}

#[test]
fn an_archive_is_fetched_again_when_it_is_another_one() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    let expected = |already: bool| {
        json!({
            "marketplaceName": "market", "installedRoot": format!("$ROOT/{}", root(&world.url)),
            "alreadyAdded": already, "commit": world.digest, "problems": [],
        })
    };
    check(
        &add(&mut daemon, &world.url),
        &world.sandbox,
        &expected(false),
    );
    let files = sorted(&tree("market", &[("p", "1.0.0")]));
    assert_eq!(world.sandbox.tree(&root(&world.url)), files);
    world.install(&mut daemon, &world.url);
    world.server.forget();
    check(
        &add(&mut daemon, &world.url),
        &world.sandbox,
        &expected(true),
    );
    assert_eq!(world.server.requests(), []);

    let before = world.sandbox.tree(PLACES);
    let old = json!(world.digest);
    assert_eq!(
        moved(&upgrade(&mut daemon)),
        (old.clone(), old.clone(), json!(false))
    );
    let asked = world.server.requests();
    assert_eq!(asked.len(), 1);
    let mark = format!("\"{}\"", world.digest);
    assert_eq!(asked[0].header("if-none-match"), Some(mark.as_str()));
    assert_eq!(world.sandbox.tree(PLACES), before);
    nothing_left(&world.sandbox);

    let new = json!(world.push("1.1.0"));
    assert_eq!(
        moved(&upgrade(&mut daemon)),
        (old, new.clone(), json!(true))
    );
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 1.1.0"]);
    assert_eq!(
        moved(&upgrade(&mut daemon)),
        (new.clone(), new, json!(false))
    );
    nothing_left(&world.sandbox);
    daemon.shut_down();
}

#[test]
fn what_has_no_mark_is_compared_by_its_digest() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.url);
    let note = format!("{PLACES}/market/fetched.json");
    let kept = world.sandbox.text(&note);
    let mut without: Value = serde_json::from_str(&kept).unwrap();
    without["etag"] = Value::Null;
    world.sandbox.write(&note, without.to_string());
    let old = json!(world.digest);
    assert_eq!(
        moved(&upgrade(&mut daemon)),
        (old.clone(), old.clone(), json!(false))
    );
    assert_eq!(
        world.sandbox.text(&note),
        kept,
        "the mark is known from now on"
    );
    // A note that says nothing is that of nothing.
    world.sandbox.write(&note, "{}");
    assert_eq!(
        moved(&upgrade(&mut daemon)),
        (Value::Null, old, json!(true))
    );
    assert_eq!(world.sandbox.text(&note), kept);
    daemon.shut_down();
}

#[test]
fn a_digest_is_checked_and_never_asked_for_again() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.summed());
    world.install(&mut daemon, &world.summed());
    world.push("2.0.0");
    world.server.forget();
    let old = json!(world.digest);
    assert_eq!(
        moved(&upgrade(&mut daemon)),
        (old.clone(), old, json!(false))
    );
    assert_eq!(world.server.requests(), []);
    daemon.shut_down();
    // The same address has something else by now.
    let other = Sandbox::new();
    let mut daemon = start(&other);
    let error = daemon.err("marketplace/add", json!({"source": world.summed()}));
    assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
    let message = text(&error["message"]);
    assert!(message.contains("sha256 digest"), "{message}");
    assert_eq!(other.tree(PLACES), "");
    nothing_left(&other);
    daemon.shut_down();
}

#[test]
fn a_server_that_lies_or_breaks_off_leaves_nothing() {
    let world = world();
    let plain = Behaviour::Redirect("http://elsewhere.invalid".to_owned());
    for (behaviour, kind, hint) in [
        (Behaviour::Status(404), "notFound", "check the address"),
        (Behaviour::Status(401), "unavailable", "may need a login"),
        (Behaviour::Status(304), "unavailable", ""),
        (
            Behaviour::Status(429),
            "unavailable",
            "how often it is asked",
        ),
        (Behaviour::Status(503), "unavailable", "try again later"),
        (Behaviour::Cut(30), "unavailable", "check the network"),
        // No fault of the network.
        (plain, "unavailable", ""),
        (Behaviour::Page, "invalidInput", ""),
        (Behaviour::Bomb, "invalidInput", ""),
    ] {
        world.server.behave(OciRequest::File, behaviour);
        let error = world.error(&world.url, kind);
        let message = text(&error["message"]);
        assert!(message.contains("the archive"), "{message}");
        let found = error["data"]["hint"].as_str().unwrap_or_default();
        assert_eq!(found.is_empty(), hint.is_empty(), "{error:#}");
        assert!(found.contains(hint), "{error:#}");
        world.server.behave_well();
    }
    let (url, _) = world.server.file("other.tgz", "== readme.md\nx\n");
    let message = world.refused(&url, "invalidInput");
    assert!(message.contains("holds no usable marketplace"), "{message}");
}

#[test]
fn giving_up_on_a_silent_server_leaves_nothing() {
    let world = world();
    world.server.behave(OciRequest::File, Behaviour::Silent);
    let mut daemon = start(&world.sandbox);
    let id = daemon.request("marketplace/add", json!({"source": world.url}));
    world.server.wait_for(OciRequest::File, 1);
    give_up(&mut daemon, id);
    world.nothing_here();
    daemon.shut_down();
}

#[test]
fn an_upgrade_that_fails_changes_nothing() {
    let world = world();
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.url);
    let before = world.sandbox.tree(PLACES);
    let renamed = tree("other", &[("p", "1.1.0")]);
    world.server.file("market.tar.gz", &renamed);
    let answer = upgrade(&mut daemon);
    let error = &answer["errors"][0];
    assert_eq!(error["data"]["kind"], "conflict", "{answer:#}");
    world.push("1.1.0");
    world.server.behave(OciRequest::File, Behaviour::Cut(30));
    let answer = upgrade(&mut daemon);
    let error = &answer["errors"][0];
    assert_eq!(error["data"]["kind"], "unavailable", "{answer:#}");
    assert_eq!(error["data"]["retryable"], true, "{answer:#}");
    assert_eq!(world.sandbox.tree(PLACES), before);
    nothing_left(&world.sandbox);
    daemon.shut_down();
}

#[test]
fn a_secret_in_the_address_is_refused_and_said_nowhere() {
    let world = world();
    let heard = Overheard::default();
    let mut daemon = heard.launch().start(&world.sandbox);
    daemon.initialize();
    for source in [
        world.url.replace("http://", "http://ada:hunter2@"),
        world.url.clone() + "?token=hunter2",
    ] {
        let error = daemon.err("marketplace/add", json!({"source": source}));
        assert_eq!(error["data"]["field"], "source", "{error:#}");
    }
    heard.never_said(&daemon, "hunter2");
    world.nothing_here();
    assert_eq!(world.server.requests(), []);
    daemon.shut_down();
    let plain = "http://files.example.invalid/market.tgz";
    let message = world.refused(plain, "invalidInput");
    assert!(message.contains("https://"), "{message}");
}

#[test]
fn on_the_command_line() {
    let world = world();
    let added = cli(&world.sandbox, &["marketplace", "add", &world.summed()]);
    assert_eq!(added.code(), 0, "{added}");
    let listed = cli(&world.sandbox, &["marketplace", "list", "--json"]).json();
    let expected = json!({"sourceType": "archive", "source": world.summed()});
    assert_eq!(listed["marketplaces"][0]["marketplaceSource"], expected);
    let removed = cli(&world.sandbox, &["marketplace", "remove", "market"]);
    assert_eq!(removed.code(), 0, "{removed}");
    assert_eq!(world.sandbox.tree(PLACES), "");
}
