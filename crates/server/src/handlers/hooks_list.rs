//! `hooks/list`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{HookDeclaration, HookHandler, HookRow, HookTrust, HooksSeen};
use plugd_protocol as wire;

use super::{plugin_read, shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::HooksListParams,
) -> Result<Reply, WireError> {
    let wire::HooksListParams { cwds, thread_id: _ } = params;
    let (named, paths) = shared::loose_cwds(&context, cwds)?;
    let seen = plugd_plugins::hooks(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        paths,
    )
    .await?;
    let data = named.into_iter().zip(seen);
    Reply::of(&wire::HooksListResponse {
        data: data.map(|(cwd, seen)| entry(cwd, seen)).collect(),
    })
}

fn entry(cwd: String, seen: HooksSeen) -> wire::HooksListEntry {
    let HooksSeen { hooks, problems } = seen;
    let hooks = hooks.into_iter().zip(0_i64..);
    // Like the reference: what cannot be used of a file is a warning with the file in its text, and
    // `errors` stays for files of the configuration, which are not listed here.
    let warnings = problems.iter().map(|problem| match &problem.path {
        Some(path) => format!("{path}: {}", problem.message),
        None => problem.message.clone(),
    });
    wire::HooksListEntry {
        cwd,
        hooks: hooks.filter_map(|(hook, order)| row(hook, order)).collect(),
        warnings: warnings.collect(),
        errors: Vec::new(),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

/// A hook that can run; others have been left out before.
fn row(row: HookRow, display_order: i64) -> Option<wire::HookMetadata> {
    let HookRow {
        declaration,
        plugin,
        file,
        command,
        enabled,
        hash,
        trust,
    } = row;
    let is_async = declaration.runs_async();
    let matcher = declaration.effective_matcher().map(str::to_owned);
    let HookDeclaration {
        key,
        event,
        matcher: _,
        has_bad_matcher: _,
        file: _,
        handler,
    } = declaration;
    let (handler, timeout_sec, status_message, additional_context_limit) = match handler {
        HookHandler::Command {
            command: written,
            command_windows: _,
            timeout_sec,
            is_async: _,
            status_message,
            additional_context_limit,
        } => {
            let command = command.unwrap_or(written);
            let handler = wire::HookMetadataHandler::Command { command, is_async };
            (
                handler,
                timeout_sec,
                status_message,
                additional_context_limit,
            )
        }
        HookHandler::McpTool {
            server,
            tool,
            input: _,
            timeout_sec,
            status_message,
        } => {
            let handler = wire::HookMetadataHandler::McpTool { server, tool };
            (handler, timeout_sec, status_message, None)
        }
        HookHandler::Prompt | HookHandler::Agent => return None,
    };
    Some(wire::HookMetadata {
        key,
        event_name: plugin_read::event_name(event),
        handler,
        matcher,
        timeout_sec,
        status_message,
        additional_context_limit,
        source_path: shared::path(&file),
        source: wire::HookSource::Plugin,
        plugin_id: Some(plugin.to_string()),
        environment_id: None,
        display_order,
        enabled,
        is_managed: false,
        current_hash: hash.to_string(),
        trust_status: match trust {
            HookTrust::Untrusted => wire::HookTrustStatus::Untrusted,
            HookTrust::Trusted => wire::HookTrustStatus::Trusted,
            HookTrust::Modified => wire::HookTrustStatus::Modified,
        },
    })
}
