//! Proves that hostile and broken input gets a precise answer, changes nothing in the home
//! directory, and leaves the daemon alive.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    config, home_tree, install, launch, marketplace, plugin, plugin_in, shown, start, text,
};

const BAD: &str = "$ROOT/bad/.agents/plugins/marketplace.json";

/// A good marketplace that must keep working, and a place for a bad one.
fn world() -> Sandbox {
    let sandbox = Sandbox::from(&config(&[("bad", "bad"), ("good", "good")]));
    sandbox.add(&marketplace("good", "good", &[("fine", "1.0.0")]));
    sandbox
}

/// A daemon with a good plugin installed, and the home directory as it is then.
#[track_caller]
fn settled(sandbox: &Sandbox) -> (Daemon, String) {
    let mut daemon = start(sandbox);
    install(
        &mut daemon,
        "$ROOT/good/.agents/plugins/marketplace.json",
        "fine",
    );
    let before = home_tree(sandbox);
    (daemon, before)
}

/// The good plugin is listed, nothing in the home has changed, and the daemon ends well.
#[track_caller]
fn check_unharmed(mut daemon: Daemon, before: &str) {
    let sandbox = daemon.sandbox().clone();
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        plugin_in(&listing, "fine@good")["installedVersion"],
        "1.0.0"
    );
    daemon.shut_down();
    assert_eq!(home_tree(&sandbox), before);
    let stderr = daemon.stderr();
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Puts a bad marketplace in place and expects a row of one of these kinds, and refusals from the
/// methods that name it.
#[track_caller]
fn check_manifest(what: &str, put: impl Fn(&Sandbox), kinds: &[&str]) {
    let sandbox = world();
    put(&sandbox);
    let (mut daemon, before) = settled(&sandbox);
    let listing = shown(&daemon.ok("plugin/list", json!({})), &sandbox);
    let rows = listing["marketplaceLoadErrors"].as_array().unwrap();
    let row = rows.iter().find(|row| kinds.contains(&text(&row["kind"])));
    let row = row.unwrap_or_else(|| panic!("{what}: none of {kinds:?} in {rows:#?}"));
    assert!(
        !text(&row["message"]).is_empty() && row["severity"] == "error",
        "{what}: {row:#}"
    );
    let named = json!({"marketplacePath": BAD, "pluginName": "p"});
    for method in ["plugin/read", "plugin/install"] {
        let error = daemon.err(method, named.clone());
        assert_eq!(error["code"], -32600, "{what}: {error:#}");
        assert_ne!(error["data"]["kind"], "internal", "{what}: {error:#}");
    }
    let error = daemon.err("marketplace/add", json!({"source": "$ROOT/bad"}));
    assert_eq!(error["code"], -32600, "{what}: {error:#}");
    check_unharmed(daemon, &before);
}

#[cfg(unix)]
#[test]
fn manifests_that_are_no_files() {
    let at = "bad/.agents/plugins/marketplace.json";
    let add = |item: String| move |sandbox: &Sandbox| sandbox.add(&item);
    check_manifest("nothing", |_| {}, &["missing"]);
    check_manifest(
        "a directory",
        add(format!("== {at}/\n")),
        &["missing", "notAFile"],
    );
    check_manifest(
        "a FIFO",
        add(format!("== {at} (fifo)\n")),
        &["missing", "notAFile"],
    );
    check_manifest(
        "a dangling link",
        add(format!("== {at} -> nowhere\n")),
        &["missing", "notAFile", "unreadable"],
    );
    check_manifest(
        "a circle",
        add(format!("== {at} -> marketplace.json\n")),
        &["missing", "notAFile", "unreadable"],
    );
}

#[test]
fn manifests_that_are_no_catalogs() {
    let put = |content: &'static [u8]| {
        move |sandbox: &Sandbox| {
            sandbox.write("bad/.agents/plugins/marketplace.json", content);
        }
    };
    check_manifest("empty", put(b""), &["syntax"]);
    check_manifest(
        "not UTF-8",
        put(b"{\"name\": \"bad\xff\", \"plugins\": []}"),
        &["syntax"],
    );
    check_manifest(
        "cut",
        put(b"{\"name\": \"bad\", \"plugins\": [{\"name\": \"p\""),
        &["syntax"],
    );
    check_manifest("an array", put(b"[]"), &["wrongType"]);
    check_manifest("no name", put(b"{\"plugins\": []}"), &["missingField"]);
    check_manifest("no plugins", put(b"{\"name\": \"bad\"}"), &["missingField"]);
    check_manifest(
        "a number for a name",
        put(b"{\"name\": 5, \"plugins\": []}"),
        &["wrongType"],
    );
    check_manifest(
        "a bad name",
        put(b"{\"name\": \"../bad\", \"plugins\": []}"),
        &["badName"],
    );
    check_manifest(
        "a reserved name",
        put(b"{\"name\": \"openai-bundled\", \"plugins\": []}"),
        &["reservedName"],
    );
}

