//! What was meant by a misspelt name: a hint beside a failure that says that something is absent.
//!
//! The names come from the same listing that a person would look at. Nothing here turns a failure into
//! a success, and without a name that is near enough the failure keeps the hint it had.

use plugd_model::PluginId;
use plugd_plugins::{Facts, ListRequest};

use crate::failure::Failure;
use crate::session::Session;

/// The failure with a better hint, when something of a similar name is there.
pub(crate) async fn better(session: &Session, failure: Failure) -> Failure {
    let wanted = match &failure {
        Failure::MarketplaceRequired { plugin } => Some(Wanted::Alone(plugin.clone())),
        other if other.is_not_found() => of(other.facts()),
        _ => None,
    };
    let Some(wanted) = wanted else {
        return failure;
    };
    let known = Known {
        plugins: plugins(session).await,
        marketplaces: marketplaces(session).await,
    };
    match known.hint(&wanted) {
        Some(hint) => Failure::Suggested {
            failure: Box::new(failure),
            hint,
        },
        None => failure,
    }
}

/// What was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// A plugin with its marketplace.
    Plugin { plugin: String, marketplace: String },
    /// A marketplace.
    Marketplace(String),
    /// A plugin whose marketplace was forgotten.
    Alone(String),
}

fn of(facts: Facts) -> Option<Wanted> {
    let Facts {
        plugin,
        marketplace,
        ..
    } = facts;
    match (plugin, marketplace) {
        (Some(plugin), marketplace) => {
            let (name, own) = match plugin.split_once('@') {
                Some((name, own)) => (name.to_owned(), Some(own.to_owned())),
                None => (plugin, None),
            };
            Some(Wanted::Plugin {
                plugin: name,
                marketplace: own.or(marketplace)?,
            })
        }
        (None, Some(marketplace)) => Some(Wanted::Marketplace(marketplace)),
        (None, None) => None,
    }
}

async fn plugins(session: &Session) -> Vec<(String, String)> {
    let listing = plugd_plugins::list(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.refresher,
        ListRequest::default(),
    );
    // Without a listing there is nothing to suggest.
    let Ok(listing) = listing.await else {
        return Vec::new();
    };
    let groups = listing.marketplaces.iter();
    let ids = groups.flat_map(|group| group.plugins.iter().map(|plugin| &plugin.id));
    ids.map(|id| (id.plugin.to_string(), id.marketplace.to_string()))
        .collect()
}

async fn marketplaces(session: &Session) -> Vec<String> {
    let known = session.marketplaces().await.unwrap_or_default();
    known.into_iter().map(|one| one.name).collect()
}

/// What there is.
struct Known {
    plugins: Vec<(String, String)>,
    marketplaces: Vec<String>,
}

impl Known {
    fn hint(&self, wanted: &Wanted) -> Option<String> {
        let names: Vec<String> = match wanted {
            // One that differs in capital letters alone has a hint of its own.
            Wanted::Marketplace(name) => {
                let mut names = self.marketplaces.iter();
                match names.any(|other| distance(other, name) == 0) {
                    true => Vec::new(),
                    false => nearest(name, self.marketplaces.iter().cloned()),
                }
            }
            Wanted::Alone(plugin) => {
                let named = self.ids(|name, _| distance(name, plugin));
                nearest_of(plugin, named)
            }
            Wanted::Plugin {
                plugin,
                marketplace,
            } => {
                let mut rows = self.plugins.iter();
                if rows.any(|(name, market)| name == plugin && market == marketplace) {
                    // It is there, and something else is missing.
                    return None;
                }
                // Either part may be wrong, or both a little.
                let near =
                    self.ids(|name, market| distance(name, plugin) + distance(market, marketplace));
                let mut found = nearest_of(&format!("{plugin}{marketplace}"), near);
                if found.is_empty() {
                    let exact = self.plugins.iter().filter(|(name, _)| name == plugin);
                    found = exact
                        .map(|(name, market)| format!("{name}@{market}"))
                        .collect();
                }
                found
            }
        };
        did_you_mean(names)
    }

    fn ids(&self, distance: impl Fn(&str, &str) -> usize) -> Vec<(usize, String)> {
        let rows = self.plugins.iter();
        rows.map(|(name, market)| (distance(name, market), format!("{name}@{market}")))
            .collect()
    }
}

/// A hint that names those that are similar, if there are any.
pub(crate) fn among(wanted: &str, names: impl Iterator<Item = String>) -> Option<String> {
    did_you_mean(nearest(wanted, names))
}

