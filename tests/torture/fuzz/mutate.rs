//! Makes new inputs of old ones: bits, pieces, words and lengths, all from one seed.

use std::ops::Range;

use crate::dice::Dice;

/// No input grows beyond this; what depends on size has tests of its own.
const MAX_BYTES: usize = 64 * 1024;
/// Most changes between an input of the corpus and what is tried.
const MAX_CHANGES: usize = 6;
/// Bytes at which something begins, ends or is decided, in one format or another.
const TELLING: &[u8] = b"\0\n\r\t \"'#$%&()*,-./0:=?@[\\]^{|}~\x1b\x7f\x80\xc0\xed\xff";

/// A piece of a text of this length; short ones are more likely.
fn piece(random: &mut Dice, length: usize) -> Range<usize> {
    let start = random.index(length + 1);
    let longest = match random.below(4) {
        0 => length - start,
        _ => (length - start).min(8),
    };
    start..start + random.index(longest + 1)
}

/// One new input.
pub(crate) fn mutated(random: &mut Dice, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = random.pick(corpus).clone();
    for _ in 0..=random.index(MAX_CHANGES) {
        change(random, &mut bytes, corpus, words);
        bytes.truncate(MAX_BYTES);
    }
    bytes
}

fn change(random: &mut Dice, bytes: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
    let at = random.index(bytes.len() + 1);
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
        3 => drop(bytes.drain(piece(random, bytes.len()))),
        4 => bytes.truncate(at),
        5 => {
            let piece = bytes[piece(random, bytes.len())].to_vec();
            insert(bytes, at, &piece);
        }
        6 => {
            let word = random.pick(words);
            insert(bytes, at, word.as_bytes());
        }
        7 => {
            let word = random.pick(words);
            let span = piece(random, bytes.len());
            bytes.splice(span, word.bytes());
        }
        8 => {
            let other = random.pick(corpus);
            let piece = &other[piece(random, other.len())];
            insert(bytes, at, piece);
        }
        9 => {
            let other = random.pick(corpus);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.index(other.len() + 1)..]);
        }
        10 => number(random, bytes),
        _ => {
            // Deep and long: the same few bytes many times.
            let start = at.min(bytes.len().saturating_sub(1));
            let piece = bytes[start..].iter().take(1 + random.index(4));
            let piece: Vec<u8> = piece.copied().collect();
            insert(bytes, at, &piece.repeat(1 + random.index(200)));
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// Puts another number into the place of one.
fn number(random: &mut Dice, bytes: &mut Vec<u8>) {
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
        4 => "9".repeat(1 + random.index(40)),
        _ => random.below(100_000).to_string(),
    };
    bytes.splice(start..start + length, other.bytes());
}
