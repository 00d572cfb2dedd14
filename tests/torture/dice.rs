//! Random choices that the seed of a run repeats.

/// A generator of numbers (SplitMix64): the same seed gives the same ones, on every system.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Choices of their own for each purpose, so that one loop's do not move with another's.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self(purpose.bytes().fold(seed, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// Those of one of several rounds or threads.
    pub(crate) fn of(&self, number: u64) -> Self {
        let mut dice = Self(self.0 ^ (number + 1).wrapping_mul(0xd134_2543_de82_ef95));
        dice.number();
        dice
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when there is none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// A place in a list of this length; 0 when there is none.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// Brings a list into an order of its own.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.index(end + 1));
        }
    }

    /// Yes or no.
    pub(crate) fn toss(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Some of these, each at most once, in a random order.
    pub(crate) fn some_of<T>(&mut self, mut items: Vec<T>, most: usize) -> Vec<T> {
        self.shuffle(&mut items);
        items.truncate(most);
        items
    }
}
