//! A text with what it was parsed to, and the one that an edit of this process has left.
//!
//! Parsing the user's configuration is most of what an edit of it costs, and who installs a hundred
//! plugins edits a hundred times: the text of each edit is the one that the next begins with. So it is
//! kept as it was understood when the edit was checked. Nothing is believed of a file: it is read each
//! time, and what is kept counts only for the very same text.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::layer::USER;
use crate::tree::{self, Node, SyntaxError};

/// A longer text is not kept. It is that of some thousand plugins.
const LARGEST: usize = 256 * 1024;

/// A text, where each value stands in it, and what it means.
#[derive(Debug, PartialEq)]
pub(crate) struct Parsed {
    pub(crate) text: String,
    /// As the user's own file in a stack, which most texts are that are edited.
    pub(crate) tree: Node,
    pub(crate) meaning: Value,
}

impl Parsed {
    pub(crate) fn of(text: String) -> Result<Self, SyntaxError> {
        let tree = tree::parse(&text, USER)?;
        Ok(Self {
            meaning: tree.to_json(),
            tree,
            text,
        })
    }
}

/// What the last edit left. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct LastEdit(Arc<Mutex<Option<Arc<Parsed>>>>);

impl LastEdit {
    /// A text as it was understood, when it is the one that was left.
    pub(crate) fn of(&self, text: &str) -> Option<Arc<Parsed>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone().filter(|last| last.text == text)
    }

    /// An edit has left this.
    pub(crate) fn is(&self, parsed: &Arc<Parsed>) {
        let parsed = (parsed.text.len() <= LARGEST).then(|| Arc::clone(parsed));
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *last, parsed);
        drop(last);
        // Behind the lock: it may be a large tree.
        drop(before);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{LARGEST, LastEdit, Parsed};

    #[test]
    fn only_the_very_same_text_is_known_and_no_huge_one() {
        let last = LastEdit::default();
        assert!(last.of("").is_none());
        let parsed = Arc::new(Parsed::of("a = 1\n".to_owned()).unwrap());
        last.is(&parsed);
        assert!(
            last.of("a = 1\n")
                .is_some_and(|known| Arc::ptr_eq(&known, &parsed))
        );
        assert!(last.of("a = 2\n").is_none() && last.of("a = 1").is_none());
        let huge = format!("a = \"{}\"\n", "x".repeat(LARGEST));
        last.is(&Arc::new(Parsed::of(huge.clone()).unwrap()));
        assert!(last.of(&huge).is_none() && last.of("a = 1\n").is_none());
    }
}
