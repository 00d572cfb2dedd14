//! The only file with numeric error codes, and the errors that arise before a use case is asked.

use plugd_model::error_chain;
use plugd_plugins::{Kind, WriteRefusal};
use plugd_protocol::{ConfigWriteErrorCode, ErrorData, ErrorKind};

use crate::handlers::{plugd_approve, shared};
use crate::transport::framing::{Fault, MAX_HEADERS, MAX_MESSAGE};
use crate::wire_error::WireError;

/// The deepest nesting of a message.
pub(crate) const MAX_DEPTH: usize = 128;

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;
const OVERLOADED: i32 = -32001;
const CANCELLED: i32 = -32800;

/// How much of a text that came from outside goes into a message.
const SHOWN: usize = 200;

/// The code of a kind. Every refusal that a use case decides has the code that clients of the
/// reference expect; the kind tells them apart.
#[must_use]
pub fn code(kind: ErrorKind) -> i32 {
    match kind {
        ErrorKind::Parse => PARSE_ERROR,
        ErrorKind::InvalidRequest
        | ErrorKind::NotInitialized
        | ErrorKind::AlreadyInitialized
        | ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::NotAllowed
        | ErrorKind::ApprovalNeeded
        | ErrorKind::CommitTooYoung
        | ErrorKind::Conflict
        | ErrorKind::Unavailable => INVALID_REQUEST,
        ErrorKind::MethodNotFound => METHOD_NOT_FOUND,
        ErrorKind::InvalidParams => INVALID_PARAMS,
        ErrorKind::Internal => INTERNAL_ERROR,
        ErrorKind::Overloaded => OVERLOADED,
        ErrorKind::Cancelled => CANCELLED,
    }
}

/// The input is no message at all.
pub(crate) fn fault(fault: Fault) -> WireError {
    match fault {
        Fault::TooLarge => invalid_request(format!(
            "the message is larger than {} MiB",
            MAX_MESSAGE / (1024 * 1024)
        )),
        Fault::HeadersTooLarge => invalid_request(format!(
            "the headers are larger than {} KiB",
            MAX_HEADERS / 1024
        )),
        Fault::BadHeaders => invalid_request("the headers have no valid Content-Length".to_owned()),
        Fault::Cut => parse("the input ended inside a message".to_owned()),
    }
}

/// The message is not JSON.
pub(crate) fn parse(message: String) -> WireError {
    WireError::new(ErrorKind::Parse, message)
}

/// The message is JSON and no request.
pub(crate) fn invalid_request(message: String) -> WireError {
    WireError::new(ErrorKind::InvalidRequest, message)
}

/// The message is nested too deeply.
pub(crate) fn too_deep() -> WireError {
    invalid_request(format!(
        "the message is nested deeper than {MAX_DEPTH} levels"
    ))
}

/// The words are the reference's: clients match on them.
pub(crate) fn not_initialized() -> WireError {
    WireError::new(ErrorKind::NotInitialized, "Not initialized")
}

/// The words are the reference's: clients match on them.
pub(crate) fn already_initialized() -> WireError {
    WireError::new(ErrorKind::AlreadyInitialized, "Already initialized")
}

/// Short, where the reference lists every method there is.
pub(crate) fn method_not_found(method: &str) -> WireError {
    let message = format!("unknown method `{}`", excerpt(method));
    WireError::new(ErrorKind::MethodNotFound, message)
}

/// The params do not fit the method.
pub(crate) fn invalid_params(reason: &str, field: Option<String>) -> WireError {
    let reason = excerpt(reason);
    let message = match &field {
        Some(field) => format!("invalid params: `{}`: {reason}", excerpt(field)),
        None => format!("invalid params: {reason}"),
    };
    let data = ErrorData {
        field,
        ..ErrorData::new(ErrorKind::InvalidParams)
    };
    WireError::with_data(message, data)
}

/// Too much is waiting.
pub(crate) fn overloaded() -> WireError {
    let data = ErrorData {
        retryable: Some(true),
        ..ErrorData::new(ErrorKind::Overloaded)
    };
    WireError::with_data("too many requests are waiting, try again later", data)
}

/// The request was cancelled and changed nothing.
pub(crate) fn cancelled() -> WireError {
    WireError::new(ErrorKind::Cancelled, "the request was cancelled")
}

/// The fault is here. What went wrong goes to the log only.
pub(crate) fn internal(detail: impl Into<String>) -> WireError {
    WireError::new(ErrorKind::Internal, "internal error").logged(detail)
}

