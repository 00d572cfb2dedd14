//! Proves `plugd/link` and `plugd/unlink`: a working tree takes the place of a plugin everywhere, is
//! marked, watched and never written to, and what is installed comes back when the link ends.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, cli, config, install, list_and_settle, marketplace, plugin_in, refused,
    shown, start, start_listening, text,
};

/// A working tree of the demo's plugin, beside the marketplace.
const WORK: &str = r#"
== src/hello/.codex-plugin/plugin.json
{"name": "hello", "version": "2.0.0-dev", "description": "In work"}
== src/hello/skills/draft/SKILL.md
---
name: draft
description: A draft
---
== src/hello/.mcp.json
{"mcpServers": {"clock": {"command": "${CLAUDE_PLUGIN_ROOT}/clock"}}}
== src/hello/.git/HEAD
ref
"#;

const PATH: &str = "$ROOT/src/hello";

fn world() -> (Sandbox, Daemon) {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(WORK);
    let daemon = start(&sandbox);
    (sandbox, daemon)
}

/// A daemon that has been asked something by a client that wants to hear of changes: from here on it
/// tells of everything.
#[track_caller]
fn listen(sandbox: &Sandbox) -> Daemon {
    let mut daemon = start_listening(sandbox);
    daemon.ok("plugd/status", json!({}));
    daemon
}

#[track_caller]
fn link(daemon: &mut Daemon, params: Value) -> Value {
    let answer = daemon.ok("plugd/link", params);
    shown(&answer, &daemon.sandbox().clone())
}

#[track_caller]
fn ask(daemon: &mut Daemon, method: &str, params: Value) -> Value {
    let answer = daemon.ok(method, params);
    shown(&answer, &daemon.sandbox().clone())
}

fn names<'a>(rows: &'a Value, member: &str) -> Vec<&'a str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[member].as_str().unwrap()).collect()
}

#[test]
fn a_working_tree_takes_the_place_of_the_installed_copy() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let (tree, config) = (sandbox.tree("src"), sandbox.text("ch/config.toml"));
    let copy = sandbox.tree("ch/plugins/cache");
    let linked = link(&mut daemon, json!({"path": PATH}));
    assert_eq!(
        linked,
        json!({"dryRun": false, "pluginId": "hello@demo", "path": PATH, "problems": [],
            "changes": [{"pluginId": "hello@demo", "from": null, "to": PATH, "changed": true,
                "reason": "requested"}]})
    );
    let mark = json!({"path": PATH});
    for method in ["plugin/list", "plugin/installed"] {
        let listing = ask(&mut daemon, method, json!({}));
        let row = plugin_in(&listing, "hello@demo");
        assert_eq!(row["linked"], mark, "{method}");
        let versions = [&row["localVersion"], &row["installedVersion"]];
        assert_eq!(versions, ["2.0.0-dev", "1.0.0"], "{method}");
        let flags = ["installed", "enabled", "updateAvailable"].map(|flag| row[flag].clone());
        assert_eq!(flags, [json!(true), json!(true), json!(false)], "{method}");
    }
    let read = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
    let read = ask(&mut daemon, "plugin/read", read);
    assert_eq!(read["plugin"]["summary"]["linked"], mark);
    assert_eq!(names(&read["plugin"]["skills"], "name"), ["hello:draft"]);
    let loaded = ask(&mut daemon, "plugd/components", json!({}));
    let row = &loaded["plugins"][0];
    assert_eq!((&row["linked"], &row["root"]), (&mark, &json!(PATH)));
    assert_eq!(
        (&row["version"], &row["treeDigest"]),
        (&json!("2.0.0-dev"), &Value::Null)
    );
    assert_eq!(names(&loaded["skills"], "name"), ["hello:draft"]);
    assert_eq!(
        loaded["mcpServers"][0]["transport"]["command"],
        format!("{PATH}/clock"),
        "{loaded:#}"
    );
    let inspected = ask(
        &mut daemon,
        "plugd/inspect",
        json!({"pluginId": "hello@demo"}),
    );
    assert_eq!(inspected["linked"], mark);
    assert_eq!(inspected["offered"]["root"], PATH);
    assert_eq!(inspected["installed"]["version"], "1.0.0");
    assert!(inspected["difference"].is_object());
    // The author sees what he writes at once.
    let skill = "src/hello/skills/draft/SKILL.md";
    sandbox.write(skill, "---\nname: better\ndescription: Better\n---\n");
    let skills = ask(&mut daemon, "skills/list", json!({}));
    assert_eq!(
        names(&skills["data"][0]["skills"], "name"),
        ["hello:better"]
    );
    sandbox.write(skill, "---\nname: draft\ndescription: A draft\n---\n");
    // Nothing was written there, or into what the reference reads.
    assert_eq!(sandbox.tree("src"), tree);
    assert_eq!(sandbox.text("ch/config.toml"), config);
    assert_eq!(sandbox.tree("ch/plugins/cache"), copy);
    daemon.ok("plugd/unlink", json!({"pluginId": "hello@demo"}));
    let listing = daemon.ok("plugin/list", json!({}));
    let row = plugin_in(&listing, "hello@demo");
    assert_eq!(row["linked"], Value::Null);
    let loaded = ask(&mut daemon, "plugd/components", json!({}));
    assert_eq!(names(&loaded["skills"], "name"), ["hello:greet"]);
    assert_eq!(loaded["plugins"][0]["linked"], Value::Null);
    daemon.shut_down();
}

