//! The life of one connection: from the first byte to the last answer.
//!
//! One loop takes messages in their order. What it decides itself it answers at once; requests that
//! are let in get a task each. It waits for room in the output before it answers, so a client that
//! does not read is not read from either.
//!
//! Invariants:
//! - `initialize` is finished before the next message is looked at, so a client may send requests
//!   behind it without waiting.
//! - At the end everything that was let in is answered, as far as somebody reads.

use std::future::Future;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use plugd_plugins::call::{Call, Cancel};
use plugd_plugins::events::EventStream;
use plugd_protocol::methods::{Initialize, Shutdown};
use plugd_protocol::notifications::{CancelById, CancelByRequestId, Cancelled, Changed, Exit};
use plugd_protocol::{
    CancelByIdParams, CancelByRequestIdParams, Lane, Method, Notification, RequestId,
    ShutdownResponse,
};

use crate::answers::{Answers, Batch, To};
use crate::background::Background;
use crate::envelope::{self, Body, Message};
use crate::error_map;
use crate::events_out;
use crate::handshake::Client;
use crate::lane_keys;
use crate::lanes::Lanes;
use crate::limits::Limits;
use crate::method_table::Dispatcher;
use crate::notify::Notifier;
use crate::params;
use crate::pending::Pending;
use crate::progress;
use crate::reply::Reply;
use crate::serve::{self, Request, Service};
use crate::transport::framing::{Frame, FramingChoice};
use crate::transport::reader::{self, Input};
use crate::transport::writer::{self, FramingCell, Output, OutputState};
use crate::wire_error::WireError;

/// The two ends of a connection.
#[derive(Debug)]
pub struct Io<R, W> {
    /// Where messages come from.
    pub stdin: R,
    /// Where messages go to. Nothing else may write there.
    pub stdout: W,
}

/// What is behind a connection.
pub struct Backend {
    /// The methods.
    pub methods: Dispatcher,
    /// What the use cases tell of.
    pub events: EventStream,
    /// The work that no request waits for.
    pub background: Arc<dyn Background>,
}

/// How a connection is run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What the client is expected to speak.
    pub framing: FramingChoice,
    /// The bounds.
    pub limits: Limits,
}

/// Why a connection ended. None of the reasons is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// The input ended.
    InputEnded,
    /// The client sent `exit`.
    Exit,
    /// The process was told to end.
    Signal,
    /// Nobody reads the output any more.
    OutputClosed,
}

/// Why a connection could not begin.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a thread for the {stream}")]
pub struct StartError {
    stream: &'static str,
    #[source]
    source: io::Error,
}

/// Serves one client until the input, the output or `signal` ends the connection. Then no more is
/// read, what was let in is finished and answered, and the output is flushed.
///
/// The thread that reads may outlive the call: a read of a terminal or pipe cannot be interrupted.
///
/// # Errors
/// A thread could not be started; nothing was read or written.
pub async fn run<R, W>(
    io: Io<R, W>,
    backend: Backend,
    options: Options,
    signal: impl Future<Output = ()> + Send,
) -> Result<ExitReason, StartError>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let framing = FramingCell::default();
    let output = writer::start(io.stdout, framing.clone()).map_err(|source| StartError {
        stream: "output",
        source,
    })?;
    let mut input =
        reader::start(io.stdin, options.framing, framing).map_err(|source| StartError {
            stream: "input",
            source,
        })?;
    let mut connection = Connection::new(backend, options.limits, output);
    let reason = connection.read_until_the_end(&mut input, signal).await;
    connection.finish(reason).await;
    Ok(reason)
}

struct Connection {
    service: Service,
    output: Output,
    pending: Pending,
    lanes: Lanes,
    background: Arc<dyn Background>,
    /// Until `initialize` says whether somebody wants them.
    events: Option<EventStream>,
    stop_events: Cancel,
    telling: Option<JoinHandle<()>>,
}

/// Whether the connection goes on.
enum Flow {
    On,
    Exit,
}

impl Connection {
    fn new(backend: Backend, limits: Limits, output: Output) -> Self {
        let Backend {
            methods,
            events,
            background,
        } = backend;
        let notifier = Notifier::new(output.clone());
        Self {
            service: Service {
                dispatcher: methods,
                answers: Answers::new(output.clone(), notifier.clone()),
                notifier,
                reads: Arc::new(Semaphore::new(limits.running_reads)),
                limits,
            },
            output,
            pending: Pending::new(&limits),
            lanes: Lanes::default(),
            background,
            events: Some(events),
            stop_events: Cancel::new(),
            telling: None,
        }
    }

