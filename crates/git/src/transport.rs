//! Our own transports for libgit2: smart HTTP over the one HTTP client, ssh over the user's program.
//!
//! libgit2 sees addresses of the form `plugd://7/`. The number leads to the real address in
//! [`Remotes`], so credentials never reach libgit2 or its errors, and its own rewriting of addresses
//! does not touch what ours has decided.
//!
//! An error of libgit2 is one line of text. What really happened is left in [`Remotes`], where the
//! mirror picks it up.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport, register};

use plugd_model::Environment;

use crate::Address;
use crate::address::Kind;
use crate::config::UserConfig;
use crate::credentials::{Attempt, Login, known_logins};
use crate::failure::{Failure, quoted};
use crate::http::Http;
use crate::progress::Meter;
use crate::smart_http::HttpRemote;
use crate::ssh::SshRemote;

const SCHEME: &str = "plugd";

/// The remotes of one run, and what went wrong with the last one.
pub(crate) struct Remotes {
    pub(crate) http: Box<dyn Http>,
    pub(crate) user: Arc<UserConfig>,
    pub(crate) environment: Environment,
    pub(crate) meter: Arc<Meter>,
    addresses: Mutex<Vec<Address>>,
    failure: Mutex<Option<Failure>>,
    /// Every form of every login that a server was told. It may repeat them.
    secrets: Mutex<Vec<String>>,
    /// How long a server may be silent before its transport gives up by itself.
    patience: Mutex<Option<Duration>>,
    /// Of which addresses the helpers were asked only to learn what git was told by them.
    learnt: Mutex<Vec<Address>>,
}

impl Remotes {
    pub(crate) fn new(
        http: Box<dyn Http>,
        user: Arc<UserConfig>,
        environment: Environment,
        meter: Arc<Meter>,
    ) -> Self {
        Self {
            http,
            user,
            environment,
            meter,
            addresses: Mutex::default(),
            failure: Mutex::default(),
            secrets: Mutex::default(),
            patience: Mutex::default(),
            learnt: Mutex::default(),
        }
    }

    /// Sets how long a server may be silent. Without a limit the process that watches this one has
    /// the only one, and ends all of the work.
    pub(crate) fn set_patience(&self, patience: Option<Duration>) {
        *lock(&self.patience) = patience;
    }

    pub(crate) fn patience(&self) -> Option<Duration> {
        *lock(&self.patience)
    }

    /// Keeps a login out of every text from here on.
    pub(crate) fn hide(&self, login: &Login) {
        lock(&self.secrets).extend(login.forms());
    }

    /// The same for other texts.
    pub(crate) fn hide_texts(&self, texts: Vec<String>) {
        lock(&self.secrets).extend(texts);
    }

    /// The same for the logins that the git command may have used.
    pub(crate) fn hide_all(&self, attempts: &[Attempt], address: &Address) {
        self.hide_texts(self.user.extra_headers(&address.shown()).secrets());
        let mut learnt = lock(&self.learnt);
        if !learnt.contains(address) {
            learnt.push(address.clone());
            for login in known_logins(attempts, address, &self.user, &self.environment) {
                self.hide(&login);
            }
        }
    }

    /// What a stranger said about an address, fit for an error.
    pub(crate) fn quoted(&self, text: &str, address: &Address) -> String {
        quoted(text, &self.secrets(address))
    }

    /// What must not stand in a text about an address.
    pub(crate) fn secrets(&self, address: &Address) -> Vec<String> {
        let mut secrets = lock(&self.secrets).clone();
        secrets.extend(address.secrets());
        // One may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        secrets
    }

    /// Makes an address known; the answer is what libgit2 is told instead.
    pub(crate) fn enter(&self, address: &Address) -> String {
        let mut addresses = lock(&self.addresses);
        addresses.push(address.clone());
        format!("{SCHEME}://{}/", addresses.len() - 1)
    }

    fn address(&self, url: &str) -> Option<Address> {
        let number = url.strip_prefix(SCHEME)?.strip_prefix("://")?;
        let number: usize = number.trim_end_matches('/').parse().ok()?;
        lock(&self.addresses).get(number).cloned()
    }

    /// What went wrong since the last call.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        lock(&self.failure).take()
    }

    /// Remembers what went wrong, and makes an error of it that libgit2 understands.
    pub(crate) fn fail(&self, failure: Failure) -> io::Error {
        let error = io::Error::other("the transport failed");
        // The first failure is the cause; what follows from it is noise.
        lock(&self.failure).get_or_insert(failure);
        error
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes libgit2 use our transports, for the life of the process. Called once.
#[expect(
    unsafe_code,
    reason = "libgit2's list of transports has no lock: this is called once, by the worker's entry, \
              before any other call of libgit2 and before any other thread can use a transport"
)]
pub(crate) fn install(remotes: &Arc<Remotes>) -> Result<(), git2::Error> {
    let remotes = Arc::clone(remotes);
    // SAFETY: see the reason above.
    unsafe {
        register(SCHEME, move |remote| {
            let unknown = || git2::Error::from_str("an address that nobody entered");
            let address = remotes.address(remote.url()?).ok_or_else(unknown)?;
            let remotes = Arc::clone(&remotes);
            match &address.kind {
                Kind::Http => {
                    let http = HttpRemote::new(remotes, address);
                    Transport::smart(remote, true, Line(http))
                }
                Kind::Ssh(target) => {
                    let ssh = SshRemote::new(remotes, address.clone(), target.clone());
                    Transport::smart(remote, false, Line(ssh))
                }
                Kind::Local(_) => Err(unknown()),
            }
        })
    }
}

/// One connection, whatever it goes over.
pub(crate) trait Connection: Send + 'static {
    /// Begins a service; what it answers is read and written until the next one begins.
    fn begin(&self, service: Service) -> io::Result<Box<dyn SmartSubtransportStream>>;
}

struct Line<C>(C);

impl<C: Connection> SmartSubtransport for Line<C> {
    fn action(
        &self,
        _url: &str,
        service: Service,
    ) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        self.0
            .begin(service)
            .map_err(|error| git2::Error::from_str(&error.to_string()))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}