#[test]
fn manifests_that_are_too_much() {
    let at = "bad/.agents/plugins/marketplace.json";
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep = format!("{{\"name\": \"bad\", \"x\": {nested}, \"plugins\": []}}");
    check_manifest(
        "200 levels",
        |sandbox| sandbox.write(at, &deep),
        &["tooLarge", "syntax"],
    );
    check_manifest(
        "50 MB",
        |sandbox| sandbox.add(&format!("== {at} (size 50000000)\n")),
        &["tooLarge"],
    );
}

#[test]
fn a_byte_order_mark_is_told_or_read() {
    let sandbox = world();
    let manifest =
        "\u{feff}{\"name\": \"bad\", \"plugins\": [{\"name\": \"p\", \"source\": \"./p\"}]}";
    sandbox.write("bad/.agents/plugins/marketplace.json", manifest);
    sandbox.add(&plugin("bad/p", "p", "1"));
    let (mut daemon, before) = settled(&sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    let rows = listing["marketplaceLoadErrors"].as_array().unwrap();
    let listed = crate::fixtures::plugins_in(&listing).any(|plugin| plugin["id"] == "p@bad");
    assert_ne!(
        listed,
        rows.iter().any(|row| row["kind"] == "syntax"),
        "{listing:#}"
    );
    check_unharmed(daemon, &before);
}

#[test]
fn names_that_are_paths_or_too_long() {
    let long = "n".repeat(300);
    let names = [
        "../evil", "a/b", "a\\b", "..", ".", "", ".hidden", "a..b", "nul\u{0}", " p", "p@q", "é",
        &long,
    ];
    let sandbox = world();
    let entries: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "source": "./p"}))
        .collect();
    let manifest = json!({"name": "bad", "plugins": entries});
    sandbox.write("bad/.agents/plugins/marketplace.json", manifest.to_string());
    sandbox.add(&plugin("bad/p", "p", "1"));
    let (mut daemon, before) = settled(&sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    let told = listing["marketplaceLoadErrors"].as_array().unwrap();
    let told = told.iter().filter(|row| row["kind"] == "badName").count();
    assert_eq!(told, names.len(), "{listing:#}");
    for name in names {
        let named = json!({"marketplacePath": BAD, "pluginName": name});
        let error = daemon.err("plugin/install", named);
        assert_eq!(error["code"], -32600, "{name:?}: {error:#}");
        let error = daemon.err(
            "plugin/uninstall",
            json!({"pluginId": format!("{name}@bad")}),
        );
        assert_eq!(error["code"], -32600, "{name:?}: {error:#}");
    }
    check_unharmed(daemon, &before);
}

#[test]
fn sources_that_lead_out() {
    let sandbox = world();
    sandbox.add(&plugin("secret", "p", "1"));
    sandbox.add("== bad/linked -> ../secret\n== bad/inner/\n== bad/circle -> circle\n");
    let sources = [
        json!("../secret"),
        json!("./../secret"),
        json!("/etc"),
        json!("secret"),
        json!("./a/../../secret"),
        json!({"source": "local", "path": "../secret"}),
        json!("./linked"),
        json!("./circle"),
        json!("./nul\u{0}"),
        json!("~/x"),
        json!(5),
        json!(null),
        json!({"source": "local"}),
        json!({"source": "svn", "url": "x"}),
    ];
    let entries: Vec<Value> = sources
        .iter()
        .enumerate()
        .map(|(number, source)| json!({"name": format!("p{number}"), "source": source}))
        .collect();
    let manifest = json!({"name": "bad", "plugins": entries});
    sandbox.write("bad/.agents/plugins/marketplace.json", manifest.to_string());
    let (mut daemon, before) = settled(&sandbox);
    for (number, source) in sources.iter().enumerate() {
        let named = json!({"marketplacePath": BAD, "pluginName": format!("p{number}")});
        let error = daemon.err("plugin/install", named);
        assert_eq!(error["code"], -32600, "{}: {error:#}", source);
        assert!(error["data"]["kind"].is_string(), "{}", source);
    }
    check_unharmed(daemon, &before);
}

