mod bundle;
mod hostile;

use plugd_disk::tree::{AtEase, Pace};
use plugd_disk::{Disk, Kind};
use plugd_http::Bytes;
use plugd_model::AbsPath;
use pretty_assertions::assert_eq;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{Unpacked, joined, unpack};
use crate::fixture::archive::{self, file, member, tgz};
use crate::{Chunks, FetchError, Integrity, Rules, Strip};

/// The bytes as a download would bring them, in pieces.
fn chunks(bytes: &[u8], whole: bool) -> Chunks {
    let pieces: Vec<_> = bytes.chunks(1000).collect();
    let (sender, receiver) = mpsc::channel(pieces.len() + 1);
    for piece in pieces {
        sender.try_send(Bytes::copy_from_slice(piece)).unwrap();
    }
    if whole {
        sender.try_send(Bytes::new()).unwrap();
    }
    Chunks::new(receiver)
}

struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    fn dest(&self) -> AbsPath {
        AbsPath::new(self.dir.path().join("dest")).unwrap()
    }

    fn unpack(&self, bytes: &[u8], rules: &Rules) -> Result<Unpacked, FetchError> {
        unpack(
            &Disk::new(),
            chunks(bytes, true),
            &self.dest(),
            rules,
            &AtEase,
        )
    }

    /// A line for each file and directory.
    fn tree(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(&self.dest(), "", &mut lines);
        lines
    }
}

fn list(dir: &AbsPath, path: &str, lines: &mut Vec<String>) {
    let disk = Disk::new();
    for entry in disk.list(dir).unwrap() {
        let name = entry.name.to_str().unwrap();
        let (place, path) = (dir.join(name), format!("{path}{name}"));
        if entry.kind == Kind::Dir {
            lines.push(format!("{path}/"));
            list(&place, &format!("{path}/"), lines);
        } else {
            let mode = disk.stamp(&place).unwrap().unwrap().mode;
            let content = disk.read(&place, 1000).unwrap();
            let content = String::from_utf8(content).unwrap();
            lines.push(format!("{path} {:o} {content}", mode & 0o7777));
        }
    }
}

/// For a package called `p`, without its digest.
fn package_rules() -> Rules {
    Rules {
        strip: Strip::Root,
        package: Some("p".to_owned()),
        ..Rules::new()
    }
}

#[track_caller]
fn check_refused(bytes: &[u8], rules: &Rules, expected: &str) {
    let error = Place::new().unpack(bytes, rules).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(!error.is_retryable());
}

#[test]
#[cfg(unix)]
fn a_package_becomes_a_directory() {
    let bytes = tgz(&[
        member("package/", b'5', b""),
        file("package/package.json", b"{\"name\":\"p\"}"),
        file("package/bin/run", b"#!").mode(0o6711),
        file("package/docs/a/b.md", b"text").mode(0o066),
        member("package/empty/", b'5', b""),
    ]);
    let place = Place::new();
    let unpacked = place.unpack(&bytes, &package_rules()).unwrap();
    assert_eq!(
        place.tree(),
        [
            "bin/",
            "bin/run 755 #!",
            "docs/",
            "docs/a/",
            "docs/a/b.md 644 text",
            "empty/",
            "package.json 644 {\"name\":\"p\"}",
        ]
    );
    assert_eq!((unpacked.entries, unpacked.bytes), (7, 18));
    assert_eq!(unpacked.left_out, []);
}

#[test]
fn the_sha256_is_that_of_the_archive() {
    // The other digests are compared with published ones where they are made.
    let bytes = tgz(&[file("a", b"x")]);
    let unpacked = Place::new().unpack(&bytes, &Rules::new()).unwrap();
    let own = Integrity::parse(&format!("sha256-{}", base64_of_hex(&unpacked.sha256))).unwrap();
    let rules = Rules {
        integrity: Some(own),
        ..Rules::new()
    };
    assert!(Place::new().unpack(&bytes, &rules).is_ok());
}

fn base64_of_hex(text: &str) -> String {
    let bytes: Vec<_> = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect();
    crate::base64::encode(&bytes)
}

#[test]
fn an_archive_without_a_root_keeps_its_paths() {
    let place = Place::new();
    place
        .unpack(&tgz(&[file("./a", b"x"), file("b/c", b"y")]), &Rules::new())
        .unwrap();
    assert_eq!(place.tree().len(), 3);
    let stripped = Rules {
        strip: Strip::Root,
        ..Rules::new()
    };
    let two = tgz(&[file("one/a", b"x"), file("two/b", b"y")]);
    check_refused(
        &two,
        &stripped,
        "the archive holds `two/b`: it lies outside the archive's one root directory",
    );
}

