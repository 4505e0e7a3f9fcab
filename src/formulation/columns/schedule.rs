//! Scheduled mode: the cheapest floors in at most N windows at given prices, by dynamic programming over the day.
//!
//! A service day begins at the local hour of least load, and its first hours stay at the base. All days share one
//! pattern, or weekdays and weekends have one each; base counts hold outside windows, and each window is one cron
//! trigger. The program's state is (windows used, level). Its value is exact but for the error budget, which is priced,
//! not enforced, until the column is evaluated.

use crate::demand::SleepyHour;
use crate::domain::Mode;
use crate::formulation::columns::column::{self, Column, Decision, WindowSpec};
use crate::formulation::columns::duals::Duals;
use crate::formulation::columns::price;
use crate::formulation::problem::Problem;
use crate::formulation::service::{HourCount, ServiceOption};
use crate::units::HOURS_PER_WEEK;

const HOURS: usize = 24;

/// Patterns of a week: sets of local days that share their windows.
pub(crate) const PATTERNS: [&[&[u8]]; 2] = [&[&[0, 1, 2, 3, 4, 5, 6]], &[&[0, 1, 2, 3, 4], &[5, 6]]];

/// Steps between the last price of a miss that broke the error budget and the first that kept it.
const BISECTIONS: usize = 10;

/// Prices of a missed request, dollars, tried until the error budget is kept.
const MISS_PRICES: [f64; 7] = [0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 1000.0];

/// The best column found and a bound that no column of this option and mode beats.
#[derive(Clone, Debug)]
pub struct Priced {
    /// Best column; `None` when none keeps the error budget.
    pub column: Option<Column>,
    /// Reduced cost that no schedule is below.
    pub bound: f64,
}

/// One level: a count with its split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// Replicas that it stands for; floor and flex may be more.
    pub n: u32,
    /// On-demand floor.
    pub floor: u32,
    /// Flex replicas.
    pub flex: u32,
}

/// Everything about an option that does not depend on prices.
struct Frame<'a> {
    problem: &'a Problem,
    workload: usize,
    option: &'a ServiceOption,
    levels: Vec<Level>,
    cut: usize,
    /// Dollars that growing from one state to another costs on one day; states are the levels, then asleep.
    starts: Vec<Vec<f64>>,
}

impl<'a> Frame<'a> {
    fn of(problem: &'a Problem, workload: usize, option: &'a ServiceOption) -> Self {
        let levels = levels(option);
        let counts = |state: usize| levels.get(state).map_or((0, 0), |level| (level.floor, level.flex));
        let start = |from: usize, to: usize| {
            let ((floor_from, flex_from), (floor_to, flex_to)) = (counts(from), counts(to));
            f64::from(floor_to.saturating_sub(floor_from)) * option.floor.start
                + f64::from(flex_to.saturating_sub(flex_from)) * option.flex().start
        };
        let starts = (0..=levels.len()).map(|from| (0..=levels.len()).map(|to| start(from, to)).collect()).collect();
        Self { problem, workload, option, levels, cut: least_loaded_hour(option), starts }
    }

    /// UTC hour of a local day and a position in the service day.
    fn utc(&self, day: u8, position: usize) -> usize {
        utc_hour(self.option, (self.cut, day, position))
    }
}

/// UTC hour of a local day and a position in the service day that begins at `cut`.
pub(crate) fn utc_hour(option: &ServiceOption, (cut, day, position): (usize, u8, usize)) -> usize {
    let local = i64::from(day) * 24 + (cut + position) as i64;
    (local - i64::from(option.shape.utc_offset_hours)).rem_euclid(HOURS_PER_WEEK as i64) as usize
}

/// Costs of a set of days: by position and level, then of sleeping.
struct DayCosts {
    days: Vec<u8>,
    need: [u32; HOURS],
    may_sleep: [bool; HOURS],
    level: Vec<[f64; HOURS]>,
    sleep: [f64; HOURS],
}

/// A schedule of one set of days: level by position (`None` sleeps).
type DayPlan = Vec<Option<usize>>;

