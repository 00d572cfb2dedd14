//! Which plugin of the remote catalog is meant, and what the account has after a change.
//!
//! A plugin has an id there and a name here. Requests of clients carry the id; people and
//! configuration carry the name, and the id of that stands in a sidecar, in what is known of the
//! account, or is asked for.

use std::time::Duration;

use plugd_catalog::{Access, Collection, Fetched, InstalledSet, Urls};
use plugd_model::{PluginId, RemoteMarketplace, RemotePluginId, RemoteScope, error_chain};
use plugd_store::Installed;
use tokio::time::Instant;

use crate::call::Call;
use crate::login_refresh::refresh_login;
use crate::parts::Parts;
use crate::remote::InstalledAnswer;
use crate::remote_error::RemoteError;
use crate::remote_words::Word;
use crate::{Copies, Error, Lookup};

/// How long a request that has done its work waits to hear what the account has now.
const PATIENCE: Duration = Duration::from_secs(10);

/// A plugin of the remote catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteTarget {
    /// By what should be its id there.
    Id(String),
    /// By its name here.
    Named(PluginId),
}

impl RemoteTarget {
    /// What a person means by `name@marketplace`, when the marketplace is one of the remote catalog.
    #[must_use]
    pub fn of(id: &PluginId) -> Option<Self> {
        RemoteMarketplace::of_name(id.marketplace.as_str())?;
        Some(Self::Named(id.clone()))
    }
}

/// The account and the id that a request is about.
///
/// # Errors
/// Plugins are switched off, the id is none, or nobody is logged in, in this order; or the catalog has
/// no plugin of that name.
pub(crate) async fn resolve(
    call: &Call,
    parts: &Parts,
    target: RemoteTarget,
    action: &'static str,
) -> Result<(Access, RemotePluginId), Error> {
    refresh_login(call, &parts.blocking, &parts.lookup).await;
    let (lookup, asked) = (parts.lookup.clone(), target.clone());
    let section = parts.blocking.read(move || {
        let config = lookup.config(None);
        if !config.features().plugins {
            return Err(Error::PluginsDisabled);
        }
        let id = match asked {
            RemoteTarget::Id(text) => Some(parse(&text)?),
            RemoteTarget::Named(_) => None,
        };
        Ok((lookup.remote().access(&config, action)?, id))
    });
    let (access, id) = section.await?;
    match (id, target) {
        (Some(id), _) => Ok((access, id)),
        (None, RemoteTarget::Named(name)) => {
            let id = offered_as(call, parts, &access, &name, action).await?;
            Ok((access, id))
        }
        (None, RemoteTarget::Id(text)) => Ok((access, parse(&text)?)),
    }
}

/// Reads an id. The words of the refusal are the reference's.
pub(crate) fn parse(text: &str) -> Result<RemotePluginId, Error> {
    let id = RemotePluginId::parse(text);
    id.map_err(|error| RemoteError::illegal_id("pluginName", error).into())
}

/// The id of a plugin that the catalog offers under a name: as it was read last, else as the service
/// says now.
async fn offered_as(
    call: &Call,
    parts: &Parts,
    access: &Access,
    name: &PluginId,
    action: &'static str,
) -> Result<RemotePluginId, Error> {
    let unknown = || {
        Error::from(RemoteError::NoSuchName {
            plugin: name.clone(),
        })
    };
    let marketplace = RemoteMarketplace::of_name(name.marketplace.as_str()).ok_or_else(unknown)?;
    let known = {
        let (lookup, of, name) = (parts.lookup.clone(), access.clone(), name.clone());
        let section = parts.blocking.read(move || {
            let remote = lookup.remote();
            let offered = remote.cached(&of, marketplace.scope()).and_then(|cached| {
                let mut items = cached.directory.items.iter();
                let found = items.find(|item| item.plugin_id() == name);
                found.map(|item| item.id.clone())
            });
            Ok(offered.or_else(|| in_set(remote.installed_of(&of).as_deref(), &name)))
        });
        section.await?
    };
    if let Some(id) = known {
        return Ok(id);
    }
    let service = parts.lookup.remote().service(access);
    let mut collections = vec![Collection::Scope(marketplace.scope())];
    if marketplace.scope() == RemoteScope::Workspace {
        collections.push(Collection::SharedWithMe);
    }
    for collection in collections {
        let cancelled = call.cancel.cancelled();
        let found = service.directory(collection, None, None, cancelled).await;
        if let Fetched::New(directory, _) =
            found.map_err(|error| RemoteError::asked(action, error))?
            && let Some(item) = directory
                .items
                .iter()
                .find(|item| item.plugin_id() == *name)
        {
            return Ok(item.id.clone());
        }
    }
    Err(unknown())
}

