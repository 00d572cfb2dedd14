//! The program's own settings, from the `plugd.toml` files and `-c plugd.key=value`.
//!
//! They never stand in `config.toml`, because the reference warns about tables it does not know and
//! can be told to refuse them.

use plugd_model::ProblemKind;
use serde_json::Value;

use crate::KeyPath;
use crate::layer::Origin;
use crate::reader::{Reader, Spoiled};
use crate::tree::{Kind, Node};

/// How many replaced versions of a plugin are kept when nothing else is said.
const KEEP_VERSIONS: usize = 2;
/// More kept versions than this are a slip of the finger.
const MAX_KEEP_VERSIONS: i64 = 1000;

/// Which git does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitBackend {
    /// The library, and the program where the library cannot.
    Auto,
    /// Only the library.
    Libgit2,
    /// Only the program.
    Command,
}

/// The `[trust]` table of one layer. A project's one may only tighten what those in front of it
/// say; whoever reads the tables keeps that rule.
#[derive(Debug, Clone, PartialEq)]
pub struct TrustTable {
    /// Where it stands.
    pub origin: Origin,
    /// Its members.
    pub table: Value,
}

/// The settings in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whether the curated marketplace is mirrored by itself.
    pub curated_sync: bool,
    /// Where it is mirrored from instead of the public place.
    pub curated_url: Option<String>,
    /// How many replaced versions of a plugin are kept.
    pub keep_versions: usize,
    /// Which git does the work.
    pub git: GitBackend,
    /// Whether an expired login may be refreshed and written back.
    pub refresh_login: bool,
    /// The `[trust]` tables, lowest layer first, projects last.
    pub trust: Vec<TrustTable>,
}

/// Reads the settings. A bad one is reported and counts as not set.
pub(crate) fn read(reader: &mut Reader<'_>, merged: &Node, trust: &[&Node]) -> Settings {
    let field = |name: &str| KeyPath::of(["plugd", name]);
    let known = [
        "curated_sync",
        "curated_url",
        "keep_versions",
        "git",
        "refresh_login",
        "trust",
    ];
    reader.unknown(merged, &KeyPath::of(["plugd"]), &known);
    let curated_sync = reader.flag(merged, &field("curated_sync"));
    let curated_url = reader.text(merged, &field("curated_url"));
    let refresh_login = reader.flag(merged, &field("refresh_login"));
    Settings {
        curated_sync: curated_sync.ok().flatten().unwrap_or(true),
        curated_url: curated_url.ok().flatten().filter(|url| !url.is_empty()),
        keep_versions: keep_versions(reader, merged, &field("keep_versions")),
        git: git(reader, merged, &field("git")).unwrap_or(GitBackend::Auto),
        refresh_login: refresh_login.ok().flatten().unwrap_or(false),
        trust: trust
            .iter()
            .filter_map(|node| {
                reader.table(Some(node), &field("trust")).ok()?;
                Some(TrustTable {
                    origin: reader.stack.origin(node.mark),
                    table: node.to_json(),
                })
            })
            .collect(),
    }
}

fn keep_versions(reader: &mut Reader<'_>, merged: &Node, field: &KeyPath) -> usize {
    let Some(node) = merged.get("keep_versions") else {
        return KEEP_VERSIONS;
    };
    match node.kind {
        Kind::Integer(number @ 0..=MAX_KEEP_VERSIONS) => {
            usize::try_from(number).unwrap_or(KEEP_VERSIONS)
        }
        Kind::Integer(number) => {
            let message = format!("{number} is not between 0 and {MAX_KEEP_VERSIONS}");
            reader.error(ProblemKind::BadValue, node.mark, field, message);
            KEEP_VERSIONS
        }
        _ => {
            reader.wrong_type(node, field, "an integer");
            KEEP_VERSIONS
        }
    }
}

fn git(reader: &mut Reader<'_>, merged: &Node, field: &KeyPath) -> Result<GitBackend, Spoiled> {
    match reader.text(merged, field)?.as_deref() {
        None | Some("auto") => Ok(GitBackend::Auto),
        Some("libgit2") => Ok(GitBackend::Libgit2),
        Some("command") => Ok(GitBackend::Command),
        Some(other) => {
            let mark = merged.get("git").unwrap_or(merged).mark;
            let word = other.escape_debug();
            let message = format!("`{word}` is none of `auto`, `libgit2` and `command`");
            reader.error(ProblemKind::BadValue, mark, field, message);
            Err(Spoiled)
        }
    }
}

#[cfg(test)]
mod tests;
