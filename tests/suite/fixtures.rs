//! What many files share: marketplaces, whole answers with every member of the reference, and ways
//! to start the daemon whose every message is checked against its schema.
#![expect(
    clippy::disallowed_methods,
    reason = "the suite holds the daemon's lock files from outside, which is what they are for"
)]

use std::fs::{File, OpenOptions};
use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Fixture, ItemKind, Launch, Output, Sandbox, run_cli};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::schemas;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_plugd");

/// The manifest of [`DEMO`].
pub(crate) const DEMO_MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";

/// A marketplace outside the home directory, registered by configuration only: a plain plugin, one
/// with a script, one that may not be installed, and one that lives elsewhere.
pub(crate) const DEMO: &str = r#"
== ch/config.toml
[marketplaces.demo]
source_type = "local"
source = "$ROOT/demo"
== demo/.agents/plugins/marketplace.json
{
  "name": "demo",
  "interface": {"displayName": "Demo marketplace"},
  "plugins": [
    {"name": "hello", "source": "./plugins/hello", "category": "Greetings"},
    {
      "name": "tools",
      "source": {"source": "local", "path": "./plugins/tools"},
      "policy": {"installation": "INSTALLED_BY_DEFAULT", "authentication": "ON_USE"}
    },
    {"name": "locked", "source": "./plugins/locked", "policy": {"installation": "NOT_AVAILABLE"}},
    {"name": "far", "source": {"source": "url", "url": "https://example.invalid/far", "ref": "main"}}
  ]
}
== demo/plugins/hello/.codex-plugin/plugin.json
{
  "name": "hello",
  "version": "1.0.0",
  "description": "Says hello",
  "keywords": ["greeting"],
  "interface": {"displayName": "Hello there", "logo": "./logo.png"}
}
== demo/plugins/hello/skills/greet/SKILL.md
---
name: greet
description: Greets people
---
Say hello.
== demo/plugins/tools/.codex-plugin/plugin.json
{"name": "tools", "version": "2.1.0"}
== demo/plugins/tools/run.sh (mode 755)
echo tools
== demo/plugins/locked/.claude-plugin/plugin.json
{"name": "locked"}
"#;

/// A marketplace below `dir` whose plugins have a name, a version and one file.
pub(crate) fn marketplace(dir: &str, name: &str, plugins: &[(&str, &str)]) -> String {
    let entries: Vec<Value> = plugins
        .iter()
        .map(|(plugin, _)| json!({"name": plugin, "source": format!("./{plugin}")}))
        .collect();
    let manifest = json!({"name": name, "plugins": entries});
    let mut fixture = format!("== {dir}/.agents/plugins/marketplace.json\n{manifest}\n");
    for (plugin, version) in plugins {
        fixture.push_str(&self::plugin(&format!("{dir}/{plugin}"), plugin, version));
    }
    fixture
}

/// One plugin directory.
pub(crate) fn plugin(dir: &str, name: &str, version: &str) -> String {
    let manifest = json!({"name": name, "version": version});
    format!(
        "== {dir}/.codex-plugin/plugin.json\n{manifest}\n\
         == {dir}/notes.md\n{name} {version}\n"
    )
}

/// The rows that register local marketplaces, as the whole user configuration.
pub(crate) fn config(rows: &[(&str, &str)]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|(name, dir)| {
            format!("[marketplaces.{name}]\nsource_type = \"local\"\nsource = \"$ROOT/{dir}\"\n")
        })
        .collect();
    format!("== ch/config.toml\n{}", rows.join("\n"))
}

/// A marketplace `demo` in `demo/` with these plugins, registered by configuration.
pub(crate) fn small(plugins: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
    sandbox.add(&marketplace("demo", "demo", plugins));
    sandbox
}

/// The daemon; each of its messages must obey its schema.
pub(crate) fn launch() -> Launch {
    Launch::app_server(BINARY).observed_by(schemas::validate)
}

