//! The one place that starts blocking work.
//!
//! A use case runs its file work as one section per phase, not per file. The number of sections at a
//! time is bounded, so that a flood of requests cannot start a thousand threads; a section that
//! waits for its turn holds nothing. Reads, listings, writes and transfers have turns of their own: a write may
//! wait long for another process's lock, a transfer for a slow server and a listing for many others, and
//! none holds up the rest. What runs behind the answers makes room for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;
use crate::answers::Answers;

/// Runs blocking sections, a bounded number at a time. Clones share the bounds.
#[derive(Debug, Clone)]
pub struct Blocking {
    reads: Arc<Semaphore>,
    listings: [Arc<Semaphore>; LISTINGS],
    writes: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
    answers: Answers,
}

/// How many sections run at a time that take what a server sends.
const TRANSFERS: usize = 4;

/// How many sections run at a time at most that go through everything. They seldom wait for the disk, so more
/// would only take the processor from each other and from everybody else.
const LISTINGS: usize = 2;

/// How long one waits for the first turn alone. A few listings of hundreds of plugins are done one after the other
/// by then; one that takes longer may well wait for a disk, which is no reason to keep the others.
const LONG: Duration = Duration::from_millis(20);

type Turn = Option<OwnedSemaphorePermit>;

impl Blocking {
    /// Allows this many reading and this many writing sections at a time.
    #[must_use]
    pub fn new(reads: usize, writes: usize) -> Self {
        Self {
            reads: Arc::new(Semaphore::new(reads)),
            listings: [(); LISTINGS].map(|()| Arc::new(Semaphore::new(1))),
            writes: Arc::new(Semaphore::new(writes)),
            transfers: Arc::new(Semaphore::new(TRANSFERS)),
            answers: Answers::default(),
        }
    }

    /// Runs a section that changes nothing and waits for its end.
    ///
    /// # Errors
    /// The section's own error, or [`Error::Panicked`] when it panicked.
    pub async fn read<T, F>(&self, section: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let _answering = self.answers.begin();
        run(turn(&self.reads).await, section).await
    }

    /// The same for one that nobody waits for: it begins when no answer is worked out, or a moment later.
    ///
    /// # Errors
    /// As [`Blocking::read`].
    pub async fn read_behind<T, F>(&self, section: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let answers = self.answers.clone();
        let behind = move || {
            answers.make_room();
            section()
        };
        run(turn(&self.reads).await, behind).await
    }

    /// Lets those go first who wait for a reading or a listing, for a moment. For a section that nobody waits
    /// for, between two pieces of its work.
    pub(crate) fn make_room(&self) {
        self.answers.make_room();
    }

    /// As [`Blocking::read`] for one that goes through everything there is. It has turns of its own, so that
    /// whoever asks for one plugin does not wait behind those who ask for all.
    ///
    /// # Errors
    /// As [`Blocking::read`].
    pub async fn list<T, F>(&self, section: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let _answering = self.answers.begin();
        run(self.turn_of_listing().await, section).await
    }

    /// Apart from the section, of whose type there are many.
    async fn turn_of_listing(&self) -> Turn {
        let [first, second] = &self.listings;
        let later = async {
            tokio::time::sleep(LONG).await;
            turn(second).await
        };
        tokio::select! {
            biased;
            turn = turn(first) => turn,
            turn = later => turn,
        }
    }

    /// Runs a section that may change something and waits for its end. Dropping the future does not
    /// stop a section that has begun: what it does to the disk is complete or undone by itself.
    ///
    /// # Errors
    /// As [`Blocking::read`].
    pub async fn write<T, F>(&self, section: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        run(turn(&self.writes).await, section).await
    }

    /// Runs a section that takes chunk by chunk what a server sends, and waits for its end.
    ///
    /// # Errors
    /// As [`Blocking::read`].
    pub async fn transfer<T, F>(&self, section: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        run(turn(&self.transfers).await, section).await
    }
}

/// The semaphores are never closed; without a turn a section would still be correct.
async fn turn(turns: &Arc<Semaphore>) -> Turn {
    Arc::clone(turns).acquire_owned().await.ok()
}

