//! The keys that the reference types, and what it takes there.
//!
//! Every row was tried on the reference: a value that fits is written, any other is refused there.
//! A member that is not named may hold anything. A path may be relative: the reference refuses one
//! in a write and loads the file that holds it.

use super::shape::Member;
use super::shape::Shape::{
    self, Either, Filled, Flag, List, Row, Table, Tagged, Text, Whole, Words,
};

mod allowed;
mod started;
mod tables;

use allowed::{APPROVAL_POLICY, APPS, BROWSER_USE, COMPUTER_USE, PERMISSIONS};
use started::{HOOKS, PROVIDER, SERVER};
use tables::{AGENTS, FEATURES, MEMORIES, NOTICE, OTEL, REALTIME, SUGGESTED, TOOLS, TUI};

const TEXTS: Shape = List(&Text);
/// A table of strings under names of any kind.
const TEXT_TABLE: Shape = Table(&[("*", Text)]);
const FLAG_TABLE: Shape = Table(&[("*", Flag)]);
const ANY_TABLE: Shape = Table(&[]);

const INTEGER: Shape = Whole(i64::MIN, i64::MAX);
const INTEGER_32: Shape = Whole(i32::MIN as i64, i32::MAX as i64);
const NATURAL: Shape = Whole(0, i64::MAX);
const NATURAL_32: Shape = Whole(0, u32::MAX as i64);
const NOT_ZERO: Shape = Whole(1, i64::MAX);
const PORT: Shape = Whole(0, u16::MAX as i64);

const ACCESS: Shape = Words(&["allow", "deny"]);
const REVIEWER: Shape = Words(&["user", "auto_review", "guardian_subagent"]);
const TOOL_APPROVAL: Shape = Words(&["auto", "prompt", "writes", "approve"]);
const TOOL_SURFACES: Shape = List(&Words(&["code_mode", "deferred", "direct"]));

