//! The remote part of a listing: what is asked of the service, and what is shown of its answers.
//!
//! It comes in three steps. [`Question::prepare`] reads what is kept on disk, [`ask`] speaks to the
//! service under one deadline, and [`Question::settle`] keeps what came and works out the groups.
//!
//! - What a listing shows never depends on whether the service answers: what it said last is shown
//!   and marked. Only a missing login is an error, and only for what was asked for by name.
//! - A directory that is fresh is not asked for; the account's installed plugins are, each time, since
//!   they change on other machines.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use plugd_catalog::{
    Access, CachedDirectory, CatalogError, Collection, Directory, Fetched, InstalledSet,
    LoginState, Urls, Validators,
};
use plugd_config::Snapshot;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, RemoteScope, error_chain};
use plugd_store::Installed;
use tokio::time::Instant;

use crate::call::Call;
use crate::listing::{ListedMarketplace, LoadError};
use crate::remote::{InstalledAnswer, Remote};
use crate::remote_groups::{Shown, groups};
use crate::remote_wish::Wish;
use crate::{Blocking, Lookup, remote_resting};

/// How long a listing waits for the service when nobody insists.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits when a client insists, or asks for parts of the catalog by name.
const LONG_PATIENCE: Duration = Duration::from_secs(30);
/// How long it waits while the service is known to be silent.
const LITTLE_PATIENCE: Duration = Duration::from_millis(500);

/// Why a copy rests of which the service has said nothing.
pub(crate) const UNHEARD: &str = "the service has not said whether the account has it";

/// What is known before the service is asked.
pub(crate) struct Question {
    access: Access,
    /// The login is not accepted any more, so nobody is asked.
    expired: bool,
    /// And the user allows to refresh it.
    refreshable: bool,
    wish: Wish,
    /// The service has just been waited for.
    hurried: bool,
    cached: BTreeMap<RemoteScope, CachedDirectory>,
    problems: Vec<Problem>,
}

/// What the service said.
#[derive(Default)]
pub(crate) struct Answers {
    directories: Vec<(Collection, Result<Fetched<Directory>, CatalogError>)>,
    installed: Option<InstalledAnswer>,
    featured: Option<Result<Fetched<Vec<String>>, CatalogError>>,
}

/// The remote part of a listing.
#[derive(Debug, Default)]
pub(crate) struct RemotePart {
    pub(crate) marketplaces: Vec<ListedMarketplace>,
    pub(crate) load_errors: Vec<LoadError>,
    pub(crate) featured: Vec<String>,
}

/// What lies on this disk and stands in its configuration.
#[derive(Debug, Default)]
pub(crate) struct Local {
    pub(crate) copies: BTreeMap<PluginId, Installed>,
    pub(crate) settings: BTreeMap<PluginId, bool>,
    /// Why the last synchronisation could not bring plugins of the account.
    pub(crate) troubles: Arc<BTreeMap<PluginId, Problem>>,
}

impl Question {
    /// Reads what is kept of earlier answers. `None` when nobody whom the service knows is logged in,
    /// or nothing is wished for.
    pub(crate) fn prepare(
        remote: &Remote,
        config: &Snapshot,
        login: &LoginState,
        wish: Wish,
    ) -> Option<Self> {
        if !wish.is_any() {
            return None;
        }
        let (access, expired, problems) = remote.seen_as(config, login)?;
        let scopes = wish.scopes().filter_map(|scope| {
            let cached = remote.cached(&access, scope)?;
            Some((scope, cached))
        });
        Some(Self {
            cached: scopes.collect(),
            refreshable: expired && remote.may_refresh(config, &access.account),
            access,
            expired,
            wish,
            hurried: false,
            problems,
        })
    }

    /// Whether asking again after a refresh of the login would come to more.
    pub(crate) fn may_refresh(&self) -> bool {
        self.refreshable
    }

    /// Which directories have to be asked for before anything can be shown.
    fn open(&self) -> Vec<Collection> {
        let needs = |collection: &Collection| match collection {
            Collection::Scope(scope) => self.wish.insists || !self.cached.contains_key(scope),
            Collection::Vertical | Collection::SharedWithMe | Collection::Created => true,
        };
        self.wish.collections().filter(needs).collect()
    }

    fn validators(&self, collection: Collection) -> Option<&Validators> {
        match collection {
            Collection::Scope(scope) => self.cached.get(&scope)?.validators.as_ref(),
            Collection::Vertical | Collection::SharedWithMe | Collection::Created => None,
        }
    }

    /// The same for whoever has waited for the service already.
    pub(crate) fn hurried(self, hurried: bool) -> Self {
        Self { hurried, ..self }
    }

    fn deadline(&self, remote: &Remote, call: &Call) -> Instant {
        let insists = self.wish.insists || self.wish.by_name;
        let own = match insists && !self.hurried {
            true => Instant::now() + LONG_PATIENCE,
            false => deadline(remote),
        };
        call.end.map_or(own, |end| own.min(end))
    }

