//! The traps of the price list: bodies in the recorded shape, one thing changed in each.

#![expect(clippy::unwrap_used, reason = "test")]

use super::*;
use crate::pricing::gathered::Quote;
use crate::pricing::gathered::{Bought, Payment, Product, Term};
use serde_json::{Map, Value, json};

const NOW: &str = "2026-08-10T12:00:00Z";

fn read_again(list: &str, known: Machines) -> Result<Offers, ReadFault> {
    let is_gpu_type = |name: &str| name.starts_with("p4") || name.starts_with("g4dn");
    parse_offers(list.as_bytes(), &Region { name: "us-east-1", is_gpu_type: &is_gpu_type, now: NOW.parse().unwrap() }, known)
}

fn read(list: &Value) -> Offers {
    read_again(&list.to_string(), Machines::new()).unwrap()
}

/// A list of products and terms, in that order.
fn list(products: &[(&str, Value)], on_demand: &[(&str, Value)], reserved: &[(&str, Value)]) -> Value {
    let map = |entries: &[(&str, Value)]| entries.iter().map(|(sku, entry)| ((*sku).to_owned(), entry.clone())).collect::<Map<_, _>>();
    json!({
        "formatVersion": "v1.0", "offerCode": "AmazonEC2", "version": "20260801000000", "publicationDate": "2026-08-01T00:00:00Z",
        "products": map(products),
        "terms": {"OnDemand": map(on_demand), "Reserved": map(reserved), "FlatRate": {"A": 1}},
        "attributesList": {},
    })
}

/// p4d.24xlarge by the hour.
fn p4d() -> Value {
    json!({"sku": "A", "productFamily": "Compute Instance", "attributes": {
        "servicecode": "AmazonEC2", "location": "US East (N. Virginia)", "locationType": "AWS Region", "instanceType": "p4d.24xlarge",
        "vcpu": "96", "memory": "1,152 GiB", "gpu": "8", "gpuMemory": "NA", "tenancy": "Shared", "operatingSystem": "Linux",
        "licenseModel": "No License required", "operation": "RunInstances", "capacitystatus": "Used", "marketoption": "OnDemand",
        "preInstalledSw": "NA", "regionCode": "us-east-1",
    }})
}

/// A product with one attribute, or its family, as `value`; `null` takes it out.
fn with(mut product: Value, name: &str, value: Value) -> Value {
    let at = if name == "productFamily" { &mut product } else { &mut product["attributes"] };
    let at = at.as_object_mut().unwrap();
    if value.is_null() {
        at.remove(name)
    } else {
        at.insert(name.to_owned(), value)
    };
    product
}

fn dimension(unit: &str, price: &str) -> Value {
    json!({"rateCode": "A.B.C", "description": "a machine", "beginRange": "0", "endRange": "Inf", "unit": unit, "pricePerUnit": {"USD": price}, "appliesTo": []})
}

/// The terms of a SKU: one, by the hour.
fn hourly(price: &str) -> Value {
    json!({"A.JRTCKXETXF": {"offerTermCode": "JRTCKXETXF", "sku": "A", "effectiveDate": "2026-08-01T00:00:00Z",
        "priceDimensions": {"A.JRTCKXETXF.6YS6EN2CT7": dimension("Hrs", price)}, "termAttributes": {}}})
}

/// The terms of a SKU: one reservation, with an hourly price and a fee where they are given.
fn reserved((length, class, payment): (&str, &str, &str), per_hour: Option<&str>, fee: Option<&str>) -> Value {
    let dimensions = per_hour.map(|p| ("A.R.H".to_owned(), dimension("Hrs", p))).into_iter();
    let dimensions: Map<String, Value> = dimensions.chain(fee.map(|p| ("A.R.Q".to_owned(), dimension("Quantity", p)))).collect();
    json!({"A.R": {"effectiveDate": "2025-01-01T00:00:00Z", "priceDimensions": dimensions,
        "termAttributes": {"LeaseContractLength": length, "OfferingClass": class, "PurchaseOption": payment}}})
}

