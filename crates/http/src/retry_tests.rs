use std::time::Duration;

use plugd_model::Clock;
use pretty_assertions::assert_eq;
use tokio::time::Instant;

use super::{Retry, parse_pause};
use crate::fixture::{self, LIMITS, NOW, Reply, Server, answer, client, get, ok};
use crate::{Body, HttpError, Limits, Request};

/// Three attempts without a pause worth the name.
const QUICK: Retry = Retry {
    attempts: 3,
    first_pause: Duration::from_millis(2),
    longest_pause: Duration::from_secs(1),
};

/// Reads from a server that refuses with these statuses and then answers 200; tells the status that
/// came out and how many requests were seen.
async fn read(refusals: &'static [&'static str], headers: &'static [&'static str]) -> (u16, usize) {
    let server = Server::start(move |number, _| match refusals.get(number) {
        Some(status) => Reply::Text(answer(status, headers, "")),
        None => ok("done"),
    });
    let request = get(&server.url("/"));
    let client = client(&[]);
    let read = client.read(request, &QUICK, std::future::pending()).await;
    let status = read.unwrap().status().as_u16();
    (status, server.requests().len())
}

#[tokio::test]
async fn a_read_is_tried_again_after_a_refusal_that_passes() {
    assert_eq!(read(&[], &[]).await, (200, 1));
    assert_eq!(read(&["429 Slow"], &[]).await, (200, 2));
    for refusal in [
        &["500 No"],
        &["501 No"],
        &["502 No"],
        &["503 No"],
        &["504 No"],
        &["507 No"],
        &["599 No"],
    ] {
        assert_eq!(read(refusal, &[]).await, (200, 2));
    }
    assert_eq!(read(&["500 No", "429 No"], &[]).await, (200, 3));
    assert_eq!(read(&["502 No", "504 No"], &[]).await, (200, 3));
    assert_eq!(read(&["503 No"; 9], &[]).await, (503, 3));
    assert_eq!(read(&["503 No"], &["Retry-After: 0"]).await, (200, 2));
}

#[tokio::test]
async fn other_answers_are_final() {
    for refusal in [
        &["400 No"],
        &["401 No"],
        &["404 No"],
        &["408 No"],
        &["418 No"],
    ] {
        let status = refusal[0][..3].parse().unwrap();
        assert_eq!(read(refusal, &[]).await, (status, 1));
    }
}

#[tokio::test]
async fn a_server_that_asks_for_too_long_a_pause_is_believed() {
    assert_eq!(read(&["503 No"], &["Retry-After: 3600"]).await, (503, 1));
}

