//! `plugin/read`: one plugin from the inside.
//!
//! As in the reference the details of a local source are those of its directory, installed or not;
//! what differs in the installed copy is told as a problem.

use std::collections::BTreeMap;

use plugd_catalog::{Item, Service, Urls};
use plugd_components::{App, onboarding_skill};
use plugd_config::Snapshot;
use plugd_disk::tree::AtEase;
use plugd_marketplace::{Offer, Selector};
use plugd_model::{
    AbsPath, MIGRATED_SKILLS_DIR, PluginManifest, Problem, ProblemKind, RemotePluginId, Source,
    error_chain, shipped_as_migrated,
};
use plugd_store::Installed;
use tokio::time::Instant;

use crate::call::{Call, Cancelled};
use crate::differing::Differing;
use crate::listing::{Details, Summary};
use crate::lookup::Resolved;
use crate::reading::{ReadSkill, Reading};
use crate::remote_listing::deadline;
use crate::remote_row::share_context;
use crate::skill_rules::{SkillRules, Subject};
use crate::survey::{self, Survey};
use crate::{Blocking, Copies, Error, Lookup, Refresher, Roots, remote_apps};

/// A reading of this disk, and what the service could add to it.
pub(crate) struct Found {
    reading: Reading,
    apps: Vec<App>,
    /// The account, when it may be asked.
    service: Option<Service>,
}

impl Found {
    /// Only an account can use apps; one whose login has expired is still one.
    pub(crate) fn of(
        reading: Reading,
        mut apps: Vec<App>,
        lookup: &Lookup,
        resolved: &Resolved,
    ) -> Self {
        let config = resolved.scopes.first().map(|sight| &sight.config);
        let account = config.and_then(|config| lookup.remote().seen_as(config, &resolved.login));
        if account.is_none() {
            apps.clear();
        }
        let wants_more = !apps.is_empty() || reading.summary.share.is_some();
        let asker = account.filter(|(_, expired, _)| wants_more && !expired);
        Self {
            reading,
            apps,
            service: asker.map(|(access, _, _)| lookup.remote().service(&access)),
        }
    }
}

/// Reads the plugin that a manifest names. What an account adds, which is names of apps and how the
/// plugin is shared, is left out when the service does not say it soon.
///
/// # Errors
/// Plugins are switched off, nothing matches, or the plugin's manifest cannot be used.
pub async fn read(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    manifest: AbsPath,
    plugin: String,
) -> Result<Reading, Error> {
    let found = {
        let (lookup, copies) = (lookup.clone(), copies.clone());
        let refresher = refresher.clone();
        blocking.read(move || {
            let roots = Roots {
                cwds: Vec::new(),
                manifests: vec![manifest.clone()],
            };
            let resolved = lookup.resolve(&roots);
            if resolved.is_off() {
                return Err(Error::PluginsDisabled);
            }
            let selector = Selector::Named {
                manifest: &manifest,
                plugin: &plugin,
            };
            let offer = resolved.set.select(&selector)?;
            let differing = refresher.differing();
            read_offer(&lookup, &copies, &resolved, &offer, &differing)
        })
    };
    adorn(call, lookup, found.await?).await
}

/// Adds what only the service knows.
pub(crate) async fn adorn(call: &Call, lookup: &Lookup, found: Found) -> Result<Reading, Error> {
    let Found {
        mut reading,
        apps,
        service,
    } = found;
    let Some(service) = service else {
        reading.apps = remote_apps::of_files(&apps, &BTreeMap::new());
        return Ok(reading);
    };
    let until = Some(deadline(lookup.remote()));
    // Where apps are switched off nobody asks for them.
    let asks = lookup.config(None).features().apps;
    let asked = apps.iter().filter(|_| asks);
    let ids: Vec<String> = asked.map(|app| app.id.clone()).collect();
    let shared = reading.summary.share.as_ref().map(|share| share.id.clone());
    let (names, item) = tokio::join!(
        remote_apps::known(call, &service, &ids, until),
        shared_item(call, lookup, &service, shared, until),
    );
    if call.cancel.is_cancelled() {
        return Err(Cancelled.into());
    }
    reading.apps = remote_apps::of_files(&apps, &names);
    if let (Some(item), Some(known)) = (item, &mut reading.summary.share) {
        known.version.clone_from(&item.release.version);
        let full = share_context(&item).filter(|share| share.principals.is_some());
        if let Some(full) = full {
            **known = full;
        }
    }
    Ok(reading)
}

