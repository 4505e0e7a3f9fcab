//! One product of each kind, with the optimum known by hand.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::planned;
use gpuplan::domain::{Part, Scenario};
use gpuplan::formulation::Problem;
use gpuplan::formulation::purchase::{Covered, Machine, PurchaseOption, Purchases};
use gpuplan::ids::{InstanceTypeId, RegionId};
use gpuplan::plan::Plan;
use gpuplan::solver::purchase;
use serde_json::{Value, json};

const WEEKS: f64 = 730.0 / 168.0;

fn near(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() < 1e-3, "{what}: {found}, by hand {wanted}");
}

/// `commit-by-hand` with other products on offer.
fn offered(products: &Value) -> Scenario {
    let mut document = planned::document("commit-by-hand");
    document["commitments_to_buy"] = json!({"max_term_months": 36, "from_prices": false, "products": products});
    planned::load(planned::rewritten("commit-by-hand", &document).path())
}

fn planned_with(products: &Value) -> Plan {
    planned::quick(&offered(products), None)
}

fn instance(name: &str, payment: &str, money: (f64, f64)) -> Value {
    json!({
        "name": name, "kind": "instance", "instance_type": "g6e.xlarge", "region": "us-east-1", "term_months": 12,
        "payment": payment, "upfront_usd": money.0, "usd_per_hour": money.1, "source": "a quote", "as_of": "2026-01-21",
    })
}

#[test]
fn a_dearer_commitment_pays_for_the_node_that_never_rests_alone() {
    // 1.5/1.861 = 80.6% of the hours: the first node runs in all of them, the second and third in 66.7%.
    let plan = planned_with(&json!([instance("dear", "no-upfront", (0.0, 1.5))]));
    near(plan.purchases[0].amount, 1.0, "amount");
    near(plan.cost.usd_per_month.as_f64(), (168.0 * 1.5 + 422.682_727 + 34.565_518) * WEEKS, "plan");
    assert_eq!(plan.windows.len(), 1);
}

#[test]
fn nothing_is_bought_where_nothing_pays() {
    let plan = planned_with(&json!([instance("above", "no-upfront", (0.0, 1.9))]));
    assert!(plan.purchases.is_empty());
    near(plan.cost.usd_per_month.as_f64(), 769.896_245 * WEEKS, "plan");
}

#[test]
fn what_is_paid_at_once_is_spread_over_the_term_and_told_as_cash() {
    // 10,074 over 8,760 hours is 1.15 an hour, below 1.17243 by the hour.
    let both = json!([instance("at-once", "all-upfront", (10_074.0, 0.0)), instance("by-hour", "no-upfront", (0.0, 1.17243))]);
    let plan = planned_with(&both);
    let [bought] = &plan.purchases[..] else { panic!("{:?}", plan.purchases) };
    assert_eq!((bought.product.as_str(), bought.payment.as_str()), ("at-once", "all-upfront"));
    near(bought.amount, 3.0, "amount");
    near(bought.usd_per_month.as_f64(), 3.0 * 1.15 * 730.0, "a month");
    near(bought.first_month_usd.as_f64(), 30_222.0, "first month");
    near(bought.later_months_usd.as_f64(), 0.0, "later months");
    near(bought.payback_months.unwrap(), 30_222.0 / (3.0 * 1.861 * 730.0), "payback");
    // 10,424.4 over 8,760 hours is 1.19 an hour: by the hour is cheaper then.
    let other = json!([instance("at-once", "all-upfront", (10_424.4, 0.0)), instance("by-hour", "no-upfront", (0.0, 1.17243))]);
    assert_eq!(planned_with(&other).purchases[0].product, "by-hour");
}

#[test]
fn part_at_once_and_part_by_the_hour() {
    let plan = planned_with(&json!([instance("both", "partial-upfront", (4_380.0, 0.6))]));
    let [bought] = &plan.purchases[..] else { panic!("{:?}", plan.purchases) };
    near(bought.usd_per_unit_hour.as_f64(), 4_380.0 / 8_760.0 + 0.6, "price of a unit");
    near(bought.first_month_usd.as_f64(), 3.0 * (4_380.0 + 0.6 * 730.0), "first month");
    near(bought.later_months_usd.as_f64(), 3.0 * 0.6 * 730.0, "later months");
    near(bought.payback_months.unwrap(), 4_380.0 / ((1.861 - 0.6) * 730.0), "payback");
}

