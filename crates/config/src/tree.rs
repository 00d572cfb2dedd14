//! A configuration as a tree that remembers order and origin.
//!
//! A JSON map would forget the order of a file, and a TOML document knows nothing of other files.
//! Each node carries a [`Mark`]: which source it came from and at which byte, so that a problem
//! found after merging still names file, line and column.
//!
//! Tables are shared until somebody changes one: nearly everywhere only the user's own file says
//! anything, and then the layer, what was parsed and what counts are one tree.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use toml_edit::{Document, Item, Table, TableLike};

/// Where a node came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The index of the source in the stack that is being built.
    pub(crate) source: usize,
    /// The byte in that source's text, where it is known.
    pub(crate) offset: Option<usize>,
}

/// A value with its origin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mark: Mark,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Members in the order of the file; keys are unique.
    Table(Arc<Vec<(String, Node)>>),
    Array(Vec<Node>),
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// Any of TOML's dates and times, as written.
    Date(String),
}

/// Text that is not TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    /// The bytes it speaks of.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Mark {
    /// The mark of a value that no file holds.
    pub(crate) fn nowhere() -> Self {
        Self {
            source: 0,
            offset: None,
        }
    }
}

/// Parses a whole file.
pub(crate) fn parse(text: &str, source: usize) -> Result<Node, SyntaxError> {
    match Document::parse(text) {
        Ok(document) => Ok(Node::of_table(document.as_table(), mark(source, Some(0)))),
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            Err(SyntaxError {
                message: error.message().replace('\n', ", "),
                start: span.start,
                end: span.end.max(span.start),
            })
        }
    }
}

impl Node {
    /// A table without members.
    pub(crate) fn empty(source: usize) -> Self {
        Self {
            kind: Kind::Table(Arc::default()),
            mark: mark(source, None),
        }
    }

    fn of_table(table: &dyn TableLike, mark: Mark) -> Self {
        let members = table
            .iter()
            .map(|(name, item)| {
                let key_span = table.key(name).and_then(toml_edit::Key::span);
                (name.to_owned(), Self::of_item(item, key_span, mark))
            })
            .collect();
        Self {
            kind: Kind::Table(Arc::new(members)),
            mark,
        }
    }

    fn of_item(item: &Item, key: Option<std::ops::Range<usize>>, parent: Mark) -> Self {
        // A table that was never written as such has no place but its key's.
        let offset = item.span().or(key).map(|span| span.start);
        let mark = mark(parent.source, offset.or(parent.offset));
        match item {
            Item::None => Self::empty(mark.source),
            Item::Value(value) => Self::of_value(value, mark),
            Item::Table(table) => Self::of_table(table, mark),
            Item::ArrayOfTables(tables) => {
                let of_element = |table: &Table| {
                    let offset = table.span().map(|span| span.start).or(mark.offset);
                    Self::of_table(table, Mark { offset, ..mark })
                };
                Self {
                    kind: Kind::Array(tables.iter().map(of_element).collect()),
                    mark,
                }
            }
        }
    }

    /// The same tree with marks that name no place.
    pub(crate) fn without_places(self) -> Self {
        self.marked(&|mark| Mark {
            offset: None,
            ..mark
        })
    }

    /// The same tree of a single source as part of another one.
    pub(crate) fn moved_to(self, source: usize) -> Self {
        if self.mark.source == source {
            return self;
        }
        self.marked(&|mark| Mark { source, ..mark })
    }

    fn marked(self, change: &impl Fn(Mark) -> Mark) -> Self {
        let kind = match self.kind {
            Kind::Table(members) => {
                let marked = Arc::unwrap_or_clone(members)
                    .into_iter()
                    .map(|(name, node)| (name, node.marked(change)));
                Kind::Table(Arc::new(marked.collect()))
            }
            Kind::Array(items) => {
                Kind::Array(items.into_iter().map(|node| node.marked(change)).collect())
            }
            other => other,
        };
        Self {
            kind,
            mark: change(self.mark),
        }
    }

