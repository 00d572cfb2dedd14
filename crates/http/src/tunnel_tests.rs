use pretty_assertions::assert_eq;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::ask;
use crate::Url;
use crate::proxy::Proxies;

/// Asks a proxy that answers with these bytes, whatever it is asked. Tells what it was sent, the
/// outcome, and what is left for the host.
async fn asked(proxy: &str, url: &str, answer: &[u8]) -> (Vec<u8>, String, Vec<u8>) {
    let url = Url::parse(url).unwrap();
    let proxies = Proxies::new(proxy, "");
    let proxy = proxies.for_url(&url).unwrap().unwrap();
    let (mut near, mut far) = duplex(64 * 1024);
    far.write_all(answer).await.unwrap();
    far.shutdown().await.unwrap();
    let outcome = match ask(&mut near, proxy, &url).await {
        Ok(()) => "connected".to_owned(),
        Err(error) => error.to_string().rsplit(": ").next().unwrap().to_owned(),
    };
    let mut rest = Vec::new();
    near.read_to_end(&mut rest).await.unwrap();
    drop(near);
    let mut sent = Vec::new();
    far.read_to_end(&mut sent).await.unwrap();
    (sent, outcome, rest)
}

async fn check_connect(answer: &str, expected: &str) {
    let (sent, outcome, _) = asked("p", "https://[::1:2]:444/", answer.as_bytes()).await;
    let request = "CONNECT [::1:2]:444 HTTP/1.1\r\nHost: [::1:2]:444\r\n\r\n";
    assert_eq!(String::from_utf8(sent).unwrap(), request);
    assert_eq!(outcome, expected, "{answer}");
}

#[tokio::test]
async fn answers_to_connect() {
    check_connect("HTTP/1.1 200\r\n\r\n", "connected").await;
    check_connect("HTTP/1.0 299 Fine\r\nA: b\r\n\r\n", "connected").await;
    check_connect("HTTP/1.1 302 Found\r\n\r\n", "it answered 302").await;
    check_connect("HTTP/1.1 200 OK\r\n", "it hung up").await;
    check_connect("SSH-2.0 200\r\n\r\n", "it hung up").await;
    check_connect("", "it hung up").await;
    check_connect(&"HTTP/1.1 200 x\r\n".repeat(2000), "it hung up").await;
}

#[tokio::test]
async fn what_follows_the_answer_belongs_to_the_host() {
    let answer = b"HTTP/1.1 200 OK\r\n\r\nhello";
    let (_, outcome, rest) = asked("p", "https://h.test/", answer).await;
    assert_eq!((outcome.as_str(), &rest[..]), ("connected", &b"hello"[..]));
    let answer = b"\x05\x00\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50hello";
    let (_, outcome, rest) = asked("socks5://p", "https://h.test/", answer).await;
    assert_eq!((outcome.as_str(), &rest[..]), ("connected", &b"hello"[..]));
}

async fn check_socks(proxy: &str, answer: &[u8], sent: &[u8], expected: &str) {
    let (got, outcome, _) = asked(proxy, "https://h.test/", answer).await;
    assert_eq!(got, sent, "{proxy}");
    assert_eq!(outcome, expected, "{proxy}");
}

#[tokio::test]
async fn answers_in_socks() {
    let hello = b"\x05\x01\x00".as_slice();
    let request = b"\x05\x01\x00\x03\x06h.test\x01\xbb".as_slice();
    let all = [hello, request].concat();
    let name = b"\x05\x00\x05\x00\x00\x03\x02ab\x00\x50";
    check_socks("socks5h://p", name, &all, "connected").await;
    let refused = b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00";
    check_socks("socks5://p", refused, &all, "it refused with SOCKS code 5").await;
    check_socks("socks5://p", b"\x05\x00\x05\x00", &all, "it hung up").await;
    check_socks(
        "socks5://p",
        b"\x05\xff",
        hello,
        "it refused with SOCKS code 255",
    )
    .await;
    check_socks(
        "socks5://p",
        b"HTTP/1.1",
        hello,
        "it refused with SOCKS code 255",
    )
    .await;
}

#[tokio::test]
async fn a_password_in_socks() {
    let hello = b"\x05\x01\x02\x01\x02me\x03s3t".as_slice();
    let request = b"\x05\x01\x00\x03\x06h.test\x01\xbb".as_slice();
    let granted = b"\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    let all = [hello, request].concat();
    check_socks("socks5://me:s3t@p", granted, &all, "connected").await;
    let wrong = "it wants a user name and password (407)";
    check_socks("socks5://me:s3t@p", b"\x05\x02\x01\x01", hello, wrong).await;
}
