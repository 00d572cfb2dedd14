//! Where the hosted service is, and where the login for it is kept.
//!
//! What stands here decides which machine gets the user's access token, so no project has a say:
//! its keys are taken away before anything is merged. An address that could hand the token to
//! somebody else on the way is no address, and nothing takes the place of a bad one, because the
//! token was not meant for that place.

use std::net::{Ipv4Addr, Ipv6Addr};

use plugd_model::ProblemKind;

use crate::KeyPath;
use crate::reader::Reader;
use crate::tree::Node;

/// The key with the service's address.
const BASE_URL: &str = "chatgpt_base_url";
/// The key that says where the login program keeps the login.
const CREDENTIAL_STORE: &str = "cli_auth_credentials_store";

/// The words for it.
const CREDENTIAL_STORES: [&str; 4] = ["file", "keyring", "auto", "ephemeral"];

/// The address that holds when nothing else is said, as the reference spells it.
const DEFAULT_BASE_URL: &str = "https://chatgpt.com/backend-api/";

/// Where the login program keeps the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialStore {
    /// In a file below the home directory.
    File,
    /// In the keyring of the system where there is one, else in the file.
    Auto,
    /// Somewhere else, by the word that the configuration has for it. Nothing is read from there.
    Other(String),
}

/// How the hosted service is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSettings {
    /// The address without slashes at its end: `https`, or `http` to this machine, with neither
    /// login nor query in it. `None` when what is configured is no such address; then nothing is
    /// asked of anybody.
    pub base_url: Option<String>,
    /// The address exactly as it is configured; the names of shared cache files depend on it.
    pub base_url_as_configured: String,
    /// Where the login is kept.
    pub credential_store: CredentialStore,
}

/// Reads the settings; a bad one is reported.
pub(crate) fn read(reader: &mut Reader<'_>, merged: &Node) -> RemoteSettings {
    let (base_url, base_url_as_configured) = base_url(reader, merged);
    RemoteSettings {
        base_url,
        base_url_as_configured,
        credential_store: credential_store(reader, merged),
    }
}

fn credential_store(reader: &mut Reader<'_>, merged: &Node) -> CredentialStore {
    let field = KeyPath::of([CREDENTIAL_STORE]);
    let Ok(Some(word)) = reader.text(merged, &field) else {
        return CredentialStore::File;
    };
    match word.as_str() {
        "file" => CredentialStore::File,
        "auto" => CredentialStore::Auto,
        _ => {
            // A word that nobody knows is told, and is no file either.
            let _ = reader.word(merged, &field, &CREDENTIAL_STORES);
            CredentialStore::Other(word)
        }
    }
}

fn base_url(reader: &mut Reader<'_>, merged: &Node) -> (Option<String>, String) {
    let field = KeyPath::of([BASE_URL]);
    let Ok(text) = reader.text(merged, &field) else {
        return (None, String::new());
    };
    let text = text.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
    match check(&text) {
        Ok(base) => (Some(base.to_owned()), text),
        Err(reason) => {
            let mark = merged.get(BASE_URL).unwrap_or(merged).mark;
            let message = format!("no remote catalog without a safe address: {reason}");
            reader.error(ProblemKind::BadValue, mark, &field, message);
            (None, text)
        }
    }
}

/// The address without slashes at its end, or why no token may be sent there. The text itself is not
/// in the reason: it may hold a login.
fn check(text: &str) -> Result<&str, &'static str> {
    let base = text.trim_end_matches('/');
    let Some((scheme, rest)) = base.split_once("://") else {
        return Err("it does not begin with `https://`");
    };
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds a character that no address has");
    }
    if rest.contains(['?', '#', '\\']) {
        return Err("it holds more than a machine and a path");
    }
    let authority = rest
        .split_once('/')
        .map_or(rest, |(authority, _)| authority);
    if authority.contains('@') {
        return Err("it holds a user name or password");
    }
    let host = host(authority).ok_or("its machine or port cannot be meant")?;
    let is = |known: &str| scheme.eq_ignore_ascii_case(known);
    if is("https") || (is("http") && is_this_machine(host)) {
        return Ok(base);
    }
    if is("http") {
        return Err("`http` is for this machine only, write `https`");
    }
    Err("it is neither `https` nor `http`")
}

/// The machine of an authority, whose port has been checked.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, behind) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            let port = match behind {
                "" => None,
                behind => Some(behind.strip_prefix(':')?),
            };
            (address, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_number = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port != 0)
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    (!host.is_empty() && host.chars().all(legal) && port.is_none_or(is_number)).then_some(host)
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
        || host
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
