//! A layer below jsonrpsee's client that tells a caller the id of his request: without it nothing
//! could be cancelled, since jsonrpsee makes ids up and keeps them.

use std::sync::{Arc, OnceLock};

use jsonrpsee::core::middleware::{Batch, Notification, Request, RpcServiceT};

tokio::task_local! {
    /// Where the id of the request that this task makes is to be put.
    pub(crate) static WANTED: Arc<OnceLock<String>>;
}

/// The layer.
#[derive(Debug, Clone)]
pub(crate) struct Tap<S>(pub(crate) S);

impl<S: RpcServiceT> RpcServiceT for Tap<S> {
    type MethodResponse = S::MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = S::BatchResponse;

    fn call<'a>(
        &self,
        request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        if let Ok(id) = serde_json::to_string(&request.id) {
            // Outside a call nobody wants to know, and the first id is the one of the call.
            let _ = WANTED.try_with(|wanted| wanted.set(id));
        }
        self.0.call(request)
    }

    fn batch<'a>(
        &self,
        requests: Batch<'a>,
    ) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        self.0.batch(requests)
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        self.0.notification(notification)
    }
}
