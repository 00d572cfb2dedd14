//! Colours, as few as help the eye. They never carry a meaning that the text does not have too.

use plugd_model::Environment;

/// What a stream makes of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether text gets the escape sequences that every terminal of today understands.
    is_coloured: bool,
    /// How many columns there are; without a number, lines may be of any length.
    columns: Option<usize>,
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
/// terminal is a simple one (`TERM=dumb`) or `CLICOLOR` is `0`. The log goes by the same rule.
#[must_use]
pub fn wants_colours(environment: &Environment, is_terminal: bool) -> bool {
    let unwanted = environment.var("NO_COLOR").is_some();
    let simple = environment.var("TERM").is_some_and(|term| term == "dumb");
    let declined = environment
        .var("CLICOLOR")
        .is_some_and(|value| value == "0");
    is_terminal && !unwanted && !simple && !declined
}

impl Style {
    /// As it is.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self {
        is_coloured: false,
        columns: None,
    };
    /// With colours, and lines of any length.
    #[cfg(test)]
    pub(crate) const COLOURED: Self = Self {
        is_coloured: true,
        columns: None,
    };

    /// The style of a stream.
    pub(crate) fn of(environment: &Environment, is_terminal: bool) -> Self {
        Self {
            is_coloured: wants_colours(environment, is_terminal),
            columns: None,
        }
    }

    /// The same on a terminal of that width. `COLUMNS` counts more than what the terminal says, and a
    /// terminal that does not say has lines of any length, as every pipe has.
    pub(crate) fn on_terminal(self, environment: &Environment, columns: Option<u16>) -> Self {
        let named = environment.var("COLUMNS").and_then(|text| text.to_str());
        let named = named.and_then(|text| text.parse().ok());
        let columns = named.or(columns.map(usize::from));
        Self {
            columns: columns.filter(|&columns| columns > 0),
            ..self
        }
    }

    /// How many columns a line may take.
    pub(crate) fn columns(self) -> Option<usize> {
        self.columns
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
        if !self.is_coloured || code.is_empty() || text.is_empty() {
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
        check(&[], true, Style::COLOURED);
        check(&[], false, Style::PLAIN);
        check(&[("NO_COLOR", "1")], true, Style::PLAIN);
        check(&[("NO_COLOR", "")], true, Style::COLOURED);
        check(&[("TERM", "dumb")], true, Style::PLAIN);
        check(&[("TERM", "xterm")], true, Style::COLOURED);
        check(&[("TERM", "xterm")], false, Style::PLAIN);
        check(&[("CLICOLOR", "0")], true, Style::PLAIN);
        check(&[("CLICOLOR", "1")], true, Style::COLOURED);
        check(&[("CLICOLOR", "1")], false, Style::PLAIN);
    }

    #[track_caller]
    fn wide(vars: &[(&str, &str)], terminal: Option<u16>, expected: Option<usize>) {
        let style = Style::PLAIN.on_terminal(&environment(&[], vars), terminal);
        assert_eq!(style.columns(), expected, "{vars:?} {terminal:?}");
    }

    #[test]
    fn the_variable_counts_more_than_the_terminal() {
        wide(&[], Some(80), Some(80));
        wide(&[], None, None);
        wide(&[], Some(0), None);
        wide(&[("COLUMNS", "40")], Some(80), Some(40));
        wide(&[("COLUMNS", "40")], None, Some(40));
        wide(&[("COLUMNS", "wide")], Some(80), Some(80));
    }

    #[test]
    fn painting() {
        assert_eq!(
            Style::COLOURED.paint(Paint::Error, "no"),
            "\u{1b}[31mno\u{1b}[0m"
        );
        assert_eq!(Style::COLOURED.paint(Paint::Text, "as is"), "as is");
        assert_eq!(Style::COLOURED.paint(Paint::Good, ""), "");
        assert_eq!(Style::PLAIN.paint(Paint::Error, "no"), "no");
    }
}
