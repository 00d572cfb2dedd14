//! Reads, in one blocking section, everything that a listing needs to know.
//!
//! Listing, installed plugins, search and reading share this pass, so that they show the same thing.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plugd_manifest::{Glance, Loader, store_version};
use plugd_marketplace::{Binding, Content, Offer};
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, RemotePluginId, Severity, Source};
use plugd_store::{Installed, Store};

use crate::ahead::Ahead;
use crate::binding;
use crate::curated_commit::curated_version;
use crate::details::{details_at_a_glance, details_of_copy};
use crate::differing::Differing;
use crate::hidden_by_config::{PLUGIN_TABLES, hidden_by};
use crate::links::{self, Links};
use crate::listing::{Details, Facts, ListedMarketplace, LoadError, Summary, join, settings_of};
use crate::lookup::Resolved;
use crate::remote_listing::Local;
use crate::rows::{Beside, ListedPlugin, Row};
use crate::shared_ids::{SharedIds, only_id, shared_ids};
use crate::{Error, Listing, Lookup};

/// Everything read for one request.
pub(crate) struct Survey<'a> {
    lookup: &'a Lookup,
    glance: Glance<'a>,
    resolved: &'a Resolved,
    settings: BTreeMap<PluginId, bool>,
    installed: BTreeMap<PluginId, Installed>,
    store_problems: Vec<Problem>,
    differing: &'a Differing,
    shared: SharedIds,
    links: Links,
    /// The version of the curated snapshot, once somebody has asked.
    snapshot: OnceCell<Option<String>>,
}

impl<'a> Survey<'a> {
    /// Reads configuration and store. `differing` tells whose source is known to have other
    /// content than the store.
    pub(crate) fn new(
        lookup: &'a Lookup,
        store: &Store,
        resolved: &'a Resolved,
        differing: &'a Differing,
    ) -> Result<Self, Error> {
        let (copies, store_problems) = store
            .list()
            .map_err(|error| Error::StoreState(Box::new(error)))?;
        let of = (lookup, resolved, differing);
        Ok(Self::over(of, None, copies, store_problems))
    }

    /// The same for a request about one plugin, which does not get slower with all that is installed
    /// beside it.
    pub(crate) fn of_one(
        lookup: &'a Lookup,
        store: &Store,
        resolved: &'a Resolved,
        differing: &'a Differing,
        id: &PluginId,
    ) -> Self {
        let (copy, problem) = match store.list_one(id) {
            Ok(copy) => (copy, None),
            Err(problem) => (None, Some(problem)),
        };
        Self::over((lookup, resolved, differing), Some(id), copy, problem)
    }

