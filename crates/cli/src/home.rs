//! Which home directory is meant.
//!
//! Nothing is created here: a home that nobody has written to yet need not exist.

use plugd_disk::{Disk, DiskError, Kind};
use plugd_model::{AbsPath, Environment, Layout};

const VARIABLE: &str = "CODEX_HOME";
const DEFAULT: &str = ".codex";

/// Why there is no usable home directory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    /// Neither variable names one.
    #[error("there is no home directory: set HOME or CODEX_HOME")]
    None,
    /// It was named, so it must be there: a typing error would start an empty home.
    #[error("CODEX_HOME `{path}` does not exist")]
    Missing {
        /// What the variable says.
        path: String,
    },
    /// Something else stands there.
    #[error("CODEX_HOME `{path}` is not a directory")]
    NotADirectory {
        /// What the variable says.
        path: String,
    },
    /// Nobody named it, and something else stands where it belongs.
    #[error("the home is not a directory: {path}")]
    InTheWay {
        /// What should be the home.
        path: AbsPath,
    },
    /// The system does not tell.
    #[error("CODEX_HOME cannot be used")]
    Unreadable(#[source] DiskError),
}

impl HomeError {
    /// What to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::None | Self::Missing { .. } => {
                "set HOME, or CODEX_HOME to a directory that exists"
            }
            Self::NotADirectory { .. } | Self::InTheWay { .. } => {
                "move what stands there away, or set CODEX_HOME to a directory that exists"
            }
            Self::Unreadable(_) => "see who owns the directory and what its rights are",
        }
    }
}

/// Decides on the home: `CODEX_HOME`, which must be a directory, else `~/.codex`. A relative value
/// counts from the working directory.
///
/// # Errors
/// `CODEX_HOME` names no directory, or there is nothing to fall back to.
pub(crate) fn layout(environment: &Environment, disk: &Disk) -> Result<Layout, HomeError> {
    let home = match environment.var(VARIABLE) {
        None => match &environment.home {
            Some(home) => {
                let home = home.join(DEFAULT);
                // One that cannot be looked at is told by whoever reads it.
                match disk.stamp(&home) {
                    Ok(Some(stamp)) if stamp.kind != Kind::Dir => {
                        return Err(HomeError::InTheWay { path: home });
                    }
                    _ => home,
                }
            }
            None => return Err(HomeError::None),
        },
        Some(named) => {
            let home = environment.cwd.join(named);
            let path = named.to_string_lossy().into_owned();
            match disk.stamp(&home).map_err(HomeError::Unreadable)? {
                Some(stamp) if stamp.kind == Kind::Dir => home,
                Some(_) => return Err(HomeError::NotADirectory { path }),
                None => return Err(HomeError::Missing { path }),
            }
        }
    };
    Ok(Layout::new(home, environment.system_dir.clone()))
}

#[cfg(test)]
mod tests {
    use plugd_disk::Disk;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::layout;
    use crate::fixture::{environment, path};

    #[track_caller]
    fn check(vars: &[(&str, &str)], expected: Result<&str, &str>) {
        let mut environment = environment(&[], vars);
        environment.cwd = path(env!("CARGO_MANIFEST_DIR"));
        let found = layout(&environment, &Disk::new())
            .map(|layout| layout.home().to_text())
            .map_err(|error| error.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{vars:?}");
    }

    #[test]
    fn the_default_need_not_exist() {
        check(&[], Ok("/home/u/.codex"));
        check(&[("CODEX_HOME", "")], Ok("/home/u/.codex"));
    }

    #[test]
    fn what_is_named_must_be_a_directory() {
        let here = env!("CARGO_MANIFEST_DIR");
        check(&[("CODEX_HOME", here)], Ok(here));
        check(&[("CODEX_HOME", "src")], Ok(&format!("{here}/src")));
        check(
            &[("CODEX_HOME", "/nonexistent/ch")],
            Err("CODEX_HOME `/nonexistent/ch` does not exist"),
        );
        check(
            &[("CODEX_HOME", "Cargo.toml")],
            Err("CODEX_HOME `Cargo.toml` is not a directory"),
        );
    }

    #[test]
    fn what_stands_in_the_way_of_the_default_is_told() {
        let sandbox = Sandbox::new();
        sandbox.write("home/.codex", "");
        let file = sandbox.path("home/.codex");
        let mut environment = environment(&[], &[]);
        environment.home = Some(sandbox.path("home"));
        let error = layout(&environment, &Disk::new()).unwrap_err();
        let text = format!("the home is not a directory: {file}");
        assert_eq!(error.to_string(), text);
        assert!(error.advice().starts_with("move what stands there away"));
    }

    #[test]
    fn without_any_home_there_is_nothing_to_serve() {
        let mut environment = environment(&[], &[]);
        environment.home = None;
        let error = layout(&environment, &Disk::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no home directory: set HOME or CODEX_HOME"
        );
    }
}
