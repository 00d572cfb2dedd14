//! Which configured plugins are not what their sources offer: why a refresh should not rest any longer.
//!
//! A run that changed nothing is followed by a rest, so that a client that polls does not keep the machine
//! busy. Whoever lists right behind a new version would wait for that rest, although the listing itself has
//! seen that there is something to do. What a run leaves as it is (pinned plugins, those held back) is behind
//! in every listing, and is a reason once.

use std::collections::BTreeSet;

use plugd_model::PluginId;

use crate::listing::Summary;

/// More plugins than anybody has, each with a version; one whose version is another one in each listing must
/// not be remembered for ever.
const MOST: usize = 10_000;

/// Plugins together with the version that their source declares.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Behind(BTreeSet<(PluginId, Option<String>)>);

impl Behind {
    /// Notes a row of a listing if a refresh would have something to do for it.
    pub(crate) fn note(&mut self, row: &Summary) {
        if row.is_behind() {
            self.0.insert((row.id.clone(), row.local_version.clone()));
        }
    }

    /// Takes over what another one names, and tells whether any of it is news.
    pub(crate) fn learn(&mut self, seen: Self) -> bool {
        if self.0.len() > MOST {
            self.0.clear();
        }
        let before = self.0.len();
        self.0.extend(seen.0);
        self.0.len() > before
    }
}

/// Plugins and versions, for tests.
#[cfg(test)]
pub(crate) fn of(rows: &[(&str, &str)]) -> Behind {
    let row = |(id, version): &(&str, &str)| {
        let id = PluginId::parse(id).unwrap();
        (id, Some((*version).to_owned()))
    };
    Behind(rows.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::{Behind, of};

    #[test]
    fn a_version_is_news_once_and_the_next_one_is_news_again() {
        let mut known = Behind::default();
        assert!(!known.learn(Behind::default()));
        assert!(known.learn(of(&[("a@m", "2"), ("b@m", "5")])));
        assert!(!known.learn(of(&[("a@m", "2")])));
        assert!(!known.learn(of(&[("b@m", "5"), ("a@m", "2")])));
        assert!(known.learn(of(&[("b@m", "5"), ("a@m", "3")])));
    }
}
