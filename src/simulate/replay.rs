//! The replay of a plan: its files over several seeds, beside today's configuration on the same traffic and weather.

use super::fleet::Fleet;
use super::outcome::{
    BaselineOutcome, BaselineWorkload, Bill, HazardOutcome, Method, PlannedBill, SIMULATION_FORMAT, SavingOutcome, Simulation,
    WorkloadOutcome,
};
use super::run::{self, Fault, Options, Week};
use super::statistics::{months, quantile};
use super::summary;
use super::tally::Outcome;
use crate::parallel;
use crate::plan::Plan;
use crate::units::Usd;

/// A replayed bill within this share of the plan's confirms it.
pub const BILL_TOLERANCE: f64 = 0.03;
/// A replayed baseline further off the inventory than this is no yardstick.
pub const BASELINE_TOLERANCE: f64 = 0.05;
/// Verdict of the plan's own files in the week that it was made for.
pub const VERIFIED: &str = "verified";
/// Verdict where every objective holds in another week, or with other files: no proof of the plan.
pub const HOLDS: &str = "holds";
/// Verdict where something does not hold.
pub const MISSED: &str = "missed";

/// Days of a month that is drawn, and how many are drawn.
const MONTH_DAYS: usize = 30;
const MONTHS: usize = 1000;

/// Seeds of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// First.
    pub first: u64,
    /// How many.
    pub count: u32,
}

/// A configuration with its weeks.
#[derive(Clone, Debug)]
pub struct Played {
    /// Configuration.
    pub fleet: Fleet,
    /// One week a seed.
    pub weeks: Vec<Week>,
}

/// Plays a fleet under all seeds, on all cores; the result does not depend on how many there are.
///
/// # Errors
/// The first fault, by seed.
pub fn play(fleet: Fleet, seeds: Seeds, options: &Options) -> Result<Played, Fault> {
    let numbers: Vec<u64> = (0..u64::from(seeds.count)).map(|i| seeds.first + i).collect();
    let weeks = parallel::map(&numbers, |&seed| {
        // One timeline is enough.
        let options = Options { timeline: options.timeline && seed == seeds.first, ..options.clone() };
        run::week(&fleet, seed, &options)
    });
    let weeks = weeks.into_iter().collect::<Result<Vec<Week>, Fault>>()?;
    Ok(Played { fleet, weeks })
}

/// What a replay came to, without baselines.
#[must_use]
pub fn outcome(plan: &Plan, played: &Played, (seeds, options): (Seeds, &Options)) -> Simulation {
    let hours = options.hours;
    let workloads = summary::workloads(&played.fleet, &played.weeks, hours);
    let bill = summary::bill(&played.fleet, &played.weeks, hours);
    let planned = plan.cost.usd_per_month;
    let off_by = if planned == Usd::ZERO { 0.0 } else { bill.usd_per_month.as_f64() / planned.as_f64() - 1.0 };
    let requests = played.weeks.iter().flat_map(|week| &week.services).map(|s| s.tally.arrived.requests).sum();
    let as_planned = options.as_planned();
    // Another week has another bill.
    let reasons = reasons(&workloads, as_planned.then(|| (off_by, furthest(plan, &bill))));
    let verdict = match (reasons.is_empty(), as_planned) {
        (false, _) => MISSED,
        (true, true) => VERIFIED,
        (true, false) => HOLDS,
    };
    Simulation {
        format: SIMULATION_FORMAT.to_owned(),
        name: plan.name.clone(),
        demo: plan.demo,
        verdict: verdict.to_owned(),
        reasons,
        differences: Vec::new(),
        method: Method {
            seeds: seeds.count,
            first_seed: seeds.first,
            sampling: options.sampling.as_str().to_owned(),
            week_of: plan.provenance.anchor_monday.clone(),
            hours,
            hazard_factor: options.hazard_factor,
            demand_factor: options.demand_factor,
            fault: None,
        },
        workloads,
        bill,
        plan: PlannedBill { usd_per_month: planned, off_by },
        baseline: None,
        competent_operations: None,
        saving: None,
        requests_simulated: requests,
        wall_seconds: 0.0,
    }
}

