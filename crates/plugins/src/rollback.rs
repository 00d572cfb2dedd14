//! `plugd/rollback`: a kept version takes the place of the installed one, and is pinned.
//!
//! Nothing is fetched, and configuration is not touched: what was switched off stays off. The pin is
//! part of the same transaction, because without it the next refresh would undo the rollback.

use std::collections::BTreeSet;

use plugd_config::Edit;
use plugd_marketplace::Binding;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind};
use plugd_store::{
    BoundSource, Installed, InstalledBy, Kept, NewInstall, Origin, Pin, PinChange, Record,
    Retention, Store,
};

use crate::binding;
use crate::call::Call;
use crate::install::STORE_PATIENCE;
use crate::parts::Parts;
use crate::standing::Standing;
use crate::take_place::take_place_alone;
use crate::trust::{CommitAge, Word};
use crate::trust_gate::{Coming, Gate, Whence};
use crate::version_change::{VersionChange, VersionChanges, VersionName, VersionReason};
use crate::version_error::VersionRefusal;
use crate::version_step::one_change;
use crate::versions::{begins_with, is_digest, kept_as, predecessor, shown};
use crate::{Error, Lookup};

/// Brings a kept version back and pins it. Without `to` that is the one that stood there before.
///
/// # Errors
/// The plugin is not known, nothing that is kept is meant, what is kept was changed, or the store
/// cannot be written; then everything is as it was.
pub async fn rollback(
    call: &Call,
    parts: &Parts,
    id: PluginId,
    to: Option<String>,
    dry_run: bool,
) -> Result<VersionChanges, Error> {
    let (of_step, named) = (call.clone(), id.clone());
    one_change(call, parts, id, dry_run, move |of| {
        step(&of_step, of, &named, to.as_deref(), dry_run)
    })
    .await
}

fn step(
    call: &Call,
    parts: &Parts,
    id: &PluginId,
    to: Option<&str>,
    dry_run: bool,
) -> Result<VersionChange, Error> {
    let failed = |source| Error::Store {
        action: "roll back",
        id: id.clone(),
        source: Box::new(source),
    };
    call.cancel.check()?;
    let store = parts.copies.store()?;
    let standing = Standing::of(store, id).map_err(failed)?;
    let kept = store.kept_versions(id).map_err(failed)?;
    if standing.copy.is_none() && kept.is_empty() {
        return Err(Error::NotInstalled { id: id.clone() });
    }
    let from = VersionName::of(&standing);
    if to.is_some_and(|to| is_installed(&standing, to, &kept)) {
        return Ok(VersionChange {
            id: id.clone(),
            to: from.clone(),
            from,
            changed: false,
            reason: VersionReason::Current,
            pin: standing.pin().cloned(),
            growth: None,
            problems: Vec::new(),
        });
    }
    let (kept, _) = chosen(id, &standing, to, &kept)?;
    let pin = pin_of(kept);
    let change = VersionChange {
        id: id.clone(),
        from,
        to: VersionName {
            version: Some(pin.version.to_string()),
            commit: pin.commit.clone(),
            digest: pin.tree_digest,
        },
        changed: true,
        reason: VersionReason::RolledBack,
        problems: of_account(id, &standing, kept),
        growth: None,
        pin: Some(pin),
    };
    if dry_run {
        // What was changed where it is kept would not come back.
        let there = store.kept_tree(&kept.tree_digest).map_err(failed)?;
        return match there {
            Some(root) => {
                admit(call, &parts.lookup, store, &standing, kept, (id, &root))?;
                Ok(change)
            }
            None => Err(failed(plugd_store::StoreError::NotKept {
                id: id.clone(),
                version: kept.version.clone(),
            })),
        };
    }
    let of = (id, &[][..]);
    bring_back(call, &parts.lookup, store, &standing, kept, of).map(|_| change)
}

/// Which of the kept versions is meant.
fn chosen<'a>(
    id: &PluginId,
    standing: &Standing,
    to: Option<&str>,
    kept: &'a [(Kept, AbsPath)],
) -> Result<&'a (Kept, AbsPath), VersionRefusal> {
    match to {
        Some(to) => kept_as(id, to, kept),
        None => predecessor(standing, kept).ok_or_else(|| VersionRefusal::NoPredecessor {
            id: id.clone(),
            kept: shown(kept.iter()),
        }),
    }
}