/// What the service says of a plugin that is shared from this disk.
async fn shared_item(
    call: &Call,
    lookup: &Lookup,
    service: &Service,
    shared: Option<RemotePluginId>,
    until: Option<Instant>,
) -> Option<Item> {
    let id = shared?;
    let asked = service.item(&id, Urls::Without, until, call.cancel.cancelled());
    asked
        .await
        .inspect_err(|error| {
            lookup.remote().heard(error);
            tracing::debug!("how `{id}` is shared: {}", error_chain(error));
        })
        .ok()
}

fn read_offer(
    lookup: &Lookup,
    copies: &Copies,
    resolved: &Resolved,
    offer: &Offer<'_>,
    differing: &Differing,
) -> Result<Found, Error> {
    let id = offer.id();
    let survey = Survey::of_one(lookup, copies.store()?, resolved, differing, &id);
    let details = survey.details(offer);
    if let Some(refusal) = refusal(offer, &details) {
        return Err(refusal);
    }
    let mut summary = survey.summary_of(id, offer, &details);
    let copy = survey.copy(&summary.id);
    if let Some(copy) = copy.filter(|copy| survey::elsewhere(copy, offer).is_none()) {
        summary.update_available |= has_other_content(copies, offer, copy)?;
    }
    let mut reading = Reading::of(
        offer.content.manifest.value.name.to_string(),
        Some(offer.content.path.clone()),
        summary,
    );
    reading.problems.extend_from_slice(survey.store_problems());
    let mut apps = Vec::new();
    match &details {
        Details::Manifest(loaded, root) => {
            apps = describe(&mut reading, lookup, resolved, &loaded.value, root);
            reading.problems.extend(not_copied(lookup, offer, root));
        }
        Details::Fallback(fallback, Some(root)) => {
            apps = describe(&mut reading, lookup, resolved, fallback.manifest(), root);
            reading.problems.extend(not_copied(lookup, offer, root));
        }
        // What the entry says of itself is for listings; here the answer is that nothing is here.
        Details::Fallback(_, None) | Details::NotHere => {
            reading.summary.local_version = None;
            reading.description = Some(elsewhere(&offer.entry.source.without_secrets()));
        }
        Details::NoDirectory(..) | Details::Outside(_) | Details::Broken(_) => {}
    }
    if reading.summary.update_available {
        reading.problems.push(differs(&reading.summary));
    }
    Ok(Found::of(reading, apps, lookup, resolved))
}

/// Skills that are shown, because they are in the source, and will not be in a copy.
fn not_copied(lookup: &Lookup, offer: &Offer<'_>, root: &AbsPath) -> Option<Problem> {
    if !matches!(&offer.entry.source, Source::Local { path } if path == root) {
        return None;
    }
    let shipped = root.join(MIGRATED_SKILLS_DIR);
    let found = lookup.disk().link_stamp(&shipped).ok().flatten();
    found.map(|_| shipped_as_migrated(&shipped))
}

/// Whether the local source is known to hold something else than what was installed from it. Its
/// files are read only when one was touched since they were read last.
fn has_other_content(copies: &Copies, offer: &Offer<'_>, copy: &Installed) -> Result<bool, Error> {
    let Source::Local { path } = &offer.entry.source else {
        return Ok(false);
    };
    let record = copy.provenance_record();
    let Some(recorded) = record.and_then(|record| record.source_digest) else {
        return Ok(false);
    };
    let found = copies.store()?.source_digest(path, &AtEase);
    // A source that cannot be copied is told when somebody installs it.
    Ok(found.is_ok_and(|found| found != recorded))
}

