//! Proves `plugin/read` and `plugd/inspect` of the remote catalog, how a plugin that is shared from
//! this disk is read, and that the last known answer stands in for a service that fails.

use plugd_testkit::service::{Bundle, Endpoint, Fault, Item, Login};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote};
use crate::fixtures::{cli, summary, text, with};

/// A plugin of which the service says everything.
fn rich() -> Item {
    Item::new("rich")
        .share_url("https://share.example/rich")
        .description("Has everything")
        .display_name("Rich")
        .app_ids(&["a1", "a2", "a3"])
        .mcp_servers(&["zeta", "alpha", "zeta"])
        .skill_raw(json!({
            "name": "review", "description": "Reviews",
            "interface": {"display_name": "Review", "short_description": "Short",
                "icon_small_url": "https://i.example/s", "brand_color": "#ffffff",
                "default_prompt": "Look"},
        }))
        .skill("off", "Is switched off")
        .onboarding_skill_name("review")
        .app_template(json!({"template_id": "t", "name": "T", "reason": "NO_ACTIVE_WORKSPACE"}))
        .scheduled_tasks(json!([{"key": "k", "name": "N", "prompt": "P",
            "schedule": {"type": "weekly", "days": ["MO", "FR"], "time": "09:00"}}]))
}

fn skill(name: &str, enabled: bool) -> Value {
    json!({
        "name": name, "description": "Is switched off", "shortDescription": null,
        "interface": null, "path": null, "enabled": enabled,
    })
}

fn review() -> Value {
    json!({
        "name": "review", "description": "Reviews", "shortDescription": "Short",
        "interface": {"displayName": "Review", "shortDescription": "Short", "iconSmall": null,
            "iconLarge": null, "iconSmallUrl": "https://i.example/s", "iconLargeUrl": null,
            "brandColor": "#ffffff", "defaultPrompt": "Look"},
        "path": null, "enabled": true,
    })
}

fn app(id: &str, name: &str, slug: &str) -> Value {
    let url = format!("https://chatgpt.com/apps/{slug}/{id}");
    json!({"id": id, "name": name, "description": null, "installUrl": url, "category": null})
}

/// The kinds of what is wrong with a plugin that was read.
fn kinds(answer: &Value) -> Vec<&str> {
    let problems = answer["plugin"]["summary"]["problems"].as_array().unwrap();
    problems.iter().map(|one| text(&one["kind"])).collect()
}

#[test]
fn the_whole_answer() {
    let account = Account::new();
    let item = rich();
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    account.service.set_app("a1", "Übér  App!!");
    account.service.set_app("a2", "***");
    account.service.set_installed(&id, true);
    account
        .service
        .set_installed_member(&id, "disabled_skill_names", json!(["off"]));
    account
        .service
        .set_installed_member(&id, "installed_at", "2026-01-01T00:00:00Z");
    let mut daemon = account.start();
    let mut answer = daemon.ok("plugin/read", remote(&id));
    // The bundle may have been brought meanwhile.
    let row = answer["plugin"]["summary"].take();
    assert_eq!(
        answer,
        json!({"plugin": {
            "marketplaceName": "openai-curated-remote", "marketplacePath": null, "summary": null,
            "shareUrl": "https://share.example/rich", "description": "Has everything",
            "skills": [review(), skill("off", false)], "onboardingSkill": review(), "hooks": [],
            "apps": [app("a1", "Übér  App!!", "b-r--app"), app("a2", "***", "app"),
                app("a3", "a3", "a3")],
            "appTemplates": [{"templateId": "t", "name": "T", "description": null,
                "category": null, "canonicalConnectorId": null, "logoUrl": null,
                "logoUrlDark": null, "materializedAppIds": [], "reason": "NO_ACTIVE_WORKSPACE"}],
            "mcpServers": ["alpha", "zeta"],
            "scheduledTasks": [{"key": "k", "name": "N", "prompt": "P",
                "schedule": {"type": "weekly", "days": ["MO", "FR"], "time": "09:00"}}],
        }})
    );
    let held = json!({"localVersion": null, "installedVersion": null, "interface": null});
    assert_eq!(
        with(row, held),
        summary(
            "rich@openai-curated-remote",
            json!({
                "remotePluginId": id, "version": "1.0.0", "source": {"type": "remote"},
                "installed": true, "installedAt": 1_767_225_600, "enabled": true, "interface": null,
                "localVersion": null,
            })
        )
    );
    // The marketplace is a guess of the client's, and what the service says counts.
    let guess = json!({"remoteMarketplaceName": "nonsense", "pluginName": id});
    let again = daemon.ok("plugin/read", guess);
    assert_eq!(again["plugin"]["marketplaceName"], "openai-curated-remote");
    daemon.shut_down();
}

