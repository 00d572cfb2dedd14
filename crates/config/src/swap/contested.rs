//! Edits beside a program that rewrites the file all the time.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use plugd_disk::{Disk, Operation, OperationKind, Probe, Unsynced};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::CONTEST;
use crate::write::tests::{PATIENCE, assert_no_temporary_files, set};
use crate::{LastEdit, WriteError, Written, undo, write};

/// Adds a line to the file in the middle of each attempt of ours, until it has added them all. It
/// never sees ours, so what it writes does not have it.
struct Restless {
    sandbox: Sandbox,
    at: OperationKind,
    lines: u64,
    added: Mutex<u64>,
}

impl Probe for Restless {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let mut added = self.added.lock().unwrap();
        if operation.kind == self.at && *added < self.lines {
            let text = self.sandbox.text("ch/config.toml");
            if !text.contains("own") {
                let text = format!("{text}m{added} = 1\n");
                self.sandbox.write("foreign", text);
                self.sandbox.rename("foreign", "ch/config.toml");
                *added += 1;
            }
        }
        Ok(())
    }
}

fn beside(
    at: OperationKind,
    lines: u64,
    patience: Duration,
) -> (Arc<Restless>, Result<Written, WriteError>) {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let restless = Arc::new(Restless {
        sandbox: sandbox.clone(),
        at,
        lines,
        added: Mutex::default(),
    });
    let disk = Disk::probed(Arc::clone(&restless) as Arc<dyn Probe>);
    let written = write(
        &disk,
        &sandbox.layout(),
        &[set("own", json!(1))],
        None,
        patience,
    );
    (restless, written)
}

/// All that was added is there in its order, and nothing beside the file.
#[track_caller]
fn check_text(restless: &Restless, end: &str) {
    let added = *restless.added.lock().unwrap();
    let lines: String = (0..added).map(|line| format!("m{line} = 1\n")).collect();
    assert_eq!(
        restless.sandbox.text("ch/config.toml"),
        format!("a = 1\n{lines}{end}")
    );
    assert_no_temporary_files(&restless.sandbox);
}

#[test]
fn an_edit_is_made_as_soon_as_the_other_program_pauses() {
    for at in [OperationKind::SyncFile, OperationKind::Exchange] {
        let (restless, written) = beside(at, 60, PATIENCE);
        assert!(written.unwrap().changed, "{at:?}");
        check_text(&restless, "own = 1\n");
    }
}

#[test]
fn an_edit_is_refused_when_the_other_program_never_pauses_and_changes_nothing() {
    for at in [OperationKind::SyncFile, OperationKind::Exchange] {
        let began = Instant::now();
        let (restless, written) = beside(at, u64::MAX, Duration::from_millis(50));
        assert!(began.elapsed() >= Duration::from_millis(50), "{at:?}");
        assert!(began.elapsed() < CONTEST, "{at:?}");
        let error = written.unwrap_err();
        assert!(matches!(error, WriteError::Contested { .. }), "{error}");
        check_text(&restless, "");
    }
}

/// Others hold the lock while they try, so whoever was refused would wait for them only to find out
/// that there is nothing to take back.
#[test]
fn what_was_never_made_is_taken_back_without_the_lock() {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let (disk, layout) = (Disk::new(), sandbox.layout());
    let edits = [set("own", json!(1))];
    let record = crate::plan(&disk, &layout, &edits, &LastEdit::default())
        .unwrap()
        .undo();
    let held = disk.lock(&layout.lock("config"), Duration::ZERO).unwrap();
    let undone = undo(&disk, &layout, &record, Duration::ZERO).unwrap();
    assert_eq!(undone.left, [edits[0].key_path.clone()]);
    assert_eq!(sandbox.text("ch/config.toml"), "a = 1\n");
    // What is there is taken back under the lock only, and an empty file may be one that somebody
    // has just begun to write.
    for text in ["a = 1\nown = 1\n", ""] {
        sandbox.write("ch/config.toml", text);
        let error = undo(&disk, &layout, &record, Duration::ZERO).unwrap_err();
        assert!(matches!(error, WriteError::Locked { .. }), "{error}");
    }
    drop(held);
}

/// Writes the file to its end when it is looked at for the n-th time.
struct Finishes {
    sandbox: Sandbox,
    looks: Mutex<usize>,
}

impl Probe for Finishes {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if operation.path == &self.sandbox.path("ch/config.toml")
            && operation.kind == OperationKind::Read
        {
            let mut looks = self.looks.lock().unwrap();
            *looks = looks.wrapping_sub(1);
            if *looks == 0 {
                self.sandbox
                    .write("ch/config.toml", "a = 1\n[half]\nb = 1\n");
            }
        }
        Ok(())
    }
}

