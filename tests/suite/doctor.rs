//! Proves `plugd doctor`: it finds what is wrong, says what to do, changes nothing, and works on a
//! broken home.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{BINARY, DEMO, cli, hold_lock};

const JOURNALS: &str = "ch/plugins/.plugd/journal";

fn installed() -> Sandbox {
    let sandbox = Sandbox::from(DEMO);
    let _ = cli(&sandbox, &["plugin", "add", "hello@demo"]).success();
    sandbox
}

/// The findings of an area as JSON, and the exit code. Nothing below the root is touched.
#[track_caller]
fn finds(sandbox: &Sandbox, area: &str) -> (Vec<Value>, i32) {
    let before = sandbox.tree("");
    let output = cli(sandbox, &["doctor", "--json"]);
    assert_eq!(sandbox.tree(""), before, "{output}");
    let json = output.json();
    let checks = json["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["area"] == area).unwrap();
    let findings = check["findings"].as_array().unwrap().clone();
    for finding in &findings {
        assert!(!finding["advice"].as_str().unwrap().is_empty(), "{finding}");
    }
    (findings, output.code())
}

#[track_caller]
fn finds_one(sandbox: &Sandbox, area: &str, message: &str, code: i32) {
    let (findings, found) = finds(sandbox, area);
    let texts: Vec<&str> = findings
        .iter()
        .filter_map(|finding| finding["problem"]["message"].as_str())
        .collect();
    let has = texts.iter().any(|text| text.contains(message));
    assert!(has, "{area}: {message}: {texts:?}");
    assert_eq!(found, code, "{area}");
}

#[test]
fn a_sound_home_is_healthy() {
    let sandbox = installed();
    let output = cli(&sandbox, &["doctor", "--json"]);
    assert_eq!(
        (output.code(), &output.json()["errors"]),
        (0, &Value::from(0)),
        "{output}"
    );
    let text = cli(&sandbox, &["doctor"]);
    for part in [
        "versions: ",
        "home: ok",
        "store: ok",
        "git: ok",
        "  libgit2: the worker starts",
    ] {
        assert!(text.success().contains(part), "{part}: {text}");
    }
}

#[test]
fn a_home_that_is_not_there_yet_is_healthy_and_stays_away() {
    let sandbox = Sandbox::new();
    let (_, code) = finds(&sandbox, "home");
    assert_eq!(code, 0);
}

#[test]
fn a_journal_that_cannot_be_understood_is_told_as_such() {
    let sandbox = installed();
    sandbox.write(&format!("{JOURNALS}/dead.json"), "{}\n");
    let (findings, code) = finds(&sandbox, "remains");
    assert_eq!((findings.len(), code), (1, 1), "{findings:?}");
    let advice = findings[0]["advice"].as_str().unwrap();
    assert!(advice.starts_with("move the file away"), "{advice}");
    // Collecting cannot undo it either, says so, and once.
    let output = cli(&sandbox, &["gc"]);
    assert_eq!(output.code(), 1, "{output}");
    let said = output.stderr.matches("dead.json").count();
    assert_eq!(
        said, 2,
        "the row names its file and the error repeats it: {output}"
    );
    assert!(
        output.stderr.ends_with("`plugd doctor` says what to do\n"),
        "{output}"
    );
    assert!(!output.stderr.contains("WARN"), "{output}");
    sandbox.remove(&format!("{JOURNALS}/dead.json"));
    assert_eq!(finds(&sandbox, "remains"), (Vec::new(), 0));
}

#[test]
fn state_of_another_format_is_an_error_and_so_is_every_change() {
    let sandbox = installed();
    sandbox.write("ch/plugins/.plugd/version", "99\n");
    finds_one(&sandbox, "versions", "has format 99", 1);
    let output = cli(&sandbox, &["plugin", "remove", "hello@demo"]);
    assert_eq!(output.code(), 1, "{output}");
    assert!(
        output.stderr.contains("hint: use the newer plugd"),
        "{output}"
    );
    let output = cli(&sandbox, &["config", "write", "x=1"]);
    assert!(
        output.stderr.contains("hint: use the newer plugd"),
        "{output}"
    );
    sandbox.write("ch/plugins/.plugd/version", "garbage");
    finds_one(&sandbox, "versions", "does not hold a format number", 1);
}

#[test]
fn a_link_above_the_copies_is_told_before_a_change_meets_it() {
    let sandbox = installed();
    sandbox.rename("ch/plugins/cache/demo", "copies");
    sandbox.add("== ch/plugins/cache/demo -> $ROOT/copies\n");
    let said = "a symbolic link is in the way at";
    finds_one(&sandbox, "store", said, 1);
    let output = cli(&sandbox, &["plugin", "remove", "hello@demo"]);
    assert_eq!(output.code(), 1, "{output}");
    let hint = "hint: move what stands there away";
    assert!(output.stderr.contains(said), "{output}");
    assert!(output.stderr.contains(hint), "{output}");
}

#[test]
fn a_configured_plugin_without_a_copy_is_told() {
    let sandbox = installed();
    assert_eq!(finds(&sandbox, "store"), (Vec::new(), 0));
    sandbox.remove("ch/plugins/cache/demo/hello/1.0.0");
    let mut config = String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap();
    config.push_str("[plugins.\"zzz@demo\"]\n[plugins.\"q@nomarket\"]\nenabled = true\n");
    config.push_str("[plugins.\"off@demo\"]\nenabled = false\n");
    sandbox.write("ch/config.toml", config);
    let (findings, code) = finds(&sandbox, "store");
    let told: Vec<(&str, &str)> = findings
        .iter()
        .filter_map(|one| Some((one["plugin"].as_str()?, one["advice"].as_str()?)))
        .collect();
    let gone = |id| format!("`plugd plugin remove {id}` takes it out of the configuration");
    let expected = [
        (
            "hello@demo",
            "`plugd plugin add hello@demo` installs it again",
        ),
        ("zzz@demo", "the marketplace `demo` does not offer it"),
        (
            "q@nomarket",
            "`plugd marketplace add` makes `nomarket` known again",
        ),
    ];
    let expected = expected.map(|(id, advice)| (id, format!("{advice}; {}", gone(id))));
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, text)| (*id, text.as_str()))
        .collect();
    assert_eq!((told, code), (expected, 0));
}

