//! The commands over a real home, in process.

use plugd_disk::Disk;
use plugd_model::Environment;
use plugd_testkit::{Sandbox, test_environment};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::{Output, Terminals, run};

const DEMO: &str = r#"
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [
  {"name": "hello", "source": "./plugins/hello"},
  {"name": "far", "source": {"source": "url", "url": "https://example.invalid/x"}}
]}
== demo/plugins/hello/.codex-plugin/plugin.json
{"name": "hello", "version": "1.0.0", "description": "Says hello"}
== demo/plugins/hello/skills/greet/SKILL.md
---
name: greet
description: Greets people
---
Hi.
"#;

pub(super) struct Ran {
    pub(super) code: u8,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

pub(super) fn ran(sandbox: &Sandbox, args: &str) -> Ran {
    let mut environment = test_environment(sandbox);
    environment.args = args.split_whitespace().map(Into::into).collect();
    environment.cwd = sandbox.root().clone();
    ran_in(&environment, sandbox)
}

/// The command of this process.
pub(super) fn ran_in(environment: &Environment, sandbox: &Sandbox) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let code = run(
        environment,
        &Disk::new(),
        &mut Output {
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminals: Terminals {
                stdin: true,
                stdout: false,
                stderr: false,
                columns: None,
            },
        },
    );
    let text = |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        text.replace(&sandbox.root().to_text(), "$ROOT")
    };
    Ran {
        code,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// The command succeeds without a warning and prints exactly this.
#[track_caller]
fn prints(sandbox: &Sandbox, args: &str, expected: &str) {
    let ran = ran(sandbox, args);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0), "{args}");
    assert_eq!(ran.stdout, expected, "{args}");
}

/// The command fails and says exactly this.
#[track_caller]
pub(super) fn fails(sandbox: &Sandbox, args: &str, expected: &str) {
    let ran = ran(sandbox, args);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", 1), "{args}");
    assert_eq!(ran.stderr, expected, "{args}");
}

#[track_caller]
pub(super) fn answer(sandbox: &Sandbox, args: &str, code: u8) -> Value {
    let ran = ran(sandbox, args);
    assert_eq!(
        (ran.stderr.as_str(), ran.code),
        ("", code),
        "{args}: {}",
        ran.stdout
    );
    serde_json::from_str(&ran.stdout).unwrap()
}

pub(super) fn with_demo() -> Sandbox {
    let sandbox = Sandbox::from(DEMO);
    prints(
        &sandbox,
        "marketplace add ./demo",
        "Added marketplace `demo` from $ROOT/demo.\nInstalled marketplace root: $ROOT/demo\n",
    );
    sandbox
}

const NOTHING_INSTALLED: &str = "\
Marketplace `demo`
$ROOT/demo/.agents/plugins/marketplace.json

PLUGIN      STATUS         VERSION  SOURCE
hello@demo  not installed           $ROOT/demo/plugins/hello
far@demo    not installed           https://example.invalid/x
";

#[test]
fn from_adding_a_marketplace_to_removing_it() {
    let sandbox = with_demo();
    prints(
        &sandbox,
        "plugin marketplace add ./demo",
        "Marketplace `demo` is already added from $ROOT/demo.\n\
         Installed marketplace root: $ROOT/demo\n",
    );
    prints(
        &sandbox,
        "plugin marketplace list",
        "MARKETPLACE  ROOT\ndemo         $ROOT/demo\n",
    );
    prints(&sandbox, "plugin list", NOTHING_INSTALLED);
    prints(
        &sandbox,
        "plugin add hello@demo",
        "Added plugin `hello` from marketplace `demo`.\n\
         Installed plugin root: $ROOT/ch/plugins/cache/demo/hello/1.0.0\n",
    );
    let listed = ran(&sandbox, "plugin list -m demo").stdout;
    assert!(
        listed.contains("hello@demo  installed, enabled  1.0.0    $ROOT/demo/plugins/hello\n"),
        "{listed}"
    );
    prints(
        &sandbox,
        "plugin remove hello -m demo",
        "Removed plugin `hello` from marketplace `demo`.\n",
    );
    prints(&sandbox, "plugin list", NOTHING_INSTALLED);
    prints(
        &sandbox,
        "marketplace remove demo",
        "Removed marketplace `demo`.\n",
    );
    prints(&sandbox, "plugin list", "No marketplace plugins found.\n");
    prints(
        &sandbox,
        "marketplace list",
        "No plugin marketplaces in scope.\n",
    );
}

