//! For tests: an environment, an account, a service on loopback that does what a test says, and
//! plugins in its format.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use plugd_disk::Disk;
use plugd_http::Retry;
use plugd_model::{AbsPath, Clock, Environment, Layout, RandomNames};
use serde_json::{Value, json};

use crate::catalog::Patience;
use crate::{Access, Account, BaseUrl, Catalog, LoginMode, Secret, Service};

/// A time that stands still: 1994-11-06 08:49:37.
pub(crate) const NOW: Duration = Duration::from_secs(784_111_777);

/// The token of [`account`].
pub(crate) const TOKEN: &str = "t0k3n";

/// Limits that a service which answers never comes near.
pub(crate) const PATIENT: Patience = Patience {
    call: Duration::from_secs(20),
    featured: Duration::from_secs(20),
    apps: Duration::from_secs(20),
    pages: Duration::from_secs(60),
    retry: Retry {
        attempts: 3,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_secs(2),
    },
};

/// What a service does with a request.
pub(crate) enum Reply {
    /// Sends this and waits for the next request.
    Whole(Vec<u8>),
    /// Sends this and hangs up.
    Cut(Vec<u8>),
    /// Sends this and then nothing, until the client hangs up.
    Stall(Vec<u8>),
    /// Sends the first and then the second for ever.
    Endless(Vec<u8>, Vec<u8>),
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Which request of the service it is, from 0.
    pub(crate) number: usize,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    head: String,
    pub(crate) body: String,
}

/// A service. It ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    hung_up: mpsc::Receiver<()>,
    ended: Arc<AtomicBool>,
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

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
        program: AbsPath::new("/program").unwrap(),
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

/// The catalog of a home directory.
pub(crate) fn catalog(home: &AbsPath) -> Catalog {
    let layout = Layout::new(home.clone(), home.join("system"));
    Catalog::new(&environment(&[]), &layout, &Disk::new()).with_patience(PATIENT)
}

/// Somebody who is logged in.
pub(crate) fn account() -> Account {
    Account {
        access_token: Secret::new(TOKEN),
        account_id: Some("acc".to_owned()),
        user_id: Some("user".to_owned()),
        plan: Some("plus".to_owned()),
        is_workspace: false,
        is_fedramp: false,
        expires_at: None,
        mode: LoginMode::Chatgpt,
        can_refresh: false,
    }
}

/// The account at a service.
pub(crate) fn access(base: &str) -> Access {
    Access {
        base: BaseUrl::new(base, base).unwrap(),
        account: account(),
    }
}

/// A plugin as the service describes it.
pub(crate) fn item(name: &str) -> Value {
    json!({
        "id": format!("plugins~{name}"),
        "name": name,
        "scope": "GLOBAL",
        "installation_policy": "AVAILABLE",
        "authentication_policy": "ON_INSTALL",
        "release": {
            "version": "1.0.0",
            "display_name": "Name",
            "description": "Text",
            "interface": {},
        },
    })
}

/// The same with another value of a member; the path has dots.
pub(crate) fn with(mut item: Value, path: &str, value: Value) -> Value {
    let pointer = format!("/{}", path.replace('.', "/"));
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    item.pointer_mut(parent).unwrap()[key] = value;
    item
}

/// The same without a member.
pub(crate) fn without(mut item: Value, path: &str) -> Value {
    let pointer = format!("/{}", path.replace('.', "/"));
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = item.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().remove(key).unwrap();
    item
}

/// A page of a list.
pub(crate) fn page(items: &[Value], next: impl Into<Value>) -> Value {
    json!({ "plugins": items, "pagination": { "next_page_token": next.into() } })
}

/// An answer with a status line such as `200 OK`, headers of whole lines, and a body.
pub(crate) fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

/// A success with this body.
pub(crate) fn ok(body: &Value) -> Reply {
    Reply::Whole(answer("200 OK", &[], body.to_string().as_bytes()))
}

/// A refusal.
pub(crate) fn status(status: &str, body: &str) -> Reply {
    Reply::Whole(answer(status, &[], body.as_bytes()))
}

impl Asked {
    /// The value of a header; its name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Method and target.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

impl Server {
    /// A service that answers as the script says.
    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let (sender, hung_up) = mpsc::channel();
        let script: Arc<Script> = Arc::new(script);
        std::thread::spawn({
            let (asked, ended) = (asked.clone(), ended.clone());
            move || {
                for stream in listener.incoming() {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let (asked, script) = (asked.clone(), script.clone());
                    let sender = sender.clone();
                    std::thread::spawn(move || {
                        // A client that hangs up ends this connection and nothing else.
                        let _ = serve(stream.unwrap(), &asked, &*script, &sender);
                    });
                }
            }
        });
        Self {
            address,
            asked,
            hung_up,
            ended,
        }
    }

    /// A service that gives one answer to everything.
    pub(crate) fn always(body: Value) -> Self {
        Self::start(move |_| ok(&body))
    }

    /// What the base of all calls is.
    pub(crate) fn base(&self) -> String {
        format!("http://{}/base", self.address)
    }

    /// Host and port.
    pub(crate) fn place(&self) -> String {
        self.address.to_string()
    }

    /// This service as [`account`] meets it.
    pub(crate) fn service(&self) -> Service {
        let home = AbsPath::new("/nowhere").unwrap();
        catalog(&home).service(&access(&self.base()))
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Methods and targets of all requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    /// Waits until a client hangs up on a service that has gone silent.
    pub(crate) async fn wait_for_hang_up(&self) {
        // A connection ends on the runtime of its client, which therefore must go on.
        while self.hung_up.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // One more connection wakes the one who listens.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Asked>>,
    script: &Script,
    hung_up: &mpsc::Sender<()>,
) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut parts = head.split(' ');
        let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
        let mut asked = Asked {
            number: 0,
            method: method.to_owned(),
            target: target.to_owned(),
            head: head.clone(),
            body: String::new(),
        };
        let length = asked.header("content-length").unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body)?;
        asked.body = String::from_utf8(body).unwrap();
        {
            let mut seen = seen.lock().unwrap();
            asked.number = seen.len();
            seen.push(asked.clone());
        }
        match script(&asked) {
            Reply::Whole(bytes) => stream.write_all(&bytes)?,
            Reply::Cut(bytes) => return stream.write_all(&bytes),
            Reply::Stall(bytes) => {
                stream.write_all(&bytes)?;
                // Whether it closes or resets the connection, it is gone.
                let _ = stream.read_to_end(&mut Vec::new());
                let _ = hung_up.send(());
                return Ok(());
            }
            Reply::Endless(first, more) => {
                stream.write_all(&first)?;
                loop {
                    stream.write_all(&more)?;
                }
            }
        }
    }
}
