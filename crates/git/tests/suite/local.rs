//! Which commit is meant, and what comes of it, from repositories of this machine.

use std::collections::HashMap;

use plugd_git::{Address, Backend, CommitId, Depth, Failure, Git, History, Want, Watch};
use pretty_assertions::assert_eq;

use crate::fixture::{DIR, FILE, Remote, World, failure};
use crate::table::has_git;

#[test]
fn every_kind_of_name_leads_to_its_commit() {
    let world = World::new();
    let remote = world.remote("r.git");
    let first = remote.commit("main", &[("a", "1")]);
    let second = remote.commit("main", &[("a", "2")]);
    let side = remote.commit("side", &[("a", "3")]);
    let repository = &remote.repository;
    let object = repository.find_object(first, None).unwrap();
    let who = git2::Signature::now("t", "t@example.org").unwrap();
    repository.tag("v1", &object, &who, "one", false).unwrap();
    repository.tag_lightweight("light", &object, false).unwrap();

    let check = |want: Want, expected: git2::Oid| {
        let (dest, report) = world.obtain(&remote.url(), &want).unwrap();
        assert_eq!(report.commit.as_str(), expected.to_string(), "{want:?}");
        assert!(!dest.as_path().join(".git").exists());
        let short = matches!(&want, Want::Commit(text) if text.len() < 40);
        if !short {
            let resolved = world.resolve(&remote.url(), &want).unwrap();
            assert_eq!(resolved, expected.to_string(), "{want:?}");
        }
    };
    check(Want::Head, second);
    check(Want::of_ref("main").unwrap(), second);
    check(Want::of_ref("side").unwrap(), side);
    check(Want::of_ref("refs/heads/side").unwrap(), side);
    check(Want::of_ref("v1").unwrap(), first);
    check(Want::of_ref("light").unwrap(), first);
    check(Want::of_commit(&first.to_string()).unwrap(), first);
    check(Want::of_commit(&first.to_string()[..10]).unwrap(), first);
    check(Want::of_ref(&first.to_string()[..10]).unwrap(), first);
}

#[test]
fn what_is_not_there_is_named() {
    let world = World::new();
    let remote = world.remote("r.git");
    let url = remote.url();
    let missing = |wanted: &str| Failure::RefMissing {
        url: url.clone(),
        wanted: wanted.to_owned(),
    };
    for want in [Want::Head, Want::of_ref("none").unwrap()] {
        let url = url.clone();
        assert_eq!(
            failure(world.obtain(&url, &want)),
            Failure::RepositoryEmpty { url }
        );
    }
    remote.commit("main", &[("a", "1")]);
    let none = Want::of_ref("none").unwrap();
    assert_eq!(failure(world.obtain(&url, &none)), missing("none"));
    assert_eq!(failure(world.resolve(&url, &none)), missing("none"));
    for wanted in ["0123456789".repeat(4), "0123abcd".to_owned()] {
        let found = failure(world.obtain(&url, &Want::of_commit(&wanted).unwrap()));
        let url = url.clone();
        assert_eq!(found, Failure::CommitMissing { url, wanted });
    }
    let nowhere = format!("{url}-not");
    assert_eq!(
        failure(world.obtain(&nowhere, &Want::Head)),
        Failure::RepositoryMissing { url: nowhere }
    );
}

#[test]
fn an_abbreviation_of_two_commits_is_refused() {
    let world = World::new();
    let remote = world.remote("r.git");
    let tree = remote.tree(&[]);
    let mut seen = HashMap::new();
    let clash = (0..).find_map(|number| {
        let id = remote.commit_tree("main", tree, &number.to_string());
        let prefix = id.to_string()[..4].to_owned();
        seen.insert(prefix.clone(), id).map(|_| prefix)
    });
    let wanted = clash.unwrap();
    let url = remote.url();
    let found = failure(world.obtain(&url, &Want::of_commit(&wanted).unwrap()));
    assert_eq!(found, Failure::Ambiguous { url, wanted });
}

fn fetch(world: &World, git: &Git, remote: &Remote, since: Option<git2::Oid>) -> History {
    let address = Address::parse(&remote.url()).unwrap();
    let since = since.map(|id| CommitId::new(&id.to_string()).unwrap());
    let work = git.fetch(
        &address,
        &Want::Head,
        Depth::Whole,
        since.as_ref(),
        Watch::nobody(),
    );
    world.wait(work).unwrap().history
}

#[test]
fn a_rewritten_history_is_noticed() {
    let world = World::new();
    let remote = world.remote("r.git");
    let check = |since, expected| {
        assert_eq!(fetch(&world, &world.git, &remote, since), expected);
    };
    let first = remote.commit("main", &[("a", "1")]);
    check(None, History::Unknown);
    check(Some(first), History::Forward);
    let second = remote.commit("main", &[("a", "2")]);
    check(Some(first), History::Forward);
    let mut main = remote.repository.find_reference("refs/heads/main").unwrap();
    main.set_target(first, "").unwrap();
    let third = remote.commit("main", &[("a", "3")]);
    check(Some(second), History::Rewritten);
    check(Some(third), History::Forward);
}

#[test]
fn a_known_commit_needs_no_remote() {
    let world = World::new();
    let remote = world.remote("r.git");
    let id = remote.commit("main", &[("a", "1")]);
    world.obtain(&remote.url(), &Want::Head).unwrap();
    std::fs::remove_dir_all(&remote.path).unwrap();
    let want = Want::of_commit(&id.to_string()).unwrap();
    let (dest, _) = world.obtain(&remote.url(), &want).unwrap();
    assert_eq!(std::fs::read_to_string(dest.join("a")).unwrap(), "1");
}

#[test]
fn the_users_configuration_may_send_us_elsewhere() {
    let world = World::new();
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "1")]);
    let base = remote.path.parent().unwrap().display().to_string();
    let config = world.sandbox.root().as_path().join("gitconfig");
    let text = format!(
        "[url \"file://{base}/\"]\n insteadOf = https://example.org/own/\n\
         [url \"ext::sh -c \"]\n insteadOf = https://example.org/bad/\n"
    );
    std::fs::write(&config, text).unwrap();
    for backend in [Backend::Libgit2, Backend::Command] {
        if backend == Backend::Command && !has_git() {
            continue;
        }
        let vars = [("GIT_CONFIG_GLOBAL", config.to_str().unwrap())];
        let world = World::with_vars(&vars).on(backend);
        world
            .obtain("https://example.org/own/r.git", &Want::Head)
            .unwrap();
        let found = failure(world.obtain("https://example.org/bad/id", &Want::Head));
        assert!(matches!(found, Failure::BadReplacement { .. }), "{found:?}");
    }
}

#[test]
fn two_workers_share_a_mirror() {
    let world = World::new();
    let remote = world.remote("r.git");
    let blob = remote.blob(b"x");
    let names: Vec<String> = (0..500).map(|number| format!("{number:04}")).collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| (name.as_bytes(), FILE, blob))
        .collect();
    let inner = remote.tree(&entries);
    let root = remote.tree(&[(b"d", DIR, inner)]);
    remote.commit_tree("main", root, "many");
    let address = Address::parse(&remote.url()).unwrap();
    let one = || {
        world
            .git
            .fetch(&address, &Want::Head, Depth::Tip, None, Watch::nobody())
    };
    let (left, right) = world.wait(async { tokio::join!(one(), one()) });
    assert_eq!(left.unwrap().commit, right.unwrap().commit);
}
