//! Tests of the format of items.

use plugd_model::{AuthPolicy, Discoverability, InstallPolicy, RemoteMarketplace};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{installed, item};
use crate::fixture::{self, with, without};
use crate::json::{Notes, Source, check as parse};
use crate::{
    Availability, DisabledReason, InstallPolicySource, InstalledItem, Item, Principal,
    PrincipalKind, PrincipalRole, Secret,
};

pub(in crate::item) fn read(value: &Value) -> (Result<Item, String>, Vec<String>) {
    let text = value.to_string();
    let raw = parse(text.as_bytes()).unwrap();
    let mut notes = Notes::default();
    let item = item(raw, "plugins[0]", Source(None), &mut notes);
    let shown = |problem: plugd_model::Problem| {
        format!("{}: {}", problem.field.unwrap_or_default(), problem.message)
    };
    (
        item.map_err(shown),
        notes.0.into_iter().map(shown).collect(),
    )
}

pub(in crate::item) fn good(value: &Value) -> Item {
    let (item, notes) = read(value);
    assert_eq!(notes, Vec::<String>::new());
    item.unwrap()
}

/// The item is left out, for this reason.
#[track_caller]
fn check_bad(value: Value, expected: &str) {
    assert_eq!(read(&value), (Err(expected.to_owned()), Vec::new()));
}

/// The item stays and this is said.
#[track_caller]
fn check_note(value: Value, expected: &str) -> Item {
    let (item, notes) = read(&value);
    assert_eq!(notes, [expected]);
    item.unwrap()
}

#[test]
fn the_smallest_item() {
    let item = good(&fixture::item("a"));
    assert_eq!(item.plugin_id().to_string(), "a@openai-curated-remote");
    assert_eq!(item.install_policy, InstallPolicy::Available);
    assert_eq!(item.auth_policy, AuthPolicy::OnInstall);
    assert_eq!(item.availability, Availability::Available);
    assert_eq!((item.disabled_reason, item.discoverability), (None, None));
    assert_eq!(item.release.version.as_deref(), Some("1.0.0"));
    assert_eq!(item.release.scheduled_tasks, None);
    let interface = item.release.interface.clone().unwrap();
    assert_eq!(interface.texts.display_name.as_deref(), Some("Name"));
    assert_eq!(
        format!("{item:?}"),
        "Item { id: RemotePluginId(\"plugins~a\"), name: PluginName(\"a\"), \
         marketplace: CuratedRemote, version: Some(\"1.0.0\"), .. }"
    );
}

#[test]
fn what_decides_something_spoils_the_item() {
    let a = || fixture::item("a");
    let left_out = |field: &str, reason: &str| {
        format!("plugins[0].{field}: the remote plugin `plugins~a`: was left out: {reason}")
    };
    check_bad(json!([1]), "plugins[0]: is no object");
    check_bad(without(a(), "id"), "plugins[0].id: `id` is missing");
    check_bad(
        with(a(), "id", json!("a/../b")),
        "plugins[0].id: the remote plugin id `a/../b` has the character '/'; \
         only ASCII letters, digits, `_`, `-` and `~` are allowed",
    );
    check_bad(
        with(a(), "name", json!("../x")),
        &left_out(
            "name",
            "`../x` has the character '/'; \
             only ASCII letters, digits, `_`, `-` and `.` are allowed",
        ),
    );
    for key in [
        "name",
        "scope",
        "installation_policy",
        "authentication_policy",
        "release",
    ] {
        check_bad(
            without(a(), key),
            &left_out(key, &format!("`{key}` is missing")),
        );
        check_bad(
            with(a(), key, json!(7)),
            &match key {
                "release" => left_out(key, "`release` is no object"),
                _ => left_out(key, &format!("`{key}` is not a text")),
            },
        );
    }
    for key in [
        "scope",
        "installation_policy",
        "authentication_policy",
        "status",
    ] {
        let reason = format!("`{key}` has the unknown value `NEW`");
        check_bad(with(a(), key, json!("NEW")), &left_out(key, &reason));
    }
    check_bad(
        with(a(), "disabled_reason", json!({})),
        &left_out("disabled_reason", "`disabled_reason` is not a text"),
    );
    for key in ["version", "bundle_download_url", "bundle_digest"] {
        let path = format!("release.{key}");
        let reason = format!("`{key}` is not a text");
        check_bad(with(a(), &path, json!(1)), &left_out(&path, &reason));
    }
}

