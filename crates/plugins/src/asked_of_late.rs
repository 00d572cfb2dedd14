//! Whom the refresh has asked of late, so that a client that lists again and again does not have the same
//! machines asked again and again.

use std::collections::BTreeSet;

use plugd_model::Source;

/// How long a source that was asked for news, and a marketplace that could not be had, are not asked
/// again, in seconds.
const LOOK_AGAIN: u64 = 300;

/// Who was asked, and when that was, in seconds.
#[derive(Debug, Default)]
pub(crate) struct AskedOfLate {
    /// Marketplaces that could not be had.
    missed: Vec<(String, u64)>,
    /// Sources elsewhere, for news.
    looked: Vec<(Source, u64)>,
}

impl AskedOfLate {
    /// The marketplaces that need not be asked for again yet.
    pub(crate) fn missed(&mut self, now: u64) -> BTreeSet<String> {
        forget_old(&mut self.missed, now);
        self.missed.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Notes that a marketplace could not be had.
    pub(crate) fn miss(&mut self, name: String, now: u64) {
        self.missed.push((name, now));
    }

    /// Whether a source may be asked for news, and notes that it is.
    pub(crate) fn may_look(&mut self, source: &Source, now: u64) -> bool {
        forget_old(&mut self.looked, now);
        if self.looked.iter().any(|(known, _)| known == source) {
            return false;
        }
        self.looked.push((source.clone(), now));
        true
    }
}

/// A clock that was set back must not keep anybody from looking.
fn forget_old<T>(rows: &mut Vec<(T, u64)>, now: u64) {
    rows.retain(|(_, at)| *at <= now && now - *at < LOOK_AGAIN);
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{AskedOfLate, LOOK_AGAIN};

    #[test]
    fn who_was_asked_is_left_alone_for_a_while() {
        let mut asked = AskedOfLate::default();
        asked.miss("one".to_owned(), 1_000);
        let missed =
            |asked: &mut AskedOfLate, now| asked.missed(now).into_iter().collect::<Vec<_>>();
        assert_eq!(missed(&mut asked, 1_000 + LOOK_AGAIN - 1), ["one"]);
        assert_eq!(missed(&mut asked, 1_000 + LOOK_AGAIN), Vec::<String>::new());
        asked.miss("two".to_owned(), 1_000);
        // The clock was set back.
        assert_eq!(missed(&mut asked, 999), Vec::<String>::new());
    }
}
