//! Capacity of n replicas of a service on one operating point, at the planning percentile of its SLO.

use crate::domain::{CapacityTable, Knot, LlmModel, Mode, OperatingPoint, Performance, Service, TokenShape};
use crate::sizing::latency;
use crate::sizing::pooling;
use crate::sizing::queueing::{self, MAX_UTILIZATION};

/// More replicas than this are taken for a fault of the input.
pub const MAX_REPLICAS: u32 = 512;

/// TTFT under load is at least this much longer than a bare prefill.
const TTFT_OVER_PREFILL: f64 = 1.7;

/// Largest server count the Erlang recursion is run for.
const MAX_SERVERS: f64 = 20_000.0;

/// What a service gets from n replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// Requests a second within the SLO; index 0 is one replica. Ends where no plan has more: see [`of`].
    pub rps: Vec<f64>,
    /// Rate that one replica survives without falling behind, requests a second.
    pub stable_rps: f64,
    /// Requests in flight on one replica that is asked for `rps[0]`-like rates: see [`Capacity::in_flight`].
    model: InFlight,
}

#[derive(Clone, Debug, PartialEq)]
enum InFlight {
    Llm { model: LlmModel, tokens: TokenShape },
    Request { service_s: f64 },
}

impl Capacity {
    /// Of a mix of served models in one server: the mix's own rates; nothing scales it by load.
    #[must_use]
    pub fn of_mix(rps: Vec<f64>) -> Self {
        let stable_rps = rps.first().copied().unwrap_or(0.0);
        Self { rps, stable_rps, model: InFlight::Request { service_s: 0.0 } }
    }

    /// Fewest replicas that carry `load`; `None` when no table entry does.
    #[must_use]
    pub fn need(&self, load: f64) -> Option<u32> {
        let index = self.rps.partition_point(|&rps| rps < load);
        (index < self.rps.len()).then(|| index as u32 + 1)
    }

    /// Rate of `replicas` replicas; 0 for none. Beyond the table the last entry's rate a replica holds.
    #[must_use]
    pub fn at(&self, replicas: u32) -> f64 {
        match (replicas as usize, self.rps.len()) {
            (0, _) | (_, 0) => 0.0,
            (n, len) if n <= len => self.rps[n - 1],
            (n, len) => self.rps[len - 1] * n as f64 / len as f64,
        }
    }

    /// Rate that each of the fewest replicas from `least` on carries: of fewer a calibrated table may say that they attain
    /// nothing.
    #[must_use]
    pub fn per_replica(&self, least: u32) -> f64 {
        let first = self.rps.iter().position(|&rps| rps > 0.0).map_or(1, |index| index as u32 + 1);
        let n = least.max(first);
        self.at(n) / f64::from(n)
    }

    /// Requests in flight on one replica at `rps` requests a second, as measured: the derate is not taken off, so that a
    /// replica that does no better than its derated figure is relieved early rather than late.
    #[must_use]
    pub fn in_flight(&self, rps: f64) -> f64 {
        match &self.model {
            InFlight::Llm { model, tokens } => latency::in_flight(model, tokens, rps),
            InFlight::Request { service_s } => rps * service_s,
        }
    }
}

/// Why an operating point cannot serve within the SLO.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfit {
    /// Time to first token: the floor that the prefill alone sets, ms.
    Ttft(f64),
    /// Time per output token of a single request, ms.
    Tpot(f64),
    /// Whole request, ms.
    Latency(f64),
    /// The KV cache holds not even one request.
    Memory,
    /// Token lengths are missing for an LLM.
    NoTokens,
    /// More than [`MAX_REPLICAS`] replicas.
    TooMany,
    /// The calibrated table has no count of replicas that attains the objective, at any rate.
    Unattained,
    /// The operating point is of another kind than the workload.
    WrongKind,
}

/// What the closed form says of a service on an operating point, before the derate.
pub struct ClosedForm<'a> {
    rate: Box<dyn Fn(u32) -> f64 + 'a>,
    stable_rps: f64,
    model: InFlight,
}

impl ClosedForm<'_> {
    /// Requests a second that `replicas` replicas sustain at the planning percentile.
    #[must_use]
    pub fn rate(&self, replicas: u32) -> f64 {
        (self.rate)(replicas)
    }

    /// Requests a second that one replica completes when it is always busy.
    #[must_use]
    pub fn saturation_rps(&self) -> f64 {
        self.stable_rps
    }
}

