//! The connection: any bytes go in, well-formed messages come out, and each id is answered once.
//!
//! The whole daemon runs in this process over two streams in memory. What it must answer is told by
//! a reader of its own, which knows the grammar of JSON-RPC and nothing else.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::AbsPath;
use plugd_plugins::{SessionFlags, Sweeping};
use plugd_server::{FramingChoice, Io, Limits, Options, Setup, serve};
use plugd_testkit::{Sandbox, check_envelope, test_environment};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::panics;

pub(crate) const WORDS: &[&str] = &[
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"clientInfo\":{\"name\":\"f\",\"version\":\"1\"}}}\n",
    "{\"id\":",
    "\"method\":\"",
    "\"params\":",
    "\"plugin/list\"",
    "\"plugin/install\"",
    "\"plugin/uninstall\"",
    "\"plugin/read\"",
    "\"marketplace/add\"",
    "\"config/value/write\"",
    "\"config/read\"",
    "\"skills/list\"",
    "\"hooks/list\"",
    "\"plugd/components\"",
    "\"plugd/gc\"",
    "\"$/cancelRequest\"",
    "\"shutdown\"",
    "\"exit\"",
    "\"rpc.discover\"",
    "\"keyPath\":",
    "\"value\":",
    "\"mergeStrategy\":\"upsert\"",
    "\"pluginName\":",
    "\"marketplacePath\":",
    "\"demo\"",
    "\"hello@demo\"",
    "\"cwds\":[",
    "null",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "\r\n",
    "Content-Length: 2\r\n\r\n{}",
    "\u{feff}",
    "1e999",
    "-0",
    "99999999999999999999999",
    "\\ud83d",
    "\\u0000",
    "\"id\":null",
    "\"id\":[]",
    "\"result\":",
    "\"error\":",
    "[[[[",
    "{\"a\":",
];

const WORLD: &str = r#"
== ch/config.toml
# the user's own words
[marketplaces.demo]
source_type = "local"
source = "$ROOT/demo"

[foreign]
key = 'kept'
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [{"name": "hello", "source": "./hello"}, {"name": "gone", "source": "./gone"}]}
== demo/hello/.codex-plugin/plugin.json
{"name": "hello", "version": "1.0.0"}
== demo/hello/skills/one/SKILL.md
---
name: one
description: the first
---
Say hello.
== home/canary
canary
"#;

/// How long one input may take; far beyond what any of them needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines go through as they are, and once more behind headers; all else goes through as it is.
pub(crate) fn run(input: &[u8]) {
    let first = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let first = first.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(u8::is_ascii_alphabetic) {
        let output = converse(input, FramingChoice::Auto);
        for body in headed(&output) {
            check_message(body);
        }
        return;
    }
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let output = converse(input, FramingChoice::Auto);
    let answers = output
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    assert!(
        output.last().is_none_or(|last| *last == b'\n'),
        "a line without an end"
    );
    check(&lines, answers.collect());

    let mut headers = Vec::new();
    for line in lines.iter().filter(|line| !line.trim_ascii().is_empty()) {
        headers.extend_from_slice(format!("Content-Length: {}\r\n\r\n", line.len()).as_bytes());
        headers.extend_from_slice(line);
    }
    let output = converse(&headers, FramingChoice::Headers);
    check(&lines, headed(&output));
}

/// A stream that many may write to and that can be read afterwards.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a daemon in a world of its own says to an input.
fn converse(input: &[u8], framing: FramingChoice) -> Vec<u8> {
    let sandbox = Sandbox::from(WORLD);
    let outside = || ["demo", "home", "cwd"].map(|dir| sandbox.tree(dir));
    let before = (outside(), panics());
    let sink = Sink::default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut environment = test_environment(&sandbox);
    // No input reaches a network: a worker is a program that ends at once, which is the one thing
    // inside that fails here.
    environment.program = AbsPath::new("/bin/false").unwrap();
    let setup = Setup {
        environment,
        disk: Disk::new(),
        layout: sandbox.layout(),
        flags: SessionFlags::none(),
        sweeping: Sweeping::Behind,
    };
    let io = Io {
        stdin: Cursor::new(input.to_vec()),
        stdout: sink.clone(),
    };
    let options = Options {
        framing,
        limits: Limits::STANDARD,
    };
    let served = runtime.block_on(async {
        let serving = serve(setup, io, options, std::future::pending());
        tokio::time::timeout(PATIENCE, serving).await
    });
    served
        .expect("the daemon does not end")
        .expect("the daemon does not begin");
    runtime.shutdown_timeout(PATIENCE);
    assert_eq!(
        (outside(), panics()),
        before,
        "something was written outside, or a thread panicked"
    );
    let output = sink.0.lock().unwrap();
    output.clone()
}

