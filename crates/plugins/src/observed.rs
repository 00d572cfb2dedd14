//! What is on disk of everything that a client is told about, at one moment, and in what two moments
//! differ.
//!
//! Invariants:
//! - Two looks between which nothing changed are equal: only content counts, never times, but for the
//!   manifests of plugins that marketplaces here offer, which are only looked at from outside.
//! - A part that cannot be read differs from one that can, and is no error.
//! - Of a plugin that somebody is at nothing new is said before he is done.
//!
//! It keeps digests and not files. It decides nothing about who is told, and when.

use std::collections::{BTreeMap, BTreeSet};

use plugd_config::{Layer, LayerSource, Snapshot, managed_config};
use plugd_disk::tree::{AtEase, Digest};
use plugd_disk::{Disk, Stamp};
use plugd_manifest::{MARKETPLACE_FILES, plugin_file};
use plugd_marketplace::{Binding, Marketplace, State};
use plugd_model::{AbsPath, ManifestFormat, MarketplaceName, PluginId, Source, error_chain};
use plugd_store::Seen;
use plugd_watch::WatchRoot;
use serde_json::Value;

use crate::checkout::Note;
use crate::curated_commit::curated_commit;
use crate::lookup::Roots;
use crate::{Copies, Error, Lookup, packed};

/// More than any manifest of a marketplace.
const MAX_MANIFEST: u64 = plugd_manifest::MAX_MARKETPLACE_BYTES;
/// Of how many plugins that marketplaces here offer the manifests are looked at. Directories that people
/// work in hold fewer, and each watch costs the system memory.
const MAX_OFFERED: usize = 256;
/// How far below the cache the directory of a version lies.
const VERSION_LEVELS: u8 = 2;

/// The manifests that a plugin may have, in the order in which they count.
const MANIFESTS: [ManifestFormat; 4] = [
    ManifestFormat::AgentPlugins,
    ManifestFormat::Codex,
    ManifestFormat::Claude,
    ManifestFormat::Cursor,
];

/// One moment.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    copies: BTreeMap<PluginId, Seen>,
    catalogs: BTreeMap<AbsPath, Catalog>,
    /// The manifests of plugins in directories that people work in; none in the first look.
    offered: BTreeMap<PluginId, Vec<Stamp>>,
    /// The content of linked working trees; nothing while there is none that can be read.
    linked: BTreeMap<PluginId, (AbsPath, Option<Digest>)>,
    layers: Vec<SeenLayer>,
    /// What the administrator requires.
    required: Value,
    /// Plugins that somebody was at.
    underway: BTreeSet<PluginId>,
    /// Where changes of all this show.
    roots: BTreeSet<WatchRoot>,
}

/// A marketplace, or a place where one should be.
#[derive(Debug, Clone)]
struct Catalog {
    /// As its manifest says; nothing while that cannot be used.
    name: Option<MarketplaceName>,
    content: Digest,
    /// Of the manifest whose digest this is, so that it is not read again.
    stamp: Option<Stamp>,
}

/// A layer of the configuration.
#[derive(Debug, Clone, PartialEq)]
struct SeenLayer {
    source: LayerSource,
    /// Whether it is one of our own settings.
    is_own: bool,
    content: Value,
    error: Option<String>,
}

/// In what two moments differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Differences {
    /// Plugins whose copies came, went or moved.
    pub(crate) plugins: BTreeSet<PluginId>,
    /// Marketplaces that came, went or offer something else.
    pub(crate) marketplaces: BTreeSet<MarketplaceName>,
    /// Paths of the configuration with other values.
    pub(crate) keys: BTreeSet<Vec<String>>,
    /// Something that has no name.
    pub(crate) is_more: bool,
}

/// What is not compared yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HeldBack {
    pub(crate) plugins: BTreeSet<PluginId>,
    pub(crate) marketplaces: BTreeSet<MarketplaceName>,
}

impl PartialEq for Catalog {
    /// Without the stamp: somebody may have touched the file.
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.content) == (&other.name, other.content)
    }
}

