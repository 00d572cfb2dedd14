//! Proves `plugin/list`: the whole answer, the order and the winners, what is told about everything
//! that cannot be shown, and that it neither waits nor trips over a write beside it.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, config, hello, hold_lock, install, installed_in, load_errors,
    local, marketplace, plugin, plugin_in, plugins_in, refused, shown, small, start, summary, text,
    with,
};

/// The answer of a home with nothing in it.
fn nothing() -> Value {
    json!({
        "marketplaces": [], "marketplaceLoadErrors": [], "featuredPluginIds": [],
        "remoteSyncError": null,
    })
}

#[track_caller]
fn list(sandbox: &Sandbox, params: Value) -> Value {
    let mut daemon = start(sandbox);
    let listing = daemon.ok("plugin/list", params);
    daemon.shut_down();
    listing
}

/// The ids of an answer in its order.
fn ids(listing: &Value) -> Vec<&str> {
    plugins_in(listing)
        .map(|plugin| text(&plugin["id"]))
        .collect()
}

#[test]
fn the_whole_answer() {
    let sandbox = Sandbox::from(DEMO);
    let expected = json!({
        "marketplaces": [{
            "name": "demo",
            "path": DEMO_MANIFEST,
            "interface": {"displayName": "Demo marketplace"},
            "plugins": [
                hello(),
                summary("tools@demo", json!({
                    "localVersion": "2.1.0",
                    "source": local("demo/plugins/tools"),
                    "installPolicy": "INSTALLED_BY_DEFAULT",
                    "authPolicy": "ON_USE",
                })),
                summary("locked@demo", json!({
                    "source": local("demo/plugins/locked"),
                    "installPolicy": "NOT_AVAILABLE",
                })),
                summary("far@demo", json!({
                    "source": {
                        "type": "git", "url": "https://example.invalid/far", "path": null,
                        "refName": "main", "sha": null,
                    },
                })),
            ],
        }],
        "marketplaceLoadErrors": [],
        "featuredPluginIds": [],
        "remoteSyncError": null,
    });
    check(&list(&sandbox, json!({})), &sandbox, &expected);
    let older = json!({"forceRemoteSync": false, "cwds": []});
    check(&list(&sandbox, older), &sandbox, &expected);
}

#[test]
fn what_is_installed_says_so() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let listing = daemon.ok("plugin/list", json!({}));
    let expected = with(
        hello(),
        json!({"installed": true, "enabled": true, "installedVersion": "1.0.0"}),
    );
    check(plugin_in(&listing, "hello@demo"), &sandbox, &expected);
    let off = json!({
        "keyPath": "plugins.\"hello@demo\".enabled", "value": false, "mergeStrategy": "replace",
    });
    daemon.ok("config/value/write", off);
    let listing = daemon.ok("plugin/list", json!({}));
    let expected = with(expected, json!({"enabled": false}));
    check(plugin_in(&listing, "hello@demo"), &sandbox, &expected);
    daemon.shut_down();
}

#[test]
fn enabled_is_the_configured_value_installed_or_not() {
    let sandbox = Sandbox::from(DEMO);
    let rows = "[plugins.\"locked@demo\"]\n[plugins.\"far@demo\"]\nenabled = true\n";
    sandbox.write(
        "ch/config.toml",
        sandbox.expand(&format!("{}{rows}", demo_config())),
    );
    let listing = list(&sandbox, json!({}));
    for (id, enabled) in [
        ("locked@demo", true),
        ("far@demo", true),
        ("tools@demo", false),
    ] {
        let plugin = plugin_in(&listing, id);
        assert_eq!(
            (&plugin["installed"], &plugin["enabled"]),
            (&json!(false), &json!(enabled)),
            "{id}"
        );
    }
}

fn demo_config() -> &'static str {
    "[marketplaces.demo]\nsource_type = \"local\"\nsource = \"$ROOT/demo\"\n"
}

#[test]
fn kinds_without_a_login() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    for kinds in [json!([]), json!(["vertical"])] {
        let listing = daemon.ok("plugin/list", json!({"marketplaceKinds": kinds}));
        check(&listing, &sandbox, &nothing());
    }
    let listing = daemon.ok(
        "plugin/list",
        json!({"marketplaceKinds": ["local", "vertical"]}),
    );
    assert_eq!(ids(&listing).len(), 4);
    for kind in [
        "workspace-directory",
        "shared-with-me",
        "created-by-me-remote",
    ] {
        let error = daemon.err("plugin/list", json!({"marketplaceKinds": ["local", kind]}));
        assert_eq!(error["code"], -32600);
        assert_eq!(error["data"]["kind"], "notAllowed");
        let message = text(&error["message"]);
        assert!(
            message.contains("chatgpt authentication required"),
            "{message}"
        );
    }
    daemon.shut_down();
}

