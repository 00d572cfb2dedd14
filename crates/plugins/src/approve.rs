//! `plugd/approve`: saying yes to a content, taking that back, and what is approved.
//!
//! A yes names the digest of what was shown, so nothing is fetched for it: what has another content by
//! the time it comes is asked about again. It counts for the places that the plugin can come from as
//! things are, which for one content is the same yes.

use std::collections::BTreeSet;

use plugd_disk::tree::Digest;
use plugd_marketplace::{Binding, MarketplaceSet, Selector};
use plugd_model::{AbsPath, CURATED_API_MARKETPLACE, CURATED_MARKETPLACE, PluginId, Problem};

use crate::Error;
use crate::active::is_remote;
use crate::approvals::{self, ANYWHERE, Approval, ApprovalEdit, Approvals, REMOTE, source_text};
use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::inspect::Inspected;
use crate::install::STORE_PATIENCE;
use crate::install_trust::TrustSeen;
use crate::lookup::Roots;
use crate::parts::Parts;
use crate::standing::Standing;
use crate::trust_error::{ApproveError, TrustFacts};
use crate::version_growth::Grown;

/// Whose yes it is about, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApproveRequest {
    /// The plugin.
    pub target: ApproveTarget,
    /// What to do.
    pub action: ApproveAction,
    /// Whether to tell only.
    pub dry_run: bool,
}

/// The plugin that a yes is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveTarget {
    /// By its id.
    Id(PluginId),
    /// The entry that a manifest names.
    Named {
        /// The manifest.
        manifest: AbsPath,
        /// The entry's name.
        plugin: String,
    },
}

/// What becomes of a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveAction {
    /// It is given.
    Give {
        /// The content that was shown.
        digest: Digest,
        /// Whether that may come however young its commit is.
        any_age: bool,
        /// Who gives it.
        by: Option<String>,
    },
    /// It is taken back: for one content, else for all of the plugin.
    Revoke(Option<Digest>),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approving {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What changed, or would.
    pub changes: Vec<ApprovalChange>,
    /// What is approved.
    pub approvals: Vec<(PluginId, Approval)>,
    /// What of the record could not be understood.
    pub problems: Vec<Problem>,
}

/// A yes that is given or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalChange {
    /// The plugin.
    pub id: PluginId,
    /// What was approved.
    pub from: Option<Digest>,
    /// What is from now on.
    pub to: Option<Digest>,
    /// Whether that is a change.
    pub changed: bool,
    /// What would run, where that was looked at.
    pub would_run: Option<Vec<Grown>>,
    /// The files that declare what runs and could not be read, where that was looked at.
    pub unseen: Option<Vec<String>>,
}

impl Approving {
    fn new(dry_run: bool, changes: Vec<ApprovalChange>, approvals: &Approvals) -> Self {
        let all = approvals.all();
        Self {
            dry_run,
            changes,
            approvals: all.map(|(id, one)| (id.clone(), one.clone())).collect(),
            problems: approvals.problems.clone(),
        }
    }
}

/// Lists what is approved.
///
/// # Errors
/// None today.
pub async fn approvals(parts: &Parts) -> Result<Approving, Error> {
    let of = parts.clone();
    let section = parts.blocking.read(move || {
        let approvals = Approvals::read(of.lookup.disk(), of.lookup.layout());
        Ok(Approving::new(true, Vec::new(), &approvals))
    });
    section.await
}

