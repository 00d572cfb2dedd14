//! Which marketplaces are in use, usable or not, as the one resolver says.

use std::ptr;

use plugd_model::{AbsPath, Problem, Severity};
use plugd_plugins::{ConfiguredKind, Lookup, Origin, Resolved, Roots};

/// One marketplace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownMarketplace {
    /// The name in its manifest; without a usable manifest what it is configured as.
    pub(crate) name: String,
    /// Its directory, or what stands for it.
    pub(crate) root: AbsPath,
    /// Its manifest; absent when it cannot be used.
    pub(crate) path: Option<AbsPath>,
    /// What configuration says; absent for those that need none.
    pub(crate) configured: Option<ConfiguredKind>,
    /// Why it cannot be used, or what to know about it.
    pub(crate) problem: Option<Problem>,
}

impl KnownMarketplace {
    /// Whether it cannot be used.
    pub(crate) fn is_broken(&self) -> bool {
        let problem = self.problem.as_ref();
        problem.is_some_and(|problem| problem.severity == Severity::Error)
    }
}

/// Lists the marketplaces that every other command sees too, in the order of a listing. With plugins
/// switched off there is none.
pub(crate) fn marketplaces(lookup: &Lookup) -> Vec<KnownMarketplace> {
    of(lookup, &lookup.resolve(&Roots::default()))
}

/// Lists them whether or not plugins are switched on, to tell one that is not there from one that is
/// not shown.
pub(crate) fn ungated(lookup: &Lookup) -> Vec<KnownMarketplace> {
    of(lookup, &lookup.resolve_ungated(&Roots::default()))
}

/// The marketplaces of a resolved set.
pub(crate) fn of(lookup: &Lookup, resolved: &Resolved) -> Vec<KnownMarketplace> {
    let set = resolved.set.marketplaces();
    set.map(|marketplace| {
        let row = match &marketplace.origin {
            Origin::Configured { key, .. } => configured(resolved, key).map(|kind| (key, kind)),
            _ => None,
        };
        match marketplace.content() {
            Some(content) => KnownMarketplace {
                name: content.manifest.value.name.to_string(),
                root: content.manifest.value.root.clone(),
                path: Some(content.path.clone()),
                configured: row.map(|(_, kind)| kind.clone()),
                // Problems of its entries belong to a listing of plugins.
                problem: marketplace.conflict.clone(),
            },
            None => {
                let root = row
                    .and_then(|(key, kind)| kind.root(key, lookup.layout()).ok())
                    .unwrap_or_else(|| marketplace.named_by.clone());
                // Two rows of one file are named by equal paths, so it is the path itself, and not
                // what it says, that tells whose problem it is.
                let problem = resolved
                    .set
                    .problems()
                    .find(|(owner, _)| ptr::eq(*owner, &raw const marketplace.named_by));
                KnownMarketplace {
                    name: row.map_or_else(|| root.to_text(), |(key, _)| key.clone()),
                    root,
                    path: None,
                    configured: row.map(|(_, kind)| kind.clone()),
                    problem: problem.map(|(_, problem)| problem.clone()),
                }
            }
        }
    })
    .collect()
}

/// Says which of them cannot be used, if any.
pub(crate) fn unusable<'a>(known: impl Iterator<Item = &'a KnownMarketplace>) -> Option<String> {
    let names: Vec<String> = known
        .filter(|one| one.is_broken())
        .map(|one| format!("`{}`", one.name))
        .collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("the marketplace {one} cannot be used")),
        several => Some(format!(
            "the marketplaces {} cannot be used",
            several.join(", ")
        )),
    }
}

fn configured<'a>(resolved: &'a Resolved, key: &str) -> Option<&'a ConfiguredKind> {
    let rows = resolved
        .scopes
        .iter()
        .flat_map(|sight| sight.config.marketplaces());
    rows.filter(|row| row.key == key)
        .map(|row| &row.kind)
        .next()
}

#[cfg(test)]
#[path = "known_tests.rs"]
mod tests;
