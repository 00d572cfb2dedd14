//! The `interface` of a plugin: texts and pictures for people.

use plugd_model::{Interface, ProblemKind};

use crate::json::Shape;
use crate::plugin;
use crate::reader::{Object, Reader};

/// How many prompts are kept.
const MAX_PROMPTS: usize = 3;
/// How long a prompt may be, in characters.
const MAX_PROMPT_CHARS: usize = 512;
/// How many elements a list of the interface may have.
const MAX_ELEMENTS: usize = 1_000;

/// The members that are read, for finding misspelt ones.
const KNOWN: &[&str] = &[
    "displayName",
    "shortDescription",
    "longDescription",
    "developerName",
    "category",
    "capabilities",
    "websiteUrl",
    "privacyPolicyUrl",
    "termsOfServiceUrl",
    "defaultPrompt",
    "brandColor",
    "composerIcon",
    "logo",
    "logoDark",
    "screenshots",
];

/// Reads an interface; nothing when no member of it survives.
pub(crate) fn read(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Option<Interface> {
    plugin::report_misspelt(reader, object, KNOWN, |key| {
        matches!(key, "websiteURL" | "privacyPolicyURL" | "termsOfServiceURL")
    });
    let interface = Interface {
        display_name: reader.optional_string(object, "displayName"),
        short_description: reader.optional_string(object, "shortDescription"),
        long_description: reader.optional_string(object, "longDescription"),
        developer_name: reader.optional_string(object, "developerName"),
        category: reader.optional_string(object, "category"),
        capabilities: plugin::strings(reader, object, "capabilities"),
        website_url: url(reader, object, ["websiteUrl", "websiteURL"]),
        privacy_policy_url: url(reader, object, ["privacyPolicyUrl", "privacyPolicyURL"]),
        terms_of_service_url: url(reader, object, ["termsOfServiceUrl", "termsOfServiceURL"]),
        default_prompt: prompts(reader, object),
        brand_color: reader.optional_string(object, "brandColor"),
        composer_icon: plugin::path(reader, object, "composerIcon"),
        logo: plugin::path(reader, object, "logo"),
        logo_dark: plugin::path(reader, object, "logoDark"),
        screenshots: screenshots(reader, object),
    };
    (interface != Interface::default()).then_some(interface)
}

/// A URL under either of its two spellings. It is not checked: nobody but a person follows it.
fn url(reader: &mut Reader<'_>, object: &Object<'_, '_>, names: [&str; 2]) -> Option<String> {
    let [first, second] = names;
    if object.get_some(first).is_some()
        && let Some(value) = object.get_some(second)
    {
        let message = format!("`{first}` and `{second}` are the same member; `{first}` counts");
        reader.warn(&value, ProblemKind::Duplicate, message);
    }
    reader
        .optional_string(object, first)
        .or_else(|| reader.optional_string(object, second))
}

fn prompts(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Option<Vec<String>> {
    let value = object.get_some("defaultPrompt")?;
    let values = match value.shape() {
        Shape::String => vec![value],
        Shape::Array => plugin::elements(reader, &value, MAX_ELEMENTS),
        _ => {
            let problem = reader.wrong_type(&value, "a string or an array of strings");
            reader.report_as_warning(problem);
            return None;
        }
    };
    let mut prompts = Vec::new();
    for value in values {
        let text = match reader.string(&value) {
            Ok(text) => text,
            Err(problem) => {
                reader.report_as_warning(problem);
                continue;
            }
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let length = text.chars().count();
        if text.is_empty() {
            reader.warn(&value, ProblemKind::BadValue, "the prompt is blank");
        } else if length > MAX_PROMPT_CHARS {
            let message = format!(
                "the prompt has {length} characters, at most {MAX_PROMPT_CHARS} are allowed"
            );
            reader.warn(&value, ProblemKind::TooLarge, message);
        } else if prompts.len() == MAX_PROMPTS {
            let message = format!("only the first {MAX_PROMPTS} prompts are shown");
            reader.warn(&value, ProblemKind::TooLarge, message);
            break;
        } else {
            prompts.push(text);
        }
    }
    (!prompts.is_empty()).then_some(prompts)
}

fn screenshots(reader: &mut Reader<'_>, object: &Object<'_, '_>) -> Vec<plugd_model::PluginPath> {
    let Some(value) = object.get_some("screenshots") else {
        return Vec::new();
    };
    if value.shape() != Shape::Array {
        let problem = reader.wrong_type(&value, "an array of paths");
        reader.report_as_warning(problem);
        return Vec::new();
    }
    let elements = plugin::elements(reader, &value, MAX_ELEMENTS);
    elements
        .into_iter()
        .filter_map(|element| plugin::path_of(reader, &element))
        .collect()
}

#[cfg(test)]
mod tests;
