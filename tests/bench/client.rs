//! The barest client: it writes a line, and reads lines until the answer is there. It does not parse
//! what it does not need, so that what is measured is the server.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Nothing listens there: what is measured here is no network.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A process that does not outlive whoever started it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running app-server.
pub(crate) struct Client {
    child: Running,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: u64,
    /// The last answer that nobody has waited for.
    unclaimed: Option<u64>,
}

impl Client {
    /// Starts `program app-server` on a home directory, without the curated marketplace, and greets it.
    pub(crate) fn greeted(program: &Path, home: &Path) -> Self {
        let mut command = app_server(Command::new(program), home);
        Self::greet(command.env("CODEX_DISABLE_CURATED_PLUGIN_SYNC", "1"))
    }

    /// The same for the program that a command runs, such as one that watches it; what of the curated
    /// marketplace is wanted says the home.
    pub(crate) fn greeted_below(command: Command, home: &Path) -> Self {
        Self::greet(&mut app_server(command, home))
    }

    fn greet(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::with_capacity(1 << 20, child.stdout.take().unwrap());
        let mut client = Self {
            child: Running(child),
            stdin,
            stdout,
            next: 0,
            unclaimed: None,
        };
        let params = json!({
            "clientInfo": {"name": "bench", "version": "1.0.0"},
            "capabilities": {"experimentalApi": true},
        });
        client.ok("initialize", &params);
        let initialized = b"{\"method\":\"initialized\"}\n";
        client.stdin.write_all(initialized).unwrap();
        client
    }

    /// Writes a request and answers its id.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.next += 1;
        let line = json!({"id": self.next, "method": method, "params": params}).to_string() + "\n";
        self.stdin.write_all(line.as_bytes()).unwrap();
        self.next
    }

    /// Reads until some request is answered, and answers its id and the line.
    pub(crate) fn answered(&mut self) -> (u64, Vec<u8>) {
        loop {
            let mut line = Vec::new();
            let read = self.stdout.read_until(b'\n', &mut line).unwrap();
            assert!(read > 0, "the server has ended");
            if let Some(id) = id_of(&line) {
                return (id, line);
            }
        }
    }

    /// Asks and waits for the answer, which must be a result.
    pub(crate) fn ok(&mut self, method: &str, params: &Value) {
        let line = self.ask(method, params);
        let shown = String::from_utf8_lossy(&line[..line.len().min(500)]);
        assert!(!is_error(&line), "{method}: {shown}");
    }

    fn ask(&mut self, method: &str, params: &Value) -> Vec<u8> {
        let id = self.send(method, params);
        loop {
            let (answered, line) = self.answered();
            if answered == id {
                return line;
            }
            self.unclaimed = Some(answered);
        }
    }

    /// Waits for an answer that may have come while another one was waited for.
    pub(crate) fn wait_for(&mut self, id: u64) {
        while self.unclaimed != Some(id) {
            self.unclaimed = Some(self.answered().0);
        }
    }

    /// How many milliseconds a request takes, if it is not refused.
    pub(crate) fn try_time(&mut self, method: &str, params: &Value) -> Option<f64> {
        let started = Instant::now();
        let line = self.ask(method, params);
        (!is_error(&line)).then(|| started.elapsed().as_secs_f64() * 1_000.0)
    }

    /// How many milliseconds one request takes.
    pub(crate) fn time(&mut self, method: &str, params: &Value) -> f64 {
        let started = Instant::now();
        self.ok(method, params);
        started.elapsed().as_secs_f64() * 1_000.0
    }

    /// How many MiB of memory the process holds.
    pub(crate) fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().split_whitespace().next().unwrap();
        kib.parse::<f64>().unwrap() / 1024.0
    }

    /// What the process has counted of its input and output.
    pub(crate) fn counted(&self, figure: &str) -> u64 {
        let io = fs::read_to_string(format!("/proc/{}/io", self.id())).unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix(figure));
        line.unwrap().trim_start_matches(": ").parse().unwrap()
    }

    /// Waits until the process does nothing behind its answers any more; not for ever, because it may be one
    /// that always does something.
    pub(crate) fn rest(&self) {
        const PAUSE: Duration = Duration::from_millis(100);
        let ticks = || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
            // Behind the name, which may hold anything, the times are the twelfth and thirteenth field.
            let fields = stat.rsplit_once(')').unwrap().1.to_owned();
            let times = fields.split_whitespace().skip(11).take(2);
            times.map(str::to_owned).collect::<Vec<_>>()
        };
        for _ in 0..50 {
            let before = ticks();
            thread::sleep(PAUSE);
            if ticks() == before {
                return;
            }
        }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Says that nothing more will be asked, and waits for the end of the process.
    pub(crate) fn end(self) {
        let Self {
            mut child,
            stdin,
            mut stdout,
            ..
        } = self;
        drop(stdin);
        io::copy(&mut stdout, &mut io::sink()).unwrap();
        let status = child.0.wait().unwrap();
        assert!(status.success(), "the server ended with {status}");
    }
}

/// The command for a program that works in a home directory and knows of nothing else.
fn app_server(mut program: Command, home: &Path) -> Command {
    let proxies = ["http_proxy", "https_proxy", "all_proxy"];
    program
        .arg("app-server")
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("CODEX_HOME", home.join(".codex"))
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(proxies.map(|name| (name, NOWHERE)))
        .env("no_proxy", "127.0.0.1,localhost")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    program
}

/// The id of a response, which stands in front of the result, or behind an error. What has a method is
/// a notification, or a request of the server.
fn id_of(line: &[u8]) -> Option<u64> {
    let head = String::from_utf8_lossy(&line[..line.len().min(64)]);
    let tail = String::from_utf8_lossy(&line[line.len().saturating_sub(64)..]);
    if head.contains("\"method\":") {
        return None;
    }
    let (_, rest) = head
        .split_once("\"id\":")
        .or_else(|| tail.rsplit_once("\"id\":"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whether a response is a refusal.
pub(crate) fn is_error(line: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&line[..line.len().min(80)]);
    head.contains("\"error\":")
}

/// Waits until something holds that cannot be waited for otherwise: files that a background task of
/// any program writes.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        thread::sleep(Duration::from_micros(300));
    }
}
