//! Makes new inputs of old ones: bits, pieces, words and lengths, all from one seed.

/// No input grows beyond this; what depends on size has tests of its own.
const MAX_BYTES: usize = 64 * 1024;
/// Most changes between an input of the corpus and what is tried.
const MAX_CHANGES: usize = 6;
/// Bytes at which something begins, ends or is decided, in one format or another.
const TELLING: &[u8] = b"\0\n\r\t \"'#$%&()*,-./0:=?@[\\]^{|}~\x1b\x7f\x80\xc0\xed\xff";

/// A source of numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, and 0 when there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap().max(1);
        usize::try_from(self.next() % end).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A piece of a text of this length; short ones are more likely.
    fn piece(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = match self.below(4) {
            0 => length - start,
            _ => (length - start).min(8),
        };
        start..start + self.below(longest + 1)
    }
}

/// One new input.
pub(crate) fn mutated(random: &mut Random, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = random.pick(corpus).clone();
    for _ in 0..=random.below(MAX_CHANGES) {
        change(random, &mut bytes, corpus, words);
        bytes.truncate(MAX_BYTES);
    }
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
    let at = random.below(bytes.len() + 1);
    match random.below(12) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = *random.pick(TELLING);
            }
        }
        2 => bytes.insert(at, *random.pick(TELLING)),
        3 => drop(bytes.drain(random.piece(bytes.len()))),
        4 => bytes.truncate(at),
        5 => {
            let piece = bytes[random.piece(bytes.len())].to_vec();
            insert(bytes, at, &piece);
        }
        6 => {
            let word = random.pick(words);
            insert(bytes, at, word.as_bytes());
        }
        7 => {
            let word = random.pick(words);
            let span = random.piece(bytes.len());
            bytes.splice(span, word.bytes());
        }
        8 => {
            let other = random.pick(corpus);
            let piece = &other[random.piece(other.len())];
            insert(bytes, at, piece);
        }
        9 => {
            let other = random.pick(corpus);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        10 => number(random, bytes),
        _ => {
            // Deep and long: the same few bytes many times.
            let start = at.min(bytes.len().saturating_sub(1));
            let piece = bytes[start..].iter().take(1 + random.below(4));
            let piece: Vec<u8> = piece.copied().collect();
            insert(bytes, at, &piece.repeat(1 + random.below(200)));
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// Puts another number into the place of one.
fn number(random: &mut Random, bytes: &mut Vec<u8>) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|at| is_digit(&bytes[*at]) && (*at == 0 || !is_digit(&bytes[at - 1])))
        .collect();
    if starts.is_empty() {
        return;
    }
    let start = *random.pick(&starts);
    let length = bytes[start..]
        .iter()
        .take_while(|byte| is_digit(byte))
        .count();
    let other = match random.below(6) {
        0 => "0".to_owned(),
        1 => "-1".to_owned(),
        2 => u64::MAX.to_string(),
        3 => "1e400".to_owned(),
        4 => "9".repeat(1 + random.below(40)),
        _ => (random.next() % 100_000).to_string(),
    };
    bytes.splice(start..start + length, other.bytes());
}
