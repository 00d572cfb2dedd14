//! The parts with which every use case finds out what exists: configuration and marketplaces.
//!
//! All of them come through [`Lookup::resolve`], so no two can disagree.

use std::sync::Arc;

use plugd_catalog::LoginState;
use plugd_components::SkillMemory;
use plugd_config::{Edit, PendingWrite, Plan, Recent, SessionFlags, Snapshot, Written};
use plugd_disk::Disk;
use plugd_manifest::Loader;
use plugd_marketplace::{MarketplaceResolver, MarketplaceSet, ResolveInput, Scope};
use plugd_model::{AbsPath, Clock, Layout};

use crate::call::Call;
use crate::claims::Claims;
use crate::links::Links;
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::remote_login::resolver_login;
use crate::rows::Rows;
use crate::{Error, Remote};

/// Reads configuration and resolves marketplaces. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Lookup {
    loader: Arc<Loader>,
    layout: Arc<Layout>,
    home: Option<AbsPath>,
    recent: Arc<Recent>,
    skills: Arc<SkillMemory>,
    remote: Remote,
    rows: Arc<Rows>,
    claims: Claims,
}

/// Which places a request looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots {
    /// Working directories, in the order of the request. None at all is one scope without project
    /// configuration.
    pub cwds: Vec<AbsPath>,
    /// Manifests that the request names outright.
    pub manifests: Vec<AbsPath>,
}

/// One configuration of a request and the directory it counts for.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The directory, when the request named one.
    pub cwd: Option<AbsPath>,
    /// The layer stack as seen from there.
    pub config: Arc<Snapshot>,
}

/// What a request sees: its scopes with plugins switched on, and one set of marketplaces.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The scopes in which plugins are switched on.
    pub scopes: Vec<Sight>,
    /// The marketplaces.
    pub set: MarketplaceSet,
    /// Who is logged in, as the first scope has it: read once for everything that is said of one look.
    pub(crate) login: LoginState,
}

impl Resolved {
    /// Whether plugins are switched off wherever the request looked.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.scopes.is_empty()
    }
}

