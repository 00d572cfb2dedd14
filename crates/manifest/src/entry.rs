//! One entry of a marketplace.

use plugd_model::{AbsPath, PluginName, Problem, ProblemKind};

use crate::json::shortened;
use crate::marketplace::MarketplaceEntry;
use crate::reader::{Object, Reader, Value};
use crate::{fallback, policy, source};

/// Reads an entry. Members that can be done without are reported and left out.
///
/// From here on the reader's problems name the plugin; the caller resets that.
///
/// # Errors
/// The entry cannot be listed: it is no object, or its name or source is missing or bad.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    value: Value<'_, '_>,
    root: Option<&AbsPath>,
) -> Result<MarketplaceEntry, Problem> {
    let entry = reader.object(value)?;
    let name = read_name(reader, &entry)?;
    reader.set_subject(Some(format!("plugin `{name}`")));
    let source_value = entry.get("source").ok_or_else(|| {
        reader
            .error(
                &value,
                ProblemKind::MissingField,
                "the entry has no `source`",
            )
            .at_field(format!("{}.source", value.path))
    })?;
    let source = source::read(reader, source_value, root)?;
    let policy = policy::read(reader, &entry);
    let category = reader.optional_string(&entry, "category");
    let fallback = fallback::read(reader, &entry, &name, category.as_deref())?;
    let version = fallback
        .as_ref()
        .and_then(|fallback| fallback.manifest.version.clone());
    Ok(MarketplaceEntry {
        name,
        source,
        install_policy: policy.install,
        auth_policy: policy.auth,
        products: policy.products,
        category,
        version,
        fallback,
        place: reader.place(&value),
    })
}

fn read_name(reader: &Reader<'_>, entry: &Object<'_, '_>) -> Result<PluginName, Problem> {
    let Some(value) = entry.get("name") else {
        return Err(reader
            .error(
                &entry.value,
                ProblemKind::MissingField,
                "the entry has no `name`",
            )
            .at_field(format!("{}.name", entry.value.path)));
    };
    let text = reader.string(&value)?;
    PluginName::new(&text).map_err(|error| {
        reader.error(
            &value,
            ProblemKind::BadName,
            shortened(&error.to_string(), 300),
        )
    })
}
