//! Directories that cannot be packed, and those that change meanwhile.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use plugd_disk::tree::{AtEase, Pace};
use plugd_disk::{Disk, Operation, OperationKind, Probe};
use pretty_assertions::assert_eq;

use super::{Home, left_out, paths};
use crate::pack::{PackError, PackRules, pack};

#[track_caller]
fn check_refused(home: &Home, rules: &PackRules, expected: &str) {
    let error = home.pack(rules).unwrap_err();
    let root = home.root().to_text();
    assert_eq!(error.to_string().replace(&root, "ROOT"), expected);
    assert!(!home.archive().as_path().exists());
}

/// Bytes that do not become fewer by packing.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn special_files() {
    let home = Home::new(&["a=x"]);
    let _socket = UnixListener::bind(home.root().join("sock")).unwrap();
    let special = "is a FIFO, socket or device and cannot be shared";
    check_refused(&home, &PackRules::SHARE, &format!("`ROOT/sock` {special}"));
    fs::create_dir(home.root().join("d")).unwrap();
    fs::rename(home.root().join("sock"), home.root().join("d/other")).unwrap();
    home.add("b -> d/other");
    check_refused(
        &home,
        &PackRules::SHARE,
        &format!("`ROOT/d/other` {special}"),
    );
    // What is left out may hold what it likes.
    fs::rename(home.root().join("d"), home.root().join(".git")).unwrap();
    home.pack(&PackRules::SHARE).unwrap();
    assert_eq!(paths(&home.bytes()), ["a"]);
}

#[test]
fn names_that_would_clash() {
    let home = Home::new(&["a/b=x", "A/b=y"]);
    check_refused(
        &home,
        &PackRules::SHARE,
        "`a` cannot be in an archive: its name differs from another one only in case",
    );
}

#[test]
fn names_that_not_every_system_holds() {
    let home = Home::new(&["a=x", "back\\slash=x", "line\nbreak=x"]);
    fs::write(home.root().join(OsStr::from_bytes(b"n\xff")), "x").unwrap();
    let packed = home.pack(&PackRules::SHARE).unwrap();
    assert_eq!(
        left_out(&packed),
        [
            "back\\slash: its name holds a backslash",
            "line\\nbreak: its name is not UTF-8 or holds control characters",
            "n\u{fffd}: its name is not UTF-8 or holds control characters",
        ]
    );
    assert_eq!(paths(&home.bytes()), ["a"]);
}

#[test]
fn limits_are_exact() {
    let home = Home::new(&["a/b/c=12345", "d=678", ".env=x"]);
    let check = |rules: PackRules, expected: Option<&str>| match expected {
        Some(expected) => check_refused(&home, &rules, expected),
        None => {
            home.pack(&rules).unwrap();
            fs::remove_file(home.archive()).unwrap();
        }
    };
    let rules = PackRules::SHARE;
    check(
        PackRules {
            entries: 5,
            ..rules
        },
        None,
    );
    check(
        PackRules {
            entries: 4,
            ..rules
        },
        Some("the tree has more than 4 entries, reached at `ROOT/d`"),
    );
    check(PackRules { bytes: 8, ..rules }, None);
    check(
        PackRules { bytes: 7, ..rules },
        Some("the tree has more than 7 bytes, reached at `ROOT/d`"),
    );
    check(PackRules { depth: 3, ..rules }, None);
    check(
        PackRules { depth: 2, ..rules },
        Some("the tree has more than 2 levels of directories, reached at `ROOT/a/b/c`"),
    );
    let bytes = home.pack(&rules).unwrap().bytes;
    fs::remove_file(home.archive()).unwrap();
    check(
        PackRules {
            archive_bytes: bytes,
            ..rules
        },
        None,
    );
    check(
        PackRules {
            archive_bytes: bytes - 1,
            ..rules
        },
        Some(&format!("the archive has more than {} bytes", bytes - 1)),
    );
}

struct Counting(AtomicU64);

impl Pace for Counting {
    fn step(&self, bytes: u64) -> bool {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        true
    }
}

#[test]
fn an_archive_that_is_too_large_is_noticed_early() {
    let home = Home::new(&[]);
    for name in ["a", "b", "c", "d"] {
        fs::write(home.root().join(name), noise(3 << 20)).unwrap();
    }
    let rules = PackRules {
        archive_bytes: 1 << 20,
        ..PackRules::SHARE
    };
    let pace = Counting(AtomicU64::new(0));
    let error = pack(&Disk::new(), &home.root(), &home.archive(), &rules, &pace).unwrap_err();
    assert!(
        matches!(error, PackError::TooLarge { limit } if limit == 1 << 20),
        "{error}"
    );
    let read = pace.0.into_inner();
    assert!(read <= 3 << 20, "{read}");
    assert!(!home.archive().as_path().exists());
}

#[test]
fn what_would_be_taken_for_a_bomb() {
    let home = Home::new(&[]);
    fs::write(home.root().join("a"), vec![0; 7 << 20]).unwrap();
    home.pack(&PackRules::SHARE).unwrap();
    home.unpack();
    fs::remove_file(home.archive()).unwrap();
    fs::write(home.root().join("b"), vec![0; 7 << 20]).unwrap();
    check_refused(
        &home,
        &PackRules::SHARE,
        "the archive has more than 200 bytes of content for each of its own",
    );
}

