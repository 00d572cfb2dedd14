//! Which server has which name, and what configuration makes of it.

use plugd_components::{McpTransport, Placeholders, Platform, mcp_definitions};
use plugd_config::{SessionFlags, load};
use plugd_disk::Disk;
use plugd_manifest::Loader;
use plugd_model::{PluginId, Problem, ToolApproval};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{EffectiveServer, PluginServers, Servers, effective_servers};

const PLUGINS: [&str; 3] = ["a@m", "b@m", "c@m"];

/// Plugins `a`, `b` and `c` with these servers, under this configuration.
fn servers(config: &str, declared: [&str; 3]) -> Servers {
    let mut fixture = format!("== ch/config.toml\n{config}\n");
    for (id, servers) in PLUGINS.iter().zip(declared) {
        let name = &id[..1];
        let manifest = format!("{{\"name\":\"{name}\"}}");
        fixture.push_str(&format!(
            "== {name}/.codex-plugin/plugin.json\n{manifest}\n== {name}/.mcp.json\n{servers}\n"
        ));
    }
    let sandbox = Sandbox::from(&fixture);
    let disk = Disk::new();
    let config = load(&disk, &sandbox.layout(), &SessionFlags::none(), None);
    let loader = Loader::new(disk.clone());
    let ids: Vec<PluginId> = PLUGINS
        .iter()
        .map(|id| PluginId::parse(id).unwrap())
        .collect();
    let plugins = ids.iter().map(|id| {
        let root = sandbox.path(id.plugin.as_str());
        let manifest = loader.plugin(&root).unwrap().unwrap();
        PluginServers {
            id,
            definitions: mcp_definitions(&disk, &root, &manifest.value).items,
            places: Placeholders {
                plugin_data: root.join("data"),
                plugin_root: root,
            },
            overlays: config.mcp_overlays(id),
            requirements: config.requirements(),
        }
    });
    let users = config.user_mcp_servers();
    effective_servers(&disk, Platform::Unix, users, plugins.collect())
}

/// `plugin name`, with `off` behind one that is switched off; and `name: loser < winner`.
#[track_caller]
fn check(config: &str, declared: [&str; 3], effective: &[&str], shadowed: &[&str]) {
    let found = servers(config, declared);
    let rows = found.effective.iter().map(|server| {
        let off = if server.enabled { "" } else { " off" };
        format!("{} {}{off}", server.plugin, server.resolved.name)
    });
    assert_eq!(rows.collect::<Vec<_>>(), effective);
    let rows = found.shadowed.iter().map(|row| {
        let winner = row.winner.as_ref();
        let winner = winner.map_or_else(|| "user".to_owned(), ToString::to_string);
        format!("{}: {} < {winner}", row.name, row.loser)
    });
    assert_eq!(rows.collect::<Vec<_>>(), shadowed);
    assert_eq!(found.problems, []);
}

fn one(name: &str) -> String {
    format!("{{\"{name}\": {{\"command\": \"run\"}}}}")
}

#[test]
fn the_first_plugin_has_the_name() {
    let s = one("s");
    check(
        "",
        [&one("z"), &one("y"), &one("x")],
        &["a@m z", "b@m y", "c@m x"],
        &[],
    );
    check(
        "",
        [&s, &s, &s],
        &["a@m s"],
        &["s: b@m < a@m", "s: c@m < a@m"],
    );
}

#[test]
fn the_users_own_server_has_it_before_every_plugin() {
    let s = one("s");
    let losers = ["s: a@m < user", "s: b@m < user"];
    for row in ["command = \"own\"", "enabled = false\ncommand = \"own\""] {
        let config = format!("[mcp_servers.s]\n{row}");
        check(&config, [&s, &s, &one("t")], &["c@m t"], &losers);
    }
}

#[test]
fn one_that_is_switched_off_lets_the_next_through() {
    let s = one("s");
    let off = |id: &str| format!("[plugins.\"{id}\".mcp_servers.s]\nenabled = false\n");
    check(&off("a@m"), [&s, &s, "{}"], &["b@m s"], &["s: a@m < b@m"]);
    let both = off("a@m") + &off("b@m");
    check(&both, [&s, &s, "{}"], &["a@m s off"], &["s: b@m < a@m"]);
    let declared = r#"{"s": {"command": "run", "enabled": false}}"#;
    check("", [declared, &s, "{}"], &["b@m s"], &["s: a@m < b@m"]);
    let on = "[plugins.\"a@m\".mcp_servers.s]\nenabled = true\n";
    check(on, [declared, &s, "{}"], &["a@m s"], &["s: b@m < a@m"]);
}

#[test]
fn one_that_cannot_work_has_no_name() {
    let out = r#"{"s": {"command": "../../run"}}"#;
    let found = servers("", [out, &one("s"), "{}"]);
    let plugins: Vec<_> = found
        .effective
        .iter()
        .map(|one| one.plugin.to_string())
        .collect();
    assert_eq!(plugins, ["b@m"]);
    assert_eq!(found.shadowed, []);
    let problems: Vec<_> = found.problems.iter().map(|one| one.kind.word()).collect();
    assert_eq!(problems, ["badPath"]);
    assert!(found.problems[0].path.is_some() && found.problems[0].place.is_some());
}

