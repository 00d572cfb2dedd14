use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, ProblemKind, RemoteScope};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixture::{NOW, access, catalog, item, with};
use crate::{Access, Catalog, Directory, Validators, rfc3339};

const SCOPE: RemoteScope = RemoteScope::Global;

struct Home {
    _dir: tempfile::TempDir,
    catalog: Catalog,
    access: Access,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = AbsPath::new(dir.path()).unwrap();
        Self {
            _dir: dir,
            catalog: catalog(&home),
            access: access("https://h.example/api"),
        }
    }

    fn layout(&self) -> &Layout {
        &self.catalog.layout
    }

    fn file(&self) -> AbsPath {
        self.catalog.directory_file(&self.access, SCOPE)
    }

    fn write(&self, text: &str) {
        Disk::new()
            .replace(&self.file(), text.as_bytes(), 0o600)
            .unwrap();
    }

    fn text(&self) -> String {
        String::from_utf8(Disk::new().read(&self.file(), 1 << 20).unwrap()).unwrap()
    }

    fn keep(&self, items: &[Value], validators: Option<&Validators>) -> Directory {
        let directory = directory(items);
        let kept = self
            .catalog
            .keep(&self.access, SCOPE, &directory, validators);
        assert!(kept.unwrap());
        directory
    }

    fn touch(&self, validators: &Validators) -> bool {
        self.catalog.touch(&self.access, SCOPE, validators).unwrap()
    }

    fn cached(&self) -> Option<super::CachedDirectory> {
        self.catalog.cached(&self.access, SCOPE).value
    }
}

fn directory(items: &[Value]) -> Directory {
    let text = json!(items).to_string();
    let raw = serde_json::from_str(&text).unwrap();
    Directory::of_file(raw, &text).unwrap()
}

/// What a directory says, whatever the white space it came with.
fn said(directory: &Directory) -> (Vec<Value>, usize, bool) {
    let items = directory.items.iter();
    let items = items.map(|item| serde_json::from_str(item.json()).unwrap());
    (
        items.collect(),
        directory.problems.len(),
        directory.complete,
    )
}

fn marks(etag: &str) -> Validators {
    Validators {
        etag: Some(etag.to_owned()),
        last_modified: None,
    }
}

fn at(seconds: i64) -> String {
    let now = i64::try_from(NOW.as_secs()).unwrap();
    let then = u64::try_from(now + seconds).unwrap();
    rfc3339::format(std::time::Duration::from_secs(then))
}

#[test]
fn the_file_is_that_of_the_reference() {
    let home = Home::new();
    let small = json!({"id": "plugins_a", "name": "a", "scope": "GLOBAL", "unknown": [],
        "installation_policy": "AVAILABLE", "authentication_policy": "ON_USE",
        "release": {"display_name": "A", "interface": {}, "bundle_download_url": "https://x/secret"}});
    home.keep(&[small], None);
    let expected = r#"{
  "schema_version": 1,
  "fetched_at": "1994-11-06T08:49:37Z",
  "plugins": [
    {
      "authentication_policy": "ON_USE",
      "id": "plugins_a",
      "installation_policy": "AVAILABLE",
      "name": "a",
      "release": {
        "display_name": "A",
        "interface": {}
      },
      "scope": "GLOBAL",
      "unknown": []
    }
  ]
}"#;
    assert_eq!(home.text(), expected);
    let stamp = Disk::new().stamp(&home.file()).unwrap().unwrap();
    assert_eq!(
        stamp.mode & 0o777,
        if cfg!(unix) {
            0o600
        } else {
            stamp.mode & 0o777
        }
    );
    assert!(
        home.file()
            .starts_with(&home.layout().home().join("cache/remote_plugin_catalog"))
    );
}

