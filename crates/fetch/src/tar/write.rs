//! Writing the headers of an archive: ustar, with pax where ustar has no room.
//!
//! They hold nothing of the machine: no owner, no time, and one of two modes. So one tree has one
//! archive, wherever it is made.

use super::header::BLOCK;

/// Longest path that a header holds.
const MAX_PATH: usize = 100;

/// Largest size in the octal digits that there is room for.
const MAX_OCTAL: u64 = 0o777_7777_7777;

/// What the headers describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum New {
    Dir,
    File { size: u64, executable: bool },
}

/// The headers of an entry, in whole blocks. The path has no slash at its end.
pub(crate) fn headers(path: &str, new: New) -> Vec<u8> {
    let (path, letter, size, mode) = match new {
        New::Dir => (format!("{path}/"), b'5', 0, "0000755\0"),
        New::File { size, executable } => {
            let mode = if executable { "0000755\0" } else { "0000644\0" };
            (path.to_owned(), b'0', size, mode)
        }
    };
    let mut blocks = Vec::new();
    // Beyond ASCII only pax says how a name is encoded.
    if path.len() > MAX_PATH || !path.is_ascii() {
        let record = record("path", &path);
        let length = u64::try_from(record.len()).unwrap_or(u64::MAX);
        blocks.extend(block("PaxHeader", b'x', length, "0000644\0"));
        blocks.extend(record);
        blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
    }
    blocks.extend(block(&path, letter, size, mode));
    blocks
}

/// How many zeros follow content of this size.
pub(crate) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % 512).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

/// What ends an archive.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

fn block(path: &str, letter: u8, size: u64, mode: &str) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    // A reader that knows no pax finds the beginning of the name.
    let end = path.floor_char_boundary(MAX_PATH);
    put(&mut block, 0, &path.as_bytes()[..end]);
    put(&mut block, 100, mode.as_bytes());
    put(&mut block, 108, b"0000000\0");
    put(&mut block, 116, b"0000000\0");
    if size <= MAX_OCTAL {
        put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    } else {
        put(&mut block, 124, &[0x80, 0, 0, 0]);
        put(&mut block, 128, &size.to_be_bytes());
    }
    put(&mut block, 136, b"00000000000\0");
    put(&mut block, 148, b"        ");
    put(&mut block, 156, &[letter]);
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 329, b"0000000\0");
    put(&mut block, 337, b"0000000\0");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A record of a pax header. Its length counts its own digits.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::{Entry, Kind, Tar};
    use super::{END, New, headers, padding};

    #[track_caller]
    fn check(path: &str, new: New, blocks: usize) {
        let mut bytes = headers(path, new);
        assert_eq!(bytes.len(), 512 * blocks, "{path}");
        let (path, kind, executable, size) = match new {
            New::Dir => (format!("{path}/"), Kind::Dir, true, 0),
            New::File { size, executable } => {
                (path.to_owned(), Kind::File { size }, executable, size)
            }
        };
        // The content of large files is not made.
        let content = usize::try_from(size.min(1000)).unwrap();
        bytes.resize(bytes.len() + content + padding(size), 7);
        bytes.extend(END);
        let next = Tar::new(&bytes[..], 10).next().unwrap();
        let path = path.into_bytes();
        let expected = Entry {
            path,
            kind,
            executable,
        };
        assert_eq!(next, Some(expected));
    }

    const PLAIN: New = New::File {
        size: 0,
        executable: false,
    };

    #[test]
    fn what_is_written_is_read() {
        check("a", PLAIN, 1);
        check("a/b c", New::Dir, 1);
        check(
            "run",
            New::File {
                size: 513,
                executable: true,
            },
            1,
        );
        check(&"n".repeat(100), PLAIN, 1);
        check(&"n".repeat(100), New::Dir, 3);
        check(&"n".repeat(101), PLAIN, 3);
        check(&format!("{}/x", "d".repeat(900)), PLAIN, 4);
        check("größe", PLAIN, 3);
        check(&"ü".repeat(60), New::Dir, 3);
        for size in [0o777_7777_7777, 0o1000_0000_0000] {
            let executable = false;
            check("large", New::File { size, executable }, 1);
        }
    }

    #[test]
    fn content_is_filled_up_to_blocks() {
        for (size, zeros) in [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511)] {
            assert_eq!(padding(size), zeros);
        }
    }
}
