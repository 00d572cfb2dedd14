//! Proves `plugd/verify` and `plugd verify`: every file that differs from what was installed is named,
//! and nothing is repaired or taken over.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, home_tree, install, plugin, shown, small, start, text};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";
const COPY: &str = "ch/plugins/cache/demo/hello/1.0.0";

fn installed() -> (Sandbox, Daemon) {
    let sandbox = small(&[("hello", "1.0.0"), ("other", "1.0.0")]);
    sandbox.add("== demo/hello/run.sh (mode 755)\necho hello\n");
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "hello");
    install(&mut daemon, MANIFEST, "other");
    (sandbox, daemon)
}

#[track_caller]
fn verify(daemon: &mut Daemon, params: Value) -> Value {
    let answer = daemon.ok("plugd/verify", params);
    shown(&answer, &daemon.sandbox().clone())
}

/// The files of the one plugin that was asked for: changed, missing, added.
#[track_caller]
fn check(items: &[&str], gone: &[&str], expected: [&[&str]; 3]) {
    let (sandbox, mut daemon) = installed();
    for item in items {
        sandbox.add(&format!("== {COPY}/{item}"));
    }
    for path in gone {
        sandbox.remove(&format!("{COPY}/{path}"));
    }
    let before = home_tree(&sandbox);
    let answer = verify(&mut daemon, json!({"pluginId": "hello@demo"}));
    let row = &answer["plugins"][0];
    assert_eq!(
        (&answer["matches"], &row["matches"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(row["namesFiles"], true, "{row:#}");
    let found = [&row["changed"], &row["missing"], &row["added"]];
    assert_eq!(found.map(Value::clone), expected.map(|files| json!(files)));
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn copies_are_what_was_installed() {
    let (_sandbox, mut daemon) = installed();
    let answer = verify(&mut daemon, json!({}));
    assert_eq!(
        (&answer["matches"], &answer["problems"]),
        (&json!(true), &json!([]))
    );
    let rows = answer["plugins"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| text(&row["pluginId"])).collect();
    assert_eq!(ids, ["hello@demo", "other@demo"]);
    for row in rows {
        assert_eq!(row["recordedDigest"], row["foundDigest"]);
        assert!(text(&row["foundDigest"]).starts_with("sha256:"));
    }
    assert_eq!(rows[0]["path"], format!("$ROOT/{COPY}"));
    daemon.shut_down();
}

#[test]
fn each_file_that_differs_is_named() {
    check(
        &["run.sh (mode 755)\necho other\n"],
        &[],
        [&["run.sh"], &[], &[]],
    );
    check(
        &["run.sh (mode 644)\necho hello\n"],
        &[],
        [&["run.sh"], &[], &[]],
    );
    check(
        &["a/b\nx\n", "log\nx\n"],
        &["run.sh"],
        [&[], &["run.sh"], &["a/b", "log"]],
    );
}

#[test]
fn a_link_in_a_copy_is_a_problem() {
    let (sandbox, mut daemon) = installed();
    sandbox.add(&format!("== {COPY}/link -> run.sh\n"));
    let row = verify(&mut daemon, json!({"pluginId": "hello@demo"}))["plugins"][0].take();
    assert_eq!(row["matches"], false);
    assert!(
        !row["problems"].as_array().unwrap().is_empty() || row["added"] != json!([]),
        "{row:#}"
    );
    daemon.shut_down();
}

#[test]
fn a_copy_of_another_program_has_nothing_to_match() {
    let sandbox = Sandbox::new();
    sandbox.add(&plugin(COPY, "hello", "1.0.0"));
    let mut daemon = start(&sandbox);
    let answer = verify(&mut daemon, json!({}));
    let row = &answer["plugins"][0];
    assert_eq!(
        (&answer["matches"], &row["recordedDigest"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(row["namesFiles"], false);
    assert!(text(&row["foundDigest"]).starts_with("sha256:"));
    daemon.shut_down();
}

#[test]
fn what_cannot_be_asked() {
    let (_sandbox, mut daemon) = installed();
    let absent = daemon.err("plugd/verify", json!({"pluginId": "absent@demo"}));
    assert_eq!(absent["data"]["kind"], "notFound", "{absent:#}");
    assert_eq!(absent["data"]["plugin"], "absent@demo");
    let bad = daemon.err("plugd/verify", json!({"pluginId": "no id"}));
    assert_eq!(bad["data"]["kind"], "invalidInput", "{bad:#}");
    daemon.shut_down();
}

#[test]
fn the_command_fails_for_a_copy_that_differs() {
    let (sandbox, mut daemon) = installed();
    daemon.shut_down();
    let fine = cli(&sandbox, &["verify"]);
    assert!(fine.status.success(), "{fine}");
    assert_eq!(
        fine.stdout,
        "hello@demo 1.0.0 is what was installed\nother@demo 1.0.0 is what was installed\n"
    );
    sandbox.add(&format!("== {COPY}/run.sh (mode 755)\necho other\n"));
    let differs = cli(&sandbox, &["verify", "hello@demo"]);
    assert_eq!(differs.status.code(), Some(1), "{differs}");
    assert_eq!(
        differs.stdout,
        "hello@demo 1.0.0 is not what was installed\n  changed: run.sh\n"
    );
    assert!(differs.stderr.contains("plugd plugin add"), "{differs}");
    let json = cli(&sandbox, &["verify", "hello@demo", "--json"]).json();
    assert_eq!(json["plugins"][0]["changed"], json!(["run.sh"]));
}
