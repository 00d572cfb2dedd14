//! A call that tells of its progress and can be cancelled.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use jsonrpsee::core::client::ClientT;
use plugd_protocol::notifications::CancelById;
use plugd_protocol::{CancelByIdParams, Method, WorkDoneProgress};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use crate::client::{Client, json as params_of};
use crate::error::Error;
use crate::tap::WANTED;

/// A call on its way. It runs whether it is looked at or not; dropping it cancels it.
#[derive(Debug)]
pub struct Call<M: Method> {
    steps: mpsc::Receiver<WorkDoneProgress>,
    answer: oneshot::Receiver<Result<M::Result, Error>>,
    cancel: Canceller,
    method: PhantomData<fn() -> M>,
}

/// Takes a call back. Clones are for other tasks than the one that waits.
#[derive(Debug, Clone)]
pub struct Canceller(watch::Sender<bool>);

impl Canceller {
    /// Asks the daemon to give up. The call is still answered: with a refusal of the kind
    /// `cancelled`, or with its result when it was done already.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl<M: Method> Call<M> {
    /// The next step; none when the call is over.
    pub async fn progress(&mut self) -> Option<WorkDoneProgress> {
        self.steps.recv().await
    }

    /// The outcome. Steps that were not read are dropped.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    pub async fn answer(mut self) -> Result<M::Result, Error> {
        let answer = (&mut self.answer).await;
        // The task that answers ends early only with the runtime.
        answer.unwrap_or(Err(Error::Ended(None)))
    }

    /// What takes this call back.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.cancel.clone()
    }

    /// Asks the daemon to give up, as [`Canceller::cancel`].
    pub fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl<M: Method> Drop for Call<M> {
    fn drop(&mut self) {
        // After the answer nobody listens, and this does nothing.
        self.cancel.cancel();
    }
}

/// Starts a call whose progress has this token.
pub(crate) fn start<M: Method>(
    client: &Client,
    token: String,
    params: M::Params,
) -> Result<Call<M>, Error> {
    let form = |source| Error::Form {
        method: M::NAME,
        source: Arc::new(source),
    };
    let mut value = serde_json::to_value(&params).map_err(form)?;
    if let Value::Object(members) = &mut value {
        members.insert("workDoneToken".to_owned(), json!(token));
    }
    let params = params_of(M::NAME, &value)?;
    let token = json!(token).to_string();
    let steps = client.tokens().listen(token.clone());
    let (answered, answer) = oneshot::channel();
    let (cancel, mut wanted) = watch::channel(false);
    let client = client.clone();
    tokio::spawn(async move {
        let id = Arc::new(OnceLock::new());
        let request = client.rpc().request(M::NAME, params);
        let request = WANTED.scope(Arc::clone(&id), request);
        tokio::pin!(request);
        let raw = tokio::select! {
            // The request goes first, so its id is known when there is something to cancel.
            biased;
            raw = &mut request => raw,
            true = wish(&mut wanted) => {
                if let Some(id) = id.get() {
                    take_back(&client, id).await;
                }
                request.await
            }
        };
        let outcome = client.conclude(M::NAME, raw).await;
        client.forget(token);
        // A caller who is gone does not want to know.
        let _ = answered.send(outcome);
    });
    Ok(Call {
        steps,
        answer,
        cancel: Canceller(cancel),
        method: PhantomData,
    })
}

/// Waits until the call is no longer wanted; false when nobody can say so any more.
async fn wish(wanted: &mut watch::Receiver<bool>) -> bool {
    wanted.wait_for(|wanted| *wanted).await.is_ok()
}

async fn take_back(client: &Client, id: &str) {
    if let Ok(id) = serde_json::from_str(id) {
        // When the daemon has ended, the request says so.
        let _ = client.notify::<CancelById>(CancelByIdParams { id }).await;
    }
}