#[test]
fn a_plugin_that_nobody_knows_is_one_of_its_own() {
    let sandbox = Sandbox::from(WORK);
    let mut daemon = start(&sandbox);
    let linked = link(&mut daemon, json!({"path": PATH}));
    assert_eq!(linked["pluginId"], "hello@linked");
    for method in ["plugin/list", "plugin/installed"] {
        let listing = ask(&mut daemon, method, json!({}));
        let group = &listing["marketplaces"][0];
        assert_eq!(
            (&group["name"], &group["path"]),
            (&json!("linked"), &Value::Null)
        );
        let row = plugin_in(&listing, "hello@linked");
        let flags = ["installed", "enabled"].map(|flag| row[flag].clone());
        assert_eq!(flags, [json!(false), json!(true)], "{method}");
        assert_eq!(row["source"], json!({"type": "local", "path": PATH}));
        assert_eq!(row["installPolicy"], "NOT_AVAILABLE");
        assert_eq!(row["linked"], json!({"path": PATH}));
    }
    let loaded = ask(&mut daemon, "plugd/components", json!({}));
    assert_eq!(names(&loaded["plugins"], "pluginId"), ["hello@linked"]);
    let inspected = ask(
        &mut daemon,
        "plugd/inspect",
        json!({"pluginId": "hello@linked"}),
    );
    assert_eq!(inspected["installed"], Value::Null);
    assert_eq!(inspected["offered"]["version"], "2.0.0-dev");
    let read = json!({"remoteMarketplaceName": "linked", "pluginName": "hello"});
    let read = ask(&mut daemon, "plugin/read", read);
    assert_eq!(names(&read["plugin"]["skills"], "name"), ["hello:draft"]);
    assert_eq!(read["plugin"]["marketplacePath"], Value::Null);
    assert_eq!(read["plugin"]["summary"]["linked"], json!({"path": PATH}));
    let read = cli(&sandbox, &["plugin", "read", "hello@linked"]);
    assert!(read.success().contains("hello:draft"), "{}", read.stdout);
    // Configuration can say no.
    let off = json!({"keyPath": "plugins.\"hello@linked\".enabled", "value": false,
        "mergeStrategy": "replace"});
    daemon.ok("config/value/write", off);
    let loaded = ask(&mut daemon, "plugd/components", json!({}));
    assert_eq!(loaded["plugins"], json!([]));
    daemon.shut_down();
}

/// Which plugin a directory becomes.
#[track_caller]
fn check_identity(prepare: impl Fn(&Sandbox, &mut Daemon), path: &str, expected: &str) {
    let (sandbox, mut daemon) = world();
    prepare(&sandbox, &mut daemon);
    let params = json!({"path": path, "dryRun": true});
    assert_eq!(link(&mut daemon, params)["pluginId"], expected);
    assert!(!sandbox.exists("ch/plugins/.plugd/links.json"));
    daemon.shut_down();
}

