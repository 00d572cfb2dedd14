use std::sync::Arc;

use plugd_disk::{Disk, Unsynced};
use plugd_model::ProblemKind;
use plugd_store::{ConfigUndo, Store, UndoError};
use plugd_testkit::{Sandbox, test_environment};
use pretty_assertions::assert_eq;
use serde_json::Value;

use super::{Note, committed_at, put, write_note};
use crate::Error;
use crate::source_text::GitSource;

const PLACES: &str = "\
    == ch/.tmp/marketplaces/m/a\nold\n\
    == ch/plugins/.plugd/x\n-\n";

/// Nobody here edits configuration.
struct NoEdits;

impl ConfigUndo for NoEdits {
    fn undo(&self, _: &Value) -> Result<(), UndoError> {
        Ok(())
    }

    fn is_made(&self, _: &Value, _: &mut Unsynced) -> Result<bool, UndoError> {
        Ok(true)
    }
}

fn store(sandbox: &Sandbox) -> Store {
    let environment = test_environment(sandbox);
    Store::new(
        Disk::new(),
        sandbox.layout(),
        environment.names,
        environment.clock,
        Arc::new(NoEdits),
    )
}

fn source() -> GitSource {
    GitSource {
        url: "https://example.com/r.git".to_owned(),
        ref_name: None,
        sparse_paths: vec!["a".to_owned()],
    }
}

#[test]
fn a_note_has_the_form_of_the_reference() {
    let sandbox = Sandbox::from("== m/x\n-\n");
    let checkout = sandbox.path("m");
    assert_eq!(Note::read(&Disk::new(), &checkout), None);
    write_note(&Disk::new(), &checkout, &source(), "abc", None).unwrap();
    assert_eq!(
        sandbox.text("m/.codex-marketplace-install.json"),
        "{\n  \"ref_name\": null,\n  \"revision\": \"abc\",\n  \
         \"source\": \"https://example.com/r.git\",\n  \"source_type\": \"git\",\n  \
         \"sparse_paths\": [\n    \"a\"\n  ]\n}\n"
    );
    let first_seen = committed_at(&Disk::new(), &checkout).unwrap();
    assert!(first_seen > 1_600_000_000, "{first_seen}");
    write_note(&Disk::new(), &checkout, &source(), "abc", Some(77)).unwrap();
    assert_eq!(committed_at(&Disk::new(), &checkout), Some(77));
    let note = Note::read(&Disk::new(), &checkout).unwrap();
    assert!(note.is(&source(), "abc"));
    assert!(!note.is(&source(), "abd"));
    let elsewhere = GitSource {
        ref_name: Some("v1".to_owned()),
        ..source()
    };
    assert!(!note.is(&elsewhere, "abc"));
    sandbox.write("m/.codex-marketplace-install.json", "[broken");
    assert_eq!(Note::read(&Disk::new(), &checkout), None);
}

#[test]
fn a_directory_in_the_place_of_the_note_is_the_repositorys_fault() {
    let sandbox = Sandbox::from("== m/.codex-marketplace-install.json/x\n-\n");
    let refused = write_note(&Disk::new(), &sandbox.path("m"), &source(), "abc", None).unwrap_err();
    let Error::NoMarketplaceInRepository { url, problem } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(url, "https://example.com/r.git");
    assert_eq!(problem.kind, ProblemKind::NotAFile);
}

#[test]
fn a_checkout_takes_its_place_in_one_step_and_can_be_taken_back() {
    let sandbox = Sandbox::from(PLACES);
    let store = store(&sandbox);
    let workspace = store.workspace().unwrap();
    let staged = workspace.dir().join("checkout");
    let disk = Disk::new();
    let fresh = || {
        disk.create_dirs(&staged).unwrap();
        disk.write_new(&staged.join("a"), b"new", 0o644).unwrap();
    };
    let place = sandbox.path("ch/.tmp/marketplaces/m");
    fresh();
    drop(put(&disk, &workspace, &staged, &place).unwrap());
    assert_eq!(sandbox.text("ch/.tmp/marketplaces/m/a"), "old\n");
    put(&disk, &workspace, &staged, &place).unwrap().keep();
    assert_eq!(sandbox.text("ch/.tmp/marketplaces/m/a"), "new");
    // The old one lies where it will be swept.
    assert_eq!(disk.read(&staged.join("a"), 10).unwrap(), b"old\n");

    let other = sandbox.path("ch/.tmp/marketplaces/other");
    drop(put(&disk, &workspace, &staged, &other).unwrap());
    assert_eq!(disk.link_stamp(&other).unwrap(), None);
    put(&disk, &workspace, &staged, &other).unwrap().keep();
    drop(workspace);
    assert_eq!(sandbox.text("ch/.tmp/marketplaces/other/a"), "old\n");
}