#[test]
fn an_installed_plugin_outlives_its_marketplace_in_the_list() {
    let sandbox = with_demo();
    assert_eq!(ran(&sandbox, "plugin add hello@demo").code, 0);
    assert_eq!(ran(&sandbox, "marketplace remove demo").code, 0);
    let list = answer(&sandbox, "plugin list --json", 0);
    assert_eq!(list["installed"][0]["pluginId"], json!("hello@demo"));
    assert_eq!(list["installed"][0]["problems"][0]["kind"], json!("orphan"));
    assert_eq!(list["installed"][0].get("marketplaceSource"), None);
}

#[test]
fn json_of_every_command() {
    let sandbox = Sandbox::from(DEMO);
    let added = answer(&sandbox, "marketplace add ./demo --json", 0);
    assert_eq!(
        added,
        json!({
            "marketplaceName": "demo", "installedRoot": "$ROOT/demo", "alreadyAdded": false,
            "commit": null, "problems": []
        })
    );
    let marketplaces = answer(&sandbox, "marketplace list --json", 0);
    assert_eq!(
        marketplaces["marketplaces"][0]["marketplaceSource"],
        json!({"sourceType": "local", "source": "$ROOT/demo"})
    );
    let installed = answer(&sandbox, "plugin add hello@demo --json", 0);
    assert_eq!(installed["version"], json!("1.0.0"));
    assert_eq!(installed["changed"], json!(true));
    let list = answer(&sandbox, "plugin list --json --available", 0);
    assert_eq!(list["installed"][0]["version"], json!("1.0.0"));
    assert_eq!(list["available"][0]["pluginId"], json!("far@demo"));
    assert_eq!(list["loadErrors"], json!([]));
    let removed = answer(&sandbox, "plugin remove hello@demo --json", 0);
    assert_eq!(
        removed,
        json!({
            "pluginId": "hello@demo", "name": "hello", "marketplaceName": "demo", "changed": true
        })
    );
    let removed = answer(&sandbox, "marketplace remove demo --json", 0);
    assert_eq!(
        removed,
        json!({
            "marketplaceName": "demo", "installedRoot": null, "orphans": [], "removedPlugins": []
        })
    );
    let upgraded = answer(&sandbox, "marketplace upgrade --json", 0);
    assert_eq!(
        upgraded,
        json!({"selectedMarketplaces": [], "upgradedRoots": [], "errors": [], "changes": []})
    );
}

#[test]
fn only_git_marketplaces_can_be_upgraded() {
    let sandbox = with_demo();
    prints(
        &sandbox,
        "marketplace upgrade",
        "No configured Git marketplaces to upgrade.\n",
    );
    for prefix in ["marketplace", "plugin marketplace"] {
        fails(
            &sandbox,
            &format!("{prefix} upgrade demo"),
            "error: marketplace `demo` is not configured as a Git marketplace\n\
             hint: `plugd marketplace list` shows which there are\n",
        );
    }
    let refused = answer(&sandbox, "marketplace upgrade demo --json", 1);
    assert_eq!(refused["error"]["code"], json!(-32600));
    assert_eq!(refused["error"]["data"]["kind"], json!("notFound"));
}

#[test]
fn a_marketplace_goes_with_or_without_its_plugins() {
    let sandbox = with_demo();
    assert_eq!(ran(&sandbox, "plugin add hello@demo").code, 0);
    prints(
        &sandbox,
        "marketplace remove demo",
        "Removed marketplace `demo`.\n\
         Plugin `hello@demo` stays active without a marketplace; \
         `plugd plugin remove hello@demo` removes it.\n",
    );
    assert_eq!(ran(&sandbox, "marketplace add ./demo").code, 0);
    prints(
        &sandbox,
        "marketplace remove demo --plugins",
        "Removed marketplace `demo`.\nRemoved plugin `hello` from marketplace `demo`.\n",
    );
    prints(&sandbox, "plugin list", "No marketplace plugins found.\n");
}

