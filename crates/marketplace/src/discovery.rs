//! Where marketplaces are looked for. Which of them count is the resolver's decision.

use std::cell::RefCell;
use std::collections::HashMap;

use plugd_config::{KeyPath, MarketplaceKind, MarketplaceSetting};
use plugd_disk::Kind;
use plugd_manifest::{Loader, MarketplaceSearch, marketplace_root};
use plugd_model::{
    AbsPath, CURATED_MARKETPLACE, Layout, MarketplaceName, Problem, ProblemKind,
    RESERVED_MARKETPLACES, git_url,
};

use crate::resolver::Login;
use crate::{Binding, Origin, ResolveInput, Scope};

/// A place where a marketplace was found, or should have been.
pub(crate) struct Candidate {
    pub(crate) origin: Origin,
    /// The manifest, or why there is none.
    pub(crate) manifest: Result<AbsPath, Problem>,
    /// What to show when there is no manifest: the config file or directory that named the place.
    pub(crate) named_by: AbsPath,
    /// Set where the binding is not the manifest's own path.
    pub(crate) binding: Option<Binding>,
    /// What was met on the way to the manifest and is none.
    pub(crate) notes: Vec<Problem>,
    pub(crate) rank: (u8, usize),
    pub(crate) shown: (usize, bool, AbsPath),
}

impl Candidate {
    /// Tells failed rows of one file apart.
    pub(crate) fn describe(&self) -> String {
        match &self.origin {
            Origin::Configured { key, .. } => format!("configured {key}"),
            Origin::Home => "home".to_owned(),
            Origin::Request { index } => format!("request {index}"),
            Origin::Curated => "curated".to_owned(),
        }
    }
}

/// All candidates, strongest origin first inside each scope's share.
pub(crate) fn candidates(loader: &Loader, input: &ResolveInput<'_>) -> Vec<Candidate> {
    let mut out = Vec::new();
    let finder = Finder {
        loader,
        found: RefCell::default(),
        here: RefCell::default(),
        kinds: RefCell::default(),
    };
    for (index, manifest) in input.manifests.iter().enumerate() {
        out.push(Candidate {
            origin: Origin::Request { index },
            manifest: finder.named_outright(manifest),
            named_by: manifest.clone(),
            binding: managed_binding(input, manifest),
            notes: Vec::new(),
            rank: (2, index),
            shown: (0, true, manifest.clone()),
        });
    }
    for (scope_index, scope) in input.scopes.iter().enumerate() {
        let before = out.len();
        if let Some(home) = input.home {
            let place = Place::of(home, Origin::Home, (0, 0));
            let search = finder.find(home);
            push(&mut out, place, search, scope_index, Absence::Normal);
        }
        for (row_index, row) in scope.config.marketplaces().iter().enumerate() {
            let rank = (1, scope_index * 10_000 + row_index);
            push_configured(&finder, input, &mut out, row, rank, scope_index);
        }
        if let Some(cwd) = scope.cwd {
            let index = input.manifests.len() + scope_index;
            let place = Place::of(cwd, Origin::Request { index }, (2, index));
            let search = finder.find(cwd);
            push(&mut out, place, search, scope_index, Absence::Normal);
        }
        push_curated(&finder, input, &mut out, scope_index);
        if is_replaced(input, scope) {
            let snapshot = input.layout.curated();
            let of_scope = out.split_off(before);
            let is_snapshot = |manifest: &AbsPath| manifest.starts_with(&snapshot);
            let stays = |one: &Candidate| !one.manifest.as_ref().is_ok_and(is_snapshot);
            out.extend(of_scope.into_iter().filter(stays));
        }
    }
    out
}

/// Rule 6: whether the hosted catalog takes the place of the curated snapshot.
fn is_replaced(input: &ResolveInput<'_>, scope: &Scope<'_>) -> bool {
    let is_there = input.login == Login::ChatGpt && scope.config.features().remote_plugin;
    is_there && !input.beside_catalog
}

