//! Which configured marketplaces `marketplace/upgrade` and the refresh bring, and where those come
//! from.

use plugd_config::{MarketplaceKind, MarketplaceSetting};
use plugd_model::PackedOrigin;

use crate::broken_config::refuse_broken;
use crate::marketplace_upgrade::Parts;
use crate::source_text::GitSource;
use crate::{Error, Lookup};

/// A configured marketplace that comes from another machine.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) source: Far,
}

/// Where it comes from.
#[derive(Debug, Clone)]
pub(crate) enum Far {
    /// A repository.
    Git(GitSource),
    /// One archive.
    Packed(PackedOrigin),
}

impl Far {
    fn of_row(kind: &MarketplaceKind) -> Option<Self> {
        match kind {
            MarketplaceKind::Local { .. } => None,
            MarketplaceKind::Git { .. } => GitSource::of_row(kind).map(Self::Git),
            MarketplaceKind::Packed { origin, .. } => Some(Self::Packed(origin.clone())),
        }
    }
}

/// Which rows of configuration are meant.
pub(crate) enum Rows {
    /// All, or the one of this name.
    Configured(Option<String>),
    /// Those of which nothing is here.
    Missing,
}

impl Parts {
    /// The rows that are meant, by name.
    pub(crate) async fn rows(&self, which: Rows) -> Result<Vec<Row>, Error> {
        let lookup = self.lookup.clone();
        let section = self.blocking.read(move || {
            let config = lookup.config(None);
            if matches!(which, Rows::Configured(_)) {
                refuse_broken(&config)?;
            }
            let is_meant = |row: &MarketplaceSetting| match &which {
                Rows::Configured(None) => true,
                Rows::Configured(Some(name)) => row.key == *name,
                Rows::Missing => is_missing(&lookup, row),
            };
            let rows = config.marketplaces().iter();
            let rows = rows.filter_map(|row| {
                let source = Far::of_row(&row.kind)?;
                is_meant(row).then(|| Row {
                    name: row.key.clone(),
                    source,
                })
            });
            let mut rows: Vec<Row> = rows.collect();
            if let (Rows::Configured(Some(name)), true) = (&which, rows.is_empty()) {
                let name = name.clone();
                return Err(Error::NotAGitMarketplace { name });
            }
            rows.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(rows)
        });
        section.await
    }
}

fn is_missing(lookup: &Lookup, row: &MarketplaceSetting) -> bool {
    let root = row.kind.root(&row.key, lookup.layout());
    root.is_ok_and(|root| matches!(lookup.disk().link_stamp(&root), Ok(None)))
}
