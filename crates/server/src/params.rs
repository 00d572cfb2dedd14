//! Params: the forms that mean the same, and one place for decode errors.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error_map;
use crate::wire_error::WireError;

/// The object that params mean. Absent, null, `[]`, `[null]` and `{}` are no object at all, an
/// array with one object is that object.
///
/// # Errors
/// Any other form.
pub(crate) fn object(params: Option<&RawValue>) -> Result<Option<&RawValue>, WireError> {
    let Some(params) = params else {
        return Ok(None);
    };
    match params.get().as_bytes().first() {
        Some(b'{') => Ok(Some(params)),
        Some(b'n') => Ok(None),
        Some(b'[') => match serde_json::from_str::<[&RawValue; 1]>(params.get()) {
            Ok([only]) if only.get() == "null" => Ok(None),
            Ok([only]) if only.get().starts_with('{') => Ok(Some(only)),
            Err(_) if is_empty(params) => Ok(None),
            _ => Err(wrong_form("an array")),
        },
        Some(b'"') => Err(wrong_form("a string")),
        Some(b't' | b'f') => Err(wrong_form("a boolean")),
        _ => Err(wrong_form("a number")),
    }
}

/// Decodes params; nothing decodes like an empty object.
///
/// # Errors
/// A missing member, a wrong type or a value outside its set: the error names the member and what
/// was expected of it.
pub(crate) fn decode<T: DeserializeOwned>(params: Option<&RawValue>) -> Result<T, WireError> {
    let text = object(params)?.map_or("{}", RawValue::get);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.inner().to_string();
        // The position counts in our copy of the params and means nothing to a client.
        let reason = match reason.rfind(" at line ") {
            Some(at) => &reason[..at],
            None => &reason,
        };
        error_map::invalid_params(reason, field(&path, reason))
    })
}

/// The member an error speaks of. For a missing one the path ends at the object around it, and the
/// name stands in the reason.
fn field(path: &str, reason: &str) -> Option<String> {
    let parent = (path != ".").then_some(path);
    let missing = reason
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match (parent, missing) {
        (None, None) => None,
        (None, Some(name)) => Some(name.to_owned()),
        (Some(parent), None) => Some(parent.to_owned()),
        (Some(parent), Some(name)) => Some(format!("{parent}.{name}")),
    }
}

fn is_empty(array: &RawValue) -> bool {
    serde_json::from_str::<[&RawValue; 0]>(array.get()).is_ok()
}

fn wrong_form(found: &str) -> WireError {
    error_map::invalid_params(&format!("expected an object, found {found}"), None)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::{decode, object};

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sample {
        plugin_name: String,
        #[expect(dead_code, reason = "decoding it is the test")]
        #[serde(default)]
        edits: Option<Vec<Edit>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Edit {
        #[expect(dead_code, reason = "decoding it is the test")]
        key_path: String,
        #[expect(dead_code, reason = "decoding it is the test")]
        strategy: Option<Strategy>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Strategy {
        Replace,
        Upsert,
    }

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).unwrap()
    }

    fn form(json: &str, expected: Result<Option<&str>, i32>) {
        let params = raw(json);
        let found = object(Some(&params));
        let found = found.map(|object| object.map(RawValue::get));
        assert_eq!(found.map_err(|error| error.code), expected, "{json}");
    }

    #[test]
    fn forms_that_mean_the_same() {
        for nothing in ["null", "[]", "[ ]", "[null]", "[ null ]"] {
            form(nothing, Ok(None));
        }
        assert_eq!(object(None).unwrap().map(RawValue::get), None);
        form("{}", Ok(Some("{}")));
        form(r#"{"a":1}"#, Ok(Some(r#"{"a":1}"#)));
        form(r#"[ {"a":1} ]"#, Ok(Some(r#"{"a":1}"#)));
        for bad in [
            "[1]",
            "[{},{}]",
            "[null,null]",
            "[[]]",
            "1",
            "\"x\"",
            "true",
            "-5",
        ] {
            form(bad, Err(-32602));
        }
    }

    fn refused(json: &str, field: Option<&str>, message: &str) {
        let error = decode::<Sample>(Some(&raw(json))).unwrap_err();
        assert_eq!((error.code, error.data.field.as_deref()), (-32602, field));
        assert_eq!(error.message, message);
    }

    #[test]
    fn an_error_names_the_member_and_the_expectation() {
        refused(
            "{}",
            Some("pluginName"),
            "invalid params: `pluginName`: missing field `pluginName`",
        );
        refused(
            r#"{"pluginName":5}"#,
            Some("pluginName"),
            "invalid params: `pluginName`: invalid type: integer `5`, expected a string",
        );
        refused(
            r#"{"pluginName":"a","edits":[{"keyPath":"x"},{}]}"#,
            Some("edits[1].keyPath"),
            "invalid params: `edits[1].keyPath`: missing field `keyPath`",
        );
        refused(
            r#"{"pluginName":"a","edits":[{"keyPath":"x","strategy":"merge"}]}"#,
            Some("edits[0].strategy"),
            "invalid params: `edits[0].strategy`: unknown variant `merge`, expected `replace` or `upsert`",
        );
        refused(
            "[1]",
            None,
            "invalid params: expected an object, found an array",
        );
    }

    #[test]
    fn what_fits_is_decoded() {
        let sample: Sample =
            decode(Some(&raw(r#"[{"pluginName":"a","other":1,"edits":null}]"#))).unwrap();
        assert_eq!(sample.plugin_name, "a");
    }
}
