//! What hosts load, as it goes over the wire.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::checks::{check, check_error, check_params};
use crate::{
    HookEventName, HookTrustStatus, PlugdApp, PlugdComponentPlugin, PlugdComponentsParams,
    PlugdComponentsResponse, PlugdHook, PlugdHookHandler, PlugdInstructionsParams,
    PlugdInstructionsPart, PlugdInstructionsPartKind, PlugdInstructionsResponse, PlugdLeftOut,
    PlugdLeftOutKind, PlugdMcpHttpProtocol, PlugdMcpOauth, PlugdMcpServer, PlugdMcpTransport,
    PlugdMention, PlugdMentionPart, PlugdMentionPartKind, PlugdMentionsParams,
    PlugdMentionsResponse, PlugdNeededEnv, PlugdNeededEnvPurpose, PlugdReleaseParams,
    PlugdReleaseResponse, PlugdShadowed, PlugdShadowedKind, PlugdSkill, PlugdSkillRoot,
    PlugdToolApproval, PlugdUnknownMention, PlugdUnknownMentionReason, SkillScope,
};

#[test]
fn params() {
    check_params::<PlugdComponentsParams>(&json!({}), &json!({}));
    check_params::<PlugdComponentsParams>(&json!({"cwd": null, "lease": null}), &json!({}));
    let components = json!({"cwd": "/a", "lease": true});
    check_params::<PlugdComponentsParams>(&components, &components);
    check_error::<PlugdReleaseParams>(&json!({}), "missing field `leaseId`");
    check_params::<PlugdReleaseParams>(&json!({"leaseId": "l"}), &json!({"leaseId": "l"}));
    check_params::<PlugdInstructionsParams>(&json!({"budget": null}), &json!({}));
    check_error::<PlugdInstructionsParams>(&json!({"budget": -1}), "expected u32");
}

#[test]
fn mentions_come_as_text_or_as_items() {
    check_params::<PlugdMentionsParams>(&json!({}), &json!({}));
    check_params::<PlugdMentionsParams>(&json!({"text": null, "items": null}), &json!({}));
    let items = json!({"text": "@x", "items": [
        {"type": "text", "text": "hi"},
        {"type": "mention", "name": "P", "path": "plugin://p@m"},
        {"type": "image"},
    ]});
    check_params::<PlugdMentionsParams>(&items, &items);
    // What else an item holds is its business.
    check_params::<PlugdMentionsParams>(
        &json!({"items": [{"type": "image", "url": "u", "text": null}]}),
        &json!({"items": [{"type": "image"}]}),
    );
    check_error::<PlugdMentionsParams>(&json!({"items": [{}]}), "missing field `type`");
    check_error::<PlugdMentionsParams>(&json!({"items": [["mention"]]}), "expected an object");
    check_error::<PlugdMentionsParams>(&json!({"items": {}}), "expected a sequence");
}

fn stdio() -> PlugdMcpServer {
    PlugdMcpServer {
        name: "s".to_owned(),
        plugin_id: "p@m".to_owned(),
        plugin_display_name: "P".to_owned(),
        version: "1.0.0".to_owned(),
        transport: PlugdMcpTransport::Stdio {
            command: "/p/run".to_owned(),
            args: vec!["-x".to_owned()],
            env: BTreeMap::from([("PLUGIN_ROOT".to_owned(), "/p".to_owned())]),
            env_vars: vec!["TOKEN".to_owned()],
            cwd: Some("/p".into()),
        },
        oauth: None,
        scopes: Vec::new(),
        startup_timeout_ms: None,
        tool_timeout_ms: Some(1500),
        enabled_tools: None,
        disabled_tools: vec!["rm".to_owned()],
        default_tools_approval_mode: Some(PlugdToolApproval::Prompt),
        tools_approval_mode: BTreeMap::from([("ls".to_owned(), PlugdToolApproval::Approve)]),
        needed_env: vec![PlugdNeededEnv {
            name: "TOKEN".to_owned(),
            default: None,
            purpose: PlugdNeededEnvPurpose::Passed,
            member: "env_vars".to_owned(),
        }],
        enabled: true,
        required: false,
        extra: Map::new(),
    }
}

