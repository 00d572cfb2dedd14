//! The fallback manifest: what an entry says about a plugin that has no manifest of its own.
//!
//! Its JSON is written into the installed copy, where other programs read it too. So members keep
//! the order, numbers and nesting they have in the catalogue, and only `name`, `category` and
//! `interface` are added.
//!
//! Most plugins have a manifest, and nobody asks for their fallback. So an entry keeps its text, which
//! was checked with the catalogue, and it is read for the first who asks.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use plugd_model::{
    AbsPath, ManifestFormat, Place, PluginManifest, PluginName, Problem, ProblemKind,
};

use crate::json::Shape;
use crate::reader::{Object, Path, Reader, Value};
use crate::{plugin, pretty};

/// Members of an entry that speak to the marketplace and not about the plugin.
const CONSUMED: [&str; 4] = ["name", "source", "policy", "category"];

/// A manifest made of an entry's own members. A manifest of the plugin replaces it as a whole.
pub struct Fallback {
    catalogue: Arc<Catalogue>,
    name: PluginName,
    /// The entry in the text of the catalogue.
    range: Range<usize>,
    /// Where the entry begins, in lines and columns.
    start: Place,
    /// How many elements stand in front of it.
    index: usize,
    /// Apart, because most never have it.
    said: OnceLock<Box<Said>>,
}

/// The text of a catalogue, for its entries.
pub(crate) struct Catalogue {
    pub(crate) text: String,
    pub(crate) file: AbsPath,
}

/// What an entry says about its plugin.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    json: String,
    manifest: PluginManifest,
    problems: Vec<Problem>,
}

/// How problems of an entry begin.
pub(crate) fn subject(name: &PluginName) -> String {
    format!("plugin `{name}`")
}

/// Whether an entry says anything about the plugin.
pub(crate) fn says_something(entry: &Object<'_, '_>, category: Option<&str>) -> bool {
    category.is_some() || entry.iter().any(|(key, _)| !CONSUMED.contains(&key))
}

impl Fallback {
    /// The fallback of an entry of a catalogue, which [`says_something`].
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        name: PluginName,
        range: Range<usize>,
        index: usize,
        start: Place,
    ) -> Self {
        Self {
            catalogue,
            name,
            range,
            start,
            index,
            said: OnceLock::new(),
        }
    }

    /// The JSON that an installation writes to `.codex-plugin/plugin.json`.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.said().json
    }

    /// The same, read. Before the content of a git or npm source is there, its paths have no root
    /// and mean nothing.
    #[must_use]
    pub fn manifest(&self) -> &PluginManifest {
        &self.said().manifest
    }

    /// What is wrong in it. It is kept apart from the file's problems because it matters only
    /// where the fallback is used.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.said().problems
    }

    fn said(&self) -> &Said {
        self.said.get_or_init(|| {
            let raw = self.catalogue.text.get(self.range.clone());
            Box::new(Said::read(raw.unwrap_or("{}"), self))
        })
    }
}

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback")
            .field("file", &self.catalogue.file)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Fallback {
    /// Whether both say the same, also at different places.
    fn eq(&self, other: &Self) -> bool {
        self.said() == other.said()
    }
}

impl Eq for Fallback {}

impl Said {
    fn read(raw: &str, of: &Fallback) -> Self {
        let mut reader = Reader::of_part(raw, &of.catalogue.file, of.start);
        reader.set_subject(Some(subject(&of.name)));
        let plugins = Path::Member(&Path::Root, "plugins");
        let path = Path::Element(&plugins, of.index);
        // What is wrong with the entry itself was told with the catalogue.
        let entry = reader.quietly(|reader| reader.object(Value { raw, path }));
        let entry = entry.unwrap_or_else(|problem| {
            reader.report(problem);
            Object::without_members(Value { raw, path })
        });
        let interface = reader.quietly(|reader| {
            let category = reader.optional_string(&entry, "category");
            Additions::of(reader, &entry, category)
        });
        let json = to_json(&mut reader, &entry, &of.name, &interface);
        let name = of.name.as_str().to_owned();
        let manifest = plugin::read_named(&mut reader, &entry, ManifestFormat::Fallback, name);
        Self {
            json,
            manifest: interface.laid_over(manifest),
            problems: reader.finish(),
        }
    }
}

/// Members of the interface that come from elsewhere in the entry.
struct Additions {
    /// JSON name and value, in the order in which they are written.
    members: Vec<(&'static str, String)>,
}

impl Additions {
    fn of(reader: &mut Reader<'_>, entry: &Object<'_, '_>, category: Option<String>) -> Self {
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
            // The one member of these that the reference trims, and does without when nothing is left.
            let name = name.map(|name| name.trim().to_owned());
            let name = name.filter(|name| !name.is_empty());
            members.extend(name.map(|text| ("developerName", text)));
        }
        let has_website = has("websiteUrl") || has("websiteURL");
        if let Some(value) = entry.get("homepage").filter(|_| !has_website) {
            members.extend(reader.string(&value).ok().map(|text| ("websiteUrl", text)));
        }
        // The entry's category is the marketplace's word and wins also over an explicit one.
        members.extend(category.map(|text| ("category", text)));
        Self { members }
    }

    fn laid_over(self, mut manifest: PluginManifest) -> PluginManifest {
        if self.members.is_empty() {
            return manifest;
        }
        let mut shared = manifest.interface.unwrap_or_default();
        let interface = Arc::make_mut(&mut shared);
        for (name, text) in self.members {
            match name {
                "displayName" => interface.display_name = Some(text),
                "developerName" => interface.developer_name = Some(text),
                "websiteUrl" => interface.website_url = Some(text),
                _ => interface.category = Some(text),
            }
        }
        manifest.interface = Some(shared);
        manifest
    }
}

fn to_json(
    reader: &mut Reader<'_>,
    entry: &Object<'_, '_>,
    name: &PluginName,
    additions: &Additions,
) -> String {
    let mut members: Vec<(String, String)> = Vec::new();
    let extras = entry.iter().filter(|(key, _)| !CONSUMED.contains(key));
    let mut has_interface = false;
    for (key, value) in extras {
        let written = if key == "interface" && value.shape() == Shape::Object {
            // Whoever reads the manifest tells why it has none of its own.
            let Ok(own) = reader.quietly(|reader| reader.object(value)) else {
                continue;
            };
            has_interface = true;
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
                // What is added to it is no less true.
                has_interface &= key != "interface";
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
    pretty::object(&members, 0)
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
