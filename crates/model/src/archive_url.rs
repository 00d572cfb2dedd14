//! Addresses of archives: `https://host/x.tar.gz`, with the digest behind `#sha256=` or without.
//!
//! Only the text is judged. An address holds neither a login nor a query, because it is shown and
//! recorded, and either may be a secret.

use std::fmt;

use crate::git_url::hides_login;
use crate::oci_reference::{is_host, is_loopback, sha256_digest};

/// Longest address.
const MAX_BYTES: usize = 2048;

/// An archive at an address. Whether there is one was not asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveUrl {
    url: String,
    digest: Option<String>,
}

impl ArchiveUrl {
    /// Reads an address. Plain http is one for this machine only.
    ///
    /// # Errors
    /// It cannot be meant; the text says why.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (url, digest) = match text.split_once('#') {
            Some((url, fragment)) => {
                let digest = fragment.strip_prefix("sha256=").and_then(sha256_digest);
                let reason = "behind `#` stands `sha256=` with 64 hexadecimal digits, or nothing";
                (url, Some(digest.ok_or(reason)?))
            }
            None => (text, None),
        };
        let (scheme, rest) = url
            .split_once("://")
            .ok_or("expected an address that begins with `https://`")?;
        let (host, path) = rest.split_once('/').ok_or("the address has no path")?;
        if host.contains('@') || hides_login(url) {
            return Err("the address holds no user or password");
        }
        if path.contains('?') {
            return Err("the address has no query: it may be a token, and addresses are recorded");
        }
        let is_text = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte);
        if path.is_empty() || url.len() > MAX_BYTES || !path.bytes().all(is_text) {
            return Err("its path names no archive, or holds a character that must be escaped");
        }
        if !is_host(host) {
            return Err("its host is no name or address, with a port or without");
        }
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "https" => {}
            "http" if is_loopback(host) => {}
            _ => return Err("expected an address that begins with `https://`"),
        }
        let host = host.to_ascii_lowercase();
        Ok(Self {
            url: format!("{scheme}://{host}/{path}"),
            digest,
        })
    }

    /// The address, without the digest.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The digest, where one is named: `sha256:` and 64 small hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl fmt::Display for ArchiveUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        match self
            .digest
            .as_deref()
            .and_then(|digest| digest.split_once(':'))
        {
            Some((_, digits)) => write!(f, "#sha256={digits}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::ArchiveUrl;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn addresses_that_can_be_meant() {
        let bare = ArchiveUrl::parse("https://H.example/a/b.tar.gz").unwrap();
        assert_eq!(
            (bare.url(), bare.digest()),
            ("https://h.example/a/b.tar.gz", None)
        );
        let text = format!("HTTPS://h/x.tgz#sha256={}", HEX.to_uppercase());
        let whole = ArchiveUrl::parse(&text).unwrap();
        assert_eq!(whole.url(), "https://h/x.tgz");
        assert_eq!(whole.digest(), Some(format!("sha256:{HEX}").as_str()));
        assert_eq!(whole.to_string(), format!("https://h/x.tgz#sha256={HEX}"));
        assert!(ArchiveUrl::parse("http://127.0.0.1:80/x").is_ok());
        assert!(ArchiveUrl::parse("http://[::1]:80/x").is_ok());
    }

    #[test]
    fn addresses_that_cannot_be_meant() {
        for (text, named) in [
            ("h/x", "https://"),
            ("ftp://h/x", "https://"),
            ("http://h/x", "https://"),
            ("https://h", "path"),
            ("https://h/", "path"),
            ("https://h/a b", "path"),
            ("https://u:p@h/x", "user"),
            ("https://u:p/x@h.test/x", "user"),
            ("https://h/x?token=1", "query"),
            ("https://h h/x", "host"),
            ("https:///x", "host"),
            ("https://h/x#md5=1", "sha256="),
            ("https://h/x#", "sha256="),
        ] {
            let why = ArchiveUrl::parse(text).unwrap_err();
            assert!(why.contains(named), "{text}: {why}");
        }
    }
}
