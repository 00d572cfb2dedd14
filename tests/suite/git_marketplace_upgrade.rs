//! Proves `marketplace/upgrade`: what moved and what follows, that an unchanged remote costs one
//! question, that a rewritten history is told, and that a failure of one touches no other and
//! nothing that was there.

use plugd_testkit::{Daemon, GitRepo, GitRequest, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    check, cli, config, home_tree, install, installed_in, marketplace, refused, start,
    start_listening, text,
};
use crate::remotes::{
    CHECKOUT, MANIFEST, NOTE, Remote, add, bulk, checked_out, no_git, nothing_left, remote, sorted,
    stamps, tree, watched,
};

pub(crate) const P: &[(&str, &str)] = &[("p", "1.0.0")];

/// A world in which the marketplace is added and its plugin installed.
#[track_caller]
pub(crate) fn with_p() -> (Remote, Daemon) {
    let world = remote(P);
    let mut daemon = start_listening(&world.sandbox);
    add(&mut daemon, &world.url);
    install(&mut daemon, MANIFEST, "p");
    world.server.forget();
    (world, daemon)
}

#[track_caller]
pub(crate) fn upgrade(daemon: &mut Daemon) -> Value {
    daemon.ok("marketplace/upgrade", json!({}))
}

/// The row of a marketplace or plugin in the answer.
#[track_caller]
pub(crate) fn change<'a>(answer: &'a Value, key: &str, name: &str) -> &'a Value {
    let rows = answer["changes"].as_array().unwrap();
    match rows.iter().find(|row| row[key] == name) {
        Some(row) => row,
        None => panic!("no row of `{name}` in {answer:#}"),
    }
}

#[test]
fn a_marketplace_moves_and_its_plugins_follow() {
    let (world, mut daemon) = with_p();
    let Remote { sandbox, repo, .. } = &world;
    let from = repo.head();
    let new = tree("market", &[("p", "1.1.0"), ("q", "1.0.0")]);
    let to = repo.commit(&new);
    let mut answer = upgrade(&mut daemon);
    // A shallow mirror may or may not be able to tell.
    let history = answer["changes"][0]["history"].take();
    assert!(
        ["forward", "unknown"].contains(&text(&history)),
        "{history}"
    );
    let expected = json!({
        "selectedMarketplaces": ["market"],
        "upgradedRoots": [format!("$ROOT/{CHECKOUT}")],
        "errors": [],
        "changes": [
            {"marketplaceName": "market", "from": from, "to": to, "changed": true,
             "history": null, "reason": null, "problems": []},
            {"pluginId": "p@market", "from": "1.0.0", "to": "1.1.0", "changed": true,
             "reason": null, "problems": []},
        ],
    });
    check(&answer, sandbox, &expected);
    assert_eq!(checked_out(sandbox, CHECKOUT), sorted(&new));
    let note: Value = serde_json::from_str(&sandbox.text(&format!("{CHECKOUT}/{NOTE}"))).unwrap();
    assert_eq!(note["revision"], to);
    let told = daemon.wait_notification("plugd/changed", |told| {
        told.to_string().contains("p@market")
    });
    assert_eq!(told["rewrittenMarketplaces"], json!([]), "{told:#}");
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["p@market 1.1.0"]);
    no_git(sandbox);
    nothing_left(sandbox);
    daemon.shut_down();
}

#[test]
fn nothing_new_costs_one_question_and_touches_nothing() {
    let (world, mut daemon) = with_p();
    for params in [
        json!({}),
        json!({"marketplaceName": "market"}),
        json!({"marketplaceName": null}),
    ] {
        world.server.forget();
        let tree = stamps(&world.sandbox, CHECKOUT);
        let copy = stamps(&world.sandbox, "ch/plugins/cache/market/p/1.0.0");
        let home = home_tree(&world.sandbox);
        let answer = daemon.ok("marketplace/upgrade", params);
        let head = world.repo.head();
        let expected = json!({
            "selectedMarketplaces": ["market"], "upgradedRoots": [], "errors": [],
            "changes": [{"marketplaceName": "market", "from": head, "to": head,
                         "changed": false, "reason": null, "problems": []}],
        });
        check(&answer, &world.sandbox, &expected);
        assert_eq!(world.server.count(GitRequest::InfoRefs), 1);
        assert_eq!(world.server.requests().len(), 1);
        assert_eq!(stamps(&world.sandbox, CHECKOUT), tree);
        assert_eq!(
            stamps(&world.sandbox, "ch/plugins/cache/market/p/1.0.0"),
            copy
        );
        assert_eq!(home_tree(&world.sandbox), home);
    }
    daemon.shut_down();
    // The next process knows it as well.
    world.server.forget();
    let mut daemon = start(&world.sandbox);
    upgrade(&mut daemon);
    assert_eq!(world.server.requests().len(), 1);
    daemon.shut_down();
}

