//! The clients are libgit2's own (its plain http needs no feature), sockets, and `git` where this
//! machine has it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use git2::{AutotagOption, Cred, FetchOptions, RemoteCallbacks, Repository, RepositoryInitOptions};
use pretty_assertions::assert_eq;

use super::{GitRequest, GitServer};
use crate::{Behaviour, Gate, GitRepo, RawEntry, RawKind, Sandbox};

const TWO_FILES: &str = "== a/b.txt\nb\n== c.txt\nc\n";

struct World {
    sandbox: Sandbox,
    repo: GitRepo,
    server: GitServer,
    url: String,
}

fn world() -> World {
    let sandbox = Sandbox::new();
    let repo = GitRepo::bare(&sandbox, "remote.git");
    let server = GitServer::start();
    let url = server.serve("team/remote.git", &repo);
    World {
        sandbox,
        repo,
        server,
        url,
    }
}

impl World {
    fn client(&self, name: &str) -> Repository {
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        Repository::init_opts(self.sandbox.path(name), &options).unwrap()
    }

    fn fetch(&self, client: &Repository, refspec: &str, depth: i32) -> Result<usize, git2::Error> {
        let mut options = FetchOptions::new();
        options.download_tags(AutotagOption::None);
        if depth > 0 {
            options.depth(depth);
        }
        let mut remote = client.remote_anonymous(&self.url)?;
        remote.fetch(&[refspec], Some(&mut options), None)?;
        Ok(remote.stats().received_objects())
    }
}

const MAIN: &str = "+refs/heads/main:refs/heads/main";

/// How many commits the client can walk to from its branch.
fn commits(client: &Repository) -> usize {
    let mut walk = client.revwalk().unwrap();
    walk.push_ref("refs/heads/main").unwrap();
    walk.filter(Result::is_ok).count()
}

#[test]
fn a_whole_clone_by_libgit2() {
    let world = world();
    world.repo.commit(TWO_FILES);
    world.repo.commit("== a/b.txt\nb\n== c.txt\nchanged\n");
    let client = world.client("client");
    // Two commits, two trees at the top, one below, three files.
    assert_eq!(world.fetch(&client, MAIN, 0).unwrap(), 8);
    assert_eq!(commits(&client), 2);
    let head = client.refname_to_id("refs/heads/main").unwrap();
    assert_eq!(head.to_string(), world.repo.head());
    assert_eq!(world.server.count(GitRequest::InfoRefs), 1);
    assert_eq!(world.server.count(GitRequest::UploadPack), 1);
    assert!(world.server.bytes_sent() > 500);
}

#[test]
fn a_later_fetch_brings_only_what_is_new() {
    let world = world();
    world.repo.commit(TWO_FILES);
    let client = world.client("client");
    world.fetch(&client, MAIN, 0).unwrap();
    world.repo.commit("== a/b.txt\nb\n== c.txt\nchanged\n");
    // A commit, its tree, a file.
    assert_eq!(world.fetch(&client, MAIN, 0).unwrap(), 3);
    assert_eq!(commits(&client), 2);
    world.server.forget();
    assert_eq!(world.fetch(&client, MAIN, 0).unwrap(), 0);
    assert_eq!(world.server.requests().len(), 1);
}

#[test]
fn a_client_that_lags_behind_far_names_many_commits_in_steps() {
    let world = world();
    world.repo.commit("== n\nshared\n");
    let client = world.client("client");
    for number in 0..50 {
        world.repo.commit_to("main", &format!("== n\n{number}\n"));
    }
    world.fetch(&client, MAIN, 0).unwrap();
    let shared = world.repo.head();
    // What only the client has hides what both have behind it.
    for number in 0..70 {
        let tree = client.find_commit(git2::Oid::from_str(&shared).unwrap());
        let tree = tree.unwrap().tree().unwrap();
        let parent = client.refname_to_id("refs/heads/own").ok();
        let parent = parent.unwrap_or_else(|| git2::Oid::from_str(&shared).unwrap());
        let parent = client.find_commit(parent).unwrap();
        let time = git2::Time::new(1_800_000_000 + number, 0);
        let who = git2::Signature::new("Bo", "bo@example.com", &time).unwrap();
        let name = Some("refs/heads/own");
        client
            .commit(name, &who, &who, "own", &tree, &[&parent])
            .unwrap();
    }
    world.server.forget();
    world.repo.commit("== n\nnew\n");
    assert_eq!(world.fetch(&client, MAIN, 0).unwrap(), 3);
    assert!(world.server.count(GitRequest::UploadPack) > 3);
}

#[test]
fn a_shallow_clone_its_update_and_its_deepening() {
    let world = world();
    for number in 0..5 {
        world
            .repo
            .commit(&format!("== n\n{number}\n== same\nsame\n"));
    }
    let client = world.client("client");
    assert_eq!(world.fetch(&client, MAIN, 1).unwrap(), 4);
    assert_eq!((commits(&client), client.is_shallow()), (1, true));
    world.repo.commit("== n\nnew\n== same\nsame\n");
    assert_eq!(world.fetch(&client, MAIN, 1).unwrap(), 3);
    assert_eq!(commits(&client), 1);
    let deep = world.client("deep");
    assert_eq!(world.fetch(&deep, MAIN, 3).unwrap(), 10);
    assert_eq!(commits(&deep), 3);
}