    /// The directories that are shown from a cache and should be renewed behind the answer.
    fn stale(&self) -> impl Iterator<Item = RemoteScope> {
        let is_left = !self.expired && !self.wish.insists;
        let cached = self.cached.iter();
        let stale = cached.filter(move |(_, cached)| is_left && !cached.is_fresh);
        stale.map(|(scope, _)| *scope)
    }

    /// Keeps what came, and works out what is shown. Reads and writes files.
    pub(crate) fn settle(self, lookup: &Lookup, answers: Answers, mut local: Local) -> RemotePart {
        let (remote, layout) = (lookup.remote(), lookup.layout());
        let mut part = RemotePart::default();
        local.troubles = remote.troubles(&self.access);
        remote.note_stale(&self.access, self.stale());
        let mut tell = |path: &AbsPath, problem: Problem| {
            let marketplace_path = problem.path.clone().unwrap_or_else(|| path.clone());
            part.load_errors.push(LoadError {
                marketplace_path,
                problem,
            });
        };
        for problem in &self.problems {
            tell(&layout.auth(), problem.clone());
        }
        let cache = layout.catalog_cache();
        let set = self.installed(remote, answers.installed, |problem| tell(&cache, problem));
        let mut fresh: HashMap<Collection, Result<Fetched<Directory>, CatalogError>> =
            answers.directories.into_iter().collect();
        let mut shown = Shown::default();
        for collection in self.wish.collections() {
            let answer = fresh.remove(&collection);
            let found = self.directory(remote, collection, answer, |problem| tell(&cache, problem));
            shown.directories.push((collection, found));
        }
        let is_known = set.is_some();
        shown.installed = set.unwrap_or_default();
        part.marketplaces = groups(&shown, &local);
        if !is_known {
            let is_wished = |one| self.wish.shows(one);
            let groups = &mut part.marketplaces;
            remote_resting::add(groups, lookup.loader(), &local, is_wished, UNHEARD);
        }
        part.featured = remote.featured(&self.access, answers.featured);
        part
    }

    /// The installed set after this answer: the new one, else the known one; `None` when nobody knows.
    fn installed(
        &self,
        remote: &Remote,
        answer: Option<InstalledAnswer>,
        mut tell: impl FnMut(Problem),
    ) -> Option<Arc<InstalledSet>> {
        // Somebody may have learned more since this question was made up.
        let known = || remote.installed_of(&self.access);
        let Some(InstalledAnswer { asked, answer }) = answer else {
            return known();
        };
        match answer {
            Ok(Fetched::New(set, validators)) => {
                set.problems.iter().cloned().for_each(&mut tell);
                Some(remote.learn(&self.access, asked, set, validators))
            }
            Ok(Fetched::Unchanged) => {
                let known = known();
                let problems = known.iter().flat_map(|set| &set.problems);
                problems.cloned().for_each(&mut tell);
                known
            }
            Err(error) => {
                remote.missed_installed(&self.access, &error);
                let known = known();
                let what = "what the account has installed";
                tell(failure(what, &error, known.is_some()));
                known
            }
        }
    }

    /// A directory after this answer: the new one, else what is kept of it.
    fn directory(
        &self,
        remote: &Remote,
        collection: Collection,
        answer: Option<Result<Fetched<Directory>, CatalogError>>,
        mut tell: impl FnMut(Problem),
    ) -> Option<Arc<Directory>> {
        let kept = match collection {
            Collection::Scope(scope) => self
                .cached
                .get(&scope)
                .map(|cached| Arc::new(cached.directory.clone())),
            other => remote.remembered(&self.access, other),
        };
        let directory = match answer {
            Some(Ok(Fetched::New(directory, validators))) => {
                let directory = Arc::new(directory);
                // Half a directory is shown and not kept: the next look begins anew.
                if directory.complete {
                    remote.keep(&self.access, collection, &directory, validators.as_ref());
                }
                match (directory.complete, kept) {
                    // Of the new one only the reason why its end is missing is worth telling.
                    (false, Some(kept)) => {
                        directory.problems.iter().cloned().for_each(&mut tell);
                        Some(kept)
                    }
                    _ => Some(directory),
                }
            }
            Some(Ok(Fetched::Unchanged)) => {
                if let (Collection::Scope(scope), Some(known)) =
                    (collection, self.validators(collection))
                {
                    remote.touch(&self.access, scope, known);
                }
                kept
            }
            Some(Err(error)) => {
                remote.heard(&error);
                tell(failure("the remote catalog", &error, kept.is_some()));
                kept
            }
            None if self.expired && kept.is_none() => None,
            None => kept,
        };
        if let Some(directory) = &directory {
            directory.problems.iter().cloned().for_each(tell);
        }
        directory
    }
}

/// When something that has other things to show stops to wait for the service.
pub(crate) fn deadline(remote: &Remote) -> Instant {
    let patience = match remote.is_silent() {
        true => LITTLE_PATIENCE,
        false => PATIENCE,
    };
    Instant::now() + patience
}