/// The id of a plugin that the account has, as far as is known here.
pub(crate) fn installed_as(
    lookup: &Lookup,
    copies: &Copies,
    access: &Access,
    name: &PluginId,
) -> Result<Option<RemotePluginId>, Error> {
    let copy = copies.store()?.get(name).map_err(|source| Error::Store {
        action: "inspect",
        id: name.clone(),
        source: Box::new(source),
    })?;
    let set = lookup.remote().installed_of(access);
    let own = copy.as_ref().and_then(|copy| id_of(copy, set.as_deref()));
    Ok(own.or_else(|| in_set(set.as_deref(), name)))
}

/// The id of an installed copy: by our own record of it, else by what the account had last under its
/// name, else by its mark, which anybody can write.
pub(crate) fn id_of(copy: &Installed, set: Option<&InstalledSet>) -> Option<RemotePluginId> {
    let marked = copy.remote();
    if copy.provenance_record().is_some() {
        return marked.cloned();
    }
    let known = in_set(set, &copy.id);
    if let (Some(known), Some(marked)) = (&known, marked)
        && known != marked
    {
        let id = &copy.id;
        tracing::warn!(%id, "the mark of its copy names `{marked}`, the account has `{known}`");
    }
    known.or_else(|| marked.cloned())
}

/// The id of a plugin in a set.
pub(crate) fn in_set(set: Option<&InstalledSet>, name: &PluginId) -> Option<RemotePluginId> {
    let mut items = set?.items.iter();
    let found = items.find(|one| one.item.plugin_id() == *name);
    found.map(|one| one.item.id.clone())
}

/// Takes over that the service has noted a change. Answers whether it is known what the account has now.
pub(crate) async fn note(parts: &Parts, access: &Access, word: Word) -> bool {
    parts.lookup.remote().note(access, word);
    let (lookup, of) = (parts.lookup.clone(), access.clone());
    let kept = parts
        .blocking
        .write(move || Ok(lookup.remote().keep_noted(&of)));
    kept.await.unwrap_or_else(|error| {
        tracing::warn!("what the account has now: {}", error_chain(&error));
        false
    })
}

/// Asks what the account has now and takes it over. When the service does not say, the next
/// synchronisation does.
pub(crate) async fn learn(parts: &Parts, access: &Access, no_longer: impl Future<Output = ()>) {
    let deadline = Instant::now().checked_add(PATIENCE);
    let remote = parts.lookup.remote();
    let asked = remote.ask_installed(access, Urls::Without, None, deadline, no_longer);
    let InstalledAnswer { asked, answer } = asked.await;
    let set = match answer {
        Ok(Fetched::New(set, _)) => set,
        Ok(Fetched::Unchanged) => return,
        Err(error) => {
            tracing::debug!("what the account has now: {}", error_chain(&error));
            return;
        }
    };
    let (lookup, of) = (parts.lookup.clone(), access.clone());
    let kept = parts.blocking.write(move || {
        lookup.remote().learn(&of, asked, set, None);
        Ok(())
    });
    if let Err(error) = kept.await {
        tracing::warn!("what the account has now: {}", error_chain(&error));
    }
}
