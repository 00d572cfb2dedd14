//! From text to values.

mod artifacts;
mod location;

use std::collections::BTreeMap;

use plugd_disk::tree::Digest;
use plugd_model::{
    MarketplaceName, Place, PluginId, Problem, ProblemKind, VersionSegment, git_url,
};
use toml_edit::{Document, Item, Key, TableLike};

use location::{BAD_LOCATION, location};

use crate::render::OF_MARKETPLACE;
use crate::{FORMAT, Location, LockedMarketplace, LockedPlugin, LockedSource, Lockfile};

/// A lock that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What it says.
    pub lock: Lockfile,
    /// Members that this version does not know.
    pub unknown: Vec<Problem>,
}

/// Reads a lock.
///
/// # Errors
/// Everything that keeps it from being one, each with its place.
pub fn parse(text: &str) -> Result<Parsed, Vec<Problem>> {
    let document = Document::parse(text).map_err(|error| vec![syntax(text, &error)])?;
    let mut reader = Reader {
        text,
        errors: Vec::new(),
        unknown: Vec::new(),
    };
    let root = Block {
        name: String::new(),
        offset: 0,
        table: document.as_table(),
    };
    if !reader.format_is_known(&root) {
        return Err(reader.errors);
    }
    let lock = reader.lock(&root);
    let place = |problem: &Problem| problem.place.map(|place| (place.line, place.column));
    reader.errors.sort_by_key(place);
    reader.unknown.sort_by_key(place);
    match reader.errors.is_empty() {
        true => Ok(Parsed {
            lock,
            unknown: reader.unknown,
        }),
        false => Err(reader.errors),
    }
}

/// A conflict of two branches is the commonest reason, and the parser's words would not say so.
fn syntax(text: &str, error: &toml_edit::TomlError) -> Problem {
    let marker = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
        .find(|(_, line)| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "));
    if let Some((at, _)) = marker {
        let message = "two branches changed the same lines: keep the blocks of both, \
                       or lock the plugins in question again";
        return Problem::error(ProblemKind::Syntax, message)
            .at(Place::of_offset(text.as_bytes(), at));
    }
    let at = error.span().map_or(0, |span| span.start);
    Problem::error(ProblemKind::Syntax, error.message().replace('\n', ", "))
        .at(Place::of_offset(text.as_bytes(), at))
}

struct Reader<'a> {
    text: &'a str,
    errors: Vec<Problem>,
    unknown: Vec<Problem>,
}

/// A table with its name and place.
struct Block<'a> {
    name: String,
    offset: usize,
    table: &'a dyn TableLike,
}

impl Block<'_> {
    /// The name of a member, or of the block itself.
    fn field(&self, key: &str) -> String {
        if key.is_empty() {
            return self.name.clone();
        }
        let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let key = match key.chars().all(bare) {
            true => key.to_owned(),
            false => format!("\"{}\"", key.escape_default()),
        };
        match self.name.is_empty() {
            true => key,
            false => format!("{}.{key}", self.name),
        }
    }

    fn offset_of(&self, key: &str) -> usize {
        let item = self.table.get(key).and_then(Item::span);
        let span = item.or_else(|| self.table.key(key).and_then(Key::span));
        span.map_or(self.offset, |span| span.start)
    }
}