fn push_configured(
    finder: &Finder<'_>,
    input: &ResolveInput<'_>,
    out: &mut Vec<Candidate>,
    row: &MarketplaceSetting,
    rank: (u8, usize),
    scope_index: usize,
) {
    let origin = Origin::Configured {
        key: row.key.clone(),
        file: row.origin.file.clone(),
    };
    let named_by = row
        .origin
        .file
        .clone()
        .unwrap_or_else(|| input.layout.user_config());
    let root = match root_of(input.layout, row) {
        Ok(root) => root,
        Err(mut problem) => {
            problem.place = row.origin.place;
            let shown = (scope_index, true, named_by.clone());
            out.push(Candidate {
                origin,
                manifest: Err(problem.in_file(&named_by)),
                named_by,
                binding: None,
                notes: Vec::new(),
                rank,
                shown,
            });
            return;
        }
    };
    let key = &row.key;
    let search = finder.find_here(&root);
    let absence = match &row.kind {
        _ if search.found.is_some() => Absence::Normal,
        MarketplaceKind::Git { .. } => Absence::Problem(format!(
            "the git marketplace `{key}` is configured and has not been fetched to `{root}`"
        )),
        MarketplaceKind::Packed { origin, .. } => Absence::Problem(format!(
            "the marketplace `{key}` of `{origin}` is configured and has not been fetched to `{root}`"
        )),
        MarketplaceKind::Local { .. } => Absence::Problem(finder.why_not_here(key, &root)),
    };
    let place = Place {
        root,
        origin,
        rank,
        named_by,
        binding: binding_of(&row.kind),
        line: row.origin.place,
    };
    push(out, place, search, scope_index, absence);
}

fn push_curated(
    finder: &Finder<'_>,
    input: &ResolveInput<'_>,
    out: &mut Vec<Candidate>,
    scope_index: usize,
) {
    let snapshot = input.layout.curated();
    let root = match input.login {
        Login::ChatGpt => snapshot,
        Login::None | Login::ApiKey => snapshot.join(Layout::MARKETPLACE_MANIFESTS[1]),
    };
    let place = Place {
        named_by: root.clone(),
        root,
        origin: Origin::Curated,
        rank: (3, 0),
        binding: Some(Binding::Curated),
        line: None,
    };
    // The snapshot lies in its own place, and never in a repository that the home happens to be in.
    let mut search = finder.find(&place.root);
    search.found = search.found.filter(|path| path.starts_with(&place.root));
    push(out, place, search, scope_index, Absence::Normal);
}

/// A manifest below the curated snapshot is bound to it, however it was named.
fn managed_binding(input: &ResolveInput<'_>, manifest: &AbsPath) -> Option<Binding> {
    if manifest.starts_with(&input.layout.curated()) {
        return Some(Binding::Curated);
    }
    input.scopes.iter().find_map(|scope| {
        scope.config.marketplaces().iter().find_map(|row| {
            let binding = binding_of(&row.kind)?;
            let root = root_of(input.layout, row).ok()?;
            manifest.starts_with(&root).then_some(binding)
        })
    })
}

/// What the files of a row are bound to, where it is not their own path.
fn binding_of(kind: &MarketplaceKind) -> Option<Binding> {
    match kind {
        MarketplaceKind::Local { .. } => None,
        MarketplaceKind::Git {
            source, ref_name, ..
        } => Some(Binding::Git {
            url: git_url::without_secrets(source),
            ref_name: ref_name.clone(),
        }),
        MarketplaceKind::Packed { origin, .. } => Some(Binding::Packed(origin.clone())),
    }
}

