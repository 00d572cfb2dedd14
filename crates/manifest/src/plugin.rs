//! Plugin manifests of the lenient formats: a member with a wrong type is reported and counts as
//! absent, the plugin stays usable. The strict format is read in [`crate::agent_plugins`].
//!
//! What a member that is absent means (the default skills directory, say) is decided by the reader
//! of components, not here.

use std::sync::Arc;

use plugd_model::{
    AbsPath, HooksDeclaration, ManifestFormat, McpDeclaration, PluginManifest, PluginPath, Problem,
    ProblemKind,
};

use crate::json::Shape;
use crate::reader::{Object, Path, Reader, Value};
use crate::{MAX_PLUGIN_BYTES, agent_plugins, interface};

/// How many elements a list of a manifest may have.
const MAX_ELEMENTS: usize = 1_000;

/// The members that are read, for finding misspelt ones.
const KNOWN: &[&str] = &[
    "name",
    "version",
    "description",
    "keywords",
    "skills",
    "mcpServers",
    "apps",
    "hooks",
    "commands",
    "interface",
    "extensions",
    "license",
];

/// Reads a plugin manifest of a known format.
///
/// `dir_name` is the name of the plugin's directory; it becomes the plugin's name when the manifest
/// declares none. The problems beside the manifest spoil only what they name.
///
/// # Errors
/// The file as a whole is unusable: too large, too deep, no UTF-8, a byte order mark, no JSON
/// object, or a name that is no string. In the Agent Plugins format also everything that its
/// specification calls fatal.
pub fn parse_plugin(
    bytes: &[u8],
    format: ManifestFormat,
    dir_name: &str,
    file: &AbsPath,
) -> Result<(PluginManifest, Vec<Problem>), Problem> {
    let mut reader = Reader::new(bytes, MAX_PLUGIN_BYTES, file)?;
    let root = reader.root();
    let object = reader.object(root)?;
    let manifest = match format {
        ManifestFormat::AgentPlugins => agent_plugins::read(&mut reader, &object)?,
        ManifestFormat::Codex
        | ManifestFormat::Claude
        | ManifestFormat::Cursor
        | ManifestFormat::Fallback => read(&mut reader, &object, format, dir_name)?,
    };
    Ok((manifest, reader.finish()))
}

/// Reads the members of a lenient manifest.
///
/// # Errors
/// The name is there and no string.
fn read(
    reader: &mut Reader<'_>,
    object: &Object<'_, '_>,
    format: ManifestFormat,
    dir_name: &str,
) -> Result<PluginManifest, Problem> {
    let name = match object.get("name") {
        Some(value) => reader.string(&value)?,
        None => String::new(),
    };
    let name = match name.trim() {
        "" => dir_name.to_owned(),
        _ => name,
    };
    Ok(read_named(reader, object, format, name))
}

/// The same for a plugin whose name is known.
pub(crate) fn read_named(
    reader: &mut Reader<'_>,
    object: &Object<'_, '_>,
    format: ManifestFormat,
    name: String,
) -> PluginManifest {
    report_misspelt(reader, object, KNOWN, |_| false);
    let interface = object
        .get_some("interface")
        .and_then(|value| optional_object(reader, value))
        .and_then(|object| interface::read(reader, &object))
        .map(Arc::new);
    PluginManifest {
        format,
        name,
        version: version(reader, object),
        has_agent_plugins_schema: agent_plugins::is_named_by(reader, object),
        description: reader.optional_string(object, "description"),
        keywords: strings(reader, object, "keywords"),
        interface,
        skills: paths(reader, object, "skills", NoPath::Default),
        mcp_servers: mcp_servers(reader, object),
        apps: path(reader, object, "apps"),
        hooks: hooks(reader, object),
        commands: commands(reader, object),
        onboarding_skill: onboarding_skill(reader, object),
        license: reader.optional_string(object, "license"),
    }
}

