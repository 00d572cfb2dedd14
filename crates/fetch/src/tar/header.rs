//! One block that describes what follows it.

use super::TarError;
use crate::EntryFault;

/// The size of everything in an archive.
pub(super) const BLOCK: usize = 512;

/// A header, as it is written: headers in front of it may extend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) kind: Type,
    pub(super) size: u64,
    /// Whether the owner may execute it.
    pub(super) executable: bool,
}

/// What a header describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    File,
    Dir,
    Link,
    /// Of pax, for the next entry.
    Extended,
    /// Of pax, for all that follows.
    Global,
    /// Of GNU, for the next entry.
    LongName,
    /// Of GNU, for the next entry.
    LongLink,
    /// Devices, pipes, sparse files, parts of several volumes, and what nobody knows.
    Other,
}

impl Header {
    /// Reads a block that is not all zeros.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, TarError> {
        // Without the right sum it is not even known that this is a header.
        let sum = number(&block[148..156]);
        if sum.is_none() || !sums(block).contains(&sum) {
            return Err(TarError::Damaged("a header has the wrong checksum"));
        }
        let path = full_path(block);
        let Some(size) = number(&block[124..136]) else {
            return Err(TarError::Entry(path, EntryFault::BadHeader));
        };
        Ok(Self {
            path,
            link: until_nul(&block[157..257]).to_vec(),
            kind: Type::of(block[156]),
            size,
            executable: number(&block[100..108]).is_some_and(|mode| mode & 0o100 != 0),
        })
    }
}

impl Type {
    fn of(letter: u8) -> Self {
        match letter {
            b'0' | 0 | b'7' => Self::File,
            b'5' => Self::Dir,
            b'1' | b'2' => Self::Link,
            b'x' => Self::Extended,
            b'g' => Self::Global,
            b'L' => Self::LongName,
            b'K' => Self::LongLink,
            _ => Self::Other,
        }
    }
}

/// What stands in front of the first NUL.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The path. Only in ustar the space behind the other fields is the front of a long one; GNU keeps
/// times and sparse maps there.
fn full_path(block: &[u8; BLOCK]) -> Vec<u8> {
    let name = until_nul(&block[..100]);
    let front = until_nul(&block[345..500]);
    if &block[257..263] == b"ustar\0" && !front.is_empty() {
        [front, b"/", name].concat()
    } else {
        name.to_vec()
    }
}

/// A number in octal digits, or in binary where the first bit says so; an empty field is zero.
fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // Negative numbers have all bits of the first byte set.
        let start = (first != 0xff).then_some(u64::from(first & 0x7f))?;
        return rest.iter().try_fold(start, |value, &byte| {
            value.checked_mul(256)?.checked_add(u64::from(byte))
        });
    }
    let is_filler = |byte: u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|&byte| byte != b' ');
    let start = start.unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits
        .iter()
        .position(|&byte| is_filler(byte))
        .unwrap_or(digits.len());
    if digits[end..].iter().any(|&byte| !is_filler(byte)) {
        return None;
    }
    digits[..end].iter().try_fold(0_u64, |value, &digit| {
        let digit = char::from(digit).to_digit(8)?;
        value.checked_mul(8)?.checked_add(u64::from(digit))
    })
}

/// The sum of all bytes with the sum itself taken as spaces. Some old writers added signed bytes.
fn sums(block: &[u8; BLOCK]) -> [Option<u64>; 2] {
    let mut unsigned = 0_u64;
    let mut signed = 0_i64;
    for (at, &byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { byte };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    [Some(unsigned), u64::try_from(signed).ok()]
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::number;

    #[track_caller]
    fn check(field: &[u8], expected: Option<u64>) {
        assert_eq!(number(field), expected, "{field:?}");
    }

    #[test]
    fn numbers_in_octal() {
        check(b"00000000017\0", Some(15));
        check(b"00000000017 ", Some(15));
        check(b"         17 ", Some(15));
        check(b"17 \0\0\0\0\0\0\0\0\0", Some(15));
        check(b"777777777777", Some(0o777_777_777_777));
        check(b"\0\0\0\0\0\0\0\0\0\0\0\0", Some(0));
        check(b"18\0\0", None);
        check(b"1 1\0", None);
        check(b"-1\0\0", None);
        check(b"+1\0\0", None);
    }

    #[test]
    fn numbers_in_binary() {
        check(&[0x80, 0, 0, 1, 2], Some(258));
        check(&[0xff, 0xff, 0xff, 0xff], None);
        check(
            &[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            Some(u64::MAX),
        );
        check(&[0x81, 0, 0, 0, 0, 0, 0, 0, 0], None);
    }
}
