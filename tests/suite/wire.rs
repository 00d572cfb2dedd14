//! Proves that every byte a client may send gets the answer that JSON-RPC and the protocol promise,
//! and that what goes out has one exact form.

use std::collections::BTreeMap;
use std::time::Duration;

use plugd_testkit::{Daemon, Framing, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::fixtures::{launch, refused, small, start, text};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request that any home answers, and quickly.
const EMPTY_LIST: &str = r#""method":"plugin/list","params":{"marketplaceKinds":[]}"#;

/// What is answered to these bytes after the handshake, in order, until the daemon ends.
#[track_caller]
fn answers(input: impl AsRef<[u8]>) -> Vec<String> {
    let mut daemon = start(&Sandbox::new());
    daemon.send_raw(input);
    texts_to_the_end(&mut daemon)
}

#[track_caller]
fn texts_to_the_end(daemon: &mut Daemon) -> Vec<String> {
    daemon.close_stdin();
    let mut texts = Vec::new();
    while let Some(text) = daemon.next_text(PATIENCE) {
        texts.push(text);
    }
    assert_eq!(daemon.wait_exit().code(), Some(0));
    texts
}

/// An answer in short: the id as it is spelled, and the code with its kind, or `ok`.
fn brief(text: &str) -> String {
    if text.starts_with('[') {
        let batch: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
        let mut answers: Vec<String> = batch.iter().map(|one| brief(one.get())).collect();
        answers.sort();
        return format!("[{}]", answers.join(", "));
    }
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    let id = members["id"].get();
    match value.get("error") {
        None => format!("{id} ok"),
        Some(error) => format!(
            "{id} {} {}",
            error["code"],
            self::text(&error["data"]["kind"])
        ),
    }
}

#[track_caller]
fn check(input: impl AsRef<[u8]>, expected: &[&str]) {
    let mut got: Vec<String> = answers(&input).iter().map(|text| brief(text)).collect();
    got.sort();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let shown: String = String::from_utf8_lossy(input.as_ref())
        .chars()
        .take(200)
        .collect();
    assert_eq!(got, expected, "{shown}");
}

#[test]
fn both_framings_are_answered_in_kind() {
    for framing in [Framing::Lines, Framing::Headers] {
        let mut daemon = launch().framing(framing).start(&Sandbox::new());
        daemon.initialize();
        // The test's reader refuses any other framing than that of its requests.
        for _ in 0..3 {
            daemon.ok("plugin/list", json!({"marketplaceKinds": []}));
        }
        daemon.shut_down();
    }
}

#[test]
fn lengths_count_bytes() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let manifest = json!({
        "name": "hello", "version": "1.0.0", "description": "\u{fc}ber \u{1f980}\n\u{2028}\"",
        "interface": {"displayName": "Gr\u{fc}\u{df}e \u{1f980}"},
    });
    sandbox.write("demo/hello/.codex-plugin/plugin.json", manifest.to_string());
    for framing in [Framing::Lines, Framing::Headers] {
        let mut daemon = launch().framing(framing).start(&sandbox);
        daemon.initialize();
        let found = daemon.ok("plugin/search", json!({"searchTerm": "gr\u{fc}\u{df}e"}));
        let shown = &found["data"][0]["plugin"]["interface"]["displayName"];
        assert_eq!(shown, "Gr\u{fc}\u{df}e \u{1f980}");
        daemon.shut_down();
    }
}

#[test]
fn a_switch_decides_the_framing() {
    for (value, framing) in [
        ("lines", Framing::Lines),
        ("headers", Framing::Headers),
        ("auto", Framing::Headers),
        ("auto", Framing::Lines),
    ] {
        let launch = launch().args(&["--framing", value]).framing(framing);
        let mut daemon = launch.start(&Sandbox::new());
        daemon.initialize();
        daemon.shut_down();
    }
    // A letter is no message where lines are spoken, and no reason to change over.
    let mut daemon = launch()
        .args(&["--framing", "lines"])
        .start(&Sandbox::new());
    daemon.send_raw("Content-Length: 2\n");
    assert_eq!(
        brief(&daemon.next_text(PATIENCE).unwrap()),
        "null -32700 parse"
    );
    daemon.initialize();
    daemon.shut_down();
}

