//! Ends of lines as Windows writes them, where a repository asks for them: what git does when it
//! checks a file out.

use std::borrow::Cow;

use crate::attributes::Ends;

/// The content of a file as it is written.
pub(crate) fn written(content: &[u8], ends: Ends) -> Cow<'_, [u8]> {
    // Nearly every file is one of these, and nobody looks at its bytes.
    if ends == Ends::AsCommitted {
        return Cow::Borrowed(content);
    }
    let count = Count::of(content);
    // Of what may be none, what has one such end already, or is no text, was not meant.
    let is_meant = ends == Ends::Crlf || (count.cr == 0 && !count.is_binary());
    if count.lone_lf == 0 || !is_meant {
        return Cow::Borrowed(content);
    }
    let mut text = Vec::with_capacity(content.len() + count.lone_lf);
    let mut before = 0;
    for byte in content {
        if *byte == b'\n' && before != b'\r' {
            text.push(b'\r');
        }
        text.push(*byte);
        before = *byte;
    }
    Cow::Owned(text)
}

/// What git counts to tell a text from anything else.
#[derive(Default)]
struct Count {
    nul: usize,
    /// With and without a line feed behind.
    cr: usize,
    lone_cr: usize,
    lone_lf: usize,
    printable: usize,
    other: usize,
}

impl Count {
    fn of(content: &[u8]) -> Self {
        let mut count = Self::default();
        let mut before = 0;
        for (at, byte) in content.iter().enumerate() {
            match byte {
                b'\r' => {
                    count.cr += 1;
                    count.lone_cr += usize::from(content.get(at + 1) != Some(&b'\n'));
                }
                b'\n' => count.lone_lf += usize::from(before != b'\r'),
                0 => count.nul += 1,
                0x08 | b'\t' | 0x0c | 0x1b => count.printable += 1,
                0x7f | 0x01..=0x1f => count.other += 1,
                _ => count.printable += 1,
            }
            before = *byte;
        }
        // An end of file of older systems.
        if before == 0x1a {
            count.other -= 1;
        }
        count
    }

    fn is_binary(&self) -> bool {
        self.lone_cr > 0 || self.nul > 0 || (self.printable >> 7) < self.other
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::written;
    use crate::attributes::Ends;

    #[track_caller]
    fn check(content: &[u8], ends: Ends, expected: &[u8]) {
        assert_eq!(written(content, ends).as_ref(), expected, "{content:?}");
    }

    #[test]
    fn a_line_feed_gets_what_it_lacks() {
        check(b"a\nb\r\nc\n", Ends::Crlf, b"a\r\nb\r\nc\r\n");
        check(b"\n\n", Ends::Crlf, b"\r\n\r\n");
        check(b"a\0\n", Ends::Crlf, b"a\0\r\n");
        check(b"none", Ends::Crlf, b"none");
        check(b"", Ends::Crlf, b"");
        check(b"a\nb\n", Ends::AsCommitted, b"a\nb\n");
    }

    #[test]
    fn what_is_no_text_is_left_where_that_was_asked_for() {
        check(b"a\nb\n", Ends::CrlfInText, b"a\r\nb\r\n");
        check(
            "ä\u{1b}[1m\t\n".as_bytes(),
            Ends::CrlfInText,
            "ä\u{1b}[1m\t\r\n".as_bytes(),
        );
        check(b"a\n\x1a", Ends::CrlfInText, b"a\r\n\x1a");
        for left in [&b"a\0\n"[..], b"a\nb\r\n", b"a\rb\n", b"\x01\n"] {
            check(left, Ends::CrlfInText, left);
        }
    }
}
