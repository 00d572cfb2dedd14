//! Speaks with a running daemon over its pipes.
//!
//! A thread reads stdout and another one writes stdin, so a daemon that does not read or write
//! costs a test its patience and never more. What has been received and not yet asked for stays in
//! an inbox in the order of its arrival; responses and notifications may come in any order.
//!
//! Every message is checked when it arrives: it must be framed as the launch said, be JSON, and
//! have the envelope of JSON-RPC 2.0 ([`check_envelope`]). A test need not ask for that.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::launch::Launch;
use crate::pipes::{Incoming, Job, start_reading, start_writing};
use crate::process::Process;
use crate::{Sandbox, Signal, check_envelope};

/// How much of a message a failure shows.
const SHOWN_CHARACTERS: usize = 2_000;

/// A running daemon. Dropping it kills the process and everything that it started.
///
/// The methods panic at the caller's place when what they wait for does not come in time, and show
/// what came instead together with the daemon's stderr.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    sandbox: Sandbox,
    launch: Launch,
    input: Option<Sender<Job>>,
    incoming: Receiver<Incoming>,
    inbox: VecDeque<Message>,
    ended: bool,
    asked: BTreeMap<u64, String>,
    stderr_shown: bool,
}

/// A message of the daemon together with the method it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The method of the notification, or of the request that is answered.
    pub method: &'a str,
    /// The whole message.
    pub message: &'a Value,
}

#[derive(Debug)]
struct Message {
    text: String,
    value: Value,
}

/// What waiting for one more message brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Received {
    Message,
    Nothing,
    End,
}

impl Daemon {
    pub(crate) fn launch(launch: &Launch, sandbox: &Sandbox) -> Result<Self> {
        let mut command = launch.command(sandbox);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = launch.spawn(&mut command)?;
        let stdin = process.child().stdin.take();
        let stdout = process.child().stdout.take();
        Ok(Self {
            input: Some(start_writing(stdin.context("the child has no stdin")?)),
            incoming: start_reading(launch, stdout.context("the child has no stdout")?),
            process,
            sandbox: sandbox.clone(),
            launch: launch.clone(),
            inbox: VecDeque::new(),
            ended: false,
            asked: BTreeMap::new(),
            stderr_shown: false,
        })
    }

    /// Sends `initialize` as a plain client would, then `initialized`; returns the result.
    #[track_caller]
    pub fn initialize(&mut self) -> Value {
        let client = json!({"name": "plugd-tests", "title": "Tests", "version": "1.0.0"});
        self.initialize_with(json!({"clientInfo": client, "capabilities": {}}))
    }

    /// As [`Daemon::initialize`], with params of the test's choice.
    #[track_caller]
    pub fn initialize_with(&mut self, params: Value) -> Value {
        let result = self.ok("initialize", params);
        self.notify("initialized", json!({}));
        result
    }

