//! What the administrator requires: `requirements.toml` with its list of allowed marketplaces, its
//! switches of features, its hooks and the servers of plugins that it allows.
//!
//! Invariant: a mistake in this file never opens anything. When a part that restricts cannot be
//! understood, the restriction is in force and nothing is on the list.

use plugd_disk::Disk;
use plugd_model::{AbsPath, Layout, PluginId, Problem, ProblemKind, RemoteMarketplace};
use regex_lite::Regex;
use serde_json::Value;

use crate::files::Files;
use crate::layer::{LayerSource, Stack};
use crate::reader::{Reader, Spoiled};
use crate::tree::{Kind, Node};
use crate::trust::{self, TrustRule, TrustTier};
use crate::{KeyPath, MarketplaceKind, MarketplaceSetting, git_url};

pub(crate) use features::{RequiredFeatures, refuse_contrary};
pub use servers::ServerIdentity;
use servers::ServerRules;

mod features;
mod known;
mod servers;

/// Where the official marketplace lies. It needs permission like any other source.
pub const CURATED_URL: &str = "https://github.com/openai/plugins.git";

/// The name of the file, in the directory of the system.
pub(crate) const FILE: &str = "requirements.toml";

/// The requirements in force.
#[derive(Debug, Clone)]
pub struct Requirements {
    /// To follow links when it is asked: they may change while this lives.
    disk: Disk,
    file: AbsPath,
    content: Value,
    restricted: bool,
    broken: bool,
    rules: Vec<Rule>,
    trust: Option<TrustRule>,
    features: RequiredFeatures,
    managed_hooks_only: bool,
    servers: ServerRules,
}

#[derive(Debug, Clone)]
enum Rule {
    Git {
        url: String,
        ref_name: Option<String>,
    },
    Host(Regex),
    Local(AbsPath),
}

impl Requirements {
    /// The file they stand in, whether or not it exists.
    #[must_use]
    pub fn file(&self) -> &AbsPath {
        &self.file
    }

    /// The whole file; empty when it is absent or broken.
    #[must_use]
    pub fn content(&self) -> &Value {
        &self.content
    }

    /// What the organisation asks for before a plugin may come.
    pub(crate) fn trust(&self) -> Option<&TrustRule> {
        self.trust.as_ref()
    }

    /// Which features are required to be on or off.
    pub(crate) fn features(&self) -> &RequiredFeatures {
        &self.features
    }

    /// Whether only hooks that an administrator prescribes may run.
    #[must_use]
    pub fn managed_hooks_only(&self) -> bool {
        self.managed_hooks_only
    }

    /// The hooks that are prescribed here, as a table of events, and the place that they are known by;
    /// `None` when there are none.
    #[must_use]
    pub fn hooks(&self) -> Option<(Value, AbsPath)> {
        let mut events = self.content["hooks"].as_object()?.clone();
        let name = if cfg!(windows) {
            "windows_managed_dir"
        } else {
            "managed_dir"
        };
        let dir = events.get(name).and_then(Value::as_str);
        let place = dir.and_then(|dir| AbsPath::new(dir).ok());
        events.retain(|name, _| !matches!(name.as_str(), "managed_dir" | "windows_managed_dir"));
        Some((
            Value::Object(events),
            place.unwrap_or_else(|| self.file.clone()),
        ))
    }

    /// Asks whether a server of a plugin may be used, which is known by any of these.
    ///
    /// # Errors
    /// The problem to show when it may not.
    pub fn allows_server(
        &self,
        id: &PluginId,
        name: &str,
        identities: &[ServerIdentity],
    ) -> Result<(), Problem> {
        if self.servers.allow(id, name, identities) {
            return Ok(());
        }
        let message = format!(
            "the server `{}` of plugin `{id}` is not allowed by `{}`",
            name.escape_debug(),
            self.file
        );
        Err(Problem::error(ProblemKind::Policy, message).in_file(&self.file))
    }

    /// Asks whether plugins of a marketplace may be active, under a configuration with these
    /// marketplaces. What the account brings is the account's affair.
    ///
    /// # Errors
    /// The problem to show when they may not.
    pub fn allows_plugins_of(
        &self,
        name: &str,
        marketplaces: &[MarketplaceSetting],
    ) -> Result<(), Problem> {
        if !self.restricted || RemoteMarketplace::of_name(name).is_some() {
            return Ok(());
        }
        if matches!(
            name,
            plugd_model::CURATED_MARKETPLACE | plugd_model::CURATED_API_MARKETPLACE
        ) {
            return self.allows_curated();
        }
        match marketplaces.iter().find(|row| row.key == name) {
            Some(row) => self.allows(name, &row.kind),
            None => self.allows_unconfigured(name),
        }
    }

