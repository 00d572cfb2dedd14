//! An OCI registry on loopback: manifests by tag and digest, blobs by digest, and tokens; and beside
//! it files behind plain addresses, as a web server has them.

use plugd_model::hex;
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::http_server::{HttpServer, Site};
use super::http_wire::{Body, Reply};
use super::tar::entries;
use super::{Behaviour, HttpRequest, TarEntry, base64, tgz};
use crate::must;

/// Where files lie that belong to no repository.
const FILES: &str = "/files/";

/// The token of who has logged in.
const TOKEN: &str = "a-token-of-the-registry";

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OciRequest {
    /// What a tag or digest means, with or without a body.
    Manifest,
    /// An archive.
    Blob,
    /// A token.
    Token,
    /// A file behind a plain address.
    File,
}

/// An OCI registry. It stops, and closes all connections, when it is dropped.
pub struct OciRegistry {
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
    /// By `repository:tag` and `repository@digest`.
    manifests: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<String, Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
    behaviours: BTreeMap<OciRequest, Behaviour>,
    /// User and password, as a header has them.
    login: Option<String>,
}

impl OciRegistry {
    /// A registry of plain http.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let shelf = Arc::new(Shelf::default());
        let http = HttpServer::start(Arc::clone(&shelf) as Arc<dyn Site>, None);
        shelf.lock().base = http.base();
        Self { http, shelf }
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.http.base().replace("http://", "")
    }

    /// Scheme, host and port with `localhost`, which is another host to a client.
    #[must_use]
    pub fn base_by_name(&self) -> String {
        self.http.base_by_name()
    }

    /// The reference of an artifact, such as `oci://127.0.0.1:1234/team/tool:1`.
    #[must_use]
    pub fn reference(&self, artifact: &str) -> String {
        format!("oci://{}/{artifact}", self.host())
    }

    /// Pushes the files of a fixture as `repository:tag`; what the tag means now.
    #[track_caller]
    pub fn push(&self, artifact: &str, fixture: &str) -> String {
        self.push_bytes(artifact, archive_of(fixture))
    }

    /// Pushes an archive of exactly these entries.
    pub fn push_entries(&self, artifact: &str, entries: &[TarEntry]) -> String {
        self.push_bytes(artifact, tgz(entries))
    }

    /// Pushes an archive, be it one or not.
    pub fn push_bytes(&self, artifact: &str, archive: Vec<u8>) -> String {
        let blob = digest(&archive);
        let layer = json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": blob, "size": archive.len(),
            "annotations": {"org.opencontainers.image.title": "bundle.tar.gz"},
        });
        self.shelf.lock().blobs.insert(blob, archive);
        self.push_manifest(artifact, &json!({"schemaVersion": 2, "layers": [layer]}))
    }

    /// Lets a tag mean what this says, whatever it is.
    pub fn push_manifest(&self, artifact: &str, manifest: &Value) -> String {
        let manifest = manifest.to_string().into_bytes();
        let digest = digest(&manifest);
        let repository = artifact
            .rsplit_once(':')
            .map_or(artifact, |(front, _)| front);
        let mut state = self.shelf.lock();
        let by_digest = format!("{repository}@{digest}");
        state.manifests.insert(by_digest, manifest.clone());
        state.manifests.insert(artifact.to_owned(), manifest);
        digest
    }

    /// Puts other bytes in the place of every blob, of the same length.
    pub fn tamper(&self) {
        for blob in self.shelf.lock().blobs.values_mut() {
            let middle = blob.len() / 2;
            if let Some(byte) = blob.get_mut(middle) {
                *byte ^= 0xff;
            }
        }
    }

    /// Puts an archive with the files of a fixture behind a plain address; the address, and the
    /// digest of the archive.
    #[track_caller]
    pub fn file(&self, name: &str, fixture: &str) -> (String, String) {
        let archive = archive_of(fixture);
        let digest = digest(&archive);
        self.shelf.lock().files.insert(name.to_owned(), archive);
        (format!("{}{FILES}{name}", self.http.base()), digest)
    }

    /// Asks everybody for a token, and for this user and password before there is one.
    pub fn require_login(&self, user: &str, password: &str) {
        let pair = base64::encode(format!("{user}:{password}").as_bytes());
        self.shelf.lock().login = Some(format!("Basic {pair}"));
    }

    /// The `auth` of a docker config for a user and password.
    #[must_use]
    pub fn docker_auth(user: &str, password: &str) -> String {
        base64::encode(format!("{user}:{password}").as_bytes())
    }

    /// The digest of some bytes as registries write it.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> String {
        digest(bytes)
    }

    /// From now on does this with one kind of request.
    pub fn behave(&self, request: OciRequest, behaviour: Behaviour) {
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
    pub fn count(&self, request: OciRequest) -> usize {
        let requests = self.requests();
        requests.iter().filter(|one| kind(one) == request).count()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        self.http.forget();
    }

    /// Waits until this has been asked for so many times.
    ///
    /// # Panics
    /// It does not happen within twenty seconds.
    #[track_caller]
    pub fn wait_for(&self, request: OciRequest, count: usize) {
        self.http.wait_for(count, |one| kind(one) == request);
    }
}

