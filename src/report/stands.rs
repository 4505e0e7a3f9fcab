//! What the plan stands and its alternatives, as lines for the screen.

use crate::plan::{Alternative, Robustness};
use crate::report::text::percent;
use crate::units::Usd;

/// Differences of an alternative that the screen shows.
const SHOWN: usize = 2;

/// Lines on what the plan stands.
#[must_use]
pub fn lines(robustness: &Robustness) -> Vec<String> {
    let level = &robustness.level;
    let short: Vec<String> = robustness
        .holds
        .iter()
        .filter(|h| !h.held)
        .map(|h| format!("{} (x{:.2}: {})", h.workload, h.demand_factor, h.limited_by))
        .collect();
    let held = if short.is_empty() {
        format!("risk {level} is held: every service by planning capacity at x{:.2} of its demand", robustness.required_demand_factor)
    } else {
        format!("risk {level} is NOT held at x{:.2}: {}", robustness.required_demand_factor, short.join(", "))
    };
    let mut lines = vec![format!("{held}; that costs {} a month more than low", robustness.insurance_usd_per_month)];
    if let Some(first) = &robustness.gives_up_first {
        lines.push(format!("{} gives up first, above x{:.2}", first.workload, first.demand_factor));
    }
    let usd = |amount: f64| Usd::from_f64(amount);
    let (cost, share) = (&robustness.usd_per_month, &robustness.attainment);
    lines.push(format!(
        "over {} cases: {} a month expected, {} at worst, {} in the worst twentieth; {} of requests within their limits at worst",
        robustness.cases.len(),
        usd(cost.expected),
        usd(cost.worst),
        usd(cost.cvar_95),
        percent(share.worst)
    ));
    if let Some(replay) = &robustness.replayed {
        let missed: Vec<&str> = replay.workloads.iter().filter(|w| !w.met).map(|w| w.name.as_str()).collect();
        let said = match &replay.gives_up_first {
            None => "every objective holds".to_owned(),
            Some(first) => format!("{first} gives up first; missed by {}", missed.join(", ")),
        };
        lines.push(format!("replayed at x{} of the demand, {} weeks: {said}", replay.demand_factor, replay.seeds));
    }
    lines
}

/// A line for each alternative.
#[must_use]
pub fn alternatives(alternatives: &[Alternative]) -> Vec<String> {
    let line = |a: &Alternative| {
        let replay = a.replay.as_ref().map_or_else(String::new, |said| format!("; replay: {said}"));
        let more = a.differs.len().saturating_sub(SHOWN);
        let rest = if more > 0 { format!("; {more} more in report.md") } else { String::new() };
        let shown: Vec<&str> = a.differs.iter().take(SHOWN).map(String::as_str).collect();
        format!("{}: {} a month, {}{rest}{replay}", a.name, a.usd_per_month, shown.join("; "))
    };
    alternatives.iter().map(line).collect()
}
