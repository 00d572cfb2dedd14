//! Whether something may come: one pure decision over the rules of all layers, where it comes from,
//! how old it is, what of it would run, and what the user has approved.
//!
//! - Every rule is asked by itself, and one that refuses is enough: so no layer takes back what
//!   another asks for.
//! - The curated marketplace is trusted. A name trusts the marketplace that the user or an
//!   administrator has under it and no other: whatever else calls itself so is another one.
//! - A yes is to a content from a source. It lets that content come; it makes no commit older, unless
//!   it says so, and never what an organisation asks for.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_config::{TrustHold, TrustRule, TrustTier, TrustedPlace, git_url};
use plugd_marketplace::Binding;
use plugd_model::{AbsPath, MarketplaceName, Source};
use plugd_store::InstalledBy;

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// The marketplace's name for itself.
    pub(crate) name: &'a MarketplaceName,
    /// Where it comes from.
    pub(crate) binding: &'a Binding,
    /// Whether that is the place which the user or an administrator has under that name.
    pub(crate) is_chosen: bool,
    /// Who says that it comes from there.
    pub(crate) word: Word,
    /// The source of the entry.
    pub(crate) source: &'a Source,
    /// How old it is.
    pub(crate) age: CommitAge,
    /// What of it would run.
    pub(crate) runs: &'a BTreeSet<TrustHold>,
    /// Whether exactly this is approved.
    pub(crate) approved: Approved,
}

/// On whose word a content is what its place offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The place's own: it was taken from what that offers, or is known to have been offered there.
    Place,
    /// That of a lock, which names a content and cannot show that the place ever offered it.
    Lock,
    /// That of an archive.
    Archive,
}

impl Word {
    /// That on which a copy is here: an archive says of itself where it is from, and what a lock alone
    /// has named may never have been offered.
    pub(crate) fn of_copy(by: InstalledBy) -> Self {
        match by {
            InstalledBy::Import => Self::Archive,
            InstalledBy::LockAlone => Self::Lock,
            InstalledBy::Request
            | InstalledBy::Refresh
            | InstalledBy::Sync
            | InstalledBy::Lock
            | InstalledBy::Adopted => Self::Place,
        }
    }
}

/// Since when there is a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitAge {
    /// It is of no commit, or was here before.
    None,
    /// It is of a commit, and nobody says when that was made.
    Unknown,
    /// Since this second of the epoch.
    Since(u64),
}

/// How far a content is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approved {
    /// Not at all.
    No,
    /// As soon as it is old enough.
    Yes,
    /// However young it is.
    AtAnyAge,
}

/// Why something may not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The first reason there is.
    pub reason: TrustReason,
    /// What would run and is held back.
    pub held: BTreeSet<TrustHold>,
    /// From which second of the epoch on its age is no reason any more.
    pub not_before: Option<u64>,
    /// The file that asks, where one file does.
    pub file: Option<AbsPath>,
}

/// Why, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustReason {
    /// Its marketplace is not trusted.
    UntrustedMarketplace,
    /// It brings what may not come from there without a yes.
    WouldRun,
    /// Its commit is too young.
    CommitTooYoung,
    /// Nobody says how old its commit is.
    CommitAgeUnknown,
}

impl TrustReason {
    /// A stable word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UntrustedMarketplace => "untrustedMarketplace",
            Self::WouldRun => "wouldRun",
            Self::CommitTooYoung => "commitTooYoung",
            Self::CommitAgeUnknown => "commitAgeUnknown",
        }
    }

    /// Whether a yes is what is missing, and not time.
    #[must_use]
    pub fn wants_approval(self) -> bool {
        match self {
            Self::UntrustedMarketplace | Self::WouldRun => true,
            Self::CommitTooYoung | Self::CommitAgeUnknown => false,
        }
    }
}

/// Asks every rule.
///
/// # Errors
/// Why not. A missing yes goes before a missing age, because somebody can act on it now.
pub(crate) fn decide(rules: &[TrustRule], asked: &Question<'_>, now: u64) -> Result<(), Verdict> {
    let mut verdict: Option<Verdict> = None;
    for rule in rules {
        let Some(found) = ask(rule, asked, now) else {
            continue;
        };
        let Some(before) = &mut verdict else {
            verdict = Some(found);
            continue;
        };
        if found.reason.wants_approval() && !before.reason.wants_approval() {
            (before.reason, before.file) = (found.reason, found.file);
        }
        before.held.extend(found.held);
        before.not_before = before.not_before.max(found.not_before);
    }
    verdict.map_or(Ok(()), Err)
}

