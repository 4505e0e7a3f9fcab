//! The unchanged plan under a case, recomputed: counts, cost, misses, and how far it holds.
//!
//! Who follows its load has `max(n0, ceil(1.1 e/kappa))` replicas, at most its limit, `e` the envelope times the case's factors; all
//! others have what is planned. An hour carries `min(1, f(n)/load)` at its peak, of that the planning percentile; a burst comes at
//! once, and replicas that it calls for are late by polling, provisioning and cold start.

use super::claims::{self, starts};
use super::run_shape::RunShape;
use super::spot::{self, blend};
use super::tolerance::ceil;
use super::view::{JobView, PoolView, ServiceView, View};
use super::{price, run_shape, zero_hours};
use crate::domain::{Case, Mode, SpotRisk};
use crate::units::{HOURS_PER_WEEK, MONTHS_PER_WEEK_FACTOR};

/// Factors beyond this are not told apart.
pub(super) const MOST_FACTOR: f64 = 1000.0;
/// A run this long is taken for endless, hours.
const ENDLESS_HOURS: f64 = 336.0;
const HPA_TOLERANCE: f64 = 1.1;

/// A service, and the factor that the peaks of the view have been raised by for the sake of surprises.
pub(super) struct Asked<'v, 'a> {
    pub service: &'v ServiceView<'a>,
    pub insured: f64,
}

/// Replicas of a week under a case.
struct Counts {
    total: Vec<u32>,
    flex: Vec<u32>,
    awake: Vec<f64>,
    flex_starts: f64,
}

impl Asked<'_, '_> {
    fn follows(&self) -> bool {
        self.service.mode == Some(Mode::Reactive)
    }

    /// Peak of an hour without the insurance, requests a second.
    fn peak(&self, hour: usize) -> f64 {
        let raised = self.service.service.demand.peak_rps[hour];
        if self.follows() { raised } else { raised / self.insured }
    }

    fn highest(&self) -> f64 {
        (0..HOURS_PER_WEEK).map(|t| self.peak(t)).fold(0.0, f64::max)
    }

    /// Most replicas of the hour.
    pub fn limit(&self, hour: usize) -> u32 {
        let decided = self.service.decided;
        if self.follows() {
            decided.floor.max_replicas.saturating_add(decided.flex.as_ref().map_or(0, |f| f.max_replicas))
        } else {
            self.service.total(hour)
        }
    }

    /// Rate of `n` replicas by the plan's own table, which is checked elsewhere.
    fn carried(&self, n: u32) -> f64 {
        let rows = &self.service.decided.capacity;
        let own = rows.iter().find(|row| row.replicas == n).map(|row| row.rps);
        let beyond = || rows.last().map_or(0.0, |last| last.rps / f64::from(last.replicas.max(1)) * f64::from(n));
        if n == 0 { 0.0 } else { own.unwrap_or_else(beyond) }
    }

    /// Replicas of an hour when the load is the expected one times a factor.
    pub fn count(&self, hour: usize, factor: f64) -> u32 {
        if !self.follows() {
            return self.limit(hour);
        }
        let least = self.service.service.scaling.min_replicas.max(1);
        let kappa = self.carried(least) / f64::from(least);
        let envelope = (self.peak(hour) * self.service.service.demand.lag_growth).min(self.highest());
        let wanted = ceil(HPA_TOLERANCE * envelope * factor / kappa).max(f64::from(least));
        (wanted as u32).min(self.limit(hour))
    }

    fn idle(&self, view: &View<'_>, rate: f64) -> f64 {
        (-rate * (zero_hours::chain_s(view, self.service) + zero_hours::cooldown(view, self.service))).exp()
    }

