//! One simulation: a constant number of replicas at a constant rate, in its steady state.

use super::Question;
use crate::domain::ColdRequests;
use crate::simulate::station::{NewReplica, Setup, Station};
use crate::simulate::statistics;
use crate::simulate::tally::{Outcome, Tally};
use crate::simulate::traffic::{GapShape, Generated, Series, Source, Step, Streams};
use std::sync::Arc;

/// Seed and name of all random streams: the same for every rate, count and service, so that answers depend on the question
/// alone and differ for its sake.
const SEED: u64 = 20_260_112;
const NAME: &str = "calibrate";

/// Batches whose spread gives the confidence: 20, as is usual for batch means (Law, Simulation Modeling and Analysis, 9.5.3).
const BATCHES: u32 = 20;
/// Requests before the first batch, in batches.
const WARM_UP: f64 = 2.0;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Replicas.
    pub replicas: u32,
    /// Requests a second, all replicas together.
    pub rate_rps: f64,
    /// Requests that count.
    pub requests: f64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// Attainment in the steady state.
    pub attainment: f64,
    /// Lower end of its 95% interval.
    pub low: f64,
    /// All that was counted, warm-up included.
    pub tally: Tally,
}

/// Plays a load. Ends early once more requests have missed than may miss in all batches: the promise is broken then, whatever
/// the rest brings.
#[must_use]
pub fn play(question: &Question, load: &Load) -> Run {
    let mut tally = Tally::new(question.limits);
    let mut station = Station::new(
        Setup {
            name: NAME.to_owned(),
            seed: SEED,
            models: vec![question.model.clone()],
            routing: question.routing,
            cold: ColdRequests::Reject,
            timeout_s: question.timeout_s,
            reroute_waiting: false,
            sampling: None,
        },
        0.0,
    );
    for id in 0..u64::from(load.replicas) {
        station.add_replica(NewReplica { id, model: 0, weight: 1.0 }, 0.0, &mut tally);
    }
    let mut source = source(question, load.rate_rps);
    let batch_s = load.requests / f64::from(BATCHES) / load.rate_rps;
    station.advance(WARM_UP * batch_s, &mut source, &mut tally);
    let may_miss = (1.0 - question.percentile) * load.requests;
    let mut before = ended(&tally);
    let mut batches: Vec<(f64, f64)> = Vec::with_capacity(BATCHES as usize);
    let mut missed = 0.0;
    for batch in 1..=BATCHES {
        station.advance((WARM_UP + f64::from(batch)) * batch_s, &mut source, &mut tally);
        let now = ended(&tally);
        batches.push((now.0 - before.0, now.1 - before.1));
        missed += (now.1 - before.1) - (now.0 - before.0);
        before = now;
        if missed > may_miss {
            break;
        }
    }
    let found = statistics::ratio(&batches);
    Run { attainment: found.mean, low: found.low, tally }
}

/// Requests that met their limits, and all that have ended. Counted where they end: in the steady state as many end in a
/// span as come, and none is left over at the end.
fn ended(tally: &Tally) -> (f64, f64) {
    let ends = Outcome::ALL.iter().filter(|outcome| **outcome != Outcome::InFlight);
    (tally.met.weighted, ends.map(|outcome| tally.ended(*outcome).weighted).sum())
}

/// Requests at a constant rate: gaps and lengths are the same for every rate, only the clock runs faster.
fn source(question: &Question, rate_rps: f64) -> Source {
    // One step that is longer than any run; its length leaves the requests as they are.
    let series = Series { start_s: 0.0, step_s: 1e9, steps: vec![Step { rate_rps, cv2: question.cv2 }], cyclic: true };
    let streams = Streams::new(SEED, NAME);
    Source::Generated(Generated::new(Arc::new(series), GapShape::Gamma, question.lengths.clone(), streams))
}
