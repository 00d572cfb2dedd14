//! Lines with their length in front, of which git's protocol is made.

use std::io::{self, Read};

/// The longest line, its length included.
pub(crate) const MOST: usize = 65_520;

/// A line, or the mark between two groups of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pkt {
    Line(String),
    Flush,
}

/// Appends a line.
pub(crate) fn line(out: &mut Vec<u8>, content: impl AsRef<[u8]>) {
    let content = content.as_ref();
    out.extend_from_slice(format!("{:04x}", content.len() + 4).as_bytes());
    out.extend_from_slice(content);
}

/// Appends the mark.
pub(crate) fn flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// Reads lines to the end.
pub(crate) fn read_all(mut bytes: &[u8]) -> io::Result<Vec<Pkt>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let mut digits = [0; 4];
        bytes.read_exact(&mut digits)?;
        let digits = std::str::from_utf8(&digits).map_err(io::Error::other)?;
        let length = usize::from_str_radix(digits, 16).map_err(io::Error::other)?;
        if length == 0 {
            found.push(Pkt::Flush);
            continue;
        }
        let length = length.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
        let mut content = vec![0; length];
        bytes.read_exact(&mut content)?;
        let text = String::from_utf8_lossy(&content);
        found.push(Pkt::Line(text.trim_end_matches('\n').to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Pkt, flush, line, read_all};

    #[test]
    fn what_is_written_is_read_back() {
        let mut bytes = Vec::new();
        line(&mut bytes, "want x\n");
        flush(&mut bytes);
        line(&mut bytes, "done");
        assert_eq!(bytes, b"000bwant x\n00000008done");
        let line = |text: &str| Pkt::Line(text.to_owned());
        let expected = [line("want x"), Pkt::Flush, line("done")];
        assert_eq!(read_all(&bytes).unwrap(), expected);
    }

    #[test]
    fn broken_lines() {
        for bytes in ["00", "zzzz", "0003", "0009done"] {
            assert!(read_all(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}
