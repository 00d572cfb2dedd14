//! Logins as the login program leaves them behind in `auth.json`. No token is signed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::super::base64;
use super::item::put;
use crate::{Sandbox, must, on_disk};

/// When tokens expire that do not: the first second of 2100.
const FAR: u64 = 4_102_444_800;

/// When tokens expired that have: the first second of 2020.
const PAST: u64 = 1_577_836_800;

/// A login: an account, or an API key, or whatever `auth.json` may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    members: Map<String, Value>,
    claims: Value,
    account: Option<String>,
    expires: u64,
    serial: u32,
    has_tokens: bool,
    id_token: String,
    access_token: String,
    refresh_token: Option<String>,
}

impl Login {
    /// A login with an account: its id, and a plan such as `plus` or `business`. The tokens are
    /// valid.
    #[must_use]
    pub fn chatgpt(account_id: &str, plan: &str) -> Self {
        let mut login = Self::mode("chatgpt");
        login.has_tokens = true;
        login.account = Some(account_id.to_owned());
        login.refresh_token = Some(format!("refresh-secret-{account_id}-0"));
        login.claims = json!({
            "chatgpt_plan_type": plan,
            "chatgpt_user_id": format!("user-{account_id}"),
            "chatgpt_account_id": account_id,
        });
        login.remade()
    }

    /// A login with an API key.
    #[must_use]
    pub fn api_key() -> Self {
        Self::mode("apikey").member("OPENAI_API_KEY", "sk-secret-of-a-test")
    }

    /// A login of another kind, with nothing in it but the word for it.
    #[must_use]
    pub fn mode(name: &str) -> Self {
        let members = Map::from_iter([
            ("auth_mode".to_owned(), json!(name)),
            ("OPENAI_API_KEY".to_owned(), Value::Null),
        ]);
        Self {
            members,
            claims: json!({}),
            account: None,
            expires: FAR,
            serial: 0,
            has_tokens: false,
            id_token: String::new(),
            access_token: String::new(),
            refresh_token: None,
        }
    }

    /// The same with another word for its kind, for example `chatgptAuthTokens`.
    #[must_use]
    pub fn in_mode(self, name: &str) -> Self {
        self.member("auth_mode", name)
    }

    /// The same without a word for its kind.
    #[must_use]
    pub fn without_mode(mut self) -> Self {
        self.members.remove("auth_mode");
        self
    }

    /// The same with one member of the file set.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same with one claim about the account, for example `chatgpt_account_is_fedramp`.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        put(&mut self.claims, name, value.into());
        self.remade()
    }

    /// The same without an account id in the file; the claim stays.
    #[must_use]
    pub fn without_account(mut self) -> Self {
        self.account = None;
        self
    }

    /// The same without a token to renew it with.
    #[must_use]
    pub fn without_refresh_token(mut self) -> Self {
        self.refresh_token = None;
        self
    }

    /// The same with tokens that expired long ago.
    #[must_use]
    pub fn expired(self) -> Self {
        self.expires_at(PAST)
    }

    /// The same with tokens that expire in this second since 1970.
    #[must_use]
    pub fn expires_at(mut self, second: u64) -> Self {
        self.expires = second;
        self.remade()
    }

    /// The login that follows when this one is renewed: other tokens, which are valid.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let mut login = self.clone();
        login.serial += 1;
        login.expires = FAR;
        login.refresh_token = self.refresh_token.as_ref().map(|token| {
            let stem = token
                .rsplit_once('-')
                .map_or(token.as_str(), |(stem, _)| stem);
            format!("{stem}-{}", login.serial)
        });
        login.remade()
    }

    /// What a client shows to the service; empty when there is none.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// What tells who the account is; empty when there is none.
    #[must_use]
    pub fn id_token(&self) -> &str {
        &self.id_token
    }

    /// What the login is renewed with.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }

    /// The account that the file names.
    #[must_use]
    pub fn account_id(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Every text of it that nobody may see in a log, an error or an answer.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = vec![self.access_token.clone(), self.id_token.clone()];
        secrets.extend(self.refresh_token.clone());
        let key = self.members.get("OPENAI_API_KEY").and_then(Value::as_str);
        secrets.extend(key.map(str::to_owned));
        secrets.retain(|secret| !secret.is_empty());
        secrets
    }

    /// Whether its tokens are of no use any more.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.is_ok_and(|now| now.as_secs() >= self.expires)
    }

    /// The content of `auth.json`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut members = self.members.clone();
        if self.has_tokens {
            let mut tokens = self.tokens();
            put(&mut tokens, "account_id", json!(self.account));
            members.insert("tokens".to_owned(), tokens);
            let refreshed = members.entry("last_refresh");
            refreshed.or_insert_with(|| json!("2026-01-01T00:00:00Z"));
        }
        format!("{:#}\n", Value::Object(members))
    }

    /// Writes `auth.json` into the sandbox, for its owner's eyes only.
    ///
    /// # Panics
    /// The system refuses.
    #[track_caller]
    pub fn write_to(&self, sandbox: &Sandbox) {
        sandbox.write("ch/auth.json", self.text());
        let path = sandbox.codex_home().join("auth.json");
        must(on_disk::set_mode(path.as_path(), 0o600).map_err(anyhow::Error::from));
    }

    /// The tokens as the login service hands them out.
    pub(super) fn tokens(&self) -> Value {
        json!({
            "id_token": self.id_token,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token.as_deref().unwrap_or_default(),
        })
    }

    fn remade(mut self) -> Self {
        let about = json!({
            "https://api.openai.com/auth": self.claims,
            "email": "person@example.com",
            "exp": self.expires,
            "jti": format!("id-{}", self.serial),
        });
        self.id_token = jwt(&about);
        self.access_token = jwt(&json!({
            "https://api.openai.com/auth": self.claims,
            "exp": self.expires,
            "jti": format!("access-{}", self.serial),
        }));
        self
    }
}

/// A token that says this and is signed by nobody.
fn jwt(claims: &Value) -> String {
    let part = |text: String| {
        let text = base64::encode(text.as_bytes());
        text.trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_")
    };
    let head = part(json!({"alg": "none", "typ": "JWT"}).to_string());
    let signature = part("unsigned".to_owned());
    format!("{head}.{}.{signature}", part(claims.to_string()))
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