async fn run<T, F>(turn: Turn, section: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    let outcome = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&outcome);
    let left = move || {
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(section());
    };
    run_boxed(turn, Box::new(left)).await?;
    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
    outcome.take().unwrap_or_else(|| {
        Err(Error::Panicked {
            text: "the section left no outcome".to_owned(),
        })
    })
}

/// The same of a section that leaves its outcome somewhere. Behind a pointer, because what the runtime
/// makes of a task is made anew for each type of it, and there are more than a hundred.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that starts blocking work"
)]
async fn run_boxed(turn: Turn, section: Box<dyn FnOnce() + Send>) -> Result<(), Error> {
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        section();
    });
    work.await.map_err(|error| Error::Panicked {
        text: panic_text(error),
    })
}

fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => payload
                .downcast::<&'static str>()
                .map_or_else(|_| "unknown panic".to_owned(), |text| (*text).to_owned()),
        },
        Err(_) => "the runtime is ending".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::{Blocking, LISTINGS, LONG};
    use crate::Error;

    #[tokio::test]
    async fn a_panic_becomes_an_error_and_the_turn_comes_back() {
        let blocking = Blocking::new(1, 1);
        let panicked = blocking
            .read::<(), _>(|| panic!("number {}", 7))
            .await
            .unwrap_err();
        assert!(matches!(panicked, Error::Panicked { text } if text == "number 7"));
        assert_eq!(blocking.read(|| Ok(5)).await.unwrap(), 5);
    }

    #[tokio::test]
    async fn no_read_waits_for_a_write() {
        let blocking = Blocking::new(1, 1);
        let (release, held) = mpsc::channel::<()>();
        let writing = tokio::spawn({
            let blocking = blocking.clone();
            async move { blocking.write(move || Ok(held.recv().is_ok())).await }
        });
        assert_eq!(blocking.read(|| Ok(5)).await.unwrap(), 5);
        release.send(()).unwrap();
        assert!(writing.await.unwrap().unwrap());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_lets_answers_go_first() {
        let blocking = Blocking::new(2, 1);
        let (release, held) = mpsc::channel::<()>();
        let answering = tokio::spawn({
            let blocking = blocking.clone();
            async move { blocking.read(move || Ok(held.recv().is_ok())).await }
        });
        tokio::task::yield_now().await;
        // A moment later it begins, also when the answer takes longer, and is no answer itself.
        for _ in 0..2 {
            let began = Instant::now();
            blocking.read_behind(|| Ok(())).await.unwrap();
            assert!(began.elapsed() >= Duration::from_millis(10));
        }
        release.send(()).unwrap();
        assert!(answering.await.unwrap().unwrap());
        let began = Instant::now();
        for _ in 0..1_000 {
            blocking.make_room();
        }
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn no_read_waits_for_listings_and_few_of_those_run_at_a_time() {
        let blocking = Blocking::new(1, 1);
        let (begun, begins) = mpsc::channel();
        let gates: Vec<_> = (0..=LISTINGS).map(|_| mpsc::channel::<()>()).collect();
        let (gates, held): (Vec<_>, Vec<_>) = gates.into_iter().unzip();
        let listings: Vec<_> = held
            .into_iter()
            .map(|held| {
                let (blocking, begun) = (blocking.clone(), begun.clone());
                let section = move || {
                    begun.send(()).unwrap();
                    Ok(held.recv().is_ok())
                };
                tokio::spawn(async move { blocking.list(section).await })
            })
            .collect();
        assert_eq!(blocking.read(|| Ok(5)).await.unwrap(), 5);
        begins.recv().unwrap();
        let none_more = || begins.recv_timeout(Duration::from_millis(50)).is_err();
        tokio::time::advance(LONG / 2).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(none_more());
        // They have waited long.
        tokio::time::advance(LONG).await;
        for _ in 1..LISTINGS {
            while begins.try_recv().is_err() {
                tokio::task::yield_now().await;
            }
        }
        tokio::time::advance(LONG).await;
        assert!(none_more());
        for gate in gates {
            gate.send(()).unwrap();
        }
        for listing in listings {
            assert!(listing.await.unwrap().unwrap());
        }
    }
}
