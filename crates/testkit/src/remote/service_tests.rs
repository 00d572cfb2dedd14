use std::sync::Arc;

use pretty_assertions::assert_eq;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
use serde_json::{Value, json};

use super::raw_client::{INSTALLED, LIST, ask, call, connect, get, names, shop, try_ask};
use super::{Bundle, Endpoint, Fault, Item, Login, PluginService, Scheme};
use crate::{Authority, Sandbox};

#[test]
fn scopes_and_collections() {
    let service = shop(&["a"]);
    service.offer(Item::new("b").vertical());
    service.offer(Item::new("hidden").by_id_only());
    service.offer(Item::workspace("w", "LISTED"));
    let listed = get(&service, LIST);
    assert_eq!(
        (listed.status, names(&listed.json())),
        (200, vec!["a", "b"])
    );
    let path = "/ps/plugins/list?scope=WORKSPACE&limit=200";
    assert_eq!(names(&get(&service, path).json()), ["w"]);
    let path = "/ps/plugins/list?scope=GLOBAL&limit=200&collection=vertical";
    assert_eq!(names(&get(&service, path).json()), ["b"]);
    let hidden = get(
        &service,
        &format!("/ps/plugins/{}", Item::new("hidden").id()),
    );
    assert_eq!(hidden.json(), *Item::new("hidden").value());
    let found = get(&service, "/ps/plugins/search?q=B&limit=16");
    assert_eq!(names(&found.json()), ["b"]);
    assert_eq!(service.lines()[0], format!("GET {LIST}"));
    assert_eq!(service.count(Endpoint::List), 3);
}

#[test]
fn strange_questions_are_refused() {
    let service = shop(&["a"]);
    let status = |path: &str| get(&service, path).status;
    assert_eq!(status("/ps/plugins/list?limit=200"), 422);
    assert_eq!(status("/ps/plugins/list?scope=GALAXY"), 422);
    assert_eq!(status("/ps/plugins/list?scope=GLOBAL&page=2"), 400);
    assert_eq!(status("/ps/plugins/list?scope=GLOBAL&limit=0"), 422);
    assert_eq!(status("/ps/plugins/list?scope=GLOBAL&pageToken=2"), 400);
    assert_eq!(status("/ps/plugins/nobody"), 404);
    assert_eq!(status("/plugins/list"), 404);
    assert_eq!(service.requests().last().unwrap().endpoint, None);
    service.wait_for(|log| log.iter().all(|one| one.answered.is_some()));
    assert_eq!(service.requests().last().unwrap().answered, Some(404));
}

#[test]
fn pages() {
    let service = shop(&["a", "b", "c"]);
    service.set_page_size(2);
    let first = get(&service, LIST).json();
    assert_eq!(names(&first), ["a", "b"]);
    let token = first["pagination"]["next_page_token"].as_str().unwrap();
    assert!(token.contains(['+', '/', '=']), "{token}");
    let token = token
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let second = get(&service, &format!("{LIST}&pageToken={token}")).json();
    assert_eq!(names(&second), ["c"]);
    assert_eq!(second["pagination"]["next_page_token"], Value::Null);
    let one = get(&service, "/ps/plugins/list?scope=GLOBAL&limit=1").json();
    assert_eq!(names(&one), ["a"]);
}

#[test]
fn who_may_ask() {
    let service = shop(&["a"]);
    let path = "/backend-api/ps/plugins/list?scope=GLOBAL";
    let said = ask(connect(&service.base()), "GET", path, "", b"");
    assert_eq!(said.status, 401);
    let old = service.login();
    let next = Login::chatgpt("account-2", "business");
    service.admit(&next);
    let as_old = format!("Authorization: Bearer {}\r\n", old.access_token());
    assert_eq!(
        ask(connect(&service.base()), "GET", path, &as_old, b"").status,
        401
    );
    assert_eq!(get(&service, LIST).status, 200);
    service.set_account(Some("other"));
    assert_eq!(get(&service, LIST).status, 401);
    service.set_account(None);
    service.set_token("t");
    let bare = "Authorization: Bearer t\r\n";
    assert_eq!(
        ask(connect(&service.base()), "GET", path, bare, b"").status,
        200
    );
}

