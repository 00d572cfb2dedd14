//! `plugd/inspect`: what of a plugin would run, or would be read by a model, before it is installed,
//! as it is installed, and what differs between the two.
//!
//! The source is looked at where an installation would take it from. What lies elsewhere is fetched
//! into a transaction that is given up at the end of the look, so nothing of it stays; its paths
//! would lead nowhere and are taken out of what is told.

use plugd_components::{Difference, Inspection};
use plugd_disk::tree::{Limits, TreePlan};
use plugd_marketplace::{NotSelected, Offer, Selector};
use plugd_model::{AbsPath, PluginId, PluginManifest, Problem, ProblemKind, Source, error_chain};
use plugd_store::{Store, StoreError};

use crate::call::Call;
use crate::content;
use crate::details::{details_of_copy, details_of_dir};
use crate::fetcher::Fetched;
use crate::install_trust::TrustSeen;
use crate::listing::Details;
use crate::obtain::{Obtained, Supply, obtain};
use crate::standing::Standing;
use crate::{Blocking, Copies, Error, Fetcher, Kind, Lookup, Roots};

mod copy;
mod directory;
mod remote;
mod side;
mod trust;

pub(crate) use copy::inspected;
use directory::in_directory;
pub use remote::inspect_remote;
pub use side::InspectedSide;
pub(crate) use side::stand_in_id;
use side::{Held, difference, forget_place, held_by_source, held_or_problem, side};

/// What to inspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InspectTarget {
    /// The entry that a manifest names.
    Named {
        /// The manifest.
        manifest: AbsPath,
        /// The entry's name.
        plugin: String,
    },
    /// What is offered and installed under this id.
    Id(PluginId),
    /// The directory of a plugin, whoever offers it.
    Directory(AbsPath),
}

/// A plugin from both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// Its id; nothing for a directory that was named outright.
    pub id: Option<PluginId>,
    /// The working tree that stands in for it, which is the offered side then.
    pub linked: Option<AbsPath>,
    /// What an installation would bring.
    pub offered: Option<InspectedSide>,
    /// What is in the store.
    pub installed: Option<InspectedSide>,
    /// What an installation would change; nothing unless both sides are here.
    pub difference: Option<Difference>,
    /// Whether what is offered may come; nothing where nobody asks for anything, or nothing is offered.
    pub trust: Option<TrustSeen>,
    /// Why a side is missing, and what to know about both.
    pub problems: Vec<Problem>,
}

/// What to find out besides what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectDepth {
    /// Whether it may come, where somebody asks for something.
    AsAsked,
    /// That, and the digest to approve, also where nobody asks.
    ForApproval,
}

/// Looks at a plugin from the inside. Nothing is installed and nothing is started.
///
/// # Errors
/// Nothing matches, or the only side that was asked for cannot be had.
pub async fn inspect(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
    (target, depth): (InspectTarget, InspectDepth),
) -> Result<Inspected, Error> {
    let mut supplied = Supplied::Nothing;
    loop {
        let section = {
            let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
            let target = target.clone();
            blocking.read(move || step(&call, &lookup, &copies, (&target, depth), supplied))
        };
        let (id, source) = match section.await? {
            Step::Done(done) => return Ok(*done),
            Step::Fetch { id, source } => (id, source),
        };
        let fetched = fetcher.fetch(call, blocking, lookup, copies, &id, source);
        supplied = match fetched.await {
            Ok(fetched) => Supplied::Content(Box::new(fetched)),
            Err(error @ Error::Cancelled(_)) => return Err(error),
            Err(error) => Supplied::Failure(error),
        };
    }
}

/// What is at hand of a source that lies elsewhere.
enum Supplied {
    Nothing,
    Content(Box<Fetched>),
    Failure(Error),
}

/// How far one section came.
enum Step {
    Done(Box<Inspected>),
    Fetch { id: PluginId, source: Source },
}

