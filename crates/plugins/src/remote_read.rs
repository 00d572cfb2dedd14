//! `plugin/read` of a plugin of the remote catalog.
//!
//! The service is asked for the plugin and for what the account has installed, at once. Whether it
//! answers or not, whoever has seen the plugin in a listing can look into it: what the service said
//! last is shown and marked. Names of apps are an adornment and hold nothing up for long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plugd_catalog::{
    Access, AppInfo, CatalogError, Collection, Fetched, InstalledItem, InstalledSet, Item, Urls,
    Validators,
};
use plugd_config::Snapshot;
use plugd_model::{PluginId, Problem, ProblemKind, RemotePluginId, RemoteScope, error_chain};
use tokio::time::Instant;

use crate::call::Call;
use crate::login_refresh::refresh_login;
use crate::parts::Parts;
use crate::reading::{ReadSkill, Reading};
use crate::remote::{InstalledAnswer, Remote};
use crate::remote_error::RemoteError;
use crate::remote_gate::{Asked, Asker};
use crate::remote_names::{self, RemoteTarget};
use crate::remote_row::{Here, row};
use crate::{Blocking, Copies, Error, Lookup, remote_apps};

/// What was tried, in the words that clients of the reference know.
const ACTION: &str = "read remote plugin details";

/// How long the service may take, pages of installed plugins included.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a plugin by the id that the service has for it. The marketplace is the client's guess: where
/// the plugin stands is what the service says.
///
/// # Errors
/// Plugins are switched off, this is no id, nobody is logged in, the service has no such plugin, or it
/// cannot be asked and has never spoken of it.
pub async fn read_remote(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    marketplace: String,
    plugin: String,
) -> Result<Reading, Error> {
    refresh_login(call, blocking, lookup).await;
    let begun = {
        let lookup = lookup.clone();
        blocking.read(move || begin(&lookup, &marketplace, &plugin))
    };
    let begun = begun.await?;
    let answers = ask(call, lookup.remote(), &begun).await?;
    let (lookup, copies) = (lookup.clone(), copies.clone());
    blocking
        .write(move || settle(&lookup, &copies, begun, answers))
        .await
}

/// The id that the service has for a plugin which people call by its name.
///
/// # Errors
/// Plugins are switched off, nobody is logged in, or the catalog offers nothing of this name.
pub async fn find_remote(
    call: &Call,
    parts: &Parts,
    name: &PluginId,
) -> Result<RemotePluginId, Error> {
    let target = RemoteTarget::Named(name.clone());
    let (_, id) = remote_names::resolve(call, parts, target, ACTION).await?;
    Ok(id)
}

/// What is known before the service is asked.
struct Begun {
    id: RemotePluginId,
    asker: Asker,
    config: Arc<Snapshot>,
    validators: Option<Validators>,
}

/// What the service said.
#[derive(Default)]
struct Answers {
    /// The plugin, or why there is none; nothing when nobody was asked.
    item: Option<Result<Item, CatalogError>>,
    installed: Option<InstalledAnswer>,
    apps: BTreeMap<String, AppInfo>,
}

fn begin(lookup: &Lookup, marketplace: &str, plugin: &str) -> Result<Begun, Error> {
    let config = lookup.config(None);
    let asked = Asked {
        what: "remote plugin read",
        action: ACTION,
        marketplace,
        field: "pluginName",
        id: plugin,
    };
    let id = asked.admit(&config)?;
    let asker = asked.asker(lookup, &config)?;
    Ok(Begun {
        validators: lookup.remote().installed_validators(&asker.access),
        id,
        asker,
        config,
    })
}

async fn ask(call: &Call, remote: &Remote, begun: &Begun) -> Result<Answers, Error> {
    if begun.asker.expired {
        return Ok(Answers::default());
    }
    call.progress.report("asking the remote catalog", 0, None);
    let service = remote.service(&begun.asker.access);
    let deadline = Some(Instant::now() + PATIENCE);
    let item = service.item(&begun.id, Urls::Without, deadline, call.cancel.cancelled());
    let known = begun.validators.as_ref();
    let cancelled = call.cancel.cancelled();
    // What is installed anywhere is one question, and its answer serves everybody.
    let of = &begun.asker.access;
    let installed = remote.ask_installed(of, Urls::Without, known, deadline, cancelled);
    // Without the plugin nobody waits for the rest.
    let both = tokio::try_join!(item, async { Ok(installed.await) });
    let (item, installed) = match both {
        Ok((item, installed)) => (item, installed),
        Err(error) if may_be_stale(&error) => {
            return Ok(Answers {
                item: Some(Err(error)),
                ..Answers::default()
            });
        }
        Err(error) => return Err(RemoteError::asked(ACTION, error)),
    };
    if let Err(error) = &installed.answer
        && error.is_cancelled()
    {
        return Err(Error::Cancelled(crate::call::Cancelled));
    }
    let apps = match begun.config.features().apps {
        true => remote_apps::known(call, &service, &item.release.app_ids, deadline).await,
        false => BTreeMap::new(),
    };
    Ok(Answers {
        item: Some(Ok(item)),
        installed: Some(installed),
        apps,
    })
}

/// Whether what was known before can stand in for the answer. A service that says that it has no such
/// plugin, or speaks of another one, has answered.
fn may_be_stale(error: &CatalogError) -> bool {
    match error {
        CatalogError::Unauthorized { .. }
        | CatalogError::Status { .. }
        | CatalogError::BadAnswer { .. } => true,
        CatalogError::Http { .. } => !error.is_cancelled(),
        CatalogError::NotFound { .. }
        | CatalogError::Mismatch { .. }
        | CatalogError::Unsendable { .. }
        | CatalogError::Cancelled => false,
    }
}

