//! Tests of the calls against a service on loopback.

use std::future::pending;
use std::time::Duration;

use plugd_model::{RemotePluginId, RemoteScope};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixture::{self, Reply, Server, TOKEN, answer, item, ok, page, status, with};
use crate::{CatalogError, Collection, Fetched, SearchQuery, Service, Urls, Validators};

mod answers;
mod faults;

/// The calls, one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    Installed,
    Item,
    Skill,
    Install,
    Uninstall,
    Search,
    Featured,
    Apps,
}

const KINDS: [Kind; 9] = [
    Kind::Directory,
    Kind::Installed,
    Kind::Item,
    Kind::Skill,
    Kind::Install,
    Kind::Uninstall,
    Kind::Search,
    Kind::Featured,
    Kind::Apps,
];

fn id(text: &str) -> RemotePluginId {
    RemotePluginId::parse(text).unwrap()
}

/// Makes a call; of a success only that it was one counts.
async fn call(service: &Service, kind: Kind) -> Result<(), CatalogError> {
    let a = id("plugins~a");
    let query = SearchQuery {
        term: "x".to_owned(),
        ..SearchQuery::default()
    };
    match kind {
        Kind::Directory => {
            let collection = Collection::Scope(RemoteScope::Global);
            let work = service.directory(collection, None, None, pending());
            work.await.map(|_| ())
        }
        Kind::Installed => {
            let work = service.installed(None, Urls::With, None, None, pending());
            work.await.map(|_| ())
        }
        Kind::Item => {
            let work = service.item(&a, Urls::With, None, pending());
            work.await.map(|_| ())
        }
        Kind::Skill => service.skill(&a, "s", None, pending()).await.map(|_| ()),
        Kind::Install => service.install(&a, None, pending()).await.map(|_| ()),
        Kind::Uninstall => service.uninstall(&a, None, pending()).await,
        Kind::Search => service.search(&query, None, pending()).await.map(|_| ()),
        Kind::Featured => service.featured(None, None, pending()).await.map(|_| ()),
        Kind::Apps => {
            let ids = ["app".to_owned()];
            service.apps(&ids, None, pending()).await.map(|_| ())
        }
    }
}

/// An answer that the call is content with.
fn good(kind: Kind) -> Value {
    match kind {
        Kind::Directory | Kind::Installed | Kind::Search => page(&[], Value::Null),
        Kind::Item => item("a"),
        Kind::Skill => {
            json!({ "plugin_id": "plugins~a", "name": "s", "skill_md_contents": "text" })
        }
        Kind::Install => json!({ "id": "plugins~a", "enabled": true }),
        Kind::Uninstall => json!({ "id": "plugins~a", "enabled": false }),
        Kind::Featured => json!(["a"]),
        Kind::Apps => json!({ "apps": [] }),
    }
}

/// Whether sending it twice is harmless, so that it is done.
fn is_repeated(kind: Kind) -> bool {
    !matches!(kind, Kind::Install | Kind::Uninstall | Kind::Apps)
}

#[tokio::test]
async fn each_call_asks_as_the_reference_does() {
    let expected = [
        "GET /base/ps/plugins/list?scope=GLOBAL&limit=200",
        "GET /base/ps/plugins/installed?limit=200&includeDownloadUrls=true",
        "GET /base/ps/plugins/plugins~a?includeDownloadUrls=true",
        "GET /base/ps/plugins/plugins~a/skills/s",
        "POST /base/ps/plugins/plugins~a/install?includeAppsNeedingAuth=true",
        "POST /base/ps/plugins/plugins~a/uninstall",
        "GET /base/ps/plugins/search?q=x&limit=16",
        "GET /base/plugins/featured?platform=codex",
        "POST /base/ps/apps/batch",
    ];
    for (kind, line) in KINDS.into_iter().zip(expected) {
        let server = Server::always(good(kind));
        call(&server.service(), kind).await.unwrap();
        let asked = server.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].line(), line);
        let bearer = format!("Bearer {TOKEN}");
        assert_eq!(asked[0].header("authorization"), Some(&*bearer));
        assert_eq!(asked[0].header("chatgpt-account-id"), Some("acc"));
        assert_eq!(asked[0].header("originator"), Some("plugd"));
        assert_eq!(asked[0].header("accept"), Some("*/*"));
        assert_eq!(asked[0].header("x-openai-fedramp"), None);
        let sku = (kind != Kind::Featured).then_some("codex");
        assert_eq!(asked[0].header("oai-product-sku"), sku, "{kind:?}");
        let agent = asked[0].header("user-agent").unwrap();
        assert!(agent.starts_with("plugd/0.169.0 ("), "{agent}");
        let body = match kind {
            Kind::Apps => r#"{"app_ids":["app"],"include_tools":false}"#,
            _ => "",
        };
        assert_eq!(asked[0].body, body);
    }
}

