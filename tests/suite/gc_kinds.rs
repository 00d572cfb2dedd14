//! Proves what `plugd/gc` collects besides kept versions and mirrors, what it never touches, and that
//! its numbers are those of the disk.

use std::time::{Duration, SystemTime};

use plugd_testkit::{Daemon, GitRepo, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{hold_lock, home_tree, install, plugin, shown, small, start, text};
use crate::lock::{LOCK, lock, project};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";
const STATE: &str = "ch/plugins/.plugd";
const CHECKOUTS: &str = "ch/.tmp/marketplaces";
const NOTE: &str = ".codex-marketplace-install.json";

#[track_caller]
fn gc(daemon: &mut Daemon, dry_run: bool) -> Value {
    let answer = daemon.ok("plugd/gc", json!({"dryRun": dry_run}));
    shown(&answer, &daemon.sandbox().clone())
}

/// Files below the home and their bytes, as a program that counts them sees them.
#[expect(clippy::disallowed_methods, reason = "the count of another program")]
fn counted(sandbox: &Sandbox) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    let mut dirs = vec![sandbox.path("ch").as_path().to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let found = entry.metadata().unwrap();
            match found.is_dir() {
                true => dirs.push(entry.path()),
                false => {
                    files += 1;
                    bytes += found.len();
                }
            }
        }
    }
    (files, bytes)
}

/// Collects dry and in earnest: the same numbers, as many bytes as are gone from the disk, and
/// nothing for a second run. The rows as `kind reason name`.
#[track_caller]
fn check(daemon: &mut Daemon, expected: &[&str]) -> Value {
    let sandbox = daemon.sandbox().clone();
    let before = home_tree(&sandbox);
    let told = gc(daemon, true);
    assert_eq!(home_tree(&sandbox), before);
    let (_, bytes) = counted(&sandbox);
    let mut done = gc(daemon, false);
    let (_, left) = counted(&sandbox);
    done["dryRun"] = json!(true);
    assert_eq!(done, told);
    let freed = done["freedBytes"].as_u64().unwrap();
    assert_eq!(bytes - left, freed, "{done:#}");
    let rows = done["changes"].as_array().unwrap();
    let sum: u64 = rows.iter().map(|row| row["bytes"].as_u64().unwrap()).sum();
    assert_eq!(sum, freed);
    let totals = done["totals"].as_array().unwrap().iter();
    let sum: u64 = totals.map(|row| row["bytes"].as_u64().unwrap()).sum();
    assert_eq!(sum, freed);
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let name = text(&row["path"]).rsplit('/').next().unwrap().to_owned();
            let name = match row["kind"] == "tree" {
                true => String::new(),
                false => format!(" {name}"),
            };
            format!("{} {}{name}", text(&row["kind"]), text(&row["reason"]))
        })
        .collect();
    assert_eq!(rows, expected);
    let again = gc(daemon, false);
    assert_eq!(
        (&again["changes"], &again["freedFiles"]),
        (&json!([]), &json!(0))
    );
    done
}

/// Lets a file be so old.
#[expect(
    clippy::disallowed_methods,
    reason = "the times of files are not ours to set"
)]
fn age(sandbox: &Sandbox, path: &str, days: u64) {
    let path = sandbox.path(path);
    let file = std::fs::File::options().append(true).open(path.as_path());
    let file = file.unwrap();
    let then = SystemTime::now() - Duration::from_secs(days * 86_400);
    file.set_modified(then).unwrap();
}

#[test]
fn a_checkout_that_no_row_names_goes() {
    let sandbox = Sandbox::new();
    let repository = GitRepo::bare(&sandbox, "far");
    repository
        .commit("== .agents/plugins/marketplace.json\n{\"name\": \"far\", \"plugins\": []}\n");
    let mut daemon = start(&sandbox);
    let url = repository.file_url();
    daemon.ok("marketplace/add", json!({"source": url}));
    check(&mut daemon, &[]);
    let note = sandbox.text(&format!("{CHECKOUTS}/far/{NOTE}"));
    sandbox.add(&format!(
        "== {CHECKOUTS}/stranger/README\nmine\n== {CHECKOUTS}/.staging/x/{NOTE}\n{note}\n\
         == {CHECKOUTS}/odd/{NOTE}\n{{}}\n"
    ));
    // The row is gone and the checkout is not: an addition that was killed in between.
    sandbox.write("ch/config.toml", "");
    let lock = hold_lock_at(&sandbox, &format!("{CHECKOUTS}/.staging.lock"));
    assert_eq!(gc(&mut daemon, true)["totals"][1], Value::Null);
    drop(lock);
    // A trusted project, or a profile, may name it.
    sandbox.add("== p/.git/HEAD\nref\n");
    for (file, content) in [
        (
            "p/.codex/config.toml",
            format!("[marketplaces.far]\nsource_type = \"git\"\nsource = \"{url}\"\n"),
        ),
        ("ch/work.config.toml", "[marketplaces.far]\n".to_owned()),
    ] {
        let project = sandbox.path("p");
        let projects = format!("[projects.\"{project}\"]\ntrust_level = \"trusted\"\n");
        sandbox.write("ch/config.toml", projects);
        sandbox.write(file, content);
        gc(&mut daemon, false);
        assert!(sandbox.exists(&format!("{CHECKOUTS}/far/{NOTE}")), "{file}");
        sandbox.remove(file);
    }
    // While the configuration cannot be read, anything may be named.
    sandbox.write("ch/config.toml", "[oops\n");
    gc(&mut daemon, false);
    assert!(sandbox.exists(&format!("{CHECKOUTS}/far/{NOTE}")));
    sandbox.write("ch/config.toml", "");
    let done = gc(&mut daemon, true);
    assert_eq!(done["changes"].as_array().unwrap().len(), 1, "{done:#}");
    check(&mut daemon, &["checkout notConfigured far"]);
    for stays in ["stranger/README", ".staging/x", "odd"] {
        assert!(sandbox.exists(&format!("{CHECKOUTS}/{stays}")), "{stays}");
    }
    daemon.shut_down();
}

