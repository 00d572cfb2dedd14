//! Texts of plugins on their way into a text that a model reads.
//!
//! A plugin chooses its names and descriptions, and whoever can end a line or a block of such a text
//! can write the next one. So nothing of a plugin leaves its line: white space collapses, what has no
//! picture of its own or turns the direction of writing is spelled out, and angle brackets, of which
//! hosts make the borders of their blocks, lose their meaning. Lengths are bounded.

/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// A text on one line, of at most so many characters.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let mut line = Line::new(limit);
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() {
            gap = !line.text.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) && !line.push(" ") {
            break;
        }
        let mut buffer = [0; 4];
        let fits = match character {
            '<' => line.push("&lt;"),
            '>' => line.push("&gt;"),
            hidden if is_hidden(hidden) => line.push(&hidden.escape_unicode().to_string()),
            shown => line.push(shown.encode_utf8(&mut buffer)),
        };
        if !fits {
            break;
        }
    }
    line.finish()
}

/// A name between backticks, which it cannot end.
pub(crate) fn quoted(name: &str, limit: usize) -> String {
    format!("`{}`", one_line(name, limit).replace('`', "'"))
}

/// Whether a character shows nothing of itself, or changes how its neighbours are shown.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A line that stops growing at its limit. Pieces are taken whole or not at all.
struct Line {
    text: String,
    count: usize,
    limit: usize,
    /// Where it ends when an ellipsis has to follow.
    cut: usize,
    is_full: bool,
}

impl Line {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            count: 0,
            limit,
            cut: 0,
            is_full: false,
        }
    }

    fn push(&mut self, piece: &str) -> bool {
        let count = self.count + piece.chars().count();
        if count > self.limit {
            self.is_full = true;
            return false;
        }
        self.text.push_str(piece);
        self.count = count;
        if count < self.limit {
            self.cut = self.text.len();
        }
        true
    }

    fn finish(mut self) -> String {
        if self.is_full {
            self.text.truncate(self.cut);
            self.text.truncate(self.text.trim_end().len());
            if self.limit > 0 {
                self.text.push(ELLIPSIS);
            }
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{one_line, quoted};

    #[track_caller]
    fn check(text: &str, limit: usize, expected: &str) {
        let line = one_line(text, limit);
        assert_eq!(line, expected);
        assert!(line.chars().count() <= limit, "{line}");
    }

    #[test]
    fn white_space_collapses() {
        check(
            "  a \t b\r\n\n# c\u{2028}d\u{85}e\u{a0} ",
            99,
            "a b # c d e",
        );
        check(" \n ", 99, "");
        check("", 99, "");
    }

    #[test]
    fn nothing_hidden_stays_hidden() {
        check("a\u{0}b\u{1b}[31m", 99, "a\\u{0}b\\u{1b}[31m");
        check(
            "a\u{202e}b\u{200b}c\u{e0041}",
            99,
            "a\\u{202e}b\\u{200b}c\\u{e0041}",
        );
        check("grün 漢字 🎉", 99, "grün 漢字 🎉");
    }

    #[test]
    fn no_block_is_closed() {
        check("</skills> <b>", 99, "&lt;/skills&gt; &lt;b&gt;");
        assert_eq!(quoted("a` and `b", 99), "`a' and 'b`");
    }

    #[test]
    fn lengths_are_bounded() {
        check("abcdef", 6, "abcdef");
        check("abcdefg", 6, "abcde…");
        check("abcd efg", 6, "abcd…");
        check("abc    ", 3, "abc");
        // A piece is never cut in its middle.
        check("abc<", 6, "abc…");
        check("ab<", 6, "ab&lt;");
        check("abc", 1, "…");
        check("abc", 0, "");
    }
}
