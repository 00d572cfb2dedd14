//! The user's git configuration, as far as it says where to go and how to log in.
//!
//! Only the user's and the system's files are read; a repository's own configuration is a
//! stranger's and never asked.

use std::path::Path;

use git2::{Config, ConfigLevel};

use plugd_disk::Disk;
use plugd_model::{Environment, git_url};

use crate::Address;
use crate::address::Kind;
use crate::credentials::Login;
use crate::extra_headers::ExtraHeaders;
use crate::netrc::Netrc;

/// The configuration; nothing in it when there are no files or they cannot be read.
pub(crate) struct UserConfig {
    entries: Vec<(String, String)>,
    netrc: Netrc,
}

impl UserConfig {
    /// Reads the files that git would read.
    pub(crate) fn load(disk: &Disk, environment: &Environment) -> Self {
        let config = match environment.var("GIT_CONFIG_GLOBAL") {
            Some(path) => only(Path::new(path)),
            None => Config::open_default(),
        };
        let entries = config.and_then(|config| entries(&config));
        let entries = entries.unwrap_or_else(|error| {
            tracing::warn!(
                reason = error.message(),
                "cannot read the git configuration"
            );
            Vec::new()
        });
        Self {
            entries,
            netrc: Netrc::load(disk, environment),
        }
    }

    #[cfg(test)]
    pub(crate) fn of(entries: &[(&str, &str)]) -> Self {
        let own = |text: &str| text.to_owned();
        Self {
            entries: entries.iter().map(|(k, v)| (own(k), own(v))).collect(),
            netrc: Netrc::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn with_netrc(self, file: &str) -> Self {
        Self {
            netrc: Netrc::parse(file),
            ..self
        }
    }

    /// What the netrc has for an address of HTTP.
    pub(crate) fn netrc(&self, address: &Address) -> Option<Login> {
        let user = address.login().map(|(user, _)| user);
        match address.kind {
            Kind::Http => self.netrc.login(&address.host(), user.as_deref()),
            Kind::Ssh(_) | Kind::Local(_) => None,
        }
    }

    /// Whether there is a netrc, and nobody can tell what it has.
    pub(crate) fn netrc_is_unreadable(&self) -> bool {
        self.netrc.is_unreadable
    }

    /// What `http.extraHeader` and `http.<url>.extraHeader` add to the requests for an address. As
    /// with git an empty one forgets those before it, and so does one for a nearer address those for a
    /// farther one that come behind it.
    pub(crate) fn extra_headers(&self, url: &str) -> ExtraHeaders {
        let (mut nearest, mut lines) = (0, Vec::new());
        for (key, value) in &self.entries {
            let near = match strip(key, "http.", ".extraheader") {
                Some(pattern) if covers(pattern, url) => pattern.len(),
                None if key == "http.extraheader" => 0,
                _ => continue,
            };
            match value.as_str() {
                _ if near < nearest => continue,
                "" => lines.clear(),
                line => lines.push(line),
            }
            nearest = near;
        }
        ExtraHeaders::read(lines)
    }

    /// What `url.<base>.insteadOf` makes of an address; the longest match wins.
    pub(crate) fn replacement(&self, url: &str) -> Option<String> {
        self.entries
            .iter()
            .filter_map(|(key, prefix)| {
                let base = strip(key, "url.", ".insteadof")?;
                let rest = url.strip_prefix(prefix.as_str())?;
                (!prefix.is_empty()).then(|| (prefix.len(), format!("{base}{rest}")))
            })
            // The last of equals, as a later file overrides an earlier one.
            .max_by_key(|(length, _)| *length)
            .map(|(_, replaced)| replaced)
    }

    /// The user's ssh program.
    pub(crate) fn ssh_command(&self) -> Option<&str> {
        self.last("core.sshcommand")
    }

    /// The credential helpers for an address, in order. An empty one forgets those before it.
    pub(crate) fn helpers(&self, url: &str) -> Vec<String> {
        let mut helpers = Vec::new();
        for (key, value) in &self.entries {
            let applies = key == "credential.helper"
                || strip(key, "credential.", ".helper").is_some_and(|pattern| covers(pattern, url));
            match (applies, value.as_str()) {
                (true, "") => helpers.clear(),
                (true, helper) => helpers.push(helper.to_owned()),
                (false, _) => {}
            }
        }
        helpers
    }

    /// Whether helpers are told the path of an address.
    pub(crate) fn use_http_path(&self) -> bool {
        matches!(
            self.last("credential.usehttppath"),
            Some("true" | "yes" | "on" | "1")
        )
    }

    /// What `http.<url>.<name>` says for an address: the setting whose address is nearest to it, else
    /// `http.<name>`. `name` in lower case.
    ///
    /// `sslVerify` is never asked for: a repository is somebody else's code, and without a
    /// certificate it is anybody's.
    pub(crate) fn http(&self, name: &str, url: &str) -> Option<&str> {
        let end = format!(".{name}");
        self.entries
            .iter()
            .filter_map(|(key, value)| {
                let rest = key.strip_prefix("http.")?;
                if rest == name {
                    return Some((0, value.as_str()));
                }
                let pattern = rest.strip_suffix(&end)?;
                covers(pattern, url).then_some((pattern.len(), value.as_str()))
            })
            // The last of equals, as a later file overrides an earlier one.
            .max_by_key(|(length, _)| *length)
            .map(|(_, value)| value)
    }

    fn last(&self, wanted: &str) -> Option<&str> {
        let found = self.entries.iter().rev().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.as_str())
    }
}

fn only(path: &Path) -> Result<Config, git2::Error> {
    let mut config = Config::new()?;
    config.add_file(path, ConfigLevel::Global, true)?;
    Ok(config)
}

fn entries(config: &Config) -> Result<Vec<(String, String)>, git2::Error> {
    let mut found = Vec::new();
    config.entries(None)?.for_each(|entry| {
        if let Ok(name) = entry.name() {
            // A key without a value means `true`.
            let value = match entry.has_value() {
                true => entry.value().unwrap_or_default(),
                false => "true",
            };
            found.push((name.to_owned(), value.to_owned()));
        }
    })?;
    Ok(found)
}

fn strip<'a>(key: &'a str, front: &str, end: &str) -> Option<&'a str> {
    key.strip_prefix(front)?.strip_suffix(end)
}

