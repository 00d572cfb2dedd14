//! Proves that `[trust]` holds on the ways from other machines, for what was installed before, and
//! whoever asks for it: marketplaces in repositories, the account, the curated snapshot, a project and
//! an organisation.

use plugd_testkit::service::Endpoint;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote};
use crate::curated_sync::{Curated, catalog};
use crate::fixtures::{
    DEMO_MANIFEST, config, home_tree, install, list_and_settle, marketplace, plugin, refused,
    small, start, start_listening, text, with,
};
use crate::git_marketplace_upgrade::{change, upgrade, with_p};
use crate::remote_install::nothing_came;
use crate::remote_sync::{copies, end_of_sync, synced};
use crate::remotes::{CHECKOUT, MANIFEST as GIT_MANIFEST, NOTE, nothing_left, tree};
use crate::trust::{STRICT, approve, outcome, shown};

#[test]
fn an_upgraded_marketplace_leaves_its_plugins() {
    let (world, mut daemon) = with_p();
    let sandbox = &world.sandbox;
    let note: Value = serde_json::from_str(&sandbox.text(&format!("{CHECKOUT}/{NOTE}"))).unwrap();
    assert!(note["commit_time"].is_i64(), "{note:#}");
    sandbox.write("ch/plugd.toml", STRICT);
    world.repo.commit(&tree("market", &[("p", "1.1.0")]));
    let answer = upgrade(&mut daemon);
    assert_eq!(
        change(&answer, "marketplaceName", "market")["changed"],
        true
    );
    let row = change(&answer, "pluginId", "p@market");
    assert_eq!(
        (&row["changed"], &row["problems"][0]["kind"]),
        (&json!(false), &json!("approvalNeeded"))
    );
    assert!(sandbox.exists("ch/plugins/cache/market/p/1.0.0"));
    nothing_left(sandbox);
    // Approved, and still too young: the repository is a third party's.
    let digest = shown(&mut daemon, "p@market");
    approve(&mut daemon, "p@market", &digest);
    sandbox.write(
        "ch/plugd.toml",
        "[trust]\nmode = \"strict\"\nmin_commit_age = \"36500d\"\n",
    );
    let answer = upgrade(&mut daemon);
    let row = change(&answer, "pluginId", "p@market");
    assert_eq!(row["problems"][0]["kind"], "commitTooYoung");
    // A trusted repository is no third party, by its address or by its name.
    for entry in [world.url.as_str(), "market"] {
        let settings = format!(
            "[trust]\nmode = \"strict\"\nmin_commit_age = \"36500d\"\nmarketplaces = [\"{entry}\"]\n"
        );
        sandbox.write("ch/plugd.toml", settings);
        install(&mut daemon, GIT_MANIFEST, "p");
        assert!(sandbox.exists("ch/plugins/cache/market/p/1.1.0"));
        daemon.ok("plugin/uninstall", json!({"pluginId": "p@market"}));
    }
    daemon.shut_down();
}

#[test]
fn a_bundle_is_refused_before_the_account_is_told() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    account.sandbox.write("ch/plugd.toml", STRICT);
    let mut daemon = account.start();
    let error = daemon.err("plugin/install", remote(&id));
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    nothing_came(&account);
    let plugin = "alpha@openai-curated-remote";
    assert_eq!(shown(&mut daemon, plugin), error["data"]["digest"]);
    approve(&mut daemon, plugin, &error["data"]["digest"]);
    daemon.ok("plugin/install", remote(&id));
    assert_eq!(account.service.count(Endpoint::Install), 1);
    daemon.shut_down();
}

#[test]
fn what_the_account_has_waits_to_be_approved() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    account.service.set_installed(&id, true);
    account.sandbox.write("ch/plugd.toml", STRICT);
    let mut daemon = synced(&account);
    let plugin = "alpha@openai-curated-remote";
    let held = ("heldBack".to_owned(), "approvalNeeded".to_owned());
    assert_eq!(outcome(&mut daemon, "remoteSync", plugin), held);
    assert_eq!(copies(&account.sandbox), Vec::<String>::new());
    assert_eq!(account.service.count(Endpoint::Bundle), 0);
    let digest = shown(&mut daemon, plugin);
    approve(&mut daemon, plugin, &digest);
    daemon.take_notifications("plugd/task");
    daemon.ok("plugin/installed", json!({}));
    end_of_sync(&mut daemon);
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/alpha/1.0.0"]
    );
    daemon.shut_down();
}

