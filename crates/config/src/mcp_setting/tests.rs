use plugd_model::{PluginId, ToolApproval};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::McpOverlay;
use crate::LayerSource;
use crate::snapshot::Snapshot;
use crate::snapshot::tests::{problems, read};

fn overlays<'s>(snapshot: &'s Snapshot, id: &str) -> &'s [McpOverlay] {
    snapshot.mcp_overlays(&PluginId::parse(id).unwrap())
}

/// The overlays of `p@m` as one line each: what they say and nothing else.
#[track_caller]
fn check(rows: &str, expected: &[&str], complaints: &[&str]) {
    let sandbox = Sandbox::from(&format!(
        "== ch/config.toml\n[plugins.\"p@m\".mcp_servers]\n{rows}\n"
    ));
    let snapshot = read(&sandbox, &[], None);
    let row = |overlay: &McpOverlay| {
        let mut words = vec![overlay.server.clone()];
        words.extend(overlay.enabled.map(|on| format!("enabled={on}")));
        let default = overlay.default_tools_approval_mode;
        words.extend(default.map(|mode| format!("default={}", mode.word())));
        let list = |name: &str, list: &Option<Vec<String>>| {
            list.as_ref()
                .map(|list| format!("{name}=[{}]", list.join(",")))
        };
        words.extend(list("only", &overlay.enabled_tools));
        words.extend(list("not", &overlay.disabled_tools));
        let tools = overlay.tools.iter();
        words.extend(tools.map(|(name, mode)| format!("{name}={}", mode.word())));
        words.join(" ")
    };
    let found: Vec<_> = overlays(&snapshot, "p@m").iter().map(row).collect();
    assert_eq!(found, expected, "{rows}");
    assert_eq!(problems(&sandbox, &snapshot), complaints, "{rows}");
    assert_eq!(snapshot.plugins().len(), 1);
}

#[test]
fn an_overlay_says_what_it_says() {
    check("", &[], &[]);
    check("s = {}\na = {}", &["s", "a"], &[]);
    check("s.enabled = false", &["s enabled=false"], &[]);
    check(
        "s = { default_tools_approval_mode = \"approve\", enabled_tools = [\"a\"], \
         disabled_tools = [\"b\", \"c\"], tools = { t = { approval_mode = \"prompt\" }, u = {} } }",
        &["s default=approve only=[a] not=[b,c] t=prompt"],
        &[],
    );
    check("s.enabled_tools = []", &["s only=[]"], &[]);
    check(
        "s.enable = false",
        &["s"],
        &["unknownField /ch/config.toml:2:12 plugins.\"p@m\".mcp_servers.s.enable"],
    );
}

#[test]
fn a_mistake_switches_the_server_off() {
    let at = "plugins.\"p@m\".mcp_servers.s";
    for (rows, kind, place, field) in [
        ("s = 5", "wrongType", "2:5", ""),
        ("s.enabled = \"no\"", "wrongType", "2:13", ".enabled"),
        (
            "s.enabled_tools = \"a\"",
            "wrongType",
            "2:19",
            ".enabled_tools",
        ),
        (
            "s.disabled_tools = [1]",
            "wrongType",
            "2:21",
            ".disabled_tools.0",
        ),
        (
            "s.default_tools_approval_mode = \"never\"",
            "badValue",
            "2:33",
            ".default_tools_approval_mode",
        ),
        ("s.tools = 1", "wrongType", "2:11", ".tools"),
        ("s.tools.t = 1", "wrongType", "2:13", ".tools.t"),
        (
            "s.tools.t.approval_mode = \"x\"",
            "badValue",
            "2:27",
            ".tools.t.approval_mode",
        ),
    ] {
        let problem = format!("{kind} /ch/config.toml:{place} {at}{field}");
        check(rows, &["s enabled=false"], &[&problem]);
    }
    check(
        "s = { enabled = 1, enabled_tools = 1 }\nt = {}",
        &["s enabled=false", "t"],
        &[
            &format!("wrongType /ch/config.toml:2:17 {at}.enabled"),
            &format!("wrongType /ch/config.toml:2:36 {at}.enabled_tools"),
        ],
    );
}

#[test]
fn overlays_of_layers_are_joined() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\n[plugins.\"p@m\".mcp_servers.s]\nenabled = true\nenabled_tools = [\"a\"]\n",
    );
    let flag = "plugins.p@m.mcp_servers.s.enabled=false";
    let snapshot = read(&sandbox, &[flag], None);
    let [overlay] = overlays(&snapshot, "p@m") else {
        panic!("one overlay");
    };
    assert_eq!(overlay.enabled, Some(false));
    assert_eq!(overlay.enabled_tools, Some(vec!["a".to_owned()]));
    assert_eq!(overlay.origin.source, LayerSource::SessionFlags);
    assert!(overlays(&snapshot, "q@m").is_empty());
}

#[test]
fn words_are_those_of_the_configuration() {
    let all = [
        ToolApproval::Auto,
        ToolApproval::Prompt,
        ToolApproval::Writes,
        ToolApproval::Approve,
    ];
    assert_eq!(
        all.map(ToolApproval::word),
        ["auto", "prompt", "writes", "approve"]
    );
}

#[test]
fn a_name_of_the_user_is_taken_also_by_a_bad_row() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\n[mcp_servers]\nb = { command = \"x\" }\na = { url = \"u\", enabled = false }\n\
         c = 5\nd = { enabled = 1 }\n",
    );
    let snapshot = read(&sandbox, &["mcp_servers.e.enabled=true"], None);
    let servers: Vec<_> = snapshot
        .user_mcp_servers()
        .iter()
        .map(|server| (server.name.as_str(), server.enabled))
        .collect();
    let expected = [
        ("b", true),
        ("a", false),
        ("c", false),
        ("d", false),
        ("e", true),
    ];
    assert_eq!(servers, expected);
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "wrongType /ch/config.toml:4:5 mcp_servers.c",
            "wrongType /ch/config.toml:5:17 mcp_servers.d.enabled",
        ]
    );
}
