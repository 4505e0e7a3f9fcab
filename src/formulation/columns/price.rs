//! Reduced costs at given duals, and the columns of modes that have no schedule to choose: static, reactive, jobs.

use crate::domain::{CapacityType, Mode};
use crate::formulation::columns::column::{self, Column, Decision};
use crate::formulation::columns::duals::Duals;
use crate::formulation::columns::schedule;
use crate::formulation::problem::{Place, Problem, Sharing};
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
        Sharing::Fixed => n * f64::from(place.slots) * Duals::at(&duals.slot, place.pool, hour),
        Sharing::Exclusive => {
            let mut price = n * awake * (duals.cost * place.price + Duals::at(&duals.expected, place.pool, hour));
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

/// What every schedule of an option costs whatever its hours: the least that peaks in fixed pools can come to, less the
/// price of the choice. Some hour is at the `highest` level (floor, flex), or asleep with as many replicas, all flex.
#[must_use]
pub fn constant_of_service(problem: &Problem, workload: usize, (option, highest): (&ServiceOption, (u32, u32)), duals: &Duals) -> f64 {
    let (floor, flex) = highest;
    // Asleep in a place of its own, flex replicas leave the floor's place empty.
    let floor = if option.spot.is_some() && !option.shape.sleep.is_empty() { 0 } else { floor };
    let mut constant = -duals.choice[workload];
    for (place, count) in [(&option.floor, floor), (option.flex(), flex)] {
        if place.sharing == Sharing::Fixed {
            let nodes = (count * place.slots).div_ceil(problem.pools[place.pool].gpus);
            constant += f64::from(nodes) * duals.peak.get(&(workload, place.pool)).copied().unwrap_or(0.0);
        }
    }
    constant
}

/// Reduced cost of a column.
#[must_use]
pub fn reduced(problem: &Problem, column: &Column, duals: &Duals) -> f64 {
    let mut value = duals.cost * column.cost + duals.exposure * column.exposure - duals.choice[column.workload];
    value += duals.changed_nodes * f64::from(column.changed_nodes) + if column.changed { duals.changed } else { 0.0 };
    for used in &column.exclusive {
        value += dot(duals.expected.get(&used.pool), &used.expected) + dot(duals.held.get(&used.pool), &used.held);
    }
    for (pool, lost) in &column.lost {
        value += dot(duals.lost.get(pool), lost);
    }
    for used in &column.fixed {
        if let Some(prices) = duals.slot.get(&used.pool) {
            value += used.slots.iter().zip(prices).map(|(&slots, price)| f64::from(slots) * price).sum::<f64>();
        }
        value += f64::from(used.peak_nodes) * duals.peak.get(&(column.workload, used.pool)).copied().unwrap_or(0.0);
    }
    debug_assert!(problem.workloads.len() == duals.choice.len());
    value
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
        let base = hours.iter().map(|h| if h.awake < 1.0 { 0 } else { h.flex }).min().unwrap_or(0);
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
    if !shape.sleep.is_empty() && (0..HOURS_PER_WEEK).all(|hour| option.all_flex(shape.hpa[hour].max(1), shape.mean_rps[hour])) {
        let asleep = (0..HOURS_PER_WEEK).map(|hour| HourCount { flex: shape.hpa[hour].max(1), ..schedule::asleep(option, hour) }).collect();
        decisions.push(decide(0, asleep, true));
    }
    decisions
}

/// Which columns are worth having.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Reduced cost below this.
    pub below: f64,
    /// At most so many of a workload, the best.
    pub most: usize,
    /// At most so many of one option, so that the starts of one job or the schedules of one place leave room for others.
    pub each: usize,
    /// The best schedule of every base, not only the best of all.
    pub every_base: bool,
}

/// Best columns of a workload at the duals, as far as they are wanted, and a bound that none beats. Jobs give every
/// start, scheduled mode the best schedule of each option.
#[must_use]
pub fn best(problem: &Problem, workload: usize, (known, duals): (&[Column], &Duals), wanted: Wanted) -> (Vec<Column>, f64) {
    let options = &problem.workloads[workload];
    let mut found: Vec<(f64, Column)> = Vec::new();
    let mut bound = f64::INFINITY;
    for column in known {
        let value = reduced(problem, column, duals);
        bound = bound.min(value);
        if value < wanted.below {
            found.push((value, column.clone()));
        }
    }
    for (index, option) in options.services.iter().enumerate().filter(|(_, o)| o.modes.contains(&Mode::Scheduled)) {
        let priced = schedule::price(problem, workload, (index, option), (duals, wanted.every_base));
        bound = bound.min(priced.bound);
        found.extend(priced.columns.into_iter().map(|column| (reduced(problem, &column, duals), column)));
    }
    for (index, option) in options.jobs.iter().enumerate() {
        let offsets = if option.held { 0..=0 } else { 0..=option.latest_offset };
        for offset in offsets {
            let column = column::of_job(problem, workload, (index, option), offset);
            let value = reduced(problem, &column, duals);
            bound = bound.min(value);
            if value < wanted.below {
                found.push((value, column));
            }
        }
    }
    found.retain(|(value, _)| *value < wanted.below);
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut of_option: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    found.retain(|(_, column)| {
        let option = match &column.decision {
            Decision::Service { option, .. } | Decision::Job { option, .. } => Some(*option),
            Decision::Frozen => None,
        };
        let known = of_option.entry(option).or_insert(0);
        *known += 1;
        *known <= wanted.each
    });
    found.truncate(wanted.most);
    (found.into_iter().map(|(_, column)| column).collect(), bound)
}
