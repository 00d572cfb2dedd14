//! Replays the transcripts of `protocol/transcripts`, at least one for each method, against the real
//! binary: what a frontend author reads there is what comes over the wire.
//!
//! With `PLUGD_WRITE_TRANSCRIPTS=1` the answers are written anew (`make transcripts`). The format
//! stands in `protocol/transcripts/README.md`.
#![expect(
    clippy::disallowed_methods,
    reason = "this test compares a folder of the source tree, which is not a home directory"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use plugd_protocol::METHODS;
use plugd_testkit::{Daemon, Launch, Seen};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::BINARY;
use crate::remote_sync::end_of_sync;
use crate::schemas::validate;
use crate::transcript_world::World;

/// Members whose value differs from run to run, or from machine to machine, and what stands for it.
const VARYING: &[(&str, &str)] = &[
    ("userAgent", "$USER_AGENT"),
    ("platformFamily", "$PLATFORM"),
    ("platformOs", "$PLATFORM"),
    ("leaseId", "$LEASE"),
    ("startedAt", "$TIME"),
    ("finishedAt", "$TIME"),
    ("checkedAt", "$TIME"),
    ("installedAt", "$TIME"),
    ("replacedAt", "$TIME"),
    ("approvedAt", "$TIME"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/transcripts")
}

/// A message of a transcript.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The name of a method's file, without its ending.
fn stem(method: &str) -> String {
    method.replace(['/', '.'], "-")
}

/// A running transcript: the world, the daemon, and what the placeholders mean.
struct Replay {
    world: World,
    daemon: Daemon,
    cut: Vec<String>,
    lease: Option<String>,
    /// The method of every request that was sent, by the text of its id.
    asked: BTreeMap<String, String>,
}

impl Replay {
    /// Prepares what the lines with `@` before the first message ask for, starts the daemon and
    /// greets it, unless the transcript does so itself.
    fn start(text: &str) -> Self {
        let mut world = World::new();
        let (mut listens, mut waits) = (false, false);
        let mut cut = Vec::new();
        let before = text.lines().take_while(|line| !line.starts_with("--> "));
        for order in before.filter_map(|line| line.strip_prefix('@')) {
            match order {
                "listen" => listens = true,
                "synced" => waits = true,
                order => obey(&mut world, &mut cut, order),
            }
        }
        // The ids are the transcript's own, so its answers are checked here and not on the way.
        let mut daemon = Launch::app_server(BINARY).start(&world.sandbox);
        if !text.contains(r#""method":"initialize""#) {
            let client = json!({"name": "editor", "version": "3.1"});
            let wishes = json!({"plugd": {"notifications": listens}});
            daemon.initialize_with(json!({"clientInfo": client, "capabilities": wishes}));
        }
        if waits {
            end_of_sync(&mut daemon);
        }
        Self {
            world,
            daemon,
            cut,
            lease: None,
            asked: BTreeMap::new(),
        }
    }

    /// Runs every line; returns the transcript as it is now.
    fn run(mut self, text: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut owed: Option<Value> = None;
        let mut begun = false;
        for line in text.lines() {
            if let Some(message) = line.strip_prefix("--> ") {
                begun = true;
                self.settle(&mut owed, &mut lines);
                owed = self.send(message);
                lines.push(line.to_owned());
            } else if let Some(message) = line.strip_prefix("<-- ") {
                let expected = parsed(message);
                if expected.get("method").is_some() {
                    lines.push(self.notified(&expected));
                } else {
                    self.settle(&mut owed, &mut lines);
                }
            } else {
                self.settle(&mut owed, &mut lines);
                if let Some(order) = line.strip_prefix('@').filter(|_| begun) {
                    obey(&mut self.world, &mut self.cut, order);
                }
                lines.push(line.to_owned());
            }
        }
        self.settle(&mut owed, &mut lines);
        self.daemon.shut_down();
        lines.join("\n") + "\n"
    }

    /// Sends a message as it stands, and returns the id that an answer is owed to.
    fn send(&mut self, message: &str) -> Option<Value> {
        let mut line = self.world.expand(message);
        if let Some(lease) = &self.lease {
            line = line.replace("$LEASE", lease);
        }
        let message = parsed(&line);
        self.daemon.send_raw(format!("{line}\n"));
        let id = message.get("id").cloned()?;
        let method = message["method"].as_str().unwrap().to_owned();
        self.asked.insert(id.to_string(), method);
        Some(id)
    }

    /// Waits for the answer that is owed.
    fn settle(&mut self, owed: &mut Option<Value>, lines: &mut Vec<String>) {
        let Some(id) = owed.take() else { return };
        let method = self.asked[&id.to_string()].clone();
        let message = self.daemon.response(id);
        validate(&Seen {
            method: &method,
            message: &message,
        });
        if let Some(lease) = message.pointer("/result/leaseId").and_then(Value::as_str) {
            self.lease = Some(lease.to_owned());
        }
        let mut shown = self.masked(message.clone(), None);
        // A text that tells how long it is does so without the length of the sandbox's path.
        if let Some(characters) = shown.pointer("/result/characters") {
            assert_eq!(*characters, length(&message));
            let length = length(&shown);
            shown["result"]["characters"] = length;
        }
        lines.push(format!("<-- {shown}"));
    }

    /// Waits for a notification that looks as the transcript says.
    fn notified(&mut self, expected: &Value) -> String {
        let method = expected["method"].as_str().unwrap();
        let root = self.world.sandbox.root().to_text();
        let fits = |params: &Value| {
            let text = params.to_string().replace(&root, "$ROOT");
            serde_json::from_str::<Value>(&text).is_ok_and(|got| got == expected["params"])
        };
        self.daemon.wait_notification(method, fits);
        format!("<-- {expected}")
    }

    /// A message with placeholders for what differs from run to run, and without what is cut.
    fn masked(&self, value: Value, name: Option<&str>) -> Value {
        let varying = VARYING.iter().find(|(member, _)| Some(*member) == name);
        match value {
            Value::Null => Value::Null,
            _ if name.is_some_and(|name| self.cut.iter().any(|cut| cut == name)) => {
                Value::from("$CUT")
            }
            _ if varying.is_some() => varying.map(|(_, stands)| Value::from(*stands)).into(),
            Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| {
                    let value = self.masked(value, Some(&key));
                    (key, value)
                })
                .collect(),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.masked(item, name));
                items.collect()
            }
            Value::String(text) => self.masked_text(&text, name).into(),
            other => other,
        }
    }

    fn masked_text(&self, text: &str, name: Option<&str>) -> String {
        if name == Some("version") {
            // That of a configuration file is a digest of bytes with the sandbox's path in them.
            if text.starts_with("sha256:") {
                return "$VERSION".to_owned();
            }
            if text == env!("CARGO_PKG_VERSION") {
                return "$PLUGD_VERSION".to_owned();
            }
        }
        let text = self.world.masked(text);
        if name == Some("message") {
            return without_versions(&text);
        }
        text
    }
}

