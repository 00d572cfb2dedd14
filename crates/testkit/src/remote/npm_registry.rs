//! An npm registry on loopback: what packages there are, and their archives.

use plugd_model::hex;
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use sha1::Digest as _;

use super::deflate::endless_zeros;
use super::http_server::{HttpServer, Site};
use super::http_wire::{Body, Reply};
use super::tar::{endless_file, entries, tgz};
use super::{Authority, Behaviour, HttpRequest, TarEntry, base64};
use crate::must;

/// What a client gets when it asks for the short description of a package.
const SHORT: &str = "application/vnd.npm.install-v1+json";

/// Members of a version that the short description leaves out.
const LONG_ONLY: [&str; 2] = ["description", "scripts"];

/// The two things that a client asks a registry for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NpmRequest {
    /// What versions a package has.
    Packument,
    /// The archive of one version.
    Tarball,
}

/// An npm registry. It stops, and closes all connections, when it is dropped.
pub struct NpmRegistry {
    http: HttpServer,
    shelf: Arc<Shelf>,
}

#[derive(Default)]
struct Shelf {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    base: String,
    packages: BTreeMap<String, Package>,
    behaviours: BTreeMap<NpmRequest, Behaviour>,
    authorization: Option<String>,
}

#[derive(Default)]
struct Package {
    tags: Map<String, Value>,
    versions: Map<String, Value>,
    tarballs: BTreeMap<String, Vec<u8>>,
}

impl NpmRegistry {
    /// A registry of plain http.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::run(None)
    }

    /// A registry behind TLS, for `localhost` and `127.0.0.1`.
    #[must_use]
    #[track_caller]
    pub fn start_secure(authority: &Authority) -> Self {
        Self::run(Some(authority))
    }

    #[track_caller]
    fn run(authority: Option<&Authority>) -> Self {
        let shelf = Arc::new(Shelf::default());
        let http = HttpServer::start(Arc::clone(&shelf) as Arc<dyn Site>, authority);
        shelf.lock().base = http.base();
        Self { http, shelf }
    }

    /// Its address with a final `/`, as an `.npmrc` names it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/", self.http.base())
    }

    /// Host, port and path as the keys of an `.npmrc` begin: `//127.0.0.1:1234/`.
    #[must_use]
    pub fn npmrc_key(&self) -> String {
        let url = self.url();
        let at = url.find("//").unwrap_or_default();
        url.get(at..).unwrap_or_default().to_owned()
    }

    /// Scheme, host and port with `localhost`, which is another host to a client.
    #[must_use]
    pub fn base_by_name(&self) -> String {
        self.http.base_by_name()
    }

    /// Publishes a version with the files of a fixture, and lets `latest` mean it. A
    /// `package.json` comes by itself unless the fixture has one.
    #[track_caller]
    pub fn publish(&self, name: &str, version: &str, fixture: &str) {
        let mut files = must(entries(fixture));
        if !files.iter().any(|file| file.path == "package/package.json") {
            let manifest = json!({"name": name, "version": version});
            files.insert(
                0,
                TarEntry::file("package/package.json", manifest.to_string()),
            );
        }
        self.publish_entries(name, version, &files);
    }

    /// Publishes a version with an archive of exactly these entries.
    pub fn publish_entries(&self, name: &str, version: &str, entries: &[TarEntry]) {
        self.publish_bytes(name, version, tgz(entries));
    }

    /// Publishes a version whose archive is this, be it one or not; its digests are right.
    pub fn publish_bytes(&self, name: &str, version: &str, archive: Vec<u8>) {
        let mut state = self.shelf.lock();
        let short = name.rsplit('/').next().unwrap_or(name);
        let file = format!("{short}-{version}.tgz");
        let about = json!({
            "name": name,
            "version": version,
            "description": format!("{name} for tests"),
            "scripts": {"postinstall": "touch /nowhere/else"},
            "dist": {
                "tarball": format!("{}/{name}/-/{file}", state.base),
                "integrity": integrity(&archive),
                "shasum": hex(&sha1::Sha1::digest(&archive)),
            },
        });
        let package = state.packages.entry(name.to_owned()).or_default();
        package.tags.insert("latest".to_owned(), version.into());
        package.versions.insert(version.to_owned(), about);
        package.tarballs.insert(file, archive);
    }

    /// Lets a tag mean a version.
    pub fn tag(&self, name: &str, tag: &str, version: &str) {
        let mut state = self.shelf.lock();
        let package = state.packages.entry(name.to_owned()).or_default();
        package.tags.insert(tag.to_owned(), version.into());
    }

    /// Changes what the registry says of a version, for example to a wrong digest.
    ///
    /// # Panics
    /// There is no such version.
    #[track_caller]
    pub fn edit(&self, name: &str, version: &str, how: impl FnOnce(&mut Value)) {
        let mut state = self.shelf.lock();
        let package = state.packages.get_mut(name);
        match package.and_then(|package| package.versions.get_mut(version)) {
            Some(about) => how(about),
            None => panic!("`{name}` {version} was not published"),
        }
    }

    /// Asks everybody for this header of `Authorization`, for example `Bearer secret`, and answers
    /// 401 to all others.
    pub fn require_authorization(&self, value: &str) {
        self.shelf.lock().authorization = Some(value.to_owned());
    }

    /// From now on does this with one kind of request.
    pub fn behave(&self, request: NpmRequest, behaviour: Behaviour) {
        self.shelf.lock().behaviours.insert(request, behaviour);
    }

    /// From now on answers well.
    pub fn behave_well(&self) {
        self.shelf.lock().behaviours.clear();
    }

    /// Everything that was asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.http.requests()
    }

    /// How often this was asked for, refusals included.
    #[must_use]
    pub fn count(&self, request: NpmRequest) -> usize {
        let requests = self.requests();
        requests.iter().filter(|one| kind(one) == request).count()
    }

    /// How many bytes were sent.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.http.sent()
    }

    /// Forgets what was asked and sent so far.
    pub fn forget(&self) {
        self.http.forget();
    }

    /// Waits until this has been asked for so many times.
    ///
    /// # Panics
    /// It does not happen within twenty seconds.
    #[track_caller]
    pub fn wait_for(&self, request: NpmRequest, count: usize) {
        self.http.wait_for(count, |one| kind(one) == request);
    }

    /// Waits until no client has a connection any more, for example because the process was killed
    /// that had it. An answer that is held at a [`Gate`](crate::Gate) does not notice.
    ///
    /// # Panics
    /// Somebody is still there after twenty seconds.
    #[track_caller]
    pub fn wait_hung_up(&self) {
        self.http.wait_hung_up();
    }
}

