//! Servers on loopback that do what a test says, certificates for them, and a client to meet them.
//!
//! A server runs on a thread of its own, so that blocking and async tests can talk to it, and ends
//! when it is dropped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Clock, Environment, RandomNames};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::connect::Wire;
use crate::{Client, HttpError, Limits, Request, Response, Settings};

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Writes this and waits for the next request.
    Text(String),
    /// Writes this and hangs up.
    Last(String),
    /// Writes this and then nothing, for as long as the client waits.
    Stall(String),
    /// Writes the first text once and the second one for ever.
    Endless(String, String),
    /// Connects to this place and passes on bytes, as a proxy does after the text.
    Tunnel(String, SocketAddr),
}

/// A server and what it has seen.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: std::sync::Mutex<mpsc::Receiver<String>>,
    connections: Arc<AtomicUsize>,
    _end: oneshot::Sender<()>,
}

/// A certificate authority, and a server's certificate made by it.
pub(crate) struct Authority {
    acceptor: TlsAcceptor,
    /// Keeps [`Authority::file`].
    _dir: TempDir,
    /// The authority's certificate in PEM.
    pub(crate) file: AbsPath,
}

type Script = dyn Fn(usize, &str) -> Reply + Send + Sync;

impl Server {
    /// Plain http. The script is given the number of the request, from 0, and its text.
    pub(crate) fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(None, Arc::new(script))
    }

    /// The same behind TLS.
    pub(crate) fn secure(
        authority: &Authority,
        script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::run(Some(authority.acceptor.clone()), Arc::new(script))
    }

    /// Gives the same answer to every request.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::start(move |_, _| reply.clone())
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// The text of the requests that have come in so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().try_iter().collect()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn run(acceptor: Option<TlsAcceptor>, script: Arc<Script>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let (sender, requests) = mpsc::channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let seen = Seen {
            sender,
            count: Arc::default(),
        };
        let accepting = accept(listener, acceptor, script, seen, connections.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accepting => {}
                    _ = ended => {}
                }
            });
            runtime.shutdown_background();
        });
        Self {
            address,
            requests: std::sync::Mutex::new(requests),
            connections,
            _end: end,
        }
    }
}

#[derive(Clone)]
struct Seen {
    sender: mpsc::Sender<String>,
    count: Arc<AtomicUsize>,
}

async fn accept(
    listener: std::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    script: Arc<Script>,
    seen: Seen,
    connections: Arc<AtomicUsize>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::SeqCst);
        let (acceptor, script, seen) = (acceptor.clone(), script.clone(), seen.clone());
        tokio::spawn(async move {
            let mut wire: Box<dyn Wire> = match acceptor {
                None => Box::new(socket),
                Some(acceptor) => match acceptor.accept(socket).await {
                    Ok(stream) => Box::new(stream),
                    // The client does not trust us, which is what some tests are about.
                    Err(_) => return,
                },
            };
            // A client that hangs up ends this connection and nothing else.
            let _ = serve(&mut wire, &script, &seen).await;
        });
    }
}

