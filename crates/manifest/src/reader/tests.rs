//! The checks that every file passes first, and the splitting of objects and arrays.

use plugd_model::{AbsPath, Problem};
use pretty_assertions::assert_eq;

use super::{MAX_MEMBERS, MAX_PROBLEMS, Path, Reader, Value};
use crate::MAX_NESTING;
use crate::json::Shape;
use crate::testing::{row, rows};

const LIMIT: u64 = 64 * 1024 * 1024;

fn file() -> AbsPath {
    AbsPath::new("/f.json").unwrap()
}

/// Opens a file and splits its object; gives the problem when one of both fails.
fn open(bytes: &[u8]) -> Result<Vec<String>, Problem> {
    let file = file();
    let mut reader = Reader::new(bytes, LIMIT, &file)?;
    let root = reader.root();
    reader.object(root)?;
    Ok(rows(&reader.finish()))
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &str, words: &str) {
    let problem = open(bytes).unwrap_err();
    assert_eq!(row(&problem), expected);
    assert!(problem.message.contains(words), "{}", problem.message);
    assert_eq!(problem.path, Some(file()));
}

#[test]
fn a_byte_order_mark_is_named() {
    check_refused(b"\xEF\xBB\xBF{}", "error syntax - 1:1", "byte order mark");
}

#[test]
fn invalid_utf8_is_named_with_its_place() {
    check_refused(b"{\n\"\xFF\"}", "error syntax - 2:2", "UTF-8");
    check_refused(b"\xFF\xFE{\0}\0", "error syntax - 1:1", "UTF-8");
}

#[test]
fn broken_json_has_its_place() {
    check_refused(b"", "error syntax - 1:1", "empty");
    check_refused(
        b"{\n  \"a\": 1,\n  \"b\" 2\n}",
        "error syntax - 3:7",
        "expected `:`",
    );
    check_refused(b"{} x", "error syntax - 1:4", "trailing");
    check_refused(b"{\"a\":1,}", "error syntax - 1:7", "a comma too many");
    check_refused(b"// no\n{}", "error syntax - 1:1", "no comments");
    check_refused(
        "{\"ä\": x}".as_bytes(),
        "error syntax - 1:7",
        "expected value",
    );
    check_refused(b"{\"a\":", "error syntax - 1:5", "EOF");
    check_refused(b"\"\xC3\xA4\n\"", "error syntax - 1:3", "control character");
}

#[test]
fn only_an_object_is_an_object() {
    for text in ["[]", "[1]", "null", "1", "true", "\"x\""] {
        check_refused(
            text.as_bytes(),
            "error wrongType - 1:1",
            "expected an object",
        );
    }
    check_refused(b"\n  [\"m\",[]]", "error wrongType - 2:3", "found an array");
}