#[test]
fn a_workspace_must_say_who_finds_its_plugins() {
    let workspace = with(fixture::item("a"), "scope", json!("WORKSPACE"));
    let field = "plugins[0].discoverability: the remote plugin `plugins~a`: was left out: ";
    check_bad(
        workspace.clone(),
        &format!("{field}`discoverability` is missing"),
    );
    check_bad(
        with(workspace.clone(), "discoverability", json!("SECRET")),
        &format!("{field}`discoverability` has the unknown value `SECRET`"),
    );
    for (word, expected) in [
        ("LISTED", RemoteMarketplace::WorkspaceDirectory),
        ("UNLISTED", RemoteMarketplace::SharedWithMe),
        ("PRIVATE", RemoteMarketplace::SharedWithMe),
    ] {
        let item = good(&with(workspace.clone(), "discoverability", json!(word)));
        assert_eq!(item.marketplace(), expected);
    }
    let user = with(fixture::item("a"), "scope", json!("USER"));
    assert_eq!(good(&user).marketplace(), RemoteMarketplace::CreatedByMe);
    let odd = with(fixture::item("a"), "discoverability", json!("SECRET"));
    let item = check_note(
        odd,
        "plugins[0].discoverability: the remote plugin `plugins~a`: \
         `discoverability` has the unknown value `SECRET`",
    );
    assert_eq!(item.discoverability, None);
}

#[test]
fn what_is_only_shown_spoils_itself() {
    for (path, value, reason) in [
        (
            "release.display_name",
            json!(1),
            "`display_name` is not a text",
        ),
        (
            "release.description",
            json!(null),
            "`description` is missing",
        ),
        ("release.interface", json!("x"), "`interface` is no object"),
        (
            "release.keywords",
            json!([1]),
            "`keywords` is not a list of texts",
        ),
        ("release.skills", json!({}), "`skills` is not a list"),
        (
            "release.app_ids",
            json!("x"),
            "`app_ids` is not a list of texts",
        ),
        (
            "must_show_installation_interstitial",
            json!("x"),
            "`must_show_installation_interstitial` is not `true` or `false`",
        ),
        (
            "eligible_plan_types",
            json!("x"),
            "`eligible_plan_types` is not a list of texts",
        ),
        ("share_url", json!(1), "`share_url` is not a text"),
    ] {
        let expected = format!("plugins[0].{path}: the remote plugin `plugins~a`: {reason}");
        check_note(with(fixture::item("a"), path, value), &expected);
    }
}

#[test]
fn words_of_policies() {
    let a = || fixture::item("a");
    let check = |word, expected| {
        let item = good(&with(a(), "installation_policy", json!(word)));
        assert_eq!(item.install_policy, expected);
    };
    check("NOT_AVAILABLE", InstallPolicy::NotAvailable);
    check("INSTALLED_BY_DEFAULT", InstallPolicy::InstalledByDefault);
    let item = good(&with(a(), "authentication_policy", json!("ON_USE")));
    assert_eq!(item.auth_policy, AuthPolicy::OnUse);
    let availability = |word| good(&with(a(), "status", json!(word))).availability;
    assert_eq!(availability("ENABLED"), Availability::Available);
    assert_eq!(availability("AVAILABLE"), Availability::Available);
    assert_eq!(
        availability("DISABLED_BY_ADMIN"),
        Availability::DisabledByAdmin
    );
    let reason = |word| good(&with(a(), "disabled_reason", json!(word))).disabled_reason;
    assert_eq!(
        reason("disabled_by_admin"),
        Some(DisabledReason::DisabledByAdmin)
    );
    assert_eq!(
        reason("plan_not_eligible"),
        Some(DisabledReason::PlanNotEligible)
    );
    assert_eq!(
        reason("required_app_unavailable"),
        Some(DisabledReason::RequiredAppUnavailable)
    );
    assert_eq!(reason("whatever"), Some(DisabledReason::Unknown));
    let source = |word| {
        let value = with(a(), "installation_policy_source", json!(word));
        good(&value).install_policy_source
    };
    assert_eq!(
        source("WORKSPACE_SETTING"),
        Some(InstallPolicySource::WorkspaceSetting)
    );
    assert_eq!(
        source("IMPLICIT_CANONICAL_APP"),
        Some(InstallPolicySource::ImplicitCanonicalApp)
    );
    assert_eq!(source("NEW"), None);
}

