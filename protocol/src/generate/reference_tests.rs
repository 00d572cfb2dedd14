//! The page names everything, once, and says of errors what the prose says.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use super::super::effects::EFFECTS;
use super::{cell, method_reference};
use crate::{ErrorKind, METHODS, NOTIFICATIONS};

const README: &str = include_str!("../../README.md");

fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let heading = format!("\n### `{name}`\n");
    let start = page.find(&heading).expect(&heading) + heading.len();
    let rest = &page[start..];
    &rest[..rest.find("\n#").unwrap_or(rest.len())]
}

#[test]
fn every_method_has_its_row_of_effects_in_order() {
    let rows: Vec<_> = EFFECTS.iter().map(|row| row.method).collect();
    let methods: Vec<_> = METHODS.iter().map(|method| method.name).collect();
    assert_eq!(rows, methods);
    for row in EFFECTS {
        let places: Vec<_> = row
            .errors
            .iter()
            .map(|kind| ErrorKind::ALL.iter().position(|other| other == kind))
            .collect();
        assert!(places.is_sorted(), "{}", row.method);
        for name in row.notifications {
            let is_known = NOTIFICATIONS.iter().any(|known| known.name == *name);
            assert!(is_known, "{}: {name}", row.method);
        }
    }
}

#[test]
fn every_message_has_a_section_with_its_members() {
    let page = method_reference().content;
    for method in METHODS {
        let section = section(&page, method.name);
        assert!(section.contains(method.summary), "{}", method.name);
        for part in [
            "Origin: ",
            "Waits for: ",
            "Params (`",
            "Result (`",
            "Errors: ",
        ] {
            assert!(section.contains(part), "{}: {part}", method.name);
        }
    }
    for notification in NOTIFICATIONS {
        let section = section(&page, notification.name);
        assert!(section.contains(notification.summary), "{section}");
    }
    let list = section(&page, "plugin/list");
    assert!(
        list.contains("| `cwds` | `Array<AbsolutePathBuf> \\| null` | optional |"),
        "{list}"
    );
    assert!(list.contains("| `marketplaces` | `Array<PluginMarketplaceEntry>` | always |"));
}

#[test]
fn every_type_that_is_named_is_described() {
    let page = method_reference().content;
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    let tables = page
        .lines()
        .filter_map(|line| line.split_once(" (`")?.1.split('`').next());
    let described: BTreeSet<_> = headings.chain(tables).collect();
    let named = page.split(|c: char| !c.is_alphanumeric());
    let types: BTreeSet<_> = named
        .filter(|word| word.starts_with("Plugd") && *word != "Plugd")
        .collect();
    assert!(types.len() > 10, "{types:?}");
    let missing: Vec<_> = types.difference(&described).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}

#[test]
fn tables_have_four_cells() {
    let page = method_reference().content;
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let bars = row.matches('|').count() - row.matches("\\|").count();
        assert_eq!(bars, 5, "{row}");
    }
}

/// What the prose says can be answered to a method: the kinds in its lines about errors.
fn errors_in_prose(method: &str) -> BTreeSet<&'static str> {
    // The two configuration writes share their paragraph.
    let method = match method {
        "config/batchWrite" => "config/value/write",
        other => other,
    };
    let lines = section(README, method)
        .lines()
        .filter(|line| line.starts_with("Errors") || line.starts_with("Besides them"));
    let named = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let named: BTreeSet<_> = named.collect();
    let words = ErrorKind::ALL.iter().map(|kind| kind.word());
    words.filter(|word| named.contains(word)).collect()
}

#[test]
fn the_prose_and_the_page_name_the_same_errors() {
    for row in EFFECTS {
        let words: BTreeSet<_> = row.errors.iter().map(|kind| kind.word()).collect();
        assert_eq!(words, errors_in_prose(row.method), "{}", row.method);
    }
}

#[test]
fn a_cell_stays_one() {
    for (text, expected) in [("one", "one"), ("a\n\nb  c", "a b c"), ("a | b", "a \\| b")] {
        assert_eq!(cell(text), expected);
    }
}
