//! Everything that changes a directory or what is in it is heard of, before anybody could rely on it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;

use plugd_model::AbsPath;

use super::Vigil;
use crate::{Disk, Kind};

/// Whether there was a message.
fn told(vigil: &Vigil) -> bool {
    let before = vigil.lock().heard;
    vigil.catch_up() > before
}

/// What a change after the watches began is heard as: `names` of the directory, `content` of the file.
#[track_caller]
fn check(change: impl FnOnce(&Path), names: bool, content: bool) {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("dir");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("file"), "one").unwrap();
    fs::hard_link(dir.join("file"), place.path().join("same")).unwrap();
    let (disk, vigil) = (Disk::new(), Vigil::default());
    let path = AbsPath::new(&dir).unwrap();
    let of_dir = vigil.watch(&disk, &path, Kind::Dir).unwrap();
    let of_file = vigil.watch(&disk, &path.join("file"), Kind::File).unwrap();
    assert!(!told(&vigil));
    let heard = || (!of_dir.is_quiet(), !of_file.is_quiet());
    assert_eq!(heard(), (false, false));
    change(&dir);
    assert_eq!(told(&vigil), names || content);
    assert_eq!(heard(), (names, content));
    told(&vigil);
    assert_eq!(heard(), (names, content), "it stays what it was");
}

#[test]
fn what_changes_nothing_is_quiet() {
    check(|_| {}, false, false);
    check(
        |dir| drop(fs::read(dir.join("file")).unwrap()),
        false,
        false,
    );
    check(
        |dir| assert_eq!(fs::read_dir(dir).unwrap().count(), 1),
        false,
        false,
    );
    check(
        |dir| fs::write(dir.with_file_name("other"), "x").unwrap(),
        false,
        false,
    );
}

#[test]
fn every_change_of_names_is_loud() {
    check(|dir| fs::write(dir.join("new"), "x").unwrap(), true, false);
    check(|dir| fs::create_dir(dir.join("new")).unwrap(), true, false);
    check(|dir| fs::remove_file(dir.join("file")).unwrap(), true, true);
    check(
        |dir| fs::rename(dir.join("file"), dir.join("b")).unwrap(),
        true,
        true,
    );
    let away = |dir: &Path| fs::rename(dir.join("file"), dir.with_file_name("b")).unwrap();
    check(away, true, true);
    let over = |dir: &Path| {
        let other = dir.with_file_name("other");
        fs::write(&other, "one").unwrap();
        fs::rename(&other, dir.join("file")).unwrap();
    };
    check(over, true, true);
    check(
        |dir| fs::rename(dir, dir.with_file_name("moved")).unwrap(),
        true,
        false,
    );
    check(|dir| fs::remove_dir_all(dir).unwrap(), true, true);
}

#[test]
fn every_change_of_content_is_loud() {
    check(
        |dir| fs::write(dir.join("file"), "two").unwrap(),
        false,
        true,
    );
    // Under the name that it has in another directory.
    check(
        |dir| fs::write(dir.with_file_name("same"), "two").unwrap(),
        false,
        true,
    );
    let in_place = |dir: &Path| {
        let mut file = OpenOptions::new()
            .write(true)
            .open(dir.join("file"))
            .unwrap();
        let time = file.metadata().unwrap().modified().unwrap();
        file.write_all(b"two").unwrap();
        file.set_modified(time).unwrap();
    };
    check(in_place, false, true);
    // The directory hears of rights, too.
    let closed = |dir: &Path| {
        let rights = std::os::unix::fs::PermissionsExt::from_mode(0o400);
        fs::set_permissions(dir.join("file"), rights).unwrap();
    };
    check(closed, true, true);
    let shorter = |dir: &Path| {
        let file = OpenOptions::new()
            .write(true)
            .open(dir.join("file"))
            .unwrap();
        file.set_len(1).unwrap();
    };
    check(shorter, false, true);
}

