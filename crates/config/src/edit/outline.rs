//! Where everything stands in a TOML text: headers, lines, and what is inside inline values, each
//! with its bytes.
//!
//! Only for text that has been parsed successfully; meaning is the business of [`crate::tree`].
//! Paths are absolute. An element of an array adds its index as a segment, so `[[a]]` is `a.0`.

use std::collections::HashMap;
use std::ops::Range;

use toml_parser::Source;
use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, parse_document};

/// One text, taken apart.
#[derive(Debug)]
pub(crate) struct Outline {
    /// In the order of the file. The first one is the part in front of all headers; it is always
    /// there.
    pub(crate) sections: Vec<Section>,
}

/// A header and the lines below it.
#[derive(Debug)]
pub(crate) struct Section {
    /// The table that the lines belong to.
    pub(crate) path: Vec<String>,
    /// The header's whole line with its line ending; `None` for the first section.
    pub(crate) header: Option<Range<usize>>,
    /// Whether the header is that of an array element (`[[a]]`).
    pub(crate) is_element: bool,
    /// The `key = value` lines.
    pub(crate) lines: Vec<Line>,
}

/// A `key = value` of a section.
#[derive(Debug)]
pub(crate) struct Line {
    /// The key and value themselves.
    pub(crate) item: Item,
    /// All its lines, from the start of the first to the end of the last with its line ending.
    pub(crate) span: Range<usize>,
}

/// A member of a table or an element of an array.
#[derive(Debug)]
pub(crate) struct Item {
    /// The key as written, taken apart at its dots; empty for an array element.
    pub(crate) keys: Vec<String>,
    /// From the first byte of the key, or of the value where there is none, to the value's last.
    pub(crate) span: Range<usize>,
    /// The value.
    pub(crate) value: Value,
    /// Where the comma behind it stands, inside brackets and braces.
    pub(crate) comma: Option<usize>,
}

/// A value with its bytes.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) span: Range<usize>,
    pub(crate) kind: ValueKind,
}

/// What edits need to know of a value.
#[derive(Debug)]
pub(crate) enum ValueKind {
    Scalar,
    Array(Vec<Item>),
    Inline(Vec<Item>),
}

impl Section {
    /// The bytes from the header, or the first line, to the end of the last line.
    pub(crate) fn span(&self) -> Option<Range<usize>> {
        let start = self
            .header
            .as_ref()
            .or(self.lines.first().map(|line| &line.span))?
            .start;
        let end = self
            .lines
            .last()
            .map(|line| &line.span)
            .or(self.header.as_ref())?
            .end;
        Some(start..end)
    }
}

impl Item {
    /// The path of this item when its container stands at `base`.
    pub(crate) fn path(&self, base: &[String]) -> Vec<String> {
        [base, self.keys.as_slice()].concat()
    }
}

impl Outline {
    /// Takes a text apart.
    pub(crate) fn of(text: &str) -> Self {
        let tokens = Source::new(text).lex().into_vec();
        let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
        // The text was parsed before, so there is nothing to report.
        parse_document(&tokens, &mut events, &mut ());
        let mut builder = Builder {
            text,
            sections: vec![Section {
                path: Vec::new(),
                header: None,
                is_element: false,
                lines: Vec::new(),
            }],
            elements: HashMap::new(),
            keys: Vec::new(),
            header: None,
            open: Vec::new(),
        };
        for event in &events {
            builder.take(event);
        }
        Self {
            sections: builder.sections,
        }
    }
}

/// Where the first line begins: behind the byte order mark.
pub(crate) fn text_start(text: &str) -> usize {
    if text.starts_with('\u{feff}') { 3 } else { 0 }
}

/// The start of the line that holds an offset.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    text[..offset]
        .rfind('\n')
        .map_or(text_start(text), |newline| newline + 1)
}

/// The end of the line that holds an offset, with its line ending.
pub(crate) fn line_end(text: &str, offset: usize) -> usize {
    text[offset..]
        .find('\n')
        .map_or(text.len(), |newline| offset + newline + 1)
}

/// A bracket or brace that is not closed yet.
struct Open {
    start: usize,
    is_array: bool,
    keys: Vec<(String, usize)>,
    items: Vec<Item>,
}

struct Builder<'t> {
    text: &'t str,
    sections: Vec<Section>,
    /// How many elements each array of tables has so far.
    elements: HashMap<Vec<String>, usize>,
    /// The keys of the header or line that is being read, each with its first byte.
    keys: Vec<(String, usize)>,
    /// The first byte of the header that is being read.
    header: Option<usize>,
    open: Vec<Open>,
}

