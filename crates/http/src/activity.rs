//! Whether a connection still lives: when the last byte moved, and who is waiting for whom.
//!
//! Bytes are counted where they leave the socket, below TLS, so that one slow record is a sign of
//! life. The waiting side asks [`Activity::watch`], which ends a wait once nothing has moved for the
//! idle limit, however long the whole takes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use crate::Wait;

/// What is known about one connection. It is shared by the connection's task and the one that waits.
#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    /// Milliseconds from `start` to the last byte in either direction.
    moved: AtomicU64,
    /// The server waits for bytes that our own side has not made yet. It counts only until the head
    /// of the answer is there: a server that has answered waits no more.
    server_waits: AtomicBool,
    /// The last write found no room: it is the server that does not take what we have made.
    is_full: AtomicBool,
    /// How many bytes may still come in before the head of the answer is complete; [`HEAD_DONE`]
    /// when it is.
    head_budget: AtomicU64,
}

/// No head is waited for.
const HEAD_DONE: u64 = u64::MAX;

/// A socket whose bytes are noticed.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    socket: S,
    activity: Arc<Activity>,
}

/// More came in front of the head of an answer than any head has.
#[derive(Debug, thiserror::Error)]
#[error("no end of the headers in sight")]
pub(crate) struct HeadTooLarge;

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            moved: AtomicU64::new(0),
            server_waits: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            head_budget: AtomicU64::new(HEAD_DONE),
        }
    }

    /// A request begins. Interim answers (status 1xx) come in front of the head in any number, so
    /// the budget is what bounds them; the head itself is bounded by the parser.
    pub(crate) fn begin(&self, head_budget: u64) {
        self.head_budget.store(head_budget, Ordering::Relaxed);
        self.server_waits.store(false, Ordering::Relaxed);
    }

    /// The head of the answer is complete.
    pub(crate) fn head_done(&self) {
        self.head_budget.store(HEAD_DONE, Ordering::Relaxed);
    }

    /// Says whether the server waits for our own side, which may take as long as it likes.
    pub(crate) fn set_server_waits(&self, waits: bool) {
        self.server_waits.store(waits, Ordering::Relaxed);
        self.touch();
    }

    /// Waits for the work, until nothing moved for `idle` or the deadline has come.
    pub(crate) async fn watch<T>(
        &self,
        idle: Duration,
        deadline: Option<Instant>,
        work: impl Future<Output = T>,
    ) -> Result<T, Wait> {
        let mut work = std::pin::pin!(work);
        // What moved before does not count: nobody was waiting then.
        let mut since = Instant::now();
        loop {
            let idle_end = later(since.max(self.last()), idle);
            let end = deadline.map_or(idle_end, |deadline| deadline.min(idle_end));
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = sleep_until(end) => {}
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Err(Wait::Deadline);
            }
            if self.waits_for_us() {
                since = now;
            } else if later(since.max(self.last()), idle) <= now {
                return Err(Wait::Idle(idle));
            }
        }
    }

    fn waits_for_us(&self) -> bool {
        self.server_waits.load(Ordering::Relaxed)
            && !self.is_full.load(Ordering::Relaxed)
            && self.head_budget.load(Ordering::Relaxed) != HEAD_DONE
    }

    fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }

    fn touch(&self) {
        let since = self.start.elapsed().as_millis();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        self.moved.store(since, Ordering::Relaxed);
    }

    /// Takes bytes off the budget of the head.
    fn spend(&self, bytes: usize) -> io::Result<()> {
        let left = self.head_budget.load(Ordering::Relaxed);
        if left == HEAD_DONE {
            return Ok(());
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if bytes > left {
            return Err(io::Error::other(HeadTooLarge));
        }
        // When the head was completed in between, there is no budget any more and none to write.
        let _ = self.head_budget.compare_exchange(
            left,
            left - bytes,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        Ok(())
    }
}

/// The moment so much later; for a limit that no clock can hold, one that nobody lives to see.
pub(crate) fn later(start: Instant, after: Duration) -> Instant {
    const AN_AGE: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    start.checked_add(after).unwrap_or(start + AN_AGE)
}

impl<S> Watched<S> {
    pub(crate) fn new(socket: S, activity: Arc<Activity>) -> Self {
        Self { socket, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        if read > 0 {
            self.activity.touch();
            self.activity.spend(read)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        let is_full = polled.is_pending();
        self.activity.is_full.store(is_full, Ordering::Relaxed);
        let written = std::task::ready!(polled)?;
        self.activity.touch();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use pretty_assertions::assert_eq;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::{Instant, sleep};

    use super::{Activity, Watched};
    use crate::Wait;

    const IDLE: Duration = Duration::from_secs(30);

    /// Reads to the end from a peer that sends a byte after each of the pauses, and tells the result
    /// and the seconds that went by.
    async fn read_paced(
        pauses: &'static [u64],
        deadline: Option<Duration>,
    ) -> (Result<usize, Wait>, u64) {
        let start = Instant::now();
        let activity = Arc::new(Activity::new());
        let (near, mut far) = duplex(64);
        let mut near = Watched::new(near, activity.clone());
        tokio::spawn(async move {
            for pause in pauses {
                sleep(Duration::from_secs(*pause)).await;
                if far.write_all(b"x").await.is_err() {
                    return;
                }
            }
        });
        let mut all = Vec::new();
        let deadline = deadline.map(|after| start + after);
        let read = activity
            .watch(IDLE, deadline, near.read_to_end(&mut all))
            .await;
        (read.map(Result::unwrap), start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_move_keep_a_wait_alive() {
        assert_eq!(read_paced(&[], None).await, (Ok(0), 0));
        assert_eq!(read_paced(&[1; 100], None).await, (Ok(100), 100));
        assert_eq!(read_paced(&[29, 29, 29], None).await, (Ok(3), 87));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_stop_end_it() {
        assert_eq!(read_paced(&[31], None).await, (Err(Wait::Idle(IDLE)), 30));
        assert_eq!(
            read_paced(&[20, 40], None).await,
            (Err(Wait::Idle(IDLE)), 50)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_ends_it_although_bytes_move() {
        let deadline = Some(Duration::from_secs(10));
        let ended = read_paced(&[1; 100], deadline).await;
        assert_eq!(ended, (Err(Wait::Deadline), 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_waits_for_us_is_not_idle() {
        let activity = Activity::new();
        activity.begin(1024);
        activity.set_server_waits(true);
        let work = async {
            sleep(IDLE * 5).await;
            activity.set_server_waits(false);
            sleep(IDLE * 5).await;
        };
        let start = Instant::now();
        assert_eq!(
            activity.watch(IDLE, None, work).await,
            Err(Wait::Idle(IDLE))
        );
        assert_eq!(start.elapsed().as_secs(), 180);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_take_what_is_there_waits_for_nothing() {
        let activity = Arc::new(Activity::new());
        let (near, _far) = duplex(64);
        let mut near = Watched::new(near, activity.clone());
        activity.begin(1024);
        let work = async {
            near.write_all(&[0; 64]).await.unwrap();
            activity.set_server_waits(true);
            near.write_all(&[0; 64]).await.unwrap();
        };
        let ended = activity.watch(IDLE, None, work);
        assert_eq!(ended.await, Err(Wait::Idle(IDLE)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_has_answered_waits_no_more() {
        let activity = Activity::new();
        activity.begin(1024);
        activity.set_server_waits(true);
        activity.head_done();
        let ended = activity.watch(IDLE, None, std::future::pending::<()>());
        assert_eq!(ended.await, Err(Wait::Idle(IDLE)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_may_be_endless() {
        let activity = Activity::new();
        let work = sleep(IDLE * 1000);
        assert_eq!(activity.watch(Duration::MAX, None, work).await, Ok(()));
    }

    #[tokio::test]
    async fn a_head_has_a_budget() {
        let activity = Arc::new(Activity::new());
        let (near, mut far) = duplex(64);
        let mut near = Watched::new(near, activity.clone());
        far.write_all(&[0; 24]).await.unwrap();
        activity.begin(16);
        let mut ten = [0; 10];
        near.read_exact(&mut ten).await.unwrap();
        let error = near.read_exact(&mut ten).await.unwrap_err();
        assert_eq!(error.to_string(), "no end of the headers in sight");
        activity.head_done();
        near.read_exact(&mut [0; 4]).await.unwrap();
    }
}
