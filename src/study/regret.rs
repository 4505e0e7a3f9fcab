//! What the amounts that are bought would cost too much under less demand: the fleet is planned anew for it, and carries the
//! amounts at hand instead of its own.

use crate::domain::Scenario;
use crate::formulation::{self, Freedom, Problem};
use crate::parallel;
use crate::plan::{Purchase, Regret};
use crate::solver::{ColumnPool, Solution, SolveError, Stage, purchase as amounts, solution, solve};
use crate::study::whatif;
use crate::units::{MONTHS_PER_WEEK_FACTOR, Usd};

/// Changes of demand.
const CASES: [f64; 2] = [-0.2, -0.3];

/// Adds the regrets of every purchase. That of one is with the others at the best amounts of the fleet planned anew.
///
/// # Errors
/// The solver gave up.
pub fn of(scenario: &Scenario, (problem, bought): (&Problem, &Solution), purchases: &mut [Purchase]) -> Result<(), SolveError> {
    let solved = parallel::map(&CASES, |&change| {
        let changed = whatif::demand(scenario, 1.0 + change);
        let problem = formulation::build(&changed, &Freedom::FULL);
        let mut pool = ColumnPool::of(&problem);
        solve(&problem, &Stage::quick_least_cost(), &mut pool).map(|solution| (problem, solution))
    });
    for (change, answer) in CASES.into_iter().zip(solved) {
        let (then, fleet) = match answer {
            Ok(found) => found,
            // Less demand is met by the plan at hand; that the search finds nothing says nothing of the purchase.
            Err(SolveError::Infeasible(_)) => continue,
            Err(other) => return Err(other),
        };
        let left_over = amounts::left_over(&then, &fleet.fixed_nodes, &solution::expected_nodes(&fleet.columns));
        for purchase in purchases.iter_mut() {
            let product = |o: &formulation::purchase::PurchaseOption| scenario.buying.products[o.product].id.as_str() == purchase.product;
            let amount = problem.purchases.options.iter().zip(&bought.bought).find(|(o, _)| product(o)).map_or(0.0, |(_, amount)| *amount);
            let Some(position) = then.purchases.options.iter().position(product) else { continue };
            let mut kept = fleet.bought.clone();
            kept[position] = amount;
            let more = amounts::net(&then, &kept, &left_over) - amounts::net(&then, &fleet.bought, &left_over);
            purchase.regret.push(Regret {
                demand: change,
                best_amount: fleet.bought[position],
                usd_per_month: Usd::from_f64((more * MONTHS_PER_WEEK_FACTOR).max(0.0)),
            });
        }
    }
    Ok(())
}
