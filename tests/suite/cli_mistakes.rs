//! Proves what the command line says to somebody who has made a mistake, or wonders why nothing is
//! there: nothing that does nothing looks like a success, and a hint names what may have been meant.

use plugd_testkit::{Sandbox, filter};
use pretty_assertions::assert_eq;

use crate::fixtures::{DEMO, cli, small};

fn installed() -> Sandbox {
    let sandbox = Sandbox::from(DEMO);
    let _ = cli(&sandbox, &["plugin", "add", "hello@demo"]).success();
    sandbox
}

/// A command that exits with that code and says these on stderr.
#[track_caller]
fn told(sandbox: &Sandbox, args: &[&str], code: i32, parts: &[&str]) {
    let output = cli(sandbox, args);
    assert_eq!(output.code(), code, "{args:?}: {output}");
    let said = filter(&output.stderr, sandbox);
    for part in parts {
        assert!(said.contains(part), "{args:?}: {part}\n{output}");
    }
}

#[test]
fn a_skill_that_is_not_there_is_not_switched() {
    let sandbox = installed();
    sandbox.write("cwd/x/SKILL.md", "---\nname: x\ndescription: X.\n---\n");
    let before = String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap();
    let unknown = "error: no skill `hello:gret` is loaded here\n\
                   hint: did you mean `hello:greet`?\n";
    told(
        &sandbox,
        &["skills", "disable", "hello:gret"],
        1,
        &[unknown],
    );
    let all = "hint: `plugd skills list` shows which there are";
    for path in [
        "./nope/SKILL.md",
        "./x/SKILL.md",
        "../demo/plugins/hello/skills/greet/SKILL.md",
    ] {
        told(&sandbox, &["skills", "disable", path], 1, &[all]);
    }
    assert_eq!(sandbox.bytes("ch/config.toml"), before.as_bytes());
    let json = cli(&sandbox, &["skills", "disable", "hello:gret", "--json"]).json();
    assert_eq!(json["error"]["data"]["kind"], "notFound", "{json:#}");
    // What an older program has left can be taken back.
    let rule = "[[skills.config]]\nname = \"gone:skill\"\nenabled = false\n";
    sandbox.write("ch/config.toml", format!("{before}\n{rule}"));
    told(&sandbox, &["skills", "enable", "gone:skill"], 0, &[]);
    assert!(!sandbox.text("ch/config.toml").contains("gone:skill"));
}

#[test]
fn a_skill_is_switched_by_its_path_too() {
    let sandbox = installed();
    let skill = "../ch/plugins/cache/demo/hello/1.0.0/skills/greet";
    told(&sandbox, &["skills", "disable", skill], 0, &[]);
    let list = cli(&sandbox, &["skills", "list"]);
    assert!(list.success().contains("disabled"), "{list}");
}

#[test]
fn switched_off_plugins_are_told_wherever_they_are_missed() {
    let sandbox = installed();
    let _ = cli(&sandbox, &["config", "write", "features.plugins=false"]).success();
    let warning = "warning: plugins are disabled by the configuration, so nothing of them is shown\n\
                   hint: pass `--enable plugins`, or set `plugins = true`";
    for args in [
        ["plugin", "list"].as_slice(),
        &["plugin", "search", "hello"],
        &["plugin", "sync"],
        &["marketplace", "list"],
        &["skills", "list"],
        &["components"],
    ] {
        told(&sandbox, args, 0, &[warning]);
        let on = [args, &["--enable", "plugins"]].concat();
        assert_eq!(cli(&sandbox, &on).stderr, "", "{on:?}");
        let json = cli(&sandbox, &[args, &["--json"]].concat());
        assert_eq!((json.stderr.as_str(), json.code()), ("", 0), "{args:?}");
    }
}

#[test]
fn removing_what_is_not_there_says_so() {
    let sandbox = installed();
    let args = ["plugin", "remove", "helo@demo"];
    let warning = "warning: `helo@demo` was not installed\nhint: did you mean `hello@demo`?\n";
    told(&sandbox, &args, 0, &[warning]);
    // On stdout it is what the reference says.
    let said = "Removed plugin `helo` from marketplace `demo`.\n";
    assert_eq!(cli(&sandbox, &args).stdout, said);
    let there = cli(&sandbox, &["plugin", "remove", "hello@demo"]);
    assert_eq!((there.stderr.as_str(), there.code()), ("", 0), "{there}");
}

