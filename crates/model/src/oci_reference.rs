//! References to artifacts of an OCI registry: `oci://host[:port]/repository[:tag][@sha256:…]`.
//!
//! Only the text is judged. A reference never holds a login, so it may be shown and recorded as it
//! is; whoever needs one takes it from where the user keeps it.

use std::fmt;

/// What a reference begins with.
const SCHEME: &str = "oci://";

/// Longest name of a repository, as registries have it.
const MAX_REPOSITORY: usize = 255;

/// Longest tag, by the specification.
const MAX_TAG: usize = 128;

/// What a tag is when nobody names one.
const LATEST: &str = "latest";

/// An artifact of a registry. Whether there is one was not asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciReference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl OciReference {
    /// Reads a reference.
    ///
    /// # Errors
    /// It cannot be meant; the text says why.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = strip_scheme(text).ok_or("expected `oci://host/repository:tag`")?;
        let (host, path) = rest
            .split_once('/')
            .ok_or("the reference names no repository behind the host")?;
        if host.contains('@') {
            return Err("a reference holds no user or password");
        }
        if !is_host(host) {
            return Err("its host is no name or address, with a port or without");
        }
        let (path, digest) = match path.split_once('@') {
            Some((path, digest)) => {
                let digest = digest.starts_with(PREFIX).then(|| sha256_digest(digest));
                let digest = digest.flatten();
                (path, Some(digest.ok_or(BAD_DIGEST)?))
            }
            None => (path, None),
        };
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_repository(repository) {
            return Err(
                "the repository is written in small letters, digits and `.`, `_`, `-`, \
                 with `/` in between",
            );
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("the tag is no word of letters, digits and `.`, `_`, `-`");
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// The same repository, with another tag and digest.
    ///
    /// # Errors
    /// One of them cannot be one; the text says why.
    pub fn at(&self, tag: Option<&str>, digest: Option<&str>) -> Result<Self, &'static str> {
        let mut text = self.address();
        if let Some(tag) = tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = digest {
            text.push('@');
            text.push_str(digest);
        }
        Self::parse(&text)
    }

    /// Host, and the port where one is named, in small letters.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one is named.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one is named: `sha256:` and 64 small hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What a registry is asked for: the digest, else the tag, else `latest`.
    #[must_use]
    pub fn wanted(&self) -> &str {
        self.digest().or(self.tag()).unwrap_or(LATEST)
    }

    /// The reference without tag and digest: where the artifact is, whatever of it is meant.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{SCHEME}{}/{}", self.host, self.repository)
    }

    /// Whether the host is this machine by its spelling.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// What stands in front of a SHA-256.
const PREFIX: &str = "sha256:";

const BAD_DIGEST: &str = "the digest is not `sha256:` with 64 hexadecimal digits";

/// Reads `sha256:` and 64 hexadecimal digits, or the digits alone, and writes it in the one form:
/// with the prefix, in small letters.
#[must_use]
pub fn sha256_digest(text: &str) -> Option<String> {
    let digits = text.strip_prefix(PREFIX).unwrap_or(text);
    let is_digest = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| format!("{PREFIX}{}", digits.to_ascii_lowercase()))
}

fn strip_scheme(text: &str) -> Option<&str> {
    let front = text.get(..SCHEME.len())?;
    let is_ours = front.eq_ignore_ascii_case(SCHEME);
    is_ours.then(|| text.get(SCHEME.len()..)).flatten()
}

/// Whether `host[:port]` is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
pub(crate) fn is_loopback(host: &str) -> bool {
    let (name, _) = split_port(host);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let parsed = address.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || parsed.is_ok_and(|address| address.is_loopback())
}

