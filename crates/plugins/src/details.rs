//! The inside of a plugin's directory, and why there is none to show.

use std::sync::Arc;

use plugd_disk::Kind;
use plugd_manifest::{Glance, Loaded, Loader};
use plugd_marketplace::Offer;
use plugd_model::{AbsPath, ManifestFormat, PluginManifest, Problem, ProblemKind};
use plugd_store::Installed;

use crate::listing::Details;

/// The inside of an installed copy. Its directory is named after the version, so a manifest without
/// a name is called by the plugin's.
pub(crate) fn details_of_copy(loader: &Loader, copy: &Installed) -> Details {
    match loader.plugin_named(&copy.root, copy.id.plugin.as_str()) {
        Ok(Some(manifest)) => Details::Manifest(manifest, copy.root.clone()),
        Err(problem) => Details::Broken(problem),
        Ok(None) => {
            let text = format!("the installed copy of `{}` has no manifest", copy.id);
            Details::Broken(Problem::error(ProblemKind::Missing, text).in_file(&copy.root))
        }
    }
}

/// As [`details_of_dir`], for a request that asks about many. What nobody has touched is no link.
pub(crate) fn details_at_a_glance(
    glance: &Glance<'_>,
    root: &AbsPath,
    offer: &Offer<'_>,
) -> Details {
    match glance.untouched(root) {
        Some(manifest) => Details::Manifest(manifest, root.clone()),
        None => details_by(glance.loader(), root, offer, || glance.plugin(root)),
    }
}

/// The inside of the directory that a local entry names.
pub(crate) fn details_of_dir(loader: &Loader, root: &AbsPath, offer: &Offer<'_>) -> Details {
    details_by(loader, root, offer, || loader.plugin(root))
}

fn details_by(
    loader: &Loader,
    root: &AbsPath,
    offer: &Offer<'_>,
    load: impl FnOnce() -> Result<Option<Arc<Loaded<PluginManifest>>>, Problem>,
) -> Details {
    if let Err(problem) = stays_inside(loader, root, offer) {
        return Details::Outside(problem);
    }
    match load() {
        Ok(Some(manifest)) => Details::Manifest(manifest, root.clone()),
        Err(problem) => Details::Broken(problem),
        Ok(None) => match (loader.disk().stamp(root), &offer.entry.fallback) {
            (Ok(Some(stamp)), Some(fallback)) if stamp.kind == Kind::Dir => {
                Details::Fallback(Arc::clone(fallback), Some(root.clone()))
            }
            (Ok(Some(stamp)), None) if stamp.kind == Kind::Dir => Details::Broken(of_entry(
                offer,
                ProblemKind::Missing,
                &no_manifest(loader, root),
            )),
            (Ok(_), fallback) => {
                let text = format!("its directory does not exist: {root}");
                let said = fallback.as_ref();
                Details::NoDirectory(
                    of_entry(offer, ProblemKind::Missing, &text),
                    said.map(|fallback| (Arc::clone(fallback), root.clone())),
                )
            }
            (Err(error), _) => {
                Details::Broken(of_entry(offer, ProblemKind::Unreadable, &error.in_full()))
            }
        },
    }
}

/// What to say of a directory without a manifest. One with a `plugin.json` at its top most often
/// meant that one, which counts only when it names its specification.
fn no_manifest(loader: &Loader, root: &AbsPath) -> String {
    let text = "it has no manifest: neither its directory nor its entry has one".to_owned();
    match plugd_manifest::plugin_file(ManifestFormat::AgentPlugins).map(|file| root.join(file)) {
        Some(unclaimed) if matches!(loader.disk().link_stamp(&unclaimed), Ok(Some(_))) => format!(
            "{text}, and `{unclaimed}` does not say by `$schema` that it follows the Agent Plugins specification"
        ),
        _ => text,
    }
}

/// A problem of what an entry leads to, at the place of its source.
fn of_entry(offer: &Offer<'_>, kind: ProblemKind, text: &str) -> Problem {
    Problem::error(kind, format!("plugin `{}`: {text}", offer.entry.name))
        .in_file(&offer.content.path)
        .at_field("source")
        .at(offer.entry.source_place)
}

/// A source that is itself a link must end inside its marketplace, or a catalog could show private
/// files. Links further up are found when it is installed.
fn stays_inside(loader: &Loader, root: &AbsPath, offer: &Offer<'_>) -> Result<(), Problem> {
    let disk = loader.disk();
    match disk.link_stamp(root) {
        Ok(Some(stamp)) if stamp.kind == Kind::Link => {}
        _ => return Ok(()),
    }
    let marketplace = disk.resolve(&offer.content.manifest.value.root);
    match (disk.resolve(root), marketplace) {
        (Ok(real), Ok(marketplace)) if !real.starts_with(&marketplace) => {
            let text = format!("its directory leads out of the marketplace through a link: {root}");
            Err(of_entry(offer, ProblemKind::BadPath, &text))
        }
        _ => Ok(()),
    }
}
