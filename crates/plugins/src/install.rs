//! `plugin/install`, and the one path that every other installation takes.
//!
//! Order: fetch and stage, check the staged tree, lock, journal, exchange, record, configuration,
//! commit. What fails before the commit is played back; a copy that is already what its source has
//! is not written again.
//!
//! Whatever was fetched, or was decided before a lock was held, is decided anew in the section that
//! installs: the world may have changed meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_components::migrated_commands;
use plugd_config::Edit;
use plugd_disk::tree::{Digest, Limits};
use plugd_marketplace::{Binding, Offer, Selector};
use plugd_model::{AbsPath, AuthPolicy, PluginId, PluginPath, Problem, Source, VersionSegment};
use plugd_store::{
    ActivatedInstall, Installed, InstalledBy, NewInstall, PinChange, Retention, StagedInstall,
    Store, StoreError, Transaction,
};

use crate::binding;
use crate::call::Call;
use crate::content::Content;
use crate::events::{Change, ChangeReason, Events};
use crate::fetcher::Fetched;
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::obtain::{Obtained, Supply, admit, obtain};
use crate::standing::Standing;
use crate::{Blocking, Copies, Error, Fetcher, Lookup, Roots, Sight};

/// How long to wait for another process that swaps a plugin.
pub(crate) const STORE_PATIENCE: Duration = Duration::from_secs(30);
/// How often a request is decided anew when the plugin changes under it.
const ATTEMPTS: usize = 5;

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
/// Nothing matches, policy refuses, the source is missing or unusable, or the store or the
/// configuration cannot be written; then everything is as it was.
pub async fn install(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
    events: &Events,
    target: Target,
) -> Result<Installation, Error> {
    let mut fetched = None;
    let mut attempt = 1;
    loop {
        let section = {
            let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
            let (target, fetched) = (target.clone(), fetched.take());
            blocking.write(move || step(&call, &lookup, &copies, &target, fetched))
        };
        match section.await {
            Ok(Step::Done(done)) => {
                if done.changed {
                    let change = Change::new(ChangeReason::Request)
                        .plugin(done.id.clone())
                        .config_key(format!("plugins.{}", done.id));
                    events.changed(change);
                }
                return Ok(*done);
            }
            Ok(Step::Fetch { id, source }) => {
                let content = fetcher.fetch(call, blocking, lookup, copies, &id, source);
                fetched = Some(content.await?);
            }
            Err(error) if error.is_superseded() && attempt < ATTEMPTS => attempt += 1,
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

/// One section: everything that can be done with what is at hand.
pub(crate) fn step(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    target: &Target,
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
    let why = Why::Request;
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

/// Why a copy is brought.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why<'a> {
    /// A client asked: the plugin is switched on as well.
    Request,
    /// It is configured in one of these scopes, which is asked again under the lock: an uninstall
    /// may have come first. Configuration is never touched.
    Configured {
        /// The scopes.
        scopes: &'a [Sight],
        /// The foreign copy that this replaces, when it is a repair.
        repaired_from: Option<Digest>,
    },
}

impl Why<'_> {
    fn recorded(self) -> InstalledBy {
        match self {
            Self::Request => InstalledBy::Request,
            Self::Configured { .. } => InstalledBy::Refresh,
        }
    }

    fn repaired_from(self) -> Option<Digest> {
        match self {
            Self::Request => None,
            Self::Configured { repaired_from, .. } => repaired_from,
        }
    }

    fn is_request(self) -> bool {
        matches!(self, Self::Request)
    }
}

/// From an admitted offer to a committed copy. What is decided here is decided for `standing`; the
/// store refuses when something else stands there by the time it has the lock.
pub(crate) fn install_offer(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    offer: &Offer<'_>,
    obtained: Obtained,
    why: Why<'_>,
    standing: &Standing,
) -> Result<Installation, Error> {
    let store = copies.store()?;
    let id = offer.id();
    call.progress.report("checking", 0, None);
    let content = Content::read(lookup, offer, obtained.dir.clone())?;
    refuse_to_leave_pin(&id, standing, &content)?;
    let edits = [Edit::set_plugin_enabled(&id, true)];
    let rebound = rebinding(standing, offer);
    let done = |copy: Installed, changed, rebound, problems| Installation {
        id: copy.id,
        version: copy.version,
        root: copy.root,
        auth_policy: offer.entry.auth_policy,
        changed,
        rebound,
        problems,
    };
    if let (Some(copy), None) = (&standing.copy, &rebound)
        && is_current(call, lookup, copies, copy, &content)?
    {
        let mut changed = false;
        if why.is_request() {
            // Under the store's lock, so that an uninstallation cannot come between.
            let _held = store
                .hold(&id, &standing.seen, call.patience(STORE_PATIENCE))
                .map_err(|error| failed(&id, error))?;
            changed = lookup.write_edits(&edits, CONFIG_PATIENCE)?.changed;
        }
        return Ok(done(copy.clone(), changed, None, Vec::new()));
    }
    if why.is_request() {
        // Configuration that cannot be edited is found out before anything is copied.
        lookup.check_edits(&edits)?;
    }
    let (commit, mut problems) = (obtained.commit.clone(), obtained.problems.clone());
    let begun = obtained.begin(store, &id);
    let transaction = begun.map_err(|error| failed(&id, error))?;
    let staged = stage(call, lookup, store, transaction, &content)?;
    problems.extend(staged.tree().left_out.iter().cloned());
    call.progress.report("activating", 0, None);
    let new = NewInstall {
        version: content.version.clone(),
        bound: binding::for_record(offer),
        source: offer.entry.source.without_secrets(),
        commit,
        by: why.recorded(),
        pin: PinChange::Keep,
        remote_id: None,
        repaired_from: why.repaired_from(),
    };
    let retention = Retention {
        keep: lookup.config(None).settings().keep_versions,
        protected: BTreeSet::new(),
    };
    let patience = call.patience(STORE_PATIENCE);
    let mut activated = staged
        .activate(new, &standing.seen, &retention, patience)
        .map_err(|error| failed(&id, error))?;
    configure(lookup, &mut activated, why, &edits)?;
    let copy = activated.commit().map_err(|error| failed(&id, error))?;
    Ok(done(copy, true, rebound, problems))
}

/// The part of an activation that concerns configuration: a request writes it, background work makes
/// sure that it is still wanted.
fn configure(
    lookup: &Lookup,
    activated: &mut ActivatedInstall,
    why: Why<'_>,
    edits: &[Edit],
) -> Result<(), Error> {
    let id = activated.id().clone();
    match why {
        Why::Request => {
            let pending = lookup.begin_edits(edits)?;
            activated
                .journal_config(pending.undo().to_json())
                .map_err(|error| failed(&id, error))?;
            pending.save()?;
            Ok(())
        }
        Why::Configured { scopes, .. } if !is_configured(lookup, scopes, &id) => {
            Err(Error::NoLongerConfigured { id })
        }
        Why::Configured { .. } => Ok(()),
    }
}

/// Whether one of the scopes still configures the plugin, read anew.
fn is_configured(lookup: &Lookup, scopes: &[Sight], id: &PluginId) -> bool {
    scopes.iter().any(|sight| {
        let config = lookup.config(sight.cwd.as_ref());
        config.plugins().iter().any(|row| row.id == *id)
    })
}

fn failed(id: &PluginId, source: StoreError) -> Error {
    Error::Store {
        action: "install",
        id: id.clone(),
        source: Box::new(source),
    }
}

/// Copies the content and checks what was copied, since the source may have changed meanwhile.
fn stage(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    transaction: Transaction,
    content: &Content,
) -> Result<StagedInstall, Error> {
    let id = &transaction.id().clone();
    call.cancel.check()?;
    if call.progress.is_watched() {
        // Nobody else needs the number, and finding it out means looking at every file.
        let plan = store
            .plan(&content.source, &Limits::INSTALL, call)
            .map_err(|error| failed(id, error))?;
        call.progress.report("copying", 0, Some(plan.bytes()));
    }
    let mut staged = transaction
        .stage(&content.source, &Limits::INSTALL, &content.extra, call)
        .map_err(|error| failed(id, error))?;
    let root = staged.tree().root.clone();
    content.check_copy(lookup, id, &root)?;
    let mut generated: Vec<(PluginPath, Vec<u8>)> = Vec::new();
    for file in migrated_commands(lookup.disk(), &root, &content.manifest).items {
        // A plugin may ship what another program generated from it; what it ships stays.
        let shipped = lookup.disk().link_stamp(&root.join(&file.path))?.is_some();
        if let (false, Some(path)) = (shipped, PluginPath::parse(&format!("./{}", file.path))) {
            generated.push((path, file.content));
        }
    }
    staged
        .add_files(&generated)
        .map_err(|error| failed(id, error))?;
    call.cancel.check()?;
    Ok(staged)
}

/// A request brings what its marketplace offers; a pinned plugin stays where it is pinned.
fn refuse_to_leave_pin(id: &PluginId, standing: &Standing, content: &Content) -> Result<(), Error> {
    match standing.pin() {
        Some(pin) if pin.version != content.version => Err(Error::Pinned {
            id: id.clone(),
            pinned: pin.version.to_string(),
            offered: content.version.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Whether the store already holds exactly what an installation would put there.
fn is_current(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    copy: &Installed,
    content: &Content,
) -> Result<bool, Error> {
    let Some(record) = copy.provenance_record() else {
        return Ok(false);
    };
    if copy.version != content.version || !content.extra_is_in(lookup, &copy.root) {
        return Ok(false);
    }
    let offered = content.digest(copies, &copy.id, call)?;
    if record.source_digest != Some(offered) {
        return Ok(false);
    }
    let on_disk = copies
        .store()?
        .tree_digest(copy, call)
        .map_err(|error| failed(&copy.id, error))?;
    Ok(on_disk.clean && on_disk.digest == record.tree_digest)
}

fn rebinding(standing: &Standing, offer: &Offer<'_>) -> Option<Rebinding> {
    let from = standing.binding()?;
    (from != offer.content.binding).then(|| Rebinding {
        from,
        from_source: standing.record.as_ref().map(|record| record.source.clone()),
        to: offer.content.binding.clone(),
        to_source: offer.entry.source.without_secrets(),
    })
}