#[test]
fn a_directory_that_is_taken_for_a_repository_is_told() {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox.write("cwd/market/place/x", "");
    let hint = "hint: write `./market` for the directory here\n";
    let args = ["marketplace", "add", "market"];
    told(
        &sandbox,
        &args,
        1,
        &["error: invalid marketplace source format", hint],
    );
    told(&sandbox, &["marketplace", "add", "nothing"], 1, &[]);
    assert!(
        !cli(&sandbox, &["marketplace", "add", "nothing"])
            .stderr
            .contains("hint")
    );
}

#[test]
fn a_marketplace_that_nobody_knows_is_told_by_a_listing() {
    let sandbox = Sandbox::from(DEMO);
    let args = ["plugin", "list", "-m", "dmeo"];
    let warning = "warning: there is no marketplace `dmeo`\nhint: did you mean `demo`?\n";
    told(&sandbox, &args, 0, &[warning]);
    assert_eq!(
        cli(&sandbox, &args).stdout,
        "No plugins found in marketplace `dmeo`.\n"
    );
    assert_eq!(cli(&sandbox, &["plugin", "list", "-m", "demo"]).stderr, "");
}

#[test]
fn a_broken_marketplace_is_not_called_gone() {
    let sandbox = installed();
    sandbox.write("demo/.agents/plugins/marketplace.json", "{");
    let output = cli(&sandbox, &["plugin", "list"]);
    assert_eq!(output.code(), 1, "{output}");
    let place = "(cannot be used now; its plugins stay active until they are removed)";
    assert!(output.stdout.contains(place), "{output}");
}

#[test]
fn a_home_that_is_a_file_is_refused_by_every_command() {
    let sandbox = Sandbox::new();
    sandbox.remove("ch");
    sandbox.write("ch", "");
    for args in [
        ["plugin", "list"],
        ["marketplace", "list"],
        ["config", "read"],
    ] {
        told(
            &sandbox,
            &args,
            1,
            &["is not a directory\nhint: move what stands there away"],
        );
    }
    let doctor = cli(&sandbox, &["doctor"]);
    assert_eq!(doctor.code(), 1, "{doctor}");
    assert!(
        doctor.stdout.contains("hint: move what stands there away"),
        "{doctor}"
    );
}

#[test]
fn words_of_the_command_line_stand_in_its_errors() {
    let sandbox = Sandbox::from(DEMO);
    told(
        &sandbox,
        &["config", "write", "foo"],
        1,
        &["error: KEY=VALUE: `foo` has no value"],
    );
    let nowhere = ["components", "--cwd", "./nope"];
    told(
        &sandbox,
        &nowhere,
        1,
        &["error: --cwd: `$ROOT/cwd/nope` is no directory"],
    );
    let json = cli(&sandbox, &["plugin", "lsit", "--json"]).json();
    assert_eq!(
        json["error"]["data"]["hint"], "did you mean `list`?",
        "{json:#}"
    );
    let share = [
        "plugin",
        "share",
        "save",
        "x",
        "--id",
        "a~1",
        "--visibility",
        "private",
    ];
    told(&sandbox, &share, 2, &["--visibility"]);
    let listed = ["plugin", "share", "save", "x", "--visibility", "listed"];
    told(
        &sandbox,
        &listed,
        2,
        &["[possible values: unlisted, private]"],
    );
    let mentions = cli(&sandbox, &["mentions", "ask [@nope](plugin://nope@demo)"]);
    assert!(mentions.success().contains("nope@demo): "), "{mentions}");
}

#[test]
fn what_has_no_room_in_the_instructions_is_told() {
    let sandbox = installed();
    let args = ["instructions", "--budget", "10"];
    told(
        &sandbox,
        &args,
        0,
        &["warning: there was no room for hello@demo"],
    );
}
