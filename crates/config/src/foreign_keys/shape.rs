//! What the reference takes at a key, and whether a value is that.
//!
//! An array in the place of a table is refused everywhere. The reference reads some tables from
//! arrays by position, which nobody means who writes a configuration.

use plugd_model::ProblemKind;

use crate::key_path::{Child, Field};
use crate::reader::Reader;
use crate::tree::{Kind, Node};

/// What may stand at a key.
#[derive(Debug)]
pub(super) enum Shape {
    /// A string.
    Text,
    /// A string that is not empty.
    Filled,
    /// A string of more than spaces.
    NotBlank,
    /// A boolean.
    Flag,
    /// An integer from the first to the last.
    Whole(i64, i64),
    /// A number that is a duration.
    Seconds,
    /// One of these strings.
    Words(&'static [&'static str]),
    /// An array.
    List(&'static Self),
    /// A table; a member that is not named may hold anything.
    Table(&'static [Member]),
    /// A table that has at least these members.
    Row(&'static [&'static str], &'static [Member]),
    /// A table whose member `type` says what else is in it.
    Tagged(&'static [Member]),
    /// A table with one of these members and no other.
    Variant(&'static [Member]),
    /// One or the other, of different types.
    Either(&'static Self, &'static Self),
}

/// A name with what stands there. The name `*` stands for every name that has no row of its own.
pub(super) type Member = (&'static str, Shape);

/// The most seconds that the reference can count.
const MOST_SECONDS: f64 = u64::MAX as f64;
const EMPTY_TEXT: &str = "the text must not be empty";

/// Notes a problem for everything that the reference would refuse in a value.
pub(super) fn check(reader: &mut Reader<'_>, node: &Node, field: &dyn Field, shape: &Shape) {
    if !shape.takes(node) {
        reader.wrong_type(node, field, &shape.expected());
        return;
    }
    let wrong = match (shape, &node.kind) {
        (Shape::Either(first, second), _) => {
            let shape = if first.takes(node) { first } else { second };
            check(reader, node, field, shape);
            None
        }
        (Shape::Table(known), Kind::Table(members)) => {
            check_members(reader, members, field, known);
            None
        }
        (Shape::Row(needed, known), Kind::Table(members)) => {
            check_members(reader, members, field, known);
            for name in needed.iter().filter(|name| node.get(name).is_none()) {
                let message = format!("the member `{name}` is missing");
                reader.error(ProblemKind::BadValue, node.mark, field, message);
            }
            None
        }
        (Shape::Tagged(variants), Kind::Table(_)) => check_variant(reader, node, field, variants),
        (Shape::List(shape), Kind::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                check(reader, item, &Child(field, &index.to_string()), shape);
            }
            None
        }
        (Shape::Variant(variants), Kind::Table(members)) => match members.as_slice() {
            [(name, _)] if find(variants, name).is_some() => {
                check_members(reader, members, field, variants);
                None
            }
            _ => Some(format!(
                "the table must have one member, `{}`",
                names(variants)
            )),
        },
        (Shape::Filled, Kind::Text(text)) if text.is_empty() => Some(EMPTY_TEXT.to_owned()),
        (Shape::NotBlank, Kind::Text(text)) if text.trim().is_empty() => {
            Some(EMPTY_TEXT.to_owned())
        }
        (Shape::Words(words), Kind::Text(text)) if !words.contains(&text.as_str()) => {
            let words = words.join("`, `");
            Some(format!("`{}` is none of `{words}`", text.escape_debug()))
        }
        (Shape::Whole(first, last), Kind::Integer(number)) => out_of_range(*number, *first, *last),
        (Shape::Seconds, Kind::Integer(number)) if *number < 0 => {
            Some("a duration is not negative".to_owned())
        }
        (Shape::Seconds, Kind::Float(number)) if !(0.0..MOST_SECONDS).contains(number) => {
            Some("a duration is neither negative nor infinite".to_owned())
        }
        _ => None,
    };
    if let Some(message) = wrong {
        reader.error(ProblemKind::BadValue, node.mark, field, message);
    }
}

/// Checks the members of a table that are known.
pub(super) fn check_members(
    reader: &mut Reader<'_>,
    members: &[(String, Node)],
    field: &dyn Field,
    known: &[Member],
) {
    for (name, node) in members {
        if let Some(shape) = find(known, name).or_else(|| find(known, "*")) {
            check(reader, node, &Child(field, name), shape);
        }
    }
}

/// The same at the top, where no field stands above.
pub(super) fn check_all(reader: &mut Reader<'_>, tree: &Node, known: &[Member]) {
    for (name, node) in tree.members().unwrap_or_default() {
        if let Some(shape) = find(known, name) {
            check(reader, node, &crate::KeyPath::of([name]), shape);
        }
    }
}

fn names(members: &[Member]) -> String {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    names.join("`, `")
}

fn find<'m>(known: &'m [Member], name: &str) -> Option<&'m Shape> {
    let (_, shape) = known.iter().find(|(known, _)| *known == name)?;
    Some(shape)
}

/// Checks the table by what its member `type` says.
fn check_variant(
    reader: &mut Reader<'_>,
    node: &Node,
    field: &dyn Field,
    variants: &[Member],
) -> Option<String> {
    let Some(tag) = node.get("type") else {
        return Some("the member `type` is missing".to_owned());
    };
    let Kind::Text(word) = &tag.kind else {
        reader.wrong_type(tag, &Child(field, "type"), "a string");
        return None;
    };
    match find(variants, word) {
        Some(shape) => check(reader, node, field, shape),
        None => {
            let word = word.escape_debug();
            let message = format!("`{word}` is none of `{}`", names(variants));
            let field = Child(field, "type");
            reader.error(ProblemKind::BadValue, tag.mark, &field, message);
        }
    }
    None
}

fn out_of_range(number: i64, first: i64, last: i64) -> Option<String> {
    if (first..=last).contains(&number) {
        return None;
    }
    Some(match last {
        i64::MAX => format!("{number} is less than {first}"),
        _ => format!("{number} is not between {first} and {last}"),
    })
}

impl Shape {
    /// Whether the value is of the right type, whatever is in it.
    fn takes(&self, node: &Node) -> bool {
        match self {
            Self::Text | Self::Filled | Self::NotBlank => matches!(node.kind, Kind::Text(_)),
            Self::Words(words) => match &node.kind {
                Kind::Text(_) => true,
                // The reference also takes the word as the name of an empty table.
                Kind::Table(members) => match members.as_slice() {
                    [(name, node)] => words.contains(&name.as_str()) && is_empty(node),
                    _ => false,
                },
                _ => false,
            },
            Self::Flag => matches!(node.kind, Kind::Bool(_)),
            Self::Whole(..) => matches!(node.kind, Kind::Integer(_)),
            Self::Seconds => matches!(node.kind, Kind::Integer(_) | Kind::Float(_)),
            Self::List(_) => matches!(node.kind, Kind::Array(_)),
            Self::Table(_) | Self::Row(..) | Self::Tagged(_) | Self::Variant(_) => {
                matches!(node.kind, Kind::Table(_))
            }
            Self::Either(first, second) => first.takes(node) || second.takes(node),
        }
    }

    /// The words for messages about another type.
    fn expected(&self) -> String {
        let words = match self {
            Self::Text | Self::Filled | Self::NotBlank | Self::Words(_) => "a string",
            Self::Flag => "a boolean",
            Self::Whole(..) => "an integer",
            Self::Seconds => "a number",
            Self::List(Self::Text) => "an array of strings",
            Self::List(_) => "an array",
            Self::Table(_) | Self::Row(..) | Self::Tagged(_) | Self::Variant(_) => "a table",
            Self::Either(first, second) => {
                return format!("{} or {}", first.expected(), second.expected());
            }
        };
        words.to_owned()
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Table(members) => members.is_empty(),
        Kind::Array(items) => items.is_empty(),
        _ => false,
    }
}
