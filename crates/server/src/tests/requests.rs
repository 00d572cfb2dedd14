//! Single requests: ids, params, errors, and a handler that panics.

use std::io::{self, Read, Write};
use std::sync::Arc;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::session::{Session, Stage, backend, options};
use crate::connection::{ExitReason, Io, run};
use crate::limits::Limits;

#[test]
fn before_initialize_only_unknown_methods_are_told_apart() {
    let mut session = Session::raw(Limits::STANDARD);
    session.read("1", "x");
    session.request("2", "shutdown", "null");
    session.request("3", "no/such", "{}");
    let messages: Vec<_> = ["1", "2", "3"]
        .map(|id| session.response(id)["error"].clone())
        .into_iter()
        .map(|error| (error["code"].clone(), error["data"]["kind"].clone()))
        .collect();
    assert_eq!(
        messages,
        [
            (json!(-32600), json!("notInitialized")),
            (json!(-32600), json!("notInitialized")),
            (json!(-32601), json!("methodNotFound")),
        ]
    );
}

#[test]
fn the_handshake() {
    let mut session = Session::raw(Limits::STANDARD);
    // Everything at once: what follows `initialize` need not wait for its answer.
    session.send(r#"{"id":"a","method":"initialize","params":{"clientInfo":{"name":"me"}}}"#);
    session.send(r#"{"method":"initialized"}"#);
    session.send(r#"{"method":"$/setTrace","params":{"value":"off"}}"#);
    session.send(r#"{"method":"$/unknown"}"#);
    session.send(r#"{"method":"workspace/didChange","params":5}"#);
    session.send(r#"{"id":"b","method":"initialize"}"#);
    session.send(r#"{"id":"c","method":"shutdown"}"#);
    session.send(r#"{"method":"exit"}"#);
    assert_eq!(
        session.next(),
        json!({"jsonrpc": "2.0", "id": "a", "result": {"userAgent": "me"}})
    );
    let warning = json!({"summary": "careful", "details": null});
    assert_eq!(
        session.next(),
        json!({"jsonrpc": "2.0", "method": "configWarning", "params": warning})
    );
    let error = session.next()["error"].clone();
    assert_eq!(error["message"], "Already initialized");
    assert_eq!(error["code"], -32600);
    assert_eq!(
        session.next(),
        json!({"jsonrpc": "2.0", "id": "c", "result": null})
    );
    assert_eq!(session.wait(), ExitReason::Exit);
    assert_eq!(session.next_log(), "background start");
    assert_eq!(session.next_log(), "background stop");
}

#[test]
fn a_failed_initialize_leaves_the_connection_as_it_was() {
    let mut session = Session::raw(Limits::STANDARD);
    session.request("1", "initialize", r#"{"clientInfo":{"name":5}}"#);
    assert_eq!(session.error("1"), -32602);
    session.request("2", "initialize", r#"{"clientInfo":{"name":"panic"}}"#);
    assert_eq!(session.error("2"), -32603);
    session.read("3", "x");
    assert_eq!(session.response("3")["error"]["message"], "Not initialized");
    session.request("4", "initialize", "[]");
    assert_eq!(session.result("4"), json!({"userAgent": null}));
    session.read("5", "x");
    assert_eq!(session.result("5"), json!({"done": "x"}));
}

#[test]
fn rubbish_gets_an_answer_and_the_connection_goes_on() {
    let mut session = Session::initialized(Limits::STANDARD);
    assert_eq!(session.next()["method"], "configWarning");
    for (input, code) in [
        (&b"not json"[..], -32700),
        (b"{\"id\":1,\"method\":\"\xFF\xFE\"}", -32700),
        (b"[]", -32600),
        (b"17", -32600),
        (b"{\"id\":null,\"method\":\"plugin/read\"}", -32600),
    ] {
        session.send_bytes(input);
        session.send_bytes(b"\r\n\r\n");
        let message = session.next();
        assert_eq!(message["id"], json!(null));
        assert_eq!(message["error"]["code"], code);
    }
    session.send(r#"{"id":3,"result":{}}"#);
    session.read("4", "x");
    assert_eq!(session.next()["id"], 4);
}

#[test]
fn ids_come_back_to_the_letter() {
    let mut session = Session::initialized(Limits::STANDARD);
    assert_eq!(session.next()["method"], "configWarning");
    for id in [
        "-1.50e3",
        "123456789012345678901234567890",
        r#""\u0041""#,
        r#""""#,
    ] {
        session.read(id, "x");
        let line = session.lines.recv().unwrap();
        assert_eq!(
            line,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"done":"x"}}}}"#)
        );
    }
}

#[test]
fn bad_params_name_the_member() {
    let mut session = Session::initialized(Limits::STANDARD);
    for (params, field) in [
        ("{}", json!("pluginId")),
        (r#"{"pluginId":7}"#, json!("pluginId")),
        ("[1]", json!(null)),
        (r#""text""#, json!(null)),
    ] {
        session.request("1", "plugin/uninstall", params);
        let error = session.response("1")["error"].clone();
        assert_eq!(
            (&error["code"], &error["data"]["field"]),
            (&json!(-32602), &field)
        );
    }
    session.request("2", "plugin/uninstall", r#"[{"pluginId":"x"}]"#);
    assert_eq!(session.result("2"), json!({"done": "x"}));
}

#[test]
fn a_panic_is_answered_and_its_lane_goes_on() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@panic-1");
    session.uninstall("2", "p@panic-2");
    session.uninstall("3", "q@panic");
    for id in ["1", "2", "3"] {
        let error = session.response(id)["error"].clone();
        assert_eq!(error["code"], -32603);
        assert_eq!(error["message"], "internal error");
    }
    session.uninstall("4", "p@x");
    assert_eq!(session.result("4"), json!({"done": "p@x"}));
}

#[test]
fn writes_about_one_plugin_run_in_order_and_hold_up_nobody_else() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@wait-1");
    session.wait_log("began p@wait-1");
    session.uninstall("2", "p@wait-2");
    session.request(
        "3",
        "config/value/write",
        r#"{"keyPath":"plugins.\"p@m\".enabled","value":"third","mergeStrategy":"replace"}"#,
    );
    session.uninstall("4", "q@x");
    assert_eq!(session.result("4"), json!({"done": "q@x"}));
    session.read("5", "wait-read");
    session.wait_log("began wait-read");
    session.request(
        "6",
        "config/value/write",
        r#"{"keyPath":"model","value":"sixth","mergeStrategy":"replace"}"#,
    );
    assert_eq!(session.result("6"), json!({"done": "sixth"}));
    session.open_gate();
    for id in ["1", "2", "3", "5"] {
        session.result(id);
    }
    let order = [
        "ended p@wait-1",
        "began p@wait-2",
        "ended p@wait-2",
        "began third",
    ];
    for entry in order {
        session.wait_log(entry);
    }
}

#[test]
fn an_id_that_is_used_twice_is_answered_twice() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@wait-1");
    session.uninstall("1", "q@x");
    assert_eq!(session.result("1"), json!({"done": "q@x"}));
    session.open_gate();
    assert_eq!(session.result("1"), json!({"done": "p@wait-1"}));
}

#[test]
fn headers_are_answered_in_kind() {
    let (stdin, mut input) = io::pipe().unwrap();
    let (mut output, stdout) = io::pipe().unwrap();
    let text = [
        r#"{"id":1,"method":"initialize"}"#,
        "{\"id\":2,\n\"method\":\"shutdown\"}",
    ]
    .map(|body| format!("Content-Length: {}\r\n\r\n{body}", body.len()))
    .concat();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let (stage, _log) = Stage::new();
    let (backend, _events) = backend(&stage);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let signal = std::future::pending();
    let io = Io { stdin, stdout };
    let reason = runtime.block_on(run(io, backend, options(Limits::STANDARD), signal));
    assert_eq!(reason.unwrap(), ExitReason::InputEnded);
    let mut answers = String::new();
    output.read_to_string(&mut answers).unwrap();
    let expected = [
        r#"{"jsonrpc":"2.0","id":1,"result":{"userAgent":null}}"#,
        r#"{"jsonrpc":"2.0","method":"configWarning","params":{"summary":"careful","details":null}}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":null}"#,
    ]
    .map(|body| format!("Content-Length: {}\r\n\r\n{body}", body.len()))
    .concat();
    assert_eq!(answers, expected);
    assert_eq!(
        Arc::strong_count(&stage),
        1,
        "the connection leaves nothing behind"
    );
}

#[test]
fn an_upgrade_of_all_marketplaces_runs_alone_among_them_and_beside_everything_else() {
    let mut session = Session::initialized(Limits::STANDARD);
    let name = |name: &str| format!(r#"{{"marketplaceName":"{name}"}}"#);
    session.request("1", "marketplace/remove", &name("m@wait-1"));
    session.wait_log("began m@wait-1");
    session.request("2", "marketplace/upgrade", "{}");
    session.request("3", "marketplace/upgrade", &name("n@wait-3"));
    let key = r#"{"keyPath":"model","value":"written","mergeStrategy":"replace"}"#;
    session.request("4", "config/value/write", key);
    session.uninstall("5", "p@x");
    assert_eq!(session.result("4"), json!({"done": "written"}));
    assert_eq!(session.result("5"), json!({"done": "p@x"}));
    // The first goes; the upgrade of all has its turn, and what came behind it still waits.
    session.send(r#"{"method":"$/cancelRequest","params":{"id":1}}"#);
    assert_eq!(session.error("1"), -32800);
    session.wait_log("began all@wait");
    session.open_gate();
    session.result("2");
    session.result("3");
    let rest: Vec<String> = (0..3).map(|_| session.next_log()).collect();
    assert_eq!(rest, ["ended all@wait", "began n@wait-3", "ended n@wait-3"]);
}
