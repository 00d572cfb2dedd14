//! Layers: one file or one set of flags each, and the stack they form while a snapshot is built.
//!
//! A layer that cannot be read or parsed is present, empty, and carries its problem; the others do
//! not notice.

use std::sync::OnceLock;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Place, Problem, ProblemKind, hex};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::KeyPath;
use crate::files::Files;
use crate::tree::{self, Mark, Node};

/// The index of the user's own file in a stack: only the system's stands in front of it.
pub(crate) const USER: usize = 1;

/// The largest configuration file that is read; a larger one is no configuration.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The file of a directory with configuration.
const FILE: &str = "config.toml";
/// The table of hooks.
const HOOKS: &str = "hooks";

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

/// Where the hooks of a layer stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookPlace {
    /// With the rest of the layer.
    Own,
    /// In this `.codex` directory of the main checkout, whether or not it is there, because the layer is
    /// a linked worktree's: that one's hooks count, and none that stand here.
    Main(AbsPath),
    /// They would stand in a directory of the main checkout that is marked as untrusted.
    Nowhere,
}

/// One layer as it was read. What only a reader of the configuration itself wants to know is worked
/// out when it asks: every request loads all layers, and almost none asks.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where it comes from.
    pub source: LayerSource,
    /// Its file, whether or not that exists; `None` for flags.
    pub file: Option<AbsPath>,
    /// Where its hooks stand.
    pub hooks: HookPlace,
    /// Why it is shown but not used; `None` when it is used.
    pub disabled_reason: Option<String>,
    /// Why its file could not be read.
    pub error: Option<Problem>,
    /// What it says; empty when it is absent or broken.
    pub(crate) tree: Node,
    version: OnceLock<String>,
}

impl Layer {
    /// What it says; empty when it is absent or broken.
    #[must_use]
    pub fn content(&self) -> Value {
        self.tree.to_json()
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.members().is_none_or(<[_]>::is_empty)
    }

    /// The file in which its hooks stand beside other settings; `None` for flags, and where there can be
    /// no hooks.
    #[must_use]
    pub fn hooks_file(&self) -> Option<AbsPath> {
        match &self.hooks {
            HookPlace::Own => self.file.clone(),
            HookPlace::Main(folder) => Some(folder.join(FILE)),
            HookPlace::Nowhere => None,
        }
    }

    /// What stands at a path of keys; `None` where nothing does.
    #[must_use]
    pub fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<Value> {
        self.tree.at(path).map(Node::to_json)
    }

    /// `sha256:` and the digest of the content's meaning; comments do not change it.
    #[must_use]
    pub fn version(&self) -> &str {
        self.version.get_or_init(|| version(&self.content()))
    }
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
    format!("sha256:{}", hex(&digest))
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

/// A layer under construction, and its text, which gives places to problems.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) layer: Layer,
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

/// The tree of a file's text, else what is wrong with it and where that ends.
fn parse(text: &str, index: usize, file: &AbsPath) -> Result<Node, (Problem, Place)> {
    tree::parse(text, index).map_err(|syntax| {
        let place = |offset| Place::of_offset(text.as_bytes(), offset);
        let problem = Problem::error(ProblemKind::Config, syntax.message);
        let problem = problem.in_file(file).at(place(syntax.start));
        (problem, place(syntax.end))
    })
}

fn line_starts(text: &str) -> Vec<usize> {
    let behind_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(behind_breaks).collect()
}

impl Stack {
    /// Makes a file into a layer and returns its index. One that was not read yet is read.
    pub(crate) fn read(
        &mut self,
        disk: &Disk,
        files: &Files,
        source: LayerSource,
        file: AbsPath,
    ) -> usize {
        match files.text(disk, &source, &file) {
            Ok(text) => {
                let text = text.unwrap_or_default();
                match files.tree_of(&text) {
                    Some(tree) => {
                        let tree = tree.moved_to(self.drafts.len());
                        self.add(source, Some(file), tree, text, None, None)
                    }
                    None => self.add_text(source, file, text),
                }
            }
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
        let (tree, error, error_end) = match parse(&text, index, &file) {
            Ok(tree) => (tree, None, None),
            Err((problem, end)) => (Node::empty(index), Some(problem), Some(end)),
        };
        self.add(source, Some(file), tree, text, error, error_end)
    }

    /// Puts the hooks of the place where they stand in the place of those that the layer's own file has.
    /// A file of a main checkout that cannot be used is an error of the layer, as the layer's own is.
    pub(crate) fn place_hooks(
        &mut self,
        disk: &Disk,
        files: &Files,
        index: usize,
        hooks: HookPlace,
    ) {
        let draft = &mut self.drafts[index];
        draft.layer.hooks = hooks;
        if matches!(draft.layer.hooks, HookPlace::Own) {
            return;
        }
        draft.layer.tree.remove(HOOKS);
        let Some(file) = draft.layer.hooks_file() else {
            return;
        };
        let text = files.text(disk, &draft.layer.source, &file);
        let parsed = match text {
            Ok(text) => parse(&text.unwrap_or_default(), index, &file)
                .map_err(|(problem, end)| (problem, Some(end))),
            Err(problem) => Err((problem, None)),
        };
        match parsed {
            Ok(mut tree) => {
                if let Some(hooks) = tree.remove(HOOKS) {
                    let path = [HOOKS.to_owned()];
                    draft.layer.tree.put(&path, hooks.without_places());
                }
            }
            Err((problem, end)) if draft.layer.error.is_none() => {
                draft.layer.error = Some(problem);
                draft.error_end = end;
            }
            Err(_) => {}
        }
    }

    /// A stack in which the user's own layer has this text, which somebody has parsed and whose tree he keeps.
    pub(crate) fn of_user(file: AbsPath, text: String) -> Self {
        let mut stack = Self::default();
        let nothing = Node::empty(0);
        stack.add(
            LayerSource::System,
            None,
            nothing,
            String::new(),
            None,
            None,
        );
        let elsewhere = Node::empty(USER);
        stack.add(LayerSource::User, Some(file), elsewhere, text, None, None);
        stack
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
        self.drafts.push(Draft {
            layer: Layer {
                source,
                file,
                hooks: HookPlace::Own,
                disabled_reason: None,
                error,
                tree,
                version: OnceLock::new(),
            },
            line_starts: line_starts(&text),
            text,
            error_end,
        });
        self.drafts.len() - 1
    }

    /// The trees of these layers, laid over each other in the given order.
    pub(crate) fn merge(&self, layers: &[usize]) -> Node {
        let mut merged = Node::empty(layers.first().copied().unwrap_or(0));
        for &index in layers {
            merged.overlay(&self.drafts[index].layer.tree);
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
        let is_hook = field.segments().first().is_some_and(|name| name == HOOKS);
        problem.path = match is_hook {
            true => self.drafts[mark.source].layer.hooks_file(),
            false => origin.file,
        };
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
