//! What the git command fetches of a part of a repository, and which program is taken when.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use git2::{Oid, Repository};
use plugd_git::{Backend, CheckedOut, Failure, GitError, Want};
use plugd_model::AbsPath;
use pretty_assertions::assert_eq;

use crate::damage::files;
use crate::fixture::{Remote, World, failure};
use crate::server::{Server, backend, git_answers};

const FILES: &[(&str, &str)] = &[("a", "1"), ("p/q/x", "2"), ("p/q/y", "3"), ("p/z", "4")];

/// A world with a repository behind git's own server; `None` on a machine without git.
fn served(config: &'static str) -> Option<(World, Remote, Server)> {
    let backend = backend()?;
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("old", "0")]);
    remote.commit("main", FILES);
    let root = remote.path.parent()?.to_path_buf();
    let server = Server::start(move |asked, stream| {
        git_answers(&backend, &root, config, asked, stream);
    });
    Some((world, remote, server))
}

const FILTERS: &str = "uploadpack.allowFilter=true";

fn steps(server: &Server) -> usize {
    let asked = server.asked();
    let step = |one: &&crate::server::Asked| {
        one.method == "POST" && !String::from_utf8_lossy(&one.body).contains("command=ls-refs")
    };
    asked.iter().filter(step).count()
}

fn text(dest: &AbsPath, path: &str) -> Option<String> {
    fs::read_to_string(dest.join(path)).ok()
}

/// Which of the files' contents a repository holds.
fn contents(remote: &Remote, path: &AbsPath) -> Vec<&'static str> {
    let Ok(repository) = Repository::open_bare(path) else {
        return Vec::new();
    };
    let odb = repository.odb().unwrap();
    let holds = |content: &str| odb.exists(remote.blob(content.as_bytes()));
    let there = FILES.iter().filter(|(_, content)| holds(content));
    there.map(|(path, _)| *path).collect()
}

#[test]
fn a_part_costs_its_own_files_only() {
    let Some((world, remote, server)) = served(FILTERS) else {
        return;
    };
    let world = world.on(Backend::Command);
    let url = server.url("r.git");
    let mirror = world.mirror(&url);
    let partial = mirror.join("partial");
    let (dest, report) = world
        .obtain_part(&url, &Want::Head, Some("p/q"), &[])
        .unwrap();
    assert_eq!(text(&dest, "x").as_deref(), Some("2"));
    assert_eq!(report.left_out, []);
    assert_eq!(contents(&remote, &partial), ["p/q/x", "p/q/y"]);
    // The commit with its directories, and then the files.
    assert_eq!(steps(&server), 2);

    // The same part of the same commit is there, whoever asks for it and how.
    let want = Want::of_commit(report.commit.as_str()).unwrap();
    let before = server.asked().len();
    world.obtain_part(&url, &want, Some("p/q"), &[]).unwrap();
    assert_eq!(server.asked().len(), before);

    // Another part of it brings what is missing.
    let paths = ["a", "p/q/x"];
    let (dest, _) = world.obtain_part(&url, &want, None, &paths).unwrap();
    assert_eq!(text(&dest, "a").as_deref(), Some("1"));
    // And those beside it on the way there.
    let there = ["a", "p/q/x", "p/q/y", "p/z"];
    assert_eq!(contents(&remote, &partial), there);

    // A part promises nothing about the whole.
    let (dest, _) = world.obtain(&url, &want).unwrap();
    for (path, content) in FILES {
        assert_eq!(text(&dest, path).as_deref(), Some(*content), "{path}");
    }
    let before = server.asked().len();
    let (dest, _) = world.obtain_part(&url, &want, None, &["p/z"]).unwrap();
    assert_eq!(text(&dest, "p/z").as_deref(), Some("4"));
    assert_eq!(server.asked().len(), before);
}

#[test]
fn a_part_of_a_newer_commit_brings_what_is_new() {
    let Some((world, remote, server)) = served(FILTERS) else {
        return;
    };
    let url = server.url("r.git");
    let part = |expected: &str| {
        let (dest, report) = world
            .obtain_part(&url, &Want::Head, Some("p/q"), &[])
            .unwrap();
        assert_eq!(text(&dest, "x").as_deref(), Some(expected));
        report
    };
    part("2");
    remote.commit("main", &[("p/q/x", "new"), ("p/q/y", "3")]);
    part("new");
    // By the full name of a commit behind the tips too.
    let old = remote.repository.revparse_single("main~1").unwrap().id();
    let want = Want::of_commit(&old.to_string()).unwrap();
    let (dest, _) = world.obtain_part(&url, &want, Some("p/q"), &[]).unwrap();
    assert_eq!(text(&dest, "x").as_deref(), Some("2"));
}

#[test]
fn a_server_that_cannot_filter_sends_everything() {
    for config in ["", "protocol.version=0"] {
        let Some((world, _, server)) = served(config) else {
            return;
        };
        let url = server.url("r.git");
        let (dest, _) = world
            .obtain_part(&url, &Want::Head, Some("p/q"), &["p/q/y"])
            .unwrap();
        assert_eq!(text(&dest, "q/y"), None);
        assert_eq!(text(&dest, "y").as_deref(), Some("3"), "{config}");
    }
}

