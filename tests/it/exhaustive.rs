//! Every decision of a tiny problem, tried: all options, modes, bases, windows of both patterns, starts of jobs.
//!
//! The evaluation knows the problem's options in numbers (places, needs, prices) and nothing of columns, of the day's
//! dynamic program or of any solver. Ways that cost no less and take no less of anything shared are dropped on the way,
//! which is exact.

#![expect(clippy::unwrap_used, reason = "test")]

use gpuplan::domain::{CapacityType, Mode};
use gpuplan::formulation::frozen::FrozenOption;
use gpuplan::formulation::job::JobOption;
use gpuplan::formulation::problem::{Place, Problem, Sharing};
use gpuplan::formulation::service::ServiceOption;
use std::collections::BTreeMap;

const WEEK: usize = 168;
/// Local days that share their windows.
const WEEKDAYS: [usize; 5] = [0, 1, 2, 3, 4];
const WEEKEND: [usize; 2] = [5, 6];
const ALL_DAYS: [usize; 7] = [0, 1, 2, 3, 4, 5, 6];

/// Ways of one workload, none of which makes another pointless, above which an instance is not tiny and is left out.
const MOST_KEPT: usize = 400;

/// Weeks of one workload above which an instance is not tiny.
const MOST_TRIED: usize = 150_000;

/// What a way of running a workload takes of something shared, by hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Take {
    /// Slots of a fixed pool.
    Slots(usize),
    /// Expected nodes of an exclusive pool that commitments may pay for; their price is not in the way's own cost.
    Paid(usize),
    /// Nodes of an exclusive pool when awake.
    Held(usize),
    /// Spot nodes that need a stand-in when a zone of the pool is lost.
    Lost(usize),
    /// Counts against the most changes.
    Change,
}

/// One way to run one workload.
#[derive(Clone, Debug, Default)]
struct Way {
    cost: f64,
    takes: BTreeMap<Take, Vec<f64>>,
}

impl Way {
    fn take(&mut self, what: Take, hours: impl Iterator<Item = f64>) {
        let sums = self.takes.entry(what).or_insert_with(|| vec![0.0; WEEK]);
        sums.iter_mut().zip(hours).for_each(|(sum, own)| *sum += own);
    }

    /// No dearer and takes no more of anything.
    fn no_worse(&self, other: &Self) -> bool {
        let less = |(what, own): (&Take, &Vec<f64>)| match other.takes.get(what) {
            Some(theirs) => own.iter().zip(theirs).all(|(a, b)| a <= b),
            None => own.iter().all(|&a| a <= 0.0),
        };
        self.cost <= other.cost && self.takes.iter().all(less)
    }
}

/// Keeps the ways that no other makes pointless.
fn offer(kept: &mut Vec<Way>, way: Way) {
    if kept.iter().any(|k| k.no_worse(&way)) {
        return;
    }
    kept.retain(|k| !way.no_worse(k));
    kept.push(way);
}

/// Replicas of an hour in a state of a schedule.
#[derive(Clone, Copy, Default)]
struct Count {
    floor: u32,
    flex: u32,
    awake: f64,
    wakes: f64,
    cold: f64,
    zero: bool,
}

fn up(floor: u32, flex: u32) -> Count {
    Count { floor, flex, awake: 1.0, ..Count::default() }
}

/// Most of `n` replicas on spot: the owner's share, and what is left without a zone carries the contingency.
fn on_spot(option: &ServiceOption, n: u32, mean: f64) -> u32 {
    let Some(_) = option.spot else { return 0 };
    let stable =
        |spot: u32| option.shape.capacity.stable_rps * f64::from(n - spot.div_ceil(option.zones)) >= option.shape.contingency * mean;
    (0..=n).rev().find(|&s| f64::from(s) <= option.share * f64::from(n) + 1e-9 && stable(s)).unwrap_or(0)
}

fn misses(option: &ServiceOption, count: &Count, hour: usize) -> f64 {
    let mean = option.shape.mean_rps[hour];
    if option.spot.is_none() || count.flex == 0 || mean <= 0.0 {
        return count.cold;
    }
    let left = option.shape.capacity.at(count.floor + count.flex - count.flex.div_ceil(option.zones));
    let deficit = (mean - left).max(0.0) * 3600.0;
    count.cold + count.awake * f64::from(option.zones.min(count.flex)) * option.hazard * option.shape.recover_hours * deficit
}

