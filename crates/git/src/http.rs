//! The little of HTTP that git needs, as a seam: the one HTTP client behind it, a script in tests.

use std::ffi::OsStr;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_disk::Disk;
use plugd_http::header::{self, HeaderName};
use plugd_http::{
    Blocking, Body, Client, HttpError, Limits, Proxies, Redirects, Request, Settings, Url,
};
use plugd_model::{AbsPath, Environment, error_chain};

use crate::config::UserConfig;
use crate::credentials::Login;
use crate::extra_headers::ExtraHeaders;
use crate::failure::{Failure, quoted};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Where to, without credentials.
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) login: Option<Login>,
    /// What the user's configuration adds.
    pub(crate) extra: ExtraHeaders,
    /// Sent with `POST`; without it the request is a `GET`.
    pub(crate) body: Option<Vec<u8>>,
    /// Whether redirects may be followed.
    pub(crate) follow: bool,
    /// How long the server may be silent; without it as long as the worker may.
    pub(crate) patience: Option<Duration>,
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

/// The one HTTP client, made at the first request for each way into the network that the user's git
/// configuration asks for: `http.proxy` in the place of the variables, and `http.sslCAInfo` beside
/// the certificates that are trusted anyway. `http.sslVerify` is not honoured.
pub(crate) struct OneClient {
    environment: Environment,
    user: Arc<UserConfig>,
    /// One for all requests of a way, so that they share connections.
    clients: Mutex<Vec<(Way, Arc<Blocking>)>>,
    limits: Limits,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    /// Instead of what the environment says; an empty one means none.
    proxy: Option<String>,
    /// More certificates.
    certificates: Option<AbsPath>,
}

impl OneClient {
    /// A client for this environment. A fetch may be as long as `max_bytes`.
    pub(crate) fn new(environment: &Environment, user: Arc<UserConfig>, max_bytes: u64) -> Self {
        // The process that started this one watches for silence and knows the user's limit.
        let limits = Limits {
            // A little more, so that the one who counts objects is the one who complains.
            body_bytes: max_bytes.saturating_add(SLACK),
            idle: Duration::from_secs(24 * 60 * 60),
            ..Limits::CALL
        };
        Self {
            environment: environment.clone(),
            user,
            clients: Mutex::default(),
            limits,
        }
    }

    fn way(&self, url: &str) -> Way {
        let file = self.environment.var("GIT_SSL_CAINFO");
        let file = match file.and_then(OsStr::to_str) {
            Some(file) => Some(file),
            None => self.user.http("sslcainfo", url),
        };
        let expanded = |file: &str| match (file.strip_prefix("~/"), &self.environment.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.environment.cwd.join(file),
        };
        Way {
            proxy: self.user.http("proxy", url).map(str::to_owned),
            certificates: file.filter(|file| !file.is_empty()).map(expanded),
        }
    }

    fn client(&self, way: Way) -> Result<Arc<Blocking>, HttpError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == way) {
            return Ok(Arc::clone(client));
        }
        let agent = concat!("plugd/", env!("CARGO_PKG_VERSION"));
        let mut settings = Settings::from_environment(&self.environment, agent);
        match way.proxy.as_deref() {
            None => {}
            Some("") => settings.proxies = Proxies::none(),
            Some(proxy) => {
                let direct = ["no_proxy", "NO_PROXY"];
                let direct = direct.iter().find_map(|name| self.environment.var(name));
                let direct = direct.unwrap_or_default().to_string_lossy();
                settings.proxies = Proxies::new(proxy, &direct);
            }
        }
        settings.extra_roots.extend(way.certificates.clone());
        let client = Arc::new(Blocking::new(&Client::new(settings, Disk::new()))?);
        clients.push((way, Arc::clone(&client)));
        Ok(client)
    }

    fn request(&self, call: Call) -> Result<Request, HttpError> {
        let mut request = match call.body {
            Some(body) => Request::post(&call.url, Body::bytes(body))?,
            None => Request::get(&call.url)?,
        };
        for (name, value) in call.headers {
            request = request.header(HeaderName::from_static(name), value)?;
        }
        // A redirect takes none of this along.
        if let Some(Login { user, password }) = &call.login {
            for (name, value) in call.extra.beside_login() {
                request = request.credential(name.clone(), value)?;
            }
            request = request.basic(user, password)?;
        } else {
            for (name, value) in call.extra.all() {
                request = request.credential(name.clone(), value)?;
            }
        }
        let redirects = match call.follow {
            true => Redirects::AnyHttps,
            false => Redirects::None,
        };
        let limits = match call.patience {
            Some(patience) => Limits {
                idle: patience,
                connect: self.limits.connect.min(patience),
                ..self.limits
            },
            None => self.limits,
        };
        Ok(request.redirects(redirects).limits(limits))
    }
}

impl Http for OneClient {
    fn send(&self, call: Call) -> Result<Answer, Failure> {
        let host = plugd_model::git_url::host_span(&call.url)
            .map_or_else(String::new, |span| call.url[span].to_owned());
        let way = self.way(&call.url);
        // A redirect may repeat what the server was told.
        let mut secrets = call.login.as_ref().map_or_else(Vec::new, Login::forms);
        secrets.extend(call.extra.secrets());
        let sent = self
            .request(call)
            .and_then(|request| self.client(way)?.send(request));
        let answer = sent.map_err(|error| failure(host, &error, &secrets))?;
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

fn failure(host: String, error: &HttpError, secrets: &[String]) -> Failure {
    let reason = quoted(&error_chain(error), secrets);
    match error {
        HttpError::NotAllowed { .. } | HttpError::BadUrl { .. } => {
            Failure::Refused { host, reason }
        }
        _ => Failure::Unreachable { host, reason },
    }
}
