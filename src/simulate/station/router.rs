//! Which replica a request goes to.

use crate::simulate::random::Stream;

/// Replicas that get requests, by index, with their weights.
#[derive(Clone, Debug)]
pub struct Router {
    stream: Stream,
    ready: Vec<usize>,
    weights: Vec<f64>,
    running_sums: Vec<f64>,
    even: bool,
    turn: usize,
}

impl Router {
    /// Without replicas.
    pub fn new(stream: Stream) -> Self {
        Self { stream, ready: Vec::new(), weights: Vec::new(), running_sums: Vec::new(), even: true, turn: 0 }
    }

    /// Sets the replicas and their weights. Without a positive weight all count the same.
    pub fn set(&mut self, replicas: impl Iterator<Item = (usize, f64)>) {
        self.ready.clear();
        self.weights.clear();
        for (index, weight) in replicas {
            self.ready.push(index);
            self.weights.push(weight.max(0.0));
        }
        // The turn is a position: with fewer replicas it may lie beyond them.
        self.turn = if self.turn < self.ready.len() { self.turn } else { 0 };
        let first = self.weights.first().copied().unwrap_or(1.0);
        self.even = self.weights.iter().all(|weight| weight.total_cmp(&first).is_eq());
        self.running_sums.clear();
        let mut sum = 0.0;
        for weight in &self.weights {
            sum += weight;
            self.running_sums.push(sum);
        }
    }

    /// Replicas that get requests.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// One at random, in proportion to the weights.
    pub fn draw(&mut self) -> Option<usize> {
        let position = if self.even { self.stream.below(self.ready.len()) } else { self.stream.weighted(&self.running_sums) };
        self.ready.get(position).copied()
    }

    /// The one with the fewest requests per weight, as `in_flight` says; the first after the last choice, if several.
    pub fn least(&mut self, mut in_flight: impl FnMut(usize) -> u32) -> Option<usize> {
        let count = self.ready.len();
        let mut best: Option<(f64, usize)> = None;
        for step in 0..count {
            let position = if self.turn + step < count { self.turn + step } else { self.turn + step - count };
            let requests = f64::from(in_flight(self.ready[position]));
            // One more than there are, so that of two empty replicas the heavier is taken.
            let score = if self.even { requests } else { (requests + 1.0) / self.weights[position] };
            if best.is_none_or(|(lowest, _)| score < lowest) {
                best = Some((score, position));
            }
        }
        let (_, position) = best?;
        self.turn = if position + 1 < count { position + 1 } else { 0 };
        Some(self.ready[position])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_survives_fewer_replicas() {
        let mut router = Router::new(Stream::new(1, "routing", "test"));
        router.set([(0, 1.0), (1, 1.0), (2, 1.0)].into_iter());
        assert_eq!([0, 1].map(|_| router.least(|_| 0)), [Some(0), Some(1)]);
        router.set([(0, 1.0)].into_iter());
        assert_eq!(router.least(|_| 0), Some(0));
        router.set(std::iter::empty());
        assert_eq!(router.least(|_| 0), None);
    }
}