impl Observed {
    /// Looks, with what the look before this one has read. The first look leaves the manifests of plugins
    /// that are offered to the next one.
    pub(crate) fn look(
        lookup: &Lookup,
        copies: &Copies,
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        let store = copies.store_as_it_is();
        let in_store = |error| Error::StoreState(Box::new(error));
        let mut underway = store.underway().map_err(in_store)?;
        let (installed, _) = store.list().map_err(in_store)?;
        let resolved = lookup.resolve_ungated(&Roots::default());
        let config = resolved.scopes.first().map(|sight| &*sight.config);
        let mut observed = Self {
            copies: installed
                .into_iter()
                .map(|copy| (copy.id, copy.seen))
                .collect(),
            catalogs: BTreeMap::new(),
            offered: BTreeMap::new(),
            linked: BTreeMap::new(),
            layers: config.map_or_else(Vec::new, layers),
            required: config.map_or(Value::Null, |config| {
                config.requirements().content().clone()
            }),
            underway: BTreeSet::new(),
            roots: roots(lookup, config),
        };
        for marketplace in resolved.set.marketplaces() {
            // Somebody waits for the first look, and each watch is a conversation with the system.
            if before.is_some() {
                observed.look_at_offered(lookup, marketplace);
            }
            let (path, catalog) = catalog(lookup, marketplace, before);
            observed.roots.insert(WatchRoot::file(path.clone()));
            observed.catalogs.insert(path, catalog);
        }
        observed
            .roots
            .insert(WatchRoot::file(lookup.layout().links()));
        for (id, path) in lookup.links().rows {
            observed.roots.insert(WatchRoot::tree(path.clone()));
            let content = store.whole_digest(&path, &AtEase).ok();
            observed.linked.insert(id, (path, content));
        }
        // Who began in between may be half seen as well.
        underway.extend(store.underway().map_err(in_store)?);
        observed.underway = underway;
        Ok(observed)
    }

    /// Looks at the manifests of the plugins in the directory of a marketplace. What we hold ourselves
    /// changes with its commit or digest only.
    fn look_at_offered(&mut self, lookup: &Lookup, marketplace: &Marketplace) {
        let content = match &marketplace.state {
            State::Loaded(content) if matches!(content.binding, Binding::Manifest(_)) => content,
            _ => return,
        };
        let manifest = &content.manifest.value;
        for entry in &manifest.entries {
            let Source::Local { path } = &entry.source else {
                continue;
            };
            if self.offered.len() >= MAX_OFFERED {
                return;
            }
            let id = PluginId {
                plugin: entry.name.clone(),
                marketplace: manifest.name.clone(),
            };
            let files = MANIFESTS.into_iter().filter_map(|format| {
                let file = path.join(plugin_file(format)?);
                Some((format, file))
            });
            let mut seen = Vec::new();
            for (format, file) in files.clone() {
                let Ok(Some(stamp)) = lookup.disk().stamp(&file) else {
                    continue;
                };
                seen.push(stamp);
                self.roots.insert(WatchRoot::file(file));
                // The first one counts, and that at the top only when it says so.
                if format != ManifestFormat::AgentPlugins {
                    break;
                }
            }
            if seen.is_empty() {
                // It may get one.
                self.roots
                    .extend(files.map(|(_, file)| WatchRoot::file(file)));
            }
            self.offered.insert(id, seen);
        }
    }

    /// Where changes of what was seen show.
    pub(crate) fn roots(&self) -> &BTreeSet<WatchRoot> {
        &self.roots
    }

    /// The plugins that somebody was at.
    pub(crate) fn underway(&self) -> &BTreeSet<PluginId> {
        &self.underway
    }

    /// The same moment with some of it as it was before, so that it is compared later.
    pub(crate) fn hold_back(&mut self, before: &Self, held: &HeldBack) {
        for id in &held.plugins {
            put_back(&mut self.copies, &before.copies, id);
            let key = id.to_string();
            for layer in &mut self.layers {
                let then = before.layers.iter().find(|one| one.is_same_layer(layer));
                let then = then.and_then(|layer| layer.content.get("plugins")?.get(&key));
                put_back_row(&mut layer.content, "plugins", &key, then);
            }
        }
        let is_held = |catalog: &Catalog| {
            let name = catalog.name.as_ref();
            name.is_some_and(|name| held.marketplaces.contains(name))
        };
        let all = self.catalogs.iter().chain(&before.catalogs);
        let paths: BTreeSet<AbsPath> = all
            .filter(|(_, catalog)| is_held(catalog))
            .map(|(path, _)| path.clone())
            .collect();
        for path in &paths {
            put_back(&mut self.catalogs, &before.catalogs, path);
        }
    }

