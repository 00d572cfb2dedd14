use pretty_assertions::assert_eq;

use super::{Fixture, Item, ItemKind};

fn file(path: &str, content: &str) -> Item {
    item(path, ItemKind::File(content.into()), None)
}

fn item(path: &str, kind: ItemKind, mode: Option<u32>) -> Item {
    Item {
        path: path.to_owned(),
        kind,
        mode,
    }
}

#[track_caller]
fn check(text: &str, expected: &[Item]) {
    let fixture = Fixture::parse(text).unwrap();
    assert_eq!(fixture.items, expected);
    let again = Fixture::parse(&fixture.to_string()).unwrap();
    assert_eq!(again, fixture, "displayed and parsed again:\n{fixture}");
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = Fixture::parse(text).unwrap_err();
    assert_eq!(format!("{error:#}"), expected);
}

#[test]
fn files_and_their_content() {
    check("", &[]);
    check("\n  \n", &[]);
    check("== a\nhi\n", &[file("a", "hi\n")]);
    check("== a\nhi", &[file("a", "hi")]);
    check(
        "== a\n== b/c\n\nx\n\n",
        &[file("a", ""), file("b/c", "\nx\n\n")],
    );
    check("\n== with space.txt\nx\n", &[file("with space.txt", "x\n")]);
    check("== a\r\nx\r\ny\r\n", &[file("a", "x\r\ny\r\n")]);
    check("== a\n==\n==b\n= =\n", &[file("a", "==\n==b\n= =\n")]);
}

#[test]
fn the_closing_quote_may_be_indented() {
    check("== a\nhi\n    ", &[file("a", "hi\n")]);
    check("== a\n    ", &[file("a", "")]);
    check("== a (no newline)\n  \n", &[file("a", "  ")]);
}

#[test]
fn headers_in_content_are_escaped() {
    check("== a\n\\== b\n", &[file("a", "== b\n")]);
    check("== a\n\\\\== b\n", &[file("a", "\\== b\n")]);
    check("== a\n\\x\n\\\\\n", &[file("a", "\\x\n\\\\\n")]);
}

#[test]
fn kinds() {
    check("== a/\n", &[item("a", ItemKind::Dir, None)]);
    check(
        "== a/\n\n== a/b\n",
        &[item("a", ItemKind::Dir, None), file("a/b", "")],
    );
    check(
        "== a -> ../b\n",
        &[item("a", ItemKind::Link("../b".into()), None)],
    );
    check(
        "== a -> $ROOT/b c/\n",
        &[item("a", ItemKind::Link("$ROOT/b c/".into()), None)],
    );
    check("== a (fifo)\n", &[item("a", ItemKind::Fifo, None)]);
    check(
        "== a (size 5000000000)\n",
        &[item("a", ItemKind::Zeros(5_000_000_000), None)],
    );
}

#[test]
fn directives() {
    check(
        "== a (mode 755)\nx\n",
        &[item("a", ItemKind::File(b"x\n".to_vec()), Some(0o755))],
    );
    check("== a/ (mode 000)\n", &[item("a", ItemKind::Dir, Some(0))]);
    check(
        "== a (mode 4755, no newline)\nx\n",
        &[item("a", ItemKind::File(b"x".to_vec()), Some(0o4755))],
    );
    check(
        "== a (hex)\nef bb BF 00\n0a\n",
        &[item(
            "a",
            ItemKind::File(b"\xef\xbb\xbf\0\n".to_vec()),
            None,
        )],
    );
    check("== a (hex)\n", &[file("a", "")]);
    check("== a (no newline)\nx\n\n", &[file("a", "x\n")]);
    check("== copy (2).txt\nx\n", &[file("copy (2).txt", "x\n")]);
}

#[test]
fn refusals_name_the_line() {
    check_error(
        "x\n",
        "fixture line 1: content in front of the first `== path`",
    );
    check_error(
        "\n== a\n== ../b\n",
        "fixture line 3: `../b` is not a relative path below the root",
    );
    check_error(
        "== /a\n",
        "fixture line 1: `/a` is not a relative path below the root",
    );
    check_error(
        "== a//b\n",
        "fixture line 1: `a//b` is not a relative path below the root",
    );
    check_error(
        "== a (moed 755)\n",
        "fixture line 1: `(moed 755)` is not a directive",
    );
    check_error("== a (mode 888)\n", "fixture line 1: `888` is not a mode");
    check_error(
        "== a (mode 17777)\n",
        "fixture line 1: `17777` is not a mode",
    );
    check_error(
        "== a (size x)\n",
        "fixture line 1: `x` is not a size: invalid digit found in string",
    );
    check_error(
        "== a/ (hex)\n",
        "fixture line 1: `a` is no file: only `mode` means something here",
    );
    check_error(
        "== a/ (fifo)\n",
        "fixture line 1: `a` is two kinds of things at once",
    );
    check_error(
        "== a -> b (mode 755)\n",
        "fixture line 1: `a` is a link, which has no mode",
    );
    check_error(
        "== a (hex, no newline)\n",
        "fixture line 1: `a` has directives that exclude each other",
    );
    check_error("== a\n== b/\nx\n", "fixture line 2: `b` has no content");
    check_error(
        "== a (hex)\n0g\n",
        "fixture line 1: `a`: `g` is not a hexadecimal digit",
    );
    check_error(
        "== a (hex)\n012\n",
        "fixture line 1: `a`: an odd number of hexadecimal digits",
    );
}

#[test]
fn one_path_is_one_thing() {
    check_error("== a\n== a/\n", "`a` occurs twice");
    check_error(
        "== a/b/c\n== a\n",
        "`a/b/c` lies below `a`, which is no directory",
    );
    check_error(
        "== a -> b\n== a/c\n",
        "`a/c` lies below `a`, which is no directory",
    );
    check(
        "== a\n== a.b/c\n== ab\n",
        &[file("a", ""), file("a.b/c", ""), file("ab", "")],
    );
}
