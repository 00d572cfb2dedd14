//! A connection under test: handlers that do what their params say, and a client.

use std::future::Future;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use plugd_plugins::call::Call;
use plugd_plugins::events::Events;
use plugd_protocol::methods::{
    ConfigValueWrite, Initialize, MarketplaceRemove, MarketplaceUpgrade, PluginRead,
    PluginUninstall,
};
use plugd_protocol::notifications::ConfigWarning;
use plugd_protocol::{
    ConfigValueWriteParams, ConfigWarningNotification, InitializeParams, MarketplaceRemoveParams,
    MarketplaceUpgradeParams, PluginReadParams, PluginUninstallParams,
};

use crate::background::Background;
use crate::connection::{Backend, ExitReason, Io, Options, run};
use crate::error_map;
use crate::limits::Limits;
use crate::method_table::{Dispatcher, MethodTable};
use crate::reply::{Note, Reply};
use crate::transport::framing::FramingChoice;
use crate::wire_error::WireError;

/// Nothing may take longer; it is a deadline and not a pause.
const DEADLINE: Duration = Duration::from_secs(10);

/// What handlers and background work did, in order, and the gate that they wait at.
pub(super) struct Stage {
    log: mpsc::Sender<String>,
    gate: watch::Sender<bool>,
    handled: watch::Sender<usize>,
}

/// A connection with its client.
pub(super) struct Session {
    runtime: Runtime,
    stage: Arc<Stage>,
    log: mpsc::Receiver<String>,
    input: Option<PipeWriter>,
    pub(super) lines: mpsc::Receiver<String>,
    /// Says that the thread behind `lines` has closed its end of the output.
    closed: mpsc::Receiver<()>,
    waiting: Vec<Value>,
    pub(super) events: Events,
    signal: Option<oneshot::Sender<()>>,
    connection: Option<JoinHandle<ExitReason>>,
}

/// Background work that only says that it was started and stopped.
struct Quiet(Mutex<mpsc::Sender<String>>);

impl Background for Quiet {
    fn start(&self) {
        self.0.lock().unwrap().send("background start".into()).ok();
    }

    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.lock().unwrap().send("background stop".into()).ok();
        Box::pin(async {})
    }
}

impl Stage {
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<String>) {
        let (log, entries) = mpsc::channel();
        let stage = Self {
            log,
            gate: watch::Sender::new(false),
            handled: watch::Sender::new(0),
        };
        (Arc::new(stage), entries)
    }

    /// Waits until so many requests reached their handlers.
    pub(super) async fn handled(&self, count: usize) {
        let mut handled = self.handled.subscribe();
        handled.wait_for(|handled| *handled >= count).await.unwrap();
    }

    fn note(&self, what: &str, name: &str) {
        self.log.send(format!("{what} {name}")).ok();
    }

    async fn gate(&self) {
        let mut open = self.gate.subscribe();
        open.wait_for(|open| *open).await.unwrap();
    }

    /// Does what the first word behind the `@` says; in front of it stands the lane.
    async fn play(&self, call: Call, name: &str) -> Result<Reply, WireError> {
        self.handled.send_modify(|handled| *handled += 1);
        self.note("began", name);
        let behaviour = name.rsplit('@').next().unwrap();
        match behaviour.split('-').next().unwrap() {
            "panic" => panic!("as told"),
            // Waits for the gate and notices a cancel.
            "wait" => {
                tokio::select! {
                    () = self.gate() => {}
                    () = call.cancel.cancelled() => {
                        self.note("cleaned", name);
                        return Err(error_map::cancelled());
                    }
                }
            }
            // Waits for the gate and notices nothing.
            "deaf" => self.gate().await,
            // Waits for the gate behind the point of no return.
            "sealed" => {
                call.cancel.seal().map_err(|_| error_map::cancelled())?;
                self.note("sealed", name);
                self.gate().await;
            }
            "report" => {
                call.progress.report("fetch", 1, Some(4));
                self.gate().await;
                call.progress.report("copy", 2, None);
            }
            "large" => return Reply::of(&"x".repeat(100_000)),
            _ => {}
        }
        self.note("ended", name);
        Reply::of(&json!({ "done": name }))
    }
}