#[test]
fn which_plugin_a_directory_becomes() {
    // A name that is only offered is none of its business.
    check_identity(|_, _| {}, PATH, "hello@linked");
    check_identity(|_, _| {}, "$ROOT/demo/plugins/hello", "hello@demo");
    check_identity(
        |_, daemon| drop(install(daemon, DEMO_MANIFEST, "hello")),
        PATH,
        "hello@demo",
    );
    check_identity(
        |sandbox, _| {
            let config = sandbox.text("ch/config.toml");
            let row = "[plugins.\"hello@gone\"]\nenabled = false\n";
            sandbox.write("ch/config.toml", sandbox.expand(&format!("{config}{row}")));
        },
        PATH,
        "hello@gone",
    );
}

#[test]
fn two_plugins_of_one_name_have_to_be_told_apart() {
    let sandbox = Sandbox::from(&config(&[("one", "one"), ("two", "two")]));
    for name in ["one", "two"] {
        sandbox.add(&marketplace(name, name, &[("hello", "1.0.0")]));
    }
    sandbox.add(WORK);
    let mut daemon = start(&sandbox);
    for name in ["one", "two"] {
        let manifest = format!("$ROOT/{name}/.agents/plugins/marketplace.json");
        install(&mut daemon, &manifest, "hello");
    }
    let error = daemon.err("plugd/link", json!({"path": PATH}));
    assert_eq!(error["data"]["kind"], "invalidInput");
    assert_eq!(error["data"]["field"], "pluginId");
    assert_eq!(
        error["message"],
        "several plugins are called `hello`: hello@one, hello@two"
    );
    let params = json!({"path": PATH, "pluginId": "hello@two"});
    assert_eq!(link(&mut daemon, params)["pluginId"], "hello@two");
    // A directory stands in for one plugin.
    let params = json!({"path": PATH, "pluginId": "hello@one"});
    let moved = link(&mut daemon, params);
    assert_eq!(
        moved["changes"],
        json!([
            {"pluginId": "hello@one", "from": null, "to": PATH, "changed": true,
                "reason": "requested"},
            {"pluginId": "hello@two", "from": PATH, "to": null, "changed": true, "reason": "moved"},
        ])
    );
    let again = link(&mut daemon, json!({"path": PATH, "pluginId": "hello@one"}));
    assert_eq!(
        again["changes"],
        json!([{"pluginId": "hello@one", "from": PATH, "to": PATH, "changed": false,
            "reason": "unchanged"}])
    );
    daemon.shut_down();
}

#[test]
fn what_is_refused() {
    let (sandbox, mut daemon) = world();
    sandbox.add(
        "== empty/notes.md\nnothing\n\
         == odd/.codex-plugin/plugin.json\n{\"name\": \"no name\"}\n\
         == broken/.codex-plugin/plugin.json\n{\n\
         == .codex-plugin/plugin.json\n{\"name\": \"everything\"}\n\
         == ch/plugins/cache/demo/tools/1.0.0/.codex-plugin/plugin.json\n{\"name\": \"tools\"}\n",
    );
    for (params, expected) in [
        (json!({}), "-32602 invalidParams"),
        (json!({"path": "src/hello"}), "-32602 invalidParams"),
        (
            json!({"path": PATH, "dryRun": "no"}),
            "-32602 invalidParams",
        ),
        (
            json!({"path": PATH, "pluginId": "hello"}),
            "-32600 invalidInput",
        ),
        (
            json!({"path": PATH, "pluginId": "other@demo"}),
            "-32600 invalidInput",
        ),
        (
            json!({"path": PATH, "pluginId": "hello@openai-curated-remote"}),
            "-32600 invalidInput",
        ),
        (json!({"path": "$ROOT/gone"}), "-32600 invalidInput"),
        (json!({"path": "$ROOT/empty"}), "-32600 invalidInput"),
        (json!({"path": "$ROOT/odd"}), "-32600 invalidInput"),
        (json!({"path": "$ROOT/broken"}), "-32600 invalidInput"),
        (json!({"path": "$ROOT"}), "-32600 invalidInput"),
        (
            json!({"path": "$ROOT/ch/plugins/cache/demo/tools/1.0.0"}),
            "-32600 invalidInput",
        ),
    ] {
        let found = refused(&mut daemon, "plugd/link", params.clone());
        assert_eq!(found, expected, "{params}");
    }
    for (params, expected) in [
        (json!({}), "-32602 invalidParams"),
        (
            json!({"path": PATH, "pluginId": "hello@demo"}),
            "-32602 invalidParams",
        ),
        (json!({"pluginId": "hello"}), "-32600 invalidInput"),
        (json!({"pluginId": "hello@demo"}), "-32600 notFound"),
        (json!({"path": PATH}), "-32600 notFound"),
    ] {
        let found = refused(&mut daemon, "plugd/unlink", params.clone());
        assert_eq!(found, expected, "{params}");
    }
    assert!(!sandbox.exists("ch/plugins/.plugd/links.json"));
    daemon.shut_down();
}