#[test]
fn plugins_that_cannot_be_stored() {
    let sandbox = world();
    let manifests = [
        ("other", json!({"name": "another", "version": "1"})),
        ("climbs", json!({"name": "climbs", "version": "../../x"})),
        ("dots", json!({"name": "dots", "version": ".."})),
        ("slash", json!({"name": "slash", "version": "1/2"})),
        ("blanks", json!({"name": "blanks", "version": "1 2"})),
        ("long", json!({"name": "long", "version": "1".repeat(300)})),
        ("number", json!({"name": 5})),
        ("null", json!(null)),
    ];
    let entries: Vec<Value> = manifests
        .iter()
        .map(|(name, _)| json!({"name": name, "source": format!("./{name}")}))
        .collect();
    let catalog = json!({"name": "bad", "plugins": entries});
    sandbox.write("bad/.agents/plugins/marketplace.json", catalog.to_string());
    for (name, manifest) in &manifests {
        sandbox.write(
            &format!("bad/{name}/.codex-plugin/plugin.json"),
            manifest.to_string(),
        );
    }
    let (mut daemon, before) = settled(&sandbox);
    for (name, _) in &manifests {
        let named = json!({"marketplacePath": BAD, "pluginName": name});
        let error = daemon.err("plugin/install", named);
        assert_eq!(error["code"], -32600, "{name}: {error:#}");
        assert_eq!(error["data"]["kind"], "invalidInput", "{name}: {error:#}");
        assert_eq!(home_tree(&sandbox), before, "{name}");
    }
    check_unharmed(daemon, &before);
}

#[test]
fn a_plugin_that_contains_the_store() {
    let sandbox = Sandbox::from(
        "== ch/.agents/plugins/marketplace.json\n\
         {\"name\": \"self\", \"plugins\": [{\"name\": \"all\", \"source\": \"./\"}]}\n\
         == ch/.codex-plugin/plugin.json\n{\"name\": \"all\", \"version\": \"1\"}\n\
         == ch/notes.md\nx\n",
    );
    let mut daemon = start(&sandbox);
    let named = json!({
        "marketplacePath": "$ROOT/ch/.agents/plugins/marketplace.json", "pluginName": "all",
    });
    let answer = daemon.call("plugin/install", named);
    daemon.shut_down();
    // Refused, or installed without the store in it; never a copy of a copy.
    let copy = "ch/plugins/cache/self/all/1";
    match answer.get("error") {
        Some(error) => {
            assert_eq!(error["code"], -32600, "{error:#}");
            assert!(!sandbox.exists(copy));
        }
        None => {
            assert!(sandbox.exists(&format!("{copy}/notes.md")));
            assert!(!sandbox.exists(&format!("{copy}/plugins/cache")));
        }
    }
}

#[test]
fn paths_that_are_not_absolute_or_not_there() {
    let sandbox = world();
    let (mut daemon, before) = settled(&sandbox);
    for path in [
        "",
        "x",
        "./x",
        "../x",
        "~/x",
        "good/.agents/plugins/marketplace.json",
        "/a\u{0}b",
    ] {
        for method in ["plugin/read", "plugin/install"] {
            let error = daemon.err(method, json!({"marketplacePath": path, "pluginName": "p"}));
            assert_eq!(error["code"], -32602, "{method} {path:?}");
            assert_eq!(error["data"]["field"], "marketplacePath");
        }
        for method in ["plugin/list", "plugin/installed"] {
            let error = daemon.err(method, json!({"cwds": [path]}));
            assert_eq!(error["code"], -32602, "{method} {path:?}");
        }
    }
    let too_long = format!("/{}", "x/".repeat(5_000));
    for path in [
        "/nowhere",
        "$ROOT",
        "$ROOT/good",
        "/",
        "/dev/null",
        "/proc/self/mem",
        &too_long,
    ] {
        let error = daemon.err(
            "plugin/read",
            json!({"marketplacePath": path, "pluginName": "p"}),
        );
        assert_eq!(error["code"], -32600, "{path}: {error:#}");
        daemon.ok("plugin/list", json!({"cwds": [path]}));
    }
    let name = "x".repeat(300);
    for (method, params) in [
        ("marketplace/add", json!({"source": format!("./{name}")})),
        ("plugd/link", json!({"path": format!("$ROOT/{name}")})),
        ("plugd/export", json!({"path": format!("$ROOT/{name}")})),
        ("plugd/lock", json!({"cwd": format!("$ROOT/{name}")})),
    ] {
        let error = daemon.err(method, params);
        assert_eq!(error["code"], -32600, "{method}: {error:#}");
        assert_eq!(error["data"]["kind"], "invalidInput", "{method}");
    }
    check_unharmed(daemon, &before);
}