fn step(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    (target, depth): (&InspectTarget, InspectDepth),
    supplied: Supplied,
) -> Result<Step, Error> {
    call.cancel.check()?;
    call.progress.report("inspecting", 0, None);
    let (roots, selector) = match target {
        InspectTarget::Directory(path) => {
            let found = directory(call, lookup, copies, path)?;
            return Ok(Step::Done(Box::new(found)));
        }
        InspectTarget::Named { manifest, plugin } => (
            Roots {
                cwds: Vec::new(),
                manifests: vec![manifest.clone()],
            },
            Selector::Named { manifest, plugin },
        ),
        InspectTarget::Id(id) => (Roots::default(), Selector::Shown(id)),
    };
    let resolved = lookup.resolve_ungated(&roots);
    let offer = resolved.set.select(&selector);
    let links = lookup.links();
    let id = match (&offer, target) {
        (Ok(offer), _) => offer.id(),
        // What nobody offers any more may still be installed.
        (Err(_), InspectTarget::Id(id)) => id.clone(),
        (Err(reason), _) => return Err(reason.clone().into()),
    };
    let standing = Standing::of(copies.store()?, &id).map_err(|source| Error::Store {
        action: "look at",
        id: id.clone(),
        source: Box::new(source),
    })?;
    let look = Look {
        call,
        lookup,
        copies,
        standing: &standing,
        id: &id,
        depth,
    };
    match (links.of_plugin(&id), target) {
        // A manifest that is named outright is asked for what it offers.
        (Some(path), InspectTarget::Id(_)) => look.linked(path),
        _ => look.both(offer, supplied),
    }
}

/// One look at a plugin of a marketplace.
struct Look<'a> {
    call: &'a Call,
    lookup: &'a Lookup,
    copies: &'a Copies,
    standing: &'a Standing,
    id: &'a PluginId,
    depth: InspectDepth,
}

