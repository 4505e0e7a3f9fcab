//! Capacity by simulation: the rate that n replicas sustain within the objective at the planning percentile.
//!
//! In: a [`Question`], which holds all that the answer depends on. Out: an [`Answer`], rates by count of replicas. For each
//! count the largest rate is searched at which the share of requests that meet their limits, in the steady state of the
//! replay's own station, is the planning percentile: once for the share itself, once for the lower end of its 95% interval
//! (means of 20 batches, Student's t), which is what is planned on. Every look at a rate uses the same random numbers.
//!
//! A replica's rate rises with the count, since more replicas pool more; where noise says otherwise, the smaller counts are
//! taken down to the larger (the lower envelope). Nothing else is smoothed.

mod requests;
mod run;
mod search;

use crate::domain::{OperatingPoint, Performance, Routing, Service};
use crate::simulate::replica::llm::pass_tokens;
use crate::simulate::replica::{Engine, Law, Model, Stepping};
use crate::simulate::tally::Limits;
use crate::simulate::traffic::Lengths;
use crate::simulate::traffic::lengths::OUTPUT_CV;
use requests::Requests;
use run::{Load, Run};
use search::Range;
use std::sync::Arc;

/// How tables are made, in words, for the file that holds them.
pub const METHOD: &str = "edge search on the replay's station in its steady state; lower end of the 95% interval of 20 batch means";

/// Counts that are simulated.
pub const GRID: [u32; 12] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/// A table ends at the first count that carries this many times the highest load: demand may double before it is too short.
pub const ROOM: f64 = 2.0;

/// Misses that a run at the edge sees: 1,600 of them are known to 2.5%, to about 8% when they come in clumps of ten, which is
/// 1% in the rate where queueing makes them, and more where long prompts do.
const MISSES: f64 = 1600.0;
/// Fewest requests of a run.
const FEWEST_REQUESTS: f64 = 40_000.0;
/// Lives of a lone request that a run lasts at least, whole and coarse: under load a request lives up to twice as long, so that
/// a batch is some of its lives and batches know little of each other.
const LIVES: (f64, f64) = (100.0, 40.0);
/// A first search looks at runs this much shorter.
const COARSE: f64 = 0.125;
/// Relative width of the brackets, coarse and fine.
const TOLERANCES: (f64, f64) = (0.02, 0.005);
/// Share of the stable rate below which a replica is taken to attain nothing: its requests are alone but for their clumps.
const FLOOR: f64 = 0.01;
/// Multiple of the stable rate beyond which nothing is looked for.
const CEILING: f64 = 1.5;
/// First look at one replica, as a share of the stable rate.
const GUESS: f64 = 0.6;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// What a replica runs.
    pub model: Model,
    /// Token lengths.
    pub lengths: Lengths,
    /// Squared coefficient of variation of the gaps between requests, which are Gamma.
    pub cv2: f64,
    /// Routing.
    pub routing: Routing,
    /// Limits that a request must meet.
    pub limits: Limits,
    /// Share of the requests that must meet them.
    pub percentile: f64,
    /// Shortest timeout on a request's way, s.
    pub timeout_s: f64,
    /// Requests a second that one replica completes when it is always busy, about: where the search begins.
    pub stable_rps: f64,
}

/// Up to which count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The table ends at the first count that carries this rate.
    pub load_rps: f64,
    /// And not beyond this one.
    pub max_replicas: u32,
}

/// What one count sustains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sustained {
    /// Replicas.
    pub replicas: u32,
    /// Requests a second at which the attainment is the percentile.
    pub rps: f64,
    /// At which its lower bound is.
    pub rps_low: f64,
}

