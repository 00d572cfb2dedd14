//! What is remembered of one account, and how an answer or a word of the service changes it.
//!
//! Nothing here reads, writes or asks, so it may be held for a moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use plugd_catalog::{Access, Collection, Directory, InstalledSet, Validators};
use plugd_model::{PluginId, Problem, RemoteScope};

use crate::remote_plan::joined;
use crate::remote_words::{Asked, Word, Words};
use crate::status::{PluginOutcome, PluginResult};

/// What is remembered of one account.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) of: Option<Access>,
    /// `None` until somebody has looked; `None` inside says that nothing is kept.
    pub(crate) installed: Option<Option<Arc<InstalledSet>>>,
    pub(crate) validators: Option<Validators>,
    /// What the service has noted for this process.
    pub(crate) words: Words,
    /// Why the last question for what is installed has no answer.
    pub(crate) unanswered: Option<String>,
    /// Why the last synchronisation could not bring plugins.
    pub(crate) troubles: Arc<BTreeMap<PluginId, Problem>>,
    /// Lists that are kept nowhere else.
    pub(crate) directories: HashMap<Collection, Arc<Directory>>,
    pub(crate) featured: Option<Arc<Vec<String>>>,
    /// Directories that were shown although they are old.
    pub(crate) stale: BTreeSet<RemoteScope>,
    /// When the service did not answer, although it was waited for; in time since the epoch.
    pub(crate) silent_since: Option<Duration>,
}

impl Known {
    /// What is known of another account: nothing.
    pub(crate) fn of_another(&self, of: Access) -> Self {
        Self {
            of: Some(of),
            words: self.words.of_another_account(),
            ..Self::default()
        }
    }

    /// What is installed, once it was looked what is kept on disk. What was kept may be older than what
    /// the service has noted.
    pub(crate) fn looked(&mut self, kept: Option<InstalledSet>) -> Option<Arc<InstalledSet>> {
        if let Some(known) = &self.installed {
            return known.clone();
        }
        let set = kept.map(|mut set| {
            self.words.correct(Asked::BEFORE_ALL, &mut set);
            without_addresses(&mut set);
            Arc::new(set)
        });
        self.installed.insert(set).clone()
    }

    /// Takes over an answer, as far as nothing was noted since it was asked for. What an answer without
    /// an end does not speak of stays as it was. Answers what is known now, and whether that is something
    /// else than before.
    pub(crate) fn learn(
        &mut self,
        asked: Asked,
        mut set: InstalledSet,
        validators: Option<Validators>,
    ) -> (Arc<InstalledSet>, bool) {
        let is_older = self.words.correct(asked, &mut set);
        let is_whole = set.complete;
        without_addresses(&mut set);
        let before = self.installed.take().flatten();
        let now = Arc::new(joined(before.as_deref(), set));
        let is_new = before.as_ref() != Some(&now);
        self.installed = Some(Some(Arc::clone(&now)));
        self.unanswered = None;
        let validators = validators.filter(|_| is_whole && !is_older);
        // Those of an answer that said the same still hold.
        let before = self.validators.take().filter(|_| !is_new);
        self.validators = validators.or(before);
        (now, is_new)
    }

    /// Takes over what the service has noted.
    pub(crate) fn note(&mut self, word: Word) {
        if let Some(Some(set)) = &mut self.installed {
            let set = Arc::make_mut(set);
            word.apply(set);
            without_addresses(set);
        }
        self.words.note(word);
        self.validators = None;
        // It depends on what is installed.
        self.featured = None;
    }
}

/// The addresses of bundles are good for a moment only, and for whoever has them.
fn without_addresses(set: &mut InstalledSet) {
    for one in &mut set.items {
        one.item.release.bundle_url = None;
    }
}

/// Whether both are one account at one service. A login that does not say whose it is, is only the
/// same as itself.
pub(crate) fn is_same_account(left: &Access, right: &Access) -> bool {
    let (a, b) = (&left.account, &right.account);
    let named = a.account_id.is_some() || a.user_id.is_some();
    left.base == right.base
        && a.account_id == b.account_id
        && a.user_id == b.user_id
        && (named || a.access_token == b.access_token)
}

/// What a synchronisation could not bring, and why.
pub(crate) fn troubles(results: &[PluginResult]) -> BTreeMap<PluginId, Problem> {
    let failed = results.iter();
    let failed = failed.filter(|one| one.outcome == PluginOutcome::Failed);
    failed
        .filter_map(|one| Some((one.id.clone(), one.problem.clone()?)))
        .collect()
}
