use pretty_assertions::assert_eq;

use plugd_disk::tree::FileDigests;
use plugd_model::{AbsPath, OciReference, PackedOrigin, PluginId, RemotePluginId, Source};
use serde_json::{Map, Value, json};

use super::{parse_record, record_text};
use crate::fixture::version;
use crate::{Before, BoundSource, Identity, InstalledBy, Kept, Origin, Pin, Record};

fn path(text: &str) -> AbsPath {
    AbsPath::new(text).unwrap()
}

fn sample() -> Record {
    let digest = FileDigests::default().digest();
    Record {
        bound: BoundSource::Manifest(path("/m/marketplace.json")),
        source: Source::Local { path: path("/m/p") },
        commit: None,
        version: version("1.0.0"),
        source_digest: Some(digest),
        tree_digest: digest,
        installed_at: 7,
        by: InstalledBy::Request,
        before: Before::Nothing,
        kept: Vec::new(),
        pin: None,
        repaired_from: None,
        directory: Identity {
            device: 1,
            inode: 2,
            born_ns: 3,
        },
        stamps: None,
    }
}

#[track_caller]
fn check(record: &Record) {
    let text = record_text(&PluginId::parse("p@m").unwrap(), &Map::new(), record);
    let (_, read) = parse_record(text.as_bytes()).unwrap();
    assert_eq!(read.as_ref(), Ok(record));
}

#[test]
fn the_origin_of_an_archive_survives() {
    for origin in ["oci://r.example/a/b:1", "https://h.example/m.tgz"] {
        let origin = PackedOrigin::parse(origin).unwrap();
        check(&Record {
            bound: BoundSource::Packed(origin),
            ..sample()
        });
    }
}

#[test]
fn every_value_survives() {
    let digest = FileDigests::default().digest();
    check(&sample());
    check(&Record {
        stamps: Some(digest),
        bound: BoundSource::Git {
            url: "https://example.com/m.git".to_owned(),
            ref_name: Some("main".to_owned()),
        },
        source: Source::Git {
            url: "https://example.com/p.git".to_owned(),
            path: Some("sub".to_owned()),
            ref_name: None,
            sha: Some("abc".to_owned()),
        },
        commit: Some("abc".to_owned()),
        source_digest: None,
        by: InstalledBy::Adopted,
        kept: vec![Kept {
            version: version("0.9.0"),
            tree_digest: digest,
            replaced_at: 5,
            origin: Some(Origin {
                before: Before::Unknown,
                ..sample().origin()
            }),
        }],
        before: Before::Replaced {
            version: version("0.9.0"),
            tree_digest: digest,
        },
        pin: Some(Pin {
            version: version("1.0.0"),
            commit: Some("abc".to_owned()),
            tree_digest: Some(digest),
            locks: vec![AbsPath::new("/p/plugins.lock").unwrap()],
        }),
        ..sample()
    });
    check(&Record {
        repaired_from: Some(digest),
        bound: BoundSource::Curated,
        source: Source::Npm {
            package: "@a/b".to_owned(),
            version: Some("^1".to_owned()),
            registry: None,
        },
        pin: Some(Pin {
            version: version("local"),
            commit: None,
            tree_digest: None,
            locks: Vec::new(),
        }),
        ..sample()
    });
    check(&Record {
        bound: BoundSource::Remote {
            id: RemotePluginId::parse("plugins~Plugin_0a").unwrap(),
        },
        source: Source::Remote,
        ..sample()
    });
    for source in [
        Source::Oci {
            reference: OciReference::parse("oci://r.example:5000/a/b:1").unwrap(),
        },
        Source::Archive {
            url: "https://example.com/p.tgz".to_owned(),
            digest: format!("sha256:{}", "ab".repeat(32)),
        },
    ] {
        check(&Record { source, ..sample() });
    }
    for by in [InstalledBy::Refresh, InstalledBy::Sync, InstalledBy::Lock] {
        check(&Record { by, ..sample() });
    }
}

#[test]
fn every_predecessor_survives() {
    let digest = FileDigests::default().digest();
    for before in [Before::Unknown, Before::Nothing] {
        let origin = Origin {
            before: before.clone(),
            ..sample().origin()
        };
        let kept = vec![Kept {
            version: version("0.9.0"),
            tree_digest: digest,
            replaced_at: 5,
            origin: Some(origin),
        }];
        check(&Record {
            before,
            kept,
            ..sample()
        });
    }
}

