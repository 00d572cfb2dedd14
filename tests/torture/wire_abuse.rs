//! What nobody should send, in amounts that nobody should send.
//!
//! Whatever comes: every request is answered exactly once with its own id, what goes out is well
//! formed, memory has a bound, and the daemon ends well.

use std::collections::BTreeMap;
use std::time::Duration;

use plugd_testkit::{Daemon, Launch, Sandbox, check_envelope};
use serde_json::{Value, json};

use crate::BINARY;
use crate::tally::{Scale, Tally};
use crate::wire_raw::{RawDaemon, memory};

const DEADLINE: Duration = Duration::from_secs(60);
/// How many requests may wait for their answer before one is refused.
const PROMISED: usize = 1024;
/// How much memory any of this may cost, beyond what is sent at once, in kibibytes.
const MOST_MEMORY: u64 = if cfg!(debug_assertions) { 64 } else { 24 } * 1024;
/// The longest line.
const LONGEST: usize = 64 * 1024 * 1024;

/// A request that any home answers, and quickly.
const SMALL: &str = r#""method":"plugin/search","params":{"searchTerm":"x"}"#;
const HELLO: &str = "{\"id\":\"hello\",\"method\":\"initialize\"}\n";

/// One kind after the other.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let count = scale.pick(10_000, 50_000);
    tally.attempt("a flood", || flood(count));
    tally.attempt("ten thousand at once", || at_once(10_000));
    tally.attempt("the same id again and again", || one_id(2_000));
    tally.attempt("a storm of cancels", || cancels(500));
    tally.attempt("notifications", || {
        notifications(scale.pick(20_000, 200_000));
    });
    tally.attempt("greetings", || greetings(5_000));
    tally.attempt("large batches", batches);
    tally.attempt("a reader of single bytes", || slow_reader(300));
    tally.attempt("a reader that went away", || gone_reader(20_000));
    if scale.pick(false, true) {
        tally.attempt("a reader that never reads", || never_reads(50_000));
    }
    for text in giant_ids() {
        let what = format!("an id of {} bytes", text.len());
        tally.attempt(what, || giant_id(&text));
    }
    for (name, extra) in [("longest", 0), ("too long", 1)] {
        tally.attempt(format!("a line that is {name}"), || long_line(extra));
    }
    half_messages(&mut tally, scale.pick(5, 1));
    for (number, (input, least)) in mixes().into_iter().enumerate() {
        tally.attempt(format!("mix {number}"), || mix(&input, least));
    }
    tally
}

fn start(sandbox: &Sandbox) -> Daemon {
    let launch = Launch::app_server(BINARY).patience(DEADLINE);
    let mut daemon = launch.start(sandbox);
    daemon.initialize();
    daemon
}

fn requests(count: usize) -> Vec<u8> {
    let lines = (0..count).map(|id| format!("{{\"id\":\"r{id}\",{SMALL}}}\n"));
    lines.collect::<String>().into_bytes()
}

/// Takes so many answers to [`requests`]: each id once. Answers how many were refused as too many;
/// no other refusal may be.
#[track_caller]
fn take(daemon: &mut Daemon, count: usize) -> usize {
    let mut open: Vec<bool> = vec![true; count];
    let mut refused = 0;
    for _ in 0..count {
        let answer = daemon.wait_message("an answer", |message| message.get("id").is_some());
        let id = answer["id"].as_str().unwrap().strip_prefix('r').unwrap();
        let open = &mut open[id.parse::<usize>().unwrap()];
        assert!(std::mem::take(open), "{id} was answered twice");
        if let Some(error) = answer.get("error") {
            assert_eq!(error["code"], -32001, "{answer}");
            refused += 1;
        }
    }
    refused
}

