//! The `[marketplaces]` table: which marketplaces are configured, and from where.
//!
//! Whether a marketplace is there, allowed, or carries the name it is configured under is not asked
//! here; that is the resolver's business.

use plugd_model::{AbsPath, Layout, MarketplaceName, NameError, PackedOrigin, ProblemKind};

use crate::KeyPath;
use crate::layer::Origin;
use crate::reader::{Reader, Spoiled};
use crate::tree::Node;

/// Where a configured marketplace comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketplaceKind {
    /// A directory of this machine.
    Local {
        /// The directory, which need not exist.
        source: AbsPath,
    },
    /// A git repository.
    Git {
        /// The URL as it was written.
        source: String,
        /// Branch or tag; `None` means the default branch.
        ref_name: Option<String>,
        /// Directories to check out; empty means everything.
        sparse_paths: Vec<String>,
    },
    /// One archive, of a registry or behind an address. The file has it as a directory of this
    /// machine, because other programs read the file too; the directory's path spells the origin.
    Packed {
        /// The directory as it is written, which may be that of another home.
        place: AbsPath,
        /// Where it comes from.
        origin: PackedOrigin,
    },
}

impl MarketplaceKind {
    /// The kind of a directory.
    #[must_use]
    pub fn of_directory(source: AbsPath) -> Self {
        match PackedOrigin::of_place(&source) {
            Some(origin) => Self::Packed {
                place: source,
                origin,
            },
            None => Self::Local { source },
        }
    }

    /// Where the files of a marketplace are that is configured so under this key. What comes from
    /// another machine has one place in each home.
    ///
    /// # Errors
    /// The key names no place.
    pub fn root(&self, key: &str, layout: &Layout) -> Result<AbsPath, NameError> {
        match self {
            Self::Local { source } => Ok(source.clone()),
            Self::Git { .. } => Ok(layout.git_marketplace(&MarketplaceName::new(key)?)),
            Self::Packed { origin, .. } => {
                Ok(layout.packed_marketplace(&MarketplaceName::new(key)?, origin))
            }
        }
    }

    /// Where it comes from, when it is one archive. Two rows of one origin mean the same, wherever
    /// they have it unpacked.
    #[must_use]
    pub fn origin(&self) -> Option<&PackedOrigin> {
        match self {
            Self::Packed { origin, .. } => Some(origin),
            Self::Local { .. } | Self::Git { .. } => None,
        }
    }
}

/// A row of `[marketplaces]` that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketplaceSetting {
    /// The key of the row. It names a directory of ours, so whoever builds a path checks it first.
    pub key: String,
    /// Where the marketplace comes from.
    pub kind: MarketplaceKind,
    /// The layer that decided the source.
    pub origin: Origin,
}

const KNOWN: [&str; 6] = [
    "source_type",
    "source",
    "ref",
    "sparse_paths",
    "last_updated",
    "last_revision",
];

/// Reads all rows in the order of the layers and files; a bad one becomes a problem.
pub(crate) fn read(reader: &mut Reader<'_>, merged: &Node) -> Vec<MarketplaceSetting> {
    let field = KeyPath::of(["marketplaces"]);
    let Ok(rows) = reader.table(merged.get("marketplaces"), &field) else {
        return Vec::new();
    };
    let mut settings = Vec::new();
    for (key, node) in rows {
        let field = field.child(key);
        if reader.table(Some(node), &field).is_err() {
            continue;
        }
        reader.unknown(node, &field, &KNOWN);
        if let Ok(kind) = kind(reader, node, &field) {
            let decider = node.get("source").unwrap_or(node);
            settings.push(MarketplaceSetting {
                key: key.clone(),
                kind,
                origin: reader.stack.origin(decider.mark),
            });
        }
    }
    settings
}

fn kind(reader: &mut Reader<'_>, row: &Node, field: &KeyPath) -> Result<MarketplaceKind, Spoiled> {
    // All members are read before the first error counts, so that each bad one is reported.
    let source_type = reader.text(row, &field.child("source_type"));
    let source = reader.text(row, &field.child("source"));
    let ref_name = reader.text(row, &field.child("ref"));
    let sparse_paths = reader.texts(row, &field.child("sparse_paths"));
    let updated = reader.text(row, &field.child("last_updated"));
    let revision = reader.text(row, &field.child("last_revision"));
    // Nobody uses these two; a bad one has been reported and spoils nothing.
    let _ = (updated, revision);
    let (source_type, source) = (source_type?, source?);
    let (ref_name, sparse_paths) = (ref_name?, sparse_paths?);
    let is_local = match source_type.as_deref() {
        Some("local") => true,
        Some("git") | None => false,
        Some(other) => {
            let message = format!("`{}` is neither `git` nor `local`", other.escape_debug());
            let field = field.child("source_type");
            let mark = row.get("source_type").unwrap_or(row).mark;
            reader.error(ProblemKind::BadValue, mark, &field, message);
            return Err(Spoiled);
        }
    };
    let Some(source) = source.filter(|source| !source.trim().is_empty()) else {
        let mark = row.get("source").unwrap_or(row).mark;
        let message = "the marketplace has no source";
        reader.error(
            ProblemKind::MissingField,
            mark,
            &field.child("source"),
            message,
        );
        return Err(Spoiled);
    };
    if !is_local {
        return Ok(MarketplaceKind::Git {
            source,
            ref_name,
            sparse_paths,
        });
    }
    AbsPath::new(&source)
        .map(MarketplaceKind::of_directory)
        .map_err(|error| {
            let mark = row.get("source").unwrap_or(row).mark;
            let field = field.child("source");
            reader.error(ProblemKind::BadPath, mark, &field, error.to_string());
            Spoiled
        })
}
