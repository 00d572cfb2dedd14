//! Work that is not begun while a file of the configuration cannot be read: without it everything that
//! it names would seem to be missing.

use plugd_config::Snapshot;
use plugd_model::{Problem, ProblemKind};

use crate::Error;

/// What makes a configuration broken.
pub(crate) fn why_broken(config: &Snapshot) -> Problem {
    let problem = config.problems().first().cloned();
    let unknown = || Problem::error(ProblemKind::Config, "a file of it cannot be read");
    problem.unwrap_or_else(unknown)
}

/// Refuses to go on with a broken configuration.
///
/// # Errors
/// It is broken.
pub(crate) fn refuse_broken(config: &Snapshot) -> Result<(), Error> {
    match config.is_broken() {
        true => Err(Error::UnreadableConfig {
            problem: Box::new(why_broken(config)),
        }),
        false => Ok(()),
    }
}
