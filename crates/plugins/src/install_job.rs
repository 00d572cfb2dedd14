//! The one path that every installation takes, whoever asked for it and wherever the content is from.
//!
//! It has two halves. [`Job::prepare`] copies and checks without a lock and seen by nobody, so that
//! somebody else may be asked in between; [`Job::activate`] is the swap. What a job decided is decided
//! for the look at the store that it began with: when something else stands there under the lock,
//! nothing happens.

use std::collections::{BTreeMap, BTreeSet};

use plugd_components::migrated_commands;
use plugd_config::{Edit, Plan};
use plugd_disk::tree::Limits;
use plugd_marketplace::{Binding, Offer};
use plugd_model::{
    AuthPolicy, PluginId, PluginPath, Problem, RemotePluginId, Source, VersionSegment,
};
use plugd_store::{
    Believing, Installed, Kept, NewInstall, Retention, StagedInstall, StagedTree, Store,
    StoreError, Transaction,
};

use crate::activations::{Activation, Entered, Setting};
use crate::binding;
use crate::call::Call;
use crate::content::Content;
use crate::install::{Installation, Rebinding, STORE_PATIENCE};
use crate::install_offer::Activating;
use crate::install_why::Why;
use crate::install_wish::PinWish;
use crate::obtain::Obtained;
use crate::standing::Standing;
use crate::trust::CommitAge;
use crate::{Copies, Error, Lookup};

/// A plugin on its way into the store, wherever it was offered.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The plugin.
    pub(crate) id: PluginId,
    /// What it is bound to from now on.
    pub(crate) binding: Binding,
    /// The source that is recorded.
    pub(crate) source: Source,
    /// When its apps ask for a login.
    pub(crate) auth_policy: AuthPolicy,
    /// What the remote catalog calls it, when it comes from there.
    pub(crate) remote_id: Option<RemotePluginId>,
}

impl Subject {
    fn of_offer(offer: &Offer<'_>) -> Self {
        Self {
            id: offer.id(),
            binding: offer.content.binding.clone(),
            source: offer.entry.source.without_secrets(),
            auth_policy: offer.entry.auth_policy,
            remote_id: None,
        }
    }
}

/// One installation. What is decided in it is decided for `standing`; the store refuses when
/// something else stands there by the time it has the lock.
#[derive(Debug, Clone)]
pub(crate) struct Job<'a> {
    pub(crate) subject: Subject,
    pub(crate) why: Why<'a>,
    pub(crate) pin: PinWish,
    pub(crate) standing: Standing,
}

/// How far an installation gets while nobody sees anything of it and nothing is locked.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// The copy that is there is what it would become.
    Current(Box<Installed>),
    /// The new copy is complete.
    Staged(Box<Staged>),
}

/// A complete copy that nobody sees, and what there is to say of it.
#[derive(Debug)]
pub(crate) struct Staged {
    install: StagedInstall,
    /// What switching it on does to the configuration.
    plan: Option<Plan>,
    version: VersionSegment,
    commit: Option<String>,
    problems: Vec<Problem>,
}

impl Staged {
    /// What is staged: where it lies, and its digest.
    pub(crate) fn tree(&self) -> &StagedTree {
        self.install.tree()
    }

    /// What is not as it should be and does no harm.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What its source meant.
    pub(crate) fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// The version directory that it gets.
    pub(crate) fn version(&self) -> &VersionSegment {
        &self.version
    }
}

impl<'a> Job<'a> {
    /// The installation of what a marketplace of this machine offers.
    pub(crate) fn of_offer(offer: &Offer<'_>, why: Why<'a>, standing: &Standing) -> Self {
        Self {
            subject: Subject::of_offer(offer),
            why,
            pin: PinWish::Keep,
            standing: standing.clone(),
        }
    }
}

