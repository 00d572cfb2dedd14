//! The MCP servers in the answer of `plugd/components`.

use std::time::Duration;

use plugd_model::{AbsPath, ToolApproval};
use plugd_plugins::{
    EffectiveServer, HttpProtocol, McpOauth, McpTransport, NeededVariable, ResolvedMcpServer,
    VariableUse,
};
use plugd_protocol as wire;
use serde_json::{Map, Value};

use super::plugd_components::Bringers;
use super::shared;

pub(super) fn server(server: EffectiveServer, by: &Bringers) -> wire::PlugdMcpServer {
    let EffectiveServer {
        plugin,
        resolved,
        enabled,
        required,
        oauth: sign_in,
        scopes,
        startup_timeout,
        tool_timeout,
        enabled_tools,
        disabled_tools,
        default_approval,
        tool_approvals,
        extra,
    } = server;
    let ResolvedMcpServer {
        name,
        transport: way,
        needs,
        // Told among the problems.
        absent: _,
    } = resolved;
    let brought = by.of_plugin(&plugin);
    let approvals = tool_approvals.into_iter();
    // A member was JSON in the file; one that is not any more says nothing.
    let extra = extra
        .into_iter()
        .filter_map(|(name, json)| Some((name, serde_json::from_str(&json).ok()?)));
    wire::PlugdMcpServer {
        name,
        plugin_id: brought.plugin_id,
        plugin_display_name: brought.display_name,
        version: brought.version,
        transport: transport(way),
        oauth: sign_in.map(oauth),
        scopes,
        startup_timeout_ms: startup_timeout.map(milliseconds),
        tool_timeout_ms: tool_timeout.map(milliseconds),
        enabled_tools,
        disabled_tools,
        default_tools_approval_mode: default_approval.map(approval),
        tools_approval_mode: approvals
            .map(|(tool, mode)| (tool, approval(mode)))
            .collect(),
        needed_env: needs.into_iter().map(need).collect(),
        enabled,
        required,
        extra: extra.collect(),
    }
}

/// The members of a text that was a JSON object when it was read.
pub(super) fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

fn transport(transport: McpTransport) -> wire::PlugdMcpTransport {
    match transport {
        McpTransport::Stdio {
            command,
            args,
            env,
            env_vars,
            cwd,
        } => wire::PlugdMcpTransport::Stdio {
            command,
            args,
            env: env.into_iter().collect(),
            env_vars,
            cwd: cwd.map(directory),
        },
        McpTransport::Http {
            url,
            protocol,
            headers,
            env_headers,
            bearer_token_env_var,
            headers_helper,
        } => wire::PlugdMcpTransport::Http {
            url,
            protocol: match protocol {
                HttpProtocol::Streamable => wire::PlugdMcpHttpProtocol::StreamableHttp,
                HttpProtocol::Sse => wire::PlugdMcpHttpProtocol::Sse,
            },
            headers: headers.into_iter().collect(),
            env_headers: env_headers.into_iter().collect(),
            bearer_token_env_var,
            headers_helper,
        },
    }
}

/// A path, or a text that begins with a variable which the host has to look up.
fn directory(text: String) -> wire::AbsolutePathBuf {
    match AbsPath::new(&text) {
        Ok(path) => shared::path(&path),
        Err(_) => wire::AbsolutePathBuf(text),
    }
}

fn oauth(oauth: McpOauth) -> wire::PlugdMcpOauth {
    let McpOauth {
        client_id,
        callback_port,
        json,
    } = oauth;
    wire::PlugdMcpOauth {
        client_id,
        callback_port,
        declared: object(&json),
    }
}

fn approval(approval: ToolApproval) -> wire::PlugdToolApproval {
    match approval {
        ToolApproval::Auto => wire::PlugdToolApproval::Auto,
        ToolApproval::Prompt => wire::PlugdToolApproval::Prompt,
        ToolApproval::Writes => wire::PlugdToolApproval::Writes,
        ToolApproval::Approve => wire::PlugdToolApproval::Approve,
    }
}

fn need(need: NeededVariable) -> wire::PlugdNeededEnv {
    let NeededVariable {
        name,
        default,
        purpose,
        member,
    } = need;
    wire::PlugdNeededEnv {
        name,
        default,
        purpose: match purpose {
            VariableUse::Text => wire::PlugdNeededEnvPurpose::Text,
            VariableUse::Passed => wire::PlugdNeededEnvPurpose::Passed,
            VariableUse::Header => wire::PlugdNeededEnvPurpose::Header,
            VariableUse::BearerToken => wire::PlugdNeededEnvPurpose::BearerToken,
        },
        member,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