#[test]
fn a_savings_plan_goes_where_its_discount_is_largest() {
    let rate = |machine: &str, usd: f64| json!({"instance_type": machine, "region": "us-east-1", "usd_per_hour": usd});
    let plan = planned_with(&json!([{
        "name": "plan", "kind": "savings-plan", "term_months": 12, "payment": "partial-upfront",
        "rates": [rate("g6.xlarge", 0.52392), rate("g6e.xlarge", 1.17243)], "source": "a quote", "as_of": "2026-01-21",
    }]));
    let [bought] = &plan.purchases[..] else { panic!("{:?}", plan.purchases) };
    // Three L40S all week take 3.51729 an hour. What rests at night leaves the plan to the job, which is worth more than the starts.
    near(bought.amount, 3.517, "amount");
    assert_eq!(bought.covers[0].instance_type, "g6e.xlarge");
    assert!(bought.covers[0].node_hours_per_week < 3.517 / 1.17243 * 168.0, "{:?}", bought.covers[0]);
    assert!(bought.covers[1].node_hours_per_week > 0.0, "{:?}", bought.covers[1]);
    near(bought.first_month_usd.as_f64(), 3.517 * 730.0 * (6.0 + 0.5), "half at once, half by the hour");
    // Never resting, with the job on demand.
    let rest = (3.0 - 3.517 / 1.17243) * 168.0 * 1.861;
    assert!(plan.cost.usd_per_month.as_f64() < (3.517 * 168.0 + rest + 34.565_518) * WEEKS);
}

#[test]
fn committed_use_is_bought_part_by_part() {
    let mut document = planned::document("gcp-assist");
    let machines = ["g2-standard-4", "g2-standard-8", "g2-standard-12"];
    // On demand 24.988 + 2.927 + 560 thousandths make the listed 0.706832 of a g2-standard-4; committed 37% less.
    let part = |usd: f64| json!({"on_demand_usd_per_hour": usd, "usd_per_hour": usd * 0.63});
    document["commitments_to_buy"] = json!({"from_prices": false, "products": [{
        "name": "g2", "kind": "resource", "region": "us-central1", "instance_types": machines, "term_months": 12,
        "payment": "no-upfront", "source": "a quote", "as_of": "2026-07-30",
        "parts": {"vcpu": part(0.024_988), "ram_gib": part(0.002_927), "gpu": part(0.56)},
    }]});
    let scenario = planned::load(planned::rewritten("gcp-assist", &document).path());
    let plan = planned::quick(&scenario, None);
    let without = planned::quick(&planned::load(&planned::folder("gcp-assist")), None);
    assert!(plan.cost.usd_per_month <= without.cost.usd_per_month);
    let amount = |name: &str| plan.purchases.iter().find(|p| p.product == name).map_or(0.0, |p| p.amount);
    // All parts pay at the same share of hours, so each part is bought for the nodes that run in 63% of the hours.
    let held = |size: &dyn Fn(&gpuplan::plan::NodePool) -> f64| {
        let own = |p: &&gpuplan::plan::NodePool| p.spot.is_none() && machines.contains(&p.instance_type.as_str());
        let mut hours: Vec<f64> = (0..168).map(|t| plan.pools.iter().filter(own).map(|p| size(p) * p.nodes_by_hour[t]).sum()).collect();
        hours.sort_by(f64::total_cmp);
        // In more than 63% of 168 hours, 105.84: the 63rd least.
        hours[62]
    };
    assert!(amount("g2-gpus") > 0.0, "{:?}", plan.purchases);
    near(amount("g2-gpus"), held(&|p| f64::from(p.gpus_per_node)).floor(), "GPUs");
    near(amount("g2-vcpus"), held(&|p| p.vcpus_per_node).floor(), "CPUs");
    near(amount("g2-ram"), held(&|p| p.ram_gib_per_node).floor(), "GiB");
}

/// A problem with nothing but commitments to buy for two machines at 2 and at 1 dollar an hour.
fn two_machines(options: Vec<PurchaseOption>) -> Problem {
    let machine = |name: &str, price: f64| Machine {
        key: (InstanceTypeId::new(name), RegionId::new("here-1")),
        pools: Vec::new(),
        price,
        committed: 0,
    };
    let purchases = Purchases { machines: vec![machine("a", 2.0), machine("b", 1.0)], options };
    Problem { pools: Vec::new(), workloads: Vec::new(), quotas: Vec::new(), max_changes: None, purchases }
}

fn option(part: Part, (price, step): (f64, f64), covers: &[(usize, f64, f64)]) -> PurchaseOption {
    let covers = covers.iter().map(|&(machine, units, worth)| Covered { machine, units, worth }).collect();
    PurchaseOption { product: 0, part, price, step, covers }
}

