//! How much one plugin may make us read and parse, all its skills or commands together.
//!
//! Each file has its own limit, but a plugin may have thousands of files, and through links the
//! same one may count thousands of times. Whoever exceeds the sum loses the items behind it.

use plugd_model::{Problem, ProblemKind};

/// The bytes of all texts.
const MAX_TEXT: usize = 256 * 1024 * 1024;
/// The bytes of all YAML.
const MAX_YAML: usize = 8 * 1024 * 1024;

/// What is left for one plugin.
#[derive(Debug)]
pub(crate) struct Budget {
    text: usize,
    yaml: usize,
}

impl Budget {
    /// A fresh budget: far above what honest plugins have, and seconds at worst.
    pub(crate) fn new() -> Self {
        Self {
            text: MAX_TEXT,
            yaml: MAX_YAML,
        }
    }

    /// Accounts for a text that was read.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Problem> {
        take(&mut self.text, text, ("text", MAX_TEXT))
    }

    /// Accounts for YAML that is about to be parsed, which costs far more.
    pub(crate) fn yaml(&mut self, text: &str) -> Result<(), Problem> {
        take(&mut self.yaml, text, ("front matter", MAX_YAML))
    }
}

/// An exhausted budget stays exhausted, so that a smaller file behind does not slip through: what
/// is left out should not depend on sizes.
fn take(left: &mut usize, text: &str, (what, most): (&str, usize)) -> Result<(), Problem> {
    match left.checked_sub(text.len()) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => {
            *left = 0;
            let text =
                format!("left out: these files have more than {most} bytes of {what} together");
            Err(Problem::error(ProblemKind::TooLarge, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::take;

    #[test]
    fn an_exhausted_budget_stays_exhausted() {
        let mut left = 5;
        assert!(take(&mut left, "abc", ("text", 5)).is_ok());
        assert!(take(&mut left, "abc", ("text", 5)).is_err());
        assert!(take(&mut left, "a", ("text", 5)).is_err());
    }
}
