//! Tiny generated scenarios with a product on one machine. To buy `n` nodes is to hold `n` nodes and pay for them, so the answer is
//! held against a brute force over every decision for every amount, which knows nothing of buying.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::exhaustive;
use crate::generated::{self, Random, Size};
use gpuplan::domain::{Buying, CapacityType, Commitment, Cover, Payment, Product, PurchaseKind, PurchaseUnit, Scenario};
use gpuplan::formulation::compact::{self, Goal};
use gpuplan::formulation::{self, Freedom};
use gpuplan::ids::{CommitmentId, ProductId};
use gpuplan::solver::{self, ColumnPool, Solution, SolveError, Stage, purchase, reference, solution};
use gpuplan::units::{Usd, UsdPerHour};

const SEEDS: std::ops::Range<u64> = 20_000..20_120;
/// Instances below which the test says nothing.
const ENOUGH: usize = 60;
/// More nodes than any of these instances uses.
const MOST: u32 = 7;
const MAY_BE_DEARER: f64 = 0.03;

fn slack(cost: f64) -> f64 {
    1e-6 * cost.abs().max(1.0)
}

fn instance(scenario: &Scenario, position: usize, share: f64) -> Product {
    let offering = &scenario.offerings[position];
    Product {
        id: ProductId::new(format!("product-{position}")),
        kind: PurchaseKind::Instance,
        unit: PurchaseUnit::Nodes,
        term_months: 12,
        payment: Payment::NoUpfront,
        upfront: Usd::ZERO,
        hourly: UsdPerHour::from_f64(offering.price.as_f64() * share),
        on_demand: None,
        covers: vec![Cover { instance_type: offering.instance_type.clone(), region: offering.region.clone(), units: 1.0 }],
        source: "generated".to_owned(),
        as_of: "2026-01-01".to_owned(),
    }
}

/// Positions of on-demand offerings.
fn on_demand(scenario: &Scenario) -> Vec<usize> {
    let all = scenario.offerings.iter().enumerate();
    all.filter(|(_, o)| o.capacity_type == CapacityType::OnDemand).map(|(i, _)| i).collect()
}

/// A scenario without held commitments, and the product that it will be offered.
fn case(seed: u64, size: Size) -> (Scenario, Product) {
    let mut scenario = generated::scenario(seed, size);
    scenario.fleet.commitments.clear();
    let mut random = Random::new(seed ^ 0xB0B);
    let position = random.pick(&on_demand(&scenario));
    let product = instance(&scenario, position, random.between(0.3, 0.95));
    (scenario, product)
}

fn with(scenario: &Scenario, products: Vec<Product>) -> Scenario {
    Scenario { buying: Buying { products, ..Buying::default() }.sorted(), ..scenario.clone() }
}

fn solve(scenario: &Scenario) -> Option<Solution> {
    let problem = formulation::build(scenario, &Freedom::FULL);
    match solver::solve(&problem, &Stage::least_cost(), &mut ColumnPool::of(&problem)) {
        Ok(solution) => Some(solution),
        Err(SolveError::Infeasible(_)) => None,
        Err(other) => panic!("{other}"),
    }
}

/// Least cost over every decision and amount; `None` where the instance is not tiny, or has no plan.
fn truth(scenario: &Scenario, product: &Product) -> Option<f64> {
    let mut best: Option<f64> = None;
    for nodes in 0..=MOST {
        let mut held = scenario.clone();
        if nodes > 0 {
            held.fleet.commitments.push(Commitment {
                id: CommitmentId::new("tried"),
                instance_type: product.covers[0].instance_type.clone(),
                region: product.covers[0].region.clone(),
                nodes,
                price: product.hourly,
                expires: "2027-01-01".to_owned(),
            });
        }
        let cost = exhaustive::best(&formulation::build(&held, &Freedom::FULL))?.cost?;
        let all = cost + 168.0 * f64::from(nodes) * product.hourly.as_f64();
        best = Some(best.map_or(all, |known| known.min(all)));
    }
    best
}

#[test]
fn buying_agrees_with_trying_every_decision_and_amount() {
    let (mut compared, mut bought, mut dearer, mut faults) = (0, 0, Vec::new(), Vec::new());
    for seed in SEEDS {
        let (scenario, product) = case(seed, Size::TINY);
        let Some(truth) = truth(&scenario, &product) else { continue };
        let Some(found) = solve(&with(&scenario, vec![product])) else { continue };
        compared += 1;
        bought += usize::from(found.bought.iter().any(|n| *n > 0.0));
        if found.bound > truth + slack(truth) {
            faults.push(format!("seed {seed}: bound {} above the optimum {truth}", found.bound));
        }
        if found.value < truth - slack(truth) {
            faults.push(format!("seed {seed}: value {} below the optimum {truth}", found.value));
        }
        if found.value > truth + slack(truth) {
            dearer.push(format!("seed {seed}: {} for {truth}, bound {}", found.value, found.bound));
        }
    }
    assert!(faults.is_empty(), "{} of {compared}:\n{}", faults.len(), faults.join("\n"));
    assert!(compared >= ENOUGH && bought * 3 >= compared, "{compared} compared, {bought} bought something");
    assert!((dearer.len() as f64) < MAY_BE_DEARER * compared as f64, "{} of {compared}:\n{}", dearer.len(), dearer.join("\n"));
}

