//! `plugin.json` of the Agent Plugins specification 1.0.0, read strictly.
//!
//! Section 5.2 draws the line: an unknown top-level member and an `extensions` that is no object
//! are reported and ignored; every other violation rejects the plugin. So the first violation ends
//! the reading here, where the lenient formats go on.

use std::sync::Arc;

use plugd_model::{
    AbsPath, HooksDeclaration, Interface, ManifestFormat, McpDeclaration, PluginManifest,
    PluginPath, Problem, ProblemKind,
};

use crate::json::{Shape, shortened};
use crate::reader::{Object, Path, Reader, Value};
use crate::{MAX_PLUGIN_BYTES, interface, plugin};

/// The namespace below `extensions` that this daemon implements.
pub(crate) const NAMESPACE: &str = "com.openai";

/// What every schema identifier of the specification begins with.
const SCHEMA_PREFIX: &str = "https://agent-plugins.org/schemas/";
/// The one supported version (section 5.2).
pub(crate) const SCHEMA: &str = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";
/// Part of every identifier, however its slashes are escaped.
const HOST: &[u8] = b"agent-plugins.org";

const MAX_NAME_CHARS: usize = 64;

/// The top-level members that section 5.2 permits.
const MEMBERS: [&str; 10] = [
    "$schema",
    "name",
    "version",
    "description",
    "author",
    "homepage",
    "repository",
    "license",
    "keywords",
    "extensions",
];

/// Whether a `plugin.json` at a plugin's root means this specification. Other programs use the
/// same file name for their own formats.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Its `$schema` says so.
    Made,
    /// It is somebody else's file.
    NotMade,
    /// It mentions the specification, and cannot be read: the problem says why.
    Unreadable(Problem),
}

/// Looks at the `$schema` of a file.
pub(crate) fn claim(bytes: &[u8], file: &AbsPath) -> Claim {
    let schema = Reader::new(bytes, MAX_PLUGIN_BYTES, file).and_then(|mut reader| {
        let root = reader.root();
        if root.shape() != Shape::Object {
            return Ok(None);
        }
        let object = reader.object(root)?;
        let schema = object.get("$schema");
        Ok(schema.and_then(|value| reader.string(&value).ok()))
    });
    match schema {
        Ok(Some(schema)) if schema.starts_with(SCHEMA_PREFIX) => Claim::Made,
        Ok(_) => Claim::NotMade,
        Err(problem) if mentions_specification(bytes) => Claim::Unreadable(problem),
        Err(_) => Claim::NotMade,
    }
}

/// Whether a manifest of another format names the supported version of the specification, as a manifest
/// that was moved to another place does.
pub(crate) fn is_named_by(reader: &Reader<'_>, object: &Object<'_, '_>) -> bool {
    let schema = object.get("$schema");
    schema.is_some_and(|value| reader.string(&value).is_ok_and(|text| text == SCHEMA))
}

/// Whether a text names the site of the specification.
pub(crate) fn mentions_specification(bytes: &[u8]) -> bool {
    bytes.windows(HOST.len()).any(|window| window == HOST)
}

/// Reads the manifest.
///
/// # Errors
/// Any violation that section 5.2 calls fatal.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    object: &Object<'_, '_>,
) -> Result<PluginManifest, Problem> {
    // The schema selects the rules, so nothing else is judged before it.
    check_schema(reader, object)?;
    let name = read_name(reader, object)?;
    let version = string(reader, object, "version")?;
    let description = string(reader, object, "description")?;
    let author_name = read_author(reader, object)?;
    let homepage = string(reader, object, "homepage")?;
    string(reader, object, "repository")?;
    let license = string(reader, object, "license")?;
    let keywords = read_keywords(reader, object)?;
    let own = read_extensions(reader, object)?;
    for (key, value) in object.iter().filter(|(key, _)| !MEMBERS.contains(key)) {
        let key = shortened(key, MAX_NAME_CHARS);
        let message = format!(
            "the specification has no member `{}`; members of a client belong below `extensions`",
            key.escape_debug()
        );
        reader.warn(&value, ProblemKind::UnknownField, message);
    }
    let interface = own.interface.unwrap_or_else(|| Interface {
        display_name: Some(name.clone()),
        short_description: description.clone(),
        long_description: description.clone(),
        developer_name: author_name,
        category: Some("Other".to_owned()),
        website_url: homepage,
        ..Interface::default()
    });
    let version = version.map(|version| version.trim().to_owned());
    Ok(PluginManifest {
        format: ManifestFormat::AgentPlugins,
        name,
        version: version.filter(|version| !version.is_empty()),
        has_agent_plugins_schema: true,
        description,
        keywords,
        interface: Some(Arc::new(interface)),
        // Section 6.1: component locations are fixed and cannot be declared.
        skills: None,
        mcp_servers: McpDeclaration::Default,
        apps: None,
        hooks: HooksDeclaration::Nothing,
        commands: None,
        onboarding_skill: own.onboarding_skill,
        license,
    })
}

