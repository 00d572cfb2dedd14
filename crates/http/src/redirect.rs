//! Where an answer sends us, and whether we go there. It decides and does nothing.

use hyper::header::LOCATION;
use hyper::{HeaderMap, Method, StatusCode};

use crate::request::is_read;
use crate::url::Scheme;
use crate::{HttpError, Redirects, Refusal, Url};

/// How many redirects of one request are followed.
pub(crate) const MAX_REDIRECTS: usize = 5;

/// The request behind a redirect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) url: Url,
    pub(crate) method: Method,
    /// Whether the body is sent again; else there is none.
    pub(crate) keeps_body: bool,
}

/// What was asked and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) policy: Redirects,
    pub(crate) url: &'a Url,
    pub(crate) method: &'a Method,
    pub(crate) has_body: bool,
}

/// Whether a request may begin at this address.
pub(crate) fn check_start(url: &Url) -> Result<(), HttpError> {
    match url.scheme {
        Scheme::Https => Ok(()),
        Scheme::Http if url.is_loopback() => Ok(()),
        Scheme::Http => Err(refused(url, Refusal::PlainHttp)),
    }
}

/// The next request, or `None` where the answer is the last one.
pub(crate) fn next(
    asked: Asked<'_>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Next>, HttpError> {
    let turns_into_read = match status.as_u16() {
        301 | 302 | 307 | 308 => false,
        303 => true,
        _ => return Ok(None),
    };
    let Some(location) = headers.get(LOCATION) else {
        return Ok(None);
    };
    if asked.policy == Redirects::None {
        return Ok(None);
    }
    let location = location
        .to_str()
        .map_err(|_| HttpError::bad_url("", "a redirect holds a character that must be escaped"))?;
    let url = asked.url.resolve(location).map_err(without_address)?;
    check_hop(asked.policy, asked.url, &url)?;
    let reads = is_read(asked.method);
    let (method, keeps_body) = match status.as_u16() {
        _ if turns_into_read && !reads => (Method::GET, false),
        // Browsers turn these into a read for a `POST`. A caller that sends something would then
        // be told of a success that never was.
        301 | 302 if !reads => return Err(refused_hop(&url, Refusal::RedirectedBody)),
        _ => (asked.method.clone(), asked.has_body),
    };
    if (keeps_body || !is_read(&method)) && !asked.url.is_same_origin(&url) {
        return Err(refused_hop(&url, Refusal::RedirectedBody));
    }
    Ok(Some(Next {
        url,
        method,
        keeps_body,
    }))
}

fn check_hop(policy: Redirects, from: &Url, to: &Url) -> Result<(), HttpError> {
    if to.scheme == Scheme::Http && (from.scheme == Scheme::Https || !to.is_loopback()) {
        return Err(refused_hop(to, Refusal::PlainHttp));
    }
    if policy == Redirects::SameHost && !from.is_same_origin(to) {
        return Err(refused_hop(to, Refusal::OtherHost));
    }
    Ok(())
}

pub(crate) fn refused(url: &Url, reason: Refusal) -> HttpError {
    HttpError::NotAllowed {
        url: url.to_string(),
        reason,
    }
}

/// A server can put into an address what it was sent, a token too. So of one that it names only the place
/// is told.
fn refused_hop(to: &Url, reason: Refusal) -> HttpError {
    HttpError::NotAllowed {
        url: to.without_path(),
        reason,
    }
}

/// The same for what is no address at all.
fn without_address(error: HttpError) -> HttpError {
    match error {
        HttpError::BadUrl { reason, .. } => HttpError::bad_url("…", reason),
        other => other,
    }
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
