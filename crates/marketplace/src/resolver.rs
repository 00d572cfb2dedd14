//! The one function that decides which marketplaces exist.
//!
//! # Order and precedence
//! 1. Two places with the same manifest, also through links, are one marketplace; the first in the
//!    order of rule 2 gives it its origin.
//! 2. Of two plugins with one id the one from the stronger origin is used: home, then configured
//!    marketplaces in the order of their rows, then request roots in the order of the request
//!    (manifests named outright before directories), then curated. The spelling of a path never
//!    decides.
//! 3. A marketplace whose name is taken by another binding keeps the plugins that nobody else
//!    offers, and carries a conflict.
//! 4. The answer's order is the reference's: for each scope the home marketplace, then the others
//!    sorted by path; what an earlier scope has shown is not shown again.
//! 5. Nothing disappears: what cannot be used, or is hidden by policy, is an entry with a problem.
//! 6. The curated snapshot is shown as `openai-api-curated` without a login or with an API key, and
//!    with a ChatGPT login as `openai-curated` where `features.remote_plugin` is off. Where it is on,
//!    the hosted catalog takes the snapshot's place, and nothing below the snapshot is shown unless
//!    the request names its manifest outright, or wants it beside that catalog.
//! 7. The marketplaces of the hosted catalog are declared, always all of them and in one order. One
//!    is closed by the first of these that applies: plugins are off; its own switch is off
//!    (`remote_plugin` for the curated ones and the user's own, `plugin_sharing` for shared ones, none
//!    for the workspace's directory); there is no ChatGPT login; the service has no safe address.
//! 8. Of several scopes one that opens such a marketplace is enough; when none does, the first scope
//!    says why. Without any scope plugins are off.

use std::collections::{BTreeMap, HashMap};

use plugd_config::Snapshot;
use plugd_manifest::Loader;
use plugd_model::{
    AbsPath, CURATED_API_MARKETPLACE, CURATED_MARKETPLACE, Layout, MarketplaceName, Problem,
    ProblemKind,
};

use crate::declared::declared;
use crate::discovery::{Candidate, candidates, root_of};
use crate::{Binding, Content, Declared, Marketplace, MarketplaceSet, State};

/// What the user is logged in with; it decides which curated manifest is shown, and whether the
/// hosted catalog may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Login {
    /// Not at all.
    #[default]
    None,
    /// With an API key.
    ApiKey,
    /// With a ChatGPT account, also when that login has expired: what it may show stays the same.
    ChatGpt,
}

/// One configuration and the directory it was loaded for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The layer stack as seen from the directory.
    pub config: &'a Snapshot,
    /// The directory of the request, when it named one.
    pub cwd: Option<&'a AbsPath>,
}

/// Everything that the decision depends on, passed in.
#[derive(Debug, Clone, Copy)]
pub struct ResolveInput<'a> {
    /// The home directory's paths.
    pub layout: &'a Layout,
    /// The user's home directory.
    pub home: Option<&'a AbsPath>,
    /// The request's scopes, in its order. A request without directories has one, without a cwd.
    pub scopes: &'a [Scope<'a>],
    /// Manifests that the request names outright.
    pub manifests: &'a [AbsPath],
    /// The login.
    pub login: Login,
    /// Whether the curated snapshot is shown although the hosted catalog takes its place: where that
    /// catalog itself is no part of the answer, there is nothing that it could stand for.
    pub beside_catalog: bool,
    /// One of the manifests that was brought to be installed from and lies at no place of its own.
    /// Whoever brought it knows the place that it is from, and has judged its name by that.
    pub staged: Option<&'a AbsPath>,
}

/// Resolves marketplaces. It borrows the one loader of parsed files and holds nothing else.
#[derive(Debug, Clone, Copy)]
pub struct MarketplaceResolver<'a> {
    loader: &'a Loader,
}

impl<'a> MarketplaceResolver<'a> {
    /// A resolver that reads through this loader.
    #[must_use]
    pub fn new(loader: &'a Loader) -> Self {
        Self { loader }
    }

    /// Decides. It never fails as a whole: what is broken is an entry that says so.
    #[must_use]
    pub fn resolve(&self, input: &ResolveInput<'_>) -> MarketplaceSet {
        let mut found: Vec<Found> = Vec::new();
        let mut seen: HashMap<AbsPath, usize> = HashMap::new();
        let mut identities = HashMap::new();
        for candidate in candidates(self.loader, input) {
            let key = match &candidate.manifest {
                // The scopes of a request share most manifests.
                Ok(path) => identities
                    .entry(path.clone())
                    .or_insert_with(|| self.identity(&candidate))
                    .clone(),
                Err(_) => self.identity(&candidate),
            };
            match seen.get(&key) {
                // Rule 1. The answer shows it where it comes first, its rank is the strongest.
                Some(&index) => found[index].also(&candidate),
                None => {
                    seen.insert(key.clone(), found.len());
                    let marketplace = self.load(input, &candidate, key);
                    found.push(Found::new(candidate, marketplace));
                }
            }
        }
        mark_conflicts(&mut found);
        into_set(found, declared(input))
    }

    /// The file with links resolved, so that an alias of a root is not a second marketplace.
    fn identity(&self, candidate: &Candidate) -> AbsPath {
        match &candidate.manifest {
            Ok(path) => self.loader.disk().place_of(path),
            // Each failed row stays visible on its own: the key makes it unique.
            Err(_) => candidate
                .named_by
                .join(format!("\u{1}{}", candidate.describe())),
        }
    }

