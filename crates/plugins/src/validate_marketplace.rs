//! `plugd validate` of a marketplace and of the plugins that lie in it.

use std::collections::HashMap;

use plugd_components::{MemberPlaces, marketplace_findings};
use plugd_manifest::{Loader, unclaimed};
use plugd_marketplace::{Binding, Content, Marketplace, Offer, Origin, State};
use plugd_model::{AbsPath, Place, Problem, ProblemKind, Source, error_chain};

use crate::Error;
use crate::details::details_of_dir;
use crate::fetcher::Repository;
use crate::listing::Details;
use crate::obtain;
use crate::validate::{Validated, ValidatedKind, inside, text_of};

/// A marketplace, then the plugins that lie in it.
pub(crate) fn marketplace(loader: &Loader, file: &AbsPath) -> Vec<Validated> {
    let mut subject = Validated {
        kind: ValidatedKind::Marketplace,
        name: None,
        path: file.clone(),
        format: None,
        problems: Vec::new(),
    };
    let loaded = match loader.marketplace(file) {
        Ok(loaded) => loaded,
        Err(problem) => {
            subject.problems.push(problem);
            return vec![subject];
        }
    };
    let name = &loaded.value.name;
    subject.name = Some(name.to_string());
    subject.problems.extend(loaded.problems.iter().cloned());
    if name.is_reserved() {
        let text = format!("the name `{name}` is reserved; give the marketplace another one");
        let problem = Problem::error(ProblemKind::ReservedName, text);
        subject
            .problems
            .push(problem.in_file(file).at_field("name"));
    }
    let text = text_of(loader.disk(), file).unwrap_or_default();
    subject.problems.extend(marketplace_findings(&text, file));
    let content = Content {
        path: file.clone(),
        manifest: loaded.clone(),
        binding: Binding::Manifest(file.clone()),
    };
    let whole = Marketplace {
        origin: Origin::Request { index: 0 },
        named_by: file.clone(),
        state: State::Loaded(content.clone()),
        notes: Vec::new(),
        conflict: None,
    };
    let mut plugins = Vec::new();
    for entry in &loaded.value.entries {
        let offer = Offer {
            marketplace: &whole,
            content: &content,
            entry,
        };
        match &entry.source {
            Source::Local { path } => match offered(loader, &offer, path) {
                Ok(plugin) => plugins.push(plugin),
                Err(problem) => subject.problems.push(problem),
            },
            Source::Git {
                url, ref_name, sha, ..
            } => {
                let address = Repository::new(url, ref_name.as_deref(), sha.as_deref());
                subject
                    .problems
                    .extend(address.err().map(|error| bad_source(&offer, &error)));
            }
            Source::Npm { .. } | Source::Oci { .. } | Source::Archive { .. } | Source::Remote => {}
        }
    }
    let mut subjects = vec![subject];
    subjects.extend(plugins);
    if let Some(places) = MemberPlaces::of(&text) {
        for subject in &mut subjects {
            point_to_members(&mut subject.problems, file, &places);
        }
    }
    subjects
}

/// Problems of entries name a member of the entry and the place of the whole entry, or of its source.
/// Here they get the member's full name, and its place.
fn point_to_members(problems: &mut [Problem], file: &AbsPath, places: &MemberPlaces<'_>) {
    let entries = places.entries();
    let index: HashMap<Place, usize> = entries
        .iter()
        .enumerate()
        .flat_map(|(index, one)| {
            let places = [Some(one.entry), one.source].into_iter().flatten();
            places.map(move |place| (place, index))
        })
        .collect();
    for problem in problems {
        let (Some(path), Some(field), Some(place)) = (&problem.path, &problem.field, problem.place)
        else {
            continue;
        };
        if path == file
            && !field.starts_with("plugins[")
            && let Some(&index) = index.get(&place)
        {
            let field = format!("plugins[{index}].{field}");
            let found = match field.ends_with("].source") {
                true => entries[index].source,
                false => places.find(&field),
            };
            problem.place = found.or(problem.place);
            problem.field = Some(field);
        }
    }
}

/// A plugin in the directory that an entry names.
///
/// # Errors
/// The entry leads to no directory of its marketplace.
fn offered(loader: &Loader, offer: &Offer<'_>, path: &AbsPath) -> Result<Validated, Problem> {
    let marketplace = &offer.content.manifest.value.root;
    let details = details_of_dir(loader, path, offer);
    if let Details::NoDirectory(problem, _) | Details::Outside(problem) = details {
        return Err(problem);
    }
    obtain::local(loader.disk(), offer.id(), marketplace, path)
        .map_err(|error| bad_source(offer, &error))?;
    let mut subject = Validated {
        kind: ValidatedKind::Plugin,
        name: Some(offer.entry.name.to_string()),
        path: path.clone(),
        format: None,
        problems: Vec::new(),
    };
    let (manifest, file) = match &details {
        Details::Manifest(loaded, _) => {
            subject.problems.extend(loaded.problems.iter().cloned());
            (&loaded.value, &loaded.file)
        }
        Details::Fallback(fallback, _) => {
            subject.problems.extend(fallback.problems().iter().cloned());
            (fallback.manifest(), &offer.content.path)
        }
        Details::Broken(problem) => {
            subject.problems.push(problem.clone());
            if let Ok(None) = loader.plugin(path) {
                let lacking = unclaimed(loader.disk(), path).map(|one| one.problem);
                subject.problems.extend(lacking);
            }
            return Ok(subject);
        }
        Details::NotHere | Details::NoDirectory(..) | Details::Outside(_) => return Ok(subject),
    };
    let name = offer.entry.name.as_str();
    if manifest.name != name {
        let text = format!(
            "the manifest calls the plugin `{}` and its entry `{name}`, so it cannot be \
             installed; give both the same name",
            manifest.name.escape_debug()
        );
        let problem = Problem::error(ProblemKind::NameMismatch, text);
        subject
            .problems
            .push(problem.in_file(file).at_field("name"));
    }
    let said = match &details {
        Details::Fallback(fallback, _) => Some(fallback.json()),
        _ => None,
    };
    inside(&mut subject, loader, manifest, file, &offer.id(), said);
    let file = &offer.content.path;
    for problem in &mut subject.problems {
        if said.is_some() && problem.path.is_none() && problem.field.is_some() {
            problem.path = Some(file.clone());
        }
        // In the file of the marketplace its members are those of the entry.
        if problem.place.is_none() && problem.path.as_ref() == Some(file) {
            problem.place = Some(offer.entry.place);
        }
    }
    Ok(subject)
}

/// A source that nothing can be installed from, at its place.
fn bad_source(offer: &Offer<'_>, error: &Error) -> Problem {
    let text = format!("plugin `{}`: {}", offer.entry.name, error_chain(error));
    Problem::error(ProblemKind::BadSource, text)
        .in_file(&offer.content.path)
        .at_field("source")
        .at(offer.entry.source_place)
}
