//! What clients receive, to the letter: every member that a client of the reference expects is
//! there, with null where there is nothing to say.

use std::collections::BTreeMap;

use pretty_assertions::assert_eq;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    AbsolutePathBuf, ChangeReason, ChangedParams, Config, ConfigLayer, ConfigLayerMetadata,
    ConfigLayerSource, ConfigReadResponse, ConfigRequirements, ConfigRequirementsReadResponse,
    ConfigWarningNotification, ConfigWriteErrorCode, ConfigWriteResponse, ErrorData, ErrorKind,
    HookEventName, InitializeResponse, MarketplaceInterface, MarketplaceLoadErrorInfo,
    MarketplaceRemoveResponse, OciSource, OverriddenMetadata, PlugdLinked, PlugdServerCapabilities,
    PluginAuthPolicy, PluginAvailability, PluginBinding, PluginDetail, PluginDisabledReason,
    PluginHookSummary, PluginInstallPolicy, PluginInstallResponse, PluginInterface,
    PluginListResponse, PluginMarketplaceEntry, PluginReadResponse, PluginRebinding, PluginSource,
    PluginSummary, PluginUninstallResponse, Problem, ProgressParams, ServerCapabilities,
    ServerInfo, Severity, ShutdownResponse, SkillInterface, SkillSummary, TaskEventState,
    TaskParams, WorkDoneProgress, WriteStatus,
};

fn check(value: impl Serialize, expected: Value) {
    assert_eq!(serde_json::to_value(value).expect("plain data"), expected);
}

fn problem() -> Problem {
    Problem {
        kind: "badValue".to_owned(),
        severity: Severity::Warning,
        message: "unknown policy".to_owned(),
        path: Some("/m/marketplace.json".into()),
        field: Some("plugins[0].policy".to_owned()),
        line: Some(3),
        column: Some(5),
    }
}

fn summary() -> PluginSummary {
    PluginSummary {
        linked: None,
        id: "hello@demo".to_owned(),
        remote_plugin_id: None,
        version: None,
        local_version: Some("1.0.0".to_owned()),
        installed_version: Some("0.9.0".to_owned()),
        name: "hello".to_owned(),
        share_context: None,
        source: PluginSource::Local {
            path: "/demo/plugins/hello".into(),
        },
        installed: true,
        installed_at: None,
        enabled: true,
        update_available: true,
        install_policy: PluginInstallPolicy::Available,
        install_policy_source: None,
        must_show_installation_interstitial: None,
        auth_policy: PluginAuthPolicy::OnInstall,
        availability: PluginAvailability::Available,
        disabled_reason: None,
        eligible_plan_types: None,
        interface: None,
        keywords: vec!["k".to_owned()],
        problems: Vec::new(),
    }
}

fn summary_json() -> Value {
    json!({
        "id": "hello@demo", "remotePluginId": null, "version": null, "localVersion": "1.0.0",
        "installedVersion": "0.9.0", "name": "hello", "shareContext": null,
        "source": {"type": "local", "path": "/demo/plugins/hello"}, "installed": true,
        "installedAt": null, "enabled": true, "updateAvailable": true,
        "installPolicy": "AVAILABLE", "installPolicySource": null,
        "mustShowInstallationInterstitial": null, "authPolicy": "ON_INSTALL",
        "availability": "AVAILABLE", "disabledReason": null, "eligiblePlanTypes": null,
        "interface": null, "keywords": ["k"], "linked": null, "problems": [],
    })
}

#[test]
fn initialize() {
    let response = InitializeResponse {
        user_agent: "t/0.169.0 (Linux; x86_64)".to_owned(),
        codex_home: "/home/u/.codex".into(),
        platform_family: "unix".to_owned(),
        platform_os: "linux".to_owned(),
        server_info: ServerInfo {
            name: "plugd".to_owned(),
            version: "0.1.0".to_owned(),
        },
        capabilities: ServerCapabilities {
            plugd: PlugdServerCapabilities {
                version: 1,
                methods: vec!["plugin/list".to_owned()],
                notifications: Vec::new(),
            },
        },
    };
    let expected = json!({
        "userAgent": "t/0.169.0 (Linux; x86_64)", "codexHome": "/home/u/.codex",
        "platformFamily": "unix", "platformOs": "linux",
        "serverInfo": {"name": "plugd", "version": "0.1.0"},
        "capabilities": {"plugd": {"version": 1, "methods": ["plugin/list"], "notifications": []}},
    });
    check(response, expected);
    check(ShutdownResponse, Value::Null);
}

