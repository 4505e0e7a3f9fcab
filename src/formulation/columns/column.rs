//! A column: one whole weekly schedule of one workload, its own cost, and what it takes of everything shared.

use crate::domain::{CapacityType, Mode, Scenario};
use crate::formulation::frozen::FrozenOption;
use crate::formulation::job::JobOption;
use crate::formulation::pools;
use crate::formulation::problem::{Place, Pool, PoolIndex, Problem, Sharing, SlotKind};
use crate::formulation::service::{HourCount, ServiceOption};
use crate::risk;
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeMap;

/// A span of the local week with its own counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowSpec {
    /// Local days on which it starts, 0 Monday.
    pub days: Vec<u8>,
    /// First local hour.
    pub start_hour: u8,
    /// Local end hour; above 24 on the next day.
    pub end_hour: u8,
    /// Floor replicas.
    pub floor: u32,
    /// Flex replicas.
    pub flex: u32,
}

/// What the column decides.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// A service.
    Service {
        /// Option.
        option: usize,
        /// Mode.
        mode: Mode,
        /// Counts outside windows (floor, flex).
        base: (u32, u32),
        /// Outside windows it may be at zero.
        sleeps: bool,
        /// Windows, sorted.
        windows: Vec<WindowSpec>,
        /// Counts by hour (UTC).
        hours: Vec<HourCount>,
    },
    /// A job.
    Job {
        /// Option.
        option: usize,
        /// Hours from each run's release to its start.
        offset: u32,
    },
    /// As today.
    Frozen,
}

/// Nodes of an exclusive pool.
#[derive(Clone, Debug, PartialEq)]
pub struct ExclusiveUse {
    /// Pool.
    pub pool: PoolIndex,
    /// Nodes held in each hour, when awake.
    pub held: Vec<f64>,
    /// Nodes expected to be paid in each hour.
    pub expected: Vec<f64>,
}

/// Slots of a fixed pool.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedUse {
    /// Pool.
    pub pool: PoolIndex,
    /// Kind of its slots.
    pub kind: SlotKind,
    /// Slots in each hour.
    pub slots: Vec<u32>,
    /// Nodes that this workload alone needs at its peak.
    pub peak_nodes: u32,
}

/// One whole weekly schedule of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Position of the workload.
    pub workload: usize,
    /// What it decides.
    pub decision: Decision,
    /// Own cost a week: exclusive nodes, starts and traffic, commitments not yet credited, dollars.
    pub cost: f64,
    /// Own exposure: spot GPU-hours x hazard in exclusive pools.
    pub exposure: f64,
    /// Nodes taken away and added against today, at the peak.
    pub changed_nodes: u32,
    /// Differs from today.
    pub changed: bool,
    /// Exclusive nodes.
    pub exclusive: Vec<ExclusiveUse>,
    /// Slots of fixed pools.
    pub fixed: Vec<FixedUse>,
    /// Spot nodes of exclusive pools that go with one zone, by hour.
    pub lost: Vec<(PoolIndex, Vec<f64>)>,
}

/// Adds nodes of a role to the uses of a column.
fn add_role(column: &mut Column, pools: &[Pool], place: &Place, counts: (&[u32], &[f64])) {
    let (held, awake) = counts;
    if held.iter().all(|&n| n == 0) {
        return;
    }
    let pool = &pools[place.pool];
    match place.sharing {
        Sharing::Exclusive => {
            let expected: Vec<f64> = held.iter().zip(awake).map(|(&n, &share)| f64::from(n) * share).collect();
            if pool.capacity_type == CapacityType::Spot {
                column.exposure += expected.iter().sum::<f64>() * f64::from(pool.gpus) * pool.hazard;
                let lost = held.iter().map(|&n| f64::from(risk::lost_with_one_zone(n, pool.zones))).collect();
                column.lost.push((place.pool, lost));
            }
            if let Some(known) = column.exclusive.iter_mut().find(|u| u.pool == place.pool) {
                for hour in 0..HOURS_PER_WEEK {
                    known.held[hour] += f64::from(held[hour]);
                    known.expected[hour] += expected[hour];
                }
            } else {
                column.exclusive.push(ExclusiveUse { pool: place.pool, held: held.iter().map(|&n| f64::from(n)).collect(), expected });
            }
        }
        Sharing::Fixed => {
            let slots: Vec<u32> = held.iter().map(|&n| n * place.slots).collect();
            if let Some(known) = column.fixed.iter_mut().find(|u| (u.pool, u.kind) == (place.pool, place.kind)) {
                for (sum, own) in known.slots.iter_mut().zip(&slots) {
                    *sum += own;
                }
                known.peak_nodes = known.slots.iter().copied().max().unwrap_or(0).div_ceil(pool.slots(place.kind));
            } else {
                let peak_nodes = slots.iter().copied().max().unwrap_or(0).div_ceil(pool.slots(place.kind));
                column.fixed.push(FixedUse { pool: place.pool, kind: place.kind, slots, peak_nodes });
            }
        }
    }
}

