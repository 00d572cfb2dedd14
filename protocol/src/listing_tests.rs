//! Skills and hooks as they go over the wire: to the letter what clients of the reference know, and
//! what is ours beside it.

use serde_json::{Value, json};

use crate::checks::{check, check_error, check_params};
use crate::{
    HookErrorInfo, HookEventName, HookMetadata, HookMetadataHandler, HookSource, HookTrustStatus,
    HooksListEntry, HooksListParams, HooksListResponse, PluginSkillReadParams,
    PluginSkillReadResponse, SkillDependencies, SkillErrorInfo, SkillInterface, SkillMetadata,
    SkillScope, SkillToolDependency, SkillsChangedNotification, SkillsConfigWriteParams,
    SkillsConfigWriteResponse, SkillsExtraRootsSetParams, SkillsExtraRootsSetResponse,
    SkillsListEntry, SkillsListParams, SkillsListResponse,
};

#[test]
fn params_of_skills() {
    check_params::<SkillsListParams>(&json!({}), &json!({}));
    check_params::<SkillsListParams>(
        &json!({"cwds": null, "forceReload": null, "later": 1}),
        &json!({}),
    );
    let list = json!({"cwds": ["", "rel", "/a"], "forceReload": true});
    check_params::<SkillsListParams>(&list, &list);
    check_error::<SkillsListParams>(&json!({"cwds": "/a"}), "expected a sequence");
    check_error::<SkillsListParams>(&json!({"forceReload": 1}), "expected a boolean");

    let by_name = json!({"name": "p:s", "enabled": false});
    check_params::<SkillsConfigWriteParams>(&by_name, &by_name);
    let by_path = json!({"path": "/s/SKILL.md", "name": null, "enabled": true});
    check_params::<SkillsConfigWriteParams>(
        &by_path,
        &json!({"path": "/s/SKILL.md", "enabled": true}),
    );
    check_error::<SkillsConfigWriteParams>(&json!({"name": "p:s"}), "missing field `enabled`");
    check_error::<SkillsConfigWriteParams>(
        &json!({"name": 1, "enabled": true}),
        "expected a string",
    );

    let roots = json!({"extraRoots": ["/a"]});
    check_params::<SkillsExtraRootsSetParams>(&roots, &roots);
    check_error::<SkillsExtraRootsSetParams>(&json!({}), "missing field `extraRoots`");
}

#[test]
fn params_of_a_skill_text() {
    let remote = json!({"remoteMarketplaceName": "m", "remotePluginId": "i", "skillName": "s"});
    check_params::<PluginSkillReadParams>(&remote, &remote);
    let local = json!({"marketplacePath": "/m.json", "pluginName": "p", "skillName": "s"});
    check_params::<PluginSkillReadParams>(&local, &local);
    check_params::<PluginSkillReadParams>(
        &json!({"pluginId": "p@m", "marketplacePath": null, "skillName": "p:s"}),
        &json!({"pluginId": "p@m", "skillName": "p:s"}),
    );
    check_error::<PluginSkillReadParams>(&json!({"pluginId": "p@m"}), "missing field `skillName`");
}

#[test]
fn params_of_hooks() {
    check_params::<HooksListParams>(&json!({}), &json!({}));
    check_params::<HooksListParams>(&json!({"cwds": null, "threadId": null}), &json!({}));
    let list = json!({"cwds": ["/a"], "threadId": "t"});
    check_params::<HooksListParams>(&list, &list);
}

fn skill() -> SkillMetadata {
    SkillMetadata {
        name: "p:s".to_owned(),
        description: "d".to_owned(),
        short_description: None,
        interface: None,
        dependencies: None,
        path: "/p/skills/s/SKILL.md".into(),
        scope: SkillScope::User,
        enabled: true,
        plugin_id: Some("p@m".to_owned()),
    }
}

#[test]
fn a_skill_says_only_what_it_knows() {
    let expected = json!({
        "name": "p:s", "description": "d", "path": "/p/skills/s/SKILL.md", "scope": "user",
        "enabled": true, "pluginId": "p@m",
    });
    check(&skill(), &expected);
    let tool = SkillToolDependency {
        kind: "mcp".to_owned(),
        value: "v".to_owned(),
        description: None,
        transport: None,
        command: None,
        url: None,
    };
    let full = SkillMetadata {
        short_description: Some("sd".to_owned()),
        interface: Some(SkillInterface {
            display_name: Some("D".to_owned()),
            ..SkillInterface::default()
        }),
        dependencies: Some(SkillDependencies {
            tools: vec![
                tool.clone(),
                SkillToolDependency {
                    description: Some("d".to_owned()),
                    transport: Some("stdio".to_owned()),
                    command: Some("c".to_owned()),
                    url: Some("u".to_owned()),
                    ..tool
                },
            ],
        }),
        plugin_id: None,
        scope: SkillScope::Repo,
        ..skill()
    };
    let expected = json!({
        "name": "p:s", "description": "d", "shortDescription": "sd",
        "interface": {
            "displayName": "D", "shortDescription": null, "iconSmall": null, "iconLarge": null,
            "iconSmallUrl": null, "iconLargeUrl": null, "brandColor": null, "defaultPrompt": null,
        },
        "dependencies": {"tools": [
            {"type": "mcp", "value": "v"},
            {"type": "mcp", "value": "v", "description": "d", "transport": "stdio",
             "command": "c", "url": "u"},
        ]},
        "path": "/p/skills/s/SKILL.md", "scope": "repo", "enabled": true, "pluginId": null,
    });
    check(&full, &expected);
    check(
        &[SkillScope::System, SkillScope::Admin].to_vec(),
        &json!(["system", "admin"]),
    );
}

