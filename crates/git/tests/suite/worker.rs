//! Workers that hang, crash or babble, played by a shell.

use std::future::pending;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plugd_git::{Address, Git, GitError, Stage, Want, Watch};
use pretty_assertions::assert_eq;

use crate::fixture::{World, worker};

const FETCHING: &str = r#"{"Progress":{"stage":"fetching","bytes":1,"objects":0,"totalObjects":0,"files":0,"steps":0}}"#;

fn played(world: &World, script: &str) -> Git {
    let script = format!("read request; {script}");
    worker(
        "/bin/sh",
        &["-c", &script],
        &world.environment,
        &world.layout,
    )
    .with_idle(Duration::from_millis(300))
}

fn address() -> Address {
    Address::parse("https://me:secret@example.org/r").unwrap()
}

fn ask(world: &World, git: &Git) -> GitError {
    let address = address();
    let work = git.resolve(&address, &Want::Head, Watch::nobody());
    world.wait(work).unwrap_err()
}

#[test]
fn a_silent_worker_is_ended() {
    let world = World::new();
    let began = Instant::now();
    let error = ask(
        &world,
        &played(&world, &format!("echo '{FETCHING}'; exec sleep 60")),
    );
    assert!(began.elapsed() < Duration::from_secs(5));
    let GitError::Silent { stage, host, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!((stage, host.as_str()), (Stage::Fetching, "example.org"));
}

#[test]
fn a_worker_that_dies_is_an_error_with_its_last_words() {
    let world = World::new();
    let error = ask(
        &world,
        &played(&world, "echo oops me:secret >&2; kill -9 $$"),
    );
    let GitError::Crashed { stage, how, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(stage, Stage::Starting);
    assert!(how.contains("signal 9") && how.contains("oops"), "{how}");
    assert!(!how.contains("secret"), "{how}");
    let error = ask(&world, &played(&world, "exit 3"));
    assert!(
        matches!(&error, GitError::Crashed { how, .. } if how == "exit code 3"),
        "{error:?}"
    );
    let git = worker("/nowhere/at/all", &[], &world.environment, &world.layout);
    assert!(matches!(ask(&world, &git), GitError::Start { .. }));
}

#[test]
fn a_worker_that_babbles_is_ended() {
    let world = World::new();
    for words in ["hello", r#"{"Done":{"Resolved":"short"}}"#, "{}"] {
        let error = ask(
            &world,
            &played(&world, &format!("echo '{words}'; exec sleep 60")),
        );
        assert!(
            matches!(error, GitError::Garbled { .. }),
            "{words}: {error:?}"
        );
    }
}

#[test]
fn progress_keeps_a_slow_worker_alive() {
    let world = World::new();
    let id = "a".repeat(40);
    let slow = format!(
        "for n in 1 2 3 4 5 6; do echo '{FETCHING}'; sleep 0.1; done; \
         echo '{{\"Done\":{{\"Resolved\":\"{id}\"}}}}'"
    );
    let git = played(&world, &slow);
    let mut seen = 0;
    let watch = Watch {
        progress: |_| seen += 1,
        cancel: pending(),
    };
    let commit = world
        .wait(git.resolve(&address(), &Want::Head, watch))
        .unwrap();
    assert_eq!((commit.as_str(), seen), (id.as_str(), 6));
}

#[test]
fn a_cancel_ends_the_worker_at_once() {
    let world = World::new();
    let git = played(&world, &format!("echo '{FETCHING}'; exec sleep 60"))
        .with_idle(Duration::from_secs(30));
    let (give_up, given_up) = tokio::sync::oneshot::channel::<()>();
    let mut give_up = Some(give_up);
    let watch = Watch {
        progress: |_| drop(give_up.take()),
        cancel: async {
            let _ = given_up.await;
        },
    };
    let began = Instant::now();
    let error = world
        .wait(git.resolve(&address(), &Want::Head, watch))
        .unwrap_err();
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    let GitError::Cancelled { stage, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(stage, Stage::Fetching);
}

/// A worker that talks to a server which takes the connection and never answers.
#[test]
fn a_worker_ends_with_whoever_started_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let world = World::new();
    let state = world.layout.state();
    let request = format!(
        "{{\"version\":3,\"settings\":{{\"mirrors\":\"{state}/m\",\"locks\":\"{state}/l\",\
         \"lock_seconds\":1,\"idle_millis\":30000,\"max_pack_bytes\":1000,\"backend\":\"auto\"}},\"url\":\"http://127.0.0.1:{port}/r\",\
         \"task\":{{\"Resolve\":{{\"want\":\"head\"}}}}}}\n"
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_plugd-git-test-worker"))
        .env_clear()
        .env("HOME", world.sandbox.home().as_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(request.as_bytes()).unwrap();
    let ended = std::thread::spawn(move || {
        let status = child.wait().unwrap();
        // A worker that never called must not leave the test waiting for its call.
        let _ = std::net::TcpStream::connect(("127.0.0.1", port));
        status
    });
    let (mut connection, _) = listener.accept().unwrap();
    let mut first = [0; 4];
    connection.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"GET ");
    drop(input);
    assert!(!ended.join().unwrap().success());
}

#[test]
fn a_silent_server_ends_the_worker() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let world = World::new();
    let git = world.git.clone().with_idle(Duration::from_millis(700));
    let address = Address::parse(&format!("http://127.0.0.1:{port}/r")).unwrap();
    let work = git.resolve(&address, &Want::Head, Watch::nobody());
    let error = world.wait(work).unwrap_err();
    let GitError::Silent { stage, host, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!((stage, host.as_str()), (Stage::Resolving, "127.0.0.1"));
}

#[test]
fn an_unknown_version_is_refused() {
    let world = World::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_plugd-git-test-worker"))
        .env_clear()
        .env("HOME", world.sandbox.home().as_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let request = "{\"version\":9,\"settings\":{\"mirrors\":\"/m\",\"locks\":\"/l\",\
        \"lock_seconds\":1,\"max_pack_bytes\":1,\"backend\":\"auto\"},\"url\":\"/r\",\
        \"task\":{\"Resolve\":{\"want\":\"head\"}}}\n";
    input.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.contains("version 9 is not known"), "{said}");
    assert!(!child.wait().unwrap().success());
}
