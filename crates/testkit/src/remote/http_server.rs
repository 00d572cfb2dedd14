//! A server of HTTP/1.1 on loopback that logs, counts, and misbehaves as it is told.
//!
//! One thread per connection. Dropping the server opens every gate, closes every connection and
//! waits until its threads are gone.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustls::{ServerConnection, StreamOwned};

use super::http_wire::{Body, HttpRequest, Reply, write_end, write_piece};
use super::{Authority, Behaviour, Gate};
use crate::must;

/// How much of a long body is written at once.
const PIECE: usize = 32 * 1024;

/// How long a test waits for a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server serves.
pub(crate) trait Site: Send + Sync + 'static {
    /// How this request is treated.
    fn behaviour(&self, request: &HttpRequest) -> Behaviour;

    /// The good answer.
    fn answer(&self, request: &HttpRequest) -> Reply;

    /// The answer that never ends.
    fn bomb(&self, request: &HttpRequest) -> Reply;
}

pub(crate) struct HttpServer {
    address: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    site: Arc<dyn Site>,
    authority: Option<Authority>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    connections: BTreeMap<u64, TcpStream>,
    threads: Vec<JoinHandle<()>>,
    accepted: u64,
    gates: Vec<Gate>,
    requests: Vec<HttpRequest>,
    sent: u64,
}

trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

impl HttpServer {
    /// Starts it on a port of the system's choice.
    #[track_caller]
    pub(crate) fn start(site: Arc<dyn Site>, authority: Option<&Authority>) -> Self {
        must(Self::run(site, authority.cloned()))
    }

