//! Marketplace manifests: the file as a whole. Its entries are read in [`crate::entry`].
//!
//! Only what leaves nothing to list makes the file unusable: no JSON object, no legal name, no
//! array of plugins.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_model::{
    AbsPath, AuthPolicy, InstallPolicy, MarketplaceName, Place, PluginName, Problem, ProblemKind,
    Product, Source,
};

use crate::fallback::Fallback;
use crate::reader::{Object, Path, Reader, Value};
use crate::{MAX_MARKETPLACE_BYTES, entry, locate};

/// How many entries one marketplace may have.
const MAX_ENTRIES: usize = 100_000;

/// A marketplace as its manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketplaceManifest {
    /// Its legal name. Whether a reserved one may stand here is decided by whoever knows the place.
    pub name: MarketplaceName,
    /// The name to show.
    pub display_name: Option<String>,
    /// The directory that local sources are relative to: the manifest's path without the part that
    /// makes it a marketplace's, or its own directory when it lies elsewhere.
    pub root: AbsPath,
    /// The usable entries in the order of the file; each name occurs once.
    pub entries: Vec<MarketplaceEntry>,
}

/// One plugin that a marketplace offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketplaceEntry {
    /// The plugin's name in this marketplace.
    pub name: PluginName,
    /// Where its content comes from. A local directory lies inside the marketplace as far as its
    /// text tells; links are not resolved.
    pub source: Source,
    /// Whether it may be installed.
    pub install_policy: InstallPolicy,
    /// When its apps ask for their login.
    pub auth_policy: AuthPolicy,
    /// The products it is for: `None` means all, and an empty list none.
    pub products: Option<Vec<Product>>,
    /// Where it is filed; wins over the plugin's own category.
    pub category: Option<String>,
    /// The version that the entry itself declares, trimmed.
    pub version: Option<String>,
    /// What stands in for a manifest when the plugin has none.
    pub fallback: Option<Arc<Fallback>>,
    /// Where the entry begins.
    pub place: Place,
    /// Where its source begins.
    pub source_place: Place,
}

/// Reads a marketplace manifest.
///
/// The problems speak of entries that are left out (errors) and of members that are ignored
/// (warnings). Each has the member's path, line and column.
///
/// # Errors
/// The file as a whole is unusable: too large, too deep, no UTF-8, a byte order mark, no JSON
/// object, or without a legal name or an array of plugins.
pub fn parse_marketplace(
    bytes: &[u8],
    file: &AbsPath,
) -> Result<(MarketplaceManifest, Vec<Problem>), Problem> {
    let mut reader = Reader::new(bytes, MAX_MARKETPLACE_BYTES, file)?;
    let top = reader.object(reader.root())?;
    let name = read_name(&reader, &top)?;
    let display_name = read_display_name(&mut reader, &top);
    let plugins = top
        .get("plugins")
        .ok_or_else(|| missing(&reader, &top, "plugins"))?;
    let root = locate::marketplace_root(file);
    let entries = read_entries(&mut reader, &plugins, root.as_ref())?;
    let beside = || file.parent().unwrap_or_else(|| file.clone());
    let manifest = MarketplaceManifest {
        name,
        display_name,
        root: root.unwrap_or_else(beside),
        entries,
    };
    Ok((manifest, reader.finish()))
}

fn read_name(reader: &Reader<'_>, top: &Object<'_, '_>) -> Result<MarketplaceName, Problem> {
    let value = top
        .get("name")
        .ok_or_else(|| missing(reader, top, "name"))?;
    let text = reader.string(&value)?;
    MarketplaceName::new(&text).map_err(|error| reader.error(&value, ProblemKind::BadName, error))
}

fn read_display_name(reader: &mut Reader<'_>, top: &Object<'_, '_>) -> Option<String> {
    let value = top.get_some("interface")?;
    let read = reader.object(value).and_then(|interface| {
        let name = interface.get_some("displayName");
        name.map(|name| reader.string(&name)).transpose()
    });
    read.unwrap_or_else(|problem| {
        reader.report_as_warning(problem);
        None
    })
}

fn read_entries(
    reader: &mut Reader<'_>,
    plugins: &Value<'_, '_>,
    root: Option<&AbsPath>,
) -> Result<Vec<MarketplaceEntry>, Problem> {
    let elements = reader.elements(plugins, MAX_ENTRIES)?;
    let mut catalogue = None;
    let mut entries: Vec<MarketplaceEntry> = Vec::with_capacity(elements.len());
    let mut names = BTreeSet::new();
    for (index, raw) in elements.into_iter().enumerate() {
        let value = Value {
            raw,
            path: Path::Element(&plugins.path, index),
        };
        let read = entry::read(reader, value, root);
        reader.set_subject(None);
        match read {
            Ok((mut entry, says_something)) if names.insert(entry.name.clone()) => {
                entry.fallback = says_something.then(|| {
                    let catalogue = catalogue.get_or_insert_with(|| Arc::new(reader.catalogue()));
                    let name = entry.name.clone();
                    let range = reader.range(&value);
                    let fallback =
                        Fallback::new(Arc::clone(catalogue), name, range, index, entry.place);
                    Arc::new(fallback)
                });
                entries.push(entry);
            }
            Ok((entry, _)) => {
                let problem = reader.error(
                    &value,
                    ProblemKind::Duplicate,
                    format_args!("an earlier entry has the name `{}`; it counts", entry.name),
                );
                reader.report(problem);
            }
            Err(problem) => reader.report(problem),
        }
    }
    Ok(entries)
}

fn missing(reader: &Reader<'_>, top: &Object<'_, '_>, name: &str) -> Problem {
    let message = format!("the marketplace has no `{name}`");
    reader
        .error(&top.value, ProblemKind::MissingField, message)
        .at_field(name)
}

#[cfg(test)]
mod tests;