/// The directory of a configured marketplace. A row below a key that is no name has none, also where the
/// key names no directory of ours: the reference does not see such a row.
pub(crate) fn root_of(layout: &Layout, row: &MarketplaceSetting) -> Result<AbsPath, Problem> {
    let reserved = RESERVED_MARKETPLACES.contains(&row.key.as_str());
    let named = MarketplaceName::new(&row.key).and_then(|_| row.kind.root(&row.key, layout));
    let root = named.map_err(|error| {
        let text = format!("the key of a marketplace is its name, and {error}; rename the table");
        Problem::error(ProblemKind::BadName, text)
            .at_field(KeyPath::of(["marketplaces", &row.key]).to_string())
    })?;
    if reserved && !is_managed_place(layout, &row.key, &root) {
        return Err(Problem::error(
            ProblemKind::ReservedName,
            format!("the marketplace name `{}` is reserved", row.key),
        )
        .at_field(format!("marketplaces.{}", row.key)));
    }
    Ok(root)
}

fn is_managed_place(layout: &Layout, key: &str, root: &AbsPath) -> bool {
    if key == CURATED_MARKETPLACE {
        return *root == layout.curated();
    }
    MarketplaceName::new(key).is_ok_and(|name| *root == layout.bundled_marketplace(&name))
}

/// What it means that a place has no manifest.
enum Absence {
    /// Nothing: most directories are no marketplaces.
    Normal,
    /// Somebody promised one.
    Problem(String),
}

struct Place {
    root: AbsPath,
    origin: Origin,
    rank: (u8, usize),
    named_by: AbsPath,
    binding: Option<Binding>,
    /// Where a configuration file names it.
    line: Option<plugd_model::Place>,
}

impl Place {
    /// The member of a configuration file that names the place.
    fn field(&self) -> String {
        match &self.origin {
            Origin::Configured { key, .. } => format!("marketplaces.{key}.source"),
            Origin::Home | Origin::Request { .. } | Origin::Curated => "source".to_owned(),
        }
    }

    fn of(root: &AbsPath, origin: Origin, rank: (u8, usize)) -> Self {
        Self {
            root: root.clone(),
            origin,
            rank,
            named_by: root.clone(),
            binding: None,
            line: None,
        }
    }
}

/// Adds what was found at a place, or that nothing was.
fn push(
    out: &mut Vec<Candidate>,
    place: Place,
    search: MarketplaceSearch,
    scope: usize,
    absence: Absence,
) {
    let MarketplaceSearch {
        found,
        mut problems,
    } = search;
    let manifest = match (found, absence) {
        (Some(path), _) => Ok(path),
        // What stands where a manifest belongs is the reason that there is none.
        (None, _) if !problems.is_empty() => Err(problems.remove(0)),
        (None, Absence::Normal) => return,
        (None, Absence::Problem(message)) => {
            let mut problem = Problem::error(ProblemKind::Missing, message)
                .in_file(&place.named_by)
                .at_field(place.field());
            problem.place = place.line;
            Err(problem)
        }
    };
    let not_home = place.origin != Origin::Home;
    let sort_path = match &manifest {
        Ok(_) => place.root.clone(),
        Err(_) => place.named_by.clone(),
    };
    let named_by = match &manifest {
        Ok(path) => path.clone(),
        Err(problem) => problem.path.clone().unwrap_or(place.named_by),
    };
    out.push(Candidate {
        origin: place.origin,
        manifest,
        named_by,
        binding: place.binding,
        notes: problems,
        rank: place.rank,
        shown: (scope, not_home, sort_path),
    });
}

/// Looks at each place once, however many scopes of a request share it: the home, what is configured,
/// and the directories above the working directories.
struct Finder<'a> {
    loader: &'a Loader,
    found: RefCell<HashMap<AbsPath, MarketplaceSearch>>,
    here: RefCell<HashMap<AbsPath, MarketplaceSearch>>,
    kinds: RefCell<HashMap<AbsPath, Result<Option<Kind>, Problem>>>,
}