/// Why a replay is no proof: objectives that do not hold, and a bill that is another.
fn reasons(workloads: &[WorkloadOutcome], bill: Option<(f64, String)>) -> Vec<String> {
    let mut reasons: Vec<String> = workloads.iter().filter(|w| !w.met).map(missed).collect();
    if let Some((off_by, pool)) = bill.filter(|(off, _)| off.abs() > BILL_TOLERANCE) {
        let side = if off_by > 0.0 { "above" } else { "below" };
        reasons.push(format!("the bill is {:.1}% {side} the plan's{pool}", 100.0 * off_by.abs()));
    }
    reasons
}

/// The pool whose bill is furthest off, in words, with who uses it.
fn furthest(plan: &Plan, bill: &Bill) -> String {
    let off = |name: &str, replayed: Usd| {
        let planned = plan.pools.iter().find(|p| p.name == name).map_or(Usd::ZERO, |p| p.usd_per_month);
        replayed - planned
    };
    let each = bill.pools.iter().map(|p| (off(&p.name, p.usd_per_month), &p.name));
    let Some((by, name)) = each.max_by(|a, b| a.0.as_f64().abs().total_cmp(&b.0.as_f64().abs()).then(b.1.cmp(a.1))) else {
        return String::new();
    };
    let users = plan.pools.iter().find(|p| &p.name == name).map(|p| p.workloads.join(", ")).unwrap_or_default();
    format!(", most of it in pool `{name}` ({by} a month; {users})")
}

/// Which workload, by how much, when and how.
fn missed(workload: &WorkloadOutcome) -> String {
    let percent = |share: f64| format!("{:.3}%", 100.0 * share);
    let what = if workload.kind == "job" { "runs in time" } else { "requests within the limits" };
    let mut text = format!(
        "`{}`: {} of {what} ({} to {}), the objective is {}",
        workload.name,
        percent(workload.attainment),
        percent(workload.attainment_ci_low),
        percent(workload.attainment_ci_high),
        percent(workload.slo_target)
    );
    if let Some(hour) = workload.worst_hours.first() {
        text.push_str(&format!("; most misses on {} UTC ({} of them)", hour.hour, percent(hour.share_of_misses)));
    }
    let f = &workload.fates;
    let fates = [
        ("late", f.late),
        ("timed out", f.timed_out),
        ("rejected", f.rejected),
        ("sent to the fallback", f.fallen_back),
        ("lost with a node", f.lost),
        ("dropped", f.dropped),
    ];
    if workload.kind == "service"
        && let Some((name, _)) = fates.iter().filter(|(_, n)| *n > 0.0).max_by(|a, b| a.1.total_cmp(&b.1))
    {
        text.push_str(&format!(", mostly {name}"));
    }
    text
}

/// Another configuration against what it was counted at.
#[must_use]
pub fn baseline(played: &Played, counted: Usd, hours: u32) -> BaselineOutcome {
    let bill = summary::bill(&played.fleet, &played.weeks, hours);
    let off_by = if counted == Usd::ZERO { 0.0 } else { bill.usd_per_month.as_f64() / counted.as_f64() - 1.0 };
    let workloads = summary::workloads(&played.fleet, &played.weeks, hours);
    BaselineOutcome {
        usd_per_month: bill.usd_per_month,
        counted_usd_per_month: counted,
        off_by,
        workloads: workloads
            .into_iter()
            .map(|w| BaselineWorkload { name: w.name, slo_target: w.slo_target, attainment: w.attainment })
            .collect(),
        notes: played.fleet.notes.clone(),
    }
}

