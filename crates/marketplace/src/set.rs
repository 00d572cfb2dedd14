//! The resolved set and the only lookup in it.

use std::collections::HashSet;

use plugd_manifest::MarketplaceEntry;
use plugd_model::{AbsPath, PluginId, PluginName, Problem, Product};

use crate::{Binding, Content, Declared, Marketplace, State};

/// All marketplaces of a request, in the order of the answer.
#[derive(Debug, Clone)]
pub struct MarketplaceSet {
    ranked: Vec<((u8, usize), Marketplace)>,
    declared: Vec<Declared>,
}

/// How a plugin is looked up.
#[derive(Debug, Clone, Copy)]
pub enum Selector<'a> {
    /// By the manifest that the request names, and the entry's name.
    Named {
        /// The manifest, which was given to the resolver as a request root.
        manifest: &'a AbsPath,
        /// The entry's name, as the client wrote it.
        plugin: &'a str,
    },
    /// By id: the entry that a listing shows.
    Shown(&'a PluginId),
    /// By id, only from the place that the installed copy came from.
    Bound(&'a PluginId, &'a Binding),
    /// By id, only from places that the user or an administrator chose.
    Trusted(&'a PluginId),
}

/// One entry of one marketplace.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The marketplace.
    pub marketplace: &'a Marketplace,
    /// Its content.
    pub content: &'a Content,
    /// The entry.
    pub entry: &'a MarketplaceEntry,
}

impl Offer<'_> {
    /// The id of what is offered.
    #[must_use]
    pub fn id(&self) -> PluginId {
        PluginId {
            plugin: self.entry.name.clone(),
            marketplace: self.content.manifest.value.name.clone(),
        }
    }
}

/// Why nothing was selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSelected {
    /// The marketplace itself cannot be used.
    #[error("{}", problem.message)]
    Marketplace {
        /// Why, with its place.
        problem: Box<Problem>,
    },
    /// The marketplace has no such entry.
    #[error("plugin `{}` was not found in marketplace `{marketplace}`", plugin.escape_debug())]
    NoEntry {
        /// What was looked for.
        plugin: String,
        /// Where.
        marketplace: String,
        /// The entry's own problem, when there is an entry that cannot be used.
        because: Option<Box<Problem>>,
        /// A name that looks like it.
        similar: Option<String>,
    },
    /// The entry is restricted to other products.
    #[error(
        "plugin `{plugin}` was not found in marketplace `{marketplace}`: it is not offered for this product"
    )]
    OtherProduct {
        /// The entry.
        plugin: PluginName,
        /// Its marketplace.
        marketplace: String,
    },
    /// No marketplace of the set offers the id.
    #[error("no marketplace offers `{id}`")]
    NoMarketplace {
        /// What was looked for.
        id: PluginId,
    },
}

impl MarketplaceSet {
    pub(crate) fn new(ranked: Vec<((u8, usize), Marketplace)>, declared: Vec<Declared>) -> Self {
        Self { ranked, declared }
    }

    /// The marketplaces of the hosted catalog, all of them, in the order of the answer. Nothing is
    /// asked about one that is not open.
    #[must_use]
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// Every marketplace, usable or not, in the order of the answer.
    pub fn marketplaces(&self) -> impl Iterator<Item = &Marketplace> {
        self.ranked.iter().map(|(_, marketplace)| marketplace)
    }

    /// What a listing shows: usable marketplaces with those entries that are theirs to offer.
    pub fn shown(&self) -> impl Iterator<Item = (&Marketplace, &Content, Vec<Offer<'_>>)> {
        let all = self.ranked.iter().enumerate();
        all.filter_map(|(index, (rank, marketplace))| {
            let content = marketplace.content()?;
            let taken = self.taken((*rank, index), content);
            let entries = content.manifest.value.entries.iter();
            let offers = entries
                .filter(|entry| is_for_us(entry) && !taken.contains(&entry.name))
                .map(|entry| Offer {
                    marketplace,
                    content,
                    entry,
                })
                .collect();
            Some((marketplace, content, offers))
        })
    }

    /// The plugins that stronger marketplaces of the same name offer. Most names are there once, and
    /// then nothing is compared.
    fn taken(&self, rank: ((u8, usize), usize), content: &Content) -> HashSet<&PluginName> {
        let name = &content.manifest.value.name;
        let all = self.ranked.iter().enumerate();
        all.filter(|(index, (other, _))| (*other, *index) < rank)
            .filter_map(|(_, (_, marketplace))| marketplace.content())
            .filter(|other| other.manifest.value.name == *name)
            .flat_map(|other| &other.manifest.value.entries)
            .filter(|entry| is_for_us(entry))
            .map(|entry| &entry.name)
            .collect()
    }

    /// Everything that cannot be used or needs to be told: failed marketplaces, conflicts, and the
    /// entries' own problems, each with the path that names it.
    pub fn problems(&self) -> impl Iterator<Item = (&AbsPath, &Problem)> {
        self.marketplaces().flat_map(|marketplace| {
            let (failed, own): (Option<&Problem>, &[Problem]) = match &marketplace.state {
                State::Failed(problem) => (Some(problem), &[]),
                State::Loaded(content) => (None, &content.manifest.problems),
            };
            failed
                .into_iter()
                .chain(&marketplace.notes)
                .chain(&marketplace.conflict)
                .chain(own)
                .map(|problem| (&marketplace.named_by, problem))
        })
    }

