//! A note says what came from where the path says, or nothing.

use plugd_disk::Disk;
use plugd_model::{Layout, PackedOrigin};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{Note, write_note};
use crate::archives::Unpacked;

#[test]
fn a_note_counts_for_its_origin_only() {
    let sandbox = Sandbox::from("== m/x\n-\n");
    let place = sandbox.path("m");
    let (disk, digest) = (Disk::new(), format!("sha256:{}", "ab".repeat(32)));
    let origin = PackedOrigin::parse("https://h.example/m.tgz").unwrap();
    let other = PackedOrigin::parse("https://h.example/other.tgz").unwrap();
    assert_eq!(Note::read(&disk, &place, &origin), None);
    let unpacked = Unpacked {
        dir: place.clone(),
        digest: digest.clone(),
        etag: Some("\"1\"".to_owned()),
        problems: Vec::new(),
    };
    write_note(&disk, &place, &origin, &unpacked).unwrap();
    let note = Note {
        digest,
        etag: Some("\"1\"".to_owned()),
    };
    let root = Layout::packed_root(&place, &origin);
    assert_eq!(Note::read(&disk, &place, &origin), Some(note.clone()));
    assert_eq!(Note::around(&disk, &root, &origin).unwrap(), Some(note));
    assert_eq!(Note::read(&disk, &place, &other), None);
    let file = Layout::packed_note(&place);
    for broken in [
        "",
        "[]",
        "{\"version\": 1, \"origin\": \"https://h.example/m.tgz\"}",
    ] {
        disk.replace(&file, broken.as_bytes(), 0o600).unwrap();
        assert_eq!(Note::read(&disk, &place, &origin), None, "{broken}");
    }
}
