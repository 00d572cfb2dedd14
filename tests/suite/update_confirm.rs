//! Proves that `plugd/update` asks before a plugin can do more, that a yes is worth exactly what was
//! shown, and what the commands of both make of it.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, home_tree, plugin, text, with};
use crate::remotes::nothing_left;
use crate::update::{told, update};
use crate::versions::{CACHE, through};

const HOOKS: &str = "demo/hello/hooks/hooks.json";

fn hooks(command: &str) -> String {
    json!({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": command}]}]}}).to_string()
}

fn careful(members: Value) -> Value {
    let params = json!({"pluginId": "hello@demo", "confirm": "capabilities"});
    with(params, members)
}

#[test]
fn what_could_do_more_waits_until_exactly_that_is_agreed_to() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    sandbox.write(HOOKS, hooks("echo one"));
    let before = home_tree(&sandbox);
    let row = update(&mut daemon, careful(json!({}))).remove(0);
    assert_eq!(told(&row), "hello@demo 1.0.0 -> 2.0.0 needsConfirmation");
    assert_eq!(home_tree(&sandbox), before);
    let grew = row["grew"].as_array().unwrap();
    assert_eq!(grew.len(), 1, "{row:#}");
    assert_eq!(
        (&grew[0]["category"], &grew[0]["from"]),
        (&json!("hook"), &Value::Null)
    );
    assert!(text(&grew[0]["to"]).contains("echo one"));
    assert!(
        row["difference"]["changes"]
            .as_array()
            .unwrap()
            .contains(&grew[0])
    );
    let first = row["toDigest"].clone();

    // It moves in between: what was agreed to is not what would come.
    sandbox.write(HOOKS, hooks("echo two"));
    let row = update(&mut daemon, careful(json!({"confirmed": [first]}))).remove(0);
    assert_eq!(told(&row), "hello@demo 1.0.0 -> 2.0.0 needsConfirmation");
    assert_ne!(row["toDigest"], first);
    assert_eq!(home_tree(&sandbox), before);

    let agreed = json!({"confirmed": [row["toDigest"]]});
    let row = update(&mut daemon, careful(agreed)).remove(0);
    assert_eq!(told(&row), "hello@demo 1.0.0 -> 2.0.0 newer!");
    assert!(sandbox.exists(&format!("{CACHE}/2.0.0")));
    nothing_left(&sandbox);

    // A hook that does something else is asked about too, other notes are not.
    sandbox.write(HOOKS, hooks("echo three"));
    let row = update(&mut daemon, careful(json!({}))).remove(0);
    assert_eq!(row["reason"], "needsConfirmation");
    assert!(
        text(&row["grew"][0]["from"]).contains("echo two"),
        "{row:#}"
    );
    sandbox.write(HOOKS, hooks("echo two"));
    sandbox.write("demo/hello/notes.md", "other\n");
    let row = update(&mut daemon, careful(json!({}))).remove(0);
    assert_eq!(told(&row), "hello@demo 2.0.0 -> 2.0.0 content!");
    // Less is nothing to ask about.
    sandbox.remove(HOOKS);
    let row = update(&mut daemon, careful(json!({}))).remove(0);
    assert_eq!((&row["changed"], &row["grew"]), (&json!(true), &json!([])));
    daemon.shut_down();
}

#[test]
fn each_capability_counts() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    let mut check = |files: &str, category: &str| {
        sandbox.add(files);
        let row = update(&mut daemon, careful(json!({}))).remove(0);
        let grew: Vec<&str> = row["grew"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| text(&one["category"]))
            .collect();
        assert!(grew.contains(&category), "{files}: {row:#}");
        assert_eq!(row["reason"], "needsConfirmation");
        let agreed = json!({"confirmed": [row["toDigest"]]});
        assert_eq!(
            update(&mut daemon, careful(agreed)).remove(0)["changed"],
            true
        );
    };
    let dir = "demo/hello";
    check(&format!("== {dir}/run.sh (mode 755)\necho\n"), "executable");
    let servers = json!({"mcpServers": {"clock": {"command": "clock"}}});
    check(&format!("== {dir}/.mcp.json\n{servers}\n"), "mcpServer");
    let servers = json!({"mcpServers": {"clock": {"command": "clock", "args": ["-v"]}}});
    check(&format!("== {dir}/.mcp.json\n{servers}\n"), "mcpServer");
    check(
        &format!("== {dir}/run.sh (mode 755)\necho $SECRET_TOKEN\n"),
        "environment",
    );
    let skill = "---\ndescription: a\u{200b}b\n---\nx\n";
    check(
        &format!("== {dir}/skills/s/SKILL.md\n{skill}"),
        "hiddenCharacters",
    );
    daemon.shut_down();
}

#[test]
fn without_a_wish_to_be_asked_it_comes_and_says_what_grew() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    sandbox.write(HOOKS, hooks("echo"));
    let row = update(&mut daemon, json!({"pluginId": "hello@demo"})).remove(0);
    assert_eq!(row["grew"].as_array().unwrap().len(), 1);
    assert_eq!(told(&row), "hello@demo 1.0.0 -> 1.0.0 content!");
    daemon.shut_down();
}

#[test]
fn the_commands() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    daemon.shut_down();
    let run = |args: &[&str]| cli(&sandbox, &[&["plugin"], args].concat());
    let current = "Everything is what its source has.\n";
    assert_eq!(run(&["outdated"]).stdout, current);
    assert_eq!(
        run(&["update", "--dry-run"]).stdout,
        "hello@demo needs no change.\n"
    );
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    sandbox.write(HOOKS, hooks("echo"));
    let outdated = run(&["outdated"]);
    assert!(
        outdated.stdout.contains("2.0.0      a newer version"),
        "{outdated}"
    );
    let asked = run(&["update", "--confirm"]);
    assert_eq!(asked.status.code(), Some(1), "{asked}");
    let lines: Vec<&str> = asked.stdout.lines().collect();
    assert_eq!(lines[0], "hello@demo stays at 1.0.0: 2.0.0 could do more.");
    assert!(lines[1].starts_with("  new hook "), "{asked}");
    let (_, command) = lines[2].split_once("plugd plugin ").unwrap();
    let args: Vec<&str> = command.split(' ').collect();
    let done = run(&args);
    assert!(done.status.success(), "{done}");
    assert!(
        done.stdout
            .starts_with("hello@demo went from 1.0.0 to 2.0.0.\n"),
        "{done}"
    );
    let json = run(&["update", "hello@demo", "--json"]).json();
    assert_eq!(json["changes"][0]["reason"], "current");
}
