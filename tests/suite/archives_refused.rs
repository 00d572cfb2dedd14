//! Proves that an archive of plugins that is not what it says, or holds what none may hold, is refused
//! with the name of the entry, and that nothing has changed then.

use plugd_testkit::Sandbox;
use plugd_testkit::service::Bundle;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::archives::{ARCHIVE, export, import, other, repack, unpack, visible, world};
use crate::fixtures::{DEMO_MANIFEST, install, plugin, refused, start, text};
use crate::git_plugin_install::{Shop, p};

fn index(sandbox: &Sandbox) -> Value {
    let index = sandbox.text("unpacked/plugd-export.json");
    serde_json::from_str(&index).unwrap()
}

/// A file of the plugin, as the index names it.
fn content(index: &Value) -> String {
    let mut files = index["files"].as_array().unwrap().iter();
    let file = files.find(|row| text(&row["path"]).ends_with("/notes.md"));
    text(&file.unwrap()["path"]).to_owned()
}

#[test]
fn an_archive_that_is_not_what_it_says_changes_nothing() {
    let sandbox = world();
    let mut first = start(&sandbox);
    export(&mut first, json!({"plugins": ["hooked@team"]}));
    first.shut_down();
    let mut second = other(&sandbox);
    let good = plugd_disk::Disk::new();
    let good = good.read(&sandbox.path(ARCHIVE), 1 << 30).unwrap();
    let mut check = |expected: &str| {
        let error = second.err("plugd/import", import());
        assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
        let (message, field) = (&error["message"], &error["data"]["field"]);
        let told = format!("{message} {field} {}", error["data"]["causes"]);
        assert!(told.contains(expected), "{expected}: {error:#}");
        assert_eq!(visible(&sandbox), "");
    };
    // Cut, bent, and no archive at all.
    sandbox.write(ARCHIVE, &good[..good.len() - 9]);
    check("cannot be used");
    sandbox.write(ARCHIVE, &good[..good.len() / 2]);
    check("cannot be used");
    sandbox.write(ARCHIVE, "hello");
    check("cannot be used");
    let restore = || {
        sandbox.write(ARCHIVE, &good);
        sandbox.remove("unpacked");
        unpack(&sandbox);
    };
    sandbox.add("== unpacked/x\nx\n");
    // One file changed, gone, or more.
    restore();
    let notes = content(&index(&sandbox));
    sandbox.write(&format!("unpacked/{notes}"), "evil\n");
    repack(&sandbox);
    check(&notes);
    restore();
    sandbox.remove(&format!("unpacked/{notes}"));
    repack(&sandbox);
    check("is missing");
    restore();
    sandbox.write("unpacked/trees/more", "x\n");
    repack(&sandbox);
    check("trees/more");
    // The index agrees, and the lock does not.
    restore();
    let text_of = sandbox.text("unpacked/plugd-export.json");
    let was = index(&sandbox);
    let mut files = was["files"].as_array().unwrap().iter();
    let row = files.find(|row| row["path"] == notes.as_str()).unwrap();
    let sha256 = plugd_disk::tree::Digest::of_bytes(b"evil\n").hex();
    sandbox.write(&format!("unpacked/{notes}"), "evil\n");
    let changed = text_of.replace(text(&row["sha256"]), &sha256);
    sandbox.write("unpacked/plugd-export.json", changed);
    repack(&sandbox);
    check("is not what the lock in it names");
    // Another program's archive, and a later one of ours.
    restore();
    sandbox.remove("unpacked/plugd-export.json");
    repack(&sandbox);
    check("is no export of plugins");
    restore();
    let newer = text_of.replacen("\"version\": 1", "\"version\": 2", 1);
    sandbox.write("unpacked/plugd-export.json", newer);
    repack(&sandbox);
    check("has format 2");
    let gone = json!({"path": "$ROOT/out/gone"});
    assert_eq!(
        refused(&mut second, "plugd/import", gone),
        "-32600 notFound"
    );
    assert_eq!(visible(&sandbox), "");
    restore();
    second.ok("plugd/import", import());
    second.shut_down();
    assert_eq!(sandbox.tree("ch2/plugins/.plugd/staging"), "");
}

