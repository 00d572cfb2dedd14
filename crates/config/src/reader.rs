//! Reading typed values out of the merged tree, with a problem for each value of a wrong type.
//!
//! The same readers judge an edit before it is written, so what the daemon would complain about
//! tomorrow is refused today.

use plugd_model::{Problem, ProblemKind};

use crate::KeyPath;
use crate::key_path::Field;
use crate::layer::Stack;
use crate::tree::{Kind, Mark, Node};

/// Collects problems while values are read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) problems: Vec<Problem>,
}

/// A member that is there and cannot be used. The problem has been noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spoiled;

impl<'a> Reader<'a> {
    pub(crate) fn new(stack: &'a Stack) -> Self {
        Self {
            stack,
            problems: Vec::new(),
        }
    }

    /// Notes a problem that makes its subject unusable.
    pub(crate) fn error(
        &mut self,
        kind: ProblemKind,
        mark: Mark,
        field: &dyn Field,
        message: impl Into<String>,
    ) {
        let problem = Problem::error(kind, message);
        self.problems
            .push(self.stack.located(problem, mark, &field.path()));
    }

    /// Notes a problem that spoils nothing but what it names.
    pub(crate) fn warning(
        &mut self,
        kind: ProblemKind,
        mark: Mark,
        field: &dyn Field,
        message: impl Into<String>,
    ) {
        let problem = Problem::warning(kind, message);
        self.problems
            .push(self.stack.located(problem, mark, &field.path()));
    }

    /// Notes a value of a wrong type.
    pub(crate) fn wrong_type(&mut self, node: &Node, field: &dyn Field, expected: &str) -> Spoiled {
        let found = node.type_word();
        let message = format!("expected {expected}, found {found}");
        self.error(ProblemKind::WrongType, node.mark, field, message);
        Spoiled
    }

    /// The members of a table; an absent one has none.
    pub(crate) fn table<'n>(
        &mut self,
        node: Option<&'n Node>,
        field: &dyn Field,
    ) -> Result<&'n [(String, Node)], Spoiled> {
        let Some(node) = node else {
            return Ok(&[]);
        };
        let members = node.members();
        members.ok_or_else(|| self.wrong_type(node, field, "a table"))
    }

    /// An optional boolean.
    pub(crate) fn flag(
        &mut self,
        table: &Node,
        field: &dyn Field,
    ) -> Result<Option<bool>, Spoiled> {
        match member(table, field) {
            None => Ok(None),
            Some(node) => match node.kind {
                Kind::Bool(flag) => Ok(Some(flag)),
                _ => Err(self.wrong_type(node, field, "a boolean")),
            },
        }
    }

    /// An optional string.
    pub(crate) fn text(
        &mut self,
        table: &Node,
        field: &KeyPath,
    ) -> Result<Option<String>, Spoiled> {
        match member(table, field) {
            None => Ok(None),
            Some(node) => match &node.kind {
                Kind::Text(text) => Ok(Some(text.clone())),
                _ => Err(self.wrong_type(node, field, "a string")),
            },
        }
    }

    /// An optional array of strings; an absent one is empty.
    pub(crate) fn texts(&mut self, table: &Node, field: &KeyPath) -> Result<Vec<String>, Spoiled> {
        let Some(node) = member(table, field) else {
            return Ok(Vec::new());
        };
        let Kind::Array(items) = &node.kind else {
            return Err(self.wrong_type(node, field, "an array of strings"));
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match &item.kind {
                Kind::Text(text) => texts.push(text.clone()),
                _ => {
                    let field = field.child(index.to_string());
                    return Err(self.wrong_type(item, &field, "a string"));
                }
            }
        }
        Ok(texts)
    }

    /// An optional string that is one of a set.
    pub(crate) fn word(
        &mut self,
        table: &Node,
        field: &KeyPath,
        words: &[&str],
    ) -> Result<Option<String>, Spoiled> {
        let Some(text) = self.text(table, field)? else {
            return Ok(None);
        };
        if words.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        let mark = member(table, field).unwrap_or(table).mark;
        let (word, words) = (text.escape_debug(), words.join("`, `"));
        let message = format!("`{word}` is none of `{words}`");
        self.error(ProblemKind::BadValue, mark, field, message);
        Err(Spoiled)
    }

    /// Warns of members that nobody reads.
    pub(crate) fn unknown(&mut self, table: &Node, field: &KeyPath, known: &[&str]) {
        for (name, node) in table.members().unwrap_or_default() {
            if !known.contains(&name.as_str()) {
                let field = field.child(name);
                let message = "nobody reads this key";
                self.warning(ProblemKind::UnknownField, node.mark, &field, message);
            }
        }
    }
}

/// The member of a table that a field path ends with.
fn member<'n>(table: &'n Node, field: &dyn Field) -> Option<&'n Node> {
    table.get(field.last()?)
}
