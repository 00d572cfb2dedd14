//! Layers: one file or one set of flags each, and the stack they form while a snapshot is built.
//!
//! A layer that cannot be read or parsed is present, empty, and carries its problem; the others do
//! not notice.

use plugd_disk::Disk;
use plugd_model::{AbsPath, Place, Problem, ProblemKind};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::KeyPath;
use crate::tree::{self, Mark, Node};

/// The largest configuration file that is read; a larger one is no configuration.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Where a layer comes from, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerSource {
    /// The administrator's defaults.
    System,
    /// The user's own file.
    User,
    /// The user's file for a selected profile.
    Profile {
        /// The profile's name.
        name: String,
    },
    /// A directory of the project that a request works in.
    Project {
        /// The `.codex` directory.
        folder: AbsPath,
    },
    /// The flags of this process.
    SessionFlags,
    /// What the administrator enforces.
    Managed,
}

impl LayerSource {
    /// Whether it is the user who decides what stands there.
    pub(crate) fn is_personal(&self) -> bool {
        match self {
            Self::User | Self::Profile { .. } | Self::SessionFlags => true,
            Self::System | Self::Project { .. } | Self::Managed => false,
        }
    }
}

/// One layer as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Where it comes from.
    pub source: LayerSource,
    /// Its file, whether or not that exists; `None` for flags.
    pub file: Option<AbsPath>,
    /// `sha256:` and the digest of the content's meaning; comments do not change it.
    pub version: String,
    /// What it says; empty when it is absent or broken.
    pub content: Value,
    /// Why it is shown but not used; `None` when it is used.
    pub disabled_reason: Option<String>,
    /// Why its file could not be read.
    pub error: Option<Problem>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The layer.
    pub source: LayerSource,
    /// The layer's file.
    pub file: Option<AbsPath>,
    /// The place in the file.
    pub place: Option<Place>,
}

/// The digest that is a layer's version: over compact JSON with sorted keys.
pub(crate) fn version(content: &Value) -> String {
    // Without `preserve_order` serde_json's maps are sorted; sorting here keeps the promise when
    // some other crate of the build switches that feature on.
    let digest = Sha256::digest(sorted(content).to_string());
    let mut text = String::from("sha256:");
    for byte in digest {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut rows: Vec<_> = members.iter().collect();
            rows.sort_by_key(|(name, _)| *name);
            rows.into_iter()
                .map(|(name, member)| (name.clone(), sorted(member)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// A layer under construction: its tree and its text, which gives places to problems.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) layer: Layer,
    pub(crate) tree: Node,
    text: String,
    /// Where each line of the text begins: a place per row must not cost a walk through the file.
    line_starts: Vec<usize>,
    /// The end of what `error` speaks of.
    pub(crate) error_end: Option<Place>,
}

/// All layers under construction. A [`Mark`]'s source is an index into it.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    pub(crate) drafts: Vec<Draft>,
}

/// The text of a configuration file; `None` when there is none.
pub(crate) fn read_text(disk: &Disk, file: &AbsPath) -> Result<Option<String>, Problem> {
    let bytes = match disk.read(file, MAX_FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.problem().in_file(file)),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let place = Place::of_offset(error.as_bytes(), at);
            let problem = Problem::error(ProblemKind::Config, "the file is not utf-8 text");
            Err(problem.in_file(file).at(place))
        }
    }
}

/// Whether it matters that an absent file is one: what a user or a project expects to count, and what
/// an administrator enforces. The others are absent nearly everywhere, and each look costs a call.
fn needs_a_look(source: &LayerSource, file: &AbsPath) -> bool {
    let is = |name: &str| file.file_name().is_some_and(|found| found == name);
    match source {
        // What it asks for before something may come must not go with a link.
        LayerSource::User => is("config.toml") || is("plugd.toml"),
        LayerSource::Profile { .. } | LayerSource::Project { .. } => is("config.toml"),
        LayerSource::System => is("requirements.toml"),
        LayerSource::SessionFlags | LayerSource::Managed => false,
    }
}

/// A link that leads to nothing is not an absent file: somebody's configuration is not where it is
/// expected. A writer makes the file that it speaks of.
fn present(disk: &Disk, file: &AbsPath, text: Option<String>) -> Result<Option<String>, Problem> {
    if text.is_none() && matches!(disk.link_stamp(file), Ok(Some(_))) {
        let why = "the file is a link that leads to nothing";
        return Err(Problem::warning(ProblemKind::Missing, why).in_file(file));
    }
    Ok(text)
}

fn line_starts(text: &str) -> Vec<usize> {
    let behind_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(behind_breaks).collect()
}