/// Prices the scheduled mode of an option; an option of which no schedule can be `below` a reduced cost is left at that.
///
/// Misses are priced: at 0 first, then dearer until the error budget is kept, then between the last price that broke it
/// and the first that kept it. Every price gives a bound; the best of them counts.
#[must_use]
pub fn price(problem: &Problem, workload: usize, (index, option): (usize, &ServiceOption), (duals, below): (&Duals, f64)) -> Priced {
    let frame = Frame::of(problem, workload, option);
    let constant = price::constant_of_service(problem, (workload, option), (least_peak(&frame), duals));
    let least = constant + hour_by_hour(&frame, duals);
    if least >= below {
        return Priced { column: None, bound: least };
    }
    let mut best = Priced { column: None, bound: f64::NEG_INFINITY };
    let mut try_price = |miss_price: f64| -> Option<bool> {
        let (value, column) = cheapest(&frame, index, (duals, miss_price))?;
        best.bound = best.bound.max(value - miss_price * option.shape.spare_misses + constant);
        let kept = column.is_some();
        if let Some(column) = column
            && best.column.as_ref().is_none_or(|known| price::reduced(problem, &column, duals) < price::reduced(problem, known, duals))
        {
            best.column = Some(column);
        }
        Some(kept)
    };
    let mut broken = 0.0;
    for miss_price in MISS_PRICES {
        match try_price(miss_price) {
            None => return Priced { column: None, bound: f64::INFINITY },
            Some(false) => broken = miss_price,
            Some(true) => {
                bisect((broken, miss_price), &mut try_price);
                break;
            }
        }
    }
    best
}

/// What a week costs whose every hour has the level that is cheapest for it alone, whatever the windows: no schedule costs less.
fn hour_by_hour(frame: &Frame<'_>, duals: &Duals) -> f64 {
    let option = frame.option;
    let sleepy = !option.shape.sleep.is_empty();
    let cheapest = |hour: usize| {
        let enough = frame.levels.iter().filter(|level| level.n >= option.shape.need[hour]);
        let awake = enough.map(|level| price::hour(frame.problem, option, (&HourCount::up(level.floor, level.flex), hour), duals));
        let asleep = (sleepy && option.may_sleep(hour)).then(|| price::hour(frame.problem, option, (&asleep(option, hour), hour), duals));
        awake.chain(asleep).fold(f64::INFINITY, f64::min)
    };
    (0..HOURS_PER_WEEK).map(cheapest).sum()
}

/// Closes in on the price of a miss at which the budget is just kept.
fn bisect((mut broken, mut kept): (f64, f64), try_price: &mut impl FnMut(f64) -> Option<bool>) {
    if kept <= 0.0 {
        return;
    }
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(broken, kept);
        if try_price(middle) == Some(true) { kept = middle } else { broken = middle }
    }
}

/// Counts (floor, flex) that the peak of no schedule stays below.
fn least_peak(frame: &Frame<'_>) -> (u32, u32) {
    let top = frame.levels.last().map_or((0, 0), |l| (l.floor, l.flex));
    // A service that may sleep can carry any hour asleep, where every replica is flex.
    if frame.option.shape.sleep.is_empty() {
        top
    } else if frame.option.spot.is_none() {
        (0, top.0 + top.1)
    } else {
        (0, 0)
    }
}

/// Distinct counts that hours need, each with the split that is right for the highest mean load it may carry.
pub(crate) fn levels(option: &ServiceOption) -> Vec<Level> {
    let shape = &option.shape;
    let mut counts: Vec<u32> = shape.need.clone();
    counts.sort_unstable();
    counts.dedup();
    let mut levels: Vec<Level> = Vec::with_capacity(counts.len());
    for n in counts {
        let carried = shape.need.iter().zip(&shape.mean_rps).filter(|(need, _)| **need <= n).map(|(_, mean)| *mean);
        let spot = option.spot_of(n, carried.fold(0.0, f64::max));
        // A cron trigger can only add to the base, so neither part may shrink as the count grows.
        let (least_floor, least_flex) = levels.last().map_or((0, 0), |l| (l.floor, l.flex));
        let floor = (n - spot).max(least_floor);
        let flex = n.saturating_sub(floor).max(least_flex);
        levels.push(Level { n, floor, flex });
    }
    levels
}

/// Local hour of the day with the least load over the week: no window crosses it.
pub(crate) fn least_loaded_hour(option: &ServiceOption) -> usize {
    let offset = i64::from(option.shape.utc_offset_hours);
    let mut load = [0.0; HOURS];
    for (hour, mean) in option.shape.mean_rps.iter().enumerate() {
        load[(hour as i64 + offset).rem_euclid(24) as usize] += mean;
    }
    (0..HOURS).min_by(|&a, &b| load[a].total_cmp(&load[b])).unwrap_or(0)
}

/// Value, days with their plans, and base of a schedule.
type Found = (f64, Vec<(Vec<u8>, DayPlan)>, Option<usize>);