/// By turns: `a` in the first `hours` of the week, `b` in the others.
fn by_turns(hours: usize) -> Vec<Vec<f64>> {
    let of = |on: &dyn Fn(usize) -> bool| (0..168).map(|t| if on(t) { 1.0 } else { 0.0 }).collect();
    vec![of(&|t| t < hours), of(&|t| t >= hours)]
}

#[test]
fn a_savings_plan_pays_for_machines_that_take_turns_where_reservations_do_not() {
    let reservations = [option(Part::Machine, (1.2, 1.0), &[(0, 1.0, 2.0)]), option(Part::Machine, (0.6, 1.0), &[(1, 1.0, 1.0)])];
    let plan = option(Part::Machine, (1.0, 0.001), &[(0, 1.2, 2.0), (1, 0.6, 1.0)]);
    // Each runs for half of the week, and 60% would be needed.
    let problem = two_machines(reservations.to_vec());
    assert_eq!(purchase::best(&problem, &by_turns(84), &[]), [0.0, 0.0]);
    // The plan is used up to 0.6 in every hour, and between 0.6 and 1.2 in half of them.
    let problem = two_machines([&reservations[..], &[plan]].concat());
    let amounts = purchase::best(&problem, &by_turns(84), &[]);
    near(amounts[2], 0.6, "dollars an hour");
    near(amounts[0] + amounts[1], 0.0, "nothing beside it");
    // Saved: 84 h of half of `a` and 84 h of `b`, at 2 and 1; paid 0.6 in 168.
    near(purchase::net(&problem, &amounts, &by_turns(84)), 0.6 * 168.0 - 84.0 * 1.0 - 84.0 * 1.0, "net");
}

#[test]
fn a_way_in_that_takes_the_wrong_turn_first_is_left_again() {
    let reservation = option(Part::Machine, (1.2, 1.0), &[(0, 1.0, 2.0)]);
    let plan = option(Part::Machine, (1.0, 0.001), &[(0, 1.2, 2.0), (1, 1.2, 2.0)]);
    let problem = two_machines(vec![reservation, plan]);
    // `a` runs in 70% of the hours and pays for a reservation by itself; the plan covers both, in all hours, at the same price.
    let week = by_turns(118);
    let amounts = purchase::best(&problem, &week, &[]);
    near(amounts[0], 0.0, "reservations");
    near(amounts[1], 1.2, "dollars an hour");
}

#[test]
fn parts_are_bought_apart() {
    let vcpus = option(Part::Vcpus, (0.03, 1.0), &[(0, 8.0, 0.4), (1, 4.0, 0.2)]);
    let gpus = option(Part::Gpus, (0.9, 1.0), &[(0, 1.0, 1.4), (1, 1.0, 0.6)]);
    let problem = two_machines(vec![vcpus, gpus]);
    // Two of `a` and one of `b` all week; `b` in half of it a second time.
    let mut week = vec![vec![2.0; 168], vec![1.0; 168]];
    week[1][..84].fill(2.0);
    let amounts = purchase::best(&problem, &week, &[]);
    // A CPU pays at 60% of the hours: 2 x 8 + 4 all week. A GPU costs 0.9: it pays on `a` (64%), never on `b`.
    assert_eq!(amounts, [20.0, 2.0]);
    near(purchase::net(&problem, &amounts, &week), 168.0 * (20.0 * 0.03 + 2.0 * 0.9 - 20.0 * 0.05 - 2.0 * 1.4), "net");
}

#[test]
fn the_rule_agrees_with_trying_every_amount() {
    // A week of counts that rise from 0 to 7, each for 21 hours.
    let counts: Vec<f64> = (0..168).map(|t| (t / 21) as f64).collect();
    for cents in (5..=200).step_by(5) {
        let price = f64::from(cents) / 100.0;
        let problem = two_machines(vec![option(Part::Machine, (price, 1.0), &[(0, 1.0, 2.0)])]);
        let week = vec![counts.clone(), vec![0.0; 168]];
        let [amount] = purchase::best(&problem, &week, &[])[..] else { panic!() };
        let tried = (0..=9).map(|k| (f64::from(k), purchase::net(&problem, &[f64::from(k)], &week)));
        let best = tried.reduce(|a, b| if b.1 < a.1 - 1e-9 { b } else { a }).unwrap();
        near(amount, best.0, "amount");
        // The k-th is bought while it is used in more than price/2 of the hours.
        let by_share = (1..=7).filter(|k| f64::from(8 - k) * 21.0 * 2.0 > 168.0 * price + 1e-9).count();
        near(amount, by_share as f64, "by its share of hours");
    }
}
