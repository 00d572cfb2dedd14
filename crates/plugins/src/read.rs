//! `plugin/read`: one plugin from the inside.
//!
//! As in the reference the details of a local source are those of its directory, installed or not;
//! what differs in the installed copy is told as a problem.

use std::collections::BTreeSet;

use plugd_components::{App, HookDeclaration, Skill};
use plugd_config::Snapshot;
use plugd_marketplace::{Offer, Selector};
use plugd_model::{AbsPath, PluginManifest, Problem, ProblemKind, Source};
use plugd_store::Store;

use crate::listing::{Details, Summary};
use crate::lookup::Resolved;
use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Lookup, Refresher, Roots};

/// One plugin from the inside.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The marketplace's name.
    pub marketplace: String,
    /// The marketplace's manifest.
    pub path: AbsPath,
    /// What a listing shows of it.
    pub summary: Summary,
    /// The long text, or why there are no details yet.
    pub description: Option<String>,
    /// Its skills, each with whether configuration leaves it on.
    pub skills: Vec<(Skill, bool)>,
    /// The skill to show first; only of an installed and enabled plugin.
    pub onboarding_skill: Option<(Skill, bool)>,
    /// Its hooks.
    pub hooks: Vec<HookDeclaration>,
    /// Its apps; empty without a login.
    pub apps: Vec<App>,
    /// The names of its MCP servers.
    pub mcp_servers: Vec<String>,
    /// What is wrong with it, components included.
    pub problems: Vec<Problem>,
}

/// Reads the plugin that a manifest names.
///
/// # Errors
/// Plugins are switched off, nothing matches, or the plugin's manifest cannot be used.
pub async fn read(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    manifest: AbsPath,
    plugin: String,
) -> Result<Reading, Error> {
    let (lookup, copies) = (lookup.clone(), copies.clone());
    let refresher = refresher.clone();
    blocking
        .read(move || {
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
            read_offer(
                &lookup,
                copies.store()?,
                &resolved,
                &offer,
                &refresher.differing(),
            )
        })
        .await
}

fn read_offer(
    lookup: &Lookup,
    store: &Store,
    resolved: &Resolved,
    offer: &Offer<'_>,
    differing: &BTreeSet<plugd_model::PluginId>,
) -> Result<Reading, Error> {
    let survey = Survey::new(lookup, store, resolved, differing)?;
    let summary = survey.summary(offer);
    let details = survey.details(offer);
    if let Some(refusal) = refusal(offer, &details) {
        return Err(refusal);
    }
    let mut reading = Reading {
        marketplace: offer.content.manifest.value.name.to_string(),
        path: offer.content.path.clone(),
        description: None,
        skills: Vec::new(),
        onboarding_skill: None,
        hooks: Vec::new(),
        apps: Vec::new(),
        mcp_servers: Vec::new(),
        problems: summary.problems.clone(),
        summary,
    };
    match &details {
        Details::Manifest(loaded, root) => {
            describe(&mut reading, lookup, resolved, &loaded.value, root);
        }
        Details::Fallback(fallback, Some(root)) => {
            describe(&mut reading, lookup, resolved, &fallback.manifest, root);
        }
        // What the entry says of itself is for listings; here the answer is that nothing is here.
        Details::Fallback(_, None) | Details::NotHere => {
            reading.summary.local_version = None;
            reading.description = Some(elsewhere(&offer.entry.source.without_secrets()));
        }
        Details::NoDirectory(_) | Details::Outside(_) | Details::Broken(_) => {}
    }
    if reading.summary.update_available {
        reading.problems.push(differs(&reading.summary));
    }
    Ok(reading)
}

fn describe(
    reading: &mut Reading,
    lookup: &Lookup,
    resolved: &Resolved,
    manifest: &PluginManifest,
    root: &AbsPath,
) {
    let disk = lookup.disk();
    let rules = SkillRules::of(resolved.scopes.iter().map(|sight| &*sight.config));
    let skills = plugd_components::skills(disk, root, manifest);
    let hooks = plugd_components::hooks(disk, root, manifest, &reading.summary.id);
    let servers = plugd_components::mcp_server_names(disk, root, manifest);
    reading.description.clone_from(&manifest.description);
    reading.problems.extend(skills.problems);
    reading.problems.extend(hooks.problems);
    reading.problems.extend(servers.problems);
    reading.skills = skills
        .items
        .into_iter()
        .filter(|skill| skill.visible)
        .map(|skill| {
            let enabled = rules.leave_on(&skill);
            (skill, enabled)
        })
        .collect();
    reading.hooks = hooks.items;
    reading.mcp_servers = servers.items;
    if reading.summary.installed && reading.summary.enabled {
        let wanted = manifest
            .onboarding_skill
            .as_ref()
            .map(|path| path.below(root));
        reading.onboarding_skill = reading
            .skills
            .iter()
            .find(|(skill, enabled)| *enabled && Some(&skill.path) == wanted.as_ref())
            .cloned();
    }
}

/// The rows of `[[skills.config]]`. A later match wins over an earlier one.
struct SkillRules<'a> {
    rows: Vec<&'a serde_json::Value>,
}

impl<'a> SkillRules<'a> {
    fn of(configs: impl Iterator<Item = &'a Snapshot>) -> Self {
        let rows = configs
            .filter_map(|config| config.effective().pointer("/skills/config")?.as_array())
            .flatten()
            .collect();
        Self { rows }
    }

    fn leave_on(&self, skill: &Skill) -> bool {
        let path = skill.path.to_text();
        self.rows
            .iter()
            .rev()
            .find_map(|row| {
                let text = |key: &str| row.get(key).and_then(serde_json::Value::as_str);
                // A row with both selectors, or with none, selects nothing.
                let matches = match (text("name"), text("path")) {
                    (Some(name), None) => name == skill.name,
                    (None, Some(rule)) => rule == path,
                    _ => false,
                };
                matches.then(|| row.get("enabled")?.as_bool())?
            })
            .unwrap_or(true)
    }
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
    }
    text.push('.');
    text
}

/// Why there is nothing to read or install.
pub(crate) fn refusal(offer: &Offer<'_>, details: &Details) -> Option<Error> {
    let id = offer.id();
    let path = || match &offer.entry.source {
        Source::Local { path } => path.clone(),
        Source::Git { .. } | Source::Npm { .. } => offer.content.path.clone(),
    };
    match details {
        Details::NoDirectory(_) => Some(Error::SourceMissing { id, path: path() }),
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