impl Sustained {
    /// What so many times the replicas sustain that are independent of each other.
    fn times(&self, count: u32) -> Self {
        let Self { replicas, rps, rps_low } = *self;
        Self { replicas: replicas * count, rps: rps * f64::from(count), rps_low: rps_low * f64::from(count) }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// By count, ascending from 1.
    pub points: Vec<Sustained>,
    /// Why one replica attains nothing, if so.
    pub reason: Option<String>,
}

impl Question {
    /// That of a service on an operating point; `None` for a job's, or an LLM's without token lengths.
    #[must_use]
    pub fn of(service: &Service, point: &OperatingPoint, stable_rps: f64) -> Option<Self> {
        let (model, lengths) = match &point.performance {
            Performance::Llm(model) => {
                let engine = Engine::new(model, pass_tokens(point.accelerator.as_str()), Stepping::Fast);
                let pairs = &service.demand.traffic.lengths;
                let fitted = Lengths::fitted(service.demand.tokens.as_ref()?, OUTPUT_CV);
                (Model::Llm(Arc::new(engine)), if pairs.is_empty() { fitted } else { Lengths::Pairs(Arc::from(pairs.as_slice())) })
            }
            Performance::Request { knots } => (Model::Server(Arc::new(Law::curve(knots))), Lengths::None),
            Performance::Job { .. } => return None,
        };
        Some(Self {
            model,
            lengths,
            cv2: service.demand.burst.planned_cv2(),
            routing: service.scaling.routing,
            limits: Limits::of(&service.slo),
            percentile: service.slo.planning_percentile(),
            timeout_s: service.scaling.request_timeout.0,
            stable_rps,
        })
    }
}

impl Question {
    /// Requests of a run: how long its answer takes, beside others.
    #[must_use]
    pub fn effort(&self) -> f64 {
        requests(self)
    }
}

/// The table. Two things are known without playing them: what requests miss that are quite alone is missed by any count, and
/// a Poisson stream that is split at random is as many Poisson streams, so that one replica tells of all.
#[must_use]
pub fn answer(question: &Question, reach: &Reach) -> Answer {
    let alone = alone(question);
    if alone.attainment < question.percentile {
        let points = counts(reach).map(|replicas| Sustained { replicas, rps: 0.0, rps_low: 0.0 }).collect();
        return Answer { points, reason: Some(format!("requests that are alone: {}", why(question, &alone))) };
    }
    let life_s = alone.tally.latency.mean_s().unwrap_or(1.0 / question.stable_rps);
    let splits = question.routing == Routing::Random && (question.cv2 - 1.0).abs() < 1e-9;
    let mut points: Vec<Sustained> = Vec::new();
    let mut guess = GUESS * question.stable_rps;
    for replicas in counts(reach) {
        let found = match points.first() {
            Some(one) if splits => one.times(replicas),
            Some(_) | None => Count::new((question, replicas), life_s).sustained(guess),
        };
        if found.rps > 0.0 {
            guess = found.rps / f64::from(replicas);
        }
        points.push(found);
        if found.rps_low >= reach.load_rps {
            break;
        }
    }
    let nothing = points.first().is_some_and(|one| one.rps_low <= 0.0);
    let reason = nothing.then(|| format!("at {:.0}% of the stable rate: {}", 100.0 * FLOOR, why(question, &lowest(question))));
    Answer { points: envelope(points), reason }
}

/// Counts that a table may have.
fn counts(reach: &Reach) -> impl Iterator<Item = u32> {
    let most = reach.max_replicas.max(1);
    GRID.into_iter().take_while(move |&n| n <= most)
}

/// A replica's rate never falls with the count: smaller counts are taken down to what larger ones reach.
fn envelope(mut points: Vec<Sustained>) -> Vec<Sustained> {
    let (mut most, mut most_low) = (f64::INFINITY, f64::INFINITY);
    for point in points.iter_mut().rev() {
        let n = f64::from(point.replicas);
        (most, most_low) = (most.min(point.rps / n), most_low.min(point.rps_low / n));
        (point.rps, point.rps_low) = (most * n, most_low * n);
    }
    points
}

/// A count of replicas to be looked at.
struct Count<'a> {
    question: &'a Question,
    replicas: u32,
    /// Requests of a first search, and of an answer.
    coarse: Requests,
    full: Requests,
}