    /// Wakes from zero in an hour under a case.
    fn wakes(&self, view: &View<'_>, hour: usize, demand: f64) -> f64 {
        let mean = &self.service.service.demand.mean_rps;
        let (before, rate) = (mean[(hour + HOURS_PER_WEEK - 1) % HOURS_PER_WEEK] * demand, mean[hour] * demand);
        3600.0 * rate * self.idle(view, rate) + (self.idle(view, before) - self.idle(view, rate)).max(0.0)
    }

    fn counts(&self, view: &View<'_>, case: &Case) -> Counts {
        let decided = self.service.decided;
        let total: Vec<u32> = (0..HOURS_PER_WEEK).map(|t| self.count(t, case.demand * case.burst)).collect();
        let flex: Vec<u32> = total.iter().zip(&decided.floor_by_hour).map(|(n, floor)| n.saturating_sub(*floor)).collect();
        let asleep = |t: usize| self.service.asleep(t);
        let rate = |t: usize| self.service.service.demand.mean_rps[t] * case.demand;
        let awake = (0..HOURS_PER_WEEK).map(|t| if asleep(t) { 1.0 - self.idle(view, rate(t)) } else { 1.0 }).collect();
        let kept_up: Vec<u32> = (0..HOURS_PER_WEEK).map(|t| if asleep(t) { 0 } else { flex[t] }).collect();
        let woken: f64 = (0..HOURS_PER_WEEK).filter(|t| asleep(*t)).map(|t| self.wakes(view, t, case.demand) * f64::from(flex[t])).sum();
        Counts { flex_starts: starts(&kept_up) + woken, total, flex, awake }
    }

    /// Share of a week's requests within their limits.
    pub fn attainment(&self, view: &View<'_>, case: &Case) -> f64 {
        let counts = self.counts(view, case);
        let mean = &self.service.service.demand.mean_rps;
        let all: f64 = mean.iter().map(|rate| rate * case.demand * 3600.0).sum();
        if all <= 0.0 {
            return 1.0;
        }
        let hours = (0..HOURS_PER_WEEK).map(|t| {
            let asked = mean[t] * case.demand * 3600.0;
            (self.steady(&counts, case, t) * asked + self.disturbed(view, (&counts, case), t)).min(asked)
        });
        (1.0 - hours.sum::<f64>() / all).max(0.0)
    }

    /// Share of an hour's requests that wait too long.
    fn steady(&self, counts: &Counts, case: &Case, hour: usize) -> f64 {
        let load = self.peak(hour) * case.demand * case.burst;
        let share = |n: u32| if load > 0.0 { (self.carried(n) / load).min(1.0) } else { 1.0 };
        let there = share(counts.total[hour]);
        let before = share(self.count(hour, case.demand).min(counts.total[hour]));
        let budget = (1.0 - self.service.service.slo.attainment) / 2.0;
        (1.0 - there) + there * budget + (there - before) * (self.late_s() / 3600.0).min(1.0)
    }

    /// Seconds until a replica that load calls for serves.
    pub fn late_s(&self) -> f64 {
        let decided = self.service.decided;
        f64::from(decided.scaling.polling_interval_s) + decided.cold_start.provision_p95_s + decided.cold_start.replica_p95_s
    }

    /// Requests of an hour that meet a cold start or lose their replica.
    fn disturbed(&self, view: &View<'_>, (counts, case): (&Counts, &Case), hour: usize) -> f64 {
        let mean = self.service.service.demand.mean_rps[hour] * case.demand;
        let chain_s = zero_hours::chain_s(view, self.service);
        let cold = if self.service.asleep(hour) { self.wakes(view, hour, case.demand) * (1.0 + mean * chain_s) } else { 0.0 };
        (cold + self.reclaimed(view, (counts, case), (hour, mean))) * self.service.decided.error_budget.miss_factor
    }

