//! Notifications to the client, as far as it wants them.

use std::sync::{Arc, OnceLock};

use crate::envelope;
use crate::handshake::Client;
use crate::reply::Note;
use crate::transport::writer::Output;

/// Sends notifications. Clones send to the same client.
#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    output: Output,
    client: Arc<OnceLock<Client>>,
}

impl Notifier {
    /// A notifier for a client that is not known yet.
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            client: Arc::default(),
        }
    }

    /// The client, once `initialize` has succeeded.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Remembers the client; only the first one counts.
    pub(crate) fn know(&self, client: Client) {
        self.client.get_or_init(|| client);
    }

    /// Sends a notification, waiting for room, unless the client does not want it. Before
    /// `initialize` there is nobody to be told.
    pub(crate) async fn send(&self, note: Note) {
        if self
            .client()
            .is_some_and(|client| client.accepts(note.method))
        {
            let message = envelope::notification(note.method, &note.params);
            self.output.send(message).await;
        }
    }
}
