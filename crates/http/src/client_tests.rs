//! The client against servers on loopback that behave and misbehave.

use std::time::Duration;

use plugd_model::error_chain;
use pretty_assertions::assert_eq;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::fixture::{
    IMPATIENT, LIMITS, Reply, Server, answer, client, fetch, get, ok, redirect, send,
};
use crate::{Body, HttpError, Limits, Method, Part, Redirects, Refusal, Request, Wait, header};

/// Fetches from a server that gives always the same answer.
async fn outcome(reply: Reply, limits: Limits) -> Result<(u16, String), HttpError> {
    let server = Server::always(reply);
    let request = get(&server.url("/a?secret=hidden")).limits(limits);
    let outcome = fetch(&client(&[]), request).await;
    if let Err(error) = &outcome {
        let text = format!("{} {error:?}", error_chain(error));
        assert!(text.contains(&server.url("/a")), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }
    outcome
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    for (status, code) in [
        ("200 OK", 200),
        ("401 No", 401),
        ("404 No", 404),
        ("500 No", 500),
    ] {
        let reply = Reply::Text(answer(status, &[], "hello"));
        let got = outcome(reply, LIMITS).await.unwrap();
        assert_eq!(got, (code, "hello".to_owned()));
    }
}

#[tokio::test]
async fn only_success_is_a_success() {
    let server = Server::always(Reply::Text(answer("401 No", &[], "")));
    let response = send(&client(&[]), get(&server.url("/a?hidden")))
        .await
        .unwrap();
    let error = response.success().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`{}` answered 401", server.url("/a"))
    );
}

