//! Linked plugins that no marketplace of a request offers, as rows of a listing. They stand at its end,
//! grouped by the marketplace of their ids, which need not exist.

use std::collections::BTreeMap;

use plugd_model::{AbsPath, PluginId, Severity};

use crate::Listing;
use crate::links;
use crate::listing::{ListedMarketplace, LoadError, Summary};
use crate::rows::ListedPlugin;
use crate::survey::Survey;

impl Survey<'_> {
    /// Adds them.
    pub(crate) fn add_linked(&self, listing: &mut Listing) {
        if self.links().rows.is_empty() {
            return;
        }
        let offered = self.offered();
        let mut groups: BTreeMap<String, Vec<ListedPlugin>> = BTreeMap::new();
        for (id, path) in &self.links().rows {
            if offered.contains(id) {
                continue;
            }
            let row = self.linked_row(id, path);
            let broken = row.problems.iter();
            let broken = broken.filter(|problem| problem.severity == Severity::Error);
            listing.load_errors.extend(broken.map(|problem| LoadError {
                marketplace_path: path.clone(),
                problem: problem.clone(),
            }));
            let group = groups.entry(id.marketplace.to_string()).or_default();
            group.push(row.into());
        }
        let groups = groups.into_iter();
        listing
            .marketplaces
            .extend(groups.map(|(name, plugins)| ListedMarketplace {
                name,
                path: None,
                display_name: None,
                plugins,
            }));
    }

    /// The row of a linked plugin, as it is when nobody offers it.
    pub(crate) fn linked_row(&self, id: &PluginId, path: &AbsPath) -> Summary {
        let details = links::details(self.loader(), id, path);
        let manifest = details.manifest();
        let copy = self.copy(id);
        let forbidden = self.forbids_tree(path);
        Summary {
            installed: copy.is_some(),
            enabled: self.setting(id).unwrap_or(true),
            installed_version: copy.map(|copy| copy.version.clone()),
            linked: Some(path.clone()),
            problems: forbidden.into_iter().chain(details.problems()).collect(),
            ..Summary::unoffered(id.clone(), path, manifest)
        }
    }
}
