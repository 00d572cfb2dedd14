//! What is fetched over smart HTTP, and what a server may not do.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plugd_git::{Address, CommitId, Depth, Failure, GitError, History, Stage, Want, Watch};
use plugd_testkit::{GitRepo, GitServer};
use pretty_assertions::assert_eq;

use crate::fixture::{Remote, World, failure};
use crate::server::{Asked, Server, answer, backend, git_answers, git_output, pass_on};

pub(crate) const LIST_TYPE: &str = "Content-Type: application/x-git-upload-pack-advertisement";

/// Git's own server over the world's repositories; `None` on a machine without git.
fn git_server(remote: &Remote, config: &'static str) -> Option<Server> {
    let (backend, root): (PathBuf, PathBuf) = (backend()?, remote.path.parent()?.into());
    Some(Server::start(move |asked, stream| {
        git_answers(&backend, &root, config, asked, stream);
    }))
}

#[test]
fn a_fetch_brings_one_commit_and_the_next_one_only_what_is_new() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "0")]);
    remote.commit("main", &[("a", "1"), ("d/b", "2")]);
    let Some(server) = git_server(&remote, "") else {
        return;
    };
    let url = server.url("r.git");
    let (dest, _) = world.obtain(&url, &Want::Head).unwrap();
    assert_eq!(fs::read_to_string(dest.join("d/b")).unwrap(), "2");
    let mirror = git2::Repository::open_bare(world.mirror(&url)).unwrap();
    assert!(mirror.is_shallow());
    // The list, where history ends, and the pack.
    assert_eq!(server.asked().len(), 3);

    // Nothing new: one question.
    world.obtain(&url, &Want::Head).unwrap();
    assert_eq!(server.asked().len(), 4);
    remote.commit("main", &[("a", "3"), ("d/b", "2")]);
    let (dest, _) = world.obtain(&url, &Want::of_ref("main").unwrap()).unwrap();
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "3");
    let resolved = world.resolve(&url, &Want::Head).unwrap();
    let head = remote.repository.refname_to_id("refs/heads/main").unwrap();
    assert_eq!(resolved, head.to_string());
}

#[test]
fn a_commit_behind_the_tips_is_found() {
    for config in ["", "uploadpack.allowReachableSHA1InWant=true"] {
        let world = World::new();
        let remote = world.remote("r.git");
        let old = remote.commit("main", &[("a", "old")]);
        remote.commit("main", &[("a", "new")]);
        let Some(server) = git_server(&remote, config) else {
            return;
        };
        let url = server.url("r.git");
        world.obtain(&url, &Want::Head).unwrap();
        for text in [old.to_string(), old.to_string()[..12].to_owned()] {
            let want = Want::of_commit(&text).unwrap();
            let (dest, report) = world.obtain(&url, &want).unwrap();
            assert_eq!(report.commit.as_str(), old.to_string(), "{config}");
            assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "old");
        }
        let want = Want::of_commit(&"1".repeat(40)).unwrap();
        let found = failure(world.obtain(&url, &want));
        assert!(
            matches!(found, Failure::CommitMissing { .. }),
            "{config}: {found:?}"
        );
    }
}

#[test]
fn a_branch_or_tag_called_head_is_not_in_the_way() {
    for stray in ["refs/heads/HEAD", "refs/tags/HEAD"] {
        for is_detached in [false, true] {
            let world = World::new();
            let remote = world.remote("r.git");
            let old = remote.commit("main", &[("a", "old")]);
            let new = remote.commit("main", &[("a", "new")]);
            remote.repository.reference(stray, old, true, "").unwrap();
            if is_detached {
                remote.repository.set_head_detached(new).unwrap();
                remote.commit("main", &[("a", "newer")]);
            }
            let Some(server) = git_server(&remote, "") else {
                return;
            };
            let (dest, _) = world.obtain(&server.url("r.git"), &Want::Head).unwrap();
            let text = fs::read_to_string(dest.join("a")).unwrap();
            assert_eq!(text, "new", "{stray} {is_detached}");
        }
    }
}

#[test]
fn a_shallow_mirror_can_become_whole() {
    let world = World::new();
    let remote = world.remote("r.git");
    let old = remote.commit("main", &[("a", "old")]);
    remote.commit("main", &[("a", "new")]);
    let Some(server) = git_server(&remote, "") else {
        return;
    };
    let address = Address::parse(&server.url("r.git")).unwrap();
    for (depth, shallow) in [(Depth::Tip, true), (Depth::Whole, false)] {
        let work = world
            .git
            .fetch(&address, &Want::Head, depth, None, Watch::nobody());
        world.wait(work).unwrap();
        let mirror = git2::Repository::open_bare(world.mirror(address.shown().as_str())).unwrap();
        assert_eq!(
            (mirror.is_shallow(), mirror.find_commit(old).is_err()),
            (shallow, shallow)
        );
    }
}