#[tokio::test]
async fn the_headers_follow_the_account_and_the_client() {
    let server = Server::always(good(Kind::Featured));
    let mut access = fixture::access(&server.base());
    access.account.account_id = None;
    access.account.is_fedramp = true;
    let catalog = server.service().catalog().for_client("my editor");
    call(&catalog.service(&access), Kind::Featured)
        .await
        .unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.header("chatgpt-account-id"), None);
    assert_eq!(asked.header("x-openai-fedramp"), Some("true"));
    assert_eq!(asked.header("originator"), Some("my editor"));
    let agent = asked.header("user-agent").unwrap();
    assert!(agent.starts_with("my editor/0.169.0 ("), "{agent}");
}

#[tokio::test]
async fn each_list_has_its_address() {
    let server = Server::always(page(&[], Value::Null));
    let service = server.service();
    for collection in [
        Collection::Scope(RemoteScope::Workspace),
        Collection::Scope(RemoteScope::User),
        Collection::Vertical,
        Collection::SharedWithMe,
        Collection::Created,
    ] {
        let work = service.directory(collection, None, None, pending());
        assert!(matches!(work.await, Ok(Fetched::New(..))));
    }
    let scope = Some(RemoteScope::Global);
    let work = service.installed(scope, Urls::Without, None, None, pending());
    assert!(matches!(work.await, Ok(Fetched::New(..))));
    assert_eq!(
        server.lines(),
        [
            "GET /base/ps/plugins/list?scope=WORKSPACE&limit=200",
            "GET /base/ps/plugins/list?scope=USER&limit=200",
            "GET /base/ps/plugins/list?scope=GLOBAL&limit=200&collection=vertical",
            "GET /base/ps/plugins/workspace/shared?limit=200",
            "GET /base/ps/plugins/workspace/created?limit=200",
            "GET /base/ps/plugins/installed?scope=GLOBAL&limit=200",
        ]
    );
}

#[tokio::test]
async fn pages_are_asked_for_one_after_the_other() {
    let server = Server::start(|asked| {
        ok(&match asked.number {
            0 => page(&[item("a")], "to/ken+1 ä"),
            _ => page(&[item("b")], Value::Null),
        })
    });
    let service = server.service();
    let collection = Collection::Scope(RemoteScope::Global);
    let fetched = service.directory(collection, None, None, pending()).await;
    let Fetched::New(directory, validators) = fetched.unwrap() else {
        panic!("it is new");
    };
    assert_eq!((directory.items.len(), directory.complete), (2, true));
    assert_eq!(validators, None);
    assert_eq!(
        server.lines()[1],
        "GET /base/ps/plugins/list?scope=GLOBAL&limit=200&pageToken=to%2Fken%2B1%20%C3%A4"
    );
}

fn marked(body: &Value) -> Reply {
    let headers = [
        "ETag: \"e1\"",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
    ];
    Reply::Whole(answer("200 OK", &headers, body.to_string().as_bytes()))
}

fn validators() -> Validators {
    Validators {
        etag: Some("\"e1\"".to_owned()),
        last_modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
    }
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let server = Server::start(|asked| match asked.header("if-none-match") {
        Some("\"e1\"") => Reply::Whole(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()),
        _ if asked.target.contains("featured") => marked(&json!(["a", 1, "b"])),
        _ => marked(&page(&[], Value::Null)),
    });
    let service = server.service();
    let known = validators();
    let scope = Collection::Scope(RemoteScope::Global);
    let fetched = service.directory(scope, None, None, pending()).await;
    assert!(matches!(fetched, Ok(Fetched::New(_, Some(found))) if found == known));
    let fetched = service.directory(scope, Some(&known), None, pending());
    assert!(matches!(fetched.await, Ok(Fetched::Unchanged)));
    let fetched = service.installed(None, Urls::Without, Some(&known), None, pending());
    assert!(matches!(fetched.await, Ok(Fetched::Unchanged)));
    let fetched = service.featured(None, None, pending()).await.unwrap();
    let names = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(fetched, Fetched::New(names, Some(validators())));
    let fetched = service.featured(Some(&known), None, pending()).await;
    assert!(matches!(fetched, Ok(Fetched::Unchanged)));
    let asked = server.asked();
    let since = asked[1].header("if-modified-since");
    assert_eq!(since, known.last_modified.as_deref());
    assert_eq!(asked[0].header("if-none-match"), None);
}

