use hyper::header::{HeaderValue, LOCATION};
use hyper::{HeaderMap, Method, StatusCode};
use pretty_assertions::assert_eq;

use super::{Asked, next};
use crate::{Redirects, Url};

const ALL: [Redirects; 3] = [Redirects::None, Redirects::SameHost, Redirects::AnyHttps];

/// Where the answer leads: `-` nowhere, else method, address and whether the body goes along, or the
/// error.
fn outcome(method: &Method, from: &str, policy: Redirects, status: u16, location: &str) -> String {
    let asked = Asked {
        policy,
        url: &Url::parse(from).unwrap(),
        method,
        has_body: *method == Method::POST,
    };
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
    match next(asked, StatusCode::from_u16(status).unwrap(), &headers) {
        Ok(None) => "-".to_owned(),
        Ok(Some(next)) => {
            let body = if next.keeps_body { " with body" } else { "" };
            format!("{} {}{body}", next.method, next.url)
        }
        Err(error) => error.to_string().split(": ").last().unwrap().to_owned(),
    }
}

/// Checks the three policies in their order.
#[track_caller]
fn check_policies(from: &str, location: &str, expected: [&str; 3]) {
    let got = ALL.map(|policy| outcome(&Method::GET, from, policy, 302, location));
    assert_eq!(got, expected, "{from} {location}");
}

#[test]
fn where_a_redirect_may_lead() {
    let other = "a redirect leads to another host";
    let plain = "plain http is spoken on this machine only";
    let base = "https://h/a";
    check_policies(base, "/b", ["-", "GET https://h/b", "GET https://h/b"]);
    check_policies(base, "//g/b", ["-", other, "GET https://g/b"]);
    check_policies(base, "https://h:444/", ["-", other, "GET https://h:444/"]);
    check_policies(base, "http://h/b", ["-", plain, plain]);
    check_policies(base, "http://localhost/b", ["-", plain, plain]);
    let base = "http://127.0.0.1:81/a";
    let to = "http://127.0.0.1:82/";
    check_policies(base, to, ["-", other, "GET http://127.0.0.1:82/"]);
    check_policies(base, "https://h/", ["-", other, "GET https://h/"]);
    check_policies(base, "http://h/", ["-", plain, plain]);
    let odd = "it begins with neither `https://` nor `http://`";
    check_policies(base, "ftp://h/", ["-", odd, odd]);
}

#[test]
fn of_a_refused_address_only_the_place_is_told() {
    let told = |method: Method, from: &str, location: &str| {
        let asked = Asked {
            policy: Redirects::SameHost,
            url: &Url::parse(from).unwrap(),
            method: &method,
            has_body: method == Method::POST,
        };
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
        let refused = next(asked, StatusCode::TEMPORARY_REDIRECT, &headers).err();
        format!("{0} {0:?}", refused.unwrap())
    };
    for (method, location) in [
        (Method::GET, "https://g/secret?t=secret"),
        (Method::GET, "http://h/secret"),
        (Method::GET, "https://secret:secret@g/"),
        (Method::GET, "ftp://g/secret"),
        (Method::GET, "https://g:x/secret"),
        (Method::POST, "https://g/secret"),
    ] {
        let text = told(method, "https://h/a", location);
        assert!(!text.contains("secret"), "{text}");
    }
    let text = told(Method::GET, "https://h/a", "https://g/secret");
    assert!(text.contains("https://g/…"), "{text}");
}

#[track_caller]
fn check_method(method: &Method, status: u16, location: &str, expected: &str) {
    let got = outcome(method, "https://h/a", Redirects::AnyHttps, status, location);
    assert_eq!(got, expected, "{method} {status} {location}");
}

#[test]
fn what_is_sent_again() {
    let refused = "a redirect would repeat or drop what the request sends";
    for status in [301, 302, 303, 307, 308] {
        check_method(&Method::GET, status, "/b", "GET https://h/b");
        check_method(&Method::HEAD, status, "//g/b", "HEAD https://g/b");
    }
    for status in [200, 201, 300, 304, 305, 306, 404] {
        check_method(&Method::GET, status, "/b", "-");
    }
    check_method(&Method::POST, 301, "/b", refused);
    check_method(&Method::POST, 302, "/b", refused);
    check_method(&Method::POST, 303, "/b", "GET https://h/b");
    check_method(&Method::POST, 303, "//g/b", "GET https://g/b");
    check_method(&Method::POST, 307, "/b", "POST https://h/b with body");
    check_method(&Method::POST, 308, "//g/b", refused);
    check_method(&Method::DELETE, 307, "//g/b", refused);
    check_method(&Method::DELETE, 307, "/b", "DELETE https://h/b");
}

#[test]
fn a_redirect_without_a_place_is_an_answer() {
    let asked = Asked {
        policy: Redirects::AnyHttps,
        url: &Url::parse("https://h/").unwrap(),
        method: &Method::GET,
        has_body: false,
    };
    let found = next(asked, StatusCode::FOUND, &HeaderMap::new()).unwrap();
    assert_eq!(found, None);
}
