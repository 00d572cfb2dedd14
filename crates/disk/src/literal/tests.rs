//! What a literal path reaches, by the one call and by the walk.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use plugd_model::AbsPath;
use pretty_assertions::assert_eq;
use rustix::fs::{CWD, OFlags};
use rustix::io::Errno;
use tempfile::TempDir;

use super::open;
use crate::{Disk, DiskError, Kind};

struct World {
    root: AbsPath,
    _dir: TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = AbsPath::new(dir.path().canonicalize().unwrap()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), "inside").unwrap();
        fs::create_dir(root.join("outside")).unwrap();
        fs::write(root.join("outside/file"), "secret").unwrap();
        symlink("file", root.join("a/b/link")).unwrap();
        symlink("b", root.join("a/dir")).unwrap();
        Self { root, _dir: dir }
    }

    fn at(&self, path: &str) -> AbsPath {
        self.root.join(path)
    }
}

fn word(result: Result<Vec<u8>, DiskError>) -> String {
    match result {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(DiskError::Moved { .. }) => "moved".to_owned(),
        Err(DiskError::NotAFile { found, .. }) => format!("a {}", found.word()),
        Err(DiskError::TooLarge { .. }) => "too large".to_owned(),
        Err(error) if error.is_not_found() => "nothing".to_owned(),
        Err(error) => error.in_full(),
    }
}

#[track_caller]
fn check(world: &World, path: &str, expected: &str) {
    let disk = Disk::new();
    let place = world.at(path);
    assert_eq!(word(disk.literally().read(&place, 100)), expected, "{path}");
    let piece = disk.literally().read_from(&place, 0, 100);
    assert_eq!(word(piece), expected, "{path} in pieces");
    let below = disk
        .literally()
        .read_below(&world.root, Path::new(path), 100);
    assert_eq!(
        word(below.map(|(bytes, _)| bytes)),
        expected,
        "{path} below"
    );
    let resolved = disk.resolve(&world.root).unwrap().join(path);
    let at_once = disk.literally().read_at_once(&resolved, 100);
    let is_read = cfg!(any(target_os = "linux", target_vendor = "apple")) && expected == "inside";
    assert_eq!(
        at_once.map(|(bytes, _)| bytes),
        is_read.then(|| b"inside".to_vec()),
        "{path} at once"
    );
}

#[test]
fn files_are_read_and_links_are_not_followed() {
    let world = World::new();
    check(&world, "a/b/file", "inside");
    check(&world, "a/b/link", "moved");
    check(&world, "a/dir/file", "moved");
    check(&world, "a/b", "a directory");
    check(&world, "a/b/gone", "nothing");
    check(&world, "a/b/file/more", "nothing");
    let large = Disk::new().literally().read(&world.at("a/b/file"), 3);
    assert_eq!(word(large), "too large");
    assert_eq!(
        Disk::new()
            .literally()
            .read_at_once(&world.at("a/b/file"), 3),
        None
    );
}

#[test]
fn a_link_above_is_not_passed_at_once_either() {
    let world = World::new();
    let disk = Disk::new();
    let linked = world.at("a/dir/file");
    assert_eq!(disk.literally().read_at_once(&linked, 100), None);
    assert_eq!(disk.read(&linked, 100).unwrap(), b"inside");
}

/// What such a file says it has is not what it has.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_does_not_tell_its_size_is_read_to_its_end() {
    let status = AbsPath::new("/proc/self/status").unwrap();
    assert_eq!(fs::metadata(&status).unwrap().len(), 0);
    let read = Disk::new().read(&status, 1 << 20).unwrap();
    assert!(read.starts_with(b"Name:"), "{read:?}");
    assert!(read.ends_with(b"\n") && read.len() > 100, "{read:?}");
    let bounded = Disk::new().read(&status, 10);
    assert!(
        matches!(bounded, Err(DiskError::TooLarge { .. })),
        "{bounded:?}"
    );
}

#[test]
fn a_directory_that_became_a_link_is_not_entered() {
    let world = World::new();
    fs::rename(world.at("a"), world.at("aside")).unwrap();
    fs::create_dir(world.at("a")).unwrap();
    symlink(world.at("outside"), world.at("a/b")).unwrap();
    check(&world, "a/b/file", "moved");
    let listed = Disk::new().literally().list_up_to(&world.at("a/b"), 10);
    assert!(matches!(listed, Err(DiskError::Moved { .. })), "{listed:?}");
}

#[test]
fn links_may_lead_to_the_root_of_what_is_read_below() {
    let world = World::new();
    let disk = Disk::new();
    let linked = world.at("a/dir");
    let (bytes, stamp) = disk
        .literally()
        .read_below(&linked, Path::new("file"), 100)
        .unwrap();
    assert_eq!(bytes, b"inside");
    assert_eq!(Some(stamp), disk.stamp(&world.at("a/b/file")).unwrap());
    let link = disk.literally().read_below(&linked, Path::new("link"), 100);
    assert!(matches!(link, Err(DiskError::Moved { .. })), "{link:?}");
}

#[test]
fn a_listing_names_what_is_there() {
    let world = World::new();
    let listed = |limit| {
        let entries = Disk::new()
            .literally()
            .list_up_to(&world.at("a/b"), limit)
            .unwrap()?;
        let named = |entry: crate::Entry| (entry.name.into_string().unwrap(), entry.kind);
        Some(entries.into_iter().map(named).collect::<Vec<_>>())
    };
    let both = vec![
        ("file".to_owned(), Kind::File),
        ("link".to_owned(), Kind::Link),
    ];
    assert_eq!(listed(2), Some(both));
    assert_eq!(listed(1), None);
    let file = Disk::new().literally().list_up_to(&world.at("a/b/file"), 9);
    assert!(file.unwrap_err().is_not_found());
}

#[test]
fn the_walk_says_the_same_as_the_one_call() {
    let world = World::new();
    let walked = |path: &str| {
        let path = world.at(path);
        open::walk(CWD, path.as_path(), OFlags::RDONLY | OFlags::CLOEXEC).map(drop)
    };
    assert_eq!(walked("a/b/file"), Ok(()));
    assert_eq!(walked("a/b/link"), Err(Errno::LOOP));
    assert_eq!(walked("a/dir/file"), Err(Errno::LOOP));
    assert_eq!(walked("a/b/gone"), Err(Errno::NOENT));
    assert_eq!(walked("a/b/file/more"), Err(Errno::NOTDIR));
}
