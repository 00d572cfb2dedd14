//! The service's listeners: taking requests, meeting faults, sending answers.
//!
//! A server of its own beside the one that the other remotes share, because it has to leave a
//! client without a byte: that is decided before a request is taken off the socket.
//!
//! One thread per connection. Nothing here knows what an answer says.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Cursor, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustls::{ServerConnection, StreamOwned};

use super::super::deflate::endless_zeros;
use super::super::http_wire::{Body, HttpRequest, Reply, write_end, write_piece};
use super::super::tar::endless_file;
use super::answer::{Answer, Content};
use super::fault::Plan;
use super::world::World;
use super::{Endpoint, Fault, ServiceRequest};
use crate::{Authority, Gate};

/// How much of a long body is written at once.
const PIECE: usize = 32 * 1024;

/// More than the head of any request.
const HEAD: usize = 32 * 1024;

/// What the listeners of one service share.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

pub(super) struct State {
    pub(super) world: World,
    pub(super) plans: BTreeMap<Endpoint, Plan>,
    pub(super) log: Vec<(u64, ServiceRequest)>,
    pub(super) sockets: BTreeMap<u64, TcpStream>,
    pub(super) sent: u64,
    stopping: bool,
    count: u64,
    gates: Vec<Gate>,
    threads: Vec<JoinHandle<()>>,
}

/// A port on loopback.
pub(super) struct Listener {
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

impl Listener {
    pub(super) fn start(shared: &Arc<Shared>, authority: Option<Authority>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        let address = listener.local_addr()?;
        let mine = Arc::clone(shared);
        let acceptor = thread::spawn(move || accept(&listener, &mine, authority.as_ref()));
        Ok(Self {
            address,
            acceptor: Some(acceptor),
        })
    }

