//! `initialize`.

use std::sync::Arc;

use plugd_model::Place;
use plugd_plugins::call::Call;
use plugd_plugins::{ConfigWarning, read_config};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::handshake::user_agent;
use crate::reply::{Note, Reply};
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    params: wire::InitializeParams,
) -> Result<Reply, WireError> {
    let terminal = context
        .environment
        .var("TERM_PROGRAM")
        .map(|name| name.to_string_lossy().into_owned());
    if let Some(client) = &params.client_info {
        context.lookup.remote().name_client(&client.name);
    }
    let result = wire::InitializeResponse {
        user_agent: user_agent(params.client_info.as_ref(), terminal.as_deref()),
        codex_home: shared::path(context.lookup.layout().home()),
        platform_family: std::env::consts::FAMILY.to_owned(),
        platform_os: std::env::consts::OS.to_owned(),
        server_info: wire::ServerInfo {
            name: "plugd".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        capabilities: wire::ServerCapabilities {
            plugd: wire::PlugdServerCapabilities::built(),
        },
    };
    let mut reply = Reply::of(&result)?;
    let config = read_config(&context.blocking, &context.lookup, None).await?;
    for warning in config.warnings() {
        reply = reply.and_then(note(warning)?);
    }
    Ok(reply)
}

fn note(warning: &ConfigWarning) -> Result<Note, WireError> {
    let ConfigWarning {
        summary,
        details,
        path,
        range,
    } = warning;
    let position = |place: &Place| wire::TextPosition {
        line: place.line,
        column: place.column,
    };
    Note::of::<wire::notifications::ConfigWarning>(&wire::ConfigWarningNotification {
        summary: summary.clone(),
        details: details.clone(),
        path: path.as_ref().map(shared::path),
        range: range.as_ref().map(|(start, end)| wire::TextRange {
            start: position(start),
            end: position(end),
        }),
    })
}