    fn reclaimed(&self, view: &View<'_>, (counts, case): (&Counts, &Case), (hour, mean): (usize, f64)) -> f64 {
        let flex = counts.flex[hour];
        let Some(pool) = self.service.spot_pool(view).filter(|_| flex > 0 && mean > 0.0) else { return 0.0 };
        let left = counts.total[hour] - flex.div_ceil(pool.zones);
        let recover = (zero_hours::chain_s(view, self.service) - spot::notice_s(pool)).max(0.0) / 3600.0;
        let events = counts.awake[hour] * f64::from(pool.zones.min(flex)) * spot::risk(view, pool).reclaims_per_hour * case.hazard;
        events * recover * (1.0 - self.carried(left) / mean).max(0.0) * mean * 3600.0
    }

    /// Largest factor on the demand with which every hour is carried.
    pub fn holds(&self) -> f64 {
        let load = |t: usize| if self.follows() { self.highest() } else { self.peak(t) };
        let hours = (0..HOURS_PER_WEEK).filter(|t| load(*t) > 0.0);
        hours.map(|t| self.carried(self.limit(t)) / load(t)).fold(MOST_FACTOR, f64::min)
    }
}

/// Hours of a run under a case; the checkpoint interval stays the planned one.
fn run_hours(view: &View<'_>, job: &JobView<'_>, case: &Case) -> Option<RunShape> {
    let planned = run_shape::of(view, job)?;
    let up_hours = (view.provision_s() + job.common.replica_cold_s()) / 3600.0;
    let hazard = view.pool(&job.decided.pool).filter(|p| p.spot).map(|p| spot::risk(view, p).reclaims_per_hour * case.hazard);
    let efficiency = match (hazard.filter(|h| *h > 0.0), planned.checkpoint_s, job.common.profile.and_then(|p| p.checkpoint)) {
        (None, _, _) => planned.efficiency,
        (Some(hazard), Some(interval_s), Some(checkpoint)) => {
            let (between, interval) = (1.0 / hazard, interval_s / 3600.0);
            let (save, restart) = (checkpoint.save.0 / 3600.0, checkpoint.restart.0 / 3600.0 + up_hours);
            interval / (between * (restart / between).exp() * ((interval + save) / between).exp_m1())
        }
        (Some(hazard), _, _) => 1.0 / (1.0 + hazard * up_hours),
    };
    let hours = up_hours + job.job.work_per_run * case.demand / (planned.units_per_s * efficiency * 3600.0);
    let hours = if hours.is_finite() { hours.min(ENDLESS_HOURS) } else { ENDLESS_HOURS };
    Some(RunShape { efficiency, hours, ..planned })
}

/// Share of a job's runs that are in time.
pub(super) fn runs_in_time(view: &View<'_>, job: &JobView<'_>, case: &Case) -> f64 {
    let hours = run_hours(view, job, case).map_or(ENDLESS_HOURS, |shape| shape.hours);
    let runs = &job.decided.runs;
    let kept = runs.iter().filter(|run| f64::from(run.start_hour) + hours <= f64::from(run.deadline_hour) + 1e-9).count();
    kept as f64 / runs.len().max(1) as f64
}

/// Largest factor on a job's work with which every run is in time.
pub(super) fn job_holds(view: &View<'_>, job: &JobView<'_>) -> f64 {
    let Some(shape) = run_shape::of(view, job) else { return 0.0 };
    let up_hours = (view.provision_s() + job.common.replica_cold_s()) / 3600.0;
    let room = |run: &crate::plan::JobRunPlan| f64::from(run.deadline_hour) - f64::from(run.start_hour) - up_hours;
    let least = job.decided.runs.iter().map(room).fold(f64::INFINITY, f64::min);
    let work = shape.hours - up_hours;
    if work > 0.0 { (least / work).min(MOST_FACTOR) } else { MOST_FACTOR }
}

/// What the plan costs under a case, dollars a month.
pub(super) fn cost(view: &View<'_>, services: &[Asked<'_, '_>], case: &Case) -> f64 {
    let pools: f64 = view.pools.iter().map(|pool| pool_cost(view, (pool, services), case)).sum();
    pools + view.plan.cost.commitments_usd_per_month.as_f64()
}