#[test]
fn only_an_installed_plugin_has_a_skill_to_begin_with() {
    let account = Account::new();
    let item = rich();
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    let mut daemon = account.start();
    let onboarding = |answer: Value| answer["plugin"]["onboardingSkill"]["name"].clone();
    assert_eq!(
        onboarding(daemon.ok("plugin/read", remote(&id))),
        Value::Null
    );
    account.service.set_installed(&id, false);
    assert_eq!(
        onboarding(daemon.ok("plugin/read", remote(&id))),
        Value::Null
    );
    account.service.set_installed(&id, true);
    assert_eq!(onboarding(daemon.ok("plugin/read", remote(&id))), "review");
    let silenced = json!(["review"]);
    account
        .service
        .set_installed_member(&id, "disabled_skill_names", silenced);
    assert_eq!(
        onboarding(daemon.ok("plugin/read", remote(&id))),
        Value::Null
    );
    daemon.shut_down();
}

#[test]
fn refusals_in_the_order_and_words_of_the_reference() {
    let read = |account: &Account, params: Value| {
        let mut daemon = account.start();
        let error = daemon.err("plugin/read", params);
        daemon.shut_down();
        format!("{} {}", error["code"], text(&error["message"]))
    };
    let none = Account::without_login("");
    let action = "-32600 read remote plugin details: chatgpt authentication required for remote \
                  plugin catalog";
    assert_eq!(read(&none, remote("plugins~1")), action);
    let illegal = "-32600 invalid remote plugin id: only ASCII letters, digits, `_`, `-`, and `~` \
                   are allowed";
    for id in ["", "a!b", "a.b", "name@openai-curated-remote", "%41"] {
        assert_eq!(read(&none, remote(id)), illegal, "{id}");
    }
    Login::api_key().write_to(&none.sandbox);
    let refused = read(&none, remote("plugins~1"));
    assert!(refused.starts_with(action) && refused.ends_with("api key auth is not supported"));
    let off = Account::with("[features]\nplugins = false\n");
    assert_eq!(
        read(&off, remote("a!b")),
        "-32600 remote plugin read is not enabled for marketplace openai-curated-remote"
    );
    for account in [&none, &off] {
        assert_eq!(account.service.lines(), Vec::<String>::new());
    }
    let account = Account::new();
    let refused = read(&account, remote("missing"));
    assert!(
        refused.starts_with("-32600 read remote plugin details: "),
        "{refused}"
    );
    let both = json!({"marketplacePath": "/m", "remoteMarketplaceName": "x", "pluginName": "p"});
    assert!(read(&account, both).contains("exactly one of"));
}

#[test]
fn an_answer_about_another_plugin_is_refused() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta"]);
    let beta = ids[1].clone();
    let other = Fault::edit(move |answer| answer["id"] = json!(beta));
    account.service.fail(Endpoint::Detail, other);
    let mut daemon = account.start();
    // Also when the right one is known.
    daemon.ok("plugin/list", json!({}));
    let error = daemon.err("plugin/read", remote(&ids[0]));
    assert!(text(&error["message"]).contains("is about `"), "{error}");
    daemon.shut_down();
}