/// Whether a text is `host` or `host:port`.
pub(crate) fn is_host(host: &str) -> bool {
    let (name, port) = split_port(host);
    let is_port = |port: &str| {
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        is_number && port.parse::<u16>().is_ok_and(|port| port != 0)
    };
    if port.is_some_and(|port| !is_port(port)) {
        return false;
    }
    if let Some(address) = name.strip_prefix('[') {
        let address = address.strip_suffix(']').unwrap_or_default();
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Takes the port off. The colons of an IPv6 address stand in brackets.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// Components of small letters and digits, with separators between them and never at their ends.
fn is_repository(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_component = |component: &str| {
        let bytes = component.as_bytes();
        let ends_well = |byte: Option<&u8>| byte.is_some_and(|&byte| is_plain(byte));
        ends_well(bytes.first())
            && ends_well(bytes.last())
            && bytes
                .iter()
                .all(|&byte| is_plain(byte) || b"._-".contains(&byte))
            && !component.contains("..")
    };
    text.len() <= MAX_REPOSITORY && text.split('/').all(is_component)
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(is_word)
        && text
            .bytes()
            .all(|byte| is_word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{OciReference, sha256_digest};

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[track_caller]
    fn check(text: &str, host: &str, repository: &str, tag: Option<&str>, digest: Option<&str>) {
        let reference = OciReference::parse(text).unwrap();
        assert_eq!(reference.host(), host);
        assert_eq!(reference.repository(), repository);
        assert_eq!(reference.tag(), tag);
        assert_eq!(reference.digest(), digest);
        assert_eq!(
            OciReference::parse(&reference.to_string()).unwrap(),
            reference
        );
    }

    #[track_caller]
    fn refused(text: &str, named: &str) {
        let why = OciReference::parse(text).unwrap_err();
        assert!(why.contains(named), "{text}: {why}");
    }

    #[test]
    fn references_that_can_be_meant() {
        check("oci://r.example/a", "r.example", "a", None, None);
        check(
            "OCI://R.Example:5000/a/b-c__d:1.0",
            "r.example:5000",
            "a/b-c__d",
            Some("1.0"),
            None,
        );
        check("oci://[::1]:5000/a", "[::1]:5000", "a", None, None);
        check(&format!("oci://h/a@{DIGEST}"), "h", "a", None, Some(DIGEST));
        let upper = DIGEST.replace("ba78", "BA78");
        check(
            &format!("oci://h/a:v1@{upper}"),
            "h",
            "a",
            Some("v1"),
            Some(DIGEST),
        );
    }

    #[test]
    fn references_that_cannot_be_meant() {
        refused("https://h/a", "expected `oci://");
        refused("oci://h", "no repository");
        refused("oci://user:pw@h/a", "no user or password");
        for host in [
            "", "h:", "h:0", "h:99999", "h:+1", "a..b", "h h", "[::1", "h%41",
        ] {
            refused(&format!("oci://{host}/a"), "host");
        }
        for repository in [
            "", "A", "a//b", "a/", "-a", "a-", "a/../b", "a b", "a?b", "a#b", "é",
        ] {
            refused(&format!("oci://h/{repository}"), "repository");
        }
        refused(&format!("oci://h/{}", "a".repeat(256)), "repository");
        for tag in ["", ".a", "a/b:", "a b", &"a".repeat(129)] {
            refused(&format!("oci://h/a:{tag}"), "");
        }
        for digest in ["", "sha256:", "sha512:00", &DIGEST[..70], &DIGEST[7..]] {
            refused(&format!("oci://h/a@{digest}"), "digest");
        }
    }

    #[test]
    fn what_a_registry_is_asked_for() {
        let plain = OciReference::parse("oci://h/a").unwrap();
        assert_eq!(plain.wanted(), "latest");
        let tagged = plain.at(Some("v1"), None).unwrap();
        assert_eq!(tagged.wanted(), "v1");
        let pinned = tagged.at(tagged.tag(), Some(DIGEST)).unwrap();
        assert_eq!(pinned.wanted(), DIGEST);
        assert_eq!(pinned.to_string(), format!("oci://h/a:v1@{DIGEST}"));
        assert_eq!(pinned.address(), "oci://h/a");
        assert!(plain.at(Some("a b"), None).is_err());
    }

    #[test]
    fn which_hosts_are_here() {
        let is_here = |host: &str| {
            let text = format!("oci://{host}/a");
            OciReference::parse(&text).unwrap().is_loopback()
        };
        for here in [
            "localhost",
            "LOCALHOST:5000",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:5",
        ] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["localhost.example", "128.0.0.1", "[::2]", "r.example"] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn digests_have_one_form() {
        assert_eq!(sha256_digest(DIGEST).as_deref(), Some(DIGEST));
        assert_eq!(
            sha256_digest(&DIGEST[7..].to_uppercase()).as_deref(),
            Some(DIGEST)
        );
        for odd in [
            "",
            "sha256:",
            "sha512-abc",
            &DIGEST[..70],
            &DIGEST.replace('b', "g"),
        ] {
            assert_eq!(sha256_digest(odd), None, "{odd}");
        }
    }
}
