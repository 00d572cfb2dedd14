//! What answers are content with, and which are about something else.

use pretty_assertions::assert_eq;

use super::{KINDS, Kind, Reply, Server, Value, answer, call, good, id, item, json, ok, pending};
use crate::{CatalogError, Urls};

#[tokio::test]
async fn what_is_no_json_is_a_bad_answer_of_every_call() {
    let deep = "[".repeat(200);
    for body in ["", "<html></html>", "\u{feff}{}", "7", "nul", &deep] {
        for kind in KINDS {
            let text = answer("200 OK", &[], body.as_bytes());
            let server = Server::start(move |_| Reply::Whole(text.clone()));
            let error = call(&server.service(), kind).await.unwrap_err();
            let is_bad = matches!(error, CatalogError::BadAnswer { .. });
            assert!(is_bad, "{kind:?} {body}: {error}");
            assert_eq!(error.host(), Some(&*server.place()));
            assert!(!error.is_retryable());
        }
    }
}

#[tokio::test]
async fn an_answer_in_another_coding_is_not_guessed_at() {
    for kind in KINDS {
        let body = good(kind).to_string();
        let text = answer("200 OK", &["Content-Encoding: gzip"], body.as_bytes());
        let server = Server::start(move |_| Reply::Whole(text.clone()));
        let error = call(&server.service(), kind).await.unwrap_err();
        assert!(
            error.to_string().ends_with("it is encoded as `gzip`"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_list_that_is_not_the_whole_answer_is_refused() {
    for kind in [
        Kind::Directory,
        Kind::Installed,
        Kind::Search,
        Kind::Featured,
    ] {
        let body = good(kind).to_string();
        for line in [
            "201 Created",
            "202 Accepted",
            "203 Other",
            "206 Partial Content",
        ] {
            let text = answer(line, &[], body.as_bytes());
            let server = Server::start(move |_| Reply::Whole(text.clone()));
            let error = call(&server.service(), kind).await.unwrap_err();
            let number = &line[..3];
            let expected = format!("it has the status {number} instead of 200");
            assert!(error.to_string().ends_with(&expected), "{kind:?}: {error}");
        }
    }
}

/// The answer does not fit the call.
async fn check_mismatch(kind: Kind, body: Value, expected: &str) {
    let server = Server::always(body);
    let error = call(&server.service(), kind).await.unwrap_err();
    match error {
        CatalogError::Mismatch { reason, .. } => assert_eq!(reason, expected),
        other => panic!("{kind:?}: {other}"),
    }
}

#[tokio::test]
async fn an_answer_about_something_else_is_refused() {
    let other = "it is about `plugins~b` and not about `plugins~a`";
    check_mismatch(Kind::Item, item("b"), other).await;
    let other = "it is about the plugin `plugins~b` and not about `plugins~a`";
    for enabled in [true, false] {
        let body = json!({ "id": "plugins~b", "enabled": enabled });
        let kind = if enabled {
            Kind::Install
        } else {
            Kind::Uninstall
        };
        check_mismatch(kind, body, other).await;
        let body = json!({ "id": "plugins~a", "enabled": !enabled });
        let reason = match enabled {
            true => "the plugin is not enabled",
            false => "the plugin is still enabled",
        };
        check_mismatch(kind, body, reason).await;
    }
    let skill = |plugin: &str, name: &str| json!({ "plugin_id": plugin, "name": name, "skill_md_contents": "" });
    check_mismatch(Kind::Skill, skill("plugins~b", "s"), other).await;
    let other = "it is about the skill `t` and not about `s`";
    check_mismatch(Kind::Skill, skill("plugins~a", "t"), other).await;
}

#[tokio::test]
async fn an_answer_that_does_not_say_it_is_refused() {
    for (kind, body, reason) in [
        (Kind::Item, json!({}), "`id` is missing"),
        (
            Kind::Install,
            json!({ "enabled": true }),
            "it does not say which plugin it is about",
        ),
        (
            Kind::Install,
            json!({ "id": "plugins~a" }),
            "`enabled` is missing",
        ),
        (
            Kind::Skill,
            json!({ "plugin_id": "plugins~a", "name": "s" }),
            "`skill_md_contents` is missing",
        ),
        (
            Kind::Search,
            json!({ "pagination": {} }),
            "`plugins` is missing",
        ),
        (
            Kind::Search,
            json!({ "plugins": [] }),
            "`pagination` is missing",
        ),
        (Kind::Featured, json!({}), "it is not a list"),
        (Kind::Apps, json!({}), "`apps` is missing"),
    ] {
        let server = Server::always(body);
        match call(&server.service(), kind).await {
            Err(CatalogError::BadAnswer { reason: found, .. }) => assert_eq!(found, reason),
            other => panic!("{kind:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_an_installation_says_of_apps() {
    let check = async |apps: Value, expected: Option<Vec<String>>| {
        let body = json!({ "id": "plugins~a", "enabled": true, "app_ids_needing_auth": apps });
        let server = Server::always(body);
        let a = id("plugins~a");
        let answer = server.service().install(&a, None, pending()).await.unwrap();
        assert_eq!(answer.apps_needing_auth, expected);
    };
    check(json!(["x"]), Some(vec!["x".to_owned()])).await;
    check(json!([]), Some(Vec::new())).await;
    check(Value::Null, None).await;
    // The installation is done, whatever is said beside it.
    check(json!("x"), None).await;
}

#[tokio::test]
async fn the_address_of_a_bundle_comes_when_asked_for() {
    let server = Server::start(|asked| {
        let mut item = item("a");
        if asked.target.contains("includeDownloadUrls=true") {
            item["release"]["bundle_download_url"] = json!("https://cdn.example/a");
        }
        ok(&item)
    });
    let service = server.service();
    let a = id("plugins~a");
    let url = async |urls| {
        let item = service.item(&a, urls, None, pending()).await.unwrap();
        item.release.bundle_url.map(|url| url.reveal().to_owned())
    };
    assert_eq!(url(Urls::Without).await, None);
    let expected = "https://cdn.example/a".to_owned();
    assert_eq!(url(Urls::With).await, Some(expected));
}
