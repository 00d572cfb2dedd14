//! The connection: calls out, the handshake, restart and the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jsonrpsee::async_client::{self, RpcService};
use jsonrpsee::core::client::{ClientBuilder, ClientT, Error as RpcError};
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::core::traits::ToRpcParams;
use plugd_protocol::methods::Initialize;
use plugd_protocol::notifications::Initialized;
use plugd_protocol::{
    InitializeCapabilities, InitializeParams, InitializeResponse, Method, NoParams, Notification,
    PROTOCOL_VERSION, PlugdClientCapabilities,
};
use serde_json::value::{RawValue, to_raw_value};
use tokio::process::Child;
use tokio::sync::{broadcast, mpsc, watch};

use crate::call::{self, Call};
use crate::error::{Error, Refusal};
use crate::events::Events;
use crate::launch::Launch;
use crate::process::{self, Ending, Process};
use crate::router::{self, Streams, Tokens};
use crate::tap::Tap;
use crate::transport::{self, Foreign, LineReceiver};

/// How many events may wait for a reader.
const WAITING_EVENTS: usize = 1024;
/// How long the end of the process is waited for when its pipe has broken already.
const END_AFTER_PIPE: Duration = Duration::from_secs(2);

/// A connection to a daemon of its own. Clones share it.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rpc: async_client::Client<Tap<RpcService>>,
    launch: Launch,
    hello: InitializeResponse,
    process: Process,
    closing: watch::Sender<bool>,
    foreign: Foreign,
    tokens: Tokens,
    forget: mpsc::UnboundedSender<String>,
    next_token: AtomicU64,
}

/// Params that are JSON already.
pub(crate) struct Json(pub(crate) Box<RawValue>);

impl ToRpcParams for Json {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(Some(self.0))
    }
}

/// Speaks to a child that was just started.
pub(crate) async fn connect(launch: Launch, mut child: Child) -> Result<(Client, Events), Error> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let process = process::watch_over(child, launch.log.clone());
    let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(Error::Ended(Some(process.end_within(Duration::ZERO).await)));
    };
    let (closing, closed) = watch::channel(false);
    let foreign = Foreign::default();
    let receiver = LineReceiver::new(stdout, foreign.clone(), closing.clone());
    let rpc = ClientBuilder::new()
        .request_timeout(launch.answer_within)
        .set_rpc_middleware(RpcServiceBuilder::new().layer_fn(Tap))
        .build_with_tokio(transport::sender(stdin, closed), receiver);
    let (forget, forgotten) = mpsc::unbounded_channel();
    let (events, reader) = broadcast::channel(WAITING_EVENTS);
    let tokens = Tokens::default();
    let greeted = tokio::time::timeout(launch.handshake_within, greet(&rpc, &launch)).await;
    match greeted.unwrap_or(Err(Error::TimedOut {
        method: Initialize::NAME,
    })) {
        Ok((hello, streams)) => {
            let ending = process.ending.clone();
            tokio::spawn(router::run(
                streams,
                tokens.clone(),
                forgotten,
                events,
                ending,
            ));
            let client = Client {
                inner: Arc::new(Inner {
                    rpc,
                    launch,
                    hello,
                    process,
                    closing,
                    foreign,
                    tokens,
                    forget,
                    next_token: AtomicU64::new(1),
                }),
            };
            Ok((client, Events(reader)))
        }
        Err(error) => {
            closing.send_replace(true);
            drop(rpc);
            let ending = process.end_within(launch.end_within).await;
            Err(match (error, foreign.line()) {
                (Error::Ended(_), Some(line)) => Error::Foreign {
                    line: line.to_owned(),
                },
                (Error::Ended(_), None) => Error::Ended(Some(ending)),
                (other, _) => other,
            })
        }
    }
}

async fn greet(
    rpc: &async_client::Client<Tap<RpcService>>,
    launch: &Launch,
) -> Result<(InitializeResponse, Streams), Error> {
    let method = Initialize::NAME;
    let streams = Streams::open(rpc)
        .await
        .map_err(|error| failed(method, error))?;
    let params = InitializeParams {
        client_info: Some(launch.info.clone()),
        capabilities: Some(InitializeCapabilities {
            plugd: Some(PlugdClientCapabilities {
                notifications: Some(true),
            }),
            opt_out_notification_methods: (!launch.unwanted.is_empty())
                .then(|| launch.unwanted.clone()),
            ..InitializeCapabilities::default()
        }),
        initialization_options: None,
    };
    let hello: InitializeResponse = rpc
        .request(method, json(method, &params)?)
        .await
        .map_err(|error| failed(method, error))?;
    let theirs = hello.capabilities.plugd.version;
    if theirs > PROTOCOL_VERSION {
        return Err(Error::Version {
            ours: PROTOCOL_VERSION,
            theirs,
        });
    }
    let method = Initialized::NAME;
    rpc.notification(method, json(method, &NoParams {})?)
        .await
        .map_err(|error| failed(method, error))?;
    Ok((hello, streams))
}