impl Job<'_> {
    /// Copies the content and checks it, unless the store holds exactly that.
    pub(crate) fn prepare(
        &self,
        call: &Call,
        lookup: &Lookup,
        copies: &Copies,
        content: &Content,
        obtained: Obtained,
    ) -> Result<Prepared, Error> {
        let id = &self.subject.id;
        if self.pin == PinWish::Keep && !matches!(self.why, Why::Lock { .. }) {
            refuse_to_leave_pin(id, &self.standing, content)?;
        }
        if let Some(copy) = self.maybe_current()
            && is_current(call, lookup, copies, copy, content)
                .map_err(|error| self.unless_replaced(copies, error))?
        {
            return Ok(Prepared::Current(Box::new(copy.clone())));
        }
        let plan = self.plan(lookup)?;
        let (commit, mut problems) = (obtained.commit.clone(), obtained.problems.clone());
        let age = self.age(obtained.committed_at);
        let store = copies.store()?;
        let begun = obtained.begin(store, id);
        let transaction = begun.map_err(|error| failed(id, error))?;
        let install = stage(call, lookup, store, transaction, content, &mut problems)?;
        problems.extend(install.tree().left_out.iter().cloned());
        self.refuse_other_content(&install)?;
        let version = (&content.version, commit.as_deref());
        self.refuse_unapproved(call, lookup, store, &install, age, version)?;
        Ok(Prepared::Staged(Box::new(Staged {
            install,
            plan,
            version: content.version.clone(),
            commit,
            problems,
        })))
    }

    /// A plugin that is pinned with its content comes back as that and as nothing else, also when
    /// there is no copy to compare with.
    fn refuse_other_content(&self, install: &StagedInstall) -> Result<(), Error> {
        let is_bound = self.pin == PinWish::Keep && !matches!(self.why, Why::Lock { .. });
        let pin = self.standing.pin().filter(|_| is_bound);
        let digest = pin.and_then(|pin| pin.tree_digest);
        match (pin, digest) {
            (Some(pin), Some(digest)) if digest != install.tree().tree_digest => {
                Err(Error::Pinned {
                    id: self.subject.id.clone(),
                    pinned: pin.version.to_string(),
                    offered: "other content under that version".to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    /// What it does to the configuration. One that cannot be edited is found out before anything is
    /// copied.
    fn plan(&self, lookup: &Lookup) -> Result<Option<Plan>, Error> {
        match self.why.configures() {
            true => lookup.plan_edits(&self.edits()).map(Some),
            false => Ok(None),
        }
    }

    /// A version that is kept, as a new copy: nothing is read but that.
    pub(crate) fn prepare_kept(
        &self,
        call: &Call,
        lookup: &Lookup,
        copies: &Copies,
        kept: &Kept,
    ) -> Result<Staged, Error> {
        let id = &self.subject.id;
        let plan = self.plan(lookup)?;
        let store = copies.store()?;
        let begun = store.begin(id);
        let staged = begun.and_then(|transaction| transaction.stage_kept(kept, call));
        let install = staged.map_err(|error| failed(id, error))?;
        let origin = kept.origin.as_ref();
        let commit = origin.and_then(|origin| origin.commit.clone());
        // It was here before, so its age is no question any more.
        let version = (&kept.version, commit.as_deref());
        self.refuse_unapproved(call, lookup, store, &install, CommitAge::None, version)?;
        Ok(Staged {
            plan,
            install,
            version: kept.version.clone(),
            commit,
            problems: Vec::new(),
        })
    }

    /// The copy that may be what it would become. Who follows a source has compared already.
    fn maybe_current(&self) -> Option<&Installed> {
        let is_compared = matches!(self.why, Why::Configured { .. });
        let copy = self.standing.copy.as_ref()?;
        (!is_compared && self.rebinding().is_none()).then_some(copy)
    }

    /// Keeps a copy that is current. A request switches it on.
    pub(crate) fn leave(
        &self,
        call: &Call,
        lookup: &Lookup,
        copies: &Copies,
        copy: Installed,
    ) -> Result<Installation, Error> {
        let mut changed = false;
        let store = copies.store()?;
        self.refuse_to_switch_on(call, lookup, store, &copy, self.word())?;
        if self.why.configures() {
            // Under the store's lock, so that an uninstallation cannot come between.
            let patience = call.patience(STORE_PATIENCE);
            let held = store.hold(&copy.id, &self.standing.seen, patience);
            let _held = held.map_err(|error| failed(&copy.id, error))?;
            changed = lookup.write_edits(call, &self.edits())?.changed;
        }
        Ok(self.done(copy, changed))
    }

    /// Whether the staged copy could take its place now, as far as that depends on others.
    pub(crate) fn still_applies(&self, staged: &Staged) -> Result<(), Error> {
        let asked = staged.install.still_applies(&self.standing.seen);
        asked.map_err(|error| failed(&self.subject.id, error))
    }

    /// Puts the staged copy into its place, for good.
    pub(crate) fn activate(
        &self,
        call: &Call,
        lookup: &Lookup,
        copies: &Copies,
        staged: Staged,
    ) -> Result<Installation, Error> {
        let activating = self.enter(call, lookup, copies, staged)?;
        activating.settle(lookup, copies)
    }

    /// Lets the staged copy wait for its place, together with those of others.
    pub(crate) fn enter(
        &self,
        call: &Call,
        lookup: &Lookup,
        copies: &Copies,
        staged: Staged,
    ) -> Result<Activating, Error> {
        call.progress.report("activating", 0, None);
        let Staged {
            install,
            plan,
            version,
            commit,
            problems,
        } = staged;
        let id = &self.subject.id;
        let asked = || self.pin.change(&version, commit.as_deref());
        let new = NewInstall {
            pin: self.why.pin().unwrap_or_else(asked),
            version,
            bound: binding::for_record(&self.subject.binding),
            source: self.subject.source.clone(),
            commit,
            by: self.why.recorded(),
            remote_id: self.subject.remote_id.clone(),
            repaired_from: self.why.repaired_from(),
        };
        let keep = lookup.config(None).settings().keep_versions;
        let retention = Retention {
            // A lock is followed as a whole or not at all: what is replaced may have to come back, and
            // must not have taken the place of the oldest one then. What is too many goes later.
            keep: match self.why {
                Why::Lock { .. } => keep + 1,
                _ => keep,
            },
            protected: BTreeSet::new(),
        };
        let ready = install.ready(new, &self.standing.seen, &retention);
        let activation = Activation {
            call: call.clone(),
            ready: ready.map_err(|error| failed(id, error))?,
            setting: self.setting(plan),
        };
        Ok(Activating {
            entered: Entered::new(copies, activation),
            auth_policy: self.subject.auth_policy,
            rebound: self.rebinding(),
            problems,
        })
    }

    /// The part of an activation that concerns configuration: a request writes it, background work
    /// makes sure that it is still wanted.
    fn setting(&self, plan: Option<Plan>) -> Setting {
        match self.why {
            _ if self.why.configures() => Setting::Switched {
                enabled: self.why.enabled(),
                plan,
            },
            Why::Configured { scopes, .. } => {
                let cwds = scopes.iter().map(|sight| sight.cwd.clone());
                Setting::IfConfigured(cwds.collect())
            }
            _ => Setting::Untouched,
        }
    }

    /// A copy that somebody replaced while it was read is no failure of its own: it is decided anew,
    /// as when it is replaced a moment later.
    fn unless_replaced(&self, copies: &Copies, error: Error) -> Error {
        let id = &self.subject.id;
        match copies.store().map(|store| store.seen(id)) {
            Ok(Ok(now)) if now != self.standing.seen => {
                failed(id, StoreError::Superseded { id: id.clone() })
            }
            _ => error,
        }
    }

    /// What there is to tell of a copy that stays as it was, or comes back.
    pub(crate) fn done(&self, copy: Installed, changed: bool) -> Installation {
        Installation {
            id: copy.id,
            version: copy.version,
            root: copy.root,
            auth_policy: self.subject.auth_policy,
            changed,
            rebound: None,
            problems: Vec::new(),
        }
    }

    fn edits(&self) -> [Edit; 1] {
        [Edit::set_plugin_enabled(
            &self.subject.id,
            self.why.enabled(),
        )]
    }

    /// The change of what the plugin is bound to, when there is one.
    fn rebinding(&self) -> Option<Rebinding> {
        let from = self.standing.binding()?;
        let before = self.standing.record.as_ref();
        (from != self.subject.binding).then(|| Rebinding {
            from,
            from_source: before.map(|record| record.source.clone()),
            to: self.subject.binding.clone(),
            to_source: self.subject.source.clone(),
        })
    }
}

pub(crate) fn failed(id: &PluginId, source: StoreError) -> Error {
    Error::Store {
        action: "install",
        id: id.clone(),
        source: Box::new(source),
    }
}

/// Copies the content and checks what was copied, since the source may have changed meanwhile. A
/// command that cannot become a skill is among the problems, under its path in the source.
fn stage(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    transaction: Transaction,
    content: &Content,
    problems: &mut Vec<Problem>,
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
    let mut generated: BTreeMap<u32, Vec<(PluginPath, Vec<u8>)>> = BTreeMap::new();
    let migrated = migrated_commands(lookup.disk(), &root, &content.manifest);
    let in_source = |mut problem: Problem| {
        let path = problem.path.as_ref();
        let below = path.and_then(|path| path.as_path().strip_prefix(&root).ok());
        problem.path = below
            .map(|below| content.source.join(below))
            .or(problem.path);
        // Nobody finds the directory in which the copy is made.
        let told = problem
            .message
            .replace(&root.to_text(), &content.source.to_text());
        problem.message = told;
        problem
    };
    problems.extend(migrated.problems.into_iter().map(in_source));
    for file in migrated.items {
        if let Some(path) = PluginPath::parse(&format!("./{}", file.path)) {
            let of_mode = generated.entry(file.mode).or_default();
            of_mode.push((path, file.content));
        }
    }
    for (mode, files) in generated {
        staged
            .add_files(&files, mode)
            .map_err(|error| failed(id, error))?;
    }
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
    let offered = content
        .offered(copies, &copy.id, Believing::ThisProcess, call)?
        .digest;
    if record.source_digest != Some(offered) {
        return Ok(false);
    }
    let on_disk = copies
        .store()?
        .tree_digest(copy, call)
        .map_err(|error| failed(&copy.id, error))?;
    Ok(on_disk.clean && on_disk.digest == record.tree_digest)
}
