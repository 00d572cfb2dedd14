//! The address that all calls to the service begin with.

use std::fmt;

use plugd_http::{HttpError, Url};

/// Where the service is: `https`, or plain http on this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    as_configured: String,
    place: String,
    is_loopback_http: bool,
}

/// Why a text is not the address of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is no address.
    #[error("the service's address cannot be used: {reason}")]
    Unreadable {
        /// What is wrong, without what may be secret in it.
        reason: String,
    },
    /// Plain http to another machine: whoever listens in would have the token.
    #[error("the service at `{place}` must be spoken to through `https://`")]
    PlainHttp {
        /// Host and port.
        place: String,
    },
    /// A user, a query or a fragment: paths could not be put behind it, or a secret stands in it.
    #[error("the service's address may have no user, query or fragment")]
    MoreThanPath,
}

impl BaseUrl {
    /// Checks and takes an address. `as_configured` is the text that names cache files, because the
    /// reference makes those names from what the user wrote.
    ///
    /// # Errors
    /// The text is no address, is plain http to another machine, or has more than a path.
    pub fn new(url: &str, as_configured: &str) -> Result<Self, BaseUrlError> {
        let text = url.trim_end_matches('/');
        let parsed = Url::parse(text).map_err(|error| BaseUrlError::Unreadable {
            reason: match error {
                HttpError::BadUrl { reason, .. } => reason.to_owned(),
                other => other.to_string(),
            },
        })?;
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let authority = rest.split('/').next().unwrap_or_default();
        if rest.contains(['?', '#']) || authority.contains('@') {
            return Err(BaseUrlError::MoreThanPath);
        }
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !parsed.is_loopback() {
            let place = authority.to_owned();
            return Err(BaseUrlError::PlainHttp { place });
        }
        Ok(Self {
            text: text.to_owned(),
            as_configured: as_configured.to_owned(),
            place: authority.to_ascii_lowercase(),
            is_loopback_http: !is_https,
        })
    }

    /// The address without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text that the user wrote.
    #[must_use]
    pub fn as_configured(&self) -> &str {
        &self.as_configured
    }

    /// The host, with its port where one is written.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.place
    }

    /// Whether the service is on this machine and spoken to in plain http: only then may what it
    /// names be plain http too.
    #[must_use]
    pub fn is_loopback_http(&self) -> bool {
        self.is_loopback_http
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{BaseUrl, BaseUrlError};

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, &str, bool), &str>) {
        let base = BaseUrl::new(text, text);
        let found = match &base {
            Ok(base) => Ok((base.as_str(), base.host(), base.is_loopback_http())),
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn addresses_of_services() {
        check(
            "https://chatgpt.com/backend-api/",
            Ok(("https://chatgpt.com/backend-api", "chatgpt.com", false)),
        );
        check(
            "HTTPS://Example.com:8443//",
            Ok(("HTTPS://Example.com:8443", "example.com:8443", false)),
        );
        for host in ["127.0.0.1:9", "localhost:9", "[::1]:9"] {
            let text = format!("http://{host}/b");
            check(&text, Ok((&text, host, true)));
        }
    }

    #[test]
    fn refused_addresses() {
        let plain = "the service at `h.example` must be spoken to through `https://`";
        check("http://h.example/a", Err(plain));
        let more = "the service's address may have no user, query or fragment";
        check("https://me:secret@h/a", Err(more));
        check("https://h/a?b", Err(more));
        check("https://h/a#b", Err(more));
        let scheme = "the service's address cannot be used: \
                      it begins with neither `https://` nor `http://`";
        check("ftp://h/", Err(scheme));
        check("", Err(scheme));
    }

    #[test]
    fn what_was_written_is_kept_for_the_names_of_files() {
        let base = BaseUrl::new("https://h/a", "https://h/a/").unwrap();
        assert_eq!(base.as_configured(), "https://h/a/");
        assert_eq!(format!("{base:?} {base}"), "https://h/a https://h/a");
        let error = BaseUrl::new("http://h", "").unwrap_err();
        assert!(matches!(error, BaseUrlError::PlainHttp { .. }));
    }
}
