//! `plugin/install` of what a marketplace on this disk offers.
//!
//! Order: fetch and stage, check the staged tree, lock, journal, exchange, record, configuration,
//! commit. What fails before the commit is played back; a copy that is already what its source has
//! is not written again.
//!
//! Whatever was fetched, or was decided before a lock was held, is decided anew in the section that
//! installs: the world may have changed meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plugd_config::{Layer, LayerSource, Snapshot};
use plugd_marketplace::{Binding, Selector};
use plugd_model::{AbsPath, AuthPolicy, PluginId, Problem, ProblemKind, Source, VersionSegment};

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::fetcher::Fetched;
use crate::install_job::failed;
use crate::install_offer::install_offer;
use crate::install_why::Why;
use crate::install_wish::{Wanted, Wish};
use crate::obtain::{Supply, admit, obtain};
use crate::standing::Standing;
use crate::{Blocking, Copies, Error, Fetcher, Lookup, Roots};

/// How long to wait for another process that swaps a plugin.
pub(crate) const STORE_PATIENCE: Duration = Duration::from_secs(30);

/// What to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The entry that a manifest names.
    Named {
        /// The manifest.
        manifest: AbsPath,
        /// The entry's name.
        plugin: String,
    },
    /// The entry that a listing shows under this id.
    Shown(PluginId),
}

/// What an installation did.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// The plugin.
    pub id: PluginId,
    /// Its version directory.
    pub version: VersionSegment,
    /// The installed copy.
    pub root: AbsPath,
    /// When its apps ask for a login.
    pub auth_policy: AuthPolicy,
    /// Whether files or configuration changed.
    pub changed: bool,
    /// Set when the plugin came from somewhere else before.
    pub rebound: Option<Rebinding>,
    /// What was left out of the copy.
    pub problems: Vec<Problem>,
}

/// A plugin that was bound to one source and is bound to another now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// The marketplace it came from.
    pub from: Binding,
    /// The entry's source there, when it was recorded.
    pub from_source: Option<Source>,
    /// The marketplace it comes from now.
    pub to: Binding,
    /// The entry's source there.
    pub to_source: Source,
}

/// Installs a plugin and switches it on.
///
/// # Errors
/// Nothing matches, the wish names what is neither offered nor kept, policy refuses, the source is missing or unusable, or the store or the
/// configuration cannot be written; then everything is as it was.
pub async fn install(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
    events: &Events,
    (target, wish): (Target, Wish),
) -> Result<Installation, Error> {
    let done = bring(call, blocking, lookup, copies, fetcher, (target, wish)).await?;
    if done.changed {
        let change = Change::new(ChangeReason::Request)
            .plugin(done.id.clone())
            .config_key(format!("plugins.{}", done.id));
        events.changed(change);
    }
    Ok(done)
}

/// The same; nobody is told.
async fn bring(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
    wanted: (Target, Wish),
) -> Result<Installation, Error> {
    let mut fetched = None;
    loop {
        let begun = Instant::now();
        let section = {
            let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
            let ((target, wish), fetched) = (wanted.clone(), fetched.take());
            blocking.write(move || wished(&call, &lookup, &copies, (&target, &wish), fetched))
        };
        match section.await {
            Ok(Step::Done(done)) => return Ok(*done),
            Ok(Step::Fetch { id, source }) => {
                let content = fetcher.fetch(call, blocking, lookup, copies, &id, source);
                fetched = Some(content.await?);
            }
            Err(error) if error.is_to_be_repeated() && call.waits.try_again(begun) => {}
            Err(error) => return Err(error),
        }
    }
}

/// How far one section came.
pub(crate) enum Step {
    /// To the end.
    Done(Box<Installation>),
    /// The content is elsewhere.
    Fetch { id: PluginId, source: Source },
}

/// One section of a request.
fn wished(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    (target, wish): (&Target, &Wish),
    fetched: Option<Fetched>,
) -> Result<Step, Error> {
    call.progress.report("resolving", 0, None);
    let resolved = lookup.resolve_ungated(&roots(target));
    let offer = resolved.set.select(&target_selector(target))?;
    admit(&offer)?;
    let id = offer.id();
    let standing = Standing::of(copies.store()?, &id).map_err(|error| failed(&id, error))?;
    let config = resolved
        .scopes
        .first()
        .map(|scope| Arc::clone(&scope.config));
    let stays_off = config.and_then(|config| stays_off(&config, &id));
    let wanted = Wanted {
        call,
        lookup,
        copies,
        offer: &offer,
        id,
        standing,
    };
    let mut step = wanted.step(wish, fetched)?;
    if let Step::Done(done) = &mut step {
        done.problems.extend(stays_off);
    }
    Ok(step)
}

/// What to say when the user's word, which an installation writes down, does not reach: a layer above
/// it says that the plugin is off.
pub(crate) fn stays_off(config: &Snapshot, id: &PluginId) -> Option<Problem> {
    let layers = config.layers().iter().rev();
    let above =
        layers.take_while(|layer| !matches!(layer.source, LayerSource::System | LayerSource::User));
    off_by(above, id)
}

/// The same where an installation writes nothing down: any layer can say that the plugin is off.
pub(crate) fn is_off(config: &Snapshot, id: &PluginId) -> Option<Problem> {
    off_by(config.layers().iter().rev(), id)
}

/// Which of these layers has the last word and says that the plugin is off. The last one comes first.
fn off_by<'a>(layers: impl Iterator<Item = &'a Layer>, id: &PluginId) -> Option<Problem> {
    let path = ["plugins".to_owned(), id.to_string(), "enabled".to_owned()];
    let mut words = layers
        .filter(|layer| layer.disabled_reason.is_none())
        .filter_map(|layer| Some((layer, layer.at(&path)?)));
    let (layer, word) = words.next()?;
    if word != false {
        return None;
    }
    let who = match &layer.file {
        Some(file) => format!("`{file}`"),
        None => "a flag of this process".to_owned(),
    };
    let text = format!("`{id}` is installed and stays off, because {who} says so");
    let problem = Problem::warning(ProblemKind::Config, text).at_field(format!("plugins.{id}"));
    Some(match &layer.file {
        Some(file) => problem.in_file(file),
        None => problem,
    })
}

/// One section: everything that can be done with what is at hand.
pub(crate) fn step(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    target: &Target,
    why: Why<'_>,
    fetched: Option<Fetched>,
) -> Result<Step, Error> {
    call.progress.report("resolving", 0, None);
    let resolved = lookup.resolve_ungated(&roots(target));
    let offer = resolved.set.select(&target_selector(target))?;
    admit(&offer)?;
    let id = offer.id();
    let obtained = match obtain(lookup, &offer, fetched)? {
        Supply::Here(obtained) => obtained,
        Supply::Elsewhere(source) => return Ok(Step::Fetch { id, source }),
    };
    let standing = Standing::of(copies.store()?, &id).map_err(|error| failed(&id, error))?;
    let done = install_offer(call, lookup, copies, &offer, obtained, why, &standing)?;
    Ok(Step::Done(Box::new(done)))
}

/// How the target is looked up in the resolved set.
fn target_selector(target: &Target) -> Selector<'_> {
    match target {
        Target::Named { manifest, plugin } => Selector::Named { manifest, plugin },
        Target::Shown(id) => Selector::Shown(id),
    }
}

/// Where to look for it: a manifest that the request names is a root of its own.
fn roots(target: &Target) -> Roots {
    match target {
        Target::Named { manifest, .. } => Roots {
            cwds: Vec::new(),
            manifests: vec![manifest.clone()],
        },
        Target::Shown(_) => Roots::default(),
    }
}
