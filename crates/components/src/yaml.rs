//! YAML as far as front matter and skill metadata need it: a small tree of texts with their places.
//!
//! A scalar stays the text it was written as: `name: 1.50` is called `1.50`. Tags are ignored.
//!
//! Invariants: a document costs no more memory than a multiple of its length, because an alias
//! shares its target instead of copying it; and no tree is higher than [`MAX_HEIGHT`], however it
//! was nested (aliases included), so that dropping it needs little stack.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use plugd_model::Place;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

/// The highest tree that is built.
const MAX_HEIGHT: usize = 64;
/// The largest number of nodes in one document.
const MAX_NODES: usize = 100_000;
/// How much of a text with tabs is parsed again and again, for one place with tabs after the other.
const MAX_REPEATED_BYTES: usize = 4 * 1024 * 1024;

/// A node with the place where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Yaml {
    /// What it is.
    pub(crate) value: Value,
    /// Where it begins.
    pub(crate) place: Place,
    height: usize,
}

/// What a node is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text, number, boolean or null.
    Scalar {
        /// As written, escapes resolved and lines folded.
        text: String,
        /// Without quotes, so that `null` and `~` mean nothing.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Rc<Yaml>>),
    /// Pairs in order; keys may repeat.
    Mapping(Vec<(Rc<Yaml>, Rc<Yaml>)>),
}

/// Why a text is not one YAML document that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum YamlError {
    /// The parser's reason.
    #[error("the YAML cannot be read: {reason}")]
    Syntax {
        /// What the parser says.
        reason: String,
        /// Where.
        place: Place,
    },
    /// A character that no YAML holds as it is.
    #[error(
        "the YAML holds the control character U+{code:04X}; write it as an escape, or leave it out"
    )]
    Control {
        /// The character's number.
        code: u32,
        /// Where.
        place: Place,
    },
    /// A second document begins.
    #[error("there is more than one YAML document")]
    SecondDocument {
        /// Where.
        place: Place,
    },
    /// An alias inside the node that it names.
    #[error("an alias leads back to the node that contains it")]
    Cycle {
        /// Where.
        place: Place,
    },
    /// Nested too deeply, or too many nodes.
    #[error("the YAML has more than {MAX_HEIGHT} levels or {MAX_NODES} nodes")]
    TooLarge {
        /// Where the limit was met.
        place: Place,
    },
}

impl YamlError {
    /// Where it was met.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Syntax { place, .. }
            | Self::Control { place, .. }
            | Self::SecondDocument { place }
            | Self::Cycle { place }
            | Self::TooLarge { place } => *place,
        }
    }
}

impl Yaml {
    /// Whether it is the plain scalar that means nothing.
    pub(crate) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind_word(&self) -> &'static str {
        match self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "a text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Parses one document; `first_line` is the number of the text's first line in its file. An empty
/// text is `None`.
pub(crate) fn parse(text: &str, first_line: u32) -> Result<Option<Rc<Yaml>>, YamlError> {
    if let Some(error) = control(text, first_line) {
        return Err(error);
    }
    let lines = Lines::of(text);
    let mut text = Cow::Borrowed(text);
    let mut budget = MAX_REPEATED_BYTES;
    loop {
        match build(&text, &lines, first_line)? {
            Ok(root) => return Ok(root),
            Err(error) => {
                let left = budget.checked_sub(text.len());
                match left.and(without_tab(&text, error.marker().index())) {
                    Some(mended) => {
                        budget -= text.len();
                        text = Cow::Owned(mended);
                    }
                    None => {
                        return Err(YamlError::Syntax {
                            reason: error.info().to_owned(),
                            place: lines.place(error.marker(), first_line),
                        });
                    }
                }
            }
        }
    }
}

/// The text with blanks for tabs where the parser stopped at some that YAML allows: behind the colon
/// of a key, and in front of a further line of a quoted text. Places stay what they are.
fn without_tab(text: &str, stopped_at: usize) -> Option<String> {
    let (at, found) = text.char_indices().nth(stopped_at)?;
    let is_blank = |c: char| c == ' ' || c == '\t';
    let (start, end) = if found == '\t' {
        let behind = text[at..].trim_start_matches(is_blank);
        (at, text.len() - behind.len())
    } else {
        let before = text[..at].trim_end_matches(is_blank);
        (before.ends_with(':').then_some(before.len())?, at)
    };
    let blanks = &text[start..end];
    let mended = || [&text[..start], &" ".repeat(blanks.len()), &text[end..]].concat();
    blanks.contains('\t').then(mended)
}

/// Builds the tree, or says where the parser stopped.
fn build(
    text: &str,
    lines: &Lines,
    first_line: u32,
) -> Result<Result<Option<Rc<Yaml>>, ScanError>, YamlError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::new();
    let place = |mark: &Marker| lines.place(mark, first_line);
    loop {
        let (event, span) = match parser.next_event() {
            None => break,
            Some(Ok(next)) => next,
            Some(Err(error)) => return Ok(Err(error)),
        };
        let here = place(&span.start);
        match event {
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(_) => builder.document(here)?,
            Event::Alias(anchor) => builder.alias(anchor, here)?,
            Event::Scalar(text, style, anchor, _) => {
                let value = Value::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                builder.leaf(value, anchor, here)?;
            }
            Event::SequenceStart(anchor, _) => {
                builder.open(Collection::Sequence(Vec::new()), anchor, here)?;
            }
            Event::MappingStart(anchor, _) => {
                builder.open(Collection::Mapping(Vec::new(), None), anchor, here)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
        }
    }
    Ok(Ok(builder.root))
}

/// Where the lines of a text begin, in characters. The parser's own count knows more line breaks than
/// an editor, and another line behind a text that ends without one.
struct Lines {
    starts: Vec<usize>,
    chars: usize,
}

impl Lines {
    fn of(text: &str) -> Self {
        let mut starts = vec![0];
        let mut chars = 0;
        for c in text.chars() {
            chars += 1;
            if c == '\n' {
                starts.push(chars);
            }
        }
        Self { starts, chars }
    }