/// The search for one workload.
struct Search<'a> {
    problem: &'a Problem,
    workload: usize,
    kept: Vec<Way>,
    tried: usize,
}

impl Search<'_> {
    fn nodes(&self, way: &mut Way, place: &Place, counts: &[(u32, f64)]) {
        if counts.iter().all(|(n, _)| *n == 0) {
            return;
        }
        let pool = &self.problem.pools[place.pool];
        let n = || counts.iter().map(|(n, _)| f64::from(*n));
        let expected = || counts.iter().map(|(n, awake)| f64::from(*n) * awake);
        if place.sharing == Sharing::Fixed {
            way.take(Take::Slots(place.pool), n().map(|n| n * f64::from(place.slots)));
            return;
        }
        if pool.committed > 0 {
            way.take(Take::Paid(place.pool), expected());
        } else {
            way.cost += pool.price * expected().sum::<f64>();
        }
        if !self.problem.quotas.is_empty() {
            way.take(Take::Held(place.pool), n());
            if pool.capacity_type == CapacityType::Spot {
                way.take(Take::Lost(place.pool), counts.iter().map(|(n, _)| f64::from(n.div_ceil(pool.zones))));
            }
        }
    }

    fn change(&self, way: &mut Way) {
        if self.problem.max_changes.is_some() {
            way.take(Take::Change, std::iter::once(1.0));
        }
    }

    /// A week of counts of a service.
    fn counts(&mut self, option: &ServiceOption, hours: &[Count], may_be_as_today: bool) {
        self.tried += 1;
        if self.kept.len() > MOST_KEPT || self.tried > MOST_TRIED {
            return;
        }
        let missed: f64 = hours.iter().enumerate().map(|(t, c)| misses(option, c, t)).sum();
        if missed > option.shape.spare_misses {
            return;
        }
        let mut way = Way::default();
        let flex_place = option.spot.as_ref().unwrap_or(&option.floor);
        let mut before = hours[WEEK - 1];
        for now in hours {
            let kept = |c: &Count| if c.zero { 0 } else { c.flex };
            way.cost += f64::from(now.floor.saturating_sub(before.floor)) * option.floor.start;
            way.cost += (f64::from(kept(now).saturating_sub(kept(&before))) + now.wakes * f64::from(now.flex)) * flex_place.start;
            before = *now;
        }
        let floor: Vec<(u32, f64)> = hours.iter().map(|c| (c.floor, 1.0)).collect();
        let flex: Vec<(u32, f64)> = hours.iter().map(|c| (c.flex, c.awake)).collect();
        self.nodes(&mut way, &option.floor, &floor);
        self.nodes(&mut way, flex_place, &flex);
        if !(may_be_as_today && self.as_today(option, hours)) {
            self.change(&mut way);
        }
        offer(&mut self.kept, way);
    }

    /// Peak nodes of each (type, capacity type) are those of today.
    fn as_today(&self, option: &ServiceOption, hours: &[Count]) -> bool {
        let mut nodes: BTreeMap<(String, CapacityType), u32> = BTreeMap::new();
        let flex_place = option.spot.as_ref().unwrap_or(&option.floor);
        for (place, count) in [(&option.floor, hours[0].floor), (flex_place, hours[0].flex)] {
            let pool = &self.problem.pools[place.pool];
            *nodes.entry((pool.instance_type.to_string(), pool.capacity_type)).or_insert(0) += match place.sharing {
                Sharing::Exclusive => count,
                Sharing::Fixed => (count * place.slots).div_ceil(pool.gpus),
            };
        }
        nodes.retain(|_, n| *n > 0);
        nodes == self.problem.workloads[self.workload].today
    }

    fn service(&mut self, option: &ServiceOption) {
        let shape = &option.shape;
        let highest = shape.mean_rps.iter().copied().fold(0.0, f64::max);
        for mode in &option.modes {
            match mode {
                Mode::Static => {
                    let spot = on_spot(option, shape.need_static, highest);
                    self.counts(option, &[up(shape.need_static - spot, spot); WEEK], true);
                }
                Mode::Reactive => self.reactive(option),
                Mode::Scheduled => self.scheduled(option),
            }
        }
    }

    fn reactive(&mut self, option: &ServiceOption) {
        let shape = &option.shape;
        let fixed = |t: usize| shape.hpa[t] - on_spot(option, shape.hpa[t], shape.mean_rps[t]);
        let floor = if option.spot.is_none() { shape.min_replicas } else { (0..WEEK).map(fixed).max().unwrap() };
        let awake: Vec<Count> = shape.hpa.iter().map(|&n| up(floor, n.saturating_sub(floor))).collect();
        self.counts(option, &awake, false);
        if !shape.sleep.is_empty() && option.spot.is_none() {
            let asleep: Vec<Count> = (0..WEEK).map(|t| sleeping(option, t, shape.hpa[t].max(1))).collect();
            self.counts(option, &asleep, false);
        }
    }

    fn scheduled(&mut self, option: &ServiceOption) {
        let shape = &option.shape;
        let levels = levels(option);
        // Asleep is the last state.
        let mut counts: Vec<Vec<Count>> = levels.iter().map(|&(floor, flex)| vec![up(floor, flex); WEEK]).collect();
        if !shape.sleep.is_empty() && option.spot.is_none() {
            counts.push((0..WEEK).map(|t| sleeping(option, t, shape.need[t].max(1))).collect());
        }
        let cut = (0..24).min_by(|&a, &b| load(option, a).total_cmp(&load(option, b))).unwrap();
        for base in 0..counts.len() {
            let days = Days { option, levels: &levels, base, cut };
            let all = days.plans(&ALL_DAYS);
            let pairs = (days.plans(&WEEKDAYS), days.plans(&WEEKEND));
            let mut week = vec![Count::default(); WEEK];
            for (_, plan) in &all {
                days.write(&mut week, (&ALL_DAYS, plan), &counts);
                self.counts(option, &week, false);
            }
            for (used, plan) in &pairs.0 {
                days.write(&mut week, (&WEEKDAYS, plan), &counts);
                for (_, other) in pairs.1.iter().filter(|(more, _)| used + more <= shape.max_windows as usize) {
                    days.write(&mut week, (&WEEKEND, other), &counts);
                    self.counts(option, &week, false);
                }
            }
        }
    }

    fn job(&mut self, option: &JobOption) {
        let pool = &self.problem.pools[option.place.pool];
        let workers = f64::from(option.workers);
        for offset in 0..WEEK as u32 {
            let in_time =
                |r: &gpuplan::domain::JobRun| f64::from(r.release_hour + offset) + option.hours <= f64::from(r.deadline_hour) + 1e-9;
            if !option.runs.iter().all(in_time) || (option.held && offset > 0) {
                break;
            }
            self.tried += 1;
            let (mut touched, mut share) = (vec![0.0; WEEK], vec![0.0; WEEK]);
            for run in &option.runs {
                let start = (run.release_hour + offset) as usize;
                for hour in start..start + (option.hours - 1e-9).ceil() as usize {
                    touched[hour % WEEK] += workers;
                    share[hour % WEEK] += workers * (start as f64 + option.hours - hour as f64).min(1.0);
                }
            }
            if option.held {
                (touched, share) = (vec![workers; WEEK], vec![workers; WEEK]);
            }
            let mut way = Way::default();
            match option.place.sharing {
                Sharing::Fixed => way.take(Take::Slots(option.place.pool), touched.iter().map(|n| n * f64::from(option.place.slots))),
                Sharing::Exclusive => {
                    let tails = if option.held { 0.0 } else { workers * option.runs.len() as f64 * option.tail_hours };
                    way.cost = pool.price * tails;
                    if pool.committed > 0 {
                        way.take(Take::Paid(option.place.pool), share.iter().copied());
                    } else {
                        way.cost += pool.price * share.iter().sum::<f64>();
                    }
                    if !self.problem.quotas.is_empty() {
                        way.take(Take::Held(option.place.pool), touched.iter().copied());
                        if option.spot {
                            way.take(Take::Lost(option.place.pool), touched.iter().copied());
                        }
                    }
                }
            }
            self.change(&mut way);
            offer(&mut self.kept, way);
        }
    }

    fn frozen(&mut self, option: &FrozenOption) {
        let mut way = Way::default();
        let pool = &self.problem.pools[option.pool];
        match option.sharing {
            Sharing::Fixed => way.take(Take::Slots(option.pool), std::iter::repeat_n(f64::from(option.slots), WEEK)),
            Sharing::Exclusive => {
                if pool.committed > 0 {
                    way.take(Take::Paid(option.pool), std::iter::repeat_n(option.nodes, WEEK));
                } else {
                    way.cost = option.nodes * pool.price * WEEK as f64;
                }
                if !self.problem.quotas.is_empty() {
                    way.take(Take::Held(option.pool), std::iter::repeat_n(option.nodes.ceil(), WEEK));
                }
            }
        }
        offer(&mut self.kept, way);
    }
}

