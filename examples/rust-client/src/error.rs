//! Why a call or a start failed, with what a frontend decides by.

use std::sync::Arc;

use plugd_protocol::{ErrorData, ErrorKind};
use serde_json::Value;
use serde_json::value::RawValue;

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
    /// The program wrote something else than messages, so it is no daemon, or something stands in
    /// between. The conversation is over.
    #[error("`{line}` is no message: something else than the daemon writes to its output")]
    Foreign {
        /// The beginning of the line.
        line: String,
    },
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
    /// No answer came in the time that [`Launch::answer_within`](crate::Launch::answer_within), or
    /// [`Launch::handshake_within`](crate::Launch::handshake_within), allows.
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
    /// What went wrong, as one stable word. New ones may come.
    pub kind: Option<String>,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// Whether the same call may succeed later without a change.
    pub retryable: bool,
    /// All of the above and what it concerns; none when this client does not know the kind.
    pub data: Option<ErrorData>,
}

impl Refusal {
    /// A refusal as it was written. What a program and a person decide by is taken one by one, so
    /// that a word of a newer daemon hides nothing else.
    pub(crate) fn new(code: i32, message: &str, data: Option<&RawValue>) -> Self {
        let members: Value = data
            .and_then(|data| serde_json::from_str(data.get()).ok())
            .unwrap_or_default();
        let text = |member: &str| members[member].as_str().map(str::to_owned);
        Self {
            code,
            message: message.to_owned(),
            kind: text("kind"),
            hint: text("hint"),
            retryable: members["retryable"] == true,
            data: serde_json::from_value(members).ok(),
        }
    }
}

impl Error {
    /// The refusal, when it was one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Start { .. }
            | Self::Ended(_)
            | Self::Foreign { .. }
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

    /// What went wrong; none for a kind that this client does not know, whose word is in
    /// [`Refusal::kind`].
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        self.refusal()?.data.as_ref().map(|data| data.kind)
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.refusal()?.hint.as_deref()
    }

    /// Whether the same call may succeed later without a change.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.retryable)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[track_caller]
    fn check(data: &str, kind: Option<ErrorKind>, word: &str, hint: &str, retryable: bool) {
        let data: Box<RawValue> = serde_json::from_str(data).unwrap();
        let error = Error::Refused(Box::new(Refusal::new(-32600, "no", Some(&data))));
        assert_eq!(error.kind(), kind);
        assert_eq!(error.refusal().unwrap().kind.as_deref(), Some(word));
        assert_eq!(error.hint(), Some(hint));
        assert_eq!(error.retryable(), retryable);
    }

    #[test]
    fn a_kind_of_a_newer_daemon_hides_neither_hint_nor_retry() {
        check(
            r#"{"kind": "unavailable", "hint": "wait", "retryable": true, "host": "h"}"#,
            Some(ErrorKind::Unavailable),
            "unavailable",
            "wait",
            true,
        );
        check(
            r#"{"kind": "outOfCheese", "hint": "redo", "retryable": true, "line": "odd"}"#,
            None,
            "outOfCheese",
            "redo",
            true,
        );
        check(
            r#"{"kind": "x", "hint": "y", "retryable": 1}"#,
            None,
            "x",
            "y",
            false,
        );
    }
}