fn stdio_json() -> Value {
    json!({
        "name": "s", "pluginId": "p@m", "pluginDisplayName": "P", "version": "1.0.0",
        "transport": {"type": "stdio", "command": "/p/run", "args": ["-x"],
                      "env": {"PLUGIN_ROOT": "/p"}, "envVars": ["TOKEN"], "cwd": "/p"},
        "oauth": null, "scopes": [], "startupTimeoutMs": null, "toolTimeoutMs": 1500,
        "enabledTools": null, "disabledTools": ["rm"], "defaultToolsApprovalMode": "prompt",
        "toolsApprovalMode": {"ls": "approve"},
        "neededEnv": [{"name": "TOKEN", "default": null, "purpose": "passed",
                       "member": "env_vars"}],
        "enabled": true, "required": false, "extra": {},
    })
}

#[test]
fn servers() {
    check(&stdio(), &stdio_json());
    let http = PlugdMcpServer {
        transport: PlugdMcpTransport::Http {
            url: "https://x/mcp".to_owned(),
            protocol: PlugdMcpHttpProtocol::StreamableHttp,
            headers: BTreeMap::from([("A".to_owned(), "b".to_owned())]),
            env_headers: BTreeMap::new(),
            bearer_token_env_var: Some("TOKEN".to_owned()),
            headers_helper: Some("/p/headers".to_owned()),
        },
        oauth: Some(PlugdMcpOauth {
            client_id: Some("c".to_owned()),
            callback_port: None,
            declared: Map::from_iter([("clientId".to_owned(), json!("c"))]),
        }),
        ..stdio()
    };
    let mut expected = stdio_json();
    expected["transport"] = json!({
        "type": "http", "url": "https://x/mcp", "protocol": "streamableHttp",
        "headers": {"A": "b"}, "envHeaders": {}, "bearerTokenEnvVar": "TOKEN",
        "headersHelper": "/p/headers",
    });
    expected["oauth"] =
        json!({"clientId": "c", "callbackPort": null, "declared": {"clientId": "c"}});
    check(&http, &expected);
}

fn hook(handler: PlugdHookHandler) -> PlugdHook {
    PlugdHook {
        key: "k".to_owned(),
        event_name: HookEventName::Stop,
        matcher: None,
        handler,
        timeout_sec: 600,
        status_message: None,
        additional_context_limit: None,
        source_path: Some("/p/hooks/hooks.json".into()),
        plugin_id: "p@m".to_owned(),
        plugin_display_name: "P".to_owned(),
        version: "1.0.0".to_owned(),
        enabled: true,
        current_hash: "sha256:0".to_owned(),
        trust_status: HookTrustStatus::Modified,
        runs: false,
    }
}

#[test]
fn hooks() {
    let tool = PlugdHookHandler::McpTool {
        server: "s".to_owned(),
        tool: "t".to_owned(),
        input: Map::new(),
    };
    let expected = json!({
        "key": "k", "eventName": "stop", "matcher": null,
        "handler": {"type": "mcpTool", "server": "s", "tool": "t", "input": {}},
        "timeoutSec": 600, "statusMessage": null, "additionalContextLimit": null,
        "sourcePath": "/p/hooks/hooks.json", "pluginId": "p@m", "pluginDisplayName": "P",
        "version": "1.0.0", "enabled": true, "currentHash": "sha256:0",
        "trustStatus": "modified", "runs": false,
    });
    check(&hook(tool), &expected);
    let command = PlugdHookHandler::Command {
        command: "c".to_owned(),
        env: BTreeMap::new(),
        is_async: true,
    };
    let expected = json!({"type": "command", "command": "c", "env": {}, "async": true});
    check(&command, &expected);
}

