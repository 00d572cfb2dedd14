//! Requirements of the Agent Plugins specification that concern several components at once; those
//! of one component stand beside it. Every test is named for its section.

use plugd_disk::Disk;
use plugd_manifest::Loader;
use plugd_model::{AbsPath, PluginId};
use pretty_assertions::assert_eq;

use crate::fixture::Plugin;
use crate::{
    McpTransport, Placeholders, Platform, apps, hooks, mcp_definitions, mcp_server_names,
    migrated_commands, skills,
};

const SCHEMA: &str = "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json";

fn skill(name: &str) -> String {
    format!("---\nname: {name}\ndescription: d\n---\n")
}

fn servers(servers: &str) -> String {
    format!("{{\"$schema\": \"{SCHEMA}\", \"mcpServers\": {{{servers}}}}}")
}

/// What is loaded of a plugin: names of skills, names of servers, and the problems of both.
#[track_caller]
fn check(plugin: &Plugin, expected_skills: &[&str], expected_servers: &[&str], problems: &[&str]) {
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let names: Vec<_> = found.items.iter().map(|s| s.bare_name.as_str()).collect();
    assert_eq!(names, expected_skills);
    let servers = mcp_server_names(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(servers.items, expected_servers);
    let all: Vec<_> = found.problems.into_iter().chain(servers.problems).collect();
    assert_eq!(plugin.problems(&all), problems);
}

const SERVER: &str = r#""s": {"type": "stdio", "command": "x"}"#;

#[cfg(unix)]
#[test]
fn section_4_1_a_component_outside_the_root_is_invalid_alone() {
    let outside = |plugin: Plugin| {
        let dir = plugin.outside().join("other/a");
        plugin.disk.create_dirs(&dir).unwrap();
        let write = |path: &AbsPath, text: String| {
            plugin.disk.replace(path, text.as_bytes(), 0o644).unwrap();
        };
        write(&dir.join("SKILL.md"), skill("a"));
        write(&plugin.outside().join("mcp.json"), servers(SERVER));
        plugin
    };
    let no_servers = Plugin::agent()
        .file("skills/a/SKILL.md", skill("a"))
        .link("mcp.json", "../mcp.json");
    check(&outside(no_servers), &["a"], &[], &["badPath mcp.json"]);
    let no_skills = Plugin::agent()
        .file("mcp.json", servers(SERVER))
        .link("skills", "../other");
    check(&outside(no_skills), &[], &["s"], &["badPath skills"]);
    let one_skill = Plugin::agent()
        .file("mcp.json", servers(SERVER))
        .file("skills/b/SKILL.md", skill("b"))
        .link("skills/a", "../../other/a");
    check(&outside(one_skill), &["b"], &["s"], &["badPath skills/a"]);
}

#[cfg(unix)]
#[test]
fn section_4_1_links_inside_the_root_are_followed() {
    let plugin = Plugin::agent()
        .file("real/mcp.json", servers(SERVER))
        .file("real/skills/a/SKILL.md", skill("a"))
        .link("mcp.json", "real/mcp.json")
        .link("skills", "real/skills");
    check(&plugin, &["a"], &["s"], &[]);
}

#[cfg(unix)]
#[test]
fn section_4_1_other_paths_outside_the_root_are_denied() {
    let plugin = Plugin::agent()
        .file("skills/a/SKILL.md", skill("a"))
        .link("skills/a/agents/openai.yaml", "/etc/passwd")
        .file("skills/b/SKILL.md", skill("b"))
        .file(
            "skills/b/agents/openai.yaml",
            "interface:\n  icon_small: assets/i.png",
        )
        .link("skills/b/assets", "/etc");
    let problems = [
        "badPath skills/a/agents/openai.yaml",
        "badPath skills/b/agents/openai.yaml interface.icon_small 2:15",
    ];
    check(&plugin, &["a", "b"], &[], &problems);
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert!(found.items.iter().all(|skill| skill.interface.is_none()));
}

#[test]
fn section_4_1_values_that_are_no_paths_are_opaque() {
    let plugin = Plugin::agent().file(
        "mcp.json",
        servers(
            r#""s": {"type": "stdio", "command": "x", "args": ["../../x", "/etc/passwd"], "env": {"P": "../.."}}"#,
        ),
    );
    check(&plugin, &[], &["s"], &[]);
    let (args, env) = started(&plugin);
    assert_eq!(args, ["../../x", "/etc/passwd"]);
    assert!(env.contains(&("P".to_owned(), "../..".to_owned())));
}

/// Arguments and variables of the one server as a host starts it.
fn started(plugin: &Plugin) -> (Vec<String>, Vec<(String, String)>) {
    let definition = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest)
        .items
        .remove(0);
    let directories = Placeholders {
        plugin_root: plugin.root(),
        plugin_data: AbsPath::new("/data").unwrap(),
    };
    let server = definition.resolved(&plugin.disk, &directories, Platform::Unix);
    match server.unwrap().transport {
        McpTransport::Stdio { args, env, .. } => (args, env),
        McpTransport::Http { .. } => panic!("a process is expected"),
    }
}

