//! Why a call or a start failed, with what a frontend decides by.

use std::sync::Arc;

use plugd_protocol::{ErrorData, ErrorKind};

use crate::process::Ending;

/// Why a call or a start failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program could not be started.
    #[error("could not start `{program}`")]
    Start {
        /// The program as it was named.
        program: String,
        /// What the system said.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The daemon answered with an error.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// The daemon ended, or its pipe broke, before the answer came.
    #[error("the daemon ended{}", .0.as_ref().map(ToString::to_string).unwrap_or_default())]
    Ended(Option<Ending>),
    /// The daemon speaks a newer protocol than this client.
    #[error("the daemon speaks version {theirs} of the protocol, and this client {ours}")]
    Version {
        /// The version of this client.
        ours: u32,
        /// The version of the daemon.
        theirs: u32,
    },
    /// The params or the answer of a call do not have the form that the types say.
    #[error("a message of `{method}` does not have its form")]
    Form {
        /// The method that was called.
        method: &'static str,
        /// What is wrong with it.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// No answer came in the time that [`Launch::answer_within`](crate::Launch::answer_within)
    /// allows.
    #[error("no answer to `{method}` in time")]
    TimedOut {
        /// The method that was called.
        method: &'static str,
    },
}

/// An error that the daemon answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The number that JSON-RPC asks for.
    pub code: i32,
    /// A text for people.
    pub message: String,
    /// What a program decides by; none when it is of a kind that this client does not know.
    pub data: Option<ErrorData>,
}

impl Error {
    /// The refusal, when it was one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Start { .. }
            | Self::Ended(_)
            | Self::Version { .. }
            | Self::Form { .. }
            | Self::TimedOut { .. } => None,
        }
    }

    /// The number of the refusal.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.refusal().map(|refusal| refusal.code)
    }

    /// What went wrong, as one stable word.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        self.data().map(|data| data.kind)
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.data()?.hint.as_deref()
    }

    /// Whether the same call may succeed later without a change.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.data().is_some_and(|data| data.retryable == Some(true))
    }

    fn data(&self) -> Option<&ErrorData> {
        self.refusal()?.data.as_ref()
    }
}
