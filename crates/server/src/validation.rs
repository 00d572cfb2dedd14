//! What `plugd validate` says as JSON. There is no method for it: a validation is for authors, and
//! the command line is where they work.

use plugd_model::{ManifestFormat, Severity};
use plugd_plugins::{Validated, ValidatedKind, Validation};
use plugd_protocol as wire;

use crate::handlers::shared;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// The answer; with `strict` a warning is enough to be not valid.
///
/// # Errors
/// It cannot be JSON, which is a fault of ours.
pub fn validation_reply(validation: Validation, strict: bool) -> Result<Reply, WireError> {
    let count = |severity| u64::try_from(validation.count(severity)).unwrap_or(u64::MAX);
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let Validation { subjects } = validation;
    Reply::of(&wire::PlugdValidateResponse {
        subjects: subjects.into_iter().map(subject).collect(),
        valid: errors == 0 && !(strict && warnings > 0),
        errors,
        warnings,
    })
}

fn subject(subject: Validated) -> wire::PlugdValidatedSubject {
    let Validated {
        kind,
        name,
        path,
        format,
        problems,
    } = subject;
    wire::PlugdValidatedSubject {
        kind: match kind {
            ValidatedKind::Plugin => wire::PlugdValidatedKind::Plugin,
            ValidatedKind::Marketplace => wire::PlugdValidatedKind::Marketplace,
        },
        name,
        path: shared::path(&path),
        format: format.map(|format| word(format).to_owned()),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn word(format: ManifestFormat) -> &'static str {
    match format {
        ManifestFormat::AgentPlugins => "agentPlugins",
        ManifestFormat::Codex => "codex",
        ManifestFormat::Claude => "claude",
        ManifestFormat::Cursor => "cursor",
        ManifestFormat::Fallback => "fallback",
    }
}
