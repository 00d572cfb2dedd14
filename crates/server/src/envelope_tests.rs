use pretty_assertions::assert_eq;
use serde_json::value::RawValue;

use plugd_protocol::{ErrorKind, RequestId};

use super::{Body, MAX_BATCH, Message, error, notification, read, result, same_id};
use crate::error_map;
use crate::wire_error::WireError;

fn check(input: &str, expected: &str) {
    check_bytes(input.as_bytes(), expected);
}

fn check_bytes(input: &[u8], expected: &str) {
    let shown = match read(input) {
        Body::One(message) => show(&message),
        Body::Batch(messages) => {
            let shown: Vec<_> = messages.iter().map(show).collect();
            format!("[{}]", shown.join(", "))
        }
    };
    assert_eq!(shown, expected, "{}", String::from_utf8_lossy(input));
}

fn show(message: &Message<'_>) -> String {
    let text = |params: &Option<&RawValue>| params.map_or("-".to_owned(), |raw| raw.get().into());
    match message {
        Message::Request { id, method, params } => {
            format!("request {} {method} {}", id.as_json(), text(params))
        }
        Message::Notification { method, params } => {
            format!("notification {method} {}", text(params))
        }
        Message::Response => "response".to_owned(),
        Message::Invalid { id, error } => {
            let id = id.as_ref().map_or("null", RequestId::as_json);
            format!("{} {id}", error.code)
        }
    }
}

#[test]
fn requests_and_notifications() {
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":1}}"#,
        r#"request 1 a {"x":1}"#,
    );
    check(r#"{"id":1,"method":"a"}"#, "request 1 a -");
    check(r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, "request 1 a -");
    check(r#"{"method":"a","params":[]}"#, "notification a []");
    check(
        r#"{"method":"a","params":null,"more":{}}"#,
        "notification a null",
    );
    check(r#"{"id":1,"method":"a","id":2}"#, "request 2 a -");
    check(r#"{"id":1,"m\u0065thod":"\u0061"}"#, "request 1 a -");
    check(" \t{\"id\" : 1 , \"method\":\"a\"}\r", "request 1 a -");
}

#[test]
fn ids_keep_their_spelling() {
    for id in [
        "0",
        "-1",
        "1.5",
        "1e400",
        "-0",
        "123456789012345678901234567890",
        "0.10000000000000000555",
        r#""""#,
        r#""\u0061""#,
        r#""ab c""#,
        r#""\ud800""#,
    ] {
        check(
            &format!(r#"{{"method":"a","id":{id}}}"#),
            &format!("request {id} a -"),
        );
    }
    for id in ["null", "true", "{}", "[1]"] {
        check(&format!(r#"{{"method":"a","id":{id}}}"#), "-32600 null");
    }
}

#[test]
fn what_is_no_request() {
    for input in [
        "", "{", "}", "{}x", "nul", "{\"a\":}", "\"open", "{'id':1}", "\u{feff}",
    ] {
        check(input, "-32700 null");
    }
    check_bytes(b"{\"id\":1,\"method\":\"\xFF\"}", "-32700 null");
    for input in ["1", "null", "\"text\"", "{}", "[]", "{\"method\":1}"] {
        check(input, "-32600 null");
    }
    check(r#"{"id":7}"#, "-32600 7");
    check(r#"{"id":7,"method":null}"#, "-32600 7");
    check(r#"{"id":7,"method":"\ud800"}"#, "-32600 7");
}

#[test]
fn answers_to_nothing_are_ignored() {
    check(r#"{"id":7,"result":null}"#, "response");
    check(r#"{"id":7,"error":{"code":1,"message":"x"}}"#, "response");
    check(r#"{"id":7,"method":"a","result":1}"#, "request 7 a -");
}

#[test]
fn batches() {
    check(
        r#"[{"id":1,"method":"a"},{"method":"b"},5,{"id":2,"result":1}]"#,
        "[request 1 a -, notification b -, -32600 null, response]",
    );
    check("[[]]", "[-32600 null]");
    check("[1,]", "-32700 null");
    let full = vec!["1"; MAX_BATCH].join(",");
    assert!(matches!(
        read(format!("[{full}]").as_bytes()),
        Body::Batch(_)
    ));
    check(&format!("[{full},1]"), "-32600 null");
}

#[test]
fn depth_is_limited_and_the_id_is_still_found() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let request = |levels| format!(r#"{{"id":3,"method":"a","params":{}}}"#, nested(levels));
    check(&request(127), &format!("request 3 a {}", nested(127)));
    check(&request(128), "-32600 3");
    check(&request(2_000_000), "-32600 3");
    check(&nested(2_000_000), "[-32600 null]");
    check(&format!("[{}]", request(127)), "[-32600 3]");
    check(
        &format!("[{}]", request(126)),
        &format!("[request 3 a {}]", nested(126)),
    );
    let quoted = format!(
        r#"{{"id":3,"method":"a","params":"{}\"["}}"#,
        "[{".repeat(200)
    );
    assert!(matches!(
        read(quoted.as_bytes()),
        Body::One(Message::Request { .. })
    ));
    let member = format!(r#"{{"method":"a","x":{}}}"#, nested(128));
    check(&member, "-32600 null");
}

fn id(json: &str) -> RequestId {
    serde_json::from_str(json).unwrap()
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn answer(number: &str, json: &str) -> String {
    let mut bytes = Vec::new();
    result(&id(number), raw(json)).append_to(&mut bytes);
    text(bytes)
}

#[test]
fn what_goes_out() {
    assert_eq!(
        answer("1e2", r#"{"a":[1]}"#),
        r#"{"jsonrpc":"2.0","id":1e2,"result":{"a":[1]}}"#
    );
    let long = format!("\"{}\"", "x".repeat(super::LONG));
    assert_eq!(
        answer("5", &long),
        format!(r#"{{"jsonrpc":"2.0","id":5,"result":{long}}}"#)
    );
    let refused = WireError::new(ErrorKind::NotFound, "no such \"thing\"");
    assert_eq!(
        text(error(Some(&id(r#""x""#)), &refused.logged("secret"))),
        r#"{"jsonrpc":"2.0","id":"x","error":{"code":-32600,"message":"no such \"thing\"","data":{"kind":"notFound"}}}"#
    );
    assert_eq!(
        text(error(None, &error_map::overloaded())),
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"too many requests are waiting, try again later","data":{"kind":"overloaded","retryable":true}}}"#
    );
    assert_eq!(
        text(notification("plugd/changed", &raw("{}"))),
        r#"{"jsonrpc":"2.0","method":"plugd/changed","params":{}}"#
    );
}

#[test]
fn ids_are_compared_by_what_they_mean() {
    assert!(same_id(&id("1"), &id("1")));
    assert!(same_id(&id(r#""a""#), &id(r#""\u0061""#)));
    assert!(!same_id(&id("1"), &id(r#""1""#)));
    assert!(!same_id(&id("1"), &id("2")));
    assert!(!same_id(&id(r#""\ud800""#), &id(r#""\ud801""#)));
}
