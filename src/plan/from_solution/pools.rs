//! Node pools of a plan with their bills, and each workload's share.

use crate::domain::{CapacityType, InstanceType, Mode, Scenario};
use crate::formulation::columns::{Column, Decision, column};
use crate::formulation::pools::switch_hours;
use crate::formulation::problem::{Partition, PoolIndex, Problem, Sharing, SliceCount, Tenants};
use crate::plan::from_solution::purchase::Bought;
use crate::plan::{CommitmentCost, NodePool, PoolPartition, PoolSlice, SpotTerms};
use crate::solver::solution::{self, Solution};
use crate::units::{HOURS_PER_MONTH, HOURS_PER_WEEK, MONTHS_PER_WEEK_FACTOR, Usd, UsdPerHour};
use std::collections::{BTreeMap, BTreeSet};

/// Pools with their bills.
#[derive(Clone, Debug)]
pub struct Billed {
    /// Pools, sorted by name.
    pub pools: Vec<NodePool>,
    /// Each workload's share a month.
    pub by_workload: BTreeMap<String, Usd>,
    /// Part that pays for start-ups and tails, a month.
    pub start_up: Usd,
    /// Node-hours a week that commitments paid for, by (instance type, region).
    pub committed_hours_used: BTreeMap<(String, String), f64>,
}

/// Pools in use, and the on-demand pools of the same shape that stand in for spot.
#[must_use]
pub fn used(problem: &Problem, solution: &Solution) -> BTreeSet<PoolIndex> {
    let mut used: BTreeSet<PoolIndex> = solution.fixed_nodes.iter().filter(|(_, n)| **n > 0).map(|(p, _)| *p).collect();
    used.extend(solution.columns.iter().flat_map(|c| &c.exclusive).map(|u| u.pool));
    let stand_ins: Vec<PoolIndex> = used.iter().filter_map(|&p| stand_in(problem, p)).collect();
    used.extend(stand_ins);
    used
}

/// On-demand pool of the same shape, place and sharing.
#[must_use]
pub fn stand_in(problem: &Problem, spot: PoolIndex) -> Option<PoolIndex> {
    let own = &problem.pools[spot];
    if own.capacity_type != CapacityType::Spot {
        return None;
    }
    problem.pools.iter().position(|p| {
        p.capacity_type == CapacityType::OnDemand
            && p.instance_type == own.instance_type
            && p.region == own.region
            && p.sharing == own.sharing
            && p.partition.is_none()
    })
}

/// Hours a week that starts and tails of one column add in an exclusive pool.
#[must_use]
pub fn start_hours(problem: &Problem, column: &Column, pool: PoolIndex) -> f64 {
    if problem.pools[pool].sharing == Sharing::Fixed {
        return 0.0;
    }
    let options = &problem.workloads[column.workload];
    match &column.decision {
        Decision::Frozen => 0.0,
        Decision::Job { option, .. } => {
            let job = &options.jobs[*option];
            if job.held || job.place.pool != pool { 0.0 } else { f64::from(job.workers) * job.runs.len() as f64 * job.tail_hours }
        }
        Decision::Service { option, hours, .. } => {
            let o = &options.services[*option];
            let (mut floor_starts, mut flex_starts) = (0.0, 0.0);
            for hour in 0..HOURS_PER_WEEK {
                let before = &hours[(hour + HOURS_PER_WEEK - 1) % HOURS_PER_WEEK];
                let up = |h: &crate::formulation::service::HourCount| if h.asleep { 0 } else { h.flex };
                floor_starts += f64::from(hours[hour].floor.saturating_sub(before.floor));
                flex_starts += f64::from(up(&hours[hour]).saturating_sub(up(before))) + hours[hour].wakes * f64::from(hours[hour].flex);
            }
            let mut starts = 0.0;
            for (place, count) in [(&o.floor, floor_starts), (o.flex(), flex_starts)] {
                if place.pool == pool {
                    starts += count * o.shape.start_hours;
                }
            }
            starts
        }
    }
}

/// What is billed.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// Solution.
    pub solution: &'a Solution,
    /// Names of pools.
    pub names: &'a BTreeMap<PoolIndex, String>,
    /// Commitments that are bought.
    pub bought: &'a Bought,
}

