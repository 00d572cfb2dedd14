//! `plugd/gc`: removes what nobody needs any more, or tells with numbers what that would be.
//!
//! The store knows about trees and about what dead processes left; mirrors of repositories are judged
//! here, because only the configuration and the catalogs know which repositories count.

use std::collections::BTreeSet;

use plugd_store::{Gc, GcReport};

use crate::call::Call;
use crate::install::STORE_PATIENCE;
use crate::mirrors::{self, Mirror};
use crate::{Blocking, Copies, Error, Lookup};

/// What was collected, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// Whether nothing was removed.
    pub dry_run: bool,
    /// What the store says: trees, half done work and leases. All bytes together are there, too,
    /// without those of the mirrors.
    pub store: GcReport,
    /// Mirrors of repositories that nothing names, by path.
    pub mirrors: Vec<Mirror>,
}

impl Collected {
    /// All bytes together.
    #[must_use]
    pub fn freed(&self) -> u64 {
        let mirrors: u64 = self.mirrors.iter().map(|mirror| mirror.bytes).sum();
        self.store.freed + mirrors
    }
}

/// Collects. Interrupted operations are undone first, except in a dry run.
///
/// # Errors
/// The state cannot be read or written, a newer program owns it, or another process holds its lock
/// for too long.
pub async fn gc(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    dry_run: bool,
) -> Result<Collected, Error> {
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    let section = move || {
        let config = lookup.config(None);
        // What recovery would sweep belongs into the report, so nobody sweeps it before.
        let store = copies.store_as_it_is();
        let gc = Gc {
            dry_run,
            keep: config.settings().keep_versions,
            protected: BTreeSet::new(),
        };
        if !dry_run {
            call.cancel.seal()?;
        }
        let in_store = |error| Error::StoreState(Box::new(error));
        call.progress.report("collecting", 0, None);
        let mut report = store.gc(&gc, STORE_PATIENCE).map_err(in_store)?;
        let mirrors = match mirrors::needed(&lookup, store, &config)? {
            Ok(needed) => mirrors::collect(&call, &lookup, &needed, dry_run, &mut report.problems)?,
            Err(problem) => {
                report.problems.push(problem);
                Vec::new()
            }
        };
        Ok(Collected {
            dry_run,
            store: report,
            mirrors,
        })
    };
    if dry_run {
        blocking.read(section).await
    } else {
        blocking.write(section).await
    }
}