#[test]
fn no_other_amounts_are_better_for_the_fleet_that_was_found() {
    let mut compared = 0;
    for seed in 20_200..20_230 {
        let (scenario, product) = case(seed, Size::SMALL);
        let scenario = with(&scenario, vec![product]);
        let problem = formulation::build(&scenario, &Freedom::FULL);
        let Some(found) = solve(&scenario).filter(|_| !problem.purchases.is_empty()) else { continue };
        let expected = solution::expected_nodes(&found.columns);
        let left_over = purchase::left_over(&problem, &found.fixed_nodes, &expected);
        let best = purchase::net(&problem, &found.bought, &left_over);
        for nodes in 0..30 {
            assert!(purchase::net(&problem, &[f64::from(nodes)], &left_over) >= best - 1e-6, "seed {seed}: {nodes} nodes");
        }
        // The rule needs no help from the master.
        let alone = purchase::best(&problem, &left_over, &[]);
        assert!((purchase::net(&problem, &alone, &left_over) - best).abs() < 1e-6, "seed {seed}");
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

/// The textbook program states purchases by itself, held commitments beside them.
#[test]
fn the_textbook_program_buys_the_same() {
    let mut compared = 0;
    for seed in 20_500..20_560 {
        let scenario = generated::scenario(seed, Size::TINY);
        let mut random = Random::new(seed);
        let (position, share) = (random.pick(&on_demand(&scenario)), random.between(0.3, 0.8));
        let products = vec![instance(&scenario, position, share), savings_plan(&scenario, share + 0.05)];
        let scenario = with(&scenario, products);
        let problem = formulation::build(&scenario, &Freedom::FULL);
        if compact::build(&problem, &Goal::LEAST_COST).columns.len() > 2500 {
            continue;
        }
        let (Some(found), Some(truth)) = (solve(&scenario), reference::optimum(&problem, &Stage::least_cost()).unwrap()) else { continue };
        let truth = truth.objective;
        assert!(found.bound <= truth + slack(truth), "seed {seed}: bound {} above the optimum {truth}", found.bound);
        // Savings plans are sold by the tenth of a cent, the program buys any amount; and it rounds by its own tolerance.
        assert!(found.value >= truth - 10.0 * slack(truth), "seed {seed}: value {} below the optimum {truth}", found.value);
        assert!(found.value <= truth * 1.01 + 0.2, "seed {seed}: value {} for {truth}", found.value);
        compared += 1;
    }
    assert!(compared >= 15, "{compared}");
}

/// A savings plan over all machines, at a share of their prices.
fn savings_plan(scenario: &Scenario, share: f64) -> Product {
    let covers = on_demand(scenario).into_iter().map(|i| {
        let o = &scenario.offerings[i];
        Cover { instance_type: o.instance_type.clone(), region: o.region.clone(), units: o.price.as_f64() * share }
    });
    Product {
        id: ProductId::new("plan"),
        kind: PurchaseKind::SavingsPlan,
        unit: PurchaseUnit::UsdPerHour,
        hourly: UsdPerHour::from_f64(1.0),
        covers: covers.collect(),
        ..instance(scenario, on_demand(scenario)[0], 1.0)
    }
}

#[test]
fn an_offer_makes_no_plan_dearer_and_a_dearer_offer_none_cheaper() {
    let mut bought = 0;
    for seed in 20_300..20_345 {
        let scenario = generated::scenario(seed, Size::SMALL);
        let mut random = Random::new(seed);
        let position = random.pick(&on_demand(&scenario));
        let share = random.between(0.3, 0.8);
        let products = |share: f64| match seed % 3 {
            0 => vec![instance(&scenario, position, share)],
            1 => vec![savings_plan(&scenario, share)],
            _ => vec![instance(&scenario, position, share), savings_plan(&scenario, share + 0.1)],
        };
        let (Some(none), Some(offered)) = (solve(&scenario), solve(&with(&scenario, products(share)))) else { continue };
        let dearer = solve(&with(&scenario, products(share + 0.15))).unwrap();
        assert!(offered.bound <= none.value + slack(none.value), "seed {seed}: offered {}, without {}", offered.bound, none.value);
        assert!(offered.value <= none.value * 1.01 + slack(none.value), "seed {seed}: the search misses what it had");
        assert!(dearer.value >= offered.bound - slack(offered.bound), "seed {seed}: dearer {}, before {}", dearer.value, offered.bound);
        bought += usize::from(offered.bought.iter().any(|n| *n > 0.0));
    }
    assert!(bought >= 20, "{bought}");
}

#[test]
fn a_problem_without_the_lever_has_no_products() {
    let (scenario, product) = case(20_400, Size::SMALL);
    let without = Freedom { commitments: false, ..Freedom::FULL };
    assert!(formulation::build(&with(&scenario, vec![product]), &without).purchases.is_empty());
}
