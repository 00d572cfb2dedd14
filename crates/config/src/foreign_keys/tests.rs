use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use crate::write::tests::{set, write_to};
use crate::{Edit, KeyPath, Merge, WriteError};

/// The edit that writes this line of TOML.
fn edit(line: &str) -> Edit {
    let (key, value) = line.split_once(" = ").unwrap();
    let value: toml_edit::Value = value.parse().unwrap();
    let value = crate::tree::Node::of_value(&value, crate::tree::Mark::nowhere()).to_json();
    set(key, value)
}

/// The value is refused, at this field, and stays writable next to where it stands already.
#[track_caller]
fn refused(line: &str, field: &str) {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    match write_to(&sandbox, &[edit(line)]) {
        Err(WriteError::Invalid { field: found, .. }) => assert_eq!(found, field, "{line}"),
        other => panic!("{line}: {other:?}"),
    }
    assert_eq!(sandbox.text("ch/config.toml"), "a = 1\n");
    // Who has such a file can still change the rest of it.
    sandbox.write("ch/config.toml", format!("{line}\n"));
    write_to(&sandbox, &[set("zzz", 5.into())]).unwrap();
    let key = edit(line).key_path;
    write_to(&sandbox, &[Edit::delete(key)]).unwrap();
}

#[track_caller]
fn accepted(line: &str) {
    let sandbox = Sandbox::new();
    let written = write_to(&sandbox, &[edit(line)]).unwrap();
    assert!(written.changed, "{line}");
}

#[test]
fn projects() {
    refused("projects = 5", "projects");
    refused("projects.x = 5", "projects.x");
    refused(
        "projects.\"/a\".trust_level = \"maybe\"",
        "projects.\"/a\".trust_level",
    );
    refused(
        "projects.\"/a\" = { trust_level = 5 }",
        "projects.\"/a\".trust_level",
    );
    accepted("projects.\"/a\".trust_level = \"trusted\"");
    accepted("projects.\"/a\" = { trust_level = \"untrusted\", more = 5 }");
}

#[test]
fn skills() {
    refused("skills = 5", "skills");
    refused("skills.config = 5", "skills.config");
    refused("skills.config = {}", "skills.config");
    refused("skills.config = [5]", "skills.config.0");
    refused(
        "skills.config = [{ enabled = 5 }]",
        "skills.config.0.enabled",
    );
    refused("skills.config = [{ path = \"/a\" }]", "skills.config.0");
    refused(
        "skills.config = [{ enabled = true }, { path = 5, enabled = true }]",
        "skills.config.1.path",
    );
    refused(
        "skills = { config = [{ name = 5, enabled = true }] }",
        "skills.config.0.name",
    );
    refused("skills.bundled = 5", "skills.bundled");
    refused(
        "skills.include_instructions = 5",
        "skills.include_instructions",
    );
    accepted("skills.config = []");
    accepted("skills.config = [{ name = \"s\", enabled = false }]");
    accepted("skills = { config = [{ path = \"/a\", enabled = true }], x = 1 }");
}

#[test]
fn servers() {
    refused("mcp_servers = 5", "mcp_servers");
    refused("mcp_servers.x = 5", "mcp_servers.x");
    refused("mcp_servers.x.command = 5", "mcp_servers.x.command");
    let server = |rest: &str| format!("mcp_servers.x = {{ command = \"a\", {rest} }}");
    for (rest, at) in [
        ("enabled = 5", ".enabled"),
        ("args = 5", ".args"),
        ("url = \"http://x\"", ""),
        ("bearer_token = \"t\"", ".bearer_token"),
        ("http_headers = {}", ".http_headers"),
        ("env = { a = 5 }", ".env.a"),
        ("env_vars = [{ source = \"local\" }]", ".env_vars.0"),
        ("startup_timeout_sec = \"1\"", ".startup_timeout_sec"),
        ("startup_timeout_sec = -1", ".startup_timeout_sec"),
        ("startup_timeout_ms = 1.5", ".startup_timeout_ms"),
        ("tool_timeout_sec = -0.5", ".tool_timeout_sec"),
        ("tool_timeout_sec = 1e30", ".tool_timeout_sec"),
        (
            "default_tools_approval_mode = \"x\"",
            ".default_tools_approval_mode",
        ),
        (
            "tools = { t = { approval_mode = \"x\" } }",
            ".tools.t.approval_mode",
        ),
    ] {
        refused(&server(rest), &format!("mcp_servers.x{at}"));
    }
    refused(
        "mcp_servers.x = { url = \"http://x\", env = {} }",
        "mcp_servers.x.env",
    );
    accepted(&server("args = [\"b\"], more = 5"));
    accepted(&server(
        "startup_timeout_sec = 1, tool_timeout_sec = 0.5, env_vars = [\"A\", { name = \"B\" }]",
    ));
    accepted("mcp_servers.x = { url = \"\", oauth = { callback_port = 80 } }");
}