#[test]
fn a_directory_that_is_gone_is_a_problem_and_no_failure() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, DEMO_MANIFEST, "hello");
    install(&mut daemon, DEMO_MANIFEST, "tools");
    link(&mut daemon, json!({"path": PATH}));
    sandbox.remove("src");
    let listing = ask(&mut daemon, "plugin/list", json!({}));
    let row = plugin_in(&listing, "hello@demo");
    assert_eq!(row["problems"][0]["kind"], "missing");
    assert_eq!(row["problems"][0]["path"], PATH);
    assert_eq!(row["linked"], json!({"path": PATH}));
    // What is installed does not come back by itself.
    let loaded = ask(&mut daemon, "plugd/components", json!({}));
    assert_eq!(names(&loaded["plugins"], "pluginId"), ["tools@demo"]);
    assert_eq!(loaded["problems"][0]["kind"], "missing");
    let doctor = cli(&sandbox, &["doctor", "--json"]).json();
    let text = doctor.to_string();
    assert!(text.contains("plugd unlink hello@demo"), "{doctor:#}");
    daemon.ok("plugd/unlink", json!({"path": PATH}));
    let loaded = ask(&mut daemon, "plugd/components", json!({}));
    assert_eq!(
        names(&loaded["plugins"], "pluginId"),
        ["hello@demo", "tools@demo"]
    );
    daemon.shut_down();
}

#[test]
fn nothing_that_moves_copies_touches_a_linked_tree() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(WORK);
    let mut daemon = listen(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    link(&mut daemon, json!({"path": PATH}));
    let tree = sandbox.tree("src");
    // The copy follows its source behind the link.
    let manifest = r#"{"name": "hello", "version": "1.1.0"}"#;
    sandbox.write("demo/plugins/hello/.codex-plugin/plugin.json", manifest);
    list_and_settle(&mut daemon, json!({}));
    let listing = list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        plugin_in(&listing, "hello@demo")["installedVersion"],
        "1.1.0"
    );
    daemon.ok("plugd/gc", json!({}));
    let leased = ask(&mut daemon, "plugd/components", json!({"lease": true}));
    assert_eq!(leased["plugins"][0]["root"], PATH);
    daemon.ok("plugd/release", json!({"leaseId": leased["leaseId"]}));
    let removed = ask(
        &mut daemon,
        "plugin/uninstall",
        json!({"pluginId": "hello@demo"}),
    );
    assert_eq!(removed, json!({"changed": true, "linked": {"path": PATH}}));
    let loaded = ask(&mut daemon, "plugd/components", json!({}));
    assert_eq!(names(&loaded["plugins"], "pluginId"), ["hello@demo"]);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    assert_eq!(sandbox.tree("src"), tree);
    daemon.shut_down();
}