/// A file is found in the middle of being written also by whoever only looks whether an edit could be
/// made.
#[test]
fn a_text_that_is_half_written_is_no_broken_one() {
    for looks in [2, 4] {
        let sandbox = Sandbox::from("== ch/config.toml\na = 1\n[hal\n");
        let disk = Disk::probed(Arc::new(Finishes {
            sandbox: sandbox.clone(),
            looks: Mutex::new(looks),
        }));
        let (layout, edits) = (sandbox.layout(), [set("own", json!(1))]);
        let pending =
            crate::begin(&disk, &layout, &edits, None, &LastEdit::default(), PATIENCE).unwrap();
        let saved = pending.save(PATIENCE, &mut Unsynced::default());
        assert!(saved.unwrap().written().changed);
        let text = "a = 1\nown = 1\n[half]\nb = 1\n";
        assert_eq!(sandbox.text("ch/config.toml"), text, "look {looks}");
    }
}

/// The names beside the file that are ours.
fn ours(sandbox: &Sandbox) -> Vec<String> {
    let entries = Disk::new().list(&sandbox.path("ch")).unwrap().into_iter();
    let names = entries.map(|entry| entry.name.into_string().unwrap());
    names
        .filter(|name| name.starts_with(".plugd-edit-"))
        .collect()
}

#[test]
fn a_text_that_was_written_early_is_used_while_it_is_true() {
    let disk = Disk::new();
    for (meanwhile, expected) in [
        (None, "a = 1\nown = 1\n"),
        (Some("a = 2\n"), "a = 2\nown = 1\n"),
    ] {
        let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
        let (layout, edits) = (sandbox.layout(), [set("own", json!(1))]);
        let mut pending =
            crate::begin(&disk, &layout, &edits, None, &LastEdit::default(), PATIENCE).unwrap();
        pending.stage(&mut Unsynced::default()).unwrap();
        assert_eq!(ours(&sandbox).len(), 1);
        if let Some(text) = meanwhile {
            sandbox.write("ch/config.toml", text);
        }
        let saved = pending.save(PATIENCE, &mut Unsynced::default());
        assert!(saved.unwrap().written().changed);
        assert_eq!(sandbox.text("ch/config.toml"), expected);
        assert_eq!(ours(&sandbox), Vec::<String>::new());
    }
}

/// A program that had opened the file before it was exchanged writes into the old one, and is not
/// finished when the exchange is.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "another program that has the file open"
)]
fn what_is_written_into_the_replaced_file_goes_back_when_the_edit_is_durable() {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let (disk, layout) = (Disk::new(), sandbox.layout());
    let edits = [set("own", json!(1))];
    for (settles, left) in [(true, 0), (false, 1)] {
        sandbox.write("ch/config.toml", "a = 1\n");
        let mut pending =
            crate::begin(&disk, &layout, &edits, None, &LastEdit::default(), PATIENCE).unwrap();
        pending.stage(&mut Unsynced::default()).unwrap();
        let path = sandbox.path("ch/config.toml");
        let mut opened = std::fs::File::options().write(true).open(path).unwrap();
        let saved = pending.save(PATIENCE, &mut Unsynced::default()).unwrap();
        io::Write::write_all(&mut opened, b"a = 2\nb = 2\n").unwrap();
        drop(opened);
        assert_eq!(sandbox.text("ch/config.toml"), "a = 1\nown = 1\n");
        match settles {
            true => saved.settle(PATIENCE).unwrap(),
            false => drop(saved),
        }
        assert_eq!(ours(&sandbox).len(), left);
        // Who died before that leaves it to the next writer.
        let other = [set("other", json!(1))];
        write(&disk, &layout, &other, None, PATIENCE).unwrap();
        let expected = match settles {
            true => "a = 2\nb = 2\nown = 1\nother = 1\n",
            false => "a = 2\nb = 2\nother = 1\n",
        };
        assert_eq!(sandbox.text("ch/config.toml"), expected);
        assert_eq!(ours(&sandbox), Vec::<String>::new());
    }
}

#[test]
fn a_text_that_was_written_early_goes_with_the_edit() {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let (disk, layout) = (Disk::new(), sandbox.layout());
    let edits = [set("own", json!(1))];
    let mut pending =
        crate::begin(&disk, &layout, &edits, None, &LastEdit::default(), PATIENCE).unwrap();
    pending.stage(&mut Unsynced::default()).unwrap();
    drop(pending);
    assert_eq!(ours(&sandbox), Vec::<String>::new());
    assert_eq!(sandbox.text("ch/config.toml"), "a = 1\n");
}