    fn over(
        (lookup, resolved, differing): (&'a Lookup, &'a Resolved, &'a Differing),
        only: Option<&PluginId>,
        copies: impl IntoIterator<Item = Installed>,
        store_problems: impl IntoIterator<Item = Problem>,
    ) -> Self {
        let copies = copies.into_iter();
        let configs = resolved.scopes.iter().map(|sight| &*sight.config);
        Self {
            lookup,
            glance: lookup.loader().glance(),
            resolved,
            settings: settings_of(configs, only),
            installed: copies.map(|copy| (copy.id.clone(), copy)).collect(),
            store_problems: store_problems.into_iter().collect(),
            differing,
            shared: shared_ids(lookup),
            links: lookup.links(),
            snapshot: OnceCell::new(),
        }
    }

    /// The listing of all plugins that `keep` wants.
    pub(crate) fn listing(&self, mut keep: impl FnMut(&Summary) -> bool) -> Listing {
        let mut listing = Listing {
            load_errors: self.load_errors(),
            ..Listing::default()
        };
        for (_, content, offers) in self.resolved.set.shown() {
            let rows = self.rows(content, &offers);
            let mut plugins = Vec::with_capacity(rows.len());
            for listed in rows {
                listing.load_errors.extend(broken(content, &listed));
                if keep(&listed) {
                    plugins.push(listed);
                }
            }
            if plugins.is_empty() {
                continue;
            }
            listing.marketplaces.push(ListedMarketplace {
                name: content.manifest.value.name.to_string(),
                path: Some(content.path.clone()),
                display_name: content.manifest.value.display_name.clone(),
                plugins,
            });
        }
        self.add_linked(&mut listing);
        listing
    }

    /// The rows of a marketplace. Those of which everything is as it was are those of the last listing.
    fn rows(&self, content: &Content, offers: &[Offer<'_>]) -> Vec<ListedPlugin> {
        let kept = self.lookup.rows();
        let before = kept.of(&content.manifest);
        let mut ahead = match before {
            None => Ahead::read(self.lookup.loader(), &self.links, offers),
            Some(_) => Ahead::default(),
        };
        // From the first row on that is news.
        let mut rows: Option<Vec<Row>> = None;
        let mut listed = Vec::with_capacity(offers.len());
        for (at, offer) in offers.iter().enumerate() {
            let id = offer.id();
            let read = ahead.take(at);
            let details = read.unwrap_or_else(|| self.details_of(&id, offer));
            let beside = self.beside(&id, offer);
            let again = before.as_deref();
            let again = again.and_then(|kept| kept.repeated(at, offer.entry, &details, &beside));
            if let Some(again) = again {
                listed.push(again.listed.clone());
                if let Some(rows) = &mut rows {
                    rows.push(again.clone());
                }
                continue;
            }
            let make = || self.summary_of(id, offer, &details);
            let row = Row::new(offer.entry, &details, beside, make);
            listed.push(row.listed.clone());
            rows.get_or_insert_with(|| {
                before.as_ref().map_or_else(Vec::new, |kept| kept.first(at))
            })
            .push(row);
        }
        if let Some(rows) = rows {
            kept.keep(&content.manifest, rows);
        }
        listed
    }

    /// What a row is made of beside the entry and the plugin's inside.
    fn beside(&self, id: &PluginId, offer: &Offer<'_>) -> Beside {
        let (copy, setting) = (self.installed.get(id), self.setting(id));
        Beside {
            copy: copy.map(|copy| copy.version.clone()),
            setting,
            snapshot: match offer.content.binding {
                Binding::Curated => self.snapshot().map(str::to_owned),
                _ => None,
            },
            content_differs: self.differing.has(copy),
            elsewhere: copy
                .filter(|_| setting.is_some())
                .and_then(|copy| elsewhere(copy, offer)),
            shared: self.shared_as(offer).cloned(),
            linked: self.links.of_plugin(id).cloned(),
        }
    }

    /// The version of the curated snapshot, read once.
    fn snapshot(&self) -> Option<&str> {
        let read = || curated_version(self.lookup.loader(), self.lookup.layout());
        self.snapshot.get_or_init(read).as_deref()
    }

    /// What the offered directory is called where it is shared.
    fn shared_as(&self, offer: &Offer<'_>) -> Option<&RemotePluginId> {
        match &offer.entry.source {
            Source::Local { path } => self.shared.ids.get(path),
            Source::Git { .. }
            | Source::Npm { .. }
            | Source::Oci { .. }
            | Source::Archive { .. }
            | Source::Remote => None,
        }
    }

    /// What is wrong with what is installed.
    pub(crate) fn store_problems(&self) -> &[Problem] {
        &self.store_problems
    }

    /// What to show for one offer, whose inside is known.
    pub(crate) fn summary_of(&self, id: PluginId, offer: &Offer<'_>, details: &Details) -> Summary {
        let linked = self.links.of_plugin(&id);
        let elsewhere = self.copy(&id).and_then(|copy| elsewhere(copy, offer));
        let offered_version = match offer.content.binding {
            // It is another plugin, of which no version follows the one that is installed.
            _ if elsewhere.is_some() => None,
            Binding::Curated => self.snapshot().map(str::to_owned),
            // What its author works on is no offer.
            _ if linked.is_some() => None,
            _ => offered_version(offer, details),
        };
        let mut summary = join(Facts {
            entry: offer.entry,
            details,
            installed: self.installed.get(&id),
            setting: self.setting(&id),
            offered_version,
            content_differs: elsewhere.is_none() && self.differing.has(self.installed.get(&id)),
            linked,
            id,
        });
        summary.problems.extend(bad_version(offer, details));
        // A link was refused for another name, and its author may give it one for a while.
        if linked.is_none() {
            summary.problems.extend(other_name(offer, details));
        }
        let forbidden = linked.and_then(|path| self.forbids_tree(path));
        summary.problems.extend(forbidden);
        let conflict = elsewhere.map(|bound| came_from_elsewhere(&summary.id, &bound, offer));
        summary.problems.extend(conflict);
        summary.share = self.shared_as(offer).cloned().map(only_id).map(Box::new);
        summary
    }

    /// The inside of an offered plugin: of what is linked in its place, of its source when that is here, else of the installed copy,
    /// else what the entry says.
    pub(crate) fn details(&self, offer: &Offer<'_>) -> Details {
        self.details_of(&offer.id(), offer)
    }

    fn details_of(&self, id: &PluginId, offer: &Offer<'_>) -> Details {
        if let Some(path) = self.links.of_plugin(id) {
            return links::details(self.lookup.loader(), id, path);
        }
        match &offer.entry.source {
            Source::Local { path } => details_at_a_glance(&self.glance, path, offer),
            Source::Git { .. }
            | Source::Npm { .. }
            | Source::Oci { .. }
            | Source::Archive { .. }
            | Source::Remote => match self.copy(id) {
                Some(copy) => details_of_copy(self.lookup.loader(), copy),
                None => match &offer.entry.fallback {
                    Some(fallback) => Details::Fallback(Arc::clone(fallback), None),
                    None => Details::NotHere,
                },
            },
        }
    }

    /// The installed copy of a configured plugin.
    pub(crate) fn copy(&self, id: &PluginId) -> Option<&Installed> {
        self.installed
            .get(id)
            .filter(|_| self.settings.contains_key(id))
    }

    /// Configured plugins of which no copy was found.
    pub(crate) fn without_copy(&self) -> impl Iterator<Item = &PluginId> {
        let configured = self.settings.keys();
        configured.filter(|id| !self.installed.contains_key(id))
    }

    /// Installed plugins that no marketplace of the request offers.
    pub(crate) fn orphans(&self) -> Vec<(&Installed, bool)> {
        let offered = self.offered();
        self.installed
            .values()
            .filter(|copy| !offered.contains(&copy.id) && self.links.of_plugin(&copy.id).is_none())
            .filter_map(|copy| Some((copy, *self.settings.get(&copy.id)?)))
            .collect()
    }

    /// The working trees that stand in for plugins.
    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// Why the requirements do not let a working tree stand in for a plugin.
    pub(crate) fn forbids_tree(&self, path: &AbsPath) -> Option<Problem> {
        let mut scopes = self.resolved.scopes.iter();
        scopes.find_map(|one| one.config.requirements().allows_tree(path).err())
    }

    /// Whether a plugin is configured, and switched on.
    pub(crate) fn setting(&self, id: &PluginId) -> Option<bool> {
        let tree = self.links.of_plugin(id);
        match tree.and_then(|path| self.forbids_tree(path)) {
            Some(_) => Some(false),
            None => self.settings.get(id).copied(),
        }
    }

    /// The loader.
    pub(crate) fn loader(&self) -> &Loader {
        self.lookup.loader()
    }

    /// Everything that a marketplace of the request offers.
    pub(crate) fn offered(&self) -> BTreeSet<PluginId> {
        let shown = self.resolved.set.shown();
        shown
            .flat_map(|(_, _, offers)| offers.into_iter().map(|offer| offer.id()))
            .collect()
    }

    /// What the remote part of a listing needs of it.
    pub(crate) fn into_local(self) -> Local {
        Local {
            copies: self.installed,
            settings: self.settings,
            troubles: Arc::default(),
        }
    }

    fn load_errors(&self) -> Vec<LoadError> {
        let mut rows: Vec<LoadError> = Vec::new();
        for sight in &self.resolved.scopes {
            let of_project: Vec<&Problem> = sight.config.project_problems().collect();
            for problem in hidden_by(&sight.config, PLUGIN_TABLES) {
                // A project's broken layer is told under the directory of the request.
                let path = match (&sight.cwd, of_project.contains(&problem)) {
                    (Some(cwd), true) => Some(cwd),
                    _ => problem.path.as_ref(),
                };
                push(
                    &mut rows,
                    path.unwrap_or(self.lookup.layout().home()),
                    problem,
                );
            }
        }
        for (path, problem) in self.resolved.set.problems() {
            push(&mut rows, path, problem);
        }
        for problem in &self.shared.problems {
            let file = self.lookup.layout().share_paths();
            push(&mut rows, problem.path.as_ref().unwrap_or(&file), problem);
        }
        for problem in &self.links.problems {
            let file = self.lookup.layout().links();
            push(&mut rows, problem.path.as_ref().unwrap_or(&file), problem);
        }
        for problem in &self.store_problems {
            let path = problem.path.clone().unwrap_or(self.lookup.layout().cache());
            push(&mut rows, &path, problem);
        }
        rows
    }
}

/// Two scopes may tell the same problem; it is shown once.
fn push(rows: &mut Vec<LoadError>, path: &AbsPath, problem: &Problem) {
    let row = LoadError {
        marketplace_path: path.clone(),
        problem: problem.clone(),
    };
    if !rows.contains(&row) {
        rows.push(row);
    }
}

/// A plugin that cannot be installed as it is gets a row, so that its author hears of it, and so does one of
/// which another plugin of the same id is installed.
fn broken<'a>(
    content: &'a Content,
    summary: &'a Summary,
) -> impl Iterator<Item = LoadError> + use<'a> {
    summary
        .problems
        .iter()
        .filter(|problem| {
            problem.severity == Severity::Error || problem.kind == ProblemKind::Conflict
        })
        .map(|problem| LoadError {
            marketplace_path: content.path.clone(),
            problem: problem.clone(),
        })
}

