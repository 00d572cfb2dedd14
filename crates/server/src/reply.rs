//! What a handler ends in: JSON that is serialised once and not looked into again.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use plugd_protocol::Notification;

use crate::error_map;
use crate::wire_error::WireError;

/// The result of a request, and what is to be told right after it.
#[derive(Debug)]
pub struct Reply {
    pub(crate) result: Box<RawValue>,
    pub(crate) notes: Vec<Note>,
}

/// A notification that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Note {
    pub(crate) method: &'static str,
    pub(crate) params: Box<RawValue>,
}

impl Reply {
    /// Serialises a result.
    ///
    /// # Errors
    /// The value cannot be JSON, which is a fault of ours.
    pub fn of(result: &impl Serialize) -> Result<Self, WireError> {
        Ok(Self::of_json(serialise(result)?))
    }

    /// A result that is JSON already, such as a fragment that was kept.
    #[must_use]
    pub fn of_json(result: Box<RawValue>) -> Self {
        Self {
            result,
            notes: Vec::new(),
        }
    }

    /// The same reply, with a notification that follows the response directly. Order is kept.
    #[must_use]
    pub fn and_then(mut self, note: Note) -> Self {
        self.notes.push(note);
        self
    }

    /// The result as JSON, for callers without a connection.
    #[must_use]
    pub fn into_json(self) -> Box<RawValue> {
        self.result
    }
}

impl Note {
    /// Serialises a notification of the protocol.
    ///
    /// # Errors
    /// The params cannot be JSON, which is a fault of ours.
    pub fn of<N: Notification>(params: &N::Params) -> Result<Self, WireError> {
        Ok(Self {
            method: N::NAME,
            params: serialise(params)?,
        })
    }
}

/// Serialises a part of an answer.
///
/// # Errors
/// The value cannot be JSON, which is a fault of ours.
pub(crate) fn serialise(value: &impl Serialize) -> Result<Box<RawValue>, WireError> {
    to_raw_value(value)
        .map_err(|error| error_map::internal(format!("an answer cannot be serialised: {error}")))
}
