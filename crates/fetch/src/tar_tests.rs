use pretty_assertions::assert_eq;

use super::{Entry, Kind, Tar, TarError};
use crate::EntryFault;
use crate::fixture::archive::{self, Member, file, member};

/// The entries as lines, with the content of files, and how it ended.
fn read(bytes: &[u8]) -> Vec<String> {
    let mut tar = Tar::new(bytes, 100);
    let mut lines = Vec::new();
    loop {
        match tar.next() {
            Ok(None) => return lines,
            Ok(Some(entry)) => {
                let mut content = Vec::new();
                let mut buffer = [0; 7];
                loop {
                    match tar.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(read) => content.extend_from_slice(&buffer[..read]),
                        Err(error) => {
                            lines.push(told(&error));
                            return lines;
                        }
                    }
                }
                lines.push(line(&entry, &content));
            }
            Err(error) => {
                lines.push(told(&error));
                return lines;
            }
        }
    }
}

fn line(entry: &Entry, content: &[u8]) -> String {
    let path = String::from_utf8_lossy(&entry.path);
    let path = match path.len() {
        0..100 => path.into_owned(),
        length => format!("{}…{length}", &path[..8]),
    };
    let x = if entry.executable { "x" } else { "" };
    match &entry.kind {
        Kind::File { size } => format!("{path}{x} {size} {}", String::from_utf8_lossy(content)),
        Kind::Dir => format!("{path}{x} directory"),
        Kind::Link { target } => format!("{path} -> {}", String::from_utf8_lossy(target)),
    }
}

fn told(error: &TarError) -> String {
    match error {
        TarError::Read(error) => format!("error: {error}"),
        TarError::Damaged(reason) => format!("error: {reason}"),
        TarError::Entry(path, fault) => {
            format!("error: {}: {fault:?}", String::from_utf8_lossy(path))
        }
        TarError::TooMany => "error: too many".to_owned(),
    }
}

#[track_caller]
fn check(members: &[Member], expected: &[&str]) {
    assert_eq!(read(&archive::tar(members)), expected);
}

#[test]
fn files_directories_and_links() {
    check(&[], &[]);
    check(
        &[
            member("a/", b'5', b""),
            file("a/b", b"hello").mode(0o4755),
            file("empty", b""),
            member("c", b'2', b"").link("a/b"),
            member("d", b'1', b"").link("a"),
            member("old", 0, b"x"),
            member("olddir/", 0, b""),
            member("contiguous", b'7', b"y"),
        ],
        &[
            "a/ directory",
            "a/bx 5 hello",
            "empty 0 ",
            "c -> a/b",
            "d -> a",
            "old 1 x",
            "olddir/ directory",
            "contiguous 1 y",
        ],
    );
}

#[test]
fn what_is_not_read_is_skipped() {
    let bytes = archive::tar(&[file("a", &[1; 1500]), file("b", b"x")]);
    let mut tar = Tar::new(bytes.as_slice(), 2);
    tar.next().unwrap();
    let entry = tar.next().unwrap().unwrap();
    assert_eq!(entry.path, b"b");
    assert_eq!(tar.next().unwrap(), None);
}

#[test]
fn long_names() {
    let long = "d/".repeat(150) + "f";
    check(
        &[member("short", b'0', b"x").prefix("front/part")],
        &["front/part/short 1 x"],
    );
    check(
        &[
            member("././@LongLink", b'L', format!("{long}\0").as_bytes()),
            file("d/d/d/d", b"x"),
        ],
        &["d/d/d/d/…301 1 x"],
    );
    let record = archive::record("path", &long);
    check(
        &[member("PaxHeader", b'x', &record), file("d", b"x")],
        &["d/d/d/d/…301 1 x"],
    );
    check(
        &[
            member("K", b'K', b"target\0"),
            member("a", b'2', b"").link("cut"),
            member("b", b'2', b"").link("kept"),
        ],
        &["a -> target", "b -> kept"],
    );
    check(
        &[
            member("x", b'x', &archive::record("linkpath", "target")),
            member("a", b'2', b"").link("cut"),
        ],
        &["a -> target"],
    );
    // GNU keeps other things where ustar has the front of a path.
    check(&[file("a", b"x").prefix("front").gnu()], &["a 1 x"]);
    // Pax is asked first, and an empty value takes it back.
    check(
        &[
            member("L", b'L', b"gnu\0"),
            member("x", b'x', &archive::record("path", "pax")),
            file("a", b""),
            member("x", b'x', &archive::record("path", "")),
            file("b", b""),
        ],
        &["pax 0 ", "b 0 "],
    );
}

#[test]
fn a_size_is_told_once_or_alike() {
    let size = |text: &str| member("x", b'x', &archive::record("size", text));
    check(&[size("5"), file("a", b"hello")], &["a 5 hello"]);
    check(&[size("4"), file("a", b"hello")], &["error: a: BadHeader"]);
    check(
        &[size("517"), file("a", b"hello")],
        &["error: a: BadHeader"],
    );
    check(&[size("x"), file("a", b"hello")], &["error: x: BadHeader"]);
    check(&[member("d", b'5', b"x")], &["error: d: BadHeader"]);
    check(&[member("d", b'2', b"x")], &["error: d: BadHeader"]);
    check(&[member("d/", b'0', b"x")], &["error: d/: BadHeader"]);
}

