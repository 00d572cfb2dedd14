//! One marketplace of a resolved set: where it comes from, what it is bound to, what it holds.

use std::sync::Arc;

use plugd_manifest::{Loaded, MarketplaceManifest};
use plugd_model::{AbsPath, PackedOrigin, Problem, RemotePluginId};

/// Why a marketplace is in the set. The order of the variants is the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It lies in the user's home directory.
    Home,
    /// A configuration layer names it.
    Configured {
        /// The key in the marketplaces table.
        key: String,
        /// The file of the layer; absent for session flags.
        file: Option<AbsPath>,
    },
    /// A request named it, as a working directory or by its manifest.
    Request {
        /// Which of the request's roots it was, from 0.
        index: usize,
    },
    /// The curated snapshot below the home directory.
    Curated,
}

impl Origin {
    /// Whether the user or an administrator chose this place. A request root is only where somebody
    /// happens to stand, so nothing moves into the store from it by itself.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        !matches!(self, Self::Request { .. })
    }
}

/// What holds a marketplace's files; also what an installed plugin is bound to.
///
/// Two marketplaces of one name with different bindings are different marketplaces, whatever they
/// call themselves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binding {
    /// A manifest in a local directory; all links resolved.
    Manifest(AbsPath),
    /// A checkout of a git repository.
    Git {
        /// Its URL as configured.
        url: String,
        /// The branch or tag, when one is configured.
        ref_name: Option<String>,
    },
    /// One archive, of a registry or behind an address.
    Packed(PackedOrigin),
    /// The curated snapshot.
    Curated,
    /// The hosted catalog, which no manifest on this machine stands for.
    Remote {
        /// The plugin's id there.
        id: RemotePluginId,
    },
}

impl Binding {
    /// A line for messages and answers.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Manifest(path) => path.to_text(),
            Self::Git { url, ref_name } => match ref_name {
                Some(name) => format!("{url}#{name}"),
                None => url.clone(),
            },
            Self::Packed(origin) => origin.to_string(),
            Self::Curated => "the curated marketplace".to_owned(),
            Self::Remote { id } => format!("the remote catalog, where it is `{id}`"),
        }
    }
}

/// A loaded manifest and where it was found.
#[derive(Debug, Clone)]
pub struct Content {
    /// The manifest file as it was reached, links kept: this is what answers show.
    pub path: AbsPath,
    /// The parsed file.
    pub manifest: Arc<Loaded<MarketplaceManifest>>,
    /// What its plugins are bound to.
    pub binding: Binding,
}

/// Whether a marketplace can be used.
#[derive(Debug, Clone)]
pub enum State {
    /// Its manifest is loaded.
    Loaded(Content),
    /// It cannot be used; the problem says why.
    Failed(Problem),
}

/// One entry of the set.
#[derive(Debug, Clone)]
pub struct Marketplace {
    /// Why it is here.
    pub origin: Origin,
    /// The manifest when there is one, else what named the place: a config file or a directory.
    pub named_by: AbsPath,
    /// Loaded or failed.
    pub state: State,
    /// What was met on the way to the manifest and is none.
    pub notes: Vec<Problem>,
    /// Set when another marketplace of the same name and another binding goes first.
    pub conflict: Option<Problem>,
}

impl Marketplace {
    /// The content, when the marketplace is usable.
    #[must_use]
    pub fn content(&self) -> Option<&Content> {
        match &self.state {
            State::Loaded(content) => Some(content),
            State::Failed(_) => None,
        }
    }
}
