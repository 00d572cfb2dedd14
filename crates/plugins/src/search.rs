//! `plugin/search`: plugins by what people type.
//!
//! Ranks, best first: display name equal, name equal, prefix of either, part of either, keyword
//! equal, part of a keyword or of all of these together. Descriptions are not searched.

use std::collections::BTreeSet;

use crate::listing::{LoadError, Summary};
use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Lookup, Roots};

/// What to look for.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// The words, as typed.
    pub term: String,
    /// Where to look.
    pub roots: Roots,
    /// Which part of the world.
    pub scope: Option<SearchScope>,
    /// How many results a page has.
    pub limit: usize,
    /// How many results were shown before.
    pub skip: usize,
}

/// Parts of the world that a search can be restricted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchScope {
    /// Marketplaces of the reference's maker.
    Global,
    /// The account's workspace; always remote.
    Workspace,
    /// All others.
    Personal,
}

/// One page of results.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchPage {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// How many to skip for the next page; absent on the last one.
    pub next: Option<usize>,
    /// What could not be searched.
    pub load_errors: Vec<LoadError>,
}

/// One result.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The plugin.
    pub plugin: Summary,
    /// Its marketplace.
    pub marketplace: String,
    /// The marketplace's manifest.
    pub path: Option<plugd_model::AbsPath>,
}

/// Searches the plugins that a listing of the same roots shows.
///
/// # Errors
/// The store cannot be read.
pub async fn search(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    request: SearchRequest,
) -> Result<SearchPage, Error> {
    let (lookup, copies) = (lookup.clone(), copies.clone());
    blocking
        .read(move || {
            let term = normalise(&request.term);
            let resolved = lookup.resolve(&request.roots);
            if term.is_empty() || resolved.is_off() {
                return Ok(SearchPage::default());
            }
            let unknown = BTreeSet::new();
            let survey = Survey::new(&lookup, copies.store()?, &resolved, &unknown)?;
            let listing = survey.listing(|_| true);
            let mut ranked: Vec<(u8, Hit)> = Vec::new();
            for marketplace in listing.marketplaces {
                if !in_scope(&marketplace.name, request.scope) {
                    continue;
                }
                for mut plugin in marketplace.plugins {
                    let Some(rank) = rank(&term, &plugin) else {
                        continue;
                    };
                    // The reference answers false here whatever is configured; clients of a search
                    // result ask for the plugin before they act on this.
                    plugin.enabled = false;
                    let hit = Hit {
                        plugin,
                        marketplace: marketplace.name.clone(),
                        path: marketplace.path.clone(),
                    };
                    ranked.push((rank, hit));
                }
            }
            ranked.sort_by_key(|(rank, _)| *rank);
            let total = ranked.len();
            let end = request.skip.saturating_add(request.limit);
            Ok(SearchPage {
                hits: ranked
                    .into_iter()
                    .map(|(_, hit)| hit)
                    .skip(request.skip)
                    .take(request.limit)
                    .collect(),
                next: (end < total).then_some(end),
                load_errors: listing.load_errors,
            })
        })
        .await
}

fn in_scope(marketplace: &str, scope: Option<SearchScope>) -> bool {
    let official = marketplace.starts_with("openai-");
    match scope {
        None => true,
        Some(SearchScope::Global) => official,
        Some(SearchScope::Personal) => !official,
        Some(SearchScope::Workspace) => false,
    }
}

/// Lower case, and every run of other characters one space.
fn normalise(text: &str) -> String {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join(" ")
}

fn rank(term: &str, plugin: &Summary) -> Option<u8> {
    let name = normalise(plugin.id.plugin.as_str());
    let shown = plugin
        .interface
        .as_ref()
        .and_then(|shown| shown.interface.display_name.as_deref())
        .map(normalise)
        .unwrap_or_default();
    let keywords: Vec<String> = plugin.keywords.iter().map(|word| normalise(word)).collect();
    let all = format!("{name} {shown} {}", keywords.join(" "));
    if shown == term {
        Some(0)
    } else if name == term {
        Some(1)
    } else if shown.starts_with(term) || name.starts_with(term) {
        Some(2)
    } else if shown.contains(term) || name.contains(term) {
        Some(3)
    } else if keywords.iter().any(|word| word == term) {
        Some(4)
    } else if all.contains(term) {
        Some(5)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{SearchScope, in_scope, normalise};

    #[test]
    fn words_are_what_is_left_of_punctuation() {
        for (text, expected) in [
            ("  Hello--World ", "hello world"),
            ("A.b_C", "a b c"),
            ("...", ""),
            ("ÄÖ 9", "äö 9"),
        ] {
            assert_eq!(normalise(text), expected, "{text:?}");
        }
    }

    #[test]
    fn scopes_split_by_the_maker_of_the_marketplace() {
        let of = |scope| ["openai-curated", "demo"].map(|name| in_scope(name, scope));
        assert_eq!(of(None), [true, true]);
        assert_eq!(of(Some(SearchScope::Global)), [true, false]);
        assert_eq!(of(Some(SearchScope::Personal)), [false, true]);
        assert_eq!(of(Some(SearchScope::Workspace)), [false, false]);
    }
}
