//! A good answer, before a fault or a condition changes it.

use plugd_model::hex;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::super::http_wire::{Body, Reply};

/// What the service has to say.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content: Content,
}

/// The body of an answer.
pub(super) enum Content {
    Json(Value),
    Bytes(&'static str, Vec<u8>),
    Nothing,
}

impl Answer {
    pub(super) fn json(value: Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Json(value),
        }
    }

    /// A refusal with its reason.
    pub(super) fn refusal(status: u16, reason: &str) -> Self {
        Self {
            status,
            ..Self::json(json!({"detail": reason}))
        }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Nothing,
        }
    }

    pub(super) fn bytes(content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Bytes(content_type, bytes),
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds the ETag of the body; says that nothing has changed to a client that knows it.
    pub(super) fn conditional(self, known: Option<&str>) -> Self {
        let Content::Json(value) = &self.content else {
            return self;
        };
        if self.status != 200 {
            return self;
        }
        let tag = format!("\"{}\"", sha256_hex(value.to_string().as_bytes()));
        let fits = known.is_some_and(|known| {
            let mut tags = known.split(',').map(str::trim);
            tags.any(|one| one == "*" || one.trim_start_matches("W/") == tag)
        });
        let answer = if fits { Self::empty(304) } else { self };
        answer.header("ETag", tag)
    }

    pub(super) fn reply(self) -> Reply {
        let (content_type, bytes) = match self.content {
            Content::Json(value) => ("application/json", value.to_string().into_bytes()),
            Content::Bytes(content_type, bytes) => (content_type, bytes),
            Content::Nothing => ("", Vec::new()),
        };
        let mut reply = Reply::ok(content_type, Body::Whole(bytes));
        if content_type.is_empty() {
            reply.headers.clear();
        }
        reply.status = self.status;
        reply.headers.extend(self.headers);
        reply
    }
}

/// The SHA-256 of some bytes in hexadecimal digits, for a service that tells the digest of a bundle.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}
