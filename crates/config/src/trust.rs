//! The `[trust]` table: what has to be asked before a plugin may come.
//!
//! Layers are not merged into one policy. The settings in force (system, user, session) make one rule,
//! each trusted project and the requirements make one of their own, and whoever decides asks all of
//! them: so a project or an organisation can only ask for more, whatever it writes.
//!
//! What cannot be understood counts as the tightest thing that could have stood there.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_model::{AbsPath, MarketplaceName, ProblemKind};

use crate::layer::{Draft, LayerSource};
use crate::reader::Reader;
use crate::tree::{Kind, Node};
use crate::{KeyPath, git_url};

/// How old a commit of a third party has to be in strict mode when nothing else is said.
const STRICT_AGE: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// What no commit is ever old enough for.
pub(crate) const NEVER: Duration = Duration::MAX;

const MEMBERS: [&str; 4] = ["mode", "marketplaces", "min_commit_age", "hold"];

/// What one layer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRule {
    /// Who asks.
    pub tier: TrustTier,
    /// The file, where one file asks.
    pub file: Option<AbsPath>,
    /// Whether a marketplace that is not trusted needs a yes for everything that comes from it.
    pub confirms: bool,
    /// The marketplaces that are trusted beside the curated one.
    pub trusted: Vec<TrustedPlace>,
    /// How old a commit of a third party has to be.
    pub min_commit_age: Duration,
    /// What a plugin from elsewhere may not bring without a yes.
    pub holds: BTreeSet<TrustHold>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustTier {
    /// The settings of the machine, the user and the session.
    Settings,
    /// A trusted project.
    Project,
    /// The organisation.
    Required,
}

/// A marketplace that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustedPlace {
    /// By the name under which the user or an administrator has it.
    Name(MarketplaceName),
    /// By its repository, in the one spelling of [`git_url::normalise`].
    Repository(String),
    /// By its directory.
    Directory(AbsPath),
}

/// What of a plugin can be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustHold {
    /// Hooks.
    Hooks,
    /// Programs and scripts.
    Executables,
    /// MCP servers.
    McpServers,
    /// Apps.
    Apps,
}

impl TrustHold {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hooks, Self::Executables, Self::McpServers, Self::Apps];
    /// What strict mode holds: everything that runs on this machine.
    const STRICT: [Self; 3] = [Self::Hooks, Self::Executables, Self::McpServers];

    /// The word in the settings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hooks => "hooks",
            Self::Executables => "executables",
            Self::McpServers => "mcpServers",
            Self::Apps => "apps",
        }
    }
}

impl TrustRule {
    /// Strict mode, with nobody named.
    pub(crate) fn strict(tier: TrustTier, file: Option<AbsPath>) -> Self {
        Self {
            tier,
            file,
            confirms: true,
            trusted: Vec::new(),
            min_commit_age: STRICT_AGE,
            holds: BTreeSet::from(TrustHold::STRICT),
        }
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.confirms && self.min_commit_age.is_zero() && self.holds.is_empty()
    }
}

/// The rule of a table; nothing when it asks for nothing.
pub(crate) fn rule(
    reader: &mut Reader<'_>,
    table: &Node,
    tier: TrustTier,
    file: Option<AbsPath>,
) -> Option<TrustRule> {
    let field = |name: &str| KeyPath::of(["plugd", "trust", name]);
    let strict = || TrustRule::strict(tier, file.clone());
    if reader
        .table(Some(table), &KeyPath::of(["plugd", "trust"]))
        .is_err()
    {
        return Some(strict());
    }
    reader.unknown(table, &KeyPath::of(["plugd", "trust"]), &MEMBERS);
    let mode = reader.word(table, &field("mode"), &["open", "strict"]);
    // A word that nobody knows may have been meant to be strict.
    let is_strict = mode.map_or(true, |mode| mode.as_deref() == Some("strict"));
    let mut rule = match is_strict {
        true => strict(),
        false => TrustRule {
            confirms: false,
            min_commit_age: Duration::ZERO,
            holds: BTreeSet::new(),
            ..strict()
        },
    };
    if table.get("marketplaces").is_some() {
        rule.confirms = true;
        rule.trusted = places(reader, table, &field("marketplaces"));
    }
    if let Some(node) = table.get("min_commit_age") {
        rule.min_commit_age = age(reader, node, &field("min_commit_age"));
    }
    if let Some(node) = table.get("hold") {
        rule.holds = holds(reader, node, &field("hold"));
    }
    (!rule.is_open()).then_some(rule)
}

/// The rules of `plugd.toml`: one for the settings in force, and one for each trusted project.
pub(crate) fn rules(reader: &mut Reader<'_>, merged: &Node, layers: &[&Node]) -> Vec<TrustRule> {
    let mut rules = Vec::new();
    let mut projects = Vec::new();
    for layer in layers {
        let origin = reader.stack.origin(layer.mark);
        match origin.source {
            LayerSource::Project { .. } => {
                projects.extend(rule(reader, layer, TrustTier::Project, origin.file));
            }
            // Another layer may have laid a table over it, and hidden what was meant.
            _ if layer.members().is_none() && !is_in_force(merged, layer) => {
                rules.extend(rule(reader, layer, TrustTier::Settings, origin.file));
            }
            _ => {}
        }
    }
    if let Some(table) = merged.get("trust") {
        let file = reader.stack.origin(table.mark).file;
        rules.extend(rule(reader, table, TrustTier::Settings, file));
    }
    rules.append(&mut projects);
    rules
}

