//! The hosted plugin service, on loopback: directory, installed set, bundles, sharing and the
//! renewal of tokens, and everything that can go wrong with them.
//!
//! A test says what there is ([`Item`], [`Bundle`]), who may ask ([`Login`]) and what goes wrong
//! ([`Fault`]) at any time, drives the program, and looks at what was asked ([`ServiceRequest`]).
//!
//! Invariants:
//! - The service answers by its own state alone, and refuses what it would not have been asked by a
//!   correct client: another token, a strange word in a query, a page token that it did not give.
//! - A bundle and an upload need no login; the log shows whether a client sent one all the same.
//! - Every wait has a deadline. Dropping the service ends its connections, also those at a gate.
//!
//! It must not know what the program makes of an answer.

mod answer;
mod bundle;
mod connection;
mod endpoint;
mod fault;
mod item;
mod log;
mod login;
#[cfg(test)]
mod raw_client;
mod sharing;
mod world;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

pub use self::answer::sha256_hex;
pub use self::bundle::Bundle;
use self::connection::{Listener, Shared, State};
pub use self::endpoint::Endpoint;
use self::endpoint::{PREFIX, TOKEN_PATH};
pub use self::fault::{Edit, Fault};
pub use self::item::Item;
pub use self::log::ServiceRequest;
pub use self::login::Login;
pub use self::sharing::Upload;
use self::world::World;
use crate::{Authority, must};

/// How long a test waits for something to be asked.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a bundle is offered, and where a redirect leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain http on loopback.
    Http,
    /// TLS on loopback, at another port.
    Https,
}

/// The plugin service. It stops, and closes all connections, when it is dropped.
pub struct PluginService {
    plain: Listener,
    secure: Option<Listener>,
    shared: Arc<Shared>,
}

impl PluginService {
    /// An empty service of plain http, for [`PluginService::login`] only.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        must(Self::run(None))
    }

    /// The same with a second port that speaks TLS, where bundles are offered from.
    #[must_use]
    #[track_caller]
    pub fn start_with_tls(authority: &Authority) -> Self {
        must(Self::run(Some(authority)))
    }

    fn run(authority: Option<&Authority>) -> Result<Self> {
        let shared = Shared::new(World::new(Login::chatgpt("account-1", "plus")));
        let plain = Listener::start(&shared, None)?;
        let secure = match authority {
            Some(authority) => Some(Listener::start(&shared, Some(authority.clone()))?),
            None => None,
        };
        let mut state = shared.lock();
        state.world.plain = format!("http://{}", plain.address());
        if let Some(secure) = &secure {
            state.world.secure = Some(format!("https://{}", secure.address()));
            state.world.route = vec![Scheme::Https];
        }
        drop(state);
        Ok(Self {
            plain,
            secure,
            shared,
        })
    }

    /// What `chatgpt_base_url` has to name, without a final `/`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}{PREFIX}", self.plain.address())
    }

    /// The same under the other name of this machine, which is another host to a client.
    #[must_use]
    pub fn base_by_name(&self) -> String {
        self.base().replace("127.0.0.1", "localhost")
    }

    /// The same base at the port that speaks TLS.
    #[must_use]
    pub fn secure_base(&self) -> Option<String> {
        let secure = self.secure.as_ref()?;
        Some(format!("https://{}{PREFIX}", secure.address()))
    }

    /// What `CODEX_REFRESH_TOKEN_URL_OVERRIDE` has to name.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("http://{}{TOKEN_PATH}", self.plain.address())
    }

    fn world<T>(&self, how: impl FnOnce(&mut World) -> T) -> T {
        how(&mut self.shared.lock().world)
    }
}

/// Who may ask.
impl PluginService {
    /// The login that the service takes at present. Renewing it changes it.
    #[must_use]
    pub fn login(&self) -> Login {
        self.world(|world| world.login.clone())
    }

    /// Takes this login and no other from now on. One that has expired gets nothing but renewed.
    pub fn admit(&self, login: &Login) {
        self.world(|world| {
            login.access_token().clone_into(&mut world.token);
            world.account = login.account_id().map(str::to_owned);
            world.login = login.clone();
        });
    }

    /// Takes this token instead of that of the login.
    pub fn set_token(&self, token: &str) {
        self.world(|world| token.clone_into(&mut world.token));
    }

    /// Takes this account id only, or does not look at it.
    pub fn set_account(&self, account: Option<&str>) {
        self.world(|world| world.account = account.map(str::to_owned));
    }
}

/// What there is.
impl PluginService {
    /// Puts an item into the directory, in the place of the one with its id or behind all others.
    /// A plugin that was withdrawn is back.
    pub fn offer(&self, item: Item) {
        self.world(|world| world.offer(item));
    }

    /// Offers an item, and a bundle for its version.
    pub fn offer_with(&self, item: Item, bundle: &Bundle) {
        let version = item.text("release/version").unwrap_or_default().to_owned();
        self.publish(item.id(), &version, bundle.build());
        self.offer(item);
    }

