//! `plugin/uninstall` of a plugin of the remote catalog, by its id or by its name.
//!
//! The service is told first: files without its word would be brought back by the next
//! synchronisation. When it has withdrawn the plugin there is nobody to tell, and the files go all the
//! same. When it cannot be asked, nothing changes. Without a login only the files go, since then
//! nothing synchronises.

use plugd_catalog::{Access, CatalogError, Fetched, InstalledSet, Service, Urls};
use plugd_model::{PluginId, RemotePluginId};

use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::login_refresh::refresh_login;
use crate::parts::Parts;
use crate::remote_error::RemoteError;
use crate::remote_words::Word;
use crate::uninstall::{Uninstalled, remove};
use crate::{Error, remote_names, remote_tell};

/// What was tried, in the words that clients of the reference know.
const READ: &str = "resolve remote plugin before uninstall";
const TELL: &str = "uninstall remote plugin";

/// What is known before anybody is told.
struct Known {
    access: Access,
    /// The copies here.
    copies: Vec<PluginId>,
    /// Its name, as far as it is known here.
    name: Option<PluginId>,
}

/// Removes a plugin by its id in the catalog.
///
/// # Errors
/// Plugins are switched off, nobody is logged in, the service cannot be asked or does not know it and
/// no copy is here, or the store or the configuration cannot be written; then nothing has changed.
pub(crate) async fn by_id(
    call: &Call,
    parts: &Parts,
    id: RemotePluginId,
) -> Result<Uninstalled, Error> {
    refresh_login(call, &parts.blocking, &parts.lookup).await;
    let looked = {
        let (of, id) = (parts.clone(), id.clone());
        parts.blocking.read(move || look(&of, &id))
    };
    let Known {
        access,
        copies,
        mut name,
    } = looked.await?;
    let service = parts.lookup.remote().service(&access);
    if name.is_none() {
        name = asked_name(call, &service, &id).await?;
    }
    let told = tell(call, &service, &id).await?;
    if told == Told::Withdrawn && copies.is_empty() {
        return Err(RemoteError::Unknown { id }.into());
    }
    let was_here = !copies.is_empty();
    // Configuration may speak of it although no copy is here.
    let mut gone = copies;
    if let Some(name) = &name
        && !gone.contains(name)
    {
        gone.push(name.clone());
    }
    // First, so that a synchronisation under way does not bring it back.
    remote_names::note(parts, &access, Word::Gone(id.clone())).await;
    let changed = remove_all(call, parts, gone).await?;
    Ok(Uninstalled {
        id: name,
        remote_id: Some(id),
        // A synchronisation may have heard what the account was told, and been faster with the files.
        changed: changed || was_here,
        linked: None,
    })
}