impl Client {
    /// What the daemon said of itself: versions, its home directory, its methods.
    #[must_use]
    pub fn hello(&self) -> &InitializeResponse {
        &self.inner.hello
    }

    /// The process of the daemon, for a log.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.inner.process.id
    }

    /// Calls and waits for the answer.
    ///
    /// # Errors
    ///
    /// When the daemon refuses, ends, or answers something else than the types say.
    pub async fn call<M: Method>(&self, params: M::Params) -> Result<M::Result, Error> {
        let params = json(M::NAME, &params)?;
        let answer = self.inner.rpc.request(M::NAME, params).await;
        self.conclude(M::NAME, answer).await
    }

    /// Calls, tells of progress meanwhile, and can be cancelled.
    ///
    /// # Errors
    ///
    /// When the params cannot be written as JSON.
    pub fn start<M: Method>(&self, params: M::Params) -> Result<Call<M>, Error> {
        let number = self.inner.next_token.fetch_add(1, Ordering::Relaxed);
        call::start(self, format!("call-{number}"), params)
    }

    /// Sends a notification.
    ///
    /// # Errors
    ///
    /// When the daemon has ended.
    pub async fn notify<N: Notification>(&self, params: N::Params) -> Result<(), Error> {
        let params = json(N::NAME, &params)?;
        let sent = self.inner.rpc.notification(N::NAME, params).await;
        self.conclude(N::NAME, sent).await
    }

    /// Waits until the daemon has ended, for whatever reason.
    pub async fn ended(&self) -> Ending {
        self.inner.process.end().await
    }

    /// Closes the daemon's stdin, lets it finish what it owes, and kills it when it takes longer
    /// than [`Launch::end_within`]. Calls that are still open are answered by then.
    pub async fn shutdown(&self) -> Ending {
        self.inner.closing.send_replace(true);
        let deadline = self.inner.launch.end_within;
        self.inner.process.end_within(deadline).await
    }

    /// Shuts down and starts a new daemon in the same way, as after an update of the program.
    ///
    /// # Errors
    ///
    /// As [`Launch::start`].
    pub async fn restart(&self) -> Result<(Self, Events), Error> {
        self.shutdown().await;
        self.inner.launch.clone().start().await
    }

    pub(crate) fn rpc(&self) -> &async_client::Client<Tap<RpcService>> {
        &self.inner.rpc
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }

    /// Ends the progress of a call that was answered.
    pub(crate) fn forget(&self, token: String) {
        // Without a router there is no progress either.
        let _ = self.inner.forget.send(token);
    }

    pub(crate) async fn conclude<T>(
        &self,
        method: &'static str,
        answer: Result<T, RpcError>,
    ) -> Result<T, Error> {
        match answer.map_err(|error| failed(method, error)) {
            Err(Error::Ended(None)) => {
                if let Some(line) = self.inner.foreign.line() {
                    let line = line.to_owned();
                    return Err(Error::Foreign { line });
                }
                let end = self.inner.process.end();
                Err(Error::Ended(
                    tokio::time::timeout(END_AFTER_PIPE, end).await.ok(),
                ))
            }
            other => other,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Nobody will call any more: the daemon finishes and ends by itself.
        self.closing.send_replace(true);
    }
}

pub(crate) fn json(method: &'static str, params: &impl serde::Serialize) -> Result<Json, Error> {
    to_raw_value(params)
        .map(Json)
        .map_err(|source| Error::Form {
            method,
            source: Arc::new(source),
        })
}

/// What an error of jsonrpsee means here.
fn failed(method: &'static str, error: RpcError) -> Error {
    match error {
        RpcError::Call(object) => Error::Refused(Box::new(Refusal::new(
            object.code(),
            object.message(),
            object.data(),
        ))),
        RpcError::ParseError(source) => Error::Form {
            method,
            source: Arc::new(source),
        },
        RpcError::RequestTimeout => Error::TimedOut { method },
        // All others are about a connection that is no more.
        _ => Error::Ended(None),
    }
}
