//! `marketplace/add`: registers a marketplace in the user's configuration.

use std::time::Duration;

use plugd_config::{Edit, MarketplaceKind, Snapshot};
use plugd_disk::{Disk, Kind};
use plugd_model::git_url::without_credentials;
use plugd_model::{AbsPath, MarketplaceName, Problem, ProblemKind};

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::{Blocking, Error, Lookup};

/// How long to wait for another process that edits the configuration.
pub(crate) const CONFIG_PATIENCE: Duration = Duration::from_secs(10);

/// What to add.
#[derive(Debug, Clone)]
pub struct AddRequest {
    /// The source as the client wrote it.
    pub source: String,
    /// A branch or tag; only for git sources.
    pub ref_name: Option<String>,
    /// Directories to fetch; only for git sources.
    pub sparse_paths: Vec<String>,
    /// Where relative sources count from.
    pub cwd: AbsPath,
}

/// What was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The name that the marketplace gives itself.
    pub name: MarketplaceName,
    /// Its directory.
    pub root: AbsPath,
    /// Whether it was there before.
    pub already_added: bool,
}

/// Adds a marketplace.
///
/// # Errors
/// The source has no accepted form, holds no usable marketplace, is refused by policy, or its name
/// belongs to another source.
pub async fn add_marketplace(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    events: &Events,
    request: AddRequest,
) -> Result<Added, Error> {
    let (call, lookup, events) = (call.clone(), lookup.clone(), events.clone());
    blocking
        .write(move || {
            let place = parse_source(lookup.disk(), &request, lookup.home())?;
            let added = add_local(&call, &lookup, &place)?;
            if !added.already_added {
                let change = Change::new(ChangeReason::Request)
                    .marketplace(added.name.clone())
                    .config_key(format!("marketplaces.{}", added.name));
                events.changed(change);
            }
            Ok(added)
        })
        .await
}

fn add_local(call: &Call, lookup: &Lookup, place: &AbsPath) -> Result<Added, Error> {
    let root = directory(lookup.disk(), place)?;
    let name = name_of(lookup, &root)?;
    let config = lookup.config(None);
    allowed(&config, &name, &root)?;
    let same: Vec<&str> = config
        .marketplaces()
        .iter()
        .filter(|row| is_local_source(&row.kind, &root))
        .map(|row| row.key.as_str())
        .collect();
    let done = |already_added| Added {
        name: name.clone(),
        root: root.clone(),
        already_added,
    };
    if same == [name.as_str()] {
        return Ok(done(true));
    }
    if let Some(row) = config
        .marketplaces()
        .iter()
        .find(|row| row.key == name.as_str() && !is_local_source(&row.kind, &root))
        && still_there(lookup, &name)
    {
        return Err(Error::OtherSource {
            name: name.to_string(),
            existing: describe(&row.kind),
        });
    }
    let kind = MarketplaceKind::Local {
        source: root.clone(),
    };
    let mut edits = Edit::set_marketplace(name.as_str(), &kind);
    // A marketplace that was renamed keeps one row, under its present name.
    edits.extend(
        same.iter()
            .filter(|key| **key != name.as_str())
            .map(|key| Edit::remove_marketplace(key)),
    );
    lookup.write_edits(&edits, call.patience(CONFIG_PATIENCE))?;
    Ok(done(!same.is_empty()))
}

/// The directory with links resolved, as configuration keeps it.
fn directory(disk: &Disk, place: &AbsPath) -> Result<AbsPath, Error> {
    let missing = |message: String| Error::NoMarketplaceThere {
        path: place.clone(),
        problem: Box::new(Problem::error(ProblemKind::Missing, message).in_file(place)),
    };
    match disk.stamp(place)? {
        Some(stamp) if stamp.kind == Kind::Dir => disk.resolve(place).map_err(Error::from),
        Some(_) => Err(missing("it is not a directory".to_owned())),
        None => Err(missing("it does not exist".to_owned())),
    }
}

fn name_of(lookup: &Lookup, root: &AbsPath) -> Result<MarketplaceName, Error> {
    let refuse = |problem| Error::NoMarketplaceThere {
        path: root.clone(),
        problem: Box::new(problem),
    };
    let mut search = lookup.loader().find_marketplace(root);
    let Some(manifest) = search.found else {
        let nothing = || {
            let text = "there is no marketplace manifest; create .agents/plugins/marketplace.json";
            Problem::error(ProblemKind::Missing, text).in_file(root)
        };
        // What stands where a manifest belongs is the better reason.
        return Err(refuse(
            search.problems.drain(..).next().unwrap_or_else(nothing),
        ));
    };
    let loaded = lookup.loader().marketplace(&manifest).map_err(refuse)?;
    let name = loaded.value.name.clone();
    if name.is_reserved() {
        return Err(refuse(
            Problem::error(
                ProblemKind::ReservedName,
                format!("marketplace name `{name}` is reserved; rename it in the manifest"),
            )
            .in_file(&manifest)
            .at_field("name"),
        ));
    }
    Ok(name)
}

