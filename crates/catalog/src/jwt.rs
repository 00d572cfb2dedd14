//! What a token says of itself. Nothing is verified: whoever accepts the token does that, and what is
//! read here decides only what is shown, when a token is not worth sending, and how files are named.

use serde::Deserialize;

/// The claims of a token that are used here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// When it stops to be accepted, in seconds since the Unix epoch.
    pub(crate) expires_at: Option<u64>,
    pub(crate) plan: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) is_fedramp: bool,
}

#[derive(Deserialize)]
struct RawClaims {
    exp: Option<serde_json::Number>,
    #[serde(rename = "https://api.openai.com/auth")]
    auth: Option<RawAuth>,
}

#[derive(Deserialize, Default)]
struct RawAuth {
    chatgpt_plan_type: Option<String>,
    chatgpt_user_id: Option<String>,
    user_id: Option<String>,
    chatgpt_account_is_fedramp: Option<bool>,
}

/// The claims of a token of the form `header.claims.signature`; `None` for any other text, and where
/// a claim that is used has the wrong type. Each of the three parts must have something in it.
pub(crate) fn claims(token: &str) -> Option<Claims> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return None;
    };
    if header.is_empty() || signature.is_empty() {
        return None;
    }
    let raw: RawClaims = serde_json::from_slice(&decode(claims)?).ok()?;
    let auth = raw.auth.unwrap_or_default();
    Some(Claims {
        expires_at: raw.exp.as_ref().and_then(seconds),
        plan: auth.chatgpt_plan_type,
        user_id: auth.chatgpt_user_id.or(auth.user_id),
        is_fedramp: auth.chatgpt_account_is_fedramp.unwrap_or_default(),
    })
}

/// Whole seconds of a time; one before the epoch is as far in the past as any other.
fn seconds(number: &serde_json::Number) -> Option<u64> {
    let whole = number.to_string();
    let whole = whole.split('.').next().unwrap_or_default();
    match whole.strip_prefix('-') {
        Some(_) => Some(0),
        None => whole.parse().ok(),
    }
}

/// The bytes of a text in base64 for addresses; padding may be there. `None` for any other text.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for at in 0..4 {
            bits = bits << 6 | group.get(at).map_or(Some(0), |&byte| digit(byte))?;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
pub(crate) mod tests {
    use pretty_assertions::assert_eq;

    use super::{Claims, claims, decode};

    /// A token with these claims and a signature that nobody can check.
    pub(crate) fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", encode(claims.as_bytes()))
    }

    fn encode(bytes: &[u8]) -> String {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let mut four = [0; 4];
            four[1..=group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes(four);
            for at in 0..=group.len() {
                let digit = (bits >> (18 - 6 * at)) & 0x3f;
                text.push(char::from(digits[digit as usize]));
            }
        }
        text
    }

    #[test]
    fn base64_for_addresses() {
        let check = |text: &str, expected: Option<&[u8]>| {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        };
        check("", Some(b""));
        check("Zg", Some(b"f"));
        check("Zm8=", Some(b"fo"));
        check("Zm9v", Some(b"foo"));
        check("Zm9vYg==", Some(b"foob"));
        check("__vw-A", Some(&[0xff, 0xfb, 0xf0, 0xf8]));
        check("Z", None);
        check("//vw", None);
        check("Zm 9", None);
        for length in 0..9 {
            let bytes = [0xa5; 9];
            check(&encode(&bytes[..length]), Some(&bytes[..length]));
        }
    }

    #[track_caller]
    fn check(json: &str, expected: Option<Claims>) {
        assert_eq!(claims(&token(json)), expected, "{json}");
    }

    #[test]
    fn claims_that_are_used() {
        check("{}", Some(Claims::default()));
        check(
            r#"{"exp": 1.5, "https://api.openai.com/auth": {"chatgpt_plan_type": "pro",
                "chatgpt_user_id": "a", "user_id": "b", "chatgpt_account_is_fedramp": true}}"#,
            Some(Claims {
                expires_at: Some(1),
                plan: Some("pro".to_owned()),
                user_id: Some("a".to_owned()),
                is_fedramp: true,
            }),
        );
        let exp = |expires_at| {
            Some(Claims {
                expires_at,
                ..Claims::default()
            })
        };
        check(r#"{"exp": -5}"#, exp(Some(0)));
        check(r#"{"exp": null}"#, exp(None));
        check(
            r#"{"https://api.openai.com/auth": {"user_id": "b"}}"#,
            Some(Claims {
                user_id: Some("b".to_owned()),
                ..Claims::default()
            }),
        );
    }

    #[test]
    fn what_is_no_token() {
        check("[1]", None);
        check("nope", None);
        check(
            r#"{"https://api.openai.com/auth": {"chatgpt_plan_type": 5}}"#,
            None,
        );
        for text in [
            "",
            "opaque",
            "e30.e30",
            "e30.e30.",
            ".e30.c2ln",
            "a.b.c.d",
            "a.%.c",
        ] {
            assert_eq!(claims(text), None, "{text}");
        }
    }
}
