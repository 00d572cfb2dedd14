//! A directory that holds a plugin, whoever offers it.

use plugd_disk::Kind as FileKind;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, Source, error_chain};

use super::Looked;
use super::side::{held_by_source, side, stand_in_id};
use crate::call::Call;
use crate::{Copies, Error, Lookup};

/// The plugin in a directory, under the id that it has, if any.
pub(super) fn in_directory(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    path: &AbsPath,
    id: Option<&PluginId>,
) -> Result<Looked, Error> {
    let nothing = |kind, text: &str| Error::NoPluginThere {
        path: path.clone(),
        problem: Box::new(Problem::error(kind, text).in_file(path)),
    };
    let broken = |problem| Error::NoPluginThere {
        path: path.clone(),
        problem: Box::new(problem),
    };
    let stamp = lookup.disk().stamp(path)?;
    let loaded = match lookup.loader().plugin(path).map_err(broken)? {
        Some(loaded) => loaded,
        None if stamp.is_none() => {
            return Err(nothing(
                ProblemKind::Missing,
                "the directory does not exist",
            ));
        }
        None if stamp.is_some_and(|stamp| stamp.kind != FileKind::Dir) => {
            return Err(nothing(ProblemKind::NotAFile, "this is no directory"));
        }
        None => return Err(nothing(ProblemKind::Missing, "it has no plugin manifest")),
    };
    let manifest = &loaded.value;
    let id = id.map_or_else(|| stand_in_id(&manifest.name), PluginId::clone);
    let mut side = side(lookup.disk(), path, manifest, &id).map_err(broken)?;
    side.problems.extend(loaded.problems.iter().cloned());
    match plugd_manifest::store_version(manifest) {
        Ok(version) => side.version = Some(version.to_string()),
        Err(error) => {
            let problem = Problem::error(ProblemKind::BadVersion, error_chain(&error));
            side.problems.push(problem.in_file(&loaded.file));
        }
    }
    let held = held_by_source(&mut side, copies.store()?, lookup.disk(), path, call);
    side.root = Some(path.clone());
    side.source = Some(Source::Local { path: path.clone() });
    Ok(Looked {
        side,
        held,
        as_copy: None,
        trust: None,
    })
}