    /// The one lookup.
    ///
    /// # Errors
    /// Nothing matches; the error says why and where was looked.
    pub fn select(&self, selector: &Selector<'_>) -> Result<Offer<'_>, NotSelected> {
        match *selector {
            Selector::Named { manifest, plugin } => self.named(manifest, plugin),
            Selector::Shown(id) => self.strongest(id, |_, _| true),
            Selector::Bound(id, binding) => {
                self.strongest(id, |_, content| content.binding == *binding)
            }
            Selector::Trusted(id) => {
                self.strongest(id, |marketplace, _| marketplace.origin.is_trusted())
            }
        }
    }

    fn strongest(
        &self,
        id: &PluginId,
        accept: impl Fn(&Marketplace, &Content) -> bool,
    ) -> Result<Offer<'_>, NotSelected> {
        let mut best: Option<((u8, usize), Offer<'_>)> = None;
        for (index, (rank, marketplace)) in self.ranked.iter().enumerate() {
            let Some(content) = marketplace.content() else {
                continue;
            };
            if !accept(marketplace, content) || best.as_ref().is_some_and(|(old, _)| old <= rank) {
                continue;
            }
            if let Some(offer) = self.offer(index, id) {
                best = Some((*rank, offer));
            }
        }
        best.map(|(_, offer)| offer).ok_or_else(|| self.explain(id))
    }

    fn offer(&self, index: usize, id: &PluginId) -> Option<Offer<'_>> {
        let marketplace = &self.ranked[index].1;
        let content = marketplace.content()?;
        let manifest = &content.manifest.value;
        if manifest.name != id.marketplace {
            return None;
        }
        let entry = manifest
            .entries
            .iter()
            .find(|entry| entry.name == id.plugin && is_for_us(entry))?;
        Some(Offer {
            marketplace,
            content,
            entry,
        })
    }

    fn named(&self, manifest: &AbsPath, plugin: &str) -> Result<Offer<'_>, NotSelected> {
        let marketplace = self
            .marketplaces()
            .find(|one| match &one.state {
                State::Loaded(content) => content.path == *manifest,
                State::Failed(problem) => {
                    one.named_by == *manifest || problem.path.as_ref() == Some(manifest)
                }
            })
            // The manifest was reached through another spelling of the same place.
            .or_else(|| self.marketplaces().find(|one| one.named_by == *manifest));
        let content = match marketplace.map(|one| (one, &one.state)) {
            Some((one, State::Loaded(content))) => (one, content),
            Some((_, State::Failed(problem))) => {
                return Err(NotSelected::Marketplace {
                    problem: Box::new(problem.clone()),
                });
            }
            None => {
                return Err(NotSelected::Marketplace {
                    problem: Box::new(
                        Problem::error(
                            plugd_model::ProblemKind::Missing,
                            format!("marketplace file `{manifest}` does not exist"),
                        )
                        .in_file(manifest),
                    ),
                });
            }
        };
        let (marketplace, content) = content;
        let entries = &content.manifest.value.entries;
        match entries.iter().find(|entry| entry.name.as_str() == plugin) {
            Some(entry) if is_for_us(entry) => Ok(Offer {
                marketplace,
                content,
                entry,
            }),
            Some(entry) => Err(NotSelected::OtherProduct {
                plugin: entry.name.clone(),
                marketplace: content.manifest.value.name.to_string(),
            }),
            None => Err(no_entry(content, plugin)),
        }
    }

    fn explain(&self, id: &PluginId) -> NotSelected {
        let named = self
            .marketplaces()
            .filter_map(Marketplace::content)
            .find(|content| content.manifest.value.name == id.marketplace);
        match named {
            Some(content) => no_entry(content, id.plugin.as_str()),
            None => NotSelected::NoMarketplace { id: id.clone() },
        }
    }
}

fn no_entry(content: &Content, plugin: &str) -> NotSelected {
    let names = content
        .manifest
        .value
        .entries
        .iter()
        .map(|e| e.name.as_str());
    NotSelected::NoEntry {
        plugin: plugin.to_owned(),
        marketplace: content.manifest.value.name.to_string(),
        because: content
            .manifest
            .problems
            .iter()
            .find(|problem| problem.message.contains(&format!("`{plugin}`")))
            .map(|problem| Box::new(problem.clone())),
        similar: most_similar(plugin, names),
    }
}

/// Restricted to other products means hidden.
fn is_for_us(entry: &MarketplaceEntry) -> bool {
    match &entry.products {
        None => true,
        Some(products) => products.contains(&Product::Codex),
    }
}

/// The name that needs the fewest edits, when it is near enough to be what was meant. One or two
/// letters are near to everything, so they neither get a suggestion nor are one.
fn most_similar<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let is_long = |name: &str| name.chars().count() > 2;
    if !is_long(wanted) {
        return None;
    }
    names
        .filter(|name| is_long(name))
        .map(|name| (distance(wanted, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name.to_owned())
}

/// Levenshtein distance over bytes; names are ASCII.
fn distance(left: &str, right: &str) -> usize {
    // A request may carry any text; a long one resembles no name.
    if left.len() > 2 * plugd_model::MAX_NAME_BYTES {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let insert_or_delete = 1 + row[j].min(row[j + 1]);
            let replace = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(insert_or_delete);
        }
    }
    row[right.len()]
}