    /// Asks whether a working tree may stand in for a plugin, whatever the plugin is called: it has to
    /// lie in a local directory that is on the list.
    ///
    /// # Errors
    /// The problem to show when it may not.
    pub fn allows_tree(&self, path: &AbsPath) -> Result<(), Problem> {
        if !self.restricted {
            return Ok(());
        }
        let place = self.disk.place_of(path);
        let holds = |rule: &Rule| matches!(rule, Rule::Local(dir) if place.starts_with(&self.disk.place_of(dir)));
        if self.rules.iter().any(holds) {
            return Ok(());
        }
        let message = format!(
            "the working tree `{path}` is not allowed by `{}`: it lies in no local directory on the list of \
             allowed sources",
            self.file
        );
        let problem = Problem::error(ProblemKind::Policy, message).in_file(&self.file);
        Err(problem.at_field("marketplaces.allowed_sources"))
    }

    /// Whether only marketplaces on the list may be used.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// Asks whether a marketplace may be used. The key is only for the message: a source is allowed
    /// whatever it is called.
    ///
    /// # Errors
    /// The problem to show when it may not.
    pub fn allows(&self, key: &str, kind: &MarketplaceKind) -> Result<(), Problem> {
        if !self.restricted || self.rules.iter().any(|rule| rule.allows(&self.disk, kind)) {
            return Ok(());
        }
        let source = match kind {
            MarketplaceKind::Local { source } => source.to_text(),
            MarketplaceKind::Git { source, .. } => {
                plugd_model::git_url::without_credentials(source)
            }
            MarketplaceKind::Packed { origin, .. } => origin.to_string(),
        };
        let reason = match self.broken {
            true => "the list of allowed sources is broken, so nothing is allowed",
            false => "its source is not on the list of allowed sources",
        };
        let message = format!(
            "the marketplace `{}` from `{}` is not allowed by `{}`: {reason}",
            key.escape_debug(),
            source.escape_debug(),
            self.file
        );
        let problem = Problem::error(ProblemKind::Policy, message).in_file(&self.file);
        Err(problem.at_field("marketplaces.allowed_sources"))
    }

    /// Asks whether the curated marketplace may be used.
    ///
    /// # Errors
    /// The problem to show when it may not.
    pub fn allows_curated(&self) -> Result<(), Problem> {
        let kind = MarketplaceKind::Git {
            source: CURATED_URL.to_owned(),
            ref_name: None,
            sparse_paths: Vec::new(),
        };
        self.allows(plugd_model::CURATED_MARKETPLACE, &kind)
    }

    /// Asks about a marketplace that no configuration names (home, a request's root).
    ///
    /// # Errors
    /// The problem to show when only configured marketplaces may be used.
    pub fn allows_unconfigured(&self, name: &str) -> Result<(), Problem> {
        if !self.restricted {
            return Ok(());
        }
        let message = format!(
            "the marketplace `{}` is not allowed by `{}`: it must be added to config first",
            name.escape_debug(),
            self.file
        );
        Err(Problem::error(ProblemKind::Policy, message).in_file(&self.file))
    }
}

impl Rule {
    fn allows(&self, disk: &Disk, kind: &MarketplaceKind) -> bool {
        match (self, kind) {
            (Self::Local(allowed), MarketplaceKind::Local { source }) => {
                allowed == source || disk.place_of(allowed) == disk.place_of(source)
            }
            (
                Self::Git { url, ref_name },
                MarketplaceKind::Git {
                    source,
                    ref_name: asked,
                    ..
                },
            ) => *url == git_url::normalise(source) && (ref_name.is_none() || ref_name == asked),
            (Self::Host(pattern), MarketplaceKind::Git { source, .. }) => {
                git_url::host(source).is_some_and(|host| pattern.is_match(&host))
            }
            // The origin, never the directory that it is unpacked to.
            (Self::Git { url, ref_name }, MarketplaceKind::Packed { origin, .. }) => {
                let is_there = *url == git_url::normalise(&origin.address());
                is_there && (ref_name.is_none() || ref_name.as_deref() == origin.tag())
            }
            (Self::Host(pattern), MarketplaceKind::Packed { origin, .. }) => {
                git_url::host(&origin.address()).is_some_and(|host| pattern.is_match(&host))
            }
            _ => false,
        }
    }
}

/// Reads the only layer of the stack it is given.
pub(crate) fn read(
    disk: &Disk,
    stack: &Stack,
    index: usize,
    file: AbsPath,
) -> (Requirements, Vec<Problem>) {
    let draft = &stack.drafts[index];
    let mut reader = Reader::new(stack);
    let mut rules = Vec::new();
    let list = match draft.layer.error {
        Some(_) => Err(Spoiled),
        None => read_list(&mut reader, &draft.layer.tree),
    };
    let (restricted, broken) = match list {
        Ok(List::Open) => (false, false),
        Ok(List::Only(only)) => {
            rules = only;
            (true, false)
        }
        Err(Spoiled) => (true, true),
    };
    let tree = &draft.layer.tree;
    let is_readable = draft.layer.error.is_none();
    let trust = match is_readable {
        true => read_trust(&mut reader, tree, &file),
        false => Some(TrustRule::strict(TrustTier::Required, Some(file.clone()))),
    };
    known::check(&mut reader, tree);
    let requirements = Requirements {
        disk: disk.clone(),
        features: RequiredFeatures::read(&mut reader, tree),
        managed_hooks_only: features::managed_hooks_only(&mut reader, tree) || !is_readable,
        servers: match is_readable {
            true => ServerRules::read(&mut reader, tree),
            false => ServerRules::none(),
        },
        file,
        trust,
        content: draft.layer.content(),
        restricted,
        broken,
        rules,
    };
    (requirements, reader.problems)
}

