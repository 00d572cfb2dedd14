//! From values to text, on top of the text that was there.

use std::collections::BTreeMap;

use plugd_model::sha256_digest;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Key, Table, Value};

use crate::{FORMAT, Location, LockedMarketplace, LockedPlugin, LockedSource, Lockfile};

/// What a new lock begins with.
const HEAD: &str = "\
# The plugins of this project, exactly. `plugd lock` writes this file and `plugd sync` makes a home
# match it. Commit it.
";

/// What some editors write before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The members of a marketplace and of a plugin, in the order in which they are written.
pub(crate) const OF_MARKETPLACE: [&str; 7] = [
    "git",
    "ref",
    "sparse_paths",
    "path",
    "oci",
    "archive",
    "curated",
];
const OF_PLUGIN: [&str; 7] = [
    "version",
    "source",
    "commit",
    "release",
    "digest",
    "source_digest",
    "tree_digest",
];

/// Writes a lock. Blocks of `before` that say the same keep their bytes; comments and members that
/// this version does not know stay where they are; a text that is no TOML is written anew.
#[must_use]
pub fn render(lock: &Lockfile, before: Option<&str>) -> String {
    let mark = before.filter(|text| text.starts_with(BYTE_ORDER_MARK));
    let before = before.map(|text| text.trim_start_matches(BYTE_ORDER_MARK));
    let text = rendered(lock, before);
    // An editor that writes such ends of lines means all of them.
    let text = match before.is_some_and(has_carriage_returns) {
        true => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => text,
    };
    match mark {
        Some(_) => format!("{BYTE_ORDER_MARK}{text}"),
        None => text,
    }
}

/// Whether every line ends with a carriage return before its end.
fn has_carriage_returns(text: &str) -> bool {
    let all = text.matches('\n').count();
    all > 0 && text.matches("\r\n").count() == all
}

fn rendered(lock: &Lockfile, before: Option<&str>) -> String {
    let parsed = before.and_then(|text| text.parse::<DocumentMut>().ok());
    let mut document = parsed.unwrap_or_else(|| {
        let mut new = DocumentMut::new();
        new.insert("version", toml_edit::value(FORMAT));
        if let Some(mut key) = new.key_mut("version") {
            key.leaf_decor_mut().set_prefix(HEAD);
        }
        new
    });
    set(document.as_table_mut(), "version", FORMAT.into());
    let mut position = 0;
    let marketplaces = lock.marketplaces.iter();
    let marketplaces = marketplaces.map(|(name, one)| (name.to_string(), members_of(one)));
    blocks(
        &mut document,
        "marketplaces",
        &OF_MARKETPLACE,
        marketplaces.collect(),
        &mut position,
    );
    let plugins = lock.plugins.iter();
    let plugins = plugins.map(|(id, one)| (id.to_string(), members_of_plugin(one)));
    blocks(
        &mut document,
        "plugins",
        &OF_PLUGIN,
        plugins.collect(),
        &mut position,
    );
    document.to_string()
}

type Members = Vec<(&'static str, Value)>;

/// Makes one section hold exactly these blocks, sorted by name.
fn blocks(
    document: &mut DocumentMut,
    section: &str,
    known: &[&str],
    wanted: BTreeMap<String, Members>,
    position: &mut isize,
) {
    // Somebody may have written a heading for the section, with a comment above it.
    let heading = document.get(section).and_then(Item::as_table);
    let heading = heading.filter(|table| !table.is_implicit());
    let heading = heading.map(|table| table.decor().clone());
    let mut old = match document.remove(section) {
        Some(item) => item.into_table().unwrap_or_default(),
        None => Table::new(),
    };
    if wanted.is_empty() {
        return;
    }
    let mut new = Table::new();
    new.set_implicit(true);
    if let Some(decor) = heading {
        new.set_implicit(false);
        *new.decor_mut() = decor;
        *position += 1;
        new.set_position(Some(*position));
    }
    for (name, members) in wanted {
        let mut block = match old.remove(&name).map(Item::into_table) {
            Some(Ok(table)) => table,
            _ => fresh(),
        };
        for key in known {
            let value = members.iter().find(|(name, _)| name == key);
            match value {
                Some((_, value)) => set(&mut block, key, value.clone()),
                None => drop(block.remove(key)),
            }
        }
        // The order of a block that was there is its writer's.
        *position += 1;
        block.set_position(Some(*position));
        new.insert_formatted(&Key::new(name), Item::Table(block));
    }
    document.insert(section, Item::Table(new));
}

fn fresh() -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    table
}

