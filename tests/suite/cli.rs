//! Proves the command line: the texts and shapes of the reference's commands, JSON also for errors,
//! exit codes, no colours in a pipe, and the switches with which real clients start the server.

use plugd_testkit::{Sandbox, filter};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    BINARY, DEMO, DEMO_MANIFEST, cli, config, launch, local, marketplace, shown, start, with,
};

/// Runs a command that succeeds and says nothing on stderr; its text with `$ROOT`.
#[track_caller]
fn says(sandbox: &Sandbox, args: &[&str], expected: &str) {
    let output = cli(sandbox, args);
    assert_eq!(filter(output.success(), sandbox), expected, "{args:?}");
    assert_eq!(output.stderr, "", "{args:?}");
}

/// Runs a command with `--json` that succeeds.
#[track_caller]
fn prints(sandbox: &Sandbox, args: &[&str], expected: &Value) {
    let output = cli(sandbox, &[args, &["--json"]].concat());
    assert_eq!(output.code(), 0, "{args:?}: {output}");
    assert_eq!(output.stderr, "", "{args:?}");
    assert_eq!(shown(&output.json(), sandbox), *expected, "{args:?}");
    // As the reference prints it: indented by two, with a newline at the end.
    assert!(
        output.stdout.starts_with("{\n  \"") && output.stdout.ends_with("}\n"),
        "{output}"
    );
}

/// Runs a command that fails: the exit code, and the kind of the error as JSON.
#[track_caller]
fn fails(sandbox: &Sandbox, args: &[&str], kind: &str) {
    let output = cli(sandbox, args);
    assert_eq!(
        (output.code(), output.stdout.as_str()),
        (1, ""),
        "{args:?}: {output}"
    );
    assert!(output.stderr.starts_with("error: "), "{args:?}: {output}");
    let output = cli(sandbox, &[args, &["--json"]].concat());
    assert_eq!(output.code(), 1, "{args:?}: {output}");
    let error = &output.json()["error"];
    assert_eq!(error["data"]["kind"], kind, "{args:?}: {output}");
    assert!(
        error["code"].is_i64() && error["message"].is_string(),
        "{args:?}: {output}"
    );
}

fn item(name: &str, members: Value) -> Value {
    let plain = json!({
        "pluginId": format!("{name}@demo"), "name": name, "marketplaceName": "demo",
        "version": null, "installed": false, "enabled": false, "source": null,
        "marketplaceSource": {"sourceType": "local", "source": "$ROOT/demo"},
        "installPolicy": "AVAILABLE", "authPolicy": "ON_INSTALL", "sourceVersion": null,
        "updateAvailable": false, "problems": [],
    });
    with(plain, members)
}

#[test]
fn marketplaces_as_text() {
    let sandbox = Sandbox::from(&marketplace("market", "market", &[("p", "1.0.0")]));
    for group in [vec!["plugin", "marketplace"], vec!["marketplace"]] {
        let run = |args: &[&'static str], expected: &str| {
            says(&sandbox, &[group.as_slice(), args].concat(), expected);
        };
        let root = "Installed marketplace root: $ROOT/market\n";
        run(
            &["add", "../market"],
            &format!("Added marketplace `market` from $ROOT/market.\n{root}"),
        );
        let again = format!("Marketplace `market` is already added from $ROOT/market.\n{root}");
        run(&["add", "../market"], &again);
        run(&["list"], "MARKETPLACE  ROOT\nmarket       $ROOT/market\n");
        run(&["remove", "market"], "Removed marketplace `market`.\n");
    }
    fails(&sandbox, &["marketplace", "remove", "market"], "notFound");
    fails(
        &sandbox,
        &["marketplace", "add", "$ROOT/nowhere"],
        "invalidInput",
    );
    fails(&sandbox, &["marketplace", "add", "a/b/c"], "invalidInput");
}

#[test]
fn marketplaces_as_json() {
    let sandbox = Sandbox::from(&marketplace("market", "market", &[("p", "1.0.0")]));
    sandbox.add(&marketplace("home", "mine", &[("p", "1.0.0")]));
    let added = |already: bool| {
        json!({"marketplaceName": "market", "installedRoot": "$ROOT/market",
               "alreadyAdded": already, "commit": null, "problems": []})
    };
    prints(
        &sandbox,
        &["marketplace", "add", "$ROOT/market"],
        &added(false),
    );
    prints(
        &sandbox,
        &["plugin", "marketplace", "add", "$ROOT/market"],
        &added(true),
    );
    let listed = json!({"marketplaces": [
        {
            "name": "mine", "root": "$ROOT/home",
            "path": "$ROOT/home/.agents/plugins/marketplace.json", "problems": [],
        },
        {
            "name": "market", "root": "$ROOT/market",
            "marketplaceSource": {"sourceType": "local", "source": "$ROOT/market"},
            "path": "$ROOT/market/.agents/plugins/marketplace.json", "problems": [],
        },
    ]});
    prints(&sandbox, &["marketplace", "list"], &listed);
    let removed = json!({"marketplaceName": "market", "installedRoot": null, "orphans": [],
                         "removedPlugins": []});
    prints(&sandbox, &["marketplace", "remove", "market"], &removed);
}

