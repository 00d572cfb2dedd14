use std::io::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_testkit::{Fault, RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::write::tests::{PATIENCE, assert_no_temporary_files, set, write_to};
use crate::{WriteError, Written, write};

/// A foreign program that takes no lock: right before the n-th exchange it writes its own text.
struct Foreign {
    sandbox: Sandbox,
    texts: Mutex<Vec<&'static [u8]>>,
    by_rename: bool,
}

impl Probe for Foreign {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if operation.kind == OperationKind::Exchange
            && let Some(text) = self.texts.lock().unwrap().pop()
        {
            if self.by_rename {
                self.sandbox.write("foreign", text);
                self.sandbox.rename("foreign", "ch/config.toml");
            } else {
                self.sandbox.write("ch/config.toml", text);
            }
        }
        Ok(())
    }
}

/// A foreign program, and a disk that fails once, at operation `left`.
struct FailsOnce {
    foreign: Foreign,
    left: Mutex<usize>,
}

impl Probe for FailsOnce {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        self.foreign.before(operation)?;
        let mut left = self.left.lock().unwrap();
        *left = left.wrapping_sub(1);
        if *left == 0 {
            return Err(io::Error::other("refused by the test"));
        }
        Ok(())
    }
}

fn beside_foreign(
    texts: &[&'static [u8]],
    by_rename: bool,
) -> (Sandbox, Result<Written, WriteError>) {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let probe = Foreign {
        sandbox: sandbox.clone(),
        texts: Mutex::new(texts.iter().rev().copied().collect()),
        by_rename,
    };
    let disk = Disk::probed(Arc::new(probe));
    let written = write(
        &disk,
        &sandbox.layout(),
        &[set("own", json!(1))],
        None,
        PATIENCE,
    );
    (sandbox, written)
}

#[test]
fn a_foreign_edit_in_between_survives() {
    for by_rename in [false, true] {
        let (sandbox, written) = beside_foreign(&[b"a = 1\nforeign = 1\n"], by_rename);
        assert!(written.unwrap().changed);
        assert_eq!(
            sandbox.text("ch/config.toml"),
            "a = 1\nforeign = 1\nown = 1\n"
        );
        assert_no_temporary_files(&sandbox);
    }
}

#[test]
fn a_foreign_edit_that_is_broken_goes_back() {
    for text in [b"a = 1\nforeign = \n".as_slice(), b"\xff"] {
        let (sandbox, written) = beside_foreign(&[text], true);
        assert!(
            matches!(written, Err(WriteError::Broken { .. })),
            "{written:?}"
        );
        assert_eq!(sandbox.bytes("ch/config.toml"), text);
        assert_no_temporary_files(&sandbox);
    }
}

#[test]
fn a_foreign_edit_that_the_edit_does_not_fit_on_goes_back() {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let probe = Foreign {
        sandbox: sandbox.clone(),
        texts: Mutex::new(vec![b"own = 1\n"]),
        by_rename: true,
    };
    let disk = Disk::probed(Arc::new(probe));
    let edits = [set("own.key", json!(1))];
    let error = write(&disk, &sandbox.layout(), &edits, None, PATIENCE).unwrap_err();
    assert!(matches!(error, WriteError::Invalid { .. }), "{error}");
    assert_eq!(sandbox.text("ch/config.toml"), "own = 1\n");
    assert_no_temporary_files(&sandbox);
}

/// The files beside the configuration that somebody should look at, as their texts.
fn rescued(sandbox: &Sandbox) -> Vec<String> {
    let entries = Disk::new().list(&sandbox.codex_home()).unwrap();
    let names = entries.iter().filter_map(|entry| entry.name.to_str());
    names
        .filter(|name| name.starts_with("config.toml.rescued-"))
        .map(|name| sandbox.text(&format!("ch/{name}")))
        .collect()
}

#[test]
fn the_last_of_two_foreign_edits_in_a_row_counts() {
    // Whoever wrote the second one had not read ours, so without us nothing else had come of it.
    let (sandbox, written) = beside_foreign(&[b"x = 1\n", b"y = 1\n"], true);
    assert!(written.is_ok());
    assert_eq!(sandbox.text("ch/config.toml"), "y = 1\nown = 1\n");
    assert_no_temporary_files(&sandbox);
}

#[test]
fn a_foreign_edit_that_another_one_could_not_see_is_kept() {
    let ours = b"a = 1\nown = 1\n[second]\n";
    let (sandbox, written) = beside_foreign(&[b"a = 1\nfirst = 1\n", ours], true);
    assert!(written.is_ok());
    assert_eq!(sandbox.bytes("ch/config.toml"), ours);
    assert_eq!(rescued(&sandbox), ["a = 1\nfirst = 1\n"]);
    // One that has all of it makes no file.
    let both = b"a = 1\nown = 1\nfirst = 1\n[second]\n";
    let (sandbox, written) = beside_foreign(&[b"a = 1\nfirst = 1\n", both], true);
    assert!(written.is_ok());
    assert_eq!(sandbox.bytes("ch/config.toml"), both);
    assert_no_temporary_files(&sandbox);
}

#[test]
fn a_foreign_edit_is_in_its_place_again_before_anything_else_happens() {
    // What a foreign program finds that looks again after its own edit.
    struct Looks(Foreign, Mutex<Vec<String>>);
    impl Probe for Looks {
        fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
            if matches!(
                operation.kind,
                OperationKind::Write | OperationKind::SyncFile
            ) {
                self.1
                    .lock()
                    .unwrap()
                    .push(self.0.sandbox.text("ch/config.toml"));
            }
            self.0.before(operation)
        }
    }
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let foreign = Foreign {
        sandbox: sandbox.clone(),
        texts: Mutex::new(vec![b"a = 1\nforeign = 1\n"]),
        by_rename: true,
    };
    let looks = Arc::new(Looks(foreign, Mutex::default()));
    let disk = Disk::probed(Arc::clone(&looks) as Arc<dyn Probe>);
    let edits = [set("own", json!(1))];
    write(&disk, &sandbox.layout(), &edits, None, PATIENCE).unwrap();
    let seen = looks.1.lock().unwrap();
    assert!(seen.iter().all(|text| !text.contains("own")), "{seen:?}");
    assert!(seen.iter().any(|text| text.contains("foreign")), "{seen:?}");
}

