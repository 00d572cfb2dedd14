//! The client: one request, its connection and its redirects.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method};
use plugd_disk::Disk;
use plugd_model::Problem;
use tokio::time::{Instant, timeout_at};

use crate::activity::{Activity, later};
use crate::body::Outgoing;
use crate::pool::{Connection, Key, Pool};
use crate::redirect::{self, Asked, MAX_REDIRECTS};
use crate::request::is_read;
use crate::response::{Origin, broken, timeout};
use crate::roots::Trust;
use crate::{Body, HttpError, Limits, Refusal, Request, Response, Settings, Url, Wait};

/// The HTTP client. Making one costs nothing: certificates are read at the first request that needs
/// them. Clones share them and the connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    pool: Arc<Pool>,
}

struct Shared {
    settings: Settings,
    disk: Disk,
    trust: OnceLock<Trust>,
}

/// One request of a chain of redirects.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    limits: Limits,
}

/// Why a request on an open connection failed.
enum Lost {
    /// Not a byte of it left, so here it is again.
    Unsent(Body),
    Failed(HttpError),
}

impl Client {
    /// A client. Nothing is read and nothing is contacted.
    #[must_use]
    pub fn new(settings: Settings, disk: Disk) -> Self {
        Self {
            shared: Arc::new(Shared {
                settings,
                disk,
                trust: OnceLock::new(),
            }),
            pool: Arc::default(),
        }
    }

    /// The same client with connections of its own, for another runtime.
    pub(crate) fn with_own_connections(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            pool: Arc::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// What is wrong with the certificates that the settings name. It reads them if nobody has.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.shared.trust().problems
    }

    /// Sends a request once and follows redirects as it allows. Any status is an answer; see
    /// [`Response::success`]. When `cancel` is done, the request is given up.
    ///
    /// # Errors
    /// There is no answer, or a rule or limit was broken on the way to it.
    pub async fn send(
        &self,
        request: Request,
        cancel: impl Future<Output = ()>,
    ) -> Result<Response, HttpError> {
        let url = request.url.clone();
        unless(cancel, &url, self.follow(request)).await
    }

    /// Sends the request, and the ones that a redirect asks for. The work stands on the heap: callers
    /// ask several things at once, and a thread's stack has not room for many of these.
    pub(crate) fn follow(
        &self,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = Result<Response, HttpError>> + Send + '_>> {
        Box::pin(self.follow_all(request))
    }

    async fn follow_all(&self, request: Request) -> Result<Response, HttpError> {
        redirect::check_start(&request.url)?;
        let policy = request.redirects;
        let mut hop = Hop::first(request, &self.shared.settings);
        for _ in 0..=MAX_REDIRECTS {
            let again = hop.body.again();
            let has_body = !hop.body.is_empty();
            let response = self.exchange(&mut hop).await?;
            let asked = Asked {
                policy,
                url: &hop.url,
                method: &hop.method,
                has_body,
            };
            let Some(next) = redirect::next(asked, response.status(), response.headers())? else {
                return Ok(response);
            };
            hop.body = match (next.keeps_body, again) {
                (false, _) => Body::empty(),
                (true, Some(body)) => body,
                (true, None) => return Err(redirect::refused(&next.url, Refusal::RedirectedBody)),
            };
            hop.go(next.url, next.method);
        }
        Err(redirect::refused(&hop.url, Refusal::TooManyRedirects))
    }

    /// One request and its answer. A connection that the server had closed meanwhile costs nothing
    /// when no byte of the request was sent, or when it is a read.
    async fn exchange(&self, hop: &mut Hop) -> Result<Response, HttpError> {
        let key = Key::new(&hop.url, &hop.limits);
        loop {
            let kept = self.pool.take(&key).await;
            let reused = kept.is_some();
            let connection = match kept {
                Some(connection) => connection,
                None => self.connect(&hop.url, &hop.limits).await?,
            };
            let again = hop.body.again();
            let origin = Origin {
                connection,
                pool: self.pool.clone(),
                key: key.clone(),
            };
            match hop.on(origin).await {
                Ok(response) => return Ok(response),
                Err(Lost::Unsent(body)) if reused => hop.body = body,
                Err(Lost::Unsent(_)) => return Err(hop.hung_up()),
                Err(Lost::Failed(error)) => match (error, again) {
                    (HttpError::Cut { .. }, Some(body)) if reused && is_read(&hop.method) => {
                        hop.body = body;
                    }
                    (error, _) => return Err(error),
                },
            }
        }
    }

