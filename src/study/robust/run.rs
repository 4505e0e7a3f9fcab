//! A run of a job under a case: how long it takes, and whether it is in time.

use crate::domain::{Case, Profile, Scenario};
use crate::plan::{JobPlan, Plan, WorkloadPlan};
use crate::risk;
use crate::sizing::cold_start;
use crate::units::HOURS_PER_WEEK;

/// Hours after which a run is taken for endless.
const ENDLESS_HOURS: f64 = 336.0;

/// A planned job with what the scenario knows of it.
pub struct Part<'a> {
    /// Its plan.
    pub plan: &'a WorkloadPlan,
    /// Its decisions.
    pub decided: &'a JobPlan,
    profile: &'a Profile,
    chain_hours: f64,
    /// Collapses an hour of its spot pool.
    hazard: Option<f64>,
}

impl<'a> Part<'a> {
    /// Joins a job of the plan with the scenario; none for what is frozen or a service.
    #[must_use]
    pub fn of(scenario: &'a Scenario, plan: &'a Plan, workload: &'a WorkloadPlan) -> Option<Self> {
        let decided = workload.job.as_ref().filter(|_| workload.mode != "frozen")?;
        let known = scenario.workloads.iter().find(|w| w.id.as_str() == workload.name)?;
        let profile = scenario.profiles.get(&known.profile)?;
        let pool = plan.pools.iter().find(|p| p.name == decided.pool);
        Some(Self {
            plan: workload,
            decided,
            profile,
            chain_hours: cold_start::chain_p95_s(&scenario.node_autoscaler, profile) / 3600.0,
            hazard: pool.and_then(|p| p.spot.as_ref()).map(|s| s.reclaims_per_hour),
        })
    }

    /// Hours of a run under a case.
    #[must_use]
    pub fn hours(&self, case: &Case) -> f64 {
        let JobPlan { work_per_run, units_per_s, .. } = self.decided;
        let hours = self.chain_hours + work_per_run * case.demand / (units_per_s * self.efficiency(case) * 3600.0);
        if hours.is_finite() { hours.min(ENDLESS_HOURS) } else { ENDLESS_HOURS }
    }

    /// Share of time that makes progress at the case's hazard; the checkpoint interval stays the planned one.
    fn efficiency(&self, case: &Case) -> f64 {
        let Some(hazard) = self.hazard.map(|h| h * case.hazard).filter(|h| *h > 0.0) else { return self.decided.efficiency };
        match (self.decided.checkpoint_interval_s, self.profile.checkpoint) {
            (Some(interval_s), Some(checkpoint)) => {
                let between = 1.0 / hazard;
                let (interval, save) = (interval_s / 3600.0, checkpoint.save.hours());
                let restart = checkpoint.restart.hours() + self.chain_hours;
                interval / (between * (restart / between).exp() * ((interval + save) / between).exp_m1())
            }
            _ => risk::requeue_efficiency(hazard, self.chain_hours),
        }
    }

    /// Workers by hour under a case, by share of the hour; as planned where its nodes stay all week.
    #[must_use]
    pub fn workers(&self, case: &Case) -> Vec<f64> {
        let width = f64::from(self.decided.workers);
        if self.decided.workers_by_hour.iter().all(|n| n.total_cmp(&width).is_eq()) {
            return self.decided.workers_by_hour.clone();
        }
        let mut workers = vec![0.0; HOURS_PER_WEEK];
        for run in &self.decided.runs {
            let (mut left, mut hour) = (self.hours(case), run.start_hour as usize);
            while left > 1e-9 {
                workers[hour % HOURS_PER_WEEK] += width * left.min(1.0);
                left -= 1.0;
                hour += 1;
            }
        }
        workers
    }

    /// Share of its runs that are in time under a case.
    #[must_use]
    pub fn attainment(&self, case: &Case) -> f64 {
        let hours = self.hours(case);
        let in_time = self.decided.runs.iter().filter(|run| f64::from(run.start_hour) + hours <= f64::from(run.deadline_hour) + 1e-9);
        in_time.count() as f64 / self.decided.runs.len().max(1) as f64
    }

    /// Largest factor on the work with which every run is in time.
    #[must_use]
    pub fn holds(&self) -> f64 {
        let work = self.decided.hours_per_run - self.chain_hours;
        let room = |run: &crate::plan::JobRunPlan| f64::from(run.deadline_hour) - f64::from(run.start_hour) - self.chain_hours;
        let least = self.decided.runs.iter().map(room).fold(f64::INFINITY, f64::min);
        if work > 0.0 { (least / work).min(super::MOST_FACTOR) } else { super::MOST_FACTOR }
    }
}