#[test]
fn reading_a_plugin() {
    let sandbox = with_demo();
    prints(
        &sandbox,
        "plugin read hello@demo",
        "hello@demo: not installed\n\
         \n\
         Says hello\n\
         \n\
         Marketplace: demo ($ROOT/demo/.agents/plugins/marketplace.json)\n\
         Source: $ROOT/demo/plugins/hello\n\
         Version: 1.0.0\n\
         Install policy: AVAILABLE\n\
         Auth policy: ON_INSTALL\n\
         \n\
         Skills\n  hello:greet: Greets people\n",
    );
    let reading = answer(&sandbox, "plugin read hello@demo --json", 0);
    assert_eq!(reading["plugin"]["marketplaceName"], json!("demo"));
    assert_eq!(reading["plugin"]["skills"][0]["name"], json!("hello:greet"));
}

#[test]
fn errors_as_text() {
    let sandbox = with_demo();
    let no_entry = ran(&sandbox, "plugin add nope@demo");
    assert_eq!((no_entry.stdout.as_str(), no_entry.code), ("", 1));
    let first = no_entry.stderr.lines().next();
    assert_eq!(
        first,
        Some("error: plugin `nope` was not found in marketplace `demo`")
    );
    fails(
        &sandbox,
        "plugin add hello",
        "error: plugin requires --marketplace unless passed as <plugin>@<marketplace>\n\
         hint: did you mean `hello@demo`?\n",
    );
    fails(
        &sandbox,
        "plugin read hello@nope",
        "error: marketplace `nope` is not configured or installed\n\
         hint: `plugd marketplace add SOURCE`, or `plugd marketplace list`\n",
    );
    let unknown = ran(&sandbox, "marketplace remove nope");
    assert_eq!(unknown.code, 1);
    assert!(
        unknown
            .stderr
            .starts_with("error: marketplace `nope` is not configured or installed"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn an_error_in_a_file_names_its_place() {
    let sandbox = with_demo();
    sandbox.add("== demo/plugins/hello/.codex-plugin/plugin.json\n{\n  \"name\": 7}\n");
    let failed = ran(&sandbox, "plugin add hello@demo");
    assert_eq!(failed.code, 1);
    let second = failed.stderr.lines().nth(1);
    assert_eq!(
        second,
        Some("at: $ROOT/demo/plugins/hello/.codex-plugin/plugin.json:2:11"),
        "{}",
        failed.stderr
    );
}

#[test]
fn what_json_does_not_tell_is_told_on_stderr() {
    let sandbox = Sandbox::from("== cwd/types\nno directory\n");
    let failed = ran(&sandbox, "schema generate --out cwd/types --json");
    assert_eq!(failed.code, 1);
    let json: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(json["error"]["data"]["kind"], json!("internal"));
    let prefix = "error: the generated files cannot be written: cannot create the directory \
                  `$ROOT/cwd/types`";
    assert!(failed.stderr.starts_with(prefix), "{}", failed.stderr);
}

#[test]
fn errors_as_json() {
    let sandbox = with_demo();
    for (args, kind) in [
        ("plugin add nope@demo --json", "notFound"),
        ("plugin add hello --json", "invalidInput"),
        ("plugin add hello@demo -m other --json", "invalidInput"),
        ("plugin read nope@demo --json", "notFound"),
        ("plugin read hello@nope --json", "notFound"),
        ("marketplace add ./nowhere --json", "invalidInput"),
        ("marketplace remove nope --json", "notFound"),
    ] {
        let error = answer(&sandbox, args, 1)["error"].clone();
        assert_eq!(error["data"]["kind"], json!(kind), "{args}: {error}");
        assert_eq!(error["code"], json!(-32600), "{args}: {error}");
        assert!(error["message"].is_string(), "{args}: {error}");
    }
}

#[test]
fn a_broken_marketplace_is_shown_beside_the_others_and_fails_the_command() {
    let sandbox = with_demo();
    sandbox.add(
        "== ch/config.toml\n[marketplaces.demo]\nsource_type = \"local\"\n\
         source = \"$ROOT/demo\"\n[marketplaces.gone]\nsource_type = \"local\"\n\
         source = \"$ROOT/gone\"\n",
    );
    let listed = ran(&sandbox, "marketplace list");
    assert_eq!(
        (listed.code, listed.stderr.as_str()),
        (1, "error: the marketplace `gone` cannot be used\n")
    );
    // The columns are as wide as the sandbox's root, which is another one each time.
    let row = |name: &str| -> Vec<&str> {
        let mut rows = listed
            .stdout
            .lines()
            .map(|line| line.split_whitespace().collect());
        rows.find(|row: &Vec<&str>| row[0] == name).unwrap()
    };
    assert_eq!(row("MARKETPLACE"), ["MARKETPLACE", "ROOT", "PROBLEM"]);
    assert_eq!(row("demo"), ["demo", "$ROOT/demo"]);
    assert_eq!(
        row("gone")[..3],
        ["gone", "$ROOT/gone", "$ROOT/ch/config.toml:6:10:"]
    );

    let plugins = ran(&sandbox, "plugin list");
    assert_eq!(
        (plugins.code, plugins.stdout.as_str()),
        (1, NOTHING_INSTALLED)
    );
    let lines: Vec<&str> = plugins.stderr.lines().collect();
    assert!(lines[0].starts_with("error: $ROOT/ch/"), "{lines:?}");
    assert_eq!(lines[1..], ["error: the marketplace `gone` cannot be used"]);
    assert_eq!(ran(&sandbox, "plugin list -m demo").code, 0);
}

#[test]
fn a_bad_entry_is_a_warning_with_its_place() {
    let sandbox = with_demo();
    sandbox.add(
        "== demo/.agents/plugins/marketplace.json\n\
         {\"name\": \"demo\", \"plugins\": [\n  {\"name\": \"bad name\", \"source\": \"./x\"},\n  \
         {\"name\": \"hello\", \"source\": \"./plugins/hello\"}]}\n",
    );
    let listed = ran(&sandbox, "plugin list");
    assert_eq!(listed.code, 0);
    assert!(listed.stdout.contains("hello@demo"), "{}", listed.stdout);
    let prefix = "error: $ROOT/demo/.agents/plugins/marketplace.json:2:";
    assert!(listed.stderr.starts_with(prefix), "{}", listed.stderr);
    let errors = answer(&sandbox, "plugin list --json", 0)["loadErrors"].clone();
    assert_eq!(errors[0]["line"], json!(2), "{errors}");
}

#[test]
fn session_flags_count() {
    let sandbox = with_demo();
    for (args, expected) in [
        (
            "plugin list --disable plugins",
            "No marketplace plugins found.\n",
        ),
        (
            "-c features.plugins=false marketplace list",
            "No plugin marketplaces in scope.\n",
        ),
    ] {
        let ran = ran(&sandbox, args);
        assert_eq!((ran.stdout.as_str(), ran.code), (expected, 0), "{args}");
        let told = "warning: plugins are disabled by the configuration";
        assert!(ran.stderr.starts_with(told), "{args}: {}", ran.stderr);
    }
}

#[test]
fn a_listing_creates_nothing() {
    let sandbox = Sandbox::from(DEMO);
    for args in ["plugin list", "marketplace list", "plugin list --json"] {
        assert_eq!(ran(&sandbox, args).code, 0);
    }
    assert_eq!(sandbox.tree("ch"), "");
    assert_eq!(sandbox.tree("home"), "");
}

#[test]
fn generated_files_lie_where_they_are_committed() {
    let sandbox = Sandbox::new();
    let all = answer(&sandbox, "schema generate --out out --json", 0);
    assert_eq!(all["out"], json!("$ROOT/out"));
    assert_eq!(all["files"], all["changed"]);
    for file in ["out/openrpc.json", "out/json/v2", "out/typescript/v2"] {
        assert!(sandbox.exists(file), "{file}");
    }
    assert_eq!(
        answer(&sandbox, "schema generate --out out --json", 0)["changed"],
        json!(0)
    );
    prints(&sandbox, "app-server generate-ts --out out/typescript", "");
    let types = answer(
        &sandbox,
        "app-server generate-ts --out out/typescript --json",
        0,
    );
    assert_eq!(types["changed"], json!(0));
    let schemas = answer(
        &sandbox,
        "app-server generate-json-schema -o out/json --json",
        0,
    );
    assert_eq!(schemas["changed"], json!(0));
}
