//! The part of a refresh, and of an upgrade, that asks other machines for plugins: one lane for each
//! machine.
//!
//! A server that is silent holds up its own plugins only, and is waited for once: the others of its
//! lane are told the same error.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use plugd_model::{ProblemKind, Source, git_url};

use crate::call::Call;
use crate::facts_elsewhere::is_out_of_reach;
use crate::follow::Elsewhere;
use crate::follow_elsewhere::{Reach, follow_elsewhere};
use crate::status::PluginResult;
use crate::{Error, Roots};

/// The plugins of one machine, each with where its request looked.
type Lane = Vec<(Roots, Elsewhere)>;

/// Asks for all plugins, of a few machines at a time, each with a call of its own. Each result is told
/// when it is there.
pub(crate) async fn follow_far(
    next_call: impl Fn() -> Call,
    reach: Reach<'_>,
    plugins: Vec<(Roots, Elsewhere)>,
    tell: impl Fn(&PluginResult),
) -> Vec<PluginResult> {
    let lanes = Mutex::new(lanes(plugins));
    let next = || {
        let mut lanes = lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.pop_front()
    };
    let work = async || {
        let mut results = Vec::new();
        while let Some(lane) = next() {
            results.extend(follow_lane(&next_call, reach, lane, &tell).await);
        }
        results
    };
    // A few that are silent leave a way for the others.
    let (one, two, three, four) = tokio::join!(work(), work(), work(), work());
    [one, two, three, four].concat()
}

async fn follow_lane(
    next_call: &impl Fn() -> Call,
    reach: Reach<'_>,
    lane: Lane,
    tell: &impl Fn(&PluginResult),
) -> Vec<PluginResult> {
    let mut results = Vec::new();
    let mut silent: Option<Error> = None;
    for (roots, asked) in lane {
        let call = next_call();
        if call.cancel.is_cancelled() {
            break;
        }
        if let Some(error) = &silent {
            results.push(asked.failed(error));
            continue;
        }
        match follow_elsewhere(&call, reach, &roots, &asked).await {
            Ok(Some(result)) => {
                tell(&result);
                results.push(result);
            }
            Ok(None) => {}
            Err(error) => {
                results.push(asked.failed(&error));
                silent = Some(error).filter(is_out_of_reach);
            }
        }
    }
    results
}

/// Whether what held a copy back holds it no more, as far as that can be told without asking anybody.
pub(crate) fn is_let_go(held: &PluginResult, asked: &Elsewhere) -> bool {
    match held.problem.as_ref().map(|problem| problem.kind) {
        // Only a look at the commit says how old it is.
        Some(ProblemKind::CommitTooYoung) => false,
        Some(ProblemKind::ApprovalNeeded) => asked.unapproved.is_none(),
        _ => !asked.pinned,
    }
}

/// One lane for each machine, in the order in which they come.
fn lanes(plugins: Vec<(Roots, Elsewhere)>) -> VecDeque<Lane> {
    let mut lanes: VecDeque<(String, Lane)> = VecDeque::new();
    for (roots, asked) in plugins {
        let machine = machine(&asked.source);
        match lanes.iter_mut().find(|(known, _)| *known == machine) {
            Some((_, lane)) => lane.push((roots, asked)),
            None => lanes.push_back((machine, vec![(roots, asked)])),
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// The machine that a source asks first, as far as its text tells.
fn machine(source: &Source) -> String {
    let of_url = |url: &str| {
        let authority = git_url::authority(url).unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        place.to_ascii_lowercase()
    };
    match source {
        Source::Local { .. } | Source::Remote => String::new(),
        Source::Git { url, .. } | Source::Archive { url, .. } => of_url(url),
        // Without a registry it is the one of the user's settings.
        Source::Npm { registry, .. } => {
            registry.as_deref().map_or_else(|| "npm".to_owned(), of_url)
        }
        Source::Oci { reference } => reference.host().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::Source;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_machine_is_its_host_and_port() {
        let git = |url: &str| Source::Git {
            url: url.to_owned(),
            path: None,
            ref_name: None,
            sha: None,
        };
        let check = |url: &str, expected: &str| assert_eq!(super::machine(&git(url)), expected);
        check("https://ada:pw@Host.example:8443/r", "host.example:8443");
        check("git@host.example:o/r", "host.example");
        check("file:///srv/r", "");
        check("/srv/r", "");
    }
}