fn flood(count: usize) {
    let mut daemon = start(&Sandbox::new());
    daemon.queue_raw(requests(count)).unwrap();
    let refused = take(&mut daemon, count);
    assert!(refused <= count - PROMISED, "{refused} of {count} refused");
    let peak = memory(daemon.id(), "VmHWM");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
    daemon.ok("plugin/list", json!({}));
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

/// Nobody reads until the daemon has taken what it takes.
fn at_once(count: usize) {
    let launch = Launch::app_server(BINARY).patience(DEADLINE);
    let mut daemon = launch.reads_when_asked().start(&Sandbox::new());
    daemon.initialize();
    daemon.queue_raw(requests(count)).unwrap();
    let refused = take(&mut daemon, count);
    assert!(refused <= count - PROMISED, "{refused} of {count} refused");
    let peak = memory(daemon.id(), "VmHWM");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
    daemon.shut_down();
}

fn one_id(count: usize) {
    let mut daemon = start(&Sandbox::new());
    let line = format!("{{\"id\":\"same\",{SMALL}}}\n");
    daemon.queue_raw(line.repeat(count)).unwrap();
    for _ in 0..count {
        daemon.response("same");
    }
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

/// Each request is cancelled three times in three ways, and somebody cancels what nobody asked.
fn cancels(count: usize) {
    let mut daemon = start(&Sandbox::new());
    let mut input = String::new();
    for id in 0..count {
        let write = json!({"keyPath": "t.x", "value": id, "mergeStrategy": "replace"});
        input.push_str(&format!(
            "{{\"id\":\"r{id}\",\"method\":\"config/value/write\",\"params\":{write}}}\n\
             {{\"method\":\"$/cancelRequest\",\"params\":{{\"id\":\"r{id}\"}}}}\n\
             {{\"method\":\"$/cancel_request\",\"params\":{{\"requestId\":\"r{id}\"}}}}\n\
             {{\"method\":\"notifications/cancelled\",\"params\":{{\"requestId\":\"x{id}\"}}}}\n"
        ));
    }
    daemon.queue_raw(input).unwrap();
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    while answers.len() < count {
        let answer = daemon.wait_message("an answer", |message| message.get("id").is_some());
        let code = answer["error"]["code"].as_i64();
        assert!(matches!(code, None | Some(-32800 | -32001)), "{answer}");
        let id = answer["id"].as_str().unwrap().to_owned();
        assert_eq!(answers.insert(id, answer), None, "answered twice");
    }
    daemon.ok("config/read", json!({}));
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

fn notifications(count: usize) {
    let mut daemon = start(&Sandbox::new());
    let before = memory(daemon.id(), "VmHWM");
    let line =
        "{\"method\":\"some/news\",\"params\":{\"x\":[1,2,3]}}\n{\"method\":\"initialized\"}\n";
    daemon.queue_raw(line.repeat(count)).unwrap();
    daemon.ok("plugin/list", json!({}));
    let after = memory(daemon.id(), "VmHWM");
    assert!(after < before + 8 * 1024, "{before} and then {after} KiB");
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

fn greetings(count: usize) {
    let mut daemon = Launch::app_server(BINARY)
        .patience(DEADLINE)
        .start(&Sandbox::new());
    daemon.queue_raw(HELLO.repeat(count)).unwrap();
    let greeted = (0..count)
        .filter(|_| daemon.response("hello").get("result").is_some())
        .count();
    assert_eq!(greeted, 1);
    daemon.ok("plugin/list", json!({}));
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

/// The largest batch, one that is larger, and batches within batches, which are no requests.
fn batches() {
    let count = PROMISED;
    let mut daemon = start(&Sandbox::new());
    let requests: Vec<String> = (0..count)
        .map(|id| format!("{{\"id\":{id},{SMALL}}}"))
        .collect();
    daemon
        .queue_raw(format!("[{}]\n", requests.join(",")))
        .unwrap();
    let answer = daemon.wait_message("the batch", Value::is_array);
    let mut ids: Vec<u64> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["id"].as_u64().unwrap())
        .collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..u64::try_from(count).unwrap()));
    let more = format!("[{},{}]\n", requests.join(","), requests[0]);
    daemon.send_raw(more);
    assert_eq!(daemon.response(Value::Null)["error"]["code"], -32600);
    let one = format!("{{\"id\":1,{SMALL}}}");
    daemon.send_raw(format!("[[{one}],[[{one}]],{one},[],7]\n"));
    let answer = daemon.wait_message("the nested batch", Value::is_array);
    let errors = answer.as_array().unwrap().iter();
    let refused = errors.filter(|answer| answer["error"]["code"] == -32600);
    assert_eq!((answer.as_array().unwrap().len(), refused.count()), (5, 4));
    daemon.shut_down();
}

/// The answers in lines; each must be a message.
#[track_caller]
fn messages(output: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(output).unwrap().split_inclusive('\n');
    let messages = lines.map(|line| {
        assert!(line.ends_with('\n'), "cut off: {line:?}");
        let message: Value = serde_json::from_str(line).unwrap();
        assert_eq!(check_envelope(&message), Ok(()), "{line}");
        message
    });
    messages.collect()
}

fn slow_reader(count: usize) {
    let mut daemon = RawDaemon::start(&Sandbox::new());
    let mut input = HELLO.as_bytes().to_vec();
    input.extend(requests(count));
    daemon.write_and_close(input);
    let output = daemon.read_all(1);
    assert_eq!(daemon.wait(DEADLINE).code(), Some(0));
    assert_eq!(messages(&output).len(), count + 1, "{} bytes", output.len());
}

fn gone_reader(count: usize) {
    let launch = Launch::app_server(BINARY)
        .patience(DEADLINE)
        .hangs_up_after(5);
    let mut daemon = launch.start(&Sandbox::new());
    daemon.initialize();
    // It ends before it has taken everything.
    drop(daemon.queue_raw(requests(count)));
    assert_eq!(daemon.wait_exit().code(), Some(0));
}

/// The input ends, the output is never read: what cannot be told to anybody is dropped in time.
fn never_reads(count: usize) {
    let mut daemon = RawDaemon::start(&Sandbox::new());
    let mut input = HELLO.as_bytes().to_vec();
    input.extend(requests(2_000));
    daemon.write_and_close(input);
    assert_eq!(daemon.wait(2 * DEADLINE).code(), Some(0));
    let mut daemon = RawDaemon::start(&Sandbox::new());
    let mut input = HELLO.as_bytes().to_vec();
    input.extend(requests(count));
    daemon.write_and_close(input);
    // It stops reading; nothing tells when, so what it takes until it gives up is what counts.
    let mut peak = 0;
    let mut last = 0;
    let mut same = 0;
    while same < 100_000 {
        let now = memory(daemon.id(), "VmHWM");
        same = if now == last { same + 1 } else { 0 };
        last = now;
        peak = peak.max(now);
    }
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

fn giant_ids() -> Vec<String> {
    vec![
        format!("\"{}\"", "x".repeat(1024 * 1024)),
        format!("\"{}\"", "\\u00fc\\n".repeat(50_000)),
        "7".repeat(400),
        format!(
            "-{}.{}e-{}",
            "1".repeat(400),
            "2".repeat(400),
            "3".repeat(5)
        ),
    ]
}

/// A number may be larger than any that a JSON library of this test knows, so texts are compared.
fn giant_id(id: &str) {
    let mut daemon = RawDaemon::start(&Sandbox::new());
    let calls = [SMALL, "\"method\":\"no/such\""];
    let lines = calls.map(|call| format!("{{\"id\":{id},{call}}}\n"));
    daemon.write_and_close(format!("{HELLO}{}", lines.concat()).into_bytes());
    let output = String::from_utf8(daemon.read_all(4096)).unwrap();
    assert_eq!(
        output.matches(&format!("\"id\":{id},")).count(),
        calls.len()
    );
    assert_eq!(output.lines().count(), 1 + calls.len());
    assert_eq!(daemon.wait(DEADLINE).code(), Some(0));
}

/// A line of exactly the longest length, or some bytes more.
fn long_line(extra: usize) {
    let mut daemon = start(&Sandbox::new());
    let head = format!("{{\"id\":\"long\",{SMALL},\"pad\":\"");
    let pad = LONGEST + extra - head.len() - 2;
    daemon
        .queue_raw(format!("{head}{}\"}}\n", "x".repeat(pad)))
        .unwrap();
    let answer = daemon.wait_message("an answer", |message| message.get("id").is_some());
    match extra {
        0 => assert!(
            answer["id"] == "long" && answer.get("result").is_some(),
            "{answer}"
        ),
        _ => assert_eq!(answer["error"]["code"], -32600, "{answer}"),
    }
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
}

/// A request that is cut at every `step`-th byte, in both framings, and the end behind it.
fn half_messages(tally: &mut Tally, step: usize) {
    let sandbox = Sandbox::new();
    let body = format!("{{\"id\":\"half\",{SMALL}}}");
    let hello = HELLO.trim_end();
    let framed = |text: &str| format!("Content-Length: {}\r\n\r\n{text}", text.len());
    for (greeting, whole) in [
        (HELLO.to_owned(), format!("{body}\n")),
        (framed(hello), framed(&body)),
    ] {
        for cut in (0..=whole.len()).step_by(step) {
            tally.attempt(format!("cut after {:?}", &whole[..cut]), || {
                let mut daemon = RawDaemon::start(&sandbox);
                daemon.write_and_close(format!("{greeting}{}", &whole[..cut]).into_bytes());
                let output = String::from_utf8(daemon.read_all(4096)).unwrap();
                assert_eq!(daemon.wait(DEADLINE).code(), Some(0));
                let answers = output.matches("\"jsonrpc\"").count();
                let is_whole =
                    cut + 1 >= whole.len() && whole.ends_with('\n') || cut == whole.len();
                assert_eq!(
                    output.matches("\"half\"").count(),
                    usize::from(is_whole),
                    "{output}"
                );
                // The greeting, and an answer or a complaint when anything came at all.
                assert_eq!(answers, 1 + usize::from(cut > 0), "{output}");
            });
        }
    }
}

/// Inputs that mix what does not belong together, and how many answers there are at least.
fn mixes() -> Vec<(Vec<u8>, usize)> {
    let one = format!("{{\"id\":1,{SMALL}}}\n");
    let framed = format!("Content-Length: {}\r\n\r\n{}", one.len(), one);
    vec![
        (format!("{HELLO}{framed}{one}").into_bytes(), 2),
        (
            format!("{HELLO}{one}{}{one}", "Content-Length: 5\r\n\r\n").into_bytes(),
            3,
        ),
        (
            [
                HELLO.as_bytes(),
                b"\xff\xfe\xfd\n\xc0\x80\n\xed\xa0\x80\n",
                one.as_bytes(),
            ]
            .concat(),
            5,
        ),
        (
            [HELLO.as_bytes(), &[0; 5_000], b"\n", one.as_bytes()].concat(),
            2,
        ),
        (
            [
                HELLO.as_bytes(),
                &b"\n\r\n \t\n".repeat(50_000),
                one.as_bytes(),
            ]
            .concat(),
            2,
        ),
        (
            [
                HELLO.as_bytes(),
                &b"{".repeat(1_000_000),
                b"\n",
                one.as_bytes(),
            ]
            .concat(),
            3,
        ),
        (
            [
                HELLO.as_bytes(),
                &b"\"\\u".repeat(100_000),
                b"\n",
                one.as_bytes(),
            ]
            .concat(),
            3,
        ),
    ]
}

fn mix(input: &[u8], least: usize) {
    let mut daemon = RawDaemon::start(&Sandbox::new());
    daemon.write_and_close(input.to_vec());
    let answers = messages(&daemon.read_all(4096));
    assert_eq!(daemon.wait(DEADLINE).code(), Some(0), "{answers:#?}");
    assert!(answers.len() >= least, "{answers:#?}");
    let of = |id: Value| answers.iter().filter(|answer| answer["id"] == id).count();
    assert_eq!(of(json!("hello")), 1);
    assert!(of(json!(1)) >= 1, "{answers:#?}");
}
