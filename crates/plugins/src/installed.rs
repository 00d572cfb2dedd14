//! `plugin/installed`: what is in the store, also when no marketplace speaks of it any more.

use std::collections::{BTreeMap, BTreeSet};

use plugd_model::{AuthPolicy, InstallPolicy, Problem, ProblemKind, Source};
use plugd_store::Installed;

use crate::listing::{ListedMarketplace, ShownInterface, Summary};
use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Listing, Lookup, Refresher, Roots};

/// Lists installed plugins, and those whose name is in `suggestions`. Orphans come last, grouped by
/// marketplace name.
///
/// # Errors
/// The store cannot be read.
pub async fn installed(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    roots: Roots,
    suggestions: BTreeSet<String>,
) -> Result<Listing, Error> {
    let (lookup, copies) = (lookup.clone(), copies.clone());
    let refresher = refresher.clone();
    blocking
        .read(move || {
            let resolved = lookup.resolve(&roots);
            if resolved.is_off() {
                return Ok(Listing::default());
            }
            let differing = refresher.differing();
            let survey = Survey::new(&lookup, copies.store()?, &resolved, &differing)?;
            let mut listing = survey.listing(|summary| {
                summary.installed || suggestions.contains(summary.id.plugin.as_str())
            });
            listing.marketplaces.extend(orphans(&lookup, &survey));
            Ok(listing)
        })
        .await
}

fn orphans(lookup: &Lookup, survey: &Survey<'_>) -> Vec<ListedMarketplace> {
    let mut groups: BTreeMap<String, Vec<Summary>> = BTreeMap::new();
    for (copy, enabled) in survey.orphans() {
        groups
            .entry(copy.id.marketplace.to_string())
            .or_default()
            .push(orphan(lookup, copy, enabled));
    }
    groups
        .into_iter()
        .map(|(name, plugins)| ListedMarketplace {
            name,
            path: None,
            display_name: None,
            plugins,
        })
        .collect()
}

fn orphan(lookup: &Lookup, copy: &Installed, enabled: bool) -> Summary {
    let loaded = lookup
        .loader()
        .plugin_named(&copy.root, copy.id.plugin.as_str())
        .ok()
        .flatten();
    let manifest = loaded.as_ref().map(|loaded| &loaded.value);
    let gone = Problem::warning(
        ProblemKind::Orphan,
        format!(
            "`{}` is installed and its marketplace no longer offers it; \
             it stays active until it is uninstalled",
            copy.id
        ),
    )
    .in_file(&copy.root);
    Summary {
        id: copy.id.clone(),
        local_version: manifest.and_then(|manifest| manifest.version.clone()),
        installed: true,
        enabled,
        source: copy.source().unwrap_or(Source::Local {
            path: copy.root.clone(),
        }),
        install_policy: InstallPolicy::NotAvailable,
        auth_policy: AuthPolicy::default(),
        interface: manifest
            .and_then(|manifest| manifest.interface.clone())
            .map(|interface| ShownInterface {
                interface,
                root: Some(copy.root.clone()),
            }),
        keywords: manifest
            .map(|manifest| manifest.keywords.clone())
            .unwrap_or_default(),
        installed_version: Some(copy.version.clone()),
        update_available: false,
        problems: vec![gone],
    }
}