/// Counts of an hour that may be at zero, `n` when awake.
fn sleeping(option: &ServiceOption, hour: usize, n: u32) -> Count {
    let sleep = &option.shape.sleep[hour];
    Count { floor: 0, flex: n, awake: sleep.awake_share, wakes: sleep.wakes, cold: sleep.misses, zero: true }
}

/// Distinct needs as (floor, flex), neither of which shrinks from one to the next.
fn levels(option: &ServiceOption) -> Vec<(u32, u32)> {
    let shape = &option.shape;
    let mut needs = shape.need.clone();
    needs.sort_unstable();
    needs.dedup();
    let mut levels = vec![(0, 0)];
    for n in needs {
        let mean = (0..WEEK).filter(|&t| shape.need[t] <= n).map(|t| shape.mean_rps[t]).fold(0.0, f64::max);
        let &(floor, flex) = levels.last().unwrap();
        let floor = floor.max(n - on_spot(option, n, mean));
        levels.push((floor, flex.max(n.saturating_sub(floor))));
    }
    levels.split_off(1)
}

/// Load of a local hour of the day over the week.
fn load(option: &ServiceOption, local: usize) -> f64 {
    (0..WEEK)
        .filter(|&t| (t as i64 + i64::from(option.shape.utc_offset_hours)).rem_euclid(24) as usize == local)
        .map(|t| option.shape.mean_rps[t])
        .sum()
}

