//! What commands say when something is broken or switched off: the reason, and never that a thing is
//! missing which only cannot be seen.

use plugd_testkit::{Sandbox, test_environment};
use pretty_assertions::assert_eq;
use serde_json::json;

use super::tests::{answer, fails, ran, ran_in, with_demo};

/// The first line of a configuration that is no TOML, as every command tells it.
const BROKEN: &str = "== ch/config.toml\nnot = [toml\n";

/// A home whose marketplace needs no configuration, and a configuration that is no TOML.
fn with_broken_config() -> Sandbox {
    let sandbox = Sandbox::from(BROKEN);
    sandbox.add(
        "== home/.agents/plugins/marketplace.json\n\
         {\"name\": \"homie\", \"plugins\": [{\"name\": \"hello\", \"source\": \"./hello\"}]}\n\
         == home/hello/.codex-plugin/plugin.json\n\
         {\"name\": \"hello\", \"version\": \"1.0.0\"}\n",
    );
    sandbox
}

#[test]
fn a_broken_configuration_is_told_by_every_command() {
    let sandbox = with_broken_config();
    let place = "$ROOT/ch/config.toml:";
    for args in [
        "plugin list",
        "plugin list --disable plugins",
        "plugin read hello@homie",
        "plugin read hello@demo",
        "plugin add hello@homie",
        "plugin add hello@demo",
        "plugin remove hello@demo",
        "plugin add hello",
        "marketplace list",
        "marketplace add ./demo",
        "marketplace add ./home",
        "marketplace remove demo",
    ] {
        let text = ran(&sandbox, args);
        assert_eq!(text.code, 1, "{args}: {}", text.stderr);
        assert_eq!(
            text.stderr.matches(place).count(),
            1,
            "{args}: {}",
            text.stderr
        );
        let json = ran(&sandbox, &format!("{args} --json"));
        assert_eq!(json.code, 1, "{args}: {}", json.stdout);
        assert!(
            json.stdout.contains("\"line\": 1"),
            "{args}: {}",
            json.stdout
        );
        assert!(!json.stdout.contains("notFound"), "{args}: {}", json.stdout);
    }
    assert_eq!(sandbox.text("ch/config.toml"), "not = [toml\n");
    assert!(!sandbox.exists("ch/plugins/cache"));
}

#[test]
fn what_a_broken_configuration_hides_is_not_said_to_be_missing() {
    let sandbox = with_broken_config();
    let failed = ran(&sandbox, "plugin add hello@demo");
    let lines: Vec<&str> = failed.stderr.lines().collect();
    assert!(
        lines[0].starts_with("error: the configuration cannot be used: "),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("at: $ROOT/ch/config.toml:1:"),
        "{lines:?}"
    );
    assert_eq!(
        lines[2..],
        ["hint: mend the file; what it configures cannot be seen until then"]
    );
    let error = answer(&sandbox, "marketplace remove demo --json", 1)["error"].clone();
    assert_eq!(error["data"]["kind"], json!("invalidInput"), "{error}");
    assert_eq!(
        error["data"]["path"],
        json!("$ROOT/ch/config.toml"),
        "{error}"
    );
    assert_eq!(
        error["data"]["configProblems"][0]["line"],
        json!(1),
        "{error}"
    );
    let listed = answer(&sandbox, "marketplace list --json", 1);
    assert_eq!(
        listed["marketplaces"][0]["name"],
        json!("homie"),
        "{listed}"
    );
    assert_eq!(
        listed["configProblems"][0]["kind"],
        json!("config"),
        "{listed}"
    );
    let read = answer(&sandbox, "plugin read hello@homie --json", 1);
    assert_eq!(read["plugin"]["marketplaceName"], json!("homie"), "{read}");
    assert_eq!(read["configProblems"][0]["line"], json!(1), "{read}");
    let text = ran(&sandbox, "marketplace list").stderr;
    let last = text.lines().last();
    assert_eq!(
        last,
        Some("error: the configuration is broken, so something may be missing")
    );
}

#[test]
fn plugins_that_are_switched_off_are_not_said_to_be_missing() {
    let sandbox = with_demo();
    for plugin in ["hello@demo", "nope@demo"] {
        fails(
            &sandbox,
            &format!("--disable plugins plugin read {plugin}"),
            "error: plugins are disabled by the configuration\n\
             hint: pass `--enable plugins`, or set `plugins = true` in the [features] table of \
             config.toml\n",
        );
        let args = format!("-c features.plugins=false plugin read {plugin} --json");
        let error = answer(&sandbox, &args, 1)["error"].clone();
        assert_eq!(error["data"]["kind"], json!("notAllowed"), "{error}");
    }
}

#[test]
fn a_marketplace_that_is_configured_and_broken_says_why() {
    let sandbox = with_demo();
    sandbox
        .add("== demo/.agents/plugins/marketplace.json\n{\"name\": \"demo\",\n\"plugins\": 7}\n");
    for command in ["add", "read"] {
        let failed = ran(&sandbox, &format!("plugin {command} hello@demo"));
        assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
        let lines: Vec<&str> = failed.stderr.lines().collect();
        assert!(
            lines[0].starts_with("error: the marketplace `demo` cannot be used: "),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("at: $ROOT/demo/.agents/plugins/marketplace.json:2:"),
            "{lines:?}"
        );
        let args = format!("plugin {command} hello@demo --json");
        let data = answer(&sandbox, &args, 1)["error"]["data"].clone();
        assert_eq!(data["kind"], json!("invalidInput"), "{data}");
        assert_eq!(data["line"], json!(2), "{data}");
    }
    // One whose directory is gone is not found, and is not unknown either.
    sandbox.write(
        "ch/config.toml",
        sandbox.expand("[marketplaces.gone]\nsource_type = \"local\"\nsource = \"$ROOT/gone\"\n"),
    );
    let failed = ran(&sandbox, "plugin add hello@gone");
    assert!(
        failed
            .stderr
            .starts_with("error: the marketplace `gone` cannot be used: "),
        "{}",
        failed.stderr
    );
    let error = answer(&sandbox, "plugin read hello@gone --json", 1)["error"].clone();
    assert_eq!(error["data"]["kind"], json!("notFound"), "{error}");
    assert_eq!(error["data"]["marketplace"], json!("gone"), "{error}");
}

