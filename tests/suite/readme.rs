//! Proves that the session on the wire in the README is what the program says.

use std::path::Path;

use plugd_testkit::Sandbox;
use serde_json::Value;

use crate::fixtures::launch;

/// The lines of the session: which way they go, and what they say, with the paths of this run.
fn session(sandbox: &Sandbox) -> Vec<(char, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = include_str!("../../README.md");
    let behind = readme.split("## A session on the wire").nth(1).unwrap();
    let block = behind.split("```").nth(1).unwrap();
    let sample = root.join("examples/marketplace");
    let home = sandbox.codex_home().to_text();
    let lines = block.lines().filter(|line| !line.is_empty()).map(|line| {
        let text = line[1..]
            .replace("/home/me/sample", sample.to_str().unwrap())
            .replace("/home/me/.codex", &home)
            .replace(",…", "");
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {line}"));
        (line.chars().next().unwrap(), value)
    });
    lines.collect()
}

/// Whether a value says all that the README says; it may say more where that is cut.
fn says(found: &Value, written: &Value) -> bool {
    match (found, written) {
        (Value::Object(found), Value::Object(written)) => written.iter().all(|(name, value)| {
            // It names the machine that the session was recorded on.
            name == "userAgent" || found.get(name).is_some_and(|found| says(found, value))
        }),
        (Value::Array(found), Value::Array(written)) => {
            found.len() == written.len()
                && found
                    .iter()
                    .zip(written)
                    .all(|(found, written)| says(found, written))
        }
        _ => found == written,
    }
}

#[test]
fn the_session_of_the_readme_is_what_the_program_says() {
    let sandbox = Sandbox::new();
    let mut daemon = launch().start(&sandbox);
    let lines = session(&sandbox);
    assert!(lines.len() > 10, "{lines:?}");
    for (direction, line) in lines {
        let method = line["method"].as_str();
        match (direction, method, &line["id"]) {
            ('>', _, _) => daemon.send_raw(format!("{line}\n")),
            ('<', None, id) => {
                let answer = daemon.response(id.clone());
                assert!(says(&answer, &line), "{answer:#}\n{line:#}");
            }
            ('<', Some(method), _) => {
                // Numbers depend on how many others came before.
                let mut params = line["params"].clone();
                params["id"].take();
                let params = params.as_object().unwrap().clone();
                daemon.wait_notification(method, |told| {
                    let mut members = params.iter().filter(|(name, _)| *name != "id");
                    members.all(|(name, value)| told[name] == *value)
                });
            }
            other => panic!("{other:?}"),
        }
    }
    daemon.shut_down();
}