#[test]
fn plugins_switched_off_is_an_empty_answer() {
    let sandbox = Sandbox::from(DEMO);
    let off = format!("{}\n[features]\nplugins = false\n", demo_config());
    sandbox.write("ch/config.toml", sandbox.expand(&off));
    check(&list(&sandbox, json!({})), &sandbox, &nothing());
    let mut daemon = crate::fixtures::launch()
        .args(&["--enable", "plugins"])
        .start(&sandbox);
    daemon.initialize();
    assert_eq!(ids(&daemon.ok("plugin/list", json!({}))).len(), 4);
    daemon.shut_down();
}

#[test]
fn an_empty_home_and_a_missing_directory_are_no_error() {
    let sandbox = Sandbox::new();
    check(&list(&sandbox, json!({})), &sandbox, &nothing());
    check(
        &list(&sandbox, json!({"cwds": ["$ROOT/nowhere"]})),
        &sandbox,
        &nothing(),
    );
}

#[test]
fn what_an_entry_says_is_listed_also_when_its_directory_is_missing() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, &sandbox.expand(DEMO_MANIFEST), "hello");
    sandbox.add(
        "== demo/.agents/plugins/marketplace.json
{\"name\": \"demo\", \"plugins\": [{\"name\": \"hello\", \"source\": \"./gone\", \"version\": \"2.0.0\", \
         \"keywords\": [\"k\"], \"displayName\": \"Gone\", \"interface\": {\"logo\": \"./l.png\"}}]}
",
    );
    let listing = daemon.ok("plugin/list", json!({}));
    let plugin = shown(plugin_in(&listing, "hello@demo"), &sandbox);
    assert_eq!(plugin["localVersion"], "2.0.0");
    assert_eq!(plugin["keywords"], json!(["k"]));
    assert_eq!(plugin["interface"]["displayName"], "Gone");
    assert_eq!(plugin["interface"]["logo"], "$ROOT/demo/gone/l.png");
    // There is nothing that could be brought, and a row says so.
    assert_eq!(plugin["installedVersion"], "1.0.0");
    assert_eq!(plugin["updateAvailable"], false);
    let errors = load_errors(&listing, &sandbox).join("\n");
    assert!(errors.contains("missing"), "{errors}");
    daemon.shut_down();
}

#[test]
fn home_comes_first_and_the_others_by_their_path() {
    let sandbox = Sandbox::from(&config(&[("zeta", "a/zeta"), ("alpha", "b/alpha")]));
    sandbox.add(&marketplace("a/zeta", "zeta", &[("p", "1"), ("a", "1")]));
    sandbox.add(&marketplace("b/alpha", "alpha", &[("p", "1")]));
    sandbox.add(&marketplace("home", "mine", &[("p", "1")]));
    sandbox.add(&marketplace("ab/here", "here", &[("p", "1")]));
    let listing = list(&sandbox, json!({"cwds": ["$ROOT/ab/here"]}));
    assert_eq!(
        ids(&listing),
        ["p@mine", "p@zeta", "a@zeta", "p@here", "p@alpha"]
    );
    assert_eq!(load_errors(&listing, &sandbox), Vec::<String>::new());
}

#[test]
fn the_winner_of_an_id_is_decided_by_origin() {
    // The stranger's path sorts first, which would have won in the reference.
    let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
    sandbox.add(&marketplace("demo", "demo", &[("hello", "1.0.0")]));
    sandbox.add(&marketplace(
        "a",
        "demo",
        &[("hello", "9.0.0"), ("extra", "1.0.0")],
    ));
    let listing = list(&sandbox, json!({"cwds": ["$ROOT/a"]}));
    assert_eq!(plugin_in(&listing, "hello@demo")["localVersion"], "1.0.0");
    // What nobody else offers stays visible, and the clash is told.
    assert_eq!(plugin_in(&listing, "extra@demo")["localVersion"], "1.0.0");
    assert_eq!(ids(&listing).len(), 2);
    let errors = load_errors(&listing, &sandbox);
    assert_eq!(
        errors,
        ["conflict $ROOT/a/.agents/plugins/marketplace.json"]
    );
}

