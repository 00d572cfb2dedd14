//! What a request sends: nothing, bytes, or chunks that are still being made.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::activity::Activity;

/// How many chunks wait between who makes them and the connection.
const QUEUE: usize = 4;

/// The body of a request.
#[derive(Debug, Default)]
pub struct Body(Content);

/// Makes the chunks of a body. Dropping it without [`BodyWriter::finish`] breaks the request off,
/// so that a body half made is never taken for a whole one.
#[derive(Debug)]
pub struct BodyWriter(mpsc::Sender<Chunk>);

#[derive(Debug, Default)]
enum Content {
    #[default]
    Empty,
    Whole(Bytes),
    Chunks(mpsc::Receiver<Chunk>),
}

#[derive(Debug)]
enum Chunk {
    Bytes(Bytes),
    End,
}

/// A body on its way, telling its connection when the server has to wait for it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    content: Content,
    activity: Arc<Activity>,
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body that is there as a whole; its length is announced.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Content::Whole(bytes.into()))
    }

    /// A body in chunks and the end that makes them. The writer waits when the network is slower.
    #[must_use]
    pub fn chunks() -> (BodyWriter, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (BodyWriter(sender), Self(Content::Chunks(receiver)))
    }

    /// The same body once more; `None` where it is gone once it is sent.
    pub(crate) fn again(&self) -> Option<Self> {
        match &self.0 {
            Content::Empty => Some(Self(Content::Empty)),
            Content::Whole(bytes) => Some(Self(Content::Whole(bytes.clone()))),
            Content::Chunks(_) => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match &self.0 {
            Content::Empty => true,
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Chunks(_) => false,
        }
    }

    pub(crate) fn outgoing(self, activity: Arc<Activity>) -> Outgoing {
        Outgoing {
            content: self.0,
            activity,
        }
    }
}

impl BodyWriter {
    /// Hands on a chunk; waits while the queue is full. Answers whether anybody still takes chunks:
    /// a server may answer before it has read everything, and then the rest does not matter.
    pub async fn write(&self, bytes: impl Into<Bytes>) -> bool {
        self.0.send(Chunk::Bytes(bytes.into())).await.is_ok()
    }

    /// Says that the body is complete.
    pub async fn finish(self) -> bool {
        self.0.send(Chunk::End).await.is_ok()
    }

    /// As [`BodyWriter::write`], for a thread that may block, such as one that reads a file.
    pub fn write_blocking(&self, bytes: impl Into<Bytes>) -> bool {
        self.0.blocking_send(Chunk::Bytes(bytes.into())).is_ok()
    }

    /// As [`BodyWriter::finish`], for a thread that may block.
    pub fn finish_blocking(self) -> bool {
        self.0.blocking_send(Chunk::End).is_ok()
    }
}

impl Outgoing {
    /// The body that was never sent.
    pub(crate) fn unsent(self) -> Body {
        Body(self.content)
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let chunks = match &mut this.content {
            Content::Empty => return Poll::Ready(None),
            Content::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                this.content = Content::Empty;
                return Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))));
            }
            Content::Chunks(chunks) => chunks,
        };
        let polled = chunks.poll_recv(context);
        this.activity.set_server_waits(polled.is_pending());
        match ready!(polled) {
            Some(Chunk::Bytes(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Some(Chunk::End) => {
                this.content = Content::Empty;
                Poll::Ready(None)
            }
            None => {
                let reason = "the body of the request was given up half-way";
                Poll::Ready(Some(Err(io::Error::other(reason))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Chunks(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Whole(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Content::Chunks(_) => SizeHint::default(),
        }
    }
}