    async fn read_until_the_end(
        &mut self,
        input: &mut Input,
        signal: impl Future<Output = ()> + Send,
    ) -> ExitReason {
        tokio::pin!(signal);
        let output = self.output.clone();
        let patience = self.service.limits.idle;
        let reason = loop {
            let frame = tokio::select! {
                biased;
                () = &mut signal => break ExitReason::Signal,
                () = output.dead() => break ExitReason::OutputClosed,
                frame = input.next() => match frame {
                    Some(frame) => frame,
                    None => break ExitReason::InputEnded,
                },
            };
            let handling = self.handle(frame);
            tokio::pin!(handling);
            let flow = tokio::select! {
                biased;
                flow = &mut handling => flow,
                () = &mut signal => {
                    // It waits for a client that does not read, or for `initialize`.
                    if tokio::time::timeout(patience, handling).await.is_err() {
                        tracing::warn!("the message at hand was dropped: nobody reads the output");
                    }
                    break ExitReason::Signal;
                }
                () = nobody_is_left(input, &output, patience) => {
                    tracing::warn!("messages were dropped: nobody reads the output");
                    break ExitReason::InputEnded;
                }
            };
            if let Flow::Exit = flow {
                break ExitReason::Exit;
            }
        };
        input.stop();
        if reason == ExitReason::Signal {
            self.handle_rest(input).await;
        }
        reason
    }

    /// Handles what had been read before the signal.
    async fn handle_rest(&mut self, input: &mut Input) {
        let patience = self.service.limits.idle;
        let rest = async {
            while let Some(frame) = input.next().await {
                if let Flow::Exit = self.handle(frame).await {
                    return;
                }
            }
        };
        if tokio::time::timeout(patience, rest).await.is_err() {
            tracing::warn!("messages were dropped: nobody reads the output");
        }
    }

    async fn handle(&mut self, frame: Frame) -> Flow {
        let bytes = match frame {
            Frame::Message(bytes) => bytes,
            Frame::Fault(fault) => {
                let error = error_map::fault(fault);
                self.refuse(&To::Client, None, &error).await;
                return Flow::On;
            }
        };
        match envelope::read(&bytes) {
            Body::One(message) => self.message(message, To::Client).await,
            Body::Batch(messages) => self.batch(messages).await,
        }
    }

    async fn batch(&mut self, messages: Vec<Message<'_>>) -> Flow {
        let owing = messages
            .iter()
            .filter(|message| matches!(message, Message::Request { .. } | Message::Invalid { .. }))
            .count();
        let batch = Batch::owing(owing);
        let mut flow = Flow::On;
        for message in messages {
            let to = To::Batch(Arc::clone(&batch));
            // Also behind an `exit`: the batch has one answer, and it would never be complete.
            if let Flow::Exit = self.message(message, to).await {
                flow = Flow::Exit;
            }
        }
        flow
    }

    async fn message(&mut self, message: Message<'_>, to: To) -> Flow {
        match message {
            Message::Request { id, method, params } => {
                self.request(id, &method, params, to).await;
                Flow::On
            }
            Message::Notification { method, params } => self.notification(&method, params),
            Message::Response => {
                tracing::debug!("an answer to nothing was ignored");
                Flow::On
            }
            Message::Invalid { id, error } => {
                self.refuse(&to, id.as_ref(), &error).await;
                Flow::On
            }
        }
    }

    /// The name is looked up before the state: an unknown method is unknown also before
    /// `initialize`.
    async fn request(&mut self, id: RequestId, method: &str, params: Option<&RawValue>, to: To) {
        let is_initialized = self.service.notifier.client().is_some();
        let error = match (method, self.service.dispatcher.lane(method)) {
            (Initialize::NAME, _) if is_initialized => error_map::already_initialized(),
            (Initialize::NAME, _) => return self.initialize(id, params, to).await,
            (Shutdown::NAME, _) if is_initialized => {
                let outcome = Reply::of(&ShutdownResponse);
                return self.service.answers.give(&to, &id, outcome).await;
            }
            (Shutdown::NAME, _) => error_map::not_initialized(),
            (_, None) => error_map::method_not_found(method),
            (_, Some(_)) if !is_initialized => error_map::not_initialized(),
            (_, Some((method, lane))) => {
                match self.admit(id.clone(), method, lane, params, to.clone()) {
                    Some(request) => {
                        tokio::spawn(serve::serve(self.service.clone(), request));
                        return;
                    }
                    None => error_map::overloaded(),
                }
            }
        };
        error.log(id.as_json(), method);
        self.service.answers.refuse(&to, Some(&id), &error).await;
    }

    /// Takes a request in, unless there are too many. Its place in the lanes is taken here, in the
    /// order of arrival.
    fn admit(
        &self,
        id: RequestId,
        method: &'static str,
        lane: Lane,
        params: Option<&RawValue>,
        to: To,
    ) -> Option<Request> {
        let (progress, reporter) = progress::of_request(method, params);
        let call = Call {
            id: id.as_json().to_owned(),
            progress,
            ..Call::detached()
        };
        let bytes = params.map_or(0, |params| params.get().len()) + call.id.len();
        let owed = self.pending.admit(&id, lane, bytes, &call)?;
        Some(Request {
            id,
            method,
            lane,
            ticket: self.lanes.enter(lane_keys::of(lane, params)),
            params: params.map(RawValue::to_owned),
            to,
            call,
            reporter,
            owed,
        })
    }