/// Whether a text names what is installed, and nothing that is kept has that version.
fn is_installed(standing: &Standing, to: &str, kept: &[(Kept, AbsPath)]) -> bool {
    let Some(copy) = &standing.copy else {
        return false;
    };
    if kept.iter().any(|(kept, _)| kept.version.as_str() == to) {
        return false;
    }
    let record = copy.provenance_record();
    copy.version.as_str() == to
        || record.is_some_and(|record| {
            begins_with(to, record.commit.as_deref()) || is_digest(to, record.tree_digest)
        })
}

/// A pin to exactly what comes back.
fn pin_of(kept: &Kept) -> Pin {
    let origin = kept.origin.as_ref();
    Pin {
        version: kept.version.clone(),
        commit: origin.and_then(|origin| origin.commit.clone()),
        tree_digest: Some(kept.tree_digest),
        locks: Vec::new(),
    }
}

/// What the account has cannot be set back from here, and that must not go without saying.
fn of_account(id: &PluginId, standing: &Standing, kept: &Kept) -> Vec<Problem> {
    let origin = origin_of(standing, kept);
    match origin.map(|origin| origin.bound) {
        Some(BoundSource::Remote { .. }) => {
            let text = format!(
                "the account goes on with the version of `{id}` that its catalog has; only the \
                 copy on this machine is {}",
                kept.version
            );
            vec![Problem::warning(ProblemKind::HeldBack, text)]
        }
        _ => Vec::new(),
    }
}

/// Where a kept version came from. Of one that was replaced before that was written down, the plugin
/// is still bound to the same source.
fn origin_of(standing: &Standing, kept: &Kept) -> Option<Origin> {
    let record = standing.record.as_ref();
    kept.origin.clone().or_else(|| {
        record.map(|record| Origin {
            commit: None,
            source_digest: None,
            ..Record::origin(record)
        })
    })
}

/// What comes back has to be approved like anything that comes. It was here before, so its age is no
/// question any more.
fn admit(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    standing: &Standing,
    kept: &Kept,
    (id, root): (&PluginId, &AbsPath),
) -> Result<(), Error> {
    let Some(origin) = origin_of(standing, kept) else {
        return Ok(());
    };
    let binding = binding::of_record(&origin.bound);
    let seen_from = match &binding {
        Binding::Manifest(manifest) => manifest.parent(),
        _ => None,
    };
    let config = lookup.config(seen_from.as_ref());
    let coming = Coming {
        from: Whence {
            id,
            binding: &binding,
            source: &origin.source,
        },
        age: CommitAge::None,
        root,
        digest: kept.tree_digest,
        version: kept.version.as_str(),
        commit: origin.commit.as_deref(),
    };
    let gate = Gate::new(lookup, store, [&*config]).on_word_of(Word::of_copy(origin.by));
    gate.admit(call, &coming, standing)
}

/// The swap, under the store's lock and journal, with edits of configuration where there are some.
pub(crate) fn bring_back(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    standing: &Standing,
    kept: &Kept,
    (id, edits): (&PluginId, &[Edit]),
) -> Result<Installed, Error> {
    let failed = |source| Error::Store {
        action: "roll back",
        id: id.clone(),
        source: Box::new(source),
    };
    // Without a record nothing is kept, so there is one.
    let Some(origin) = origin_of(standing, kept) else {
        return Err(Error::NotInstalled { id: id.clone() });
    };
    call.progress.report("copying", 0, None);
    let begun = store.begin(id).map_err(failed)?;
    let staged = begun.stage_kept(kept, call).map_err(failed)?;
    admit(
        call,
        lookup,
        store,
        standing,
        kept,
        (id, &staged.tree().root),
    )?;
    call.cancel.check()?;
    call.progress.report("activating", 0, None);
    let remote_id = match &origin.bound {
        BoundSource::Remote { id } => Some(id.clone()),
        BoundSource::Manifest(_)
        | BoundSource::Git { .. }
        | BoundSource::Packed(_)
        | BoundSource::Curated => None,
    };
    let new = NewInstall {
        version: kept.version.clone(),
        bound: origin.bound,
        source: origin.source,
        commit: origin.commit,
        by: InstalledBy::Request,
        pin: PinChange::Set(pin_of(kept)),
        remote_id,
        repaired_from: None,
    };
    let retention = Retention {
        keep: lookup.config(None).settings().keep_versions,
        protected: BTreeSet::new(),
    };
    let patience = call.patience(STORE_PATIENCE);
    let ready = staged
        .ready(new, &standing.seen, &retention)
        .map_err(failed)?;
    let locked = ready.lock(patience).map_err(failed)?;
    let edit = match edits.is_empty() {
        true => None,
        false => Some(lookup.begin_edits(call, edits, None)?),
    };
    take_place_alone(call, lookup, locked, edit, &failed)
}
