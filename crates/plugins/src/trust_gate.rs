//! The one question before something takes its place: what the rules, the approvals and the configured
//! marketplaces say of it.
//!
//! Where nobody asks for anything, nothing is read: then it costs a look at an empty list.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use plugd_components::{Inspection, UnreadKind};
use plugd_config::{Snapshot, TrustHold, TrustRule, TrustedPlace, git_url};
use plugd_disk::tree::Digest;
use plugd_marketplace::{Binding, Offer, Origin};
use plugd_model::{AbsPath, MarketplaceName, PluginId, Problem, ProblemKind, Source};
use plugd_store::{Installed, Store};

use crate::approvals::Approvals;
use crate::call::Call;
use crate::standing::Standing;
use crate::trust::{self, Approved, CommitAge, Question, Verdict, Word};
use crate::trust_error::TrustRefusal;
use crate::version_change::VersionName;
use crate::version_growth::{Growth, unseen};
use crate::{Error, Lookup, Roots};

/// What holds for one look at things.
pub(crate) struct Gate<'a> {
    lookup: &'a Lookup,
    rules: Vec<TrustRule>,
    approvals: Approvals,
    /// The marketplaces that the user or an administrator chose, found out when somebody asks.
    chosen: OnceCell<Vec<(MarketplaceName, Binding)>>,
    /// Who says where things come from.
    word: Word,
    now: u64,
}

/// Where something comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whence<'a> {
    pub(crate) id: &'a PluginId,
    pub(crate) binding: &'a Binding,
    pub(crate) source: &'a Source,
}

impl<'a> Whence<'a> {
    /// Where an offer comes from.
    pub(crate) fn of_offer(id: &'a PluginId, offer: &Offer<'a>) -> Self {
        Self {
            id,
            binding: &offer.content.binding,
            source: &offer.entry.source,
        }
    }
}

/// A complete copy that has not taken its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coming<'a> {
    pub(crate) from: Whence<'a>,
    /// Since when there is that content.
    pub(crate) age: CommitAge,
    /// Where the copy lies.
    pub(crate) root: &'a AbsPath,
    pub(crate) digest: Digest,
    pub(crate) version: &'a str,
    pub(crate) commit: Option<&'a str>,
}

