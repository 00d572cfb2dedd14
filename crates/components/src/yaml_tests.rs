//! What is read of YAML, and where it ends.

use plugd_model::Place;
use pretty_assertions::assert_eq;

use super::{Value, Yaml, YamlError, parse};

/// Prints a tree in one line: `{a: [b]}`, quoted scalars in quotes.
fn show(node: &Yaml) -> String {
    match &node.value {
        Value::Scalar { text, plain: true } => text.clone(),
        Value::Scalar { text, plain: false } => format!("{text:?}"),
        Value::Sequence(items) => {
            let items: Vec<_> = items.iter().map(|item| show(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(pairs) => {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(key, value)| format!("{}: {}", show(key), show(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let shown = match parse(text, 1) {
        Ok(Some(node)) => show(&node),
        Ok(None) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected);
}

#[test]
fn documents() {
    check("a: 1.50\nb: [x, 'y']", "{a: 1.50, b: [x, \"y\"]}");
    check("a: >-\n  b: c\n  d", "{a: \"b: c d\"}");
    check("a: &x foo\nb: *x", "{a: foo, b: foo}");
    check("a: !t foo", "{a: foo}");
    check("", "nothing");
    check("# only a comment", "nothing");
    check("a: b\n...\nc: d", "there is more than one YAML document");
    check(
        "a: &x [*x]",
        "an alias leads back to the node that contains it",
    );
}

#[test]
fn tabs_where_yaml_allows_them() {
    check("a:\tb\nc:\t\t-1", "{a: b, c: -1}");
    check("a:\t\"q\"\nb:\n  c:\td", "{a: \"q\", b: {c: d}}");
    check("a: \"b\n\tc\"\nd: 'e\n \t f'", "{a: \"b c\", d: \"e f\"}");
    check("é: x\na:\tb # é:\tc", "{é: x, a: b}");
    check("a: |\n  b:\tc\nd:\te", "{a: \"b:\\tc\\n\", d: e}");
    for wrong in [
        "a:\n\tb: c",
        "a: b\n\tc",
        "a:\n\t- b",
        "a:\t- b",
        "a:\tb: c",
    ] {
        let error = parse(wrong, 1).unwrap_err();
        assert!(
            matches!(error, YamlError::Syntax { .. }),
            "{wrong:?}: {error}"
        );
    }
    // The place is that in the text as it was written.
    let error = parse("a:\tb\nc:\td: e", 2).unwrap_err().place();
    assert_eq!((error.line, error.column), (3, 5));
    // Many are mended, and a hostile number costs a bounded time.
    assert!(parse(&"a:\tb\n".repeat(500), 1).is_ok());
    assert!(parse(&"a:\tb\n".repeat(50_000), 1).is_err());
}

#[test]
fn a_place_lies_inside_the_text_whatever_the_parser_takes_for_a_line() {
    let check = |text: &str, expected: Place| {
        let error = parse(text, 1).unwrap_err();
        assert_eq!(error.place(), expected, "{text:?}");
    };
    // A text that ends without a line break has no line behind it.
    check("a: b\nc", Place { line: 2, column: 2 });
    // A return is a line break for YAML only.
    check("a: b\rc: [\n", Place { line: 2, column: 1 });
    check(
        "a: b\rc: d: e\n",
        Place {
            line: 1,
            column: 10,
        },
    );
}

#[test]
fn control_characters_are_refused_with_their_place() {
    for bad in [
        '\0', '\u{7}', '\u{b}', '\u{1b}', '\u{7f}', '\u{9f}', '\u{fffe}',
    ] {
        for text in [format!("a: b\nc: d{bad}e"), format!("a: b\nc: #{bad}")] {
            let error = parse(&text, 2).unwrap_err();
            assert!(matches!(error, YamlError::Control { .. }), "{error}");
            assert_eq!(error.place().line, 3);
        }
    }
    check("a: \"b\\u0007\"", "{a: \"b\\u{7}\"}");
    check(
        "a: b\u{a0}\u{e000}\u{1f600}",
        "{a: b\u{a0}\u{e000}\u{1f600}}",
    );
}

#[test]
fn errors_have_their_place_in_the_file() {
    let error = parse("a: b\nc: d: e", 2).unwrap_err();
    let place = error.place();
    assert_eq!((place.line, place.column), (3, 5), "{error}");
}

#[test]
fn nothing_grows_without_bounds() {
    let too_large = |text: &str| matches!(parse(text, 1), Err(YamlError::TooLarge { .. }));
    assert!(too_large(&"- ".repeat(70)));
    assert!(too_large(&"- a\n".repeat(100_001)));
    // Each line is one level above the former, without any nesting in the text.
    let chain: String = (1..80)
        .map(|i| format!("- &a{i} [*a{}]\n", i - 1))
        .collect();
    assert!(too_large(&format!("- &a0 x\n{chain}")));
    // Doubling at each level costs one node per line, not two to the power of lines.
    let bomb: String = (1..60)
        .map(|i| format!("- &a{i} [*a{0}, *a{0}]\n", i - 1))
        .collect();
    assert!(parse(&format!("- &a0 x\n{bomb}"), 1).is_ok());
    for text in ["[", "{", "? "] {
        assert!(parse(&text.repeat(100_000), 1).is_err());
    }
}
