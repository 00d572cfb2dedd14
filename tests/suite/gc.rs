//! Proves `plugd/gc` and `plugd gc`: numbers first, then the same goes away, and nothing that
//! somebody uses or names.

use plugd_testkit::{Daemon, GitRepo, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    cli, hold_lock, home_tree, install, plugin, refused, shown, small, start, text,
};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";
const STATE: &str = "ch/plugins/.plugd";

#[track_caller]
fn gc(daemon: &mut Daemon, dry_run: bool) -> Value {
    let answer = daemon.ok("plugd/gc", json!({"dryRun": dry_run}));
    shown(&answer, &daemon.sandbox().clone())
}

fn nothing(dry_run: bool) -> Value {
    json!({
        "dryRun": dry_run, "trees": [], "stagingBytes": 0, "trashBytes": 0, "deadLeases": 0,
        "mirrors": [], "changes": [], "totals": [], "freedBytes": 0, "freedFiles": 0,
        "problems": [],
    })
}

/// `hello` with two kept versions.
#[track_caller]
fn with_history() -> (Sandbox, Daemon) {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        sandbox.add(&plugin("demo/hello", "hello", version));
        install(&mut daemon, MANIFEST, "hello");
    }
    (sandbox, daemon)
}

#[test]
fn a_new_home_has_nothing_to_remove() {
    let sandbox = Sandbox::new();
    let mut daemon = start(&sandbox);
    assert_eq!(gc(&mut daemon, true), nothing(true));
    assert!(!sandbox.exists(STATE));
    assert_eq!(gc(&mut daemon, false), nothing(false));
    let answer = daemon.ok("plugd/gc", json!({}));
    assert_eq!(answer["dryRun"], false);
    daemon.shut_down();
}

#[test]
fn a_dry_run_tells_what_goes_and_removes_nothing() {
    let (sandbox, mut daemon) = with_history();
    // Both replaced versions are within the limit.
    assert_eq!(gc(&mut daemon, true), nothing(true));
    sandbox.write("ch/plugd.toml", "keep_versions = 1\n");
    let before = home_tree(&sandbox);
    let told = gc(&mut daemon, true);
    assert_eq!(home_tree(&sandbox), before);
    let tree = &told["trees"][0];
    assert_eq!(
        (&tree["reason"], told["trees"].as_array().unwrap().len()),
        (&json!("tooMany"), 1)
    );
    assert_eq!(told["freedBytes"], tree["bytes"]);
    assert!(tree["bytes"].as_u64().unwrap() > 0);
    let done = gc(&mut daemon, false);
    assert_eq!(done["trees"], told["trees"]);
    assert_eq!(done["freedBytes"], told["freedBytes"]);
    let path = text(&tree["path"]).replace("$ROOT/", "");
    assert!(!sandbox.exists(&path));
    assert_eq!(gc(&mut daemon, false), nothing(false));
    daemon.shut_down();
}

#[test]
fn what_is_leased_stays() {
    let (sandbox, mut daemon) = with_history();
    let lease = daemon.ok("plugd/components", json!({"lease": true}));
    let root = text(&lease["plugins"][0]["root"]).to_owned();
    let root = root.replace(&format!("{}/", sandbox.root()), "");
    let mut other = start(&sandbox);
    assert_eq!(gc(&mut other, false), nothing(false));
    assert!(sandbox.exists(&root));
    daemon.shut_down();
    // Without the lease it is a copy that saves copying again, and nothing else.
    let done = gc(&mut other, false);
    assert_eq!(done["trees"][0]["reason"], "copyOfInstalled");
    assert!(!sandbox.exists(&root));
    other.shut_down();
}

