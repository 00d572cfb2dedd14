//! An error as one line of text, for people and logs.
//!
//! An error of ours says only what its own layer knows and leaves the rest to its sources, so that
//! no sentence stands twice. Whoever shows it therefore has to walk the chain, and does it here.

use std::error::Error;

/// The error and everything that caused it, outermost first, with `: ` between them.
///
/// A transparent layer says what the layer below says, and says it once. The text is not escaped:
/// a cause may quote what a stranger wrote.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use pretty_assertions::assert_eq;

    use super::error_chain;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("cannot read the catalogue")]
        Read(#[source] io::Error),
        #[error("cannot list plugins")]
        List(#[source] Box<Self>),
        #[error(transparent)]
        Plain(Box<Self>),
        #[error("no such plugin")]
        Missing,
    }

    #[track_caller]
    fn check(error: &Failure, expected: &str) {
        assert_eq!(error_chain(error), expected);
    }

    #[test]
    fn all_causes_stand_on_one_line() {
        check(&Failure::Missing, "no such plugin");
        let read = || Failure::Read(io::Error::other("disk on fire"));
        check(&read(), "cannot read the catalogue: disk on fire");
        check(
            &Failure::List(Box::new(read())),
            "cannot list plugins: cannot read the catalogue: disk on fire",
        );
    }

    #[test]
    fn a_transparent_layer_is_not_repeated() {
        let plain = |inner| Failure::Plain(Box::new(inner));
        check(&plain(Failure::Missing), "no such plugin");
        check(
            &Failure::List(Box::new(plain(Failure::Missing))),
            "cannot list plugins: no such plugin",
        );
    }
}
