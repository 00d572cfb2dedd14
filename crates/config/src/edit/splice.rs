//! Edits of one TOML text that touch nothing but the bytes of the edited key.
//!
//! [`Editor`] finds the key in the [`Outline`], cuts or pastes text, and remembers each cut and
//! paste as a [`Splice`], so that the way back is known byte by byte.
//!
//! How it places things:
//! - A value that is there is exchanged in place; a table that is there is edited member by member,
//!   in whatever form it is written (headers, dotted keys, braces).
//! - A new key of a table with a header goes behind the last line of that header.
//! - A new table goes behind the last table of the same parent, else to the end of the file, with
//!   one blank line in front of it.
//! - A removal takes away what such an insertion would have added: the lines, and for a table the
//!   blank line in front of it. Comments around it stay; those inside a removed table go with it.
//!
//! What must hold afterwards is checked by the caller, who parses the result again.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use super::locate::{Spot, locate};
use super::outline::{Item, Outline, text_start};
use crate::encode::{self, EncodeError};
use crate::layer::USER;
use crate::tree::{self, Node, SyntaxError};

/// One cut and paste, in the text as it was at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    /// The byte.
    pub(crate) at: usize,
    /// What stood there.
    pub(crate) removed: String,
    /// What stands there now.
    pub(crate) inserted: String,
}

/// Why an edit cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpliceError {
    /// Something above the key is no table.
    #[error("something above the key is no table")]
    NotATable,
    /// An element for something that has none.
    #[error("the key holds something other than an array")]
    NotAnArray,
    /// The value cannot be written as TOML.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// A text under edit. It must be valid TOML when it comes in.
#[derive(Debug)]
pub(crate) struct Editor<'t> {
    pub(super) text: String,
    pub(super) newline: &'static str,
    splices: Vec<Splice>,
    /// The text as it is now, parsed, as long as it is known.
    tree: Option<Cow<'t, Node>>,
}

impl<'t> Editor<'t> {
    /// Begins to edit.
    pub(crate) fn new(text: String) -> Self {
        let first = text.find('\n');
        let crlf = first.is_some_and(|at| text[..at].ends_with('\r'));
        Self {
            newline: if crlf { "\r\n" } else { "\n" },
            text,
            splices: Vec::new(),
            tree: None,
        }
    }

    /// Takes what its text was parsed to.
    pub(crate) fn knows(&mut self, tree: Cow<'t, Node>) {
        self.tree = Some(tree);
    }