/// The digest of an archive as a registry writes it.
fn integrity(archive: &[u8]) -> String {
    let digest = sha2::Sha512::digest(archive);
    format!("sha512-{}", base64::encode(&digest))
}

fn kind(request: &HttpRequest) -> NpmRequest {
    if request.path.contains("/-/") {
        NpmRequest::Tarball
    } else {
        NpmRequest::Packument
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Package {
    fn packument(&self, name: &str, short: bool) -> Value {
        let mut versions = self.versions.clone();
        if short {
            let objects = versions.values_mut().filter_map(Value::as_object_mut);
            objects.for_each(|about| about.retain(|key, _| !LONG_ONLY.contains(&key.as_str())));
            return json!({"name": name, "dist-tags": self.tags, "versions": versions});
        }
        json!({
            "_id": name, "name": name, "dist-tags": self.tags, "versions": versions,
            "readme": "# A readme that nobody needs for an installation\n",
        })
    }
}

impl Site for Shelf {
    fn behaviour(&self, request: &HttpRequest) -> Behaviour {
        let state = self.lock();
        let found = state.behaviours.get(&kind(request));
        found.cloned().unwrap_or_default()
    }

    fn answer(&self, request: &HttpRequest) -> Reply {
        let state = self.lock();
        let wanted = state.authorization.as_deref();
        if wanted.is_some() && wanted != request.header("authorization") {
            return Reply::status(401).header("WWW-Authenticate", "Bearer");
        }
        let path = request.path.replace("%2f", "/").replace("%2F", "/");
        let path = path.replace("%40", "@");
        let path = path.trim_start_matches('/');
        match path.split_once("/-/") {
            Some((name, file)) => {
                let package = state.packages.get(name);
                match package.and_then(|package| package.tarballs.get(file)) {
                    Some(bytes) => {
                        Reply::ok("application/octet-stream", Body::Whole(bytes.clone()))
                    }
                    None => Reply::status(404),
                }
            }
            None => match state.packages.get(path) {
                Some(package) => {
                    let accept = request.header("accept").unwrap_or_default();
                    let short = accept.contains(SHORT);
                    let body = package.packument(path, short).to_string();
                    let content_type = if short { SHORT } else { "application/json" };
                    Reply::ok(content_type, Body::Whole(body.into_bytes()))
                }
                None => Reply::status(404),
            },
        }
    }

    /// An archive whose one file never ends, or a description that is one endless text.
    fn bomb(&self, request: &HttpRequest) -> Reply {
        match kind(request) {
            NpmRequest::Tarball => {
                // The header of gzip, then a stored block with the header of the file.
                let mut head = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
                head.extend_from_slice(&[0, 0, 2, 0xff, 0xfd]);
                head.extend_from_slice(&endless_file());
                let stream = Box::new(Cursor::new(head).chain(endless_zeros()));
                Reply::ok("application/octet-stream", Body::Stream(stream))
            }
            NpmRequest::Packument => {
                let text = Cursor::new(b"{\"name\": \"".to_vec());
                let stream = Box::new(text.chain(std::io::repeat(b'a')));
                Reply::ok("application/json", Body::Stream(stream))
            }
        }
    }
}

#[cfg(test)]
#[path = "npm_registry_tests.rs"]
mod tests;