/// Keeps what came, and puts the answer together. Reads and writes files.
fn settle(
    lookup: &Lookup,
    copies: &Copies,
    begun: Begun,
    answers: Answers,
) -> Result<Reading, Error> {
    let remote = lookup.remote();
    let Asker {
        access,
        expired: _,
        mut problems,
    } = begun.asker;
    let Answers {
        item,
        installed,
        apps,
    } = answers;
    let set = installed_after(remote, &access, installed, &mut problems)?;
    let item = match item {
        Some(Ok(item)) => item,
        Some(Err(error)) => {
            remote.heard(&error);
            let Some(item) = last_seen(remote, &access, &set, &begun.id) else {
                return Err(RemoteError::asked(ACTION, error));
            };
            let text = format!(
                "the plugin is shown as it was known before: {}",
                error_chain(&error)
            );
            problems.push(Problem::warning(ProblemKind::RemoteStale, text));
            item
        }
        None => {
            let seen = last_seen(remote, &access, &set, &begun.id);
            seen.ok_or_else(|| remote.expired(&access, ACTION))?
        }
    };
    let id = item.plugin_id();
    let copy = copies.store()?.get(&id);
    let copy = copy.map_err(|error| Error::StoreState(Box::new(error)))?;
    let mut settings = begun.config.plugins().iter();
    let troubles = remote.troubles(&access);
    let here = Here {
        installed: set.items.iter().find(|one| one.item.id == item.id),
        copy: copy.as_ref(),
        setting: settings.find(|row| row.id == id).map(|row| row.enabled),
        trouble: troubles.get(&id),
    };
    Ok(reading(&item, here, &apps, problems))
}

/// The installed set after this answer: the new one, else the known one, marked.
fn installed_after(
    remote: &Remote,
    access: &Access,
    answer: Option<InstalledAnswer>,
    problems: &mut Vec<Problem>,
) -> Result<Arc<InstalledSet>, Error> {
    let known = || remote.installed_of(access);
    let Some(InstalledAnswer { asked, answer }) = answer else {
        return Ok(known().unwrap_or_default());
    };
    match answer {
        Ok(Fetched::New(set, validators)) => {
            if !set.complete {
                problems.extend(set.problems.iter().cloned());
            }
            Ok(remote.learn(access, asked, set, validators))
        }
        Ok(Fetched::Unchanged) => Ok(known().unwrap_or_default()),
        Err(error) => {
            remote.heard(&error);
            let Some(known) = known() else {
                return Err(RemoteError::asked(ACTION, error));
            };
            let text = format!(
                "what the account has installed is shown as it was known before: {}",
                error_chain(&error)
            );
            problems.push(Problem::warning(ProblemKind::RemoteStale, text));
            Ok(known)
        }
    }
}

/// What the service said last about a plugin, in any answer that is kept.
pub(crate) fn last_seen(
    remote: &Remote,
    access: &Access,
    set: &InstalledSet,
    id: &RemotePluginId,
) -> Option<Item> {
    // What is installed is asked for most often.
    if let Some(found) = set.items.iter().find(|one| one.item.id == *id) {
        return Some(found.item.clone());
    }
    let find = |items: &[Item]| items.iter().find(|item| item.id == *id).cloned();
    let remembered = [
        Collection::SharedWithMe,
        Collection::Vertical,
        Collection::Created,
    ];
    let mut remembered = remembered.into_iter();
    remembered
        .find_map(|collection| find(&remote.remembered(access, collection)?.items))
        .or_else(|| {
            let mut scopes = RemoteScope::ALL.into_iter();
            scopes.find_map(|scope| find(&remote.cached(access, scope)?.directory.items))
        })
}

fn reading(
    item: &Item,
    here: Here<'_>,
    apps: &BTreeMap<String, AppInfo>,
    problems: Vec<Problem>,
) -> Reading {
    let summary = row(item, here);
    let release = &item.release;
    let is_on = |name: &str| here.installed.is_none_or(|one| !silences(one, name));
    let skills: Vec<_> = release
        .skills
        .iter()
        .map(|skill| ReadSkill::of_release(skill, is_on(&skill.name)))
        .collect();
    let first = release.onboarding_skill_name.as_deref();
    let first = first.filter(|_| summary.installed && summary.enabled);
    let mut shown = skills.iter();
    Reading {
        marketplace: item.marketplace().name().to_owned(),
        path: None,
        share_url: item.sharing.share_url.clone(),
        description: release.description.clone(),
        onboarding_skill: first
            .and_then(|name| shown.find(|skill| skill.enabled && skill.name == name))
            .cloned(),
        hooks: Vec::new(),
        apps: remote_apps::of_ids(&release.app_ids, apps),
        app_templates: release.app_templates.clone(),
        mcp_servers: release.mcp_servers.clone(),
        scheduled_tasks: release.scheduled_tasks.clone(),
        problems: summary.problems.iter().cloned().chain(problems).collect(),
        summary,
        skills,
    }
}

/// Whether the account has switched off a skill, whose name may have the plugin's in front.
fn silences(installed: &InstalledItem, skill: &str) -> bool {
    let bare = skill.split_once(':').map_or(skill, |(_, bare)| bare);
    let names = &installed.disabled_skill_names;
    names.contains(bare) || names.contains(skill)
}
