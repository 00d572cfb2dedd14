//! jsonrpsee's two halves of a transport over the pipes of a child: one JSON text per line.
//!
//! A task of its own writes, so that stdin can be closed while answers are still read: that is how
//! the daemon is told to finish what it owes and end.

use std::io;
use std::sync::{Arc, OnceLock};

use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT};
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, watch};

/// How many lines may wait for a daemon that does not read.
const WAITING_LINES: usize = 64;

/// Why a message could not pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// Stdin is closed.
    #[error("the pipe to the daemon is closed")]
    Closed,
    /// The daemon closed its stdout: it has ended or is about to.
    #[error("the daemon closed its output")]
    EndOfOutput,
    /// A line is no JSON: something else than the daemon writes to its output.
    #[error("a line of the output is no message")]
    Foreign,
    /// The system refused.
    #[error("could not read from the daemon")]
    Read(#[source] io::Error),
}

/// The half that sends.
pub(crate) struct LineSender(mpsc::Sender<String>);

/// The half that receives.
pub(crate) struct LineReceiver {
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
    foreign: Foreign,
    closing: watch::Sender<bool>,
}

/// The line that was no message, once there was one. A clone looks at the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Foreign(Arc<OnceLock<String>>);

impl Foreign {
    /// How many characters of the line are kept.
    const KEPT: usize = 200;

    pub(crate) fn line(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    fn keep(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        // The first one ends the connection, so there is no second.
        let _ = self.0.set(text.trim().chars().take(Self::KEPT).collect());
    }
}

/// Takes over the child's stdin; it is closed when `closing` becomes true, after the lines that were
/// sent before.
pub(crate) fn sender(stdin: ChildStdin, closing: watch::Receiver<bool>) -> LineSender {
    let (lines, waiting) = mpsc::channel(WAITING_LINES);
    tokio::spawn(write(stdin, waiting, closing));
    LineSender(lines)
}

async fn write(
    mut stdin: ChildStdin,
    mut waiting: mpsc::Receiver<String>,
    mut closing: watch::Receiver<bool>,
) {
    loop {
        let line = tokio::select! {
            biased;
            line = waiting.recv() => line,
            // Also when the other side is gone: nobody is left to send anything.
            () = close(&mut closing) => {
                waiting.close();
                waiting.recv().await
            }
        };
        let Some(mut line) = line else { return };
        line.push('\n');
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// Waits for the wish to close.
async fn close(closing: &mut watch::Receiver<bool>) {
    drop(closing.wait_for(|closing| *closing).await);
}

impl TransportSenderT for LineSender {
    type Error = TransportError;

    async fn send(&mut self, line: String) -> Result<(), TransportError> {
        // JSON text has no raw line break, so the frame is right by itself.
        self.0.send(line).await.map_err(|_| TransportError::Closed)
    }
}

impl LineReceiver {
    /// Reads messages. A line that is none is kept in `foreign`, and `closing` becomes true: a
    /// daemon that nobody hears any more ends.
    pub(crate) fn new(stdout: ChildStdout, foreign: Foreign, closing: watch::Sender<bool>) -> Self {
        Self {
            stdout: BufReader::new(stdout),
            line: Vec::new(),
            foreign,
            closing,
        }
    }
}

impl TransportReceiverT for LineReceiver {
    type Error = TransportError;

    async fn receive(&mut self) -> Result<ReceivedMessage, TransportError> {
        self.line.clear();
        let read = self.stdout.read_until(b'\n', &mut self.line).await;
        match read {
            Ok(0) => Err(TransportError::EndOfOutput),
            Ok(_) if serde_json::from_slice::<&RawValue>(&self.line).is_err() => {
                self.foreign.keep(&self.line);
                self.closing.send_replace(true);
                Err(TransportError::Foreign)
            }
            Ok(_) => Ok(ReceivedMessage::Bytes(std::mem::take(&mut self.line))),
            Err(source) => Err(TransportError::Read(source)),
        }
    }
}
