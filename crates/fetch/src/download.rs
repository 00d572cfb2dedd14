//! What every download does: bring chunks to a section that unpacks them, until the caller gives up.

use plugd_http::{Bytes, HttpError, Part, Response};
use tokio::sync::mpsc;

use crate::{FetchError, Over};

/// Brings the body of an answer, chunk by chunk, and says its end with an empty chunk. `taken` is
/// told of each chunk that was taken, how many bytes have come so far, and how many there will be
/// where the server says so.
pub(crate) async fn pour(
    mut response: Response,
    chunks: mpsc::Sender<Bytes>,
    mut taken: impl FnMut(&Bytes, u64, Option<u64>),
    failed: impl Fn(HttpError) -> FetchError,
) -> Result<u64, FetchError> {
    let expected = response.expected_bytes();
    let mut so_far = 0_u64;
    while let Some(chunk) = response
        .chunk(std::future::pending())
        .await
        .map_err(&failed)?
    {
        // An empty chunk means the end.
        if chunk.is_empty() {
            continue;
        }
        so_far = so_far.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        let sent = chunks.send(chunk.clone()).await;
        sent.map_err(|_| FetchError::NotTaken)?;
        taken(&chunk, so_far, expected);
    }
    let sent = chunks.send(Bytes::new()).await;
    sent.map_err(|_| FetchError::NotTaken)?;
    Ok(so_far)
}

/// The error of an archive that is larger than its limit, or what another failure is.
pub(crate) fn too_large(
    source: HttpError,
    limit: u64,
    otherwise: impl FnOnce(HttpError) -> FetchError,
) -> FetchError {
    match source {
        HttpError::TooLarge {
            part: Part::Body, ..
        } => FetchError::OverLimit {
            over: Over::ArchiveBytes(limit),
            at: None,
        },
        source => otherwise(source),
    }
}

/// The outcome of the work, unless the caller gives up first. Dropping the work ends its connection.
pub(crate) async fn unless<T>(
    cancel: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    tokio::select! {
        biased;
        () = cancel => Err(FetchError::Cancelled),
        outcome = work => outcome,
    }
}
