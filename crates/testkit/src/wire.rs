//! The client's side of the wire: both framings, and what a well-formed message looks like.
//!
//! Written apart from the program's own reader, and strict where that one must be lenient: the
//! program's output has one correct form.

use std::io::{self, BufRead, Read as _};

use serde_json::Value;

/// More than any answer of a test; a wrong length must not take the memory of the machine.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// How messages are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// One message per line.
    #[default]
    Lines,
    /// `Content-Length` headers, as language servers speak.
    Headers,
}

impl Framing {
    /// The body as it goes over the wire.
    #[must_use]
    pub fn frame(self, body: &str) -> Vec<u8> {
        match self {
            Self::Lines => format!("{body}\n").into_bytes(),
            Self::Headers => format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes(),
        }
    }

    /// Reads one message; `None` at the end of the stream.
    pub(crate) fn read(self, stream: &mut impl BufRead) -> io::Result<Option<String>> {
        match self {
            Self::Lines => read_line(stream, "\n"),
            Self::Headers => read_with_headers(stream),
        }
    }
}

/// A line without its end, which must be there.
fn read_line(stream: &mut impl BufRead, end: &str) -> io::Result<Option<String>> {
    let mut line = String::new();
    if stream.take(MOST_BYTES).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    match line.strip_suffix(end) {
        Some(body) => Ok(Some(body.to_owned())),
        None => Err(bad(format!(
            "a line that does not end in {end:?}: {line:?}"
        ))),
    }
}

fn read_with_headers(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let Some(first) = read_line(stream, "\r\n")? else {
        return Ok(None);
    };
    let mut header = first;
    let mut length = None;
    while !header.is_empty() {
        match header.split_once(": ") {
            Some(("Content-Length", digits)) if length.is_none() => {
                length = digits.parse::<u64>().ok().filter(|l| *l <= MOST_BYTES);
            }
            Some(("Content-Type", _)) => {}
            _ => {
                return Err(bad(format!(
                    "a header that does not belong here: {header:?}"
                )));
            }
        }
        let next = read_line(stream, "\r\n")?;
        header = next.ok_or_else(|| bad("the stream ends within the headers".to_owned()))?;
    }
    let length = length.ok_or_else(|| bad("headers without a usable Content-Length".to_owned()))?;
    let mut body = String::new();
    stream.take(length).read_to_string(&mut body)?;
    if u64::try_from(body.len()).ok() != Some(length) {
        return Err(bad(format!("the stream ends within a body: {body:?}")));
    }
    Ok(Some(body))
}

fn bad(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Checks that a message, or each message of a batch, has the members of JSON-RPC 2.0 and no
/// other: some clients refuse a message with one key too many.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_envelope(message: &Value) -> Result<(), String> {
    match message {
        Value::Array(batch) if batch.is_empty() => Err("an empty batch".to_owned()),
        Value::Array(batch) => batch.iter().try_for_each(check_one),
        one => check_one(one),
    }
}

fn check_one(message: &Value) -> Result<(), String> {
    let object = message.as_object().ok_or("not an object")?;
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err("`jsonrpc` is not \"2.0\"".to_owned());
    }
    let has = |allowed: &[&str]| {
        keys.len() == allowed.len() && allowed.iter().all(|key| object.contains_key(*key))
    };
    if has(&["jsonrpc", "method", "params"]) {
        return match object.get("method") {
            Some(Value::String(_)) => Ok(()),
            _ => Err("`method` is not a string".to_owned()),
        };
    }
    let is_error = has(&["id", "jsonrpc", "error"]);
    if !is_error && !has(&["id", "jsonrpc", "result"]) {
        return Err(format!("the members are {}", keys.join(", ")));
    }
    match object.get("id") {
        Some(Value::String(_) | Value::Number(_)) => {}
        Some(Value::Null) if is_error => {}
        _ => return Err("`id` is neither a string nor a number".to_owned()),
    }
    object.get("error").map_or(Ok(()), check_error)
}

