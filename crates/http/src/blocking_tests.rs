use std::io::{self, Read as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use pretty_assertions::assert_eq;

use super::{Blocking, Stop};
use crate::fixture::{LIMITS, Reply, Server, answer, client, get, ok};
use crate::{Body, HttpError, Limits, Request, Retry};

fn blocking() -> Blocking {
    Blocking::new(&client(&[])).unwrap()
}

fn post(server: &Server) -> Request {
    Request::post(&server.url("/p"), Body::empty()).unwrap()
}

/// The error of ours inside an error of reading or writing.
fn inner(error: &io::Error) -> &HttpError {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn a_body_is_read_in_pieces() {
    let server = Server::always(ok("hello"));
    let mut answer = blocking()
        .send(get(&server.url("/")))
        .unwrap()
        .success()
        .unwrap();
    let mut two = [0; 2];
    answer.read_exact(&mut two).unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert_eq!((&two, rest.as_str()), (b"he", "llo"));
    assert_eq!(answer.read(&mut two).unwrap(), 0);
}

#[test]
fn connections_are_used_again_between_calls() {
    let server = Server::always(ok("hello"));
    let blocking = blocking();
    for _ in 0..3 {
        let answer = blocking
            .clone()
            .read(get(&server.url("/")), &Retry::READS)
            .unwrap();
        assert_eq!(answer.read_all(9).unwrap(), b"hello");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_large_body_is_written_and_answered() {
    let server = Server::always(ok("thanks"));
    let mut exchange = blocking().exchange(post(&server)).unwrap();
    for _ in 0..20_000 {
        exchange.write_all(b"0123456789").unwrap();
    }
    let mut text = String::new();
    exchange
        .finish()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "thanks");
    let sent = server.requests().remove(0);
    assert!(
        sent.contains("transfer-encoding: chunked\r\n"),
        "{sent:.300}"
    );
    let (_, body) = sent.split_once("\r\n\r\n").unwrap();
    assert_eq!(unchunked(body), "0123456789".repeat(20_000));
}

/// The bytes of a body in chunks.
fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return text;
        }
        text.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
}

#[test]
fn nothing_needs_to_be_written() {
    let server = Server::always(ok("thanks"));
    let answer = blocking()
        .exchange(post(&server))
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(server.requests()[0].ends_with("\r\n\r\n0\r\n\r\n"));
}

#[test]
fn a_body_that_is_dropped_half_way_is_never_a_request() {
    let server = Server::always(ok("thanks"));
    let blocking = blocking();
    let mut exchange = blocking.exchange(post(&server)).unwrap();
    exchange.write_all(b"half").unwrap();
    exchange.flush().unwrap();
    drop(exchange);
    blocking.send(get(&server.url("/"))).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("GET / "), "{requests:?}");
}

#[test]
fn an_early_answer_is_told_when_all_is_written() {
    // The head says that there is no body, so this server answers without reading one.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let text = answer("401 No", &["Connection: close"], "who?");
        socket.write_all(text.as_bytes()).unwrap();
        // Reads on until the client has seen the answer and goes.
        let _ = io::copy(&mut socket, &mut io::sink());
    });
    let request = Request::post(&url, Body::empty()).unwrap();
    let mut exchange = blocking().exchange(request).unwrap();
    exchange.write_all(&vec![b'x'; 300_000]).unwrap();
    let answer = exchange.finish().unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    let error = answer.success().unwrap_err();
    assert!(matches!(error, HttpError::Status { status: 401, .. }));
    server.join().unwrap();
}

#[test]
fn errors_come_out_of_reading() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let server = Server::always(Reply::Stall(half.to_owned()));
    let limits = Limits {
        idle: Duration::from_millis(500),
        ..LIMITS
    };
    let request = get(&server.url("/")).limits(limits);
    let mut answer = blocking().send(request).unwrap();
    let error = answer.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(
        matches!(inner(&error), HttpError::Timeout { .. }),
        "{error:?}"
    );
}

#[test]
fn everything_can_be_given_up_from_another_thread() {
    let blocking = blocking();
    let stop: Mutex<Option<Stop>> = Mutex::new(Some(blocking.stop()));
    let server = Server::start(move |_, _| {
        stop.lock().unwrap().take().unwrap().stop();
        Reply::Stall(String::new())
    });
    let error = blocking.send(get(&server.url("/"))).unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
    let error = blocking
        .exchange(post(&server))
        .unwrap()
        .finish()
        .unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
}
