//! The JSON-RPC envelope: from bytes to requests, and from results to bytes.
//!
//! Read by hand over raw pieces of JSON, because the rules are wider than a derived type: an id
//! keeps its spelling, `jsonrpc` may be absent, members may come twice, and a message that is wrong
//! still has its id where it can be found.
//!
//! Invariants:
//! - What goes out has the members that JSON-RPC 2.0 names and no other; some clients break on more.
//! - Nothing here is parsed deeper than one level, so nesting cannot exhaust the stack.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

use plugd_model::json_depth;
use plugd_protocol::RequestId;

use crate::error_map::{self, MAX_DEPTH};
use crate::transport::outgoing::Outgoing;
use crate::wire_error::WireError;

/// So many bytes are written in more than one piece anyway.
const LONG: usize = 64 * 1024;

/// How many messages one batch may have.
pub(crate) const MAX_BATCH: usize = 1024;

/// What one frame holds.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    One(Message<'a>),
    Batch(Vec<Message<'a>>),
}

/// One message from the client.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request {
        id: RequestId,
        method: String,
        params: Option<&'a RawValue>,
    },
    Notification {
        method: String,
        params: Option<&'a RawValue>,
    },
    /// An answer to a request that we never sent.
    Response,
    /// Something to complain about.
    Invalid {
        id: Option<RequestId>,
        error: WireError,
    },
}

impl Message<'_> {
    fn invalid(error: WireError) -> Self {
        Self::Invalid { id: None, error }
    }
}

/// Reads the content of one frame.
pub(crate) fn read(bytes: &[u8]) -> Body<'_> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let message = format!("the message is not valid UTF-8 at byte {at}");
            return Body::One(Message::invalid(error_map::parse(message)));
        }
    };
    let raw: &RawValue = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let message = format!("the message is not valid JSON: {error}");
            return Body::One(Message::invalid(error_map::parse(message)));
        }
    };
    if raw.get().starts_with('[') {
        read_batch(raw)
    } else {
        Body::One(read_message(raw, MAX_DEPTH))
    }
}

/// A response with a result. A long one is not copied: it goes out behind what stands in front of it.
pub(crate) fn result(id: &RequestId, result: Box<RawValue>) -> Outgoing {
    let mut head = format!(r#"{{"jsonrpc":"2.0","id":{},"result":"#, id.as_json()).into_bytes();
    let mut body = String::from(Box::<str>::from(result)).into_bytes();
    // The end of the object, and that of the line.
    body.reserve_exact(2);
    body.push(b'}');
    if body.len() < LONG {
        head.reserve_exact(body.len() + 1);
        head.append(&mut body);
        return Outgoing::from(head);
    }
    Outgoing { head, body }
}

/// A response with an error; without an id it is null, as JSON-RPC wants.
pub(crate) fn error(id: Option<&RequestId>, error: &WireError) -> Vec<u8> {
    let id = id.map_or("null", RequestId::as_json);
    let error = serde_json::to_string(&ErrorObject(error)).unwrap_or_else(|_| {
        // The object holds texts and numbers only, which always serialise.
        r#"{"code":-32603,"message":"internal error"}"#.to_owned()
    });
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).into_bytes()
}

/// A notification.
pub(crate) fn notification(method: &'static str, params: &RawValue) -> Vec<u8> {
    let params = params.get();
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#).into_bytes()
}

/// Whether two ids are the same, however they are spelled.
pub(crate) fn same_id(left: &RequestId, right: &RequestId) -> bool {
    left == right || text_of(left).is_some_and(|text| Some(text) == text_of(right))
}

fn text_of(id: &RequestId) -> Option<String> {
    serde_json::from_str(id.as_json()).ok()
}