#[test]
fn a_size_in_binary() {
    check(&[file("a", b"hello").binary_size(5)], &["a 5 hello"]);
    check(
        &[file("a", b"hello").binary_size(u64::MAX)],
        &["error: it ends in the middle of a file"],
    );
}

#[test]
fn what_is_no_file() {
    for letter in [b'3', b'4', b'6', b'S', b'M', b'V', b'D', b'N', b'X', b'Z'] {
        check(&[member("a", letter, b"")], &["error: a: Special"]);
    }
    let sparse = archive::record("GNU.sparse.major", "1");
    check(
        &[member("x", b'x', &sparse), file("a", b"")],
        &["error: a: Special"],
    );
}

#[test]
fn headers_that_extend_nothing() {
    let path = archive::record("path", "a");
    check(
        &[member("x", b'x', &path)],
        &["error: its last header extends nothing"],
    );
    for letter in [b'x', b'L', b'K'] {
        let twice = member("h", letter, &path);
        check(
            &[twice.clone(), twice, file("a", b"")],
            &["error: h: BadHeader"],
        );
    }
}

#[test]
fn a_global_header_is_a_comment_only() {
    let global = |key: &str| member("g", b'g', &archive::record(key, "1"));
    check(&[global("comment"), file("a", b"x")], &["a 1 x"]);
    for key in ["path", "size", "linkpath", "GNU.sparse.size"] {
        check(&[global(key), file("a", b"x")], &["error: g: BadHeader"]);
    }
}

#[test]
fn a_header_that_only_extends_is_bounded() {
    let huge = vec![b'a'; (1 << 20) + 1];
    check(&[member("L", b'L', &huge)], &["error: L: TooLong"]);
    let members = vec![member("g", b'g', b""); 101];
    check(&members, &["error: too many"]);
}

#[test]
fn damaged_archives() {
    let good = archive::tar(&[file("a", b"hello"), file("b", b"x")]);
    let mut wrong_sum = good.clone();
    wrong_sum[1024] = b'c';
    assert_eq!(
        read(&wrong_sum),
        ["a 5 hello", "error: a header has the wrong checksum"]
    );
    assert_eq!(
        read(&[b'x'; 512]),
        ["error: a header has the wrong checksum"]
    );
    assert_eq!(
        read(&good[..100]),
        ["error: it ends in the middle of a header"]
    );
    assert_eq!(
        read(&good[..514]),
        ["error: it ends in the middle of a file"]
    );
    assert_eq!(
        read(&good[..600]),
        ["a 5 hello", "error: it ends in the middle of a file"]
    );
}

#[test]
fn the_end() {
    let good = archive::tar(&[file("a", b"hello")]);
    let marker = good.len() - 1024;
    // Without the marker the end of the source is the end.
    assert_eq!(read(&good[..marker]), ["a 5 hello"]);
    assert_eq!(read(&good[..marker + 512]), ["a 5 hello"]);
    let padded = [good.as_slice(), &[0; 8704]].concat();
    assert_eq!(read(&padded), ["a 5 hello"]);
    let more = [padded.as_slice(), &good].concat();
    assert_eq!(read(&more), ["a 5 hello", "error: content follows its end"]);
    let lone = [&good[..marker + 512], &good].concat();
    assert_eq!(read(&lone), ["a 5 hello", "error: content follows its end"]);
    let endless = [good.as_slice(), &vec![0; 2 << 20]].concat();
    assert_eq!(
        read(&endless),
        ["a 5 hello", "error: content follows its end"]
    );
    assert_eq!(read(b""), Vec::<String>::new());
}

#[test]
fn signed_sums_of_old_writers() {
    let mut bytes = archive::tar(&[file("ä", b"")]);
    let signed: i64 = bytes[..512]
        .iter()
        .enumerate()
        .map(|(at, &byte)| {
            i64::from(if (148..156).contains(&at) { b' ' } else { byte }.cast_signed())
        })
        .sum();
    bytes[148..156].copy_from_slice(format!("{signed:06o}\0 ").as_bytes());
    assert_eq!(read(&bytes), ["ä 0 "]);
    assert!(matches!(
        Tar::new(bytes.as_slice(), 0).next(),
        Err(TarError::TooMany)
    ));
    let fault = EntryFault::BadHeader;
    bytes[124] = b'9';
    bytes[148..156]
        .copy_from_slice(format!("{:06o}\0 ", signed + i64::from(b'9' - b'0')).as_bytes());
    let refused = Tar::new(bytes.as_slice(), 1).next().unwrap_err();
    assert!(matches!(refused, TarError::Entry(_, found) if found == fault));
}
