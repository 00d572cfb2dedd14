//! Which of the service's endpoints a request is for, and what may stand in its query.

use std::fmt;

/// What every path of the service begins with, as at the real one.
pub(super) const PREFIX: &str = "/backend-api";

/// Where tokens are renewed; another host at the real service.
pub(super) const TOKEN_PATH: &str = "/oauth/token";

/// One thing that can be asked of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// The directory of a scope, in pages.
    List,
    /// What the account has installed, in pages.
    Installed,
    /// One plugin.
    Detail,
    /// The text of one skill.
    Skill,
    /// Installs a plugin for the account.
    Install,
    /// Uninstalls a plugin for the account.
    Uninstall,
    /// Finds plugins, in pages.
    Search,
    /// Plugins that somebody suggests.
    Suggested,
    /// The keys of featured plugins.
    Featured,
    /// The names of apps.
    Apps,
    /// Plugins that others share with the account, in pages.
    SharedWithMe,
    /// Plugins that the account shares, in pages.
    Created,
    /// Whom a plugin is shared with.
    Shares,
    /// Asks for a place to put an archive.
    UploadUrl,
    /// Puts the archive there.
    Upload,
    /// Makes a plugin of an archive, or a new version of one.
    Finalise,
    /// Stops sharing a plugin.
    DeleteShare,
    /// Downloads an archive.
    Bundle,
    /// Renews tokens. It belongs to the login service and is not in [`Endpoint::ALL`].
    Token,
}

impl Endpoint {
    /// Every endpoint of the plugin service, in the order of the type.
    pub const ALL: [Self; 18] = [
        Self::List,
        Self::Installed,
        Self::Detail,
        Self::Skill,
        Self::Install,
        Self::Uninstall,
        Self::Search,
        Self::Suggested,
        Self::Featured,
        Self::Apps,
        Self::SharedWithMe,
        Self::Created,
        Self::Shares,
        Self::UploadUrl,
        Self::Upload,
        Self::Finalise,
        Self::DeleteShare,
        Self::Bundle,
    ];

    /// Method and path, for tables that a test prints.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::List => "GET /ps/plugins/list",
            Self::Installed => "GET /ps/plugins/installed",
            Self::Detail => "GET /ps/plugins/{id}",
            Self::Skill => "GET /ps/plugins/{id}/skills/{name}",
            Self::Install => "POST /ps/plugins/{id}/install",
            Self::Uninstall => "POST /ps/plugins/{id}/uninstall",
            Self::Search => "GET /ps/plugins/search",
            Self::Suggested => "GET /ps/plugins/suggested/codex",
            Self::Featured => "GET /plugins/featured",
            Self::Apps => "POST /ps/apps/batch",
            Self::SharedWithMe => "GET /ps/plugins/workspace/shared",
            Self::Created => "GET /ps/plugins/workspace/created",
            Self::Shares => "PUT /ps/plugins/{id}/shares",
            Self::UploadUrl => "POST /public/plugins/workspace/upload-url",
            Self::Upload => "PUT <upload url>",
            Self::Finalise => "POST /public/plugins/workspace[/{id}]",
            Self::DeleteShare => "DELETE /public/plugins/workspace/{id}",
            Self::Bundle => "GET <bundle url>",
            Self::Token => "POST /oauth/token",
        }
    }

    /// Whether a request needs the account's token. Archives travel without it.
    pub(super) fn wants_login(self) -> bool {
        !matches!(self, Self::Upload | Self::Bundle | Self::Token)
    }

    /// Whether the service hands out an ETag here when it does at all.
    pub(super) fn has_etag(self) -> bool {
        matches!(
            self,
            Self::List | Self::Installed | Self::Detail | Self::Featured
        )
    }

    /// The names that may stand in the query.
    pub(super) fn query(self) -> &'static [&'static str] {
        match self {
            Self::List => &["scope", "limit", "collection", "pageToken"],
            Self::Installed => &["scope", "limit", "includeDownloadUrls", "pageToken"],
            Self::Detail => &["includeDownloadUrls"],
            Self::Install => &["includeAppsNeedingAuth"],
            Self::Search => &["q", "scope", "limit", "pageToken"],
            Self::Suggested => &["scope"],
            Self::Featured => &["platform"],
            Self::SharedWithMe | Self::Created => &["limit", "pageToken"],
            Self::Upload => &["sig"],
            Self::Bundle => &["hop"],
            Self::Skill
            | Self::Uninstall
            | Self::Apps
            | Self::Shares
            | Self::UploadUrl
            | Self::Finalise
            | Self::DeleteShare
            | Self::Token => &[],
        }
    }

    /// The endpoint of a request, and the variable parts of its path, decoded.
    pub(super) fn of(method: &str, path: &str) -> Option<(Self, Vec<String>)> {
        if method == "POST" && path == TOKEN_PATH {
            return Some((Self::Token, Vec::new()));
        }
        let below = path.strip_prefix(PREFIX)?.strip_prefix('/')?;
        let segments: Vec<String> = below.split('/').map(decoded).collect();
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (endpoint, parts): (Self, &[&str]) = match (method, words.as_slice()) {
            ("GET", ["ps", "plugins", "list"]) => (Self::List, &[]),
            ("GET", ["ps", "plugins", "installed"]) => (Self::Installed, &[]),
            ("GET", ["ps", "plugins", "search"]) => (Self::Search, &[]),
            ("GET", ["ps", "plugins", "suggested", "codex"]) => (Self::Suggested, &[]),
            ("GET", ["ps", "plugins", "workspace", "shared"]) => (Self::SharedWithMe, &[]),
            ("GET", ["ps", "plugins", "workspace", "created"]) => (Self::Created, &[]),
            ("GET", ["ps", "plugins", id]) => (Self::Detail, &[id]),
            ("GET", ["ps", "plugins", id, "skills", name]) => (Self::Skill, &[id, name]),
            ("POST", ["ps", "plugins", id, "install"]) => (Self::Install, &[id]),
            ("POST", ["ps", "plugins", id, "uninstall"]) => (Self::Uninstall, &[id]),
            ("PUT", ["ps", "plugins", id, "shares"]) => (Self::Shares, &[id]),
            ("POST", ["ps", "apps", "batch"]) => (Self::Apps, &[]),
            ("GET", ["plugins", "featured"]) => (Self::Featured, &[]),
            ("POST", ["public", "plugins", "workspace", "upload-url"]) => (Self::UploadUrl, &[]),
            ("POST", ["public", "plugins", "workspace"]) => (Self::Finalise, &[]),
            ("POST", ["public", "plugins", "workspace", id]) => (Self::Finalise, &[id]),
            ("DELETE", ["public", "plugins", "workspace", id]) => (Self::DeleteShare, &[id]),
            ("PUT", ["uploads", file]) => (Self::Upload, &[file]),
            ("GET", ["bundles", id, file]) => (Self::Bundle, &[id, file]),
            _ => return None,
        };
        Some((
            endpoint,
            parts.iter().map(|part| (*part).to_owned()).collect(),
        ))
    }
}