#[test]
fn a_repository_of_parts_recovers_from_each_missing_file() {
    let Some((world, _, server)) = served(FILTERS) else {
        return;
    };
    let world = world.on(Backend::Command);
    let url = server.url("r.git");
    let mirror = world.mirror(&url);
    let obtain = || -> Result<(AbsPath, CheckedOut), GitError> {
        world.obtain_part(&url, &Want::Head, Some("p/q"), &[])
    };
    obtain().unwrap();
    let mut spoilt = 0;
    loop {
        let mut all = Vec::new();
        files(mirror.join("partial").as_path(), &mut all);
        all.sort();
        let Some(path) = all.get(spoilt) else { break };
        fs::remove_file(path).unwrap();
        spoilt += 1;
        let (dest, _) = obtain().unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        assert_eq!(text(&dest, "x").as_deref(), Some("2"));
    }
    assert!(spoilt > 5, "only {spoilt} files");
}

#[test]
fn without_git_the_built_in_one_works_and_the_command_is_missed() {
    let world = World::with_vars(&[("PATH", "bin:.")]);
    let repo = plugd_testkit::GitRepo::bare(&world.sandbox, "remotes/r.git");
    repo.commit("== p/a\none\n");
    let server = plugd_testkit::GitServer::start();
    let url = server.serve("r.git", &repo);
    let (dest, _) = world
        .obtain_part(&url, &Want::Head, Some("p"), &[])
        .unwrap();
    assert_eq!(text(&dest, "a").as_deref(), Some("one\n"));
    let world = world.on(Backend::Command);
    let missed = [
        failure(world.resolve(&url, &Want::Head)),
        failure(world.obtain(&repo.file_url(), &Want::Head)),
    ];
    assert_eq!(missed, [Failure::NoCommand, Failure::NoCommand]);
}

/// A git that writes down how it was started, and then is the real one.
fn spied() -> Option<(World, AbsPath)> {
    backend()?;
    let world = World::with_vars(&[
        ("PLUGD_TOKEN_127_0_0_1", "hidden-token"),
        ("GIT_DIR", "/elsewhere"),
        ("GIT_CONFIG_PARAMETERS", "'core.bare=false'"),
        ("GIT_ASKPASS", "/bin/ask"),
        ("SSH_ASKPASS", "/bin/ask"),
        ("GIT_SSL_NO_VERIFY", "1"),
    ]);
    let log = world.sandbox.path("git-calls");
    let program = world.sandbox.path("bin/git");
    fs::create_dir_all(program.parent()?).ok()?;
    let script = format!(
        "#!/bin/sh\n{{ printf '%s\\n' \"$@\"; env | sed 's/^/env /'; }} >> '{log}'\n\
         PATH=/usr/local/bin:/usr/bin:/bin exec git \"$@\"\n"
    );
    fs::write(&program, script).ok()?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).ok()?;
    Some((world, log))
}

#[test]
fn git_is_told_no_secret_and_nothing_that_leads_it_elsewhere() {
    let Some((world, log)) = spied() else { return };
    let world = world.on(Backend::Command);
    let repo = plugd_testkit::GitRepo::bare(&world.sandbox, "remotes/r.git");
    repo.commit("== a\none\n");
    let server = plugd_testkit::GitServer::start();
    server.require_login("oauth2", "hidden-token");
    let url = server.serve("r.git", &repo);
    world.obtain(&url, &Want::Head).unwrap();

    let text = fs::read_to_string(&log).unwrap();
    let (env, args): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("env "));
    assert!(!args.join("\n").contains("hidden"), "{args:?}");
    for wanted in [
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "protocol.ext.allow=never",
        "--end-of-options",
        "http.sslVerify=true",
    ] {
        assert!(args.contains(&wanted), "{wanted}");
    }
    for wanted in [
        "env GIT_TERMINAL_PROMPT=0",
        "env GIT_ASKPASS=",
        "env LC_ALL=C",
        "env GIT_NO_LAZY_FETCH=1",
        "env GIT_ALLOW_PROTOCOL=https:ssh:file:http",
    ] {
        assert!(env.contains(&wanted), "{wanted}");
    }
    for unwanted in [
        "env GIT_DIR=/elsewhere",
        "env GIT_CONFIG_PARAMETERS='core.bare",
        "env SSH_ASKPASS=",
        "env GIT_SSL_NO_VERIFY",
    ] {
        let found = env.iter().find(|line| line.starts_with(unwanted));
        assert_eq!(found, None);
    }
}

#[test]
fn auto_takes_git_for_selections_of_remote_repositories_only() {
    let Some((world, log)) = spied() else { return };
    let repo = plugd_testkit::GitRepo::bare(&world.sandbox, "remotes/r.git");
    repo.commit("== p/a\none\n");
    let server = plugd_testkit::GitServer::start();
    let url = server.serve("r.git", &repo);
    world.obtain(&url, &Want::Head).unwrap();
    world
        .obtain_part(&repo.file_url(), &Want::Head, None, &["p"])
        .unwrap();
    // Other plugins may lie in other directories of it.
    world
        .obtain_part(&url, &Want::Head, Some("p"), &[])
        .unwrap();
    world.resolve(&url, &Want::Head).unwrap();
    assert!(!log.as_path().exists());
    repo.commit("== p/a\ntwo\n");
    world.obtain_part(&url, &Want::Head, None, &["p"]).unwrap();
    assert!(log.as_path().exists());
    let id = Oid::from_str(&repo.head()).unwrap();
    let partial = Repository::open_bare(world.mirror(&url).join("partial")).unwrap();
    assert!(partial.find_commit(id).is_ok());
}