    /// What is another than before.
    pub(crate) fn differences(&self, before: &Self) -> Differences {
        let mut found = Differences {
            is_more: self.required != before.required,
            ..Differences::default()
        };
        let copies = differing(&before.copies, &self.copies);
        let linked = differing(&before.linked, &self.linked);
        let offered = self.offered.iter();
        // What came or went did so in the manifest of its marketplace.
        let edited = offered.filter(|(id, stamp)| {
            let then = before.offered.get(id);
            then.is_some_and(|then| then != *stamp)
        });
        let plugins = copies.chain(linked).chain(edited.map(|(id, _)| id));
        found.plugins = plugins.cloned().collect();
        let mut is_nameless = false;
        for path in differing(&before.catalogs, &self.catalogs) {
            let both = [before.catalogs.get(path), self.catalogs.get(path)];
            let mut names = both
                .into_iter()
                .flatten()
                .filter_map(|one| one.name.clone());
            let first = names.next();
            is_nameless |= first.is_none();
            found.marketplaces.extend(first.into_iter().chain(names));
        }
        // A marketplace that can be used again stands beside the place that could not be.
        found.is_more |= is_nameless && found.marketplaces.is_empty();
        for layer in &self.layers {
            let then = before.layers.iter().find(|one| one.is_same_layer(layer));
            found.is_more |= then.is_none_or(|then| then.error != layer.error);
            // What a broken file says is not known, and that it is broken is told.
            let is_readable = |layer: &SeenLayer| layer.error.is_none();
            if let Some(then) = then.filter(|then| is_readable(then) && is_readable(layer)) {
                let mut path: Vec<String> = Vec::new();
                path.extend(layer.is_own.then(|| "plugd".to_owned()));
                other_values(&mut path, &then.content, &layer.content, &mut found.keys);
            }
        }
        found
    }
}

impl SeenLayer {
    fn of(layer: &Layer, is_own: bool) -> Self {
        Self {
            source: layer.source.clone(),
            is_own,
            content: layer.content(),
            error: layer.error.as_ref().map(|problem| problem.message.clone()),
        }
    }

    fn is_same_layer(&self, other: &Self) -> bool {
        self.is_own == other.is_own && self.source == other.source
    }
}

fn layers(config: &Snapshot) -> Vec<SeenLayer> {
    let of = |is_own| move |layer: &Layer| SeenLayer::of(layer, is_own);
    let reference = config.layers().iter().map(of(false));
    reference
        .chain(config.settings_layers().iter().map(of(true)))
        .collect()
}

/// The places that are the same whatever was found, and those that the configuration names.
fn roots(lookup: &Lookup, config: Option<&Snapshot>) -> BTreeSet<WatchRoot> {
    let layout = lookup.layout();
    let mut roots = BTreeSet::from([
        WatchRoot::levels(layout.cache(), VERSION_LEVELS),
        WatchRoot::levels(layout.records(), 1),
        // Whoever ends a transaction removes its journal last.
        WatchRoot::levels(layout.journals(), 0),
        WatchRoot::file(layout.curated_sha()),
    ]);
    let mut manifests = |root: &AbsPath| {
        let files = MARKETPLACE_FILES.iter().map(|file| root.join(file));
        roots.extend(files.map(WatchRoot::file));
    };
    lookup.home().into_iter().for_each(&mut manifests);
    let rows = config.map_or(&[][..], Snapshot::marketplaces);
    for row in rows {
        if let Ok(root) = row.kind.root(&row.key, layout) {
            manifests(&root);
        }
    }
    if let Some(config) = config {
        let layers = config.layers().iter().chain(config.settings_layers());
        let files = layers.filter_map(|layer| layer.file.clone());
        roots.extend(files.map(WatchRoot::file));
        roots.insert(WatchRoot::file(config.requirements().file().clone()));
        // It is a layer only where it is there, and it may come at any time.
        roots.insert(WatchRoot::file(managed_config(layout)));
    }
    roots
}

