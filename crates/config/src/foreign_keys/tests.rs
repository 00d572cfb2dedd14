use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use crate::write::tests::{set, write_to};
use crate::{Edit, KeyPath, WriteError};

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
    refused(
        "mcp_servers.x = { command = \"a\", enabled = 5 }",
        "mcp_servers.x.enabled",
    );
    refused(
        "mcp_servers.x = { command = \"a\", args = 5 }",
        "mcp_servers.x.args",
    );
    refused(
        "mcp_servers.x = { command = \"a\", url = \"http://x\" }",
        "mcp_servers.x",
    );
    accepted("mcp_servers.x = { command = \"a\", args = [\"b\"], more = 5 }");
    accepted("mcp_servers.x.enabled = false");
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
    accepted("approval_policy = \"on-request\"");
    accepted("approval_policy = { granular = { sandbox_approval = true } }");
    refused("profiles = 5", "profiles");
    refused("profiles.x = 5", "profiles.x");
    refused("hooks = 5", "hooks");
    refused("tui = 5", "tui");
    refused("notify = 5", "notify");
    refused("features.other = 5", "features.other");
    accepted("features.other = true");
    accepted("unknown_thing = 5");
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
