//! Apps (connectors) that a plugin names in its apps file.

use std::collections::HashSet;

use plugd_disk::Disk;
use plugd_model::{AbsPath, ManifestFormat, PluginManifest, Problem, ProblemKind};

use crate::Found;
use crate::item::{Document, Member, report_misspelt, take};
use crate::tree::PluginTree;

/// Where apps are declared when the manifest names no file.
const DEFAULT_FILE: &str = ".app.json";
/// The largest apps file that is read.
const MAX_FILE: u64 = 1024 * 1024;

/// An app that a plugin uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The connector's id, not blank.
    pub id: String,
    /// What the plugin's author calls it.
    pub label: String,
    /// Where it is filed, as far as the plugin says.
    pub category: Option<String>,
}

/// The apps of a plugin, in file order, each id once. The Agent Plugins format has none.
#[must_use]
pub fn apps(disk: &Disk, root: &AbsPath, manifest: &PluginManifest) -> Found<App> {
    if manifest.format == ManifestFormat::AgentPlugins {
        return Found::nothing();
    }
    match PluginTree::open(disk, root) {
        Ok(tree) => read(&tree, manifest).0.bounded(),
        Err(problem) => Found::only(problem),
    }
}

/// The apps of a plugin, and errors for what nobody here knows beside them.
pub(crate) fn read(tree: &PluginTree<'_>, manifest: &PluginManifest) -> (Found<App>, Vec<Problem>) {
    let mut strays = Vec::new();
    if manifest.format == ManifestFormat::AgentPlugins {
        return (Found::nothing(), strays);
    }
    let found = declared(tree, manifest, &mut strays).unwrap_or_else(Found::only);
    (found, strays)
}

fn declared(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    strays: &mut Vec<Problem>,
) -> Result<Found<App>, Problem> {
    let file = match &manifest.apps {
        Some(path) => path.below(tree.root()),
        None => tree.root().join(DEFAULT_FILE),
    };
    let Some(text) = tree.read(&file, MAX_FILE)? else {
        if manifest.apps.is_some() {
            let text = "the manifest names this apps file, and it does not exist";
            return Err(Problem::warning(ProblemKind::Missing, text).in_file(&file));
        }
        return Ok(Found::nothing());
    };
    let mut found = Found::nothing();
    let document = Document::parse_file(&text, &file)?;
    let members = document.root("").object(&mut found.problems)?;
    let Some(apps) = take(&members, "apps") else {
        report_misspelt(&members, &["apps"], &mut found.problems);
        let text = "the apps file has no member `apps`";
        let root = document.root("");
        found
            .problems
            .push(root.problem(ProblemKind::MissingField, text));
        return Ok(found);
    };
    let beside = members.iter().filter(|(name, _)| name != "apps");
    let beside = beside.filter(|(_, value)| value.holds_values());
    strays.extend(beside.map(|(_, value)| value.stray()));
    let mut seen = HashSet::new();
    for member in apps.object(&mut found.problems)? {
        match app(member, &mut found.problems) {
            Ok(app) if seen.insert(app.id.clone()) => found.items.push(app),
            Ok(_) => {}
            Err(problem) => found.problems.push(problem),
        }
    }
    Ok(found)
}

fn app((label, value): Member<'_>, problems: &mut Vec<Problem>) -> Result<App, Problem> {
    let members = value.object(problems)?;
    report_misspelt(&members, &["id", "category"], problems);
    let Some(id) = take(&members, "id") else {
        return Err(value.problem(ProblemKind::MissingField, "the app has no `id`"));
    };
    let text = id.string()?;
    if text.trim().is_empty() {
        return Err(id.problem(ProblemKind::BadValue, "the id is blank"));
    }
    let category = take(&members, "category").and_then(|category| match category.string() {
        Ok(category) => Some(category),
        Err(problem) => {
            problems.push(problem.as_warning());
            None
        }
    });
    Ok(App {
        id: text,
        label,
        category,
    })
}

#[cfg(test)]
mod tests {
    use plugd_model::PluginPath;
    use pretty_assertions::assert_eq;

    use super::{App, apps};
    use crate::fixture::Plugin;

    fn show(app: &App) -> String {
        let category = app.category.as_deref().unwrap_or("-");
        format!("{} {} {category}", app.label, app.id)
    }