    /// Address and port.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the thread that accepts, when [`Shared::stop`] was called before.
    pub(super) fn join(&mut self) {
        // Wakes the thread.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            // A thread that panicked has told so on stderr.
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, authority: Option<&Authority>) {
    for socket in listener.incoming() {
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        let Ok((socket, watched)) = socket.and_then(|one| Ok((one.try_clone()?, one))) else {
            continue;
        };
        let id = state.number();
        state.sockets.insert(id, watched);
        let mine = Arc::clone(shared);
        let authority = authority.cloned();
        let thread = thread::spawn(move || {
            // A client that hangs up ends its connection and nothing else.
            let _ = mine.converse(id, socket, authority.as_ref());
            if let Some(socket) = mine.lock().sockets.remove(&id) {
                let _ = socket.shutdown(Shutdown::Both);
            }
            mine.changed.notify_all();
        });
        state.threads.push(thread);
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// What is planned for an endpoint.
    pub(super) fn plan(&mut self, endpoint: Endpoint) -> &mut Plan {
        self.plans.entry(endpoint).or_default()
    }

    /// Logs a request, and tells its number and the fault that it meets.
    fn note(&mut self, request: &ServiceRequest) -> (u64, Option<Fault>) {
        let number = self.number();
        self.log.push((number, request.clone()));
        let plan = request.endpoint.and_then(|one| self.plans.get_mut(&one));
        let fault = plan.and_then(|plan| plan.take(request));
        if let Some(gate) = fault.as_ref().and_then(Fault::gate) {
            self.gates.push(gate.clone());
            if self.stopping {
                gate.open();
            }
        }
        (number, fault)
    }
}

impl Shared {
    pub(super) fn new(world: World) -> Arc<Self> {
        let state = State {
            world,
            plans: BTreeMap::new(),
            log: Vec::new(),
            sockets: BTreeMap::new(),
            sent: 0,
            stopping: false,
            count: 0,
            gates: Vec::new(),
            threads: Vec::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state is so, and returns it; not longer than this.
    pub(super) fn wait(
        &self,
        patience: Duration,
        met: impl Fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), patience, |state| !met(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends every connection and every wait.
    pub(super) fn stop(&self) {
        let gates = {
            let mut state = self.lock();
            state.stopping = true;
            for socket in state.sockets.values() {
                // The client may have closed it first.
                let _ = socket.shutdown(Shutdown::Both);
            }
            std::mem::take(&mut state.gates)
        };
        self.changed.notify_all();
        gates.iter().for_each(Gate::open);
    }

    /// Waits for the threads that [`Shared::stop`] has ended.
    pub(super) fn join(&self) {
        let threads = std::mem::take(&mut self.lock().threads);
        for thread in threads {
            let _ = thread.join();
        }
    }

    fn converse(&self, id: u64, socket: TcpStream, tls: Option<&Authority>) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let plain = match tls {
            None => Some(socket.try_clone()?),
            Some(_) => None,
        };
        let wire: Box<dyn Wire> = match tls {
            None => Box::new(socket),
            Some(authority) => {
                let session = ServerConnection::new(Arc::clone(&authority.config));
                Box::new(StreamOwned::new(session.map_err(io::Error::other)?, socket))
            }
        };
        let mut stream = BufReader::new(wire);
        loop {
            if let Some(plain) = &plain
                && stream.buffer().is_empty()
                && self.resets(plain)?
            {
                // A socket that is closed with a request in it is reset by the system, unless it
                // was shut down in order before.
                self.lock().sockets.remove(&id);
                return Ok(());
            }
            let Some(request) = HttpRequest::read(&mut stream)? else {
                return Ok(());
            };
            let request = ServiceRequest::new(request, tls.is_some());
            if !self.serve(&mut stream, &request)? {
                return Ok(());
            }
        }
    }

    /// Looks at the next request without taking it; tells whether the connection is to be reset.
    fn resets(&self, socket: &TcpStream) -> io::Result<bool> {
        let mut head = vec![0; HEAD];
        let read = socket.peek(&mut head)?;
        let Ok(Some(request)) = HttpRequest::read(&mut head.get(..read).unwrap_or_default()) else {
            return Ok(false);
        };
        let request = ServiceRequest::new(request, false);
        let mut state = self.lock();
        let plan = request.endpoint.and_then(|one| state.plans.get(&one));
        let resets = plan.is_some_and(|plan| plan.resets(&request));
        if resets {
            state.note(&request);
            self.changed.notify_all();
        }
        Ok(resets)
    }

    /// Answers a request or does not; tells whether the connection goes on.
    fn serve(
        &self,
        stream: &mut BufReader<Box<dyn Wire>>,
        request: &ServiceRequest,
    ) -> io::Result<bool> {
        let (number, fault) = self.lock().note(request);
        self.changed.notify_all();
        match &fault {
            Some(Fault::Silent) => {
                io::copy(stream, &mut io::sink())?;
                return Ok(false);
            }
            Some(Fault::Reset) => return Ok(false),
            Some(Fault::Hold(gate)) => gate.pass(),
            _ => {}
        }
        let reply = match fault.as_ref().and_then(|fault| bad_reply(fault, request)) {
            Some(reply) => reply,
            None => self.good_reply(request, fault.as_ref()),
        };
        if let Some(Fault::HoldAnswer(gate)) = &fault {
            gate.pass();
        }
        let status = reply.status;
        let goes_on = self.send(stream.get_mut().as_mut(), reply, fault.as_ref())?;
        let mut state = self.lock();
        if let Some((_, noted)) = state.log.iter_mut().find(|(one, _)| *one == number) {
            noted.answered = Some(status);
        }
        drop(state);
        self.changed.notify_all();
        Ok(goes_on)
    }

    fn good_reply(&self, request: &ServiceRequest, fault: Option<&Fault>) -> Reply {
        let Some(endpoint) = request.endpoint else {
            return Answer::refusal(404, "no such endpoint").reply();
        };
        let mut state = self.lock();
        let mut answer = state.world.answer(endpoint, &request.parts, request);
        if let (200, Content::Json(value), Some(fault)) =
            (answer.status, &mut answer.content, fault)
        {
            fault.change(value);
        }
        if state.world.etags && endpoint.has_etag() {
            answer = answer.conditional(request.header("if-none-match"));
        }
        let reply = answer.reply();
        match (reply.body, fault) {
            (Body::Whole(bytes), Some(Fault::Chunked)) => Reply {
                body: Body::Chunked(bytes),
                ..reply
            },
            (body, _) => Reply { body, ..reply },
        }
    }

    fn send(&self, wire: &mut dyn Wire, reply: Reply, fault: Option<&Fault>) -> io::Result<bool> {
        let mut head = reply.head();
        if matches!(reply.status, 204 | 304) {
            // These two have no body and so no length of one.
            head = head.replace("Content-Length: 0\r\n", "");
        }
        let (bytes, chunked) = match reply.body {
            Body::Whole(bytes) => (bytes, false),
            Body::Chunked(bytes) => (bytes, true),
            Body::Stream(mut endless) => {
                self.write(wire, head.as_bytes())?;
                let mut piece = vec![0; PIECE];
                loop {
                    let read = endless.read(&mut piece)?;
                    self.pieces(wire, true, piece.get(..read).unwrap_or_default())?;
                }
            }
        };
        if let Some(Fault::Claim(length)) = fault {
            let right = format!("Content-Length: {}\r\n", bytes.len());
            head = head.replace(&right, &format!("Content-Length: {length}\r\n"));
        }
        self.write(wire, head.as_bytes())?;
        match fault {
            Some(Fault::Slow(pause)) => {
                for byte in bytes.chunks(1) {
                    self.pieces(wire, chunked, byte)?;
                    if self.pause(*pause) {
                        return Ok(false);
                    }
                }
            }
            Some(Fault::Cut(after)) => {
                let (first, _) = bytes.split_at(bytes.len().min(*after));
                self.pieces(wire, chunked, first)?;
                return Ok(false);
            }
            Some(Fault::HoldAfter(after, gate)) => {
                let (first, rest) = bytes.split_at(bytes.len().min(*after));
                self.pieces(wire, chunked, first)?;
                gate.pass();
                self.pieces(wire, chunked, rest)?;
            }
            _ => self.pieces(wire, chunked, &bytes)?,
        }
        write_end(wire, chunked)?;
        Ok(!matches!(fault, Some(Fault::Claim(_))))
    }

    fn write(&self, wire: &mut dyn Wire, bytes: &[u8]) -> io::Result<()> {
        wire.write_all(bytes)?;
        wire.flush()?;
        self.lock().sent += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn pieces(&self, wire: &mut dyn Wire, chunked: bool, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            write_piece(wire, chunked, piece)?;
            self.lock().sent += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// Waits, and tells whether the service is being stopped.
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

/// What a fault answers without looking at the world; nothing when it wants the good answer.
fn bad_reply(fault: &Fault, request: &ServiceRequest) -> Option<Reply> {
    let with = |status, kind, body: &str| {
        let answer = Answer::bytes(kind, body.as_bytes().to_vec());
        Answer { status, ..answer }
    };
    let answer = match fault {
        Fault::Status(status, body) => with(*status, "application/json", body),
        Fault::RetryAfter(status, after) => {
            with(*status, "application/json", "{}").header("Retry-After", after.as_str())
        }
        Fault::Raw(body) => with(200, "application/json", body),
        Fault::NotJson => with(200, "text/html", "<html>hello</html>"),
        Fault::Redirect(to) => Answer::empty(302).header("Location", to.as_str()),
        // A reference without a host stays where it is, whatever name the client has for that.
        Fault::RedirectLoop => Answer::empty(302).header("Location", request.target()),
        Fault::Endless => return Some(endless(request.endpoint)),
        _ => return None,
    };
    Some(answer.reply())
}

fn endless(endpoint: Option<Endpoint>) -> Reply {
    if endpoint == Some(Endpoint::Bundle) {
        // The header of gzip, then a stored block with the header of the file.
        let mut head = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        head.extend_from_slice(&[0, 0, 2, 0xff, 0xfd]);
        head.extend_from_slice(&endless_file());
        let stream = Box::new(Cursor::new(head).chain(endless_zeros()));
        return Reply::ok("application/gzip", Body::Stream(stream));
    }
    let text = Cursor::new(b"{\"plugins\": \"".to_vec());
    let stream = Box::new(text.chain(io::repeat(b'a')));
    Reply::ok("application/json", Body::Stream(stream))
}