fn catalog(
    lookup: &Lookup,
    marketplace: &Marketplace,
    before: Option<&Observed>,
) -> (AbsPath, Catalog) {
    let content = match &marketplace.state {
        State::Loaded(content) => content,
        State::Failed(problem) => {
            let path = problem.path.as_ref().unwrap_or(&marketplace.named_by);
            let catalog = Catalog {
                name: None,
                content: Digest::of_bytes(problem.message.as_bytes()),
                stamp: None,
            };
            return (path.clone(), catalog);
        }
    };
    let (path, stamp) = (content.path.clone(), content.manifest.stamp);
    let name = content.manifest.value.name.clone();
    let layout = lookup.layout();
    let commit = if path.starts_with(&layout.git_marketplaces()) {
        Note::read(lookup.disk(), &layout.git_marketplace(&name)).and_then(|note| note.revision)
    } else if let Binding::Packed(origin) = &content.binding {
        let note = packed::Note::read(lookup.disk(), &layout.packed_place(&name), origin);
        note.map(|note| note.digest)
    } else if path.starts_with(&layout.curated()) {
        curated_commit(lookup.loader(), layout)
    } else {
        let then = before.and_then(|before| before.catalogs.get(&path));
        if let Some(then) = then.filter(|then| then.stamp == Some(stamp)) {
            return (path, then.clone());
        }
        None
    };
    let content = content_of(lookup.disk(), &path, commit.as_deref());
    let catalog = Catalog {
        name: Some(name),
        content,
        stamp: Some(stamp),
    };
    (path, catalog)
}

/// A commit speaks of more than the manifest: of the plugins beside it.
fn content_of(disk: &Disk, manifest: &AbsPath, commit: Option<&str>) -> Digest {
    let mut bytes = match disk.read(manifest, MAX_MANIFEST) {
        Ok(bytes) => bytes,
        Err(error) => error_chain(&error).into_bytes(),
    };
    bytes.extend(commit.unwrap_or_default().bytes());
    Digest::of_bytes(&bytes)
}

/// The keys that only one of two maps has, or for which both have another value.
fn differing<'a, K: Ord, V: PartialEq>(
    before: &'a BTreeMap<K, V>,
    now: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    let gone = before.keys().filter(|key| !now.contains_key(key));
    let other = now
        .iter()
        .filter(|(key, value)| before.get(key) != Some(value));
    gone.chain(other.map(|(key, _)| key))
}

/// The highest paths at which two values differ. A table that only one of them has is one difference,
/// below the top: there it is its rows.
fn other_values(
    path: &mut Vec<String>,
    before: &Value,
    now: &Value,
    found: &mut BTreeSet<Vec<String>>,
) {
    if before == now {
        return;
    }
    let (Value::Object(before), Value::Object(now)) = (before, now) else {
        found.insert(path.clone());
        return;
    };
    let (nothing, empty) = (Value::Null, Value::Object(serde_json::Map::new()));
    let is_top = path.is_empty();
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for name in names {
        let both = [before.get(name), now.get(name)];
        let is_table = both.iter().flatten().all(|value| value.is_object());
        let absent = if is_top && is_table { &empty } else { &nothing };
        let [then, now] = both.map(|value| value.unwrap_or(absent));
        path.push(name.clone());
        other_values(path, then, now, found);
        path.pop();
    }
}

fn put_back<K: Ord + Clone, V: Clone>(now: &mut BTreeMap<K, V>, before: &BTreeMap<K, V>, key: &K) {
    match before.get(key) {
        Some(value) => now.insert(key.clone(), value.clone()),
        None => now.remove(key),
    };
}

/// Gives a row of a table its value of before; a table that it would be alone in is made.
fn put_back_row(content: &mut Value, table: &str, key: &str, before: Option<&Value>) {
    let Value::Object(tables) = content else {
        return;
    };
    match (tables.get_mut(table), before) {
        (Some(Value::Object(rows)), Some(before)) => {
            rows.insert(key.to_owned(), before.clone());
        }
        (Some(Value::Object(rows)), None) => {
            rows.remove(key);
        }
        (None, Some(before)) => {
            let rows = serde_json::Map::from_iter([(key.to_owned(), before.clone())]);
            tables.insert(table.to_owned(), Value::Object(rows));
        }
        (None | Some(_), _) => {}
    }
}

#[cfg(test)]
#[path = "observed_tests.rs"]
mod tests;
