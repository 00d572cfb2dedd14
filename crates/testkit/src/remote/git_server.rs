//! A git server that speaks smart HTTP on loopback without a git binary.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use super::http_server::{HttpServer, Site};
use super::http_wire::{Body, Reply};
use super::upload_pack::{advertise, step, step_with_bomb};
use super::{Authority, Behaviour, GitRepo, HttpRequest, base64};

/// The two things that a client asks a git server for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GitRequest {
    /// The list of refs: `GET .../info/refs`.
    InfoRefs,
    /// One step of a fetch: `POST .../git-upload-pack`.
    UploadPack,
}

/// A git server. It stops, and closes all connections, when it is dropped.
pub struct GitServer {
    http: HttpServer,
    repos: Arc<Repos>,
}

#[derive(Default)]
struct Repos {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    repos: BTreeMap<String, GitRepo>,
    behaviours: BTreeMap<GitRequest, Behaviour>,
    login: Option<String>,
}

impl GitServer {
    /// A server of plain http.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::run(None)
    }

    /// A server behind TLS, for `localhost` and `127.0.0.1`.
    #[must_use]
    #[track_caller]
    pub fn start_secure(authority: &Authority) -> Self {
        Self::run(Some(authority))
    }

    #[track_caller]
    fn run(authority: Option<&Authority>) -> Self {
        let repos = Arc::new(Repos::default());
        let http = HttpServer::start(Arc::clone(&repos) as Arc<dyn Site>, authority);
        Self { http, repos }
    }

    /// Serves a repository at a path such as `team/tools.git`; returns its address.
    pub fn serve(&self, path: &str, repo: &GitRepo) -> String {
        let mut state = self.repos.lock();
        state.repos.insert(format!("/{path}"), repo.clone());
        drop(state);
        format!("{}/{path}", self.base())
    }

    /// Serves a repository no longer.
    pub fn withdraw(&self, path: &str) {
        self.repos.lock().repos.remove(&format!("/{path}"));
    }

    /// Scheme, host and port, without a final `/`.
    #[must_use]
    pub fn base(&self) -> String {
        self.http.base()
    }

    /// The same with `localhost`, which is another host to a client.
    #[must_use]
    pub fn base_by_name(&self) -> String {
        self.http.base_by_name()
    }

    /// From now on does this with one kind of request.
    pub fn behave(&self, request: GitRequest, behaviour: Behaviour) {
        self.repos.lock().behaviours.insert(request, behaviour);
    }

    /// From now on answers well.
    pub fn behave_well(&self) {
        self.repos.lock().behaviours.clear();
    }

    /// Asks everybody for this login, and answers 401 to all others.
    pub fn require_login(&self, user: &str, password: &str) {
        let login = base64::encode(format!("{user}:{password}").as_bytes());
        self.repos.lock().login = Some(format!("Basic {login}"));
    }

    /// Everything that was asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.http.requests()
    }

    /// How often this was asked for, refusals included.
    #[must_use]
    pub fn count(&self, request: GitRequest) -> usize {
        let requests = self.requests();
        let same = requests.iter().filter(|one| kind(one) == Some(request));
        same.count()
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
    pub fn wait_for(&self, request: GitRequest, count: usize) {
        self.http.wait_for(count, |one| kind(one) == Some(request));
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

fn kind(request: &HttpRequest) -> Option<GitRequest> {
    match request.method.as_str() {
        "GET" if request.path.ends_with("/info/refs") => Some(GitRequest::InfoRefs),
        "POST" if request.path.ends_with("/git-upload-pack") => Some(GitRequest::UploadPack),
        _ => None,
    }
}

fn content_type(request: GitRequest) -> &'static str {
    match request {
        GitRequest::InfoRefs => "application/x-git-upload-pack-advertisement",
        GitRequest::UploadPack => "application/x-git-upload-pack-result",
    }
}

impl Repos {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn repo(&self, path: &str) -> Option<GitRepo> {
        let path = path
            .strip_suffix("/info/refs")
            .or_else(|| path.strip_suffix("/git-upload-pack"))?;
        self.lock().repos.get(path).cloned()
    }

    fn serve(&self, kind: GitRequest, repo: &GitRepo, request: &HttpRequest) -> Result<Reply> {
        let repository = repo.open()?;
        let body = match kind {
            GitRequest::InfoRefs => Body::Whole(advertise(&repository)?),
            GitRequest::UploadPack => Body::Chunked(step(&repository, &request.body)?),
        };
        Ok(Reply::ok(content_type(kind), body).header("Cache-Control", "no-cache"))
    }
}

impl Site for Repos {
    fn behaviour(&self, request: &HttpRequest) -> Behaviour {
        let state = self.lock();
        let found = kind(request).and_then(|kind| state.behaviours.get(&kind));
        found.cloned().unwrap_or_default()
    }

    fn answer(&self, request: &HttpRequest) -> Reply {
        let wanted = self.lock().login.clone();
        if wanted.is_some() && wanted.as_deref() != request.header("authorization") {
            return Reply::status(401).header("WWW-Authenticate", "Basic realm=\"testkit\"");
        }
        let (Some(kind), Some(repo)) = (kind(request), self.repo(&request.path)) else {
            return Reply::status(404);
        };
        // A client that does not ask for the smart protocol would get files, which nobody serves.
        if kind == GitRequest::InfoRefs && request.query != "service=git-upload-pack" {
            return Reply::status(403);
        }
        match self.serve(kind, &repo, request) {
            Ok(reply) => reply,
            Err(error) => {
                let mut reply = Reply::status(500);
                reply.body = Body::Whole(format!("{error:#}\n").into_bytes());
                reply
            }
        }
    }

    fn bomb(&self, request: &HttpRequest) -> Reply {
        match (kind(request), step_with_bomb(&request.body)) {
            (Some(kind @ GitRequest::UploadPack), Ok(stream)) => {
                Reply::ok(content_type(kind), Body::Stream(stream))
            }
            _ => self.answer(request),
        }
    }
}

#[cfg(test)]
#[path = "git_server_tests.rs"]
mod tests;