/// Reads the file without the configuration around it.
pub(crate) fn of_system(disk: &Disk, layout: &Layout) -> Requirements {
    let file = layout.system().join(FILE);
    let mut stack = Stack::default();
    let index = stack.read(disk, &Files::none(), LayerSource::System, file.clone());
    read(disk, &stack, index, file).0
}

/// The rule below `plugd`, which is our own table in a file that is not.
fn read_trust(reader: &mut Reader<'_>, tree: &Node, file: &AbsPath) -> Option<TrustRule> {
    let own = tree.get("plugd")?;
    if reader.table(Some(own), &KeyPath::of(["plugd"])).is_err() {
        return Some(TrustRule::strict(TrustTier::Required, Some(file.clone())));
    }
    trust::rule(
        reader,
        own.get("trust")?,
        TrustTier::Required,
        Some(file.clone()),
    )
}

enum List {
    Open,
    Only(Vec<Rule>),
}

fn read_list(reader: &mut Reader<'_>, tree: &Node) -> Result<List, Spoiled> {
    let field = KeyPath::of(["marketplaces"]);
    let Some(table) = tree.get("marketplaces") else {
        return Ok(List::Open);
    };
    let members = reader.table(Some(table), &field)?;
    // Somebody may have meant the switch itself.
    known::only(
        reader,
        members,
        &field,
        &["restrict_to_allowed_sources", "allowed_sources"],
    )?;
    let restricted = reader.flag(table, &field.child("restrict_to_allowed_sources"))?;
    let field = field.child("allowed_sources");
    let rows = reader.table(table.get("allowed_sources"), &field);
    let mut rules = Vec::new();
    let mut spoiled = rows.is_err();
    for (key, node) in rows.unwrap_or_default() {
        match rule(reader, node, &field.child(key)) {
            Ok(rule) => rules.push(rule),
            Err(Spoiled) => spoiled = true,
        }
    }
    match (restricted.unwrap_or(false), spoiled) {
        (false, _) => Ok(List::Open),
        (true, false) => Ok(List::Only(rules)),
        (true, true) => Err(Spoiled),
    }
}

fn rule(reader: &mut Reader<'_>, row: &Node, field: &KeyPath) -> Result<Rule, Spoiled> {
    let members = reader.table(Some(row), field)?;
    known::only(
        reader,
        members,
        field,
        &["source", "url", "ref", "host_pattern", "path"],
    )?;
    let source = required(reader, row, &field.child("source"))?;
    let place = |name: &str| row.get(name).unwrap_or(row).mark;
    match source.as_str() {
        "git" => Ok(Rule::Git {
            url: git_url::normalise(&required(reader, row, &field.child("url"))?),
            ref_name: reader.text(row, &field.child("ref"))?,
        }),
        "host_pattern" => {
            let field = field.child("host_pattern");
            let pattern = required(reader, row, &field)?;
            Regex::new(&pattern).map(Rule::Host).map_err(|error| {
                let message = format!("not a regular expression: {error}");
                reader.error(
                    ProblemKind::BadValue,
                    place("host_pattern"),
                    &field,
                    message,
                );
                Spoiled
            })
        }
        "local" => {
            let field = field.child("path");
            let path = required(reader, row, &field)?;
            AbsPath::new(path).map(Rule::Local).map_err(|error| {
                reader.error(
                    ProblemKind::BadPath,
                    place("path"),
                    &field,
                    error.to_string(),
                );
                Spoiled
            })
        }
        other => {
            let word = other.escape_debug();
            let message = format!("`{word}` is none of `git`, `host_pattern` and `local`");
            reader.error(
                ProblemKind::BadValue,
                place("source"),
                &field.child("source"),
                message,
            );
            Err(Spoiled)
        }
    }
}

fn required(reader: &mut Reader<'_>, row: &Node, field: &KeyPath) -> Result<String, Spoiled> {
    if let Some(text) = reader
        .text(row, field)?
        .filter(|text| !text.trim().is_empty())
    {
        return Ok(text);
    }
    let name = field.segments().last().map_or("", String::as_str);
    let node = row
        .get(name)
        .filter(|node| matches!(node.kind, Kind::Text(_)))
        .unwrap_or(row);
    reader.error(
        ProblemKind::MissingField,
        node.mark,
        field,
        "the rule needs this",
    );
    Err(Spoiled)
}

#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod tests;