/// The rules of tables that stand where none is read. Whoever wrote one asked for something, so it is
/// strict mode and never none.
pub(crate) fn misplaced(reader: &mut Reader<'_>, tables: &[(KeyPath, Node)]) -> Vec<TrustRule> {
    let mut rules = Vec::new();
    for (field, table) in tables {
        let origin = reader.stack.origin(table.mark);
        let message = "it is `[trust]` in `plugd.toml` that is read; strict mode holds until it \
                       stands there";
        reader.error(
            ProblemKind::UnknownField,
            table.mark,
            field,
            message.to_owned(),
        );
        let tier = match origin.source {
            LayerSource::Project { .. } => TrustTier::Project,
            _ => TrustTier::Settings,
        };
        rules.push(TrustRule::strict(tier, origin.file));
    }
    rules
}

/// The table in a table of the settings' own name, which is their name elsewhere.
pub(crate) fn within(settings: &Node, field: &KeyPath) -> Option<(KeyPath, Node)> {
    let table = settings.get("trust")?;
    Some((field.child("trust"), table.clone()))
}

/// A settings file that nobody can read may have asked for anything.
pub(crate) fn unread(layers: &[Draft]) -> impl Iterator<Item = TrustRule> {
    let broken = layers.iter().filter(|draft| draft.layer.error.is_some());
    broken.map(|draft| {
        let tier = match draft.layer.source {
            LayerSource::Project { .. } => TrustTier::Project,
            _ => TrustTier::Settings,
        };
        TrustRule::strict(tier, draft.layer.file.clone())
    })
}

fn is_in_force(merged: &Node, layer: &Node) -> bool {
    merged
        .get("trust")
        .is_some_and(|table| table.mark == layer.mark)
}

/// The marketplaces of a list. What cannot be understood trusts nobody.
fn places(reader: &mut Reader<'_>, table: &Node, field: &KeyPath) -> Vec<TrustedPlace> {
    let mut places = Vec::new();
    let Some(Kind::Array(items)) = table.get("marketplaces").map(|node| &node.kind) else {
        let _spoiled = reader.texts(table, field);
        return places;
    };
    for (index, item) in items.iter().enumerate() {
        let field = field.child(index.to_string());
        let Kind::Text(text) = &item.kind else {
            reader.wrong_type(item, &field, "a string");
            continue;
        };
        match place(text) {
            Some(place) => places.push(place),
            None => {
                let text = text.escape_debug();
                let message = format!(
                    "`{text}` is no name of a marketplace, no git URL and no absolute path"
                );
                reader.error(ProblemKind::BadValue, item.mark, &field, message);
            }
        }
    }
    places
}

fn place(text: &str) -> Option<TrustedPlace> {
    if let Ok(path) = AbsPath::new(text) {
        return Some(TrustedPlace::Directory(path));
    }
    if let Ok(name) = MarketplaceName::new(text) {
        return Some(TrustedPlace::Name(name));
    }
    // A name holds neither; a relative path would mean another place in each directory.
    let is_address = text.contains('/') || text.contains(':');
    let is_relative = text.starts_with('.') || text.starts_with('~');
    (is_address && !is_relative && !text.contains(char::is_whitespace))
        .then(|| TrustedPlace::Repository(git_url::normalise(text)))
}

/// An age such as `72h`.
fn age(reader: &mut Reader<'_>, node: &Node, field: &KeyPath) -> Duration {
    let Kind::Text(text) = &node.kind else {
        reader.wrong_type(node, field, "a string such as `72h`");
        return NEVER;
    };
    if let Some(age) = parse_age(text) {
        return age;
    }
    let message = format!(
        "`{}` is no age: write a whole number with `s`, `m`, `h` or `d`, such as `72h`",
        text.escape_debug()
    );
    reader.error(ProblemKind::BadValue, node.mark, field, message);
    NEVER
}

fn parse_age(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// What is held back. What cannot be understood holds back everything.
fn holds(reader: &mut Reader<'_>, node: &Node, field: &KeyPath) -> BTreeSet<TrustHold> {
    let all = || BTreeSet::from(TrustHold::ALL);
    let Kind::Array(items) = &node.kind else {
        reader.wrong_type(node, field, "an array of strings");
        return all();
    };
    let mut holds = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let field = field.child(index.to_string());
        let Kind::Text(text) = &item.kind else {
            reader.wrong_type(item, &field, "a string");
            return all();
        };
        let Some(hold) = TrustHold::ALL.into_iter().find(|hold| hold.word() == text) else {
            let words = TrustHold::ALL.map(TrustHold::word).join("`, `");
            let message = format!("`{}` is none of `{words}`", text.escape_debug());
            reader.error(ProblemKind::BadValue, item.mark, &field, message);
            return all();
        };
        holds.insert(hold);
    }
    holds
}

#[cfg(test)]
mod tests;
