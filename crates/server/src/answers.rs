//! Answers on their way: one by one, or together as the answer to a batch.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use plugd_protocol::RequestId;

use crate::envelope;
use crate::error_map;
use crate::notify::Notifier;
use crate::reply::{Note, Reply};
use crate::transport::outgoing::Outgoing;
use crate::transport::writer::Output;
use crate::wire_error::WireError;

/// How many bytes the answers to one batch may have together; what comes later is refused, so that
/// one message cannot ask for more memory than there is.
const MAX_BATCH_BYTES: usize = 256 * 1024 * 1024;

/// Sends answers. Clones send to the same client.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    output: Output,
    notifier: Notifier,
}

/// Where an answer belongs.
#[derive(Debug, Clone)]
pub(crate) enum To {
    /// To the client, at once.
    Client,
    /// Into the answer to a batch.
    Batch(Arc<Batch>),
}

/// The answers to one batch while they are collected.
#[derive(Debug)]
pub(crate) struct Batch(Mutex<Collected>);

#[derive(Debug)]
struct Collected {
    missing: usize,
    bytes: usize,
    answers: Vec<Outgoing>,
    notes: Vec<Note>,
}

impl Batch {
    /// A batch that owes so many answers.
    pub(crate) fn owing(answers: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Collected {
            missing: answers,
            bytes: 0,
            answers: Vec::new(),
            notes: Vec::new(),
        })))
    }

    /// Adds an answer. The last one gives back everything.
    fn add(
        &self,
        id: Option<&RequestId>,
        mut answer: Outgoing,
        notes: Vec<Note>,
    ) -> Option<(Outgoing, Vec<Note>)> {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if collected.bytes + answer.len() > MAX_BATCH_BYTES {
            answer = envelope::error(id, &error_map::overloaded()).into();
        }
        collected.bytes += answer.len();
        collected.answers.push(answer);
        collected.notes.extend(notes);
        collected.missing = collected.missing.saturating_sub(1);
        if collected.missing > 0 {
            return None;
        }
        let mut message = Vec::with_capacity(collected.bytes + collected.answers.len() + 2);
        for answer in mem::take(&mut collected.answers) {
            message.push(if message.is_empty() { b'[' } else { b',' });
            answer.append_to(&mut message);
        }
        message.push(b']');
        Some((message.into(), mem::take(&mut collected.notes)))
    }
}

impl Answers {
    pub(crate) fn new(output: Output, notifier: Notifier) -> Self {
        Self { output, notifier }
    }

    /// Answers a request, waiting for room.
    pub(crate) async fn give(&self, to: &To, id: &RequestId, outcome: Result<Reply, WireError>) {
        match outcome {
            Ok(Reply { result, notes }) => {
                let answer = envelope::result(id, result);
                self.send(to, Some(id), answer, notes).await;
            }
            Err(error) => self.refuse(to, Some(id), &error).await,
        }
    }

    /// Answers with an error; the id is absent where it could not be found.
    pub(crate) async fn refuse(&self, to: &To, id: Option<&RequestId>, error: &WireError) {
        let answer = envelope::error(id, error);
        self.send(to, id, answer.into(), Vec::new()).await;
    }

    async fn send(&self, to: &To, id: Option<&RequestId>, answer: Outgoing, notes: Vec<Note>) {
        let (message, notes) = match to {
            To::Client => (answer, notes),
            To::Batch(batch) => match batch.add(id, answer, notes) {
                Some(complete) => complete,
                None => return,
            },
        };
        self.output.send(message).await;
        for note in notes {
            self.notifier.send(note).await;
        }
    }
}
