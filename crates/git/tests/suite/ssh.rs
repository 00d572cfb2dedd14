//! ssh, played by a script: it gets the arguments that ssh would get.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use plugd_git::{Address, Backend, Failure, GitError, Want, Watch};
use pretty_assertions::assert_eq;

use crate::fixture::{World, failure};

/// A world whose ssh writes its arguments to a file and then runs a line of shell.
fn world(line: &str) -> World {
    let world = World::new();
    let program = world.sandbox.root().as_path().join("ssh-fake");
    let log = world.sandbox.root().as_path().join("args");
    let path = std::env::var("PATH").unwrap();
    let text = format!(
        "#!/bin/sh\nPATH='{path}'\nprintf '%s\\n' \"$@\" > '{}'\n\
         for last; do :; done\n{line}\n",
        log.display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let sandbox = world.sandbox;
    World::in_sandbox(
        sandbox,
        &[("GIT_SSH_COMMAND", &format!("'{}' -v", program.display()))],
    )
}

fn args(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.sandbox.root().as_path().join("args")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_repository_is_fetched_through_the_users_ssh() {
    if Command::new("git").arg("--version").output().is_err() {
        return;
    }
    let world = world("exec sh -c \"$last\"");
    let remote = world.remote("it's.git");
    remote.commit("main", &[("a", "1")]);
    let path = remote.path.display().to_string();
    let url = format!("ssh://me@h.example:2222{path}");
    let (dest, _) = world.obtain(&url, &Want::Head).unwrap();
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "1");
    let quoted = path.replace('\'', "'\\''");
    let command = format!("git-upload-pack '{quoted}'");
    assert_eq!(
        args(&world),
        [
            "-v",
            "-o",
            "BatchMode=yes",
            "-p",
            "2222",
            "me@h.example",
            command.as_str()
        ]
    );
    remote.commit("main", &[("a", "2")]);
    let short = format!("me@h.example:{path}");
    let (dest, _) = world
        .obtain(&short, &Want::of_ref("main").unwrap())
        .unwrap();
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "2");
}

#[test]
fn the_git_command_goes_through_the_users_ssh_too() {
    if Command::new("git").arg("--version").output().is_err() {
        return;
    }
    let world = world("exec sh -c \"$last\"").on(Backend::Command);
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "1"), ("p/b", "2")]);
    let url = format!("me@h.example:{}", remote.path.display());
    let (dest, _) = world
        .obtain_part(&url, &Want::Head, Some("p"), &[])
        .unwrap();
    assert_eq!(fs::read_to_string(dest.join("b")).unwrap(), "2");
    let args = args(&world);
    assert!(args.contains(&"BatchMode=yes".to_owned()), "{args:?}");
    assert!(args.contains(&"me@h.example".to_owned()), "{args:?}");
    // No word of the address is taken for an option, and what ssh says is told.
    let world = self::world("echo 'me@h: Permission denied (publickey).' >&2; exit 255");
    let found = failure(world.on(Backend::Command).resolve(&url, &Want::Head));
    let Failure::SshRefused { host, reason, .. } = found else {
        panic!("{found:?}");
    };
    assert_eq!(host, "h.example");
    assert!(
        reason.starts_with("me@h: Permission denied (publickey)."),
        "{reason}"
    );
}

#[test]
fn what_ssh_says_is_in_the_error() {
    let world = world("echo 'me@h: Permission denied (publickey).' >&2; exit 255");
    let found = failure(world.resolve("me@h.example:r", &Want::Head));
    let Failure::SshRefused { host, reason, hint } = found else {
        panic!("{found:?}");
    };
    assert_eq!(host, "h.example");
    assert_eq!(reason, "me@h: Permission denied (publickey).");
    assert!(hint.contains("ssh-add"), "{hint}");
}

#[test]
fn a_machine_without_ssh_is_no_fault_of_the_network() {
    let world = World::with_vars(&[("GIT_SSH", "/nowhere/ssh")]);
    let found = failure(world.resolve("me@h.example:r", &Want::Head));
    let Failure::SshRefused { hint, .. } = found else {
        panic!("{found:?}");
    };
    assert!(hint.contains("install ssh"), "{hint}");
}

#[test]
fn what_the_other_side_says_is_in_the_error() {
    let world = world("echo 'go away' >&2; exit 128");
    let found = failure(world.resolve("me@h.example:r", &Want::Head));
    assert!(matches!(found, Failure::Refused { .. }), "{found:?}");
}

#[test]
fn ssh_cannot_ask() {
    // Without a terminal of its own, opening one fails instead of waiting for a person.
    let world = world(
        "if (exec 3<>/dev/tty) 2>/dev/null; then echo asked >&2; else echo quiet >&2; fi; exit 255",
    );
    let found = failure(world.resolve("me@h.example:r", &Want::Head));
    assert!(
        matches!(&found, Failure::Unreachable { reason, .. } if reason == "quiet"),
        "{found:?}"
    );
}

#[test]
fn ssh_ends_with_its_worker() {
    let world = world("exec sleep 60 > \"$0.fifo\"");
    let fifo = world.sandbox.root().as_path().join("ssh-fake.fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    // Reading ends when nobody is left who could write.
    let reader = std::thread::spawn(move || fs::read(fifo).unwrap());
    let git = world.git.clone().with_idle(Duration::from_millis(800));
    let address = Address::parse("me@h.example:r").unwrap();
    let work = git.resolve(&address, &Want::Head, Watch::nobody());
    let error = world.wait(work).unwrap_err();
    assert!(matches!(error, GitError::Silent { .. }), "{error:?}");
    assert_eq!(reader.join().unwrap(), b"");
}
