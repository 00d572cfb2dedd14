//! Colours, as few as help the eye. They never carry a meaning that the text does not have too.

use plugd_model::Environment;

/// Whether text gets colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// With the escape sequences that every terminal of today understands.
    Coloured,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Ordinary text.
    Text,
    /// A heading.
    Heading,
    /// Something that works.
    Good,
    /// Something of little weight.
    Weak,
    /// Something to look at.
    Warning,
    /// Something that does not work.
    Error,
}

/// Whether a stream gets colours: a terminal does, unless `NO_COLOR` is set and not empty or the
/// terminal is a simple one (`TERM=dumb`). The log goes by the same rule.
#[must_use]
pub fn wants_colours(environment: &Environment, is_terminal: bool) -> bool {
    let unwanted = environment.var("NO_COLOR").is_some();
    let simple = environment.var("TERM").is_some_and(|term| term == "dumb");
    is_terminal && !unwanted && !simple
}

impl Style {
    /// The style of a stream.
    pub(crate) fn of(environment: &Environment, is_terminal: bool) -> Self {
        if wants_colours(environment, is_terminal) {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// The text, painted. It has been escaped before: nothing is taken out here.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Text => "",
            Paint::Heading => "1",
            Paint::Good => "32",
            Paint::Weak => "2",
            Paint::Warning => "33",
            Paint::Error => "31",
        };
        if self == Self::Plain || code.is_empty() || text.is_empty() {
            text.to_owned()
        } else {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Paint, Style};
    use crate::fixture::environment;

    #[track_caller]
    fn check(vars: &[(&str, &str)], is_terminal: bool, expected: Style) {
        let environment = environment(&[], vars);
        assert_eq!(
            Style::of(&environment, is_terminal),
            expected,
            "{vars:?} {is_terminal}"
        );
    }

    #[test]
    fn colours_are_for_terminals_whose_user_wants_them() {
        check(&[], true, Style::Coloured);
        check(&[], false, Style::Plain);
        check(&[("NO_COLOR", "1")], true, Style::Plain);
        check(&[("NO_COLOR", "")], true, Style::Coloured);
        check(&[("TERM", "dumb")], true, Style::Plain);
        check(&[("TERM", "xterm")], true, Style::Coloured);
        check(&[("TERM", "xterm")], false, Style::Plain);
    }

    #[test]
    fn painting() {
        assert_eq!(
            Style::Coloured.paint(Paint::Error, "no"),
            "\u{1b}[31mno\u{1b}[0m"
        );
        assert_eq!(Style::Coloured.paint(Paint::Text, "as is"), "as is");
        assert_eq!(Style::Coloured.paint(Paint::Good, ""), "");
        assert_eq!(Style::Plain.paint(Paint::Error, "no"), "no");
    }
}