/// A file that the reference wrote, byte for byte.
#[test]
fn a_file_of_the_reference_is_read() {
    let home = Home::new();
    home.write(include_str!("reference.json"));
    let found = home.catalog.cached(&home.access, SCOPE);
    assert_eq!(found.problems, []);
    let found = found.value.unwrap();
    assert_eq!((found.directory.problems.len(), found.is_fresh), (0, false));
    assert_eq!(found.fetched_at, Some(1_795_245_802));
    let item = &found.directory.items[0];
    let skills: Vec<_> = item
        .release
        .skills
        .iter()
        .map(|skill| skill.name.as_str())
        .collect();
    assert_eq!((item.name.as_str(), skills), ("one", vec!["sk"]));
}

#[test]
fn what_is_kept_is_read_again() {
    let home = Home::new();
    assert_eq!(
        home.catalog.cached(&home.access, SCOPE),
        super::Kept {
            value: None,
            problems: vec![]
        }
    );
    let kept = home.keep(&[item("b"), item("a")], Some(&marks("x")));
    let found = home.cached().unwrap();
    assert_eq!(said(&found.directory), said(&kept));
    assert_eq!(found.validators, Some(marks("x")));
    assert_eq!(found.fetched_at, i64::try_from(NOW.as_secs()).ok());
    assert!(found.is_fresh);
    // Another scope and another account have files of their own.
    assert_eq!(
        home.catalog.cached(&home.access, RemoteScope::User).value,
        None
    );
    let mut other = home.access.clone();
    other.account.user_id = Some("other".to_owned());
    assert_eq!(home.catalog.cached(&other, SCOPE).value, None);
}

#[test]
fn three_hours_are_fresh() {
    let check = |fetched_at: Value, is_fresh: bool| {
        let home = Home::new();
        let whole = json!({"schema_version": 1, "fetched_at": fetched_at, "plugins": [item("a")]});
        home.write(&whole.to_string());
        let found = home.cached().unwrap();
        assert_eq!(
            (found.directory.items.len(), found.is_fresh),
            (1, is_fresh),
            "{fetched_at}"
        );
    };
    check(json!(at(0)), true);
    check(json!(at(-3 * 3600 + 1)), true);
    check(json!(at(-3 * 3600)), false);
    check(json!(at(1)), false);
    check(json!("1994-11-06 09:49:37+01:00"), true);
    check(Value::Null, false);
    check(json!("yesterday"), false);
    check(json!(5), false);
}

#[test]
fn marks_hold_only_for_the_file_they_came_with() {
    let home = Home::new();
    home.keep(&[item("a")], Some(&marks("x")));
    let text = home.text();
    // The reference has written it anew, with the same meaning or another one.
    home.write(&format!("{text}\n"));
    assert_eq!(home.cached().unwrap().validators, None);
    assert!(!home.touch(&marks("x")));
    home.write(&text);
    assert_eq!(home.cached().unwrap().validators, Some(marks("x")));
    home.keep(&[item("a")], None);
    assert_eq!(home.cached().unwrap().validators, None);
    // Marks of which a piece is missing.
    home.keep(&[item("a")], Some(&marks("x")));
    let beside = home.catalog.validators_file(&home.access, SCOPE);
    for broken in ["", "{", "[]", "{\"version\": 2}", "{\"version\": 1}"] {
        Disk::new()
            .replace(&beside, broken.as_bytes(), 0o600)
            .unwrap();
        let found = home.catalog.cached(&home.access, SCOPE);
        assert_eq!(found.value.unwrap().validators, None, "{broken}");
        assert_eq!(found.problems, []);
    }
}

#[test]
fn an_unchanged_directory_becomes_young_again() {
    let home = Home::new();
    assert!(!home.touch(&marks("x")));
    home.keep(&[item("a")], Some(&marks("x")));
    let text = home.text();
    let old = text.replace("1994-11-06T08:49:37Z", "1990-01-01T00:00:00Z");
    home.write(&old);
    home.catalog
        .keep_validators(&home.access, SCOPE, &old, Some(&marks("x")))
        .unwrap();
    assert!(!home.cached().unwrap().is_fresh);
    assert!(!home.touch(&marks("y")));
    assert_eq!(home.text(), old);
    assert!(home.touch(&marks("x")));
    assert_eq!(home.text(), text);
    let found = home.cached().unwrap();
    assert_eq!((found.validators, found.is_fresh), (Some(marks("x")), true));
}

