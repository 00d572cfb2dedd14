//! The service as one account meets it: how a call is sent and what a refusal means.
//!
//! Each call takes the deadline of its caller and ends by its own limit too; `cancelled` ends it at
//! once. What a call asks and answers stands in the modules below.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use plugd_http::header::{self, HeaderName};
use plugd_http::{Body, HttpError, Limits, Method, Request, Response};
use tokio::time::Instant;

use crate::catalog::Catalog;
use crate::json::{self, Object, Source};
use crate::pages::shown;
use crate::{Access, Call, CatalogError, Validators};

mod apps;
mod change;
mod discreet;
mod list;
mod one;
mod refusal;
mod search;

/// Largest answer.
const MAX_ANSWER: u64 = 16 << 20;

/// Longest validator that is kept.
const MAX_VALIDATOR: usize = 1024;

const ACCOUNT: HeaderName = HeaderName::from_static("chatgpt-account-id");
const FEDRAMP: HeaderName = HeaderName::from_static("x-openai-fedramp");
pub(crate) const ORIGINATOR: HeaderName = HeaderName::from_static("originator");
const SKU: HeaderName = HeaderName::from_static("oai-product-sku");

/// The service as an account meets it. Clones share connections.
#[derive(Clone)]
pub struct Service {
    catalog: Catalog,
    access: Arc<Access>,
}

/// A call that is being made up.
pub(crate) struct Ask<'a> {
    call: Call,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    json: Option<String>,
    limit: Option<Duration>,
    known: Option<&'a Validators>,
    has_sku: bool,
}

/// An answer that is a success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) call: Call,
    pub(crate) host: String,
    pub(crate) status: u16,
    pub(crate) validators: Option<Validators>,
    pub(crate) body: Vec<u8>,
}

impl<'a> Ask<'a> {
    /// A read of a path below the base.
    pub(crate) fn get(call: Call, path: impl Into<String>) -> Self {
        Self::new(call, Method::GET, path)
    }

    pub(crate) fn new(call: Call, method: Method, path: impl Into<String>) -> Self {
        Self {
            call,
            method,
            path: path.into(),
            query: Vec::new(),
            json: None,
            limit: None,
            known: None,
            has_sku: true,
        }
    }

    /// With a parameter behind those that are there.
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a body.
    pub(crate) fn json(mut self, body: &serde_json::Value) -> Self {
        self.json = Some(body.to_string());
        self
    }

    /// With another limit than that of most calls.
    fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only if something has changed.
    fn unless_known(mut self, known: Option<&'a Validators>) -> Self {
        self.known = known;
        self
    }

    /// Without the header that names the product.
    fn without_sku(mut self) -> Self {
        self.has_sku = false;
        self
    }

    /// Whether it may be sent again.
    fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    fn url(&self, base: &str) -> String {
        let mut url = format!("{base}{}", self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            url.push(sign);
            url.push_str(name);
            url.push('=');
            url.push_str(&escaped(value));
        }
        url
    }
}

impl Service {
    pub(crate) fn new(catalog: &Catalog, access: &Access) -> Self {
        Self {
            catalog: catalog.clone(),
            access: Arc::new(access.clone()),
        }
    }

