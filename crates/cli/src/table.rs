//! Tables for people: columns as wide as their widest cell, two blanks between them. On a terminal
//! cells are cut until a row fits: the first column last, because it says what the row is about and
//! what to type next, and paths in their middle, because they differ at their ends. Where that is not
//! enough, the last columns are left out. Nothing is cut elsewhere, because programs read it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::escape;
use crate::style::{Paint, Style};

const GAP: usize = 2;
/// What stands for the rest of a cell.
const CUT: char = '…';
/// No column is cut below this: less than that tells nothing.
const NARROWEST: usize = 8;

/// A table of text. Cells are escaped on their way in.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Debug)]
struct Cell {
    text: String,
    paint: Paint,
}

impl Table {
    /// A table with a heading only.
    pub(crate) fn new(heading: &[&str]) -> Self {
        let cells: Vec<_> = heading.iter().map(|&text| (text, Paint::Heading)).collect();
        let mut table = Self { rows: Vec::new() };
        table.row(&cells);
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[(&str, Paint)]) {
        let cells = cells.iter().map(|&(text, paint)| Cell {
            text: escape::line(text),
            paint,
        });
        self.rows.push(cells.collect());
    }

    /// The lines of the table. No line ends in blanks.
    pub(crate) fn render(&self, style: Style) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| width(&cell.text)).max().unwrap_or(0)
            })
            .collect();
        if let Some(columns) = style.columns() {
            fit(&mut widths, columns);
        }
        let shown = widths.len();
        let mut lines = String::new();
        for row in &self.rows {
            let row = &row[..row.len().min(shown)];
            let used = row
                .iter()
                .rposition(|cell| !cell.text.is_empty())
                .map_or(0, |last| last + 1);
            for (column, cell) in row[..used].iter().enumerate() {
                let text = cut(&cell.text, widths[column]);
                lines.push_str(&style.paint(cell.paint, &text));
                if column + 1 < used {
                    let blanks = widths[column] - width(&text) + GAP;
                    lines.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            lines.push('\n');
        }
        lines
    }
}

/// Takes from the widest columns behind the first until a row fits. When those can give nothing more,
/// the last ones are left out as long as two stay, and then the first gives way.
fn fit(widths: &mut Vec<usize>, columns: usize) {
    let row = |widths: &[usize]| {
        let gaps = GAP * widths.len().saturating_sub(1);
        widths.iter().sum::<usize>() + gaps
    };
    while row(widths) > columns {
        let can_drop = widths.len() > 2;
        let behind = widths.iter_mut().skip(1);
        match behind.max_by_key(|width| **width) {
            Some(width) if *width > NARROWEST => *width -= 1,
            _ if can_drop => {
                widths.pop();
            }
            _ => break,
        }
    }
    while row(widths) > columns {
        match widths.first_mut() {
            Some(width) if *width > NARROWEST => *width -= 1,
            _ => return,
        }
    }
}

/// The text, or as much of it as fits with a sign where there is more: at the end, in a path before
/// its last parts.
fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    match is_path(text) {
        true => {
            let tail = fitting(text.chars().rev(), room - room / 3);
            let tail: String = tail.chars().rev().collect();
            let head = room.saturating_sub(width(&tail));
            format!("{}{tail}", begun(text, head))
        }
        false => begun(text, room),
    }
}

/// A path or an address, alone or behind one word that says whose it is.
fn is_path(text: &str) -> bool {
    let last = text.split_once(' ').map_or(text, |(_, last)| last);
    let is_rooted =
        last.starts_with(['/', '~', '.']) || last.contains(":\\") || last.contains("://");
    is_rooted && last.contains(['/', '\\']) && !last.contains(' ')
}

/// As many characters as fit.
fn fitting(characters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut room = columns;
    let takes = |character: &char| character.width().unwrap_or(0);
    characters
        .take_while(|character| {
            let fits = takes(character) <= room;
            room = room.saturating_sub(takes(character));
            fits
        })
        .collect()
}

/// The beginning of a text, and the sign that there is more.
fn begun(text: &str, columns: usize) -> String {
    let mut kept = fitting(text.chars(), columns);
    // A character that joins the next one would join the sign.
    let end = kept.trim_end_matches(['\u{200d}', ' ']).len();
    kept.truncate(end);
    kept.push(CUT);
    kept
}

