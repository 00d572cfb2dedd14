//! The other tables with members of their own.

use super::super::shape::Shape::{self, Either, Filled, Flag, Row, Table, Text, Variant, Words};
use super::{
    ACCESS, ANY_TABLE, FLAG_TABLE, INTEGER, INTEGER_32, NATURAL, NATURAL_32, TEXT_TABLE, TEXTS,
};

pub(super) const AGENTS: Shape = Table(&[
    ("default_subagent_model", Text),
    ("default_subagent_reasoning_effort", Filled),
    ("enabled", Flag),
    ("interrupt_message", Flag),
    ("job_max_runtime_seconds", NATURAL),
    ("max_concurrent_threads_per_session", NATURAL),
    ("max_depth", INTEGER_32),
    ("max_threads", NATURAL),
    (
        "*",
        Table(&[
            ("config_file", Text),
            ("description", Text),
            ("nickname_candidates", TEXTS),
        ]),
    ),
]);

/// Nearly all switches are booleans, and these can also have a table.
pub(super) const FEATURES: Shape = Table(&[
    ("apps_mcp_path_override", SWITCH),
    ("async_compaction", SWITCH),
    ("code_mode", SWITCH),
    ("code_mode_host", SWITCH),
    ("context_management", SWITCH),
    ("current_time_reminder", SWITCH),
    ("guardianv2", SWITCH),
    ("guardianv3", SWITCH),
    (
        "multi_agent_v2",
        Either(
            &Flag,
            &Table(&[
                ("default_wait_timeout_ms", INTEGER),
                ("enabled", Flag),
                ("hide_spawn_agent_metadata", Flag),
                ("max_concurrent_threads_per_session", NATURAL),
                ("max_wait_timeout_ms", INTEGER),
                ("min_wait_timeout_ms", INTEGER),
                ("usage_hint_enabled", Flag),
                ("usage_hint_text", Text),
            ]),
        ),
    ),
    (
        "network_proxy",
        Either(
            &Flag,
            &Table(&[
                ("domains", Table(&[("*", ACCESS)])),
                ("enabled", Flag),
                ("proxy_url", Text),
            ]),
        ),
    ),
    ("non_prefixed_mcp_tool_names", SWITCH),
    ("rollout_budget", SWITCH),
    ("runtime_agent_instances", SWITCH),
    ("sleep_tool", SWITCH),
    ("token_budget", SWITCH),
    ("*", Flag),
]);

const SWITCH: Shape = Either(&Flag, &Table(&[("enabled", Flag)]));

pub(super) const MEMORIES: Shape = Table(&[
    ("consolidation_model", Text),
    ("dedicated_tools", Flag),
    ("disable_on_external_context", Flag),
    ("extract_model", Text),
    ("generate_memories", Flag),
    ("max_raw_memories_for_consolidation", NATURAL),
    ("max_rollout_age_days", INTEGER),
    ("max_rollouts_per_startup", NATURAL),
    ("max_unused_days", INTEGER),
    ("min_rate_limit_remaining_percent", INTEGER),
    ("min_rollout_idle_hours", INTEGER),
    ("no_memories_if_mcp_or_web_search", Flag),
    ("use_memories", Flag),
    ("version", Words(&["v1", "v2"])),
]);

pub(super) const NOTICE: Shape = Table(&[
    (
        "external_config_migration_prompts",
        Table(&[("home", Flag), ("projects", FLAG_TABLE)]),
    ),
    ("fast_default_opt_out", Flag),
    ("hide_full_access_warning", Flag),
    ("hide_gpt5_1_migration_prompt", Flag),
    ("hide_rate_limit_model_nudge", Flag),
    ("hide_world_writable_warning", Flag),
    ("model_migrations", TEXT_TABLE),
]);

pub(super) const OTEL: Shape = Table(&[
    ("environment", Text),
    ("exporter", EXPORTER),
    ("log_user_prompt", Flag),
    ("metrics_exporter", EXPORTER),
    ("span_attributes", TEXT_TABLE),
    ("trace_exporter", EXPORTER),
    ("tracestate", Table(&[("*", TEXT_TABLE)])),
]);

const EXPORTER: Shape = Either(
    &Words(&["none", "statsig"]),
    &Variant(&[
        (
            "otlp-grpc",
            Row(
                &["endpoint"],
                &[("endpoint", Text), ("headers", TEXT_TABLE), ("tls", TLS)],
            ),
        ),
        (
            "otlp-http",
            Row(
                &["endpoint", "protocol"],
                &[
                    ("endpoint", Text),
                    ("headers", TEXT_TABLE),
                    ("protocol", Words(&["binary", "json"])),
                    ("tls", TLS),
                ],
            ),
        ),
    ]),
);

const TLS: Shape = Table(&[
    ("ca-certificate", Text),
    ("client-certificate", Text),
    ("client-private-key", Text),
]);

pub(super) const REALTIME: Shape = Table(&[
    ("transport", Words(&["webrtc", "websocket"])),
    ("type", Words(&["conversational", "transcription"])),
    ("version", Words(&["v1", "v2", "v3"])),
    ("voice", Words(VOICES)),
]);

const VOICES: &[&str] = &[
    "alloy", "arbor", "ash", "aube", "ballad", "breeze", "bubbie", "cedar", "coral", "cove",
    "echo", "ember", "haetsal", "hanul", "himari", "juniper", "leher", "maple", "marin", "miko",
    "neer", "porto", "rindo", "rio", "rivage", "sage", "selva", "shimmer", "sol", "sonna",
    "spruce", "tinta", "vale", "verse", "viola",
];

pub(super) const SUGGESTED: Shape = Row(
    &["type", "id"],
    &[("id", Text), ("type", Words(&["connector", "plugin"]))],
);

pub(super) const TOOLS: Shape = Table(&[
    (
        "experimental_request_user_input",
        Table(&[("enabled", Flag)]),
    ),
    ("update_plan", Table(&[("enabled", Flag)])),
    (
        "web_search",
        Either(
            &Flag,
            &Table(&[
                ("allowed_domains", TEXTS),
                ("context_size", Words(&["low", "medium", "high"])),
                (
                    "location",
                    Table(&[
                        ("city", Text),
                        ("country", Text),
                        ("region", Text),
                        ("timezone", Text),
                    ]),
                ),
            ]),
        ),
    ),
]);

pub(super) const TUI: Shape = Table(&[
    ("alternate_screen", Words(&["auto", "always", "never"])),
    ("animations", Flag),
    ("effects", ANY_TABLE),
    ("keymap", ANY_TABLE),
    ("model_availability_nux", Table(&[("*", NATURAL_32)])),
    ("notification_condition", Words(&["unfocused", "always"])),
    (
        "notification_method",
        Words(&["auto", "osc9", "osc777", "bel"]),
    ),
    ("notifications", Either(&Flag, &TEXTS)),
    ("pet", Text),
    ("pet_anchor", Words(&["composer", "screen-bottom"])),
    ("raw_output_mode", Flag),
    ("session_picker_view", Words(&["comfortable", "dense"])),
    ("show_tooltips", Flag),
    ("status_line", TEXTS),
    ("status_line_use_colors", Flag),
    ("terminal_resize_reflow_max_rows", NATURAL),
    ("terminal_title", TEXTS),
    ("theme", Text),
    ("vim_mode_default", Flag),
]);
