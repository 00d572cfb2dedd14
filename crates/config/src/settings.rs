//! The program's own settings, from the `plugd.toml` files and `-c plugd.key=value`.
//!
//! They never stand in `config.toml`, because the reference warns about tables it does not know and
//! can be told to refuse them.

use std::ops::RangeInclusive;
use std::time::Duration;

use plugd_model::ProblemKind;

use crate::KeyPath;
use crate::reader::{Reader, Spoiled};
use crate::tree::{Kind, Node};
use crate::trust::{self, TrustRule};

/// How many replaced versions of a plugin are kept when nothing else is said.
const KEEP_VERSIONS: u64 = 2;
/// More kept versions than this are a slip of the finger.
const MAX_KEEP_VERSIONS: u64 = 1000;

/// How many seconds a git server may be silent when nothing else is said.
const GIT_IDLE_SECONDS: u64 = 30;
/// Silence longer than an hour is no patience any more.
const MAX_GIT_IDLE_SECONDS: u64 = 3600;

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
    /// How long a git server may be silent.
    pub git_idle: Duration,
    /// Whether an expired login may be refreshed and written back.
    pub refresh_login: bool,
    /// What has to be asked before a plugin may come: the rules of the settings, of trusted projects
    /// and of the requirements. None of them takes back what another asks for.
    pub trust: Vec<TrustRule>,
}

/// Reads the settings. A bad one is reported and counts as not set.
pub(crate) fn read(reader: &mut Reader<'_>, merged: &Node, trust: &[&Node]) -> Settings {
    let field = |name: &str| KeyPath::of(["plugd", name]);
    let mut known = vec![
        "curated_sync",
        "curated_url",
        "keep_versions",
        "git",
        "git_idle_seconds",
        "refresh_login",
        "trust",
    ];
    if merged
        .get("plugd")
        .is_some_and(|own| own.get("trust").is_some())
    {
        // Which is told as what it is.
        known.push("plugd");
    }
    reader.unknown(merged, &KeyPath::of(["plugd"]), &known);
    let curated_sync = reader.flag(merged, &field("curated_sync"));
    let curated_url = reader.text(merged, &field("curated_url"));
    let refresh_login = reader.flag(merged, &field("refresh_login"));
    let keep_versions = number(
        reader,
        merged,
        "keep_versions",
        0..=MAX_KEEP_VERSIONS,
        KEEP_VERSIONS,
    );
    let git_idle = number(
        reader,
        merged,
        "git_idle_seconds",
        1..=MAX_GIT_IDLE_SECONDS,
        GIT_IDLE_SECONDS,
    );
    Settings {
        curated_sync: curated_sync.ok().flatten().unwrap_or(true),
        curated_url: curated_url.ok().flatten().filter(|url| !url.is_empty()),
        keep_versions: usize::try_from(keep_versions).unwrap_or(usize::MAX),
        git_idle: Duration::from_secs(git_idle),
        git: git(reader, merged, &field("git")).unwrap_or(GitBackend::Auto),
        refresh_login: refresh_login.ok().flatten().unwrap_or(false),
        trust: trust::rules(reader, merged, trust),
    }
}

/// A number within its bounds, or the one that holds when nothing else is said.
fn number(
    reader: &mut Reader<'_>,
    merged: &Node,
    name: &str,
    bounds: RangeInclusive<u64>,
    default: u64,
) -> u64 {
    let Some(node) = merged.get(name) else {
        return default;
    };
    let field = KeyPath::of(["plugd", name]);
    let Kind::Integer(number) = node.kind else {
        reader.wrong_type(node, &field, "an integer");
        return default;
    };
    match u64::try_from(number) {
        Ok(legal) if bounds.contains(&legal) => legal,
        _ => {
            let (least, most) = (bounds.start(), bounds.end());
            let message = format!("{number} is not between {least} and {most}");
            reader.error(ProblemKind::BadValue, node.mark, &field, message);
            default
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
