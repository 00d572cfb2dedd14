//! Odd declarations: which ones the reference keeps and drops was found out by giving it each of them.

use pretty_assertions::assert_eq;

use super::{McpDefinition, mcp_definitions};
use crate::fixture::Plugin;

const PROCESS: &str = r#""command": "x""#;
const ADDRESS: &str = r#""url": "http://x""#;

/// The servers of one plugin, `s0`, `s1` and so on, each of them a base with one member more.
fn declared(base: &str, members: &[&str]) -> (Vec<McpDefinition>, Vec<String>) {
    let servers = members.iter().enumerate();
    let servers: Vec<_> = servers
        .map(|(index, member)| format!(r#""s{index}": {{{base}, {member}}}"#))
        .collect();
    let file = format!(r#"{{"mcpServers": {{{}}}}}"#, servers.join(",\n"));
    let plugin = Plugin::new().file(".mcp.json", file);
    let found = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest);
    (found.items, plugin.problems(&found.problems))
}

/// Each member alone drops its server, and one problem with a place says so.
#[track_caller]
fn check_dropped(base: &str, members: &[&str]) {
    for member in members {
        let (found, problems) = declared(base, &[member]);
        assert_eq!(found, [], "{base}, {member}");
        assert_eq!(problems.len(), 1, "{base}, {member}: {problems:?}");
        assert!(problems[0].contains(" 1:"), "{base}, {member}");
    }
}

#[track_caller]
fn check_kept(base: &str, members: &[&str]) {
    for member in members {
        let (found, problems) = declared(base, &[member]);
        assert_eq!(found.len(), 1, "{base}, {member}: {problems:?}");
    }
}

#[test]
fn a_member_of_the_other_kind_drops_the_server() {
    check_dropped(
        PROCESS,
        &[
            r#""http_headers": {}"#,
            r#""env_http_headers": {}"#,
            r#""bearer_token_env_var": """#,
            r#""oauth_resource": """#,
            r#""http_headers_helper": "x""#,
            r#""auth": "oauth""#,
            r#""oauth": {"client_id": "x"}"#,
            r#""oauth": {"any": 1}"#,
        ],
    );
    check_dropped(
        ADDRESS,
        &[
            r#""args": []"#,
            r#""env": {}"#,
            r#""env_vars": []"#,
            r#""cwd": """#,
        ],
    );
    // An absent one is a member of nothing, and the reference reads no `headers`.
    check_kept(
        PROCESS,
        &[
            r#""http_headers": null"#,
            r#""headers": {"A": "b"}"#,
            r#""oauth": {}"#,
            r#""scopes": ["a"]"#,
        ],
    );
    check_kept(ADDRESS, &[r#""args": null"#, r#""cwd": null"#]);
}

#[test]
fn secrets_do_not_stand_in_declarations() {
    for base in [PROCESS, ADDRESS] {
        check_dropped(base, &[r#""bearer_token": "x""#, r#""bearer_token": 5"#]);
    }
    check_dropped(
        ADDRESS,
        &[
            r#""oauth": {"client_secret": "x"}"#,
            r#""oauth": {"clientSecret": "x"}"#,
        ],
    );
    check_kept(
        ADDRESS,
        &[r#""bearer_token": null, "oauth": {"client_secret": null}"#],
    );
}

#[test]
fn what_is_read_nowhere_has_a_type_all_the_same() {
    for base in [PROCESS, ADDRESS] {
        check_dropped(
            base,
            &[
                r#""name": 5"#,
                r#""environment_id": []"#,
                r#""supports_parallel_tool_calls": 1"#,
                r#""startup_timeout_ms": 1.5"#,
                r#""startup_timeout_ms": "x", "startup_timeout_sec": 1"#,
                r#""default_tools_approval_mode": "ask""#,
                r#""tools": []"#,
                r#""tools": {"t": "prompt"}"#,
                r#""tools": {"t": {"approval_mode": "PROMPT"}}"#,
            ],
        );
        check_kept(
            base,
            &[
                r#""name": "n", "environment_id": "", "supports_parallel_tool_calls": true"#,
                r#""startup_timeout_ms": 0"#,
                r#""tools": {"t": {"approval_mode": null, "other": 5}}"#,
                r#""description": 5, "timeout": "x", "transport": []"#,
            ],
        );
    }
    check_dropped(
        ADDRESS,
        &[
            r#""oauth_resource": 5"#,
            r#""http_headers_helper": 5"#,
            r#""http_headers_helper": " ""#,
            r#""auth": "bearer""#,
            r#""auth": {}"#,
        ],
    );
    check_kept(
        ADDRESS,
        &[
            r#""oauth_resource": "x", "http_headers_helper": "x", "auth": "chatgpt""#,
            r#""auth": "oauth""#,
        ],
    );
}

#[test]
fn variables_to_pass_on_have_a_name_and_a_source() {
    check_dropped(
        PROCESS,
        &[
            r#""env_vars": [{"source": "local"}]"#,
            r#""env_vars": [{"name": "A", "source": "user"}]"#,
            r#""env_vars": [{"name": "A", "default": "b"}]"#,
        ],
    );
    check_kept(
        PROCESS,
        &[
            r#""env_vars": [{"name": "A", "source": "remote"}, {"name": "B", "source": null}]"#,
            r#""env_vars": ["", "A=B", "A", "A"]"#,
        ],
    );
}

#[test]
fn what_says_nothing_of_the_transport_drops_nothing() {
    for base in [PROCESS, ADDRESS] {
        let members = [r#""type": 5"#, r#""type": {}"#, r#""oauth": 5"#];
        let (found, problems) = declared(base, &members);
        assert_eq!(found.len(), 3, "{base}: {problems:?}");
        let kinds: Vec<_> = problems.iter().map(|one| &one[..20]).collect();
        assert_eq!(kinds, ["wrongType .mcp.json "; 3], "{base}");
        assert!(found.iter().all(|server| server.oauth.is_none()));
    }
}

#[test]
fn of_two_ways_of_writing_the_one_of_user_settings_counts() {
    let (found, problems) = declared(
        ADDRESS,
        &[
            r#""oauth": {"client_id": "a", "clientId": 5, "callbackPort": 7}"#,
            r#""oauth": {"clientId": "b", "callback_port": 8, "callbackPort": "x"}"#,
            r#""startup_timeout_ms": 1500, "startup_timeout_sec": 2"#,
            r#""startup_timeout_ms": 1500"#,
        ],
    );
    assert_eq!(problems, Vec::<String>::new());
    let oauth = |index: usize| {
        let oauth = found[index].oauth.as_ref();
        oauth.map(|one| (one.client_id.as_deref(), one.callback_port))
    };
    assert_eq!(oauth(0), Some((Some("a"), Some(7))));
    assert_eq!(oauth(1), Some((Some("b"), Some(8))));
    let time = |index: usize| found[index].startup_timeout.map(|time| time.as_millis());
    assert_eq!((time(2), time(3)), (Some(2000), Some(1500)));
    check_dropped(
        ADDRESS,
        &[
            r#""oauth": {"client_id": 5}"#,
            r#""oauth": {"clientId": "b", "client_id": 5}"#,
            r#""oauth": {"callbackPort": "7"}"#,
            r#""oauth": {"callback_port": 65536}"#,
            r#""oauth": {"callbackUrl": 5}"#,
        ],
    );
}
