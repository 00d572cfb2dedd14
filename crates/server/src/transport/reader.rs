//! The thread that reads the input.
//!
//! A plain thread and not a task: a read of stdin cannot be interrupted, and a runtime waits for
//! its blocking tasks when it ends. This thread is simply left behind with the process.
//!
//! Invariants:
//! - Messages that nobody has taken yet have a bound in bytes; then reading waits, and with it the
//!   client.
//! - The end of the input is seen by the receiver as the end of the channel, behind all messages.

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
/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Input {
    frames: mpsc::Receiver<(Frame, Taken)>,
    stopped: Arc<AtomicBool>,
}

impl Input {
    /// The next message or fault; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        self.frames.recv().await.map(|(frame, _room)| frame)
    }

    /// Takes no more from the client. What was already cut into messages still comes.
    pub(crate) fn stop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.frames.close();
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
    Ok(Input { frames, stopped })
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
        let bytes = match &frame {
            Frame::Message(bytes) => bytes.len(),
            Frame::Fault(_) => 0,
        };
        let room = self.runtime.block_on(self.room.take(bytes));
        self.sender.blocking_send((frame, room)).map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::start;
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
    async fn a_choice_holds_before_the_first_byte() {
        for (choice, framing) in [
            (FramingChoice::Headers, Framing::Headers),
            (FramingChoice::Lines, Framing::Lines),
        ] {
            let cell = FramingCell::default();
            let mut frames = start(std::io::empty(), choice, cell.clone()).unwrap();
            assert_eq!(frames.next().await, None);
            assert_eq!(cell.get(), framing);
        }
    }
}
