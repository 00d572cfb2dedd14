//! One entry of a marketplace.

use plugd_model::{AbsPath, PluginName, Problem, ProblemKind};

use crate::json::shortened;
use crate::marketplace::MarketplaceEntry;
use crate::reader::{Object, Reader, Value};
use crate::{fallback, plugin, policy, source};

/// Reads an entry without its fallback, and tells whether it has one. Members that can be done without
/// are reported and left out.
///
/// From here on the reader's problems name the plugin; the caller resets that.
///
/// # Errors
/// The entry cannot be listed: it is no object, or its name or source is missing or bad.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    value: Value<'_, '_>,
    root: Option<&AbsPath>,
) -> Result<(MarketplaceEntry, bool), Problem> {
    let entry = reader.object(value)?;
    let name = read_name(reader, &entry)?;
    reader.set_subject(Some(fallback::subject(&name)));
    let source_value = entry.get("source").ok_or_else(|| {
        reader
            .error(
                &value,
                ProblemKind::MissingField,
                "the entry has no `source`",
            )
            .at_field(format!("{}.source", value.path))
    })?;
    let source_place = reader.place(&source_value);
    let source = source::read(reader, source_value, root)?;
    let policy = policy::read(reader, &entry);
    let category = reader.optional_string(&entry, "category");
    // Whoever reads the fallback tells what is wrong with it.
    let version = reader.quietly(|reader| plugin::version(reader, &entry));
    let says_something = fallback::says_something(&entry, category.as_deref());
    let entry = MarketplaceEntry {
        name,
        source,
        install_policy: policy.install,
        auth_policy: policy.auth,
        products: policy.products,
        category,
        version,
        fallback: None,
        place: reader.place(&value),
        source_place,
    };
    Ok((entry, says_something))
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