fn check_error(error: &Value) -> Result<(), String> {
    let object = error.as_object().ok_or("`error` is not an object")?;
    if let Some(key) = object
        .keys()
        .find(|key| !matches!(key.as_str(), "code" | "message" | "data"))
    {
        return Err(format!("`error` has a member `{key}`"));
    }
    if !object.get("code").is_some_and(Value::is_i64) {
        return Err("`error.code` is not a whole number".to_owned());
    }
    if !object.get("message").is_some_and(Value::is_string) {
        return Err("`error.message` is not a string".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::{Framing, check_envelope};

    /// Reads a stream to its end: the messages, and the error when there was one.
    fn read_all(framing: Framing, mut stream: &[u8]) -> (Vec<String>, Option<String>) {
        let mut bodies = Vec::new();
        loop {
            match framing.read(&mut stream) {
                Ok(Some(body)) => bodies.push(body),
                Ok(None) => return (bodies, None),
                Err(error) => return (bodies, Some(error.to_string())),
            }
        }
    }

    #[track_caller]
    fn check(framing: Framing, stream: &str, bodies: &[&str], error: Option<&str>) {
        let (read, failed) = read_all(framing, stream.as_bytes());
        assert_eq!(read, bodies);
        assert_eq!(failed.as_deref(), error);
    }

    #[test]
    fn what_is_framed_is_read_back() {
        for framing in [Framing::Lines, Framing::Headers] {
            let bodies = ["{}", "{\"a\":\"ü\"}", "[1]"];
            let stream: Vec<u8> = bodies.iter().flat_map(|b| framing.frame(b)).collect();
            let stream = String::from_utf8(stream).unwrap();
            check(framing, &stream, &bodies, None);
        }
        assert_eq!(
            Framing::Headers.frame("\"ü\""),
            b"Content-Length: 4\r\n\r\n\"\xc3\xbc\""
        );
    }

    #[test]
    fn lines_must_end() {
        let error = "a line that does not end in \"\\n\": \"{\"";
        check(Framing::Lines, "{}\n{", &["{}"], Some(error));
        check(Framing::Lines, "\n", &[""], None);
    }

    #[test]
    fn headers_are_read_strictly() {
        let framing = Framing::Headers;
        let typed = "Content-Type: x\r\nContent-Length: 2\r\n\r\n{}";
        check(framing, typed, &["{}"], None);
        for (stream, error) in [
            (
                "Content-Length: 2\n\n{}",
                "a line that does not end in \"\\r\\n\": \"Content-Length: 2\\n\"",
            ),
            (
                "Length: 2\r\n\r\n{}",
                "a header that does not belong here: \"Length: 2\"",
            ),
            ("\r\n{}", "headers without a usable Content-Length"),
            (
                "Content-Length: x\r\n\r\n{}",
                "headers without a usable Content-Length",
            ),
            (
                "Content-Length: 3\r\n\r\n{}",
                "the stream ends within a body: \"{}\"",
            ),
            (
                "Content-Length: 3\r\n",
                "the stream ends within the headers",
            ),
        ] {
            check(framing, stream, &[], Some(error));
        }
    }

    #[test]
    fn well_formed_messages() {
        for good in [
            json!({"jsonrpc": "2.0", "id": 1, "result": null}),
            json!({"jsonrpc": "2.0", "id": "a", "result": {}}),
            json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "x"}}),
            json!({"jsonrpc": "2.0", "id": 1.5, "error": {"code": 1, "message": "", "data": {}}}),
            json!({"jsonrpc": "2.0", "method": "m", "params": {}}),
            json!([{"jsonrpc": "2.0", "id": 1, "result": null}]),
        ] {
            assert_eq!(check_envelope(&good), Ok(()), "{good}");
        }
    }

    #[test]
    fn malformed_messages() {
        let error = |error| json!({"jsonrpc": "2.0", "id": 1, "error": error});
        for (bad, expected) in [
            (json!(1), "not an object"),
            (json!([]), "an empty batch"),
            (json!([[]]), "not an object"),
            (json!({"id": 1, "result": 1}), "`jsonrpc` is not \"2.0\""),
            (
                json!({"jsonrpc": "2.0", "id": 1}),
                "the members are id, jsonrpc",
            ),
            (
                json!({"jsonrpc": "2.0", "method": "m", "params": {}, "emittedAtMs": 1}),
                "the members are emittedAtMs, jsonrpc, method, params",
            ),
            (
                json!({"jsonrpc": "2.0", "method": 1, "params": {}}),
                "`method` is not a string",
            ),
            (
                json!({"jsonrpc": "2.0", "id": null, "result": 1}),
                "`id` is neither a string nor a number",
            ),
            (error(json!("x")), "`error` is not an object"),
            (
                error(json!({"message": "x"})),
                "`error.code` is not a whole number",
            ),
            (error(json!({"code": 1})), "`error.message` is not a string"),
            (
                error(json!({"code": 1, "message": "x", "kind": "y"})),
                "`error` has a member `kind`",
            ),
        ] {
            assert_eq!(check_envelope(&bad), Err(expected.to_owned()), "{bad}");
        }
    }
}
