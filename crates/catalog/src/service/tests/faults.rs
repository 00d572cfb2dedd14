//! Services that refuse, break off, say nothing or lead elsewhere.

use std::time::Duration;

use plugd_http::HttpError;
use pretty_assertions::assert_eq;
use tokio::time::Instant;

use super::{
    Collection, KINDS, Kind, LONG, Reply, Server, TOKEN, Value, answer, call, good, is_repeated,
    item, json, ok, page, pending, status,
};
use crate::catalog::Patience;
use crate::fixture::{PATIENT, access};
use crate::{CatalogError, Service};

/// A service that is waited for as long as the limits say.
fn impatient(server: &Server, patience: Patience) -> Service {
    let catalog = server.service().catalog().clone().with_patience(patience);
    catalog.service(&access(&server.base()))
}

#[tokio::test]
async fn every_status_on_every_call() {
    for code in [
        400, 401, 402, 403, 404, 409, 410, 418, 429, 500, 501, 502, 503, 504,
    ] {
        for kind in KINDS {
            let server = Server::start(move |_| {
                status(&format!("{code} Oops"), r#"{"detail": "not today"}"#)
            });
            let error = call(&server.service(), kind).await.unwrap_err();
            let name = match &error {
                CatalogError::Unauthorized { .. } => "unauthorized",
                CatalogError::NotFound { .. } => "not found",
                CatalogError::Status { .. } => "status",
                other => panic!("{kind:?} {code}: {other}"),
            };
            let expected = match code {
                401 | 403 => "unauthorized",
                404 => "not found",
                _ => "status",
            };
            assert_eq!((name, error.status()), (expected, Some(code)));
            assert_eq!(error.is_not_found(), code == 404);
            let passes = matches!(code, 429 | 500 | 502..=504);
            assert_eq!(error.is_retryable(), passes, "{code}");
            let text = error.to_string();
            assert!(text.ends_with(": not today"), "{text}");
            assert!(!text.contains('?') && !text.contains(TOKEN), "{text}");
            let repeated = is_repeated(kind) && matches!(code, 429 | 500..=504);
            let times = if repeated { 3 } else { 1 };
            assert_eq!(server.lines().len(), times, "{kind:?} {code}");
        }
    }
}

#[tokio::test]
async fn a_refusal_that_passes_is_waited_for() {
    for kind in KINDS {
        let server = Server::start(move |asked| match asked.number {
            0 => Reply::Whole(answer("503 Busy", &["Retry-After: 0"], b"")),
            _ => ok(&good(kind)),
        });
        let outcome = call(&server.service(), kind).await;
        assert_eq!(outcome.is_ok(), is_repeated(kind), "{kind:?}");
    }
}

#[tokio::test]
async fn no_refusal_is_waited_for_beyond_the_deadline() {
    let server = Server::start(|_| Reply::Whole(answer("503 Busy", &["Retry-After: 2"], b"")));
    let deadline = Instant::now() + Duration::from_secs(1);
    let work = server.service();
    let work = work.featured(None, Some(deadline), pending());
    assert_eq!(work.await.unwrap_err().status(), Some(503));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_body_cut_short_is_an_error_of_every_call() {
    for kind in KINDS {
        let body = good(kind).to_string();
        let whole = answer("200 OK", &[], body.as_bytes());
        let cut = whole[..whole.len() - 1].to_vec();
        let server = Server::start(move |_| Reply::Cut(cut.clone()));
        let error = call(&server.service(), kind).await.unwrap_err();
        let is_cut = matches!(
            &error,
            CatalogError::Http {
                source: HttpError::Cut { .. },
                ..
            }
        );
        assert!(is_cut && error.is_retryable(), "{kind:?}: {error}");
        assert_eq!(error.host(), Some(&*server.place()));
        let times = if is_repeated(kind) { 2 } else { 1 };
        assert_eq!(server.lines().len(), times, "{kind:?}");
    }
}

#[tokio::test]
async fn one_read_that_breaks_off_is_not_seen() {
    for kind in KINDS {
        let whole = answer("200 OK", &[], good(kind).to_string().as_bytes());
        for cut in [0, 20, whole.len() - 1] {
            let beginning = whole[..cut].to_vec();
            let server = Server::start(move |asked| match asked.number {
                0 => Reply::Cut(beginning.clone()),
                _ => ok(&good(kind)),
            });
            let outcome = call(&server.service(), kind).await;
            assert_eq!(outcome.is_ok(), is_repeated(kind), "{kind:?} {cut}");
        }
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_an_error_of_every_call() {
    for kind in KINDS {
        let server = Server::start(|_| {
            let head = b"HTTP/1.1 200 OK\r\n\r\n[".to_vec();
            Reply::Endless(head, vec![b' '; 1 << 20])
        });
        let error = call(&server.service(), kind).await.unwrap_err();
        let is_large = matches!(
            &error,
            CatalogError::Http {
                source: HttpError::TooLarge { .. },
                ..
            }
        );
        assert!(is_large, "{kind:?}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_without_an_end_is_a_refusal() {
    let server = Server::start(|_| {
        let head = b"HTTP/1.1 500 Oops\r\n\r\n{".to_vec();
        Reply::Endless(head, vec![b' '; 1 << 12])
    });
    let error = call(&server.service(), Kind::Item).await.unwrap_err();
    assert_eq!(error.status(), Some(500));
}

#[tokio::test]
async fn silence_ends_by_the_limit_of_the_call() {
    let short = Duration::from_millis(50);
    let patience = Patience {
        call: short,
        featured: short,
        apps: short,
        ..PATIENT
    };
    for kind in KINDS {
        let server = Server::start(|_| Reply::Stall(b"HTTP/1.1 200 OK\r\n".to_vec()));
        let service = impatient(&server, patience);
        let error = call(&service, kind).await.unwrap_err();
        let is_timeout = matches!(
            &error,
            CatalogError::Http {
                source: HttpError::Timeout { .. },
                ..
            }
        );
        assert!(is_timeout && error.is_retryable(), "{kind:?}: {error}");
        server.wait_for_hang_up().await;
    }
}

#[tokio::test]
async fn each_call_has_a_limit_of_its_own() {
    let short = Duration::from_millis(50);
    let check = async |kind, patience| {
        let server = Server::start(|_| Reply::Stall(Vec::new()));
        let started = Instant::now();
        let outcome = call(&impatient(&server, patience), kind).await;
        assert!(outcome.is_err() && started.elapsed() < LONG, "{kind:?}");
    };
    let featured = Patience {
        featured: short,
        ..PATIENT
    };
    check(Kind::Featured, featured).await;
    let apps = Patience {
        apps: short,
        ..PATIENT
    };
    check(Kind::Apps, apps).await;
    let pages = Patience {
        pages: short,
        ..PATIENT
    };
    check(Kind::Directory, pages).await;
}

#[tokio::test]
async fn the_deadline_of_the_caller_holds_over_all_pages() {
    let server = Server::start(|asked| match asked.number {
        0 => ok(&page(&[item("a")], "1")),
        _ => Reply::Stall(Vec::new()),
    });
    let service = server.service();
    let deadline = Instant::now() + Duration::from_millis(200);
    let work = service.directory(Collection::Created, None, Some(deadline), pending());
    let error = work.await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn who_gives_up_ends_the_call() {
    let server = Server::start(|_| Reply::Stall(Vec::new()));
    let service = server.service();
    let (give_up, given_up) = tokio::sync::oneshot::channel::<()>();
    let waiting = tokio::spawn(async move {
        let cancelled = async {
            let _ = given_up.await;
        };
        service.featured(None, None, cancelled).await
    });
    while server.lines().is_empty() {
        tokio::task::yield_now().await;
    }
    give_up.send(()).unwrap();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, CatalogError::Cancelled));
    server.wait_for_hang_up().await;
}

#[tokio::test]
async fn a_later_page_that_fails_fails_the_list() {
    for refusal in ["404 Gone", "500 Oops"] {
        let server = Server::start(move |asked| match asked.number {
            0 => ok(&page(&[item("a")], "1")),
            _ => status(refusal, ""),
        });
        assert!(call(&server.service(), Kind::Installed).await.is_err());
    }
    let server = Server::start(|asked| match asked.number {
        0 => ok(&page(&[item("a")], "1")),
        _ => ok(&json!({ "pagination": Value::Null })),
    });
    let error = call(&server.service(), Kind::Installed).await.unwrap_err();
    assert!(matches!(error, CatalogError::BadAnswer { .. }), "{error}");
}

#[tokio::test]
async fn the_token_stays_with_the_service() {
    for kind in KINDS {
        let elsewhere = Server::always(good(kind));
        let location = format!("Location: {}/x", elsewhere.base());
        let server =
            Server::start(move |_| Reply::Whole(answer("307 Elsewhere", &[&location], b"")));
        let error = call(&server.service(), kind).await.unwrap_err();
        let is_refused = matches!(
            &error,
            CatalogError::Http {
                source: HttpError::NotAllowed { .. },
                ..
            }
        );
        assert!(is_refused, "{kind:?}: {error}");
        assert_eq!(elsewhere.lines().len(), 0);
    }
}

#[tokio::test]
async fn a_redirect_within_the_service_is_followed() {
    let server = Server::start(|asked| match asked.number {
        0 => Reply::Whole(answer("307 Here", &["Location: /other"], b"")),
        _ => ok(&page(&[], Value::Null)),
    });
    call(&server.service(), Kind::Directory).await.unwrap();
    assert_eq!(server.lines()[1], "GET /other");
    let server = Server::start(|_| Reply::Whole(answer("307 Here", &["Location: /x"], b"")));
    let error = call(&server.service(), Kind::Directory).await.unwrap_err();
    assert!(matches!(error, CatalogError::Http { .. }), "{error}");
    assert_eq!(server.lines().len(), 6);
}

#[tokio::test]
async fn a_machine_without_the_service_is_offline() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let server = Server::always(Value::Null);
    let service = server.service().catalog().service(&access(&gone));
    let error = call(&service, Kind::Featured).await.unwrap_err();
    assert!(error.is_offline() && error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_not_shown() {
    let server = Server::always(Value::Null);
    let mut access = access(&server.base());
    access.account.access_token = crate::Secret::new("hid\nden");
    let service = server.service().catalog().service(&access);
    let error = call(&service, Kind::Featured).await.unwrap_err();
    let text = format!("{error} {error:?} {service:?}");
    assert!(!text.contains("hid"), "{text}");
    assert_eq!(server.lines().len(), 0);
}

#[tokio::test]
async fn calls_can_be_made_from_any_thread() {
    let server = Server::start(|_| ok(&good(Kind::Directory)));
    let service = server.service();
    // Tasks of a runtime with several threads need this of every call.
    let outcome = tokio::spawn(async move {
        for kind in KINDS {
            let _ = call(&service, kind).await;
        }
        call(&service, Kind::Directory).await
    });
    outcome.await.unwrap().unwrap();
    assert_eq!(server.lines().len(), KINDS.len() + 1);
}