/// A daemon that has been greeted by a client of the reference.
#[track_caller]
pub(crate) fn start(sandbox: &Sandbox) -> Daemon {
    let mut daemon = launch().start(sandbox);
    daemon.initialize();
    daemon
}

/// A daemon that has been greeted by a client that wants to hear of changes and tasks.
#[track_caller]
pub(crate) fn start_listening(sandbox: &Sandbox) -> Daemon {
    let mut daemon = launch().start(sandbox);
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-tests", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true}},
    }));
    daemon
}

/// Runs the command line to its end.
#[track_caller]
pub(crate) fn cli(sandbox: &Sandbox, args: &[&str]) -> Output {
    run_cli(BINARY, args, sandbox)
}

/// Lists, and waits until the refresh that this started is over; for a listening client.
#[track_caller]
pub(crate) fn list_and_settle(daemon: &mut Daemon, params: Value) -> Value {
    daemon.take_notifications("plugd/task");
    let listing = daemon.ok("plugin/list", params);
    // What was repaired before anything was listed is none of it.
    daemon.wait_notification("plugd/task", |task| {
        task["kind"] != "recovery" && task["state"] != "started"
    });
    listing
}

/// Installs from a manifest.
#[track_caller]
pub(crate) fn install(daemon: &mut Daemon, manifest: &str, plugin: &str) -> Value {
    let params = json!({"marketplacePath": manifest, "pluginName": plugin});
    daemon.ok("plugin/install", params)
}

/// The ids of a listing that are installed, each with its version, in the order of the answer.
pub(crate) fn installed_in(listing: &Value) -> Vec<String> {
    plugins_in(listing)
        .filter(|plugin| plugin["installed"] == true)
        .map(|plugin| {
            format!(
                "{} {}",
                text(&plugin["id"]),
                text(&plugin["installedVersion"])
            )
        })
        .collect()
}

/// Every plugin of an answer with marketplaces.
pub(crate) fn plugins_in(listing: &Value) -> impl Iterator<Item = &Value> {
    let marketplaces = listing["marketplaces"].as_array().into_iter().flatten();
    marketplaces.flat_map(|marketplace| marketplace["plugins"].as_array().into_iter().flatten())
}

/// One plugin of an answer with marketplaces.
#[track_caller]
pub(crate) fn plugin_in<'a>(listing: &'a Value, id: &str) -> &'a Value {
    match plugins_in(listing).find(|plugin| plugin["id"] == id) {
        Some(plugin) => plugin,
        None => panic!("`{id}` is not in {listing:#}"),
    }
}

/// The words of the load errors, each with the path it stands at.
pub(crate) fn load_errors(listing: &Value, sandbox: &Sandbox) -> Vec<String> {
    let rows = listing["marketplaceLoadErrors"]
        .as_array()
        .into_iter()
        .flatten();
    rows.map(|row| {
        let row = shown(row, sandbox);
        format!("{} {}", text(&row["kind"]), text(&row["marketplacePath"]))
    })
    .collect()
}

/// A text member, or a dash.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// A value with `$ROOT` in the place of the sandbox's root.
pub(crate) fn shown(value: &Value, sandbox: &Sandbox) -> Value {
    let text = value.to_string();
    serde_json::from_str(&text.replace(&sandbox.root().to_text(), "$ROOT")).unwrap()
}

/// Compares a whole answer.
#[track_caller]
pub(crate) fn check(got: &Value, sandbox: &Sandbox, expected: &Value) {
    let got = format!("{:#}", shown(got, sandbox));
    assert_eq!(got, format!("{expected:#}"));
}

/// The error of a request as `code kind`, which is what a program decides by.
#[track_caller]
pub(crate) fn refused(daemon: &mut Daemon, method: &str, params: Value) -> String {
    let error = daemon.err(method, params);
    format!("{} {}", error["code"], text(&error["data"]["kind"]))
}