#[test]
fn commits_by_their_id() {
    let world = world();
    let first = world.repo.commit("== n\n1\n");
    world.repo.commit("== n\n2\n");
    let lost = world.repo.commit("== n\n3\n");
    world.repo.set_branch("main", &first);
    world.repo.commit("== n\n4\n");
    let client = world.client("client");
    let by_id = |id: &str| world.fetch(&client, &format!("{id}:refs/heads/main"), 1);
    assert_eq!(by_id(&first).unwrap(), 3);
    assert!(by_id(&lost).is_err());
    git(&world, &["init", "-q", "own"]);
    if let Some((success, output)) = git(&world, &["-C", "own", "fetch", &world.url, &lost]) {
        assert!(!success && output.contains("not our ref"), "{output}");
    }
}

#[test]
fn tags_are_peeled_and_sent() {
    let world = world();
    let commit = world.repo.commit(TWO_FILES);
    world.repo.annotated_tag("v1", &commit);
    let client = world.client("client");
    let refspec = "+refs/tags/v1:refs/tags/v1";
    assert_eq!(world.fetch(&client, refspec, 0).unwrap(), 6);
    let mut remote = client.remote_anonymous(&world.url).unwrap();
    remote.connect(git2::Direction::Fetch).unwrap();
    let heads: Vec<String> = remote
        .list()
        .unwrap()
        .iter()
        .map(|head| head.name().to_owned())
        .collect();
    let expected = ["HEAD", "refs/heads/main", "refs/tags/v1", "refs/tags/v1^{}"];
    assert_eq!(heads, expected);
    let branch = remote.default_branch().unwrap();
    assert_eq!(branch.as_str().unwrap(), "refs/heads/main");
}

#[test]
fn hostile_trees_and_empty_repositories_are_sent_as_they_are() {
    let world = world();
    let client = world.client("client");
    assert_eq!(
        world
            .fetch(&client, "+refs/heads/*:refs/heads/*", 0)
            .unwrap(),
        0
    );
    let submodule = RawKind::Submodule("0123456789012345678901234567890123456789".to_owned());
    let raw = [
        RawEntry::file("../x", "x"),
        RawEntry::file(".git", "y"),
        RawEntry::new("sub", submodule),
    ];
    world.repo.commit_raw("main", "", &raw);
    assert_eq!(world.fetch(&client, MAIN, 0).unwrap(), 4);
}

#[test]
fn a_login_is_wanted() {
    let world = world();
    world.repo.commit(TWO_FILES);
    world.server.require_login("ada", "s3cret");
    let client = world.client("client");
    let fetch = |password: &'static str| {
        let mut callbacks = RemoteCallbacks::new();
        let mut tries = 0;
        callbacks.credentials(move |_, _, _| {
            tries += 1;
            match tries {
                1 => Cred::userpass_plaintext("ada", password),
                _ => Err(git2::Error::from_str("no other")),
            }
        });
        let mut options = FetchOptions::new();
        options.remote_callbacks(callbacks);
        let mut remote = client.remote_anonymous(&world.url).unwrap();
        remote.fetch(&[MAIN], Some(&mut options), None)
    };
    assert!(fetch("wrong").is_err());
    fetch("s3cret").unwrap();
    assert_eq!(commits(&client), 1);
}