#[test]
fn what_was_known_stands_in_for_a_failing_service() {
    let account = Account::new();
    let item = rich();
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    let mut daemon = account.start();
    for endpoint in [Endpoint::Detail, Endpoint::Installed] {
        account.service.fail(endpoint, Fault::status(500));
    }
    let error = daemon.err("plugin/read", remote(&id));
    assert_eq!(error["data"]["kind"], "unavailable");
    account.service.behave_well();
    daemon.ok("plugin/list", json!({}));
    let before = daemon.ok("plugin/read", remote(&id));
    assert_eq!(kinds(&before), Vec::<&str>::new());
    for fault in [
        Fault::status(500),
        Fault::status(401),
        Fault::status(418),
        Fault::NotJson,
        Fault::Reset,
        Fault::Cut(20),
    ] {
        account.service.fail(Endpoint::Detail, fault.clone());
        let stale = daemon.ok("plugin/read", remote(&id));
        assert_eq!(kinds(&stale), ["remoteStale"], "{fault:?}");
        for member in [
            "description",
            "skills",
            "mcpServers",
            "shareUrl",
            "scheduledTasks",
        ] {
            assert_eq!(
                stale["plugin"][member], before["plugin"][member],
                "{fault:?}"
            );
        }
    }
    // A plugin that the service does not have any more is no failure of the service.
    account.service.behave_well();
    account.service.withdraw(&id);
    let error = daemon.err("plugin/read", remote(&id));
    assert_eq!(
        (&error["code"], &error["data"]["kind"]),
        (&json!(-32600), &json!("notFound"))
    );
    daemon.shut_down();
}

#[test]
fn what_is_installed_is_remembered_when_only_that_fails() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = account.start();
    daemon.ok("plugin/read", remote(&ids[0]));
    account
        .service
        .fail(Endpoint::Installed, Fault::status(503));
    let stale = daemon.ok("plugin/read", remote(&ids[0]));
    assert_eq!(stale["plugin"]["summary"]["installed"], true);
    assert_eq!(kinds(&stale), ["remoteStale"]);
    daemon.shut_down();
}

#[test]
fn an_expired_login_is_shown_what_was_known() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    let mut daemon = account.start();
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
    account.service.login().expired().write_to(&account.sandbox);
    account.service.forget();
    let mut daemon = account.start();
    let answer = daemon.ok("plugin/read", remote(&ids[0]));
    assert_eq!(kinds(&answer), ["loginExpired"]);
    let error = daemon.err("plugin/read", remote("plugins~unknown"));
    assert_eq!(
        error["message"],
        "read remote plugin details: the login has expired"
    );
    daemon.shut_down();
    assert_eq!(account.service.lines(), Vec::<String>::new());
}

#[test]
fn names_of_apps_hold_nothing_up() {
    let account = Account::new();
    let item = rich();
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    for fault in [Fault::status(500), Fault::NotJson, Fault::Silent] {
        account.service.fail(Endpoint::Apps, fault);
        let mut daemon = account.start();
        let answer = daemon.ok("plugin/read", remote(&id));
        assert_eq!(answer["plugin"]["apps"][0], app("a1", "a1", "a1"));
        daemon.shut_down();
    }
}

#[test]
fn where_apps_are_off_nobody_asks_for_their_names() {
    let account = Account::with("[features]\napps = false\n");
    let item = rich();
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    account.sandbox.add(
        "== home/.agents/plugins/marketplace.json\n\
         {\"name\": \"mine\", \"plugins\": [{\"name\": \"own\", \"source\": \"./own\"}]}\n\
         == home/own/.codex-plugin/plugin.json\n\
         {\"name\": \"own\"}\n\
         == home/own/.app.json\n\
         {\"apps\": {\"drive\": {\"id\": \"a1\"}}}\n",
    );
    let mut daemon = account.start();
    let answer = daemon.ok("plugin/read", remote(&id));
    assert_eq!(answer["plugin"]["apps"][0], app("a1", "a1", "a1"));
    let manifest = "$ROOT/home/.agents/plugins/marketplace.json";
    let params = json!({"marketplacePath": manifest, "pluginName": "own"});
    assert_eq!(
        daemon.ok("plugin/read", params)["plugin"]["apps"][0]["id"],
        "a1"
    );
    daemon.shut_down();
    assert_eq!(account.service.count(Endpoint::Apps), 0);
}