#[test]
fn a_listing() {
    let response = PluginListResponse {
        marketplaces: vec![PluginMarketplaceEntry {
            name: "demo".to_owned(),
            path: Some("/m/marketplace.json".into()),
            interface: Some(MarketplaceInterface { display_name: None }),
            plugins: vec![summary()],
        }],
        marketplace_load_errors: vec![MarketplaceLoadErrorInfo::new("/m".into(), problem())],
        featured_plugin_ids: Vec::new(),
        remote_sync_error: None,
    };
    let expected = json!({
        "marketplaces": [{"name": "demo", "path": "/m/marketplace.json",
            "interface": {"displayName": null}, "plugins": [summary_json()]}],
        "marketplaceLoadErrors": [{"marketplacePath": "/m", "message": "unknown policy",
            "kind": "badValue", "severity": "warning", "path": "/m/marketplace.json",
            "field": "plugins[0].policy", "line": 3, "column": 5}],
        "featuredPluginIds": [],
        "remoteSyncError": null,
    });
    check(response, expected);
}

#[test]
fn what_is_unknown_about_a_problem_is_omitted() {
    let problem = Problem {
        path: None,
        field: None,
        line: None,
        column: None,
        ..problem()
    };
    let expected = json!({"kind": "badValue", "severity": "warning", "message": "unknown policy"});
    check(problem, expected);
}

#[test]
fn sources() {
    let git = PluginSource::Git {
        url: "https://x/r.git".to_owned(),
        path: None,
        ref_name: Some("main".to_owned()),
        sha: None,
    };
    check(
        git,
        json!({"type": "git", "url": "https://x/r.git", "path": null, "refName": "main",
               "sha": null}),
    );
    let npm = PluginSource::Npm {
        package: "p".to_owned(),
        version: None,
        registry: None,
    };
    check(
        npm,
        json!({"type": "npm", "package": "p", "version": null, "registry": null}),
    );
    let remote = PluginSource::Remote {
        oci: None,
        archive: None,
    };
    check(remote, json!({"type": "remote"}));
    let artifact = PluginSource::Remote {
        oci: Some(OciSource {
            url: "oci://h/a".to_owned(),
            tag: Some("1".to_owned()),
            digest: None,
        }),
        archive: None,
    };
    check(
        artifact,
        json!({"type": "remote", "oci": {"url": "oci://h/a", "tag": "1", "digest": null}}),
    );
}

#[test]
fn an_interface_has_all_its_members() {
    let expected = json!({
        "displayName": null, "shortDescription": null, "longDescription": null,
        "developerName": null, "category": null, "capabilities": [], "websiteUrl": null,
        "privacyPolicyUrl": null, "termsOfServiceUrl": null, "defaultPrompt": null,
        "brandColor": null, "composerIcon": null, "composerIconUrl": null, "logo": null,
        "logoDark": null, "logoUrl": null, "logoUrlDark": null, "screenshots": [],
        "screenshotUrls": [],
    });
    check(PluginInterface::default(), expected);
}

#[test]
fn words() {
    check(
        PluginInstallPolicy::InstalledByDefault,
        json!("INSTALLED_BY_DEFAULT"),
    );
    check(PluginInstallPolicy::NotAvailable, json!("NOT_AVAILABLE"));
    check(PluginAuthPolicy::OnUse, json!("ON_USE"));
    check(
        PluginAvailability::DisabledByAdmin,
        json!("DISABLED_BY_ADMIN"),
    );
    check(
        PluginDisabledReason::PlanNotEligible,
        json!("plan_not_eligible"),
    );
    check(HookEventName::UserPromptSubmit, json!("userPromptSubmit"));
    check(WriteStatus::OkOverridden, json!("okOverridden"));
}