/// How many characters the text of an answer has.
fn length(message: &Value) -> Value {
    let text = message["result"]["text"].as_str().unwrap();
    text.chars().count().into()
}

/// Carries out a line with `@` that stands where the world or what is shown of it changes.
fn obey(world: &mut World, cut: &mut Vec<String>, order: &str) {
    match order.strip_prefix("cut ") {
        Some(names) => cut.extend(names.split(' ').map(str::to_owned)),
        None => world.obey(order),
    }
}

/// A text in which the versions of configuration files are not told.
fn without_versions(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        match part.len() - rest.len() {
            64 => format!("{shown}$VERSION{rest}"),
            _ => format!("{shown}sha256:{part}"),
        }
    })
}

#[test]
fn only_whole_digests_are_versions() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    for (text, expected) in [
        (
            format!("{digest} and not {digest}"),
            "$VERSION and not $VERSION",
        ),
        ("not sha256:0".to_owned(), "not sha256:0"),
        (String::new(), ""),
    ] {
        assert_eq!(without_versions(&text), expected);
    }
}

/// The transcripts in the order of their names, each behind the stem of its method: what follows the
/// first dot tells the transcripts of one method apart.
fn transcripts() -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(folder()).unwrap();
    let mut found: Vec<_> = files
        .filter_map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name()?.to_str()?.strip_suffix(".txt")?;
            let method = name.split('.').next()?.to_owned();
            Some((method, path))
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_method_has_its_transcript_and_no_other() {
    let found: BTreeSet<String> = transcripts()
        .into_iter()
        .map(|(method, _)| method)
        .collect();
    let methods: BTreeSet<String> = METHODS.iter().map(|method| stem(method.name)).collect();
    assert_eq!(found, methods);
    for (file, path) in transcripts() {
        let text = fs::read_to_string(&path).unwrap();
        let method = METHODS.iter().find(|method| stem(method.name) == file);
        let request = format!("\"method\":\"{}\"", method.unwrap().name);
        assert!(
            text.contains(&request),
            "{} is about no such request",
            path.display()
        );
        assert!(
            text.starts_with("# "),
            "{} does not say what it shows",
            path.display()
        );
    }
}

#[test]
fn every_transcript_is_what_goes_over_the_wire() {
    let writes = std::env::var_os("PLUGD_WRITE_TRANSCRIPTS").is_some();
    for (_, path) in transcripts() {
        let text = fs::read_to_string(&path).unwrap();
        let now = Replay::start(&text).run(&text);
        if writes {
            fs::write(&path, now).unwrap();
        } else {
            let name = path.display();
            assert_eq!(text, now, "`make transcripts` writes {name} anew");
        }
    }
}