    /// The text as it is now, parsed.
    pub(crate) fn tree(&mut self) -> Result<Cow<'t, Node>, SyntaxError> {
        match self.tree.take() {
            Some(tree) => Ok(tree),
            None => tree::parse(&self.text, USER).map(Cow::Owned),
        }
    }

    /// Ends the edit: the text, and what was done to it, in order.
    pub(crate) fn finish(self) -> (String, Vec<Splice>) {
        (self.text, self.splices)
    }

    /// Makes the key hold exactly this value.
    pub(crate) fn replace(&mut self, path: &[String], value: &Value) -> Result<(), SpliceError> {
        let value = &without_nulls(value);
        match self.current(path) {
            Some(old) if old == *value => Ok(()),
            Some(Value::Object(old)) if value.is_object() => self.replace_table(path, &old, value),
            Some(Value::Array(old)) => self.replace_array(path, &old, value),
            old => self.set(path, old.as_ref(), value),
        }
    }

    /// Puts a value in the place of another one as a whole, or where there is none.
    pub(crate) fn set(
        &mut self,
        path: &[String],
        old: Option<&Value>,
        value: &Value,
    ) -> Result<(), SpliceError> {
        match old {
            None => self.insert(path, value),
            Some(old) if old == value => Ok(()),
            Some(_) => self.exchange(path, value),
        }
    }

    /// Joins a table into the table that is there; anything else replaces.
    pub(crate) fn upsert(&mut self, path: &[String], value: &Value) -> Result<(), SpliceError> {
        let value = &without_nulls(value);
        match (self.current(path), value) {
            (Some(Value::Object(_)), Value::Object(members)) => {
                for (name, member) in members {
                    self.upsert(&below(path, name), member)?;
                }
                Ok(())
            }
            _ => self.replace(path, value),
        }
    }

    /// Takes a key away with everything below it; nothing there is fine.
    pub(crate) fn delete(&mut self, path: &[String]) {
        let outline = Outline::of(&self.text);
        match locate(&outline, path) {
            Spot::Member { items, index, .. } => {
                self.cut_member(items, index);
            }
            Spot::Dotted { .. } => {
                // Members share commas, so they go one by one, each found anew. Each round removes
                // one, so this ends.
                while let Spot::Dotted { items, indices, .. } =
                    locate(&Outline::of(&self.text), path)
                {
                    let Some(&index) = indices.last() else {
                        return;
                    };
                    self.cut_member(items, index);
                }
            }
            spot => {
                let spans = self.lines_of(&outline, &spot).unwrap_or_default();
                self.cut_lines(spans);
            }
        }
    }

    /// Takes several keys away that stand on lines of their own. Where one does not, nothing happens.
    pub(crate) fn delete_lines<'p>(&mut self, paths: impl Iterator<Item = &'p [String]>) -> bool {
        let outline = Outline::of(&self.text);
        let mut spans = Vec::new();
        for path in paths {
            match self.lines_of(&outline, &locate(&outline, path)) {
                Some(more) => spans.extend(more),
                None => return false,
            }
        }
        self.cut_lines(spans);
        true
    }

    /// The whole lines at a spot, with the blank line in front of each table; `None` when it stands
    /// beside something else.
    fn lines_of(&self, outline: &Outline, spot: &Spot<'_>) -> Option<Vec<Range<usize>>> {
        let line = |section: usize, line: usize| outline.sections[section].lines[line].span.clone();
        match spot {
            Spot::Absent | Spot::Blocked => Some(Vec::new()),
            Spot::Line {
                section,
                line: index,
            } => Some(vec![line(*section, *index)]),
            Spot::Spread {
                sections, lines, ..
            } => {
                let whole = sections.iter().filter_map(|&index| {
                    let span = outline.sections[index].span()?;
                    Some(blank_line_before(&self.text, span.start)..span.end)
                });
                let single = lines.iter().map(|&(section, index)| line(section, index));
                Some(whole.chain(single).collect())
            }
            Spot::Member { .. } | Spot::Dotted { .. } => None,
        }
    }

    /// The meaning of what stands at a path.
    pub(super) fn current(&self, path: &[String]) -> Option<Value> {
        match &self.tree {
            Some(tree) => tree.at(path).map(Node::to_json),
            None => tree::parse(&self.text, USER)
                .ok()?
                .at(path)
                .map(Node::to_json),
        }
    }

    fn replace_table(
        &mut self,
        path: &[String],
        old: &Map<String, Value>,
        value: &Value,
    ) -> Result<(), SpliceError> {
        let empty = Map::new();
        let members = value.as_object().unwrap_or(&empty);
        // New members first, so that the table does not vanish when all old ones go.
        for (name, member) in members {
            self.replace(&below(path, name), member)?;
        }
        for name in old.keys().filter(|name| !members.contains_key(*name)) {
            self.delete(&below(path, name));
        }
        if self.current(path).is_none() {
            self.insert(path, value)?;
        }
        Ok(())
    }

    /// Keeps the elements that stay, in order, and appends the rest.
    fn replace_array(
        &mut self,
        path: &[String],
        old: &[Value],
        value: &Value,
    ) -> Result<(), SpliceError> {
        let tables = |items: &[Value]| items.iter().all(Value::is_object);
        let new = match value {
            Value::Array(new) if !new.is_empty() && tables(new) && tables(old) => new,
            _ => return self.exchange(path, value),
        };
        let outline = Outline::of(&self.text);
        if !matches!(locate(&outline, path), Spot::Spread { .. }) {
            return self.exchange(path, value);
        }
        let mut kept = 0;
        let mut gone = Vec::new();
        for (index, item) in old.iter().enumerate() {
            if new.get(kept) == Some(item) {
                kept += 1;
            } else {
                gone.push(index);
            }
        }
        for (index, item) in new.iter().enumerate().skip(kept) {
            let at = old.len() + index - kept;
            self.insert(&below(path, &at.to_string()), item)?;
        }
        for index in gone.into_iter().rev() {
            self.delete(&below(path, &index.to_string()));
        }
        Ok(())
    }

    /// Puts a value in the place of another one.
    fn exchange(&mut self, path: &[String], value: &Value) -> Result<(), SpliceError> {
        let outline = Outline::of(&self.text);
        let span = match locate(&outline, path) {
            Spot::Line { section, line } => outline.sections[section].lines[line]
                .item
                .value
                .span
                .clone(),
            Spot::Member { items, index, .. } => items[index].value.span.clone(),
            Spot::Absent => return self.insert(path, value),
            Spot::Blocked => return Err(SpliceError::NotATable),
            Spot::Spread { .. } | Spot::Dotted { .. } => return self.rewrite(path, value),
        };
        let written = encode::value(value)?;
        self.splice(span, &written);
        Ok(())
    }

    /// Cuts whole lines; what touches is cut at once.
    fn cut_lines(&mut self, mut spans: Vec<Range<usize>>) {
        spans.sort_by_key(|span| span.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for span in spans {
            match joined.last_mut() {
                Some(last) if last.end >= span.start => last.end = last.end.max(span.end),
                _ => joined.push(span),
            }
        }
        for mut span in joined.into_iter().rev() {
            if span.end == self.text.len() && !self.text.ends_with('\n') {
                // The file ended without a line ending and still does.
                let before = &self.text[..span.start];
                let kept = before.strip_suffix('\n').unwrap_or(before);
                span.start = kept.strip_suffix('\r').unwrap_or(kept).len();
            }
            self.splice(span, "");
        }
    }

    /// Writes something else in the place of a table that is spread over lines or members.
    fn rewrite(&mut self, path: &[String], value: &Value) -> Result<(), SpliceError> {
        if let Some((index, array)) = path.split_last()
            && let Some(Value::Array(mut items)) = self.current(array)
            && let Some(item) = index.parse::<usize>().ok().and_then(|at| items.get_mut(at))
        {
            // An element with a header of its own can be nothing but a table, so that the whole
            // array has to change its form.
            *item = value.clone();
            return self.rewrite(array, &Value::Array(items));
        }
        self.delete(path);
        self.insert(path, value)
    }

    fn cut_member(&mut self, items: &[Item], index: usize) {
        let (comma, span) = member_cut(&self.text, items, index);
        self.splice(span, "");
        if let Some(comma) = comma {
            self.splice(comma..comma + 1, "");
        }
    }

    pub(super) fn splice(&mut self, span: Range<usize>, inserted: &str) {
        self.splices.push(Splice {
            at: span.start,
            removed: self.text[span.clone()].to_owned(),
            inserted: inserted.to_owned(),
        });
        self.text.replace_range(span, inserted);
        self.tree = None;
    }
}