#[test]
fn a_server_can_be_reached() {
    refused("mcp_servers.x.enabled = false", "mcp_servers.x");
    refused("mcp_servers.x = {}", "mcp_servers.x");
    let file = "[mcp_servers.x]\ncommand = \"c\"\nargs = []\n";
    let key = |text: &str| KeyPath::parse(text).unwrap();
    let row = serde_json::json!({ "enabled": false });
    let upsert = |value: &serde_json::Value| Edit {
        strategy: Merge::Upsert,
        ..Edit::set(key("mcp_servers.x"), value.clone())
    };
    for (edits, is_written) in [
        (vec![Edit::delete(key("mcp_servers.x.command"))], false),
        (vec![Edit::set(key("mcp_servers.x"), row.clone())], false),
        (vec![upsert(&row)], true),
        (vec![set("mcp_servers.x.enabled", false.into())], true),
        (vec![Edit::delete(key("mcp_servers.x"))], true),
        // Only what the edits make together counts.
        (
            vec![
                Edit::delete(key("mcp_servers.x.args")),
                Edit::delete(key("mcp_servers.x.command")),
                set("mcp_servers.x.url", "http://x".into()),
                set("mcp_servers.y.enabled", false.into()),
                set("mcp_servers.y.command", "c".into()),
            ],
            true,
        ),
    ] {
        let sandbox = Sandbox::from(&format!("== ch/config.toml\n{file}"));
        let written = write_to(&sandbox, &edits);
        assert_eq!(written.is_ok(), is_written, "{edits:?}: {written:?}");
        if let Err(error) = written {
            assert!(
                error.to_string().contains("a `command` or a `url`"),
                "{error}"
            );
            assert_eq!(sandbox.text("ch/config.toml"), file);
        }
    }
    // Who has such a file mends it step by step.
    let sandbox = Sandbox::from("== ch/config.toml\n[mcp_servers.x]\nenabled = true\n");
    write_to(&sandbox, &[set("mcp_servers.x.enabled", false.into())]).unwrap();
    write_to(&sandbox, &[set("mcp_servers.x.command", "c".into())]).unwrap();
}

#[test]
fn servers_of_plugins() {
    let field = |rest: &str| format!("plugins.\"a@b\".mcp_servers.{rest}");
    for (rest, value, at) in [
        ("x", "5", "x"),
        ("x.enabled", "5", "x.enabled"),
        ("x", "{ enabled = \"no\" }", "x.enabled"),
        ("x.enabled_tools", "5", "x.enabled_tools"),
        ("x.disabled_tools", "[5]", "x.disabled_tools.0"),
        (
            "x.default_tools_approval_mode",
            "\"foo\"",
            "x.default_tools_approval_mode",
        ),
        ("x.tools", "{ y = 5 }", "x.tools.y"),
        (
            "x.tools.y.approval_mode",
            "\"foo\"",
            "x.tools.y.approval_mode",
        ),
    ] {
        refused(&format!("{} = {value}", field(rest)), &field(at));
    }
    accepted(&format!("{} = {{ enabled = false }}", field("x")));
    accepted(&format!(
        "{} = \"writes\"",
        field("x.tools.y.approval_mode")
    ));
}