impl Look<'_> {
    fn both(
        &self,
        offer: Result<Offer<'_>, NotSelected>,
        supplied: Supplied,
    ) -> Result<Step, Error> {
        let mut found = Inspected {
            id: Some(self.id.clone()),
            linked: None,
            offered: None,
            installed: None,
            difference: None,
            trust: None,
            problems: Vec::new(),
        };
        let mut installed = None;
        match self.installed() {
            Ok(looked) => installed = looked,
            Err(problem) => found.problems.push(problem),
        }
        let mut offered = None;
        match self.offered(offer, supplied, &mut found.problems) {
            Ok(Side::Here(looked)) => offered = Some(*looked),
            Ok(Side::Elsewhere(source)) => {
                let id = self.id.clone();
                return Ok(Step::Fetch { id, source });
            }
            // One side is an answer, as long as the other's absence is told.
            Err(error) if self.standing.copy.is_some() && error.kind() != Kind::Cancelled => {
                found.problems.push(side_missing(&error));
            }
            Err(error) => return Err(error),
        }
        self.call.cancel.check()?;
        if let (Some(installed), Some(offered)) = (&installed, &offered) {
            found.difference = Some(difference(installed.compared(), offered.compared()));
        }
        found.installed = installed.map(|looked| looked.side);
        if let Some(looked) = offered {
            (found.offered, found.trust) = (Some(looked.side), looked.trust);
        }
        Ok(Step::Done(Box::new(found)))
    }

    /// A working tree beside the copy whose place it takes.
    fn linked(&self, path: &AbsPath) -> Result<Step, Error> {
        let mut problems = Vec::new();
        let installed = self.installed();
        let installed = installed.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let linked = in_directory(self.call, self.lookup, self.copies, path, Some(self.id))?;
        self.call.cancel.check()?;
        let both = installed.as_ref().map(|looked| (looked, &linked));
        Ok(Step::Done(Box::new(Inspected {
            id: Some(self.id.clone()),
            linked: Some(path.clone()),
            difference: both.map(|(old, new)| difference(old.compared(), new.compared())),
            installed: installed.map(|looked| looked.side),
            offered: Some(linked.side),
            trust: None,
            problems,
        })))
    }

    /// The installed copy, when there is one.
    fn installed(&self) -> Result<Option<Looked>, Problem> {
        let Some(copy) = &self.standing.copy else {
            return Ok(None);
        };
        let loaded = match details_of_copy(self.lookup.loader(), copy) {
            Details::Manifest(loaded, _) => loaded,
            Details::Broken(problem) => return Err(problem),
            _ => return Ok(None),
        };
        let mut side = side(self.lookup.disk(), &copy.root, &loaded.value, self.id)?;
        let record = copy.provenance_record();
        side.version = Some(copy.version.to_string());
        side.root = Some(copy.root.clone());
        side.source = record.map(|record| record.source.without_secrets());
        side.commit = record.and_then(|record| record.commit.clone());
        side.problems.extend(loaded.problems.iter().cloned());
        side.problems.extend(copy.problems.iter().cloned());
        let disk = self.lookup.disk();
        let plan = TreePlan::scan(disk, &copy.root, &Limits::INSTALL, &[], self.call);
        let held = plan.and_then(|plan| Held::read(disk, plan, self.call));
        let held = held_or_problem(&mut side, held.map_err(StoreError::from), &copy.root);
        Ok(Some(Looked {
            side,
            held,
            as_copy: None,
            trust: None,
        }))
    }

    fn offered(
        &self,
        offer: Result<Offer<'_>, NotSelected>,
        supplied: Supplied,
        problems: &mut Vec<Problem>,
    ) -> Result<Side, Error> {
        let offer = offer?;
        let fetched = match supplied {
            Supplied::Nothing => None,
            Supplied::Content(fetched) => Some(*fetched),
            Supplied::Failure(error) => return Err(error),
        };
        let was_fetched = fetched.is_some();
        let obtained = match obtain(self.lookup, &offer, fetched)? {
            Supply::Here(obtained) => obtained,
            Supply::Elsewhere(source) => return Ok(Side::Elsewhere(source)),
        };
        if let Some(problem) = self.other_source(&offer) {
            problems.push(problem);
        }
        let mut looked = self.offered_here(&offer, &obtained)?;
        if was_fetched {
            forget_place(&mut looked.side, &obtained.dir);
        }
        // The transaction that holds fetched content ends here, and the content with it.
        looked.trust = self.trust(&offer, obtained, &mut looked.side.problems)?;
        Ok(Side::Here(Box::new(looked)))
    }

    fn offered_here(&self, offer: &Offer<'_>, obtained: &Obtained) -> Result<Looked, Error> {
        let dir = &obtained.dir;
        let details = details_of_dir(self.lookup.loader(), dir, offer);
        if let Some(refusal) = crate::read::refusal(offer, &details) {
            return Err(refusal);
        }
        let missing = || Error::SourceMissing {
            id: self.id.clone(),
            path: dir.clone(),
        };
        let manifest = details.manifest().ok_or_else(missing)?;
        let look = side(self.lookup.disk(), dir, manifest, self.id);
        let mut side = look.map_err(|problem| self.bad(problem))?;
        match &details {
            Details::Manifest(loaded, _) => side.problems.extend(loaded.problems.iter().cloned()),
            Details::Fallback(fallback, _) => {
                side.problems.extend(fallback.problems().iter().cloned());
            }
            _ => {}
        }
        side.problems.extend(obtained.problems.iter().cloned());
        let (store, disk) = (self.copies.store()?, self.lookup.disk());
        let held = held_by_source(&mut side, store, disk, dir, self.call);
        let as_copy = match &held {
            Some(held) => self.as_copy(store, held, manifest, &mut side)?,
            None => None,
        };
        side.root = Some(dir.clone());
        side.source = Some(offer.entry.source.without_secrets());
        side.commit.clone_from(&obtained.commit);
        match content::version_of(self.lookup, offer, manifest) {
            Ok(version) => side.version = Some(version.to_string()),
            Err(error) => {
                let problem = Problem::error(ProblemKind::BadVersion, error_chain(&error));
                side.problems.push(problem);
            }
        }
        if manifest.name != self.id.plugin.as_str() {
            let text = format!(
                "the manifest's name `{}` differs from the entry's name `{}`, \
                 so it cannot be installed",
                manifest.name.escape_debug(),
                self.id.plugin
            );
            let problem = Problem::error(ProblemKind::NameMismatch, text);
            side.problems.push(problem.at_field("name"));
        }
        Ok(Looked {
            side,
            held,
            as_copy,
            trust: None,
        })
    }

    /// The source as it would be installed, where that is something else and there is a copy to compare
    /// it with. A copy has files where the source has links, under other paths than what they lead to,
    /// and a server whose program is left out cannot start, so only a copy can be compared with a copy.
    fn as_copy(
        &self,
        store: &Store,
        held: &Held,
        manifest: &PluginManifest,
        told: &mut InspectedSide,
    ) -> Result<Option<Inspection>, Error> {
        if !held.differs_when_copied() || self.standing.copy.is_none() {
            return Ok(None);
        }
        let disk = self.lookup.disk();
        let looked = store.workspace().and_then(|workspace| {
            let root = workspace.dir().join("tree");
            held.copy_to(disk, &root, self.call)?;
            Ok(side(disk, &root, manifest, self.id))
        });
        self.call.cancel.check()?;
        match looked {
            Ok(looked) => Ok(looked.ok().map(|side| side.inspection)),
            Err(error) => {
                let text = format!(
                    "the source is compared as it stands, because no copy can be made: {}",
                    error_chain(&error)
                );
                told.problems
                    .push(Problem::warning(ProblemKind::Unreadable, text));
                Ok(None)
            }
        }
    }

    fn bad(&self, problem: Problem) -> Error {
        Error::BadManifest {
            id: self.id.clone(),
            problem: Box::new(problem),
        }
    }

    /// An installation from here would bind the plugin to another source: two plugins that share
    /// nothing but their name are compared.
    fn other_source(&self, offer: &Offer<'_>) -> Option<Problem> {
        let bound = self.standing.binding()?;
        (bound != offer.content.binding).then(|| {
            let text = format!(
                "the installed copy comes from {}, and what is offered here comes from {}",
                bound.describe(),
                offer.content.binding.describe()
            );
            Problem::warning(ProblemKind::Conflict, text)
        })
    }
}