    /// Sends a request and waits for its response, which is returned whole.
    ///
    /// In params `$ROOT` means the sandbox's root, here and in the other methods that take params.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        self.response(id)
    }

    /// Sends a request and returns its result.
    ///
    /// # Panics
    /// The answer is an error.
    #[track_caller]
    pub fn ok(&mut self, method: &str, params: Value) -> Value {
        let mut response = self.call(method, params);
        match response.get_mut("result") {
            Some(result) => result.take(),
            None => self.fail(&format!("`{method}` failed: {response:#}")),
        }
    }

    /// Sends a request and returns its error: the object with code, message and data.
    ///
    /// # Panics
    /// The answer is a result.
    #[track_caller]
    pub fn err(&mut self, method: &str, params: Value) -> Value {
        let mut response = self.call(method, params);
        match response.get_mut("error") {
            Some(error) => error.take(),
            None => self.fail(&format!("`{method}` did not fail: {response:#}")),
        }
    }

    /// Sends a request without waiting; returns its id.
    #[track_caller]
    pub fn request(&mut self, method: &str, params: Value) -> u64 {
        let id = u64::try_from(self.asked.len()).unwrap_or(u64::MAX) + 1;
        self.asked.insert(id, method.to_owned());
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&message);
        id
    }

    /// Waits for the response to an id, which may have been sent in any way; returns it whole.
    #[track_caller]
    pub fn response(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        let what = format!("the response to id {id}");
        self.wait_message(&what, |message| {
            message.get("id") == Some(&id) && message.get("method").is_none()
        })
    }

    /// Sends a notification.
    #[track_caller]
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Waits for a notification whose params fit and returns these params. One that came earlier
    /// and was not taken counts too.
    #[track_caller]
    pub fn wait_notification(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let what = format!("a notification `{method}`");
        let mut message = self.wait_message(&what, |message| {
            is_notification(message, method) && fits(&message["params"])
        });
        message["params"].take()
    }

    /// Takes the notifications of a method that have come so far, as params. To show that none
    /// came for something, call a method whose response must come later and then look here.
    pub fn take_notifications(&mut self, method: &str) -> Vec<Value> {
        let (mine, others) = std::mem::take(&mut self.inbox)
            .into_iter()
            .partition(|message: &Message| is_notification(&message.value, method));
        self.inbox = others;
        VecDeque::into_iter(mine)
            .map(|mut message| message.value["params"].take())
            .collect()
    }

    /// Waits for a message of any kind that fits; `what` is for the failure.
    #[track_caller]
    pub fn wait_message(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = self.deadline();
        let mut looked_at = 0;
        loop {
            let mut new = self.inbox.iter().skip(looked_at);
            if let Some(position) = new.position(|message| fits(&message.value))
                && let Some(message) = self.inbox.remove(looked_at + position)
            {
                return message.value;
            }
            looked_at = self.inbox.len();
            match self.receive(deadline) {
                Received::Message => {}
                Received::Nothing => self.fail(&format!(
                    "{what} did not come within {:?}",
                    self.launch.patience
                )),
                Received::End => self.fail(&format!("{what} did not come before stdout ended")),
            }
        }
    }

    /// The oldest message that was not taken yet; `None` when none comes in time or stdout has
    /// ended.
    #[track_caller]
    pub fn next_message(&mut self, timeout: Duration) -> Option<Value> {
        self.next(timeout).map(|message| message.value)
    }

    /// As [`Daemon::next_message`], as the text that came over the wire, without its framing: for
    /// what a parsed value does not show, such as the spelling of a number.
    #[track_caller]
    pub fn next_text(&mut self, timeout: Duration) -> Option<String> {
        self.next(timeout).map(|message| message.text)
    }

    /// Waits until stdout ends and returns everything that was not taken yet.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<Value> {
        let deadline = self.deadline();
        loop {
            match self.receive(deadline) {
                Received::Message => {}
                Received::Nothing => self.fail("stdout did not end"),
                Received::End => break,
            }
        }
        let rest = std::mem::take(&mut self.inbox);
        rest.into_iter().map(|message| message.value).collect()
    }

    /// Writes bytes to stdin exactly as given and waits until they are written.
    #[track_caller]
    pub fn send_raw(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send_raw(bytes) {
            self.fail(&format!("cannot write to stdin: {error}"));
        }
    }

    /// As [`Daemon::send_raw`], for a test that expects a closed pipe.
    ///
    /// # Errors
    /// The daemon has closed its stdin, or did not read in time, or the test closed it.
    pub fn try_send_raw(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let written = self.queue_raw(bytes)?;
        match written.recv_timeout(self.launch.patience) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Hands bytes over for writing without waiting: for a flood that the daemon may not take at
    /// once. What comes back tells when they are written, and may be dropped.
    ///
    /// # Errors
    /// The daemon or the test has closed stdin before.
    pub fn queue_raw(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<Receiver<io::Result<()>>> {
        let (done, written) = mpsc::channel();
        let bytes = bytes.as_ref().to_vec();
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        let input = self.input.as_ref().ok_or_else(closed)?;
        input.send(Job { bytes, done }).map_err(|_| closed())?;
        Ok(written)
    }

    /// Closes stdin after everything that was sent.
    pub fn close_stdin(&mut self) {
        self.input = None;
    }

    /// Waits until the process has ended.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        match self.process.wait(self.deadline()) {
            Some(status) => status,
            None => self.fail("the process did not end"),
        }
    }

    /// Closes stdin, takes what is still answered, and makes sure that the process ends with exit
    /// code 0.
    #[track_caller]
    pub fn shut_down(&mut self) -> Vec<Value> {
        self.close_stdin();
        let rest = self.rest();
        let status = self.wait_exit();
        if !status.success() {
            self.fail("the process did not end well");
        }
        rest
    }

    /// Sends a signal; elsewhere than on Unix every signal kills.
    #[track_caller]
    pub fn signal(&mut self, signal: Signal) {
        if let Err(error) = self.process.signal(signal) {
            self.fail(&format!("cannot send a signal: {error}"));
        }
    }

    /// Kills the process with everything that it started, and waits until it is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// The process number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The sandbox it runs in.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// What it wrote to stderr so far; of one that has ended all of it, which another thread reads.
    #[must_use]
    pub fn stderr(&self) -> String {
        if self.ended {
            let soon = Instant::now() + Duration::from_secs(1);
            self.process.stderr().wait_end(soon);
        }
        self.process.stderr().text()
    }

    /// Waits until stderr holds a text, and returns all of stderr.
    #[track_caller]
    pub fn wait_stderr(&mut self, text: &str) -> String {
        let stderr = self.process.stderr().clone();
        if !stderr.wait_for(self.deadline(), |all| all.contains(text)) {
            self.fail(&format!("`{text}` did not come on stderr"));
        }
        stderr.text()
    }

    #[track_caller]
    fn send(&mut self, message: &Value) {
        // The root as it stands inside a JSON string.
        let root = Value::from(self.sandbox.root().to_text()).to_string();
        let text = message.to_string().replace("$ROOT", root.trim_matches('"'));
        self.send_raw(self.launch.framing.frame(&text));
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.launch.patience
    }

    #[track_caller]
    fn next(&mut self, timeout: Duration) -> Option<Message> {
        if self.inbox.is_empty() {
            self.receive(Instant::now() + timeout);
        }
        self.inbox.pop_front()
    }

    /// Waits for one more message, checks it and puts it into the inbox.
    #[track_caller]
    fn receive(&mut self, deadline: Instant) -> Received {
        if self.ended {
            return Received::End;
        }
        let patience = deadline.saturating_duration_since(Instant::now());
        let text = match self.incoming.recv_timeout(patience) {
            Ok(Incoming::Body(text)) => text,
            Ok(Incoming::Broken(error)) => self.fail(&format!("stdout is not protocol: {error}")),
            Err(RecvTimeoutError::Timeout) => return Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => {
                self.ended = true;
                return Received::End;
            }
        };
        let value: Value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => self.fail(&format!("a message is not JSON, {error}: {}", cut(&text))),
        };
        if !self.launch.lenient
            && let Err(error) = check_envelope(&value)
        {
            self.fail(&format!(
                "a message has a bad envelope, {error}: {}",
                cut(&text)
            ));
        }
        self.show_observer(&value);
        self.inbox.push_back(Message { text, value });
        Received::Message
    }

    fn show_observer(&self, value: &Value) {
        let Some(observer) = &self.launch.observer else {
            return;
        };
        let messages = match value {
            Value::Array(batch) => batch.as_slice(),
            one => std::slice::from_ref(one),
        };
        for message in messages {
            let asked = message.get("id").and_then(Value::as_u64);
            let method = match message.get("method").and_then(Value::as_str) {
                Some(method) => Some(method),
                None => asked.and_then(|id| self.asked.get(&id).map(String::as_str)),
            };
            if let Some(method) = method {
                observer(&Seen { method, message });
            }
        }
    }

    /// Panics with everything that a person needs to see why.
    #[track_caller]
    fn fail(&mut self, what: &str) -> ! {
        let mut report = format!("{what}\n");
        for message in &self.inbox {
            // Writing to a string cannot fail.
            let _ = writeln!(report, "not taken: {}", cut(&message.text));
        }
        if self.ended {
            // The last words of a process and its end come a moment after its last message.
            let soon = Instant::now() + Duration::from_secs(1);
            self.process.wait(soon);
            self.process.stderr().wait_end(soon);
        }
        if let Some(status) = self.process.status() {
            let _ = writeln!(report, "the process ended: {status}");
        }
        self.stderr_shown = true;
        panic!("{report}stderr:\n{}", self.stderr());
    }
}

impl Drop for Daemon {
    /// Shows the stderr of a daemon whose test fails for a reason of its own.
    #[expect(
        clippy::print_stderr,
        reason = "the test harness shows what a failed test printed"
    )]
    fn drop(&mut self) {
        if thread::panicking() && !self.stderr_shown {
            eprintln!("stderr of {:?}:\n{}", self.launch, self.stderr());
        }
    }
}

fn is_notification(message: &Value, method: &str) -> bool {
    message.get("method").and_then(Value::as_str) == Some(method) && message.get("id").is_none()
}

/// The beginning of a text, for a failure.
fn cut(text: &str) -> String {
    let mut start: String = text.chars().take(SHOWN_CHARACTERS).collect();
    if start.len() < text.len() {
        start.push_str(" ...");
    }
    start
}

#[cfg(test)]
#[cfg(unix)]
#[path = "daemon_tests.rs"]
mod tests;
