use std::future::pending;

use plugd_http::Body;
use plugd_model::{Discoverability, RemotePluginId};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixture::{Server, TOKEN, status};
use crate::{
    CatalogError, Principal, PrincipalKind, PrincipalRole, Publication, ShareState, ShareTarget,
    Shared, TargetRole, UploadPlace, Uploaded,
};

fn id(text: &str) -> RemotePluginId {
    RemotePluginId::parse(text).unwrap()
}

fn target() -> ShareTarget {
    ShareTarget {
        kind: PrincipalKind::Group,
        id: "g".to_owned(),
        role: TargetRole::Editor,
    }
}

fn sent(server: &Server) -> (String, Value) {
    let asked = server.asked().remove(0);
    assert_eq!(asked.header("authorization"), Some("Bearer t0k3n"));
    (asked.line(), serde_json::from_str(&asked.body).unwrap())
}

async fn targets(answer: Value) -> Result<ShareState, String> {
    let server = Server::always(answer);
    let service = server.service();
    let (share, named) = (id("p"), [target()]);
    let asking =
        service.set_share_targets(&share, Discoverability::Private, &named, None, pending());
    let outcome = asking.await.map_err(|error| error.to_string());
    let body = json!({"discoverability": "PRIVATE", "targets": [
        {"principal_type": "group", "principal_id": "g", "role": "editor"}]});
    assert_eq!(
        sent(&server),
        ("PUT /base/ps/plugins/p/shares".to_owned(), body)
    );
    outcome.map_err(|error| error.replace(&server.place(), "H"))
}

#[tokio::test]
async fn targets_are_set() {
    let owner = json!({"principal_type": "user", "principal_id": "u", "role": "owner",
                       "name": "U"});
    let state = targets(json!({"principals": [owner], "discoverability": "UNLISTED"})).await;
    let owner = Principal {
        kind: PrincipalKind::User,
        id: "u".to_owned(),
        role: PrincipalRole::Owner,
        name: "U".to_owned(),
    };
    let expected = ShareState {
        principals: vec![owner],
        discoverability: Discoverability::Unlisted,
    };
    assert_eq!(state, Ok(expected));
    let prefix = "what `H` answered for the change of share targets cannot be used: ";
    let bad = json!({"principals": [{"principal_type": "robot"}], "discoverability": "PRIVATE"});
    for (answer, reason) in [
        (json!({}), "`principals` is missing"),
        (json!({"principals": []}), "`discoverability` is missing"),
        (bad, "`principal_type` has the unknown value `robot`"),
    ] {
        let error = targets(answer).await.unwrap_err();
        assert_eq!(error, format!("{prefix}{reason}"));
    }
}

async fn publish(publication: &Publication, answer: Value) -> (Result<Shared, String>, Value) {
    let server = Server::always(answer);
    let uploaded = Uploaded {
        file_id: "f".to_owned(),
        etag: "e".to_owned(),
    };
    let service = server.service();
    let outcome = service
        .publish(&uploaded, publication, None, pending())
        .await;
    let (line, body) = sent(&server);
    let expected = match publication {
        Publication::New { .. } => "POST /base/public/plugins/workspace",
        Publication::Version(_) => "POST /base/public/plugins/workspace/p",
    };
    assert_eq!(line, expected);
    let outcome = outcome.map_err(|error| error.to_string().replace(&server.place(), "H"));
    (outcome, body)
}

#[tokio::test]
async fn an_archive_becomes_a_share() {
    let plain = Publication::New {
        discoverability: None,
        targets: None,
    };
    let all = json!({"plugin_id": "n", "share_url": "https://x", "can_publish_to_workspace": true});
    let (shared, body) = publish(&plain, all).await;
    let expected = Shared {
        id: id("n"),
        share_url: Some("https://x".to_owned()),
        can_publish_to_workspace: Some(true),
    };
    assert_eq!(
        (shared, body),
        (Ok(expected), json!({"file_id": "f", "etag": "e"}))
    );
    let for_some = Publication::New {
        discoverability: Some(Discoverability::Unlisted),
        targets: Some(vec![target()]),
    };
    let (shared, body) = publish(&for_some, json!({"plugin_id": "n", "share_url": 7})).await;
    let expected = Shared {
        id: id("n"),
        share_url: None,
        can_publish_to_workspace: None,
    };
    assert_eq!(shared, Ok(expected));
    let targets = json!([{"principal_type": "group", "principal_id": "g", "role": "editor"}]);
    let members = json!({"file_id": "f", "etag": "e", "discoverability": "UNLISTED",
                         "share_targets": targets});
    assert_eq!(body, members);
}

#[tokio::test]
async fn a_version_is_of_the_share_that_the_service_names() {
    let version = Publication::Version(id("p"));
    let (shared, body) = publish(&version, json!({"plugin_id": "p"})).await;
    assert_eq!(shared.map(|shared| shared.id), Ok(id("p")));
    assert_eq!(body, json!({"file_id": "f", "etag": "e"}));
    let check = async |answer, reason: &str| {
        let (shared, _) = publish(&version, answer).await;
        let error = shared.unwrap_err();
        assert!(error.ends_with(reason), "{error}");
    };
    // It is made, so the answered one is told.
    let (shared, _) = publish(&version, json!({"plugin_id": "q"})).await;
    assert_eq!(shared.map(|shared| shared.id), Ok(id("q")));
    check(json!({"plugin_id": ""}), "the remote plugin id is empty").await;
    check(json!({}), "`plugin_id` is missing").await;
}

