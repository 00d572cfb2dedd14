//! Tables for people: columns as wide as their widest cell, two blanks between them.
//!
//! Width is counted in characters. Columns in front of the last hold names and versions, which are
//! ASCII, so that is exact where it matters.

use crate::escape;
use crate::style::{Paint, Style};

const GAP: usize = 2;

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
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| width(&cell.text)).max().unwrap_or(0)
            })
            .collect();
        let mut lines = String::new();
        for row in &self.rows {
            let used = row
                .iter()
                .rposition(|cell| !cell.text.is_empty())
                .map_or(0, |last| last + 1);
            for (column, cell) in row[..used].iter().enumerate() {
                lines.push_str(&style.paint(cell.paint, &cell.text));
                if column + 1 < used {
                    let blanks = widths[column] - width(&cell.text) + GAP;
                    lines.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            lines.push('\n');
        }
        lines
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Table;
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
        assert_eq!(table().render(Style::Plain), expected);
    }

    #[test]
    fn colours_do_not_move_columns() {
        let expected = "\u{1b}[1mNAME\u{1b}[0m       \u{1b}[1mSTATE\u{1b}[0m  \u{1b}[1mWHERE\u{1b}[0m\n\
             a                 here\n\
             long name  \u{1b}[32mon\u{1b}[0m\n";
        assert_eq!(table().render(Style::Coloured), expected);
    }

    #[test]
    fn cells_are_escaped_before_they_are_measured() {
        let mut table = Table::new(&["A", "B"]);
        table.row(&[("\u{1b}[2J", Paint::Text), ("x\ny", Paint::Text)]);
        assert_eq!(
            table.render(Style::Plain),
            "A          B\n\\u{1b}[2J  x\\ny\n"
        );
    }
}
