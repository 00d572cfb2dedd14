//! The texts of a plugin that a model reads, and what is hidden in them.
//!
//! A character can hide in two ways: as itself in the file, and as an escape that becomes a
//! character when the file is parsed. Both are looked for, so a text counts as it stands and as a
//! model gets it.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;

use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, Place, PluginManifest, Problem, ProblemKind};

use crate::item::{Document, Item};
use crate::skills::ReadSkill;
use crate::tree::PluginTree;

use super::unicode::{HiddenCharacter, HiddenClass, hidden_characters};
use super::{HiddenText, InspectionLimits, ModelText, TextKind, note_cut};

/// The largest text that is read.
const MAX_TEXT: u64 = 8 * 1024 * 1024;
/// Where the metadata of a skill lies below it.
const METADATA: &str = "agents/openai.yaml";

pub(super) struct TextReader<'a, 'p> {
    tree: &'a PluginTree<'a>,
    rows: usize,
    /// How much may be read together.
    bytes: u64,
    /// How much of it is left; nothing once that was too little for a file, so that what is looked at
    /// does not depend on sizes.
    bytes_left: Option<u64>,
    /// By path. Each file is read once, whatever it is besides.
    texts: BTreeMap<String, ModelText>,
    /// The paths of all files that were asked for, readable or not.
    tried: HashSet<String>,
    hidden: Vec<HiddenText>,
    /// How many hidden characters were met, listed or not.
    hidden_total: usize,
    cut: &'p mut Vec<Problem>,
}

impl<'a, 'p> TextReader<'a, 'p> {
    pub(super) fn new(
        tree: &'a PluginTree<'a>,
        limits: &InspectionLimits,
        cut: &'p mut Vec<Problem>,
    ) -> Self {
        Self {
            tree,
            rows: limits.rows,
            bytes: limits.text_bytes,
            bytes_left: Some(limits.text_bytes),
            texts: BTreeMap::new(),
            tried: HashSet::new(),
            hidden: Vec::new(),
            hidden_total: 0,
            cut,
        }
    }

    /// The texts and what is hidden in them, both in the order of the paths.
    pub(super) fn finish(mut self) -> (Vec<ModelText>, Vec<HiddenText>) {
        let shown = self.rows;
        let rows = [
            ("texts", self.texts.len()),
            ("hidden characters", self.hidden_total),
        ];
        for (what, len) in rows {
            if len > shown {
                let text = format!("only the first {shown} of {len} {what} are listed");
                let problem = Problem::warning(ProblemKind::TooLarge, text);
                note_cut(self.cut, problem.in_file(self.tree.root()));
            }
        }
        let texts = self.texts.into_values().take(shown).collect();
        self.hidden.sort_by(|a, b| a.path.cmp(&b.path));
        (texts, self.hidden)
    }

    /// The manifest's file, with every text in it.
    pub(super) fn manifest(&mut self, manifest: &PluginManifest) {
        let Some(name) = plugd_manifest::plugin_file(manifest.format) else {
            self.entry(manifest);
            return;
        };
        let file = self.tree.root().join(name);
        let Some(text) = self.read(&file, TextKind::Manifest) else {
            return;
        };
        if let Ok(document) = Document::parse_file(&text, &file) {
            let mut escaped = Vec::new();
            escaped_in(&document.root(""), &mut escaped);
            let written = written(&text);
            for (field, place, value) in escaped {
                self.decoded(&file, &written, &field, place, &value);
            }
        }
    }

    /// The texts of a plugin whose manifest is an entry of a marketplace: they stand in no file of
    /// the plugin, and what is hidden in them has the empty path.
    fn entry(&mut self, manifest: &PluginManifest) {
        let interface = manifest.interface.iter().flat_map(|interface| {
            [
                ("interface.displayName", interface.display_name.as_ref()),
                (
                    "interface.shortDescription",
                    interface.short_description.as_ref(),
                ),
                (
                    "interface.longDescription",
                    interface.long_description.as_ref(),
                ),
            ]
        });
        let own = [("description", manifest.description.as_ref())];
        for (field, value) in own.into_iter().chain(interface) {
            for found in value.into_iter().flat_map(|value| hidden_characters(value)) {
                self.note("", Some(field.to_owned()), found);
            }
        }
    }

    /// The skills, what lies beside them, and what is made of their members.
    pub(super) fn skills(&mut self, skills: &[ReadSkill], texts: &[String]) {
        let mut dirs = HashSet::new();
        for read in skills {
            let path = &read.skill.path;
            let Some(text) = self.read(path, TextKind::Skill) else {
                continue;
            };
            self.members(read, &text);
            if let Some(dir) = path.parent() {
                let metadata = dir.join(METADATA);
                let is_there = self.tree.disk().link_stamp(&metadata);
                if matches!(is_there, Ok(Some(_))) {
                    self.metadata(&metadata, read);
                }
                dirs.insert(dir);
            }
        }
        for relative in texts {
            let path = self.tree.root().join(relative);
            // One that could not be read as a skill here may be one for another host.
            if path.file_name() == Some(OsStr::new("SKILL.md")) {
                self.read(&path, TextKind::Skill);
            } else if path.ancestors().any(|ancestor| dirs.contains(&ancestor)) {
                self.read(&path, TextKind::SkillReference);
            }
        }
    }

