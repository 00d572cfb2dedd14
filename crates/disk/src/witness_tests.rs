use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plugd_model::AbsPath;
use pretty_assertions::assert_eq;

use super::Testimony;
use crate::{Disk, Operation, OperationKind, Probe};

/// Long after everything here.
const LATER: Duration = Duration::from_secs(1 << 40);

struct Dir(tempfile::TempDir);

impl Dir {
    /// Two files, one of them in a directory that also has a link to it.
    fn new() -> Self {
        let dir = Self(tempfile::tempdir().unwrap());
        dir.write("a", "one");
        fs::create_dir(dir.path("sub")).unwrap();
        dir.write("sub/b", "two");
        symlink("sub", dir.path("link")).unwrap();
        dir
    }

    fn path(&self, name: &str) -> AbsPath {
        let root = AbsPath::new(self.0.path().canonicalize().unwrap()).unwrap();
        root.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }
}

fn looked(look: impl FnOnce(&Disk)) -> Option<Testimony> {
    let (disk, witness) = Disk::new().witnessed();
    look(&disk);
    witness.testimony(LATER)
}

/// A look as one for skills is: a directory, a file in it, one that may be there, and a stamp.
fn usual(dir: &Dir) -> Testimony {
    let look = |disk: &Disk| {
        assert_eq!(disk.list(&dir.path("sub")).unwrap().len(), 1);
        disk.literally().read(&dir.path("a"), 100).unwrap();
        assert!(disk.stamp(&dir.path("none")).unwrap().is_none());
        disk.link_stamp(&dir.path("sub/b")).unwrap();
    };
    looked(look).unwrap()
}

#[test]
fn it_holds_until_something_is_another() {
    let changes: &[fn(&Dir)] = &[
        |dir| dir.write("a", "changed\n"),
        |dir| dir.write("sub/more", "x"),
        |dir| dir.write("none", "x"),
        |dir| fs::remove_file(dir.path("a")).unwrap(),
        |dir| fs::rename(dir.path("sub"), dir.path("gone")).unwrap(),
    ];
    for change in changes {
        let dir = Dir::new();
        let testimony = usual(&dir);
        assert_eq!(testimony.size(), 4);
        assert!(testimony.holds(&Disk::new()));
        dir.write("other", "nobody has looked at this");
        assert!(testimony.holds(&Disk::new()));
        change(&dir);
        assert!(!testimony.holds(&Disk::new()));
    }
}

#[test]
fn what_changes_while_it_is_looked_at_makes_it_out_of_date() {
    let dir = Dir::new();
    let file = dir.path("a");
    let look = |disk: &Disk| {
        disk.read(&file, 100).unwrap();
        dir.write("a", "changed behind the look\n");
    };
    assert!(!looked(look).unwrap().holds(&Disk::new()));
    let twice = |disk: &Disk| {
        disk.read(&file, 100).unwrap();
        dir.write("a", "and between two\n");
        disk.read(&file, 100).unwrap();
    };
    assert!(looked(twice).is_none());
}

#[test]
fn links_and_changes_have_no_testimony() {
    let dir = Dir::new();
    let looks: &[fn(&Disk, &Dir)] = &[
        |disk, dir| assert!(disk.link_stamp(&dir.path("link")).unwrap().is_some()),
        |disk, dir| drop(disk.list(&dir.path("link")).unwrap()),
        |disk, dir| drop(disk.resolve(&dir.path("a")).unwrap()),
        |disk, dir| disk.write_new(&dir.path("new"), b"", 0o600).unwrap(),
    ];
    for look in looks {
        assert!(looked(|disk| look(disk, &dir)).is_none());
    }
}

#[test]
fn what_has_just_changed_has_no_testimony() {
    let dir = Dir::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (disk, witness) = Disk::new().witnessed();
    disk.read(&dir.path("a"), 100).unwrap();
    assert!(witness.testimony(now).is_none());
}

/// Refuses to read and counts all that it is asked.
#[derive(Default)]
struct Refusing(AtomicUsize);

impl Probe for Refusing {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        match operation.kind {
            OperationKind::Read => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn who_probes_the_disk_goes_on_to_see_everything() {
    let dir = Dir::new();
    let probe = Arc::new(Refusing::default());
    let (disk, witness) = Disk::probed(Arc::<Refusing>::clone(&probe)).witnessed();
    assert!(disk.read(&dir.path("a"), 100).is_err());
    assert!(disk.stamp(&dir.path("a")).is_ok());
    assert!(probe.0.load(Ordering::Relaxed) >= 2);
    // A refusal can end without a trace.
    assert!(witness.testimony(LATER).is_none());
}
