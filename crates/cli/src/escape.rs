//! Text from outside, made fit for a terminal.
//!
//! Names, descriptions and messages may quote what a plugin's author wrote. Printed as it is, such
//! text could move the cursor, rewrite the line above, set the window's title, or look like other
//! text than it is. Every character that is not itself visible is shown by its number instead.

use std::fmt::Write;

/// The text on one line.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The text with its line breaks; each line begins with the indent, and blank ones are empty.
pub(crate) fn paragraph(text: &str, indent: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for one in text.trim_end().lines() {
        let one = line(one.trim_end());
        if !one.is_empty() {
            shown.push_str(indent);
            shown.push_str(&one);
        }
        shown.push('\n');
    }
    shown
}

/// Control characters, and the formatting characters that hide, reorder or break text.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Zero width, and marks of direction.
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}' | '\u{2060}'..='\u{2064}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // Embeddings, overrides and isolates.
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Tags: a whole alphabet that no terminal shows.
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{line, paragraph};

    #[test]
    fn what_is_not_visible_is_shown_by_its_number() {
        for (text, expected) in [
            ("plain, ä, 日本, 👍🏽, \\", "plain, ä, 日本, 👍🏽, \\"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("a\r\nb\tc\0", "a\\r\\nb\\tc\\u{0}"),
            ("user\u{202e}txt.exe", "user\\u{202e}txt.exe"),
            ("a\u{200b}b\u{2066}c", "a\\u{200b}b\\u{2066}c"),
            ("\u{e0041}", "\\u{e0041}"),
            ("", ""),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_paragraph_keeps_its_lines_and_nothing_else() {
        let text = "one\r\n\n  two\u{1b}[2J  \n\n";
        assert_eq!(paragraph(text, "> "), "> one\n\n>   two\\u{1b}[2J\n");
        assert_eq!(paragraph("", "> "), "");
    }
}