impl Finder<'_> {
    /// The manifest of a configured marketplace, which lies below the very directory that its row names:
    /// the reference looks nowhere else, and neither a repository around it nor another catalog may
    /// speak for it.
    fn find_here(&self, root: &AbsPath) -> MarketplaceSearch {
        let known = self.here.borrow().get(root).cloned();
        known.unwrap_or_else(|| {
            let found = self.loader.find_marketplace(root);
            self.here.borrow_mut().insert(root.clone(), found.clone());
            found
        })
    }

    /// Why a configured directory is no marketplace, and which one its row may mean.
    fn why_not_here(&self, key: &str, root: &AbsPath) -> String {
        if is_manifest_path(root)
            && let Some(meant) = marketplace_root(root)
        {
            return format!(
                "the marketplace `{key}` is configured with a manifest instead of a directory; \
                 set its source to `{meant}`"
            );
        }
        let nothing = format!(
            "the marketplace `{key}` is configured and there is no marketplace manifest below `{root}`"
        );
        let around = self.find(root).found.as_ref().and_then(marketplace_root);
        match around {
            Some(around) => format!(
                "{nothing}; the repository around it has one, and setting the source to `{around}` \
                 configures that"
            ),
            None => nothing,
        }
    }

    /// The manifest of a root: the root itself when it is a recognised manifest file, a manifest
    /// below it, or else one below the root of the git repository around it.
    fn find(&self, root: &AbsPath) -> MarketplaceSearch {
        let known = self.found.borrow().get(root).cloned();
        known.unwrap_or_else(|| {
            let found = self
                .find_or_fail(root)
                .unwrap_or_else(|problem| MarketplaceSearch {
                    found: None,
                    problems: vec![problem],
                });
            self.found.borrow_mut().insert(root.clone(), found.clone());
            found
        })
    }

    fn find_or_fail(&self, root: &AbsPath) -> Result<MarketplaceSearch, Problem> {
        let nothing = |problems| MarketplaceSearch {
            found: None,
            problems,
        };
        if is_manifest_path(root) {
            let there = self.kind(root)?.is_some();
            return Ok(MarketplaceSearch {
                found: there.then(|| root.clone()),
                problems: Vec::new(),
            });
        }
        let here = self.find_here(root);
        if here.found.is_some() {
            return Ok(here);
        }
        for ancestor in root.ancestors() {
            if self.kind(&ancestor.join(".git"))?.is_some() {
                if ancestor == *root {
                    break;
                }
                let mut above = self.loader.find_marketplace(&ancestor);
                above.problems.splice(0..0, here.problems);
                return Ok(above);
            }
        }
        Ok(nothing(here.problems))
    }

    /// A manifest that a request names must be there; its parent tells which root it belongs to.
    fn named_outright(&self, manifest: &AbsPath) -> Result<AbsPath, Problem> {
        match self.kind(manifest)? {
            Some(_) => Ok(manifest.clone()),
            None => Err(Problem::error(
                ProblemKind::Missing,
                format!("marketplace file `{manifest}` does not exist"),
            )
            .in_file(manifest)),
        }
    }

    fn kind(&self, path: &AbsPath) -> Result<Option<Kind>, Problem> {
        if let Some(known) = self.kinds.borrow().get(path) {
            return known.clone();
        }
        let found = self.look(path);
        self.kinds.borrow_mut().insert(path.clone(), found.clone());
        found
    }

    fn look(&self, path: &AbsPath) -> Result<Option<Kind>, Problem> {
        match self.loader.disk().stamp(path) {
            Ok(stamp) => Ok(stamp.map(|stamp| stamp.kind)),
            Err(error) => {
                Err(Problem::error(ProblemKind::Unreadable, error.in_full()).in_file(path))
            }
        }
    }
}

fn is_manifest_path(path: &AbsPath) -> bool {
    Layout::MARKETPLACE_MANIFESTS
        .iter()
        .any(|suffix| path.as_path().ends_with(suffix))
}