fn allowed(config: &Snapshot, name: &MarketplaceName, root: &AbsPath) -> Result<(), Error> {
    let kind = MarketplaceKind::Local {
        source: root.clone(),
    };
    config
        .requirements()
        .allows(name.as_str(), &kind)
        .map_err(|problem| {
            let problem = Box::new(problem);
            Error::Policy { problem }
        })
}

fn is_local_source(kind: &MarketplaceKind, root: &AbsPath) -> bool {
    match kind {
        MarketplaceKind::Local { source } => source == root,
        MarketplaceKind::Git { .. } => false,
    }
}

fn describe(kind: &MarketplaceKind) -> String {
    match kind {
        MarketplaceKind::Local { source } => source.to_text(),
        MarketplaceKind::Git { source, .. } => without_credentials(source),
    }
}

/// A name may be taken over only when nothing usable stands behind it any more.
fn still_there(lookup: &Lookup, name: &MarketplaceName) -> bool {
    let resolved = lookup.resolve_ungated(&crate::Roots::default());
    resolved.set.marketplaces().any(|marketplace| {
        let configured = matches!(
            &marketplace.origin,
            plugd_marketplace::Origin::Configured { key, .. } if key == name.as_str()
        );
        configured && marketplace.content().is_some()
    })
}

/// Understands the source text of the request; what is not a local path is a git source.
fn parse_source(
    disk: &Disk,
    request: &AddRequest,
    home: Option<&AbsPath>,
) -> Result<AbsPath, Error> {
    let text = request.source.trim();
    let Some(path) = local_path(text, &request.cwd, home) else {
        return Err(match is_git_source(text) {
            true => Error::GitMarketplaceNotBuilt {
                source_text: without_credentials(text),
            },
            false => Error::BadMarketplaceSource {
                given: without_credentials(text),
            },
        });
    };
    for (field, given) in [
        ("refName", request.ref_name.is_some()),
        ("sparsePaths", !request.sparse_paths.is_empty()),
    ] {
        if given {
            return Err(Error::BadValue {
                field,
                reason: "only a git marketplace source can have it".to_owned(),
            });
        }
    }
    // The reference takes `#` and `@` in a path for a branch. A directory that is there as written
    // is meant as written.
    let exists = disk.stamp(&path)?.is_some();
    if !exists && text.contains('#') {
        return Err(Error::BadValue {
            field: "source",
            reason: format!("`{path}` does not exist; a local source takes no `#ref`"),
        });
    }
    Ok(path)
}

fn local_path(text: &str, cwd: &AbsPath, home: Option<&AbsPath>) -> Option<AbsPath> {
    if let Some(rest) = text.strip_prefix("~/") {
        return home.map(|home| home.join(rest));
    }
    let relative = matches!(text, "." | "..") || text.starts_with("./") || text.starts_with("../");
    if relative && !text.contains('\0') {
        return Some(cwd.join(text));
    }
    AbsPath::new(text).ok()
}

fn is_git_source(text: &str) -> bool {
    let schemes = ["http://", "https://", "ssh://", "git@"];
    if schemes.iter().any(|scheme| text.starts_with(scheme)) {
        return true;
    }
    let bare = text.split(['#', '@']).next().unwrap_or_default();
    let mut parts = bare.split('/');
    let word = |part: Option<&str>| {
        part.is_some_and(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
    };
    word(parts.next()) && word(parts.next()) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use plugd_model::AbsPath;

    use super::{is_git_source, local_path};

    #[test]
    fn source_texts() {
        let cwd = AbsPath::new("/cwd").unwrap();
        let home = AbsPath::new("/home/u").unwrap();
        for (text, expected) in [
            ("/a/b", Some("/a/b")),
            (".", Some("/cwd")),
            ("../x", Some("/x")),
            ("./a#b@c", Some("/cwd/a#b@c")),
            ("~/m", Some("/home/u/m")),
            ("owner/repo", None),
            ("foo", None),
        ] {
            let path = local_path(text, &cwd, Some(&home));
            assert_eq!(
                path.map(|path| path.to_text()).as_deref(),
                expected,
                "{text}"
            );
        }
        for text in [
            "owner/repo",
            "owner/repo@v1",
            "owner/repo#main",
            "https://example.invalid/r",
            "ssh://git@example.invalid/r",
            "git@example.invalid:r",
        ] {
            assert!(is_git_source(text), "{text}");
        }
        for text in ["foo", "a/b/c", "ftp://x/y", "file:///x", ""] {
            assert!(!is_git_source(text), "{text}");
        }
    }
}
