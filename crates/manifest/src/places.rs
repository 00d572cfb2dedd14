//! From byte offsets to lines and columns, many times over one text.
//!
//! [`Place::of_offset`] walks the text from its start, which is right for one error. A catalogue
//! has a place per entry, so the line starts and character counts are noted once and each lookup
//! costs one block of text, also when the whole file is a single line.

use plugd_model::Place;

/// How many bytes a lookup may have to count. Each member of a catalogue has a place.
const BLOCK: usize = 128;

/// The noted positions of one text.
#[derive(Debug)]
pub(crate) struct Places {
    /// Offset of the first byte of each line.
    line_starts: Vec<usize>,
    /// Characters that begin before each block.
    before_block: Vec<usize>,
}

impl Places {
    /// Notes the positions of a text.
    pub(crate) fn new(text: &str) -> Self {
        let mut line_starts = vec![0];
        let mut before_block = Vec::with_capacity(text.len() / BLOCK + 1);
        let mut characters = 0;
        for (index, block) in text.as_bytes().chunks(BLOCK).enumerate() {
            before_block.push(characters);
            for (offset, &byte) in block.iter().enumerate() {
                characters += usize::from(begins_character(byte));
                if byte == b'\n' {
                    line_starts.push(index * BLOCK + offset + 1);
                }
            }
        }
        Self {
            line_starts,
            before_block,
        }
    }

    /// The place of a byte offset in the same text.
    pub(crate) fn of_offset(&self, text: &str, offset: usize) -> Place {
        let offset = offset.min(text.len());
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1];
        let column = self.characters_before(text, offset) - self.characters_before(text, start);
        Place {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    /// The offset of a column, counted in bytes from 1, of a line, counted from 1.
    pub(crate) fn offset_of(&self, line: usize, byte_column: usize) -> usize {
        let line = line.clamp(1, self.line_starts.len());
        self.line_starts[line - 1] + byte_column.saturating_sub(1)
    }

    fn characters_before(&self, text: &str, offset: usize) -> usize {
        // The end of a text whose length is a multiple of the block size lies behind the last one.
        let block = (offset / BLOCK).min(self.before_block.len().saturating_sub(1));
        let noted = self.before_block.get(block).copied().unwrap_or(0);
        let rest = &text.as_bytes()[block * BLOCK..offset];
        noted + rest.iter().filter(|&&byte| begins_character(byte)).count()
    }
}

fn begins_character(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

#[cfg(test)]
mod tests {
    use plugd_model::Place;
    use pretty_assertions::assert_eq;

    use super::{BLOCK, Places};

    #[track_caller]
    fn check(text: &str) {
        let places = Places::new(text);
        let boundaries = (0..=text.len()).filter(|&offset| text.is_char_boundary(offset));
        for offset in boundaries {
            let expected = Place::of_offset(text.as_bytes(), offset);
            assert_eq!(places.of_offset(text, offset), expected, "offset {offset}");
        }
    }

    #[test]
    fn agrees_with_the_plain_count() {
        check("");
        check("\n\n");
        check("ab\nçd\n");
        check("a\r\nb");
        check(&"x".repeat(BLOCK));
        check(&"é\n€".repeat(BLOCK));
        check(&"é€😀".repeat(BLOCK / 4));
    }

    #[test]
    fn an_offset_behind_the_end_is_the_end() {
        let places = Places::new("ab\n");
        assert_eq!(places.of_offset("ab\n", 99), Place { line: 2, column: 1 });
    }
}
