//! Inspection, collection and validation as they go over the wire.

use serde_json::{Value, json};

use crate::checks::{check, check_params};
use crate::{
    HookEventName, PlugdBeforeAfter, PlugdEnvironmentName, PlugdExecutable, PlugdExecutableKind,
    PlugdGcChange, PlugdGcKind, PlugdGcMirror, PlugdGcParams, PlugdGcReason, PlugdGcResponse,
    PlugdGcTotal, PlugdGcTree, PlugdHiddenCharacter, PlugdHiddenClass, PlugdInspectParams,
    PlugdInspectResponse, PlugdInspectedApp, PlugdInspectedHandler, PlugdInspectedHook,
    PlugdInspectedMcpServer, PlugdInspectedTransport, PlugdInspection, PlugdInspectionCategory,
    PlugdInspectionChange, PlugdInspectionDifference, PlugdModelText, PlugdModelTextKind,
    PlugdOddity, PlugdOddityKind, PlugdValidateResponse, PlugdValidatedKind, PlugdValidatedSubject,
    Problem, Severity,
};

#[test]
fn params() {
    check_params::<PlugdInspectParams>(&json!({}), &json!({}));
    for one in [
        json!({"marketplacePath": "/m.json", "pluginName": "p"}),
        json!({"remoteMarketplaceName": "m", "pluginName": "p"}),
        json!({"pluginId": "p@m"}),
        json!({"path": "/p"}),
    ] {
        check_params::<PlugdInspectParams>(&one, &one);
    }
    check_params::<PlugdGcParams>(&json!({"dryRun": null}), &json!({}));
    check_params::<PlugdGcParams>(&json!({"dryRun": true}), &json!({"dryRun": true}));
}

fn inspection() -> PlugdInspection {
    PlugdInspection {
        root: None,
        version: Some("2.0.0".to_owned()),
        tree_digest: None,
        mcp_servers: vec![PlugdInspectedMcpServer {
            name: "s".to_owned(),
            transport: PlugdInspectedTransport::Stdio {
                command: "./run".to_owned(),
                args: vec!["$X".to_owned()],
                env: vec!["TOKEN".to_owned()],
                cwd: None,
            },
            enabled: true,
            obstacle: None,
        }],
        hooks: vec![PlugdInspectedHook {
            key: "k".to_owned(),
            event_name: HookEventName::SessionStart,
            matcher: None,
            handler: PlugdInspectedHandler::Command {
                command: "c".to_owned(),
                command_windows: None,
            },
            obstacle: None,
        }],
        apps: vec![PlugdInspectedApp {
            id: "a".to_owned(),
            label: "l".to_owned(),
        }],
        executables: vec![PlugdExecutable {
            path: "run".to_owned(),
            bytes: 9,
            kind: PlugdExecutableKind::Script,
            interpreter: Some("sh".to_owned()),
            marked: true,
        }],
        environment: vec![PlugdEnvironmentName {
            name: "TOKEN".to_owned(),
            readers: vec!["mcp:s".to_owned()],
        }],
        texts: vec![PlugdModelText {
            path: "skills/s/SKILL.md".to_owned(),
            kind: PlugdModelTextKind::Skill,
            bytes: 5,
        }],
        hidden_characters: vec![PlugdHiddenCharacter {
            path: "skills/s/SKILL.md".to_owned(),
            field: None,
            line: 1,
            column: 2,
            code_point: "U+202E".to_owned(),
            class: PlugdHiddenClass::Bidirectional,
        }],
        licence: Some("MIT".to_owned()),
        licence_files: vec!["LICENSE".to_owned()],
        oddities: vec![PlugdOddity {
            path: "l".to_owned(),
            kind: PlugdOddityKind::LinkOutside,
        }],
        files: 3,
        directories: 2,
        bytes: 20,
        cut: Vec::new(),
        problems: Vec::new(),
    }
}

fn inspection_json() -> Value {
    json!({
        "root": null, "version": "2.0.0", "treeDigest": null,
        "mcpServers": [{
            "name": "s", "enabled": true, "obstacle": null,
            "transport": {"type": "stdio", "command": "./run", "args": ["$X"], "env": ["TOKEN"],
                          "cwd": null},
        }],
        "hooks": [{
            "key": "k", "eventName": "sessionStart", "matcher": null,
            "handler": {"type": "command", "command": "c", "commandWindows": null},
            "obstacle": null,
        }],
        "apps": [{"id": "a", "label": "l"}],
        "executables": [{"path": "run", "bytes": 9, "kind": "script", "interpreter": "sh",
                         "marked": true}],
        "environment": [{"name": "TOKEN", "readers": ["mcp:s"]}],
        "texts": [{"path": "skills/s/SKILL.md", "kind": "skill", "bytes": 5}],
        "hiddenCharacters": [{"path": "skills/s/SKILL.md", "line": 1, "column": 2,
                              "codePoint": "U+202E", "class": "bidirectional"}],
        "licence": "MIT", "licenceFiles": ["LICENSE"],
        "oddities": [{"path": "l", "kind": "linkOutside"}],
        "files": 3, "directories": 2, "bytes": 20, "cut": [], "problems": [],
    })
}