/// Starts that a week of counts causes, the first hour following the last.
pub(crate) fn starts(counts: &[u32]) -> u32 {
    (0..counts.len()).map(|hour| counts[hour].saturating_sub(counts[(hour + counts.len() - 1) % counts.len()])).sum()
}

/// A service's column; `None` when it does not keep the error budget.
#[must_use]
pub fn of_service(problem: &Problem, workload: usize, option: &ServiceOption, decision: Decision) -> Option<Column> {
    let Decision::Service { hours, mode, .. } = &decision else { return None };
    if misses(option, hours) > option.shape.spare_misses {
        return None;
    }
    let floor: Vec<u32> = hours.iter().map(|h| h.floor).collect();
    let flex: Vec<u32> = hours.iter().map(|h| h.flex).collect();
    let awake: Vec<f64> = hours.iter().map(|h| h.awake).collect();
    // In an hour that may be at zero the flex replicas start by waking, which is counted apart.
    let scheduled: Vec<u32> = hours.iter().map(|h| if h.asleep { 0 } else { h.flex }).collect();
    let wakes: f64 = hours.iter().map(|h| h.wakes * f64::from(h.flex)).sum();
    let place = option.flex();
    let node_hours = |place: &Place, counts: &[u32], share: &[f64]| {
        (place.price + place.restart) * counts.iter().zip(share).map(|(&n, &a)| f64::from(n) * a).sum::<f64>()
    };
    let up = vec![1.0; HOURS_PER_WEEK];
    let cost = option.egress
        + node_hours(&option.floor, &floor, &up)
        + node_hours(place, &flex, &awake)
        + f64::from(starts(&floor)) * option.floor.start
        + (f64::from(starts(&scheduled)) + wakes) * place.start;
    let mode = *mode;
    let mut column = Column {
        workload,
        decision,
        cost,
        exposure: 0.0,
        changed_nodes: 0,
        changed: false,
        exclusive: Vec::new(),
        fixed: Vec::new(),
        lost: Vec::new(),
    };
    add_role(&mut column, &problem.pools, &option.floor, (&floor, &up));
    add_role(&mut column, &problem.pools, place, (&flex, &awake));
    mark_changes(problem, &mut column, mode != Mode::Static || !option.as_today);
    if mode == Mode::Reactive {
        let insured: Vec<u32> = flex_insured(option, &floor);
        hold(&mut column, &problem.pools, place, (&flex, &insured));
    }
    Some(column)
}

/// Flex replicas that a reactive service may follow up to in each hour, over its floor.
pub(crate) fn flex_insured(option: &ServiceOption, floor: &[u32]) -> Vec<u32> {
    option.shape.hpa_insured.iter().zip(floor).map(|(&most, &floor)| most.saturating_sub(floor)).collect()
}

