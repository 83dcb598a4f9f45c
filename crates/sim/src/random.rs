//! The one source of chance: SplitMix64 (Steele, Lea, Flood 2014).

/// A sequence of numbers that follows from its seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A sequence of its own for one purpose, so that what one part draws changes no other.
    pub fn part(seed: u64, purpose: &str) -> Random {
        let hash = blake3::hash(format!("{purpose}:{seed}").as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        Random(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// An index of a list of this length, which is not 0.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A number from `low` to `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())].clone()
    }

    /// Something in so many of a hundred cases.
    pub fn maybe<T>(&mut self, percent: u64, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
        if self.percent(percent) { Some(make(self)) } else { None }
    }
}
