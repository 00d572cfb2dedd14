//! JSON laid out for people, from slices of a file.
//!
//! It works on the text and not on decoded values, so that the order of members and every digit of
//! a number stay as the author wrote them. Only strings are decoded and written anew.
//!
//! Invariant: what comes out is not much longer than what went in. Indentation alone could make a
//! short, deeply nested text a hundred times as long, so such a text is written without it.

use memchr::memchr;

/// A valid JSON value laid out at a nesting level; nothing when one of its strings is no Unicode.
pub(crate) fn value(raw: &str, level: usize) -> Option<String> {
    let written = match write(raw, Layout::Lines { level }, raw.len() * 6 + 256) {
        Err(Refused::TooLong) => write(raw, Layout::Compact, usize::MAX),
        other => other,
    };
    written.ok()
}

/// How a value is laid out.
#[derive(Clone, Copy)]
enum Layout {
    /// A line per member and element, indented.
    Lines {
        /// The nesting level of the value itself.
        level: usize,
    },
    /// Everything on one line.
    Compact,
}

/// Why a value cannot be laid out.
enum Refused {
    /// It is longer than allowed.
    TooLong,
    /// A string has half of a surrogate pair.
    NotUnicode,
}

fn write(raw: &str, layout: Layout, limit: usize) -> Result<String, Refused> {
    let mut out = String::with_capacity(raw.len());
    let mut depth = 0_usize;
    let line = |out: &mut String, depth: usize| match layout {
        Layout::Lines { level } => new_line(out, level + depth),
        Layout::Compact => {}
    };
    let mut rest = raw;
    while let Some(first) = rest.chars().next() {
        if out.len() > limit {
            return Err(Refused::TooLong);
        }
        let mut taken = first.len_utf8();
        match first {
            '"' => {
                taken = string_length(rest);
                let literal = &rest[..taken];
                if memchr(b'\\', literal.as_bytes()).is_some() {
                    let text: String =
                        serde_json::from_str(literal).map_err(|_| Refused::NotUnicode)?;
                    push_string(&mut out, &text);
                } else {
                    out.push_str(literal);
                }
            }
            '{' | '[' => {
                out.push(first);
                let inside = rest[1..].trim_start_matches(is_blank);
                if inside.starts_with(['}', ']']) {
                    out.push_str(&inside[..1]);
                    taken = rest.len() - inside.len() + 1;
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(first);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if is_blank(blank) => {}
            other => out.push(other),
        }
        rest = &rest[taken..];
    }
    Ok(out)
}

/// An object of values that are laid out one level below it.
pub(crate) fn object(members: &[(String, String)], level: usize) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    let mut out = String::from("{");
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        new_line(&mut out, level + 1);
        push_string(&mut out, key);
        out.push_str(": ");
        out.push_str(value);
    }
    new_line(&mut out, level);
    out.push('}');
    out
}

/// A string with its quotes and escapes.
pub(crate) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

fn push_string(out: &mut String, text: &str) {
    let is_escaped = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\');
    if !text.bytes().any(is_escaped) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        // A text always serialises.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// The length of the string literal at the start of a text, with both quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return offset + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn new_line(out: &mut String, level: usize) {
    out.push('\n');
    for _ in 0..level {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::value;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(value(raw, 0).as_deref(), Some(expected));
    }

    #[test]
    fn layout() {
        check("1", "1");
        check("[ ]", "[]");
        check("{\n}", "{}");
        check(r#"[1,{ },[ [] ]]"#, "[\n  1,\n  {},\n  [\n    []\n  ]\n]");
        check(
            r#"{"a" :1,"b":{"c":null}}"#,
            "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": null\n  }\n}",
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        check("12345678901234567890123", "12345678901234567890123");
        check("1.50e+400", "1.50e+400");
    }

    #[test]
    fn strings_are_written_anew_and_never_taken_for_structure() {
        check(r#""\u00fc\u0001/\\""#, "\"ü\\u0001/\\\\\"");
        check(r#"["a,b:{\"}"]"#, "[\n  \"a,b:{\\\"}\"\n]");
    }

    #[test]
    fn a_deeply_nested_text_does_not_grow_out_of_proportion() {
        let levels = 100;
        let ones = "1,".repeat(10_000);
        let raw = format!("{}{ones}1{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(value(&raw, 0).as_deref(), Some(raw.as_str()));
        // What people write stays laid out.
        let words = format!("[{}\"x\"]", "\"word\",".repeat(1_000));
        assert_eq!(value(&words, 2).unwrap().lines().count(), 1_003);
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        assert_eq!(value(r#"["\ud800"]"#, 0), None);
    }
}