/// Whether all rules trust a place, so that nothing from there is held back.
pub(crate) fn is_trusted(rules: &[TrustRule], asked: &Question<'_>) -> bool {
    rules.iter().all(|rule| trusts(rule, asked))
}

/// Whether a rule trusts a place, so that it matters whether what comes is what that offers.
pub(crate) fn is_trusted_by_one(rules: &[TrustRule], asked: &Question<'_>) -> bool {
    rules.iter().any(|rule| trusts(rule, asked))
}

/// Whether a rule wants a yes for whatever comes from there.
pub(crate) fn always_asks(rules: &[TrustRule], asked: &Question<'_>) -> bool {
    rules
        .iter()
        .any(|rule| rule.confirms && !trusts(rule, asked))
}

fn ask(rule: &TrustRule, asked: &Question<'_>, now: u64) -> Option<Verdict> {
    let is_trusted = trusts(rule, asked);
    let held: BTreeSet<TrustHold> = match is_trusted || asked.approved != Approved::No {
        true => BTreeSet::new(),
        false => rule.holds.intersection(asked.runs).copied().collect(),
    };
    let unconfirmed = !is_trusted && rule.confirms && asked.approved == Approved::No;
    let young = young(rule, asked, is_trusted, now);
    let reason = match (unconfirmed, held.is_empty(), young) {
        (true, _, _) => TrustReason::UntrustedMarketplace,
        (false, false, _) => TrustReason::WouldRun,
        (false, true, Some(Some(_))) => TrustReason::CommitTooYoung,
        (false, true, Some(None)) => TrustReason::CommitAgeUnknown,
        (false, true, None) => return None,
    };
    Some(Verdict {
        reason,
        held,
        not_before: young.flatten(),
        file: rule.file.clone(),
    })
}

/// Whether the commit is too young, and until when as far as that is known.
fn young(
    rule: &TrustRule,
    asked: &Question<'_>,
    is_trusted: bool,
    now: u64,
) -> Option<Option<u64>> {
    let is_lifted = asked.approved == Approved::AtAnyAge && rule.tier != TrustTier::Required;
    let concerns = !is_trusted || moves_by_itself(rule, asked.source);
    if rule.min_commit_age == Duration::ZERO || is_lifted || !concerns {
        return None;
    }
    match asked.age {
        CommitAge::None => None,
        CommitAge::Unknown => Some(None),
        // No commit is ever old enough for a rule that nobody understands.
        CommitAge::Since(_) if rule.min_commit_age == Duration::MAX => Some(None),
        CommitAge::Since(since) => match since.checked_add(rule.min_commit_age.as_secs()) {
            None => Some(None),
            Some(until) => (until > now).then_some(Some(until)),
        },
    }
}

/// Whether a repository decides by itself what a trusted marketplace offers.
fn moves_by_itself(rule: &TrustRule, source: &Source) -> bool {
    match source {
        Source::Git { url, sha: None, .. } => !is_listed(rule, url),
        Source::Git { .. }
        | Source::Local { .. }
        | Source::Npm { .. }
        | Source::Oci { .. }
        | Source::Archive { .. }
        | Source::Remote => false,
    }
}

fn trusts(rule: &TrustRule, asked: &Question<'_>) -> bool {
    if asked.word != Word::Place {
        return false;
    }
    if *asked.binding == Binding::Curated {
        return true;
    }
    rule.trusted
        .iter()
        .any(|place| match (place, asked.binding) {
            (TrustedPlace::Name(name), _) => asked.is_chosen && name == asked.name,
            (TrustedPlace::Repository(url), Binding::Git { url: of, .. }) => {
                *url == git_url::normalise(of)
            }
            // An archive counts by its origin, never by the directory that it is unpacked to.
            (TrustedPlace::Repository(url), Binding::Packed(origin)) => {
                let same = |text: &str| *url == git_url::normalise(text);
                same(&origin.address()) || same(&origin.to_string())
            }
            (TrustedPlace::Directory(dir), Binding::Manifest(file)) => file.starts_with(dir),
            _ => false,
        })
}

fn is_listed(rule: &TrustRule, url: &str) -> bool {
    let url = git_url::normalise(url);
    rule.trusted
        .iter()
        .any(|place| matches!(place, TrustedPlace::Repository(listed) if *listed == url))
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