/// The name that a temporary file of ours had in this home, with what came out in the exchange.
fn left_by_a_crash(sandbox: &Sandbox, foreign: &'static [u8]) -> (String, Vec<u8>) {
    struct Dies(Foreign, Mutex<Option<String>>);
    impl Probe for Dies {
        fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
            let mut name = self.1.lock().unwrap();
            if name.is_some() {
                return Err(io::Error::other("dead"));
            }
            if operation.kind == OperationKind::Exchange {
                *name = Some(operation.path.to_text());
            }
            self.0.before(operation)
        }
    }
    let foreign = Foreign {
        sandbox: sandbox.clone(),
        texts: Mutex::new(vec![foreign]),
        by_rename: true,
    };
    let dies = Arc::new(Dies(foreign, Mutex::default()));
    let disk = Disk::probed(Arc::clone(&dies) as Arc<dyn Probe>);
    let edits = [set("own", json!(1))];
    assert!(write(&disk, &sandbox.layout(), &edits, None, Duration::ZERO).is_err());
    let path = dies.1.lock().unwrap().clone().unwrap();
    let name = format!("ch/{}", path.rsplit('/').next().unwrap());
    let bytes = sandbox.bytes(&name);
    (name, bytes)
}

#[test]
fn a_foreign_edit_that_was_out_when_we_died_comes_back() {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let foreign = b"a = 1\nforeign = 1\n";
    let (_, out) = left_by_a_crash(&sandbox, foreign);
    assert_eq!(out, foreign);
    write_to(&sandbox, &[set("z", json!(1))]).unwrap();
    assert_eq!(
        sandbox.text("ch/config.toml"),
        "a = 1\nforeign = 1\nz = 1\n"
    );
    assert_no_temporary_files(&sandbox);
}

#[test]
fn it_is_kept_when_somebody_has_written_since() {
    for (since, kept) in [
        ("a = 1\nown = 1\nb = 2\n", 1),
        ("a = 1\nforeign = 1\nb = 2\n", 0),
    ] {
        let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
        left_by_a_crash(&sandbox, b"a = 1\nforeign = 1\n");
        sandbox.write("ch/config.toml", since);
        write_to(&sandbox, &[set("z", json!(1))]).unwrap();
        assert_eq!(sandbox.text("ch/config.toml"), format!("{since}z = 1\n"));
        assert_eq!(rescued(&sandbox).len(), kept, "{since:?}");
    }
}

#[test]
fn a_text_of_ours_that_was_cut_off_is_nobody_elses() {
    struct Dies(Sandbox);
    impl Probe for Dies {
        fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
            match operation.kind {
                OperationKind::SyncFile | OperationKind::RemoveFile => {
                    // What a kill within the system's call leaves behind.
                    let name = operation.path.to_text();
                    let name = format!("ch/{}", name.rsplit('/').next().unwrap());
                    if self.0.exists(&name) {
                        self.0.write(&name, "a = 1\now");
                    }
                    Err(io::Error::other("dead"))
                }
                _ => Ok(()),
            }
        }
    }
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let disk = Disk::probed(Arc::new(Dies(sandbox.clone())));
    let edits = [set("own", json!(1))];
    assert!(write(&disk, &sandbox.layout(), &edits, None, Duration::ZERO).is_err());
    assert!(
        sandbox.tree("ch").contains("a = 1\now"),
        "{}",
        sandbox.tree("ch")
    );
    write_to(&sandbox, &edits).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), "a = 1\nown = 1\n");
    assert_no_temporary_files(&sandbox);
}