/// All of them.
pub(super) const KEYS: &[Member] = &[
    ("agents", AGENTS),
    ("allow_login_shell", Flag),
    ("analytics", Table(&[("enabled", Flag)])),
    ("approval_policy", APPROVAL_POLICY),
    ("approvals_reviewer", REVIEWER),
    ("apps", APPS),
    ("apps_mcp_product_sku", Text),
    ("audio", Table(&[("microphone", Text), ("speaker", Text)])),
    ("auto_review", Table(&[("policy", Text)])),
    ("background_terminal_max_timeout", NATURAL),
    ("browser_use", BROWSER_USE),
    ("chatgpt_base_url", Text),
    ("check_for_update_on_startup", Flag),
    (
        "cli_auth_credentials_store",
        Words(&["file", "keyring", "auto", "ephemeral"]),
    ),
    ("compact_prompt", Text),
    ("computer_use", COMPUTER_USE),
    ("default_permissions", Text),
    ("desktop", ANY_TABLE),
    ("developer_instructions", Text),
    ("disable_paste_burst", Flag),
    ("experimental_compact_prompt_file", Text),
    ("experimental_realtime_start_instructions", Text),
    ("experimental_realtime_ws_backend_prompt", Text),
    ("experimental_realtime_ws_base_url", Text),
    ("experimental_realtime_ws_model", Text),
    (
        "experimental_thread_store",
        Tagged(&[
            ("local", ANY_TABLE),
            ("in_memory", Row(&["id"], &[("id", Text)])),
        ]),
    ),
    ("experimental_thread_store_endpoint", Text),
    ("experimental_use_unified_exec_tool", Flag),
    ("features", FEATURES),
    ("feedback", Table(&[("enabled", Flag)])),
    (
        "file_opener",
        Words(&["vscode", "vscode-insiders", "windsurf", "cursor", "none"]),
    ),
    ("forced_chatgpt_workspace_id", Either(&Text, &TEXTS)),
    ("forced_login_method", Words(&["chatgpt", "api"])),
    (
        "ghost_snapshot",
        Table(&[
            ("disable_warnings", Flag),
            ("ignore_large_untracked_dirs", INTEGER),
            ("ignore_large_untracked_files", INTEGER),
        ]),
    ),
    ("hide_agent_reasoning", Flag),
    (
        "history",
        Table(&[
            ("max_bytes", NATURAL),
            ("persistence", Words(&["save-all", "none"])),
        ]),
    ),
    ("hooks", HOOKS),
    ("include_apps_instructions", Flag),
    ("include_collaboration_mode_instructions", Flag),
    ("include_environment_context", Flag),
    ("include_permissions_instructions", Flag),
    ("instructions", Text),
    ("js_repl_node_module_dirs", TEXTS),
    ("js_repl_node_path", Text),
    ("log_dir", Text),
    ("mcp_oauth_callback_port", PORT),
    ("mcp_oauth_callback_url", Text),
    (
        "mcp_oauth_credentials_store",
        Words(&["auto", "file", "keyring"]),
    ),
    ("mcp_servers", Table(&[("*", SERVER)])),
    ("memories", MEMORIES),
    ("model", Text),
    ("model_auto_compact_token_limit", INTEGER),
    (
        "model_auto_compact_token_limit_scope",
        Words(&["total", "body_after_prefix"]),
    ),
    ("model_catalog_json", Text),
    ("model_context_window", INTEGER),
    ("model_instructions_file", Text),
    ("model_provider", Text),
    ("model_providers", Table(&[("*", PROVIDER)])),
    ("model_reasoning_effort", Filled),
    (
        "model_reasoning_summary",
        Words(&["auto", "concise", "detailed", "none"]),
    ),
    ("model_verbosity", Words(&["low", "medium", "high"])),
    ("notice", NOTICE),
    ("notify", TEXTS),
    ("openai_base_url", Text),
    (
        "orchestrator",
        Table(&[
            ("mcp", Table(&[("enabled", Flag)])),
            ("skills", Table(&[("enabled", Flag)])),
        ]),
    ),
    ("oss_provider", Text),
    ("otel", OTEL),
    ("permissions", Table(&[("*", PERMISSIONS)])),
    ("personality", Words(&["none", "friendly", "pragmatic"])),
    ("plan_mode_reasoning_effort", Filled),
    ("project_doc_fallback_filenames", TEXTS),
    ("project_doc_max_bytes", NATURAL),
    ("project_root_markers", TEXTS),
    (
        "projects",
        Table(&[(
            "*",
            Table(&[("trust_level", Words(&["trusted", "untrusted"]))]),
        )]),
    ),
    ("realtime", REALTIME),
    ("review_model", Text),
    (
        "sandbox_mode",
        Words(&["read-only", "workspace-write", "danger-full-access"]),
    ),
    (
        "sandbox_workspace_write",
        Table(&[
            ("exclude_slash_tmp", Flag),
            ("exclude_tmpdir_env_var", Flag),
            ("network_access", Flag),
            ("writable_roots", TEXTS),
        ]),
    ),
    ("service_tier", Text),
    (
        "shell_environment_policy",
        Table(&[
            ("exclude", TEXTS),
            ("experimental_use_profile", Flag),
            ("ignore_default_excludes", Flag),
            ("include_only", TEXTS),
            ("inherit", Words(&["core", "all", "none"])),
            ("set", TEXT_TABLE),
        ]),
    ),
    ("show_raw_agent_reasoning", Flag),
    ("sqlite_home", Text),
    ("suppress_unstable_features_warning", Flag),
    ("tool_output_token_limit", NATURAL),
    (
        "tool_suggest",
        Table(&[
            ("disabled_tools", List(&SUGGESTED)),
            ("discoverables", List(&SUGGESTED)),
        ]),
    ),
    ("tools", TOOLS),
    ("tui", TUI),
    (
        "web_search",
        Words(&["disabled", "cached", "indexed", "live"]),
    ),
    (
        "windows",
        Table(&[("sandbox", Words(&["elevated", "unelevated", "mxc"]))]),
    ),
];
