//! `commitments_to_buy` as it is read: every fault has its code and its place, what is not known is not offered.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::input::{BASE, load_text, patched, sound};
use gpuplan::diagnostic::Severity;
use gpuplan::domain::{Payment, Product, PurchaseKind, PurchaseUnit, Scenario};

const INSTANCE: &str = "{name: ri, kind: instance, instance_type: g6e.xlarge, region: us-east-1, term_months: 12, payment: no-upfront, usd_per_hour: 1.17, source: quote, as_of: \"2026-01-21\"}";
const PLAN: &str = "{name: sp, kind: savings-plan, term_months: 12, payment: all-upfront, rates: [{instance_type: g6e.xlarge, region: us-east-1, usd_per_hour: 1.2}, {instance_type: g4dn.xlarge, region: us-east-1, usd_per_hour: 0.33}], source: quote, as_of: \"2026-01-21\"}";

fn section(body: &str) -> String {
    format!("{BASE}commitments_to_buy:\n  from_prices: false\n  products:\n    - {body}\n")
}

fn products(text: &str) -> Vec<Product> {
    sound(load_text(text)).0.buying.products
}

fn named<'a>(scenario: &'a Scenario, name: &str) -> &'a Product {
    scenario.buying.products.iter().find(|p| p.id.as_str() == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn products_become_what_they_say() {
    let [ri] = &products(&section(INSTANCE))[..] else { panic!() };
    assert_eq!((ri.kind, ri.unit, ri.term_months, ri.payment), (PurchaseKind::Instance, PurchaseUnit::Nodes, 12, Payment::NoUpfront));
    assert!((ri.spread_usd_per_hour() - 1.17).abs() < 1e-9);
    let [plan] = &products(&section(PLAN))[..] else { panic!() };
    assert_eq!((plan.kind, plan.covers.len()), (PurchaseKind::SavingsPlan, 2));
    // A dollar an hour, paid at once: 8,760 dollars.
    assert!((plan.upfront.as_f64() - 8_760.0).abs() < 1e-6 && plan.hourly.as_f64() < 1e-12);
}

#[test]
fn the_price_list_offers_what_it_knows() {
    let (scenario, notes) = sound(load_text(&format!("{BASE}commitments_to_buy: {{max_term_months: 12}}\n")));
    let ri = named(&scenario, "g6e.xlarge-us-east-1-1y-standard-reserved-instance-no-upfront");
    assert!((ri.hourly.as_f64() - 1.17243).abs() < 1e-9, "{ri:?}");
    assert_eq!((ri.as_of.as_str(), ri.source.contains("AWS Price List")), ("2026-01-21", true));
    assert!(scenario.buying.products.iter().all(|p| p.term_months == 12));
    assert!(notes.iter().all(|d| d.severity == Severity::Note), "{notes:?}");
}

#[test]
fn a_scenario_without_the_section_is_the_same_as_ever() {
    let (scenario, _) = sound(load_text(BASE));
    assert!(scenario.buying.products.is_empty());
    let (with, _) = sound(load_text(&section(INSTANCE)));
    assert_ne!(scenario.sha256, with.sha256);
    let (shrinking, _) = sound(load_text(&patched(&[("    team: search\n", "    team: search\n    shrinking: true\n")])));
    assert_eq!(shrinking.buying.shrinking.iter().map(ToString::to_string).collect::<Vec<_>>(), ["chat"]);
    assert_ne!(scenario.sha256, shrinking.sha256);
}

/// What is replaced in a product, what by, the code, and whether it is a fault.
type Case = (&'static str, &'static str, &'static str, &'static str, Severity);

const CASES: &[Case] = &[
    (INSTANCE, "term_months: 12", "term_months: 24", "E1601", Severity::Error),
    (INSTANCE, "usd_per_hour: 1.17", "usd_per_hour: 1.17, upfront_usd: 9", "E1602", Severity::Error),
    (INSTANCE, "payment: no-upfront", "payment: all-upfront", "E1602", Severity::Error),
    (INSTANCE, "kind: instance", "kind: resource", "E1013", Severity::Error),
    (INSTANCE, "region: us-east-1, ", "", "E1012", Severity::Error),
    (INSTANCE, "usd_per_hour: 1.17", "usd_per_hour: 2.5", "E1604", Severity::Warning),
    (INSTANCE, "term_months: 12", "term_months: 36", "E1605", Severity::Note),
    (INSTANCE, "g6e.xlarge", "g6e.xlrge", "E1104", Severity::Error),
    (INSTANCE, "\"2026-01-21\"", "\"2026-02-30\"", "E1204", Severity::Error),
    (PLAN, "instance_type: g4dn.xlarge", "instance_type: g6e.xlarge", "E1102", Severity::Error),
    (PLAN, "usd_per_hour: 0.33", "usd_per_hour: -0.33", "E1202", Severity::Error),
];

#[test]
fn every_fault_has_its_code() {
    for (product, old, new, code, severity) in CASES {
        assert!(product.contains(old), "{old}");
        let text = section(&product.replacen(old, new, 1));
        let found = match load_text(&text) {
            Ok(loaded) => loaded.diagnostics,
            Err(rejected) => rejected.diagnostics,
        };
        assert!(found.iter().any(|d| d.code == *code && d.severity == *severity), "{new}: no {code} in {found:#?}");
    }
}

#[test]
fn a_kind_that_the_cloud_does_not_sell_is_told() {
    let resource = "{name: cud, kind: resource, region: us-east-1, instance_types: [g6e.xlarge], term_months: 12, payment: no-upfront, parts: {gpu: {on_demand_usd_per_hour: 1, usd_per_hour: 0.6}}, source: quote, as_of: \"2026-01-21\"}";
    let found = load_text(&section(resource)).err().unwrap().diagnostics;
    assert!(found.iter().any(|d| d.code == "E1603"), "{found:#?}");
}

#[test]
fn an_offer_of_nothing_is_told() {
    let (_, notes) = sound(load_text(&format!("{BASE}commitments_to_buy: {{from_prices: false}}\n")));
    assert!(notes.iter().any(|d| d.code == "E1606"), "{notes:?}");
}

#[test]
fn machines_without_a_known_rate_are_named() {
    // No partial-upfront price is embedded.
    let (_, notes) = sound(load_text(&format!("{BASE}commitments_to_buy: {{payments: [partial-upfront]}}\n")));
    let note = notes.iter().find(|d| d.code == "E1605").unwrap();
    assert!(note.message.contains("`g6e.xlarge` in `us-east-1`"), "{}", note.message);
}
