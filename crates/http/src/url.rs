//! An address that this client can fetch from.
//!
//! There is one parser, and what it understood is what is connected to: the host of a policy check
//! cannot differ from the host of the connection. So it is strict. A text with a character that
//! other parsers read in several ways (a backslash, a space, one beyond ASCII) is refused, and so is
//! a host that looks like a number without being a plain address.
//!
//! User and password leave the address while it is read; its text never shows them, nor the query.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::HttpError;

/// Longest address that is taken, in bytes; signed download addresses have a few thousand.
const MAX_BYTES: usize = 16 * 1024;
/// Longest name of a host.
const MAX_HOST_BYTES: usize = 253;

/// An `https` address, or an `http` one. Its text (`Display`, `Debug`) is safe to show.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    pub(crate) scheme: Scheme,
    host: Host,
    port: u16,
    /// Path and query; it begins with a slash.
    target: String,
    user_info: Option<UserInfo>,
}

/// What an address speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// The user and password that stood in an address, decoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UserInfo {
    pub(crate) user: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
enum Host {
    /// Lower case, without a final dot.
    Name(String),
    Address(IpAddr),
}

impl Url {
    /// Reads an absolute address. A fragment is dropped: it is never sent.
    ///
    /// # Errors
    /// It is no `http` or `https` address, or not in the strict form that the module describes.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let refuse = |reason| HttpError::bad_url(text, reason);
        if text.len() > MAX_BYTES {
            return Err(HttpError::bad_url("", "it is too long"));
        }
        if !text.bytes().all(is_legal) {
            return Err(refuse("it holds a character that must be escaped"));
        }
        let (scheme, rest) = split_scheme(text)
            .ok_or_else(|| refuse("it begins with neither `https://` nor `http://`"))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (user_info, place) = match authority.rsplit_once('@') {
            Some((user_info, place)) => (Some(user_info), place),
            None => (None, authority),
        };
        let (host, port) = split_place(place).map_err(refuse)?;
        let port = match port {
            "" => scheme.port(),
            digits => digits
                .parse()
                .ok()
                .filter(|port| *port != 0 && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or_else(|| refuse("its port is no number from 1 to 65535"))?,
        };
        let user_info = match user_info {
            Some(text) => Some(UserInfo::parse(text).ok_or_else(|| refuse("odd user name"))?),
            None => None,
        };
        Ok(Self {
            scheme,
            host,
            port,
            target: target(rest),
            user_info,
        })
    }

    /// The address that a reference in an answer to this one stands for. A user in it is dropped:
    /// a server does not choose whose password is sent.
    ///
    /// # Errors
    /// As [`Url::parse`].
    pub(crate) fn resolve(&self, reference: &str) -> Result<Self, HttpError> {
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            let mut url = Self::parse(reference)?;
            url.user_info = None;
            return Ok(url);
        }
        if reference.starts_with("//") {
            return self.resolve(&format!("{}:{reference}", self.scheme.word()));
        }
        if !reference.bytes().all(is_legal) {
            let reason = "it holds a character that must be escaped";
            return Err(HttpError::bad_url(reference, reason));
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let target = match reference.chars().next() {
            None => self.target.clone(),
            Some('/') => without_dots(reference),
            Some('?') => format!("{path}{reference}"),
            Some(_) => {
                let directory = path.rfind('/').map_or("", |at| &path[..at]);
                without_dots(&format!("{directory}/{reference}"))
            }
        };
        Ok(Self {
            scheme: self.scheme,
            host: self.host.clone(),
            port: self.port,
            target,
            user_info: None,
        })
    }

    /// The host: a name in lower case, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(address) => address.to_string(),
        }
    }

    /// The port, also where it is the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether scheme, host and port are the same: the place to which a credential belongs.
    #[must_use]
    pub fn is_same_origin(&self, other: &Self) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }

    /// Whether the host is this machine by its spelling: `localhost`, `127.0.0.0/8` or `::1`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost",
            Host::Address(address) => address.is_loopback(),
        }
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn user_info(&self) -> Option<&UserInfo> {
        self.user_info.as_ref()
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Address(address) => Some(address),
            Host::Name(_) => None,
        }
    }

    /// Host and port, as `CONNECT` and errors want them.
    pub(crate) fn place(&self) -> String {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            _ => format!("{}:{}", self.host(), self.port),
        }
    }

    /// The value of the `Host` header: the port only where it is not the usual one.
    pub(crate) fn host_header(&self) -> String {
        let place = self.place();
        if self.port == self.scheme.port() {
            let end = place.rfind(':').unwrap_or(place.len());
            place[..end].to_owned()
        } else {
            place
        }
    }
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl UserInfo {
    /// Reads `user:password` with its escapes; `None` where an escape is broken.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Some(Self {
            user: unescape(user)?,
            password: unescape(password)?,
        })
    }

    /// The value of an `Authorization` header of the scheme `Basic`.
    pub(crate) fn basic(&self) -> String {
        let pair = [&self.user[..], b":", &self.password].concat();
        format!("Basic {}", crate::base64::encode(&pair))
    }
}

impl Url {
    /// The place alone, and that there is more.
    pub(crate) fn without_path(&self) -> String {
        let more = match self.target.as_str() {
            "/" => "/",
            _ => "/…",
        };
        format!("{}://{}{more}", self.scheme.word(), self.host_header())
    }
}

impl fmt::Display for Url {
    /// Without user, password and query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{}://{}{path}", self.scheme.word(), self.host_header())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte)
}

fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if scheme.eq_ignore_ascii_case("https") {
        Some((Scheme::Https, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Some((Scheme::Http, rest))
    } else {
        None
    }
}

fn has_scheme(reference: &str) -> bool {
    let end = reference
        .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
        .unwrap_or(reference.len());
    end > 0 && reference[end..].starts_with(':')
}

/// Takes `host:port` apart; the port may be missing.
fn split_place(place: &str) -> Result<(Host, &str), &'static str> {
    if let Some(rest) = place.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("its host has no `]`")?;
        let address: Ipv6Addr = address.parse().map_err(|_| "its host is no address")?;
        let port = match port {
            "" => "",
            _ => port.strip_prefix(':').ok_or("its port is odd")?,
        };
        return Ok((Host::Address(IpAddr::V6(address)), port));
    }
    let (name, port) = place.split_once(':').unwrap_or((place, ""));
    let name = name.strip_suffix('.').unwrap_or(name);
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Ok((Host::Address(IpAddr::V4(address)), port));
    }
    let legal = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() > MAX_HOST_BYTES || !name.split('.').all(legal) {
        return Err("its host is no name");
    }
    // `127.1` and `0x7f.0.0.1` are addresses to the system and names to a check.
    let last = name.rsplit('.').next().unwrap_or_default();
    let lower = last.to_ascii_lowercase();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || lower.starts_with("0x") {
        return Err("its host is a number and no address");
    }
    Ok((Host::Name(name.to_ascii_lowercase()), port))
}

fn target(rest: &str) -> String {
    let rest = rest.split('#').next().unwrap_or_default();
    if rest.starts_with('/') {
        rest.to_owned()
    } else {
        format!("/{rest}")
    }
}

/// Removes the segments `.` and `..` of the path; the query stays.
fn without_dots(target: &str) -> String {
    let (path, query) = match target.find('?') {
        Some(at) => target.split_at(at),
        None => (target, ""),
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
