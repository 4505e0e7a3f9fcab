//! The traps of the savings plan files: bodies in the published layout, one thing changed in each.

#![expect(clippy::unwrap_used, reason = "test")]

use super::*;
use crate::pricing::gathered::Payment;
use serde_json::{Value, json};

const NOW: &str = "2026-08-10T12:00:00Z";

fn read(file: &str) -> Result<Gathered, ReadFault> {
    let machines = Machines::from([("A".to_owned(), "g6e.xlarge".to_owned()), ("B".to_owned(), "p5.48xlarge".to_owned())]);
    let region = Region { name: "us-east-1", is_gpu_type: &|_| true, now: NOW.parse().unwrap() };
    parse_plans(file.as_bytes(), &region, &machines)
}

fn plan(sku: &str, family: &str, (term, option): (&str, &str)) -> Value {
    json!({"sku": sku, "productFamily": family, "serviceCode": "ComputeSavingsPlans", "usageType": "ComputeSP:1yrNoUpfront", "operation": "",
        "attributes": {"purchaseOption": option, "granularity": "hourly", "purchaseTerm": term, "locationType": "AWS Region", "location": "Any"}})
}

fn rate(sku: &str, price: &str) -> Value {
    json!({"discountedSku": sku, "discountedUsageType": "BoxUsage:g6e.xlarge", "discountedOperation": "RunInstances",
        "discountedServiceCode": "AmazonEC2", "rateCode": format!("P.{sku}"), "unit": "Hrs",
        "discountedRate": {"price": price, "currency": "USD"}, "discountedRegionCode": "us-east-1", "discountedInstanceType": "g6e.xlarge"})
}

fn rates(sku: &str, rates: &[Value]) -> Value {
    json!({"sku": sku, "description": "1 year No Upfront Compute Savings Plan", "effectiveDate": "2026-06-23T21:58:42Z",
        "leaseContractLength": {"duration": 1, "unit": "year"}, "rates": rates})
}

fn file(plans: &[Value], terms: &[Value]) -> Value {
    json!({"version": "20260623215842", "publicationDate": "2026-06-23T21:58:42Z", "regionCode": "us-east-1", "products": plans,
        "terms": {"savingsPlan": terms}})
}

/// `machine product years payment price` of each quote.
fn found(gathered: &Gathered) -> Vec<String> {
    let told = |quote: &Quote| {
        let Bought::Committed(Term { product, years, payment }) = &quote.bought else { panic!("{:?}", quote.bought) };
        format!("{} {} {years}y {} {}", quote.instance_type, product.as_str(), payment.as_str(), quote.per_hour)
    };
    gathered.quotes.iter().map(told).collect()
}

fn messages(gathered: &Gathered) -> Vec<String> {
    gathered.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_rate_of_a_plan() {
    let plans = [plan("P", "ComputeSavingsPlans", ("1yr", "No Upfront"))];
    let gathered = read(&file(&plans, &[rates("P", &[rate("Z", "9"), rate("A", "1.285"), rate("Y", "9")])]).to_string()).unwrap();
    let quote = Quote {
        cloud: Cloud::Aws,
        region: "us-east-1".to_owned(),
        zone: None,
        instance_type: "g6e.xlarge".to_owned(),
        bought: Bought::Committed(Term { product: Product::ComputeSavingsPlan, years: 1, payment: Payment::NoUpfront }),
        per_hour: 1.285,
        currency: "USD".to_owned(),
        source: "AWS savings plan price list".to_owned(),
        as_of: "2026-06-23T21:58:42Z".parse().unwrap(),
        derivation: String::new(),
    };
    assert_eq!(gathered.quotes, [quote]);
    assert_eq!(messages(&gathered), [""; 0]);
}

/// The trap: both kinds of plan discount the same SKU for the same term and payment, at different rates.
#[test]
fn two_kinds_of_plan_share_a_sku_and_stay_apart() {
    let plans = [plan("P", "ComputeSavingsPlans", ("3yr", "All Upfront")), plan("Q", "EC2InstanceSavingsPlans", ("3yr", "All Upfront"))];
    let terms = [rates("P", &[rate("A", "0.9")]), rates("Q", &[rate("A", "0.7")])];
    let expected = ["g6e.xlarge instance-savings-plan 3y all-upfront 0.7", "g6e.xlarge compute-savings-plan 3y all-upfront 0.9"];
    assert_eq!(found(&read(&file(&plans, &terms).to_string()).unwrap()), expected);
}

#[test]
fn every_term_and_payment_is_a_price_of_its_own() {
    let (mut plans, mut terms, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for (i, years) in [1, 3].into_iter().enumerate() {
        for (j, option) in ["No Upfront", "Partial Upfront", "All Upfront"].into_iter().enumerate() {
            let sku = format!("P{i}{j}");
            plans.push(plan(&sku, "EC2InstanceSavingsPlans", (&format!("{years}yr"), option)));
            terms.push(rates(&sku, &[rate("B", &format!("{i}.{j}5"))]));
            expected.push(format!("p5.48xlarge instance-savings-plan {years}y {} {i}.{j}5", option.to_lowercase().replace(' ', "-")));
        }
    }
    assert_eq!(found(&read(&file(&plans, &terms).to_string()).unwrap()), expected);
}

/// Rates before plans, the SKU of a plan after its rates, the SKU of a rate after its price.
#[test]
fn the_order_of_members_does_not_matter() {
    let text = r#"{"terms":{"savingsPlan":[{"rates":[{"discountedRate":{"currency":"USD","price":"2"},"unit":"Hrs","discountedSku":"B"},
        {"discountedRate":{"currency":"USD","price":"3"},"unit":"Hrs","discountedSku":"Z"}],"sku":"P"}]},
        "products":[{"attributes":{"purchaseTerm":"1yr","purchaseOption":"Partial Upfront"},"productFamily":"ComputeSavingsPlans","sku":"P"}]}"#;
    let gathered = read(text).unwrap();
    assert_eq!(found(&gathered), ["p5.48xlarge compute-savings-plan 1y partial-upfront 2"]);
    assert_eq!(gathered.quotes[0].as_of.to_string(), NOW);
}

