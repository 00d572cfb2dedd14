//! Proves what `[trust]` makes of a lock: a place that is trusted is trusted with what it offers or
//! has offered, and not with whatever a lock names of it.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO_MANIFEST, install, launch, refused, start, text};
use crate::git_plugin_install::{Shop, top};
use crate::lock::{LOCK, in_project, lock};
use crate::oci_plugin_install;
use crate::remotes::{self, add, nothing_left, remote, tree};
use crate::trust::{STRICT, approve};
use crate::trust_standing::switch;

/// The daemon over a home that has nothing but these settings.
#[track_caller]
pub(crate) fn another(sandbox: &Sandbox, home: &str, settings: &str) -> Daemon {
    sandbox.add(&format!("== {home}/\n"));
    sandbox.write(&format!("{home}/plugd.toml"), settings);
    let mut daemon = launch()
        .var("CODEX_HOME", &sandbox.path(home).to_text())
        .start(sandbox);
    daemon.initialize();
    daemon
}

fn trusting(place: &str) -> String {
    format!("{STRICT}marketplaces = [\"{place}\"]\n")
}

/// Following the lock asks for a yes, because nothing shows that it was offered. Answers the refusal.
#[track_caller]
fn asks(daemon: &mut Daemon, more: Value) -> Value {
    let error = daemon.err("plugd/sync", in_project(more));
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    let message = text(&error["message"]);
    assert!(message.contains("nothing shows that"), "{message}");
    error
}

#[test]
fn a_commit_of_a_trusted_repository_has_to_lie_behind_what_is_followed() {
    let world = remote(&[("p", "1.0.0")]);
    let (sandbox, repo, url) = (&world.sandbox, &world.repo, &world.url);
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let locked_at = |home: &str, branch: &str| {
        let mut daemon = another(sandbox, home, "");
        daemon.ok("marketplace/add", json!({"source": url, "refName": branch}));
        let manifest = remotes::MANIFEST.replace("/ch/", &format!("/{home}/"));
        install(&mut daemon, &manifest, "p");
        lock(&mut daemon, json!({}));
        daemon.shut_down();
        let text = sandbox.text(LOCK);
        sandbox.remove(LOCK);
        let line = format!("ref = \"{branch}\"\n");
        assert!(text.contains(&line), "{text}");
        (text.replace(&line, ""), text)
    };
    let (good, _) = locked_at("main", "main");
    repo.commit_to("pr", &tree("market", &[("p", "6.6.6")]));
    let (evil, evil_branch) = locked_at("pr", "pr");
    repo.commit(&tree("market", &[("p", "1.1.0")]));
    repo.commit(&tree("market", &[("p", "2.0.0")]));

    // A trusted repository is trusted with its own history.
    sandbox.write(LOCK, &good);
    let mut daemon = another(sandbox, "one", &trusting(url));
    daemon.ok("plugd/sync", in_project(json!({})));
    assert!(sandbox.exists("one/plugins/cache/market/p/1.0.0"));
    let manifest = remotes::MANIFEST.replace("/ch/", "/one/");
    let on = json!({"marketplacePath": manifest, "pluginName": "p"});
    switch(&mut daemon, "p@market", false);
    daemon.ok("plugin/install", on.clone());
    // It is not trusted with what somebody else has put beside that.
    sandbox.write(LOCK, &evil);
    let error = asks(&mut daemon, json!({}));
    assert!(sandbox.exists("one/plugins/cache/market/p/1.0.0"));
    // A lock cannot say either what is followed.
    sandbox.write(LOCK, &evil_branch);
    assert_eq!(
        refused(&mut daemon, "plugd/sync", in_project(json!({}))),
        "-32600 conflict"
    );
    // A yes to the content is what it takes.
    sandbox.write(LOCK, &evil);
    approve(&mut daemon, "p@market", &error["data"]["digest"]);
    daemon.ok("plugd/sync", in_project(json!({})));
    assert!(sandbox.exists("one/plugins/cache/market/p/6.6.6"));
    // That it is here by now shows nothing either, when the yes is taken back.
    switch(&mut daemon, "p@market", false);
    let back = json!({"pluginId": "p@market", "revoke": true});
    daemon.ok("plugd/approve", back);
    assert_eq!(
        refused(&mut daemon, "plugin/install", on),
        "-32600 approvalNeeded"
    );
    daemon.shut_down();
    nothing_left(sandbox);
}