impl Reader<'_> {
    fn error(&mut self, block: &Block<'_>, key: &str, kind: ProblemKind, message: String) {
        let place = Place::of_offset(self.text.as_bytes(), block.offset_of(key));
        let problem = Problem::error(kind, message)
            .at_field(block.field(key))
            .at(place);
        self.errors.push(problem);
    }

    fn bad(&mut self, block: &Block<'_>, key: &str, message: impl Into<String>) {
        self.error(block, key, ProblemKind::BadValue, message.into());
    }

    fn format_is_known(&mut self, root: &Block<'_>) -> bool {
        let found = root.table.get("version");
        match found.and_then(Item::as_integer) {
            Some(FORMAT) => return true,
            Some(newer) if newer > FORMAT => self.error(
                root,
                "version",
                ProblemKind::UnsupportedSchema,
                format!("the format {newer} is newer than this program, which knows {FORMAT}"),
            ),
            _ if found.is_none() => self.error(
                root,
                "version",
                ProblemKind::MissingField,
                format!("a lock begins with `version = {FORMAT}`"),
            ),
            _ => self.bad(
                root,
                "version",
                format!("the format is the number {FORMAT}"),
            ),
        }
        false
    }

    fn lock(&mut self, root: &Block<'_>) -> Lockfile {
        self.only(root, &["version", "marketplaces", "plugins"]);
        let mut marketplaces = BTreeMap::new();
        for (name, block) in self.blocks(root, "marketplaces") {
            match MarketplaceName::new(&name) {
                Ok(name) => {
                    if let Some(one) = self.marketplace(&block) {
                        marketplaces.insert(name, one);
                    }
                }
                Err(error) => self.error(&block, "", ProblemKind::BadName, error.to_string()),
            }
        }
        let mut plugins = BTreeMap::new();
        for (name, block) in self.blocks(root, "plugins") {
            let id = match PluginId::parse(&name) {
                Ok(id) => id,
                Err(error) => {
                    self.error(&block, "", ProblemKind::BadName, error.to_string());
                    continue;
                }
            };
            let known = root.table.get("marketplaces").and_then(Item::as_table_like);
            if !known.is_some_and(|known| known.contains_key(id.marketplace.as_str())) {
                let message = format!("there is no block `marketplaces.{}`", id.marketplace);
                self.error(&block, "", ProblemKind::MissingField, message);
            }
            if let Some(one) = self.plugin(&block) {
                plugins.insert(id, one);
            }
        }
        Lockfile {
            marketplaces,
            plugins,
        }
    }

    /// The tables in a table of the root.
    fn blocks<'a>(&mut self, root: &Block<'a>, key: &str) -> Vec<(String, Block<'a>)> {
        let Some(item) = root.table.get(key) else {
            return Vec::new();
        };
        let Some(all) = item.as_table_like() else {
            self.bad(root, key, "this is a table of blocks");
            return Vec::new();
        };
        let outer = Block {
            name: key.to_owned(),
            offset: root.offset_of(key),
            table: all,
        };
        let mut blocks = Vec::new();
        for (name, item) in all.iter() {
            match item.as_table_like() {
                Some(table) => blocks.push((
                    name.to_owned(),
                    Block {
                        name: outer.field(name),
                        offset: outer.offset_of(name),
                        table,
                    },
                )),
                None => self.bad(&outer, name, "this is a block of its own"),
            }
        }
        blocks
    }

    fn marketplace(&mut self, block: &Block<'_>) -> Option<LockedMarketplace> {
        self.only(block, &OF_MARKETPLACE);
        let kinds = ["git", "path", "curated", "oci", "archive"];
        match kinds.map(|kind| block.table.contains_key(kind)) {
            [true, false, false, false, false] => Some(LockedMarketplace::Git {
                url: self.address(block)?,
                ref_name: self.optional(block, "ref")?,
                sparse_paths: self.texts(block, "sparse_paths")?,
            }),
            [false, true, false, false, false] => {
                let text = self.text(block, "path")?;
                let Some(location) = location(&text) else {
                    self.bad(block, "path", BAD_LOCATION);
                    return None;
                };
                Some(LockedMarketplace::Local(location))
            }
            [false, false, false, oci, archive] if oci != archive => {
                let key = if oci { "oci" } else { "archive" };
                let origin = self.understood(block, key, artifacts::marketplace(key));
                origin.map(LockedMarketplace::Packed)
            }
            [false, false, true, false, false] => {
                match block.table.get("curated").and_then(Item::as_bool) {
                    Some(true) => Some(LockedMarketplace::Curated),
                    _ => {
                        self.bad(block, "curated", "this is `true`, or is not there");
                        None
                    }
                }
            }
            _ => {
                let message = "it has one of `git`, `path`, `oci`, `archive` and `curated`";
                self.error(block, "", ProblemKind::MissingField, message.to_owned());
                None
            }
        }
    }

    fn plugin(&mut self, block: &Block<'_>) -> Option<LockedPlugin> {
        let known = [
            "version",
            "source",
            "commit",
            "release",
            "digest",
            "source_digest",
            "tree_digest",
        ];
        self.only(block, &known);
        let version = self.text(block, "version");
        let source = self.source(block);
        let resolved = match source {
            Some(LockedSource::Npm { .. }) => self.optional(block, "release"),
            Some(LockedSource::Oci { .. } | LockedSource::Archive { .. }) => {
                self.resolved_digest(block).map(Some)
            }
            // Where its marketplace is one archive, the digest of that says what it was.
            Some(LockedSource::InMarketplace(_)) if block.table.contains_key("digest") => {
                self.resolved_digest(block).map(Some)
            }
            _ => self.optional(block, "commit"),
        };
        let (copied, left) = (
            self.digest(block, "source_digest"),
            self.digest(block, "tree_digest"),
        );
        let version = match VersionSegment::new(&version?) {
            Ok(version) => version,
            Err(error) => {
                self.bad(block, "version", error.to_string());
                return None;
            }
        };
        Some(LockedPlugin {
            version,
            source: source?,
            resolved: resolved?,
            source_digest: copied?,
            tree_digest: left?,
        })
    }

    fn source(&mut self, block: &Block<'_>) -> Option<LockedSource> {
        let Some(item) = block.table.get("source") else {
            let message = "it says where the plugin is from".to_owned();
            self.error(block, "source", ProblemKind::MissingField, message);
            return None;
        };
        let Some(table) = item.as_table_like() else {
            self.bad(
                block,
                "source",
                "this is a table such as `{ path = \"./plugin\" }`",
            );
            return None;
        };
        let inner = Block {
            name: block.field("source"),
            offset: block.offset_of("source"),
            table,
        };
        self.only(
            &inner,
            &[
                "git", "path", "ref", "npm", "version", "registry", "oci", "archive",
            ],
        );
        match ["git", "npm", "path", "oci", "archive"].map(|kind| table.contains_key(kind)) {
            [true, false, _, false, false] => Some(LockedSource::Git {
                url: self.address(&inner)?,
                path: self.optional(&inner, "path")?,
                ref_name: self.optional(&inner, "ref")?,
            }),
            [false, false, false, true, false] => Some(LockedSource::Oci {
                reference: self.understood(&inner, "oci", artifacts::reference)?,
            }),
            [false, false, false, false, true] => Some(LockedSource::Archive {
                url: self.understood(&inner, "archive", artifacts::url)?,
            }),
            [false, true, false, false, false] => Some(LockedSource::Npm {
                package: self.text(&inner, "npm")?,
                version: self.optional(&inner, "version")?,
                registry: self.optional(&inner, "registry")?,
            }),
            [false, false, true, false, false] => {
                let text = self.text(&inner, "path")?;
                match location(&text) {
                    Some(Location::InProject(path)) => Some(LockedSource::InMarketplace(path)),
                    _ => {
                        self.bad(
                            &inner,
                            "path",
                            "this is a directory of the marketplace, `./` first",
                        );
                        None
                    }
                }
            }
            _ => {
                let message = "a source has one of `path`, `git`, `npm`, `oci` and `archive`";
                self.error(&inner, "", ProblemKind::MissingField, message.to_owned());
                None
            }
        }
    }

    /// The address of a repository: no directory of wherever somebody stands, and nothing secret.
    fn address(&mut self, block: &Block<'_>) -> Option<String> {
        let text = self.text(block, "git")?;
        if text.starts_with('.') || text.starts_with('-') {
            self.bad(
                block,
                "git",
                "this is the address of a repository; a directory is a `path`",
            );
            return None;
        }
        if git_url::without_secrets(&text) != text {
            self.bad(
                block,
                "git",
                "this address holds a user name or password, which everybody would read",
            );
            return None;
        }
        Some(text)
    }

    /// A text that something else makes sense of.
    fn understood<T>(
        &mut self,
        block: &Block<'_>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.text(block, key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.bad(block, key, why);
                None
            }
        }
    }

    /// What an artifact or archive was, which is what it is checked against.
    fn resolved_digest(&mut self, block: &Block<'_>) -> Option<String> {
        self.understood(block, "digest", artifacts::digest)
    }

    fn digest(&mut self, block: &Block<'_>, key: &str) -> Option<Digest> {
        let text = self.text(block, key)?;
        match Digest::parse(&text) {
            Ok(digest) => Some(digest),
            Err(error) => {
                self.bad(block, key, error.to_string());
                None
            }
        }
    }

    /// A text that has to be there.
    fn text(&mut self, block: &Block<'_>, key: &str) -> Option<String> {
        match self.optional(block, key)? {
            Some(text) => Some(text),
            None => {
                let message = format!("`{key}` has to be there");
                self.error(block, key, ProblemKind::MissingField, message);
                None
            }
        }
    }

    /// A text that may be there. Nothing at all when what is there is none.
    #[expect(
        clippy::option_option,
        reason = "absent and spoiled are different answers, and only one of them has been told"
    )]
    fn optional(&mut self, block: &Block<'_>, key: &str) -> Option<Option<String>> {
        let Some(item) = block.table.get(key) else {
            return Some(None);
        };
        match item.as_str() {
            Some("") | None => {
                self.bad(block, key, "this is a text, and not an empty one");
                None
            }
            Some(text) => Some(Some(text.to_owned())),
        }
    }

    fn texts(&mut self, block: &Block<'_>, key: &str) -> Option<Vec<String>> {
        let Some(item) = block.table.get(key) else {
            return Some(Vec::new());
        };
        let all = item.as_array().and_then(|items| {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        if all.is_none() {
            self.bad(block, key, "this is a list of texts");
        }
        all
    }

    /// Tells of members that mean nothing here. They may mean something to a newer program.
    fn only(&mut self, block: &Block<'_>, known: &[&str]) {
        for (key, _) in block.table.iter() {
            if !known.contains(&key) {
                let place = Place::of_offset(self.text.as_bytes(), block.offset_of(key));
                let message = format!("`{}` means nothing here", key.escape_debug());
                let problem = Problem::warning(ProblemKind::UnknownField, message);
                self.unknown
                    .push(problem.at_field(block.field(key)).at(place));
            }
        }
    }
}

#[cfg(test)]
mod tests;
