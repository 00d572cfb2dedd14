//! Floods and readers that stall: memory stays bounded and every id is answered.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::session::{Session, Stage, backend, options};
use crate::connection::{ExitReason, Io, run};
use crate::limits::Limits;

const FLOOD: usize = 50_000;

/// Makes requests as fast as they are taken, and counts them.
struct Flood {
    made: Arc<AtomicUsize>,
    all_made: Arc<(Mutex<bool>, Condvar)>,
    rest: Vec<u8>,
}

impl Read for Flood {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            let id = self.made.load(Ordering::Relaxed);
            if id > FLOOD {
                *self.all_made.0.lock().unwrap() = true;
                self.all_made.1.notify_all();
                return Ok(0);
            }
            let method = if id == 0 { "initialize" } else { "plugin/read" };
            self.rest = format!(
                "{{\"id\":{id},\"method\":\"{method}\",\"params\":{{\"pluginName\":\"x\"}}}}\n"
            )
            .into_bytes();
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        let count = buffer.len().min(self.rest.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

/// Takes nothing until it is let go, and everything then.
struct Stalled {
    go: Option<mpsc::Receiver<()>>,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(go) = self.go.take() {
            go.recv().unwrap();
        }
        self.taken.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_flood_with_a_reader_that_stalls_is_bounded_and_fully_answered() {
    let (stage, _log) = Stage::new();
    let (backend, _events) = backend(&stage);
    let made = Arc::new(AtomicUsize::new(0));
    let all_made = Arc::new((Mutex::new(false), Condvar::new()));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (go, gate) = mpsc::channel();
    let io = Io {
        stdin: Flood {
            made: Arc::clone(&made),
            all_made: Arc::clone(&all_made),
            rest: Vec::new(),
        },
        stdout: Stalled {
            go: Some(gate),
            taken: Arc::clone(&taken),
        },
    };
    let connection = thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let limits = options(Limits::STANDARD);
        runtime.block_on(run(io, backend, limits, std::future::pending()))
    });
    // The event that must not come: everything was taken in although nothing goes out.
    let (flag, changed) = &*all_made;
    let (flag, _) = changed
        .wait_timeout_while(flag.lock().unwrap(), Duration::from_secs(1), |all| !*all)
        .unwrap();
    let ahead = made.load(Ordering::Relaxed);
    assert!(!*flag, "the whole flood was taken in");
    drop(flag);
    // In flight 1,024, in the queues 256 and 64, and a few in hands.
    assert!(
        ahead < 1_024 + 256 + 64 + 50,
        "{ahead} requests were taken in"
    );
    assert!(ahead > 1_024, "only {ahead} requests were taken in");
    go.send(()).unwrap();
    let reason = connection.join().unwrap().unwrap();
    assert_eq!(reason, ExitReason::InputEnded);
    check_answers(&taken.lock().unwrap());
}

fn check_answers(output: &[u8]) {
    let mut answers = HashMap::new();
    for line in output
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let message: Value = serde_json::from_slice(line).unwrap();
        let Some(id) = message["id"].as_u64() else {
            assert_eq!(message["method"], "configWarning");
            continue;
        };
        let code = message["error"]["code"].as_i64();
        assert!(code.is_none() || code == Some(-32001), "{message}");
        *answers.entry(id).or_insert(0) += 1;
    }
    assert_eq!(answers.len(), FLOOD + 1);
    assert!(answers.values().all(|&count| count == 1));
}

#[test]
fn the_limit_is_answered_as_overload_and_passes() {
    let limits = Limits {
        in_flight: 2,
        ..Limits::STANDARD
    };
    let mut session = Session::initialized(limits);
    session.uninstall("1", "p@wait");
    session.uninstall("2", "q@wait");
    session.uninstall("3", "p@x");
    let error = session.response("3")["error"].clone();
    assert_eq!(error["code"], -32001);
    assert_eq!(error["data"]["retryable"], true);
    session.open_gate();
    session.result("1");
    session.result("2");
    // The place is free a moment after the answer is on its way.
    let mut id = 4;
    loop {
        session.uninstall(&id.to_string(), "p@x");
        if session.response(&id.to_string())["error"].is_null() {
            break;
        }
        id += 1;
        assert!(id < 10_000, "the place is never free");
    }
}
