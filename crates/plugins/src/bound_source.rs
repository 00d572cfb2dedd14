//! Where the content of a configured plugin may come from when nobody has asked for it.

use plugd_marketplace::{Binding, NotSelected, Offer, Selector, State};
use plugd_model::{PluginId, Problem, ProblemKind};

use crate::Lookup;
use crate::lookup::Resolved;
use crate::standing::Standing;

/// The one place that content may come from: what the plugin is bound to, also when its copy is
/// gone, else a marketplace that the user or an administrator chose, never a directory that somebody
/// happens to stand in.
pub(crate) fn source_of<'a>(
    resolved: &'a Resolved,
    standing: &Standing,
    id: &PluginId,
) -> Result<Offer<'a>, NotSelected> {
    match standing.binding() {
        Some(bound) => resolved.set.select(&Selector::Bound(id, &bound)),
        None => resolved.set.select(&Selector::Trusted(id)),
    }
}

/// Why the marketplace that a plugin is bound to cannot be read, when it is in sight and broken.
pub(crate) fn broken_source(
    lookup: &Lookup,
    resolved: &Resolved,
    standing: &Standing,
) -> Option<Problem> {
    let Some(Binding::Manifest(bound)) = standing.binding() else {
        return None;
    };
    resolved.set.marketplaces().find_map(|marketplace| {
        let State::Failed(problem) = &marketplace.state else {
            return None;
        };
        let place = lookup.disk().resolve(&marketplace.named_by).ok()?;
        (place == bound).then(|| problem.clone())
    })
}

/// What the plugin came from is gone, and something else of its id is there: whether that is the same
/// plugin is for the user to say.
pub(crate) fn other_source(
    resolved: &Resolved,
    standing: &Standing,
    id: &PluginId,
) -> Option<Problem> {
    // A directory may only be out of sight; what comes from another machine is configured or is not.
    let bound = standing
        .binding()
        .filter(|bound| matches!(bound, Binding::Git { .. } | Binding::Packed(_)))?;
    standing.copy.as_ref()?;
    let offer = resolved.set.select(&Selector::Trusted(id)).ok()?;
    let text = format!(
        "`{id}` came from {}, and is offered by {} now; install it to bind it to that",
        bound.describe(),
        offer.content.binding.describe()
    );
    Some(Problem::warning(ProblemKind::Conflict, text).in_file(&offer.content.path))
}