/// Cheapest schedule over patterns and bases at a price of misses: its value and, if it keeps the budget, its column.
fn cheapest(frame: &Frame<'_>, index: usize, prices: (&Duals, f64)) -> Option<(f64, Option<Column>)> {
    let mut best: Option<Found> = None;
    let sleepy = !frame.option.shape.sleep.is_empty();
    for pattern in &PATTERNS {
        let costs: Vec<DayCosts> = pattern.iter().map(|days| day_costs(frame, days, prices)).collect();
        let bases = (0..frame.levels.len()).map(Some).chain(sleepy.then_some(None));
        for base in bases {
            let Some((value, plans)) = best_of_base(frame, &costs, (base, prices.0)) else { continue };
            if best.as_ref().is_none_or(|(known, ..)| value < known - 1e-9) {
                let plans = costs.iter().map(|c| c.days.clone()).zip(plans).collect();
                best = Some((value, plans, base));
            }
        }
    }
    let (value, plans, base) = best?;
    let decision = decision(frame, index, (&plans, base));
    Some((value, column::of_service(frame.problem, frame.workload, frame.option, decision)))
}

/// Costs of a set of days at the prices.
fn day_costs(frame: &Frame<'_>, days: &[u8], (duals, miss_price): (&Duals, f64)) -> DayCosts {
    let option = frame.option;
    let level = vec![[0.0; HOURS]; frame.levels.len()];
    let mut costs = DayCosts { days: days.to_vec(), need: [0; HOURS], may_sleep: [true; HOURS], level, sleep: [0.0; HOURS] };
    for position in 0..HOURS {
        for &day in days {
            let hour = frame.utc(day, position);
            let mean = option.shape.mean_rps[hour];
            costs.need[position] = costs.need[position].max(option.shape.need[hour]);
            costs.may_sleep[position] &= option.may_sleep(hour);
            for (at, level) in frame.levels.iter().enumerate() {
                let count = HourCount::up(level.floor, level.flex);
                costs.level[at][position] +=
                    price::hour(frame.problem, option, (&count, hour), duals) + miss_price * option.reclaim_misses(&count, mean);
            }
            if !option.shape.sleep.is_empty() {
                let count = asleep(option, hour);
                costs.sleep[position] += price::hour(frame.problem, option, (&count, hour), duals)
                    + miss_price * (count.cold_misses + option.reclaim_misses(&count, mean));
            }
        }
    }
    costs
}

/// Counts of an hour in which the service may be at zero.
#[must_use]
pub fn asleep(option: &ServiceOption, hour: usize) -> HourCount {
    let SleepyHour { awake_share, wakes, misses } = option.shape.sleep[hour];
    // Awake, every replica is flex: a floor would not sleep.
    let n = option.shape.need[hour].max(1);
    HourCount { floor: 0, flex: n, asleep: true, awake: awake_share, wakes, cold_misses: misses }
}

/// Best plans of a base over the sets of days, windows shared out between them.
fn best_of_base(frame: &Frame<'_>, costs: &[DayCosts], (base, duals): (Option<usize>, &Duals)) -> Option<(f64, Vec<DayPlan>)> {
    // A service that sleeps is one Deployment that cron and load scale together, so all of it is flex; on spot that
    // would leave no floor for the loss of a zone, so those options do not sleep.
    if base.is_none() && frame.option.spot.is_some() {
        return None;
    }
    let limit = frame.option.shape.max_windows as usize;
    let tables: Vec<Vec<Option<(f64, DayPlan)>>> = costs.iter().map(|c| day_program(frame, c, (base, limit, duals))).collect();
    match tables.as_slice() {
        [only] => best_up_to(only, limit).map(|(value, plan)| (value, vec![plan])),
        [first, second] => (0..=limit)
            .filter_map(|windows| {
                let (a, plan_a) = first[windows].clone()?;
                let (b, plan_b) = best_up_to(second, limit - windows)?;
                Some((a + b, vec![plan_a, plan_b]))
            })
            .min_by(|x, y| x.0.total_cmp(&y.0)),
        _ => None,
    }
}

fn best_up_to(table: &[Option<(f64, DayPlan)>], limit: usize) -> Option<(f64, DayPlan)> {
    table[..=limit].iter().flatten().min_by(|x, y| x.0.total_cmp(&y.0)).cloned()
}

