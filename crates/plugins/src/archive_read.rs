//! Reading an archive of plugins: unpacked into a place of our own and compared, file by file, with
//! what its index and its lock say, before anybody acts on it.

use std::io::{self, Read};

use plugd_disk::tree::{Digest, TreePlan, file_digests};
use plugd_disk::{Disk, DiskError, Kind};
use plugd_fetch::{Chunks, FetchError, Integrity, Rules, unpack};
use plugd_lockfile::{
    Location, LockedMarketplace, LockedPlugin, LockedSource, Lockfile, MAX_BYTES,
};
use plugd_model::{AbsPath, PackedOrigin, PluginId, Problem};
use plugd_store::{StoreError, Workspace};

use crate::archive_error::ArchiveError;
use crate::archive_index::{
    FORMAT, INDEX, Index, IndexFault, LOCK, MAX_INDEX, catalog_dir, content_dir,
};
use crate::call::Call;
use crate::export::LIMITS;
use crate::lock_file::LockPlace;
use crate::{Copies, Error, Lookup};

/// How much of an archive is read at once.
const PIECE: u64 = 1 << 20;

/// An archive that is what it says. What was unpacked of it goes with this value, which has to be
/// dropped where the disk may be waited for.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) place: LockPlace,
    pub(crate) lock: Lockfile,
    pub(crate) sha256: String,
    index: Index,
    root: AbsPath,
    /// Holds what was unpacked.
    _workspace: Workspace,
}

/// What an archive has of one plugin.
#[derive(Debug, Clone)]
pub(crate) struct Archived {
    /// A marketplace with its entry.
    pub(crate) catalog: AbsPath,
    /// Its content.
    pub(crate) content: AbsPath,
    /// Where the manifest of its marketplace lay, when that is in a directory.
    pub(crate) manifest: Option<String>,
}

impl Opened {
    /// What there is of a plugin of the lock.
    pub(crate) fn of(&self, id: &PluginId) -> Option<Archived> {
        let locked = self.lock.plugins.get(id)?;
        Some(Archived {
            catalog: self.root.join(catalog_dir(id)),
            content: self.root.join(content_dir(locked)),
            manifest: self.index.manifests.get(id).cloned(),
        })
    }
}

/// Unpacks an archive and compares it.
///
/// # Errors
/// It is not there, is none, or is not what it says or was expected; nothing is left of it then.
pub(crate) fn open(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    (path, expected): (&AbsPath, Option<Digest>),
) -> Result<Opened, Error> {
    let disk = lookup.disk();
    let size = match disk.stamp(path)? {
        Some(stamp) if stamp.kind == Kind::File => stamp.size,
        Some(_) => return Err(foreign(path, "it is no regular file").into()),
        None => return Err(ArchiveError::NotThere { path: path.clone() }.into()),
    };
    if let Some(expected) = expected {
        must_be(call, disk, path, size, expected)?;
    }
    let in_store = |error| Error::StoreState(Box::new(error));
    let workspace = copies.store()?.workspace().map_err(in_store)?;
    let root = disk.resolve(workspace.dir())?.join("archive");
    call.progress.report("unpacking", 0, None);
    let chunks = Chunks::of_file(Box::new(Pieces::of(disk, path)));
    let rules = Rules {
        // Somebody may write the file between two looks.
        integrity: expected.and_then(|digest| Integrity::from_sha256(&digest.to_string())),
        ..Rules::export()
    };
    let unpacked = unpack(disk, chunks, &root, &rules, call);
    let unpacked = unpacked.map_err(|source| in_archive(path, source))?;
    let index = read_index(disk, path, &root)?;
    call.progress.report("checking", 0, None);
    compare(call, disk, path, &root, &index)?;
    let lock = read_lock(disk, path, &root)?;
    must_hold(path, &index, &lock)?;
    Ok(Opened {
        place: LockPlace::of_archive(path.clone()),
        lock,
        sha256: unpacked.sha256,
        index,
        root,
        _workspace: workspace,
    })
}

/// Refuses another archive than the one that was meant, before anything of it is looked into.
fn must_be(
    call: &Call,
    disk: &Disk,
    path: &AbsPath,
    size: u64,
    expected: Digest,
) -> Result<(), Error> {
    call.progress.report("checking", 0, None);
    let found = Digest::of_reader(&mut Pieces::of(disk, path), size, call);
    let found = found.map_err(|error| match error.downcast::<DiskError>() {
        Ok(error) => Error::from(error),
        Err(error) => foreign(path, error.to_string()).into(),
    })?;
    call.cancel.check()?;
    match found {
        Some(found) if found == expected => Ok(()),
        found => Err(ArchiveError::OtherArchive {
            path: path.clone(),
            expected: expected.hex(),
            found: found.map_or_else(|| "of a file that changes".to_owned(), |found| found.hex()),
        }
        .into()),
    }
}

fn foreign(path: &AbsPath, reason: impl Into<String>) -> ArchiveError {
    ArchiveError::Foreign {
        path: path.clone(),
        reason: reason.into(),
    }
}

fn in_archive(path: &AbsPath, source: FetchError) -> Error {
    match source {
        FetchError::Disk(error) => Error::from(error),
        source => Error::from(ArchiveError::Unpack {
            path: path.clone(),
            source: Box::new(source),
        }),
    }
}

fn read_index(disk: &Disk, path: &AbsPath, root: &AbsPath) -> Result<Index, Error> {
    let bytes = match disk.read(&root.join(INDEX), MAX_INDEX) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => {
            return Err(foreign(path, format!("it has no `{INDEX}`")).into());
        }
        Err(error) => return Err(error.into()),
    };
    let read = Index::parse(&bytes).map_err(|fault| match fault {
        IndexFault::Newer(found) => ArchiveError::Newer {
            path: path.clone(),
            found,
            known: FORMAT,
        },
        IndexFault::Bad(reason) => foreign(path, reason),
    });
    Ok(read?)
}

