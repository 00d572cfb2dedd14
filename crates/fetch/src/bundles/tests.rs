use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugd_disk::Disk;
use plugd_disk::tree::AtEase;
use plugd_http::{Client, Settings};
use plugd_model::{AbsPath, error_chain};
use pretty_assertions::assert_eq;
use tempfile::TempDir;
use tokio::sync::Notify;

use super::{BundleAddress, Bundles, Downloaded};
use crate::fixture::archive::{file, tgz};
use crate::fixture::environment;
use crate::fixture::registry::{Reply, Server, answer, ok, redirect, status};
use crate::{Chunks, FetchError, Integrity, Rules, Unpacked, joined, unpack};

#[track_caller]
fn check_address(text: &str, base_is_loopback: bool, expected: Result<&str, &str>) {
    let outcome = BundleAddress::parse(text, base_is_loopback);
    let outcome = outcome
        .map(|address| address.host())
        .map_err(|error| error.to_string());
    let expected = expected.map(str::to_owned).map_err(str::to_owned);
    assert_eq!(outcome, expected, "{text}");
}

#[test]
fn addresses_that_are_taken() {
    check_address("https://files.example/a?sig=x", false, Ok("files.example"));
    check_address(
        "HTTPS://Files.Example:8443/a",
        true,
        Ok("files.example:8443"),
    );
    check_address(" https://h/a b?c=d e ", false, Ok("h"));
    check_address("https://127.0.0.1/a", false, Ok("127.0.0.1"));
    check_address("http://127.0.0.1:9/a", true, Ok("127.0.0.1:9"));
    check_address("http://localhost/a", true, Ok("localhost"));
    check_address("http://[::1]:9/a", true, Ok("[::1]:9"));
}

#[test]
fn addresses_that_are_refused() {
    let plain = |host: &str| format!("unsupported download URL scheme: plain http to `{host}`");
    check_address("http://127.0.0.1:9/a", false, Err(&plain("127.0.0.1:9")));
    check_address("http://h.example/a?sig=x", true, Err(&plain("h.example")));
    check_address("http://h.example/a", false, Err(&plain("h.example")));
    let scheme = |name: &str| format!("unsupported download URL scheme `{name}`");
    check_address("ftp://h/secret", true, Err(&scheme("ftp")));
    check_address("FILE:///etc/passwd", true, Err(&scheme("file")));
    let invalid = |reason: &str| format!("invalid download URL: {reason}");
    let neither = invalid("it begins with neither `https://` nor `http://`");
    check_address("", false, Err(&neither));
    check_address("/bundles/a.tar.gz", false, Err(&neither));
    check_address("//h/a", false, Err(&neither));
    check_address("data:application/gzip,x", false, Err(&neither));
    let escaped = invalid("it holds a character that must be escaped");
    check_address("https://h\\@evil/a", false, Err(&escaped));
    check_address("https://", false, Err(&invalid("its host is no name")));
    let login = invalid("it holds a user or password for `h`");
    check_address("https://me:secret@h/a", false, Err(&login));
    check_address("https://me@h/a", false, Err(&login));
}

#[test]
fn debug_shows_the_host_only() {
    let address = BundleAddress::parse("https://h:1/hidden?hidden", false).unwrap();
    assert_eq!(format!("{address:?}"), "BundleAddress(h:1)");
}

fn bundles() -> Bundles {
    let settings = Settings::from_environment(&environment(&[]), "plugd-test/1");
    Bundles::over(Client::new(settings, Disk::new()))
}

fn at(server: &Server, path: &str) -> BundleAddress {
    BundleAddress::parse(&server.url(path), true).unwrap()
}

struct Fetched {
    downloaded: Result<Downloaded, FetchError>,
    unpacked: Result<Unpacked, FetchError>,
    moved: Vec<(u64, Option<u64>)>,
    _dir: TempDir,
    dest: AbsPath,
}

impl Fetched {
    /// The one error of both.
    fn error(self) -> FetchError {
        joined(self.downloaded, self.unpacked).unwrap_err()
    }
}

