//! The week of a service under a case: which replicas stand, which its autoscaler adds, and what they miss.

use crate::demand::{self, HPA_TOLERANCE};
use crate::domain::{Case, Scenario, Service};
use crate::plan::{CapacityPoint, Plan, ServicePlan, WorkloadPlan};
use crate::risk::{self, ReclaimLoss};
use crate::units::HOURS_PER_WEEK;

/// A planned service with what the scenario knows of it.
pub struct Part<'a> {
    /// Its plan.
    pub plan: &'a WorkloadPlan,
    /// Its decisions.
    pub decided: &'a ServicePlan,
    /// Its demand and objective.
    pub service: &'a Service,
    /// Hours in which it may be at zero.
    pub asleep: Vec<bool>,
    /// Spot terms of its flex replicas: hazard an hour, notice s.
    spot: Option<(f64, f64)>,
}

/// Counts of a week.
pub struct Week {
    /// Floor replicas.
    pub floor: Vec<u32>,
    /// Flex replicas, when awake.
    pub flex: Vec<u32>,
    /// Share of the hour in which flex replicas run.
    pub awake: Vec<f64>,
    /// Starts of flex replicas a week, wakes included.
    pub flex_starts: f64,
    /// Replicas that are there before a burst comes.
    before: Vec<u32>,
    /// Requests that meet a cold start.
    cold: Vec<f64>,
}

/// Rate that `n` replicas carry, from the plan's own table; beyond it at the last row's rate a replica.
#[must_use]
pub fn carried(table: &[CapacityPoint], n: u32) -> f64 {
    match (table.iter().find(|row| row.replicas == n), table.last()) {
        (_, None) => 0.0,
        _ if n == 0 => 0.0,
        (Some(row), _) => row.rps,
        (None, Some(last)) => last.rps * f64::from(n) / f64::from(last.replicas.max(1)),
    }
}

/// Starts that a cyclic week of counts causes.
#[must_use]
pub fn starts(counts: impl Fn(usize) -> u32) -> f64 {
    (0..HOURS_PER_WEEK).map(|t| f64::from(counts(t).saturating_sub(counts((t + HOURS_PER_WEEK - 1) % HOURS_PER_WEEK)))).sum()
}

impl<'a> Part<'a> {
    /// Joins a service of the plan with the scenario; none for what is frozen or no service of its own.
    #[must_use]
    pub fn of(scenario: &'a Scenario, plan: &'a Plan, workload: &'a WorkloadPlan) -> Option<Self> {
        let decided = workload.service.as_ref().filter(|_| workload.mode != "frozen")?;
        let known = scenario.workloads.iter().find(|w| w.id.as_str() == workload.name)?;
        let service = known.service()?;
        let base = decided.floor.base_replicas + decided.flex.as_ref().map_or(0, |f| f.base_replicas);
        let mut asleep = vec![decided.scaling.scale_to_zero && base == 0; HOURS_PER_WEEK];
        for window in plan.windows.iter().filter(|w| w.workload == workload.name) {
            for (day, hour) in window.days.iter().flat_map(|day| (window.start_hour..window.end_hour).map(move |hour| (*day, hour))) {
                let local = i64::from(day) * 24 + i64::from(hour);
                asleep[(local - i64::from(known.utc_offset_hours)).rem_euclid(HOURS_PER_WEEK as i64) as usize] = false;
            }
        }
        let pool = decided.flex.as_ref().and_then(|flex| plan.pools.iter().find(|p| p.name == flex.pool));
        let spot = pool.and_then(|p| p.spot.as_ref()).map(|s| (s.reclaims_per_hour, s.notice_s));
        Some(Self { plan: workload, decided, service, asleep, spot })
    }

