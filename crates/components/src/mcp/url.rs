//! The URL rule for remote MCP servers (Agent Plugins 7.2.1): absolute, HTTP only on loopback,
//! neither user information nor a fragment.
//!
//! This is a check of form, not a parser: nothing takes a part of the URL from here.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Checks a URL; the error says which rule it breaks.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("a URL has no white space and no control characters");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("an absolute URL with `https` or `http` is expected here");
    };
    let secure = scheme.eq_ignore_ascii_case("https");
    if !secure && !scheme.eq_ignore_ascii_case("http") {
        return Err("an absolute URL with `https` or `http` is expected here");
    }
    if rest.contains('#') {
        return Err("the URL has a fragment");
    }
    // A backslash ends the host for some programs and not for others.
    let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
    if rest[end..].starts_with('\\') {
        return Err("the URL has a backslash behind its host");
    }
    let authority = &rest[..end];
    if authority.contains('@') {
        return Err("the URL has user information");
    }
    let host = host(authority).ok_or("the URL has no valid host and port")?;
    if secure || is_loopback(host) {
        return Ok(());
    }
    Err("a URL with `http` is allowed for loopback only")
}

/// Splits off the port and checks both.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(inner) = authority.strip_prefix('[') {
        let (address, rest) = inner.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        (&authority[..address.len() + 2], rest)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        authority.split_at(end)
    };
    let port_is_valid = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit())
                && (digits.is_empty() || digits.parse::<u16>().is_ok())
        }
        None => port.is_empty(),
    };
    (port_is_valid && !host.is_empty()).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let v6 = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
        || v6
            .and_then(|text| text.parse::<Ipv6Addr>().ok())
            .is_some_and(|a| a.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn section_7_2_1_urls() {
        for good in [
            "https://x.y",
            "HTTPS://x.y/a?b=c",
            "https://x:8443/",
            "https://[2001:db8::1]:1/",
            "http://localhost:80/a",
            "http://127.9.9.9",
            "http://[::1]/",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "x.y",
            "https:x",
            "//x",
            "ftp://x",
            "https://",
            "https:///a",
            "https://u@x",
            "https://u:p@x/",
            "https://x/#f",
            "https://x:99999",
            "https://x:a",
            "https://[::1",
            "https://a b",
            "http://x.y",
            "http://127.1",
            "http://localhost.x.y",
            "http://128.0.0.1",
            "http://[::2]/",
            "http://localhost\\@x.y",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