    /// The members of the front matter as they are after parsing.
    fn members(&mut self, read: &ReadSkill, text: &str) {
        let skill = &read.skill;
        let members = [
            ("name", Some(&skill.bare_name)),
            ("description", Some(&skill.description)),
            (
                "metadata.short-description",
                skill.short_description.as_ref(),
            ),
        ];
        let written = written(text);
        for (field, value) in members {
            if let Some(value) = value {
                let place = read.description_place;
                self.decoded(&skill.path, &written, field, place, value);
            }
        }
    }

    /// The file beside a skill, and its members as they are after parsing.
    fn metadata(&mut self, path: &AbsPath, read: &ReadSkill) {
        let Some(text) = self.read(path, TextKind::SkillMetadata) else {
            return;
        };
        let start = Place { line: 1, column: 1 };
        let interface = read.skill.interface.iter().flat_map(|interface| {
            [
                ("interface.display_name", interface.display_name.as_ref()),
                (
                    "interface.short_description",
                    interface.short_description.as_ref(),
                ),
                (
                    "interface.default_prompt",
                    interface.default_prompt.as_ref(),
                ),
            ]
        });
        let tools = read.skill.dependencies.iter().flat_map(|tool| {
            [
                ("dependencies.tools", Some(&tool.value)),
                ("dependencies.tools", tool.description.as_ref()),
            ]
        });
        let written = written(&text);
        for (field, value) in interface.chain(tools) {
            if let Some(value) = value {
                self.decoded(path, &written, field, start, value);
            }
        }
    }

    /// The commands.
    pub(super) fn commands(&mut self, commands: &[AbsPath]) {
        for path in commands {
            self.read(path, TextKind::Command);
        }
    }

    /// Reads a file, unless that was done before, and notes what is hidden in it.
    fn read(&mut self, path: &AbsPath, kind: TextKind) -> Option<String> {
        let relative = self.relative(path);
        if !self.tried.insert(relative.clone()) {
            return None;
        }
        let left = self.bytes_left?;
        let limit = MAX_TEXT.min(left);
        let text = match self.tree.read(path, limit) {
            Ok(text) => text?,
            Err(problem) if problem.kind == ProblemKind::TooLarge && limit < MAX_TEXT => {
                self.bytes_left = None;
                let text = format!(
                    "the texts for a model have more than {} bytes together; the rest is not \
                     looked at",
                    self.bytes
                );
                let told = Problem::warning(ProblemKind::TooLarge, text).in_file(path);
                note_cut(self.cut, told);
                return None;
            }
            Err(problem) => {
                note_cut(self.cut, problem.as_warning());
                return None;
            }
        };
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.bytes_left = Some(left.saturating_sub(bytes));
        let entry = ModelText {
            path: relative.clone(),
            kind,
            bytes,
            digest: Digest::of_bytes(text.as_bytes()),
        };
        self.texts.insert(relative.clone(), entry);
        for found in hidden_characters(&text) {
            self.note(&relative, None, found);
        }
        Some(text)
    }

    /// Notes what is hidden in a value and stands nowhere in its file: it was written as an escape.
    fn decoded(
        &mut self,
        file: &AbsPath,
        written: &HashSet<char>,
        field: &str,
        place: Place,
        value: &str,
    ) {
        let mut known = HashSet::new();
        for found in hidden_characters(value) {
            if known.insert(found.character) && !written.contains(&found.character) {
                let relative = self.relative(file);
                let found = HiddenCharacter { place, ..found };
                self.note(&relative, Some(field.to_owned()), found);
            }
        }
    }

    fn note(&mut self, relative: &str, field: Option<String>, found: HiddenCharacter) {
        self.hidden_total += 1;
        if self.hidden.len() < self.rows {
            self.hidden.push(HiddenText {
                path: relative.to_owned(),
                field,
                found,
            });
        }
    }

    fn relative(&self, path: &AbsPath) -> String {
        match path.as_path().strip_prefix(self.tree.root()) {
            Ok(relative) => relative.to_string_lossy().replace('\\', "/"),
            Err(_) => path.to_text(),
        }
    }
}

/// The characters of a file that could hide, also those that do so honestly.
fn written(text: &str) -> HashSet<char> {
    let hides = |character: &char| HiddenClass::of(*character).is_some();
    text.chars().filter(hides).collect()
}

/// The texts of a JSON value that are written with escapes: their member, place and content. The
/// depth of the value was checked when its document was.
fn escaped_in(item: &Item<'_>, found: &mut Vec<(String, Place, String)>) {
    if let Ok(members) = item.object(&mut Vec::new()) {
        for (_, value) in &members {
            escaped_in(value, found);
        }
    } else if let Ok(elements) = item.array() {
        for value in &elements {
            escaped_in(value, found);
        }
    } else if item.text().contains("\\u")
        && let Ok(text) = item.string()
    {
        let origin = item.origin();
        let place = origin.place.unwrap_or(Place { line: 1, column: 1 });
        found.push((origin.field.unwrap_or_default(), place, text));
    }
}
