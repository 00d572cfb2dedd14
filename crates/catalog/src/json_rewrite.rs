//! JSON of somebody else written again the way the reference writes it, with one member changed.
//!
//! Members keep their order and numbers all their digits. Texts are escaped as little as JSON allows,
//! and of a name that stands twice in an object the first place and the last value count: so a home
//! that the reference and this program share has the same bytes from both.

use serde_json::value::RawValue;

use crate::json::check;
use crate::json_text::Members;

/// Writes a JSON text with two spaces for each level and a final line feed. `member` is set to a text
/// at the top, in its place or behind all others; then the whole must be an object.
///
/// # Errors
/// The text is no JSON, is nested too deep, holds a text that is none, or is no object although a
/// member is to be set. The reason is for people.
pub fn rewrite_json(bytes: &[u8], member: Option<(&str, &str)>) -> Result<String, String> {
    let raw = check(bytes)?;
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    let written = match member {
        None => write(raw, 0, &mut text),
        Some((name, value)) => {
            let members: Result<Members, _> = serde_json::from_str(raw.get());
            let mut members = members.map_err(|_| "it is no object".to_owned())?;
            let value = serde_json::value::to_raw_value(value);
            let value = value.map_err(|error| error.to_string())?;
            members.set_everywhere(name, &value);
            write_object(members, 0, &mut text)
        }
    };
    written.map_err(|error| format!("it is not valid JSON: {error}"))?;
    text.push('\n');
    Ok(text)
}

/// Nesting was counted before.
fn write(raw: &RawValue, depth: usize, text: &mut String) -> Result<(), serde_json::Error> {
    let token = raw.get();
    match token.as_bytes().first() {
        Some(b'{') => write_object(serde_json::from_str(token)?, depth, text)?,
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(token)?;
            if elements.is_empty() {
                text.push_str("[]");
                return Ok(());
            }
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                begin(index, depth + 1, text);
                write(element, depth + 1, text)?;
            }
            line(depth, text);
            text.push(']');
        }
        Some(b'"') => {
            let value: String = serde_json::from_str(token)?;
            text.push_str(&serde_json::to_string(&value)?);
        }
        Some(b'-' | b'0'..=b'9') => text.push_str(&number(token)),
        _ => text.push_str(token),
    }
    Ok(())
}

fn write_object(
    members: Members,
    depth: usize,
    text: &mut String,
) -> Result<(), serde_json::Error> {
    let members = members.once();
    if members.is_empty() {
        text.push_str("{}");
        return Ok(());
    }
    text.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        begin(index, depth + 1, text);
        text.push_str(&serde_json::to_string(name)?);
        text.push_str(": ");
        write(value, depth + 1, text)?;
    }
    line(depth, text);
    text.push('}');
    Ok(())
}

fn begin(index: usize, depth: usize, text: &mut String) {
    if index > 0 {
        text.push(',');
    }
    line(depth, text);
}

fn line(depth: usize, text: &mut String) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// All digits, and an exponent with its sign.
fn number(token: &str) -> String {
    if token == "-0" {
        return "0".to_owned();
    }
    match token.split_once(['e', 'E']) {
        Some((digits, power)) if power.starts_with(['+', '-']) => format!("{digits}e{power}"),
        Some((digits, power)) => format!("{digits}e+{power}"),
        None => token.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::rewrite_json;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(rewrite_json(json.as_bytes(), None).unwrap(), expected);
    }

    /// The expected texts are what the reference made of the same ones.
    #[test]
    fn the_bytes_are_those_of_the_reference() {
        let numbers = r#"{"n":-0, "f":1.0, "g":1.50, "h":-0.0,"i":1E5,"j":0.1e-7,"k":1e3,
            "l":18446744073709551616}"#;
        check(
            numbers,
            "{\n  \"n\": 0,\n  \"f\": 1.0,\n  \"g\": 1.50,\n  \"h\": -0.0,\n  \"i\": 1e+5,\n  \
             \"j\": 0.1e-7,\n  \"k\": 1e+3,\n  \"l\": 18446744073709551616\n}\n",
        );
        check(
            r#"{"zz":{"y":1,"y":2,"a":[],"o":{}},"s":"\u00e9\/\u0001\ud83d\ude00\t","l":[1,{"b":null}]}"#,
            "{\n  \"zz\": {\n    \"y\": 2,\n    \"a\": [],\n    \"o\": {}\n  },\n  \
             \"s\": \"é/\\u0001😀\\t\",\n  \"l\": [\n    1,\n    {\n      \"b\": null\n    }\n  ]\n}\n",
        );
        check("true", "true\n");
    }

    #[track_caller]
    fn check_set(json: &str, expected: &str) {
        let text = rewrite_json(json.as_bytes(), Some(("version", "2")));
        assert_eq!(text.as_deref(), Ok(expected));
    }

    #[test]
    fn the_member_keeps_its_place_or_comes_last() {
        let first = "{\n  \"version\": \"2\",\n  \"a\": 1\n}\n";
        check_set(r#"{"version":1,"a":1}"#, first);
        check_set(r#"{"version":1,"a":1,"version":3}"#, first);
        check_set(r#"{"a":1}"#, "{\n  \"a\": 1,\n  \"version\": \"2\"\n}\n");
        check_set("{}", "{\n  \"version\": \"2\"\n}\n");
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        for (json, reason) in [
            ("[]", "it is no object"),
            (
                "{",
                "it is not valid JSON: EOF while parsing an object at line 1 column 1",
            ),
            (
                r#"{"a":"\ud800"}"#,
                "it is not valid JSON: unexpected end of hex escape at line 1 column 8",
            ),
        ] {
            let error = rewrite_json(json.as_bytes(), Some(("version", "2"))).unwrap_err();
            assert_eq!(error, reason);
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        let error = rewrite_json(deep.as_bytes(), None).unwrap_err();
        assert_eq!(error, "it is nested deeper than 128 levels");
    }
}