/// The columns of a terminal. Never less than the sum of its characters, by which a text is cut.
fn width(text: &str) -> usize {
    let characters = text.chars().filter_map(UnicodeWidthChar::width);
    characters.sum::<usize>().max(text.width())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Table, cut, width};
    use crate::fixture::environment;
    use crate::style::{Paint, Style};

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATE", "WHERE"]);
        table.row(&[("a", Paint::Text), ("", Paint::Good), ("here", Paint::Text)]);
        table.row(&[
            ("long name", Paint::Text),
            ("on", Paint::Good),
            ("", Paint::Text),
        ]);
        table
    }

    #[test]
    fn columns_are_aligned_and_lines_end_at_their_text() {
        let expected = "NAME       STATE  WHERE\na                 here\nlong name  on\n";
        assert_eq!(table().render(Style::PLAIN), expected);
    }

    #[test]
    fn colours_do_not_move_columns() {
        let expected = "\u{1b}[1mNAME\u{1b}[0m       \u{1b}[1mSTATE\u{1b}[0m  \u{1b}[1mWHERE\u{1b}[0m\n\
             a                 here\n\
             long name  \u{1b}[32mon\u{1b}[0m\n";
        assert_eq!(table().render(Style::COLOURED), expected);
    }

    #[test]
    fn cells_are_escaped_before_they_are_measured() {
        let mut table = Table::new(&["A", "B"]);
        table.row(&[("\u{1b}[2J", Paint::Text), ("x\ny", Paint::Text)]);
        assert_eq!(
            table.render(Style::PLAIN),
            "A          B\n\\u{1b}[2J  x\\ny\n"
        );
    }

    #[track_caller]
    fn cuts(text: &str, columns: usize, expected: &str) {
        let found = cut(text, columns);
        assert_eq!(found, expected, "{text} {columns}");
        assert!(width(&found) <= columns, "{found} {columns}");
    }

    #[test]
    fn cells_are_cut_between_characters() {
        cuts("hello", 5, "hello");
        cuts("hello", 4, "hel…");
        cuts("日本語", 6, "日本語");
        cuts("日本語", 5, "日本…");
        // The second one would take both columns, and one is for the sign.
        cuts("日本語", 4, "日…");
        cuts("äöü", 2, "ä…");
        cuts("a\u{301}bc", 2, "a\u{301}…");
        cuts("one two", 5, "one…");
    }

    #[test]
    fn paths_are_cut_in_their_middle() {
        cuts("/home/u/market/plugins/hello", 16, "/home…gins/hello");
        cuts(
            "user /home/u/.codex/config.toml",
            20,
            "user /…x/config.toml",
        );
        cuts("https://h.example/x/hello.git", 16, "https…/hello.git");
        cuts("use /help to find out more", 12, "use /help t…");
        cuts("/日本/日本/日本", 8, "/…/日本");
    }

    #[test]
    fn the_first_column_is_cut_last() {
        let render = |columns: &str| {
            let vars = [("COLUMNS", columns)];
            let narrow = Style::PLAIN.on_terminal(&environment(&[], &vars), None);
            let mut table = Table::new(&["PLUGIN", "STATUS", "VERSION", "SOURCE"]);
            let row = [
                "release-notes@sample",
                "installed, enabled",
                "1.0.0",
                "/m/release-notes",
            ];
            table.row(&row.map(|text| (text, Paint::Text)));
            table
                .render(narrow)
                .lines()
                .nth(1)
                .unwrap_or_default()
                .to_owned()
        };
        let at_60 = "release-notes@sample  installed, en…  1.0.0    /m/r…se-notes";
        assert_eq!(render("60"), at_60);
        assert_eq!(render("40"), "release-notes@sample  install…  1.0.0");
        assert_eq!(render("30"), "release-notes@sample  install…");
        assert_eq!(render("20"), "release-n…  install…");
        assert_eq!(render("3"), "release…  install…");
    }

    #[test]
    fn the_widest_columns_give_way_on_a_terminal() {
        let narrow = Style::PLAIN.on_terminal(&environment(&[], &[("COLUMNS", "24")]), None);
        let mut table = Table::new(&["A", "B"]);
        table.row(&[
            ("name@demo", Paint::Text),
            ("a very long description", Paint::Text),
        ]);
        assert_eq!(
            table.render(narrow),
            "A          B\nname@demo  a very long…\n"
        );
        let wide = "A          B\nname@demo  a very long description\n";
        assert_eq!(table.render(Style::PLAIN), wide);
    }

    #[test]
    fn wide_characters_keep_columns_aligned() {
        let mut table = Table::new(&["A", "B"]);
        table.row(&[("日本", Paint::Text), ("x", Paint::Text)]);
        table.row(&[("abc", Paint::Text), ("y", Paint::Text)]);
        assert_eq!(table.render(Style::PLAIN), "A     B\n日本  x\nabc   y\n");
    }
}
