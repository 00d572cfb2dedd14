//! Proves the remote part of `plugin/list`, `plugin/installed` and `plugin/search`: what is asked of
//! the service, what is shown of its answers, and that local data never depends on it.

use plugd_testkit::service::{Endpoint, Fault, Item, Login};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, plugin, rows};
use crate::fixtures::{marketplace, plugins_in, start, text};

/// The paths that were asked for, without what every request has.
fn asked(account: &Account) -> Vec<String> {
    let mut lines = account.service.lines();
    lines.sort();
    lines
}

/// The kinds of what could not be shown.
fn kinds(listing: &Value) -> Vec<String> {
    let rows = listing["marketplaceLoadErrors"].as_array().unwrap().iter();
    rows.map(|row| text(&row["kind"]).to_owned()).collect()
}

#[test]
fn the_catalog_of_everybody_comes_behind_what_is_here() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta"]);
    account.service.set_installed(&ids[1], true);
    account
        .service
        .set_featured(&["beta@openai-curated-remote"]);
    account
        .sandbox
        .add(&marketplace("home", "mine", &[("local", "1.0.0")]));
    let mut daemon = account.start();
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        rows(&listing),
        [
            "mine: local@mine -",
            "openai-curated-remote: alpha@openai-curated-remote 1.0.0",
            "openai-curated-remote: beta@openai-curated-remote 1.0.0 installed enabled",
        ]
    );
    let alpha = plugin(&listing, "alpha@openai-curated-remote");
    assert_eq!(alpha["remotePluginId"], ids[0].as_str());
    assert_eq!(alpha["source"], json!({"type": "remote"}));
    assert_eq!(
        listing["featuredPluginIds"],
        json!(["beta@openai-curated-remote"])
    );
    assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    let group = &listing["marketplaces"][1];
    assert_eq!(
        (&group["path"], &group["interface"]["displayName"]),
        (&Value::Null, &json!("OpenAI Curated Remote"))
    );
    daemon.shut_down();
}

#[test]
fn without_a_chatgpt_login_nobody_is_asked() {
    for login in [None, Some(Login::api_key())] {
        let account = Account::without_login("");
        account.offer(&["alpha"]);
        if let Some(login) = &login {
            login.write_to(&account.sandbox);
        }
        let mut daemon = account.start();
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(rows(&listing), Vec::<String>::new());
        daemon.ok("plugin/installed", json!({}));
        daemon.ok("plugin/search", json!({"searchTerm": "alpha"}));
        let words = match login {
            None => "chatgpt authentication required",
            Some(_) => "api key auth is not supported",
        };
        for kind in [
            "workspace-directory",
            "shared-with-me",
            "created-by-me-remote",
        ] {
            let params = json!({"marketplaceKinds": [kind]});
            let error = daemon.err("plugin/list", params);
            assert_eq!(error["code"], -32600);
            assert!(text(&error["message"]).contains(words), "{error}");
        }
        let vertical = daemon.ok("plugin/list", json!({"marketplaceKinds": ["vertical"]}));
        assert_eq!(rows(&vertical), Vec::<String>::new());
        daemon.shut_down();
        assert_eq!(asked(&account), Vec::<String>::new());
    }
}

#[test]
fn a_switch_in_the_configuration_closes_the_catalog() {
    let account = Account::with("[features]\nremote_plugin = false\n");
    account.offer(&["alpha"]);
    account.service.offer(Item::new("tall").vertical());
    let mut daemon = account.start();
    assert_eq!(
        rows(&daemon.ok("plugin/list", json!({}))),
        Vec::<String>::new()
    );
    let vertical = daemon.ok("plugin/list", json!({"marketplaceKinds": ["vertical"]}));
    assert_eq!(
        rows(&vertical),
        ["openai-curated-remote: tall@openai-curated-remote 1.0.0"]
    );
    daemon.shut_down();
}

#[test]
fn a_failing_service_hides_nothing() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    account
        .sandbox
        .add(&marketplace("home", "mine", &[("local", "1.0.0")]));
    let before = {
        let mut daemon = account.start();
        let listing = daemon.ok("plugin/list", json!({}));
        daemon.shut_down();
        rows(&listing)
    };
    assert_eq!(before.len(), 2);
    for endpoint in [Endpoint::List, Endpoint::Installed, Endpoint::Featured] {
        account.service.fail(endpoint, Fault::status(500));
    }
    let mut daemon = account.start();
    for params in [json!({}), json!({"forceRefetch": true})] {
        let listing = daemon.ok("plugin/list", params);
        assert_eq!(rows(&listing), before);
        let kinds = kinds(&listing);
        assert!(
            !kinds.is_empty() && kinds.iter().all(|kind| kind == "remoteStale"),
            "{kinds:?}"
        );
    }
    account.service.behave_well();
    let healed = daemon.ok("plugin/list", json!({"forceRefetch": true}));
    assert_eq!(
        (rows(&healed), &healed["marketplaceLoadErrors"]),
        (before, &json!([]))
    );
    daemon.shut_down();
}

