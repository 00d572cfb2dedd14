//! Mirrors of repositories that nothing names any more.
//!
//! A mirror is a cache: what is removed wrongly costs a second fetch and nothing else. It is removed
//! all the same only when everything that could name it has been read, and only under its own lock,
//! so nobody loses one that is in use. What a repository takes from others (submodules) is named
//! nowhere, and such mirrors go.

use std::collections::BTreeSet;

use plugd_config::{CURATED_URL, MarketplaceKind, Snapshot};
use plugd_disk::tree::{TreeError, remove_tree};
use plugd_disk::{Disk, DiskError, Kind};
use plugd_git::Address;
use plugd_marketplace::State;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, Source, error_chain, git_url};
use plugd_store::{BoundSource, Size, Store};

use crate::call::Call;
use crate::gc_named::Named;
use crate::{Error, Lookup, Roots};

/// How many hexadecimal digits the name of a mirror has.
const NAME_DIGITS: usize = 64;
/// More entries than a repository has in one directory.
const MAX_ENTRIES: u64 = 1_000_000;

/// A mirror that nothing names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Where it lies, or lay.
    pub path: AbsPath,
    /// How much it is, as far as that can be counted.
    pub size: Size,
}

/// The names of the mirrors that something names: a configured marketplace, an entry of any catalog
/// that is seen without a project, the curated repository, and where recorded plugins came from. A
/// problem instead when something could not be read and might name others.
pub(crate) fn needed(
    lookup: &Lookup,
    store: &Store,
    config: &Snapshot,
    named: &Named,
    forgotten: &BTreeSet<&PluginId>,
) -> Result<Result<BTreeSet<String>, Problem>, Error> {
    if let Some(why) = named.unknown() {
        return Ok(Err(kept(why)));
    }
    let mut needed = BTreeSet::new();
    let mut add = |url: &str| {
        let whole = git_url::from_shorthand(url);
        let address = Address::parse(whole.as_deref().unwrap_or(url));
        needed.extend(address.map(|address| address.mirror_name()));
    };
    add(config
        .settings()
        .curated_url
        .as_deref()
        .unwrap_or(CURATED_URL));
    for row in named.marketplaces() {
        if let MarketplaceKind::Git { source, .. } = &row.kind {
            add(source);
        }
    }
    let resolved = lookup.resolve_ungated(&Roots::default());
    for marketplace in resolved.set.marketplaces() {
        match &marketplace.state {
            State::Loaded(content) => {
                for entry in &content.manifest.value.entries {
                    if let Source::Git { url, .. } = &entry.source {
                        add(url);
                    }
                }
            }
            State::Failed(_) => {
                let text = format!("the marketplace of {} cannot be read", marketplace.named_by);
                return Ok(Err(kept(&text)));
            }
        }
    }
    let records = store.records();
    let records = records.map_err(|error| Error::StoreState(Box::new(error)))?;
    for (id, record) in records {
        if forgotten.contains(&id) {
            continue;
        }
        if let BoundSource::Git { url, .. } = &record.bound {
            add(url);
        }
        if let Source::Git { url, .. } = &record.source {
            add(url);
        }
    }
    Ok(Ok(needed))
}

/// Removes the other mirrors, or only counts them.
pub(crate) fn collect(
    call: &Call,
    lookup: &Lookup,
    needed: &BTreeSet<String>,
    dry_run: bool,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Mirror>, Error> {
    let (disk, layout) = (lookup.disk(), lookup.layout());
    let dir = layout.mirrors();
    let entries = match disk.list(&dir) {
        Ok(entries) => entries,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => {
            problems.push(error.problem());
            return Ok(Vec::new());
        }
    };
    let named = entries.into_iter().filter(|entry| entry.kind == Kind::Dir);
    let mut names: Vec<String> = named
        .filter_map(|entry| entry.name.into_string().ok())
        .filter(|name| is_name(name) && !needed.contains(name))
        .collect();
    names.sort_unstable();
    let mut mirrors = Vec::new();
    for name in names {
        if dry_run {
            call.cancel.check()?;
        }
        let (path, lock) = (dir.join(&name), layout.mirror_lock(&name));
        match one(disk, &path, &lock, dry_run) {
            Ok(found) => mirrors.extend(found),
            Err(error) => {
                let text = format!("the mirror stays: {}", error_chain(&error));
                let problem = Problem::warning(ProblemKind::Unreadable, text);
                problems.push(problem.in_file(&path));
            }
        }
        call.progress.advance(1);
    }
    Ok(mirrors)
}

/// One mirror; nothing when somebody uses it.
fn one(
    disk: &Disk,
    path: &AbsPath,
    lock: &AbsPath,
    dry_run: bool,
) -> Result<Option<Mirror>, TreeError> {
    // Trying a lock that is not there would make it, and a dry run makes nothing.
    let _held = if dry_run && disk.link_stamp(lock)?.is_none() {
        None
    } else {
        match disk.try_lock(lock)? {
            Some(held) => Some(held),
            None => return Ok(None),
        }
    };
    let size = size_below(disk, path)?;
    if !dry_run {
        remove_tree(disk, path)?;
    }
    Ok(Some(Mirror {
        path: path.clone(),
        size,
    }))
}

/// How much the files below a directory are.
pub(crate) fn size_below(disk: &Disk, root: &AbsPath) -> Result<Size, DiskError> {
    let mut size = Size::default();
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in disk.list_up_to(&dir, MAX_ENTRIES)?.unwrap_or_default() {
            let path = dir.join(&entry.name);
            match entry.kind {
                Kind::Dir => dirs.push(path),
                Kind::File => {
                    size.files += 1;
                    size.bytes += disk.link_stamp(&path)?.map_or(0, |stamp| stamp.size);
                }
                Kind::Link | Kind::Special => {}
            }
        }
    }
    Ok(size)
}

fn is_name(name: &str) -> bool {
    name.len() == NAME_DIGITS && name.bytes().all(|b| b.is_ascii_hexdigit())
}

fn kept(why: &str) -> Problem {
    let text = format!("no mirror of a repository is removed, because {why}");
    Problem::warning(ProblemKind::Unreadable, text)
}
