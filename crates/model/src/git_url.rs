//! The parts of a git URL: shorthand, user and host, and the suffix `.git`.
//!
//! Two callers build on it, and they differ on purpose. Policy compares addresses, so it wants one
//! spelling for each repository and takes any text. A marketplace entry is an address to fetch
//! from, so its text is kept as far as possible and refused when it cannot be meant.
//!
//! Nothing is contacted, and nothing here decides whether a URL is allowed.

use std::ops::Range;

/// The host that `owner/repository` means.
pub const GITHUB: &str = "github.com";

/// The address that `owner/repository` or `owner/repository.git` stands for; `None` where the text
/// has another form or a character that GitHub does not allow.
#[must_use]
pub fn from_shorthand(text: &str) -> Option<String> {
    let (owner, repository) = text.split_once('/')?;
    let repository = repository.strip_suffix(".git").unwrap_or(repository);
    let legal = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    (legal(owner) && legal(repository))
        .then(|| format!("https://{GITHUB}/{owner}/{repository}.git"))
}

/// An address at GitHub with `.git` at its end and no slash behind the repository.
///
/// Behind a query or fragment a suffix would not belong to the path, so such a text stays.
#[must_use]
pub fn with_suffix(url: &str) -> String {
    if url.contains(['?', '#']) {
        return url.to_owned();
    }
    let trimmed = url.trim_end_matches('/');
    let repository = trimmed.strip_suffix(".git").unwrap_or(trimmed);
    format!("{repository}.git")
}

/// The user, host and port of `scheme://user@host:port/path`, or the user and host of
/// `user@host:path`; `None` in a local path.
#[must_use]
pub fn authority(url: &str) -> Option<&str> {
    authority_span(url).map(|span| &url[span])
}

/// Where the host stands, without user and port; `None` where there is none, as in a local path.
///
/// What is in front of the last `@` is a user name, whatever it looks like: a name cannot fake the
/// host.
#[must_use]
pub fn host_span(url: &str) -> Option<Range<usize>> {
    let Range { start, end } = authority_span(url)?;
    let start = url[start..end]
        .rfind('@')
        .map_or(start, |at| start + at + 1);
    let end = match url[start..end]
        .strip_prefix('[')
        .and_then(|rest| rest.find(']'))
    {
        Some(bracket) => start + bracket + 2,
        None => url[start..end].find(':').map_or(end, |at| start + at),
    };
    (start < end).then_some(start..end)
}

/// The address without what stands in front of the host: that may be a password, and errors and logs
/// are read by others. A text without a scheme loses a user with a password only: a name alone is a
/// part of the short form of ssh.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    let mut shown = url.to_owned();
    // What is left may look like another login.
    while let Some(span) = login_span(&shown) {
        shown.replace_range(span, "");
    }
    shown
}

/// The same where only what is a login by the rules of addresses goes: the address to fetch from.
#[must_use]
pub fn without_user_info(url: &str) -> String {
    let mut plain = url.to_owned();
    while let Some(span) = plain_login(&plain) {
        plain.replace_range(span, "");
    }
    plain
}

/// Whether what looks like a login has a `/`, `?` or `#` in it, or stands behind a scheme that is
/// written wrong. By the rules such an address leads to another host, which would be sent a part of
/// the password: nobody may fetch from it.
#[must_use]
pub fn hides_login(url: &str) -> bool {
    hidden_login(url).is_some()
}

/// The address as it may be shown and recorded: a login of http goes, and so does a password. The
/// user of ssh stays, because it is a part of the address.
#[must_use]
pub fn without_secrets(url: &str) -> String {
    let mut shown = url.to_owned();
    let secret = |shown: &str| {
        let is_secret = |span: &Range<usize>| is_http(shown) || shown[span.clone()].contains(':');
        hidden_login(shown).or_else(|| plain_login(shown).filter(is_secret))
    };
    while let Some(span) = secret(&shown) {
        shown.replace_range(span, "");
    }
    // A query may be a token, and no address of a repository has one.
    match shown.split_once('?') {
        Some((front, _)) if is_http(&shown) => front.to_owned(),
        _ => shown,
    }
}

