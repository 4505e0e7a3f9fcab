//! `scenarios/commit-by-hand`: its README and the planner agree to the cent.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned;
use crate::repository;
use gpuplan::plan::Plan;
use gpuplan::study;
use std::path::Path;

const WEEKS: f64 = 730.0 / 168.0;

fn near(found: f64, wanted: f64, what: &str) {
    // Numbers of the README carry six decimals.
    assert!((found - wanted).abs() < 1e-3, "{what}: {found}, by hand {wanted}");
}

fn plan() -> Plan {
    planned::quick(&planned::load(&planned::folder("commit-by-hand")), None)
}

#[test]
fn three_are_bought_and_the_schedule_goes() {
    let plan = plan();
    let [bought] = &plan.purchases[..] else { panic!("{:?}", plan.purchases) };
    assert_eq!(bought.product, "g6e.xlarge-us-east-1-1y-standard-reserved-instance-no-upfront");
    assert_eq!((bought.kind.as_str(), bought.unit.as_str(), bought.term_months), ("instance", "nodes", 12));
    near(bought.amount, 3.0, "amount");
    let assistant = plan.workloads.iter().find(|w| w.name == "assistant").unwrap();
    assert_eq!(assistant.mode, "static");
    assert!(plan.windows.is_empty());
    near(bought.utilization, 1.0, "used");
    near(bought.coverage, 1.0, "covers");
    near(bought.break_even_share, 1.17243 / 1.861, "break-even");
    near(bought.break_even_months.unwrap(), 12.0 * 1.17243 / 1.861, "months");
    near(bought.payback_months.unwrap(), 0.0, "nothing is paid at once");
    near(bought.newsvendor.amount, 3.0, "newsvendor");
    assert_eq!(bought.as_of, "2026-01-21");
}

#[test]
fn money_is_that_of_the_readme() {
    let plan = plan();
    let [bought] = &plan.purchases[..] else { panic!("{:?}", plan.purchases) };
    near(plan.cost.purchases_usd_per_month.as_f64(), 590.904_72 * WEEKS, "bought");
    near(bought.first_month_usd.as_f64(), 590.904_72 * WEEKS, "first month");
    near(bought.later_months_usd.as_f64(), 590.904_72 * WEEKS, "later months");
    near(bought.credited_usd_per_month.as_f64(), 937.944 * WEEKS, "credited");
    near(bought.saves_usd_per_month.as_f64(), (937.944 - 590.904_72) * WEEKS, "saves");
    near(plan.cost.on_demand_usd_per_month.as_f64(), 34.565_518 * WEEKS, "on demand");
    near(plan.cost.usd_per_month.as_f64(), 625.470_238 * WEEKS, "plan");
    near(plan.baseline.usd_per_month.as_f64(), 4_663.094, "today");
    assert_eq!(plan.optimality.outcome, "optimal");
    let readme = repository::text(Path::new("scenarios/commit-by-hand/README.md")).unwrap();
    let answer = format!("a saving of {:.2}%", plan.saving * 100.0);
    assert!(readme.contains(&answer) && readme.contains("$2,717.82 a month instead of $4,663.09"), "{answer}");
}

#[test]
fn without_products_the_schedule_stays() {
    let mut scenario = planned::load(&planned::folder("commit-by-hand"));
    scenario.buying.products.clear();
    let plan = planned::quick(&scenario, None);
    assert!(plan.purchases.is_empty());
    near(plan.cost.usd_per_month.as_f64(), 769.896_245 * WEEKS, "plan");
    assert_eq!(plan.windows.len(), 1);
}

#[test]
fn the_lever_is_what_it_saves_beyond_the_others() {
    let scenario = planned::load(&planned::folder("commit-by-hand"));
    let plan = plan();
    let levers = study::levers::of(&scenario, (plan.baseline.usd_per_month, plan.optimality.usd_per_month)).unwrap();
    let lever = levers.iter().find(|l| l.name == "commitments").unwrap();
    near(lever.last_in_usd_per_month.as_f64(), (769.896_245 - 625.470_238) * WEEKS, "last in");
    let sum: f64 = levers.iter().map(|l| l.usd_per_month.as_f64()).sum();
    near(sum, plan.baseline.usd_per_month.as_f64() - plan.optimality.usd_per_month.as_f64(), "levers together");
}
