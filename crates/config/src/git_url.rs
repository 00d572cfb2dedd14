//! Git URLs as far as policy needs them: one spelling per repository, and the host.
//!
//! Policy compares, so any text has a spelling here: one that is no git URL stays as it is, and two
//! of them are equal only when they are written alike. An entry of a marketplace has stricter rules
//! of its own; both find the parts of a URL with [`plugd_model::git_url`].
//!
//! Nothing is contacted.

use plugd_model::git_url::{self, GITHUB};

/// The one spelling of a repository: `owner/repo` becomes an address at GitHub, slashes at the end
/// go, scheme and host are lower case, and an address at GitHub ends in `.git`.
#[must_use]
pub fn normalise(text: &str) -> String {
    let text = text.trim();
    if let Some(address) = git_url::from_shorthand(text) {
        return address;
    }
    let trimmed = text.trim_end_matches('/');
    let Some(host) = git_url::host_span(trimmed) else {
        return trimmed.to_owned();
    };
    let (front, behind) = trimmed.split_at(host.end);
    let (front, host) = front.split_at(host.start);
    let host = host.to_ascii_lowercase();
    // A user name in front of the host keeps its case; the scheme has none.
    let front = match front.split_once("://") {
        Some((scheme, user)) => format!("{}://{user}", scheme.to_ascii_lowercase()),
        None => front.to_owned(),
    };
    let url = format!("{front}{host}{behind}");
    match host == GITHUB {
        true => git_url::with_suffix(&url),
        false => url,
    }
}

/// The host of a git URL in lower case; `None` where there is none, as in a local path.
#[must_use]
pub fn host(text: &str) -> Option<String> {
    let normal = normalise(text);
    let span = git_url::host_span(&normal)?;
    Some(normal[span].to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    #[track_caller]
    fn check(text: &str, normal: &str, host: Option<&str>) {
        assert_eq!(super::normalise(text), normal);
        assert_eq!(super::normalise(normal), normal);
        assert_eq!(super::host(text).as_deref(), host);
    }

    #[test]
    fn one_spelling_per_repository() {
        let plugins = "https://github.com/openai/plugins.git";
        check("openai/plugins", plugins, Some("github.com"));
        check("openai/plugins.git", plugins, Some("github.com"));
        check(
            "https://github.com/openai/plugins",
            plugins,
            Some("github.com"),
        );
        check(
            "HTTPS://GitHub.com/openai/plugins/",
            plugins,
            Some("github.com"),
        );
        check(
            "https://example.com/a/b/",
            "https://example.com/a/b",
            Some("example.com"),
        );
        check(
            "https://Me@Example.com:8443/A",
            "https://Me@example.com:8443/A",
            Some("example.com"),
        );
        check(
            "git@GitHub.com:a/b",
            "git@github.com:a/b.git",
            Some("github.com"),
        );
        check(
            "https://GitHub.com/a/b?c",
            "https://github.com/a/b?c",
            Some("github.com"),
        );
        check("ssh://git@h:22/a", "ssh://git@h:22/a", Some("h"));
        check("https://[::1]:80/a", "https://[::1]:80/a", Some("[::1]"));
    }

    #[test]
    fn the_host_cannot_be_faked() {
        check(
            "https://github.com@evil.org/a",
            "https://github.com@evil.org/a",
            Some("evil.org"),
        );
        check(
            "https://evil.org/github.com:a",
            "https://evil.org/github.com:a",
            Some("evil.org"),
        );
        check(
            "https://evil.org?@github.com/",
            "https://evil.org?@github.com",
            Some("evil.org"),
        );
        check(
            "https://evil.org#@github.com/",
            "https://evil.org#@github.com",
            Some("evil.org"),
        );
        check("/srv/git/a", "/srv/git/a", None);
        check("./a/b", "./a/b", None);
        check("../b", "../b", None);
        check("file:///srv/a", "file:///srv/a", None);
    }
}
