//! `plugd/versions`: what is installed and what is kept of each plugin, where each came from, and
//! what a rollback would bring back.

use std::cmp::Ordering;

use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, PluginId, Problem, VersionSegment, semantic_order};
use plugd_store::{Before, Installed, Kept, Origin, Pin, Record, Store, StoreError};

use crate::call::Call;
use crate::standing::Standing;
use crate::version_error::VersionRefusal;
use crate::{Blocking, Copies, Error};

/// How much of a digest a message shows.
const SHOWN_DIGITS: usize = 12;
/// How much of a commit or digest names it.
const MIN_DIGITS: usize = 4;

/// The versions of some plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The plugins, by id.
    pub plugins: Vec<PluginVersions>,
    /// What stands in the cache and is no copy.
    pub problems: Vec<Problem>,
}

/// The versions of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginVersions {
    /// The plugin.
    pub id: PluginId,
    /// The version it must stay at.
    pub pin: Option<Pin>,
    /// Whether the versions are sorted as semantic ones, because all of them are; else by the time
    /// they were installed. The latest comes first.
    pub semantic: bool,
    /// The versions.
    pub versions: Vec<VersionRow>,
    /// What is wrong with its record.
    pub problems: Vec<Problem>,
}

/// One version that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// Its version.
    pub version: VersionSegment,
    /// Whether it is the one that is installed.
    pub installed: bool,
    /// Where it lies.
    pub root: AbsPath,
    /// Its content as it was recorded; nothing for a copy of another program.
    pub tree_digest: Option<Digest>,
    /// Where it came from, as far as that was recorded.
    pub origin: Option<Origin>,
    /// When it was replaced.
    pub replaced_at: Option<u64>,
    /// Whether the pin names it.
    pub pinned: bool,
    /// Whether a rollback that names nothing brings it back.
    pub predecessor: bool,
}

/// Reads the versions of one plugin, or of all. Nothing is locked or changed.
///
/// # Errors
/// The plugin that was asked for is not installed and nothing of it is kept, or the state cannot be
/// read.
pub async fn versions(
    call: &Call,
    blocking: &Blocking,
    copies: &Copies,
    only: Option<PluginId>,
) -> Result<Versions, Error> {
    let (call, copies) = (call.clone(), copies.clone());
    blocking
        .read(move || {
            let store = copies.store_as_it_is();
            let in_store = |error: StoreError| Error::StoreState(Box::new(error));
            if let Some(id) = only {
                let looked = PluginVersions::of(store, &id).map_err(in_store)?;
                if looked.versions.is_empty() {
                    return Err(Error::NotInstalled { id });
                }
                return Ok(Versions {
                    plugins: vec![looked],
                    problems: Vec::new(),
                });
            }
            let (copies, problems) = store.list().map_err(in_store)?;
            let mut plugins = Vec::with_capacity(copies.len());
            for copy in copies {
                call.cancel.check()?;
                plugins.push(PluginVersions::of(store, &copy.id).map_err(in_store)?);
            }
            Ok(Versions { plugins, problems })
        })
        .await
}

impl PluginVersions {
    fn of(store: &Store, id: &PluginId) -> Result<Self, StoreError> {
        let standing = Standing::of(store, id)?;
        let kept = store.kept_versions(id)?;
        let pin = standing.pin().cloned();
        let before = predecessor(&standing, &kept).map(|(kept, _)| kept.tree_digest);
        let copy = standing.copy.as_ref();
        let mut rows: Vec<_> = copy
            .map(|copy| installed_row(copy, pin.as_ref()))
            .into_iter()
            .collect();
        rows.extend(kept.iter().map(|(kept, root)| VersionRow {
            version: kept.version.clone(),
            installed: false,
            root: root.clone(),
            tree_digest: Some(kept.tree_digest),
            replaced_at: Some(kept.replaced_at),
            pinned: pin.as_ref().is_some_and(|pin| {
                is_pinned(
                    pin,
                    &kept.version,
                    kept.origin.as_ref(),
                    Some(kept.tree_digest),
                )
            }),
            predecessor: before == Some(kept.tree_digest),
            origin: kept.origin.clone(),
        }));
        let semantic = sort(&mut rows);
        Ok(Self {
            id: id.clone(),
            pin,
            semantic,
            versions: rows,
            problems: standing.copy.map_or(Vec::new(), |copy| copy.problems),
        })
    }
}

