//! The one place that starts blocking work.
//!
//! A use case runs its file work as one section per phase, not per file. The number of sections at a
//! time is bounded, so that a flood of requests cannot start a thousand threads; a section that
//! waits for its turn holds nothing.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::Error;

/// Runs blocking sections, a bounded number at a time. Clones share the bound.
#[derive(Debug, Clone)]
pub struct Blocking {
    turns: Arc<Semaphore>,
}

impl Blocking {
    /// Allows this many sections at a time.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Runs one section and waits for its end. Dropping the future does not stop a section that has
    /// begun: what it does to the disk is complete or undone by itself.
    ///
    /// # Errors
    /// The section's own error, or [`Error::Panicked`] when it panicked.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that starts blocking work"
    )]
    pub async fn run<T, F>(&self, section: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let work = tokio::task::spawn_blocking(move || {
            // The semaphore is never closed; without a turn the section would still be correct.
            let _turn = turn;
            section()
        });
        match work.await {
            Ok(result) => result,
            Err(error) => Err(Error::Panicked {
                text: panic_text(error),
            }),
        }
    }
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
    use super::Blocking;
    use crate::Error;

    #[tokio::test]
    async fn a_panic_becomes_an_error_and_the_turn_comes_back() {
        let blocking = Blocking::new(1);
        let panicked = blocking
            .run::<(), _>(|| panic!("number {}", 7))
            .await
            .unwrap_err();
        assert!(matches!(panicked, Error::Panicked { text } if text == "number 7"));
        assert_eq!(blocking.run(|| Ok(5)).await.unwrap(), 5);
    }
}
