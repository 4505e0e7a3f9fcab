//! Who holds what of which pool, hour by hour: the one table under nodes, quotas, starts and costs.

use super::run_shape::{self, RunShape};
use super::scarce;
use super::sharing;
use super::view::{Common, JobView, PoolView, ServiceView, View};
use crate::units::HOURS_PER_WEEK;

/// What one part of a workload holds of one pool.
pub(super) struct Claim<'a> {
    pub workload: &'a str,
    pub pool: &'a str,
    /// Replicas or workers while awake, by hour; a job counts whole in every hour that it touches.
    pub peak: Vec<u32>,
    /// Expected replicas or workers, by hour: awake share and share of the hour applied.
    pub expected: Vec<f64>,
    /// What one replica asks of a node.
    pub ask: NodeAsk,
    /// GPU slots of one replica on a node of the pool; none: it does not fit. Where GPUs are cut, one slice.
    pub slots: Option<u32>,
    /// Part of a GPU that a replica has.
    pub slice: Option<&'a str>,
    /// What a slot weighs when a shared pool's cost is shared out: the slice's share of the compute, 1 for a whole GPU.
    pub weight: f64,
    /// Node-hours a week of its own starts and tails (pools that are not shared).
    pub start_hours: f64,
    /// Paid hours that one start of a node for it adds.
    pub hours_per_start: f64,
}

/// What one replica asks of a node.
#[derive(Clone, Copy)]
pub(super) struct NodeAsk {
    pub gpus: u32,
    pub vcpus: f64,
    pub ram_gib: f64,
}

impl Claim<'_> {
    /// Holds anything at any hour.
    pub fn used(&self) -> bool {
        self.peak.iter().any(|n| *n > 0)
    }

    /// Slot-hours a week, whole hours while awake: the key that a shared pool's cost is shared out by.
    pub fn slot_hours(&self) -> f64 {
        self.peak.iter().map(|n| f64::from(*n)).sum::<f64>() * f64::from(self.slots.unwrap_or(0)) * self.weight
    }
}

/// All claims, by workload in the plan's order, services first.
pub(super) fn of<'a>(view: &View<'a>) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for service in &view.services {
        claims.extend(floor(view, service));
        claims.extend(flex(view, service));
    }
    claims.extend(view.jobs.iter().filter_map(|job| workers(view, job)));
    claims
}

/// Replicas that start over the cyclic week.
pub(super) fn starts(counts: &[u32]) -> f64 {
    let before = counts.iter().cycle().skip(counts.len().saturating_sub(1));
    before.zip(counts).map(|(before, now)| f64::from(now.saturating_sub(*before))).sum()
}

/// Flex replicas that the schedule keeps up: none in an hour that may be at zero.
pub(super) fn flex_kept_up(service: &ServiceView<'_>) -> Vec<u32> {
    (0..HOURS_PER_WEEK).map(|t| if service.asleep(t) { 0 } else { service.decided.flex_by_hour[t] }).collect()
}

fn floor<'a>(view: &View<'a>, service: &ServiceView<'a>) -> Option<Claim<'a>> {
    let pool = view.pool(&service.decided.floor.pool)?;
    if service.common.frozen {
        return as_today(view, service.common, pool);
    }
    let counts = &service.decided.floor_by_hour;
    let expected = counts.iter().map(|n| f64::from(*n)).collect();
    Some(Claim { start_hours: starts(counts), ..blank(view, (service.common, pool), (counts.clone(), expected)) }.with_start_hours())
}

fn flex<'a>(view: &View<'a>, service: &ServiceView<'a>) -> Option<Claim<'a>> {
    let pool = view.pool(&service.decided.flex.as_ref()?.pool)?;
    let counts = &service.decided.flex_by_hour;
    let expected = counts.iter().zip(&service.decided.awake_share_by_hour).map(|(n, awake)| f64::from(*n) * awake).collect();
    // The stated number of starts is checked by `start_up`; the floor's are whole, the rest are the flex part's.
    let own = (service.decided.starts_per_week - starts(&service.decided.floor_by_hour)).max(0.0);
    Some(Claim { start_hours: own, ..blank(view, (service.common, pool), (counts.clone(), expected)) }.with_start_hours())
}

fn workers<'a>(view: &View<'a>, job: &JobView<'a>) -> Option<Claim<'a>> {
    let pool = view.pool(&job.decided.pool)?;
    if job.common.frozen {
        return as_today(view, job.common, pool);
    }
    let width = job.decided.workers;
    if held(view, pool) {
        return Some(blank(view, (job.common, pool), (vec![width; HOURS_PER_WEEK], vec![f64::from(width); HOURS_PER_WEEK])));
    }
    let shape = run_shape::of(view, job)?;
    let (peak, expected) = occupied(job, &shape);
    let tails = f64::from(width) * view.tail_hours() * job.decided.runs.len() as f64;
    Some(Claim { start_hours: tails, ..blank(view, (job.common, pool), (peak, expected)) })
}

/// The nodes of a job on this pool stay all week: scarce, and not to be given back between runs.
pub(super) fn held(view: &View<'_>, pool: &PoolView<'_>) -> bool {
    !pool.spot && !pool.shared && !view.scenario.risk.allow_scarce_release && scarce::is_scarce(view, pool)
}