#[test]
fn single_values() {
    for key in ["model", "model_provider", "model_reasoning_effort"] {
        refused(&format!("{key} = 5"), key);
        accepted(&format!("{key} = \"any\""));
    }
    refused("sandbox_mode = 5", "sandbox_mode");
    refused("sandbox_mode = \"foo\"", "sandbox_mode");
    accepted("sandbox_mode = \"read-only\"");
    refused("approval_policy = 5", "approval_policy");
    refused("approval_policy = \"foo\"", "approval_policy");
    refused("approval_policy = {}", "approval_policy");
    refused(
        "approval_policy = { granular = 5 }",
        "approval_policy.granular",
    );
    refused(
        "approval_policy = { granular = { rules = true } }",
        "approval_policy.granular",
    );
    accepted("approval_policy = \"on-request\"");
    accepted(
        "approval_policy = { granular = { mcp_elicitations = true, rules = true, \
         sandbox_approval = true } }",
    );
    accepted("approval_policy = { never = {} }");
    refused("hooks = 5", "hooks");
    refused("tui = 5", "tui");
    refused("notify = 5", "notify");
    refused("features.other = 5", "features.other");
    accepted("features.other = true");
    accepted("unknown_thing = 5");
}

#[test]
fn handlers_of_hooks() {
    refused("hooks.Stop = 5", "hooks.Stop");
    refused("hooks.Stop = [5]", "hooks.Stop.0");
    let of = |handler: &str| format!("hooks.Stop = [{{ matcher = \"x\", hooks = [{handler}] }}]");
    for (handler, at) in [
        ("5", ""),
        ("{}", ""),
        ("{ type = 5 }", ".type"),
        ("{ type = \"x\" }", ".type"),
        ("{ type = \"command\" }", ""),
        ("{ type = \"command\", command = 5 }", ".command"),
        (
            "{ type = \"command\", command = \"c\", timeout = -1 }",
            ".timeout",
        ),
        ("{ type = \"mcp_tool\", server = \"s\" }", ""),
    ] {
        refused(&of(handler), &format!("hooks.Stop.0.hooks.0{at}"));
    }
    accepted(&of(
        "{ type = \"command\", command = \"c\", timeout = 5, later = 5 }",
    ));
    accepted(&of("{ type = \"mcp_tool\", server = \"s\", tool = \"t\" }"));
    accepted(&of("{ type = \"prompt\", timeout = \"x\" }"));
    accepted("hooks.Later = 5");
    refused("project_root_markers = \".git\"", "project_root_markers");
    refused("project_root_markers = [5]", "project_root_markers.0");
    accepted("project_root_markers = [\".git\"]");
}

