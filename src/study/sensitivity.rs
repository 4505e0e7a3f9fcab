//! What the least-cost plan becomes when an assumption is off: the planner answers to the changed world.

use crate::domain::Scenario;
use crate::formulation::Freedom;
use crate::parallel;
use crate::plan::Sensitivity;
use crate::plan::from_solution::share_saved;
use crate::solver::SolveError;
use crate::study::{least_cost, whatif};
use crate::units::Usd;

/// Name of a case and the scenario under it.
type Case = (&'static str, fn(&Scenario) -> Scenario);

const CASES: [Case; 5] = [
    ("capacity -10%", |s| whatif::capacity(s, 0.9)),
    ("demand +20%", |s| whatif::demand(s, 1.2)),
    ("spot price +50%", |s| whatif::spot_price(s, 1.5)),
    ("reclaim hazard x0.1", |s| whatif::hazard(s, 0.1)),
    ("reclaim hazard x10", |s| whatif::hazard(s, 10.0)),
];

/// Every case, over the unchanged baseline; the hazard as planned stands between its two neighbours.
pub fn of(scenario: &Scenario, (baseline, least): (Usd, Usd), target: Option<Usd>) -> Result<Vec<Sensitivity>, SolveError> {
    let solved = parallel::map(&CASES, |(_, change)| least_cost(&change(scenario), &Freedom::FULL));
    let mut cases = Vec::new();
    for ((name, _), answer) in CASES.iter().zip(solved) {
        let usd = match answer {
            Ok(usd) => Some(usd),
            Err(SolveError::Infeasible(_)) => None,
            Err(other) => return Err(other),
        };
        cases.push(case(name, usd, (baseline, target)));
    }
    cases.insert(4, case("reclaim hazard x1", Some(least), (baseline, target)));
    Ok(cases)
}

fn case(name: &str, usd_per_month: Option<Usd>, (baseline, target): (Usd, Option<Usd>)) -> Sensitivity {
    Sensitivity {
        name: name.to_owned(),
        usd_per_month,
        saving: usd_per_month.map(|usd| share_saved(usd, baseline)),
        target_met: target.map(|target| usd_per_month.is_some_and(|usd| usd <= target)),
    }
}