#[test]
fn a_lock_brings_no_trust_with_a_marketplace() {
    let world = remote(&[("p", "1.0.0")]);
    let (sandbox, url) = (&world.sandbox, &world.url);
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let check = |trusted: &str, reference: &str, expected: Option<&str>| {
        let text = format!("version = 1\n\n[marketplaces.market]\ngit = \"{url}\"\n{reference}");
        sandbox.write(LOCK, text);
        sandbox.remove("other");
        let mut daemon = another(sandbox, "other", &trusting(trusted));
        match expected {
            None => drop(daemon.ok("plugd/sync", in_project(json!({})))),
            Some(expected) => {
                let error = daemon.err("plugd/sync", in_project(json!({})));
                assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
                let message = text_of(&error);
                assert!(message.contains(expected), "{message}");
                assert!(!sandbox.exists("other/config.toml"));
            }
        }
        daemon.shut_down();
    };
    sandbox.add("== other/\n");
    let by_hand = format!("`plugd marketplace add {url}");
    check("market", "", Some(&format!("{by_hand}`")));
    check(
        url,
        "ref = \"main\"\n",
        Some(&format!("{by_hand} --ref main`")),
    );
    check(url, "", None);
    check("elsewhere", "ref = \"main\"\n", None);
}

fn text_of(error: &Value) -> String {
    text(&error["message"]).to_owned()
}

/// What a lock names of a repository that an entry names.
#[test]
fn an_entry_says_which_commits_are_meant() {
    let shop = Shop::open();
    let sandbox = &shop.sandbox;
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let first = shop.repo.head();
    let dev = shop.repo.commit_to("dev", &top("3.0.0"));
    let second = shop.repo.commit(&top("2.0.0"));
    let source = |more: Value| {
        let mut source = json!({"source": "url", "url": shop.url});
        let more = more.as_object().unwrap().clone();
        source.as_object_mut().unwrap().extend(more);
        source
    };
    let check = |entry: Value, locked: &str, comes: bool| {
        shop.offer(&[("p", source(json!({"sha": locked})))]);
        let mut daemon = start(sandbox);
        sandbox.write("ch/plugd.toml", "");
        install(&mut daemon, DEMO_MANIFEST, "p");
        lock(&mut daemon, json!({}));
        daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
        daemon.ok("plugd/gc", json!({}));
        shop.offer(&[("p", source(entry.clone()))]);
        sandbox.write("ch/plugd.toml", trusting("demo"));
        match comes {
            true => {
                let answer = daemon.ok("plugd/sync", in_project(json!({})));
                assert_eq!(answer["changes"][1]["reason"], "installed", "{entry}");
                daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
            }
            false => drop(asks(&mut daemon, json!({}))),
        }
        sandbox.remove(LOCK);
        daemon.shut_down();
        nothing_left(sandbox);
    };
    check(json!({}), &first, true);
    check(json!({}), &second, true);
    check(json!({}), &dev, false);
    check(json!({"ref": "dev"}), &dev, true);
    check(json!({"ref": "dev"}), &first, false);
    check(json!({"sha": first}), &first, true);
    check(json!({"sha": second}), &first, false);
    check(json!({"sha": second, "ref": "dev"}), &dev, false);
    check(json!({"sha": &first[..10]}), &first, false);
}

