//! The account of the remote catalog, as every use case sees it: who is logged in, and what the
//! service said last about what is installed.
//!
//! Invariants:
//! - There is one known set of installed plugins for each account, and everything that depends on it
//!   reads it here. It is what a whole answer said; half of one never takes its place.
//! - What is known belongs to one account: another login sees nothing of it, and without a login
//!   there is none.
//! - Without a network the set of the last time counts, which is kept on disk.
//!
//! Nothing here decides what is listed, installed or removed, and making one asks nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use plugd_catalog::{
    Access, Account, CachedDirectory, Catalog, CatalogError, Collection, CredentialStore,
    Directory, Fetched, InstalledSet, Kept, Login, LoginState, Secret, Service, Urls, Validators,
    read_login,
};
use plugd_config::{CredentialStore as ConfiguredStore, Snapshot};
use plugd_disk::{Disk, DiskError};
use plugd_marketplace::Login as ResolverLogin;
use plugd_model::{Clock, Environment, Layout, PluginId, Problem, RemoteScope, error_chain};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::remote_error::RemoteError;
use crate::remote_known::{Known, is_same_account};
use crate::remote_login::{self, access, resolver_login};
use crate::remote_words::{Asked, Word};
use crate::{Copies, Error};

/// How long a service that was waited for in vain is not waited for as long.
const SILENCE: Duration = Duration::from_secs(30);

/// The account and what is known of it. Clones speak of the same.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    /// Asks for the client of this process once it has said its name.
    catalog: RwLock<Catalog>,
    environment: Environment,
    copies: Copies,
    layout: Layout,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// A token that could not be refreshed, and why.
    unrefreshable: Mutex<Option<(Secret, String)>>,
    /// Held by whoever refreshes the login.
    refreshing: Arc<Semaphore>,
}

/// What the service said is installed, and when it was asked.
pub(crate) struct InstalledAnswer {
    pub(crate) asked: Asked,
    pub(crate) answer: Result<Fetched<InstalledSet>, CatalogError>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

impl Remote {
    /// The account of a home directory. Reads nothing yet.
    #[must_use]
    pub fn new(environment: &Environment, layout: &Layout, copies: &Copies) -> Self {
        Self(Arc::new(Inner {
            catalog: RwLock::new(Catalog::new(environment, layout, copies.disk())),
            copies: copies.clone(),
            layout: layout.clone(),
            clock: Arc::clone(&environment.clock),
            environment: environment.clone(),
            unrefreshable: Mutex::default(),
            refreshing: Arc::new(Semaphore::new(1)),
            known: Mutex::default(),
        }))
    }

    /// From here on the service is asked for a client of this name.
    pub fn name_client(&self, name: &str) {
        let mut catalog = self
            .0
            .catalog
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *catalog = catalog.for_client(name);
    }

    /// The one HTTP client for bundles, and what else belongs to no account.
    pub(crate) fn catalog(&self) -> Catalog {
        let catalog = self
            .0
            .catalog
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        catalog.clone()
    }

    /// Who is logged in, and what is wrong with that. Reads a file.
    pub(crate) fn login(&self, config: &Snapshot) -> LoginState {
        let store = match &config.remote().credential_store {
            ConfiguredStore::File => CredentialStore::File,
            ConfiguredStore::Auto => CredentialStore::Auto,
            ConfiguredStore::Other(word) => CredentialStore::Other(word.clone()),
        };
        let mut state = read_login(self.disk(), &self.0.layout, &store, self.now().as_secs());
        if let Login::Backend(account) = &state.login {
            let unrefreshed = self.why_unrefreshed(account);
            if config.settings().refresh_login {
                remote_login::retell_expired(&mut state.problems, unrefreshed.as_deref());
            }
        }
        state
    }

    /// The login as the resolver wants to know it. Reads a file.
    pub(crate) fn resolver_login(&self, config: &Snapshot) -> ResolverLogin {
        resolver_login(&self.login(config))
    }