#[test]
fn headers_may_have_company() {
    let mut daemon = launch().framing(Framing::Headers).start(&Sandbox::new());
    let body = r#"{"id":1,"method":"initialize"}"#;
    let head = "content-type: application/json; charset=utf-8\r\nCONTENT-LENGTH:";
    daemon.send_raw(format!("{head} {}\r\n\r\n{body}", body.len()));
    assert_eq!(brief(&daemon.next_text(PATIENCE).unwrap()), "1 ok");
    // The body of what is no JSON has a known length, so the next message is found.
    daemon.send_raw(Framing::Headers.frame("{nonsense"));
    daemon.send_raw(Framing::Headers.frame(&format!(r#"{{"id":2,{EMPTY_LIST}}}"#)));
    assert_eq!(
        brief(&daemon.next_text(PATIENCE).unwrap()),
        "null -32700 parse"
    );
    assert_eq!(brief(&daemon.next_text(PATIENCE).unwrap()), "2 ok");
    daemon.shut_down();
}

#[test]
fn headers_without_a_length_and_too_many_of_them_are_refused() {
    for head in [
        "Content-Type: x\r\n\r\n".to_owned(),
        format!("X: {}\r\n", "y".repeat(9000)),
    ] {
        let mut daemon = launch().framing(Framing::Headers).start(&Sandbox::new());
        daemon.send_raw(head);
        daemon.close_stdin();
        let first = daemon.next_text(PATIENCE).unwrap();
        assert_eq!(brief(&first), "null -32600 invalidRequest");
        daemon.rest();
        assert_eq!(daemon.wait_exit().code(), Some(0));
    }
}

#[test]
fn marks_and_blank_lines_are_tolerated() {
    let mut daemon = launch().start(&Sandbox::new());
    daemon.send_raw("\u{feff}\r\n\n  \r\n{\"id\":0,\"method\":\"initialize\"}\r\n");
    daemon.send_raw(format!("\n\r\n{{\"id\":7,{EMPTY_LIST}}}\r\n"));
    // The last line counts without its end.
    daemon.send_raw(format!("{{\"id\":2,{EMPTY_LIST}}}"));
    let mut got: Vec<String> = texts_to_the_end(&mut daemon)
        .iter()
        .map(|t| brief(t))
        .collect();
    got.sort();
    assert_eq!(got, ["0 ok", "2 ok", "7 ok"]);
}

#[test]
fn ids_come_back_as_they_were_spelled() {
    for id in [
        "0",
        "-1",
        "9007199254740993",
        "123456789012345678901234567890",
        "1.5",
        "1.50",
        "1e3",
        "-0.0",
        r#""""#,
        r#""a b""#,
        r#""\u00fc""#,
        r#""7c1f4a7e-6a0c-4a46-8f0e-2b1b5c7d9e00""#,
    ] {
        check(
            format!("{{\"id\":{id},{EMPTY_LIST}}}\n"),
            &[&format!("{id} ok")],
        );
        check(
            format!("{{\"id\":{id},\"method\":\"no/such\"}}\n"),
            &[&format!("{id} -32601 methodNotFound")],
        );
    }
}

#[test]
fn a_bad_envelope_is_answered() {
    for id in ["null", "true", "{}", "[1]"] {
        check(
            format!("{{\"id\":{id},{EMPTY_LIST}}}\n"),
            &["null -32600 invalidRequest"],
        );
    }
    for (input, expected) in [
        (r#"{"id":7}"#, "7 -32600 invalidRequest"),
        (r#"{"id":7,"method":5}"#, "7 -32600 invalidRequest"),
        (r#"{}"#, "null -32600 invalidRequest"),
        ("5", "null -32600 invalidRequest"),
        ("\"text\"", "null -32600 invalidRequest"),
        ("null", "null -32600 invalidRequest"),
    ] {
        check(format!("{input}\n"), &[expected]);
    }
}

#[test]
fn jsonrpc_is_optional_in_what_comes_in() {
    for member in [
        "",
        r#""jsonrpc":"2.0","#,
        r#""jsonrpc":"1.0","#,
        r#""more":[{}],"#,
    ] {
        check(format!("{{{member}\"id\":7,{EMPTY_LIST}}}\n"), &["7 ok"]);
    }
}

#[test]
fn what_is_no_json_is_answered_and_the_next_line_counts() {
    for input in [
        &b"{"[..],
        b"nonsense",
        b"{'id':1}",
        b"{\"id\":7,}",
        b"\"\xff\xfe\"",
        b"{\"id\":7}}",
    ] {
        let mut bytes = input.to_vec();
        bytes.extend(format!("\n{{\"id\":2,{EMPTY_LIST}}}\n").bytes());
        check(bytes, &["2 ok", "null -32700 parse"]);
    }
    // A message that the end cuts off.
    check(r#"{"id":1,"meth"#, &["null -32700 parse"]);
}

#[test]
fn batches() {
    let one = format!("{{\"id\":7,{EMPTY_LIST}}}");
    let two = format!("{{\"id\":\"b\",{EMPTY_LIST}}}");
    let note = r#"{"method":"some/news"}"#;
    check(format!("[{one},{two}]\n"), &[r#"["b" ok, 7 ok]"#]);
    check(
        format!("[{one},{note},7,{{\"id\":3,\"method\":\"no/such\"}}]\n"),
        &["[3 -32601 methodNotFound, 7 ok, null -32600 invalidRequest]"],
    );
    check(
        "[1,2]\n",
        &["[null -32600 invalidRequest, null -32600 invalidRequest]"],
    );
    check("[]\n", &["null -32600 invalidRequest"]);
    check(format!("[{note},{note}]\n{one}\n"), &["7 ok"]);
    check(format!("[{one},\n"), &["null -32700 parse"]);
}

#[test]
fn forms_of_params_that_mean_the_same() {
    let call = |params: &str| format!("{{\"id\":7,\"method\":\"plugin/list\"{params}}}\n");
    for params in [
        "",
        r#","params":null"#,
        r#","params":[]"#,
        r#","params":[null]"#,
        r#","params":{}"#,
        r#","params":[{}]"#,
        r#","params":{"cwds":null,"marketplaceKinds":null,"forceRefetch":null,"forceRemoteSync":null}"#,
        r#","params":{"unknown":{"deep":[1]},"forceRemoteSync":true}"#,
    ] {
        check(call(params), &["7 ok"]);
    }
    for params in [
        r#"[1]"#,
        r#"[{},{}]"#,
        r#"[null,null]"#,
        "5",
        "\"x\"",
        "true",
    ] {
        let params = format!(r#","params":{params}"#);
        check(call(&params), &["7 -32602 invalidParams"]);
    }
    let unwrapped =
        answers("{\"id\":7,\"method\":\"plugin/uninstall\",\"params\":[{\"pluginId\":5}]}\n");
    assert_eq!(brief(&unwrapped[0]), "7 -32602 invalidParams");
}

#[test]
fn bad_params_name_the_member_and_what_was_expected() {
    let mut daemon = start(&Sandbox::new());
    for (method, params, field, expectation) in [
        ("plugin/uninstall", json!({}), "pluginId", "missing"),
        (
            "plugin/uninstall",
            json!({"pluginId": 5}),
            "pluginId",
            "string",
        ),
        ("plugin/list", json!({"cwds": "x"}), "cwds", "sequence"),
        (
            "plugin/list",
            json!({"cwds": ["/a", 5]}),
            "cwds[1]",
            "string",
        ),
        (
            "plugin/list",
            json!({"cwds": ["a/b"]}),
            "cwds[0]",
            "absolute",
        ),
        (
            "plugin/list",
            json!({"forceRefetch": "yes"}),
            "forceRefetch",
            "boolean",
        ),
        (
            "plugin/list",
            json!({"marketplaceKinds": ["x"]}),
            "marketplaceKinds[0]",
            "local",
        ),
        (
            "plugin/search",
            json!({"searchTerm": "x", "limit": -1}),
            "limit",
            "u32",
        ),
        (
            "plugin/read",
            json!({"pluginName": "x", "marketplacePath": ""}),
            "marketplacePath",
            "absolute",
        ),
        (
            "config/batchWrite",
            json!({"edits": [{"keyPath": "a"}]}),
            "edits[0].value",
            "missing",
        ),
    ] {
        let error = daemon.err(method, params.clone());
        assert_eq!(error["code"], -32602, "{method} {params}: {error:#}");
        assert_eq!(error["data"]["kind"], "invalidParams", "{method} {params}");
        assert_eq!(error["data"]["field"], field, "{method} {params}");
        let message = text(&error["message"]);
        assert!(
            message.contains(field) && message.contains(expectation),
            "{message}"
        );
    }
    daemon.shut_down();
}

#[test]
fn an_unknown_method_is_a_short_answer() {
    let mut daemon = start(&Sandbox::new());
    for method in ["plugin/frobnicate", "", "plugin/List", "x\u{1b}[31m"] {
        let error = daemon.err(method, json!({}));
        assert_eq!(error["code"], -32601);
        assert_eq!(error["data"]["kind"], "methodNotFound");
        let message = text(&error["message"]);
        assert!(
            message.len() < 120 && !message.contains('\u{1b}'),
            "{message:?}"
        );
    }
    let error = daemon.err(&"m".repeat(100_000), json!({}));
    assert!(text(&error["message"]).len() < 1000);
    daemon.shut_down();
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let call = |levels| {
        format!(
            "{{\"id\":7,\"method\":\"plugin/list\",\"params\":{{\"x\":{}}}}}\n",
            nested(levels)
        )
    };
    // The message, its params, and these.
    check(call(126), &["7 ok"]);
    check(call(127), &["7 -32600 invalidRequest"]);
    check(call(1_000_000), &["7 -32600 invalidRequest"]);
    let after = format!(
        "{}\n{{\"id\":2,{EMPTY_LIST}}}\n",
        "[{\"a\":".repeat(500_000)
    );
    let got = answers(after);
    assert_eq!(got.last().map(|text| brief(text)).as_deref(), Some("2 ok"));
    assert_eq!(got.len(), 2, "{got:?}");
}

#[test]
fn a_line_that_is_too_long_is_skipped() {
    let mut input = b"{\"id\":7,\"method\":\"plugin/list\",\"params\":\"".to_vec();
    input.resize(65 * 1024 * 1024, b'x');
    input.extend(format!("\"}}\n{{\"id\":2,{EMPTY_LIST}}}\n").bytes());
    check(input, &["2 ok", "null -32600 invalidRequest"]);
}

#[test]
fn notifications_and_answers_of_the_client_get_no_answer() {
    for input in [
        r#"{"method":"some/news","params":[1,2]}"#,
        r#"{"method":"$/whatever"}"#,
        r#"{"method":"$/setTrace","params":{"value":"off"}}"#,
        r#"{"method":"plugin/list","params":5}"#,
        r#"{"id":7,"result":null}"#,
        r#"{"id":7,"error":{"code":1,"message":"x"}}"#,
    ] {
        check(format!("{input}\n{{\"id\":2,{EMPTY_LIST}}}\n"), &["2 ok"]);
    }
}

#[test]
fn every_refusal_has_a_kind() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    let manifest = "$ROOT/demo/.agents/plugins/marketplace.json";
    let named = |plugin: &str| json!({"marketplacePath": manifest, "pluginName": plugin});
    for (method, params, expected) in [
        ("no/such", json!({}), "-32601 methodNotFound"),
        ("plugin/read", json!({}), "-32602 invalidParams"),
        ("plugin/read", named("nobody"), "-32600 notFound"),
        ("plugin/install", named("nobody"), "-32600 notFound"),
        (
            "plugin/read",
            json!({"pluginName": "hello"}),
            "-32600 invalidInput",
        ),
        (
            "plugin/uninstall",
            json!({"pluginId": "a@b.c"}),
            "-32600 invalidInput",
        ),
        (
            "marketplace/add",
            json!({"source": "ftp://x/y"}),
            "-32600 invalidInput",
        ),
        (
            "marketplace/remove",
            json!({"marketplaceName": "nobody"}),
            "-32600 notFound",
        ),
        (
            "plugin/list",
            json!({"marketplaceKinds": ["shared-with-me"]}),
            "-32600 notAllowed",
        ),
        ("initialize", json!({}), "-32600 alreadyInitialized"),
    ] {
        assert_eq!(
            refused(&mut daemon, method, params.clone()),
            expected,
            "{method} {params}"
        );
    }
    daemon.shut_down();
}