#[test]
fn a_server_that_cannot_send_a_part_sends_everything() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "1")]);
    remote.commit("main", &[("a", "2")]);
    let Some(backend) = backend() else { return };
    let root = remote.path.parent().unwrap().to_path_buf();
    let server = Server::start(move |asked, stream| {
        let mut output = git_output(&backend, &root, "", asked);
        if asked.method == "GET" {
            // The same length, so that the line stays a line.
            output = replaced(output, b" shallow ", b" shadows ");
        }
        pass_on(&output, stream);
    });
    let url = server.url("r.git");
    let (dest, _) = world.obtain(&url, &Want::Head).unwrap();
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "2");
    let mirror = git2::Repository::open_bare(world.mirror(&url)).unwrap();
    assert!(!mirror.is_shallow());
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(from.len())
        .position(|part| part == from)
        .unwrap();
    bytes[at..at + from.len()].copy_from_slice(to);
    bytes
}

fn served(
    world: &World,
    handler: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static,
) -> Failure {
    let server = Server::start(handler);
    failure(world.resolve(&server.url("r"), &Want::Head))
}

#[test]
fn a_server_that_always_wants_a_login_is_given_up() {
    let world = World::with_vars(&[("PLUGD_TOKEN_127_0_0_1", "hidden-token")]);
    let server = Server::start(|_, stream| answer(stream, "401 Unauthorized", &[], b""));
    let url = server
        .url("r")
        .replace("http://", "http://me:hidden-password@");
    let error = world.resolve(&url, &Want::Head).unwrap_err();
    let text = format!("{error:?} {}", plugd_model::error_chain(&error));
    assert!(!text.contains("hidden"), "{text}");
    let Failure::Unauthorised { host, tried, .. } = failure(Err::<(), _>(error)) else {
        panic!("{text}");
    };
    assert_eq!(host, "127.0.0.1");
    assert_eq!(tried, ["no login", "the address", "$PLUGD_TOKEN_127_0_0_1"]);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_redirect_is_followed_within_the_rules() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "1")]);
    if let Some(backend) = backend() {
        let root = remote.path.parent().unwrap().to_path_buf();
        let server = Server::start(
            move |asked, stream| match asked.path.strip_prefix("/old/") {
                Some(rest) => {
                    let place = format!("Location: /{rest}?{}", asked.query);
                    answer(stream, "301 Moved Permanently", &[&place], b"");
                }
                None => git_answers(&backend, &root, "", asked, stream),
            },
        );
        world.obtain(&server.url("old/r.git"), &Want::Head).unwrap();
        let paths: Vec<_> = server.asked().into_iter().map(|asked| asked.path).collect();
        let expected = [
            "/old/r.git/info/refs",
            "/r.git/info/refs",
            "/r.git/git-upload-pack",
            "/r.git/git-upload-pack",
        ];
        assert_eq!(paths, expected);
    }
    for place in [
        "http://example.org/r/info/refs",
        "file:///etc/passwd",
        "ftp://h/r",
    ] {
        let place = format!("Location: {place}");
        let found = served(&world, move |_, stream| {
            answer(stream, "302 Found", &[&place], b"");
        });
        assert!(matches!(found, Failure::Refused { .. }), "{found:?}");
    }
    let found = served(&world, |asked, stream| {
        let place = format!("Location: {}?{}", asked.path, asked.query);
        answer(stream, "302 Found", &[&place], b"");
    });
    assert!(matches!(found, Failure::Refused { .. }), "{found:?}");
}

#[test]
fn another_host_is_told_no_login() {
    let world = World::with_vars(&[("PLUGD_TOKEN_127_0_0_1", "hidden-token")]);
    let other = Server::start(|_, stream| {
        answer(stream, "200 OK", &[LIST_TYPE], &list());
    });
    let place = format!(
        "Location: {}/info/refs?service=git-upload-pack",
        other.url("r")
    );
    let server = Server::start(move |asked, stream| match asked.header("authorization") {
        Some(_) => answer(stream, "302 Found", &[&place], b""),
        None => answer(stream, "401 Unauthorized", &[], b""),
    });
    world.resolve(&server.url("r"), &Want::Head).unwrap();
    let asked = other.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
}

#[test]
fn answers_that_are_no_git_are_refused() {
    let world = World::new();
    let html = served(&world, |_, stream| {
        answer(stream, "200 OK", &["Content-Type: text/html"], b"<html>");
    });
    assert!(matches!(html, Failure::Refused { .. }), "{html:?}");
    let gone = served(&world, |_, stream| {
        answer(stream, "404 Not Found", &[], b"");
    });
    assert!(
        matches!(gone, Failure::RepositoryMissing { .. }),
        "{gone:?}"
    );
    let busy = served(&world, |_, stream| answer(stream, "503 Busy", &[], b""));
    assert!(busy.is_retryable(), "{busy:?}");
    for body in [
        &b"zzzz"[..],
        b"0006",
        b"ffff",
        b"",
        b"001e# service=git-upload-pack\n0000",
    ] {
        let found = served(&world, move |_, stream| {
            answer(stream, "200 OK", &[LIST_TYPE], body);
        });
        assert!(!format!("{found}").is_empty(), "{found:?}");
    }
    let cut = served(&world, |_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\n{LIST_TYPE}\r\nContent-Length: 900\r\n\r\n001e#");
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Both);
    });
    assert!(matches!(cut, Failure::Unreachable { .. }), "{cut:?}");
    let nobody = "http://127.0.0.1:1/r";
    let found = failure(world.resolve(nobody, &Want::Head));
    assert!(matches!(found, Failure::Unreachable { .. }), "{found:?}");
}

