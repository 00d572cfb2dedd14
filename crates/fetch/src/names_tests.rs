use pretty_assertions::assert_eq;

use super::{Names, Place, Stands};
use crate::{EntryFault, GitData, Strip};

fn at(path: &str, new_dirs: &[&str]) -> Result<Place, EntryFault> {
    Ok(Place::At {
        path: path.to_owned(),
        new_dirs: new_dirs.iter().map(|dir| (*dir).to_owned()).collect(),
    })
}

/// The last of some files, behind the others.
#[track_caller]
fn check(paths: &[&str], expected: Result<Place, EntryFault>) {
    let mut names = Names::new(Strip::Nothing, GitData::Refuse);
    let (last, before) = paths.split_last().unwrap();
    for path in before {
        names.place(path.as_bytes(), Stands::File).unwrap();
    }
    let place = names.place(last.as_bytes(), Stands::File);
    assert_eq!(place, expected, "{paths:?}");
}

#[track_caller]
fn check_refused(path: &str, expected: EntryFault) {
    check(&[path], Err(expected));
}

#[test]
fn ordinary_paths() {
    check(&["a"], at("a", &[]));
    check(&["./a"], at("a", &[]));
    check(&["a/./b//c"], at("a/b/c", &["a", "a/b"]));
    check(&["a/b", "a/c/d"], at("a/c/d", &["a/c"]));
    check(&[".gitignore"], at(".gitignore", &[]));
    check(&[".github/ä"], at(".github/ä", &[".github"]));
    check(&["...a/git"], at("...a/git", &["...a"]));
}

#[test]
fn paths_that_lead_elsewhere() {
    for path in ["../a", "a/../b", "a/..", "..", "a/..\\b", "b\\..\\..\\c"] {
        check_refused(path, EntryFault::Climbs);
    }
    for path in ["/a", "//a", "\\a", "\\\\host\\share", "C:/a", "c:\\a"] {
        check_refused(path, EntryFault::Absolute);
    }
}

#[test]
fn data_of_git_in_each_disguise() {
    for path in [
        ".git",
        ".git/config",
        "a/.GIT/hooks/x",
        ".git.",
        ".git ",
        ".gi\u{200c}t/config",
        "git~1",
        ".git::$INDEX_ALLOCATION/x",
        "a\\.git\\config",
    ] {
        check_refused(path, EntryFault::Git);
        let mut names = Names::new(Strip::Nothing, GitData::LeaveOut);
        let mut place = || names.place(path.as_bytes(), Stands::File);
        let told = Ok(Place::LeaveOut("it is data of git"));
        // Each directory of it is told once.
        assert_eq!([place(), place()], [told, Ok(Place::Known)], "{path:?}");
    }
    let mut names = Names::new(Strip::Nothing, GitData::LeaveOut);
    let place = names.place(b".git/../a", Stands::File);
    assert_eq!(place, Err(EntryFault::Climbs));
}

#[test]
fn names_that_nobody_can_hold() {
    for path in ["", ".", "./", "/"] {
        let fault = match path {
            "/" => EntryFault::Absolute,
            _ => EntryFault::BadName,
        };
        check_refused(path, fault);
    }
    for path in ["a\0b", "a\nb", "a/\u{1b}[31m", "\u{85}"] {
        check_refused(path, EntryFault::Unprintable);
    }
    check_refused(&"a".repeat(256), EntryFault::TooLong);
    check_refused(&"a/".repeat(1100), EntryFault::TooLong);
    let mut names = Names::new(Strip::Nothing, GitData::Refuse);
    let place = names.place(b"a\xff", Stands::File);
    assert_eq!(place, Err(EntryFault::Unprintable));
}

#[test]
fn one_name_for_two_things() {
    check(&["a", "a"], Err(EntryFault::Duplicate));
    check(&["a/b", "a//b"], Err(EntryFault::Duplicate));
    check(&["a/b", "a/B"], Err(EntryFault::CaseClash));
    check(&["a/b", "A/c"], Err(EntryFault::CaseClash));
    check(&["Ä", "ä"], Err(EntryFault::CaseClash));
    check(&["a", "a/b"], Err(EntryFault::KindClash));
    check(&["a/b", "a"], Err(EntryFault::KindClash));
}

#[test]
fn nothing_is_written_below_a_link() {
    let mut names = Names::new(Strip::Nothing, GitData::Refuse);
    names.place(b"a", Stands::Nothing).unwrap();
    let below = names.place(b"a/b", Stands::File);
    assert_eq!(below, Err(EntryFault::KindClash));
    let again = names.place(b"a", Stands::File);
    assert_eq!(again, Err(EntryFault::Duplicate));
}

#[test]
fn a_directory_may_be_named_again() {
    let mut names = Names::new(Strip::Nothing, GitData::Refuse);
    names.place(b"a/b", Stands::File).unwrap();
    assert_eq!(names.place(b"a/", Stands::Dir), Ok(Place::Known));
    assert_eq!(names.place(b"./", Stands::Dir), Ok(Place::Root));
}

#[test]
fn a_backslash_is_left_out() {
    let place = Names::new(Strip::Nothing, GitData::Refuse).place(b"a\\b", Stands::File);
    assert_eq!(place, Ok(Place::LeaveOut("its name holds a backslash")));
}

/// The last of some paths below a root that is stripped; those with a slash are directories.
#[track_caller]
fn check_stripped(paths: &[&str], expected: Result<Place, EntryFault>) {
    let mut names = Names::new(Strip::Root, GitData::Refuse);
    let mut last = Ok(Place::Root);
    for path in paths {
        let stands = match path.ends_with('/') {
            true => Stands::Dir,
            false => Stands::File,
        };
        last = names.place(path.as_bytes(), stands);
    }
    assert_eq!(last, expected, "{paths:?}");
}

#[test]
fn the_root_is_stripped_whatever_its_name() {
    check_stripped(&["package/a"], at("a", &[]));
    check_stripped(&["./other/a/b"], at("a/b", &["a"]));
    check_stripped(&["package/"], Ok(Place::Root));
    check_stripped(&["package/a", "package/"], Ok(Place::Root));
    check_stripped(&["./", "package/a"], at("a", &[]));
}

#[test]
fn there_is_one_root_only() {
    for paths in [
        &["package/a", "other/b"][..],
        &["package/a", "Package/b"],
        &["package/a", "b"],
        &["a"],
        &["package"],
    ] {
        check_stripped(paths, Err(EntryFault::OutsideRoot));
    }
}