/// Every file is what the index says, and there is no other.
fn compare(
    call: &Call,
    disk: &Disk,
    path: &AbsPath,
    root: &AbsPath,
    index: &Index,
) -> Result<(), Error> {
    let in_tree = |error| Error::StoreState(Box::new(StoreError::Tree(error)));
    let plan = TreePlan::scan(disk, root, &LIMITS, &[], call).map_err(in_tree)?;
    let found = file_digests(disk, &plan, call).map_err(in_tree)?;
    let found = found.without(&|path| path == INDEX);
    let differences = index.files.differences(&found);
    let first = |paths: Vec<String>, reason| {
        let entry = paths.into_iter().next()?;
        let path = path.clone();
        Some(ArchiveError::Entry {
            path,
            entry,
            reason,
        })
    };
    let wrong = first(differences.changed, "is not what its index says")
        .or_else(|| first(differences.missing, "is missing"))
        .or_else(|| first(differences.added, "is not in its index"));
    wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
}

fn read_lock(disk: &Disk, path: &AbsPath, root: &AbsPath) -> Result<Lockfile, Error> {
    let bytes = disk.read(&root.join(LOCK), MAX_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| entry(path, LOCK, "is not utf-8 text"))?;
    let parsed = plugd_lockfile::parse(&text).map_err(|problems| {
        let inside = |problem: Problem| Problem {
            message: format!("{LOCK}: {}", problem.message),
            ..problem
        };
        LockPlace::of_archive(path.clone()).unusable(problems.into_iter().map(inside).collect())
    })?;
    Ok(parsed.lock)
}

/// The lock speaks of machines and not of a project, and everything that it names is there.
fn must_hold(path: &AbsPath, index: &Index, lock: &Lockfile) -> Result<(), ArchiveError> {
    for marketplace in lock.marketplaces.values() {
        if let LockedMarketplace::Local(Location::InProject(_)) = marketplace {
            let reason = "names a directory of a project, which no archive has";
            return Err(entry(path, LOCK, reason));
        }
    }
    if lock.plugins.is_empty() {
        return Err(entry(path, LOCK, "names no plugin"));
    }
    for (id, plugin) in &lock.plugins {
        let of = lock.marketplaces.get(&id.marketplace);
        if leads_elsewhere(plugin, of) {
            let reason = "names an address of plain http that its marketplace does not have";
            return Err(entry(path, LOCK, reason));
        }
        let content = content_dir(plugin);
        if index.files.below(&content).digest() != plugin.source_digest {
            return Err(entry(path, &content, "is not what the lock in it names"));
        }
        let is_local = matches!(of, Some(LockedMarketplace::Local(_)));
        if is_local && !index.manifests.contains_key(id) {
            let reason = "does not say where the marketplace of every plugin lay";
            return Err(entry(path, INDEX, reason));
        }
    }
    Ok(())
}

/// Whether a plugin is from this machine, which is another one where an archive was made, and its
/// marketplace is not: no archive holds such a plugin.
pub(crate) fn leads_elsewhere(plugin: &LockedPlugin, of: Option<&LockedMarketplace>) -> bool {
    is_plain_http(&plugin.source) && !of.is_some_and(is_plain_marketplace)
}

/// Plain http leads to this machine only.
fn is_plain_http(source: &LockedSource) -> bool {
    match source {
        LockedSource::Git { url, .. } | LockedSource::Archive { url } => is_plain(url),
        LockedSource::Npm { registry, .. } => registry.as_deref().is_some_and(is_plain),
        LockedSource::Oci { reference } => reference.is_loopback(),
        LockedSource::InMarketplace(_) => false,
    }
}

fn is_plain_marketplace(marketplace: &LockedMarketplace) -> bool {
    match marketplace {
        LockedMarketplace::Git { url, .. } => is_plain(url),
        LockedMarketplace::Packed(PackedOrigin::Oci(reference)) => reference.is_loopback(),
        LockedMarketplace::Packed(PackedOrigin::Archive(url)) => is_plain(&url.to_string()),
        LockedMarketplace::Local(_) | LockedMarketplace::Curated => false,
    }
}

fn is_plain(url: &str) -> bool {
    url.to_ascii_lowercase().starts_with("http:")
}

fn entry(path: &AbsPath, entry: &str, reason: &'static str) -> ArchiveError {
    ArchiveError::Entry {
        path: path.clone(),
        entry: entry.to_owned(),
        reason,
    }
}

/// A file, piece by piece.
struct Pieces {
    disk: Disk,
    path: AbsPath,
    offset: u64,
    /// What was read and not taken, in the opposite order.
    piece: Vec<u8>,
}

impl Pieces {
    fn of(disk: &Disk, path: &AbsPath) -> Self {
        Self {
            disk: disk.clone(),
            path: path.clone(),
            offset: 0,
            piece: Vec::new(),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            let read = self.disk.read_from(&self.path, self.offset, PIECE);
            self.piece = read.map_err(io::Error::other)?;
            self.offset += u64::try_from(self.piece.len()).unwrap_or(u64::MAX);
            self.piece.reverse();
        }
        let taken = buffer.len().min(self.piece.len());
        let rest = self.piece.len() - taken;
        for (place, byte) in buffer.iter_mut().zip(self.piece.drain(rest..).rev()) {
            *place = byte;
        }
        Ok(taken)
    }
}