/// Holds in quotas and shared nodes what a service may follow up to; it is not paid before it comes.
fn hold(column: &mut Column, pools: &[Pool], place: &Place, (flex, insured): (&[u32], &[u32])) {
    let more: Vec<u32> = insured.iter().zip(flex).map(|(&most, &planned)| most.saturating_sub(planned)).collect();
    if more.iter().all(|&n| n == 0) {
        return;
    }
    let nothing = vec![0.0; HOURS_PER_WEEK];
    let mut held = Column { exclusive: Vec::new(), fixed: Vec::new(), lost: Vec::new(), ..column.clone() };
    add_role(&mut held, pools, place, (&more, &nothing));
    for new in held.exclusive {
        match column.exclusive.iter_mut().find(|u| u.pool == new.pool) {
            Some(known) => known.held.iter_mut().zip(&new.held).for_each(|(sum, own)| *sum += own),
            None => column.exclusive.push(new),
        }
    }
    for new in held.fixed {
        match column.fixed.iter_mut().find(|u| (u.pool, u.kind) == (new.pool, new.kind)) {
            Some(known) => {
                known.slots.iter_mut().zip(&new.slots).for_each(|(sum, own)| *sum += own);
                known.peak_nodes = known.slots.iter().copied().max().unwrap_or(0).div_ceil(pools[new.pool].slots(new.kind));
            }
            None => column.fixed.push(new),
        }
    }
    if pools[place.pool].capacity_type == CapacityType::Spot && place.sharing == Sharing::Exclusive {
        let zones = pools[place.pool].zones;
        let most = insured.iter().zip(flex).map(|(&most, &planned)| most.max(planned));
        let lost = most.map(|n| f64::from(risk::lost_with_one_zone(n, zones))).collect();
        column.lost.retain(|(pool, _)| *pool != place.pool);
        column.lost.push((place.pool, lost));
    }
}

/// Expected misses a week outside steady state.
#[must_use]
pub fn misses(option: &ServiceOption, hours: &[HourCount]) -> f64 {
    hours.iter().zip(&option.shape.mean_rps).map(|(hour, &mean)| hour.cold_misses + option.reclaim_misses(hour, mean)).sum()
}

/// Share of each hour of the week that the job's workers run, for a start `offset` hours after release; touched hours
/// count as 1 when `whole`.
#[must_use]
pub fn job_hours(option: &JobOption, offset: u32, whole: bool) -> Vec<f64> {
    let mut hours = vec![0.0; HOURS_PER_WEEK];
    for run in &option.runs {
        let start = run.release_hour + offset;
        let mut left = option.hours;
        let mut hour = start as usize;
        while left > 1e-9 {
            hours[hour % HOURS_PER_WEEK] += if whole { 1.0 } else { left.min(1.0) };
            left -= 1.0;
            hour += 1;
        }
    }
    hours
}

/// A job's column.
#[must_use]
pub fn of_job(problem: &Problem, workload: usize, (index, option): (usize, &JobOption), offset: u32) -> Column {
    let workers = f64::from(option.workers);
    let runs = option.runs.len() as f64;
    let pool = &problem.pools[option.place.pool];
    let paid_hours = if option.held { HOURS_PER_WEEK as f64 } else { runs * (option.hours + option.tail_hours) };
    let mut column = Column {
        workload,
        decision: Decision::Job { option: index, offset },
        cost: option.place.price * workers * paid_hours + option.bytes,
        exposure: 0.0,
        changed_nodes: 0,
        changed: false,
        exclusive: Vec::new(),
        fixed: Vec::new(),
        lost: Vec::new(),
    };
    match option.place.sharing {
        Sharing::Exclusive => {
            let all_week = vec![workers; HOURS_PER_WEEK];
            let scaled = |whole: bool| -> Vec<f64> { job_hours(option, offset, whole).iter().map(|h| h * workers).collect() };
            let (held, expected) = if option.held { (all_week.clone(), all_week) } else { (scaled(true), scaled(false)) };
            if option.spot {
                column.exposure = expected.iter().sum::<f64>() * f64::from(pool.gpus) * pool.hazard;
                column.lost.push((option.place.pool, held.clone()));
            }
            column.exclusive.push(ExclusiveUse { pool: option.place.pool, held, expected });
        }
        Sharing::Fixed => {
            let slots: Vec<u32> =
                job_hours(option, offset, true).iter().map(|&h| (h.round() as u32) * option.workers * option.place.slots).collect();
            let peak_nodes = slots.iter().copied().max().unwrap_or(0).div_ceil(pool.gpus);
            column.fixed.push(FixedUse { pool: option.place.pool, kind: 0, slots, peak_nodes });
        }
    }
    mark_changes(problem, &mut column, true);
    column
}