fn installed_row(copy: &Installed, pin: Option<&Pin>) -> VersionRow {
    let record = copy.provenance_record();
    let origin = record.map(Record::origin);
    let tree_digest = record.map(|record| record.tree_digest);
    VersionRow {
        version: copy.version.clone(),
        installed: true,
        root: copy.root.clone(),
        tree_digest,
        replaced_at: None,
        pinned: pin.is_some_and(|pin| is_pinned(pin, &copy.version, origin.as_ref(), tree_digest)),
        predecessor: false,
        origin,
    }
}

/// Whether a pin names a version.
pub(crate) fn is_pinned(
    pin: &Pin,
    version: &VersionSegment,
    origin: Option<&Origin>,
    digest: Option<Digest>,
) -> bool {
    let commit = origin.and_then(|origin| origin.commit.as_ref());
    pin.version == *version
        && (pin.commit.is_none() || pin.commit.as_ref() == commit)
        && (pin.tree_digest.is_none() || pin.tree_digest == digest)
}

/// Sorts the latest first, and answers whether that could be done by semantic version.
fn sort(rows: &mut [VersionRow]) -> bool {
    let text = |row: &VersionRow| row.version.as_str().to_owned();
    let semantic = rows
        .iter()
        .all(|row| semantic_order(row.version.as_str(), row.version.as_str()).is_some());
    let at = |row: &VersionRow| row.origin.as_ref().map(|origin| origin.installed_at);
    // What is equal stays in the order in which it was replaced.
    rows.sort_by(|left, right| {
        let order = match semantic {
            true => semantic_order(&text(right), &text(left)),
            false => at(left)
                .zip(at(right))
                .map(|(left, right)| right.cmp(&left)),
        };
        order.unwrap_or(Ordering::Equal)
    });
    semantic
}

/// What stood there before the installed version and is still kept. Of a copy about whose past
/// nothing was written down, that is what was replaced last.
pub(crate) fn predecessor<'a>(
    standing: &Standing,
    kept: &'a [(Kept, AbsPath)],
) -> Option<&'a (Kept, AbsPath)> {
    let copy = standing.copy.as_ref();
    let record = match copy {
        Some(copy) => copy.provenance_record(),
        None => standing.record.as_ref(),
    };
    match record.map(|record| &record.before) {
        None | Some(Before::Unknown) => kept.first(),
        Some(Before::Nothing) => None,
        Some(Before::Replaced { tree_digest, .. }) => kept
            .iter()
            .find(|(kept, _)| kept.tree_digest == *tree_digest),
    }
}

/// The kept version that a text names: a version, or the beginning of a commit or a digest.
///
/// # Errors
/// None or several are named.
pub(crate) fn kept_as<'a>(
    id: &PluginId,
    wanted: &str,
    kept: &'a [(Kept, AbsPath)],
) -> Result<&'a (Kept, AbsPath), VersionRefusal> {
    let version = |(kept, _): &&(Kept, AbsPath)| kept.version.as_str() == wanted;
    // Several may have had this version, each with other content: the latest.
    if let Some(found) = kept.iter().find(version) {
        return Ok(found);
    }
    let begins = |(kept, _): &&(Kept, AbsPath)| {
        let origin = kept.origin.as_ref();
        begins_with(wanted, origin.and_then(|origin| origin.commit.as_deref()))
            || is_digest(wanted, kept.tree_digest)
    };
    let found: Vec<_> = kept.iter().filter(begins).collect();
    match found.as_slice() {
        [] => Err(VersionRefusal::NotKept {
            id: id.clone(),
            wanted: wanted.to_owned(),
            kept: shown(kept.iter()),
        }),
        [one] => Ok(one),
        several => Err(VersionRefusal::Ambiguous {
            id: id.clone(),
            wanted: wanted.to_owned(),
            found: shown(several.iter().copied()),
        }),
    }
}

/// Whether a text is the beginning of a commit, or all of it.
pub(crate) fn begins_with(wanted: &str, commit: Option<&str>) -> bool {
    let wanted = wanted.to_ascii_lowercase();
    wanted.len() >= MIN_DIGITS && commit.is_some_and(|commit| commit.starts_with(&wanted))
}

/// Whether a text is the beginning of a digest, with or without its kind.
pub(crate) fn is_digest(wanted: &str, digest: Digest) -> bool {
    let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    begins_with(hex, Some(&digest.hex()))
}

/// Versions as a message names them.
pub(crate) fn shown<'a>(kept: impl Iterator<Item = &'a (Kept, AbsPath)>) -> Vec<String> {
    kept.map(|(kept, _)| named(&kept.version, &kept.tree_digest))
        .collect()
}

/// A version as a message names it.
pub(crate) fn named(version: &VersionSegment, digest: &Digest) -> String {
    format!("{version} (sha256:{}…)", &digest.hex()[..SHOWN_DIGITS])
}
