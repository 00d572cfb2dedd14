//! `plugin/skill/read` of a plugin of the remote catalog: any skill of any plugin, installed or not.
//!
//! The service answers. When it cannot be reached and the account has the plugin installed, the copy
//! on this disk is what the service would have handed out, and its text is shown.

use std::sync::Arc;
use std::time::Duration;

use plugd_catalog::{Access, CatalogError};
use plugd_config::Snapshot;
use plugd_model::{RemoteMarketplace, RemotePluginId, SHARED_PRIVATE_GROUP, SHARED_UNLISTED_GROUP};
use plugd_store::Installed;
use tokio::time::Instant;

use crate::active::manifest_of;
use crate::call::Call;
use crate::login_refresh::refresh_login;
use crate::remote_error::RemoteError;
use crate::remote_gate::{Asked, Asker};
use crate::remote_read::last_seen;
use crate::skill_read::{SkillText, text};
use crate::{Blocking, Copies, Error, Lookup};

/// What was tried, in the words that clients of the reference know.
const ACTION: &str = "read remote plugin skill details";

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the text of a skill by the id that the service has for its plugin.
///
/// # Errors
/// Plugins are switched off, this is no id or no name, nobody is logged in, the marketplace is none of
/// the catalog's, the service has no such skill, or it cannot be asked and the plugin is not here.
pub async fn read_remote_skill(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    marketplace: String,
    plugin: String,
    skill: String,
) -> Result<SkillText, Error> {
    refresh_login(call, blocking, lookup).await;
    let begun = {
        let (lookup, skill) = (lookup.clone(), skill.clone());
        blocking.read(move || begin(&lookup, &marketplace, &plugin, &skill))
    };
    let Begun { id, asker } = begun.await?;
    let access = asker.access.clone();
    let asked = |failure: Option<CatalogError>| match failure {
        Some(error) => RemoteError::asked(ACTION, error),
        None => lookup.remote().expired(&access, ACTION),
    };
    let failure = match asker.expired {
        true => None,
        false => {
            let service = lookup.remote().service(&asker.access);
            let (until, cancelled) = (Instant::now() + PATIENCE, call.cancel.cancelled());
            let mut answer = service.skill(&id, &skill, Some(until), cancelled).await;
            // Listings name a skill with its plugin in front; the service may know it without.
            if let Err(CatalogError::NotFound { .. }) = &answer
                && let Some(bare) = bare_name(blocking, lookup, &asker.access, &id, &skill).await
            {
                let cancelled = call.cancel.cancelled();
                answer = service.skill(&id, &bare, Some(until), cancelled).await;
            }
            match answer {
                Ok(contents) => {
                    return Ok(SkillText {
                        path: None,
                        contents,
                    });
                }
                Err(error) => Some(error),
            }
        }
    };
    if let Some(error) = &failure {
        lookup.remote().heard(error);
        if !has_said_nothing(error) {
            return Err(asked(failure));
        }
    }
    let here = {
        let (lookup, copies) = (lookup.clone(), copies.clone());
        blocking.read(move || of_copy(&lookup, &copies, &asker, &id, &skill))
    };
    // Why the copy has no such text helps less than why the service did not answer.
    match here.await {
        Ok(Some(text)) => Ok(text),
        Ok(None) | Err(_) => Err(asked(failure)),
    }
}

/// The name of a skill without that of its plugin, where it begins with that one.
async fn bare_name(
    blocking: &Blocking,
    lookup: &Lookup,
    access: &Access,
    id: &RemotePluginId,
    skill: &str,
) -> Option<String> {
    let (plugin, bare) = skill.split_once(':').filter(|(_, bare)| !bare.is_empty())?;
    let (lookup, access, id) = (lookup.clone(), access.clone(), id.clone());
    let seen = blocking.read(move || {
        let remote = lookup.remote();
        let set = remote.installed_of(&access).unwrap_or_default();
        Ok(last_seen(remote, &access, &set, &id))
    });
    let seen = seen.await.ok().flatten()?;
    (seen.name.as_str() == plugin).then(|| bare.to_owned())
}

struct Begun {
    id: RemotePluginId,
    asker: Asker,
}

fn begin(lookup: &Lookup, marketplace: &str, plugin: &str, skill: &str) -> Result<Begun, Error> {
    let config: Arc<Snapshot> = lookup.config(None);
    let asking = Asked {
        what: "remote plugin skill read",
        action: ACTION,
        marketplace,
        field: "remotePluginId",
        id: plugin,
    };
    let id = asking.admit(&config)?;
    if skill.is_empty() {
        return Err(RemoteError::NoSkillName.into());
    }
    let asker = asking.asker(lookup, &config)?;
    if !is_known(marketplace) {
        return Err(RemoteError::UnknownMarketplace {
            action: ACTION,
            marketplace: marketplace.to_owned(),
        }
        .into());
    }
    Ok(Begun { id, asker })
}

/// Whether a listing could have shown the plugin under this name.
fn is_known(marketplace: &str) -> bool {
    RemoteMarketplace::of_name(marketplace).is_some()
        || [SHARED_PRIVATE_GROUP, SHARED_UNLISTED_GROUP].contains(&marketplace)
}

/// Whether nobody knows what the service has to say about the skill: it was not reached, or it failed.
fn has_said_nothing(error: &CatalogError) -> bool {
    match error {
        CatalogError::Status { .. } | CatalogError::BadAnswer { .. } => true,
        CatalogError::Http { .. } => !error.is_cancelled(),
        CatalogError::Unauthorized { .. }
        | CatalogError::NotFound { .. }
        | CatalogError::Mismatch { .. }
        | CatalogError::Unsendable { .. }
        | CatalogError::Cancelled => false,
    }
}

/// The text in the copy that the account has of the plugin. What another account had is not shown.
fn of_copy(
    lookup: &Lookup,
    copies: &Copies,
    asker: &Asker,
    id: &RemotePluginId,
    skill: &str,
) -> Result<Option<SkillText>, Error> {
    let Some(set) = lookup.remote().installed_of(&asker.access) else {
        return Ok(None);
    };
    let Some(installed) = set.items.iter().find(|one| one.item.id == *id) else {
        return Ok(None);
    };
    let plugin = installed.item.plugin_id();
    let copy = copies.store()?.get(&plugin);
    let copy = copy.map_err(|error| Error::StoreState(Box::new(error)))?;
    let Some(copy) = copy.filter(|copy: &Installed| copy.remote() == Some(id)) else {
        return Ok(None);
    };
    match manifest_of(lookup.loader(), &copy) {
        Ok(manifest) => text(lookup.disk(), &plugin, &copy.root, &manifest.value, skill).map(Some),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn names_under_which_a_listing_shows_plugins() {
        for name in [
            "openai-curated-remote",
            "created-by-me-remote",
            "workspace-directory",
            "workspace-shared-with-me",
            "workspace-shared-with-me-private",
            "workspace-shared-with-me-unlisted",
        ] {
            assert!(is_known(name), "{name}");
        }
        for name in ["", "openai-curated", "OpenAI-curated-remote", "x"] {
            assert!(!is_known(name), "{name}");
        }
    }
}
