//! Reduced costs at given duals, and the columns of modes that have no schedule to choose: static, reactive, jobs.

use crate::domain::{CapacityType, Mode};
use crate::formulation::columns::column::{self, Column, Decision};
use crate::formulation::columns::duals::Duals;
use crate::formulation::columns::schedule;
use crate::formulation::problem::{Place, PoolIndex, Problem, Sharing, SlotKind};
use crate::formulation::service::{HourCount, ServiceOption};
use crate::risk;
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeMap;

/// A column whose reduced cost is not below this (dollars a week, or the stage's unit) is not worth adding.
pub const TOLERANCE: f64 = 1e-6;

/// Price of one role's replicas in an hour.
fn role(problem: &Problem, place: &Place, (count, awake, hour): (u32, f64, usize), duals: &Duals) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let (n, pool) = (f64::from(count), &problem.pools[place.pool]);
    match place.sharing {
        Sharing::Fixed => {
            n * (f64::from(place.slots) * Duals::at(&duals.slot, (place.pool, place.kind), hour) + awake * duals.cost * place.restart)
        }
        Sharing::Exclusive => {
            let mut price = n * awake * (duals.cost * (place.price + place.restart) + Duals::at(&duals.expected, place.pool, hour));
            price += n * Duals::at(&duals.held, place.pool, hour);
            if pool.capacity_type == CapacityType::Spot {
                price += n * awake * duals.exposure * f64::from(pool.gpus) * pool.hazard;
                price += f64::from(risk::lost_with_one_zone(count, pool.zones)) * Duals::at(&duals.lost, place.pool, hour);
            }
            price
        }
    }
}

/// Price of an hour's counts, wakes from zero included, other starts not.
#[must_use]
pub fn hour(problem: &Problem, option: &ServiceOption, (count, hour): (&HourCount, usize), duals: &Duals) -> f64 {
    role(problem, &option.floor, (count.floor, 1.0, hour), duals)
        + role(problem, option.flex(), (count.flex, count.awake, hour), duals)
        + duals.cost * count.wakes * f64::from(count.flex) * option.flex().start
}

/// What every schedule of an option costs whatever its hours: traffic, nodes at its peak in fixed pools and changed nodes,
/// less the price of the choice. `peak` is the count (floor, flex) that no schedule stays below.
#[must_use]
pub fn constant_of_service(problem: &Problem, (workload, option): (usize, &ServiceOption), (peak, duals): ((u32, u32), &Duals)) -> f64 {
    let mut constant =
        column::running_today(problem, workload) * duals.changed - choice(problem, workload, duals) + duals.cost * option.egress;
    let mut slots: BTreeMap<(PoolIndex, SlotKind), u32> = BTreeMap::new();
    for (place, count) in [(&option.floor, peak.0), (option.flex(), peak.1)] {
        *slots.entry((place.pool, place.kind)).or_insert(0) += count * place.slots;
    }
    let mut nodes: BTreeMap<(String, CapacityType), u32> = BTreeMap::new();
    for ((index, kind), slots) in slots {
        let pool = &problem.pools[index];
        let taken = if pool.sharing == Sharing::Fixed { slots.div_ceil(pool.slots(kind)) } else { slots / pool.gpus };
        *nodes.entry((pool.machine.clone(), pool.capacity_type)).or_insert(0) += taken;
        constant += f64::from(taken) * duals.peak.get(&(workload, index)).copied().unwrap_or(0.0);
    }
    // A peak that is not known says nothing of how far the plan is from today.
    let known = peak.0 + peak.1 > 0;
    constant + if known { duals.changed_nodes * f64::from(column::changed_nodes(problem, workload, &nodes)) } else { 0.0 }
}

/// Reduced cost of a column.
#[must_use]
pub fn reduced(problem: &Problem, column: &Column, duals: &Duals) -> f64 {
    let mut value = duals.cost * column.cost + duals.exposure * column.exposure - choice(problem, column.workload, duals);
    value += duals.changed_nodes * f64::from(column.changed_nodes) + column::counted_changes(problem, column) * duals.changed;
    for used in &column.exclusive {
        value += dot(duals.expected.get(&used.pool), &used.expected) + dot(duals.held.get(&used.pool), &used.held);
    }
    for (pool, lost) in &column.lost {
        value += dot(duals.lost.get(pool), lost);
    }
    for used in &column.fixed {
        if let Some(prices) = duals.slot.get(&(used.pool, used.kind)) {
            value += used.slots.iter().zip(prices).map(|(&slots, price)| f64::from(slots) * price).sum::<f64>();
        }
        value += f64::from(used.peak_nodes) * duals.peak.get(&(column.workload, used.pool)).copied().unwrap_or(0.0);
    }
    debug_assert!(problem.count() == duals.choice.len());
    value
}