    fn place(&self, mark: &Marker, first_line: u32) -> Place {
        let at = mark.index().min(self.chars);
        let line = self.starts.partition_point(|start| *start <= at) - 1;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place {
            line: count(line).saturating_add(first_line),
            column: count(at - self.starts[line]).saturating_add(1),
        }
    }
}

/// The first character that YAML excludes (YAML 1.2, section 5.1), which the parser lets through.
fn control(text: &str, first_line: u32) -> Option<YamlError> {
    let is_printable = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}')
            || (c >= '\u{a0}' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    let (at, found) = text.char_indices().find(|(_, c)| !is_printable(*c))?;
    let before = &text[..at];
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let place = Place {
        line: count(before.matches('\n').count()).saturating_add(first_line),
        column: count(line.chars().count()).saturating_add(1),
    };
    let code = u32::from(found);
    Some(YamlError::Control { code, place })
}

/// A collection whose end has not been met.
enum Collection {
    Sequence(Vec<Rc<Yaml>>),
    /// The pairs, and a key that waits for its value.
    Mapping(Vec<(Rc<Yaml>, Rc<Yaml>)>, Option<Rc<Yaml>>),
}

struct Open {
    collection: Collection,
    anchor: usize,
    place: Place,
    height: usize,
}

struct Builder {
    stack: Vec<Open>,
    anchors: HashMap<usize, Rc<Yaml>>,
    root: Option<Rc<Yaml>>,
    nodes: usize,
    documents: usize,
}

impl Builder {
    fn new() -> Self {
        Self {
            stack: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            nodes: 0,
            documents: 0,
        }
    }

    fn document(&mut self, place: Place) -> Result<(), YamlError> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(YamlError::SecondDocument { place });
        }
        Ok(())
    }

    fn open(
        &mut self,
        collection: Collection,
        anchor: usize,
        place: Place,
    ) -> Result<(), YamlError> {
        if self.stack.len() >= MAX_HEIGHT {
            return Err(YamlError::TooLarge { place });
        }
        self.stack.push(Open {
            collection,
            anchor,
            place,
            height: 1,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let value = match open.collection {
            Collection::Sequence(items) => Value::Sequence(items),
            Collection::Mapping(pairs, _) => Value::Mapping(pairs),
        };
        let node = Rc::new(Yaml {
            value,
            place: open.place,
            height: open.height,
        });
        self.add(node, open.anchor, open.place)
    }

    fn leaf(&mut self, value: Value, anchor: usize, place: Place) -> Result<(), YamlError> {
        let node = Rc::new(Yaml {
            value,
            place,
            height: 1,
        });
        self.add(node, anchor, place)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), YamlError> {
        match self.anchors.get(&anchor) {
            Some(node) => {
                let node = Rc::clone(node);
                self.add(node, 0, place)
            }
            // Known to the parser, but its end has not been met.
            None => Err(YamlError::Cycle { place }),
        }
    }

    /// Puts a finished node into the collection around it.
    fn add(&mut self, node: Rc<Yaml>, anchor: usize, place: Place) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(YamlError::TooLarge { place });
        }
        // The parser numbers anchors from 1; 0 means none.
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.height = open.height.max(node.height + 1);
        if open.height > MAX_HEIGHT {
            return Err(YamlError::TooLarge { place });
        }
        match &mut open.collection {
            Collection::Sequence(items) => items.push(node),
            Collection::Mapping(pairs, waiting) => match waiting.take() {
                Some(key) => pairs.push((key, node)),
                None => *waiting = Some(node),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
