//! Where a download and the section that unpacks it meet.

use std::fmt;
use std::io::{self, Read};

use plugd_http::Bytes;
use tokio::sync::mpsc;

/// How many chunks wait between the download and the section that unpacks.
const QUEUE: usize = 16;

/// The reading end of a download, for a thread that may block.
///
/// An empty chunk says that everything has come. Without it the end of the channel is an error, so
/// that a download that was broken off or cancelled is never taken for a whole one.
///
/// The archive may also be a file that is there; then its end is the end.
pub struct Chunks {
    source: Source,
    current: Bytes,
    state: State,
}

enum Source {
    Channel(mpsc::Receiver<Bytes>),
    File(Box<dyn Read + Send>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Coming,
    Whole,
    BrokenOff,
}

impl Chunks {
    /// A channel of a size that keeps both ends busy: the end that a download writes to, and the end
    /// that [`crate::unpack()`] reads.
    #[must_use]
    pub fn channel() -> (mpsc::Sender<Bytes>, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (sender, Self::new(receiver))
    }

    /// The reading end of a channel of the caller's.
    #[must_use]
    pub fn new(receiver: mpsc::Receiver<Bytes>) -> Self {
        Self::of(Source::Channel(receiver))
    }

    /// The bytes of a file that is there.
    #[must_use]
    pub fn of_file(file: Box<dyn Read + Send>) -> Self {
        Self::of(Source::File(file))
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            current: Bytes::new(),
            state: State::Coming,
        }
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &self.state;
        f.debug_struct("Chunks")
            .field("state", state)
            .finish_non_exhaustive()
    }
}

impl Read for Chunks {
    /// Waits for the next chunk. It must not be called on a thread that drives async work.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let receiver = match &mut self.source {
            Source::File(file) => return file.read(buffer),
            Source::Channel(receiver) => receiver,
        };
        if self.current.is_empty() && self.state == State::Coming {
            match receiver.blocking_recv() {
                Some(chunk) if chunk.is_empty() => self.state = State::Whole,
                Some(chunk) => self.current = chunk,
                None => self.state = State::BrokenOff,
            }
        }
        if self.state == State::BrokenOff {
            let reason = "the download was broken off";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
        }
        let length = self.current.len().min(buffer.len());
        let piece = self.current.split_to(length);
        buffer[..length].copy_from_slice(&piece);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use plugd_http::Bytes;
    use pretty_assertions::assert_eq;

    use super::Chunks;

    #[test]
    fn the_end_must_be_said() {
        let (sender, mut chunks) = Chunks::channel();
        sender.try_send(Bytes::from_static(b"one")).unwrap();
        sender.try_send(Bytes::from_static(b"two")).unwrap();
        let mut buffer = [0; 2];
        chunks.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"on");
        sender.try_send(Bytes::new()).unwrap();
        let mut rest = Vec::new();
        chunks.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"etwo");
        drop(sender);
        assert_eq!(chunks.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn a_channel_that_closes_is_no_end() {
        let (sender, mut chunks) = Chunks::channel();
        sender.try_send(Bytes::from_static(b"one")).unwrap();
        drop(sender);
        let mut whole = Vec::new();
        let error = chunks.read_to_end(&mut whole).unwrap_err();
        assert_eq!(whole, b"one");
        assert_eq!(error.to_string(), "the download was broken off");
        assert!(chunks.read(&mut [0]).is_err());
    }

    #[test]
    fn a_file_ends_where_it_ends() {
        let mut chunks = Chunks::of_file(Box::new(&b"one"[..]));
        let mut whole = Vec::new();
        chunks.read_to_end(&mut whole).unwrap();
        assert_eq!(whole, b"one");
    }

    #[test]
    fn nobody_reads_any_more() {
        let (sender, chunks) = Chunks::channel();
        drop(chunks);
        assert!(sender.try_send(Bytes::new()).is_err());
    }
}