impl fmt::Display for Endpoint {
    /// As [`Endpoint::describe`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.describe())
    }
}

/// The pairs of a query in their order, decoded.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (
                decoded(&name.replace('+', " ")),
                decoded(&value.replace('+', " ")),
            )
        })
        .collect()
}

/// A text with its percent signs resolved; one that stands for nothing stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let pair = behind
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Endpoint, pairs};

    #[track_caller]
    fn check(method: &str, path: &str, expected: Option<(Endpoint, &[&str])>) {
        let found = Endpoint::of(method, &format!("/backend-api{path}"));
        let expected =
            expected.map(|(one, parts)| (one, parts.iter().map(|one| (*one).to_owned()).collect()));
        assert_eq!(found, expected);
    }

    #[test]
    fn paths() {
        check("GET", "/ps/plugins/list", Some((Endpoint::List, &[])));
        check("POST", "/ps/plugins/list", None);
        check("GET", "/ps/plugins/p~1", Some((Endpoint::Detail, &["p~1"])));
        check(
            "GET",
            "/ps/plugins/p%7E1",
            Some((Endpoint::Detail, &["p~1"])),
        );
        check(
            "GET",
            "/ps/plugins/p/skills/a%2Fb%3A",
            Some((Endpoint::Skill, &["p", "a/b:"])),
        );
        check("GET", "/ps/plugins/p/skills/a/b", None);
        check(
            "POST",
            "/public/plugins/workspace",
            Some((Endpoint::Finalise, &[])),
        );
        check(
            "POST",
            "/public/plugins/workspace/p",
            Some((Endpoint::Finalise, &["p"])),
        );
        check("GET", "/plugins/list", None);
        assert_eq!(Endpoint::of("GET", "/ps/plugins/list"), None);
        let token = Endpoint::of("POST", "/oauth/token");
        assert_eq!(token, Some((Endpoint::Token, Vec::new())));
    }

    #[test]
    fn queries() {
        let expected = [("q", "a b&c"), ("limit", ""), ("x", "%zz+")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs("q=a+b%26c&limit&x=%zz%2B"), expected);
        assert_eq!(pairs(""), []);
    }
}