#[test]
fn section_5_2_a_rejected_manifest_has_no_components() {
    let plugin = Plugin::agent()
        .file(
            "plugin.json",
            r#"{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json", "name": "Bad Name"}"#,
        )
        .file("skills/a/SKILL.md", skill("a"));
    let loaded = Loader::new(Disk::new()).plugin(&plugin.root());
    // Without a manifest there is nothing that a component could be asked of.
    assert!(loaded.is_err());
}

#[test]
fn section_6_2_a_missing_location_is_no_error() {
    check(&Plugin::agent(), &[], &[], &[]);
    check(
        &Plugin::agent().file("mcp.json", servers(SERVER)),
        &[],
        &["s"],
        &[],
    );
    check(
        &Plugin::agent().file("skills/a/SKILL.md", skill("a")),
        &["a"],
        &[],
        &[],
    );
}

#[test]
fn section_6_2_a_location_of_the_wrong_kind_leaves_the_others() {
    let plugin = Plugin::agent()
        .file("skills", "x")
        .file("mcp.json", servers(SERVER));
    check(&plugin, &[], &["s"], &["notAFile skills"]);
    let plugin = Plugin::agent()
        .dir("mcp.json")
        .file("skills/a/SKILL.md", skill("a"));
    check(&plugin, &["a"], &[], &["notAFile mcp.json"]);
}

