//! Time-sampled request servers: at high rates a queue forgets within a fraction of a second, so that part of each
//! slice of time tells as much as all of it.
//!
//! The span to be left out is taken out of time: what is in flight before it is in flight after it, as old as it was. In
//! a steady state that changes no distribution (the state before the span has the law of the state after it), and the
//! requests of the part that is simulated stand for all of the slice. Where the state is not steady everything is
//! simulated: after a replica came or went, while one drains or there is none, and when the demand comes near the
//! capacity or a backlog is being worked off.

use super::Station;
use crate::simulate::replica::Replica;
use crate::simulate::tally::Tally;
use crate::simulate::traffic::Source;

/// How time is sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Requests a second above which time is sampled.
    pub above_rps: f64,
    /// Share of the time that is simulated.
    pub share: f64,
    /// A slice of time, s.
    pub slice_s: f64,
}

impl Default for Sampling {
    /// A fifth of the time above 50 requests/s, in slices of 15 s (the HPA's period): 150 requests a sample at least.
    fn default() -> Self {
        Self { above_rps: 50.0, share: 0.2, slice_s: 15.0 }
    }
}

/// Utilization above which everything is simulated: beyond it a queue remembers for longer than a sample lasts.
const BUSY: f64 = 0.9;

/// Everything is simulated for so long after a replica came or went, s.
const SETTLING_S: f64 = 15.0;

/// Longest backlog, as time to serve it at the present rate, at which time is sampled, s.
const BACKLOG_S: f64 = 1.0;

/// The share at the threshold is cut to a tenth of it at most: a sample stays long beside what a request takes.
const LEAST_SHARE: f64 = 0.1;

impl Station {
    /// `advance` with parts of the time left out.
    pub(super) fn sample(&mut self, to_s: f64, source: &mut Source, tally: &mut Tally) {
        while let Some(sampling) = self.setup.sampling
            && self.now_s < to_s
        {
            let (from_s, until_s) = (self.now_s, to_s.min(self.now_s + sampling.slice_s));
            let all = source.expected(from_s, until_s);
            // As many requests in each slice as the share takes at the threshold: at ten times the rate a tenth of the time holds them.
            let share = sampling.share * (sampling.above_rps * (until_s - from_s) / all.max(f64::MIN_POSITIVE)).clamp(LEAST_SHARE, 1.0);
            let skip_s = (until_s - from_s) * (1.0 - share);
            let sampled = source.expected(from_s + skip_s, until_s);
            if all > sampling.above_rps * (until_s - from_s) && sampled > 0.0 && self.is_steady(all / (until_s - from_s)) {
                self.leave_out(skip_s, tally);
                source.skip_to(self.now_s);
                tally.sample(self.now_s, all / sampled);
            } else {
                tally.sample(self.now_s, 1.0);
            }
            self.simulate(until_s, source, tally);
        }
    }

    fn is_steady(&self, rate_rps: f64) -> bool {
        let mut capacity_rps = 0.0;
        for member in &self.members {
            match &member.replica {
                Replica::Server(server) if member.drains_until_s.is_none() => capacity_rps += server.capacity_rps(),
                Replica::Server(_) | Replica::Llm(_) | Replica::Shared(_) => return false,
            }
        }
        let backlog = self.members.iter().map(|member| member.replica.waiting(self.now_s)).sum::<u32>();
        self.held.is_empty()
            && rate_rps < BUSY * capacity_rps
            && f64::from(backlog) < BACKLOG_S * rate_rps
            && self.now_s >= self.changed_s + SETTLING_S
    }

    fn leave_out(&mut self, span_s: f64, tally: &mut Tally) {
        for (member, next_s) in self.members.iter_mut().zip(&mut self.next_s) {
            if let Replica::Server(server) = &mut member.replica {
                server.shift(span_s);
            }
            *next_s = member.replica.next_s();
        }
        self.doors.iter_mut().for_each(|door| door.shift(span_s));
        self.now_s += span_s;
        tally.shift(span_s);
    }
}
