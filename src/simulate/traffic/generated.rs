//! Requests drawn from a rate series: a renewal process in operational time.
//!
//! Operational time runs at the rate of the series, so that gaps of mean 1 in it are requests at that rate; each gap has
//! the cv2 of the step in which it starts (Gerhardt and Nelson 2009, transforming renewal processes for nonstationary
//! arrivals).

use super::Request;
use super::gaps::{GapShape, Gaps};
use super::lengths::Lengths;
use crate::simulate::random::Stream;
use std::sync::Arc;

/// Demand during one step of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Requests a second.
    pub rate_rps: f64,
    /// Squared coefficient of variation of the gaps: 1 is Poisson.
    pub cv2: f64,
}

/// A rate series, constant in each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Start of the first step, s.
    pub start_s: f64,
    /// Length of a step, s.
    pub step_s: f64,
    /// The steps.
    pub steps: Vec<Step>,
    /// After the last step the first follows; otherwise nothing comes before the first or after the last.
    pub cyclic: bool,
}

impl Series {
    fn step(&self, index: i64) -> Option<&Step> {
        let count = self.steps.len() as i64;
        let inside = if self.cyclic && count > 0 { index.rem_euclid(count) } else { index };
        usize::try_from(inside).ok().and_then(|index| self.steps.get(index))
    }

    fn index_of(&self, at_s: f64) -> i64 {
        ((at_s - self.start_s) / self.step_s).floor() as i64
    }

    fn end_of(&self, index: i64) -> f64 {
        (index + 1) as f64 * self.step_s + self.start_s
    }
}

/// The random numbers of a source: arrivals and lengths apart, so that other lengths leave the arrivals as they are.
#[derive(Clone, Debug)]
pub struct Streams {
    arrivals: Stream,
    lengths: Stream,
}

impl Streams {
    /// The streams of a workload under a seed.
    #[must_use]
    pub fn new(seed: u64, workload: &str) -> Self {
        Self { arrivals: Stream::new(seed, "arrivals", workload), lengths: Stream::new(seed, "lengths", workload) }
    }
}

/// The step that the clock stands in.
#[derive(Clone, Copy, Debug)]
struct Present {
    /// Outside of the series there is no step.
    step: Option<Step>,
    end_s: f64,
    gaps: Gaps,
}

/// Requests of a rate series.
#[derive(Clone, Debug)]
pub struct Generated {
    series: Arc<Series>,
    shape: GapShape,
    lengths: Lengths,
    streams: Streams,
    clock_s: f64,
    index: i64,
    present: Present,
    next_s: Option<f64>,
}

impl Generated {
    /// A source that starts with the series, in equilibrium.
    #[must_use]
    pub fn new(series: Arc<Series>, shape: GapShape, lengths: Lengths, streams: Streams) -> Self {
        let start_s = series.start_s;
        let present = Present { step: None, end_s: start_s, gaps: Gaps::Exponential };
        let mut source = Self { series, shape, lengths, streams, clock_s: start_s, index: 0, present, next_s: None };
        source.skip_to(start_s);
        source
    }

    pub(super) fn next_before(&mut self, before_s: f64) -> Option<Request> {
        let at_s = self.next_s.filter(|&next_s| next_s < before_s)?;
        let (input_tokens, output_tokens) = self.lengths.draw(&mut self.streams.lengths);
        let gap = self.present.gaps.draw(&mut self.streams.arrivals);
        self.next_s = self.walk(gap);
        Some(Request { at_s, input_tokens, output_tokens, class: 0 })
    }

    pub(super) fn skip_to(&mut self, at_s: f64) {
        self.clock_s = if self.series.cyclic { at_s } else { at_s.max(self.series.start_s) };
        self.enter(self.series.index_of(self.clock_s));
        let rest = self.present.gaps.draw_rest(&mut self.streams.arrivals);
        self.next_s = self.walk(rest);
    }

    pub(super) fn expected(&self, from_s: f64, to_s: f64) -> f64 {
        let (mut sum, mut clock_s) = (0.0, if self.series.cyclic { from_s } else { from_s.max(self.series.start_s) });
        let mut index = self.series.index_of(clock_s);
        while clock_s < to_s {
            let Some(step) = self.series.step(index) else { break };
            let end_s = self.series.end_of(index).min(to_s);
            sum += step.rate_rps * (end_s - clock_s).max(0.0);
            clock_s = end_s;
            index += 1;
        }
        sum
    }

