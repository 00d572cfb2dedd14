//! Bundles of the remote catalog: archives behind addresses that the service names.
//!
//! Such an address carries its own right to read, often as a signature in its query, and leads to a
//! host that is not the service. So nothing is sent that says who asks, and no error, `Debug` text
//! or value shows more of an address than its host.

use std::fmt;
use std::time::Duration;

use plugd_http::header::{self, HeaderName};
use plugd_http::{Bytes, Client, HttpError, Limits, Redirects, Request, Retry, Url};
use plugd_model::git_url::without_user_info;
use plugd_model::hex;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::download::{pour, too_large, unless};
use crate::registries::{host, is_secure};
use crate::{FetchError, Rules};

const ORIGINATOR: HeaderName = HeaderName::from_static("originator");

/// What is fetched, for errors, where nobody says otherwise.
pub(crate) const SUBJECT: &str = "the bundle";

/// How long a connection may take, with name, proxy and TLS.
const CONNECT: Duration = Duration::from_secs(60);

/// How long nothing may come.
const IDLE: Duration = Duration::from_secs(30);

/// How long the whole may take, redirects and repeated reads included. The service names an address
/// for some minutes only, and a plugin that takes longer holds up what waits for it.
const TOTAL: Duration = Duration::from_secs(600);

/// Longest mark that is kept.
const MAX_ETAG: usize = 1024;

/// Longest scheme that an error shows.
const MAX_SCHEME: usize = 20;

/// The way to bundles. Clones share connections; making one reads and contacts nothing.
#[derive(Debug, Clone)]
pub struct Bundles {
    client: Client,
    idle: Duration,
    total: Duration,
    /// Who asks: a name, and the name with versions.
    agent: Option<(String, String)>,
    subject: &'static str,
}

/// Where a bundle may be fetched from. Its `Debug` text shows the host only.
#[derive(Clone, PartialEq, Eq)]
pub struct BundleAddress {
    text: String,
    url: Url,
}

/// Why a bundle may not be fetched from an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleAddressError {
    /// It is no absolute address, or none that everybody reads in one way.
    #[error("invalid download URL: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is neither `https` nor `http`.
    #[error("unsupported download URL scheme `{scheme}`")]
    Scheme {
        /// The scheme, in lower case.
        scheme: String,
    },
    /// It is plain http, and not from a service on this machine to a host on this machine.
    #[error("unsupported download URL scheme: plain http to `{host}`")]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// It holds a user or password: a service does not choose what is sent to log in.
    #[error("invalid download URL: it holds a user or password for `{host}`")]
    Credentials {
        /// The host.
        host: String,
    },
}

/// What came of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Bytes of the archive.
    pub bytes: u64,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub sha256: String,
    /// The mark of this content, by which the server knows it again.
    pub etag: Option<String>,
}

