use plugd_model::{McpDeclaration, PluginPath};
use pretty_assertions::assert_eq;

use super::{mcp_definitions, mcp_server_names};
use crate::fixture::Plugin;

#[track_caller]
fn check_plugin(plugin: &Plugin, names: &[&str], problems: &[&str]) {
    let found = mcp_server_names(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items, names);
    assert_eq!(plugin.problems(&found.problems), problems);
}

#[track_caller]
fn check(file: &str, names: &[&str], problems: &[&str]) {
    check_plugin(&Plugin::new().file(".mcp.json", file), names, problems);
}

#[test]
fn a_misspelt_wrapper_is_told_and_is_no_server() {
    for wrapper in ["mcp_servers", "McpServers", "mcpServer", "servers"] {
        check(
            &format!(r#"{{"{wrapper}": {{"a": {{"command": "x"}}}}}}"#),
            &[],
            &[&format!(
                "unknownField .mcp.json {wrapper} 1:{}",
                wrapper.len() + 6
            )],
        );
    }
    check(
        r#"{"mcp_servers": {"command": "x"}}"#,
        &["mcp_servers"],
        &[],
    );
    check(r#"{"servers": {"command": "x"}}"#, &["servers"], &[]);
    check(
        r#"{"servers": {"comand": "x"}}"#,
        &[],
        &[
            "unknownField .mcp.json servers.comand 1:24",
            "missingField .mcp.json servers 1:13",
        ],
    );
}

#[test]
fn wrapped_and_bare_servers() {
    let server = r#"{"command": "x"}"#;
    check(
        &format!(r#"{{"mcpServers": {{"b": {server}, "a": {server}}}}}"#),
        &["a", "b"],
        &[],
    );
    check(
        &format!(r#"{{"b": {server}, "a": {server}}}"#),
        &["a", "b"],
        &[],
    );
    check(
        &format!(r#"{{"mcpServers": {{}}, "b": {server}}}"#),
        &[],
        &[],
    );
    check(
        &format!(r#"{{"mcpServers": 5, "b": {server}}}"#),
        &["b"],
        &["wrongType .mcp.json mcpServers 1:16"],
    );
    check(
        &format!(r#"{{"$schema": "x", "b": {server}}}"#),
        &["b"],
        &["wrongType .mcp.json $schema 1:13"],
    );
    check(
        &format!(r#"{{"servers": {{"b": {server}}}}}"#),
        &[],
        &["unknownField .mcp.json servers 1:13"],
    );
    check_plugin(&Plugin::new(), &[], &[]);
}

#[test]
fn a_server_that_cannot_be_understood_is_dropped_alone() {
    check(
        r#"{"mcpServers": {"ok": {"url": "http://x"},
"num": 5,
"both": {"command": "x", "url": "y"},
"none": {"command": null},
"command": {"command": 5},
"args": {"command": "x", "args": [5]},
"env": {"command": "x", "env": {"A": 5}},
"time": {"command": "x", "startup_timeout_sec": "x"},
"on": {"command": "x", "enabled": "x"}}}"#,
        &["ok"],
        &[
            "wrongType .mcp.json mcpServers.num 2:8",
            "badValue .mcp.json mcpServers.both.url 3:33",
            "missingField .mcp.json mcpServers.none 4:9",
            "wrongType .mcp.json mcpServers.command.command 5:24",
            "wrongType .mcp.json mcpServers.args.args[0] 6:35",
            "wrongType .mcp.json mcpServers.env.env.A 7:38",
            "wrongType .mcp.json mcpServers.time.startup_timeout_sec 8:49",
            "wrongType .mcp.json mcpServers.on.enabled 9:35",
        ],
    );
}

#[test]
fn what_is_declared_is_listed_whether_or_not_it_can_start() {
    check(
        r#"{"mcpServers": {"": {"command": "x"}, "bad name": {"command": ""},
            "off": {"command": "x", "disabled": true, "enabled": false}, "url": {"url": "nonsense"}}}"#,
        &["", "bad name", "off", "url"],
        &[
            "badName .mcp.json mcpServers. 1:21",
            "badName .mcp.json mcpServers.bad name 1:51",
        ],
    );
}

#[test]
fn each_name_once_and_its_json_is_kept() {
    let plugin = Plugin::new().file(
        ".mcp.json",
        r#"{"mcpServers": {"a": {"command": "x"}, "a": { "command":"y", "future": [1] }}}"#,
    );
    let found = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items.len(), 1);
    assert_eq!(found.items[0].json, r#"{ "command":"y", "future": [1] }"#);
    assert_eq!(
        plugin.problems(&found.problems),
        ["duplicate .mcp.json mcpServers.a 1:45"]
    );
}

#[test]
fn an_unusable_file_says_why() {
    check("[]", &[], &["wrongType .mcp.json 1:1"]);
    check("{", &[], &["syntax .mcp.json 1:1"]);
    check("\u{feff}{}", &[], &["syntax .mcp.json 1:1"]);
    check_plugin(
        &Plugin::new().dir(".mcp.json"),
        &[],
        &["notAFile .mcp.json"],
    );
}

#[test]
fn what_the_manifest_declares_replaces_the_file() {
    let with = |declaration: McpDeclaration| {
        Plugin::new()
            .file(".mcp.json", r#"{"default": {"command": "x"}}"#)
            .file("a.json", r#"{"named": {"command": "x"}}"#)
            .with(|manifest| manifest.mcp_servers = declaration)
    };
    let file = |path: &str| McpDeclaration::File(PluginPath::parse(path).unwrap());
    check_plugin(&with(McpDeclaration::Default), &["default"], &[]);
    check_plugin(&with(file("./a.json")), &["named"], &[]);
    check_plugin(&with(file("./gone.json")), &[], &["missing gone.json"]);
    check_plugin(&with(McpDeclaration::Nothing), &[], &[]);
    let inline = |text: &str| with(McpDeclaration::Inline(text.to_owned()));
    check_plugin(&inline(r#"{"x": {"command": "x"}}"#), &["x"], &[]);
    check_plugin(
        &inline(r#"{"mcpServers": {"x": {"command": "x"}}}"#),
        &["x"],
        &[],
    );
    check_plugin(
        &inline(r#"{"x": {"command": "x"}, "y": {"command": 5}}"#),
        &["x"],
        &["wrongType mcpServers.y.command"],
    );
}

const SCHEMA: &str = "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json";

#[track_caller]
fn check_agent(servers: &str, names: &[&str], problems: &[&str]) {
    let file = format!("{{\"$schema\": \"{SCHEMA}\", \"mcpServers\": {{\n{servers}}}}}");
    let problems: Vec<_> = problems
        .iter()
        .map(|line| line.replacen(' ', " mcp.json mcpServers.", 1))
        .collect();
    let problems: Vec<_> = problems.iter().map(String::as_str).collect();
    check_plugin(&Plugin::agent().file("mcp.json", file), names, &problems);
}

#[test]
fn section_7_2_1_only_mcp_json_at_the_root_counts() {
    let plugin = Plugin::agent()
        .file(".mcp.json", r#"{"a": {"command": "x"}}"#)
        .with(|manifest| {
            manifest.mcp_servers = McpDeclaration::Inline(r#"{"b": {"command": "x"}}"#.to_owned());
        });
    check_plugin(&plugin, &[], &[]);
}

#[test]
fn section_7_2_1_top_level_rules() {
    let agent = |file: &str| Plugin::agent().file("mcp.json", file);
    let ok = r#"{"a": {"type": "stdio", "command": "x"}}"#;
    let other = SCHEMA.replace("1.0.0", "2.0.0");
    check_plugin(
        &agent(&format!(r#"{{"$schema": "{SCHEMA}", "mcpServers": {{}}}}"#)),
        &[],
        &[],
    );
    for (file, problem) in [
        (
            format!(r#"{{"mcpServers": {ok}}}"#),
            "missingField mcp.json 1:1",
        ),
        (
            format!(r#"{{"$schema": 5, "mcpServers": {ok}}}"#),
            "wrongType mcp.json $schema 1:13",
        ),
        (
            format!(r#"{{"$schema": "{other}", "mcpServers": {ok}}}"#),
            "unsupportedSchema mcp.json $schema 1:13",
        ),
        (
            format!(r#"{{"$schema": "{SCHEMA}"}}"#),
            "missingField mcp.json 1:1",
        ),
        (
            format!(r#"{{"$schema": "{SCHEMA}", "mcpServers": null}}"#),
            "wrongType mcp.json mcpServers 1:86",
        ),
        (
            format!(r#"{{"x": 1, "$schema": "{SCHEMA}", "mcpServers": {ok}}}"#),
            "unknownField mcp.json x 1:7",
        ),
        ("[]".to_owned(), "wrongType mcp.json 1:1"),
        ("{".to_owned(), "syntax mcp.json 1:1"),
    ] {
        check_plugin(&agent(&file), &[], &[problem]);
    }
}

#[test]
fn section_6_2_a_location_of_the_wrong_kind_is_invalid() {
    check_plugin(&Plugin::agent(), &[], &[]);
    check_plugin(
        &Plugin::agent().dir("mcp.json"),
        &[],
        &["notAFile mcp.json"],
    );
}

#[test]
fn section_7_2_1_each_server_is_one_closed_variant() {
    check_agent(
        r#""stdio": {"type": "stdio", "command": "x", "args": ["${X}"], "env": {"A": "b"}, "cwd": "./"},
"http": {"type": "streamable-http", "url": "https://x.y", "headers": {"X-A": "b"}},
"notype": {"command": "x"},
"type": {"type": "http", "url": "https://x.y"},
"unknown": {"type": "stdio", "command": "x", "foo": 1},
"mixed": {"type": "stdio", "command": "x", "url": "https://x.y"},
"mixed2": {"type": "streamable-http", "url": "https://x.y", "command": "x"},
"nocommand": {"type": "stdio"},
"nourl": {"type": "streamable-http"},
"null": {"type": "stdio", "command": "x", "cwd": null},
"args": {"type": "stdio", "command": "x", "args": "y"},
"number": 5"#,
        &["http", "stdio"],
        &[
            "missingField notype 4:11",
            "badValue type.type 5:18",
            "unknownField unknown.foo 6:53",
            "unknownField mixed.url 7:51",
            "unknownField mixed2.command 8:72",
            "missingField nocommand 9:14",
            "missingField nourl 10:10",
            "wrongType null.cwd 11:50",
            "wrongType args.args 12:51",
            "wrongType number 13:11",
        ],
    );
}

#[test]
fn section_7_2_2_an_unsupported_transport_is_skipped() {
    check_agent(
        r#""old": {"type": "sse", "url": "https://x.y"}, "new": {"type": "stdio", "command": "x"}"#,
        &["new"],
        &["badValue old.type 2:17"],
    );
}

#[test]
fn section_7_2_1_commands() {
    let check = |command: &str, ok: bool| {
        let servers = format!(r#""s": {{"type": "stdio", "command": "{command}"}}"#);
        let file = format!("{{\"$schema\": \"{SCHEMA}\", \"mcpServers\": {{{servers}}}}}");
        let plugin = Plugin::agent()
            .file("mcp.json", file)
            .file("bin/my tool", "")
            .file("run", "");
        let found = mcp_server_names(&plugin.disk, &plugin.root(), &plugin.manifest);
        assert_eq!(found.items.len() == 1, ok, "{command}");
        assert_eq!(found.problems.is_empty(), ok, "{command}");
    };
    for good in ["npx", "./bin/my tool", "./bin/x", "./bin/../x", "${X}"] {
        check(good, true);
    }
    for bad in [
        "",
        " ",
        ".",
        "..",
        "/x",
        "a/b",
        "a\\\\b",
        "../x",
        "./../x",
        "./a/../../x",
        "${PLUGIN_ROOT}/x",
        "my tool",
        "npx -y x",
        " npx",
        "npx\\t-y",
        "./bin/x --flag",
        "./",
        "./.",
        "./bin",
        "./bin/",
        "./bin/..",
        "./gone/",
        "./run/",
        "./run/x",
        "./run/x/y",
    ] {
        check(bad, false);
    }
}

#[test]
fn section_7_2_1_working_directories() {
    let check = |cwd: &str, ok: bool| {
        let servers = format!(r#""s": {{"type": "stdio", "command": "x", "cwd": "{cwd}"}}"#);
        let file = format!("{{\"$schema\": \"{SCHEMA}\", \"mcpServers\": {{{servers}}}}}");
        let plugin = Plugin::agent().file("mcp.json", file);
        let found = mcp_server_names(&plugin.disk, &plugin.root(), &plugin.manifest);
        assert_eq!(found.items.len() == 1, ok, "{cwd}");
    };
    for good in [
        "./",
        "./x",
        "${PLUGIN_ROOT}",
        "${PLUGIN_ROOT}/x",
        "${PLUGIN_DATA}",
        "${PLUGIN_DATA}/a/../b",
    ] {
        check(good, true);
    }
    for bad in [
        "",
        ".",
        "x",
        "/x",
        "../x",
        "./../x",
        "${PLUGIN_ROOT}x",
        "${PLUGIN_ROOT}/..",
        "${PLUGIN_DATA}/../x",
        "${HOME}/x",
    ] {
        check(bad, false);
    }
}

#[cfg(unix)]
#[test]
fn section_4_1_commands_and_directories_stay_inside() {
    let servers = r#""out": {"type": "stdio", "command": "./bin/out"},
"in": {"type": "stdio", "command": "./bin/in"},
"cwd": {"type": "stdio", "command": "x", "cwd": "./away/x"}"#;
    let file = format!("{{\"$schema\": \"{SCHEMA}\", \"mcpServers\": {{\n{servers}}}}}");
    let plugin = Plugin::agent()
        .file("mcp.json", file)
        .file("real", "")
        .link("bin/in", "../real")
        .link("bin/out", "/bin/sh")
        .link("away", "/etc");
    check_plugin(
        &plugin,
        &["in"],
        &[
            "badPath mcp.json mcpServers.out.command 2:37",
            "badPath mcp.json mcpServers.cwd.cwd 4:49",
        ],
    );
    check_plugin(
        &Plugin::agent().link("mcp.json", "/etc/passwd"),
        &[],
        &["badPath mcp.json"],
    );
}

#[test]
fn section_9_2_reserved_variables_may_not_be_set() {
    check_agent(
        r#""a": {"type": "stdio", "command": "x", "env": {"PLUGIN_ROOT": "x"}},
"b": {"type": "stdio", "command": "x", "env": {"PLUGIN_DATA": "x"}},
"c": {"type": "stdio", "command": "x", "env": {"OTHER": 5}},
"d": {"type": "stdio", "command": "x", "env": {"OTHER": "${PLUGIN_ROOT}"}}"#,
        &["d"],
        &[
            "badValue a.env.PLUGIN_ROOT 2:63",
            "badValue b.env.PLUGIN_DATA 3:63",
            "wrongType c.env.OTHER 4:57",
        ],
    );
}

#[test]
fn section_7_2_1_remote_servers() {
    check_agent(
        r#""plain": {"type": "streamable-http", "url": "http://x.y"},
"local": {"type": "streamable-http", "url": "http://localhost:1"},
"name": {"type": "streamable-http", "url": "https://x", "headers": {"A b": "c"}},
"value": {"type": "streamable-http", "url": "https://x", "headers": {"A": "c\nd"}},
"twice": {"type": "streamable-http", "url": "https://x", "headers": {"A": "c", "a": "d"}}"#,
        &["local"],
        &[
            "badValue plain.url 2:45",
            "badValue name.headers.A b 4:76",
            "badValue value.headers.A 5:75",
            "badValue twice.headers.a 6:85",
        ],
    );
}

#[test]
fn problems_in_a_manifest_have_their_place() {
    let text = "{\"name\": \"p\",\n \"mcpServers\": {\"a\": {\"command\": 5}, \"b\": {\"command\": \"x\"}}}";
    let servers = r#"{"a": {"command": 5}, "b": {"command": "x"}}"#;
    let declare = |servers: &str| {
        Plugin::new()
            .file(".codex-plugin/plugin.json", text)
            .with(|m| m.mcp_servers = McpDeclaration::Inline(servers.to_owned()))
    };
    check_plugin(
        &declare(servers),
        &["b"],
        &["wrongType .codex-plugin/plugin.json mcpServers.a.command 2:34"],
    );
    // The file has changed since the manifest was read.
    check_plugin(
        &declare(r#"{"c": {"url": 5}}"#),
        &[],
        &["wrongType mcpServers.c.url"],
    );
}

#[test]
fn typing_errors_are_told() {
    check(
        r#"{"s": {"command": "x", "agrs": ["y"], "Env": {}, "timeout": 5, "xyz": 1, "tools": {"t": {"approvalMode": 1}}},
"t": {"url": "x", "oauth": {"clientID": "c"}}}"#,
        &["s", "t"],
        &[
            "unknownField .mcp.json s.agrs 1:32",
            "unknownField .mcp.json s.Env 1:46",
            "unknownField .mcp.json s.tools.t.approvalMode 1:106",
            "unknownField .mcp.json t.oauth.clientID 2:41",
        ],
    );
    check(
        r#"{"s": {"command": "x", "headers": {"A": 5}}, "t": {"url": "x", "env_vars": [5]}}"#,
        &[],
        &[
            "wrongType .mcp.json s.headers.A 1:41",
            "wrongType .mcp.json t.env_vars[0] 1:77",
        ],
    );
}