#[test]
fn tables_hold_what_the_reference_reads() {
    for name in [
        "agents",
        "analytics",
        "apps",
        "browser_use",
        "desktop",
        "feedback",
        "history",
        "memories",
        "model_providers",
        "notice",
        "otel",
        "permissions",
        "sandbox_workspace_write",
        "shell_environment_policy",
        "tool_suggest",
        "tools",
        "windows",
    ] {
        for value in ["5", "\"x\"", "true", "[5]"] {
            refused(&format!("{name} = {value}"), name);
        }
        accepted(&format!("{name} = {{}}"));
    }
    for (line, at) in [
        ("agents.a = 5", ""),
        ("agents.max_depth = 5000000000", ""),
        ("apps.a.enabled = 5", ""),
        ("apps._default.approvals_reviewer = \"x\"", ""),
        ("history.persistence = \"x\"", ""),
        ("history.max_bytes = -1", ""),
        ("memories.use_memories = \"yes\"", ""),
        ("model_providers.a = { name = \" \" }", ".name"),
        ("model_providers.a = { base_url = \"u\" }", ""),
        ("model_providers.openai = { name = \"n\" }", ""),
        (
            "model_providers.a = { name = \"n\", wire_api = \"chat\" }",
            ".wire_api",
        ),
        (
            "model_providers.a = { name = \"n\", auth = { command = \"c\" }, env_key = \"k\" }",
            "",
        ),
        ("otel.exporter = \"x\"", ""),
        ("otel.exporter = {}", ""),
        ("otel.exporter.otlp-grpc = {}", ""),
        ("permissions.p.filesystem.\"/a\" = \"x\"", ""),
        ("permissions.p.network.domains.\"a.b\" = 5", ""),
        ("sandbox_workspace_write.writable_roots = \"/a\"", ""),
        ("shell_environment_policy.set = { a = 5 }", ".a"),
        ("tool_suggest.discoverables = [{ type = \"plugin\" }]", ".0"),
        ("tools.web_search = 5", ""),
        ("tui.notifications = 5", ""),
        ("tui.model_availability_nux.m = -1", ""),
        ("windows.sandbox = \"x\"", ""),
    ] {
        let key = line.split_once(" = ").unwrap().0;
        refused(line, &format!("{key}{at}"));
    }
    accepted("agents.a.description = \"d\"");
    accepted("model_providers.a = { name = \"n\", base_url = \"u\", later = 5 }");
    accepted("otel.exporter = { otlp-grpc = { endpoint = \"e\" } }");
    accepted("otel.exporter = \"none\"");
    accepted("permissions.p.filesystem.\"/a\" = { b = \"read\" }");
    accepted("tools.web_search = true");
    accepted("tools.web_search = { context_size = \"low\" }");
    accepted("tui.notifications = [\"a\"]");
    accepted("desktop.anything = [5, { a = 1 }]");
}

#[test]
fn scalars_hold_what_the_reference_reads() {
    for key in ["review_model", "service_tier", "instructions"] {
        refused(&format!("{key} = 5"), key);
        accepted(&format!("{key} = \"any\""));
    }
    for (key, word) in [
        ("web_search", "live"),
        ("personality", "pragmatic"),
        ("model_verbosity", "low"),
        ("file_opener", "cursor"),
        ("forced_login_method", "api"),
    ] {
        refused(&format!("{key} = 5"), key);
        refused(&format!("{key} = \"other\""), key);
        accepted(&format!("{key} = \"{word}\""));
        accepted(&format!("{key} = {{ {word} = {{}} }}"));
    }
    // A relative path is loaded from a file.
    for key in ["log_dir", "sqlite_home"] {
        refused(&format!("{key} = 5"), key);
        accepted(&format!("{key} = \"logs\""));
    }
    refused("model_reasoning_effort = \"\"", "model_reasoning_effort");
    refused("model_context_window = 1.5", "model_context_window");
    accepted("model_context_window = -5");
    refused("mcp_oauth_callback_port = 65536", "mcp_oauth_callback_port");
    accepted("mcp_oauth_callback_port = 65535");
    accepted("forced_chatgpt_workspace_id = \"a\"");
    accepted("forced_chatgpt_workspace_id = [\"a\"]");
    refused(
        "forced_chatgpt_workspace_id = [5]",
        "forced_chatgpt_workspace_id.0",
    );
}

#[test]
fn a_profile_has_a_file_of_its_own() {
    refused("profiles.x.model = \"m\"", "profiles.x.model");
    refused("profiles = {}", "profiles");
    let sandbox = Sandbox::from("== ch/config.toml\n[profiles.x]\nmodel = \"m\"\n");
    let error = write_to(&sandbox, &[set("profiles.x.model", "m".into())]).unwrap_err();
    assert!(error.to_string().contains("x.config.toml"), "{error}");
}

#[test]
fn a_profile_is_not_selected_in_a_file() {
    refused("profile = \"work\"", "profile");
    refused("profile = 5", "profile");
    let sandbox = Sandbox::from("== ch/config.toml\nprofile = \"work\"\n");
    let error = write_to(&sandbox, &[set("profile", "play".into())]).unwrap_err();
    assert!(error.to_string().contains("--profile play"), "{error}");
    let gone = Edit::delete(KeyPath::parse("profile").unwrap());
    write_to(&sandbox, &[gone]).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), "");
}