    #[track_caller]
    fn check_plugin(plugin: &Plugin, items: &[&str], problems: &[&str]) {
        let found = apps(&plugin.disk, &plugin.root(), &plugin.manifest);
        assert_eq!(found.items.iter().map(show).collect::<Vec<_>>(), items);
        assert_eq!(plugin.problems(&found.problems), problems);
    }

    #[track_caller]
    fn check(file: &str, items: &[&str], problems: &[&str]) {
        check_plugin(&Plugin::new().file(".app.json", file), items, problems);
    }

    #[test]
    fn the_apps_file() {
        check(
            r#"{"apps": {"b": {"id": "c_2"}, "a": {"id": "c_1", "category": "Mail", "x": 1}}}"#,
            &["b c_2 -", "a c_1 Mail"],
            &[],
        );
        check(
            r#"{"apps": {"a": {"id": "c"}, "b": {"id": "c"}}}"#,
            &["a c -"],
            &[],
        );
        check(r#"{"apps": {}}"#, &[], &[]);
        check_plugin(&Plugin::new(), &[], &[]);
    }

    #[test]
    fn typing_errors_are_told() {
        check(
            r#"{"apps": {"a": {"id": "c", "catgory": "Mail"}}}"#,
            &["a c -"],
            &["unknownField .app.json apps.a.catgory 1:39"],
        );
    }

    #[test]
    fn a_bad_entry_spoils_itself_only() {
        check(
            "{\"apps\": {\n \"a\": {},\n \"b\": {\"id\": \" \"},\n \"c\": 5,\n \"d\": {\"id\": 5},\n \"e\": {\"id\": \"x\", \"category\": 5}}}",
            &["e x -"],
            &[
                "missingField .app.json apps.a 2:7",
                "badValue .app.json apps.b.id 3:14",
                "wrongType .app.json apps.c 4:7",
                "wrongType .app.json apps.d.id 5:14",
                "wrongType .app.json apps.e.category 6:31",
            ],
        );
    }

    #[test]
    fn an_unusable_file_says_why() {
        check("{", &[], &["syntax .app.json 1:1"]);
        check("[]", &[], &["wrongType .app.json 1:1"]);
        check(r#"{"apps": []}"#, &[], &["wrongType .app.json apps 1:10"]);
        check(
            r#"{"a": {"id": "c"}}"#,
            &[],
            &["missingField .app.json 1:1"],
        );
        check(
            r#"{"aps": {"a": {"id": "c"}}}"#,
            &[],
            &[
                "unknownField .app.json aps 1:9",
                "missingField .app.json 1:1",
            ],
        );
        check_plugin(
            &Plugin::new().dir(".app.json"),
            &[],
            &["notAFile .app.json"],
        );
    }

    #[test]
    fn the_manifest_can_name_another_file() {
        let named = |plugin: Plugin| plugin.with(|m| m.apps = PluginPath::parse("./x.json"));
        let content = r#"{"apps": {"a": {"id": "c"}}}"#;
        check_plugin(
            &named(Plugin::new().file("x.json", content)),
            &["a c -"],
            &[],
        );
        check_plugin(
            &named(Plugin::new().file(".app.json", content)),
            &[],
            &["missing x.json"],
        );
    }

    #[test]
    fn the_agent_plugins_format_has_no_apps() {
        let content = r#"{"apps": {"a": {"id": "c"}}}"#;
        check_plugin(&Plugin::agent().file(".app.json", content), &[], &[]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_may_stay_inside_and_not_leave() {
        let content = r#"{"apps": {"a": {"id": "c"}}}"#;
        let inside = Plugin::new()
            .file("real.json", content)
            .link(".app.json", "real.json");
        check_plugin(&inside, &["a c -"], &[]);
        let outside = Plugin::new();
        let target = outside.outside().join("secret.json");
        outside
            .disk
            .replace(&target, content.as_bytes(), 0o644)
            .unwrap();
        check_plugin(
            &outside.link(".app.json", target.as_path()),
            &[],
            &["badPath .app.json"],
        );
        check_plugin(
            &Plugin::new().link(".app.json", "nowhere"),
            &[],
            &["missing .app.json"],
        );
        check_plugin(
            &Plugin::new().link(".app.json", ".app.json"),
            &[],
            &["unreadable .app.json"],
        );
    }
}
