//! `plugd/export`: writes one archive with everything that is needed to install plugins elsewhere
//! without a network.
//!
//! What goes into it is first laid out in a place of our own, so that what is packed is what was
//! hashed, whatever happens to the copies meanwhile. The archive takes its place in one step. Nothing
//! of this machine is in it but the paths of marketplaces in directories: the same home makes the same
//! bytes.

use std::collections::{BTreeMap, BTreeSet};

use plugd_disk::tree::{Limits, TreePlan, file_digests};
use plugd_disk::{Disk, Kind, Unsynced};
use plugd_fetch::{PackRules, Packed, pack};
use plugd_lockfile::{LockedPlugin, Lockfile, render};
use plugd_manifest::marketplace_root;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, VersionSegment};
use plugd_store::{BoundSource, Installed, StoreError};

use crate::archive_error::{ArchiveError, ONLY_HERE};
use crate::archive_index::{INDEX, Index, LOCK, MAX_INDEX};
use crate::archive_read::leads_elsewhere;
use crate::broken_config::refuse_broken;
use crate::call::Call;
use crate::export_stage;
use crate::lock::refuse_missing;
use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::lock_of_home::{OfHome, switched_on};
use crate::{Blocking, Copies, Error, Lookup};

/// What to export.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The archive to write.
    pub path: AbsPath,
    /// The plugins; none means all that are switched on.
    pub plugins: Vec<PluginId>,
    /// A lock whose plugins are meant, which have to be installed as it says.
    pub lock: Option<AbsPath>,
    /// Write over what is there.
    pub force: bool,
}

/// An archive that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The archive.
    pub path: AbsPath,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// What is in it.
    pub plugins: Vec<ExportedPlugin>,
    /// What is installed and not in it, with the reason.
    pub problems: Vec<Problem>,
}

/// A plugin in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedPlugin {
    /// The plugin.
    pub id: PluginId,
    /// Its version.
    pub version: VersionSegment,
    /// The digest of its content.
    pub source_digest: String,
    /// The digest of what an installation leaves on disk.
    pub tree_digest: String,
    /// How many files.
    pub files: u64,
    /// How many bytes those have.
    pub bytes: u64,
}

/// What of a home is exported.
struct Chosen {
    lock: Lockfile,
    copies: BTreeMap<PluginId, Installed>,
    problems: Vec<Problem>,
}

/// The limits of what is laid out.
pub(crate) const LIMITS: Limits = Limits {
    entries: PackRules::EXPORT.entries,
    bytes: PackRules::EXPORT.bytes,
    depth: PackRules::EXPORT.depth,
};

/// Writes the archive.
///
/// # Errors
/// A plugin that was named is not installed or cannot be exported, the home is not what the lock
/// says, something stands at the target, or it cannot be written. Then there is no archive, and what
/// was there is as it was.
pub async fn export(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    request: ExportRequest,
) -> Result<Exported, Error> {
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    let section = move || {
        refuse_taken(lookup.disk(), &request)?;
        let chosen = choose(&lookup, &copies, &request)?;
        let in_store = |error| Error::StoreState(Box::new(error));
        let workspace = copies.store()?.workspace().map_err(in_store)?;
        let root = workspace.dir().join("archive");
        let plugins = lay_out(&call, &lookup, &root, &chosen)?;
        let beside = beside(&request.path, workspace.dir());
        let packed = write(&call, lookup.disk(), &root, &beside, &request)?;
        Ok(Exported {
            path: request.path,
            bytes: packed.bytes,
            sha256: packed.sha256,
            plugins,
            problems: chosen.problems,
        })
    };
    blocking.write(section).await
}

fn refuse_taken(disk: &Disk, request: &ExportRequest) -> Result<(), Error> {
    match disk.link_stamp(&request.path)? {
        Some(stamp) if !matches!(stamp.kind, Kind::File | Kind::Link) => {
            Err(Error::from(ArchiveError::NotAFile {
                path: request.path.clone(),
            }))
        }
        Some(_) if !request.force => Err(Error::from(ArchiveError::Taken {
            path: request.path.clone(),
        })),
        _ => Ok(()),
    }
}

