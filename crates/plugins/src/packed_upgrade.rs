//! The part of `marketplace/upgrade` that brings marketplaces which are one archive.
//!
//! What cannot mean anything else is never asked for again. A tag costs one question; an archive
//! behind an address comes again only when the server says that it is another one.

use plugd_fetch::FetchError;
use plugd_model::{AbsPath, MarketplaceName, PackedOrigin};
use plugd_store::Workspace;

use crate::archives::Unpacked;
use crate::call::Call;
use crate::marketplace_add::allowed;
use crate::marketplace_upgrade::{MarketplaceUpgrade, Moved, Parts};
use crate::packed::Note;
use crate::packed_add::is_of;
use crate::{Error, Lookup, checkout, packed};

/// A configured marketplace and what there is of it.
struct Before {
    name: MarketplaceName,
    origin: PackedOrigin,
    root: AbsPath,
    /// What its place says, when its files can be used.
    note: Option<Note>,
}

impl Parts {
    /// Brings one.
    pub(crate) async fn one_packed(
        &self,
        name: String,
        origin: PackedOrigin,
    ) -> MarketplaceUpgrade {
        let (from, outcome) = match self.before_packed(&name, origin).await {
            Ok(before) => {
                let from = before.note.as_ref().map(|note| note.digest.clone());
                (from, self.upgrade_packed(before).await)
            }
            Err(error) => (None, Err(error)),
        };
        MarketplaceUpgrade {
            name,
            from,
            outcome,
        }
    }

    async fn before_packed(&self, name: &str, origin: PackedOrigin) -> Result<Before, Error> {
        let (lookup, name) = (self.lookup.clone(), name.to_owned());
        let section = self.blocking.read(move || {
            let name = MarketplaceName::new(&name).map_err(|error| Error::BadValue {
                field: "marketplaceName",
                reason: error.to_string(),
            })?;
            let kind = packed::row(lookup.layout(), &name, &origin);
            allowed(&lookup.config(None), name.as_str(), &kind)?;
            Ok(Before {
                root: lookup.layout().packed_marketplace(&name, &origin),
                // What cannot be used is as good as none.
                note: packed::usable(&lookup, &name, &origin),
                name,
                origin,
            })
        });
        section.await
    }

    async fn upgrade_packed(&self, before: Before) -> Result<Moved, Error> {
        let known = before.note.as_ref().map(|note| note.digest.as_str());
        if let Some(known) = known
            && self.means(&before.origin, known).await?
        {
            return Ok(Moved::nowhere(before.root, known));
        }
        let copies = self.copies.clone();
        let workspace = self.blocking.write(move || copies.workspace()).await?;
        let dest = workspace.dir().join("unpacked");
        let etag = before.note.as_ref().and_then(|note| note.etag.as_deref());
        let (blocking, disk) = (&self.blocking, self.lookup.disk());
        let origin = &before.origin;
        let fetcher = &self.fetcher;
        let brought = fetcher.packed(&self.call, blocking, disk, origin, etag, dest);
        let brought = brought.await;
        let (call, lookup) = (self.call.clone(), self.lookup.clone());
        // Also after a failure: what lies in the workspace is removed where the disk may be waited
        // for.
        let section = blocking.write(move || match (brought, &before.note) {
            (Err(error), Some(note)) if is_unchanged(&error) => {
                drop(workspace);
                Ok(Moved::nowhere(before.root, &note.digest))
            }
            (brought, _) => settle(&call, &lookup, before, &workspace, brought?),
        });
        section.await
    }

    /// Whether an origin means this digest right now, as far as that can be found out without
    /// fetching it.
    async fn means(&self, origin: &PackedOrigin, known: &str) -> Result<bool, Error> {
        if let Some(digest) = origin.digest() {
            return Ok(digest == known);
        }
        match origin {
            PackedOrigin::Oci(reference) => {
                let digest = self.fetcher.tagged(&self.call, reference).await?;
                Ok(digest == known)
            }
            PackedOrigin::Archive(_) => Ok(false),
        }
    }
}

fn is_unchanged(error: &Error) -> bool {
    matches!(error, Error::Registry(source) if matches!(**source, FetchError::NotModified))
}

/// Checks what came and gives it its place.
fn settle(
    call: &Call,
    lookup: &Lookup,
    before: Before,
    workspace: &Workspace,
    unpacked: Unpacked,
) -> Result<Moved, Error> {
    let Before {
        name,
        origin,
        root,
        note: _,
    } = before;
    let digest = unpacked.digest.as_str();
    call.progress.report("checking", 0, None);
    let staged = workspace.dir().join("place");
    let found = packed::lay_out(lookup, &staged, &origin, &unpacked)?;
    if found != name {
        return Err(Error::Renamed {
            name: name.to_string(),
            found: found.to_string(),
        });
    }
    call.progress.report("activating", 0, None);
    let _lock = packed::lock(call, lookup)?;
    let config = lookup.config(None);
    let mut rows = config.marketplaces().iter();
    if !rows.any(|row| row.key == name.as_str() && is_of(row, &origin)) {
        return Err(Error::NotConfigured {
            name: name.to_string(),
            other_case: None,
        });
    }
    // The server gives no mark, or another one for the same; or another process has been faster.
    if let Some(now) = packed::usable(lookup, &name, &origin)
        && now.digest == digest
    {
        if now.etag != unpacked.etag {
            let place = lookup.layout().packed_place(&name);
            packed::write_note(lookup.disk(), &place, &origin, &unpacked)?;
        }
        return Ok(Moved::nowhere(root, digest));
    }
    lookup.claims().marketplace(name.clone());
    let place = lookup.layout().packed_place(&name);
    checkout::put(lookup.disk(), workspace, &staged, &place)?.keep();
    Ok(Moved {
        changed: true,
        problems: unpacked.problems,
        ..Moved::nowhere(root, &unpacked.digest)
    })
}