/// A manifest that calls the plugin something else is told before somebody tries to install it.
fn other_name(offer: &Offer<'_>, details: &Details) -> Option<Problem> {
    let Details::Manifest(loaded, _) = details else {
        return None;
    };
    let (entry, found) = (&offer.entry.name, &loaded.value.name);
    (found != entry.as_str()).then(|| {
        let text = format!(
            "the manifest calls the plugin `{}` and its entry `{entry}`, so it cannot be installed; \
             give both the same name",
            found.escape_debug()
        );
        let problem = Problem::error(ProblemKind::NameMismatch, text);
        problem.in_file(&loaded.file).at_field("name")
    })
}

/// Where an installed copy came from, when that is not what offers the plugin here. Then nothing comes from
/// here by itself.
pub(crate) fn elsewhere(copy: &Installed, offer: &Offer<'_>) -> Option<Binding> {
    let record = copy.record.as_ref()?;
    let is_here = binding::is(&record.bound, &offer.content.binding);
    (!is_here).then(|| binding::of_record(&record.bound))
}

/// Two plugins have one id, and the one that is installed is not the one that is shown.
fn came_from_elsewhere(id: &PluginId, bound: &Binding, offer: &Offer<'_>) -> Problem {
    let text = format!(
        "`{id}` is installed from {}, and what is offered here comes from {}; nothing of it replaces the \
         installed copy unless it is installed from here",
        bound.describe(),
        offer.content.binding.describe()
    );
    let problem = Problem::warning(ProblemKind::Conflict, text);
    problem.in_file(&offer.content.path).at(offer.entry.place)
}

