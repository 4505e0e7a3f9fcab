//! Where requests come from: a rate series with its burstiness, or a trace. Requests come in order of time, one after
//! the other, and the memory taken does not grow with their number.

pub mod gaps;
pub mod generated;
pub mod lengths;
pub mod merged;
pub mod recorded;

pub use gaps::GapShape;
pub use generated::{Generated, Series, Step, Streams};
pub use lengths::{Histogram, Lengths, LogNormal};
pub use merged::Merged;
pub use recorded::{Recorded, Recording};

use std::sync::Arc;

/// One request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Request {
    /// Arrival, s since the anchor Monday 00:00 UTC.
    pub at_s: f64,
    /// Prompt tokens; 0 for a request server.
    pub input_tokens: u32,
    /// Answer tokens; 0 for a request server.
    pub output_tokens: u32,
    /// Which member of a shared server it is for; 0 everywhere else.
    pub class: u16,
}

/// A source of requests.
#[derive(Clone, Debug)]
pub enum Source {
    /// Drawn from a rate series.
    Generated(Generated),
    /// A trace in memory.
    Trace(Trace),
    /// A trace that is read as it is played.
    Recorded(Recorded),
    /// Several, for the members of a shared server.
    Merged(Merged),
}

impl Source {
    /// The next request, if it comes before `before_s`.
    pub fn next_before(&mut self, before_s: f64) -> Option<Request> {
        match self {
            Self::Generated(generated) => generated.next_before(before_s),
            Self::Trace(trace) => trace.next_before(before_s),
            Self::Recorded(recorded) => recorded.next_before(before_s),
            Self::Merged(merged) => merged.next_before(before_s),
        }
    }

    /// Leaves out everything before `at_s` without drawing it. A generated stream goes on in equilibrium: the wait for
    /// its next request is the rest of a gap, seen at a moment chosen at random.
    pub fn skip_to(&mut self, at_s: f64) {
        match self {
            Self::Generated(generated) => generated.skip_to(at_s),
            Self::Trace(trace) => trace.skip_to(at_s),
            Self::Recorded(recorded) => recorded.skip_to(at_s),
            Self::Merged(merged) => merged.skip_to(at_s),
        }
    }

    /// Requests expected in `[from_s, to_s)`: the integral of the rate, or the trace's count.
    #[must_use]
    pub fn expected(&self, from_s: f64, to_s: f64) -> f64 {
        match self {
            Self::Generated(generated) => generated.expected(from_s, to_s),
            Self::Trace(trace) => trace.expected(from_s, to_s),
            Self::Recorded(recorded) => recorded.expected(from_s, to_s),
            Self::Merged(merged) => merged.expected(from_s, to_s),
        }
    }
}

/// Requests in memory, shared between runs.
#[derive(Clone, Debug)]
pub struct Trace {
    requests: Arc<[Request]>,
    next: usize,
    shift_s: f64,
}

impl Trace {
    /// A trace in order of time (the reader has checked it), moved by `shift_s`.
    #[must_use]
    pub fn new(requests: Arc<[Request]>, shift_s: f64) -> Self {
        Self { requests, next: 0, shift_s }
    }

    fn next_before(&mut self, before_s: f64) -> Option<Request> {
        let request = self.requests.get(self.next)?;
        let at_s = request.at_s + self.shift_s;
        if at_s >= before_s {
            return None;
        }
        self.next += 1;
        Some(Request { at_s, ..*request })
    }

    fn skip_to(&mut self, at_s: f64) {
        self.next = self.next.max(self.index_of(at_s));
    }

    fn expected(&self, from_s: f64, to_s: f64) -> f64 {
        self.index_of(to_s).saturating_sub(self.index_of(from_s)) as f64
    }

    fn index_of(&self, at_s: f64) -> usize {
        self.requests.partition_point(|request| request.at_s + self.shift_s < at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_s: f64) -> Request {
        Request { at_s, input_tokens: 1, output_tokens: 2, class: 0 }
    }

    #[test]
    fn a_trace_comes_in_order_and_can_be_skipped() {
        let mut source = Source::Trace(Trace::new(Arc::from([at(0.0), at(1.0), at(1.0), at(5.0)]), 100.0));
        assert!((source.expected(100.0, 101.5) - 3.0).abs() < 1e-12);
        assert_eq!(source.next_before(100.0), None);
        assert_eq!(source.next_before(100.5), Some(at(100.0)));
        source.skip_to(101.5);
        assert_eq!(source.next_before(f64::INFINITY), Some(at(105.0)));
        assert_eq!(source.next_before(f64::INFINITY), None);
    }
}
