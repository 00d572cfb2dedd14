//! `hooks/list`.

use std::sync::Arc;

use plugd_model::AbsPath;
use plugd_plugins::call::Call;
use plugd_plugins::{HookDeclaration, HookLayer, HookRow, HooksSeen, LayerHook};
use plugd_protocol as wire;

use super::hook::{Action, RunnableHook, runnable, trust_status};
use super::shared;
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
    let HooksSeen {
        layers,
        hooks,
        problems,
        errors,
    } = seen;
    let of_layers = layers.into_iter().map(of_layer);
    let hooks = of_layers.chain(hooks.into_iter().map(of_plugin));
    // Like the reference: what cannot be used of a file of hooks is a warning with the file in its
    // text, and `errors` is for files of the configuration.
    let warnings = problems.iter().map(|problem| match &problem.path {
        Some(path) => format!("{path}: {}", problem.message),
        None => problem.message.clone(),
    });
    let broken = errors.iter().filter_map(|problem| {
        Some(wire::HookErrorInfo {
            path: shared::path(problem.path.as_ref()?),
            message: problem.message.clone(),
        })
    });
    wire::HooksListEntry {
        cwd,
        hooks: hooks
            .zip(0_i64..)
            .filter_map(|(hook, order)| row(hook, order))
            .collect(),
        warnings: warnings.collect(),
        errors: broken.collect(),
        problems: errors
            .iter()
            .chain(&problems)
            .cloned()
            .map(shared::problem)
            .collect(),
    }
}

/// A hook that can run, whosoever it is.
struct Listed {
    declaration: HookDeclaration,
    source: wire::HookSource,
    plugin_id: Option<String>,
    is_managed: bool,
    file: AbsPath,
    command: Option<String>,
    enabled: bool,
    current_hash: String,
    trust_status: wire::HookTrustStatus,
}

fn of_layer(hook: LayerHook) -> Listed {
    let LayerHook {
        declaration,
        layer,
        file,
        command,
        enabled,
        hash,
        trust,
    } = hook;
    let is_managed = layer.is_managed();
    Listed {
        declaration,
        source: match layer {
            HookLayer::System => wire::HookSource::System,
            HookLayer::User => wire::HookSource::User,
            HookLayer::Project => wire::HookSource::Project,
            HookLayer::Flags => wire::HookSource::SessionFlags,
            HookLayer::Managed => wire::HookSource::LegacyManagedConfigFile,
        },
        plugin_id: None,
        is_managed,
        file,
        command,
        enabled,
        current_hash: hash.to_string(),
        trust_status: match is_managed {
            true => wire::HookTrustStatus::Managed,
            false => trust_status(trust),
        },
    }
}

fn of_plugin(row: HookRow) -> Listed {
    let HookRow {
        declaration,
        plugin,
        file,
        command,
        enabled,
        hash,
        trust,
    } = row;
    Listed {
        declaration,
        source: wire::HookSource::Plugin,
        plugin_id: Some(plugin.to_string()),
        is_managed: false,
        file,
        command,
        enabled,
        current_hash: hash.to_string(),
        trust_status: trust_status(trust),
    }
}

/// A hook that can run; others have been left out before.
fn row(listed: Listed, display_order: i64) -> Option<wire::HookMetadata> {
    let Listed {
        declaration,
        source,
        plugin_id,
        is_managed,
        file,
        command,
        enabled,
        current_hash,
        trust_status,
    } = listed;
    // The file comes with what the hook was found in.
    let RunnableHook {
        key,
        event_name,
        matcher,
        file: _,
        action,
        timeout_sec,
        status_message,
        additional_context_limit,
    } = runnable(declaration, command)?;
    let handler = match action {
        Action::Command { command, is_async } => {
            wire::HookMetadataHandler::Command { command, is_async }
        }
        Action::McpTool {
            server,
            tool,
            input: _,
        } => wire::HookMetadataHandler::McpTool { server, tool },
    };
    Some(wire::HookMetadata {
        key,
        event_name,
        handler,
        matcher,
        timeout_sec,
        status_message,
        additional_context_limit,
        source_path: shared::path(&file),
        source,
        plugin_id,
        environment_id: None,
        display_order,
        enabled,
        is_managed,
        current_hash,
        trust_status,
    })
}