#[test]
fn a_detail() {
    let skill = SkillSummary {
        name: "hello:a".to_owned(),
        description: "d".to_owned(),
        short_description: None,
        interface: Some(SkillInterface {
            display_name: Some("A".to_owned()),
            ..SkillInterface::default()
        }),
        path: Some("/demo/plugins/hello/skills/a/SKILL.md".into()),
        enabled: true,
    };
    let response = PluginReadResponse {
        plugin: PluginDetail {
            marketplace_name: "demo".to_owned(),
            marketplace_path: None,
            summary: summary(),
            share_url: None,
            description: None,
            skills: vec![skill],
            onboarding_skill: None,
            hooks: vec![PluginHookSummary {
                key: "hello@demo:hooks.json:pre_tool_use:0:0".to_owned(),
                event_name: HookEventName::PreToolUse,
            }],
            apps: Vec::new(),
            app_templates: Vec::new(),
            mcp_servers: vec!["s".to_owned()],
            scheduled_tasks: None,
        },
    };
    let expected = json!({"plugin": {
        "marketplaceName": "demo", "marketplacePath": null, "summary": summary_json(),
        "shareUrl": null, "description": null,
        "skills": [{"name": "hello:a", "description": "d", "shortDescription": null,
            "interface": {"displayName": "A", "shortDescription": null, "iconSmall": null,
                "iconLarge": null, "iconSmallUrl": null, "iconLargeUrl": null,
                "brandColor": null, "defaultPrompt": null},
            "path": "/demo/plugins/hello/skills/a/SKILL.md", "enabled": true}],
        "onboardingSkill": null,
        "hooks": [{"key": "hello@demo:hooks.json:pre_tool_use:0:0", "eventName": "preToolUse"}],
        "apps": [], "appTemplates": [], "mcpServers": ["s"], "scheduledTasks": null,
    }});
    check(response, expected);
}

#[test]
fn an_installation() {
    let binding = |path: &str| PluginBinding {
        marketplace_path: Some(path.into()),
        marketplace_url: None,
        marketplace_ref: None,
        source: None,
    };
    let response = PluginInstallResponse {
        auth_policy: PluginAuthPolicy::OnInstall,
        apps_needing_auth: Vec::new(),
        installed_version: "1.0.0".to_owned(),
        changed: true,
        rebound: Some(PluginRebinding {
            from: binding("/a"),
            to: binding("/b"),
        }),
        problems: Vec::new(),
    };
    let binding = |path: &str| {
        json!({"marketplacePath": path, "marketplaceUrl": null, "marketplaceRef": null,
               "source": null})
    };
    let expected = json!({
        "authPolicy": "ON_INSTALL", "appsNeedingAuth": [], "installedVersion": "1.0.0",
        "changed": true, "rebound": {"from": binding("/a"), "to": binding("/b")}, "problems": [],
    });
    check(response, expected);
    check(
        PluginUninstallResponse {
            changed: false,
            linked: None,
        },
        json!({"changed": false, "linked": null}),
    );
    let path = AbsolutePathBuf("/src/p".to_owned());
    check(
        PluginUninstallResponse {
            changed: true,
            linked: Some(PlugdLinked { path }),
        },
        json!({"changed": true, "linked": {"path": "/src/p"}}),
    );
    check(
        MarketplaceRemoveResponse {
            marketplace_name: "m".to_owned(),
            installed_root: None,
            orphans: vec!["p@m".to_owned()],
            removed_plugins: Vec::new(),
        },
        json!({"marketplaceName": "m", "installedRoot": null, "orphans": ["p@m"],
               "removedPlugins": []}),
    );
}

fn user_layer() -> ConfigLayerSource {
    ConfigLayerSource::User {
        file: "/h/config.toml".into(),
        profile: None,
    }
}

#[test]
fn a_configuration() {
    let metadata = ConfigLayerMetadata {
        name: user_layer(),
        version: "sha256:1".to_owned(),
    };
    let layer = ConfigLayer {
        name: ConfigLayerSource::SessionFlags,
        version: "sha256:2".to_owned(),
        config: json!({}),
        disabled_reason: None,
    };
    let mut response = ConfigReadResponse {
        config: Config(Map::from_iter([("model".to_owned(), json!("x"))])),
        origins: BTreeMap::from([("model".to_owned(), metadata)]),
        layers: None,
    };
    let user = json!({"name": {"type": "user", "file": "/h/config.toml", "profile": null},
                      "version": "sha256:1"});
    let expected = json!({"config": {"model": "x"}, "origins": {"model": user}});
    check(response.clone(), expected);
    response.layers = Some(vec![layer]);
    let layers = json!([{"name": {"type": "sessionFlags"}, "version": "sha256:2", "config": {}}]);
    check(
        response,
        json!({"config": {"model": "x"}, "origins": {"model": user}, "layers": layers}),
    );
}

