use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, ProblemKind, RemotePluginId};
use pretty_assertions::assert_eq;

use super::{insert_share_path, read_share_paths, remove_share_path};

struct Home {
    _dir: tempfile::TempDir,
    layout: Layout,
}

impl Home {
    fn with(text: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = AbsPath::new(dir.path()).unwrap();
        let layout = Layout::new(home.clone(), home);
        if let Some(text) = text {
            Disk::new()
                .replace(&layout.share_paths(), text.as_bytes(), 0o644)
                .unwrap();
        }
        Self { _dir: dir, layout }
    }

    fn text(&self) -> Option<String> {
        let bytes = Disk::new().read(&self.layout.share_paths(), 1 << 20).ok()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    fn rows(&self) -> Vec<String> {
        let paths = read_share_paths(&Disk::new(), &self.layout).paths;
        paths
            .iter()
            .map(|(id, path)| format!("{id} {path}"))
            .collect()
    }

    fn problems(&self) -> Vec<ProblemKind> {
        let problems = read_share_paths(&Disk::new(), &self.layout).problems;
        let path = Some(self.layout.share_paths());
        assert!(problems.iter().all(|problem| problem.path == path));
        problems.iter().map(|problem| problem.kind).collect()
    }

    fn insert(&self, name: &str, path: &str) -> usize {
        let path = AbsPath::new(path).unwrap();
        insert_share_path(&Disk::new(), &self.layout, &id(name), &path)
            .unwrap()
            .len()
    }

    fn remove(&self, name: &str) -> usize {
        remove_share_path(&Disk::new(), &self.layout, &id(name))
            .unwrap()
            .len()
    }
}

fn id(name: &str) -> RemotePluginId {
    RemotePluginId::parse(name).unwrap()
}

/// The reference's text for two rows.
const TWO: &str = "{\n  \"localPluginPathsByRemotePluginId\": {\n    \"plugins_b\": \"/b\",\n    \
                   \"plugins_z\": \"/z\"\n  }\n}\n";

#[test]
fn the_file_is_that_of_the_reference() {
    let home = Home::with(None);
    assert_eq!((home.rows(), home.problems()), (Vec::new(), Vec::new()));
    assert_eq!(
        (
            home.insert("plugins_z", "/z"),
            home.insert("plugins_b", "/b")
        ),
        (0, 0)
    );
    assert_eq!(home.text().as_deref(), Some(TWO));
    if cfg!(unix) {
        let stamp = Disk::new()
            .stamp(&home.layout.share_paths())
            .unwrap()
            .unwrap();
        assert_eq!(stamp.mode & 0o777, 0o600);
    }
    assert_eq!(home.rows(), ["plugins_b /b", "plugins_z /z"]);
    home.insert("plugins_b", "/c");
    assert_eq!(home.rows(), ["plugins_b /c", "plugins_z /z"]);
    assert_eq!((home.remove("plugins_b"), home.remove("plugins_q")), (0, 0));
    assert_eq!(home.rows(), ["plugins_z /z"]);
    home.remove("plugins_z");
    assert_eq!(home.text(), None);
    assert_eq!(home.remove("plugins_z"), 0);
}

#[test]
fn what_is_not_meant_stays() {
    let rows = r#""localPluginPathsByRemotePluginId": {"plugins_b": "/b", "plugins_a": "/a"}"#;
    let home = Home::with(Some(&format!(r#"{{"more": 1e400, {rows}}}"#)));
    home.remove("plugins_q");
    assert!(
        home.text().unwrap().starts_with("{\"more\""),
        "nothing to do, nothing written"
    );
    home.remove("plugins_a");
    let expected = "{\n  \"more\": 1e400,\n  \"localPluginPathsByRemotePluginId\": {\n    \
                    \"plugins_b\": \"/b\"\n  }\n}\n";
    assert_eq!(home.text().as_deref(), Some(expected));
    if cfg!(unix) {
        let stamp = Disk::new()
            .stamp(&home.layout.share_paths())
            .unwrap()
            .unwrap();
        assert_eq!(stamp.mode & 0o777, 0o600);
    }
}

#[test]
fn a_bad_row_spoils_itself_only() {
    use ProblemKind::{BadName, BadPath, MissingField, WrongType};
    let text = r#"{"localPluginPathsByRemotePluginId":
        {"bad.id": "/a", "plugins_b": "b", "plugins_c": 5, "plugins_d": "/d", "plugins_e": null}}"#;
    let home = Home::with(Some(text));
    assert_eq!(home.rows(), ["plugins_d /d"]);
    assert_eq!(home.problems(), [BadName, BadPath, WrongType, MissingField]);
    // The reference lists nothing while such rows stand there.
    assert_eq!(home.insert("plugins_d", "/d"), 4);
    assert_eq!(
        (home.rows(), home.problems()),
        (vec!["plugins_d /d".to_owned()], Vec::new())
    );
}

#[test]
fn a_file_that_cannot_be_read_is_empty() {
    let check = |text: &str, kind: ProblemKind| {
        let home = Home::with(Some(text));
        assert_eq!(
            (home.rows(), home.problems()),
            (Vec::new(), vec![kind]),
            "{text}"
        );
        assert_eq!(home.insert("plugins_b", "/b"), 1);
        assert_eq!(
            (home.rows(), home.problems()),
            (vec!["plugins_b /b".to_owned()], vec![])
        );
        let home = Home::with(Some(text));
        assert_eq!(home.remove("plugins_b"), 1);
        assert_eq!(home.text(), None);
    };
    check("", ProblemKind::Syntax);
    check("{nope", ProblemKind::Syntax);
    check("[]", ProblemKind::WrongType);
    check(
        r#"{"localPluginPathsByRemotePluginId": []}"#,
        ProblemKind::WrongType,
    );
    for length in 1..TWO.len() - 2 {
        check(&TWO[..length], ProblemKind::Syntax);
    }
    let home = Home::with(None);
    Disk::new().create_dirs(&home.layout.share_paths()).unwrap();
    assert_eq!(home.problems(), [ProblemKind::NotAFile]);
    let path = AbsPath::new("/b").unwrap();
    let failed = insert_share_path(&Disk::new(), &home.layout, &id("plugins_b"), &path);
    assert_eq!(failed.unwrap_err().path(), &home.layout.share_paths());
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_told_and_replaced() {
    let home = Home::with(Some(TWO));
    let file = home.layout.share_paths();
    Disk::new().remove_file(&file).unwrap();
    std::os::unix::fs::symlink("nowhere", file.as_path()).unwrap();
    assert_eq!(home.problems(), [ProblemKind::Missing]);
    assert_eq!(home.insert("plugins_b", "/b"), 1);
    assert_eq!(
        (home.rows(), home.problems()),
        (vec!["plugins_b /b".to_owned()], vec![])
    );
}