/// Of several who read the messages each learns that there were some.
#[test]
fn it_is_counted_how_often_there_were_messages() {
    let dir = tempfile::tempdir().unwrap();
    let path = AbsPath::new(dir.path()).unwrap();
    let (disk, vigil) = (Disk::new(), Vigil::default());
    let _watch = vigil.watch(&disk, &path, Kind::Dir).unwrap();
    let mut heard = vec![vigil.catch_up(), vigil.catch_up()];
    for name in ["one", "two"] {
        fs::write(dir.path().join(name), "x").unwrap();
        heard.extend([vigil.catch_up(), vigil.catch_up()]);
    }
    assert_eq!(heard, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn two_watches_of_one_directory_are_heard_of_alike() {
    let dir = tempfile::tempdir().unwrap();
    let path = AbsPath::new(dir.path()).unwrap();
    let (disk, vigil) = (Disk::new(), Vigil::default());
    let first = vigil.watch(&disk, &path, Kind::Dir).unwrap();
    drop(vigil.watch(&disk, &path, Kind::Dir).unwrap());
    fs::write(dir.path().join("new"), "x").unwrap();
    assert!(told(&vigil) && !first.is_quiet());
    // The next one begins anew, and does not quiet the first.
    let second = vigil.watch(&disk, &path, Kind::Dir).unwrap();
    assert!(second.is_quiet() && !first.is_quiet());
    drop(first);
    fs::write(dir.path().join("newer"), "x").unwrap();
    assert!(told(&vigil) && !second.is_quiet());
}

#[test]
fn what_is_not_watched_any_more_is_not_heard_of() {
    let dir = tempfile::tempdir().unwrap();
    let vigil = Vigil::default();
    let path = AbsPath::new(dir.path()).unwrap();
    drop(vigil.watch(&Disk::new(), &path, Kind::Dir));
    // What is left is the word that the watch has ended.
    told(&vigil);
    fs::write(dir.path().join("new"), "x").unwrap();
    assert!(!told(&vigil));
}

#[test]
fn lost_messages_make_everything_loud() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (disk, vigil) = (Disk::new(), Vigil::default());
    let of = |dir: &tempfile::TempDir| {
        let path = AbsPath::new(dir.path()).unwrap();
        vigil.watch(&disk, &path, Kind::Dir)
    };
    let (busy, calm) = (of(&dir).unwrap(), of(&other).unwrap());
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    for _ in 0..=limit / 2 {
        fs::File::create(dir.path().join("a")).unwrap();
        fs::remove_file(dir.path().join("a")).unwrap();
    }
    assert!(told(&vigil));
    assert!(!busy.is_quiet() && !calm.is_quiet());
    // The system keeps none of them for nobody, and the next one begins anew.
    assert!(vigil.lock().messages.is_none());
    let again = of(&dir).unwrap();
    drop((busy, calm));
    assert!(!told(&vigil) && again.is_quiet());
    fs::write(dir.path().join("a"), "x").unwrap();
    assert!(told(&vigil) && !again.is_quiet());
}

#[test]
fn of_two_watches_that_end_at_once_one_is_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, vigil) = (Disk::new(), Vigil::default());
    let paths: Vec<_> = (0..500)
        .map(|number| AbsPath::new(dir.path().join(number.to_string())).unwrap())
        .collect();
    for path in &paths {
        fs::create_dir(path).unwrap();
    }
    for _ in 0..20 {
        let all = [(); 2].map(|()| {
            let watch = |path| vigil.watch(&disk, path, Kind::Dir).unwrap();
            paths.iter().map(watch).collect::<Vec<_>>()
        });
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            for watches in all {
                let start = &start;
                scope.spawn(move || {
                    for watch in watches {
                        start.wait();
                        drop(watch);
                    }
                });
            }
        });
        assert!(vigil.lock().quiet.is_empty());
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "what was not tested is told to whoever reads the output of the tests"
)]
fn what_is_mounted_makes_everything_loud() {
    const INSIDE: &str = "PLUGD_TEST_OWN_MOUNTS";
    const NAME: &str = "vigil::tests::what_is_mounted_makes_everything_loud";
    if std::env::var_os(INSIDE).is_none() {
        // The same once more where mounts are seen by nobody else, and where anybody may make them.
        let apart = || {
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "--mount"]);
            command
        };
        let may = apart().arg("true").status();
        if !may.is_ok_and(|status| status.success()) {
            println!("mounts skipped: there are no namespaces here");
            return;
        }
        let mut again = apart();
        again.arg(std::env::current_exe().unwrap());
        let status = again.args(["--exact", NAME]).env(INSIDE, "1").status();
        assert!(status.unwrap().success());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = AbsPath::new(dir.path()).unwrap();
    let (disk, vigil) = (Disk::new(), Vigil::default());
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        let status = command.args(args).arg(dir.path()).status();
        assert!(status.unwrap().success());
    };
    for (program, args) in [
        ("mount", &["-t", "tmpfs", "none"] as &[&str]),
        ("umount", &[]),
    ] {
        let watch = vigil.watch(&disk, &path, Kind::Dir).unwrap();
        assert!(!told(&vigil) && watch.is_quiet());
        run(program, args);
        assert!(told(&vigil) && !watch.is_quiet(), "{program}");
        assert!(!told(&vigil));
    }
}

#[test]
fn nothing_is_vouched_for_where_it_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let vigil = Vigil::default();
    let check = |path: &Path| {
        let path = AbsPath::new(path).unwrap();
        assert!(
            vigil.watch(&Disk::new(), &path, Kind::Dir).is_none(),
            "{path}"
        );
    };
    check(Path::new("/proc/self"));
    check(&dir.path().join("missing"));
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    check(&file);
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path(), &link).unwrap();
    check(&link);
}
