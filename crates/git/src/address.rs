//! Addresses of repositories: what is accepted, and what of it may be shown.
//!
//! Accepted are `https://`, `ssh://` and its short form `user@host:path`, `file://`, absolute paths,
//! and `http://` to this machine. Everything else is refused before anything is started: git's own
//! `ext::` runs commands, `git://` proves nothing, and a text that begins with `-` is an option to
//! some program.
//!
//! Nothing is contacted and no file is looked at here.

use std::fmt;

use plugd_model::{AbsPath, git_url, hex, percent};
use sha2::{Digest as _, Sha256};

/// An accepted address. Its credentials are kept and never shown, not even by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    pub(crate) kind: Kind,
}

/// How a repository is reached.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A directory of this machine.
    Local(AbsPath),
    /// Smart HTTP.
    Http,
    /// The user's ssh program.
    Ssh(SshTarget),
}

/// What ssh is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SshTarget {
    /// `host` or `user@host`.
    pub(crate) destination: String,
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
}

/// An address that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not an address that can be fetched from: {refusal}")]
pub struct AddressError {
    /// The address without credentials.
    pub shown: String,
    /// What is wrong with it.
    pub refusal: Refusal,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing, a control character, or a host or path that begins with `-`.
    Malformed,
    /// A scheme other than https, ssh and file.
    Scheme,
    /// One of git's helpers, such as `ext::`.
    Helper,
    /// Plain http to another machine.
    PlainHttp,
    /// What looks like a login cannot be one as it is written.
    HiddenLogin,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is malformed",
            Self::Scheme => "only https, ssh and file are allowed",
            Self::Helper => "remote helpers are not allowed",
            Self::PlainHttp => "plain http is allowed to this machine only",
            Self::HiddenLogin => {
                "it seems to hold a login with `/`, `?` or `#` in it, or a mistake in front of one; \
                 leave the login out"
            }
        })
    }
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none of the accepted forms.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let refuse = |refusal| AddressError {
            shown: shown(text),
            refusal,
        };
        let kind = kind(text).map_err(refuse)?;
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The address without credentials, for messages and records.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(&self.text)
    }

    /// The machine it leads to, for messages.
    #[must_use]
    pub fn host(&self) -> String {
        match git_url::host_span(&self.text) {
            Some(span) if self.is_remote() => self.text[span].to_ascii_lowercase(),
            _ => "this machine".to_owned(),
        }
    }

    /// The name of the mirror's directory and lock: the same for every login, so that a token that
    /// changes does not cost a second mirror. The user of ssh is no login but a part of the address:
    /// it decides whose home directory a path means.
    #[must_use]
    pub fn mirror_name(&self) -> String {
        let text = match self.kind {
            Kind::Ssh(_) => self.text.clone(),
            Kind::Http | Kind::Local(_) => self.shown(),
        };
        let digest = Sha256::digest(text.trim_end_matches('/').as_bytes());
        hex(&digest)
    }

    /// The whole text, for the worker; never for a message.
    pub(crate) fn secret_text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_remote(&self) -> bool {
        !matches!(self.kind, Kind::Local(_))
    }

    /// The user name and password in an address of HTTP.
    pub(crate) fn login(&self) -> Option<(String, String)> {
        if !matches!(self.kind, Kind::Http) {
            return None;
        }
        let authority = git_url::authority(&self.text)?;
        let (user_info, _) = authority.rsplit_once('@')?;
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        Some((percent::decoded(user)?, percent::decoded(password)?))
    }

    /// The texts that must not appear anywhere.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        if let Some(authority) = git_url::authority(&self.text).filter(|_| self.is_remote())
            && let Some((user_info, _)) = authority.rsplit_once('@')
            && matches!(self.kind, Kind::Http)
        {
            secrets.push(user_info.to_owned());
            secrets.extend(user_info.split(':').map(str::to_owned));
        }
        secrets.extend(
            self.login()
                .into_iter()
                .flat_map(|(user, password)| [user, password]),
        );
        secrets.retain(|secret| secret.len() >= 4);
        secrets
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.shown()).finish()
    }
}