#[tokio::test]
async fn the_mark_of_a_first_page_is_not_that_of_the_list() {
    let server = Server::start(|asked| {
        marked(&match asked.number {
            0 => page(&[], "1"),
            _ => page(&[], Value::Null),
        })
    });
    let service = server.service();
    let known = Validators {
        etag: Some("\"old\"".to_owned()),
        last_modified: None,
    };
    let fetched = service.directory(Collection::Created, Some(&known), None, pending());
    assert!(matches!(fetched.await, Ok(Fetched::New(_, None))));
    let sent = server.asked();
    let sent: Vec<_> = sent.iter().map(|one| one.header("if-none-match")).collect();
    assert_eq!(sent, [Some("\"old\""), None]);
}

#[tokio::test]
async fn a_service_that_says_unchanged_unasked_is_refused() {
    let server = Server::start(|_| Reply::Whole(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()));
    let error = call(&server.service(), Kind::Directory).await.unwrap_err();
    assert_eq!(error.status(), Some(304));
}

#[tokio::test]
async fn a_name_of_a_skill_is_one_segment() {
    let server = Server::start(|asked| match asked.number {
        0 => ok(&json!({
            "plugin_id": "plugins~a", "name": "a/b ?", "skill_md_contents": null
        })),
        _ => status("500 Oops", ""),
    });
    let service = server.service();
    let a = id("plugins~a");
    let text = service.skill(&a, "a/b ?", None, pending()).await;
    assert_eq!(text.unwrap(), None);
    assert_eq!(
        server.lines(),
        ["GET /base/ps/plugins/plugins~a/skills/a%2Fb%20%3F"]
    );
    for odd in ["", ".", ".."] {
        let error = service.skill(&a, odd, None, pending()).await;
        assert!(matches!(error, Err(CatalogError::Unsendable { .. })));
    }
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn searching() {
    let broken = with(item("b"), "scope", json!("NEW"));
    let server = Server::always(page(&[item("a"), broken], "more"));
    let service = server.service();
    let mut query = SearchQuery {
        term: " two words ".to_owned(),
        scope: Some(RemoteScope::Workspace),
        limit: Some(0),
        token: Some("more".to_owned()),
    };
    let found = service.search(&query, None, pending()).await.unwrap();
    assert_eq!((found.items.len(), found.problems.len()), (1, 1));
    // A page that leads to itself.
    assert_eq!(found.next, None);
    query.token = None;
    query.limit = Some(5000);
    let found = service.search(&query, None, pending()).await.unwrap();
    assert_eq!(found.next.as_deref(), Some("more"));
    assert_eq!(
        server.lines(),
        [
            "GET /base/ps/plugins/search?q=two%20words&scope=WORKSPACE&limit=1&pageToken=more",
            "GET /base/ps/plugins/search?q=two%20words&scope=WORKSPACE&limit=5000",
        ]
    );
    query.term = "  ".to_owned();
    let found = service.search(&query, None, pending()).await.unwrap();
    assert_eq!((found.items.len(), server.lines().len()), (0, 2));
}

#[tokio::test]
async fn names_of_apps_come_in_batches() {
    let server = Server::start(|asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let ids = body["app_ids"].as_array().unwrap();
        let apps: Vec<_> = ids
            .iter()
            .map(|id| json!({ "id": id, "name": format!("N{}", ids.len()), "category": " c " }))
            .chain([json!({ "id": "unasked", "name": "x" }), json!({ "id": 1 })])
            .collect();
        ok(&json!({ "apps": apps }))
    });
    let service = server.service();
    let ids: Vec<_> = (0..250).map(|n| format!("app{}", n % 201)).collect();
    let apps = service.apps(&ids, None, pending()).await.unwrap();
    assert_eq!((apps.len(), server.lines().len()), (201, 3));
    assert_eq!(apps["app0"].name, "N100");
    assert_eq!(apps["app200"].name, "N1");
    let none = service.apps(&[], None, pending()).await.unwrap();
    assert_eq!((none.len(), server.lines().len()), (0, 3));
}

/// Long enough for a service that answers, and never reached by one that does not.
const LONG: Duration = Duration::from_secs(20);