/// What would be approved, of a plugin that was looked at for that.
///
/// # Errors
/// It is no dry run: a yes has to name what it is to.
pub async fn approve_shown(
    parts: &Parts,
    inspected: Inspected,
    dry_run: bool,
) -> Result<Approving, Error> {
    let (id, trust) = shown(inspected)?;
    let reason = trust.refusal.as_ref().map(|refusal| refusal.verdict.reason);
    let growth = trust.refusal.map(|refusal| refusal.growth);
    let (would_run, unseen) = growth
        .map(|growth| (growth.grew, growth.unread))
        .unwrap_or_default();
    if !dry_run {
        return Err(ApproveError::NoDigest {
            id,
            digest: trust.digest,
            shown: Box::new(TrustFacts {
                reason,
                digest: Some(trust.digest),
                would_run,
                unseen,
                not_before: None,
            }),
        }
        .into());
    }
    let change = ApprovalChange {
        id,
        from: trust.approved.then_some(trust.digest),
        to: Some(trust.digest),
        changed: !trust.approved,
        would_run: Some(would_run),
        unseen: Some(unseen),
    };
    let listed = approvals(parts).await?;
    Ok(Approving {
        changes: vec![change],
        ..listed
    })
}

/// Whether what a plugin is offered with may come.
fn shown(inspected: Inspected) -> Result<(PluginId, TrustSeen), ApproveError> {
    let Inspected {
        id,
        linked,
        trust,
        mut problems,
        ..
    } = inspected;
    match (id, trust) {
        (Some(id), Some(trust)) => Ok((id, trust)),
        (Some(id), None) if linked.is_some() => Err(ApproveError::Linked { id }),
        // Why the offered side is missing is told last.
        (id, _) => Err(ApproveError::NothingShown {
            id,
            problem: problems.pop().map(Box::new),
        }),
    }
}

/// Gives a yes or takes it back.
///
/// # Errors
/// Nothing is known of the plugin, there is no such approval, or the file cannot be written.
pub async fn approve(
    call: &Call,
    parts: &Parts,
    request: ApproveRequest,
) -> Result<Approving, Error> {
    let (call, of) = (call.clone(), parts.clone());
    let section = parts.blocking.write(move || {
        call.cancel.check()?;
        let meant = meant(&of, &request)?;
        let (disk, layout) = (of.lookup.disk(), of.lookup.layout());
        let now = of.clock.now().as_secs();
        if request.dry_run {
            let there = Approvals::read(disk, layout);
            let (changes, _) = decide(&request.action, &meant, now, &there)?;
            return Ok(Approving::new(true, changes, &there));
        }
        of.copies.prepare_state()?;
        let patience = call.patience(STORE_PATIENCE);
        let decided = approvals::write(disk, layout, patience, |there| {
            match decide(&request.action, &meant, now, there) {
                Ok((changes, edits)) => (edits, Ok(changes)),
                Err(error) => (Vec::new(), Err(error)),
            }
        });
        let changes = decided.map_err(ApproveError::from)??;
        if changes.iter().any(|change| change.changed) {
            let told = Change::new(ChangeReason::Request).plugin(meant.id.clone());
            of.events.changed(told);
        }
        let there = Approvals::read(disk, layout);
        Ok(Approving::new(false, changes, &there))
    });
    section.await
}

/// The plugin, and the places that its content may come from.
struct Meant {
    id: PluginId,
    sources: BTreeSet<String>,
}

fn meant(parts: &Parts, request: &ApproveRequest) -> Result<Meant, Error> {
    let roots = match &request.target {
        ApproveTarget::Id(id) if is_remote(id) => {
            return Ok(Meant {
                id: id.clone(),
                sources: BTreeSet::from([REMOTE.to_owned()]),
            });
        }
        ApproveTarget::Id(_) => Roots::default(),
        ApproveTarget::Named { manifest, .. } => Roots {
            cwds: Vec::new(),
            manifests: vec![manifest.clone()],
        },
    };
    let resolved = parts.lookup.resolve_ungated(&roots);
    let offered = resolved.set.select(&match &request.target {
        ApproveTarget::Id(id) => Selector::Shown(id),
        ApproveTarget::Named { manifest, plugin } => Selector::Named { manifest, plugin },
    });
    let id = match (&offered, &request.target) {
        (Ok(offer), _) => offer.id(),
        (Err(_), ApproveTarget::Id(id)) => id.clone(),
        (Err(error), ApproveTarget::Named { .. }) => return Err(error.clone().into()),
    };
    let standing = Standing::of(parts.copies.store()?, &id);
    let standing = standing.map_err(|source| Error::Store {
        action: "look at",
        id: id.clone(),
        source: Box::new(source),
    })?;
    let bound = standing.binding();
    let offered = offered.map(|offer| source_text(&offer.content.binding));
    let sources = match (bound, offered) {
        (bound, Ok(offered)) => {
            let bound = bound.as_ref().map(source_text);
            bound.into_iter().chain([offered]).collect()
        }
        // What nobody offers any more may still be here, and a yes may outlive both.
        (Some(bound), Err(_)) => BTreeSet::from([source_text(&bound)]),
        (None, Err(_)) if matches!(request.action, ApproveAction::Revoke(_)) => BTreeSet::new(),
        (None, Err(error)) => match marketplace_of(&resolved.set, &id) {
            Some(source) => BTreeSet::from([source]),
            None => return Err(error.into()),
        },
    };
    Ok(Meant { id, sources })
}