#[test]
fn configuration_is_laid_over_the_declaration() {
    let declared = r#"{"s": {"command": "run", "enabled_tools": ["x"], "disabled_tools": ["y"],
                             "startup_timeout_sec": 5, "odd": [1]}}"#;
    let config = "[plugins.\"a@m\".mcp_servers.s]\n\
                  default_tools_approval_mode = \"prompt\"\n\
                  disabled_tools = [\"z\"]\n\
                  [plugins.\"a@m\".mcp_servers.s.tools.x]\n\
                  approval_mode = \"approve\"\n";
    let found = servers(config, [declared, "{}", "{}"]);
    let server = &found.effective[0];
    assert_eq!(server.enabled_tools.as_deref(), Some(&["x".to_owned()][..]));
    assert_eq!(server.disabled_tools, ["z"]);
    assert_eq!(server.default_approval, Some(ToolApproval::Prompt));
    let approvals = vec![("x".to_owned(), ToolApproval::Approve)];
    assert_eq!(server.tool_approvals, approvals);
    assert_eq!(server.startup_timeout.map(|time| time.as_secs()), Some(5));
    assert_eq!(server.extra, [("odd".to_owned(), "[1]".to_owned())]);
}

#[test]
fn what_a_plugin_says_of_questions_counts_until_the_configuration_does() {
    let declared = r#"{"s": {"command": "run", "startup_timeout_ms": 1500,
        "default_tools_approval_mode": "prompt",
        "tools": {"x": {"approval_mode": "writes"}, "y": {"approval_mode": "prompt"}, "z": {}}}}"#;
    let found = |config: &str| {
        let mut found = servers(config, [declared, "{}", "{}"]);
        assert_eq!(found.problems, []);
        found.effective.remove(0)
    };
    let approvals = |server: &EffectiveServer| -> Vec<String> {
        let tools = server.tool_approvals.iter();
        tools
            .map(|(name, mode)| format!("{name} {}", mode.word()))
            .collect()
    };
    let server = found("");
    assert_eq!(server.default_approval, Some(ToolApproval::Prompt));
    assert_eq!(approvals(&server), ["x writes", "y prompt"]);
    let time = server.startup_timeout.map(|time| time.as_millis());
    assert_eq!((time, server.extra), (Some(1500), vec![]));
    let server = found(
        "[plugins.\"a@m\".mcp_servers.s]\ndefault_tools_approval_mode = \"writes\"\n\
         [plugins.\"a@m\".mcp_servers.s.tools.y]\napproval_mode = \"approve\"\n",
    );
    assert_eq!(server.default_approval, Some(ToolApproval::Writes));
    assert_eq!(approvals(&server), ["x writes", "y approve"]);
    let server = found("[plugins.\"a@m\".mcp_servers.s]\nenabled = true\n");
    assert_eq!(server.default_approval, Some(ToolApproval::Prompt));
}

#[test]
fn nothing_of_the_users_environment_is_looked_up() {
    let declared = r#"{"s": {"command": "run", "args": ["${HOME}"],
                             "env": {"TOKEN": "${TOKEN:-none}"}, "env_vars": ["PATH"]}}"#;
    let found = servers("", [declared, "{}", "{}"]);
    let server = &found.effective[0];
    let McpTransport::Stdio { args, env, .. } = &server.resolved.transport else {
        panic!("{server:?}");
    };
    assert_eq!(args, &["${HOME}"]);
    assert!(env.contains(&("TOKEN".to_owned(), "${TOKEN:-none}".to_owned())));
    let needs: Vec<_> = server
        .resolved
        .needs
        .iter()
        .map(|need| need.name.as_str())
        .collect();
    assert_eq!(needs, ["HOME", "TOKEN", "PATH"]);
}

#[test]
fn what_hosts_stumble_over_is_told() {
    let told = |problems: &[Problem]| -> Vec<String> {
        let told = problems.iter();
        told.map(|one| {
            format!(
                "{} {}",
                one.kind.word(),
                one.field.as_deref().unwrap_or("-")
            )
        })
        .collect()
    };
    let found = servers("", [&one("with space"), "{}", "{}"]);
    // The name is told by whoever read the declaration, and once is enough.
    assert_eq!(told(&found.problems), Vec::<String>::new());
    assert_eq!(found.effective.len(), 1);
    let config = "[plugins.\"a@m\".mcp_servers.typo]\nenabled = false\n";
    let found = servers(config, [&one("s"), "{}", "{}"]);
    assert_eq!(
        told(&found.problems),
        ["unknownField plugins.\"a@m\".mcp_servers.typo"]
    );
    assert!(found.problems[0].path.is_some());
}