    /// Follows its load.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.plan.mode == "reactive"
    }

    /// Most replicas that it may have in an hour.
    #[must_use]
    pub fn limit(&self, hour: usize) -> u32 {
        if self.follows() {
            self.decided.floor.max_replicas + self.decided.flex.as_ref().map_or(0, |f| f.max_replicas)
        } else {
            self.decided.floor_by_hour[hour] + self.decided.flex_by_hour[hour]
        }
    }

    /// Most replicas of any planned hour.
    #[must_use]
    pub fn planned_most(&self) -> u32 {
        (0..HOURS_PER_WEEK).map(|t| self.decided.floor_by_hour[t] + self.decided.flex_by_hour[t]).max().unwrap_or(0)
    }

    /// Seconds until a replica that load calls for serves, p95: polling, node, cold start.
    #[must_use]
    pub fn late_s(&self) -> f64 {
        f64::from(self.decided.scaling.polling_interval_s) + self.chain_s()
    }

    fn chain_s(&self) -> f64 {
        self.decided.cold_start.provision_p95_s + self.decided.cold_start.replica_p95_s
    }

    /// Replicas of an hour when the load is that of the plan times a factor.
    fn count(&self, hour: usize, factor: f64) -> u32 {
        if !self.follows() {
            return self.limit(hour);
        }
        let least = self.service.scaling.min_replicas.max(1);
        let kappa = carried(&self.decided.capacity, least) / f64::from(least);
        let wanted = ((1.0 + HPA_TOLERANCE) * self.decided.planning_load_rps[hour] * factor / kappa - 1e-9).ceil();
        (wanted.max(f64::from(least)) as u32).min(self.limit(hour))
    }

    /// The week under a case.
    #[must_use]
    pub fn week(&self, case: &Case) -> Week {
        let decided = self.decided;
        let floor = decided.floor_by_hour.clone();
        let counts: Vec<u32> = (0..HOURS_PER_WEEK).map(|t| self.count(t, case.peak())).collect();
        let flex: Vec<u32> = counts.iter().zip(&floor).map(|(n, floor)| n.saturating_sub(*floor)).collect();
        let mean: Vec<f64> = self.service.demand.mean_rps.iter().map(|m| m * case.demand).collect();
        let sleep = demand::sleepy_week(&mean, self.chain_s(), f64::from(decided.scaling.cooldown_s));
        let sleeps = |t: usize| self.asleep[t];
        let up = |t: usize| if sleeps(t) { 0 } else { flex[t] };
        let wakes: f64 = (0..HOURS_PER_WEEK).filter(|t| sleeps(*t)).map(|t| sleep[t].wakes * f64::from(flex[t])).sum();
        Week {
            awake: (0..HOURS_PER_WEEK).map(|t| if sleeps(t) { sleep[t].awake_share } else { 1.0 }).collect(),
            cold: (0..HOURS_PER_WEEK).map(|t| if sleeps(t) { sleep[t].misses } else { 0.0 }).collect(),
            flex_starts: starts(up) + wakes,
            before: (0..HOURS_PER_WEEK).map(|t| self.count(t, case.demand)).collect(),
            floor,
            flex,
        }
    }

    /// Share of a week's requests that meet their limits under a case: careful, since every hour is taken at its peak.
    #[must_use]
    pub fn attainment(&self, case: &Case) -> f64 {
        let week = self.week(case);
        let requests = self.service.demand.requests_per_week() * case.demand;
        if requests <= 0.0 {
            return 1.0;
        }
        let missed: f64 = (0..HOURS_PER_WEEK).map(|hour| self.missed(&week, case, hour)).sum();
        (1.0 - missed / requests).max(0.0)
    }

    /// Requests of an hour that miss.
    fn missed(&self, week: &Week, case: &Case, hour: usize) -> f64 {
        let table = &self.decided.capacity;
        let mean = self.service.demand.mean_rps[hour] * case.demand;
        let load = self.service.demand.peak_rps[hour] * case.peak();
        let share = |n: u32| if load > 0.0 { (carried(table, n) / load).min(1.0) } else { 1.0 };
        let total = week.floor[hour] + week.flex[hour];
        let (there, late) = (share(total), share(week.before[hour].min(total)));
        let steady = (1.0 - there) + there * self.service.slo.spare_budget();
        // A burst comes at once, in every hour; what the autoscaler adds is late.
        let waiting = (there - late) * (self.late_s() / 3600.0).min(1.0);
        let disturbed = (week.cold[hour] + self.reclaimed(week, (case, hour), (total, mean))) * self.decided.error_budget.miss_factor;
        ((steady + waiting) * mean * 3600.0 + disturbed).min(mean * 3600.0)
    }

    /// Expected misses of an hour from reclaims at the case's hazard.
    fn reclaimed(&self, week: &Week, (case, hour): (&Case, usize), (total, mean): (u32, f64)) -> f64 {
        let (Some((hazard, notice_s)), Some(flex)) = (self.spot, self.decided.flex.as_ref()) else { return 0.0 };
        let spot_replicas = week.flex[hour];
        let left = total - risk::lost_with_one_zone(spot_replicas, flex.zones_spread);
        week.awake[hour]
            * risk::reclaim_misses(&ReclaimLoss {
                spot_replicas,
                zones: flex.zones_spread,
                reclaims_per_hour: hazard * case.hazard,
                recover_hours: (self.chain_s() - notice_s).max(0.0) / 3600.0,
                left_rps: carried(&self.decided.capacity, left),
                mean_rps: mean,
            })
    }

    /// Largest factor on the demand with which the planning capacity carries every hour.
    #[must_use]
    pub fn holds(&self) -> f64 {
        let peaks = &self.service.demand.peak_rps;
        let highest = peaks.iter().copied().fold(0.0, f64::max);
        let room = |hour: usize| {
            // Who follows may be asked for its highest load while the last hour's replicas are still coming.
            let load = if self.follows() { highest } else { peaks[hour] };
            if load > 0.0 { carried(&self.decided.capacity, self.limit(hour)) / load } else { f64::INFINITY }
        };
        (0..HOURS_PER_WEEK).map(room).fold(super::MOST_FACTOR, f64::min)
    }
}
