//! Proves that the installation of a plugin from a repository can be given up, killed at any stage and
//! done twice at once, and survives a server that does not answer well.

use plugd_testkit::{Behaviour, Gate, GitRepo, GitRequest, GitServer};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_MANIFEST, install, installed_in, launch, plugin, refused, start_listening,
};
use crate::git_plugin_install::{Shop, check_refused, p, top};
use crate::remotes::{bulk, give_up, nothing_left, sorted};

#[test]
fn servers_that_do_not_answer_well() {
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Status(503)),
        (GitRequest::UploadPack, Behaviour::Status(500)),
        (GitRequest::UploadPack, Behaviour::Cut(150)),
    ] {
        let shop = Shop::open();
        shop.server.behave(request, behaviour);
        let source = json!({"source": "url", "url": shop.url});
        let error = check_refused(&shop, &source, &["unavailable"]);
        let data = &error["data"];
        assert_eq!(
            (&data["host"], &data["retryable"]),
            (&json!("127.0.0.1"), &json!(true))
        );
        assert!(data["hint"].is_string(), "{error:#}");
        shop.server.behave_well();
        let mut daemon = shop.start();
        install(&mut daemon, DEMO_MANIFEST, "p");
        daemon.shut_down();
    }
}

#[test]
fn a_silent_server_holds_up_its_own_plugins_only() {
    let shop = Shop::open();
    let names = ["a", "b", "c"];
    let fixture: String = names.map(|name| plugin(name, name, "1.0.0")).concat();
    shop.repo.commit(&fixture);
    let other = GitServer::start();
    let repo = GitRepo::bare(&shop.sandbox, "other.git");
    repo.commit(&top("1.0.0"));
    let mut offered: Vec<_> = names
        .iter()
        .map(|name| {
            let source = json!({"source": "git-subdir", "url": shop.url, "path": name});
            (*name, source)
        })
        .collect();
    let url = other.serve("p.git", &repo);
    offered.push(("p", json!({"source": "url", "url": url})));
    shop.offer(&offered);
    let mut daemon = shop.start();
    for name in ["a", "b", "c", "p"] {
        install(&mut daemon, DEMO_MANIFEST, name);
    }
    daemon.shut_down();
    shop.sandbox.add("== ch/plugd.toml\ngit_idle_seconds = 3\n");
    shop.server.forget();
    shop.server.behave(GitRequest::InfoRefs, Behaviour::Silent);
    repo.commit(&top("2.0.0"));
    let mut daemon = start_listening(&shop.sandbox);
    daemon.ok("plugin/list", json!({}));
    let change = daemon.wait_notification("plugd/changed", |change| change["reason"] == "refresh");
    assert_eq!(change["plugins"], json!(["p@demo"]));
    assert!(!shop.copy("2.0.0").is_empty());
    // The round is not over by then.
    let status = daemon.ok("plugd/status", json!({}));
    let refresh = |status: &Value| {
        let tasks = status["tasks"].as_array().unwrap();
        let found = tasks.iter().find(|task| task["kind"] == "refresh");
        found.unwrap().clone()
    };
    assert_eq!(refresh(&status)["state"], "running", "{status:#}");
    daemon.wait_notification("plugd/task", |task| {
        task["kind"] == "refresh" && task["state"] != "started"
    });
    let told = refresh(&daemon.ok("plugd/status", json!({})));
    let failed = |row: &&Value| row["outcome"] == "failed";
    let failed = told["plugins"].as_array().unwrap().iter().filter(failed);
    assert_eq!(failed.count(), 3, "{told:#}");
    // It was waited for once.
    assert_eq!(shop.server.count(GitRequest::InfoRefs), 1);
    daemon.shut_down();
}

#[test]
fn giving_up_ends_at_once_and_leaves_nothing() {
    for request in [GitRequest::InfoRefs, GitRequest::UploadPack] {
        let shop = Shop::open();
        shop.offer_p();
        shop.server.behave(request, Behaviour::Silent);
        let mut daemon = shop.start();
        let id = daemon.request("plugin/install", p());
        shop.server.wait_for(request, 1);
        // Nobody else waits for it.
        assert_eq!(
            installed_in(&daemon.ok("plugin/list", json!({}))),
            Vec::<String>::new()
        );
        give_up(&mut daemon, id);
        shop.server.wait_hung_up();
        assert!(!shop.sandbox.exists("ch/plugins/cache/demo"));
        nothing_left(&shop.sandbox);
        shop.server.behave_well();
        install(&mut daemon, DEMO_MANIFEST, "p");
        daemon.shut_down();
    }
}

#[test]
fn killed_at_any_stage() {
    let gate = Gate::new();
    let held = [
        (GitRequest::InfoRefs, Behaviour::Held(gate.clone())),
        (
            GitRequest::UploadPack,
            Behaviour::HeldAfter(50_000, gate.clone()),
        ),
    ];
    let stages = ["checkingOut", "copying", "activating"];
    for number in 0..held.len() + stages.len() {
        let shop = Shop::open();
        shop.offer_p();
        let mut daemon = shop.start();
        install(&mut daemon, DEMO_MANIFEST, "p");
        let new = top("2.0.0") + &bulk(80);
        shop.repo.commit(&new);
        shop.server.forget();
        if let Some((request, behaviour)) = held.get(number) {
            shop.server.behave(*request, behaviour.clone());
            daemon.request("plugin/install", p());
            shop.server.wait_for(*request, 1);
        } else {
            let mut params = p();
            params["workDoneToken"] = json!("t");
            let id = daemon.request("plugin/install", params);
            let stage = stages[number - held.len()];
            daemon.wait_message("the stage or the answer", |message| {
                message["params"]["value"]["stage"] == stage || message["id"] == id
            });
        }
        daemon.kill();
        shop.server.behave_well();
        let mut daemon = shop.start();
        let listing = daemon.ok("plugin/installed", json!({}));
        let found = installed_in(&listing);
        let version = found[0].strip_prefix("p@demo ").unwrap();
        let whole = if version == "1.0.0" {
            top("1.0.0")
        } else {
            new.clone()
        };
        assert_eq!(shop.copy(version), sorted(&whole));
        install(&mut daemon, DEMO_MANIFEST, "p");
        assert_eq!(shop.copy("2.0.0"), sorted(&new));
        nothing_left(&shop.sandbox);
        daemon.shut_down();
    }
    gate.open();
}

#[test]
fn two_daemons_at_once_and_without_a_git_program() {
    let shop = Shop::open();
    shop.offer_p();
    let quiet = || {
        let mut daemon = launch().var("PATH", "$ROOT/bin").start(&shop.sandbox);
        daemon.initialize();
        daemon
    };
    let (mut one, mut other) = (quiet(), quiet());
    let first = one.request("plugin/install", p());
    let second = other.request("plugin/install", p());
    for answer in [one.response(first), other.response(second)] {
        assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    }
    assert_eq!(shop.copy("1.0.0"), sorted(&top("1.0.0")));
    nothing_left(&shop.sandbox);
    let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": 5});
    assert_eq!(
        refused(&mut one, "plugin/install", params),
        "-32602 invalidParams"
    );
    one.shut_down();
    other.shut_down();
}