/// An address that leads to another machine here than it did there.
#[test]
fn an_address_of_this_machine_is_no_source_of_an_archive() {
    let sandbox = world();
    let mut first = start(&sandbox);
    export(&mut first, json!({"plugins": ["hooked@team"]}));
    first.shut_down();
    let mut second = other(&sandbox);
    sandbox.add("== unpacked/x\nx\n");
    sandbox.remove("unpacked");
    unpack(&sandbox);
    let raw = plugd_disk::Disk::new();
    let raw = raw.read(&sandbox.path("unpacked/plugins.lock"), 1 << 20);
    let before = String::from_utf8(raw.unwrap()).unwrap();
    let source = "source = { archive = \"http://127.0.0.1:1/a.tgz\" }";
    let digest = format!("digest = \"sha256:{}\"", "0".repeat(64));
    let locked = "source = { path = \"./hooked\" }";
    let lock = before.replace(locked, &format!("{source}\n{digest}"));
    assert!(lock.contains(source), "{lock}");
    let sha256 = |text: &str| plugd_disk::tree::Digest::of_bytes(text.as_bytes()).hex();
    let index = sandbox.text("unpacked/plugd-export.json");
    let changed = index.replace(&sha256(&before), &sha256(&lock));
    sandbox.write("unpacked/plugins.lock", lock);
    sandbox.write("unpacked/plugd-export.json", changed);
    repack(&sandbox);
    let error = second.err("plugd/import", import());
    assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
    assert!(text(&error["message"]).contains("plain http"), "{error:#}");
    assert_eq!(visible(&sandbox), "");
    second.shut_down();
}

/// What is written is what can be taken in, and what is not written is told.
#[test]
fn what_no_import_would_take_is_not_exported() {
    let shop = Shop::open();
    shop.offer(&[
        ("p", json!({"source": "url", "url": shop.url})),
        ("q", json!("./q")),
    ]);
    shop.sandbox.add(&plugin("demo/q", "q", "1.0.0"));
    shop.sandbox.add("== out/\n");
    let mut daemon = shop.start();
    daemon.ok("plugin/install", p());
    let told = "to this machine only";
    for (named, kind) in [(json!([]), "notFound"), (json!(["p@demo"]), "invalidInput")] {
        let params = json!({"path": format!("$ROOT/{ARCHIVE}"), "plugins": named});
        let error = daemon.err("plugd/export", params);
        assert_eq!(error["data"]["kind"], kind, "{error:#}");
        assert!(text(&error["message"]).contains(told), "{error:#}");
        assert!(!shop.sandbox.exists(ARCHIVE));
    }
    install(&mut daemon, DEMO_MANIFEST, "q");
    let answer = export(&mut daemon, json!({}));
    let ids: Vec<&str> = answer["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plugin| text(&plugin["pluginId"]))
        .collect();
    assert_eq!(ids, ["q@demo"]);
    let problem = text(&answer["problems"][0]["message"]);
    assert!(
        problem.starts_with("`p@demo` is not in the archive") && problem.contains(told),
        "{answer:#}"
    );
    daemon.shut_down();
    let mut second = other(&shop.sandbox);
    second.ok("plugd/import", import());
    second.shut_down();
}

#[test]
fn a_hostile_archive_writes_nothing_anywhere() {
    let sandbox = Sandbox::from("== out/\n");
    let mut daemon = other(&sandbox);
    let begun = || Bundle::new("x", "1.0.0").without_manifest();
    for (bundle, named) in [
        (begun().file("../evil", "x"), "../evil"),
        (begun().file("/tmp/evil", "x"), "/tmp/evil"),
        (begun().file("trees/.git/config", "x"), ".git"),
        (begun().link("trees/evil", "/etc/passwd"), "trees/evil"),
        (begun().hard_link("trees/evil", "/etc/passwd"), "trees/evil"),
        (begun().device("trees/evil"), "trees/evil"),
        (begun().file("a", "x").file("a", "y"), "`a`"),
        (begun().zeros("trees/bomb", 64 << 20), "of content"),
        (begun().file("a", "x"), "plugd-export.json"),
    ] {
        sandbox.write(ARCHIVE, bundle.build());
        let error = daemon.err("plugd/import", import());
        assert_eq!(error["data"]["kind"], "invalidInput", "{error:#}");
        let message = text(&error["message"]);
        assert!(message.contains(named), "{named}: {message}");
        assert_eq!(visible(&sandbox), "");
        assert!(!sandbox.exists("ch2/plugins/.plugd/staging/evil"));
    }
    daemon.shut_down();
    assert_eq!(sandbox.tree("ch2/plugins/.plugd/staging"), "");
}
