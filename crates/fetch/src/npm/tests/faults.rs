//! Servers that fail, lie or go silent, and callers that give up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugd_model::error_chain;
use pretty_assertions::assert_eq;
use tokio::sync::Notify;

use super::{Home, bring, document, fetch, never, package, resolve};
use crate::fixture::archive;
use crate::fixture::registry::{Reply, Server, answer, ok, status};
use crate::{Chunks, FetchError, joined};

#[tokio::test]
async fn a_registry_that_is_busy_is_asked_again() {
    let count = Mutex::new(0);
    let server = Server::start(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        match *count {
            1 => status("503 Busy"),
            _ => ok(document("p", "http://127.0.0.1:1/p.tgz", b"")),
        }
    });
    let home = Home::at(&server, "//other/");
    resolve(&home, "p").await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn answers_that_cannot_be_used() {
    for (reply, reason) in [
        (
            answer("200 OK", &[], b"{"),
            "EOF while parsing an object at line 1 column 1",
        ),
        (answer("200 OK", &[], br#"{"name":"q"}"#), "it is about `q`"),
        (
            answer("200 OK", &["Content-Encoding: gzip"], b"x"),
            "it is encoded as gzip",
        ),
    ] {
        let server = Server::start(move |_| Reply::Whole(reply.clone()));
        let error = resolve(&Home::at(&server, "//other/"), "p")
            .await
            .unwrap_err();
        let registry = server.url("/npm/");
        let expected =
            format!("what the registry {registry} says about `p` is not usable: {reason}");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_document_that_is_too_large_is_not_read() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n".to_vec();
    let server = Server::start(move |_| Reply::Stall(head.clone()));
    let error = resolve(&Home::at(&server, "//other/"), "p")
        .await
        .unwrap_err();
    assert!(
        error_chain(&error).ends_with("has more than 67108864 bytes"),
        "{error:?}"
    );
    server.wait_for_hang_up();
}

#[tokio::test]
async fn another_archive_than_the_registry_promised() {
    let place = Arc::new(Mutex::new(String::new()));
    let server = Server::start({
        let place = place.clone();
        move |asked| match asked {
            "GET /npm/p" => {
                let tarball = format!("http://{}/p.tgz", place.lock().unwrap());
                ok(document("p", &tarball, b"another"))
            }
            _ => ok(archive::package("p", &[])),
        }
    });
    *place.lock().unwrap() = server.place();
    let error = fetch(&Home::at(&server, "//other/"), "p")
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::WrongDigest { .. }), "{error}");
}

/// A registry whose archive comes in this way.
fn with_archive(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let place = Arc::new(Mutex::new(String::new()));
    let server = Server::start({
        let place = place.clone();
        move |asked| match asked {
            "GET /npm/p" => {
                let tarball = format!("http://{}/p.tgz", place.lock().unwrap());
                ok(document("p", &tarball, b""))
            }
            _ => reply(),
        }
    });
    *place.lock().unwrap() = server.place();
    server
}

/// The head of an answer of a thousand bytes, and the first of them.
fn half() -> Vec<u8> {
    let archive = archive::package("p", &[]);
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    [head, &archive[..40]].concat()
}

#[tokio::test]
async fn an_archive_that_is_missing_or_too_large() {
    let server = with_archive(|| status("404 Not Found"));
    let error = fetch(&Home::at(&server, "//other/"), "p")
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("does not have the archive of `p` 1.0.0; no credential"),
        "{text}"
    );
    let large = b"HTTP/1.1 200 OK\r\nContent-Length: 52428801\r\n\r\n";
    let server = with_archive(|| Reply::Stall(large.to_vec()));
    let error = fetch(&Home::at(&server, "//other/"), "p")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the archive has more than 52428800 bytes"
    );
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle() {
    let server = with_archive(|| Reply::Cut(half()));
    let error = fetch(&Home::at(&server, "//other/"), "p")
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Http { .. }), "{error}");
    assert!(error.is_retryable());
    assert_eq!(error.host(), Some(server.place().as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_goes_silent() {
    for stalled in [Vec::new(), half()] {
        let server = with_archive(move || Reply::Stall(stalled.clone()));
        let home = Home::at(&server, "//other/");
        // What is answered at once takes its time on a busy machine.
        let patient = home.npm();
        let tarball = patient.resolve(&package("p", None), never()).await;
        let tarball = tarball.unwrap();
        let npm = home.npm().with_idle(Duration::from_millis(50));
        let error = bring(&home, &npm, &tarball).await.unwrap_err();
        assert!(
            error_chain(&error).ends_with("sent nothing for 50ms"),
            "{error:?}"
        );
        assert!(error.is_retryable());
        server.wait_for_hang_up();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn cancelled_before_an_answer() {
    let asked = Arc::new(Notify::new());
    let server = Server::start({
        let asked = asked.clone();
        move |_| {
            asked.notify_one();
            Reply::Stall(Vec::new())
        }
    });
    let home = Home::at(&server, "//other/");
    let npm = home.npm();
    let outcome = npm.resolve(&package("p", None), asked.notified()).await;
    assert!(outcome.unwrap_err().is_cancelled());
    server.wait_for_hang_up();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn cancelled_midway_leaves_nothing_running() {
    let server = with_archive(|| Reply::Stall(half()));
    let home = Home::at(&server, "//other/");
    let npm = home.npm();
    let tarball = npm.resolve(&package("p", None), never()).await.unwrap();
    let (sender, chunks) = Chunks::channel();
    let unpacking = home.unpacking(&tarball, chunks);
    let moved = Notify::new();
    let download = npm.download(
        &tarball,
        sender,
        |_, _| moved.notify_one(),
        moved.notified(),
    );
    let download = download.await;
    // The section ends by itself, and so does the connection.
    let unpacked = unpacking.join().unwrap();
    assert!(matches!(unpacked, Err(FetchError::BrokenOff)));
    assert!(joined(download, unpacked).unwrap_err().is_cancelled());
    server.wait_for_hang_up();
}

#[tokio::test]
async fn a_section_that_fails_ends_the_download() {
    let server = with_archive(|| Reply::Whole(answer("200 OK", &[], &[b'x'; 4 << 20])));
    let error = fetch(&Home::at(&server, "//other/"), "p")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the archive is damaged: it is no gzip file"
    );
}
