use std::future::pending;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_http::{Client, Settings};
use plugd_model::{AbsPath, Layout};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{
    NewTokens, Refresh, RefreshError, RefreshTicket, ask_for_tokens, begin_refresh, finish_refresh,
};
use crate::fixture::{NOW, Reply, Server, environment, ok, status};
use crate::jwt::tests::token;
use crate::{CredentialStore, Login, read_login};

const PATIENCE: Duration = Duration::from_millis(20);

struct Home {
    _dir: tempfile::TempDir,
    layout: Layout,
}

impl Home {
    fn new(content: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = AbsPath::new(dir.path()).unwrap();
        let layout = Layout::new(home.clone(), home);
        let home = Self { _dir: dir, layout };
        home.write(content);
        home
    }

    fn write(&self, content: &str) {
        Disk::new()
            .replace(&self.layout.auth(), content.as_bytes(), 0o644)
            .unwrap();
    }

    fn text(&self) -> String {
        let bytes = Disk::new().read(&self.layout.auth(), 1 << 20).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn begin(&self) -> Result<Refresh, RefreshError> {
        begin_refresh(&Disk::new(), &self.layout, NOW.as_secs(), PATIENCE)
    }

    fn ticket(&self) -> RefreshTicket {
        match self.begin().unwrap() {
            Refresh::Needed(ticket) => ticket,
            other @ Refresh::NotNeeded(_) => panic!("{other:?}"),
        }
    }

    fn finish(&self, ticket: &RefreshTicket, tokens: &NewTokens) -> Result<String, RefreshError> {
        let account = finish_refresh(&Disk::new(), ticket, tokens, NOW)?;
        let login = read_login(
            &Disk::new(),
            &self.layout,
            &CredentialStore::File,
            NOW.as_secs(),
        );
        assert_eq!(login.login, Login::Backend(account.clone()));
        Ok(account.access_token.reveal().to_owned())
    }
}

fn ending(exp: u64) -> String {
    token(&format!(r#"{{"exp": {exp}}}"#))
}

fn content(access: &str, refresh: &str) -> String {
    let id = ending(1);
    format!(
        r#"{{"z": 1e400, "tokens": {{"more": [ ], "id_token": "{id}", "access_token": "{access}",
        "refresh_token": "{refresh}", "account_id": "acc"}}, "a": true}}"#
    )
}

