//! What is asked for, and what an answer may cost.

use std::fmt;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::Method;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use tokio::time::Instant;

use crate::{Body, HttpError, Url};

/// A request. A user and password in its address are sent as `Basic`, unless it has an
/// `Authorization` of its own.
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) redirects: Redirects,
    pub(crate) limits: Limits,
}

/// Where an answer may send us. At most five redirects are followed, `https` never leads to `http`,
/// and whatever the policy, credentials stay with the first host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Nowhere: the redirect itself is the answer.
    None,
    /// To the same scheme, host and port. Another one is an error.
    SameHost,
    /// To any `https` address; from plain http on this machine also to such.
    AnyHttps,
}

/// What an answer may cost. There is no limit on the whole time unless a deadline is set: a large
/// download over a slow line is no fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Status line and headers, in bytes.
    pub header_bytes: usize,
    /// The body as it comes over the line, in bytes.
    pub body_bytes: u64,
    /// How long nothing may move in either direction.
    pub idle: Duration,
    /// How long a connection may take, with name, proxy and TLS.
    pub connect: Duration,
    /// When everything must be over, redirects and repeated reads included.
    pub deadline: Option<Instant>,
}

impl Limits {
    /// For a call with a small answer: 64 KiB of headers, 16 MiB of body, 30 seconds of silence, 10
    /// seconds to connect, no deadline.
    pub const CALL: Self = Self {
        header_bytes: 64 * 1024,
        body_bytes: 16 * 1024 * 1024,
        idle: Duration::from_secs(30),
        connect: Duration::from_secs(10),
        deadline: None,
    };
}

impl Request {
    /// A request without a body. The method decides whether it is a read.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn new(method: Method, url: &str) -> Result<Self, HttpError> {
        Ok(Self {
            method,
            url: Url::parse(url)?,
            headers: HeaderMap::new(),
            body: Body::empty(),
            redirects: Redirects::SameHost,
            limits: Limits::CALL,
        })
    }

    /// A read.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn get(url: &str) -> Result<Self, HttpError> {
        Self::new(Method::GET, url)
    }

    /// A request that sends something.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn post(url: &str, body: Body) -> Result<Self, HttpError> {
        Ok(Self::new(Method::POST, url)?.body(body))
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// With a header that every host on the way may see.
    ///
    /// # Errors
    /// The value holds a character that cannot be sent.
    pub fn header(self, name: HeaderName, value: &str) -> Result<Self, HttpError> {
        let secret = is_secret(&name);
        self.with(name, value, secret)
    }

    /// With a header that only the host of this address may see, and no log.
    ///
    /// # Errors
    /// The value holds a character that cannot be sent.
    pub fn credential(self, name: HeaderName, value: &str) -> Result<Self, HttpError> {
        self.with(name, value, true)
    }

    /// With a token as `Authorization: Bearer`.
    ///
    /// # Errors
    /// The token holds a character that cannot be sent.
    pub fn bearer(self, token: &str) -> Result<Self, HttpError> {
        self.credential(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// With a user and password as `Authorization: Basic`.
    ///
    /// # Errors
    /// None in fact: the encoded form can always be sent.
    pub fn basic(self, user: &str, password: &str) -> Result<Self, HttpError> {
        let pair = crate::base64::encode(format!("{user}:{password}").as_bytes());
        self.credential(AUTHORIZATION, &format!("Basic {pair}"))
    }

    /// With another redirect policy than [`Redirects::SameHost`].
    #[must_use]
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// With other limits than [`Limits::CALL`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where it goes.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether sending it twice is the same as sending it once.
    pub(crate) fn is_read(&self) -> bool {
        is_read(&self.method)
    }

    /// The same request once more; `None` where its body is gone once it is sent.
    pub(crate) fn again(&self) -> Option<Self> {
        Some(Self {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: self.body.again()?,
            redirects: self.redirects,
            limits: self.limits,
        })
    }

    fn with(mut self, name: HeaderName, value: &str, secret: bool) -> Result<Self, HttpError> {
        let Ok(mut value) = HeaderValue::from_str(value) else {
            let name = name.as_str().to_owned();
            return Err(HttpError::BadHeader { name });
        };
        value.set_sensitive(secret);
        self.headers.insert(name, value);
        Ok(self)
    }
}

impl fmt::Debug for Request {
    /// Without secrets: the address shows no query, and sensitive headers show no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &self.headers)
            .field("redirects", &self.redirects)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Whether the method only reads.
pub(crate) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn is_secret(name: &HeaderName) -> bool {
    [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Request;
    use crate::{HttpError, header};

    #[test]
    fn debug_shows_no_secret() {
        let request = Request::get("https://me:hidden@h/a?token=hidden")
            .and_then(|request| request.bearer("hidden"))
            .and_then(|request| request.header(header::COOKIE, "hidden"))
            .and_then(|request| request.header(header::ACCEPT, "shown"))
            .unwrap();
        let text = format!("{request:?}");
        assert_eq!(
            (text.contains("hidden"), text.contains("shown")),
            (false, true)
        );
    }

    #[test]
    fn a_header_cannot_smuggle_another_one() {
        let request = Request::get("https://h/").unwrap();
        let error = request.bearer("a\r\nX-Evil: b").unwrap_err();
        assert!(matches!(&error, HttpError::BadHeader { name } if name == "authorization"));
        assert_eq!(
            error.to_string(),
            "the header `authorization` holds a character that cannot be sent"
        );
    }
}
