//! A hook on its way to the wire: what `hooks/list` and `plugd/components` tell alike of one.

use plugd_model::AbsPath;
use plugd_plugins::{HookDeclaration, HookHandler, HookTrust};
use plugd_protocol as wire;

use super::plugin_read;

/// A hook that can run, in pieces.
pub(super) struct RunnableHook {
    pub(super) key: String,
    pub(super) event_name: wire::HookEventName,
    pub(super) matcher: Option<String>,
    pub(super) file: Option<AbsPath>,
    pub(super) action: Action,
    pub(super) timeout_sec: u64,
    pub(super) status_message: Option<String>,
    pub(super) additional_context_limit: Option<u64>,
}

/// What would run.
pub(super) enum Action {
    Command {
        command: String,
        is_async: bool,
    },
    McpTool {
        server: String,
        tool: String,
        input: String,
    },
}

/// Takes a declaration apart; nothing of one that cannot run. `command` stands in the place of the
/// one that was written, for this system and with its placeholders filled.
pub(super) fn runnable(
    declaration: HookDeclaration,
    command: Option<String>,
) -> Option<RunnableHook> {
    let runs_async = declaration.runs_async();
    let effective_matcher = declaration.effective_matcher().map(str::to_owned);
    let HookDeclaration {
        key,
        event,
        matcher: _,
        has_bad_matcher: _,
        file,
        handler,
    } = declaration;
    let (action, timeout_sec, status_message, additional_context_limit) = match handler {
        HookHandler::Command {
            command: written,
            command_windows: _,
            timeout_sec,
            is_async: _,
            status_message,
            additional_context_limit,
        } => {
            let action = Action::Command {
                command: command.unwrap_or(written),
                is_async: runs_async,
            };
            (
                action,
                timeout_sec,
                status_message,
                additional_context_limit,
            )
        }
        HookHandler::McpTool {
            server,
            tool,
            input,
            timeout_sec,
            status_message,
        } => {
            let action = Action::McpTool {
                server,
                tool,
                input,
            };
            (action, timeout_sec, status_message, None)
        }
        HookHandler::Prompt | HookHandler::Agent => return None,
    };
    Some(RunnableHook {
        key,
        event_name: plugin_read::event_name(event),
        matcher: effective_matcher,
        file,
        action,
        timeout_sec,
        status_message,
        additional_context_limit,
    })
}

pub(super) fn trust_status(trust: HookTrust) -> wire::HookTrustStatus {
    match trust {
        HookTrust::Untrusted => wire::HookTrustStatus::Untrusted,
        HookTrust::Trusted => wire::HookTrustStatus::Trusted,
        HookTrust::Modified => wire::HookTrustStatus::Modified,
    }
}