fn is_http(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        let front = url.get(..scheme.len());
        front.is_some_and(|front| front.eq_ignore_ascii_case(scheme))
    })
}

/// What stands in front of the host and may be a login, with its `@`.
fn login_span(url: &str) -> Option<Range<usize>> {
    hidden_login(url).or_else(|| plain_login(url))
}

/// A login that does not end where the rules let it end. Nothing tells one from a path for certain, so
/// what stands in front of the last `@` counts where a host follows, and always where no address can
/// begin as this one does. Versions behind an `@`, and the names of npm, are no hosts.
fn hidden_login(url: &str) -> Option<Range<usize>> {
    let (start, scheme) = behind_scheme(url);
    let (authority, behind) = split_authority(&url[start..]);
    let place = authority.rsplit('@').next().unwrap_or_default();
    let is_odd = match scheme {
        Scheme::File => return None,
        Scheme::Right => !is_place(place),
        Scheme::Wrong => true,
        // Only a user with a password is looked for here, and `user@host:path` is none.
        Scheme::None if authority.contains('@') || is_drive(authority) => return None,
        Scheme::None if !authority.contains(':') => return None,
        Scheme::None => false,
    };
    let is_host = matches!(scheme, Scheme::Right) && is_plausible(place);
    let query = behind.find(['?', '#']).unwrap_or(behind.len());
    let counts = |at: &usize| {
        let is_path = is_host && (*at > query || behind[..*at].ends_with('/'));
        is_odd || (!is_path && is_plausible(split_authority(&behind[at + 1..]).0))
    };
    let at = behind.rmatch_indices('@').map(|(at, _)| at).find(counts);
    match (at, scheme) {
        (Some(at), _) => Some(start..start + authority.len() + at + 1),
        (None, Scheme::Wrong) => authority.rfind('@').map(|at| start..start + at + 1),
        (None, _) => None,
    }
}

/// What stands in front of the host besides a login.
enum Scheme {
    Right,
    /// With a slash or colon too few or too many.
    Wrong,
    /// Files have no login.
    File,
    None,
}

/// Where an address begins behind its scheme.
fn behind_scheme(url: &str) -> (usize, Scheme) {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let end = url.find(|c| !legal(c)).unwrap_or(url.len());
    let (scheme, rest) = url.split_at(end);
    let marks = rest.len() - rest.trim_start_matches([':', '/', '\\']).len();
    let is_one_of = |names: &[&str]| names.iter().any(|name| scheme.eq_ignore_ascii_case(name));
    if is_one_of(&["file"]) {
        return (end, Scheme::File);
    }
    if end > 0 && rest.starts_with("://") && marks == 3 {
        return (end + marks, Scheme::Right);
    }
    // `ssh:x` may be the short form, with that name for a host.
    let is_web = is_one_of(&["http", "https"]) && rest.starts_with(':');
    let is_known = is_one_of(&["http", "https", "ssh", "git+ssh", "ssh+git", "ftp"]);
    match is_web || (is_known && marks >= 2) {
        true => (end + marks, Scheme::Wrong),
        false => (0, Scheme::None),
    }
}

fn split_authority(text: &str) -> (&str, &str) {
    text.split_at(text.find(['/', '?', '#', '\\']).unwrap_or(text.len()))
}

/// A host and its port, as they stand by the rules.
fn is_place(place: &str) -> bool {
    let (host, port) = split_port(place);
    let legal =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '[' | ']' | ':');
    !host.is_empty() && host.chars().all(legal) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether somebody's server can be meant: a domain, an address, or this machine.
fn is_plausible(place: &str) -> bool {
    let host = split_port(place).0;
    let label = |text: &str| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !text.is_empty() && text.bytes().all(legal)
    };
    let is_top = |text: &str| {
        let is_file = ["git", "gz", "json", "tar", "tgz", "zip"].contains(&text);
        let is_word = text.bytes().all(|byte| byte.is_ascii_alphabetic());
        text.len() > 1 && !is_file && (is_word || text.starts_with("xn--"))
    };
    let is_domain = |host: &str| match host.rsplit_once('.') {
        Some((front, top)) => front.split('.').all(label) && is_top(&top.to_ascii_lowercase()),
        None => host.eq_ignore_ascii_case("localhost"),
    };
    is_domain(host) || host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[')
}