#[test]
fn an_inspection_before_an_update() {
    let response = PlugdInspectResponse {
        linked: None,
        plugin_id: Some("p@m".to_owned()),
        display_name: "P".to_owned(),
        trust: None,
        installed: None,
        offered: Some(inspection()),
        difference: Some(PlugdInspectionDifference {
            changes: vec![PlugdInspectionChange {
                category: PlugdInspectionCategory::HiddenCharacters,
                name: "x".to_owned(),
                from: None,
                to: Some("1".to_owned()),
            }],
            files: PlugdBeforeAfter { from: 2, to: 3 },
            bytes: PlugdBeforeAfter { from: 10, to: 20 },
        }),
        problems: Vec::new(),
    };
    let expected = json!({
        "pluginId": "p@m", "displayName": "P", "installed": null, "offered": inspection_json(),
        "linked": null,
        "difference": {
            "changes": [{"category": "hiddenCharacters", "name": "x", "from": null, "to": "1"}],
            "files": {"from": 2, "to": 3}, "bytes": {"from": 10, "to": 20},
        },
        "trust": null, "problems": [],
    });
    check(&response, &expected);
}

#[test]
fn other_forms() {
    let http = PlugdInspectedTransport::Http {
        url: "u".to_owned(),
        headers: vec!["A".to_owned()],
        headers_helper: Some("h".to_owned()),
    };
    let expected = json!({"type": "http", "url": "u", "headers": ["A"], "headersHelper": "h"});
    check(&http, &expected);
    let handlers = vec![
        PlugdInspectedHandler::McpTool {
            server: "s".to_owned(),
            tool: "t".to_owned(),
        },
        PlugdInspectedHandler::Prompt,
        PlugdInspectedHandler::Agent,
    ];
    let expected = json!([{"type": "mcpTool", "server": "s", "tool": "t"}, {"type": "prompt"},
                          {"type": "agent"}]);
    check(&handlers, &expected);
    let kinds = vec![PlugdExecutableKind::MachO, PlugdExecutableKind::Pe];
    check(&kinds, &json!(["machO", "pe"]));
    let texts = vec![
        PlugdModelTextKind::SkillMetadata,
        PlugdModelTextKind::SkillReference,
    ];
    check(&texts, &json!(["skillMetadata", "skillReference"]));
    let classes = vec![PlugdHiddenClass::ZeroWidth, PlugdHiddenClass::PrivateUse];
    check(&classes, &json!(["zeroWidth", "privateUse"]));
    let oddities = vec![
        PlugdOddityKind::NameNotText,
        PlugdOddityKind::SameNameButCase,
    ];
    check(&oddities, &json!(["nameNotText", "sameNameButCase"]));
}

#[test]
fn a_collection() {
    let response = PlugdGcResponse {
        dry_run: true,
        trees: vec![PlugdGcTree {
            tree_digest: "sha256:0".to_owned(),
            path: "/t".into(),
            bytes: 5,
            reason: PlugdGcReason::CopyOfInstalled,
        }],
        staging_bytes: 1,
        trash_bytes: 2,
        dead_leases: 3,
        mirrors: vec![PlugdGcMirror {
            path: "/m".into(),
            bytes: 4,
        }],
        changes: vec![PlugdGcChange {
            kind: PlugdGcKind::HalfWritten,
            path: "/h".into(),
            plugin_id: None,
            marketplace_name: None,
            tree_digest: None,
            entries: 1,
            files: 1,
            bytes: 12,
            changed: true,
            reason: PlugdGcReason::NotConfigured,
        }],
        totals: vec![PlugdGcTotal {
            kind: PlugdGcKind::Checkout,
            entries: 1,
            files: 2,
            bytes: 3,
        }],
        freed_bytes: 12,
        freed_files: 6,
        problems: Vec::new(),
    };
    let expected = json!({
        "dryRun": true,
        "trees": [{"treeDigest": "sha256:0", "path": "/t", "bytes": 5,
                   "reason": "copyOfInstalled"}],
        "stagingBytes": 1, "trashBytes": 2, "deadLeases": 3,
        "mirrors": [{"path": "/m", "bytes": 4}],
        "changes": [{"kind": "halfWritten", "path": "/h", "pluginId": null,
                     "marketplaceName": null, "treeDigest": null, "entries": 1, "files": 1,
                     "bytes": 12, "changed": true, "reason": "notConfigured"}],
        "totals": [{"kind": "checkout", "entries": 1, "files": 2, "bytes": 3}],
        "freedBytes": 12, "freedFiles": 6, "problems": [],
    });
    check(&response, &expected);
}

#[test]
fn a_validation() {
    let response = PlugdValidateResponse {
        subjects: vec![PlugdValidatedSubject {
            kind: PlugdValidatedKind::Plugin,
            name: None,
            path: "/p".into(),
            format: Some("agentPlugins".to_owned()),
            problems: vec![Problem {
                kind: "missing".to_owned(),
                severity: Severity::Error,
                message: "m".to_owned(),
                path: Some("/p/hooks/hooks.json".into()),
                field: None,
                line: Some(3),
                column: Some(4),
            }],
        }],
        valid: false,
        errors: 1,
        warnings: 0,
    };
    let expected = json!({
        "subjects": [{
            "kind": "plugin", "name": null, "path": "/p", "format": "agentPlugins",
            "problems": [{"kind": "missing", "severity": "error", "message": "m",
                          "path": "/p/hooks/hooks.json", "line": 3, "column": 4}],
        }],
        "valid": false, "errors": 1, "warnings": 0,
    });
    check(&response, &expected);
}
