//! Work that changes something, for a client that does not wait for ever: each part of it is given up
//! when the time is over, unless it is past its point of no return by then.

use std::pin::pin;

use crate::Error;
use crate::call::Call;
use crate::remote_error::RemoteError;

/// Does one part, whose flag is that of the call. The error of a part that was given up says so.
pub(crate) async fn in_time<T>(
    part: &Call,
    action: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = part.out_of_time() => {}
    }
    part.cancel.cancel();
    match work.await {
        Err(Error::Cancelled(_)) => Err(late(action)),
        done => done,
    }
}

/// Something was not done for want of time.
pub(crate) fn late(action: &'static str) -> Error {
    RemoteError::NoState {
        action,
        reason: "it takes longer than the client waits".to_owned(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::in_time;
    use crate::Error;
    use crate::call::{Call, Cancelled};

    fn part(end: Option<Instant>) -> Call {
        let whole = Call::detached();
        let whole = end.map_or(whole.clone(), |end| whole.until(end));
        whole.part()
    }

    /// Waits until it is given up.
    async fn endless(part: &Call) -> Result<(), Error> {
        part.cancel.cancelled().await;
        Err(Error::Cancelled(Cancelled))
    }

    #[tokio::test]
    async fn what_is_late_is_given_up() {
        let part = part(Some(Instant::now() + Duration::from_millis(1)));
        let error = in_time(&part, "x", endless(&part)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "x: it takes longer than the client waits"
        );
    }

    #[tokio::test]
    async fn what_is_sealed_is_finished() {
        let part = part(Some(Instant::now()));
        let work = async {
            part.cancel.seal()?;
            tokio::task::yield_now().await;
            Ok(part.cancel.is_cancelled())
        };
        assert!(!in_time(&part, "x", work).await.unwrap());
    }

    #[tokio::test]
    async fn without_an_end_only_the_client_gives_up() {
        let part = part(None);
        part.cancel.cancel();
        let given_up = in_time(&part, "x", endless(&part)).await;
        assert!(matches!(given_up, Err(Error::Cancelled(_))));
    }
}
