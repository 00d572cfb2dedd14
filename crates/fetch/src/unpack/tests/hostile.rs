//! Archives that no honest program makes.

use plugd_disk::Disk;
use plugd_model::AbsPath;
use pretty_assertions::assert_eq;

use super::{Place, check_refused};
use crate::Rules;
use crate::fixture::archive::{Member, file, gzip, member, record, tar, tgz};

#[track_caller]
fn check_entry(members: &[Member], expected: &str) {
    check_refused(
        &tgz(members),
        &Rules::new(),
        &format!("the archive holds {expected}"),
    );
}

#[test]
fn links_are_left_out_and_reported() {
    let bytes = tgz(&[
        file("a", b"x"),
        member("in", b'2', b"").link("a"),
        member("out", b'2', b"").link("../../etc/passwd"),
        member("hard", b'1', b"").link("a"),
        file("back\\slash", b"x"),
    ]);
    let place = Place::new();
    let unpacked = place.unpack(&bytes, &Rules::new()).unwrap();
    let told: Vec<_> = unpacked
        .left_out
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "`in` of the archive was left out: it is a link to `a`",
            "`out` of the archive was left out: it is a link to `../../etc/passwd`",
            "`hard` of the archive was left out: it is a link to `a`",
            "`back\\\\slash` of the archive was left out: its name holds a backslash",
        ]
    );
    assert_eq!(place.tree(), ["a 644 x"]);
    assert_eq!((unpacked.entries, unpacked.bytes), (1, 1));
}

#[test]
fn many_left_out_entries_are_counted() {
    let links: Vec<_> = (0..150)
        .map(|number| member(&format!("l{number}"), b'2', b"").link("a"))
        .collect();
    let unpacked = Place::new().unpack(&tgz(&links), &Rules::new()).unwrap();
    assert_eq!(unpacked.left_out.len(), 101);
    let last = &unpacked.left_out[100].message;
    assert_eq!(last, "50 more entries of the archive were left out");
}

#[test]
fn hostile_entries_refuse_the_archive() {
    let a = || file("a", b"x");
    check_entry(
        &[file("../a", b"x")],
        "`../a`: a path that climbs with `..` is not accepted",
    );
    check_entry(
        &[file("/etc/a", b"x")],
        "`/etc/a`: an absolute path is not accepted",
    );
    check_entry(
        &[file("x/.git/config", b"")],
        "`x/.git/config`: data of git is not accepted",
    );
    check_entry(
        &[file("a\u{1b}[31m", b"x")],
        "`a\\u{1b}[31m`: a name that is not UTF-8 or holds control characters",
    );
    check_entry(
        &[file("", b"x").raw_path(b"a\xff")],
        "`a\u{fffd}`: a name that is not UTF-8 or holds control characters",
    );
    let nul = member("x", b'x', &record("path", "a\0b"));
    check_entry(
        &[nul, file("a", b"x")],
        "`a\\0b`: a name that is not UTF-8 or holds control characters",
    );
    check_entry(&[a(), a()], "`a`: it is there twice");
    check_entry(
        &[a(), file("A", b"x")],
        "`A`: its name differs from another one only in case",
    );
    check_entry(
        &[a(), file("a/b", b"x")],
        "`a/b`: it is both a directory and something else",
    );
    check_entry(
        &[member("a", b'2', b"").link("/tmp"), file("a/b", b"x")],
        "`a/b`: it is both a directory and something else",
    );
    for letter in [b'3', b'4', b'6', b'S'] {
        check_entry(
            &[member("a", letter, b"")],
            "`a`: a device, pipe, sparse file or unknown kind of entry",
        );
    }
}

#[test]
fn nothing_lands_outside() {
    let place = Place::new();
    let bytes = tgz(&[file("a", b"x"), file("../outside", b"x")]);
    place.unpack(&bytes, &Rules::new()).unwrap_err();
    let above = AbsPath::new(place.dir.path()).unwrap();
    let names: Vec<_> = Disk::new()
        .list(&above)
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, ["dest"]);
}

#[test]
fn damaged_archives() {
    let good = tgz(&[file("a", &[7; 3000])]);
    let rules = Rules::new();
    let damaged = |reason: &str| format!("the archive is damaged: {reason}");
    check_refused(b"", &rules, &damaged("it ends in the middle"));
    check_refused(
        b"<html>not found</html>",
        &rules,
        &damaged("it is no gzip file"),
    );
    check_refused(
        &gzip(b"no tar"),
        &rules,
        &damaged("it ends in the middle of a header"),
    );
    for cut in [5, 15, good.len() / 2, good.len() - 8, good.len() - 1] {
        check_refused(&good[..cut], &rules, &damaged("it ends in the middle"));
    }
    let follows = damaged("something follows the gzip data");
    check_refused(&[good.as_slice(), b"x"].concat(), &rules, &follows);
    check_refused(&[good.as_slice(), &[0; 512]].concat(), &rules, &follows);
    check_refused(&[good.as_slice(), &good].concat(), &rules, &follows);
    let mut wrong_sum = good.clone();
    let at = good.len() - 6;
    wrong_sum[at] ^= 1;
    check_refused(
        &wrong_sum,
        &rules,
        &damaged("what is in it cannot be unpacked"),
    );
    let two = [tar(&[file("a", b"x")]), tar(&[file("b", b"x")])].concat();
    check_refused(&gzip(&two), &rules, &damaged("content follows its end"));
}

#[test]
fn limits() {
    let bytes = tgz(&[file("a/b/c", b"12345"), file("d", b"678")]);
    let check = |rules: Rules, expected: Option<&str>| {
        let error = Place::new().unpack(&bytes, &rules).err();
        let error = error.map(|error| error.to_string());
        let expected = expected.map(|text| format!("the archive has {text}"));
        assert_eq!(error, expected);
    };
    let rules = Rules::new;
    check(
        Rules {
            entries: 4,
            ..rules()
        },
        None,
    );
    check(
        Rules {
            entries: 3,
            ..rules()
        },
        Some("more than 3 entries, reached at `d`"),
    );
    check(
        Rules {
            bytes: 8,
            ..rules()
        },
        None,
    );
    check(
        Rules {
            bytes: 7,
            ..rules()
        },
        Some("more than 7 bytes of content, reached at `d`"),
    );
    check(
        Rules {
            depth: 3,
            ..rules()
        },
        None,
    );
    check(
        Rules {
            depth: 2,
            ..rules()
        },
        Some("more than 2 levels of directories, reached at `a/b/c`"),
    );
    let size = u64::try_from(bytes.len()).unwrap();
    check(
        Rules {
            archive_bytes: size,
            ..rules()
        },
        None,
    );
    check(
        Rules {
            archive_bytes: size - 1,
            ..rules()
        },
        Some(&format!("more than {} bytes", size - 1)),
    );
}

#[test]
fn a_bomb() {
    let bytes = tgz(&[file("a", &vec![0; 20 << 20])]);
    let expected = "the archive has more than 200 bytes of content for each of its own";
    check_refused(&bytes, &Rules::new(), expected);
    // A lie about the size is found before anything is written.
    let lie = tgz(&[file("a", b"x").binary_size(1 << 40)]);
    let place = Place::new();
    place.unpack(&lie, &Rules::new()).unwrap_err();
    assert_eq!(place.tree(), Vec::<String>::new());
    // What is left out counts as well.
    let hidden = tgz(&[file("a\\b", b"x").binary_size(1 << 40)]);
    check_refused(
        &hidden,
        &Rules::new(),
        "the archive has more than 262144000 bytes of content, reached at `a\\\\b`",
    );
}