#[test]
fn another_archive_than_was_promised() {
    let bytes = archive::package("p", &[]);
    for algorithm in ["sha1", "sha256", "sha384", "sha512"] {
        let digest = match algorithm {
            "sha1" => "A".repeat(27) + "=",
            "sha256" => "A".repeat(43) + "=",
            "sha384" => "A".repeat(64),
            _ => "A".repeat(86) + "==",
        };
        let rules = Rules {
            integrity: Some(Integrity::parse(&format!("{algorithm}-{digest}")).unwrap()),
            ..package_rules()
        };
        let error = Place::new().unpack(&bytes, &rules).unwrap_err().to_string();
        let (front, back) = error.split_once(" digest ").unwrap();
        assert_eq!(front, format!("the archive has the {algorithm}"));
        assert!(
            back.ends_with("… and should have AAAAAAAAAAAAAAAA…"),
            "{back}"
        );
    }
}

#[test]
fn another_package_than_was_asked_for() {
    let rules = package_rules();
    check_refused(
        &archive::package("q", &[]),
        &rules,
        "the archive is the package `q` and not `p`",
    );
    let unusable = |reason: &str| format!("the archive has no usable `package.json`: {reason}");
    check_refused(
        &tgz(&[file("package/a", b"")]),
        &rules,
        &unusable("it is not there"),
    );
    check_refused(
        &tgz(&[file("package/deep/package.json", b"{\"name\":\"p\"}")]),
        &rules,
        &unusable("it is not there"),
    );
    let with = |json: &[u8]| tgz(&[file("package/package.json", json)]);
    check_refused(&with(b"{}"), &rules, &unusable("it has no name"));
    check_refused(&with(b"{\"name\":7}"), &rules, &unusable("it has no name"));
    check_refused(
        &with(b"{"),
        &rules,
        &unusable("EOF while parsing an object at line 1 column 1"),
    );
    check_refused(
        &with(&[b'['; 500]),
        &rules,
        &unusable("it is nested too deeply"),
    );
    check_refused(
        &with(&vec![b' '; (8 << 20) + 1]),
        &rules,
        &unusable("it has more than 8388608 bytes of content"),
    );
    let marked = with("\u{feff}{\"name\":\"p\"}".as_bytes());
    assert!(Place::new().unpack(&marked, &rules).is_ok());
}

#[test]
fn a_download_that_was_broken_off() {
    let bytes = tgz(&[file("a", b"x")]);
    for cut in [0, 20, bytes.len()] {
        let place = Place::new();
        let chunks = chunks(&bytes[..cut], false);
        let rules = Rules::new();
        let error = unpack(&Disk::new(), chunks, &place.dest(), &rules, &AtEase).unwrap_err();
        assert!(matches!(error, FetchError::BrokenOff), "{cut}: {error}");
        assert!(error.is_retryable());
    }
}

#[test]
fn the_destination_must_be_new() {
    let place = Place::new();
    Disk::new().create_dir(&place.dest()).unwrap();
    let error = place.unpack(&tgz(&[]), &Rules::new()).unwrap_err();
    assert!(matches!(error, FetchError::Exists { path } if path == place.dest()));
}

struct Until {
    steps: AtomicI64,
    bytes: AtomicU64,
}

impl Pace for Until {
    fn step(&self, bytes: u64) -> bool {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.steps.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

#[test]
fn work_is_given_up_at_any_step() {
    let bytes = tgz(&[file("a", b"12345"), file("b", b"678")]);
    let mut steps = 0;
    loop {
        let pace = Until {
            steps: AtomicI64::new(steps),
            bytes: AtomicU64::new(0),
        };
        let place = Place::new();
        let chunks = chunks(&bytes, true);
        match unpack(&Disk::new(), chunks, &place.dest(), &Rules::new(), &pace) {
            Err(error) => assert!(error.is_cancelled(), "{steps}: {error}"),
            Ok(_) => {
                assert_eq!(pace.bytes.into_inner(), 8);
                break;
            }
        }
        steps += 1;
    }
    assert!(steps > 4, "{steps}");
}

#[test]
fn the_first_failure_of_two_is_the_error() {
    let text = |download, unpacked| {
        let joined = joined(download, unpacked);
        joined.map_or_else(|error| error.to_string(), |_| "done".to_owned())
    };
    let unpacked = Place::new().unpack(&tgz(&[]), &Rules::new());
    assert_eq!(text(Ok(()), unpacked), "done");
    let given_up = "the work on the archive was given up";
    assert_eq!(text(Ok(()), Err(FetchError::GivenUp)), given_up);
    let echo = Err(FetchError::NotTaken);
    assert_eq!(text(echo, Err(FetchError::GivenUp)), given_up);
    let echo = Err(FetchError::BrokenOff);
    assert_eq!(
        text(Err(FetchError::Cancelled), echo),
        "the download was cancelled"
    );
}