/// Bills every pool.
#[must_use]
pub fn bill(scenario: &Scenario, problem: &Problem, of: &Of<'_>) -> Billed {
    let Of { solution, names, bought } = *of;
    let expected = solution::expected_nodes(&solution.columns);
    let mut billed = Billed { pools: Vec::new(), by_workload: BTreeMap::new(), start_up: Usd::ZERO, committed_hours_used: BTreeMap::new() };
    for &pool in names.keys() {
        let p = &problem.pools[pool];
        let zero = vec![0.0; HOURS_PER_WEEK];
        let (nodes, credit) = match p.sharing {
            Sharing::Exclusive => {
                let nodes = expected.get(&pool).cloned().unwrap_or(zero);
                let credit = solution::credited(problem, (pool, &nodes), &solution.fixed_nodes);
                (nodes, credit)
            }
            Sharing::Fixed => {
                let n = solution.fixed_nodes.get(&pool).copied().unwrap_or(0);
                (vec![f64::from(n); HOURS_PER_WEEK], vec![f64::from(n.min(p.committed)); HOURS_PER_WEEK])
            }
        };
        *billed.committed_hours_used.entry((p.instance_type.to_string(), p.region.to_string())).or_insert(0.0) +=
            credit.iter().sum::<f64>();
        let weights = weights(problem, solution, pool);
        let start_up: f64 = solution.columns.iter().map(|c| start_hours(problem, c, pool)).sum();
        let by_hour: Vec<f64> = nodes.iter().zip(&credit).map(|(n, c)| n - c).collect();
        let paid = by_hour.iter().sum::<f64>();
        let price = UsdPerHour::from_f64(p.price);
        let purchased = Usd::from_f64(bought.credit(problem, (pool, &by_hour)) * MONTHS_PER_WEEK_FACTOR);
        let usd_per_month = price.for_hours(paid + start_up).week_to_month() - purchased;
        billed.start_up += price.for_hours(start_up).week_to_month();
        share_out(&mut billed.by_workload, usd_per_month, &weights);
        billed.pools.push(node_pool(
            scenario,
            problem,
            &Drawn { solution, names, pool, nodes, paid, start_up, purchased, usd_per_month, weights: &weights },
        ));
    }
    billed.pools.sort_by(|a, b| a.name.cmp(&b.name));
    billed
}

/// Each workload's node-hours or slot-hours in a pool, start-ups included.
fn weights(problem: &Problem, solution: &Solution, pool: PoolIndex) -> BTreeMap<String, f64> {
    let mut weights = BTreeMap::new();
    for column in &solution.columns {
        let own: f64 = column.exclusive.iter().filter(|u| u.pool == pool).flat_map(|u| &u.expected).sum();
        // Whole GPUs weigh as such, slices of several kinds by their share of the node.
        let each = |kind| if problem.pools[pool].partition.is_some() { problem.pools[pool].share_of_slot(kind) } else { 1.0 };
        let slots: f64 =
            column.fixed.iter().filter(|u| u.pool == pool).map(|u| each(u.kind) * f64::from(u.slots.iter().sum::<u32>())).sum();
        let idle = idle_slots(problem, column, pool) * HOURS_PER_WEEK as u32;
        let held = f64::from(idle + followed_slots(problem, column, pool));
        let weight = own + (slots - held) + start_hours(problem, column, pool);
        if weight > 0.0 {
            weights.insert(problem.workloads[column.workload].id.to_string(), weight);
        }
    }
    weights
}

/// Slot-hours of a fixed pool that a reactive service holds to follow more than the planned load: nobody's use.
fn followed_slots(problem: &Problem, column: &Column, pool: PoolIndex) -> u32 {
    let Decision::Service { option, mode: Mode::Reactive, hours, .. } = &column.decision else { return 0 };
    let option = &problem.workloads[column.workload].services[*option];
    let place = option.flex();
    if place.pool != pool || place.sharing != Sharing::Fixed {
        return 0;
    }
    let floor: Vec<u32> = hours.iter().map(|h| h.floor).collect();
    let most = column::flex_insured(option, &floor);
    most.iter().zip(hours).map(|(most, hour)| most.saturating_sub(hour.flex) * place.slots).sum()
}

/// Slots of a fixed pool that a frozen column holds and nobody uses.
fn idle_slots(problem: &Problem, column: &Column, pool: PoolIndex) -> u32 {
    let frozen = problem.workloads[column.workload].frozen.as_ref();
    frozen.filter(|f| column.decision == Decision::Frozen && f.pool == pool).map_or(0, |f| f.idle_slots)
}