#[test]
fn section_7_component_types_of_other_formats_are_ignored() {
    let hook = r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}"#;
    let plugin = Plugin::agent()
        .file("hooks/hooks.json", hook)
        .file(".app.json", r#"{"apps": {"a": {"id": "x"}}}"#)
        .file("commands/c.md", "---\ndescription: d\n---\n")
        .file("agents/a.md", "x")
        .file(".mcp.json", r#"{"x": {"command": "x"}}"#);
    check(&plugin, &[], &[], &[]);
    let id = PluginId::parse("p@m").unwrap();
    let root = plugin.root();
    let hooks = hooks(&plugin.disk, &root, &plugin.manifest, &id);
    assert_eq!((hooks.items.len(), hooks.problems.len()), (0, 0));
    let apps = apps(&plugin.disk, &root, &plugin.manifest);
    assert_eq!((apps.items.len(), apps.problems.len()), (0, 0));
    let commands = migrated_commands(&plugin.disk, &root, &plugin.manifest);
    assert_eq!((commands.items.len(), commands.problems.len()), (0, 0));
}

#[test]
fn section_7_1_the_name_of_the_file_is_exact() {
    let plugin = Plugin::agent()
        .file("skills/a/skill.md", skill("a"))
        .file("skills/b/SKILL.MD", skill("b"))
        .dir("skills/c/SKILL.md")
        .file("skills/d/SKILL.md", skill("d"));
    let problems = [
        "badName skills/a/skill.md",
        "badName skills/b/SKILL.MD",
        "notAFile skills/c/SKILL.md",
    ];
    check(&plugin, &["d"], &[], &problems);
}

#[test]
fn section_7_2_2_a_broken_file_disables_servers_and_nothing_else() {
    let broken = [
        ("{", "syntax mcp.json 1:1"),
        ("[]", "wrongType mcp.json 1:1"),
        ("{\"mcpServers\": {}}", "missingField mcp.json 1:1"),
    ];
    for (file, problem) in broken {
        let plugin = Plugin::agent()
            .file("skills/a/SKILL.md", skill("a"))
            .file("mcp.json", file);
        check(&plugin, &["a"], &[], &[problem]);
    }
    let other = servers(SERVER).replace("1.0.0", "1.1.0");
    let plugin = Plugin::agent()
        .file("skills/a/SKILL.md", skill("a"))
        .file("mcp.json", other);
    check(
        &plugin,
        &["a"],
        &[],
        &["unsupportedSchema mcp.json $schema 1:13"],
    );
}

#[test]
fn section_7_2_2_a_bad_server_leaves_the_others() {
    let plugin = Plugin::agent().file("skills/a/SKILL.md", skill("a")).file(
        "mcp.json",
        servers(r#""bad": {"type": "stdio"}, "s": {"type": "stdio", "command": "x"}"#),
    );
    let problem = "missingField mcp.json mcpServers.bad 1:94";
    check(&plugin, &["a"], &["s"], &[problem]);
}

#[test]
fn section_8_2_directories_of_clients_hold_no_components() {
    let plugin = Plugin::agent()
        .file("com.openai/skills/a/SKILL.md", skill("a"))
        .file("com.openai/mcp.json", servers(SERVER))
        .file("com.example.client/hooks/hooks.json", "{");
    check(&plugin, &[], &[], &[]);
}

#[test]
fn section_9_1_variables_of_the_server_stand_beside_those_of_the_host() {
    let plugin = Plugin::agent().file(
        "mcp.json",
        servers(
            r#""s": {"type": "stdio", "command": "x", "env": {"B": "${PLUGIN_DATA}/b", "A": ""}}"#,
        ),
    );
    let root = plugin.root().to_text();
    let (_, env) = started(&plugin);
    let lines: Vec<_> = env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        lines,
        [
            "A=".to_owned(),
            "B=/data/b".to_owned(),
            "PLUGIN_DATA=/data".to_owned(),
            format!("PLUGIN_ROOT={root}"),
        ]
    );
}

#[test]
fn section_9_2_commands_are_one_token_and_not_expanded() {
    let command = |text: &str| {
        let server = format!(r#""s": {{"type": "stdio", "command": "{text}", "args": ["a b"]}}"#);
        let plugin = Plugin::agent().file("mcp.json", servers(&server));
        let found = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest);
        let definition = found.items.into_iter().next()?;
        let directories = Placeholders {
            plugin_root: plugin.root(),
            plugin_data: AbsPath::new("/data").unwrap(),
        };
        let server = definition.resolved(&plugin.disk, &directories, Platform::Unix);
        match server.unwrap().transport {
            McpTransport::Stdio { command, args, .. } => Some((command, args)),
            McpTransport::Http { .. } => panic!("a process is expected"),
        }
    };
    let args = vec!["a b".to_owned()];
    for none in ["my tool", "npx -y x", "./x --flag"] {
        assert_eq!(command(none), None, "{none}");
    }
    assert_eq!(
        command("${PLUGIN_ROOT}"),
        Some(("${PLUGIN_ROOT}".to_owned(), args))
    );
}

#[test]
fn section_11_3_failures_stay_where_they_are() {
    let plugin = Plugin::agent()
        .file("skills/a/SKILL.md", skill("a"))
        .file("skills/b/SKILL.md", "no front matter")
        .file(
            "mcp.json",
            servers(r#""s": {"type": "stdio", "command": "x"}, "old": {"type": "sse", "url": "https://x"}"#),
        );
    let problems = [
        "syntax skills/b/SKILL.md 1:1",
        "badValue mcp.json mcpServers.old.type 1:143",
    ];
    check(&plugin, &["a"], &["s"], &problems);
}
