use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_testkit::Sandbox;
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

#[test]
fn two_foreign_edits_in_a_row_are_both_kept() {
    let (sandbox, written) = beside_foreign(&[b"x = 1\n", b"y = 1\n"], true);
    assert!(written.is_ok());
    assert_eq!(sandbox.text("ch/config.toml"), "y = 1\nown = 1\n");
    // The first one may or may not be part of the second; nobody can tell, so it is kept.
    write_to(&sandbox, &[set("z", json!(1))]).unwrap();
    let entries = Disk::new().list(&sandbox.codex_home()).unwrap();
    let rescued = entries.iter().find_map(|entry| {
        let name = entry.name.to_str()?;
        name.starts_with("config.toml.rescued-")
            .then(|| name.to_owned())
    });
    assert_eq!(sandbox.text(&format!("ch/{}", rescued.unwrap())), "x = 1\n");
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
