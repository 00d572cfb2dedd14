//! Finding a key path in an [`Outline`], in whatever form the key is written.

use super::outline::{Item, Outline, Value, ValueKind};

/// In which form a path stands in a text.
#[derive(Debug)]
pub(crate) enum Spot<'o> {
    /// Nowhere.
    Absent,
    /// It cannot stand anywhere: something above it is no table.
    Blocked,
    /// A `key = value` line.
    Line { section: usize, line: usize },
    /// A member or element inside braces or brackets.
    Member { items: &'o [Item], index: usize },
    /// A table made of headers, and of dotted lines of headers above it.
    Spread {
        /// The sections at or below the path, in order.
        sections: Vec<usize>,
        /// The dotted lines that pass through the path, as section and line, in order.
        lines: Vec<(usize, usize)>,
    },
    /// A table made of dotted members inside braces.
    Dotted {
        items: &'o [Item],
        /// The members that pass through the path.
        indices: Vec<usize>,
        /// How many segments of the path name the braces.
        base: usize,
    },
}

/// Finds a path; the empty one is the whole document.
pub(crate) fn locate<'o>(outline: &'o Outline, path: &[String]) -> Spot<'o> {
    let mut sections = Vec::new();
    let mut lines = Vec::new();
    for (section_index, section) in outline.sections.iter().enumerate() {
        if section.path.starts_with(path) && (section.header.is_some() || path.is_empty()) {
            sections.push(section_index);
            continue;
        }
        if !path.starts_with(&section.path) {
            continue;
        }
        for (line_index, line) in section.lines.iter().enumerate() {
            let full = line.item.path(&section.path);
            if full == path {
                return Spot::Line {
                    section: section_index,
                    line: line_index,
                };
            }
            if full.starts_with(path) {
                lines.push((section_index, line_index));
            } else if path.starts_with(&full) {
                return inside(&line.item.value, path, full.len());
            }
        }
    }
    if sections.is_empty() && lines.is_empty() {
        return Spot::Absent;
    }
    Spot::Spread { sections, lines }
}

/// Goes on inside a value whose own path is the first `base` segments.
fn inside<'o>(value: &'o Value, path: &[String], base: usize) -> Spot<'o> {
    let rest = &path[base..];
    match &value.kind {
        ValueKind::Scalar => Spot::Blocked,
        ValueKind::Array(items) => {
            let Some(index) = rest.first().and_then(|text| text.parse::<usize>().ok()) else {
                return Spot::Blocked;
            };
            match items.get(index) {
                None => Spot::Absent,
                Some(_) if rest.len() == 1 => Spot::Member { items, index },
                Some(item) => inside(&item.value, path, base + 1),
            }
        }
        ValueKind::Inline(items) => {
            let mut indices = Vec::new();
            for (index, item) in items.iter().enumerate() {
                if item.keys == rest {
                    return Spot::Member { items, index };
                }
                if item.keys.starts_with(rest) {
                    indices.push(index);
                } else if rest.starts_with(&item.keys) {
                    return inside(&item.value, path, base + item.keys.len());
                }
            }
            if indices.is_empty() {
                return Spot::Absent;
            }
            Spot::Dotted {
                items,
                indices,
                base,
            }
        }
    }
}