    /// Offers an item, and a plain bundle with its name, its version and one skill.
    pub fn offer_plugin(&self, item: Item) {
        let text = |path: &str| item.text(path).unwrap_or_default().to_owned();
        let bundle = Bundle::new(&text("name"), &text("release/version"));
        let skill = "---\nname: hello\ndescription: says hello\n---\nSay hello.\n";
        self.offer_with(item, &bundle.file("skills/hello/SKILL.md", skill));
    }

    /// Sets one member of an item, named as in [`Item::set`].
    ///
    /// # Panics
    /// There is no item with this id.
    #[track_caller]
    pub fn set(&self, id: &str, path: &str, value: impl Into<Value>) {
        let item = self.world(|world| world.item(id).cloned());
        match item {
            Some(item) => self.world(|world| world.offer(item.set(path, value))),
            None => panic!("`{id}` was not offered"),
        }
    }

    /// Takes a plugin out of the directory; who has it installed keeps it in the installed set.
    pub fn withdraw(&self, id: &str) {
        self.world(|world| world.withdrawn.insert(id.to_owned()));
    }

    /// Gives a bundle its bytes, be they one or not.
    pub fn publish(&self, id: &str, version: &str, bytes: Vec<u8>) {
        let key = (id.to_owned(), version.to_owned());
        self.world(|world| world.bundles.insert(key, bytes));
    }

    /// Where the bundle of a version is offered.
    #[must_use]
    pub fn bundle_url(&self, id: &str, version: &str) -> String {
        self.world(|world| world.bundle_url(id, version))
    }

    /// Says where bundles come from: the first is the scheme of the address that the service
    /// names, each further one a redirect to there.
    ///
    /// # Panics
    /// The route is empty, or needs TLS that the service was not started with.
    #[track_caller]
    pub fn set_bundle_route(&self, route: &[Scheme]) {
        assert!(!route.is_empty(), "a bundle has to come from somewhere");
        let plain_only = route.iter().all(|scheme| *scheme == Scheme::Http);
        assert!(plain_only || self.secure.is_some(), "there is no TLS here");
        self.world(|world| world.route = route.to_vec());
    }

    /// Puts a plugin into the installed set, enabled or not.
    pub fn set_installed(&self, id: &str, enabled: bool) {
        self.world(|world| world.installed(id).enabled = enabled);
    }

    /// Sets a member that only installed plugins have, for example `disabled_skill_names` or
    /// `installed_at`; a plugin that was not installed is.
    pub fn set_installed_member(&self, id: &str, name: &str, value: impl Into<Value>) {
        self.world(|world| {
            let members = &mut world.installed(id).members;
            members.insert(name.to_owned(), value.into());
        });
    }

    /// Takes a plugin out of the installed set.
    pub fn remove_installed(&self, id: &str) {
        self.world(|world| world.installed.retain(|(one, _)| one != id));
    }

    /// The installed set: ids in order, and whether they are enabled.
    #[must_use]
    pub fn installed(&self) -> Vec<(String, bool)> {
        self.world(|world| {
            let all = world.installed.iter();
            all.map(|(id, one)| (id.clone(), one.enabled)).collect()
        })
    }

    /// What others share with the account.
    pub fn set_shared_with_me(&self, ids: &[&str]) {
        self.world(|world| world.shared = owned(ids));
    }

    /// What the account shares.
    pub fn set_created(&self, ids: &[&str]) {
        self.world(|world| world.created = owned(ids));
    }

    /// The keys of the featured plugins.
    pub fn set_featured(&self, keys: &[&str]) {
        self.world(|world| world.featured = json!(keys));
    }

    /// The plugins that are suggested; nothing switches suggestions off.
    pub fn set_suggested(&self, ids: Option<&[&str]>) {
        self.world(|world| world.suggested = ids.map(owned));
    }

    /// Gives an app its name.
    pub fn set_app(&self, id: &str, name: &str) {
        self.set_app_raw(id, json!({"id": id, "name": name}));
    }

    /// Gives an app all its members.
    pub fn set_app_raw(&self, id: &str, app: Value) {
        self.world(|world| world.apps.insert(id.to_owned(), app));
    }

    /// The apps that the service says need a login when this plugin is installed.
    pub fn set_apps_needing_auth(&self, id: &str, apps: &[&str]) {
        self.world(|world| world.needing_auth.insert(id.to_owned(), owned(apps)));
    }

    /// Gives a skill its text, or says that it has none.
    pub fn set_skill(&self, id: &str, name: &str, text: Option<&str>) {
        let key = (id.to_owned(), name.to_owned());
        self.world(|world| world.skills.insert(key, text.map(str::to_owned)));
    }