#[test]
fn a_broken_marketplace_is_shown_and_fails_the_command() {
    let sandbox = Sandbox::from(&config(&[("gone", "gone"), ("demo", "demo")]));
    sandbox.add(&marketplace("demo", "demo", &[("p", "1.0.0")]));
    for args in [["marketplace", "list"], ["plugin", "list"]] {
        let output = cli(&sandbox, &args);
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.stdout.contains("demo"), "{output}");
        assert!(
            format!("{}{}", output.stdout, output.stderr).contains("gone"),
            "{output}"
        );
        let output = cli(&sandbox, &[args[0], args[1], "--json"]);
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.json().to_string().contains("missing"), "{output}");
    }
}

#[test]
fn plugins_as_text() {
    let sandbox = Sandbox::from(DEMO);
    let head = format!("Marketplace `Demo marketplace`\n{DEMO_MANIFEST}\n\n");
    let table = cli(&sandbox, &["plugin", "list"]);
    let listed = filter(table.success(), &sandbox);
    let head = if listed.starts_with(&head) {
        head
    } else {
        head.replace("Demo marketplace", "demo")
    };
    says(
        &sandbox,
        &["plugin", "list"],
        &format!(
            "{head}\
         PLUGIN       STATUS         VERSION  SOURCE\n\
         hello@demo   not installed           $ROOT/demo/plugins/hello\n\
         tools@demo   not installed           $ROOT/demo/plugins/tools\n\
         locked@demo  not installed           $ROOT/demo/plugins/locked\n\
         far@demo     not installed           https://example.invalid/far, ref `main`\n"
        ),
    );
    let added = "Added plugin `hello` from marketplace `demo`.\n\
                 Installed plugin root: $ROOT/ch/plugins/cache/demo/hello/1.0.0\n";
    says(&sandbox, &["plugin", "add", "hello@demo"], added);
    says(
        &sandbox,
        &["plugin", "add", "tools", "-m", "demo"],
        &added
            .replace("hello/1.0.0", "tools/2.1.0")
            .replace("hello", "tools"),
    );
    let off = "[plugins.\"tools@demo\"]\nenabled = ";
    let whole = sandbox
        .text("ch/config.toml")
        .replace(&format!("{off}true"), &format!("{off}false"));
    sandbox.write("ch/config.toml", sandbox.expand(&whole));
    says(
        &sandbox,
        &["plugin", "list", "--marketplace", "demo"],
        &format!(
            "{head}\
         PLUGIN       STATUS               VERSION  SOURCE\n\
         hello@demo   installed, enabled   1.0.0    $ROOT/demo/plugins/hello\n\
         tools@demo   installed, disabled  2.1.0    $ROOT/demo/plugins/tools\n\
         locked@demo  not installed                 $ROOT/demo/plugins/locked\n\
         far@demo     not installed                 https://example.invalid/far, ref `main`\n"
        ),
    );
    let removed = "Removed plugin `hello` from marketplace `demo`.\n";
    says(&sandbox, &["plugin", "remove", "hello@demo"], removed);
    // As the reference says it, with a warning beside it.
    let again = cli(&sandbox, &["plugin", "remove", "hello", "-m", "demo"]);
    assert_eq!(again.success(), removed, "{again}");
    let warning = "warning: `hello@demo` was not installed\n";
    assert_eq!(again.stderr, warning, "{again}");
    assert!(!sandbox.exists("ch/plugins/cache/demo/hello"));
}