#[test]
fn half_a_directory_is_not_kept() {
    let home = Home::new();
    home.keep(&[item("a")], Some(&marks("x")));
    let mut half = directory(&[item("b")]);
    half.complete = false;
    assert!(!home.catalog.keep(&home.access, SCOPE, &half, None).unwrap());
    let found = home.cached().unwrap().directory;
    assert_eq!(said(&found), said(&directory(&[item("a")])));
    // With a bad item, which is not kept, the service has to say it again.
    let bad = with(item("b"), "installation_policy", json!("WHAT"));
    home.keep(&[item("a"), bad], Some(&marks("x")));
    let found = home.cached().unwrap();
    assert_eq!((found.directory.items.len(), found.validators), (1, None));
}

#[test]
fn a_bad_item_spoils_itself_only() {
    let home = Home::new();
    let bad = with(item("b"), "name", json!("b b"));
    let whole = json!({"schema_version": 1, "fetched_at": at(0), "plugins": [item("a"), bad, 5]});
    home.write(&whole.to_string());
    let found = home.cached().unwrap();
    assert_eq!(found.directory.items, directory(&[item("a")]).items);
    let problems = &found.directory.problems;
    assert_eq!(problems.len(), 2);
    assert!(
        problems
            .iter()
            .all(|problem| problem.path == Some(home.file()))
    );
    assert_eq!(problems[1].field.as_deref(), Some("plugins[2]"));
}

#[test]
fn a_file_that_cannot_be_used_counts_as_none() {
    let check = |text: &str, kind: ProblemKind| {
        let home = Home::new();
        home.write(text);
        let found = home.catalog.cached(&home.access, SCOPE);
        assert_eq!(found.value, None, "{text}");
        let problems = found.problems.iter();
        let problems: Vec<_> = problems
            .map(|found| (found.kind, found.path.clone()))
            .collect();
        assert_eq!(problems, [(kind, Some(home.file()))], "{text}");
    };
    check("", ProblemKind::Syntax);
    check("{nope", ProblemKind::Syntax);
    check("[]", ProblemKind::WrongType);
    check("{}", ProblemKind::UnsupportedSchema);
    check(
        r#"{"schema_version": 2, "plugins": []}"#,
        ProblemKind::UnsupportedSchema,
    );
    check(
        r#"{"schema_version": "1", "plugins": []}"#,
        ProblemKind::UnsupportedSchema,
    );
    check(r#"{"schema_version": 1}"#, ProblemKind::MissingField);
    check(
        r#"{"schema_version": 1, "plugins": {}}"#,
        ProblemKind::WrongType,
    );
    let home = Home::new();
    home.keep(&[item("a")], None);
    let whole = home.text();
    for length in (0..whole.len()).step_by(7) {
        check(&whole[..length], ProblemKind::Syntax);
    }
}

#[test]
fn a_directory_in_its_place_is_a_problem_and_an_error_to_write() {
    let home = Home::new();
    Disk::new().create_dirs(&home.file()).unwrap();
    let found = home.catalog.cached(&home.access, SCOPE);
    assert_eq!(found.problems[0].kind, ProblemKind::NotAFile);
    assert_eq!(found.value, None);
    let kept = home
        .catalog
        .keep(&home.access, SCOPE, &directory(&[]), None);
    assert_eq!(kept.unwrap_err().path(), &home.file());
}

#[cfg(unix)]
#[test]
fn a_file_that_others_could_read_is_closed() {
    let home = Home::new();
    home.keep(&[item("a")], None);
    Disk::new().set_mode(&home.file(), 0o644).unwrap();
    home.keep(&[item("a")], None);
    assert_eq!(
        Disk::new().stamp(&home.file()).unwrap().unwrap().mode & 0o777,
        0o600
    );
}