/// The same plugins' ids as a person would see them, for one that is not there.
pub(crate) async fn plugin(session: &Session, id: &PluginId) -> Option<String> {
    let known = Known {
        plugins: plugins(session).await,
        marketplaces: Vec::new(),
    };
    known.hint(&Wanted::Plugin {
        plugin: id.plugin.to_string(),
        marketplace: id.marketplace.to_string(),
    })
}

/// A hint with these names, if there are any.
pub(crate) fn did_you_mean(names: Vec<String>) -> Option<String> {
    let mut names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.dedup();
    names.truncate(SHOWN);
    match names.as_slice() {
        [] => None,
        names => Some(format!("did you mean {}?", names.join(" or "))),
    }
}

/// How many names a hint has room for.
const SHOWN: usize = 3;

fn nearest(wanted: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let rows = names.map(|name| (distance(&name, wanted), name)).collect();
    nearest_of(wanted, rows)
}

/// Those at the smallest distance, when that is small for the length of what was typed.
fn nearest_of(wanted: &str, rows: Vec<(usize, String)>) -> Vec<String> {
    let allowed = (wanted.chars().count() / 3).clamp(1, 3);
    let Some(least) = rows.iter().map(|(far, _)| *far).min() else {
        return Vec::new();
    };
    if least > allowed {
        return Vec::new();
    }
    let mut near: Vec<String> = rows
        .into_iter()
        .filter_map(|(far, name)| (far == least).then_some(name))
        .collect();
    near.sort();
    near
}

/// How many letters are wrong: missing, too many, other ones, or two that changed places. Capital
/// letters count as the small ones.
fn distance(left: &str, right: &str) -> usize {
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let (left, right) = (letters(left), letters(right));
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, one) in left.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(one != other);
            let mut cost = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swap =
                row > 0 && column > 0 && *one == right[column - 1] && left[row - 1] == *other;
            if is_swap {
                cost = cost.min(before[column - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Known, Wanted, distance};

    #[track_caller]
    fn far(left: &str, right: &str, expected: usize) {
        assert_eq!(distance(left, right), expected, "{left} {right}");
        assert_eq!(distance(right, left), expected, "{right} {left}");
    }

    #[test]
    fn wrong_letters_are_counted() {
        far("", "", 0);
        far("hello", "hello", 0);
        far("hello", "Hello", 0);
        far("hello", "helo", 1);
        far("hello", "hallo", 1);
        far("hello", "hlelo", 1);
        far("", "abc", 3);
        far("kitten", "sitting", 3);
        far("日本", "日", 1);
    }

    fn known() -> Known {
        let pair = |name: &str, market: &str| (name.to_owned(), market.to_owned());
        Known {
            plugins: vec![
                pair("hello", "demo"),
                pair("hello", "other"),
                pair("formatter", "demo"),
            ],
            marketplaces: vec!["demo".to_owned(), "other".to_owned()],
        }
    }

    #[track_caller]
    fn hints(wanted: &Wanted, expected: Option<&str>) {
        assert_eq!(known().hint(wanted).as_deref(), expected, "{wanted:?}");
    }

    fn plugin(plugin: &str, marketplace: &str) -> Wanted {
        Wanted::Plugin {
            plugin: plugin.to_owned(),
            marketplace: marketplace.to_owned(),
        }
    }

    #[test]
    fn either_part_may_be_wrong() {
        hints(&plugin("helo", "demo"), Some("did you mean `hello@demo`?"));
        hints(&plugin("hello", "dmeo"), Some("did you mean `hello@demo`?"));
        let near = Some("did you mean `formatter@demo`?");
        hints(&plugin("formater", "dem"), near);
        // The plugin is right and the marketplace another one altogether.
        hints(&plugin("formatter", "elsewhere"), near);
        hints(&plugin("quite", "different"), None);
    }

    #[test]
    fn a_marketplace_and_a_plugin_without_one() {
        let market = |name: &str| Wanted::Marketplace(name.to_owned());
        hints(&market("demoo"), Some("did you mean `demo`?"));
        hints(&market("xyz"), None);
        hints(&market("demo"), None);
        hints(&market("Demo"), None);
        hints(&plugin("hello", "demo"), None);
        let alone = |name: &str| Wanted::Alone(name.to_owned());
        hints(&alone("formatter"), Some("did you mean `formatter@demo`?"));
        let both = Some("did you mean `hello@demo` or `hello@other`?");
        hints(&alone("hello"), both);
        hints(&alone("helo"), both);
        hints(&alone("zzz"), None);
    }
}
