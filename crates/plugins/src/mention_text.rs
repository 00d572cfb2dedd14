//! Mentions of plugins in a text that somebody typed.
//!
//! Two forms count, as far as they do not lie in each other:
//! - `[@label](plugin://name@marketplace)`, with any label on one line. The reference ignores a label
//!   with a space; a frontend that writes display names there cannot know that.
//! - `@Display name` or `@name@marketplace` at the beginning of a word, when an active plugin has
//!   exactly that name; anything else behind an `@` is no mention and no mistake.

use std::ops::Range;

/// Where a link leads that mentions a plugin.
pub(crate) const SCHEME: &str = "plugin://";

/// The longest label and the longest address, in characters: what is longer is no mention.
const MAX_PART: usize = 1024;
/// How many signs that may begin a bare name are looked at: a person types some, and each is compared
/// with all plugins.
const MAX_SIGNS: usize = 10_000;

/// A link to a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    /// What stands behind the `@`.
    pub(crate) label: &'a str,
    /// What stands behind the scheme.
    pub(crate) target: &'a str,
}

/// The links in a text, in order.
pub(crate) fn links(text: &str) -> Vec<Link<'_>> {
    spans(text).into_iter().map(|(_, link)| link).collect()
}

/// The bare names in a text: the indexes of those that are mentioned, in order. Of two that fit in
/// one place the longer one is meant, and all that are spelled the same are.
pub(crate) fn names(text: &str, known: &[&str]) -> Vec<usize> {
    let linked = spans(text);
    let mut links = linked.iter().map(|(span, _)| span).peekable();
    let mut found = Vec::new();
    let mut signs = 0;
    for (at, _) in text.match_indices('@') {
        while links.next_if(|span| span.end <= at).is_some() {}
        let is_in_link = links.peek().is_some_and(|span| span.start <= at);
        if is_in_link || !begins_a_word(&text[..at]) {
            continue;
        }
        signs += 1;
        if signs > MAX_SIGNS {
            break;
        }
        let rest = &text[at + 1..];
        let fits = |name: &str| {
            let behind = rest.strip_prefix(name).filter(|_| !name.is_empty());
            behind.is_some_and(|behind| ends_a_word(name, behind))
        };
        let fitting = known.iter().filter(|name| fits(name));
        let Some(longest) = fitting.max_by_key(|name| name.len()) else {
            continue;
        };
        found.extend((0..known.len()).filter(|&index| known[index] == *longest));
    }
    found
}

fn spans(text: &str) -> Vec<(Range<usize>, Link<'_>)> {
    let mut found: Vec<(Range<usize>, Link<'_>)> = Vec::new();
    for (middle, opening) in text.match_indices("](plugin://") {
        let floor = found.last().map_or(0, |(span, _)| span.end);
        // Both looks end after a bounded number of steps, or a long text of openings would take long.
        let label = text[floor..middle].char_indices().rev().take(MAX_PART);
        let start = label
            .take_while(|(_, c)| !matches!(c, '\n' | '\r'))
            .map(|(at, _)| floor + at)
            .find(|&at| text[at..].starts_with("[@"));
        let target = middle + opening.len();
        let end = text[target..]
            .char_indices()
            .take(MAX_PART)
            .take_while(|(_, c)| !matches!(c, '\n' | '\r'))
            .find_map(|(at, c)| (c == ')').then_some(target + at));
        if let (Some(start), Some(end)) = (start, end)
            && start + 2 < middle
        {
            let link = Link {
                label: &text[start + 2..middle],
                target: &text[target..end],
            };
            found.push((start..end + 1, link));
        }
    }
    found
}

fn begins_a_word(before: &str) -> bool {
    let last = before.chars().next_back();
    last.is_none_or(|c| c.is_whitespace() || "([{\"'“‘«,;:".contains(c))
}

/// A name that ends in a letter may not go on; behind another character anything may follow.
fn ends_a_word(name: &str, rest: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@');
    let goes_on = rest.chars().next().is_some_and(is_part);
    !(goes_on && name.chars().next_back().is_some_and(is_part))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{links, names};

    #[track_caller]
    fn check_links(text: &str, expected: &[(&str, &str)]) {
        let found: Vec<_> = links(text)
            .into_iter()
            .map(|link| (link.label, link.target))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn links_with_any_label() {
        check_links("[@hello](plugin://hello@demo)", &[("hello", "hello@demo")]);
        check_links(
            "use [@Hello there](plugin://hello@demo), then [@b](plugin://b@m).",
            &[("Hello there", "hello@demo"), ("b", "b@m")],
        );
        check_links("[@a@b](plugin://a@b)", &[("a@b", "a@b")]);
        check_links("[@x] [@y](plugin://y@m)", &[("y", "y@m")]);
        check_links("[@[x]](plugin://y@m)", &[("[x]", "y@m")]);
        check_links("[@ä ß](plugin://y@m)", &[("ä ß", "y@m")]);
        check_links("[@a](plugin://)", &[("a", "")]);
    }

    #[test]
    fn what_is_no_link() {
        for text in [
            "",
            "plugin://hello@demo",
            "[hello](plugin://hello@demo)",
            "[$hello](plugin://hello@demo)",
            "[@hello](plugin://hello@demo",
            "[@hello](skill://hello@demo)",
            "[@hello] (plugin://hello@demo)",
            "[@he\nllo](plugin://hello@demo)",
            "[@hello](plugin://hello\n@demo)",
            "[@](plugin://hello@demo)",
            "](plugin://a)",
        ] {
            check_links(text, &[]);
        }
        let long = format!("[@{}](plugin://a@m)", "x".repeat(2_000));
        check_links(&long, &[]);
    }

    #[track_caller]
    fn check_names(text: &str, expected: &[usize]) {
        let known = [
            "Hello",
            "Hello there",
            "b@m",
            "Dup",
            "Dup",
            "",
            "C++",
            "Größe",
        ];
        assert_eq!(names(text, &known), expected, "{text}");
    }

    #[test]
    fn bare_names_that_somebody_has() {
        check_names("@Hello", &[0]);
        check_names("ask @Hello there now", &[1]);
        check_names("(@Hello), \"@b@m\"", &[0, 2]);
        check_names("@Hello's", &[0]);
        check_names("@Dup", &[3, 4]);
        check_names("@C++11 and @C++", &[6, 6]);
        check_names("@Größe", &[7]);
    }

    #[test]
    fn what_is_no_name() {
        for text in [
            "me@Hello",
            "@hello",
            "@Hellos",
            "@Hello-x",
            "@b@m2",
            "@",
            "@ Hello",
            "[@Hello](plugin://b@m)",
            "[@x](plugin://x@Hello)",
            "a.@Hello",
        ] {
            check_names(text, &[]);
        }
    }
}