/// What running the workloads of a unit is worth.
fn choice(problem: &Problem, unit: usize, duals: &Duals) -> f64 {
    problem.workloads[unit].members.iter().map(|&member| duals.choice[member]).sum()
}

fn dot(prices: Option<&Vec<f64>>, counts: &[f64]) -> f64 {
    prices.map_or(0.0, |prices| prices.iter().zip(counts).map(|(p, c)| p * c).sum())
}

/// Columns of a service that need no pricing: static and reactive of every option that keeps its error budget.
#[must_use]
pub fn fixed_columns(problem: &Problem, workload: usize) -> Vec<Column> {
    let options = &problem.workloads[workload];
    let mut columns = Vec::new();
    for (index, option) in options.services.iter().enumerate() {
        for mode in &option.modes {
            let decisions = match mode {
                Mode::Static => vec![constant(index, option)],
                Mode::Reactive => reactive(index, option),
                Mode::Scheduled => Vec::new(),
            };
            columns.extend(decisions.into_iter().filter_map(|d| column::of_service(problem, workload, option, d)));
        }
    }
    columns.extend(options.frozen.as_ref().map(|frozen| column::of_frozen(problem, workload, frozen)));
    columns
}

/// One count all week.
pub(crate) fn constant(index: usize, option: &ServiceOption) -> Decision {
    let n = option.shape.need_static;
    let flex = option.spot_of(n, option.shape.mean_rps.iter().copied().fold(0.0, f64::max));
    Decision::Service {
        option: index,
        mode: Mode::Static,
        base: (n - flex, flex),
        sleeps: false,
        windows: Vec::new(),
        hours: vec![HourCount::up(n - flex, flex); HOURS_PER_WEEK],
    }
}

/// As the HPA responds, over a floor that holds all week; and the same asleep where that is allowed.
pub(crate) fn reactive(index: usize, option: &ServiceOption) -> Vec<Decision> {
    let shape = &option.shape;
    let on_demand = option.spot.is_none();
    // On demand the floor is the fewest replicas; on spot it is what the share and the loss of a zone leave at any hour.
    let floor = if on_demand {
        shape.min_replicas
    } else {
        shape.hpa.iter().zip(&shape.mean_rps).map(|(&n, &mean)| n - option.spot_of(n, mean)).max().unwrap_or(0)
    };
    let decide = |floor: u32, hours: Vec<HourCount>, sleeps: bool| {
        let base = hours.iter().map(|h| if h.asleep { 0 } else { h.flex }).min().unwrap_or(0);
        Decision::Service {
            option: index,
            mode: Mode::Reactive,
            base: (floor, if sleeps { 0 } else { base }),
            sleeps,
            windows: Vec::new(),
            hours,
        }
    };
    let awake = shape.hpa.iter().map(|&n| HourCount::up(floor, n.saturating_sub(floor))).collect();
    let mut decisions = vec![decide(floor, awake, false)];
    if !shape.sleep.is_empty() && on_demand {
        let asleep = (0..HOURS_PER_WEEK).map(|hour| HourCount { flex: shape.hpa[hour].max(1), ..schedule::asleep(option, hour) }).collect();
        decisions.push(decide(0, asleep, true));
    }
    decisions
}

/// What is sought at the duals.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Prices.
    pub duals: &'a Duals,
    /// Columns are wanted whose reduced cost is below this.
    pub below: f64,
    /// At most so many.
    pub keep: usize,
}

/// Best columns of a workload, and a bound on reduced costs that none of its columns beats.
#[must_use]
pub fn best(problem: &Problem, workload: usize, (known, ask): (&[Column], Ask<'_>)) -> (Vec<Column>, f64) {
    let options = &problem.workloads[workload];
    let mut found: Vec<(f64, Column)> = Vec::new();
    let mut bound = f64::INFINITY;
    for column in known {
        let value = reduced(problem, column, ask.duals);
        bound = bound.min(value);
        if value < ask.below {
            found.push((value, column.clone()));
        }
    }
    for (index, option) in options.services.iter().enumerate().filter(|(_, o)| o.modes.contains(&Mode::Scheduled)) {
        let priced = schedule::price(problem, workload, (index, option), (ask.duals, ask.below));
        bound = bound.min(priced.bound);
        found.extend(priced.column.map(|column| (reduced(problem, &column, ask.duals), column)));
    }
    for (index, option) in options.jobs.iter().enumerate() {
        let offsets = if option.held { 0..=0 } else { 0..=option.latest_offset };
        for offset in offsets {
            let column = column::of_job(problem, workload, (index, option), offset);
            let value = reduced(problem, &column, ask.duals);
            bound = bound.min(value);
            if value < ask.below {
                found.push((value, column));
            }
        }
    }
    found.retain(|(value, _)| *value < ask.below);
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(ask.keep);
    (found.into_iter().map(|(_, column)| column).collect(), bound)
}