/// The closed form.
///
/// # Errors
/// Why the operating point cannot serve within the SLO.
pub fn closed_form<'a>(service: &'a Service, point: &'a OperatingPoint) -> Result<ClosedForm<'a>, Unfit> {
    match &point.performance {
        Performance::Llm(model) => {
            let tokens = service.demand.tokens.ok_or(Unfit::NoTokens)?;
            let peak = llm_rate_within_slo(service, model, &tokens)?;
            let stable = (1..=latency::max_batch(model, &tokens)).map(|b| latency::rate(model, &tokens, f64::from(b))).fold(0.0, f64::max);
            let factor = pooling::percentile_factor(service.slo.planning_percentile()) * peak;
            let (burst, routing) = (service.demand.burst, service.scaling.routing);
            let rate = move |n: u32| f64::from(n) * pooling::utilization(n, burst, routing) * factor;
            Ok(ClosedForm { rate: Box::new(rate), stable_rps: stable, model: InFlight::Llm { model: model.clone(), tokens } })
        }
        Performance::Request { knots } => {
            let usable = usable_knots(service, knots)?;
            let best = usable.iter().map(|(knot, _)| knot.rate.0).fold(0.0, f64::max);
            let service_s = busiest_service_s(service, &usable);
            let stable = knots.iter().map(|k| k.rate.0).fold(best, f64::max);
            let rate = move |n: u32| usable.iter().map(|(knot, wait)| request_rate(service, (knot, *wait), n)).fold(0.0, f64::max);
            Ok(ClosedForm { rate: Box::new(rate), stable_rps: stable, model: InFlight::Request { service_s } })
        }
        Performance::Job { .. } => Err(Unfit::WrongKind),
    }
}

/// Table up to the most replicas that carry `highest_load` in any mode: the calibrated one where there is one, else the closed form. What
/// the closed form rules out stays ruled out.
///
/// # Errors
/// Why the operating point cannot serve within the SLO.
pub fn of(service: &Service, point: &OperatingPoint, highest_load: f64) -> Result<Capacity, Unfit> {
    let kept = 1.0 - point.evidence.derate();
    let ClosedForm { rate, stable_rps, model } = closed_form(service, point)?;
    let rps = match service.tables.iter().find(|table| table.is_of(point)) {
        Some(table) if table.points.iter().all(|(_, rps)| *rps <= 0.0) => return Err(Unfit::Unattained),
        Some(table) => tabulate(service, |n| calibrated(table, n) * kept, highest_load)?,
        None => tabulate(service, |n| rate(n) * kept, highest_load)?,
    };
    Ok(Capacity { rps, stable_rps: stable_rps * MAX_UTILIZATION * kept, model })
}

/// A calibrated table of a service carried over to other limits by the ratio of the closed forms; `None` where these rule
/// the operating point out, before or after: then there is nothing to scale by, and the closed form holds.
#[must_use]
pub fn carried_over(table: &CapacityTable, points: &[OperatingPoint], (before, after): (&Service, &Service)) -> Option<CapacityTable> {
    let point = points.iter().find(|point| table.is_of(point))?;
    let (old, new) = (closed_form(before, point).ok()?, closed_form(after, point).ok()?);
    let scaled = |&(n, rps): &(u32, f64)| (old.rate(n) > 0.0).then(|| (n, rps * new.rate(n) / old.rate(n)));
    let points = table.points.iter().map(scaled).collect::<Option<Vec<_>>>()?;
    Some(CapacityTable { points, ..table.clone() })
}

/// Rate of `n` replicas by a calibrated table: a replica's rate is linear in log2 of the count between the table's counts, and
/// beyond the last it is that of the last.
fn calibrated(table: &CapacityTable, n: u32) -> f64 {
    let each = |(count, rps): (u32, f64)| rps / f64::from(count);
    let upper = table.points.partition_point(|(count, _)| *count < n);
    let per_replica = match (upper.checked_sub(1).and_then(|below| table.points.get(below)), table.points.get(upper)) {
        (None, None) => 0.0,
        (None, Some(only)) | (Some(only), None) => each(*only),
        (Some(low), Some(high)) => {
            let log2 = |count: u32| f64::from(count).log2();
            let share = (log2(n) - log2(low.0)) / (log2(high.0) - log2(low.0));
            each(*low) + (each(*high) - each(*low)) * share
        }
    };
    f64::from(n) * per_replica
}

/// Entries for 1, 2, ... replicas, never falling, up to the most that a plan has: those that carry `highest_load`, the fewest
/// that the owner allows, and those that the HPA would run, which counts by the rate of each of the fewest.
fn tabulate(service: &Service, rate: impl Fn(u32) -> f64, highest_load: f64) -> Result<Vec<f64>, Unfit> {
    let scaling = &service.scaling;
    let least = scaling.min_replicas.max(1);
    let reactive = scaling.metrics.is_some() && scaling.modes.contains(&Mode::Reactive);
    let most = scaling.max_replicas.unwrap_or(MAX_REPLICAS).clamp(least, MAX_REPLICAS.max(least));
    let mut table: Vec<f64> = Vec::new();
    for n in 1..=MAX_REPLICAS.max(least) {
        let previous = table.last().copied().unwrap_or(0.0);
        table.push(rate(n).max(previous));
        let carries = table[n as usize - 1] >= highest_load;
        if carries && n >= least {
            let each = table[least as usize - 1] / f64::from(least);
            let follows = f64::from(n) * each >= highest_load || each <= 0.0 || n >= most;
            if follows || !reactive {
                return Ok(table);
            }
        }
    }
    if table.last().is_some_and(|&rps| rps >= highest_load) { Ok(table) } else { Err(Unfit::TooMany) }
}

