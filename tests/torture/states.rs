//! What a home says: everything that a user or a program sees of it, as text to compare, and what
//! work under way makes and finished work leaves nowhere.
//!
//! Left out is what differs from one clean run to the next and means nothing: times, numbers of
//! directories, the report of background work, lock files, and mirrors, which are only a cache.

use std::collections::BTreeMap;

use plugd_model::PackedOrigin;
use plugd_testkit::{Fixture, Item, ItemKind, Sandbox};
use serde_json::Value;

/// Members of a record that differ between two runs of the same installation. A replaced version that
/// cannot be read is not kept, and stops nothing; and a refresh may come first.
const VOLATILE: [&str; 6] = [
    "approvedAt",
    "by",
    "directory",
    "installedAt",
    "kept",
    "stamps",
];

/// The part of a home that says what was approved.
const APPROVALS: &str = "approvals";

/// The parts of a home that change as a whole, each with its text: the configuration, one plugin
/// with its record, one checkout or unpacked archive, the curated snapshot, what was approved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State(BTreeMap<String, String>);

impl State {
    /// Looks at the home of a sandbox. `url` stands for the address of a server, which is another
    /// one each time.
    pub(crate) fn of(sandbox: &Sandbox, url: &str) -> Self {
        let mut parts = BTreeMap::<String, Vec<Item>>::new();
        for mut item in home(sandbox) {
            let Some(part) = part_of(&item.path) else {
                continue;
            };
            let is_record =
                part.starts_with("plugin ") && item.path.starts_with("plugins/.plugd/installed/");
            if is_record || part == APPROVALS {
                without_times(&mut item);
            }
            parts.entry(part).or_default().push(item);
        }
        // The place of an archive spells its address.
        let spelled = PackedOrigin::parse(url).map(|origin| origin.directories().join("/"));
        let text = |items| {
            let text = Fixture { items }.to_string();
            let text = match &spelled {
                Ok(spelled) => text.replace(spelled, "$SPELLED"),
                Err(_) => text,
            };
            match url {
                "" => text,
                url => text.replace(url, "$URL"),
            }
        };
        let parts = parts.into_iter();
        Self(parts.map(|(part, items)| (part, text(items))).collect())
    }

    /// This state with some parts as they are in another one.
    pub(crate) fn with(&self, parts: &[&str], other: &Self) -> Self {
        let mut mixed = self.clone();
        for part in parts {
            match other.0.get(*part) {
                Some(text) => mixed.0.insert((*part).to_owned(), text.clone()),
                None => mixed.0.remove(*part),
            };
        }
        mixed
    }

    /// The parts that are not as in another state, with both texts.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let mut names: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        names.sort();
        names.dedup();
        let mut told = String::new();
        for name in names {
            let none = "(nothing)\n".to_owned();
            let (own, its) = (self.0.get(name), other.0.get(name));
            if own != its {
                let (own, its) = (own.unwrap_or(&none), its.unwrap_or(&none));
                told.push_str(&format!("--- {name} is\n{own}--- and not\n{its}"));
            }
        }
        told
    }
}

/// The files of the home; directories count only where something is left over in them.
fn home(sandbox: &Sandbox) -> Vec<Item> {
    let fixture = Fixture::parse(&sandbox.tree("ch")).unwrap();
    let items = fixture.items.into_iter();
    items.filter(|item| item.kind != ItemKind::Dir).collect()
}

/// Which part of the home a file belongs to; `None` for what is no state.
fn part_of(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    if parts.last().is_some_and(|name| name.starts_with(".plugd-")) {
        return None;
    }
    let part = match parts.as_slice() {
        // Written after the commit; nothing but the names in a report depends on it.
        ["plugins", ".plugd", "installed", _, list] if list.ends_with(".files") => return None,
        ["plugins", ".plugd", "installed", marketplace, record] => {
            let plugin = record.strip_suffix(".json").unwrap_or(record);
            format!("plugin {plugin}@{marketplace}")
        }
        ["plugins", ".plugd", "marketplaces", name, _, ..] => format!("archive {name}"),
        ["plugins", ".plugd", "approvals.json"] => APPROVALS.to_owned(),
        ["plugins", ".plugd", ..] => return None,
        ["plugins", "cache", marketplace, plugin, ..] => format!("plugin {plugin}@{marketplace}"),
        [".tmp", "marketplaces", name, _, ..] => format!("checkout {name}"),
        [".tmp", "plugins", ".git", ..] => return None,
        [".tmp", "plugins", ..] => "curated".to_owned(),
        [".tmp", "plugins.sha"] => "curated sha".to_owned(),
        [".tmp", ..] | ["cache", ..] => return None,
        _ => path.to_owned(),
    };
    Some(part)
}

fn without_times(item: &mut Item) {
    let ItemKind::File(bytes) = &mut item.kind else {
        return;
    };
    // What is no JSON shows as it is.
    if let Ok(mut value) = serde_json::from_slice::<Value>(bytes) {
        clear(&mut value);
        *bytes = format!("{value:#}\n").into_bytes();
    }
}

fn clear(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if VOLATILE.contains(&name.as_str()) {
                    *member = Value::Null;
                }
                clear(member);
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(clear),
        _ => {}
    }
}

/// What is left of transactions, and trees that no record names.
pub(crate) fn remains(sandbox: &Sandbox) -> Vec<String> {
    let fixture = Fixture::parse(&sandbox.tree("ch")).unwrap();
    let mut records = String::new();
    for item in &fixture.items {
        if let ItemKind::File(bytes) = &item.kind
            && item.path.starts_with("plugins/.plugd/installed/")
        {
            records.push_str(&without_history(bytes));
        }
    }
    let unnamed = |tree: &str| !records.contains(tree);
    let paths = fixture.items.iter().map(|item| item.path.as_str());
    paths
        .filter(|path| {
            let parts: Vec<&str> = path.split('/').collect();
            match parts.as_slice() {
                [
                    "plugins",
                    ".plugd",
                    "staging" | "journal" | "trash",
                    name,
                    ..,
                ] => !name.is_empty(),
                ["plugins", ".plugd", "trees", tree, ..] => !tree.is_empty() && unnamed(tree),
                [".tmp", "marketplaces" | ""] | [".tmp", "marketplaces", ".staging.lock"] => false,
                [".tmp", "marketplaces", name, ..] => name.starts_with('.'),
                [".tmp", "plugins.sync.lock" | "plugins.sha" | "plugins", ..] => false,
                [".tmp", name, ..] => !name.is_empty() && !name.starts_with(".plugd-"),
                _ => false,
            }
        })
        .map(str::to_owned)
        .collect()
}

/// A record without what it says of replaced versions that need not be here any more.
fn without_history(bytes: &[u8]) -> String {
    let Ok(mut record) = serde_json::from_slice::<Value>(bytes) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    forget(&mut record);
    record.to_string()
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("replaced");
            members.values_mut().for_each(forget);
        }
        Value::Array(rows) => rows.iter_mut().for_each(forget),
        _ => {}
    }
}

/// Files that were half written, and texts that were saved from a crash without need.
pub(crate) fn half_written(sandbox: &Sandbox) -> Vec<String> {
    let items = home(sandbox).into_iter().map(|item| item.path);
    items
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            name.starts_with(".plugd-") || name.contains(".rescued-")
        })
        .collect()
}