fn read_batch(raw: &RawValue) -> Body<'_> {
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let elements = match deserializer.deserialize_seq(BatchVisitor) {
        Ok(Elements::All(elements)) => elements,
        Ok(Elements::TooMany) => {
            let message = format!("a batch has at most {MAX_BATCH} messages");
            return Body::One(Message::invalid(error_map::invalid_request(message)));
        }
        Err(error) => {
            let message = format!("the message is not valid JSON: {error}");
            return Body::One(Message::invalid(error_map::parse(message)));
        }
    };
    if elements.is_empty() {
        let message = "the batch is empty".to_owned();
        return Body::One(Message::invalid(error_map::invalid_request(message)));
    }
    let messages = elements
        .into_iter()
        .map(|element| read_message(element, MAX_DEPTH - 1))
        .collect();
    Body::Batch(messages)
}

fn read_message(raw: &RawValue, depth: usize) -> Message<'_> {
    if !raw.get().starts_with('{') {
        let message = "a request is an object".to_owned();
        return Message::invalid(error_map::invalid_request(message));
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let members = match deserializer.deserialize_map(MembersVisitor) {
        Ok(members) => members,
        // A name of a member that is JSON and no text, such as half of a surrogate pair.
        Err(error) => {
            let message = format!("the message cannot be read: {error}");
            return Message::invalid(error_map::invalid_request(message));
        }
    };
    let message = members.sort();
    if json_depth::too_deep(raw.get().as_bytes(), depth).is_none() {
        return message;
    }
    let id = match message {
        Message::Request { id, .. } => Some(id),
        Message::Invalid { id, .. } => id,
        Message::Notification { .. } | Message::Response => None,
    };
    let error = error_map::too_deep();
    Message::Invalid { id, error }
}

/// The members of an envelope. Of members that come twice the last counts.
#[derive(Default)]
struct Members<'a> {
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    answers: bool,
}

impl<'a> Members<'a> {
    fn sort(self) -> Message<'a> {
        let id = self
            .id
            .map(|id| serde_json::from_str::<RequestId>(id.get()));
        let known_id = match &id {
            Some(Ok(id)) => Some(id.clone()),
            _ => None,
        };
        let invalid = |message: &str| Message::Invalid {
            id: known_id,
            error: error_map::invalid_request(message.to_owned()),
        };
        let Some(method) = self.method else {
            return if self.answers {
                Message::Response
            } else {
                invalid("the request has no method")
            };
        };
        let Ok(method) = serde_json::from_str::<String>(method.get()) else {
            return invalid("the method is not a string");
        };
        let params = self.params;
        match id {
            None => Message::Notification { method, params },
            Some(Ok(id)) => Message::Request { id, method, params },
            Some(Err(_)) => invalid("the id is neither a string nor a number"),
        }
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            match name.as_ref() {
                "id" => members.id = Some(map.next_value()?),
                "method" => members.method = Some(map.next_value()?),
                "params" => members.params = Some(map.next_value()?),
                "result" | "error" => {
                    map.next_value::<&RawValue>()?;
                    members.answers = true;
                }
                _ => {
                    map.next_value::<&RawValue>()?;
                }
            }
        }
        Ok(members)
    }
}

enum Elements<'a> {
    All(Vec<&'a RawValue>),
    TooMany,
}

struct BatchVisitor;

impl<'de> Visitor<'de> for BatchVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < MAX_BATCH {
            match seq.next_element()? {
                Some(element) => elements.push(element),
                None => return Ok(Elements::All(elements)),
            }
        }
        // Counting goes on without keeping, so that a huge batch costs no memory.
        let mut more = false;
        while seq.next_element::<&RawValue>()?.is_some() {
            more = true;
        }
        Ok(if more {
            Elements::TooMany
        } else {
            Elements::All(elements)
        })
    }
}

struct ErrorObject<'a>(&'a WireError);

impl Serialize for ErrorObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Error", 3)?;
        object.serialize_field("code", &self.0.code)?;
        object.serialize_field("message", &self.0.message)?;
        object.serialize_field("data", &self.0.data)?;
        object.end()
    }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
