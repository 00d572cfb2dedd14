//! The source of a marketplace as a client writes it: which kind it is, and what of it goes into
//! configuration.
//!
//! A directory that is there as written is meant as written, also with `@` and `#` in its name.
//! Everything else follows the reference: `#ref` behind any git source, `@ref` behind `owner/repo`
//! and the short form of ssh. What begins with `oci://` is an artifact of a registry; an address of
//! the web is that of an archive where its path ends like one, or where `#sha256=` stands behind it. A
//! secret in an address is refused, because the address is about to be written to files that others
//! read.

use plugd_config::MarketplaceKind;
use plugd_disk::{Disk, Kind};
use plugd_model::git_url::{self, without_secrets};
use plugd_model::{AbsPath, PackedOrigin};

use crate::Error;
use crate::fetcher::Repository;

/// What a source text is read with.
#[derive(Debug, Clone)]
pub(crate) struct Given<'a> {
    pub(crate) source: &'a str,
    pub(crate) ref_name: Option<&'a str>,
    pub(crate) sparse_paths: &'a [String],
    /// Where relative paths count from.
    pub(crate) cwd: &'a AbsPath,
    pub(crate) home: Option<&'a AbsPath>,
}

/// A source as configuration keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceText {
    /// A directory with a marketplace.
    Local(AbsPath),
    /// A git repository.
    Git(GitSource),
    /// One archive, of a registry or behind an address.
    Packed(PackedOrigin),
}

/// A git repository with the ref and the directories that are wanted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GitSource {
    pub(crate) url: String,
    pub(crate) ref_name: Option<String>,
    pub(crate) sparse_paths: Vec<String>,
}

impl GitSource {
    /// The row of configuration, when it is one of git.
    pub(crate) fn of_row(kind: &MarketplaceKind) -> Option<Self> {
        match kind {
            MarketplaceKind::Local { .. } | MarketplaceKind::Packed { .. } => None,
            MarketplaceKind::Git {
                source,
                ref_name,
                sparse_paths,
            } => Some(Self {
                url: source.clone(),
                ref_name: ref_name.clone(),
                sparse_paths: sparse_paths.clone(),
            }),
        }
    }

    pub(crate) fn row(&self) -> MarketplaceKind {
        MarketplaceKind::Git {
            source: self.url.clone(),
            ref_name: self.ref_name.clone(),
            sparse_paths: self.sparse_paths.clone(),
        }
    }

    /// The repository to ask.
    ///
    /// # Errors
    /// Its address or ref cannot be meant.
    pub(crate) fn repository(&self) -> Result<Repository, Error> {
        // A shorthand may stand in a file that somebody wrote by hand.
        let url = git_url::from_shorthand(&self.url).unwrap_or_else(|| self.url.clone());
        Repository::new(&url, self.ref_name.as_deref(), None)
    }
}

/// Reads a source text.
///
/// # Errors
/// It has no accepted form, holds a secret, or something is given that its kind cannot have.
pub(crate) fn parse(disk: &Disk, given: &Given<'_>) -> Result<SourceText, Error> {
    let text = given.source.trim();
    if let Some(path) = local_path(text, given)
        && let Some(found) = local(disk, &path, given)?
    {
        return Ok(found);
    }
    // Before anything is taken apart at a `#` or `@` that may belong to a password.
    if git_url::hides_login(text) {
        return Err(Error::SecretInAddress {
            url: without_secrets(text),
        });
    }
    if is_packed(text) {
        return packed(text, given);
    }
    let (address, suffix) = split_ref(text);
    let url = match local_path(address, given) {
        Some(path) if is_bare_repository(disk, &path)? => path.to_text(),
        // It is not there, or is something else: the error says what was looked for.
        Some(_) => return local_only(disk, text, given),
        None => url_of(address).ok_or_else(|| Error::BadMarketplaceSource {
            given: without_secrets(text),
        })?,
    };
    git(url, suffix, given)
}

fn local(disk: &Disk, path: &AbsPath, given: &Given<'_>) -> Result<Option<SourceText>, Error> {
    let is_dir = disk
        .stamp(path)?
        .is_some_and(|stamp| stamp.kind == Kind::Dir);
    if !is_dir {
        return Ok(None);
    }
    if is_bare_repository(disk, path)? {
        return git(path.to_text(), None, given).map(Some);
    }
    no_git_members(given)?;
    Ok(Some(SourceText::Local(path.clone())))
}

/// A path that is no directory: whoever adds it says so.
fn local_only(disk: &Disk, text: &str, given: &Given<'_>) -> Result<SourceText, Error> {
    let path = local_path(text, given).ok_or_else(|| Error::BadMarketplaceSource {
        given: text.to_owned(),
    })?;
    no_git_members(given)?;
    if disk.stamp(&path)?.is_none() && text.contains('#') {
        return Err(Error::BadValue {
            field: "source",
            reason: format!("`{path}` does not exist; a local source takes no `#ref`"),
        });
    }
    Ok(SourceText::Local(path))
}

fn no_git_members(given: &Given<'_>) -> Result<(), Error> {
    for (field, is_given) in [
        ("refName", given.ref_name.is_some()),
        ("sparsePaths", !given.sparse_paths.is_empty()),
    ] {
        if is_given {
            return Err(Error::BadValue {
                field,
                reason: "only a git marketplace source can have it".to_owned(),
            });
        }
    }
    Ok(())
}