#[test]
fn half_a_list_of_principals_is_none() {
    let who = |kind: &str, role: &str| json!({ "principal_type": kind, "principal_id": "p", "role": role, "name": "P" });
    let shared = with(
        fixture::item("a"),
        "share_principals",
        json!([who("user", "owner")]),
    );
    assert_eq!(
        good(&shared).sharing.principals,
        Some(vec![Principal {
            kind: PrincipalKind::User,
            id: "p".to_owned(),
            role: PrincipalRole::Owner,
            name: "P".to_owned(),
        }])
    );
    let value = json!([who("group", "reader"), who("workspace", "king")]);
    let item = check_note(
        with(fixture::item("a"), "share_principals", value),
        "plugins[0].share_principals[1].role: the remote plugin `plugins~a`: \
         `role` has the unknown value `king`",
    );
    assert_eq!(item.sharing.principals, None);
}

#[test]
fn the_address_of_a_bundle_is_seen_once() {
    let url = "https://cdn.example/b?sig=hidden";
    let value = with(
        fixture::item("a"),
        "release.bundle_download_url",
        json!(url),
    );
    let item = good(&with(value, "unknown", json!({ "kept": [1, 2] })));
    assert_eq!(item.release.bundle_url, Some(Secret::new(url)));
    assert!(!item.json().contains("hidden"), "{}", item.json());
    assert!(!format!("{:?}", item.release).contains("hidden"));
    let kept: Value = serde_json::from_str(item.json()).unwrap();
    let expected = with(fixture::item("a"), "unknown", json!({ "kept": [1, 2] }));
    assert_eq!(kept, expected);
    let again = good(&kept);
    assert_eq!((again.release.bundle_url, again.id), (None, item.id));
}

fn read_installed(value: &Value) -> (Result<InstalledItem, String>, Vec<String>) {
    let text = value.to_string();
    let raw = parse(text.as_bytes()).unwrap();
    let mut notes = Notes::default();
    let item = installed(raw, "plugins[0]", Source(None), &mut notes);
    let notes = notes.0.into_iter().map(|problem| problem.message);
    (item.map_err(|problem| problem.message), notes.collect())
}

#[test]
fn what_an_account_has_done_with_a_plugin() {
    let value = with(fixture::item("a"), "enabled", json!(true));
    let (item, notes) = read_installed(&value);
    let item = item.unwrap();
    assert_eq!((item.enabled, item.installed_at), (true, None));
    assert!(item.disabled_skill_names.is_empty() && notes.is_empty());
    let value = with(value, "disabled_skill_names", json!(["y", "x", "y"]));
    let value = with(value, "installed_at", json!("1994-11-06T10:49:37+02:00"));
    let item = read_installed(&value).0.unwrap();
    assert_eq!(item.installed_at, Some(784_111_777));
    assert!(item.disabled_skill_names.iter().eq(["x", "y"]));

    let left_out = "the remote plugin `plugins~a`: was left out: ";
    let bad = |value: &Value| read_installed(value).0.unwrap_err();
    assert_eq!(
        bad(&without(value.clone(), "enabled")),
        format!("{left_out}`enabled` is missing")
    );
    assert_eq!(
        bad(&with(value.clone(), "enabled", json!("yes"))),
        format!("{left_out}`enabled` is not `true` or `false`")
    );
    assert_eq!(
        bad(&with(value.clone(), "disabled_skill_names", json!("x"))),
        format!("{left_out}`disabled_skill_names` is not a list of texts")
    );
    for odd in [json!(5), json!("today")] {
        let (item, notes) = read_installed(&with(value.clone(), "installed_at", odd));
        assert_eq!((item.unwrap().installed_at, notes.len()), (None, 1));
    }
}

#[test]
fn a_listed_plugin_may_say_who_finds_it() {
    let value = with(fixture::item("a"), "discoverability", json!("LISTED"));
    assert_eq!(good(&value).discoverability, Some(Discoverability::Listed));
}