impl Builder<'_> {
    fn take(&mut self, event: &Event) {
        let span = event.span().start()..event.span().end();
        match event.kind() {
            EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                self.header = Some(span.start);
                self.keys.clear();
            }
            EventKind::StdTableClose => self.section(false),
            EventKind::ArrayTableClose => self.section(true),
            EventKind::SimpleKey => {
                let key = (self.key(span.clone(), event.encoding()), span.start);
                match self.open.last_mut() {
                    Some(open) => open.keys.push(key),
                    None => self.keys.push(key),
                }
            }
            EventKind::ArrayOpen | EventKind::InlineTableOpen => self.open.push(Open {
                start: span.start,
                is_array: event.kind() == EventKind::ArrayOpen,
                keys: Vec::new(),
                items: Vec::new(),
            }),
            EventKind::ArrayClose | EventKind::InlineTableClose => {
                if let Some(open) = self.open.pop() {
                    let kind = if open.is_array {
                        ValueKind::Array(open.items)
                    } else {
                        ValueKind::Inline(open.items)
                    };
                    self.value(open.start..span.end, kind);
                }
            }
            EventKind::Scalar => self.value(span, ValueKind::Scalar),
            EventKind::ValueSep => {
                if let Some(item) = self.open.last_mut().and_then(|open| open.items.last_mut()) {
                    item.comma = Some(span.start);
                }
            }
            EventKind::KeySep
            | EventKind::KeyValSep
            | EventKind::Whitespace
            | EventKind::Comment
            | EventKind::Newline
            | EventKind::Error => {}
        }
    }

    fn key(&self, span: Range<usize>, encoding: Option<Encoding>) -> String {
        let raw = &self.text[span.clone()];
        let span = toml_parser::Span::new_unchecked(span.start, span.end);
        let mut decoded = String::new();
        toml_parser::Raw::new_unchecked(raw, encoding, span).decode_key(&mut decoded, &mut ());
        decoded
    }

    fn section(&mut self, is_element: bool) {
        let Some(start) = self.header.take() else {
            return;
        };
        let mut path = Vec::new();
        let last = self.keys.len().saturating_sub(1);
        for (index, (key, _)) in std::mem::take(&mut self.keys).into_iter().enumerate() {
            path.push(key);
            if is_element && index == last {
                let count = self.elements.entry(path.clone()).or_insert(0);
                path.push(count.to_string());
                *count += 1;
            } else if let Some(count) = self.elements.get(&path) {
                // A header below an array of tables speaks of its newest element.
                path.push(count.saturating_sub(1).to_string());
            }
        }
        let header = line_start(self.text, start)..line_end(self.text, start);
        self.sections.push(Section {
            path,
            header: Some(header),
            is_element,
            lines: Vec::new(),
        });
    }

    fn value(&mut self, span: Range<usize>, kind: ValueKind) {
        let keys = match self.open.last_mut() {
            Some(open) => std::mem::take(&mut open.keys),
            None => std::mem::take(&mut self.keys),
        };
        let start = keys.first().map_or(span.start, |(_, start)| *start);
        let item = Item {
            keys: keys.into_iter().map(|(key, _)| key).collect(),
            span: start..span.end,
            value: Value { span, kind },
            comma: None,
        };
        if let Some(open) = self.open.last_mut() {
            open.items.push(item);
            return;
        }
        let span = line_start(self.text, item.span.start)..line_end(self.text, item.span.end);
        if let Some(section) = self.sections.last_mut() {
            section.lines.push(Line { item, span });
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Item, Outline, ValueKind};

    fn show(item: &Item, text: &str) -> String {
        let inner = match &item.value.kind {
            ValueKind::Scalar => text[item.value.span.clone()].to_owned(),
            ValueKind::Array(items) | ValueKind::Inline(items) => {
                let items: Vec<_> = items.iter().map(|item| show(item, text)).collect();
                format!("({})", items.join(" "))
            }
        };
        let comma = if item.comma.is_some() { "," } else { "" };
        format!("{}={inner}{comma}", item.keys.join("/"))
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut rows = Vec::new();
        for section in &Outline::of(text).sections {
            if let Some(header) = &section.header {
                rows.push(format!(
                    "{} {:?}",
                    section.path.join("/"),
                    &text[header.clone()]
                ));
            }
            for line in &section.lines {
                rows.push(format!(
                    "{} {:?}",
                    show(&line.item, text),
                    &text[line.span.clone()]
                ));
            }
        }
        assert_eq!(rows, expected);
    }

    #[test]
    fn sections_and_lines() {
        check(
            "\u{feff}a.\"b c\" = 1 # x\r\n\r\n [ t . 'u' ] # y\r\n  k = \"\"\"\nz\"\"\"",
            &[
                "a/b c=1 \"a.\\\"b c\\\" = 1 # x\\r\\n\"",
                "t/u \" [ t . 'u' ] # y\\r\\n\"",
                "k=\"\"\"\nz\"\"\" \"  k = \\\"\\\"\\\"\\nz\\\"\\\"\\\"\"",
            ],
        );
    }

    #[test]
    fn arrays_of_tables_are_counted() {
        check(
            "[[a]]\n[a.b]\n[[a]]\n[[a.c]]\n[a.c.d]\n",
            &[
                "a/0 \"[[a]]\\n\"",
                "a/0/b \"[a.b]\\n\"",
                "a/1 \"[[a]]\\n\"",
                "a/1/c/0 \"[[a.c]]\\n\"",
                "a/1/c/0/d \"[a.c.d]\\n\"",
            ],
        );
    }

    #[test]
    fn inline_values() {
        check(
            "a = { b.c = [1, 2,], d = {} }\n",
            &["a=(b/c=(=1, =2,), d=()) \"a = { b.c = [1, 2,], d = {} }\\n\""],
        );
    }
}