/// The version directory that an installation of an offer that is not curated would make, as far as
/// that can be told without fetching anything.
fn offered_version(offer: &Offer<'_>, details: &Details) -> Option<String> {
    match &offer.entry.source {
        // What its entry says of a plugin that is not there brings no version.
        Source::Local { .. } if matches!(details, Details::NoDirectory(..)) => None,
        Source::Local { .. } => details
            .manifest()
            .and_then(|manifest| store_version(manifest).ok())
            .map(|version| version.to_string()),
        Source::Git { .. }
        | Source::Npm { .. }
        | Source::Oci { .. }
        | Source::Archive { .. }
        | Source::Remote => None,
    }
}

/// A version that cannot name a directory is told before somebody tries to install it.
fn bad_version(offer: &Offer<'_>, details: &Details) -> Option<Problem> {
    if offer.content.binding == Binding::Curated {
        return None;
    }
    let error = store_version(details.manifest()?).err()?;
    let problem = Problem::error(
        ProblemKind::BadVersion,
        format!("plugin `{}`: {error}", offer.entry.name),
    )
    .at_field("version");
    Some(match details {
        Details::Manifest(loaded, _) => problem.in_file(&loaded.file),
        _ => problem.in_file(&offer.content.path).at(offer.entry.place),
    })
}