impl<'a> Gate<'a> {
    /// The gate for what is done for these configurations. The settings in force are the same in all
    /// of them; what a project asks for counts where one of them is its.
    pub(crate) fn new<'c>(
        lookup: &'a Lookup,
        store: &Store,
        configs: impl IntoIterator<Item = &'c Snapshot>,
    ) -> Self {
        let mut rules: Vec<TrustRule> = Vec::new();
        for config in configs {
            for rule in &config.settings().trust {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
        let is_open = rules.is_empty();
        for rule in &mut rules {
            for place in &mut rule.trusted {
                if let TrustedPlace::Directory(dir) = place {
                    *dir = lookup.disk().resolve(dir).unwrap_or_else(|_| dir.clone());
                }
            }
        }
        Self {
            lookup,
            rules,
            approvals: match is_open {
                true => Approvals::default(),
                false => Approvals::read(lookup.disk(), lookup.layout()),
            },
            chosen: OnceCell::new(),
            word: Word::Place,
            now: store.now(),
        }
    }

    /// The same on the word of somebody. Where it is not the place's own, no place is trusted, and
    /// only a yes to the content counts.
    pub(crate) fn on_word_of(self, word: Word) -> Self {
        Self { word, ..self }
    }

    /// The gate for what no project has a say in.
    pub(crate) fn of_user(lookup: &'a Lookup, store: &Store) -> Self {
        Self::new(lookup, store, [&*lookup.config(None)])
    }

    /// Whether nobody asks for anything.
    pub(crate) fn is_open(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    /// What is known of a place before anything of it was looked at.
    fn question<'q>(&self, from: Whence<'q>, runs: &'q BTreeSet<TrustHold>) -> Question<'q> {
        Question {
            name: &from.id.marketplace,
            binding: from.binding,
            word: self.word,
            is_chosen: self.is_chosen(&from.id.marketplace, from.binding),
            source: from.source,
            age: CommitAge::None,
            runs,
            approved: Approved::No,
        }
    }

    /// Whether this is the marketplace of that name which the user or an administrator has. Nobody
    /// else can give a plugin of the account its name.
    fn is_chosen(&self, name: &MarketplaceName, binding: &Binding) -> bool {
        if matches!(binding, Binding::Remote { .. }) {
            return true;
        }
        let chosen = self.chosen.get_or_init(|| {
            let resolved = self.lookup.resolve_ungated(&Roots::default());
            let trusted = resolved.set.marketplaces();
            trusted
                .filter(|marketplace| {
                    marketplace.origin.is_trusted() && marketplace.conflict.is_none()
                })
                .filter_map(|marketplace| Some((&marketplace.origin, marketplace.content()?)))
                .filter(|(origin, content)| is_called_so(origin, &content.manifest.value.name))
                .map(|(_, content)| (content.manifest.value.name.clone(), content.binding.clone()))
                .collect()
        });
        chosen.iter().any(|(of, at)| of == name && at == binding)
    }

    /// Whether everything from there is trusted.
    pub(crate) fn is_trusted(&self, from: Whence<'_>) -> bool {
        let nothing = BTreeSet::new();
        self.is_open() || trust::is_trusted(&self.rules, &self.question(from, &nothing))
    }

    /// Whether a marketplace would be trusted for being added: its name is one that is trusted, or a
    /// trusted repository would be followed at a branch that somebody else has chosen.
    pub(crate) fn is_gained_by_adding(
        &self,
        name: &MarketplaceName,
        at: Option<(&str, Option<&str>)>,
    ) -> bool {
        let mut trusted = self.rules.iter().flat_map(|rule| &rule.trusted);
        trusted.any(|place| match (place, at) {
            (TrustedPlace::Name(listed), _) => listed == name,
            (TrustedPlace::Repository(listed), Some((url, Some(_)))) => {
                *listed == git_url::normalise(url)
            }
            _ => false,
        })
    }

    /// Whether a rule trusts what that place offers, so that it has to be known what it does.
    pub(crate) fn matters(&self, from: Whence<'_>) -> bool {
        let nothing = BTreeSet::new();
        trust::is_trusted_by_one(&self.rules, &self.question(from, &nothing))
    }

    /// What is known to stay whatever its source offers: nothing that could come from there has a
    /// yes. So nothing has to be fetched or copied to find that out.
    pub(crate) fn surely_held(&self, from: Whence<'_>, standing: &Standing) -> Option<Problem> {
        if self.is_open() {
            return None;
        }
        let nothing = BTreeSet::new();
        if !trust::always_asks(&self.rules, &self.question(from, &nothing)) {
            return None;
        }
        let record = standing
            .copy
            .as_ref()
            .and_then(Installed::provenance_record);
        let there = record.map(|record| record.tree_digest);
        let mut given = self.approvals.of_plugin(from.id, from.binding);
        if given.any(|one| Some(one.digest) != there) {
            return None;
        }
        let text = format!(
            "what is offered of `{id}` is not approved, and [trust] asks for that: it comes from \
             {place}, {doubt}; `plugd plugin approve {id}` shows what would run",
            id = from.id,
            place = from.binding.describe(),
            doubt = self.word.doubt(),
        );
        Some(Problem::warning(ProblemKind::ApprovalNeeded, text))
    }

    /// Whether a complete copy may take its place.
    ///
    /// # Errors
    /// It may not, or not yet; or the request was cancelled.
    pub(crate) fn admit(
        &self,
        call: &Call,
        coming: &Coming<'_>,
        standing: &Standing,
    ) -> Result<(), Error> {
        match self.review(call, coming, standing)? {
            None => Ok(()),
            Some(refusal) => Err(refusal.into()),
        }
    }

    /// Why a complete copy may not take its place.
    pub(crate) fn review(
        &self,
        call: &Call,
        coming: &Coming<'_>,
        standing: &Standing,
    ) -> Result<Option<TrustRefusal>, Error> {
        if self.is_open() {
            return Ok(None);
        }
        let from = coming.from;
        let approved = self
            .approvals
            .approved(from.id, from.binding, &coming.digest);
        // Looking into it is only needed when somebody holds a part of it back.
        let everything = BTreeSet::from(TrustHold::ALL);
        let asked = Question {
            age: coming.age,
            approved,
            ..self.question(from, &everything)
        };
        if trust::decide(&self.rules, &asked, self.now).is_ok() {
            return Ok(None);
        }
        let old = standing.copy.as_ref().map(|copy| &copy.root);
        let new = (coming.root, coming.digest);
        let looked = Growth::seen(call, self.lookup, from.id, old, new);
        call.cancel.check()?;
        let (growth, runs) = match looked {
            Ok((growth, after)) => (growth, runs(&after)),
            // What cannot be looked at may run anything.
            Err(error) => (
                Growth::unknown(coming.digest, unseen(&error)),
                everything.clone(),
            ),
        };
        let asked = Question {
            runs: &runs,
            ..asked
        };
        let Err(verdict) = trust::decide(&self.rules, &asked, self.now) else {
            return Ok(None);
        };
        Ok(Some(TrustRefusal {
            id: from.id.clone(),
            place: from.binding.describe(),
            word: self.word,
            verdict,
            from: VersionName::of(standing),
            to: VersionName {
                version: Some(coming.version.to_owned()),
                commit: coming.commit.map(str::to_owned),
                digest: Some(coming.digest),
            },
            pin: standing.pin().cloned(),
            growth: Box::new(growth),
        }))
    }

    /// What of an installed copy is held back, when its content is this.
    pub(crate) fn of_copy(
        &self,
        from: Whence<'_>,
        content: &Digest,
        runs: &BTreeSet<TrustHold>,
    ) -> Result<(), Verdict> {
        let approved = self.approvals.approved(from.id, from.binding, content);
        let asked = Question {
            approved,
            ..self.question(from, runs)
        };
        trust::decide(&self.rules, &asked, self.now)
    }
}

/// Whether a marketplace has the name that the user gave it. One that calls itself otherwise by now is
/// another one.
fn is_called_so(origin: &Origin, name: &MarketplaceName) -> bool {
    match origin {
        Origin::Configured { key, .. } => key == name.as_str(),
        Origin::Home | Origin::Curated => true,
        Origin::Request { .. } => false,
    }
}

/// What of a plugin would run. What a limit kept out of the look may be anything.
pub(crate) fn runs(inspection: &Inspection) -> BTreeSet<TrustHold> {
    if !inspection.cut.is_empty() {
        return BTreeSet::from(TrustHold::ALL);
    }
    let there = [
        (TrustHold::Hooks, !inspection.hooks.is_empty()),
        (TrustHold::Executables, !inspection.executables.is_empty()),
        (TrustHold::McpServers, !inspection.mcp_servers.is_empty()),
        (TrustHold::Apps, !inspection.apps.is_empty()),
    ];
    let there = there.into_iter().filter(|(_, is_there)| *is_there);
    let mut runs: BTreeSet<TrustHold> = there.map(|(hold, _)| hold).collect();
    // What cannot be read may hold anything of its kind, and name any file as its program.
    runs.extend(inspection.unread.iter().flat_map(|one| match one.what {
        UnreadKind::Hooks => [TrustHold::Hooks, TrustHold::Executables],
        UnreadKind::McpServers => [TrustHold::McpServers, TrustHold::Executables],
        UnreadKind::Apps => [TrustHold::Apps; 2],
    }));
    runs
}