/// What is exported, as a lock says it for any machine: directories are told from the root.
fn choose(lookup: &Lookup, copies: &Copies, request: &ExportRequest) -> Result<Chosen, Error> {
    let config = lookup.config(None);
    let followed = match &request.lock {
        Some(path) => {
            let place = LockPlace::at(path.clone());
            let (lock, _) = place.read_whole(lookup.disk())?;
            Some((place, lock))
        }
        None => None,
    };
    let wanted: BTreeSet<PluginId> = match (&followed, request.plugins.is_empty()) {
        (Some((_, lock)), true) => lock.plugins.keys().cloned().collect(),
        (None, true) => {
            refuse_broken(&config)?;
            switched_on(&config)
        }
        (_, false) => request.plugins.iter().cloned().collect(),
    };
    let in_store = |error: StoreError| Error::StoreState(Box::new(error));
    let store = copies.store()?;
    let (mut installed, _) = store.list().map_err(in_store)?;
    installed.retain(|copy| wanted.contains(&copy.id));
    // Nothing lies below our own state, so every directory is told in full.
    let nowhere = LockPlace::at(lookup.layout().state().join("nowhere").join(LOCK));
    let mut of_home = OfHome::read(lookup.layout(), &config, &nowhere, &installed);
    let only_here = leave_out_local(&mut of_home);
    let named: Vec<PluginId> = match &followed {
        Some(_) => wanted.iter().cloned().collect(),
        None => request.plugins.clone(),
    };
    if let Some(id) = only_here.into_iter().find(|id| named.contains(id)) {
        return Err(ArchiveError::OnlyHere { id }.into());
    }
    refuse_missing(&named, &of_home)?;
    if let Some((place, lock)) = &followed {
        refuse_other(place, lock, &of_home.lock)?;
    }
    if of_home.lock.plugins.is_empty() {
        let why = of_home.left_out.iter();
        let why: String = why
            .map(|(id, problem)| format!("; `{id}`: {}", problem.message))
            .collect();
        return Err(ArchiveError::Nothing { why }.into());
    }
    let left_out = of_home.left_out.into_iter().map(|(id, problem)| Problem {
        message: format!("`{id}` is not in the archive: {}", problem.message),
        ..problem
    });
    let exported = installed
        .into_iter()
        .filter(|copy| of_home.lock.plugins.contains_key(&copy.id))
        .map(|copy| (copy.id.clone(), copy));
    Ok(Chosen {
        copies: exported.collect(),
        problems: left_out.collect(),
        lock: of_home.lock,
    })
}

/// Leaves out what no import takes: it comes from an address that means another machine there.
fn leave_out_local(of_home: &mut OfHome) -> BTreeSet<PluginId> {
    let OfHome { lock, left_out, .. } = of_home;
    let Lockfile {
        marketplaces,
        plugins,
    } = lock;
    let leads = |(id, plugin): (&PluginId, &LockedPlugin)| {
        leads_elsewhere(plugin, marketplaces.get(&id.marketplace)).then(|| id.clone())
    };
    let only_here: BTreeSet<PluginId> = plugins.iter().filter_map(leads).collect();
    for id in &only_here {
        plugins.remove(id);
        left_out.push((
            id.clone(),
            Problem::error(ProblemKind::BadSource, ONLY_HERE),
        ));
    }
    marketplaces.retain(|name, _| plugins.keys().any(|id| id.marketplace == *name));
    only_here
}

/// Who exports what a lock says means exactly that.
fn refuse_other(place: &LockPlace, lock: &Lockfile, home: &Lockfile) -> Result<(), LockError> {
    let differs = home.plugins.iter().filter_map(|(id, is)| {
        let wanted = lock.plugins.get(id)?;
        let same = wanted.version == is.version && wanted.source_digest == is.source_digest;
        (!same).then(|| match wanted.version == is.version {
            true => format!("`{id}` {} has other content", is.version),
            false => format!("`{id}` is {} instead of {}", is.version, wanted.version),
        })
    });
    let differences: Vec<String> = differs.collect();
    match differences.is_empty() {
        true => Ok(()),
        false => Err(LockError::Differs {
            path: place.file.clone(),
            differences,
        }),
    }
}

