//! What a process takes over from the one before it, counted in files that are read.

use plugd_disk::OperationKind;
use plugd_disk::tree::AtEase;
use plugd_model::AbsPath;
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::contents::tests::{JUST_NOW, LATER, store};
use crate::{Believing, Store};

const FILE: &str = "ch/plugins/.plugd/sources.json";

fn sandbox() -> Sandbox {
    Sandbox::from("== p/a.md\none\n== p/b.md\ntwo\n== q/a.md\nthree\n")
}

/// A new process compares these sources, and how many files it reads for that. Everything is the same as
/// without anything known.
fn session(sandbox: &Sandbox, sources: &[&str]) -> usize {
    let probe = RecordingProbe::new();
    let (new, fresh) = (
        store(sandbox, probe.disk(), LATER),
        store(sandbox, plugd_disk::Disk::new(), JUST_NOW),
    );
    for source in sources {
        let root = sandbox.path(source);
        let found = new
            .source_content(&root, Believing::EarlierOnes, &AtEase)
            .unwrap();
        assert_eq!(found.digest, fresh.source_digest(&root, &AtEase).unwrap());
    }
    new.keep_known_sources().unwrap();
    let operations = probe.operations().into_iter();
    let of_sources = |path: &str| sources.iter().any(|one| path.contains(&format!("/{one}/")));
    operations
        .filter(|one| one.kind == OperationKind::Read && of_sources(&one.path.to_text()))
        .count()
}

fn kept(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&sandbox.bytes(FILE)).unwrap()
}

#[test]
fn the_next_process_reads_only_what_has_changed() {
    let sandbox = sandbox();
    assert_eq!(session(&sandbox, &["p", "q"]), 3);
    assert_eq!(session(&sandbox, &["p", "q"]), 0);
    sandbox.write("p/b.md", "TWO\n");
    assert_eq!(session(&sandbox, &["p", "q"]), 2);
    assert_eq!(session(&sandbox, &["q", "p"]), 0);
    sandbox.remove("q/a.md");
    sandbox.write("q/a.md", "three\n");
    assert_eq!(session(&sandbox, &["p", "q"]), 1);
}

#[test]
fn nothing_is_written_without_news_or_of_what_has_just_changed() {
    let sandbox = sandbox();
    let new = store(&sandbox, plugd_disk::Disk::new(), JUST_NOW);
    new.source_content(&sandbox.path("p"), Believing::EarlierOnes, &AtEase)
        .unwrap();
    new.keep_known_sources().unwrap();
    assert_eq!(sandbox.tree("ch"), "");
    assert_eq!(session(&sandbox, &["p"]), 2);
    let probe = RecordingProbe::new();
    let next = store(&sandbox, probe.disk(), LATER);
    next.source_content(&sandbox.path("p"), Believing::EarlierOnes, &AtEase)
        .unwrap();
    next.keep_known_sources().unwrap();
    assert_eq!(probe.count(OperationKind::Write), 0);
}

#[test]
fn a_file_that_does_not_prove_itself_is_as_good_as_none() {
    let sandbox = sandbox();
    session(&sandbox, &["p"]);
    let root = kept(&sandbox);
    let good = root.to_string();
    let p = sandbox.path("p").to_text();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut root = root.clone();
        change(&mut root);
        root.to_string()
    };
    let other = format!("sha256:{:064}", 1);
    for bad in [
        String::new(),
        good[..good.len() / 2].to_owned(),
        "[]".to_owned(),
        changed(&|root| root["check"] = json!(other)),
        changed(&|root| root["check"] = json!(1)),
        changed(&|root| root["sources"][&p]["digest"] = json!(other)),
        changed(&|root| root["sources"][&p]["digest"] = json!("sha256:0")),
        changed(&|root| root["sources"][&p]["stamps"] = json!(7)),
        changed(&|root| root["sources"]["p"] = root["sources"][&p].clone()),
        changed(&|root| root["sources"] = json!([])),
        changed(&|root| root["version"] = json!(0)),
    ] {
        sandbox.write(FILE, &bad);
        assert_eq!(session(&sandbox, &["p"]), 2, "{bad}");
        assert_eq!(kept(&sandbox)["sources"], root["sources"], "{bad}");
        assert_eq!(session(&sandbox, &["p"]), 0, "{bad}");
    }
}

#[test]
fn what_a_newer_program_knows_is_neither_read_nor_written() {
    let sandbox = sandbox();
    session(&sandbox, &["p"]);
    let mut root = kept(&sandbox);
    root["version"] = json!(2);
    sandbox.write(FILE, root.to_string());
    assert_eq!(session(&sandbox, &["p"]), 2);
    assert_eq!(kept(&sandbox), root);
}

#[test]
fn rows_and_members_of_others_stay() {
    let sandbox = sandbox();
    assert_eq!(session(&sandbox, &["p"]), 2);
    let mut root = kept(&sandbox);
    root["theirs"] = json!({"a": 1});
    sandbox.write(FILE, root.to_string());
    assert_eq!(session(&sandbox, &["q"]), 1);
    assert_eq!(session(&sandbox, &["p", "q"]), 0);
    assert_eq!(kept(&sandbox)["theirs"], json!({"a": 1}));
}

/// What runs, can be gone back to or is written down is read by each process, and so is what somebody asks for.
#[test]
fn only_who_says_so_believes_another_process() {
    let sandbox = sandbox();
    session(&sandbox, &["p"]);
    let reads = |look: &dyn Fn(&Store, &AbsPath)| {
        let probe = RecordingProbe::new();
        let next = store(&sandbox, probe.disk(), LATER);
        look(&next, &sandbox.path("p"));
        let operations = probe.operations().into_iter();
        let of_source = |path: &AbsPath| path.starts_with(&sandbox.path("p"));
        let reads =
            operations.filter(|one| one.kind == OperationKind::Read && of_source(&one.path));
        reads.count()
    };
    let found = |believing| {
        reads(&|store, root| {
            store.source_content(root, believing, &AtEase).unwrap();
        })
    };
    assert_eq!(found(Believing::EarlierOnes), 0);
    assert_eq!(found(Believing::ThisProcess), 2);
    let content = reads(&|store, root| {
        store.content(root, &AtEase).unwrap();
    });
    assert_eq!(content, 2);
}

#[test]
fn what_is_only_there_for_a_moment_is_not_kept() {
    let sandbox = sandbox();
    let fetched = "ch/plugins/.plugd/staging/1/fetched";
    sandbox.write(&format!("{fetched}/a.md"), "one\n");
    let new = store(&sandbox, plugd_disk::Disk::new(), LATER);
    for root in [fetched, "p"] {
        assert!(!new.knows_new_sources());
        let root = sandbox.path(root);
        new.source_content(&root, Believing::EarlierOnes, &AtEase)
            .unwrap();
    }
    assert!(new.knows_new_sources());
}

#[test]
fn who_believes_nobody_does_not_read_the_file_and_writes_none_that_says_the_same() {
    let sandbox = sandbox();
    session(&sandbox, &["p"]);
    let probe = RecordingProbe::new();
    let next = store(&sandbox, probe.disk(), LATER);
    let root = sandbox.path("p");
    next.source_content(&root, Believing::ThisProcess, &AtEase)
        .unwrap();
    let file = sandbox.path(FILE);
    assert!(probe.operations().iter().all(|one| one.path != file));
    assert!(next.knows_new_sources());
    next.keep_known_sources().unwrap();
    assert!(!next.knows_new_sources());
    assert_eq!(probe.count(OperationKind::Write), 0);
}