    async fn connect(&self, url: &Url, limits: &Limits) -> Result<Connection, HttpError> {
        let end = later(Instant::now(), limits.connect);
        let (end, wait) = match limits.deadline {
            Some(deadline) if deadline < end => (deadline, Wait::Deadline),
            _ => (end, Wait::Connect(limits.connect)),
        };
        let work = async {
            let tls = || &self.shared.trust().connector;
            let proxies = &self.shared.settings.proxies;
            let connected = crate::connect::connect(url, proxies, tls).await?;
            let opened = Connection::open(connected, limits).await;
            opened.map_err(|error| broken(url, limits, error))
        };
        let outcome = timeout_at(end, work).await;
        outcome.map_err(|_| timeout(url, wait))?
    }
}

impl Shared {
    fn trust(&self) -> &Trust {
        self.trust
            .get_or_init(|| Trust::load(&self.disk, &self.settings.extra_roots))
    }
}

impl Hop {
    fn first(request: Request, settings: &Settings) -> Self {
        let mut headers = request.headers;
        if let Ok(agent) = HeaderValue::from_str(&settings.user_agent) {
            headers.entry(USER_AGENT).or_insert(agent);
        }
        if let Some(user_info) = request.url.user_info()
            && let Ok(mut basic) = HeaderValue::from_str(&user_info.basic())
        {
            basic.set_sensitive(true);
            headers.entry(AUTHORIZATION).or_insert(basic);
        }
        Self {
            method: request.method,
            url: request.url,
            headers,
            body: request.body,
            limits: request.limits,
        }
    }

    /// Turns into the request behind a redirect. What is secret stays behind for good when the place
    /// changes: a way back through a foreign host does not make it right again.
    fn go(&mut self, url: Url, method: Method) {
        if !self.url.is_same_origin(&url) {
            let secret: Vec<_> = self
                .headers
                .iter()
                .filter(|(_, value)| value.is_sensitive())
                .map(|(name, _)| name.clone())
                .collect();
            for name in secret {
                self.headers.remove(name);
            }
        }
        self.url = url;
        self.method = method;
    }

    /// Sends the request over an open connection; the body is gone afterwards.
    async fn on(&mut self, mut origin: Origin) -> Result<Response, Lost> {
        let activity = origin.connection.activity.clone();
        let message = self.message(&activity).map_err(Lost::Failed)?;
        let head_bytes = u64::try_from(self.limits.header_bytes).unwrap_or(u64::MAX);
        // Room for some interim answers, and for the part of the body that comes with the head.
        activity.begin(head_bytes.saturating_mul(4).saturating_add(512 * 1024));
        let sent = origin.connection.sender.try_send_request(message);
        let answered = activity.watch(self.limits.idle, self.limits.deadline, sent);
        let answered = answered
            .await
            .map_err(|wait| Lost::Failed(timeout(&self.url, wait)))?;
        match answered {
            Ok(response) => {
                activity.head_done();
                Ok(Response::new(
                    response,
                    self.url.clone(),
                    self.limits,
                    origin,
                ))
            }
            Err(mut failure) => Err(match failure.take_message() {
                Some(message) => Lost::Unsent(message.into_body().unsent()),
                None => Lost::Failed(broken(&self.url, &self.limits, failure.into_error())),
            }),
        }
    }

    fn message(&mut self, activity: &Arc<Activity>) -> Result<hyper::Request<Outgoing>, HttpError> {
        let bad = || HttpError::bad_url(&self.url.to_string(), "it cannot be sent");
        let target = self.url.target().parse().map_err(|_| bad())?;
        let host = HeaderValue::from_str(&self.url.host_header()).map_err(|_| bad())?;
        let body = std::mem::take(&mut self.body).outgoing(activity.clone());
        let mut message = hyper::Request::new(body);
        *message.method_mut() = self.method.clone();
        *message.uri_mut() = target;
        *message.headers_mut() = self.headers.clone();
        message.headers_mut().insert(HOST, host);
        Ok(message)
    }

    /// The error of a connection that ended before a byte of the request was taken.
    fn hung_up(&self) -> HttpError {
        HttpError::Cut {
            url: self.url.to_string(),
            source: "the server hung up before the request".into(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

/// The outcome of the work, unless the caller gives up first. Dropping the work is what ends it.
pub(crate) async fn unless<T>(
    cancel: impl Future<Output = ()>,
    url: &Url,
    work: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    tokio::select! {
        biased;
        () = cancel => Err(HttpError::Cancelled { url: url.to_string() }),
        outcome = work => outcome,
    }
}