#[test]
fn a_plugin_shared_from_this_disk_says_how() {
    let account = Account::new();
    account.sandbox.add(
        "== home/.agents/plugins/marketplace.json\n\
         {\"name\": \"mine\", \"plugins\": [{\"name\": \"own\", \"source\": \"./own\"}]}\n\
         == home/own/.codex-plugin/plugin.json\n\
         {\"name\": \"own\", \"version\": \"1.0.0\"}\n\
         == home/own/.app.json\n\
         {\"apps\": {\"drive\": {\"id\": \"a1\", \"category\": \"Files\"}}}\n",
    );
    let item = Item::workspace("own", "PRIVATE")
        .version("2.0.0")
        .share_principal("user", "u1", "owner", "Ada");
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    account.service.set_app("a1", "Drive");
    let mapped = json!({"localPluginPathsByRemotePluginId":
        {&id: account.sandbox.path("home/own").to_string()}});
    account.sandbox.write(
        "ch/.tmp/plugin-share-local-paths-v1.json",
        mapped.to_string(),
    );
    let manifest = "$ROOT/home/.agents/plugins/marketplace.json";
    let params = json!({"marketplacePath": manifest, "pluginName": "own"});
    let share = |answer: &Value| answer["plugin"]["summary"]["shareContext"].clone();
    let mut daemon = account.start();
    let answer = daemon.ok("plugin/read", params.clone());
    let full = share(&answer);
    assert_eq!(full["remotePluginId"], id.as_str());
    assert_eq!(full["remoteVersion"], "2.0.0");
    assert_eq!(full["sharePrincipals"][0]["name"], "Ada");
    let drive = with(app("a1", "Drive", "drive"), json!({"category": "Files"}));
    assert_eq!(answer["plugin"]["apps"], json!([drive]));
    let bare = json!({
        "remotePluginId": id, "remoteVersion": null, "discoverability": null, "shareUrl": null,
        "creatorAccountUserId": null, "creatorName": null, "sharePrincipals": null,
        "canPublishToWorkspace": null,
    });
    let listing = daemon.ok("plugin/list", json!({"marketplaceKinds": ["local"]}));
    let row = &listing["marketplaces"][0]["plugins"][0];
    assert_eq!(row["shareContext"], bare);
    account.service.fail(Endpoint::Detail, Fault::status(500));
    assert_eq!(share(&daemon.ok("plugin/read", params.clone())), bare);
    // A corrupt file costs what it says, and is told.
    account
        .sandbox
        .write("ch/.tmp/plugin-share-local-paths-v1.json", "{");
    assert_eq!(share(&daemon.ok("plugin/read", params)), Value::Null);
    let listing = daemon.ok("plugin/list", json!({"marketplaceKinds": ["local"]}));
    let errors = listing["marketplaceLoadErrors"].as_array().unwrap();
    let path = text(&errors[0]["marketplacePath"]);
    assert!(
        path.ends_with("plugin-share-local-paths-v1.json"),
        "{errors:?}"
    );
    daemon.shut_down();
}

#[test]
fn apps_are_shown_of_every_plugin_on_this_disk() {
    let account = Account::new();
    account.sandbox.add(
        "== home/.agents/plugins/marketplace.json\n\
         {\"name\": \"mine\", \"plugins\": [{\"name\": \"bare\", \"source\": \"./bare\", \"version\": \"1.0.0\"}]}\n\
         == home/bare/.app.json\n\
         {\"apps\": {\"drive\": {\"id\": \"a1\"}}}\n\
         == tree/.codex-plugin/plugin.json\n\
         {\"name\": \"tree\", \"version\": \"1.0.0\"}\n\
         == tree/.app.json\n\
         {\"apps\": {\"drive\": {\"id\": \"a1\"}}}\n",
    );
    account.service.set_app("a1", "Drive");
    let mut daemon = account.start();
    let apps = json!([app("a1", "Drive", "drive")]);
    // Its entry is all that says what it is.
    let manifest = "$ROOT/home/.agents/plugins/marketplace.json";
    let params = json!({"marketplacePath": manifest, "pluginName": "bare"});
    assert_eq!(daemon.ok("plugin/read", params)["plugin"]["apps"], apps);
    // No marketplace offers it.
    daemon.ok(
        "plugd/link",
        json!({"path": "$ROOT/tree", "pluginId": "tree@gone"}),
    );
    let params = json!({"remoteMarketplaceName": "gone", "pluginName": "tree"});
    assert_eq!(daemon.ok("plugin/read", params)["plugin"]["apps"], apps);
    daemon.shut_down();
}