#[test]
fn a_commit_that_changes_no_plugin_moves_none() {
    let (world, mut daemon) = with_p();
    world
        .repo
        .commit(&(tree("market", P) + "== README.md\nnew\n"));
    let copy = stamps(&world.sandbox, "ch/plugins/cache/market/p/1.0.0");
    let answer = upgrade(&mut daemon);
    assert_eq!(answer["changes"].as_array().unwrap().len(), 1, "{answer:#}");
    assert_eq!(
        stamps(&world.sandbox, "ch/plugins/cache/market/p/1.0.0"),
        copy
    );
    assert!(world.sandbox.exists(&format!("{CHECKOUT}/README.md")));
    daemon.shut_down();
}

#[test]
fn content_that_changes_under_the_same_version_arrives() {
    let (world, mut daemon) = with_p();
    world
        .repo
        .commit(&(tree("market", P) + "== p/more.md\nmore\n"));
    upgrade(&mut daemon);
    let more = world
        .sandbox
        .text("ch/plugins/cache/market/p/1.0.0/more.md");
    assert_eq!(more, "more\n");
    daemon.shut_down();
}

#[test]
fn a_rewritten_history_is_told() {
    for (local, unrelated) in [(true, false), (true, true), (false, false), (false, true)] {
        let world = remote(P);
        let old = world.repo.head();
        let recorded = world.repo.commit(&tree("market", &[("p", "1.1.0")]));
        let mut daemon = start_listening(&world.sandbox);
        let source = if local {
            world.repo.file_url()
        } else {
            world.url.clone()
        };
        add(&mut daemon, &source);
        install(&mut daemon, MANIFEST, "p");
        // What was told before does not count.
        daemon.wait_notification("plugd/changed", |told| {
            told["plugins"].to_string().contains("p@market")
        });
        daemon.take_notifications("plugd/changed");
        if unrelated {
            world
                .repo
                .commit_unrelated("main", &tree("market", &[("p", "9.0.0")]));
        } else {
            world.repo.set_branch("main", &old);
        }
        let answer = upgrade(&mut daemon);
        let row = change(&answer, "marketplaceName", "market");
        assert_eq!(
            (&row["from"], &row["to"]),
            (&json!(recorded), &json!(world.repo.head()))
        );
        let history = text(&row["history"]);
        // Where the whole history is at hand there is no doubt.
        let allowed: &[&str] = if local {
            &["rewritten"]
        } else {
            &["rewritten", "unknown"]
        };
        assert!(allowed.contains(&history), "{answer:#}");
        let told = daemon.wait_notification("plugd/changed", |told| {
            told["marketplaces"].to_string().contains("market")
        });
        let rewritten: &[&str] = if history == "rewritten" {
            &["market"]
        } else {
            &[]
        };
        assert_eq!(told["rewrittenMarketplaces"], json!(rewritten), "{told:#}");
        daemon.shut_down();
    }
}

#[test]
fn a_history_that_goes_on_is_told() {
    let world = remote(P);
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.repo.file_url());
    world.repo.commit(&tree("market", &[("p", "1.1.0")]));
    world.repo.commit(&tree("market", &[("p", "1.2.0")]));
    let answer = upgrade(&mut daemon);
    let row = change(&answer, "marketplaceName", "market");
    assert_eq!(row["history"], "forward", "{answer:#}");
    daemon.shut_down();
}

