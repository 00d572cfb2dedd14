//! Trust and proxies, against servers on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plugd_disk::{Disk, Operation, Probe};
use plugd_model::error_chain;
use pretty_assertions::assert_eq;
use tokio::net::TcpListener;

use crate::fixture;
use crate::fixture::{Authority, LIMITS, Reply, Server, client, fetch, get, ok, redirect};
use crate::{Client, HttpError, Limits, Redirects, Refusal, Settings, Wait};

fn trusting(authority: &Authority, vars: &[(&str, &str)]) -> Client {
    let file = authority.file.to_text();
    let mut vars = vars.to_vec();
    vars.push(("SSL_CERT_FILE", &file));
    client(&vars)
}

fn url(server: &Server, host: &str) -> String {
    format!("https://{host}:{}/", server.address.port())
}

#[track_caller]
fn check_untrusted(outcome: &Result<(u16, String), HttpError>, reason: &str) {
    let Err(error @ HttpError::Tls { .. }) = outcome else {
        panic!("{outcome:?}");
    };
    let text = error_chain(error);
    assert!(text.starts_with("no trusted connection to `"), "{text}");
    assert!(text.contains(reason), "{text}");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_trusted() {
    let authority = Authority::for_names(&["localhost"]);
    let server = Server::secure(&authority, |_, _| ok("hello"));
    let got = fetch(&client(&[]), get(&url(&server, "localhost"))).await;
    check_untrusted(&got, "UnknownIssuer");
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn an_extra_certificate_is_trusted_for_its_names_only() {
    let authority = Authority::for_names(&["localhost"]);
    let server = Server::secure(&authority, |_, _| ok("hello"));
    let client = trusting(&authority, &[]);
    let got = fetch(&client, get(&url(&server, "localhost"))).await;
    assert_eq!(got.unwrap(), (200, "hello".to_owned()));
    let got = fetch(&client, get(&url(&server, "127.0.0.1"))).await;
    check_untrusted(&got, "not valid for name");
    assert!(client.problems().is_empty(), "{:?}", client.problems());
}

#[tokio::test]
async fn a_directory_of_certificates_is_read() {
    let authority = Authority::for_names(&["127.0.0.1"]);
    let server = Server::secure(&authority, |_, _| ok("hello"));
    let directory = authority.file.parent().unwrap().to_text();
    let client = client(&[("SSL_CERT_DIR", &directory)]);
    let got = fetch(&client, get(&url(&server, "127.0.0.1"))).await;
    assert_eq!(got.unwrap(), (200, "hello".to_owned()));
}

#[tokio::test]
async fn a_file_without_certificates_is_a_problem_and_spoils_nothing() {
    let authority = Authority::for_names(&["127.0.0.1"]);
    let server = Server::secure(&authority, |_, _| ok("hello"));
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let client = trusting(&authority, &[("CODEX_CA_CERTIFICATE", manifest)]);
    let got = fetch(&client, get(&url(&server, "127.0.0.1"))).await;
    assert_eq!(got.unwrap(), (200, "hello".to_owned()));
    let problems: Vec<_> = client
        .problems()
        .iter()
        .map(|problem| {
            (
                problem.message.as_str(),
                problem.path.as_ref().unwrap().to_text(),
            )
        })
        .collect();
    let expected = (
        "holds no certificate that can be trusted",
        manifest.to_owned(),
    );
    assert_eq!(problems, [expected]);
}

#[tokio::test]
async fn a_server_without_tls() {
    let server = Server::always(ok("hello"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async {
        let (socket, _) = listener.accept().await.unwrap();
        socket.writable().await.unwrap();
        socket.try_write(b"HTTP/1.1 400 No\r\n\r\n").unwrap();
        socket
    };
    let address = format!("https://127.0.0.1:{port}/");
    let client = client(&[]);
    let (got, _socket) = tokio::join!(fetch(&client, get(&address)), serve);
    check_untrusted(&got, "");
    drop(server);
}

#[tokio::test]
async fn a_handshake_that_never_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let limits = Limits {
        connect: Duration::from_millis(50),
        ..LIMITS
    };
    let request = get(&format!("https://127.0.0.1:{port}/")).limits(limits);
    let error = fetch(&client(&[]), request).await.unwrap_err();
    let HttpError::Timeout { wait, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(wait, Wait::Connect(limits.connect));
}

#[tokio::test]
async fn https_never_becomes_http() {
    let plain = Server::always(ok("plain"));
    let to = plain.url("/");
    let authority = Authority::for_names(&["127.0.0.1"]);
    let server = Server::secure(&authority, move |_, _| redirect("302 Found", &to));
    let request = get(&url(&server, "127.0.0.1")).redirects(Redirects::AnyHttps);
    let error = fetch(&trusting(&authority, &[]), request)
        .await
        .unwrap_err();
    let HttpError::NotAllowed { reason, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!((reason, plain.connections()), (Refusal::PlainHttp, 0));
}

#[tokio::test]
async fn a_proxy_sees_a_name_and_no_header() {
    let authority = Authority::for_names(&["plugins.test"]);
    let server = Server::secure(&authority, |_, _| ok("hello"));
    let target = server.address;
    let granted = "HTTP/1.1 200 Connected\r\nVia: proxy\r\n\r\n";
    let proxy = Server::start(move |_, _| Reply::Tunnel(granted.to_owned(), target));
    let address = format!("http://me:s%40t@{}", proxy.address);
    let client = trusting(&authority, &[("https_proxy", &address)]);
    let request = || get("https://plugins.test/a").bearer("token").unwrap();
    for _ in 0..2 {
        let got = fetch(&client, request()).await;
        assert_eq!(got.unwrap(), (200, "hello".to_owned()));
    }
    assert_eq!(
        proxy.requests(),
        [
            "CONNECT plugins.test:443 HTTP/1.1\r\nHost: plugins.test:443\r\n\
          Proxy-Authorization: Basic bWU6c0B0\r\n\r\n"
        ]
    );
    let seen = server.requests().remove(0);
    assert!(
        seen.contains("host: plugins.test\r\n") && !seen.contains("roxy"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_proxy_may_speak_tls_itself() {
    let authority = Authority::for_names(&["plugins.test", "127.0.0.1"]);
    let server = Server::secure(&authority, |_, _| ok("hello"));
    let target = server.address;
    let granted = "HTTP/1.1 200 Connected\r\n\r\n";
    let proxy = Server::secure(&authority, move |_, _| {
        Reply::Tunnel(granted.to_owned(), target)
    });
    let address = format!("https://{}", proxy.address);
    let client = trusting(&authority, &[("ALL_PROXY", &address)]);
    let got = fetch(&client, get("https://plugins.test/a")).await;
    assert_eq!(got.unwrap(), (200, "hello".to_owned()));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named() {
    for (status, reason) in [
        ("407 Auth", "it wants a user name and password (407)"),
        ("502 No", "it answered 502"),
        ("banana", "it hung up"),
    ] {
        let text = format!("HTTP/1.1 {status}\r\n\r\n");
        let proxy = Server::always(Reply::Last(text));
        let address = format!("me:secret@{}", proxy.address);
        let client = client(&[("HTTPS_PROXY", &address)]);
        let error = fetch(&client, get("https://plugins.test/"))
            .await
            .unwrap_err();
        assert_eq!(
            error_chain(&error),
            format!(
                "the proxy `{}` gives no connection to `plugins.test:443`: {reason}",
                proxy.address
            )
        );
    }
}

#[tokio::test]
async fn a_host_without_proxy_is_reached_directly() {
    let authority = Authority::for_names(&["127.0.0.1"]);
    let server = Server::secure(&authority, |_, _| ok("direct"));
    let proxy = Server::always(Reply::Last("HTTP/1.1 502 No\r\n\r\n".to_owned()));
    let address = proxy.address.to_string();
    let vars = [("HTTPS_PROXY", address.as_str()), ("NO_PROXY", "*")];
    let direct = trusting(&authority, &vars);
    let got = fetch(&direct, get(&url(&server, "127.0.0.1"))).await;
    assert_eq!(got.unwrap(), (200, "direct".to_owned()));
    // The name is in no DNS: that it is asked for shows that the proxy is not.
    let error = fetch(&direct, get("https://plugins.invalid/"))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::Dns { .. }), "{error:?}");
    assert_eq!(proxy.connections(), 0);
}

/// Counts file operations.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Probe for Counter {
    fn before(&self, _: &Operation<'_>) -> std::io::Result<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn certificates_are_read_once_and_only_when_they_are_needed() {
    let authority = Authority::for_names(&["127.0.0.1"]);
    let (plain, secure) = (
        Server::always(ok("plain")),
        Server::secure(&authority, |_, _| ok("secure")),
    );
    let counter = Arc::new(Counter::default());
    let file = authority.file.to_text();
    let environment = fixture::environment(&[("SSL_CERT_FILE", &file)]);
    let settings = Settings::from_environment(&environment, "plugd-test/1");
    let client = Client::new(settings, Disk::probed(counter.clone()));
    let mut seen = Vec::new();
    for url in [
        plain.url("/"),
        url(&secure, "127.0.0.1"),
        url(&secure, "127.0.0.1"),
    ] {
        fetch(&client.clone(), get(&url)).await.unwrap();
        seen.push(counter.0.load(Ordering::SeqCst));
    }
    assert_eq!(seen[0], 0);
    assert!(seen[1] >= 2, "{seen:?}");
    assert_eq!(seen[2], seen[1]);
}