#[test]
fn what_would_run_is_shown_before_it_is_installed() {
    let account = Account::new();
    let item = Item::new("tool").version("2.0.0");
    let id = item.id().to_owned();
    let bundle = |command: &str| {
        let servers = json!({"mcpServers": {"s": {"command": command}}});
        Bundle::new("tool", "2.0.0").file(".mcp.json", servers.to_string())
    };
    account.service.offer_with(item, &bundle("first"));
    let mut daemon = account.start();
    let inspected = daemon.ok("plugd/inspect", remote(&id));
    assert_eq!(inspected["pluginId"], "tool@openai-curated-remote");
    assert_eq!(inspected["installed"], Value::Null);
    let offered = &inspected["offered"];
    assert_eq!(
        (&offered["root"], &offered["version"]),
        (&Value::Null, &json!("2.0.0"))
    );
    assert_eq!(offered["mcpServers"][0]["name"], "s");
    let copy = "ch/plugins/cache/openai-curated-remote/tool";
    assert!(!account.sandbox.exists(copy), "nothing is installed");
    assert_eq!(account.service.count(Endpoint::Install), 0);
    daemon.ok("plugin/install", remote(&id));
    account
        .service
        .publish(&id, "2.0.0", bundle("second").build());
    let by_name = json!({"pluginId": "tool@openai-curated-remote"});
    let inspected = daemon.ok("plugd/inspect", by_name.clone());
    let changes = inspected["difference"]["changes"].as_array().unwrap();
    assert!(
        changes.iter().any(|one| one["category"] == "mcpServer"),
        "{changes:?}"
    );
    // Without the service the copy is there still.
    account.service.fail(Endpoint::Detail, Fault::status(500));
    let inspected = daemon.ok("plugd/inspect", by_name);
    assert_eq!(inspected["offered"], Value::Null);
    assert_eq!(inspected["problems"][0]["kind"], "unavailable");
    daemon.shut_down();
}

#[test]
fn the_command_line_reads_by_name_and_by_id() {
    let account = Account::new();
    let item = rich();
    let id = item.id().to_owned();
    account.service.offer_plugin(item);
    for which in [id.as_str(), "rich@openai-curated-remote"] {
        let run = cli(&account.sandbox, &["plugin", "read", which]);
        let out = run.success();
        assert!(
            out.contains("rich@openai-curated-remote: not installed"),
            "{out}"
        );
        assert!(out.contains("off: Is switched off"), "{out}");
        let run = cli(&account.sandbox, &["plugin", "read", which, "--json"]);
        let answer = run.json();
        assert_eq!(answer["plugin"]["summary"]["remotePluginId"], id.as_str());
    }
    let run = cli(&account.sandbox, &["plugin", "list", "--remote"]);
    let out = run.success();
    assert!(out.contains("rich@openai-curated-remote"), "{out}");
    let run = cli(&account.sandbox, &["plugin", "list"]);
    assert!(!run.success().contains("rich@"));
    let none = Account::without_login("");
    for args in [
        &["plugin", "list", "--remote", "--json"][..],
        &["plugin", "read", "rich@openai-curated-remote", "--json"],
    ] {
        let run = cli(&none.sandbox, args);
        assert_eq!(run.code(), 1);
        let answer = run.json();
        let message = text(&answer["error"]["message"]);
        assert!(
            message.contains("chatgpt authentication required"),
            "{message}"
        );
    }
}