#[test]
fn answers_about_skills() {
    let response = SkillsListResponse {
        data: vec![SkillsListEntry {
            cwd: "rel".to_owned(),
            skills: vec![skill()],
            errors: vec![SkillErrorInfo {
                path: "/bad/SKILL.md".into(),
                message: "no".to_owned(),
            }],
            problems: Vec::new(),
        }],
    };
    let expected = json!({"data": [{
        "cwd": "rel",
        "skills": [{
            "name": "p:s", "description": "d", "path": "/p/skills/s/SKILL.md", "scope": "user",
            "enabled": true, "pluginId": "p@m",
        }],
        "errors": [{"path": "/bad/SKILL.md", "message": "no"}],
        "problems": [],
    }]});
    check(&response, &expected);
    check(
        &SkillsConfigWriteResponse {
            effective_enabled: false,
        },
        &json!({"effectiveEnabled": false}),
    );
    check(&SkillsExtraRootsSetResponse {}, &json!({}));
    check(&SkillsChangedNotification {}, &json!({}));
    check(
        &PluginSkillReadResponse {
            contents: None,
            path: None,
        },
        &json!({"contents": null, "path": null}),
    );
}

fn hook(handler: HookMetadataHandler) -> HookMetadata {
    HookMetadata {
        key: "p@m:hooks/hooks.json:pre_tool_use:0:0".to_owned(),
        event_name: HookEventName::PreToolUse,
        handler,
        matcher: Some("Bash".to_owned()),
        timeout_sec: 600,
        status_message: None,
        additional_context_limit: None,
        source_path: "/p/hooks/hooks.json".into(),
        source: HookSource::Plugin,
        plugin_id: Some("p@m".to_owned()),
        environment_id: None,
        display_order: 0,
        enabled: true,
        is_managed: false,
        current_hash: "sha256:0".to_owned(),
        trust_status: HookTrustStatus::Untrusted,
    }
}

fn hook_json(handler: &Value) -> Value {
    let mut hook = json!({
        "key": "p@m:hooks/hooks.json:pre_tool_use:0:0", "eventName": "preToolUse",
        "matcher": "Bash", "timeoutSec": 600, "statusMessage": null,
        "additionalContextLimit": null, "sourcePath": "/p/hooks/hooks.json", "source": "plugin",
        "pluginId": "p@m", "environmentId": null, "displayOrder": 0, "enabled": true,
        "isManaged": false, "currentHash": "sha256:0", "trustStatus": "untrusted",
    });
    for (name, value) in handler.as_object().expect("members") {
        hook[name] = value.clone();
    }
    hook
}

#[test]
fn what_a_hook_does_stands_beside_the_rest() {
    let command = HookMetadataHandler::Command {
        command: "c".to_owned(),
        is_async: false,
    };
    let expected = json!({"handlerType": "command", "command": "c", "async": false});
    check(&hook(command), &hook_json(&expected));
    let tool = HookMetadataHandler::McpTool {
        server: "s".to_owned(),
        tool: "t".to_owned(),
    };
    let expected = json!({"handlerType": "mcpTool", "server": "s", "tool": "t"});
    check(&hook(tool), &hook_json(&expected));
    check(
        &hook(HookMetadataHandler::Prompt),
        &hook_json(&json!({"handlerType": "prompt"})),
    );
    check(
        &hook(HookMetadataHandler::Agent),
        &hook_json(&json!({"handlerType": "agent"})),
    );
}

#[test]
fn an_answer_about_hooks() {
    let response = HooksListResponse {
        data: vec![HooksListEntry {
            cwd: "/a".to_owned(),
            hooks: vec![hook(HookMetadataHandler::Prompt)],
            warnings: vec!["w".to_owned()],
            errors: vec![HookErrorInfo {
                path: "/h.json".into(),
                message: "no".to_owned(),
            }],
            problems: Vec::new(),
        }],
    };
    let expected = json!({"data": [{
        "cwd": "/a", "hooks": [hook_json(&json!({"handlerType": "prompt"}))], "warnings": ["w"],
        "errors": [{"path": "/h.json", "message": "no"}], "problems": [],
    }]});
    check(&response, &expected);
    let statuses = vec![
        HookTrustStatus::Managed,
        HookTrustStatus::Trusted,
        HookTrustStatus::Modified,
    ];
    check(&statuses, &json!(["managed", "trusted", "modified"]));
    let sources = vec![
        HookSource::SessionFlags,
        HookSource::CloudManagedConfig,
        HookSource::LegacyManagedConfigMdm,
    ];
    let words = json!([
        "sessionFlags",
        "cloudManagedConfig",
        "legacyManagedConfigMdm"
    ]);
    check(&sources, &words);
}