#[test]
fn layer_sources() {
    let file = || AbsolutePathBuf::from("/f");
    check(
        ConfigLayerSource::System { file: file() },
        json!({"type": "system", "file": "/f"}),
    );
    check(
        ConfigLayerSource::Project {
            dot_codex_folder: file(),
        },
        json!({"type": "project", "dotCodexFolder": "/f"}),
    );
    check(
        ConfigLayerSource::LegacyManagedConfigTomlFromFile { file: file() },
        json!({"type": "legacyManagedConfigTomlFromFile", "file": "/f"}),
    );
    check(
        ConfigLayerSource::PackagedDefaults { file: file() },
        json!({"type": "packagedDefaults", "file": "/f"}),
    );
}

#[test]
fn a_configuration_write() {
    let response = ConfigWriteResponse {
        status: WriteStatus::OkOverridden,
        version: "sha256:1".to_owned(),
        file_path: "/h/config.toml".into(),
        overridden_metadata: Some(OverriddenMetadata {
            message: "m".to_owned(),
            overriding_layer: ConfigLayerMetadata {
                name: ConfigLayerSource::SessionFlags,
                version: "sha256:2".to_owned(),
            },
            effective_value: json!(true),
        }),
    };
    let expected = json!({
        "status": "okOverridden", "version": "sha256:1", "filePath": "/h/config.toml",
        "overriddenMetadata": {"message": "m", "effectiveValue": true,
            "overridingLayer": {"name": {"type": "sessionFlags"}, "version": "sha256:2"}},
    });
    check(response, expected);
}

#[test]
fn requirements() {
    let none = ConfigRequirementsReadResponse {
        requirements: None,
        supports_independent_speed_modes: None,
    };
    check(
        none,
        json!({"requirements": null, "supportsIndependentSpeedModes": null}),
    );
    let some = ConfigRequirements::new(Some(BTreeMap::from([("plugins".to_owned(), true)])), None);
    let json = serde_json::to_value(some).expect("plain data");
    assert_eq!(json["featureRequirements"], json!({"plugins": true}));
    assert_eq!(json["marketplaces"], Value::Null);
    // The reference answers 34 members, of which one is followed here, and `marketplaces` is ours.
    assert_eq!(json.as_object().map(Map::len), Some(35));
    assert_eq!(json.get("allowedSandboxModes"), Some(&Value::Null));
}

#[test]
fn error_data() {
    check(
        ErrorData::new(ErrorKind::NotFound),
        json!({"kind": "notFound"}),
    );
    let conflict = ErrorData {
        config_write_error_code: Some(ConfigWriteErrorCode::ConfigVersionConflict),
        retryable: Some(true),
        ..ErrorData::new(ErrorKind::Conflict)
    };
    let expected = json!({"kind": "conflict", "retryable": true,
                          "config_write_error_code": "configVersionConflict"});
    check(conflict, expected);
    for kind in ErrorKind::ALL {
        check(kind, json!(kind.word()));
    }
}

#[test]
fn events() {
    let warning = ConfigWarningNotification {
        summary: "s".to_owned(),
        details: None,
        path: None,
        range: None,
    };
    check(warning, json!({"summary": "s", "details": null}));
    let changed = ChangedParams {
        id: 4,
        reason: ChangeReason::Refresh,
        marketplaces: Vec::new(),
        plugins: vec!["hello@demo".to_owned()],
        config_keys: Vec::new(),
        rewritten_marketplaces: Vec::new(),
    };
    let expected = json!({"id": 4, "reason": "refresh", "marketplaces": [],
                          "plugins": ["hello@demo"], "configKeys": [],
                          "rewrittenMarketplaces": []});
    check(changed, expected);
    let task = TaskParams {
        id: 1,
        kind: crate::PlugdTaskKind::CuratedSync,
        state: TaskEventState::Started,
        message: None,
        problem: None,
    };
    let expected = json!({"id": 1, "kind": "curatedSync", "state": "started", "message": null,
                          "problem": null});
    check(task, expected);
}

#[test]
fn progress() {
    let progress = ProgressParams {
        token: serde_json::from_str("12").expect("a token"),
        value: WorkDoneProgress::Report {
            stage: "copy".to_owned(),
            message: None,
            done: 5,
            total: None,
            percentage: None,
        },
    };
    let expected = json!({"token": 12,
                          "value": {"kind": "report", "stage": "copy", "done": 5, "total": null}});
    check(progress, expected);
}