#[test]
fn a_marketplace_with_nothing_to_show_is_left_out() {
    let sandbox = Sandbox::from(&config(&[("none", "none"), ("others", "others")]));
    sandbox.add(&marketplace("none", "none", &[]));
    sandbox.add(
        r#"
== others/.claude-plugin/marketplace.json
{"name": "others", "plugins": [
  {"name": "p", "source": "./p", "policy": {"products": ["CHATGPT"]}}
]}
"#,
    );
    let listing = list(&sandbox, json!({}));
    assert_eq!(listing["marketplaces"], json!([]));
}

#[test]
fn nothing_is_dropped_without_a_trace() {
    let sandbox = Sandbox::from(&config(&[
        ("gone", "gone"),
        ("broken", "broken"),
        ("openai-curated", "reserved"),
        ("demo", "demo"),
    ]));
    sandbox.add(
        "== broken/.agents/plugins/marketplace.json\n{\"name\": \"broken\",\n \"plugins\": [}\n",
    );
    sandbox.add(&marketplace("demo", "demo", &[("good", "1.0.0")]));
    sandbox.add(
        r#"
== demo/.agents/plugins/marketplace.json
{
  "name": "demo",
  "plugins": [
    {"name": "good", "source": "./good"},
    {"name": "no-source"},
    {"name": "bad name", "source": "./good"},
    {"name": "climber", "source": "../good"},
    {"name": "pip", "source": {"source": "pip", "package": "x"}},
    {"name": "policy", "source": "./good", "policy": {"installation": "MAYBE"}},
    {"name": "absent",
     "source": "./absent"},
    5
  ]
}
"#,
    );
    let listing = list(&sandbox, json!({}));
    let rows = shown(&listing["marketplaceLoadErrors"], &sandbox);
    let rows = rows.as_array().unwrap();
    let has = |kind: &str, path: &str, line: Option<u64>| {
        let fits = |row: &&Value| {
            row["kind"] == kind
                && row["marketplacePath"] == path
                && line.is_none_or(|line| row["line"] == line)
        };
        assert!(
            rows.iter().any(|row| fits(&row)),
            "{kind} {path} {line:?} in {rows:#?}"
        );
    };
    has("missing", "$ROOT/ch/config.toml", None);
    has(
        "syntax",
        "$ROOT/broken/.agents/plugins/marketplace.json",
        Some(2),
    );
    has("missingField", DEMO_MANIFEST, Some(5));
    has("badName", DEMO_MANIFEST, Some(6));
    has("unsupportedSource", DEMO_MANIFEST, Some(8));
    has("missing", DEMO_MANIFEST, Some(11));
    has("wrongType", DEMO_MANIFEST, Some(12));
    let lines: Vec<&Value> = rows.iter().map(|row| &row["line"]).collect();
    assert!(
        lines.contains(&&json!(7)) && lines.contains(&&json!(9)),
        "{rows:#?}"
    );
    assert!(
        rows.iter()
            .any(|row| text(&row["message"]).contains("openai-curated")),
        "{rows:#?}"
    );
    // A source that leads nowhere is told where it is written, also in the row of the plugin.
    let at_source = |row: &Value| {
        let place = (&row["field"], &row["line"], &row["column"]);
        place == (&json!("source"), &json!(11), &json!(16))
            && text(&row["message"]).contains("absent")
    };
    assert!(rows.iter().any(at_source), "{rows:#?}");
    assert!(at_source(
        &plugin_in(&listing, "absent@demo")["problems"][0]
    ));
    // Everything else stays listed.
    assert_eq!(plugin_in(&listing, "good@demo")["localVersion"], "1.0.0");
}

#[test]
fn a_broken_manifest_is_listed_and_told() {
    let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
    sandbox.add(&marketplace(
        "demo",
        "demo",
        &[("hello", "1.0.0"), ("other", "1.0.0")],
    ));
    sandbox.write(
        "demo/hello/.codex-plugin/plugin.json",
        "{\n \"name\": \"hello\",\n \"version\": 5 5\n}",
    );
    let listing = list(&sandbox, json!({}));
    let plugin = plugin_in(&listing, "hello@demo");
    assert_eq!(plugin["localVersion"], Value::Null);
    let problem = shown(&plugin["problems"][0], &sandbox);
    assert_eq!(problem["severity"], "error");
    assert_eq!(
        problem["path"],
        "$ROOT/demo/hello/.codex-plugin/plugin.json"
    );
    assert_eq!(problem["line"], 3);
    assert_eq!(load_errors(&listing, &sandbox).len(), 1);
    assert_eq!(plugin_in(&listing, "other@demo")["problems"], json!([]));
}

