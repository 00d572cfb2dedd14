//! Programs of this machine that the work may use: git, and its extension for large files.
//!
//! They are looked for in the absolute directories of the PATH only. A relative one means a program
//! that whoever filled the working directory has written.

use std::ffi::OsString;

use plugd_disk::{Disk, Kind};
use plugd_model::{AbsPath, Environment};

/// What is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Programs {
    pub(crate) git: Option<AbsPath>,
    /// `git lfs`, which only serves where there is a git.
    pub(crate) lfs: Option<AbsPath>,
}

impl Programs {
    pub(crate) fn find(disk: &Disk, environment: &Environment) -> Self {
        let git = find(disk, environment, "git");
        let lfs = git
            .as_ref()
            .and_then(|_| find(disk, environment, "git-lfs"));
        Self { git, lfs }
    }
}

/// The PATH without its relative directories.
pub(crate) fn absolute_path(environment: &Environment) -> OsString {
    std::env::join_paths(directories(environment).iter().map(AbsPath::as_path)).unwrap_or_default()
}

fn find(disk: &Disk, environment: &Environment, name: &str) -> Option<AbsPath> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let mut places = directories(environment).into_iter();
    places.find_map(|directory| {
        let path = directory.join(&file);
        let stamp = disk.stamp(&path).ok().flatten()?;
        let runs = stamp.kind == Kind::File && (cfg!(not(unix)) || stamp.mode & 0o111 != 0);
        runs.then_some(path)
    })
}

fn directories(environment: &Environment) -> Vec<AbsPath> {
    let path = environment.var("PATH").unwrap_or_default();
    std::env::split_paths(path)
        .filter_map(|directory| AbsPath::new(directory).ok())
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use plugd_disk::Disk;
    use plugd_model::AbsPath;
    use plugd_testkit::{Sandbox, test_environment};
    use pretty_assertions::assert_eq;

    use super::{Programs, absolute_path};

    #[test]
    fn only_programs_in_absolute_directories_are_found() {
        let sandbox = Sandbox::new();
        let root = AbsPath::new(sandbox.root().as_path()).unwrap();
        let disk = Disk::new();
        for dir in ["dir/git", "plain", "good"] {
            disk.create_dirs(&root.join(dir)).unwrap();
        }
        disk.write_new(&root.join("plain/git"), b"x", 0o644)
            .unwrap();
        disk.write_new(&root.join("good/git"), b"x", 0o755).unwrap();
        let mut environment = test_environment(&sandbox);
        environment.cwd = root.join("good");
        let mut check = |path: &str, git: Option<&str>| {
            let path = path.replace('$', &root.to_text());
            environment.vars.insert("PATH".into(), path.into());
            let found = Programs::find(&disk, &environment);
            assert_eq!(found.git, git.map(|git| root.join(git)));
            assert_eq!(found.lfs, None);
            absolute_path(&environment)
        };
        check("$/dir:$/plain:$/good", Some("good/git"));
        check("", None);
        assert_eq!(check(".:good::bin", None), "");
        disk.write_new(&root.join("plain/git-lfs"), b"x", 0o755)
            .unwrap();
        check("$/plain", None);
    }
}