fn hold_lock_at(sandbox: &Sandbox, path: &str) -> plugd_disk::FileLock {
    let disk = plugd_disk::Disk::new();
    disk.try_lock(&sandbox.path(path)).unwrap().unwrap()
}

#[test]
fn what_another_program_uninstalled_goes_with_all_that_was_kept() {
    let sandbox = small(&[("hello", "1.0.0"), ("other", "1.0.0")]);
    let mut daemon = start(&sandbox);
    for version in ["1.0.0", "1.1.0"] {
        sandbox.add(&plugin("demo/hello", "hello", version));
        install(&mut daemon, MANIFEST, "hello");
    }
    install(&mut daemon, MANIFEST, "other");
    check(&mut daemon, &[]);
    let config = sandbox.text("ch/config.toml");
    // The copies are lost, and the configuration wants them back.
    sandbox.remove("ch/plugins/cache");
    check(&mut daemon, &[]);
    let without = config.replace("[plugins.\"hello@demo\"]\nenabled = true\n", "");
    assert_ne!(without, config);
    sandbox.write("ch/config.toml", without);
    let rows = ["tree unnamed", "record notInstalled hello.json"];
    let done = check(&mut daemon, &rows);
    assert_eq!(done["changes"][1]["pluginId"], "hello@demo");
    assert!(sandbox.exists(&format!("{STATE}/installed/demo/other.json")));
    daemon.shut_down();
}

/// What is pinned by a lock is named by it, whatever the window of kept versions is.
#[test]
fn what_a_lock_holds_stays() {
    let sandbox = project();
    let manifest = "$ROOT/p/market/.agents/plugins/marketplace.json";
    let mut daemon = start(&sandbox);
    install(&mut daemon, manifest, "a");
    lock(&mut daemon, json!({}));
    sandbox.write("ch/plugd.toml", "keep_versions = 0\n");
    let lease = daemon.ok("plugd/components", json!({"lease": true}));
    // Held by a lease, and then by the lock.
    check(&mut daemon, &[]);
    daemon.ok("plugd/release", json!({"leaseId": lease["leaseId"]}));
    let told = gc(&mut daemon, true);
    assert_eq!(told["changes"][0]["reason"], "copyOfInstalled");
    daemon.ok("plugd/sync", json!({"cwd": "$ROOT/p"}));
    let versions = daemon.ok("plugd/versions", json!({"pluginId": "a@team"}));
    let pin = shown(&versions["plugins"][0]["pin"], &sandbox);
    assert_eq!(pin["lockPaths"], json!([format!("$ROOT/{LOCK}")]));
    check(&mut daemon, &[]);
    daemon.ok("plugd/pin", json!({"pluginId": "a@team", "none": true}));
    check(&mut daemon, &["tree copyOfInstalled"]);
    daemon.shut_down();
}

#[test]
fn files_of_other_logins_go_when_nobody_writes_them_any_more() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let theirs = "ch/cache/remote_plugin_catalog";
    let ours = format!("{STATE}/catalog");
    sandbox.add(&format!(
        "== {theirs}/0123456789abcdef.json\n{{}}\n== {theirs}/fedcba9876543210.json\n{{}}\n\
         == {theirs}/notes.json\nmine\n== {ours}/installed-0123456789abcdef.json\n{{}}\n\
         == {ours}/featured-0123456789abcdef.json\n{{}}\n== {STATE}/version\n1\n"
    ));
    let mut daemon = start(&sandbox);
    check(&mut daemon, &[]);
    for name in ["0123456789abcdef.json", "notes.json"] {
        age(&sandbox, &format!("{theirs}/{name}"), 31);
    }
    age(
        &sandbox,
        &format!("{ours}/installed-0123456789abcdef.json"),
        31,
    );
    age(
        &sandbox,
        &format!("{ours}/featured-0123456789abcdef.json"),
        29,
    );
    // A login that cannot be read may be the one.
    sandbox.write("ch/auth.json", "{");
    check(&mut daemon, &[]);
    sandbox.remove("ch/auth.json");
    let rows = [
        "catalog unused 0123456789abcdef.json",
        "catalog unused installed-0123456789abcdef.json",
    ];
    check(&mut daemon, &rows);
    assert!(sandbox.exists(&format!("{theirs}/fedcba9876543210.json")));
    assert!(sandbox.exists(&format!("{theirs}/notes.json")));
    daemon.shut_down();
}

