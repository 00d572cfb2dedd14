//! The rules of a listing, without a disk.

use std::sync::Arc;

use plugd_disk::{Disk, Kind, Stamp};
use plugd_manifest::{Loaded, MarketplaceEntry, parse_marketplace, parse_plugin};
use plugd_model::{AbsPath, ManifestFormat, PluginId, Problem, ProblemKind};
use plugd_store::Installed;
use plugd_testkit::{Sandbox, test_environment};
use pretty_assertions::assert_eq;

use super::{Details, Facts, Summary, join};
use crate::Copies;

fn path(text: &str) -> AbsPath {
    AbsPath::new(text).unwrap()
}

fn entry(json: &str) -> MarketplaceEntry {
    let text = format!(r#"{{"name":"m","plugins":[{json}]}}"#);
    let file = path("/m/.agents/plugins/marketplace.json");
    let (marketplace, problems) = parse_marketplace(text.as_bytes(), &file).unwrap();
    assert_eq!(problems, Vec::new());
    marketplace.entries[0].clone()
}

fn details(json: &str) -> Details {
    let file = path("/m/a/.codex-plugin/plugin.json");
    let (value, problems) =
        parse_plugin(json.as_bytes(), ManifestFormat::Codex, "a", &file).unwrap();
    let stamp = Stamp {
        kind: Kind::File,
        device: 1,
        inode: 1,
        size: 1,
        modified_ns: 0,
        changed_ns: 0,
        born_ns: 0,
        mode: 0o644,
    };
    let loaded = Loaded {
        value,
        stamp,
        problems,
        file,
    };
    Details::Manifest(Arc::new(loaded), path("/m/a"))
}

fn copy(version: &str) -> Installed {
    let sandbox = Sandbox::from(&format!(
        "== ch/plugins/cache/m/a/{version}/notes.md\nsomething\n"
    ));
    let environment = test_environment(&sandbox);
    let (names, clock) = (environment.names, environment.clock);
    let copies = Copies::new(Disk::new(), sandbox.layout(), names, clock);
    let id = PluginId::parse("a@m").unwrap();
    copies.store().unwrap().get(&id).unwrap().unwrap()
}

fn summary(
    details: Details,
    installed: Option<&str>,
    setting: Option<bool>,
    content_differs: bool,
) -> Summary {
    let entry = entry(r#"{"name":"a","source":"./a"}"#);
    let installed = installed.map(copy);
    let offered_version = details
        .manifest()
        .and_then(|manifest| manifest.version.clone());
    join(Facts {
        id: PluginId::parse("a@m").unwrap(),
        entry: &entry,
        details: &details,
        installed: installed.as_ref(),
        setting,
        offered_version,
        content_differs,
        linked: None,
    })
}

#[test]
fn installed_means_configured_and_in_the_store() {
    for (copy, setting, installed, enabled) in [
        (None, None, false, false),
        (None, Some(true), false, true),
        (Some("1.0.0"), None, false, false),
        (Some("1.0.0"), Some(true), true, true),
        (Some("1.0.0"), Some(false), true, false),
    ] {
        let summary = summary(details(r#"{"version":"1.0.0"}"#), copy, setting, false);
        assert_eq!(
            (summary.installed, summary.enabled),
            (installed, enabled),
            "{copy:?} {setting:?}"
        );
        let version = summary.installed_version.map(|version| version.to_string());
        assert_eq!(version.as_deref(), copy.filter(|_| installed));
    }
}

#[test]
fn an_update_is_another_version_or_other_content() {
    for (copy, differs, expected) in [
        (Some("1.0.0"), false, false),
        (Some("0.9.0"), false, true),
        (Some("2.0.0"), false, true),
        (Some("1.0.0"), true, true),
        (None, true, false),
    ] {
        let manifest = details(r#"{"version":"1.0.0"}"#);
        let summary = summary(manifest, copy, Some(true), differs);
        assert_eq!(summary.update_available, expected, "{copy:?} {differs}");
    }
}

#[test]
fn the_entrys_category_wins_and_makes_an_interface() {
    let with = |manifest: &str, category: Option<&str>| {
        let category = category.map_or(String::new(), |one| format!(r#","category":"{one}""#));
        let entry = entry(&format!(r#"{{"name":"a","source":"./a"{category}}}"#));
        let summary = join(Facts {
            id: PluginId::parse("a@m").unwrap(),
            entry: &entry,
            details: &details(manifest),
            installed: None,
            setting: None,
            offered_version: None,
            linked: None,
            content_differs: false,
        });
        summary
            .interface
            .map(|shown| shown.filed.or(shown.interface.category.clone()))
    };
    let own = r#"{"interface":{"category":"Own"}}"#;
    assert_eq!(with("{}", None), None);
    assert_eq!(with("{}", Some("Entry")), Some(Some("Entry".to_owned())));
    assert_eq!(with(own, None), Some(Some("Own".to_owned())));
    assert_eq!(with(own, Some("Entry")), Some(Some("Entry".to_owned())));
}

#[test]
fn a_broken_plugin_stays_listed_with_its_problem() {
    let problem = Problem::error(ProblemKind::Syntax, "nonsense");
    let summary = summary(Details::Broken(problem.clone()), None, None, false);
    assert_eq!(summary.local_version, None);
    assert_eq!(summary.problems, vec![problem]);
}