    /// A single value.
    pub(crate) fn of_value(value: &toml_edit::Value, mark: Mark) -> Self {
        use toml_edit::Value as Toml;
        let kind = match value {
            Toml::String(text) => Kind::Text(text.value().clone()),
            Toml::Integer(number) => Kind::Integer(*number.value()),
            Toml::Float(number) => Kind::Float(*number.value()),
            Toml::Boolean(flag) => Kind::Bool(*flag.value()),
            Toml::Datetime(date) => Kind::Date(date.value().to_string()),
            Toml::Array(array) => Kind::Array(
                array
                    .iter()
                    .map(|value| {
                        let offset = value.span().map(|span| span.start).or(mark.offset);
                        Self::of_value(value, Mark { offset, ..mark })
                    })
                    .collect(),
            ),
            Toml::InlineTable(table) => return Self::of_table(table, mark),
        };
        Self { kind, mark }
    }

    /// The members, when it is a table.
    pub(crate) fn members(&self) -> Option<&[(String, Self)]> {
        match &self.kind {
            Kind::Table(members) => Some(members),
            _ => None,
        }
    }

    /// A member of a table.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let (_, node) = self.members()?.iter().find(|(key, _)| key == name)?;
        Some(node)
    }

    /// What lies at a path of member names.
    pub(crate) fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| match &node.kind {
            Kind::Array(items) => items.get(name.as_ref().parse::<usize>().ok()?),
            _ => node.get(name.as_ref()),
        })
    }

    /// Takes a member out of a table.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Self> {
        let Kind::Table(members) = &mut self.kind else {
            return None;
        };
        let index = members.iter().position(|(key, _)| key == name)?;
        Some(Arc::make_mut(members).remove(index).1)
    }

    /// Puts a value at a path, making tables on the way and replacing what is no table.
    pub(crate) fn put(&mut self, path: &[String], value: Self) {
        let Some((name, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if self.members().is_none() {
            self.kind = Kind::Table(Arc::default());
        }
        let Kind::Table(members) = &mut self.kind else {
            return;
        };
        let members = Arc::make_mut(members);
        match members.iter_mut().find(|(key, _)| key == name) {
            Some((_, member)) => member.put(rest, value),
            None => {
                let mut member = Self::empty(value.mark.source);
                member.put(rest, value);
                members.push((name.clone(), member));
            }
        }
    }

    /// Lays another tree over this one: tables join, everything else is replaced. New members come
    /// behind those that are there, so the order is that of the layers.
    pub(crate) fn overlay(&mut self, above: &Self) {
        let (Kind::Table(below), Kind::Table(members)) = (&mut self.kind, &above.kind) else {
            *self = above.clone();
            return;
        };
        self.mark = above.mark;
        if below.is_empty() {
            *below = Arc::clone(members);
            return;
        }
        if members.is_empty() {
            return;
        }
        let below = Arc::make_mut(below);
        let places: HashMap<String, usize> = below
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.clone(), index))
            .collect();
        for (name, member) in members.iter() {
            match places.get(name) {
                Some(&index) => below[index].1.overlay(member),
                None => below.push((name.clone(), member.clone())),
            }
        }
    }

    /// The tree as JSON; dates become strings, and what JSON cannot count becomes null.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Table(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, node)| (name.clone(), node.to_json()))
                    .collect(),
            ),
            Kind::Array(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Kind::Text(text) | Kind::Date(text) => Value::String(text.clone()),
            Kind::Integer(number) => Value::from(*number),
            Kind::Float(number) => Value::from(*number),
            Kind::Bool(flag) => Value::Bool(*flag),
        }
    }

    /// Whether [`Node::to_json`] would make this.
    pub(crate) fn means(&self, value: &Value) -> bool {
        match (&self.kind, value) {
            (Kind::Table(members), Value::Object(values)) => {
                members.len() == values.len()
                    && members
                        .iter()
                        .all(|(name, node)| values.get(name).is_some_and(|value| node.means(value)))
            }
            (Kind::Array(items), Value::Array(values)) => {
                items.len() == values.len()
                    && items
                        .iter()
                        .zip(values)
                        .all(|(item, value)| item.means(value))
            }
            (Kind::Text(text) | Kind::Date(text), Value::String(value)) => text == value,
            (Kind::Integer(_) | Kind::Float(_) | Kind::Bool(_), value) => self.to_json() == *value,
            _ => false,
        }
    }

    /// Calls `visit` for every value that is no table and no array, with its path.
    pub(crate) fn leaves(&self, path: &mut Vec<String>, visit: &mut impl FnMut(&[String], Mark)) {
        match &self.kind {
            Kind::Table(members) => {
                for (name, node) in members.iter() {
                    path.push(name.clone());
                    node.leaves(path, visit);
                    path.pop();
                }
            }
            Kind::Array(items) => {
                for (index, node) in items.iter().enumerate() {
                    path.push(index.to_string());
                    node.leaves(path, visit);
                    path.pop();
                }
            }
            _ => visit(path, self.mark),
        }
    }

    /// The word for messages about a wrong type.
    pub(crate) fn type_word(&self) -> &'static str {
        match self.kind {
            Kind::Table(_) => "a table",
            Kind::Array(_) => "an array",
            Kind::Text(_) => "a string",
            Kind::Integer(_) => "an integer",
            Kind::Float(_) => "a float",
            Kind::Bool(_) => "a boolean",
            Kind::Date(_) => "a date",
        }
    }
}

