//! For tests: how a value looks on the wire, and how params are understood or refused.

use std::fmt::Debug;

use pretty_assertions::assert_eq;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// It is written so, and what is written can be read again.
#[track_caller]
pub(crate) fn check<T>(value: &T, expected: &Value)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    assert_eq!(&serde_json::to_value(value).expect("JSON"), expected);
    let read: T = serde_json::from_str(&expected.to_string()).expect("the same");
    assert_eq!(&read, value);
}

/// Params are understood as this.
#[track_caller]
pub(crate) fn check_params<T: Serialize + DeserializeOwned>(params: &Value, expected: &Value) {
    let read: T = serde_json::from_str(&params.to_string()).expect("params");
    assert_eq!(&serde_json::to_value(read).expect("JSON"), expected);
}

/// Params are refused with these words.
#[track_caller]
pub(crate) fn check_error<T: DeserializeOwned + Debug>(params: &Value, words: &str) {
    let error = serde_json::from_str::<T>(&params.to_string()).expect_err("params are wrong");
    assert!(error.to_string().contains(words), "{params}: {error}");
}