/// Where the marketplace of a plugin is that nobody here knows; nothing of one that is known and does
/// not have the plugin. The curated one is always the same, and an archive may bring its plugins to a
/// home without the snapshot. Another one may be what a lock or an archive is about to bring, and a yes
/// is to the content, whichever place that has.
fn marketplace_of(set: &MarketplaceSet, id: &PluginId) -> Option<String> {
    let name = &id.marketplace;
    let is_curated = [CURATED_MARKETPLACE, CURATED_API_MARKETPLACE].contains(&name.as_str());
    let mut there = set.marketplaces().filter_map(|one| one.content());
    let is_here = there.any(|content| content.manifest.value.name == *name);
    match (is_here, is_curated) {
        (true, _) => None,
        (false, true) => Some(source_text(&Binding::Curated)),
        (false, false) => Some(ANYWHERE.to_owned()),
    }
}

type Decided = (Vec<ApprovalChange>, Vec<ApprovalEdit>);

fn decide(
    action: &ApproveAction,
    Meant { id, sources }: &Meant,
    now: u64,
    there: &Approvals,
) -> Result<Decided, ApproveError> {
    let mine = || there.all().filter(|(of, _)| *of == id).map(|(_, one)| one);
    match action {
        ApproveAction::Give {
            digest,
            any_age,
            by,
        } => {
            let missing = sources.iter().filter(|source| {
                !mine().any(|one| {
                    one.digest == *digest && one.source == **source && (one.any_age || !any_age)
                })
            });
            let edits: Vec<_> = missing
                .map(|source| {
                    let given = Approval {
                        digest: *digest,
                        source: source.clone(),
                        any_age: *any_age,
                        approved_at: now,
                        by: by.clone(),
                    };
                    ApprovalEdit::Give(id.clone(), given)
                })
                .collect();
            let change = ApprovalChange {
                id: id.clone(),
                from: mine().any(|one| one.digest == *digest).then_some(*digest),
                to: Some(*digest),
                changed: !edits.is_empty(),
                would_run: None,
                unseen: None,
            };
            Ok((vec![change], edits))
        }
        ApproveAction::Revoke(digest) => {
            let is_meant = |one: &&Approval| digest.is_none_or(|digest| one.digest == digest);
            let gone: Vec<&Approval> = mine().filter(is_meant).collect();
            let edits: Vec<_> = gone
                .iter()
                .map(|one| ApprovalEdit::Revoke(id.clone(), one.digest, one.source.clone()))
                .collect();
            if edits.is_empty() {
                return Err(ApproveError::NotApproved {
                    id: id.clone(),
                    digest: *digest,
                });
            }
            let mut changes: Vec<ApprovalChange> = Vec::new();
            for one in gone {
                // One content from two places is one yes.
                if changes.iter().all(|change| change.from != Some(one.digest)) {
                    changes.push(ApprovalChange {
                        id: id.clone(),
                        from: Some(one.digest),
                        to: None,
                        changed: true,
                        would_run: None,
                        unseen: None,
                    });
                }
            }
            Ok((changes, edits))
        }
    }
}
