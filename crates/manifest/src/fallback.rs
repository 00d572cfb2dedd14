//! The fallback manifest: what an entry says about a plugin that has no manifest of its own.
//!
//! Its JSON is written into the installed copy, where other programs read it too. So members keep
//! the order, numbers and nesting they have in the catalogue, and only `name`, `category` and
//! `interface` are added.

use plugd_model::{ManifestFormat, PluginName, Problem, ProblemKind};

use crate::json::Shape;
use crate::marketplace::Fallback;
use crate::reader::{Object, Reader};
use crate::{plugin, pretty};

/// Members of an entry that speak to the marketplace and not about the plugin.
const CONSUMED: [&str; 4] = ["name", "source", "policy", "category"];

/// Makes the fallback of an entry; none when the entry says nothing about the plugin.
///
/// # Errors
/// The entry's members make no manifest at all.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    entry: &Object<'_, '_>,
    name: &PluginName,
    category: Option<&str>,
) -> Result<Option<Fallback>, Problem> {
    let says_something = entry.iter().any(|(key, _)| !CONSUMED.contains(&key));
    if !says_something && category.is_none() {
        return Ok(None);
    }
    let (read, problems) = reader.apart(|reader| {
        let interface = reader.quietly(|reader| Additions::of(reader, entry, category));
        let json = to_json(reader, entry, name, &interface)?;
        let manifest = plugin::read(reader, entry, ManifestFormat::Fallback, name.as_str())?;
        Ok((json, interface.laid_over(manifest)))
    });
    let (json, manifest) = read?;
    Ok(Some(Fallback {
        json,
        manifest,
        problems,
    }))
}

/// Members of the interface that come from elsewhere in the entry.
struct Additions {
    /// JSON name and value, in the order in which they are written.
    members: Vec<(&'static str, String)>,
}

impl Additions {
    fn of(reader: &mut Reader<'_>, entry: &Object<'_, '_>, category: Option<&str>) -> Self {
        let own = entry
            .get("interface")
            .filter(|value| value.shape() == Shape::Object)
            .and_then(|value| reader.object(value).ok());
        let has = |name: &str| own.as_ref().is_some_and(|own| own.get(name).is_some());
        let mut members = Vec::new();
        if let Some(value) = entry.get("displayName").filter(|_| !has("displayName")) {
            members.extend(reader.string(&value).ok().map(|text| ("displayName", text)));
        }
        if let Some(value) = entry.get("author").filter(|_| !has("developerName")) {
            let author = reader.object(value).ok();
            let name = author.as_ref().and_then(|author| author.get("name"));
            let name = name.and_then(|name| reader.string(&name).ok());
            members.extend(name.map(|text| ("developerName", text)));
        }
        let has_website = has("websiteUrl") || has("websiteURL");
        if let Some(value) = entry.get("homepage").filter(|_| !has_website) {
            members.extend(reader.string(&value).ok().map(|text| ("websiteUrl", text)));
        }
        // The entry's category is the marketplace's word and wins also over an explicit one.
        members.extend(category.map(|text| ("category", text.to_owned())));
        Self { members }
    }

    fn laid_over(self, mut manifest: plugd_model::PluginManifest) -> plugd_model::PluginManifest {
        if self.members.is_empty() {
            return manifest;
        }
        let mut interface = manifest.interface.unwrap_or_default();
        for (name, text) in self.members {
            match name {
                "displayName" => interface.display_name = Some(text),
                "developerName" => interface.developer_name = Some(text),
                "websiteUrl" => interface.website_url = Some(text),
                _ => interface.category = Some(text),
            }
        }
        manifest.interface = Some(interface);
        manifest
    }
}

fn to_json(
    reader: &mut Reader<'_>,
    entry: &Object<'_, '_>,
    name: &PluginName,
    additions: &Additions,
) -> Result<String, Problem> {
    let mut members: Vec<(String, String)> = Vec::new();
    let extras = entry.iter().filter(|(key, _)| !CONSUMED.contains(key));
    let mut has_interface = false;
    for (key, value) in extras {
        let written = if key == "interface" && value.shape() == Shape::Object {
            has_interface = true;
            let own = reader.quietly(|reader| reader.object(value))?;
            interface_json(Some(&own), additions)
        } else if key == "interface" {
            // Another type has no members that could win, so only the additions are left.
            has_interface = true;
            interface_json(None, additions)
        } else {
            pretty::value(value.raw, 1)
        };
        match written {
            Some(json) => members.push((key.to_owned(), json)),
            None => {
                let message = "has a string that is not valid Unicode, so it is left out";
                reader.warn(&value, ProblemKind::Syntax, message);
            }
        }
    }
    members.push(("name".to_owned(), pretty::string(name.as_str())));
    if let Some((_, category)) = additions
        .members
        .iter()
        .find(|(name, _)| *name == "category")
    {
        members.push(("category".to_owned(), pretty::string(category)));
    }
    if !has_interface && !additions.members.is_empty() {
        let json = interface_json(None, additions).unwrap_or_default();
        members.push(("interface".to_owned(), json));
    }
    Ok(pretty::object(&members, 0))
}

fn interface_json(own: Option<&Object<'_, '_>>, additions: &Additions) -> Option<String> {
    let mut members: Vec<(String, String)> = Vec::new();
    for (key, value) in own.into_iter().flat_map(Object::iter) {
        if !additions.members.iter().any(|(name, _)| *name == key) {
            members.push((key.to_owned(), pretty::value(value.raw, 2)?));
        }
    }
    let added = additions.members.iter();
    members.extend(added.map(|(name, text)| ((*name).to_owned(), pretty::string(text))));
    Some(pretty::object(&members, 1))
}

#[cfg(test)]
mod tests;
