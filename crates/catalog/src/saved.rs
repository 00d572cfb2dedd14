//! What the service said last and the reference keeps in memory only: the account's installed plugins,
//! and the featured ones.
//!
//! They make a start without a network possible. Each file belongs to one account at one service, so
//! whoever logs in as somebody else is not shown what was another's. Reading never fails as a whole.

use plugd_disk::DiskError;
use plugd_model::{AbsPath, RemoteScope};
use serde_json::json;

use crate::account_key::account_key;
use crate::cache::{
    FORMAT, Kept, check_format, fetched_at, in_file, plugins, read_kept, read_validators,
    write_private,
};
use crate::json_text::pretty;
use crate::{Access, Catalog, InstalledSet, Validators};

/// The featured plugins as they were read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFeatured {
    /// Their ids, as the service wrote them.
    pub ids: Vec<String>,
    /// When that was, in seconds since the Unix epoch, where the file says so.
    pub fetched_at: Option<i64>,
    /// What to ask the service with whether it still holds.
    pub validators: Option<Validators>,
}

impl Catalog {
    /// The file that keeps the installed set, for problems that speak of it.
    #[must_use]
    pub fn installed_file(&self, access: &Access) -> AbsPath {
        self.saved_file(access, "installed")
    }

    /// Reads the last complete installed set of this account. Where a piece of it cannot be read any
    /// more, the rest is there and the set says that it is not complete.
    #[must_use]
    pub fn saved_installed(&self, access: &Access) -> Kept<InstalledSet> {
        let path = self.installed_file(access);
        read_kept(&self.disk, &path, |file, text, _| {
            check_format(file, "version")?;
            let mut set = InstalledSet::of_file(plugins(file)?, text)?;
            set.problems = in_file(set.problems, &path);
            Ok(set)
        })
    }

    /// Keeps an installed set; answers whether it did: an incomplete one is not kept.
    ///
    /// # Errors
    /// The system refuses; what was kept before is there still then.
    pub fn save_installed(&self, access: &Access, set: &InstalledSet) -> Result<bool, DiskError> {
        if !set.complete {
            return Ok(false);
        }
        let items: Vec<_> = set.items.iter().map(|one| one.item.json()).collect();
        let text = pretty(&format!(
            r#"{{"version":{FORMAT},"fetched_at":"{}","plugins":[{}]}}"#,
            self.now(),
            items.join(","),
        ));
        write_private(
            &self.disk,
            &self.installed_file(access),
            &format!("{text}\n"),
        )?;
        Ok(true)
    }

    /// Reads the featured plugins that this account was shown last.
    #[must_use]
    pub fn saved_featured(&self, access: &Access) -> Kept<SavedFeatured> {
        let path = self.saved_file(access, "featured");
        read_kept(&self.disk, &path, |file, _, notes| {
            check_format(file, "version")?;
            Ok(SavedFeatured {
                ids: file.needed("ids", file.texts("ids"))?,
                fetched_at: fetched_at(file, notes),
                validators: read_validators(file),
            })
        })
    }

    /// Keeps the featured plugins. To be called with what was kept when nothing has changed, too.
    ///
    /// # Errors
    /// The system refuses; what was kept before is there still then.
    pub fn save_featured(
        &self,
        access: &Access,
        ids: &[String],
        validators: Option<&Validators>,
    ) -> Result<(), DiskError> {
        let text = json!({
            "version": 1,
            "fetched_at": self.now(),
            "ids": ids,
            "etag": validators.and_then(|found| found.etag.as_deref()),
            "last_modified": validators.and_then(|found| found.last_modified.as_deref()),
        });
        let path = self.saved_file(access, "featured");
        write_private(&self.disk, &path, &format!("{text:#}\n"))
    }

    fn saved_file(&self, access: &Access, what: &str) -> AbsPath {
        let key = account_key(access, RemoteScope::Global);
        self.layout
            .catalog_state()
            .join(format!("{what}-{key}.json"))
    }
}

#[cfg(test)]
#[path = "saved_tests.rs"]
mod tests;