/// Three marketplaces behind one server; the names are not in the order in which they are added.
fn three(world: &Remote, daemon: &mut Daemon) -> [GitRepo; 2] {
    ["zoo", "apple"].map(|name| {
        let repo = GitRepo::bare(&world.sandbox, &format!("{name}.git"));
        repo.commit(&tree(name, P));
        let url = world.server.serve(&format!("{name}.git"), &repo);
        add(daemon, &url);
        repo
    })
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let (world, mut daemon) = with_p();
    let [zoo, apple] = three(&world, &mut daemon);
    world.sandbox.add(&marketplace("near", "near", P));
    add(&mut daemon, "$ROOT/near");
    let before = world.sandbox.tree("ch/.tmp/marketplaces/zoo");
    for repo in [&zoo, &apple] {
        repo.commit(&tree("other", &[("p", "2.0.0")]));
    }
    apple.commit(&tree("apple", &[("p", "2.0.0")]));
    world.server.withdraw("team/market.git");
    let answer = upgrade(&mut daemon);
    assert_eq!(
        answer["selectedMarketplaces"],
        json!(["apple", "market", "zoo"])
    );
    let root = world.sandbox.path("ch/.tmp/marketplaces/apple").to_text();
    assert_eq!(answer["upgradedRoots"], json!([root]));
    let errors: Vec<&str> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| text(&row["marketplaceName"]))
        .collect();
    assert_eq!(errors, ["market", "zoo"], "{answer:#}");
    assert!(answer["errors"][0]["message"].is_string(), "{answer:#}");
    assert!(
        answer["errors"][0]["data"]["kind"].is_string(),
        "{answer:#}"
    );
    for (name, changed) in [("apple", true), ("market", false), ("zoo", false)] {
        let row = change(&answer, "marketplaceName", name);
        assert_eq!(row["changed"], changed, "{answer:#}");
    }
    assert!(
        change(&answer, "marketplaceName", "zoo")["reason"].is_string(),
        "{answer:#}"
    );
    assert_eq!(world.sandbox.tree("ch/.tmp/marketplaces/zoo"), before);
    nothing_left(&world.sandbox);
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["p@market 1.0.0"]);
    daemon.shut_down();
}

#[test]
fn one_by_its_name() {
    let (world, mut daemon) = with_p();
    let [zoo, apple] = three(&world, &mut daemon);
    for (name, repo) in [("zoo", &zoo), ("apple", &apple)] {
        repo.commit(&tree(name, &[("p", "2.0.0")]));
    }
    world.server.forget();
    let answer = daemon.ok("marketplace/upgrade", json!({"marketplaceName": "apple"}));
    assert_eq!(answer["selectedMarketplaces"], json!(["apple"]));
    let asked = world.server.requests();
    assert!(
        asked.iter().all(|one| one.path.starts_with("/apple.git/")),
        "{asked:?}"
    );
    assert_eq!(
        world.sandbox.text("ch/.tmp/marketplaces/zoo/p/notes.md"),
        "p 1.0.0\n"
    );
    assert_eq!(
        world.sandbox.text("ch/.tmp/marketplaces/apple/p/notes.md"),
        "p 2.0.0\n"
    );
    daemon.shut_down();
}

#[test]
fn names_that_cannot_be_upgraded() {
    let sandbox = Sandbox::from(&config(&[("near", "near")]));
    sandbox.add(&marketplace("near", "near", P));
    let mut daemon = start(&sandbox);
    for name in ["near", "nobody"] {
        let error = daemon.err("marketplace/upgrade", json!({"marketplaceName": name}));
        assert_eq!(error["code"], -32600, "{error:#}");
        let kind = text(&error["data"]["kind"]);
        assert!(["notFound", "invalidInput"].contains(&kind), "{error:#}");
        assert!(text(&error["message"]).contains(name), "{error:#}");
    }
    for params in [
        json!({"marketplaceName": 5}),
        json!({"marketplaceName": []}),
        json!([1, 2]),
    ] {
        assert_eq!(
            refused(&mut daemon, "marketplace/upgrade", params),
            "-32602 invalidParams"
        );
    }
    let nothing = json!({
        "selectedMarketplaces": [], "upgradedRoots": [], "errors": [], "changes": [],
    });
    check(&upgrade(&mut daemon), &sandbox, &nothing);
    daemon.shut_down();
}

#[test]
fn a_new_commit_that_is_no_good_changes_nothing() {
    for fixture in [
        "== README.md\nno marketplace any more\n".to_owned(),
        "== .agents/plugins/marketplace.json\n{\n".to_owned(),
        tree("renamed", P),
    ] {
        let (world, mut daemon) = with_p();
        world.repo.commit(&fixture);
        let before = home_tree(&world.sandbox);
        let answer = upgrade(&mut daemon);
        assert_eq!(
            answer["errors"][0]["marketplaceName"], "market",
            "{answer:#}"
        );
        assert_eq!(answer["upgradedRoots"], json!([]), "{answer:#}");
        let kept = |tree: &str| {
            let items = tree
                .split("\n== ")
                .filter(|item| !item.starts_with("plugins/.plugd/mirrors"));
            items.collect::<Vec<_>>().join("\n== ")
        };
        assert_eq!(kept(&home_tree(&world.sandbox)), kept(&before));
        nothing_left(&world.sandbox);
        // A good one after it arrives.
        world.repo.commit(&tree("market", &[("p", "3.0.0")]));
        let answer = upgrade(&mut daemon);
        assert_eq!(
            change(&answer, "pluginId", "p@market")["to"],
            "3.0.0",
            "{answer:#}"
        );
        daemon.shut_down();
    }
}