#[test]
fn installing_and_uninstalling() {
    let service = shop(&["a", "b"]);
    let id = Item::new("a").id().to_owned();
    service.set_apps_needing_auth(&id, &["app-1"]);
    let path = format!("/ps/plugins/{id}/install?includeAppsNeedingAuth=true");
    let answer = call(&service, "POST", &path, "", b"").json();
    assert_eq!(
        answer,
        json!({"id": id, "enabled": true, "app_ids_needing_auth": ["app-1"]})
    );
    assert_eq!(service.installed(), [(id.clone(), true)]);
    service.set_installed_member(&id, "disabled_skill_names", json!(["s"]));
    let row = &get(&service, &format!("{INSTALLED}&includeDownloadUrls=true")).json()["plugins"][0];
    assert_eq!(row["disabled_skill_names"], json!(["s"]));
    assert_eq!(
        row["release"]["bundle_download_url"],
        service.bundle_url(&id, "1.0.0")
    );
    service.withdraw(&id);
    let plain = get(&service, &format!("{INSTALLED}&scope=GLOBAL")).json();
    assert_eq!(plain["plugins"][0]["enabled"], true);
    assert_eq!(
        plain["plugins"][0]["release"].get("bundle_download_url"),
        None
    );
    let path = format!("/ps/plugins/{id}/uninstall");
    assert_eq!(call(&service, "POST", &path, "", b"").status, 404);
    service.offer(Item::new("a"));
    let answer = call(&service, "POST", &path, "", b"").json();
    assert_eq!(answer, json!({"id": id, "enabled": false}));
    assert_eq!(service.installed(), []);
}

#[test]
fn small_answers() {
    let service = shop(&["a"]);
    let id = Item::new("a").id().to_owned();
    service.set_featured(&["a@market"]);
    service.set_suggested(Some(&[&id]));
    service.set_app("app-1", "App");
    service.set_skill(&id, "x/y", None);
    let said = |path: &str| get(&service, path).json();
    assert_eq!(
        said("/plugins/featured?platform=codex"),
        json!(["a@market"])
    );
    let suggested = said("/ps/plugins/suggested/codex?scope=GLOBAL");
    assert_eq!(
        (&suggested["enabled"], names(&suggested)),
        (&json!(true), vec!["a"])
    );
    let body = json!({"app_ids": ["app-1", "other"], "include_tools": false}).to_string();
    let apps = call(&service, "POST", "/ps/apps/batch", "", body.as_bytes());
    assert_eq!(
        apps.json(),
        json!({"apps": [{"id": "app-1", "name": "App"}]})
    );
    assert_eq!(
        said(&format!("/ps/plugins/{id}/skills/x%2Fy")),
        json!({"plugin_id": id, "name": "x/y", "skill_md_contents": null})
    );
    assert_eq!(
        get(&service, &format!("/ps/plugins/{id}/skills/z")).status,
        404
    );
    service.set_created(&[&id]);
    assert_eq!(
        names(&said("/ps/plugins/workspace/created?limit=200")),
        ["a"]
    );
    assert_eq!(
        said("/ps/plugins/workspace/shared?limit=200")["plugins"],
        json!([])
    );
}

#[test]
fn conditional_requests() {
    let service = shop(&["a"]);
    assert_eq!(get(&service, LIST).header("etag"), None);
    service.set_etags(true);
    let tag = get(&service, LIST).header("etag").unwrap().to_owned();
    let known = format!("If-None-Match: W/\"x\", {tag}\r\n");
    let said = call(&service, "GET", LIST, &known, b"");
    assert_eq!((said.status, said.body.len()), (304, 0));
    service.offer(Item::new("b"));
    assert_eq!(call(&service, "GET", LIST, &known, b"").status, 200);
    assert_eq!(get(&service, "/ps/plugins/search?q=a").header("etag"), None);
}

#[test]
fn a_plugin_is_shared_and_not_any_more() {
    let service = PluginService::start();
    let send = |method: &str, path: &str, body: &Value| {
        call(&service, method, path, "", body.to_string().as_bytes())
    };
    let asked =
        json!({"filename": "tool.tar.gz", "mime_type": "application/gzip", "size_bytes": 3});
    let place = send("POST", "/public/plugins/workspace/upload-url", &asked).json();
    let url = place["upload_url"].as_str().unwrap();
    let path = url
        .strip_prefix(&service.base().replace("/backend-api", ""))
        .unwrap();
    let put = |headers: &str| ask(connect(&service.base()), "PUT", path, headers, b"abc").status;
    let done = json!({"file_id": place["file_id"], "etag": place["etag"]});
    assert_eq!(send("POST", "/public/plugins/workspace", &done).status, 400);
    assert_eq!(put(""), 400);
    assert_eq!(put("X-MS-Blob-Type: BlockBlob\r\n"), 201);
    let made = send("POST", "/public/plugins/workspace", &done).json();
    let id = made["plugin_id"].as_str().unwrap();
    assert_eq!(service.uploads()[0].archive.as_deref(), Some(&b"abc"[..]));
    assert_eq!(service.uploads()[0].became.as_deref(), Some(id));
    assert!(!service.requests_to(Endpoint::Upload)[1].has_credentials());
    let path = format!("/public/plugins/workspace/{id}");
    assert_eq!(send("POST", &path, &done).status, 200);
    let detail = get(&service, &format!("/ps/plugins/{id}")).json();
    assert_eq!(
        (&detail["name"], &detail["release"]["version"]),
        (&json!("tool"), &json!("1.0.1"))
    );
    let target = json!({"principal_type": "user", "principal_id": "u", "role": "reader"});
    let asked = json!({"discoverability": "UNLISTED", "targets": [target]});
    let shared = send("PUT", &format!("/ps/plugins/{id}/shares"), &asked).json();
    assert_eq!(shared["principals"][0]["name"], "name of u");
    let created = get(&service, "/ps/plugins/workspace/created?limit=200").json();
    assert_eq!(created["plugins"][0]["discoverability"], "UNLISTED");
    assert_eq!(send("DELETE", &path, &json!({})).status, 204);
    assert_eq!(send("DELETE", &path, &json!({})).status, 404);
}

