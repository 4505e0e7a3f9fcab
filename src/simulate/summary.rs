//! From weeks of several seeds to what is said of a configuration.

use super::fleet::{Fleet, ServiceSetup};
use super::outcome::{Bill, Fates, Percentiles, PoolBill, WorkloadOutcome, WorstHour};
use super::run::{ServiceWeek, Week};
use super::statistics::{interval, ratio, wilson};
use super::tally::{Outcome, SpanHistogram, Tally};
use crate::plan::replay::ServiceInputs;
use crate::units::{HOURS_PER_WEEK, Usd};

/// Share of a job's runs that must meet their deadlines.
pub const RUNS_IN_TIME: f64 = 0.99;

/// Hours that are named.
const WORST: usize = 3;

/// Every workload over all seeds, sorted by name.
#[must_use]
pub fn workloads(fleet: &Fleet, weeks: &[Week], hours: u32) -> Vec<WorkloadOutcome> {
    let services = answerers(fleet).into_iter().map(|who| service(fleet, weeks, (who, hours)));
    let jobs = (0..fleet.jobs.len()).map(|index| job(fleet, weeks, (index, hours)));
    let mut all: Vec<WorkloadOutcome> = services.chain(jobs).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A service with an objective: one of the fleet's, or a member of one that is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answerer {
    /// Position in the fleet.
    pub service: usize,
    /// Position among its members.
    pub member: Option<usize>,
}

impl Answerer {
    /// Its demand and objective.
    #[must_use]
    pub fn inputs(self, fleet: &Fleet) -> &ServiceInputs {
        let setup = &fleet.services[self.service];
        self.member.and_then(|member| setup.members.get(member)).map_or(&setup.inputs, |member| &member.inputs)
    }

    /// What its requests met with in a week.
    #[must_use]
    pub fn tally(self, week: &Week) -> Option<&Tally> {
        let tally = &week.services.get(self.service)?.tally;
        self.member.map_or(Some(tally), |member| tally.members().get(member))
    }
}

/// Every service with an objective, in the order of the fleet.
#[must_use]
pub fn answerers(fleet: &Fleet) -> Vec<Answerer> {
    let of = |(service, setup): (usize, &ServiceSetup)| {
        let members = (0..setup.members.len()).map(move |member| Answerer { service, member: Some(member) });
        let own = setup.members.is_empty().then_some(Answerer { service, member: None });
        own.into_iter().chain(members)
    };
    fleet.services.iter().enumerate().flat_map(of).collect()
}

/// All seeds of a service in one tally.
#[must_use]
pub fn merged(weeks: &[Week], who: Answerer) -> Option<Tally> {
    let mut tallies = weeks.iter().filter_map(|week| who.tally(week));
    let mut all = tallies.next()?.clone();
    tallies.for_each(|tally| all.merge(tally));
    Some(all)
}

/// Requests that met their limits and requests whose end is known, of each seed.
#[must_use]
pub fn pairs(weeks: &[Week], who: Answerer) -> Vec<(f64, f64)> {
    let pair = |tally: &Tally| (tally.met.weighted, tally.arrived.weighted - tally.ended(Outcome::InFlight).weighted);
    weeks.iter().filter_map(|week| who.tally(week)).map(pair).collect()
}

fn service(fleet: &Fleet, weeks: &[Week], (who, hours): (Answerer, u32)) -> WorkloadOutcome {
    let inputs = who.inputs(fleet);
    let target = inputs.slo.attainment;
    let found = ratio(&pairs(weeks, who));
    let seeds = weeks.len().max(1) as f64;
    let per_week = HOURS_PER_WEEK as f64 / f64::from(hours.max(1)) / seeds;
    let mine = || weeks.iter().filter_map(|week| week.services.get(who.service));
    let all = merged(weeks, who);
    let timeline = |week: &ServiceWeek| match who.member {
        Some(member) => week.member_timelines.get(member).cloned().unwrap_or_default(),
        None => week.timeline.clone(),
    };
    let percentiles = |of: fn(&Tally) -> &SpanHistogram| all.as_ref().and_then(|tally| percentiles(of(tally)));
    WorkloadOutcome {
        name: inputs.name.clone(),
        kind: "service".to_owned(),
        server: who.member.map(|_| fleet.services[who.service].inputs.name.clone()),
        slo_target: target,
        attainment: found.mean,
        attainment_ci_low: found.low,
        attainment_ci_high: found.high,
        met: found.low >= target,
        arrived: all.as_ref().map_or(0.0, |t| t.arrived.weighted),
        fates: all.as_ref().map(fates).unwrap_or_default(),
        ttft_ms: percentiles(|t| &t.ttft),
        tpot_ms: percentiles(|t| &t.tpot),
        latency_ms: percentiles(|t| &t.latency),
        replica_hours_per_week: mine().map(|s| s.ready_s).sum::<f64>() / 3600.0 * per_week,
        starts_per_week: mine().map(|s| f64::from(s.starts)).sum::<f64>() * per_week,
        evictions_per_week: mine().map(|s| f64::from(s.evictions)).sum::<f64>() * per_week,
        worst_hours: all.as_ref().map(worst).unwrap_or_default(),
        timeline: weeks.first().and_then(|week| week.services.get(who.service)).map(timeline).unwrap_or_default(),
    }
}

