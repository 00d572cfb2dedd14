//! What `[trust]` keeps waiting, for the doctor: copies of which something is held back, and what the
//! last background work left where it is.

use plugd_model::{Problem, ProblemKind};

use crate::active::active_plugins;
use crate::call::Call;
use crate::component_trust::held_copies;
use crate::doctor::{Check, Finding};
use crate::status::{Reported, load};
use crate::{Copies, Lookup};

/// Adds a warning for each of them.
pub(crate) fn waiting(call: &Call, lookup: &Lookup, copies: &Copies, check: &mut Check) {
    let config = lookup.config(None);
    if config.settings().trust.is_empty() {
        return;
    }
    let store = copies.store_as_it_is();
    let Ok((installed, _)) = store.list() else {
        // The store says so itself.
        return;
    };
    let active = active_plugins(lookup, &installed, &config).plugins;
    let advice = |id: &_| format!("`plugd plugin approve {id}` shows what would run");
    for (id, held) in held_copies(call, lookup, store, &config, &active) {
        let what: Vec<_> = held.holds.iter().map(|hold| hold.word()).collect();
        let text = format!("`{id}` is not approved; held back: {}", what.join(", "));
        check.findings.push(Finding {
            problem: Problem::warning(ProblemKind::ApprovalNeeded, text),
            advice: advice(&id),
            plugin: Some(id),
        });
    }
    let file = lookup.layout().status();
    for task in Reported::ALL {
        for result in load(lookup.disk(), &file, task).plugins {
            let waits = |problem: &Problem| {
                let kinds = [ProblemKind::ApprovalNeeded, ProblemKind::CommitTooYoung];
                kinds.contains(&problem.kind)
            };
            if let Some(problem) = result.problem.filter(waits) {
                check.findings.push(Finding {
                    problem,
                    advice: advice(&result.id),
                    plugin: Some(result.id),
                });
            }
        }
    }
}