/// A frozen workload: its share, by GPUs, of the nodes of its group; in a shared pool its replicas.
fn as_today<'a>(view: &View<'a>, common: Common<'a>, pool: &PoolView<'a>) -> Option<Claim<'a>> {
    let placement = common.workload.placement.as_ref()?;
    let group = view.scenario.fleet.node_groups.iter().find(|g| g.id == placement.node_group)?;
    if pool.shared {
        let counts = (vec![placement.replicas; HOURS_PER_WEEK], vec![f64::from(placement.replicas); HOURS_PER_WEEK]);
        return Some(blank(view, (common, pool), counts));
    }
    let tenants = view.scenario.workloads.iter().filter_map(|w| w.placement.as_ref()).filter(|p| p.node_group == group.id);
    let all: u32 = tenants.map(|p| p.replicas * p.gpus_per_replica).sum();
    let share = f64::from(placement.replicas * placement.gpus_per_replica) / f64::from(all.max(1));
    let most = (f64::from(group.max_nodes) * share).ceil() as u32;
    Some(blank(view, (common, pool), (vec![most; HOURS_PER_WEEK], vec![group.nodes * share; HOURS_PER_WEEK])))
}

/// Workers in each hour: whole where a run touches it, and by the share of the hour that it fills.
pub(super) fn occupied(job: &JobView<'_>, shape: &RunShape) -> (Vec<u32>, Vec<f64>) {
    let (mut peak, mut expected) = (vec![0; HOURS_PER_WEEK], vec![0.0; HOURS_PER_WEEK]);
    let width = job.decided.workers;
    for run in &job.decided.runs {
        let whole = (shape.hours - 1e-9).ceil().clamp(0.0, 10.0 * HOURS_PER_WEEK as f64) as usize;
        for after in 0..whole {
            let hour = (run.start_hour as usize + after) % HOURS_PER_WEEK;
            peak[hour] += width;
            expected[hour] += f64::from(width) * (shape.hours - after as f64).min(1.0);
        }
    }
    (peak, expected)
}

fn blank<'a>(view: &View<'a>, of: (Common<'a>, &PoolView<'a>), counts: (Vec<u32>, Vec<f64>)) -> Claim<'a> {
    let (common, pool) = of;
    let ask = node_ask(&common);
    let slice = common.plan.variant.slice.as_ref().map(|slice| slice.name.as_str());
    let card = view.scenario.accelerators.get(&pool.machine.accelerator);
    let weight = slice.zip(card).and_then(|(name, card)| sharing::shares(card, name)).map_or(1.0, |(compute, _)| compute);
    Claim {
        slice,
        weight,
        workload: &common.plan.name,
        pool: &pool.pool.name,
        peak: counts.0,
        expected: counts.1,
        slots: if pool.pool.partition.is_some() { Some(1) } else { slots(view, pool, &ask) },
        ask,
        start_hours: 0.0,
        hours_per_start: (view.provision_s() + common.replica_cold_s()) / 3600.0 + view.tail_hours(),
    }
}

impl Claim<'_> {
    /// Turns a count of starts into their paid hours.
    fn with_start_hours(mut self) -> Self {
        self.start_hours *= self.hours_per_start;
        self
    }
}

/// The operating point's demands; for a frozen workload that the profile does not know, what the plan says.
pub(super) fn node_ask(common: &Common<'_>) -> NodeAsk {
    match common.point {
        Some(point) => NodeAsk { gpus: point.gpus_per_replica, vcpus: point.vcpus, ram_gib: point.ram.0 },
        None => {
            let stated = &common.plan.variant.requests;
            NodeAsk { gpus: common.plan.variant.gpus_per_replica, vcpus: stated.vcpus, ram_gib: stated.ram_gib }
        }
    }
}

/// CPUs and memory (GiB) of a node that workloads can have.
pub(super) fn allocatable(view: &View<'_>, pool: &PoolView<'_>) -> (f64, f64) {
    let reserves = &view.scenario.reserves;
    let kept = 1.0 - reserves.share;
    (pool.machine.vcpus * kept - reserves.vcpus, pool.machine.ram.0 * kept - reserves.ram.0)
}

/// GPU slots of a replica on a node: its GPUs, or more where its CPUs or memory take a larger share of the node.
pub(super) fn slots(view: &View<'_>, pool: &PoolView<'_>, ask: &NodeAsk) -> Option<u32> {
    let (vcpus, ram) = allocatable(view, pool);
    let node = pool.machine.gpus;
    let share = (ask.vcpus / vcpus).max(ask.ram_gib / ram);
    if !(vcpus > 0.0 && ram > 0.0 && share <= 1.0 + 1e-9) {
        return None;
    }
    let mut taken = 1;
    while f64::from(taken) < f64::from(node) * share - 1e-9 {
        taken *= 2;
    }
    let taken = taken.max(ask.gpus);
    (taken <= node).then_some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_wrap_round_the_week() {
        assert!((starts(&[1, 3, 2, 4]) - 4.0).abs() < 1e-12);
        assert!((starts(&[4, 1, 1, 1]) - 3.0).abs() < 1e-12);
        assert!(starts(&[2, 2, 2]) < 1e-12);
    }
}