/// Nodes of a pool that frozen workloads hold: their owner's to manage.
fn frozen_nodes(problem: &Problem, solution: &Solution, pool: PoolIndex) -> f64 {
    let frozen = solution.columns.iter().filter(|c| c.decision == Decision::Frozen);
    let held = frozen.map(|c| {
        let own: f64 = c.exclusive.iter().filter(|u| u.pool == pool).map(|u| u.expected[0]).sum();
        let slots: u32 = c.fixed.iter().filter(|u| u.pool == pool).map(|u| u.slots[0]).sum();
        own + f64::from(slots) / f64::from(problem.pools[pool].gpus) // Frozen workloads have whole GPUs.
    });
    held.sum()
}

/// Shares an amount out by weight; the last by name takes what rounding leaves.
fn share_out(by_workload: &mut BTreeMap<String, Usd>, amount: Usd, weights: &BTreeMap<String, f64>) {
    let total: f64 = weights.values().sum();
    let mut left = amount;
    for (position, (name, weight)) in weights.iter().enumerate() {
        let part = if position + 1 == weights.len() { left } else { amount.scaled(weight / total) };
        left = left - part;
        *by_workload.entry(name.clone()).or_insert(Usd::ZERO) += part;
    }
}

/// What a pool is written from.
struct Drawn<'a> {
    solution: &'a Solution,
    names: &'a BTreeMap<PoolIndex, String>,
    pool: PoolIndex,
    nodes: Vec<f64>,
    paid: f64,
    start_up: f64,
    purchased: Usd,
    usd_per_month: Usd,
    weights: &'a BTreeMap<String, f64>,
}

/// Most nodes held at any hour in a pool.
fn peak(problem: &Problem, solution: &Solution, pool: PoolIndex) -> u32 {
    if problem.pools[pool].sharing == Sharing::Fixed {
        return solution.fixed_nodes.get(&pool).copied().unwrap_or(0);
    }
    let held =
        |hour: usize| -> f64 { solution.columns.iter().flat_map(|c| &c.exclusive).filter(|u| u.pool == pool).map(|u| u.held[hour]).sum() };
    (0..HOURS_PER_WEEK).map(held).fold(0.0, f64::max).ceil() as u32
}

fn node_pool(scenario: &Scenario, problem: &Problem, drawn: &Drawn<'_>) -> NodePool {
    let p = &problem.pools[drawn.pool];
    let instance = &scenario.instance_types[&p.instance_type];
    let offering = scenario.offering(&p.instance_type, &p.region, p.capacity_type);
    let name = drawn.names[&drawn.pool].clone();
    let own_peak = peak(problem, drawn.solution, drawn.pool);
    // An on-demand pool must be able to take over every spot pool of its shape.
    let taken_over: u32 =
        drawn.names.keys().filter(|&&s| stand_in(problem, s) == Some(drawn.pool)).map(|&s| peak(problem, drawn.solution, s)).sum();
    let spot = (p.capacity_type == CapacityType::Spot).then(|| spot_terms(scenario, problem, drawn));
    let all_zones = offering.map(|o| o.zones.clone()).unwrap_or_default();
    let zones = if spot.is_some() { all_zones.into_iter().take(p.zones as usize).collect() } else { all_zones };
    let frozen = frozen_nodes(problem, drawn.solution, drawn.pool);
    let least = (drawn.nodes.iter().copied().fold(f64::INFINITY, f64::min) - frozen + 1e-9).floor().max(0.0) as u32;
    NodePool {
        cloud: instance.cloud.as_str().to_owned(),
        region: p.region.to_string(),
        zones,
        instance_type: p.instance_type.to_string(),
        accelerator: instance.accelerator.to_string(),
        gpus_per_node: instance.gpus,
        vcpus_per_node: instance.vcpus,
        ram_gib_per_node: instance.ram.0,
        capacity_type: p.capacity_type.as_str().to_owned(),
        assurance: assurance(problem, drawn).to_owned(),
        shared: p.sharing == Sharing::Fixed,
        usd_per_hour: offering.map_or(UsdPerHour::ZERO, |o| o.price),
        planned_usd_per_hour: UsdPerHour::from_f64(p.price),
        when_lost: spot.as_ref().map(|terms| when_lost(terms, own_peak)),
        spot,
        committed_nodes: p.committed,
        consolidate_after_s: scenario.node_autoscaler.consolidate_after.0.round() as u32,
        min_nodes: least,
        max_nodes: own_peak + taken_over,
        nodes_by_hour: drawn.nodes.clone(),
        paid_node_hours_per_week: drawn.paid,
        start_up_node_hours_per_week: drawn.start_up,
        purchases_credit_usd_per_month: drawn.purchased,
        usd_per_month: drawn.usd_per_month,
        labels: BTreeMap::from([("gpuplan.dev/pool".to_owned(), name.clone())]),
        taints: vec!["nvidia.com/gpu=true:NoSchedule".to_owned()],
        workloads: drawn.weights.keys().cloned().collect(),
        partition: p.partition.as_ref().map(|cut| partition(scenario, instance, cut)),
        name,
    }
}

