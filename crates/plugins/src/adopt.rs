//! Writing down what a copy is that needs no other content: one that somebody else has put there, and
//! one whose source is at another commit by now.

use plugd_disk::tree::Digest;
use plugd_marketplace::Offer;
use plugd_model::PluginId;
use plugd_store::{Adoption, Store};

use crate::call::Call;
use crate::install::STORE_PATIENCE;
use crate::standing::Standing;
use crate::{Error, binding};

/// The same content under another commit is nothing to bring, and worth knowing the next time.
pub(crate) fn note_commit(
    call: &Call,
    store: &Store,
    standing: &Standing,
    id: &PluginId,
    commit: Option<String>,
) -> Result<(), Error> {
    let recorded = standing.record.as_ref().and_then(|one| one.commit.as_ref());
    // What is pinned to a commit stays recorded as that one.
    let is_pinned = standing.pin().is_some_and(|pin| pin.commit.is_some());
    let Some(commit) = commit.filter(|commit| Some(commit) != recorded && !is_pinned) else {
        return Ok(());
    };
    store
        .note_commit(id, &standing.seen, &commit, call.patience(STORE_PATIENCE))
        .map_err(|source| Error::Store {
            action: "record",
            id: id.clone(),
            source: Box::new(source),
        })
}

/// What a foreign copy turned out to be.
pub(crate) struct Found {
    pub(crate) source_digest: Digest,
    pub(crate) tree_digest: Digest,
    pub(crate) commit: Option<String>,
}

/// Records it as what its source has.
pub(crate) fn adopt(
    call: &Call,
    store: &Store,
    offer: &Offer<'_>,
    standing: &Standing,
    found: Found,
) -> Result<(), Error> {
    // A source that does not know its commit any more takes nothing away from equal content.
    let recorded = standing
        .record
        .as_ref()
        .filter(|record| record.source_digest == Some(found.source_digest));
    let commit = found
        .commit
        .or_else(|| recorded.and_then(|record| record.commit.clone()));
    let adoption = Adoption {
        bound: binding::for_record(&offer.content.binding),
        source: offer.entry.source.without_secrets(),
        commit,
        source_digest: Some(found.source_digest),
        seen: standing.seen.clone(),
        tree_digest: found.tree_digest,
    };
    let id = offer.id();
    store
        .adopt(&id, adoption, call.patience(STORE_PATIENCE))
        .map(|_| ())
        .map_err(|source| Error::Store {
            action: "adopt",
            id: id.clone(),
            source: Box::new(source),
        })
}