#[test]
fn the_curated_snapshot_is_trusted() {
    let curated = Curated::new(&catalog(&[("p", "1.0.0")]));
    let settings = curated.sandbox.text("ch/plugd.toml");
    curated
        .sandbox
        .write("ch/plugd.toml", format!("{settings}{STRICT}"));
    let mut daemon = curated.synced();
    let manifest = "$ROOT/ch/.tmp/plugins/.agents/plugins/api_marketplace.json";
    install(&mut daemon, manifest, "p");
    curated.repo.commit(&catalog(&[("p", "2.0.0")]));
    curated.sync_again(&mut daemon);
    daemon.wait_notification("plugd/changed", |told| {
        told["reason"] != "request" && told["plugins"].to_string().contains("p@openai-api-curated")
    });
    daemon.shut_down();
}

/// `p` with a hook, a server, a program and a skill.
fn everything() -> String {
    let hooks = json!({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "c"}]}]}});
    let servers = json!({"mcpServers": {"srv": {"command": "./run.sh"}}});
    format!(
        "{}== demo/p/hooks/hooks.json\n{hooks}\n== demo/p/.mcp.json\n{servers}\n\
         == demo/p/run.sh (mode 755)\necho\n\
         == demo/p/skills/s/SKILL.md\n---\nname: s\ndescription: d\n---\nx\n",
        plugin("demo/p", "p", "1.0.0")
    )
}

#[test]
fn what_was_here_before_keeps_its_files_and_is_held_back() {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox.add(&everything());
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "p");
    let open = daemon.ok("plugd/components", json!({}));
    assert_eq!(open["plugins"][0].get("heldBack"), None);
    let sizes = |answer: &Value| {
        ["mcpServers", "hooks", "skills"].map(|key| answer[key].as_array().unwrap().len())
    };
    assert_eq!(sizes(&open), [1, 1, 1]);
    sandbox.write("ch/plugd.toml", STRICT);
    let before = sandbox.tree("ch/plugins/cache");
    for lease in [false, true] {
        let strict = daemon.ok("plugd/components", json!({"lease": lease}));
        assert_eq!(sizes(&strict), [0, 0, 1]);
        let held = &strict["plugins"][0]["heldBack"];
        assert_eq!(
            (&held["reason"], &held["mcpServers"], &held["executables"]),
            (
                &json!("untrustedMarketplace"),
                &json!(["srv"]),
                &json!(true)
            )
        );
        assert_eq!(held["hooks"][0], "p@demo:hooks/hooks.json:stop:0:0");
        assert_eq!(held["digest"], open["plugins"][0]["treeDigest"]);
    }
    // Whatever the configuration says of its declaration.
    let hook = |daemon: &mut plugd_testkit::Daemon| {
        daemon.ok("hooks/list", json!({}))["data"][0]["hooks"][0].clone()
    };
    let untrusted = hook(&mut daemon);
    let key = format!("hooks.state.\"{}\".trusted_hash", text(&untrusted["key"]));
    daemon.ok(
        "config/value/write",
        json!({"keyPath": key, "value": untrusted["currentHash"], "mergeStrategy": "replace"}),
    );
    assert_eq!(hook(&mut daemon)["trustStatus"], "untrusted");
    assert_eq!(sandbox.tree("ch/plugins/cache"), before);
    let listing = daemon.ok("plugin/installed", json!({}));
    assert!(listing.to_string().contains("p@demo"));
    approve(&mut daemon, "p@demo", &open["plugins"][0]["treeDigest"]);
    assert_eq!(sizes(&daemon.ok("plugd/components", json!({}))), [1, 1, 1]);
    assert_eq!(hook(&mut daemon)["trustStatus"], "trusted");
    // What is changed where it lies is something else.
    sandbox.write("ch/plugins/cache/demo/p/1.0.0/run.sh", "echo other\n");
    assert_eq!(sizes(&daemon.ok("plugd/components", json!({}))), [0, 0, 1]);
    daemon.shut_down();
}

#[test]
fn a_project_asks_for_more_where_it_counts() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add(&format!(
        "{}[projects.\"$ROOT/p\"]\ntrust_level = \"trusted\"\n== p/.git/HEAD\nx\n\
         == u/.git/HEAD\nx\n",
        config(&[("demo", "demo")])
    ));
    for dir in ["p", "u"] {
        sandbox.add(&marketplace(&format!("{dir}/m"), dir, &[("x", "1.0.0")]));
        sandbox.write(&format!("{dir}/.codex/plugd.toml"), STRICT);
    }
    let mut daemon = start_listening(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    // Its own marketplace, by what its settings say; one of a project that nobody trusts says nothing.
    let of = |dir: &str| {
        json!({
            "marketplacePath": format!("$ROOT/{dir}/m/.agents/plugins/marketplace.json"),
            "pluginName": "x",
        })
    };
    assert_eq!(
        refused(&mut daemon, "plugin/install", of("p")),
        "-32600 approvalNeeded"
    );
    daemon.ok("plugin/install", of("u"));
    // A refresh that looks from there.
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    list_and_settle(&mut daemon, json!({"cwds": ["$ROOT/p"]}));
    assert!(sandbox.exists("ch/plugins/cache/demo/hello/1.0.0"));
    list_and_settle(&mut daemon, json!({"cwds": ["$ROOT/u"]}));
    assert!(sandbox.exists("ch/plugins/cache/demo/hello/2.0.0"));
    daemon.shut_down();
}

