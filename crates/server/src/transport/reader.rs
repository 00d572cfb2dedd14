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
    let pump = Pump {
        runtime: Handle::current(),
        room: Room::of_bytes(QUEUED_BYTES),
        stopped: Arc::clone(&stopped),
        framing,
        sender,
    };
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || pump.run(input, Framer::new(choice)))?;
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
            while let Some(frame) = framer.push(&mut rest) {
                if self.hand_over(&framer, frame).is_err() {
                    return;
                }
            }
        }
        if let Some(frame) = framer.finish()
            && self.hand_over(&framer, frame).is_err()
        {
            tracing::debug!("the last message came after the end");
        }
    }

    fn hand_over(&self, framer: &Framer, frame: Frame) -> Result<(), Gone> {
        // Before the message, so that its answer already knows.
        if let Some(framing) = framer.framing() {
            self.framing.decide(framing);
        }
        let bytes = match &frame {
            Frame::Message(bytes) => bytes.len(),
            Frame::Fault(_) => 0,
        };
        let room = self.runtime.block_on(self.room.take(bytes));
        self.sender.blocking_send((frame, room)).map_err(|_| Gone)
    }
}