pub(super) fn dispatcher(stage: &Arc<Stage>) -> Dispatcher {
    let mut table = MethodTable::new(Arc::clone(stage));
    table.register::<Initialize, _, _>(initialize).unwrap();
    table.register::<PluginRead, _, _>(read).unwrap();
    table.register::<PluginUninstall, _, _>(uninstall).unwrap();
    table.register::<ConfigValueWrite, _, _>(write).unwrap();
    table.register::<MarketplaceRemove, _, _>(remove).unwrap();
    table.register::<MarketplaceUpgrade, _, _>(upgrade).unwrap();
    table.finish()
}

async fn initialize(
    _stage: Arc<Stage>,
    _call: Call,
    params: InitializeParams,
) -> Result<Reply, WireError> {
    let name = params.client_info.map(|info| info.name);
    if name.as_deref() == Some("panic") {
        panic!("as told");
    }
    let warning = ConfigWarningNotification {
        summary: "careful".to_owned(),
        details: None,
        path: None,
        range: None,
    };
    let reply = Reply::of(&json!({ "userAgent": name }))?;
    Ok(reply.and_then(Note::of::<ConfigWarning>(&warning)?))
}

async fn read(stage: Arc<Stage>, call: Call, params: PluginReadParams) -> Result<Reply, WireError> {
    stage.play(call, &params.plugin_name).await
}

async fn uninstall(
    stage: Arc<Stage>,
    call: Call,
    params: PluginUninstallParams,
) -> Result<Reply, WireError> {
    stage.play(call, &params.plugin_id).await
}

async fn write(
    stage: Arc<Stage>,
    call: Call,
    params: ConfigValueWriteParams,
) -> Result<Reply, WireError> {
    stage.play(call, params.value.as_str().unwrap_or("")).await
}

async fn remove(
    stage: Arc<Stage>,
    call: Call,
    params: MarketplaceRemoveParams,
) -> Result<Reply, WireError> {
    stage.play(call, &params.marketplace_name).await
}

/// Without a name it waits for the gate.
async fn upgrade(
    stage: Arc<Stage>,
    call: Call,
    params: MarketplaceUpgradeParams,
) -> Result<Reply, WireError> {
    let name = params.marketplace_name.as_deref();
    stage.play(call, name.unwrap_or("all@wait")).await
}

pub(super) fn backend(stage: &Arc<Stage>) -> (Backend, Events) {
    let (events, stream) = Events::channel();
    let backend = Backend {
        methods: dispatcher(stage),
        events: stream,
        background: Arc::new(Quiet(Mutex::new(stage.log.clone()))),
    };
    (backend, events)
}

pub(super) fn options(limits: Limits) -> Options {
    Options {
        framing: FramingChoice::Auto,
        limits,
    }
}

/// Bounds as they are promised, with short waits where the test is about waiting.
pub(super) fn impatient() -> Limits {
    Limits {
        idle: Duration::from_millis(200),
        cancel_grace: Duration::from_millis(50),
        ..Limits::STANDARD
    }
}

impl Session {
    /// A connection that nothing was sent to.
    pub(super) fn raw(limits: Limits) -> Self {
        let (stdin, input) = io::pipe().unwrap();
        let (output, stdout) = io::pipe().unwrap();
        let (stage, log) = Stage::new();
        let (backend, events) = backend(&stage);
        let (signal, signalled) = oneshot::channel::<()>();
        let runtime = Runtime::new().unwrap();
        let connection = runtime.spawn(async move {
            let signal = async {
                if signalled.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            run(Io { stdin, stdout }, backend, options(limits), signal)
                .await
                .unwrap()
        });
        let (lines, closed) = read_lines(output);
        Self {
            runtime,
            stage,
            log,
            input: Some(input),
            lines,
            closed,
            waiting: Vec::new(),
            events,
            signal: Some(signal),
            connection: Some(connection),
        }
    }

    /// A connection behind its handshake.
    pub(super) fn initialized(limits: Limits) -> Self {
        Self::initialized_with(limits, "{}")
    }

    pub(super) fn initialized_with(limits: Limits, params: &str) -> Self {
        let mut session = Self::raw(limits);
        session.request("0", "initialize", params);
        session.result("0");
        session
    }

    pub(super) fn send(&mut self, text: &str) {
        self.send_bytes(format!("{text}\n").as_bytes());
    }

    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(super) fn request(&mut self, id: &str, method: &str, params: &str) {
        self.send(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#
        ));
    }

