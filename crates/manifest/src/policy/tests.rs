//! Policies: what is set, what is missing, and what cannot be understood.

use plugd_model::Product::{Atlas, Chatgpt, Codex};
use plugd_model::{AuthPolicy, InstallPolicy, Product};
use pretty_assertions::assert_eq;

use crate::testing::{entries, rows};

/// Checks an entry with the given members behind its name and source.
#[track_caller]
fn check(
    members: &str,
    install: InstallPolicy,
    auth: AuthPolicy,
    products: Option<&[Product]>,
    problems: &[&str],
) {
    let (manifest, found) = entries(&format!("{{\"name\":\"p\",\"source\":\"./p\"{members}}}"));
    let entry = &manifest.entries[0];
    assert_eq!(rows(&found), problems, "{members}");
    assert_eq!(entry.install_policy, install, "{members}");
    assert_eq!(entry.auth_policy, auth, "{members}");
    assert_eq!(entry.products.as_deref(), products, "{members}");
}

use AuthPolicy::{OnInstall, OnUse};
use InstallPolicy::{Available, InstalledByDefault, NotAvailable};

#[test]
fn defaults() {
    check("", Available, OnInstall, None, &[]);
    check(r#","policy":{}"#, Available, OnInstall, None, &[]);
    check(r#","policy":{"x":1}"#, Available, OnInstall, None, &[]);
    check(
        r#","policy":{"products":null}"#,
        Available,
        OnInstall,
        None,
        &[],
    );
}

#[test]
fn every_value() {
    for (word, install) in [
        ("AVAILABLE", Available),
        ("NOT_AVAILABLE", NotAvailable),
        ("INSTALLED_BY_DEFAULT", InstalledByDefault),
    ] {
        let policy = format!(r#","policy":{{"installation":"{word}"}}"#);
        check(&policy, install, OnInstall, None, &[]);
        let older = format!(r#","installPolicy":"{word}""#);
        check(&older, install, OnInstall, None, &[]);
    }
    for (word, auth) in [("ON_INSTALL", OnInstall), ("ON_USE", OnUse)] {
        let policy = format!(r#","policy":{{"authentication":"{word}"}}"#);
        check(&policy, Available, auth, None, &[]);
        let older = format!(r#","authPolicy":"{word}""#);
        check(&older, Available, auth, None, &[]);
    }
}

#[test]
fn the_policy_object_wins_member_by_member() {
    check(
        r#","installPolicy":"NOT_AVAILABLE","authPolicy":"ON_USE","policy":{"installation":"AVAILABLE"}"#,
        Available,
        OnUse,
        None,
        &[],
    );
}

#[test]
fn products() {
    let all: &[Product] = &[Codex, Chatgpt, Atlas];
    for (json, expected) in [
        (r#"["CODEX","CHATGPT","ATLAS"]"#, all),
        (r#"["codex","chatgpt","atlas"]"#, all),
        (r#"["CODEX","codex"]"#, &[Codex]),
        (r#"["ATLAS"]"#, &[Atlas]),
        ("[]", &[]),
    ] {
        let policy = format!(r#","policy":{{"products":{json}}}"#);
        check(&policy, Available, OnInstall, Some(expected), &[]);
    }
}

#[test]
fn an_unknown_installation_policy_is_not_available() {
    for value in [
        "\"available\"",
        "\"SOMETIMES\"",
        "\"\"",
        "null",
        "1",
        "true",
        "[]",
    ] {
        let kind = if value.starts_with('"') {
            "badValue"
        } else {
            "wrongType"
        };
        check(
            &format!(r#","policy":{{"installation":{value}}}"#),
            NotAvailable,
            OnInstall,
            None,
            &[&format!("error {kind} plugins[0].policy.installation 2:53")],
        );
        check(
            &format!(r#","installPolicy":{value}"#),
            NotAvailable,
            OnInstall,
            None,
            &[&format!("error {kind} plugins[0].installPolicy 2:44")],
        );
    }
}

#[test]
fn an_unknown_authentication_policy_is_the_default() {
    check(
        r#","policy":{"authentication":"NEVER"}"#,
        Available,
        OnInstall,
        None,
        &["error badValue plugins[0].policy.authentication 2:55"],
    );
}

#[test]
fn unknown_products_restrict_all_the_same() {
    check(
        r#","policy":{"products":["Codex","CODEX",5]}"#,
        Available,
        OnInstall,
        Some(&[Codex]),
        &[
            "error badValue plugins[0].policy.products[0] 2:50",
            "error wrongType plugins[0].policy.products[2] 2:66",
        ],
    );
    check(
        r#","policy":{"products":["NEW"]}"#,
        Available,
        OnInstall,
        Some(&[]),
        &["error badValue plugins[0].policy.products[0] 2:50"],
    );
}

#[test]
fn products_of_a_wrong_type_forbid_and_hide_nothing() {
    for value in ["\"CODEX\"", "5", "{}", "true"] {
        check(
            &format!(r#","policy":{{"products":{value}}}"#),
            NotAvailable,
            OnInstall,
            None,
            &["error wrongType plugins[0].policy.products 2:49"],
        );
    }
    check(
        r#","policy":{"installation":"AVAILABLE","authentication":"ON_USE","products":[null]}"#,
        NotAvailable,
        OnUse,
        None,
        &["error wrongType plugins[0].policy.products[0] 2:103"],
    );
}

#[test]
fn a_policy_that_is_no_object_forbids() {
    for value in ["null", "\"AVAILABLE\"", "[]", "5"] {
        check(
            &format!(r#","policy":{value}"#),
            NotAvailable,
            OnInstall,
            None,
            &["error wrongType plugins[0].policy 2:37"],
        );
    }
}