/// What a plain client gets, as text, until the server hangs up or says nothing for a moment.
fn ask(server: &GitServer, target: &str) -> String {
    let address = server.base().replace("http://", "");
    let mut socket = TcpStream::connect(address).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = socket.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

const REFS: &str = "/team/remote.git/info/refs?service=git-upload-pack";

#[track_caller]
fn check(behaviour: Behaviour, begins: &str, ends: &str) {
    let world = world();
    world.repo.commit(TWO_FILES);
    world.server.behave(GitRequest::InfoRefs, behaviour);
    let answer = ask(&world.server, REFS);
    assert!(answer.starts_with(begins), "{answer}");
    assert!(answer.ends_with(ends), "{answer}");
}

#[test]
fn what_it_does_when_it_misbehaves() {
    check(
        Behaviour::Answer,
        "HTTP/1.1 200 OK\r\n",
        "refs/heads/main\n0000",
    );
    check(Behaviour::Silent, "", "");
    check(Behaviour::Status(500), "HTTP/1.1 500 ", "status 500\n");
    check(Behaviour::Page, "HTTP/1.1 200 ", "<html>hello</html>");
    check(Behaviour::Cut(9), "HTTP/1.1 200 ", "\r\n\r\n001e# ser");
    let slow = Behaviour::Drip(Duration::from_secs(60));
    check(slow, "HTTP/1.1 200 ", "\r\n\r\n0");
    let elsewhere = Behaviour::Redirect("http://localhost:1".to_owned());
    let to = "Location: http://localhost:1/team/remote.git/info/refs?service=git-upload-pack\r\n";
    check(elsewhere.clone(), "HTTP/1.1 302 ", "status 302\n");
    let world = world();
    world.server.behave(GitRequest::InfoRefs, elsewhere);
    assert!(ask(&world.server, REFS).contains(to));
    assert!(
        ask(
            &world.server,
            "/other.git/info/refs?service=git-upload-pack"
        )
        .contains(" 302 ")
    );
    world.server.behave_well();
    assert!(
        ask(
            &world.server,
            "/other.git/info/refs?service=git-upload-pack"
        )
        .contains(" 404 ")
    );
    assert!(ask(&world.server, "/team/remote.git/info/refs").contains(" 403 "));
    world.server.withdraw("team/remote.git");
    assert!(ask(&world.server, REFS).contains(" 404 "));
}

#[test]
fn an_answer_is_held_until_the_gate_opens() {
    for whole in [true, false] {
        let world = world();
        world.repo.commit(TWO_FILES);
        let gate = Gate::new();
        let behaviour = match whole {
            true => Behaviour::Held(gate.clone()),
            false => Behaviour::HeldAfter(20, gate.clone()),
        };
        world.server.behave(GitRequest::UploadPack, behaviour);
        let client = world.client("client");
        std::thread::scope(|scope| {
            let opener = scope.spawn(|| {
                gate.wait_reached();
                world.server.wait_for(GitRequest::UploadPack, 1);
                gate.open();
            });
            world.fetch(&client, MAIN, 0).unwrap();
            opener.join().unwrap();
        });
        assert_eq!(commits(&client), 1);
    }
}

#[test]
fn a_pack_that_breaks_off_and_one_that_never_ends() {
    let world = world();
    world.repo.commit(TWO_FILES);
    let client = world.client("client");
    world
        .server
        .behave(GitRequest::UploadPack, Behaviour::Cut(100));
    assert!(world.fetch(&client, MAIN, 0).is_err());
    world.server.behave(GitRequest::UploadPack, Behaviour::Bomb);
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|progress| progress.received_bytes() < 100_000);
    let mut options = FetchOptions::new();
    options.remote_callbacks(callbacks);
    let mut remote = client.remote_anonymous(&world.url).unwrap();
    assert!(remote.fetch(&[MAIN], Some(&mut options), None).is_err());
    assert!(world.server.bytes_sent() >= 100_000);
}

#[test]
fn it_notices_a_client_that_goes() {
    let world = world();
    world.server.wait_hung_up();
    world.server.behave(GitRequest::InfoRefs, Behaviour::Silent);
    let address = world.server.base().replace("http://", "");
    let mut socket = TcpStream::connect(&address).unwrap();
    let request = format!("GET {REFS} HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    world.server.wait_for(GitRequest::InfoRefs, 1);
    drop(socket);
    world.server.wait_hung_up();
}

#[test]
fn dropping_it_ends_what_hangs() {
    let started = Instant::now();
    let world = world();
    world
        .server
        .behave(GitRequest::InfoRefs, Behaviour::Held(Gate::new()));
    let address = world.server.base().replace("http://", "");
    let mut socket = TcpStream::connect(&address).unwrap();
    let request = format!("GET {REFS} HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    world.server.wait_for(GitRequest::InfoRefs, 1);
    drop(world);
    let mut rest = Vec::new();
    // An end or a reset, and nothing said.
    let _ = socket.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    assert!(TcpStream::connect(&address).is_err());
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// The output of git, or nothing where this machine has none.
fn git(world: &World, args: &[&str]) -> Option<(bool, String)> {
    let program = ["/usr/bin/git", "/usr/local/bin/git"];
    let program = program.into_iter().find(|path| Path::new(path).exists())?;
    let output = Command::new(program)
        .args(args)
        .current_dir(world.sandbox.path("cwd"))
        .env_clear()
        .env("HOME", world.sandbox.home().as_path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("PATH", "/usr/bin:/usr/local/bin:/bin")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

#[test]
fn git_itself_is_content() {
    let world = world();
    for number in 0..3 {
        world.repo.commit(&format!("== n\n{number}\n"));
    }
    for args in [
        vec!["clone", "-q", "--depth", "1", &world.url, "shallow"],
        vec!["clone", "-q", &world.url, "whole"],
        vec!["-C", "shallow", "fetch", "-q", "--unshallow"],
        vec!["-C", "shallow", "fsck", "--strict"],
    ] {
        let Some((success, output)) = git(&world, &args) else {
            return;
        };
        assert!(success, "{args:?}: {output}");
    }
    world.repo.commit("== n\nnew\n");
    for dir in ["shallow", "whole"] {
        let (success, output) = git(&world, &["-C", dir, "pull", "-q"]).unwrap();
        assert!(success, "{output}");
        let (_, log) = git(&world, &["-C", dir, "log", "--format=%s"]).unwrap();
        assert_eq!(log.lines().count(), 4, "{dir}: {log}");
    }
}