fn split_port(place: &str) -> (&str, &str) {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (place, ""),
    }
}

/// Where paths begin with a drive, its colon is none of a password.
fn is_drive(text: &str) -> bool {
    cfg!(windows)
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .get(1..)
            .is_some_and(|rest| rest == ":" || rest.starts_with(":\\"))
}

/// What stands in front of the host by the rules, with its `@`. Without a scheme it counts when it has a password:
/// somebody has forgotten the scheme, or writes the short form of ssh as no ssh reads it.
fn plain_login(url: &str) -> Option<Range<usize>> {
    let front = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    let has_password = |first: usize| front[..first].contains(':') && !is_drive(front);
    if front.find('@').is_some_and(has_password) {
        return front.rfind('@').map(|at| 0..at + 1);
    }
    let span = authority_span(url).filter(|_| url.contains("://"))?;
    let at = url[span.clone()].rfind('@')?;
    Some(span.start..span.start + at + 1)
}

fn authority_span(url: &str) -> Option<Range<usize>> {
    if let Some(scheme) = url.find("://") {
        let start = scheme + 3;
        let end = url[start..]
            .find(['/', '?', '#'])
            .map_or(url.len(), |at| start + at);
        return Some(start..end);
    }
    // The short form of ssh has a colon in front of the first slash.
    let colon = url.find(':')?;
    let front = &url[..colon];
    (front.contains('@') && !front.contains('/')).then_some(0..colon)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{authority, from_shorthand, hides_login, host_span, with_suffix};

    #[track_caller]
    fn check_parts(url: &str, expected: Option<&str>, host: Option<&str>) {
        assert_eq!(authority(url), expected, "{url}");
        assert_eq!(host_span(url).map(|span| &url[span]), host, "{url}");
    }

    #[test]
    fn a_secret_goes_and_a_user_of_ssh_stays() {
        let check = |url: &str, expected: &str| {
            assert_eq!(super::without_secrets(url), expected, "{url}");
        };
        check("https://ada:pw@h/r", "https://h/r");
        check("HTTP://token@127.0.0.1:80/r", "HTTP://127.0.0.1:80/r");
        check("ssh://git@h/r", "ssh://git@h/r");
        check("ssh://git:pw@h/r", "ssh://h/r");
        check("git@h:r", "git@h:r");
        check("git:pw@h:r", "h:r");
        check("git:p@w@h:r", "h:r");
        check("ada:pw@h/r", "h/r");
        check("ada:pw@h", "h");
        check("ada:pw@h?at=https://x", "h?at=https://x");
        check("git@h:r@v1", "git@h:r@v1");
        let path = "C:\\a@b";
        check(path, if cfg!(windows) { path } else { "b" });
        check("\\:\\a@b", "b");
        check("h/a:b@c", "h/a:b@c");
        check("https://h/r.git?token=pw", "https://h/r.git");
        check("/srv/a@b", "/srv/a@b");
        check("/srv/a?b", "/srv/a?b");
        check("https://h/a@b", "https://h/a@b");
    }

    #[test]
    fn a_login_with_a_slash_in_it_goes_too() {
        let check = |url: &str, expected: &str| {
            assert!(hides_login(url), "{url}");
            assert_eq!(super::without_secrets(url), expected, "{url}");
            assert_eq!(super::without_credentials(url), expected, "{url}");
        };
        check(
            "https://bob:SE/x@git.invalid/m.git",
            "https://git.invalid/m.git",
        );
        check(
            "https://bob:SE?x@git.invalid/m.git",
            "https://git.invalid/m.git",
        );
        check(
            "https://bob:SE#x@git.invalid/m.git",
            "https://git.invalid/m.git",
        );
        check(
            "https://bob:SE\\x@git.invalid/m.git",
            "https://git.invalid/m.git",
        );
        check("https://bob:SE/x@h/m.git", "https://h/m.git");
        check("https://bob:SE/x@y@h:1/m@v1", "https://v1");
        check("https://bob:12/x@h.test/m.git", "https://h.test/m.git");
        check("https://bob:12/x@localhost:80/m", "https://localhost:80/m");
        check("https://TOKEN/x@10.0.0.1/m", "https://10.0.0.1/m");
        check("https://ada@corp.test:SE/x@h.test/m", "https://h.test/m");
        check("ssh://git:SE/x@h.test/m", "ssh://h.test/m");
        check("https:/bob:SE@h/x", "https:/h/x");
        check("https:bob:SE/x@h.test/x", "https:h.test/x");
        check("https//bob:SE@h/x", "https//h/x");
        check("https:///bob:SE@h/x", "https:///h/x");
        check("https:\\\\bob:SE@h/x", "https:\\\\h/x");
        check("bob:SE/x@git.invalid/m.git", "git.invalid/m.git");
    }

    #[test]
    fn an_at_in_a_path_is_no_login() {
        for url in [
            "https://git.test/o/r@v1.0.0",
            "https://git.test/o/r@main",
            "https://git.test/o/r@v2.git",
            "https://h/a@b",
            "https://npm.test/@scope.x/a/-/a-1.0.0.tgz",
            "https://npm:4873/@scope/a",
            "https://git.test/r?mail=ada@corp.test",
            "ssh://git@h:22/~ada/r",
            "oci://h/r@sha256:00",
            "git@h:o/r@v1.0",
            "git@h.test:o/r@corp.test",
            "h:o/r@v1",
            "ada:pw@h?at=https://x",
            "o/r@v1",
            "file:///srv/a:b@corp.test/r",
            "/srv/a:b@corp.test/r",
            "./a:b@corp.test",
        ] {
            assert!(!hides_login(url), "{url}");
        }
    }

    #[test]
    fn what_stands_in_front_of_a_host_goes() {
        let check = |url: &str, expected: &str| {
            assert_eq!(super::without_credentials(url), expected, "{url}");
        };
        check("ssh://git@h/r", "ssh://h/r");
        check("git@h:r", "git@h:r");
        check("git:pw@h:r", "h:r");
        check("ada:pw@h/r", "h/r");
        check("x:y@https://ada:pw@h/r", "https://h/r");
    }

    #[test]
    fn user_host_and_port() {
        check_parts("https://h/a", Some("h"), Some("h"));
        check_parts("ssh://me@h:22/a", Some("me@h:22"), Some("h"));
        check_parts("https://[::1]:80/a", Some("[::1]:80"), Some("[::1]"));
        check_parts("git@H:a/b", Some("git@H"), Some("H"));
        check_parts("file:///srv/a", Some(""), None);
        check_parts("https://me@:1/a", Some("me@:1"), None);
        check_parts("/srv/git/a", None, None);
        check_parts("a/b@c:d", None, None);
        check_parts("c:a", None, None);
    }

    #[test]
    fn the_host_cannot_be_faked() {
        check_parts(
            "https://github.com@evil.org/a",
            Some("github.com@evil.org"),
            Some("evil.org"),
        );
        check_parts(
            "https://evil.org?@github.com/",
            Some("evil.org"),
            Some("evil.org"),
        );
        check_parts(
            "https://evil.org#@github.com/",
            Some("evil.org"),
            Some("evil.org"),
        );
    }

    #[track_caller]
    fn check_shorthand(text: &str, expected: Option<&str>) {
        assert_eq!(from_shorthand(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_shorthand_is_an_owner_and_a_repository() {
        let address = Some("https://github.com/o-1/r_2.x.git");
        check_shorthand("o-1/r_2.x", address);
        check_shorthand("o-1/r_2.x.git", address);
        for text in [
            "", "o", "o/", "/r", "o/r/s", "./r", "../r", "o/..", "o/.git", "o/r!", "~/r",
        ] {
            check_shorthand(text, None);
        }
    }

    #[test]
    fn the_suffix_stands_once_and_behind_a_path_only() {
        let url = "https://github.com/o/r.git";
        assert_eq!(with_suffix("https://github.com/o/r"), url);
        assert_eq!(with_suffix("https://github.com/o/r//"), url);
        assert_eq!(with_suffix(url), url);
        assert_eq!(
            with_suffix("https://github.com/o/r?a"),
            "https://github.com/o/r?a"
        );
        assert_eq!(
            with_suffix("https://github.com/o/r/#a"),
            "https://github.com/o/r/#a"
        );
    }
}