#[test]
fn what_was_never_seen_is_missing_and_said_to_be() {
    let account = Account::new();
    account.offer(&["alpha"]);
    account.service.fail(Endpoint::List, Fault::status(503));
    account
        .sandbox
        .add(&marketplace("home", "mine", &[("local", "1.0.0")]));
    let mut daemon = account.start();
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(rows(&listing), ["mine: local@mine -"]);
    let kinds = kinds(&listing);
    assert_eq!(kinds, ["remoteUnavailable"]);
    daemon.shut_down();
}

#[test]
fn one_bad_item_spoils_itself() {
    let account = Account::new();
    account.offer(&["alpha", "beta"]);
    account
        .service
        .offer(Item::raw("bad", json!({"id": "plugins_bad", "name": 5})));
    let mut daemon = account.start();
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugins_in(&listing).count(), 2);
    assert_eq!(kinds(&listing).len(), 1, "{listing}");
    account.service.set_installed("bad", true);
    daemon.ok("plugin/reconcile", json!({}));
    let installed = daemon.ok("plugin/installed", json!({}));
    assert_eq!(kinds(&installed).len(), 1, "{installed}");
    // Also when nothing of it is new.
    account.service.set_etags(true);
    for _ in 0..2 {
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(kinds(&listing).len(), 1, "{listing}");
    }
    daemon.shut_down();
}

#[test]
fn paging_ends() {
    for fault in [Fault::RepeatedToken, Fault::EmptyToken] {
        let account = Account::new();
        account.offer(&["alpha", "beta", "gamma"]);
        account.service.set_page_size(1);
        let mut daemon = account.start();
        assert_eq!(plugins_in(&daemon.ok("plugin/list", json!({}))).count(), 3);
        account.service.fail(Endpoint::List, fault);
        let listing = daemon.ok("plugin/list", json!({"forceRefetch": true}));
        // What was known before is more than what came now.
        assert_eq!(plugins_in(&listing).count(), 3);
        assert!(!kinds(&listing).is_empty());
        daemon.shut_down();
    }
}

#[test]
fn an_unchanged_directory_costs_no_body() {
    let account = Account::new();
    account.offer(&["alpha"]);
    account.service.set_etags(true);
    let mut daemon = account.start();
    daemon.ok("plugin/list", json!({}));
    account.service.forget();
    let listing = daemon.ok("plugin/list", json!({"forceRefetch": true}));
    assert_eq!(plugins_in(&listing).count(), 1);
    let lists = account.service.requests_to(Endpoint::List);
    assert_eq!(
        lists
            .iter()
            .map(|request| request.answered)
            .collect::<Vec<_>>(),
        [Some(304)]
    );
    // The cache is fresh, so the directory is not asked for without insisting.
    account.service.forget();
    daemon.ok("plugin/list", json!({}));
    assert_eq!(account.service.count(Endpoint::List), 0);
    daemon.shut_down();
}

#[test]
fn a_search_goes_on_in_the_catalog() {
    let account = Account::with("");
    account.offer(&["helper-one", "helper-two", "other"]);
    account
        .sandbox
        .add(&marketplace("home", "mine", &[("helper", "1.0.0")]));
    let mut daemon = account.start();
    let all = daemon.ok("plugin/search", json!({"searchTerm": "helper"}));
    let names = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().unwrap().iter();
        data.map(|hit| text(&hit["plugin"]["id"]).to_owned())
            .collect()
    };
    assert_eq!(
        names(&all),
        [
            "helper@mine",
            "helper-one@openai-curated-remote",
            "helper-two@openai-curated-remote",
        ]
    );
    let mut found = Vec::new();
    let mut params = json!({"searchTerm": "helper", "limit": 1});
    loop {
        let page = daemon.ok("plugin/search", params.clone());
        assert!(names(&page).len() <= 1);
        found.extend(names(&page));
        match page["nextCursor"].as_str() {
            Some(cursor) => params["cursor"] = json!(cursor),
            None => break,
        }
    }
    assert_eq!(found, names(&all));
    account.service.fail(Endpoint::Search, Fault::status(500));
    let local = daemon.ok("plugin/search", json!({"searchTerm": "helper"}));
    assert_eq!(names(&local), ["helper@mine"]);
    assert_eq!(
        local["marketplaceLoadErrors"][0]["kind"],
        "remoteUnavailable"
    );
    daemon.shut_down();
}