#[test]
fn what_a_killed_process_left_is_gone_afterwards() {
    let (sandbox, mut daemon) = with_history();
    daemon.ok("plugd/components", json!({"lease": true}));
    daemon.kill();
    let before = home_tree(&sandbox);
    let output = cli(&sandbox, &["gc", "--dry-run", "--json"]);
    let told: Value = serde_json::from_str(&output.stdout).unwrap();
    // Nothing is swept before it is told.
    assert_eq!(home_tree(&sandbox), before);
    assert_eq!(
        (&told["deadLeases"], &told["trees"][0]["reason"]),
        (&json!(1), &json!("copyOfInstalled"))
    );
    let output = cli(&sandbox, &["gc", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let mut done: Value = serde_json::from_str(&output.stdout).unwrap();
    done["dryRun"] = json!(true);
    assert_eq!(done, told);
    assert_eq!(sandbox.tree(&format!("{STATE}/leases")), "");
    let mut next = start(&sandbox);
    assert_eq!(gc(&mut next, false), nothing(false));
    next.shut_down();
}

/// The first look at a home is the one that recovers it, so what it sweeps must be in the numbers.
#[test]
fn what_recovery_sweeps_is_told_by_the_first_collection_of_a_home() {
    let (sandbox, mut daemon) = with_history();
    daemon.ok("plugd/components", json!({"lease": true}));
    daemon.kill();
    let unnamed = "00000000000000000000000000000000000000000000000000000000000000aa";
    sandbox.add(&format!(
        "== {STATE}/trees/{unnamed}/x (size 70)\n== {STATE}/staging/dead/x (size 500)\n\
         == {STATE}/trash/gone/x (size 30)\n== {STATE}/trees/notes/x\nmine\n"
    ));
    let mut told = gc(&mut start(&sandbox), true);
    let done = gc(&mut start(&sandbox), false);
    told["dryRun"] = json!(false);
    assert_eq!(done, told);
    assert_eq!(
        (
            &done["stagingBytes"],
            &done["trashBytes"],
            &done["deadLeases"]
        ),
        (&json!(500), &json!(30), &json!(1))
    );
    let reasons: Vec<&str> = done["trees"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["reason"]))
        .collect();
    assert_eq!(reasons.len(), 2, "{done:#}");
    assert!(reasons.contains(&"unnamed") && reasons.contains(&"copyOfInstalled"));
    assert_eq!(
        done["problems"][0]["path"],
        format!("$ROOT/{STATE}/trees/notes")
    );
    assert_eq!(sandbox.tree(&format!("{STATE}/staging")), "");
}

#[test]
fn mirrors_that_nothing_names_go() {
    let sandbox = Sandbox::new();
    let repository = GitRepo::bare(&sandbox, "far");
    repository
        .commit("== .agents/plugins/marketplace.json\n{\"name\": \"far\", \"plugins\": []}\n");
    let mut daemon = start(&sandbox);
    daemon.ok("marketplace/add", json!({"source": repository.file_url()}));
    let mirrors = format!("{STATE}/mirrors");
    assert!(!sandbox.tree(&mirrors).is_empty());
    // It is configured, so it stays.
    assert_eq!(gc(&mut daemon, false), nothing(false));
    daemon.ok("marketplace/remove", json!({"marketplaceName": "far"}));
    let told = gc(&mut daemon, true);
    assert_eq!(told["mirrors"].as_array().unwrap().len(), 1);
    assert_eq!(told["freedBytes"], told["mirrors"][0]["bytes"]);
    let path = text(&told["mirrors"][0]["path"]).replace("$ROOT/", "");
    let name = path.rsplit('/').next().unwrap().to_owned();
    // One that somebody uses is left alone and not counted.
    let lock = hold_lock(&sandbox, &format!("mirror-{name}"));
    assert_eq!(gc(&mut daemon, true), nothing(true));
    assert_eq!(gc(&mut daemon, false), nothing(false));
    assert!(sandbox.exists(&path));
    drop(lock);
    // While something cannot be read that may name it, it stays, too.
    sandbox.write("ch/config.toml", "[oops\n");
    let kept = gc(&mut daemon, false);
    assert_eq!(
        (&kept["mirrors"], &kept["problems"][0]["kind"]),
        (&json!([]), &json!("unreadable"))
    );
    assert!(sandbox.exists(&path));
    sandbox.write("ch/config.toml", "");
    let done = gc(&mut daemon, false);
    assert_eq!(done["mirrors"], told["mirrors"]);
    assert_eq!(sandbox.tree(&mirrors), "");
    daemon.shut_down();
}

#[test]
fn the_command_line() {
    let (sandbox, mut daemon) = with_history();
    daemon.shut_down();
    let output = cli(&sandbox, &["gc"]);
    assert_eq!(
        (output.status.code(), output.stdout.as_str()),
        (Some(0), "Nothing to remove.\n")
    );
    sandbox.write("ch/plugd.toml", "keep_versions = 0\n");
    let output = cli(&sandbox, &["gc", "--dry-run"]);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 7, "{}", output.stdout);
    assert!(lines[0].starts_with("Would remove ") && lines[6].starts_with("This would free "));
    assert_eq!(lines[3], "WHAT      ENTRIES  FILES  SIZE");
    assert!(lines[4].starts_with("versions  2        "), "{}", lines[4]);
    let output = cli(&sandbox, &["gc", "--json"]);
    let done: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(done["trees"].as_array().unwrap().len(), 2);
    assert_eq!(cli(&sandbox, &["gc"]).stdout, "Nothing to remove.\n");
}

#[test]
fn refusals() {
    let (sandbox, mut daemon) = with_history();
    for params in [json!({"dryRun": "no"}), json!({"dryRun": 1}), json!(["x"])] {
        assert_eq!(
            refused(&mut daemon, "plugd/gc", params),
            "-32602 invalidParams"
        );
    }
    let request = daemon.request("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    gc(&mut daemon, true);
    daemon.response(request);
    sandbox.write(&format!("{STATE}/version"), "99\n");
    let error = daemon.err("plugd/gc", json!({}));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    daemon.shut_down();
}
