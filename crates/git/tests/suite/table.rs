//! Every case with every backend: both must do the same, and where they differ the table says so.
//!
//! The table is written past the test's captured output, so that it is seen in every run.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use plugd_git::{Backend, Failure, GitError};
use pretty_assertions::assert_eq;

use crate::{bad, good};

/// A row: what it is, what each backend must make of it, and how it is tried.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) libgit2: &'static str,
    pub(crate) command: &'static str,
    pub(crate) run: fn(Backend) -> String,
}

/// A row where both do the same.
pub(crate) fn same(name: &'static str, outcome: &'static str, run: fn(Backend) -> String) -> Case {
    Case {
        name,
        libgit2: outcome,
        command: outcome,
        run,
    }
}

pub(crate) fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output();
    found.is_ok_and(|output| output.status.success())
}

/// A word for how something ended.
pub(crate) fn outcome<T>(result: Result<T, GitError>) -> String {
    let word = match result {
        Ok(_) => "ok",
        Err(GitError::Silent { .. }) => "silent",
        Err(GitError::Failed { failure, .. }) => match failure {
            Failure::Unauthorised { .. } => "wants a login",
            Failure::Unreachable { .. } => "unreachable",
            Failure::Refused { .. } => "refused",
            Failure::ServerFault { .. } => "server fault",
            Failure::RepositoryEmpty { .. } => "empty",
            Failure::NoDefaultBranch { .. } => "no default branch",
            Failure::RepositoryMissing { .. } => "no repository",
            Failure::RefMissing { .. } => "no such ref",
            Failure::CommitMissing { .. } => "no such commit",
            Failure::Ambiguous { .. } => "ambiguous",
            Failure::HostileName { .. } => "hostile name",
            Failure::LongName { .. } => "name too long",
            Failure::TooMuch { .. } => "too much",
            Failure::OverLimit { .. } => "over a limit",
            Failure::BadReplacement { .. } => "bad replacement",
            Failure::DirectoryMissing { .. } => "no directory",
            Failure::NoCommand => "no git",
            other => return format!("{other:?}"),
        },
        Err(other) => return format!("{other:?}"),
    };
    word.to_owned()
}

#[test]
fn both_backends_pass_every_case() {
    let cases: Vec<Case> = good::cases().into_iter().chain(bad::cases()).collect();
    let width = cases.iter().map(|case| case.name.len()).max().unwrap();
    let mut text = format!("\n{:width$} | libgit2         | command\n", "case");
    let mut wrong = Vec::new();
    for case in &cases {
        let mut cells = Vec::new();
        for (backend, expected) in [
            (Backend::Libgit2, case.libgit2),
            (Backend::Command, case.command),
        ] {
            if backend == Backend::Command && !has_git() {
                cells.push("no git on this machine".to_owned());
                continue;
            }
            let found = (case.run)(backend);
            if found != expected {
                wrong.push((case.name, backend, found.clone(), expected));
            }
            cells.push(found);
        }
        let name = case.name;
        writeln!(text, "{name:width$} | {:15} | {}", cells[0], cells[1]).unwrap();
    }
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    assert_eq!(wrong, []);
}