    /// The clock comes into a step.
    fn enter(&mut self, index: i64) {
        let step = self.series.step(index).copied();
        let cv2 = |step: Option<Step>| step.map_or(1.0, |step| step.cv2).to_bits();
        if cv2(step) != cv2(self.present.step) {
            self.present.gaps = Gaps::new(self.shape, f64::from_bits(cv2(step)));
        }
        self.index = index;
        self.present = Present { step, end_s: self.series.end_of(index), gaps: self.present.gaps };
    }

    /// Moves the clock on by a span of operational time; `None` when the series ends before, or never comes to it.
    fn walk(&mut self, mut span: f64) -> Option<f64> {
        let mut silent = 0;
        while silent <= self.series.steps.len() {
            let Present { step, end_s, gaps: _ } = self.present;
            let step = step?;
            let room = step.rate_rps * (end_s - self.clock_s).max(0.0);
            if step.rate_rps > 0.0 && span <= room {
                self.clock_s = (self.clock_s + span / step.rate_rps).min(end_s);
                return Some(self.clock_s);
            }
            silent = if step.rate_rps > 0.0 { 0 } else { silent + 1 };
            span -= room;
            self.clock_s = end_s;
            self.enter(self.index + 1);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(steps: &[(f64, f64)], cyclic: bool, shape: GapShape) -> Generated {
        let steps = steps.iter().map(|&(rate_rps, cv2)| Step { rate_rps, cv2 }).collect();
        let series = Series { start_s: 100.0, step_s: 50.0, steps, cyclic };
        Generated::new(Arc::new(series), shape, Lengths::None, Streams::new(11, "test"))
    }

    fn count(source: &mut Generated, before_s: f64) -> usize {
        std::iter::from_fn(|| source.next_before(before_s)).count()
    }

    #[test]
    fn each_step_has_its_rate_and_dispersion() {
        for shape in [GapShape::Gamma, GapShape::Weibull] {
            let mut source = source(&[(20.0, 1.0), (0.0, 1.0), (40.0, 4.0), (5.0, 0.25)], true, shape);
            let mut counts = [(0.0, 0.0); 4];
            let cycles = 4000;
            for cycle in 0..cycles {
                for (k, sums) in counts.iter_mut().enumerate() {
                    let n = count(&mut source, 100.0 + 50.0 * (f64::from(cycle * 4) + k as f64 + 1.0)) as f64;
                    *sums = (sums.0 + n, sums.1 + n * n);
                }
            }
            // A rate's standard error is sqrt(idc/n), below 0.3% here; a variance's about 2.2%, and the first requests
            // of a step still come from the gap before.
            for ((sum, squares), (mean, idc)) in counts.iter().zip([(1000.0, 1.0), (0.0, 0.0), (2000.0, 4.0), (250.0, 0.25)]) {
                let n = f64::from(cycles);
                assert!((sum / n - mean).abs() <= 0.01 * mean, "{shape:?} {} {mean}", sum / n);
                if mean > 0.0 {
                    let found = (squares / n - (sum / n).powi(2)) / (sum / n);
                    assert!((found / idc - 1.0).abs() < if idc < 1.0 { 0.25 } else { 0.12 }, "{shape:?} {found} {idc}");
                }
            }
        }
    }

    #[test]
    fn a_series_ends_and_silence_does_not_hang() {
        let mut once = source(&[(2.0, 1.0), (2.0, 1.0)], false, GapShape::Gamma);
        assert_eq!(count(&mut once, 100.0), 0);
        let all = count(&mut once, f64::INFINITY);
        assert!((140..260).contains(&all), "200 expected: {all}");
        assert_eq!(count(&mut source(&[(0.0, 1.0)], true, GapShape::Gamma), f64::INFINITY), 0);
        assert_eq!(count(&mut source(&[], true, GapShape::Gamma), f64::INFINITY), 0);
    }

    /// Requests after a jump are as many as without it: the process goes on in equilibrium, whatever its cv2.
    #[test]
    fn skipping_keeps_the_rate() {
        let mut source = source(&[(1.0, 16.0)], true, GapShape::Gamma);
        let (mut seen, windows) = (0, 40_000);
        for k in 0..windows {
            let start = 1000.0 + 50.0 * f64::from(k);
            source.skip_to(start);
            seen += count(&mut source, start + 5.0);
        }
        // 5 expected a window, dispersion up to 16: standard error sqrt(16 x 5 / 40,000) = 0.045.
        let mean = seen as f64 / f64::from(windows);
        assert!((mean - 5.0).abs() < 0.2, "{mean}");
        assert!((source.expected(0.0, 7.5) - 7.5).abs() < 1e-9);
    }
}
