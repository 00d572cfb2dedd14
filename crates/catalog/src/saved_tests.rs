use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::{AbsPath, ProblemKind};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixture::{NOW, access, catalog, item, with, without};
use crate::{Access, Catalog, Directory, InstalledItem, InstalledSet, Validators};

fn home() -> (tempfile::TempDir, Catalog, Access) {
    let dir = tempfile::tempdir().unwrap();
    let home = AbsPath::new(dir.path()).unwrap();
    (dir, catalog(&home), access("https://h.example/api"))
}

fn installed(name: &str) -> Value {
    let item = with(item(name), "enabled", json!(false));
    let item = with(item, "disabled_skill_names", json!(["one"]));
    let item = with(
        item,
        "release.bundle_download_url",
        json!("https://x/secret"),
    );
    with(item, "installed_at", json!("1970-01-01T00:00:05Z"))
}

fn set(items: &[Value]) -> InstalledSet {
    let text = json!(items).to_string();
    InstalledSet::of_file(serde_json::from_str(&text).unwrap(), &text).unwrap()
}

#[test]
fn the_installed_set_of_an_account_survives() {
    let (_dir, catalog, access) = home();
    assert_eq!(catalog.saved_installed(&access).value, None);
    let whole = set(&[installed("a"), installed("b")]);
    assert!(catalog.save_installed(&access, &whole).unwrap());
    let found = catalog.saved_installed(&access);
    assert_eq!(found.problems, Vec::new());
    let found = found.value.unwrap();
    assert_eq!((found.complete, found.problems.len()), (true, 0));
    assert_eq!(found.items.len(), 2);
    for (one, before) in found.items.iter().zip(&whole.items) {
        assert_eq!((one.enabled, one.installed_at), (false, Some(5)));
        assert_eq!(one.disabled_skill_names, before.disabled_skill_names);
        assert_eq!(one.item.plugin_id(), before.item.plugin_id());
        // The address of the bundle is all that is lost.
        let mut release = one.item.release.clone();
        assert!(release.bundle_url.is_none() && before.item.release.bundle_url.is_some());
        release
            .bundle_url
            .clone_from(&before.item.release.bundle_url);
        assert_eq!(release, before.item.release);
    }
    let text = Disk::new()
        .read(&catalog.installed_file(&access), 1 << 20)
        .unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        !text.contains("secret") && text.starts_with("{\n  \"version\": 1,\n"),
        "{text}"
    );
    let mut other = access.clone();
    other.account.account_id = None;
    assert_eq!(catalog.saved_installed(&other).value, None);
}

#[test]
fn half_a_set_is_not_kept() {
    let (_dir, catalog, access) = home();
    catalog
        .save_installed(&access, &set(&[installed("a")]))
        .unwrap();
    let half = set(&[installed("b"), without(installed("c"), "enabled")]);
    assert!(!half.complete);
    assert!(!catalog.save_installed(&access, &half).unwrap());
    let found = catalog.saved_installed(&access).value.unwrap();
    assert_eq!(found.items[0].item.name.as_str(), "a");
}

#[test]
fn what_cannot_be_read_is_a_problem() {
    let (_dir, catalog, access) = home();
    let path = catalog.installed_file(&access);
    let check = |text: &str, kind: ProblemKind| {
        Disk::new().replace(&path, text.as_bytes(), 0o600).unwrap();
        let found = catalog.saved_installed(&access);
        assert_eq!(found.value, None, "{text}");
        assert_eq!(
            (found.problems[0].kind, found.problems[0].path.as_ref()),
            (kind, Some(&path))
        );
    };
    check("", ProblemKind::Syntax);
    check("{\"version\": 1, \"plugins\": [", ProblemKind::Syntax);
    check(
        "{\"version\": 2, \"plugins\": []}",
        ProblemKind::UnsupportedSchema,
    );
    check("{\"version\": 1}", ProblemKind::MissingField);
    let bad = json!({"version": 1, "plugins": [installed("a"), 5]}).to_string();
    Disk::new().replace(&path, bad.as_bytes(), 0o600).unwrap();
    let found = catalog.saved_installed(&access).value.unwrap();
    assert_eq!(
        (found.items.len(), found.complete, found.problems.len()),
        (1, false, 1)
    );
    assert_eq!(found.problems[0].path.as_ref(), Some(&path));
    Disk::new().remove_file(&path).unwrap();
    Disk::new().create_dirs(&path).unwrap();
    assert_eq!(
        catalog.saved_installed(&access).problems[0].kind,
        ProblemKind::NotAFile
    );
}

#[test]
fn featured_plugins_survive() {
    let (_dir, catalog, access) = home();
    let marks = Validators {
        etag: None,
        last_modified: Some("Sun".to_owned()),
    };
    let ids = ["a@b".to_owned(), "c".to_owned()];
    catalog.save_featured(&access, &ids, Some(&marks)).unwrap();
    let found = catalog.saved_featured(&access).value.unwrap();
    assert_eq!((found.ids, found.validators), (ids.to_vec(), Some(marks)));
    assert_eq!(found.fetched_at, i64::try_from(NOW.as_secs()).ok());
    catalog.save_featured(&access, &[], None).unwrap();
    let found = catalog.saved_featured(&access).value.unwrap();
    assert_eq!((found.ids, found.validators), (Vec::new(), None));
}

#[test]
fn what_was_noted_survives() {
    let (_dir, catalog, access) = home();
    let directory = with(item("a"), "release.bundle_download_url", json!("https://x"));
    let text = json!([directory]).to_string();
    let listed = Directory::of_file(serde_json::from_str(&text).unwrap(), &text).unwrap();
    let mut off = set(&[installed("b")]).items.remove(0);
    off.switch_on();
    let noted = InstalledItem::noted(&listed.items[0], Duration::from_secs(7));
    let whole = InstalledSet {
        items: vec![noted, off],
        problems: Vec::new(),
        complete: true,
    };
    assert!(catalog.save_installed(&access, &whole).unwrap());
    let found = catalog.saved_installed(&access).value.unwrap();
    assert_eq!(found.problems, Vec::new());
    let shown = found.items.iter().map(|one| {
        let silenced = one.disabled_skill_names.len();
        (
            one.item.name.as_str(),
            one.enabled,
            one.installed_at,
            silenced,
        )
    });
    let expected = [("a", true, Some(7), 0), ("b", true, Some(5), 1)];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}