    /// The service and the account.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The catalog that this is the service of.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Makes a call. Only a success is an answer, and an unchanged one where that was asked for. A read
    /// whose answer breaks off in the middle is made once more: that happens to the best of lines.
    pub(crate) async fn ask(
        &self,
        ask: Ask<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, CatalogError> {
        let end = later(ask.limit.unwrap_or(self.catalog.patience.call));
        let end = deadline.map_or(end, |deadline| deadline.min(end));
        let mut left = if ask.is_read() { 1 } else { 0 };
        loop {
            let response = self.respond(&ask, end).await?;
            let status = response.status().as_u16();
            let validators = validators(&response);
            let body = response.read_all(MAX_ANSWER, std::future::pending()).await;
            match body {
                Err(HttpError::Cut { .. }) if left > 0 => left -= 1,
                Err(source) => return Err(self.failed(ask.call, source)),
                Ok(body) => {
                    return Ok(Answer {
                        call: ask.call,
                        host: self.access.base.host().to_owned(),
                        status,
                        validators,
                        body,
                    });
                }
            }
        }
    }

    /// The answer to a call, whose body has still to come.
    async fn respond(&self, ask: &Ask<'_>, end: Instant) -> Result<Response, CatalogError> {
        let call = ask.call;
        let request = self.request(ask, end);
        let request = request.map_err(|source| self.failed(call, source))?;
        let client = &self.catalog.client;
        let never = std::future::pending();
        let response = if ask.is_read() {
            let retry = &self.catalog.patience.retry;
            client.read(request, retry, never).await
        } else {
            client.send(request, never).await
        };
        let response = response.map_err(|source| self.failed(call, source))?;
        let is_unchanged = response.status().as_u16() == 304 && ask.known.is_some();
        if !response.status().is_success() && !is_unchanged {
            return Err(self.refused(call, response).await);
        }
        if let Some(coding) = response.header("content-encoding") {
            let reason = format!("it is encoded as `{}`", json::quoted(coding));
            let host = self.access.base.host().to_owned();
            return Err(CatalogError::BadAnswer { call, host, reason });
        }
        Ok(response)
    }

    fn failed(&self, call: Call, source: HttpError) -> CatalogError {
        CatalogError::Http {
            call,
            host: self.access.base.host().to_owned(),
            source,
        }
    }

    /// The request of a call, which has to be over by then.
    fn request(&self, ask: &Ask<'_>, end: Instant) -> Result<Request, HttpError> {
        let Access { base, account } = &*self.access;
        let mut request = Request::new(ask.method.clone(), &ask.url(base.as_str()))?
            .bearer(account.access_token.reveal())?
            .header(header::ACCEPT, "*/*")?
            .header(ORIGINATOR, &self.catalog.agent.originator)?
            .header(header::USER_AGENT, &self.catalog.agent.user_agent)?
            .limits(Limits {
                body_bytes: MAX_ANSWER,
                deadline: Some(end),
                ..Limits::CALL
            });
        if let Some(id) = &account.account_id {
            request = request.credential(ACCOUNT, id)?;
        }
        if account.is_fedramp {
            request = request.header(FEDRAMP, "true")?;
        }
        if ask.has_sku {
            request = request.header(SKU, "codex")?;
        }
        if let Some(etag) = ask.known.and_then(|known| known.etag.as_deref()) {
            request = request.header(header::IF_NONE_MATCH, etag)?;
        }
        if let Some(since) = ask.known.and_then(|known| known.last_modified.as_deref()) {
            request = request.header(header::IF_MODIFIED_SINCE, since)?;
        }
        if let Some(json) = &ask.json {
            request = request
                .header(header::CONTENT_TYPE, "application/json")?
                .body(Body::bytes(json.clone()));
        }
        Ok(request)
    }
}

impl Answer {
    /// Whether nothing has changed.
    fn is_unchanged(&self) -> bool {
        self.status == 304
    }

    /// Holds if it is all there is to say. A part of a list, or one that somebody in between has
    /// changed, would tell what is missing from it as gone.
    fn must_be_whole(&self) -> Result<(), CatalogError> {
        match self.status {
            200 => Ok(()),
            status => Err(self.bad(format!("it has the status {status} instead of 200"))),
        }
    }

    /// The object that the answer is.
    pub(crate) fn object(&self) -> Result<Object<'_>, CatalogError> {
        let raw = json::check(&self.body).map_err(|reason| self.bad(reason))?;
        Object::split(raw, "", Source(None)).map_err(|problem| self.bad(shown(&problem)))
    }

    pub(crate) fn bad(&self, reason: impl Into<String>) -> CatalogError {
        CatalogError::BadAnswer {
            call: self.call,
            host: self.host.clone(),
            reason: reason.into(),
        }
    }

    pub(crate) fn mismatch(&self, reason: impl Into<String>) -> CatalogError {
        CatalogError::Mismatch {
            call: self.call,
            host: self.host.clone(),
            reason: reason.into(),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// The outcome of the work, unless the caller gives up first. Dropping the work ends its connection.
pub(crate) async fn unless<T>(
    cancelled: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, CatalogError>>,
) -> Result<T, CatalogError> {
    tokio::select! {
        biased;
        () = cancelled => Err(CatalogError::Cancelled),
        outcome = work => outcome,
    }
}

/// So much later than now.
fn later(after: Duration) -> Instant {
    Instant::now() + after
}

fn validators(response: &Response) -> Option<Validators> {
    let header = |name| {
        let value = response.header(name)?;
        (!value.is_empty() && value.len() <= MAX_VALIDATOR).then(|| value.to_owned())
    };
    let validators = Validators {
        etag: header("etag"),
        last_modified: header("last-modified"),
    };
    (validators.etag.is_some() || validators.last_modified.is_some()).then_some(validators)
}

/// A text as one value of a query or one segment of a path.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