impl BundleAddress {
    /// Reads an address that a service named. It must be absolute and `https`; plain http is taken
    /// only to this machine, and only where the configured base of the service is plain http on this
    /// machine itself.
    ///
    /// # Errors
    /// The address is another one.
    pub fn parse(text: &str, base_is_loopback: bool) -> Result<Self, BundleAddressError> {
        // Everybody reads a space in one way, although none may stand there.
        let encoded = text.trim_matches(' ').replace(' ', "%20");
        let text = encoded.as_str();
        if let Some(scheme) = foreign_scheme(text) {
            return Err(BundleAddressError::Scheme { scheme });
        }
        let url = Url::parse(text).map_err(|error| BundleAddressError::Invalid {
            reason: match error {
                HttpError::BadUrl { reason, .. } => reason,
                _ => "it cannot be read",
            },
        })?;
        let host = host(&url);
        if without_user_info(text) != text {
            return Err(BundleAddressError::Credentials { host });
        }
        let is_here = base_is_loopback && url.is_loopback();
        if !is_secure(&url) && !is_here {
            return Err(BundleAddressError::PlainHttp { host });
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// The host, with its port where that is not the usual one.
    #[must_use]
    pub fn host(&self) -> String {
        host(&self.url)
    }
}

impl Bundles {
    /// The way to bundles through a client that others use too: no header of theirs comes along.
    #[must_use]
    pub fn over(client: Client) -> Self {
        Self {
            client,
            idle: IDLE,
            total: TOTAL,
            agent: None,
            subject: SUBJECT,
        }
    }

    /// The same, saying which program asks. That is no secret, and hosts sort their logs by it.
    #[must_use]
    pub fn for_agent(mut self, (originator, user_agent): (&str, &str)) -> Self {
        self.agent = Some((originator.to_owned(), user_agent.to_owned()));
        self
    }

    /// The same for what is no bundle of the catalog; errors call it so.
    #[must_use]
    pub fn of(mut self, subject: &'static str) -> Self {
        self.subject = subject;
        self
    }

    /// The same with another time that a server may be silent; half a minute is usual.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// The same with another time for the whole; ten minutes are usual.
    #[must_use]
    pub fn with_total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// Brings an archive, chunk by chunk, to a section that unpacks it; see [`crate::Chunks`] and
    /// [`Rules::bundle`], which knows the digest where the service names one. `moved` is told after
    /// each chunk how many bytes have come so far, and how many there will be where the server says
    /// so.
    ///
    /// # Errors
    /// The server cannot be asked, refuses, breaks off or sends too much; or nobody takes the chunks
    /// any more.
    pub async fn download(
        &self,
        address: &BundleAddress,
        chunks: mpsc::Sender<Bytes>,
        moved: impl FnMut(u64, Option<u64>),
        cancel: impl Future<Output = ()>,
    ) -> Result<Downloaded, FetchError> {
        unless(cancel, self.bring(address, None, chunks, moved)).await
    }

    /// The same, unless the content still has the mark that an earlier answer gave it.
    ///
    /// # Errors
    /// As above, and [`FetchError::NotModified`] when it has.
    pub async fn download_changed(
        &self,
        address: &BundleAddress,
        etag: Option<&str>,
        chunks: mpsc::Sender<Bytes>,
        moved: impl FnMut(u64, Option<u64>),
        cancel: impl Future<Output = ()>,
    ) -> Result<Downloaded, FetchError> {
        unless(cancel, self.bring(address, etag, chunks, moved)).await
    }

    async fn bring(
        &self,
        address: &BundleAddress,
        etag: Option<&str>,
        chunks: mpsc::Sender<Bytes>,
        mut moved: impl FnMut(u64, Option<u64>),
    ) -> Result<Downloaded, FetchError> {
        let limit = Rules::bundle(None).archive_bytes;
        let failed = |source| {
            too_large(source, limit, |source| FetchError::Http {
                subject: self.subject.to_owned(),
                host: address.host(),
                source: source.with_address(shown),
            })
        };
        let mut request = Request::get(&address.text).map_err(failed)?;
        if let Some((originator, user_agent)) = &self.agent {
            request = request
                .header(ORIGINATOR, originator)
                .and_then(|request| request.header(header::USER_AGENT, user_agent))
                .map_err(failed)?;
        }
        if let Some(etag) = etag {
            request = request
                .header(header::IF_NONE_MATCH, etag)
                .map_err(failed)?;
        }
        let request = request.redirects(Redirects::AnyHttps).limits(Limits {
            body_bytes: limit,
            idle: self.idle,
            connect: CONNECT,
            deadline: Instant::now().checked_add(self.total),
            ..Limits::CALL
        });
        let response = self
            .client
            .read(request, &Retry::READS, std::future::pending())
            .await
            .map_err(failed)?;
        let status = response.status().as_u16();
        if status == 304 && etag.is_some() {
            return Err(FetchError::NotModified);
        }
        if status != 200 {
            return Err(FetchError::Status {
                subject: self.subject.to_owned(),
                host: host(response.url()),
                status,
            });
        }
        let etag = response.header(header::ETAG.as_str()).map(str::to_owned);
        let etag = etag.filter(|etag| etag.len() <= MAX_ETAG);
        let mut sha256 = Sha256::new();
        let taken = |chunk: &Bytes, so_far, expected| {
            sha256.update(chunk);
            moved(so_far, expected);
        };
        let bytes = pour(response, chunks, taken, failed).await?;
        Ok(Downloaded {
            bytes,
            sha256: hex(&sha256.finalize()),
            etag,
        })
    }
}

impl fmt::Debug for BundleAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BundleAddress({})", self.host())
    }
}

/// The scheme of an address, where it is one that nobody speaks here.
fn foreign_scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.len() <= MAX_SCHEME
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_scheme && !matches!(scheme.as_str(), "http" | "https")).then_some(scheme)
}

/// The host of an address, which is all that is shown of it: also a path may be a secret. Where it
/// cannot be read, it cannot be told what of it is one.
fn shown(address: &str) -> String {
    // Of some only the place is told already.
    let address = address.trim_end_matches('…');
    Url::parse(address).map_or_else(|_| "…".to_owned(), |url| host(&url))
}

#[cfg(test)]
mod tests;
