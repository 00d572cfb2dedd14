//! The part of every installation that asks whether its copy may take its place.

use std::sync::Arc;

use plugd_config::Snapshot;
use plugd_disk::tree::Digest;
use plugd_marketplace::Binding;
use plugd_model::{AbsPath, Problem, Source, VersionSegment};
use plugd_store::{Installed, StagedInstall, Store};

use crate::call::Call;
use crate::content::Content;
use crate::install_job::{Job, Prepared, Subject, failed};
use crate::install_why::Why;
use crate::install_wish::PinWish;
use crate::obtain::Obtained;
use crate::trust::{Approved, CommitAge, Word};
use crate::trust_error::TrustRefusal;
use crate::trust_gate::{Coming, Gate, Whence};
use crate::{Copies, Error, Lookup};

/// What there is to say of an offer before it is installed.
#[derive(Debug, Clone, PartialEq)]
pub struct TrustSeen {
    /// The content that has to be approved: that of the copy which an installation makes.
    pub digest: Digest,
    /// Whether the place it comes from is trusted.
    pub trusted: bool,
    /// Whether exactly this is approved.
    pub approved: bool,
    /// Why it may not come; nothing when it may.
    pub refusal: Option<Box<TrustRefusal>>,
}

impl Subject {
    /// Where it comes from.
    pub(crate) fn whence(&self) -> Whence<'_> {
        Whence {
            id: &self.id,
            binding: &self.binding,
            source: &self.source,
        }
    }
}

