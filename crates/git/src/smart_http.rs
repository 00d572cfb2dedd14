//! Git's smart HTTP: one request for the list of refs, one for each step of a fetch.
//!
//! The list may be redirected, as after a renaming; the steps then go where the list came from. A
//! login is tried only when the server asks, and only at the host of the address itself.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use git2::transport::{Service, SmartSubtransportStream};

use crate::Address;
use crate::credentials::{Login, Logins, hint};
use crate::extra_headers::ExtraHeaders;
use crate::failure::Failure;
use crate::http::{Answer, Call, is_same_origin};
use crate::transport::{Connection, Remotes};

const LIST: &str = "/info/refs";
const SERVICE: &str = "?service=git-upload-pack";
const LIST_TYPE: &str = "application/x-git-upload-pack-advertisement";
const STEP: &str = "/git-upload-pack";
const STEP_SENDS: &str = "application/x-git-upload-pack-request";
const STEP_TYPE: &str = "application/x-git-upload-pack-result";

/// Some servers speak smart HTTP only to what calls itself git.
const USER_AGENT: &str = concat!("git/2.40 (plugd ", env!("CARGO_PKG_VERSION"), ")");

/// Most bytes of one step's request: names of objects that are there already.
const MAX_REQUEST: usize = 64 << 20;

/// One repository behind HTTP.
pub(crate) struct HttpRemote(Arc<Inner>);

struct Inner {
    remotes: Arc<Remotes>,
    address: Address,
    state: Mutex<State>,
}

/// What was learnt from the server so far.
struct State {
    /// Where the repository is, after redirects.
    base: String,
    login: Option<Login>,
    logins: Option<Logins>,
    /// What the user's configuration adds to each request.
    extra: ExtraHeaders,
}

impl HttpRemote {
    pub(crate) fn new(remotes: Arc<Remotes>, address: Address) -> Self {
        let shown = address.shown();
        let extra = remotes.user.extra_headers(&shown);
        remotes.hide_texts(extra.secrets());
        let state = State {
            base: shown.trim_end_matches('/').to_owned(),
            login: None,
            logins: None,
            extra,
        };
        Self(Arc::new(Inner {
            remotes,
            address,
            state: Mutex::new(state),
        }))
    }
}

impl Connection for HttpRemote {
    fn begin(&self, service: Service) -> io::Result<Box<dyn SmartSubtransportStream>> {
        let inner = Arc::clone(&self.0);
        match service {
            Service::UploadPackLs => {
                let body = inner
                    .list()
                    .map_err(|failure| inner.remotes.fail(failure))?;
                Ok(Box::new(Exchange {
                    inner,
                    request: Vec::new(),
                    body: Some(body),
                }))
            }
            Service::UploadPack => Ok(Box::new(Exchange {
                inner,
                request: Vec::new(),
                body: None,
            })),
            Service::ReceivePackLs | Service::ReceivePack => {
                Err(io::Error::other("nothing is ever pushed"))
            }
        }
    }
}

impl Inner {
    /// Asks for the list of refs, with one login after the other while the server wants one.
    fn list(&self) -> Result<Box<dyn Read + Send>, Failure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let answer = self.remotes.http.send(Call {
                url: format!("{}{LIST}{SERVICE}", state.base),
                headers: vec![("accept", "*/*"), ("user-agent", USER_AGENT)],
                login: state.login.clone(),
                extra: state.extra.clone(),
                body: None,
                follow: true,
                patience: self.remotes.patience(),
            })?;
            self.remotes.meter.step();
            if answer.status == 401 && self.is_own(&answer.url) {
                self.next_login(&mut state)?;
                continue;
            }
            self.check(&answer, LIST_TYPE)?;
            if let Some(base) = answer.url.strip_suffix(LIST) {
                if !self.is_own(base) {
                    // Somebody else's host gets nothing that was meant for this one.
                    state.login = None;
                    state.extra = ExtraHeaders::default();
                }
                base.clone_into(&mut state.base);
            }
            return Ok(answer.body);
        }
    }

    fn next_login(&self, state: &mut State) -> Result<(), Failure> {
        let user = &self.remotes.user;
        let logins = state
            .logins
            .get_or_insert_with(|| Logins::new(&self.address, user));
        match logins.next(
            &self.address,
            user,
            &self.remotes.environment,
            &self.remotes.meter,
        ) {
            Some(login) => {
                self.remotes.hide(&login);
                state.login = Some(login);
                Ok(())
            }
            None => Err(Failure::Unauthorised {
                host: self.address.host(),
                tried: logins.tried(),
                hint: hint(&self.address),
            }),
        }
    }

    /// Takes one step of a fetch.
    fn step(&self, request: Vec<u8>) -> Result<Box<dyn Read + Send>, Failure> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = self.remotes.http.send(Call {
            url: format!("{}{STEP}", state.base),
            headers: vec![
                ("accept", STEP_TYPE),
                ("content-type", STEP_SENDS),
                ("user-agent", USER_AGENT),
            ],
            login: state.login.clone(),
            extra: state.extra.clone(),
            body: Some(request),
            follow: false,
            patience: self.remotes.patience(),
        })?;
        drop(state);
        self.check(&answer, STEP_TYPE)?;
        Ok(answer.body)
    }

    /// What the server said, without what it was told.
    fn quoted(&self, text: &str) -> String {
        self.remotes.quoted(text, &self.address)
    }

    /// Whether an address has scheme, host and port of the one that was asked for.
    fn is_own(&self, url: &str) -> bool {
        is_same_origin(url, &self.address.shown())
    }

    fn check(&self, answer: &Answer, wanted: &str) -> Result<(), Failure> {
        let host = self.address.host();
        let found = answer.content_type.as_deref().unwrap_or_default();
        let refused = |reason: String| {
            Err(Failure::Refused {
                host: host.clone(),
                reason,
            })
        };
        match answer.status {
            200 if found.split(';').next().map(str::trim) == Some(wanted) => Ok(()),
            // A web server that knows nothing of git serves some page.
            200 => refused(format!("no git repository but `{}`", self.quoted(found))),
            404 | 410 => Err(Failure::RepositoryMissing {
                url: self.address.shown(),
            }),
            401 => refused("it wants a login for a part of the repository".to_owned()),
            403 => refused("access is forbidden".to_owned()),
            status @ (429 | 500..) => Err(Failure::ServerFault { host, status }),
            status => refused(format!("status {status}")),
        }
    }
}

/// A request that is collected until somebody reads its answer.
struct Exchange {
    inner: Arc<Inner>,
    request: Vec<u8>,
    body: Option<Box<dyn Read + Send>>,
}

impl Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let remotes = &self.inner.remotes;
        let body = match &mut self.body {
            Some(body) => body,
            None => {
                let request = std::mem::take(&mut self.request);
                let body = self.inner.step(request);
                self.body
                    .insert(body.map_err(|failure| remotes.fail(failure))?)
            }
        };
        match body.read(buffer) {
            Ok(read) => {
                remotes.meter.bytes(read);
                Ok(read)
            }
            Err(error) => Err(remotes.fail(Failure::Unreachable {
                host: self.inner.address.host(),
                reason: self.inner.quoted(&plugd_model::error_chain(&error)),
            })),
        }
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.body.is_some() || self.request.len() + bytes.len() > MAX_REQUEST {
            return Err(io::Error::other("the request is over"));
        }
        self.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "smart_http_tests.rs"]
mod tests;
