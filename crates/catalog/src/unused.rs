//! Files of accounts and services that nobody speaks for any more.
//!
//! The reference keeps one file for each account, service and kind of catalog, and never removes one;
//! so do we. Whose a file is cannot be read from its name, only whether it is that of a login that is
//! at hand.
//!
//! The rule: a file may go when it is not of the login of this home, in any scope, and was not written
//! for 30 days. Whoever uses a catalog writes its file anew every three hours, so one that is so old is
//! used by no other login, profile or program either. While the login cannot be read nothing may go.

use std::collections::BTreeSet;

use plugd_disk::{DiskError, Kind};
use plugd_model::{AbsPath, RemoteScope};

use crate::account_key::account_key;
use crate::{Access, Catalog};

/// As long a file that is not of the login of this home is left alone.
const UNTOUCHED_NS: i128 = 30 * 86_400 * 1_000_000_000;
/// How many digits the name of an account's file has.
const DIGITS: usize = 16;
/// What stands before them in files of our own.
const PREFIXES: [&str; 3] = ["", "installed-", "featured-"];

impl Catalog {
    /// The files that may go, by path. `access` is the login of this home; nothing when nobody is
    /// logged in, which the caller has to know for certain.
    ///
    /// # Errors
    /// A directory cannot be listed.
    pub fn unused_files(&self, access: Option<&Access>) -> Result<Vec<AbsPath>, DiskError> {
        let used: BTreeSet<String> = access.into_iter().flat_map(keys).collect();
        let now = self.environment.clock.now().as_nanos();
        let now = i128::try_from(now).unwrap_or(i128::MAX);
        let mut unused = Vec::new();
        let (theirs, ours) = (self.layout.catalog_cache(), self.layout.catalog_state());
        for (dir, prefixes) in [(theirs, &PREFIXES[..1]), (ours, &PREFIXES[..])] {
            let entries = match self.disk.list(&dir) {
                Ok(entries) => entries,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            for entry in entries.into_iter().filter(|entry| entry.kind == Kind::File) {
                let key = entry.name.to_str().and_then(|name| key_in(name, prefixes));
                if key.is_none_or(|key| used.contains(key)) {
                    continue;
                }
                let path = dir.join(&entry.name);
                let stamp = self.disk.link_stamp(&path)?;
                if stamp.is_some_and(|stamp| now - stamp.modified_ns > UNTOUCHED_NS) {
                    unused.push(path);
                }
            }
        }
        unused.sort();
        Ok(unused)
    }
}

/// The account that a file's name speaks of.
fn key_in<'a>(name: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    let name = name.strip_suffix(".json")?;
    let mut keys = prefixes
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix));
    keys.find(|key| key.len() == DIGITS && key.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Every name that belongs to a login. Whether its account is one of a workspace is what a token says
/// at one time, so both count.
fn keys(access: &Access) -> Vec<String> {
    let mut keys = Vec::new();
    for is_workspace in [false, true] {
        let mut access = access.clone();
        access.account.is_workspace = is_workspace;
        let scopes = RemoteScope::ALL.iter();
        keys.extend(scopes.map(|scope| account_key(&access, *scope)));
    }
    keys
}