/// Speaks to the service about everything that is open, all at once, under one deadline.
pub(crate) async fn ask(remote: &Remote, call: &Call, question: &Question) -> Answers {
    if question.expired {
        return Answers::default();
    }
    call.progress.report("asking the remote catalog", 0, None);
    let service = remote.service(&question.access);
    let deadline = Some(question.deadline(remote, call));
    let open = question.open();
    let directory = |collection| {
        let known = question.validators(collection);
        let is_open = open.contains(&collection);
        let (service, cancelled) = (&service, call.cancel.cancelled());
        async move {
            if !is_open {
                return None;
            }
            let asked = service.directory(collection, known, deadline, cancelled);
            // Behind a pointer: several of these side by side are too much for a thread's stack.
            Some((collection, Box::pin(asked).await))
        }
    };
    let installed = async {
        let known = remote.installed_validators(&question.access);
        let cancelled = call.cancel.cancelled();
        let (of, known) = (&question.access, known.as_ref());
        let asked = remote.ask_installed(of, Urls::Without, known, deadline, cancelled);
        Box::pin(asked).await
    };
    let featured = async {
        let open = question.wish.featured
            && (question.wish.insists || !remote.has_featured(&question.access));
        match open {
            true => {
                let asked = service.featured(None, deadline, call.cancel.cancelled());
                Some(Box::pin(asked).await)
            }
            false => None,
        }
    };
    let (everybody, workspace, user, vertical, shared, installed, featured) = tokio::join!(
        directory(Collection::Scope(RemoteScope::Global)),
        directory(Collection::Scope(RemoteScope::Workspace)),
        directory(Collection::Scope(RemoteScope::User)),
        directory(Collection::Vertical),
        directory(Collection::SharedWithMe),
        installed,
        featured,
    );
    let directories = [everybody, workspace, user, vertical, shared];
    Answers {
        directories: directories.into_iter().flatten().collect(),
        installed: Some(installed),
        featured,
    }
}

fn failure(what: &str, error: &CatalogError, is_shown: bool) -> Problem {
    unanswered(what, &error_chain(error), is_shown)
}

/// What to tell of something that the service did not say.
pub(crate) fn unanswered(what: &str, chain: &str, is_shown: bool) -> Problem {
    if is_shown {
        let text = format!("{what} is shown as it was known before: {chain}");
        Problem::warning(ProblemKind::RemoteStale, text)
    } else {
        let text = format!("{what} cannot be shown: {chain}");
        Problem::error(ProblemKind::RemoteUnavailable, text)
    }
}

/// Asks what an account has installed of which nothing is known.
pub(crate) async fn first_look(lookup: &Lookup, call: &Call, access: &Access) -> InstalledAnswer {
    let remote = lookup.remote();
    let (deadline, cancelled) = (Some(deadline(remote)), call.cancel.cancelled());
    let asked = remote.ask_installed(access, Urls::Without, None, deadline, cancelled);
    asked.await
}

/// Takes over what came of the first look. Without an answer there is nothing to show, and that is
/// what a first look without a network comes to. Writes a file.
pub(crate) fn take_over(remote: &Remote, access: &Access, answer: InstalledAnswer) {
    match answer.answer {
        Ok(Fetched::New(set, validators)) => {
            remote.learn(access, answer.asked, set, validators);
        }
        Ok(Fetched::Unchanged) => {}
        Err(error) => {
            remote.missed_installed(access, &error);
            tracing::warn!("what the account has installed: {}", error_chain(&error));
        }
    }
}

/// Asks for the directories that were shown although they are old; the next listing shows what came.
/// What fails is asked for again then.
pub(crate) async fn renew_stale(remote: &Remote, call: &Call, blocking: &Blocking) {
    let Some((access, scopes)) = remote.take_stale() else {
        return;
    };
    for scope in scopes {
        let (remote, of) = (remote.clone(), access.clone());
        let validators = {
            let (remote, of) = (remote.clone(), of.clone());
            let kept = blocking.read(move || Ok(remote.cached(&of, scope)));
            kept.await.ok().flatten().and_then(|kept| kept.validators)
        };
        let service = remote.service(&of);
        let collection = Collection::Scope(scope);
        let (deadline, cancelled) = (Instant::now() + LONG_PATIENCE, call.cancel.cancelled());
        let asked = service.directory(collection, validators.as_ref(), Some(deadline), cancelled);
        let answer = asked.await;
        let kept = blocking.write(move || {
            match answer {
                Ok(Fetched::New(directory, new)) if directory.complete => {
                    remote.keep(&of, collection, &Arc::new(directory), new.as_ref());
                }
                Ok(Fetched::New(..)) => {}
                Ok(Fetched::Unchanged) => {
                    if let Some(validators) = &validators {
                        remote.touch(&of, scope, validators);
                    }
                }
                Err(error) => tracing::debug!("the remote catalog: {}", error_chain(&error)),
            }
            Ok(())
        });
        if let Err(error) = kept.await {
            tracing::debug!("the remote catalog is not renewed: {}", error_chain(&error));
        }
    }
}