/// Fetches as callers do: one task downloads, a thread unpacks.
async fn fetch(bundles: &Bundles, address: &BundleAddress, rules: Rules) -> Fetched {
    let dir = TempDir::new().unwrap();
    let dest = AbsPath::new(dir.path().join("dest")).unwrap();
    let (sender, chunks) = Chunks::channel();
    let section = std::thread::spawn({
        let dest = dest.clone();
        move || unpack(&Disk::new(), chunks, &dest, &rules, &AtEase)
    });
    let mut moved = Vec::new();
    let downloaded = bundles
        .download(
            address,
            sender,
            |so_far, expected| moved.push((so_far, expected)),
            std::future::pending(),
        )
        .await;
    Fetched {
        downloaded,
        unpacked: section.join().unwrap(),
        moved,
        _dir: dir,
        dest,
    }
}

/// The error with its causes, which names neither path nor query.
#[track_caller]
fn told(error: &FetchError) -> String {
    let text = error_chain(error);
    let debug = format!("{error:?}");
    for secret in ["secret", "hidden"] {
        assert!(!text.contains(secret), "{text}");
        assert!(!debug.contains(secret), "{debug}");
    }
    text
}

#[tokio::test]
async fn a_bundle_is_brought_and_counted() {
    let bytes = tgz(&[file(".codex-plugin/plugin.json", b"{}"), file("a", b"x")]);
    let length = u64::try_from(bytes.len()).unwrap();
    let server = Server::start({
        let bytes = bytes.clone();
        move |_| ok(&bytes)
    });
    let address = at(&server, "/secret/b.tar.gz?sig=hidden");
    let fetched = fetch(&bundles(), &address, Rules::bundle(None)).await;
    let downloaded = fetched.downloaded.unwrap();
    let unpacked = fetched.unpacked.unwrap();
    assert_eq!(downloaded.bytes, length);
    assert_eq!(downloaded.sha256, unpacked.sha256);
    assert_eq!(fetched.moved.last(), Some(&(length, Some(length))));
    let content = Disk::new().read(&fetched.dest.join("a"), 10).unwrap();
    assert_eq!(content, b"x");
    // What is sent names no account.
    let [request] = &server.requests()[..] else {
        panic!("one request");
    };
    let mut names: Vec<_> = request
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort();
    assert_eq!(names, ["host", "user-agent"]);
    assert!(request.starts_with("GET /secret/b.tar.gz?sig=hidden "));
}

#[tokio::test]
async fn the_digest_that_the_service_names() {
    let bytes = tgz(&[file("a", b"x")]);
    let server = Server::start(move |_| ok(&bytes));
    let address = at(&server, "/b");
    let fetched = fetch(&bundles(), &address, Rules::bundle(None)).await;
    let digest = format!("sha256:{}", fetched.downloaded.unwrap().sha256);
    let right = Integrity::from_sha256(&digest);
    assert!(right.is_some());
    let fetched = fetch(&bundles(), &address, Rules::bundle(right)).await;
    assert!(joined(fetched.downloaded, fetched.unpacked).is_ok());
    let wrong = Integrity::from_sha256(&format!("sha256:{}", "0".repeat(64)));
    let fetched = fetch(&bundles(), &address, Rules::bundle(wrong)).await;
    assert_eq!(
        fetched.error().to_string(),
        format!(
            "the archive has the sha256 digest {}… and should have 0000000000000000…",
            &digest[7..23]
        )
    );
}

