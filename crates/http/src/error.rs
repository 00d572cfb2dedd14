//! The one error of a request: what was tried, with which host, and why it failed.
//!
//! No variant holds a header, a body, a query or a password: an error is shown to people and written
//! to logs.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use plugd_model::git_url;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The text is no address, or none that is spoken here.
    #[error("`{url}` is not an address to fetch from: {reason}")]
    BadUrl {
        /// The text, without what may be secret in it.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A header cannot be sent as it is; its value is not shown.
    #[error("the header `{name}` holds a character that cannot be sent")]
    BadHeader {
        /// Its name.
        name: String,
    },
    /// The address is well formed, but a rule forbids going there. Nothing was sent to it.
    #[error("`{url}` may not be fetched: {reason}")]
    NotAllowed {
        /// Where it would have gone.
        url: String,
        /// The rule.
        reason: Refusal,
    },
    /// The name of the host, or of the proxy, has no address.
    #[error("cannot find the host `{host}`")]
    Dns {
        /// The name.
        host: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// No address of the host, or of the proxy, takes connections.
    #[error("cannot connect to `{host}` (tried {tried})")]
    Connect {
        /// Host and port.
        host: String,
        /// The addresses that were tried.
        tried: String,
        /// The reason of the last one.
        #[source]
        source: io::Error,
    },
    /// The proxy was reached and did not connect to the host.
    #[error("the proxy `{proxy}` gives no connection to `{host}`: {reason}")]
    Tunnel {
        /// Host and port of the proxy.
        proxy: String,
        /// Host and port that were wanted.
        host: String,
        /// What it answered.
        reason: TunnelFailure,
    },
    /// The host could not prove who it is, or does not speak TLS.
    #[error("no trusted connection to `{host}`")]
    Tls {
        /// Host and port.
        host: String,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A wait took too long.
    #[error("`{url}` {wait}")]
    Timeout {
        /// The address.
        url: String,
        /// What was waited for, and how long.
        wait: Wait,
    },
    /// The answer is no success; only [`crate::Response::success`] makes this error.
    #[error("`{url}` answered {status}")]
    Status {
        /// The address that answered, behind all redirects.
        url: String,
        /// The status code.
        status: u16,
    },
    /// The server sends more than the caller takes.
    #[error("the {part} of `{url}` has more than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// Which part.
        part: Part,
        /// The limit that was set.
        limit: u64,
    },
    /// The connection ended in the middle.
    #[error("the connection to `{url}` ended in the middle")]
    Cut {
        /// The address.
        url: String,
        /// What was seen.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What came back is no valid HTTP.
    #[error("the answer of `{url}` is not valid HTTP")]
    NotHttp {
        /// The address.
        url: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The caller gave up.
    #[error("the request to `{url}` was cancelled")]
    Cancelled {
        /// The address.
        url: String,
    },
    /// The blocking face could not start its machinery.
    #[error("cannot start the network thread")]
    Runtime {
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// The rule that forbids an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Plain http leaves this machine, or follows https.
    PlainHttp,
    /// A redirect leads to another host, port or scheme, and the request allows none.
    OtherHost,
    /// The sixth redirect in a row.
    TooManyRedirects,
    /// A redirect of a request that sends something: it would be sent again, to somebody else, or
    /// silently turned into a read.
    RedirectedBody,
}

/// Why a proxy gave no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TunnelFailure {
    /// The proxy's own address cannot be used.
    BadAddress(&'static str),
    /// The proxy's answer to an HTTP `CONNECT`.
    Status(u16),
    /// The proxy's answer in SOCKS.
    Socks(u8),
    /// It hung up or answered something else.
    NoAnswer,
}

/// What a wait was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// A connection, TLS and proxy included, for so long.
    Connect(Duration),
    /// The next byte, for so long.
    Idle(Duration),
    /// The whole call, until its deadline.
    Deadline,
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Status line and headers.
    Head,
    /// The body.
    Body,
}

impl HttpError {
    /// Whether the host cannot be reached at all, as on a machine without a network.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(
            self,
            Self::Dns { .. }
                | Self::Connect { .. }
                | Self::Timeout {
                    wait: Wait::Connect(_),
                    ..
                }
        )
    }

    /// Whether the caller gave up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled { .. })
    }

    /// Whether the same read may succeed later without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Cut { .. }
            | Self::Tunnel {
                reason: TunnelFailure::NoAnswer,
                ..
            } => true,
            Self::Status { status, .. } => matches!(status, 429 | 500 | 502..=504),
            Self::BadUrl { .. }
            | Self::BadHeader { .. }
            | Self::NotAllowed { .. }
            | Self::Tunnel { .. }
            | Self::Tls { .. }
            | Self::TooLarge { .. }
            | Self::NotHttp { .. }
            | Self::Cancelled { .. }
            | Self::Runtime { .. } => false,
        }
    }

    /// The same error with something else in the place of its address: of some addresses also the
    /// path is a secret. A host alone, as other variants have it, stays.
    #[must_use]
    pub fn with_address(mut self, shown: impl FnOnce(&str) -> String) -> Self {
        match &mut self {
            Self::BadUrl { url, .. }
            | Self::NotAllowed { url, .. }
            | Self::Timeout { url, .. }
            | Self::Status { url, .. }
            | Self::TooLarge { url, .. }
            | Self::Cut { url, .. }
            | Self::NotHttp { url, .. }
            | Self::Cancelled { url } => *url = shown(url),
            Self::BadHeader { .. }
            | Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Tunnel { .. }
            | Self::Tls { .. }
            | Self::Runtime { .. } => {}
        }
        self
    }

    /// An address that cannot be read. Where it cannot be told what is a password, all that stands
    /// in front of an `@` is left out.
    pub(crate) fn bad_url(text: &str, reason: &'static str) -> Self {
        let shown = git_url::without_credentials(text);
        let (front, shown) = match shown.rfind('@') {
            Some(at) => ("…", &shown[at..]),
            None => ("", shown.as_str()),
        };
        let shown = shown.split(['?', '#']).next().unwrap_or_default();
        let url = format!("{front}{shown}");
        Self::BadUrl { url, reason }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PlainHttp => "plain http is spoken on this machine only",
            Self::OtherHost => "a redirect leads to another host",
            Self::TooManyRedirects => "too many redirects",
            Self::RedirectedBody => "a redirect would repeat or drop what the request sends",
        })
    }
}