/// Whether the hosts are the same: a `*` in the pattern stands for one part of a name, and the usual
/// port need not be written.
fn is_host_like(pattern: &str, url: &str) -> bool {
    let host = |text: &str| {
        let authority = git_url::authority(text)?.rsplit('@').next()?;
        let usual = match text.to_ascii_lowercase().starts_with("https:") {
            true => ":443",
            false => ":80",
        };
        let host = authority.strip_suffix(usual).unwrap_or(authority);
        Some(host.to_ascii_lowercase())
    };
    let (Some(pattern), Some(host)) = (host(pattern), host(url)) else {
        return false;
    };
    let (wanted, found) = (pattern.split('.'), host.split('.'));
    wanted.clone().count() == found.clone().count()
        && wanted
            .zip(found)
            .all(|(wanted, found)| wanted == "*" || wanted == found)
}

/// Whether a pattern of `credential.<pattern>.*` or `http.<pattern>.*` speaks of an address: same
/// scheme and host, and the pattern's path in front of the address's.
fn covers(pattern: &str, url: &str) -> bool {
    let scheme = |text: &str| text.split_once("://").map(|(scheme, _)| scheme.to_owned());
    let path = |text: &str| {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        path.trim_matches('/').to_owned()
    };
    let (wanted, found) = (path(pattern), path(url));
    scheme(pattern) == scheme(url)
        && is_host_like(pattern, url)
        && found
            .strip_prefix(&wanted)
            .is_some_and(|rest| wanted.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{UserConfig, covers};

    #[test]
    fn the_longest_replacement_wins() {
        let config = UserConfig::of(&[
            ("url.https://mirror/.insteadof", "https://github.com/"),
            ("url.file:///srv/.insteadof", "https://github.com/own/"),
            ("url.x.insteadof", ""),
        ]);
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(config.replacement(url).as_deref(), expected, "{url}");
        };
        check("https://github.com/a/b", Some("https://mirror/a/b"));
        check("https://github.com/own/b", Some("file:///srv/b"));
        check("https://gitlab.com/a/b", None);
    }

    #[test]
    fn the_setting_of_the_nearest_address_counts() {
        let config = UserConfig::of(&[
            ("http.proxy", "http://old:1"),
            ("http.proxy", "http://all:1"),
            ("http.https://h.proxy", "http://host:1"),
            ("http.https://h/own.proxy", ""),
            ("http.sslcainfo", "/ca"),
        ]);
        let check =
            |url: &str, expected: &str| assert_eq!(config.http("proxy", url), Some(expected));
        check("https://other/r", "http://all:1");
        check("https://h/r", "http://host:1");
        check("https://h/own/r", "");
        check("https://h/owner/r", "http://host:1");
        assert_eq!(config.http("sslcainfo", "https://h/r"), Some("/ca"));
        assert_eq!(config.http("sslcapath", "https://h/r"), None);
    }

    #[test]
    fn headers_belong_to_addresses_and_can_be_forgotten() {
        let config = UserConfig::of(&[
            ("http.extraheader", "X-Old: 1"),
            ("http.extraheader", ""),
            ("http.extraheader", "X-All: 1"),
            ("http.https://h.extraheader", "Authorization: Bearer host"),
            ("http.https://h/own.extraheader", "X-Own: 1"),
            ("http.extraheader", "X-Late: 1"),
        ]);
        let check = |url: &str, expected: &[&str]| {
            let headers = config.extra_headers(url);
            let names: Vec<&str> = headers.all().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, expected, "{url}");
        };
        check("https://other/r", &["x-all", "x-late"]);
        check("https://h/r", &["x-all", "authorization"]);
        check("https://h/own/r", &["x-all", "authorization", "x-own"]);
        check("http://h/r", &["x-all", "x-late"]);
    }

    #[test]
    fn hosts_may_be_written_in_other_ways() {
        let check = |pattern: &str, url: &str, expected: bool| {
            assert_eq!(covers(pattern, url), expected, "{pattern} {url}");
        };
        check("https://*.corp.org", "https://git.corp.org/r", true);
        check(
            "https://*.corp.org/own",
            "https://me@git.Corp.org/own/r",
            true,
        );
        check("https://*.corp.org", "https://corp.org/r", false);
        check("https://*.corp.org", "https://a.git.corp.org/r", false);
        check("https://*.corp.org", "https://git.corp.org.evil/r", false);
        check("https://h:443", "https://h/r", true);
        check("http://h:443", "http://h/r", false);
        check("https://h:8443", "https://h/r", false);
        check("nothing", "https://h/r", false);
    }

    #[test]
    fn helpers_belong_to_hosts_and_can_be_forgotten() {
        let config = UserConfig::of(&[
            ("credential.helper", "old"),
            ("credential.helper", ""),
            ("credential.helper", "all"),
            ("credential.https://h.helper", "host"),
            ("credential.https://h/own.helper", "path"),
            ("credential.https://other.helper", "other"),
        ]);
        let check =
            |url: &str, expected: &[&str]| assert_eq!(config.helpers(url), expected, "{url}");
        check("https://h/own/r", &["all", "host", "path"]);
        check("https://me@h/ownx", &["all", "host"]);
        check("http://h/own", &["all"]);
        check("https://h:8443/own", &["all"]);
    }
}
