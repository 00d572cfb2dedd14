//! The threads at both ends of a daemon: neither a full pipe nor an empty one ever blocks the test.

use std::io::{self, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::launch::Launch;

/// Bytes for stdin, and where to tell that they are written.
pub(crate) struct Job {
    pub(crate) bytes: Vec<u8>,
    pub(crate) done: Sender<io::Result<()>>,
}

/// What the reading thread found.
pub(crate) enum Incoming {
    /// A message without its framing.
    Body(String),
    /// Something that is no message; nothing is read behind it.
    Broken(io::Error),
}

/// Writes until the sender is dropped, and then closes stdin.
pub(crate) fn start_writing(mut stdin: ChildStdin) -> Sender<Job> {
    let (sender, jobs) = mpsc::channel::<Job>();
    thread::spawn(move || {
        for job in jobs {
            let written = stdin.write_all(&job.bytes).and_then(|()| stdin.flush());
            let broken = written.is_err();
            // The test need not wait for it.
            let _ = job.done.send(written);
            if broken {
                return;
            }
        }
    });
    sender
}

/// Reads until the end, or until it is time to hang up; then the channel closes.
pub(crate) fn start_reading(launch: &Launch, stdout: ChildStdout) -> Receiver<Incoming> {
    let framing = launch.framing;
    let limit = launch.hangs_up_after.unwrap_or(usize::MAX);
    let (deliver, incoming) = channel(launch.reads_when_asked);
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        for _ in 0..limit {
            let going_on = match framing.read(&mut stdout) {
                Ok(Some(body)) => deliver(Incoming::Body(body)),
                Ok(None) => false,
                Err(error) => {
                    deliver(Incoming::Broken(error));
                    false
                }
            };
            if !going_on {
                return;
            }
        }
    });
    incoming
}

/// A channel that takes everything at once, or one message whenever somebody waits for it. The
/// sender tells whether anybody still listens.
fn channel(only_when_asked: bool) -> (Box<dyn Fn(Incoming) -> bool + Send>, Receiver<Incoming>) {
    if only_when_asked {
        let (sender, receiver) = mpsc::sync_channel(0);
        (
            Box::new(move |message| sender.send(message).is_ok()),
            receiver,
        )
    } else {
        let (sender, receiver) = mpsc::channel();
        (
            Box::new(move |message| sender.send(message).is_ok()),
            receiver,
        )
    }
}