    /// Every archive that a client has put or was going to put.
    #[must_use]
    pub fn uploads(&self) -> Vec<Upload> {
        self.world(|world| world.uploads.clone())
    }

    /// A page holds no more than so many items.
    pub fn set_page_size(&self, items: usize) {
        self.world(|world| world.page = items.max(1));
    }

    /// Hands out ETags and answers conditional requests, or does not, as at the start.
    pub fn set_etags(&self, on: bool) {
        self.world(|world| world.etags = on);
    }
}

/// What goes wrong.
impl PluginService {
    /// From now on and for ever.
    pub fn fail(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.lock().plan(endpoint).always = Some(fault);
    }

    /// For the next so many requests, behind those faults that were planned so before.
    pub fn fail_times(&self, endpoint: Endpoint, times: usize, fault: Fault) {
        let mut state = self.shared.lock();
        state.plan(endpoint).next.push_back((times, fault));
    }

    /// For ever, and only for requests like this: one scope, one page, one plugin. It goes before
    /// all other faults.
    pub fn fail_if(
        &self,
        endpoint: Endpoint,
        fits: impl Fn(&ServiceRequest) -> bool + Send + Sync + 'static,
        fault: Fault,
    ) {
        let mut state = self.shared.lock();
        state.plan(endpoint).certain.push((Arc::new(fits), fault));
    }

    /// From now on answers well here. An answer that is held stays so.
    pub fn heal(&self, endpoint: Endpoint) {
        self.shared.lock().plans.remove(&endpoint);
    }

    /// From now on answers well everywhere. An answer that is held stays so.
    pub fn behave_well(&self) {
        self.shared.lock().plans.clear();
    }
}

/// What was asked.
impl PluginService {
    /// Everything that was asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<ServiceRequest> {
        entries(&self.shared.lock())
    }

    /// What was asked of one endpoint, in order.
    #[must_use]
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<ServiceRequest> {
        let mut requests = self.requests();
        requests.retain(|one| one.endpoint == Some(endpoint));
        requests
    }

    /// Everything that was asked, one line each; see [`ServiceRequest::line`].
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.requests().iter().map(ServiceRequest::line).collect()
    }

    /// How often this was asked for, refusals included.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.requests_to(endpoint).len()
    }

    /// How many bytes were sent.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.shared.lock().sent
    }

    /// Forgets what was asked and sent so far.
    pub fn forget(&self) {
        let mut state = self.shared.lock();
        state.log.clear();
        state.sent = 0;
    }

    /// Waits until the log is so. It is looked at whenever a request comes in and whenever an
    /// answer has gone out.
    ///
    /// # Panics
    /// It does not happen within twenty seconds.
    #[track_caller]
    pub fn wait_for(&self, met: impl Fn(&[ServiceRequest]) -> bool) {
        let state = self.shared.wait(PATIENCE, |state| met(&entries(state)));
        let log = entries(&state);
        drop(state);
        assert!(met(&log), "it did not happen; asked was:\n{}", shown(&log));
    }

    /// Waits until this has been asked for so many times.
    ///
    /// # Panics
    /// It does not happen within twenty seconds.
    #[track_caller]
    pub fn wait_asked(&self, endpoint: Endpoint, times: usize) {
        self.wait_for(|log| {
            let asked = log.iter().filter(|one| one.endpoint == Some(endpoint));
            asked.count() >= times
        });
    }

    /// Waits until this has been answered so many times, to the last byte.
    ///
    /// # Panics
    /// It does not happen within twenty seconds.
    #[track_caller]
    pub fn wait_answered(&self, endpoint: Endpoint, times: usize) {
        self.wait_for(|log| {
            let asked = log.iter().filter(|one| one.endpoint == Some(endpoint));
            asked.filter(|one| one.answered.is_some()).count() >= times
        });
    }

    /// Waits until no client has a connection any more, for example because the process was killed
    /// that had it. An answer that is held at a [`Gate`](crate::Gate) does not notice.
    ///
    /// # Panics
    /// Somebody is still there after twenty seconds.
    #[track_caller]
    pub fn wait_hung_up(&self) {
        let state = self.shared.wait(PATIENCE, |state| state.sockets.is_empty());
        let left = state.sockets.len();
        drop(state);
        assert_eq!(left, 0, "connections that nobody closed");
    }
}

impl Drop for PluginService {
    fn drop(&mut self) {
        self.shared.stop();
        self.plain.join();
        if let Some(secure) = &mut self.secure {
            secure.join();
        }
        self.shared.join();
    }
}

fn entries(state: &State) -> Vec<ServiceRequest> {
    state
        .log
        .iter()
        .map(|(_, request)| request.clone())
        .collect()
}

fn shown(log: &[ServiceRequest]) -> String {
    let line = |one: &ServiceRequest| match one.answered {
        Some(status) => format!("{} -> {status}\n", one.line()),
        None => format!("{} -> not answered\n", one.line()),
    };
    log.iter().map(line).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
