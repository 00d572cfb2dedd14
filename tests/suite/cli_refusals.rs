//! Proves what the command line says when something cannot be seen: a broken configuration,
//! marketplace or entry and switched-off plugins are told as such, and nothing is called missing that
//! they only hide.

use plugd_testkit::{Output, Sandbox, filter};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO, cli, config, marketplace, small};

/// Runs a command that fails with `--json`; the error.
#[track_caller]
fn error(sandbox: &Sandbox, args: &[&str]) -> Value {
    let output = cli(sandbox, &[args, &["--json"]].concat());
    assert_eq!(output.code(), 1, "{args:?}: {output}");
    output.json()["error"].clone()
}

/// What a command that fails says on stderr, with `$ROOT`; nothing stands on stdout.
#[track_caller]
fn complaint(sandbox: &Sandbox, args: &[&str]) -> String {
    let output: Output = cli(sandbox, args);
    assert_eq!(
        (output.code(), output.stdout.as_str()),
        (1, ""),
        "{args:?}: {output}"
    );
    filter(&output.stderr, sandbox)
}

#[test]
fn every_command_tells_of_a_broken_configuration() {
    let sandbox = Sandbox::from(&marketplace("home", "mine", &[("p", "1.0.0")]));
    sandbox.write("ch/config.toml", "x = 1\n[oops\n");
    for args in [
        ["plugin", "list", ""],
        ["plugin", "read", "p@mine"],
        ["plugin", "read", "p@demo"],
        ["plugin", "add", "p@mine"],
        ["plugin", "add", "p@demo"],
        ["plugin", "remove", "p@demo"],
        ["marketplace", "list", ""],
        ["marketplace", "add", "$ROOT/home"],
        ["marketplace", "remove", "demo"],
    ] {
        let args: Vec<&str> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        let output = cli(&sandbox, &args);
        assert_eq!(output.code(), 1, "{args:?}: {output}");
        let said = filter(&output.stderr, &sandbox);
        assert!(said.contains("$ROOT/ch/config.toml:2:"), "{args:?}: {said}");
        let output = cli(&sandbox, &[args.as_slice(), &["--json"]].concat());
        assert_eq!(output.code(), 1, "{args:?}: {output}");
        let answer = output.json();
        let data = &answer["error"]["data"];
        let rows = [
            &answer["configProblems"],
            &answer["loadErrors"],
            &data["configProblems"],
        ];
        let told = rows.iter().any(|rows| rows[0]["line"] == 2);
        assert!(told, "{args:?}: {output}");
        assert_ne!(data["kind"], "notFound", "{args:?}: {output}");
    }
    assert_eq!(sandbox.text("ch/config.toml"), "x = 1\n[oops\n");
}

#[test]
fn a_command_that_lacks_something_ends_with_the_reason() {
    let sandbox = Sandbox::from(&config(&[("gone", "gone")]));
    for args in [["marketplace", "list"], ["plugin", "list"]] {
        let output = cli(&sandbox, &args);
        let last = output.stderr.lines().last();
        let reason = "error: the marketplace `gone` cannot be used";
        assert_eq!((output.code(), last), (1, Some(reason)), "{output}");
    }
    sandbox.write("ch/config.toml", "oops");
    let output = cli(&sandbox, &["plugin", "list"]);
    assert!(
        output
            .stderr
            .ends_with("error: the configuration is broken, so something may be missing\n"),
        "{output}"
    );
}

#[test]
fn switched_off_is_not_missing() {
    let sandbox = Sandbox::from(DEMO);
    let args = ["--disable", "plugins", "plugin", "read", "hello@demo"];
    assert_eq!(error(&sandbox, &args)["data"]["kind"], "notAllowed");
    let said = complaint(&sandbox, &args);
    assert!(
        said.starts_with("error: plugins are disabled by the configuration\n"),
        "{said}"
    );
}

#[test]
fn a_broken_marketplace_and_a_broken_entry_say_why() {
    let sandbox = Sandbox::from(&config(&[("gone", "gone"), ("demo", "demo")]));
    let entries = json!({"name": "demo", "plugins": [
        {"name": "z", "source": {"source": "odd"}}, {"name": "x", "source": "./x"},
    ]});
    sandbox.write("demo/.agents/plugins/marketplace.json", entries.to_string());
    for command in ["add", "read"] {
        let said = complaint(&sandbox, &["plugin", command, "p@gone"]);
        let first = "error: the marketplace `gone` cannot be used: ";
        assert!(said.starts_with(first), "{said}");
        let data = error(&sandbox, &["plugin", command, "p@gone"])["data"].clone();
        assert_eq!(data["marketplace"], "gone", "{data}");

        let said = complaint(&sandbox, &["plugin", command, "z@demo"]);
        let first = "error: the plugin `z@demo` cannot be used: plugins[0].source";
        assert!(said.starts_with(first), "{said}");
        assert!(said.contains("`odd`") && !said.contains("hint:"), "{said}");
    }
}

#[test]
fn errors_speak_of_switches_and_commands() {
    let sandbox = small(&[("p", "1.0.0")]);
    let said = complaint(
        &sandbox,
        &["marketplace", "add", "$ROOT/demo", "--ref", "r"],
    );
    assert!(said.starts_with("error: --ref: "), "{said}");
    let unknown = "error: marketplace `nope` is not configured or installed\n\
                   hint: `plugd marketplace add SOURCE`, or `plugd marketplace list`\n";
    for args in [
        ["plugin", "add", "p@nope"],
        ["plugin", "read", "p@nope"],
        ["marketplace", "remove", "nope"],
    ] {
        assert_eq!(complaint(&sandbox, &args), unknown, "{args:?}");
    }
}

#[test]
fn a_mistyped_command_starts_no_server() {
    let sandbox = Sandbox::new();
    for args in [
        ["--json", "nope"].as_slice(),
        &["--quiet", "pluign"],
        &["--json", "--quiet", "pluign"],
        &["app-server", "--framing", "foo"],
    ] {
        let output = cli(&sandbox, args);
        assert_eq!(output.code(), 2, "{args:?}: {output}");
    }
    let output = cli(&sandbox, &["app-server", "--json", "--framing", "foo"]);
    assert_eq!(output.code(), 2, "{output}");
    let error = &output.json()["error"];
    assert_eq!(error["data"]["kind"], "invalidInput", "{output}");
    assert!(error["message"].to_string().contains("`foo`"), "{output}");
}

#[test]
fn passwords_in_addresses_are_not_printed() {
    let sandbox = Sandbox::new();
    let address = "https://user:hunter2@example.invalid/x";
    sandbox.write(
        "ch/config.toml",
        format!("[marketplaces.far]\nsource_type = \"git\"\nsource = \"{address}\"\n"),
    );
    for args in [
        ["marketplace", "list", "--json"].as_slice(),
        &["marketplace", "add", address],
        &["marketplace", "remove", address],
        &["plugin", "add", address],
        &["plugin", "add", "p@far", address],
        &[address],
    ] {
        let output = cli(&sandbox, args);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(!said.contains("hunter2"), "{args:?}: {said}");
        assert!(
            said.contains("example.invalid") || said.contains('…'),
            "{said}"
        );
    }
}