/// The version, trimmed. A blank one is absent: a directory cannot be named by it.
pub(crate) fn version(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Option<String> {
    let text = reader.optional_string(object, "version")?;
    let trimmed = text.trim();
    if trimmed.is_empty()
        && let Some(value) = object.get("version")
    {
        let message = "the version is blank and counts as absent";
        reader.warn(&value, ProblemKind::BadVersion, message);
        return None;
    }
    Some(trimmed.to_owned())
}

/// A list of strings; a wrong element is reported and left out.
pub(crate) fn strings(reader: &mut Reader<'_>, object: &Object<'_, '_>, name: &str) -> Vec<String> {
    let Some(value) = object.get_some(name) else {
        return Vec::new();
    };
    if value.shape() != Shape::Array {
        let problem = reader.wrong_type(&value, "an array of strings");
        reader.report_as_warning(problem);
        return Vec::new();
    }
    let mut texts = Vec::new();
    for element in elements(reader, &value, MAX_ELEMENTS) {
        match reader.string(&element) {
            Ok(text) => texts.push(text),
            Err(problem) => reader.report_as_warning(problem),
        }
    }
    texts
}

/// The elements of an array with their places; what is no array is reported and has none.
pub(crate) fn elements<'d, 'v>(
    reader: &mut Reader<'_>,
    value: &'v Value<'d, '_>,
    limit: usize,
) -> Vec<Value<'d, 'v>> {
    match reader.elements(value, limit) {
        Ok(elements) => elements
            .into_iter()
            .enumerate()
            .map(|(index, raw)| Value {
                raw,
                path: Path::Element(&value.path, index),
            })
            .collect(),
        Err(problem) => {
            reader.report_as_warning(problem);
            Vec::new()
        }
    }
}

/// A member that is a path below the plugin's root; a bad one is reported and absent.
pub(crate) fn path(
    reader: &mut Reader<'_>,
    object: &Object<'_, '_>,
    name: &str,
) -> Option<PluginPath> {
    let value = object.get_some(name)?;
    path_of(reader, &value)
}

/// A value that is a path below the plugin's root; a bad one is reported and absent.
pub(crate) fn path_of(reader: &mut Reader<'_>, value: &Value<'_, '_>) -> Option<PluginPath> {
    let text = match reader.string(value) {
        Ok(text) => text,
        Err(problem) => {
            reader.report_as_warning(problem);
            return None;
        }
    };
    let path = PluginPath::parse(&text);
    if path.is_none() {
        let message = match text.starts_with(".//") {
            true => {
                "expected a path below the plugin's directory, with one `/` behind the first `.`"
            }
            false => "expected a path below the plugin's directory that begins with `./`",
        };
        reader.warn(value, ProblemKind::BadPath, message);
    }
    path
}

/// The files and directories of commands. What is declared counts instead of the default also when
/// nothing of it can be used: an author who writes `[]` has none.
fn commands(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Option<Vec<PluginPath>> {
    object.get_some("commands")?;
    let declared = paths(reader, object, "commands", NoPath::Nothing);
    Some(declared.unwrap_or_default())
}

/// What a list without a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoPath {
    Default,
    Nothing,
}

/// One path or a list of them. Bad paths are left out; a list with an element of another type, and
/// one of which nothing is left, has none.
fn paths(
    reader: &mut Reader<'_>,
    object: &Object<'_, '_>,
    name: &str,
    no_path: NoPath,
) -> Option<Vec<PluginPath>> {
    let value = object.get_some(name)?;
    match value.shape() {
        Shape::String => path_of(reader, &value).map(|path| vec![path]),
        Shape::Array => {
            let elements = elements(reader, &value, MAX_ELEMENTS);
            let stranger = elements.iter().find(|e| e.shape() != Shape::String);
            if let Some(stranger) = stranger {
                let problem = reader.wrong_type(stranger, "a path");
                reader.report_as_warning(problem);
                return None;
            }
            if elements.is_empty() && no_path == NoPath::Default {
                let message = "the list is empty, so the default counts";
                reader.warn(&value, ProblemKind::BadValue, message);
            }
            let paths: Vec<_> = elements
                .iter()
                .filter_map(|element| path_of(reader, element))
                .collect();
            (!paths.is_empty()).then_some(paths)
        }
        _ => {
            let problem = reader.wrong_type(&value, "a path or an array of paths");
            reader.report_as_warning(problem);
            None
        }
    }
}

fn mcp_servers(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> McpDeclaration {
    let Some(value) = object.get_some("mcpServers") else {
        return McpDeclaration::Default;
    };
    match value.shape() {
        Shape::String => {
            path_of(reader, &value).map_or(McpDeclaration::Default, McpDeclaration::File)
        }
        Shape::Object => McpDeclaration::Inline(value.raw.to_owned()),
        _ => {
            let problem = reader.wrong_type(&value, "a path or an object of servers");
            reader.report_as_warning(problem);
            McpDeclaration::Default
        }
    }
}

fn hooks(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> HooksDeclaration {
    let Some(value) = object.get_some("hooks") else {
        return HooksDeclaration::Default;
    };
    match value.shape() {
        Shape::String | Shape::Object => {}
        Shape::Array => {
            let elements = elements(reader, &value, MAX_ELEMENTS);
            return hooks_list(reader, &value, &elements);
        }
        _ => {
            let problem = reader.wrong_type(&value, "a path, an object, or an array of either");
            reader.report_as_warning(problem);
            return HooksDeclaration::Default;
        }
    }
    hooks_list(reader, &value, &[value])
}

/// Paths or inline objects, but not both. One element of a wrong shape spoils the member, because
/// hooks that run only in part are worse than the default ones.
fn hooks_list(
    reader: &mut Reader<'_>,
    value: &Value<'_, '_>,
    elements: &[Value<'_, '_>],
) -> HooksDeclaration {
    let all = |shape: Shape| elements.iter().all(|element| element.shape() == shape);
    if elements.is_empty() {
        let message = "the list is empty, so the default counts";
        reader.warn(value, ProblemKind::BadValue, message);
        HooksDeclaration::Default
    } else if all(Shape::String) {
        let paths: Vec<_> = elements
            .iter()
            .filter_map(|element| path_of(reader, element))
            .collect();
        match paths.is_empty() {
            true => HooksDeclaration::Default,
            false => HooksDeclaration::Files(paths),
        }
    } else if all(Shape::Object) {
        let mut objects = Vec::new();
        for element in elements {
            if !is_hooks_object(reader, *element) {
                return HooksDeclaration::Default;
            }
            objects.push(element.raw.to_owned());
        }
        HooksDeclaration::Inline(objects)
    } else if let Some(stranger) = elements
        .iter()
        .find(|element| !matches!(element.shape(), Shape::String | Shape::Object))
    {
        let problem = reader.wrong_type(stranger, "a path or an object");
        reader.report_as_warning(problem);
        HooksDeclaration::Default
    } else {
        let message = "paths and inline hooks in one list, so no hook is loaded; use one of both";
        reader.warn(value, ProblemKind::WrongType, message);
        HooksDeclaration::Nothing
    }
}

/// Whether an object has the shape of a hooks file: `hooks`, an object, and `description`.
fn is_hooks_object(reader: &mut Reader<'_>, value: Value<'_, '_>) -> bool {
    let object = match reader.object(value) {
        Ok(object) => object,
        Err(problem) => {
            reader.report_as_warning(problem);
            return false;
        }
    };
    let inner = object.get_some("hooks");
    if let Some(inner) = &inner
        && inner.shape() != Shape::Object
    {
        let problem = reader.wrong_type(inner, "an object of events");
        reader.report_as_warning(problem);
        return false;
    }
    let mut strangers = object
        .iter()
        .filter(|(key, _)| !matches!(*key, "hooks" | "description"));
    if let Some((key, stranger)) = strangers.next() {
        let message = format!(
            "`{}` does not belong here, so the default counts; events stand below `hooks`",
            key.escape_debug()
        );
        reader.warn(&stranger, ProblemKind::UnknownField, message);
        return false;
    }
    if inner.is_none() {
        let message = "this declares no hook, and the default file is not read either";
        reader.warn(&value, ProblemKind::BadValue, message);
    }
    true
}

fn onboarding_skill(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Option<PluginPath> {
    let extensions = optional_object(reader, object.get_some("extensions")?)?;
    let own = optional_object(reader, extensions.get_some(agent_plugins::NAMESPACE)?)?;
    path(reader, &own, "onboardingSkill")
}

/// An object that can be done without: another type is reported and counts as absent.
pub(crate) fn optional_object<'d, 'p>(
    reader: &mut Reader<'_>,
    value: Value<'d, 'p>,
) -> Option<Object<'d, 'p>> {
    match reader.object(value) {
        Ok(object) => Some(object),
        Err(problem) => {
            reader.report_as_warning(problem);
            None
        }
    }
}

/// Reports members that differ from a known one only in case, `_` and `-`. Others are not
/// reported: several programs read these files, each with members of its own.
pub(crate) fn report_misspelt(
    reader: &mut Reader<'_>,
    object: &Object<'_, '_>,
    known: &[&str],
    is_other_spelling: impl Fn(&str) -> bool,
) {
    for (key, value) in object.iter() {
        // A long text is no misspelling, and there is no point in folding it.
        if known.contains(&key) || key.len() > 64 || is_other_spelling(key) {
            continue;
        }
        let meant = known.iter().find(|name| folded(name).eq(folded(key)));
        if let Some(meant) = meant {
            let message = format!("this member is not read; did you mean `{meant}`");
            reader.warn(&value, ProblemKind::UnknownField, message);
        }
    }
}

fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
