//! An answer: its head, and its body piece by piece.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use hyper::body::{Body as _, Bytes, Incoming};
use hyper::{HeaderMap, StatusCode};

use crate::activity::HeadTooLarge;
use crate::client::unless;
use crate::pool::{Connection, Key, Pool};
use crate::{HttpError, Limits, Part, Url, Wait};

/// An answer of any status. Dropping it before its end ends the connection; one that was read to its
/// end leaves the connection to the next request.
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    url: Url,
    limits: Limits,
    received: u64,
    body: Incoming,
    /// Gone when the body has ended, well or not.
    origin: Option<Origin>,
    is_whole: bool,
}

/// Where the connection goes when the body has been read.
pub(crate) struct Origin {
    pub(crate) connection: Connection,
    pub(crate) pool: Arc<Pool>,
    pub(crate) key: Key,
}

impl Response {
    pub(crate) fn new(
        response: hyper::Response<Incoming>,
        url: Url,
        limits: Limits,
        origin: Origin,
    ) -> Self {
        let (head, body) = response.into_parts();
        let mut response = Self {
            status: head.status,
            headers: head.headers,
            url,
            limits,
            received: 0,
            body,
            origin: Some(origin),
            is_whole: false,
        };
        if response.body.is_end_stream() {
            response.end();
        }
        response
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A header, where it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The address that answered, behind all redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How long the body will be, where the server says so. It need not be true, but more is never
    /// handed out.
    #[must_use]
    pub fn expected_bytes(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The answer, if its status is a success.
    ///
    /// # Errors
    /// The status is another one.
    pub fn success(self) -> Result<Self, HttpError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(HttpError::Status {
            url: self.url.to_string(),
            status: self.status.as_u16(),
        })
    }

    /// The next piece of the body, or `None` at its end. After an error there are only errors, so
    /// that half a body is never taken for a whole one.
    ///
    /// # Errors
    /// The connection ended in the middle, nothing came for too long, the body is larger than the
    /// request allows, or the caller gave up.
    pub async fn chunk(
        &mut self,
        cancel: impl Future<Output = ()>,
    ) -> Result<Option<Bytes>, HttpError> {
        let url = self.url.clone();
        let next = unless(cancel, &url, self.next()).await;
        if next.is_err() {
            self.origin = None;
        }
        next
    }

    /// The whole body, of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Response::chunk`], or the body is larger.
    pub async fn read_all(
        mut self,
        limit: u64,
        cancel: impl Future<Output = ()>,
    ) -> Result<Vec<u8>, HttpError> {
        self.limits.body_bytes = self.limits.body_bytes.min(limit);
        let url = self.url.clone();
        let whole = async {
            let mut whole = Vec::new();
            while let Some(chunk) = self.next().await? {
                whole.extend_from_slice(&chunk);
            }
            Ok(whole)
        };
        unless(cancel, &url, whole).await
    }

    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let limit = self.limits.body_bytes;
        let too_large = HttpError::TooLarge {
            url: self.url.to_string(),
            part: Part::Body,
            limit,
        };
        // A length that is announced and too large is not worth a single byte.
        let left = self.body.size_hint().lower();
        if self.received.saturating_add(left) > limit {
            return Err(too_large);
        }
        while let Some(origin) = &self.origin {
            let body = &mut self.body;
            let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
            let activity = &origin.connection.activity;
            let frame = activity
                .watch(self.limits.idle, self.limits.deadline, frame)
                .await
                .map_err(|wait| timeout(&self.url, wait))?;
            let Some(frame) = frame else {
                self.end();
                return Ok(None);
            };
            let frame = frame.map_err(|error| broken(&self.url, &self.limits, error))?;
            // Trailers say nothing that is used here.
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            self.received = self.received.saturating_add(length(&bytes));
            if self.received > limit {
                return Err(too_large);
            }
            return Ok(Some(bytes));
        }
        if self.is_whole {
            return Ok(None);
        }
        Err(HttpError::Cut {
            url: self.url.to_string(),
            source: "it was given up before".into(),
        })
    }

    /// Gives the connection to the next request.
    fn end(&mut self) {
        self.is_whole = true;
        if let Some(origin) = self.origin.take() {
            origin.pool.give_back(origin.key, origin.connection);
        }
    }
}

impl fmt::Debug for Response {
    /// Without headers: they may set cookies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The error of a wait that took too long.
pub(crate) fn timeout(url: &Url, wait: Wait) -> HttpError {
    HttpError::Timeout {
        url: url.to_string(),
        wait,
    }
}

/// Sorts an error of the connection.
pub(crate) fn broken(url: &Url, limits: &Limits, error: hyper::Error) -> HttpError {
    let url = url.to_string();
    // The library has a question for this error only where it is a server.
    let too_large = error.is_parse() && error.to_string() == "message head is too large";
    if too_large || caused_by::<HeadTooLarge>(&error).is_some() {
        return HttpError::TooLarge {
            url,
            part: Part::Head,
            limit: u64::try_from(limits.header_bytes).unwrap_or(u64::MAX),
        };
    }
    let odd = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
        )
    };
    let source = Box::new(error);
    if source.is_parse() || caused_by::<io::Error>(&source).is_some_and(odd) {
        HttpError::NotHttp { url, source }
    } else {
        HttpError::Cut { url, source }
    }
}

fn caused_by<E: std::error::Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        // An I/O error hides what it was made from behind a method of its own.
        let inner = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref::<E>());
        if inner.is_some() {
            return inner;
        }
        source = cause.source();
    }
    None
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