/// The layout as nodes carry it.
fn partition(scenario: &Scenario, instance: &InstanceType, cut: &Partition) -> PoolPartition {
    let card = scenario.accelerators.get(&instance.accelerator);
    let slice = |count: &SliceCount| {
        let known = card.and_then(|card| card.slice(&count.name));
        PoolSlice {
            name: count.name.clone(),
            resource: known.map(crate::domain::Slice::resource).unwrap_or_default(),
            per_gpu: count.per_node / instance.gpus,
            memory_gib: known.map_or(0.0, |slice| slice.memory.0),
        }
    };
    PoolPartition {
        technique: cut.technique.as_str().to_owned(),
        layout: cut.layout.clone(),
        slices: cut.slices.iter().map(slice).collect(),
        team: match &cut.tenants {
            Tenants::Any => None,
            Tenants::Team(team) => Some(team.clone()),
        },
    }
}

fn assurance(problem: &Problem, drawn: &Drawn<'_>) -> &'static str {
    let p = &problem.pools[drawn.pool];
    if p.committed > 0 {
        "reserved"
    } else if p.scarce {
        "scarce"
    } else {
        "reliable"
    }
}

fn spot_terms(scenario: &Scenario, problem: &Problem, drawn: &Drawn<'_>) -> SpotTerms {
    let p = &problem.pools[drawn.pool];
    let risk = scenario.offering(&p.instance_type, &p.region, CapacityType::Spot).and_then(|o| o.risk);
    let fallback = scenario.offering(&p.instance_type, &p.region, CapacityType::OnDemand);
    SpotTerms {
        availability: risk.map_or(0.0, |r| r.availability),
        reclaims_per_hour: p.hazard,
        evidence: risk.map_or("prior", |r| r.evidence.as_str()).to_owned(),
        zones_spread: p.zones,
        notice_s: scenario.instance_types[&p.instance_type].cloud.reclaim_notice_s(),
        fallback_pool: stand_in(problem, drawn.pool).and_then(|s| drawn.names.get(&s).cloned()),
        fallback_usd_per_hour: fallback.map_or(UsdPerHour::ZERO, |o| o.price),
        switch_hours: switch_hours(scenario),
    }
}

fn when_lost(terms: &SpotTerms, peak: u32) -> String {
    let lost = peak.div_ceil(terms.zones_spread.max(1));
    let fallback = terms.fallback_pool.as_deref().unwrap_or("nothing");
    format!(
        "a lost zone takes up to {lost} of {peak} nodes with {:.0} s of notice; the on-demand floor stays stable, and `{fallback}` takes over within {:.0} min",
        terms.notice_s,
        terms.switch_hours * 60.0
    )
}

/// Commitments in full, with the hours that the plan leaves unused.
#[must_use]
pub fn commitment_costs(scenario: &Scenario, used: &BTreeMap<(String, String), f64>) -> Vec<CommitmentCost> {
    let mut left = used.clone();
    scenario
        .fleet
        .commitments
        .iter()
        .map(|c| {
            let held = f64::from(c.nodes) * HOURS_PER_WEEK as f64;
            let hours = left.entry((c.instance_type.to_string(), c.region.to_string())).or_insert(0.0);
            let taken = hours.min(held);
            *hours -= taken;
            CommitmentCost {
                name: c.id.to_string(),
                instance_type: c.instance_type.to_string(),
                region: c.region.to_string(),
                nodes: c.nodes,
                usd_per_hour: c.price,
                usd_per_month: c.price.for_hours(f64::from(c.nodes) * HOURS_PER_MONTH),
                stranded_node_hours_per_week: held - taken,
                expires: c.expires.clone(),
            }
        })
        .collect()
}
