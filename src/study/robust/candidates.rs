//! Scenarios whose plans are weighed: as asked, insured, and insured with less that can go wrong.

use crate::domain::uncertainty::Required;
use crate::domain::{Mode, Scenario, WorkloadKind};
use crate::formulation::pools::{Context, Pools};
use crate::formulation::{Freedom, job, service};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// Steps down from a factor that a workload cannot be planned for.
const STEPS: u32 = 20;

/// A scenario whose workloads are insured, and those that cannot be as far as asked.
#[derive(Clone, Debug)]
pub struct Insured {
    /// The scenario.
    pub scenario: Scenario,
    /// Factors by workload.
    pub factors: BTreeMap<String, f64>,
    /// Why a workload is insured for less.
    pub short: BTreeMap<String, String>,
}

impl Insured {
    /// Nothing is insured.
    #[must_use]
    pub fn nothing(scenario: &Scenario) -> Self {
        Self { scenario: scenario.clone(), factors: BTreeMap::new(), short: BTreeMap::new() }
    }

    /// Every workload for the part `share` of what is asked beyond the expected demand, or as far as it can be alone.
    #[must_use]
    pub fn of(scenario: &Scenario, required: Required, share: f64) -> Self {
        let mut insured = Self::nothing(scenario);
        for index in 0..scenario.workloads.len() {
            let workload = &scenario.workloads[index];
            if scenario.freeze.contains(&workload.id) {
                continue;
            }
            let asked = if workload.service().is_some() { required.demand } else { required.work };
            let wanted = 1.0 + (asked - 1.0) * share;
            let name = workload.id.to_string();
            let factors = (0..=STEPS).map(|step| 1.0 + (wanted - 1.0) * f64::from(STEPS - step) / f64::from(STEPS));
            let factor = factors.into_iter().find(|factor| can(&mut insured.scenario, index, *factor)).unwrap_or(1.0);
            set(&mut insured.scenario, index, factor);
            if share < 1.0 {
                insured.short.insert(name.clone(), "the quotas leave room for no more of all workloads together".to_owned());
            }
            if factor < wanted {
                insured.short.insert(name.clone(), alone(scenario, index).to_owned());
            }
            insured.factors.insert(name, factor);
        }
        insured
    }

    /// The same with another change of the scenario.
    fn with(&self, change: impl Fn(&mut Scenario)) -> Self {
        let mut other = self.clone();
        change(&mut other.scenario);
        other
    }
}

/// Why a workload alone can be insured for no more.
fn alone(scenario: &Scenario, index: usize) -> &'static str {
    match scenario.workloads[index].service() {
        Some(service) if service.scaling.max_replicas.is_some() => "its `max_replicas` allows no more",
        Some(_) => "no operating point reaches further",
        None => "no operating point does more work before the deadline",
    }
}

fn set(scenario: &mut Scenario, index: usize, factor: f64) {
    match &mut scenario.workloads[index].kind {
        WorkloadKind::Service(service) => service.demand.insured = factor,
        WorkloadKind::Job(job) => job.insured = factor,
    }
}

/// Whether any way is left to run a workload insured for a factor; it is set.
fn can(scenario: &mut Scenario, index: usize, factor: f64) -> bool {
    set(scenario, index, factor);
    let scenario = &*scenario;
    let context = Context { scenario, workload: &scenario.workloads[index], freedom: &Freedom::FULL };
    let mut pools = Pools::of(scenario, context.freedom);
    match &context.workload.kind {
        WorkloadKind::Service(_) => service::options(&context, &mut pools).iter().any(|o| !o.modes.is_empty()),
        WorkloadKind::Job(_) => !job::options(&context, &mut pools).is_empty(),
    }
}

/// The insured scenario with less that can go wrong, by name: where the insured plan relies on what each takes away.
#[must_use]
pub fn variants(insured: &Insured, plan: &Plan) -> Vec<(&'static str, Insured)> {
    let mut variants = Vec::new();
    let others = |service: &crate::domain::Service| service.scaling.modes.iter().any(|mode| *mode != Mode::Reactive);
    if plan.workloads.iter().any(|w| w.mode == "reactive") {
        let stands = insured.with(|scenario| {
            for workload in &mut scenario.workloads {
                if let WorkloadKind::Service(service) = &mut workload.kind
                    && others(service)
                {
                    service.scaling.modes.retain(|mode| *mode != Mode::Reactive);
                }
            }
        });
        variants.push(("insured, nothing left to the autoscaler", stands));
    }
    if plan.pools.iter().any(|pool| pool.spot.is_some()) {
        for (name, factor) in [("insured, half the spot share", 0.5), ("insured, no spot", 0.0)] {
            variants.push((name, insured.with(|s| s.workloads.iter_mut().for_each(|w| w.spot.max_share *= factor))));
        }
    }
    variants
}