    /// What a call to the service needs. Reads a file.
    ///
    /// # Errors
    /// Nobody is logged in, or with an API key; the login cannot be read; it has expired; the
    /// configured address is none that a token may be sent to.
    pub(crate) fn access(&self, config: &Snapshot, action: &'static str) -> Result<Access, Error> {
        let state = self.login(config);
        let account = match state.login {
            Login::None | Login::Unread => return Err(remote_login::without(&state, action)),
            Login::ApiKey => return Err(RemoteError::ApiKey { action }.into()),
            Login::Backend(account) => account,
        };
        let access = access(config, account).ok_or(RemoteError::NoService { action })?;
        if self.is_expired(&access) {
            return Err(self.expired(&access, action));
        }
        Ok(access)
    }

    /// The account for whoever shows what is known of it: also one whose login has expired, with
    /// whether it has, and with what is wrong. Reads a file.
    pub(crate) fn seen(&self, config: &Snapshot) -> Option<(Access, bool, Vec<Problem>)> {
        self.seen_as(config, &self.login(config))
    }

    /// The same for a login that was read already.
    pub(crate) fn seen_as(
        &self,
        config: &Snapshot,
        state: &LoginState,
    ) -> Option<(Access, bool, Vec<Problem>)> {
        let LoginState { login, problems } = state.clone();
        let Login::Backend(account) = login else {
            return None;
        };
        let access = access(config, account)?;
        let expired = self.is_expired(&access);
        Some((access, expired, problems))
    }

    /// The service as this account speaks to it.
    pub(crate) fn service(&self, access: &Access) -> Service {
        self.catalog().service(access)
    }

    /// What is known to be installed for the account that is logged in, also when its login has
    /// expired: local data goes on. May read two files.
    pub(crate) fn installed(&self, config: &Snapshot) -> Option<Arc<InstalledSet>> {
        let (access, _, _) = self.seen(config)?;
        self.installed_of(&access)
    }

    /// What is known to be installed for an account. May read a file.
    pub(crate) fn installed_of(&self, of: &Access) -> Option<Arc<InstalledSet>> {
        if let Some(known) = &self.known(of).installed {
            return known.clone();
        }
        // Without the lock held, since it may take a moment.
        let Kept { value, problems } = self.catalog().saved_installed(of);
        for problem in problems {
            tracing::warn!("what was installed: {}", problem.message);
        }
        // Somebody may have learned it from the service meanwhile.
        self.known(of).looked(value)
    }

    /// What to ask the service with whether the known set still holds.
    pub(crate) fn installed_validators(&self, of: &Access) -> Option<Validators> {
        self.known(of).validators.clone()
    }

