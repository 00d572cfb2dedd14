//! What can go wrong at an endpoint.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::ServiceRequest;
use crate::Gate;

/// The page token of an answer that never gets on.
pub(super) const AGAIN: &str = "again";

/// What the service does instead of answering well. Nothing that a fault answers has an effect on
/// the service, except where it says so.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status with this body.
    Status(u16, String),
    /// This status with a header `Retry-After` of this value.
    RetryAfter(u16, String),
    /// The good answer, whose body ends too early: after so many bytes. It has its effect.
    Cut(usize),
    /// A body that does not end: one endless text, or an archive whose one file is endless.
    Endless,
    /// The good answer, one byte at a time with this pause between them. It has its effect.
    Slow(Duration),
    /// Takes the request and says nothing for as long as the client waits.
    Silent,
    /// Resets the connection without a byte. Behind TLS the connection just ends.
    Reset,
    /// Success with a page of HTML.
    NotJson,
    /// Sends the client to where it is.
    RedirectLoop,
    /// Sends the client to this address.
    Redirect(String),
    /// Success with this body.
    Raw(String),
    /// The good answer in chunks, so that nobody knows its length beforehand. It has its effect.
    Chunked,
    /// The good answer, with this for its length; the connection ends behind it.
    Claim(u64),
    /// Waits before it looks at the request: nothing has happened yet while the gate is closed.
    Hold(Gate),
    /// Does what is asked and holds the answer back until the gate opens.
    HoldAnswer(Gate),
    /// Does what is asked, sends so many bytes of the body, and the rest when the gate opens.
    HoldAfter(usize, Gate),
    /// The good answer with one more item in front, whatever this is.
    BadItem(Value),
    /// Each page names the same next page.
    RepeatedToken,
    /// Each page names a next page with an empty token.
    EmptyToken,
    /// A page without `pagination`.
    NoPagination,
    /// The good answer, changed; see [`Fault::edit`].
    Edit(Edit),
}

/// A change of an answer.
#[derive(Clone)]
pub struct Edit(Arc<dyn Fn(&mut Value) + Send + Sync>);

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Edit")
    }
}

impl Fault {
    /// The good answer with a change; what is asked for has its effect.
    #[must_use]
    pub fn edit(how: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Edit(Edit(Arc::new(how)))
    }

    /// This status with a body of JSON.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status(
            status,
            json!({"detail": format!("status {status}")}).to_string(),
        )
    }

    /// The gate that a client comes to.
    pub(super) fn gate(&self) -> Option<&Gate> {
        match self {
            Self::Hold(gate) | Self::HoldAnswer(gate) | Self::HoldAfter(_, gate) => Some(gate),
            _ => None,
        }
    }

    /// Changes a good answer of JSON.
    pub(super) fn change(&self, answer: &mut Value) {
        match self {
            Self::BadItem(item) => {
                if let Some(Value::Array(items)) = answer.get_mut("plugins") {
                    items.insert(0, item.clone());
                }
            }
            Self::RepeatedToken => next_page(answer, AGAIN),
            Self::EmptyToken => next_page(answer, ""),
            Self::NoPagination => {
                if let Value::Object(members) = answer {
                    members.remove("pagination");
                }
            }
            Self::Edit(edit) => edit.0(answer),
            _ => {}
        }
    }
}

fn next_page(answer: &mut Value, token: &str) {
    if let Value::Object(members) = answer {
        members.insert("pagination".to_owned(), json!({"next_page_token": token}));
    }
}

type Fits = dyn Fn(&ServiceRequest) -> bool + Send + Sync;

/// What is planned for one endpoint: for certain requests, then so many times, then for ever.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) certain: Vec<(Arc<Fits>, Fault)>,
    pub(super) next: VecDeque<(usize, Fault)>,
    pub(super) always: Option<Fault>,
}

impl Plan {
    /// The fault that a request meets; it is used up by that.
    pub(super) fn take(&mut self, request: &ServiceRequest) -> Option<Fault> {
        if let Some((_, fault)) = self.certain.iter().find(|(fits, _)| fits(request)) {
            return Some(fault.clone());
        }
        while let Some((left, fault)) = self.next.front_mut() {
            if *left > 0 {
                *left -= 1;
                return Some(fault.clone());
            }
            self.next.pop_front();
        }
        self.always.clone()
    }

    /// Whether [`Plan::take`] would give a reset.
    pub(super) fn resets(&self, request: &ServiceRequest) -> bool {
        let certain = self.certain.iter().find(|(fits, _)| fits(request));
        let next = || self.next.iter().find(|(left, _)| *left > 0);
        let fault = certain.map(|(_, fault)| fault);
        let fault = fault.or_else(|| next().map(|(_, fault)| fault));
        matches!(fault.or(self.always.as_ref()), Some(Fault::Reset))
    }
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