#[test]
fn components() {
    let response = PlugdComponentsResponse {
        plugins: vec![PlugdComponentPlugin {
            linked: None,
            held_back: None,
            plugin_id: "p@m".to_owned(),
            display_name: "P".to_owned(),
            description: None,
            version: "1.0.0".to_owned(),
            root: "/p".into(),
            tree_digest: Some("sha256:0".to_owned()),
            data: "/d".into(),
        }],
        skill_roots: vec![PlugdSkillRoot {
            path: "/p/skills".into(),
            scope: SkillScope::User,
            plugin_id: Some("p@m".to_owned()),
        }],
        skills: vec![PlugdSkill {
            name: "p:s".to_owned(),
            description: "d".to_owned(),
            short_description: None,
            interface: None,
            dependencies: None,
            path: "/p/skills/s/SKILL.md".into(),
            scope: SkillScope::User,
            enabled: true,
            allow_implicit_invocation: false,
            plugin_id: Some("p@m".to_owned()),
            plugin_display_name: Some("P".to_owned()),
            version: Some("1.0.0".to_owned()),
        }],
        mcp_servers: vec![stdio()],
        shadowed: vec![PlugdShadowed {
            kind: PlugdShadowedKind::McpServer,
            name: "x".to_owned(),
            winner: None,
            loser: "p@m".to_owned(),
        }],
        hooks: Vec::new(),
        apps: vec![PlugdApp {
            id: "connector_1".to_owned(),
            label: "a".to_owned(),
            category: None,
            plugin_id: "p@m".to_owned(),
            plugin_display_name: "P".to_owned(),
            version: "1.0.0".to_owned(),
        }],
        lease_id: None,
        problems: Vec::new(),
    };
    let expected = json!({
        "plugins": [{"pluginId": "p@m", "displayName": "P", "description": null,
                     "version": "1.0.0", "root": "/p", "treeDigest": "sha256:0", "data": "/d",
                     "linked": null}],
        "skillRoots": [{"path": "/p/skills", "scope": "user", "pluginId": "p@m"}],
        "skills": [{"name": "p:s", "description": "d", "shortDescription": null,
                    "interface": null, "dependencies": null, "path": "/p/skills/s/SKILL.md",
                    "scope": "user", "enabled": true, "allowImplicitInvocation": false,
                    "pluginId": "p@m", "pluginDisplayName": "P", "version": "1.0.0"}],
        "mcpServers": [stdio_json()],
        "shadowed": [{"kind": "mcpServer", "name": "x", "winner": null, "loser": "p@m"}],
        "hooks": [],
        "apps": [{"id": "connector_1", "label": "a", "category": null, "pluginId": "p@m",
                  "pluginDisplayName": "P", "version": "1.0.0"}],
        "leaseId": null,
        "problems": [],
    });
    check(&response, &expected);
    check(
        &PlugdReleaseResponse { released: true },
        &json!({"released": true}),
    );
}

#[test]
fn texts_for_a_model() {
    let mentions = PlugdMentionsResponse {
        mentions: vec![PlugdMention {
            plugin_id: "p@m".to_owned(),
            display_name: "P".to_owned(),
            text: "t".to_owned(),
            parts: vec![PlugdMentionPart {
                kind: PlugdMentionPartKind::McpServers,
                text: "t".to_owned(),
                names: vec!["s".to_owned()],
            }],
        }],
        unknown: vec![PlugdUnknownMention {
            mention: "@P".to_owned(),
            reason: PlugdUnknownMentionReason::NotInstalled,
            message: "no".to_owned(),
            candidates: Vec::new(),
        }],
        problems: Vec::new(),
    };
    let expected = json!({
        "mentions": [{"pluginId": "p@m", "displayName": "P", "text": "t",
                      "parts": [{"kind": "mcpServers", "text": "t", "names": ["s"]}]}],
        "unknown": [{"mention": "@P", "reason": "notInstalled", "message": "no",
                     "candidates": []}],
        "problems": [],
    });
    check(&mentions, &expected);
    let instructions = PlugdInstructionsResponse {
        text: "t".to_owned(),
        characters: 1,
        budget: 8000,
        parts: vec![PlugdInstructionsPart {
            kind: PlugdInstructionsPartKind::Skills,
            text: "t".to_owned(),
        }],
        left_out: vec![PlugdLeftOut {
            kind: PlugdLeftOutKind::Description,
            name: "p:s".to_owned(),
        }],
        problems: Vec::new(),
    };
    let expected = json!({
        "text": "t", "characters": 1, "budget": 8000,
        "parts": [{"kind": "skills", "text": "t"}],
        "leftOut": [{"kind": "description", "name": "p:s"}],
        "problems": [],
    });
    check(&instructions, &expected);
}