async fn ask(server: &Server, ticket: &RefreshTicket) -> Result<NewTokens, RefreshError> {
    let url = format!("{}/token", server.base());
    let environment = environment(&[("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &url)]);
    let client = Client::new(
        Settings::from_environment(&environment, "plugd"),
        Disk::new(),
    );
    ask_for_tokens(&client, &environment, ticket, None, pending()).await
}

/// What asking an expired login's tokens ends in, as the error's text.
async fn refusal(reply: impl Fn() -> Reply + Send + Sync + 'static) -> String {
    let home = Home::new(&content(&ending(5), "old-secret"));
    let before = home.text();
    let server = Server::start(move |_| reply());
    let ticket = home.ticket();
    let error = ask(&server, &ticket).await.unwrap_err();
    assert_eq!((server.asked().len(), home.text()), (1, before));
    let text = format!("{error} {error:?} {ticket:?}");
    assert!(!text.contains("secret"), "{text}");
    error
        .to_string()
        .replace(&server.place(), "PLACE")
        .replace("127.0.0.1", "PLACE")
}

#[tokio::test]
async fn an_expired_login_is_refreshed_in_its_file() {
    let home = Home::new(&content(&ending(5), "old-secret"));
    let (access, id) = (ending(2_000_000_000), token(r#"{"exp": 7}"#));
    let server = Server::always(json!({
        "access_token": access, "id_token": id, "refresh_token": "new-secret", "more": 1,
    }));
    let ticket = home.ticket();
    assert!(
        matches!(home.begin(), Err(RefreshError::Disk { .. })),
        "one at a time"
    );
    let tokens = ask(&server, &ticket).await.unwrap();
    assert!(!format!("{tokens:?} {ticket:?}").contains("secret"));
    let asked = &server.asked()[0];
    assert_eq!(asked.line(), "POST /base/token");
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body,
        json!({
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_token": "old-secret",
        })
    );
    assert_eq!(home.finish(&ticket, &tokens).unwrap(), access);
    drop(ticket);
    let expected = format!(
        "{{\n  \"z\": 1e400,\n  \"tokens\": {{\n    \"more\": [],\n    \"id_token\": \"{id}\",\n    \
         \"access_token\": \"{access}\",\n    \"refresh_token\": \"new-secret\",\n    \
         \"account_id\": \"acc\"\n  }},\n  \"a\": true,\n  \
         \"last_refresh\": \"1994-11-06T08:49:37Z\"\n}}"
    );
    assert_eq!(home.text(), expected);
    if cfg!(unix) {
        let stamp = Disk::new().stamp(&home.layout.auth()).unwrap().unwrap();
        assert_eq!(stamp.mode & 0o777, 0o600);
    }
    assert!(matches!(home.begin(), Ok(Refresh::NotNeeded(_))));
}

#[tokio::test]
async fn what_the_answer_does_not_bring_stays() {
    let home = Home::new(&content(&ending(5), "old"));
    let server = Server::always(json!({"access_token": ending(2_000_000_000)}));
    let ticket = home.ticket();
    let tokens = ask(&server, &ticket).await.unwrap();
    home.finish(&ticket, &tokens).unwrap();
    assert!(home.text().contains("\"refresh_token\": \"old\""));
    assert!(home.text().contains(&ending(1)));
}

#[tokio::test]
async fn what_the_login_program_wrote_meanwhile_stays() {
    let (access, theirs) = (ending(2_000_000_000), ending(2_000_000_001));
    let server = Server::always(json!({"access_token": access, "refresh_token": "ours"}));
    for meanwhile in [content(&theirs, "old"), content(&ending(5), "theirs")] {
        let home = Home::new(&content(&ending(5), "old"));
        let ticket = home.ticket();
        let tokens = ask(&server, &ticket).await.unwrap();
        home.write(&meanwhile);
        let found = home.finish(&ticket, &tokens).unwrap();
        assert_ne!(found, access);
        assert_eq!(home.text(), meanwhile);
    }
    // Somebody has logged out, or in with something else.
    for meanwhile in ["{}", "{nope", r#"{"auth_mode": "apikey"}"#] {
        let home = Home::new(&content(&ending(5), "old"));
        let ticket = home.ticket();
        let tokens = ask(&server, &ticket).await.unwrap();
        home.write(meanwhile);
        let error = home.finish(&ticket, &tokens).unwrap_err();
        assert!(
            matches!(error, RefreshError::NotRefreshable { .. }),
            "{error}"
        );
        assert_eq!(home.text(), meanwhile);
    }
}

#[tokio::test]
async fn refusals_and_nonsense_change_nothing() {
    let body = r#"{"error": {"code": "refresh_token_expired", "message": "old-secret"}}"#;
    assert_eq!(
        refusal(move || status("401 Unauthorized", body)).await,
        "`PLACE` refused to refresh the login with status 401 (refresh_token_expired)"
    );
    assert_eq!(
        refusal(|| status("400 Bad Request", r#"{"error": "invalid_grant"}"#)).await,
        "`PLACE` refused to refresh the login with status 400 (invalid_grant)"
    );
    for body in [
        "",
        "nope",
        r#"{"error": "Your old-secret is bad"}"#,
        r#"{"error": {"code": 5}}"#,
    ] {
        assert_eq!(
            refusal(move || status("503 Service Unavailable", body)).await,
            "`PLACE` refused to refresh the login with status 503"
        );
    }
    let redirect = || {
        status(
            "307 Temporary Redirect\r\nLocation: https://evil.example/",
            "",
        )
    };
    assert_eq!(
        refusal(redirect).await,
        "`PLACE` refused to refresh the login with status 307"
    );
    let nonsense = "`PLACE` gave an answer without usable tokens: ";
    let check = async |body: Value, reason: &str| {
        assert_eq!(
            refusal(move || ok(&body)).await,
            format!("{nonsense}{reason}")
        );
    };
    check(json!({}), "`access_token` is missing").await;
    check(json!({"access_token": ""}), "`access_token` is missing").await;
    check(
        json!({"access_token": ["secret"]}),
        "`access_token` is not a text",
    )
    .await;
    check(json!([]), "is no object").await;
    let bad_id = json!({"access_token": "a", "id_token": "secret"});
    check(bad_id, "`id_token` is no token that can be read").await;
}

#[tokio::test]
async fn a_caller_who_gives_up_is_let_go() {
    let home = Home::new(&content(&ending(5), "old"));
    let server = Server::start(|_| Reply::Stall(Vec::new()));
    let url = format!("{}/token", server.base());
    let environment = environment(&[("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &url)]);
    let client = Client::new(
        Settings::from_environment(&environment, "plugd"),
        Disk::new(),
    );
    let ticket = home.ticket();
    let error = ask_for_tokens(&client, &environment, &ticket, None, async {}).await;
    assert!(matches!(error, Err(RefreshError::Http(error)) if error.is_cancelled()));
}

#[tokio::test]
async fn what_counts_as_expired_right_after_a_refresh_is_not_refreshed_again() {
    let home = Home::new(&content(&ending(5), "old"));
    let server = Server::always(json!({"access_token": ending(6), "refresh_token": "new"}));
    let ticket = home.ticket();
    let tokens = ask(&server, &ticket).await.unwrap();
    finish_refresh(&Disk::new(), &ticket, &tokens, NOW).unwrap();
    drop(ticket);
    let begin = |later: u64| {
        let now = NOW.as_secs() + later;
        begin_refresh(&Disk::new(), &home.layout, now, PATIENCE)
    };
    for later in [0, 299] {
        let error = begin(later).unwrap_err().to_string();
        assert!(error.contains("clock of this machine"), "{error}");
    }
    assert!(matches!(begin(300), Ok(Refresh::Needed(_))));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_cannot_be_refreshed() {
    let check = |content: &str, reason: &str| {
        let home = Home::new(content);
        let error = home.begin().unwrap_err().to_string();
        let path = home.layout.auth();
        assert_eq!(
            error,
            format!("the login in `{path}` cannot be refreshed: {reason}")
        );
    };
    check(
        &content(&ending(5), ""),
        "it has no refresh token of its own",
    );
    check("{}", "it is not the login of a person");
    check(
        r#"{"OPENAI_API_KEY": "sk"}"#,
        "it is not the login of a person",
    );
    check("[]", "the login cannot be used: is no object");
    let home = Home::new(&content("opaque", "old"));
    assert!(matches!(home.begin(), Ok(Refresh::NotNeeded(_))));
    Disk::new().remove_file(&home.layout.auth()).unwrap();
    assert!(matches!(
        home.begin(),
        Err(RefreshError::NotRefreshable { .. })
    ));
}