#[test]
fn other_currencies_are_kept_as_they_are() {
    let text = file(&[plan("P", "ComputeSavingsPlans", ("1yr", "No Upfront"))], &[rates("P", &[rate("A", "8")])]).to_string();
    assert_eq!(read(&text.replace("USD", "CNY")).unwrap().quotes[0].currency, "CNY");
}

#[test]
fn plans_that_cover_no_machines_are_none_of_ours() {
    let plans = [plan("P", "DatabaseSavingsPlans", ("1yr", "No Upfront"))];
    let gathered = read(&file(&plans, &[rates("P", &[rate("A", "1")])]).to_string()).unwrap();
    assert_eq!((found(&gathered).len(), messages(&gathered).len()), (0, 0));
}

#[test]
fn bad_entries_do_not_spoil_a_document() {
    let plans = [
        plan("P", "ComputeSavingsPlans", ("1yr", "No Upfront")),
        plan("Q", "ComputeSavingsPlans", ("5yr", "No Upfront")),
        json!("a plan"),
        json!({"sku": "R", "attributes": {}}),
    ];
    let mut by_the_month = rate("B", "900");
    by_the_month["unit"] = json!("Mo");
    let mut without = rate("B", "1");
    without["discountedRate"] = json!(null);
    let terms = [
        rates("P", &[json!(7), rate("A", "1.2"), rate("B", "free"), by_the_month, without, json!({"discountedSku": ["A"]})]),
        rates("Q", &[rate("A", "1")]),
        rates("R", &[rate("A", "1")]),
        rates("S", &[rate("A", "1")]),
        // Nobody misses a plan of which nothing is wanted.
        rates("T", &[rate("Z", "1")]),
        json!([1]),
        json!({"sku": "P", "rates": "none"}),
    ];
    let gathered = read(&file(&plans, &terms).to_string()).unwrap();
    assert_eq!(found(&gathered), ["g6e.xlarge compute-savings-plan 1y no-upfront 1.2"]);
    let expected = "[E1825] entries of the AWS savings plans that cannot be read, left out (6): `p5.48xlarge` in plan `P` in `us-east-1` \
                    (`free` is no rate), `p5.48xlarge` in plan `P` in `us-east-1` (no rate), `p5.48xlarge` in plan `P` in `us-east-1` \
                    (rate for each `Mo`) and 3 more";
    assert_eq!(messages(&gathered), [expected]);
}

#[test]
fn a_file_that_breaks_off_is_broken_and_one_of_another_form_is_malformed() {
    let whole = file(&[plan("P", "ComputeSavingsPlans", ("1yr", "No Upfront"))], &[rates("P", &[rate("A", "1")])]).to_string();
    for end in 0..whole.len() {
        assert!(matches!(read(&whole[..end]), Err(ReadFault::Broken(_))), "{end}");
    }
    for body in ["{}", "[]", "<html>", r#"{"products":[]}"#, r#"{"products":{},"terms":{}}"#, r#"{"products":[],"terms":[]}"#] {
        assert!(matches!(read(body), Err(ReadFault::Malformed(_))), "{body}");
    }
}