#[test]
fn plugins_as_json() {
    let sandbox = Sandbox::from(DEMO);
    let added = json!({
        "pluginId": "hello@demo", "name": "hello", "marketplaceName": "demo", "version": "1.0.0",
        "installedPath": "$ROOT/ch/plugins/cache/demo/hello/1.0.0", "authPolicy": "ON_INSTALL",
        "changed": true, "problems": [],
    });
    prints(&sandbox, &["plugin", "add", "hello@demo"], &added);
    let dir = |dir: &str| json!({"source": "local", "path": format!("$ROOT/demo/plugins/{dir}")});
    let installed = item(
        "hello",
        json!({
            "version": "1.0.0", "installed": true, "enabled": true, "source": dir("hello"),
            "sourceVersion": "1.0.0",
        }),
    );
    let listed = json!({"installed": [installed], "available": [], "loadErrors": []});
    prints(&sandbox, &["plugin", "list"], &listed);
    let available = json!([
        item(
            "tools",
            json!({
                "version": "2.1.0", "source": dir("tools"), "sourceVersion": "2.1.0",
                "installPolicy": "INSTALLED_BY_DEFAULT", "authPolicy": "ON_USE",
            })
        ),
        item(
            "locked",
            json!({"source": dir("locked"), "installPolicy": "NOT_AVAILABLE"})
        ),
        item(
            "far",
            json!({
                "source": {"source": "git", "url": "https://example.invalid/far", "ref": "main"},
            })
        ),
    ]);
    prints(
        &sandbox,
        &["plugin", "list", "--available"],
        &with(listed, json!({"available": available})),
    );
    let nothing = json!({"installed": [], "available": [], "loadErrors": []});
    prints(&sandbox, &["plugin", "list", "-m", "nobody"], &nothing);
    let removed = |changed: bool| json!({"pluginId": "hello@demo", "name": "hello", "marketplaceName": "demo", "changed": changed});
    prints(
        &sandbox,
        &["plugin", "remove", "hello@demo"],
        &removed(true),
    );
    prints(
        &sandbox,
        &["plugin", "remove", "hello@demo"],
        &removed(false),
    );
}