/// Every member of a plugin in a listing, with the given ones replaced.
pub(crate) fn summary(id: &str, members: Value) -> Value {
    let name = id.rsplit_once('@').map_or(id, |(name, _)| name);
    let plain = json!({
        "id": id, "remotePluginId": null, "version": null, "localVersion": null,
        "installedVersion": null, "name": name, "shareContext": null, "source": null,
        "installed": false, "installedAt": null, "enabled": false, "updateAvailable": false,
        "installPolicy": "AVAILABLE", "installPolicySource": null,
        "mustShowInstallationInterstitial": null, "authPolicy": "ON_INSTALL",
        "availability": "AVAILABLE", "disabledReason": null, "eligiblePlanTypes": null,
        "interface": null, "keywords": [], "linked": null, "problems": [],
    });
    with(plain, members)
}

/// Every member of a plugin's interface, with the given ones replaced.
pub(crate) fn interface(members: Value) -> Value {
    let plain = json!({
        "displayName": null, "shortDescription": null, "longDescription": null,
        "developerName": null, "category": null, "capabilities": [], "websiteUrl": null,
        "privacyPolicyUrl": null, "termsOfServiceUrl": null, "defaultPrompt": null,
        "brandColor": null, "composerIcon": null, "composerIconUrl": null, "logo": null,
        "logoDark": null, "logoUrl": null, "logoUrlDark": null, "screenshots": [],
        "screenshotUrls": [],
    });
    with(plain, members)
}

/// A local source.
pub(crate) fn local(dir: &str) -> Value {
    json!({"type": "local", "path": format!("$ROOT/{dir}")})
}

/// The row of `hello@demo` in [`DEMO`] before it is installed.
pub(crate) fn hello() -> Value {
    summary(
        "hello@demo",
        json!({
            "localVersion": "1.0.0",
            "source": local("demo/plugins/hello"),
            "interface": interface(json!({
                "displayName": "Hello there",
                "category": "Greetings",
                "logo": "$ROOT/demo/plugins/hello/logo.png",
            })),
            "keywords": ["greeting"],
        }),
    )
}

/// An object with some members replaced or added.
pub(crate) fn with(mut object: Value, members: Value) -> Value {
    if let (Value::Object(object), Value::Object(members)) = (&mut object, members) {
        object.extend(members);
    }
    object
}

/// The home directory without the daemon's bookkeeping, which any request may write: locks, the
/// format number, and the report of the last refresh. An empty directory means nothing to anybody.
/// What is half written of the bookkeeping, as a refresh that ends in this moment writes it, is
/// waited for, some seconds at most.
#[track_caller]
pub(crate) fn home_tree(sandbox: &Sandbox) -> String {
    const HALF_WRITTEN: &str = "plugins/.plugd/.plugd-";
    sandbox.await_sweeping();
    let end = Instant::now() + Duration::from_secs(5);
    let mut fixture = loop {
        let fixture = Fixture::parse(&sandbox.tree("ch")).unwrap();
        let mut items = fixture.items.iter();
        if !items.any(|item| item.path.starts_with(HALF_WRITTEN)) || Instant::now() > end {
            break fixture;
        }
    };
    fixture.items.retain(|item| {
        let state = item.path.strip_prefix("plugins/.plugd/");
        let bookkeeping = [
            "locks/store",
            "locks/config",
            "version",
            "status.json",
            "sources.json",
        ];
        item.kind != ItemKind::Dir
            && !state.is_some_and(|path| {
                bookkeeping.contains(&path) || path.starts_with("locks/mirror-")
            })
    });
    fixture.to_string()
}

/// Takes one of the daemon's locks, as a second daemon would; it lasts until the value is dropped.
#[track_caller]
pub(crate) fn hold_lock(sandbox: &Sandbox, name: &str) -> File {
    let path = sandbox.path(format!("ch/plugins/.plugd/locks/{name}"));
    let file = OpenOptions::new().read(true).write(true).open(&path);
    let file = file.unwrap_or_else(|error| panic!("{path}: {error}"));
    file.lock().unwrap();
    file
}