#[tokio::test]
async fn what_sends_something_is_sent_once() {
    let server = Server::always(Reply::Text(answer("503 No", &[], "")));
    let request = Request::post(&server.url("/"), Body::bytes("pay")).unwrap();
    let client = client(&[]);
    let got = client.read(request, &QUICK, std::future::pending()).await;
    assert_eq!(got.unwrap().status().as_u16(), 503);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_no_answer() {
    for cut in [0, 1] {
        let server = Server::start(move |number, _| match number {
            number if number <= cut => Reply::Last(String::new()),
            _ => ok("done"),
        });
        let request = get(&server.url("/"));
        let client = client(&[]);
        let read = client.read(request, &QUICK, std::future::pending()).await;
        assert_eq!(read.unwrap().status().as_u16(), 200);
    }
    let server = Server::always(Reply::Last(String::new()));
    let got = client(&[])
        .read(get(&server.url("/")), &QUICK, std::future::pending())
        .await;
    assert!(matches!(got, Err(HttpError::Cut { .. })), "{got:?}");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_deadline_is_not_slept_over() {
    let server = Server::always(Reply::Text(answer("503 No", &[], "")));
    let limits = Limits {
        deadline: Some(Instant::now() + Duration::from_secs(15)),
        ..LIMITS
    };
    let retry = Retry {
        first_pause: Duration::from_secs(60),
        longest_pause: Duration::from_secs(60),
        ..QUICK
    };
    let request = get(&server.url("/")).limits(limits);
    let got = client(&[])
        .read(request, &retry, std::future::pending())
        .await;
    assert_eq!(got.unwrap().status().as_u16(), 503);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn repeated_reads_end_by_the_deadline() {
    let server = Server::always(Reply::Text(answer("500 No", &["Retry-After: 1"], "")));
    let start = Instant::now();
    let limits = Limits {
        deadline: Some(start + Duration::from_millis(1500)),
        ..LIMITS
    };
    let retry = Retry {
        attempts: 99,
        ..QUICK
    };
    let request = get(&server.url("/")).limits(limits);
    let got = client(&[])
        .read(request, &retry, std::future::pending())
        .await;
    // The second pause would end too late, so the refusal is the answer before it.
    assert_eq!(got.unwrap().status().as_u16(), 500);
    assert_eq!(server.requests().len(), 2);
    let taken = start.elapsed();
    assert!(taken >= Duration::from_secs(1), "{taken:?}");
    assert!(taken < Duration::from_millis(1500), "{taken:?}");
}

#[tokio::test]
async fn a_pause_can_be_given_up() {
    let (seen, arrival) = tokio::sync::oneshot::channel();
    let seen = std::sync::Mutex::new(Some(seen));
    let server = Server::start(move |_, _| {
        let _ = seen.lock().unwrap().take().unwrap().send(());
        Reply::Text(answer("503 No", &[], ""))
    });
    let retry = Retry {
        first_pause: Duration::from_secs(60),
        longest_pause: Duration::from_secs(60),
        ..QUICK
    };
    let cancel = async { arrival.await.unwrap() };
    let got = client(&[])
        .read(get(&server.url("/")), &retry, cancel)
        .await;
    assert!(got.unwrap_err().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_made_is_tried_again() {
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    let start = Instant::now();
    let retry = Retry {
        first_pause: Duration::from_secs(100),
        longest_pause: Duration::from_secs(1000),
        ..QUICK
    };
    let limits = Limits {
        connect: Duration::from_secs(100_000),
        ..LIMITS
    };
    let request = get(&url).limits(limits);
    let got = client(&[])
        .read(request, &retry, std::future::pending())
        .await;
    assert!(matches!(got, Err(HttpError::Connect { .. })), "{got:?}");
    // Two pauses of at least 50 and 100 seconds.
    assert!(start.elapsed().as_secs() >= 150, "{:?}", start.elapsed());
}

#[track_caller]
fn check_pause(sent: u32, asked: Option<u64>, random: u32, expected: Option<u64>) {
    let retry = Retry {
        attempts: 9,
        first_pause: Duration::from_secs(4),
        longest_pause: Duration::from_secs(20),
    };
    let pause = retry.pause(sent, asked.map(Duration::from_secs), random);
    assert_eq!(pause, expected.map(Duration::from_secs), "{sent} {asked:?}");
}

#[test]
fn pauses_double_and_half_of_each_is_chance() {
    check_pause(1, None, 0, Some(2));
    check_pause(1, None, u32::MAX, Some(4));
    check_pause(2, None, 0, Some(4));
    check_pause(3, None, u32::MAX, Some(16));
    check_pause(4, None, u32::MAX, Some(20));
    check_pause(99, None, 0, Some(10));
}

#[test]
fn a_pause_is_never_shorter_than_asked() {
    check_pause(1, Some(15), 0, Some(15));
    check_pause(1, Some(1), 0, Some(2));
    check_pause(1, Some(20), 0, Some(20));
    check_pause(1, Some(21), 0, None);
}

#[track_caller]
fn check_asked(text: &str, expected: Option<u64>) {
    let clock = fixture::environment(&[]).clock;
    let clock: &dyn Clock = &*clock;
    assert_eq!(
        parse_pause(text, clock),
        expected.map(Duration::from_secs),
        "{text}"
    );
}

#[test]
fn what_a_server_asks_for() {
    assert_eq!(NOW.as_secs(), 784_111_777);
    check_asked("0", Some(0));
    check_asked(" 120 ", Some(120));
    check_asked("99999999999999999999999", Some(u64::MAX));
    check_asked("Sun, 06 Nov 1994 08:50:37 GMT", Some(60));
    check_asked("Sunday, 06-Nov-94 08:50:37 GMT", Some(60));
    check_asked("Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
    check_asked("-1", None);
    check_asked("1.5", None);
    check_asked("soon", None);
    check_asked("", None);
}