/// How the path of an archive ends.
const ARCHIVES: [&str; 3] = [".tar.gz", ".tgz", ".tar"];

fn is_packed(text: &str) -> bool {
    if starts_with(text, "oci://") {
        return true;
    }
    let is_web = starts_with(text, "https://") || starts_with(text, "http://");
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let path = path.to_ascii_lowercase();
    let is_archive = ARCHIVES.iter().any(|end| path.ends_with(end));
    is_web && (is_archive || text.contains("#sha256="))
}

fn packed(text: &str, given: &Given<'_>) -> Result<SourceText, Error> {
    for (field, is_given) in [
        ("refName", given.ref_name.is_some()),
        ("sparsePaths", !given.sparse_paths.is_empty()),
    ] {
        if is_given {
            let reason = "only a git marketplace source can have it; an artifact has its tag or \
                          digest in the source, and an archive its `#sha256=`";
            return Err(Error::BadValue {
                field,
                reason: reason.to_owned(),
            });
        }
    }
    let origin = PackedOrigin::parse(text).map_err(|reason| Error::BadValue {
        field: "source",
        reason: reason.to_owned(),
    })?;
    Ok(SourceText::Packed(origin))
}

fn git(url: String, suffix: Option<String>, given: &Given<'_>) -> Result<SourceText, Error> {
    // The user of ssh is a part of the address and no secret; his password is one.
    let is_http = ["http://", "https://"]
        .iter()
        .any(|scheme| starts_with(&url, scheme));
    let has_secret = without_secrets(&url) != url && (is_http || url.contains(':'));
    if has_secret {
        return Err(Error::SecretInAddress {
            url: without_secrets(&url),
        });
    }
    let wanted = given
        .ref_name
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let source = GitSource {
        url,
        ref_name: wanted.map(str::to_owned).or(suffix),
        sparse_paths: sparse_paths(given.sparse_paths)?,
    };
    source.repository()?;
    Ok(SourceText::Git(source))
}

/// Relative paths of plain names.
fn sparse_paths(given: &[String]) -> Result<Vec<String>, Error> {
    let mut paths = Vec::new();
    for text in given {
        let bad = |reason: &str| Error::BadValue {
            field: "sparsePaths",
            reason: format!("`{}` {reason}", text.escape_debug()),
        };
        let trimmed = text.trim().trim_start_matches("./").trim_end_matches('/');
        let plain = |part: &str| !matches!(part, "" | "." | ".." | ".git");
        if !trimmed.split('/').all(plain) || trimmed.contains(['\\', '\0']) {
            return Err(bad("is no path inside the repository"));
        }
        if trimmed.contains(['*', '?', '[', '!']) {
            return Err(bad("is a pattern; write the path of a directory"));
        }
        if !paths.iter().any(|path| path == trimmed) {
            paths.push(trimmed.to_owned());
        }
    }
    Ok(paths)
}

fn local_path(text: &str, given: &Given<'_>) -> Option<AbsPath> {
    if text.contains('\0') {
        return None;
    }
    if let Some(rest) = text.strip_prefix("~/") {
        return given.home.map(|home| home.join(rest));
    }
    let relative = matches!(text, "." | "..") || text.starts_with("./") || text.starts_with("../");
    if relative {
        return Some(given.cwd.join(text));
    }
    AbsPath::new(text).ok()
}

/// Whether a directory is a repository without a working tree.
fn is_bare_repository(disk: &Disk, path: &AbsPath) -> Result<bool, Error> {
    for (name, kind) in [
        ("HEAD", Kind::File),
        ("objects", Kind::Dir),
        ("refs", Kind::Dir),
    ] {
        let found = disk.stamp(&path.join(name)).ok().flatten();
        if found.is_none_or(|stamp| stamp.kind != kind) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What stands in front of a ref, and the ref.
fn split_ref(text: &str) -> (&str, Option<String>) {
    let named = |name: &str| Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    if let Some((front, name)) = text.rsplit_once('#') {
        return (front, named(name));
    }
    let Some((front, name)) = text.rsplit_once('@') else {
        return (text, None);
    };
    // In `git@host:path` and `ssh://git@host/path` the `@` belongs to the user.
    let is_short_ssh = front.contains('@') && front.contains(':') && !front.contains("://");
    if is_short_ssh || git_url::from_shorthand(front).is_some() {
        return (front, named(name));
    }
    (text, None)
}

/// The address that is configured for a text which is no path.
fn url_of(text: &str) -> Option<String> {
    // It would be somebody's option.
    if text.starts_with('-') {
        return None;
    }
    if let Some(address) = git_url::from_shorthand(text) {
        return Some(address);
    }
    let trimmed = text.trim_end_matches('/');
    let schemes = ["http://", "https://", "ssh://", "git+ssh://", "file://"];
    let has_scheme = schemes.iter().any(|scheme| starts_with(trimmed, scheme));
    let is_short_ssh = !trimmed.contains("://")
        && trimmed.split_once(':').is_some_and(|(front, path)| {
            front.contains('@') && !front.contains('/') && !path.is_empty()
        });
    if !has_scheme && !is_short_ssh {
        return None;
    }
    let host = git_url::host_span(trimmed).map(|span| trimmed[span].to_ascii_lowercase());
    Some(match host.as_deref() {
        Some(git_url::GITHUB) => git_url::with_suffix(trimmed),
        _ => trimmed.to_owned(),
    })
}

fn starts_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
#[path = "source_text_tests.rs"]
mod tests;