/// Removes a plugin by its name. The mark of its copy, or the account, says which one it is there.
///
/// # Errors
/// The service cannot be asked, or the store or the configuration cannot be written; then nothing has
/// changed.
pub(crate) async fn by_name(
    call: &Call,
    parts: &Parts,
    name: PluginId,
) -> Result<Uninstalled, Error> {
    refresh_login(call, &parts.blocking, &parts.lookup).await;
    let looked = {
        let (of, name) = (parts.clone(), name.clone());
        parts.blocking.read(move || {
            let remote = of.lookup.remote();
            let access = match remote.access(&of.lookup.config(None), READ) {
                Ok(access) => access,
                Err(Error::LoginRequired { .. } | Error::Remote(RemoteError::ApiKey { .. })) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let id = remote_names::installed_as(&of.lookup, &of.copies, &access, &name)?;
            let copy = of.copies.store()?.get(&name);
            let copy = copy.map_err(|error| Error::StoreState(Box::new(error)))?;
            Ok(Some((access, id, copy.is_some())))
        })
    };
    let mut remote_id = None;
    let mut was_here = false;
    if let Some((access, known, is_here)) = looked.await? {
        was_here = is_here;
        let service = parts.lookup.remote().service(&access);
        let id = match known {
            Some(id) => Some(id),
            None => remote_names::in_set(Some(&account(call, &service).await?), &name),
        };
        if let Some(id) = id {
            // What is withdrawn is gone there as well.
            tell(call, &service, &id).await?;
            remote_names::note(parts, &access, Word::Gone(id.clone())).await;
            remote_id = Some(id);
        }
    }
    let changed = remove_all(call, parts, vec![name.clone()]).await?;
    Ok(Uninstalled {
        id: Some(name),
        remote_id,
        changed: changed || was_here,
        linked: None,
    })
}

/// The gates, and what is here.
fn look(parts: &Parts, id: &RemotePluginId) -> Result<Known, Error> {
    let config = parts.lookup.config(None);
    if !config.features().plugins {
        return Err(RemoteError::NotEnabled {
            what: "remote plugin uninstall",
            marketplace: None,
        }
        .into());
    }
    let remote = parts.lookup.remote();
    let access = remote.access(&config, READ)?;
    let (all, _) = parts
        .copies
        .store()?
        .remote_copies()
        .map_err(|error| Error::StoreState(Box::new(error)))?;
    let set = remote.installed_of(&access);
    let mut items = set.iter().flat_map(|set| &set.items);
    let here = items.find(|one| one.item.id == *id);
    let here = here.map(|one| one.item.plugin_id());
    let copies: Vec<PluginId> = all
        .into_iter()
        .filter(|copy| match remote_names::id_of(copy, set.as_deref()) {
            Some(found) => found == *id,
            // Nothing says what it is but its place: before there were marks, the directory was
            // named by the id.
            None => copy.id.plugin.as_str() == id.as_str(),
        })
        .map(|copy| copy.id)
        .collect();
    // Where the id names the directory, it is no name of a plugin.
    let named = |copy: &&PluginId| copy.plugin.as_str() != id.as_str();
    let name = copies.iter().find(named).cloned().or(here);
    Ok(Known {
        access,
        copies,
        name,
    })
}

/// The name that the service has for an id; one that it has withdrawn has none.
async fn asked_name(
    call: &Call,
    service: &Service,
    id: &RemotePluginId,
) -> Result<Option<PluginId>, Error> {
    let item = service.item(id, Urls::Without, None, call.cancel.cancelled());
    match item.await {
        Ok(item) => Ok(Some(item.plugin_id())),
        Err(CatalogError::NotFound { .. }) => Ok(None),
        Err(error) => Err(RemoteError::asked(READ, error)),
    }
}

/// What the account has. Half of it says nothing about what is missing.
async fn account(call: &Call, service: &Service) -> Result<InstalledSet, Error> {
    let cancelled = call.cancel.cancelled();
    let set = service.installed(None, Urls::Without, None, None, cancelled);
    match set.await.map_err(|error| RemoteError::asked(READ, error))? {
        Fetched::New(set, _) => Ok(set),
        // Without marks to compare nothing can be unchanged.
        Fetched::Unchanged => Ok(InstalledSet::default()),
    }
}

/// What the service answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Gone,
    /// It does not offer the plugin any more.
    Withdrawn,
}

/// From here on the work cannot be cancelled.
async fn tell(call: &Call, service: &Service, id: &RemotePluginId) -> Result<Told, Error> {
    call.progress.report("telling", 0, None);
    let told = service.uninstall(id, None, std::future::pending());
    match remote_tell::tell(call, TELL, told).await? {
        Ok(()) => Ok(Told::Gone),
        Err(CatalogError::NotFound { .. }) => Ok(Told::Withdrawn),
        Err(error) => Err(RemoteError::asked(TELL, error)),
    }
}

async fn remove_all(call: &Call, parts: &Parts, gone: Vec<PluginId>) -> Result<bool, Error> {
    let (call, of) = (call.clone(), parts.clone());
    let section = parts.blocking.write(move || {
        let mut changed = false;
        for id in gone {
            let outcome = remove(&call, &of.lookup, of.copies.store()?, id.clone())?;
            if outcome.changed {
                let key = format!("plugins.{id}");
                let change = Change::new(ChangeReason::Request).plugin(id);
                of.events.changed(change.config_key(key));
            }
            changed |= outcome.changed;
        }
        Ok(changed)
    });
    section.await
}