/// A foreign program that truncates the file before a write begins, and writes it anew at the n-th
/// operation of that write, into the file that it has open.
struct Slow {
    file: Mutex<std::fs::File>,
    left: Mutex<usize>,
}

impl Probe for Slow {
    fn before(&self, _: &Operation<'_>) -> io::Result<()> {
        let mut left = self.left.lock().unwrap();
        *left = left.wrapping_sub(1);
        if *left == 0 {
            self.file
                .lock()
                .unwrap()
                .write_all(b"a = 1\nforeign = 1\n")?;
        }
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is another program, which knows nothing of `disk::Disk`"
)]
fn truncated(path: &plugd_model::AbsPath) -> std::fs::File {
    std::fs::File::create(path).unwrap()
}

#[test]
fn a_program_that_is_slow_to_write_the_file_anew_loses_nothing() {
    // The last of them come long after the file was found to be empty.
    for operation in [1, 4, 8, 12, 16, 24, 60] {
        let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
        let path = sandbox.path("ch/config.toml");
        let probe = Slow {
            file: Mutex::new(truncated(&path)),
            left: Mutex::new(operation),
        };
        let disk = Disk::probed(Arc::new(probe));
        write(
            &disk,
            &sandbox.layout(),
            &[set("own", json!(1))],
            None,
            PATIENCE,
        )
        .unwrap();
        let text = sandbox.text("ch/config.toml");
        assert_eq!(
            text, "a = 1\nforeign = 1\nown = 1\n",
            "operation {operation}"
        );
        assert_no_temporary_files(&sandbox);
    }
}

#[test]
fn a_disk_error_does_not_lose_a_foreign_edit() {
    for number in 1..40 {
        let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
        let foreign = Foreign {
            sandbox: sandbox.clone(),
            texts: Mutex::new(vec![b"a = 1\nforeign = 1\n"]),
            by_rename: true,
        };
        let probe = FailsOnce {
            foreign,
            left: Mutex::new(number),
        };
        let disk = Disk::probed(Arc::new(probe));
        let edits = [set("own", json!(1))];
        let written = write(&disk, &sandbox.layout(), &edits, None, Duration::ZERO);
        // One more write gives everything that was left lying about a visible name.
        write_to(&sandbox, &edits).unwrap();
        let texts: Vec<_> = Disk::new()
            .list(&sandbox.codex_home())
            .unwrap()
            .iter()
            .filter_map(|entry| entry.name.to_str())
            .filter(|name| name.starts_with("config.toml"))
            .map(|name| sandbox.text(&format!("ch/{name}")))
            .collect();
        let wrote = sandbox.text("ch/config.toml") != "a = 1\nown = 1\n";
        let kept = texts.iter().any(|text| text.contains("foreign"));
        assert!(kept || !wrote, "operation {number}: {written:?} {texts:?}");
    }
}

/// The power goes before the new text is durable, and takes half of it.
#[test]
fn half_of_our_own_text_is_no_foreign_edit() {
    for left in ["", "a = 1\now", "\0\0\0\0"] {
        let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
        let fault = Fault::from(1)
            .among(|kind| matches!(kind, OperationKind::SyncFile | OperationKind::RemoveFile));
        let disk = RecordingProbe::failing(fault).disk();
        let edits = [set("own", json!(1))];
        write(&disk, &sandbox.layout(), &edits, None, PATIENCE).unwrap_err();
        let entries = Disk::new().list(&sandbox.codex_home()).unwrap();
        let mut names = entries.iter().filter_map(|entry| entry.name.to_str());
        let half = names.find(|name| name.starts_with(".plugd-")).unwrap();
        sandbox.write(&format!("ch/{half}"), left);
        write_to(&sandbox, &edits).unwrap();
        assert_eq!(sandbox.text("ch/config.toml"), "a = 1\nown = 1\n");
        assert_no_temporary_files(&sandbox);
    }
}

/// Who is told that nothing was written takes back what belongs to it.
#[test]
fn an_edit_that_is_not_durable_is_taken_back() {
    for fault in [Fault::once(1), Fault::from(1)] {
        let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
        let fault = fault.among(|kind| kind == OperationKind::SyncDir);
        let disk = RecordingProbe::failing(fault).disk();
        let edits = [set("own", json!(1))];
        write(&disk, &sandbox.layout(), &edits, None, PATIENCE).unwrap_err();
        assert_eq!(sandbox.text("ch/config.toml"), "a = 1\n");
        assert_no_temporary_files(&sandbox);
        write_to(&sandbox, &edits).unwrap();
        assert_eq!(sandbox.text("ch/config.toml"), "a = 1\nown = 1\n");
    }
}
