//! Errors: the stable words that a program can act on.
//!
//! The numeric codes are the server's affair; the words here are what a frontend decides by, since
//! one number stands for many refusals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, PlugdInspectionChange};

/// Declares the kinds with their words, so that a table of them can never miss one.
macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// What went wrong, as one stable word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it stands in `data.kind`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

error_kinds! {
    /// The message is not JSON. Code -32700.
    Parse = "parse",
    /// The message is JSON and no request, or it is larger or deeper than the limits. Code -32600.
    InvalidRequest = "invalidRequest",
    /// A request came before `initialize`. Code -32600.
    NotInitialized = "notInitialized",
    /// A second `initialize`. Code -32600.
    AlreadyInitialized = "alreadyInitialized",
    /// The method is not known, or not built yet. Code -32601.
    MethodNotFound = "methodNotFound",
    /// The params have a missing member, a wrong type or a value outside its set. Code -32602.
    InvalidParams = "invalidParams",
    /// The params have the right form and still cannot be meant. Code -32600.
    InvalidInput = "invalidInput",
    /// The plugin, marketplace or file is not there. Code -32600.
    NotFound = "notFound",
    /// Policy, a missing login or a feature that is switched off forbids it. Code -32600.
    NotAllowed = "notAllowed",
    /// It may come only after the user has said yes to exactly that content, with `plugd/approve`.
    /// Code -32600.
    ApprovalNeeded = "approvalNeeded",
    /// Its commit is younger than is asked for. Code -32600.
    CommitTooYoung = "commitTooYoung",
    /// Something else holds or has changed what was to be changed. Code -32600.
    Conflict = "conflict",
    /// The network or a remote service did not answer. Code -32600.
    Unavailable = "unavailable",
    /// The fault is here: a bug, the disk, or a state file. Code -32603.
    Internal = "internal",
    /// Too many requests are waiting. Code -32001.
    Overloaded = "overloaded",
    /// The client cancelled the request, or the end of the connection did. Code -32800.
    Cancelled = "cancelled",
}

/// Why a configuration write was refused, in the reference's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ConfigWriteErrorCode {
    /// The layer cannot be written, or the file is not the user's.
    ConfigLayerReadonly,
    /// The file is not at the version that the client expected.
    ConfigVersionConflict,
    /// The key path or the value is not valid, or the file is broken.
    ConfigValidationError,
    /// The key path names nothing.
    ConfigPathNotFound,
    /// The key is not known.
    ConfigSchemaUnknownKey,
    /// There is no user layer.
    UserLayerNotFound,
}

/// The `data` of an error: always a kind, and beside it what a program can act on. Members without
/// a value are omitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorData {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The plugin it concerns: `name@marketplace`, or the name alone where no more is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The marketplace it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace: Option<String>,
    /// The file or directory it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// The member of the params or of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The line in the file, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in the file, in characters counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The machine that was asked, such as `github.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the same request may succeed later without a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Why something may not come, or not yet: `untrustedMarketplace`, `wouldRun`, `commitTooYoung` or
    /// `commitAgeUnknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The digest of the content that has to be approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What of it would run that does not run now, as `plugd/update` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_run: Option<Vec<PlugdInspectionChange>>,
    /// The files, relative to the plugin, that declare what runs and could not be read or understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<Vec<String>>,
    /// When its age is no reason any more, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// The reference's word for a refused configuration write.
    #[serde(
        default,
        rename = "config_write_error_code",
        skip_serializing_if = "Option::is_none"
    )]
    pub config_write_error_code: Option<ConfigWriteErrorCode>,
}

impl ErrorData {
    /// Data that says nothing but its kind, to be filled by struct update.
    #[must_use]
    pub const fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            plugin: None,
            marketplace: None,
            path: None,
            field: None,
            line: None,
            column: None,
            host: None,
            hint: None,
            retryable: None,
            reason: None,
            digest: None,
            would_run: None,
            unseen: None,
            not_before: None,
            config_write_error_code: None,
        }
    }
}

/// The `error` of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JSONRPCErrorError")]
pub struct ErrorObject {
    /// The number that JSON-RPC asks for.
    pub code: i64,
    /// A text for people.
    pub message: String,
    /// What a program decides by; every error of this server has it.
    pub data: ErrorData,
}
