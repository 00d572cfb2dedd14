//! Which git URLs a marketplace may name, and how they are written down.
//!
//! An entry's URL is fetched from, so it is kept as its author wrote it as far as that is possible,
//! and one that cannot be meant is refused. The parts of a URL are found by
//! [`plugd_model::git_url`].
//!
//! The rules are those of the reference, with these differences:
//! - A host or user that begins with `-` is refused, because an ssh program would take it for a
//!   switch; so are an empty host, a control character, and `..` in place of a repository.
//! - `/` at the end of a GitHub URL is dropped before `.git` is added, and nothing is added behind
//!   a query or fragment.

use plugd_model::{AbsPath, git_url};

use crate::source::inner_path;

/// Normalises a URL, or says why it is none.
///
/// `root` is the marketplace's root; without one a relative path cannot be resolved.
pub(crate) fn normalise(url: &str, root: Option<&AbsPath>) -> Result<String, &'static str> {
    let url = url.trim();
    if url.is_empty() {
        return Err("the URL is blank");
    }
    if url.chars().any(char::is_control) {
        return Err("the URL has a control character");
    }
    if url.starts_with("./") || url.starts_with(".\\") {
        return relative(url, root);
    }
    let remote = ["https://", "http://", "ssh://"];
    if remote.iter().any(|scheme| url.starts_with(scheme)) {
        check_host(git_url::authority(url).unwrap_or_default())?;
        return Ok(match url.starts_with("https://github.com/") {
            true => git_url::with_suffix(url),
            false => url.to_owned(),
        });
    }
    if url.starts_with("file://") || url.starts_with('/') {
        return Ok(url.to_owned());
    }
    if let Some(rest) = url.strip_prefix("git@") {
        let Some((host, _)) = rest.split_once(':') else {
            return Err("`git@host` needs `:` and a path");
        };
        check_host(host)?;
        return Ok(url.to_owned());
    }
    git_url::from_shorthand(url).ok_or(
        "expected an http(s), ssh or file URL, `git@host:path`, an absolute path, a path that \
         begins with `./`, or `owner/repository`",
    )
}

fn check_host(authority: &str) -> Result<(), &'static str> {
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() {
        return Err("the URL names no host");
    }
    // The user part is given to ssh too.
    if host.starts_with('-') || authority.starts_with('-') {
        return Err("the host begins with `-`");
    }
    Ok(())
}

fn relative(url: &str, root: Option<&AbsPath>) -> Result<String, &'static str> {
    let Some(root) = root else {
        return Err("the manifest is not at a marketplace's place, so a relative URL has no root");
    };
    // Written for Windows, a path means the same everywhere.
    let path = if url.starts_with(".\\") {
        url.replace('\\', "/")
    } else {
        url.to_owned()
    };
    let inner = path.strip_prefix("./").unwrap_or(&path);
    if inner.is_empty() {
        return Ok(root.to_text());
    }
    inner_path(inner)
        .map(|inner| root.join(inner).to_text())
        .ok_or("the path leaves the marketplace")
}