/// A side with what is needed to compare it.
struct Looked {
    side: InspectedSide,
    held: Option<Held>,
    /// What it holds once it is installed, where that is something else.
    as_copy: Option<Inspection>,
    /// Whether it may come, for the offered side.
    trust: Option<TrustSeen>,
}

impl Looked {
    fn compared(&self) -> (&Inspection, Option<&Held>) {
        let inspection = self.as_copy.as_ref().unwrap_or(&self.side.inspection);
        (inspection, self.held.as_ref())
    }
}

/// What there is of an offer.
enum Side {
    Here(Box<Looked>),
    Elsewhere(Source),
}

/// A plugin that nobody offers: its directory is all there is.
fn directory(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    path: &AbsPath,
) -> Result<Inspected, Error> {
    Ok(Inspected {
        id: None,
        linked: None,
        offered: Some(in_directory(call, lookup, copies, path, None)?.side),
        installed: None,
        difference: None,
        trust: None,
        problems: Vec::new(),
    })
}

/// Why one of two sides is not in the answer.
fn side_missing(error: &Error) -> Problem {
    let kind = match error.kind() {
        Kind::Unavailable => ProblemKind::Unavailable,
        Kind::NotFound => ProblemKind::Missing,
        Kind::NotAllowed => ProblemKind::Policy,
        _ => ProblemKind::Unreadable,
    };
    let text = format!("what is offered cannot be shown: {}", error_chain(error));
    Problem::warning(kind, text)
}