/// Tells what is inside a directory. The apps are handed out, because who may see them is another
/// question; what is wrong with them is told to everybody.
pub(crate) fn describe(
    reading: &mut Reading,
    lookup: &Lookup,
    resolved: &Resolved,
    manifest: &PluginManifest,
    root: &AbsPath,
) -> Vec<App> {
    let disk = lookup.disk();
    let configs = resolved.scopes.iter().map(|sight| &*sight.config);
    let rules = configs.flat_map(Snapshot::skill_rules);
    let rules = SkillRules::new(lookup, rules);
    let real_root = disk.resolve(root).unwrap_or_else(|_| root.clone());
    let skills = lookup.skills().skills(disk, root, manifest);
    let hooks = plugd_components::hooks(disk, root, manifest, &reading.summary.id);
    let servers = plugd_components::mcp_server_names(disk, root, manifest);
    let apps = plugd_components::apps(disk, root, manifest);
    reading.description.clone_from(&manifest.description);
    reading.problems.extend(skills.problems);
    reading.problems.extend(hooks.problems);
    reading.problems.extend(servers.problems);
    reading.problems.extend(apps.problems);
    let found = skills.items;
    reading.skills = found
        .iter()
        .filter(|skill| skill.visible)
        .map(|skill| {
            let enabled = rules.leave_on(&Subject {
                name: &skill.name,
                path: &skill.path,
                plugin: Some((&reading.summary.id, &real_root)),
            });
            ReadSkill::of_file(skill, enabled)
        })
        .collect();
    reading.hooks = hooks.items;
    reading.mcp_servers = servers.items;
    let mut onboarding = None;
    match onboarding_skill(disk, root, manifest, &found) {
        Ok(skill) => onboarding = skill.map(|skill| skill.path.clone()),
        Err(problem) => reading.problems.push(problem),
    }
    if reading.summary.installed && reading.summary.enabled {
        let is_first =
            |skill: &&ReadSkill| skill.enabled && onboarding.is_some() && skill.path == onboarding;
        reading.onboarding_skill = reading.skills.iter().find(is_first).cloned();
    }
    apps.items
}

/// What to say while nothing of a plugin is on this disk.
fn elsewhere(source: &Source) -> String {
    let mut text =
        "Details are shown once this plugin is installed. Its content comes from".to_owned();
    let mut add = |label: &str, value: Option<&String>| {
        if let Some(value) = value {
            text.push_str(label);
            text.push_str(value);
        }
    };
    match source {
        Source::Local { path } => add(" ", Some(&path.to_text())),
        Source::Git {
            url,
            path,
            ref_name,
            sha,
        } => {
            add(" ", Some(url));
            add(", directory ", path.as_ref());
            add(", ref ", ref_name.as_ref());
            add(", commit ", sha.as_ref());
        }
        Source::Npm {
            package,
            version,
            registry,
        } => {
            add(" the npm package ", Some(package));
            add(", version ", version.as_ref());
            add(", registry ", registry.as_ref());
        }
        Source::Oci { reference } => add(" ", Some(&reference.to_string())),
        Source::Archive { url, .. } => add(" ", Some(url)),
        Source::Remote => add(" ", Some(&"the remote catalog".to_owned())),
    }
    text.push('.');
    text
}

/// Why there is nothing to read or install.
pub(crate) fn refusal(offer: &Offer<'_>, details: &Details) -> Option<Error> {
    let id = offer.id();
    let path = || match &offer.entry.source {
        Source::Local { path } => path.clone(),
        Source::Git { .. }
        | Source::Npm { .. }
        | Source::Oci { .. }
        | Source::Archive { .. }
        | Source::Remote => offer.content.path.clone(),
    };
    match details {
        Details::NoDirectory(..) => Some(Error::SourceMissing { id, path: path() }),
        Details::Outside(_) => Some(Error::SourceEscapes { id, path: path() }),
        Details::Broken(problem) => Some(Error::BadManifest {
            id,
            problem: Box::new(problem.clone()),
        }),
        Details::Manifest(..) | Details::Fallback(..) | Details::NotHere => None,
    }
}

fn differs(summary: &Summary) -> Problem {
    let installed = summary
        .installed_version
        .as_ref()
        .map_or("none", |version| version.as_str());
    Problem::warning(
        ProblemKind::HeldBack,
        format!(
            "these are the details of the source; the installed copy is version {installed} \
             and its content differs"
        ),
    )
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