/// `machine price currency` of each quote.
fn found(offers: &Offers) -> Vec<String> {
    offers.gathered.quotes.iter().map(|q| format!("{} {} {}", q.instance_type, q.per_hour, q.currency)).collect()
}

fn messages(offers: &Offers) -> Vec<String> {
    offers.gathered.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_machine_by_the_hour() {
    let offers = read(&list(&[("A", p4d())], &[("A", hourly("32.7726000000"))], &[]));
    let quote = Quote {
        cloud: Cloud::Aws,
        region: "us-east-1".to_owned(),
        zone: None,
        instance_type: "p4d.24xlarge".to_owned(),
        bought: Bought::OnDemand,
        per_hour: 32.7726,
        currency: "USD".to_owned(),
        source: "AWS Price List".to_owned(),
        as_of: "2026-08-01T00:00:00Z".parse().unwrap(),
        derivation: String::new(),
    };
    assert_eq!(offers.gathered.quotes, [quote]);
    let shape = Shape {
        cloud: Cloud::Aws,
        instance_type: "p4d.24xlarge".to_owned(),
        gpu_name: String::new(),
        gpus: 8.0,
        gpu_memory_gib: None,
        vcpus: 96.0,
        ram_gib: 1152.0,
        source: "AWS Price List".to_owned(),
    };
    assert_eq!(offers.gathered.shapes, [shape]);
    assert_eq!(offers.machines, Machines::from([("A".to_owned(), "p4d.24xlarge".to_owned())]));
    assert_eq!(messages(&offers), [""; 0]);
    assert!(!offers.terms_came_first);
}

/// The recorded one: listed at 0.00, told apart by `marketoption`, and by `operation` in lists that have no `marketoption`.
#[test]
fn a_capacity_block_is_no_offer_by_the_hour() {
    let block = with(with(p4d(), "marketoption", json!("CapacityBlock")), "operation", json!("RunInstances:CB"));
    let older = with(block.clone(), "marketoption", Value::Null);
    let terms = [("A", hourly("32.7726")), ("B", hourly("0.0000000000")), ("C", hourly("0.0000000000"))];
    let offers = read(&list(&[("A", with(p4d(), "marketoption", Value::Null)), ("B", block), ("C", older)], &terms, &[]));
    assert_eq!(found(&offers), ["p4d.24xlarge 32.7726 USD"]);
    assert_eq!(messages(&offers), [""; 0]);
}

#[test]
fn everything_else_of_the_same_machine_is_another_product() {
    let others = [
        ("tenancy", "Dedicated"),
        ("tenancy", "Host"),
        ("operatingSystem", "Windows"),
        ("operatingSystem", "RHEL"),
        ("preInstalledSw", "SQL Std"),
        ("capacitystatus", "UnusedCapacityReservation"),
        ("capacitystatus", "AllocatedCapacityReservation"),
        ("marketoption", "CapacityBlock"),
        ("locationType", "AWS Local Zone"),
        ("locationType", "AWS Wavelength Zone"),
        ("locationType", "AWS Outposts"),
        ("regionCode", "us-east-1-bos-1"),
        ("productFamily", "Dedicated Host"),
        ("productFamily", "Storage"),
        ("productFamily", "Compute Instance (bare metal)"),
        ("instanceType", "m5.large"),
    ];
    for (name, value) in others {
        let product = with(p4d(), name, json!(value));
        let product = if name == "instanceType" { with(product, "gpu", Value::Null) } else { product };
        let offers = read(&list(&[("A", product)], &[("A", hourly("1"))], &[]));
        assert_eq!(found(&offers), [""; 0], "{name} {value}");
        assert_eq!((offers.gathered.shapes.len(), offers.machines.len(), offers.unknown.len()), (0, 0, 0), "{name} {value}");
        assert_eq!(messages(&offers), [""; 0], "{name} {value}");
    }
}

/// Bare metal is a family of its own, which is sold as dedicated.
#[test]
fn bare_metal_is_priced_as_dedicated() {
    let metal = with(with(p4d(), "instanceType", json!("g4dn.metal")), "productFamily", json!("Compute Instance (bare metal)"));
    let terms = [("A", hourly("7.824")), ("B", hourly("9"))];
    let offers = read(&list(&[("A", with(metal.clone(), "tenancy", json!("Dedicated"))), ("B", metal)], &terms, &[]));
    assert_eq!(found(&offers), ["g4dn.metal 7.824 USD"]);
}

#[test]
fn machines_with_gpus_that_nobody_knows_are_told_once() {
    let unknown = with(p4d(), "instanceType", json!("p9.48xlarge"));
    let windows = with(with(p4d(), "instanceType", json!("p8.48xlarge")), "operatingSystem", json!("Windows"));
    let offers = read(&list(&[("A", unknown.clone()), ("B", unknown), ("C", windows)], &[("A", hourly("99"))], &[]));
    assert_eq!(offers.unknown, BTreeSet::from(["p9.48xlarge".to_owned()]));
    assert_eq!((found(&offers).len(), offers.machines.len()), (0, 0));
}

/// Every class, length and payment; the fee is spread over 8760 or 26280 hours.
#[test]
fn reservations_are_whole_rates() {
    let cases = [
        ("1yr", "standard", "No Upfront", Some("20"), None, 20.0, ""),
        ("1yr", "standard", "Partial Upfront", Some("10"), Some("87600"), 20.0, "10 an hour + 87600 at once / 8760 h"),
        ("1yr", "convertible", "All Upfront", Some("0.0000000000"), Some("87600"), 10.0, "0 an hour + 87600 at once / 8760 h"),
        ("3yr", "standard", "No Upfront", Some("12"), None, 12.0, ""),
        ("3yr", "convertible", "Partial Upfront", Some("6"), Some("131400"), 11.0, "6 an hour + 131400 at once / 26280 h"),
        // As recorded: all is paid at once, and no hourly price is listed.
        ("3yr", "convertible", "All Upfront", None, Some("26280"), 1.0, "0 an hour + 26280 at once / 26280 h"),
    ];
    for (length, class, payment, per_hour, fee, expected, derivation) in cases {
        let offers = read(&list(&[("A", p4d())], &[], &[("A", reserved((length, class, payment), per_hour, fee))]));
        let [quote] = &offers.gathered.quotes[..] else { panic!("{length} {class} {payment}: {:?}", messages(&offers)) };
        // A division of whole numbers of this size is right to a few units in the last place.
        assert!((quote.per_hour - expected).abs() < 1e-12, "{length} {class} {payment}: {}", quote.per_hour);
        let product = if class == "standard" { Product::StandardReserved } else { Product::ConvertibleReserved };
        let years = if length == "1yr" { 1 } else { 3 };
        let payment = match payment {
            "No Upfront" => Payment::NoUpfront,
            "Partial Upfront" => Payment::PartialUpfront,
            _ => Payment::AllUpfront,
        };
        assert_eq!(quote.bought, Bought::Committed(Term { product, years, payment }));
        assert_eq!((quote.derivation.as_str(), quote.as_of.to_string().as_str()), (derivation, "2025-01-01T00:00:00Z"));
    }
}

/// Half a price is no price: a fee that is not listed is unknown, and not nothing.
#[test]
fn reservations_that_lack_a_part_are_left_out() {
    let cases = [
        (("1yr", "standard", "Partial Upfront"), Some("10"), None, "no upfront fee"),
        (("1yr", "standard", "All Upfront"), Some("0"), None, "no upfront fee"),
        (("1yr", "standard", "No Upfront"), None, Some("1"), "no price an hour"),
        (("1yr", "standard", "Partial Upfront"), None, Some("1"), "no price an hour"),
        (("1yr", "standard", "No Upfront"), None, None, "no price"),
        (("2yr", "standard", "No Upfront"), Some("1"), None, "term `2yr`"),
        (("1yr", "", "No Upfront"), Some("1"), None, "offering class ``"),
        (("1yr", "standard", "Light"), Some("1"), None, "payment `Light`"),
    ];
    for (attributes, per_hour, fee, why) in cases {
        let offers = read(&list(&[("A", p4d())], &[("A", hourly("32"))], &[("A", reserved(attributes, per_hour, fee))]));
        assert_eq!(found(&offers), ["p4d.24xlarge 32 USD"], "{why}");
        let expected = format!(
            "[E1825] entries of the AWS price list that cannot be read, left out (1): `p4d.24xlarge` in `us-east-1` (reserved: {why})"
        );
        assert_eq!(messages(&offers), [expected]);
    }
}

#[test]
fn currencies_are_kept_and_dollars_come_first() {
    let in_currencies = |prices: Value| {
        let mut terms = hourly("1");
        terms["A.JRTCKXETXF"]["priceDimensions"]["A.JRTCKXETXF.6YS6EN2CT7"]["pricePerUnit"] = prices;
        found(&read(&list(&[("A", p4d())], &[("A", terms)], &[])))
    };
    assert_eq!(in_currencies(json!({"CNY": "221.5"})), ["p4d.24xlarge 221.5 CNY"]);
    assert_eq!(in_currencies(json!({"CNY": "221.5", "USD": "32.77"})), ["p4d.24xlarge 32.77 USD"]);
}

/// Zero and less are prices to the reader: what a price may be is judged in one place, for all sources.
#[test]
fn zero_is_handed_on() {
    assert_eq!(found(&read(&list(&[("A", p4d())], &[("A", hourly("0.0000000000"))], &[]))), ["p4d.24xlarge 0 USD"]);
    assert_eq!(found(&read(&list(&[("A", p4d())], &[("A", hourly("-1"))], &[]))), ["p4d.24xlarge -1 USD"]);
}

#[test]
fn the_same_price_of_two_skus_is_one_and_two_prices_are_for_others_to_judge() {
    let products = [("A", p4d()), ("B", p4d()), ("C", p4d())];
    let offers = read(&list(&products, &[("A", hourly("32")), ("B", hourly("32")), ("C", hourly("33"))], &[]));
    assert_eq!(found(&offers), ["p4d.24xlarge 32 USD", "p4d.24xlarge 33 USD"]);
    assert_eq!((offers.gathered.shapes.len(), offers.machines.len()), (1, 3));
}

/// A strange entry costs itself, and is told; the rest of the document stands.
#[test]
fn bad_entries_do_not_spoil_a_document() {
    let products = [
        ("A", p4d()),
        ("B", json!("p4d.24xlarge")),
        ("C", json!({"productFamily": "Compute Instance", "attributes": null})),
        ("D", json!({"productFamily": 7, "attributes": [["vcpu", 1]]})),
        ("E", with(p4d(), "instanceType", json!({"name": "p4d"}))),
        ("F", with(with(p4d(), "instanceType", json!("p4de.24xlarge")), "memory", json!("much"))),
        ("G", with(with(p4d(), "instanceType", json!("g4dn.xlarge")), "vcpu", json!(4))),
        ("H", with(with(p4d(), "instanceType", json!("g4dn.2xlarge")), "gpu", json!("NA"))),
    ];
    let mut two_prices = hourly("5");
    two_prices["A.JRTCKXETXF"]["priceDimensions"]["A.JRTCKXETXF.SECOND"] = dimension("Hrs", "6");
    let mut of_another_unit = hourly("5");
    of_another_unit["A.JRTCKXETXF"]["priceDimensions"] = json!({"X": dimension("GB", "6")});
    let mut no_date = hourly("0.526");
    no_date["A.JRTCKXETXF"]["effectiveDate"] = json!("soon");
    let mut as_number = hourly("1");
    as_number["A.JRTCKXETXF"]["priceDimensions"]["A.JRTCKXETXF.6YS6EN2CT7"]["pricePerUnit"]["USD"] = json!(0.752);
    let on_demand = [("A", two_prices), ("F", of_another_unit), ("G", no_date), ("H", as_number)];
    let reserved = [("A", json!(["no"])), ("F", json!({"F.R": "dear"})), ("G", hourly("cheap")), ("H", hourly("NaN"))];
    let offers = read(&list(&products, &on_demand, &reserved));
    assert_eq!(found(&offers), ["g4dn.2xlarge 0.752 USD", "g4dn.xlarge 0.526 USD"]);
    assert_eq!(offers.gathered.quotes[1].as_of.to_string(), NOW);
    let shapes: Vec<(&str, f64)> = offers.gathered.shapes.iter().map(|s| (s.instance_type.as_str(), s.vcpus)).collect();
    assert_eq!(shapes, [("g4dn.xlarge", 4.0), ("p4d.24xlarge", 96.0)]);
    let expected = "[E1825] entries of the AWS price list that cannot be read, left out (10): `B` in `us-east-1` (no product), \
                    `C` in `us-east-1` (no attributes), `E` in `us-east-1` (no instance type) and 7 more";
    assert_eq!(messages(&offers), [expected]);
}

/// Bounded memory: prices of machines that are not known yet are passed over, and the list is read a second time.
#[test]
fn terms_before_products_are_read_in_a_second_reading() {
    let whole = list(&[("A", p4d())], &[("A", hourly("32"))], &[("A", reserved(("1yr", "standard", "No Upfront"), Some("20"), None))]);
    let expected = read(&whole);
    let mut turned = Map::new();
    for name in ["terms", "formatVersion", "products"] {
        turned.insert(name.to_owned(), whole[name].clone());
    }
    let turned = Value::Object(turned).to_string();
    let first = read_again(&turned, Machines::new()).unwrap();
    assert!(first.terms_came_first);
    assert_eq!((found(&first).len(), first.machines.len()), (0, 1));
    let second = read_again(&turned, first.machines).unwrap();
    assert_eq!(second.gathered.quotes, expected.gathered.quotes);
    assert_eq!(second.gathered.shapes, expected.gathered.shapes);
    assert_eq!(second.gathered.quotes.len(), 2);
}

/// Wherever it breaks off, it is asked again, and what came is not taken for the whole.
#[test]
fn a_list_that_breaks_off_is_broken_at_every_byte() {
    let whole = list(&[("A", p4d())], &[("A", hourly("32"))], &[]).to_string();
    for end in 0..whole.len() {
        assert!(matches!(read_again(&whole[..end], Machines::new()), Err(ReadFault::Broken(_))), "{end}");
    }
}

#[test]
fn a_document_of_another_form_is_malformed() {
    let no_terms = json!({"products": {}}).to_string();
    let null_products = json!({"products": null, "terms": {}}).to_string();
    for body in ["{}", r#"{"message":"Forbidden"}"#, "<html>", "[]", &no_terms, &null_products, r#"{"terms":{}}"#] {
        assert!(matches!(read_again(body, Machines::new()), Err(ReadFault::Malformed(_))), "{body}");
    }
    // A fault of syntax inside one product is one of the whole document: nothing after it can be trusted to be where it seems.
    let spoilt = list(&[("A", p4d())], &[], &[]).to_string().replace(r#""vcpu":"96""#, r#""vcpu":96""#);
    assert!(matches!(read_again(&spoilt, Machines::new()), Err(ReadFault::Malformed(_))));
}

/// A megabyte of other machines in the layout of the real files: only the wanted one is kept.
#[test]
fn what_is_not_wanted_is_not_kept() {
    let mut products = vec![("A".to_owned(), p4d())];
    let mut on_demand = vec![("A".to_owned(), hourly("32.7726"))];
    for i in 0..1200 {
        products.push((format!("M{i}"), with(with(p4d(), "instanceType", json!("m5.large")), "gpu", Value::Null)));
        on_demand.push((format!("M{i}"), hourly("0.096")));
    }
    let by_name = |list: &[(String, Value)]| list.iter().map(|(sku, entry)| (sku.clone(), entry.clone())).collect::<Map<_, _>>();
    let whole = json!({"products": by_name(&products), "terms": {"OnDemand": by_name(&on_demand)}});
    let pretty = serde_json::to_string_pretty(&whole).unwrap();
    assert!(pretty.len() > 1_000_000);
    let offers = read_again(&pretty, Machines::new()).unwrap();
    assert_eq!(found(&offers), ["p4d.24xlarge 32.7726 USD"]);
    assert_eq!((offers.machines.len(), offers.gathered.shapes.len()), (1, 1));
}
