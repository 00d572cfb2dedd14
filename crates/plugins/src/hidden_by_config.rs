//! What of the configuration cannot be used and may keep something from being seen.
//!
//! Who reads a broken configuration goes on with what is left of it, and an empty answer would say that there
//! is nothing. So each answer that is made of these tables tells of them.

use plugd_config::Snapshot;
use plugd_model::{Problem, Severity};

/// What decides which marketplaces and plugins there are.
pub(crate) const PLUGIN_TABLES: &[&str] = &["marketplaces", "plugins", "features"];
/// What decides what a host loads.
pub(crate) const HOST_TABLES: &[&str] = &["plugins", "features", "skills"];

/// Files that cannot be read at all, and broken rows of these tables. Mere warnings are for `configWarning`.
pub(crate) fn hidden_by<'a>(
    config: &'a Snapshot,
    tables: &'a [&str],
) -> impl Iterator<Item = &'a Problem> {
    let problems = config.problems().iter();
    problems.filter(|problem| {
        let table = problem
            .field
            .as_deref()
            .map(|field| field.split('.').next());
        let is_ours = table.is_none_or(|table| table.is_some_and(|table| tables.contains(&table)));
        problem.severity == Severity::Error && is_ours
    })
}