/// Schedules of a day over one base.
struct Days<'a> {
    option: &'a ServiceOption,
    levels: &'a [(u32, u32)],
    base: usize,
    cut: usize,
}

impl Days<'_> {
    fn utc(&self, day: usize, position: usize) -> usize {
        ((day * 24 + self.cut + position) as i64 - i64::from(self.option.shape.utc_offset_hours)).rem_euclid(WEEK as i64) as usize
    }

    fn allowed(&self, days: &[usize], (position, state): (usize, usize)) -> bool {
        let shape = &self.option.shape;
        let carries = |t: usize| match self.levels.get(state) {
            Some((floor, flex)) => floor + flex >= shape.need[t],
            // A wake brings up the fewest replicas: no more may be needed, and spot may be all of them.
            None => {
                let n = shape.need[t].max(1);
                n <= shape.min_replicas && (self.option.spot.is_none() || on_spot(self.option, n, shape.mean_rps[t]) == n)
            }
        };
        let over_base = self.base == self.levels.len() || (state >= self.base && state < self.levels.len());
        let quiet = position >= shape.quiet_hours || state == self.base;
        over_base && quiet && days.iter().all(|&day| carries(self.utc(day, position)))
    }

    /// Every day in at most as many windows as allowed: (windows, state by position).
    fn plans(&self, days: &[usize]) -> Vec<(usize, Vec<usize>)> {
        let mut plans = vec![(0, Vec::new())];
        for position in 0..24 {
            let mut longer = Vec::new();
            for (windows, plan) in plans {
                let last = plan.last().copied().unwrap_or(self.base);
                for state in
                    (0..=self.levels.len()).filter(|&s| (s < self.levels.len() || s == self.base) && self.allowed(days, (position, s)))
                {
                    let used = windows + usize::from(state != last && state != self.base);
                    if used <= self.option.shape.max_windows as usize {
                        longer.push((used, [plan.as_slice(), &[state]].concat()));
                    }
                }
            }
            plans = longer;
        }
        plans
    }

    fn write(&self, week: &mut [Count], (days, plan): (&[usize], &[usize]), counts: &[Vec<Count>]) {
        for (position, &state) in plan.iter().enumerate() {
            for &day in days {
                let hour = self.utc(day, position);
                week[hour] = counts[state][hour];
            }
        }
    }
}

