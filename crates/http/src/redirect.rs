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
    let url = asked.url.resolve(location)?;
    check_hop(asked.policy, asked.url, &url)?;
    let reads = is_read(asked.method);
    let (method, keeps_body) = match status.as_u16() {
        _ if turns_into_read && !reads => (Method::GET, false),
        // Browsers turn these into a read for a `POST`. A caller that sends something would then
        // be told of a success that never was.
        301 | 302 if !reads => return Err(refused(&url, Refusal::RedirectedBody)),
        _ => (asked.method.clone(), asked.has_body),
    };
    if (keeps_body || !is_read(&method)) && !asked.url.is_same_origin(&url) {
        return Err(refused(&url, Refusal::RedirectedBody));
    }
    Ok(Some(Next {
        url,
        method,
        keeps_body,
    }))
}

fn check_hop(policy: Redirects, from: &Url, to: &Url) -> Result<(), HttpError> {
    if to.scheme == Scheme::Http && (from.scheme == Scheme::Https || !to.is_loopback()) {
        return Err(refused(to, Refusal::PlainHttp));
    }
    if policy == Redirects::SameHost && !from.is_same_origin(to) {
        return Err(refused(to, Refusal::OtherHost));
    }
    Ok(())
}

pub(crate) fn refused(url: &Url, reason: Refusal) -> HttpError {
    HttpError::NotAllowed {
        url: url.to_string(),
        reason,
    }
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