#[test]
fn only_a_trusted_project_has_a_say() {
    let sandbox = Sandbox::new();
    sandbox.add("== repo/.git/HEAD\nref\n== repo/sub/\n");
    sandbox.add(&marketplace("market", "market", &[("p", "1.0.0")]));
    let layer = demo_config().replace("demo", "market");
    sandbox.write("repo/.codex/config.toml", sandbox.expand(&layer));
    let params = json!({"cwds": ["$ROOT/repo/sub"]});
    assert_eq!(ids(&list(&sandbox, params.clone())), Vec::<&str>::new());
    let trust = format!(
        "[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
        sandbox.path("repo")
    );
    sandbox.write("ch/config.toml", trust);
    assert_eq!(ids(&list(&sandbox, params)), ["p@market"]);
    assert_eq!(ids(&list(&sandbox, json!({}))), Vec::<&str>::new());
}

#[test]
fn a_broken_project_is_told_at_its_directory() {
    let sandbox = Sandbox::from("== repo/.git/HEAD\nref\n== repo/.codex/config.toml\n[features\n");
    let trust = format!(
        "[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
        sandbox.path("repo")
    );
    sandbox.write("ch/config.toml", trust);
    sandbox.add(&marketplace("home", "mine", &[("p", "1.0.0")]));
    let listing = list(&sandbox, json!({"cwds": ["$ROOT/repo"]}));
    assert_eq!(load_errors(&listing, &sandbox), ["config $ROOT/repo"]);
}

#[test]
fn malformed_params() {
    let mut daemon = start(&Sandbox::new());
    for params in [
        json!({"cwds": 5}),
        json!({"cwds": ["relative"]}),
        json!({"cwds": ["~/x"]}),
        json!({"cwds": [""]}),
        json!({"marketplaceKinds": ["Local"]}),
        json!({"marketplaceKinds": "local"}),
        json!({"forceRemoteSync": 1}),
    ] {
        let got = refused(&mut daemon, "plugin/list", params.clone());
        assert_eq!(got, "-32602 invalidParams", "{params}");
    }
    daemon.shut_down();
}

#[test]
fn it_does_not_wait_for_a_write() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "tools");
    let lock = hold_lock(&sandbox, "store");
    let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
    let waiting = daemon.request("plugin/install", params);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(installed_in(&listing), ["tools@demo 2.1.0"]);
    drop(lock);
    daemon.response(waiting);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        installed_in(&listing),
        ["hello@demo 1.0.0", "tools@demo 2.1.0"]
    );
    daemon.shut_down();
}

#[test]
fn a_directory_without_a_manifest_is_told_what_its_plugin_json_lacks() {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox.remove("demo/p/.codex-plugin/plugin.json");
    let message = || {
        let listing = list(&sandbox, json!({}));
        let rows = shown(&listing["marketplaceLoadErrors"], &sandbox);
        text(&rows[0]["message"]).to_owned()
    };
    let nothing = message();
    assert!(
        nothing.ends_with("neither its directory nor its entry has one"),
        "{nothing}"
    );
    sandbox.write("demo/p/plugin.json", "{\"name\": \"p\"}");
    let unclaimed = message();
    assert!(
        unclaimed.contains("`$ROOT/demo/p/plugin.json`"),
        "{unclaimed}"
    );
    assert!(unclaimed.contains("`$schema`"), "{unclaimed}");
}

#[test]
fn a_manifest_of_another_name_is_told_before_somebody_installs_it() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add(&plugin("demo/hello", "other", "1.0.0"));
    let mut daemon = start(&sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    let row = &listing["marketplaceLoadErrors"][0];
    assert_eq!(
        (&row["kind"], &row["field"]),
        (&json!("nameMismatch"), &json!("name")),
        "{listing:#}"
    );
    let problem = &plugin_in(&listing, "hello@demo")["problems"][0];
    assert_eq!(problem["kind"], "nameMismatch");
    daemon.shut_down();
}