#[test]
fn a_broken_configuration() {
    for broken in ["model = \n", "[a\n", "a = 1\na = 2\n", "\u{0}"] {
        let sandbox = world();
        sandbox.write("ch/config.toml", broken);
        let mut daemon = launch().start(&sandbox);
        daemon.initialize();
        let warning = daemon.wait_notification("configWarning", |_| true);
        assert_eq!(
            warning["path"],
            sandbox.path("ch/config.toml").to_text(),
            "{broken:?}"
        );
        assert!(
            warning["range"]["start"]["line"].is_u64(),
            "{broken:?}: {warning:#}"
        );
        daemon.ok("plugin/list", json!({}));
        for (method, params) in [
            (
                "config/value/write",
                json!({"keyPath": "x", "value": 1, "mergeStrategy": "replace"}),
            ),
            ("marketplace/add", json!({"source": "$ROOT/good"})),
            ("plugin/uninstall", json!({"pluginId": "p@m"})),
        ] {
            let error = daemon.err(method, params);
            let data = &error["data"];
            assert!(
                data["line"].is_u64() && data["column"].is_u64(),
                "{broken:?} {method}: {error:#}"
            );
        }
        assert_eq!(
            sandbox.bytes("ch/config.toml"),
            broken.as_bytes(),
            "{broken:?}"
        );
        daemon.shut_down();
    }
}

#[test]
fn a_wrong_type_spoils_its_own_key_only() {
    for broken in [
        "features = 5",
        "plugins = [1]",
        "marketplaces.x = 1",
        "plugins.\"p@m\".enabled = \"x\"",
    ] {
        let sandbox = world();
        let whole = format!("{broken}\n{}", sandbox.text("ch/config.toml"));
        sandbox.write("ch/config.toml", sandbox.expand(&whole));
        let mut daemon = start(&sandbox);
        let warning = daemon.wait_notification("configWarning", |_| true);
        assert_eq!(
            warning["path"],
            sandbox.path("ch/config.toml").to_text(),
            "{broken}"
        );
        assert_eq!(
            warning["range"]["start"]["line"], 1,
            "{broken}: {warning:#}"
        );
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(
            plugin_in(&listing, "fine@good")["installed"],
            false,
            "{broken}"
        );
        let write = json!({"keyPath": "x", "value": 1, "mergeStrategy": "replace"});
        daemon.ok("config/value/write", write);
        assert_eq!(
            daemon.ok("config/read", json!({}))["config"]["x"],
            1,
            "{broken}"
        );
        daemon.shut_down();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read() {
    // A file that even the superuser gets an error from.
    let at = "bad/.agents/plugins/marketplace.json";
    let put = |sandbox: &Sandbox| sandbox.add(&format!("== {at} -> /proc/self/mem\n"));
    check_manifest("an error of the disk", put, &["unreadable"]);
}

#[test]
fn a_home_that_is_no_home() {
    let sandbox = Sandbox::from("== file\nx\n");
    for (value, word) in [
        ("$ROOT/nowhere", "does not exist"),
        ("$ROOT/file", "directory"),
    ] {
        let output = launch().var("CODEX_HOME", value).run(&sandbox);
        assert_eq!(output.code(), 1, "{output}");
        assert!(
            output.stderr.contains(word) && output.stdout.is_empty(),
            "{output}"
        );
    }
    // Unset and empty mean a directory in the user's home, which is made when something is written.
    for launch in [
        launch().without_var("CODEX_HOME"),
        launch().var("CODEX_HOME", ""),
    ] {
        let mut daemon = launch.start(&sandbox);
        let hello = daemon.initialize();
        assert_eq!(hello["codexHome"], sandbox.path("home/.codex").to_text());
        daemon.ok("plugin/list", json!({}));
        daemon.shut_down();
        assert!(!sandbox.exists("home/.codex/config.toml"));
    }
}