/// A workload as it runs today.
#[must_use]
pub fn of_frozen(problem: &Problem, workload: usize, option: &FrozenOption) -> Column {
    let mut column = Column {
        workload,
        decision: Decision::Frozen,
        cost: option.cost,
        exposure: option.exposure,
        changed_nodes: 0,
        changed: false,
        exclusive: Vec::new(),
        fixed: Vec::new(),
        lost: Vec::new(),
    };
    match option.sharing {
        Sharing::Exclusive => column.exclusive.push(ExclusiveUse {
            pool: option.pool,
            held: vec![option.held; HOURS_PER_WEEK],
            expected: vec![option.nodes; HOURS_PER_WEEK],
        }),
        Sharing::Fixed => column.fixed.push(FixedUse {
            pool: option.pool,
            kind: 0,
            slots: vec![option.slots + option.idle_slots; HOURS_PER_WEEK],
            peak_nodes: (option.slots + option.idle_slots).div_ceil(problem.pools[option.pool].gpus),
        }),
    }
    if option.sharing == Sharing::Exclusive && option.lost > 0.0 {
        column.lost.push((option.pool, vec![option.lost; HOURS_PER_WEEK]));
    }
    column
}

/// Peak nodes of a column by (instance type, capacity type).
#[must_use]
pub fn peak_nodes(problem: &Problem, column: &Column) -> BTreeMap<(String, CapacityType), u32> {
    let mut peaks = BTreeMap::new();
    let mut add = |pool: PoolIndex, nodes: u32| {
        let pool = &problem.pools[pool];
        *peaks.entry((pool.machine.clone(), pool.capacity_type)).or_insert(0) += nodes;
    };
    for used in &column.exclusive {
        add(used.pool, used.held.iter().copied().fold(0.0, f64::max).ceil() as u32);
    }
    for used in &column.fixed {
        add(used.pool, used.peak_nodes);
    }
    peaks
}

/// Nodes taken away and added, against today's, when a workload's peak nodes are these.
#[must_use]
pub fn changed_nodes(problem: &Problem, workload: usize, plan: &BTreeMap<(String, CapacityType), u32>) -> u32 {
    let today = &problem.workloads[workload].today;
    let keys: std::collections::BTreeSet<_> = plan.keys().chain(today.keys()).collect();
    keys.into_iter().map(|key| plan.get(key).copied().unwrap_or(0).abs_diff(today.get(key).copied().unwrap_or(0))).sum()
}

/// How many of the changes that `max_changes` counts a column is: one for each workload, none for one that runs nowhere today.
#[must_use]
pub fn counted_changes(problem: &Problem, column: &Column) -> f64 {
    if column.changed { running_today(problem, column.workload) } else { 0.0 }
}

/// Workloads of a unit that run somewhere today.
#[must_use]
pub fn running_today(problem: &Problem, unit: usize) -> f64 {
    problem.workloads[unit].members.iter().filter(|&&m| !problem.workloads[m].today.is_empty()).count() as f64
}

/// Compares the column's peak nodes with today's.
fn mark_changes(problem: &Problem, column: &mut Column, other_mode: bool) {
    column.changed_nodes = changed_nodes(problem, column.workload, &peak_nodes(problem, column));
    column.changed = other_mode || column.changed_nodes > 0;
}

/// Today's nodes of each workload by (instance type, capacity type): its share of its group, rounded up.
#[must_use]
pub fn today(scenario: &Scenario, workload: &crate::domain::Workload) -> BTreeMap<(String, CapacityType), u32> {
    let mut nodes = BTreeMap::new();
    if let Some(placement) = &workload.placement
        && let Some(group) = scenario.node_group(&placement.node_group)
    {
        let gpus = scenario.instance_types[&group.instance_type].gpus;
        let count = (placement.replicas * placement.gpus_per_replica).div_ceil(gpus);
        let machine = pools::machine(scenario, &group.instance_type, &group.region);
        nodes.insert((machine, group.capacity_type), count);
    }
    nodes
}
