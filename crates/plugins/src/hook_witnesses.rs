//! The file that remembers what plugins held when their hooks were trusted, and what makes it forget.
//!
//! A file that cannot be understood is as good as none: then trust is met for the first time once
//! more. It is no weaker than the configuration beside it, which whoever can write here can write too.
//! A file of a newer program is read as far as it is understood and left alone.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_config::{Edit, Merge};
use plugd_disk::tree::Digest;
use plugd_disk::{Disk, DiskError};
use plugd_model::Layout;
use serde_json::{Map, Value, json};

use crate::hook_trust::{Witness, Witnesses};

/// The format that is written here.
const FORMAT: u64 = 1;
/// More than anybody's hooks need.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// How long to wait for another process that writes state.
const PATIENCE: Duration = Duration::from_secs(5);
const HOOKS: &str = "hooks";
const STATE: &str = "state";
const HASHES: [&str; 2] = ["trusted_hash", "trusted_content_hash"];

/// Reads all that is remembered.
pub(crate) fn load(disk: &Disk, layout: &Layout) -> Witnesses {
    let rows = members(disk, layout).remove(HOOKS);
    let Some(Value::Object(rows)) = rows else {
        return Witnesses::new();
    };
    let witness = |row: &Value| {
        Some(Witness {
            trusted: row["trusted"].as_str()?.to_owned(),
            content: Digest::parse(row["treeDigest"].as_str()?).ok()?,
        })
    };
    let rows = rows
        .iter()
        .filter_map(|(key, row)| Some((key.clone(), witness(row)?)));
    rows.collect()
}

/// Writes down what is new, over what others have written down since.
pub(crate) fn add(disk: &Disk, layout: &Layout, new: &Witnesses) -> Result<(), DiskError> {
    change(disk, layout, |rows| {
        for (key, Witness { trusted, content }) in new {
            let row = json!({"trusted": trusted, "treeDigest": content.to_string()});
            rows.insert(key.clone(), row);
        }
    })
}

/// Forgets hooks whose trust was given or taken anew.
pub(crate) fn forget(disk: &Disk, layout: &Layout, renewed: &Renewed) -> Result<(), DiskError> {
    let is_there = |key: &String| renewed.concerns(key);
    if !load(disk, layout).keys().any(is_there) {
        return Ok(());
    }
    change(disk, layout, |rows| {
        rows.retain(|key, _| !renewed.concerns(key));
    })
}

fn change(
    disk: &Disk,
    layout: &Layout,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Result<(), DiskError> {
    let _lock = disk.lock(&layout.lock("store"), PATIENCE)?;
    let mut root = members(disk, layout);
    let format = root.get("version").and_then(Value::as_u64);
    if format.is_some_and(|found| found > FORMAT) {
        return Ok(());
    }
    let mut rows = match root.remove(HOOKS) {
        Some(Value::Object(rows)) => rows,
        _ => Map::new(),
    };
    change(&mut rows);
    root.insert("version".to_owned(), json!(FORMAT));
    root.insert(HOOKS.to_owned(), Value::Object(rows));
    let text = format!("{:#}\n", Value::Object(root));
    disk.replace(&layout.hook_contents(), text.as_bytes(), 0o600)
}

fn members(disk: &Disk, layout: &Layout) -> Map<String, Value> {
    let bytes = disk.read(&layout.hook_contents(), MAX_BYTES).ok();
    let parsed = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    parsed.unwrap_or_default()
}

/// Hooks whose trust was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Renewed {
    /// These.
    Keys(BTreeSet<String>),
    /// The whole table was replaced.
    All,
}

impl Renewed {
    /// What edits of the configuration renew. Whoever writes the hash of a hook again has looked at
    /// it again; whoever only switches it has not.
    pub(crate) fn by(edits: &[Edit]) -> Self {
        let mut keys = BTreeSet::new();
        for edit in edits {
            let path: Vec<&str> = edit
                .key_path
                .segments()
                .iter()
                .map(String::as_str)
                .collect();
            let replaces = edit.value.is_none() || edit.strategy == Merge::Replace;
            match path.as_slice() {
                [HOOKS] | [HOOKS, STATE] if replaces => return Self::All,
                [HOOKS] => keys.extend(trusting(edit.value.as_ref().and_then(|v| v.get(STATE)))),
                [HOOKS, STATE] => keys.extend(trusting(edit.value.as_ref())),
                [HOOKS, STATE, key] if replaces || edit.value.as_ref().is_some_and(trusts) => {
                    keys.insert((*key).to_owned());
                }
                [HOOKS, STATE, key, member] if HASHES.contains(member) => {
                    keys.insert((*key).to_owned());
                }
                _ => {}
            }
        }
        Self::Keys(keys)
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Keys(keys) if keys.is_empty())
    }

    fn concerns(&self, key: &str) -> bool {
        match self {
            Self::Keys(keys) => keys.contains(key),
            Self::All => true,
        }
    }
}

