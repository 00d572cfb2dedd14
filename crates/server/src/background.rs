//! What a connection asks of the work behind it, without knowing what that is.

use std::future::Future;
use std::pin::Pin;

use plugd_plugins::events::Change;

/// The work that no request waits for, as far as the life of a connection concerns it.
pub trait Background: Send + Sync + 'static {
    /// `initialize` was answered; from here on background work may begin.
    fn start(&self);

    /// What a client that has just been let in wants to be ready before its next message is looked
    /// at. It is awaited behind the answer to `initialize`.
    fn begin(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }

    /// What is to be told at this moment: these changes, and what others have changed.
    fn reconciled(
        &self,
        changes: Vec<Change>,
    ) -> Pin<Box<dyn Future<Output = Vec<Change>> + Send>> {
        Box::pin(std::future::ready(changes))
    }

    /// The connection ends: background work ends at its next safe point. The future is ready when
    /// it has.
    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Every request has ended; what was held for the client is let go. The future is ready when it
    /// has been.
    fn let_go(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}
