//! What a team commits as `plugins.lock`: which plugins a project uses, exactly, as a text and as
//! values.
//!
//! Invariants:
//! - A file is understood as a whole or refused: half a lock would be another one. Every mistake is
//!   a [`Problem`] with member, line and column. Members that this version does not know are told
//!   and kept.
//! - Equal values make equal bytes, and blocks are sorted by name, so that two people who lock
//!   different plugins meet in no line. What does not change keeps its bytes, with the comments
//!   around it.
//!
//! What this crate must not do: read or write files, or know what is installed. It turns text into
//! values and values into text.
//!
//! [`Problem`]: plugd_model::Problem

mod parse;
mod render;

use std::collections::BTreeMap;
use std::fmt;

use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, MarketplaceName, OciReference, PackedOrigin, PluginId, VersionSegment};

pub use parse::{Parsed, parse};
pub use render::render;

/// The newest format that is read and written.
pub const FORMAT: i64 = 1;

/// Larger than any lock; a larger file is not one.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Everything that a lock says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// Where the plugins are offered.
    pub marketplaces: BTreeMap<MarketplaceName, LockedMarketplace>,
    /// The plugins. Each one's marketplace is among the marketplaces.
    pub plugins: BTreeMap<PluginId, LockedPlugin>,
}

/// Where a marketplace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedMarketplace {
    /// A git repository.
    Git {
        /// Its address.
        url: String,
        /// Branch or tag that a new home follows afterwards.
        ref_name: Option<String>,
        /// The directories that are fetched; none means all.
        sparse_paths: Vec<String>,
    },
    /// One archive, of a registry or behind an address.
    Packed(PackedOrigin),
    /// A directory.
    Local(Location),
    /// The curated marketplace.
    Curated,
}

/// A directory, as one project says it to several machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Below the project, with `/` between its names; empty for the project itself.
    InProject(String),
    /// Somewhere on this machine, which other machines have only if their users agree on it.
    Machine(AbsPath),
}

/// One plugin, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPlugin {
    /// The version directory that it is installed as.
    pub version: VersionSegment,
    /// What its marketplace's entry names.
    pub source: LockedSource,
    /// What that meant: the commit for git, the exact version for an npm registry, the digest for an
    /// artifact or archive. Without one the content alone decides.
    pub resolved: Option<String>,
    /// The digest of what was copied.
    pub source_digest: Digest,
    /// The digest of what the installation left on disk.
    pub tree_digest: Digest,
}

/// The source of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedSource {
    /// A directory of its marketplace, with `/` between its names; empty for the marketplace itself.
    InMarketplace(String),
    /// A git repository of its own, or a directory of one.
    Git {
        /// Its address.
        url: String,
        /// The directory.
        path: Option<String>,
        /// The branch or tag that the entry names.
        ref_name: Option<String>,
    },
    /// A package of an npm registry.
    Npm {
        /// Its name.
        package: String,
        /// The version or range that the entry names.
        version: Option<String>,
        /// The registry; none means the user's.
        registry: Option<String>,
    },
    /// An artifact of an OCI registry, without its digest.
    Oci {
        /// Host, repository and the tag that the entry names.
        reference: OciReference,
    },
    /// An archive behind an address.
    Archive {
        /// The address, without its digest.
        url: String,
    },
}

/// Where it is, for people.
impl fmt::Display for LockedMarketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Git {
                url,
                ref_name: Some(name),
                ..
            } => write!(f, "{url}#{name}"),
            Self::Git { url, .. } => f.write_str(url),
            Self::Packed(origin) => origin.fmt(f),
            Self::Local(location) => location.fmt(f),
            Self::Curated => f.write_str("curated"),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProject(path) if path.is_empty() => f.write_str("."),
            Self::InProject(path) => write!(f, "./{path}"),
            Self::Machine(path) => path.fmt(f),
        }
    }
}
