//! What lies in the cache under the names of the hosted catalog's marketplaces.
//!
//! A synchronisation removes what the service no longer has. What it may take for its own are the
//! copies for which [`Installed::remote`] knows an id; everything else there belongs to somebody and
//! is only told.

use plugd_disk::Kind;
use plugd_model::{AbsPath, MarketplaceName, PluginId, PluginName, Problem, RemoteMarketplace};

use crate::installed::is_staging_of_the_reference;
use crate::{Installed, Store, StoreError};

/// Something in a marketplace's directory that is no installed copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Where it lies.
    pub path: AbsPath,
    /// What it is; a link counts as itself.
    pub kind: Kind,
}

impl Store {
    /// The installed copies below the names of the hosted catalog's marketplaces, with and without a
    /// sidecar, sorted by id; and what is wrong there. Other marketplaces are not looked at.
    ///
    /// # Errors
    /// The cache cannot be read, so it is not known what there is.
    pub fn remote_copies(&self) -> Result<(Vec<Installed>, Vec<Problem>), StoreError> {
        let glance = self.glance();
        let (mut copies, mut problems) = (Vec::new(), Vec::new());
        for name in RemoteMarketplace::cache_names() {
            self.copies_of(&glance, &name, &mut copies, &mut problems)?;
        }
        copies.sort_by(|left, right| left.id.cmp(&right.id));
        Ok((copies, problems))
    }

    /// What lies in a marketplace's directory and is no installed copy: files, links, directories
    /// without a version or with a name that no plugin has. Sorted by path. Directories in which the
    /// reference is just making a copy are left out.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn strays(&self, marketplace: &MarketplaceName) -> Result<Vec<Stray>, StoreError> {
        let dir = self.layout().cache().join(marketplace.as_str());
        let mut strays = Vec::new();
        for entry in self.entries_in(&dir)? {
            let name = entry.name.to_str().unwrap_or_default();
            if entry.kind == Kind::Dir && is_staging_of_the_reference(name) {
                continue;
            }
            if entry.kind == Kind::Dir
                && let Ok(plugin) = PluginName::new(name)
            {
                let id = PluginId {
                    plugin,
                    marketplace: marketplace.clone(),
                };
                if self.get(&id)?.is_some() {
                    continue;
                }
            }
            strays.push(Stray {
                path: dir.join(&entry.name),
                kind: entry.kind,
            });
        }
        strays.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(strays)
    }
}

#[cfg(test)]
#[path = "remote_copies_tests.rs"]
mod tests;
