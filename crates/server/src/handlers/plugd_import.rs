//! `plugd/import`.

use std::sync::Arc;

use plugd_disk::tree::Digest;
use plugd_plugins::call::Call;
use plugd_plugins::{ImportRequest, Imported, Synced};
use plugd_protocol as wire;

use super::plugd_sync::change;
use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// 64 digits, as an export answers them, or with the name of the algorithm in front.
fn parsed(text: String) -> Result<Digest, plugd_plugins::Error> {
    let digits = text.strip_prefix("sha256:").unwrap_or(&text);
    Digest::from_hex(&digits.to_ascii_lowercase()).ok_or_else(|| plugd_plugins::Error::BadValue {
        field: "sha256",
        reason: "a SHA-256 has 64 hexadecimal digits".to_owned(),
    })
}

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdImportParams,
) -> Result<Reply, WireError> {
    let wire::PlugdImportParams {
        path,
        sha256,
        switch,
        dry_run,
    } = params;
    let dry_run = dry_run == Some(true);
    let request = ImportRequest {
        path: shared::abs_path("path", &path)?,
        sha256: sha256.map(parsed).transpose()?,
        switch: switch == Some(true),
        dry_run,
    };
    let imported = plugd_plugins::import(&call, &context.parts, request).await?;
    let Imported { sha256, synced } = imported;
    let Synced {
        path,
        changes,
        problems,
    } = synced;
    Reply::of(&wire::PlugdImportResponse {
        path: shared::path(&path),
        sha256,
        dry_run,
        changes: changes.into_iter().map(change).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}