/// Sets a member unless it says that already, in whatever spelling.
fn set(table: &mut Table, key: &str, value: Value) {
    let says = table.get(key).and_then(Item::as_value);
    if says.is_some_and(|old| plain(old) == plain(&value)) {
        return;
    }
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = value;
            *old.decor_mut() = decor;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

/// A value without its spelling.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.value()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(","))
        }
        Value::InlineTable(table) => {
            let mut rows: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key:?}={}", plain(value)))
                .collect();
            rows.sort();
            format!("{{{}}}", rows.join(","))
        }
        other => other.clone().decorated("", "").to_string(),
    }
}

fn members_of(marketplace: &LockedMarketplace) -> Members {
    match marketplace {
        LockedMarketplace::Git {
            url,
            ref_name,
            sparse_paths,
        } => {
            let mut members = vec![("git", url.into())];
            members.extend(ref_name.as_ref().map(|name| ("ref", name.into())));
            if !sparse_paths.is_empty() {
                let paths: Array = sparse_paths.iter().collect();
                members.push(("sparse_paths", paths.into()));
            }
            members
        }
        LockedMarketplace::Packed(origin) => vec![(origin.word(), origin.to_string().into())],
        LockedMarketplace::Local(location) => vec![("path", location.to_string().into())],
        LockedMarketplace::Curated => vec![("curated", true.into())],
    }
}

fn members_of_plugin(plugin: &LockedPlugin) -> Members {
    let is_digest = |what: &String| sha256_digest(what).as_ref() == Some(what);
    let resolved = match plugin.source {
        LockedSource::Npm { .. } => "release",
        LockedSource::Oci { .. } | LockedSource::Archive { .. } => "digest",
        LockedSource::InMarketplace(_) if plugin.resolved.as_ref().is_some_and(is_digest) => {
            "digest"
        }
        LockedSource::InMarketplace(_) | LockedSource::Git { .. } => "commit",
    };
    let mut members = vec![
        ("version", plugin.version.as_str().into()),
        ("source", source(&plugin.source)),
    ];
    members.extend(plugin.resolved.as_ref().map(|what| (resolved, what.into())));
    members.push(("source_digest", plugin.source_digest.to_string().into()));
    members.push(("tree_digest", plugin.tree_digest.to_string().into()));
    members
}

fn source(source: &LockedSource) -> Value {
    let mut table = InlineTable::new();
    let mut put = |key: &str, value: Option<&String>| {
        if let Some(value) = value {
            table.insert(key, value.into());
        }
    };
    match source {
        LockedSource::InMarketplace(path) => {
            let place = Location::InProject(path.clone()).to_string();
            put("path", Some(&place));
        }
        LockedSource::Git {
            url,
            path,
            ref_name,
        } => {
            put("git", Some(url));
            put("path", path.as_ref());
            put("ref", ref_name.as_ref());
        }
        LockedSource::Npm {
            package,
            version,
            registry,
        } => {
            put("npm", Some(package));
            put("version", version.as_ref());
            put("registry", registry.as_ref());
        }
        LockedSource::Oci { reference } => put("oci", Some(&reference.to_string())),
        LockedSource::Archive { url } => put("archive", Some(url)),
    }
    Value::InlineTable(table)
}

#[cfg(test)]
mod tests;
