//! What an answer without success means, and the sentence of it that people may see.

use std::time::Duration;

use plugd_http::Response;
use tokio::time::timeout;

use crate::error::Detail;
use crate::json::{self, Object, Source};
use crate::service::discreet::discreet;
use crate::{Call, CatalogError, Service};

/// Most bytes of a refusal that are read.
const MAX_REFUSAL: usize = 16 * 1024;

/// How long the text of a refusal is waited for: its status says enough.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest sentence of the service that is repeated, in characters.
const MAX_DETAIL: usize = 200;

impl Service {
    /// The error of an answer without success.
    pub(super) async fn refused(&self, call: Call, response: Response) -> CatalogError {
        let host = self.access.base.host().to_owned();
        let status = response.status().as_u16();
        let url = response.url().to_string();
        let body = timeout(PATIENCE, beginning(response)).await;
        let token = self.access.account.access_token.reveal();
        let detail = Detail(detail(&body.unwrap_or_default(), token));
        match status {
            401 | 403 => CatalogError::Unauthorized {
                call,
                host,
                status,
                detail,
            },
            404 => CatalogError::NotFound { call, host, detail },
            _ => CatalogError::Status {
                call,
                host,
                url,
                status,
                detail,
            },
        }
    }
}

async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < MAX_REFUSAL
        && let Ok(Some(chunk)) = response.chunk(std::future::pending()).await
    {
        body.extend_from_slice(&chunk);
    }
    body
}

/// The sentence for people in a refusal, where it is JSON and has one.
fn detail(body: &[u8], token: &str) -> Option<String> {
    let body = Object::split(json::check(body).ok()?, "", Source(None)).ok()?;
    let text = ["detail", "message", "error"]
        .into_iter()
        .find_map(|key| sentence(&body, key))?;
    let plain: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_unseen(*c))
        .collect();
    // Only now: a character that is not shown must not hide what is to be hidden.
    let plain = discreet(&plain, token);
    let plain = plain.trim();
    let mut shown: String = plain.chars().take(MAX_DETAIL).collect();
    if plain.chars().nth(MAX_DETAIL).is_some() {
        shown.push('…');
    }
    (!shown.is_empty()).then_some(shown)
}

/// A member that is a text, or an object with a message.
fn sentence(body: &Object<'_>, key: &str) -> Option<String> {
    if let Ok(text) = body.text(key) {
        return text;
    }
    let inner = body.object(key).ok()??;
    inner.text("message").ok()?
}

/// Whether a character changes how its neighbours are shown, or is not shown at all.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::detail;

    #[track_caller]
    fn check(body: &str, expected: Option<&str>) {
        let found = detail(body.as_bytes(), "tok3n");
        assert_eq!(found.as_deref(), expected, "{body}");
    }

    #[test]
    fn the_sentence_for_people() {
        check(r#"{"detail": "no such plugin"}"#, Some("no such plugin"));
        check(r#"{"message": " busy "}"#, Some("busy"));
        check(r#"{"error": "bad"}"#, Some("bad"));
        check(r#"{"error": {"message": "bad"}}"#, Some("bad"));
        check(
            r#"{"detail": {"message": "worse", "code": 1}}"#,
            Some("worse"),
        );
        check(r#"{"detail": null, "message": "busy"}"#, Some("busy"));
    }

    #[test]
    fn no_sentence() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"detail": ""}"#,
            r#"{"detail": [1]}"#,
        ] {
            check(body, None);
        }
        check(
            &format!(r#"{{"detail": "a", "b": {}}}"#, "[".repeat(200)),
            None,
        );
    }

    #[test]
    fn a_sentence_is_tame() {
        check(
            r#"{"detail": "a\nb\u0007c\u202ed tok3n Bearer tok3n"}"#,
            Some("a bcd … Bearer …"),
        );
        check(
            r#"{"detail": "to\u200bk3n e\u200byJhbGciOiJub25l https://a.b/c?\u200bsig=d"}"#,
            Some("… … https://a.b/c?…"),
        );
        let long = format!(r#"{{"detail": "{}"}}"#, "ä".repeat(300));
        check(&long, Some(&format!("{}…", "ä".repeat(200))));
    }
}
