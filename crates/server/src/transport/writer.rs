//! The thread that writes the output, and the queue in front of it.
//!
//! Invariants:
//! - Only this thread writes, a whole message at a time.
//! - The queue has a bound in bytes. Whoever answers waits for room, so a client that never reads
//!   stops what it asked for and does not make the process grow.
//! - When the reader of the output is gone, messages are thrown away and nobody waits for ever.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use memchr::memchr2;
use tokio::sync::{mpsc, watch};

use crate::transport::framing::Framing;
use crate::transport::outgoing::Outgoing;
use crate::transport::room::{Room, Taken};

/// How many bytes of messages wait to be written.
const QUEUED_BYTES: usize = 4 * 1024 * 1024;
/// How many messages wait to be written.
const QUEUED_MESSAGES: usize = 256;
/// How much is written at once, so that a slow reader shows as slow and not as dead.
const CHUNK: usize = 64 * 1024;

/// What the client speaks; decided once by the reading side.
#[derive(Debug, Clone, Default)]
pub(crate) struct FramingCell(Arc<OnceLock<Framing>>);

/// The sending side of the queue. Clones send to the same output.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    queue: mpsc::Sender<Item>,
    room: Room,
    state: watch::Receiver<OutputState>,
    written: Arc<AtomicU64>,
}

/// How the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputState {
    /// Messages are written.
    Open,
    /// The reader is gone; messages are thrown away.
    Dead,
    /// Everything is written, and no more will be.
    Finished,
}

#[derive(Debug)]
enum Item {
    Message(Outgoing, Taken),
    End,
}

impl FramingCell {
    /// Says what the client speaks. Only the first word counts.
    pub(crate) fn decide(&self, framing: Framing) {
        self.0.get_or_init(|| framing);
    }

    /// What answers are written in; lines as long as nobody knows.
    pub(crate) fn get(&self) -> Framing {
        self.0.get().copied().unwrap_or(Framing::Lines)
    }
}

impl Output {
    /// Puts one message into the queue, waiting for room. After the end or without a reader the
    /// message is dropped.
    pub(crate) async fn send(&self, message: impl Into<Outgoing>) {
        let message = message.into();
        let room = self.room.take(message.len()).await;
        if self.queue.send(Item::Message(message, room)).await.is_err() {
            tracing::debug!("a message came after the output was closed");
        }
    }

    /// How many pieces were written; it stands still when nobody reads.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Waits until nothing was written for `patience` although something waits to be.
    pub(crate) async fn stalled(&self, patience: Duration) {
        loop {
            let before = self.written();
            tokio::time::sleep(patience).await;
            let waits = self.queue.capacity() < self.queue.max_capacity();
            if waits && self.written() == before {
                return;
            }
        }
    }

    /// Waits until the reader of the output is gone.
    pub(crate) async fn dead(&self) {
        let mut state = self.state.clone();
        let dead = state
            .wait_for(|state| *state == OutputState::Dead)
            .await
            .is_ok();
        if !dead {
            std::future::pending::<()>().await;
        }
    }

    /// Writes what is queued and ends the thread. Gives up when the reader takes nothing for
    /// `patience`.
    pub(crate) async fn finish(&self, patience: Duration) -> OutputState {
        let ending = async {
            // A full queue waits here, and the loop below watches it.
            if self.queue.send(Item::End).await.is_err() {
                return *self.state.borrow();
            }
            let mut state = self.state.clone();
            match state
                .wait_for(|state| *state == OutputState::Finished)
                .await
            {
                Ok(state) => *state,
                Err(_) => OutputState::Dead,
            }
        };
        tokio::pin!(ending);
        loop {
            let before = self.written();
            match tokio::time::timeout(patience, &mut ending).await {
                Ok(state) => return state,
                Err(_) if self.written() == before => {
                    tracing::warn!("nobody reads the output; what is left of it is dropped");
                    return OutputState::Dead;
                }
                Err(_) => {}
            }
        }
    }
}

/// Starts the thread.
pub(crate) fn start(
    output: impl Write + Send + 'static,
    framing: FramingCell,
) -> io::Result<Output> {
    let (queue, items) = mpsc::channel(QUEUED_MESSAGES);
    let (state_sender, state) = watch::channel(OutputState::Open);
    let written = Arc::new(AtomicU64::new(0));
    let pump = Pump {
        items,
        framing,
        state: state_sender,
        written: Arc::clone(&written),
    };
    thread::Builder::new()
        .name("output".to_owned())
        .spawn(move || pump.run(output))?;
    Ok(Output {
        queue,
        room: Room::of_bytes(QUEUED_BYTES),
        state,
        written,
    })
}

