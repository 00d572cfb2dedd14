//! `plugd/inspect` of a plugin of the remote catalog: its bundle is fetched for the look, completed as
//! an installation would complete it, and given up. The service is not told.

use plugd_catalog::Urls;
use plugd_model::{PluginId, Problem, ProblemKind, Source};
use plugd_store::InstalledBy;

use super::side::{difference, forget_place, held_by_source, side};
use super::{InspectDepth, Inspected, Look, Looked, side_missing};
use crate::call::Call;
use crate::fetcher::Fetched;
use crate::obtain::Obtained;
use crate::parts::Parts;
use crate::remote_error::RemoteError;
use crate::remote_install::Offered;
use crate::remote_names::{self, RemoteTarget};
use crate::standing::Standing;
use crate::{Error, remote_bundle};

/// What was tried.
const ACTION: &str = "inspect remote plugin";

/// What the service hands out, in a transaction that is given up.
struct Brought {
    offered: Offered,
    fetched: Fetched,
}

/// Looks at a plugin of the remote catalog from the inside. Nothing is installed and nothing is started.
///
/// # Errors
/// Plugins are switched off, nobody is logged in, the service has no such plugin or cannot be asked, or
/// the bundle cannot be had or used; each of it only when there is no installed copy to show.
pub async fn inspect_remote(
    call: &Call,
    parts: &Parts,
    target: RemoteTarget,
    depth: InspectDepth,
) -> Result<Inspected, Error> {
    call.progress.report("inspecting", 0, None);
    let brought = match bring(call, parts, target.clone()).await {
        Err(error @ (Error::Cancelled(_) | Error::PluginsDisabled)) => return Err(error),
        brought => brought,
    };
    let (call, of) = (call.clone(), parts.clone());
    let look = move || look(&call, &of, (&target, depth), brought);
    parts.blocking.write(look).await
}

async fn bring(call: &Call, parts: &Parts, target: RemoteTarget) -> Result<Brought, Error> {
    let (access, id) = remote_names::resolve(call, parts, target, ACTION).await?;
    let service = parts.lookup.remote().service(&access);
    let item = service.item(&id, Urls::With, None, call.cancel.cancelled());
    let item = item
        .await
        .map_err(|error| RemoteError::asked(ACTION, error))?;
    let offered = Offered::new(&access, item)?;
    let catalog = parts.lookup.remote().catalog();
    let (blocking, copies) = (&parts.blocking, &parts.copies);
    let fetched = parts
        .fetcher
        .bundle(
            call,
            blocking,
            copies,
            &catalog,
            &offered.id,
            &offered.bundle,
        )
        .await;
    match fetched {
        Ok(fetched) => Ok(Brought { offered, fetched }),
        Err(error @ Error::Cancelled(_)) => Err(error),
        Err(error) => Err(RemoteError::Bundle {
            plugin: offered.id,
            source: Box::new(error),
        }
        .into()),
    }
}

fn look(
    call: &Call,
    parts: &Parts,
    (target, depth): (&RemoteTarget, InspectDepth),
    brought: Result<Brought, Error>,
) -> Result<Inspected, Error> {
    call.cancel.check()?;
    let id = match &brought {
        Ok(brought) => Some(brought.offered.id.clone()),
        Err(_) => installed_as(parts, target)?,
    };
    let (brought, id) = match (brought, id) {
        (brought, Some(id)) => (brought, id),
        (Err(error), None) => return Err(error),
        // What was brought has an id.
        (Ok(brought), None) => {
            let id = brought.offered.id.clone();
            (Ok(brought), id)
        }
    };
    let store = parts.copies.store()?;
    let standing = Standing::of(store, &id).map_err(|source| Error::Store {
        action: "look at",
        id: id.clone(),
        source: Box::new(source),
    })?;
    let look = Look {
        call,
        lookup: &parts.lookup,
        copies: &parts.copies,
        standing: &standing,
        id: &id,
        depth,
    };
    let mut problems = Vec::new();
    let installed = look.installed().unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let offered = match brought.and_then(|brought| offered_side(&look, brought)) {
        Ok(looked) => Some(looked),
        Err(error) if installed.is_some() => {
            problems.push(side_missing(&error));
            None
        }
        Err(error) => return Err(error),
    };
    if offered.is_some() && !is_bound(&standing) {
        let text = "the installed copy does not come from the remote catalog";
        problems.push(Problem::warning(ProblemKind::Conflict, text));
    }
    call.cancel.check()?;
    let both = installed.as_ref().zip(offered.as_ref());
    Ok(Inspected {
        linked: None,
        difference: both
            .map(|(installed, offered)| difference(installed.compared(), offered.compared())),
        id: Some(id),
        trust: offered.as_ref().and_then(|looked| looked.trust.clone()),
        offered: offered.map(|looked| looked.side),
        installed: installed.map(|looked| looked.side),
        problems,
    })
}

/// Whether what is here is the catalog's, or nothing is.
fn is_bound(standing: &Standing) -> bool {
    let copy = standing.copy.as_ref();
    copy.is_none_or(|copy| copy.remote().is_some())
}

/// The name under which a plugin is here that the service said nothing about.
fn installed_as(parts: &Parts, target: &RemoteTarget) -> Result<Option<PluginId>, Error> {
    let id = match target {
        RemoteTarget::Named(id) => return Ok(Some(id.clone())),
        RemoteTarget::Id(id) => id,
    };
    let copies = parts.copies.store()?.remote_copies();
    let (copies, _) = copies.map_err(|error| Error::StoreState(Box::new(error)))?;
    let mut copies = copies.into_iter();
    let mine = copies.find(|copy| copy.remote().is_some_and(|known| known.as_str() == id));
    Ok(mine.map(|copy| copy.id))
}

fn offered_side(look: &Look<'_>, brought: Brought) -> Result<Looked, Error> {
    let Brought { offered, fetched } = brought;
    let dir = &fetched.dir.clone();
    let in_bundle = |error| RemoteError::Bundle {
        plugin: offered.id.clone(),
        source: Box::new(error),
    };
    let content = remote_bundle::read(look.lookup, &offered.item, &offered.version, dir);
    let content = content.map_err(in_bundle)?;
    let side = side(look.lookup.disk(), dir, &content.manifest, look.id);
    let mut side = side.map_err(|problem| look.bad(problem))?;
    side.problems.extend(offered.problems.iter().cloned());
    side.problems.extend(fetched.problems.iter().cloned());
    let (store, disk) = (look.copies.store()?, look.lookup.disk());
    let held = held_by_source(&mut side, store, disk, dir, look.call);
    let as_copy = match &held {
        Some(held) => look.as_copy(store, held, &content.manifest, &mut side)?,
        None => None,
    };
    forget_place(&mut side, dir);
    side.source = Some(Source::Remote);
    side.commit.clone_from(&fetched.commit);
    side.version = Some(offered.version.to_string());
    let job = offered.job(InstalledBy::Request, look.standing.clone());
    let obtained = Obtained::of_fetched(fetched);
    let trust = look.seen(job, &content, obtained, &mut side.problems)?;
    Ok(Looked {
        side,
        held,
        as_copy,
        trust,
    })
}
