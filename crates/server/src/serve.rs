//! One request from its admission to its answer.
//!
//! Invariants:
//! - Every request that gets here is answered exactly once: with its result, its error, a cancel,
//!   or an internal error when its handler panics.
//! - A lane goes on when the work in it has really ended, whatever was answered before.
//! - A request that was answered as cancelled has changed nothing: past its point of no return a
//!   cancel is not seen any more.

use std::any::Any;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle};

use plugd_plugins::call::{Call, Cancel};
use plugd_protocol::{Lane, RequestId};

use crate::answers::{Answers, To};
use crate::error_map;
use crate::lanes::Ticket;
use crate::limits::Limits;
use crate::method_table::Dispatcher;
use crate::notify::Notifier;
use crate::pending::Owed;
use crate::progress::Reporter;
use crate::reply::Reply;
use crate::wire_error::WireError;

type Outcome = Result<Reply, WireError>;
type Work = JoinHandle<Outcome>;

/// What all requests of a connection share.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) answers: Answers,
    pub(crate) notifier: Notifier,
    pub(crate) reads: Arc<Semaphore>,
    pub(crate) limits: Limits,
}

/// A request that was let in.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) method: &'static str,
    pub(crate) lane: Lane,
    pub(crate) params: Option<Box<RawValue>>,
    pub(crate) to: To,
    pub(crate) call: Call,
    pub(crate) reporter: Option<Reporter>,
    pub(crate) ticket: Ticket,
    pub(crate) owed: Owed,
}

/// How the work of a request ended, or that it was answered before it ended.
enum End {
    Known(Outcome),
    StillRunning(Outcome, Work),
}

/// Tells of progress until it is told to end.
struct Telling {
    stop: Cancel,
    task: JoinHandle<()>,
}

/// Runs a request and answers it.
pub(crate) async fn serve(service: Service, mut request: Request) {
    let mut telling = None;
    let (outcome, left) = match run(&service, &mut request, &mut telling).await {
        End::Known(outcome) => (outcome, None),
        End::StillRunning(outcome, work) => (outcome, Some(work)),
    };
    if let Err(error) = &outcome {
        error.log(request.id.as_json(), request.method);
    }
    request.owed.answering();
    let answering = async {
        if let Some(Telling { stop, task }) = telling {
            stop.cancel();
            if let Err(error) = task.await {
                internal(error).log(request.id.as_json(), request.method);
            }
        }
        service
            .answers
            .give(&request.to, &request.id, outcome)
            .await;
    };
    tokio::select! {
        () = answering => {}
        () = request.owed.give_up.cancelled() => {
            tracing::warn!("an answer was dropped: nobody reads the output");
        }
    }
    request.owed.answered();
    if let Some(work) = left {
        await_the_clean_up(&request, work).await;
    }
}

async fn await_the_clean_up(request: &Request, mut work: Work) {
    tokio::select! {
        joined = &mut work => {
            if let Err(error) = ended(joined) {
                error.log(request.id.as_json(), request.method);
            }
        }
        () = request.owed.abandon.cancelled() => work.abort(),
    }
}

async fn run(service: &Service, request: &mut Request, telling: &mut Option<Telling>) -> End {
    let _permit = tokio::select! {
        biased;
        () = request.owed.abandon.cancelled() => return End::Known(Err(abandoned())),
        () = request.call.cancel.cancelled() => return End::Known(Err(error_map::cancelled())),
        permit = turn(&service.reads, request.lane, &mut request.ticket) => permit,
    };
    request.owed.running();
    *telling = request.reporter.take().map(|reporter| {
        let stop = Cancel::new();
        let task = tokio::spawn(reporter.run(service.notifier.clone(), stop.clone()));
        Telling { stop, task }
    });
    work(service, request).await
}

/// Waits for the request's turn: a write for its lanes, a read for room beside the others.
async fn turn(
    reads: &Arc<Semaphore>,
    lane: Lane,
    ticket: &mut Ticket,
) -> Option<OwnedSemaphorePermit> {
    ticket.turn().await;
    match lane {
        Lane::Read => Arc::clone(reads).acquire_owned().await.ok(),
        Lane::Handshake | Lane::Plugin | Lane::Marketplace | Lane::Marketplaces | Lane::Config => {
            None
        }
    }
}

async fn work(service: &Service, request: &mut Request) -> End {
    let mut work = spawn(service, request);
    tokio::select! {
        biased;
        joined = &mut work => return End::Known(ended(joined)),
        () = request.owed.abandon.cancelled() => {
            work.abort();
            return End::Known(Err(abandoned()));
        }
        () = request.call.cancel.cancelled() => {}
    }
    if request.lane == Lane::Read {
        // It changes nothing, so there is nothing to clean up.
        work.abort();
        return End::Known(Err(error_map::cancelled()));
    }
    tokio::select! {
        biased;
        joined = &mut work => End::Known(ended(joined).map_err(as_cancelled)),
        () = tokio::time::sleep(service.limits.cancel_grace) => {
            End::StillRunning(Err(error_map::cancelled()), work)
        }
    }
}

/// The handler runs in a task of its own, which is what catches its panics.
fn spawn(service: &Service, request: &mut Request) -> Work {
    let dispatcher = service.dispatcher.clone();
    let (method, params) = (request.method, request.params.take());
    let call = request.call.clone();
    tokio::spawn(async move { dispatcher.call(method, params, call).await })
}

/// What a task ended with, when it is the task of a handler.
pub(crate) fn ended(joined: Result<Outcome, JoinError>) -> Outcome {
    joined.unwrap_or_else(|error| Err(internal(error)))
}

fn internal(error: JoinError) -> WireError {
    match error.try_into_panic() {
        Ok(panic) => error_map::internal(format!("a task panicked: {}", panic_text(&*panic))),
        Err(error) => error_map::internal(error.to_string()),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "without a text"
    }
}

/// An error behind a cancel is its consequence; what it says goes to the log.
fn as_cancelled(error: WireError) -> WireError {
    let detail = error.detail.unwrap_or(error.message);
    error_map::cancelled().logged(format!("cancelled: {detail}"))
}

fn abandoned() -> WireError {
    error_map::internal("given up at the end of the connection: no sign of life")
}