/// Makes the directory that is packed.
fn lay_out(
    call: &Call,
    lookup: &Lookup,
    root: &AbsPath,
    chosen: &Chosen,
) -> Result<Vec<ExportedPlugin>, Error> {
    let disk = lookup.disk();
    disk.create_dirs(&root.join("trees"))?;
    let total = u64::try_from(chosen.copies.len()).ok();
    let (mut plugins, mut index) = (Vec::new(), Index::default());
    for (done, (id, copy)) in (0_u64..).zip(&chosen.copies) {
        call.cancel.check()?;
        call.progress.report("copying", done, total);
        let Some(locked) = chosen.lock.plugins.get(id) else {
            continue;
        };
        let staged = export_stage::stage(call, lookup, root, copy, locked)?;
        if let Some(manifest) = manifest_below(copy) {
            index.manifests.insert(id.clone(), manifest);
        }
        plugins.push(ExportedPlugin {
            id: id.clone(),
            version: locked.version.clone(),
            source_digest: locked.source_digest.to_string(),
            tree_digest: locked.tree_digest.to_string(),
            files: staged.files,
            bytes: staged.bytes,
        });
    }
    let lock = render(&chosen.lock, None);
    disk.write_new(&root.join(LOCK), lock.as_bytes(), 0o644)?;
    let in_tree = |error| Error::StoreState(Box::new(StoreError::Tree(error)));
    let plan = TreePlan::scan(disk, root, &LIMITS, &[], call).map_err(in_tree)?;
    index.files = file_digests(disk, &plan, call).map_err(in_tree)?;
    let text = index.text();
    if u64::try_from(text.len()).is_ok_and(|size| size > MAX_INDEX) {
        return Err(Error::from(ArchiveError::Index { limit: MAX_INDEX }));
    }
    disk.write_new(&root.join(INDEX), text.as_bytes(), 0o644)?;
    Ok(plugins)
}

/// Where the manifest of a marketplace in a directory lies in it.
fn manifest_below(copy: &Installed) -> Option<String> {
    let BoundSource::Manifest(manifest) = &copy.provenance_record()?.bound else {
        return None;
    };
    let root = marketplace_root(manifest)?;
    let below = manifest.as_path().strip_prefix(root.as_path()).ok()?;
    let names: Option<Vec<&str>> = below.iter().map(|name| name.to_str()).collect();
    Some(names?.join("/"))
}

/// A name beside the target that nobody else has.
fn beside(path: &AbsPath, workspace: &AbsPath) -> AbsPath {
    let unique = workspace.file_name().unwrap_or_default().to_string_lossy();
    let dir = path.parent().unwrap_or_else(|| path.clone());
    dir.join(format!(".plugd-{unique}"))
}

/// Packs beside the target, and gives the archive its name when it is whole and durable.
fn write(
    call: &Call,
    disk: &Disk,
    root: &AbsPath,
    beside: &AbsPath,
    request: &ExportRequest,
) -> Result<Packed, Error> {
    let path = &request.path;
    call.progress.report("packing", 0, None);
    let packed = pack(disk, root, beside, &PackRules::EXPORT, call);
    let packed = packed.map_err(|source| ArchiveError::Pack {
        path: path.clone(),
        source: Box::new(source),
    })?;
    let placed = put(call, disk, beside, request);
    if placed.is_err() {
        // The first error is the one to report.
        let _ = disk.remove_file(beside);
    }
    placed.map(|()| packed)
}

fn put(call: &Call, disk: &Disk, beside: &AbsPath, request: &ExportRequest) -> Result<(), Error> {
    let path = &request.path;
    let mut content = Unsynced::default();
    content.file(beside.clone());
    let durable = disk.make_durable(&content);
    durable.map_err(|error| Error::StoreState(Box::new(StoreError::Tree(error))))?;
    call.cancel.seal()?;
    // Whoever is first has the name: what somebody else wrote meanwhile is not written over.
    let taken = match request.force {
        true => None,
        false => match disk.create_unsynced(path, 0o600, 0) {
            Ok(_) => Some(path),
            Err(error) => {
                refuse_taken(disk, request)?;
                return Err(error.into());
            }
        },
    };
    if let Err(error) = disk.rename(beside, path) {
        if let Some(path) = taken {
            // It is empty and ours; the first error is the one to report.
            let _ = disk.remove_file(path);
        }
        return Err(error.into());
    }
    if let Some(dir) = path.parent() {
        disk.sync_dir(&dir)?;
    }
    Ok(())
}