struct Pump {
    items: mpsc::Receiver<Item>,
    framing: FramingCell,
    state: watch::Sender<OutputState>,
    written: Arc<AtomicU64>,
}

impl Pump {
    fn run(mut self, mut output: impl Write) {
        let mut dead = false;
        while let Some(Item::Message(message, room)) = self.items.blocking_recv() {
            if !dead && let Err(error) = self.write(&mut output, message) {
                dead = true;
                tracing::debug!(%error, "the output cannot be written any more");
                self.state.send_replace(OutputState::Dead);
            }
            drop(room);
        }
        if !dead {
            self.state.send_replace(OutputState::Finished);
        }
    }

    fn write(&self, output: &mut impl Write, message: Outgoing) -> io::Result<()> {
        let Outgoing { head, body } = framed(self.framing.get(), message);
        for chunk in head.chunks(CHUNK).chain(body.chunks(CHUNK)) {
            output.write_all(chunk)?;
            self.written.fetch_add(1, Ordering::Relaxed);
        }
        output.flush()
    }
}

/// The message as it goes out. A line break inside JSON stands only between tokens, so in a line it
/// can be a blank instead.
fn framed(framing: Framing, mut message: Outgoing) -> Outgoing {
    match framing {
        Framing::Lines => {
            // What we serialise has none; only what was taken from a file as it stood may.
            let mut looked = 0;
            while let Some(found) = memchr2(b'\n', b'\r', &message.body[looked..]) {
                looked += found;
                message.body[looked] = b' ';
            }
            message.body.push(b'\n');
        }
        Framing::Headers => {
            let mut head = format!("Content-Length: {}\r\n\r\n", message.len()).into_bytes();
            head.append(&mut message.head);
            if message.body.len() < CHUNK {
                head.append(&mut message.body);
            }
            message.head = head;
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc;
    use std::time::Duration;

    use pretty_assertions::assert_eq;

    use super::{FramingCell, Outgoing, OutputState, QUEUED_BYTES, framed, start};
    use crate::transport::framing::Framing;

    /// Blocks in each write until the test lets it go; an error once the test is gone.
    struct Gate(mpsc::Receiver<()>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn framing_of_answers() {
        let message = b"{\"a\":\n1}".to_vec();
        let check = |framing, expected: &[u8]| {
            let mut bytes = Vec::new();
            framed(framing, message.clone().into()).append_to(&mut bytes);
            assert_eq!(bytes, expected);
            let in_two = Outgoing {
                head: message[..4].to_vec(),
                body: message[4..].to_vec(),
            };
            bytes.clear();
            framed(framing, in_two).append_to(&mut bytes);
            assert_eq!(bytes, expected);
        };
        check(Framing::Lines, b"{\"a\": 1}\n");
        check(Framing::Headers, b"Content-Length: 8\r\n\r\n{\"a\":\n1}");
    }

    #[tokio::test]
    async fn a_reader_that_stalls_stops_the_senders() {
        let (gate, gated) = mpsc::channel();
        let output = start(Gate(gated), FramingCell::default()).unwrap();
        // The first fills all the room there is, so the second has to wait.
        output.send(vec![b'x'; QUEUED_BYTES]).await;
        let second = tokio::spawn({
            let output = output.clone();
            async move { output.send(b"{}".to_vec()).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(gate);
        second.await.unwrap();
        output.dead().await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_output_is_stalled_only_while_something_waits() {
        let (gate, gated) = mpsc::channel();
        let output = start(Gate(gated), FramingCell::default()).unwrap();
        let patience = Duration::from_secs(30);
        let stalls = || tokio::time::timeout(10 * patience, output.stalled(patience));
        assert!(stalls().await.is_err());
        // The first may be in the hands of the thread already.
        output.send(b"{}".to_vec()).await;
        output.send(b"{}".to_vec()).await;
        assert!(stalls().await.is_ok());
        drop(gate);
    }

    #[tokio::test]
    async fn finishing_gives_up_on_a_reader_that_takes_nothing() {
        let (gate, gated) = mpsc::channel();
        let output = start(Gate(gated), FramingCell::default()).unwrap();
        output.send(b"{}".to_vec()).await;
        let patience = Duration::from_millis(20);
        assert_eq!(output.finish(patience).await, OutputState::Dead);
        gate.send(()).unwrap();
    }

    #[tokio::test]
    async fn finishing_writes_everything() {
        let (gate, gated) = mpsc::channel();
        let output = start(Gate(gated), FramingCell::default()).unwrap();
        for _ in 0..10 {
            output.send(b"{}".to_vec()).await;
            gate.send(()).unwrap();
        }
        let patience = Duration::from_secs(10);
        assert_eq!(output.finish(patience).await, OutputState::Finished);
    }
}