/// Cuts what came behind headers.
fn headed(output: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    let mut rest = output;
    while !rest.is_empty() {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n");
        let head = std::str::from_utf8(&rest[..end.expect("a block of headers ends")]).unwrap();
        let length = head
            .strip_prefix("Content-Length: ")
            .expect("the one header");
        let body = end.unwrap() + 4..end.unwrap() + 4 + length.parse::<usize>().unwrap();
        bodies.push(&rest[body.clone()]);
        rest = &rest[body.end..];
    }
    bodies
}

/// An envelope, as far as it is needed. One whose members come twice is no clear one.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// How many answers an id gets at least, and at most.
#[derive(Debug, Default)]
struct Owed {
    least: usize,
    most: usize,
}

fn check(lines: &[&[u8]], bodies: Vec<&[u8]>) {
    let mut owed = BTreeMap::<String, Owed>::new();
    let mut goes_on = true;
    for (index, line) in lines.iter().enumerate() {
        let line = match index {
            0 => line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line),
            _ => line,
        };
        if let Ok(elements) = serde_json::from_slice::<Vec<&RawValue>>(line) {
            for element in elements {
                goes_on &= owe(element.get().as_bytes(), false, &mut owed);
            }
        } else {
            goes_on &= owe(line, goes_on, &mut owed);
        }
    }
    for body in bodies {
        for id in check_message(body) {
            let owed = owed
                .get_mut(&id)
                .unwrap_or_else(|| panic!("nobody asked with the id {id}"));
            assert!(owed.most > 0, "the id {id} was answered too often");
            owed.most -= 1;
            owed.least = owed.least.saturating_sub(1);
        }
    }
    let unanswered: Vec<_> = owed.iter().filter(|(_, owed)| owed.least > 0).collect();
    assert!(unanswered.is_empty(), "unanswered: {unanswered:?}");
}

/// Counts what a message asks for; false behind one that may end the connection.
fn owe(message: &[u8], is_heard: bool, owed: &mut BTreeMap<String, Owed>) -> bool {
    let Ok(text) = std::str::from_utf8(message) else {
        return true;
    };
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
        let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
        if is_json {
            // Members that come twice: the last counts, or the message is refused.
            unclear(message, owed);
        }
        return !is_json;
    };
    let is_plain = |id: &&RawValue| {
        id.get()
            .starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit())
    };
    let answers = envelope.result.is_some() || envelope.error.is_some();
    let method = envelope
        .method
        .and_then(|method| serde_json::from_str::<String>(method.get()).ok());
    if let Some(id) = envelope.id.filter(is_plain) {
        let owed = owed.entry(id.get().to_owned()).or_default();
        owed.most += 1;
        owed.least += usize::from(is_heard && method.is_some() && !answers);
    }
    method.as_deref() != Some("exit")
}

/// Every value of a member `id` may be answered.
fn unclear(message: &[u8], owed: &mut BTreeMap<String, Owed>) {
    struct Ids(Vec<String>);
    impl<'de> serde::de::Visitor<'de> for Ids {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            mut self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                if name == "id" {
                    self.0.push(value.get().to_owned());
                }
            }
            Ok(self.0)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_slice(message);
    let ids = serde::Deserializer::deserialize_map(&mut deserializer, Ids(Vec::new()));
    for id in ids.unwrap_or_default() {
        owed.entry(id).or_default().most += 1;
    }
}

/// One message that came out; the ids that it answers.
fn check_message(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).expect("what comes out is text");
    assert!(!text.contains('\n'), "a message of several lines");
    let messages: Vec<&RawValue> = match text.starts_with('[') {
        true => serde_json::from_str(text).expect("a batch"),
        false => vec![serde_json::from_str(text).expect("a message")],
    };
    assert!(!messages.is_empty(), "an empty batch");
    let mut ids = Vec::new();
    for message in messages {
        let envelope: Envelope<'_> = serde_json::from_str(message.get()).expect("an envelope");
        // An id comes back as it was written, also one that is no text of Unicode.
        let id = envelope.id.map_or("null", RawValue::get);
        let plain = message
            .get()
            .replacen(&format!("\"id\":{id}"), "\"id\":0", 1);
        let value: Value = serde_json::from_str(&plain).expect("a message");
        assert_eq!(check_envelope(&value), Ok(()), "{value}");
        let error = &value["error"];
        let is_worker = error["message"]
            .as_str()
            .is_some_and(|text| text.contains("git worker"));
        assert!(is_worker || error["data"]["kind"] != "internal", "{value}");
        if let Some(id) = envelope.id {
            ids.push(id.get().to_owned());
        }
    }
    ids
}