#[test]
fn the_limits_of_sharing() {
    let rules = PackRules::SHARE;
    assert_eq!(
        (
            rules.archive_bytes,
            rules.bytes,
            rules.entries,
            rules.depth,
            rules.ratio
        ),
        (52_428_800, 536_870_912, 100_000, 64, 200)
    );
}

#[test]
fn a_directory_of_too_many_entries_is_not_read_to_its_end() {
    let home = Home::new(&["a=", "b=", "c=", "d=", "e/f="]);
    let rules = PackRules {
        entries: 4,
        ..PackRules::SHARE
    };
    let expected = "the tree has more than 4 entries, reached at `ROOT`";
    check_refused(&home, &rules, expected);
}

#[test]
fn what_cannot_be_packed_at_all() {
    let home = Home::new(&["a=x"]);
    fs::write(home.archive(), "mine").unwrap();
    let error = home.pack(&PackRules::SHARE).unwrap_err();
    assert!(error.to_string().ends_with("exists already"), "{error}");
    assert_eq!(home.bytes(), b"mine");
    let packed = |root: &str| {
        let (root, dest) = (home.base.join(root), home.base.join("new"));
        pack(&Disk::new(), &root, &dest, &PackRules::SHARE, &AtEase).unwrap_err()
    };
    let text = packed("root/a").to_string();
    assert!(text.ends_with("is not a directory"), "{text}");
    let text = packed("gone").to_string();
    assert!(text.starts_with("cannot "), "{text}");
    assert!(!home.base.join("new").as_path().exists());
}

/// Does something once, right before an operation on a path.
struct Before<F> {
    kind: OperationKind,
    path: String,
    action: Mutex<Option<F>>,
}

impl<F: FnOnce() -> io::Result<()> + Send> Probe for Before<F> {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        if operation.kind != self.kind || operation.path.to_text() != self.path {
            return Ok(());
        }
        match self.action.lock().unwrap().take() {
            Some(action) => action(),
            None => Ok(()),
        }
    }
}

/// Packs while something happens right before an operation on an entry.
#[track_caller]
fn check_race(
    kind: OperationKind,
    path: &str,
    action: impl FnOnce(&Home) -> io::Result<()> + Send + 'static,
    expected: &str,
) {
    let home = Arc::new(Home::new(&["d/a=x", "d/b=y", "link -> d/b", "z=x"]));
    let probe = Before {
        kind,
        path: home.root().join(path).to_text(),
        action: Mutex::new(Some({
            let home = home.clone();
            move || action(&home)
        })),
    };
    let disk = Disk::probed(Arc::new(probe));
    let outcome = pack(
        &disk,
        &home.root(),
        &home.archive(),
        &PackRules::SHARE,
        &AtEase,
    );
    let text = outcome.unwrap_err().to_string();
    let (root, archive) = (home.root().to_text(), home.archive().to_text());
    let text = text.replace(&root, "ROOT").replace(&archive, "ARCHIVE");
    assert_eq!(text, expected);
    assert!(!home.archive().as_path().exists());
}

#[test]
fn a_directory_that_changes_meanwhile() {
    let changed = |path: &str| format!("`ROOT/{path}` changed while it was read");
    let gone = |home: &Home| fs::remove_file(home.root().join("d/b"));
    check_race(OperationKind::Stat, "d/b", gone, &changed("d/b"));
    check_race(OperationKind::Read, "d/b", gone, &changed("d/b"));
    let grown = |home: &Home| fs::write(home.root().join("d/b"), "yy");
    check_race(OperationKind::Read, "d/b", grown, &changed("d/b"));
    let lost = |home: &Home| fs::remove_dir_all(home.root().join("d"));
    check_race(OperationKind::List, "d", lost, &changed("d"));
    check_race(OperationKind::Read, "d/a", lost, &changed("d/a"));
    let unlinked = |home: &Home| fs::remove_file(home.root().join("link"));
    check_race(OperationKind::Resolve, "link", unlinked, &changed("link"));
    // A link that takes the place of a file or directory leads nowhere.
    let swapped = |home: &Home| {
        fs::remove_file(home.root().join("d/b"))?;
        symlink("/etc/hostname", home.root().join("d/b"))
    };
    check_race(OperationKind::Read, "d/b", swapped, &changed("d/b"));
    let swapped_dir = |home: &Home| {
        fs::rename(home.root().join("d"), home.base.join("elsewhere"))?;
        symlink(home.base.join("elsewhere"), home.root().join("d"))
    };
    check_race(OperationKind::Read, "d/a", swapped_dir, &changed("d/a"));
}

#[test]
fn a_disk_that_fails() {
    let full = |_: &Home| Err(io::Error::other("full"));
    check_race(OperationKind::Read, "z", full, "cannot read `ROOT/z`");
    check_race(
        OperationKind::Write,
        "../archive.tar.gz",
        full,
        "cannot write `ARCHIVE`",
    );
}

struct Until(AtomicI64);

impl Pace for Until {
    fn step(&self, _bytes: u64) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

#[test]
fn work_is_given_up_at_any_step() {
    let home = Home::new(&["a=x", "b/c=y"]);
    let mut steps = 0;
    loop {
        let pace = Until(AtomicI64::new(steps));
        let outcome = pack(
            &Disk::new(),
            &home.root(),
            &home.archive(),
            &PackRules::SHARE,
            &pace,
        );
        let Err(error) = outcome else { break };
        assert!(error.is_cancelled(), "{steps}: {error}");
        assert!(!home.archive().as_path().exists());
        steps += 1;
    }
    // Three entries are looked at, and two files are read.
    assert_eq!(steps, 5);
}
