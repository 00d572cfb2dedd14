//! The content of Git LFS, brought by a `git-lfs` that is a script: it looks into a directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use plugd_git::{Backend, Want};
use plugd_testkit::lfs_pointer;
use pretty_assertions::assert_eq;
use sha2::{Digest as _, Sha256};

use crate::fixture::{EXECUTABLE, FILE, Remote, World};
use crate::table::has_git;

fn digest(content: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A world whose `git lfs smudge` answers with the file that has the name of the digest.
fn world(backend: Backend) -> World {
    let world = World::new().on(backend);
    let (contents, program) = (
        world.sandbox.path("contents"),
        world.sandbox.path("bin/git-lfs"),
    );
    fs::create_dir_all(&contents).unwrap();
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    let log = world.sandbox.path("lfs-calls");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{log}'\ntest \"$1\" = smudge || exit 2\n\
         oid=$(sed -n 's/^oid sha256://p')\n\
         if test -f '{contents}/'\"$oid\"; then cat '{contents}/'\"$oid\"; \
         else echo 'object does not exist' >&2; exit 2; fi\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    world
}

/// Commits pointers to contents; the server has those of the second list.
fn pointers(world: &World, named: &[(&str, u32, &str)], served: &[(&str, &str)]) -> Remote {
    let remote = world.remote("r.git");
    let blobs: Vec<_> = named
        .iter()
        .map(|(name, mode, content)| {
            let size = u64::try_from(content.len()).unwrap();
            let pointer = lfs_pointer(&digest(content), size);
            (name.as_bytes(), *mode, remote.blob(pointer.as_bytes()))
        })
        .collect();
    let root = remote.tree(&blobs);
    remote.commit_tree("main", root, "large");
    for (content, answer) in served {
        let path = world.sandbox.path("contents").join(digest(content));
        fs::write(path, answer).unwrap();
    }
    remote
}

#[test]
fn content_takes_the_place_of_its_pointer() {
    if !has_git() {
        return;
    }
    for backend in [Backend::Auto, Backend::Command] {
        let world = world(backend);
        let remote = pointers(
            &world,
            &[("a b.bin", FILE, "large"), ("run", EXECUTABLE, "#!/bin/sh")],
            &[("large", "large"), ("#!/bin/sh", "#!/bin/sh")],
        );
        let (dest, report) = world.obtain_kept(&remote.url(), &Want::Head).unwrap();
        assert_eq!(report.lfs_pointers, []);
        let read = |name: &str| fs::read_to_string(dest.join(name)).unwrap();
        assert_eq!(
            (read("a b.bin"), read("run")),
            ("large".into(), "#!/bin/sh".into())
        );
        let mode = fs::metadata(dest.join("run")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        // The repository beside it takes the content for the file that it knows.
        let status = std::process::Command::new("git")
            .args(["status", "--porcelain"])
            .current_dir(dest.as_path())
            .env("HOME", world.sandbox.home().as_path())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&status.stdout), "");
    }
}

#[test]
fn what_is_not_the_named_content_leaves_the_pointer() {
    if !has_git() {
        return;
    }
    let world = world(Backend::Auto);
    let remote = pointers(
        &world,
        &[
            ("cut", FILE, "short"),
            ("endless", FILE, "endless"),
            ("fine", FILE, "fine"),
            ("none", FILE, "none"),
            ("other", FILE, "other"),
        ],
        &[
            ("short", "sho"),
            ("endless", &"endless".repeat(100_000)),
            ("fine", "fine"),
            ("other", "anoth"),
        ],
    );
    let (dest, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
    let left: Vec<_> = report
        .lfs_pointers
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(left, ["cut", "endless", "none", "other"]);
    let read = |name: &str| fs::read_to_string(dest.join(name)).unwrap();
    assert_eq!(read("fine"), "fine");
    assert!(read("other").starts_with("version https://git-lfs.github.com/spec/v1\n"));
}

#[test]
fn the_built_in_git_alone_brings_no_content() {
    let world = world(Backend::Libgit2);
    let remote = pointers(&world, &[("a", FILE, "large")], &[("large", "large")]);
    let (_, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
    assert_eq!(report.lfs_pointers.len(), 1);
    assert!(!world.sandbox.path("lfs-calls").as_path().exists());
}

#[test]
fn content_that_would_be_too_much_is_not_asked_for() {
    if !has_git() {
        return;
    }
    let world = world(Backend::Auto);
    let remote = world.remote("r.git");
    let pointer = lfs_pointer(&"a".repeat(64), 1 << 40);
    remote.commit("main", &[("huge", &pointer)]);
    let (_, report) = world.obtain(&remote.url(), &Want::Head).unwrap();
    assert_eq!(report.lfs_pointers.len(), 1);
    assert!(!world.sandbox.path("lfs-calls").as_path().exists());
}
