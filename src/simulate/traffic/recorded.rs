//! Requests of a recording that is too long to hold: read again from the start by each run, one at a time.

use super::Request;
use std::fmt;
use std::sync::Arc;

/// A recording in order of time that can be read any number of times, always the same.
pub trait Recording: Send + Sync + fmt::Debug {
    /// Requests from the first on.
    fn open(&self) -> Box<dyn Iterator<Item = Request> + Send>;
}

impl Recording for Vec<Request> {
    fn open(&self) -> Box<dyn Iterator<Item = Request> + Send> {
        Box::new(self.clone().into_iter())
    }
}

/// A place in a recording.
pub struct Recorded {
    recording: Arc<dyn Recording>,
    rest: Box<dyn Iterator<Item = Request> + Send>,
    /// Next request, already read.
    next: Option<Request>,
    /// Requests read, the next one included.
    read: usize,
}

impl Recorded {
    /// At the first request.
    #[must_use]
    pub fn new(recording: Arc<dyn Recording>) -> Self {
        let mut rest = recording.open();
        let next = rest.next();
        Self { recording, rest, read: usize::from(next.is_some()), next }
    }

    /// The next request, if it comes before `before_s`.
    pub fn next_before(&mut self, before_s: f64) -> Option<Request> {
        let request = self.next.filter(|request| request.at_s < before_s)?;
        self.next = self.rest.next();
        self.read += usize::from(self.next.is_some());
        Some(request)
    }

    /// Leaves out everything before `at_s`.
    pub fn skip_to(&mut self, at_s: f64) {
        while self.next_before(at_s).is_some() {}
    }

    /// Requests in `[from_s, to_s)`, counted by reading them.
    #[must_use]
    pub fn expected(&self, from_s: f64, to_s: f64) -> f64 {
        let within = self.recording.open().skip_while(|r| r.at_s < from_s).take_while(|r| r.at_s < to_s);
        within.count() as f64
    }
}

impl Clone for Recorded {
    fn clone(&self) -> Self {
        let mut rest = self.recording.open();
        for _ in 0..self.read {
            rest.next();
        }
        Self { recording: Arc::clone(&self.recording), rest, next: self.next, read: self.read }
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").field("next", &self.next).field("read", &self.read).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_s: f64) -> Request {
        Request { at_s, input_tokens: 1, output_tokens: 2, class: 0 }
    }

    #[test]
    fn a_recording_comes_in_order_can_be_skipped_counted_and_copied() {
        let mut place = Recorded::new(Arc::new(vec![at(0.0), at(1.0), at(1.0), at(5.0), at(6.0)]));
        assert!((place.expected(0.5, 5.5) - 3.0).abs() < 1e-12);
        assert_eq!(place.next_before(0.0), None);
        assert_eq!(place.next_before(0.5), Some(at(0.0)));
        place.skip_to(1.5);
        let mut copy = place.clone();
        for place in [&mut place, &mut copy] {
            assert_eq!(place.next_before(5.5), Some(at(5.0)));
            assert_eq!(place.next_before(5.5), None);
            assert_eq!(place.next_before(f64::INFINITY), Some(at(6.0)));
            assert_eq!(place.next_before(f64::INFINITY), None);
        }
    }
}
