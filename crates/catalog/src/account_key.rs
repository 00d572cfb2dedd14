//! The names of files that belong to one account at one service.
//!
//! The reference names its cache files by a hash of service and account, and so do we, so that both
//! use the same file. The hash is no secret and no proof: what stands in a file is judged by itself.

use plugd_model::{RemoteScope, hex};
use sha2::{Digest as _, Sha256};

use crate::{Access, LoginMode};

/// Sixteen hexadecimal digits for an account and scope. The common catalog has no scope in its name.
pub(crate) fn account_key(access: &Access, scope: RemoteScope) -> String {
    let account = &access.account;
    let text = |value: Option<&str>| match value {
        Some(value) => serde_json::Value::from(value).to_string(),
        None => "null".to_owned(),
    };
    let mut key = format!(
        r#"{{"chatgpt_base_url":{},"account_id":{},"chatgpt_user_id":{},"is_workspace_account":{}"#,
        text(Some(access.base.as_configured())),
        text(account.account_id.as_deref()),
        text(account.user_id.as_deref()),
        account.is_workspace,
    );
    if scope != RemoteScope::Global {
        key.push_str(&format!(r#","scope":{}"#, text(Some(scope.word()))));
    }
    // Such a token does not say whose it is. Without this all of them would share their files, and
    // one person would be shown what is another's.
    let is_nameless = account.account_id.is_none() && account.user_id.is_none();
    if is_nameless && matches!(account.mode, LoginMode::PersonalAccessToken) {
        let digest = Sha256::digest(account.access_token.reveal().as_bytes());
        key.push_str(&format!(r#","token":"{}""#, hex(&digest)));
    }
    key.push('}');
    format!("{:016x}", fnv1a(key.as_bytes()))
}

/// The 64-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use plugd_model::RemoteScope;
    use pretty_assertions::assert_eq;

    use super::{account_key, fnv1a};
    use crate::{Access, Account, BaseUrl, LoginMode, Secret};

    const BASE: &str = "http://127.0.0.1:40777/backend-api";

    fn access(
        base: &str,
        account_id: Option<&str>,
        user: Option<&str>,
        is_workspace: bool,
    ) -> Access {
        Access {
            base: BaseUrl::new(base, base).unwrap(),
            account: Account {
                access_token: Secret::new("token"),
                account_id: account_id.map(str::to_owned),
                user_id: user.map(str::to_owned),
                plan: None,
                is_workspace,
                is_fedramp: false,
                expires_at: None,
                mode: LoginMode::Chatgpt,
                can_refresh: false,
            },
        }
    }

    #[track_caller]
    fn check(access: &Access, scope: RemoteScope, expected: &str) {
        assert_eq!(account_key(access, scope), expected);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    /// Names of files that the reference wrote.
    #[test]
    fn names_are_those_of_the_reference() {
        use RemoteScope::{Global, User, Workspace};
        let person = access(BASE, Some("acc1"), Some("u1"), false);
        check(&person, Global, "7406e7b6ba14ccad");
        let slash = format!("{BASE}/");
        check(
            &access(&slash, Some("acc1"), Some("u1"), false),
            Global,
            "db9ea2f8b3bb1f12",
        );
        check(
            &access(BASE, None, Some("u1"), false),
            Global,
            "63f9686c86ba6a3a",
        );
        let odd = access(BASE, Some("äé\"\u{2028}"), None, false);
        check(&odd, Global, "35a59372c17b7553");
        let team = access(BASE, Some("acc1"), Some("u1"), true);
        check(&team, Global, "d5f762eb92b56386");
        let other = "http://127.0.0.1:34721/backend-api";
        let team = access(other, Some("acc1"), Some("u1"), true);
        check(&team, Workspace, "ad42d084e85067ff");
        check(&team, User, "dc757f1f930aa9a3");
        check(
            &access(other, Some(""), Some("u1"), false),
            Global,
            "6d78eed3ba39a1f7",
        );
    }

    #[test]
    fn tokens_without_a_name_do_not_share_files() {
        let mut one = access(BASE, None, None, false);
        let browser = account_key(&one, RemoteScope::Global);
        one.account.mode = LoginMode::PersonalAccessToken;
        let mut two = one.clone();
        two.account.access_token = Secret::new("another token");
        let keys = [&one, &two].map(|access| account_key(access, RemoteScope::Global));
        assert_ne!(keys[0], keys[1]);
        assert!(!keys.contains(&browser));
    }
}