    fn load(
        &self,
        input: &ResolveInput<'_>,
        candidate: &Candidate,
        resolved: AbsPath,
    ) -> Marketplace {
        let state = match &candidate.manifest {
            Err(problem) => State::Failed(problem.clone()),
            Ok(path) => self.load_manifest(input, candidate, path, resolved),
        };
        Marketplace {
            origin: candidate.origin.clone(),
            named_by: candidate.named_by.clone(),
            state,
            notes: candidate.notes.clone(),
            conflict: None,
        }
    }

    fn load_manifest(
        &self,
        input: &ResolveInput<'_>,
        candidate: &Candidate,
        path: &AbsPath,
        resolved: AbsPath,
    ) -> State {
        let manifest = match self.loader.marketplace(path) {
            Ok(manifest) => manifest,
            Err(problem) => return State::Failed(problem),
        };
        let name = &manifest.value.name;
        let judged = match input.staged == Some(path) {
            true => Ok(()),
            false => check_reserved(input.layout, name, path)
                .and_then(|()| self.check_policy(input, name, &manifest.value.root, path)),
        };
        if let Err(problem) = judged {
            return State::Failed(problem);
        }
        let binding = candidate
            .binding
            .clone()
            .unwrap_or(Binding::Manifest(resolved));
        State::Loaded(Content {
            path: path.clone(),
            manifest,
            binding,
        })
    }

    /// An organisation's allow-list: only marketplaces that are configured under their own name, from an
    /// allowed source, at the configured place; the curated one counts by its place alone.
    fn check_policy(
        &self,
        input: &ResolveInput<'_>,
        name: &MarketplaceName,
        root: &AbsPath,
        path: &AbsPath,
    ) -> Result<(), Problem> {
        let disk = self.loader.disk();
        let is_there =
            |place: &AbsPath| place == root || disk.place_of(place) == disk.place_of(root);
        for scope in input.scopes {
            let requirements = scope.config.requirements();
            if !requirements.is_restricted() {
                continue;
            }
            let verdict = if path.starts_with(&input.layout.curated()) {
                requirements.allows_curated()
            } else {
                let mut rows = scope.config.marketplaces().iter();
                let row = rows.find(|row| {
                    row.key == name.as_str()
                        && root_of(input.layout, row).is_ok_and(|place| is_there(&place))
                });
                match row {
                    Some(row) => requirements.allows(&row.key, &row.kind),
                    None => requirements.allows_unconfigured(name.as_str()),
                }
            };
            verdict?;
        }
        Ok(())
    }
}

/// A marketplace with what is needed to order it.
struct Found {
    marketplace: Marketplace,
    /// Rule 2: smaller is stronger.
    rank: Rank,
    /// Rule 4: where the answer shows it.
    shown: Shown,
}

/// Home, configured, request, curated; then the order inside the group.
type Rank = (u8, usize);
/// Scope, whether it is not the home marketplace, path.
type Shown = (usize, bool, AbsPath);

impl Found {
    fn new(candidate: Candidate, marketplace: Marketplace) -> Self {
        Self {
            rank: candidate.rank,
            shown: candidate.shown,
            marketplace,
        }
    }

    fn also(&mut self, candidate: &Candidate) {
        if candidate.rank < self.rank {
            self.rank = candidate.rank;
            self.marketplace.origin = candidate.origin.clone();
        }
        if candidate.shown < self.shown {
            self.shown = candidate.shown.clone();
        }
    }
}

/// Rule 3.
fn mark_conflicts(found: &mut [Found]) {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|&index| found[index].rank);
    let mut owners: BTreeMap<MarketplaceName, (Binding, AbsPath)> = BTreeMap::new();
    for index in order {
        let Some(content) = found[index].marketplace.content() else {
            continue;
        };
        let name = content.manifest.value.name.clone();
        let conflict = match owners.get(&name) {
            None => {
                owners.insert(name, (content.binding.clone(), content.path.clone()));
                continue;
            }
            Some((binding, _)) if *binding == content.binding => continue,
            Some((_, winner)) => Problem::warning(
                ProblemKind::Conflict,
                format!(
                    "another marketplace named `{name}` goes first: {winner}; \
                     plugins that both offer come from there"
                ),
            )
            .in_file(&content.path),
        };
        found[index].marketplace.conflict = Some(conflict);
    }
}

/// Rule 4, and the ranks that rule 2 needs, in the set.
fn into_set(mut found: Vec<Found>, declared: Vec<Declared>) -> MarketplaceSet {
    found.sort_by(|a, b| a.shown.cmp(&b.shown));
    let ranked = found
        .into_iter()
        .map(|one| (one.rank, one.marketplace))
        .collect();
    MarketplaceSet::new(ranked, declared)
}

/// A reserved name is legal only at the place that is managed for it.
fn check_reserved(layout: &Layout, name: &MarketplaceName, path: &AbsPath) -> Result<(), Problem> {
    if !name.is_reserved() {
        return Ok(());
    }
    let managed = match name.as_str() {
        CURATED_MARKETPLACE | CURATED_API_MARKETPLACE => path.starts_with(&layout.curated()),
        _ => path.starts_with(&layout.bundled_marketplace(name)),
    };
    if managed {
        return Ok(());
    }
    Err(Problem::error(
        ProblemKind::ReservedName,
        format!("marketplace name `{name}` is reserved; rename it in the manifest"),
    )
    .in_file(path)
    .at_field("name"))
}

#[cfg(test)]
#[path = "resolver_tests.rs"]
mod tests;
