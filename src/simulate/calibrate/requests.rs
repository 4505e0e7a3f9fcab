//! The requests of a run: gaps at random, lengths stratified.
//!
//! A miss is often a long prompt that would have missed alone. How many of those a random sample has is noise that says
//! nothing of the rate, so lengths are not drawn: all quantiles of their law come, in a random order, and each batch gets an
//! even share of them (one of each group of neighbouring quantiles). What spread is left between batches is that of the
//! queueing. Gaps and order are the same at every rate; only the clock runs faster.

use crate::simulate::random::Stream;
use crate::simulate::traffic::gaps::{GapShape, Gaps};
use crate::simulate::traffic::{Lengths, Request, Source, Trace};
use std::sync::Arc;

/// Seed and name of all random streams of a run: the same for every rate, count and service, so that answers depend on the
/// question alone and differ for its sake.
pub const SEED: u64 = 20_260_112;
/// See [`SEED`].
pub const NAME: &str = "calibrate";

/// Requests in operational time, in which they come at a rate of 1, cut into batches of equal size.
#[derive(Clone, Debug)]
pub struct Requests {
    requests: Vec<Request>,
    batch: usize,
}

impl Requests {
    /// So many batches of so many requests each.
    #[must_use]
    pub fn new(lengths: &Lengths, cv2: f64, (batches, batch): (usize, usize)) -> Self {
        let count = batches * batch;
        let gaps = Gaps::new(GapShape::Gamma, cv2);
        let mut arrivals = Stream::new(SEED, "arrivals", NAME);
        let mut at_s = gaps.draw_rest(&mut arrivals);
        let mut requests = Vec::with_capacity(count);
        let (inputs, outputs) = tokens(lengths, (batches, batch));
        for (input_tokens, output_tokens) in inputs.into_iter().zip(outputs) {
            requests.push(Request { at_s, input_tokens, output_tokens, class: 0 });
            at_s += gaps.draw(&mut arrivals);
        }
        Self { requests, batch }
    }

    /// All of them at a rate, from 0 s on.
    #[must_use]
    pub fn at(&self, rate_rps: f64) -> Source {
        let requests = self.requests.iter().map(|r| Request { at_s: r.at_s / rate_rps, ..*r });
        Source::Trace(Trace::new(requests.collect::<Arc<[Request]>>(), 0.0))
    }

    /// Requests of a batch.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// When the last request of the first `batches` batches comes at a rate, s.
    #[must_use]
    pub fn end_s(&self, batches: usize, rate_rps: f64) -> f64 {
        let last = (batches * self.batch).checked_sub(1).and_then(|index| self.requests.get(index));
        last.or(self.requests.last()).map_or(0.0, |r| r.at_s / rate_rps)
    }
}

/// Prompt and answer tokens.
fn tokens(lengths: &Lengths, shape: (usize, usize)) -> (Vec<u32>, Vec<u32>) {
    let count = shape.0 * shape.1;
    match lengths {
        Lengths::None => (vec![0; count], vec![0; count]),
        Lengths::LogNormal { input, output } => {
            (stratified("inputs", |share| input.quantile(share), shape), stratified("outputs", |share| output.quantile(share), shape))
        }
        Lengths::Histograms { .. } | Lengths::Pairs(_) => {
            let mut stream = Stream::new(SEED, "lengths", NAME);
            (0..count).map(|_| lengths.draw(&mut stream)).unzip()
        }
    }
}

/// Every quantile once, in an order that is random in each batch; of each group of neighbours every batch gets one.
fn stratified(purpose: &str, quantile: impl Fn(f64) -> u32, (batches, batch): (usize, usize)) -> Vec<u32> {
    let mut stream = Stream::new(SEED, purpose, NAME);
    let count = batches * batch;
    let mut by_batch: Vec<Vec<u32>> = vec![Vec::with_capacity(batch); batches];
    let mut turn: Vec<usize> = (0..batches).collect();
    for group in 0..batch {
        shuffle(&mut turn, &mut stream);
        for (place, &to) in turn.iter().enumerate() {
            let share = ((group * batches + place) as f64 + stream.uniform()) / count as f64;
            by_batch[to].push(quantile(share));
        }
    }
    by_batch.iter_mut().for_each(|lengths| shuffle(lengths, &mut stream));
    by_batch.concat()
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], stream: &mut Stream) {
    for last in (1..items.len()).rev() {
        items.swap(last, stream.below(last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TokenShape;

    #[test]
    fn every_batch_has_its_share_of_every_length() {
        let lengths = Lengths::fitted(&TokenShape { input_mean: 780.0, input_p95: 2400.0, output_mean: 190.0 }, 1.0);
        let requests = Requests::new(&lengths, 1.0, (5, 400)).requests;
        for batch in requests.chunks(400) {
            let long = batch.iter().filter(|r| r.input_tokens > 2400).count();
            assert!((19..=21).contains(&long), "a twentieth of 400: {long}");
        }
        let mean = requests.iter().map(|r| f64::from(r.output_tokens)).sum::<f64>() / 2000.0;
        assert!((mean / 190.0 - 1.0).abs() < 0.01, "{mean}");
        assert!(requests.windows(2).all(|pair| pair[0].at_s <= pair[1].at_s));
        // Prompts and answers are independent, as are neighbours: correlations of 2,000 are within four standard errors.
        let lag = |of: fn(&Request) -> f64, to: fn(&Request) -> f64, by: usize| {
            let pairs: Vec<(f64, f64)> = requests.iter().zip(&requests[by..]).map(|(a, b)| (of(a).ln(), to(b).ln())).collect();
            let n = pairs.len() as f64;
            let (x, y) = pairs.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
            let dot = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>();
            dot(&|p| (p.0 - x) * (p.1 - y)) / (dot(&|p| (p.0 - x).powi(2)) * dot(&|p| (p.1 - y).powi(2))).sqrt()
        };
        let input: fn(&Request) -> f64 = |r| r.input_tokens.into();
        let output: fn(&Request) -> f64 = |r| r.output_tokens.into();
        for found in [lag(input, output, 0), lag(input, input, 1), lag(output, output, 1)] {
            assert!(found.abs() < 4.0 / 2000.0_f64.sqrt(), "{found}");
        }
    }
}
