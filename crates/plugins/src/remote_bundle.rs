//! What came out of a bundle of the remote catalog: made complete with what only the catalog knows,
//! and checked, before a copy of it is made.
//!
//! Only the bundles of everybody's catalog are completed, as the reference does it: there the catalog
//! says the version and the apps. It happens before the copy, so that the digests cover it.

use plugd_catalog::{Item, rewrite_json};
use plugd_disk::Disk;
use plugd_manifest::{Loaded, Loader, MAX_PLUGIN_BYTES};
use plugd_model::{
    AbsPath, PluginId, PluginManifest, PluginPath, Problem, ProblemKind, RemoteScope,
    VersionSegment,
};

use crate::content::Content;
use crate::remote_error::RemoteError;
use crate::{Error, Lookup};

/// Where apps are declared when the manifest names no file.
const APPS_FILE: &str = "./.app.json";

/// Completes the content of a bundle and reads what an installation needs to know of it.
///
/// # Errors
/// The root is that of no plugin, the manifest is broken or another plugin's, or what the catalog says
/// cannot be written.
pub(crate) fn read(
    lookup: &Lookup,
    item: &Item,
    version: &VersionSegment,
    dir: &AbsPath,
) -> Result<Content, Error> {
    let id = item.plugin_id();
    let loaded = named(lookup.loader(), &id, dir)?;
    if loaded.name != id.plugin.as_str() {
        return Err(RemoteError::OtherName {
            plugin: id,
            found: loaded.name,
        }
        .into());
    }
    let manifest = match item.scope {
        RemoteScope::Global => completed(lookup, item, version, dir)?,
        RemoteScope::Workspace | RemoteScope::User => loaded,
    };
    Ok(Content {
        source: dir.clone(),
        manifest,
        version: version.clone(),
        extra: Vec::new(),
    })
}

/// Completes a bundle and reads its manifest again. The catalog's apps must neither take the place of
/// that manifest nor become one that counts more: no name that was checked would hold any longer.
fn completed(
    lookup: &Lookup,
    item: &Item,
    version: &VersionSegment,
    dir: &AbsPath,
) -> Result<PluginManifest, Error> {
    let (loader, id) = (lookup.loader(), item.plugin_id());
    let before = loaded(loader, &id, dir)?;
    let lower = |path: &AbsPath| path.as_path().to_string_lossy().to_lowercase();
    let apps = before.value.apps.as_ref().map(|apps| apps.below(dir));
    let is_over = apps.is_some_and(|apps| lower(&apps) == lower(&before.file));
    if item.release.app_manifest.is_none() || !is_over {
        complete(lookup.disk(), loader, item, version, dir)?;
        let after = loaded(loader, &id, dir)?;
        if after.file == before.file {
            return Ok(after.value.clone());
        }
    }
    Err(RemoteError::Incomplete {
        plugin: id,
        reason: "its apps would take the place of its manifest".to_owned(),
    }
    .into())
}

/// The manifest at the root of the bundle, which says itself what it is called: a bundle has no other
/// name that could be compared with the catalog's.
fn named(loader: &Loader, id: &PluginId, dir: &AbsPath) -> Result<PluginManifest, Error> {
    let other = format!("not-{}", id.plugin);
    let loaded = loaded_as(loader, id, dir, &other)?;
    if loaded.value.name == other {
        let text = format!("it has no `name`, which has to be `{}`", id.plugin);
        let problem = Problem::error(ProblemKind::MissingField, text);
        return Err(Error::BadManifest {
            id: id.clone(),
            problem: Box::new(problem.in_file(&loaded.file).at_field("name")),
        });
    }
    Ok(loaded.value.clone())
}

/// The manifest at the root of a bundle whose name was checked.
fn loaded(
    loader: &Loader,
    id: &PluginId,
    dir: &AbsPath,
) -> Result<std::sync::Arc<Loaded<PluginManifest>>, Error> {
    loaded_as(loader, id, dir, id.plugin.as_str())
}

fn loaded_as(
    loader: &Loader,
    id: &PluginId,
    dir: &AbsPath,
    name: &str,
) -> Result<std::sync::Arc<Loaded<PluginManifest>>, Error> {
    let bad = |problem| Error::BadManifest {
        id: id.clone(),
        problem: Box::new(problem),
    };
    match loader.plugin_named(dir, name) {
        Ok(Some(loaded)) => Ok(loaded),
        Ok(None) => {
            let text = "the bundle has no plugin manifest at its root";
            Err(bad(Problem::error(ProblemKind::Missing, text)))
        }
        Err(problem) => Err(bad(problem)),
    }
}

/// Writes the release's version into the manifest and the catalog's apps over the bundle's.
fn complete(
    disk: &Disk,
    loader: &Loader,
    item: &Item,
    version: &VersionSegment,
    dir: &AbsPath,
) -> Result<(), Error> {
    let id = item.plugin_id();
    let incomplete = |reason: String| RemoteError::Incomplete {
        plugin: id.clone(),
        reason,
    };
    let loaded = loaded(loader, &id, dir)?;
    let bytes = disk.read(&loaded.file, MAX_PLUGIN_BYTES)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let manifest = rewrite_json(text, Some(("version", version.as_str())));
    let manifest = manifest
        .map_err(|reason| incomplete(format!("its manifest cannot be edited: {reason}")))?;
    disk.replace(&loaded.file, manifest.as_bytes(), 0o644)?;
    let Some(apps) = &item.release.app_manifest else {
        return Ok(());
    };
    let apps = rewrite_json(apps.as_bytes(), None)
        .map_err(|reason| incomplete(format!("the catalog's apps cannot be written: {reason}")))?;
    let Some(path) = (loaded.value.apps.clone()).or_else(|| PluginPath::parse(APPS_FILE)) else {
        return Ok(());
    };
    let file = path.below(dir);
    if let Some(parent) = file.parent() {
        disk.create_dirs(&parent)?;
    }
    Ok(disk.replace(&file, apps.as_bytes(), 0o644)?)
}
