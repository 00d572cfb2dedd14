//! Small values that many messages carry.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An absolute path. Nothing is promised about what it names: it may be gone, and it may be a link.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct AbsolutePathBuf(pub String);

impl From<String> for AbsolutePathBuf {
    fn from(path: String) -> Self {
        Self(path)
    }
}

impl From<&str> for AbsolutePathBuf {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl fmt::Display for AbsolutePathBuf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The id of a request, kept as it was written, because it is echoed to the letter: no number is
/// too large and no fraction is rounded.
#[derive(Debug, Clone)]
pub struct RequestId(Box<RawValue>);

impl RequestId {
    /// The id as JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RequestId {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for RequestId {}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'"' | b'-' | b'0'..=b'9') => Ok(Self(raw)),
            _ => Err(D::Error::custom(
                "invalid type: expected a string or a number",
            )),
        }
    }
}

impl JsonSchema for RequestId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RequestId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The id of a request. It comes back exactly as it was sent.",
            "type": ["string", "number"],
        })
    }
}

/// A token that a client made up to recognise progress by. It comes back exactly as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ProgressToken(pub RequestId);

impl JsonSchema for ProgressToken {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProgressToken".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A token that a client made up to recognise progress by. It comes \
                            back exactly as it was sent.",
            "type": ["string", "number"],
        })
    }
}