#[tokio::test]
async fn what_is_sent() {
    let server = Server::always(ok(""));
    let request = Request::post(&server.url("/p?q=1"), Body::bytes("body"))
        .and_then(|request| request.basic("me", "secret"))
        .and_then(|request| request.header(header::ACCEPT, "*/*"))
        .unwrap();
    fetch(&client(&[]), request).await.unwrap();
    let expected = format!(
        "POST /p?q=1 HTTP/1.1\r\nauthorization: Basic bWU6c2VjcmV0\r\naccept: */*\r\n\
         user-agent: plugd-test/1\r\nhost: {}\r\ncontent-length: 4\r\n\r\nbody",
        server.address
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn a_user_in_the_address_becomes_a_header() {
    let server = Server::always(ok(""));
    let url = format!("http://me:s%20t@{}/", server.address);
    fetch(&client(&[]), get(&url)).await.unwrap();
    let request = server.requests().remove(0);
    assert!(
        request.contains("authorization: Basic bWU6cyB0\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_body_in_chunks_arrives_whole_or_not_at_all() {
    let server = Server::always(ok("thanks"));
    let client = client(&[]);
    let (writer, body) = Body::chunks();
    let request = Request::post(&server.url("/"), body).unwrap();
    let write = async {
        assert!(writer.write("one ").await);
        assert!(writer.write("two").await);
        writer.finish().await
    };
    let (answer, _) = tokio::join!(fetch(&client, request), write);
    assert_eq!(answer.unwrap(), (200, "thanks".to_owned()));
    let sent = server.requests().remove(0);
    assert!(
        sent.ends_with("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"),
        "{sent}"
    );

    let (writer, body) = Body::chunks();
    let request = Request::post(&server.url("/"), body).unwrap();
    let give_up = async {
        writer.write("one").await;
        drop(writer);
    };
    let (answer, ()) = tokio::join!(fetch(&client, request), give_up);
    assert!(matches!(answer, Err(HttpError::Cut { .. })), "{answer:?}");
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_goes_silent() {
    let texts = [
        String::new(),
        "HTTP/1.1 200".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_owned(),
    ];
    for text in texts {
        let error = outcome(Reply::Stall(text), IMPATIENT).await.unwrap_err();
        let HttpError::Timeout { wait, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(wait, Wait::Idle(IMPATIENT.idle));
    }
}

/// A server that takes the connection and reads nothing: what the system holds for it fills up, and
/// then no byte moves any more.
#[tokio::test]
async fn a_body_that_nobody_reads() {
    let server = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let (writer, body) = Body::chunks();
    let request = Request::post(&url, body).unwrap().limits(IMPATIENT);
    let write = async {
        // More than any system holds.
        for _ in 0..256 {
            if !writer.write(vec![0; 256 * 1024]).await {
                return false;
            }
        }
        true
    };
    let client = client(&[]);
    let (answer, has_gone) = tokio::join!(fetch(&client, request), write);
    let Err(HttpError::Timeout { wait, .. }) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(wait, Wait::Idle(IMPATIENT.idle));
    assert!(!has_gone);
}

#[tokio::test]
async fn a_deadline_ends_what_goes_on_for_ever() {
    let deadline = Some(Instant::now() + Duration::from_millis(100));
    let limits = Limits {
        deadline,
        body_bytes: u64::MAX,
        ..LIMITS
    };
    let head = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    let server = Server::always(Reply::Endless(head, "x".to_owned()));
    let got = fetch(&client(&[]), get(&server.url("/")).limits(limits)).await;
    let HttpError::Timeout { wait, .. } = got.unwrap_err() else {
        panic!("no timeout");
    };
    assert_eq!(wait, Wait::Deadline);
}

#[track_caller]
fn check_too_large(outcome: &Result<(u16, String), HttpError>, expected: Part, bytes: u64) {
    match outcome {
        Err(HttpError::TooLarge { part, limit, .. }) => {
            assert_eq!((*part, *limit), (expected, bytes));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_head_without_end() {
    let line = format!("X-Filler: {}\r\n", "x".repeat(1000));
    let first = "HTTP/1.1 200 OK\r\n".to_owned();
    let got = outcome(Reply::Endless(first, line), LIMITS).await;
    check_too_large(&got, Part::Head, 8192);
    let got = outcome(Reply::Endless(String::new(), "HTTP".to_owned()), LIMITS).await;
    assert!(got.is_err());
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".to_owned();
    let got = outcome(Reply::Endless(String::new(), interim), LIMITS).await;
    check_too_large(&got, Part::Head, 8192);
}

#[tokio::test]
async fn a_body_without_end() {
    let limit = LIMITS.body_bytes;
    let first = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    let got = outcome(Reply::Endless(first, "x".repeat(999)), LIMITS).await;
    check_too_large(&got, Part::Body, limit);
    let first = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let got = outcome(Reply::Endless(first, "4\r\nabcd\r\n".to_owned()), LIMITS).await;
    check_too_large(&got, Part::Body, limit);
    // A length that is announced and too large is refused at once, also by a silent server.
    let first = "HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n".to_owned();
    let got = outcome(Reply::Stall(first), LIMITS).await;
    check_too_large(&got, Part::Body, limit);
    let whole = "x".repeat(65536);
    assert_eq!(outcome(ok(&whole), LIMITS).await.unwrap(), (200, whole));
}

#[tokio::test]
async fn a_connection_cut_short() {
    let texts = [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ];
    for text in texts {
        let got = outcome(Reply::Last(text.to_owned()), LIMITS).await;
        assert!(matches!(got, Err(HttpError::Cut { .. })), "{text}: {got:?}");
    }
}

#[tokio::test]
async fn what_is_no_http() {
    let texts = [
        "220 mail.example ESMTP\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ];
    for text in texts {
        let got = outcome(Reply::Last(text.to_owned()), LIMITS).await;
        assert!(
            matches!(got, Err(HttpError::NotHttp { .. })),
            "{text}: {got:?}"
        );
    }
}

#[tokio::test]
async fn who_gives_up_is_let_go() {
    let (arrived, arrival) = oneshot::channel();
    let arrived = std::sync::Mutex::new(Some(arrived));
    let server = Server::start(move |_, _| {
        let _ = arrived.lock().unwrap().take().unwrap().send(());
        Reply::Stall(String::new())
    });
    let cancel = async { arrival.await.unwrap() };
    let got = client(&[]).send(get(&server.url("/")), cancel).await;
    assert!(got.unwrap_err().is_cancelled());

    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let server = Server::always(Reply::Stall(half.to_owned()));
    let mut response = send(&client(&[]), get(&server.url("/"))).await.unwrap();
    let got = response.chunk(std::future::ready(())).await;
    assert!(got.unwrap_err().is_cancelled());
    // Half a body does not end like a whole one.
    let got = response.chunk(std::future::pending()).await;
    assert!(matches!(got, Err(HttpError::Cut { .. })), "{got:?}");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(|_, request| match request.starts_with("HEAD") {
        true => Reply::Text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_owned()),
        false => ok("hello"),
    });
    let client = client(&[]);
    for method in [Method::GET, Method::HEAD, Method::POST, Method::GET] {
        let request = Request::new(method, &server.url("/")).unwrap();
        fetch(&client, request).await.unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (4, 1));
}

#[tokio::test]
async fn a_connection_that_is_not_read_to_its_end_is_not_used_again() {
    let server = Server::always(ok("hello"));
    let client = client(&[]);
    drop(send(&client, get(&server.url("/"))).await.unwrap());
    fetch(&client, get(&server.url("/"))).await.unwrap();
    assert_eq!((server.requests().len(), server.connections()), (2, 2));
}

#[tokio::test]
async fn a_kept_connection_that_ends_costs_a_read_nothing() {
    // The second request of each connection is met by a server that hangs up.
    let server = Server::start(|number, _| match number {
        1 => Reply::Last(String::new()),
        _ => ok("hello"),
    });
    let client = client(&[]);
    for _ in 0..2 {
        let got = fetch(&client, get(&server.url("/"))).await.unwrap();
        assert_eq!(got, (200, "hello".to_owned()));
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
}

#[tokio::test]
async fn what_may_have_been_acted_upon_is_not_sent_again() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Last(String::new()),
        _ => ok("hello"),
    });
    let client = client(&[]);
    fetch(&client, get(&server.url("/"))).await.unwrap();
    let post = Request::post(&server.url("/"), Body::bytes("pay")).unwrap();
    let got = fetch(&client, post).await;
    assert!(matches!(got, Err(HttpError::Cut { .. })), "{got:?}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    let client = client(&[
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("http_proxy", "127.0.0.1:9"),
    ]);
    for url in [
        "http://example.test/",
        "http://10.0.0.1/",
        "http://localhost.example.test/",
    ] {
        let error = fetch(&client, get(url)).await.unwrap_err();
        let HttpError::NotAllowed { reason, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(reason, Refusal::PlainHttp);
    }
    let server = Server::always(ok("here"));
    let url = format!("http://localhost:{}/", server.address.port());
    assert_eq!(
        fetch(&client, get(&url)).await.unwrap(),
        (200, "here".to_owned())
    );
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed() {
    let server = Server::start(|number, _| match number {
        0 => redirect("302 Found", "../b?x=1#frag"),
        _ => ok("there"),
    });
    let request = get(&server.url("/d/e/a")).bearer("token").unwrap();
    let response = send(&client(&[]), request).await.unwrap();
    assert_eq!(response.url().to_string(), server.url("/d/b"));
    let requests = server.requests();
    assert!(
        requests[1].starts_with("GET /d/b?x=1 HTTP/1.1\r\n"),
        "{}",
        requests[1]
    );
    assert!(
        requests[1].contains("authorization: Bearer token\r\n"),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let other = Server::always(ok("there"));
    let to = other.url("/b");
    let server = Server::start(move |_, _| redirect("307 Moved", &to));
    let request = |policy| {
        get(&server.url("/a"))
            .redirects(policy)
            .bearer("token")
            .and_then(|request| request.header(header::COOKIE, "token"))
            .and_then(|request| request.credential(header::REFERER, "token"))
            .and_then(|request| request.header(header::ACCEPT, "*/*"))
            .unwrap()
    };
    let client = client(&[]);
    let got = fetch(&client, request(Redirects::AnyHttps)).await.unwrap();
    assert_eq!(got, (200, "there".to_owned()));
    let seen = other.requests().remove(0);
    assert!(
        seen.contains("accept: */*") && !seen.contains("token"),
        "{seen}"
    );

    let error = fetch(&client, request(Redirects::SameHost))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{}` may not be fetched: a redirect leads to another host",
            other.url("/…")
        )
    );
    let answer = send(&client, request(Redirects::None)).await.unwrap();
    assert_eq!(answer.status().as_u16(), 307);
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_to_plain_http_elsewhere_is_not_followed() {
    let server = Server::always(redirect("302 Found", "http://example.test/"));
    let request = get(&server.url("/")).redirects(Redirects::AnyHttps);
    let error = fetch(&client(&[]), request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`http://example.test/` may not be fetched: plain http is spoken on this machine only"
    );
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::always(redirect("302 Found", "/"));
    let error = fetch(&client(&[]), get(&server.url("/")))
        .await
        .unwrap_err();
    let HttpError::NotAllowed { reason, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(reason, Refusal::TooManyRedirects);
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_body_is_sent_again_to_the_same_host_only_where_it_can_be() {
    let server = Server::start(|_, request| match request.contains("POST /a") {
        true => redirect("308 Moved", "/b"),
        false => ok("done"),
    });
    let client = client(&[]);
    let post = Request::post(&server.url("/a"), Body::bytes("body")).unwrap();
    assert_eq!(fetch(&client, post).await.unwrap().1, "done");
    assert!(server.requests()[1].ends_with("\r\n\r\nbody"));

    let (writer, body) = Body::chunks();
    let post = Request::post(&server.url("/a"), body).unwrap();
    let (answer, _) = tokio::join!(fetch(&client, post), writer.finish());
    let error = answer.unwrap_err();
    let HttpError::NotAllowed { reason, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(reason, Refusal::RedirectedBody);
}

#[tokio::test]
async fn nobody_listens() {
    let server = Server::always(ok(""));
    let address = server.address;
    // A port that was free a moment ago: bound, and never listened on.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = closed.local_addr().unwrap().port();
    assert_ne!(port, address.port());
    let url = format!("http://127.0.0.1:{port}/");
    let error = fetch(&client(&[]), get(&url)).await.unwrap_err();
    assert!(error.is_offline() && error.is_retryable(), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("cannot connect to `127.0.0.1:{port}` (tried 127.0.0.1:{port})")
    );
}
