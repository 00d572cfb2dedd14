//! Connections that wait for another request to the same place.
//!
//! A connection lives on the runtime that made it, so a pool must not be shared between runtimes.
//! None waits for longer than [`KEEP`]: a daemon that sits idle holds no sockets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::activity::Activity;
use crate::body::Outgoing;
use crate::connect::Connected;
use crate::url::Scheme;
use crate::{Limits, Url};

/// How long an unused connection is kept; servers begin to hang up at about this age.
const KEEP: Duration = Duration::from_secs(20);
/// How long a connection may take to be ready again; nothing but our own task is waited for.
const PROMPT: Duration = Duration::from_secs(1);
/// How long a connection that nobody wants any more may take to say farewell.
const FAREWELL: Duration = Duration::from_millis(100);
/// How many unused connections to one place are kept.
const MAX_IDLE: usize = 4;

/// The unused connections.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<HashMap<Key, Vec<Idle>>>,
}

/// A place, and what the parser of its connections was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    scheme: Scheme,
    host: String,
    port: u16,
    header_bytes: usize,
}

/// One connection, ready for a request or busy with one. It ends soon after this value does, whatever
/// is under way on it.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Outgoing>,
    pub(crate) activity: Arc<Activity>,
    /// Its end is what tells the task.
    _wanted: oneshot::Sender<()>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Key {
    pub(crate) fn new(url: &Url, limits: &Limits) -> Self {
        Self {
            scheme: url.scheme,
            host: url.host(),
            port: url.port(),
            header_bytes: limits.header_bytes,
        }
    }
}

impl Connection {
    /// Begins to speak HTTP. The connection's task ends with the connection, or when that is dropped.
    /// The task would by itself send first what it holds, for ever when the server does not read, and
    /// keep the socket and the body of the request meanwhile.
    pub(crate) async fn open(connected: Connected, limits: &Limits) -> hyper::Result<Self> {
        let (sender, connection) = http1::Builder::new()
            .max_header_size(limits.header_bytes)
            .handshake(TokioIo::new(connected.wire))
            .await?;
        let (wanted, unwanted) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                biased;
                ended = &mut connection => Ok(ended),
                _ = unwanted => timeout(FAREWELL, connection).await,
            };
            match ended {
                Ok(Ok(())) => {}
                // Who waits for an answer is told the same.
                Ok(Err(error)) => tracing::debug!(%error, "a connection ended"),
                Err(_) => tracing::debug!("a connection was given up with bytes left to send"),
            }
        });
        Ok(Self {
            sender,
            activity: connected.activity,
            _wanted: wanted,
        })
    }
}

impl Pool {
    /// The connection that was used last, if one still stands. It may end at any moment all the
    /// same.
    pub(crate) async fn take(&self, key: &Key) -> Option<Connection> {
        loop {
            let mut idle = self.lock().get_mut(key)?.pop()?;
            if idle.since.elapsed() >= KEEP {
                continue;
            }
            // Its task may have to see the end of the last answer first.
            let ready = timeout(PROMPT, idle.connection.sender.ready()).await;
            if matches!(ready, Ok(Ok(()))) {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection whose answer has been read to its end.
    pub(crate) fn give_back(self: &Arc<Self>, key: Key, connection: Connection) {
        if connection.sender.is_closed() {
            return;
        }
        let mut all = self.lock();
        let idle = all.entry(key).or_default();
        if idle.len() == MAX_IDLE {
            idle.remove(0);
        }
        let since = Instant::now();
        idle.push(Idle { connection, since });
        drop(all);
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep(KEEP).await;
            if let Some(pool) = pool.upgrade() {
                pool.sweep();
            }
        });
    }

    fn sweep(&self) {
        self.lock().retain(|_, idle| {
            idle.retain(|idle| idle.since.elapsed() < KEEP && !idle.connection.sender.is_closed());
            !idle.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
