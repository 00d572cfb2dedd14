//! Who is told the user's secrets, and who is not.

use std::sync::{Arc, Mutex};

use plugd_model::error_chain;
use pretty_assertions::assert_eq;

use super::{Home, bring, document, fetch, never, package, registry, resolve, serving};
use crate::FetchError;
use crate::fixture::archive;
use crate::fixture::registry::{Server, ok, redirect, status};

#[tokio::test]
async fn a_login_counts_at_once() {
    let server = Server::start(|asked| match asked {
        "GET /npm/p" => status("401 Unauthorized"),
        _ => status("500 Odd"),
    });
    let home = Home::new(&format!("registry={}", server.url("/npm/")));
    let npm = home.npm();
    npm.resolve(&package("p", None), never()).await.unwrap_err();
    let place = server.place();
    home.write(&format!(
        "registry={}\n//{place}/npm/:_authToken=new",
        server.url("/npm/")
    ));
    npm.resolve(&package("p", None), never()).await.unwrap_err();
    assert_eq!(server.seen(), ["/npm/p -", "/npm/p Bearer new"]);
}

/// The error of a registry that answers in this way, without the place of the server.
async fn refusal(token_for: &str, reply: &'static str) -> (String, bool) {
    let server = Server::start(move |_| status(reply));
    let token_for = token_for.replace("$PLACE", &server.place());
    let home = Home::at(&server, &token_for);
    let error = resolve(&home, "p").await.unwrap_err();
    assert_secret_free(&error);
    let text = error_chain(&error).replace(&server.place(), "$PLACE");
    (text, error.is_retryable())
}

fn assert_secret_free(error: &FetchError) {
    let text = format!("{error:?} {}", error_chain(error));
    assert!(!text.contains("hidden"), "{text}");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let none =
        "no credential was sent; if it is private, put `//$PLACE/:_authToken` into the npmrc";
    let sent = "the credential `//$PLACE/npm/:_authToken` of the npmrc was sent; is it right?";
    for (token_for, said) in [("//other/", none), ("//$PLACE/npm/", sent)] {
        for (reply, code) in [("401 Unauthorized", 401), ("403 Forbidden", 403)] {
            let expected = format!("`$PLACE` gives no access to the package `p` ({code}): {said}");
            assert_eq!(refusal(token_for, reply).await, (expected, false));
        }
        let expected =
            format!("the registry http://$PLACE/npm/ does not have the package `p`; {said}");
        assert_eq!(refusal(token_for, "404 Not Found").await, (expected, false));
    }
    let expected = "`$PLACE` answered 500 for the package `p`".to_owned();
    assert_eq!(refusal("//other/", "500 Odd").await, (expected, true));
    let expected = "`$PLACE` answered 418 for the package `p`".to_owned();
    assert_eq!(refusal("//other/", "418 Teapot").await, (expected, false));
}

#[tokio::test]
async fn a_credential_is_sent_below_its_path_only() {
    let bytes = archive::package("p", &[]);
    for (path, token_for, expected) in [
        (
            "/npm/-/p.tgz",
            "/npm/",
            ["/npm/p Bearer hidden", "/npm/-/p.tgz Bearer hidden"],
        ),
        (
            "/files/p.tgz",
            "/npm/",
            ["/npm/p Bearer hidden", "/files/p.tgz -"],
        ),
        (
            "/files/p.tgz",
            "/",
            ["/npm/p Bearer hidden", "/files/p.tgz Bearer hidden"],
        ),
        (
            "/npm/-/p.tgz",
            "/npm/-/",
            ["/npm/p -", "/npm/-/p.tgz Bearer hidden"],
        ),
    ] {
        let server = registry(bytes.clone(), path);
        let home = Home::at(&server, &format!("//{}{token_for}", server.place()));
        fetch(&home, "p").await.unwrap();
        assert_eq!(server.seen(), expected);
    }
}

#[tokio::test]
async fn another_host_gets_no_credential() {
    let bytes = archive::package("p", &[]);
    let files = Server::start({
        let bytes = bytes.clone();
        move |_| ok(&bytes)
    });
    let server = serving(bytes, files.url("/p.tgz?signature=1"));
    // Not even one that the user has for it: the registry does not choose where it is sent.
    let home = Home::at(&server, &format!("//{}/", server.place()));
    home.write(&format!(
        "registry={}\n//{}/:_authToken=hidden\n//{}/:_authToken=hidden",
        server.url("/npm/"),
        server.place(),
        files.place()
    ));
    fetch(&home, "p").await.unwrap();
    assert_eq!(server.seen(), ["/npm/p Bearer hidden"]);
    assert_eq!(files.seen(), ["/p.tgz?signature=1 -"]);
}

#[tokio::test]
async fn a_redirect_to_another_host_loses_the_credential() {
    let bytes = archive::package("p", &[]);
    let files = Server::start({
        let bytes = bytes.clone();
        move |_| ok(&bytes)
    });
    let place = Arc::new(Mutex::new(String::new()));
    let server = Server::start({
        let (place, location) = (place.clone(), files.url("/p.tgz"));
        move |asked| match asked {
            "GET /npm/p" => {
                let tarball = format!("http://{}/npm/p.tgz", place.lock().unwrap());
                ok(document("p", &tarball, &bytes))
            }
            _ => redirect(&location),
        }
    });
    *place.lock().unwrap() = server.place();
    let home = Home::at(&server, &format!("//{}/", server.place()));
    fetch(&home, "p").await.unwrap();
    let expected = ["/npm/p Bearer hidden", "/npm/p.tgz Bearer hidden"];
    assert_eq!(server.seen(), expected);
    assert_eq!(files.seen(), ["/p.tgz -"]);
}

#[tokio::test]
async fn a_registry_does_not_send_us_to_another_host() {
    let other = Server::start(|_| ok(document("p", "http://127.0.0.1:1/p.tgz", b"")));
    let location = other.url("/npm/p");
    let server = Server::start(move |_| redirect(&location));
    let home = Home::at(&server, "//other/");
    let error = resolve(&home, "p").await.unwrap_err();
    assert!(
        error_chain(&error).ends_with("a redirect leads to another host"),
        "{error:?}"
    );
    assert_eq!(other.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn secrets_stand_in_no_text() {
    let place = Arc::new(Mutex::new(String::new()));
    let server = Server::start({
        let place = place.clone();
        move |_| {
            let tarball = format!("http://me:hidden@{}/p.tgz", place.lock().unwrap());
            ok(document("p", &tarball, b""))
        }
    });
    *place.lock().unwrap() = server.place();
    let registry = server.url("/npm/").replace("://", "://me:hidden@");
    let mut home = Home::new(&format!("registry={registry}"));
    home.vars.push(("NPM_TOKEN", "hidden".to_owned()));
    let npm = home.npm();
    let tarball = npm.resolve(&package("p", None), never()).await.unwrap();
    let text = format!("{tarball:?} {npm:?}");
    assert!(!text.contains("hidden"), "{text}");
    assert_eq!(tarball.url, server.url("/p.tgz"));
    assert_eq!(server.seen(), ["/npm/p Basic bWU6aGlkZGVu"]);
    // An archive with another digest, behind the same address: the errors of the way back.
    let error = bring(&home, &npm, &tarball).await.unwrap_err();
    assert_secret_free(&error);
    home.write("registry=ftp://me:hidden@h/?token=hidden");
    assert_secret_free(&resolve(&home, "p").await.unwrap_err());
    home.write("registry=https://me:hid/den@h/");
    let error = resolve(&home, "p").await.unwrap_err();
    assert!(!format!("{error:?}").contains("hid"), "{error:?}");
}