#[test]
fn half_a_surrogate_pair_in_a_name_is_refused() {
    check_refused(br#"{"a":1,"\ud800":2}"#, "error syntax - 1:1", "hex escape");
}

fn nested(levels: usize) -> String {
    format!(
        "{{\"a\":{}{}}}",
        "[".repeat(levels - 1),
        "]".repeat(levels - 1)
    )
}

#[test]
fn nesting_is_bounded() {
    assert_eq!(open(nested(MAX_NESTING).as_bytes()), Ok(vec![]));
    for levels in [MAX_NESTING + 1, 200, 1_000_000] {
        check_refused(
            nested(levels).as_bytes(),
            "error tooLarge - 1:133",
            "128 levels",
        );
    }
    // Unbalanced, so it is no JSON either; the depth is what is said.
    check_refused(
        "[".repeat(500).as_bytes(),
        "error tooLarge - 1:129",
        "128 levels",
    );
}

#[test]
fn brackets_in_strings_are_no_nesting() {
    let brackets = "[{".repeat(500);
    let text = format!("{{\"a\":\"\\\"{brackets}\",\"b\":\"\\\\\",\"c\":[]}}");
    assert_eq!(open(text.as_bytes()), Ok(vec![]));
}

#[test]
fn size_is_bounded() {
    let file = file();
    assert!(Reader::new(b"{  }", 4, &file).is_ok());
    let problem = Reader::new(b"{   }", 4, &file).err().unwrap();
    assert_eq!(row(&problem), "error tooLarge - -");
}

#[test]
fn the_last_of_two_members_counts() {
    let file = file();
    let text = b"{\n\"a\":1,\n\"b\":2,\n\"a\":3,\"\\u0061\":4}";
    let mut reader = Reader::new(text, LIMIT, &file).unwrap();
    let root = reader.root();
    let object = reader.object(root).unwrap();
    assert_eq!(object.get("a").unwrap().raw, "4");
    let order: Vec<_> = object.iter().map(|(key, value)| (key, value.raw)).collect();
    assert_eq!(order, [("a", "4"), ("b", "2")]);
    assert_eq!(
        rows(&reader.finish()),
        ["warning duplicate a 4:5", "warning duplicate a 4:16"]
    );
}

#[test]
fn null_is_a_value_or_none() {
    let file = file();
    let mut reader = Reader::new(b"{\"a\":null}", LIMIT, &file).unwrap();
    let root = reader.root();
    let object = reader.object(root).unwrap();
    assert_eq!(object.get("a").unwrap().shape(), Shape::Null);
    assert!(object.get_some("a").is_none());
    assert!(object.get("b").is_none());
}

#[test]
fn members_are_bounded() {
    let members: Vec<_> = (0..MAX_MEMBERS + 5)
        .map(|n| format!("\"m{n}\":{n}"))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    assert_eq!(
        open(text.as_bytes()),
        Ok(vec!["warning tooLarge - 1:1".to_owned()])
    );
}

#[test]
fn elements_are_bounded() {
    let file = file();
    let mut reader = Reader::new(b"[1, 2 ,[3],4]", LIMIT, &file).unwrap();
    let root = reader.root();
    assert_eq!(reader.elements(&root, 4).unwrap(), ["1", "2", "[3]", "4"]);
    assert_eq!(reader.elements(&root, 3).unwrap(), ["1", "2", "[3]"]);
    assert_eq!(rows(&reader.finish()), ["warning tooLarge - 1:1"]);
}

#[test]
fn problems_are_bounded_and_the_rest_is_counted() {
    let file = file();
    let mut reader = Reader::new(b"{}", LIMIT, &file).unwrap();
    let root = reader.root();
    for _ in 0..MAX_PROBLEMS + 7 {
        let problem = reader.wrong_type(&root, "something");
        reader.report(problem);
    }
    let problems = reader.finish();
    assert_eq!(problems.len(), MAX_PROBLEMS + 1);
    assert_eq!(
        problems[MAX_PROBLEMS].message,
        "7 more problems are not listed"
    );
}

#[test]
fn what_is_read_quietly_leaves_nothing_behind() {
    let file = file();
    let mut reader = Reader::new(b"{}", LIMIT, &file).unwrap();
    let root = reader.root();
    let problem = reader.wrong_type(&root, "something");
    reader.report(problem.clone());
    for _ in 0..MAX_PROBLEMS + 7 {
        reader.quietly(|reader| {
            let problem = reader.wrong_type(&root, "something else");
            reader.report(problem);
        });
    }
    assert_eq!(reader.finish(), [problem]);
}

#[test]
fn a_part_of_a_file_tells_places_of_the_file() {
    let file = file();
    let (before, part) = ("{\n  \"é\": ", "[1,\n2]");
    let whole = format!("{before}{part}}}");
    let from_whole = Reader::new(whole.as_bytes(), LIMIT, &file).unwrap();
    let raw = &whole[before.len()..][..part.len()];
    let value = |raw| Value {
        raw,
        path: Path::Root,
    };
    let start = from_whole.place(&value(raw));
    assert_eq!(from_whole.range(&value(raw)), before.len()..whole.len() - 1);
    let from_part = Reader::of_part(raw, &file, start);
    for offset in 0..raw.len() {
        let at = value(&raw[offset..]);
        assert_eq!(from_part.place(&at), from_whole.place(&at), "{offset}");
    }
}

#[test]
fn messages_are_bounded() {
    let file = file();
    let reader = Reader::new(b"{}", LIMIT, &file).unwrap();
    let problem = reader.error(
        &reader.root(),
        plugd_model::ProblemKind::BadName,
        "é".repeat(100_000),
    );
    assert_eq!(problem.message.chars().count(), 401);
}

#[test]
fn paths_of_members() {
    let object = Path::Member(&Path::Root, "plugins");
    let element = Path::Element(&object, 3);
    let member = Path::Member(&element, "$schema");
    assert_eq!(member.to_string(), "plugins[3].$schema");
    let odd = Path::Member(&member, "com.openai");
    assert_eq!(odd.to_string(), "plugins[3].$schema.\"com.openai\"");
    let hostile = Path::Member(&Path::Root, "a\n\"\u{202e}");
    assert_eq!(hostile.to_string(), "\"a\\n\\\"\\u{202e}\"");
    let long = "x".repeat(1_000);
    let long = Path::Member(&Path::Root, &long);
    assert_eq!(long.to_string().chars().count(), 67);
}

#[test]
fn a_value_from_elsewhere_has_some_place() {
    let file = file();
    let reader = Reader::new(b"{}", LIMIT, &file).unwrap();
    let elsewhere = String::from("5");
    let value = Value {
        raw: &elsewhere,
        path: Path::Root,
    };
    // Its line means nothing, but asking must not panic.
    assert_eq!(reader.place(&value).line, 1);
}
