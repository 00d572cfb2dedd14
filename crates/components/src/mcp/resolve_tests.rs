//! What a host gets for a declared server, in lines: `$P` is the plugin, `$D` its data.

use plugd_model::AbsPath;
use pretty_assertions::assert_eq;

use super::{HttpProtocol, McpTransport, ResolvedMcpServer, VariableUse, mcp_definitions};
use crate::fixture::Plugin;
use crate::placeholders::{Placeholders, Platform};

const AGENT_HEAD: &str = r#""$schema": "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json""#;

fn placeholders(plugin: &Plugin) -> Placeholders {
    Placeholders {
        plugin_root: plugin.root(),
        plugin_data: plugin.outside().join("data"),
    }
}

fn lines(server: &ResolvedMcpServer) -> Vec<String> {
    let mut lines = Vec::new();
    match &server.transport {
        McpTransport::Stdio {
            command,
            args,
            env,
            env_vars,
            cwd,
        } => {
            lines.push(format!("run {command}"));
            lines.extend(args.iter().map(|arg| format!("arg {arg}")));
            lines.extend(
                env.iter()
                    .map(|(name, value)| format!("env {name}={value}")),
            );
            lines.extend(env_vars.iter().map(|name| format!("pass {name}")));
            lines.extend(cwd.iter().map(|cwd| format!("in {cwd}")));
        }
        McpTransport::Http {
            url,
            protocol,
            headers,
            env_headers,
            bearer_token_env_var,
            headers_helper,
        } => {
            let word = match protocol {
                HttpProtocol::Streamable => "call",
                HttpProtocol::Sse => "sse",
            };
            lines.push(format!("{word} {url}"));
            lines.extend(
                headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}")),
            );
            lines.extend(
                env_headers
                    .iter()
                    .map(|(name, value)| format!("{name}: <{value}>")),
            );
            lines.extend(
                bearer_token_env_var
                    .iter()
                    .map(|name| format!("bearer <{name}>")),
            );
            lines.extend(headers_helper.iter().map(|text| format!("by {text}")));
        }
    }
    for need in &server.needs {
        let purpose = match need.purpose {
            VariableUse::Text => "text",
            VariableUse::Passed => "passed",
            VariableUse::Header => "header",
            VariableUse::BearerToken => "bearer",
        };
        let default = need.default.as_ref().map(|text| format!("={text}"));
        lines.push(format!(
            "needs {}{} {purpose} {}",
            need.name,
            default.unwrap_or_default(),
            need.member
        ));
    }
    lines
}

/// The one server of a plugin, without the variables that every process gets.
#[track_caller]
fn check_plugin(plugin: &Plugin, expected: &[&str]) {
    check_on(plugin, Platform::Unix, expected);
}

#[track_caller]
fn check_on(plugin: &Plugin, platform: Platform, expected: &[&str]) {
    let mut found = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(plugin.problems(&found.problems), Vec::<String>::new());
    let placeholders = placeholders(plugin);
    let definition = found.items.remove(0);
    let shown = match definition.resolved(&plugin.disk, &placeholders, platform) {
        Ok(server) => {
            let absent = plugin.problems(&server.absent).into_iter();
            let absent = absent.map(|problem| format!("but {problem}"));
            lines(&server).into_iter().chain(absent).collect()
        }
        Err(problem) => plugin.problems(&[problem]),
    };
    let root = plugin.root().to_text();
    let data = placeholders.plugin_data.to_text();
    let own = [
        "env CLAUDE_PLUGIN_DATA=$D",
        "env CLAUDE_PLUGIN_ROOT=$P",
        "env PLUGIN_DATA=$D",
        "env PLUGIN_ROOT=$P",
    ];
    let shown: Vec<_> = shown
        .into_iter()
        .map(|line| line.replace(&root, "$P").replace(&data, "$D"))
        .filter(|line| !own.contains(&line.as_str()))
        .collect();
    assert_eq!(shown, expected);
}

fn native(server: &str) -> Plugin {
    Plugin::new()
        .file(".mcp.json", format!("{{\"s\": {server}}}"))
        .file("run.sh", "")
        .file("server/index.js", "")
}

#[track_caller]
fn check(server: &str, expected: &[&str]) {
    check_plugin(&native(server), expected);
}

#[track_caller]
fn check_agent(server: &str, expected: &[&str]) {
    let file = format!("{{{AGENT_HEAD}, \"mcpServers\": {{\"s\": {server}}}}}");
    let plugin = Plugin::agent()
        .file("mcp.json", file)
        .file("bin/x", "")
        .file("run.sh", "");
    check_plugin(&plugin, expected);
}