async fn serve(wire: &mut Box<dyn Wire>, script: &Arc<Script>, seen: &Seen) -> std::io::Result<()> {
    while let Some(request) = read_request(wire).await? {
        let number = seen.count.fetch_add(1, Ordering::SeqCst);
        let reply = script(number, &request);
        let _ = seen.sender.send(request);
        match reply {
            Reply::Text(text) => {
                wire.write_all(text.as_bytes()).await?;
                wire.flush().await?;
            }
            Reply::Last(text) => {
                wire.write_all(text.as_bytes()).await?;
                return wire.shutdown().await;
            }
            Reply::Stall(text) => {
                wire.write_all(text.as_bytes()).await?;
                wire.flush().await?;
                wire.read_to_end(&mut Vec::new()).await?;
            }
            Reply::Endless(first, more) => {
                wire.write_all(first.as_bytes()).await?;
                loop {
                    wire.write_all(more.as_bytes()).await?;
                }
            }
            Reply::Tunnel(text, address) => {
                let mut other = TcpStream::connect(address).await?;
                wire.write_all(text.as_bytes()).await?;
                copy_bidirectional(wire, &mut other).await?;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The head and the body of a request as they came; `None` when the client hangs up.
async fn read_request(wire: &mut Box<dyn Wire>) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match wire.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => return Ok(None),
        }
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    if let Some((_, rest)) = head.split_once("content-length: ") {
        let length = rest.split('\r').next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        wire.read_exact(&mut body).await?;
        bytes.extend(body);
    } else if head.contains("transfer-encoding: chunked") {
        let start = bytes.len();
        while !bytes[start..].ends_with(b"0\r\n\r\n") {
            bytes.push(wire.read_u8().await?);
        }
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

impl Authority {
    /// An authority and a certificate for the names, which may be addresses.
    pub(crate) fn for_names(names: &[&str]) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(names)
            .unwrap()
            .signed_by(&leaf_key, &issuer)
            .unwrap();
        let key = PrivateKeyDer::try_from(leaf_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let dir = TempDir::new().unwrap();
        let file = AbsPath::new(dir.path().join("ca.pem")).unwrap();
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            crate::base64::encode(root.der())
        );
        Disk::new().write_new(&file, pem.as_bytes(), 0o600).unwrap();
        Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            _dir: dir,
            file,
        }
    }
}

/// An answer with a status line such as `200 OK`, headers of whole lines, and a body.
pub(crate) fn answer(status: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text + "\r\n" + body
}

/// A success with this body.
pub(crate) fn ok(body: &str) -> Reply {
    Reply::Text(answer("200 OK", &[], body))
}

/// A redirect to this place.
pub(crate) fn redirect(status: &str, location: &str) -> Reply {
    Reply::Text(answer(status, &[&format!("Location: {location}")], ""))
}

/// A time that stands still: 1994-11-06 08:49:37.
pub(crate) const NOW: Duration = Duration::from_secs(784_111_777);

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Duration {
        NOW
    }
}

struct CountingNames(AtomicU64);

impl RandomNames for CountingNames {
    fn next(&self) -> String {
        format!("{:016x}", self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// An environment with these variables and nothing else.
pub(crate) fn environment(vars: &[(&str, &str)]) -> Environment {
    Environment {
        program: AbsPath::new("/proc/self/exe").unwrap(),
        args: Vec::new(),
        vars: vars
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        cwd: AbsPath::new("/cwd").unwrap(),
        cwd_is_gone: false,
        home: None,
        system_dir: AbsPath::new("/etc/codex").unwrap(),
        clock: Arc::new(StandingClock),
        names: Arc::new(CountingNames(AtomicU64::new(0))),
    }
}

/// A client in such an environment.
pub(crate) fn client(vars: &[(&str, &str)]) -> Client {
    let settings = Settings::from_environment(&environment(vars), "plugd-test/1");
    Client::new(settings, Disk::new())
}

/// Limits under which a server that does something ends long before they are reached.
pub(crate) const LIMITS: Limits = Limits {
    header_bytes: 8 * 1024,
    body_bytes: 64 * 1024,
    idle: Duration::from_secs(20),
    connect: Duration::from_secs(20),
    deadline: None,
};

/// The same for a server that goes silent.
pub(crate) const IMPATIENT: Limits = Limits {
    idle: Duration::from_millis(50),
    ..LIMITS
};

/// A read under [`LIMITS`].
pub(crate) fn get(url: &str) -> Request {
    Request::get(url).unwrap().limits(LIMITS)
}

/// Sends a request that nobody gives up.
pub(crate) async fn send(client: &Client, request: Request) -> Result<Response, HttpError> {
    client.send(request, std::future::pending()).await
}

/// The status and body of the answer.
pub(crate) async fn fetch(client: &Client, request: Request) -> Result<(u16, String), HttpError> {
    let response = send(client, request).await?;
    let status = response.status().as_u16();
    let body = response.read_all(u64::MAX, std::future::pending()).await?;
    Ok((status, String::from_utf8(body).unwrap()))
}
