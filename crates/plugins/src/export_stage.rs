//! One plugin on its way into an archive: the content of its source, made from its installed copy, and
//! the facts of its marketplace's entry.
//!
//! Only the copy is sure to be there. It is the source with what the installation added, so without
//! that it has to hash to what was recorded of the source; a copy that does not is not exported.

use plugd_disk::tree::{FileDigests, Limits, TreePlan, copy};
use plugd_disk::{Disk, DiskError};
use plugd_lockfile::{LockedPlugin, LockedSource};
use plugd_manifest::json::{Members, Text};
use plugd_model::{AbsPath, MIGRATED_SKILLS_DIR, PluginId};
use plugd_store::{Installed, StoreError};
use serde_json::{Value, json};

use crate::archive_error::ArchiveError;
use crate::archive_index::{catalog_dir, content_dir};
use crate::call::Call;
use crate::content::FALLBACK_MANIFEST;
use crate::install_job::failed;
use crate::{Error, Lookup};

/// Larger than a manifest that a marketplace's entry stands in for.
const MAX_MANIFEST: u64 = 16 << 20;
/// More than such a manifest has.
const MAX_MEMBERS: usize = 10_000;
/// Where the marketplace of a plugin lies below its directory in the archive.
const MANIFEST: &str = ".agents/plugins/marketplace.json";

/// What of a plugin lies in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Staged {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Brings a plugin below the root of the archive.
///
/// # Errors
/// The copy is not what is recorded, changes meanwhile, or cannot be read.
pub(crate) fn stage(
    call: &Call,
    lookup: &Lookup,
    root: &AbsPath,
    copy: &Installed,
    locked: &LockedPlugin,
) -> Result<Staged, Error> {
    let disk = lookup.disk();
    let id = &copy.id;
    let dir = root.join(content_dir(locked));
    let in_tree = |error| failed(id, StoreError::Tree(error));
    let scan = |at: &AbsPath| TreePlan::scan(disk, at, &Limits::INSTALL, &[], call);
    let plan = scan(&copy.root).map_err(in_tree)?;
    let beside = root.join("copy");
    let report = self::copy(disk, &plan, &beside, call).map_err(in_tree)?;
    let not_exportable = |reason: &str| ArchiveError::NotExportable {
        id: id.clone(),
        reason: reason.to_owned(),
    };
    let is_recorded = copy
        .provenance_record()
        .is_some_and(|record| record.tree_digest == report.files.digest());
    if !is_recorded || !plan.is_plain() {
        let text = "its copy is not what is recorded of it";
        return Err(Error::from(not_exportable(text)));
    }
    let Some(added) = added(&report.files, locked) else {
        let text = "what its source had cannot be told from what its installation added; \
                    install it anew, and export that copy";
        return Err(Error::from(not_exportable(text)));
    };
    let fallback = match added.contains(&fallback()) {
        true => Some(disk.read(&beside.join(fallback()), MAX_MANIFEST)?),
        false => None,
    };
    for path in report.files.paths().filter(|path| is_added(&added, path)) {
        remove(disk, &beside, path)?;
    }
    // Two plugins may have the same content.
    if disk.link_stamp(&dir)?.is_none() {
        disk.rename(&beside, &dir)?;
    } else {
        plugd_disk::tree::remove_tree(disk, &beside).map_err(in_tree)?;
    }
    let text = catalog(id, locked, fallback.as_deref()).ok_or_else(|| {
        not_exportable("the manifest that its marketplace stood in for cannot be understood")
    })?;
    let manifest = root.join(catalog_dir(id)).join(MANIFEST);
    if let Some(parent) = manifest.parent() {
        disk.create_dirs(&parent)?;
    }
    disk.write_new(&manifest, text.as_bytes(), 0o644)?;
    let plan = scan(&dir).map_err(in_tree)?;
    Ok(Staged {
        files: u64::try_from(plan.files().count()).unwrap_or(u64::MAX),
        bytes: plan.bytes(),
    })
}

/// The manifest that an installation adds, as a path in the copy.
fn fallback() -> &'static str {
    FALLBACK_MANIFEST.trim_start_matches("./")
}

/// What an installation added: the smallest of what it may add without which the files are those of
/// the source.
fn added(files: &FileDigests, locked: &LockedPlugin) -> Option<Vec<&'static str>> {
    let candidates = [
        Vec::new(),
        vec![MIGRATED_SKILLS_DIR],
        vec![fallback()],
        vec![MIGRATED_SKILLS_DIR, fallback()],
    ];
    candidates.into_iter().find(|added| {
        let source = files.without(&|path| is_added(added, path));
        source.digest() == locked.source_digest
    })
}

fn is_added(added: &[&str], path: &str) -> bool {
    let mut added = added.iter();
    added.any(|one| {
        let rest = path.strip_prefix(one);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Removes a file, and the directories that held nothing else.
fn remove(disk: &Disk, root: &AbsPath, path: &str) -> Result<(), DiskError> {
    let file = root.join(path);
    disk.remove_file(&file)?;
    let above = file.ancestors().skip(1);
    for dir in above.take_while(|dir| dir != root) {
        if !disk.list(&dir)?.is_empty() {
            break;
        }
        disk.remove_dir(&dir)?;
    }
    Ok(())
}

/// A marketplace with the plugin's entry. What it stands in for is the text of the manifest that an
/// installation made of the entry, so that the next one makes the same.
fn catalog(id: &PluginId, locked: &LockedPlugin, fallback: Option<&[u8]>) -> Option<String> {
    let mut entry = vec![
        ("name".to_owned(), json!(id.plugin.as_str()).to_string()),
        ("source".to_owned(), source(locked).to_string()),
    ];
    if let Some(fallback) = fallback {
        let text = Text::check(fallback).ok()?;
        let members = Members::split(text.root(), MAX_MEMBERS).ok()?;
        let mut is_made = false;
        for (key, value) in members.iter() {
            // Behind the name stands what was made of the members before it.
            is_made |= key == "name";
            if key == "category" || !is_made {
                entry.push((key.to_owned(), value.to_owned()));
            }
        }
    }
    let members = entry
        .iter()
        .map(|(key, value)| format!("{}:{value}", json!(key)));
    let members = members.collect::<Vec<_>>().join(",");
    let name = json!(id.marketplace.as_str());
    Some(format!("{{\"name\":{name},\"plugins\":[{{{members}}}]}}\n"))
}

/// The source as an entry names it.
fn source(locked: &LockedPlugin) -> Value {
    match &locked.source {
        LockedSource::InMarketplace(path) if path.is_empty() => json!("./"),
        LockedSource::InMarketplace(path) => json!(format!("./{path}")),
        LockedSource::Git {
            url,
            path,
            ref_name,
        } => {
            let kind = match path {
                Some(_) => "git-subdir",
                None => "url",
            };
            json!({"source": kind, "url": url, "path": path, "ref": ref_name})
        }
        LockedSource::Npm {
            package,
            version,
            registry,
        } => json!({
            "source": "npm", "package": package, "version": version, "registry": registry,
        }),
        LockedSource::Oci { reference } => json!({
            "source": "oci", "url": reference.to_string(),
        }),
        // An entry of this kind is none without its digest.
        LockedSource::Archive { url } => json!({
            "source": "archive", "url": url, "sha256": locked.resolved,
        }),
    }
}