#[test]
fn the_file_as_it_is_written() {
    let text = record_text(&PluginId::parse("p@m").unwrap(), &Map::new(), &sample());
    let digest = FileDigests::default().digest().to_string();
    let expected = json!({
        "version": 1,
        "plugin": "p@m",
        "bound": {"kind": "manifest", "path": "/m/marketplace.json"},
        "source": {"kind": "local", "path": "/m/p"},
        "commit": null,
        "pluginVersion": "1.0.0",
        "sourceDigest": digest,
        "treeDigest": digest,
        "installedAt": 7,
        "by": "request",
        "replaced": null,
        "kept": [],
        "pin": null,
        "repairedFrom": null,
        "directory": {"device": 1, "inode": 2, "bornNs": 3},
        "stamps": null,
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    assert!(text.ends_with("}\n"));
}

#[test]
fn unknown_members_are_kept_and_old_sources_are_not_mixed_in() {
    let digest = FileDigests::default().digest();
    let record = Record {
        kept: vec![Kept {
            version: version("0.9.0"),
            tree_digest: digest,
            replaced_at: 5,
            origin: None,
        }],
        ..sample()
    };
    let old = json!({
        "future": [1],
        "bound": {"kind": "git", "url": "u"},
        "kept": [{"treeDigest": digest.to_string(), "note": "n"}],
    });
    let Value::Object(old) = old else { panic!() };
    let text = record_text(&PluginId::parse("p@m").unwrap(), &old, &record);
    let written: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["future"], json!([1]));
    assert_eq!(written["kept"][0]["note"], json!("n"));
    assert_eq!(written["bound"].get("url"), None);
    assert_eq!(parse_record(text.as_bytes()).unwrap().1, Ok(record));
}

#[test]
fn what_cannot_be_understood_has_a_reason() {
    for text in ["", "[]", "{", "\u{0}"] {
        assert!(parse_record(text.as_bytes()).is_err(), "{text:?}");
    }
    let id = PluginId::parse("p@m").unwrap();
    let good: Value = serde_json::from_str(&record_text(&id, &Map::new(), &sample())).unwrap();
    for (member, value, part) in [
        ("version", json!(2), "format 2"),
        ("treeDigest", json!("md5:1"), "md5:1"),
        ("pluginVersion", json!("a/b"), "a/b"),
        ("by", json!("magic"), "magic"),
        ("bound", json!({"kind": "ftp"}), "ftp"),
        ("bound", json!({"kind": "git"}), "url"),
        ("bound", json!({"kind": "remote"}), "id"),
        ("bound", json!({"kind": "remote", "id": "../x"}), "../x"),
        ("source", json!({"kind": "local", "path": "x"}), "absolute"),
        ("installedAt", json!("now"), "u64"),
        ("repairedFrom", json!("sha256:1"), "sha256:1"),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let reason = parse_record(bad.to_string().as_bytes())
            .unwrap()
            .1
            .unwrap_err();
        assert!(reason.contains(part), "{member}: {reason}");
    }
}

#[test]
fn a_record_that_knows_nothing_of_repairs_is_read() {
    let id = PluginId::parse("p@m").unwrap();
    let text = record_text(&id, &Map::new(), &sample());
    let mut old: Value = serde_json::from_str(&text).unwrap();
    assert!(
        old.as_object_mut()
            .unwrap()
            .remove("repairedFrom")
            .is_some()
    );
    let (_, read) = parse_record(old.to_string().as_bytes()).unwrap();
    assert_eq!(read, Ok(sample()));
}

/// They only save reading the copy.
#[test]
fn stamps_that_are_none_spoil_nothing_and_do_not_outlive_their_copy() {
    let id = PluginId::parse("p@m").unwrap();
    let stamped = Record {
        stamps: Some(FileDigests::default().digest()),
        ..sample()
    };
    let old = parse_record(record_text(&id, &Map::new(), &stamped).as_bytes());
    let (mut members, _) = old.unwrap();
    for odd in [json!(7), json!("sha256:no"), json!(null)] {
        members.insert("stamps".to_owned(), odd);
        let text = Value::Object(members.clone()).to_string();
        assert_eq!(parse_record(text.as_bytes()).unwrap().1, Ok(sample()));
    }
    members.insert(
        "stamps".to_owned(),
        json!(stamped.stamps.unwrap().to_string()),
    );
    let text = record_text(&id, &members, &sample());
    assert_eq!(parse_record(text.as_bytes()).unwrap().1, Ok(sample()));
}