fn check_schema(reader: &Reader<'_>, object: &Object<'_, '_>) -> Result<(), Problem> {
    let value = required(reader, object, "$schema")?;
    let schema = reader.string(&value)?;
    if schema == SCHEMA {
        return Ok(());
    }
    let message = format!(
        "`{}` is not a supported version of the specification; supported is `{SCHEMA}`",
        shortened(&schema, 100).escape_debug()
    );
    Err(reader.error(&value, ProblemKind::UnsupportedSchema, message))
}

/// Section 5.5.
fn read_name(reader: &Reader<'_>, object: &Object<'_, '_>) -> Result<String, Problem> {
    let value = required(reader, object, "name")?;
    let name = reader.string(&value)?;
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let why = if name.is_empty() {
        Some("is empty")
    } else if !name
        .chars()
        .all(|c| alphanumeric(c) || matches!(c, '-' | '.'))
    {
        Some("may only have the characters a-z, 0-9, `-` and `.`")
    } else if name.len() > MAX_NAME_CHARS {
        Some("may have at most 64 characters")
    } else if !name.starts_with(alphanumeric) || !name.ends_with(alphanumeric) {
        Some("must begin and end with a letter or digit")
    } else if name.contains("--") || name.contains("..") {
        Some("may not have `--` or `..`")
    } else {
        None
    };
    match why {
        None => Ok(name),
        Some(why) => {
            let message = format!("the name {why}");
            Err(reader.error(&value, ProblemKind::BadName, message))
        }
    }
}

/// Section 5.4: only `name`, `email` and `url`, all of them strings. Returns the name.
fn read_author(
    reader: &mut Reader<'_>,
    object: &Object<'_, '_>,
) -> Result<Option<String>, Problem> {
    let Some(value) = object.get("author") else {
        return Ok(None);
    };
    let author = reader.object(value)?;
    for (key, member) in author.iter() {
        if !matches!(key, "name" | "email" | "url") {
            let message = "an author may only have `name`, `email` and `url`";
            return Err(reader.error(&member, ProblemKind::UnknownField, message));
        }
    }
    string(reader, &author, "email")?;
    string(reader, &author, "url")?;
    string(reader, &author, "name")
}

fn read_keywords(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Result<Vec<String>, Problem> {
    let Some(value) = object.get("keywords") else {
        return Ok(Vec::new());
    };
    // The file's size bounds the list, and an element behind a limit would go unchecked.
    let elements = reader.elements(&value, usize::MAX)?;
    elements
        .into_iter()
        .enumerate()
        .map(|(index, raw)| {
            let path = Path::Element(&value.path, index);
            reader.string(&Value { raw, path })
        })
        .collect()
}

/// What our own namespace says.
#[derive(Default)]
struct Own {
    interface: Option<Interface>,
    onboarding_skill: Option<PluginPath>,
}

/// Section 8.1. The values of foreign namespaces are not looked into.
fn read_extensions(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Result<Own, Problem> {
    let Some(value) = object.get("extensions") else {
        return Ok(Own::default());
    };
    if value.shape() != Shape::Object {
        let problem = reader.wrong_type(&value, "an object");
        reader.report_as_warning(problem);
        return Ok(Own::default());
    }
    let extensions = reader.object(value)?;
    for (_, namespace) in extensions.iter() {
        if namespace.shape() != Shape::Object {
            return Err(reader.wrong_type(&namespace, "an object for each namespace"));
        }
    }
    let Some(value) = extensions.get(NAMESPACE) else {
        return Ok(Own::default());
    };
    let own = reader.object(value)?;
    // What is wrong below our own namespace is ours to judge, and spoils only itself.
    let interface = own
        .get_some("interface")
        .and_then(|value| plugin::optional_object(reader, value))
        .and_then(|object| interface::read(reader, &object));
    for name in ["hooks", "apps"] {
        if let Some(value) = own.get_some(name) {
            let message = format!("`{name}` are not loaded from this format");
            reader.warn(&value, ProblemKind::UnknownField, message);
        }
    }
    Ok(Own {
        interface,
        onboarding_skill: plugin::path(reader, &own, "onboardingSkill"),
    })
}

fn required<'d, 'o>(
    reader: &Reader<'_>,
    object: &'o Object<'d, '_>,
    name: &'o str,
) -> Result<Value<'d, 'o>, Problem> {
    object.get(name).ok_or_else(|| {
        let message = format!("the manifest has no `{name}`");
        reader
            .error(&object.value, ProblemKind::MissingField, message)
            .at_field(name)
    })
}

/// An optional string; here `null` is a wrong type too.
fn string(
    reader: &Reader<'_>,
    object: &Object<'_, '_>,
    name: &str,
) -> Result<Option<String>, Problem> {
    object
        .get(name)
        .map(|value| reader.string(&value))
        .transpose()
}

#[cfg(test)]
mod tests;