#[test]
fn bundles_and_their_detours() {
    let service = PluginService::start_with_tls(&Authority::new());
    let item = Item::new("a");
    let id = item.id().to_owned();
    service.offer_plugin(item);
    let secure = service.secure_base().unwrap();
    let file = format!("/bundles/{id}/1.0.0.tar.gz");
    assert_eq!(service.bundle_url(&id, "1.0.0"), format!("{secure}{file}"));
    service.set_bundle_route(&[Scheme::Http, Scheme::Https, Scheme::Http]);
    let fetch = |path: &str| ask(connect(&service.base()), "GET", path, "", b"");
    let path = format!("/backend-api{file}");
    let to = format!("{secure}{file}?hop=1");
    assert_eq!(fetch(&path).header("location"), Some(to.as_str()));
    let to = format!("{}{file}?hop=2", service.base());
    assert_eq!(
        fetch(&format!("{path}?hop=1")).header("location"),
        Some(to.as_str())
    );
    let skill = "---\nname: hello\ndescription: says hello\n---\nSay hello.\n";
    let expected = Bundle::new("a", "1.0.0").file("skills/hello/SKILL.md", skill);
    assert_eq!(fetch(&format!("{path}?hop=2")).body, expected.build());
    service.set_bundle_route(&[Scheme::Http]);
    assert_eq!(fetch(&path.replace("1.0.0", "2.0.0")).status, 404);
}

#[test]
fn bundles_come_through_tls() {
    let sandbox = Sandbox::new();
    let authority = Authority::new();
    let service = PluginService::start_with_tls(&authority);
    let item = Item::new("a");
    let url = service.bundle_url(item.id(), "1.0.0");
    let bundle = Bundle::new("a", "1.0.0");
    service.offer_with(item, &bundle);
    let mut roots = RootCertStore::empty();
    let connect = |roots: &RootCertStore| {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(client, connect(&url))
    };
    let path = url.splitn(4, '/').nth(3).unwrap();
    let path = format!("/{path}");
    assert!(try_ask(connect(&roots), "GET", &path, "", b"").is_err());
    assert_eq!(service.requests(), []);
    let pem = authority.write_to(&sandbox);
    roots
        .add(CertificateDer::from_pem_file(pem).unwrap())
        .unwrap();
    let said = ask(connect(&roots), "GET", &path, "", b"");
    assert_eq!(said.body, bundle.build());
    let request = &service.requests_to(Endpoint::Bundle)[0];
    assert!(request.secure && !request.has_credentials());
    service.fail(Endpoint::Bundle, Fault::Reset);
    assert!(try_ask(connect(&roots), "GET", &path, "", b"").is_err());
    assert_eq!(service.count(Endpoint::Bundle), 2);
}

#[test]
fn a_login_is_renewed_once_per_token() {
    let service = shop(&[]);
    let old = service.login();
    let renew = |body: &str| {
        ask(
            connect(&service.token_url()),
            "POST",
            "/oauth/token",
            "",
            body.as_bytes(),
        )
    };
    assert_eq!(renew("{}").status, 401);
    let token = old.refresh_token().unwrap();
    let said = renew(&json!({"refresh_token": token}).to_string()).json();
    assert_eq!(said["access_token"], service.login().access_token());
    assert!(service.login().access_token() != old.access_token());
    assert_eq!(
        renew(&json!({"refresh_token": token}).to_string()).status,
        401
    );
    let next = said["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={next}");
    assert_eq!(renew(&form).status, 200);
    assert_eq!(get(&service, LIST).status, 200);
    service.admit(&Login::chatgpt("late", "plus").expired());
    assert_eq!(get(&service, LIST).status, 401);
    let late = json!({"refresh_token": "refresh-secret-late-0"});
    assert_eq!(renew(&late.to_string()).status, 200);
    assert_eq!(get(&service, LIST).status, 200);
    service.fail(Endpoint::Token, Fault::status(500));
    assert_eq!(renew(&form).status, 500);
    assert_eq!(service.count(Endpoint::Token), 6);
}
