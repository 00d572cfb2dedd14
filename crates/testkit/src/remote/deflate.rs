//! A packed stream of zeros that costs the server nothing and the client whatever it lets happen.

use std::io::{self, Read};

use flate2::{Compress, Compression, FlushCompress};

/// How many zeros one repeated block stands for.
const BLOCK: usize = 1 << 20;

/// A block of zeros over and over, without the bytes in front and behind that zlib and gzip have.
pub(crate) fn endless_zeros() -> impl Read + Send {
    Endless {
        block: block(),
        position: 0,
    }
}

/// A whole block that refers to nothing in front of it, so it may be repeated.
fn block() -> Vec<u8> {
    let mut packed = Vec::with_capacity(64 * 1024);
    // Room that is enough and a buffer in memory leave nothing that could fail.
    let _ = Compress::new(Compression::best(), false).compress_vec(
        &vec![0; BLOCK],
        &mut packed,
        FlushCompress::Full,
    );
    packed
}

struct Endless {
    block: Vec<u8>,
    position: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            let left = self.block.get(self.position..).unwrap_or_default();
            let free = buffer.get_mut(read..).unwrap_or_default();
            let count = left.len().min(free.len());
            for (to, from) in free.iter_mut().zip(left) {
                *to = *from;
            }
            read += count;
            self.position = (self.position + count) % self.block.len();
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;
    use pretty_assertions::assert_eq;

    use super::{BLOCK, block, endless_zeros};

    #[test]
    fn it_unpacks_to_zeros_and_does_not_end() {
        assert!(block().len() < BLOCK / 500, "{}", block().len());
        let mut plain = Vec::new();
        let most = u64::try_from(3 * BLOCK + 5).unwrap();
        let unpacked = DeflateDecoder::new(endless_zeros()).take(most);
        { unpacked }.read_to_end(&mut plain).unwrap();
        assert_eq!(plain.len(), 3 * BLOCK + 5);
        assert!(plain.iter().all(|byte| *byte == 0));
    }
}