#[test]
fn switched_off_plugins_are_told() {
    let sandbox = installed();
    let output = cli(&sandbox, &["--disable", "plugins", "doctor"]);
    let text = output.success();
    assert!(
        text.contains("plugins are disabled by the configuration"),
        "{text}"
    );
    assert!(!text.contains("Everything is fine"), "{text}");
}

/// Runs the doctor as somebody who may not write there. The administrator may write everywhere, so
/// he becomes another user first.
#[cfg(target_os = "linux")]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the program runs as another user than this process, and who skips a test says so"
)]
fn doctor_of_a_stranger(sandbox: &Sandbox, home: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    use std::process::Command;

    let is_root = std::fs::metadata(sandbox.root().as_path()).unwrap().uid() == 0;
    let mut command = match is_root {
        false => Command::new(BINARY),
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", BINARY]);
            command
        }
    };
    command
        .arg("doctor")
        .env_clear()
        .env("HOME", sandbox.expand(home));
    command.current_dir("/");
    let Ok(output) = command.output() else {
        println!("skipped: there is no setpriv");
        return None;
    };
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn a_home_that_nobody_may_write_to_is_an_error() {
    use plugd_disk::Disk;

    let sandbox = installed();
    sandbox.write("user/file", "");
    sandbox.rename("ch", "user/.codex");
    let allow = |path: &str, mode| {
        let path = sandbox.path(path);
        Disk::new().set_mode(&path, mode).unwrap();
    };
    for path in ["", "user", "user/.codex"] {
        allow(path, 0o555);
    }
    let there = doctor_of_a_stranger(&sandbox, "$ROOT/user");
    let new = doctor_of_a_stranger(&sandbox, "$ROOT/user/none");
    for path in ["", "user", "user/.codex"] {
        allow(path, 0o755);
    }
    for (text, place) in [(there, "user/.codex: "), (new, "user: ")] {
        let Some(text) = text else { return };
        let line = format!("{place}nothing can be changed here: this user may not write");
        assert!(text.contains(&line), "{line}: {text}");
        assert!(text.contains("hint: see who owns it"), "{text}");
    }
}