#[test]
fn commands() {
    check(r#"{"command": "npx"}"#, &["run npx"]);
    check(r#"{"command": "/usr/bin/x"}"#, &["run /usr/bin/x"]);
    check(r#"{"command": "./run.sh"}"#, &["run $P/run.sh"]);
    check(r#"{"command": "server/../run.sh"}"#, &["run $P/run.sh"]);
    check(
        r#"{"command": "${CLAUDE_PLUGIN_ROOT}/run.sh"}"#,
        &["run $P/run.sh"],
    );
    check(
        r#"{"command": "${HOME}/x"}"#,
        &["run ${HOME}/x", "needs HOME text command"],
    );
    check(
        r#"{"command": "../x"}"#,
        &["badPath .mcp.json s.command 1:19"],
    );
    check(
        r#"{"command": "${PLUGIN_ROOT}/../x"}"#,
        &["badPath .mcp.json s.command 1:19"],
    );
    check(r#"{"command": "${PLUGIN_DATA}/bin/x"}"#, &["run $D/bin/x"]);
    check(
        r#"{"command": " "}"#,
        &["badValue .mcp.json s.command 1:19"],
    );
}

#[test]
fn arguments_that_name_files_of_the_plugin() {
    check(
        r#"{"command": "node", "args": ["./server/index.js", "./gone", "./", ".", "run.sh", "../x", "--a=./run.sh"]}"#,
        &[
            "run node",
            "arg $P/server/index.js",
            "arg ./gone",
            "arg ./",
            "arg .",
            "arg run.sh",
            "arg ../x",
            "arg --a=./run.sh",
        ],
    );
    // With a directory of its own the process finds its file there.
    check(
        r#"{"command": "node", "args": ["./index.js", "./run.sh"], "cwd": "server"}"#,
        &[
            "run node",
            "arg ./index.js",
            "arg $P/run.sh",
            "in $P/server",
        ],
    );
}

#[test]
fn variables_of_the_user_stay_and_are_listed() {
    check(
        r#"{"command": "x", "args": ["${A}", "${A:-b}"], "env": {"T": "${TOKEN}", "U": "${TOKEN}", "R": "${PLUGIN_DATA}/r"},
            "env_vars": ["B", {"name": "C"}, "B"]}"#,
        &[
            "run x",
            "arg ${A}",
            "arg ${A:-b}",
            "env R=$D/r",
            "env T=${TOKEN}",
            "env U=${TOKEN}",
            "pass B",
            "pass C",
            "needs A text args[0]",
            "needs A=b text args[1]",
            "needs TOKEN text env.T",
            "needs TOKEN text env.U",
            "needs B passed env_vars",
            "needs C passed env_vars",
        ],
    );
}

#[test]
fn every_process_finds_the_directories() {
    let plugin = native(r#"{"command": "x", "env": {"PLUGIN_ROOT": "mine"}}"#);
    let definition = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest)
        .items
        .remove(0);
    let directories = Placeholders {
        plugin_root: plugin.root(),
        plugin_data: AbsPath::new("/d").unwrap(),
    };
    let server = definition
        .resolved(&plugin.disk, &directories, Platform::Unix)
        .unwrap();
    let root = plugin.root().to_text();
    assert_eq!(
        lines(&server)[1..],
        [
            "env CLAUDE_PLUGIN_DATA=/d".to_owned(),
            format!("env CLAUDE_PLUGIN_ROOT={root}"),
            "env PLUGIN_DATA=/d".to_owned(),
            "env PLUGIN_ROOT=mine".to_owned(),
        ]
    );
}

#[test]
fn working_directories_stay_inside() {
    let run = |cwd: &str| format!(r#"{{"command": "x", "cwd": "{cwd}"}}"#);
    check(&run("server"), &["run x", "in $P/server"]);
    check(&run("./server/.."), &["run x", "in $P"]);
    check(&run("${PLUGIN_ROOT}/server"), &["run x", "in $P/server"]);
    check(&run("${CLAUDE_PLUGIN_DATA}/a"), &["run x", "in $D/a"]);
    check(&run("${W}/a"), &["run x", "in ${W}/a", "needs W text cwd"]);
    let refused = ["badPath .mcp.json s.cwd 1:31"];
    for outside in [
        "..",
        "./../x",
        "/tmp",
        "${PLUGIN_ROOT}/..",
        "${PLUGIN_DATA}/../x",
        "a/../..",
    ] {
        check(&run(outside), &refused);
    }
}

#[test]
fn what_a_server_starts_with_is_looked_for() {
    let but = |server: &str, run: &[&str], absent: &str| {
        check(server, &[run, &[format!("but {absent}").as_str()]].concat());
    };
    let missing = "missing .mcp.json s.command 1:19";
    but(r#"{"command": "./gone"}"#, &["run $P/gone"], missing);
    but(r#"{"command": "run.sh/x"}"#, &["run $P/run.sh/x"], missing);
    let other = "notAFile .mcp.json s.command 1:19";
    but(r#"{"command": "./server"}"#, &["run $P/server"], other);
    let places = [
        ("gone", "missing .mcp.json s.cwd 1:31"),
        ("run.sh", "notAFile .mcp.json s.cwd 1:31"),
    ];
    for (place, absent) in places {
        let server = format!(r#"{{"command": "x", "cwd": "{place}"}}"#);
        but(&server, &["run x", &format!("in $P/{place}")], absent);
    }
    // Who knows what the variable says.
    let needs = "needs ARCH text command";
    let server = r#"{"command": "./bin/${ARCH}"}"#;
    check(server, &["run $P/bin/${ARCH}", needs]);
    // On Windows a program is found by a name without its suffix.
    let gone = native(r#"{"command": "./gone"}"#);
    check_on(&gone, Platform::Windows, &["run $P/gone"]);
    check_agent(
        r#"{"type": "stdio", "command": "./gone"}"#,
        &[
            "run $P/gone",
            "in $P",
            "but missing mcp.json mcpServers.s.command 1:121",
        ],
    );
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out() {
    let plugin = native(r#"{"command": "x", "cwd": "./out"}"#).link("out", "/");
    check_plugin(&plugin, &["badPath .mcp.json s.cwd 1:31"]);
    let plugin = native(r#"{"command": "./out/sh"}"#).link("out", "/bin");
    check_plugin(&plugin, &["badPath .mcp.json s.command 1:19"]);
    let plugin = native(r#"{"command": "x", "args": ["./out"]}"#).link("out", "/bin/sh");
    check_plugin(&plugin, &["run x", "arg ./out"]);
    let plugin =
        native(r#"{"command": "x", "cwd": "${PLUGIN_DATA}/out"}"#).link("../data/out", "/");
    check_plugin(&plugin, &["badPath .mcp.json s.cwd 1:31"]);
}

#[test]
fn remote_servers() {
    check(
        r#"{"type": "http", "url": "https://x/${REGION:-eu}", "headers": {"b": "1", "A": "Bearer ${T}", "c": "old"},
            "http_headers": {"C": "new"}, "env_http_headers": {"X": "XV"}, "bearer_token_env_var": "BT",
            "http_headers_helper": "${CLAUDE_PLUGIN_ROOT}/h ${WHO}"}"#,
        &[
            "call https://x/${REGION:-eu}",
            "A: Bearer ${T}",
            "C: new",
            "b: 1",
            "X: <XV>",
            "bearer <BT>",
            "by $P/h ${WHO}",
            "needs REGION=eu text url",
            "needs T text headers.A",
            "needs XV header env_http_headers.X",
            "needs BT bearer bearer_token_env_var",
        ],
    );
    check(r#"{"type": "sse", "url": "http://x"}"#, &["sse http://x"]);
    check(
        r#"{"url": "${URL}"}"#,
        &["call ${URL}", "needs URL text url"],
    );
    check(r#"{"url": "wss://x"}"#, &["badValue .mcp.json s.url 1:15"]);
    check(r#"{"url": "x.y"}"#, &["badValue .mcp.json s.url 1:15"]);
}

#[test]
fn section_7_2_1_commands_are_resolved_against_the_root() {
    check_agent(
        r#"{"type": "stdio", "command": "./bin/x", "args": ["./run.sh", "../a"]}"#,
        &["run $P/bin/x", "arg ./run.sh", "arg ../a", "in $P"],
    );
    check_agent(
        r#"{"type": "stdio", "command": "npx"}"#,
        &["run npx", "in $P"],
    );
}

#[test]
fn section_7_2_1_working_directories() {
    let run = |cwd: &str| format!(r#"{{"type": "stdio", "command": "x", "cwd": "{cwd}"}}"#);
    check_agent(&run("./bin"), &["run x", "in $P/bin"]);
    check_agent(&run("${PLUGIN_ROOT}"), &["run x", "in $P"]);
    check_agent(&run("${PLUGIN_ROOT}/bin"), &["run x", "in $P/bin"]);
    check_agent(&run("${PLUGIN_DATA}"), &["run x", "in $D"]);
    check_agent(&run("${PLUGIN_DATA}/a"), &["run x", "in $D/a"]);
}

#[cfg(unix)]
#[test]
fn section_7_2_1_a_link_in_the_data_directory_does_not_lead_out() {
    let file = format!(
        r#"{{{AGENT_HEAD}, "mcpServers": {{"s": {{"type": "stdio", "command": "x", "cwd": "${{PLUGIN_DATA}}/out"}}}}}}"#
    );
    let plugin = Plugin::agent().file("mcp.json", &file);
    check_plugin(&plugin, &["run x", "in $D/out"]);
    check_plugin(
        &Plugin::agent()
            .file("mcp.json", &file)
            .link("../data/out", "/"),
        &["badPath mcp.json mcpServers.s.cwd 1:133"],
    );
}

#[test]
fn section_9_2_nothing_else_is_expanded() {
    check_agent(
        r#"{"type": "stdio", "command": "x", "args": ["${PLUGIN_ROOT}", "${CLAUDE_PLUGIN_ROOT}", "${HOME}"],
            "env": {"A": "${PLUGIN_DATA}/${B:-c}", "${PLUGIN_ROOT}": "k"}}"#,
        &[
            "run x",
            "arg $P",
            "arg ${CLAUDE_PLUGIN_ROOT}",
            "arg ${HOME}",
            "env ${PLUGIN_ROOT}=k",
            "env A=$D/${B:-c}",
            "in $P",
        ],
    );
    check_agent(
        r#"{"type": "streamable-http", "url": "https://x/${PLUGIN_ROOT}", "headers": {"A": "${PLUGIN_DATA}${T}"}}"#,
        &["call https://x/${PLUGIN_ROOT}", "A: ${PLUGIN_DATA}${T}"],
    );
}

#[test]
fn section_9_1_the_directories_of_the_host_win() {
    let file = format!(
        r#"{{{AGENT_HEAD}, "mcpServers": {{"s": {{"type": "stdio", "command": "x", "env": {{"plugin_root": "k"}}}}}}}}"#
    );
    let plugin = Plugin::agent().file("mcp.json", file);
    check_on(
        &plugin,
        Platform::Unix,
        &["run x", "env plugin_root=k", "in $P"],
    );
    check_on(&plugin, Platform::Windows, &["run x", "in $P"]);
}

#[cfg(unix)]
#[test]
fn section_9_1_the_root_is_the_resolved_one() {
    let file = format!(
        r#"{{{AGENT_HEAD}, "mcpServers": {{"s": {{"type": "stdio", "command": "./x"}}}}}}"#
    );
    let plugin = Plugin::agent()
        .file("mcp.json", file)
        .file("x", "")
        .link("../alias", "plugin");
    let definition = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest)
        .items
        .remove(0);
    let aliased = Placeholders {
        plugin_root: plugin.outside().join("alias"),
        plugin_data: AbsPath::new("/d").unwrap(),
    };
    let server = definition
        .resolved(&plugin.disk, &aliased, Platform::Unix)
        .unwrap();
    let root = plugin.root().to_text();
    assert_eq!(
        lines(&server),
        [
            format!("run {root}/x"),
            "env PLUGIN_DATA=/d".to_owned(),
            format!("env PLUGIN_ROOT={root}"),
            format!("in {root}"),
        ]
    );
}

#[test]
fn members_that_hosts_read_are_kept() {
    let plugin = native(
        r#"{"url": "https://x", "disabled": true, "startup_timeout_sec": 1.5, "tool_timeout_sec": 60, "required": true,
            "enabled_tools": ["a"], "disabled_tools": ["b"], "scopes": ["s"], "timeout": 5,
            "oauth": {"clientId": "c", "callbackPort": 8080}}"#,
    );
    let found = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.problems, vec![]);
    let server = &found.items[0];
    assert!(!server.enabled);
    assert!(server.required);
    assert_eq!(server.startup_timeout.unwrap().as_millis(), 1500);
    assert_eq!(server.tool_timeout.unwrap().as_secs(), 60);
    assert_eq!(server.enabled_tools.as_deref(), Some(&["a".to_owned()][..]));
    assert_eq!(server.disabled_tools, ["b"]);
    assert_eq!(server.scopes, ["s"]);
    assert_eq!(server.extra, [("timeout".to_owned(), "5".to_owned())]);
    let oauth = server.oauth.as_ref().unwrap();
    assert_eq!(oauth.client_id.as_deref(), Some("c"));
    assert_eq!(oauth.callback_port, Some(8080));
}
