//! What a registry answers to who is not logged in: `WWW-Authenticate`.
//!
//! Only what a registry means by it is read: a token from elsewhere, or user and password. Nothing
//! here knows a secret.

use plugd_http::HeaderMap;
use plugd_http::header::WWW_AUTHENTICATE;

/// Longest value that is read.
const MAX_BYTES: usize = 8 * 1024;

/// How a registry wants to know who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// By a token, which is handed out at this address.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
    /// By user and password.
    Basic,
}

impl Challenge {
    /// Reads the headers of an answer. A token comes before a password: it is worth less to a thief.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let challenges: Vec<_> = texts
            .filter(|text| text.len() <= MAX_BYTES)
            .flat_map(parse)
            .collect();
        let is_bearer = |one: &&Self| matches!(one, Self::Bearer { .. });
        let best = challenges.iter().find(is_bearer);
        best.or(challenges.first()).cloned()
    }
}

/// The challenges of one header that are understood.
fn parse(text: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for piece in pieces(text) {
        // `Scheme name="value"` begins a challenge, `name="value"` goes on with one.
        let name_end = piece.find(['=', '"']).unwrap_or(piece.len());
        let rest = match piece[..name_end].trim_end().split_once(' ') {
            Some((scheme, _)) => {
                found.push((scheme.to_ascii_lowercase(), Vec::new()));
                piece[scheme.len()..].trim_start()
            }
            None if piece.contains('=') => piece,
            None => {
                found.push((piece.to_ascii_lowercase(), Vec::new()));
                continue;
            }
        };
        if let (Some((_, members)), Some((name, value))) = (found.last_mut(), rest.split_once('='))
        {
            members.push((name.trim().to_ascii_lowercase(), unquoted(value.trim())));
        }
    }
    found.into_iter().filter_map(understood).collect()
}

fn understood((scheme, members): (String, Vec<(String, String)>)) -> Option<Challenge> {
    let member = |wanted: &str| {
        let mut found = members.iter().filter(|(name, _)| name == wanted);
        found.next().map(|(_, value)| value.clone())
    };
    match scheme.as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: member("realm")?,
            service: member("service"),
            scope: member("scope"),
        }),
        _ => None,
    }
}

/// What stands between the commas that are in no quotes.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                pieces.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[start..].trim());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(c);
            escaped = false;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use plugd_http::HeaderMap;
    use plugd_http::header::WWW_AUTHENTICATE;
    use pretty_assertions::assert_eq;

    use super::Challenge;

    #[track_caller]
    fn check(values: &[&str], expected: Option<Challenge>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        assert_eq!(Challenge::of(&headers), expected, "{values:?}");
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        })
    }

    #[test]
    fn tokens() {
        check(
            &[r#"Bearer realm="https://a/token",service="r",scope="repository:x/y:pull,push""#],
            bearer(
                "https://a/token",
                Some("r"),
                Some("repository:x/y:pull,push"),
            ),
        );
        check(
            &[r#"bearer  Realm=https://a/t"#],
            bearer("https://a/t", None, None),
        );
        check(
            &[r#"Bearer realm="a\"b", x="1""#],
            bearer("a\"b", None, None),
        );
    }

    #[test]
    fn passwords() {
        check(&[r#"Basic realm="Registry, here""#], Some(Challenge::Basic));
        check(&["Basic"], Some(Challenge::Basic));
    }

    #[test]
    fn a_token_comes_before_a_password() {
        let expected = || bearer("https://a/t", None, None);
        check(
            &["Basic realm=\"x\"", "Bearer realm=\"https://a/t\""],
            expected(),
        );
        check(
            &["Basic realm=\"x\", Bearer realm=\"https://a/t\""],
            expected(),
        );
        check(
            &["Digest realm=\"x\"", "Basic realm=\"x\""],
            Some(Challenge::Basic),
        );
    }

    #[test]
    fn what_is_not_understood() {
        check(&[], None);
        check(&[""], None);
        check(&["Negotiate"], None);
        check(&["Bearer service=\"r\""], None);
        check(&["=\"\",=,\"\\"], None);
        check(&[&format!("Basic realm=\"{}\"", "x".repeat(9000))], None);
    }
}