    /// Asks what an account has installed.
    pub(crate) async fn ask_installed(
        &self,
        of: &Access,
        urls: Urls,
        known: Option<&Validators>,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> InstalledAnswer {
        let asked = self.known(of).words.now();
        let service = self.service(of);
        let answer = service.installed(None, urls, known, deadline, cancelled);
        InstalledAnswer {
            asked,
            answer: answer.await,
        }
    }

    /// An answer with what the service has noted since it was asked.
    pub(crate) fn corrected(
        &self,
        of: &Access,
        asked: Asked,
        mut set: InstalledSet,
    ) -> InstalledSet {
        self.known(of).words.correct(asked, &mut set);
        set
    }

    /// Takes over what the service has said, and keeps it for the next start. Of an answer whose end is
    /// missing, what it does not speak of is as it was. Answers what is known now. Writes a file.
    pub(crate) fn learn(
        &self,
        of: &Access,
        asked: Asked,
        set: InstalledSet,
        validators: Option<Validators>,
    ) -> Arc<InstalledSet> {
        self.spoke();
        // What is kept on disk counts as long as nothing else is known.
        self.installed_of(of);
        let (now, is_new) = self.known(of).learn(asked, set, validators);
        if is_new {
            self.save(|catalog| catalog.save_installed(of, &now).map(drop));
        }
        now
    }

    /// Takes over what the service has noted. [`Self::keep_noted`] keeps it for the next start.
    pub(crate) fn note(&self, of: &Access, word: Word) {
        self.known(of).note(word);
    }

    /// Keeps what is known after a word of the service. Answers whether anything is known. Reads and
    /// writes a file.
    pub(crate) fn keep_noted(&self, of: &Access) -> bool {
        let Some(known) = self.installed_of(of) else {
            return false;
        };
        self.save(|catalog| catalog.save_installed(of, &known).map(drop));
        true
    }

    /// What is kept of a scope's directory. Reads a file.
    pub(crate) fn cached(&self, of: &Access, scope: RemoteScope) -> Option<CachedDirectory> {
        let kept = self.catalog().cached(of, scope);
        for problem in &kept.problems {
            tracing::debug!("the remote catalog's cache: {}", problem.message);
        }
        kept.value
    }

    /// Keeps a whole directory. Writes a file where there is one for it.
    pub(crate) fn keep(
        &self,
        of: &Access,
        collection: Collection,
        directory: &Arc<Directory>,
        validators: Option<&Validators>,
    ) {
        self.spoke();
        match collection {
            Collection::Scope(scope) => {
                self.save(|catalog| catalog.keep(of, scope, directory, validators).map(drop));
            }
            other => {
                let directory = Arc::clone(directory);
                self.known(of).directories.insert(other, directory);
            }
        }
    }

    /// Notes that a kept directory still holds. Writes a file.
    pub(crate) fn touch(&self, of: &Access, scope: RemoteScope, validators: &Validators) {
        self.spoke();
        self.save(|catalog| catalog.touch(of, scope, validators).map(drop));
    }

    /// A list that is kept in memory only.
    pub(crate) fn remembered(&self, of: &Access, collection: Collection) -> Option<Arc<Directory>> {
        self.known(of).directories.get(&collection).cloned()
    }

    /// Notes directories that were shown although they are old.
    pub(crate) fn note_stale(&self, of: &Access, scopes: impl Iterator<Item = RemoteScope>) {
        self.known(of).stale.extend(scopes);
    }

    /// The directories to renew, which are noted no more.
    pub(crate) fn take_stale(&self) -> Option<(Access, BTreeSet<RemoteScope>)> {
        let mut known = self.held();
        let scopes = std::mem::take(&mut known.stale);
        known
            .of
            .clone()
            .filter(|_| !scopes.is_empty())
            .map(|of| (of, scopes))
    }

    /// Whether the featured ids are known already.
    pub(crate) fn has_featured(&self, of: &Access) -> bool {
        self.known(of).featured.is_some()
    }

    /// The featured ids after this answer: the new ones, else what is known of earlier ones. They are
    /// an adornment, so nobody is told when they are missing. May read or write a file.
    pub(crate) fn featured(
        &self,
        of: &Access,
        answer: Option<Result<Fetched<Vec<String>>, CatalogError>>,
    ) -> Vec<String> {
        match answer {
            Some(Ok(Fetched::New(ids, validators))) => {
                self.known(of).featured = Some(Arc::new(ids.clone()));
                self.save(|catalog| catalog.save_featured(of, &ids, validators.as_ref()));
                return ids;
            }
            Some(Ok(Fetched::Unchanged)) | None => {}
            Some(Err(error)) => tracing::debug!("featured plugins: {}", error_chain(&error)),
        }
        if let Some(known) = &self.known(of).featured {
            return known.as_ref().clone();
        }
        let kept = self.catalog().saved_featured(of).value;
        kept.map_or_else(Vec::new, |kept| kept.ids)
    }

    /// Notes how the service failed: what may pass has been waited for, and is not soon again.
    pub(crate) fn heard(&self, error: &CatalogError) {
        if error.is_retryable() {
            let now = self.now();
            self.held().silent_since = Some(now);
        }
    }

    /// Notes that the service did not say what is installed: what is known of it may be old.
    pub(crate) fn missed_installed(&self, of: &Access, error: &CatalogError) {
        self.heard(error);
        if !error.is_cancelled() {
            self.known(of).unanswered = Some(error_chain(error));
        }
    }

    /// Why what is known to be installed may be old.
    pub(crate) fn unanswered(&self, of: &Access) -> Option<String> {
        self.known(of).unanswered.clone()
    }

    /// Notes which plugins a synchronisation could not bring, and why.
    pub(crate) fn note_troubles(&self, of: &Access, troubles: BTreeMap<PluginId, Problem>) {
        self.known(of).troubles = Arc::new(troubles);
    }

    /// Why the last synchronisation could not bring plugins.
    pub(crate) fn troubles(&self, of: &Access) -> Arc<BTreeMap<PluginId, Problem>> {
        Arc::clone(&self.known(of).troubles)
    }

    /// Whether the service was waited for in vain a moment ago.
    pub(crate) fn is_silent(&self) -> bool {
        let since = self.held().silent_since;
        since.is_some_and(|since| self.now().saturating_sub(since) < SILENCE)
    }

    /// Whether an expired login may be refreshed: the user allows it, and it did not fail before.
    pub(crate) fn may_refresh(&self, config: &Snapshot, account: &Account) -> bool {
        config.settings().refresh_login && account.can_refresh && !self.is_unrefreshable(account)
    }

    /// Whether refreshing the login of this account has failed before.
    pub(crate) fn is_unrefreshable(&self, account: &Account) -> bool {
        self.why_unrefreshed(account).is_some()
    }

    /// Why the login of this account cannot be refreshed.
    fn why_unrefreshed(&self, account: &Account) -> Option<String> {
        if !account.can_refresh {
            return Some("it has no refresh token of its own".to_owned());
        }
        let held = self.unrefreshable();
        let (token, reason) = held.as_ref()?;
        (*token == account.access_token).then(|| reason.clone())
    }

    /// What to answer whoever needs a login that has not expired.
    pub(crate) fn expired(&self, of: &Access, action: &'static str) -> Error {
        let unrefreshed = self.why_unrefreshed(&of.account);
        RemoteError::LoginExpired {
            action,
            unrefreshed,
        }
        .into()
    }

    /// The turn of whoever refreshes the login.
    pub(crate) fn refreshing(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.refreshing)
    }

