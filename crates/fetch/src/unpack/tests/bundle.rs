//! What the rules for bundles of the remote catalog take and refuse.

use pretty_assertions::assert_eq;

use super::{Place, check_refused};
use crate::Rules;
use crate::fixture::archive::{Member, file, member, record, tgz};

#[track_caller]
fn check_entry(members: &[Member], expected: &str) {
    check_refused(
        &tgz(members),
        &Rules::bundle(None),
        &format!("the archive holds {expected}"),
    );
}

#[test]
fn the_limits_of_a_bundle() {
    let rules = Rules::bundle(None);
    assert_eq!(
        (
            rules.archive_bytes,
            rules.bytes,
            rules.entries,
            rules.depth,
            rules.ratio
        ),
        (104_857_600, 536_870_912, 100_000, 64, 200)
    );
}

#[test]
#[cfg(unix)]
fn a_bundle_keeps_its_paths() {
    let place = Place::new();
    let unpacked = place
        .unpack(
            &tgz(&[
                member("./", b'5', b""),
                file("./.codex-plugin/plugin.json", b"{}").mode(0o600),
                member(".codex-plugin/", b'5', b"").mode(0),
                file("bin/run", b"#!").mode(0o6711),
                file("a", b"x").mode(0),
                file("b", b"x").mode(0o666),
                file(".codex-remote-plugin-install.json", b"{}"),
            ]),
            &Rules::bundle(None),
        )
        .unwrap();
    assert_eq!(
        place.tree(),
        [
            ".codex-plugin/",
            ".codex-plugin/plugin.json 644 {}",
            ".codex-remote-plugin-install.json 644 {}",
            "a 644 x",
            "b 644 x",
            "bin/",
            "bin/run 755 #!",
        ]
    );
    assert_eq!((unpacked.entries, unpacked.bytes), (7, 8));
    assert_eq!(unpacked.left_out, []);
}

#[test]
fn data_of_git_is_left_out_and_told() {
    let place = Place::new();
    let bytes = tgz(&[
        member(".git/", b'5', b""),
        file(".git/HEAD", b"ref"),
        file("a", b"x"),
        file("sub/.GIT/config", b"[x]"),
    ]);
    let unpacked = place.unpack(&bytes, &Rules::bundle(None)).unwrap();
    assert_eq!(place.tree().len(), 1, "{:?}", place.tree());
    let told: Vec<_> = unpacked.left_out.iter().map(|one| &one.message).collect();
    assert_eq!(
        told,
        [
            "`.git/` of the archive was left out: it is data of git",
            "`sub/.GIT/config` of the archive was left out: it is data of git",
        ]
    );
    check_entry(
        &[file("a/.git/../b", b"")],
        "`a/.git/../b`: a path that climbs with `..` is not accepted",
    );
}

#[test]
fn a_wrapping_directory_stays() {
    let place = Place::new();
    let bytes = tgz(&[file("wrap/plugin.json", b"{}")]);
    place.unpack(&bytes, &Rules::bundle(None)).unwrap();
    assert_eq!(place.tree()[0], "wrap/");
}

#[test]
fn links_of_both_kinds_refuse_it() {
    for letter in [b'1', b'2'] {
        for target in ["a", "../../etc/passwd", "/etc/passwd", "nowhere"] {
            check_entry(
                &[file("a", b"x"), member("l", letter, b"").link(target)],
                "`l`: links are not accepted",
            );
        }
        // Also one whose name would be left out.
        check_entry(
            &[member("back\\slash", letter, b"").link("a")],
            "`back\\\\slash`: links are not accepted",
        );
    }
}

#[test]
fn special_entries_refuse_it() {
    for letter in [b'3', b'4', b'6', b'S', b'V', b'Z'] {
        check_entry(
            &[member("a", letter, b"")],
            "`a`: a device, pipe, sparse file or unknown kind of entry",
        );
    }
    let sparse = member("x", b'x', &record("GNU.sparse.major", "1"));
    check_entry(
        &[sparse, file("a", b"x")],
        "`a`: a device, pipe, sparse file or unknown kind of entry",
    );
}

#[test]
fn paths_that_lead_elsewhere_refuse_it() {
    let climbs = "a path that climbs with `..` is not accepted";
    for path in ["..", "../a", "a/../b", "a/..", "./../a", "a\\..\\b"] {
        let shown = path.escape_debug();
        check_entry(&[file(path, b"x")], &format!("`{shown}`: {climbs}"));
    }
    let absolute = "an absolute path is not accepted";
    for path in ["/a", "//a", "C:/a", "\\a"] {
        let shown = path.escape_debug();
        check_entry(&[file(path, b"x")], &format!("`{shown}`: {absolute}"));
    }
    let odd = "that is no name of a file";
    for path in ["", ".", "./."] {
        check_entry(&[file(path, b"x")], &format!("`{path}`: {odd}"));
    }
    check_entry(&[member("", b'5', b"")], &format!("``: {odd}"));
    let by_pax = member("x", b'x', &record("path", "../a"));
    check_entry(&[by_pax, file("a", b"x")], &format!("`../a`: {climbs}"));
}

#[test]
fn names_that_clash_refuse_it() {
    let twice = "it is there twice";
    check_entry(
        &[file("d/a", b"x"), file("./d//a", b"y")],
        &format!("`./d//a`: {twice}"),
    );
    let case = "its name differs from another one only in case";
    check_entry(
        &[file("d/a", b"x"), file("D/b", b"y")],
        &format!("`D/b`: {case}"),
    );
    check_entry(&[file("ä", b"x"), file("Ä", b"y")], &format!("`Ä`: {case}"));
    let kinds = "it is both a directory and something else";
    check_entry(
        &[file("a", b"x"), file("a/b", b"y")],
        &format!("`a/b`: {kinds}"),
    );
    check_entry(
        &[file("a/b", b"x"), file("a", b"y")],
        &format!("`a`: {kinds}"),
    );
    check_entry(
        &[file("a", b"x"), member("a", b'5', b"")],
        &format!("`a`: {kinds}"),
    );
}

#[test]
fn more_than_a_hundred_thousand_entries() {
    // One directory again and again is one on the disk and counts each time.
    let bytes = tgz(&vec![member("d/", b'5', b""); 100_001]);
    let rules = Rules {
        // Nothing but headers packs well.
        ratio: u64::MAX,
        ..Rules::bundle(None)
    };
    check_refused(
        &bytes,
        &rules,
        "the archive has more than 100000 entries, reached at `d/`",
    );
}

#[test]
fn depth_and_size() {
    let deep = |levels: usize| tgz(&[file(&vec!["d"; levels].join("/"), b"")]);
    Place::new()
        .unpack(&deep(50), &Rules::bundle(None))
        .unwrap();
    let long = vec!["d"; 65].join("/");
    let by_pax = member("x", b'x', &record("path", &long));
    check_refused(
        &tgz(&[by_pax, file("a", b"")]),
        &Rules::bundle(None),
        &format!("the archive has more than 64 levels of directories, reached at `{long}`"),
    );
    // The sizes count before anything of them has come.
    let over = (512 << 20) + 1;
    check_refused(
        &tgz(&[file("a", b"x"), file("b", b"").binary_size(over - 1)]),
        &Rules::bundle(None),
        "the archive has more than 536870912 bytes of content, reached at `b`",
    );
}

#[test]
fn a_bomb_is_refused() {
    let bytes = tgz(&[file("a", &vec![0; 20 << 20])]);
    let expected = "the archive has more than 200 bytes of content for each of its own";
    check_refused(&bytes, &Rules::bundle(None), expected);
}
