use pretty_assertions::assert_eq;

use super::Proxies;
use crate::{Url, fixture};

fn chosen(proxies: &Proxies, url: &str) -> String {
    match proxies.for_url(&Url::parse(url).unwrap()) {
        Ok(Some(proxy)) => proxy.url.place(),
        Ok(None) => "direct".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check_environment(vars: &[(&str, &str)], expected: &str) {
    let proxies = Proxies::from_environment(&fixture::environment(vars));
    assert_eq!(chosen(&proxies, "https://h.test/"), expected, "{vars:?}");
}

#[test]
fn the_environment_names_the_proxy() {
    check_environment(&[], "direct");
    check_environment(&[("HTTPS_PROXY", "http://p:1")], "p:1");
    check_environment(&[("HTTPS_PROXY", "p:1"), ("https_proxy", "q:1")], "q:1");
    check_environment(&[("ALL_PROXY", "p:1"), ("HTTPS_PROXY", "q:1")], "q:1");
    check_environment(&[("all_proxy", "p:1")], "p:1");
    check_environment(&[("HTTP_PROXY", "p:1"), ("http_proxy", "p:1")], "direct");
    check_environment(
        &[("HTTPS_PROXY", "p:1"), ("NO_PROXY", "x,h.test")],
        "direct",
    );
    check_environment(
        &[
            ("HTTPS_PROXY", "p:1"),
            ("NO_PROXY", "h.test"),
            ("no_proxy", "x"),
        ],
        "p:1",
    );
}

#[track_caller]
fn check_proxy(text: &str, expected: &str) {
    assert_eq!(chosen(&Proxies::new(text, ""), "https://h.test/"), expected);
}

#[test]
fn a_proxy_listens_where_its_kind_does() {
    check_proxy("p", "p:80");
    check_proxy("https://p", "p:443");
    check_proxy("socks5://p", "p:1080");
    check_proxy("socks5h://me:pw@[::1]", "[::1]:1080");
    check_proxy("SOCKS5://p:9/", "p:9");
}

#[test]
fn a_proxy_that_cannot_be_used_is_not_passed_by() {
    check_proxy(
        "socks4://me:pw@p",
        "the proxy `socks4://…` gives no connection to `h.test:443`: its address cannot be used: \
         its scheme is none of http, https, socks5",
    );
    check_proxy(
        "http://me:pw@p:x",
        "the proxy `http://p:x` gives no connection to `h.test:443`: its address cannot be used: \
         its port is no number from 1 to 65535",
    );
}

#[test]
fn a_password_with_a_slash_is_not_taken_for_a_host() {
    for proxy in [
        "me:hidden/x@p:1",
        "http://me:hid?den@p:1",
        "http://me:12/hidden@p:1",
    ] {
        check_proxy(
            proxy,
            "the proxy `http://…@p:1` gives no connection to `h.test:443`: its address cannot be \
             used: a `/`, `?` or `#` in its user or password is written as %2F, %3F or %23",
        );
    }
}

#[test]
fn debug_shows_no_password() {
    let text = format!("{:?}", Proxies::new("http://me:hidden@p", "a.test"));
    assert!(
        !text.contains("hidden") && text.contains("http://p/"),
        "{text}"
    );
}

#[track_caller]
fn check_direct(no_proxy: &str, host: &str, expected: bool) {
    let proxies = Proxies::new("p:1", no_proxy);
    let direct = chosen(&proxies, &format!("https://{host}/")) == "direct";
    assert_eq!(direct, expected, "{no_proxy:?} {host}");
}

#[test]
fn some_hosts_are_reached_directly() {
    check_direct("", "h.test", false);
    check_direct("*", "h.test", true);
    check_direct("h.test", "H.test", true);
    check_direct("H.TEST", "h.test", true);
    check_direct("h.test", "a.h.test", true);
    check_direct("h.test", "ah.test", false);
    check_direct(".h.test", "a.h.test", true);
    check_direct("*.h.test", "a.h.test", true);
    check_direct("x, h.test", "h.test", true);
    check_direct("x h.test", "h.test", true);
    check_direct("h.test:443", "h.test", true);
    check_direct("h.test:8443", "h.test", false);
    check_direct("h.test:8443", "h.test:8443", true);
    check_direct("h.test:x", "h.test", false);
    check_direct("10.0.0.0/8", "10.1.2.3", true);
    check_direct("10.0.0.0/8", "11.1.2.3", false);
    check_direct("10.0.0.0/33", "10.0.0.0", false);
    check_direct("0.0.0.0/0", "11.1.2.3", true);
    check_direct("10.1.2.3", "10.1.2.3", true);
    check_direct("10.1.2.3:444", "10.1.2.3", false);
    check_direct("[2001:db8::1]", "[2001:db8::1]", true);
    check_direct("2001:db8::/32", "[2001:db8::1]", true);
    check_direct("2001:db8::/32", "10.1.2.3", false);
    check_direct(".", "h.test", false);
}

#[test]
fn this_machine_is_always_reached_directly() {
    check_direct("", "localhost", true);
    check_direct("", "127.0.0.1:9", true);
    check_direct("", "[::1]", true);
}