#[test]
fn what_killed_edits_left_goes_and_a_foreign_text_stays() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "hello");
    // The name says whose it is: that of another home is not ours.
    let owner = owner_of(&sandbox);
    let (half, foreign) = (
        format!("ch/.plugd-edit-{owner}-half-0-0-0"),
        format!("ch/.plugd-edit-{owner}-0-0-0"),
    );
    let other = "ch/.plugd-edit-0000000000000000-half-0-0-0";
    sandbox.add(&format!(
        "== {half}\nmodel = 1\n== {foreign}\nmodel = 2\n== {other}\nmodel = 3\n"
    ));
    let lock = hold_lock(&sandbox, "config");
    assert_eq!(gc(&mut daemon, false)["changes"], json!([]));
    drop(lock);
    let name = half.rsplit('/').next().unwrap();
    check(&mut daemon, &[&format!("halfWritten dead {name}")]);
    assert!(sandbox.exists(&foreign) && sandbox.exists(other));
    daemon.shut_down();
}

/// What stands for a home's configuration in the names of files beside it.
fn owner_of(sandbox: &Sandbox) -> String {
    let whose = format!("{}\nconfig.toml", sandbox.path("ch"));
    let digest = plugd_disk::tree::Digest::of_bytes(whose.as_bytes()).hex();
    digest[..16].to_owned()
}

#[test]
fn links_that_lead_nowhere_are_told_and_stay() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add(&plugin("tree", "hello", "2.0.0"));
    let mut daemon = start(&sandbox);
    daemon.ok(
        "plugd/link",
        json!({"path": "$ROOT/tree", "pluginId": "hello@demo"}),
    );
    assert_eq!(gc(&mut daemon, false)["problems"], json!([]));
    sandbox.remove("tree");
    let links = sandbox.text(&format!("{STATE}/links.json"));
    let done = check(&mut daemon, &[]);
    assert_eq!(done["problems"][0]["path"], "$ROOT/tree");
    assert_eq!(done["problems"][0]["kind"], "missing");
    assert_eq!(sandbox.text(&format!("{STATE}/links.json")), links);
    daemon.shut_down();
}

/// Everything at once, and the bytes are those that are gone.
#[test]
fn the_numbers_are_those_of_the_disk() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        sandbox.add(&plugin("demo/hello", "hello", version));
        install(&mut daemon, MANIFEST, "hello");
    }
    daemon.ok("plugd/components", json!({"lease": true}));
    daemon.kill();
    let mirror = "00000000000000000000000000000000000000000000000000000000000000bb";
    sandbox.add(&format!(
        "== {STATE}/staging/dead/x (size 500)\n== {STATE}/trash/gone/sub/x (size 30)\n\
         == {STATE}/mirrors/{mirror}/objects/x (size 700)\n== {STATE}/mirrors/{mirror}/HEAD\nx\n\
         == {STATE}/installed/demo/gone.files\nlist\n\
         == {CHECKOUTS}/gone/{NOTE}\n{{\"source\": \"https://h/x.git\"}}\n\
         == {CHECKOUTS}/gone/x (size 90)\n"
    ));
    sandbox.write("ch/plugd.toml", "keep_versions = 1\n");
    let mut daemon = start(&sandbox);
    let rows = [
        "tree",
        "tree",
        "staging dead staging",
        "trash dead trash",
        "lease dead leases",
        "record notInstalled gone.files",
        &format!("mirror notNamed {mirror}"),
        "checkout notConfigured gone",
    ];
    let done = gc(&mut daemon, true);
    let kinds: Vec<&str> = done["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| text(&row["kind"]))
        .collect();
    let expected: Vec<&str> = rows
        .iter()
        .map(|row| row.split(' ').next().unwrap())
        .collect();
    assert_eq!(kinds, expected);
    let (files, bytes) = counted(&sandbox);
    let done = gc(&mut daemon, false);
    let (files_left, bytes_left) = counted(&sandbox);
    assert_eq!(done["freedBytes"].as_u64(), Some(bytes - bytes_left));
    // Locks are made and removed on the way, so of the files only the others are counted on.
    assert!(
        done["freedFiles"]
            .as_u64()
            .unwrap()
            .abs_diff(files - files_left)
            <= 3
    );
    assert_eq!(gc(&mut daemon, false)["freedFiles"], 0);
    daemon.shut_down();
}
