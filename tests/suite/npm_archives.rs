//! Proves that the archive of an npm package is what its registry said, and that none can do harm.

use plugd_testkit::{TarEntry, TarKind};
use serde_json::{Value, json};

use crate::fixtures::{plugin, text};
use crate::npm_plugin_install::{Shop, files};

/// What a plugin's archive holds, so that only the rest of it can be wrong.
fn entries(more: Vec<TarEntry>) -> Vec<TarEntry> {
    let manifest = json!({"name": "p", "version": "1.0.0"}).to_string();
    let package = json!({"name": "tool", "version": "1.0.0"}).to_string();
    let mut all = vec![
        TarEntry::file("package/package.json", package),
        TarEntry::file("package/.codex-plugin/plugin.json", manifest),
    ];
    all.extend(more);
    all
}

#[test]
fn digests_are_checked() {
    type Edit = fn(&mut Value);
    let wrong: [(&str, Edit); 5] = [
        ("another sha512", |about| {
            about["dist"]["integrity"] = json!(format!("sha512-{}==", "A".repeat(86)));
        }),
        (
            "a sha1 that is right beside a sha512 that is not",
            |about| {
                let integrity = format!("sha1-AAAA sha512-{}==", "B".repeat(86));
                about["dist"]["integrity"] = json!(integrity);
            },
        ),
        ("another sha1 and nothing else", |about| {
            about["dist"]["integrity"].take();
            about["dist"]["shasum"] = json!("0".repeat(40));
        }),
        ("no digest", |about| {
            about["dist"]["integrity"].take();
            about["dist"]["shasum"].take();
        }),
        ("no archive", |about| {
            about["dist"].take();
        }),
    ];
    for (what, edit) in wrong {
        let shop = Shop::open();
        shop.registry.edit("tool", "1.0.0", edit);
        let error = shop.refused(&["invalidInput", "unavailable"]);
        assert!(!text(&error["message"]).is_empty(), "{what}");
    }
    let shop = Shop::open();
    shop.registry.edit("tool", "1.0.0", |about| {
        about["dist"]["integrity"].take();
    });
    assert_eq!(shop.installed(), "1.0.0");
}

#[test]
fn archives_that_attack() {
    let file = |path: &str| TarEntry::file(path, "x");
    let deep = format!("package/{}", "d/".repeat(200));
    for (what, more) in [
        ("out of it", vec![file("package/../../../marker")]),
        ("the root", vec![file("/marker")]),
        ("another root", vec![file("other/x")]),
        (".git", vec![file("package/.git/config")]),
        (".GIT", vec![file("package/.GIT/config")]),
        (
            "a device",
            vec![TarEntry::new("package/null", TarKind::Device)],
        ),
        ("a pipe", vec![TarEntry::new("package/pipe", TarKind::Fifo)]),
        ("twice", vec![file("package/a"), file("package/a")]),
        ("in two cases", vec![file("package/A"), file("package/a")]),
        (
            "a file as a directory",
            vec![file("package/a"), file("package/a/b")],
        ),
        ("deep", vec![file(&format!("{deep}x"))]),
        (
            "a long name",
            vec![file(&format!("package/{}", "n".repeat(300)))],
        ),
        ("a control character", vec![file("package/a\u{7}b")]),
        (
            "a link, then through it",
            vec![
                TarEntry::new("package/l", TarKind::Link("../../../..".to_owned())),
                file("package/l/marker"),
            ],
        ),
    ] {
        let shop = Shop::open();
        shop.registry
            .publish_entries("tool", "1.0.0", &entries(more));
        let error = shop.refused(&["invalidInput"]);
        assert!(!shop.sandbox.exists("marker"), "{what}: {error:#}");
    }
}

#[test]
fn links_are_left_out() {
    let shop = Shop::open();
    let more = vec![
        TarEntry::new("package/out", TarKind::Link("/etc/passwd".to_owned())),
        TarEntry::file("package/notes.md", "x"),
    ];
    shop.registry
        .publish_entries("tool", "1.0.0", &entries(more));
    assert_eq!(shop.installed(), "1.0.0");
    assert!(!shop.sandbox.exists("ch/plugins/cache/demo/p/1.0.0/out"));
    assert!(
        shop.sandbox
            .exists("ch/plugins/cache/demo/p/1.0.0/notes.md")
    );
}

#[test]
fn archives_that_are_none_or_another_s() {
    for bytes in [
        b"".to_vec(),
        b"no archive".to_vec(),
        vec![0x1f, 0x8b, 8, 0, 0],
    ] {
        let shop = Shop::open();
        shop.registry.publish_bytes("tool", "1.0.0", bytes);
        shop.refused(&["invalidInput"]);
    }
    let shop = Shop::open();
    let other = json!({"name": "other", "version": "1.0.0"});
    let fixture = files("1.0.0") + &format!("== package.json\n{other}\n");
    shop.registry.publish("tool", "1.0.0", &fixture);
    shop.refused(&["invalidInput"]);
    // The package is right and the plugin in it is not.
    let shop = Shop::open();
    let stranger = plugin("top", "q", "1.0.0").replace("== top/", "== ");
    shop.registry.publish("tool", "1.0.0", &stranger);
    shop.refused(&["invalidInput"]);
}