fn mark(source: usize, offset: Option<usize>) -> Mark {
    Mark { source, offset }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::{Kind, parse};

    #[test]
    fn overlay_joins_tables_and_replaces_the_rest() {
        let mut below = parse("a = [1]\n[t]\nx = 1\ny = 2\n", 0).unwrap();
        let above = parse("a = [2]\n[n]\n[t]\ny = 3\nz = 4\n", 1).unwrap();
        below.overlay(&above);
        let expected = json!({"a": [2], "n": {}, "t": {"x": 1, "y": 3, "z": 4}});
        assert_eq!(below.to_json(), expected);
        let names: Vec<_> = below
            .members()
            .unwrap()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["a", "t", "n"]);
        assert_eq!(below.at(&["t", "x"]).unwrap().mark.source, 0);
        assert_eq!(below.at(&["t", "y"]).unwrap().mark.source, 1);
    }

    #[test]
    fn a_tree_means_its_json_and_nothing_else() {
        let text = "a = [1, \"x\", { y = 2.5 }]\nn = nan\nd = 1979-05-27\n[t]\nb = true\n";
        let tree = parse(text, 0).unwrap();
        let meant = tree.to_json();
        assert!(tree.means(&meant));
        for other in [
            "a = [1, \"x\", { y = 2.5 }]\nn = nan\nd = 1979-05-27\n[t]\nb = false\n",
            "a = [1, \"x\", { y = 2.5 }]\nn = nan\nd = 1979-05-27\n[t]\nc = true\n",
            "a = [1, \"x\", { y = 2.5 }, 3]\nn = nan\nd = 1979-05-27\n[t]\nb = true\n",
            "a = [1, \"x\", { y = 2 }]\nn = nan\nd = 1979-05-27\n[t]\nb = true\n",
            "a = [1, 7, { y = 2.5 }]\nn = nan\nd = 1979-05-27\n[t]\nb = true\n",
            "a = {}\nn = nan\nd = 1979-05-27\n[t]\nb = true\n",
            "a = [1, \"x\", { y = 2.5 }]\nn = 1.0\nd = 1979-05-27\n[t]\nb = true\n",
            "a = [1, \"x\", { y = 2.5 }]\nn = nan\nd = 1979-05-28\n[t]\nb = true\n",
            "a = [1, \"x\", { y = 2.5 }]\nn = nan\nd = 1979-05-27\n[t]\nb = true\nc = 1\n",
        ] {
            let other = parse(other, 0).unwrap();
            assert!(!tree.means(&other.to_json()) && !other.means(&meant));
        }
    }

    #[test]
    fn nodes_know_their_bytes() {
        let text = "\u{feff}a.b = 1\n[t]\nx = { y = \"z\" }\n[[l]]\nk = 1979-05-27\n";
        let tree = parse(text, 0).unwrap();
        let offset = |path: &[&str]| tree.at(path).unwrap().mark.offset.unwrap();
        assert_eq!(&text[offset(&["a", "b"])..][..1], "1");
        assert_eq!(&text[offset(&["a"])..][..3], "a.b");
        assert_eq!(&text[offset(&["t"])..][..3], "[t]");
        assert_eq!(&text[offset(&["t", "x", "y"])..][..3], "\"z\"");
        assert_eq!(&text[offset(&["l", "0"])..][..5], "[[l]]");
        assert_eq!(
            tree.at(&["l", "0", "k"]).unwrap().kind,
            Kind::Date("1979-05-27".into())
        );
    }

    #[test]
    fn what_is_no_toml_says_where() {
        let error = parse("a = 1\nb =\n", 0).unwrap_err();
        assert_eq!(error.start, 9);
        assert!(!error.message.is_empty());
    }
}