/// Cost of a joint choice; `None` when it breaks a limit.
fn together(problem: &Problem, chosen: &[&Way]) -> Option<f64> {
    let mut sums: BTreeMap<Take, Vec<f64>> = BTreeMap::new();
    for (what, hours) in chosen.iter().flat_map(|w| &w.takes) {
        let sum = sums.entry(*what).or_insert_with(|| vec![0.0; WEEK]);
        sum.iter_mut().zip(hours).for_each(|(s, h)| *s += h);
    }
    let changes = sums.get(&Take::Change).map_or(0.0, |s| s[0]);
    if problem.max_changes.is_some_and(|most| changes > f64::from(most)) {
        return None;
    }
    let mut cost: f64 = chosen.iter().map(|w| w.cost).sum();
    let mut whole = vec![0.0; problem.pools.len()];
    for (index, pool) in problem.pools.iter().enumerate() {
        if let Some(slots) = sums.get(&Take::Slots(index)) {
            whole[index] = (slots.iter().copied().fold(0.0, f64::max) / f64::from(pool.gpus) - 1e-9).ceil();
            cost += (whole[index] - f64::from(pool.committed)).max(0.0) * pool.price * WEEK as f64;
        }
    }
    for (index, pool) in problem.pools.iter().enumerate() {
        if let Some(paid) = sums.get(&Take::Paid(index)) {
            let same =
                |i: &usize| problem.pools[*i].instance_type == pool.instance_type && problem.pools[*i].capacity_type == pool.capacity_type;
            let taken: f64 = (0..whole.len()).filter(same).map(|i| whole[i]).sum();
            let left = (f64::from(pool.committed) - taken).max(0.0);
            cost += pool.price * paid.iter().map(|n| (n - left).max(0.0)).sum::<f64>();
        }
    }
    let at = |take: Take, hour: usize| sums.get(&take).map_or(0.0, |s| s[hour]);
    for quota in &problem.quotas {
        for hour in 0..WEEK {
            let used: f64 = quota.units.iter().map(|&(pool, units)| units * (whole[pool] + at(Take::Held(pool), hour))).sum();
            let fallback = quota.fallback_units.iter().map(|&(pool, units)| units * (whole[pool] + at(Take::Lost(pool), hour)));
            if used + fallback.fold(0.0, f64::max) > quota.limit + 1e-6 {
                return None;
            }
        }
    }
    Some(cost)
}

/// What the brute force finds.
pub struct Best {
    /// Least cost a week; `None` when no choice keeps every limit.
    pub cost: Option<f64>,
    /// Weeks of a workload that were looked at.
    pub tried: usize,
}

/// The least cost over every decision; `None` where the instance is not tiny after all.
pub fn best(problem: &Problem) -> Option<Best> {
    let mut ways: Vec<Vec<Way>> = Vec::new();
    let mut tried = 0;
    for (workload, options) in problem.workloads.iter().enumerate() {
        let mut search = Search { problem, workload, kept: Vec::new(), tried: 0 };
        options.services.iter().for_each(|option| search.service(option));
        options.jobs.iter().for_each(|option| search.job(option));
        options.frozen.iter().for_each(|option| search.frozen(option));
        tried += search.tried;
        if search.kept.len() > MOST_KEPT || search.tried > MOST_TRIED {
            return None;
        }
        search.kept.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        ways.push(search.kept);
    }
    let mut found = Best { cost: None, tried };
    join(problem, (&ways, &mut Vec::new()), &mut found.cost);
    Some(found)
}

/// Tries the rest of the workloads; own costs alone are a bound, since what is shared is never paid back.
fn join<'a>(problem: &Problem, (ways, chosen): (&'a [Vec<Way>], &mut Vec<&'a Way>), best: &mut Option<f64>) {
    let own: f64 = chosen.iter().map(|w| w.cost).sum();
    if best.is_some_and(|known| own >= known) {
        return;
    }
    let Some(next) = ways.get(chosen.len()) else {
        if let Some(cost) = together(problem, chosen)
            && best.is_none_or(|known| cost < known)
        {
            *best = Some(cost);
        }
        return;
    };
    for way in next {
        chosen.push(way);
        join(problem, (ways, chosen), best);
        chosen.pop();
    }
}