#[test]
fn a_changed_copy_is_an_error() {
    let sandbox = installed();
    sandbox.write("ch/plugins/cache/demo/hello/1.0.0/new.txt", "x");
    let message = "the copy of `hello@demo` is not what was installed";
    finds_one(&sandbox, "store", message, 1);
}

#[test]
fn a_broken_configuration_is_told_with_its_place() {
    let sandbox = installed();
    sandbox.write("ch/config.toml", "[marketplaces\n");
    let (findings, code) = finds(&sandbox, "configuration");
    assert_eq!(
        (code, &findings[0]["problem"]["line"]),
        (1, &Value::from(1))
    );
    // A command that writes the file would refuse.
    let advice = findings[0]["advice"].as_str().unwrap();
    assert!(advice.starts_with("mend the file"), "{advice}");
}

#[cfg(unix)]
#[test]
fn links_of_the_user_that_lead_to_nothing_are_told() {
    for file in [
        "config.toml",
        "plugd.toml",
        "auth.json",
        "plugins/.plugd/links.json",
        "plugins/.plugd/approvals.json",
    ] {
        let sandbox = Sandbox::new();
        sandbox.add(&format!("== ch/{file} -> gone\n"));
        let (findings, code) = finds(&sandbox, "home");
        let problem = &findings[0]["problem"];
        assert_eq!(problem["kind"], "missing", "{file}");
        assert_eq!(
            problem["path"],
            sandbox.path(format!("ch/{file}")).to_text(),
            "{file}"
        );
        assert_eq!(code, 0, "{file}");
    }
}

#[test]
fn a_marketplace_that_is_gone_is_told() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.remove("demo");
    let (findings, code) = finds(&sandbox, "marketplaces");
    assert_eq!((findings.len(), code), (1, 1), "{findings:?}");
    let path = sandbox.path("demo");
    assert_eq!(
        findings[0]["advice"],
        format!("put `{path}` back where it was; `plugd marketplace remove demo` gives it up")
    );
}

#[test]
fn remains_of_the_dead_are_told_and_not_undone() {
    let sandbox = installed();
    let journal = json!({
        "version": 1, "operation": "install", "plugin": "hello@demo", "wasPresent": true,
        "new": null, "recordBefore": null, "config": [],
    });
    sandbox.write(&format!("{JOURNALS}/dead.json"), format!("{journal}\n"));
    // Its lock belongs to the same operation.
    sandbox.write(&format!("{JOURNALS}/dead.lock"), "");
    finds_one(&sandbox, "remains", "1 interrupted operation", 0);
    let strict = cli(&sandbox, &["doctor", "--strict"]);
    assert_eq!(strict.code(), 1, "{strict}");
    assert!(strict.stdout.contains("hint: `plugd gc`"), "{strict}");
    // What a living process works on is its own affair.
    let _lock = hold_lock(&sandbox, "store");
    let (findings, _) = finds(&sandbox, "remains");
    assert_eq!(findings, Vec::<Value>::new());
}

#[test]
fn without_a_home_there_is_still_an_answer() {
    let sandbox = Sandbox::new();
    sandbox.remove("ch");
    let output = cli(&sandbox, &["doctor", "--json"]);
    assert_eq!(output.code(), 1, "{output}");
    assert_eq!(output.json()["healthy"], false, "{output}");
    assert!(
        cli(&sandbox, &["doctor"]).stdout.contains("set HOME"),
        "no advice"
    );
}