/// Highest mean rate of one replica that keeps the latency limits.
fn llm_rate_within_slo(service: &Service, model: &LlmModel, tokens: &TokenShape) -> Result<f64, Unfit> {
    let first_token = TTFT_OVER_PREFILL * latency::prefill_ms(model, tokens.input_p95);
    if let Some(limit) = service.slo.ttft
        && first_token > limit.0
    {
        return Err(Unfit::Ttft(first_token));
    }
    let largest = latency::max_batch(model, tokens);
    if largest == 0 {
        return Err(Unfit::Memory);
    }
    let alone = latency::tpot_ms(model, tokens, 1.0);
    let within = |batch: u32| {
        let tpot = latency::tpot_ms(model, tokens, f64::from(batch));
        service.slo.tpot.is_none_or(|limit| tpot <= limit.0)
            && service.slo.latency.is_none_or(|limit| first_token + tokens.output_mean * tpot <= limit.0)
    };
    if !within(1) {
        return Err(match service.slo.tpot {
            Some(limit) if alone > limit.0 => Unfit::Tpot(alone),
            _ => Unfit::Latency(first_token + tokens.output_mean * alone),
        });
    }
    Ok((1..=largest).filter(|&b| within(b)).map(|b| latency::rate(model, tokens, f64::from(b))).fold(0.0, f64::max))
}

/// Latency of a knot at a percentile: linear in `-ln(1-q)` through p95 and p99.
fn knot_latency_ms(knot: &Knot, percentile: f64) -> f64 {
    if percentile <= 0.95 {
        return knot.p95.0;
    }
    let position = ((1.0 - percentile) / 0.05).ln() / (0.01_f64 / 0.05).ln();
    let at = knot.p95.0 + (knot.p99.0 - knot.p95.0) * position;
    if percentile >= 0.99 { at.max(knot.p99.0) } else { at }
}

/// Knots that leave time to wait, with that time in seconds.
fn usable_knots(service: &Service, knots: &[Knot]) -> Result<Vec<(Knot, f64)>, Unfit> {
    let percentile = service.slo.planning_percentile();
    let limit = service.slo.latency.map_or(f64::INFINITY, |l| l.0);
    let usable: Vec<(Knot, f64)> =
        knots.iter().map(|knot| (*knot, (limit - knot_latency_ms(knot, percentile)) / 1000.0)).filter(|(_, wait)| *wait > 0.0).collect();
    if usable.is_empty() {
        let fastest = knots.iter().map(|k| knot_latency_ms(k, percentile)).fold(f64::INFINITY, f64::min);
        return Err(Unfit::Latency(fastest));
    }
    Ok(usable)
}

/// Mean service time at the knot that carries the most on the fewest replicas, s: what is in flight there is what the
/// autoscaler holds a replica to.
fn busiest_service_s(service: &Service, usable: &[(Knot, f64)]) -> f64 {
    let least = service.scaling.min_replicas.max(1);
    let mut best = (0.0, 0.0);
    for (knot, wait) in usable {
        let rate = request_rate(service, (knot, *wait), least);
        if rate > best.0 {
            best = (rate, knot.concurrency / knot.rate.0);
        }
    }
    best.1
}

/// Rate of `n` replicas at one knot.
fn request_rate(service: &Service, (knot, wait_s): (&Knot, f64), n: u32) -> f64 {
    let cv2 = service.demand.burst.planned_cv2();
    let tail = 1.0 - service.slo.planning_percentile();
    let servers = |count: f64| (count.round().clamp(1.0, MAX_SERVERS)) as u32;
    let service_s = knot.concurrency / knot.rate.0;
    let pool = |servers, arrival_cv2| queueing::Pool { servers, service_s, arrival_cv2, wait_s, tail };
    match service.scaling.routing {
        crate::domain::Routing::LeastLoaded => queueing::max_rate(&pool(servers(knot.concurrency * f64::from(n)), cv2)),
        crate::domain::Routing::Random => {
            f64::from(n) * queueing::max_rate(&pool(servers(knot.concurrency), 1.0 + (cv2 - 1.0) / f64::from(n)))
        }
    }
}
