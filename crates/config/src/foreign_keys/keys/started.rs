//! What is started or called: hooks, servers and providers of models.

use super::super::shape::Shape::{
    self, Either, Flag, List, NotBlank, Row, Seconds, Table, Tagged, Text, Words,
};
use super::{ANY_TABLE, NATURAL, NOT_ZERO, PORT, TEXT_TABLE, TEXTS, TOOL_APPROVAL, TOOL_SURFACES};

/// The events that can have handlers. The table `state` is judged by its reader.
pub(super) const HOOKS: Shape = Table(&[
    ("PermissionRequest", HANDLERS),
    ("PostCompact", HANDLERS),
    ("PostToolUse", HANDLERS),
    ("PreCompact", HANDLERS),
    ("PreToolUse", HANDLERS),
    ("SessionEnd", HANDLERS),
    ("SessionStart", HANDLERS),
    ("Stop", HANDLERS),
    ("SubagentStart", HANDLERS),
    ("SubagentStop", HANDLERS),
    ("UserPromptSubmit", HANDLERS),
]);

const HANDLERS: Shape = List(&Table(&[("hooks", List(&HANDLER)), ("matcher", Text)]));

const HANDLER: Shape = Tagged(&[
    (
        "command",
        Row(
            &["command"],
            &[
                ("async", Flag),
                ("command", Text),
                ("commandWindows", Text),
                ("command_windows", Text),
                ("statusMessage", Text),
                ("timeout", NATURAL),
            ],
        ),
    ),
    (
        "mcp_tool",
        Row(
            &["server", "tool"],
            &[
                ("input", ANY_TABLE),
                ("server", Text),
                ("statusMessage", Text),
                ("timeout", NATURAL),
                ("tool", Text),
            ],
        ),
    ),
    ("prompt", ANY_TABLE),
    ("agent", ANY_TABLE),
]);

/// Which members go together is judged in `relations`, and `enabled` by the reader of the servers.
pub(super) const SERVER: Shape = Table(&[
    ("args", TEXTS),
    ("auth", Words(&["oauth", "chatgpt", "ema_auth"])),
    ("bearer_token", Text),
    ("bearer_token_env_var", Text),
    ("command", Text),
    ("cwd", Text),
    ("default_tools_approval_mode", TOOL_APPROVAL),
    ("disabled_tools", TEXTS),
    ("enabled_tools", TEXTS),
    ("env", TEXT_TABLE),
    ("env_http_headers", TEXT_TABLE),
    (
        "env_vars",
        List(&Either(
            &Text,
            &Row(
                &["name"],
                &[("name", Text), ("source", Words(&["local", "remote"]))],
            ),
        )),
    ),
    ("environment_id", Text),
    ("http_headers", TEXT_TABLE),
    ("http_headers_helper", NotBlank),
    ("name", Text),
    (
        "oauth",
        Table(&[("callback_port", PORT), ("client_id", Text)]),
    ),
    ("oauth_resource", Text),
    ("omit_tools_from", TOOL_SURFACES),
    ("required", Flag),
    ("scopes", TEXTS),
    ("startup_readiness", Words(&["connection", "catalog"])),
    ("startup_timeout_ms", NATURAL),
    ("startup_timeout_sec", Seconds),
    ("supports_parallel_tool_calls", Flag),
    ("tool_timeout_sec", Seconds),
    (
        "tools",
        Table(&[("*", Table(&[("approval_mode", TOOL_APPROVAL)]))]),
    ),
    ("url", Text),
]);

/// Which members go together, and which providers are built in, is judged in `relations`.
pub(super) const PROVIDER: Shape = Table(&[
    (
        "auth",
        Row(
            &["command"],
            &[
                ("args", TEXTS),
                ("command", NotBlank),
                ("cwd", Text),
                ("refresh_interval_ms", NATURAL),
                ("timeout_ms", NOT_ZERO),
            ],
        ),
    ),
    ("aws", ANY_TABLE),
    ("base_url", Text),
    ("env_http_headers", TEXT_TABLE),
    ("env_key", Text),
    ("env_key_instructions", Text),
    ("experimental_bearer_token", Text),
    ("http_headers", TEXT_TABLE),
    ("name", NotBlank),
    ("query_params", TEXT_TABLE),
    ("request_max_retries", NATURAL),
    ("requires_openai_auth", Flag),
    ("stream_idle_timeout_ms", NATURAL),
    ("stream_max_retries", NATURAL),
    ("supports_websockets", Flag),
    ("websocket_connect_timeout_ms", NATURAL),
    ("wire_api", Words(&["responses"])),
]);
