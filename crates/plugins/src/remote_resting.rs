//! Installed copies of the remote catalog of which nobody can tell now whether the account has them.
//!
//! They do not count until somebody can: the account may have given them up on another machine. They are
//! here all the same, so they are shown with what is known of them, and with why they rest.

use std::collections::BTreeSet;

use plugd_catalog::Availability;
use plugd_manifest::Loader;
use plugd_model::{PluginId, Problem, ProblemKind, RemoteMarketplace, Source};
use plugd_store::Installed;

use crate::listing::{ListedMarketplace, Summary};
use crate::remote_groups::group;
use crate::remote_listing::Local;
use crate::remote_row::RemoteRow;
use crate::rows::ListedPlugin;

/// Adds to the groups what lies here and is in none of them. Reads manifests.
pub(crate) fn add(
    groups: &mut Vec<ListedMarketplace>,
    loader: &Loader,
    local: &Local,
    is_open: impl Fn(RemoteMarketplace) -> bool,
    why: &str,
) {
    let rows = groups.iter().flat_map(|group| &group.plugins);
    let shown: BTreeSet<PluginId> = rows.map(|row| row.id.clone()).collect();
    for marketplace in RemoteMarketplace::ALL
        .into_iter()
        .filter(|one| is_open(*one))
    {
        let copies = local.copies.values();
        let copies = copies.filter(|copy| {
            copy.id.marketplace.as_str() == marketplace.name() && !shown.contains(&copy.id)
        });
        let rows: Vec<Summary> = copies.map(|copy| row(loader, copy, why)).collect();
        if rows.is_empty() {
            continue;
        }
        let known = groups.iter_mut().find(|one| one.name == marketplace.name());
        match known {
            Some(known) => known
                .plugins
                .extend(rows.into_iter().map(ListedPlugin::from)),
            None => groups.push(group(marketplace, rows)),
        }
    }
}

fn row(loader: &Loader, copy: &Installed, why: &str) -> Summary {
    let loaded = loader.plugin_named(&copy.root, copy.id.plugin.as_str());
    let loaded = loaded.ok().flatten();
    let manifest = loaded.as_ref().map(|loaded| &loaded.value);
    let text = format!("`{}` is installed and not used now: {why}", copy.id);
    Summary {
        local_version: Some(copy.version.to_string()),
        installed: true,
        source: Source::Remote,
        installed_version: Some(copy.version.clone()),
        remote: copy.remote().map(|id| {
            Box::new(RemoteRow {
                id: id.clone(),
                version: None,
                installed_at: None,
                install_policy_source: None,
                must_show_interstitial: None,
                availability: Availability::Available,
                disabled_reason: None,
                eligible_plan_types: None,
            })
        }),
        problems: vec![Problem::warning(ProblemKind::RemoteUnavailable, text)],
        ..Summary::unoffered(copy.id.clone(), &copy.root, manifest)
    }
}
