use pretty_assertions::assert_eq;

use super::Url;
use crate::HttpError;

/// Checks host and port, the value of the `Host` header, and what is asked for.
#[track_caller]
fn check(text: &str, place: &str, host_header: &str, target: &str) {
    let url = Url::parse(text).unwrap();
    assert_eq!(url.place(), place, "{text}");
    assert_eq!(url.host_header(), host_header, "{text}");
    assert_eq!(url.target(), target, "{text}");
}

#[track_caller]
fn check_bad(text: &str) {
    let outcome = Url::parse(text);
    assert!(
        matches!(outcome, Err(HttpError::BadUrl { .. })),
        "{text}: {outcome:?}"
    );
}

#[test]
fn the_parts_of_an_address() {
    check("https://h", "h:443", "h", "/");
    check(
        "HTTPS://H.Example./a?b#c",
        "h.example:443",
        "h.example",
        "/a?b",
    );
    check("https://h?b/c@d", "h:443", "h", "/?b/c@d");
    check("https://h:443/", "h:443", "h", "/");
    check("https://h:8443/", "h:8443", "h:8443", "/");
    check("http://127.0.0.1:/a", "127.0.0.1:80", "127.0.0.1", "/a");
    check("https://[::1]/a", "[::1]:443", "[::1]", "/a");
    check("http://[0:0::1]:81", "[::1]:81", "[::1]:81", "/");
    check("https://a_b-c.1a/%20", "a_b-c.1a:443", "a_b-c.1a", "/%20");
}

#[test]
fn what_is_in_front_of_the_host_does_not_fake_it() {
    check(
        "https://github.com@evil.test/a",
        "evil.test:443",
        "evil.test",
        "/a",
    );
    check(
        "https://a@b@evil.test/a",
        "evil.test:443",
        "evil.test",
        "/a",
    );
    check(
        "https://evil.test#@github.com/",
        "evil.test:443",
        "evil.test",
        "/",
    );
    check_bad("https://evil.test\\@github.com/");
}

#[test]
fn what_others_might_read_in_another_way_is_refused() {
    for text in [
        "",
        "h",
        "//h/",
        "ftp://h/",
        "file:///etc/passwd",
        "https:h",
        "https:/h",
        "https://",
        "https:///a",
        "https://h /",
        "https://h/a b",
        "https://h/a\r\nX: y",
        "https://h/ü",
        "https://bücher.test/",
        "https://a..b/",
        "https://.a/",
        "https://h:0/",
        "https://h:65536/",
        "https://h:+1/",
        "https://h:x/",
        "https://a:1:2/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[h]/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0x7f000001/",
        "https://1.2.3.4.5/",
        "https://me:%zz@h/",
        "https://me:%4@h/",
    ] {
        check_bad(text);
    }
    check_bad(&format!("https://h/{}", "a".repeat(20_000)));
    check_bad(&format!("https://{}/", "a".repeat(254)));
}

#[test]
fn the_text_shows_no_secret() {
    let url = Url::parse("https://me:hidden@H:8443/a/b?token=hidden#hidden").unwrap();
    assert_eq!(url.to_string(), "https://h:8443/a/b");
    assert_eq!(format!("{url:?}"), "https://h:8443/a/b");
    assert_eq!(url.user_info().unwrap().basic(), "Basic bWU6aGlkZGVu");
}

#[test]
fn this_machine_is_known_by_its_spelling() {
    let loopback = |host: &str| {
        Url::parse(&format!("http://{host}/"))
            .unwrap()
            .is_loopback()
    };
    for host in [
        "localhost",
        "LocalHost.",
        "127.0.0.1",
        "127.9.9.9:80",
        "[::1]",
    ] {
        assert!(loopback(host), "{host}");
    }
    for host in [
        "localhost.test",
        "128.0.0.1",
        "0.0.0.0",
        "[::2]",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(!loopback(host), "{host}");
    }
}

#[track_caller]
fn check_resolved(reference: &str, expected: &str) {
    let base = Url::parse("https://me:pw@h:81/a/b/c?q").unwrap();
    let url = base.resolve(reference).unwrap();
    let text = format!("{}{}", url.place(), url.target());
    assert_eq!(text, expected, "{reference}");
    assert!(url.user_info().is_none(), "{reference}");
}

#[test]
fn references_are_read_against_their_address() {
    check_resolved("", "h:81/a/b/c?q");
    check_resolved("#f", "h:81/a/b/c?q");
    check_resolved("?x", "h:81/a/b/c?x");
    check_resolved("d", "h:81/a/b/d");
    check_resolved("./d/", "h:81/a/b/d/");
    check_resolved("../d?../e", "h:81/a/d?../e");
    check_resolved("..", "h:81/a/");
    check_resolved("../../../../d", "h:81/d");
    check_resolved("/d/./e/../f", "h:81/d/f");
    check_resolved("/d:e", "h:81/d:e");
    check_resolved("//g/d", "g:443/d");
    check_resolved("http://you:pw@g/d", "g:80/d");
    for bad in ["ftp://g/", "javascript:x", "a b", "//g\\h", "https:d"] {
        assert!(
            Url::parse("https://h/").unwrap().resolve(bad).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let same = |left: &str, right: &str| {
        Url::parse(left)
            .unwrap()
            .is_same_origin(&Url::parse(right).unwrap())
    };
    assert!(same("https://h/a", "https://me@H:443/b"));
    assert!(!same("https://h/", "https://h:444/"));
    assert!(!same("https://h/", "https://g/"));
    assert!(!same("https://h:80/", "http://h/"));
}