/// The hooks of a table of states that get a hash.
fn trusting(states: Option<&Value>) -> impl Iterator<Item = String> {
    let states = states.and_then(Value::as_object).into_iter().flatten();
    states
        .filter(|(_, state)| trusts(state))
        .map(|(key, _)| key.clone())
}

fn trusts(state: &Value) -> bool {
    HASHES.iter().any(|hash| state.get(hash).is_some())
}

#[cfg(test)]
mod tests {
    use plugd_config::{Edit, KeyPath, Merge};
    use plugd_disk::Disk;
    use plugd_disk::tree::Digest;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{Renewed, add, forget, load};
    use crate::hook_trust::{Witness, Witnesses};

    fn witness(content: &str) -> Witness {
        Witness {
            trusted: "sha256:d".to_owned(),
            content: Digest::of_bytes(content.as_bytes()),
        }
    }

    fn one(key: &str, content: &str) -> Witnesses {
        Witnesses::from([(key.to_owned(), witness(content))])
    }

    fn keys(keys: &[&str]) -> Renewed {
        Renewed::Keys(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn what_is_added_stays_until_it_is_forgotten() {
        let sandbox = Sandbox::from("== ch/plugins/.plugd/locks/store\n");
        let (disk, layout) = (Disk::new(), sandbox.layout());
        assert_eq!(load(&disk, &layout), Witnesses::new());
        add(&disk, &layout, &one("a", "1")).unwrap();
        add(&disk, &layout, &one("b", "2")).unwrap();
        let mut both = one("a", "1");
        both.extend(one("b", "2"));
        assert_eq!(load(&disk, &layout), both);
        forget(&disk, &layout, &keys(&["a", "other"])).unwrap();
        assert_eq!(load(&disk, &layout), one("b", "2"));
        forget(&disk, &layout, &Renewed::All).unwrap();
        assert_eq!(load(&disk, &layout), Witnesses::new());
    }

    #[test]
    fn unknown_members_stay_and_newer_files_are_left_alone() {
        let sandbox = Sandbox::from("== ch/plugins/.plugd/locks/store\n");
        let (disk, layout) = (Disk::new(), sandbox.layout());
        let file = "ch/plugins/.plugd/hooks.json";
        sandbox.write(file, r#"{"version": 1, "more": 5, "hooks": {"bad": 7}}"#);
        add(&disk, &layout, &one("a", "1")).unwrap();
        let text: Value = serde_json::from_str(&sandbox.text(file)).unwrap();
        assert_eq!(
            (&text["more"], &text["hooks"]["bad"]),
            (&json!(5), &json!(7))
        );
        assert_eq!(load(&disk, &layout), one("a", "1"));
        let newer = r#"{"version": 2, "hooks": {}}"#;
        sandbox.write(file, newer);
        add(&disk, &layout, &one("a", "1")).unwrap();
        assert_eq!(sandbox.text(file), newer);
        sandbox.write(file, "{ broken");
        assert_eq!(load(&disk, &layout), Witnesses::new());
        add(&disk, &layout, &one("a", "1")).unwrap();
        assert_eq!(load(&disk, &layout), one("a", "1"));
    }

    #[track_caller]
    fn check(path: &[&str], value: Value, strategy: Merge, expected: Renewed) {
        let edit = Edit {
            key_path: KeyPath::new(path.iter().map(|part| (*part).to_owned())).unwrap(),
            value: Some(value).filter(|value| !value.is_null()),
            strategy,
        };
        assert_eq!(Renewed::by(&[edit]), expected);
    }

    #[test]
    fn writing_a_hash_renews_trust_and_switching_does_not() {
        let (upsert, replace) = (Merge::Upsert, Merge::Replace);
        let hash = json!({"trusted_hash": "x"});
        let off = json!({"enabled": false});
        check(
            &["hooks", "state", "k", "trusted_hash"],
            json!("x"),
            replace,
            keys(&["k"]),
        );
        check(
            &["hooks", "state", "k", "enabled"],
            json!(false),
            replace,
            keys(&[]),
        );
        check(&["hooks", "state", "k"], hash.clone(), upsert, keys(&["k"]));
        check(&["hooks", "state", "k"], off.clone(), upsert, keys(&[]));
        check(&["hooks", "state", "k"], off.clone(), replace, keys(&["k"]));
        check(&["hooks", "state", "k"], Value::Null, upsert, keys(&["k"]));
        let states = json!({"k": hash, "l": off});
        check(&["hooks", "state"], states.clone(), upsert, keys(&["k"]));
        check(&["hooks"], json!({"state": states}), upsert, keys(&["k"]));
        check(&["hooks"], Value::Null, replace, Renewed::All);
        check(&["model"], json!("x"), replace, keys(&[]));
    }
}
