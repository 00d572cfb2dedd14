//! The one error that goes to a client.
//!
//! It is made from what a use case says, in `error_map`, and from nothing else. What belongs in the
//! log and not to a client travels beside it and is never serialised.

use std::error::Error;

use plugd_model::error_chain;
use plugd_protocol::{ErrorData, ErrorKind};

use crate::error_map;

/// An error as a client sees it, and what the log says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct WireError {
    /// The number; it follows from the kind.
    pub code: i32,
    /// A text for people.
    pub message: String,
    /// What a program can act on.
    pub data: Box<ErrorData>,
    /// The whole story, for the log only.
    pub detail: Option<String>,
}

impl WireError {
    /// An error that says nothing but its kind and a text.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::with_data(message, ErrorData::new(kind))
    }

    /// An error with what a program can act on.
    pub fn with_data(message: impl Into<String>, data: ErrorData) -> Self {
        Self {
            code: error_map::code(data.kind),
            message: message.into(),
            data: Box::new(data),
            detail: None,
        }
    }

    /// A member of the params has a value that cannot be meant.
    pub fn invalid_params(field: &str, reason: impl AsRef<str>) -> Self {
        error_map::invalid_params(reason.as_ref(), Some(field.to_owned()))
    }

    /// The same error, with a text for the log.
    #[must_use]
    pub fn logged(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same error, with another error and all that it was caused by, for the log.
    #[must_use]
    pub fn caused_by(self, error: &dyn Error) -> Self {
        self.logged(error_chain(error))
    }

    /// Writes the one line that a failed request leaves in the log. Text from outside is escaped,
    /// so that no plugin can forge lines of a log or move a terminal's cursor.
    pub(crate) fn log(&self, id: &str, method: &str) {
        let detail = self.detail.as_deref().unwrap_or(&self.message);
        let (id, method) = (id.escape_debug(), method.escape_debug());
        let (code, detail) = (self.code, detail.escape_debug());
        if self.data.kind == ErrorKind::Internal {
            tracing::error!(%id, %method, code, "request failed: {detail}");
        } else {
            tracing::info!(%id, %method, code, "request failed: {detail}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use pretty_assertions::assert_eq;

    use plugd_protocol::ErrorKind;

    use super::WireError;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the catalog")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_chain_is_for_the_log() {
        let outer = Outer(io::Error::other("disk on fire"));
        let error = WireError::new(ErrorKind::Internal, "internal error").caused_by(&outer);
        assert_eq!(error.message, "internal error");
        assert_eq!(
            error.detail.as_deref(),
            Some("cannot read the catalog: disk on fire")
        );
        assert_eq!(error.code, -32603);
    }
}