    /// Waits until nobody refreshes the login: an answer that is on its way must not be lost.
    pub async fn settle(&self) {
        drop(self.0.refreshing.acquire().await);
    }

    /// Notes that the login of this account cannot be refreshed.
    pub(crate) fn note_unrefreshable(&self, account: &Account, reason: &str) {
        *self.unrefreshable() = Some((account.access_token.clone(), reason.to_owned()));
    }

    fn unrefreshable(&self) -> MutexGuard<'_, Option<(Secret, String)>> {
        let held = self.0.unrefreshable.lock();
        held.unwrap_or_else(PoisonError::into_inner)
    }

    fn spoke(&self) {
        self.held().silent_since = None;
    }

    fn is_expired(&self, access: &Access) -> bool {
        access.account.is_expired(self.now().as_secs())
    }

    /// Writes a file that only saves work or time, so a failure is for the log.
    fn save(&self, write: impl FnOnce(&Catalog) -> Result<(), DiskError>) {
        let prepared = self.prepare_state();
        let written = prepared
            .map_err(|error| error_chain(&error))
            .and_then(|()| {
                let written = write(&self.catalog());
                written.map_err(|error| error_chain(&error))
            });
        if let Err(reason) = written {
            tracing::warn!("what the service said is not kept: {reason}");
        }
    }

    /// Makes the state ready for a file of any kind.
    pub(crate) fn prepare_state(&self) -> Result<(), Error> {
        self.0.copies.prepare_state()
    }

    /// The paths of the home directory.
    pub(crate) fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// What the process was started with.
    pub(crate) fn environment(&self) -> &Environment {
        &self.0.environment
    }

    /// The file system.
    pub(crate) fn disk(&self) -> &Disk {
        self.0.copies.disk()
    }

    /// The time since the epoch.
    pub(crate) fn now(&self) -> Duration {
        self.0.clock.now()
    }

    /// What is known of this account; what was known of another one is forgotten. Held for an
    /// assignment only.
    fn known(&self, of: &Access) -> MutexGuard<'_, Known> {
        let mut known = self.held();
        let is_same = known
            .of
            .as_ref()
            .is_some_and(|was| is_same_account(was, of));
        if !is_same {
            *known = known.of_another(of.clone());
        }
        known
    }

    fn held(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
