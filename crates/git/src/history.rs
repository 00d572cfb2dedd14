//! How two commits stand to each other, as far as the objects at hand can tell.
//!
//! A commit names its parents also where history was cut off behind it. So they are read from the
//! object itself and not from libgit2, which hides what a shallow mirror does not hold. Nothing is
//! fetched for an answer, and no answer is a guess.

use std::collections::{HashSet, VecDeque};

use git2::{ObjectType, Odb, Oid, Repository};

use crate::{CommitId, History};

/// Most commits that are looked at in each direction.
const MAX_COMMITS: usize = 50_000;

/// What a walk along the parents has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The commit that was looked for.
    Yes,
    /// Not the commit, and all of the history.
    No,
    /// Not the commit, and not all of the history.
    CutOff,
}

/// How a new commit stands to an old one.
pub(crate) fn compare(repository: &Repository, new: Oid, old: Option<&CommitId>) -> History {
    let (Some(Ok(old)), Ok(odb)) = (old.map(CommitId::oid), repository.odb()) else {
        return History::Unknown;
    };
    match search(&odb, new, old) {
        Found::Yes => History::Forward,
        Found::No => History::Rewritten,
        // A history that was taken back leaves the new commit behind the old one.
        Found::CutOff => match search(&odb, old, new) {
            Found::Yes => History::Rewritten,
            Found::No | Found::CutOff => History::Unknown,
        },
    }
}

/// The parents that a commit's own object names; `None` when it is not there or cannot be read.
pub(crate) fn parents(odb: &Odb<'_>, commit: Oid) -> Option<Vec<Oid>> {
    let object = odb.read(commit).ok()?;
    if object.kind() != ObjectType::Commit {
        return None;
    }
    let mut lines = object.data().split(|byte| *byte == b'\n');
    lines.next()?.strip_prefix(b"tree ")?;
    lines
        .map_while(|line| line.strip_prefix(b"parent "))
        .map(|hex| Oid::from_str(std::str::from_utf8(hex).ok()?).ok())
        .collect()
}

fn search(odb: &Odb<'_>, from: Oid, wanted: Oid) -> Found {
    let mut seen = HashSet::from([from]);
    let mut queue = VecDeque::from([from]);
    let mut complete = true;
    while let Some(commit) = queue.pop_front() {
        if commit == wanted {
            return Found::Yes;
        }
        if seen.len() > MAX_COMMITS {
            return Found::CutOff;
        }
        match parents(odb, commit) {
            Some(parents) => queue.extend(parents.into_iter().filter(|one| seen.insert(*one))),
            None => complete = false,
        }
    }
    match complete {
        true => Found::No,
        false => Found::CutOff,
    }
}

#[cfg(test)]
mod tests {
    use git2::{ObjectType, Oid, Repository};
    use pretty_assertions::assert_eq;

    use super::{compare, parents};
    use crate::{CommitId, History};

    fn repository() -> (tempfile::TempDir, Repository) {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(dir.path()).unwrap();
        (dir, repository)
    }

    fn commit(repository: &Repository, parents: &[Oid], text: &str) -> Oid {
        let odb = repository.odb().unwrap();
        let tree = odb.write(ObjectType::Tree, b"").unwrap();
        let parents: String = parents.iter().map(|id| format!("parent {id}\n")).collect();
        let who = "t <t@example.org> 1700000000 +0000";
        // The text comes last: a line of it that looks like a parent is none.
        let bytes =
            format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{text}\nparent x\n");
        odb.write(ObjectType::Commit, bytes.as_bytes()).unwrap()
    }

    fn absent(digit: char) -> Oid {
        Oid::from_str(&digit.to_string().repeat(40)).unwrap()
    }

    #[track_caller]
    fn check(repository: &Repository, new: Oid, old: Oid, expected: History) {
        let old = CommitId::of(old);
        assert_eq!(compare(repository, new, Some(&old)), expected);
    }

    #[test]
    fn a_whole_history_tells_everything() {
        let (_dir, repository) = repository();
        let first = commit(&repository, &[], "1");
        let second = commit(&repository, &[first], "2");
        let side = commit(&repository, &[first], "side");
        let merge = commit(&repository, &[second, side], "merge");
        check(&repository, first, first, History::Forward);
        check(&repository, merge, first, History::Forward);
        check(&repository, merge, side, History::Forward);
        check(&repository, side, second, History::Rewritten);
        check(&repository, first, merge, History::Rewritten);
        check(&repository, merge, absent('9'), History::Rewritten);
        assert_eq!(compare(&repository, merge, None), History::Unknown);
    }

    #[test]
    fn a_cut_history_tells_what_its_objects_name() {
        let (_dir, repository) = repository();
        let cut = commit(&repository, &[absent('1')], "cut");
        let next = commit(&repository, &[cut], "next");
        check(&repository, cut, absent('1'), History::Forward);
        check(&repository, next, absent('1'), History::Forward);
        check(&repository, next, absent('2'), History::Unknown);
        check(&repository, cut, next, History::Rewritten);
        let other = commit(&repository, &[absent('1')], "other");
        check(&repository, other, cut, History::Unknown);
    }

    #[test]
    fn parents_are_read_from_commits_only() {
        let (_dir, repository) = repository();
        let odb = repository.odb().unwrap();
        let first = commit(&repository, &[], "1");
        let second = commit(&repository, &[first], "2");
        assert_eq!(parents(&odb, second), Some(vec![first]));
        assert_eq!(parents(&odb, first), Some(Vec::new()));
        assert_eq!(parents(&odb, absent('3')), None);
        let blob = repository.blob(b"tree x\nparent y\n").unwrap();
        assert_eq!(parents(&odb, blob), None);
    }
}