#[test]
fn read_prints_the_result_of_the_method() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let named = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
    let result = daemon.ok("plugin/read", named);
    daemon.shut_down();
    let printed = cli(&sandbox, &["plugin", "read", "hello@demo", "--json"]);
    assert_eq!(printed.json(), result);
    let output = cli(&sandbox, &["plugin", "read", "hello", "-m", "demo"]);
    let said = filter(output.success(), &sandbox);
    for part in [
        "hello@demo",
        "Says hello",
        "hello:greet",
        "$ROOT/demo/plugins/hello",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn refusals() {
    let sandbox = Sandbox::from(DEMO);
    for (args, kind) in [
        (["plugin", "add", "nobody@demo"], "notFound"),
        (["plugin", "add", "hello@nobody"], "notFound"),
        (["plugin", "add", "locked@demo"], "notAllowed"),
        (["plugin", "add", "far@demo"], "unavailable"),
        (["plugin", "add", "hello"], "invalidInput"),
        (["plugin", "add", "../x@demo"], "invalidInput"),
        (["plugin", "read", "nobody@demo"], "notFound"),
        (["plugin", "remove", "hello"], "invalidInput"),
    ] {
        fails(&sandbox, &args, kind);
    }
    fails(
        &sandbox,
        &["plugin", "add", "hello@demo", "-m", "other"],
        "invalidInput",
    );
    assert!(!sandbox.exists("ch/plugins/cache"));
}

#[test]
fn a_command_line_that_cannot_be_meant() {
    let sandbox = Sandbox::new();
    for args in [
        vec!["frobnicate"],
        vec!["plugin", "frobnicate"],
        vec!["plugin", "add"],
        vec!["plugin", "list", "--frobnicate"],
        vec!["app-server", "--listen", "ws://127.0.0.1:1"],
        vec!["app-server", "--listen", "off"],
    ] {
        let output = cli(&sandbox, &args);
        assert_eq!(
            (output.code(), output.stdout.as_str()),
            (2, ""),
            "{args:?}: {output}"
        );
        assert!(output.stderr.starts_with("error: "), "{args:?}: {output}");
    }
}

#[test]
fn help_and_version() {
    let sandbox = Sandbox::new();
    let version = format!("plugd {}\n", env!("CARGO_PKG_VERSION"));
    says(&sandbox, &["--version"], &version);
    for command in [
        vec![],
        vec!["plugin"],
        vec!["plugin", "list"],
        vec!["plugin", "add"],
        vec!["plugin", "read"],
        vec!["plugin", "remove"],
        vec!["marketplace"],
        vec!["marketplace", "add"],
        vec!["marketplace", "list"],
        vec!["marketplace", "remove"],
        vec!["app-server"],
        vec!["schema", "generate"],
    ] {
        let output = cli(&sandbox, &[command.as_slice(), &["--help"]].concat());
        assert!(
            output.success().contains("Examples:\n  plugd "),
            "{command:?}: {output}"
        );
    }
    let help = cli(&sandbox, &["--help"]);
    assert!(help.success().contains("Exit codes:"), "{help}");
}

#[test]
fn no_colours_in_a_pipe_and_no_control_characters_from_plugins() {
    let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
    sandbox.add(&marketplace("demo", "demo", &[("p", "1.0.0")]));
    let evil =
        json!({"name": "p", "version": "1.0.0", "description": "\u{1b}[2Jgone\u{7}\r\nx\u{202e}y"});
    sandbox.write("demo/p/.codex-plugin/plugin.json", evil.to_string());
    for args in [
        vec!["plugin", "list"],
        vec!["plugin", "read", "p@demo"],
        vec!["plugin", "add", "\u{1b}[31m@demo"],
    ] {
        let output = cli(&sandbox, &args);
        let both = format!("{}{}", output.stdout, output.stderr);
        assert!(
            !both.contains(['\u{1b}', '\u{7}', '\r']),
            "{args:?}: {both:?}"
        );
    }
}

#[test]
fn features_and_a_broken_configuration() {
    let sandbox = Sandbox::from(DEMO);
    let output = cli(
        &sandbox,
        &[
            "plugin",
            "list",
            "--json",
            "--available",
            "--disable",
            "plugins",
        ],
    );
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(output.json()["available"], json!([]));
    sandbox.write("ch/config.toml", "x = 1\n[oops\n");
    let output = cli(&sandbox, &["plugin", "list", "--json"]);
    assert_eq!(output.code(), 1, "{output}");
    let output = cli(&sandbox, &["marketplace", "add", "$ROOT/demo", "--json"]);
    assert_eq!(output.code(), 1, "{output}");
    assert_eq!(output.json()["error"]["data"]["line"], 2, "{output}");
}

#[test]
fn the_switches_of_real_clients_start_the_server() {
    for args in [
        vec!["--listen", "stdio://"],
        vec!["--stdio"],
        vec!["--analytics-default-enabled"],
        vec!["--strict-config"],
        vec!["--enable", "plugins", "--disable", "hooks"],
        vec!["-c", "model=x", "-c", "plugins.p@m.enabled=true"],
        vec![
            "--print-startup-config",
            "--code-mode-host",
            "https://example.invalid",
        ],
        vec!["--no-such-switch", "--another=5"],
    ] {
        let mut daemon = launch().args(&args).start(&Sandbox::new());
        daemon.initialize();
        daemon.ok("plugin/list", json!({}));
        daemon.shut_down();
        if args.iter().any(|arg| arg.starts_with("--no-such")) {
            let stderr = daemon.stderr();
            assert!(stderr.contains("--no-such-switch"), "{stderr}");
        }
    }
    // Also in front of the command, and without any command when stdin is no terminal.
    let sandbox = Sandbox::from(DEMO);
    for args in [
        vec!["-c", "features.plugins=false", "app-server"],
        vec!["--disable", "plugins", "app-server"],
    ] {
        let mut daemon = plugd_testkit::Launch::new(BINARY)
            .args(&args)
            .start(&sandbox);
        daemon.initialize();
        assert_eq!(
            daemon.ok("plugin/list", json!({}))["marketplaces"],
            json!([]),
            "{args:?}"
        );
        daemon.shut_down();
    }
    let mut daemon = plugd_testkit::Launch::new(BINARY).start(&sandbox);
    daemon.initialize();
    daemon.shut_down();
}

#[test]
fn a_quoted_override_means_what_it_says() {
    let sandbox = Sandbox::from(DEMO);
    for value in [
        "plugins.\"hello@demo\".enabled=true",
        "plugins.hello@demo.enabled=true",
        "plugins={\"hello@demo\"={enabled=true}}",
    ] {
        let mut daemon = launch().args(&["-c", value]).start(&sandbox);
        daemon.initialize();
        let listing = daemon.ok("plugin/list", json!({}));
        let row = crate::fixtures::plugin_in(&listing, "hello@demo");
        assert_eq!(row["enabled"], true, "{value}");
        assert_eq!(shown(&row["source"], &sandbox), local("demo/plugins/hello"));
        daemon.shut_down();
    }
}

#[test]
fn types_are_written_below_app_server_too() {
    let sandbox = Sandbox::new();
    for (command, file) in [
        ("generate-json-schema", "v2/PluginListResponse.json"),
        ("generate-ts", "v2/PluginListResponse.ts"),
    ] {
        let out = format!("$ROOT/{command}");
        let output = cli(
            &sandbox,
            &["app-server", command, "--out", &out, "--experimental"],
        );
        assert_eq!(output.code(), 0, "{output}");
        let written = sandbox.text(&format!("{command}/{file}"));
        assert!(written.contains("marketplaceLoadErrors"), "{written}");
    }
}
