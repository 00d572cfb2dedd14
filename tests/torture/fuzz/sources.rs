//! Texts that name something: addresses, shorthands, ids, versions, key paths. What is shown of an
//! address holds no login, and what becomes the name of a file is one.

use plugd_config::{KeyPath, git_url as policy};
use plugd_fetch::{BundleAddress, Integrity};
use plugd_git::Address;
use plugd_model::{
    AbsPath, MarketplaceName, PluginId, PluginName, PluginPath, RemotePluginId, Source,
    VersionSegment, git_url,
};

pub(crate) const WORDS: &[&str] = &[
    "https://",
    "http://",
    "HTTPS://",
    "ssh://",
    "git+ssh://",
    "file://",
    "git@",
    "ada:sesame@",
    "@",
    ":",
    "#",
    "?token=sesame",
    "//",
    "/",
    ".git",
    "..",
    "[::1]",
    ":8080",
    "%40",
    "%2f",
    "\\",
    "~/",
    "./",
    "github.com",
    "owner/repo",
    "@scope/",
    "name@1.2.3",
    "sha512-",
    "plugins.\"a.b\"",
    "-u",
    "\u{202e}",
    "\0",
    "\n",
    "é",
    "@@",
    "::",
];

/// One text.
pub(crate) fn run(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    address(text);
    names(text);
    for part in [
        git_url::authority(text),
        git_url::host_span(text).map(|span| &text[span]),
    ] {
        assert!(part.is_none_or(|part| text.contains(part)));
    }
    let short = git_url::from_shorthand(text);
    assert!(
        short.is_none_or(|address| Address::parse(&address).is_ok()),
        "{text:?}"
    );
    let _ = git_url::with_suffix(text);
    let _ = policy::normalise(text);
    let _ = policy::host(text);
    for base_is_loopback in [false, true] {
        let _ = BundleAddress::parse(text, base_is_loopback);
    }
    let _ = Integrity::parse(text);
}

fn address(text: &str) {
    let shown = git_url::without_secrets(text);
    check_shown(&shown);
    assert_eq!(git_url::without_secrets(&shown), shown, "{text:?}");
    let registry = Source::Npm {
        package: "p".to_owned(),
        version: None,
        registry: Some(text.to_owned()),
    };
    if let Source::Npm { registry, .. } = registry.without_secrets() {
        check_shown(&registry.unwrap());
    }
    match Address::parse(text) {
        Ok(address) => {
            // `Debug` shows no more than that.
            let shown = address.shown();
            check_shown(&shown);
            assert_eq!(format!("{address:?}"), format!("Address({shown:?})"));
            let name = address.mirror_name();
            assert!(is_plain_name(&name), "{name:?}");
            assert!(!address.host().contains('@'), "{text:?}");
        }
        Err(error) => {
            let said = error.to_string();
            let (shown, _) = said.rsplit_once("` is not an address").unwrap();
            check_shown(shown.strip_prefix('`').unwrap());
        }
    }
}

/// What follows only from the grammar of addresses: no login in front of a host of http, no password
/// in front of any other host, nothing that looks like one where the scheme is missing.
#[track_caller]
pub(crate) fn check_shown(shown: &str) {
    let end = shown.find(['/', '?', '#']).unwrap_or(shown.len());
    // The first `@`: in the short form of ssh another one may begin a ref.
    if let Some((user, _)) = shown[..end].split_once('@') {
        let is_path = cfg!(windows) && shown.get(1..3) == Some(":\\");
        assert!(is_path || !user.contains(':'), "{shown:?} holds a password");
    }
    let Some(scheme) = shown.find("://") else {
        return;
    };
    let rest = &shown[scheme + 3..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if let Some((user, _)) = rest[..end].rsplit_once('@') {
        let front = shown[..scheme].to_ascii_lowercase();
        let is_http = matches!(front.as_str(), "http" | "https");
        assert!(!is_http && !user.contains(':'), "{shown:?} holds a login");
    }
}

fn names(text: &str) {
    if let Ok(name) = MarketplaceName::new(text) {
        assert!(is_plain_name(name.as_str()) && name.as_str() == text);
    }
    if let Ok(name) = PluginName::new(text) {
        assert!(is_plain_name(name.as_str()) && name.as_str() == text);
    }
    if let Ok(id) = PluginId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(version) = VersionSegment::new(text) {
        assert!(is_plain_name(&version.to_string()));
    }
    if let Ok(id) = RemotePluginId::parse(text) {
        assert!(is_plain_name(&id.to_string()), "{text:?}");
    }
    if let Ok(path) = KeyPath::parse(text) {
        assert_eq!(KeyPath::parse(&path.to_string()), Ok(path), "{text:?}");
    }
    let root = AbsPath::new("/root").unwrap();
    if let Some(path) = PluginPath::parse(text) {
        assert!(path.below(&root).starts_with(&root), "{text:?}");
    }
    let _ = AbsPath::new(text);
}

/// One component of a path, on every system.
fn is_plain_name(name: &str) -> bool {
    let is_special = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    !matches!(name, "" | "." | "..") && !name.contains(is_special)
}
