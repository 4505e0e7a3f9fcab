//! Random streams, one an entity and purpose, so that adding an entity leaves the draws of all others as they were.
//!
//! A stream's key is FNV-1a (128 bit) over seed, purpose and entity; its numbers are those of PCG64 (XSL-RR 128/64). Both
//! are the same on every machine; logarithms and exponentials are those of the platform's mathematics library.

use rand::RngExt;
use rand::distr::Distribution;
use rand_distr::{Exp1, StandardNormal};
use rand_pcg::Pcg64;

const FNV_OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// The random numbers of one entity for one purpose.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: Pcg64,
}

impl Stream {
    /// The stream of `entity` (for example a workload) for `purpose` (for example `arrivals`) under a seed.
    #[must_use]
    pub fn new(seed: u64, purpose: &str, entity: &str) -> Self {
        // Lengths are hashed as well, so that ("ab", "c") and ("a", "bc") are two streams.
        let lengths = [(purpose.len() as u64).to_le_bytes(), (entity.len() as u64).to_le_bytes()].concat();
        let key = fnv1a(&[&seed.to_le_bytes(), &lengths, purpose.as_bytes(), entity.as_bytes()]);
        Self { generator: Pcg64::new(mixed(key), mixed(key.wrapping_add(FNV_PRIME))) }
    }

    /// Uniform on [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.generator.random()
    }

    /// Uniform on 0, ..., `count` - 1; 0 if there is nothing to choose from.
    pub fn below(&mut self, count: usize) -> usize {
        if count < 2 { 0 } else { self.generator.random_range(0..count) }
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.generator)
    }

    /// Normal with mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.generator)
    }

    /// Lognormal: `exp(mu + sigma Z)`.
    pub fn lognormal(&mut self, mu: f64, sigma: f64) -> f64 {
        (mu + sigma * self.normal()).exp()
    }

    /// From a distribution of `rand_distr`.
    pub fn sample<D: Distribution<f64>>(&mut self, distribution: &D) -> f64 {
        distribution.sample(&mut self.generator)
    }

    /// Index drawn in proportion to weights, given their running sums; 0 if they sum to nothing.
    pub fn weighted(&mut self, running_sums: &[f64]) -> usize {
        let total = running_sums.last().copied().unwrap_or(0.0);
        let mark = self.uniform() * total;
        running_sums.partition_point(|&sum| sum <= mark).min(running_sums.len().saturating_sub(1))
    }
}

fn fnv1a(parts: &[&[u8]]) -> u128 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(FNV_OFFSET, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(FNV_PRIME))
}

/// Every bit of the key into every bit of the result, which FNV alone does not do for its last bytes: two rounds of a
/// Feistel network with the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(key: u128) -> u128 {
    let (high, low) = ((key >> 64) as u64, key as u64);
    let high = high ^ split_mix(low);
    let low = low ^ split_mix(high);
    u128::from(high ^ split_mix(low)) << 64 | u128::from(low)
}

fn split_mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, purpose: &str, entity: &str) -> u64 {
        Stream::new(seed, purpose, entity).uniform().to_bits()
    }

    #[test]
    fn a_stream_is_named_by_seed_purpose_and_entity() {
        assert_eq!(first(1, "arrivals", "chat"), first(1, "arrivals", "chat"));
        let others =
            [first(2, "arrivals", "chat"), first(1, "lengths", "chat"), first(1, "arrivals", "chat2"), first(1, "arrival", "schat")];
        assert!(others.iter().all(|&other| other != first(1, "arrivals", "chat")), "{others:?}");
    }

    /// The published 128-bit FNV-1a of the letter a: the key is the same everywhere.
    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(&[b"a"]), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(fnv1a(&[]), FNV_OFFSET);
    }

    /// The first output of SplitMix64 for seed 0, as published; and keys that differ in one bit share about half.
    #[test]
    fn neighbouring_keys_are_far_apart() {
        assert_eq!(split_mix(0), 0xe220_a839_7b1d_cdaf);
        for bit in 0..128 {
            let differing = (mixed(0) ^ mixed(1 << bit)).count_ones();
            assert!((35..=93).contains(&differing), "bit {bit}: {differing}");
        }
    }

    #[test]
    fn draws_have_the_moments_they_promise() {
        let mut stream = Stream::new(7, "moments", "test");
        let n = 200_000;
        let mean = |draw: &mut dyn FnMut() -> f64| (0..n).map(|_| draw()).sum::<f64>() / f64::from(n);
        // Five standard errors of each: 5/sqrt(200,000) = 0.011.
        assert!((mean(&mut || stream.uniform()) - 0.5).abs() < 0.004);
        assert!((mean(&mut || stream.exponential()) - 1.0).abs() < 0.012);
        assert!(mean(&mut || stream.normal()).abs() < 0.012);
        assert!((mean(&mut || stream.lognormal(-0.125, 0.5)) - 1.0).abs() < 0.006);
        assert!((mean(&mut || stream.weighted(&[0.5, 0.5, 2.0]) as f64) - 1.5).abs() < 0.012);
        assert_eq!(stream.weighted(&[0.0, 0.0]), 1);
        assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    }
}
