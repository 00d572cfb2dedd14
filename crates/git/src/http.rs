//! The little of HTTP that git needs, as a seam: the one HTTP client behind it, a script in tests.

use std::io::Read;
use std::sync::OnceLock;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_http::header::{self, HeaderName};
use plugd_http::{Blocking, Body, Client, HttpError, Limits, Redirects, Request, Settings, Url};
use plugd_model::{Environment, error_chain};

use crate::credentials::Login;
use crate::failure::{Failure, quoted};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Where to, without credentials.
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) login: Option<Login>,
    /// Sent with `POST`; without it the request is a `GET`.
    pub(crate) body: Option<Vec<u8>>,
    /// Whether redirects may be followed.
    pub(crate) follow: bool,
}

/// One answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where it came from, after redirects. Without its query.
    pub(crate) url: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Box<dyn Read + Send>,
}

/// Sends requests. Credentials go to the host of the request only, whatever a server says; `https`
/// never becomes `http`.
pub(crate) trait Http: Send + Sync {
    /// # Errors
    /// No answer came.
    fn send(&self, call: Call) -> Result<Answer, Failure>;
}

/// Whether two addresses have scheme, host and port in common.
pub(crate) fn is_same_origin(left: &str, right: &str) -> bool {
    match (Url::parse(left), Url::parse(right)) {
        (Ok(left), Ok(right)) => left.is_same_origin(&right),
        _ => false,
    }
}

const SLACK: u64 = 16 << 20;

/// The one HTTP client. Its inside is made at the first request, as most workers need none.
pub(crate) struct OneClient {
    client: Client,
    blocking: OnceLock<Blocking>,
    limits: Limits,
}

impl OneClient {
    /// A client for this environment. A fetch may be as long as `max_bytes`.
    pub(crate) fn new(environment: &Environment, max_bytes: u64) -> Self {
        let agent = concat!("plugd/", env!("CARGO_PKG_VERSION"));
        let settings = Settings::from_environment(environment, agent);
        // The process that started this one watches for silence and knows the user's limit.
        let limits = Limits {
            // A little more, so that the one who counts objects is the one who complains.
            body_bytes: max_bytes.saturating_add(SLACK),
            idle: Duration::from_secs(24 * 60 * 60),
            ..Limits::CALL
        };
        Self {
            client: Client::new(settings, Disk::new()),
            blocking: OnceLock::new(),
            limits,
        }
    }

    /// One for all requests, so that they share connections.
    fn blocking(&self) -> Result<&Blocking, HttpError> {
        if let Some(blocking) = self.blocking.get() {
            return Ok(blocking);
        }
        let made = Blocking::new(&self.client)?;
        Ok(self.blocking.get_or_init(|| made))
    }

    fn request(&self, call: Call) -> Result<Request, HttpError> {
        let mut request = match call.body {
            Some(body) => Request::post(&call.url, Body::bytes(body))?,
            None => Request::get(&call.url)?,
        };
        for (name, value) in call.headers {
            request = request.header(HeaderName::from_static(name), value)?;
        }
        if let Some(Login { user, password }) = &call.login {
            request = request.basic(user, password)?;
        }
        let redirects = match call.follow {
            true => Redirects::AnyHttps,
            false => Redirects::None,
        };
        Ok(request.redirects(redirects).limits(self.limits))
    }
}

impl Http for OneClient {
    fn send(&self, call: Call) -> Result<Answer, Failure> {
        let host = plugd_model::git_url::host_span(&call.url)
            .map_or_else(String::new, |span| call.url[span].to_owned());
        let sent = self
            .request(call)
            .and_then(|request| self.blocking()?.send(request));
        let answer = sent.map_err(|error| failure(host, &error))?;
        Ok(Answer {
            status: answer.status().as_u16(),
            url: answer.url().to_string(),
            content_type: answer
                .header(header::CONTENT_TYPE.as_str())
                .map(str::to_owned),
            body: Box::new(answer),
        })
    }
}

fn failure(host: String, error: &HttpError) -> Failure {
    let reason = quoted(&error_chain(error), &[]);
    match error {
        HttpError::NotAllowed { .. } | HttpError::BadUrl { .. } => {
            Failure::Refused { host, reason }
        }
        _ => Failure::Unreachable { host, reason },
    }
}