#[test]
fn a_plugin_that_is_no_good_is_held_back() {
    let (world, mut daemon) = with_p();
    let broken = tree("market", &[("p", "2.0.0")]).replace("\"version\":\"2.0.0\"", "\"version\":");
    world.repo.commit(&broken);
    let answer = upgrade(&mut daemon);
    let row = change(&answer, "pluginId", "p@market");
    assert_eq!(
        (&row["changed"], &row["from"]),
        (&json!(false), &json!("1.0.0")),
        "{answer:#}"
    );
    assert!(row["reason"].is_string(), "{answer:#}");
    let copy = world
        .sandbox
        .text("ch/plugins/cache/market/p/1.0.0/notes.md");
    assert_eq!(copy, "p 1.0.0\n");
    daemon.shut_down();
}

#[test]
fn the_ref_that_was_added_is_followed() {
    let world = remote(P);
    world
        .repo
        .commit_to("dev", &tree("market", &[("p", "2.0.0")]));
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &format!("{}#dev", world.url));
    world.repo.commit(&tree("market", &[("p", "1.5.0")]));
    let answer = upgrade(&mut daemon);
    assert_eq!(answer["upgradedRoots"], json!([]), "{answer:#}");
    let to = world
        .repo
        .commit_to("dev", &tree("market", &[("p", "2.1.0")]));
    let answer = upgrade(&mut daemon);
    assert_eq!(
        change(&answer, "marketplaceName", "market")["to"],
        to,
        "{answer:#}"
    );
    world.repo.delete_branch("dev");
    let answer = upgrade(&mut daemon);
    assert_eq!(
        answer["errors"][0]["data"]["kind"], "notFound",
        "{answer:#}"
    );
    assert_eq!(
        world.sandbox.text(&format!("{CHECKOUT}/p/notes.md")),
        "p 2.1.0\n"
    );
    daemon.shut_down();
}

#[test]
fn a_checkout_that_is_gone_or_that_somebody_changed_is_made_again() {
    let (world, mut daemon) = with_p();
    world.sandbox.remove(CHECKOUT);
    upgrade(&mut daemon);
    assert_eq!(
        checked_out(&world.sandbox, CHECKOUT),
        sorted(&tree("market", P))
    );
    world.sandbox.remove(&format!("{CHECKOUT}/{NOTE}"));
    upgrade(&mut daemon);
    assert!(world.sandbox.exists(&format!("{CHECKOUT}/{NOTE}")));
    daemon.shut_down();
    // Configured by somebody else, and never checked out.
    let fresh = Sandbox::new();
    let row = format!(
        "[marketplaces.market]\nsource_type = \"git\"\nsource = \"{}\"\n",
        world.url
    );
    fresh.write("ch/config.toml", &row);
    let mut daemon = start(&fresh);
    let answer = upgrade(&mut daemon);
    let row = change(&answer, "marketplaceName", "market");
    assert_eq!(
        (&row["from"], &row["to"]),
        (&Value::Null, &json!(world.repo.head()))
    );
    assert!(fresh.exists(MANIFEST.trim_start_matches("$ROOT/")));
    daemon.shut_down();
}

#[test]
fn how_far_it_is() {
    let (world, mut daemon) = with_p();
    let to = world
        .repo
        .commit(&(tree("market", &[("p", "2.0.0")]) + &bulk(60)));
    let answer = watched(&world.server, &mut daemon, "marketplace/upgrade", json!({}));
    assert_eq!(
        change(&answer["result"], "marketplaceName", "market")["to"],
        to
    );
    daemon.shut_down();
}

#[test]
fn the_command_line() {
    let (world, mut daemon) = with_p();
    daemon.shut_down();
    let to = world.repo.commit(&tree("market", &[("p", "2.0.0")]));
    let output = cli(&world.sandbox, &["marketplace", "upgrade", "--json"]);
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(
        change(&output.json(), "marketplaceName", "market")["to"],
        to,
        "{output}"
    );
    let output = cli(
        &world.sandbox,
        &["plugin", "marketplace", "upgrade", "market"],
    );
    assert_eq!(output.code(), 0, "{output}");
    let output = cli(
        &world.sandbox,
        &["marketplace", "upgrade", "nobody", "--json"],
    );
    assert_ne!(output.code(), 0, "{output}");
    assert!(
        output.json()["error"]["data"]["kind"].is_string(),
        "{output}"
    );
    world.server.withdraw("team/market.git");
    let output = cli(&world.sandbox, &["marketplace", "upgrade", "--json"]);
    assert_eq!(
        output.json()["errors"][0]["marketplaceName"],
        "market",
        "{output}"
    );
}
