//! What an archive of plugins says of itself, and where things lie in it.
//!
//! ```text
//! plugd-export.json                       this index: every other file with its SHA-256
//! plugins.lock                            what is exported, exactly
//! trees/<hex of the source digest>/…      the content of plugins, as their sources had it
//! catalogs/<marketplace>/<plugin>/…       a marketplace with the one entry of a plugin
//! ```
//!
//! Invariants:
//! - The index names every file, and no other file is there.
//! - Only the lock says what a plugin is; its content has to hash to what the lock names. The index
//!   alone is trusted with nothing but which of the usual places a marketplace's manifest had.

use std::collections::BTreeMap;

use plugd_disk::tree::{Digest, FileDigests};
use plugd_lockfile::LockedPlugin;
use plugd_model::{Layout, PluginId};
use serde_json::{Map, Value, json};

/// The newest format.
pub(crate) const FORMAT: u64 = 1;
/// Where the index lies.
pub(crate) const INDEX: &str = "plugd-export.json";
/// Where the lock lies.
pub(crate) const LOCK: &str = "plugins.lock";
/// Larger than the index of so many files as are exported. One that is larger is neither written nor
/// read: what is read of it is in memory.
pub(crate) const MAX_INDEX: u64 = 64 << 20;
/// What tells an index from any other file.
const KIND: &str = "plugd-export";

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Index {
    /// Where the manifest of each plugin's marketplace lay below its root, for marketplaces in
    /// directories: one of the usual places.
    pub(crate) manifests: BTreeMap<PluginId, String>,
    /// All files but the index itself, as the lines of a digest.
    pub(crate) files: FileDigests,
}

/// Why a text is no index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IndexFault {
    /// It has this format.
    Newer(u64),
    /// It is none.
    Bad(&'static str),
}

/// Where the content of a plugin lies.
pub(crate) fn content_dir(plugin: &LockedPlugin) -> String {
    format!("trees/{}", plugin.source_digest.hex())
}

/// Where the marketplace of a plugin lies.
pub(crate) fn catalog_dir(id: &PluginId) -> String {
    format!("catalogs/{}/{}", id.marketplace, id.plugin)
}

impl Index {
    /// The text of the file. Equal values have equal bytes.
    pub(crate) fn text(&self) -> String {
        let files = self.files.lines();
        let files: Vec<Value> = files.lines().filter_map(row).collect();
        let plugins = self.manifests.iter().map(|(id, manifest)| {
            let id = id.to_string();
            json!({"pluginId": id, "manifest": manifest})
        });
        let plugins: Vec<Value> = plugins.collect();
        let index = json!({
            "kind": KIND, "version": FORMAT, "manifests": plugins, "files": files,
        });
        format!("{index:#}\n")
    }

    /// Reads a text.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, IndexFault> {
        let bad = IndexFault::Bad;
        let value: Value =
            serde_json::from_slice(bytes).map_err(|_| bad("its index is no JSON"))?;
        let index = value.as_object().ok_or(bad("its index is no object"))?;
        if index.get("kind").and_then(Value::as_str) != Some(KIND) {
            return Err(bad("its index is that of something else"));
        }
        match index.get("version").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(found) if found > FORMAT => return Err(IndexFault::Newer(found)),
            _ => return Err(bad("its index has no version")),
        }
        let mut manifests = BTreeMap::new();
        for one in rows(index, "manifests").ok_or(bad("its index has no `manifests`"))? {
            let id = one["pluginId"].as_str().map(PluginId::parse);
            let manifest = one["manifest"].as_str();
            let usual = manifest.filter(|at| Layout::MARKETPLACE_MANIFESTS.contains(at));
            match (id, usual) {
                (Some(Ok(id)), Some(manifest)) => drop(manifests.insert(id, manifest.to_owned())),
                _ => return Err(bad("its index names a manifest at no usual place")),
            }
        }
        let mut lines = String::new();
        for one in rows(index, "files").ok_or(bad("its index has no `files`"))? {
            lines.push_str(&line(one).ok_or(bad("its index names a file without a digest"))?);
        }
        let files = FileDigests::parse(&lines).ok_or(bad("its index is not in order"))?;
        Ok(Self { manifests, files })
    }
}

fn rows<'a>(index: &'a Map<String, Value>, key: &str) -> Option<&'a Vec<Value>> {
    index.get(key)?.as_array()
}

/// A line of a digest as a row of the index.
fn row(line: &str) -> Option<Value> {
    let (mark, rest) = line.split_once(' ')?;
    let (sha256, path) = rest.split_once(' ')?;
    Some(json!({"path": path, "sha256": sha256, "executable": mark == "x"}))
}

/// And the way back.
fn line(row: &Value) -> Option<String> {
    let mark = match row["executable"].as_bool()? {
        true => 'x',
        false => 'f',
    };
    let (path, sha256) = (row["path"].as_str()?, row["sha256"].as_str()?);
    Digest::from_hex(sha256)?;
    let is_plain = !path.contains(['\n', '\r']);
    is_plain.then(|| format!("{mark} {sha256} {path}\n"))
}

#[cfg(test)]
mod tests {
    use plugd_disk::tree::FileDigests;
    use plugd_model::PluginId;
    use pretty_assertions::assert_eq;

    use super::{Index, IndexFault};

    fn index() -> Index {
        let mut files = FileDigests::default();
        files.add("trees/a/run sh", true, b"x");
        files.add("plugins.lock", false, b"y");
        let id = PluginId::parse("a@team").unwrap();
        let manifest = ".agents/plugins/marketplace.json".to_owned();
        Index {
            manifests: [(id, manifest)].into(),
            files,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = index().text();
        assert_eq!(Index::parse(text.as_bytes()), Ok(index()));
        assert_eq!(text, index().text());
    }

    #[test]
    fn anything_else_is_none() {
        let text = index().text();
        let check = |from: &str, to: &str, expected: &str| {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let Err(IndexFault::Bad(found)) = Index::parse(changed.as_bytes()) else {
                panic!("{changed}");
            };
            assert!(found.contains(expected), "{found}");
        };
        check("{", "[", "no JSON");
        check("plugd-export", "other", "something else");
        check("\"version\": 1", "\"version\": 0", "no version");
        check(".agents/plugins/", "../", "no usual place");
        check("\"files\"", "\"nothing\"", "no `files`");
        check(
            "\"executable\": false",
            "\"executable\": 1",
            "without a digest",
        );
        check("plugins.lock", "zzz", "not in order");
        let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
        assert_eq!(Index::parse(newer.as_bytes()), Err(IndexFault::Newer(2)));
    }
}