fn pool_cost(view: &View<'_>, (pool, services): (&PoolView<'_>, &[Asked<'_, '_>]), case: &Case) -> f64 {
    let (nodes, start_hours) = if pool.shared { (pool.pool.nodes_by_hour.clone(), 0.0) } else { nodes(view, (pool, services), case) };
    let same = |p: &&PoolView<'_>| p.shared && !p.spot && p.machine.id == pool.machine.id && p.region == pool.region;
    let taken = |t: usize| if pool.shared { 0.0 } else { view.pools.iter().filter(same).map(|p| p.pool.nodes_by_hour[t]).sum() };
    let paid = (0..HOURS_PER_WEEK).map(|t| nodes[t] - nodes[t].min((f64::from(pool.committed) - taken(t)).max(0.0)));
    (paid.sum::<f64>() + start_hours) * node_price(view, pool, case) * MONTHS_PER_WEEK_FACTOR
}

/// Price of a node-hour under a case, dollars.
fn node_price(view: &View<'_>, pool: &PoolView<'_>, case: &Case) -> f64 {
    let planned = || price::planned(view, pool).unwrap_or(pool.pool.planned_usd_per_hour.as_f64());
    let (true, Some(offering), Some(terms)) = (pool.spot, pool.offering, spot::expected(view, pool)) else { return planned() };
    let risk = spot::risk(view, pool);
    let worse = SpotRisk {
        availability: (risk.availability * case.availability).min(1.0),
        reclaims_per_hour: risk.reclaims_per_hour * case.hazard,
        ..risk
    };
    let posted = (price::posted(view, offering) * case.spot_price * 1e9).round_ties_even() / 1e9;
    blend(&worse, (posted, terms.fallback), terms.switch_hours)
}

/// Expected nodes by hour of a pool that is not shared, and hours a week of starts and tails.
fn nodes(view: &View<'_>, (pool, services): (&PoolView<'_>, &[Asked<'_, '_>]), case: &Case) -> (Vec<f64>, f64) {
    let (mut nodes, mut start_hours) = (vec![0.0; HOURS_PER_WEEK], 0.0);
    let mut add = |more: &[f64], hours: f64| {
        nodes.iter_mut().zip(more).for_each(|(sum, own)| *sum += own);
        start_hours += hours;
    };
    let name = pool.pool.name.as_str();
    for asked in services {
        let decided = asked.service.decided;
        let a_start = (view.provision_s() + asked.service.common.replica_cold_s()) / 3600.0 + view.tail_hours();
        if decided.floor.pool == name {
            let floor: Vec<f64> = decided.floor_by_hour.iter().map(|n| f64::from(*n)).collect();
            add(&floor, starts(&decided.floor_by_hour) * a_start);
        }
        if decided.flex.as_ref().is_some_and(|f| f.pool == name) {
            let counts = asked.counts(view, case);
            let flex: Vec<f64> = counts.flex.iter().zip(&counts.awake).map(|(n, awake)| f64::from(*n) * awake).collect();
            add(&flex, counts.flex_starts * a_start);
        }
    }
    for job in view.jobs.iter().filter(|job| !job.common.frozen && job.decided.pool == name) {
        let width = f64::from(job.decided.workers);
        if claims::held(view, pool) {
            add(&[width; HOURS_PER_WEEK], 0.0);
        } else if let Some(shape) = run_hours(view, job, case) {
            add(&claims::occupied(job, &shape).1, width * view.tail_hours() * job.decided.runs.len() as f64);
        }
    }
    let frozen: Vec<&str> = view.workloads().filter(|w| w.frozen).map(|w| w.plan.name.as_str()).collect();
    for claim in view.claims.iter().filter(|c| c.pool == name && frozen.contains(&c.workload)) {
        add(&claim.expected, 0.0);
    }
    (nodes, start_hours)
}