impl Stack {
    /// Reads a file into a layer and returns its index.
    pub(crate) fn read(&mut self, disk: &Disk, source: LayerSource, file: AbsPath) -> usize {
        let read = read_text(disk, &file).and_then(|text| match needs_a_look(&source, &file) {
            true => present(disk, &file, text),
            false => Ok(text),
        });
        match read {
            Ok(text) => self.add_text(source, file, text.unwrap_or_default()),
            Err(problem) => {
                let empty = Node::empty(self.drafts.len());
                self.add(
                    source,
                    Some(file),
                    empty,
                    String::new(),
                    Some(problem),
                    None,
                )
            }
        }
    }

    /// Parses a file's text into a layer and returns its index.
    pub(crate) fn add_text(&mut self, source: LayerSource, file: AbsPath, text: String) -> usize {
        let index = self.drafts.len();
        let mut error = None;
        let mut error_end = None;
        let tree = tree::parse(&text, index).unwrap_or_else(|syntax| {
            let place = Place::of_offset(text.as_bytes(), syntax.start);
            error_end = Some(Place::of_offset(text.as_bytes(), syntax.end));
            error = Some(
                Problem::error(ProblemKind::Config, syntax.message)
                    .in_file(&file)
                    .at(place),
            );
            Node::empty(index)
        });
        self.add(source, Some(file), tree, text, error, error_end)
    }

    /// The same of a text that was parsed as this layer.
    pub(crate) fn add_parsed(
        &mut self,
        source: LayerSource,
        file: AbsPath,
        text: String,
        tree: Node,
    ) -> usize {
        self.add(source, Some(file), tree, text, None, None)
    }

    /// Adds a layer without a file.
    pub(crate) fn add_flags(&mut self, tree: &Node) -> usize {
        let tree = tree.clone().moved_to(self.drafts.len());
        self.add(
            LayerSource::SessionFlags,
            None,
            tree,
            String::new(),
            None,
            None,
        )
    }

    fn add(
        &mut self,
        source: LayerSource,
        file: Option<AbsPath>,
        tree: Node,
        text: String,
        error: Option<Problem>,
        error_end: Option<Place>,
    ) -> usize {
        let content = tree.to_json();
        self.drafts.push(Draft {
            layer: Layer {
                source,
                file,
                version: version(&content),
                content,
                disabled_reason: None,
                error,
            },
            tree,
            line_starts: line_starts(&text),
            text,
            error_end,
        });
        self.drafts.len() - 1
    }

    /// The layers of this stack, as part of another one that has `count` already.
    pub(crate) fn drafts_from(self, count: usize) -> Vec<Draft> {
        let moved = self.drafts.into_iter().enumerate();
        let moved = moved.map(|(index, draft)| Draft {
            tree: draft.tree.moved_to(count + index),
            ..draft
        });
        moved.collect()
    }

    /// The trees of these layers, laid over each other in the given order.
    pub(crate) fn merge(&self, layers: &[usize]) -> Node {
        let mut merged = Node::empty(layers.first().copied().unwrap_or(0));
        for &index in layers {
            merged.overlay(&self.drafts[index].tree);
        }
        merged
    }

    /// The origin of a mark.
    pub(crate) fn origin(&self, mark: Mark) -> Origin {
        let draft = &self.drafts[mark.source];
        Origin {
            source: draft.layer.source.clone(),
            file: draft.layer.file.clone(),
            place: self.place(mark),
        }
    }

    fn place(&self, mark: Mark) -> Option<Place> {
        let draft = &self.drafts[mark.source];
        draft.layer.file.as_ref()?;
        let offset = mark.offset?;
        let line = draft.line_starts.partition_point(|&start| start <= offset);
        let start = *draft.line_starts.get(line.checked_sub(1)?)?;
        let in_line = Place::of_offset(&draft.text.as_bytes()[start..], offset - start);
        Some(Place {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            ..in_line
        })
    }

    /// Gives a problem the file and place of what it speaks of.
    pub(crate) fn located(&self, problem: Problem, mark: Mark, field: &KeyPath) -> Problem {
        let origin = self.origin(mark);
        let mut problem = problem.at_field(field.to_string());
        problem.path = origin.file;
        problem.place = origin.place;
        problem
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(content: Value, expected: &str) {
        assert_eq!(super::version(&content), format!("sha256:{expected}"));
    }

    #[test]
    fn versions_are_those_of_the_reference() {
        let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        check(json!({}), empty);
        let model = "dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9";
        check(json!({"model": "m2"}), model);
    }
}
