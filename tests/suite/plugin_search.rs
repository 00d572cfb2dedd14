//! Proves `plugin/search`: what is searched and in which rank, pages that hold as many results as
//! were asked for, and that what could not be searched is told.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, config, hello, install, marketplace, refused, small, start, text,
    with,
};

fn ids(answer: &Value) -> Vec<&str> {
    let hits = answer["data"].as_array().into_iter().flatten();
    hits.map(|hit| text(&hit["plugin"]["id"])).collect()
}

#[track_caller]
fn search(daemon: &mut Daemon, term: &str, expected: &[&str]) {
    let answer = daemon.ok("plugin/search", json!({"searchTerm": term}));
    assert_eq!(ids(&answer), expected, "{term:?}");
    assert_eq!(answer["nextCursor"], Value::Null);
}

#[test]
fn the_whole_answer() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let expected = |plugin: Value| {
        json!({
            "data": [{
                "plugin": plugin, "marketplaceName": "demo", "marketplacePath": DEMO_MANIFEST,
            }],
            "nextCursor": null,
            "marketplaceLoadErrors": [],
        })
    };
    let params = json!({"searchTerm": "  Hello--THERE "});
    check(
        &daemon.ok("plugin/search", params.clone()),
        &sandbox,
        &expected(hello()),
    );
    install(&mut daemon, DEMO_MANIFEST, "hello");
    // Search says false for `enabled` by design, as the reference does.
    let members = json!({"installed": true, "installedVersion": "1.0.0", "enabled": false});
    check(
        &daemon.ok("plugin/search", params),
        &sandbox,
        &expected(with(hello(), members)),
    );
    daemon.shut_down();
}

#[test]
fn ranks() {
    let sandbox = Sandbox::from(&config(&[("m", "m")]));
    sandbox.add(&marketplace(
        "m",
        "m",
        &[
            ("words", "1"),
            ("keyword", "1"),
            ("xnotes", "1"),
            ("notes-more", "1"),
            ("notes", "1"),
            ("shown", "1"),
            ("told", "1"),
        ],
    ));
    let manifest = |name: &str, more: Value| {
        let value = with(json!({"name": name, "version": "1"}), more);
        sandbox.write(
            &format!("m/{name}/.codex-plugin/plugin.json"),
            value.to_string(),
        );
    };
    manifest("shown", json!({"interface": {"displayName": "Notes"}}));
    manifest("keyword", json!({"keywords": ["NOTES"]}));
    manifest("words", json!({"keywords": ["release-notes-writer"]}));
    // Neither descriptions nor categories are searched.
    manifest(
        "told",
        json!({"description": "notes", "interface": {"category": "notes"}}),
    );
    let mut daemon = start(&sandbox);
    search(
        &mut daemon,
        "notes",
        &[
            "shown@m",
            "notes@m",
            "notes-more@m",
            "xnotes@m",
            "keyword@m",
            "words@m",
        ],
    );
    search(&mut daemon, "Notes More", &["notes-more@m"]);
    search(&mut daemon, "nothing like it", &[]);
    for blank in ["", "   ", "--", "\u{0}"] {
        search(&mut daemon, blank, &[]);
    }
    daemon.shut_down();
}

#[test]
fn limit_limits_and_the_cursor_goes_on() {
    let names: Vec<String> = (0..150).map(|number| format!("p{number:03}")).collect();
    let plugins: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let sandbox = small(&plugins);
    let mut daemon = start(&sandbox);
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let params = json!({"searchTerm": "p", "limit": 40, "cursor": cursor});
        let answer = daemon.ok("plugin/search", params);
        let page = ids(&answer);
        assert!(page.len() <= 40);
        seen.extend(page.into_iter().map(str::to_owned));
        cursor = answer["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let all: Vec<String> = names.iter().map(|name| format!("{name}@demo")).collect();
    assert_eq!(seen, all);
    // Without a limit there is one, and a way to go on.
    let answer = daemon.ok("plugin/search", json!({"searchTerm": "p"}));
    assert_eq!(ids(&answer).len(), 100);
    assert!(answer["nextCursor"].is_string());
    let one = daemon.ok("plugin/search", json!({"searchTerm": "p", "limit": 1}));
    assert_eq!(ids(&one), ["p000@demo"]);
    daemon.shut_down();
}

#[test]
fn scopes() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(&marketplace(
        "curated",
        "openai-api-curated",
        &[("hello", "1")],
    ));
    sandbox.rename("curated", "ch/.tmp-plugins");
    sandbox.add("== ch/.tmp/\n");
    sandbox.rename("ch/.tmp-plugins", "ch/.tmp/plugins");
    sandbox.rename(
        "ch/.tmp/plugins/.agents/plugins/marketplace.json",
        "ch/.tmp/plugins/.agents/plugins/api_marketplace.json",
    );
    let mut daemon = start(&sandbox);
    for (scope, expected) in [
        (json!(null), vec!["hello@demo", "hello@openai-api-curated"]),
        (json!("personal"), vec!["hello@demo"]),
        (json!("global"), vec!["hello@openai-api-curated"]),
        (json!("workspace"), vec![]),
    ] {
        let params = json!({"searchTerm": "hello", "scope": scope});
        let answer = daemon.ok("plugin/search", params);
        let mut found = ids(&answer);
        found.sort_unstable();
        assert_eq!(found, expected, "{scope}");
    }
    daemon.shut_down();
}

#[test]
fn what_could_not_be_searched_is_told() {
    let sandbox = Sandbox::from(&config(&[("gone", "gone"), ("demo", "demo")]));
    sandbox.add(&marketplace("demo", "demo", &[("hello", "1.0.0")]));
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/search", json!({"searchTerm": "hello"}));
    assert_eq!(ids(&answer), ["hello@demo"]);
    assert_eq!(answer["marketplaceLoadErrors"][0]["kind"], "missing");
    daemon.shut_down();
}

#[test]
fn malformed_params() {
    let mut daemon = start(&Sandbox::new());
    for params in [
        json!({}),
        json!({"searchTerm": null}),
        json!({"searchTerm": "x", "limit": "5"}),
        json!({"searchTerm": "x", "limit": 1.5}),
        json!({"searchTerm": "x", "scope": "everywhere"}),
        json!({"searchTerm": "x", "cursor": 5}),
        json!({"searchTerm": "x", "cursor": "not ours"}),
        json!({"searchTerm": "x", "cwds": ["x"]}),
    ] {
        let got = refused(&mut daemon, "plugin/search", params.clone());
        assert_eq!(got, "-32602 invalidParams", "{params}");
    }
    let answer = daemon.ok(
        "plugin/search",
        json!({"searchTerm": "x", "limit": 4_000_000_000_u32}),
    );
    assert_eq!(answer["data"], json!([]));
    daemon.shut_down();
}

#[test]
fn it_works_beside_a_write() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
    let install = daemon.request("plugin/install", params);
    for _ in 0..20 {
        search(&mut daemon, "hello", &["hello@demo"]);
    }
    daemon.response(install);
    daemon.shut_down();
}
