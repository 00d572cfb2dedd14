use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, ProblemKind};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{CredentialStore, Login, LoginState, read_login};
use crate::jwt::tests::token;
use crate::{Account, LoginMode, Secret};

const NOW: u64 = 1_000_000;

struct Home {
    _dir: tempfile::TempDir,
    layout: Layout,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = AbsPath::new(dir.path()).unwrap();
        let layout = Layout::new(home.clone(), home);
        Self { _dir: dir, layout }
    }

    fn write(&self, content: &[u8]) {
        Disk::new()
            .replace(&self.layout.auth(), content, 0o600)
            .unwrap();
    }

    fn read(&self) -> LoginState {
        read_login(&Disk::new(), &self.layout, &CredentialStore::File, NOW)
    }
}

fn claims(plan: &str) -> String {
    token(&format!(
        r#"{{"exp": 2000000, "https://api.openai.com/auth":
            {{"chatgpt_plan_type": "{plan}", "chatgpt_user_id": "u1", "chatgpt_account_id": "no"}}}}"#
    ))
}

/// A whole login with some members replaced; a member of the tokens is named `tokens.x`.
fn login(changes: &[(&str, Value)]) -> Value {
    let mut whole = json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": claims("pro"),
            "access_token": claims("pro"),
            "refresh_token": "refresh-secret",
            "account_id": "acc1",
        },
        "last_refresh": "2026-01-01T00:00:00Z",
    });
    for (name, value) in changes {
        match name.strip_prefix("tokens.") {
            Some(name) => whole["tokens"][name] = value.clone(),
            None => whole[*name] = value.clone(),
        }
    }
    whole
}

fn account() -> Account {
    Account {
        access_token: Secret::new(claims("pro")),
        account_id: Some("acc1".to_owned()),
        user_id: Some("u1".to_owned()),
        plan: Some("pro".to_owned()),
        is_workspace: false,
        is_fedramp: false,
        expires_at: Some(2_000_000),
        mode: LoginMode::Chatgpt,
        can_refresh: true,
    }
}

/// What somebody with a token for programs is.
fn program() -> Login {
    Login::Backend(Account {
        access_token: Secret::new("at-1"),
        account_id: None,
        user_id: None,
        plan: None,
        expires_at: None,
        mode: LoginMode::PersonalAccessToken,
        can_refresh: false,
        ..account()
    })
}

#[track_caller]
fn check(content: &Value, expected: &Login) {
    let home = Home::new();
    home.write(content.to_string().as_bytes());
    let found = home.read();
    assert_eq!(
        (&found.login, found.problems),
        (expected, Vec::new()),
        "{content}"
    );
}

