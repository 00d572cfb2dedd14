//! Looking into a pack while it comes: how large are the objects that it unfolds into?
//!
//! A few bytes of a pack can stand for gigabytes of zeros. Whoever receives it counts what comes and
//! finds little, while a processor is busy for hours. Here the objects are unfolded once more, to
//! nowhere, and the first one that could never be written ends the fetch.
//!
//! A pack that is no pack is not judged: its receiver does that.

use flate2::{Decompress, FlushDecompress, Status};

/// What may come out of a pack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unfolded {
    /// One object.
    pub(crate) object: u64,
    /// All of them.
    pub(crate) all: u64,
}

/// A pack, as far as it was looked at.
pub(crate) struct PackScan {
    most: Unfolded,
    all: u64,
    /// How many objects are still to come. What follows them is no object.
    objects: u32,
    state: State,
}

enum State {
    /// The twelve bytes in front of all objects, which end in their number; so many are still to come.
    Front(usize),
    /// Kind and size of an object, seven bits in each byte behind the first.
    Head {
        kind: u8,
        size: u64,
        shift: u32,
    },
    /// The name of what a delta builds upon; so many bytes are still to come.
    Base(usize, u64),
    /// The same as a distance, whose last byte has no mark.
    Distance(u64),
    Body {
        size: u64,
        stream: Box<Decompress>,
    },
    /// Nothing more is looked at.
    End,
}

const AT_HEAD: State = State::Head {
    kind: 0,
    size: 0,
    shift: 0,
};

/// Kinds of objects that build upon others.
const DISTANT_DELTA: u8 = 6;
const NAMED_DELTA: u8 = 7;

const MARK: u8 = 0x80;

impl PackScan {
    pub(crate) fn new(most: Unfolded) -> Self {
        Self {
            most,
            all: 0,
            objects: 0,
            state: State::Front(12),
        }
    }

    /// Looks at the next bytes. Answers whether the pack is one that must not be taken.
    pub(crate) fn is_too_large(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((&byte, behind)) = bytes.split_first() {
            match &mut self.state {
                State::Front(left) => {
                    *left -= 1;
                    self.objects = (self.objects << 8) | u32::from(byte);
                    if *left == 0 {
                        self.next_object();
                    }
                    bytes = behind;
                }
                State::Head { kind, size, shift } => {
                    if *shift == 0 {
                        (*kind, *size, *shift) = ((byte >> 4) & 7, u64::from(byte & 15), 4);
                    } else if *shift < 57 {
                        *size |= u64::from(byte & !MARK) << *shift;
                        *shift += 7;
                    } else {
                        return true;
                    }
                    bytes = behind;
                    if byte & MARK == 0 {
                        let (kind, size) = (*kind, *size);
                        if size > self.most.object {
                            return true;
                        }
                        self.state = match kind {
                            NAMED_DELTA => State::Base(20, size),
                            DISTANT_DELTA => State::Distance(size),
                            _ => body(size),
                        };
                    }
                }
                State::Base(left, size) => {
                    *left -= 1;
                    if *left == 0 {
                        self.state = body(*size);
                    }
                    bytes = behind;
                }
                State::Distance(size) => {
                    if byte & MARK == 0 {
                        self.state = body(*size);
                    }
                    bytes = behind;
                }
                State::Body { size, stream } => {
                    let Some((read, ended)) = unfold(stream, bytes) else {
                        self.state = State::End;
                        return false;
                    };
                    let so_far = stream.total_out();
                    if so_far > *size || self.all.saturating_add(so_far) > self.most.all {
                        return true;
                    }
                    if ended {
                        self.all += so_far;
                        self.next_object();
                    }
                    bytes = &bytes[read..];
                }
                State::End => return false,
            }
        }
        false
    }

    fn next_object(&mut self) {
        self.state = match self.objects.checked_sub(1) {
            Some(left) => {
                self.objects = left;
                AT_HEAD
            }
            None => State::End,
        };
    }
}

fn body(size: u64) -> State {
    State::Body {
        size,
        stream: Box::new(Decompress::new(true)),
    }
}

/// Unfolds the next piece, to nowhere: how much was read, and whether that was the end. `None` when
/// it is no stream.
fn unfold(stream: &mut Decompress, bytes: &[u8]) -> Option<(usize, bool)> {
    let (read_before, written_before) = (stream.total_in(), stream.total_out());
    let mut nowhere = [0; 32 << 10];
    let status = stream.decompress(bytes, &mut nowhere, FlushDecompress::None);
    let read = usize::try_from(stream.total_in() - read_before).ok()?;
    match status {
        Ok(Status::StreamEnd) => Some((read, true)),
        // A stream that takes nothing and gives nothing would keep us here.
        Ok(_) if read > 0 || stream.total_out() > written_before => Some((read, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use pretty_assertions::assert_eq;

    use super::{PackScan, Unfolded};

    fn object(kind: u8, size: usize, base: &[u8], content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut byte = (kind << 4) | u8::try_from(size & 15).unwrap();
        let mut rest = size >> 4;
        while rest > 0 {
            out.push(byte | 0x80);
            byte = u8::try_from(rest & 127).unwrap();
            rest >>= 7;
        }
        out.push(byte);
        out.extend_from_slice(base);
        let mut encoder = ZlibEncoder::new(out, Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn pack(objects: &[Vec<u8>]) -> Vec<u8> {
        let mut out = b"PACK\0\0\0\x02\0\0\0".to_vec();
        out.push(u8::try_from(objects.len()).unwrap());
        objects.iter().for_each(|one| out.extend_from_slice(one));
        // The digest, which looks like the head of a large object.
        out.extend_from_slice(&[0xbf; 20]);
        out
    }

    #[track_caller]
    fn check(pack: &[u8], expected: bool) {
        let most = Unfolded {
            object: 100_000,
            all: 250_000,
        };
        for piece in [1, 7, 4096, usize::MAX] {
            let mut scan = PackScan::new(most);
            let found = pack
                .chunks(piece.min(pack.len()))
                .any(|bytes| scan.is_too_large(bytes));
            assert_eq!(found, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn honest_objects_of_every_kind_pass() {
        let noise: Vec<u8> = (0..99_999_u32)
            .map(|n| (n.wrapping_mul(n) >> 3) as u8)
            .collect();
        check(
            &pack(&[
                object(1, 5, b"", b"hello"),
                object(3, 99_999, b"", &noise),
                object(7, 4, &[0xff; 20], b"abcd"),
                object(6, 4, &[0x81, 0x82, 0x03], b"abcd"),
                object(3, 0, b"", b""),
                object(3, 100_000, b"", &[0; 100_000]),
            ]),
            false,
        );
    }

    #[test]
    fn an_object_that_says_to_be_too_large_is_found_at_its_head() {
        let huge = object(3, 100_001, b"", b"");
        check(&pack(&[object(1, 5, b"", b"hello"), huge]), true);
        check(&pack(&[vec![0xbf; 30]]), true);
    }

    #[test]
    fn an_object_that_is_larger_than_it_says_is_found() {
        check(&pack(&[object(3, 5, b"", &[0; 90_000])]), true);
    }

    #[test]
    fn many_objects_are_too_large_together() {
        let one = || object(3, 90_000, b"", &[0; 90_000]);
        check(&pack(&[one(), one()]), false);
        check(&pack(&[one(), one(), one()]), true);
    }

    #[test]
    fn what_is_no_pack_is_left_to_its_receiver() {
        check(&pack(&[b"\x35no stream of zlib at all".to_vec()]), false);
        check(b"PAC", false);
    }
}
