//! One simulation: a constant number of replicas at a constant rate, in its steady state.

use super::Question;
use super::requests::{NAME, Requests, SEED};
use crate::domain::ColdRequests;
use crate::simulate::station::{NewReplica, Setup, Station};
use crate::simulate::statistics;
use crate::simulate::tally::{Outcome, Tally};

/// Batches whose spread gives the confidence: 20, as is usual for batch means (Law, Simulation Modeling and Analysis, 9.5.3).
const BATCHES: usize = 20;
/// Batches before the first that counts: the station fills.
const WARM_UP: usize = 2;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// Replicas.
    pub replicas: u32,
    /// Requests a second, all replicas together.
    pub rate_rps: f64,
    /// The requests.
    pub requests: &'a Requests,
}

/// Requests of which so many count, about.
#[must_use]
pub fn requests(question: &Question, count: f64) -> Requests {
    let batch = (count / BATCHES as f64).ceil().max(1.0) as usize;
    Requests::new(&question.lengths, question.cv2, (WARM_UP + BATCHES, batch))
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
pub fn play(question: &Question, load: &Load<'_>) -> Run {
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
            classes: Vec::new(),
        },
        0.0,
    );
    for id in 0..u64::from(load.replicas) {
        station.add_replica(NewReplica { id, model: 0, weight: 1.0 }, 0.0, &mut tally);
    }
    let Load { replicas: _, rate_rps, requests } = *load;
    let mut source = requests.at(rate_rps);
    station.advance(requests.end_s(WARM_UP, rate_rps), &mut source, &mut tally);
    let may_miss = (1.0 - question.percentile) * (BATCHES * requests.batch()) as f64;
    let mut before = ended(&tally);
    let mut batches: Vec<(f64, f64)> = Vec::with_capacity(BATCHES);
    let mut missed = 0.0;
    for batch in 1..=BATCHES {
        station.advance(requests.end_s(WARM_UP + batch, rate_rps), &mut source, &mut tally);
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