impl fmt::Display for TunnelFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadAddress(reason) => write!(f, "its address cannot be used: {reason}"),
            Self::Status(407) => f.write_str("it wants a user name and password (407)"),
            Self::Status(status) => write!(f, "it answered {status}"),
            Self::Socks(code) => write!(f, "it refused with SOCKS code {code}"),
            Self::NoAnswer => f.write_str("it hung up"),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(after) => write!(f, "took no connection within {after:?}"),
            Self::Idle(after) => write!(f, "sent nothing for {after:?}"),
            Self::Deadline => f.write_str("was not done before the deadline"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "header block",
            Self::Body => "body",
        })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::HttpError;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = HttpError::bad_url(text, "odd").to_string();
        assert_eq!(
            shown,
            format!("`{expected}` is not an address to fetch from: odd")
        );
    }

    #[test]
    fn a_bad_address_shows_no_secret() {
        check("ftp://h/a", "ftp://h/a");
        check("ftp://me:secret@h/a?token=secret", "ftp://h/a");
        check("https://me:se/cret@h/a", "https://h/a");
        check("https:/me:secret@h/a#secret", "https:/h/a");
        check("https://me:12?secret@h/a", "…@h/a");
        check("h?secret", "h");
    }

    #[test]
    fn an_address_gives_way_and_a_host_stays() {
        let check = |error: HttpError, expected: &str| {
            let error = error.with_address(|address| address.len().to_string());
            assert_eq!(error.to_string(), expected);
        };
        let url = || "https://h/a".to_owned();
        let status = 404;
        check(
            HttpError::Status { url: url(), status },
            "`11` answered 404",
        );
        check(
            HttpError::Cancelled { url: url() },
            "the request to `11` was cancelled",
        );
        let host = "h:443".to_owned();
        let source = std::io::Error::other("x");
        check(
            HttpError::Tls { host, source },
            "no trusted connection to `h:443`",
        );
    }
}
