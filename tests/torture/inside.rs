//! The daemon inside this process, on a file system of the loop's choice.
//!
//! It is the same server as behind `plugd app-server`, over two pipes and with two threads. Only its
//! entry point is missing: this program makes the environment, and a worker for git is the real
//! binary. When a session has ended, nothing of it touches the disk any more.
//!
//! Every wait has a deadline. An answer that does not come is a failure of the try, not of the run.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plugd_disk::Disk;
use plugd_model::{AbsPath, Environment, Layout};
use plugd_plugins::{SessionFlags, Sweeping};
use plugd_server::{FramingChoice, Io, Limits, Options, Setup};
use plugd_testkit::{ManualClock, Sandbox, test_environment};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::BINARY;

/// How long anything is waited for. A machine that is busy with other things must not fail a try.
const PATIENCE: Duration = Duration::from_secs(60);

/// As many as behind the command line.
const WORKERS: usize = 2;

/// Later than any file was written: what waits for its age before it is swept is old enough.
const LATER: Duration = Duration::from_secs(600);

/// What a process that is killed says on its output as soon as the daemon has told of the new state,
/// or, before its name, of one plugin's.
pub(crate) const TOLD: &str = "told";

/// What panicked on a thread of a daemon since somebody asked.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// One connection to a daemon of its own.
#[derive(Debug)]
pub(crate) struct Session {
    stdin: Option<PipeWriter>,
    incoming: Receiver<Value>,
    inbox: VecDeque<Value>,
    server: Option<JoinHandle<()>>,
    asked: u64,
    root: AbsPath,
    url: String,
    /// Of which plugins the daemon told, where several are asked for at once.
    told: Vec<String>,
    aloud: bool,
}

/// The time of every daemon inside.
pub(crate) fn later() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + LATER
}

/// What a daemon in this sandbox is started with.
pub(crate) fn environment(sandbox: &Sandbox) -> Environment {
    Environment {
        program: AbsPath::new(BINARY).unwrap(),
        clock: Arc::new(ManualClock::at(later())),
        ..test_environment(sandbox)
    }
}

impl Session {
    /// A daemon on this file system, greeted by a client that wants to hear of its work.
    pub(crate) fn on(root: &AbsPath, environment: Environment, disk: Disk) -> Self {
        watch_panics();
        let (to_daemon, stdin) = {
            let (reader, writer) = io::pipe().unwrap();
            (writer, reader)
        };
        let (from_daemon, stdout) = io::pipe().unwrap();
        let home = AbsPath::new(environment.var("CODEX_HOME").unwrap()).unwrap();
        let layout = Layout::new(home, environment.system_dir.clone());
        let setup = Setup {
            environment,
            disk,
            layout,
            flags: SessionFlags::none(),
            // What is counted and cut has one order.
            sweeping: Sweeping::AtOnce,
        };
        let server = thread::Builder::new()
            .name("daemon".to_owned())
            .spawn(move || serve(setup, stdin, stdout))
            .unwrap();
        let mut session = Self {
            stdin: Some(to_daemon),
            incoming: start_reading(from_daemon),
            inbox: VecDeque::new(),
            server: Some(server),
            asked: 0,
            root: root.clone(),
            url: String::new(),
            told: Vec::new(),
            aloud: false,
        };
        let greeting = json!({
            "clientInfo": {"name": "plugd-torture", "version": "1.0.0"},
            "capabilities": {"plugd": {"notifications": true}},
        });
        session.ask("initialize", greeting).unwrap();
        session
    }

    /// Lets `$URL` in params mean this address.
    pub(crate) fn with_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    /// Says what is told at once, as this process may be dead in the next moment.
    pub(crate) fn aloud(mut self) -> Self {
        self.aloud = true;
        self
    }