/// What a use case refuses, for the client: its message and facts. Causes are told too where they
/// help the client; the fault of our own disk or code goes to the log only.
impl From<plugd_plugins::Error> for WireError {
    fn from(error: plugd_plugins::Error) -> Self {
        let kind = kind(error.kind());
        let facts = error.facts();
        let message = match kind {
            ErrorKind::Internal => internal_message(&error),
            _ => error_chain(&error),
        };
        let data = ErrorData {
            plugin: facts.plugin,
            marketplace: facts.marketplace,
            path: facts.path.as_ref().map(shared::path),
            field: facts.field,
            line: facts.place.map(|place| place.line),
            column: facts.place.map(|place| place.column),
            host: facts.host,
            hint: facts.hint,
            retryable: facts.retryable.then_some(true),
            config_write_error_code: facts.config_write.map(config_write_code),
            ..match facts.trust {
                Some(trust) => plugd_approve::error_data(kind, *trust),
                None => ErrorData::new(kind),
            }
        };
        Self::with_data(message, data).caused_by(&error)
    }
}

fn kind(kind: Kind) -> ErrorKind {
    match kind {
        Kind::InvalidInput => ErrorKind::InvalidInput,
        Kind::NotFound => ErrorKind::NotFound,
        Kind::NotAllowed => ErrorKind::NotAllowed,
        Kind::ApprovalNeeded => ErrorKind::ApprovalNeeded,
        Kind::CommitTooYoung => ErrorKind::CommitTooYoung,
        Kind::Conflict => ErrorKind::Conflict,
        Kind::Unavailable => ErrorKind::Unavailable,
        Kind::Internal => ErrorKind::Internal,
        Kind::Cancelled => ErrorKind::Cancelled,
    }
}

fn config_write_code(refusal: WriteRefusal) -> ConfigWriteErrorCode {
    match refusal {
        WriteRefusal::VersionConflict => ConfigWriteErrorCode::ConfigVersionConflict,
        WriteRefusal::Validation => ConfigWriteErrorCode::ConfigValidationError,
        WriteRefusal::LayerReadonly => ConfigWriteErrorCode::ConfigLayerReadonly,
    }
}

/// A file operation that failed is worth telling in full: the path is the user's own, and "no space
/// left" is something they can mend. Of a bug only the fact is told.
fn internal_message(error: &plugd_plugins::Error) -> String {
    match error {
        plugd_plugins::Error::Panicked { .. } => "internal error".to_owned(),
        _ => error_chain(error),
    }
}

/// The beginning of a text that came from outside, on one line and without control characters.
fn excerpt(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let ellipsis = if shown.len() < text.len() { "…" } else { "" };
    let mut line = String::with_capacity(shown.len());
    for character in shown.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.push_str(ellipsis);
    line
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use plugd_model::{Problem, ProblemKind};
    use plugd_plugins::call::Cancelled;
    use plugd_protocol::ErrorKind;

    use super::{WireError, code, invalid_params, method_not_found};

    #[test]
    fn clients_of_the_reference_find_the_codes_they_expect() {
        for kind in ErrorKind::ALL {
            let expected = match kind.word() {
                "parse" => -32700,
                "methodNotFound" => -32601,
                "invalidParams" => -32602,
                "internal" => -32603,
                "overloaded" => -32001,
                "cancelled" => -32800,
                _ => -32600,
            };
            assert_eq!(code(*kind), expected, "{}", kind.word());
        }
    }

    #[track_caller]
    fn refusal(error: plugd_plugins::Error, code: i32, kind: ErrorKind, has_hint: bool) {
        let error = WireError::from(error);
        let found = (error.code, error.data.kind, error.data.hint.is_some());
        assert_eq!(found, (code, kind, has_hint), "{}", error.message);
        // No other machine had a part in any of them.
        assert_eq!(error.data.host, None);
    }

    #[test]
    fn what_a_caller_can_cause_is_no_fault_of_ours() {
        use plugd_plugins::Error;
        let text = || "m".to_owned();
        let secret = Error::SecretInAddress { url: text() };
        refusal(secret, -32600, ErrorKind::InvalidInput, true);
        let local = Error::NotAGitMarketplace { name: text() };
        refusal(local, -32600, ErrorKind::NotFound, false);
        let renamed = Error::Renamed {
            name: text(),
            found: "n".to_owned(),
        };
        refusal(renamed, -32600, ErrorKind::Conflict, true);
        let empty = Error::NoMarketplaceInRepository {
            url: text(),
            problem: Box::new(Problem::error(ProblemKind::Missing, "nothing there")),
        };
        refusal(empty, -32600, ErrorKind::InvalidInput, false);
        let given_up = Error::Cancelled(Cancelled);
        refusal(given_up, -32800, ErrorKind::Cancelled, false);
    }

    #[test]
    fn texts_from_outside_are_short_and_on_one_line() {
        let error = method_not_found(&format!("a\nb{}", "x".repeat(1000)));
        assert!(
            error.message.starts_with("unknown method `a\\nbxxx"),
            "{}",
            error.message
        );
        assert!(error.message.len() < 250, "{}", error.message.len());
        let error = invalid_params("expected a string", Some("edits[0].keyPath".to_owned()));
        assert_eq!(
            error.message,
            "invalid params: `edits[0].keyPath`: expected a string"
        );
        assert_eq!(error.data.field.as_deref(), Some("edits[0].keyPath"));
    }
}
