//! The thread that reads the input.
//!
//! A plain thread and not a task: a read of stdin cannot be interrupted, and a runtime waits for
//! its blocking tasks when it ends. This thread is simply left behind with the process.
//!
//! Invariants:
//! - Messages that nobody has taken yet have a bound in bytes; then reading waits, and with it the
//!   client. A look for the end has a bound of its own.
//! - The end of the input is seen by the receiver as the end of the channel, behind all messages.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::transport::framing::{Frame, Framer, FramingChoice};
use crate::transport::room::{Room, Taken};
use crate::transport::writer::FramingCell;

/// How many bytes of messages wait to be taken.
const QUEUED_BYTES: usize = 1024 * 1024;
/// How many messages wait to be taken.
const QUEUED_MESSAGES: usize = 64;
/// How many bytes of messages may stand between a message that waits and the end of the input, for
/// the end to be found.
const LOOK_AHEAD: usize = 1024 * 1024;
/// What a message costs in that beside its bytes.
const BASE_COST: usize = 64;
/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Input {
    frames: mpsc::Receiver<(Frame, Taken)>,
    /// What was met in a look for the end. It is still to be taken, in front of everything else.
    ahead: VecDeque<Frame>,
    ahead_cost: usize,
    stopped: Arc<AtomicBool>,
}

impl Input {
    /// The next message or fault; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.ahead.pop_front() {
            self.ahead_cost -= cost(&frame);
            return Some(frame);
        }
        self.frames.recv().await.map(|(frame, _room)| frame)
    }

    /// Waits until the client has closed its end. Messages in front of that stay to be taken; with
    /// too many of them it waits for ever.
    pub(crate) async fn ended(&mut self) {
        while self.ahead_cost < LOOK_AHEAD {
            let Some((frame, _room)) = self.frames.recv().await else {
                return;
            };
            self.ahead_cost += cost(&frame);
            self.ahead.push_back(frame);
        }
        std::future::pending::<()>().await;
    }

    /// Takes no more from the client. What was already cut into messages still comes.
    pub(crate) fn stop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.frames.close();
    }
}

fn cost(frame: &Frame) -> usize {
    BASE_COST + bytes_in(frame)
}

fn bytes_in(frame: &Frame) -> usize {
    match frame {
        Frame::Message(bytes) => bytes.len(),
        Frame::Fault(_) => 0,
    }
}

/// Starts the thread.
pub(crate) fn start(
    input: impl Read + Send + 'static,
    choice: FramingChoice,
    framing: FramingCell,
) -> io::Result<Input> {
    let (sender, frames) = mpsc::channel(QUEUED_MESSAGES);
    let stopped = Arc::new(AtomicBool::new(false));
    let framer = Framer::new(choice);
    let pump = Pump {
        runtime: Handle::current(),
        room: Room::of_bytes(QUEUED_BYTES),
        stopped: Arc::clone(&stopped),
        framing,
        sender,
    };
    // A choice that was made outside holds before the first byte.
    pump.decide(&framer);
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || pump.run(input, framer))?;
    Ok(Input {
        frames,
        ahead: VecDeque::new(),
        ahead_cost: 0,
        stopped,
    })
}

struct Pump {
    runtime: Handle,
    room: Room,
    stopped: Arc<AtomicBool>,
    framing: FramingCell,
    sender: mpsc::Sender<(Frame, Taken)>,
}

/// The receiver is gone.
struct Gone;

impl Pump {
    fn run(self, mut input: impl Read, mut framer: Framer) {
        let mut chunk = vec![0; CHUNK];
        while !self.stopped.load(Ordering::Relaxed) {
            let read = match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::warn!(%error, "the input cannot be read any more");
                    break;
                }
            };
            let mut rest = &chunk[..read];
            loop {
                let frame = framer.push(&mut rest);
                // Before the message, so that its answer already knows; and also without one, since
                // the first may never be complete and is answered all the same.
                self.decide(&framer);
                let Some(frame) = frame else {
                    break;
                };
                if self.hand_over(frame).is_err() {
                    return;
                }
            }
        }
        if let Some(frame) = framer.finish()
            && self.hand_over(frame).is_err()
        {
            tracing::debug!("the last message came after the end");
        }
    }

    fn decide(&self, framer: &Framer) {
        if let Some(framing) = framer.framing() {
            self.framing.decide(framing);
        }
    }

    fn hand_over(&self, frame: Frame) -> Result<(), Gone> {
        let room = self.runtime.block_on(self.room.take(bytes_in(&frame)));
        self.sender.blocking_send((frame, room)).map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use pretty_assertions::assert_eq;

    use super::{BASE_COST, LOOK_AHEAD, start};
    use crate::transport::framing::{Fault, Frame, Framing, FramingChoice};
    use crate::transport::writer::FramingCell;

    /// What the writer answers in once the only piece of this input has been met.
    async fn check(choice: FramingChoice, input: &'static str, fault: Fault, framing: Framing) {
        let cell = FramingCell::default();
        let mut frames = start(input.as_bytes(), choice, cell.clone()).unwrap();
        assert_eq!(frames.next().await, Some(Frame::Fault(fault)), "{input:?}");
        assert_eq!(cell.get(), framing, "{input:?}");
    }

    #[tokio::test]
    async fn a_message_that_is_cut_off_is_answered_in_kind() {
        let cut = "Content-Length: 9\r\n\r\n{}";
        for input in [cut, "C", "Content-Length: 9\r\n", "\u{feff}\r\nC"] {
            check(FramingChoice::Auto, input, Fault::Cut, Framing::Headers).await;
        }
        for input in [cut, "{"] {
            check(FramingChoice::Headers, input, Fault::Cut, Framing::Headers).await;
        }
    }

    #[tokio::test]
    async fn a_look_for_the_end_loses_nothing_and_has_a_bound() {
        let choice = FramingChoice::Lines;
        let few = "{}\n[]\n".as_bytes();
        let mut input = start(few, choice, FramingCell::default()).unwrap();
        input.ended().await;
        input.ended().await;
        for expected in [Some("{}"), Some("[]"), None] {
            let expected = expected.map(|text| Frame::Message(text.into()));
            assert_eq!(input.next().await, expected);
        }
        let count = LOOK_AHEAD / 16;
        let many = "{}\n".repeat(count).into_bytes();
        let mut input = start(io::Cursor::new(many), choice, FramingCell::default()).unwrap();
        let look = tokio::time::timeout(Duration::from_secs(1), input.ended());
        assert!(look.await.is_err(), "all of it was read");
        assert!(input.ahead_cost < LOOK_AHEAD + BASE_COST + 2);
        let mut taken = 0;
        while input.next().await.is_some() {
            taken += 1;
        }
        assert_eq!((taken, input.ahead_cost), (count, 0));
    }

    #[tokio::test]
    async fn a_choice_holds_before_the_first_byte() {
        for (choice, framing) in [
            (FramingChoice::Headers, Framing::Headers),
            (FramingChoice::Lines, Framing::Lines),
        ] {
            let cell = FramingCell::default();
            let mut frames = start(io::empty(), choice, cell.clone()).unwrap();
            assert_eq!(frames.next().await, None);
            assert_eq!(cell.get(), framing);
        }
    }
}