#[tokio::test]
async fn only_204_ends_a_share() {
    let check = async |line: &'static str, expected: Result<(), &str>| {
        let server = Server::start(move |_| status(line, ""));
        let service = server.service();
        let outcome = service.unshare(&id("p"), None, pending()).await;
        assert_eq!(server.lines(), ["DELETE /base/public/plugins/workspace/p"]);
        let outcome = outcome.map_err(|error| error.to_string().replace(&server.place(), "H"));
        assert_eq!(outcome, expected.map_err(str::to_owned));
    };
    check("204 No Content", Ok(())).await;
    check(
        "200 OK",
        Err(
            "what `H` answered for the end of the sharing of the plugin cannot be used: \
             it has the status 200 instead of 204",
        ),
    )
    .await;
    check(
        "404 Not Found",
        Err("`H` does not have the end of the sharing of the plugin"),
    )
    .await;
}

/// The answer of a service that names this address.
async fn place(address: &str, base: Option<&str>) -> Result<UploadPlace, String> {
    let server = Server::always(json!({"file_id": "f", "upload_url": address, "etag": "e"}));
    let service = server.service();
    let share = base.map(id);
    let asking = service.upload_place("p.tar.gz", 12, share.as_ref(), None, pending());
    let outcome = asking.await.map_err(|error| error.to_string());
    let (line, body) = sent(&server);
    assert_eq!(line, "POST /base/public/plugins/workspace/upload-url");
    let mut expected = json!({"filename": "p.tar.gz", "mime_type": "application/gzip",
                              "size_bytes": 12});
    if let Some(base) = base {
        expected["plugin_id"] = base.into();
    }
    assert_eq!(body, expected);
    outcome.map_err(|error| error.replace(&server.place(), "H"))
}

#[tokio::test]
async fn places_that_anything_may_be_sent_to() {
    let secret = "https://store.example/a/hidden?sig=hidden";
    let found = place(secret, Some("p")).await.unwrap();
    assert_eq!(found.host(), "store.example");
    assert!(!format!("{found:?}").contains("hidden"));
    assert!(place("http://127.0.0.1:1/a", None).await.is_ok());
    let prefix = "what `H` answered for a place to upload the plugin to cannot be used: ";
    for (address, reason) in [
        (
            "http://store.example/a",
            "its upload address is not `https://`",
        ),
        (
            "https://me:hidden@store.example/a",
            "its upload address holds a user or password",
        ),
        (
            "ftp://store.example/hidden",
            "its upload address cannot be used: it begins with neither `https://` nor `http://`",
        ),
    ] {
        assert_eq!(place(address, None).await, Err(format!("{prefix}{reason}")));
    }
    let server = Server::always(json!({"file_id": "f", "upload_url": secret}));
    let service = server.service();
    let asking = service.upload_place("p.tar.gz", 12, None, None, pending());
    let error = asking.await.unwrap_err().to_string();
    assert!(error.ends_with("`etag` is missing"), "{error}");
}

/// Uploads `archive`, announced with so many bytes, to a store that answers with this status.
async fn upload(line: &'static str, bytes: u64) -> (Result<Uploaded, CatalogError>, Server) {
    let store = Server::start(move |_| status(line, "hidden"));
    let place = json!({"file_id": "f", "etag": "e",
                       "upload_url": format!("http://{}/up?sig=hidden", store.place())});
    let service = Server::always(place);
    let service = service.service();
    let asking = service.upload_place("p.tar.gz", bytes, None, None, pending());
    let place = asking.await.unwrap();
    let (writer, body) = Body::chunks();
    let write = async {
        writer.write("arch").await;
        writer.write("ive").await;
        writer.finish().await
    };
    let uploading = service.upload(place, bytes, body, None, pending());
    let (outcome, _) = tokio::join!(uploading, write);
    (outcome, store)
}

#[tokio::test]
async fn an_archive_is_sent_with_its_length_and_without_a_login() {
    for line in ["200 OK", "201 Created"] {
        let (outcome, store) = upload(line, 7).await;
        let uploaded = outcome.unwrap();
        assert_eq!((&*uploaded.file_id, &*uploaded.etag), ("f", "e"));
        let asked = store.asked().remove(0);
        assert_eq!(asked.line(), "PUT /up?sig=hidden");
        assert_eq!(asked.body, "archive");
        let headers = ["content-length", "transfer-encoding", "content-type"];
        assert_eq!(
            headers.map(|name| asked.header(name)),
            [Some("7"), None, Some("application/gzip")]
        );
        assert_eq!(asked.header("x-ms-blob-type"), Some("BlockBlob"));
        assert_eq!(asked.header("originator"), Some("plugd"));
        for name in ["authorization", "chatgpt-account-id", "oai-product-sku"] {
            assert_eq!(asked.header(name), None, "{name}");
        }
    }
}

#[tokio::test]
async fn a_refused_upload_shows_no_address() {
    for line in [
        "204 No Content",
        "307 Temporary Redirect",
        "403 Forbidden",
        "500 Broken",
    ] {
        let (outcome, store) = upload(line, 7).await;
        let error = outcome.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hidden") && !text.contains(TOKEN), "{text}");
        let status = line.split(' ').next().unwrap();
        let host = store.place();
        let host = host.split(':').next().unwrap();
        assert_eq!(
            error.to_string(),
            format!("`{host}` answered {status} for the upload of the plugin")
        );
        assert_eq!(store.asked().len(), 1);
    }
}