#[track_caller]
fn check_problem(content: &str, kind: ProblemKind, field: Option<&str>, message: &str) {
    let home = Home::new();
    home.write(content.as_bytes());
    let LoginState { login, problems } = home.read();
    let found = problems.iter().map(|problem| {
        let field = problem.field.as_deref().filter(|field| !field.is_empty());
        (problem.kind, field, problem.message.as_str())
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [(kind, field, message)],
        "{content}"
    );
    assert_eq!(login, Login::Unread);
    assert_eq!(problems[0].path, Some(home.layout.auth()));
    assert!(!format!("{problems:?}").contains("secret"), "{problems:?}");
}

#[test]
fn whoever_is_logged_in() {
    check(&login(&[]), &Login::Backend(account()));
    check(
        &login(&[("auth_mode", Value::Null)]),
        &Login::Backend(account()),
    );
    let changed = |mode, can_refresh| {
        Login::Backend(Account {
            mode,
            can_refresh,
            ..account()
        })
    };
    check(
        &login(&[("auth_mode", json!("chatgptAuthTokens"))]),
        &changed(LoginMode::ChatgptAuthTokens, false),
    );
    check(
        &login(&[("tokens.refresh_token", json!(""))]),
        &changed(LoginMode::Chatgpt, false),
    );
    let with_id = |account_id: Option<&str>| {
        let account_id = account_id.map(str::to_owned);
        Login::Backend(Account {
            account_id,
            ..account()
        })
    };
    check(
        &login(&[("tokens.account_id", Value::Null)]),
        &with_id(None),
    );
    check(
        &login(&[("tokens.account_id", json!(""))]),
        &with_id(Some("")),
    );
    check(
        &login(&[("unknown", json!([1])), ("last_refresh", json!(5))]),
        &with_id(Some("acc1")),
    );
}

#[test]
fn an_api_key_and_tokens_for_programs() {
    let absent = Value::Null;
    check(&login(&[("auth_mode", json!("apikey"))]), &Login::ApiKey);
    check(&json!({"OPENAI_API_KEY": "sk"}), &Login::ApiKey);
    check(
        &login(&[("auth_mode", absent.clone()), ("OPENAI_API_KEY", json!(""))]),
        &Login::ApiKey,
    );
    let pat = ("personal_access_token", json!("at-1"));
    check(
        &json!({"OPENAI_API_KEY": null, "personal_access_token": "at-1"}),
        &program(),
    );
    let key = ("OPENAI_API_KEY", json!("sk"));
    check(
        &login(&[("auth_mode", absent), key, pat.clone()]),
        &program(),
    );
    check(
        &login(&[("auth_mode", json!("personalAccessToken")), pat.clone()]),
        &program(),
    );
    check(&login(&[pat]), &Login::Backend(account()));
}

#[test]
fn nobody_is_no_problem() {
    assert_eq!(Home::new().read().problems, []);
    assert_eq!(Home::new().read().login, Login::None);
    check(&json!({}), &Login::None);
    check(
        &json!({"tokens": null, "OPENAI_API_KEY": null}),
        &Login::None,
    );
}

#[test]
fn plans_of_workspaces() {
    let is_workspace = |plan: &str| {
        let home = Home::new();
        home.write(
            login(&[("tokens.id_token", json!(claims(plan)))])
                .to_string()
                .as_bytes(),
        );
        match home.read().login {
            Login::Backend(account) => account.is_workspace,
            other => panic!("{other:?}"),
        }
    };
    for plan in super::WORKSPACE_PLANS {
        assert!(is_workspace(plan), "{plan}");
    }
    for plan in [
        "free",
        "go",
        "plus",
        "pro",
        "prolite",
        "k12",
        "Team",
        "ENTERPRISE",
        " team",
        "",
    ] {
        assert!(!is_workspace(plan), "{plan}");
    }
}

#[test]
fn an_expired_login_is_told_and_kept() {
    let check = |exp: &str, is_expired: bool| {
        let home = Home::new();
        let access = token(&format!(r#"{{"exp": {exp}}}"#));
        home.write(
            login(&[("tokens.access_token", json!(access))])
                .to_string()
                .as_bytes(),
        );
        let found = home.read();
        let kinds: Vec<_> = found.problems.iter().map(|problem| problem.kind).collect();
        let expected: &[_] = if is_expired {
            &[ProblemKind::LoginExpired]
        } else {
            &[]
        };
        assert_eq!(kinds, expected, "{exp}");
        assert!(
            matches!(found.login, Login::Backend(account) if account.is_expired(NOW) == is_expired)
        );
    };
    check("999999", true);
    check("1000000", true);
    check("1000001", false);
    check("1000000.9", true);
    check("-1", true);
    check("null", false);
    check("99999999999999999999999", false);
    // A token that does not say when it ends is for the service to judge, and so is the other token.
    let old = token(r#"{"exp": 5}"#);
    check_expiry_of_id(&old);
}

#[track_caller]
fn check_expiry_of_id(id_token: &str) {
    let home = Home::new();
    let changes = [
        ("tokens.id_token", json!(id_token)),
        ("tokens.access_token", json!("opaque")),
    ];
    home.write(login(&changes).to_string().as_bytes());
    assert_eq!(home.read().problems, []);
}

#[test]
fn what_cannot_be_used_is_no_login() {
    use ProblemKind::{BadValue, MissingField, WrongType};
    let says = |text: &str| format!("the login cannot be used: {text}");
    let broken = |changes: &[(&str, Value)], kind, field: &str, message: &str| {
        check_problem(
            &login(changes).to_string(),
            kind,
            Some(field),
            &says(message),
        );
    };
    let unsupported = "`auth_mode` names a kind of login that is not supported";
    broken(
        &[("auth_mode", json!("agentIdentity"))],
        BadValue,
        "auth_mode",
        unsupported,
    );
    broken(
        &[("auth_mode", json!("secret"))],
        BadValue,
        "auth_mode",
        unsupported,
    );
    broken(
        &[("auth_mode", json!(5))],
        WrongType,
        "auth_mode",
        "`auth_mode` is not a text",
    );
    broken(
        &[("tokens", Value::Null)],
        MissingField,
        "tokens",
        "`tokens` is missing",
    );
    broken(
        &[("tokens", json!("secret"))],
        WrongType,
        "tokens",
        "`tokens` is no object",
    );
    let field = "tokens.access_token";
    broken(
        &[(field, json!(""))],
        MissingField,
        field,
        "`access_token` is missing",
    );
    broken(
        &[(field, json!({"secret": 1}))],
        WrongType,
        field,
        "`access_token` is not a text",
    );
    let field = "tokens.id_token";
    let message = "`id_token` is no token that can be read";
    broken(&[(field, json!("secret"))], BadValue, field, message);
    broken(
        &[(field, Value::Null)],
        MissingField,
        field,
        "`id_token` is missing",
    );
    let field = "tokens.account_id";
    broken(
        &[(field, json!(5))],
        WrongType,
        field,
        "`account_id` is not a text",
    );
}

#[test]
fn files_that_hold_no_login() {
    use ProblemKind::{BadValue, Syntax, WrongType};
    let says = |text: &str| format!("the login cannot be used: {text}");
    let agent = r#"{"agent_identity": "secret"}"#;
    let message = says("`agent_identity` names a kind of login that is not supported");
    check_problem(agent, BadValue, Some("agent_identity"), &message);
    check_problem("[\"secret\"]", WrongType, None, &says("is no object"));
    let message = says("it is not valid JSON: EOF while parsing a value at line 1 column 0");
    check_problem("", Syntax, None, &message);
    let deep = "[".repeat(200);
    check_problem(
        &deep,
        Syntax,
        None,
        &says("it is nested deeper than 128 levels"),
    );
}

#[test]
fn the_place_of_a_broken_member_is_told() {
    let home = Home::new();
    home.write(b"{\n  \"auth_mode\": 5\n}");
    let place = home.read().problems[0].place.unwrap();
    assert_eq!((place.line, place.column), (2, 16));
}

/// Every cut of a good file is a problem and never a panic.
#[test]
fn a_cut_file_is_no_login() {
    let home = Home::new();
    let whole = login(&[]).to_string();
    for length in 1..whole.len() {
        home.write(&whole.as_bytes()[..length]);
        let found = home.read();
        assert_eq!(
            (found.login, found.problems.len()),
            (Login::Unread, 1),
            "{length}"
        );
        assert!(!format!("{:?}", found.problems).contains("secret"));
    }
}

#[test]
fn what_is_no_readable_file_is_a_problem() {
    let home = Home::new();
    Disk::new().create_dirs(&home.layout.auth()).unwrap();
    let kind = |home: &Home| {
        let found = home.read();
        assert_eq!(found.login, Login::Unread);
        assert_eq!(found.problems[0].path, Some(home.layout.auth()));
        found.problems[0].kind
    };
    assert_eq!(kind(&home), ProblemKind::NotAFile);
    let home = Home::new();
    home.write(&vec![b' '; 1024 * 1024 + 1]);
    assert_eq!(kind(&home), ProblemKind::TooLarge);
    home.write(&[0xff, 0xfe]);
    assert_eq!(kind(&home), ProblemKind::Syntax);
}

#[test]
fn a_login_elsewhere_is_told() {
    let home = Home::new();
    home.write(login(&[]).to_string().as_bytes());
    for (word, place) in [
        ("keyring", "in the keyring of the system"),
        ("ephemeral", "in the memory of the login program"),
        ("a\nb", "in `a\\nb`"),
    ] {
        let store = CredentialStore::Other(word.to_owned());
        let found = read_login(&Disk::new(), &home.layout, &store, NOW);
        assert_eq!(found.login, Login::Unread);
        assert_eq!(found.problems[0].kind, ProblemKind::Config);
        let message = &found.problems[0].message;
        assert!(message.contains(place), "{message}");
        assert!(
            message.contains("_store = \"file\"` in config.toml"),
            "{message}"
        );
    }
}

#[test]
fn tokens_have_a_refresh_token_or_an_empty_one() {
    let mut missing = login(&[]);
    let tokens = missing["tokens"].as_object_mut().unwrap();
    tokens.remove("refresh_token");
    for content in [missing, login(&[("tokens.refresh_token", Value::Null)])] {
        let home = Home::new();
        home.write(content.to_string().as_bytes());
        let found = home.read();
        assert_eq!(found.login, Login::Unread);
        let field = found.problems[0].field.as_deref();
        assert_eq!(field, Some("tokens.refresh_token"), "{:?}", found.problems);
    }
}

#[test]
fn a_keyring_or_a_file_is_the_file_when_it_is_there() {
    let home = Home::new();
    let read = || read_login(&Disk::new(), &home.layout, &CredentialStore::Auto, NOW);
    let found = read();
    assert_eq!(found.login, Login::None);
    assert!(found.problems[0].message.contains("keyring"), "{found:?}");
    home.write(login(&[]).to_string().as_bytes());
    let found = read();
    assert_eq!(
        (found.login, found.problems),
        (Login::Backend(account()), Vec::new())
    );
    home.write(b"{");
    assert_eq!(read().login, Login::Unread);
}
