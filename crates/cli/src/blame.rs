//! Why something was not found, when another thing is to blame than its name.
//!
//! A use case that looks for a plugin answers that it is not there. A person is helped by the reason
//! that it cannot be seen: its entry is broken, its marketplace cannot be read, or the configuration
//! that names both is no TOML. The reason comes from the same lookup that did not find it, so it
//! never contradicts a listing. Nothing here turns a failure into a success.

use std::fmt;

use plugd_model::{Place, PluginId, Problem, ProblemKind};
use plugd_plugins::{Lookup, Roots};

use crate::failure::Failure;
use crate::known::{self, KnownMarketplace};
use crate::session::Session;

/// What hides the thing that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Culprit {
    /// A file of the configuration.
    Configuration,
    /// The marketplace, by its name.
    Marketplace(String),
    /// The entry of the plugin.
    Entry(PluginId),
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration => write!(f, "the configuration cannot be used"),
            Self::Marketplace(name) => write!(f, "the marketplace `{name}` cannot be used"),
            Self::Entry(id) => write!(f, "the plugin `{id}` cannot be used"),
        }
    }
}

impl Culprit {
    /// The kind of the error: what the server says of the same reason, and for a broken
    /// configuration never that something is missing, since nobody can know that.
    pub(crate) fn kind(&self, problem: &Problem) -> &'static str {
        match self {
            Self::Configuration => "invalidInput",
            Self::Entry(_) => "notFound",
            Self::Marketplace(_) => match problem.kind {
                ProblemKind::Missing => "notFound",
                ProblemKind::Policy | ProblemKind::ReservedName => "notAllowed",
                ProblemKind::Conflict => "conflict",
                _ => "invalidInput",
            },
        }
    }
}

/// The failure of a command about a plugin, or a better one when it was not found.
pub(crate) async fn explain(session: &Session, id: &PluginId, failure: Failure) -> Failure {
    if !failure.is_not_found() {
        return failure;
    }
    let (lookup, id) = (session.lookup.clone(), id.clone());
    let facts = failure.facts();
    let entry = facts.place.map(|place| (facts.field, place));
    let look = move || Ok(find(&lookup, &id, entry));
    match session.blocking.read(look).await {
        Ok(Some(better)) => better,
        // Without a reason, or when it cannot be looked for, the first failure stands.
        Ok(None) | Err(_) => failure,
    }
}

fn find(lookup: &Lookup, id: &PluginId, entry: Option<(Option<String>, Place)>) -> Option<Failure> {
    let resolved = lookup.resolve_ungated(&Roots::default());
    let known = known::of(lookup, &resolved);
    let name = id.marketplace.as_str();
    let mut named = known.iter().filter(|one| one.name == name).peekable();
    if named.peek().is_none() {
        let mut names = known.iter().map(|one| &one.name);
        let other_case = names.find(|other| other.eq_ignore_ascii_case(name));
        let error = plugd_plugins::Error::NotConfigured {
            name: name.to_owned(),
            other_case: other_case.cloned(),
        };
        return Some(error.into());
    }
    if let Some((field, place)) = entry {
        let mut problems = resolved.set.problems().map(|(_, problem)| problem);
        let own = problems.find(|one| one.place == Some(place) && one.field == field)?;
        return Some(hidden(Culprit::Entry(id.clone()), own));
    }
    // One that can be used has been looked at, and has no such entry.
    let named: Vec<&KnownMarketplace> = named.collect();
    if named.iter().any(|one| one.path.is_some()) {
        return None;
    }
    let problem = named.into_iter().find_map(|one| one.problem.as_ref())?;
    Some(hidden(Culprit::Marketplace(name.to_owned()), problem))
}

/// The failure of a command while files of the configuration are broken: those are told with it, and
/// one that only says that something is missing gives way to the first of them.
pub(crate) fn weigh(failure: Failure, configuration: Vec<Problem>) -> Failure {
    let Some(first) = configuration.first() else {
        return failure;
    };
    let failure = if failure.is_not_found() {
        hidden(Culprit::Configuration, first)
    } else {
        failure
    };
    Failure::Beside {
        failure: Box::new(failure),
        configuration,
    }
}

fn hidden(culprit: Culprit, problem: &Problem) -> Failure {
    Failure::Hidden {
        culprit,
        problem: Box::new(problem.clone()),
    }
}