/// The saving against the replayed baseline, with months drawn anew from days and seeds.
#[must_use]
pub fn saving((plan, today): (&Played, &Played), baseline: &BaselineOutcome, (target, hours): (Option<f64>, u32)) -> SavingOutcome {
    let bill = summary::bill(&plan.fleet, &plan.weeks, hours);
    let share = share_saved(bill.usd_per_month, baseline.usd_per_month);
    if baseline.off_by.abs() > BASELINE_TOLERANCE {
        let withheld = format!(
            "today's configuration comes to {} in the replay and {} in the inventory, {:.1}% apart: no saving is quoted before that is explained",
            baseline.usd_per_month,
            baseline.counted_usd_per_month,
            100.0 * baseline.off_by.abs()
        );
        return SavingOutcome {
            share: None,
            withheld: Some(withheld),
            p5: None,
            p95: None,
            p_target_and_slos: None,
            by_hazard: Vec::new(),
        };
    }
    let (mut savings, mut good) = (Vec::with_capacity(MONTHS), 0_usize);
    let days = plan.weeks.first().map_or(0, |week| week.days.len());
    if days > 0 {
        months(MONTHS, (MONTH_DAYS, plan.weeks.len()), |drawn| {
            let saved = share_saved(month_bill(plan, drawn), month_bill(today, drawn));
            savings.push(saved);
            good += usize::from(target.is_none_or(|t| saved >= t) && month_holds(plan, drawn));
        });
    }
    savings.sort_by(f64::total_cmp);
    SavingOutcome {
        share: Some(share),
        withheld: None,
        p5: quantile(&savings, 0.05),
        p95: quantile(&savings, 0.95),
        p_target_and_slos: (!savings.is_empty()).then(|| good as f64 / savings.len() as f64),
        by_hazard: Vec::new(),
    }
}

/// The plan under another hazard, for the table.
#[must_use]
pub fn under_hazard(factor: f64, played: &Played, (baseline, hours): (Usd, u32)) -> HazardOutcome {
    let bill: Bill = summary::bill(&played.fleet, &played.weeks, hours);
    let met = summary::workloads(&played.fleet, &played.weeks, hours).iter().all(|w| w.met);
    HazardOutcome { factor, usd_per_month: bill.usd_per_month, saving: share_saved(bill.usd_per_month, baseline), met }
}

fn share_saved(cost: Usd, baseline: Usd) -> f64 {
    if baseline == Usd::ZERO { 0.0 } else { 1.0 - cost.as_f64() / baseline.as_f64() }
}

/// A month of 30 days, day `d` with the weekday `d mod 7` of the seed that was drawn for it, as 730 hours.
fn month_bill(played: &Played, drawn: &[usize]) -> Usd {
    let days = drawn.iter().enumerate().filter_map(|(day, &seed)| {
        let week = played.weeks.get(seed)?;
        let day = day % week.days.len().max(1);
        let network = week.network.days.get(day).copied().unwrap_or(Usd::ZERO);
        week.days.get(day).map(|invoice| invoice.usd() + network)
    });
    let total: Usd = days.sum();
    total.scaled(crate::units::HOURS_PER_MONTH / (24.0 * drawn.len() as f64)) + played.fleet.commitments_usd_per_month
}

/// Every service attains its objective in the month.
fn month_holds(played: &Played, drawn: &[usize]) -> bool {
    summary::answerers(&played.fleet).into_iter().all(|who| {
        let (mut met, mut known) = (0.0, 0.0);
        for (day, &seed) in drawn.iter().enumerate() {
            let Some(tally) = played.weeks.get(seed).and_then(|week| who.tally(week)) else { continue };
            for hour in &tally.hours[day % 7 * 24..day % 7 * 24 + 24] {
                met += hour.met;
                known += hour.arrived - hour.in_flight;
            }
        }
        known <= 0.0 || met / known >= who.inputs(&played.fleet).slo.attainment
    })
}

/// Requests that were simulated.
#[must_use]
pub fn requests(played: &Played) -> u64 {
    let ended = |tally: &super::tally::Tally| Outcome::ALL.iter().map(|&o| tally.ended(o).requests).sum::<u64>();
    played.weeks.iter().flat_map(|week| &week.services).map(|s| ended(&s.tally)).sum()
}