    /// A write about a plugin; behind its `@` stands what the handler does.
    pub(super) fn uninstall(&mut self, id: &str, plugin: &str) {
        self.request(
            id,
            "plugin/uninstall",
            &format!(r#"{{"pluginId":"{plugin}"}}"#),
        );
    }

    /// A read; the name says what the handler does.
    pub(super) fn read(&mut self, id: &str, plugin: &str) {
        self.request(
            id,
            "plugin/read",
            &format!(r#"{{"pluginName":"{plugin}"}}"#),
        );
    }

    /// The next message, whatever it is.
    pub(super) fn next(&mut self) -> Value {
        let line = self.lines.recv_timeout(DEADLINE).expect("a message");
        serde_json::from_str(&line).expect("JSON")
    }

    /// The response to a request; others that come in front of it are kept.
    pub(super) fn response(&mut self, id: &str) -> Value {
        let id: Value = serde_json::from_str(id).unwrap();
        if let Some(at) = self.waiting.iter().position(|message| message["id"] == id) {
            return self.waiting.remove(at);
        }
        loop {
            let message = self.next();
            if message.get("id") == Some(&id) {
                return message;
            }
            self.waiting.push(message);
        }
    }

    pub(super) fn result(&mut self, id: &str) -> Value {
        let mut response = self.response(id);
        assert_eq!(response.get("error"), None);
        response["result"].take()
    }

    pub(super) fn error(&mut self, id: &str) -> i64 {
        let response = self.response(id);
        response["error"]["code"].as_i64().expect("an error")
    }

    /// Waits until the log says so; what stands in front of it is skipped.
    pub(super) fn wait_log(&self, entry: &str) {
        while self.log.recv_timeout(DEADLINE).expect(entry) != entry {}
    }

    /// What the log says next.
    pub(super) fn next_log(&self) -> String {
        self.log.recv_timeout(DEADLINE).expect("an entry")
    }

    pub(super) fn open_gate(&self) {
        self.stage.gate.send_replace(true);
    }

    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    pub(super) fn signal(&mut self) {
        self.signal.take().unwrap().send(()).unwrap();
    }

    /// The client takes the answer to one more read and goes: when this returns, nobody holds the
    /// other end of the output any more.
    pub(super) fn stop_reading(&mut self, id: &str) {
        self.lines = mpsc::channel().1;
        self.read(id, "x");
        self.closed.recv_timeout(DEADLINE).expect("a closed output");
    }

    /// Waits for the end of the connection.
    pub(super) fn wait(&mut self) -> ExitReason {
        let connection = self.connection.take().unwrap();
        self.runtime
            .block_on(async { tokio::time::timeout(DEADLINE, connection).await })
            .expect("the end of the connection")
            .unwrap()
    }

    /// Everything that comes until the output ends.
    pub(super) fn rest(&mut self) -> Vec<Value> {
        let mut messages = std::mem::take(&mut self.waiting);
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            messages.push(serde_json::from_str(&line).unwrap());
        }
        messages
    }
}

/// The lines of the output, and a sign that the output is closed.
fn read_lines(output: PipeReader) -> (mpsc::Receiver<String>, mpsc::Receiver<()>) {
    let (sender, lines) = mpsc::channel();
    let (closing, closed) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            // A test that drops its end is a client that is gone.
            if sender.send(line.unwrap()).is_err() {
                break;
            }
        }
        // The loop has dropped the pipe.
        closing.send(()).ok();
    });
    (lines, closed)
}

/// A cancel in one of its three spellings.
pub(super) fn cancel(form: usize, id: &str) -> String {
    let (method, member) = [
        ("$/cancelRequest", "id"),
        ("$/cancel_request", "requestId"),
        ("notifications/cancelled", "requestId"),
    ][form];
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{{"{member}":{id}}}}}"#)
}
