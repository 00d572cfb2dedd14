//! Telling the service of a change that it then makes.
//!
//! Invariants:
//! - From the first byte on nobody here knows whether the service has made the change, so the request
//!   is sealed before that.
//! - A cancel does not wait for a service that is silent. It gets a short time to answer; then the
//!   request ends with an error that says that the change may have been made there.

use std::time::Duration;

use plugd_catalog::CatalogError;

use crate::Error;
use crate::call::Call;
use crate::remote_error::RemoteError;

/// How long a silent service has once nobody wants the request any more. A cancelled request is
/// answered within a second, and the clean-up behind this takes its part of it.
const LAST_WORD: Duration = Duration::from_millis(500);

/// Seals the request and tells the service. The inner result is what the service answered.
///
/// # Errors
/// The request was cancelled: before the service heard anything, or while it was silent.
pub(crate) async fn tell<T>(
    call: &Call,
    action: &'static str,
    telling: impl Future<Output = Result<T, CatalogError>>,
) -> Result<Result<T, CatalogError>, Error> {
    call.cancel.seal()?;
    match if_heard(call, telling).await {
        Some(answer) => Ok(answer),
        None => Err(RemoteError::InDoubt { action }.into()),
    }
}

/// What the service answers, unless it is silent and nobody wants the request any more.
pub(crate) async fn if_heard<T>(
    call: &Call,
    telling: impl Future<Output = Result<T, CatalogError>>,
) -> Option<Result<T, CatalogError>> {
    let given_up = async {
        call.cancel.wished().await;
        tokio::time::sleep(LAST_WORD).await;
    };
    tokio::select! {
        // An answer that is here counts.
        biased;
        answer = telling => Some(answer),
        () = given_up => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use plugd_catalog::CatalogError;
    use tokio::time::{Instant, sleep};

    use super::{if_heard, tell};
    use crate::call::Call;

    /// An answer that comes after a time.
    async fn answer_in(time: Duration) -> Result<u8, CatalogError> {
        sleep(time).await;
        Ok(1)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_service_gets_a_last_word_and_no_more() {
        let call = Call::detached();
        let begun = Instant::now();
        let later = async {
            sleep(Duration::from_secs(1)).await;
            // Too late to be undone.
            assert!(!call.cancel.cancel());
        };
        let silent = tell(&call, "try it", pending::<Result<u8, _>>());
        let (told, ()) = tokio::join!(silent, later);
        assert!(told.is_err_and(|error| error.is_in_doubt()));
        assert_eq!(begun.elapsed(), Duration::from_millis(1500));

        let heard = tell(&call, "try it", answer_in(Duration::from_millis(400))).await;
        assert!(matches!(heard, Ok(Ok(1))));
        assert!(if_heard(&call, pending::<Result<u8, _>>()).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_service_is_waited_for_while_somebody_wants_it() {
        let call = Call::detached();
        let heard = tell(&call, "try it", answer_in(Duration::from_secs(29))).await;
        assert!(matches!(heard, Ok(Ok(1))));
        assert!(call.cancel.is_sealed());
    }

    #[tokio::test]
    async fn a_service_hears_nothing_of_what_was_cancelled_before() {
        let call = Call::detached();
        call.cancel.cancel();
        let mut heard = false;
        let told = tell(&call, "try it", async {
            heard = true;
            Ok(())
        });
        assert!(told.await.is_err_and(|error| !error.is_in_doubt()));
        assert!(!heard);
    }
}
