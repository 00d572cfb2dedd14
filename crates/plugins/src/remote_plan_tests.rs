use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plugd_catalog::InstalledSet;
use plugd_disk::Disk;
use plugd_model::{PluginId, VersionSegment};
use plugd_store::{Installed, Pin, Store};
use plugd_testkit::{Sandbox, test_environment};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Plan, flipped, joined, plan};
use crate::call::Call;
use crate::fixture::installed_item as item;
use crate::standing::Standing;
use crate::{Copies, fixture};

struct Home {
    sandbox: Sandbox,
    copies: Copies,
}

fn id(name: &str) -> PluginId {
    PluginId::parse(&format!("{name}@openai-curated-remote")).unwrap()
}

impl Home {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let environment = test_environment(&sandbox);
        let copies = Copies::new(
            Disk::new(),
            sandbox.layout(),
            Arc::clone(&environment.names),
            Arc::clone(&environment.clock),
        );
        Self { sandbox, copies }
    }

    fn store(&self) -> &Store {
        self.copies.store().unwrap()
    }

    fn set(&self, items: &[Value]) -> InstalledSet {
        fixture::installed_set(&self.sandbox, items)
    }

    fn copy(&self, name: &str, version: &str, sidecar: bool) {
        let dir = format!("ch/plugins/cache/openai-curated-remote/{name}");
        let manifest = json!({"name": name});
        self.sandbox.add(&format!(
            "== {dir}/{version}/.codex-plugin/plugin.json\n{manifest}\n"
        ));
        if sidecar {
            let text = json!({"schema_version": 1, "remote_plugin_id": format!("plugins~{name}")});
            let file = format!("{dir}/.codex-remote-plugin-install.json");
            self.sandbox.write(&file, text.to_string());
        }
    }

    fn pin(&self, name: &str, version: &str) {
        let pin = Pin {
            version: VersionSegment::new(version).unwrap(),
            commit: None,
            tree_digest: None,
            locks: Vec::new(),
        };
        let store = self.store();
        let seen = store.seen(&id(name)).unwrap();
        let pinned = store.set_pin(&id(name), Some(pin), &seen, Duration::from_secs(1));
        pinned.unwrap();
    }

    fn copies(&self) -> Vec<Installed> {
        self.store().remote_copies().unwrap().0
    }

    fn plan(&self, set: &InstalledSet) -> Plan {
        let standing: BTreeMap<_, _> = set
            .items
            .iter()
            .map(|one| one.item.plugin_id())
            .map(|id| (id.clone(), Standing::of(self.store(), &id).unwrap()))
            .collect();
        plan(set, &self.copies(), &standing)
    }

    #[track_caller]
    fn check(&self, set: &InstalledSet, expected: &[&str]) {
        let plan = self.plan(set);
        let bring = plan
            .bring
            .iter()
            .map(|one| format!("bring {}", one.id.plugin));
        let current = plan
            .current
            .iter()
            .map(|(one, _)| format!("keep {}", one.id.plugin));
        let remove = plan
            .remove
            .iter()
            .map(|one| format!("remove {}", one.id.plugin));
        let held = plan
            .held
            .iter()
            .map(|one| format!("hold {}", one.id.plugin));
        let refused = plan
            .refused
            .iter()
            .map(|one| format!("refuse {}", one.id.plugin));
        let all = bring
            .chain(current)
            .chain(remove)
            .chain(held)
            .chain(refused);
        assert_eq!(all.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn what_is_missing_or_another_version_is_brought() {
    let home = Home::new();
    home.copy("same", "1.0.0", false);
    home.copy("older", "1.0.0", true);
    home.copy("newer", "3.0.0", true);
    let set = home.set(&[
        item("same", "1.0.0", true),
        item("older", "2.0.0", true),
        item("newer", "2.0.0", false),
        item("missing", "1.0.0", false),
        item("crooked", "../1", true),
    ]);
    home.check(
        &set,
        &[
            "bring older",
            "bring newer",
            "bring missing",
            "keep same",
            "refuse crooked",
        ],
    );
}

#[test]
fn only_a_whole_answer_removes_and_only_what_is_known_to_be_from_the_catalog() {
    let home = Home::new();
    home.copy("known", "1.0.0", true);
    home.copy("unknown", "1.0.0", false);
    let mut set = home.set(&[]);
    home.check(&set, &["remove known"]);
    set.complete = false;
    home.check(&set, &[]);
}

#[test]
fn what_came_after_the_question_is_not_removed() {
    let home = Home::new();
    let set = home.set(&[]);
    let before = home.copies();
    home.copy("late", "1.0.0", true);
    let plan = plan(&set, &before, &BTreeMap::new());
    assert_eq!(plan.remove, Vec::new());
}

#[test]
fn what_two_answers_say() {
    let home = Home::new();
    let names = |set: &InstalledSet| -> Vec<String> {
        let items = set.items.iter();
        items.map(|one| one.item.name.to_string()).collect()
    };
    let before = home.set(&[
        item("a", "1", true),
        item("b", "1", false),
        item("c", "1", true),
    ]);
    let now = home.set(&[
        item("a", "2", false),
        item("b", "1", true),
        item("d", "1", true),
    ]);
    let flips: Vec<_> = flipped(Some(&before), &now).collect();
    assert_eq!(flips, [id("a"), id("b"), id("d")]);
    let first: Vec<_> = flipped(None, &before).collect();
    assert_eq!(first, [id("a"), id("c")]);
    assert_eq!(names(&joined(Some(&before), now.clone())), ["a", "b", "d"]);
    // What half an answer does not speak of is as it was.
    let half = InstalledSet {
        complete: false,
        ..now
    };
    let known = joined(Some(&before), half);
    assert_eq!(names(&known), ["a", "b", "d", "c"]);
    assert!(known.complete && !known.items[0].enabled);
}

#[test]
fn what_is_pinned_stays() {
    let home = Home::new();
    for name in ["gone", "moved", "fits"] {
        home.copy(name, "1.0.0", true);
    }
    // Only what was recorded can be pinned.
    for copy in home.copies() {
        let tree_digest = home
            .store()
            .tree_digest(&copy, &Call::detached())
            .unwrap()
            .digest;
        let adoption = plugd_store::Adoption {
            bound: plugd_store::BoundSource::Remote {
                id: copy.remote_id.clone().unwrap(),
            },
            source: plugd_model::Source::Remote,
            commit: None,
            source_digest: None,
            seen: copy.seen.clone(),
            tree_digest,
        };
        home.store()
            .adopt(&copy.id, adoption, Duration::from_secs(1))
            .unwrap();
        home.pin(copy.id.plugin.as_str(), "1.0.0");
    }
    let set = home.set(&[item("moved", "2.0.0", true), item("fits", "1.0.0", true)]);
    home.check(&set, &["keep fits", "hold moved", "hold gone"]);
    for held in home.plan(&set).held {
        assert!(
            held.problem.message.contains("is pinned to 1.0.0"),
            "{held:?}"
        );
    }
}
