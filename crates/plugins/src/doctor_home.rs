//! Looking at the home directory itself for the doctor: whether it is there, whether this process may
//! write where a change writes, and whether the state in it is of a format that is known here.
//!
//! Nothing is written to find that out, not even for a moment.

use plugd_disk::{Disk, Kind, Stamp};
use plugd_model::{AbsPath, Layout, Problem, ProblemKind, error_chain};
use plugd_store::StoreError;

use crate::doctor::{self, Area, Check};
use crate::facts::MOVE_IT_AWAY;

/// The locks that processes hold while they work.
pub(crate) const LOCKS: [&str; 3] = ["store", "config", "share"];

/// The home, and whether it can be changed.
pub(crate) fn home(disk: &Disk, layout: &Layout) -> Check {
    let mut check = Check::new(Area::Home);
    let home = layout.home();
    check.fact("directory", home.to_text());
    match disk.stamp(home) {
        Ok(None) => {
            check.fact("state", "not there yet; the first change makes it");
            if let Some(place) = nearest(disk, home) {
                writable(disk, &mut check, &place);
            }
        }
        Ok(Some(stamp)) if stamp.kind == Kind::Dir => {
            if let Err(error) = disk.list(home) {
                check.unreadable(&error);
            }
            for place in written_places(disk, layout) {
                writable(disk, &mut check, &place);
            }
        }
        Ok(Some(_)) => check.find(
            Problem::error(ProblemKind::NotAFile, "the home is not a directory").in_file(home),
            "move what stands there away, or set CODEX_HOME",
        ),
        Err(error) => check.unreadable(&error),
    }
    let own = [
        layout.user_config(),
        layout.user_plugd_config(),
        layout.auth(),
        layout.links(),
        layout.approvals(),
    ];
    own.iter().for_each(|file| dangling(disk, file, &mut check));
    check
}

/// Whether a file is a link to nothing. To everybody who reads it that is a file that is not there,
/// and whoever made the link thinks otherwise.
fn dangling(disk: &Disk, file: &AbsPath, check: &mut Check) {
    let is_link = |stamp: Stamp| stamp.kind == Kind::Link;
    let is_there = disk.link_stamp(file).ok().flatten().is_some_and(is_link);
    if is_there && matches!(disk.stamp(file), Ok(None)) {
        check.find(
            Problem::warning(ProblemKind::Missing, "the link leads to nothing").in_file(file),
            "bring back what it leads to, or remove the link",
        );
    }
}

/// The nearest directory above that is there: what is not there yet is made in it.
pub(crate) fn nearest(disk: &Disk, path: &AbsPath) -> Option<AbsPath> {
    let mut place = path.parent();
    while let Some(path) = place {
        if let Ok(Some(_)) = disk.stamp(&path) {
            return Some(path);
        }
        place = path.parent();
    }
    None
}

/// Where a change makes, replaces or opens files.
fn written_places(disk: &Disk, layout: &Layout) -> Vec<AbsPath> {
    let home = layout.home();
    let mut places = vec![home.clone(), home.join("plugins"), layout.cache()];
    places.extend([layout.state(), layout.state().join("locks")]);
    places.extend([layout.journals(), layout.staging(), layout.trash()]);
    places.extend([layout.records(), layout.trees()]);
    places.extend(LOCKS.iter().map(|name| layout.lock(name)));
    // A link is followed, and the file behind it replaced.
    for file in [layout.user_config(), layout.user_plugd_config()] {
        let behind = disk.follow_links(&file).ok();
        places.extend(behind.and_then(|file| file.parent()));
    }
    let mut once = Vec::new();
    for place in places {
        if !once.contains(&place) {
            once.push(place);
        }
    }
    once
}

fn writable(disk: &Disk, check: &mut Check, place: &AbsPath) {
    match disk.may_write(place) {
        Ok(true) => {}
        Ok(false) => check.find(
            Problem::error(
                ProblemKind::Unreadable,
                "nothing can be changed here: this user may not write",
            )
            .in_file(place),
            "see who owns it and what its rights are, and whether its file system is read-only",
        ),
        Err(error) if error.is_not_found() => {}
        Err(error) => check.unreadable(&error),
    }
}

/// What the program and the state say of their versions. State that this program must not touch
/// makes every change fail.
pub(crate) fn versions(state: Option<&str>, format: Result<(), StoreError>) -> Check {
    let mut check = doctor::versions(state);
    let Err(error) = format else {
        return check;
    };
    let advice = match &error {
        StoreError::FormatTooNew { .. } => {
            "use the newer plugd that wrote the state; this one changes nothing beside it"
        }
        StoreError::BadFormat { .. } => {
            "if no newer plugd has written there, write the number 1 into the file; nothing is \
             changed until then"
        }
        StoreError::InTheWay { .. } => MOVE_IT_AWAY,
        _ => "see who owns the file and what its rights are",
    };
    check.find(problem_of(&error), advice);
    check
}

/// The error with the path that it is about.
pub(crate) fn problem_of(error: &StoreError) -> Problem {
    let problem = Problem::error(kind_of(error), error_chain(error));
    match error {
        StoreError::BadFormat { path } | StoreError::InTheWay { path, .. } => problem.in_file(path),
        _ => problem,
    }
}

fn kind_of(error: &StoreError) -> ProblemKind {
    match error {
        StoreError::FormatTooNew { .. } => ProblemKind::UnsupportedSchema,
        StoreError::BadFormat { .. } => ProblemKind::BadVersion,
        StoreError::InTheWay { .. } => ProblemKind::NotAFile,
        _ => ProblemKind::Unreadable,
    }
}

/// How much room there is.
pub(crate) fn space(disk: &Disk, layout: &Layout) -> Check {
    // A home that is not there yet is made where its parent is.
    let mut place = Some(layout.home().clone());
    while let Some(path) = place {
        match disk.free_bytes(&path) {
            Ok(free) => return doctor::space(&path, free),
            Err(_) => place = path.parent(),
        }
    }
    doctor::space(layout.home(), None)
}

#[cfg(test)]
mod tests {
    use plugd_model::AbsPath;
    use plugd_store::StoreError;
    use pretty_assertions::assert_eq;

    use super::versions;

    #[track_caller]
    fn check(format: Result<(), StoreError>, expected: Option<(&str, &str)>) {
        let check = versions(Some("1\n"), format);
        let found = check.findings.first();
        let found = found.map(|one| (one.problem.message.as_str(), one.advice.as_str()));
        match (found, expected) {
            (Some((message, advice)), Some((says, advises))) => {
                assert!(message.contains(says), "{message}");
                assert!(advice.contains(advises), "{advice}");
            }
            (found, expected) => assert_eq!(found, expected),
        }
    }

    #[test]
    fn state_that_must_not_be_touched_is_an_error_with_a_way_out() {
        let path = AbsPath::new("/ch/plugins/.plugd/version").unwrap();
        check(Ok(()), None);
        let newer = StoreError::FormatTooNew {
            path: path.clone(),
            found: 99,
            known: 1,
        };
        check(Err(newer), Some(("has format 99", "the newer plugd")));
        let garbage = StoreError::BadFormat { path };
        let says = "does not hold a format number";
        check(Err(garbage), Some((says, "the number 1")));
    }
}