#[tokio::test]
async fn redirects_stay_on_secure_ground() {
    let bytes = tgz(&[file("a", b"x")]);
    let target = Server::start(move |_| ok(&bytes));
    let place = target.url("/secret");
    let server = Server::start(move |_| redirect(&place));
    let fetched = fetch(&bundles(), &at(&server, "/b"), Rules::bundle(None)).await;
    assert!(joined(fetched.downloaded, fetched.unpacked).is_ok());
    assert_eq!(target.seen(), ["/secret -"]);

    let server = Server::start(|_| redirect("http://files.example/secret?sig=hidden"));
    let fetched = fetch(&bundles(), &at(&server, "/secret"), Rules::bundle(None)).await;
    let error = fetched.error();
    assert_eq!(
        told(&error),
        format!(
            "cannot fetch the bundle from `{}`: `files.example` may not be fetched: plain http is \
             spoken on this machine only",
            server.place()
        )
    );
    assert!(!error.is_retryable() && !error.is_offline());

    let server = Server::start(|_| redirect("ftp://h/secret?sig=hidden"));
    let fetched = fetch(&bundles(), &at(&server, "/secret"), Rules::bundle(None)).await;
    assert_eq!(
        told(&fetched.error()),
        format!(
            "cannot fetch the bundle from `{}`: `…` is not an address to fetch from: it begins \
             with neither `https://` nor `http://`",
            server.place()
        )
    );

    let server = Server::start(|_| redirect("/secret"));
    let fetched = fetch(&bundles(), &at(&server, "/secret"), Rules::bundle(None)).await;
    let text = told(&fetched.error());
    assert!(text.ends_with("too many redirects"), "{text}");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn refusals_name_host_and_status() {
    for (line, code, retryable) in [
        ("204 No Content", 204, false),
        ("206 Partial Content", 206, false),
        ("304 Not Modified", 304, false),
        ("401 Unauthorized", 401, false),
        ("403 Forbidden", 403, false),
        ("404 Not Found", 404, false),
        ("410 Gone", 410, false),
        ("500 Oops", 500, true),
    ] {
        let server = Server::start(move |_| status(line));
        let fetched = fetch(
            &bundles(),
            &at(&server, "/secret?hidden"),
            Rules::bundle(None),
        )
        .await;
        let error = fetched.error();
        let expected = format!("`{}` answered {code} for the bundle", server.place());
        assert_eq!(told(&error), expected);
        assert_eq!(error.is_retryable(), retryable, "{line}");
        assert_eq!(error.host(), Some(server.place().as_str()));
        // What may pass is asked for again before it is told.
        assert_eq!(server.requests().len() > 1, retryable, "{line}");
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let count = Mutex::new(0);
    let server = Server::start(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        match *count {
            1 => status("429 Too Many Requests"),
            2 => status("503 Busy"),
            _ => ok(tgz(&[file("a", b"x")])),
        }
    });
    let fetched = fetch(&bundles(), &at(&server, "/b"), Rules::bundle(None)).await;
    assert!(fetched.downloaded.is_ok());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_archive_over_the_limit() {
    let over = "the archive has more than 104857600 bytes";
    // By its announced length, before a byte of it.
    let large = b"HTTP/1.1 200 OK\r\nContent-Length: 104857601\r\n\r\n";
    let server = Server::start(move |_| Reply::Stall(large.to_vec()));
    let fetched = fetch(&bundles(), &at(&server, "/secret"), Rules::bundle(None)).await;
    assert_eq!(fetched.moved, []);
    assert_eq!(told(&fetched.error()), over);
    // By what comes, where nothing is announced. Nobody unpacks it, so only the download counts.
    let server = Server::start(move |_| {
        let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        Reply::Cut([head, vec![0; (100 << 20) + 1]].concat())
    });
    let (sender, mut received) = tokio::sync::mpsc::channel::<plugd_http::Bytes>(1);
    let drain = tokio::spawn(async move {
        let mut bytes = 0;
        while let Some(chunk) = received.recv().await {
            assert!(!chunk.is_empty(), "no end is said");
            bytes += chunk.len();
        }
        bytes
    });
    let (bundles, address) = (bundles(), at(&server, "/secret"));
    let error = bundles
        .download(&address, sender, |_, _| {}, std::future::pending())
        .await
        .unwrap_err();
    assert_eq!(told(&error), over);
    assert!(drain.await.unwrap() <= 100 << 20);
}

/// The head of an answer of a thousand bytes, and the first of them.
fn half() -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    [head, &tgz(&[file("a", b"x")])[..20]].concat()
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle() {
    let server = Server::start(|_| Reply::Cut(half()));
    let fetched = fetch(&bundles(), &at(&server, "/secret"), Rules::bundle(None)).await;
    assert!(matches!(fetched.unpacked, Err(FetchError::BrokenOff)));
    let error = fetched.error();
    let text = told(&error);
    let place = server.place();
    let expected = format!(
        "cannot fetch the bundle from `{place}`: the connection to `{place}` ended in the middle"
    );
    assert!(text.starts_with(&expected), "{text}");
    assert!(error.is_retryable() && !error.is_offline() && !error.is_timeout());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_goes_silent() {
    for stalled in [Vec::new(), half()] {
        let server = Server::start(move |_| Reply::Stall(stalled.clone()));
        let bundles = bundles().with_idle(Duration::from_millis(50));
        let fetched = fetch(&bundles, &at(&server, "/secret"), Rules::bundle(None)).await;
        let error = fetched.error();
        let place = server.place();
        assert_eq!(
            told(&error),
            format!("cannot fetch the bundle from `{place}`: `{place}` sent nothing for 50ms")
        );
        assert!(error.is_timeout() && error.is_retryable() && !error.is_offline());
        server.wait_for_hang_up();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_whole_ends_at_its_time() {
    let server = Server::start(move |_| Reply::Stall(half()));
    let bundles = bundles().with_total(Duration::from_millis(500));
    let fetched = fetch(&bundles, &at(&server, "/secret"), Rules::bundle(None)).await;
    let error = fetched.error();
    let place = server.place();
    assert_eq!(
        told(&error),
        format!(
            "cannot fetch the bundle from `{place}`: `{place}` was not done before the deadline"
        )
    );
    assert!(error.is_timeout());
    server.wait_for_hang_up();
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    drop(listener);
    let address = BundleAddress::parse(&format!("http://{place}/secret"), true).unwrap();
    // The time ends the pauses between the attempts, not a wait.
    let bundles = bundles().with_total(Duration::from_millis(100));
    let error = fetch(&bundles, &address, Rules::bundle(None)).await.error();
    told(&error);
    assert!(error.is_offline() && error.is_retryable() && !error.is_timeout());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_caller_that_gives_up() {
    let server = Server::start(|_| Reply::Stall(half()));
    let (sender, chunks) = Chunks::channel();
    let stop = Arc::new(Notify::new());
    let moved = |_, _| stop.notify_one();
    let error = bundles()
        .download(&at(&server, "/b"), sender, moved, stop.notified())
        .await
        .unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    drop(chunks);
    server.wait_for_hang_up();
}

#[tokio::test]
async fn what_comes_is_no_bundle() {
    let server =
        Server::start(|_| Reply::Whole(answer("200 OK", &[], b"<html>sign in first</html>")));
    let fetched = fetch(&bundles(), &at(&server, "/b"), Rules::bundle(None)).await;
    assert_eq!(
        fetched.error().to_string(),
        "the archive is damaged: it is no gzip file"
    );
}

#[tokio::test]
async fn what_has_not_changed_does_not_come() {
    let archive = tgz(&[file("a", b"x")]);
    let server = Server::start(move |asked| match asked {
        "GET /same" => Reply::Whole(answer("304 Not Modified", &[], b"")),
        _ => Reply::Whole(answer("200 OK", &["ETag: \"1\""], &archive)),
    });
    let bring = |path: &str, etag: Option<&'static str>| {
        let (address, bundles) = (at(&server, path), bundles());
        async move {
            let (sender, _chunks) = Chunks::channel();
            let never = std::future::pending();
            let brought = bundles.download_changed(&address, etag, sender, |_, _| {}, never);
            brought.await
        }
    };
    let first = bring("/a.tgz", None).await.unwrap();
    assert_eq!(first.etag.as_deref(), Some("\"1\""));
    let again = bring("/same", Some("\"1\"")).await;
    assert!(matches!(again, Err(FetchError::NotModified)), "{again:?}");
    // Who has nothing cannot have it already.
    let unasked = bring("/same", None).await;
    assert!(
        matches!(unasked, Err(FetchError::Status { status: 304, .. })),
        "{unasked:?}"
    );
    let other = bring("/a.tgz", Some("\"0\"")).await.unwrap();
    assert_eq!(other, first);
    let marks = |head: &String| head.lines().any(|line| line == "if-none-match: \"1\"");
    assert_eq!(
        server.requests().iter().filter(|head| marks(head)).count(),
        1
    );
}