    async fn initialize(&mut self, id: RequestId, params: Option<&RawValue>, to: To) {
        let outcome = match Client::of_params(params) {
            Ok(client) => {
                let outcome = self.call_initialize(&id, params).await;
                if outcome.is_ok() {
                    self.tell_events(&client);
                    self.service.notifier.know(client);
                }
                outcome
            }
            Err(error) => Err(error),
        };
        let is_done = outcome.is_ok();
        if let Err(error) = &outcome {
            error.log(id.as_json(), Initialize::NAME);
        }
        self.service.answers.give(&to, &id, outcome).await;
        if is_done {
            self.background.begin().await;
            self.background.start();
        }
    }

    async fn call_initialize(
        &self,
        id: &RequestId,
        params: Option<&RawValue>,
    ) -> Result<Reply, WireError> {
        let dispatcher = self.service.dispatcher.clone();
        let params = params.map(RawValue::to_owned);
        let call = Call {
            id: id.as_json().to_owned(),
            ..Call::detached()
        };
        let work =
            tokio::spawn(async move { dispatcher.call(Initialize::NAME, params, call).await });
        serve::ended(work.await)
    }

    /// Begins to tell of events. A client that did not ask for ours still hears of skills once it has
    /// listed them; the notifier keeps the rest from it.
    fn tell_events(&mut self, client: &Client) {
        let Some(events) = self.events.take() else {
            return;
        };
        if client.accepts(Changed::NAME) {
            events.want_changes();
        } else if client.wants_own() {
            events.want_skills();
        }
        let notifier = self.service.notifier.clone();
        let background = Arc::clone(&self.background);
        let debounce = self.service.limits.debounce;
        let stop = self.stop_events.clone();
        self.telling = Some(tokio::spawn(events_out::pump(
            events, notifier, background, debounce, stop,
        )));
    }

    /// Every notification that is not known is ignored, and so is one that does not decode: there
    /// is nobody to be told.
    fn notification(&self, method: &str, params: Option<&RawValue>) -> Flow {
        match method {
            Exit::NAME => return Flow::Exit,
            CancelById::NAME => {
                if let Some(CancelByIdParams { id }) = decoded(method, params) {
                    self.pending.cancel(&id);
                }
            }
            CancelByRequestId::NAME | Cancelled::NAME => {
                let params: Option<CancelByRequestIdParams> = decoded(method, params);
                if let Some(params) = params {
                    self.pending.cancel(&params.request_id);
                }
            }
            _ => tracing::debug!(method = %method.escape_debug(), "a notification was ignored"),
        }
        Flow::On
    }

    async fn refuse(&self, to: &To, id: Option<&RequestId>, error: &WireError) {
        error.log(id.map_or("null", RequestId::as_json), "-");
        self.service.answers.refuse(to, id, error).await;
    }

    /// Finishes what was let in, tells what is left to tell, and closes the output.
    async fn finish(self, reason: ExitReason) {
        let patience = self.service.limits.idle;
        if reason == ExitReason::OutputClosed {
            self.pending.cancel_reads();
        }
        let background = tokio::time::timeout(patience, self.background.stop());
        let drained = self.pending.drain(patience, || self.output.written());
        let ((), background) = tokio::join!(drained, background);
        if background.is_err() {
            tracing::warn!("background work did not end in time and is left behind");
        }
        if tokio::time::timeout(patience, self.background.let_go())
            .await
            .is_err()
        {
            tracing::debug!("what the client held is left to the next use of the store");
        }
        self.stop_events.cancel();
        if let Some(telling) = self.telling
            && tokio::time::timeout(patience, telling).await.is_err()
        {
            tracing::debug!("the last events were not told: nobody reads the output");
        }
        if self.output.finish(patience).await == OutputState::Dead {
            tracing::debug!("the output ended before everything was written");
        }
    }
}

/// Waits until the client has closed its end and has taken nothing for `patience`. A message that
/// waits for room would hide that end for ever; a client that only pauses is waited for.
async fn nobody_is_left(input: &mut Input, output: &Output, patience: Duration) {
    loop {
        output.stalled(patience).await;
        let before = output.written();
        input.ended().await;
        if output.written() == before {
            return;
        }
    }
}

fn decoded<T: DeserializeOwned>(method: &str, params: Option<&RawValue>) -> Option<T> {
    params::decode(params)
        .inspect_err(|error| error.log("-", method))
        .ok()
}