fn job(fleet: &Fleet, weeks: &[Week], (index, hours): (usize, u32)) -> WorkloadOutcome {
    let mine = || weeks.iter().filter_map(|week| week.jobs.get(index));
    let (due, missed) = mine().fold((0.0, 0.0), |sum, j| (sum.0 + f64::from(j.due), sum.1 + f64::from(j.missed)));
    let found = wilson(due - missed, due);
    let per_week = HOURS_PER_WEEK as f64 / f64::from(hours.max(1)) / weeks.len().max(1) as f64;
    WorkloadOutcome {
        name: fleet.jobs[index].inputs.name.clone(),
        kind: "job".to_owned(),
        server: None,
        slo_target: RUNS_IN_TIME,
        attainment: found.mean,
        attainment_ci_low: found.low,
        attainment_ci_high: found.high,
        // Runs are few: their share is held against the target, not the end of its interval.
        met: found.mean >= RUNS_IN_TIME,
        arrived: due,
        fates: Fates { met: due - missed, late: missed, ..Fates::default() },
        ttft_ms: None,
        tpot_ms: None,
        latency_ms: None,
        replica_hours_per_week: mine().map(|j| j.wall_s).sum::<f64>() / 3600.0 * per_week,
        starts_per_week: 0.0,
        evictions_per_week: 0.0,
        worst_hours: Vec::new(),
        timeline: Vec::new(),
    }
}

fn fates(tally: &Tally) -> Fates {
    let ended = |outcome: Outcome| tally.ended(outcome).weighted;
    let met = tally.met.weighted;
    let turned_away = ended(Outcome::Rejected) + ended(Outcome::FallenBack);
    Fates {
        met,
        late: (ended(Outcome::Served) - met).max(0.0),
        timed_out: ended(Outcome::TimedOut),
        rejected: ended(Outcome::Rejected),
        fallen_back: ended(Outcome::FallenBack),
        lost: ended(Outcome::Lost),
        dropped: ended(Outcome::Dropped),
        cold: turned_away + tally.held.weighted,
    }
}

fn percentiles(of: &SpanHistogram) -> Option<Percentiles> {
    let ms = |share: f64| of.quantile_s(share).map(|s| s * 1000.0);
    Some(Percentiles { p50: ms(0.5)?, p95: ms(0.95)?, p99: ms(0.99)? })
}

fn worst(tally: &Tally) -> Vec<WorstHour> {
    let missed = |hour: usize| {
        let h = &tally.hours[hour];
        (h.arrived - h.in_flight - h.met).max(0.0)
    };
    let all: f64 = (0..HOURS_PER_WEEK).map(missed).sum();
    let mut hours: Vec<usize> = (0..HOURS_PER_WEEK).filter(|&hour| missed(hour) > 0.0).collect();
    hours.sort_by(|&a, &b| missed(b).total_cmp(&missed(a)).then(a.cmp(&b)));
    let say = |hour: usize| {
        let h = &tally.hours[hour];
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        WorstHour {
            hour: format!("{} {:02}:00", days[hour / 24], hour % 24),
            share_of_misses: missed(hour) / all,
            attainment: h.met / (h.arrived - h.in_flight).max(f64::MIN_POSITIVE),
        }
    };
    hours.into_iter().take(WORST).map(say).collect()
}

/// A week's bill as a month's: hours of the span to 730.
#[must_use]
pub fn monthly(usd: Usd, hours: u32) -> Usd {
    usd.scaled(crate::units::HOURS_PER_MONTH / f64::from(hours.max(1)))
}

/// The bill over all seeds.
#[must_use]
pub fn bill(fleet: &Fleet, weeks: &[Week], hours: u32) -> Bill {
    let committed = fleet.commitments_usd_per_month;
    let seeds = weeks.len().max(1) as f64;
    let totals: Vec<f64> =
        weeks.iter().map(|week| (monthly(week.invoice.usd() + week.network.usd(), hours) + committed).as_f64()).collect();
    let found = interval(&totals);
    let mean = |of: &dyn Fn(&Week) -> Usd| Usd::from_f64(weeks.iter().map(|week| monthly(of(week), hours).as_f64()).sum::<f64>() / seeds);
    let pools = fleet.pools.iter().enumerate().map(|(index, pool)| {
        let lived: f64 = weeks.iter().filter_map(|week| week.invoice.pools.get(index)).map(|p| p.lived_s as f64).sum();
        PoolBill {
            name: pool.name.clone(),
            capacity_type: if pool.spot { "spot" } else { "on-demand" }.to_owned(),
            node_hours_per_week: lived / 3600.0 / seeds * HOURS_PER_WEEK as f64 / f64::from(hours.max(1)),
            usd_per_month: mean(&|week| week.invoice.pools.get(index).map_or(Usd::ZERO, |p| p.usd)),
        }
    });
    let priced = fleet.services.iter().any(|s| s.way.is_some()) || fleet.jobs.iter().any(|j| j.way.is_some());
    Bill {
        usd_per_month: Usd::from_f64(found.mean),
        usd_per_month_ci_low: Usd::from_f64(found.low),
        usd_per_month_ci_high: Usd::from_f64(found.high),
        on_demand_usd_per_month: mean(&|week| week.invoice.usd_of(false)),
        spot_usd_per_month: mean(&|week| week.invoice.usd_of(true)),
        commitments_usd_per_month: committed,
        egress_usd_per_month: priced.then(|| mean(&|week| week.network.egress)),
        start_up_bytes_usd_per_month: priced.then(|| mean(&|week| week.network.bytes)),
        pools: pools.collect(),
    }
}
