use std::fs;

use git2::{Repository, build::RepoBuilder};
use pretty_assertions::assert_eq;

use super::{GitRepo, RawEntry, RawKind};
use crate::Sandbox;

/// The names in a tree, one below the other as git lists them, each with its mode.
fn listing(repository: &Repository, tree: &git2::Tree<'_>, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in tree {
        let name = String::from_utf8_lossy(entry.name_bytes());
        found.push(format!("{:o} {prefix}{name}", entry.filemode_raw()));
        if let Ok(object) = entry.to_object(repository)
            && let Some(below) = object.as_tree()
        {
            found.extend(listing(repository, below, &format!("{prefix}{name}/")));
        }
    }
    found
}

fn listed(repo: &GitRepo, branch: &str) -> Vec<String> {
    let repository = repo.open().unwrap();
    let commit = repository.revparse_single(&repo.tip(branch)).unwrap();
    let tree = commit.peel_to_tree().unwrap();
    listing(&repository, &tree, "")
}

#[test]
fn a_fixture_becomes_a_commit_that_checks_out_again() {
    let sandbox = Sandbox::new();
    let repo = GitRepo::bare(&sandbox, "remote.git");
    let fixture = "== a/b/c.txt\nroot is $ROOT\n== a.txt\nx\n== link -> a.txt\n\
                   == run.sh (mode 755)\necho\n";
    repo.commit(fixture);
    let expected = [
        "100644 a.txt",
        "40000 a",
        "40000 a/b",
        "100644 a/b/c.txt",
        "120000 link",
        "100755 run.sh",
    ];
    assert_eq!(listed(&repo, "main"), expected);
    let to = sandbox.path("clone");
    RepoBuilder::new()
        .clone(&repo.file_url(), to.as_path())
        .unwrap();
    fs::remove_dir_all(to.join(".git")).unwrap();
    let mut lines: Vec<String> = sandbox.tree("clone").lines().map(str::to_owned).collect();
    lines.sort();
    let mut wanted: Vec<&str> = fixture.lines().collect();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
}

#[test]
fn equal_histories_have_equal_commits() {
    let sandbox = Sandbox::new();
    let (one, other) = (
        GitRepo::bare(&sandbox, "one.git"),
        GitRepo::bare(&sandbox, "other.git"),
    );
    for repo in [&one, &other] {
        repo.commit("== a\n1\n");
        repo.commit("== a\n2\n");
    }
    assert_eq!(one.head(), other.head());
    let repository = one.open().unwrap();
    let head = repository.revparse_single("main").unwrap();
    let head = head.peel_to_commit().unwrap();
    assert_eq!(
        (head.parent_count(), head.time().seconds()),
        (1, 1_700_000_060)
    );
}

#[test]
fn branches_and_tags() {
    let sandbox = Sandbox::new();
    let repo = GitRepo::bare(&sandbox, "remote.git");
    let first = repo.commit("== a\n1\n");
    let second = repo.commit("== a\n2\n");
    assert_eq!(repo.head(), second);
    repo.set_branch("main", &first);
    assert_eq!(repo.head(), first);
    let other = repo.commit_unrelated("main", "== b\n1\n");
    assert_eq!(repo.head(), other);
    repo.tag("light", &first);
    let tag = repo.annotated_tag("v1", &second);
    let repository = repo.open().unwrap();
    let peeled = |name: &str| {
        let found = repository.revparse_single(name).unwrap();
        found.peel_to_commit().unwrap().id().to_string()
    };
    assert_eq!((peeled("light"), peeled("v1")), (first.clone(), second));
    assert_eq!(
        repository.revparse_single("v1").unwrap().id().to_string(),
        tag
    );
    repo.set_branch("dev", &first);
    repo.set_head("dev");
    assert_eq!(peeled("HEAD"), first);
    repo.delete_branch("dev");
    assert!(repository.find_reference("refs/heads/dev").is_err());
}

#[test]
fn entries_that_no_git_would_write() {
    let sandbox = Sandbox::new();
    let repo = GitRepo::bare(&sandbox, "remote.git");
    let commit = "0123456789012345678901234567890123456789";
    repo.commit_raw(
        "main",
        "== A\nx\n",
        &[
            RawEntry::file("..", "x"),
            RawEntry::new("a/b", RawKind::Executable(b"x".to_vec())),
            RawEntry::new(".git", RawKind::Dir(vec![RawEntry::file("config", "x")])),
            RawEntry::new("a", RawKind::Link(b"/etc".to_vec())),
            RawEntry::new("sub", RawKind::Submodule(commit.to_owned())),
        ],
    );
    let expected = [
        "100644 ..",
        "40000 .git",
        "100644 .git/config",
        "100644 A",
        "120000 a",
        "100755 a/b",
        "160000 sub",
    ];
    assert_eq!(listed(&repo, "main"), expected);
}

#[test]
#[should_panic(expected = "has no branch `nowhere`")]
fn a_branch_that_is_not_there() {
    let sandbox = Sandbox::new();
    let _ = GitRepo::bare(&sandbox, "remote.git").tip("nowhere");
}

#[test]
fn a_repository_in_a_working_directory() {
    let sandbox = Sandbox::new();
    let repo = GitRepo::in_work_tree(&sandbox, "work");
    repo.commit("== a\n1\n");
    assert!(sandbox.exists("work/.git/HEAD"));
    assert!(!sandbox.exists("work/a"));
}