    /// Sends a request and waits for its result or its error object. In params `$ROOT` means the
    /// sandbox's root.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.send(method, params);
        self.next_answer(method, &[id]).1
    }

    /// Sends a request; answers its id.
    pub(crate) fn send(&mut self, method: &str, params: Value) -> u64 {
        self.asked += 1;
        let id = self.asked;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let line = format!("{message}\n").replace("$ROOT", &self.root.to_text());
        let line = line.replace("$URL", &self.url);
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        id
    }

    /// Waits for the first answer of these requests; answers which it is.
    pub(crate) fn next_answer(&mut self, method: &str, ids: &[u64]) -> (u64, Result<Value, Value>) {
        let is_one = |id: u64| ids.contains(&id);
        let mut answer = self.wait(&format!("the answer of {method}"), |message| {
            message["id"].as_u64().is_some_and(is_one) && message.get("method").is_none()
        });
        let id = answer["id"].as_u64().unwrap();
        match answer.get_mut("error") {
            Some(error) => (id, Err(error.take())),
            None => (id, Ok(answer["result"].take())),
        }
    }

    /// The daemon has told of this plugin, of several that were asked for at once.
    pub(crate) fn tell(&mut self, plugin: &str) {
        if self.told.iter().any(|told| told == plugin) {
            return;
        }
        self.told.push(plugin.to_owned());
        if self.aloud {
            let mut stdout = io::stdout();
            writeln!(stdout, "{TOLD} {plugin}").unwrap();
            stdout.flush().unwrap();
        }
    }

    pub(crate) fn told(&self) -> &[String] {
        &self.told
    }

    /// As [`Session::ask`], for what must work.
    pub(crate) fn ok(&mut self, method: &str, params: Value) -> Value {
        match self.ask(method, params) {
            Ok(result) => result,
            Err(error) => panic!("{method} failed: {error:#}"),
        }
    }

    /// The notifications of a method that came so far.
    pub(crate) fn take_notifications(&mut self, method: &str) -> Vec<Value> {
        self.inbox.extend(self.incoming.try_iter());
        let (mine, others) = std::mem::take(&mut self.inbox)
            .into_iter()
            .partition(|message: &Value| message["method"] == method);
        self.inbox = others;
        VecDeque::into_iter(mine)
            .map(|mut message| message["params"].take())
            .collect()
    }

    /// Waits until nothing goes on in the background that a request began.
    pub(crate) fn settle(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let status = self.ok("plugd/status", json!({}));
            if is_idle(&status) {
                return;
            }
        }
        panic!("the work in the background does not end");
    }

    /// Closes the input and waits until nothing of the daemon works any more. What it told until
    /// then can still be taken.
    pub(crate) fn end(&mut self) {
        self.stdin = None;
        let deadline = Instant::now() + PATIENCE;
        // The daemon closes its output at its end, which ends the channel.
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(left) {
                Ok(message) => self.inbox.push_back(message),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the daemon does not end"),
            }
        }
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }

    fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut looked_at = 0;
        loop {
            let new = self.inbox.iter().skip(looked_at);
            if let Some(at) = new.into_iter().position(&fits) {
                return self.inbox.remove(looked_at + at).unwrap();
            }
            looked_at = self.inbox.len();
            let left = deadline.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(left) {
                Ok(message) => self.inbox.push_back(message),
                Err(error) => panic!("{what} did not come: {error}; told: {:?}", self.inbox),
            }
        }
    }
}

impl Drop for Session {
    /// A try that failed must not work on while the next one is counted.
    fn drop(&mut self) {
        self.stdin = None;
        if let Some(server) = self.server.take()
            && !thread::panicking()
        {
            // A panic of it was noted.
            let _ = server.join();
        }
    }
}

fn serve(setup: Setup, stdin: PipeReader, stdout: PipeWriter) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("daemon")
        .enable_all()
        .build()
        .unwrap();
    let options = Options {
        framing: FramingChoice::Lines,
        limits: Limits::STANDARD,
    };
    let io = Io { stdin, stdout };
    let ended = plugd_server::serve(setup, io, options, std::future::pending());
    runtime.block_on(ended).unwrap();
    // Dropping the runtime waits for sections that still run.
}

fn start_reading(stream: PipeReader) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let message = serde_json::from_str(&line).unwrap();
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Notes panics of daemons, which answer them like any error and go on.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let here = thread::current();
            if here.name().is_some_and(|name| name.starts_with("daemon")) {
                let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                panics.push(panic.to_string());
            }
            usual(panic);
        }));
    });
}

/// Whether nothing goes on in the background, by the answer of `plugd/status`.
pub(crate) fn is_idle(status: &Value) -> bool {
    let tasks = status["tasks"].as_array().unwrap();
    tasks.iter().all(|task| task["state"] != "running")
}

/// What panicked on a thread of a daemon since the last call.
pub(crate) fn panics() -> Vec<String> {
    std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner))
}