/// How many times slower everything is than usual: a worker that is watched takes seconds to start.
pub(crate) fn slowness() -> u32 {
    let told = std::env::var("PLUGD_TEST_SLOWNESS").ok();
    told.map_or(1, |times| times.parse().unwrap())
}

/// The list of a repository with one branch.
fn list() -> Vec<u8> {
    let line = format!("{} HEAD\0agent=test\n", "a".repeat(40));
    format!(
        "001e# service=git-upload-pack\n0000{:04x}{line}0000",
        line.len() + 4
    )
    .into_bytes()
}

#[test]
fn slow_bytes_are_waited_for_and_missing_ones_are_not() {
    let world = World::new();
    let slowness = slowness();
    let send = move |stream: &mut TcpStream, until: usize| {
        let body = list();
        let head = format!(
            "HTTP/1.1 200 OK\r\n{LIST_TYPE}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(head.as_bytes());
        for byte in &body[..until.min(body.len())] {
            let _ = stream.write_all(&[*byte]);
            // The point of this server is to be slow.
            std::thread::sleep(Duration::from_millis(20) * slowness);
        }
    };
    let idle = Duration::from_millis(1200) * slowness;
    let git = world.git.clone().with_idle(idle);
    let slow = Server::start(move |_, stream| send(stream, usize::MAX));
    let address = Address::parse(&slow.url("r")).unwrap();
    let commit = world
        .wait(git.resolve(&address, &Want::Head, Watch::nobody()))
        .unwrap();
    assert_eq!(commit.as_str(), "a".repeat(40));

    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let stuck = Server::start(move |_, stream| {
        send(stream, 10);
        // Open and silent until the test is over.
        let _ = held.lock().unwrap().recv();
    });
    let address = Address::parse(&stuck.url("r")).unwrap();
    let error = world
        .wait(git.resolve(&address, &Want::Head, Watch::nobody()))
        .unwrap_err();
    assert!(
        matches!(
            error,
            GitError::Silent {
                stage: Stage::Resolving,
                ..
            }
        ),
        "{error:?}"
    );
    drop(hold);
}

#[test]
fn a_fetch_that_breaks_off_leaves_a_mirror_that_works() {
    let world = World::new();
    let remote = world.remote("r.git");
    let noise: String = (0..20_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    remote.commit("main", &[("a", &noise)]);
    let Some(backend) = backend() else { return };
    let root = remote.path.parent().unwrap().to_path_buf();
    // The first step tells where history ends; the second one is the pack.
    let broken = AtomicU32::new(0);
    let server = Server::start(move |asked, stream| {
        if asked.method == "POST" && broken.fetch_add(1, Ordering::SeqCst) == 1 {
            let kind = "Content-Type: application/x-git-upload-pack-result";
            let head =
                format!("HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: 9000\r\n\r\n0008NAK\n");
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.shutdown(std::net::Shutdown::Both);
        } else {
            git_answers(&backend, &root, "", asked, stream);
        }
    });
    let url = server.url("r.git");
    let found = failure(world.obtain(&url, &Want::Head));
    assert!(found.is_retryable(), "{found:?}");
    let (dest, _) = world.obtain(&url, &Want::Head).unwrap();
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), noise);

    // And one that is larger than the limit.
    let other = World::new();
    let address = Address::parse(&url).unwrap();
    let git = other.git.clone().with_max_pack(5_000);
    let work = git.fetch(&address, &Want::Head, Depth::Tip, None, Watch::nobody());
    let found = failure(other.wait(work));
    assert!(matches!(found, Failure::TooMuch { .. }), "{found:?}");
}

/// A shallow mirror holds one commit, and its object names its parents.
#[test]
fn a_shallow_mirror_tells_what_its_commits_name() {
    let world = World::new();
    let repo = GitRepo::bare(&world.sandbox, "remotes/r.git");
    let server = GitServer::start();
    let url = server.serve("r.git", &repo);
    let address = Address::parse(&url).unwrap();
    let check = |since: &str, expected| {
        let since = CommitId::new(since).unwrap();
        let nobody = Watch::nobody();
        let work = world
            .git
            .fetch(&address, &Want::Head, Depth::Tip, Some(&since), nobody);
        assert_eq!(world.wait(work).unwrap().history, expected);
    };
    let first = repo.commit("== a\n1\n");
    check(&first, History::Forward);
    let second = repo.commit("== a\n2\n");
    check(&first, History::Forward);
    repo.set_branch("main", &first);
    check(&second, History::Rewritten);
    repo.set_branch("main", &second);
    repo.commit("== a\n3\n");
    let fourth = repo.commit("== a\n4\n");
    // The third one, which would tell, was never fetched.
    check(&second, History::Unknown);
    check(&fourth, History::Forward);
}
