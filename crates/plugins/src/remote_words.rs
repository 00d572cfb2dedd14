//! What this process has told the service, for answers that are older than that.
//!
//! The service may look at what an account has when a question arrives, and answer seconds later. By
//! then a plugin may have been installed or uninstalled, and the service has said that it has noted so.
//! Such an answer would undo what somebody was told is done, so what was said since the question counts.

use plugd_catalog::{InstalledItem, InstalledSet};
use plugd_model::RemotePluginId;

/// What the service has noted for this process, the newest word about each plugin.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// How many there were.
    count: u64,
    words: Vec<(u64, Word)>,
}

/// How many words there were when a question was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked(u64);

impl Asked {
    /// Before anything was noted.
    pub(crate) const BEFORE_ALL: Self = Self(0);
}

/// What the service has noted.
#[derive(Debug, Clone)]
pub(crate) enum Word {
    /// The account has this plugin.
    Has(Box<InstalledItem>),
    /// The account has it no more.
    Gone(RemotePluginId),
}

impl Words {
    /// None, for another account: what was asked for before counts as asked before its words.
    pub(crate) fn of_another_account(&self) -> Self {
        Self {
            count: self.count,
            words: Vec::new(),
        }
    }

    /// The time of a question that is asked now.
    pub(crate) fn now(&self) -> Asked {
        Asked(self.count)
    }

    /// Notes a word, to be called as soon as the service has noted it.
    pub(crate) fn note(&mut self, word: Word) {
        self.count += 1;
        self.words.retain(|(_, old)| old.id() != word.id());
        self.words.push((self.count, word));
    }

    /// Brings an answer up to date. Answers whether that changed it.
    pub(crate) fn correct(&self, asked: Asked, set: &mut InstalledSet) -> bool {
        let newer = self.words.iter().filter(|(at, _)| *at > asked.0);
        newer.fold(false, |changed, (_, word)| word.apply(set) | changed)
    }
}

impl Word {
    fn id(&self) -> &RemotePluginId {
        match self {
            Self::Has(one) => &one.item.id,
            Self::Gone(id) => id,
        }
    }

    /// Makes a set say the same. Answers whether it did not before.
    pub(crate) fn apply(&self, set: &mut InstalledSet) -> bool {
        let known = set.items.iter_mut().find(|one| one.item.id == *self.id());
        match (self, known) {
            (Self::Has(_), Some(known)) => {
                let was_off = !known.enabled;
                if was_off {
                    known.switch_on();
                }
                was_off
            }
            (Self::Has(one), None) => {
                set.items.push(InstalledItem::clone(one));
                true
            }
            (Self::Gone(id), Some(_)) => {
                set.items.retain(|one| one.item.id != *id);
                true
            }
            (Self::Gone(_), None) => false,
        }
    }
}

#[cfg(test)]
#[path = "remote_words_tests.rs"]
mod tests;
