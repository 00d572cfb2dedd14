//! Insertions: where a key that is not there yet goes, in the form its neighbours have.
//!
//! The rules are those of [`super::splice`]; an insertion never changes a byte that is there.

use std::ops::Range;

use serde_json::{Map, Value};

use super::locate::{Spot, locate};
use super::outline::{Item, Outline, Section, ValueKind, line_end, line_start, text_start};
use super::splice::{Editor, SpliceError, below, without_nulls};
use crate::encode;

impl Editor<'_> {
    /// Adds an element behind those of an array; an array that is not there is made.
    pub(crate) fn append(&mut self, path: &[String], value: &Value) -> Result<(), SpliceError> {
        let value = &without_nulls(value);
        match self.current(path) {
            Some(Value::Array(items)) => self.insert(&below(path, &items.len().to_string()), value),
            Some(_) => Err(SpliceError::NotAnArray),
            None => self.first_element(path, value),
        }
    }

    /// Makes an array: of tables with headers where they may stand, else in brackets.
    fn first_element(&mut self, path: &[String], value: &Value) -> Result<(), SpliceError> {
        let outline = Outline::of(&self.text);
        let has_headers = |depth: usize| match locate(&outline, &path[..depth]) {
            Spot::Absent => None,
            Spot::Spread { lines, .. } => Some(lines.is_empty()),
            _ => Some(false),
        };
        let in_headers = (0..path.len()).rev().find_map(has_headers);
        // A header names a table absolutely and cannot say which element of an array it means.
        let in_element = outline.sections.iter().any(|section| {
            let array = section.path.split_last().map(|(_, array)| array);
            section.is_element && array.is_some_and(|array| path.starts_with(array))
        });
        let parent = &path[..path.len().saturating_sub(1)];
        match value.as_object() {
            Some(members) if in_headers == Some(true) && !in_element => {
                let lines = element(path, members)?;
                self.add_section(&outline, parent, &lines);
                Ok(())
            }
            _ => self.insert(path, &Value::Array(vec![value.clone()])),
        }
    }

    /// Adds a key that is not there.
    pub(super) fn insert(&mut self, path: &[String], value: &Value) -> Result<(), SpliceError> {
        let outline = Outline::of(&self.text);
        for depth in (0..path.len()).rev() {
            let (above, rest) = path.split_at(depth);
            match locate(&outline, above) {
                Spot::Absent => {}
                Spot::Blocked => return Err(SpliceError::NotATable),
                Spot::Line { section, line } => {
                    let item = &outline.sections[section].lines[line].item;
                    return self.insert_inside(item, rest, value);
                }
                Spot::Member { items, index, .. } => {
                    return self.insert_inside(&items[index], rest, value);
                }
                Spot::Dotted {
                    items,
                    indices,
                    base,
                } => {
                    let last = indices.last().map_or(0, |&index| index);
                    let written = encode::line(&path[base..], value)?;
                    let end = items[last].value.span.end;
                    self.splice(end..end, &format!(", {written}"));
                    return Ok(());
                }
                Spot::Spread {
                    sections, lines, ..
                } => {
                    if let Some(&(section, line)) = lines.last() {
                        let section = &outline.sections[section];
                        let keys = &path[section.path.len()..];
                        let written = encode::line(keys, value)?;
                        self.add_line(section.lines[line].span.clone(), &written);
                        return Ok(());
                    }
                    return self.insert_into_sections(&outline, &sections, above, rest, value);
                }
            }
        }
        Err(SpliceError::NotATable)
    }

    /// Adds to a table that is written with headers.
    fn insert_into_sections(
        &mut self,
        outline: &Outline,
        sections: &[usize],
        above: &[String],
        rest: &[String],
        value: &Value,
    ) -> Result<(), SpliceError> {
        let section = |&index: &usize| &outline.sections[index];
        let is_child = |s: &&Section| s.is_element && s.path.len() == above.len() + 1;
        let elements = sections.iter().map(section).filter(is_child).count();
        if elements > 0 {
            return self.append_element(outline, above, elements, rest, value);
        }
        let own = sections.iter().map(section).find(|s| s.path == above);
        // A header names a table absolutely and cannot say which element of an array it means.
        let in_element = outline
            .sections
            .iter()
            .any(|s| s.is_element && above.starts_with(&s.path));
        if let Some(own) = own
            && (in_element || (rest.len() == 1 && !value.is_object()))
        {
            let written = encode::line(rest, value)?;
            self.add_to_section(outline, own, &written);
            return Ok(());
        }
        let whole = [above, rest].concat();
        let (table, lines) = if let Some(members) = value.as_object() {
            (whole.as_slice(), encode::section(&whole, members)?)
        } else {
            let (name, table) = whole.split_last().ok_or(SpliceError::NotATable)?;
            let line = encode::line(std::slice::from_ref(name), value)?;
            (table, vec![format!("[{}]", encode::dotted(table)), line])
        };
        let parent = &table[..table.len().saturating_sub(1)];
        self.add_section(outline, parent, &lines);
        Ok(())
    }

    /// Adds a `[[header]]` behind those that are there.
    fn append_element(
        &mut self,
        outline: &Outline,
        array: &[String],
        count: usize,
        rest: &[String],
        value: &Value,
    ) -> Result<(), SpliceError> {
        let [index] = rest else {
            return Err(SpliceError::NotATable);
        };
        let Some(members) = value.as_object().filter(|_| *index == count.to_string()) else {
            return Err(SpliceError::NotATable);
        };
        let mut name = Vec::new();
        for end in 1..=array.len() {
            let is_index = outline
                .sections
                .iter()
                .any(|s| s.is_element && s.path == array[..end]);
            if !is_index {
                name.push(array[end - 1].clone());
            }
        }
        let lines = element(&name, members)?;
        self.add_section(outline, array, &lines);
        Ok(())
    }

    /// Adds to a table in braces or an array in brackets.
    fn insert_inside(
        &mut self,
        item: &Item,
        rest: &[String],
        value: &Value,
    ) -> Result<(), SpliceError> {
        let (items, written, pad) = match &item.value.kind {
            ValueKind::Scalar => return Err(SpliceError::NotATable),
            ValueKind::Inline(items) => (items, encode::line(rest, value)?, " "),
            ValueKind::Array(items) => match rest {
                [index] if *index == items.len().to_string() => (items, encode::value(value)?, ""),
                _ => return Err(SpliceError::NotATable),
            },
        };
        if let Some(last) = items.last() {
            let end = last.value.span.end;
            // An array with an element per line stays one.
            let lead = &self.text[line_start(&self.text, last.span.start)..last.span.start];
            let own_line = pad.is_empty() && !lead.is_empty() && lead.trim().is_empty();
            let gap = match own_line {
                true => format!("{}{lead}", self.newline),
                false => " ".to_owned(),
            };
            self.splice(end..end, &format!(",{gap}{written}"));
            return Ok(());
        }
        let open = item.value.span.start + 1;
        let close = item.value.span.end - 1;
        match self.text[open..close].is_empty() {
            true => self.splice(open..open, &format!("{pad}{written}{pad}")),
            // A comment in front must keep its line, so the new member stands behind it all.
            false => self.splice(close..close, &format!("{written}{pad}")),
        }
        Ok(())
    }

    /// Adds a line to a table: behind its last line, else behind its header.
    fn add_to_section(&mut self, outline: &Outline, section: &Section, written: &str) {
        if let Some(line) = section.lines.last() {
            self.add_line(line.span.clone(), written);
        } else if let Some(header) = &section.header {
            self.add_line(header.clone(), written);
        } else if let Some(first) = outline.sections.get(1).and_then(Section::span) {
            // In front of all headers, and of the comment that belongs to the first one.
            let mut at = first.start;
            while at > text_start(&self.text) {
                let above = line_start(&self.text, at - 1);
                if !self.text[above..at].trim_start().starts_with('#') {
                    break;
                }
                at = above;
            }
            let line = format!("{written}{}", self.newline);
            self.splice(at..at, &line);
        } else {
            self.add_at_end(&[written.to_owned()], false);
        }
    }

    /// Adds a line behind another one, indented alike.
    fn add_line(&mut self, behind: Range<usize>, written: &str) {
        let first = &self.text[behind.clone()];
        let indent = first[..first.len() - first.trim_start_matches([' ', '\t']).len()].to_owned();
        let line = match first.ends_with('\n') {
            true => format!("{indent}{written}{}", self.newline),
            false => format!("{}{indent}{written}", self.newline),
        };
        self.splice(behind.end..behind.end, &line);
    }

    /// Adds a table behind the last one of its parent, else at the end.
    fn add_section(&mut self, outline: &Outline, parent: &[String], lines: &[String]) {
        let sibling = outline
            .sections
            .iter()
            .rev()
            .find(|s| !parent.is_empty() && s.header.is_some() && s.path.starts_with(parent))
            .and_then(Section::span);
        let Some(span) = sibling else {
            return self.add_at_end(lines, true);
        };
        // Comments right below the last line belong to it, unless a header follows them directly.
        let mut at = span.end;
        let mut end = span.end;
        while end < self.text.len() {
            let next = line_end(&self.text, end);
            let line = self.text[end..next].trim();
            if line.starts_with('[') {
                break;
            }
            if !line.starts_with('#') {
                at = end;
                break;
            }
            end = next;
            if end == self.text.len() {
                at = end;
            }
        }
        if at == self.text.len() {
            return self.add_at_end(lines, true);
        }
        let mut block = self.newline.to_owned();
        for line in lines {
            block.push_str(line);
            block.push_str(self.newline);
        }
        self.splice(at..at, &block);
    }

    /// Adds lines at the end. A file that ends without a line ending still does afterwards.
    fn add_at_end(&mut self, lines: &[String], blank: bool) {
        let end = self.text.len();
        let is_empty = end == text_start(&self.text);
        let closed = is_empty || self.text.ends_with('\n');
        let mut block = String::new();
        if blank && !is_empty {
            block.push_str(self.newline);
        }
        if !closed {
            block.push_str(self.newline);
        }
        block.push_str(&lines.join(self.newline));
        if closed {
            block.push_str(self.newline);
        }
        self.splice(end..end, &block);
    }
}

/// The lines of an element under its own header.
fn element(name: &[String], members: &Map<String, Value>) -> Result<Vec<String>, SpliceError> {
    let mut lines = vec![format!("[[{}]]", encode::dotted(name))];
    for (key, member) in members {
        lines.push(encode::line(std::slice::from_ref(key), member)?);
    }
    Ok(lines)
}
