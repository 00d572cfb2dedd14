//! `plugin/read` of a linked plugin that no marketplace offers, which is named by its id alone.

use plugd_model::PluginId;

use crate::call::Call;
use crate::differing::Differing;
use crate::links;
use crate::listing::Details;
use crate::lookup::Roots;
use crate::read::{Found, adorn, describe};
use crate::reading::Reading;
use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Lookup};

/// Reads the working tree that stands in for a plugin; nothing when none does.
///
/// # Errors
/// Plugins are switched off, or the tree cannot be used.
pub async fn read_linked(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    marketplace: &str,
    plugin: &str,
) -> Result<Option<Reading>, Error> {
    let Ok(id) = PluginId::parse(&format!("{plugin}@{marketplace}")) else {
        return Ok(None);
    };
    let found = {
        let (lookup, copies) = (lookup.clone(), copies.clone());
        blocking.read(move || look(&lookup, &copies, id)).await?
    };
    match found {
        Some(found) => adorn(call, lookup, found).await.map(Some),
        None => Ok(None),
    }
}

fn look(lookup: &Lookup, copies: &Copies, id: PluginId) -> Result<Option<Found>, Error> {
    let links = lookup.links();
    let Some(path) = links.of_plugin(&id) else {
        return Ok(None);
    };
    let resolved = lookup.resolve(&Roots::default());
    if resolved.is_off() {
        return Err(Error::PluginsDisabled);
    }
    let none = Differing::default();
    let survey = Survey::of_one(lookup, copies.store()?, &resolved, &none, &id);
    let summary = survey.linked_row(&id, path);
    let mut reading = Reading::of(id.marketplace.to_string(), None, summary);
    reading.problems.extend_from_slice(survey.store_problems());
    match links::details(lookup.loader(), &id, path) {
        Details::Manifest(loaded, root) => {
            let apps = describe(&mut reading, lookup, &resolved, &loaded.value, &root);
            Ok(Some(Found::of(reading, apps, lookup, &resolved)))
        }
        Details::Broken(problem) => Err(Error::BadManifest {
            id,
            problem: Box::new(problem),
        }),
        _ => Ok(None),
    }
}
