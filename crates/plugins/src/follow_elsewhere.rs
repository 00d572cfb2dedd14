//! The part of following that asks other machines: what a source means now, and its content when it
//! means something else than the copy.

use plugd_fetch::Package;
use plugd_marketplace::Offer;
use plugd_model::{Problem, ProblemKind, Source, error_chain};

use crate::call::Call;
use crate::fetcher::{Fetcher, Repository};
use crate::follow::{Elsewhere, Followed, follow, held_by_pin};
use crate::lookup::Resolved;
use crate::standing::Standing;
use crate::status::PluginResult;
use crate::trust_gate::{Gate, Whence};
use crate::{Blocking, Copies, Error, Lookup, Roots};

/// What it takes.
#[derive(Clone, Copy)]
pub(crate) struct Reach<'a> {
    pub(crate) blocking: &'a Blocking,
    pub(crate) lookup: &'a Lookup,
    pub(crate) copies: &'a Copies,
    pub(crate) fetcher: &'a Fetcher,
}

impl Elsewhere {
    /// Why the copy stays although the source means something else.
    pub(crate) fn held(&self) -> Option<Problem> {
        let pin = self.held.as_ref()?;
        Some(held_by_pin(&self.id, pin, "something else"))
    }

    /// The same where the source cannot be asked what it means.
    pub(crate) fn held_unasked(&self, error: &Error) -> Option<Problem> {
        let pin = self.held.as_ref()?;
        let (id, version, why) = (&self.id, &pin.version, error_chain(error));
        let text = format!("`{id}` is pinned to {version}; its source cannot be asked: {why}");
        Some(Problem::warning(ProblemKind::HeldBack, text))
    }
}

/// Takes the step for one plugin whose source lies elsewhere. `None` means that somebody else was
/// faster, or that nobody wants it any more.
///
/// # Errors
/// The source cannot be asked, or what it has cannot be had.
pub(crate) async fn follow_elsewhere(
    call: &Call,
    reach: Reach<'_>,
    roots: &Roots,
    asked: &Elsewhere,
) -> Result<Option<PluginResult>, Error> {
    match ask(call, reach, roots, asked).await {
        Err(Error::Cancelled(_)) => Ok(None),
        followed => followed,
    }
}

async fn ask(
    call: &Call,
    reach: Reach<'_>,
    roots: &Roots,
    asked: &Elsewhere,
) -> Result<Option<PluginResult>, Error> {
    let Reach {
        blocking,
        lookup,
        copies,
        fetcher,
    } = reach;
    if means_the_same(call, lookup, fetcher, asked).await? {
        return Ok(Some(asked.clone().unchanged()));
    }
    if let Some(problem) = asked.held().or_else(|| asked.unapproved.clone()) {
        return Ok(Some(asked.clone().held_back(problem)));
    }
    let source = asked.source.clone();
    let fetched = fetcher
        .fetch(call, blocking, lookup, copies, &asked.id, source)
        .await?;
    let section = {
        let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
        let (roots, id) = (roots.clone(), asked.id.clone());
        blocking.write(move || {
            let resolved = lookup.resolve(&roots);
            Ok(follow(
                &call,
                &lookup,
                &copies,
                &resolved,
                &id,
                Some(fetched),
            ))
        })
    };
    Ok(match section.await? {
        Followed::Result(result) => Some(result),
        // The entry names another source by now; the next look finds out.
        Followed::Nothing | Followed::Elsewhere(_) => None,
    })
}

/// Whether a source still means what the copy was made of.
async fn means_the_same(
    call: &Call,
    lookup: &Lookup,
    fetcher: &Fetcher,
    asked: &Elsewhere,
) -> Result<bool, Error> {
    let Some(known) = asked.known.as_deref() else {
        return Ok(false);
    };
    let means = meaning(call, lookup, fetcher, &asked.source).await?;
    Ok(means.as_deref() == Some(known))
}

/// What a source means right now: the commit, or the exact release or digest of a registry.
pub(crate) async fn meaning(
    call: &Call,
    lookup: &Lookup,
    fetcher: &Fetcher,
    source: &Source,
) -> Result<Option<String>, Error> {
    match source {
        Source::Local { .. } | Source::Remote => Ok(None),
        Source::Git {
            url, ref_name, sha, ..
        } => {
            let repository = Repository::new(url, ref_name.as_deref(), sha.as_deref())?;
            let commit = fetcher.head(call, lookup, &repository).await?;
            Ok(Some(commit.as_str().to_owned()))
        }
        Source::Npm {
            package,
            version,
            registry,
        } => {
            let package = Package {
                name: package.clone(),
                version: version.clone(),
                registry: registry.clone(),
            };
            Ok(Some(fetcher.released(call, &package).await?.version))
        }
        Source::Oci { reference } => fetcher.tagged(call, reference).await.map(Some),
        Source::Archive { digest, .. } => Ok(Some(digest.clone())),
    }
}

/// Says of a source elsewhere whether nothing of it may come.
pub(crate) fn unapproved(
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    offer: &Offer<'_>,
    asked: Elsewhere,
    standing: &Standing,
) -> Followed {
    let store = match copies.store() {
        Ok(store) => store,
        Err(error) => return Followed::Result(asked.failed(&error)),
    };
    let scopes = resolved.scopes.iter().map(|sight| &*sight.config);
    let from = Whence::of_offer(&asked.id, offer);
    let unapproved = Gate::new(lookup, store, scopes).surely_held(from, standing);
    Followed::Elsewhere(Elsewhere {
        unapproved,
        ..asked
    })
}
