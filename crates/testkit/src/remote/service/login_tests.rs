use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::Login;
use crate::Sandbox;

/// What a token says, decoded by other code than that which made it.
fn claims(token: &str) -> Value {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for digit in token.split('.').nth(1).unwrap().chars() {
        bits = bits << 6 | u32::try_from(digits.find(digit).unwrap()).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

fn file(login: &Login) -> Value {
    serde_json::from_str(&login.text()).unwrap()
}

#[test]
fn an_account() {
    let login = Login::chatgpt("acc", "business").claim("chatgpt_account_is_fedramp", true);
    let said = claims(login.id_token());
    let expected = json!({
        "chatgpt_plan_type": "business", "chatgpt_user_id": "user-acc",
        "chatgpt_account_id": "acc", "chatgpt_account_is_fedramp": true,
    });
    assert_eq!(said["https://api.openai.com/auth"], expected);
    assert_eq!(claims(login.access_token())["exp"], 4_102_444_800_u64);
    assert_eq!(login.access_token().split('.').count(), 3);
    let expected = json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": login.id_token(), "access_token": login.access_token(),
            "refresh_token": "refresh-secret-acc-0", "account_id": "acc",
        },
        "last_refresh": "2026-01-01T00:00:00Z",
    });
    assert_eq!(file(&login), expected);
    assert_eq!(login.secrets().len(), 3);
    let bare = file(&login.without_account().without_mode());
    assert_eq!(
        (&bare["tokens"]["account_id"], bare.get("auth_mode")),
        (&Value::Null, None)
    );
}

#[test]
fn tokens_expire_and_are_renewed() {
    let old = Login::chatgpt("acc", "plus").expired();
    assert_eq!(claims(old.access_token())["exp"], 1_577_836_800);
    let next = old.renewed();
    assert_eq!(claims(next.access_token())["exp"], 4_102_444_800_u64);
    assert_eq!(next.refresh_token(), Some("refresh-secret-acc-1"));
    assert!(old.renewed().renewed().access_token() != next.access_token());
}

#[test]
fn other_logins() {
    let key = json!({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-secret-of-a-test"});
    assert_eq!(file(&Login::api_key()), key);
    assert_eq!(Login::api_key().secrets(), ["sk-secret-of-a-test"]);
    let other = Login::mode("agentIdentity").member("agent", json!({"id": 1}));
    assert_eq!(file(&other)["agent"], json!({"id": 1}));
    let external = Login::chatgpt("a", "plus").in_mode("chatgptAuthTokens");
    assert_eq!(file(&external)["auth_mode"], "chatgptAuthTokens");
}

#[test]
fn it_is_written_for_its_owner() {
    let sandbox = Sandbox::new();
    Login::api_key().write_to(&sandbox);
    assert_eq!(sandbox.mode("ch/auth.json"), 0o600);
    assert_eq!(sandbox.text("ch/auth.json"), Login::api_key().text());
}