    fn run(site: Arc<dyn Site>, authority: Option<Authority>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        let address = listener.local_addr()?;
        let secure = authority.is_some();
        let shared = Arc::new(Shared {
            site,
            authority,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let mine = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &mine));
        Ok(Self {
            address,
            secure,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// Scheme, address and port, without a final `/`.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The same under the other name of this machine, which is another host to a client.
    pub(crate) fn base_by_name(&self) -> String {
        self.base().replace("127.0.0.1", "localhost")
    }

    /// Everything that was asked so far.
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.shared.lock().requests.clone()
    }

    /// Forgets what was asked and sent.
    pub(crate) fn forget(&self) {
        let mut state = self.shared.lock();
        state.requests.clear();
        state.sent = 0;
    }

    /// How many bytes were sent, heads included.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.lock().sent
    }

    /// Waits until so many requests fit.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize, fits: impl Fn(&HttpRequest) -> bool) {
        let met = |state: &State| state.requests.iter().filter(|one| fits(one)).count() >= count;
        let waited =
            self.shared
                .changed
                .wait_timeout_while(self.shared.lock(), PATIENCE, |state| !met(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let (met, asked) = (met(&state), shown(&state.requests));
        drop(state);
        assert!(
            met,
            "{count} such requests did not come; asked was:\n{asked}"
        );
    }

    /// Waits until no client has a connection. An answer that is held at a gate has not noticed yet.
    #[track_caller]
    pub(crate) fn wait_hung_up(&self) {
        let waited =
            self.shared
                .changed
                .wait_timeout_while(self.shared.lock(), PATIENCE, |state| {
                    !state.connections.is_empty()
                });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let left = state.connections.len();
        drop(state);
        assert_eq!(left, 0, "connections that nobody closed");
    }
}

fn shown(requests: &[HttpRequest]) -> String {
    let line = |one: &HttpRequest| format!("{} {}?{}\n", one.method, one.path, one.query);
    requests.iter().map(line).collect()
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        let gates = {
            let mut state = self.shared.lock();
            state.stopping = true;
            for connection in state.connections.values() {
                // The client may have closed it first.
                let _ = connection.shutdown(Shutdown::Both);
            }
            std::mem::take(&mut state.gates)
        };
        self.shared.changed.notify_all();
        gates.iter().for_each(Gate::open);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            // A thread that panicked has told so on stderr.
            let _ = acceptor.join();
        }
        let threads = std::mem::take(&mut self.shared.lock().threads);
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for socket in listener.incoming() {
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        let Ok((socket, watched)) = socket.and_then(|one| Ok((one.try_clone()?, one))) else {
            continue;
        };
        state.accepted += 1;
        let id = state.accepted;
        state.connections.insert(id, watched);
        let mine = Arc::clone(shared);
        let thread = thread::spawn(move || {
            // A client that hangs up ends its connection and nothing else.
            let _ = mine.converse(socket);
            if let Some(socket) = mine.lock().connections.remove(&id) {
                let _ = socket.shutdown(Shutdown::Both);
            }
            mine.changed.notify_all();
        });
        state.threads.push(thread);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn converse(&self, socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let wire: Box<dyn Wire> = match &self.authority {
            None => Box::new(socket),
            Some(authority) => {
                let session = ServerConnection::new(Arc::clone(&authority.config));
                Box::new(StreamOwned::new(session.map_err(io::Error::other)?, socket))
            }
        };
        let mut stream = BufReader::new(wire);
        while let Some(request) = HttpRequest::read(&mut stream)? {
            let behaviour = self.note(&request);
            if !self.reply(&mut stream, &request, behaviour)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Logs a request, and tells how it is treated.
    fn note(&self, request: &HttpRequest) -> Behaviour {
        let behaviour = self.site.behaviour(request);
        let mut state = self.lock();
        state.requests.push(request.clone());
        if let Some(gate) = behaviour.gate() {
            state.gates.push(gate.clone());
            if state.stopping {
                gate.open();
            }
        }
        drop(state);
        self.changed.notify_all();
        behaviour
    }

    /// Answers a request; tells whether the connection goes on.
    fn reply(
        &self,
        stream: &mut BufReader<Box<dyn Wire>>,
        request: &HttpRequest,
        behaviour: Behaviour,
    ) -> io::Result<bool> {
        let reply = match &behaviour {
            Behaviour::Silent => {
                io::copy(stream, &mut io::sink())?;
                return Ok(false);
            }
            Behaviour::Bomb => self.site.bomb(request),
            Behaviour::Status(status) => Reply::status(*status),
            Behaviour::Page => Reply::ok("text/html", Body::Whole(b"<html>hello</html>".to_vec())),
            Behaviour::Redirect(base) => {
                let query = match request.query.as_str() {
                    "" => String::new(),
                    query => format!("?{query}"),
                };
                let to = format!("{base}{}{query}", request.path);
                Reply::status(302).header("Location", to)
            }
            _ => self.site.answer(request),
        };
        if let Behaviour::Held(gate) = &behaviour {
            gate.pass();
        }
        if request.method == "HEAD" {
            // What a body would have been is told, and nothing of it comes.
            let head = reply.head();
            self.count(head.len());
            let wire = stream.get_mut();
            wire.write_all(head.as_bytes())?;
            wire.flush()?;
            return Ok(true);
        }
        self.send(stream.get_mut().as_mut(), reply, &behaviour)
    }

    fn send(&self, wire: &mut dyn Wire, reply: Reply, behaviour: &Behaviour) -> io::Result<bool> {
        let head = reply.head();
        self.count(head.len());
        wire.write_all(head.as_bytes())?;
        wire.flush()?;
        let (bytes, chunked) = match reply.body {
            Body::Whole(bytes) => (bytes, false),
            Body::Chunked(bytes) => (bytes, true),
            Body::Stream(mut endless) => {
                let mut piece = vec![0; PIECE];
                loop {
                    let read = endless.read(&mut piece)?;
                    if read == 0 {
                        break;
                    }
                    self.pieces(wire, true, piece.get(..read).unwrap_or_default())?;
                }
                write_end(wire, true)?;
                return Ok(true);
            }
        };
        match behaviour {
            Behaviour::Drip(pause) => {
                for byte in bytes.chunks(1) {
                    self.pieces(wire, chunked, byte)?;
                    if self.pause(*pause) {
                        return Ok(false);
                    }
                }
            }
            Behaviour::Cut(after) => {
                let (first, _) = bytes.split_at(bytes.len().min(*after));
                self.pieces(wire, chunked, first)?;
                return Ok(false);
            }
            Behaviour::HeldAfter(after, gate) => {
                let (first, rest) = bytes.split_at(bytes.len().min(*after));
                self.pieces(wire, chunked, first)?;
                gate.pass();
                self.pieces(wire, chunked, rest)?;
            }
            _ => self.pieces(wire, chunked, &bytes)?,
        }
        write_end(wire, chunked)?;
        Ok(true)
    }

    fn pieces(&self, wire: &mut dyn Wire, chunked: bool, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            write_piece(wire, chunked, piece)?;
            self.count(piece.len());
        }
        Ok(())
    }

    fn count(&self, bytes: usize) {
        self.lock().sent += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    /// Waits, and tells whether the server is being stopped.
    fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        while !state.stopping {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        true
    }
}
