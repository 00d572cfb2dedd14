//! The part of `marketplace/add` that brings a marketplace which is one archive.
//!
//! It goes as it does with git: everything is decided and checked on files that nobody sees, and only
//! then they take their place and their row, in this order.

use plugd_config::{Edit, MarketplaceSetting, Snapshot};
use plugd_model::{MarketplaceName, PackedOrigin};
use plugd_store::Workspace;

use crate::archives::Unpacked;
use crate::call::Call;
use crate::fetcher::Fetcher;
use crate::marketplace_add::{Added, allowed, is_in_user_layer, refuse_other_source, renamed};
use crate::{Blocking, Error, Lookup, checkout, packed};

/// The same origin under a name of its own that can be used.
pub(crate) fn there_already(
    lookup: &Lookup,
    config: &Snapshot,
    origin: &PackedOrigin,
) -> Option<Added> {
    let mut rows = config.marketplaces().iter();
    let row = rows.find(|row| is_of(row, origin))?;
    let name = MarketplaceName::new(&row.key).ok()?;
    // What another layer names is gone when that layer says so; the user asks for a row of his own.
    if !is_in_user_layer(config, &row.key) {
        return None;
    }
    // A row from another home is written anew: other programs look where it says.
    if row.kind != packed::row(lookup.layout(), &name, origin) {
        return None;
    }
    let note = packed::usable(lookup, &name, origin)?;
    Some(Added {
        root: lookup.layout().packed_marketplace(&name, origin),
        name,
        already_added: true,
        commit: Some(note.digest),
        problems: Vec::new(),
    })
}

/// Whether a row has this origin.
pub(crate) fn is_of(row: &MarketplaceSetting, origin: &PackedOrigin) -> bool {
    row.kind.origin() == Some(origin)
}

/// Brings the archive and gives it its place and its row.
pub(crate) async fn fetch(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    fetcher: &Fetcher,
    origin: PackedOrigin,
    workspace: Workspace,
) -> Result<Added, Error> {
    let dest = workspace.dir().join("unpacked");
    let brought = fetcher
        .packed(call, blocking, lookup.disk(), &origin, None, dest)
        .await;
    let (call, lookup) = (call.clone(), lookup.clone());
    // Also after a failure: what lies in the workspace is removed where the disk may be waited for.
    blocking
        .write(move || {
            let unpacked = brought?;
            settle(&call, &lookup, &origin, &workspace, unpacked)
        })
        .await
}

fn settle(
    call: &Call,
    lookup: &Lookup,
    origin: &PackedOrigin,
    workspace: &Workspace,
    unpacked: Unpacked,
) -> Result<Added, Error> {
    call.progress.report("checking", 0, None);
    let layout = lookup.layout();
    let staged = workspace.dir().join("place");
    let name = packed::lay_out(lookup, &staged, origin, &unpacked)?;
    let kind = packed::row(layout, &name, origin);
    allowed(&lookup.config(None), name.as_str(), &kind)?;
    call.progress.report("activating", 0, None);
    let _lock = packed::lock(call, lookup)?;
    // Decided under the lock: another process may have added the same thing meanwhile.
    let config = lookup.config(None);
    if let Some(there) = there_already(lookup, &config, origin) {
        return Ok(there);
    }
    refuse_other_source(lookup, &config, &name, |row| is_of(row, origin))?;
    let mut edits = Edit::set_marketplace(name.as_str(), &kind);
    edits.extend(renamed(&config, &name, |row| is_of(row, origin)));
    let place = layout.packed_place(&name);
    let placed = checkout::put(lookup.disk(), workspace, &staged, &place)?;
    lookup.write_edits(call, &edits)?;
    placed.keep();
    Ok(Added {
        root: layout.packed_marketplace(&name, origin),
        name,
        already_added: false,
        commit: Some(unpacked.digest),
        problems: unpacked.problems,
    })
}