impl Job<'_> {
    /// Goes as far as an installation does before its copy would take its place, and gives that up. A
    /// pin says which version comes and nothing of what one may be shown.
    pub(crate) fn seen(
        self,
        call: &Call,
        lookup: &Lookup,
        copies: &Copies,
        content: &Content,
        obtained: Obtained,
    ) -> Result<TrustSeen, Error> {
        let job = Self {
            pin: PinWish::Version,
            ..self
        };
        let store = copies.store()?;
        let (digest, refusal) = match job.prepare(call, lookup, copies, content, obtained) {
            Ok(Prepared::Staged(staged)) => (staged.tree().tree_digest, None),
            Ok(Prepared::Current(copy)) => {
                job.of_current(call, lookup, store, &copy, job.word())?
            }
            Err(Error::Trust(refusal)) => (refusal.growth.digest, Some(refusal)),
            Err(error) => return Err(error),
        };
        let gate = job.gate(lookup, store);
        let from = job.subject.whence();
        let approved = gate.approvals().approved(from.id, from.binding, &digest);
        Ok(TrustSeen {
            digest,
            trusted: gate.is_trusted(from),
            approved: approved != Approved::No,
            refusal,
        })
    }

    /// What is here already needs a yes too, to be brought back.
    fn of_current(
        &self,
        call: &Call,
        lookup: &Lookup,
        store: &Store,
        copy: &Installed,
        word: Word,
    ) -> Result<(Digest, Option<Box<TrustRefusal>>), Error> {
        let found = store.tree_digest(copy, call);
        let digest = found.map_err(|error| failed(&copy.id, error))?.digest;
        let coming = Coming {
            from: self.subject.whence(),
            age: CommitAge::None,
            root: &copy.root,
            digest,
            version: copy.version.as_str(),
            commit: None,
        };
        let gate = self.gate(lookup, store).on_word_of(word);
        let refusal = gate.review(call, &coming, &self.standing)?;
        Ok((digest, refusal.map(Box::new)))
    }

    /// A copy that is here and off is switched on as another one comes: with a yes, where somebody
    /// asks for one. What is on already stays so.
    pub(crate) fn refuse_to_switch_on(
        &self,
        call: &Call,
        lookup: &Lookup,
        store: &Store,
        copy: &Installed,
        word: Word,
    ) -> Result<(), Error> {
        match self.refusal_to_switch_on(call, lookup, store, copy, word)? {
            Some(refusal) => Err(Error::Trust(refusal)),
            None => Ok(()),
        }
    }

    /// Why a copy that is here may not be switched on.
    pub(crate) fn refusal_to_switch_on(
        &self,
        call: &Call,
        lookup: &Lookup,
        store: &Store,
        copy: &Installed,
        word: Word,
    ) -> Result<Option<Box<TrustRefusal>>, Error> {
        let id = &self.subject.id;
        let config = lookup.config(None);
        let mut rows = config.plugins().iter();
        let is_on = rows.any(|row| row.id == *id && row.enabled);
        let switches = self.why.configures() && self.why.enabled();
        if is_on || !switches || self.is_free(lookup, store) {
            return Ok(None);
        }
        let (_, refusal) = self.of_current(call, lookup, store, copy, word)?;
        Ok(refusal)
    }

    /// What is known to hold it back before anything of it is here.
    pub(crate) fn surely_held(&self, lookup: &Lookup, store: &Store) -> Option<Problem> {
        let gate = self.gate(lookup, store);
        gate.surely_held(self.subject.whence(), &self.standing)
    }

    /// On whose word it comes from its place.
    pub(crate) fn word(&self) -> Word {
        match self.why {
            Why::Lock { word, .. } => word,
            _ => Word::Place,
        }
    }

    /// Whether nobody asks for anything.
    pub(crate) fn is_free(&self, lookup: &Lookup, store: &Store) -> bool {
        self.gate(lookup, store).is_open()
    }

    fn gate<'g>(&self, lookup: &'g Lookup, store: &Store) -> Gate<'g> {
        let configs = self.configs(lookup);
        let gate = Gate::new(lookup, store, configs.iter().map(|one| &**one));
        gate.on_word_of(self.word())
    }

    /// Nothing takes its place that the settings, a project or the organisation want a yes for. What
    /// counts is the copy: it is to the byte what would stand there.
    pub(crate) fn refuse_unapproved(
        &self,
        call: &Call,
        lookup: &Lookup,
        store: &Store,
        install: &StagedInstall,
        age: CommitAge,
        (version, commit): (&VersionSegment, Option<&str>),
    ) -> Result<(), Error> {
        let tree = install.tree();
        let mut source = self.subject.source.clone();
        if let (PinWish::Commit, Source::Git { sha, .. }) = (self.pin, &mut source) {
            // The request has named the commit, and not the marketplace.
            *sha = None;
        }
        let coming = Coming {
            from: Whence {
                source: &source,
                ..self.subject.whence()
            },
            age,
            root: &tree.root,
            digest: tree.tree_digest,
            version: version.as_str(),
            commit,
        };
        self.gate(lookup, store)
            .admit(call, &coming, &self.standing)
    }

    /// The configurations that have a say: the user's and the organisation's always, and beside them
    /// those of the scopes that a refresh works for, of the projects whose locks are followed, or as
    /// seen from the marketplace.
    fn configs(&self, lookup: &Lookup) -> Vec<Arc<Snapshot>> {
        let seen_from = |file: &AbsPath| lookup.config(file.parent().as_ref());
        let mut configs = vec![lookup.config(None)];
        match (self.why, &self.subject.binding) {
            (Why::Configured { scopes, .. }, _) => {
                configs.extend(scopes.iter().map(|sight| Arc::clone(&sight.config)));
            }
            (Why::Lock { pin, .. }, _) => configs.extend(pin.locks.iter().map(seen_from)),
            (_, Binding::Manifest(manifest)) => configs.push(seen_from(manifest)),
            _ => {}
        }
        configs
    }

    /// Since when there is what comes, where a repository says so.
    pub(crate) fn age(&self, committed_at: Option<i64>) -> CommitAge {
        let is_of_git = match (&self.subject.source, &self.subject.binding) {
            (Source::Git { .. }, _) | (Source::Local { .. }, Binding::Git { .. }) => true,
            (
                Source::Local { .. }
                | Source::Npm { .. }
                | Source::Oci { .. }
                | Source::Archive { .. }
                | Source::Remote,
                _,
            ) => false,
        };
        match committed_at {
            _ if !is_of_git => CommitAge::None,
            None => CommitAge::Unknown,
            Some(at) => CommitAge::Since(u64::try_from(at).unwrap_or(0)),
        }
    }
}
