//! The plain operations, replaced files and locks, on a real disk.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pretty_assertions::assert_eq;

use plugd_model::AbsPath;

use crate::{Disk, DiskError, Kind, is_temporary};

struct Dir {
    _dir: tempfile::TempDir,
    root: AbsPath,
}

impl Dir {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = AbsPath::new(dir.path().canonicalize().unwrap()).unwrap();
        Self { _dir: dir, root }
    }

    fn file(&self, name: &str, content: &str) -> AbsPath {
        let path = self.root.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let entries = Disk::new().list(&self.root).unwrap();
        let names = entries.into_iter().map(|entry| entry.name);
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

fn mode(path: &AbsPath) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_part_of_a_file_is_read_from_a_place_on() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let path = dir.file("a", "12345");
    let check = |offset, limit, expected: &str| {
        let found = disk.read_from(&path, offset, limit).unwrap();
        assert_eq!(found, expected.as_bytes());
    };
    check(0, 9, "12345");
    check(1, 3, "234");
    check(5, 3, "");
    check(99, 3, "");
    let missing = disk.read_from(&dir.root.join("b"), 0, 5).unwrap_err();
    assert!(missing.is_not_found());
}

#[test]
fn reading_is_bounded_and_never_waits() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let path = dir.file("a", "12345");
    assert_eq!(disk.read(&path, 5).unwrap(), b"12345");
    assert!(matches!(
        disk.read(&path, 4),
        Err(DiskError::TooLarge { limit: 4, .. })
    ));
    let missing = disk.read(&dir.root.join("b"), 5).unwrap_err();
    assert!(missing.is_not_found());
    let fifo = dir.root.join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        fifo.as_path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    for (path, kind) in [(&fifo, Kind::Special), (&dir.root, Kind::Dir)] {
        let error = disk.read(path, 5).unwrap_err();
        assert!(
            matches!(error, DiskError::NotAFile { found, .. } if found == kind),
            "{error}"
        );
    }
}

#[test]
fn a_replaced_file_keeps_its_mode_and_its_link() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let path = dir.file("a", "old");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = dir.root.join("link");
    symlink("a", &link).unwrap();
    disk.replace(&link, b"new", 0o600).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(mode(&path), 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    disk.replace(&dir.root.join("b"), b"", 0o600).unwrap();
    assert_eq!(mode(&dir.root.join("b")), 0o600);
    assert_eq!(dir.names(), ["a", "b", "link"]);
    assert!(matches!(
        disk.replace(&dir.root, b"", 0o600),
        Err(DiskError::NotAFile { .. })
    ));
}

#[test]
fn a_link_loop_is_an_error() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let link = dir.root.join("link");
    symlink("link", &link).unwrap();
    assert!(disk.replace(&link, b"", 0o600).is_err());
    assert!(disk.resolve(&link).unwrap_err().is_link_loop());
}

#[test]
fn write_new_refuses_what_exists() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let path = dir.file("a", "old");
    disk.write_new(&path, b"new", 0o600).unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert!(is_temporary(".plugd-0123") && !is_temporary("plugd"));
}

#[test]
fn exchange_swaps_directories_and_links() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let (a, b) = (dir.root.join("a"), dir.root.join("b"));
    disk.create_dir(&a).unwrap();
    fs::write(a.join("x"), "1").unwrap();
    symlink("elsewhere", &b).unwrap();
    assert!(disk.exchange(&a, &b).unwrap());
    assert!(fs::symlink_metadata(&a).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(b.join("x")).unwrap(), "1");
    assert!(disk.exchange(&a, &dir.root.join("c")).is_err());
}

#[test]
fn directories() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let deep = dir.root.join("a/b/c");
    disk.create_dirs_durably(&deep).unwrap();
    disk.create_dirs_durably(&deep).unwrap();
    assert!(disk.create_dir(&deep).is_err());
    let outer = dir.root.join("a/b");
    assert!(disk.remove_dir(&outer).is_err());
    disk.remove_dir(&deep).unwrap();
    disk.remove_dir(&deep).unwrap();
    disk.remove_dir(&outer).unwrap();
    assert_eq!(disk.stamp(&outer).unwrap(), None);
}

#[test]
fn a_lock_is_exclusive_until_it_is_dropped() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let path = dir.root.join("locks/one");
    let held = disk.try_lock(&path).unwrap().unwrap();
    assert!(disk.try_lock(&path).unwrap().is_none());
    let error = disk.lock(&path, Duration::from_millis(2)).unwrap_err();
    assert!(matches!(&error, DiskError::Locked { path: named } if *named == path));
    drop(held);
    assert!(disk.lock(&path, Duration::ZERO).is_ok());
}

/// The one who waits would look at the lock again after a pause that never ends here.
#[test]
fn who_waits_is_told_by_another_thread() {
    let released = std::sync::Arc::new(crate::lock::Released::default());
    let before = released.seen();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(crate::lock::Telling::of(&released)));
        released.wait(before, Duration::from_secs(3_600));
    });
    assert_eq!(released.seen(), before + 1);
    // What was given back between the look and the wait is not waited for.
    released.wait(before, Duration::from_secs(3_600));
}

#[test]
fn a_lock_file_that_is_removed_and_made_anew_has_one_holder() {
    let (dir, disk) = (Dir::new(), Disk::new());
    let path = dir.root.join("lock");
    let first = disk.try_lock(&path).unwrap().unwrap();
    // Each holder removes the file it holds; whoever waited for that one must not share with whoever
    // made the next one.
    let inside = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let held = disk.lock(&path, Duration::from_secs(60)).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    disk.remove_file(held.path()).unwrap();
                }
            });
        }
        disk.remove_file(first.path()).unwrap();
        drop(first);
    });
}

#[test]
fn a_listing_ends_at_its_limit() {
    let (dir, disk) = (Dir::new(), Disk::new());
    for name in ["c", "a", "b"] {
        dir.file(name, "");
    }
    let listed = |limit| disk.list_up_to(&dir.root, limit).unwrap();
    assert_eq!(listed(2), None);
    assert_eq!(listed(3), Some(disk.list(&dir.root).unwrap()));
    assert_eq!(listed(3).unwrap().len(), 3);
}