#[test]
fn an_entry_that_cannot_be_used_says_why() {
    let sandbox = with_demo();
    sandbox.add(
        "== demo/.agents/plugins/marketplace.json\n\
         {\"name\": \"demo\", \"plugins\": [\n  {\"name\": \"x\", \"source\": \"./x\"},\n  \
         {\"name\": \"z\", \"source\": {\"source\": \"odd\"}}]}\n",
    );
    for command in ["add", "read"] {
        let failed = ran(&sandbox, &format!("plugin {command} z@demo"));
        let lines: Vec<&str> = failed.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "no hint: {lines:?}");
        assert!(
            lines[0].starts_with("error: the plugin `z@demo` cannot be used: plugins[1].source"),
            "{lines:?}"
        );
        assert!(lines[0].contains("`odd` is not supported"), "{lines:?}");
        assert!(
            lines[1].starts_with("at: $ROOT/demo/.agents/plugins/marketplace.json:3:"),
            "{lines:?}"
        );
        let args = format!("plugin {command} z@demo --json");
        let error = answer(&sandbox, &args, 1)["error"].clone();
        assert_eq!(error["data"]["kind"], json!("notFound"), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("`odd` is not supported"), "{error}");
    }
}

#[test]
fn an_unknown_marketplace_comes_with_the_commands_that_help() {
    let sandbox = with_demo();
    for command in ["plugin add hello@nope", "marketplace remove nope"] {
        fails(
            &sandbox,
            command,
            "error: marketplace `nope` is not configured or installed\n\
             hint: `plugd marketplace add SOURCE`, or `plugd marketplace list`\n",
        );
    }
    fails(
        &sandbox,
        "plugin add hello@Demo",
        "error: marketplace `Demo` is not configured or installed\n\
         hint: names are case-sensitive; `demo` is configured\n",
    );
    // Nothing is unknown only because plugins are switched off.
    let failed = ran(&sandbox, "--disable plugins plugin read hello@nope");
    assert!(failed.stderr.contains("`nope`"), "{}", failed.stderr);
}

#[test]
fn switches_are_named_as_they_are_typed() {
    let sandbox = with_demo();
    for (switch, value) in [("--ref", "r"), ("--sparse", "a")] {
        let failed = ran(
            &sandbox,
            &format!("marketplace add ./demo {switch} {value}"),
        );
        assert_eq!(failed.code, 1);
        assert!(
            failed
                .stderr
                .starts_with(&format!("error: {switch}: only a git ")),
            "{}",
            failed.stderr
        );
    }
}

#[test]
fn passwords_in_addresses_are_never_printed() {
    let sandbox = with_demo();
    let row = "[marketplaces.far]\nsource_type = \"git\"\n\
               source = \"https://user:hunter2@example.invalid/x\"\n";
    sandbox.write("ch/config.toml", row);
    let address = "https://user:hunter2@example.invalid/x";
    for args in [
        "marketplace list".to_owned(),
        "plugin list".to_owned(),
        "plugin add p@far".to_owned(),
        format!("marketplace add {address}"),
        format!("marketplace add {address} --ref r"),
        format!("marketplace add ./demo {address}"),
        format!("marketplace remove {address}"),
        format!("plugin add {address}"),
        address.to_owned(),
    ] {
        for args in [args.clone(), format!("{args} --json")] {
            let ran = ran(&sandbox, &args);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert_ne!(ran.code, 0, "{args}: {said}");
            assert!(!said.contains("hunter2"), "{args}: {said}");
        }
    }
}

#[test]
fn a_working_directory_that_is_gone_means_nothing() {
    let sandbox = Sandbox::new();
    let mut environment = test_environment(&sandbox);
    environment.cwd_is_gone = true;
    for args in [
        &["lock"][..],
        &["validate", "."],
        &["new", "plugin", "p"],
        &["plugin", "list"],
    ] {
        environment.args = args.iter().map(Into::into).collect();
        let ran = ran_in(&environment, &sandbox);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", 1), "{args:?}");
        assert_eq!(
            ran.stderr,
            "error: the working directory was removed\n\
             hint: change to a directory that is there, and call the command again\n"
        );
    }
    assert!(!sandbox.exists(".agents"));
}

#[test]
fn a_profile_is_no_plugin() {
    let sandbox = Sandbox::new();
    let error = answer(&sandbox, "--profile ../x plugin list --json", 2)["error"].take();
    assert_eq!(error["data"]["field"], "profile");
    let text = ran(&sandbox, "--profile ../x plugin list").stderr;
    assert!(text.starts_with("error: `../x` names no profile"), "{text}");
}

#[test]
fn a_profile_without_a_file_is_told() {
    let sandbox = Sandbox::new();
    let warning = "changes nothing: there is no `";
    let told = |line: &str| ran(&sandbox, line).stderr.contains(warning);
    for line in ["plugin list", "marketplace list", "config read"] {
        assert!(told(&format!("--profile work {line}")), "{line}");
        assert!(!told(line), "{line}");
    }
    sandbox.write("ch/work.config.toml", "");
    assert!(!told("--profile work plugin list"));
}