fn shown(text: &str) -> String {
    let clean = git_url::without_credentials(text);
    let end = clean.find(['?', '#']).unwrap_or(clean.len());
    clean[..end].escape_debug().to_string()
}

fn kind(text: &str) -> Result<Kind, Refusal> {
    if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
        return Err(Refusal::Malformed);
    }
    // By the rules it leads to another host, which would learn a part of the password.
    if git_url::hides_login(text) {
        return Err(Refusal::HiddenLogin);
    }
    if let Some((front, _)) = text.split_once("::")
        && !front.is_empty()
        && front
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'))
    {
        return Err(Refusal::Helper);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "https" => http(text),
            "http" if is_loopback(text) => http(text),
            "http" => Err(Refusal::PlainHttp),
            "ssh" | "git+ssh" | "ssh+git" => ssh_url(rest).map(Kind::Ssh),
            "file" => file_url(rest).map(Kind::Local),
            _ => Err(Refusal::Scheme),
        };
    }
    if let Ok(path) = AbsPath::new(text) {
        return Ok(Kind::Local(path));
    }
    match text.split_once(':') {
        Some((destination, path)) if !destination.contains('/') => {
            ssh_target(destination, None, path).map(Kind::Ssh)
        }
        _ => Err(Refusal::Scheme),
    }
}

fn http(text: &str) -> Result<Kind, Refusal> {
    let host = git_url::host_span(text).map(|span| &text[span]);
    match host {
        Some(host) if is_host(host) && !text.contains(['?', '#', ' ', '\\']) => Ok(Kind::Http),
        _ => Err(Refusal::Malformed),
    }
}

fn is_loopback(text: &str) -> bool {
    let Some(host) = git_url::host_span(text).map(|span| &text[span]) else {
        return false;
    };
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

fn ssh_url(rest: &str) -> Result<SshTarget, Refusal> {
    let (authority, path) = rest.split_once('/').ok_or(Refusal::Malformed)?;
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    let (host, port) = match authority[host_start..].rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            (host, Some(port.parse().map_err(|_| Refusal::Malformed)?))
        }
        _ => (&authority[host_start..], None),
    };
    // A password in front of the host would stand in the process list.
    let user = authority[..host_start].trim_end_matches('@');
    if user.contains(':') {
        return Err(Refusal::Malformed);
    }
    let destination = if user.is_empty() {
        host.to_owned()
    } else {
        format!("{user}@{host}")
    };
    let path = match path.strip_prefix('~') {
        Some(_) => path.to_owned(),
        None => format!("/{path}"),
    };
    ssh_target(&destination, port, &path)
}

fn ssh_target(destination: &str, port: Option<u16>, path: &str) -> Result<SshTarget, Refusal> {
    let (user, host) = destination.rsplit_once('@').unwrap_or(("u", destination));
    let user_is_fine = !user.is_empty()
        && user
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'));
    if destination.starts_with('-') || !user_is_fine || !is_host(host) {
        return Err(Refusal::Malformed);
    }
    if matches!(path, "" | "/") || path.starts_with('-') {
        return Err(Refusal::Malformed);
    }
    Ok(SshTarget {
        destination: destination.replace(['[', ']'], ""),
        port,
        path: path.to_owned(),
    })
}

fn is_host(host: &str) -> bool {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let bare = inner.unwrap_or(host);
    !bare.is_empty()
        && !bare.starts_with('-')
        && bare
            .chars()
            .all(|c| legal(c) || (inner.is_some() && c == ':'))
}

fn file_url(rest: &str) -> Result<AbsPath, Refusal> {
    // `file://localhost/x` is the same as `file:///x`; another machine's files cannot be meant.
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let decoded = percent::decoded(path).ok_or(Refusal::Malformed)?;
    AbsPath::new(decoded).map_err(|_| Refusal::Malformed)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