pub(super) fn below(path: &[String], name: &str) -> Vec<String> {
    let mut path = path.to_vec();
    path.push(name.to_owned());
    path
}

/// A null member is an absent one. Callers may not write it; a way back can hold one, where a file
/// held a number that JSON cannot express.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name.clone(), without_nulls(member)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Where a table's removal begins: at the one empty line in front of it, if there is one.
fn blank_line_before(text: &str, start: usize) -> usize {
    let Some(before) = text[..start].strip_suffix('\n') else {
        return start;
    };
    let before = before.strip_suffix('\r').unwrap_or(before);
    let empty = before.len() == text_start(text) || before.ends_with('\n');
    if empty { before.len() } else { start }
}

/// What to cut so that one member goes and exactly one comma with it: the comma alone where a
/// comment stands between the two, then the rest.
fn member_cut(text: &str, items: &[Item], index: usize) -> (Option<usize>, Range<usize>) {
    let item = &items[index];
    let blank = |span: Range<usize>| text[span].trim().is_empty();
    if let Some(comma) = item.comma {
        let next = items.get(index + 1).map(|next| next.span.start);
        let front = index.checked_sub(1).and_then(|at| items[at].comma);
        let span = match (next, front) {
            // The last one of a list with a comma at its end.
            (None, Some(front)) if blank(front + 1..item.span.start) => front + 1..comma + 1,
            (Some(next), _) if blank(comma + 1..next) => item.span.start..next,
            _ => item.span.start..comma + 1,
        };
        return (None, span);
    }
    let Some(before) = index.checked_sub(1).map(|at| &items[at]) else {
        // The only one: blanks around it go too, comments stay.
        let start = text[..item.span.start].trim_end_matches([' ', '\t']).len();
        let behind = &text[item.span.end..];
        let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
        return (None, start..item.span.end + blanks);
    };
    match before.comma {
        Some(comma) if blank(comma + 1..item.span.start) => {
            (None, before.value.span.end..item.span.end)
        }
        comma => (comma, item.span.clone()),
    }
}
