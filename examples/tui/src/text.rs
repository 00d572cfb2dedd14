//! Foreign texts on a terminal: nothing in them may move the cursor or turn the line around, and
//! lines are broken where the pane ends.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The text with everything that is not to be seen as itself replaced by a visible sign.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            _ if character.is_control() || misleads(character) => '\u{fffd}',
            _ => character,
        })
        .collect()
}

/// Turns the direction of writing, has no width, or is a tag.
fn misleads(character: char) -> bool {
    matches!(
        u32::from(character),
        0x061c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2069 | 0xfeff | 0xe0000..=0xe007f
    )
}

/// Breaks a text into lines of at most `width` columns, at spaces where there are some. Every line
/// begins with `indent`.
#[must_use]
pub fn wrapped(text: &str, indent: &str, style: Style, width: usize) -> Vec<Line<'static>> {
    let room = width.saturating_sub(indent.len()).max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in plain(paragraph).split(' ') {
            add(word, room, &mut line, &mut lines);
        }
        lines.push(line);
    }
    lines
        .into_iter()
        .map(|line| Line::styled(format!("{indent}{line}"), style))
        .collect()
}

fn add(word: &str, room: usize, line: &mut String, lines: &mut Vec<String>) {
    if !line.is_empty() {
        if columns(line) + 1 + columns(word) <= room {
            line.push(' ');
            line.push_str(word);
            return;
        }
        lines.push(std::mem::take(line));
    }
    // A word that is longer than a line goes over several.
    for character in word.chars() {
        let mut buffer = [0; 4];
        if columns(line) + columns(character.encode_utf8(&mut buffer)) > room {
            lines.push(std::mem::take(line));
        }
        line.push(character);
    }
}

/// How many columns a text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

/// The text, cut to so many columns with a sign that it was.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    let text = plain(text);
    if columns(&text) <= width {
        return text;
    }
    let mut short = String::new();
    for character in text.chars() {
        let mut buffer = [0; 4];
        if columns(&short) + columns(character.encode_utf8(&mut buffer)) + 1 > width {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[track_caller]
    fn check(text: &str, width: usize, expected: &[&str]) {
        let lines = wrapped(text, "", Style::new(), width);
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        check("a bc def", 4, &["a bc", "def"]);
        check("abcdef g", 4, &["abcd", "ef g"]);
        check("a\n\nb", 4, &["a", "", "b"]);
        check("日本語", 4, &["日本", "語"]);
        check("", 4, &[]);
    }

    #[test]
    fn nothing_moves_the_cursor_or_turns_the_line() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\td"), "a\u{fffd}[2Jb\u{fffd}c d");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("日本語", 4), "日…");
    }
}