impl Lookup {
    /// A lookup over one home directory.
    #[must_use]
    pub fn new(
        disk: Disk,
        layout: Arc<Layout>,
        home: Option<AbsPath>,
        flags: Arc<SessionFlags>,
        remote: Remote,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            loader: Arc::new(Loader::new(disk).passing_over(layout.staging())),
            skills: Arc::new(SkillMemory::new(clock)),
            recent: Arc::new(Recent::new(Arc::clone(&layout), flags)),
            layout,
            home,
            remote,
            rows: Arc::default(),
            claims: Claims::default(),
        }
    }

    /// The skills of plugins, for who asks again.
    pub(crate) fn skills(&self) -> &SkillMemory {
        &self.skills
    }

    /// What the last listings said.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// What this process has put in its place and nobody was told of yet.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The account of the remote catalog.
    #[must_use]
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// The loader of parsed files.
    #[must_use]
    pub fn loader(&self) -> &Loader {
        &self.loader
    }

    /// The file system.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        self.loader.disk()
    }

    /// The user's home directory.
    #[must_use]
    pub fn home(&self) -> Option<&AbsPath> {
        self.home.as_ref()
    }

    /// The paths of the home directory.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The working trees that stand in for plugins.
    pub(crate) fn links(&self) -> Links {
        Links::read(self.disk(), &self.layout)
    }

    /// The configuration as seen from a directory, or without project layers.
    #[must_use]
    pub fn config(&self, cwd: Option<&AbsPath>) -> Arc<Snapshot> {
        self.recent.load(self.disk(), cwd)
    }

    /// Resolves the marketplaces of a listing: scopes with plugins switched off are left out, and
    /// when none is left nothing is looked for.
    #[must_use]
    pub fn resolve(&self, roots: &Roots) -> Resolved {
        let mut scopes = self.sights(roots);
        scopes.retain(|sight| sight.config.features().plugins);
        self.resolve_in(scopes, roots, false, None)
    }

    /// The same with the curated snapshot, also where the hosted catalog takes its place: for an
    /// answer that catalog has no part in.
    #[must_use]
    pub fn resolve_beside_catalog(&self, roots: &Roots) -> Resolved {
        let mut scopes = self.sights(roots);
        scopes.retain(|sight| sight.config.features().plugins);
        self.resolve_in(scopes, roots, true, None)
    }

    /// Resolves for an operation that works whether or not plugins are switched on.
    #[must_use]
    pub fn resolve_ungated(&self, roots: &Roots) -> Resolved {
        self.resolve_in(self.sights(roots), roots, false, None)
    }

    /// Resolves with a manifest that was brought to be installed from. Its name is not judged again:
    /// that depends on the place that it is from, which is not where it lies.
    pub(crate) fn resolve_staged(&self, manifest: &AbsPath) -> Resolved {
        let roots = Roots {
            cwds: Vec::new(),
            manifests: vec![manifest.clone()],
        };
        self.resolve_in(self.sights(&roots), &roots, false, Some(manifest))
    }

    /// Finds out whether these edits could be made, before anything else is done.
    pub(crate) fn plan_edits(&self, edits: &[Edit]) -> Result<Plan, Error> {
        let last = self.recent.last_edit();
        plugd_config::plan(self.disk(), &self.layout, edits, last).map_err(Error::from)
    }

    /// Takes the configuration's lock and works out edits whose way back is noted in a journal
    /// before they are made.
    pub(crate) fn begin_edits(
        &self,
        call: &Call,
        edits: &[Edit],
        plan: Option<Plan>,
    ) -> Result<PendingWrite, Error> {
        let patience = call.patience(CONFIG_PATIENCE);
        let last = self.recent.last_edit();
        plugd_config::begin(self.disk(), &self.layout, edits, plan, last, patience)
            .map_err(Error::from)
    }

    /// Edits the user's configuration.
    pub(crate) fn write_edits(&self, call: &Call, edits: &[Edit]) -> Result<Written, Error> {
        let patience = call.patience(CONFIG_PATIENCE);
        plugd_config::write(self.disk(), &self.layout, edits, None, patience).map_err(Error::from)
    }

    fn sights(&self, roots: &Roots) -> Vec<Sight> {
        // A manifest named outright is judged by the configuration seen from its directory.
        let of_manifest = roots.manifests.first().and_then(AbsPath::parent);
        if roots.cwds.is_empty() {
            return vec![Sight {
                cwd: None,
                config: self.config(of_manifest.as_ref()),
            }];
        }
        let configs = self.recent.load_several(self.disk(), &roots.cwds);
        let sight = |(cwd, config): (&AbsPath, _)| Sight {
            cwd: Some(cwd.clone()),
            config,
        };
        roots.cwds.iter().zip(configs).map(sight).collect()
    }

    fn resolve_in(
        &self,
        scopes: Vec<Sight>,
        roots: &Roots,
        beside_catalog: bool,
        staged: Option<&AbsPath>,
    ) -> Resolved {
        let borrowed: Vec<Scope<'_>> = scopes
            .iter()
            .map(|sight| Scope {
                config: &sight.config,
                cwd: sight.cwd.as_ref(),
            })
            .collect();
        let login = scopes.first().map(|sight| self.remote.login(&sight.config));
        let login = login.unwrap_or_else(LoginState::nobody);
        let none: &[AbsPath] = &[];
        let input = ResolveInput {
            layout: &self.layout,
            home: self.home.as_ref(),
            scopes: &borrowed,
            manifests: if borrowed.is_empty() {
                none
            } else {
                &roots.manifests
            },
            login: resolver_login(&login),
            beside_catalog,
            staged,
        };
        let set = MarketplaceResolver::new(&self.loader).resolve(&input);
        Resolved { scopes, set, login }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plugd_testkit::Sandbox;

    use crate::fixture::lookup;

    #[test]
    fn a_staged_copy_is_read_and_not_remembered() {
        let sandbox = Sandbox::new();
        for (dir, remembered) in [
            ("ch/plugins/.plugd/staging/7/tree", false),
            ("ch/plugins/cache/m/p/1.0.0", true),
        ] {
            sandbox.add(&format!(
                "== {dir}/.codex-plugin/plugin.json\n{{\"name\": \"p\"}}\n"
            ));
            let lookup = lookup(&sandbox);
            let read = || {
                let loaded = lookup.loader().plugin_named(&sandbox.path(dir), "p");
                loaded.unwrap().unwrap()
            };
            assert_eq!(Arc::ptr_eq(&read(), &read()), remembered, "{dir}");
        }
    }
}
