//! What the service was asked.

use serde_json::Value;

use super::super::HttpRequest;
use super::Endpoint;
use super::endpoint::{PREFIX, pairs};

/// A request, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRequest {
    /// What was asked for; nothing when the service has no such thing.
    pub endpoint: Option<Endpoint>,
    /// Whether it came through TLS.
    pub secure: bool,
    /// The method.
    pub method: String,
    /// The path behind the base of the service, not decoded. Another path is whole.
    pub path: String,
    /// The pairs of the query in their order, decoded.
    pub query: Vec<(String, String)>,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The status of the answer, as soon as the last byte of it was sent.
    pub answered: Option<u16>,
    pub(super) parts: Vec<String>,
    target: String,
}

impl ServiceRequest {
    pub(super) fn new(request: HttpRequest, secure: bool) -> Self {
        let endpoint = Endpoint::of(&request.method, &request.path);
        let below = request.path.strip_prefix(PREFIX);
        let path = below.unwrap_or(&request.path).to_owned();
        let mark = if request.query.is_empty() { "" } else { "?" };
        let target = format!("{}{mark}{}", request.path, request.query);
        let (endpoint, parts) = match endpoint {
            Some((endpoint, parts)) => (Some(endpoint), parts),
            None => (None, Vec::new()),
        };
        Self {
            endpoint,
            secure,
            method: request.method,
            path,
            query: pairs(&request.query),
            headers: request.headers,
            body: request.body,
            answered: None,
            parts,
            target,
        }
    }

    /// The plugin that the path names.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        let named = !matches!(self.endpoint, Some(Endpoint::Upload));
        self.parts.first().filter(|_| named).map(String::as_str)
    }

    /// Path and query as they came.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// The value of a header, whose name is given in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first value of a name in the query.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Method, path and query in one line, as they came: `GET /ps/plugins/list?scope=GLOBAL`.
    #[must_use]
    pub fn line(&self) -> String {
        let below = self.target.strip_prefix(PREFIX);
        format!("{} {}", self.method, below.unwrap_or(&self.target))
    }

    /// Whether it brought anything that tells who the account is.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        let names = ["authorization", "chatgpt-account-id", "cookie"];
        names.iter().any(|name| self.header(name).is_some())
    }
}