#[test]
fn a_project_cannot_send_the_token_elsewhere() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    let thief = plugd_testkit::service::PluginService::start();
    let project = format!("chatgpt_base_url = \"{}\"\n", thief.base());
    account
        .sandbox
        .write("work/.git/HEAD", "ref: refs/heads/main\n");
    account.sandbox.write("work/.codex/config.toml", project);
    let own = format!(
        "chatgpt_base_url = \"{}\"\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
        account.service.base(),
        account.sandbox.path("work")
    );
    account.sandbox.write("ch/config.toml", own);
    let mut daemon = account.start();
    let cwd = account.sandbox.path("work").to_string();
    let listing = daemon.ok("plugin/list", json!({"cwds": [cwd]}));
    assert_eq!(
        plugin(&listing, "alpha@openai-curated-remote")["remotePluginId"],
        ids[0].as_str()
    );
    daemon.shut_down();
    assert_eq!(thief.requests().len(), 0);
    assert!(account.service.count(Endpoint::List) > 0);
}

#[test]
fn offline_what_is_known_stays() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let sandbox = account.sandbox.clone();
    let mut daemon = account.start();
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
    // The port is closed with the service.
    drop(account);
    let mut daemon = start(&sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        rows(&listing),
        ["openai-curated-remote: alpha@openai-curated-remote 1.0.0 installed enabled"]
    );
    let installed = daemon.ok("plugin/installed", json!({}));
    assert_eq!(rows(&installed), rows(&listing));
    assert_eq!(kinds(&installed), ["remoteStale"]);
    daemon.shut_down();
}

#[test]
fn with_an_expired_login_what_is_known_is_shown_and_searched() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = account.start();
    daemon.ok("plugin/list", json!({}));
    account.service.login().expired().write_to(&account.sandbox);
    let installed = daemon.ok("plugin/installed", json!({}));
    assert_eq!(plugins_in(&installed).count(), 1, "{installed:#}");
    assert_eq!(kinds(&installed), ["loginExpired"]);
    let asked = account.service.count(Endpoint::Search);
    let found = daemon.ok("plugin/search", json!({"searchTerm": "ALPHA"}));
    let hit = &found["data"][0]["plugin"];
    assert_eq!(hit["id"], "alpha@openai-curated-remote", "{found:#}");
    assert_eq!(kinds(&found), ["loginExpired"]);
    let nothing = daemon.ok("plugin/search", json!({"searchTerm": "beta"}));
    assert_eq!(nothing["data"], json!([]));
    assert_eq!(account.service.count(Endpoint::Search), asked);
    daemon.shut_down();
}

#[test]
fn both_parts_of_a_page_are_in_one_order() {
    let account = Account::new();
    account.offer(&["helper", "my-helper"]);
    account
        .sandbox
        .add(&marketplace("home", "mine", &[("a-helper", "1.0.0")]));
    let mut daemon = account.start();
    let page = daemon.ok("plugin/search", json!({"searchTerm": "helper"}));
    let hits = page["data"].as_array().unwrap().iter();
    let ids: Vec<_> = hits.map(|hit| text(&hit["plugin"]["id"])).collect();
    assert_eq!(
        ids,
        [
            "helper@openai-curated-remote",
            "a-helper@mine",
            "my-helper@openai-curated-remote",
        ]
    );
    daemon.shut_down();
}

#[test]
fn featured_ids_come_with_their_marketplaces_only() {
    let account = Account::new();
    account.offer(&["alpha"]);
    account
        .service
        .set_featured(&["alpha@openai-curated-remote"]);
    let mut daemon = account.start();
    let listing = daemon.ok("plugin/list", json!({"marketplaceKinds": ["local"]}));
    assert_eq!(listing["featuredPluginIds"], json!([]));
    assert_eq!(account.service.count(Endpoint::Featured), 0);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        listing["featuredPluginIds"],
        json!(["alpha@openai-curated-remote"])
    );
    daemon.shut_down();
}