impl<'a> Count<'a> {
    /// With the mean time that a lone request is in the system, s. How many requests a run has does not depend on the rate, so
    /// that every rate meets the same ones.
    fn new((question, replicas): (&'a Question, u32), life_s: f64) -> Self {
        let in_flight = life_s * GUESS * question.stable_rps * f64::from(replicas);
        let of = |share: f64, lives: f64| run::requests(question, (requests(question) * share).max(lives * in_flight));
        Self { question, replicas, coarse: of(COARSE, LIVES.1), full: of(1.0, LIVES.0) }
    }

    /// Rates that it sustains, with a guess at that of a replica.
    fn sustained(&self, guess: f64) -> Sustained {
        let (stable, n) = (self.question.stable_rps, f64::from(self.replicas));
        let (floor, ceiling) = (FLOOR * stable, CEILING * stable);
        let coarse = Range { guess, floor, ceiling, tolerance: TOLERANCES.0 };
        let none = Sustained { replicas: self.replicas, rps: 0.0, rps_low: 0.0 };
        let Some(near) = search::edge(&coarse, |each| self.excess(&self.play(each, &self.coarse)).0) else { return none };
        let mut looks: Vec<(f64, (f64, f64))> = Vec::new();
        let mut look = |each: f64| {
            let excess = self.excess(&self.play(each, &self.full));
            looks.push((each, excess));
            excess
        };
        let fine = Range { guess: near, tolerance: TOLERANCES.1, ..coarse };
        let Some(low) = search::edge(&fine, |each| look(each).1) else { return none };
        // What those looks say of the share itself.
        let kept = looks.iter().filter(|look| look.1.0 <= 0.0).map(|look| (look.0, look.1.0)).max_by(|a, b| a.0.total_cmp(&b.0));
        let broken = looks.iter().filter(|look| look.1.0 > 0.0).map(|look| (look.0, look.1.0)).min_by(|a, b| a.0.total_cmp(&b.0));
        let again = |each: f64| self.excess(&self.play(each, &self.full)).0;
        let mean = match (kept, broken) {
            (Some(kept), Some(broken)) if kept.0 < broken.0 => search::close((kept, broken), TOLERANCES.1, again),
            _ => search::edge(&Range { guess: low * (1.0 + TOLERANCES.1), ..fine }, again).unwrap_or(low),
        };
        Sustained { replicas: self.replicas, rps: mean.max(low) * n, rps_low: low * n }
    }

    /// A run at a rate a replica.
    fn play(&self, each_rps: f64, requests: &Requests) -> Run {
        run::play(self.question, &Load { replicas: self.replicas, rate_rps: each_rps * f64::from(self.replicas), requests })
    }

    /// Logarithm of what a run missed over what it may miss: for the share of misses, and for its upper bound.
    fn excess(&self, run: &Run) -> (f64, f64) {
        let may = 1.0 - self.question.percentile;
        // Half a miss in place of none.
        let least = 0.5 / requests(self.question);
        let of = |attainment: f64| ((1.0 - attainment).max(least) / may).ln();
        (of(run.attainment), of(run.low))
    }
}

/// Requests of a run for which time is no matter: clumps of requests miss together, so that burstier ones need more.
fn requests(question: &Question) -> f64 {
    (MISSES / (1.0 - question.percentile) * question.cv2.max(1.0).sqrt()).max(FEWEST_REQUESTS)
}

/// One replica with requests so far apart that they do not meet.
fn alone(question: &Question) -> Run {
    lowest(&Question { cv2: 0.0, ..question.clone() })
}

/// One replica at the lowest rate. Not cut short: the percentile has misses enough.
fn lowest(question: &Question) -> Run {
    let requests = run::requests(question, requests(question).min(4.0 * FEWEST_REQUESTS));
    run::play(question, &Load { replicas: 1, rate_rps: FLOOR * question.stable_rps, requests: &requests })
}

/// What is missed at the percentile.
fn why(question: &Question, run: &Run) -> String {
    let Limits { ttft_s, tpot_s, latency_s } = question.limits;
    let tally = &run.tally;
    let limits = [("first token", &tally.ttft, ttft_s), ("a token", &tally.tpot, tpot_s), ("a request", &tally.latency, latency_s)];
    let missed = limits.into_iter().filter(|(_, _, limit)| limit.is_finite()).filter_map(|(name, spans, limit)| {
        let found = spans.quantile_s(question.percentile)?;
        (found > limit).then(|| format!("{name} takes {:.0} ms, {:.0} are allowed", found * 1000.0, limit * 1000.0))
    });
    let missed: Vec<String> = missed.collect();
    let share = format!("{:.2}% meet all limits, {:.2}% must", 100.0 * run.attainment, 100.0 * question.percentile);
    if missed.is_empty() { share } else { format!("{share}; at that percentile {}", missed.join(", ")) }
}

#[cfg(test)]
mod tests;
