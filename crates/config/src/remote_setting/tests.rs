use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{CredentialStore, RemoteSettings};
use crate::snapshot::tests::{problems, read};

/// What a user's file with this address means, and the fields of the problems.
#[track_caller]
fn check(address: &str, expected: Option<&str>) {
    let sandbox = Sandbox::new();
    sandbox.write(
        "ch/config.toml",
        format!("chatgpt_base_url = '{address}'\n"),
    );
    let snapshot = read(&sandbox, &[], None);
    let remote = snapshot.remote();
    assert_eq!(remote.base_url.as_deref(), expected, "{address}");
    assert_eq!(remote.base_url_as_configured, address);
    let found = problems(&sandbox, &snapshot);
    match expected {
        Some(_) => assert_eq!(found, [] as [&str; 0], "{address}"),
        None => assert_eq!(
            found,
            ["badValue /ch/config.toml:1:20 chatgpt_base_url"],
            "{address}"
        ),
    }
}

#[test]
fn without_a_word_it_is_the_public_service_and_a_file() {
    let snapshot = read(&Sandbox::new(), &[], None);
    assert_eq!(
        *snapshot.remote(),
        RemoteSettings {
            base_url: Some("https://chatgpt.com/backend-api".to_owned()),
            base_url_as_configured: "https://chatgpt.com/backend-api/".to_owned(),
            credential_store: CredentialStore::File,
        }
    );
}

#[test]
fn addresses() {
    check("https://a.example/api", Some("https://a.example/api"));
    check("https://a.example/api///", Some("https://a.example/api"));
    check("https://a.example/", Some("https://a.example"));
    check("HTTPS://a.example:8443/x", Some("HTTPS://a.example:8443/x"));
    check("http://127.0.0.1:8080/b", Some("http://127.0.0.1:8080/b"));
    check("http://127.9.9.9/b", Some("http://127.9.9.9/b"));
    check("http://localhost:1/b/", Some("http://localhost:1/b"));
    check("http://[::1]:80/b", Some("http://[::1]:80/b"));
    check("https://[2001:db8::1]/b", Some("https://[2001:db8::1]/b"));
}

#[test]
fn addresses_that_get_no_token() {
    for address in [
        "",
        "/",
        "a.example/api",
        "http://a.example/api",
        "http://127.0.0.1.example/api",
        "http://localhost.example/api",
        "http://127.0.0.1@a.example/api",
        "https://ada:secret@a.example/api",
        "https://a.example/api?x=1",
        "https://a.example/api#x",
        "https://a.example\\@b.example/",
        "https://a.example/a b",
        "https://ä.example/",
        "https://",
        "https:///api",
        "https://a.example:/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:80:90/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[a]/",
        "ftp://a.example/",
        "file:///etc",
    ] {
        check(address, None);
    }
}

#[test]
fn no_problem_repeats_a_login() {
    let sandbox = Sandbox::from("== ch/config.toml\nchatgpt_base_url = 'https://u:secret@a/'\n");
    let snapshot = read(&sandbox, &[], None);
    let text = format!("{:?} {:?}", snapshot.problems(), snapshot.warnings());
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_wrong_type_does_not_send_the_token_to_the_public_service() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\nchatgpt_base_url = 1\ncli_auth_credentials_store = true\n",
    );
    let snapshot = read(&sandbox, &[], None);
    assert_eq!(snapshot.remote().base_url, None);
    assert_eq!(snapshot.remote().credential_store, CredentialStore::File);
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "wrongType /ch/config.toml:1:20 chatgpt_base_url",
            "wrongType /ch/config.toml:2:30 cli_auth_credentials_store",
        ]
    );
}

#[test]
fn where_the_login_is_kept() {
    let store = |word: &str| {
        let sandbox = Sandbox::new();
        let text = format!("cli_auth_credentials_store = '{word}'\n");
        sandbox.write("ch/config.toml", text);
        let snapshot = read(&sandbox, &[], None);
        let found = problems(&sandbox, &snapshot);
        (snapshot.remote().credential_store.clone(), found)
    };
    let other = |word: &str| CredentialStore::Other(word.to_owned());
    assert_eq!(store("file"), (CredentialStore::File, Vec::new()));
    assert_eq!(store("auto"), (CredentialStore::Auto, Vec::new()));
    assert_eq!(store("keyring"), (other("keyring"), Vec::new()));
    assert_eq!(store("ephemeral"), (other("ephemeral"), Vec::new()));
    let bad = "badValue /ch/config.toml:1:30 cli_auth_credentials_store".to_owned();
    assert_eq!(store("File"), (other("File"), vec![bad]));
}

const LAYERS: &str = r#"
== etc/config.toml
chatgpt_base_url = "https://system.example/"
cli_auth_credentials_store = "keyring"
== ch/config.toml
[projects."$ROOT/p"]
trust_level = "trusted"
== p/.git/HEAD
x
== p/.codex/config.toml
chatgpt_base_url = "https://evil.example"
cli_auth_credentials_store = "file"
== u/.git/HEAD
x
== u/.codex/config.toml
chatgpt_base_url = "https://evil.example"
"#;

#[test]
fn no_project_decides_where_the_token_goes() {
    let sandbox = Sandbox::from(LAYERS);
    let keyring = CredentialStore::Other("keyring".to_owned());
    for cwd in [None, Some("p"), Some("u")] {
        let snapshot = read(&sandbox, &[], cwd);
        let remote = snapshot.remote();
        assert_eq!(remote.base_url.as_deref(), Some("https://system.example"));
        assert_eq!(remote.credential_store, keyring);
    }
    assert_eq!(
        problems(&sandbox, &read(&sandbox, &[], Some("p"))),
        [
            "unknownField /p/.codex/config.toml:1:20 chatgpt_base_url",
            "unknownField /p/.codex/config.toml:2:30 cli_auth_credentials_store",
        ]
    );
    // An untrusted project changes nothing, so its mistakes are nobody's business.
    assert_eq!(
        problems(&sandbox, &read(&sandbox, &[], Some("u"))),
        [] as [&str; 0]
    );
}

#[test]
fn a_session_and_the_user_decide() {
    let sandbox = Sandbox::from(LAYERS);
    sandbox.write(
        "ch/config.toml",
        "chatgpt_base_url = 'https://user.example'\n",
    );
    let base = |flags: &[&str]| read(&sandbox, flags, Some("p")).remote().base_url.clone();
    assert_eq!(base(&[]).as_deref(), Some("https://user.example"));
    let flag = "chatgpt_base_url=http://127.0.0.1:9/backend-api/";
    assert_eq!(
        base(&[flag]).as_deref(),
        Some("http://127.0.0.1:9/backend-api")
    );
}
