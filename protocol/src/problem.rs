//! What is wrong with a piece of data while everything around it stays usable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AbsolutePathBuf;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Something is ignored or unusual; the rest works.
    Warning,
    /// The thing it speaks of cannot be used.
    Error,
}

/// A problem, in the one shape that it has everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A stable word to tell problems apart by. New words may come; treat an unknown one by its
    /// severity.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// A text for people.
    pub message: String,
    /// The file or directory it was found in; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// The member it speaks of, such as `plugins[3].policy`; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The line, counted from 1; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, counted from 1; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}
