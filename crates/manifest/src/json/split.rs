//! One level of a JSON text cut into slices, by way of the JSON decoder.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Member;

/// What was found, and how many more there were.
type Found<T> = (Vec<T>, usize);

/// Cuts an object into at most `limit` members in order, also those that share a name.
pub(super) fn object(text: &str, limit: usize) -> serde_json::Result<Found<Member<'_>>> {
    serde_json::Deserializer::from_str(text).deserialize_map(SplitObject { limit })
}

/// Cuts an array into at most `limit` elements.
pub(super) fn array(text: &str, limit: usize) -> serde_json::Result<Found<&str>> {
    serde_json::Deserializer::from_str(text).deserialize_seq(SplitArray { limit })
}

struct SplitObject {
    limit: usize,
}

impl<'d> Visitor<'d> for SplitObject {
    type Value = Found<Member<'d>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        let mut left_out = 0;
        while let Some(key) = map.next_key_seed(Key)? {
            if members.len() < self.limit {
                let raw: &'d RawValue = map.next_value()?;
                members.push((key, raw.get()));
            } else {
                map.next_value::<IgnoredAny>()?;
                left_out += 1;
            }
        }
        Ok((members, left_out))
    }
}

struct SplitArray {
    limit: usize,
}

impl<'d> Visitor<'d> for SplitArray {
    type Value = Found<&'d str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.limit {
            match seq.next_element::<&'d RawValue>()? {
                Some(raw) => elements.push(raw.get()),
                None => return Ok((elements, 0)),
            }
        }
        let mut left_out = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            left_out += 1;
        }
        Ok((elements, left_out))
    }
}

/// A member's name, borrowed unless it has escapes.
struct Key;

impl<'d> DeserializeSeed<'d> for Key {
    type Value = Cow<'d, str>;

    fn deserialize<D: serde::Deserializer<'d>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'d> Visitor<'d> for Key {
    type Value = Cow<'d, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, text: &'d str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
