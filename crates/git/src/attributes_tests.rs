use pretty_assertions::assert_eq;

use super::{Attributes, Ends};

#[track_caller]
fn check(files: &[(&str, &str)], path: &str, expected: Ends) {
    let mut attributes = Attributes::default();
    for (dir, text) in files {
        attributes.enter(dir, text.as_bytes());
    }
    assert_eq!(attributes.ends(path), expected, "{files:?} {path}");
}

#[test]
fn only_what_the_repository_names_is_changed() {
    use Ends::{AsCommitted, Crlf, CrlfInText};
    for (line, expected) in [
        ("* text eol=crlf", Crlf),
        ("* eol=crlf", Crlf),
        ("* text=auto eol=crlf", CrlfInText),
        ("* text", AsCommitted),
        ("* text=auto", AsCommitted),
        ("* text eol=lf", AsCommitted),
        ("* -text eol=crlf", AsCommitted),
        ("* eol=crlf -text", AsCommitted),
        ("* -crlf eol=crlf", AsCommitted),
        ("* crlf", AsCommitted),
        ("* text=foo -crlf eol=crlf", AsCommitted),
        ("* text=foo eol=crlf", Crlf),
        ("* text=input -crlf eol=crlf", Crlf),
        ("* eol=crlf binary", AsCommitted),
        ("* eol=crlf binary text", Crlf),
        ("* eol=crlf !eol", AsCommitted),
        ("* text !text eol=crlf", Crlf),
        ("# * eol=crlf", AsCommitted),
        ("!* eol=crlf", AsCommitted),
        ("[attr]win text eol=crlf\n* win", Crlf),
        ("[attr]win text eol=crlf\n* -win", AsCommitted),
        ("* win\n[attr]win text eol=crlf", Crlf),
        ("[attr]win text eol=crlf\n* win\n* -win", AsCommitted),
        ("[attr]win text eol=crlf\n* -win\n* win", Crlf),
        ("[attr]a b\n[attr]b a eol=crlf\n* a", Crlf),
        ("* binary\n* !binary\n* eol=crlf", Crlf),
        ("\u{feff}* eol=crlf", Crlf),
        ("* eol=crlf\r", Crlf),
        ("\"a b\" text\n\"a.txt\" eol=crlf", Crlf),
        ("", AsCommitted),
    ] {
        check(&[("", line)], "a.txt", expected);
    }
}

#[test]
fn the_last_line_and_the_deepest_file_win() {
    use Ends::{AsCommitted, Crlf};
    let root = ("", "* eol=crlf\n*.png -text\n");
    check(&[root], "d/a.png", AsCommitted);
    check(&[root, ("d", "*.png text")], "d/a.png", Crlf);
    check(&[root, ("d", "a.txt eol=lf")], "d/a.txt", AsCommitted);
    check(&[root, ("d", "a.txt eol=lf")], "d/b.txt", Crlf);
    check(&[root, ("d", "/x/a.txt eol=lf")], "d/x/a.txt", AsCommitted);
    // A directory that was left says nothing more.
    let mut attributes = Attributes::default();
    attributes.enter("", b"* text\n");
    attributes.enter("d", b"* eol=crlf\n");
    assert_eq!(attributes.ends("d/a"), Crlf);
    attributes.leave();
    assert_eq!(attributes.ends("a"), AsCommitted);
    // Macros are defined at the root only.
    let below = ("d", "[attr]win eol=crlf\n* win");
    check(&[("", ""), below], "d/a", AsCommitted);
}

#[test]
fn patterns_are_those_of_git() {
    let yes = |pattern: &str, path: &str| {
        check(&[("", &format!("{pattern} eol=crlf"))], path, Ends::Crlf);
    };
    let no = |pattern: &str, path: &str| {
        let line = format!("{pattern} eol=crlf");
        check(&[("", &line)], path, Ends::AsCommitted);
    };
    yes("*.bat", "x.bat");
    yes("*.bat", "a/b/x.bat");
    no("*.bat", "x.bat/y");
    yes("/x.bat", "x.bat");
    no("/x.bat", "a/x.bat");
    yes("a/*.bat", "a/x.bat");
    no("a/*.bat", "a/b/x.bat");
    no("a/*.bat", "b/a/x.bat");
    yes("**/x.bat", "x.bat");
    yes("**/x.bat", "a/b/x.bat");
    yes("a/**/x", "a/x");
    yes("a/**/x", "a/b/c/x");
    no("a/**/x", "b/a/x");
    yes("a/**", "a/b/c");
    no("a/**", "a");
    no("a/", "a/x");
    yes("?.b[a-c]t", "x.bat");
    no("?.b[!a-c]t", "x.bat");
    yes("[]x]", "]");
    no("[ax", "a");
    yes("\\*.bat", "*.bat");
    no("\\*.bat", "x.bat");
    yes("a*b*c", "aXbXbc");
    no("a*b*c", "aXbXb");
    yes("[[:alpha:]].x", "b.x");
    no("[[:alpha:]].x", "1.x");
    no("[[:nothing:]].x", "b.x");
    yes("[![:digit:]x].x", "b.x");
    yes("\"\\303\\251 \\\"x\"", "é \"x");
    // Bytes and not letters, as for git.
    no("?.x", "é.x");
    yes("??.x", "é.x");
    // A pattern that would take for ever otherwise.
    no(&"*a".repeat(60), &"a".repeat(59).replace("aa", "ab"));
}