fn archive_of(fixture: &str) -> Vec<u8> {
    let mut files = must(entries(fixture));
    for file in &mut files {
        if let Some(path) = file.path.strip_prefix("package/") {
            file.path = path.to_owned();
        }
    }
    tgz(&files)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn kind(request: &HttpRequest) -> OciRequest {
    match request.path.as_str() {
        "/token" => OciRequest::Token,
        path if path.starts_with(FILES) => OciRequest::File,
        path if path.contains("/blobs/") => OciRequest::Blob,
        _ => OciRequest::Manifest,
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn token(&self, request: &HttpRequest) -> Reply {
        let wanted = self.login.as_deref();
        if wanted.is_some() && wanted != request.header("authorization") {
            return Reply::status(401);
        }
        let body = json!({"token": TOKEN, "expires_in": 300}).to_string();
        Reply::ok("application/json", Body::Whole(body.into_bytes()))
    }

    /// The refusal of who has no token, where one is wanted.
    fn refusal(&self, request: &HttpRequest) -> Option<Reply> {
        let bearer = format!("Bearer {TOKEN}");
        if self.login.is_none() || request.header("authorization") == Some(&bearer) {
            return None;
        }
        let challenge = format!(
            "Bearer realm=\"{}/token\",service=\"the registry\"",
            self.base
        );
        Some(Reply::status(401).header("WWW-Authenticate", challenge))
    }

    fn manifest(&self, repository: &str, name: &str) -> Reply {
        let mark = if name.starts_with("sha256:") {
            '@'
        } else {
            ':'
        };
        match self.manifests.get(&format!("{repository}{mark}{name}")) {
            Some(manifest) => Reply::ok(
                "application/vnd.oci.image.manifest.v1+json",
                Body::Whole(manifest.clone()),
            )
            .header("Docker-Content-Digest", digest(manifest)),
            None => Reply::status(404),
        }
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
        let bytes = |found: Option<&Vec<u8>>| match found {
            Some(bytes) => Reply::ok("application/octet-stream", Body::Whole(bytes.clone())),
            None => Reply::status(404),
        };
        if kind(request) == OciRequest::Token {
            return state.token(request);
        }
        if let Some(name) = request.path.strip_prefix(FILES) {
            let found = state.files.get(name);
            let tag = found.map(|bytes| format!("\"{}\"", digest(bytes)));
            if tag.is_some() && tag.as_deref() == request.header("if-none-match") {
                return Reply::status(304);
            }
            return bytes(found).header("ETag", tag.unwrap_or_default());
        }
        if let Some(refusal) = state.refusal(request) {
            return refusal;
        }
        let path = request.path.strip_prefix("/v2/").unwrap_or_default();
        let of = |what: &str| path.rsplit_once(what);
        match (of("/manifests/"), of("/blobs/")) {
            (Some((repository, name)), _) => state.manifest(repository, name),
            (_, Some((_, digest))) => bytes(state.blobs.get(digest)),
            _ => Reply::status(404),
        }
    }

    /// A text that never ends.
    fn bomb(&self, _: &HttpRequest) -> Reply {
        let text = Cursor::new(b"{\"layers\": \"".to_vec());
        let stream = Box::new(text.chain(std::io::repeat(b'a')));
        Reply::ok("application/json", Body::Stream(stream))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::{OciRegistry, OciRequest};

    /// The whole answer to a request whose connection ends with it.
    fn ask(registry: &OciRegistry, line: &str) -> String {
        let mut stream = TcpStream::connect(registry.host()).unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn what_was_pushed_is_there_by_tag_and_digest() {
        let registry = OciRegistry::start();
        let digest = registry.push("team/tool:1", "== a\nx\n");
        let head = ask(&registry, "HEAD /v2/team/tool/manifests/1");
        assert!(
            head.contains(&format!("Docker-Content-Digest: {digest}")),
            "{head}"
        );
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        let by_digest = ask(&registry, &format!("GET /v2/team/tool/manifests/{digest}"));
        assert!(by_digest.contains("\"layers\""), "{by_digest}");
        let gone = ask(&registry, "GET /v2/team/tool/manifests/2");
        assert!(gone.starts_with("HTTP/1.1 404"), "{gone}");
        assert_eq!(registry.count(OciRequest::Manifest), 3);
    }

    #[test]
    fn who_has_no_token_is_sent_for_one() {
        let registry = OciRegistry::start();
        registry.push("t:1", "== a\nx\n");
        registry.require_login("ada", "pass");
        let refused = ask(&registry, "GET /v2/t/manifests/1");
        assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
        assert!(refused.contains("/token\""), "{refused}");
        assert!(ask(&registry, "GET /token").starts_with("HTTP/1.1 401"));
    }

    #[test]
    fn files_have_an_etag() {
        let registry = OciRegistry::start();
        let (url, digest) = registry.file("a.tar.gz", "== a\nx\n");
        assert!(url.ends_with("/files/a.tar.gz"), "{url}");
        let answer = ask(&registry, "GET /files/a.tar.gz");
        assert!(answer.contains(&format!("ETag: \"{digest}\"")), "{answer}");
    }
}