#[test]
fn a_listening_client_hears_of_links_and_of_what_their_authors_write() {
    let sandbox = Sandbox::from(WORK);
    let mut daemon = listen(&sandbox);
    let changed = |daemon: &mut Daemon| {
        let change = daemon.wait_notification("plugd/changed", |_| true);
        json!([change["reason"], change["plugins"]])
    };
    link(&mut daemon, json!({"path": PATH}));
    assert_eq!(changed(&mut daemon), json!(["request", ["hello@linked"]]));
    daemon.take_notifications("skills/changed");
    sandbox.write("src/hello/notes.md", "more\n");
    assert_eq!(changed(&mut daemon), json!(["watcher", ["hello@linked"]]));
    sandbox.write(
        "src/hello/skills/draft/SKILL.md",
        "---\nname: draft\ndescription: Better\n---\n",
    );
    assert_eq!(changed(&mut daemon), json!(["watcher", ["hello@linked"]]));
    daemon.wait_notification("skills/changed", |_| true);
    // Neither a file that says the same nor the author's repository is news.
    sandbox.write("src/hello/notes.md", "more\n");
    sandbox.write("src/hello/.git/HEAD", "other");
    assert_eq!(cli(&sandbox, &["unlink", "hello@linked"]).code(), 0);
    assert_eq!(changed(&mut daemon), json!(["watcher", ["hello@linked"]]));
    assert_eq!(
        daemon.ok("plugin/list", json!({}))["marketplaces"],
        json!([])
    );
    daemon.shut_down();
}

#[test]
fn links_that_cannot_be_read_are_told_and_kept() {
    let (sandbox, mut daemon) = world();
    let file = "ch/plugins/.plugd/links.json";
    for content in ["{", r#"{"version": 7, "links": {}}"#] {
        sandbox.write(file, content);
        let listing = daemon.ok("plugin/list", json!({}));
        let errors = listing["marketplaceLoadErrors"].to_string();
        assert!(errors.contains("links.json"), "{errors}");
        let found = refused(&mut daemon, "plugd/link", json!({"path": PATH}));
        assert_eq!(found, "-32603 internal");
        assert_eq!(sandbox.text(file), content);
    }
    sandbox.write(
        file,
        r#"{"version": 1, "more": true, "links": {"a@b": {"path": "rel", "note": 1}}}"#,
    );
    link(&mut daemon, json!({"path": PATH}));
    let mut written: Value = serde_json::from_str(&sandbox.text(file)).unwrap();
    assert!(written["links"]["hello@linked"]["linkedAt"].take().is_u64());
    assert_eq!(
        written,
        json!({"version": 1, "more": true, "links": {
            "a@b": {"path": "rel", "note": 1},
            "hello@linked": {"path": PATH, "linkedAt": null},
        }})
    );
    daemon.shut_down();
}

#[test]
fn the_commands() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, DEMO_MANIFEST, "hello");
    daemon.shut_down();
    let said = |args: &[&str]| {
        let output = cli(&sandbox, args);
        assert_eq!(output.code(), 0, "{args:?}");
        text(&shown(&json!(output.success()), &sandbox)).to_owned()
    };
    let path = sandbox.path("src/hello").to_text();
    assert_eq!(
        said(&["link", &path, "--dry-run"]),
        format!("Would link `hello@demo` to {PATH}.\n")
    );
    assert_eq!(
        said(&["link", &path]),
        format!("Linked `hello@demo` to {PATH}.\n")
    );
    assert_eq!(
        said(&["link", &path]),
        format!("`hello@demo` is linked to {PATH} already.\n")
    );
    let table = said(&["plugin", "list"]);
    let row = table.lines().find(|line| line.contains("hello@demo"));
    let row: Vec<_> = row.unwrap().split_whitespace().collect();
    assert_eq!(row, ["hello@demo", "linked,", "enabled", "1.0.0", PATH]);
    let removed = cli(&sandbox, &["plugin", "remove", "hello@demo"]);
    assert!(
        removed.stderr.contains("stays in use"),
        "{}",
        removed.stderr
    );
    assert_eq!(
        said(&["unlink", &path]),
        format!("Unlinked `hello@demo` from {PATH}.\n")
    );
    assert_eq!(cli(&sandbox, &["unlink", "hello@demo"]).code(), 1);
}