#[test]
fn a_digest_has_to_be_what_the_entry_or_its_tag_says() {
    let shop = oci_plugin_install::Shop::open();
    let sandbox = &shop.sandbox;
    sandbox.add("== p/.git/\n== p/src/\n");
    let mut daemon = start(sandbox);
    install(&mut daemon, DEMO_MANIFEST, "p");
    lock(&mut daemon, json!({}));
    let locked = sandbox.text(LOCK);
    daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
    daemon.ok("plugd/gc", json!({}));
    daemon.shut_down();
    let mut daemon = another(sandbox, "ch", &trusting("demo"));
    daemon.ok("plugd/sync", in_project(json!({})));
    daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
    daemon.ok("plugd/gc", json!({}));
    // The tag means something else now.
    shop.registry
        .push("team/p:1", &oci_plugin_install::files("2.0.0"));
    asks(&mut daemon, json!({}));
    // An entry that names the digest itself has not moved.
    let digest = locked.split("digest = \"").nth(1).unwrap();
    let digest = digest.split('"').next().unwrap();
    let pinned = format!("{}@{digest}", shop.registry.reference("team/p:1"));
    shop.offer(&json!({"source": "oci", "url": pinned}));
    daemon.ok("plugd/sync", in_project(json!({})));
    daemon.shut_down();
    nothing_left(sandbox);
}

/// A directory offers what lies in it, and a version that was kept is shown by what brought it.
#[test]
fn what_was_kept_here_was_offered_when_a_request_brought_it() {
    let world = remote(&[("p", "1.0.0")]);
    let (sandbox, repo) = (&world.sandbox, &world.repo);
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let mut daemon = start(sandbox);
    add(&mut daemon, &world.url);
    install(&mut daemon, remotes::MANIFEST, "p");
    lock(&mut daemon, json!({}));
    repo.set_branch("old", &repo.head());
    repo.commit_unrelated("main", &tree("market", &[("p", "2.0.0")]));
    daemon.ok("marketplace/upgrade", json!({}));
    assert!(sandbox.exists("ch/plugins/cache/market/p/2.0.0"));
    sandbox.write("ch/plugd.toml", trusting("market"));
    // Its commit lies behind nothing any more.
    daemon.ok("plugd/sync", in_project(json!({"offline": true})));
    assert!(sandbox.exists("ch/plugins/cache/market/p/1.0.0"));
    daemon.shut_down();
    // A home that never had it cannot tell.
    let mut daemon = another(sandbox, "ch2", &trusting(&world.url));
    asks(&mut daemon, json!({}));
    daemon.shut_down();
    nothing_left(sandbox);
}

#[test]
fn a_yes_can_come_before_the_marketplace_that_a_lock_brings() {
    let world = remote(&[("p", "1.0.0")]);
    let (sandbox, url) = (&world.sandbox, &world.url);
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let mut daemon = another(sandbox, "first", "");
    add(&mut daemon, url);
    install(
        &mut daemon,
        &remotes::MANIFEST.replace("/ch/", "/first/"),
        "p",
    );
    lock(&mut daemon, json!({}));
    daemon.shut_down();

    let mut daemon = another(sandbox, "one", STRICT);
    let refusal = daemon.err("plugd/sync", in_project(json!({})));
    let digest = &refusal["data"]["digest"];
    assert_eq!(refusal["data"]["kind"], "approvalNeeded", "{refusal:#}");
    assert!(!sandbox.exists("one/config.toml"));
    let given = json!({"pluginId": "p@market", "digest": digest, "anyAge": true});
    let given = daemon.ok("plugd/approve", given);
    assert_eq!(given["approvals"][0]["source"], "anywhere");
    daemon.ok("plugd/sync", in_project(json!({})));
    assert!(sandbox.exists("one/plugins/cache/market/p/1.0.0"));
    // It was a yes to that content, and of a marketplace that is known by now nothing is guessed.
    world.repo.commit(&tree("market", &[("p", "2.0.0")]));
    daemon.ok("marketplace/upgrade", json!({}));
    assert!(!sandbox.exists("one/plugins/cache/market/p/2.0.0"));
    let absent = json!({"pluginId": "absent@market", "digest": digest});
    assert_eq!(
        refused(&mut daemon, "plugd/approve", absent),
        "-32600 notFound"
    );
    let back = json!({"pluginId": "p@market", "revoke": true});
    assert_eq!(daemon.ok("plugd/approve", back)["approvals"], json!([]));
    daemon.shut_down();
    nothing_left(sandbox);
}