/// Dynamic program of one set of days: best value and plan for each number of windows.
fn day_program(frame: &Frame<'_>, costs: &DayCosts, (base, limit, duals): (Option<usize>, usize, &Duals)) -> Vec<Option<(f64, DayPlan)>> {
    // States: levels, then one more for sleeping.
    let states = frame.levels.len() + 1;
    let asleep = states - 1;
    let base_state = base.unwrap_or(asleep);
    let dollar = costs.days.len() as f64 * duals.cost;
    let allowed = |state: usize, position: usize| {
        if position < frame.option.shape.quiet_hours && state != base_state {
            false
        } else if state == asleep {
            base.is_none() && costs.may_sleep[position]
        } else {
            frame.levels[state].n >= costs.need[position] && (base.is_none() || state >= base_state)
        }
    };
    let cost = |state: usize, position: usize| if state == asleep { costs.sleep[position] } else { costs.level[state][position] };
    // By windows used and state.
    let cells = (limit + 1) * states;
    let mut value = vec![f64::INFINITY; cells];
    let mut next = vec![f64::INFINITY; cells];
    let mut parents: Vec<(usize, usize)> = vec![(0, 0); HOURS * cells];
    for state in (0..states).filter(|&s| allowed(s, 0)) {
        value[state] = cost(state, 0);
    }
    for position in 1..HOURS {
        next.fill(f64::INFINITY);
        for state in (0..states).filter(|&s| allowed(s, position)) {
            let own = cost(state, position);
            let opens = usize::from(state != base_state);
            for windows in 0..=limit {
                let mut best = (f64::INFINITY, (0, 0));
                let opened = windows.checked_sub(opens);
                for from in 0..states {
                    let (before, start) = if from == state { (Some(windows), 0.0) } else { (opened, dollar * frame.starts[from][state]) };
                    let Some(before) = before else { continue };
                    let reached = value[before * states + from] + start;
                    if reached < best.0 {
                        best = (reached, (before, from));
                    }
                }
                next[windows * states + state] = best.0 + own;
                parents[position * cells + windows * states + state] = best.1;
            }
        }
        std::mem::swap(&mut value, &mut next);
    }
    let plan = |windows: usize| {
        let found = trace_back((&value, states), &parents, windows);
        found.map(|(v, plan)| (v, plan.into_iter().map(|s| (s != asleep).then_some(s)).collect()))
    };
    (0..=limit).map(plan).collect()
}

/// Reads the best plan with a number of windows off the table.
fn trace_back((value, states): (&[f64], usize), parents: &[(usize, usize)], windows: usize) -> Option<(f64, Vec<usize>)> {
    let row = &value[windows * states..(windows + 1) * states];
    let (mut state, &best) = row.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
    if !best.is_finite() {
        return None;
    }
    let mut windows = windows;
    let mut plan = vec![state; HOURS];
    for position in (1..HOURS).rev() {
        (windows, state) = parents[position * value.len() + windows * states + state];
        plan[position - 1] = state;
    }
    Some((best, plan))
}

/// Turns the plans of the sets of days into windows and counts by hour.
fn decision(frame: &Frame<'_>, index: usize, (plans, base): (&[(Vec<u8>, DayPlan)], Option<usize>)) -> Decision {
    let mut hours = vec![HourCount::up(0, 0); HOURS_PER_WEEK];
    let mut windows = Vec::new();
    for (days, plan) in plans {
        for (position, state) in plan.iter().enumerate() {
            for &day in days {
                let hour = frame.utc(day, position);
                hours[hour] = state.map_or_else(
                    || asleep(frame.option, hour),
                    |s| {
                        let (floor, flex) = counts(&frame.levels[s], base);
                        HourCount::up(floor, flex)
                    },
                );
            }
        }
        windows.extend(windows_of(frame, days, (plan, base)));
    }
    windows.sort();
    let base_counts = base.map_or((0, 0), |s| (frame.levels[s].floor, frame.levels[s].flex));
    Decision::Service { option: index, mode: Mode::Scheduled, base: base_counts, sleeps: base.is_none(), windows, hours }
}

/// Floor and flex of a level: all flex where the service sleeps outside windows.
fn counts(level: &Level, base: Option<usize>) -> (u32, u32) {
    if base.is_some() { (level.floor, level.flex) } else { (0, level.floor + level.flex) }
}

/// Runs of equal level other than the base, as windows.
fn windows_of(frame: &Frame<'_>, days: &[u8], (plan, base): (&DayPlan, Option<usize>)) -> Vec<WindowSpec> {
    let mut windows = Vec::new();
    let mut position = 0;
    while position < HOURS {
        let state = plan[position];
        let end = (position..HOURS).find(|&p| plan[p] != state).unwrap_or(HOURS);
        if let Some(level) = state.filter(|_| state != base) {
            let (floor, flex) = counts(&frame.levels[level], base);
            let (start, stop) = (frame.cut + position, frame.cut + end);
            let shift = (start / HOURS) as u8;
            windows.push(WindowSpec {
                days: {
                    let mut d: Vec<u8> = days.iter().map(|day| (day + shift) % 7).collect();
                    d.sort_unstable();
                    d
                },
                start_hour: (start % HOURS) as u8,
                end_hour: (stop - HOURS * usize::from(shift)) as u8,
                floor,
                flex,
            });
        }
        position = end;
    }
    windows
}