#[test]
fn a_session_a_broken_setting_and_a_hold() {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox.add(&everything());
    let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "p"});
    let before = home_tree(&sandbox);
    let check = |flag: &str, reason: &str| {
        let mut daemon = crate::fixtures::launch()
            .args(&["-c", flag])
            .start(&sandbox);
        daemon.initialize();
        let error = daemon.err("plugin/install", params.clone());
        assert_eq!(error["data"]["reason"], reason, "{flag}: {error:#}");
        assert_eq!(home_tree(&sandbox), before, "{flag}");
        daemon.shut_down();
    };
    check("plugd.trust.mode=strict", "untrustedMarketplace");
    check("plugd.trust.mode=stict", "untrustedMarketplace");
    check(
        "plugd.trust.marketplaces=[\"other\"]",
        "untrustedMarketplace",
    );
    check("plugd.trust.hold=[\"hooks\"]", "wouldRun");
    check("plugd.trust.hold=[\"nothing\"]", "wouldRun");
    // What it does not hold may come.
    let mut daemon = crate::fixtures::launch()
        .args(&["-c", "plugd.trust.hold=[\"apps\"]"])
        .start(&sandbox);
    daemon.initialize();
    daemon.ok("plugin/install", with(params.clone(), json!({})));
    daemon.shut_down();
}

/// An archive says where its plugins come from, and anybody can write that into one.
#[test]
fn what_an_archive_has_is_trusted_by_its_content_only() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let archive = json!({"path": "$ROOT/plugins.tar.gz"});
    daemon.ok("plugd/export", archive.clone());
    daemon.ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    daemon.shut_down();
    for trusted in ["", "marketplaces = [\"demo\"]\n"] {
        sandbox.write("ch/plugd.toml", format!("{STRICT}{trusted}"));
        let mut daemon = start(&sandbox);
        let error = daemon.err("plugd/import", archive.clone());
        assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
        assert!(!sandbox.exists("ch/plugins/cache/demo/hello"));
        daemon.shut_down();
    }
    let mut daemon = start(&sandbox);
    let planned = daemon.ok(
        "plugd/import",
        json!({"path": "$ROOT/plugins.tar.gz", "dryRun": true}),
    );
    assert_eq!(planned["problems"][0]["kind"], "approvalNeeded");
    let error = daemon.err("plugd/import", archive.clone());
    approve(&mut daemon, "hello@demo", &error["data"]["digest"]);
    let answer = daemon.ok("plugd/import", archive);
    assert_eq!(answer["changes"][1]["reason"], "installed", "{answer:#}");
    daemon.shut_down();
}

/// What calls itself like a trusted marketplace and was configured under another name is not that one.
#[test]
fn a_marketplace_that_takes_a_trusted_name_is_not_trusted() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    sandbox.write(
        "ch/plugd.toml",
        format!("{STRICT}marketplaces = [\"demo\"]\n"),
    );
    let config = sandbox.text("ch/config.toml");
    sandbox.write(
        "ch/config.toml",
        config.replace("[marketplaces.demo]", "[marketplaces.other]"),
    );
    let error = daemon.err(
        "plugin/install",
        json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"}),
    );
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    daemon.shut_down();
}

/// A link to nothing is not the absence of what was asked for.
#[test]
fn settings_behind_a_link_to_nothing_are_strict() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add("== ch/plugd.toml -> nowhere.toml\n");
    let mut daemon = start(&sandbox);
    let error = daemon.err(
        "plugin/install",
        json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"}),
    );
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    daemon.shut_down();
}

/// A table that stands where none is read was written by somebody who asked for something.
#[test]
fn a_table_that_stands_elsewhere_is_strict_and_is_told() {
    let check = |file: &str, text: &str| {
        let sandbox = small(&[("hello", "1.0.0")]);
        let before = match sandbox.exists(file) {
            true => sandbox.text(file),
            false => String::new(),
        };
        sandbox.write(file, format!("{before}{text}"));
        let mut daemon = start(&sandbox);
        let warning = daemon.wait_notification("configWarning", |told| {
            told.to_string().contains("strict mode holds")
        });
        assert!(warning.to_string().contains("plugd.trust"), "{warning:#}");
        let error = daemon.err(
            "plugin/install",
            json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"}),
        );
        assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
        daemon.shut_down();
    };
    check("ch/plugd.toml", "[plugd.trust]\nmode = \"open\"\n");
    check("ch/config.toml", "[plugd.trust]\nhold = [\"hooks\"]\n");
}
